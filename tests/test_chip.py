"""The silicon of one chip: area and power from architecture, prices through time, what does not
fit, and the command."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import fabless as fb
from command_fixture import Run
from fabless.catalogue import Catalogue, load, read_chip, write_chip
from fabless.catalogue.facts.timeline import middle_of, range_at
from fabless.errors import BadValue, DoesNotFit, UnknownName
from fabless.silicon import (
    DieContent,
    area_model,
    chip_sheet,
    die_blocks,
    embodied_carbon,
    interposers_per_wafer,
    matrix_macs,
    power_model,
    rated_power,
    stacks_along_edge,
)
from fabless.silicon.calibration import Prior, fit
from fabless.silicon.carbon import CarbonModel
from fabless.silicon.products import cost_rows, fit_silicon, silicon_results_page

ROOT = Path(__file__).parent.parent
MM2 = 1e-6


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


MINE = """
name: mine
peak: {bf16: 1000 TFLOP/s, fp8: 2000 TFLOP/s}
memory_capacity: 144 GB
memory_bandwidth: 4.8 TB/s
scale_up_bandwidth: 600 GB/s
scale_out_bandwidth: 400 Gb/s
scale_up_domain: 8
tdp: 700 W
node: n5
die_area: 700 mm2
hbm_stacks: 6
memory_type: hbm3e
packaging: cowos-s
"""


def mine(tmp_path: Path, **changes: object) -> fb.Chip:
    fields = yaml.safe_load(MINE) | changes
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in fields.items() if value is not None}))
    return read_chip(path)


# --- blocks ---------------------------------------------------------------------------------------


def test_area_by_hand(catalogue: Catalogue) -> None:
    model = area_model(catalogue)
    content = DieContent(
        macs=1e5, lanes=1e4, sram_bytes=100e6, memory_sites=6, memory_site_m2=14 * MM2,
        link_bandwidth=450e9, neighbours=1,
    )
    got = die_blocks(model, content, logic_density=model.reference_density, sram_density=33.3e12, rounded=False)
    parts = (
        1e5 * model.mac_m2
        + 1e4 * model.lane_m2
        + 8e8 / 33.3e12 * model.sram_overhead
        + 84 * MM2
        + 450e9 * model.link_m2_per_rate
        + model.die_to_die_m2
    )
    assert float(got.total) == pytest.approx(parts * (1 + model.rest_share) + model.fixed_m2, rel=1e-12)
    assert float(sum(area for _, area in got.lines())) == pytest.approx(float(got.total), rel=1e-12)


def test_area_grows_with_everything_and_shrinks_with_density(catalogue: Catalogue) -> None:
    model = area_model(catalogue)
    base = DieContent(
        macs=1e5, lanes=1e4, sram_bytes=100e6, memory_sites=6, memory_site_m2=14 * MM2,
        link_bandwidth=450e9,
    )
    start = float(die_blocks(model, base, logic_density=1e14, sram_density=3e13).total)
    for name in ("macs", "lanes", "sram_bytes", "memory_sites", "memory_site_m2", "link_bandwidth"):
        more = replace(base, **{name: 2 * getattr(base, name)})
        assert float(die_blocks(model, more, logic_density=1e14, sram_density=3e13).total) > start
    assert float(die_blocks(model, base, logic_density=2e14, sram_density=3e13).total) < start
    nothing = DieContent(macs=0, lanes=0, sram_bytes=0, memory_sites=0, memory_site_m2=0, link_bandwidth=0)
    empty = die_blocks(model, nothing, logic_density=1e14, sram_density=3e13, rounded=False)
    assert float(empty.total) == model.fixed_m2


def test_formats_share_one_array() -> None:
    narrow = {"fp8": 0.4, "fp4": 0.15}
    assert float(matrix_macs({"bf16": 2e12, "fp8": 4e12, "fp4": 8e12}, 1e9, narrow)) == 1000
    assert float(matrix_macs({"bf16": 2e12, "fp8": 16e12}, 1e9, narrow)) == pytest.approx(3200)
    assert float(matrix_macs({"fp32": 2e12, "fp64": 4e12}, 1e9, narrow)) == 0


def test_power_by_hand_and_its_clock(catalogue: Catalogue) -> None:
    model = power_model(catalogue)
    given = {
        "matrix_flops": 1e15, "vector_flops": 5e13, "memory_bandwidth": 4e12,
        "memory_j_per_byte": 3e-11, "link_bandwidth": 5e11, "logic_area_m2": 800 * MM2,
        "energy_scale": 0.7,
    }
    got = rated_power(model, **given)
    expected = (
        0.7 * (1e15 * model.matrix_j + 5e13 * model.vector_j)
        + 120
        + 5e11 * model.link_j_per_byte
        + 800 * MM2 * model.static_w_per_m2
        + model.fixed_w
    )
    assert float(got.total) == pytest.approx(expected, rel=1e-12)
    # at the same units a clock higher by 15 % takes the power back that a node gained: 0.7 x
    # 1.15^2.55 = 1
    fast = rated_power(model, **given | {"matrix_flops": 1.15e15, "vector_flops": 5.75e13}, clock_ratio=1.15)
    assert float((fast.matrix + fast.vector) / (got.matrix + got.vector)) == pytest.approx(1 / 0.7, rel=0.01)


def test_blocks_broadcast(catalogue: Catalogue) -> None:
    model, macs = area_model(catalogue), np.array([1e4, 1e5, 2e5])
    content = DieContent(
        macs=macs, lanes=1e4, sram_bytes=1e8, memory_sites=6, memory_site_m2=14 * MM2,
        link_bandwidth=450e9,
    )
    many = die_blocks(model, content, logic_density=1e14, sram_density=3e13).total
    assert list(many) == [
        float(
            die_blocks(
                model, replace(content, macs=value), logic_density=1e14, sram_density=3e13
            ).total
        )
        for value in macs
    ]


def test_carbon_by_hand() -> None:
    # ACT, N7, 1 cm2 at yield 1: 0.5 kg/kWh x 2.15 kWh + 0.35 + 0.5 kg, and 0.15 kg of package
    model = CarbonModel(5.0, 0.5 / 3.6e6, 0.15, 6.5e-11)
    got = embodied_carbon(model, silicon_m2=1e-4, fab_energy_per_m2=2.15 * 3.6e10, fab_gas_per_m2=3.5, memory_bytes=0.0)
    assert float(got) == pytest.approx(1.075 + 0.035 * 0.01 + 0.0005 + 0.15, rel=1e-6)


def test_interposers_and_edges() -> None:
    assert list(interposers_per_wafer(np.array([2500.0, 4700.0]) * MM2)) == [21, 9]  # H100; Rubin (JPMorgan: 9 a wafer)
    assert int(stacks_along_edge(31.3e-3, 1, 11e-3, 0.5)) == 6  # H100
    assert int(stacks_along_edge(31.0e-3, 2, 11e-3, 0.5)) >= 8  # B200


# --- calibration ----------------------------------------------------------------------------------


def test_a_fit_finds_the_parameters_that_made_the_data() -> None:
    rows = np.random.default_rng(1).uniform(1, 2, (40, 2))
    known = rows @ [3.0, 5.0]
    found = fit(lambda p, x: x @ p, rows, known, [Prior(1.0, 100.0), Prior(1.0, 100.0)])
    assert found.parameters == pytest.approx([3.0, 5.0], rel=1e-4)
    assert found.left_out == pytest.approx(known, rel=1e-4)
    held = fit(lambda p, x: x @ p, rows, known, [Prior(1.0, 1e-6), Prior(1.0, 1e-6)])
    assert held.parameters == pytest.approx([1.0, 1.0], rel=1e-3)


@pytest.fixture(scope="module")
def calibration(catalogue: Catalogue):  # type: ignore[no-untyped-def]
    return fit_silicon(catalogue)


def test_calibrated_facts_and_the_results_page_are_current(catalogue: Catalogue, calibration) -> None:  # type: ignore[no-untyped-def]
    for entity, field, value, _, now in calibration.parameters(catalogue):
        assert value == pytest.approx(now, rel=0.005), f"{entity} {field}: run python docs/silicon_results.py"
    page = silicon_results_page(catalogue, calibration)
    assert page == (ROOT / "docs" / "results" / "silicon.md").read_text(encoding="utf-8"), "run: docs/silicon_results.py"


def test_errors_of_area_and_power_stay_where_they_are(calibration) -> None:  # type: ignore[no-untyped-def]
    area = [abs(one.alone / one.known - 1) for one in calibration.area_products]
    power = [abs(one.alone / one.known - 1) for one in calibration.power_products]
    assert np.median(area) < 0.11
    assert np.median(power) < 0.26


def test_the_table_uses_the_formula_of_the_models(catalogue: Catalogue, calibration) -> None:  # type: ignore[no-untyped-def]
    for one in calibration.area_products:
        sheet = chip_sheet(catalogue, catalogue.chip(one.name), draws=64)
        modelled = sum(die.count * (die.modelled_mm2 or 0) for die in sheet.dies)
        assert modelled == pytest.approx(one.model / MM2, abs=sum(die.count for die in sheet.dies) + 1), one.name
        assert sheet.power_modelled_w is not None
    for one in calibration.power_products:
        sheet = chip_sheet(catalogue, catalogue.chip(one.name), draws=64)
        assert sheet.power_modelled_w == pytest.approx(one.model, rel=0.01)


def test_most_unit_costs_lie_within_their_published_range(catalogue: Catalogue) -> None:
    rows = [row for row in cost_rows(catalogue) if row.sheet is not None and row.low < row.high]
    inside = [row for row in rows if row.sheet and row.low <= row.sheet.unit_cost.p50 <= row.high]
    assert len(rows) >= 9
    assert len(inside) >= 0.6 * len(rows)


# --- the sheet ------------------------------------------------------------------------------------


def test_the_sheet_adds_up(catalogue: Catalogue) -> None:
    sheet = chip_sheet(catalogue, catalogue.chip("h100-sxm"))
    assert sum(line.value for line in sheet.cost) == pytest.approx(sheet.unit_cost_usd, rel=1e-9)
    assert sum(line.value for line in sheet.dies[0].blocks) == pytest.approx(814, rel=1e-9)
    assert sheet.dies[0].gross_dies_per_wafer == 67
    assert sheet.dies[0].plain_yield < sheet.dies[0].sold_yield < 1
    assert sheet.nre_usd == pytest.approx(sum(line.value for line in sheet.nre))
    assert sheet.nre_usd is not None
    assert sheet.volume_for_small_nre == pytest.approx(sheet.nre_usd / (0.1 * sheet.unit_cost_usd))
    assert all(line.source for line in (*sheet.cost, *sheet.power, *sheet.nre))
    assert sheet.unit_cost.p10 < sheet.unit_cost.p50 < sheet.unit_cost.p90


def test_time_moves_prices_and_defects(catalogue: Catalogue) -> None:
    h100, mature = catalogue.chip("h100-sxm"), catalogue.node("n5").defect_density.mode
    launch = chip_sheet(catalogue, h100, at=dt.date(2020, 6, 1), draws=64)
    later = chip_sheet(catalogue, h100, at=dt.date(2024, 6, 1), draws=64)
    assert launch.dies[0].plain_yield < later.dies[0].plain_yield
    assert later.dies[0].plain_yield == pytest.approx((1 + 8.14 * mature / 1e4 / 3) ** -3, rel=1e-3)
    with pytest.raises(BadValue, match="volume start"):
        chip_sheet(catalogue, h100, at=dt.date(2019, 1, 1))
    wafer = [range_at(catalogue.series("n3", "wafer_price"), dt.date(year, 7, 1)).spread.mode for year in (2022, 2025, 2026)]
    assert wafer[0] == pytest.approx(20_000)
    assert wafer[1] == pytest.approx(math.sqrt(19_900 * 22_500), rel=1e-3)  # half-way from 2024 to 2026
    assert wafer[2] == pytest.approx(22_500)
    assert middle_of("2026Q4") == dt.date(2026, 11, 15)


def test_extremes(catalogue: Catalogue, tmp_path: Path) -> None:
    tiny = chip_sheet(catalogue, mine(tmp_path, die_area="1 mm2", memory_type=None, hbm_stacks=None, packaging="organic"))
    assert tiny.dies[0].sold_yield > 0.99
    assert sum(line.value for line in tiny.cost if line.name.startswith("good dies")) < 1.0
    assert not any(line.name == "memory" for line in tiny.cost)
    two = chip_sheet(catalogue, mine(tmp_path, die_area=["700 mm2", "700 mm2"]))
    assert [die.count for die in two.dies] == [2]


def test_area_is_estimated_where_only_the_architecture_is_known(catalogue: Catalogue, tmp_path: Path) -> None:
    sheet = chip_sheet(catalogue, mine(tmp_path, die_area=None, on_chip_memory="100 MB", clock="1.8 GHz"))
    assert 300 < sheet.dies[0].area_mm2 < 858
    assert sheet.dies[0].area_source.startswith("area model")
    doubled = chip_sheet(catalogue, mine(tmp_path, die_area=None, on_chip_memory="200 MB", clock="1.8 GHz"))
    assert doubled.dies[0].area_mm2 > sheet.dies[0].area_mm2
    with pytest.raises(BadValue, match="neither an area nor an architecture"):
        chip_sheet(catalogue, mine(tmp_path, die_area=None))


def test_chip_files_keep_their_silicon(catalogue: Catalogue, tmp_path: Path) -> None:
    for name in ("h100-sxm", "mi300x", "tpu-v7"):
        chip = catalogue.chip(name)
        write_chip(chip, tmp_path / "copy.yaml")
        again = read_chip(tmp_path / "copy.yaml")
        assert again.architecture == chip.architecture
        assert chip_sheet(catalogue, again).unit_cost_usd == chip_sheet(catalogue, chip).unit_cost_usd


# --- what does not fit ----------------------------------------------------------------------------


def test_a_die_over_the_field_says_what_two_dies_would_need(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit) as caught:
        chip_sheet(catalogue, mine(tmp_path, die_area="1000 mm2"))
    fault = caught.value.faults[0]
    assert "1,000 mm2" in fault.found
    assert "858 mm2" in fault.allowed
    assert "2 dies would need 520 mm2 each" in fault.remedy
    assert "interposer of about" in fault.remedy


def test_stacks_over_the_edge_are_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="8 stacks of 11 mm along two edges"):
        chip_sheet(catalogue, mine(tmp_path, die_area="676 mm2", hbm_stacks=8))
    with pytest.raises(DoesNotFit, match="interposer"):
        chip_sheet(catalogue, mine(tmp_path, die_area=["800 mm2"] * 4, hbm_stacks=12))


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"node": "n4"}, UnknownName, "n16, n2, n3, n5, n7"),
        ({"node": None}, BadValue, "n16, n2, n3, n5, n7"),
        ({"memory_type": "hbm9"}, UnknownName, "hbm3e"),
        ({"packaging": "glue"}, UnknownName, "cowos-l"),
    ],
)
def test_unknown_names_list_the_known_ones(
    catalogue: Catalogue, tmp_path: Path, change: dict[str, object], kind: type[Exception],
    says: str,
) -> None:
    with pytest.raises(kind, match=says):
        chip_sheet(catalogue, mine(tmp_path, **change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"die_area": "-5 mm2"}, "positive"),
        ({"die_area": "700"}, "unit"),
        ({"clock": "2 m"}, "unit"),
        (
            {"dies": [{"area": "700 mm2", "units": 4, "units_needed": 5}], "die_area": None},
            "at most 4",
        ),
        ({"dies": [{"aera": "700 mm2"}], "die_area": None}, "did you mean area"),
        ({"dies": [{"area": "700 mm2"}]}, "beside dies"),
    ],
)
def test_bad_silicon_in_a_chip_file(tmp_path: Path, change: dict[str, object], says: str) -> None:
    with pytest.raises(fb.FablessError, match=says):
        mine(tmp_path, **change)


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run("chip", capsys, monkeypatch)


def test_the_command_prints_and_draws(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "h100.svg"
    assert run("h100-sxm", "--at", "2023Q3", "--picture", str(picture)) == 0, run.err
    for word in ("matrix units", "good dies", "scrapped memory", "unit cost", "NRE", "carbon", "pack-h100bom"):
        assert word in run.out
    assert "<svg" in picture.read_text(encoding="utf-8")
    assert run("h100-sxm", "--json") == 0
    data = json.loads(run.out)
    assert data["unit_cost"]["p10"] < data["unit_cost"]["p90"]
    assert data["dies"][0]["gross_dies_per_wafer"] == 67


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["h100-sxn"], "h100-sxm"),
        (["h100-sxm", "--at", "2026"], "YYYYQ1"),
        (["h100-sxm", "--design", "none"], "derivative"),
        (["h100-sxm", "--reuse", "2"], "share from 0 to 1"),
        (["h100-sxm", "--picture", "x.png"], ".svg"),
        (["nowhere.yaml"], "cannot be read"),
    ],
)
def test_the_command_explains_bad_input(run: Run, arguments: list[str], says: str) -> None:
    assert run(*arguments) == 2
    assert says in run.err
    assert "remedy" in run.err


def test_the_script_of_the_results_checks_itself() -> None:
    spec = importlib.util.spec_from_file_location("silicon_results", ROOT / "docs" / "silicon_results.py")
    assert spec is not None
