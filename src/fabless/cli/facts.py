"""Look into the catalogue: what there is, and where each number comes from."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue import Catalogue, load
from fabless.cli.options import AsOf, Json
from fabless.errors import BadValue, FablessError, Fault
from fabless.records import LLM, Chip, Fact
from fabless.report import Column, as_json, print_table
from fabless.units import from_si
from fabless.wording import plain
from fabless.workload import parameters


def seen_from(as_of: str | None) -> Catalogue:
    """The catalogue as known on a day; raises `BadValue` if the text is no date."""
    if as_of is None:
        return load()
    try:
        return load(dt.date.fromisoformat(as_of))
    except ValueError as error:
        raise BadValue(
            Fault("--as-of", repr(as_of), "a date as YYYY-MM-DD", "write for example 2023-10-31")
        ) from error


def chips(as_of: AsOf = None, json: Json = False) -> None:
    """List the accelerators with their main specifications."""
    catalogue = seen_from(as_of)
    all_chips = [(name, _chip(catalogue, name)) for name in catalogue.chips()]
    if json:
        typer.echo(as_json({"chips": [{"name": name, "chip": chip} for name, chip in all_chips]}))
        return
    columns: list[Column | str] = [
        Column("chip", name=True), "vendor", Column("bf16 TFLOP/s", True),
        Column("memory GB", True), Column("TB/s", True), Column("W", True), "announced",
    ]
    rows = [_chip_row(name, chip) for name, chip in all_chips]
    print_table(f"{len(rows)} accelerators", columns, rows, Console())


def _chip(catalogue: Catalogue, name: str) -> Chip | None:
    try:
        return catalogue.chip(name)
    except FablessError:
        return None


def _chip_row(name: str, chip: Chip | None) -> list[str]:
    if chip is None:
        return [name, "", "", "", "", "", "specification incomplete"]
    rate = chip.peak_flops.get("bf16", chip.peak_flops.get("fp16"))
    return [name, chip.vendor, plain(rate / 1e12) if rate else "", plain(chip.memory_bytes / 1e9),
            plain(chip.memory_bandwidth / 1e12), plain(chip.tdp_w), str(chip.announced or "")]


def models(as_of: AsOf = None, json: Json = False) -> None:
    """List the language models with their sizes."""
    catalogue = seen_from(as_of)
    all_models = [(name, catalogue.model(name)) for name in catalogue.models()]
    if json:
        typer.echo(
            as_json({"models": [{"name": name, "model": model} for name, model in all_models]})
        )
        return
    columns: list[Column | str] = [
        Column("model", name=True), Column("parameters B", True), Column("active B", True),
        Column("layers", True), Column("hidden", True), "released",
    ]
    print_table(
        f"{len(all_models)} language models", columns, [_model_row(*item) for item in all_models],
        Console(),
    )


def _model_row(name: str, model: LLM) -> list[str]:
    counts = parameters(model)
    return [
        name, f"{counts.total / 1e9:,.1f}", f"{counts.active / 1e9:,.1f}", str(model.layers),
        str(model.hidden), str(model.release or ""),
    ]


def show(
    name: Annotated[str, typer.Argument(help="Name of an entity: a chip, model, process node, "
                                             "company or programme.")],
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Show every fact about one entity."""
    facts = seen_from(as_of).facts_of(name)
    if json:
        typer.echo(as_json({"name": name, "facts": facts}))
        return
    columns: list[Column | str] = [
        Column("field", name=True), "value", "unit", Column("period", name=True),
        Column("known", name=True), "grade", "source",
    ]
    rows = [
        [
            fact.field, *_written(fact), fact.period, str(fact.known), fact.grade.value,
            fact.source.id,
        ]
        for fact in facts
    ]
    print_table(name, columns, rows, Console())


def why(
    name: Annotated[str, typer.Argument(help="Name of an entity, such as h100-sxm.")],
    field: Annotated[str, typer.Argument(help="Field of the entity, such as memory_bandwidth.")],
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Say where a number comes from: its source, grade, band and the day it became public."""
    facts = seen_from(as_of).why(name, field)
    if json:
        typer.echo(as_json({"name": name, "field": field, "facts": facts}))
        return
    for fact in facts:
        value, unit = _written(fact)
        lines = [
            f"{name} {field} = {value} {unit}".rstrip()
            + (f" (period {fact.period})" if fact.period else ""),
            f"  known   {fact.known}, grade {fact.grade.value}"
            + (f", USD of {fact.price_year}" if fact.price_year else ""),
            f"  source  {fact.source.title} [{fact.source.id}]",
        ]
        lines += [f"          {fact.source.url}"] if fact.source.url else []
        lines += [f"  note    {fact.note}"] if fact.note else []
        typer.echo("\n".join([*lines, f"  row     {fact.place}"]))


def _written(fact: Fact) -> tuple[str, str]:
    """Value with its band, and the unit, both as the row of the fact states them."""
    if not isinstance(fact.value, float):
        return str(fact.value), ""
    unit = "" if fact.unit == "1" else fact.unit
    value = plain(from_si(fact.value, fact.unit))
    if fact.low is None or fact.high is None:
        return value, unit
    return (
        f"{value} ({plain(from_si(fact.low, fact.unit))} to {plain(from_si(fact.high, fact.unit))})",
        unit,
    )
