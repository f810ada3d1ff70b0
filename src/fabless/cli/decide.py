"""Decide a case, and write one to start from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import REFERENCE, read_case, reference_text
from fabless.cli.progress import shown
from fabless.decide import Detail, detail_of
from fabless.decide import decide as decide_case
from fabless.errors import BadFile, Fault, unknown
from fabless.executors import executors_of
from fabless.report import as_json, print_decision, write_report
from fabless.report.files import check_writable, write_whole

EXECUTORS = ("process", "dask")


def decide(
    case: Annotated[str, typer.Argument(help="A shipped case by name, or the path of a case file (.yaml).")] = REFERENCE,
    report: Annotated[Path | None, typer.Option(help="Where to write the report [default: fabless-NAME.html].")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON instead.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw other scenarios than the case's.", min=0)] = None,
    detail: Annotated[str, typer.Option(help="quick (seconds), standard (a minute) or deep (many minutes).")] = "standard",
    leaves: Annotated[int | None, typer.Option(
        help="Scenarios to plan on [default: by detail]; above 250 for the recommended way only.", min=2)] = None,
    paths: Annotated[int | None, typer.Option(help="Fresh paths to try each way on [default: by detail].", min=2)] = None,
    executor: Annotated[str, typer.Option(help="process or dask.")] = "process",
    workers: Annotated[int | None, typer.Option(help="Processes of the executor [default: one a core].", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Dask scheduler [default: one of this machine].")] = None,
    checkpoint: Annotated[Path | None, typer.Option(
        help="File from which a plan on many scenarios resumes; written as it goes on.")] = None,
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
    maker = executors_of(executor, workers or os.cpu_count() or 1, address) if executor in EXECUTORS else None
    if maker is None:
        raise unknown("executor", executor, EXECUTORS, "--executor")
    with shown() as tick:
        with maker() as pool:
            decision = decide_case(question, detail=_detail(detail, leaves, paths, len(question.branching)), executor=pool,
                                   checkpoint=checkpoint, progress=tick)
        tick("report")
        write_report(decision, path)
    if json:
        typer.echo(as_json(decision))
    else:
        print_decision(decision, Console(), path)


def _detail(name: str, leaves: int | None, paths: int | None, splits: int) -> Detail:
    chosen = detail_of(name) if leaves is None else detail_of(name).on(leaves, splits)
    return replace(chosen, paths=paths or chosen.paths)


def init(path: Annotated[Path, typer.Argument(help="File to write, such as my.yaml.")]) -> None:
    """Write a commented case to start from: the reference case."""
    if path.exists() or path.is_symlink():
        raise BadFile(Fault(str(path), "exists already", "a path that is free", "choose another name, or remove the file"))
    write_whole(path, reference_text(REFERENCE))
    typer.echo(f"wrote {path}: change it, then run: fabless decide {path}")
