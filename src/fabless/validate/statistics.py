"""How far predictions are from measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabless.arrays import ranks
from fabless.records import Array


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Error statistics of a group of rows; None where no row has a prediction.

    An error is predicted over measured, less one. `rank` is Spearman's coefficient, within each
    metric of the group (a time is not ranked against a rate), the mean of those with at least three
    predictions weighted by their number.
    """

    rows: int
    predicted: int
    coverage: float
    """Share of the rows that have a prediction."""
    median: float | None
    """Median of the absolute error."""
    mean: float | None
    p90: float | None
    bias: float | None
    """Median of the signed error: above 0, predictions are too high."""
    within_20: float | None
    """Share of predictions within 20 % of the measurement."""
    rank: float | None


def rank_correlation(first: Array, second: Array) -> float | None:
    """Spearman's coefficient; None where one side has a single value."""
    a, b = ranks(first), ranks(second)
    if a.size < 3 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _rank(measured: Array, predicted: Array, metrics: Sequence[str]) -> float | None:
    names = np.asarray(metrics)
    groups: list[tuple[float, int]] = []
    for name in dict.fromkeys(metrics):
        of_name = names == name
        value = rank_correlation(measured[of_name], predicted[of_name])
        if value is not None:
            groups.append((value, int(of_name.sum())))
    weight = sum(size for _, size in groups)
    return sum(value * size for value, size in groups) / weight if weight else None


def errors(
    measured: Sequence[float], predicted: Sequence[float | None], metrics: Sequence[str]
) -> Errors:
    """Statistics of a group: its measured values, their predictions (None: none) and metrics, row
    by row.

    >>> found = errors([1.0, 2.0, 4.0], [1.1, None, 3.0], ["tpot"] * 3)
    >>> round(found.median, 3), found.predicted, found.rows
    (0.175, 2, 3)
    """
    known = [k for k, value in enumerate(predicted) if value is not None]
    rows = len(measured)
    if not known:
        return Errors(
            rows=rows, predicted=0, coverage=0.0, median=None, mean=None, p90=None, bias=None,
            within_20=None, rank=None,
        )
    truth = np.array([measured[k] for k in known])
    guess = np.array([predicted[k] for k in known], dtype=np.float64)
    signed = guess / truth - 1.0
    size = np.abs(signed)
    return Errors(
        rows=rows, predicted=len(known), coverage=len(known) / rows, median=float(np.median(size)),
        mean=float(size.mean()), p90=float(np.percentile(size, 90)), bias=float(np.median(signed)),
        within_20=float((size <= 0.2).mean()),
        rank=_rank(truth, guess, [metrics[k] for k in known]),
    )
