"""Fans: what a past case forecast by quarter, with what came.

`fan_chart` gives a Vega-Lite specification as plain data, at a stated total width [px].
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fabless.backtest.periods import Period
from fabless.backtest.results import P10, P50, P90, Fan, ScoredEvent, ScoredTruth
from fabless.report.canvas import (
    ACCENT,
    GRID,
    LABEL_GAP,
    MUTED,
    SURFACE,
    WARN,
    Json,
    Spec,
    chart,
    spread,
    values,
    year_axis,
)
from fabless.report.fan_axis import Axis, drawn_value, short
from fabless.units import DAY_S, YEAR_S, Quarter, from_si, to_si
from fabless.wording import in_percent

MOST_FANS = 12
MAIN = ("queries_per_day", "fleet_h100e", "training_flop", "compute_spend", "cost_per_query",
        "revenue")
"""Quantities that a reader asks for first."""
_PER_GROUP = 3
_HEIGHT = 132
_LABELS = 46
"""Room for a label at the right of a panel [px]."""
_TICKS = 46
"""Room for the values of the axis at its left [px]."""
_DEPTH = 30.0
"""How far below the least median and the least that came an axis reaches, as a factor."""
_EARLY = 0.1
"""Part of the time of a panel within which a value stands beside its axis."""
_BANDS = ((0, 6, 0.14), (1, 5, 0.22), (2, 4, 0.34))
"""Places in `PROBABILITIES` of the ends of each band, and how dark it is."""
_UNITS = {"USD/h": "USD an hour", "cent/query": "cents", "USD/query": "cents", "chip": "",
          "query/day": "", "week": "weeks", "month": "months", "%": "", "1": "",
          "wafer/month": "wafers a month"}


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came in a period, as a panel draws it."""

    first: dt.date
    last: dt.date
    at: dt.date
    low: float
    value: float
    high: float
    trend: float | None
    """Median of the log trend of the day."""


def main_fans(
    fans: Sequence[Fan], truths: Sequence[ScoredTruth], events: Sequence[ScoredEvent] = ()
) -> list[Fan]:
    """The fans worth a picture: of each group three, those that are asked for first and then those
    of which most is known, and at most twelve in all; in the order of the groups."""
    known = [*(row.quantity for row in truths), *(row.quantity for row in events)]
    fans = [fan for fan in fans if any(all(map(math.isfinite, column)) for column in fan.quantiles)]
    groups = list(dict.fromkeys(fan.group for fan in fans))

    def rank(fan: Fan) -> tuple[bool, int]:
        return fan.quantity not in MAIN, -known.count(fan.quantity)

    chosen: list[Fan] = []
    for group in groups:
        chosen += sorted((fan for fan in fans if fan.group == group), key=rank)[:_PER_GROUP]
    chosen = sorted(chosen, key=rank)[:MOST_FANS]
    return sorted(chosen, key=lambda fan: (groups.index(fan.group), fans.index(fan)))


def fan_chart(
    fans: Sequence[Fan], truths: Sequence[ScoredTruth], events: Sequence[ScoredEvent], width: int
) -> Spec:
    """Draw each fan in a panel of its own, all over the same time: bands that claim 50, 80 and
    95 %, the median, what came with its own interval, and the log trend of the day."""
    columns = 2
    inner = width // columns - _TICKS - _LABELS
    known = {fan.quantity: _came(fan, truths, events) for fan in fans}
    end = _last_day(fans, [item for items in known.values() for item in items])
    panels: list[Json] = [_panel(fan, known[fan.quantity], end, inner) for fan in fans]
    rows: list[Json] = [{"hconcat": panels[k:k + columns], "spacing": _TICKS + _LABELS,
                         "bounds": "flush"}
                        for k in range(0, len(panels), columns)]
    trend = any(item.trend is not None for items in known.values() for item in items)
    return chart({"vconcat": [_legend(trend, width), *rows], "spacing": 22,
                  "padding": {"left": 8, "right": 2, "top": 2, "bottom": 2}})


def _came(
    fan: Fan, truths: Sequence[ScoredTruth], events: Sequence[ScoredEvent]
) -> list[Came]:
    """What came of the quantity of a fan, by time, in the unit that is drawn."""
    if fan.how == "chance":
        return sorted((_event(row) for row in events if row.quantity == fan.quantity),
                      key=lambda item: item.at)
    return sorted(_truths(fan, truths), key=lambda item: item.at)


def _event(row: ScoredEvent) -> Came:
    period, value = Period.parse(row.date), float(row.happened)
    return Came(first=period.first, last=period.last, at=_middle(period), low=value, value=value,
                high=value, trend=None)


def _truths(fan: Fan, truths: Sequence[ScoredTruth]) -> Iterator[Came]:
    for row in truths:
        if row.quantity != fan.quantity:
            continue
        period = Period.parse(row.date)
        # what adds up over a period is spread evenly over its quarters, which the fan shows
        parts = 4.0 * period.years if _adds_up(fan) else 1.0

        def drawn(value: float, unit: str = row.unit, parts: float = parts) -> float:
            same = value if unit == fan.unit else from_si(to_si(value, unit), fan.unit)
            return drawn_value(same, fan.unit) / parts

        yield Came(
            first=period.first, last=period.last,
            at=period.last if fan.how == "end" else _middle(period), low=drawn(row.low),
            value=drawn(row.value), high=drawn(row.high),
            trend=None if row.trend is None else drawn(row.trend.p50))


def _adds_up(fan: Fan) -> bool:
    return fan.how == "sum" and fan.unit.endswith("USD")


def _middle(period: Period) -> dt.date:
    return period.first + (period.last - period.first) / 2


def _day_of(quarter: str, how: str) -> dt.date:
    """The day at which a fan's value of a quarter is drawn."""
    first = Quarter.parse(quarter).first_day
    last = (Quarter.parse(quarter) + 1).first_day - dt.timedelta(1)
    return last if how == "end" else first + (last - first) / 2


def _last_day(fans: Sequence[Fan], came: Sequence[Came]) -> dt.date:
    """Where the time of all panels ends: three quarters of a year after what is known last."""
    horizon = max(_day_of(fan.quarters[-1], "end") for fan in fans)
    known = max((item.last for item in came), default=horizon)
    return min(horizon, known + dt.timedelta(0.75 * YEAR_S / DAY_S))


def _title(fan: Fan) -> str:
    unit = _UNITS.get(fan.unit, "USD" if fan.unit.endswith("USD") else fan.unit)
    a_quarter = " a quarter" if _adds_up(fan) else ""
    return f"{fan.title}{a_quarter}{', ' + unit if unit else ''}"


def _panel(fan: Fan, came: Sequence[Came], end: dt.date, inner: int) -> Spec:
    if fan.how == "chance":
        return _chance_panel(fan, came, end, inner)
    begin = Quarter.parse(fan.quarters[0]).first_day
    courses = _until(fan, end)
    ends = [value for item in came for value in (item.low, item.high)]
    middles = [*ends, *(column[P50] for _, column in courses)]
    least = min((value for value in middles if value > 0.0), default=0.0)
    ends += [value for _, column in courses for value in column if value > least / _DEPTH]
    axis = Axis.over(ends, fan.unit)
    x: Spec = {"type": "temporal", "axis": year_axis(),
               "scale": {"type": "utc", "domain": [begin.isoformat(), end.isoformat()]}}
    y = axis.encoding
    # Nothing is drawn below the axis. It is not clipped: clips of several pictures share names.
    data = values([
        {"when": when.isoformat(), **{f"q{k}": max(value, axis.low) for k, value in enumerate(column)}}
        for when, column in courses])
    layers: list[Json] = [*_ticks(axis.ticks, fan.unit, y, inner)]
    layers += [{"data": data, "mark": {"type": "area", "color": ACCENT, "opacity": dark},
                "encoding": {"x": {"field": "when"} | x, "y": {"field": f"q{first}"} | y,
                             "y2": {"field": f"q{last}"}}} for first, last, dark in _BANDS]
    layers.append({"data": data, "mark": {"type": "line", "color": ACCENT, "strokeWidth": 1.6},
                   "encoding": {"x": {"field": "when"} | x, "y": {"field": f"q{P50}"} | y}})
    layers += _came_layers([item if item.trend is None or axis.low <= item.trend <= axis.high
                            else replace(item, trend=None) for item in came], x, y)
    layers += _end_labels(_labels(courses[-1][1], fan.unit), axis, inner)
    if came:
        early = (came[-1].at - begin) / (end - begin) < _EARLY
        layers.append(_last_value(came[-1], short(came[-1].value, fan.unit), x, y, early=early))
    return {"width": inner, "height": _HEIGHT, "layer": [_heading(_title(fan), inner), *layers]}


def _heading(text: str, inner: int) -> Spec:
    """The title of a panel, all at the same height."""
    return {"data": values([{"text": text}]),
            "mark": {"type": "text", "align": "left", "fontSize": 12, "dy": -15,
                     "limit": inner + _LABELS - 6},
            "encoding": {"x": {"value": 0}, "y": {"value": 0}, "text": {"field": "text"}}}


def _ticks(ticks: Sequence[float], unit: str, y: Spec, inner: int) -> Iterator[Spec]:
    """Lines and values of an axis."""
    data = values([{"at": tick, "label": short(tick, unit)} for tick in ticks])
    yield {"data": data, "mark": {"type": "rule", "color": GRID},
           "encoding": {"x": {"value": 0}, "x2": {"value": inner}, "y": {"field": "at"} | y}}
    yield {"data": data, "mark": {"type": "text", "align": "right", "dx": -6, "color": MUTED},
           "encoding": {"x": {"value": 0}, "y": {"field": "at"} | y, "text": {"field": "label"}}}


def _came_layers(came: Sequence[Came], x: Spec, y: Spec) -> Iterator[Spec]:
    """Marks of what came: its period, its interval, its value; and the trend of the day."""
    if not came:
        return
    data = values([{
        "first": item.first.isoformat(), "last": item.last.isoformat(), "at": item.at.isoformat(),
        "low": item.low, "value": item.value, "high": item.high, "trend": item.trend}
        for item in came])
    at: Spec = {"field": "at"} | x
    yield {"data": data, "mark": {"type": "line", "color": WARN, "strokeWidth": 1,
                                  "strokeDash": [3, 2]},
           "encoding": {"x": at, "y": {"field": "value"} | y}}
    yield {"data": data, "transform": [{"filter": "isValid(datum.trend)"}],
           "mark": {"type": "point", "shape": "diamond", "size": 44, "filled": True,
                    "opacity": 1, "color": SURFACE, "stroke": MUTED, "strokeWidth": 1.2},
           "encoding": {"x": at, "y": {"field": "trend"} | y}}
    yield {"data": data, "mark": {"type": "rule", "color": WARN, "strokeWidth": 1.6},
           "encoding": {"x": at, "y": {"field": "low"} | y, "y2": {"field": "high"}}}
    yield {"data": data, "transform": [{"filter": "datum.first != datum.last"}],
           "mark": {"type": "rule", "color": WARN, "strokeWidth": 1.6},
           "encoding": {"x": {"field": "first"} | x, "x2": {"field": "last"},
                        "y": {"field": "value"} | y}}
    yield {"data": data, "mark": {"type": "circle", "size": 46, "color": WARN, "opacity": 1,
                                  "stroke": SURFACE, "strokeWidth": 1},
           "encoding": {"x": at, "y": {"field": "value"} | y}}


def _until(fan: Fan, end: dt.date) -> list[tuple[dt.date, tuple[float, ...]]]:
    """Days and drawn values of a fan up to a day, its last column interpolated there."""
    days = [_day_of(quarter, fan.how) for quarter in fan.quarters]
    columns = [tuple(drawn_value(value, fan.unit) for value in column) for column in fan.quantiles]
    known = [(day, column) for day, column in zip(days, columns, strict=True)
             if all(map(math.isfinite, column))]
    kept = [(day, column) for day, column in known if day <= end]
    if kept and len(kept) < len(known) and kept[-1][0] < end:
        (day, column), (later, ahead) = known[len(kept) - 1], known[len(kept)]
        part = (end - day) / (later - day)
        between = zip(column, ahead, strict=True)
        kept.append((end, tuple(now + part * (then - now) for now, then in between)))
    return kept or known[:1]


def _labels(column: Sequence[float], unit: str) -> list[tuple[str, str, float]]:
    """Median and ends of the 80 % band at the right end of a panel."""
    return [(short(column[place], unit), ACCENT if place == P50 else MUTED, column[place])
            for place in (P90, P50, P10)]


def _end_labels(
    labels: Sequence[tuple[str, str, float]], axis: Axis, inner: int
) -> Iterator[Spec]:
    """Values at the right end of a panel, apart from each other."""
    places = spread([_HEIGHT * (1.0 - axis.part(value)) for _, _, value in labels],
                    5.0, _HEIGHT - 5.0, LABEL_GAP)
    for (text, colour, _), place in zip(labels, places, strict=True):
        yield {"data": values([{"text": text, "place": place}]),
               "mark": {"type": "text", "align": "left", "color": colour,
                        "fontWeight": "bold" if colour == ACCENT else "normal"},
               "encoding": {"x": {"value": inner + 5}, "text": {"field": "text"},
                            "y": {"field": "place", "type": "quantitative", "scale": None,
                                  "axis": None}}}


def _last_value(item: Came, text: str, x: Spec, y: Spec, *, early: bool) -> Spec:
    """The last value that came, written above its interval; to the right of it where it stands
    `early`, so that it keeps clear of the axis."""
    place: Spec = {"align": "left", "dx": 7} if early else {"dy": -10}
    return {"data": values([{"at": item.at.isoformat(), "high": item.high, "text": text}]),
            "mark": {"type": "text", "color": WARN, "fontWeight": "bold"} | place,
            "encoding": {"x": {"field": "at"} | x, "y": {"field": "high"} | y,
                         "text": {"field": "text"}}}


def _chance_panel(fan: Fan, came: Sequence[Came], end: dt.date, inner: int) -> Spec:
    """A panel of an event: its chance by quarter, and whether it was so."""
    begin = Quarter.parse(fan.quarters[0]).first_day
    rows: list[dict[str, Json]] = [
        {"when": day.isoformat(), "chance": column[0]} for day, column in _until(fan, end)]
    x: Spec = {"type": "temporal", "axis": year_axis(),
               "scale": {"type": "utc", "domain": [begin.isoformat(), end.isoformat()]}}
    y: Spec = {"type": "quantitative", "axis": None, "scale": {"domain": [-0.06, 1.06],
                                                               "nice": False}}
    marks = values([{"at": share, "label": in_percent(share)} for share in (0.0, 0.5, 1.0)])
    return {
        "width": inner, "height": _HEIGHT,
        "layer": [
            _heading(f"Chance: {fan.title[:1].lower()}{fan.title[1:]}", inner),
            {"data": marks, "mark": {"type": "rule", "color": GRID},
             "encoding": {"x": {"value": 0}, "x2": {"value": inner}, "y": {"field": "at"} | y}},
            {"data": marks, "mark": {"type": "text", "align": "right", "dx": -6, "color": MUTED},
             "encoding": {"x": {"value": 0}, "y": {"field": "at"} | y, "text": {"field": "label"}}},
            {"data": values(rows), "mark": {"type": "line", "color": ACCENT, "strokeWidth": 1.6},
             "encoding": {"x": {"field": "when"} | x, "y": {"field": "chance"} | y}},
            {"data": values([{"at": item.at.isoformat(), "first": item.first.isoformat(),
                              "last": item.last.isoformat(),
                              "value": item.value} for item in came]),
             "layer": [
                 {"mark": {"type": "rule", "color": WARN, "strokeWidth": 1.6},
                  "encoding": {"x": {"field": "first"} | x, "x2": {"field": "last"},
                               "y": {"field": "value"} | y}},
                 {"mark": {"type": "circle", "size": 46, "color": WARN, "opacity": 1},
                  "encoding": {"x": {"field": "at"} | x, "y": {"field": "value"} | y}}]},
        ],
    }


def _legend(trend: bool, width: int) -> Spec:
    """What the marks mean, in a line."""
    items: list[tuple[str, int]] = [("forecast: bands of 50, 80, 95 %, and median", 252),
                                    ("what came", 62)]
    if trend:
        items.append(("log trend of the day", 116))
    marks: list[dict[str, Json]] = []
    at, down = 0, 6
    for kind, (label, long) in enumerate(items):
        marks.append({"x": at + 5, "text_x": at + 14, "y": down, "label": label, "kind": kind})
        at += long + 30
    pixel: Spec = {"type": "quantitative", "scale": None, "axis": None}
    where: Spec = {"x": {"field": "x"} | pixel, "y": {"field": "y"} | pixel}
    shapes: tuple[Spec, ...] = (
        {"type": "square", "size": 90, "color": ACCENT, "opacity": 0.5},
        {"type": "circle", "size": 46, "color": WARN, "opacity": 1},
        {"type": "point", "shape": "diamond", "size": 44, "filled": True, "opacity": 1,
         "color": SURFACE, "stroke": MUTED, "strokeWidth": 1.2})
    layers: list[Json] = [{"transform": [{"filter": f"datum.kind == {kind}"}], "mark": shape,
                           "encoding": where} for kind, shape in enumerate(shapes)]
    layers.append({"mark": {"type": "text", "align": "left"}, "encoding": {
        "x": {"field": "text_x"} | pixel, "y": {"field": "y"} | pixel, "text": {"field": "label"}}})
    return {"width": width - 10, "height": 12,
            "data": values(marks),
            "layer": layers}
