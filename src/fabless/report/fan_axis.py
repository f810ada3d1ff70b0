"""The axis of what is forecast: logarithmic, but for shares; its values in few letters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabless.report.canvas import Spec
from fabless.units import to_si
from fabless.wording import in_percent, plain, significant

_MOST_TICKS = 6
_FINE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_LEAST_REACH = 4.0
"""Least ratio of the ends of an axis: what hardly moves is not blown up."""
_HEADROOM = 1.08
"""What an axis has above its largest value, for a number that is written there."""
_MARGIN = 1.12
"""What a logarithmic axis has beyond its values, as a factor."""
_TOP_SHARE = 108.0
_SHARES = (0.0, 25.0, 50.0, 75.0, 100.0)


@dataclass(frozen=True)
class Axis:
    """An upright axis."""

    low: float
    high: float
    is_share: bool
    """Whether it is linear and holds percent."""

    @classmethod
    def over(cls, held: Sequence[float], unit: str) -> Axis:
        """The axis that holds these values, with room above for a number."""
        if unit == "%":
            return cls(0.0, _TOP_SHARE, True)
        low = min((value for value in held if value > 0.0), default=1.0) / _MARGIN
        high = max(max(held, default=1.0), low) * _MARGIN
        high = low * (high / low) ** _HEADROOM
        if high < low * _LEAST_REACH:
            middle = math.sqrt(low * high)
            low, high = middle / math.sqrt(_LEAST_REACH), middle * math.sqrt(_LEAST_REACH)
        return cls(low, high, False)

    @property
    def ticks(self) -> Sequence[float]:
        """Its round values."""
        return _SHARES if self.is_share else axis_ticks(self.low, self.high)

    @property
    def encoding(self) -> Spec:
        """The axis as a specification has it, without lines of its own."""
        kind: Spec = {} if self.is_share else {"type": "log"}
        return {
            "type": "quantitative",
            "axis": None,
            "scale": kind | {"domain": [self.low, self.high], "nice": False},
        }

    def part(self, value: float) -> float:
        """How far up a value stands, from 0 to 1.

        >>> Axis(1.0, 100.0, False).part(10.0), Axis(0.0, 100.0, True).part(25.0)
        (0.5, 0.25)
        """
        if self.is_share:
            return (value - self.low) / (self.high - self.low)
        return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)


def drawn_value(value: float, unit: str) -> float:
    """A value in the unit that a panel draws: whole USD, cents, or its own.

    >>> drawn_value(1.5, "B USD"), drawn_value(0.004, "USD/query"), drawn_value(3.0, "week")
    (1500000000.0, 0.4, 3.0)
    """
    if unit.endswith("USD"):
        return to_si(value, unit)
    return 100.0 * to_si(value, unit) if unit.endswith("/query") else value


def axis_ticks(low: float, high: float) -> list[float]:
    """Round values of a logarithmic axis, at most six.

    >>> axis_ticks(0.8, 30.0), axis_ticks(15.0, 60.0)
    ([1.0, 2.0, 5.0, 10.0, 20.0], [15.0, 20.0, 30.0, 50.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in (_FINE, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [float(f"{step * 10.0**power:.2g}") for power in powers for step in steps]
        within = [tick for tick in ticks if low <= tick <= high]
        if len(within) <= _MOST_TICKS:
            return within
    return within[:: math.ceil(len(within) / _MOST_TICKS)]


def short(value: float, unit: str, digits: int = 2) -> str:
    """Write a value of a panel in few letters.

    >>> short(3e9, "B USD"), short(345_000.0, "chip"), short(2e25, "FLOP")
    ('$3B', '345k', '2e25')
    """
    if unit == "FLOP":
        return plain(float(f"{value:.{digits}g}"))
    if unit == "%":
        return in_percent(value / 100.0)
    sign = "$" if unit.endswith("USD") or unit == "USD/h" else ""
    size, suffix = next(
        (
            (scale, suffix)
            for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
            if value >= scale * 0.9995
        ),
        (1.0, ""),
    )
    text = significant(value / size, digits)
    return f"{sign}{text.rstrip('0').rstrip('.') if '.' in text else text}{suffix}"
