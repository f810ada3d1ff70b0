"""Scenario trees of regular shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.errors import BadValue, Fault
from fabless.records import Tree


def chain_tree(quarters: int) -> Tree:
    """Make the tree of a certain future: one node-quarter in each of `quarters`.

    >>> chain_tree(3).parent.tolist()
    [-1, 0, 1]
    """
    return balanced_tree((), (quarters,))


def balanced_tree(
    branching: Sequence[int],
    stage_quarters: Sequence[int],
    probabilities: Sequence[Sequence[float]] | None = None,
) -> Tree:
    """Make a tree that splits into `branching[s]` at the start of stage s + 1.

    Stage s lasts `stage_quarters[s]` quarters, so there is one stage more than there are splits.
    `probabilities[s]` gives the odds of the branches of split s; equal when left out. Node-quarters
    come quarter by quarter.

    >>> tree = balanced_tree((2,), (1, 2), [(0.25, 0.75)])
    >>> tree.parent.tolist(), tree.quarter.tolist(), tree.probability.tolist()
    ([-1, 0, 0, 1, 2], [0, 1, 1, 2, 2], [1.0, 0.25, 0.75, 0.25, 0.75])
    """
    odds = [[1.0 / count] * count for count in branching] if probabilities is None else [list(p) for p in probabilities]
    if len(stage_quarters) != len(branching) + 1 or min(stage_quarters) < 1 or min((1, *branching)) < 1:
        raise BadValue(
            Fault(
                "tree", f"{len(branching)} splits and stages of {tuple(stage_quarters)} quarters",
                "one stage more than splits, each of 1 quarter or more", "add or drop a stage",
            )
        )
    if [len(p) for p in odds] != list(branching) or any(abs(sum(p) - 1.0) > 1e-9 or min(p) < 0 for p in odds):
        raise BadValue(
            Fault(
                "tree", f"probabilities {odds}",
                f"for each split {tuple(branching)} numbers that sum to 1",
                "give one probability for each branch",
            )
        )
    parent, quarter, probability = [np.array([-1])], [np.array([0])], [np.array([1.0])]
    first = 0
    for stage, length in enumerate(stage_quarters):
        for step in range(length):
            if stage == 0 and step == 0:
                continue
            split = np.array(odds[stage - 1]) if step == 0 else np.ones(1)
            above = np.arange(first, first + probability[-1].size)
            first += above.size
            parent.append(np.repeat(above, split.size))
            probability.append((probability[-1][:, None] * split).ravel())
            quarter.append(np.full(parent[-1].size, quarter[-1][0] + 1))
    return Tree(np.concatenate(parent), np.concatenate(quarter), np.concatenate(probability))


def fitted(branching: tuple[int, ...], splits: int) -> tuple[int, ...]:
    """A branching cut, or filled up with ones, to `splits` splits.

    >>> fitted((8, 2), 3), fitted((8, 2, 1), 1)
    ((8, 2, 1), (8,))
    """
    return (branching + (1,) * splits)[:splits]
