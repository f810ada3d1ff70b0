"""Charts that compare: the ways, what a query's cost is made of, and what moves the answer.

Each function gives a Vega-Lite specification as plain data, at a stated total width [px];
`canvas.as_svg` makes the SVG.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fabless.decide import BuildUpRow, Sensitivity, WayResult
from fabless.plan import ProjectPlan
from fabless.report.canvas import (
    ACCENT,
    GRID,
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
    ink_on,
    values,
)
from fabless.wording import cent_decimals, cents, cents_band, in_percent, plain

MOST_ROWS = 10
MOST_CHIPS = 16
LEAST_ODDS = 0.005
"""Probability from which a step of a programme is worth a word."""


def ranked(strategies: Sequence[WayResult], recommended: str) -> list[WayResult]:
    """Order the ways: the recommended first, then by regret."""
    return sorted(strategies, key=lambda way: (way.name != recommended, way.regret_usd, way.name))


def is_begun(gate: ProjectPlan) -> bool:
    """Whether a programme is started, now or later, in more than a few scenarios."""
    return gate.start_probability >= LEAST_ODDS


def is_dropped(way: WayResult) -> bool:
    """Whether a way starts a programme only since it must, and carries it through in no
    scenario."""
    return way.programme is not None and way.programme.is_given_up


def goes_on(gate: ProjectPlan) -> bool:
    """Whether a programme that is begun goes on past a gate in more than a few scenarios."""
    return any(step.start + step.go_on >= LEAST_ODDS for step in gate.steps)


def comparison(strategies: Sequence[WayResult], recommended: str, width: int) -> Spec:
    """Draw P10 to P90 and the median of every way's cost per query, beside its chance of a
    shortage."""
    ways = ranked(strategies, recommended)
    decimals = cent_decimals(way.cost_per_query_usd.p50 for way in ways)
    rows: list[dict[str, Json]] = []
    for way in ways:
        band = way.cost_per_query_usd
        label = cents(band.p50, decimals) + f"  ({cents_band(band, decimals)})"
        rows.append(
            {
                "way": way.label, "p10": band.p10 * 100, "p50": band.p50 * 100,
                "p90": band.p90 * 100, "label": label, "best": way.name == recommended,
                "short": way.shortage_probability,
                "short_label": in_percent(way.shortage_probability),
            }
        )
    y: Spec = {
        "field": "way", "type": "nominal", "sort": [way.label for way in ways],
        "axis": {
            "title": None, "labelColor": INK, "labelFontSize": 12, "labelLimit": 110,
            "labelPadding": 10,
        },
    }
    colour: Spec = {"condition": {"test": "datum.best", "value": ACCENT}, "value": OTHER}
    height: Spec = {"step": 30}
    cost_width, short_width, gap = width - 390, 140, 128
    reach = max((way.cost_per_query_usd.p90 for way in ways), default=0.0) * 100 or 1.0
    x: Spec = {"type": "quantitative", "scale": {"domain": [0, reach * 1.02], "nice": False},
               "axis": {"title": None, "grid": True, "tickCount": 4}}
    cost: Spec = {
        "width": cost_width, "height": height, "title": "Cost per query, cents",
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "height": 9, "opacity": 0.35},
                "encoding": {"x": {"field": "p10"} | x, "x2": {"field": "p90"}, "color": colour},
            },
            {
                "mark": {
                    "type": "circle", "size": 110, "opacity": 1, "stroke": SURFACE,
                    "strokeWidth": 1.5,
                },
                "encoding": {"x": {"field": "p50"} | x, "color": colour},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 7},
                "encoding": {"x": {"field": "p90"} | x, "text": {"field": "label"}},
            },
        ],
    }
    whole: Spec = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1]}, "stack": None}
    short: Spec = {
        "width": short_width, "height": height,
        "title": "Chance of shortage",
        "encoding": {"y": y | {"axis": None}},
        "layer": [
            {
                "mark": {"type": "bar", "height": 9, "color": GRID},
                "encoding": {"x": {"datum": 1} | whole},
            },
            {
                "mark": {"type": "bar", "height": 9, "color": WARN},
                "encoding": {"x": {"field": "short"} | whole},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 7},
                "encoding": {"x": {"datum": 1} | whole, "text": {"field": "short_label"}},
            },
        ],
    }
    return chart({"data": values(rows), "hconcat": [cost, short], "spacing": gap, "bounds": "flush"})


def parts_of(lines: Sequence[BuildUpRow]) -> list[str]:
    """Parts of the build-up in the order in which they first appear."""
    return list(dict.fromkeys(line.part for line in lines))


def part_colour(parts: Sequence[str], part: str) -> str:
    """Colour of a part, the same in chart and table."""
    place = parts.index(part)
    return SERIES[place] if place < len(SERIES) else OTHER


def build_up_chart(
    lines: Sequence[BuildUpRow], width: int, *, parts: Sequence[str] | None = None
) -> Spec:
    """Stack the parts of a query's cost, one bar for each load on each chip (the first sixteen);
    `parts` in the order of their colours, where other pictures share them."""
    parts = parts_of(lines) if parts is None else list(parts)
    names = list(dict.fromkeys(line.title for line in lines))[:MOST_CHIPS]
    totals = {name: sum(line.usd for line in lines if line.title == name) for name in names}
    decimals = cent_decimals(totals.values())
    inner = width - 60
    reach = max(totals.values(), default=0.0) * 100 or 1.0
    rows: list[dict[str, Json]] = []
    ends: list[dict[str, Json]] = []
    for name in names:
        at = 0.0
        for line in lines:
            if line.title != name:
                continue
            size = line.usd * 100
            fits = size / reach * inner > 34
            rows.append(
                {
                    "row": name, "part": line.part, "from": at, "to": at + size,
                    "middle": at + size / 2, "label": cents(line.usd, decimals + 1) if fits else "",
                    "ink": ink_on(part_colour(parts, line.part)),
                }
            )
            at += size
        ends.append({"row": name, "to": at, "label": cents(totals[name], decimals)})
    y: Spec = {"field": "row", "type": "nominal", "sort": names, "axis": None}
    x: Spec = {"type": "quantitative", "scale": {"domain": [0, reach], "nice": False}, "axis": None}
    legend: Spec = {"columns": 0}
    colour: Spec = {
        "field": "part", "type": "nominal", "sort": parts, "legend": legend,
        "scale": {"domain": parts, "range": [part_colour(parts, part) for part in parts]},
    }
    return chart(
        {
            "width": inner, "height": {"step": 46}, "encoding": {"y": y},
            "layer": [
                {
                    "data": values(rows),
                    "mark": {
                        "type": "bar", "height": 18, "yOffset": 8, "stroke": SURFACE,
                        "strokeWidth": 1,
                    },
                    "encoding": {
                        "x": {"field": "from"} | x, "x2": {"field": "to"}, "color": colour,
                    },
                },
                {
                    "data": values(rows), "mark": {"type": "text", "dy": 8, "fontSize": 10},
                    "encoding": {
                        "x": {"field": "middle"} | x, "text": {"field": "label"},
                        "color": {"field": "ink", "type": "nominal", "scale": None},
                    },
                },
                {
                    "data": values(ends),
                    "mark": {
                        "type": "text", "align": "left", "dx": 7, "dy": 8, "fontWeight": "bold",
                    },
                    "encoding": {"x": {"field": "to"} | x, "text": {"field": "label"}},
                },
                {
                    "data": values(ends), "mark": {"type": "text", "align": "left", "dy": -11},
                    "encoding": {"x": {"datum": 0} | x, "text": {"field": "row"}},
                },
            ],
        }
    )


def sensitivity(
    inputs: Sequence[Sensitivity], base_usd: float, width: int,
    called: Callable[[str], str] = str,
) -> Spec:
    """Draw the tornado: cost per query of the recommended way with each input at its low and at its
    high end; `called` gives what people call a way."""
    shown = inputs[:MOST_ROWS]
    rows: list[dict[str, Json]] = []
    for effect in shown:
        what, bracket, whose = effect.label.partition(" (")
        name = f"{what} [{effect.unit}]{bracket}{whose}" if effect.unit not in ("", "1") else effect.label
        for end, value, cost, best in (
            ("low end", effect.low, effect.cost_low_usd, effect.best_low),
            ("high end", effect.high, effect.cost_high_usd, effect.best_high),
        ):
            other = effect.cost_high_usd if end == "low end" else effect.cost_low_usd
            left = cost < other or (cost == other and end == "low end")
            flips = "" if best is None or best == effect.best_usual else f"({called(best)} first)"
            text = " ".join(word for word in ((flips, plain(value)) if left else (plain(value), flips)) if word)
            side = min(cost, base_usd) if left else max(cost, base_usd)
            rows.append(
                {
                    "row": name, "end": end, "cost": cost * 100, "base": base_usd * 100,
                    "label": text, "beside": side * 100, "left": left, "flips": bool(flips),
                }
            )
    costs = (
        [effect.cost_low_usd * 100 for effect in shown]
        + [effect.cost_high_usd * 100 for effect in shown]
        + [base_usd * 100]
    )
    low, high = min(costs), max(costs)
    room = max(high - low, high * 1e-6) * 0.28
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [low - room, high + room], "nice": False, "zero": False},
        "axis": {
            "title": "Cost per query of the recommended way, cents", "grid": True, "tickCount": 5,
            "labelExpr": "datum.value < 0 ? '' : datum.label",
        },
    }
    y: Spec = {
        "field": "row", "type": "nominal",
        "sort": list(dict.fromkeys(str(row["row"]) for row in rows)),
        "axis": {
            "title": None, "labelColor": INK, "labelLimit": 215, "labelPadding": 8,
            "labelExpr": IN_TWO_LINES,
        },
    }
    colour: Spec = {
        "field": "end", "type": "nominal", "sort": ["low end", "high end"], "legend": {},
        "scale": {"domain": ["low end", "high end"], "range": [SERIES[1], SERIES[0]]},
    }
    said: Spec = {"condition": {"test": "datum.flips", "value": WARN}, "value": MUTED}
    layers: list[Json] = [
        {
            "mark": {"type": "bar", "height": 13},
            "encoding": {"x": {"field": "base"} | x, "x2": {"field": "cost"}, "color": colour},
        },
        {
            "transform": [{"filter": "datum.left"}],
            "mark": {"type": "text", "align": "right", "dx": -5},
            "encoding": {"x": {"field": "beside"} | x, "text": {"field": "label"}, "color": said},
        },
        {
            "transform": [{"filter": "!datum.left"}],
            "mark": {"type": "text", "align": "left", "dx": 5},
            "encoding": {"x": {"field": "beside"} | x, "text": {"field": "label"}, "color": said},
        },
    ]
    layers.append({"mark": {"type": "rule", "color": INK}, "encoding": {"x": {"datum": base_usd * 100} | x, "y": None}})
    return chart(
        {
            "data": values(rows), "width": width - 205,
            "height": {"step": 28}, "encoding": {"y": y}, "layer": layers,
        }
    )
