"""Tables of measurements: those that ship, and those that people bring (CSV, plain or gzip)."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fabless.catalogue.facts.text import read_rows
from fabless.errors import BadFile, Fault

MEASURED = Path(__file__).resolve().parents[2] / "data" / "measured"
"""Shipped tables of measured rows, and `readings.csv`."""

_GZIP = b"\x1f\x8b"
_READING_COLUMNS = ("kind", "pattern", "value", "unit", "grade", "source", "note")


@dataclass(frozen=True)
class Table:
    """A CSV file: the name to print, its header, and the lines that hold something, each with its
    number."""

    name: str
    header: tuple[str, ...]
    lines: tuple[tuple[int, Mapping[str, str]], ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a row means beyond what it says: an assumption or a fact on rows whose text matches
    `pattern`."""

    kind: str
    pattern: str
    """Regular expression, sought in the text that the kind names, without case."""
    value: str
    unit: str
    grade: str
    source: str
    note: str


def _unreadable(path: Path, reason: str) -> BadFile:
    return BadFile(
        Fault(
            str(path), reason, "a CSV file, plain or gzip, in UTF-8", "check the path and the file"
        )
    )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw.startswith(_GZIP):
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _unreadable(path, f"is not a whole gzip file: {error}") from error
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not text (byte {error.start})") from error
    if "\0" in text:
        raise _unreadable(path, "is not text (holds zero bytes)")
    return text


def read_table(path: Path) -> Table:
    """Read a CSV file, plain or gzip.

    Raises `BadFile` when it cannot be read, is no text, has no header, names a column twice, or has
    lines with another number of cells than the header (all of them are named).
    """
    lines = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        header = tuple(cell.strip() for cell in next(lines, ()))
        if not any(header):
            raise BadFile(
                Fault(
                    f"{path}:1", "is empty", "names of columns in the first line",
                    "give a file with rows",
                )
            )
        twice = sorted({column for column in header if header.count(column) > 1})
        if twice:
            raise BadFile(Fault(f"{path}:1", f"column {', '.join(twice)} twice", "each column once",
                                "remove one of the two"))
        rows: list[tuple[int, Mapping[str, str]]] = []
        faults: list[Fault] = []
        for cells in lines:
            if len(cells) == len(header):
                rows.append((lines.line_num, dict(zip(header, map(str.strip, cells), strict=True))))
            elif cells:
                faults.append(
                    Fault(
                        f"{path}:{lines.line_num}", f"{len(cells)} cells",
                        f"{len(header)} cells, as in the first line",
                        "quote a cell that holds a comma",
                    )
                )
    except csv.Error as error:
        raise BadFile(
            Fault(
                f"{path}:{lines.line_num}", f"is not CSV: {error}", "comma-separated text",
                "write the file anew",
            )
        ) from error
    if faults:
        more = [
            Fault(
                str(path), f"{len(faults) - 20} more lines of this kind", "none", "mend these too"
            )
        ]
        raise BadFile(*faults[:20], *(more if len(faults) > 20 else []))
    return Table(str(path), header, tuple(rows))


def shipped_tables() -> tuple[Table, ...]:
    """Return the measured rows that ship with the program, a table each."""
    return tuple(Table(path.name, table.header, table.lines)
                 for path in sorted(MEASURED.glob("*.csv.gz")) for table in (read_table(path),))


def readings() -> tuple[Reading, ...]:
    """Return what rows mean beyond what they say, in the order of the file: the first that matches
    counts."""
    return tuple(Reading(**{column: row.cells[column] for column in _READING_COLUMNS})
                 for row in read_rows(MEASURED / "readings.csv", _READING_COLUMNS))
