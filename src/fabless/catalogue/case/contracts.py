"""Contracts of a case or of a file of contracts, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from fabless.case_records import STANDARD_WAYS, Contract, Tier, Tranche, tier_faults, tranche_faults
from fabless.catalogue.case import schema
from fabless.catalogue.case.fields import Number, Unit
from fabless.catalogue.case.schema_contract import MONEY, ContractSection, given_terms, money_numbers
from fabless.catalogue.case.ways import known_ways
from fabless.contract import KINDS, stated_terms
from fabless.errors import BadValue, FablessError, Fault, UnknownName, suggestion
from fabless.records import Chip
from fabless.units import QUARTER_S, Quarter, quantity, to_si

T = TypeVar("T")
How = Literal["buy", "rent"]


@dataclass(frozen=True)
class Around:
    """What the rest of a file says for its contracts."""

    first_quarter: Quarter
    quarters: int
    lines: Mapping[str, tuple[str, str, How]]
    """Line -> its chip, vendor and way."""
    chip: Callable[[str], object]
    """Raises `UnknownName` for a chip that is not there."""
    ways: tuple[str, ...] = STANDARD_WAYS
    """Ways that a contract may name."""


def read_contract(
    name: str, section: ContractSection, around: Around, at: Callable[[str], str]
) -> Contract:
    """Read one contract.

    `at` gives the place of a dotted path below the section. Raises every fault of the section at
    once: `UnknownName` where only names are wrong, else `BadValue`.
    """
    return _ContractReader(section, around, at).contract(name)


def case_contract(
    file: schema.CaseFile, name: str, section: ContractSection, chip: Callable[[str], Chip],
    at: Callable[[str], str],
) -> Contract:
    """Read a contract of a case; faults as `read_contract`. `at` gives the place of a dotted path
    of the case.

    Warrants are refused: a case has no share price, and a plan that is linear in the volume cannot
    earn them in lumps.
    """
    if section.kind == "warrants":
        raise BadValue(
            Fault(
                at(f"contracts.{name}.kind"), "warrants in a case", "any other kind of contract",
                "state a take-or-pay at the price less what the warrants bring a chip: `fabless contract "
                "value` says what they are worth",
            )
        )
    around = Around(
        Quarter.parse(file.first_quarter), file.quarters, _lines(file), chip, known_ways(file))
    read = read_contract(name, section, around, lambda key: at(f"contracts.{name}.{key}"))
    return read if read.line is not None else replace(read, made=chip(read.chip))


def contract_money(file: schema.CaseFile) -> Iterator[tuple[str, Number, Unit]]:
    """Numbers of a case's contracts whose unit depends on what is counted: dotted path, number,
    unit."""
    lines = _lines(file)
    for name, section in file.contracts.items():
        yield from money_numbers(
            name, section, lines[section.line][2] if section.line in lines else "buy"
        )


def _lines(file: schema.CaseFile) -> dict[str, tuple[str, str, How]]:
    """Chip, vendor and way of every line, with what it takes from the line it is like."""
    delivery: dict[str, tuple[str, str, How]] = {}
    for name, line in file.lines.items():
        like = file.lines.get(line.like or "", line)
        delivery[name] = (
            line.chip or like.chip or "", line.vendor or like.vendor or "",
            line.how or like.how or "buy",
        )
    return delivery


class _ContractReader:
    """Reads one section and gathers its faults."""

    def __init__(self, section: ContractSection, around: Around, at: Callable[[str], str]) -> None:
        self.section, self.around, self.at = section, around, at
        self.faults: list[Fault] = []

    def contract(self, name: str) -> Contract:
        """The record, or every fault."""
        section = self.section
        self._check_terms()
        for place, way in enumerate(section.ways):
            if way not in self.around.ways:
                self._unknown(f"ways.{place}", "way", way, list(self.around.ways))
        chip, vendor, how = self._delivers()
        signed, start = self._dates()
        tenor = self._try("tenor", lambda: self._tenor(start), 1)
        lead = self._try("lead", lambda: self._quarters(section.lead, 0), 0)
        expiry = self._try("expiry", lambda: self._quarters(section.expiry, 1), 1)
        tranches = tuple(
            Tranche(tranche.shares, tranche.units, tranche.hurdle) for tranche in section.tranches
        )
        per_unit = QUARTER_S if how == "rent" else 1.0
        tiers = tuple(
            Tier(tier.units, to_si(tier.price, MONEY[how].name) * per_unit)
            for tier in section.tiers
        )
        self.faults += tranche_faults(self.at("tranches"), tranches)
        self._check_tiers()
        if self.faults:
            faults = tuple(dict.fromkeys(self.faults))
            raise (UnknownName if all("unknown" in fault.found for fault in faults) else BadValue)(
                *faults
            )
        return Contract(
            name=name, kind=section.kind, how=how, line=section.line, chip=chip, vendor=vendor,
            ways=section.ways, signed=signed, start=start, tenor_quarters=tenor, lead_quarters=lead,
            tranches=tranches, tiers=tiers, on_all=section.on_all,
            expiry_quarters=None if section.expiry is None else expiry,
        )

    def _bad(self, key: str, found: str, allowed: str, remedy: str) -> None:
        self.faults.append(Fault(self.at(key), found, allowed, remedy))

    def _try(self, key: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except FablessError as error:
            self.faults += [
                Fault(self.at(key), fault.found, fault.allowed, fault.remedy)
                for fault in error.faults
            ]
            return otherwise

    def _unknown(self, key: str, what: str, name: str, known: list[str]) -> None:
        self._bad(
            key, f"unknown {what} {name!r}", ", ".join(known),
            suggestion(name, known, "choose one of these"),
        )

    def _check_terms(self) -> None:
        """A known kind with all of its terms and none of another's."""
        section = self.section
        if section.kind not in KINDS:
            self._unknown("kind", "kind of contract", section.kind, list(KINDS))
            return
        kind, terms = KINDS[section.kind], given_terms(section)
        for term in kind.needs:
            if term not in terms or getattr(section, term) == ():
                self._bad(term, "missing", f"a value: {section.kind} needs {', '.join(kind.needs)}",
                          f"add it; `fabless contract example {section.kind}` shows how")
        for term in terms:
            if term not in stated_terms(kind):
                self._bad(
                    term, f"no term of {section.kind}",
                    f"{', '.join(('volume', *stated_terms(kind)))}",
                    "take it out, or choose the kind of contract that has it",
                )

    def _delivers(self) -> tuple[str, str, How]:
        """Chip, vendor and way of the line, or as stated."""
        section, lines = self.section, self.around.lines
        if section.line is None:
            for key in ("chip", "vendor"):
                if getattr(section, key) is None:
                    self._bad(
                        key, "missing", "a chip and its vendor, or a line", "add it, or name a line"
                    )
            if section.chip is not None:
                self._try("chip", lambda: self.around.chip(str(section.chip)), None)
            return section.chip or "", section.vendor or "", section.how or "buy"
        if section.line not in lines:
            self._unknown(
                "line", "line", section.line, list(lines) or ["no line: this file has none"]
            )
            return "", "", section.how or "buy"
        for key in ("chip", "vendor", "how"):
            if getattr(section, key) is not None:
                self._bad(
                    key, f"{getattr(section, key)} beside line {section.line}",
                    "a line, or chip and vendor", "take it out: the line says it",
                )
        return lines[section.line]

    def _dates(self) -> tuple[Quarter, Quarter]:
        """Quarter of signing and first quarter of delivery."""
        section, first = self.section, self.around.first_quarter
        signed = Quarter.parse(section.signed) if section.signed else first
        start = Quarter.parse(section.start) if section.start else max(signed, first)
        last = first + (self.around.quarters - 1)
        if signed < first:
            self._bad(
                "signed", f"{signed}", f"{first} or later",
                "a contract already signed is no choice any more: leave "
                "its cost to the fleet in place",
            )
        if start < signed:
            self._bad(
                "start", f"{start} with a signing in {signed}", f"{signed} or later",
                "deliver after the signing",
            )
        elif start > last:
            self._bad(
                "start", f"{start}", f"{last} or earlier, the last quarter",
                "start earlier, or look further ahead",
            )
        return signed, start

    def _tenor(self, start: Quarter) -> int:
        section = self.section
        if (section.end is None) == (section.tenor is None):
            raise BadValue(
                Fault(
                    "", "neither end nor tenor" if section.end is None else "end and tenor",
                    "one of the two", "write for example tenor: 3 year",
                )
            )
        if section.tenor is not None:
            return self._quarters(section.tenor, 1)
        end = Quarter.parse(str(section.end))
        if end < start:
            raise BadValue(
                Fault(
                    "", f"ends in {end}, starts in {start}", f"an end in {start} or later",
                    "put the last quarter of delivery after the first",
                )
            )
        return end - start + 1

    def _quarters(self, text: str | None, least: int) -> int:
        """A time as whole quarters, rounded; `least` where it is not given."""
        if text is None:
            return least
        quarters = round(quantity(text, "year", "") / QUARTER_S)
        if quarters < least:
            raise BadValue(
                Fault(
                    "", f"{text!r}",
                    f"a time of {least or 0} quarter{'' if least == 1 else 's'} or more",
                    "write for example 3 year",
                )
            )
        return quarters

    def _check_tiers(self) -> None:
        """Tiers against each other and the lowest price before the first."""
        section = self.section
        if not section.tiers:
            return
        price = section.price
        ends = [] if price is None else [end for end in (price.value, price.low) if end is not None]
        first = ends[0] if ends else section.tiers[0].price
        self.faults += tier_faults(
            self.at("tiers"), first, [Tier(tier.units, tier.price) for tier in section.tiers]
        )
