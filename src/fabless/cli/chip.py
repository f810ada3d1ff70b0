"""`fabless chip`: the silicon of one chip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fabless.asked import SheetTexts, sheet_answer
from fabless.catalogue import Catalogue, read_chip
from fabless.cli.facts import seen_from
from fabless.cli.options import AsOf, Json, ManufactureQuarter
from fabless.errors import BadFile, Fault
from fabless.records import Chip
from fabless.report import Column, as_json, print_table, say
from fabless.report.canvas import WIDE, as_svg
from fabless.report.files import check_writable, write_whole
from fabless.report.silicon_charts import waterfall
from fabless.silicon import ChipSheet, SheetRow
from fabless.wording import count, in_percent, plain, usd


def chip(
    name: Annotated[str, typer.Argument(
        help="Chip: a name of `fabless chips`, or the path of a chip file (.yaml).")],
    at: ManufactureQuarter = None,
    picture: Annotated[Path | None, typer.Option(
        help="SVG file to draw the build-up of the unit cost to.")] = None,
    design: Annotated[str, typer.Option(help="Design effort: full, array or derivative.")] = "full",
    reuse: Annotated[float, typer.Option(
        help="Share of the design reused from an earlier chip, 0 to 1.")] = 0.0,
    margin: Annotated[float | None, typer.Option(
        help="Gross margin of a design partner, as a share of the price.",
        show_default="the catalogue's")] = None,
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Show a chip's dies, yield, unit cost, power, NRE and carbon, each line with its source."""
    catalogue = seen_from(as_of)
    if picture is not None:
        if picture.suffix.lower() != ".svg":
            raise BadFile(
                Fault(
                    "--picture", str(picture), "a path that ends in .svg",
                    f"write for example {picture}.svg",
                )
            )
        check_writable(picture)
    product = chip_named(catalogue, name)
    sheet = sheet_answer(
        catalogue, product, SheetTexts(at=at, design=design, reuse=reuse, margin=margin))
    if picture is not None:
        spec = waterfall(sheet.cost, "unit cost", sheet.partner_price, WIDE)
        write_whole(picture, as_svg(spec, f"Build-up of the unit cost of {sheet.chip}"))
    if json:
        typer.echo(as_json(sheet))
        return
    print_sheet(sheet, Console())
    if picture is not None:
        typer.echo(f"Picture: {picture}")


def chip_named(catalogue: Catalogue, name: str) -> Chip:
    """A chip by its name in the catalogue, or by the path of its file."""
    return read_chip(Path(name)) if name.endswith((".yaml", ".yml")) else catalogue.chip(name)


def print_sheet(sheet: ChipSheet, console: Console) -> None:
    """Print every part of a chip sheet as a table with the source of each line."""
    say(
        console,
        f"{sheet.chip}: {usd(sheet.unit_cost_usd)} to make (P10 to P90 {usd(sheet.unit_cost.p10)} to "
        f"{usd(sheet.unit_cost.p90)}), at {sheet.at}",
        "bold",
    )
    console.print()
    headings = ("dies", "mm2", "per wafer", "yield", "sold")
    columns: list[Column | str] = [
        Column("die", name=True), *(Column(text, True) for text in headings), "units", "area from",
    ]
    rows = [
        [
            die.node, str(die.count), plain(round(die.area_mm2, 1)), str(die.gross_dies_per_wafer),
            in_percent(die.plain_yield), in_percent(die.sold_yield),
            f"{die.units_needed} of {die.units}" if die.units > 1 else "all", die.area_source,
        ]
        for die in sheet.dies
    ]
    print_table("Logic dies", columns, rows, console)
    say(
        console,
        "yield: dies without a defect; sold: dies with enough working units. Packages "
        f"that work: {in_percent(sheet.package_yield)}"
        + (f", interposer {sheet.interposer_mm2:,.0f} mm2." if sheet.interposer_mm2 else "."),
        "dim",
    )
    for die in sheet.dies:
        if die.blocks:
            console.print()
            _print_lines(
                f"Area of the {die.node} die [mm2], modelled {die.modelled_mm2:,.0f}", die.blocks,
                console,
            )
    console.print()
    _print_cost(sheet, console)
    if sheet.power:
        console.print()
        _print_lines(
            f"Rated power [W], modelled {sheet.power_modelled_w:,.0f}, stated {plain(sheet.power_stated_w)}",
            sheet.power,
            console,
        )
    console.print()
    rates = ", ".join(f"{line.name} {plain(line.value / 1e12)}" for line in sheet.peaks)
    say(console, f"Peak rates [TFLOP/s]: {rates} (specification, dense)")
    if sheet.nre:
        parts = "; ".join(f"{line.name} {usd(line.value)} ({line.source})" for line in sheet.nre)
        say(console, f"NRE without software and spins: {usd(sheet.nre_usd)}: {parts}")
        say(
            console,
            f"NRE falls under 10% of the unit cost above {count(sheet.volume_for_small_nre)} chips.",
        )
    if sheet.carbon is not None:
        say(
            console,
            f"Embodied carbon: {plain(round(sheet.carbon.value))} kg CO2e ({sheet.carbon.source})",
        )
    for note in sheet.notes:
        say(console, f"Note: {note}", "yellow", indent=2)


def _print_lines(title: str, lines: Sequence[SheetRow], console: Console) -> None:
    rows = [[line.name, f"{line.value:,.0f}", line.source] for line in lines]
    print_table(
        title, [Column("part", name=True), Column(lines[0].unit, True), "from"], rows, console
    )


def _print_cost(sheet: ChipSheet, console: Console) -> None:
    columns: list[Column | str] = [
        Column("cost", name=True), *(Column(text, True) for text in ("USD", "P10", "P50", "P90")),
        "from",
    ]
    rows = [
        [line.name, f"{line.value:,.0f}", *_band_cells(line), line.source] for line in sheet.cost
    ]
    total = sheet.unit_cost
    rows.append(
        [
            "unit cost", f"{sheet.unit_cost_usd:,.0f}", f"{total.p10:,.0f}", f"{total.p50:,.0f}",
            f"{total.p90:,.0f}", "sum; bands do not add",
        ]
    )
    rows.append(
        [
            sheet.partner_price.name, f"{sheet.partner_price.value:,.0f}", "", "", "",
            sheet.partner_price.source,
        ]
    )
    print_table("Unit cost", columns, rows, console)


def _band_cells(line: SheetRow) -> list[str]:
    if line.band is None:
        return ["", "", ""]
    return [f"{value:,.0f}" for value in (line.band.p10, line.band.p50, line.band.p90)]
