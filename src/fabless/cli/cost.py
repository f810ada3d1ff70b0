"""`fabless cost`: what serving a model costs on each of several chips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from fabless.asked import (
    LOAD_FACTOR,
    CostAnswer,
    CostTexts,
    attempt,
    cost_answer,
    cost_question,
    refuse,
)
from fabless.cli.facts import seen_from
from fabless.cli.options import (
    AsOf,
    Engine,
    ExpertPrecision,
    InputTokens,
    Json,
    KvPrecision,
    ModelName,
    OutputTokens,
    Precision,
    Price,
    Tpot,
    Trace,
    Ttft,
    chip_of,
    model_of,
)
from fabless.errors import Fault
from fabless.perf import error_band
from fabless.quote import Quote, number_of, owning_of
from fabless.records import Fact
from fabless.report import Column, as_json, print_table, say
from fabless.units import from_si
from fabless.wording import cents, in_percent, plain, split_code, usd

_FULL_WIDTH = 110
"""Narrowest terminal [columns] on which the table also shows batch, hourly cost and energy."""


def cost(
    model: ModelName,
    chip: Annotated[str, typer.Option(
        help="Chips, separated by commas: names of `fabless chips` or paths of chip files "
             "(.yaml).")],
    input: InputTokens = None,
    output: OutputTokens = None,
    trace: Trace = None,
    precision: Precision = "fp8",
    expert_precision: ExpertPrecision = "",
    kv_precision: KvPrecision = "bf16",
    engine: Engine = "default",
    tpot: Tpot = "100 ms",
    ttft: Ttft = "4 s",
    load_factor: Annotated[float | None, typer.Option(
        help="Mean load as a share of the peak load.", show_default="the catalogue's")] = None,
    price: Price = None,
    held: Annotated[str, typer.Option(
        help="How the chips are held: own takes purchase prices of the catalogue, rent takes rents.",
        show_default="bought where a purchase price is known")] = "",
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Compare chips for serving a model: throughput, latency, bottleneck, cost and energy."""
    catalogue = seen_from(as_of)
    question = cost_question(catalogue, model_of(catalogue, model), CostTexts(
        input=input, output=output, trace=trace, precision=precision,
        expert_precision=expert_precision, kv_precision=kv_precision, engine=engine, tpot=tpot,
        ttft=ttft, load_factor=load_factor, price=price, held=held))
    names = [part.strip() for part in chip.split(",") if part.strip()]
    faults: list[Fault] = []
    chips = [made for name in names if (made := attempt(faults, chip_of, catalogue, name))]
    refuse(faults)
    answer = cost_answer(catalogue, question, chips)
    if json:
        typer.echo(as_json(answer))
        return
    request, formats = question.request, question.terms.formats
    title = (
        f"{answer.model}: {plain(request.input_tokens)} tokens in, "
        f"{plain(request.output_tokens)} out, "
        f"weights {formats.weights}, cache {formats.kv}, engine {engine}"
    )
    _print(title, answer, (*owning_of(catalogue)[1], catalogue.fact(*LOAD_FACTOR)),
           question.terms.load_factor)


def _row(quoted: Quote, load_factor: float, full: bool) -> list[str]:
    s = quoted.serving
    low, high = error_band(quoted.usd_per_query, quoted.calibration.error_median)
    split = split_code(s.tensor_parallel, s.pipeline_parallel, s.expert_parallel, s.data_parallel)
    rate = plain(s.output_tokens_per_s_per_chip / load_factor)
    latency = [f"{s.ttft_s:.2f}", f"{1e3 * s.tpot_s:.0f}", s.bound]
    money = [
        f"{quoted.usd_per_million_output_tokens:.2f}",
        f"{cents(quoted.usd_per_query, 3)} ({cents(low, 3)}–{cents(high, 3)})",
    ]
    if full:
        return [
            quoted.chip, split, str(s.batch), rate, *latency, f"{quoted.usd_per_chip_hour:.2f}",
            *money,
            f"{quoted.wh_per_query:.2f}",
        ]
    return [quoted.chip, split, rate, *latency, *money]


def _columns(full: bool) -> list[Column | str]:
    middle = [Column("tok/s\n/chip", True), Column("TTFT\ns", True), Column("TPOT\nms", True)]
    money = [Column("USD\n/Mtok", True), Column("cents/query", True)]
    if full:
        return [
            Column("chip", name=True), Column("split", name=True), Column("batch", True), *middle,
            Column("limit", name=True), Column("USD/h", True), *money, Column("Wh/\nquery", True),
        ]
    return [Column("chip", name=True), "split", *middle, Column("limit", name=True), *money]


def _print(
    title: str, answer: CostAnswer, facts: Sequence[Fact], load_factor: float
) -> None:
    quotes = answer.quotes
    console = Console()
    full = console.width >= _FULL_WIDTH
    say(console, title, "bold")
    print_table("", _columns(full), [_row(q, load_factor, full) for q in quotes], console)
    say(console, "TP, PP, EP, DP: degrees of tensor, pipeline, expert and data parallelism. "
                 "tok/s: output tokens at full load. TTFT: time to first token; TPOT: time per "
                 "output token. Costs and energy include idle hours: load factor "
                 f"{plain(load_factor)}. USD/Mtok: per million output tokens, their input "
                 "included. In brackets: the range that holds half of the measurements on chips "
                 "of this class (docs/explanation/performance.md).", "dim")
    for quoted in quotes:
        _print_basis(quoted, full, console)
    for fault in answer.refused:
        say(console, f"not served: {fault.place}: {fault.found}; {fault.allowed}; {fault.remedy}",
            "yellow", indent=2)
    say(
        console,
        "Owning: "
        + "; ".join(
            f"{fact.field.replace('_', ' ')} {plain(from_si(number_of(fact), fact.unit))}"
            f"{'' if fact.unit == '1' else ' ' + fact.unit} ({fact.grade.value})"
            for fact in facts
        ),
        "dim",
    )


def _print_basis(quoted: Quote, full: bool, console: Console) -> None:
    """Print the price, cost parts and efficiencies behind the quote of one chip."""
    kind = "rented at" if quoted.price.unit.endswith("/h") else "owned, bought at"
    value = (
        f"{from_si(number_of(quoted.price), quoted.price.unit):,.2f} USD/h"
        if quoted.price.unit.endswith("/h")
        else usd(number_of(quoted.price))
    )
    parts = ", ".join(
        f"{part} {float(amount):.2f}" for part, amount in quoted.hour.lines() if float(amount) > 0
    )
    hour = (
        "USD/h"
        if full
        else f"{quoted.usd_per_chip_hour:.2f} USD/h, {quoted.wh_per_query:.2f} Wh/query"
    )
    named = " ".join(
        part for part in (quoted.price.field.replace("_", " "), quoted.price.period) if part
    )
    say(
        console,
        f"{quoted.chip}: {kind} {value} ({named}, {quoted.price.source.title}); {hour}: {parts}; "
        f"{quoted.calibration.said}, half of the measured times per token within "
        f"{in_percent(quoted.calibration.error_median)}, nine in ten within "
        f"{in_percent(quoted.calibration.error_p90)}",
        indent=2,
    )
    for note in quoted.serving.notes:
        say(console, note, indent=4)
