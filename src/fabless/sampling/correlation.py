"""Correlations by name: whether a joint law can have them, and which nearest ones it can.

A symmetric matrix with unit diagonal is a correlation matrix where it is positive semidefinite.
With all entries but one fixed its determinant is quadratic in that entry, so that the values it may
take are an interval in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault, suggestion
from fabless.records import Array

TOLERANCE = 1e-9
"""Eigenvalues above minus this count as 0."""
DIGITS = 4
"""Digits of the values that an error proposes."""

Pair = tuple[str, str]


def correlation_matrix(names: Sequence[str], pairs: Mapping[Pair, float]) -> Array:
    """Correlation matrix of `names` from named pairs, 0 where none is given.

    Raises `BadValue` for pairs that are unknown, of a name with itself, given both ways round or
    outside [-1, 1], and where no joint law can have all of them: it names the pair at fault and the
    nearest value that can be.
    """
    faults = correlation_faults(list(pairs.items()), names)
    if faults:
        named = list(pairs)
        raise BadValue(
            *(
                replace(fault, place=f"correlation of {' with '.join(named[k])}")
                for k, fault in faults
            )
        )
    return _filled(list(names), pairs)


def correlation_faults(
    stated: Sequence[tuple[Pair, float]], known: Collection[str]
) -> list[tuple[int, Fault]]:
    """Every fault of a list of correlations between `known` names, each with its position in the
    list and no place."""
    faults = [
        (k, fault)
        for k, (pair, value) in enumerate(stated)
        if (fault := _by_itself(pair, value, known, [earlier for earlier, _ in stated[:k]]))
        is not None
    ]
    if faults:
        return faults
    position = {pair: k for k, (pair, _) in enumerate(stated)}
    return [
        (position[pair], fault)
        for group in groups(position)
        for pair, fault in _together(group, dict(stated))
    ]


def groups(pairs: Iterable[Pair]) -> list[list[str]]:
    """Names that are tied to one another by a chain of pairs, each group sorted, groups by their
    first name.

    >>> groups([("b", "a"), ("c", "d"), ("b", "e")])
    [['a', 'b', 'e'], ['c', 'd']]
    """
    joined: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in joined if group & set(pair)]
        joined = [group for group in joined if group not in touched] + [set(pair).union(*touched)]
    return sorted(sorted(group) for group in joined)


def lower_root(matrix: Array) -> Array:
    """Lower triangular L with ``L L' = matrix``, for positive semidefinite matrices too.

    >>> lower_root(np.array([[1.0, 0.6], [0.6, 1.0]])).tolist()
    [[1.0, 0.0], [0.6, 0.8]]
    """
    root = np.zeros_like(matrix, dtype=float)
    for k in range(len(matrix)):
        left = matrix[k, k] - root[k, :k] @ root[k, :k]
        if left > TOLERANCE:
            root[k, k] = math.sqrt(left)
            root[k + 1:, k] = (matrix[k + 1:, k] - root[k + 1:, :k] @ root[k, :k]) / root[k, k]
    return root


def conditional(matrix: Array, which: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Law of some normal scores given the others: ``weights @ others`` plus a term with covariance
    ``root root'``.

    `which` marks the scores; returns weights (some, others) and the lower triangular root (some,
    some), neither of which can be written to: what was worked out once is given again.
    """
    return _conditional(np.asarray(matrix, dtype=float).tobytes(), which.tobytes())


@lru_cache(maxsize=64)
def _conditional(matrix_bytes: bytes, which_bytes: bytes) -> tuple[Array, Array]:
    # every draw of a case asks for the same few laws, and each takes an eigenvalue problem
    which = np.frombuffer(which_bytes, dtype=bool)
    matrix = np.frombuffer(matrix_bytes).reshape(which.size, which.size)
    cross = matrix[np.ix_(which, ~which)]
    weights = cross @ np.linalg.pinv(matrix[np.ix_(~which, ~which)], hermitian=True)
    root = lower_root(matrix[np.ix_(which, which)] - weights @ cross.T)
    weights.flags.writeable = root.flags.writeable = False
    return weights, root


def interval(matrix: Array, row: int, column: int) -> tuple[float, float] | None:
    """Values of one entry that make the matrix positive semidefinite, the others as they are; None
    where there are none.

    With R the rest, ``det(matrix) = det(R) ((1 - a R^-1 a)(1 - b R^-1 b) - (r - a R^-1 b)^2)`` for
    the entry r and the correlations a and b of its two variables with the rest.

    >>> low, high = interval(np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]]), 1, 2)
    >>> round(low, 9), round(high, 9)
    (0.62, 1.0)
    """
    rest = [k for k in range(len(matrix)) if k not in (row, column)]
    inner, sides = matrix[np.ix_(rest, rest)], matrix[np.ix_(rest, [row, column])]
    if _smallest(inner) < -TOLERANCE:
        return None
    solved = np.linalg.pinv(inner, hermitian=True) @ sides
    inside = sides.T @ solved
    left = 1.0 - np.diag(inside)
    if left.min() < -TOLERANCE or np.abs(inner @ solved - sides).max(initial=0.0) > 1e-6:
        return None
    half = math.sqrt(np.prod(np.maximum(left, 0.0)))
    return float(inside[0, 1]) - half, float(inside[0, 1]) + half


def nearest_correlation(
    matrix: Array, free: NDArray[np.bool_] | None = None, rounds: int = 20_000
) -> Array:
    """Nearest correlation matrix in the Frobenius norm (Higham, 2002: alternating projections with
    Dykstra's correction).

    Entries that are not `free`, and the diagonal, keep their values; they must leave a correlation
    matrix possible.

    >>> nearest_correlation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])).round(4).tolist()
    [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    """
    open_to = ~np.eye(len(matrix), dtype=bool) & (True if free is None else free)
    nearest, correction = np.asarray(matrix, dtype=float), np.zeros(matrix.shape)
    for _ in range(rounds):
        before = nearest
        values, vectors = np.linalg.eigh(nearest - correction)
        projected = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = projected - (nearest - correction)
        nearest = np.where(open_to, projected, matrix)
        if np.abs(nearest - before).max() < 1e-12:
            break
    return nearest


def _by_itself(
    pair: Pair, value: float, known: Collection[str], earlier: list[Pair]
) -> Fault | None:
    """Fault of one correlation that no other one has a part in."""
    missing = [name for name in pair if name not in known]
    if missing:
        return Fault(
            "", f"unknown number {missing[0]!r}", "names of numbers of the case",
            suggestion(
                missing[0], known, "write the dotted name of a number, such as demand.growth"
            ),
        )
    if pair[0] == pair[1]:
        return Fault(
            "", f"{pair[0]} with itself", "two names",
            "name two numbers, or take the correlation out",
        )
    if pair in earlier or pair[::-1] in earlier:
        return Fault(
            "", f"{pair[0]} with {pair[1]} a second time", "each pair once",
            "take one of the two out",
        )
    if not -1.0 <= value <= 1.0:
        return Fault("", f"{value:g}", "-1 to 1", "write for example 0.5")
    return None


def _together(group: list[str], pairs: Mapping[Pair, float]) -> list[tuple[Pair, Fault]]:
    """Faults of a group of correlations that no joint law can have together."""
    stated = {pair: value for pair, value in pairs.items() if pair[0] in group}
    matrix = _filled(group, stated)
    if _smallest(matrix) >= -TOLERANCE:
        return []
    single = []
    for (name, other), value in stated.items():
        allowed = interval(matrix, group.index(name), group.index(other))
        if allowed is not None:
            low, high = _inward(allowed)
            single.append(((name, other), low, high, float(np.clip(value, low, high))))
    if single:
        # of equally small changes the one stated last
        pair, low, high, value = min(
            reversed(single), key=lambda item: round(abs(item[3] - stated[item[0]]), DIGITS)
        )
        return [
            (
                pair,
                Fault(
                    "", _beside(pair, stated), f"{low:g} to {high:g}, the others as they are",
                    f"write {value:g}, the nearest valid value{_unsaid(group, matrix, stated)}",
                ),
            )
        ]
    free = np.zeros(matrix.shape, dtype=bool)
    for name, other in stated:
        i, j = group.index(name), group.index(other)
        free[i, j] = free[j, i] = True
    # a touch towards independence, so that the values hold when rounded
    law = nearest_correlation(matrix, free) / (1.0 + 10.0**(1 - DIGITS))
    faults = []
    for (name, other), value in stated.items():
        near = round(float(law[group.index(name), group.index(other)]), DIGITS)
        if abs(near - value) > 10.0**(1 - DIGITS) * (1.0 + abs(value)):
            faults.append(
                (
                    (name, other),
                    Fault(
                        "", _beside((name, other), stated),
                        "correlations of one joint law; here no single one mends it",
                        f"write {near:g}: of the nearest correlation matrix, pairs that are not stated at 0",
                    ),
                )
            )
    return faults


def _beside(pair: Pair, stated: Mapping[Pair, float]) -> str:
    others = ", ".join(
        f"{name} with {other} {value:g}"
        for (name, other), value in stated.items()
        if (name, other) != pair
    )
    return f"{stated[pair]:g}, which no joint law can have beside {others}"


def _unsaid(group: list[str], matrix: Array, stated: Mapping[Pair, float]) -> str:
    """The pair that is not stated and whose correlation alone would also mend the group, in
    words."""
    bounds = []
    for i, name in enumerate(group):
        for j, other in enumerate(group[:i]):
            allowed = (
                None if {(name, other), (other, name)} & set(stated) else interval(matrix, i, j)
            )
            if allowed is not None:
                low, high = _inward(allowed)
                bounds.append(
                    (
                        abs(float(np.clip(0.0, low, high))),
                        f"{other} with {name}: {np.clip(0.0, low, high):g}",
                    )
                )
    return f", or state {min(bounds)[1]}" if bounds else ""


def _inward(allowed: tuple[float, float]) -> tuple[float, float]:
    """An interval rounded to the digits of an error, inside itself."""
    scale = 10.0**DIGITS
    low, high = (
        math.ceil(allowed[0] * scale - 1e-6) / scale, math.floor(allowed[1] * scale + 1e-6) / scale,
    )
    return (low, high) if low <= high else (allowed[0], allowed[0])


def _filled(names: list[str], pairs: Mapping[Pair, float]) -> Array:
    matrix = np.eye(len(names))
    for (name, other), value in pairs.items():
        i, j = names.index(name), names.index(other)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _smallest(matrix: Array) -> float:
    """Smallest eigenvalue; 1 of a matrix without entries."""
    return float(np.linalg.eigvalsh(matrix)[0]) if matrix.size else 1.0
