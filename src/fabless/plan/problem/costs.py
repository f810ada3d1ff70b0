"""What a plan costs: the formulas of every reported sum, apart from the solver's objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.plan.problem.agreement import by_node
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Service, ended
from fabless.records import Array, Tree


@dataclass(frozen=True, kw_only=True, eq=False)
class Decisions:
    """Everything a plan decides, each family laid out over its full shape."""

    orders: Array
    """(O, K) chips ordered."""
    serve: Array
    """(O, L, K) chips given to each load."""
    unmet: Array
    """(L, K) load left unserved."""
    levels: Array
    """(agreements, K) units signed."""
    untaken: Array
    """(agreements, K) units of the least draw not taken."""
    retired: Array
    """(O, K) chips retired and still within their term."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CostParts:
    """Undiscounted cost of each node-quarter, (K,) each [USD]."""

    capital_usd: Array
    running_usd: Array
    unmet_usd: Array
    fixed_usd: Array
    agreements_usd: Array
    """Fees at the signing, and what is due for units not taken."""
    resale_usd: Array
    """Earned by retired chips, negative."""

    @property
    def total_usd(self) -> Array:
        """Sum of the parts (K,)."""
        return (self.capital_usd + self.running_usd + self.unmet_usd + self.fixed_usd
                + self.agreements_usd
                + self.resale_usd)


def chips_in_service(problem: PlanProblem, served: Service, orders: Array) -> Array:
    """Chips within their term (O, K) that follow from the orders (O, K) and the chips in place,
    retired ones included."""
    return np.asarray(problem.existing + _summed(served, orders))


def _summed(served: Service, amount: Array) -> Array:
    """Sum of an amount of each order (O, K) at the node-quarters in which it serves, (O, K)."""
    ends = np.searchsorted(served.offer, np.arange(len(amount) + 1))
    return np.array([
        np.bincount(served.node[begin:end], weights=of_order[served.order[begin:end]],
                    minlength=of_order.size)
        for begin, end, of_order in zip(ends, ends[1:], amount, strict=False)]).reshape(amount.shape)


def newly_retired(problem: PlanProblem, orders: Array, retired: Array) -> Array:
    """Chips that retire at each node-quarter (O, K), from the orders (O, K) and the chips retired
    and within their term (O, K).

        newly(o,k) = retired(o,k) - max(retired(o,parent(k)) - chips whose term ends at k, 0)

    The oldest retire first, so that chips whose term ends leave the retired ones first.
    """
    parent = problem.tree.parent
    ending = np.where(parent >= 0, problem.existing[:, parent] - problem.existing, 0.0)
    past = ended(problem)
    ending = ending + _summed(past, orders)
    before = np.where(parent >= 0, retired[:, parent], 0.0)
    return np.asarray(retired - np.maximum(before - ending, 0.0))


def offer_capital(problem: PlanProblem, served: Service, orders: Array) -> Array:
    """Annuities of all chips in service of each offer at each node-quarter (O, K), chips in place
    included."""
    capital = problem.existing_capital_usd * problem.existing
    return np.asarray(capital + _summed(served, problem.capital_usd * orders))


def node_costs(problem: PlanProblem, served: Service, choice: Decisions) -> CostParts:
    """Cost of each node-quarter: annuities of all chips within their term, running, shortage,
    fixed, agreements, resale."""
    size = problem.tree.size
    active = chips_in_service(problem, served, choice.orders) - choice.retired
    return CostParts(
        capital_usd=offer_capital(problem, served, choice.orders).sum(axis=0),
        running_usd=(problem.running_usd * active).sum(axis=0),
        unmet_usd=(problem.unmet_usd * choice.unmet).sum(axis=0),
        fixed_usd=np.array(problem.fixed_usd),
        agreements_usd=(by_node(problem.agreements, "fee_usd", size) * choice.levels).sum(axis=0)
        + (by_node(problem.agreements, "untaken_usd", size) * choice.untaken).sum(axis=0),
        resale_usd=-(problem.resale_usd * choice.retired).sum(axis=0),
    )


def constant_costs(problem: PlanProblem) -> Array:
    """Discounted cost of each node-quarter that no order changes (K,): chips in place and fixed
    spend."""
    in_place = (problem.existing_capital_usd * problem.existing).sum(axis=0)
    return np.asarray((in_place + problem.fixed_usd) * problem.discount[problem.tree.quarter])


def path_costs(tree: Tree, discounted: Array) -> Array:
    """Sum of the discounted cost of node-quarters (K,) along the path to each leaf, shape
    (leaves,)."""
    summed = np.array(discounted, dtype=float)
    for q in range(1, tree.quarters):
        nodes = tree.quarter == q
        summed[nodes] += summed[tree.parent[nodes]]
    return summed[tree.leaves]


def cvar(costs: Array, probability: Array, level: float) -> float:
    """Mean of the worst share ``1 - level`` of the costs (Rockafellar & Uryasev 2002, eq. 9: atoms
    are split).

    >>> round(cvar(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.3, 0.2]), 0.6), 12)
    3.0
    """
    worst = np.argsort(-costs, kind="stable")
    share = 1.0 - level
    before = np.concatenate([[0.0], np.cumsum(probability[worst])[:-1]])
    taken = np.clip(share - before, 0.0, probability[worst])
    return float(costs[worst] @ taken / taken.sum())


def tail_by_path(costs: Array, level: float) -> Array:
    """Value by path whose mean is the CVaR of equally likely costs: ``v + (cost - v)+ / (1 -
    level)``, v their quantile."""
    threshold = np.quantile(costs, level, method="inverted_cdf")
    return np.asarray(threshold + np.maximum(costs - threshold, 0.0) / (1.0 - level))


def risk_adjusted(
    problem: PlanProblem, costs: Array, probability: Array
) -> tuple[float, float, float]:
    """Return the objective ``(1 - w) mean + w CVaR`` of path costs, the mean and the CVaR."""
    mean, worst = float(costs @ probability), cvar(costs, probability, problem.cvar_level)
    return (1.0 - problem.cvar_weight) * mean + problem.cvar_weight * worst, mean, worst
