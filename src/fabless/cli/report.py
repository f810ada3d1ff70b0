"""`fabless report`: the report of a case as a file, whole or as one sheet, with its first actions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fabless.catalogue import REFERENCE
from fabless.cli.options import CaseName, LinkText, asked
from fabless.cli.progress import shown
from fabless.decide import decide, detail_of
from fabless.errors import BadFile, Fault, unknown
from fabless.report import write_report
from fabless.report.actions_files import actions_calendar, actions_table
from fabless.report.files import check_writable, write_whole
from fabless.report.page.brief import PAPERS, write_brief


def report(
    case: CaseName = REFERENCE,
    link: LinkText = None,
    brief: Annotated[bool, typer.Option(
        "--brief", help="Write one sheet for print instead of the whole report.")] = False,
    paper: Annotated[str, typer.Option(help="Paper of the sheet: a4 or letter.")] = "a4",
    out: Annotated[Path | None, typer.Option(
        help="HTML file to write.",
        show_default="fabless-NAME.html, with --brief fabless-NAME-brief.html")] = None,
    calendar: Annotated[Path | None, typer.Option(
        help="Calendar file (.ics) to write the first actions to, by their due dates.",
        show_default="not written")] = None,
    table: Annotated[Path | None, typer.Option(
        help="Table (.csv) to write the first actions to.", show_default="not written")] = None,
    detail: Annotated[str, typer.Option(
        help="Depth of the analysis: quick, standard or deep.")] = "standard",
) -> None:
    """Write the report of a case to a file, or with --brief one sheet of paper for a meeting."""
    question, moves = asked(case, link)
    if paper not in PAPERS:
        raise unknown("paper", paper, list(PAPERS), "--paper")
    depth = detail_of(detail)
    path = out or Path(f"fabless-{question.name}{'-brief' if brief else ''}.html")
    for option, file, end in (("--out", path, ".html"), ("--calendar", calendar, ".ics"),
                              ("--table", table, ".csv")):
        if file is not None:
            _check(option, file, end)
    with shown() as tick:
        decision = decide(question, detail=depth, progress=tick)
        decision = replace(decision, warnings=(*moves, *decision.warnings))
        tick("report")
    written = [write_brief(decision, path, paper) if brief else write_report(decision, path)]
    if calendar is not None:
        written.append(write_whole(calendar, actions_calendar(decision)))
    if table is not None:
        written.append(write_whole(table, actions_table(decision)))
    for file in written:
        typer.echo(f"wrote {file}")


def _check(option: str, path: Path, end: str) -> None:
    if path.suffix.lower() != end:
        raise BadFile(Fault(option, str(path), f"a path that ends in {end}",
                            f"write for example {path.with_suffix(end)}"))
    check_writable(path)
