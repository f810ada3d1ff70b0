"""Numbers as the models take them: arrays of floats inside stated bounds, every fault of a call
reported at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.errors import BadValue, Fault
from fabless.records import Array


def number(value: ArrayLike) -> Array:
    """Take a number, or numbers of any shape, as an array of floats."""
    return np.asarray(value, dtype=float)


@dataclass(frozen=True)
class Bound:
    """One argument of a call with the interval it must lie in; NaN lies in none, nor does infinity
    unless `unbounded`."""

    name: str
    value: ArrayLike
    low: float
    high: float
    remedy: str
    open_low: bool = False
    """True: the lower end itself is not allowed."""
    unbounded: bool = False
    """True: infinity itself is allowed."""

    def fault(self, place: str) -> Fault | None:
        """Say what is wrong with the first value outside the interval, or None."""
        value = np.atleast_1d(number(self.value))
        above = value > self.low if self.open_low else value >= self.low
        fine = above & (value <= self.high) & (np.isfinite(value) | self.unbounded)
        if fine.all():
            return None
        left = "(" if self.open_low else "["
        allowed = f"a number in {left}{self.low:g}, {self.high:g}]"
        return Fault(f"{place}: {self.name}", f"{value[~fine][0]:g}", allowed, self.remedy)


def require(place: str, *bounds: Bound) -> None:
    """Raise one `BadValue` with every violated bound of the call named `place`.

    >>> require("wafer", Bound("price", -1.0, 0, 1e7, "give USD"))
    Traceback (most recent call last):
    fabless.errors.BadValue: wafer: price: -1
      allowed: a number in [0, 1e+07]
      remedy:  give USD
    """
    faults = [fault for fault in (bound.fault(place) for bound in bounds) if fault is not None]
    if faults:
        raise BadValue(*faults)
