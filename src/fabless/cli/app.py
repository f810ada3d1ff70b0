"""The commands, and how an error leaves the program."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import REFERENCE, read_case, reference_text
from fabless.cli import facts
from fabless.cli.chip import chip
from fabless.cli.cost import cost
from fabless.cli.explore import explore
from fabless.cli.progress import shown
from fabless.cli.rebuilt import claims
from fabless.cli.serve import serve_command
from fabless.cli.train import train
from fabless.cli.validate import validate
from fabless.decide import decide as decide_case
from fabless.errors import BadFile, FablessError, Fault
from fabless.report import as_json, print_decision, write_report
from fabless.report.files import check_writable, write_whole

app = typer.Typer(
    name="fabless", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Buy, diversify, partner, build or acquire: what each way to AI compute costs per query, when it delivers, "
         "what can go wrong, and what to start now.",
)
app.command()(cost)
app.command()(chip)
app.command()(explore)
app.command("serve")(serve_command)
app.command()(train)
app.command()(claims)
app.command()(validate)
app.command()(facts.chips)
app.command()(facts.models)
app.command()(facts.show)
app.command()(facts.why)


@app.command()
def decide(
    case: Annotated[str, typer.Argument(help="A shipped case by name, or the path of a case file (.yaml).")] = REFERENCE,
    report: Annotated[Path | None, typer.Option(help="Where to write the report [default: fabless-NAME.html].")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON instead.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw other scenarios than the case's.", min=0)] = None,
) -> None:
    """Compare all ways for a case, say what to start now, and write the report.

    Without an argument this is OpenAI in October 2023, with what could be known then.
    """
    question = read_case(case)
    if seed is not None:
        question = replace(question, seed=seed)
    path = report or Path(f"fabless-{question.name}.html")
    if path.suffix.lower() != ".html":
        raise BadFile(Fault("--report", str(path), "a path that ends in .html", f"write for example {path}.html"))
    check_writable(path)
    with shown() as tick:
        decision = decide_case(question, progress=tick)
        tick("report")
        write_report(decision, path)
    if json:
        typer.echo(as_json(decision))
    else:
        print_decision(decision, Console(), path)


@app.command()
def init(path: Annotated[Path, typer.Argument(help="File to write, such as my.yaml.")]) -> None:
    """Write a commented case to start from: the reference case."""
    if path.exists() or path.is_symlink():
        raise BadFile(Fault(str(path), "exists already", "a path that is free", "choose another name, or remove the file"))
    write_whole(path, reference_text(REFERENCE))
    typer.echo(f"wrote {path}: change it, then run: fabless decide {path}")


def main() -> None:
    """Run the command line; an error that the user can mend is printed without a traceback, exit code 2."""
    try:
        app()
    except FablessError as error:
        kind = "error" if len(error.faults) == 1 else f"{len(error.faults)} errors"
        print(f"{kind}:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {str(fault).replace(chr(10), chr(10) + '  ')}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
