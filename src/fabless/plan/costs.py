"""What a plan costs: the formulas of every reported sum, apart from the solver's objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.plan.problem import PlanProblem
from fabless.plan.service import Service
from fabless.records import Array, Tree


@dataclass(frozen=True, eq=False)
class CostParts:
    """Undiscounted cost of each node-quarter, (K,) each [USD]."""

    capital_usd: Array
    running_usd: Array
    """Running and serving."""
    unmet_usd: Array
    fixed_usd: Array

    @property
    def total_usd(self) -> Array:
        """Sum of the parts (K,)."""
        return self.capital_usd + self.running_usd + self.unmet_usd + self.fixed_usd


def chips_in_service(problem: PlanProblem, served: Service, orders: Array) -> Array:
    """Chips in service (O, K) that follow from the orders (O, K) and the chips in place."""
    active = problem.existing[:, problem.tree.quarter].copy()
    np.add.at(active, (served.offer, served.node), orders[served.offer, served.order])
    return active


def offer_capital(problem: PlanProblem, served: Service, orders: Array) -> Array:
    """Annuities of all chips in service of each offer at each node-quarter (O, K), chips in place included."""
    capital = problem.existing_capital_usd[:, None] * problem.existing[:, problem.tree.quarter]
    annuity = problem.capital_usd[served.offer, served.order] * orders[served.offer, served.order]
    np.add.at(capital, (served.offer, served.node), annuity)
    return np.asarray(capital)


def node_costs(
    problem: PlanProblem, served: Service, orders: Array, active: Array, serve: Array, unmet: Array
) -> CostParts:
    """Cost of each node-quarter from the plan's arrays: annuities of all chips in service, running, shortage, fixed."""
    capital = offer_capital(problem, served, orders).sum(axis=0)
    running = (problem.running_usd * active).sum(axis=0) + (problem.serving_usd * serve).sum(axis=(0, 1))
    return CostParts(capital, running, (problem.unmet_usd * unmet).sum(axis=0), np.array(problem.fixed_usd))


def constant_costs(problem: PlanProblem) -> Array:
    """Discounted cost of each node-quarter that no order changes (K,): chips in place and fixed spend."""
    in_place = problem.existing_capital_usd @ problem.existing[:, problem.tree.quarter]
    return np.asarray((in_place + problem.fixed_usd) * problem.discount[problem.tree.quarter])


def path_costs(tree: Tree, discounted: Array) -> Array:
    """Sum of the discounted cost of node-quarters (K,) along the path to each leaf, shape (leaves,)."""
    summed = np.array(discounted, dtype=float)
    for q in range(1, tree.quarters):
        here = tree.quarter == q
        summed[here] += summed[tree.parent[here]]
    return summed[tree.leaves]


def cvar(costs: Array, probability: Array, level: float) -> float:
    """Mean of the worst share ``1 - level`` of the costs (Rockafellar & Uryasev 2002, eq. 9: atoms are split).

    >>> round(cvar(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.3, 0.2]), 0.6), 12)
    3.0
    """
    worst = np.argsort(-costs, kind="stable")
    share = 1.0 - level
    before = np.concatenate([[0.0], np.cumsum(probability[worst])[:-1]])
    taken = np.clip(share - before, 0.0, probability[worst])
    return float(costs[worst] @ taken / taken.sum())


def risk_adjusted(problem: PlanProblem, costs: Array, probability: Array) -> tuple[float, float, float]:
    """Return the objective ``(1 - w) mean + w CVaR`` of path costs, the mean and the CVaR."""
    mean, worst = float(costs @ probability), cvar(costs, probability, problem.cvar_level)
    return (1.0 - problem.cvar_weight) * mean + problem.cvar_weight * worst, mean, worst
