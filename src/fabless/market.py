"""The market: scarcity, prices that fall, growth that fades.

Supply is a two-state Markov chain by quarter. Every function takes plain numbers and arrays.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from fabless.errors import BadValue, Fault
from fabless.records import Array
from fabless.units import QUARTER_S


class Regime(IntEnum):
    """State of supply; also the index into matrices."""

    NORMAL = 0
    SCARCE = 1


def transition_matrix(normal_quarters: ArrayLike, scarce_quarters: ArrayLike) -> Array:
    """One-quarter transition matrix from the mean durations of the regimes [quarter], shape (..., 2, 2).

    A regime left with probability q each quarter lasts 1/q on average, so that q = 1/duration. A duration of infinity
    is never left. Raises `BadValue` for a duration below 1 quarter.

    >>> transition_matrix(8.0, 4.0).tolist()
    [[0.875, 0.125], [0.25, 0.75]]
    """
    durations = np.stack(np.broadcast_arrays(*(np.asarray(d, dtype=float) for d in (normal_quarters, scarce_quarters))))
    if not np.all(durations >= 1.0):
        raise BadValue(Fault("regime duration", f"{durations.min():g} quarters", "1 quarter or more",
                             "give the mean duration of each regime in quarters"))
    leave = 1.0 / durations
    normal = np.stack([1.0 - leave[0], leave[0]], axis=-1)
    scarce = np.stack([leave[1], 1.0 - leave[1]], axis=-1)
    return np.stack([normal, scarce], axis=-2)


def over_quarters(matrix: Array, quarters: int) -> Array:
    """Transition matrix over several quarters, ``matrix ** quarters``, for trees that branch by stage."""
    return np.asarray(np.linalg.matrix_power(matrix, quarters))


def stationary(matrix: Array) -> Array:
    """Long-run shares (normal, scarce), shape (..., 2): proportional to the other regime's exit probability.

    Raises `BadValue` when neither regime is ever left, since the shares then depend on the start.

    >>> stationary(transition_matrix(8.0, 4.0)).round(6).tolist()
    [0.666667, 0.333333]
    """
    shares = np.stack([matrix[..., Regime.SCARCE, Regime.NORMAL], matrix[..., Regime.NORMAL, Regime.SCARCE]], axis=-1)
    total = shares.sum(axis=-1, keepdims=True)
    if np.any(total == 0.0):
        raise BadValue(Fault("regimes", "both last for ever", "at least one finite duration",
                             "give one regime a finite mean duration"))
    return np.asarray(shares / total)


def price_path_usd(
    price_usd: ArrayLike, yearly_decline: ArrayLike, quarters: ArrayLike, price_multiplier: ArrayLike = 1.0
) -> Array:
    """Price of one chip after `quarters`: ``price * (1 - decline) ** (quarters / 4) * multiplier``; broadcasts.

    A negative decline is a rise.

    >>> float(price_path_usd(30_000.0, 0.19, 2))
    27000.0
    """
    decline = np.asarray(yearly_decline, dtype=float)
    if not np.all(decline < 1.0):
        raise BadValue(Fault("yearly_decline", f"{decline.max():g}", "below 1", "give the share lost in a year"))
    factor = (1.0 - decline) ** (np.asarray(quarters, dtype=float) / 4.0)
    return np.asarray(np.asarray(price_usd, dtype=float) * factor * np.asarray(price_multiplier, dtype=float))


def log_growth(
    initial_growth: ArrayLike, long_growth: ArrayLike, fade_s: ArrayLike, start_s: ArrayLike, end_s: ArrayLike
) -> Array:
    """Log of the growth between two times when growth fades; broadcasts.

    ``g1 (t1 - t0) + (g0 - g1) tau (exp(-t0 / tau) - exp(-t1 / tau))``, the integral of
    ``g(t) = g1 + (g0 - g1) exp(-t / tau)``, with `initial_growth` g0 and `long_growth` g1 [1/s], `fade_s` tau [s].
    """
    g0, g1, tau, t0, t1 = (np.asarray(v, dtype=float) for v in (initial_growth, long_growth, fade_s, start_s, end_s))
    return np.asarray(g1 * (t1 - t0) - (g0 - g1) * tau * np.exp(-t0 / tau) * np.expm1((t0 - t1) / tau))


def demand_multiplier(
    initial_growth: ArrayLike, long_growth: ArrayLike, fade_s: ArrayLike, quarters: int,
    volatility: ArrayLike = 0.0, shocks: ArrayLike | None = None,
) -> Array:
    """Demand over today's, shape (..., quarters), by quarter; quarter 0 is 1.

    Log growth fades from `initial_growth` g0 to `long_growth` g1 [1/s] with time constant `fade_s` tau [s]::

        g(t) = g1 + (g0 - g1) exp(-t / tau)
        multiplier(t) = exp(g1 t + (g0 - g1) tau (1 - exp(-t / tau)) + sigma W - sigma^2 n / 2)

    `shocks` are standard normal, shape (..., quarters - 1), one a quarter; W sums them over the n quarters gone by and
    `volatility` sigma is their standard deviation [1]. The last term keeps the mean on the path without shocks.
    """
    g0, g1, tau, sigma = (np.asarray(v, dtype=float)[..., None]
                          for v in (initial_growth, long_growth, fade_s, volatility))
    draws = np.zeros(max(quarters - 1, 0)) if shocks is None else np.atleast_1d(np.asarray(shocks, dtype=float))
    faults = []
    if quarters < 1:
        faults.append(Fault("quarters", str(quarters), "1 or more", "ask for at least one quarter"))
    if not np.all(tau > 0):
        faults.append(Fault("fade_s", f"{tau.min():g}", "above 0", "give the time constant of the fading growth"))
    if not np.all(sigma >= 0):
        faults.append(Fault("volatility", f"{sigma.min():g}", "0 or more", "give 0 for a path without shocks"))
    if draws.shape[-1] != quarters - 1:
        faults.append(Fault("shocks", f"shape {draws.shape}", f"{quarters - 1} along the last axis",
                            "draw one shock for each quarter after the first"))
    if faults:
        raise BadValue(*faults)
    gone = np.arange(quarters)
    t = gone * QUARTER_S
    drift = log_growth(g0, g1, tau, 0.0, t)
    walk = np.concatenate([np.zeros((*draws.shape[:-1], 1)), np.cumsum(draws, axis=-1)], axis=-1)
    correction = 0.0 if shocks is None else 0.5 * sigma**2 * gone
    return np.asarray(np.exp(drift + sigma * walk - correction))
