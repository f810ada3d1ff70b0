"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

from fabless.case_records import Case
from fabless.catalogue import (
    Catalogue,
    embedded_trace,
    read_case,
    read_chip,
    read_model,
    read_trace,
    shipped_cases,
)
from fabless.errors import BadValue, FablessError, Fault, UnknownName, unknown
from fabless.links import changed_case, moves_of, other_edition, read_link
from fabless.perf import Calibration, Formats
from fabless.quote import calibration_of
from fabless.records import LLM, Chip, Fact, Grade, Request, Source
from fabless.units import quantity
from fabless.workload import element_bytes

P = ParamSpec("P")
T = TypeVar("T")

AsOf = Annotated[str | None, typer.Option(
    "--as-of", help="Use only what was public by this day.", show_default="no limit",
    metavar="YYYY-MM-DD")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]

CaseName = Annotated[str, typer.Argument(
    help=f"Case: one that ships with fabless ({', '.join(shipped_cases())}), or the path of a case "
         "file (.yaml).")]
LinkText = Annotated[str | None, typer.Option(
    "--link", help="Link of a page on which inputs were moved, '#v1&...' or the whole address, in "
                   "quotes: moves them in the case.", show_default="no input moved")]

ModelName = Annotated[str, typer.Option(
    "--model",
    help="Model: a name of `fabless models`, or the path of a Hugging Face config.json.")]
ChipName = Annotated[str, typer.Option(
    "--chip", help="Chip: a name of `fabless chips`, or the path of a chip file (.yaml).")]
_INPUT = typer.Option("--input", help="Mean number of input tokens of a request.")
_OUTPUT = typer.Option("--output", help="Mean number of output tokens of a request.")
InputTokens = Annotated[float | None, _INPUT]
OutputTokens = Annotated[float | None, _OUTPUT]
RequiredInput = Annotated[float, _INPUT]
RequiredOutput = Annotated[float, _OUTPUT]
Trace = Annotated[str | None, typer.Option(
    "--trace",
    help="Request shape from an embedded trace or a CSV file, instead of --input and --output.")]

Ttft = Annotated[str, typer.Option("--ttft", help="Longest time to first token.")]
Tpot = Annotated[str, typer.Option("--tpot", help="Longest time per output token.")]
Precision = Annotated[str, typer.Option(
    "--precision", help="Number format of the weights and matrix products.")]
ExpertPrecision = Annotated[str, typer.Option(
    "--expert-precision", help="Number format of the routed experts.",
    show_default="that of --precision")]
KvPrecision = Annotated[str, typer.Option(
    "--kv-precision", help="Number format of the KV cache.")]
Engine = Annotated[str, typer.Option(
    "--engine", help="Serving software: default, or for example vllm, trtllm or sglang.")]

Tensor = Annotated[int | None, typer.Option(
    "--tensor", help="Tensor-parallel degree: chips among which each layer is split.",
    show_default="the best")]
Pipeline = Annotated[int | None, typer.Option(
    "--pipeline", help="Pipeline-parallel degree: stages into which the layers are split.",
    show_default="the best")]

Price = Annotated[str | None, typer.Option(
    "--price", help="Price of one chip, such as '25000 USD' or '2.5 USD/h'.",
    show_default="the catalogue's")]
ManufactureQuarter = Annotated[str | None, typer.Option(
    "--at", help="Quarter of manufacture: sets the prices of wafers, HBM and packaging, and the "
                 "defect density.",
    show_default="newest prices, mature process", metavar="YYYYQn")]

Address = Annotated[str | None, typer.Option(
    "--address", help="Address of a Dask scheduler.", show_default="one started on this machine")]

_ENGINE = "engine-"


def attempt(faults: list[Fault], make: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T | None:
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


def asked(case: str, link: str | None) -> tuple[Case, tuple[str, ...]]:
    """A case by name or path with what a link moves in it, and what is to be said of that."""
    question = read_case(case)
    if link is None:
        return question, ()
    followed = read_link(link)
    moves = moves_of(question, followed.changes)
    warning = other_edition(question, followed)
    said = f"Moved by a link: {', '.join(moves) or 'nothing'}."
    return changed_case(question, followed.changes), (said, *([warning] if warning else []))


def model_of(catalogue: Catalogue, model: str) -> LLM:
    """A model by one of its names or by the path of its config.json."""
    return read_model(Path(model)) if model.endswith(".json") else catalogue.model(model)


def chip_of(catalogue: Catalogue, chip: str) -> Chip:
    """A chip by one of its names or by the path of its file."""
    return read_chip(Path(chip)) if chip.endswith((".yaml", ".yml")) else catalogue.chip(chip)


def positive(text: str, unit: str, place: str) -> float:
    """A quantity above 0 in SI."""
    value = quantity(text, unit, place)
    if not 0.0 < value < math.inf:
        raise BadValue(Fault(place, repr(text), f"a quantity above 0, such as '1 {unit}'", "correct the number"))
    return value


def request_of(input_tokens: float | None, output_tokens: float | None, trace: str | None) -> Request:
    """A request shape from two lengths or from a trace."""
    if trace is not None:
        if input_tokens is not None or output_tokens is not None:
            raise BadValue(
                Fault(
                    "--trace", f"{trace!r} beside --input or --output",
                    "--input and --output, or --trace", "leave one of the two out",
                )
            )
        return (read_trace(Path(trace)) if trace.endswith(".csv") else embedded_trace(trace)).request
    if input_tokens is None or output_tokens is None:
        raise BadValue(Fault("request", "no lengths", "--input and --output, or --trace",
                             "for example --input 1024 --output 512"))
    return Request(input_tokens, output_tokens, "command line")


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
    names = [name.removeprefix(_ENGINE) for name in catalogue.entities("perf") if name.startswith(_ENGINE)]
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
        source=Source("user", "stated on the command line", "", ""), note="", place="--price")


def split_code(tensor: int, pipeline: int, expert: int, data: int) -> str:
    """How an instance is split, in a few letters: only the degrees above 1.

    >>> split_code(8, 2, 1, 1), split_code(1, 1, 1, 1)
    ('TP8 PP2', '1 chip')
    """
    degrees = {"TP": tensor, "PP": pipeline, "EP": expert, "DP": data}
    return " ".join(f"{name}{degree}" for name, degree in degrees.items() if degree > 1) or "1 chip"
