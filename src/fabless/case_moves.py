"""What it means to move an input of a case: its whole range moves, so that moving it by nothing
changes nothing.

Every door (table of answers, link, web, saved case) moves numbers by these functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from fabless.case_records import Case, CaseNumber, named
from fabless.errors import BadValue, Fault, UnknownName, suggestion
from fabless.records import Range
from fabless.units import UNITS, from_si, to_si
from fabless.wording import with_unit

FIXED = (
    ("correlations.", "", "correlations hold together and cannot be moved one by one"),
    ("programmes.", ".unit_cost", "the program works it out of the chip's design"),
    ("programmes.", ".design_shares.", "shares of design mean something only together"),
)
"""Beginning of a name, what it holds, and why such a number cannot be moved by itself."""
SAME = 1e-9
"""Share of a value within which another one is it, as written in a link or a file."""


def moved(number: CaseNumber, value: float) -> Range:
    """The range of a number moved to a value of its mode.

    Parameters: `value`, the new mode [SI]. A range above zero is multiplied: ``low, mode, high`` by
    ``value / mode``; any other is shifted by ``value - mode``. Both are then kept within what such
    a number can be (`CaseNumber.bounds`). At the present mode it is the range as it was, and it
    changes continuously with `value`.
    """
    spread, (least, most) = number.spread, number.bounds
    if value == spread.mode:
        return spread
    if spread.low > 0.0:
        factor = value / spread.mode
        low, high = spread.low * factor, spread.high * factor
    else:
        low, high = spread.low + (value - spread.mode), spread.high + (value - spread.mode)
    low, high = max(low, min(least, value)), min(high, max(most, value))
    # a factor of rounding must not push an end past the mode
    return replace(spread, low=min(low, value), mode=value, high=max(high, value))


def unit_of(number: CaseNumber) -> str:
    """Unit in which a number is written for people and read from them."""
    return number.unit if number.unit in UNITS else "1"


def shown_range(number: CaseNumber) -> tuple[float, float, float]:
    """Low, mode and high of a number in its `unit_of`."""
    unit = unit_of(number)
    spread = number.spread
    return from_si(spread.low, unit), from_si(spread.mode, unit), from_si(spread.high, unit)


def why_fixed(name: str) -> str:
    """Why a number cannot be moved by itself; empty where it can.

    >>> why_fixed("demand.growth"), why_fixed("programmes.own.unit_cost")
    ('', "the program works it out of the chip's design")
    """
    return next((why for start, part, why in FIXED if name.startswith(start) and part in name), "")


def movable(case: Case) -> dict[str, CaseNumber]:
    """Numbers of a case that can be moved by themselves and have a range to be moved over."""
    return {name: number for name, number in named(case.numbers).items()
            if not why_fixed(name) and number.spread.low < number.spread.high}


def moved_ranges(case: Case, changes: Mapping[str, float]) -> dict[str, Range]:
    """Ranges of the numbers that are moved.

    Parameters: `changes`, new value of each number by its dotted name, in its `unit_of`. A number
    moved to where it stands is left out. Allowed are the values from the low to the high end of
    each range. Raises `UnknownName` for names that are none and `BadValue` for values that are not
    allowed or numbers that cannot be moved, with all faults at once.
    """
    known = named(case.numbers)
    strange = [_unknown(name, known) for name in changes
               if name not in known and not why_fixed(name)]
    wrong = [fault for name, value in changes.items()
             if name in known or why_fixed(name)
             for fault in _faults(name, known.get(name), value)]
    if strange:
        raise UnknownName(*strange, *wrong)
    if wrong:
        raise BadValue(*wrong)
    return {name: moved(known[name], value_si) for name, value in changes.items()
            if (value_si := _in_range(known[name], value)) != known[name].spread.mode}


def _in_range(number: CaseNumber, value: float) -> float:
    """A value in SI: that of an end or of the mode where it is written as one of them."""
    spread = number.spread
    value_si = to_si(value, unit_of(number))
    near = [point for point in (spread.mode, spread.low, spread.high)
            if math.isclose(value_si, point, rel_tol=SAME, abs_tol=0.0)]
    return near[0] if near else value_si


def _unknown(name: str, known: Mapping[str, CaseNumber]) -> Fault:
    return Fault(
        name, "no input of this case", f"one of {len(known)} names, for example demand.growth",
        suggestion(name, known, "take a name from the inputs of the case"))


def _faults(name: str, number: CaseNumber | None, value: float) -> list[Fault]:
    """What is wrong with moving one number to a value in its unit."""
    if why := why_fixed(name):
        return [Fault(name, "cannot be moved", f"any other input: {why}",
                      "leave it as it is, or write a case of your own")]
    assert number is not None
    low, mode, high = shown_range(number)
    unit = unit_of(number)
    if low == high:
        allowed = f"{with_unit(mode, unit)} alone: the case states no range for it"
    else:
        allowed = f"{with_unit(low, unit)} to {with_unit(high, unit)}"
    spread = number.spread
    if math.isfinite(value) and spread.low <= _in_range(number, value) <= spread.high:
        return []
    written = with_unit(value, unit) if math.isfinite(value) else f"{value}"
    return [Fault(name, written, allowed,
                  "take a value within, or write a case of your own with another range")]
