"""Pages beside the first: forms that work without scripts, calls that give what the command line
gives, and hostile input that does nothing."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from fastapi import FastAPI

from fabless import cli, wording
from fabless.catalogue import REFERENCE, load, read_case
from fabless.catalogue.facts.search import ORDERS, FactSearch, matching_facts
from fabless.catalogue.files.chip import chip_fields, chip_from_mapping
from fabless.decide.two_cases import differing_inputs
from fabless.errors import BadValue, UnknownName
from fabless.records import Grade
from fabless.web.pages import chip_router, compare_router, facts_router, query_router
from fabless.web.pages.chip import DESIGN_FIELDS, changed_chip, texts_of_chip
from fabless.web.pages.compare import KEPT, WAITING, WorkAside
from fabless.web.pages.shell import number_from

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
QUERY = {"model": "llama-3.1-70b", "input": "1024", "output": "512", "chip": "h100-sxm"}
ASKED = {"model": "llama-3.1-70b", "chips": ["h100-sxm", "mi300x"], "input": 1024, "output": 512}


class Client:
    """Sends requests to a server in this process."""

    def __init__(self, server: FastAPI) -> None:
        self.server = server

    def _send(self, method: str, address: str, **parts: Any) -> httpx.Response:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(self.server)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, address, **parts)

        return asyncio.run(sent())

    def get(self, address: str, params: object = None) -> httpx.Response:
        return self._send("GET", address, **({} if params is None else {"params": params}))

    def post(self, address: str, json: object) -> httpx.Response:
        return self._send("POST", address, json=json)


@pytest.fixture(scope="module")
def client() -> Client:
    server = FastAPI()
    for make in (compare_router, query_router, chip_router, facts_router):
        server.include_router(make())
    return Client(server)


@pytest.fixture
def program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> object:
    """What the command line prints with --json."""
    def printed(*arguments: str) -> object:
        monkeypatch.setattr("sys.argv", ["fabless", *arguments, "--json"])
        with suppress(SystemExit):
            cli.main()
        return json.loads(capsys.readouterr().out)

    return printed


class Read(HTMLParser):
    """Tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(client: Client, address: str, status: int = 200, **asked: str) -> Read:
    answer = client.get(address, params=asked)
    assert answer.status_code == status, answer.text[:400]
    return Read(answer.text)


def faulty(read: Read) -> set[str]:
    """Names of the fields that are marked as faulty."""
    return {str(attributes["name"]) for _, attributes in read.tags
            if attributes.get("aria-invalid") == "true"}


# the doors give one answer

def test_a_query_costs_what_the_command_line_says(client: Client, program: object) -> None:
    printed = program(  # type: ignore[operator]
        "cost", "--model", "llama-3.1-70b", "--chip", "h100-sxm,mi300x", "--input", "1024",
        "--output", "512")
    assert client.post("/api/query", json=ASKED).json() == printed
    shown = page(client, "/query", **QUERY).text
    assert f"{wording.cents(printed['quotes'][0]['usd_per_query'], 3)} cents a query" in shown


@pytest.mark.parametrize(("options", "fields"), [
    (("--price", "2.5 USD/h"), {"price": "2.5 USD/h"}), (("--held", "rent"), {"held": "rent"}),
    (("--as-of", "2023-10-31", "--load-factor", "0.8"),
     {"as_of": "2023-10-31", "load_factor": 0.8}),
    (("--engine", "vllm", "--precision", "bf16"), {"engine": "vllm", "precision": "bf16"})])
def test_every_term_of_a_query_means_what_its_option_means(
    client: Client, program: object, options: tuple[str, ...], fields: dict[str, object]
) -> None:
    asked = ASKED | {"model": "llama-2-70b", "chips": ["h100-sxm"]} | fields
    printed = program(  # type: ignore[operator]
        "cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--input", "1024", "--output",
        "512", *options)
    assert client.post("/api/query", json=asked).json() == printed


def test_a_chip_is_what_the_command_line_says(client: Client, program: object) -> None:
    printed = program("chip", "h100-sxm", "--at", "2024Q1", "--reuse", "0.5")  # type: ignore[operator]
    given = client.post(
        "/api/chip", json={"chip": "h100-sxm", "at": "2024Q1", "reuse": 0.5}).json()
    assert given["sheet"] == {key: value for key, value in printed.items() if key != "versions"}


def test_a_changed_design_is_that_of_its_chip_file(
    client: Client, program: object, tmp_path: Path
) -> None:
    changes = {"tdp": "600 W", "die_area": "700 mm2", "peak.fp8": "1500 TFLOP/s", "hbm_stacks": "6"}
    fields = chip_fields(load().chip("h100-sxm"))
    dies = [dict(item) for item in fields["dies"]]  # type: ignore[union-attr]
    dies[0]["area"] = "700 mm2"
    file = tmp_path / "design.yaml"
    file.write_text(yaml.safe_dump(fields | {
        "tdp": "600 W", "hbm_stacks": 6, "dies": dies,
        "peak": {**fields["peak"], "fp8": "1500 TFLOP/s"}}))  # type: ignore[dict-item]
    printed = program("chip", str(file))  # type: ignore[operator]
    given = client.post("/api/chip", json={"chip": "h100-sxm", "changes": changes}).json()
    assert given["sheet"] == {key: value for key, value in printed.items() if key != "versions"}
    paid = program(  # type: ignore[operator]
        "cost", "--model", "llama-3.1-70b", "--chip", str(file), "--input", "1024", "--output",
        "512", "--price", f"{given['sheet']['partner_price']['value']!r} USD")
    for name in ("usd_per_query", "usd_per_chip_hour", "wh_per_query", "serving"):
        assert given["serving"]["quotes"][0][name] == paid["quotes"][0][name]


def test_the_market_beside_a_design_costs_what_a_query_costs(client: Client) -> None:
    chips = ["h100-sxm", "mi300x"]
    market = client.post("/api/chip", json={"chip": "a100-80gb", "market": chips}).json()["market"]
    asked = client.post("/api/query", json=ASKED).json()
    assert market == {key: value for key, value in asked.items() if key != "versions"}


def test_facts_are_those_of_show_and_why(client: Client, program: object) -> None:
    assert client.get("/api/facts/h100-sxm").json() == program("show", "h100-sxm")  # type: ignore[operator]
    assert client.get(
        "/api/facts/h100-sxm/price_street", params={"as_of": "2023-10-31"}
    ).json() == program("why", "h100-sxm", "price_street", "--as-of", "2023-10-31")  # type: ignore[operator]


@pytest.mark.slow
def test_two_ways_differ_as_the_command_line_says(client: Client, program: object) -> None:
    printed = program("compare", "portfolio", "buy", "--detail", "quick")  # type: ignore[operator]
    asked = {"case": REFERENCE, "way": "portfolio", "other": "buy"}
    assert client.post("/api/compare", json=asked).json() == printed
    shown = page(client, "/compare", **asked)
    assert wording.usd(abs(printed["against"]["difference_usd"])) in shown.text
    parts = wording.usd_parts([printed["against"][f"{part}_usd"]
                               for part in ("cash", "unserved", "risk")])
    assert all(text in shown.text for text in (*parts[0], parts[1]))
    dots = [attributes for tag, attributes in shown.tags if tag == "svg"]
    assert len(dots) == 4


# words for what cannot be

@pytest.mark.parametrize(("asked", "fields"), [
    ({"input": "-5"}, {"input"}), ({"input": "many"}, {"input"}), ({"output": "1e999"}, {"output"}),
    ({"price": "cheap"}, {"price"}), ({"tpot": "fast", "ttft": "-1 s"}, {"tpot", "ttft"}),
    ({"precision": "fp7"}, {"precision"}), ({"engine": "steam"}, {"engine"}),
    ({"load_factor": "3"}, {"load_factor"}), ({"as_of": "yesterday"}, {"as_of"}),
    ({"held": "stolen"}, {"held"}), ({"input": "x", "price": "y", "tpot": "z"},
                                     {"input", "price", "tpot"})])
def test_a_number_out_of_range_is_said_beside_its_field(
    client: Client, asked: dict[str, str], fields: set[str]
) -> None:
    answer = client.get("/query", params=QUERY | asked)
    assert answer.status_code in (404, 422)
    read = Read(answer.text)
    assert faulty(read) == fields
    assert "Allowed:" in read.text
    for field in fields:
        assert any(attributes.get("id") == f"e-{field}" for _, attributes in read.tags)


@pytest.mark.parametrize(("address", "asked", "meant"), [
    ("/query", QUERY | {"model": "llama-3.1-7b"}, "llama-3.1-70b"),
    ("/query", QUERY | {"chip": "h100-sxn"}, "h100-sxm"),
    ("/chip", {"chip": "h100-sxn"}, "h100-sxm"),
    ("/facts/h100-sxn/tdp", {}, "h100-sxm"), ("/facts/h100-sxm/tdpp", {}, "tdp"),
    ("/facts", {"grade": "pres"}, "press"),
    ("/compare", {"case": "openai-2024"}, "openai-2023"),
    ("/compare", {"case": REFERENCE, "other_case": "openai-2024"}, "openai-2023")])
def test_an_unknown_name_is_not_found_and_the_nearest_is_said(
    client: Client, address: str, asked: dict[str, str], meant: str
) -> None:
    assert f"mean {meant}" in page(client, address, 404, **asked).text.replace("Did you ", "")


@pytest.mark.parametrize(("address", "body", "status", "meant"), [
    ("/api/query", ASKED | {"model": "llama-3.1-7b"}, 404, "llama-3.1-70b"),
    ("/api/query", ASKED | {"chips": ["h100-sxn"]}, 404, "h100-sxm"),
    ("/api/query", ASKED | {"input": -1}, 422, "1 or more"),
    ("/api/query", ASKED | {"trace": "/etc/passwd.csv"}, 422, "shipped trace"),
    ("/api/query", ASKED | {"model": "/etc/hosts.json"}, 404, "names"),
    ("/api/query", ASKED | {"chips": ["/tmp/chip.yaml"]}, 404, "names"),
    ("/api/chip", {"chip": "h100-sxm", "changes": {"tdp": "hot"}}, 422, "1 W"),
    ("/api/chip", {"chip": "h100-sxm", "changes": {"name": "mine"}}, 404, "die_area"),
    ("/api/chip", {"chip": "../chip.yaml"}, 404, "names"),
    ("/api/chip", {"chip": "h100-sxm", "reuse": 2}, 422, "0 to 1"),
    ("/api/compare", {"case": "/etc/passwd"}, 404, "openai-2023"),
    ("/api/compare", {"case": REFERENCE, "way": "bui", "other": "buy"}, 404, "build")])
def test_a_call_refuses_with_faults_as_data(
    client: Client, address: str, body: dict[str, object], status: int, meant: str
) -> None:
    answer = client.post(address, json=body)
    assert answer.status_code == status, answer.text
    faults = answer.json()["faults"]
    assert {*faults[0]} == {"place", "found", "allowed", "remedy"}
    assert meant in json.dumps(faults)


@pytest.mark.parametrize(("field", "text", "words"), [
    ("tdp", "hot", "a number with a unit"), ("die_area", "2000 mm2", "field"),
    ("hbm_stacks", "eight", "whole number"), ("node", "n0", "process node"),
    ("memory_type", "hbm9", "memory type"), ("packaging", "box", "packaging service"),
    ("die_units_needed", "500", "at most"), ("hbm_stacks", "8", "along two edges")])
def test_a_design_that_cannot_be_is_said_beside_its_field(
    client: Client, field: str, text: str, words: str
) -> None:
    usual = texts_of_chip(load().chip("h100-sxm"))
    answer = client.get(
        "/chip", params=usual | {"chip": "h100-sxm", "edited": "h100-sxm", field: text})
    assert answer.status_code in (404, 422)
    read = Read(answer.text)
    assert words in read.text
    assert field in faulty(read), read.text[:600]


# hostile input

@pytest.mark.parametrize(("address", "asked"), [
    ("/query", dict.fromkeys(("model", "chip", "price", "engine", "as_of", "tpot"), SCRIPT)),
    ("/chip", {"chip": SCRIPT}), ("/chip", {"chip": "h100-sxm", "edited": "h100-sxm", "tdp": SCRIPT}),
    ("/chip", {"chip": "h100-sxm", "model": SCRIPT, "at": SCRIPT}),
    ("/facts", {"search": SCRIPT, "topic": SCRIPT, "since": SCRIPT, "order": SCRIPT}),
    ("/facts", {"search": SCRIPT}), ("/compare", {"case": SCRIPT, "way": SCRIPT}),
    ("/facts/" + SCRIPT.replace("/", "%2F"), {})])
def test_script_in_a_name_stays_text(
    client: Client, address: str, asked: dict[str, str]
) -> None:
    answer = client.get(address, params=asked)
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    read = Read(answer.text)
    scripts = [attributes for tag, attributes in read.tags if tag == "script"]
    assert all(set(attributes) == {"type", "src"} for attributes in scripts)
    assert not [key for _, attributes in read.tags for key in attributes if key.startswith("on")]


def test_a_page_needs_no_inline_script_and_no_inline_style(client: Client) -> None:
    for address in ("/query", "/chip", "/facts?search=h100", "/facts/h100-sxm/tdp", "/compare"):
        read = page(client, address)
        assert not [tag for tag, attributes in read.tags if "style" in attributes], address
        assert not [tag for tag, _ in read.tags if tag == "style"]
        assert [attributes["src"] for tag, attributes in read.tags if tag == "script"] == [
            "/static/pages.js"]


def test_a_source_becomes_a_link_only_where_it_is_on_the_web(client: Client) -> None:
    for address in ("/query", "/facts?search=h100"):
        links = [str(attributes["href"]) for tag, attributes in page(client, address).tags
                 if tag == "a"]
        assert links
        assert all(re.match(r"(https?://|/|#answer)", link) for link in links)


def test_very_long_and_very_many_are_refused(client: Client) -> None:
    long = "x" * 60_000
    assert len(client.get("/query", params=QUERY | {"price": long}).text) < 200_000
    many = urlencode([*QUERY.items(), *[("chip", f"chip-{k}") for k in range(50)]])
    answer = client.get(f"/query?{many}")
    assert answer.status_code in (404, 422)
    assert client.post("/api/query", json=ASKED | {"chips": ["h100-sxm"] * 500}).status_code == 422
    assert client.post("/api/query", json=ASKED | {"model": long}).status_code == 422
    assert client.get("/api/facts", params={"count": 10**9}).status_code == 422
    assert page(client, "/facts", start="9" * 300).text


# the forms

@pytest.mark.parametrize("address", ["/query", "/chip", "/facts", "/compare"])
def test_every_field_has_a_label_and_one_name(client: Client, address: str) -> None:
    read = page(client, address)
    labels = {attributes.get("for") for tag, attributes in read.tags if tag == "label"}
    controls = [attributes for tag, attributes in read.tags if tag in ("input", "select")
                and attributes.get("type") not in ("hidden", "checkbox")]
    assert controls
    assert all(attributes["id"] in labels for attributes in controls)
    ids = [attributes["id"] for _, attributes in read.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    form = next(attributes for tag, attributes in read.tags if tag == "form")
    assert form["method"] == "get"
    assert len([tag for tag, _ in read.tags if tag == "h1"]) == 1


def test_the_form_of_a_chip_sends_back_the_chip(client: Client) -> None:
    catalogue = load()
    for name in ("h100-sxm", "mi300x", "tpu-v5e", "a10"):
        base = catalogue.chip(name)
        assert set(texts_of_chip(base)) == set(DESIGN_FIELDS)
        assert changed_chip(catalogue, name, {}) == base
        again = chip_from_mapping(chip_fields(base), "chip")
        assert (again.peak_flops, again.tdp_w, again.architecture) == (
            base.peak_flops, base.tdp_w, base.architecture)
    usual = texts_of_chip(catalogue.chip("h100-sxm"))
    read = page(client, "/chip", **usual, chip="h100-sxm", edited="h100-sxm")
    assert "You changed" not in read.text


def test_a_chip_by_another_name_is_the_one_that_is_checked(client: Client) -> None:
    read = page(client, "/query", **QUERY | {"chip": "NVIDIA H100 SXM"})
    checked = [attributes["value"] for tag, attributes in read.tags
               if tag == "input" and "checked" in attributes]
    assert checked == ["h100-sxm"]


def test_fields_of_another_chip_are_no_changes(client: Client) -> None:
    usual = texts_of_chip(load().chip("h100-sxm"))
    read = page(client, "/chip", **usual, chip="mi300x", edited="h100-sxm")
    assert "You changed" not in read.text
    moved = page(client, "/chip", **usual | {"tdp": "600 W"}, chip="h100-sxm", edited="h100-sxm")
    assert "You changed rated power: 700 W to 600 W" in moved.text


def test_facts_are_found_sorted_and_turned_page_by_page(client: Client) -> None:
    catalogue = load()
    everything = matching_facts(catalogue, FactSearch())
    assert len(everything) == len({fact.place for facts in catalogue.rows.values() for fact in facts})
    for order, key in ORDERS.items():
        facts = matching_facts(catalogue, FactSearch(words="h100", order=order))
        assert [key(fact) for fact in facts] == sorted(key(fact) for fact in facts)
        assert all("h100" in f"{fact.entity} {fact.field} {fact.value} {fact.source.title} "
                   f"{fact.source.id} {fact.note}".casefold() for fact in facts)
    graded = matching_facts(catalogue, FactSearch(grade="filing"))
    assert graded
    assert {fact.grade for fact in graded} == {Grade.FILING}
    first, second = (
        client.get("/api/facts", params={"search": "h100", "start": start, "count": 10}).json()
        for start in (0, 10))
    assert first["total"] == second["total"] == len(
        matching_facts(catalogue, FactSearch(words="h100")))
    assert first["facts"] + second["facts"] == client.get(
        "/api/facts", params={"search": "h100", "count": 20}).json()["facts"]


def test_facts_of_a_later_day_are_not_found() -> None:
    early = load(read_case(REFERENCE).as_of)
    facts = matching_facts(early, FactSearch(topic="chips"))
    assert facts
    assert max(fact.known for fact in facts) <= read_case(REFERENCE).as_of
    with pytest.raises(UnknownName, match=r"unknown topic.*\n.*\n.*\nunknown grade|grade"):
        matching_facts(early, FactSearch(topic="chip", grade="gossip"))


@pytest.mark.parametrize(("text", "value"), [
    ("1,024", 1024.0), ("2 048 000", 2_048_000.0), ("1e3", 1000.0), (".5", 0.5), ("0", 0.0)])
def test_numbers_are_read_as_people_type_them(text: str, value: float) -> None:
    assert number_from(text, "--input") == value


@pytest.mark.parametrize("text", ["", "1.2.3", "1,2", "nan", "inf", "0x10", "１２", "1_000", "--5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        number_from(text, "--input")


# comparisons

def test_work_aside_is_asked_once_and_has_an_end() -> None:
    aside, asked = WorkAside(), []
    first = aside.ask("a", lambda: asked.append("a"))  # type: ignore[arg-type, return-value]
    first.result()
    assert aside.ask("a", lambda: asked.append("b")) is first  # type: ignore[arg-type, return-value]
    for k in range(2 * KEPT):
        aside.ask(f"{k}", lambda: None).result()  # type: ignore[arg-type, return-value]
    assert asked == ["a"]
    assert len(aside.kept) <= KEPT + 1


def test_a_queue_that_is_full_refuses() -> None:
    from threading import Event

    aside, gate = WorkAside(), Event()
    try:
        for k in range(WAITING):
            aside.ask(f"{k}", lambda: gate.wait())  # type: ignore[arg-type, return-value]
        with pytest.raises(BadValue, match="ask again"):
            aside.ask("more", lambda: None)  # type: ignore[arg-type, return-value]
    finally:
        gate.set()


def test_inputs_that_differ_are_all_and_only_those() -> None:
    case, other = read_case(REFERENCE), read_case("lab-2025")
    assert differing_inputs(case, case) == ()
    rows = differing_inputs(case, other)
    assert {row.name for row in rows if row.first is None}
    assert {row.name for row in rows if row.second is None}
    assert all(row.first != row.second for row in rows)
