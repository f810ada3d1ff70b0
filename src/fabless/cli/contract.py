"""`fabless contract`: kinds, example files, a comparison and break-evens of contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.case_records import ContractQuestion
from fabless.catalogue.case.contract_question import example_text, read_contracts
from fabless.cli.options import Json
from fabless.contract import KINDS
from fabless.contract.compare import OVER, SPOT, Comparison, ContractRow, break_even_of, compare
from fabless.contract.curves import curves
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.report import Column, as_json, print_table, say
from fabless.report.canvas import WIDE, as_svg
from fabless.report.contract_charts import volume_curves
from fabless.report.files import check_writable, write_whole
from fabless.report.table import FULL_WIDTH
from fabless.wording import count, in_percent, usd

ACTIONS = {"kinds": 0, "example": 1, "value": 1, "break-even": 2}
"""Action of the command -> number of names that follow it."""
BESIDE = "beside"
OWN_OR_RENT = "own-or-rent"


def contract(
    action: Annotated[str, typer.Argument(
        help="Action: kinds, example, value or break-even.", metavar="ACTION")],
    names: Annotated[list[str] | None, typer.Argument(
        help="For `example`: a kind. For `value`: a file or an example (default: beside). For "
             "`break-even`: two contracts, or one and `spot`.", metavar="NAME")] = None,
    over: Annotated[str, typer.Option(
        help="Quantity that `break-even` varies: price, volume or utilisation.")] = "price",
    file: Annotated[str, typer.Option(
        help="File or example with the contracts, for `break-even`.")] = OWN_OR_RENT,
    low: Annotated[float | None, typer.Option(
        help="Lower end of the range searched, for `break-even`.",
        show_default="by --over")] = None,
    high: Annotated[float | None, typer.Option(
        help="Upper end of the range searched, for `break-even`.",
        show_default="by --over")] = None,
    svg: Annotated[Path | None, typer.Option(
        help="SVG file to draw cost against volume to, for `value`.")] = None,
    json: Json = False,
) -> None:
    """Compare contracts for chips: price, firm and optional volume, and the worst case.

    `kinds` lists the kinds of contract. `example KIND` prints a commented file to start from.
    `value FILE` compares the contracts of a file. `break-even A B` says at which price, volume or
    utilisation contracts A and B cost the same.
    """
    chosen = _names(action, names or [])
    _check_options(action, over, svg)
    if action == "kinds":
        _kinds(json)
    elif action == "example":
        text = example_text(chosen[0])
        typer.echo(as_json({"name": chosen[0], "text": text}) if json else text, nl=json)
    elif action == "value":
        _value(read_contracts(chosen[0]), svg, json)
    else:
        even = break_even_of(
            read_contracts(file), chosen[0], chosen[1], over=over, low=low, high=high
        )
        if json:
            typer.echo(
                as_json(
                    {
                        "over": over, "first": chosen[0], "second": chosen[1], "break_even": even,
                        "said": even.said,
                    }
                )
            )
        else:
            say(Console(), f"{_unit_of(over)}: {even.said}.")


def _names(action: str, names: list[str]) -> list[str]:
    if action not in ACTIONS:
        raise unknown("action", action, list(ACTIONS), "fabless contract")
    chosen = names or ([BESIDE] if action == "value" else [])
    if len(chosen) != ACTIONS[action]:
        wanted = {
            "kinds": "no name", "example": "one kind", "value": "one file",
            "break-even": "two contracts",
        }[action]
        raise BadValue(
            Fault(
                f"fabless contract {action}", f"{len(chosen)} names", wanted,
                "for example: fabless contract "
                + {
                    "kinds": "kinds", "example": "example take-or-pay", "value": "value my.yaml",
                    "break-even": "break-even own reserved",
                }[action],
            )
        )
    return chosen


def _check_options(action: str, over: str, svg: Path | None) -> None:
    if action == "break-even" and over not in OVER:
        raise unknown("quantity", over, list(OVER), "--over")
    if svg is not None:
        if action != "value":
            raise BadValue(
                Fault(
                    "--svg", f"beside {action}", "value",
                    "only `fabless contract value` draws a picture",
                )
            )
        if svg.suffix.lower() != ".svg":
            raise BadFile(
                Fault("--svg", str(svg), "a path that ends in .svg", f"write for example {svg}.svg")
            )
        check_writable(svg)


def _kinds(json: bool) -> None:
    if json:
        typer.echo(
            as_json(
                {
                    "kinds": [
                        {"kind": name, "said": kind.said, "needs": kind.needs, "may": kind.may}
                        for name, kind in KINDS.items()
                    ]
                }
            )
        )
        return
    rows = [[name, kind.said] for name, kind in KINDS.items()]
    print_table("", [Column("kind", name=True), "what it is"], rows, Console())
    say(Console(), "For a file to start from: fabless contract example KIND. For several kinds in "
                   "one file: example beside, example own-or-rent.", "dim")


def _unit_of(over: str) -> str:
    return {"price": "Price of the first contract, USD",
            "volume": "Chips wanted in the first quarter",
            "utilisation": "Share of the volume in use"}[over]


def _value(question: ContractQuestion, svg: Path | None, json: bool) -> None:
    comparison = compare(question)
    if svg is not None:
        spec = volume_curves(curves(question), comparison.unit, WIDE)
        write_whole(svg, as_svg(spec, "Cost against chips wanted, for each contract"))
    if json:
        typer.echo(as_json(comparison))
        return
    print_comparison(comparison, Console())
    if svg is not None:
        typer.echo(f"Picture: {svg}")


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison of contracts on one screen of 80 columns or more."""
    best = next((row for row in comparison.rows if row.name == comparison.cheapest), None)
    if best is None:
        say(console, "No contract: covering the whole need on the spot market is cheapest on "
                     "average.", "bold")
    else:
        say(console, f"{best.name} covers the whole need most cheaply: it saves "
                     f"{usd(best.value.mean)} on average against the spot market alone (P10 to P90 "
                     f"{usd(best.value.p10)} to {usd(best.value.p90)}).", "bold")
    console.print()
    full = console.width >= FULL_WIDTH
    per_hour = comparison.unit == "chip-hour"
    price, volume = ("USD/h", "chip-\nquarters") if per_hour else ("USD", "chips")
    headings = [f"paid\nP50\n{price}", f"paid\nP10–P90\n{price}", f"whole\nneed P50\n{price}",
                "saves\nmean\nUSD", "worst\npath\nUSD", "firm\nUSD", f"firm\n{volume}",
                f"option\n{volume}"]
    if full:
        headings += [f"taken\n{volume}", f"missing\n{volume}", "rebate\nUSD"]
    columns: list[Column | str] = [
        Column("contract", name=True), *(Column(text, True) for text in headings),
    ]
    rows = [_cells(row, per_hour, full) for row in comparison.rows]
    none = [SPOT, "", "", _price(comparison.without_usd_per_unit.p50, per_hour), "", "", "", "", ""]
    rows.append([*none, "", count(comparison.without_missing), ""] if full else none)
    print_table("", columns, rows, console)
    paths = f"{comparison.paths:,} paths" if comparison.paths > 1 else "one path"
    say(console, "Whole need: including chips bought on the spot market and chips that go "
                 f"missing. USD of {comparison.price_year}, discounted at a real rate of "
                 f"{in_percent(comparison.real_rate)} over {comparison.quarters} quarters from "
                 f"{comparison.first_quarter}; {paths}.", "dim")
    if comparison.without_missing > 0.5:
        said = [f"{row.name} {count(row.missing)}" for row in comparison.rows]
        say(console, f"{'Chip-quarters' if per_hour else 'Chips'} missing on average: {SPOT} alone "
                     f"{count(comparison.without_missing)}, {', '.join(said)}.")
    for row in comparison.rows:
        if row.rebate_usd > 0.0 and row.taken > 0.0:
            say(console, f"{row.name}: {usd(row.rebate_usd)} comes back on average (present "
                         f"value), {usd(row.rebate_usd / row.taken)} per unit taken.")


def _cells(row: ContractRow, per_hour: bool, full: bool) -> list[str]:
    paid = row.usd_per_unit
    cells = [
        row.name, _price(paid.p50, per_hour),
        f"{_price(paid.p10, per_hour)}–{_price(paid.p90, per_hour)}",
        _price(row.served_usd_per_unit.p50, per_hour), usd(row.value.mean),
        usd(_flat(row.worst_usd)), usd(row.firm_usd), count(row.firm_units),
        count(row.option_units),
    ]
    return [*cells, count(row.taken), count(row.missing), usd(row.rebate_usd)] if full else cells


def _price(value: float, per_hour: bool) -> str:
    return f"{value:.2f}" if per_hour else count(value)


def _flat(value: float) -> float:
    """Amounts below a dollar are rounding errors of sums of billions: print 0."""
    return 0.0 if abs(value) < 1.0 else value
