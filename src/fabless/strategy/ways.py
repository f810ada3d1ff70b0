"""Which lines a way opens and which programmes it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabless.case_records import Case, Contract, Line, Programme

PORTFOLIO = "portfolio"
TITLES: Mapping[str, str] = {
    "buy": "Buy: work more closely with the dominant vendor",
    "diversify": "Diversify: add second vendors and other clouds",
    "partner": "Partner: a backer's chip, or one designed together",
    "build": "Build: design an own chip",
    "acquire": "Acquire: buy a chip company",
    PORTFOLIO: "Portfolio: every line open, the best commitments taken",
}


@dataclass(frozen=True)
class Commitment:
    """What is entered into: lines opened and programmes started on the first day, programmes that
    may be started."""

    lines: tuple[Line, ...]
    programmes: tuple[Programme, ...]
    may_start: tuple[Programme, ...] = ()
    """Programmes that the plan may start, on the first day or later, or never."""
    contracts: tuple[Contract, ...] | None = None
    """Contracts that the plan may sign; None: every one of the case. A contract of a line that is
    not open is left out."""


def commitments(case: Case, way: str) -> tuple[Commitment, ...]:
    """The commitments among which one of the five ways chooses the best.

    A way opens the lines and contracts that name it and starts one of its programmes, if it has
    any.
    """
    contracts = tuple(item for item in case.contracts if way in item.ways)
    lines = tuple(line for line in case.lines if way in line.ways)
    programmes = [item for item in case.programmes if way in item.ways]
    choices: list[tuple[Programme, ...]] = [(item,) for item in programmes] or [()]
    return tuple(Commitment(lines, started, contracts=contracts) for started in choices)


def with_programmes(case: Case, lines: tuple[Line, ...]) -> tuple[Commitment, ...]:
    """Given lines with each programme of the case in turn."""
    return tuple(Commitment(lines, (item,)) for item in case.programmes)
