"""Charts of an exploration: cost against latency, cost against flexibility."""

from __future__ import annotations

from fabless.explore import Exploration
from fabless.report.canvas import ACCENT, INK, OTHER, SERIES, Json, Spec, chart, values


def fronts(exploration: Exploration, width: int) -> Spec:
    """Draw the front of cost against the time of a token with the chips on the market, beside that
    of flexibility."""
    rows: list[dict[str, Json]] = [
        {"x": 1e3 * point.x, "y": point.y} for point in exploration.latency_front
    ]
    market: list[dict[str, Json]] = [
        {"x": 1e3 * entry.tpot_s, "y": entry.usd_per_million_tokens_tco, "name": entry.chip}
        for entry in exploration.market
        if entry.tpot_s is not None and entry.usd_per_million_tokens_tco is not None
    ]
    slim = not exploration.flexibility_front
    inner = width - 90 if slim else (width - 170) // 2
    axis: Spec = {"grid": True, "tickCount": 5}
    x: Spec = {
        "field": "x", "type": "quantitative", "axis": axis | {"title": "Time per output token, ms"},
    }
    y: Spec = {"field": "y", "type": "quantitative", "scale": {"type": "log", "nice": True},
               "axis": axis | {"title": "USD per million output tokens"}}
    latency: Spec = {
        "width": inner, "height": 260, "title": "Cheapest design at each speed",
        "layer": [
            {
                "data": values(rows),
                "mark": {
                    "type": "line", "interpolate": "step-after", "color": ACCENT,
                    "point": {"color": ACCENT, "size": 30},
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "data": values(market),
                "mark": {"type": "circle", "size": 60, "color": OTHER, "opacity": 1},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": values(market),
                "mark": {"type": "text", "align": "right", "dx": -7, "color": INK, "fontSize": 10},
                "encoding": {"x": x, "y": y, "text": {"field": "name"}},
            },
        ],
    }
    if slim:
        return chart(latency)
    flexible: list[dict[str, Json]] = [
        {"x": point.x, "y": point.y} for point in exploration.flexibility_front
    ]
    other: Spec = {
        "width": inner, "height": 260, "title": "Cost on this load and on other models",
        "data": values(flexible),
        "mark": {"type": "line", "color": SERIES[2], "point": {"color": SERIES[2], "size": 30}},
        "encoding": {
            "x": {
                "field": "x", "type": "quantitative", "scale": {"zero": False},
                "axis": axis | {"title": "USD per million output tokens, this load"},
            },
            "y": {
                "field": "y", "type": "quantitative", "scale": {"zero": False},
                "axis": axis | {"title": "The same, mean of other loads"},
            },
        },
    }
    return chart({"hconcat": [latency, other], "spacing": 40})
