"""What the limits cost when a plan exists, and which must give when none does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index
from fabless.plan.result import Binding, Shortfall, Status
from fabless.plan.solve.highs import Solution, run
from fabless.records import Array

ELASTIC = ("floor", "allocation", "power", "cash", "draw limit")
"""Families without which a plan always exists: unserved load and untaken draws have a price."""
_PRICED = {"allocation": -1.0, "power": -1.0, "cash": -1.0, "draw limit": -1.0, "take or pay": 1.0, "exclusive": -1.0,
           "retirement": 1.0, "readiness": -1.0, "moves": -1.0, "deliveries": -1.0}
"""Constraint families that are limits, and the sign of the dual of one that costs money."""


@dataclass(frozen=True, eq=False)
class Limits:
    """One family of limits: place in the programme, size, what each belongs to."""

    place: Index
    """Row, or column where the limit is a bound."""
    size: Array
    member: Index
    members: tuple[str, ...]
    node: Index


def row_limits(program: Program, family: str) -> Limits:
    """Limits of a constraint family: the finite bound of its rows."""
    start = 0
    for name, part in program.rows.items():
        if name == family:
            break
        start += part.lower.size
    size = np.where(np.isfinite(part.upper), part.upper, part.lower)
    return Limits(start + np.arange(part.lower.size), size, part.member, part.members, part.node)


def column_limits(program: Program, family: str, members: tuple[str, ...], bound: Array) -> Limits:
    """Finite limits above zero that are bounds of a variable family: caps or floors of orders, caps of levels."""
    index = program.columns[family].index
    member, node = np.nonzero(index >= 0)
    place = index[index >= 0]
    limited = np.isfinite(bound[place]) & (bound[place] > 0)
    return Limits(place[limited], bound[place][limited], member[limited], members, node[limited])


def binding(program: Program, solution: Solution, problem: PlanProblem) -> tuple[Binding, ...]:
    """Sum the shadow prices of every limit, costliest first.

    Where the limit itself is a sum of variables (units signed, chips within their term), its size is that of the plan.
    """
    agreements = tuple(agreement.name for agreement in problem.agreements)
    # whole orders are held when prices are taken: they have one too where no bound holds them
    most = np.where(solution.value >= program.upper, -solution.column_dual, 0.0)
    least = np.where(solution.value <= program.lower, solution.column_dual, 0.0)
    size = problem.tree.size
    found = _priced("cap", column_limits(program, "orders", problem.offers, program.upper), most, size)
    found += _priced("floor", column_limits(program, "orders", problem.offers, program.lower), least, size)
    found += _priced("level cap", column_limits(program, "level", agreements, program.upper), most, size)
    granted = _granted(program, solution.value)
    for family, sign in _PRICED.items():
        limits = row_limits(program, family)
        limits = replace(limits, size=np.abs(limits.size) + granted[limits.place])
        found += _priced(family, limits, sign * solution.row_dual, size)
    return tuple(sorted(found, key=lambda item: (-item.percent_usd, -item.price_usd)))


def _granted(program: Program, value: Array) -> Array:
    """What the variables on the side of the limit add to it in the plan, by row."""
    side = {"draw limit": -1.0, "take or pay": -1.0, "readiness": -1.0, "moves": -1.0, "deliveries": -1.0,
            "retirement": 1.0}
    term = program.value * value[program.column]
    sums, start = [], np.cumsum([0] + [part.lower.size for part in program.rows.values()])
    for number, part in enumerate(program.rows.values()):
        mine = (program.row >= start[number]) & (program.row < start[number + 1])
        sign = side.get(part.name, 0.0)
        counted = np.where(sign * program.value[mine] > 0, sign * term[mine], 0.0)
        sums.append(np.bincount(program.row[mine] - start[number], weights=counted, minlength=part.lower.size))
    return np.concatenate(sums)


def _priced(family: str, limits: Limits, dual: Array, node_quarters: int) -> list[Binding]:
    price = np.maximum(dual[limits.place], 0.0)
    found = []
    for m in np.unique(limits.member[price > 0.0]):
        own = (limits.member == m) & (price > 0.0)
        found.append(Binding(family, limits.members[m], float(price[own].sum()),
                             0.01 * float(price[own] @ limits.size[own]), float(own.sum()) / node_quarters))
    return found


def shortfalls(program: Program, offers: tuple[str, ...], time_limit_s: float | None) -> tuple[Shortfall, ...]:
    """Find by how much each family alone must give for a plan to exist; all together where none suffices alone."""
    alone = [found for family in ELASTIC for found in _least_give(program, offers, (family,), time_limit_s)]
    return tuple(alone or _least_give(program, offers, ELASTIC, time_limit_s))


def _least_give(
    program: Program, offers: tuple[str, ...], families: Sequence[str], time_limit_s: float | None
) -> list[Shortfall]:
    """Minimise the sum of what the limits of `families` give, each counted in its largest limit."""
    limits = {family: row_limits(program, family) for family in families if family != "floor"}
    if "floor" in families:
        limits["floor"] = column_limits(program, "orders", offers, program.lower)
    limits = {family: part for family, part in limits.items() if part.place.size}
    if not limits:
        return []
    relaxed = replace(program, cost=np.zeros(program.cost.size), offset=0.0, money=1.0,
                      integer=np.zeros_like(program.integer))
    for family, part in limits.items():
        relaxed = _loosened(relaxed, part, is_floor=family == "floor")
    solution = run(relaxed, time_limit_s, None)
    if solution.status is not Status.OPTIMAL:
        return []
    give, first = solution.value[program.cost.size :], 0
    found: list[Shortfall] = []
    for family, part in limits.items():
        own = give[first : first + part.place.size]
        first += part.place.size
        found += list(_given(family, part, np.where(own > 1e-7 * _scale(part), own, 0.0), len(families) == 1))
    return found


def _given(family: str, part: Limits, give: Array, alone: bool) -> Iterable[Shortfall]:
    for m in np.unique(part.member[give > 0.0]):
        own = np.where(part.member == m, give, 0.0)
        yield Shortfall(family, part.members[m], float(own.sum()), int(part.node[np.argmax(own)]), alone)


def _scale(part: Limits) -> float:
    """Largest limit; 1 where all are 0 (a draw limit counts in units signed)."""
    return float(np.max(part.size)) or 1.0


def _loosened(program: Program, part: Limits, *, is_floor: bool) -> Program:
    """Add a column of give to each limit: rows give below, floors become rows that give above."""
    count, first_row, first_column = part.place.size, program.row_lower.size, program.cost.size
    number, one = np.arange(count), np.ones(count)
    row, column, value = [part.place], [first_column + number], [-one]
    lower, row_lower, row_upper = program.lower.copy(), program.row_lower, program.row_upper
    if is_floor:
        lower[part.place] = 0.0
        row, column = [first_row + number, first_row + number], [part.place, first_column + number]
        value = [one, one]
        row_lower, row_upper = np.concatenate([row_lower, part.size]), np.concatenate([row_upper, one * np.inf])
    return replace(
        program,
        row=np.concatenate([program.row, *row]),
        column=np.concatenate([program.column, *column]),
        value=np.concatenate([program.value, *value]),
        cost=np.concatenate([program.cost, one / _scale(part)]),
        lower=np.concatenate([lower, 0.0 * one]),
        upper=np.concatenate([program.upper, np.inf * one]),
        row_lower=row_lower,
        row_upper=row_upper,
        unit=np.concatenate([program.unit, one * power_of_two(_scale(part))]),
        integer=np.concatenate([program.integer, np.zeros(count, dtype=bool)]),
    )
