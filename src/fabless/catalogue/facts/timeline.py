"""A quantity at a day, read off facts that each speak of a period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabless.errors import BadValue, Fault
from fabless.records import Fact, Range


@dataclass(frozen=True)
class Dated:
    """A range at a day, and how it was read."""

    spread: Range
    facts: tuple[Fact, ...]
    """One fact, or the two between which the day lies."""
    held: bool
    """Whether the day lies outside the periods of the facts, so that the nearest one is held."""


def middle_of(period: str) -> dt.date:
    """Middle day of a period such as 2024, 2024H1, 2024Q3, 2024-06 or 2024-06-30.

    >>> str(middle_of("2024")), str(middle_of("2024Q3")), str(middle_of("2024-06-30"))
    ('2024-07-01', '2024-08-15', '2024-06-30')
    """
    year, rest = int(period[:4]), period[4:]
    if not rest:
        return dt.date(year, 7, 1)
    if rest[0] == "H":
        return dt.date(year, 4 if rest == "H1" else 10, 1)
    if rest[0] == "Q":
        return dt.date(year, 3 * int(rest[1]) - 1, 15)
    parts = [int(part) for part in rest[1:].split("-")]
    return dt.date(year, parts[0], parts[1] if len(parts) > 1 else 15)


def _spread(fact: Fact) -> Range:
    if not isinstance(fact.value, float):
        raise BadValue(
            Fault(
                fact.place, f"{fact.entity} {fact.field} is {fact.unit}", "a number",
                "ask for its fact",
            )
        )
    return Range(
        fact.value if fact.low is None else fact.low, fact.value,
        fact.value if fact.high is None else fact.high,
    )


def range_at(series: Sequence[Fact], day: dt.date) -> Dated:
    """Interpolate a field between the middles of its periods, on the logarithm; hold it flat
    outside them.

    `series` holds one fact a period, as `Catalogue.series` gives it. A fact without period holds
    for any day.
    """
    dated = sorted((middle_of(fact.period), fact) for fact in series if fact.period)
    if not dated:
        return Dated(_spread(series[-1]), (series[-1],), False)
    before = [item for item in dated if item[0] <= day]
    after = [item for item in dated if item[0] > day]
    if not before or not after:
        fact = (after[0] if after else before[-1])[1]
        return Dated(_spread(fact), (fact,), abs((middle_of(fact.period) - day).days) > 183)
    (left, earlier), (right, later) = before[-1], after[0]
    share = (day - left).days / (right - left).days
    a, b = _spread(earlier), _spread(later)

    def between(low: float, high: float) -> float:
        return (
            math.exp((1 - share) * math.log(low) + share * math.log(high))
            if low > 0 and high > 0
            else low
        )

    return Dated(
        Range(between(a.low, b.low), between(a.mode, b.mode), between(a.high, b.high)),
        (earlier, later), False,
    )
