"""Agreements in the plan: the variable families level and untaken, and the constraints on the
draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.columns import Columns, Units, family, power_of_two
from fabless.plan.lp.rows import Entry, Rows, laid_out, numbered
from fabless.plan.problem.agreement import by_node
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class CallOffs:
    """Arrays of one length: a level of `agreement` signed at `sign` allows `most` and demands
    `least` at `node`."""

    agreement: Index
    sign: Index
    node: Index
    most: Array
    least: Array


def call_offs(problem: PlanProblem) -> CallOffs:
    """Look the signings of every agreement up along the path to every node-quarter.

    A level signed at j runs at k, j on the path to k, where
    ``0 <= quarter(k) - quarter(j) - start(j) < tenor``.
    """
    parts = [(np.zeros(0, dtype=np.int64),) * 3 + (np.zeros(0),) * 2]
    table = problem.tree.ancestors() if problem.agreements else np.zeros((0, 0), dtype=np.int64)
    node, quarter = np.nonzero(table >= 0)
    signed = table[node, quarter]
    for c, agreement in enumerate(problem.agreements):
        since = problem.tree.quarter[node] - quarter - agreement.start_quarters[signed]
        may_be_signed = agreement.sign & (agreement.level_cap > 0)
        runs = (since >= 0) & (since < agreement.most.size) & may_be_signed[signed]
        age = since[runs]
        parts.append((np.full(age.size, c), signed[runs], node[runs], agreement.most[age],
                      agreement.least[age]))
    return CallOffs(*(np.concatenate([part[i] for part in parts]) for i in range(5)))


def opened_by_agreement(problem: PlanProblem, drawn: CallOffs) -> NDArray[np.bool_]:
    """Whether an offer may be ordered (O, K): every agreement that names it can have room there."""
    room = np.zeros((len(problem.agreements), problem.tree.size), dtype=bool)
    room[drawn.agreement[drawn.most > 0], drawn.node[drawn.most > 0]] = True
    allowed = np.ones(problem.cap.shape, dtype=bool)
    for c, agreement in enumerate(problem.agreements):
        allowed[list(agreement.offers)] &= room[c]
    return allowed


def level(problem: PlanProblem, unit: Units, drawn: CallOffs, first: int) -> Columns:
    """Units of each agreement signed, (C, K): between floor and cap, where it may be signed and
    runs within the horizon."""
    present = _nowhere(problem)
    present[drawn.agreement, drawn.sign] = True
    cap, fee, floor = (by_node(problem.agreements, name, problem.tree.size)
                       for name in ("level_cap", "fee_usd", "level_floor"))
    fee = fee * problem.discount[problem.tree.quarter]
    return family("level", present, first, lower=floor, upper=cap, cost=fee,
                  unit=_units_drawn(problem, unit)[:, None])


def untaken(problem: PlanProblem, unit: Units, drawn: CallOffs, first: int) -> Columns:
    """Units of the least draw not taken, (C, K): where they cost money and an order can still
    arrive.

    Draws that would arrive after the horizon cost and bring nothing within it; taking them is no
    question of the plan.
    """
    present = _nowhere(problem)
    present[drawn.agreement[drawn.least > 0], drawn.node[drawn.least > 0]] = True
    arrives = problem.tree.quarter + problem.lead_quarters < problem.tree.quarters
    for c, agreement in enumerate(problem.agreements):
        present[c] &= arrives[list(agreement.offers)].any(axis=0) & (agreement.untaken_usd > 0)
    price = by_node(problem.agreements, "untaken_usd", problem.tree.size)
    price = price * problem.discount[problem.tree.quarter]
    return family("untaken", present, first, cost=price, unit=_units_drawn(problem, unit)[:, None])


def draw_limit(problem: PlanProblem, drawn: CallOffs, order: Columns, levels: Columns) -> Rows:
    """``sum over offers of order(o,k) <= sum over signings j of most(k,j) x level(c,j)`` for each
    agreement c."""
    present = _nowhere(problem)
    for c, agreement in enumerate(problem.agreements):
        present[c] = (order.index[list(agreement.offers)] >= 0).any(axis=0)
    row = numbered(present)
    entries = [*_taken(problem, row, order), _granted(row, drawn, levels, -drawn.most)]
    member, node = np.nonzero(present)
    return laid_out("draw limit", entries, upper=0.0, member=member, members=_names(problem),
                    node=node, elastic=True)


def take_or_pay(
    problem: PlanProblem, drawn: CallOffs, order: Columns, levels: Columns, short: Columns
) -> Rows:
    """``sum over offers of order(o,k) + untaken(c,k) >= sum over signings j of least(k,j) x
    level(c,j)``."""
    row = numbered(short.index >= 0)
    entries: list[Entry] = [*_taken(problem, row, order), (row, short.index, 1.0),
                            _granted(row, drawn, levels, -drawn.least)]
    agreement, node = np.nonzero(short.index >= 0)
    return laid_out("take or pay", entries, lower=0.0, member=agreement, members=_names(problem),
                    node=node)


def _taken(problem: PlanProblem, row: Index, order: Columns) -> list[Entry]:
    return [(row[c][None], order.index[list(agreement.offers)], 1.0)
            for c, agreement in enumerate(problem.agreements)]


def _granted(row: Index, drawn: CallOffs, levels: Columns, value: Array) -> Entry:
    return row[drawn.agreement, drawn.node], levels.index[drawn.agreement, drawn.sign], value


def _units_drawn(problem: PlanProblem, unit: Units) -> Array:
    """Size of a level in which the solver counts: what the largest need of its offers draws."""
    sizes = [max(unit.chips[list(agreement.offers)]) / max(agreement.most.max(), 1e-300)
             for agreement in problem.agreements]
    return power_of_two(np.array(sizes))


def _nowhere(problem: PlanProblem) -> NDArray[np.bool_]:
    return np.zeros((len(problem.agreements), problem.tree.size), dtype=bool)


def _names(problem: PlanProblem) -> tuple[str, ...]:
    return tuple(agreement.name for agreement in problem.agreements)
