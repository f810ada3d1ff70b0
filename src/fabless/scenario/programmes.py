"""A programme's outcome on the tree: known at a node only if the branchings so far reveal it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.programme import ChainState, OutcomeChain, OutcomeGroup
from fabless.records import Array
from fabless.scenario.draws import Scenarios
from fabless.scenario.states import quarters_of

NEVER = np.iinfo(np.int64).max
GOLDEN = (5.0**0.5 - 1.0) / 2.0
"""Multiples of it, less their whole part, fill the unit interval evenly whatever their number."""


@dataclass(frozen=True, eq=False)
class OutcomeOnTree:
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

    @property
    def mode(self) -> NDArray[np.int64]:
        """State as known there: 0 under way, 1 in volume or announced, 2 dead."""
        return np.where(self.dead, 2, np.where(self.volume_quarter != NEVER, 1, 0))


def outcome_on_tree(
    chain: OutcomeChain, scenarios: Scenarios, need: Array, rng: np.random.Generator
) -> OutcomeOnTree:
    """Give every node of the tree the state of the programme that its branchings reveal.

    At each boundary the nodes whose programme still runs are dealt out to arrived, dead and running
    by systematic sampling, so that their shares meet the chain's probabilities to one node, and
    among nodes of like need of compute as nearly as their number allows: a programme is worth most
    where demand is highest, and luck should not decide whether it arrives there. A node passes its
    state on to all below. The chain reveals at branchings of a tree, and may in any quarter
    of separate paths; `need` is the
    compute demanded at each node-quarter, in any unit. Chains of one programme with other starts,
    dealt with an `rng` in the same state, share the random numbers of each boundary: the same nodes
    meet the same luck. Each boundary has its own, so that no outcome tells another's future.
    """
    tree, known_at = scenarios.tree, {boundary: k for k, boundary in enumerate(chain.boundaries)}
    paths = (_running_path(chain), *chain.paths)
    path_of = np.zeros(tree.size, dtype=np.int64)
    offsets = rng.uniform(size=(len(chain.boundaries), 2))
    for quarter, nodes in enumerate(quarters_of(tree)):
        above = path_of[tree.parent[nodes]] if quarter else path_of[nodes]
        if quarter in known_at:
            index = known_at[quarter]
            above = _reveal(above, paths, chain, index=index, need=need[nodes], offsets=offsets[index])
        path_of[nodes] = above
    return _arrays(paths, path_of, tree.quarter)


def _running_path(chain: OutcomeChain) -> OutcomeGroup:
    """The path of a programme that nothing has revealed yet."""
    return OutcomeGroup(
        probability=1.0, reveal_boundary_index=len(chain.boundaries) - 1,
        outcome=ChainState.RUNNING, volume_quarter=None, performance=None, scope_cut_share=0.0,
        spend_by_quarter_usd=chain.running_spend_usd,
    )


def _reveal(
    above: NDArray[np.int64],
    paths: tuple[OutcomeGroup, ...],
    chain: OutcomeChain,
    index: int,
    need: Array,
    offsets: Array,
) -> NDArray[np.int64]:
    """Position among `paths` of each node's path after a boundary, from those before it; 0 is still
    running."""
    alive = np.flatnonzero(above == 0)
    below = above.copy()
    if not alive.size or index >= len(chain.transitions):
        return below
    odds = chain.transitions[index]
    code = {path.outcome: k for k, path in enumerate(paths) if k and path.reveal_boundary_index == index}
    turns = (np.arange(alive.size) * GOLDEN + offsets[0]) % 1.0
    points = (np.argsort(np.argsort(turns)) + offsets[1]) / alive.size
    news = np.where(points < odds.arrived, code.get(ChainState.ARRIVED, 0),
                    np.where(points < odds.arrived + odds.dead, code.get(ChainState.DEAD, 0), 0))
    below[alive[np.argsort(need[alive], kind="stable")]] = news
    return below


def _arrays(
    paths: tuple[OutcomeGroup, ...], path_of: NDArray[np.int64], quarter: NDArray[np.int64]
) -> OutcomeOnTree:
    spend = np.array([path.spend_by_quarter_usd for path in paths])
    return OutcomeOnTree(
        volume_quarter=np.array(
            [NEVER if p.volume_quarter is None else p.volume_quarter for p in paths]
        )[path_of],
        dead=np.array([p.outcome is ChainState.DEAD for p in paths])[path_of],
        performance=np.array([1.0 if p.performance is None else p.performance for p in paths])[
            path_of
        ],
        scope_cut=np.array([p.scope_cut_share for p in paths])[path_of],
        spend_usd=spend[path_of, quarter],
    )
