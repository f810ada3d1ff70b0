"""Text and tables on a terminal, in ASCII where it has no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fabless import wording

FULL_WIDTH = 100
"""Columns from which a terminal counts as wide."""
_LEAST_WORDS = 12
_ASCII_RULE = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True)
class Column:
    """A column of a printed table: its heading, and whether it holds numbers (set to the right) or
    names.

    Neither numbers nor names are ever broken; words are.
    """

    heading: str
    number: bool = False
    name: bool = False

    @property
    def whole(self) -> bool:
        """Whether its cells stay on one line."""
        return self.number or self.name


def _writes_symbols(console: Console) -> bool:
    return console.encoding.lower().replace("-", "").startswith("utf")


def say(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    """Print text as it is, no markup read, broken at words, in ASCII where the terminal has no
    more."""
    shown = text if _writes_symbols(console) else wording.ascii_only(text)
    width = max(20, console.width - indent)
    for number, line in enumerate(Text(shown, style=style).wrap(console, width)):
        line.rstrip()
        console.print(Text(" " * (indent if number else max(0, indent - 2))) + line, soft_wrap=True)


def print_table(title: str, columns: Sequence[Column | str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a table; cells are plain text. A column given as a bare string holds words. Without any
    heading there is no line of them.

    Cells are printed as they are: names that look like markup stay names. Columns of words give way
    on a narrow terminal; numbers and names are never cut, so that a table of too many of them runs
    past the edge.
    """
    ascii_terminal = not _writes_symbols(console)

    def cell(text: str) -> Text:
        return Text(wording.ascii_only(text) if ascii_terminal else text)

    gap = 1 if console.width < FULL_WIDTH else 2
    table = Table(
        box=_ASCII_RULE if ascii_terminal else box.SIMPLE_HEAD,
        title=cell(title) if title else None, title_justify="left", title_style="bold",
        header_style="dim", padding=(0, gap - 1, 0, 0), pad_edge=False, show_edge=False,
        show_header=any(
            column.heading if isinstance(column, Column) else column for column in columns),
    )
    natural = least = gap * (len(columns) - 1)
    for place, column in enumerate(columns):
        known = column if isinstance(column, Column) else Column(column)
        table.add_column(
            cell(known.heading), justify="right" if known.number else "left", no_wrap=known.whole,
            overflow="fold", vertical="top",
        )
        lines = [line for text in (known.heading, *(row[place] for row in rows)) for line in text.split("\n")]
        longest = max(map(cell_len, lines))
        natural += longest
        least += longest if known.whole else min(longest, _LEAST_WORDS)
    for row in rows:
        table.add_row(*map(cell, row))
    if natural > console.width:
        table.width = max(console.width, least)
    console.print(table, crop=False, overflow="ignore")
