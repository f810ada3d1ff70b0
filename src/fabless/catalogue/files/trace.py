"""Request traces: when each request came, and how many tokens went in and out."""

from __future__ import annotations

import datetime as dt
import gzip
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fabless.catalogue.facts.text import read_text, rows
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.records import Array, Request

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
_TRACES = Path(__file__).resolve().parents[2] / "data" / "traces"
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Trace:
    """Requests of a service in the order of the file; each array has one value a request."""

    name: str
    arrival_s: Array = field(repr=False)
    """Seconds after the first arrival."""
    input_tokens: Array = field(repr=False)
    output_tokens: Array = field(repr=False)
    last_day: dt.date
    """The day of its last request: nobody could have the trace before."""

    @property
    def request(self) -> Request:
        """The mean request."""
        return Request(float(self.input_tokens.mean()), float(self.output_tokens.mean()), self.name)


class _Parser:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def tokens(self, place: str, column: str, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < 0:
            self.faults.append(Fault(place, f"{column} {text!r}", "a number of tokens, 0 or more",
                                     "mend or remove the line"))
        return number

    def moment(self, place: str, text: str) -> dt.datetime | None:
        try:
            return dt.datetime.fromisoformat(text.strip())
        except ValueError:
            self.faults.append(
                Fault(
                    place, f"TIMESTAMP {text!r}", "a time such as 2023-11-16 18:15:46.68",
                    "mend or remove the line",
                )
            )
            return None


def parse_trace(text: str, place: str, name: str) -> Trace:
    """Read a trace from CSV text with columns TIMESTAMP, ContextTokens, GeneratedTokens.

    Raises `BadFile` when a column is missing or no request follows, `BadValue` with the lines that
    hold no time, no number, NaN or a negative number.
    """
    parser = _Parser()
    moments: list[dt.datetime | None] = []
    sizes: list[tuple[float, float]] = []
    for row in rows(text, place, COLUMNS):
        moments.append(parser.moment(row.place, row.cells["TIMESTAMP"]))
        sizes.append((parser.tokens(row.place, "ContextTokens", row.cells["ContextTokens"]),
                      parser.tokens(row.place, "GeneratedTokens", row.cells["GeneratedTokens"])))
    if len(parser.faults) > _SHOWN_FAULTS:
        more = len(parser.faults) - _SHOWN_FAULTS
        raise BadValue(
            *parser.faults[:_SHOWN_FAULTS],
            Fault(place, f"{more} more faults of this kind", "none", "mend these lines too"),
        )
    if parser.faults:
        raise BadValue(*parser.faults)
    times = [moment for moment in moments if moment is not None]
    if not times:
        raise BadFile(Fault(place, "no request after the first line", "at least one request", "give a trace with data"))
    if len({moment.tzinfo is None for moment in times}) > 1:
        raise BadValue(Fault(place, "times with and without a time zone", "one of the two", "write all alike"))
    first = min(times)
    arrival = np.array([(moment - first).total_seconds() for moment in times])
    table = np.array(sizes)
    return Trace(name, arrival, table[:, 0], table[:, 1], max(times).date())


def read_trace(path: Path) -> Trace:
    """Read a trace file; errors as `parse_trace`."""
    return parse_trace(read_text(path), str(path), path.stem)


def embedded_trace(name: str) -> Trace:
    """A shipped trace by name; `UnknownName` when there is none of that name.

    >>> embedded_trace("azure-2023-conversation").input_tokens.size
    19366
    """
    shipped = sorted(path.name.removesuffix(".csv.gz") for path in _TRACES.glob("*.csv.gz"))
    if name not in shipped:
        raise unknown("trace", name, shipped)
    path = _TRACES / f"{name}.csv.gz"
    return parse_trace(gzip.decompress(path.read_bytes()).decode(), str(path), name)
