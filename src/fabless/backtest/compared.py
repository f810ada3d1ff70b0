"""What the case's forecasts are held against: a log trend of the day, no change, and what others
published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from fabless.backtest.periods import Period
from fabless.backtest.quantities import Quantity
from fabless.backtest.results import Rival
from fabless.backtest.score import chance_inside, crps, in_logs, pinball
from fabless.backtest.truths import PublishedForecast, Trend
from fabless.errors import BadValue, Fault, UnknownName, suggestion
from fabless.records import Array, Range
from fabless.sampling import quantile, stream, uniforms
from fabless.units import DAY_S, YEAR_S, dimension, from_si

DRAWS = 1_024
"""Draws of a trend."""


def trend_for(
    quantity: Quantity, trends: Sequence[Trend], names: Mapping[str, Quantity]
) -> Trend | None:
    """The trend of a quantity: its own, or that of the longest beginning of its name that is no
    quantity itself."""
    fitting = [item for item in trends
               if item.quantity == quantity.name
               or (item.quantity not in names and quantity.name.startswith(item.quantity + "."))]
    return max(fitting, key=lambda item: len(item.quantity), default=None)


def trend_faults(trends: Sequence[Trend], names: Mapping[str, Quantity]) -> list[Fault]:
    """What is wrong with trends beside the quantities of a case: names and units."""
    faults = []
    for item in trends:
        of = [quantity for quantity in names.values() if trend_for(quantity, [item], names)]
        if not of:
            faults.append(Fault(
                f"{item.place} quantity",
                f"{item.quantity!r} is no quantity of the case, nor the beginning of one",
                "a quantity that the case forecasts",
                suggestion(item.quantity, names, "see the documentation of backtests")))
        elif not any(_fits(item, quantity) for quantity in of):
            faults.append(Fault(
                f"{item.place} unit", f"{item.unit!r} for {item.quantity}",
                f"a unit of {dimension(of[0].unit)}", f"state it in {of[0].unit}"))
    return faults


def trend_draws(
    trend: Trend, quantity: Quantity, period: Period, as_of: dt.date, *, grows: bool
) -> Array:
    """Draws of what a trend gives in a period [SI], or of no change since the day.

    ``today x growth ^ years``, both triangular on logarithms and independent; years from the day of
    the case to the middle of the period, of a state to its end. What does not grow with time, a
    wait or a gain, is `today`. Spend without a time basis is that of a year.
    """
    points = uniforms(DRAWS, 2, stream(0, "trend"))
    years = 0.0
    if grows and quantity.how not in ("wait", "once"):
        end = period.last if quantity.how == "end" else period.middle
        years = (end - as_of).days * DAY_S / YEAR_S
    level = quantile(trend.today, points[:, 0]) * quantile(trend.growth, points[:, 1]) ** years
    return np.asarray(level * _amount(trend, quantity, period))


def rival(name: str, draws: Array, quantity: Quantity, truth: Range, unit: str) -> Rival:
    """Score draws [SI] of another forecast; the truth is a law of logarithms."""
    samples = in_logs(draws, quantity.least)
    low, middle, high = (from_si(float(end), unit) for end in np.quantile(draws, (0.1, 0.5, 0.9)))
    return Rival(name=name, p10=low, p50=middle, p90=high,
                 inside_80=chance_inside(samples, truth, 0.8), crps=crps(samples, truth),
                 pinball=pinball(samples, truth))


def published_draws(item: PublishedForecast) -> Array:
    """Draws of what somebody published [SI]: of a range triangular on logarithms, else the figure
    itself."""
    if item.low == item.high:
        return np.array([item.value])
    points = (np.arange(DRAWS) + 0.5) / DRAWS
    return quantile(Range(item.low, item.value, item.high, "log"), points)


def checked_published(item: PublishedForecast, names: Mapping[str, Quantity]) -> Quantity:
    """The quantity that a published forecast is of; raises for a name or unit that does not fit."""
    quantity = names.get(item.quantity)
    if quantity is None:
        raise UnknownName(Fault(
            f"{item.place} quantity", f"the case does not forecast {item.quantity!r}",
            f"one of {len(names)} quantities",
            suggestion(item.quantity, names, "leave the row out")))
    if dimension(item.unit) != dimension(quantity.unit):
        raise BadValue(Fault(
            f"{item.place} unit", f"{item.unit!r} is a unit of {dimension(item.unit)}",
            f"a unit of {dimension(quantity.unit)}", f"state it in {quantity.unit}"))
    if item.low <= 0.0:
        raise BadValue(Fault(
            f"{item.place} value", f"{item.low:g}", "above 0: errors are of logarithms",
            "leave the row out"))
    return quantity


def _adds_up(quantity: Quantity) -> bool:
    """Whether a quantity of a longer period is larger."""
    return quantity.how == "sum" and quantity.unit == "USD"


def _fits(trend: Trend, quantity: Quantity) -> bool:
    kind, wanted = dimension(trend.unit), dimension(quantity.unit)
    return kind == wanted or (_adds_up(quantity) and kind == f"{wanted} rate")


def _amount(trend: Trend, quantity: Quantity, period: Period) -> float:
    """By what the level of a trend is multiplied for a period."""
    if not _adds_up(quantity):
        return 1.0
    return period.years * (YEAR_S if dimension(trend.unit).endswith("rate") else 1.0)
