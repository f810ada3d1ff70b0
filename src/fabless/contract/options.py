"""European options, their price on a binomial tree, and warrants that dilute the share they are on.

Rates are continuous and per year here, as the literature has them: ``log(1 + yearly rate)``. Times are in years.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from fabless.checks import Bound, number, require
from fabless.records import Array

Side = Literal["call", "put"]
Exercise = Literal["european", "american"]
_ROUNDS = 60
_CLOSE = 1e-14
_STILL = 1e-200


def black_scholes(
    price: ArrayLike, strike: ArrayLike, years: ArrayLike, rate: ArrayLike, volatility: ArrayLike,
    carry: ArrayLike = 0.0, side: Side = "call",
) -> Array:
    """Value of a European option: ``S exp(-q T) N(d1) - K exp(-r T) N(d2)`` for a call, by parity for a put.

    ``d1 = (log(S/K) + (r - q + s^2/2) T) / (s sqrt(T))``, ``d2 = d1 - s sqrt(T)``.

    Parameters (broadcast): `price` S and `strike` K [USD]; `years` T; `rate` r and `carry` q (dividends, or what waiting
    forgoes), continuous per year; `volatility` s per square root of a year. Limits: with volatility or time 0 the value
    of the forward if it is above 0. Raises `BadValue` with every number out of range. Black & Scholes 1973.

    >>> round(float(black_scholes(42.0, 40.0, 0.5, 0.10, 0.20)), 2), round(float(black_scholes(42.0, 40.0, 0.5, 0.10, 0.20,
    ...     side="put")), 2)
    (4.76, 0.81)
    """
    require("option", *_bounds(price, strike, years, rate, volatility, carry))
    s, k, t, r, v, q = np.broadcast_arrays(*(number(x) for x in (price, strike, years, rate, volatility, carry)))
    sign = 1.0 if side == "call" else -1.0
    here, there = s * np.exp(-q * t), k * np.exp(-r * t)
    spread = v * np.sqrt(t)
    still, upper = _score(here, there, spread)
    moving = sign * (here * ndtr(sign * upper) - there * ndtr(sign * (upper - spread)))
    return np.asarray(np.where(still, np.maximum(sign * (here - there), 0.0), np.maximum(moving, 0.0)))


def binomial(
    price: float, strike: float, years: float, rate: float, volatility: float, *, steps: int, side: Side = "call",
    exercise: Exercise = "european", carry: float = 0.0, dates: int | None = None,
) -> float:
    """Value of an option on the tree of Cox, Ross & Rubinstein (1979).

    A step of h = T / steps years multiplies the price by ``u = exp(s sqrt(h))`` with probability
    ``(exp((r - q) h) - 1/u) / (u - 1/u)``, else divides it by u. An American option may be exercised at every step, or
    at `dates` equally spaced dates, the last one at T, of which `steps` must be a multiple.

    Raises `BadValue` with every number out of range, and where the step is so long that the probability leaves [0, 1].

    >>> round(binomial(36.0, 40.0, 1.0, 0.06, 0.2, steps=2000, side="put"), 4)
    3.8443
    """
    every = steps if dates is None else dates
    require("binomial tree", *_bounds(price, strike, years, rate, volatility, carry),
            Bound("steps", steps, 1, 100_000, "take for example 1000"),
            Bound("dates", every, 1, steps, "take as many dates as steps, or fewer"),
            Bound("steps over dates", steps % every, 0, 0, "make steps a multiple of dates"))
    if volatility == 0.0 or years == 0.0:
        return _certain(price, strike, years, rate, carry, every, side, exercise)
    h = years / steps
    up = np.exp(volatility * np.sqrt(h))
    chance = float((np.exp((rate - carry) * h) - 1.0 / up) / (up - 1.0 / up))
    require("binomial tree", Bound("chance of a rise", chance, 0, 1, "take more steps"))
    sign, discount = (1.0 if side == "call" else -1.0), np.exp(-rate * h)
    levels = price * up ** np.arange(-steps, steps + 1, dtype=float)
    value = np.maximum(sign * (levels[::2] - strike), 0.0)
    for step in range(steps - 1, -1, -1):
        value = discount * (chance * value[1:] + (1.0 - chance) * value[:-1])
        if exercise == "american" and step % (steps // every) == 0 and (step or dates is None):
            here = levels[steps - step : steps + step + 1 : 2]
            value = np.maximum(value, sign * (here - strike))
    return float(value[0])


def _certain(
    price: float, strike: float, years: float, rate: float, carry: float, dates: int, side: Side, exercise: Exercise
) -> float:
    """Value of an option on a price that grows for certain: the best of the dates."""
    sign = 1.0 if side == "call" else -1.0
    when = np.linspace(0.0, years, dates + 1) if exercise == "american" else np.array([years])
    gains = sign * (price * np.exp(-carry * when) - strike * np.exp(-rate * when))
    return float(max(gains.max(), 0.0))


def warrant(
    price: ArrayLike, strike: ArrayLike, years: ArrayLike, rate: ArrayLike, volatility: ArrayLike, *,
    outstanding: ArrayLike, warrants: ArrayLike, carry: ArrayLike = 0.0,
) -> Array:
    """Value of one warrant, each for one new share, when the share price knows of the warrants.

    Solves ``W = N / (N + M) * call(S + M W / N, K)`` by Newton's steps: the firm's equity is N shares at S and M warrants
    at W, and exercise makes N + M shares of it. With M = 0 this is Black & Scholes.

    Parameters (broadcast): `price` S of a share today and `strike` K [USD]; `outstanding` shares N and `warrants` M; the
    rest as `black_scholes`, the volatility being that of the firm's equity. Galai & Schneller 1978.

    >>> round(float(warrant(38.8265, 60.0, 5.0, 0.03, 0.3, outstanding=1e6, warrants=2e5)), 2)  # Hull's example: 5.87
    5.87
    """
    require("warrant", *_bounds(price, strike, years, rate, volatility, carry),
            Bound("outstanding", outstanding, 0, 1e15, "give the number of shares", open_low=True),
            Bound("warrants", warrants, 0, 1e15, "give the number of warrants"))
    s, k, t, r, v, q, shares, rights = np.broadcast_arrays(
        *(number(x) for x in (price, strike, years, rate, volatility, carry, outstanding, warrants)))
    extra, part = rights / shares, shares / (shares + rights)
    value = part * black_scholes(s, k, t, r, v, q)
    for _ in range(_ROUNDS):
        total = s + extra * value
        gap = value - part * black_scholes(total, k, t, r, v, q)
        step = gap / (1.0 - part * extra * _call_delta(total, k, t, r, v, q))
        value = value - step
        if np.all(np.abs(step) <= _CLOSE * np.maximum(s, _CLOSE)):
            break
    return np.asarray(value)


def _call_delta(price: Array, strike: Array, years: Array, rate: Array, volatility: Array, carry: Array) -> Array:
    """Change of the value of a call with the price."""
    here, there = price * np.exp(-carry * years), strike * np.exp(-rate * years)
    still, upper = _score(here, there, volatility * np.sqrt(years))
    return np.asarray(np.exp(-carry * years) * np.where(still, (here > there).astype(float), ndtr(upper)))


def _score(here: Array, there: Array, spread: Array) -> tuple[Array, Array]:
    """Where nothing moves, and the standard score d1 elsewhere; a spread under `_STILL` moves nothing."""
    still = (spread <= _STILL) | (here == 0.0) | (there == 0.0)
    width = np.where(still, 1.0, spread)
    return still, np.log(np.where(still, 1.0, here) / np.where(still, 1.0, there)) / width + 0.5 * width


def _bounds(
    price: ArrayLike, strike: ArrayLike, years: ArrayLike, rate: ArrayLike, volatility: ArrayLike, carry: ArrayLike
) -> tuple[Bound, ...]:
    return (
        Bound("price", price, 0, 1e15, "give USD"),
        Bound("strike", strike, 0, 1e15, "give USD"),
        Bound("years", years, 0, 1000, "give the time to expiry in years"),
        Bound("rate", rate, -1, 10, "give the continuous rate per year: log(1 + 5 %) is 0.0488", open_low=True),
        Bound("volatility", volatility, 0, 100, "give the standard deviation of a year's log price, 0 or more"),
        Bound("carry", carry, -10, 10, "give the continuous yield per year"),
    )
