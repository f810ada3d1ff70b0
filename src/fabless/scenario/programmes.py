"""A programme's fate on the tree: known at a node only if the branchings passed so far reveal it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.programme import PathOutcome, ProgrammeChain, ProgrammePath
from fabless.records import Array
from fabless.scenario.draws import Scenarios

NEVER = np.iinfo(np.int64).max
GOLDEN = (5.0**0.5 - 1.0) / 2.0
"""Multiples of it, less their whole part, fill the unit interval evenly whatever their number."""


@dataclass(frozen=True, eq=False)
class ProgrammeOnTree:
    """One programme under one set of scenarios; every array has one value a node-quarter."""

    volume_quarter: NDArray[np.int64]
    """Quarter of volume as known there; `NEVER` while running or once dead."""
    dead: NDArray[np.bool_]
    performance: Array
    """Delivered over planned performance; 1 where nothing is delivered."""
    scope_cut: Array
    """Probability, on arrival, that the chip came without training."""
    spend_usd: Array
    """Spend of the quarter."""


def on_tree(
    chain: ProgrammeChain, scenarios: Scenarios, need: Array, rng: np.random.Generator
) -> ProgrammeOnTree:
    """Give every node of the tree the state of the programme that its branchings reveal.

    At each boundary the nodes whose programme still runs are dealt out to arrived, dead and running by systematic
    sampling, so that their shares meet the chain's probabilities to one node, and among nodes of like need of compute as
    nearly as their number allows: a programme is worth most where demand is highest, and luck should not decide whether
    it arrives there. A node passes its state on to all below.
    The chain must reveal at the boundaries of the tree; `need` is the compute demanded at each node-quarter, in any unit.
    """
    tree, stage, node = scenarios.tree, scenarios.stage, scenarios.node
    groups = [{path.outcome: path for path in chain.paths if path.reveal_boundary_index == index}
              for index in range(len(chain.boundaries))]
    running = _running_path(chain)
    fate: list[list[ProgrammePath]] = [[running]]
    for index in range(len(chain.boundaries)):
        nodes = int(node[stage == index + 1].max()) + 1
        above = [fate[-1][k * len(fate[-1]) // nodes] for k in range(nodes)]
        first = (stage == index + 1) & (tree.quarter == chain.boundaries[index])
        fate.append(_reveal(above, running, groups[index], chain, index, need[first], rng))
    path_of = [fate[s][n] for s, n in zip(stage, node, strict=True)]
    return _arrays(path_of, tree.quarter)


def _running_path(chain: ProgrammeChain) -> ProgrammePath:
    """The path of a programme that nothing has revealed yet."""
    return ProgrammePath(1.0, len(chain.boundaries) - 1, PathOutcome.RUNNING, None, None, 0.0, chain.running_spend_usd)


def _reveal(
    above: list[ProgrammePath],
    running: ProgrammePath,
    group: dict[PathOutcome, ProgrammePath],
    chain: ProgrammeChain,
    index: int,
    need: Array,
    rng: np.random.Generator,
) -> list[ProgrammePath]:
    alive = [k for k, path in enumerate(above) if path is running]
    below = list(above)
    if not alive or index >= len(chain.transitions):
        return below
    odds = chain.transitions[index]
    turns = (np.arange(len(alive)) * GOLDEN + rng.uniform()) % 1.0
    points = (np.argsort(np.argsort(turns)) + rng.uniform()) / len(alive)
    for k, point in zip(sorted(alive, key=lambda k: need[k]), points, strict=True):
        if point < odds.arrived:
            below[k] = group[PathOutcome.ARRIVED]
        elif point < odds.arrived + odds.dead:
            below[k] = group[PathOutcome.DEAD]
    return below


def _arrays(path_of: list[ProgrammePath], quarter: NDArray[np.int64]) -> ProgrammeOnTree:
    return ProgrammeOnTree(
        volume_quarter=np.array([NEVER if p.volume_quarter is None else p.volume_quarter for p in path_of]),
        dead=np.array([p.outcome is PathOutcome.DEAD for p in path_of]),
        performance=np.array([1.0 if p.performance is None else p.performance for p in path_of]),
        scope_cut=np.array([p.scope_cut_share for p in path_of]),
        spend_usd=np.array([p.spend_by_quarter_usd[q] for p, q in zip(path_of, quarter, strict=True)]),
    )
