"""`fabless compare`: one way against another."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import REFERENCE, read_case
from fabless.cli.options import CaseName, Json
from fabless.cli.progress import shown
from fabless.decide import compare_ways
from fabless.report import as_json, print_two_ways


def compare_command(
    way: Annotated[str, typer.Argument(help="Name of a way of the case, such as buy.", metavar="A")],
    other: Annotated[str, typer.Argument(help="Name of another one.", metavar="B")],
    case: CaseName = REFERENCE,
    detail: Annotated[str, typer.Option(
        help="Depth of the analysis: quick, standard or deep; quick does not ask what must be "
             "true.")] = "standard",
    json: Json = False,
) -> None:
    """Set one way against another: what it costs more or less, why, and what must be true for the
    other to be cheaper."""
    question = read_case(case)
    with shown() as tick:
        answer = compare_ways(question, way, other, detail=detail, progress=tick)
    if json:
        typer.echo(as_json(answer))
    else:
        print_two_ways(answer, Console())
