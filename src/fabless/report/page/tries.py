"""Three things to try: changes of inputs that the case has, within their ranges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fabless.case_records import CaseNumber
from fabless.decide import Decision
from fabless.report.document import Plain
from fabless.report.page.inputs import shown_unit
from fabless.report.page.sentences import unit_words
from fabless.report.page.texts import fill
from fabless.units import YEAR_S, from_si, to_si
from fabless.wording import plain

FASTER = 1.3
"""Performance of the own chip over its plan, for the second thing to try."""
FLAT = 1.0
"""Growth a year at which demand stops growing, for the third."""
STEADY = ("demand.growth_long_run", "demand.growth")
"""Numbers of growth, as multiples a year; the first that a case has is moved."""


@dataclass(frozen=True)
class _Move:
    """An input, where it is to go [SI], and the sentence that says so."""

    key: str
    number: CaseNumber
    wished: float
    values: Mapping[str, str]


def tries(
    decision: Decision, controls: Collection[str], texts: Mapping[str, str]
) -> list[dict[str, Plain]]:
    """Things to try, each a change with its sentence; left out where the case lacks the input, or
    has no room to move it. Of several inputs that would do, one of `controls` is taken."""
    rows: list[dict[str, Plain]] = []
    for move in _moves(decision, controls):
        spread, unit = move.number.spread, shown_unit(move.number.unit)
        reached = min(max(move.wished, spread.low), spread.high)
        if reached == spread.mode:
            continue
        value = from_si(reached, unit)
        more = plain(float(f"{100.0 * (reached / spread.mode - 1.0):.3g}"))
        shown = unit_words(texts, float(f"{value:.3g}"), unit)
        words = {**move.values, "more": more, "value": shown}
        key = f"try_{move.key}" + ("" if reached == move.wished else "_nearest")
        rows.append({"key": move.key, "changes": {move.number.name: value},
                     "text": fill(texts[key], words)})
    return rows


def _moves(decision: Decision, controls: Collection[str]) -> Iterator[_Move]:
    known = {number.name: number for number in decision.assumptions
             if number.spread.low < number.spread.high}

    def first_of(names: Iterable[str]) -> CaseNumber | None:
        there = [name for name in names if name in known]
        best = next((name for name in there if name in controls), next(iter(there), None))
        return None if best is None else known[best]

    if late := first_of(_lead_times(decision)):
        yield _Move("late", late, late.spread.mode + YEAR_S, {"vendor": decision.dominant_vendor})
    if fast := first_of(_performances(decision)):
        yield _Move("fast", fast, FASTER * fast.spread.mode,
                    {"programme": decision.title_of(fast.name.split(".")[1])})
    if flat := first_of(STEADY):
        yield _Move("flat", flat, to_si(FLAT, shown_unit(flat.unit)), {})


def _lead_times(decision: Decision) -> Iterator[str]:
    """Names of lead times of the dominant vendor's lines, while supply is scarce first: those of
    the way `buy`, or else of the recommended one."""
    ways = {way.name: way for way in decision.strategies}
    way = ways.get("buy", ways[decision.recommended])
    for state in ("scarce", "normal"):
        yield from (f"lines.{line}.lead_{state}" for line in way.lines)
    yield "supply.lead_time"


def _performances(decision: Decision) -> list[str]:
    """Names of the performance of every programme's chip, own designs first."""
    values = sorted(decision.programme_values, key=lambda item: item.route != "build")
    return [f"programmes.{item.name}.performance" for item in values]
