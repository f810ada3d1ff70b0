"""Ranges become distributions; many of them are drawn together.

Randomness is an argument everywhere else: this is the only module that makes generators. A range (low, mode, high) is a
triangular law, on the logarithm where `Range.scale` is ``log``; low and high are its ends. Joint draws are scrambled
Sobol points through a Gaussian copula.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from fabless.errors import BadValue, Fault
from fabless.records import Array, Range


def stream(seed: int, name: str) -> np.random.Generator:
    """Make the generator of a named random stream: same seed and name, same numbers."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, key]))


def quantile(spread: Range, probability: Array | float) -> Array:
    """Quantile of a range at `probability` (any shape).

    Triangular law: ``low + sqrt(p (high-low)(mode-low))`` left of the mode and its mirror right of it; with
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


def mean(spread: Range) -> float:
    """Mean of a range: of the triangular law in closed form, of the log-triangular law by fine quadrature."""
    if spread.scale == "linear":
        return (spread.low + spread.mode + spread.high) / 3.0
    grid = (np.arange(4096) + 0.5) / 4096
    return float(quantile(spread, grid).mean())


def uniforms(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Scrambled Sobol points, shape (count, dimensions), strictly inside (0, 1)."""
    power = max(1, int(np.ceil(np.log2(max(count, 2)))))
    points = qmc.Sobol(dimensions, scramble=True, rng=rng).random_base2(power)[:count]
    tiny = 1e-12
    return np.asarray(np.clip(points, tiny, 1.0 - tiny))


def stratified(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Latin hypercube, shape (count, dimensions): each dimension has one point in each of `count` equal slices.

    Better than Sobol points for the few branches of a tree node, where a dozen points must cover many dimensions.
    """
    slices = rng.permuted(np.tile(np.arange(count)[:, None], dimensions), axis=0)
    return np.asarray((slices + rng.uniform(size=slices.shape)) / count)


def correlation_matrix(names: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> Array:
    """Correlation matrix of `names` from named pairs; `BadValue` when no joint law can have it."""
    matrix = np.eye(len(names))
    for (one, other), value in pairs.items():
        i, j = names.index(one), names.index(other)
        matrix[i, j] = matrix[j, i] = value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-9:
        said = ", ".join(f"{a} with {b} {v:+.2f}" for (a, b), v in pairs.items())
        raise BadValue(Fault("correlations", f"{said}: not a correlation matrix (smallest eigenvalue {smallest:.3f})",
                             "a positive semidefinite matrix", "bring the largest of these correlations nearer to 0"))
    return matrix


def draw(
    ranges: Mapping[str, Range],
    count: int,
    rng: np.random.Generator,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> dict[str, Array]:
    """Draw `count` joint values of every range; each result has shape (count,)."""
    names = list(ranges)
    points = uniforms(count, len(names), rng)
    if correlations:
        matrix = correlation_matrix(names, correlations)
        values, vectors = np.linalg.eigh(matrix)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        points = ndtr(ndtri(points) @ root.T)
    return {name: quantile(ranges[name], points[:, k]) for k, name in enumerate(names)}
