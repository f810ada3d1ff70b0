"""Links: what they say, in every version; what hostile ones are told; the case file of a link."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from case_fixture import LLAMA, MINIMAL, edited
from command_fixture import Run
from fabless.case_moves import movable, moved_ranges, shown_range
from fabless.case_numbers import each
from fabless.case_records import Case, named
from fabless.catalogue import read_case
from fabless.catalogue.case.case import parse_case
from fabless.decide import decide
from fabless.errors import BadValue, FablessError, UnknownName
from fabless.links import (
    Link,
    case_digest,
    case_yaml,
    changed_case,
    decimal,
    link_of,
    linked,
    moves_of,
    other_edition,
    read_link,
)
from fabless.records import Grade
from here import Here

TABLE = yaml.safe_load((Path(__file__).parent / "data" / "links.yaml").read_text())


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case("openai-2023")


@pytest.fixture(scope="module")
def minimal() -> Case:
    return parse_case(MINIMAL, "my.yaml", Path("nowhere"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run("check", capsys, monkeypatch)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["link"][:40])
def test_links_of_every_version_say_what_they_said(row: dict[str, object]) -> None:
    assert read_link(str(row["link"])) == Link(
        row.get("digest", ""), row.get("changes", {}), row.get("looks", {}))  # type: ignore[arg-type]


def test_every_version_has_a_row() -> None:
    versions = {str(row["link"]).rpartition("#")[2].partition("&")[0] for row in TABLE}
    assert versions == {"v1"}


def test_a_link_reads_back_as_the_changes(case: Case) -> None:
    changes = {"owning.pue": 1.3, "demand.growth": 5.0, "lines.amd-owned.price": 15000.5}
    link = link_of(case, changes)
    assert link == (f"#v1&c={case_digest(case)}"
                    "&demand.growth=5&lines.amd-owned.price=15000.5&owning.pue=1.3")
    assert read_link(link) == Link(case_digest(case), changes)
    assert linked(case, link) == changed_case(case, changes)


def test_what_is_moved_by_nothing_stands_in_no_link(case: Case) -> None:
    growth = shown_range(named(case.numbers)["demand.growth"])[1]
    assert link_of(case, {"demand.growth": growth}) == f"#v1&c={case_digest(case)}"
    assert changed_case(case, {"demand.growth": growth}) is case
    assert linked(case, "#v1") is case


def test_moved_numbers_are_the_readers_assumptions_and_no_other_number_changes(case: Case) -> None:
    changed = linked(case, "#v1&demand.growth=5")
    before, after = named(case.numbers), named(changed.numbers)
    assert {name for name in before if before[name] != after[name]} == {"demand.growth"}
    growth = after["demand.growth"]
    assert growth.spread == moved_ranges(case, {"demand.growth": 5.0})["demand.growth"]
    assert (growth.grade, growth.source.id, growth.note) == (
        Grade.ASSUMPTION, "case", "moved from 2")
    assert (changed.name, changed.title) == (
        "openai-2023-moved", "OpenAI in October 2023, moved")
    assert moves_of(case, {"demand.growth": 5.0}) == ["demand.growth from 2 to 5"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_has_no_exponent_and_reads_back(value: float) -> None:
    text = decimal(value)
    assert "e" not in text
    assert float(text) == value


@pytest.mark.parametrize(("text", "words"), [
    ("", "begins with ''"),
    ("#", "begins with ''"),
    ("report.html", "begins with 'report.html'"),
    ("#v9&demand.growth=5", "version v9"),
    ("#V1&demand.growth=5", "begins with 'V1'"),
    ("#v1&demand.growth", "parts of the form name=value"),
    ("#v1&", "parts of the form name=value"),
    ("#v1&=5", "parts of the form name=value"),
    ("#v1&demand.growth=5&demand.growth=6", "'demand.growth' twice"),
    ("#v1&c=6242b62d&c=6242b62d", "'c' twice"),
    ("#v1&c=XYZ", "8 hexadecimal digits"),
    ("#v1&demand.growth=5e3", "a plain decimal"),
    ("#v1&demand.growth=nan", "a plain decimal"),
    ("#v1&demand.growth=inf", "a plain decimal"),
    ("#v1&demand.growth=٥", "a plain decimal"),
    ("#v1&demand.growth=5 ", None),
    ("#v1&demand.growth=5_0", "a plain decimal"),
    ("#v1&demand.growth=%20", "a plain decimal"),
    ("#v1&demand.growth=%ff", "UTF-8"),
    ("#v1&demand.growth=<script>alert(1)</script>", "a plain decimal"),
    ("#v1&" + "a=1&" * 5000, "at most 4,096"),
])
def test_each_bad_link_is_told(text: str, words: str | None) -> None:
    if words is None:
        assert read_link(text).changes == {"demand.growth": 5.0}
        return
    with pytest.raises(BadValue) as error:
        read_link(text)
    assert words in str(error.value)
    assert all(len(part) < 400 for part in str(error.value).splitlines())


def test_all_faults_of_a_link_come_at_once(case: Case) -> None:
    with pytest.raises(BadValue) as error:
        read_link("#v1&c=1&x&demand.growth=a&%ff=1")
    assert len(error.value.faults) == 4
    with pytest.raises(UnknownName) as strange:
        linked(case, "#v1&demand.grwth=3&demand.growth=99&owning.pue=1" + "0" * 400)
    assert [fault.place for fault in strange.value.faults] == [
        "demand.grwth", "demand.growth", "owning.pue"]
    assert "demand.growth" in strange.value.faults[0].remedy


@given(st.text(max_size=60))
def test_no_text_makes_anything_but_a_link_or_one_error(text: str) -> None:
    try:
        link = read_link(f"#v1&{text}")
    except FablessError:
        return
    assert all(isinstance(value, float) for value in link.changes.values())


def test_a_link_for_another_edition_is_followed_with_a_warning(case: Case) -> None:
    link = read_link("#v1&c=00000000&demand.growth=5")
    assert "another edition" in other_edition(case, link)
    assert linked(case, link).numbers.demand.growth.spread.mode == 5.0
    assert other_edition(case, read_link(f"#v1&c={case_digest(case)}")) == ""
    assert other_edition(case, read_link("#v1")) == ""


def test_the_digest_knows_what_the_case_holds_and_nothing_else(tmp_path: Path) -> None:
    """The same in another process, with another hash seed, in another folder."""
    program = (
        "import sys; from fabless.catalogue import read_case; from fabless.links import case_digest;"
        "print(case_digest(read_case(sys.argv[1])), case_digest(read_case('inflection-2023')))")
    found = set()
    for seed, folder in (("0", tmp_path / "here"), ("1", tmp_path / "there" / "deeper")):
        folder.mkdir(parents=True)
        text = MINIMAL.replace("model: llama-2-70b", "model: llama.json")
        (folder / "my.yaml").write_text(text, encoding="utf-8")
        (folder / "llama.json").write_text(json.dumps(LLAMA), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder / "my.yaml")], capture_output=True, text=True,
            check=True, cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed})
        found.add(done.stdout)
    assert len(found) == 1
    own, shipped = found.pop().split()
    assert own == case_digest(read_case(tmp_path / "here" / "my.yaml"))
    assert shipped == case_digest(read_case("inflection-2023"))
    assert own != case_digest(parse_case(edited(text, ("{value: 30000}", "{value: 30001}")), "my.yaml",
                                         tmp_path / "here"))


# --- the case file of a link ----------------------------------------------------------------------


def test_the_text_of_a_saved_case(case: Case) -> None:
    written = case_yaml(case, {
        "owning.pue": 1.25, "demand.growth": 5.0, "lines.amd-owned.price": 12000.0})
    assert written == """\
# What differs from openai-2023; everything else is taken from there.
from: openai-2023
name: openai-2023-moved
title: "OpenAI in October 2023, moved"
demand:
  growth: {low: 1.5, mode: 5, high: 25, unit: "1", scale: log, beyond: 0, note: "moved from 2"}
lines:
  amd-owned:
    price: {low: 4973.78070193, mode: 12000, high: 17348.5825918, unit: "USD", beyond: 0, note: "moved from 17000"}
owning:
  pue: {low: 1.10887096774, mode: 1.25, high: 1.59274193548, unit: "1", beyond: 0, note: "moved from 1.24"}
"""


def same_numbers(one: Case, other: Case) -> bool:
    """Whether two cases are one but for the digits that a file does not write."""
    for number, again in zip(each(one.numbers), each(other.numbers), strict=True):
        assert [again.spread.low, again.spread.mode, again.spread.high] == pytest.approx(
            [number.spread.low, number.spread.mode, number.spread.high], rel=1e-11)
        assert replace(again, spread=number.spread) == number
        assert again.spread.scale == number.spread.scale
    return replace(other, numbers=one.numbers) == one


def test_a_saved_case_is_the_linked_case(case: Case) -> None:
    """Ends of every third movable number at once, its low and its high by turns."""
    changes = {name: shown_range(number)[2 * (k % 2)]
               for k, (name, number) in enumerate(sorted(movable(case).items()))
               if k % 3 == 0 and ".share" not in name}
    assert len(changes) > 50
    saved = parse_case(case_yaml(case, changes), "saved.yaml", Path("nowhere"))
    assert same_numbers(changed_case(case, changes), saved)


def test_a_saved_case_of_an_own_file_has_the_answer_of_its_link(tmp_path: Path) -> None:
    text = edited(MINIMAL, ("title: A small service", 'title: "A: \\"small\\" service, größer"'),
                  ("growth: {low: 1.1,", "growth: {news: today, low: 1.1,"))
    (tmp_path / "base.yaml").write_text(text, encoding="utf-8")
    base = read_case(tmp_path / "base.yaml")
    changes = {"demand.growth": 1.9, "demand.queries": 3.0e6}
    (tmp_path / "saved.yaml").write_text(case_yaml(base, changes, "base.yaml"), encoding="utf-8")
    saved = read_case(tmp_path / "saved.yaml")
    moved = linked(base, link_of(base, changes))
    assert saved.title == 'A: "small" service, größer, moved'
    assert saved.numbers.demand.growth.news == "today"
    assert same_numbers(moved, saved)
    answers = [decide(asked, detail="quick", executor=Here()).strategies[0].objective_usd
               for asked in (moved, saved, base)]
    assert answers[0] == pytest.approx(answers[1], rel=1e-9)
    assert answers[0] != pytest.approx(answers[2], rel=1e-3)


def test_names_that_yaml_reads_as_something_else_are_quoted(minimal: Case) -> None:
    text = edited(MINIMAL, ("  h100:\n", '  "no":\n'),
                  ("price: {value: 30000}", "price: {low: 2.0e+4, mode: 3.0e+4, high: 4.0e+4}"))
    base = parse_case(text, "base.yaml", Path("nowhere"))
    written = case_yaml(base, {"lines.no.price": 25000.0}, "base.yaml")
    assert yaml.safe_load(written)["lines"] == {"no": {"price": {
        "low": 16666.6666667, "mode": 25000, "high": 33333.3333333, "unit": "USD", "beyond": 0,
        "note": "moved from 30000"}}}


# --- the commands ---------------------------------------------------------------------------------


def test_check_says_what_a_link_moves(run: Run) -> None:
    assert run("inflection-2023", "--link", "x.html#v1&c=00000000&demand.growth=3") == 0
    words = " ".join(run.out.split())
    assert "Moved by a link: demand.growth" in words
    assert "another edition" in words


def test_a_bad_link_is_one_error_of_the_command(run: Run) -> None:
    assert run("inflection-2023", "--link", "#v1&demand.growth=9999&x=1") == 2
    assert "2 errors" in run.err
    assert "demand.growth" in run.err


@pytest.mark.slow
def test_decide_answers_the_moved_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(MINIMAL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    decide_command = Run("decide", capsys, monkeypatch)
    assert decide_command(
        "my.yaml", "--link", "#v1&demand.growth=1.9", "--detail", "quick", "--json") == 0
    found = json.loads(decide_command.out)
    assert found["warnings"][0] == "Moved by a link: demand.growth from 1.5 to 1.9."
    assert found["case"] == "minimal-moved"
    assert "Moved by a link" in (tmp_path / "fabless-minimal-moved.html").read_text(encoding="utf-8")
