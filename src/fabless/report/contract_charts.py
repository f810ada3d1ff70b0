"""Chart of contracts: what a steady need costs with each of them, in all and by the unit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fabless.contract.curves import Curve
from fabless.report.canvas import GRID, INK, MUTED, OTHER, SERIES, Json, Spec, chart, spread, values

_HEIGHT = 250
_LABELS = 112
"""Room for the names at the right of the lines [px]."""


def volume_curves(curves: Sequence[Curve], unit: str, width: int) -> Spec:
    """Draw cost against the chips wanted a quarter: the whole need on the left, by the unit on the
    right.

    Lines carry their names at their right end, in the order in which they end. A line that lies on
    an earlier one is dashed, so that both are seen.
    """
    colours = _colours(curves)
    rented = unit == "chip-hour"
    x_title = "Chips wanted in use" if rented else "Chips wanted a quarter"
    size, word = (1e9, "billion") if max(float(curve.cost_usd.max()) for curve in curves) >= 2e9 else (1e6, "million")
    whole = _panel(
        curves, colours, [curve.cost_usd / size for curve in curves], x_title=x_title,
        y_title=f"Present value of the need, {word} USD", inner=_inner(width), names=True)
    most = max(float(curve.usd_per_unit[-1]) for curve in curves)
    by_unit = _panel(
        curves, colours, [curve.usd_per_unit for curve in curves], x_title=x_title,
        y_title=f"USD per {unit} served", inner=_inner(width), names=False, top=2.0 * most)
    return chart({"hconcat": [whole, by_unit], "spacing": 24})


def _inner(width: int) -> int:
    return (width - _LABELS - 24 - 2 * 58) // 2


def _colours(curves: Sequence[Curve]) -> dict[str, str]:
    """Grey for no contract, then the series in order, again from the start where there are more."""
    named = [curve.name for curve in curves]
    return {name: OTHER if k == 0 else SERIES[(k - 1) % len(SERIES)] for k, name in enumerate(named)}


def _panel(
    curves: Sequence[Curve], colours: dict[str, str], heights: Sequence[object], x_title: str,
    y_title: str, inner: int, *, names: bool, top: float = math.inf,
) -> Spec:
    """One panel; heights above `top` are left out, where the cost of few units goes through the
    roof."""
    hidden = {
        curve.name
        for k, curve in enumerate(curves)
        if any(np.allclose(curve.cost_usd, other.cost_usd, rtol=1e-6) for other in curves[:k])
    }
    rows: list[dict[str, Json]] = []
    ends: list[tuple[str, float]] = []
    for curve, height in zip(curves, heights, strict=True):
        points = [
            (float(x), float(y))
            for x, y in zip(curve.wanted, height, strict=True)  # type: ignore[call-overload]
            if math.isfinite(y) and y <= top
        ]
        rows += [{"name": curve.name, "x": x, "y": y, "order": k, "dash": curve.name in hidden}
                 for k, (x, y) in enumerate(points)]
        ends.append((curve.name, points[-1][1]))
    reach = max(float(curve.wanted[-1]) for curve in curves)
    high = max(float(str(row["y"])) for row in rows)
    axis: Spec = {"grid": True, "tickCount": 5, "gridColor": GRID, "titleColor": MUTED}
    x: Spec = {"field": "x", "type": "quantitative", "scale": {"domain": [0, reach], "nice": False},
               "axis": axis | {"title": x_title, "format": "~s"}}
    y: Spec = {
        "field": "y", "type": "quantitative", "scale": {"domain": [0, high * 1.02], "nice": False},
        "axis": axis | {"title": y_title},
    }
    colour: Spec = {"field": "name", "type": "nominal", "legend": None,
                    "scale": {"domain": list(colours), "range": list(colours.values())}}
    layers: list[Json] = [{
        "data": values(rows), "mark": {"type": "line", "strokeWidth": 2}, "encoding": {
            "x": x, "y": y, "color": colour, "order": {"field": "order", "type": "quantitative"},
            "strokeDash": {"field": "dash", "type": "nominal", "legend": None, "scale": {
                "domain": [False, True], "range": [[1, 0], [5, 7]]}}}}]
    if names:
        at = spread([_HEIGHT * (1.0 - end / (high * 1.02)) for _, end in ends], 0.0, float(_HEIGHT))
        labels: list[dict[str, Json]] = [
            {"name": name, "x": reach, "y": (1.0 - place / _HEIGHT) * high * 1.02}
            for (name, _), place in zip(ends, at, strict=True)
        ]
        layers.append(
            {
                "data": values(labels),
                "mark": {"type": "text", "align": "left", "dx": 6, "limit": _LABELS - 8},
                "encoding": {"x": x, "y": y, "text": {"field": "name"}, "color": {"value": INK}},
            }
        )
        layers.append({"data": values(labels), "mark": {"type": "circle", "size": 36, "opacity": 1},
                       "encoding": {"x": x, "y": y, "color": colour}})
    return {"width": inner, "height": _HEIGHT, "layer": layers}
