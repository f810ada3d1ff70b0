"""Draws of the numbers of a case, and what they are at each node-quarter of a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabless.case_numbers import CaseNumbers, mapped
from fabless.case_records import Case, CaseNumber
from fabless.market import of_generation
from fabless.records import Array
from fabless.scenario.news import by_generation


@dataclass(frozen=True, eq=False)
class Moving:
    """Normal scores of a number that moves, flat like its draws, and those to which it returns."""

    score: Array
    anchor: Array


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of every number of a case, each as few values as it has, with the way to lay them
    out."""

    case: Case
    flat: Mapping[str, Array]
    """Values by the name of the draw [SI]: a number's own, or that of a coming generation
    (`market.of_generation`)."""
    place: Mapping[int, NDArray[np.int64]]
    """Where a node-quarter finds its value, by the length of the values (`scenario.states.places`,
    `places_on_paths`)."""
    moving: Mapping[str, Moving]
    """Scores of the numbers that move, by name."""
    drifting: Mapping[str, Array] = field(default_factory=dict)
    """Values at each node-quarter of numbers that are expected to drift, in place of their draws."""

    @cached_property
    def values(self) -> CaseNumbers[Array]:
        """Every number at each node-quarter; one that is drawn by generation has a row for each
        generation."""
        copies = by_generation(self.case)

        def on_tree(number: CaseNumber) -> Array:
            if number.name not in copies:
                return self.at_nodes(number.name)
            return np.stack([self.at_nodes(of_generation(number.name, g)) for g in range(1, copies[number.name] + 1)])

        return mapped(self.case.numbers, on_tree)

    def at_nodes(self, name: str) -> Array:
        """One draw, by its name, at each node-quarter."""
        if name in self.drifting:
            return self.drifting[name]
        flat = self.flat[name]
        if flat.size == 1:  # a certain number takes no memory
            return np.broadcast_to(flat, self.place[1].shape)
        return np.asarray(flat[self.place[flat.size]])

    def means(self, count: int) -> dict[str, Array]:
        """Mean of each drawn number along each of `count` separate paths, from the first news on,
        by the name of the draw."""
        rows = {name: flat.reshape(-1, count) for name, flat in self.flat.items() if flat.size > 1}
        return {name: row[min(1, len(row) - 1) :].mean(axis=0) for name, row in rows.items()}

    def __getstate__(self) -> dict[str, object]:
        """Another process lays the values out by itself: they are many times as large as the
        draws."""
        return {name: part for name, part in self.__dict__.items() if name != "values"}
