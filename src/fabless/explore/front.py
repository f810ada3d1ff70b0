"""Pareto fronts: designs that no other design beats on both of two quantities to minimise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabless.records import Array

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


def front_of(x: Array, y: Array) -> Numbers:
    """Places of the points on the front of two quantities to be small, by rising x.

    Of equal points the first counts; points that are not finite never do.

    >>> front_of(np.array([1.0, 2.0, 3.0, 2.0]), np.array([5.0, 3.0, 4.0, 3.0])).tolist()
    [0, 1]
    """
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    order = usable[np.lexsort((usable, y[usable], x[usable]))]
    best = np.minimum.accumulate(np.concatenate([[np.inf], y[order]]))
    return order[y[order] < best[:-1]]


@dataclass(frozen=True)
class Kept:
    """What is remembered of the designs seen so far: by number, with their metrics."""

    numbers: Numbers
    """Numbers of the designs, in rising order."""
    metrics: Mapping[str, Array]

    @classmethod
    def nothing(cls, names: Sequence[str]) -> Kept:
        """Remember no design yet."""
        return cls(np.empty(0, dtype=np.int64), {name: np.empty(0) for name in names})

    def take(self, places: Numbers) -> Kept:
        """The designs at the given places."""
        return Kept(self.numbers[places], {name: values[places] for name, values in self.metrics.items()})


def keep(seen: Kept, more: Kept, objective: str, fronts: Sequence[tuple[str, str]], best: int) -> Kept:
    """Join two sets and keep the `best` designs by the objective and all fronts; the order of
    joining does not matter."""
    numbers = np.concatenate([seen.numbers, more.numbers])
    metrics = {name: np.concatenate([values, more.metrics[name]]) for name, values in seen.metrics.items()}
    order = np.argsort(numbers, kind="stable")
    joined = Kept(numbers[order], {name: values[order] for name, values in metrics.items()})
    wanted = [best_designs(joined, objective, best)]
    wanted += [front_of(joined.metrics[x], joined.metrics[y]) for x, y in fronts]
    return joined.take(np.unique(np.concatenate(wanted)))


def best_designs(kept: Kept, objective: str, count: int) -> Numbers:
    """Places of the best designs by the objective, the best first, of equal ones the lower
    number."""
    values = kept.metrics[objective]
    order = np.lexsort((kept.numbers, values))
    return order[np.isfinite(values[order])][:count]
