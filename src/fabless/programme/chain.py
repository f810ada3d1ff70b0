"""Turn draws of a programme into a chain that a scenario tree can branch on without seeing the
future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.programme.draws import DrawnOutcomes, OutcomeKind
from fabless.units import MONTHS_PER_QUARTER

Array = NDArray[np.float64]


class ChainState(StrEnum):
    """News that a planner gets at a boundary."""

    ARRIVED = "arrived"
    DEAD = "dead"
    """Cancelled, limited to a small deployment, or bid failed: no supply comes."""
    RUNNING = "running"


@dataclass(frozen=True, kw_only=True)
class OutcomeGroup:
    """One leaf of the chain: a group of draws that a planner cannot tell apart."""

    probability: float
    reveal_boundary_index: int
    """Index of the boundary at which the path leaves the running ones (for RUNNING: the last)."""
    outcome: ChainState
    volume_quarter: int | None
    """Quarter from which chips come in volume, never before the boundary that reveals it; may lie
    past the horizon."""
    performance: float | None
    """Mean delivered over planned performance [1]; None without volume."""
    scope_cut_share: float
    """Share of the group that dropped a use on the way [1]."""
    spend_by_quarter_usd: tuple[float, ...]
    """Mean spend: before the boundary over all draws not yet told apart, then over the group."""


@dataclass(frozen=True)
class Transition:
    """What happens at a boundary to a programme that was still running before it; sums to 1."""

    boundary: int
    """Quarter at whose start the news is in."""
    arrived: float
    dead: float
    running: float


@dataclass(frozen=True)
class OutcomeChain:
    """Paths in the order of revelation; probabilities sum to 1."""

    boundaries: tuple[int, ...]
    quarters: int
    transitions: tuple[Transition, ...]
    """Transitions, one for each boundary that a running programme can reach."""
    paths: tuple[OutcomeGroup, ...]

    @property
    def running_spend_usd(self) -> tuple[float, ...]:
        """Spend by quarter of a programme that nothing has revealed yet: what the path revealed
        last spends."""
        return self.paths[-1].spend_by_quarter_usd


def discretise(
    draws: DrawnOutcomes, quarters: int, boundaries: Sequence[int], notice_quarters: float = 0.0,
    start_quarter: int = 0,
) -> OutcomeChain:
    """Group `draws` by what is known at the start of each quarter of `boundaries`.

    A draw whose outcome falls at time t [quarter] is revealed at the first boundary >= t.
    `notice_quarters` moves the news of volume and of a small deployment that is not scaled ahead of
    the date itself: volume follows the order of production wafers. A chip revealed at boundary b
    comes in volume in quarter ``max(b, round(mean t))``. Draws that no boundary reveals stay
    RUNNING to the horizon and supply nothing. In every quarter the probability-weighted spend of
    the paths equals the mean over the draws.

    With `start_quarter` s the same programme is decided s quarters later: every date and every
    dollar moves by s, nothing is spent before, and no news comes at a boundary up to s. Indices
    still count all boundaries.

    Raises `BadValue` when the boundaries do not rise strictly inside (0, quarters), when the draws
    hold fewer quarters, when the notice is negative, or when the start is not before the last
    boundary and the horizon.
    """
    _check(draws, quarters, boundaries, notice_quarters, start_quarter)
    volume = draws.outcome == OutcomeKind.VOLUME
    decided_at_release = volume | (draws.outcome == OutcomeKind.LIMITED)
    known = draws.end_month / MONTHS_PER_QUARTER - np.where(
        decided_at_release, notice_quarters, 0.0
    )
    first = int(np.searchsorted(np.asarray(boundaries), start_quarter, side="right"))
    reveal = np.maximum(
        np.searchsorted(np.asarray(boundaries, dtype=float), known + start_quarter, side="left"),
        first,
    )
    spend = np.zeros((draws.end_month.size, quarters))
    spend[:, start_quarter:] = draws.spend_by_quarter_usd[:, :quarters - start_quarter]
    pooled = np.zeros(quarters)
    transitions: list[Transition] = []
    paths: list[OutcomeGroup] = []
    begin = 0
    for index, boundary in enumerate(boundaries):
        if index < first:
            transitions.append(Transition(boundary, 0.0, 0.0, 1.0))
            continue
        before, after = reveal >= index, reveal > index
        if not before.any():
            break
        pooled[begin:boundary] = spend[before, begin:boundary].mean(axis=0)
        begin = boundary
        groups = {
            ChainState.ARRIVED: (reveal == index) & volume,
            ChainState.DEAD: (reveal == index) & ~volume,
        }
        if boundary == boundaries[-1]:
            groups[ChainState.RUNNING] = after
        paths += [_path(
            draws, members, outcome, index=index, boundary=boundary, pooled=pooled, spend=spend,
            start_quarter=start_quarter)
                  for outcome, members in groups.items() if members.any()]
        base = before.sum()
        transitions.append(
            Transition(
                boundary, float(groups[ChainState.ARRIVED].sum() / base),
                float(groups[ChainState.DEAD].sum() / base), float(after.sum() / base),
            )
        )
    return OutcomeChain(tuple(boundaries), quarters, tuple(transitions), tuple(paths))


def _path(
    draws: DrawnOutcomes, members: NDArray[np.bool_], outcome: ChainState, index: int,
    boundary: int, pooled: Array, spend: Array, start_quarter: int,
) -> OutcomeGroup:
    arrived = outcome is ChainState.ARRIVED
    group_spend = np.concatenate([pooled[:boundary], spend[members, boundary:].mean(axis=0)])
    volume = (
        round(float(draws.volume_month[members].mean()) / MONTHS_PER_QUARTER) + start_quarter
        if arrived
        else 0
    )
    return OutcomeGroup(
        probability=float(members.mean()),
        reveal_boundary_index=index,
        outcome=outcome,
        volume_quarter=max(boundary, volume) if arrived else None,
        performance=float(draws.performance[members].mean()) if arrived else None,
        scope_cut_share=float(draws.scope_cut[members].mean()),
        spend_by_quarter_usd=tuple(group_spend.tolist()),
    )


def _check(
    draws: DrawnOutcomes, quarters: int, boundaries: Sequence[int], notice_quarters: float,
    start_quarter: int,
) -> None:
    available = draws.spend_by_quarter_usd.shape[1]
    faults = []
    if not 1 <= quarters <= available:
        faults.append(Fault("discretise, quarters", str(quarters), f"1 to {available}",
                            "simulate the programme over at least this horizon"))
    ends = [0, *boundaries, quarters]
    if not boundaries or any(earlier >= later for earlier, later in pairwise(ends)):
        faults.append(Fault("discretise, boundaries", str(tuple(boundaries)),
                            f"one or more quarters, rising, from 1 to {quarters - 1}",
                            "give the quarters in which the tree branches"))
    if not notice_quarters >= 0:
        faults.append(
            Fault(
                "discretise, notice_quarters", str(notice_quarters), "0 or more",
                "give 0 for no notice",
            )
        )
    last = min([quarters, *boundaries[-1:]])
    if not 0 <= start_quarter < last:
        faults.append(
            Fault(
                "discretise, start_quarter", str(start_quarter),
                f"0 to {last - 1}: before the last boundary",
                "start earlier, or lengthen the horizon",
            )
        )
    if faults:
        raise BadValue(*faults)
