"""What all charts share: colours, type, size, direct labels that do not collide, and drawing
without a browser.

Ink, muted, grid and surface are written as the fixed colours below; the report's style sheet swaps
exactly these for its dark theme. The series colours are those of Okabe and Ito (2008) without the
yellow: told apart by colour-blind readers and visible on white and on dark ground alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TypeAlias

import vl_convert

from fabless.units import Quarter

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Spec: TypeAlias = dict[str, Json]

INK = "#1b1f24"
MUTED = "#57606a"
GRID = "#dde2e7"
SURFACE = "#fefefe"
ACCENT = "#0072b2"
OTHER = "#8c959f"
WARN = "#c4500a"
SERIES = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7", "#d55e00", "#6a6fb8")
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"

WIDE = 720
"""Width [px] in which every chart is drawn, whatever the screen: on a telephone it keeps its size
and scrolls within its figure."""
IN_TWO_LINES = "length(datum.label) > 30 ? split(replace(datum.label, ' (', '~('), '~') : datum.label"
"""Writes a long label of a row in two lines, the second from its bracket on."""
LABEL_GAP = 13.0

_VEGA_LITE = "6.1"
_NEEDLESS = re.compile(
    r' (?:class|aria-hidden|aria-roledescription|pointer-events|font-family|stroke-miterlimit)="[^"]*"'
    r'|(?<=.) role="graphics-[^"]*"| opacity="1"| xmlns:xlink="[^"]*"'
    r'| text-anchor="start"| stroke-width="1"| font-size="11px"| transform="translate\(0,0\)"')
"""Attributes that change nothing to be seen in a picture that nobody points at."""
_PLACES = re.compile(r' (?:d|transform|x|y|x1|x2|y1|y2|dx|dy|cx|cy|r|width|height|viewBox)="[^"]*"')
"""Attributes that are coordinates."""
_AXIS: Spec = {
    "domainColor": GRID, "gridColor": GRID, "tickColor": GRID, "labelColor": MUTED,
    "titleColor": MUTED, "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 11,
    "labelPadding": 5, "ticks": False,
    "domain": False,
}


def chart(body: Spec) -> Spec:
    """Wrap the body of a specification with the common look."""
    config: Spec = {
        "aria": False, "font": FONT, "background": None, "view": {"stroke": None}, "axis": _AXIS,
        "text": {"color": INK, "fontSize": 11}, "concat": {"spacing": 18},
        "title": {
            "anchor": "start", "color": MUTED, "fontSize": 11, "fontWeight": "normal", "offset": 8,
            "frame": "group",
        },
        "legend": {
            "labelColor": INK, "labelFontSize": 11, "symbolType": "square", "symbolSize": 90,
            "title": None, "orient": "top", "offset": 6, "labelLimit": 260,
        },
    }
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "padding": 2, "config": config, **body}


def values(rows: Sequence[Mapping[str, Json]]) -> Spec:
    """Put rows inline, numbers with nine significant digits so that noise in the last bit draws the
    same picture."""
    return {
        "values": [
            {
                key: float(f"{cell:.9g}") if isinstance(cell, float) else cell
                for key, cell in row.items()
            }
            for row in rows
        ]
    }


def day(quarter: str) -> str:
    """Return the first day of a quarter as text: ``2024Q3`` is ``2024-07-01``."""
    when = Quarter.parse(quarter)
    return f"{when.year}-{3 * when.number - 2:02d}-01"


def year_axis() -> Spec:
    """Make a time axis with a line at each new year and its number to the right of it."""
    return {"format": "%Y", "tickCount": "year", "grid": True, "title": None, "labelOverlap": True,
            "labelSeparation": 5, "labelAlign": "left", "labelPadding": 6}


def spread(positions: Sequence[float], low: float, high: float, gap: float = LABEL_GAP) -> list[float]:
    """Move label positions apart so that neighbours keep `gap` and all stay within [low, high]
    where they fit.

    Order is kept; `positions` need not be sorted.

    >>> spread([50.0, 52.0, 90.0], 0.0, 100.0, 10.0)
    [50.0, 60.0, 90.0]
    """
    order = sorted(range(len(positions)), key=lambda k: (positions[k], k))
    moved = [0.0] * len(positions)
    floor = low
    for k in order:
        moved[k] = max(positions[k], floor)
        floor = moved[k] + gap
    ceiling = high
    for k in reversed(order):
        moved[k] = min(moved[k], ceiling)
        ceiling = moved[k] - gap
    return moved


def ink_on(fill: str) -> str:
    """Return white or near-black, whichever reads better on a `#rrggbb` fill (WCAG relative
    luminance)."""
    channels = [int(fill[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if luminance < 0.18 else "#0d1117"


def as_svg(spec: Spec, label: str) -> str:
    """Draw a specification as SVG text to be put into a page, with `label` as its text for those
    who do not see it."""
    svg: str = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=_VEGA_LITE)
    opening = f'<svg role="img" aria-label="{escape(label, quote=True)}" font-family="{FONT}" font-size="11px" '
    return re.sub(r"^\s*<svg ", lambda _: opening, compact_svg(svg), count=1).strip()


def compact_svg(svg: str) -> str:
    """Leave out of a drawn picture what nobody sees: digits of a coordinate below a tenth of a
    pixel, unpainted frames, and attributes that repeat what holds without them.

    Text is left as it is.

    >>> compact_svg('<text x="1.04999" opacity="1">1.04999</text>')
    '<text x="1">1.04999</text>'
    """
    painted = re.sub(r'<path class="(?:background|foreground)"(?![^>]* (?:fill|stroke)=)[^>]*/>', "", svg)
    return _without_bare_groups(re.sub(r"<[a-z][^>]*>", _compact_tag, painted))


def _without_bare_groups(svg: str) -> str:
    """Leave out the groups that say nothing of what they hold, and those that hold nothing.

    >>> _without_bare_groups('<g><g fill="none"><g>x</g></g><g fill="red"></g></g>')
    '<g fill="none">x</g>'
    """
    kept: list[str] = []
    bare: list[bool] = []
    for piece in re.split(r"(</?g[^>]*>)", svg):
        if piece == "</g>":
            if bare.pop():
                continue
            if kept[-1].startswith("<g "):
                kept.pop()
                continue
        elif re.match(r"<g[ >]", piece):
            bare.append(piece == "<g>")
            if bare[-1]:
                continue
        if piece:
            kept.append(piece)
    return "".join(kept)


def _compact_tag(tag: re.Match[str]) -> str:
    return _PLACES.sub(_rounded, _NEEDLESS.sub("", tag.group()))


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-\d+", _tenth, attribute.group())


def _tenth(number: re.Match[str]) -> str:
    """A coordinate to a tenth; `+ 0.0` turns minus nought into nought."""
    text = f"{round(float(number.group()), 1) + 0.0:g}"
    return text if "e" not in text else f"{float(text):.1f}"
