"""Two cases side by side: the inputs that differ, and what one way costs in each."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from fabless.case_records import Case, CaseNumber, named
from fabless.decide.detail import Detail
from fabless.decide.results import Decision, WayResult
from fabless.decide.run import decide
from fabless.errors import unknown


@dataclass(frozen=True, kw_only=True)
class InputDifference:
    """An input of two cases that is not stated alike; None where a case does not state it."""

    name: str
    first: CaseNumber | None
    second: CaseNumber | None


@dataclass(frozen=True, kw_only=True)
class TwoCases:
    """A way of one case and a way of another, each on the fresh paths of its own case."""

    inputs: tuple[InputDifference, ...]
    ways: tuple[str, str]
    """Key of the way in each case."""
    decisions: tuple[Decision, Decision]
    parts: tuple[tuple[str, float], ...]
    """Cash, unserved demand and risk of the first less those of the second [USD]; each is in USD of
    its case's price year."""
    difference_usd: float
    error_usd: float
    """Standard error of the difference: the two cases share no path."""
    seconds: float


def differing_inputs(first: Case, second: Case) -> tuple[InputDifference, ...]:
    """Every input whose range, unit, grade or source differs, or that one case alone states."""
    known, others = named(first.numbers), named(second.numbers)
    return tuple(
        InputDifference(name=name, first=known.get(name), second=others.get(name))
        for name in sorted({*known, *others})
        if not _is_alike(known.get(name), others.get(name)))


def _is_alike(number: CaseNumber | None, other: CaseNumber | None) -> bool:
    if number is None or other is None:
        return False
    return (number.spread, number.unit, number.grade, number.source) == (
        other.spread, other.unit, other.grade, other.source)


def compare_cases(
    first: Case,
    second: Case,
    *,
    ways: tuple[str, str] = ("", ""),
    detail: Detail | str = "quick",
    executor: Executor | None = None,
    progress: Callable[[str], None] | None = None,
) -> TwoCases:
    """Set a way of one case against a way of another.

    Parameters: `ways` keys of the two, empty for the recommended one; the rest as for `decide`.
    Raises `UnknownName` for a way that a case does not offer, and the errors of `decide`.
    """
    start = time.perf_counter()
    decisions = tuple(
        decide(case, detail=detail, executor=executor, progress=progress) for case in (first, second))
    one_way, other_way = (
        way_of_decision(decision, way) for decision, way in zip(decisions, ways, strict=True))
    return TwoCases(
        inputs=differing_inputs(first, second), ways=(one_way.name, other_way.name),
        decisions=(decisions[0], decisions[1]),
        parts=(("cash", one_way.cash_usd - other_way.cash_usd),
               ("unserved", one_way.unserved_usd - other_way.unserved_usd),
               ("risk", one_way.risk_usd - other_way.risk_usd)),
        difference_usd=one_way.total_usd - other_way.total_usd,
        error_usd=float(np.hypot(one_way.total_error_usd, other_way.total_error_usd)),
        seconds=time.perf_counter() - start)


def way_of_decision(decision: Decision, way: str) -> WayResult:
    """A way of a decision by its key, or by that of one that it stands for; the recommended one
    where none is named."""
    stands = dict(decision.same_ways) | {item.name: item.name for item in decision.strategies}
    wanted = way or decision.recommended
    if wanted not in stands:
        raise unknown("way", wanted, list(stands), "way")
    return next(item for item in decision.strategies if item.name == stands[wanted])
