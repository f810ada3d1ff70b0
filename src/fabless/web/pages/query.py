"""Query: what serving a model costs on each of several chips, and what that cost is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from fabless import wording
from fabless.asked import (
    LOAD_FACTOR,
    CostAnswer,
    CostTexts,
    attempt,
    cost_answer,
    cost_question,
    refuse,
)
from fabless.catalogue import Catalogue
from fabless.catalogue.files.chip import PRECISIONS
from fabless.decide import BuildUpRow
from fabless.errors import FablessError, Fault
from fabless.perf import error_band
from fabless.quote import Quote, owning_of
from fabless.records import Fact
from fabless.report import charts
from fabless.report.html import Picture
from fabless.titles import chip_titles
from fabless.units import from_si
from fabless.web.pages.shell import (
    WIDTHS,
    Answered,
    Field,
    Form,
    catalogue_on,
    failed,
    faults_response,
    filled,
    json_response,
    number_from,
    page_response,
    picture_of,
    texts_of,
)

STARTED = {"model": "llama-3.1-70b", "input": "1024", "output": "512", "precision": "fp8",
           "kv_precision": "bf16", "engine": "default", "ttft": "4 s", "tpot": "100 ms"}
"""What stands in the fields before anybody has asked."""
STARTED_CHIPS = ("h100-sxm", "mi300x", "b200-sxm", "tpu-v5e")
MOST_CHIPS = 16
"""Chips in one question: the picture holds no more."""
PARTS = {"chip": "chip", "server": "server and network", "site": "site", "power": "power",
         "staff": "staff and maintenance", "rent": "rent"}
"""Line of an hour's cost -> its name for people."""


class QueryAsked(BaseModel):
    """A question of cost; the fields are the options of ``fabless cost``."""

    model_config = ConfigDict(extra="forbid")
    model: str = Described(max_length=200)
    chips: list[str] = Described(min_length=1, max_length=MOST_CHIPS)
    input: float | None = None
    output: float | None = None
    trace: str | None = Described(None, max_length=100)
    precision: str = Described("fp8", max_length=40)
    expert_precision: str = Described("", max_length=40)
    kv_precision: str = Described("bf16", max_length=40)
    engine: str = Described("default", max_length=40)
    tpot: str = Described("100 ms", max_length=40)
    ttft: str = Described("4 s", max_length=40)
    load_factor: float | None = None
    price: str | None = Described(None, max_length=60)
    held: str = Described("", max_length=10)
    as_of: str = Described("", max_length=10)


@dataclass(frozen=True, kw_only=True)
class QuoteRow:
    """A quote as a row of the table; texts as they are shown."""

    quote: Quote
    title: str
    split: str
    rate: str
    cents: str
    low: str
    high: str
    usd_per_million: str
    tokens_per_usd: str
    hour: str
    price: str
    held: str


def asked_cost(catalogue: Catalogue, asked: QueryAsked) -> tuple[CostAnswer, float]:
    """Answer a question of cost by names of the catalogue alone, never by a path; also gives the
    load factor that was taken."""
    faults: list[Fault] = []
    llm = attempt(faults, catalogue.model, asked.model)
    found = [attempt(faults, catalogue.chip, name) for name in dict.fromkeys(asked.chips)]
    if asked.trace is not None and asked.trace.endswith(".csv"):
        faults.append(Fault("--trace", repr(asked.trace), "the name of a shipped trace",
                            "give input and output lengths instead"))
    refuse(faults)
    assert llm is not None
    texts = asked.model_dump(exclude={"model", "chips", "as_of"})
    question = cost_question(catalogue, llm, CostTexts(**texts))
    answer = cost_answer(catalogue, question, [chip for chip in found if chip])
    return answer, question.terms.load_factor


def query_router() -> APIRouter:
    """The page of the cost of a query, and its call."""
    router = APIRouter()

    @router.get("/query", include_in_schema=False)
    def query_page(request: Request) -> Response:
        given = request.query_params
        chips = given.getlist("chip") if given else list(STARTED_CHIPS)
        return page_response("query.html", _answered(given or STARTED, chips))

    @router.post("/api/query", tags=["query"])
    def query_call(asked: QueryAsked) -> Response:
        """Cost of a query of a model on chips: the answer of ``fabless cost --json``."""
        try:
            return json_response(asked_cost(catalogue_on(asked.as_of), asked)[0])
        except FablessError as error:
            return faults_response(error)

    return router


_USUAL = ("precision", "kv_precision", "engine", "ttft", "tpot")
"""Fields that mean their usual text where they are empty."""
_TEXTS = ("model", "input", "output", "trace", "precision", "expert_precision", "kv_precision",
          "engine", "tpot", "ttft", "load_factor", "price", "held", "as_of")


def _answered(given: Mapping[str, str], chips: list[str]) -> Answered:
    texts = texts_of(given, _TEXTS)
    texts |= {name: STARTED[name] for name in _USUAL if not texts[name]}
    faults: list[Fault] = []
    catalogue = attempt(faults, catalogue_on, texts["as_of"]) or catalogue_on("")
    chips = [attempt([], catalogue.resolve, "chip", name) or name for name in chips]
    form = _form(catalogue, texts)
    shown: dict[str, object] = {
        "answer": None, "chosen": chips, "makers": _makers(catalogue), "most_chips": MOST_CHIPS}
    try:
        asked = _asked(texts, chips, faults)
        answered = attempt(faults, asked_cost, catalogue, asked)
        refuse(faults)
        assert answered is not None
        answer, load_factor = answered
    except FablessError as error:
        return failed(form, error, shown)
    return Answered(form=form, shown=shown | _shown(catalogue, answer, load_factor))


def _asked(texts: Mapping[str, str], chips: list[str], faults: list[Fault]) -> QueryAsked:
    """The question of the form; what is no number is noted and taken as 1, so that all other faults
    are found too."""
    read = {
        name: attempt(faults, number_from, texts[name], f"--{name.replace('_', '-')}")
        for name in ("input", "output", "load_factor") if texts[name]}
    numbers = {name: 1.0 if value is None else value for name, value in read.items()}
    if len(chips) > MOST_CHIPS:
        faults.append(Fault("chip", f"{len(chips)} chips", f"1 to {MOST_CHIPS}", "leave some out"))
        chips = chips[:MOST_CHIPS]
    stated = {name: text for name, text in texts.items() if text}
    return QueryAsked.model_construct(None, chips=chips, **({"model": ""} | stated | numbers))


def _form(catalogue: Catalogue, texts: Mapping[str, str]) -> Form:
    def choices(*names: str) -> tuple[tuple[str, str], ...]:
        return tuple((name, name) for name in names)

    engines = (name.removeprefix("engine-") for name in catalogue.entities("perf")
               if name.startswith("engine-"))
    formats = choices(*(name for name in PRECISIONS if not name.startswith("fp64")))
    fields = (
        Field(name="model", label="Model", choices=choices(*catalogue.models())),
        Field(name="input", label="Prompt", hint="tokens, mean", numeric=True),
        Field(name="output", label="Answer", hint="tokens, mean", numeric=True),
        Field(name="held", label="Chips are", choices=(
            ("", "as usually held"), ("own", "bought"), ("rent", "rented"))),
        Field(name="price", label="Price of a chip", placeholder="the catalogue's",
              hint="such as 25000 USD or 2.5 USD/h; for every chip"),
        Field(name="ttft", label="First token within", hint="longest time"),
        Field(name="tpot", label="Each token within", hint="longest time"),
        Field(name="precision", label="Weights", choices=formats),
        Field(name="kv_precision", label="KV cache", choices=formats),
        Field(name="engine", label="Serving software", choices=choices(*engines)),
        Field(name="load_factor", label="Mean load over peak", placeholder="the catalogue's",
              numeric=True),
        Field(name="as_of", label="Known by", placeholder="today", hint="YYYY-MM-DD"),
    )
    return Form({item.name: filled(item, texts[item.name]) for item in fields})


def _makers(catalogue: Catalogue) -> dict[str, list[tuple[str, str]]]:
    """Maker -> key and title of each of its chips that can be quoted."""
    makers: dict[str, list[tuple[str, str]]] = {}
    for name in catalogue.chips():
        try:
            chip = catalogue.chip(name)
        except FablessError:
            continue  # too little is known of it
        makers.setdefault(chip.vendor or "Others", []).append((name, chip.title or name))
    return dict(sorted(makers.items(), key=lambda item: (-len(item[1]), item[0])))


def _shown(catalogue: Catalogue, answer: CostAnswer, load_factor: float) -> dict[str, object]:
    quotes = sorted(answer.quotes, key=lambda quoted: quoted.usd_per_query)
    titles = chip_titles(catalogue.chip(quoted.chip) for quoted in quotes)
    decimals = wording.cent_decimals(quoted.usd_per_query for quoted in quotes)
    return {
        "answer": answer, "load_factor": load_factor,
        "rows": [quote_row(quoted, titles[quoted.chip], load_factor, decimals)
                 for quoted in quotes],
        "table": _parts_table(quotes, titles, decimals + 1), "picture": build_up_picture(quotes, titles),
        "facts": (*owning_of(catalogue)[1], catalogue.fact(*LOAD_FACTOR)), "titles": titles,
    }


def quote_row(quoted: Quote, title: str, load_factor: float, decimals: int) -> QuoteRow:
    """A quote as it is shown."""
    s = quoted.serving
    low, high = error_band(quoted.usd_per_query, quoted.calibration.error_median)
    return QuoteRow(
        quote=quoted, title=title,
        split=wording.split_code(
            s.tensor_parallel, s.pipeline_parallel, s.expert_parallel, s.data_parallel),
        rate=wording.plain(round(s.output_tokens_per_s_per_chip / load_factor)),
        cents=wording.cents(quoted.usd_per_query, decimals), low=wording.cents(low, decimals),
        high=wording.cents(high, decimals),
        usd_per_million=wording.significant(quoted.usd_per_million_output_tokens),
        tokens_per_usd=wording.count(1e6 / quoted.usd_per_million_output_tokens),
        hour=wording.significant(quoted.usd_per_chip_hour), price=price_words(quoted.price),
        held="rented" if quoted.price.unit.endswith("/h") else "bought")


def price_words(price: Fact) -> str:
    """A price with its unit; a rent by the hour."""
    if not isinstance(price.value, float):
        return wording.MISSING
    return wording.with_unit(from_si(price.value, price.unit), price.unit)


def build_up_parts(quotes: list[Quote], titles: Mapping[str, str]) -> list[BuildUpRow]:
    """Cost of a query on each chip by part: the lines of its hour, in their shares."""
    return [
        BuildUpRow(
            model=quoted.model, offer=quoted.chip, chip=quoted.chip, title=titles[quoted.chip],
            part=PARTS[part], usd=quoted.usd_per_query * float(amount) / quoted.usd_per_chip_hour,
            how=f"{wording.significant(float(amount))} of "
                f"{wording.significant(quoted.usd_per_chip_hour)} USD an hour")
        for quoted in quotes if quoted.usd_per_chip_hour > 0.0
        for part, amount in quoted.hour.lines() if float(amount) > 0.0]


def _parts_table(
    quotes: list[Quote], titles: Mapping[str, str], decimals: int
) -> tuple[list[str], list[tuple[str, list[str], str]]]:
    """The parts of a query's cost in cents, a chip a row: names of the parts, then title, parts and
    sum of each chip."""
    rows = build_up_parts(quotes, titles)
    order = [name for name in PARTS.values() if any(row.part == name for row in rows)]
    usd = {(row.chip, row.part): row.usd for row in rows}
    return order, [
        (titles[quoted.chip],
         [wording.cents(usd.get((quoted.chip, part)), decimals) for part in order],
         wording.cents(quoted.usd_per_query, decimals)) for quoted in quotes]


def build_up_picture(quotes: list[Quote], titles: Mapping[str, str]) -> Picture | None:
    """The parts of a query's cost as stacked bars; nothing where all is free."""
    parts = build_up_parts(quotes, titles)
    if not parts:
        return None
    order = [name for name in PARTS.values() if any(row.part == name for row in parts)]
    wide, narrow = (charts.build_up_chart(parts, width, parts=order) for width in WIDTHS)
    return picture_of((wide, narrow), "Cost of a query by part, in cents; the table holds the same "
                                      "numbers.")
