"""Read fact rows and sources, and check every one of them.

A facts file has one datum a row; its name is the topic (``chips.csv`` holds the topic ``chips``).
All faults of all files are found before any is reported, each with the file and line it stands on.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from pathlib import Path

from fabless.catalogue.facts.text import CsvRow, read_rows
from fabless.errors import BadValue, Fault, suggestion
from fabless.records import Fact, Grade, Source
from fabless.units import UNITS

FACT_COLUMNS = (
    "entity", "field", "value", "low", "high", "unit", "period", "price_year", "known", "grade",
    "source", "note",
)
SOURCE_COLUMNS = ("id", "title", "url", "date")

_NAME = re.compile(r"[a-z0-9][a-z0-9.+_-]*")
_PERIOD = re.compile(r"|\d{4}(Q[1-4]|H[12]|-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_SOURCE_DATE = re.compile(r"|\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_GRADES = {grade.value: grade for grade in Grade}
_SIGNED = frozenset({"number", "token", "money", "money rate"})
"""Dimensions in which zero and less can be meant; every other dimension is a size and has to be
positive."""
_MONEY = frozenset(dimension for dimension, _ in UNITS.values() if dimension.startswith("money"))


def read_sources(path: Path) -> dict[str, Source]:
    """Read the table of sources."""
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    for row in read_rows(path, SOURCE_COLUMNS):
        source = Source(*(row.cells[column] for column in SOURCE_COLUMNS))
        if not source.id or not source.title:
            faults.append(Fault(row.place, "source without id or title", "both", "fill the empty cell"))
        if not _SOURCE_DATE.fullmatch(source.date):
            faults.append(Fault(row.place, f"date {source.date!r}", "2023-10-31, 2023-10, 2023 or nothing",
                                "write the day, month or year of publication"))
        if source.id in sources:
            faults.append(
                Fault(
                    row.place, f"source {source.id!r} for the second time", "each id once",
                    "remove one of the two lines or rename it",
                )
            )
        sources[source.id] = source
    if faults:
        raise BadValue(*faults)
    return sources


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


class _Checker:
    """Turns rows into facts and collects what is wrong with them."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.faults: list[Fault] = []
        self.seen: dict[tuple[str, str, str, dt.date], str] = {}

    def fault(self, place: str, found: str, allowed: str, remedy: str) -> None:
        self.faults.append(Fault(place, found, allowed, remedy))

    def number(self, row: CsvRow, column: str, unit: str) -> float | None:
        """The number of a cell in SI; a fault and None when it is not one."""
        try:
            number = float(row.cells[column])
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fault(
                row.place, f"{column} {row.cells[column]!r} is not a finite number",
                "a finite number", "leave the row out when the value is not known",
            )
            return None
        kind, factor = UNITS[unit]
        if kind not in _SIGNED and number <= 0:
            self.fault(row.place, f"{column} {number:g} {unit}", f"a {kind} is positive",
                       "leave the row out when the value is not known")
            return None
        return number * factor

    def value(self, row: CsvRow, unit: str) -> float | str | dt.date | None:
        """The value of a row in the form its unit asks for."""
        text = row.cells["value"]
        if unit == "text":
            if not text.strip():
                self.fault(row.place, "empty text", "some text", "leave the row out when the value is not known")
                return None
            return text
        if unit == "date":
            day = _date(text)
            if day is None:
                self.fault(row.place, f"value {text!r} is not a date", "YYYY-MM-DD", "write for example 2023-10-31")
            return day
        return self.number(row, "value", unit)

    def band(self, row: CsvRow, value: object, unit: str) -> tuple[float | None, float | None]:
        """Low and high end of a row; they enclose the value."""
        written = [column for column in ("low", "high") if row.cells[column]]
        if not written:
            return None, None
        if not isinstance(value, float):
            if value is not None:
                self.fault(
                    row.place, f"{' and '.join(written)} on a {unit}", "a band on a number only",
                    "empty the cells low and high",
                )
            return None, None
        ends = {column: self.number(row, column, unit) for column in written}
        low, high = ends.get("low"), ends.get("high")
        if (low is not None and low > value) or (high is not None and high < value):
            self.fault(
                row.place,
                f"low {row.cells['low']}, value {row.cells['value']}, high {row.cells['high']}",
                "low <= value <= high", "put the three numbers in rising order",
            )
        return low, high

    def price_year(self, row: CsvRow, unit: str) -> int | None:
        """Price year of a row: needed for money, absent elsewhere."""
        text = row.cells["price_year"]
        if not text:
            if unit in UNITS and UNITS[unit][0] in _MONEY:
                self.fault(row.place, "money without a price year", "a year", "say of which year the dollars are")
            return None
        if not re.fullmatch(r"(19|20)\d\d", text):
            self.fault(row.place, f"price year {text!r}", "a year such as 2023", "write the year with four digits")
            return None
        return int(text)

    def names(self, row: CsvRow) -> None:
        for column in ("entity", "field"):
            if not _NAME.fullmatch(row.cells[column]):
                self.fault(
                    row.place, f"{column} {row.cells[column]!r}", "small letters, digits, . + _ -",
                    "rename it, for example h100-sxm or memory_bandwidth",
                )
        if not _PERIOD.fullmatch(row.cells["period"]):
            self.fault(
                row.place, f"period {row.cells['period']!r}",
                "empty, 2024, 2024Q3, 2024H1, 2024-06, 2024-06-30", "use one of these forms",
            )

    def fact(self, row: CsvRow) -> Fact | None:
        """The fact of a row, or None with its faults collected."""
        before = len(self.faults)
        cells = row.cells
        self.names(row)
        unit = cells["unit"]
        value: float | str | dt.date | None = None
        low = high = None
        if unit not in UNITS:
            self.fault(row.place, f"unknown unit {unit!r}", "a unit of fabless.units.UNITS",
                       suggestion(unit, UNITS, "convert the value to a unit of the list"))
        else:
            value = self.value(row, unit)
            low, high = self.band(row, value, unit)
        year = self.price_year(row, unit)
        known = _date(cells["known"])
        if known is None:
            self.fault(row.place, f"known {cells['known']!r} is not a date", "YYYY-MM-DD",
                       "give the day on which the value became public, at the latest")
        grade = _GRADES.get(cells["grade"])
        if grade is None:
            self.fault(row.place, f"unknown grade {cells['grade']!r}", ", ".join(_GRADES),
                       suggestion(cells["grade"], _GRADES, "choose one of the grades"))
        source = self.sources.get(cells["source"])
        if source is None:
            self.fault(row.place, f"unknown source {cells['source']!r}", "an id of sources.csv",
                       suggestion(cells["source"], self.sources, "add the source to sources.csv"))
        if known is not None:
            key = (cells["entity"], cells["field"], cells["period"], known)
            if key in self.seen:
                self.fault(
                    row.place, f"{' '.join(map(str, key))} for the second time", "each fact once",
                    f"remove it here or at {self.seen[key]}",
                )
            self.seen[key] = row.place
        if len(self.faults) > before or value is None or known is None or grade is None or source is None:
            return None
        return Fact(
            entity=cells["entity"], field=cells["field"], value=value, low=low, high=high,
            unit=unit, period=cells["period"], price_year=year, known=known, grade=grade,
            source=source, note=cells["note"],
            place=row.place,
        )


def read_facts(paths: list[Path], sources: Mapping[str, Source]) -> dict[str, tuple[Fact, ...]]:
    """Read facts files; returns topic -> facts.

    Raises `BadValue` with every fault of every row: unit, number, band, date, grade, source,
    period, price year, repetition.
    """
    checker = _Checker(sources)
    topics = {path.stem: tuple(fact for row in read_rows(path, FACT_COLUMNS)
                               if (fact := checker.fact(row)) is not None) for path in paths}
    if checker.faults:
        raise BadValue(*checker.faults)
    return topics
