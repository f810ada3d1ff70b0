"""Draw a chip programme many times at once: dates, outcome, spins, spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.programme.parameters import ProgrammeParameters
from fabless.records import Range
from fabless.sampling import draw
from fabless.units import MONTH_S, QUARTER_S

Array = NDArray[np.float64]
MONTHS_PER_QUARTER = QUARTER_S / MONTH_S


class ProgrammeOutcome(IntEnum):
    """How a programme ended."""

    VOLUME = 0
    LIMITED = 1
    """Deployed in small numbers and not scaled."""
    CANCELLED = 2
    """Given up in design, after tape-out, or at the limit of spins."""
    BID_FAILED = 3


@dataclass(frozen=True)
class ProgrammeDraws:
    """Draws of one programme; arrays of shape (count,) unless said. Months count from the decision.

    A date that a draw never reaches is NaN, and so is the performance of a chip that never reaches volume.
    """

    work_month: Array
    """Deal closed, work starts."""
    tapeout_month: Array
    first_silicon_month: Array
    good_silicon_month: Array
    """Silicon that can go to production."""
    volume_month: Array
    end_month: Array
    """The outcome is known: the month of volume, of cancellation or of the failed bid."""
    outcome: NDArray[np.int8]
    """Codes of `ProgrammeOutcome`."""
    spins: NDArray[np.int64]
    """Tape-outs made, the first one included."""
    spend_usd: Array
    """Spend within the horizon."""
    spend_by_quarter_usd: Array
    """Shape (count, quarters); rows sum to `spend_usd`."""
    capital_at_risk_usd: Array
    """Spend within the horizon before volume or the end, whichever comes."""
    performance: Array
    """Delivered over planned performance [1]."""
    scope_cut: NDArray[np.bool_]


@dataclass(frozen=True)
class _Dates:
    """Dates if nothing ended the programme early [month], shape (count,)."""

    work: Array
    tapeout: Array
    first_silicon: Array
    good_silicon: Array
    volume: Array


def simulate(
    parameters: ProgrammeParameters, count: int, rng: np.random.Generator, quarters: int = 32
) -> ProgrammeDraws:
    """Draw a programme `count` times over a horizon of `quarters`.

    Ranges are drawn jointly (Sobol points), events by independent uniforms. Without an early end::

        tape-out = deal + slip * design;  first silicon = tape-out + fab
        good silicon = first silicon + metal respins * delay + full respins * delay
        volume = good silicon + slip * qualification

    Spins: the first is good with probability p1, each later one with p2 (geometric), up to the limit. A programme that
    ends does so at a uniform moment of its design, at a uniform moment between tape-out and volume, or after its small
    deployment (the date planned for volume). A zero-length stage spends its whole amount at its start.

    Raises `BadValue` when `count` or `quarters` is below 1.
    """
    small = [(name, value) for name, value in (("count", count), ("quarters", quarters)) if value < 1]
    if small:
        raise BadValue(*(Fault(f"simulate, {name}", str(value), "1 or more", f"ask for at least one of {name}")
                         for name, value in small))
    ranges = {f.name: value for f in fields(parameters) if isinstance(value := getattr(parameters, f.name), Range)}
    x = draw(ranges, count, rng)
    metal, full, exhausted = _respins(x, parameters.spin_limit, rng)
    dates = _dates(x, metal, full)
    outcome, end = _outcome(parameters, dates, exhausted, rng)
    volume = outcome == ProgrammeOutcome.VOLUME
    horizon = quarters * MONTHS_PER_QUARTER
    edges = np.linspace(0.0, horizon, quarters + 1)
    at_risk = np.diff(_spend(x, dates, end, metal, full, edges), axis=1)
    running = np.where(volume, np.maximum(horizon - dates.volume, 0.0), 0.0)
    support = _accrued(x["support_share"] * x["team_usd_per_s"] * MONTH_S * running,
                       dates.volume, dates.volume + running, edges)
    spend = at_risk + np.diff(support, axis=1)
    respins = metal + full
    window = dates.good_silicon - dates.first_silicon
    elapsed = np.clip(end - dates.first_silicon, 0.0, window)
    done = np.floor(respins * np.divide(elapsed, window, out=np.zeros(count), where=window > 0)).astype(np.int64)
    done = np.where(end >= dates.good_silicon, respins, done)
    return ProgrammeDraws(
        work_month=_reached(dates.work, end, outcome != ProgrammeOutcome.BID_FAILED),
        tapeout_month=_reached(dates.tapeout, end, outcome != ProgrammeOutcome.BID_FAILED),
        first_silicon_month=_reached(dates.first_silicon, end, outcome != ProgrammeOutcome.BID_FAILED),
        good_silicon_month=_reached(dates.good_silicon, end, (outcome != ProgrammeOutcome.BID_FAILED) & ~exhausted),
        volume_month=np.where(volume, dates.volume, np.nan),
        end_month=end,
        outcome=outcome,
        spins=np.where((end >= dates.tapeout) & (outcome != ProgrammeOutcome.BID_FAILED), 1 + done, 0),
        spend_usd=spend.sum(axis=1),
        spend_by_quarter_usd=spend,
        capital_at_risk_usd=at_risk.sum(axis=1),
        performance=np.where(volume, x["performance"], np.nan),
        scope_cut=rng.random(count) < x["scope_cut"],
    )


def _respins(
    x: dict[str, Array], limit: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Metal respins, full respins, and whether the limit was hit without a good chip; shape (count,)."""
    count = x["respin_good"].size
    first_good = rng.random(count) < x["first_silicon_good"]
    good = np.clip(x["respin_good"], 1e-12, 1.0 - 1e-12)
    needed = np.ceil(np.log1p(-rng.random(count)) / np.log1p(-good))
    needed = np.where(first_good, 0, np.clip(needed, 1, limit)).astype(np.int64)
    exhausted = needed > limit - 1
    respins = np.minimum(needed, limit - 1)
    metal = rng.binomial(respins, x["metal_respin_share"])
    return metal, respins - metal, exhausted


def _dates(x: dict[str, Array], metal: NDArray[np.int64], full: NDArray[np.int64]) -> _Dates:
    work = x["deal_s"] / MONTH_S
    tapeout = work + x["slip"] * x["design_s"] / MONTH_S
    first_silicon = tapeout + x["fab_s"] / MONTH_S
    good_silicon = first_silicon + (metal * x["metal_respin_s"] + full * x["full_respin_s"]) / MONTH_S
    return _Dates(work, tapeout, first_silicon, good_silicon,
                  good_silicon + x["slip"] * x["qualification_s"] / MONTH_S)


def _outcome(
    parameters: ProgrammeParameters, dates: _Dates, exhausted: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.int8], Array]:
    """Outcome codes and the month in which they are known; one uniform chooses the gate, one the moment before it."""
    count = dates.work.size
    bid_failed = rng.random(count) < parameters.bid_failed.mean
    gate, moment = rng.random(count), rng.random(count)
    in_design, by_silicon, by_deployment = parameters.ended.mean * np.cumsum(parameters.end_shares)
    in_design_end = dates.work + moment * (dates.tapeout - dates.work)
    after_tapeout_end = dates.tapeout + moment * (dates.volume - dates.tapeout)
    end = np.where(exhausted, dates.good_silicon, dates.volume)
    end = np.where(gate < by_silicon, np.minimum(after_tapeout_end, end), end)
    end = np.where(gate < in_design, in_design_end, end)
    end = np.where(bid_failed, dates.work, end)
    outcome = np.where(gate < by_deployment, ProgrammeOutcome.LIMITED, ProgrammeOutcome.VOLUME)
    outcome = np.where((gate < by_silicon) | exhausted, ProgrammeOutcome.CANCELLED, outcome)
    outcome = np.where(bid_failed, ProgrammeOutcome.BID_FAILED, outcome)
    return outcome.astype(np.int8), end


def _reached(date: Array, end: Array, possible: NDArray[np.bool_]) -> Array:
    return np.where(possible & (end >= date), date, np.nan)


def _accrued(amount: Array, start: Array, end: Array, edges: Array, until: Array | float = np.inf) -> Array:
    """Spend up to each edge, shape (count, edges), of `amount` spread evenly from start to end, stopped at `until`."""
    when = np.minimum(edges, np.asarray(until)[..., None])
    begun, length = when - start[:, None], (end - start)[:, None]
    share = np.divide(np.clip(begun, 0.0, length), length, out=np.where(begun > 0, 1.0, 0.0), where=length > 0)
    return np.asarray(amount[:, None] * share)


def _spend(
    x: dict[str, Array], dates: _Dates, end: Array, metal: NDArray[np.int64], full: NDArray[np.int64], edges: Array
) -> Array:
    """Spend of the programme itself up to each edge, shape (count, edges)."""
    respin_usd = metal * x["metal_respin_usd"] + full * x["full_respin_usd"]
    parts: Sequence[tuple[Array, Array, Array]] = (
        (x["purchase_usd"], dates.work, dates.work),
        (x["team_usd_per_s"] * MONTH_S * (end - dates.work), dates.work, end),
        (x["design_usd"], dates.work, dates.tapeout),
        (x["masks_usd"], dates.tapeout, dates.tapeout),
        (respin_usd, dates.first_silicon, dates.good_silicon),
        (x["software_usd"], dates.work, dates.volume),
    )
    total = np.zeros((end.size, edges.size))
    for amount, start, stop in parts:
        total += _accrued(amount, start, stop, edges, end)
    return total
