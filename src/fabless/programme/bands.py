"""Condense the draws of a programme for a reader and for the picture of its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabless.programme.simulation import ProgrammeDraws, ProgrammeOutcome
from fabless.records import Array, Band


@dataclass(frozen=True)
class StageBand:
    """A stage of the programme, over the draws that complete it."""

    name: str
    reached: float
    """Share of the draws that complete the stage [1]."""
    start_month: Band
    end_month: Band


@dataclass(frozen=True)
class ProgrammeSummary:
    """What a reader wants to know of a programme."""

    stages: tuple[StageBand, ...]
    """In the order of time; a stage that no draw completes is left out."""
    outcome_shares: Mapping[ProgrammeOutcome, float]
    volume_month: Band | None
    """Given that volume is reached; None where no draw reaches it."""
    spins_mean: float
    """Mean number of tape-outs of the draws that tape out; 0 where none does."""
    spend_usd: Band
    capital_at_risk_usd: Band
    scope_cut_share: float


def quantiles(values: Array) -> Band:
    """P10, P50, P90 (linear between order statistics) and mean of `values`, any shape, at least one element."""
    p10, p50, p90 = (float(value) for value in np.quantile(values, (0.1, 0.5, 0.9)))
    return Band(p10, p50, p90, float(np.mean(values)))


def summary(draws: ProgrammeDraws) -> ProgrammeSummary:
    """Bands of each stage, outcome shares and spend bands of `draws`.

    Bands of a stage are over the draws that complete it, spend is over all draws.
    """
    dates = (
        ("deal", np.zeros(draws.end_month.shape), draws.work_month),
        ("design", draws.work_month, draws.tapeout_month),
        ("fabrication", draws.tapeout_month, draws.first_silicon_month),
        ("respins", draws.first_silicon_month, draws.good_silicon_month),
        ("qualification", draws.good_silicon_month, draws.volume_month),
    )
    stages = []
    for name, start, end in dates:
        done = ~np.isnan(end)
        if done.any():
            stages.append(StageBand(name, float(done.mean()), quantiles(start[done]), quantiles(end[done])))
    volume = draws.volume_month[~np.isnan(draws.volume_month)]
    taped_out = draws.spins[draws.spins > 0]
    return ProgrammeSummary(
        stages=tuple(stages),
        outcome_shares={kind: float(np.mean(draws.outcome == kind)) for kind in ProgrammeOutcome},
        volume_month=quantiles(volume) if volume.size else None,
        spins_mean=float(taped_out.mean()) if taped_out.size else 0.0,
        spend_usd=quantiles(draws.spend_usd),
        capital_at_risk_usd=quantiles(draws.capital_at_risk_usd),
        scope_cut_share=float(np.mean(draws.scope_cut)),
    )
