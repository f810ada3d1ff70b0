"""The gates in the programme: variable and constraint families of projects that may start, go on
and be given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.lp.columns import Columns, family
from fabless.plan.lp.rows import Entry, Rows, laid_out, numbered
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, Service
from fabless.plan.problem.trees import segments
from fabless.records import Array, Tree


@dataclass(frozen=True, eq=False)
class Stretches:
    """The unbranched stretches of a tree, parents first."""

    own: Index
    """(K,) stretch of each node-quarter."""
    first: Index
    """(S,) first node-quarter."""
    before: Index
    """(S,) stretch before it, -1 for the first."""
    below: NDArray[np.bool_]
    """(S, S) whether the second is the first or comes after it."""
    depth: Index
    """(S,) number of branchings passed."""


def stretches(tree: Tree) -> Stretches:
    """Lay out the stretches of a tree."""
    stretch = segments(tree)
    _, first = np.unique(stretch, return_index=True)
    parent = tree.parent[first]
    before = np.where(parent >= 0, stretch[parent], -1)
    below = np.eye(first.size, dtype=bool)
    depth = np.zeros(first.size, dtype=np.int64)
    for s in range(first.size):
        if before[s] >= 0:
            below[:, s] |= below[:, before[s]]
            depth[s] = depth[before[s]] + 1
    return Stretches(stretch, first.astype(np.int64), before.astype(np.int64), below, depth)


def columns_of(problem: PlanProblem, first: int) -> tuple[Columns, ...]:
    """The variable families of the projects: go, start, end; none without projects."""
    if not problem.projects:
        return ()
    going = go(problem, first)
    starting = start(problem, first + going.node.size)
    return going, starting, end(problem, going, first + going.node.size + starting.node.size)


def opened_by_project(
    problem: PlanProblem, served: Service, constraints: list[Rows], columns: Mapping[str, Columns]
) -> list[Rows]:
    """Let the projects open their offers, and add what binds the gates to one another."""
    if not problem.projects:
        return constraints
    going, starting = columns["go"], columns["start"]
    return [
        *(opened_allocation(problem, part, going) if part.name == "allocation" else part
          for part in constraints),
        while_on(problem, served, columns["orders"], going),
        go_balance(problem, going, starting, columns["end"]),
        once(problem, starting),
        alike(problem, going),
    ]


def go(problem: PlanProblem, first: int) -> Columns:
    """Whether a project goes on, (P, K), shown at the first node-quarter of each stretch that it
    can reach; its spend."""
    pieces = stretches(problem.tree)
    spent = np.array([project.spend_usd for project in problem.projects])
    spent = spent * problem.discount[problem.tree.quarter]
    present, cost = _nowhere(problem), np.zeros((len(problem.projects), problem.tree.size))
    for p, project in enumerate(problem.projects):
        present[p, pieces.first] = project.start[pieces.first] @ pieces.below
        cost[p, pieces.first] = np.bincount(pieces.own, weights=spent[p])
    return family("go", present, first, upper=1.0, cost=cost, unit=1.0)


def start(problem: PlanProblem, first: int) -> Columns:
    """Whether a project starts, (P, K)."""
    present = np.array([project.start for project in problem.projects])
    return family("start", present, first, upper=1.0, unit=1.0)


def end(problem: PlanProblem, going: Columns, first: int) -> Columns:
    """Whether a project is given up, (P, K), where it can have gone on before; its fee."""
    before = np.where(problem.tree.parent >= 0, problem.tree.parent, 0)
    shown = stretches(problem.tree).first[segments(problem.tree)[before]]
    possible = (going.index[:, shown] >= 0) & (problem.tree.parent >= 0)
    present = np.array([project.gate for project in problem.projects]) & possible
    fee = np.array([project.end_usd for project in problem.projects])
    fee = fee * problem.discount[problem.tree.quarter]
    return family("end", present, first, upper=1.0, cost=fee, unit=1.0)


def go_balance(problem: PlanProblem, going: Columns, starting: Columns, ending: Columns) -> Rows:
    """``go(p,s) - go(p, stretch before s) = start(p,s) - end(p,s)``."""
    row = numbered(going.index >= 0)
    project, node = np.nonzero(going.index >= 0)
    pieces = stretches(problem.tree)
    parent = pieces.before[pieces.own]
    before = np.where(parent >= 0, going.index[:, pieces.first[parent]], -1)
    entries: list[Entry] = [(row, going.index, 1.0), (row, before, -1.0),
                            (row, starting.index, -1.0),
                            (row, ending.index, 1.0)]
    return laid_out("programme", entries, lower=0.0, upper=0.0, member=project,
                    members=_names(problem), node=node)


def once(problem: PlanProblem, starting: Columns) -> Rows:
    """``sum over the projects of a key and the path to a leaf of start <= 1``."""
    keys = tuple(dict.fromkeys(project.key for project in problem.projects))
    leaves = problem.tree.leaves
    path = problem.tree.ancestors()[leaves]
    entries: list[Entry] = []
    for p, project in enumerate(problem.projects):
        row = keys.index(project.key) * leaves.size + np.arange(leaves.size)
        entries.append((row[:, None], starting.index[p][path], 1.0))
    member, leaf = np.divmod(np.arange(len(keys) * leaves.size), leaves.size)
    return laid_out("once", entries, upper=1.0, member=member, members=keys, node=leaves[leaf])


def alike(problem: PlanProblem, going: Columns) -> Rows:
    """``go(p,s) = go(p,t)`` for stretches s and t that start in one state of knowledge."""
    row = np.full(going.index.shape, -1, dtype=np.int64)
    twin = row.copy()
    count = 0
    for p, project in enumerate(problem.projects):
        at = np.flatnonzero(going.index[p] >= 0)
        if project.known is None or not at.size:
            continue
        _, first, state = np.unique(project.known[at], return_index=True, return_inverse=True)
        other = at[first[state]]
        tied = at != other
        row[p, at[tied]] = count + np.arange(np.count_nonzero(tied))
        twin[p, at[tied]] = going.index[p, other[tied]]
        count += int(np.count_nonzero(tied))
    entries: list[Entry] = [(row, going.index, 1.0), (row, twin, -1.0)]
    member, node = np.nonzero(row >= 0)
    return laid_out("alike", entries, lower=0.0, upper=0.0, member=member, members=_names(problem),
                    node=node)


def opened_allocation(problem: PlanProblem, part: Rows, going: Columns) -> Rows:
    """``sum over the offers of a group of order(o,k) <= limit(k) x go``, where projects alone open
    the whole group."""
    shown = stretches(problem.tree).first[segments(problem.tree)]
    row, column, value, upper = [part.row], [part.column], [part.value], part.upper.copy()
    for g, members in enumerate(_opened_groups(problem)):
        in_group = np.flatnonzero(part.member == g)
        for p in members:
            index = going.index[p, shown[part.node[in_group]]]
            there = index >= 0
            row.append(in_group[there])
            column.append(index[there])
            value.append(-part.upper[in_group[there]])
        if members:
            upper[in_group] = 0.0
    return replace(part, row=np.concatenate(row), column=np.concatenate(column),
                   value=np.concatenate(value), upper=upper)


def while_on(problem: PlanProblem, served: Service, order: Columns, going: Columns) -> Rows:
    """``order(o,k) <= most(o,k) x go`` for the orders that no group of their own limits."""
    opened = _owners(problem)
    covered = np.zeros(order.index.shape, dtype=bool)
    for (_, members, limit), projects in zip(problem.groups, _opened_groups(problem), strict=True):
        if projects:
            covered[list(members)] |= np.isfinite(limit)
    owned = np.array([bool(projects) for projects in opened])
    present = (order.index >= 0) & ~covered & owned[:, None]
    row = numbered(present)
    offer, node = np.nonzero(present)
    most = _most(problem, served)
    if not np.isfinite(most[present]).all():
        names = {problem.offers[o] for o in offer[~np.isfinite(most[present])]}
        raise BadValue(Fault("plan.cap", f"no limit on {', '.join(sorted(names))}",
                             "a finite cap or group limit where an offer of a project pays for "
                             "itself unused",
                             "limit the orders of the offer"))
    shown = stretches(problem.tree).first[segments(problem.tree)]
    entries: list[Entry] = [(row, order.index, 1.0)]
    for o, projects in enumerate(opened):
        entries += [(row[o], going.index[p, shown], -np.where(row[o] >= 0, most[o], 0.0))
                    for p in projects]
    return laid_out("while on", entries, upper=0.0, member=offer, members=problem.offers, node=node)


def _most(problem: PlanProblem, served: Service) -> Array:
    """Most chips of an order that can be of use (O, K): its cap, or what serves all load of its
    best-loaded quarter.

    The latter only where an idle chip brings nothing: no resale, no least draw of a contract.
    """
    speed = np.where(problem.rate > 0, problem.rate, np.inf)
    need = (problem.demand / speed).sum(axis=1)
    useful = np.zeros(problem.cap.shape)
    np.maximum.at(useful, (served.offer, served.order), need[served.offer, served.node])
    costly = (problem.running_usd.min(axis=1) >= 0) & (problem.resale_usd.max(axis=1) <= 0)
    costly[[offer for agreement in problem.agreements for offer in agreement.offers]] = False
    useful = np.where(costly[:, None] & (problem.capital_usd >= 0), useful, np.inf)
    return np.minimum(problem.cap, useful)


def _owners(problem: PlanProblem) -> list[tuple[int, ...]]:
    """Projects that open each offer."""
    return [tuple(p for p, project in enumerate(problem.projects) if o in project.offers)
            for o in range(len(problem.offers))]


def _opened_groups(problem: PlanProblem) -> list[tuple[int, ...]]:
    """Projects that open each group, if all of its offers are opened by equal projects."""
    owners = _owners(problem)
    openers = [{owners[o] for o in members} for _, members, _ in problem.groups]
    return [next(iter(sets)) if len(sets) == 1 else () for sets in openers]


def _names(problem: PlanProblem) -> tuple[str, ...]:
    return tuple(project.name for project in problem.projects)


def _nowhere(problem: PlanProblem) -> NDArray[np.bool_]:
    return np.zeros((len(problem.projects), problem.tree.size), dtype=bool)
