"""`fabless decide` and `fabless init`: answer a case, and write a case to start from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import REFERENCE, reference_text, shipped_cases
from fabless.cli.options import Address, CaseName, LinkText, asked
from fabless.cli.progress import shown
from fabless.decide import Detail, detail_of
from fabless.decide import decide as decide_case
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.executors import executors_of
from fabless.report import as_json, print_decision, print_first_look, write_report
from fabless.report.files import check_writable, write_whole

EXECUTORS = ("process", "dask")


def decide(
    case: CaseName = REFERENCE,
    link: LinkText = None,
    report: Annotated[Path | None, typer.Option(
        help="HTML file to write the report to.", show_default="fabless-NAME.html")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
    seed: Annotated[int | None, typer.Option(
        help="Random seed.", show_default="that of the case", min=0)] = None,
    detail: Annotated[str, typer.Option(
        help="Depth of the analysis: quick (seconds), standard (two minutes) or deep (many minutes).",
    )] = "standard",
    leaves: Annotated[int | None, typer.Option(
        help="Number of scenarios to plan on; above 250 only the recommended way is planned on "
             "them.",
        show_default="by --detail", min=2)] = None,
    paths: Annotated[int | None, typer.Option(
        help="Number of fresh paths on which each way is tested.", show_default="by --detail",
        min=2)] = None,
    explore: Annotated[bool | None, typer.Option(
        "--explore/--no-explore",
        help="Make a table of answers with one input or two moved, for the page to be moved.",
        show_default="by --detail: not in quick")] = None,
    executor: Annotated[str, typer.Option(help="Executor: process or dask.")] = "process",
    workers: Annotated[int | None, typer.Option(
        help="Number of worker processes of the executor.", show_default="one per core",
        min=1)] = None,
    address: Address = None,
    checkpoint: Annotated[Path | None, typer.Option(
        help="File that saves progress of a plan with many scenarios, and from which an "
             "interrupted run resumes.")] = None,
) -> None:
    """Compare all ways to AI compute for a case, say what to start now, and write the report.

    Without an argument the case is OpenAI in October 2023, with what could be known then.
    """
    question, moves = asked(case, link)
    if seed is not None:
        question = replace(question, seed=seed)
    path = report or Path(f"fabless-{question.name}.html")
    if path.suffix.lower() != ".html":
        raise BadFile(Fault("--report", str(path), "a path that ends in .html", f"write for example {path}.html"))
    check_writable(path)
    maker = executors_of(executor, workers or os.cpu_count() or 1, address) if executor in EXECUTORS else None
    if maker is None:
        raise unknown("executor", executor, EXECUTORS, "--executor")
    aside = Console(stderr=True)
    with shown() as tick:
        with maker() as pool:
            decision = decide_case(
                question, detail=_explored(
                    _detail(detail, leaves, paths, len(question.branching)), explore),
                executor=pool, checkpoint=checkpoint, progress=tick,
                first_look=None if json else lambda look: print_first_look(look, aside),
            )
        decision = replace(decision, warnings=(*moves, *decision.warnings))
        tick("report")
        write_report(decision, path)
    if json:
        typer.echo(as_json(decision))
    else:
        print_decision(decision, Console(), path)


def _detail(name: str, leaves: int | None, paths: int | None, splits: int) -> Detail:
    chosen = detail_of(name) if leaves is None else detail_of(name).on(leaves, splits)
    return replace(chosen, paths=paths or chosen.paths)


def _explored(detail: Detail, explore: bool | None) -> Detail:
    """With a table of answers or without; raises `BadValue` where no question is asked at all."""
    if explore and not detail.small:
        raise BadValue(Fault(
            "--explore", f"with --detail {detail.name}, which asks no questions",
            "--detail standard or deep", "leave out --explore, or take --detail standard"))
    return detail if explore is None else replace(detail, explore=explore)


def init(
    path: Annotated[Path, typer.Argument(
        help="Case file to write, such as my.yaml.", metavar="PATH")],
    case: Annotated[str, typer.Option(
        "--case", help=f"Case to copy: {', '.join(shipped_cases())}.")] = REFERENCE,
) -> None:
    """Write a commented case file to start from: a copy of one that ships with fabless."""
    if path.exists() or path.is_symlink():
        raise BadFile(Fault(str(path), "exists already", "a path that is free", "choose another name, or remove the file"))
    write_whole(path, reference_text(case))
    typer.echo(f"wrote {path}: change it, then run: fabless decide {path}")
