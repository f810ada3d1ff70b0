"""`fabless serve`: the best split and batch of a model on a chip under latency limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from fabless.asked import attempt, calibration_for, formats_of, positive, refuse, request_of, stated_price
from fabless.catalogue import Catalogue
from fabless.cli.facts import seen_from
from fabless.cli.options import (
    AsOf,
    ChipName,
    Engine,
    ExpertPrecision,
    InputTokens,
    Json,
    KvPrecision,
    ModelName,
    OutputTokens,
    Pipeline,
    Precision,
    Price,
    Tensor,
    Tpot,
    Trace,
    Ttft,
    chip_of,
    model_of,
)
from fabless.cli.serve_screen import Question, ServeAnswer, TokenCost, print_answer
from fabless.errors import BadFile, BadValue, DoesNotFit, FablessError, Fault
from fabless.perf import (
    Formats,
    Machine,
    Point,
    ServiceTerms,
    Serving,
    Split,
    SplitSearch,
    Traffic,
    front,
    machine_of,
    serve,
)
from fabless.perf.serving.disaggregate import Disaggregation, disaggregate
from fabless.perf.serving.layout import fixed_splits
from fabless.perf.serving.terms import check_request
from fabless.quote import hour_at_price, number_of, owning_of, price_of
from fabless.records import Chip, Fact, Request
from fabless.report import as_json
from fabless.report.canvas import WIDE, as_svg
from fabless.report.files import check_writable, write_whole
from fabless.report.front_chart import front_chart
from fabless.tco import Owning, usd_per_million_tokens

_MODES = ("aggregated", "disaggregated", "both")
_OPTIONS = {
    "request.input_tokens": "--input", "request.output_tokens": "--output",
    "cached": "--cached-share", "drafts": "--drafts", "accepted": "--accepted",
    "utilisation": "--load", "batch": "--batch", "max_chips": "--chips", "split.tensor": "--tensor",
    "split.pipeline": "--pipeline", "split.expert": "--expert", "split.data": "--data",
}
"""Name of an argument in `perf` -> the option that sets it."""


def serve_command(
    model: ModelName,
    chip: ChipName,
    input: InputTokens = None,
    output: OutputTokens = None,
    trace: Trace = None,
    ttft: Ttft = "4 s",
    tpot: Tpot = "100 ms",
    precision: Precision = "fp8",
    expert_precision: ExpertPrecision = "",
    kv_precision: KvPrecision = "bf16",
    engine: Engine = "default",
    chips: Annotated[int, typer.Option(
        help="Upper limit on chips: for one instance, or for both pools together.")] = 256,
    tensor: Tensor = None,
    pipeline: Pipeline = None,
    expert: Annotated[int | None, typer.Option(
        help="Expert-parallel degree: groups of chips that hold different experts.",
        show_default="the best")] = None,
    data: Annotated[int | None, typer.Option(
        help="Data-parallel degree: groups of chips that process different sequences.",
        show_default="the best")] = None,
    batch: Annotated[int | None, typer.Option(
        help="Batch: sequences in flight in one instance.", show_default="the best")] = None,
    cached_share: Annotated[float, typer.Option(
        help="Share of the prompt found in a prefix cache, 0 to 1.")] = 0.0,
    drafts: Annotated[int, typer.Option(
        help="Number of tokens guessed per step by speculative decoding.")] = 0,
    accepted: Annotated[float, typer.Option(
        help="Mean number of guessed tokens accepted per step.")] = 0.0,
    load: Annotated[float, typer.Option(
        help="Load as a share of capacity (0 to 1); above 0, requests queue for their first token.",
    )] = 0.0,
    mode: Annotated[str, typer.Option(
        help="Mode: aggregated, disaggregated (prefill and decode on separate pools) or both.",
    )] = "both",
    picture: Annotated[Path | None, typer.Option(
        help="SVG file to draw throughput against speed to.")] = None,
    price: Price = None,
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Find the split and batch with the highest throughput per chip within the latency limits.

    Also prints the trade-off against speed, with prefill and decode on the same chips (aggregated)
    and on separate pools (disaggregated).
    """
    catalogue = seen_from(as_of)
    faults: list[Fault] = []
    stated = {"tensor": tensor, "pipeline": pipeline, "expert": expert, "data": data}
    degrees = {name: degree for name, degree in stated.items() if degree is not None}
    traffic = Traffic(cached_share, float(drafts), accepted, load)
    search = SplitSearch(batch=batch, max_chips=chips)
    llm = attempt(faults, model_of, catalogue, model)
    record = attempt(faults, chip_of, catalogue, chip)
    request = attempt(faults, request_of, input, output, trace)
    first, token = (
        attempt(faults, positive, text, "s", place)
        for text, place in ((ttft, "--ttft"), (tpot, "--tpot"))
    )
    formats = attempt(faults, formats_of, precision, expert_precision, kv_precision)
    calibration = attempt(faults, calibration_for, catalogue, record, engine)
    fact = attempt(faults, stated_price, price) if price else None
    if mode not in _MODES:
        faults.append(Fault("--mode", repr(mode), ", ".join(_MODES), "choose one of them"))
    if picture is not None:
        attempt(faults, _check_picture, picture)
    if llm is not None:
        attempt(faults, _named, lambda: check_request(
            llm, request or Request(1.0, 1.0),
            ServiceTerms(formats or Formats("bf16", "bf16"), traffic=traffic), search))
    faults += [
        Fault(f"--{name}", str(degree), "1 or more", "correct the degree")
        for name, degree in degrees.items()
        if degree < 1
    ]
    refuse(faults)
    if not (llm and record and request and formats and calibration and first and token):
        raise AssertionError("what is missing is a fault, and faults are raised")
    question = Question(
        llm=llm, chip=record, request=request, engine=engine, calibration=calibration,
        terms=ServiceTerms(formats, token, first, traffic=traffic), degrees=degrees, search=search,
    )
    machine, notes = machine_of(record, formats, calibration)
    answer = _answered(question, machine, mode, (*notes, *record.assumed))
    money, said = _money(catalogue, question, machine, answer, fact)
    if picture is not None:
        write_whole(picture, _picture(question, answer))
    if json:
        typer.echo(as_json(_document(question, answer, money)))
    else:
        print_answer(question, answer, money, said=said, picture=picture, console=Console())


def _check_picture(path: Path) -> None:
    if path.suffix.lower() != ".svg":
        raise BadFile(
            Fault(
                "--picture", str(path), "a path that ends in .svg", f"write for example {path}.svg"
            )
        )
    check_writable(path)


def _named(check: Callable[[], object]) -> None:
    """Run a check, and name the option of the command in each of its faults."""
    try:
        check()
    except BadValue as error:
        raise BadValue(
            *(
                Fault(
                    _OPTIONS.get(fault.place, fault.place),
                    f"{fault.place}: {fault.found}"
                    if fault.place.startswith("request.")
                    else fault.found,
                    fault.allowed,
                    fault.remedy,
                )
                for fault in error.faults
            )
        ) from error


def _answered(
    question: Question, machine: Machine, mode: str, notes: tuple[str, ...]
) -> ServeAnswer:
    served: Serving | None = None
    disaggregation: Disaggregation | None = None
    points: list[Point] = []
    unmet: list[Fault] = []

    def splits(context: float) -> Split | None:
        fixed: list[Split] = []
        _named(
            lambda: fixed.append(
                fixed_splits(
                    question.llm, machine, context, question.search.max_chips, question.degrees
                )
            )
        )
        return fixed[0] if question.degrees else None

    entered, written = question.request.input_tokens, question.request.output_tokens
    search = replace(
        question.search, split=splits(entered + written), prefill_split=splits(entered)
    )
    if mode != "disaggregated":
        try:
            served = serve(
                question.llm, question.chip, question.request, terms=question.terms,
                calibration=question.calibration, search=search,
            )
        except DoesNotFit as error:
            unmet += error.faults
        points = front(question.llm, machine, question.request, question.terms, search)
        points = sorted([*points, *_chosen(served)], key=lambda point: point.tpot_s)
    if mode != "aggregated":
        try:
            disaggregation = disaggregate(
                question.llm, machine, machine, request=question.request, terms=question.terms,
                search=search,
                place=f"{question.llm.name} on {question.chip.name}",
            )
        except DoesNotFit as error:
            unmet += error.faults
    if served is None and disaggregation is None:
        raise DoesNotFit(*unmet)
    return ServeAnswer(served, disaggregation, points, tuple(unmet), notes)


def _chosen(served: Serving | None) -> list[Point]:
    """The best configuration as a point of the front, whose own grid is coarser."""
    if served is None:
        return []
    split = Split(
        served.tensor_parallel, served.pipeline_parallel, served.expert_parallel,
        served.data_parallel,
    )
    return [
        Point(
            split, served.batch, served.ttft_s, served.tpot_s, served.output_tokens_per_s_per_chip
        )
    ]


def _money(
    catalogue: Catalogue, question: Question, machine: Machine, answer: ServeAnswer,
    fact: Fact | None,
) -> tuple[TokenCost | None, str]:
    """Cost of tokens, or the reason why it is unknown."""
    if fact is None:
        try:
            fact = price_of(catalogue, question.chip.name)
        except FablessError as error:
            return None, f"no cost: {error.faults[0].found}; give --price"
    load = number_of(catalogue.fact("datacentre", "load_factor"))
    owning, _ = owning_of(catalogue)
    usd: dict[str, float] = {}
    if answer.aggregated is not None:
        usd["aggregated"] = _usd(
            question.chip, machine, fact, owning=owning, load=load,
            power_w=answer.aggregated.power_w_per_chip,
            rate=answer.aggregated.output_tokens_per_s_per_chip,
        )
    if answer.disaggregated is not None:
        best = answer.disaggregated.best
        usd["disaggregated"] = _usd(question.chip, machine, fact, owning=owning, load=load,
                                      power_w=best.energy_j_per_query * best.queries_per_s_per_chip,
                                      rate=best.output_tokens_per_s_per_chip)
    return TokenCost(fact, load, usd), ""


def _usd(
    chip: Chip, machine: Machine, price: Fact, owning: Owning, load: float, power_w: float,
    rate: float,
) -> float:
    """USD per million output tokens of a chip with `rate` [token/s] at full load."""
    mean = load * power_w + (1.0 - load) * float(machine.efficiency.idle_power) * chip.tdp_w
    hour = hour_at_price(price, owning, rated_power_w=chip.tdp_w, average_power_w=mean)
    return float(np.asarray(usd_per_million_tokens(float(hour.total_usd), rate * load)))


def _line(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(1.0 / point.tpot_s, point.output_tokens_per_s_per_chip) for point in points]


def _picture(question: Question, answer: ServeAnswer) -> str:
    lines: dict[str, Sequence[tuple[float, float]]] = {}
    chosen: dict[str, tuple[float, float]] = {}
    if answer.front:
        lines["aggregated"] = _line(answer.front)
    if answer.aggregated is not None:
        chosen["aggregated"] = (
            1.0 / answer.aggregated.tpot_s, answer.aggregated.output_tokens_per_s_per_chip,
        )
    if answer.disaggregated is not None:
        lines["disaggregated"] = [
            (1.0 / point.tpot_s, point.output_tokens_per_s_per_chip)
            for point in answer.disaggregated.front
        ]
        best = answer.disaggregated.best
        chosen["disaggregated"] = (1.0 / best.tpot_s, best.output_tokens_per_s_per_chip)
    title = f"Output tokens a second and chip: {question.llm.name} on {question.chip.name}"
    limit = question.terms.tpot_limit_s
    speed = 1.0 / limit if math.isfinite(limit) else 0.0
    return as_svg(
        front_chart(title, lines, chosen, speed, WIDE), f"{title}, against the speed for a user"
    )


def _document(question: Question, answer: ServeAnswer, money: TokenCost | None) -> dict[str, object]:
    disaggregated = answer.disaggregated
    return {
        "model": question.llm.name, "chip": question.chip.name, "request": question.request,
        "engine": question.engine, "precision": question.terms.formats.weights,
        "expert_precision": question.terms.formats.routed,
        "kv_precision": question.terms.formats.kv,
        "limits": {
            "tpot_s": question.terms.tpot_limit_s, "ttft_s": question.terms.ttft_limit_s,
            "chips": question.search.max_chips,
        },
        "traffic": question.terms.traffic,
        "aggregated": answer.aggregated,
        "disaggregated": disaggregated.best if disaggregated else None,
        "front": {
            "aggregated": [
                {
                    "tokens_per_s_per_user": 1.0 / point.tpot_s, "batch": point.batch,
                    "ttft_s": point.ttft_s,
                    "output_tokens_per_s_per_chip": point.output_tokens_per_s_per_chip,
                    **{
                        name: round(float(np.asarray(getattr(point.split, name))))
                        for name in ("tensor", "pipeline", "expert", "data")
                    },
                }
                for point in answer.front
            ],
            "disaggregated": [
                {"tokens_per_s_per_user": 1.0 / point.tpot_s} | vars(point)
                for point in (disaggregated.front if disaggregated else ())
            ],
        },
        "unmet": [str(fault) for fault in answer.unmet],
        "error_median": question.calibration.error_median,
        "error_p90": question.calibration.error_p90,
        "efficiencies_of": question.calibration.said,
        "money": money,
        "notes": answer.notes,
    }
