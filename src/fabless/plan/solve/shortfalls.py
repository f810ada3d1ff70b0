"""Which limits must give when no plan exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.result import Shortfall, Status
from fabless.plan.solve.highs import run_solver
from fabless.plan.solve.limits import LimitFamily, bounds_of, rows_of
from fabless.records import Array


def shortfalls(program: Program, offers: tuple[str, ...]) -> tuple[Shortfall, ...]:
    """Find by how much each family alone must give for a plan to exist; all together where none
    suffices alone.

    Floors and elastic constraints: without them a plan always exists, since unserved load and
    untaken draws have a price.
    """
    families = [bounds_of(program, "floor", "orders", offers), *rows_of(program)]
    families = [limits for limits in families if limits.place.size]
    alone = [shortfall for limits in families for shortfall in _least_give(program, (limits,))]
    return tuple(alone or _least_give(program, families))


def _least_give(program: Program, families: Sequence[LimitFamily]) -> list[Shortfall]:
    """Minimise the sum of what the limits of `families` give, each counted in its largest limit."""
    if not families:
        return []
    relaxed = replace(program, cost=np.zeros(program.cost.size), offset=0.0, money=1.0)
    for limits in families:
        relaxed = _loosened(relaxed, limits)
    solution = run_solver(relaxed)
    if solution.status is not Status.OPTIMAL:
        return []
    give, first = solution.value[program.cost.size :], 0
    listed: list[Shortfall] = []
    for limits in families:
        given = give[first : first + limits.place.size]
        first += limits.place.size
        listed += list(_given(limits, np.where(given > 1e-7 * _scale(limits), given, 0.0),
                              len(families) == 1))
    return listed


def _given(limits: LimitFamily, give: Array, alone: bool) -> Iterable[Shortfall]:
    for m in np.unique(limits.member[give > 0.0]):
        given = np.where(limits.member == m, give, 0.0)
        yield Shortfall(limits.family, limits.members[m], float(given.sum()),
                        int(limits.node[np.argmax(given)]), alone)


def _scale(limits: LimitFamily) -> float:
    """Largest limit; 1 where all are 0 (a draw limit counts in units signed)."""
    return float(np.max(limits.size)) or 1.0


def _loosened(program: Program, limits: LimitFamily) -> Program:
    """Add a column of give to each limit: rows give below, floors become rows that give above."""
    count, first_row, first_column = limits.place.size, program.row_lower.size, program.cost.size
    number, ones = np.arange(count), np.ones(count)
    row, column, value = [limits.place], [first_column + number], [-ones]
    lower, row_lower, row_upper = program.lower.copy(), program.row_lower, program.row_upper
    if limits.side == "lower":
        lower[limits.place] = 0.0
        row, value = [first_row + number, first_row + number], [ones, ones]
        column = [limits.place, first_column + number]
        row_lower = np.concatenate([row_lower, limits.size])
        row_upper = np.concatenate([row_upper, ones * np.inf])
    return replace(
        program,
        row=np.concatenate([program.row, *row]),
        column=np.concatenate([program.column, *column]),
        value=np.concatenate([program.value, *value]),
        cost=np.concatenate([program.cost, ones / _scale(limits)]),
        lower=np.concatenate([lower, 0.0 * ones]),
        upper=np.concatenate([program.upper, np.inf * ones]),
        row_lower=row_lower,
        row_upper=row_upper,
        unit=np.concatenate([program.unit, ones * power_of_two(_scale(limits))]),
    )
