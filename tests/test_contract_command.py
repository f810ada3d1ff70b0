"""`fabless contract`: what it prints, and how every error leaves it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from command_fixture import Run
from fabless.catalogue.case.contract_question import contract_examples, example_text, read_contracts
from fabless.catalogue.case.schema_contract import KINDS
from fabless.contract.curves import curves
from fabless.report.canvas import WIDE, as_svg
from fabless.report.contract_charts import volume_curves


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command in an empty folder, on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Run("contract", capsys, monkeypatch)


def few_paths(name: str) -> str:
    """An example with few paths."""
    return example_text(name).replace("  price_year:", "  paths: 64\n  price_year:")


def test_kinds_says_what_each_is(run: Run) -> None:
    assert run("kinds") == 0
    assert all(f"\n{kind} " in run.out for kind in KINDS)
    assert max(map(len, run.out.splitlines())) <= 80
    assert run("kinds", "--json") == 0
    assert [kind["kind"] for kind in json.loads(run.out)["kinds"]] == list(KINDS)


@pytest.mark.parametrize("name", contract_examples())
def test_an_example_prints_a_file_that_can_be_valued(run: Run, tmp_path: Path, name: str) -> None:
    assert run("example", name) == 0
    assert run.out == example_text(name)
    assert "#" in run.out
    (tmp_path / "mine.yaml").write_text(few_paths(name))
    assert run("value", "mine.yaml") == 0, run.err
    assert max(map(len, run.out.splitlines())) <= 80
    assert len(run.out.splitlines()) <= 24, "one screen"


def test_contracts_stand_beside_each_other(run: Run) -> None:
    assert run("value", "--json") == 0
    found = json.loads(run.out)
    rows = {row["name"]: row for row in found["rows"]}
    assert set(rows) == {"list", "prepaid", "firm-option", "cancellable", "first-refusal"}
    assert found["unit"] == "chip"
    assert rows["firm-option"]["firm_units"] == 2500 * 8
    assert rows["firm-option"]["option_units"] == 5000 * 8
    assert rows["list"]["firm_usd"] == 0.0
    assert rows["cancellable"]["worst_usd"] < 0.0
    assert run("value", "own-or-rent") == 0
    for name in ("own", "reserved", "on-demand", "spot"):
        assert f"\n{name} " in run.out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_tables_fit_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for name in ("beside", "warrants"):
        (tmp_path / "mine.yaml").write_text(few_paths(name))
        assert run("value", "mine.yaml") == 0
        assert max(map(len, run.out.splitlines())) <= int(columns)


def test_break_even_says_where_or_that_there_is_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rent.yaml").write_text(few_paths("own-or-rent"))
    (tmp_path / "beside.yaml").write_text(few_paths("beside"))
    assert run("break-even", "own", "on-demand", "--over", "utilisation") == 0
    assert "on-demand is cheaper below 0." in run.out
    assert run("break-even", "own", "reserved", "--over", "utilisation", "--file", "rent.yaml") == 0
    assert "no break-even from 0.01 to 1: own is cheaper" in " ".join(run.out.split())
    assert run("break-even", "reserved", "spot", "--over", "price", "--json", "--file", "rent.yaml") == 0
    found = json.loads(run.out)["break_even"]
    assert found["status"] == "found"
    assert found["cheaper"] == ["reserved", "spot"]
    assert run("break-even", "prepaid", "list", "--file", "beside.yaml", "--low", "20000", "--high", "40000") == 0
    assert "prepaid is cheaper below" in run.out


def test_a_picture_shows_every_contract(run: Run, tmp_path: Path) -> None:
    assert run("value", "own-or-rent", "--svg", "out/cost.svg") == 0
    assert "Picture: out/cost.svg" in run.out
    root = ET.fromstring((tmp_path / "out" / "cost.svg").read_text())
    said = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"own", "reserved", "on-demand", "spot", "USD per chip-hour served"} <= said


def test_the_chart_keeps_its_width_and_draws_the_same_twice() -> None:
    found = curves(read_contracts("beside"))
    svg = as_svg(volume_curves(found, "chip", WIDE), "x")
    assert svg == as_svg(volume_curves(curves(read_contracts("beside")), "chip", WIDE), "x")
    assert 0.8 * WIDE < float(ET.fromstring(svg).get("width", "0")) < 1.12 * WIDE
    assert "NaN" not in svg


def test_the_curve_of_a_firm_contract_is_flat_up_to_its_volume() -> None:
    found = {curve.name: curve for curve in curves(read_contracts("own-or-rent"))}
    inside = found["reserved"].wanted <= 2000.0
    assert found["reserved"].cost_usd[inside] == pytest.approx(found["reserved"].cost_usd[0])
    spot = found["spot"]
    assert np.diff(spot.cost_usd) == pytest.approx(np.diff(spot.cost_usd)[0])
    assert spot.cost_usd[0] == 0.0


GOOD = example_text("take-or-pay")


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (
            [("kind: take-or-pay", "kind: take-or-play")],
            ["unknown kind of contract 'take-or-play'", "did you mean take-or-pay"],
        ),
        ([("tenor: 2 year", "end: 2023Q1")], ["ends in 2023Q1, starts in 2024Q1"]),
        ([("tenor: 2 year", "tenor: 0 year")], ["mine.tenor", "1 quarter or more"]),
        ([("tenor: 2 year", "")], ["neither end nor tenor"]),
        (
            [
                ("firm_share: {value: 0.97}", "firm_share: {value: 1.5}"),
                ("low: 2.0, mode: 2.5", "low: -2.0, mode: 2.5"),
                ("penalty_share: {value: 1}", "penalty_share: {value: 2}"),
                ("tenor: 2 year", "tenor: 0 year"),
                ("spot_volatility: {value: 0.3}", "spot_volatility: {value: -0.3}"),
                ("real_rate: {fact: datacentre.discount_rate}", "real_rate: {value: -1}"),
            ],
            [
                "6 errors", "firm_share: 1.5", "price: -2", "penalty_share: 2", "mine.tenor",
                "spot_volatility: -0.3", "real_rate: -1",
            ],
        ),
        ([("volume:", "volumen:")], ["volumen", "did you mean volume"]),
        ([("how: rent  ", "how: buy  ")], ["rent beside chips that are bought"]),
        (
            [("  spot: ", "  spot_cap: {value: 5}\n  spot: ")],
            ["outlook.unmet: missing beside spot_cap"],
        ),
        ([("outlook:", "outlok:")], ["unknown key 'outlok'", "did you mean outlook"]),
        ([("contracts:", "contracts: {}\nother:")], ["contracts", "1 or more entries"]),
    ],
)
def test_errors_of_a_file_come_together(
    run: Run, tmp_path: Path, edits: list[tuple[str, str]], words: list[str]
) -> None:
    text = GOOD
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    (tmp_path / "mine.yaml").write_text(text)
    assert run("value", "mine.yaml") == 2
    for word in words:
        assert word in run.err, run.err
    assert run.out == ""
    assert "Traceback" not in run.err
    assert "fabless init" not in run.err


def test_tranches_that_do_not_rise_are_refused(run: Run, tmp_path: Path) -> None:
    text = example_text("warrants").replace("hurdle: 400}", "hurdle: 100}").replace("  share_price:", "  # share_price:")
    (tmp_path / "mine.yaml").write_text(text.replace("volume: {value: 150000}", "volume: {value: -1}"))
    assert run("value", "mine.yaml") == 2
    for word in ("tranches.3", "tranches that rise in units or hurdle", "outlook.share_price: missing", "volume: -1"):
        assert word in run.err, run.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("valu", "x.yaml"), ["unknown action 'valu'", "did you mean value"]),
        (("value", "missing.yaml"), ["missing.yaml: cannot be read"]),
        (("value", "besides"), ["unknown example 'besides'", "beside"]),
        (("value", "a", "b"), ["2 names", "one file"]),
        (("example", "take-pay"), ["unknown example 'take-pay'", "take-or-pay"]),
        (("example",), ["0 names", "one kind"]),
        (("break-even", "own"), ["1 names", "two contracts"]),
        (("break-even", "own", "rented"), ["unknown contract 'rented'"]),
        (
            ("break-even", "own", "reserved", "--over", "prices"),
            ["unknown quantity 'prices'", "did you mean price"],
        ),
        (("break-even", "spot", "own"), ["price of spot", "name the contract first"]),
        (
            ("break-even", "own", "reserved", "--low", "5", "--high", "4"),
            ["high end above the low end"],
        ),
        (("kinds", "--svg", "x.svg"), ["--svg", "only `fabless contract value`"]),
        (("value", "beside", "--svg", "x.png"), ["ends in .svg"]),
    ],
)
def test_errors_leave_the_program_with_words(
    run: Run, arguments: tuple[str, ...], words: list[str]
) -> None:
    assert run(*arguments) == 2
    for word in words:
        assert word in run.err, run.err
    assert "Traceback" not in run.err
