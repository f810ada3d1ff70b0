"""Read what happened after the day of a case: paths by quarter, coming generations, fates of
programmes, and the orders that the company placed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fabless.case_records import Case
from fabless.catalogue.facts.text import DATA, CsvRow, read_text, rows
from fabless.catalogue.files.yaml import Document, read_document
from fabless.errors import BadValue, Fault, suggestion
from fabless.units import UNITS, Quarter, to_si

BACKTESTS = DATA / "backtests"
"""Where the shipped files of what happened lie."""
ORDER_COLUMNS = ("quarter", "line", "chips", "basis", "source")
_WHOLE: Mapping[str, str] = {
    "queries_per_day": "query/day", "work": "1", "chip_seconds_per_query": "s",
    "training_flop": "FLOP", "supply.scarce": "1",
}
"""Quantities of the whole case, each with a unit of its dimension."""
_OF_LINE: Mapping[str, str] = {
    "chip_price": "USD", "rent": "USD/h", "lead_time": "week", "allotment": "chip"}
_OF_LOAD: Mapping[str, str] = {"training_flop": "FLOP"}


@dataclass(frozen=True)
class RealisedPath:
    """What one quantity was in some quarters, in SI; between them it is interpolated."""

    name: str
    values: Mapping[int, float]
    """By quarters since the first of the case."""
    unit: str
    """The unit to print it in."""
    source: str
    note: str


@dataclass(frozen=True, kw_only=True)
class RealisedGeneration:
    """A coming generation of a vendor as it came; what is None is not known."""

    first_volume: int
    """Quarters since the first of the case."""
    gain: float | None
    """Throughput over that of today's chip of the line."""
    price: float | None
    """Price over that of today's chip of the line, each when it came."""
    power: float | None
    """Rated power over that of today's chip of the line."""
    source: str


@dataclass(frozen=True, kw_only=True)
class RealisedProgramme:
    """What became of a programme; it takes as long from whichever quarter it starts in."""

    by_company: bool
    """Whether the company itself ran it."""
    started: int
    """Quarters since the first of the case."""
    volume: int | None
    """Quarters since the first of the case at which chips came in volume; None: it was ended."""
    ended: int | None
    performance: float | None
    """Delivered over planned performance; None: not known."""
    trains: bool | None
    """Whether the chip came with training; None: not known."""
    source: str


@dataclass(frozen=True, kw_only=True)
class Realised:
    """What happened after the day of a case, as far as it is known."""

    title: str
    place: str
    until: int
    """Last quarter, since the first of the case, of which anything is known."""
    paths: Mapping[str, RealisedPath]
    generations: Mapping[str, tuple[RealisedGeneration, ...]]
    """By vendor, in lower case."""
    programmes: Mapping[str, RealisedProgramme]


@dataclass(frozen=True)
class CompanyOrder:
    """What the company ordered from a line in a quarter, as far as public."""

    quarter: int
    """Quarters since the first of the case."""
    line: str
    chips: float
    basis: str
    source: str


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Path(_Exact):
    unit: str
    values: dict[str, float]
    source: str
    note: str = ""


class _Generation(_Exact):
    first_volume: str
    gain: float | None = None
    price: float | None = None
    power: float | None = None
    source: str
    note: str = ""


class _Programme(_Exact):
    by_company: bool = False
    started: str | None = None
    volume: str | None = None
    ended: str | None = None
    performance: float | None = None
    trains: bool | None = None
    source: str
    note: str = ""


class _File(_Exact):
    case: str
    title: str
    until: str
    quantities: dict[str, _Path] = {}
    generations: dict[str, list[_Generation]] = {}
    programmes: dict[str, _Programme] = {}


def realised_file(case: Case) -> Path | None:
    """The shipped file of what happened after the day of a case; None where there is none."""
    return _shipped(f"{case.name}.realised.yaml")


def orders_file(case: Case) -> Path | None:
    """The shipped file of the orders that the company of a case placed; None where there is
    none."""
    return _shipped(f"{case.name}.orders.csv")


def _shipped(name: str) -> Path | None:
    path = BACKTESTS / name
    return path if path.is_file() else None


def read_realised(path: Path, case: Case) -> Realised:
    """Read what happened after the day of a case.

    Raises `BadFile` for a file that is missing or no YAML, `BadValue` with every fault: a quantity,
    line, vendor or programme that the case does not have, a quarter outside its horizon, a value
    that cannot be, a unit of another dimension.
    """
    return realised_of(read_text(path), _place(path), case)


def _place(path: Path) -> str:
    return path.relative_to(DATA).as_posix() if path.is_relative_to(DATA) else str(path)


def realised_of(text: str, place: str, case: Case) -> Realised:
    """The record of a YAML text of what happened; `read_realised` says what is refused."""
    document = read_document(text, place)
    try:
        file = _File.model_validate(dict(document.fields))
    except ValidationError as error:
        raise BadValue(*(
            Fault(document.at(".".join(str(part) for part in fault["loc"])), fault["msg"],
                  "the form of a realised file", "see docs/explanation/replay.md")
            for fault in error.errors())) from error
    faults = list(_faults(file, document, case))
    if faults:
        raise BadValue(*faults)

    def since(text: str) -> int:
        return Quarter.parse(text) - case.first_quarter

    paths = {
        name: RealisedPath(
            name, {since(quarter): to_si(value, path.unit)
                   for quarter, value in sorted(path.values.items())},
            path.unit, path.source, path.note)
        for name, path in file.quantities.items()}
    generations = {
        vendor: tuple(
            RealisedGeneration(first_volume=since(item.first_volume), gain=item.gain,
                               price=item.price, power=item.power, source=item.source)
            for item in items)
        for vendor, items in file.generations.items()}
    programmes = {
        name: RealisedProgramme(
            by_company=item.by_company, started=since(item.started) if item.started else 0,
            volume=since(item.volume) if item.volume else None,
            ended=since(item.ended) if item.ended else None,
            performance=item.performance, trains=item.trains, source=item.source)
        for name, item in file.programmes.items()}
    return Realised(title=file.title, place=place, until=since(file.until), paths=paths,
                    generations=generations, programmes=programmes)


def _faults(file: _File, document: Document, case: Case) -> Iterator[Fault]:
    """Everything in a file that its case cannot have."""
    if file.case != case.name:
        yield Fault(document.at("case"), f"{file.case!r}", f"{case.name!r}, the name of the case",
                    "replay the case that the file was written for")
    yield from _quarter_faults(document, "until", file.until, case, inside=True)
    for name, path in file.quantities.items():
        yield from _path_faults(document, name, path, case)
    known = {line.vendor.lower() for line in case.lines if line.successors}
    for vendor, items in file.generations.items():
        place = f"generations.{vendor}"
        if vendor not in known:
            yield _unknown(document.at(place), "vendor", vendor, known)
        for number, item in enumerate(items):
            where = f"{place}.{number}"
            yield from _quarter_faults(document, f"{where}.first_volume", item.first_volume, case)
            yield from _sign_faults(document, where, {
                "gain": item.gain, "price": item.price, "power": item.power})
        when = [item.first_volume for item in items]
        if when != sorted(when):
            yield Fault(document.at(place), ", ".join(when), "generations in the order they came",
                        "put the first to come first")
    programmes = [item.name for item in case.programmes]
    for name, programme in file.programmes.items():
        yield from _programme_faults(document, name, programme, programmes, case)


def _path_faults(document: Document, name: str, path: _Path, case: Case) -> Iterator[Fault]:
    place = f"quantities.{name}"
    units = known_quantities(case)
    if name not in units:
        yield _unknown(document.at(place), "quantity", name, units)
    elif path.unit not in UNITS or UNITS[path.unit][0] != UNITS[units[name]][0]:
        yield Fault(document.at(f"{place}.unit"), f"{path.unit!r}",
                    f"{units[name]}, or another unit of {UNITS[units[name]][0]}", "mend the unit")
    if not path.values:
        yield Fault(document.at(place), "no values", "one quarter or more with its value",
                    "give values, such as {2024Q1: 3.0e+8}")
    for quarter, value in path.values.items():
        where = f"{place}.values.{quarter}"
        yield from _quarter_faults(document, where, quarter, case, inside=True)
        if name == "supply.scarce":
            if value not in (0.0, 1.0):
                yield Fault(document.at(where), f"{value:g}", "1 where supply is scarce, or 0",
                            "say for each quarter whether it was scarce")
        elif not (math.isfinite(value) and value > 0.0):
            yield Fault(document.at(where), f"{value:g}", "a number above 0", "mend the value")


def known_quantities(case: Case) -> dict[str, str]:
    """Quantities whose path may be stated for a case, each with a unit of its dimension."""
    units = dict(_WHOLE)
    for line in case.lines:
        priced = "rent" if line.how == "rent" else "chip_price"
        units |= {f"{name}.{line.name}": unit for name, unit in _OF_LINE.items()
                  if name not in ("rent", "chip_price") or name == priced}
    units |= {f"{name}.{load.name}": unit for name, unit in _OF_LOAD.items()
              for load in case.loads if load.kind == "training"}
    units |= {f"pool.{name}": pool.output.unit for name, pool in case.numbers.pools.items()}
    return units


def _programme_faults(
    document: Document, name: str, item: _Programme, known: list[str], case: Case
) -> Iterator[Fault]:
    place = f"programmes.{name}"
    if name not in known:
        yield _unknown(document.at(place), "programme", name, known)
    for part in ("started", "volume", "ended"):
        text = getattr(item, part)
        if text is not None:
            yield from _quarter_faults(document, f"{place}.{part}", text, case)
    if (item.volume is None) == (item.ended is None):
        yield Fault(document.at(place), "both or neither of `volume` and `ended`", "one of them",
                    "say when chips came in volume, or when the programme was ended")
    yield from _sign_faults(document, place, {"performance": item.performance})


def _sign_faults(
    document: Document, place: str, values: Mapping[str, float | None]
) -> Iterator[Fault]:
    for name, value in values.items():
        if value is not None and not (math.isfinite(value) and value > 0.0):
            yield Fault(document.at(f"{place}.{name}"), f"{value:g}", "a number above 0",
                        "mend the value")


def _quarter_faults(
    document: Document, place: str, text: str, case: Case, *, inside: bool = False
) -> Iterator[Fault]:
    last = case.first_quarter + (case.quarters - 1)
    try:
        quarter = Quarter.parse(text, document.at(place))
    except BadValue as error:
        yield from error.faults
        return
    if quarter - case.first_quarter < 0 or (inside and quarter - last > 0):
        yield Fault(document.at(place), text, f"{case.first_quarter} to {last}",
                    "give a quarter of the case's horizon")


def _unknown(place: str, kind: str, name: str, known: object) -> Fault:
    names = sorted(known)  # type: ignore[call-overload]
    return Fault(place, f"unknown {kind} {name!r}", ", ".join(names) or "none",
                 suggestion(name, names, "take one of the names of the case"))


def read_orders(path: Path, case: Case) -> tuple[CompanyOrder, ...]:
    """Read the orders of a company: a line for each quarter and line of the case.

    Raises `BadFile` for a file that cannot be read or lacks a column, `BadValue` with every
    unknown line, every quarter outside the horizon and every number that cannot be.
    """
    faults: list[Fault] = []
    orders = [order for row in rows(read_text(path), _place(path), ORDER_COLUMNS)
              if (order := _order(row, case, faults)) is not None]
    if faults:
        raise BadValue(*faults)
    return tuple(orders)


def _order(row: CsvRow, case: Case, faults: list[Fault]) -> CompanyOrder | None:
    cells, known = row.cells, [line.name for line in case.lines]
    before = len(faults)
    if cells["line"] not in known:
        faults.append(_unknown(row.place, "line", cells["line"], known))
    try:
        chips = float(cells["chips"])
    except ValueError:
        chips = math.nan
    if not (math.isfinite(chips) and chips >= 0.0):
        faults.append(Fault(row.place, f"chips {cells['chips']!r}", "a number, 0 or more",
                            "give the chips ordered in the quarter"))
    quarter = 0
    try:
        quarter = Quarter.parse(cells["quarter"], row.place) - case.first_quarter
        if not 0 <= quarter < case.quarters:
            faults.append(Fault(row.place, cells["quarter"],
                                f"{case.first_quarter} to "
                                f"{case.first_quarter + (case.quarters - 1)}",
                                "give a quarter of the case's horizon"))
    except BadValue as error:
        faults += error.faults
    if len(faults) > before:
        return None
    return CompanyOrder(quarter, cells["line"], chips, cells["basis"], cells["source"])
