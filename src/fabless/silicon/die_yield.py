"""Which share of the dies works.

The plain laws share one contract: mean number of killer defects per die ``x = area * density`` [1] in, share of dies
without one [1] out; 1 at x = 0, falling in x, shape-preserving. With clustering, the local density of defects is taken
as constant over a die and Gamma-distributed from die to die, which gives the negative binomial law, and what units of
one die share when some of them may fail.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, gammaincinv

from fabless.checks import Bound, number, require
from fabless.records import Array
from fabless.units import YEAR_S

QUADRATURE_POINTS = 96
"""Points of the Gauss-Legendre rule over the law of local densities; its error is below 1e-8."""
BLOCK = 16_384
"""Dies computed at once, so that a million of them need little memory."""


def poisson_yield(defects: ArrayLike) -> Array:
    """Yield with defects strewn independently: ``exp(-x)``, the lowest of the laws."""
    return np.exp(-_checked("poisson_yield", defects))


def murphy_yield(defects: ArrayLike) -> Array:
    """Yield with a triangular law of local densities: ``((1 - exp(-x)) / x)^2``; Murphy, Proc. IEEE 52 (1964) 1537."""
    x = _checked("murphy_yield", defects)
    safe = np.where(x > 0, x, 1.0)
    return np.where(x > 0, (-np.expm1(-safe) / safe) ** 2, 1.0)


def seeds_yield(defects: ArrayLike) -> Array:
    """Yield with an exponential law of local densities: ``1 / (1 + x)``; Seeds, IEDM 1967."""
    return 1.0 / (1.0 + _checked("seeds_yield", defects))


def negative_binomial_yield(defects: ArrayLike, clustering: ArrayLike) -> Array:
    """Yield with a Gamma law of local densities: ``(1 + x / alpha)^-alpha``; Stapper, IBM J. R&D 27 (1983) 549.

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
    defects: ArrayLike, clustering: ArrayLike, units: int, units_needed: int, repairable_share: float
) -> Array:
    """Share of dies that can be sold when `units_needed` of `units` equal units must work and all the rest must.

    The local density factor g ~ Gamma(alpha, mean 1) is one number for the whole die: given g the units fail
    independently, and the mean over g is taken last,

        Y = E_g[ exp(-g (1 - s) x) * P(Binomial(n, exp(-g s x / n)) >= k) ].

    Multiplying negative binomial yields of the parts instead would give each part a density of its own, and
    ``n = k`` would no longer be the plain yield. Here n = k, or s = 0, is exactly the negative binomial law.

    Parameters: `defects` mean killer defects per die [1] and `clustering` alpha [1], any shapes that broadcast;
    `units` n and `units_needed` k; `repairable_share` s, share of the die's area in the units.
    Limits: 1 at x = 0; never below the plain yield. Raises `BadValue` on k outside 1..n or s outside 0..1.

    >>> [round(float(harvested_yield(x, 3.0, 144, 132, 0.55)), 2) for x in (0.0, 0.6512)]
    [1.0, 0.76]
    """
    x = _checked("harvested_yield", defects)
    alpha = _clustering("harvested_yield", clustering)
    require(
        "harvested_yield",
        Bound("units", units, 1, 1e7, "give the number of units on the die"),
        Bound("units_needed", units_needed, 1, units, "need at least one unit and no more than there are"),
        Bound("repairable_share", repairable_share, 0, 1, "give the share of the die's area that lies in the units"),
    )
    if units == units_needed or repairable_share == 0:
        return negative_binomial_yield(x, alpha)
    flat_x, flat_alpha = (array.ravel() for array in np.broadcast_arrays(x, alpha))
    blocks = [
        _mean_over_density(flat_x[k : k + BLOCK], flat_alpha[k : k + BLOCK], units, units_needed, repairable_share)
        for k in range(0, flat_x.size, BLOCK)
    ]
    return np.concatenate(blocks).reshape(np.broadcast_shapes(x.shape, alpha.shape))


def _mean_over_density(x: Array, alpha: Array, units: int, units_needed: int, repairable_share: float) -> Array:
    """Mean over the law of local densities of the chance that a die can be sold; `x` and `alpha` of shape (n,)."""
    node, weight = np.polynomial.legendre.leggauss(QUADRATURE_POINTS)
    # u = t^2 (3 - 2 t) crowds the points at both ends, where the quantile of the Gamma law bends
    t = (node + 1) / 2
    level, weight = t * t * (3 - 2 * t), weight / 2 * 6 * t * (1 - t)
    clustered = np.isfinite(alpha)[:, None]
    finite = np.where(clustered, alpha[:, None], 1.0)
    local = x[:, None] * np.where(clustered, gammaincinv(finite, level) / finite, 1.0)
    unit_works = np.exp(-local * repairable_share / units)
    enough = betainc(units_needed, units - units_needed + 1, unit_works)
    return np.asarray(np.sum(weight * np.exp(-local * (1 - repairable_share)) * enough, axis=-1))


def defect_density_at(
    age_s: ArrayLike, launch_density: ArrayLike, mature_density: ArrayLike, learning_s: ArrayLike
) -> Array:
    """Defect density [1/m2] at an age of the process: ``D_mature + (D_launch - D_mature) exp(-t / tau)``.

    Parameters: `age_s` time since the start of volume production [s], at least 0; the two densities [1/m2];
    `learning_s` the time constant tau [s], over 0; any shapes that broadcast.
    The form is read off foundries' yearly charts.

    >>> float(defect_density_at(0.0, 1100.0, 700.0, 2e7))
    1100.0
    """
    require(
        "defect_density_at",
        Bound("age_s", age_s, 0, 100 * YEAR_S, "count from the start of volume production"),
        Bound("launch_density", launch_density, 0, 1e8, "give defects per m2 (1 per cm2 = 1e4 per m2)"),
        Bound("mature_density", mature_density, 0, 1e8, "give defects per m2 (1 per cm2 = 1e4 per m2)"),
        Bound("learning_s", learning_s, 0, 100 * YEAR_S, "a few quarters, in seconds", open_low=True),
    )
    launch, mature = number(launch_density), number(mature_density)
    decay = np.exp(-number(age_s) / number(learning_s))
    return np.asarray(mature + (launch - mature) * decay)


def _checked(place: str, defects: ArrayLike) -> Array:
    require(place, Bound("defects", defects, 0, math.inf, "die area times defect density, not negative"))
    return number(defects)


def _clustering(place: str, clustering: ArrayLike) -> Array:
    bound = Bound("clustering", clustering, 0, math.inf, "alpha of foundry data lies between 1 and 10", open_low=True,
                  unbounded=True)
    require(place, bound)
    return number(clustering)
