"""What a query costs line by line, and which inputs each line is said to rest on."""

from dataclasses import fields

import pytest

from fabless.case_records import Case, Line, named
from fabless.catalogue import load, read_case
from fabless.decide.build_up import BOUND_BY, build_up, hour_inputs
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay, roughly_solved
from fabless.strategy import Commitment
from fabless.tco import ChipHour


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = read_case()
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def solved(prepared: Prepared) -> SolvedWay:
    return roughly_solved(draw_world(prepared, branching=(2, 1, 1, 1)), "all", (Commitment(prepared.case.lines, ()),))


def line_of(case: Case, name: str) -> Line:
    return next(line for line in case.lines if line.name == name)


def test_every_line_of_an_hour_has_the_inputs_that_move_it(prepared: Prepared) -> None:
    """By the formulas of `tco`: upkeep is a share of the prices, so staff rests on them too."""
    case = prepared.case
    parts = {part.name.removesuffix("_usd") for part in fields(ChipHour)}
    owned = hour_inputs(case, line_of(case, "nvidia-prepaid"), 500.0)
    assert set(owned) == parts
    price = {"lines.nvidia-owned.price", "lines.nvidia-prepaid.discount"}
    capital = {"owning.life", "owning.residual", "finance.real_rate"}
    assert set(owned["chip"]) == price | capital
    assert set(owned["server"]) == {"owning.server_cost"} | capital
    assert set(owned["site"]) == {"owning.colocation", "owning.server_power"}
    assert set(owned["power"]) == {"owning.electricity", "owning.pue", "owning.server_power"}
    assert set(owned["staff"]) == {"owning.upkeep", "owning.server_cost"} | price
    assert owned["rent"] == ()
    rented = hour_inputs(case, line_of(case, "azure-rented"), 500.0)
    assert {part: set(names) for part, names in rented.items() if names} == {
        "rent": {"lines.azure-rented.price", "lines.azure-rented.discount"}}


def test_inputs_of_a_line_are_those_of_its_hour_and_of_the_work(prepared: Prepared, solved: SolvedWay) -> None:
    lines = build_up(prepared, solved)
    known = named(prepared.case.numbers)
    assert {line.part for line in lines} == {"chip", "server", "site", "power", "staff", "rent"}
    for line in lines:
        chip = line.chip.split()[0]
        serving = prepared.servings[line.model, chip]
        bounds = {bound for bound in (serving.prefill_bound, serving.decode_bound) if bound in BOUND_BY}
        waits = {name.removeprefix(f"chips.{chip}.") for name in line.inputs if name.startswith("chips.")}
        assert len(waits) == len(bounds)
        assert ("memory_bandwidth" in waits) == ("bandwidth" in bounds)
        assert any(name.startswith("peak_") for name in waits) == ("compute" in bounds)
        assert all(name in known for name in line.inputs if not name.startswith(("chips.", "loads.")))
        slower = [name for name in line.inputs if name.endswith(".efficiency")]
        assert bool(slower) == (chip in ("mi300x-projected", "tpu-v5e")), "those lines state an efficiency"
