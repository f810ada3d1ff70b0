"""Posterior laws from few cases: Beta for a rate, Student-t of the logarithm for a duration.

Nothing is taken at its point value: two of seven is 0.31 with a wide band, and four durations
predict a fifth by a Student-t law. A class with few cases can lean on the others through a prior
pooled over them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtr, ndtri, stdtr, stdtrit

from fabless.errors import BadValue, Fault
from fabless.records import Array

JEFFREYS = 0.5
"""Pseudo-count that Jeffreys' prior of a rate adds to each side."""
_LARGEST_LOG = 700.0
"""exp() of more overflows."""


@dataclass(frozen=True)
class PseudoCounts:
    """A Beta law of a rate by its pseudo-counts: events and non-events seen, plus the prior's half
    each.

    A count of 0 makes the event certain or impossible.

    >>> PseudoCounts(2.5, 5.5).mean, PseudoCounts(2.5, 5.5).cases
    (0.3125, 7.0)
    """

    failed: float
    passed: float

    @property
    def mean(self) -> float:
        """Probability of the event in the next case [1]: failed / (failed + passed)."""
        return self.failed / (self.failed + self.passed)

    @property
    def cases(self) -> float:
        """Sample size: the pseudo-counts less Jeffreys' half each; 0 where an end is certain."""
        return 0.0 if 0.0 in (self.failed, self.passed) else max(self.failed + self.passed - 2 * JEFFREYS, 0.0)

    @property
    def is_valid(self) -> bool:
        """Both finite and 0 or more, not both 0."""
        sizes = (self.failed, self.passed)
        return all(math.isfinite(size) and size >= 0 for size in sizes) and sum(sizes) > 0


@dataclass(frozen=True)
class CredibleBand:
    """A rate: its posterior mean and the ends of its credible band."""

    mean: float
    low: float
    high: float
    cases: float | None = None
    """Number of cases behind the rate; None if it is certain or given as a range."""


def jeffreys(failed: float, passed: float) -> PseudoCounts:
    """Posterior of a rate after `failed` events in `failed + passed` cases under Jeffreys' prior
    Beta(1/2, 1/2).

    Raises `BadValue` for a count below 0 or not finite.

    >>> jeffreys(2, 5)
    PseudoCounts(failed=2.5, passed=5.5)
    """
    faults = [
        Fault(
            f"jeffreys, {name}", f"{value:g}", "a finite count of 0 or more", "count the cases seen"
        )
        for name, value in (("failed", failed), ("passed", passed))
        if not 0 <= value < math.inf
    ]
    if faults:
        raise BadValue(*faults)
    return PseudoCounts(failed + JEFFREYS, passed + JEFFREYS)


def beta_quantile(counts: PseudoCounts, probability: ArrayLike) -> Array:
    """Quantile of the rate at `probability` (any shape, inside (0, 1)); exactly 0 or 1 where a
    count is 0.

    >>> float(beta_quantile(PseudoCounts(1, 1), 0.3).round(12)), float(beta_quantile(PseudoCounts(0, 1), 0.3))
    (0.3, 0.0)
    """
    p = np.asarray(probability, dtype=float)
    if counts.failed == 0 or counts.passed == 0:
        return np.full(p.shape, float(counts.passed == 0))
    return np.asarray(betaincinv(counts.failed, counts.passed, p))


def credible_band(counts: PseudoCounts, level: float = 0.9) -> CredibleBand:
    """Posterior mean of a rate and its equal-tailed band of probability `level`.

    >>> band = credible_band(jeffreys(2, 5))
    >>> round(band.low, 3), band.mean, round(band.high, 3), band.cases
    (0.088, 0.3125, 0.593, 7.0)
    """
    low, high = beta_quantile(counts, [(1 - level) / 2, (1 + level) / 2])
    return CredibleBand(counts.mean, float(low), float(high), counts.cases)


@dataclass(frozen=True)
class LogTime:
    """Predictive law of the next duration: ``ln(duration) = location + scale * t``, t of Student
    with `freedom`.

    The unit is that of the cases it came from. `freedom` may be infinite (normal), `scale` may be 0
    (certain). A log-t law has no mean: read it by its quantiles.
    """

    location: float
    scale: float
    freedom: float
    cases: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            Fault(f"log time, {name}", f"{value:g}", allowed, "fit it with log_time")
            for name, value, good, allowed in (
                ("location", self.location, math.isfinite(self.location), "a finite number"),
                ("scale", self.scale, 0 <= self.scale < math.inf, "a finite number of 0 or more"),
                ("freedom", self.freedom, self.freedom > 0, "a number above 0"),
            )
            if not good
        ]
        if faults:
            raise BadValue(*faults)

    @property
    def median(self) -> float:
        """Duration that is passed half of the time."""
        return math.exp(self.location)

    def quantile(self, probability: ArrayLike) -> Array:
        """Duration not passed with `probability` (any shape, inside (0, 1)); at most exp(700)."""
        p = np.asarray(probability, dtype=float)
        normal = math.isinf(self.freedom)
        log = self.location + self.scale * (ndtri(p) if normal else stdtrit(self.freedom, p))
        return np.asarray(np.exp(np.clip(log, -_LARGEST_LOG, _LARGEST_LOG)))

    def cdf(self, duration: ArrayLike) -> Array:
        """Probability that the duration is at most `duration` (any shape, above 0)."""
        log = np.log(np.asarray(duration, dtype=float))
        if self.scale == 0:
            return np.asarray(log >= self.location, dtype=float)
        t = (log - self.location) / self.scale
        return np.asarray(ndtr(t) if math.isinf(self.freedom) else stdtr(self.freedom, t))

    def scaled(self, factor: float) -> LogTime:
        """Law of the duration times `factor` > 0: another unit, or a share of the stage."""
        return LogTime(self.location + math.log(factor), self.scale, self.freedom, self.cases)


@dataclass(frozen=True)
class LogTimePrior:
    """What is believed of ln(duration) before a class's own cases: a normal-inverse-chi-square
    law."""

    location: float
    location_cases: float
    """Cases that the location is worth."""
    variance: float
    variance_cases: float
    """Cases that the variance is worth."""


def log_time(durations: Sequence[float], prior: LogTimePrior | None = None) -> LogTime:
    """Predict the next duration from the cases seen, normal on the logarithm with mean and variance
    unknown.

    Without a prior (Jeffreys): t of n - 1 degrees at the mean of the logs, scale ``s sqrt(1 +
    1/n)``. With one, n may be 0::

        k = k0 + n;  m = (k0 m0 + n ybar) / k;  nu = nu0 + n
        nu v = nu0 v0 + sum (y - ybar)^2 + k0 n / k (ybar - m0)^2;  t of nu degrees at m, scale sqrt(v (1 + 1/k))

    Raises `BadValue` for a duration that is not above 0 and finite, or without a prior for fewer
    than two different ones. Source: Gelman et al., Bayesian Data Analysis, 3rd ed., sections 3.2
    and 3.3.

    >>> law = log_time([1.0, math.e**2])
    >>> law.location, law.freedom, round(law.scale, 6)  # s = sqrt 2, times sqrt 1.5
    (1.0, 1.0, 1.732051)
    """
    wrong = [value for value in durations if not 0 < value < math.inf]
    if wrong:
        raise BadValue(Fault("log_time, durations", f"{wrong[0]:g}", "finite numbers above 0", "leave the case out"))
    if prior is None and len({*durations}) < 2:
        raise BadValue(
            Fault(
                "log_time, durations", f"{len(durations)} cases, {len({*durations})} different",
                "two different durations or more without a prior",
                "give a prior pooled over the classes",
            )
        )
    logs = np.log(np.asarray(durations, dtype=float))
    n, mean = logs.size, float(logs.mean()) if logs.size else 0.0
    squares = float(((logs - mean) ** 2).sum())
    if prior is None:
        return LogTime(mean, math.sqrt(squares / (n - 1) * (1 + 1 / n)), float(n - 1), n)
    weight, freedom = prior.location_cases + n, prior.variance_cases + n
    location = (prior.location_cases * prior.location + n * mean) / weight
    between = prior.location_cases * n / weight * (mean - prior.location) ** 2
    variance = (prior.variance_cases * prior.variance + squares + between) / freedom
    return LogTime(location, math.sqrt(variance * (1 + 1 / weight)), freedom, n)


def pooled_prior(classes: Sequence[Sequence[float]]) -> LogTimePrior:
    """Prior for a class not among `classes`, from their durations: one-way random effects on the
    logarithms, by moments::

        s2 = within mean square;  tau2 = max(0, (between mean square - s2) / n0),  n0 = (N - sum n_j^2 / N) / (J - 1)
        location = sum w_j ybar_j / sum w_j,  w_j = 1 / (tau2 + s2 / n_j);  worth s2 / (tau2 + 1 / sum w_j) cases

    and the variance s2 is worth N - J cases. Raises `BadValue` without two classes that have cases,
    or where no class has two different ones. Source: Searle, Casella and McCulloch, Variance
    Components, chapter 3 (analysis of variance).
    """
    logs = [np.log(np.asarray(cases, dtype=float)) for cases in classes if len(cases)]
    sizes = np.array([len(cases) for cases in logs], dtype=float)
    within = sum(float(((cases - cases.mean()) ** 2).sum()) for cases in logs)
    if len(logs) < 2 or within == 0:
        raise BadValue(
            Fault(
                "pooled_prior, classes",
                f"{len(logs)} classes with cases, sum of squares within {within:g}",
                "two classes or more, one of them with two different durations",
                "pool more classes",
            )
        )
    total, means = sizes.sum(), np.array([cases.mean() for cases in logs])
    variance = within / (total - len(logs))
    grand = float(sizes @ means / total)
    between = float(sizes @ (means - grand) ** 2) / (len(logs) - 1)
    tau2 = max(0.0, (between - variance) / (total - float(sizes @ sizes) / total) * (len(logs) - 1))
    weights = 1.0 / (tau2 + variance / sizes)
    return LogTimePrior(
        float(weights @ means / weights.sum()), variance / (tau2 + 1.0 / float(weights.sum())),
        variance, float(total - len(logs)),
    )
