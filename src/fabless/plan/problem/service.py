"""Which order serves where: delivered after its lead time, retired after its term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.plan.problem.problem import PlanProblem
from fabless.records import Array

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Service:
    """Three arrays of one length, offers in their order: chips of `offer` ordered at node-quarter
    `order` are in service at `node`."""

    offer: Index
    order: Index
    node: Index


def service(problem: PlanProblem) -> Service:
    """Look every order up along the path to every node-quarter.

    The order at j is in service at k, j on the path to k, where
    ``0 <= quarter(k) - quarter(j) - lead(j) < term``.
    """
    return _aged(problem, np.ones(len(problem.offers), dtype=bool), 0, problem.term_quarters)


def ended(problem: PlanProblem) -> Service:
    """The orders whose term has just ended, of offers that may be retired:
    ``quarter(k) - quarter(j) - lead(j) = term``."""
    return _aged(problem, problem.retire, problem.term_quarters, problem.term_quarters + 1)


def _aged(
    problem: PlanProblem, wanted: NDArray[np.bool_], first: Index | int, stop: Index | int
) -> Service:
    """Orders j of the wanted offers on the path to k with
    ``first <= quarter(k) - quarter(j) - lead(j) < stop``."""
    offers, size = np.flatnonzero(wanted), wanted.size
    low, high = np.broadcast_to(first, size)[offers], np.broadcast_to(stop, size)[offers]
    tree = problem.tree
    table = tree.ancestors() if offers.size else np.zeros((0, 0), dtype=np.int64)
    node, quarter = np.nonzero(table >= 0)
    order = table[node, quarter]
    gone = tree.quarter[node] - quarter
    # offer by offer: all at once would hold every pair of node-quarters for each of them
    pairs = []
    for offer, youngest, oldest in zip(offers, low, high, strict=True):
        age = gone - problem.lead_quarters[offer][order]
        pairs.append(np.flatnonzero((age >= youngest) & (age < oldest)).astype(np.int32))
    ends = np.cumsum([0, *(part.size for part in pairs)])
    orders, nodes = np.empty((2, ends[-1]), dtype=np.int64)
    for begin, end, pair in zip(ends, ends[1:], pairs, strict=False):
        orders[begin:end], nodes[begin:end] = order[pair], node[pair]
    return Service(np.repeat(offers, np.diff(ends)), orders, nodes)


def discounted_term(problem: PlanProblem) -> Array:
    """Sum of discount factors over the quarters that an order is in service within the horizon,
    shape (O, K)."""
    summed = np.concatenate([[0.0], np.cumsum(problem.discount)])
    start = np.minimum(problem.tree.quarter + problem.lead_quarters, problem.tree.quarters)
    end = np.minimum(start + problem.term_quarters[:, None], problem.tree.quarters)
    return np.asarray(summed[end] - summed[start])
