"""Charts through time: the fleet, demand and cost with their bands, and the stages of an own
chip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from math import ceil

from fabless.decide import Band, TimelineStage, WayResult
from fabless.report.canvas import (
    ACCENT,
    INK,
    LABEL_GAP,
    MUTED,
    OTHER,
    SERIES,
    SURFACE,
    WARN,
    Json,
    Spec,
    chart,
    day,
    ink_on,
    spread,
    values,
    year_axis,
)
from fabless.units import MONTH_S, Quarter
from fabless.wording import count, usd

_BIG = "replace(format(datum.value, '~s'), 'G', 'B')"
_REST = "all others"
_LETTER = 5.6
"""Mean width of a letter of a label inside the picture [px]."""


def _quarter_of(first_quarter: str, months: float) -> str:
    return str(Quarter.parse(first_quarter).at_month(months))


def _time(first: str, last: str, axis: Spec) -> Spec:
    return {"type": "temporal", "scale": {"type": "utc", "domain": [first, last]}, "axis": axis}


def _two_lines(offer: str, chips: str) -> str:
    """Label of an offer with its chips; what comes after a comma in its title goes below."""
    head, _, rest = offer.partition(", ")
    return f"{head}  {chips}" + (f"\n{rest}" if rest else "")


def fleet(way: WayResult, headings: Mapping[str, str], width: int) -> Spec:
    """Stack the expected number of chips in operation by line; the seven largest by name, the
    others together."""
    quarters = list(dict.fromkeys(quarter for quarter, _, _ in way.fleet_by_quarter))
    chips: dict[str, dict[str, float]] = {}
    for quarter, key, band in way.fleet_by_quarter:
        chips.setdefault(headings.get(key, key), {})[quarter] = band.mean
    size = {offer: sum(course.values()) for offer, course in chips.items()}
    large = sorted((offer for offer in size if size[offer] > 0), key=lambda offer: -size[offer])[: len(SERIES)]
    named = [offer for offer in chips if offer in large]
    courses = {offer: [chips[offer].get(quarter, 0.0) for quarter in quarters] for offer in named}
    rest = [sum(chips[offer].get(quarter, 0.0) for offer in chips if offer not in named) for quarter in quarters]
    colours = dict(zip(named, SERIES, strict=False))
    if any(rest):
        courses[_REST], colours[_REST] = rest, OTHER
    top = max((sum(course[k] for course in courses.values()) for k in range(len(quarters))), default=0.0) * 1.04 or 1.0
    inner, height = width - 165, 250
    rows: list[dict[str, Json]] = []
    inside: list[dict[str, Json]] = []
    beside: list[tuple[str, float, float]] = []
    base = [0.0] * len(quarters)
    for offer, course in courses.items():
        roof = [low + more for low, more in zip(base, course, strict=True)]
        rows += [{"when": day(quarter), "offer": offer, "from": low, "to": high}
                 for quarter, low, high in zip(quarters, base, roof, strict=True)]
        peak = max(range(len(course)), key=course.__getitem__)
        half = ceil(len(offer) * _LETTER / 2.0 / inner * (len(course) - 1))
        peak = min(max(peak, half), max(len(course) - 1 - half, 0))  # the label stays on the chart
        if course and course[-1] > 0.01 * top:
            beside.append((offer, height * (1.0 - (base[-1] + roof[-1]) / 2.0 / top), course[-1]))
        elif course and min(course[max(peak - half, 0) : peak + half + 1]) / top * height > 16:
            inside.append(
                {
                    "when": day(quarters[peak]), "at": (base[peak] + roof[peak]) / 2.0,
                    "label": offer, "ink": ink_on(colours[offer]),
                }
            )
        base = roof
    places = spread([place for _, place, _ in beside], 12.0, height - 12.0, 2.0 * LABEL_GAP)
    labels: list[dict[str, Json]] = [
        {"label": _two_lines(offer, count(last)), "place": place, "own": own}
        for (offer, own, last), place in zip(beside, places, strict=True)
    ]
    labelled = {row["label"] for row in inside} | {offer for offer, _, _ in beside}
    in_legend = [offer for offer in courses if offer not in labelled]
    x = {"field": "when"} | _time(day(quarters[0]), day(quarters[-1]), year_axis())
    colour: Spec = {
        "field": "offer", "type": "nominal", "sort": list(courses),
        "scale": {"domain": list(courses), "range": [colours[offer] for offer in courses]},
        "legend": {"values": in_legend, "columns": 3} if in_legend else None,
    }
    pixel: Spec = {"type": "quantitative", "scale": None, "axis": None}
    return chart(
        {
            "width": inner, "height": height, "title": "Chips in operation, mean of the scenarios",
            "layer": [
                {
                    "data": values(rows),
                    "mark": {"type": "area", "stroke": SURFACE, "strokeWidth": 0.8, "opacity": 1},
                    "encoding": {
                        "x": x, "y2": {"field": "to"}, "color": colour,
                        "y": {
                            "field": "from", "type": "quantitative",
                            "scale": {"domain": [0, top], "nice": False},
                            "axis": {
                                "title": None, "grid": True, "tickCount": 5, "labelExpr": _BIG,
                            },
                        },
                    },
                },
                {
                    "data": values(inside), "mark": {"type": "text", "fontSize": 10},
                    "encoding": {
                        "x": {"field": "when", "type": "temporal"},
                        "y": {"field": "at", "type": "quantitative"}, "text": {"field": "label"},
                        "color": {"field": "ink", "type": "nominal", "scale": None},
                    },
                },
                {
                    "data": values(labels),
                    "mark": {"type": "rule", "color": MUTED, "strokeWidth": 0.6},
                    "encoding": {
                        "x": {"value": inner + 2}, "x2": {"value": inner + 12},
                        "y": {"field": "own"} | pixel, "y2": {"field": "place"},
                    },
                },
                {
                    "data": values(labels),
                    "mark": {"type": "text", "align": "left", "limit": 135, "lineBreak": "\n"},
                    "encoding": {
                        "x": {"value": inner + 15}, "y": {"field": "place"} | pixel,
                        "text": {"field": "label"},
                    },
                },
            ],
        }
    )


def _course(title: str, course: Sequence[tuple[str, Band]], colour: str, money: bool, width: int) -> Spec:
    inner, height = width - 104, 120
    rows: list[dict[str, Json]] = [
        {"when": day(quarter), "p10": band.p10, "p50": band.p50, "p90": band.p90}
        for quarter, band in course
    ]
    last = course[-1][1]
    top = max(band.p90 for _, band in course) * 1.03 or 1.0
    say = usd if money else count
    ends = [("P90", last.p90), ("P50", last.p50), ("P10", last.p10)]
    places = spread([height * (1.0 - value / top) for _, value in ends], 5.0, height - 5.0, LABEL_GAP)
    labels: list[dict[str, Json]] = [
        {"label": f"{name}  {say(value)}", "place": place, "middle": name == "P50"}
        for (name, value), place in zip(ends, places, strict=True)
    ]
    x = {"field": "when"} | _time(day(course[0][0]), day(course[-1][0]), year_axis())
    expression = f"'$' + {_BIG}" if money else _BIG
    y: Spec = {
        "type": "quantitative", "scale": {"domain": [0, top], "nice": False},
        "axis": {
            "title": None, "grid": True, "tickCount": 4, "labelExpr": expression, "minExtent": 34,
        },
    }
    return {
        "width": inner, "height": height, "title": title, "data": values(rows), "layer": [
            {"mark": {"type": "area", "color": colour, "opacity": 0.22},
             "encoding": {"x": x, "y": {"field": "p10"} | y, "y2": {"field": "p90"}}},
            {"mark": {"type": "line", "color": colour, "strokeWidth": 2},
             "encoding": {"x": x, "y": {"field": "p50"} | y}},
            {"data": values(labels), "mark": {"type": "text", "align": "left"}, "encoding": {
                "x": {"value": inner + 8}, "text": {"field": "label"},
                "y": {"field": "place", "type": "quantitative", "scale": None, "axis": None},
                "color": {"condition": {"test": "datum.middle", "value": INK}, "value": MUTED}}},
        ],
    }


def cost_and_demand(way: WayResult, demand: Sequence[tuple[str, Band]], width: int) -> Spec:
    """Draw demand and the cost of each quarter as medians inside their P10 to P90 bands."""
    panels: list[Json] = [
        _course("Demand, queries a day", demand, SERIES[2], False, width),
        _course("Cost of the quarter, USD", way.cost_by_quarter_usd, ACCENT, True, width),
    ]
    return chart({"vconcat": panels})


def chip_timeline(
    stages: Sequence[TimelineStage], headings: Mapping[str, str], first_quarter: str, width: int
) -> Spec:
    """Draw each stage of each programme from its median start to its median end, with P10 to P90 of
    the end."""
    start = dt.date.fromisoformat(day(first_quarter))
    several = len({stage.programme for stage in stages}) > 1

    def when(months: float) -> str:
        return (start + dt.timedelta(seconds=months * MONTH_S)).isoformat()

    rows: list[dict[str, Json]] = []
    for stage in stages:
        end = stage.end
        early, middle, late = (_quarter_of(first_quarter, months) for months in (end.p10, end.p50, end.p90))
        programme = headings.get(stage.programme, stage.programme)
        rows.append(
            {
                "row": f"{programme}: {stage.stage}" if several else stage.stage,
                "from": when(stage.start.p50), "to": when(end.p50), "early": when(end.p10),
                "late": when(end.p90), "label": f"{middle}  ({early}–{late})",
            }
        )
    horizon = max((stage.end.p90 for stage in stages), default=12.0)
    x = _time(start.isoformat(), when(horizon), year_axis())
    y: Spec = {
        "field": "row", "type": "nominal", "sort": [row["row"] for row in rows],
        "axis": {"title": None, "labelColor": INK, "labelLimit": 240, "labelPadding": 8},
    }
    layers: list[Json] = [
        {
            "mark": {
                "type": "bar", "height": 12, "color": ACCENT, "opacity": 0.75,
            },
            "encoding": {"x": {"field": "from"} | x, "x2": {"field": "to"}},
        },
        {
            "mark": {
                "type": "rule", "strokeWidth": 1.6, "color": WARN,
            },
            "encoding": {"x": {"field": "early"} | x, "x2": {"field": "late"}},
        },
        {
            "mark": {
                "type": "point", "shape": "circle", "filled": True, "opacity": 1, "size": 26,
                "color": WARN,
            },
            "encoding": {"x": {"field": "to"} | x},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 8},
            "encoding": {"x": {"field": "late"} | x, "text": {"field": "label"}},
        },
    ]
    return chart(
        {
            "data": values(rows), "width": width - 315,
            "height": {"step": 28}, "encoding": {"y": y}, "layer": layers,
        }
    )
