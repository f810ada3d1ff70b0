"""What a contract may state, in the section `contracts:` of a case and in a file of contracts."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from fabless.case_numbers import PER_UNIT
from fabless.case_records import STANDARD_WAYS
from fabless.catalogue.case.fields import Count, Multiple, Number, QuarterText, Real, Share, Strict, Unit, Ways
from fabless.contract import KINDS, stated_terms

MONEY = MappingProxyType({"buy": Unit("USD"), "rent": Unit("USD/h")})
"""Unit of a price by the way of getting chips: a chip, or an hour of one."""
_USD = Annotated[Number, Unit("USD")]


class TrancheSection(Strict):
    """Warrants that vest together."""

    shares: Real = Field(gt=0)
    units: Real = Field(ge=0)
    """Units taken in all from which they may vest."""
    hurdle: Real = Field(default=0.0, ge=0)
    """USD a share."""


class TierSection(Strict):
    """A price from a number of units on."""

    units: Real = Field(gt=0)
    price: Real = Field(ge=0)
    """USD a chip, or USD an hour."""


class ContractSection(Strict):
    """A contract on offer: a kind, a chip, dates, and the terms of the kind."""

    kind: str
    line: str | None = None
    """The line whose chip, vendor and way it takes; else give chip and vendor."""
    chip: str | None = None
    vendor: str | None = None
    how: Literal["buy", "rent"] | None = None
    """Whether prices are USD a chip or USD an hour of one; the line's where it names one, else
    buy."""
    ways: Ways = STANDARD_WAYS
    """The ways that may sign the contract; the portfolio may sign every contract, a way of the
    case's own those that it states."""
    signed: QuarterText | None = None
    """Quarter of signing; the first quarter where left out."""
    start: QuarterText | None = None
    """First quarter of delivery; that of the signing where left out."""
    end: QuarterText | None = None
    """Last quarter of delivery; or give a tenor."""
    tenor: str | None = None
    """Time of delivery, such as '3 year'."""
    lead: str | None = None
    """Time from call-off to delivery, such as '26 week'; none if left out."""
    volume: Count
    """Largest number of chips per quarter: delivered, or in use."""
    price: Number | None = None
    firm_share: Share | None = None
    penalty_share: Share | None = None
    """Penalty per firm unit not taken, as a share of the price; the whole price if left out."""
    prepaid_share: Share | None = None
    option_volume: Count | None = None
    option_price: Number | None = None
    premium: Number | None = None
    """At signing, for each optional unit."""
    reserve: Number | None = None
    """For holding a chip, used or not."""
    exercise_price: _USD | None = None
    tranches: tuple[TrancheSection, ...] = ()
    expiry: str | None = None
    """Time from signing in which tranches may vest."""
    investment: _USD | None = None
    """Investment of the vendor for the whole volume."""
    valuation: Annotated[Number, Unit("USD", above=True)] | None = None
    """Valuation of the buyer, money included, at which the vendor gets its shares."""
    fair_valuation: _USD | None = None
    tiers: tuple[TierSection, ...] = ()
    on_all: bool = False
    """Whether reaching a tier also lowers the price of the units before it."""
    price_multiple: Multiple | None = None
    """Matched price as a multiple of the spot price."""
    fee_share: Share | None = None


_TERMS = tuple(dict.fromkeys(term for kind in KINDS.values() for term in stated_terms(kind)))


def given_terms(section: ContractSection) -> tuple[str, ...]:
    """Terms of kinds that a section states."""
    return tuple(term for term in _TERMS if term in section.model_fields_set and getattr(section, term) is not None)


def money_numbers(name: str, section: ContractSection, how: str) -> Iterator[tuple[str, Number, Unit]]:
    """Numbers whose unit depends on what is counted, `how` being the line's way: dotted path,
    number, unit."""
    for term in PER_UNIT:
        number = getattr(section, term)
        if number is not None:
            yield f"contracts.{name}.{term}", number, MONEY[section.how or how]
