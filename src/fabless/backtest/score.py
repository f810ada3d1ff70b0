"""Scores of a forecast given as samples, against a truth that has an interval of its own.

Everything here is on logarithms. A truth is a triangular law there, with its value as mode; every
score is its mean over that law.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.records import Array, Range
from fabless.sampling import exceeding, quantile

LEVELS = (0.5, 0.8, 0.95)
"""Probability that a forecast claims for its bands."""
TAUS = (0.1, 0.5, 0.9)
"""Quantiles whose pinball loss is taken."""
POINTS = 200
"""Points at which the law of a truth is taken."""


def in_logs(values: Array | float, least: float) -> Array:
    """Logarithms of values; what is below `least` counts as `least`.

    >>> float(in_logs(0.0, 1.0))
    0.0
    """
    return np.asarray(np.log(np.maximum(np.asarray(values, dtype=float), least)))


def truth_law(low: float, value: float, high: float, least: float) -> Range:
    """Law of the logarithm of a truth."""
    low, value, high = (float(in_logs(end, least)) for end in (low, value, high))
    return Range(low, value, high)


def truth_points(truth: Range) -> Array:
    """Equally likely points of the law of a truth; one where it has no width."""
    if truth.low == truth.high:
        return np.array([truth.mode])
    return quantile(truth, (np.arange(POINTS) + 0.5) / POINTS)


def band_of(samples: Array, level: float) -> tuple[float, float]:
    """Central band of samples that holds a share `level` of them.

    >>> band_of(np.arange(101.0), 0.8)
    (10.0, 90.0)
    """
    low, high = np.quantile(samples, (round(0.5 - level / 2, 9), round(0.5 + level / 2, 9)))
    return float(low), float(high)


def chance_inside(samples: Array, truth: Range, level: float) -> float:
    """Probability that the truth lies in the central band of the samples: 1 or 0 for one without an
    interval.

    >>> chance_inside(np.arange(101.0), Range(80.0, 90.0, 100.0), 0.8)
    0.5
    """
    low, high = band_of(samples, level)
    if truth.low == truth.high:
        return float(low <= truth.mode <= high)
    return exceeding(truth, low) - exceeding(truth, high)


def pit(samples: Array, truth: Range) -> float:
    """Share of the samples below the truth (probability integral transform), half of those that
    equal it: evenly spread over truths where forecasts are honest."""
    ordered, points = np.sort(samples), truth_points(truth)
    below = np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")
    return float(below.mean() / (2.0 * ordered.size))


def crps(samples: Array, truth: Range) -> float:
    """Continuous ranked probability score: ``E|X - y| - E|X - X'| / 2`` with X, X' of the samples,
    mean over the truth's points y; of a single sample its absolute error.

    Gneiting and Raftery (2007), equation 21; the sum over pairs by the order of the samples.

    >>> crps(np.array([1.0]), Range.point(3.0)), crps(np.array([0.0, 2.0]), Range.point(1.0))
    (2.0, 0.5)
    """
    ordered = np.sort(np.asarray(samples, dtype=float))
    count = ordered.size
    apart = np.abs(ordered[:, None] - truth_points(truth)).mean()
    rank = 2.0 * np.arange(1, count + 1) - count - 1.0
    return float(apart - rank @ ordered / count**2)


def pinball(samples: Array, truth: Range, taus: Sequence[float] = TAUS) -> float:
    """Mean pinball loss of some quantiles of the samples: ``max(tau (y - q), (tau - 1) (y - q))``.

    >>> round(pinball(np.array([1.0]), Range.point(3.0), (0.9,)), 6)
    1.8
    """
    tau = np.asarray(taus)[:, None]
    over = truth_points(truth) - np.quantile(samples, taus)[:, None]
    return float(np.maximum(tau * over, (tau - 1.0) * over).mean())


def error_of_median(samples: Array, truth: Range) -> float:
    """Median of the samples less the mean of the truth: negative where the forecast
    is too low."""
    return float(np.median(samples) - truth_points(truth).mean())


def brier(chance: float, happened: bool) -> float:
    """Square of what a stated chance is off by: 0 is best, 0.25 that of even odds.

    >>> brier(0.8, True), brier(0.5, False)
    (0.03999999999999998, 0.25)
    """
    return (chance - float(happened)) ** 2


def log_score(chance: float, happened: bool) -> float:
    """Negative logarithm of the chance given to what happened: 0 is best, 0.69 that of even
    odds."""
    return float(-np.log(chance if happened else 1.0 - chance))
