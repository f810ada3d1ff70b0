"""Cases: what is read from a file, and what each bad file is told."""

from __future__ import annotations

import datetime as dt
import json
import re
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from case_fixture import LLAMA, MINIMAL, OWN_CHIP, TRACE, edited
from fabless.case_records import STANDARD_WAYS, Case, named
from fabless.catalogue import REFERENCE, load, read_case, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.catalogue.case.fields import Precision
from fabless.catalogue.case.reader import MOST_SCENARIOS
from fabless.catalogue.case.schema import CaseFile, numbers_of
from fabless.catalogue.files.yaml import read_document
from fabless.decide import decide
from fabless.decide.detail import DETAILS
from fabless.errors import BadFile, BadValue, DoesNotFit, FablessError, Leak, UnknownName
from fabless.records import Grade, Range
from fabless.sampling import quantile
from fabless.strategy import PORTFOLIO, TITLES
from fabless.workload import BYTES_PER_ELEMENT


class Here(Executor):
    """Runs each task at once in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def read(text: str, folder: Path = Path("nowhere")) -> Case:
    return parse_case(text, "my.yaml", folder)


def small(text: str) -> str:
    """A case on two scenarios of eight quarters."""
    text = re.sub(r"(?m)^quarters: .*", "quarters: 8", text)
    return re.sub(r"(?m)^tree: .*", "tree: {boundaries: [2], branching: [2]}", text)


@pytest.fixture(scope="module")
def reference() -> Case:
    return read_case()


def test_the_reference_case_reads_with_every_number_it_states(reference: Case) -> None:
    assert (reference.name, reference.as_of, reference.quarters) == (REFERENCE, dt.date(2023, 10, 31), 32)
    assert len(named(reference.numbers)) > 150
    assert {way for line in reference.lines for way in line.ways} == {
        way for item in reference.programmes for way in item.ways} | {"buy", "diversify"}
    for name, number in named(reference.numbers).items():
        assert number.name == name
        assert number.spread.low <= number.spread.mode <= number.spread.high, name


def test_nothing_in_the_reference_case_is_known_after_its_day(reference: Case) -> None:
    late = {name: number.known for name, number in named(reference.numbers).items()
            if number.known is None or number.known > reference.as_of}
    assert late == {}
    chips = [reference.existing_chip, *(line.chip for line in reference.lines)]
    assert [chip.name for chip in chips if chip.announced and chip.announced > reference.as_of] == []


def test_facts_of_the_reference_case_are_the_newest_of_that_day(reference: Case) -> None:
    october, today = load(reference.as_of), load()
    price = reference.numbers.lines["nvidia-owned"].price
    assert price.spread == october.range("h100-sxm", "price_street")
    assert price.known == october.fact("h100-sxm", "price_street").known
    newer = [fact for fact in today.why("h100-sxm", "price_street") if fact.known > reference.as_of]
    assert all(fact.known > price.known for fact in newer)


def test_a_fact_is_seen_from_the_day_on_which_it_became_known() -> None:
    text = edited(MINIMAL, ("{value: 30000}", "{fact: h100-sxm.price_street}"),
                  ("first_quarter: 2023Q4", "first_quarter: 2025Q1"))
    day = load().why("h100-sxm", "price_street")[0].known
    on_the_day = read(edited(text, ("2023-10-31", str(day)))).numbers.lines["h100"].price
    assert on_the_day.known == day
    with pytest.raises(Leak, match=rf"lines\.h100\.price: .*prices\.csv:\d+: h100-sxm price_street became known on {day}"):
        read(edited(text, ("2023-10-31", str(day - dt.timedelta(days=1)))))


@pytest.mark.slow
def test_the_small_reference_case_decides() -> None:
    detail = replace(DETAILS["standard"], explore=False)
    decision = decide(read(small(reference_text())), detail=detail, executor=Here())
    assert [way.name for way in decision.strategies] == list(TITLES)
    assert decision.recommended in TITLES
    assert all(way.status == "optimal" for way in decision.strategies)


@pytest.fixture(scope="module")
def minimal() -> Case:
    return read(MINIMAL)


@pytest.mark.slow
def test_a_case_of_one_load_and_one_line_decides(minimal: Case) -> None:
    assert minimal.programmes == ()
    assert [load.kind for load in minimal.loads] == ["inference"]
    decision = decide(minimal, executor=Here())
    assert [way.name for way in decision.strategies] == ["buy"]
    assert decision.not_offered == ("diversify", "partner", "build", "acquire")
    assert decision.same_ways == (("portfolio", "buy"),)
    for way in decision.strategies:
        assert way.objective_usd == pytest.approx(decision.strategies[0].objective_usd, rel=1e-6)
        assert 0 < way.cost_per_query_usd.p10 <= way.cost_per_query_usd.p90 < 0.01


def test_demand_that_no_plan_meets_is_a_result_with_its_shortage() -> None:
    case = read(
        edited(
            MINIMAL, ("{low: 1.0e+6, mode: 2.0e+6, high: 4.0e+6, scale: log}", "{value: 2.0e+9}"),
            ("ceiling: {value: 1.0e+9}", "ceiling: {value: 1.0e+12}"),
        )
    )
    way = decide(case, executor=Here()).strategies[0]
    assert way.shortage_probability == 1.0
    assert way.shortage_share.mean > 0.5


def test_numbers_without_a_source_are_the_cases_assumptions(minimal: Case) -> None:
    number = minimal.numbers.lines["h100"].price
    assert (number.grade, number.source.id, number.known) == (Grade.ASSUMPTION, "case", minimal.as_of)
    assert number.spread.low == number.spread.high == 30000.0


def test_numbers_are_read_in_si(minimal: Case) -> None:
    assert minimal.numbers.demand.queries.spread.mode == pytest.approx(2.0e6 / 86400)
    assert minimal.numbers.lines["h100"].lead_normal.spread.mode == pytest.approx(13 * 7 * 86400)
    thousands = read(edited(MINIMAL, ("price: {value: 30000}", "price: {value: 30, unit: thousand USD}")))
    assert thousands.numbers.lines["h100"].price.spread.mode == 30000.0


def test_a_line_takes_what_it_leaves_out_from_the_one_it_is_like() -> None:
    case = read(MINIMAL + "  more: {like: h100, ways: [buy], price: {value: 1}}\n")
    more, numbers = case.lines[1], case.numbers.lines
    assert (more.chip, more.ways) == (case.lines[0].chip, ("buy",))
    assert numbers["more"].price.name == "lines.more.price"
    assert numbers["more"].allotment is numbers["h100"].allotment


def test_a_case_with_the_users_chip_model_and_trace(tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(LLAMA))
    (tmp_path / "day.csv").write_text(TRACE)
    path = tmp_path / "own.yaml"
    path.write_text(
        edited(
            MINIMAL + OWN_CHIP, ("chip: h100-sxm", "chip: mine"), ("llama-2-70b", "tiny.json"),
            ("input_tokens: 1000\n    output_tokens: 200", "trace: day.csv"),
        )
    )
    case = read_case(path)
    assert case.lines[0].chip.memory_bytes == 80e9
    assert (case.loads[0].model.layers, case.loads[0].model.hidden) == (32, 4096)  # type: ignore[union-attr]
    request = case.loads[0].request
    assert request is not None
    assert (request.input_tokens, request.output_tokens) == (200.0, 20.0)
    assert decide(case, executor=Here()).strategies[0].cost_per_query_usd.p50 > 0


def test_a_case_file_needs_no_suffix_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mycase").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)
    assert read_case("mycase").name == "minimal"


def test_names_of_the_schema_are_those_of_the_models() -> None:
    assert set(get_args(Precision)) == set(BYTES_PER_ELEMENT)
    assert set(STANDARD_WAYS) == set(TITLES) - {PORTFOLIO}


def test_every_number_of_the_schema_has_a_unit() -> None:
    data = CaseFile.model_validate(read_document(MINIMAL, "my.yaml").fields)
    read_numbers = named(read(MINIMAL).numbers)
    assert len(list(numbers_of(data))) + 1 == len(read_numbers), "the price of a line has its unit from `how`"


FORM = [
    # edit, kind, place, words of the message
    (
        ("seed: 1", "seed: 1\nseed: 2"), BadValue, "my.yaml:8: seed",
        ["given twice, first in line 7"],
    ),
    (
        ("price: {value: 30000}", "price: {value: 3, value: 4}"), BadValue,
        "lines.h100.price.value", ["given twice"],
    ),
    (
        ("seed: 1", "sed: 1"), BadValue, "my.yaml:7: sed",
        ["unknown key 'sed'", "did you mean seed?", "seed: missing"],
    ),
    (
        ("high: 4.0e+6", "hgih: 4.0e+6"), UnknownName, "my.yaml:17: demand.queries.hgih",
        ["did you mean high?"],
    ),
    (
        ("lead_normal:", "lead_norml:"), UnknownName, "lines.h100.lead_norml",
        ["did you mean lead_normal?"],
    ),
    (
        ("tpot:", "tpott:"), BadValue, "loads.chat.tpott",
        ["did you mean tpot?", "loads.chat.tpot: missing"],
    ),
    (
        ("kind: inference", "kind: inferense"), UnknownName, "loads.chat",
        ["did you mean inference?"],
    ),
    (("kind: inference\n", "tpot_: 1\n"), BadValue, "loads.chat.kind", ["missing"]),
    (
        ("[buy, diversify", "[buy, diversfy"), UnknownName, "lines.h100.ways.1",
        ["did you mean diversify?", "acquire"],
    ),
    (
        ("ways: [buy, diversify, partner, build, acquire]", "ways: []"), BadValue,
        "lines.h100.ways", ["1 or more"],
    ),
    (
        ("precision: int8", "precision: int9"), UnknownName, "loads.chat.precision",
        ["did you mean int8?"],
    ),
    (("scale: log", "scale: lgo"), UnknownName, "demand.queries.scale", ["did you mean log?"]),
    (
        ("{value: 30000}", "{value: 3, grade: pres}"), UnknownName, "lines.h100.price.grade",
        ["did you mean press?"],
    ),
    (
        ("price: {value: 30000}", "price: 30000"), BadValue, "my.yaml:61: lines.h100.price",
        ["write {value: 30000}"],
    ),
    (
        ("price: {value: 30000}", "price: 30000 USD"), BadValue, "lines.h100.price",
        ["write {value: 30000, unit: USD}"],
    ),
    (
        ("price: {value: 30000}", "price: [1, 2]"), BadValue, "lines.h100.price",
        ["{low, mode, high}", "{value: 1}"],
    ),
    (("pue: {value: 1.3}", "pue:"), BadValue, "owning.pue", ["{low, mode, high}"]),
    (("{value: 30000}", "{value: lots}"), BadValue, "lines.h100.price.value", ["'lots'", "number"]),
    (("{value: 30000}", "{value: true}"), BadValue, "lines.h100.price.value", ["True", "a number"]),
    (("{value: 30000}", "{value: .nan}"), BadValue, "lines.h100.price.value", ["finite"]),
    (("{value: 30000}", "{value: .inf}"), BadValue, "lines.h100.price.value", ["finite"]),
    (("2023-10-31", "someday"), BadValue, "my.yaml:3: as_of", ["'someday'", "YYYY-MM-DD"]),
    (("2023-10-31", "2023-13-45"), BadFile, "my.yaml:3", ["month must be in 1..12"]),
    (
        ("first_quarter: 2023Q4", "first_quarter: 2023Q5"), BadValue, "first_quarter",
        ["'2023Q5'", "YYYYQ1 to YYYYQ4"],
    ),
    (
        ("quarters: 8", "quarters: 2"), BadValue, "my.yaml:5: quarters",
        ["greater than or equal to 4"],
    ),
    (("quarters: 8", "quarters: 8.5"), BadValue, "quarters", ["8.5", "integer"]),
    (("boundaries: [2]", "boundaries: []"), BadValue, "tree.boundaries", ["1 or more"]),
    (("weight: 0.3", "weight: 1.3"), BadValue, "risk.weight", ["less than 1"]),
    (("input_tokens: 1000", "input_tokens: -1"), BadValue, "loads.chat.input_tokens", ["-1"]),
    (("name: minimal", "name: ../../x"), BadValue, "my.yaml:1: name", ["letters, digits"]),
    (("seed: 1", "seed: -1"), BadValue, "seed", ["-1", "greater than or equal to 0"]),
    (
        (MINIMAL[MINIMAL.index("supply:") : MINIMAL.index("lines:")], ""), BadValue, "supply",
        ["missing", "fabless init"],
    ),
    ((MINIMAL[MINIMAL.index("  h100:") :], "  {}\n"), BadValue, "lines", ["1 or more"]),
    (
        ("existing: {", "existing: 3 #"), BadValue, "existing",
        ["a mapping with the keys chip, vendor, count"],
    ),
]
"""Faults of form: found before anything is looked up."""


@pytest.mark.parametrize(
    ("edit", "kind", "place", "words"), FORM, ids=[row[2] + " " + row[3][0] for row in FORM]
)
def test_each_fault_of_form_is_told(
    edit: tuple[str, str], kind: type[FablessError], place: str, words: list[str]
) -> None:
    with pytest.raises(FablessError) as caught:
        read(edited(MINIMAL, edit))
    assert type(caught.value) is kind
    assert place in [fault.place for fault in caught.value.faults] or any(
        re.fullmatch(rf"my\.yaml(:\d+)?: {re.escape(place)}", fault.place)
        for fault in caught.value.faults
    )
    for word in words:
        assert word in str(caught.value)


TOLD = [
    # All of these stand in one file and are told at once: edit, field, words
    (("chip: h100-sxm", "chip: h100-smx"), "lines.h100.chip", "did you mean h100-sxm"),
    (("chip: a100-80gb", "chip: a101"), "existing.chip", "unknown chip 'a101'"),
    (("llama-2-70b", "llama-2-71b"), "loads.chat.model", "llama-2-70b"),
    (
        ("real_rate: {value: 0.1}", "real_rate: {fact: datacenter.pue}"), "finance.real_rate",
        "did you mean datacentre",
    ),
    (
        ("life: {value: 4}", "life: {fact: datacentre.lief}"), "owning.life",
        "unknown field of datacentre 'lief'",
    ),
    (("pue: {value: 1.3}", "pue: {fact: datacentre.pue, period: 1999}"), "owning.pue", "'1999'"),
    (("residual: {value: 0.1}", "residual: {fact: h100}"), "owning.residual", "entity.field"),
    (
        ("upkeep: {value: 0.05}", "upkeep: {fact: datacentre.pue, value: 3}"), "owning.upkeep",
        "either the fact or",
    ),
    (
        ("server_cost: {value: 10000}", "server_cost: {fact: h100-sxm.vendor}"),
        "owning.server_cost", "is of text",
    ),
    (
        ("electricity: {value: 0.08}", "electricity: {value: 1, unit: USDD}"), "owning.electricity",
        "unknown unit 'USDD'",
    ),
    (("price: {value: 30000}", "price: {value: 1, unit: GB}"), "lines.h100.price", "is of byte"),
    (
        ("growth: {low: 1.1, mode: 1.5, high: 2}", "growth: {low: 2, mode: 1.5, high: 1}"),
        "demand.growth", "rising order",
    ),
    (("queries: {low: 1.0e+6", "queries: {low: -1"), "demand.queries", "above 0 query/day"),
    (("growth_fade: {value: 2}", "growth_fade: {value: 0}"), "demand.growth_fade", "above 0 year"),
    (
        ("colocation: {value: 150}", "colocation: {value: -5}"), "owning.colocation",
        "0 or more USD/kW/month",
    ),
    (
        ("allotment: {value: 1000}", "allotment: {low: 0, mode: 1, high: 2, scale: log}"),
        "lines.h100.allotment", "log scale",
    ),
    (
        ("work_trend: {value: 1}", "work_trend: {low: 1, value: 2}"), "demand.work_trend",
        "one value",
    ),
    (
        ("value_decline: {value: 0.1}", "value_decline: {value: 1}"), "demand.value_decline",
        "at most 0.95",
    ),
    (
        ("scarce_duration: {value: 12}", "scarce_duration: {value: 0}"), "supply.scarce_duration",
        "3 or more month",
    ),
    (
        ("server_power: {value: 1.5}", "server_power: {value: 0.9}"), "owning.server_power",
        "1 or more",
    ),
    (("tpot: 50 ms", "tpot: 50"), "loads.chat.tpot", "'50' is not a number with a unit"),
    (("ttft: 2 s", "ttft: -2 s"), "loads.chat.ttft", "a time above 0"),
    (("    output_tokens: 200\n", ""), "loads.chat", "either a trace, or"),
    (
        ("boundaries: [2], branching: [2]", "boundaries: [5, 3], branching: [2, 2]"), "tree",
        "which rise between 0 and 8",
    ),
    (
        ("dominant_vendor: nvidia", "dominant_vendor: nvidai"), "dominant_vendor",
        "did you mean nvidia?",
    ),
    (("as_of: 2023-10-31", "as_of: 2024-01-02"), "first_quarter", "2024Q1 or later"),
    (("    lead_scarce: {value: 40}\n", ""), "lines.h100.lead_scarce", "the line it is like"),
    (("how: buy", "how: buy\n    successors: 1"), "lines.h100.successor_gap", "missing"),
]


def test_all_faults_of_what_a_case_names_are_told_at_once() -> None:
    with pytest.raises(BadValue) as caught:
        read(edited(MINIMAL, *(row[0] for row in TOLD)))
    told = {re.sub(r"^my\.yaml:\d+: ", "", fault.place): str(fault) for fault in caught.value.faults}
    for _, field, words in TOLD:
        assert field in told
        assert words in told[field]
    more = {f"lines.h100.successor_{key}" for key in ("first", "gain", "price", "power")}
    assert set(told) == {row[1] for row in TOLD} | more


@pytest.mark.parametrize(
    ("edits", "kind", "place", "words"),
    [
        (
            [("boundaries: [2], branching: [2]", "boundaries: [2, 9], branching: [2, 2]")],
            BadValue, "tree", "between 0 and 8",
        ),
        ([("branching: [2]", "branching: [2, 2]")], BadValue, "tree", "as many branchings"),
        ([("branching: [2]", "branching: [0]")], BadValue, "tree", "1 or more"),
        (
            [("branching: [2]", f"branching: [{MOST_SCENARIOS + 1}]")], BadValue, "tree.branching",
            "1,000 or fewer",
        ),
        (
            [("    vendor: nvidia\n", "    vendor: nvidia\n    like: h100\n")], UnknownName,
            "lines.h100.like", "without `like`",
        ),
        (
            [("  h100:\n", "  b: {like: h10, ways: [buy]}\n  h100:\n")], UnknownName,
            "lines.b.like", "did you mean h100?",
        ),
        (
            [("llama-2-70b", "llama-3.1-70b")], Leak, "loads.chat.model",
            "became known on 2024-07-23",
        ),
        (
            [("chip: h100-sxm", "chip: b200")], Leak, "lines.h100.chip",
            "facts known on or before 2023-10-31",
        ),
        (
            [("    unserved", "    share: {value: 0.5}\n    unserved")], BadValue, "loads",
            "0 inference loads without a share",
        ),
        (
            [("    how: buy\n", "    how: rent\n    prepaid: true\n")], BadValue, "lines.h100.prepaid",
            "bought chips alone",
        ),
        (
            [("input_tokens: 1000", "input_tokens: 9000")], BadValue, "loads.chat",
            "at most 4096, the context of llama-2-70b",
        ),
        (
            [("input_tokens: 1000", "trace: azure-2023-code")], BadValue, "loads.chat",
            "either a trace, or",
        ),
        ([("  h100:\n", "  existing:\n")], BadValue, "lines.existing", "a name of its own"),
        ([("tree: {", "news: {learning: 6 chip}\ntree: {")], BadValue, "news.learning", "not of time"),
        ([("tree: {", "news: {learning: -3 month}\ntree: {")], BadValue, "news.learning", "a time above 0"),
        ([("tree: {", "news: {persistence: 1.5}\ntree: {")], BadValue, "news.persistence", "1.5"),
        ([("tree: {", "news: {forget: 0.5}\ntree: {")], UnknownName, "news.forget", "learning"),
        ([("high: 2}", "high: 2, news: soon}")], UnknownName, "demand.growth.news", "gradual"),
    ],
    ids=str,
)
def test_each_fault_of_meaning_is_told(
    edits: list[tuple[str, str]], kind: type[FablessError], place: str, words: str
) -> None:
    with pytest.raises(FablessError) as caught:
        read(edited(MINIMAL, *edits))
    assert type(caught.value) is kind
    assert len(caught.value.faults) == 1
    assert re.match(rf"my\.yaml:\d+: {re.escape(place)}(: |$)", caught.value.faults[0].place)
    assert words in str(caught.value)


def test_shares_that_can_exceed_one_are_refused() -> None:
    load = re.search(r"(?s)  chat:\n(.*?)existing:", MINIMAL)
    assert load
    more = "".join(f"  {name}:\n{load[1]}    share: {{value: 0.6}}\n" for name in ("b", "c"))
    with pytest.raises(BadValue, match=r"loads: shares of queries that can reach 1\.2 together"):
        read(edited(MINIMAL, ("existing:", f"{more}existing:")))


def test_faults_of_an_own_chip_are_told_once_with_the_rest() -> None:
    with pytest.raises(BadValue) as caught:
        read(
            edited(
                MINIMAL + OWN_CHIP, ("vendor: me", "vendr: me"), ("80 GB", "80 GBB"),
                ("chip: h100-sxm", "chip: mine"), ("pue: {value: 1.3}", "pue: {value: 0}"),
            )
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "chips.mine: vendr: unknown field" in text
    assert "unknown unit 'GBB'" in text
    assert "owning.pue" in text


@pytest.mark.parametrize(
    ("edits", "kind", "place", "words"),
    [
        (
            [("chip: own-1", "chip: own-2")], UnknownName, "programmes.own-build.chip",
            "did you mean own-1",
        ),
        ([("node: n3\n", "node: n33\n")], UnknownName, "chips.own-1.node", "did you mean n3?"),
        (
            [("memory_type: hbm3e", "memory_type: hbm33")], UnknownName, "chips.own-1.memory_type",
            "did you mean hbm3",
        ),
        (
            [("packaging: cowos-s", "packaging: cowos-z")], UnknownName, "chips.own-1.packaging",
            "did you mean cowos-s",
        ),
        (
            [("    die_area: [750 mm2]\n", "")], BadValue, "programmes.own-build.chip",
            "own-1 has no die_area",
        ),
        (
            [("spin_limit: 6\n", "spin_limit: 6\n    end_shares: [0.31, 0.06, 0.73]\n")], BadValue,
            "programmes.own-build.end_shares", "sum",
        ),
        (
            [("spin_limit: 6\n", "spin_limit: 6\n    ended: {failed: 0, passed: 0}\n")], BadValue,
            "programmes.own-build.ended", "not both 0",
        ),
        (
            [("route: build\n", "route: bild\n")], UnknownName, "programmes.own-build.route",
            "did you mean build?",
        ),
        (
            [("  own-build:\n", "  nvidia-owned:\n")], BadValue, "programmes.nvidia-owned",
            "a line has this name too",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_of_a_programme_is_told(
    edits: list[tuple[str, str]], kind: type[FablessError], place: str, words: str
) -> None:
    with pytest.raises(FablessError) as caught:
        read(edited(reference_text(), *edits))
    assert type(caught.value) is kind
    assert re.match(rf"my\.yaml:\d+: {re.escape(place)}$", caught.value.faults[0].place)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no,such\n2023-11-16 18:15:46,1\n", "trace.csv:1: column TIMESTAMP"),
        ("", "trace.csv:1: is empty"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "no request after the first line"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,nan,2\n",
            "trace.csv:2: ContextTokens 'nan'",
        ),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,0,0\n",
            "a mean request of 0 tokens in",
        ),
        (None, "trace.csv: cannot be read"),
    ],
)
def test_each_bad_trace_of_a_case_names_the_case_and_the_trace(
    tmp_path: Path, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "trace.csv").write_text(content)
    with pytest.raises(FablessError) as caught:
        read(edited(MINIMAL, ("input_tokens: 1000\n    output_tokens: 200", "trace: trace.csv")), tmp_path)
    assert caught.value.faults[0].place.startswith("my.yaml:30: loads.chat.trace")
    assert words in str(caught.value)


def test_a_model_that_fits_on_no_offered_chip_is_refused(tmp_path: Path) -> None:
    huge = LLAMA | {"hidden_size": 131072, "num_attention_heads": 1024, "num_hidden_layers": 1000,
                    "intermediate_size": 524288}
    (tmp_path / "huge.json").write_text(json.dumps(huge))
    case = read(edited(MINIMAL, ("llama-2-70b", "huge.json")), tmp_path)
    with pytest.raises(DoesNotFit, match=r"loads\.chat: huge runs on no offered chip"):
        decide(case, executor=Here())


@pytest.mark.parametrize(("text", "words"), [
    ("", "is empty"),
    ("# nothing\n", "is empty"),
    ("- a\n", "holds one list"),
    ("hello\n", "holds one str"),
    ("a: [1,\nb: {", "my.yaml:2: is not YAML"),
    ("a:\n\tb: 1\n", "my.yaml:2: is not YAML"),
    ("a: 1\n---\nb: 1\n", "my.yaml:2: is not YAML: but found another document"),
    ("a: !!python/object/apply:os.system ['true']\n", "my.yaml:1: is not YAML"),
    ("a: &a [*a]\n", "an alias that contains itself"),
    ("? [a]\n: 1\n", "my.yaml:1: is not YAML"),
])
def test_what_is_no_mapping_is_a_bad_file(text: str, words: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(text)
    assert words in str(caught.value)


def test_what_cannot_be_read_is_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "folder.yaml").mkdir()
    for name in ("binary.yaml", "folder.yaml", "missing.yaml"):
        with pytest.raises(BadFile) as caught:
            read_case(tmp_path / name)
        assert str(tmp_path / name) in caught.value.faults[0].place
    with pytest.raises(UnknownName, match="name a shipped case"):
        read_case("openai-2024")


def test_ends_of_a_case_may_be_those_that_one_in_ten_lies_beyond() -> None:
    """`ranges.beyond` stretches what the file states, not what nature bounds, and not the facts."""
    text = edited(
        MINIMAL,
        ("tree:", "ranges: {beyond: 0.2}\ntree:"),
        ("  growth: {low: 1.1, mode: 1.5, high: 2}", "  growth: {low: 0.6, mode: 2, high: 10, scale: log}"),
        ("  scarce_at_start: {value: 1}", "  scarce_at_start: {low: 0.5, mode: 0.9, high: 1.0}"),
        ("  scarce_price: {value: 1.2}", "  scarce_price: {low: 1.0, mode: 1.2, high: 1.7, beyond: 0}"),
    )
    numbers = parse_case(text, "my.yaml", Path()).numbers
    growth, start = numbers.demand.growth.spread, numbers.supply.scarce_at_start.spread
    np.testing.assert_allclose(quantile(growth, np.array([0.1, 0.9])), [0.6, 10.0], rtol=1e-12)
    assert growth.low < 0.6 < growth.mode < 10.0 < growth.high
    assert start.low < 0.5 < start.high == 1.0
    assert numbers.supply.scarce_price.spread == Range(1.0, 1.2, 1.7)
