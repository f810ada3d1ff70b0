"""Pictures of what was asked of the answer: where a programme pays, and what the spread of the cost
comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabless.decide import NearBest, SobolIndex, Surface
from fabless.report.canvas import (
    ACCENT,
    IN_TWO_LINES,
    INK,
    MUTED,
    OTHER,
    SERIES,
    SURFACE,
    WARN,
    Json,
    Spec,
    chart,
    values,
)
from fabless.wording import count, plain, usd

_LEAST_USD = 1e6


def pays(surface: Surface, width: int) -> Spec:
    """Draw the value of a programme over relative performance and slip, one panel for each volume
    of demand."""
    panels = len(surface.volumes)
    rows: list[dict[str, Json]] = []
    largest = (
        max(abs(v) for plane in surface.value_usd for line in plane for v in line) or _LEAST_USD
    )
    for volume, plane in zip(surface.volumes, surface.value_usd, strict=True):
        for performance, line in zip(surface.performances, plane, strict=True):
            for slip, value in zip(surface.slips, line, strict=True):
                rows.append(
                    {
                        "volume": f"volume × {plain(volume)}", "performance": plain(performance),
                        "slip": plain(slip), "value": value, "label": usd(value).replace(" ", ""),
                        "colour": WARN if value < 0 else ACCENT,
                        "strength": 0.12 + 0.48 * abs(value) / largest,
                    }
                )
    order_x, order_y = [plain(v) for v in surface.performances], [plain(v) for v in surface.slips]
    panel: Spec = {
        "width": (width - 90) // panels, "height": {"step": 34},
        "encoding": {
            "x": {
                "field": "performance", "type": "ordinal", "sort": order_x,
                "axis": {"title": "performance / vendor's part", "labelAngle": 0},
            },
            "y": {
                "field": "slip", "type": "ordinal", "sort": order_y,
                "axis": {"title": "actual / planned time"},
            },
        },
        "layer": [
            {
                "mark": {"type": "rect", "stroke": SURFACE, "strokeWidth": 2},
                "encoding": {
                    "color": {"field": "colour", "type": "nominal", "scale": None},
                    "opacity": {"field": "strength", "type": "quantitative", "scale": None},
                },
            },
            {
                "mark": {"type": "text", "fontSize": 10, "color": INK},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }
    return chart(
        {
            "data": values(rows), "spec": panel, "columns": panels,
            "facet": {
                "field": "volume", "type": "ordinal",
                "sort": [f"volume × {plain(v)}" for v in surface.volumes],
                "header": {"title": None, "labelColor": MUTED, "labelAnchor": "start"},
            },
        }
    )


def sobol(indices: Sequence[SobolIndex], width: int) -> Spec:
    """Draw first-order and total indices as bars, with the 95 % interval of the total."""
    rows: list[dict[str, Json]] = []
    for index in indices:
        for kind, size in (("alone", index.first), ("with all others", index.total)):
            rows.append(
                {
                    "row": index.label, "kind": kind, "size": max(0.0, min(size, 1.5)),
                    "low": max(index.total - index.total_error, 0.0),
                    "high": index.total + index.total_error,
                }
            )
    order, kinds = [index.label for index in indices], ["alone", "with all others"]
    y: Spec = {
        "field": "row", "type": "nominal", "sort": order,
        "axis": {
            "title": None, "labelColor": INK, "labelLimit": 225, "labelPadding": 8,
            "labelExpr": IN_TWO_LINES,
        },
    }
    x: Spec = {
        "type": "quantitative",
        "axis": {
            "title": "share of the spread of log cost per query", "grid": True, "tickCount": 4,
            "format": "%",
        },
    }
    side: Spec = {"yOffset": {"field": "kind", "sort": kinds}}
    layers: list[Json] = [
        {
            "mark": {"type": "bar", "height": 10},
            "encoding": side
            | {
                "x": {"field": "size"} | x,
                "color": {
                    "field": "kind", "type": "nominal", "sort": kinds, "legend": {},
                    "scale": {"domain": kinds, "range": [SERIES[0], SERIES[1]]},
                },
            },
        },
        {
            "transform": [{"filter": "datum.kind == 'with all others'"}],
            "mark": {"type": "rule", "color": INK},
            "encoding": side | {"x": {"field": "low"} | x, "x2": {"field": "high"}},
        },
    ]
    return chart(
        {
            "data": values(rows), "width": width - 245,
            "height": {"step": 36, "for": "position"}, "encoding": {"y": y},
            "layer": layers,
        }
    )


def near_best_ranges(ranges: Mapping[str, Sequence[NearBest]], width: int) -> Spec:
    """Draw least, plan and most of each line as a bar with a dot, one panel for each window of
    quarters; programmes that are started or not are left to the table."""
    panels: list[Json] = []
    for window, items in ranges.items():
        ordered = [item for item in items if item.unit != "start"]
        if ordered:
            panels.append(_ranges(window, ordered, width, labels=not panels))
    body: Spec = {"hconcat": panels}
    return chart(body)


def _ranges(window: str, items: Sequence[NearBest], width: int, *, labels: bool) -> Spec:
    rows: list[dict[str, Json]] = [
        {
            "row": item.title, "least": item.least, "chosen": item.chosen, "most": item.most,
            "colour": ACCENT if item.kind == "forced" else OTHER,
            "label": f"{count(item.least)}–{count(item.most)}",
        }
        for item in items
    ]
    y: Spec = {
        "field": "row", "type": "nominal", "sort": [item.title for item in items],
        "axis": {"title": None, "labelColor": INK, "labelLimit": 225, "labelPadding": 8,
                 "labelExpr": IN_TWO_LINES} if labels else None,
    }
    x: Spec = {
        "type": "quantitative", "scale": {"domainMin": 0, "nice": True},
        "axis": {"title": "expected number ordered", "grid": True, "tickCount": 4, "format": "~s"},
    }
    colour: Spec = {"field": "colour", "type": "nominal", "scale": None}
    layers: list[Json] = [
        {
            "mark": {"type": "bar", "height": 8, "opacity": 0.55},
            "encoding": {"x": {"field": "least"} | x, "x2": {"field": "most"}, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1.0,
                     "stroke": SURFACE, "strokeWidth": 1},
            "encoding": {"x": {"field": "chosen"} | x, "color": {"value": INK}},
        },
        {
            "mark": {"type": "text", "align": "left", "dy": -12, "color": MUTED, "fontSize": 10},
            "encoding": {"x": {"field": "least"} | x, "text": {"field": "label"}},
        },
    ]
    return {
        "data": values(rows), "title": window,
        "width": (width - 285) // 2,
        "height": {"step": 40, "for": "position"}, "encoding": {"y": y},
        "layer": layers,
    }
