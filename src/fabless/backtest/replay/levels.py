"""Paths by quarter: between the quarters that are given, and as the growth that they imply."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabless.records import Array
from fabless.units import QUARTER_S, YEAR_S


def interpolated(given: Mapping[int, float], quarters: int) -> Array:
    """Value in each of `quarters`, on logarithms between those given; before the first it is held,
    after the last it is not a number.

    >>> interpolated({1: 2.0, 3: 8.0}, 5).round(9).tolist()
    [2.0, 2.0, 4.0, 8.0, nan]
    """
    known = np.array(sorted(given))
    logs = np.log([given[quarter] for quarter in known.tolist()])
    every = np.arange(quarters)
    values = np.exp(np.interp(every, known, logs))
    return np.asarray(np.where(every <= known[-1], values, np.nan))


def held_steps(given: Mapping[int, float], quarters: int) -> Array:
    """Value in each of `quarters`: that of the last quarter given by then, the first before it.

    >>> held_steps({0: 1.0, 2: 0.0}, 4).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    known = np.array(sorted(given))
    place = np.maximum(np.searchsorted(known, np.arange(quarters), side="right") - 1, 0)
    return np.array([given[quarter] for quarter in known.tolist()])[place]


def implied_growth(log_level: Array, long_run: Array, fade_s: Array) -> Array:
    """First-year growth in force in each quarter (Q,) that makes the levels of a path.

    The inverse of growth that fades (`market.log_growth`): the step of the log level from a quarter
    to the next is ``g1 Q + (g0 - g1) tau (exp(-t0 / tau) - exp(-t1 / tau))``, solved for g0. Where a
    level is not a number, and in the first quarter, whose growth makes no level, so is the growth.

    >>> from fabless.market import log_growth
    >>> end = np.arange(1, 4) * QUARTER_S
    >>> steps = log_growth(np.log(3.0) / YEAR_S, np.log(1.2) / YEAR_S, 2 * YEAR_S, end - QUARTER_S, end)
    >>> levels = np.concatenate([[0.0], np.cumsum(steps)])
    >>> implied_growth(levels, np.full(4, 1.2), np.full(4, 2 * YEAR_S)).round(9).tolist()
    [nan, 3.0, 3.0, 3.0]
    """
    end = np.arange(log_level.size) * QUARTER_S
    long = np.log(long_run) / YEAR_S
    weight = -fade_s * np.exp(-(end - QUARTER_S) / fade_s) * np.expm1(-QUARTER_S / fade_s)
    step = np.concatenate([[np.nan], np.diff(log_level)])
    return np.asarray(np.exp(YEAR_S * (long + (step - long * QUARTER_S) / weight)))


def drifting(now: Array, usual: float, kept: Array) -> Array:
    """A rate on its way back to its usual value: what is kept of the logarithm of `now` over it.

    >>> drifting(np.array([4.0, 4.0]), 1.0, np.array([1.0, 0.5])).tolist()
    [4.0, 2.0]
    """
    return np.asarray(usual * (now / usual) ** kept)


def unbounded(level: Array, first: float, ceiling: float) -> Array:
    """Unbounded growth g behind levels on the logistic curve ``q0 g / (1 + (g - 1) q0 / ceiling)``;
    levels lie below the ceiling.

    >>> unbounded(np.array([1.0, 5.0]), 1.0, 10.0).round(9).tolist()
    [1.0, 9.0]
    """
    share = min(first / ceiling, 1.0)
    return np.asarray(level * (1.0 - share) / (first - level * share))
