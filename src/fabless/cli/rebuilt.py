"""`fabless claims`: published claims, rebuilt from named inputs."""

from __future__ import annotations

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
        Column("claim", name=True), "way", Column("published", True), Column("rebuilt", True),
        Column("off by", True), Column("verdict", name=True),
    ]
    print_table("Published claims, rebuilt", columns, [_row(item) for item in results], console)
    for result in results:
        if name is not None or result.verdict != "holds":
            _explain(result, console, whole=name is not None)
    if name is None:
        say(console, "A claim holds if the range that its wording allows overlaps the band that "
                     "its inputs give; 'off by' compares it with the most likely values.")
        say(console, "Every input with its source: fabless claims ID, or --json.")


def number_with_unit(text: str, unit: str) -> str:
    """Put the unit after a number, unless the number is a bare count or share (unit 1)."""
    return text if unit == "1" else f"{text} {unit}"


def _row(result: ClaimResult) -> list[str]:
    published = "" if result.published is None else number_with_unit(
        plain(result.published.value) if result.published.value is not None
        else f"{plain(result.published.low)}-{plain(result.published.high)}", result.published.unit)
    rebuilt = (
        ""
        if result.rebuilt is None
        else (
            plain(result.rebuilt.mode)
            if result.rebuilt.low == result.rebuilt.high
            else f"{plain(result.rebuilt.mode)} ({plain(result.rebuilt.low)}-{plain(result.rebuilt.high)})"
        )
    )
    deviation = "" if result.deviation is None else f"{result.deviation:+.0%}"
    return [
        result.id.partition("_")[0], result.variant, published, rebuilt, deviation,
        result.verdict.replace(" be rebuilt", ""),
    ]


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
    for text in (result.claim, result.formula, result.note):
        if text:
            say(console, text, indent=4)
    for used in result.inputs:
        number = f"{plain(used.value)} ({plain(used.low)} to {plain(used.high)})"
        source = f"{used.grade.value}: {used.source.title} [{used.fact}]"
        say(console, f"{used.name} = {number_with_unit(number, used.unit)}, {source}", indent=6)
