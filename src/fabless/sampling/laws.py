"""Distributions of ranges, and joint draws of them.

Randomness is an argument everywhere else: this is the only module that makes generators. A range
(low, mode, high) is a triangular law, on the logarithm where `Range.scale` is ``log``; low and high
are its ends. Joint draws are quasi-random points through a Gaussian copula: correlations are those
of the normal scores (`correlation` checks them).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fabless.records import Array, Range
from fabless.sampling.correlation import conditional, correlation_matrix


def stream(seed: int, name: str) -> np.random.Generator:
    """Make the generator of a named random stream: same seed and name, same numbers."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, key]))


def plain_stream(seed: int) -> np.random.Generator:
    """Make the generator of a seed alone, as other programs do: their numbers can then be compared
    with ours."""
    return np.random.default_rng(seed)


def quantile(spread: Range, probability: Array | float) -> Array:
    """Quantile of a range at `probability` (any shape).

    Triangular law: ``low + sqrt(p (high-low)(mode-low))`` left of the mode and its mirror right of
    it; with
    ``scale="log"`` the same on logarithms. A range of zero width gives its mode.

    >>> float(quantile(Range(0.0, 1.0, 2.0), 0.5))
    1.0
    """
    p = np.asarray(probability, dtype=float)
    low, mode, high = spread.low, spread.mode, spread.high
    if spread.scale == "log":
        low, mode, high = np.log(low), np.log(mode), np.log(high)
    width = high - low
    if width == 0.0:
        return np.full(p.shape, spread.mode)
    left = np.sqrt(p * width * (mode - low)) + low
    right = high - np.sqrt((1.0 - p) * width * (high - mode))
    value = np.where(p <= (mode - low) / width, left, right)
    return np.exp(value) if spread.scale == "log" else value


def stretched(spread: Range, beyond: float) -> Range:
    """The range whose law lies below `low` and above `high` with half of the chance `beyond` each.

    Ends a, b of the wider law solve ``(low - a)^2 = p (b - a)(mode - a)`` and its mirror with
    p = beyond / 2. An end that is the mode itself is a bound, and stays.

    Limits: `beyond` below a half.

    >>> wide = stretched(Range(0.5, 1.0, 1.5), 0.2)
    >>> quantile(wide, np.array([0.1, 0.9])).round(12).tolist()
    [0.5, 1.5]
    """
    if beyond == 0.0 or spread.low == spread.high:
        return spread
    ends = np.array([spread.low, spread.mode, spread.high])
    low, mode, high = np.log(ends) if spread.scale == "log" else ends
    p, a, b = beyond / 2.0, low, high
    for _ in range(200):
        a, b = (low - np.sqrt(p * (b - a) * (mode - a)) if low < mode else low,
                high + np.sqrt(p * (b - a) * (b - mode)) if high > mode else high)
    if spread.scale == "log":
        a, b = np.exp(a), np.exp(b)
    return Range(float(a), spread.mode, float(b), spread.scale)


def exceeding(spread: Range, value: float) -> float:
    """Probability that a draw of a range is at least `value`: one less the inverse of `quantile`.

    >>> exceeding(Range(0.0, 1.0, 2.0), 0.5), exceeding(Range(0.1, 0.1, 0.1), 0.1)
    (0.875, 1.0)
    """
    low, mode, high, at = spread.low, spread.mode, spread.high, value
    if at <= low:
        return 1.0
    if at > high:
        return 0.0
    if spread.scale == "log":
        low, mode, high, at = (float(np.log(end)) for end in (low, mode, high, at))
    if at <= mode:
        return 1.0 - (at - low) ** 2 / ((high - low) * (mode - low))
    return (high - at) ** 2 / ((high - low) * (high - mode))


def mean(spread: Range) -> float:
    """Mean of a range: of the triangular law in closed form, of the log-triangular law by fine
    quadrature."""
    if spread.scale == "linear":
        return (spread.low + spread.mode + spread.high) / 3.0
    grid = (np.arange(4096) + 0.5) / 4096
    return float(quantile(spread, grid).mean())


def scores(points: Array) -> Array:
    """Standard normal scores of uniform points."""
    from scipy.special import ndtri

    return np.asarray(ndtri(points))


def chances(normal: Array) -> Array:
    """Uniform points of standard normal scores."""
    from scipy.special import ndtr

    return np.asarray(ndtr(normal))


def uniforms(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Scrambled Sobol points, shape (count, dimensions), strictly inside (0, 1)."""
    from scipy.stats import qmc

    power = max(1, int(np.ceil(np.log2(max(count, 2)))))
    points = qmc.Sobol(dimensions, scramble=True, rng=rng).random_base2(power)[:count]
    tiny = 1e-12
    return np.asarray(np.clip(points, tiny, 1.0 - tiny))


def stratified(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Latin hypercube, shape (count, dimensions): each dimension has one point in each of `count`
    equal slices."""
    slices = rng.permuted(np.tile(np.arange(count)[:, None], dimensions), axis=0)
    return np.asarray((slices + rng.uniform(size=slices.shape)) / count)


def sliced(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Latin hypercube whose points lie where scrambled Sobol points do, shuffled, shape (count,
    dimensions).

    Even in each dimension whatever the count, as `stratified` is, and in several dimensions
    together, as Sobol points are. Shuffled, since two scramblings of the same sequence go up and
    down together.
    """
    points = rng.permutation(uniforms(count, dimensions, rng), axis=0)
    order = np.argsort(np.argsort(points, axis=0), axis=0)
    return np.asarray((order + rng.uniform(size=order.shape)) / count)


def coupled(points: Array, matrix: Array) -> Array:
    """Reorder columns of uniform points (count, m) so that the normal scores correlate as `matrix`
    (m, m) says.

    Column after column takes the conditional law given those before it: its scores are freed of
    their chance correlation with them (where half the points are more than they), added to what
    they explain, and replaced by the column's own points of the same rank (Iman and Conover, 1982).
    Every column keeps its points. It depends on none after it, and of those before it on the ones
    alone that a chain of correlations ties to it without passing through a later one; so a column
    less leaves those before it as they were.
    """
    drawn = np.array(points)
    for k in range(1, points.shape[1] if len(points) > 1 else 0):
        leaders = _tied(matrix[:k + 1, :k + 1])
        if leaders.size:
            both = [*leaders, k]
            drawn[:, k] = _led(drawn[:, leaders], points[:, k], matrix[np.ix_(both, both)])
    return drawn


def _tied(matrix: Array) -> NDArray[np.int64]:
    """Columns that a chain of correlations ties to the last one, in order."""
    reached = np.arange(len(matrix)) == len(matrix) - 1
    for _ in range(len(matrix)):
        reached = reached | (matrix[reached] != 0.0).any(axis=0)
    return np.flatnonzero(reached[:-1])


def _led(leaders: Array, points: Array, matrix: Array) -> Array:
    """The points `own` (count,) in the order that ties them to the `leaders` (count, n) as `matrix`
    says; it comes last."""
    leader_scores, free = scores(leaders), scores(points)
    leader_scores = (leader_scores - leader_scores.mean(axis=0)) / leader_scores.std(axis=0)
    if leader_scores.shape[1] < points.size // 2:
        basis = np.column_stack([np.ones(points.size), leader_scores])
        free = free - basis @ np.linalg.lstsq(basis, free, rcond=None)[0]
        free = free / free.std()
    weights, root = conditional(matrix, np.arange(len(matrix)) == len(matrix) - 1)
    tied = leader_scores @ weights[0] + root[0, 0] * free
    return np.asarray(np.sort(points)[np.argsort(np.argsort(tied))])


def draw(
    ranges: Mapping[str, Range],
    count: int,
    rng: np.random.Generator,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> dict[str, Array]:
    """Draw `count` joint values of every range; each result has shape (count,).

    `correlations` holds a value for a pair of names; pairs that are not there have 0.
    """
    names = list(ranges)
    points = uniforms(count, len(names), rng)
    if correlations:
        points = coupled(points, correlation_matrix(names, correlations))
    return {name: quantile(ranges[name], points[:, k]) for k, name in enumerate(names)}
