"""Days, months, quarters, halves and years as stretches of days, laid over the quarters of a
case."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

import numpy as np

from fabless.errors import BadValue, Fault
from fabless.records import Array
from fabless.units import DAY_S, MONTH_S, YEAR_S, Quarter

_FORMS = re.compile(r"(\d{4})(?:Q([1-4])|H([12])|-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True)
class Period:
    """A stretch of whole days."""

    text: str
    """How it was written."""
    first: dt.date
    last: dt.date
    """Its last day."""

    @classmethod
    def parse(cls, text: str, place: str = "date") -> Period:
        """Read a day, month, quarter, half or year.

        >>> Period.parse("2024Q2").last, Period.parse("2024-02").last.day
        (datetime.date(2024, 6, 30), 29)
        """
        match = _FORMS.fullmatch(text.strip())
        try:
            if match is None:
                raise ValueError
            year, quarter, half, month, day = (int(part) if part else 0 for part in match.groups())
            first = 3 * quarter - 2 if quarter else 6 * half - 5 if half else month or 1
            last = 3 * quarter if quarter else 6 * half if half else month or 12
            begin = dt.date(year, first, day or 1)
            end = dt.date(year, last, day or calendar.monthrange(year, last)[1])
        except ValueError:
            raise BadValue(Fault(
                place, f"{text!r} is no period",
                "a day, month, quarter, half or year: 2024-06-30, 2024-06, 2024Q2, 2024H1, 2024",
                "write the period in one of these forms")) from None
        return cls(text.strip(), begin, end)

    @property
    def is_day(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last

    @property
    def middle(self) -> dt.date:
        """The day in its middle."""
        return self.first + (self.last - self.first) / 2

    @property
    def years(self) -> float:
        """Its length in years."""
        return ((self.last - self.first).days + 1) * DAY_S / YEAR_S

    def shares(self, first_quarter: Quarter, quarters: int) -> Array:
        """Share of each quarter of a case (quarters,) that lies in the period.

        >>> Period.parse("2024-02").shares(Quarter(2023, 4), 3).round(2).tolist()
        [0.0, 0.32, 0.0]
        """
        shares = np.zeros(quarters)
        for k in range(quarters):
            begin, end = (first_quarter + k).first_day, (first_quarter + k + 1).first_day
            common = (min(end, self.last + dt.timedelta(1)) - max(begin, self.first)).days
            shares[k] = max(common, 0) / (end - begin).days
        return shares


def months_between(day: dt.date, later: dt.date) -> float:
    """Months from one day to another.

    >>> round(months_between(dt.date(2023, 10, 31), dt.date(2024, 10, 31)), 2)
    12.02
    """
    return (later - day).days * DAY_S / MONTH_S
