"""Which share of the dies works.

The plain laws share one contract: mean number of killer defects per die ``x = area * density`` [1]
in, share of dies without one [1] out; 1 at x = 0, falling in x, shape-preserving. With clustering,
the local density of defects is taken as constant over a die and Gamma-distributed from die to die,
which gives the negative binomial law.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array
from fabless.units import YEAR_S

TAIL = 1e-10
"""Largest part of a yield that the sum over defects may leave out."""
MOST_DEFECTS = 20_000
"""Terms after which the sum ends in any case."""


def poisson_yield(defects: ArrayLike) -> Array:
    """Yield with defects strewn independently: ``exp(-x)``, the lowest of the laws."""
    return np.exp(-_checked("poisson_yield", defects))


def murphy_yield(defects: ArrayLike) -> Array:
    """Yield with a triangular law of local densities: ``((1 - exp(-x)) / x)^2``; Murphy, Proc. IEEE
    52 (1964) 1537."""
    x = _checked("murphy_yield", defects)
    safe = np.where(x > 0, x, 1.0)
    return np.where(x > 0, (-np.expm1(-safe) / safe) ** 2, 1.0)


def seeds_yield(defects: ArrayLike) -> Array:
    """Yield with an exponential law of local densities: ``1 / (1 + x)``; Seeds, IEDM 1967."""
    return 1.0 / (1.0 + _checked("seeds_yield", defects))


def negative_binomial_yield(defects: ArrayLike, clustering: ArrayLike) -> Array:
    """Yield with a Gamma law of local densities: ``(1 + x / alpha)^-alpha``; Stapper, IBM J. R&D 27
    (1983) 549.

    Parameters: `defects` mean killer defects per die [1]; `clustering` alpha [1], over 0, infinity allowed; any shapes
    that broadcast. alpha = 1 is Seeds, alpha = infinity is Poisson.

    >>> round(float(negative_binomial_yield(0.6512, 3.0)), 3)
    0.555
    """
    x = _checked("negative_binomial_yield", defects)
    alpha = _clustering("negative_binomial_yield", clustering)
    finite = np.where(np.isinf(alpha), 1.0, alpha)
    return np.where(np.isinf(alpha), np.exp(-x), np.exp(-finite * np.log1p(x / finite)))


def harvested_yield(
    defects: ArrayLike, clustering: ArrayLike, units: ArrayLike, units_needed: ArrayLike,
    repairable_share: ArrayLike,
) -> Array:
    """Share of dies that can be sold when `units_needed` of `units` equal units must work and all
    the rest must.

    Defects fall on a die as a negative binomial law, each into the units with probability s, there
    into any of the n with equal chance. The die is sold when none lies outside the units and at
    most n - k units are hit:

        Y = sum_j NB(j defects, all in the units) * P(at most n - k different units are hit by j defects).

    All terms are positive, so that nothing cancels; the sum ends where the rest is below `TAIL`.
    Multiplying negative binomial yields of the parts instead would give each part a density of its
    own, and ``n = k`` would no longer be the plain yield. Here n = k, or s = 0, is exactly the
    negative binomial law.

    Parameters, of any shapes that broadcast: `defects` mean killer defects per die [1]; `clustering` alpha [1]; `units`
    n and `units_needed` k, whole numbers; `repairable_share` s, share of the die's area in the
    units. Limits: 1 at x = 0; never below the plain yield. Raises `BadValue` on k outside 1..n or s
    outside 0..1.

    >>> [round(float(harvested_yield(x, 3.0, 144, 132, 0.55)), 2) for x in (0.0, 0.6512)]
    [1.0, 0.76]
    """
    x = _checked("harvested_yield", defects)
    alpha = _clustering("harvested_yield", clustering)
    n, k, share = number(units), number(units_needed), number(repairable_share)
    require(
        "harvested_yield",
        Bound("units", n, 1, 1e7, "give the number of units on the die"),
        Bound("units_needed", k, 1, math.inf, "need at least one unit"),
        Bound(
            "units_needed", np.max(k - n, initial=0.0), 0, 0, "need no more units than there are"
        ),
        Bound(
            "repairable_share", share, 0, 1,
            "give the share of the die's area that lies in the units",
        ),
    )
    if n.ndim == k.ndim == 0:
        return _sold_share(x, alpha, int(n), int(n - k), share)
    x, alpha, n, k, share = np.broadcast_arrays(x, alpha, n, k, share)
    # one whole number for each pair: both are below 1e8
    shape, kinds = x.shape, (1e8 * n + k).astype(np.int64).ravel()
    order = np.argsort(kinds, kind="stable")
    sorted_kinds = kinds[order]
    first = (
        np.flatnonzero(np.concatenate([[True], sorted_kinds[1:] != sorted_kinds[:-1]]))
        if order.size
        else order
    )
    x, alpha, share = x.ravel()[order], alpha.ravel()[order], share.ravel()[order]
    sold = np.empty(order.size)
    for start, stop in zip(first, [*first[1:], order.size], strict=True):
        group, (total, needed) = slice(start, stop), divmod(int(sorted_kinds[start]), 10**8)
        sold[group] = _sold_share(x[group], alpha[group], total, total - needed, share[group])
    answer = np.empty(order.size)
    answer[order] = sold
    return answer.reshape(shape)


def _sold_share(x: Array, alpha: Array, units: int, spares: int, share: Array) -> Array:
    """The sum of `harvested_yield` for one number of units."""
    plain = negative_binomial_yield(x, alpha)
    if spares == 0 or not np.any(share):
        return plain
    # term j follows from term j - 1 by the factor (alpha + j - 1) q / j with q = s x / (alpha + x)
    mean = share * x / (1.0 + x / alpha)
    growth = mean / alpha
    term, total = plain, plain
    chances = _few_units_hit(units, spares, 64)
    for j in range(1, MOST_DEFECTS):
        if j >= chances.size:
            chances = _few_units_hit(units, spares, 2 * chances.size)
        factor = (mean + (j - 1) * growth) / j
        term = term * factor
        total = total + term * chances[j]
        if j % 4 == 0:
            ratio = np.maximum(factor, growth)
            rest = term * chances[j] * ratio
            if np.all((ratio < 1.0) & (rest <= TAIL * (1.0 - ratio))):
                break
    return np.asarray(np.minimum(total, 1.0))


@lru_cache(maxsize=1024)
def _few_units_hit(units: int, spares: int, defects: int) -> Array:
    """Chance that 0, 1, ... `defects` - 1 defects, each in a random unit, hit at most `spares`
    different units."""
    most = min(spares, defects)
    again = np.arange(most + 1) / units
    hit = np.zeros(most + 1)
    hit[0] = 1.0
    chances = np.ones(defects)
    for j in range(1, defects):
        fresh = hit[:-1] * (1.0 - again[:-1])
        hit = hit * again
        hit[1:] += fresh
        chances[j] = hit.sum()
    return chances


def defect_density_at(
    age_s: ArrayLike, launch_density: ArrayLike, mature_density: ArrayLike, learning_s: ArrayLike
) -> Array:
    """Defect density [1/m2] at an age of the process: ``D_mature + (D_launch - D_mature) exp(-t /
    tau)``.

    Parameters: `age_s` time since the start of volume production [s], at least 0; the two densities [1/m2];
    `learning_s` the time constant tau [s], over 0; any shapes that broadcast.
    The form is read off foundries' yearly charts.

    >>> float(defect_density_at(0.0, 1100.0, 700.0, 2e7))
    1100.0
    """
    require(
        "defect_density_at",
        Bound("age_s", age_s, 0, 100 * YEAR_S, "count from the start of volume production"),
        Bound(
            "launch_density", launch_density, 0, 1e8, "give defects per m2 (1 per cm2 = 1e4 per m2)"
        ),
        Bound(
            "mature_density", mature_density, 0, 1e8, "give defects per m2 (1 per cm2 = 1e4 per m2)"
        ),
        Bound(
            "learning_s", learning_s, 0, 100 * YEAR_S, "a few quarters, in seconds", open_low=True
        ),
    )
    launch, mature = number(launch_density), number(mature_density)
    decay = np.exp(-number(age_s) / number(learning_s))
    return np.asarray(mature + (launch - mature) * decay)


def _checked(place: str, defects: ArrayLike) -> Array:
    require(
        place, Bound("defects", defects, 0, math.inf, "die area times defect density, not negative")
    )
    return number(defects)


def _clustering(place: str, clustering: ArrayLike) -> Array:
    bound = Bound(
        "clustering", clustering, 0, math.inf, "alpha of foundry data lies between 1 and 10",
        open_low=True, unbounded=True,
    )
    require(place, bound)
    return number(clustering)
