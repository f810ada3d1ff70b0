"""Results of a sweep after some chunks, and how two of them are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabless.explore.front import Kept, keep
from fabless.explore.limits import REASONS


@dataclass(frozen=True, kw_only=True)
class SweepState:
    """Results of a sweep after some chunks."""

    designs: int
    """Number of designs evaluated."""
    removed: Mapping[str, int]
    """Limit of the silicon -> designs that it removed."""
    unserved: Mapping[str, int]
    nearest: Mapping[str, float]
    points: int
    kept: Kept

    @property
    def made(self) -> int:
        """Designs that can be made."""
        return self.designs - sum(self.removed.values())


def nothing_found(metrics: Sequence[str]) -> SweepState:
    """Start of a sweep."""
    return SweepState(
        designs=0, removed=dict.fromkeys(REASONS, 0), unserved={}, nearest={}, points=0,
        kept=Kept.nothing(metrics))


def merged(
    state: SweepState, other: SweepState, objective: str, fronts: Sequence[tuple[str, str]],
    best: int,
) -> SweepState:
    """Join what two sets of chunks found; the order does not matter."""
    def added(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
        return {
            name: a.get(name, 0) + b.get(name, 0)
            for name in (*a, *(key for key in b if key not in a))
        }

    nearest = {
        name: min(state.nearest.get(name, np.inf), other.nearest.get(name, np.inf))
        for name in (*state.nearest, *(key for key in other.nearest if key not in state.nearest))
    }
    return SweepState(
        designs=state.designs + other.designs, removed=added(state.removed, other.removed),
        unserved=added(state.unserved, other.unserved), nearest=nearest,
        points=state.points + other.points,
        kept=keep(state.kept, other.kept, objective, fronts, best),
    )
