"""What a plan needs to know of the shape of a tree, and the tree of perfect information."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.records import Tree


def fan(tree: Tree) -> tuple[Tree, NDArray[np.int64]]:
    """Pull the paths of `tree` apart: one chain for each leaf, nothing shared, not even the start.

    Returns the tree and, for each of its node-quarters, the node-quarter of the old tree that it
    copies.
    """
    path = tree.ancestors()[tree.leaves]
    leaves, quarters = path.shape
    number = np.arange(leaves * quarters).reshape(quarters, leaves)
    parent = np.vstack([np.full((1, leaves), -1), number[:-1]])
    probability = np.tile(tree.probability[tree.leaves], quarters)
    return Tree(parent.ravel(), np.repeat(np.arange(quarters), leaves), probability), path.T.ravel()


def trunk(tree: Tree) -> NDArray[np.int64]:
    """Node-quarters before the first split: what is decided here and now."""
    alone = np.bincount(tree.quarter) == 1
    length = alone.size if alone.all() else int(np.argmin(alone))
    return np.flatnonzero(tree.quarter < length)


def segments(tree: Tree) -> NDArray[np.int64]:
    """Number of the unbranched stretch that each node-quarter lies in; parents' stretches have
    lower numbers."""
    children = np.bincount(tree.parent[tree.parent >= 0], minlength=tree.size)
    starts = (tree.parent < 0) | (children[tree.parent] > 1)
    number = np.cumsum(starts) - 1
    for q in range(1, tree.quarters):
        inside = np.flatnonzero((tree.quarter == q) & ~starts)
        number[inside] = number[tree.parent[inside]]
    return number
