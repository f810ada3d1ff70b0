"""A file of contracts to be set beside each other, with the market that they meet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from fabless.case_records import CaseNumber, Contract, ContractQuestion
from fabless.catalogue.case.contracts import Around, read_contract
from fabless.catalogue.case.faults import schema_error
from fabless.catalogue.case.fields import Count, Multiple, Name, Number, QuarterText, Share, Strict, Unit, Whole
from fabless.catalogue.case.numbers import NumberReader, contract_file_numbers
from fabless.catalogue.case.schema import numbers_of
from fabless.catalogue.case.schema_contract import MONEY, ContractSection, money_numbers
from fabless.catalogue.facts.store import Catalogue, load
from fabless.catalogue.facts.text import DATA, read_text
from fabless.catalogue.files.yaml import Document, read_document
from fabless.errors import BadValue, FablessError, Fault, unknown
from fabless.units import Quarter

_Change = Annotated[Number, Unit("1", -9.0, 0.95)]
_Volatility = Annotated[Number, Unit("1", 0.0, 20.0)]
_PER_UNIT = ("spot", "unmet")


class OutlookSection(Strict):
    """What the contracts meet: need, spot market and share price, on paths."""

    first_quarter: QuarterText
    quarters: Whole = Field(ge=1, le=80)
    price_year: Whole = Field(ge=1990, le=2100)
    how: Literal["buy", "rent"]
    """The footing: USD a chip delivered, or USD an hour of a chip in use."""
    real_rate: Share
    need: Count
    """Chips wanted in the first quarter: delivered, or in use."""
    need_growth: Multiple | None = None
    """A year."""
    need_volatility: _Volatility | None = None
    """Standard deviation of a year's log change."""
    spot: Number
    """Price without a contract."""
    spot_decline: _Change | None = None
    """A year; negative where it rises."""
    spot_volatility: _Volatility | None = None
    spot_cap: Count | None = None
    """Most chips a quarter to be had without a contract; no limit where left out."""
    unmet: Number | None = None
    """Loss on a chip (or an hour of one) that is missing; needed with `spot_cap`."""
    share_price: Annotated[Number, Unit("USD")] | None = None
    """The vendor's, for warrants; it drifts at the real rate."""
    share_volatility: _Volatility | None = None
    paths: Whole = Field(default=1024, ge=1, le=1_000_000)
    seed: Whole = Field(default=1, ge=0)


class OwningSection(Strict):
    """What owning a chip costs beside its price, to set a purchase beside rents."""

    life: Annotated[Number, Unit("year", 0.25)]
    residual: Share
    running: Annotated[Number, Unit("USD/h")]
    """Server, site, power and staff, each hour of the chip's life, used or not."""


class ContractsFile(Strict):
    """A whole file."""

    as_of: dt.date | None = None
    """See only facts that were public by this day."""
    outlook: OutlookSection
    owning: OwningSection | None = None
    contracts: dict[Name, ContractSection] = Field(min_length=1)


def contract_examples() -> list[str]:
    """Names of the shipped examples: one of each kind, and some that set several beside each
    other."""
    return sorted(path.stem for path in (DATA / "contracts").glob("*.yaml"))


def example_text(name: str) -> str:
    """Return the text of a shipped example; `UnknownName` when there is none of that name."""
    if name not in contract_examples():
        raise unknown("example", name, contract_examples())
    return (DATA / "contracts" / f"{name}.yaml").read_text(encoding="utf-8")


def read_contracts(path_or_name: str | Path) -> ContractQuestion:
    """Read a file of contracts by path, or a shipped example by name.

    Raises `BadFile` for a file that is missing or no YAML; all faults of its form at once, then all
    faults of what it says, as `UnknownName` where all are names that are not there, else `BadValue`
    (`Leak` for facts of a later day).
    """
    text = str(path_or_name)
    path = Path(text)
    if text not in contract_examples() and (path.suffix or "/" in text or path.exists()):
        return parse_contracts(read_text(path), text)
    return parse_contracts(example_text(text), text)


def parse_contracts(text: str, place: str) -> ContractQuestion:
    """Read contracts from YAML text."""
    document = read_document(text, place)
    try:
        file = ContractsFile.model_validate(document.fields)
    except ValidationError as error:
        raise _of_contracts(schema_error(error, document, ContractsFile)) from error
    return _QuestionReader(file, document, load(file.as_of)).question()


def _of_contracts(error: FablessError) -> FablessError:
    """The error with the example of contracts as its remedy instead of that of cases."""
    example = "`fabless contract example beside`"
    return type(error)(
        *(
            replace(fault, remedy=fault.remedy.replace("`fabless init`", example))
            for fault in error.faults
        )
    )


class _QuestionReader:
    """Builds the question and gathers the faults of every part."""

    def __init__(self, file: ContractsFile, document: Document, catalogue: Catalogue) -> None:
        self.file, self.document, self.catalogue = file, document, catalogue
        self.numbers = NumberReader(catalogue, file.as_of, file.outlook.price_year)
        self.errors: list[FablessError] = []

    def question(self) -> ContractQuestion:
        """The record, or one error with every fault."""
        outlook = self.file.outlook
        numbers = dict(self._numbers())
        contracts = tuple(self._contracts())
        self._check()
        if self.errors:
            kinds = {type(error) for error in self.errors}
            faults = dict.fromkeys(fault for error in self.errors for fault in error.faults)
            raise (kinds.pop() if len(kinds) == 1 else BadValue)(*faults)
        return ContractQuestion(
            first_quarter=Quarter.parse(outlook.first_quarter), quarters=outlook.quarters,
            price_year=outlook.price_year, how=outlook.how, paths=outlook.paths, seed=outlook.seed,
            contracts=contracts,
            numbers=contract_file_numbers(
                numbers, self.file.contracts, owning=self.file.owning is not None
            ),
        )

    def _numbers(self) -> Iterator[tuple[str, CaseNumber]]:
        outlook = self.file.outlook
        named = [*numbers_of(self.file)]
        named += [(f"outlook.{key}", number, MONEY[outlook.how]) for key in _PER_UNIT
                  if (number := getattr(outlook, key)) is not None]
        for name, section in self.file.contracts.items():
            named += money_numbers(name, section, "buy")
        for path, number, unit in named:
            try:
                yield path, self.numbers.read(path, number, unit)
            except FablessError as error:
                place = self.document.at(path)
                self.errors.append(
                    type(error)(*(replace(fault, place=place) for fault in error.faults))
                )

    def _contracts(self) -> Iterator[Contract]:
        outlook = self.file.outlook
        around = Around(
            Quarter.parse(outlook.first_quarter), outlook.quarters, {}, self._known_chip
        )
        for name, section in self.file.contracts.items():
            try:
                yield read_contract(
                    name, section, around,
                    lambda key, name=name: self.document.at(  # type: ignore[misc]
                        f"contracts.{name}.{key}"
                    ),
                )
            except FablessError as error:
                self.errors.append(error)

    def _known_chip(self, name: str) -> None:
        """Any chip may be under contract, one that the catalogue does not know too: only its name
        counts here."""

    def _bad(self, path: str, found: str, allowed: str, remedy: str) -> None:
        self.errors.append(BadValue(Fault(self.document.at(path), found, allowed, remedy)))

    def _check(self) -> None:
        """What one part of the file needs of another."""
        outlook, contracts = self.file.outlook, self.file.contracts
        if outlook.spot_cap is not None and outlook.unmet is None:
            self._bad(
                "outlook.unmet", "missing beside spot_cap", "the loss on a chip that is missing",
                "add it: with a limit on spot some need may go unserved",
            )
        for name, section in contracts.items():
            if section.kind == "warrants" and outlook.share_price is None:
                self._bad(
                    "outlook.share_price", f"missing, and {name} earns warrants",
                    "the vendor's share price", "add it, with share_volatility",
                )
            if (section.how or "buy") == outlook.how:
                continue
            if outlook.how == "buy":
                self._bad(
                    f"contracts.{name}.how", "rent beside chips that are bought",
                    "buy, or an outlook of how: rent",
                    "set the outlook to rent: a purchase can stand beside rents, not the other way round",
                )
            elif section.kind != "purchase":
                self._bad(
                    f"contracts.{name}.how", f"a {section.kind} of bought chips beside rents",
                    "a purchase, or a rent",
                    "only a plain purchase is turned into a cost by the hour",
                )
            elif self.file.owning is None:
                self._bad(
                    "owning", f"missing, and {name} is bought beside rents",
                    "life, residual and running",
                    "add the section: it turns a price into a cost by the hour",
                )
