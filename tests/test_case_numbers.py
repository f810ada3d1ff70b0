"""The records of a case's numbers have the shape of the file, and names only at their borders."""

from dataclasses import fields
from typing import get_args

import pytest
from pydantic import BaseModel

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
    each,
    mapped,
)
from fabless.case_records import Case, modes, named, with_ranges
from fabless.catalogue import read_case
from fabless.catalogue.case import contract_question, schema, schema_contract, schema_market, schema_programme
from fabless.catalogue.case.fields import Number
from fabless.errors import UnknownName
from fabless.records import Range

SECTIONS: dict[type[BaseModel], type[Section]] = {
    schema.Finance: FinanceNumbers, schema.Demand: DemandNumbers,
    schema.InferenceLoad: QueryNumbers, schema.TrainingLoad: TrainingNumbers,
    schema.Existing: ExistingNumbers, schema.CaseOwningSection: OwningNumbers,
    schema.Supply: SupplyNumbers, schema.LineSection: LineNumbers,
    schema_programme.ProgrammeSection: ProgrammeNumbers,
    schema_programme.DesignShares: DesignShareNumbers,
    schema_programme.PricePathSection: PricePathNumbers,
    schema_programme.SecondSection: SecondNumbers, schema_contract.ContractSection: ContractNumbers,
    schema_market.ShockSection: ShockNumbers, schema_market.PoolSection: PoolNumbers,
    schema_market.LimitsSection: LimitNumbers, contract_question.OutlookSection: MarketNumbers,
    contract_question.OwningSection: HoldingNumbers,
}
"""Section of a file -> the record of its numbers."""


def holds_numbers(annotation: object) -> bool:
    """Whether a field is a number, may be one, or holds a part that has some."""
    return annotation in (Number, *SECTIONS) or any(holds_numbers(part) for part in get_args(annotation))


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_a_record_has_the_numbers_of_its_section(section: type[BaseModel]) -> None:
    stated = {name: info for name, info in section.model_fields.items() if holds_numbers(info.annotation)}
    record = {part.name: part for part in fields(SECTIONS[section])}  # type: ignore[arg-type]
    assert list(record) == list(stated)


def test_the_root_has_the_sections_of_the_file() -> None:
    stated = [name for name, info in schema.CaseFile.model_fields.items() if holds_numbers(info.annotation)]
    own = ["correlations", "unit_costs"]
    assert [part.name for part in fields(CaseNumbers) if part.name not in own] == stated
    stated = [name for name, info in contract_question.ContractsFile.model_fields.items() if holds_numbers(info.annotation)]
    assert [part.name for part in fields(ContractFileNumbers)] == stated


def test_a_number_stands_where_its_name_says(case: Case) -> None:
    """The dotted name of a number of the file is the way to it through the records."""
    numbers = named(case.numbers)
    assert len(numbers) > 240
    for name, number in numbers.items():
        place: object = case.numbers
        for part in [] if name.startswith("correlations.") else name.split("."):
            place = place[part] if isinstance(place, dict) else getattr(place, part)
        assert place is (case.numbers if name.startswith("correlations.") else number), name
    assert [number.name for number in case.numbers.correlations] == [
        f"correlations.{one} with {other}" for one, other in case.correlations]


def test_mapping_keeps_the_shape(case: Case) -> None:
    again = mapped(case.numbers, lambda number: number)
    assert again == case.numbers
    assert list(each(modes(case.numbers))) == [number.spread.mode for number in each(case.numbers)]
    assert modes(case.numbers).lines["azure-rented"].port is None


def test_a_range_is_replaced_by_name_wherever_the_number_stands(case: Case) -> None:
    """A line that takes its price from another sees the new one too; all else is as it was."""
    name = "lines.nvidia-owned.price"
    changed = with_ranges(case, {name: Range.point(1.0)}).numbers
    assert changed.lines["nvidia-owned"].price.spread == changed.lines["nvidia-prepaid"].price.spread == Range.point(1.0)
    before, after = named(case.numbers), named(changed)
    assert {key for key in before if before[key] != after[key]} == {name}
    with pytest.raises(UnknownName, match=r"did you mean demand\.queries"):
        with_ranges(case, {"demand.querys": Range.point(1.0)})
