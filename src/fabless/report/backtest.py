"""A backtest on a terminal: what came beside what was forecast, then the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fabless import wording
from fabless.backtest import Backtest, PooledBacktest
from fabless.backtest.results import (
    P10,
    P90,
    Beside,
    EventScore,
    GroupScore,
    ScoredEvent,
    ScoredPublished,
    ScoredTruth,
)
from fabless.report.backtest_words import amount, backtest_verdict, band_words, distance, outside_words, times
from fabless.report.replay import print_replay
from fabless.report.table import Column, print_table, say

_SURE = 0.995
_LINES = 12
"""Truths outside their bands that are listed."""


def print_backtest(result: Backtest, console: Console, page: Path | None = None) -> None:
    """Print the verdict, every truth beside its forecast, the scores by group, what falls outside,
    events, forecasts that others published, the replay, and the path of the page."""
    say(console, f"{result.title}, held against what was known by {result.last_known}. {backtest_verdict(result)}", "bold")
    console.print()
    _print_truths(result.truths, console)
    _print_notes(result, console)
    _print_scores(result.groups, result.overall, console)
    _print_lines("Outside the 80 % band", list(outside_lines(result.truths)), console)
    _print_lines("Events", [*map(_event_line, result.events), *_event_score(result.event_score)], console)
    _print_published(result.published, console)
    _print_lines("Published forecasts that nothing is known of yet", [f"- {text}" for text in result.not_due], console)
    console.print()
    if result.replay is None:
        say(console, result.not_replayed)
    else:
        print_replay(result.replay, console)
    _print_path(page, console)


def print_pooled(result: PooledBacktest, console: Console, page: Path | None = None) -> None:
    """Print the verdict over all cases, every case in a line, the scores of all together, what
    falls outside, and the path of the page."""
    say(console, backtest_verdict(result), "bold")
    console.print()
    columns = [Column("Case", name=True), *(Column(name, number=True) for name in (
        "Truths", "Inside 80 %", "CRPS", "Bias"))]
    rows = [[name, f"{case.overall.truths:.0f}", wording.in_percent(case.overall.inside_80),
             f"{case.overall.crps:.2f}", times(case.overall.bias)]
            for name, case in result.cases.items() if case.overall is not None]
    print_table("Past cases scored against what came", columns, rows, console)
    console.print()
    say(console, "All together; what several cases have of one market counts once.", "dim")
    _print_scores(result.groups, result.overall, console)
    _print_lines("Events", list(_event_score(result.event_score)), console)
    for name, case in result.cases.items():
        _print_lines(f"Outside the 80 % band: {name}", list(outside_lines(case.truths)), console)
        _print_published(case.published, console)
    _print_path(page, console)


def _print_path(page: Path | None, console: Console) -> None:
    if page is not None:
        console.print()
        console.print(Text(f"Page: {page}"), soft_wrap=True)


def inside_words(row: ScoredTruth) -> str:
    """Say whether a truth lies in its 80 % band: yes, no, or how likely."""
    if row.inside_80 > _SURE:
        return "yes"
    return "NO" if row.inside_80 < 1.0 - _SURE else f"{wording.in_percent(row.inside_80)}"


def outside_lines(rows: Sequence[ScoredTruth]) -> Iterator[str]:
    """A line for each truth whose value lies outside its 80 % band, the farthest first."""
    outside = sorted((row for row in rows if row.beyond != 1.0), key=lambda row: -distance(row))
    for row in outside[:_LINES]:
        band = band_words(row.quantiles[P10], row.quantiles[P90], row.unit)
        yield f"- {row.title}, {row.date}: {amount(row.value, row.unit)}, {outside_words(row)} ({band})"
    if len(outside) > _LINES:
        yield f"- and {len(outside) - _LINES} more"


def _print_truths(rows: Sequence[ScoredTruth], console: Console) -> None:
    columns = [Column("What"), Column("When", name=True), Column("Forecast, 80 % band", number=True),
               Column("Came", number=True), Column("Inside", name=True)]
    table = [[_titled(row), row.date, band_words(row.quantiles[P10], row.quantiles[P90], row.unit),
              amount(row.value, row.unit), inside_words(row)] for row in rows]
    print_table("", columns, table, console)


def _titled(row: ScoredTruth) -> str:
    """Title of a truth, with the share of paths on which it comes to be where that is not all."""
    if row.reached > _SURE:
        return row.title
    return f"{row.title} ({wording.in_percent(row.reached)} get there)"


def _print_notes(result: Backtest, console: Console) -> None:
    followed = (f" Fleet, spend and cost are those of {result.way_title or result.way}"
                f"{' (recommended)' if result.recommended else ''} on {result.paths} fresh paths."
                if result.paths else "")
    say(console, "A truth with an interval of its own counts by the probability that it lies in the band. Money is in USD "
                 f"of the truth's year; waits are those of paths that get there.{followed}", "dim")
    console.print()


def _print_scores(groups: Sequence[GroupScore], overall: GroupScore | None, console: Console) -> None:
    if overall is None:
        return
    columns = [Column("Group", name=True), *(Column(name, number=True) for name in (
        "Truths", "In\n50%", "In\n80%", "In\n95%", "CRPS", "Pin-\nball", "Bias", "Log\ntrend", "No\nchange"))]
    every = [*groups, overall] if len(groups) > 1 else [overall]
    rows = [[score.group, f"{score.truths:.3g}", wording.in_percent(score.inside_50),
             wording.in_percent(score.inside_80), wording.in_percent(score.inside_95),
             f"{score.crps:.2f}", f"{score.pinball:.2f}", times(score.bias), beside_words(score.trend),
             beside_words(score.no_change)] for score in every]
    print_table("Scores", columns, rows, console)
    say(console, "CRPS and pinball (at 10, 50, 90 %) are errors of logarithms: 0 is best, 0.69 a factor of two. Bias: "
                 "median forecast over truth. The last two: CRPS of a log trend of the day and of no "
                 "change, ours on the same truths in brackets, * where ours is worse.", "dim")


def beside_words(other: Beside | None) -> str:
    """CRPS of another forecast, ours on the same truths in brackets, marked where ours is worse."""
    if other is None:
        return wording.MISSING
    return f"{other.crps:.2f} ({other.own_crps:.2f}{'*' if other.worse else ''})"


def _event_line(row: ScoredEvent) -> str:
    came = "it happened" if row.happened else "it did not happen"
    return f"- {row.title}, {row.date}: given {wording.in_percent(row.chance)}; {came}"


def _event_score(score: EventScore | None) -> Iterator[str]:
    if score is not None:
        number = f"{score.events:.3g} event{'' if score.events == 1.0 else 's'}"
        yield (f"- {number}: Brier score {score.brier:.2f} (even odds 0.25), log score "
               f"{score.log_score:.2f} (even odds 0.69)")


def _print_published(rows: Sequence[ScoredPublished], console: Console) -> None:
    if not rows:
        return
    columns = [Column("Who"), Column("What"), Column("When", name=True), *(
        Column(name, number=True) for name in ("Said", "Came", "CRPS", "Ours")), Column("", name=True)]
    console.print()
    print_table("Forecasts that others published by the day", columns, [
        [row.who, row.title, row.date, amount(row.value, row.unit), amount(row.truth, row.unit),
         f"{row.crps:.2f}", f"{row.own_crps:.2f}", "we are worse" if row.worse else ""]
        for row in rows], console)


def _print_lines(title: str, lines: Sequence[str], console: Console) -> None:
    if lines:
        console.print()
        say(console, title, "bold")
        for line in lines:
            say(console, line, indent=2)
