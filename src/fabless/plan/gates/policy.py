"""Contingent policies: which project goes on at which stretch, which of them may be, and how they
may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.gates import Stretches, stretches
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index
from fabless.records import Array

Policy = NDArray[np.bool_]
"""(P, S) whether each project goes on at each stretch."""


@dataclass(frozen=True, eq=False)
class Prices:
    """What a change of the gates costs at the margin, (P, S) each [USD]."""

    go: Array
    start: Array
    end: Array


@dataclass(frozen=True, eq=False)
class Gates:
    """The gates of a problem by stretch."""

    pieces: Stretches
    start: Policy
    gate: Policy
    key: Index
    """(P,) number of the key of each project."""
    state: Index
    """(P, S) number of the state of knowledge."""

    @cached_property
    def regions(self) -> list[list[NDArray[np.bool_]]]:
        """For each project, for each state of knowledge that it can be on in: the stretches from
        there on."""
        by_project = []
        for p, states in enumerate(self.state):
            reached = self.start[p] @ self.pieces.below
            by_project.append([self.pieces.below[states == state].any(axis=0)
                          for state in np.unique(states[reached])])
        return by_project

    @cached_property
    def levels(self) -> list[list[NDArray[np.bool_]]]:
        """For each project, the stretches from each number of branchings on."""
        depth = self.pieces.depth
        return [[depth >= level for level in range(int(depth.max()) + 1)]] * self.key.size

    def before(self, policy: Policy) -> Policy:
        """Whether each project went on at the stretch before."""
        return np.asarray(policy[:, self.pieces.before] & (self.pieces.before >= 0))

    def changes(self, policy: Policy) -> tuple[Policy, Policy]:
        """Where each project starts, and where it is given up."""
        before = self.before(policy)
        return policy & ~before, before & ~policy

    def allows(self, policy: Policy) -> bool:
        """Whether starts and ends are at gates, one start a key and path, and like states decide
        alike."""
        rises, falls = self.changes(policy)
        if np.any(rises & ~self.start) or np.any(falls & ~self.gate):
            return False
        for key in np.unique(self.key):
            if np.any(rises[self.key == key].sum(axis=0) @ self.pieces.below > 1):
                return False
        twin = np.array([np.unique(row, return_index=True, return_inverse=True)[1:]
                         for row in self.state],
                        dtype=object) if self.tied else ()
        return all(np.array_equal(policy[p, first[state]], policy[p])
                   for p, (first, state) in enumerate(twin))

    @cached_property
    def tied(self) -> bool:
        """Whether any two stretches must decide alike."""
        return any(np.unique(row).size < row.size for row in self.state)


def gates_of(problem: PlanProblem) -> Gates:
    """Lay the gates of a problem out by stretch."""
    pieces = stretches(problem.tree)
    each = np.arange(pieces.first.size)
    keys = list(dict.fromkeys(project.key for project in problem.projects))
    return Gates(
        pieces,
        np.array([project.start[pieces.first] for project in problem.projects]),
        np.array([project.gate[pieces.first] for project in problem.projects]),
        np.array([keys.index(project.key) for project in problem.projects]),
        np.array([each if project.known is None else project.known[pieces.first]
                  for project in problem.projects]),
    )


def continued(gates: Gates, prices: Prices, project: int) -> NDArray[np.bool_]:
    """Where a project that goes on should go on further, (S,), if the prices held: the best choice
    of gates, backwards.

    ``worth(state) = price of going on + sum over the states after it of min(worth, price of giving
    up)``.
    """
    state, pieces = gates.state[project], gates.pieces
    number = np.unique(state, return_inverse=True)[1]
    worth = np.bincount(number, weights=prices.go[project])
    fee = np.bincount(number, weights=prices.end[project])
    fee[~(np.bincount(number, weights=gates.gate[project]) > 0)] = np.inf
    above = np.full(worth.size, -1)
    above[number] = np.where(pieces.before >= 0, number[pieces.before], -1)
    level = np.zeros(worth.size, dtype=np.int64)
    level[number] = pieces.depth
    for k in np.argsort(-level, kind="stable"):
        if above[k] >= 0:
            worth[above[k]] += min(worth[k], fee[k])
    return np.asarray(worth <= fee)[number]


def trimmed(gates: Gates, prices: Prices, policy: Policy) -> Policy:
    """The policy with unchanged starts, each project given up where the prices say so."""
    rises, _ = gates.changes(policy)
    result = np.zeros_like(policy)
    for p in np.flatnonzero(rises.any(axis=1)):
        result[p] = _grown(gates, rises[p], continued(gates, prices, int(p)))
    return result


def _grown(gates: Gates, rises: NDArray[np.bool_], further: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A project on from its starts, as long as it goes on further."""
    on = rises.copy()
    before = gates.pieces.before
    for s in range(on.size):
        on[s] |= before[s] >= 0 and on[before[s]] and further[s]
    return on


Regions = list[list[NDArray[np.bool_]]]
Move = tuple[tuple[int, ...], Policy]
"""What was changed, to know the move again from another policy, and the policy that it leads to."""


def off_moves(gates: Gates, policy: Policy, regions: Regions) -> Iterator[Move]:
    """Each project that goes on given up, or never started, in each of its regions."""
    for p in np.flatnonzero(policy.any(axis=1)):
        for r, region in enumerate(regions[p]):
            if policy[p, region].any():
                changed = policy.copy()
                changed[p, region] = False
                yield (0, int(p), r), changed


def on_moves(gates: Gates, policy: Policy, prices: Prices, regions: Regions) -> Iterator[Move]:
    """Each project kept on where it is given up, or started as early as may be, in each of its
    regions.

    Other projects of its key make way, wherever they are on along those paths; once with every
    project of one other key stopped there too. Going on throughout, and only as far as the prices
    say.
    """
    _, falls = gates.changes(policy)
    for p, own_regions in enumerate(regions):
        lasting = (np.ones(policy.shape[1], dtype=bool), continued(gates, prices, p))
        for r, region in enumerate(own_regions):
            if (falls[p] & region).any():
                yield from (((1, p, r, far), _kept(gates, policy, p, region, further))
                            for far, further in enumerate(lasting))
            rises = gates.start[p] & region
            rises &= (rises @ gates.pieces.below.astype(np.int64)) == 1
            if not rises.any():
                continue
            alone = _cleared(gates, policy, int(gates.key[p]), region)
            bases = [(-1, alone),
                     *((int(key), _cleared(gates, alone, int(key), region))
                       for key in np.unique(gates.key)
                       if key != gates.key[p] and policy[gates.key == key][:, region].any())]
            for key, base in bases:
                for far, further in enumerate(lasting):
                    changed = base.copy()
                    changed[p] |= _grown(gates, rises, further)
                    yield (2, p, r, far, key), changed


def _kept(
    gates: Gates, policy: Policy, project: int, region: NDArray[np.bool_],
    further: NDArray[np.bool_]
) -> Policy:
    changed = policy.copy()
    inside = np.where(region, further, policy[project])
    rises, _ = gates.changes(policy)
    changed[project] = _grown(gates, rises[project], inside)
    return changed


def _cleared(gates: Gates, policy: Policy, key: int, region: NDArray[np.bool_]) -> Policy:
    """The projects of a key off in a region, and never started on the way to it."""
    changed = policy.copy()
    rises, _ = gates.changes(policy)
    for p in np.flatnonzero(gates.key == key):
        leading = rises[p] & (gates.pieces.below & region).any(axis=1)
        states = np.isin(gates.state[p], gates.state[p][leading])
        changed[p, gates.pieces.below[states].any(axis=0) | region] = False
    return changed


def crossed(
    gates: Gates, policy: Policy, other: Policy, saving: Array
) -> Iterator[tuple[float, Policy]]:
    """One policy with the other's choices below each branching of a level where they save, level by
    level.

    `saving` is what `other` saves over `policy` in each stretch (S,), weighted by its probability.
    Stretches whose projects decide alike cross together. Each comes with what it saves over
    `policy` if no stretch minds the others.
    """
    below = gates.pieces.below
    saved = below @ saving
    for level in range(1, int(gates.pieces.depth.max()) + 1):
        at_level = np.flatnonzero(gates.pieces.depth == level)
        together = _together(gates, at_level)
        total = np.bincount(together, weights=saved[at_level])
        taken = below[at_level[total[together] > 0]].any(axis=0)
        if taken.any():
            yield float(total[total > 0].sum()), np.where(taken, other, policy)


def _together(gates: Gates, at_level: Index) -> Index:
    """Number the groups of stretches of one level that some project's state of knowledge ties."""
    group = np.arange(at_level.size)
    for row in gates.state[:, at_level]:
        merged = True
        state = np.unique(row, return_inverse=True)[1]
        while merged:
            least = np.full(state.max() + 1, at_level.size)
            np.minimum.at(least, state, group)
            lowest = np.full(at_level.size, at_level.size)
            np.minimum.at(lowest, group, least[state])
            merged = bool((lowest[group] != group).any())
            group = lowest[group]
    return np.unique(group, return_inverse=True)[1]
