"""Each truth, event and published forecast beside what the case forecasts: one record each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fabless.backtest.compared import published_draws, rival, trend_draws, trend_for
from fabless.backtest.forecasts import Forecaster
from fabless.backtest.matched import Match
from fabless.backtest.periods import Period
from fabless.backtest.quantities import Quantity
from fabless.backtest.results import (
    P10,
    P50,
    P90,
    PROBABILITIES,
    Fan,
    ForecastDate,
    ScoredEvent,
    ScoredPublished,
    ScoredTruth,
)
from fabless.backtest.score import (
    brier,
    chance_inside,
    crps,
    error_of_median,
    in_logs,
    log_score,
    pinball,
    pit,
    truth_law,
)
from fabless.backtest.truths import PublishedForecast, Trend, Truth
from fabless.errors import BadValue, Fault
from fabless.records import Array, Range
from fabless.units import from_si


def scored_truth(
    match: Match, forecaster: Forecaster, trends: Sequence[Trend], names: Mapping[str, Quantity]
) -> ScoredTruth:
    """A truth beside the forecast of its quantity and period, and beside trend and no change."""
    truth, quantity, unit = match.truth, match.quantity, match.unit
    drawn = forecaster.samples(quantity, truth.period)
    if not drawn.values.size:
        raise BadValue(Fault(f"{truth.place} quantity", f"{quantity.name} comes to be on no path",
                             "a forecast that some paths reach", "leave the truth out"))
    law = _law(truth, quantity)
    samples = in_logs(drawn.values, quantity.least)
    trend = trend_for(quantity, trends, names)

    def other(name: str, grows: bool) -> Array | None:
        return None if trend is None else trend_draws(
            trend, quantity, truth.period, forecaster.case.as_of, grows=grows)

    rivals = {name: None if draws is None else rival(name, draws, quantity, law, unit)
              for name, grows in (("log trend", True), ("no change", False))
              for draws in (other(name, grows),)}
    inside = [chance_inside(samples, law, level) for level in (0.5, 0.8, 0.95)]
    return ScoredTruth(
        quantity=quantity.name, title=quantity.title, group=quantity.group,
        date=truth.period.text, unit=unit, value=from_si(truth.value, unit),
        low=from_si(truth.low, unit), high=from_si(truth.high, unit),
        source=truth.source, known=truth.known, quantiles=_quantiles(drawn.values, unit),
        samples=int(drawn.values.size), reached=drawn.reached, inside_50=inside[0],
        inside_80=inside[1], inside_95=inside[2], pit=pit(samples, law), crps=crps(samples, law),
        pinball=pinball(samples, law), error=error_of_median(samples, law),
        trend=rivals["log trend"], no_change=rivals["no change"])


def _law(truth: Truth, quantity: Quantity) -> Range:
    return truth_law(truth.low, truth.value, truth.high, quantity.least)


def scored_event(match: Match, forecaster: Forecaster) -> ScoredEvent:
    """Chance of an event: the share of paths, kept half a path away from none and all."""
    truth, quantity = match.truth, match.quantity
    drawn = forecaster.samples(quantity, truth.period)
    margin = 0.5 / max(drawn.values.size, 1)
    chance = float(np.clip(drawn.values.mean() if drawn.values.size else 0.0, margin, 1.0 - margin))
    happened = truth.value == 1.0
    return ScoredEvent(
        quantity=quantity.name, title=quantity.title, group=quantity.group, date=truth.period.text,
        happened=happened, chance=chance, brier=brier(chance, happened),
        log_score=log_score(chance, happened), source=truth.source, known=truth.known)


def scored_published(
    items: Sequence[tuple[PublishedForecast, Quantity]], rows: Sequence[ScoredTruth],
    matches: Sequence[Match], forecaster: Forecaster,
) -> tuple[tuple[ScoredPublished, ...], tuple[str, ...]]:
    """PublishedForecast forecasts of what has come to be, scored; and the others."""
    numeric = [match for match in matches if match.quantity.how != "chance"]
    scored, not_due = [], []
    for item, quantity in items:
        pairs = [(match.truth, row) for match, row in zip(numeric, rows, strict=True)
                 if match.quantity == quantity and _same_time(match.truth, item, quantity)]
        if not pairs:
            not_due.append(f"{item.who}: {quantity.title}, {item.period.text}")
            continue
        scored.append(_beside_truth(item, quantity, *pairs[0]))
    return tuple(scored), tuple(not_due)


def _same_time(truth: Truth, item: PublishedForecast, quantity: Quantity) -> bool:
    """Whether both speak of one time; of a state only the end counts, of a wait or a gain none."""
    if quantity.how in ("wait", "once"):
        return True
    same_end = truth.period.last == item.period.last
    return same_end and (quantity.how == "end" or truth.period.first == item.period.first)


def _beside_truth(
    item: PublishedForecast, quantity: Quantity, truth: Truth, row: ScoredTruth
) -> ScoredPublished:
    law, unit = _law(truth, quantity), row.unit
    samples = in_logs(published_draws(item), quantity.least)
    return ScoredPublished(
        who=item.who, quantity=quantity.name, title=quantity.title, date=truth.period.text,
        unit=unit, low=from_si(item.low, unit), value=from_si(item.value, unit),
        high=from_si(item.high, unit), published=item.published, source=item.source,
        truth=row.value, p10=row.quantiles[P10], p50=row.quantiles[P50], p90=row.quantiles[P90],
        error=error_of_median(samples, law), own_error=row.error, crps=crps(samples, law),
        own_crps=row.crps, pinball=pinball(samples, law), own_pinball=row.pinball)


def _quantiles(values: Array, unit: str) -> tuple[float, ...]:
    """Quantiles at `PROBABILITIES`; NaN of nothing."""
    if not values.size:
        return (math.nan,) * len(PROBABILITIES)
    return tuple(from_si(float(value), unit) for value in np.quantile(values, PROBABILITIES))


def fans_of(matches: Sequence[Match], forecaster: Forecaster) -> Iterator[Fan]:
    """Forecasts by quarter of every quantity that has a truth, in the unit of its first."""
    units = {match.quantity.name: match.unit for match in reversed(matches)}
    case = forecaster.case
    quarters = tuple(str(case.first_quarter + k) for k in range(case.quarters))
    levels = [forecaster.money(Period.parse(quarter)) for quarter in quarters]
    for quantity in dict.fromkeys(match.quantity for match in matches):
        values = forecaster.by_quarter(quantity)
        if values is None:
            continue
        unit = units[quantity.name]
        if quantity.in_money:
            values = values * levels
        columns = ([(float(column.mean()),) for column in values.T] if quantity.how == "chance"
                   else [_quantiles(column[~np.isnan(column)], unit) for column in values.T])
        yield Fan(quantity=quantity.name, title=quantity.title, group=quantity.group, unit=unit,
                  how=quantity.how, quarters=quarters, quantiles=tuple(columns))


def calendar_of(names: Mapping[str, Quantity], forecaster: Forecaster) -> Iterator[ForecastDate]:
    """Every date that a case forecasts and that some paths reach."""
    for quantity in names.values():
        if quantity.how != "wait":
            continue
        values, _ = forecaster.series(quantity)
        reached = values[~np.isnan(values)]
        if reached.size:
            yield ForecastDate(
                quantity=quantity.name, title=quantity.title, group=quantity.group,
                quantiles=_quantiles(reached, "month"), reached=reached.size / values.size)
