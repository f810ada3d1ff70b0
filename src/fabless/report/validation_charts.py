"""Charts of a validation: predicted against measured, and how errors spread in each group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabless.report.canvas import (
    ACCENT,
    GRID,
    INK,
    MUTED,
    OTHER,
    SERIES,
    SURFACE,
    Json,
    Spec,
    chart,
    values,
)
from fabless.validate import ComparedRow

MOST_POINTS = 1500
"""Points that a picture of all panels draws at most; beyond, one in so many rows, evenly."""
MOST_PANELS = 9
MOST_CHIPS = len(SERIES)
MOST_GROUPS = 14


@dataclass(frozen=True)
class Panel:
    """A panel of the scatter picture: the quantities it holds, and the unit in which it shows
    them."""

    title: str
    quantities: tuple[str, ...]
    per_si: float = 1.0


PANELS = (
    Panel("Time per output token, ms", ("tpot",), 1e3),
    Panel("Time to first token, s", ("ttft",)),
    Panel(
        "Throughput, output token/s", ("output tok/s total", "output tok/s per chip", "total tok/s")
    ),
    Panel("Training, token/s a chip", ("tokens/s per chip",)),
    Panel("Training step, s", ("step time",)),
    Panel("Kernel time, ms", ("kernel time",), 1e3),
    Panel("Power, W a chip", ("power per chip",)),
    Panel("End to end, s", ("end to end",)),
    Panel("Energy, J an output token", ("energy per output token",)),
)
_REST = "other chips"


def predicted_rows(rows: Sequence[ComparedRow]) -> list[ComparedRow]:
    """Rows that have both values."""
    return [row for row in rows if row.predicted is not None and row.measured is not None]


def thinned(rows: Sequence[ComparedRow], most: int) -> list[ComparedRow]:
    """At most so many rows, evenly over their order."""
    step = max(1, math.ceil(len(rows) / most))
    return list(rows[::step])


def decades(low: float, high: float) -> list[float]:
    """Powers of ten within two ends; with fewer than two of them, also twice and five times each.

    >>> decades(0.5, 200.0), decades(3.0, 60.0)
    ([1.0, 10.0, 100.0], [5.0, 10.0, 20.0, 50.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(tens) > 5:
        return tens[:: math.ceil(len(tens) / 5)]
    if len(tens) > 1:
        return tens
    return [
        step * 10.0**power
        for power in powers
        for step in (1.0, 2.0, 5.0)
        if low <= step * 10.0**power <= high
    ]


def _panel(
    panel: Panel, rows: Sequence[ComparedRow], colours: dict[str, str], side: int,
    legend: Spec | None,
) -> Spec:
    points: list[dict[str, Json]] = []
    for row in rows:
        assert row.measured is not None
        assert row.predicted is not None
        chip = row.groups["chip"]
        points.append(
            {
                "measured": row.measured * row.scale * panel.per_si,
                "predicted": row.predicted * row.scale * panel.per_si,
                "chip": chip if chip in colours else _REST,
            }
        )
    ends = [float(str(point[name])) for point in points for name in ("measured", "predicted")]
    low, high = min(ends) / 1.15, max(ends) * 1.15
    lines: list[Spec] = [
        {"data": values([{"x": start, "y": start * ratio}, {"x": end, "y": end * ratio}]),
         "mark": {"type": "line", "strokeWidth": 1, "color": INK if ratio == 1.0 else MUTED,
                  "strokeDash": [1, 0] if ratio == 1.0 else [3, 3]}}
        for ratio, start, end in ((0.8, low / 0.8, high), (1.0, low, high), (1.2, low, high / 1.2))]
    axis: Spec = {"grid": True, "values": decades(low, high),
                  "labelExpr": "format(datum.value, datum.value < 1000 ? '~g' : '~s')"}
    scale: Spec = {"type": "log", "domain": [low, high], "nice": False}
    x: Spec = {"type": "quantitative", "scale": scale, "axis": axis | {"title": "Measured"}}
    y: Spec = {"type": "quantitative", "scale": scale, "axis": axis | {"title": "Predicted"}}
    names = [*colours, _REST]
    colour: Spec = {
        "field": "chip", "type": "nominal",
        "scale": {"domain": names, "range": [*colours.values(), OTHER]}, "legend": legend,
    }
    ruled: list[Json] = [
        line | {"encoding": {"x": {"field": "x"} | x, "y": {"field": "y"} | y}} for line in lines
    ]
    return {
        "width": side, "height": side, "title": panel.title,
        "layer": [
            *ruled,
            {
                "data": values(points), "mark": {"type": "circle", "size": 14, "opacity": 0.65},
                "encoding": {
                    "x": {"field": "measured"} | x, "y": {"field": "predicted"} | y,
                    "color": colour,
                },
            },
        ],
    }


def scatter_chart(rows: Sequence[ComparedRow], width: int) -> Spec:
    """Draw predicted over measured on logarithmic axes, a panel a quantity, coloured by chip.

    The full line is where both are equal, the broken ones 20 % to either side.
    """
    known = predicted_rows(rows)
    sizes = Counter(row.groups["chip"] for row in known)
    chips = [
        name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:MOST_CHIPS]
    ]
    colours = dict(zip(chips, SERIES, strict=False))
    panels = [
        (panel, of_panel)
        for panel in PANELS
        if (of_panel := [row for row in known if row.quantity in panel.quantities])
    ]
    panels = panels[:MOST_PANELS]
    across = min(3, len(panels))
    side = int(width / across) - (70 if across > 1 else 90)
    most = max(1, MOST_POINTS // max(1, len(panels)))
    legend: Spec = {"columns": 4, "symbolType": "circle"}
    drawn: list[Json] = [
        _panel(panel, thinned(own, most), colours, side, legend) for panel, own in panels
    ]
    return chart(
        {
            "concat": drawn, "columns": across, "resolve": {"scale": {"color": "shared"}},
            "spacing": 24,
        }
    )


def spread_of_groups(rows: Sequence[ComparedRow], key: str, width: int) -> Spec:
    """Draw, for each of the largest groups, P10 to P90 and the median of predicted over
    measured."""
    members: dict[str, list[float]] = {}
    for row in predicted_rows(rows):
        assert row.measured is not None
        assert row.predicted is not None
        members.setdefault(", ".join(row.groups[part] for part in key.split("+")), []).append(
            row.predicted / row.measured
        )
    largest = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_GROUPS]
    if "+" in key:
        largest.sort()
    drawn: list[dict[str, Json]] = []
    for name, ratios in largest:
        p10, p25, p50, p75, p90 = (
            float(end) for end in np.percentile(ratios, [10, 25, 50, 75, 90])
        )
        drawn.append({"group": name, "p10": p10, "p25": p25, "p50": p50, "p75": p75, "p90": p90,
                      "label": f"{len(ratios):,}"})
    low = min([0.5, *(float(str(row["p10"])) for row in drawn)]) / 1.05
    high = max([2.0, *(float(str(row["p90"])) for row in drawn)]) * 1.05
    ticks: list[Json] = [
        tick for tick in (0.1, 0.2, 0.5, 0.8, 1.0, 1.2, 2.0, 5.0, 10.0) if low <= tick <= high
    ]
    x: Spec = {
        "type": "quantitative", "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {"title": "Predicted over measured", "grid": True, "values": ticks, "format": "~g"},
    }
    y: Spec = {
        "field": "group", "type": "nominal", "sort": [row["group"] for row in drawn],
        "axis": {
            "title": None, "labelColor": INK, "labelLimit": 230, "labelPadding": 8,
        },
    }
    return chart(
        {
            "data": values(drawn), "width": width - 310, "height": {"step": 24},
            "encoding": {"y": y},
            "layer": [
                {
                    "mark": {"type": "bar", "height": 3, "color": GRID},
                    "encoding": {"x": {"field": "p10"} | x, "x2": {"field": "p90"}},
                },
                {
                    "mark": {
                        "type": "bar", "height": 9, "color": ACCENT, "opacity": 0.4,
                    },
                    "encoding": {"x": {"field": "p25"} | x, "x2": {"field": "p75"}},
                },
                {
                    "mark": {
                        "type": "circle", "size": 80, "opacity": 1, "color": ACCENT,
                        "stroke": SURFACE, "strokeWidth": 1.5,
                    },
                    "encoding": {"x": {"field": "p50"} | x},
                },
                {
                    "mark": {"type": "rule", "color": INK},
                    "encoding": {"x": {"datum": 1.0} | x, "y": None},
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 6, "color": MUTED},
                    "encoding": {"x": {"datum": high} | x, "text": {"field": "label"}},
                },
            ],
        }
    )
