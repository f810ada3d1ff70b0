"""Chips retired before their term ends: one variable and one constraint family, exact without a
record of ages.

Chips of one offer differ only in the quarter their term ends, and those delivered first end first.
Retiring the oldest keeps every later choice open, so the stock of retired chips is all that must be
known: it falls by at most the chips whose term ends.
"""

from __future__ import annotations

import numpy as np

from fabless.plan.lp.columns import Columns, Units, family
from fabless.plan.lp.rows import Entry, Rows, laid_out, numbered
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import ended
from fabless.records import Array


def retired(problem: PlanProblem, unit: Units, active: Columns, first: int) -> Columns:
    """Chips retired and still within their term, (O, K); they earn their resale annuity."""
    present = problem.retire[:, None] & (active.index >= 0)
    earned = -problem.resale_usd * problem.discount[problem.tree.quarter]
    return family("retired", present, first, cost=earned, unit=unit.chips[:, None])


def retirement(problem: PlanProblem, order: Columns, stock: Columns) -> Rows:
    """``retired(o,k) >= retired(o,parent(k)) - chips in place or ordered whose term ends at k``:
    for good."""
    before = np.where(problem.tree.parent >= 0, stock.index[:, problem.tree.parent], -1)
    present = (stock.index >= 0) & (before >= 0)
    row, ending = numbered(present), ended(problem)
    entries: list[Entry] = [
        (row, stock.index, 1.0),
        (row, before, -1.0),
        (row[ending.offer, ending.node], order.index[ending.offer, ending.order], 1.0),
    ]
    offer, node = np.nonzero(present)
    lower = -_leaving(problem)[offer, node]
    return laid_out("retirement", entries, lower=lower, member=offer, members=problem.offers,
                    node=node)


def _leaving(problem: PlanProblem) -> Array:
    """Chips in place that leave at the start of each node-quarter, (O, K)."""
    parent = problem.tree.parent
    return np.where(parent >= 0, problem.existing[:, parent] - problem.existing, 0.0)
