"""Chips that need work to move from one load to another: three variable and three constraint families.

Only for offers with such a cost. A chip is set up for one load, idle or not; when delivered, for any. Chips of an offer are
told apart by their load, not by their age: those whose term ends leave from whichever load has them to spare.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.columns import Columns, Units, family
from fabless.plan.lp.rows import Entry, Rows, laid_out, numbered
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import bound_to_loads, delivered


def set_up(problem: PlanProblem, unit: Units, active: Columns, first: int) -> Columns:
    """Chips set up for each load, (O, L, K): where they can serve it."""
    return family("set up", _possible(problem, active), first, 0.0, np.inf, 0.0, unit.chips[:, None, None])


def moved(problem: PlanProblem, unit: Units, ready: Columns, first: int) -> Columns:
    """Chips moved to each load, (O, L, K): where they were in service before."""
    cost = problem.redeploy_usd[:, :, None] * problem.discount[problem.tree.quarter]
    present = (ready.index >= 0) & (problem.tree.parent >= 0)
    return family("moved", present, first, 0.0, np.inf, cost, unit.chips[:, None, None])


def fresh(problem: PlanProblem, unit: Units, ready: Columns, first: int) -> Columns:
    """Chips just delivered and set up for a load, (O, L, K): where there can be any."""
    arrives = problem.tree.parent < 0
    arrives, arriving = arrives | (_added(problem) > 0), delivered(problem)
    arrives[arriving.offer, arriving.node] = True
    return family("fresh", (ready.index >= 0) & arrives[:, None], first, 0.0, np.inf, 0.0, unit.chips[:, None, None])


def readiness(problem: PlanProblem, serve: Columns, ready: Columns) -> Rows:
    """``serve(o,l,k) <= set up(o,l,k)``."""
    present = (serve.index >= 0) & bound_to_loads(problem)[:, None, None]
    row = numbered(present)
    entries: list[Entry] = [(row, serve.index, 1.0), (row, ready.index, -1.0)]
    offer, _, node = np.nonzero(present)
    return laid_out("readiness", entries, np.full(node.size, -np.inf), np.zeros(node.size), offer, problem.offers, node)


def moves(problem: PlanProblem, ready: Columns, move: Columns, new: Columns) -> Rows:
    """``set up(o,l,k) <= set up(o,l,parent(k)) + moved(o,l,k) + fresh(o,l,k)``."""
    before = np.where(problem.tree.parent >= 0, ready.index[:, :, problem.tree.parent], -1)
    row = numbered(ready.index >= 0)
    entries: list[Entry] = [(row, ready.index, 1.0), (row, before, -1.0), (row, move.index, -1.0), (row, new.index, -1.0)]
    offer, _, node = np.nonzero(ready.index >= 0)
    return laid_out("moves", entries, np.full(node.size, -np.inf), np.zeros(node.size), offer, problem.offers, node)


def deliveries(problem: PlanProblem, order: Columns, new: Columns) -> Rows:
    """``sum over loads of fresh(o,l,k) <= chips in place added + orders delivered at k``."""
    present = np.asarray((new.index >= 0).any(axis=1))
    row, arriving = numbered(present), delivered(problem)
    entries: list[Entry] = [
        (row[:, None], new.index, 1.0),
        (row[arriving.offer, arriving.node], order.index[arriving.offer, arriving.order], -1.0),
    ]
    offer, node = np.nonzero(present)
    upper = _added(problem)[offer, node]
    return laid_out("deliveries", entries, np.full(node.size, -np.inf), upper, offer, problem.offers, node)


def _possible(problem: PlanProblem, active: Columns) -> NDArray[np.bool_]:
    return np.asarray((problem.rate > 0) & (active.index >= 0)[:, None] & bound_to_loads(problem)[:, None, None])


def _added(problem: PlanProblem) -> NDArray[np.float64]:
    """Chips in place that are new at each node-quarter, (O, K): all of them in the first quarter."""
    change = np.diff(problem.existing, axis=1, prepend=0.0)
    return np.maximum(change, 0.0)[:, problem.tree.quarter]
