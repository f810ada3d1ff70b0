"""Which order serves where: delivered after its lead time, retired after its term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.plan.problem import PlanProblem
from fabless.records import Array

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Service:
    """Three arrays of one length: chips of `offer` ordered at node-quarter `order` are in service at `node`."""

    offer: Index
    order: Index
    node: Index


def service(problem: PlanProblem) -> Service:
    """Look every order up along the path to every node-quarter.

    The order at j is in service at k, j on the path to k, where ``0 <= quarter(k) - quarter(j) - lead(j) < term``.
    """
    tree = problem.tree
    table = tree.ancestors()
    node, quarter = np.nonzero(table >= 0)
    order = table[node, quarter]
    age = tree.quarter[node] - quarter - problem.lead_quarters[:, order]
    offer, pair = np.nonzero((age >= 0) & (age < problem.term_quarters[:, None]))
    return Service(offer, order[pair], node[pair])


def discounted_term(problem: PlanProblem) -> Array:
    """Sum of discount factors over the quarters that an order is in service within the horizon, shape (O, K)."""
    summed = np.concatenate([[0.0], np.cumsum(problem.discount)])
    start = np.minimum(problem.tree.quarter + problem.lead_quarters, problem.tree.quarters)
    end = np.minimum(start + problem.term_quarters[:, None], problem.tree.quarters)
    return np.asarray(summed[end] - summed[start])
