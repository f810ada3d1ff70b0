"""`fabless validate`: predicted against measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import load
from fabless.cli.options import Json
from fabless.errors import BadFile, Fault
from fabless.report import as_json
from fabless.report.files import check_writable
from fabless.report.validation import print_validation
from fabless.report.validation_html import write_validation_report
from fabless.validate import STANDARD
from fabless.validate import validate as run


def validate(
    files: Annotated[list[Path] | None, typer.Argument(
        help="Files of measured rows, like --against.", metavar="FILE")] = None,
    against: Annotated[list[Path] | None, typer.Option(
        help="File of measured rows, CSV or gzip; its header tells its layout. May be repeated.",
        show_default="the rows that ship with fabless", metavar="FILE")] = None,
    by: Annotated[str | None, typer.Option(
        help="Keys to group by, separated by commas: chip, vendor, model, engine, phase, quantity, "
             "metric, tier, precision, mode, kind, scenario, layout or file; join keys with + for "
             "combinations, such as vendor+phase.",
        show_default="phase+vendor on screen, several groupings in the report and JSON",
    )] = None,
    report: Annotated[Path | None, typer.Option(
        help="HTML file to write a report with pictures to.")] = None,
    json: Json = False,
) -> None:
    """Compare predictions of the performance model with published measurements, row by row.

    A row that cannot be predicted stays in the result, with the reason. See
    docs/explanation/validation.md for definitions and layouts.
    """
    if report is not None:
        if report.suffix.lower() != ".html":
            raise BadFile(
                Fault(
                    "--report", str(report), "a path that ends in .html",
                    f"write for example {report}.html",
                )
            )
        check_writable(report)
    keys = (
        [key.strip() for key in by.split(",") if key.strip()] if by is not None else list(STANDARD)
    )
    validation = run(load(), [*(against or []), *(files or [])], by=keys)
    if report is not None:
        write_validation_report(validation, report)
    if json:
        typer.echo(as_json(validation), nl=False)
    else:
        print_validation(
            validation, Console(), keys if by is not None else ["phase+vendor"], report
        )
