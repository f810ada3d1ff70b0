"""Pictures of how good forecasts were: held shares, PIT, every forecast over what came, dates.

Each function gives a Vega-Lite specification as plain data, at a stated total width [px].
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence

from fabless.backtest.results import P10, P50, P90, ForecastDate, GroupScore, ScoredTruth
from fabless.report.backtest_words import came_words
from fabless.report.canvas import (
    ACCENT,
    GRID,
    INK,
    MUTED,
    OTHER,
    SURFACE,
    WARN,
    Json,
    Spec,
    chart,
    values,
    year_axis,
)
from fabless.report.fan_axis import axis_ticks
from fabless.units import MONTH_S
from fabless.wording import heading, in_percent, significant

MOST_ROWS = 40
"""Rows of the picture of every forecast over what came."""
_CLAIMS = (("inside_50", 0.5), ("inside_80", 0.8), ("inside_95", 0.95))
_FACTORS = 84
"""Room for a factor beside a row [px]."""
_MOST_NAMES = 390
_CAME = 96
"""Room for the words of a date that stand beyond the last bar [px]."""
_SHARES = 40
"""Room for a share beside a bar [px]."""
_LETTER = 6.4
"""Mean width of a letter of a row's name [px]."""
_BINS = 10
_FURTHEST = 100.0
"""Factor beyond which a bar ends at the edge."""


def coverage_chart(groups: Sequence[GroupScore], overall: GroupScore, width: int) -> Spec:
    """Draw the share of truths that the bands of 50, 80 and 95 % hold, group by group, beside what
    they claim."""
    names = 150
    inner = (width - names - 3 * _SHARES) // 3
    scores = [*groups, overall] if len(groups) > 1 else [overall]
    rows: list[dict[str, Json]] = [
        {"group": group_words(score), "held": getattr(score, field), "claim": claim,
         "label": in_percent(getattr(score, field)), "far": getattr(score, field) < claim - 0.2}
        for score in scores for field, claim in _CLAIMS]
    order = [group_words(score) for score in scores]
    x: Spec = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1], "nice": False},
               "stack": None}
    panels: list[Json] = []
    for _, claim in _CLAIMS:
        y: Spec = {"field": "group", "type": "nominal", "sort": order,
                   "axis": None if panels else {
            "title": None, "labelColor": INK, "labelFontSize": 12, "labelPadding": 8,
            "labelLimit": 160,
            "minExtent": names}}
        layers: list[Json] = [
            {"mark": {"type": "bar", "height": 11, "color": GRID},
             "encoding": {"x": {"datum": 1.0} | x}},
            {"mark": {"type": "bar", "height": 11},
             "encoding": {"x": {"field": "held"} | x, "color": {
                 "condition": {"test": "datum.far", "value": WARN}, "value": ACCENT}}},
            {"mark": {"type": "tick", "orient": "vertical", "color": INK, "thickness": 2,
                      "height": 17},
             "encoding": {"x": {"field": "claim"} | x}},
            {"mark": {"type": "text", "align": "left", "dx": 4},
             "encoding": {"x": {"datum": 1.0} | x, "text": {"field": "label"}}}]
        panels.append({
            "width": inner, "height": {"step": 24}, "encoding": {"y": y},
            "layer": layers,
            "title": f"Band of {in_percent(claim)}",
            "transform": [{"filter": f"datum.claim == {claim}"}]})
    return chart({"data": values(rows), "hconcat": panels, "spacing": _SHARES, "bounds": "flush"})


def group_words(score: GroupScore) -> str:
    """A group with the number of its truths."""
    number = f"{score.truths:.3g}"
    return f"{'All' if score.group == 'all' else heading(score.group)} ({number})"


def pit_chart(rows: Sequence[ScoredTruth], width: int) -> Spec:
    """Draw how many truths came in each tenth of their forecast; the line is what good bands
    give."""
    inner = width - 60
    weights = [0.0] * _BINS
    for row in rows:
        weights[min(int(row.pit * _BINS), _BINS - 1)] += row.weight
    total = math.fsum(weights)
    bars: list[dict[str, Json]] = [
        {"from": k / _BINS, "to": (k + 1) / _BINS, "middle": (k + 0.5) / _BINS, "count": weight,
         "label": f"{weight:.2g}" if weight else "", "end": k in (0, _BINS - 1)}
        for k, weight in enumerate(weights)]
    x: Spec = {"type": "quantitative", "scale": {"domain": [0, 1], "nice": False},
               "axis": {"title": None, "grid": False, "values": [0, 0.1, 0.5, 0.9, 1],
                        "format": "%",
                        "labelFlush": True}}
    y: Spec = {"type": "quantitative", "axis": None,
               "scale": {"domain": [0, max([*weights, total / _BINS]) * 1.15 or 1.0],
                         "nice": False}}
    than = " than forecast"
    words: list[dict[str, Json]] = [
        {"x": 0.0, "text": f"came lower{than}", "align": "left"},
        {"x": 1.0, "text": f"came higher{than}", "align": "right"}]
    layers: list[Json] = [
        {"data": values(bars), "mark": {"type": "bar", "stroke": SURFACE, "strokeWidth": 1},
         "encoding": {"x": {"field": "from"} | x, "x2": {"field": "to"},
                      "y": {"field": "count"} | y,
                      "y2": {"datum": 0}, "color": {
                          "condition": {"test": "datum.end", "value": WARN}, "value": ACCENT}}},
        {"data": values(bars), "mark": {"type": "text", "dy": -7},
         "encoding": {"x": {"field": "middle"} | x, "y": {"field": "count"} | y,
                      "text": {"field": "label"}}},
        {"mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
         "data": values([{"y": total / _BINS}]),
         "encoding": {"y": {"field": "y"} | y, "x": {"value": 0}, "x2": {"value": inner}}}]
    layers += [{"data": values([word]), "mark": {"type": "text", "align": word["align"],
                                                 "color": MUTED, "dy": 34},
                "encoding": {"x": {"field": "x"} | x, "y": {"value": 130},
                             "text": {"field": "text"}}}
               for word in words]
    return chart({"width": inner, "height": 130, "layer": layers})


def farthest(rows: Sequence[ScoredTruth]) -> list[ScoredTruth]:
    """The rows of the picture of errors: the farthest off, in their order."""
    kept = sorted(range(len(rows)), key=lambda k: -abs(rows[k].error))[:MOST_ROWS]
    return [rows[k] for k in sorted(kept)]


def error_chart(rows: Sequence[ScoredTruth], width: int) -> Spec:
    """Draw each forecast over what came, on a logarithmic axis: band of 80 %, median; the line in
    the middle is what came, the grey bar its own interval."""
    drawn: list[dict[str, Json]] = []
    for row in farthest(rows):
        if not row.value > 0.0:
            continue

        def over(value: float, came: float = row.value) -> float:
            return min(max(value / came, 1.0 / _FURTHEST), _FURTHEST)

        q10, q50, q90 = (row.quantiles[place] for place in (P10, P50, P90))
        factor = q50 / row.value
        drawn.append({
            "row": f"{row.title}, {row.date}", "low": over(q10), "median": over(q50),
            "high": over(q90),
            "truth_low": over(row.low), "truth_high": over(row.high), "out": row.beyond != 1.0,
            "label": factor_words(factor)})
    ends = [float(str(row[key])) for row in drawn for key in ("low", "high", "truth_low",
                                                              "truth_high")]
    low, high = min([0.4, *ends]) / 1.1, max([2.5, *ends]) * 1.1
    ticks: list[Json] = list(axis_ticks(low, high))
    x: Spec = {"type": "quantitative", "scale": {"type": "log", "domain": [low, high],
                                                 "nice": False}}
    axis: Spec = {"axis": {"title": None, "grid": True, "values": ticks,
                           "labelExpr": "format(datum.value, '~g') + 'x'",
                           "orient": "top"}}
    names = _names([str(row["row"]) for row in drawn])
    inner = width - names - _FACTORS
    y: Spec = _rows(drawn, names)
    colour: Spec = {"condition": {"test": "datum.out", "value": WARN}, "value": ACCENT}
    layers: list[Json] = [
        {"mark": {"type": "bar", "height": 13, "color": OTHER, "opacity": 0.35},
         "encoding": {"x": {"field": "truth_low"} | x | axis, "x2": {"field": "truth_high"}}},
        {"mark": {"type": "bar", "height": 5, "opacity": 0.45},
         "encoding": {"x": {"field": "low"} | x | axis, "x2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "tick", "orient": "vertical", "color": INK, "thickness": 1.5,
                  "height": 17}, "encoding": {"x": {"datum": 1.0} | x}},
        {"mark": {"type": "circle", "size": 44, "opacity": 1, "stroke": SURFACE, "strokeWidth": 1},
         "encoding": {"x": {"field": "median"} | x | axis, "color": colour}},
        {"mark": {"type": "text", "align": "left"},
         "encoding": {"x": {"value": inner + 8}, "text": {"field": "label"},
                      "color": {"condition": {"test": "datum.out", "value": WARN}, "value": INK}}}]
    return chart({"data": values(drawn), "width": inner,
                  "height": {"step": 17}, "encoding": {"y": y}, "layer": layers})


def _names(names: Sequence[str]) -> int:
    """Room for the names of rows at the left [px]; on a telephone they stand above their rows."""
    return min(round(max(map(len, names), default=0) * _LETTER) + 16, _MOST_NAMES)


def _rows(drawn: Sequence[Mapping[str, Json]], names: int) -> Spec:
    """The rows of a picture, in their order, with their names where there is room for them."""
    return {"field": "row", "type": "nominal", "sort": [row["row"] for row in drawn], "axis": {
        "title": None, "labelColor": INK, "labelLimit": names, "labelPadding": 8,
        "minExtent": names,
        "maxExtent": names} if names else None}


def factor_words(factor: float) -> str:
    """Median forecast over what came, in words.

    >>> factor_words(0.1), factor_words(2.04), factor_words(1.01)
    ('10x low', '2.0x high', 'right')
    """
    off = max(factor, 1.0 / factor) if factor > 0.0 else math.inf
    if off < 1.05:
        return "right"
    return f"{significant(off, 2) if off < 1e4 else '>10,000'}x {'high' if factor > 1.0 else 'low'}"


def calendar_chart(
    calendar: Sequence[ForecastDate], truths: Sequence[ScoredTruth], as_of: str, width: int
) -> Spec:
    """Draw when each thing was to come (50 and 80 % bands and median, of the courses that get
    there) and when it came."""
    start = dt.date.fromisoformat(as_of)

    def when(months: float) -> str:
        return (start + dt.timedelta(seconds=months * MONTH_S)).isoformat()

    came = {row.quantity: row for row in truths if row.unit == "month"}
    rows: list[dict[str, Json]] = []
    for item in calendar:
        _, q10, q25, q50, q75, q90, _ = map(when, item.quantiles)
        truth = came.get(item.quantity)
        rows.append({
            "row": item.title, "q10": q10, "q25": q25, "q50": q50, "q75": q75, "q90": q90,
            "label": f"{came_words(truth)} {month_words(when(truth.value))}" if truth else "",
            "came": when(truth.value) if truth else None, "low": when(truth.low) if truth else None,
            "high": when(truth.high) if truth else None,
            "edge": max(q90, when(truth.high)) if truth else q90})
    end = max([str(row["q90"]) for row in rows] + [str(row["high"]) for row in rows if row["high"]],
              default=when(12.0))
    x: Spec = {"type": "temporal", "axis": year_axis() | {"orient": "top", "labelAlign": "left"},
               "scale": {"type": "utc", "domain": [start.isoformat(), end]}}
    names = _names([str(row["row"]) for row in rows])
    inner = width - names - _CAME
    y = _rows(rows, names)
    layers: list[Json] = [
        {"mark": {"type": "bar", "height": height, "color": ACCENT, "opacity": dark},
         "encoding": {"x": {"field": first} | x, "x2": {"field": last}}}
        for first, last, height, dark in (("q10", "q90", 9, 0.25), ("q25", "q75", 9, 0.4))]
    known: Spec = {"transform": [{"filter": "isValid(datum.came)"}]}
    layers += [
        {"mark": {"type": "tick", "orient": "vertical", "thickness": 2, "height": 13,
                  "color": ACCENT},
         "encoding": {"x": {"field": "q50"} | x}},
        known | {"mark": {"type": "rule", "color": WARN, "strokeWidth": 2},
                 "encoding": {"x": {"field": "low"} | x, "x2": {"field": "high"}}},
        known | {"mark": {"type": "circle", "size": 60, "color": WARN, "opacity": 1,
                          "stroke": SURFACE,
                          "strokeWidth": 1},
                 "encoding": {"x": {"field": "came"} | x}}]
    layers.append({"mark": {"type": "text", "align": "left", "dx": 8, "color": WARN},
                   "encoding": {"x": {"field": "edge"} | x, "text": {"field": "label"}}})
    return chart({"data": values(rows), "width": inner, "height": {"step": 21},
                  "encoding": {"y": y}, "layer": layers})


def month_words(day: str) -> str:
    """A day as year and month.

    >>> month_words("2025-01-17")
    'January 2025'
    """
    return f"{dt.date.fromisoformat(day):%B %Y}"
