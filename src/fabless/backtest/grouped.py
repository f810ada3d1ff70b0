"""Scores over groups of truths, and over several cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from fabless.backtest.quantities import GROUPS, MARKET
from fabless.backtest.results import (
    Backtest,
    Beside,
    EventScore,
    GroupScore,
    Rival,
    ScoredEvent,
    ScoredTruth,
)

ALL = "all"
"""Name of the group of everything."""
Scored = TypeVar("Scored", ScoredTruth, ScoredEvent)


def group_scores(truths: Sequence[ScoredTruth]) -> tuple[GroupScore, ...]:
    """Scores of each group that has truths, in the order of `GROUPS`."""
    of_group = ((group, [row for row in truths if row.group == group]) for group in GROUPS)
    return tuple(group_score(group, rows) for group, rows in of_group if rows)


def group_score(group: str, rows: Sequence[ScoredTruth]) -> GroupScore:
    """Scores over some truths, at least one, each counted with its weight."""
    def mean(value: Callable[[ScoredTruth], float]) -> float:
        return _mean(rows, value)

    return GroupScore(
        group=group, truths=math.fsum(row.weight for row in rows),
        inside_50=mean(lambda row: row.inside_50), inside_80=mean(lambda row: row.inside_80),
        inside_95=mean(lambda row: row.inside_95), crps=mean(lambda row: row.crps),
        pinball=mean(lambda row: row.pinball), bias=math.exp(mean(lambda row: row.error)),
        trend=_beside([(row, row.trend) for row in rows]),
        no_change=_beside([(row, row.no_change) for row in rows]),
    )


def overall_score(rows: Sequence[ScoredTruth]) -> GroupScore | None:
    """Scores over all truths; None where there are none."""
    return group_score(ALL, rows) if rows else None


def event_scores(events: Sequence[ScoredEvent]) -> EventScore | None:
    """Mean scores of events; None where there are none."""
    if not events:
        return None
    return EventScore(
        events=math.fsum(row.weight for row in events), brier=_mean(events, lambda row: row.brier),
        log_score=_mean(events, lambda row: row.log_score))


def weighted(cases: Iterable[Backtest]) -> tuple[tuple[ScoredTruth, ...], tuple[ScoredEvent, ...]]:
    """Truths and events of several cases: one of the market that k cases have weighs 1/k in
    each."""
    cases = tuple(cases)
    truths = [row for case in cases for row in case.truths]
    events = [row for case in cases for row in case.events]
    return _weighed(truths), _weighed(events)


def _weighed(rows: Sequence[Scored]) -> tuple[Scored, ...]:
    times = Counter((row.quantity, row.date) for row in rows if row.group in MARKET)
    return tuple(replace(row, weight=1.0 / times[row.quantity, row.date])
                 if row.group in MARKET else row for row in rows)


def _mean(rows: Sequence[Scored], value: Callable[[Scored], float]) -> float:
    total = math.fsum(row.weight for row in rows)
    return math.fsum(row.weight * value(row) for row in rows) / total


def _beside(pairs: Sequence[tuple[ScoredTruth, Rival | None]]) -> Beside | None:
    """Own and other scores on the truths that the other forecast has."""
    both = [(row, other) for row, other in pairs if other is not None]
    if not both:
        return None
    rows, others = [row for row, _ in both], {id(row): other for row, other in both}
    return Beside(
        truths=math.fsum(row.weight for row in rows),
        own_crps=_mean(rows, lambda row: row.crps),
        crps=_mean(rows, lambda row: others[id(row)].crps),
        own_pinball=_mean(rows, lambda row: row.pinball),
        pinball=_mean(rows, lambda row: others[id(row)].pinball),
        own_inside_80=_mean(rows, lambda row: row.inside_80),
        inside_80=_mean(rows, lambda row: others[id(row)].inside_80))
