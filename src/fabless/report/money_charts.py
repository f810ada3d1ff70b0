"""Pictures of the money: a bridge from one amount to another, and what is paid by year.

Each function gives a Vega-Lite specification as plain data, at a stated total width [px].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from fabless.report.canvas import (
    ACCENT,
    GRID,
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
from fabless.report.money import Bridge

_REST = "all others"
_ROOM = 62
"""Room for an amount beside a bar [px]."""
_LETTER = 7.2
"""Mean width of a letter of a row's name [px]."""
_BIG = "'$' + replace(format(datum.value, '~s'), 'G', 'B')"


def bridge_chart(bridge: Bridge, end: str, width: int, *, signed: bool) -> Spec:
    """Draw the steps of a bridge below each other, each from where the one before ended, and their
    sum in the last row, named `end`. Where `signed`, what lowers the sum is blue and what raises it
    orange; else every step is blue."""
    rows: list[dict[str, Json]] = []
    at = 0.0
    for step in bridge.steps:
        rows.append(_row(step.title, at, at + step.usd, step.text, "more" if step.usd > 0 else "less"))
        at += step.usd
    rows.append(_row(end, 0.0, bridge.usd, bridge.text, "whole"))
    ends = [float(str(row[side])) for row in rows for side in ("low", "high")]
    low, high = min(0.0, *ends), max(0.0, *ends)
    names = [str(row["row"]) for row in rows]
    before = _ROOM if low < 0.0 or not all(row["rises"] for row in rows) else 0
    beside = round(max(map(len, names)) * _LETTER) + 10
    inner = width - before - _ROOM - beside
    x: Spec = {
        "type": "quantitative", "axis": None,
        "scale": {"domain": [low, high] if high > low else [0.0, 1.0], "nice": False,
                  "range": [before, before + inner]},
    }
    y: Spec = {
        "field": "row", "type": "nominal", "sort": names,
        "axis": {
            "title": None, "labelColor": INK, "labelLimit": 240, "labelPadding": 4,
            "labelFontSize": 12, "minExtent": beside},
    }
    colour: Spec = {
        "field": "kind", "type": "nominal", "legend": None,
        "scale": {"domain": ["more", "less", "whole"],
                  "range": [WARN if signed else ACCENT, ACCENT, OTHER]},
    }
    layers: list[Json] = [
        {
            "mark": {"type": "bar", "height": 14},
            "encoding": {"x": {"field": "low"} | x, "x2": {"field": "high"}, "color": colour},
        },
        {
            "transform": [{"filter": "datum.rises"}],
            "mark": {"type": "text", "align": "left", "dx": 5},
            "encoding": {"x": {"field": "high"} | x, "text": {"field": "text"}},
        },
        {
            "transform": [{"filter": "!datum.rises"}],
            "mark": {"type": "text", "align": "right", "dx": -5},
            "encoding": {"x": {"field": "low"} | x, "text": {"field": "text"}},
        },
    ]
    layers.insert(0, {"mark": {"type": "rule", "color": GRID},
                      "encoding": {"x": {"datum": 0.0} | x, "y": None}})
    return chart({
        "data": values(rows), "width": before + inner + _ROOM, "height": {"step": 26},
        "encoding": {"y": y}, "layer": layers,
    })


def _row(title: str, start: float, end: float, text: str, kind: str) -> dict[str, Json]:
    return {"row": title, "low": min(start, end), "high": max(start, end), "rises": end >= start,
            "text": text, "kind": kind}


def spend_by_year(
    panels: Mapping[str, Mapping[str, Mapping[int, float]]], width: int
) -> Spec:
    """Stack what is paid in each year, one panel for each way of cutting it: title of the panel ->
    title of the part -> year -> USD. The six largest parts by name, the others together."""
    years = sorted({year for parts in panels.values() for course in parts.values() for year in course})
    top = max((fsum(course.get(year, 0.0) for course in parts.values())
               for parts in panels.values() for year in years), default=0.0) or 1.0
    count = max(len(panels), 1)
    inner = (width - 44 - 22 * (count - 1)) // count
    drawn: list[Json] = [
        _panel(title, _named(parts), years, top * 1.04, inner, first=k == 0)
        for k, (title, parts) in enumerate(panels.items())]
    return chart({
        "hconcat": drawn, "spacing": 22,
        "resolve": {"scale": {"color": "independent"}},
    })


def _named(parts: Mapping[str, Mapping[int, float]]) -> dict[str, Mapping[int, float]]:
    """The largest parts, and all others in one."""
    named = dict(list(parts.items())[: len(SERIES) - 1])
    rest = [course for title, course in parts.items() if title not in named]
    if rest:
        named[_REST] = {year: fsum(course.get(year, 0.0) for course in rest)
                        for year in sorted({year for course in rest for year in course})}
    return named


def _panel(
    title: str, parts: Mapping[str, Mapping[int, float]], years: Sequence[int], top: float,
    width: int, *, first: bool,
) -> Spec:
    rows: list[dict[str, Json]] = []
    for year in years:
        at = 0.0
        for part, course in parts.items():
            usd = course.get(year, 0.0)
            rows.append({"year": f"{year}", "part": part, "from": at, "to": at + usd})
            at += usd
    colours = [OTHER if part == _REST else SERIES[k] for k, part in enumerate(parts)]
    return {
        "width": width, "height": 150, "title": title, "data": values(rows),
        "mark": {"type": "bar", "stroke": SURFACE, "strokeWidth": 0.6},
        "encoding": {
            "x": {"field": "year", "type": "ordinal",
                  "axis": {"title": None, "labelAngle": 0, "labelColor": MUTED,
                           "labelExpr": "slice(datum.label, 2)"}},
            "y": {"field": "from", "type": "quantitative",
                  "scale": {"domain": [0, top], "nice": False},
                  "axis": {"title": None, "grid": True, "tickCount": 4,
                           "labelExpr": _BIG if first else "''", "minExtent": 34 if first else 0}},
            "y2": {"field": "to"},
            "color": {
                "field": "part", "type": "nominal", "sort": list(parts),
                "scale": {"domain": list(parts), "range": colours},
                "legend": {"orient": "bottom", "direction": "vertical", "columns": 1,
                           "labelLimit": width - 20},
            },
        },
    }
