"""Options that may be exercised at several dates, by least squares on simulated paths, and the paths themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.checks import Bound, require
from fabless.errors import BadValue, Fault
from fabless.records import Array

Basis = Callable[[Array], Array]
"""State of some paths (paths, factors) -> regressors (paths, terms)."""


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Value of an exercise right on simulated paths."""

    value: float
    """Mean over the paths of the payoff under the rule found, discounted."""
    standard_error: float
    """Standard error of the mean, over pairs of paths if they are antithetic."""
    exercised: Array
    """(dates,) share of the paths that exercise at each date."""
    date: NDArray[np.int64]
    """(paths,) date at which each path exercises, -1: never."""


def least_squares(
    states: Array, payoffs: Array, discount: Array, *, basis: Basis | None = None, antithetic: bool = False
) -> LeastSquares:
    """Value of a right to take one payoff at one of several dates (Longstaff & Schwartz 2001).

    From the last date back: where the payoff is above 0, what waiting has brought on these paths is regressed on the
    state; a path exercises where its payoff is at least the fitted value of waiting. Then the mean over the paths. The
    right need not be used.

    Parameters: `states` (dates, paths) or (dates, paths, factors), known at each date; `payoffs` (dates, paths) [USD],
    taken if exercised there; `discount` (dates,) from today. `basis` gives the regressors, else powers up to the third of
    each factor, scaled by its mean over the paths, with products of two factors. `antithetic` says that path k of the
    first half mirrors path k of the second. Raises `BadValue` on shapes that do not fit. The rule is fitted and
    valued on the same paths, so that the value is slightly high with few paths and slightly low with few regressors.
    """
    dates, paths = _checked(states, payoffs, discount)
    cloud = states.reshape(dates, paths, -1)
    terms = basis or _powers
    taken = np.where(payoffs[-1] > 0.0, payoffs[-1] * discount[-1], 0.0)
    date = np.where(payoffs[-1] > 0.0, dates - 1, -1)
    for when in range(dates - 2, -1, -1):
        now = payoffs[when] * discount[when]
        inside = np.flatnonzero(payoffs[when] > 0.0)
        if inside.size == 0:
            continue
        regressors = terms(cloud[when, inside])
        fitted = regressors @ np.linalg.lstsq(regressors, taken[inside], rcond=None)[0]
        stops = inside[now[inside] >= fitted]
        taken[stops], date[stops] = now[stops], when
    independent = 0.5 * (taken[: paths // 2] + taken[paths // 2 :]) if antithetic else taken
    error = float(independent.std(ddof=1) / np.sqrt(independent.size)) if independent.size > 1 else 0.0
    shares = np.bincount(date[date >= 0], minlength=dates) / paths
    return LeastSquares(float(taken.mean()), error, shares, date)


def price_paths(
    price: float, volatility: float, drift: float, years: Array, paths: int, rng: np.random.Generator
) -> Array:
    """Antithetic lognormal paths (dates, paths): ``S exp((drift - s^2/2) t + s W(t))`` at rising `years` (dates,).

    The second half of the paths mirrors the first; `paths` is even. `drift` is continuous per year: the riskless rate
    for values that a market would give.
    """
    times = np.asarray(years, dtype=float)
    steps = np.diff(times, prepend=0.0)
    require("price paths", Bound("price", price, 0, 1e15, "give USD"),
            Bound("volatility", volatility, 0, 100, "give the standard deviation of a year's log price, 0 or more"),
            Bound("drift", drift, -10, 10, "give the continuous drift per year"),
            Bound("years", steps, 0, 1000, "give rising times from today"),
            Bound("paths", paths, 2, 1e9, "take for example 10,000"),
            Bound("paths modulo 2", paths % 2, 0, 0, "take an even number"))
    half = rng.standard_normal((times.size, paths // 2)) * np.sqrt(steps)[:, None]
    walk = np.cumsum(np.concatenate([half, -half], axis=1), axis=0)
    return np.asarray(price * np.exp((drift - 0.5 * volatility**2) * times[:, None] + volatility * walk))


def _powers(state: Array) -> Array:
    """Regressors of a cloud (paths, factors): 1, powers to the third of each factor, products of two factors."""
    scale = np.mean(np.abs(state), axis=0)
    x = state / np.where(scale > 0.0, scale, 1.0)
    columns = [np.ones(len(x))]
    for factor in range(x.shape[1]):
        columns += [x[:, factor] ** power for power in (1, 2, 3)]
        columns += [x[:, factor] * x[:, other] for other in range(factor)]
    return np.stack(columns, axis=1)


def _checked(states: Array, payoffs: Array, discount: Array) -> tuple[int, int]:
    shape = np.shape(payoffs)
    if len(shape) != 2 or np.shape(states)[:2] != shape or np.shape(discount) != shape[:1] or 0 in shape:
        raise BadValue(Fault("least squares", f"states {np.shape(states)}, payoffs {shape}, discount {np.shape(discount)}",
                             "states (dates, paths[, factors]), payoffs (dates, paths), discount (dates,)",
                             "lay the dates along the first axis, the paths along the second"))
    if not (np.all(np.isfinite(states)) and np.all(np.isfinite(payoffs)) and np.all(np.isfinite(discount))):
        raise BadValue(Fault("least squares", "numbers that are not finite", "finite states, payoffs and discounts",
                             "correct the paths"))
    return shape[0], shape[1]
