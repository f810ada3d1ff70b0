"""What a query costs line by line, and which inputs each line is said to rest on."""

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from fabless.case_records import modes, named
from fabless.catalogue import load, read_case
from fabless.decide.build_up import BOUND_BY, build_up, hour_inputs, priced_chips, query_costs
from fabless.decide.detail import fitted
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.results import ProgrammeValue
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay, roughly_solved
from fabless.strategy import Commitment
from fabless.tco import ChipHour
from fabless.units import QUARTER_S
from fabless.wording import in_percent


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = read_case()
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def solved(prepared: Prepared) -> SolvedWay:
    case = prepared.case
    world = draw_world(prepared, branching=fitted((2,), len(case.boundaries)))
    return roughly_solved(world, "all", (Commitment(case.lines, ()),))


def test_every_line_of_an_hour_has_the_inputs_that_move_it(prepared: Prepared) -> None:
    """By the formulas of `tco`: upkeep is a share of the prices, so staff rests on them too."""
    case = prepared.case
    parts = {part.name.removesuffix("_usd") for part in fields(ChipHour)}
    owned = hour_inputs(case, priced_chips(case)["nvidia-prepaid"], 500.0)
    assert set(owned) == parts
    price = {"lines.nvidia-owned.price", "lines.nvidia-prepaid.discount"}
    capital = {"owning.life", "owning.residual", "finance.real_rate"}
    assert set(owned["chip"]) == price | capital
    assert set(owned["server"]) == {"owning.server_cost"} | capital
    assert set(owned["site"]) == {"owning.colocation", "owning.server_power"}
    assert set(owned["power"]) == {"owning.electricity", "owning.pue", "owning.server_power"}
    assert set(owned["staff"]) == {"owning.upkeep", "owning.server_cost"} | price
    assert owned["rent"] == ()
    rented = hour_inputs(case, priced_chips(case)["azure-rented"], 500.0)
    assert {part: set(names) for part, names in rented.items() if names} == {
        "rent": {"lines.azure-rented.price"}}
    made = hour_inputs(case, priced_chips(case)["own-build"], 500.0)
    assert "programmes.own-build.unit_cost" in made["chip"]
    assert "programmes.own-build.margin" in made["chip"]
    in_place = hour_inputs(case, priced_chips(case)["existing"], 500.0)
    assert {part: names for part, names in in_place.items() if names} == {
        "rent": ("existing.price",)}


def test_inputs_of_a_line_are_those_of_its_hour_and_of_the_work(prepared: Prepared) -> None:
    lines = build_up(prepared)
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


def test_every_chip_of_the_case_has_its_cost_of_a_query_and_a_reason(
    prepared: Prepared, solved: SolvedWay
) -> None:
    """Whether it is used or not; what serves a load has the sum of its parts."""
    case = prepared.case
    rows = build_up(prepared)
    keys = {"existing", *(line.name for line in case.lines), *(item.name for item in case.programmes)}
    lines = tuple(sorted(keys))
    used = {"existing": 1.0, "nvidia-owned": 2.0, "amd-owned": 1.0}
    compute = np.array([used.get(line, 0.0) for line in lines])[:, None, None]
    paths = cast("WayOnPaths", SimpleNamespace(lines=lines, compute=compute))
    values = (ProgrammeValue(
        name="own-build", route="build", value_usd=-2e8, error_usd=4e7, pays_probability=0.2,
        volume_quarter="2027Q3", volume_probability=0.5),)
    buying = replace(solved, name="buy")
    costs = query_costs(prepared, buying, paths, rows, values)
    queries = [load.name for load in case.loads if load.kind == "inference"]
    assert {(item.load, item.offer) for item in costs} == {
        (load, key) for load in queries for key in keys}
    for item in costs:
        parts = [row.usd for row in rows if (row.model, row.offer) == (item.load, item.offer)]
        assert item.usd is None if not parts else item.usd == pytest.approx(sum(parts))
    for name in queries:
        own = {item.offer: item for item in costs if item.load == name}
        known = [item.usd for item in costs if item.load == name and item.usd is not None]
        assert known == sorted(known)
        assert own["existing"].why.startswith("used: 25% of all compute; ")
        assert "does not allow it" in own["google-rented"].why
        assert ("carried through it would cost $200M ± $80.0M more than it saves"
                in own["own-build"].why)
        dearer = own["existing"].usd / own["amd-owned"].usd - 1.0  # type: ignore[operator]
        assert own["existing"].why.endswith(
            f"{in_percent(dearer)} dearer a query than MI300X, bought from AMD")
        assert own["amd-owned"].why == "used: 25% of all compute"


def test_an_own_chip_is_priced_as_the_plan_prices_it(prepared: Prepared) -> None:
    """Unit cost over one less the margin, and the chip's part of the team that goes on."""
    case, mode = prepared.case, modes(prepared.case.numbers)
    terms = mode.programmes["own-build"]
    price = priced_chips(case)["own-build"].price(mode)
    support = terms.support_share * terms.team * QUARTER_S / terms.allotment
    assert price == pytest.approx(
        float(prepared.unit_costs["own-build"].total_usd) / (1.0 - terms.margin) + support)
