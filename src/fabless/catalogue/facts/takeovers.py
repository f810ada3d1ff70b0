"""Chip companies that a day could buy, and the takeovers and failed bids it knew of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from fabless.catalogue.facts.reference_class import Facts, by_field, newest_amount, newest_day, text
from fabless.catalogue.facts.store import Catalogue
from fabless.errors import BadValue, Fault, UnknownName, suggestion
from fabless.records import Fact


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A chip company that could be bought on a day; what no source gives is None."""

    name: str
    title: str
    founded: dt.date | None
    valuation: Fact | None
    """Last known price of the whole company."""
    raised: Fact | None
    employees: Fact | None
    product: str | None
    next_chip: str | None
    next_stage: str | None
    """How far the next chip was: design, taped out or production."""
    distressed: bool
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    """All that is known of it, for its sources."""


@dataclass(frozen=True, kw_only=True)
class Deal:
    """A chip company that was bought or bid for."""

    name: str
    buyer: str
    closed: bool
    price_usd: float | None
    last_valuation_usd: float | None
    """Last price known before the deal, in money of its own year."""
    known: dt.date


def _listed(facts: Facts) -> bool:
    return "name" in facts and "comparable" not in facts


def _sold(facts: Facts) -> Fact | None:
    """The fact that says a company is no longer for sale."""
    return next((facts[field][0] for field in ("buyer", "deal_price") if field in facts), None)


def candidates(catalogue: Catalogue) -> tuple[Candidate, ...]:
    """Chip companies that the day knows and that nobody had bought, by name."""
    seen = ((name, by_field(catalogue, name)) for name in catalogue.entities("companies"))
    return tuple(
        _candidate(name, facts) for name, facts in seen if _listed(facts) and _sold(facts) is None
    )


def candidate(catalogue: Catalogue, called: str) -> Candidate:
    """A candidate by name or title.

    Raises `UnknownName` for a company that is not there; `BadValue` for one that became known later
    or had been sold, with the day, and with the candidates of the day.
    """
    named = {company.name: company for company in candidates(catalogue)}
    wanted = called.strip().casefold().replace(" ", "-")
    if wanted in named:
        return named[wanted]
    of_the_day = ", ".join(named) or "none was known"
    ever = {name: catalogue.rows[name] for name in catalogue.topics["companies"]
            if any(fact.field == "name" for fact in catalogue.rows[name])}
    if wanted not in ever:
        raise UnknownName(Fault("--candidate", f"unknown candidate {called!r}", of_the_day,
                                suggestion(wanted, named, "run: fabless programme candidates")))
    name_fact = next(fact for fact in ever[wanted] if fact.field == "name")
    if catalogue.as_of is not None and name_fact.known > catalogue.as_of:
        raise BadValue(
            Fault(
                "--candidate",
                f"{name_fact.value} became known on {name_fact.known}, after {catalogue.as_of}",
                of_the_day, "choose a candidate of that day, or a later --as-of",
            )
        )
    sale = _sold(by_field(catalogue, wanted))
    reason = f"{name_fact.value} is not for sale: a comparable of the price class"
    if sale is not None:
        buyer = f", to {sale.value}" if isinstance(sale.value, str) else ""
        reason = f"{name_fact.value} was sold: known on {sale.known}{buyer}"
    raise BadValue(
        Fault(
            "--candidate", reason, of_the_day,
            "choose a candidate of that day, or an earlier --as-of",
        )
    )


def _candidate(name: str, facts: Facts) -> Candidate:
    def newest(field: str) -> Fact | None:
        return facts[field][-1] if field in facts else None

    notes = [str(facts[field][-1].value) for field in ("status",) if field in facts]
    outcome = text(facts, "outcome")
    if outcome is not None and outcome != "independent":
        notes.append(f"{outcome}, {facts['outcome'][-1].known}")
    bid = newest("failed_bid")
    if bid is not None:
        notes.append(f"bid by {text(facts, 'bidder') or 'another'} failed, known on {bid.known}")
    return Candidate(
        name=name, title=text(facts, "name") or name, founded=newest_day(facts, "founded"),
        valuation=newest("valuation"), raised=newest("raised"), employees=newest("employees"),
        product=text(facts, "product"), next_chip=text(facts, "next_chip"),
        next_stage=text(facts, "next_stage"), distressed=text(facts, "condition") == "distressed",
        notes=tuple(notes),
        facts=tuple(fact for group in facts.values() for fact in group),
    )


def deals(catalogue: Catalogue) -> tuple[Deal, ...]:
    """Takeovers that closed and bids that failed, as far as the day knows them, in the order of
    knowledge."""
    takeovers = []
    for name in catalogue.entities("companies"):
        facts = by_field(catalogue, name)
        for closed, price, who in ((True, "deal_price", "buyer"), (False, "failed_bid", "bidder")):
            wound_up = closed and (text(facts, "outcome") or "").startswith("wound up")
            if who not in facts or wound_up or (not closed and price not in facts):
                continue
            fact = facts[price][-1] if price in facts else facts[who][-1]
            before = [
                valuation
                for valuation in facts.get("valuation", ())
                if valuation.known <= fact.known
            ]
            takeovers.append(
                Deal(
                    name=name, buyer=str(facts[who][-1].value), closed=closed,
                    price_usd=newest_amount(facts, price),
                    last_valuation_usd=before[-1].value
                    if before and isinstance(before[-1].value, float)
                    else None,
                    known=fact.known,
                )
            )
    return tuple(sorted(takeovers, key=lambda deal: (deal.known, deal.name)))
