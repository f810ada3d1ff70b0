"""`fabless cost`: what a model costs on each of some chips."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import Catalogue, embedded_trace, read_chip, read_model, read_trace
from fabless.cli.facts import AsOf, Json, seen_from
from fabless.errors import BadValue, DoesNotFit, FablessError, Fault, UnknownName
from fabless.perf import Formats, Serving
from fabless.quote import Owning, Quote, calibration_of, number_of, owning_of, price_of, quote
from fabless.records import LLM, Chip, Fact, Grade, Request, Source
from fabless.report import Column, as_json, print_table, say
from fabless.report.numbers import cents, plain, usd
from fabless.units import from_si, quantity


@dataclass(frozen=True)
class Limits:
    """How the model is to be served."""

    precision: str
    kv_precision: str
    tpot_s: float
    ttft_s: float
    load_factor: float


def cost(
    model: Annotated[str, typer.Option(help="A name of `fabless models`, or the path of a Hugging Face config.json.")],
    chip: Annotated[str, typer.Option(help="Names of `fabless chips` or paths of chip files (.yaml), by comma.")],
    input: Annotated[float | None, typer.Option(help="Tokens in.")] = None,
    output: Annotated[float | None, typer.Option(help="Tokens out.")] = None,
    trace: Annotated[str | None, typer.Option(help="An embedded trace or a CSV instead of --input and --output.")] = None,
    precision: Annotated[str, typer.Option(help="Of weights and products.")] = "fp8",
    kv_precision: Annotated[str, typer.Option(help="Of the KV cache.")] = "bf16",
    tpot: Annotated[str, typer.Option(help="Most time per output token.")] = "100 ms",
    ttft: Annotated[str, typer.Option(help="Most time to the first token.")] = "4 s",
    load_factor: Annotated[float | None, typer.Option(help="Mean over peak load [default: the catalogue's].")] = None,
    price: Annotated[str | None, typer.Option(help="Of one chip, such as '25000 USD' or '2.5 USD/h'.")] = None,
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Say what a model costs on each chip: throughput, latency, what binds, USD per token and query, energy."""
    catalogue = seen_from(as_of)
    llm = read_model(Path(model)) if model.endswith(".json") else catalogue.model(model)
    load = catalogue.fact("datacentre", "load_factor")
    limits = Limits(precision, kv_precision, _positive(tpot, "s", "--tpot"), _positive(ttft, "s", "--ttft"),
                    number_of(load) if load_factor is None else load_factor)
    request = _request(input, output, trace)
    owning, owned_facts = owning_of(catalogue)
    quotes: list[Quote] = []
    refused: list[DoesNotFit] = []
    unknown_chips: list[Fault] = []
    for name in [part.strip() for part in chip.split(",") if part.strip()]:
        try:
            quotes.append(_quote(catalogue, llm, name, request, price, owning, limits))
        except DoesNotFit as error:
            refused.append(error)
        except UnknownName as error:
            unknown_chips += error.faults
    if unknown_chips:
        raise UnknownName(*dict.fromkeys(unknown_chips))
    if not quotes:
        raise DoesNotFit(*(fault for error in refused for fault in error.faults)) if refused else BadValue(
            Fault("--chip", repr(chip), "one or more chips", "name a chip, see `fabless chips`"))
    if json:
        typer.echo(as_json({"model": llm.name, "request": request, "quotes": quotes, "refused": [
            str(fault) for error in refused for fault in error.faults]}))
        return
    _print(llm, request, quotes, refused, (*owned_facts, load), limits)


def _positive(text: str, unit: str, place: str) -> float:
    value = quantity(text, unit, place)
    if not 0.0 < value < math.inf:
        raise BadValue(Fault(place, repr(text), f"a quantity above 0, such as '1 {unit}'", "correct the number"))
    return value


def _request(input_tokens: float | None, output_tokens: float | None, trace: str | None) -> Request:
    if trace is not None:
        if input_tokens is not None or output_tokens is not None:
            raise BadValue(Fault("--trace", f"{trace!r} beside --input or --output", "--input and --output, or --trace",
                                 "leave one of the two out"))
        return (read_trace(Path(trace)) if trace.endswith(".csv") else embedded_trace(trace)).request
    if input_tokens is None or output_tokens is None:
        raise BadValue(Fault("request", "no lengths", "--input and --output, or --trace",
                             "for example --input 1024 --output 512"))
    return Request(input_tokens, output_tokens, "command line")


def _quote(
    catalogue: Catalogue, llm: LLM, name: str, request: Request, price: str | None, owning: Owning, limits: Limits
) -> Quote:
    chip: Chip = read_chip(Path(name)) if name.endswith((".yaml", ".yml")) else catalogue.chip(name)
    return quote(
        llm, chip, request, _stated(price) if price else price_of(catalogue, name), owning,
        calibration_of(catalogue, chip), formats=Formats(limits.precision, limits.kv_precision),
        load_factor=limits.load_factor, tpot_limit_s=limits.tpot_s, ttft_limit_s=limits.ttft_s)


def _stated(price: str) -> Fact:
    """A price from the command line as a fact."""
    unit = "USD/h" if price.strip().endswith("/h") else "USD"
    value = quantity(price, unit, "--price")
    if not 0.0 <= value < math.inf:
        raise BadValue(Fault("--price", repr(price), f"0 {unit} or more", "correct the number"))
    return Fact("--price", "price", value, None, None, unit, "", None, dt.date.today(),
                Grade.ASSUMPTION, Source("user", "stated on the command line", "", ""), "", "--price")


def split_text(serving: Serving) -> str:
    """How an instance is split, in words: only the degrees above 1."""
    degrees = {"tensor": serving.tensor_parallel, "pipeline": serving.pipeline_parallel,
               "expert": serving.expert_parallel, "data": serving.data_parallel}
    return ", ".join(f"{name} parallel {degree}" for name, degree in degrees.items() if degree > 1) or "one chip"


def _print(
    llm: LLM, request: Request, quotes: Sequence[Quote], refused: Sequence[FablessError], facts: Sequence[Fact],
    limits: Limits,
) -> None:
    console = Console()
    columns: list[Column | str] = [
        "chip", Column("chips", True), Column("batch", True), Column("tok/s/chip", True),
        Column("first s", True), Column("token ms", True), "binds", Column("USD/h", True),
        Column("USD/Mtok", True), Column("cents/query", True), Column("Wh/query", True),
    ]
    rows = [[q.chip, str(q.serving.chips), str(q.serving.batch),
             plain(q.serving.output_tokens_per_s_per_chip / limits.load_factor),
             f"{q.serving.ttft_s:.2f}", f"{1e3 * q.serving.tpot_s:.0f}", q.serving.bound, f"{q.usd_per_chip_hour:.2f}",
             f"{q.usd_per_million_output_tokens:.2f}", cents(q.usd_per_query, 3), f"{q.wh_per_query:.2f}"] for q in quotes]
    title = f"{llm.name}: {plain(request.input_tokens)} tokens in, {plain(request.output_tokens)} out"
    print_table(title, columns, rows, console)
    say(console, f"tok/s: output tokens at full load. Costs and energy count idle hours too: load factor "
                 f"{plain(limits.load_factor)}. USD/Mtok: per output token with its input. How far the performance model "
                 "can be trusted: docs/explanation/performance.md.")
    for q in quotes:
        kind = "rented at" if q.price.unit.endswith("/h") else "owned, bought at"
        value = f"{from_si(number_of(q.price), q.price.unit):,.2f} USD/h" if q.price.unit.endswith("/h") else usd(
            number_of(q.price))
        parts = ", ".join(f"{part} {float(amount):.2f}" for part, amount in q.hour.lines() if float(amount) > 0)
        say(console, f"{q.chip}: {kind} {value} ({q.price.field}"
                     f"{' ' + q.price.period if q.price.period else ''}, {q.price.source.title}); USD/h: {parts};"
                     f" weights {q.serving.precision}, {split_text(q.serving)}; {q.calibration.said}, measured time per"
                     f" token within {100 * q.calibration.error_median:.0f} % (half of the rows) and"
                     f" {100 * q.calibration.error_p90:.0f} % (nine in ten)", indent=2)
        for note in q.serving.notes:
            say(console, note, indent=4)
    for error in refused:
        for fault in error.faults:
            say(console, f"not served: {fault.place}: {fault.found}; {fault.remedy}", style="yellow", indent=2)
    say(console, "Owning: " + "; ".join(
        f"{fact.field.replace('_', ' ')} {plain(from_si(number_of(fact), fact.unit))}"
        f"{'' if fact.unit == '1' else ' ' + fact.unit} ({fact.grade.value})" for fact in facts))
