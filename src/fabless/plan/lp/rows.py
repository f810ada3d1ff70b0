"""The constraint families of the plan: one function each.

A row is ``lower <= sum value x column <= upper`` in natural units (chips, units of load, W, USD).
Entries whose column does not exist are dropped: such a variable is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.plan.lp.columns import Columns
from fabless.plan.problem.agreement import by_node
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, Service
from fabless.plan.problem.trees import segments
from fabless.records import Array

Entry = tuple[Index, Index, ArrayLike]
"""Rows, columns and values of entries, broadcast together; -1 marks a row or column that does not
exist."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """A constraint family in coordinate form."""

    name: str
    row: Index
    """Row of each entry, counted within the family."""
    column: Index
    value: Array
    lower: Array
    upper: Array
    member: Index
    """Which of `members` each row belongs to."""
    members: tuple[str, ...]
    node: Index
    """Node-quarter of each row."""
    elastic: bool = False
    """Whether it is a limit that could be another: its price is told, and how far it must give
    where no plan exists. Elastic rows have an upper end alone."""


def in_service(
    problem: PlanProblem, served: Service, order: Columns, active: Columns, retired: Columns
) -> Rows:
    """``active(o,k) + retired(o,k) = chips in place + sum of order(o,j) over the orders j in
    service at k``."""
    offer, node = np.nonzero(active.index >= 0)
    row = numbered(active.index >= 0)
    entries: list[Entry] = [
        (row, active.index, 1.0),
        (row, retired.index, 1.0),
        (row[served.offer, served.node], order.index[served.offer, served.order], -1.0),
    ]
    existing = problem.existing[offer, node]
    return laid_out("in service", entries, lower=existing, upper=existing, member=offer,
                    members=problem.offers, node=node)


def busy(problem: PlanProblem, active: Columns, serve: Columns) -> Rows:
    """``sum over loads of serve(o,l,k) <= active(o,k)``."""
    used = np.asarray((serve.index >= 0).any(axis=1))
    offer, node = np.nonzero(used)
    row = numbered(used)
    entries: list[Entry] = [(row[:, None, :], serve.index, 1.0), (row, active.index, -1.0)]
    return laid_out("busy", entries, upper=0.0, member=offer, members=problem.offers, node=node)


def demand(problem: PlanProblem, serve: Columns, unmet: Columns) -> Rows:
    """``sum over offers of rate x serve + unmet = demand`` for each load (l,k)."""
    load, node = np.nonzero(unmet.index >= 0)
    row = numbered(unmet.index >= 0)
    entries: list[Entry] = [(row[None], serve.index, problem.rate), (row, unmet.index, 1.0)]
    limit = problem.demand[load, node]
    return laid_out("demand", entries, lower=limit, upper=limit, member=load, members=problem.loads,
                    node=node)


def allocation(problem: PlanProblem, order: Columns) -> Rows:
    """``sum over the offers of a group of order(o,k) <= limit of the group at k``."""
    count, size = len(problem.groups), problem.tree.size
    limits = np.array([limit for _, _, limit in problem.groups]).reshape(count, size)
    ordered = np.zeros((count, size), dtype=bool)
    for g, (_, members, _) in enumerate(problem.groups):
        ordered[g] = (order.index[list(members)] >= 0).any(axis=0)
    limited = np.isfinite(limits) & ordered
    row = numbered(limited)
    group, node = np.nonzero(limited)
    offers = [list(members) for _, members, _ in problem.groups]
    entries: list[Entry] = [(row[g][None], order.index[offers[g]], 1.0) for g in range(count)]
    names = tuple(name for name, _, _ in problem.groups)
    return laid_out("allocation", entries, upper=limits[limited], member=group, members=names,
                    node=node, elastic=True)


def power_limit(problem: PlanProblem, active: Columns) -> Rows:
    """``sum over offers of power_w x active(o,k) <= power at hand at k``."""
    drawn = np.asarray(((problem.power_w[:, None] > 0) & (active.index >= 0)).any(axis=0))
    return _budget("power", problem.power_cap_w, drawn, (active.index, problem.power_w[:, None]))


def cash(problem: PlanProblem, order: Columns, level: Columns) -> Rows:
    """``sum over offers of payment x order(o,k) + sum over agreements of fee x level(c,k) <= cash
    at hand at k``."""
    due = np.asarray(((problem.payment_usd > 0) & (order.index >= 0)).any(axis=0))
    fees = by_node(problem.agreements, "fee_usd", problem.tree.size)
    due |= np.asarray(((fees > 0) & (level.index >= 0)).any(axis=0))
    return _budget("cash", problem.cash_cap_usd, due, (order.index, problem.payment_usd),
                   (level.index, fees))


def path_cost_balance(
    problem: PlanProblem, families: tuple[Columns, ...], path: Columns, constant: Array
) -> Rows:
    """``path(s) - path(stretch before s) - cost of the variables in s = cost in s that no order
    changes``."""
    stretch = segments(problem.tree)
    start = np.flatnonzero(path.index >= 0)
    parent = problem.tree.parent[start]
    before = np.where(parent >= 0, path.index[start[stretch[parent]]], -1)
    number = np.arange(start.size)
    entries: list[Entry] = [(number, path.index[start], 1.0), (number, before, -1.0)]
    entries += [(stretch[family.node], family.index[family.index >= 0], -family.cost)
                for family in families]
    limit = np.bincount(stretch, weights=constant, minlength=start.size).astype(np.float64)
    return laid_out("path cost", entries, lower=limit, upper=limit, members=("path",), node=start)


def tail_excess(problem: PlanProblem, path: Columns, excess: Columns, threshold: Columns) -> Rows:
    """``tail(leaf) + threshold - path(leaf) >= 0``."""
    start = np.flatnonzero(path.index >= 0)
    leaves = problem.tree.leaves
    number = np.arange(leaves.size)
    last = path.index[start[segments(problem.tree)[leaves]]]
    risk = np.full(leaves.size, threshold.index[0])
    entries: list[Entry] = [(number, excess.index[leaves], 1.0), (number, risk, 1.0),
                            (number, last, -1.0)]
    return laid_out("tail", entries, lower=0.0, members=("tail",), node=leaves)


def _budget(
    name: str, limit: Array, used: NDArray[np.bool_], *weighted: tuple[Index, ArrayLike]
) -> Rows:
    limited = np.isfinite(limit) & used
    row = numbered(limited)
    node = np.flatnonzero(limited)
    entries: list[Entry] = [(row[None], index, weight) for index, weight in weighted]
    return laid_out(name, entries, upper=limit[limited], members=(name,), node=node, elastic=True)


def numbered(present: NDArray[np.bool_]) -> Index:
    """Number the places that are present, -1 elsewhere."""
    index = np.full(present.shape, -1, dtype=np.int64)
    index[present] = np.arange(np.count_nonzero(present))
    return index


def laid_out(
    name: str, entries: list[Entry], *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf,
    member: Index | int = 0,
    members: tuple[str, ...], node: Index, elastic: bool = False,
) -> Rows:
    """Put the entries of a family together, without those whose row or column does not exist."""
    parts = [np.broadcast_arrays(row, column, np.asarray(value, dtype=float))
             for row, column, value in entries]
    kept = [[array[(row >= 0) & (column >= 0)] for array in (row, column, value)]
            for row, column, value in parts]
    row, column, value = (np.concatenate([np.zeros(0), *(part[i] for part in kept)])
                          for i in range(3))

    def of_each(limit: ArrayLike) -> Array:
        return np.array(np.broadcast_to(limit, node.shape), dtype=float)

    return Rows(
        name=name, row=row.astype(np.int64), column=column.astype(np.int64), value=value,
        lower=of_each(lower),
        upper=of_each(upper), member=np.array(np.broadcast_to(member, node.shape)), members=members,
        node=node,
        elastic=elastic)
