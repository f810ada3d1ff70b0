"""Condense the draws of a programme for a reader and for the picture of its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabless.programme.draws import DrawnOutcomes, End, OutcomeKind
from fabless.programme.posterior import CredibleBand
from fabless.programme.rates import gate_name
from fabless.programme.stages import Gate
from fabless.records import Array, Band
from fabless.units import MONTHS_PER_QUARTER

LEVEL = 0.9
"""Probability inside a credible band."""


@dataclass(frozen=True)
class StageBand:
    """A stage of the programme, over the draws that complete it."""

    name: str
    reached: float
    """Share of the draws that complete the stage [1]."""
    start_month: Band
    end_month: Band


@dataclass(frozen=True, kw_only=True)
class ProgrammeSummary:
    """Summary of a simulated programme."""

    stages: tuple[StageBand, ...]
    """Stages in order of time, without those that no draw completes or that take no time."""
    outcome_shares: Mapping[OutcomeKind, float]
    """Share of the draws that end in each outcome."""
    outcome_bands: Mapping[OutcomeKind, CredibleBand]
    """Credible band of the rate of each outcome; its mean is the probability for one programme."""
    end_bands: Mapping[End, CredibleBand]
    """Credible band of the rate at which programmes end at each place."""
    rate_bands: Mapping[str, CredibleBand]
    """Each rate that is drawn, with its sample size."""
    first_silicon_month: Band | None
    """Month of first silicon in the draws that reach it; None if none does."""
    volume_month: Band | None
    full_volume_month: Band | None
    second_volume_month: Band | None
    spins_mean: float
    """Mean number of tape-outs of the draws that tape out; 0 where none does."""
    spend_usd: Band
    capital_at_risk_usd: Band
    peak_cash_usd: Band
    peak_quarter_usd: Band
    scope_cut_share: float


def quantiles(values: Array) -> Band:
    """P10, P50, P90 (linear between order statistics) and mean of `values`, any shape, at least one
    element."""
    p10, p50, p90 = (float(value) for value in np.quantile(values, (0.1, 0.5, 0.9)))
    return Band(p10, p50, p90, float(np.mean(values)))


def summary(draws: DrawnOutcomes) -> ProgrammeSummary:
    """Bands of each stage, outcome shares and their credible bands, and spend bands of `draws`.

    Bands of a stage are over the draws that complete it, spend is over all draws. The band of an
    outcome is over the drawn rates, each giving its share in closed form, so that no noise of the
    draws widens it.
    """
    taped_out = draws.spins[draws.spins > 0]
    cases, bids = _fewest_cases(draws), draws.rates.cases["bid_failed"]
    return ProgrammeSummary(
        stages=_stage_bands(draws),
        outcome_shares={kind: float(np.mean(draws.outcome == kind)) for kind in OutcomeKind},
        outcome_bands={
            kind: _credible(share, bids if kind is OutcomeKind.BID_FAILED else cases)
            for kind, share in draws.rates.outcomes.items()
        },
        end_bands={
            end: _credible(share, bids if end is End.BID else cases)
            for end, share in draws.rates.ends.items()
        },
        rate_bands={
            name: _credible(value, draws.rates.cases[name])
            for name, value in draws.rates.values.items()
        },
        first_silicon_month=_given(draws.first_silicon_month),
        volume_month=_given(draws.volume_month),
        full_volume_month=_given(draws.full_volume_month),
        second_volume_month=_given(draws.second_volume_month),
        spins_mean=float(taped_out.mean()) if taped_out.size else 0.0,
        spend_usd=quantiles(draws.spend_usd),
        capital_at_risk_usd=quantiles(draws.capital_at_risk_usd),
        peak_cash_usd=quantiles(draws.peak_cash_usd),
        peak_quarter_usd=quantiles(draws.peak_quarter_usd),
        scope_cut_share=float(np.mean(draws.scope_cut)),
    )


def ramp_share(draws: DrawnOutcomes, quarters: int) -> Array:
    """Mean share of the full rate in each quarter over the draws that reach volume, shape
    (quarters,); 0 where none does.

    The rate rises linearly from 0 at the month of volume to 1 at the month of full volume.
    """
    reached = ~np.isnan(draws.volume_month)
    if not reached.any():
        return np.zeros(quarters)
    start, full = draws.volume_month[reached], draws.full_volume_month[reached]
    edges = np.arange(quarters + 1)[:, None] * MONTHS_PER_QUARTER
    length = full - start
    rising = np.clip(edges - start, 0.0, length)
    made = np.divide(rising**2, 2.0 * length, out=np.zeros(rising.shape), where=length > 0) + np.maximum(edges - full, 0.0)
    return np.asarray(np.diff(made.mean(axis=1)) / MONTHS_PER_QUARTER)


def _stage_bands(draws: DrawnOutcomes) -> tuple[StageBand, ...]:
    bands = []
    for name in draws.stages:
        start, end = draws.start_of(name), draws.finish_of(name)
        done = ~np.isnan(end)
        if done.any() and (end[done] > start[done]).any():
            bands.append(StageBand(name, float(done.mean()), quantiles(start[done]), quantiles(end[done])))
    return tuple(sorted(bands, key=lambda band: (band.start_month.p50, band.end_month.p50)))


def _given(months: Array) -> Band | None:
    reached = months[~np.isnan(months)]
    return quantiles(reached) if reached.size else None


def _credible(rate: Array, cases: float | None) -> CredibleBand:
    low, high = (float(value) for value in np.quantile(rate, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)))
    return CredibleBand(float(rate.mean()), low, high, cases if np.ptp(rate) > 0 else None)


def _fewest_cases(draws: DrawnOutcomes) -> float | None:
    """Smallest sample behind a rate that can end the programme and is not certain."""
    can_end = ("bid_failed", *map(gate_name, Gate), "first_silicon_good", "respin_good")
    counted = (draws.rates.cases[name] for name in can_end if np.ptp(draws.rates.values[name]) > 0)
    return min((cases for cases in counted if cases is not None), default=None)
