"""What happened, what others said then, and the trend of the day: records, read from CSV with every
fault named.

Numbers are in SI. A truth has an interval of its own: a triangular law on logarithms between its
low and its high, with its value as mode.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fabless.backtest.periods import Period
from fabless.catalogue.facts.read import read_sources
from fabless.catalogue.facts.text import DATA, CsvRow, read_rows
from fabless.errors import BadValue, FablessError, Fault, suggestion
from fabless.records import Range, Source
from fabless.units import to_si

TRUTH_COLUMNS = ("quantity", "date", "value", "low", "high", "unit", "source", "known")
PUBLISHED_COLUMNS = (
    "who", "quantity", "date", "low", "value", "high", "unit", "source", "published",
)
TREND_COLUMNS = (
    "quantity", "today_low", "today", "today_high", "growth_low", "growth", "growth_high", "unit",
    "source", "published",
)
_WITH_ADDRESS = re.compile(r"(.+?)\s*\((https?://[^\s)]+)\)")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A quantity as it came to be."""

    quantity: str
    period: Period
    """When it was so; of a wait, when it ended."""
    value: float
    low: float
    high: float
    unit: str
    """Unit of the file, to print it in."""
    source: Source
    known: dt.date
    """Day on which it became public."""
    place: str
    """File and line."""


@dataclass(frozen=True, kw_only=True)
class PublishedForecast:
    """A forecast that somebody published."""

    who: str
    quantity: str
    period: Period
    value: float
    low: float
    high: float
    unit: str
    source: Source
    published: dt.date
    place: str


@dataclass(frozen=True, kw_only=True)
class Trend:
    """What growth known on the day would give: a level of today, and its multiple a year."""

    quantity: str
    """Quantity, or the beginning of the names of several."""
    today: Range
    growth: Range
    unit: str
    source: Source
    published: dt.date
    place: str


class _Reader:
    """Reads cells and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.sources = read_sources(DATA / "sources.csv")

    def number(self, row: CsvRow, column: str, otherwise: float | None = None) -> float:
        """The number of a cell; NaN and a fault where there is none."""
        text = row.cells[column].strip()
        if not text and otherwise is not None:
            return otherwise
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.faults.append(Fault(
                f"{row.place} {column}", f"{text!r} is not a number", "a finite number",
                "write the number, or leave the row out"))
        return value

    def converted(self, row: CsvRow, values: Mapping[str, float]) -> tuple[float, ...]:
        """Three numbers in rising order, in SI."""
        low, middle, high = values.values()
        if math.isfinite(low + middle + high) and not low <= middle <= high:
            names = " <= ".join(values)
            self.faults.append(Fault(row.place, f"{low:g}, {middle:g}, {high:g}", names,
                                     f"put {', '.join(values)} in rising order"))
        unit = row.cells["unit"].strip()
        return tuple(self.tried(math.nan, to_si, value, unit, f"{row.place} unit")
                     for value in (low, middle, high))

    def band(self, row: CsvRow) -> tuple[float, ...]:
        """Low, value and high of a row in SI; without ends the value is all three."""
        value = self.number(row, "value")
        return self.converted(row, {
            "low": self.number(row, "low", value), "value": value,
            "high": self.number(row, "high", value)})

    def day(self, row: CsvRow, column: str) -> dt.date:
        """The last day of what a cell says."""
        return self.period(row, column).last

    def period(self, row: CsvRow, column: str) -> Period:
        """The period of a cell."""
        return self.tried(
            Period("", dt.date.min, dt.date.max), Period.parse, row.cells[column],
            f"{row.place} {column}")

    def source(self, row: CsvRow) -> Source:
        """The source of a row: an id of the catalogue, or a title with its address."""
        text = row.cells["source"].strip()
        if text in self.sources:
            return self.sources[text]
        if match := _WITH_ADDRESS.fullmatch(text):
            return Source("", match[1], match[2], "")
        self.faults.append(Fault(
            f"{row.place} source", f"{text!r} is no id of a source and has no address",
            "an id of the catalogue's sources, or 'title (https://...)'",
            suggestion(text, self.sources, "write the title and, in brackets, the address")))
        return Source("", text, "", "")

    def tried(self, otherwise: T, make: Callable[..., T], *arguments: object) -> T:
        """What `make` gives; `otherwise`, and its faults kept, where it fails."""
        try:
            return make(*arguments)
        except FablessError as error:
            self.faults.extend(error.faults)
            return otherwise

    def once(self, rows: list[tuple[object, str]], what: str) -> None:
        """Keep a fault for each key that comes twice."""
        seen: dict[object, str] = {}
        for key, place in rows:
            if key in seen:
                self.faults.append(Fault(place, f"{what} for the second time", "each once",
                                         f"remove this line or that of {seen[key]}"))
            seen.setdefault(key, place)

    def refuse(self) -> None:
        """Raise every fault at once, where there are some."""
        if self.faults:
            raise BadValue(*dict.fromkeys(self.faults))


def read_truths(path: Path, as_of: dt.date) -> tuple[Truth, ...]:
    """Read what happened after a day.

    Raises `BadFile` for another form, `BadValue` with every fault: unknown units and dates, ends
    that do not enclose the value, a truth known by `as_of`, a quantity and date for the second
    time.
    """
    reader, truths = _Reader(), []
    for row in read_rows(path, TRUTH_COLUMNS):
        low, value, high = reader.band(row)
        truth = Truth(
            quantity=row.cells["quantity"].strip(), period=reader.period(row, "date"), value=value,
            low=low, high=high, unit=row.cells["unit"].strip(), source=reader.source(row),
            known=reader.day(row, "known"), place=row.place)
        if truth.known <= as_of:
            reader.faults.append(Fault(
                f"{row.place} known", f"{truth.known} is not after the day of the case",
                f"later than {as_of}", "leave out what the day of the case could know"))
        truths.append(truth)
    reader.once([((truth.quantity, truth.period.text), truth.place) for truth in truths],
                "quantity and date")
    reader.refuse()
    return tuple(truths)


def read_published(path: Path, as_of: dt.date) -> tuple[PublishedForecast, ...]:
    """Read what others forecast by a day; raises `BadFile` and `BadValue` with every
    fault, a forecast published later among them."""
    reader, forecasts = _Reader(), []
    for row in read_rows(path, PUBLISHED_COLUMNS):
        low, value, high = reader.band(row)
        forecasts.append(PublishedForecast(
            who=row.cells["who"].strip(), quantity=row.cells["quantity"].strip(),
            period=reader.period(row, "date"), value=value, low=low, high=high,
            unit=row.cells["unit"].strip(), source=reader.source(row),
            published=_by(reader, row, as_of), place=row.place))
    reader.once([((item.who, item.quantity, item.period.text), item.place) for item in forecasts],
                "forecaster, quantity and date")
    reader.refuse()
    return tuple(forecasts)


def read_trends(path: Path, as_of: dt.date) -> tuple[Trend, ...]:
    """Read trends known by a day; raises `BadFile` and `BadValue` with every fault, one
    published later or not above 0 among them."""
    reader, trends = _Reader(), []
    for row in read_rows(path, TREND_COLUMNS):
        today = reader.converted(row, {
            name: reader.number(row, name) for name in ("today_low", "today", "today_high")})
        names = ("growth_low", "growth", "growth_high")
        growth = tuple(reader.number(row, name) for name in names)
        published = _by(reader, row, as_of)
        ranges = [reader.tried(None, _log_range, row.place, values) for values in (today, growth)
                  if all(map(math.isfinite, values))]
        if len(ranges) == 2 and ranges[0] is not None and ranges[1] is not None:
            trends.append(Trend(
                quantity=row.cells["quantity"].strip(), today=ranges[0], growth=ranges[1],
                unit=row.cells["unit"].strip(), source=reader.source(row), published=published,
                place=row.place))
    reader.once([(item.quantity, item.place) for item in trends], "trend")
    reader.refuse()
    return tuple(trends)


def _by(reader: _Reader, row: CsvRow, as_of: dt.date) -> dt.date:
    """Day of publication, with a fault where it is after the day of the case."""
    day = reader.day(row, "published")
    if day > as_of:
        reader.faults.append(Fault(
            f"{row.place} published", f"{day} is after the day of the case", f"{as_of} or before",
            "leave out what the day of the case could not know"))
    return day


def _log_range(place: str, values: tuple[float, ...]) -> Range | None:
    low, mode, high = values
    if low <= 0.0:
        raise BadValue(Fault(
            place, f"{low:g}", "above 0: a trend is one of logarithms", "correct the number"))
    return Range(low, mode, high, "log")


def companion(truths: Path, kind: str) -> Path | None:
    """The file of forecasts or trends that goes with a file of truths: beside it, with the same
    beginning; None where there is none."""
    beginning = truths.name.removesuffix(".csv").removesuffix(".truths")
    path = truths.with_name(f"{beginning}.{kind}.csv")
    return path if path.exists() else None
