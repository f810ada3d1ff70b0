"""Read text and CSV rows, with errors that name the place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fabless.errors import BadFile, Fault

DATA = Path(__file__).resolve().parents[2] / "data"
"""Where the shipped data lie."""


@dataclass(frozen=True)
class CsvRow:
    """A line of a CSV file with the place to name when it is wrong."""

    place: str
    cells: Mapping[str, str]


def read_text(path: Path) -> str:
    """Return the text of a file; `BadFile` when it is missing, unreadable or not UTF-8 text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadFile(Fault(str(path), f"cannot be read: {error.strerror}", "a readable file",
                            "check the path and the permissions")) from error
    except UnicodeDecodeError as error:
        raise BadFile(Fault(str(path), f"is not text (byte {error.start})", "text in UTF-8",
                            "give the file as plain text in UTF-8")) from error
    if "\0" in text:
        raise BadFile(Fault(str(path), "is not text (holds zero bytes)", "text in UTF-8",
                            "give the file as plain text in UTF-8"))
    return text


def rows(text: str, place: str, columns: tuple[str, ...]) -> Iterator[CsvRow]:
    """Yield the lines of CSV text as rows; `BadFile` when a column is missing or a line has another
    length."""
    lines = csv.reader(io.StringIO(text, newline=""))
    header = tuple(cell.strip() for cell in next(lines, ()))
    missing = [column for column in columns if column not in header]
    if missing:
        reason = f"column {', '.join(missing)} missing" if header else "is empty"
        raise BadFile(
            Fault(f"{place}:1", reason, ", ".join(columns), "write these columns in the first line")
        )
    for cells in lines:
        line_place = f"{place}:{lines.line_num}"
        if len(cells) != len(header):
            raise BadFile(
                Fault(
                    line_place, f"{len(cells)} cells", f"{len(header)} cells, as in the first line",
                    "quote a cell that holds a comma",
                )
            )
        yield CsvRow(line_place, dict(zip(header, cells, strict=True)))


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[CsvRow]:
    """Yield the lines of a CSV file as rows; those of shipped data are placed from its folder,
    wherever that is."""
    place = path.relative_to(DATA).as_posix() if path.is_relative_to(DATA) else str(path)
    return rows(read_text(path), place, columns)
