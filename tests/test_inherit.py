"""Cases that say only what differs from another one."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from case_fixture import LLAMA, MINIMAL, edited
from fabless.case_records import Case, named
from fabless.catalogue import read_case
from fabless.catalogue.case.case import MOST_BYTES, parse_case, shipped_cases
from fabless.catalogue.case.inherit import DEEPEST
from fabless.digest import digest_of
from fabless.errors import BadFile, BadValue, FablessError, Leak, UnknownName

HEAD = "from: base.yaml\nname: child\ntitle: A child\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(MINIMAL, encoding="utf-8")
    return tmp_path


def child(folder: Path, text: str, head: str = HEAD) -> Case:
    path = folder / "child.yaml"
    path.write_text(head + text, encoding="utf-8")
    return read_case(path)


@pytest.mark.parametrize("name", shipped_cases())
def test_a_case_that_changes_nothing_is_its_base(name: str) -> None:
    base = read_case(name)
    same = parse_case(f"from: {name}\nname: mine\ntitle: Mine\n", "mine.yaml", Path("nowhere"))
    assert (same.name, same.title) == ("mine", "Mine")
    assert digest_of(replace(same, name=base.name, title=base.title)) == digest_of(base)


def test_a_number_is_replaced_whole_and_its_neighbours_stay(folder: Path) -> None:
    case = child(folder, "demand:\n  queries: {value: 3.0e+6}\n")
    base = read_case(folder / "base.yaml")
    before, after = named(base.numbers), named(case.numbers)
    assert {name for name in before if before[name] != after[name]} == {"demand.queries"}
    assert after["demand.queries"].spread.scale == "linear", "that of the base does not stay"


def test_what_is_not_a_number_is_replaced_whole_too(folder: Path) -> None:
    case = child(folder, "lines: {h100: {ways: [buy]}}\nquarters: 12\ntree: {branching: [3]}\n")
    assert (case.lines[0].ways, case.quarters, case.branching, case.boundaries) == (
        ("buy",), 12, (3,), (2,))


def test_null_takes_an_entry_out_and_new_ones_come_in(folder: Path) -> None:
    line = MINIMAL[MINIMAL.index("  h100:\n"):].replace("  h100:", "  other:")
    case = child(folder, f"lines:\n  h100: null\n{line}")
    assert [item.name for item in case.lines] == ["other"]
    with pytest.raises(BadValue, match=r"child\.yaml:5: lines\.h200: null, where nothing"):
        child(folder, "lines:\n  h200: null\n")
    with pytest.raises(BadValue, match=r"existing\.count: missing"):
        child(folder, "existing: {count: null}\n")


def test_keys_written_as_a_number_or_as_text_are_one(folder: Path) -> None:
    (folder / "base.yaml").write_text(
        MINIMAL + "limits: {power: {2024: {value: 5, unit: MW}}}\n", encoding="utf-8")
    case = child(folder, 'limits: {power: {"2024": {value: 6, unit: MW}}}\n')
    assert {name: item.spread.mode for name, item in case.numbers.limits.power.items()} == {
        "2024": 6.0e6}


def test_name_and_title_are_the_childs_own(folder: Path) -> None:
    with pytest.raises(BadValue) as error:
        child(folder, "", "from: base.yaml\n")
    assert [fault.place.rpartition(" ")[2] for fault in error.value.faults] == ["name", "title"]


def test_ranges_and_hindsight_are_inherited(folder: Path) -> None:
    (folder / "base.yaml").write_text(MINIMAL + "ranges: {beyond: 0.1}\n", encoding="utf-8")
    growth = child(folder, "demand: {growth: {low: 1, mode: 2, high: 3}}\n").numbers.demand.growth
    assert growth.spread.low < 1.0
    assert growth.spread.high > 3.0


def test_a_reason_of_the_base_may_become_idle_and_one_of_the_child_may_not(folder: Path) -> None:
    chip = ("chips: {mine: {vendor: me, peak: {bf16: 1000 TFLOP/s, int8: 2000 TOP/s}, memory_capacity: 80 GB, "
            "memory_bandwidth: 3 TB/s, scale_up_bandwidth: 450 GB/s, scale_up_domain: 8, "
            "scale_out_bandwidth: 400 Gb/s, tdp: 700 W}}\n"
            "lines: {h100: {chip: mine}}\nexisting: {chip: mine}\n")
    assert set(child(folder, chip).hindsight) == {"performance", "epoch-hw", "stas-n"}
    with pytest.raises(Leak, match=r"child\.yaml:\d+: hindsight\.epoch-hw: a reason for nothing"):
        child(folder, chip + "hindsight: {epoch-hw: as ever}\n")


def test_faults_name_the_file_and_line_in_which_the_value_was_written(folder: Path) -> None:
    (folder / "base.yaml").write_text(
        edited(MINIMAL, ("growth_fade: {value: 2}", "growth_fade: {value: -2}")), encoding="utf-8")
    with pytest.raises(BadValue) as error:
        child(folder, "demand:\n  growth: {low: 3, mode: 2, high: 4}\n")
    places = sorted(fault.place.removeprefix(f"{folder}/") for fault in error.value.faults)
    line = 1 + MINIMAL[:MINIMAL.index("  growth_fade")].count("\n")
    assert places == [f"base.yaml:{line}: demand.growth_fade", "child.yaml:5: demand.growth"]


def test_faults_in_a_number_that_replaces_another_are_not_laid_to_the_base(folder: Path) -> None:
    with pytest.raises(BadValue, match=r"child\.yaml:5: demand\.queries\.low"):
        child(folder, "demand:\n  queries: {low: x, mode: 2, high: 3}\n")
    with pytest.raises(UnknownName, match=r"child\.yaml:5: demand\.queries\.scael"):
        child(folder, "demand:\n  queries: {value: 3, scael: log}\n")


def test_a_chain_is_followed_and_files_of_the_base_are_found(folder: Path) -> None:
    (folder / "llama.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    (folder / "base.yaml").write_text(
        MINIMAL.replace("model: llama-2-70b", "model: llama.json"), encoding="utf-8")
    (folder / "middle.yaml").write_text(
        "from: base.yaml\nname: m\ntitle: M\nquarters: 10\nseed: 5\n", encoding="utf-8")
    case = child(folder, "seed: 6\n", HEAD.replace("base", "middle"))
    assert (case.quarters, case.seed, case.loads[0].model is None) == (10, 6, False)


def test_circles_and_long_chains_are_told(folder: Path) -> None:
    for name, base in (("a", "b"), ("b", "a"), ("self", "self")):
        (folder / f"{name}.yaml").write_text(f"from: {base}.yaml\nname: x\ntitle: X\n")
    for name in ("a", "self"):
        with pytest.raises(BadValue, match="a circle") as error:
            read_case(folder / f"{name}.yaml")
        assert len(error.value.faults) == 1
    for number in range(DEEPEST + 1):
        base = "base" if number == 0 else f"c{number - 1}"
        (folder / f"c{number}.yaml").write_text(f"from: {base}.yaml\nname: x\ntitle: X\n")
    assert read_case(folder / f"c{DEEPEST - 1}.yaml").quarters == 8
    with pytest.raises(BadValue, match=f"more than {DEEPEST} cases"):
        read_case(folder / f"c{DEEPEST}.yaml")


@pytest.mark.parametrize("name", [
    "../../etc/passwd", "/etc/passwd", "/etc/passwd.yaml", "../base.yaml", "./base.yaml",
    "sub/base.yaml", "base", "base.txt", "missing.yaml", "openai-2024", "''", "..", "sub.yaml",
    "'..\\base.yaml'", "'a\\0.yaml'", '"a\\0.yaml"', "http://example.org/base.yaml",
    "file:///etc/passwd", "x" * 5000 + ".yaml", "[base.yaml]", "3", "null", "true", "{a: b}",
])
def test_nothing_but_a_shipped_case_or_a_file_beside_it_is_read(folder: Path, name: str) -> None:
    (folder / "base.txt").write_text(MINIMAL)
    (folder / "sub").mkdir()
    (folder / "sub" / "base.yaml").write_text(MINIMAL)
    (folder / "sub.yaml").mkdir()
    with pytest.raises((UnknownName, BadValue)) as error:
        child(folder, "", f"from: {name}\nname: child\ntitle: A child\n")
    (fault,) = error.value.faults
    assert "child.yaml:1: from" in fault.place
    assert "the name of a shipped case, or of a case file" in fault.allowed
    assert len(str(fault)) < 500 + len(str(folder))


def test_a_huge_base_is_refused_unread(folder: Path) -> None:
    with (folder / "huge.yaml").open("wb") as file:
        file.truncate(50 * MOST_BYTES)
    with pytest.raises(BadFile, match="50,000,000 bytes"):
        child(folder, "", HEAD.replace("base", "huge"))


def test_aliases_that_grow_without_end_are_refused_at_once(folder: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 10))
    (folder / "bomb.yaml").write_text(bomb)
    start = time.perf_counter()
    for text, head in (("", HEAD.replace("base", "bomb")), (bomb, HEAD)):
        with pytest.raises(BadFile, match="more than 100,000 entries"):
            child(folder, text, head)
    assert time.perf_counter() - start < 10.0


@pytest.mark.parametrize("text", ["", "- a\n", "3\n", "from: base.yaml\n", ": [\n", "\0"])
def test_a_base_that_is_no_case_is_one_clear_error(folder: Path, text: str) -> None:
    (folder / "odd.yaml").write_text(text)
    with pytest.raises(FablessError) as error:
        child(folder, "", HEAD.replace("base", "odd")) if text != "from: base.yaml\n" else child(
            folder, "quarters: 0\n", HEAD.replace("base", "odd"))
    assert len(error.value.faults) == 1
