"""States of the market on the node-quarters of a tree: scarcity and shocks, each a two-state Markov
chain by quarter.

Where a quarter's points are given the state is seen: it is on or off. Elsewhere only its chance is
known, given what was seen last.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.case_numbers import CaseNumbers
from fabless.case_records import Case, Line
from fabless.market import known_arrival, leave_chance, next_chance
from fabless.records import Array, Tree


def quarters_of(tree: Tree) -> list[slice]:
    """Node-quarters of each quarter; a tree lists them quarter by quarter."""
    ends = np.searchsorted(tree.quarter, np.arange(tree.quarters + 1))
    return [slice(int(first), int(last)) for first, last in pairwise(ends)]


def newcomer(case: Case) -> Line | None:
    """The line whose coming generations may begin a new scarce spell: the first of the dominant
    vendor that sells chips and has successors; None where there is none."""
    return next((line for line in case.lines if line.vendor == case.dominant_vendor
                 and line.how == "buy" and line.successors), None)


def scarcity_begins(case: Case, tree: Tree, values: CaseNumbers[Array]) -> Array:
    """Chance that supply which was normal a quarter before is scarce at each node-quarter.

    The usual one of a spell of normal supply; a coming generation that arrives there adds
    `supply.scarce_again` of what is left to 1.
    """
    chance, again = leave_chance(values.supply.normal_duration), values.supply.scarce_again
    line = newcomer(case)
    if again is None or line is None:
        return chance
    start = line.first_quarter - case.first_quarter
    for generation in range(1, line.successors + 1):
        arrival = known_arrival(values.lines[line.name], generation, tree, start)
        is_here = arrival <= tree.quarter
        arrives = is_here & ~is_here[tree.parent] & (tree.parent >= 0)
        chance = chance + (1.0 - chance) * again * arrives
    return chance


def chances_on(
    tree: Tree, start: ArrayLike, enter: Array, leave: Array, seen: Mapping[int, Array]
) -> Array:
    """Chance that a state is on at each node-quarter, of `start` in those of the first quarter; 0 or
    1 where it is seen.

    `enter` and `leave` are its transition chances at each node-quarter, `seen` the uniform points
    of the node-quarters of each quarter in which it is seen: it is on where the point lies below
    its chance.
    """
    chance = np.empty(tree.size)
    first, *later = quarters_of(tree)
    chance[first] = start
    for quarter, nodes in enumerate(later, start=1):
        odds = next_chance(chance[tree.parent[nodes]], enter[nodes], leave[nodes])
        chance[nodes] = seen[quarter] < odds if quarter in seen else odds
    return chance


def summed_along(tree: Tree, gain: Array) -> Array:
    """Sum of `gain` along the path to each node-quarter, 0 in the first quarter."""
    level = np.zeros(tree.size)
    for nodes in quarters_of(tree)[1:]:
        level[nodes] = level[tree.parent[nodes]] + gain[nodes]
    return level


def places(tree: Tree, stage: NDArray[np.int64], branching: tuple[int, ...]) -> dict[int, NDArray[np.int64]]:
    """Where a node-quarter finds its value in the flat draws of a number, by the length of these.

    Flat draws are the value before all news, then one value a node of each stage; a number drawn
    once ends with the first stage, one that is certain holds a single value.
    """
    nodes = np.cumprod((1, *branching))
    offset = np.concatenate([[0], np.cumsum(nodes)])
    node = node_in_stage(tree, stage)
    first = np.where(stage > 0, 1 + node // np.maximum(nodes // nodes[1], 1)[stage], 0)
    return {1: np.zeros(tree.size, np.int64), 1 + branching[0]: first, int(offset[-1]): offset[stage] + node}


def places_on_paths(count: int, quarters: int) -> dict[int, NDArray[np.int64]]:
    """Where a node-quarter of `count` separate paths finds its value in the flat draws of a number,
    by the length of these.

    Flat draws are one value a path, or one a path before the first news and one after it, or one a
    path and quarter; one that is certain holds a single value.
    """
    quarter, path = np.divmod(np.arange(count * quarters), count)
    return {1: np.zeros(path.size, np.int64), count: path, 2 * count: np.where(quarter > 0, count + path, path),
            path.size: np.arange(path.size)}


def node_in_stage(tree: Tree, stage: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index among the nodes of its stage of the one that a node-quarter lies in."""
    first = np.searchsorted(tree.quarter, np.arange(tree.quarters))
    return np.asarray(np.where(stage > 0, np.arange(tree.size) - first[tree.quarter], 0))
