"""The supplier side: scarcity, the vendor's cadence, price paths, demand paths, and who holds the market.

Supply is a two-state Markov chain by quarter. Every function takes plain numbers and arrays; randomness is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.errors import BadValue, Fault
from fabless.records import Array, Range
from fabless.sampling import draw
from fabless.units import QUARTER_S


class Regime(IntEnum):
    """State of supply; also the index into matrices."""

    NORMAL = 0
    SCARCE = 1


@dataclass(frozen=True)
class SupplyTerms:
    """What a buyer meets: numbers for one regime, or arrays over paths."""

    lead_time_s: Array | float
    """From order to delivery [s]."""
    allocation: Array | float
    """Share of the wanted volume that the vendor grants [1]."""
    price_multiplier: Array | float
    """Price over the price in normal supply [1]."""


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


def regime_paths(
    count: int, quarters: int, start: Regime, matrix: Array, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Draw regimes, shape (count, quarters) of `Regime` codes; quarter 0 is `start`.

    `matrix` has shape (2, 2), or (count, 2, 2) where each path has its own.
    """
    if count < 1 or quarters < 1:
        raise BadValue(Fault("regime_paths", f"{count} paths of {quarters} quarters", "1 or more of each",
                             "ask for at least one path of one quarter"))
    paths = np.full((count, quarters), start, dtype=np.int8)
    uniform = rng.random((count, quarters))
    for quarter in range(1, quarters):
        was_scarce = paths[:, quarter - 1] == Regime.SCARCE
        scarce = np.where(was_scarce, matrix[..., Regime.SCARCE, Regime.SCARCE],
                          matrix[..., Regime.NORMAL, Regime.SCARCE])
        paths[:, quarter] = np.where(uniform[:, quarter] < scarce, Regime.SCARCE, Regime.NORMAL)
    return paths


def supply_terms(regimes: ArrayLike, normal: SupplyTerms, scarce: SupplyTerms) -> SupplyTerms:
    """Terms of each entry of `regimes`, in the same shape (terms may be arrays that broadcast against it)."""
    is_scarce = np.asarray(regimes) == Regime.SCARCE
    return SupplyTerms(
        np.where(is_scarce, scarce.lead_time_s, normal.lead_time_s),
        np.where(is_scarce, scarce.allocation, normal.allocation),
        np.where(is_scarce, scarce.price_multiplier, normal.price_multiplier),
    )


@dataclass(frozen=True)
class Generations:
    """Draws of a vendor's next generations, arrays of shape (count, number), measured against today's chip."""

    arrival_s: Array
    """From now to first shipments [s]."""
    arrival_quarter: NDArray[np.int64]
    """First whole quarter after the arrival (0 = now)."""
    performance: Array
    """Performance over today's chip [1]."""
    price: Array
    """Price over today's chip [1]."""


def generations(
    count: int, number: int, age_s: float, gap_s: Range, performance_gain: Range, price_gain: Range,
    rng: np.random.Generator,
) -> Generations:
    """Draw the next `number` generations of a vendor.

    Each gap and gain is drawn afresh; arrivals are cumulative sums of gaps less `age_s`, the time since today's chip
    first shipped, and gains multiply. A gap that is already over arrives now.
    """
    if count < 1 or number < 1:
        raise BadValue(Fault("generations", f"{count} draws of {number}", "1 or more of each",
                             "ask for at least one draw of one generation"))
    ranges = {f"{kind} {k}": spread for k in range(number)
              for kind, spread in (("gap", gap_s), ("performance", performance_gain), ("price", price_gain))}
    x = draw(ranges, count, rng)
    gap, performance, price = (np.stack([x[f"{kind} {k}"] for k in range(number)], axis=1)
                               for kind in ("gap", "performance", "price"))
    gap[:, 0] = np.maximum(gap[:, 0] - age_s, 0.0)
    arrival = np.cumsum(gap, axis=1)
    return Generations(
        arrival_s=arrival,
        arrival_quarter=np.ceil(arrival / QUARTER_S).astype(np.int64),
        performance=np.multiply.accumulate(performance, axis=1),
        price=np.multiply.accumulate(price, axis=1),
    )


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


@dataclass(frozen=True)
class Concentration:
    """How one measure of a market is spread over its vendors; arrays of the leading shape."""

    shares: Array
    """Share of each vendor, last axis; NaN where nothing was bought."""
    dominant: Array
    """Share of the vendor that leads by revenue."""
    herfindahl: Array
    """Sum of squared shares: 1 for a monopoly, 1/n for n equals."""


@dataclass(frozen=True)
class VendorShares:
    """Concentration by three measures: they differ, and a claim of dominance should say which it means."""

    leader: NDArray[np.int64]
    """Index of the vendor that leads by revenue."""
    by_revenue: Concentration
    by_units: Concentration
    by_compute: Concentration


def vendor_shares(units: ArrayLike, price_usd: ArrayLike, compute: ArrayLike) -> VendorShares:
    """Shares of vendors by revenue, units and compute.

    `units` [chip], `price_usd` of one chip and `compute` of one chip [FLOP/s or any common measure], shape
    (..., vendors). Raises `BadValue` for a negative amount.
    """
    amounts = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (units, price_usd, compute)))
    if any(np.any(~(amount >= 0.0)) for amount in amounts):
        raise BadValue(Fault("vendor_shares", "a negative or missing amount", "numbers >= 0",
                             "give units, price and compute of every vendor"))
    number, price, speed = amounts
    leader = np.argmax(number * price, axis=-1)
    measures = (_concentration(amount, leader) for amount in (number * price, number, number * speed))
    return VendorShares(leader, *measures)


def _concentration(amount: Array, leader: NDArray[np.int64]) -> Concentration:
    total = amount.sum(axis=-1, keepdims=True)
    shares = np.divide(amount, total, out=np.full(amount.shape, np.nan), where=total > 0)
    dominant = np.take_along_axis(shares, np.asarray(leader)[..., None], axis=-1)[..., 0]
    return Concentration(shares, dominant, (shares**2).sum(axis=-1))
