"""Results of many simulated runs of one programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fabless.programme.route import INTEGRATION, RAMP, RESPINS, SILICON, TAPE_OUT
from fabless.records import Array


class OutcomeKind(IntEnum):
    """How a programme ended."""

    VOLUME = 0
    LIMITED = 1
    """Deployed in small numbers and not scaled."""
    CANCELLED = 2
    """Given up at a gate before deployment, or at the limit of spins."""
    BID_FAILED = 3


class End(IntEnum):
    """Where a programme ended, in the order of time."""

    BID = 0
    ARCHITECTURE = 1
    TAPE_OUT = 2
    FIRST_SILICON = 3
    SPINS = 4
    """No spin up to the limit worked."""
    QUALIFICATION = 5
    DEPLOYMENT = 6
    NONE = 7
    """It reached volume."""


OUTCOME_OF = dict.fromkeys(End, OutcomeKind.CANCELLED) | {
    End.BID: OutcomeKind.BID_FAILED, End.DEPLOYMENT: OutcomeKind.LIMITED,
    End.NONE: OutcomeKind.VOLUME,
}


@dataclass(frozen=True)
class RateDraws:
    """Rates drawn once for each set of trajectories, arrays of shape (sets,)."""

    values: Mapping[str, Array]
    """Rates by name of the parameter; hazards are `gate` and the gate's name."""
    cases: Mapping[str, float | None]
    """Sample size behind each rate; None if a range gives it."""
    ends: Mapping[End, Array]
    """Probability of each end given the rates; they sum to 1."""

    @property
    def outcomes(self) -> Mapping[OutcomeKind, Array]:
        """Probability of each outcome given the rates; they sum to 1."""
        return {kind: np.sum([self.ends[end] for end in End if OUTCOME_OF[end] is kind], axis=0)
                for kind in OutcomeKind}


@dataclass(frozen=True, kw_only=True)
class DrawnOutcomes:
    """Draws of one programme; arrays of shape (count,) unless said. Months count from the decision.

    A date that a draw never reaches is NaN, and so is the performance of a chip that never reaches
    volume.
    """

    stages: tuple[str, ...]
    """Stages in topological order."""
    after: tuple[tuple[int, ...], ...]
    """Positions of the predecessors of each stage."""
    finish_month: Array
    """Month in which each stage is done, shape (stages, count)."""
    end_month: Array
    """Month in which the outcome is known: volume, cancellation or failed bid."""
    outcome: NDArray[np.int8]
    """Codes of `OutcomeKind`."""
    ended_at: NDArray[np.int8]
    """Codes of `End`."""
    volume_month: Array
    spins: NDArray[np.int64]
    """Tape-outs made, the first one included."""
    spend_usd: Array
    """Spend within the horizon."""
    spend_by_quarter_usd: Array
    """Spend by quarter, shape (count, quarters); rows sum to `spend_usd`."""
    capital_at_risk_usd: Array
    """Spend within the horizon before volume or the end, whichever comes, of each generation."""
    peak_cash_usd: Array
    """Largest cumulative spend before income: all until the first generation's volume, within the
    horizon."""
    performance: Array
    """Delivered over planned performance [1]."""
    scope_cut: NDArray[np.bool_]
    second_volume_month: Array
    """Month of volume of the second generation; NaN without one."""
    second_gain: Array
    """Performance of the second generation over that planned for the first [1]."""
    rates: RateDraws

    @property
    def work_month(self) -> Array:
        """Month in which work starts: deal closed, company integrated or team hired."""
        return self.finish_of(INTEGRATION)

    @property
    def tapeout_month(self) -> Array:
        """Month of the first tape-out."""
        return self.finish_of(TAPE_OUT)

    @property
    def first_silicon_month(self) -> Array:
        """Month of the first packaged silicon."""
        return self.finish_of(SILICON)

    @property
    def good_silicon_month(self) -> Array:
        """Silicon that can go to production."""
        return self.finish_of(RESPINS)

    @property
    def full_volume_month(self) -> Array:
        """Month in which volume reaches its full rate."""
        return self.finish_of(RAMP)

    @property
    def peak_quarter_usd(self) -> Array:
        """Largest spend in one quarter."""
        return np.asarray(self.spend_by_quarter_usd.max(axis=1))

    def finish_of(self, stage: str) -> Array:
        """Month in which `stage` is done, NaN where it never is."""
        return np.asarray(self.finish_month[self.stages.index(stage)])

    def start_of(self, stage: str) -> Array:
        """Month in which `stage` starts: all before it are done; NaN where it is never done."""
        position = self.stages.index(stage)
        start = np.zeros(self.end_month.shape)
        for earlier in self.after[position]:
            start = np.maximum(start, self.finish_month[earlier])
        return np.asarray(np.where(np.isnan(self.finish_month[position]), np.nan, start))
