"""The variable families of the plan: one function each.

A family spans (offer, load, node-quarter) or a part of it; what can only be zero is not a column
(index -1). Each column knows the node-quarter where it is decided, its bounds, its discounted cost
on every path through that node-quarter, and the power of two in which the solver counts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, Service, discounted_term
from fabless.plan.problem.trees import segments
from fabless.records import Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """A variable family."""

    name: str
    index: Index
    """Number of the column at each place of the family, -1 where there is none."""
    node: Index
    lower: Array
    upper: Array
    cost: Array
    unit: Array


@dataclass(frozen=True, eq=False)
class Units:
    """Sizes in which the solver counts, powers of two."""

    chips: Array
    """(O,) chips that could carry the largest load."""
    load: Array
    """(L,) largest load of a quarter."""


def power_of_two(size: ArrayLike) -> Array:
    """Return the power of two nearest to each positive size; 1 for zero."""
    sizes = np.abs(np.asarray(size, dtype=float))
    usable = np.isfinite(sizes) & (sizes > 0)
    return np.asarray(np.exp2(np.round(np.log2(np.where(usable, sizes, 1.0)))))


def units(problem: PlanProblem) -> Units:
    """Choose units so that the solver sees numbers near 1 whatever the units of the input."""
    load = problem.demand.max(axis=1, initial=0.0)
    fastest = problem.rate.max(axis=2, initial=0.0)
    needed = np.divide(load, fastest, out=np.zeros_like(fastest), where=fastest > 0)
    return Units(power_of_two(needed.max(axis=1, initial=0.0)), power_of_two(load))


def money_unit(problem: PlanProblem, families: Sequence[Columns]) -> float:
    """Median expected cost of a unit of a variable: the solver's tolerances are absolute, so most
    costs are near 1."""
    costs = np.concatenate([problem.tree.probability[f.node] * np.abs(f.cost) * f.unit
                            for f in families])
    return float(power_of_two(np.median(costs[costs > 0]) if np.any(costs > 0) else 1.0))


def orders(
    problem: PlanProblem, unit: Units, open_offers: NDArray[np.bool_], first: int
) -> Columns:
    """Chips ordered, (O, K): between the commitment and the cap, where they can still arrive or are
    committed.

    `open_offers` (O, K) is false where no agreement can open an offer that needs one. The cost is
    that of the annuities within the horizon.
    """
    arrives = problem.tree.quarter + problem.lead_quarters < problem.tree.quarters
    cap = np.where(problem.available, problem.cap, 0.0)
    present = (arrives & (cap > 0) & open_offers) | (problem.floor > 0)
    cost = problem.capital_usd * discounted_term(problem)
    return family("orders", present, first, lower=problem.floor, upper=cap, cost=cost,
                  unit=unit.chips[:, None])


def active(
    problem: PlanProblem, unit: Units, served: Service, order: Columns, first: int
) -> Columns:
    """Chips in service, (O, K): where a chip in place or an order can be."""
    present = problem.existing > 0
    possible = order.index[served.offer, served.order] >= 0
    present[served.offer[possible], served.node[possible]] = True
    cost = problem.running_usd * problem.discount[problem.tree.quarter]
    return family("active", present, first, cost=cost, unit=unit.chips[:, None])


def chips_given(problem: PlanProblem, unit: Units, chips: Columns, first: int) -> Columns:
    """Chips given to each load, (O, L, K): where they can serve it and there is load."""
    present = (problem.rate > 0) & (chips.index >= 0)[:, None, :] & (problem.demand > 0)
    return family("serve", present, first, unit=unit.chips[:, None, None])


def unmet(problem: PlanProblem, unit: Units, first: int) -> Columns:
    """Load left unserved, (L, K)."""
    cost = problem.unmet_usd * problem.discount[problem.tree.quarter]
    return family("unmet", problem.demand > 0, first, cost=cost, unit=unit.load[:, None])


def path_cost(problem: PlanProblem, money: float, first: int) -> Columns:
    """Discounted cost from the start to the end of each unbranched stretch, shown at its first
    node-quarter, (K,)."""
    _, starts = np.unique(segments(problem.tree), return_index=True)
    present = np.isin(np.arange(problem.tree.size), starts)
    return family("path cost", present, first, lower=-np.inf, unit=money)


def tail(problem: PlanProblem, money: float, first: int) -> Columns:
    """Cost of a path above the threshold, shown at its leaf, (K,)."""
    present = problem.tree.quarter == problem.tree.quarters - 1
    return family("tail", present, first, unit=money)


def threshold(problem: PlanProblem, money: float, first: int) -> Columns:
    """Value at risk, one number shown at node-quarter 0, (K,)."""
    return family("threshold", np.arange(problem.tree.size) == 0, first, lower=-np.inf, unit=money)


def family(
    name: str, present: NDArray[np.bool_], first: int, *, lower: ArrayLike = 0.0,
    upper: ArrayLike = np.inf,
    cost: ArrayLike = 0.0, unit: ArrayLike,
) -> Columns:
    """Number the places of a family where it is `present` from `first` on, and pick its data
    there."""
    index = np.full(present.shape, -1, dtype=np.int64)
    index[present] = first + np.arange(np.count_nonzero(present))

    def picked(values: ArrayLike) -> Array:
        return np.array(np.broadcast_to(values, present.shape)[present], dtype=float)

    return Columns(name=name, index=index, node=np.nonzero(present)[-1], lower=picked(lower),
                   upper=picked(upper),
                   cost=picked(cost), unit=picked(unit))
