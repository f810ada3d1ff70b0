"""What became of each programme on the realised path, whichever quarter it starts in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabless.catalogue.files.realised import Realised, RealisedProgramme
from fabless.decide.ways.prepare import STARTS, Prepared
from fabless.programme import OutcomeChain, OutcomeGroup
from fabless.programme.chain import ChainState
from fabless.records import Array
from fabless.scenario import OutcomeOnTree
from fabless.scenario.programmes import NEVER


@dataclass(frozen=True)
class Fate:
    """What becomes of a programme, in quarters from its start."""

    volume: int | None
    """Quarters to the first chips in volume; None: none come."""
    ended: int | None
    """Quarters to its end; None where chips come, or where the horizon ends it."""
    performance: float | None
    scope_cut: float | None


def fates(prepared: Prepared, realised: Realised, copies: int) -> dict[str, tuple[OutcomeOnTree, ...]]:
    """Outcomes of every programme on copies of one path, by its start; the same time passes from
    each start to what happens, and a programme of which nothing is known goes as is likeliest."""
    outcomes = {}
    for programme in prepared.case.programmes:
        chains = prepared.simulated[programme.name].on_paths
        known = realised.programmes.get(programme.name)
        fate = likeliest(chains[0]) if known is None else _fate(known)
        outcomes[programme.name] = tuple(
            _outcome(chain, fate, start, copies)
            for chain, start in zip(chains, starts(prepared.case.boundaries), strict=True))
    return outcomes


def starts(boundaries: Sequence[int]) -> tuple[int, ...]:
    """Quarters in which a programme may be started."""
    return (0, *boundaries[:-1])[:STARTS]


def _fate(known: RealisedProgramme) -> Fate:
    def since(quarter: int | None) -> int | None:
        return None if quarter is None else max(quarter - known.started, 1)

    return Fate(since(known.volume), since(known.ended), known.performance,
                None if known.trains is None else 1.0 - known.trains)


def likeliest(chain: OutcomeChain) -> Fate:
    """The likelier of an end and chips in volume, each at its median date."""
    arrived, dead = ([group for group in chain.paths if group.outcome is state]
                     for state in (ChainState.ARRIVED, ChainState.DEAD))
    if sum(group.probability for group in arrived) >= 0.5:
        return Fate(_middle(arrived, [group.volume_quarter or 0 for group in arrived]), None, None,
                    None)
    ends = [chain.boundaries[group.reveal_boundary_index] for group in dead]
    return Fate(None, _middle(dead, ends) if dead else None, None, None)


def _middle(groups: Sequence[OutcomeGroup], quarters: Sequence[int]) -> int:
    """Median quarter over groups."""
    order = np.argsort(quarters, kind="stable")
    weight = np.cumsum([groups[k].probability for k in order])
    return int(quarters[int(order[np.searchsorted(weight, 0.5 * weight[-1])])])


def _outcome(chain: OutcomeChain, fate: Fate, start: int, copies: int) -> OutcomeOnTree:
    """A fate as it becomes known: spend and notice are those of the nearest simulated outcome."""
    state = ChainState.ARRIVED if fate.volume is not None else ChainState.DEAD
    due = fate.volume if fate.volume is not None else fate.ended
    group = None if due is None else _nearest(chain, state, start + due)
    quarter = np.arange(chain.quarters)
    if group is None or due is None:
        revealed = np.zeros(chain.quarters, dtype=bool)
        spend = np.array(chain.running_spend_usd)
    else:
        revealed = quarter >= min(chain.boundaries[group.reveal_boundary_index], start + due)
        spend = np.array(group.spend_by_quarter_usd)
    comes = revealed & (state is ChainState.ARRIVED)
    performance, scope_cut = _delivered(fate, group)

    def on_copies(values: Array) -> Array:
        return np.repeat(values, copies)

    return OutcomeOnTree(
        volume_quarter=np.repeat(np.where(comes, start + (fate.volume or 0), NEVER), copies),
        dead=np.repeat(revealed & (state is ChainState.DEAD), copies),
        performance=on_copies(np.where(comes, performance, 1.0)),
        scope_cut=on_copies(np.where(comes, scope_cut, 0.0)), spend_usd=on_copies(spend))


def _delivered(fate: Fate, group: OutcomeGroup | None) -> tuple[float, float]:
    """Performance and scope cut: as stated, else as simulated."""
    performance, cut = fate.performance, fate.scope_cut
    if performance is None:
        performance = 1.0 if group is None or group.performance is None else group.performance
    if cut is None:
        cut = 0.0 if group is None else group.scope_cut_share
    return performance, cut


def _nearest(chain: OutcomeChain, state: ChainState, quarter: int) -> OutcomeGroup | None:
    """The simulated outcome of a kind whose date is nearest; None where there is none."""
    def date(group: OutcomeGroup) -> int:
        if group.volume_quarter is not None:
            return group.volume_quarter
        return chain.boundaries[group.reveal_boundary_index]

    alike = [group for group in chain.paths if group.outcome is state]
    return min(alike, key=lambda group: abs(date(group) - quarter), default=None)
