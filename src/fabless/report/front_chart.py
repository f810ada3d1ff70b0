"""Throughput per chip against speed for the user: one line for each way to serve, the chosen points
marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fabless.report.canvas import INK, MUTED, SERIES, SURFACE, WARN, Json, Spec, chart, values
from fabless.wording import significant

_STEPS = (1.0, 2.0, 3.0, 5.0)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**decade for decade in decades for step in _STEPS if low <= step * 10.0**decade <= high]


def front_chart(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]],
    chosen: Mapping[str, tuple[float, float]], least_speed: float, width: int,
) -> Spec:
    """Draw fronts of (output tokens a second and user, output tokens a second and chip), by name.

    `chosen` marks a point of each line; `least_speed` is the limit on the time per token as a
    speed, 0 for none.
    """
    points = [point for line in lines.values() for point in line]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    top = max(y for _, y in points)
    names = [name for name in lines if lines[name]]
    colour: Spec = {
        "field": "way", "type": "nominal", "sort": list(names), "legend": {"symbolType": "stroke"},
        "scale": {"domain": list(names), "range": list(SERIES[0:6:5])[: len(names)]},
    }
    ticks: list[Json] = list(_ticks(low, high))
    x: Spec = {
        "type": "quantitative", "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "title": "Speed: output tokens a second for each user", "values": ticks, "grid": True,
            "format": "~g",
        },
    }
    y: Spec = {"type": "quantitative", "scale": {"domain": [0, top * 1.06], "nice": False},
               "axis": {"title": None, "grid": True, "tickCount": 5, "format": ",.0f"}}
    rows: list[dict[str, Json]] = [{"way": name, "x": a, "y": b} for name in names for a, b in lines[name]]
    marks: list[dict[str, Json]] = [
        {"way": name, "x": a, "y": b, "label": f"{significant(b)} at {significant(a)}"}
        for name, (a, b) in chosen.items()
    ]
    layers: list[Json] = []
    if low <= least_speed <= high:
        limit: list[dict[str, Json]] = [{"x": least_speed, "label": "asked for"}]
        layers += [
            {
                "data": values(limit),
                "mark": {"type": "rule", "color": WARN, "strokeDash": [4, 3]},
                "encoding": {"x": {"field": "x"} | x},
            },
            {
                "data": values(limit),
                "mark": {"type": "text", "align": "right", "dx": -5, "color": MUTED},
                "encoding": {
                    "x": {"field": "x"} | x, "y": {"value": 8}, "text": {"field": "label"},
                },
            },
        ]
    layers += [
        {
            "data": values(rows),
            "mark": {"type": "line", "interpolate": "monotone", "strokeWidth": 2.2},
            "encoding": {"x": {"field": "x"} | x, "y": {"field": "y"} | y, "color": colour},
        },
        {
            "data": values(marks),
            "mark": {
                "type": "circle", "size": 100, "opacity": 1, "stroke": SURFACE, "strokeWidth": 1.5,
            },
            "encoding": {"x": {"field": "x"} | x, "y": {"field": "y"} | y, "color": colour},
        },
        {
            "data": values(marks),
            "mark": {"type": "text", "align": "left", "dx": 8, "dy": -8, "color": INK},
            "encoding": {
                "x": {"field": "x"} | x, "y": {"field": "y"} | y, "text": {"field": "label"},
            },
        },
    ]
    return chart({"width": width - 70, "height": 300, "title": title, "layer": layers})
