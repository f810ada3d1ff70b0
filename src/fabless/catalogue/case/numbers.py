"""Numbers of a case become ranges in SI with their source: stated in the file, or taken from a fact
of the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TypeVar

from fabless.case_numbers import (
    CaseNumbers,
    ContractFileNumbers,
    ContractNumbers,
    DemandNumbers,
    DesignShareNumbers,
    ExistingNumbers,
    FinanceNumbers,
    HoldingNumbers,
    LimitNumbers,
    LineNumbers,
    MarketNumbers,
    OwningNumbers,
    PoolNumbers,
    PricePathNumbers,
    ProgrammeNumbers,
    QueryNumbers,
    SecondNumbers,
    Section,
    ShockNumbers,
    SupplyNumbers,
    TrainingNumbers,
)
from fabless.case_records import CASE_SOURCE, CaseNumber, correlation_name
from fabless.catalogue.case.fields import Number, Unit
from fabless.catalogue.case.schema import CaseFile
from fabless.catalogue.facts.store import Catalogue
from fabless.errors import BadValue, Fault
from fabless.records import Fact, Range, Source
from fabless.sampling import stretched
from fabless.units import deflate, dimension, to_si

PRICE_INDEX = "us-cpi"
"""Entity whose yearly index turns dollars of one year into those of another."""

S = TypeVar("S", bound=Section)


class NumberReader:
    """Reads the numbers of one file, as its day sees them and in its dollars."""

    def __init__(
        self, catalogue: Catalogue, as_of: dt.date | None, price_year: int, beyond: float = 0.0
    ) -> None:
        """`beyond`: chance that a number lies beyond the ends that the file itself states."""
        self.catalogue, self.as_of, self.price_year = catalogue, as_of, price_year
        self.beyond = beyond

    def read(self, name: str, number: Number, unit: Unit) -> CaseNumber:
        """A number of the file under its dotted name; `BadValue`, `UnknownName` or `Leak` without a
        place."""
        return (
            self._stated(name, number, unit)
            if number.fact is None
            else self._from_fact(name, number, unit)
        )

    def _stated(self, name: str, number: Number, unit: Unit) -> CaseNumber:
        unit_name = number.unit or unit.name
        if dimension(unit_name) != dimension(unit.name):
            raise BadValue(
                Fault(
                    "", f"unit {unit_name!r} is of {dimension(unit_name)}",
                    f"a unit of {dimension(unit.name)}", f"give it in {unit.name}",
                )
            )
        ends = (number.low, number.mode, number.high)
        if (number.value is None) == (None in ends) or (
            number.value is not None and ends != (None, None, None)
        ):
            raise BadValue(
                Fault(
                    "",
                    f"value {_short(number.value)}, low, mode and high {', '.join(map(_short, ends))}",
                    "either low, mode and high or one value",
                    "give all three, or one value",
                )
            )
        low, mode, high = (
            to_si(float(end), unit_name)
            for end in (ends if number.value is None else (number.value,) * 3)
            if end is not None
        )
        bottom, top = to_si(unit.low, unit.name), to_si(unit.high, unit.name)
        if not low <= mode <= high:
            raise BadValue(
                Fault(
                    "", f"low {number.low:g}, mode {number.mode:g}, high {number.high:g}",
                    "low <= mode <= high", "put the three numbers in rising order",
                )
            )
        if low < bottom or high > top or (unit.above and low == bottom):
            written = (
                _short(number.value)
                if number.value is not None
                else f"{_short(ends[0])} to {_short(ends[2])}"
            )
            raise BadValue(
                Fault(
                    "", f"{written} {unit_name if unit_name != '1' else ''}".rstrip(), unit.allowed,
                    "correct the sign, the size or the unit",
                )
            )
        if number.scale == "log" and low <= 0:
            raise BadValue(
                Fault("", f"low {number.low or 0:g} on a log scale", "low > 0", "use scale: linear")
            )
        beyond = self.beyond if number.beyond is None else number.beyond
        wide = stretched(Range(low, mode, high, number.scale), beyond)
        spread = replace(wide, low=max(wide.low, bottom), high=min(wide.high, top))
        if unit.above and spread.low == bottom:
            spread = replace(spread, low=(low + bottom) / 2.0)
        return CaseNumber(
            name=name, spread=spread, unit=unit_name,
            grade=number.grade, source=self._source(number.source), note=number.note,
            known=self.as_of, news=number.news, bounds=(bottom, top),
        )

    def _in_price_year(self, spread: Range, fact: Fact) -> Range:
        """A fact's range in dollars of the case's price year; other dimensions as they are."""
        if fact.price_year is None or fact.price_year == self.price_year:
            return spread
        index = {int(row.period): row.value for row in self.catalogue.series(PRICE_INDEX, "index")
                 if row.period.isdigit() and isinstance(row.value, float)}
        low, mode, high = (deflate(end, fact.price_year, self.price_year, index)
                           for end in (spread.low, spread.mode, spread.high))
        return Range(low, mode, high, spread.scale)

    def _from_fact(self, name: str, number: Number, unit: Unit) -> CaseNumber:
        entity, _, field = str(number.fact).partition(".")
        if not field or {"value", "low", "mode", "high", "unit", "scale", "beyond"} & number.model_fields_set:
            raise BadValue(
                Fault(
                    "", f"fact {number.fact!r} with {', '.join(sorted(number.model_fields_set))}",
                    "{fact: entity.field}, with a period, a note and news at most",
                    "`fabless show NAME` lists the fields of an entity"
                    if not field
                    else "give either the fact or numbers of your own",
                )
            )
        fact = self.catalogue.fact(entity, field, number.period)
        if dimension(fact.unit) != dimension(unit.name):
            raise BadValue(
                Fault(
                    "", f"{number.fact} is of {dimension(fact.unit)}",
                    f"a fact of {dimension(unit.name)}", "name another fact",
                )
            )
        spread = self._in_price_year(self.catalogue.range(entity, field, number.period), fact)
        if (
            spread.low < (bottom := to_si(unit.low, unit.name))
            or (unit.above and spread.low == bottom)
            or (spread.high > to_si(unit.high, unit.name))
        ):
            raise BadValue(
                Fault(
                    "", f"{number.fact} reaches from {spread.low:g} to {spread.high:g} in SI",
                    unit.allowed, "name another fact, or state your own numbers",
                )
            )
        note = f"{number.fact}: {fact.note}" if fact.note else str(number.fact)
        return CaseNumber(
            name=name, spread=spread, unit=fact.unit, grade=fact.grade, source=fact.source,
            note=note, known=fact.known, news=number.news,
            bounds=(to_si(unit.low, unit.name), to_si(unit.high, unit.name)),
        )

    def _source(self, text: str) -> Source:
        if text == "case":
            return CASE_SOURCE
        known = self.catalogue.sources
        return known[text] if text in known else Source("case", text, "", "")


def _short(number: float | None) -> str:
    return "none" if number is None else f"{number:g}"


def case_numbers(
    file: CaseFile, numbers: Mapping[str, CaseNumber], line_terms: Mapping[str, Mapping[str, str]]
) -> CaseNumbers[CaseNumber]:
    """The numbers of a case, given by dotted name, as records; `line_terms` names the terms of each
    line.

    Every number of the file must have been read: a record lacks none that its section must state.
    """
    return CaseNumbers(
        finance=_record(FinanceNumbers, numbers, "finance"),
        demand=_record(DemandNumbers, numbers, "demand"),
        loads={
            name: _record(TrainingNumbers, numbers, f"loads.{name}")
            if load.kind == "training"
            else _record(QueryNumbers, numbers, f"loads.{name}")
            for name, load in file.loads.items()
        },
        existing=_record(ExistingNumbers, numbers, "existing"),
        owning=_record(OwningNumbers, numbers, "owning"),
        supply=_record(SupplyNumbers, numbers, "supply"),
        lines={
            name: LineNumbers(**{term: numbers[path] for term, path in terms.items()})
            for name, terms in line_terms.items()
        },
        programmes={name: _programme(numbers, f"programmes.{name}") for name in file.programmes},
        contracts=contract_numbers(numbers, file.contracts),
        shocks={name: _record(ShockNumbers, numbers, f"shocks.{name}") for name in file.shocks},
        pools={name: _record(PoolNumbers, numbers, f"pools.{name}") for name in file.pools},
        limits=LimitNumbers(
            power={period: numbers[f"limits.power.{period}"] for period in file.limits.power},
            cash={period: numbers[f"limits.cash.{period}"] for period in file.limits.cash},
            revenue_share=numbers.get("limits.revenue_share"),
        ),
        correlations=tuple(
            numbers[correlation_name(item.pair[0], item.pair[1])] for item in file.correlations
        ),
    )


def contract_file_numbers(
    numbers: Mapping[str, CaseNumber], contracts: Iterable[str], *, owning: bool
) -> ContractFileNumbers[CaseNumber]:
    """The numbers of a file of contracts, given by dotted name, as records; `owning` says whether
    it has that section."""
    return ContractFileNumbers(
        outlook=_record(MarketNumbers, numbers, "outlook"),
        owning=_record(HoldingNumbers, numbers, "owning") if owning else None,
        contracts=contract_numbers(numbers, contracts))


def contract_numbers(
    numbers: Mapping[str, CaseNumber], contracts: Iterable[str]
) -> dict[str, ContractNumbers[CaseNumber]]:
    """The numbers of each contract, given by dotted name, as a record."""
    return {name: _record(ContractNumbers, numbers, f"contracts.{name}") for name in contracts}


def _programme(numbers: Mapping[str, CaseNumber], path: str) -> ProgrammeNumbers[CaseNumber]:
    parts = {
        "design_shares": DesignShareNumbers, "price_path": PricePathNumbers,
        "second": SecondNumbers,
    }
    return _record(ProgrammeNumbers, numbers, path, **{
        key: _record(kind, numbers, f"{path}.{key}") for key, kind in parts.items()
        if any(name.startswith(f"{path}.{key}.") for name in numbers)})


def _record(kind: type[S], numbers: Mapping[str, CaseNumber], path: str, **parts: object) -> S:
    """A record of the numbers that stand below a dotted path under the names of its fields."""
    below = {part.name: numbers[name] for part in fields(kind)  # type: ignore[arg-type]
             if (name := f"{path}.{part.name}") in numbers}
    return kind(**below, **parts)
