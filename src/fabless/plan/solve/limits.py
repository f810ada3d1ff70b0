"""The limits of a programme: what may give, by how much it limits, whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabless.plan.lp.assemble import Program
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index
from fabless.records import Array


@dataclass(frozen=True, kw_only=True, eq=False)
class LimitFamily:
    """One family of limits."""

    family: str
    """cap | floor | level cap | the name of an elastic constraint family"""
    side: Literal["row", "upper", "lower"]
    """Upper end of a row, or a bound of a column."""
    place: Index
    """Row or column."""
    size: Array
    """What it allows or, as a floor, demands [chip, W, USD or unit of an agreement]."""
    member: Index
    """Which of `members` each limit belongs to."""
    members: tuple[str, ...]
    node: Index
    """Node-quarter of each limit."""


def limit_families(problem: PlanProblem, program: Program) -> Iterator[LimitFamily]:
    """Every family of limits that may give: caps and floors of orders, caps of levels, elastic
    constraints."""
    deals = tuple(agreement.name for agreement in problem.agreements)
    yield bounds_of(program, "floor", "orders", problem.offers)
    yield bounds_of(program, "cap", "orders", problem.offers)
    yield bounds_of(program, "level cap", "level", deals)
    yield from rows_of(program)


def rows_of(program: Program) -> Iterator[LimitFamily]:
    """The elastic constraint families."""
    start = 0
    for name, part in program.rows.items():
        place = start + np.arange(part.upper.size)
        start += part.upper.size
        if part.elastic:
            yield LimitFamily(
                family=name, side="row", place=place, size=part.upper, member=part.member,
                members=part.members, node=part.node,
            )


def bounds_of(program: Program, family: str, columns: str, members: tuple[str, ...]) -> LimitFamily:
    """Finite bounds above zero of a variable family: the lower ones of a floor, else the upper
    ones."""
    bound = program.lower if family == "floor" else program.upper
    index = program.columns[columns].index
    member, node = np.nonzero(index >= 0)
    place = index[index >= 0]
    limited = np.isfinite(bound[place]) & (bound[place] > 0)
    return LimitFamily(family=family, side="lower" if family == "floor"
                  else "upper", place=place[limited],
                  size=bound[place][limited], member=member[limited], members=members,
                  node=node[limited])
