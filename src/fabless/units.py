"""Units at the border, quarters, and the deflator.

Inside the program every quantity is plain SI (byte, second, watt, metre, flop, token) or USD of a
stated year. Units are read once, here, from a closed list of spellings: an unknown spelling is an
error, never a guess.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fabless.errors import BadValue, Fault, unknown

HOUR_S = 3600.0
DAY_S = 86_400.0
YEAR_S = 365.25 * DAY_S
MONTH_S = YEAR_S / 12
QUARTER_S = YEAR_S / 4
MONTHS_PER_QUARTER = QUARTER_S / MONTH_S

_UNITS: dict[str, tuple[str, float]] = {
    # dimensionless and counts
    "1": ("number", 1.0),
    "%": ("number", 0.01),
    "param": ("number", 1.0),
    "B param": ("number", 1e9),
    "chip": ("number", 1.0),
    "unit": ("number", 1.0),
    "thousand unit": ("number", 1e3),
    "person": ("number", 1.0),
    "wafer": ("number", 1.0),
    "wafer/month": ("frequency", 1.0 / MONTH_S),
    "transistor": ("number", 1.0),
    "B transistor": ("number", 1e9),
    "1/year": ("frequency", 1.0 / YEAR_S),
    "query/day": ("frequency", 1.0 / DAY_S),
    "query/year": ("frequency", 1.0 / YEAR_S),
    "word/day": ("frequency", 1.0 / DAY_S),
    "user": ("number", 1.0),
    "token": ("token", 1.0),
    "token/s": ("token rate", 1.0),
    "B token/day": ("token rate", 1e9 / DAY_S),
    # compute
    "FLOP": ("flop", 1.0),
    "FLOP/s": ("flop rate", 1.0),
    "GFLOP/s": ("flop rate", 1e9),
    "TFLOP/s": ("flop rate", 1e12),
    "TOP/s": ("flop rate", 1e12),
    "PFLOP/s": ("flop rate", 1e15),
    # data: decimal and binary are never mixed, bits are never bytes
    "B": ("byte", 1.0),
    "kB": ("byte", 1e3),
    "MB": ("byte", 1e6),
    "GB": ("byte", 1e9),
    "TB": ("byte", 1e12),
    "KiB": ("byte", 2.0**10),
    "MiB": ("byte", 2.0**20),
    "GiB": ("byte", 2.0**30),
    "B/s": ("byte rate", 1.0),
    "GB/s": ("byte rate", 1e9),
    "TB/s": ("byte rate", 1e12),
    "Gb/s": ("byte rate", 1e9 / 8),
    "Tb/s": ("byte rate", 1e12 / 8),
    # time
    "s": ("time", 1.0),
    "ms": ("time", 1e-3),
    "us": ("time", 1e-6),
    "h": ("time", HOUR_S),
    "day": ("time", DAY_S),
    "week": ("time", 7 * DAY_S),
    "month": ("time", MONTH_S),
    "quarter": ("time", QUARTER_S),
    "year": ("time", YEAR_S),
    "Hz": ("frequency", 1.0),
    "MHz": ("frequency", 1e6),
    "GHz": ("frequency", 1e9),
    # energy and power
    "W": ("power", 1.0),
    "kW": ("power", 1e3),
    "MW": ("power", 1e6),
    "GW": ("power", 1e9),
    "J": ("energy", 1.0),
    "Wh": ("energy", HOUR_S),
    "kWh": ("energy", 1e3 * HOUR_S),
    "pJ/bit": ("energy per byte", 8e-12),
    "pJ/FLOP": ("energy per flop", 1e-12),
    "W/mm2": ("power per area", 1e6),
    # mass, for embodied carbon
    "g": ("mass", 1e-3),
    "kg": ("mass", 1.0),
    "g/cm2": ("mass per area", 10.0),
    "g/GB": ("mass per byte", 1e-12),
    "g/kWh": ("mass per energy", 1e-6 / HOUR_S),
    "kWh/cm2": ("energy per area", 1e7 * HOUR_S),
    # silicon
    "mm": ("length", 1e-3),
    "um": ("length", 1e-6),
    "mm2": ("area", 1e-6),
    "cm2": ("area", 1e-4),
    "um2": ("area", 1e-12),
    "1/cm2": ("area density", 1e4),
    "M/mm2": ("area density", 1e12),
    # money; the price year stands in a column of its own
    "USD": ("money", 1.0),
    "thousand USD": ("money", 1e3),
    "M USD": ("money", 1e6),
    "B USD": ("money", 1e9),
    "USD/year": ("money rate", 1.0 / YEAR_S),
    "M USD/year": ("money rate", 1e6 / YEAR_S),
    "B USD/year": ("money rate", 1e9 / YEAR_S),
    "USD/day": ("money rate", 1.0 / DAY_S),
    "USD/h": ("money rate", 1.0 / HOUR_S),
    "USD/quarter": ("money rate", 1.0 / QUARTER_S),
    "USD/GB": ("money per byte", 1e-9),
    "USD/kWh": ("money per energy", 1.0 / (1e3 * HOUR_S)),
    "USD/kW/month": ("money rate per power", 1.0 / (1e3 * MONTH_S)),
    "USD/kW": ("money per power", 1e-3),
    "USD/mm2": ("money per area", 1e6),
    "USD/wafer": ("money", 1.0),
    "USD/query": ("money", 1.0),
    "cent/query": ("money", 0.01),
    "USD/Mtoken": ("money per token", 1e-6),
    "USD/PFLOP": ("money per flop", 1e-15),
    # things that are not numbers
    "text": ("text", 1.0),
    "date": ("date", 1.0),
}

UNITS: Mapping[str, tuple[str, float]] = MappingProxyType(_UNITS)
"""Every allowed spelling -> (dimension, factor to SI)."""


def dimension(unit: str, place: str = "unit") -> str:
    """Return the dimension of a unit, or raise `UnknownName` with the nearest spelling."""
    if unit not in UNITS:
        raise unknown("unit", unit, list(UNITS), place)
    return UNITS[unit][0]


def to_si(value: float, unit: str, place: str = "unit") -> float:
    """Convert `value` from `unit` to SI.

    >>> to_si(80, "GB"), to_si(400, "Gb/s"), to_si(1, "GiB")
    (80000000000.0, 50000000000.0, 1073741824.0)
    """
    dimension(unit, place)
    return value * UNITS[unit][1]


def from_si(value: float, unit: str) -> float:
    """Convert an SI value to `unit`, for printing."""
    dimension(unit)
    return value / UNITS[unit][1]


_QUANTITY = re.compile(r"^\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?:\s+(?=\S)|(?=[^\s0-9.]))(\S.*?)\s*$")


def quantity(text: str, wanted: str, place: str) -> float:
    """Read a number with its unit, such as ``"3.35 TB/s"``, as SI of the dimension of `wanted`.

    Raises `BadValue` when there is no unit or the dimension differs, `UnknownName` when the
    spelling is unknown.
    """
    match = _QUANTITY.match(text)
    if not match:
        fault = Fault(
            place, f"{text!r} is not a number with a unit",
            f"a number and a unit, such as '1 {wanted}'", "write the unit after the number",
        )
        raise BadValue(fault)
    number, unit = match.groups()
    if dimension(unit, place) != dimension(wanted):
        same = [name for name, (kind, _) in UNITS.items() if kind == dimension(wanted)]
        fault = Fault(
            place, f"{unit!r} is a unit of {dimension(unit)}, not of {dimension(wanted)}",
            ", ".join(same), f"give the value in {wanted} or another unit of {dimension(wanted)}",
        )
        raise BadValue(fault)
    return to_si(float(number), unit)


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter.

    >>> Quarter(2023, 4) + 5
    Quarter(year=2025, number=1)
    >>> str(Quarter(2023, 4)), Quarter(2025, 1) - Quarter(2023, 4)
    ('2023Q4', 5)
    """

    year: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 4:
            raise BadValue(Fault("quarter", f"number {self.number}", "1, 2, 3 or 4", "write for example 2023Q4"))

    @classmethod
    def parse(cls, text: str, place: str = "quarter") -> Quarter:
        """Read ``2023Q4``."""
        match = re.fullmatch(r"(\d{4})Q([1-4])", text.strip())
        if not match:
            raise BadValue(Fault(place, f"{text!r} is not a quarter", "YYYYQ1 to YYYYQ4", "write for example 2023Q4"))
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: dt.date) -> Quarter:
        """Return the quarter that holds `day`."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @property
    def first_day(self) -> dt.date:
        """First day of the quarter."""
        return dt.date(self.year, 3 * self.number - 2, 1)

    def at_month(self, month: float) -> Quarter:
        """Quarter in which a time lies that is counted in months from the first day of this one.

        >>> str(Quarter(2023, 4).at_month(2.9)), str(Quarter(2023, 4).at_month(15.0))
        ('2023Q4', '2025Q1')
        """
        return self + int(month // MONTHS_PER_QUARTER)

    def __add__(self, quarters: int) -> Quarter:
        index = self.year * 4 + self.number - 1 + quarters
        return Quarter(index // 4, index % 4 + 1)

    def __sub__(self, other: Quarter) -> int:
        return (self.year - other.year) * 4 + self.number - other.number

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


def deflate(value_usd: float, from_year: int, to_year: int, index: Mapping[int, float]) -> float:
    """Express USD of `from_year` in USD of `to_year` with a yearly price index.

    ``value * index[to_year] / index[from_year]``; a year outside the index is a `BadValue`.

    >>> deflate(100.0, 2020, 2023, {2020: 258.811, 2023: 304.702})  # doctest: +ELLIPSIS
    117.73...
    """
    for year in (from_year, to_year):
        if year not in index:
            raise BadValue(Fault("price year", str(year), f"{min(index)} to {max(index)}",
                                 "use a price year that the price index covers"))
    return value_usd * index[to_year] / index[from_year]
