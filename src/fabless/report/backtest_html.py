"""The page of a backtest: one HTML file without script or outside request."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless import wording
from fabless.backtest import Backtest, PooledBacktest
from fabless.backtest.grouped import weighted
from fabless.backtest.quantities import MARKET
from fabless.backtest.replay.results import Replay, ReplayPath, ReplayWay
from fabless.backtest.results import Fan
from fabless.report import backtest_charts, canvas
from fabless.report.backtest_fans import fan_chart, main_fans
from fabless.report.backtest_words import (
    amount,
    backtest_summary,
    backtest_verdict,
    band_words,
    came_words,
    factor,
    where_words,
)
from fabless.report.files import write_whole
from fabless.report.money import Bridge, Step
from fabless.report.money_charts import bridge_chart
from fabless.report.replay import whole_usd
from fabless.units import from_si
from fabless.versions import versions

_TITLED = re.compile(r"(.*) \((https?://\S+?)\)(.*)", re.DOTALL)
_PARTS = {
    "first orders": "First orders",
    "demand": "Demand",
    "price": "Prices",
    "supply": "Supply",
    "timing": "Timing",
    "programmes": "Lines and programmes",
}
CONTENTS = (
    ("fans", "Forecast and came"),
    ("held", "How often the bands held"),
    ("off", "How far off"),
    ("others", "Who did better"),
    ("truths", "Every truth"),
    ("events", "Events"),
    ("dates", "Dates"),
    ("replay", "Replay"),
    ("method", "Method"),
)

Draw = Callable[[int], canvas.Spec]


def as_backtest_html(result: Backtest) -> str:
    """Write a backtest as one HTML page."""
    shown = {"events": bool(result.events), "dates": bool(result.calendar)}
    return (
        _environment()
        .get_template("backtest.html")
        .render(
            result=result,
            verdict=backtest_verdict(result),
            summary=backtest_summary(result),
            contents=[(anchor, title) for anchor, title in CONTENTS if shown.get(anchor, True)],
            scores=[
                *result.groups,
                *([result.overall] if result.overall and len(result.groups) > 1 else []),
            ],
            pictures=_drawn(backtest_pictures(result)),
            fans=fan_captions(result),
            replay=result.replay,
            farthest=len(backtest_charts.farthest(result.truths)),
            bridge=_shown_bridge(result),
            places=_places(result.replay),
            versions=versions(),
            came={row.quantity: row for row in result.truths if row.unit == "month"},
            parts=_PARTS,
        )
    )


def as_pooled_html(result: PooledBacktest) -> str:
    """Write several past cases, scored together, as one HTML page."""
    truths, _ = weighted(result.cases.values())
    specs: dict[str, tuple[str, Draw]] = {}
    if result.overall is not None:
        specs = {
            "held": (
                "Share of truths inside the bands of 50, 80 and 95 %, by group; the table below "
                "holds the same numbers.",
                partial(backtest_charts.coverage_chart, result.groups, result.overall),
            ),
            "pit": (
                "How many truths came in each tenth of their forecast.",
                partial(backtest_charts.pit_chart, truths),
            ),
        }
    return (
        _environment()
        .get_template("backtest_all.html")
        .render(
            result=result,
            verdict=backtest_verdict(result),
            pictures=_drawn(specs),
            scores=[
                *result.groups,
                *([result.overall] if result.overall and len(result.groups) > 1 else []),
            ],
            versions=versions(),
        )
    )


def write_backtest_report(result: Backtest | PooledBacktest, path: Path) -> Path:
    """Write the page to `path`, whole or not at all; `BadFile` when it cannot be written."""
    page = as_backtest_html(result) if isinstance(result, Backtest) else as_pooled_html(result)
    return write_whole(path, page)


def backtest_pictures(result: Backtest) -> dict[str, tuple[str, Draw]]:
    """Every picture of the page: words for those who do not see it, and how it is drawn."""
    pictures: dict[str, tuple[str, Draw]] = {}
    for name, fans in fan_pictures(result).items():
        pictures[name] = (
            f"Forecast by quarter with what came: {wording.listed([fan.title for fan in fans])}; "
            "the table of truths holds the same numbers.",
            partial(fan_chart, fans, result.truths, result.events),
        )
    if result.overall is not None:
        pictures |= {
            "held": (
                "Share of truths inside the bands of 50, 80 and 95 %, by group; the table below "
                "holds the same numbers.",
                partial(backtest_charts.coverage_chart, result.groups, result.overall),
            ),
            "pit": (
                "How many truths came in each tenth of their forecast.",
                partial(backtest_charts.pit_chart, result.truths),
            ),
            "off": (
                "Each forecast over what came, with its band of 80 %; "
                "the table of truths holds the "
                "same numbers.",
                partial(backtest_charts.error_chart, result.truths),
            ),
        }
    if result.calendar:
        pictures["dates"] = (
            "When each thing was to come, and when it came; the table below holds the same "
            "numbers.",
            partial(backtest_charts.calendar_chart, result.calendar, result.truths, result.as_of),
        )
    if bridge := _shown_bridge(result):
        pictures["bridge"] = (
            "What the regret comes from; the table below holds the same numbers.",
            partial(bridge_chart, bridge[1], "Regret", signed=True),
        )
    return pictures


def fan_pictures(result: Backtest) -> dict[str, list[Fan]]:
    """The fans in two pictures: what the company does, and the market around it."""
    fans = main_fans(result.fans, result.truths, result.events)
    parts = {
        "own fans": [fan for fan in fans if fan.group not in MARKET],
        "market fans": [fan for fan in fans if fan.group in MARKET],
    }
    return {name: part for name, part in parts.items() if part}


def fan_captions(result: Backtest) -> dict[str, str]:
    """What stands below each picture of fans; how they are read below the first."""
    trend = (
        " Diamonds: median of a log trend of the day."
        if any(row.trend for row in result.truths)
        else ""
    )
    read = (
        "Logarithmic axes, but for shares. Blue: bands that claim 50, 80 and 95 %, and the median; "
        "at the right the median and the ends of the band of 80 %. Orange: what came, with its own "
        "interval; a level stroke covers the period for which it is known, and what adds up over a "
        "period is spread evenly over its quarters. Money is in USD "
        f"of each year.{trend}"
    )
    words = {
        "own fans": "Demand, compute and money of the company.",
        "market fans": "Prices and supply.",
    }
    names = list(fan_pictures(result))
    if any(fan.how == "chance" for fan in fan_pictures(result).get("market fans", ())):
        words["market fans"] += (
            " Of a chance: dots at 100% where it was so, at 0% where it was not."
        )
    return {name: f"{words[name]} {read}" if name == names[0] else words[name] for name in names}


def regret_bridge(way: ReplayWay) -> Bridge:
    """The regret of a way by what it comes from."""
    texts, total = wording.usd_parts([part.usd for part in way.parts])
    return Bridge(
        tuple(
            Step(
                part=part.part,
                title=_PARTS.get(part.part, wording.heading(part.part)),
                usd=part.usd,
                text=text,
                how=part.how,
            )
            for part, text in zip(way.parts, texts, strict=True)
        ),
        way.regret_usd,
        total,
    )


def _shown_bridge(result: Backtest) -> tuple[ReplayWay, Bridge] | None:
    """The bridge that is drawn: that of the way whose fleet is scored, else of the cheapest."""
    if result.replay is None:
        return None
    names = [way.name for way in result.replay.ways]
    name = result.way if result.way in names else result.replay.ranking[0][0]
    way = result.replay.way(name)
    return way, regret_bridge(way)


def _places(replay: Replay | None) -> list[tuple[int, ReplayWay]]:
    """Ways with their place, the cheapest first."""
    if replay is None:
        return []
    return [
        (place, replay.way(name))
        for place, names in enumerate(replay.ranking, start=1)
        for name in names
    ]


def _drawn(pictures: dict[str, tuple[str, Draw]]) -> dict[str, str]:
    return {
        name: canvas.as_svg(draw(canvas.WIDE), label)
        for name, (label, draw) in pictures.items()
    }


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fabless.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": amount,
        "band": band_words,
        "share": wording.in_percent,
        "usd": whole_usd,
        "count": wording.count,
        "heading": wording.heading,
        "plain": wording.plain,
        "listed": wording.listed,
        "inside": where_words,
        "off_by": lambda score: f"{factor(score)}x",
        "group": backtest_charts.group_words,
        "course": path_words,
        "sourced": sourced,
        "came_words": came_words,
        "regret": regret_bridge,
        "is_web": lambda url: url.startswith(("https://", "http://")),
    }
    return environment


def path_words(path: ReplayPath) -> str:
    """The first and the last known value of a realised quantity."""
    first, last = (from_si(path.by_quarter[k], path.unit) for k in (0, -1))
    if path.unit == "1":
        return "as known by quarter"
    return (
        amount(first, path.unit)
        if first == last
        else f"{amount(first, path.unit)} to {amount(last, path.unit)}"
    )


def sourced(text: str) -> tuple[str, str, str]:
    """A source in words: what stands before its address, the address, and what comes after.

    >>> sourced("A page (https://example.org), read in May")
    ('A page', 'https://example.org', ', read in May')
    """
    match = _TITLED.fullmatch(text)
    return (match[1], match[2], match[3]) if match else (text, "", "")
