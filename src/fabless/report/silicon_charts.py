"""Charts of silicon: the build-up of a unit cost as a waterfall."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.report.canvas import ACCENT, INK, MUTED, OTHER, SERIES, Json, Spec, chart, values
from fabless.silicon import SheetRow
from fabless.wording import usd

_SCRAP = ("scrapped dies", "scrapped memory", "other scrap")


def waterfall(lines: Sequence[SheetRow], total: str, last: SheetRow | None, width: int) -> Spec:
    """Draw each line of a cost on the shoulders of those before it, then their sum, then the price
    asked for it."""
    rows: list[dict[str, Json]] = []
    at = 0.0
    for line in lines:
        kind = SERIES[3] if line.name in _SCRAP else SERIES[1]
        rows.append({"row": line.name, "from": at, "to": at + line.value, "label": usd(line.value), "colour": kind})
        at += line.value
    rows.append({"row": total, "from": 0.0, "to": at, "label": usd(at), "colour": ACCENT})
    if last is not None:
        rows.append({"row": last.name, "from": 0.0, "to": last.value, "label": usd(last.value), "colour": OTHER})
    reach = max(float(str(row["to"])) for row in rows)
    x: Spec = {"type": "quantitative", "scale": {"domain": [0, reach * 1.12], "nice": False},
               "axis": {"title": "USD", "titleColor": MUTED, "grid": True, "tickCount": 5}}
    y: Spec = {"field": "row", "type": "nominal", "sort": [str(row["row"]) for row in rows],
               "axis": {"title": None, "labelColor": INK, "labelLimit": 190, "labelPadding": 8}}
    return chart({
        "data": values(rows), "width": width - 210, "height": {"step": 26}, "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar", "height": 15}, "encoding": {
                "x": {"field": "from"} | x, "x2": {"field": "to"},
                "color": {"field": "colour", "type": "nominal", "scale": None}}},
            {"mark": {"type": "text", "align": "left", "dx": 6}, "encoding": {
                "x": {"field": "to"} | x, "text": {"field": "label"}}},
        ],
    })
