"""The picture of a chip programme: its stages in time, how it ends, and what is spent, each with
its band."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from fabless.programme.draws import OutcomeKind
from fabless.programme.study import ProgrammeStudy
from fabless.report.canvas import ACCENT, INK, MUTED, WARN, Json, Spec, chart, day, spread, values, year_axis
from fabless.units import MONTH_S, Quarter
from fabless.wording import in_percent, usd

_LABELS = 150
"""Room for the names of rows at the left [px]."""
_ROOM = 150
"""Room for direct labels at the right [px]."""
_WORDS: Mapping[OutcomeKind, str] = {
    OutcomeKind.VOLUME: "reaches volume", OutcomeKind.LIMITED: "small deployment only",
    OutcomeKind.CANCELLED: "cancelled", OutcomeKind.BID_FAILED: "bid fails"}


def label(study: ProgrammeStudy) -> str:
    """Say in words what the picture shows, for those who do not see it."""
    who = study.route.value if study.candidate is None else f"{study.route.value} {study.candidate.title}"
    band = study.summary.outcome_bands[OutcomeKind.VOLUME]
    volume = "never in volume"
    if study.volume is not None:
        volume = f"volume {study.volume[1]}, {study.volume[0]} to {study.volume[2]}"
    return f"Timeline of {who} from {study.start}: {volume}; {in_percent(band.mean)} of the draws reach it"


def picture(study: ProgrammeStudy, width: int) -> Spec:
    """Draw stages as bars from median start to median end with P10 to P90 of the end, outcome
    shares, and spend."""
    panels: list[Json] = [_timeline(study, width), _outcomes(study, width), _spend(study, width)]
    who = study.route.value if study.candidate is None else f"{study.route.value} {study.candidate.title}"
    heading: Spec = {
        "text": f"{who}, started {study.start}, as known on {study.as_of}", "anchor": "start",
        "color": INK, "fontSize": 13, "fontWeight": "bold", "offset": 10,
    }
    return chart({"title": heading, "vconcat": panels, "spacing": 26})


def _inner(width: int) -> int:
    return width - _LABELS - _ROOM


def _timeline(study: ProgrammeStudy, width: int) -> Spec:
    begin = dt.date.fromisoformat(day(study.start))

    def when(months: float) -> str:
        return (begin + dt.timedelta(seconds=months * MONTH_S)).isoformat()

    def quarter(months: float) -> str:
        return str(Quarter.parse(study.start).at_month(months))

    stages = sorted(study.summary.stages, key=lambda stage: (stage.end_month.p50, stage.start_month.p50))
    rows: list[dict[str, Json]] = []
    for stage in stages:
        end = stage.end_month
        rows.append(
            {
                "row": stage.name, "from": when(stage.start_month.p50), "to": when(end.p50),
                "early": when(end.p10), "late": when(end.p90),
                "label": f"{quarter(end.p50)} ({quarter(end.p10)}–{quarter(end.p90)})",
            }
        )
    horizon = max((stage.end_month.p90 for stage in stages), default=12.0)
    x: Spec = {"type": "temporal", "axis": year_axis(),
               "scale": {"type": "utc", "domain": [begin.isoformat(), when(horizon)]}}
    y: Spec = {"field": "row", "type": "nominal", "sort": [row["row"] for row in rows], "axis": _names()}
    return {
        "data": values(rows), "width": _inner(width), "height": {"step": 22}, "encoding": {"y": y},
        "title": "Stages of the draws that complete them: bar P50 to P50, line P10 to P90 of the end",
        "layer": [
            {
                "mark": {
                    "type": "bar", "height": 11, "color": ACCENT, "opacity": 0.75,
                },
                "encoding": {"x": {"field": "from"} | x, "x2": {"field": "to"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.6, "color": WARN},
                "encoding": {"x": {"field": "early"} | x, "x2": {"field": "late"}},
            },
            {
                "mark": {
                    "type": "point", "shape": "circle", "filled": True, "opacity": 1, "size": 24,
                    "color": WARN,
                },
                "encoding": {"x": {"field": "to"} | x},
            },
            {
                "mark": {"type": "text", "align": "left"},
                "encoding": {"x": {"value": _inner(width) + 8}, "text": {"field": "label"}},
            },
        ],
    }


def _names() -> Spec:
    return {
        "title": None, "labelColor": INK, "labelPadding": 8, "minExtent": _LABELS - 10,
        "maxExtent": _LABELS - 10, "labelLimit": _LABELS - 14,
    }


def _outcomes(study: ProgrammeStudy, width: int) -> Spec:
    rows: list[dict[str, Json]] = [
        {"row": _WORDS[kind], "mean": band.mean, "low": band.low, "high": band.high,
         "label": f"{in_percent(band.mean)} ({in_percent(band.low)}–{in_percent(band.high)})"}
        for kind, band in study.summary.outcome_bands.items() if band.high > 0]
    x: Spec = {"type": "quantitative", "scale": {"domain": [0, 1], "nice": False},
               "axis": {"title": None, "format": "%", "tickCount": 5, "grid": True}}
    y: Spec = {"field": "row", "type": "nominal", "sort": [row["row"] for row in rows], "axis": _names()}
    return {
        "data": values(rows), "width": _inner(width), "height": {"step": 22}, "encoding": {"y": y},
        "title": f"How it ends: mean and 90% credible band, {study.reference.ended.cases:g} cases of this kind",
        "layer": [
            {
                "mark": {
                    "type": "bar", "height": 11, "color": ACCENT, "opacity": 0.75,
                },
                "encoding": {"x": {"field": "mean"} | x},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.6, "color": WARN},
                "encoding": {"x": {"field": "low"} | x, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "text", "align": "left"},
                "encoding": {"x": {"value": _inner(width) + 8}, "text": {"field": "label"}},
            },
        ],
    }


def _spend(study: ProgrammeStudy, width: int) -> Spec:
    inner, height = _inner(width), 130
    rows: list[dict[str, Json]] = [
        {"when": day(quarter), "p10": band.p10, "p50": band.p50, "p90": band.p90}
        for quarter, band in study.spend_by_quarter_usd
    ]
    last = study.spend_by_quarter_usd[-1][1]
    top = max(band.p90 for _, band in study.spend_by_quarter_usd) * 1.03 or 1.0
    ends = (("P90", last.p90), ("P50", last.p50), ("P10", last.p10))
    places = spread([height * (1.0 - value / top) for _, value in ends], 5.0, height - 5.0)
    labels: list[dict[str, Json]] = [
        {"label": f"{name}  {usd(value)}", "place": place, "middle": name == "P50"}
        for (name, value), place in zip(ends, places, strict=True)
    ]
    x: Spec = {"field": "when", "type": "temporal", "axis": year_axis(),
               "scale": {"type": "utc", "domain": [rows[0]["when"], rows[-1]["when"]]}}
    y: Spec = {
        "type": "quantitative", "scale": {"domain": [0, top], "nice": False},
        "axis": {
            "title": None, "grid": True, "tickCount": 4,
            "labelExpr": "'$' + replace(format(datum.value, '~s'), 'G', 'B')",
            "minExtent": _LABELS - 10, "maxExtent": _LABELS - 10,
        },
    }
    return {
        "width": inner, "height": height,
        "title": "Cumulative spend over all draws, P10 to P90 and P50", "data": values(rows),
        "layer": [
            {
                "mark": {"type": "area", "color": ACCENT, "opacity": 0.22},
                "encoding": {"x": x, "y": {"field": "p10"} | y, "y2": {"field": "p90"}},
            },
            {
                "mark": {"type": "line", "color": ACCENT, "strokeWidth": 2},
                "encoding": {"x": x, "y": {"field": "p50"} | y},
            },
            {
                "data": values(labels), "mark": {"type": "text", "align": "left"},
                "encoding": {
                    "x": {"value": inner + 8}, "text": {"field": "label"},
                    "y": {"field": "place", "type": "quantitative", "scale": None, "axis": None},
                    "color": {"condition": {"test": "datum.middle", "value": INK}, "value": MUTED},
                },
            },
        ],
    }
