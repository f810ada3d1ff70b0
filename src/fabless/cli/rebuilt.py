"""`fabless claims`: published claims, rebuilt from named inputs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from fabless.catalogue.files.claims import read_claims
from fabless.claims import ClaimResult, claims_document, rebuild
from fabless.cli.facts import seen_from
from fabless.cli.options import AsOf, Json
from fabless.errors import unknown
from fabless.report import Column, as_json, print_table, say
from fabless.wording import plain

_RULE = (
    "A way holds if the range that the wording allows overlaps the band that its inputs give; 'off "
    "by' compares the most likely values. So a way that is far off may hold, its inputs being "
    "loose, and one that is near may break, its inputs being tight."
)


def claims(
    name: Annotated[str | None, typer.Argument(
        help="Claim to show with every input, such as C03.",
        show_default="all claims, in brief")] = None,
    as_of: AsOf = None, json: Json = False,
) -> None:
    """Rebuild published claims from named inputs, and say which input makes a claim fail."""
    chosen = read_claims()
    if name is not None:
        known = list(dict.fromkeys(claim.id.partition("_")[0] for claim in chosen))
        chosen = tuple(claim for claim in chosen if name in (claim.id, claim.id.partition("_")[0]))
        if not chosen:
            raise unknown("claim", name, known)
    results = rebuild(seen_from(as_of), chosen)
    if json:
        typer.echo(as_json(claims_document(results)))
        return
    console = Console()
    columns: list[Column | str] = [
        "claim and ways to rebuild it", Column("published\nallowed", True),
        Column("rebuilt\nband", True), Column("off by", True), Column("verdict", name=True),
    ]
    rows = [
        row
        for _, ways in itertools.groupby(results, key=lambda result: result.id)
        for row in _rows(tuple(ways))
    ]
    print_table("Published claims, rebuilt", columns, rows, console)
    for result in results:
        if name is not None or result.verdict != "holds":
            _explain(result, console, whole=name is not None)
    if name is None:
        counts = claims_document(results).counts
        say(console, f"Ways to rebuild: {counts.holds} hold, {counts.breaks} break. Events: "
                     f"{counts.happened} happened. Not counted, as they cannot be rebuilt: "
                     f"{counts.cannot_be_rebuilt}.")
        say(console, _RULE)
        say(console, "Every input with its source: fabless claims ID, or --json.")


def number_with_unit(text: str, unit: str) -> str:
    """Put the unit after a number, unless the number is a bare count or share (unit 1)."""
    return text if unit == "1" else f"{text} {unit}"


def _rows(ways: Sequence[ClaimResult]) -> list[list[str]]:
    """Rows of a claim: its words, then each way to rebuild it."""
    first = ways[0]
    words = f"{first.id.partition('_')[0]} {first.short}"
    if not first.variant:
        return [[words, _published(first), "", "", _verdict(first)]]
    return [[words, "", "", "", ""]] + [
        [
            f"  {way.variant}", _published(way),
            "" if way.rebuilt is None
            else _with_range(way.rebuilt.mode, way.rebuilt.low, way.rebuilt.high),
            "" if way.deviation is None else f"{way.deviation:+.0%}", _verdict(way),
        ]
        for way in ways
    ]


def _published(result: ClaimResult) -> str:
    """Published value with its unit, and below it what the wording allows."""
    said = result.published
    if said is None:
        return ""
    if said.value is None:
        return number_with_unit(f"{plain(said.low)}-{plain(said.high)}", said.unit)
    value = number_with_unit(plain(said.value), said.unit)
    return f"{value}\n{plain(said.low)}-{plain(said.high)}"


def _with_range(value: float, low: float, high: float) -> str:
    """A value, and below it its range, where it has one."""
    return plain(value) if low == high else f"{plain(value)}\n{plain(low)}-{plain(high)}"


def _verdict(result: ClaimResult) -> str:
    return result.verdict.replace(" be rebuilt", "")


def _reason(result: ClaimResult) -> str:
    """Where the band lies against what the wording allows, which decides the verdict."""
    band, said = result.rebuilt, result.published
    if band is None or said is None:
        return ""
    place = ("reaches" if result.verdict == "holds"
             else "stays below" if band.high < said.low else "stays above")
    unit = "" if said.unit == "1" else f" {said.unit}"
    return (
        f"The band, {plain(band.low)} to {plain(band.high)}{unit}, {place} what the wording "
        f"allows, {plain(said.low)} to {plain(said.high)}{unit}.")


def _explain(result: ClaimResult, console: Console, whole: bool) -> None:
    needed = result.breaking_input
    what = "" if needed is None or result.verdict == "holds" else (
        f": {needed.name} would have to be {number_with_unit(plain(needed.value), needed.unit)}"
        f" ({needed.factor:.2g} times), {'inside' if needed.in_band else 'outside'} its band")
    say(console, f"{result.id.partition('_')[0]} {result.variant}{what}".rstrip())
    if not whole:
        if result.rebuilt is None:
            say(console, result.note or result.claim, indent=4)
        return
    for text in (result.claim, result.formula, _reason(result), result.note):
        if text:
            say(console, text, indent=4)
    for used in result.inputs:
        number = f"{plain(used.value)} ({plain(used.low)} to {plain(used.high)})"
        source = f"{used.grade.value}: {used.source.title} [{used.fact}]"
        say(console, f"{used.name} = {number_with_unit(number, used.unit)}, {source}", indent=6)
