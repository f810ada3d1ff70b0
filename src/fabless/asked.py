"""What somebody asks of models and chips, read from text: lengths, limits, formats, prices; the
cost of a model on several chips, and what a chip costs to make.

Command line and web read their questions here, so that both give one answer. Texts come from
outside: every fault of a question is reported at once, with the option that it stands in.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from fabless.catalogue import Catalogue, embedded_trace, read_trace
from fabless.catalogue.facts.timeline import middle_of
from fabless.errors import BadValue, DoesNotFit, FablessError, Fault, UnknownName, unknown
from fabless.perf import Calibration, Formats, ServiceTerms, SplitSearch
from fabless.perf.serving.terms import check_request
from fabless.quote import HELD, Quote, calibration_of, number_of, owning_of, price_of, quote
from fabless.records import LLM, Chip, Fact, Grade, Request, Source
from fabless.silicon import ChipSheet, chip_sheet
from fabless.units import Quarter, quantity
from fabless.workload import element_bytes

P = ParamSpec("P")
T = TypeVar("T")

_ENGINE = "engine-"
LOAD_FACTOR = ("datacentre", "load_factor")
"""Entity and field of the mean load over the peak load."""


@dataclass(frozen=True, kw_only=True)
class CostQuestion:
    """What a model is to serve, on which terms, and at what price of a chip."""

    llm: LLM
    request: Request
    terms: ServiceTerms
    engine: str = "default"
    """Serving software by its short name."""
    price: Fact | None = None
    """Price of every chip; None: the catalogue's of each."""
    held: str = ""
    """own | rent: which of the catalogue's prices counts; empty: a purchase price where one is
    known."""


@dataclass(frozen=True, kw_only=True)
class CostTexts:
    """A question of cost as somebody writes it; each field is named like its option."""

    input: float | None = None
    output: float | None = None
    trace: str | None = None
    precision: str = "fp8"
    expert_precision: str = ""
    kv_precision: str = "bf16"
    engine: str = "default"
    tpot: str = "100 ms"
    ttft: str = "4 s"
    load_factor: float | None = None
    price: str | None = None
    held: str = ""


@dataclass(frozen=True, kw_only=True)
class CostAnswer:
    """What a query costs on each of several chips."""

    model: str
    request: Request
    quotes: tuple[Quote, ...]
    refused: tuple[Fault, ...]
    """Why chips do not serve the model."""


def cost_question(catalogue: Catalogue, llm: LLM, texts: CostTexts) -> CostQuestion:
    """Read a question of cost; raises every fault of it at once."""
    faults: list[Fault] = []
    request = attempt(faults, request_of, texts.input, texts.output, texts.trace)
    usual = ServiceTerms(Formats("bf16", "bf16"), load_factor=_load_factor(catalogue, texts))
    attempt(faults, check_request, llm, request or Request(1.0, 1.0), usual, SplitSearch())
    formats = attempt(
        faults, formats_of, texts.precision, texts.expert_precision, texts.kv_precision)
    tpot = attempt(faults, positive, texts.tpot, "s", "--tpot")
    ttft = attempt(faults, positive, texts.ttft, "s", "--ttft")
    attempt(faults, calibration_for, catalogue, None, texts.engine)
    price = attempt(faults, stated_price, texts.price) if texts.price else None
    if texts.held and texts.held not in HELD:
        faults += unknown("way of holding a chip", texts.held, tuple(HELD), "--held").faults
    refuse(faults)
    if not (request and formats and tpot and ttft):
        raise AssertionError("what is missing is a fault, and faults are raised")
    return CostQuestion(
        llm=llm, request=request, terms=replace(
            usual, formats=formats, tpot_limit_s=tpot, ttft_limit_s=ttft),
        engine=texts.engine, price=price, held=texts.held)


def _load_factor(catalogue: Catalogue, texts: CostTexts) -> float:
    """Mean load over the peak load: the one stated, else the catalogue's."""
    if texts.load_factor is not None:
        return texts.load_factor
    return number_of(catalogue.fact(*LOAD_FACTOR))


def cost_answer(
    catalogue: Catalogue, question: CostQuestion, chips: Sequence[Chip]
) -> CostAnswer:
    """Quote the question on every chip.

    Raises `DoesNotFit` where none of the chips serves it, `BadValue` for a chip without a price or
    for no chip at all.
    """
    if not chips:
        raise BadValue(
            Fault("--chip", "none", "one or more chips", "name a chip, see `fabless chips`"))
    owning, _ = owning_of(catalogue)
    quotes: list[Quote] = []
    refused: list[Fault] = []
    for chip in chips:
        paid = question.price or price_of(catalogue, chip.name, question.held)
        try:
            quotes.append(quote(
                question.llm, chip, question.request, price=paid, owning=owning,
                calibration=calibration_for(catalogue, chip, question.engine),
                terms=question.terms))
        except DoesNotFit as error:
            refused += error.faults
    if not quotes:
        raise DoesNotFit(*refused)
    return CostAnswer(
        model=question.llm.name, request=question.request, quotes=tuple(quotes),
        refused=tuple(refused))


def attempt(
    faults: list[Fault], make: Callable[P, T], *arguments: P.args, **keywords: P.kwargs
) -> T | None:
    """Call something, and keep its faults instead of raising them."""
    try:
        return make(*arguments, **keywords)
    except FablessError as error:
        faults.extend(error.faults)
        return None


def refuse(faults: list[Fault]) -> None:
    """Raise all faults at once, where there are some."""
    if faults:
        distinct = tuple(dict.fromkeys(faults))
        raise (
            UnknownName(*distinct)
            if all("unknown" in fault.found for fault in distinct)
            else BadValue(*distinct)
        )


def positive(text: str, unit: str, place: str) -> float:
    """A quantity above 0 in SI."""
    value = quantity(text, unit, place)
    if not 0.0 < value < math.inf:
        raise BadValue(Fault(
            place, repr(text), f"a quantity above 0, such as '1 {unit}'", "correct the number"))
    return value


def request_of(
    input_tokens: float | None, output_tokens: float | None, trace: str | None
) -> Request:
    """A request shape from two lengths or from a trace."""
    if trace is not None:
        if input_tokens is not None or output_tokens is not None:
            raise BadValue(
                Fault(
                    "--trace", f"{trace!r} beside --input or --output",
                    "--input and --output, or --trace", "leave one of the two out",
                )
            )
        known = read_trace(Path(trace)) if trace.endswith(".csv") else embedded_trace(trace)
        return known.request
    if input_tokens is None or output_tokens is None:
        raise BadValue(Fault("request", "no lengths", "--input and --output, or --trace",
                             "for example --input 1024 --output 512"))
    return Request(input_tokens, output_tokens, "stated with the question")


def formats_of(precision: str, expert_precision: str, kv_precision: str) -> Formats:
    """Number formats by name; all unknown ones at once."""
    faults: list[Fault] = []
    for name, place in (
        (precision, "--precision"), (expert_precision or precision, "--expert-precision"),
        (kv_precision, "--kv-precision"),
    ):
        if not (place == "--expert-precision" and not expert_precision):
            attempt(faults, element_bytes, name, place)
    refuse(faults)
    return Formats(precision, kv_precision, expert_precision)


def calibration_for(catalogue: Catalogue, chip: Chip | None, engine: str) -> Calibration:
    """Efficiencies of a chip under an engine by its short name, such as vllm."""
    names = [name.removeprefix(_ENGINE) for name in catalogue.entities("perf")
             if name.startswith(_ENGINE)]
    if engine not in names:
        raise unknown("engine", engine, names, "--engine")
    return calibration_of(catalogue, chip, _ENGINE + engine)


def stated_price(price: str) -> Fact:
    """A price from the command line as a fact."""
    unit = "USD/h" if price.strip().endswith("/h") else "USD"
    value = quantity(price, unit, "--price")
    if not 0.0 <= value < math.inf:
        raise BadValue(Fault("--price", repr(price), f"0 {unit} or more", "correct the number"))
    return Fact(
        entity="--price", field="price", value=value, low=None, high=None, unit=unit, period="",
        price_year=None, known=dt.date.today(), grade=Grade.ASSUMPTION,
        source=Source("user", "stated with the question", "", ""), note="", place="--price")


DESIGN_CLASSES = {"full": "nre-full", "array": "nre-array", "derivative": "nre-derivative"}
"""Design effort, as people name it -> entity that holds the NRE factor."""


@dataclass(frozen=True, kw_only=True)
class SheetTexts:
    """How a chip is made, as somebody writes it; each field is named like its option."""

    at: str | None = None
    design: str = "full"
    reuse: float = 0.0
    margin: float | None = None


def sheet_answer(catalogue: Catalogue, chip: Chip, texts: SheetTexts) -> ChipSheet:
    """The silicon of a chip made as asked; raises every fault of the question at once, then the
    errors of `chip_sheet`."""
    faults: list[Fault] = []
    if texts.design not in DESIGN_CLASSES:
        faults += unknown(
            "class of design", texts.design, tuple(DESIGN_CLASSES), "--design").faults
    if not 0.0 <= texts.reuse <= 1.0:
        faults.append(Fault("--reuse", f"{texts.reuse:g}", "a share from 0 to 1",
                            "give the share of the design that is reused"))
    if texts.margin is not None and not 0.0 <= texts.margin < 1.0:
        faults.append(Fault("--margin", f"{texts.margin:g}", "0 or more, below 1",
                            "give the margin as a share of the price"))
    quarter = attempt(faults, Quarter.parse, texts.at, "--at") if texts.at else None
    refuse(faults)
    return chip_sheet(
        catalogue, chip, at=middle_of(str(quarter)) if quarter else None,
        nre_class=DESIGN_CLASSES[texts.design], reuse=texts.reuse, margin=texts.margin)


def made_price(sheet: ChipSheet) -> Fact:
    """What a chip costs that is made for its buyer, through a design partner, as a fact."""
    line = sheet.partner_price
    return Fact(
        entity=sheet.chip, field="price_made", value=line.value, low=None, high=None, unit="USD",
        period="", price_year=None, known=dt.date.today(), grade=Grade.DERIVED,
        source=Source("silicon", "cost of making it, from the silicon model", "", ""),
        note=line.source, place="silicon")
