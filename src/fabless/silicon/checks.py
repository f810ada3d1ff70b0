"""Bounds on the arguments of the silicon models: every fault of a call is reported at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.errors import BadValue, Fault


@dataclass(frozen=True)
class Bound:
    """One argument of a call with the interval it must lie in; `open_low` excludes the lower end."""

    name: str
    value: ArrayLike
    low: float
    high: float
    remedy: str
    open_low: bool = False
    unbounded: bool = False
    """True: infinity itself is allowed."""

    def fault(self, place: str) -> Fault | None:
        """Return what is wrong with the value, or None."""
        value = np.asarray(self.value, dtype=float)
        above = value > self.low if self.open_low else value >= self.low
        fine = above & (value <= self.high) & (np.isfinite(value) | (self.unbounded & ~np.isnan(value)))
        if bool(np.all(fine)):
            return None
        worst = float(np.atleast_1d(value)[~np.atleast_1d(fine)][0])
        left = "(" if self.open_low else "["
        allowed = f"a number in {left}{self.low:g}, {self.high:g}]"
        return Fault(f"{place}: {self.name}", f"{worst:g}", allowed, self.remedy)


def require(place: str, *bounds: Bound) -> None:
    """Raise one `BadValue` with every violated bound of the call named `place`."""
    faults = [fault for fault in (bound.fault(place) for bound in bounds) if fault is not None]
    if faults:
        raise BadValue(*faults)
