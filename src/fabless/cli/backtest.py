"""`fabless backtest`: a past case held against what happened."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.backtest import Backtest, PooledBacktest, backtest, backtest_all
from fabless.catalogue import REFERENCE, read_case, shipped_cases
from fabless.cli.options import Json
from fabless.cli.progress import shown
from fabless.errors import BadFile, BadValue, Fault
from fabless.report import as_json
from fabless.report.backtest import print_backtest, print_pooled
from fabless.report.backtest_html import write_backtest_report
from fabless.report.files import check_writable


def backtest_command(
    case: Annotated[str | None, typer.Argument(
        help=f"Past case: one that ships with fabless ({', '.join(shipped_cases())}), or the path of "
             "a case file (.yaml).",
        show_default=REFERENCE)] = None,
    truths: Annotated[Path | None, typer.Option(
        help="CSV file of what happened; published forecasts and trends are read from files beside "
             "it.", show_default="that which ships with the case")] = None,
    every: Annotated[bool, typer.Option(
        "--all", help="Score every shipped past case, and all together.")] = False,
    until: Annotated[str | None, typer.Option(
        help="Day by which a truth must have been known.", show_default="no limit",
        metavar="YYYY-MM-DD")] = None,
    detail: Annotated[str, typer.Option(
        help="Depth to which ways are planned and tried: quick, standard or deep.")] = "standard",
    way: Annotated[str | None, typer.Option(
        help="Name of the way whose fleet and spend are scored, such as buy.",
        show_default="the recommended one")] = None,
    realised: Annotated[Path | None, typer.Option(
        help="YAML file of what happened by quarter, on which the case is replayed.",
        show_default="that which ships with the case")] = None,
    orders: Annotated[Path | None, typer.Option(
        help="CSV file of the orders that the company placed, for the replay.",
        show_default="that which ships with the case, beside its own realised file")] = None,
    replay: Annotated[bool, typer.Option(
        help="Replay the case on what happened by quarter, where that is known.")] = True,
    report: Annotated[Path | None, typer.Option(
        help="HTML file to write the page to.",
        show_default="fabless-NAME-backtest.html, with --all fabless-backtest.html")] = None,
    json: Json = False,
) -> None:
    """Hold the answer of a past day against what happened: bands, scores, who forecast better, and
    what every way would have cost; and write the page.

    Fleet, spend and cost of a query are those of one way on fresh paths; demand, market and chip
    programmes are drawn as the case states them.
    """
    day = None if until is None else _day(until)
    if every and (case is not None or truths is not None):
        raise BadValue(Fault("--all", "beside a case or --truths", "one of the two",
                             "leave --all out, or the case and --truths"))
    question = None if every else read_case(case or REFERENCE)
    name = "" if question is None else f"-{question.name}"
    path = report or Path(f"fabless{name}-backtest.html")
    if path.suffix.lower() != ".html":
        raise BadFile(Fault("--report", str(path), "a path that ends in .html",
                            f"write for example {path}.html"))
    check_writable(path)
    result: Backtest | PooledBacktest
    with shown() as tick:
        if question is None:
            result = backtest_all(until=day, detail=detail, way=way, progress=tick)
        else:
            result = backtest(question, truths=truths, until=day, detail=detail, way=way,
                              realised=realised,
                              orders=orders, with_replay=replay, progress=tick)
        tick("page")
        write_backtest_report(result, path)
    if json:
        typer.echo(as_json(result), nl=False)
    elif isinstance(result, Backtest):
        print_backtest(result, Console(), path)
    else:
        print_pooled(result, Console(), path)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadValue(Fault("--until", repr(text), "a day, such as 2025-06-30",
                             "write YYYY-MM-DD")) from None
