"""What the limits cost when a plan exists, and which must give when none does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.plan.columns import power_of_two
from fabless.plan.highs import Solution, run
from fabless.plan.program import Program
from fabless.plan.result import Binding, Shortfall, Status
from fabless.plan.service import Index
from fabless.records import Array

ELASTIC = ("floor", "allocation", "power", "cash")
"""Families without which a plan always exists: unserved load has a price."""


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
    """Limits of a constraint family."""
    start = 0
    for name, part in program.rows.items():
        if name == family:
            break
        start += part.lower.size
    return Limits(start + np.arange(part.lower.size), part.upper, part.member, part.members, part.node)


def order_limits(program: Program, offers: tuple[str, ...], bound: Array) -> Limits:
    """Finite limits above zero that are bounds of the orders: their caps or their floors."""
    index = program.columns["orders"].index
    offer, node = np.nonzero(index >= 0)
    size = bound[: offer.size]
    limited = np.isfinite(size) & (size > 0)
    return Limits(np.flatnonzero(limited), size[limited], offer[limited], offers, node[limited])


def binding(program: Program, solution: Solution, offers: tuple[str, ...], node_quarters: int) -> tuple[Binding, ...]:
    """Sum the shadow prices of every limit, costliest first."""
    orders = solution.column_dual
    found = _priced("cap", order_limits(program, offers, program.upper), -orders, node_quarters)
    found += _priced("floor", order_limits(program, offers, program.lower), orders, node_quarters)
    for family in ("allocation", "power", "cash"):
        found += _priced(family, row_limits(program, family), -solution.row_dual, node_quarters)
    return tuple(sorted(found, key=lambda item: -item.percent_usd))


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
        limits["floor"] = order_limits(program, offers, program.lower)
    limits = {family: part for family, part in limits.items() if part.place.size}
    if not limits:
        return []
    relaxed = replace(program, cost=np.zeros(program.cost.size), offset=0.0, money=1.0)
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
    )
