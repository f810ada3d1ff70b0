"""Truths matched with the quantities of a case: a truth without a forecast is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabless.backtest.periods import months_between
from fabless.backtest.quantities import Quantity
from fabless.backtest.truths import Truth
from fabless.case_records import Case
from fabless.errors import BadValue, Fault, UnknownName, nearest_names
from fabless.units import MONTH_S, dimension, from_si

LOOSE_MONTHS = 1.0
"""Months by which a wait may differ from the date on which it ended."""


@dataclass(frozen=True)
class Match:
    """A truth and the quantity that it tests."""

    truth: Truth
    quantity: Quantity

    @property
    def unit(self) -> str:
        """Unit in which both are shown."""
        return "%" if self.quantity.is_share else self.truth.unit


def matched(
    truths: Sequence[Truth], case: Case, names: Mapping[str, Quantity]
) -> tuple[Match, ...]:
    """The quantity of every truth.

    Raises every fault at once: `UnknownName` where the case forecasts no such quantity, else
    `BadValue`, for a unit of another dimension, a period outside the horizon, a truth that is no
    event where one is asked for, a value at or below the least that counts.
    """
    unknown = [_unknown(truth, names) for truth in truths if truth.quantity not in names]
    matches = tuple(
        Match(truth, names[truth.quantity]) for truth in truths if truth.quantity in names)
    faults = [fault for match in matches for fault in match_faults(match, case)]
    if unknown and not faults:
        raise UnknownName(*unknown)
    if unknown or faults:
        raise BadValue(*unknown, *faults)
    return matches


def _unknown(truth: Truth, names: Mapping[str, Quantity]) -> Fault:
    near = nearest_names(truth.quantity, names, 4)
    head = truth.quantity.partition(".")[0]
    near = near or [name for name in names if name.partition(".")[0] == head][:4]
    return Fault(
        f"{truth.place} quantity", f"the case has no forecast of {truth.quantity!r}",
        f"one of {len(names)} quantities, such as {', '.join(near or list(names)[:4])}",
        "name the forecast that it tests, or leave the truth out")


def match_faults(match: Match, case: Case) -> list[Fault]:
    """What is wrong with a truth beside its quantity."""
    truth, quantity, place = match.truth, match.quantity, match.truth.place
    faults = []
    if dimension(truth.unit) != dimension(quantity.unit):
        return [Fault(f"{place} unit", f"{truth.unit!r} is a unit of {dimension(truth.unit)}",
                      f"a unit of {dimension(quantity.unit)}", f"state it in {quantity.unit}")]
    if quantity.how == "chance":
        if truth.value not in (0.0, 1.0) or truth.low != truth.high:
            faults.append(Fault(
                f"{place} value", f"{truth.value:g}", "1 (it happened) or 0, without an interval",
                "say whether it happened"))
    elif truth.low <= quantity.least and not quantity.is_share:
        faults.append(Fault(
            f"{place} low", f"{from_si(truth.low, truth.unit):g} {truth.unit}",
            f"above {from_si(quantity.least, truth.unit):.3g} {truth.unit}: "
            f"{quantity.name} is scored on logarithms", "state an event, or leave the truth out"))
    elif quantity.is_share and not 0.0 <= truth.low <= truth.high <= 1.0:
        faults.append(Fault(
            f"{place} value", f"{truth.low:g} to {truth.high:g}", "a share from 0 to 1",
            "correct the number"))
    if quantity.how == "wait":
        faults.extend(_wait_faults(truth, case))
    elif quantity.origin != "programme" and quantity.how != "once":
        faults.extend(_period_faults(truth, quantity, case))
    return faults


def _period_faults(truth: Truth, quantity: Quantity, case: Case) -> list[Fault]:
    """A period must lie in the case; of a state its end, of a level half of it is enough."""
    period, last = truth.period, case.first_quarter + (case.quarters - 1)
    allowed = f"within {case.first_quarter} to {last}"
    if quantity.how == "sum" and period.is_day:
        return [Fault(
            f"{truth.place} date", period.text, "a month or longer: it adds up over time",
            "name the period that it covers")]
    begin = {"end": period.last, "mean": period.middle}.get(quantity.how, period.first)
    if begin < case.first_quarter.first_day or period.last >= (last + 1).first_day:
        return [Fault(
            f"{truth.place} date", f"{period.text} is not wholly within the case", allowed,
            "give the truth for a period that the case covers, or leave it out")]
    return []


def _wait_faults(truth: Truth, case: Case) -> list[Fault]:
    """A wait must end where its date says."""
    ends = (truth.period.first, truth.period.last)
    first, last = (months_between(case.as_of, day) for day in ends)
    low, high = truth.low / MONTH_S - LOOSE_MONTHS, truth.high / MONTH_S + LOOSE_MONTHS
    if last >= low and first <= high:
        return []
    return [Fault(
        f"{truth.place} value",
        f"{truth.low / MONTH_S:.3g} to {truth.high / MONTH_S:.3g} months, but {truth.period.text} "
        f"is {first:.3g} to {last:.3g} months after {case.as_of}",
        "months from the day of the case to the date", "correct the date or the months")]
