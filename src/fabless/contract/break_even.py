"""Values at which two contracts cost the same, or a statement that there are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabless.checks import Bound, require

_SCAN = 33


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """Values at which two costs are equal within a range."""

    status: Literal["found", "never", "everywhere"]
    at: tuple[float, ...]
    """Values at which the cheaper contract changes, in rising order."""
    cheaper: tuple[str, ...]
    """Cheaper contract between the values, one name more than values; both names if equal."""
    low: float
    high: float
    least_gap_usd: float
    """Smallest difference of the two costs at the points of the range; 0 if they meet."""

    @property
    def said(self) -> str:
        """The answer in a sentence."""
        if self.status == "everywhere":
            return f"both cost the same from {self.low:.4g} to {self.high:.4g}"
        if self.status == "never":
            return (
                f"no break-even from {self.low:.4g} to {self.high:.4g}: {self.cheaper[0]} is cheaper throughout, by "
                f"{self.least_gap_usd:.4g} at the least"
            )
        parts = [f"{self.cheaper[0]} is cheaper below {self.at[0]:.4g}"]
        for k, value in enumerate(self.at):
            upto = f" up to {self.at[k + 1]:.4g}" if k + 1 < len(self.at) else ""
            parts.append(f"{self.cheaper[k + 1]} above {value:.4g}{upto}")
        return ", ".join(parts)


def _crossing(gap: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    close = 1e-14 * max(abs(low), abs(high), 1e-300)
    return float(brentq(gap, low, high, xtol=close, rtol=1e-12))  # type: ignore[no-untyped-call]


def break_even(
    first: Callable[[float], float], second: Callable[[float], float], low: float, high: float,
    names: tuple[str, str] = ("first", "second"),
) -> BreakEven:
    """Find every value between `low` and `high` at which two costs are equal.

    The difference is looked at in 33 points (by ratio where the stretch spans more than a factor of
    ten above 0) and bracketed where its sign changes, then solved to 1e-12 of the value; a jump
    from one side to the other counts. Two crossings between neighbouring points are not seen.

    Parameters: `first` and `second` give the cost at a value. Raises `BadValue` on an empty stretch.

    >>> break_even(lambda hours: 10.0, lambda hours: 2.0 * hours, 1.0, 8.0, ("own", "rent")).said
    'rent is cheaper below 5, own above 5'
    """
    require(
        "break-even", Bound("low", low, -1e15, 1e15, "give the stretch to look at"),
        Bound(
            "high - low", high - low, 0, 1e16, "give a high end above the low end", open_low=True
        ),
    )
    points = np.geomspace(low, high, _SCAN) if low > 0.0 and high > 10.0 * low else np.linspace(low, high, _SCAN)
    points[0], points[-1] = low, high

    def gap(value: float) -> float:
        return float(first(value)) - float(second(value))

    gaps = np.array([gap(float(value)) for value in points])
    scale = max(abs(float(first(float(points[0])))), float(np.abs(gaps).max()), 1e-300)
    signs = np.where(np.abs(gaps) <= 1e-12 * scale, 0.0, np.sign(gaps))
    if not signs.any():
        return BreakEven(
            status="everywhere", at=(), cheaper=(" and ".join(names),), low=low, high=high,
            least_gap_usd=0.0,
        )
    at: list[float] = []
    known = [int(k) for k in np.flatnonzero(signs)]
    cheaper = [names[0] if signs[known[0]] < 0 else names[1]]
    for left, right in itertools.pairwise(known):
        if signs[left] != signs[right]:
            zeros = [k for k in range(left + 1, right) if signs[k] == 0.0]
            at.append(float(points[zeros[0]]) if zeros else _crossing(gap, float(points[left]), float(points[right])))
            cheaper.append(names[0] if signs[right] < 0 else names[1])
    if not at:
        return BreakEven(
            status="never", at=(), cheaper=tuple(cheaper), low=low, high=high,
            least_gap_usd=float(np.abs(gaps).min()))
    return BreakEven(status="found", at=tuple(at), cheaper=tuple(cheaper), low=low, high=high, least_gap_usd=0.0)
