"""Dear checks of a decision rule on a few paths: planning again at every view, and perfect information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import DoesNotFit, Fault
from fabless.plan.problem.information import on_tree
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import PlanResult
from fabless.plan.rule.merit_order import View, stretches
from fabless.plan.rule.simulate import Simulated, decided_now, paths_table, simulate
from fabless.plan.solve.solve import solve
from fabless.records import Array, Tree

TOGETHER = 20
"""Paths in one linear programme; they share nothing, and a small programme is solved faster than a large one."""


def chains(problem: PlanProblem, leaves: NDArray[np.int64]) -> PlanProblem:
    """Some paths of a problem, by their number among its leaves, pulled apart; of equal probability, without risk weight."""
    table = paths_table(problem.tree)[leaves]
    count, quarters = table.shape
    number = np.arange(count * quarters).reshape(quarters, count)
    parent = np.vstack([np.full((1, count), -1), number[:-1]])
    tree = Tree(parent.ravel(), np.repeat(np.arange(quarters), count), np.full(number.size, 1.0 / count))
    return replace(on_tree(problem, tree, table.T.ravel()), cvar_weight=0.0)


def perfect_costs(problem: PlanProblem, leaves: NDArray[np.int64]) -> Array:
    """Least discounted cost (n,) of some paths, each planned as if it were known from the start [USD]."""
    lumps = [leaves[k:k + TOGETHER] for k in range(0, leaves.size, TOGETHER)]
    return np.concatenate([np.zeros(0), *(_solved(chains(problem, lump)).path_cost_usd for lump in lumps)])


def replanned(
    planned: PlanProblem, result: PlanResult, fresh: PlanProblem, views: Sequence[View], leaves: NDArray[np.int64]
) -> Simulated:
    """Carry a plan out on some fresh paths by planning again at every view as if the view were certain.

    Up to the first split of the planned tree the orders are the plan's; then each view's least-cost orders, with all
    that was ordered before held, stand until the next view. The result lies on ``chains(fresh, leaves)``. Raises
    `DoesNotFit` for problems with agreements, whose later signings are not carried on, and where a path has no plan.
    """
    if fresh.agreements:
        raise DoesNotFit(Fault("plan.agreements", f"{len(fresh.agreements)} agreements", "none when planning again",
                               "leave the agreements out, or do without planning again"))
    first = decided_now(planned.tree)
    trunk = np.flatnonzero(planned.tree.quarter < first)
    truth = chains(fresh, leaves)
    quarter = truth.tree.quarter
    orders = np.zeros(truth.cap.shape)
    now = quarter < first
    orders[:, now] = result.orders[:, trunk[quarter[now]]]
    for view, start, end in stretches(views, first, truth.tree.quarters):
        here = (quarter >= start) & (quarter < end)
        for k in range(0, leaves.size, TOGETHER):
            lump = np.arange(leaves.size)[k:k + TOGETHER]
            where = (np.arange(truth.tree.quarters)[:, None] * leaves.size + lump).ravel()
            plan = _solved(_held(chains(view.problem, leaves[lump]), orders[:, where], start))
            orders[:, where[here[where]]] = plan.orders[:, here[where]]
    return simulate(truth, orders)


def _held(problem: PlanProblem, orders: Array, start: int) -> PlanProblem:
    """The problem with the orders of all quarters before `start` given, whatever the limits then were."""
    past = problem.tree.quarter < start
    return replace(
        problem,
        cap=np.where(past, orders, problem.cap), floor=np.where(past, orders, problem.floor),
        available=problem.available | past, cash_cap_usd=np.where(past, np.inf, problem.cash_cap_usd),
        groups=tuple((name, members, np.where(past, np.inf, limit)) for name, members, limit in problem.groups),
    )


def _solved(problem: PlanProblem) -> PlanResult:
    result = solve(problem)
    if not result.status.is_ok:
        raise DoesNotFit(Fault("plan of a path", f"the solver ended with status {result.status}", "an optimal plan",
                               "look for commitments, power or cash that contradict each other on it"))
    return result
