"""Twenty futures a way as dots: filled where the demand is served, rings where it falls short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabless.decide.fresh.futures import WayFutures
from fabless.report.canvas import INK, MUTED, SERIES, Json, Spec, chart, narrow, values
from fabless.wording import cent_decimals, cents

_STEPS = (1.0, 2.0, 5.0)
_EDGE = 0.04
"""Room at both ends of the axis, as a share of its logarithmic length."""


@dataclass(frozen=True)
class DotsRow:
    """One way with its futures, and the median of all of them [USD a query]."""

    title: str
    futures: WayFutures
    median_usd: float


def dots_chart(rows: Sequence[DotsRow], width: int) -> Spec:
    """Draw each way's dots at their exact cost on one logarithmic axis, with a line and the number
    at the median."""
    slim = narrow(width)
    decimals = cent_decimals(row.median_usd for row in rows)
    marks: list[dict[str, Json]] = []
    middles: list[dict[str, Json]] = []
    for place, row in enumerate(rows):
        for path in row.futures.dots:
            short = row.futures.is_short[path]
            marks.append({"row": row.title, "cents": 100.0 * row.futures.cost_per_query_usd[path],
                          "short": short, "colour": SERIES[0 if place == 0 else 5]})
        middles.append({"row": row.title, "cents": 100.0 * row.median_usd,
                        "label": cents(row.median_usd, decimals)})
    costs = [float(str(mark["cents"])) for mark in (*marks, *middles)]
    low, high = math.log(min(costs)), math.log(max(costs))
    edge = max(high - low, 0.1) * _EDGE
    domain = [math.exp(low - edge), math.exp(high + edge)]
    scale: Spec = {"type": "log", "domain": domain, "nice": False}
    x: Spec = {"type": "quantitative", "scale": scale, "axis": {
        "title": "cents a query", "values": _ticks(*domain), "grid": True, "format": "~g",
        "orient": "top"}}
    beside = 0 if slim else 10 + round(max(len(row.title) for row in rows) * 7.2)
    y: Spec = {"field": "row", "type": "nominal", "sort": [row.title for row in rows],
               "axis": None if slim else {"title": None, "labelColor": INK, "labelFontSize": 13,
                                          "labelLimit": 260, "minExtent": beside}}
    down = 8 if slim else 0
    colour: Spec = {"field": "colour", "type": "nominal", "scale": None}
    layers: list[Json] = [
        {"data": values(middles), "mark": {"type": "tick", "color": INK, "thickness": 1.5,
                                           "size": 30, "yOffset": down},
         "encoding": {"x": {"field": "cents"} | x, "y": y}},
        {"data": values(marks), "transform": [{"filter": "!datum.short"}],
         "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "yOffset": down},
         "encoding": {"x": {"field": "cents"} | x, "y": y, "color": colour}},
        {"data": values(marks), "transform": [{"filter": "datum.short"}],
         "mark": {"type": "point", "filled": False, "size": 80, "strokeWidth": 2, "opacity": 1,
                  "yOffset": down},
         "encoding": {"x": {"field": "cents"} | x, "y": y, "color": colour}},
        {"data": values(middles),
         "mark": {"type": "text", "align": "right", "dx": 44, "color": MUTED, "yOffset": down},
         "encoding": {"x": {"value": "width"}, "y": y, "text": {"field": "label"}}},
    ]
    if slim:
        layers.append({"data": values(middles),
                       "mark": {"type": "text", "align": "left", "dy": -14, "color": INK},
                       "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "row"}}})
    return chart({"width": width - beside - 60, "height": {"step": 54 if slim else 44},
                  "layer": layers})


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**decade for decade in decades for step in _STEPS
            if low <= step * 10.0**decade <= high]
