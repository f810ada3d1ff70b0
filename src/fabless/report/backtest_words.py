"""A backtest in sentences: how often its bands held, who did better, the farthest miss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from fabless import wording
from fabless.backtest import Backtest, PooledBacktest
from fabless.backtest.periods import Period
from fabless.backtest.results import P10, P90, GroupScore, ScoredTruth
from fabless.report.replay import replay_words
from fabless.units import to_si

_SURE = 0.995
_LEAST_FACTOR = 1.05
"""Factor from which being outside a band is worth a number."""
_COUNTED = ("chip", "query/day", "wafer/month")
"""Units of things that are counted."""


def amount(value: float, unit: str) -> str:
    """Write a value of a table with its unit.

    >>> amount(16.3, "B USD"), amount(1.28, "cent/query"), amount(386219.0, "chip")
    ('$16.3B', '1.28 cents', '386k')
    """
    return f"{_bare(value, unit)}{_after(unit)}"


def band_words(low: float, high: float, unit: str) -> str:
    """Write the ends of a band, the unit once.

    >>> band_words(23.4, 34.3, "month"), band_words(0.9, 1.6, "B USD")
    ('23.4–34.3 months', '$900M–$1.60B')
    """
    return f"{_bare(low, unit)}–{amount(high, unit)}"


def _bare(value: float, unit: str) -> str:
    if unit.endswith("USD"):
        return wording.usd(to_si(value, unit))
    if unit.endswith("/query"):
        return wording.significant(100.0 * to_si(value, unit))
    if unit == "USD/h":
        return f"${wording.significant(value)}"
    return wording.count(value) if unit in _COUNTED else wording.plain(float(f"{value:.3g}"))


def _after(unit: str) -> str:
    """What follows a number of a unit."""
    if unit.endswith("USD") or unit in ("chip", "1"):
        return ""
    of = {
        "USD/h": "/h",
        "query/day": "",
        "wafer/month": "/month",
        "cent/query": " cents",
        "USD/query": " cents",
        "%": "%",
        "month": " months",
        "week": " weeks",
    }
    return of.get(unit, f" {unit}")


def times(factor: float) -> str:
    """Write a factor.

    >>> times(0.118), times(14.2)
    ('0.12x', '14x')
    """
    return f"{factor:.2g}x"


def factor(score: float) -> str:
    """A score on logarithms as the factor by which a single figure with that score is wrong.

    >>> factor(0.0), factor(0.693)
    ('1.0', '2.0')
    """
    return wording.significant(math.exp(score), 2)


def backtest_verdict(result: Backtest | PooledBacktest) -> str:
    """How right the forecasts were: coverage, beside the log trend, the farthest miss."""
    score = result.overall
    if score is None:
        return "Only events can be checked."
    truths = (
        result.truths
        if isinstance(result, Backtest)
        else [row for case in result.cases.values() for row in case.truths]
    )
    return " ".join(
        text for text in (held_words(score), trend_words(score), worst_words(truths)) if text
    )


def held_words(score: GroupScore) -> str:
    """How many truths the 80 % bands held."""
    held = score.inside_80 * score.truths
    about = "" if abs(held - round(held)) < 0.05 else "about "
    return (
        f"The bands that claim 80% held {about}{held:.0f} of the {score.truths:.3g} things "
        f"now known "
        f"({wording.in_percent(score.inside_80)})."
    )


def trend_words(score: GroupScore) -> str:
    """Whether a log trend of the day would have been nearer; empty where none is given."""
    beside = score.trend
    if beside is None:
        return ""
    own, other = factor(beside.own_crps), factor(beside.crps)
    where = (
        "On all of them"
        if beside.truths == score.truths
        else f"On the {beside.truths:.3g} of which the day had a trend"
    )
    if own == other:
        return f"{where} the case was as near as a log trend: both off by a factor of {own}."
    if beside.worse:
        return f"{where} a log trend was nearer: off by a factor of {other}, the case by {own}."
    return (
        f"{where} the case was nearer than a log trend: off by a factor of {own}, "
        f"the trend by {other}."
    )


def worst_words(rows: Sequence[ScoredTruth]) -> str:
    """The truth that lies farthest outside its band; empty where none does."""
    outside = [row for row in rows if row.beyond != 1.0]
    if not outside:
        return "Nothing came outside its band of 80%." if rows else ""
    row = max(outside, key=distance)
    return (
        f"Farthest off is {row.title}, {date_words(row.date)}: {amount(row.value, row.unit)} {came_words(row)}, "
        f"{outside_words(row)} "
        f"({band_words(row.quantiles[P10], row.quantiles[P90], row.unit)})."
    )


def came_words(row: ScoredTruth) -> str:
    """Whether it came, or was announced for a period that lay ahead when it became known."""
    return "expected" if Period.parse(row.date).first > row.known else "came"


def date_words(date: str) -> str:
    """A day or month in words; a quarter, half or year as it is.

    >>> date_words("2024-12-31"), date_words("2026-12"), date_words("2024Q3")
    ('31 December 2024', 'December 2026', '2024Q3')
    """
    period = Period.parse(date)
    if period.is_day:
        return f"{period.first.day} {period.first:%B %Y}"
    return f"{period.first:%B %Y}" if "-" in date else date


def distance(row: ScoredTruth) -> float:
    """How far a truth lies outside its band, on logarithms."""
    return abs(math.log(row.beyond)) if 0.0 < row.beyond < math.inf else math.inf


def outside_words(row: ScoredTruth) -> str:
    """By which factor a truth lies outside its 80 % band: always above 1.

    >>> from types import SimpleNamespace
    >>> outside_words(SimpleNamespace(beyond=0.25, inside_80=0.0))
    '4.0 times below the band'
    """
    size = math.exp(distance(row))
    side = "above" if row.beyond > 1.0 else "below"
    if size < _LEAST_FACTOR:
        return f"just {side} the band"
    return (
        f"{wording.significant(size, 2)} times {side} the band"
        if math.isfinite(size)
        else f"{side} the band"
    )


def where_words(row: ScoredTruth) -> str:
    """Whether a truth lies in its 80 % band, how likely where its own interval straddles an end,
    and by which factor it lies outside."""
    if row.inside_80 > _SURE:
        return "inside"
    if row.beyond == 1.0:
        return f"inside with {wording.in_percent(row.inside_80)}"
    held = f"; inside with {wording.in_percent(row.inside_80)}" if row.inside_80 >= 0.005 else ""
    return f"{outside_words(row)}{held}"


def worse_words(result: Backtest) -> Iterator[str]:
    """Where the case did worse than others, a sentence each."""
    for name, key in (("a log trend of the day", "trend"), ("no change", "no_change")):
        compared = [score for score in result.groups if getattr(score, key) is not None]
        if not compared:
            continue
        worse = [score.group for score in compared if getattr(score, key).worse]
        yield (
            f"Farther off than {name} in {wording.listed(worse)}."
            if worse
            else f"In no group farther off than {name}."
        )
    if result.published:
        count, every = sum(row.worse for row in result.published), len(result.published)
        than = f"Farther off than {count} of {every}" if count else f"Nearer than all {every}"
        yield f"{than} published forecasts of the same quantities."


def backtest_summary(result: Backtest) -> list[tuple[str, str]]:
    """What stands below the verdict: groups, comparisons, replay."""
    rows = []
    if result.groups:
        rows.append(
            (
                "By group",
                "; ".join(
                    f"{score.group} {wording.in_percent(score.inside_80)} of {score.truths:.3g}"
                    for score in result.groups
                )
                + ".",
            )
        )
    if compared := " ".join(worse_words(result)):
        rows.append(("Others", compared))
    if result.event_score is not None:
        rows.append(
            (
                "Events",
                f"Chances given to {result.event_score.events:.3g} events: Brier score "
                f"{result.event_score.brier:.2f}, where even odds have 0.25.",
            )
        )
    rows.append(
        ("Replay", result.not_replayed if result.replay is None else replay_words(result.replay))
    )
    return rows
