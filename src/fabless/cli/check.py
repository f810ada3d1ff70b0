"""`fabless check`: is a case sound, and does it use what its day could not know?"""

from __future__ import annotations

import typer
from rich.console import Console

from fabless.catalogue import REFERENCE, DatedInput, leaks, load
from fabless.cli.options import CaseName, Json, LinkText, asked
from fabless.report import Column, as_json, print_table, say


def check_command(
    case: CaseName = REFERENCE,
    link: LinkText = None,
    json: Json = False,
) -> None:
    """Read a case without deciding it, and list what it uses that its day could not know.

    Lists each input whose source is later than the day of the case, with the reason that the case
    gives, and each whose source has no date. A later one without a reason is an error.
    """
    question, moves = asked(case, link)
    listed = leaks(question, load(question.as_of))
    if json:
        typer.echo(as_json({
            "case": question.name, "as_of": question.as_of, "moved": moves, "inputs": listed}))
        return
    console = Console()
    for sentence in moves:
        say(console, sentence)
    late = [item for item in listed if item.is_late(question.as_of)]
    undated = [item for item in listed if item.known is None]
    if late:
        columns: list[Column | str] = [
            Column("input", name=True), Column("known", name=True), Column("source", name=True),
            "why it is used"]
        print_table(f"Later than {question.as_of}", columns, [_row(item) for item in late], console)
    if undated:
        print_table("From sources without a date", [Column("input", name=True), "source"],
                    [[item.name, item.source.title] for item in undated], console)
    say(console, f"{question.title}: the case is sound. Of its inputs {len(late)} are later than "
                 f"{question.as_of}, each with a reason; {len(undated)} have a source without a date.")


def _row(item: DatedInput) -> list[str]:
    return [item.name, str(item.known), item.source.id, item.reason]
