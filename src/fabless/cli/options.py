"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fabless.case_records import Case
from fabless.catalogue import Catalogue, read_case, read_chip, read_model, shipped_cases
from fabless.links import changed_case, moves_of, other_edition, read_link
from fabless.records import LLM, Chip

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
