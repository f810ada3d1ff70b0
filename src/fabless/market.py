"""The market: states that come and go, prices that fall, growth that fades, generations that
arrive.

Scarcity and every shock is a two-state Markov chain by quarter: on or off. Every function takes
plain numbers and arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.case_numbers import LineNumbers, stated
from fabless.errors import BadValue, Fault
from fabless.records import Array, Tree
from fabless.units import QUARTER_S


def leave_chance(duration_s: ArrayLike) -> Array:
    """Chance that a state of a mean duration [s] ends with a quarter: ``quarter / duration``;
    broadcasts.

    A state left with probability q each quarter lasts 1/q quarters on average. A duration of
    infinity is never left. Raises `BadValue` for a duration below a quarter.

    >>> float(leave_chance(8 * QUARTER_S))
    0.125
    """
    duration = np.asarray(duration_s, dtype=float)
    if not np.all(duration >= QUARTER_S * (1.0 - 1e-12)):
        raise BadValue(
            Fault(
                "duration of a state of the market", f"{duration.min() / QUARTER_S:g} quarters",
                "1 quarter or more", "give the mean duration of each state, a quarter at the least",
            )
        )
    return np.asarray(np.minimum(QUARTER_S / duration, 1.0))


def strike_chance(rate_per_s: ArrayLike) -> Array:
    """Chance that a shock of a base rate [1/s] strikes within a quarter: ``1 - exp(-rate x
    quarter)``; broadcasts.

    >>> float(strike_chance(0.0)), float(strike_chance(np.inf))
    (0.0, 1.0)
    """
    return np.asarray(-np.expm1(-np.asarray(rate_per_s, dtype=float) * QUARTER_S))


def next_chance(chance: ArrayLike, enter: ArrayLike, leave: ArrayLike) -> Array:
    """Chance that a state is on one quarter later: ``chance (1 - leave) + (1 - chance) enter``;
    broadcasts.

    In the long run it is ``enter / (enter + leave)``, approached by the factor ``1 - enter -
    leave`` a quarter. Where the state is known, `chance` is 0 or 1 and the result the transition
    probability.

    >>> float(next_chance(1.0, 0.125, 0.25)), float(next_chance(0.0, 0.125, 0.25))
    (0.75, 0.125)
    """
    now = np.asarray(chance, dtype=float)
    return np.asarray(now * (1.0 - np.asarray(leave, dtype=float)) + (1.0 - now) * np.asarray(enter, dtype=float))


def expected_multiple(chance: ArrayLike, multiple: ArrayLike) -> Array:
    """Mean of a factor that is `multiple` where a state is on and 1 where it is off; broadcasts.

    >>> float(expected_multiple(0.5, 1.5))
    1.25
    """
    return np.asarray(1.0 + np.asarray(chance, dtype=float) * (np.asarray(multiple, dtype=float) - 1.0))


def price_path_usd(
    price_usd: ArrayLike, yearly_decline: ArrayLike, quarters: ArrayLike,
    price_multiplier: ArrayLike = 1.0,
) -> Array:
    """Price of one chip after `quarters`: ``price * (1 - decline) ** (quarters / 4) * multiplier``;
    broadcasts.

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
    initial_growth: ArrayLike, long_growth: ArrayLike, fade_s: ArrayLike, start_s: ArrayLike,
    end_s: ArrayLike,
) -> Array:
    """Log of the growth between two times when growth fades; broadcasts.

    ``g1 (t1 - t0) + (g0 - g1) tau (exp(-t0 / tau) - exp(-t1 / tau))``, the integral of
    ``g(t) = g1 + (g0 - g1) exp(-t / tau)``, with `initial_growth` g0 and `long_growth` g1 [1/s], `fade_s` tau [s].
    """
    g0, g1, tau, t0, t1 = (np.asarray(v, dtype=float) for v in (initial_growth, long_growth, fade_s, start_s, end_s))
    return np.asarray(g1 * (t1 - t0) - (g0 - g1) * tau * np.exp(-t0 / tau) * np.expm1((t0 - t1) / tau))


def arrival_quarter(
    first_s: ArrayLike, gap_s: ArrayLike, slips: Sequence[ArrayLike], start_quarter: int = 0
) -> Array:
    """Quarter, rounded, in which a coming generation arrives; broadcasts.

    ``(first x slip_1 + gap x (slip_2 + ... + slip_n)) / quarter``, for as many slips as generations until it: a renewal
    process whose waits are a common pace, `first_s` and then `gap_s` [s], times a factor of their
    own. Never before `start_quarter`.

    >>> int(arrival_quarter(4 * QUARTER_S, 8 * QUARTER_S, [1.5, 0.5]))
    10
    """
    waited = np.asarray(first_s, dtype=float) * slips[0]
    for slip in slips[1:]:
        waited = waited + np.asarray(gap_s, dtype=float) * slip
    return np.asarray(np.maximum(np.rint(waited / QUARTER_S), start_quarter))


def known_arrival(
    terms: LineNumbers[Array], generation: int, tree: Tree, start_quarter: int = 0
) -> NDArray[np.int64]:
    """Quarter of arrival of a coming generation of a line as known at each node-quarter.

    What has arrived has arrived: later news does not take it back.
    """
    usual = np.ones((generation, tree.size))
    slips = usual if terms.successor_slip is None else terms.successor_slip[:generation]
    arrival = arrival_quarter(
        stated(terms.successor_first), stated(terms.successor_gap), list(slips), start_quarter
    ).astype(np.int64)
    for now in range(1, tree.quarters):
        nodes = np.flatnonzero(tree.quarter == now)
        before = arrival[tree.parent[nodes]]
        arrival[nodes] = np.where(before < now, before, arrival[nodes])
    return arrival


def of_generation(name: str, generation: int) -> str:
    """Name under which the draw of one coming generation stands: the number itself for the first,
    then numbered.

    >>> of_generation("lines.x.successor_slip", 1), of_generation("lines.x.successor_slip", 3)
    ('lines.x.successor_slip', 'lines.x.successor_slip.3')
    """
    return name if generation == 1 else f"{name}.{generation}"
