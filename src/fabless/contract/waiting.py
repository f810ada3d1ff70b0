"""When to invest for good: the trigger of a right that never ends, and what waiting is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class Waiting:
    """Worth of a right to invest at any time."""

    beta: Array
    """Positive root of the characteristic equation [1]."""
    trigger_usd: Array
    """Worth of the project from which it pays to invest at once."""
    option_usd: Array
    """Worth of the right."""
    waiting_usd: Array
    """Worth of the right over investing at once or never: the value of waiting."""


def perpetual(
    value_usd: ArrayLike, cost_usd: ArrayLike, *, rate: ArrayLike, carry: ArrayLike, volatility: ArrayLike
) -> Waiting:
    """Value of the right to pay `cost_usd` I for a project worth `value_usd` V, at any time, and the trigger V*.

        s^2/2 b (b - 1) + (r - d) b - r = 0,  b > 1
        V* = b / (b - 1) I,  F(V) = (V* - I) (V / V*)^b below the trigger, V - I from it on

    Parameters (broadcast): `rate` r and `carry` d continuous per year, both above 0 (d is what waiting forgoes: the
    project's own yield, or how fast the lead of a chip melts away); `volatility` s per square root of a year, 0 or more.
    Limit: at s = 0 and r <= d, b goes to infinity and the trigger to I. Dixit & Pindyck 1994, chapter 5.

    >>> found = perpetual(1.0, 1.0, rate=0.04, carry=0.04, volatility=0.2)
    >>> round(float(found.trigger_usd), 9), round(float(found.option_usd), 9)
    (2.0, 0.25)
    """
    require("waiting", Bound("value_usd", value_usd, 0, 1e15, "give USD"),
            Bound("cost_usd", cost_usd, 0, 1e15, "give USD above 0", open_low=True),
            Bound("rate", rate, 0, 10, "a right that never ends needs a rate above 0", open_low=True),
            Bound("carry", carry, 0, 10, "without a cost of waiting one waits for ever: above 0", open_low=True),
            Bound("volatility", volatility, 0, 100, "give the standard deviation of a year's log worth, 0 or more"))
    worth, cost, r, d, s = np.broadcast_arrays(*(number(x) for x in (value_usd, cost_usd, rate, carry, volatility)))
    half = 0.5 * s**2
    # the root of half b^2 - (half - r + d) b - r = 0 in the form that does not cancel and holds at s = 0
    slope = half - r + d
    root = np.sqrt(slope**2 + 4.0 * half * r)
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(slope > 0.0, (slope + root) / (2.0 * half), 2.0 * r / (root - slope))
    never_moves = np.isinf(beta)
    finite = np.where(never_moves, 2.0, beta)
    trigger = np.where(never_moves, cost, finite / (finite - 1.0) * cost)
    share = np.minimum(worth / trigger, 1.0)
    below = np.where(never_moves, 0.0, (trigger - cost) * share**finite)
    option = np.where(worth >= trigger, worth - cost, below)
    return Waiting(beta, np.asarray(trigger), np.asarray(option), np.asarray(option - np.maximum(worth - cost, 0.0)))
