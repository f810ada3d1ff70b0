"""Twenty dots a way as static pictures, for paper and for pages that run no script.

A dot is one future in twenty at its exact cost: filled where it is served, a ring where it falls
short; a line stands at the middle future. All rows share one axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log
from typing import Any

from markupsafe import Markup

from fabless import wording
from fabless.report.page.sentences import Page, of_hundred
from fabless.report.page.texts import said

COLOURS = ("#1652CA", "#0D5054", "#6B7280", "#7A2C0A", "#C639AE", "#97690A", "#3F6212", "#5B21B6")
"""Colours of the ways by their slot, as the page has them on white."""
_LOG_FROM = 6.0
"""Dearest dot over the cheapest from which the axis is logarithmic."""
_WIDTH, _ROW, _AIR, _DOT = 380.0, 26.0, 12.0, 4.4
"""Sizes of a row of dots [px]: width, height, room at both ends, radius."""
_NAMES, _FIGURES, _TOP, _HIGH = 190.0, 90.0, 64.0, 38.0
"""Sizes of the whole picture [px]: room for names, for each figure, above the rows, and of a row."""


def _place(page: Page) -> tuple[float, float, bool]:
    costs = [dot["c"] for way in page["ways"] for dot in way["dots"]]
    low, high = min(costs), max(costs)
    if high <= low:
        return low - 0.5 * abs(low) - 1e-9, high + 0.5 * abs(high) + 1e-9, False
    return low, high, low > 0.0 and high / low >= _LOG_FROM


def _across(page: Page, cost: float) -> float:
    low, high, is_log = _place(page)
    share = (log(cost / low) / log(high / low)) if is_log else (cost - low) / (high - low)
    return _AIR + share * (_WIDTH - 2.0 * _AIR)


def axis_of(page: Page) -> list[tuple[float, str]]:
    """Ticks of the axis over the rows: place [px] and cents."""
    low, high, is_log = _place(page)
    return [(_across(page, cost), wording.plain(cost * 100.0))
            for cost in tick_values(low, high, is_log=is_log)]


def tick_values(low: float, high: float, *, is_log: bool) -> list[float]:
    """Round values on an axis: 1, 2 and 5 of each power of ten, or equal steps.

    >>> [round(value, 2) for value in tick_values(0.02, 0.42, is_log=True)]
    [0.02, 0.05, 0.1, 0.2]
    >>> tick_values(0.0, 1.0, is_log=False)
    [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
    """
    if is_log:
        return [value for power in range(-15, 15) for step in (1, 2, 5)
                if low * 0.9999 <= (value := step * 10.0**power) <= high * 1.0001]
    size = 10.0 ** int(f"{(high - low) / 2.0:e}".split("e")[1])
    step = next(step * size for step in (0.2, 0.5, 1.0, 2.0, 5.0) if (high - low) / (step * size) < 5.01)
    return [k * step for k in range(ceil(low / step - 1e-9), int(high / step + 1e-9) + 1)]


def dots_of(page: Page) -> dict[str, Markup]:
    """A picture of twenty dots for each way, all on one axis: a ring where a future falls short, a
    line at the middle future."""
    return {way["key"]: _row_of_dots(way, page) for way in page["ways"]}


def _row_of_dots(way: Mapping[str, Any], page: Page) -> Markup:
    label = said(page["texts"], "brief_row", way=way["name"],
                 cost=wording.cents(way["p50"], _decimals(page)), n=of_hundred(way["short"]))
    opening = Markup('<svg viewBox="0 0 {0:.0f} {1:.0f}" role="img" aria-label="{2}">').format(
        _WIDTH, _ROW, label)
    colour = f"var(--way-{way['slot'] % 8})"
    return opening + _marks(way, page, colour) + Markup("</svg>")


def _decimals(page: Page) -> int:
    return wording.cent_decimals(way["p50"] for way in page["ways"])


def _marks(way: Mapping[str, Any], page: Page, colour: str) -> Markup:
    """Grid, dots and middle of a way, in a row of its own from the origin."""
    y = _ROW / 2.0
    parts = [Markup('<path d="M{0:.1f} 0V{1:.0f}" class="grid" stroke="#E7E9EC"/>').format(x, _ROW)
             for x, _ in axis_of(page)]
    parts += [Markup('<circle cx="{0:.1f}" cy="{1:.0f}" r="{2}" {3}/>').format(
        _across(page, dot["c"]), y, _DOT - 0.8 if dot["s"] else _DOT,
        Markup('fill="#fff" stroke="{0}" stroke-width="1.6"' if dot["s"]
               else 'fill="{0}"').format(colour)) for dot in way["dots"]]
    parts.append(Markup('<path d="M{0:.1f} 3V{1:.0f}" class="middle" stroke="#14171C" stroke-width="1.6"/>').format(
        _across(page, way["p50"]), _ROW - 3.0))
    return Markup("").join(parts)


def ways_picture(page: Page) -> str:
    """Every way with its dots, its middle future and how often it falls short, as one SVG file on
    white; each row names its way in `data-way`."""
    texts, decimals = page["texts"], _decimals(page)
    width = _NAMES + _WIDTH + 2.0 * _FIGURES + 20.0
    height = _TOP + _HIGH * len(page["ways"]) + 12.0
    lead = said(texts, "brief_ways_lead", years=wording.plain(page["case"]["quarters"] / 4))
    parts = [Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" '
        'height="{1:.0f}" role="img" aria-label="{2}" font-family="Helvetica Neue, Helvetica, Arial, '
        'Liberation Sans, sans-serif" font-size="13">'
        '<rect width="{0:.0f}" height="{1:.0f}" fill="#FFFFFF"/>'
        '<text x="16" y="20" fill="#4A515C">{2}</text>').format(width, height, lead)]
    parts += [Markup('<text x="{0:.1f}" y="52" font-size="12" text-anchor="middle" '
                     'fill="#676E79">{1}</text>').format(_NAMES + x, cents)
              for x, cents in axis_of(page)]
    ends = [_NAMES + _WIDTH + _FIGURES, _NAMES + _WIDTH + 2.0 * _FIGURES]
    parts += [Markup('<text x="{0:.0f}" y="52" font-size="12" text-anchor="end" '
                     'fill="#676E79">{1}</text>').format(x, texts[key])
              for x, key in zip(ends, ("brief_middle", "brief_short"), strict=True)]
    for place, way in enumerate(page["ways"]):
        figures = (wording.cents(way["p50"], decimals), of_hundred(way["short"]))
        colour = COLOURS[way["slot"] % len(COLOURS)]
        parts += [
            Markup('<g data-way="{0}" transform="translate(0,{1:.0f})">'
                   '<path d="M16 0H{2:.0f}" stroke="#D8DBE0"/>'
                   '<text x="16" y="17" font-weight="bold" fill="{3}">{4}</text>'
                   '<text x="16" y="31" font-size="11" fill="#676E79">{0}</text>').format(
                       way["key"], _TOP + _HIGH * place, width - 16.0, colour, way["name"]),
            Markup('<g transform="translate({0:.0f},{1:.0f})">').format(
                _NAMES, (_HIGH - _ROW) / 2.0), _marks(way, page, colour), Markup("</g>"),
            *(Markup('<text class="figure" x="{0:.0f}" y="23" text-anchor="end" fill="#14171C">'
                     '{1}</text>').format(x, figure)
              for x, figure in zip(ends, figures, strict=True)),
            Markup("</g>")]
    return str(Markup("").join([*parts, Markup("</svg>\n")]))
