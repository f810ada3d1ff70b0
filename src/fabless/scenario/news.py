"""How the news of each uncertain number comes through time, and how much of it has come by a quarter.

An uncertain number has a normal score z with its median at 0. Its kind says when z is learnt:

- ``today``: unknown today but measured from the first news on; it stays.
- ``gradual``: a belief s, a martingale whose variance by quarter q is the known share k(q).
- ``moves``: a rate that wanders; it is seen every quarter and forgets its past.
- ``generation``: an event for each coming generation of a line, seen at its own branching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fabless.case_records import Case, named
from fabless.records import Array
from fabless.units import QUARTER_S, YEAR_S

Kind = Literal["today", "gradual", "moves", "generation"]
_TODAY = ("existing.", "contracts.", "unit_costs.", "finance.", "correlations.")
"""Sections whose numbers can be measured, or are on the table, on the first day."""
_TODAY_NUMBERS = ("demand.queries", "demand.work_level", "demand.load_factor", "supply.scarce_at_start")
_MOVES = ("demand.growth", "demand.work_trend")
_OF_A_LOAD: Mapping[str, Kind] = {
    "growth": "moves", "growth_long_run": "gradual", "growth_fade": "gradual",
    "share_later": "gradual", "share_time": "gradual",
}
"""Numbers of a load that nobody can measure on the first day."""


@dataclass(frozen=True)
class Schedule:
    """When news comes, and into how many branches each node splits there."""

    quarters: tuple[int, ...]
    """First quarter of each stage after the first."""
    branching: tuple[int, ...]
    generations: tuple[int, ...]
    """Stage, counted from 1, that tells of the first, second, ... coming generation; the last holds
    for all after it."""
    apart: bool = False
    """Whether the branches share nothing, not even what comes before the first news."""

    def stage_of(self, generation: int) -> int:
        """Stage at which a coming generation brings its news."""
        return self.generations[min(generation, len(self.generations)) - 1]


def tree_schedule(case: Case) -> Schedule:
    """News at the branchings of the case."""
    return Schedule(case.boundaries, case.branching, tuple(range(1, len(case.boundaries) + 1)))


def path_schedule(case: Case, count: int) -> Schedule:
    """News in every quarter of `count` separate paths; a coming generation's at its boundary, the
    first with the first news."""
    quarters = tuple(range(1, case.quarters))
    return Schedule(quarters, (count, *(1 for _ in quarters[1:])), (1, *case.boundaries[1:]), apart=True)


def by_generation(case: Case) -> dict[str, int]:
    """Numbers drawn anew for each coming generation of a line, with the number of generations."""
    generations: dict[str, int] = {}
    for line in case.lines:
        terms = case.numbers.lines[line.name]
        for number in (terms.successor_slip, terms.successor_gain_spread):
            if line.successors and number is not None:
                generations[number.name] = max(line.successors, generations.get(number.name, 0))
    return generations


def kinds_of(case: Case) -> dict[str, Kind]:
    """Kind of news of every number of a case: as stated, else by what the number is."""
    generations = by_generation(case)
    return {
        name: "generation" if name in generations else number.news or _usual(name)
        for name, number in named(case.numbers).items()
    }


def _usual(name: str) -> Kind:
    section, _, rest = name.partition(".")
    if section == "loads":
        return _OF_A_LOAD.get(rest.rpartition(".")[2], "today")
    if name in _MOVES:
        return "moves"
    return "today" if name.startswith(_TODAY) or name in _TODAY_NUMBERS else "gradual"


def known_share(quarter: ArrayLike, learning_s: float) -> Array:
    """Share k of the variance of a score that is known by a quarter: ``q / (q + tau)``; broadcasts.

    With a learning time tau of 0 everything is known with the first news, with one of infinity
    nothing ever is.

    >>> known_share([0, 6, 18], 6 * QUARTER_S).tolist(), float(known_share(1, 0.0)), float(known_share(9, np.inf))
    ([0.0, 0.5, 0.75], 1.0, 0.0)
    """
    passed = np.asarray(quarter, dtype=float)
    return np.asarray(np.where(passed > 0, passed, 0.0) / np.maximum(passed + learning_s / QUARTER_S, 1.0))


def kept_share(quarters: ArrayLike, persistence: float) -> Array:
    """Correlation of a rate that moves with itself some quarters later, from that of a year.

    >>> float(kept_share(8, 0.5))
    0.25
    """
    return np.asarray(persistence ** (np.asarray(quarters, dtype=float) * QUARTER_S / YEAR_S))
