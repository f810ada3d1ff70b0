"""Chip: change a design, see what it costs to make, draws and does, beside the market's chips."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from fabless import wording
from fabless.asked import (
    DESIGN_CLASSES,
    LOAD_FACTOR,
    CostAnswer,
    CostQuestion,
    CostTexts,
    SheetTexts,
    attempt,
    cost_answer,
    cost_question,
    made_price,
    refuse,
    sheet_answer,
)
from fabless.catalogue import Catalogue
from fabless.catalogue.files.chip import PRECISIONS, chip_fields, chip_from_mapping
from fabless.errors import BadValue, DoesNotFit, FablessError, Fault, unknown
from fabless.quote import number_of
from fabless.records import Chip
from fabless.report.silicon_charts import waterfall
from fabless.silicon import ChipSheet
from fabless.web.pages.query import QuoteRow, quote_row
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

STARTED = "h100-sxm"
MARKET = ("h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "tpu-v6e")
"""Chips on the market beside the design, where they are known."""
LOAD = {"model": "llama-3.1-70b", "input": "1024", "output": "512", "tpot": "100 ms", "ttft": "4 s"}
MAKING = ("at", "design", "reuse", "margin")
_SIZES = ("memory_capacity", "memory_bandwidth", "tdp", "scale_up_bandwidth", "scale_out_bandwidth",
          "clock", "on_chip_memory")
_COUNTS = ("hbm_stacks", "memory_sites", "scale_up_domain")
_WORDS = ("node", "memory_type", "packaging")
_DIE = {"die_area": "area", "die_count": "count", "die_units": "units",
        "die_units_needed": "units_needed"}
"""Field of the form -> field of the first kind of die in a chip file."""
_PEAKS = ("bf16", "fp8", "fp4", "int8")
DESIGN_FIELDS = ("node", *_DIE, "hbm_stacks", "memory_type", "memory_capacity", "memory_bandwidth",
                 "packaging", *(f"peak.{name}" for name in _PEAKS), "tdp", "clock",
                 "on_chip_memory", "scale_up_bandwidth", "scale_up_domain", "scale_out_bandwidth")
"""What of a design may be changed, in the order of the form."""


class ChipAsked(BaseModel):
    """A design: a chip of the catalogue with changes, how it is made, and what it is to serve."""

    model_config = ConfigDict(extra="forbid")
    chip: str = Described(STARTED, max_length=200)
    changes: dict[str, str] = Described(default_factory=dict, max_length=40)
    """Field -> text, as in a chip file: ``{"tdp": "600 W", "peak.fp8": "2500 TFLOP/s"}``."""
    at: str | None = Described(None, max_length=10)
    design: str = Described("full", max_length=40)
    reuse: float = 0.0
    margin: float | None = None
    model: str = Described(LOAD["model"], max_length=200)
    input: float = 1024.0
    output: float = 512.0
    tpot: str = Described(LOAD["tpot"], max_length=40)
    ttft: str = Described(LOAD["ttft"], max_length=40)
    market: list[str] = Described(list(MARKET), max_length=16)
    as_of: str = Described("", max_length=10)


@dataclass(frozen=True, kw_only=True)
class DesignAnswer:
    """A design: its silicon, what it costs to serve the load, and the market on the same load."""

    sheet: ChipSheet
    serving: CostAnswer | None
    """The design at what it costs through a design partner; None where it does not serve."""
    market: CostAnswer | None
    """Chips on the market at their prices; None where none serves."""
    faults: tuple[Fault, ...]
    """Why the design, or all of the market, does not serve."""


def changed_chip(catalogue: Catalogue, name: str, changes: Mapping[str, str]) -> Chip:
    """A chip of the catalogue with some of its fields replaced; itself where none is.

    Raises `UnknownName` for a chip or field that is not there, `BadValue` with every fault of the
    changed fields.
    """
    base = catalogue.chip(name)
    if not changes:
        return base
    faults = [fault for key in changes if key not in DESIGN_FIELDS
              for fault in unknown("field of a design", key, DESIGN_FIELDS, key).faults]
    refuse(faults)
    try:
        return replace(chip_from_mapping(_merged(base, changes), "chip"), assumed=base.assumed)
    except BadValue as error:
        raise BadValue(*(replace(fault, place=_field_of(fault.place, "chip"))
                         for fault in error.faults)) from error


def _field_of(place: str, chip: str) -> str:
    """Field of the form of a place in a chip, such as ``h100-sxm: hbm_stacks``."""
    name = re.sub(f"^{re.escape(chip)}(: |\\.)", "", place)
    inner = re.sub(r"^dies\.0(: |\.)", "", name)
    return next((key for key, part in _DIE.items() if part == inner and inner != name), name)


def _in_form(fault: Fault, chip: Chip | None) -> Fault:
    return fault if chip is None else replace(fault, place=_field_of(fault.place, chip.name))


def _merged(base: Chip, changes: Mapping[str, str]) -> dict[str, object]:
    fields = chip_fields(base)
    peak = dict(fields["peak"]) if isinstance(fields["peak"], Mapping) else {}
    for key, text in changes.items():
        if key.startswith("peak."):
            peak |= {key.removeprefix("peak."): text}
        elif key in _COUNTS:
            fields[key] = _whole(text)
        elif key not in _DIE:
            fields[key] = text
    fields["peak"] = {name: rate for name, rate in peak.items() if rate}
    dies = {part: changes[key] for key, part in _DIE.items() if key in changes}
    if dies:
        fields["dies"] = _dies(fields, dies)
        fields.pop("die_area", None)
    return {key: value for key, value in fields.items() if value != ""}


def _dies(fields: Mapping[str, object], changes: Mapping[str, str]) -> list[dict[str, object]]:
    """The kinds of die, the first of them changed."""
    stated = fields.get("dies")
    areas = fields.get("die_area")
    kinds: list[dict[str, object]] = []
    if isinstance(stated, list):
        kinds = [dict(item) for item in stated]
    elif isinstance(areas, list) and areas:
        kinds = [{"area": area, "count": areas.count(area)} for area in dict.fromkeys(areas)]
    first = kinds[0] if kinds else {}
    for part, text in changes.items():
        first[part] = text if part == "area" else _whole(text)
    return [{key: value for key, value in first.items() if value != ""}, *kinds[1:]]


def _whole(text: str) -> int | str:
    """A whole number where the text is one; else the text, for the reader of chips to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def texts_of_chip(chip: Chip) -> dict[str, str]:
    """What stands in the fields of the form for a chip."""
    fields = chip_fields(chip)
    stated = fields.get("dies")
    areas = fields.get("die_area")
    first: Mapping[str, object] = {}
    if isinstance(stated, list) and stated:
        first = stated[0]
    elif isinstance(areas, list) and areas:
        first = {"area": areas[0], "count": areas.count(areas[0])}
    peak = fields["peak"] if isinstance(fields["peak"], Mapping) else {}
    known = {**fields, **{key: first.get(part, "") for key, part in _DIE.items()},
             **{f"peak.{name}": peak.get(name, "") for name in _PEAKS}}
    return {name: str(known.get(name, "")) for name in DESIGN_FIELDS}


def design_answer(catalogue: Catalogue, asked: ChipAsked) -> DesignAnswer:
    """Answer the question of a design. Raises every fault of chip, making and load at once."""
    faults: list[Fault] = []
    chip = attempt(faults, changed_chip, catalogue, asked.chip, asked.changes)
    llm = attempt(faults, catalogue.model, asked.model)
    market = [attempt(faults, catalogue.chip, name) for name in dict.fromkeys(asked.market)]
    texts = CostTexts(input=asked.input, output=asked.output, tpot=asked.tpot, ttft=asked.ttft)
    question = attempt(faults, cost_question, catalogue, llm, texts) if llm else None
    making = SheetTexts(at=asked.at, design=asked.design, reuse=asked.reuse, margin=asked.margin)
    sheet = attempt(faults, sheet_answer, catalogue, chip, making) if chip else None
    refuse([_in_form(fault, chip) for fault in faults])
    assert chip is not None
    assert question is not None
    assert sheet is not None
    unserved: list[Fault] = []
    serving = _served(catalogue, replace(question, price=made_price(sheet)), [chip], unserved)
    sold = _served(catalogue, question, [item for item in market if item], unserved)
    return DesignAnswer(sheet=sheet, serving=serving, market=sold, faults=tuple(unserved))


def _served(
    catalogue: Catalogue, question: CostQuestion, chips: Sequence[Chip], unserved: list[Fault]
) -> CostAnswer | None:
    try:
        return cost_answer(catalogue, question, chips) if chips else None
    except DoesNotFit as error:
        unserved += error.faults
        return None


def chip_router() -> APIRouter:
    """The page of a design, and its call."""
    router = APIRouter()

    @router.get("/chip", include_in_schema=False)
    def chip_page(request: Request) -> Response:
        return page_response("chip.html", _answered(request.query_params))

    @router.post("/api/chip", tags=["chip"])
    def chip_call(asked: ChipAsked) -> Response:
        """Silicon of a design as ``fabless chip --json`` has it, and its cost beside the
        market's."""
        try:
            return json_response(design_answer(catalogue_on(asked.as_of), asked))
        except FablessError as error:
            return faults_response(error)

    return router


_OTHERS = ("chip", "edited", *MAKING, *LOAD, "as_of")


def _answered(given: Mapping[str, str]) -> Answered:
    texts = {"chip": STARTED, "design": "full", **LOAD} | {
        name: text for name, text in texts_of(given, _OTHERS).items() if text}
    catalogue = catalogue_on("")
    shown: dict[str, object] = {"answer": None, "changes": {}, "base": texts["chip"]}
    design: Mapping[str, str] = dict.fromkeys(DESIGN_FIELDS, "")
    changes: dict[str, str] = {}
    try:
        catalogue = catalogue_on(texts.get("as_of", ""))
        base = catalogue.chip(texts["chip"])
        texts["chip"] = base.name
        usual = texts_of_chip(base)
        # fields that were filled for another chip than the one now chosen are not its changes
        edited = texts.get("edited") == base.name
        design = {**usual, **texts_of(given, [name for name in DESIGN_FIELDS if name in given])
                  } if edited else usual
        changes = {name: text for name, text in design.items() if text != usual[name]}
        shown |= {"base": base.name, "usual": usual, "title": base.title or base.name,
                  "changes": changes}
        form = _form(catalogue, {**texts, **design})
        answer = design_answer(catalogue, _asked(texts, changes))
    except FablessError as error:
        return failed(_form(catalogue, {**texts, **design}), error, shown)
    return Answered(form=form, shown=shown | _shown(catalogue, answer))


def _asked(texts: Mapping[str, str], changes: Mapping[str, str]) -> ChipAsked:
    faults: list[Fault] = []
    numbers = {
        name: attempt(faults, number_from, texts[name], f"--{name}")
        for name in ("input", "output", "reuse", "margin") if texts.get(name)}
    refuse(faults)
    words = {name: texts[name] for name in ("chip", "at", "design", "model", "tpot", "ttft")
             if texts.get(name)}
    return ChipAsked.model_construct(None, **{**words, **numbers, "changes": dict(changes)})


def _form(catalogue: Catalogue, texts: Mapping[str, str]) -> Form:
    def offered(*names: str) -> tuple[tuple[str, str], ...]:
        return tuple((name, name) for name in names)

    nodes = tuple(("", "as the chip's") if not name else (name, name)
                  for name in catalogue.entities("nodes"))
    fields = (
        Field(name="chip", label="Begin with", choices=_chips(catalogue)),
        Field(name="node", label="Process node", choices=nodes),
        Field(name="die_area", label="Area of a die", hint="such as 814 mm2"),
        Field(name="die_count", label="Dies of this kind", numeric=True),
        Field(name="die_units", label="Equal units on a die", hint="some may fail", numeric=True),
        Field(name="die_units_needed", label="Units that must work", numeric=True),
        Field(name="hbm_stacks", label="Memory stacks", numeric=True),
        Field(name="memory_type", label="Memory", choices=offered(*catalogue.entities("memory"))),
        Field(name="memory_capacity", label="Memory in all", hint="such as 80 GB"),
        Field(name="memory_bandwidth", label="Memory bandwidth", hint="such as 3.35 TB/s"),
        Field(name="packaging", label="Packaging",
              choices=(("", "as its memory asks"), *offered(*catalogue.entities("packaging")))),
        *(Field(name=f"peak.{name}", label=f"Dense rate in {name}", hint="such as 989 TFLOP/s")
          for name in _PEAKS if name in PRECISIONS),
        Field(name="tdp", label="Rated power", hint="such as 700 W"),
        Field(name="clock", label="Clock", hint="such as 1.83 GHz"),
        Field(name="on_chip_memory", label="On-chip memory", hint="such as 83 MB"),
        Field(name="scale_up_bandwidth", label="Link to neighbours",
              hint="one way, such as 450 GB/s"),
        Field(name="scale_up_domain", label="Chips so linked", numeric=True),
        Field(name="scale_out_bandwidth", label="Network", hint="one way, such as 400 Gb/s"),
        Field(name="at", label="Made in", placeholder="2024Q3",
              hint="quarter; empty: newest prices, mature process"),
        Field(name="design", label="Design effort", choices=offered(*DESIGN_CLASSES)),
        Field(name="reuse", label="Share of design reused", placeholder="0", numeric=True),
        Field(name="margin", label="Partner's margin", placeholder="the catalogue's",
              hint="share of the price", numeric=True),
        Field(name="model", label="Model", choices=offered(*catalogue.models())),
        Field(name="input", label="Prompt", hint="tokens, mean", numeric=True),
        Field(name="output", label="Answer", hint="tokens, mean", numeric=True),
        Field(name="ttft", label="First token within", hint="longest time"),
        Field(name="tpot", label="Each token within", hint="longest time"),
    )
    return Form({item.name: filled(item, texts.get(item.name, "")) for item in fields})


def _chips(catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
    """Chips of which enough is known to begin with."""
    chosen = []
    for name in catalogue.chips():
        try:
            chip = catalogue.chip(name)
        except FablessError:
            continue
        chosen.append((name, f"{chip.vendor} {chip.title or name}".strip()))
    return tuple(sorted(chosen, key=lambda item: item[1]))


def _shown(catalogue: Catalogue, answer: DesignAnswer) -> dict[str, object]:
    sheet = answer.sheet
    last = replace(sheet.partner_price, name="through a partner")
    wide, narrow = (waterfall(sheet.cost, "unit cost", last, width)
                    for width in WIDTHS)
    return {
        "answer": answer, "sheet": sheet,
        "picture": picture_of((wide, narrow), "Build-up of the unit cost in USD; the table holds "
                                              "the same numbers."),
        "rows": _market_rows(catalogue, answer),
    }


def _market_rows(catalogue: Catalogue, answer: DesignAnswer) -> list[tuple[QuoteRow, bool]]:
    """The design and the market's chips, most tokens a USD first."""
    quotes = [(quoted, True) for quoted in (answer.serving.quotes if answer.serving else ())]
    quotes += [(quoted, False) for quoted in (answer.market.quotes if answer.market else ())]
    decimals = wording.cent_decimals(quoted.usd_per_query for quoted, _ in quotes)
    load = number_of(catalogue.fact(*LOAD_FACTOR))
    titles = {quoted.chip: catalogue.chip(quoted.chip).title or quoted.chip
              for quoted, own in quotes if not own}
    rows = [(quote_row(quoted, "This design" if own else titles[quoted.chip], load, decimals), own)
            for quoted, own in quotes]
    return sorted(rows, key=lambda row: row[0].quote.usd_per_million_output_tokens)
