"""The guard against hindsight: what a case of the past may use, and what it is told otherwise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from case_fixture import MINIMAL, TRACE, edited
from fabless.case_records import Case
from fabless.catalogue import leaks, load, read_case
from fabless.catalogue.case.case import parse_case
from fabless.decide.background import background, in_hindsight
from fabless.errors import BadValue, Leak
from fabless.records import Source

TODAY = edited(MINIMAL, ("as_of: 2023-10-31", "as_of: 2026-12-31"),
               ("first_quarter: 2023Q4\nquarters", "first_quarter: 2026Q4\nquarters"),
               (MINIMAL[MINIMAL.index("hindsight:"):MINIMAL.index("tree:")], ""))
"""The small case on a day after everything in the catalogue."""
QUERIES = "queries: {low: 1.0e+6, mode: 2.0e+6, high: 4.0e+6, scale: log"


def read(text: str, folder: Path = Path("nowhere")) -> Case:
    return parse_case(text, "my.yaml", folder)


def listed(case: Case) -> dict[str, dt.date | None]:
    return {item.name: item.known for item in leaks(case, load(case.as_of))}


def from_source(source: str) -> str:
    return edited(MINIMAL, (QUERIES, f"{QUERIES}, source: {source!r}"))


def test_each_late_input_of_the_reference_case_has_its_reason() -> None:
    case = read_case()
    items = leaks(case, load(case.as_of))
    late = [item for item in items if item.is_late(case.as_of)]
    assert late
    assert [item.name for item in late if not item.reason] == []
    assert {item.name.partition(".")[0] for item in late} >= {"performance", "chips"}
    assert not [name for name in listed(case) if name.endswith(".trace")], "no trace of a later day"


def test_a_case_of_today_has_nothing_late() -> None:
    case = read(TODAY)
    assert [name for name, known in listed(case).items() if known is not None] == []


@pytest.mark.parametrize(("source", "known"), [
    ("mkt-ft550", None), ("a paper of 2023-06-01", None), ("mkt-newsbytes", "2023-12-31"),
    ("a page, read on 2024-02-01", "2024-02-01"),
])
def test_a_number_is_late_when_its_source_is(source: str, known: str | None) -> None:
    if known is None:
        assert "demand.queries" not in listed(read(from_source(source)))
        return
    with pytest.raises(Leak, match=rf"my\.yaml:17: demand\.queries: known on {known} only") as caught:
        read(from_source(source))
    assert len(caught.value.faults) == 1
    assert "hindsight: {demand.queries: reason}" in caught.value.faults[0].remedy
    assert caught.value.faults[0].allowed == "what could be read on 2023-10-31"


def test_a_source_without_a_date_is_listed_and_not_refused() -> None:
    assert listed(read(from_source("a friend")))["demand.queries"] is None


@pytest.mark.parametrize("key", ["demand.queries", "demand", "mkt-newsbytes"])
def test_a_reason_by_name_beginning_or_source_lets_it_pass(key: str) -> None:
    text = edited(from_source("mkt-newsbytes"), ("hindsight:\n", f"hindsight:\n  {key}: said in October\n"))
    case = read(text)
    reasons = {item.name: item.reason for item in leaks(case, load(case.as_of))}
    assert reasons["demand.queries"] == "said in October"


@pytest.mark.parametrize("key", ["demand.queries", "dem", "mkt-newsbytes", "nobody"])
def test_a_reason_for_nothing_late_is_refused(key: str) -> None:
    with pytest.raises(Leak, match=rf"hindsight\.{key}: a reason for nothing that is late"):
        read(edited(MINIMAL, ("hindsight:\n", f"hindsight:\n  {key}: said in October\n")))


@pytest.mark.parametrize(("dropped", "place"), [
    ("  performance: the model of speed was calibrated later\n", "performance.attention_depth_s"),
    ("  epoch-hw: a later table repeats what was announced with the chip\n", "chips.a100-80gb.memory_bandwidth"),
])
def test_calibration_and_chip_facts_need_a_reason(dropped: str, place: str) -> None:
    with pytest.raises(Leak) as caught:
        read(edited(MINIMAL, (dropped, "")))
    assert [fault.place for fault in caught.value.faults] == [f"my.yaml: {place}"]


@pytest.mark.parametrize(("name", "day"), [("azure-2023-conversation", "2023-11-30"), ("own.csv", "2023-11-02")])
def test_a_trace_is_as_late_as_its_publication_or_its_last_request(tmp_path: Path, name: str, day: str) -> None:
    (tmp_path / "own.csv").write_text(TRACE.replace("2023-10-16 18:15:50", "2023-11-02 08:00:00"))
    with pytest.raises(Leak, match=rf"loads\.chat\.trace: known on {day} only"):
        read(edited(MINIMAL, ("input_tokens: 1000\n    output_tokens: 200", f"trace: {name}")), tmp_path)


def test_a_calibration_is_seen_on_every_day_but_not_by_a_silent_case() -> None:
    october = load(dt.date(2023, 10, 31))
    known = {fact.known for fact in october.facts_of("perf-default")}
    assert min(known) > dt.date(2023, 10, 31)


@pytest.mark.parametrize(("date", "day"), [
    ("", None), ("2024", dt.date(2024, 12, 31)), ("2024-02", dt.date(2024, 2, 29)), ("2024-02-03", dt.date(2024, 2, 3)),
])
def test_a_source_is_out_by_the_last_day_of_its_date(date: str, day: dt.date | None) -> None:
    assert Source("a", "b", "", date).published == day


def test_a_date_that_is_none_is_a_fault_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "sources.csv").write_text("id,title,url,date\nmine,My page,,spring 2024\n")
    (tmp_path / "facts").mkdir()
    with pytest.raises(BadValue, match="date 'spring 2024'"):
        load(extra=tmp_path)


def test_the_list_of_inputs_says_why_a_late_one_is_used() -> None:
    case = read(MINIMAL)
    october = load(case.as_of)
    notes = {number.name: number.note for number in in_hindsight(case, october, background(case, october))}
    assert notes["chips.h100-sxm.tdp"].endswith("in hindsight: a later table repeats what was announced with the chip")
    assert "in hindsight" not in notes["loads.chat.tpot"]
