"""The reference class as a day sees it: chip programmes with their outcomes and dates, and the
numbers no case gives.

A programme's outcome is the newest one known; *sold* and *pending* say nothing of the chip, so that
an earlier outcome stands, or none. A month without a day counts as its last day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fabless.catalogue.facts.store import Catalogue
from fabless.errors import BadValue, Fault
from fabless.records import Fact
from fabless.units import DAY_S, MONTH_S


class ProgrammeKind(StrEnum):
    """Kinds of programme."""

    FIRST = "first in-house"
    LATER = "later in-house"
    PARTNER = "with partner"
    ACQUIRED = "acquired"
    STARTUP = "start-up"
    MERCHANT = "merchant"


class Outcome(StrEnum):
    """What became of a chip."""

    VOLUME = "volume"
    LIMITED = "limited"
    """Shipped or deployed in small numbers, and not scaled as far as known."""
    ENDED = "ended"


class Span(StrEnum):
    """Times of a programme that sources give."""

    TAPE_OUT = "start to tape-out"
    SILICON = "start to first silicon"
    VOLUME = "start to first deployment"
    PURCHASE = "purchase to first chip"
    RAMP = "first silicon to production"


@dataclass(frozen=True, kw_only=True)
class ReferenceCase:
    """A programme of the past, as far as a day knows it."""

    name: str
    organisation: str
    kind: ProgrammeKind
    generation: int
    """2 and more where a start-up's or a buyer's later chip is meant."""
    outcome: Outcome | None
    """None while the programme is open, or where a sale came first."""
    decided: dt.date | None
    """Day on which that outcome was first known."""
    began: dt.date | None
    """Start of work, or the purchase."""
    end_gate: str | None
    """Where a programme ended: design, tape-out, deployment or production."""
    first_silicon_good: bool | None
    scope_cut: bool | None
    spans: Mapping[Span, float]
    """Span -> time [s]."""


_KINDS = {"first_gen_inhouse": ProgrammeKind.FIRST, "later_gen_inhouse": ProgrammeKind.LATER,
          "startup": ProgrammeKind.STARTUP,
          "acquired": ProgrammeKind.ACQUIRED, "merchant": ProgrammeKind.MERCHANT}
_OUTCOMES = {
    "shipped_volume": Outcome.VOLUME, "shipped_limited": Outcome.LIMITED,
    "cancelled": Outcome.ENDED, "company_failed": Outcome.ENDED,
}
_SILICON = ("first_silicon", "in_test", "first_chip", "sampled", "unveiled_silicon")
_DEPLOYED = ("deployed", "production")
_MONTHS = {
    Span.VOLUME: "start_to_deploy", Span.SILICON: "start_to_silicon",
    Span.TAPE_OUT: "start_to_tapeout", Span.PURCHASE: "acq_to_first_chip",
    Span.RAMP: "silicon_to_production",
}
_NO_RESPIN = "none reported"

Facts = Mapping[str, tuple[Fact, ...]]
"""Field -> its visible facts, oldest knowledge first."""


def by_field(catalogue: Catalogue, name: str) -> dict[str, tuple[Fact, ...]]:
    """Field -> its visible facts, oldest knowledge first."""
    facts_by_field: dict[str, list[Fact]] = {}
    for fact in sorted(catalogue.facts_of(name), key=lambda fact: (fact.known, fact.period)):
        facts_by_field.setdefault(fact.field, []).append(fact)
    return {field: tuple(facts) for field, facts in facts_by_field.items()}


def text(facts: Facts, field: str) -> str | None:
    """Newest text of a field."""
    value = facts[field][-1].value if field in facts else None
    return value if isinstance(value, str) else None


def newest_day(facts: Facts, *fields: str) -> dt.date | None:
    """Newest date of the first field that has one."""
    for field in fields:
        value = facts[field][-1].value if field in facts else None
        if isinstance(value, dt.date):
            return value
    return None


def newest_amount(facts: Facts, field: str) -> float | None:
    """Newest number of a field, in SI."""
    value = facts[field][-1].value if field in facts else None
    return value if isinstance(value, float) else None


def cases(catalogue: Catalogue) -> tuple[ReferenceCase, ...]:
    """Every programme with facts known on the day, by name.

    Raises `BadValue` when the day knows none, with the first day that does.
    """
    known = tuple(
        _case(name, by_field(catalogue, name))
        for name in catalogue.entities("programmes")
        if _is_programme(catalogue, name)
    )
    if not known:
        first = min(
            fact.known
            for name in catalogue.topics["programmes"]
            for fact in catalogue.rows[name]
            if fact.field == "kind"
        )
        raise BadValue(
            Fault(
                "as-of date", f"no chip programme was known on {catalogue.as_of}",
                f"{first} or later", "choose a later day",
            )
        )
    return known


def _is_programme(catalogue: Catalogue, name: str) -> bool:
    return any(fact.field == "kind" for fact in catalogue.facts_of(name))


def _case(name: str, facts: Facts) -> ReferenceCase:
    outcomes = [fact for fact in facts.get("outcome", ()) if fact.value in _OUTCOMES]
    respin, steppings, scope = (
        text(facts, "respin"), newest_amount(facts, "steppings"), text(facts, "scope"),
    )
    good = (
        respin == _NO_RESPIN
        if respin is not None
        else None
        if steppings is None
        else steppings <= 1.0
    )
    return ReferenceCase(
        name=name,
        organisation=text(facts, "org") or name,
        kind=ProgrammeKind.PARTNER if "partner" in facts else _KINDS[text(facts, "kind") or ""],
        generation=int(newest_amount(facts, "generation") or 1),
        outcome=_OUTCOMES[str(outcomes[-1].value)] if outcomes else None,
        decided=min(
            (fact.known for fact in outcomes if fact.value == outcomes[-1].value), default=None
        ),
        began=newest_day(facts, "start", "acquired"),
        end_gate=text(facts, "end_gate"),
        first_silicon_good=good,
        scope_cut=None if scope is None else scope == "cut",
        spans=_spans(facts),
    )


def _spans(facts: Facts) -> dict[Span, float]:
    """Times that a source gives, else those between two dates; nothing for a chip of a later
    generation."""
    start, silicon, deployed = (
        newest_day(facts, "start"), newest_day(facts, *_SILICON), newest_day(facts, *_DEPLOYED),
    )
    ends = {
        Span.VOLUME: (start, deployed), Span.SILICON: (start, silicon),
        Span.TAPE_OUT: (start, newest_day(facts, "taped_out")),
        Span.PURCHASE: (newest_day(facts, "acquired"), deployed), Span.RAMP: (silicon, deployed),
    }
    pending = text(facts, "outcome") == "pending"
    later = (newest_amount(facts, "generation") or 1.0) > 1.0
    spans = {}
    for span, (first, last) in ends.items():
        months = newest_amount(facts, _MONTHS[span])
        if span is Span.PURCHASE and pending:
            continue
        if months is not None:
            spans[span] = months
        elif first is not None and last is not None and last > first and not later:
            spans[span] = round((last - first).days * DAY_S / MONTH_S) * MONTH_S
    return spans


_SHARED = {
    "fab": ("reference-class", "tape_out_to_silicon"),
    "first_silicon_good": ("reference-class", "first_silicon_success"),
    "respin_good": ("reference-class", "later_spin_success"),
    "metal_respin_share": ("reference-class", "metal_share_of_respins"),
    "metal_respin": ("reference-class", "metal_respin_delay"),
    "full_respin": ("reference-class", "full_respin_delay"),
    "metal_respin_cost": ("programme-any", "metal_respin_cost"),
    "full_respin_cost": ("programme-any", "full_respin_cost"),
    "qualification": ("programme-any", "qualification"),
    "masks": ("programme-any", "masks"),
    "performance": ("programme-any", "performance"),
    "scope_cut": ("programme-any", "scope_cut"),
    "support_share": ("programme-any", "support_share"),
    "second_overlap": ("programme-any", "second_overlap"),
    "second_design": ("reference-class", "start_to_tape_out_next"),
    "second_gain": ("programme-any", "second_gain"),
    "second_design_cost": ("programme-any", "second_design_cost"),
}
_OWN = ("deal", "design", "team", "design_cost", "software")
_ACQUISITION = {
    "purchase": ("programme-acquire", "purchase"), "retention": ("acquisition-class", "retention"),
    "integration": ("acquisition-class", "integration"),
    "distressed_multiple": ("acquisition-class", "distressed_multiple"),
    "contested_multiple": ("acquisition-class", "contested_multiple"),
}


def programme_facts(catalogue: Catalogue, route: str) -> dict[str, Fact]:
    """Name -> newest visible fact of everything a programme needs beside what is counted from
    cases.

    `route` is build, co-design or acquire. Raises `Leak` for a day that knows too little.
    """
    places = (
        _SHARED
        | {name: (f"programme-{route}", name) for name in _OWN}
        | (_ACQUISITION if route == "acquire" else {})
    )
    return {name: catalogue.fact(entity, field) for name, (entity, field) in places.items()}
