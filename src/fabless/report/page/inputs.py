"""The inputs of a case as the page lists them: named for people, in their units, with their
source."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from fabless.case_records import CaseNumber
from fabless.decide import Decision
from fabless.decide.questions.sensitivity import CORRELATIONS, SHARES, label_of
from fabless.records import Grade
from fabless.report.document import Plain
from fabless.report.page.texts import fill
from fabless.units import UNITS, from_si
from fabless.wording import heading

FACTS = ("performance.", "chips.", "models.")
"""Beginnings of the names of facts that a case rests on and does not state."""
LOAD_FACTS = (".input_tokens", ".output_tokens", ".tpot", ".ttft")
"""Ends of the names of what a load is made of: a case states it without a range."""
REFERENCE_CLASS = ".ended"
"""End of the name of a programme's odds, which come from the reference class."""


def is_stated(name: str) -> bool:
    """Whether an input is a number of the case, and not a fact behind it."""
    if name.startswith(FACTS):
        return False
    if name.startswith("loads.") and name.endswith(LOAD_FACTS):
        return False
    return not (name.startswith("programmes.") and name.endswith(REFERENCE_CLASS))


def shown_unit(unit: str) -> str:
    """Unit in which an input is shown; a spelling of no unit is a bare number."""
    return unit if unit in UNITS else "1"


def input_titles(decision: Decision) -> dict[str, str]:
    """What people call lines, programmes, contracts and loads, by section and key."""
    named = {f"{section}.{key}": title for section in ("lines", "programmes", "contracts")
             for key, title in decision.titles.items()}
    return named | {f"loads.{key}": title for key, title in decision.load_titles.items()}


def input_label(name: str, titles: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """What people call an input: by its template where there is one, else by its key."""
    section, *owner, key = name.split(".")
    template = texts.get(f"input_{section}_{'year' if key.isdigit() else key}")
    if template is None or name.startswith(CORRELATIONS):
        return heading(label_of(name, titles))
    title = titles.get(f"{section}.{owner[0]}", owner[0]) if owner else ""
    return fill(template, {"thing": title, "year": key})


def fixed_reason(number: CaseNumber, texts: Mapping[str, str]) -> str:
    """Why an input cannot be moved by itself; empty where it can."""
    if not is_stated(number.name):
        return texts["fixed_fact"]
    if number.name.startswith(CORRELATIONS):
        return texts["fixed_correlation"]
    if SHARES in number.name:
        return texts["fixed_share"]
    spread = number.spread
    return "" if spread.low < spread.high else texts["fixed_point"]


def source_fields(number: CaseNumber) -> dict[str, Plain]:
    """Grade, source, day and note of an input."""
    return {"grade": number.grade.value, "source": number.source.title,
            "source_id": number.source.id, "url": number.source.url,
            "known": str(number.known) if number.known else "", "note": number.note}


def range_fields(number: CaseNumber) -> dict[str, Plain]:
    """Range of an input in its unit, the least and most that such a number can be, and how it is
    spread and learnt: what a case file of a moved input states."""
    unit = shown_unit(number.unit)
    low, value, high = (from_si(end, unit) for end in (
        number.spread.low, number.spread.mode, number.spread.high))
    least, most = (from_si(bound, unit) if math.isfinite(bound) else None
                   for bound in number.bounds)
    return {"unit": unit, "value": value, "low": low, "high": high, "least": least, "most": most,
            "log": number.spread.scale == "log", "news": number.news or ""}


def input_rows(
    decision: Decision, controls: Collection[str], texts: Mapping[str, str]
) -> list[dict[str, Plain]]:
    """Every input with its range in its unit; `controls` are the names of those that the page can
    move by its table."""
    titles = input_titles(decision)
    return [{
        "name": number.name, "label": input_label(number.name, titles, texts),
        **range_fields(number), **source_fields(number), "control": number.name in controls,
        "fixed": fixed_reason(number, texts),
    } for number in decision.assumptions]


def assumed(decision: Decision) -> tuple[int, int]:
    """Numbers of the case that are assumptions, and all of them."""
    numbers = [number for number in decision.assumptions if is_stated(number.name)]
    return sum(number.grade is Grade.ASSUMPTION for number in numbers), len(numbers)
