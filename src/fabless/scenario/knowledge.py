"""States of knowledge in which a planner decides on a programme on a sampled tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.records import Array
from fabless.scenario.draws import Scenarios
from fabless.scenario.programmes import OutcomeOnTree


def knowledge(scenarios: Scenarios, outcome: OutcomeOnTree, need: Array, *, start: int, least: int) -> NDArray[np.int64]:
    """Number the states of knowledge for a programme that starts at branching `start` (K,).

    Nodes of one stage differ by the state of the programme (running, arrived, dead) and by their
    `need` of compute: as many groups of similar need and size as leave `least` nodes in each. Nodes
    once told apart stay apart. A sampled tree has few branches below each node, so a planner who
    decided node by node would exploit sampling luck and start programmes where the sampled outcome
    happens to be good. Before its start a programme reveals nothing.
    """
    tree, stage, node = scenarios.tree, scenarios.stage, scenarios.node
    mode = outcome.mode
    known = np.zeros(tree.size, dtype=np.int64)
    state = np.zeros(1, dtype=np.int64)
    count = 1
    for index in range(1, int(stage.max()) + 1):
        nodes = np.flatnonzero(stage == index)
        first = nodes[tree.quarter[nodes] == tree.quarter[nodes[0]]]
        state_told = mode[first] if index > start else np.zeros(first.size, dtype=np.int64)
        above = np.repeat(state, first.size // state.size)
        state = _grouped(np.column_stack([above, state_told]), need[first], first.size if index < start else least) + count
        count = int(state.max()) + 1
        known[nodes] = state[node[nodes]]
    return known


def _grouped(state_told: NDArray[np.int64], need: Array, least: int) -> NDArray[np.int64]:
    """Number the groups of nodes with equal news and similar need, at least `least` nodes each."""
    kinds = np.unique(state_told, axis=0, return_inverse=True)[1].ravel()
    group = np.zeros(kinds.size, dtype=np.int64)
    for kind in range(int(kinds.max()) + 1):
        members = np.flatnonzero(kinds == kind)
        ordered = members[np.argsort(need[members], kind="stable")]
        parts = max(1, members.size // least)
        group[ordered] = kinds.size * kind + np.arange(members.size) * parts // members.size
    return np.unique(group, return_inverse=True)[1]
