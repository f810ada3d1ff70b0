"""What can be moved on the page: the inputs of the table of answers, and where the winner changes
along each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from fabless.case_records import CaseNumber
from fabless.decide import Decision
from fabless.decide.questions.between import read_one
from fabless.decide.results import Answers, MovedInput, WayLevels
from fabless.records import Array
from fabless.report.document import Plain
from fabless.report.page.inputs import input_label, input_titles, source_fields
from fabless.units import from_si

LOOKED_AT = 96
"""Steps along an input between which a change of the winner is looked for."""
HALVINGS = 30
"""Halvings of a step that place the change within it."""

def flips_of(moved: MovedInput, order: Sequence[str]) -> list[dict[str, Plain]]:
    """Values at which the winner changes along an input, rising; of ways with equal totals the one
    that stands first in `order`, the simplest first, wins."""

    def winner(value: float) -> str:
        totals = {row.way: row.total_usd for row in read_one(moved, value)}
        return min((way for way in order if way in totals), key=totals.__getitem__)

    return list(_changes(winner, _steps(moved)))


def _steps(moved: MovedInput) -> Array:
    ends = moved.values[0], moved.values[-1]
    spaced = np.geomspace if moved.is_log else np.linspace
    return np.asarray(spaced(*ends, LOOKED_AT + 1)).clip(*ends)


def _changes(winner: Callable[[float], str], steps: Array) -> Iterator[dict[str, Plain]]:
    seen = [winner(float(value)) for value in steps]
    for (low, high), (below, above) in zip(pairwise(steps), pairwise(seen), strict=True):
        if below == above:
            continue
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if winner(middle) == below else (low, middle)
        yield {"at": float(high), "below": below, "above": above}


def control_rows(
    decision: Decision, order: Sequence[str], texts: Mapping[str, str]
) -> list[dict[str, Plain]]:
    """A row for each input of the table of answers, the largest effect first; empty where the
    decision has no table."""
    if decision.questions.answers is None:
        return []
    known = {number.name: number for number in decision.assumptions}
    titles = input_titles(decision)
    return [_control(moved, known[moved.name], order, input_label(moved.name, titles, texts))
            for moved in decision.questions.answers.inputs]


def _control(
    moved: MovedInput, number: CaseNumber, order: Sequence[str], label: str
) -> dict[str, Plain]:
    return {
        "name": moved.name, "label": label, "unit": moved.unit, "value": moved.value,
        "low": from_si(number.spread.low, moved.unit),
        "high": from_si(number.spread.high, moved.unit),
        "log": moved.is_log, **source_fields(number), "x": list(moved.values),
        "levels": _levels(moved.levels), "flips": list(flips_of(moved, order)),
    }


def _levels(levels: Sequence[WayLevels]) -> dict[str, Plain]:
    return {
        row.way: {"cash": list(row.cash_usd), "unserved": list(row.unserved_usd),
                  "risk": list(row.risk_usd), "cents": list(row.cost_per_query_usd),
                  "missing": list(row.missing_share)}
        for row in levels}


def crossed_rows(answers: Answers | None) -> list[dict[str, Plain]]:
    """Two inputs moved together, as far as the table of answers has them."""
    return [{"names": list(pair.names), "x": [list(side) for side in pair.values],
             "levels": _levels(pair.levels)} for pair in (answers.pairs if answers else ())]


def check_row(answers: Answers | None) -> Plain:
    """How well numbers read from the table agree with plans made anew; None without a table."""
    if answers is None:
        return None
    check = answers.check
    return {"points": check.points, "median_error": check.median_error,
            "worst_error": check.worst_error, "winners_right": check.winners_right,
            "leaves": answers.leaves}
