"""`fabless explore`: the design worth making for a load."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fabless.asked import positive
from fabless.catalogue import Catalogue, read_model, write_chip
from fabless.catalogue.facts.timeline import middle_of
from fabless.cli.facts import seen_from
from fabless.cli.options import (
    Address,
    AsOf,
    Json,
    KvPrecision,
    ManufactureQuarter,
    ModelName,
    Precision,
    RequiredInput,
    RequiredOutput,
    Tpot,
    Ttft,
)
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.executors import executors_of
from fabless.explore import (
    Exploration,
    Served,
    ServingScorer,
    Task,
    limits_of,
    read_space,
    technology_of,
)
from fabless.explore import explore as explore_space
from fabless.explore.limits import EXPLAINED
from fabless.explore.serving import OBJECTIVES
from fabless.explore.sweep import CHUNK
from fabless.perf import Formats, ServiceTerms
from fabless.quote import calibration_of, number_of, owning_of
from fabless.records import LLM, Request
from fabless.report import Column, as_json, print_table, say
from fabless.report.canvas import WIDE, as_svg
from fabless.report.explore_charts import fronts
from fabless.report.files import check_writable, write_whole
from fabless.units import Quarter
from fabless.wording import plain, usd

MARKET = ("h100-sxm", "h200", "b200", "mi300x", "tpu-v5p", "tpu-v7")
"""Chips that the winner is compared with unless --market names others."""


def explore(
    model: ModelName,
    input: RequiredInput,
    output: RequiredOutput,
    ttft: Ttft = "2 s",
    tpot: Tpot = "40 ms",
    precision: Precision = "fp8",
    kv_precision: KvPrecision = "bf16",
    node: Annotated[str | None, typer.Option(
        help="Process node of the logic dies.", show_default="that of the space")] = None,
    space: Annotated[Path | None, typer.Option(
        help="File that describes the space of designs (.yaml).",
        show_default="the one that ships with fabless")] = None,
    power_limit: Annotated[str | None, typer.Option(
        help="Highest rated power of a package, such as '1000 W'.",
        show_default="that of the space")] = None,
    objective: Annotated[str, typer.Option(
        help=f"Quantity to minimise: {', '.join(OBJECTIVES)}.")] = "usd_per_token_tco",
    also: Annotated[str, typer.Option(
        help="Other loads, which measure flexibility: MODEL:IN:OUT, separated by commas; 'none' "
             "for none.")] = "llama-3.1-70b:1024:512,deepseek-v3:2048:512,llama-3.1-70b:16384:512",
    market: Annotated[str, typer.Option(
        help="Chips to compare with the winner, separated by commas.")] = ",".join(MARKET),
    margin: Annotated[float, typer.Option(
        help="Gross margin of a design partner, as a share of the price; 0 for your own.")] = 0.0,
    at: ManufactureQuarter = None,
    executor: Annotated[str, typer.Option(help="Executor: serial, process or dask.")] = "serial",
    workers: Annotated[int, typer.Option(
        help="Number of worker processes of the executor.", min=1)] = 2,
    address: Address = None,
    chunk: Annotated[int, typer.Option(
        help="Number of designs evaluated at once; bounds the memory in use.", min=1)] = CHUNK,
    checkpoint: Annotated[Path | None, typer.Option(
        help="File that saves progress, and from which an interrupted run resumes.")] = None,
    save: Annotated[Path | None, typer.Option(
        help="Chip file (.yaml) to write the winner to.")] = None,
    picture: Annotated[Path | None, typer.Option(
        help="SVG file to draw the fronts to.")] = None,
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Find the chip design that serves a load best, and compare it with the chips on the market."""
    _check_files(save, picture)
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES, "--objective")
    if not 0.0 <= margin < 1.0:
        raise BadValue(
            Fault(
                "--margin", f"{margin:g}", "0 or more, below 1",
                "give the margin as a share of the price",
            )
        )
    catalogue = seen_from(as_of)
    chosen = {"node": node, "power_limit": power_limit}
    place = read_space(space, {key: value for key, value in chosen.items() if value is not None})
    day = None if at is None else middle_of(str(Quarter.parse(at, "--at")))
    technologies = tuple(
        technology_of(catalogue, place.node, name, place.packaging, day) for name in place.memory
    )
    limits = tuple(
        limits_of(catalogue, technology, place.power_limit_w) for technology in technologies
    )
    terms = ServiceTerms(
        Formats(precision, kv_precision), positive(tpot, "s", "--tpot"),
        positive(ttft, "s", "--ttft"),
        number_of(catalogue.fact("datacentre", "load_factor")))
    scorer = _scorer(
        catalogue, _load(catalogue, model, input, output, terms), also, domain=place.domain,
        scale_out=place.scale_out_bandwidth, margin=margin, objective=objective,
    )
    names = [name.strip() for name in market.split(",") if name.strip()]
    for name in names:
        if name not in catalogue.chips():
            raise unknown("chip", name, catalogue.chips(), "--market")
    with _bar() as tick:
        answer = explore_space(
            catalogue, place, technologies, Task(place, technologies, limits, scorer), market=names,
            executors=executors_of(executor, workers, address), chunk=chunk,
            checkpoint_path=checkpoint, progress=tick,
        )
    if save is not None and answer.best_chip is not None:
        write_chip(answer.best_chip, save)
    if picture is not None and answer.best is not None:
        write_whole(picture, as_svg(fronts(answer, WIDE), f"Fronts of designs for {answer.load}"))
    if json:
        typer.echo(as_json(answer))
        return
    print_exploration(answer, Console())
    for path in (save, picture):
        if path is not None and answer.best is not None:
            typer.echo(f"wrote {path}")


def _check_files(save: Path | None, picture: Path | None) -> None:
    for option, path, ending in (("--save", save, ".yaml"), ("--picture", picture, ".svg")):
        if path is not None:
            if path.suffix.lower() != ending:
                raise BadFile(
                    Fault(
                        option, str(path), f"a path that ends in {ending}",
                        f"write for example {path}{ending}",
                    )
                )
            check_writable(path)


def _load(
    catalogue: Catalogue, model: str, tokens_in: float, tokens_out: float, terms: ServiceTerms
) -> Served:
    llm: LLM = read_model(Path(model)) if model.endswith(".json") else catalogue.model(model)
    faults = [
        Fault(place, f"{value:g}", "1 or more", "give the mean length of requests")
        for place, value in (("--input", tokens_in), ("--output", tokens_out))
        if not 1.0 <= value < math.inf
    ]
    if faults:
        raise BadValue(*faults)
    return Served(
        llm=llm, request=Request(tokens_in, tokens_out, "command line"), terms=terms)


def _scorer(
    catalogue: Catalogue, load: Served, also: str, domain: int, scale_out: float, margin: float,
    objective: str,
) -> ServingScorer:
    others = []
    for entry in [
        part.strip() for part in also.split(",") if part.strip() and part.strip() != "none"
    ]:
        parts = entry.split(":")
        if len(parts) != 3 or not all(part.replace(".", "", 1).isdigit() for part in parts[1:]):
            raise BadValue(
                Fault(
                    "--also", repr(entry), "MODEL:IN:OUT",
                    "write for example llama-3.1-70b:1024:512",
                )
            )
        request = Request(float(parts[1]), float(parts[2]), "command line")
        others.append(
            Served(llm=catalogue.model(parts[0]), request=request, terms=load.terms))
    return ServingScorer(
        load=load, also=tuple(others), calibration=calibration_of(catalogue),
        owning=owning_of(catalogue)[0],
        domain=domain,
        scale_out_bandwidth=scale_out, margin=margin, objective=objective,
    )


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on the error stream; nothing if that is not a terminal."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(
        TextColumn("designs"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("designs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_exploration(answer: Exploration, console: Console) -> None:
    """Print the winner, the designs removed, the fronts and the chips on the market."""
    best = answer.best
    if best is None:
        say(console, f"No design of the space serves {answer.load}: {answer.binding}", "bold")
    else:
        say(console, f"{answer.load}: {usd(best.usd_per_million_tokens_tco)} per million output "
                     f"tokens ({usd(best.usd_per_million_tokens)} of that for the chip) on "
                     f"{best.dies} x {best.die_area_mm2:,.0f} mm2 of {answer.node}, {best.stacks} "
                     f"stacks of {best.memory}, {usd(best.unit_cost_usd)} to make", "bold")
        console.print()
        _print_winner(answer, console)
    console.print()
    rows = [[EXPLAINED[name], f"{number:,}"] for name, number in answer.removed if number]
    rows += [
        [f"misses the load: {name}", f"{number:,}"] for name, number in answer.unserved if number
    ]
    print_table(
        f"{answer.designs:,} designs, {answer.made:,} can be made, {answer.served:,} serve the load",
        ["removed by", Column("designs", True)],
        rows,
        console,
    )
    if answer.latency_front:
        console.print()
        points = answer.latency_front[:: max(1, len(answer.latency_front) // 8)]
        print_table(
            "Cost against speed",
            [Column("TPOT ms", True), Column("USD/Mtok", True), Column("design", True)],
            [[f"{1e3 * point.x:.1f}", f"{point.y:.2f}", str(point.number)] for point in points],
            console,
        )
    if answer.flexibility_front:
        console.print()
        flexible = answer.flexibility_front[:: max(1, len(answer.flexibility_front) // 8)]
        print_table(
            "Cost against flexibility",
            [
                Column("USD/Mtok, this load", True), Column("other loads", True),
                Column("design", True),
            ],
            [[f"{point.x:.2f}", f"{point.y:.2f}", str(point.number)] for point in flexible],
            console,
        )
    if answer.market:
        console.print()
        _print_market(answer, console)
    say(
        console,
        f"{answer.points:,} combinations of design, parallelism and batch in {answer.seconds:.1f} s"
        + (f"; {answer.resumed:,} designs from the checkpoint" if answer.resumed else "")
        + ". Accuracy: docs/explanation/silicon.md, "
        "docs/explanation/performance.md.",
        "dim",
    )


def _print_winner(answer: Exploration, console: Console) -> None:
    best = answer.best
    assert best is not None
    rows = [
        [
            "matrix units",
            f"{best.units} of {best.units_built} per die, {best.rows} x "
            f"{best.columns}, {best.clock_hz / 1e9:g} GHz, down to {best.precision}",
        ],
        ["rate", f"{best.bf16_flops / 1e12:,.0f} TFLOP/s in bf16"],
        ["on-chip memory", f"{best.on_chip_bytes / 1e6:g} MB per die"],
        ["memory", f"{best.memory_bytes / 1e9:g} GB, {best.memory_bandwidth / 1e12:.1f} TB/s"],
        ["links", f"{best.link_bandwidth / 1e9:g} GB/s one way"],
        ["rated power", f"{best.power_w:,.0f} W"],
        [
            "served with",
            f"tensor {best.tensor_parallel}, pipeline {best.pipeline_parallel}, expert {best.expert_parallel}, "
            f"data {best.data_parallel}; {best.sequences:,} sequences",
        ],
        ["latency", f"TPOT {1e3 * best.tpot_s:.1f} ms, TTFT {best.ttft_s:.2f} s"],
        ["energy", f"{best.joule_per_token:.3g} J per token at the wall"],
    ]
    print_table(
        f"Best of the space by {answer.objective} (design {best.number})",
        [Column("part", name=True), "value"], rows, console,
    )


def _print_market(answer: Exploration, console: Console) -> None:
    def cell(value: float | None) -> str:
        return "" if value is None else f"{value:.2f}"

    rows = [
        [
            entry.chip, cell(entry.usd_per_million_tokens_tco),
            "" if entry.over_best is None else f"{plain(entry.over_best)}x", cell(entry.at_price),
            "" if entry.tpot_s is None else f"{1e3 * entry.tpot_s:.1f}", entry.why_not,
        ]
        for entry in answer.market
    ]
    print_table("Chips on the market, USD per million output tokens",
                [Column("chip", name=True), Column("at unit cost", True), Column("over best", True),
                 Column("at its price", True), Column("TPOT ms", True), "why not"], rows, console)
