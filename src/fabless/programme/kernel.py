"""The compiled part of the simulation: one trajectory after another, random numbers given.

Dates are in months from the decision, money in USD. Everything here is read through
`simulation.run_trajectories`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fabless.programme.blueprint import (
    CONTESTED,
    DISTRESSED,
    FULL_COST,
    FULL_DELAY,
    LEFT,
    LOGARITHMIC,
    LOW,
    METAL_COST,
    METAL_DELAY,
    PERFORMANCE,
    POINTS,
    PURCHASE,
    RETENTION,
    RIGHT,
    SECOND_DESIGN,
    SECOND_DESIGN_COST,
    SECOND_FAB,
    SECOND_GAIN,
    SECOND_MASKS,
    SECOND_OVERLAP,
    SECOND_QUALIFICATION,
    SPLIT,
    SUPPORT,
    TEAM,
    UPPER,
    Layout,
    TrajectoryArrays,
)
from fabless.programme.draws import End
from fabless.records import Array
from fabless.units import MONTHS_PER_QUARTER

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
_BID, _SPINS, _NONE = int(End.BID), int(End.SPINS), int(End.NONE)
_GATES_TO_SILICON = 3
"""Number of gates passed by the time of first silicon."""
_INSTANT = 1e-9
"""Duration below which a payment falls on one date [quarter]."""

_compiled = cast("Callable[[Any], Any]", njit(cache=True, error_model="numpy"))


@_compiled
def fill_quantiles(x: Array, laws: Array, varying: Integers, points: Array, i: int) -> None:
    """Put the quantiles of the laws that vary, at the points of trajectory i, into `x`."""
    for v in range(varying.size):
        k = varying[v]
        p = points[i, int(laws[k, POINTS])]
        if laws[k, LEFT] < 0.0:
            x[k] = p
            continue
        if p <= laws[k, SPLIT]:
            value = laws[k, LOW] + math.sqrt(p * laws[k, LEFT])
        else:
            value = laws[k, UPPER] - math.sqrt((1.0 - p) * laws[k, RIGHT])
        x[k] = math.exp(value) if laws[k, LOGARITHMIC] > 0.0 else value


@_compiled
def respins(
    first: float, later: float, kind: float, first_good: float, inverse_log_miss: float,
    metal_share: float, limit: int,
) -> tuple[int, int, bool]:
    """Metal respins, full respins, and whether no spin up to the limit worked, from three uniforms.

    The later spins are geometric by inversion, ``ceil(ln(1 - u) / ln(1 - p2))``; the metal ones
    among them binomial.
    """
    if limit == 0 or first < first_good:
        return 0, 0, False
    # Cut before rounding: where no later spin ever works the number has no end.
    needed = max(math.ceil(min(math.log1p(-later) * inverse_log_miss, float(limit))), 1)
    total = min(needed, limit - 1)
    rare = min(metal_share, 1.0 - metal_share)
    density = (1.0 - rare) ** total
    left = kind - density
    count = 0
    while left >= 0.0 and count < total:
        count += 1
        density *= rare / (1.0 - rare) * (total - count + 1) / count
        left -= density
    metal = total - count if metal_share > 0.5 else count
    return metal, total - metal, needed > limit - 1


@_compiled
def pay(spend: Array, i: int, amount: float, start: float, finish: float) -> None:
    """Add an amount, spread evenly between two dates [month], to row i of the spend by quarter, cut
    at the horizon."""
    horizon = spend.shape[1]
    start, finish = start / MONTHS_PER_QUARTER, finish / MONTHS_PER_QUARTER
    if amount == 0.0 or start >= horizon:
        return
    begin = int(start)
    length = finish - start
    if length <= _INSTANT or finish <= begin + 1:
        spend[i, begin] += amount
        return
    rate = amount / length
    spend[i, begin] += rate * (begin + 1 - start)
    final = int(min(finish, float(horizon)))
    for quarter in range(begin + 1, final):
        spend[i, quarter] += rate
    if final < horizon:
        spend[i, final] += rate * (finish - final)


@_compiled
def paid_by(amount: float, start: float, finish: float, moment: float) -> float:
    """Part of an amount, spread evenly between two dates, that is paid by a moment."""
    if moment >= finish:
        return amount
    return amount * (moment - start) / (finish - start) if moment > start else 0.0


@_compiled
def schedule(
    x: Array, durations: Integers, slips: Integers, slowed: Flags, hammock: Flags, before: Integers,
    behind: Integers, respin: int, delay: float, start: Array, finish: Array,
) -> None:
    """Fill start and finish of every stage by the longest path, had nothing ended the programme."""
    last = 0.0
    for k in range(durations.size):
        begin = 0.0
        for j in range(before.shape[1]):
            if before[k, j] >= 0:
                begin = max(begin, finish[before[k, j]])
        length = x[durations[k]]
        if slips[k] >= 0:
            length *= x[slips[k]]
        if slowed[k]:
            length /= x[RETENTION]
        if k == respin:
            length += delay
        start[k], finish[k] = begin, begin + length
        last = max(last, begin + length)
    for k in range(durations.size):
        if hammock[k]:
            until = np.inf
            for j in range(behind.shape[1]):
                if behind[k, j] >= 0:
                    until = min(until, start[behind[k, j]])
            finish[k] = until if until < np.inf else last


@_compiled
def where_ended(gate: float, exhausted: bool, ended_by: Array, row: int) -> int:
    """Code of the end of a programme whose bid closed: one uniform chooses the gate, so that a
    higher hazard only adds."""
    passed = 0
    while passed < ended_by.shape[1] and gate >= ended_by[row, passed]:
        passed += 1
    if passed < _GATES_TO_SILICON:
        return passed + 1
    return _SPINS if exhausted else passed + 2


@_compiled
def second_generation(
    x: Array, events: Array, i: int, rates: Array, row: int, slips: Integers, limit: int,
    spend: Array, work: float, volume: float, end: float, succeeds: bool,
) -> tuple[float, float]:
    """Volume month of the second generation (NaN without) and what it spends after the first one's
    volume.

    It starts ``max(work, volume - overlap)`` if the first one still runs then, and stops where the
    first one ends.
    """
    start = max(work, volume - x[SECOND_OVERLAP])
    if start > end or (start == end and not succeeds):
        return np.nan, 0.0
    metal, full, exhausted = respins(
        events[i, 8], events[i, 9], events[i, 10], first_good=rates[row, 1],
        inverse_log_miss=rates[row, 2], metal_share=rates[row, 3], limit=limit,
    )
    tape_out = start + x[SECOND_DESIGN] * x[slips[0]]
    silicon = tape_out + x[SECOND_FAB]
    good = silicon + metal * x[METAL_DELAY] + full * x[FULL_DELAY]
    ready = good + x[SECOND_QUALIFICATION] * x[slips[1]]
    stop = np.inf if succeeds else end
    taped_out = events[i, 7] >= rates[row, 6] and tape_out <= stop
    mend = metal * x[METAL_COST] + full * x[FULL_COST] if taped_out and silicon <= stop else 0.0
    masks = x[SECOND_MASKS] if taped_out else 0.0
    horizon = spend.shape[1] * MONTHS_PER_QUARTER
    after = 0.0
    design = x[SECOND_DESIGN_COST]
    for amount, since, upto in (
        (design, start, tape_out), (masks, tape_out, tape_out), (mend, silicon, good),
    ):
        until = min(upto, stop)
        spent = paid_by(amount, since, upto, until)
        pay(spend, i, spent, since, until)
        if succeeds and since < horizon:
            after += paid_by(spent, since, until, horizon) - paid_by(
                spent, since, until, min(volume, horizon)
            )
    return max(ready, volume) if succeeds and taped_out and not exhausted else np.nan, after


@_compiled
def trajectories(
    layout: Layout, points: Array, events: Array, rates: Array, ended_by: Array,
    courses: TrajectoryArrays,
) -> None:
    """Run every trajectory: `points` (count, columns), `events` (count, 11), `rates` (sets, 7),
    `ended_by` (sets, gates).

    Rates: bid failed, first spin good, 1 / ln(1 - later spin good), metal share, scope cut,
    distressed, second ended.
    """
    laws, varying, spends, begins, completes = (
        layout.laws, layout.varying, layout.spend_law, layout.begins, layout.completes,
    )
    (close, work, tape_out, respin, ramp, limit, later_limit, has_second) = layout.places
    end_stage, slips = layout.end_stage, layout.second_slips
    finishes, spend = courses.finish, courses.spend
    x, stages, sets, quarters = laws[:, LOW].copy(), spends.size, rates.shape[0], spend.shape[1]
    start, finish = np.empty(stages), np.empty(stages)
    for i in range(points.shape[0]):
        row = i * sets // points.shape[0]
        fill_quantiles(x, laws, varying, points, i)
        metal, full, exhausted = respins(
            events[i, 2], events[i, 3], events[i, 4], first_good=rates[row, 1],
            inverse_log_miss=rates[row, 2], metal_share=rates[row, 3], limit=limit,
        )
        schedule(
            x, layout.stage_law, layout.slip_law, slowed=layout.slowed, hammock=layout.hammock,
            before=layout.before, behind=layout.behind, respin=respin,
            delay=metal * x[METAL_DELAY] + full * x[FULL_DELAY], start=start, finish=finish)
        ended = (
            _BID
            if events[i, 1] < rates[row, 0]
            else where_ended(events[i, 0], exhausted, ended_by, row)
        )
        end, volume, succeeds = finish[end_stage[ended]], finish[end_stage[_NONE]], ended == _NONE
        tried = begins[respin, ended]
        for q in range(quarters):
            spend[i, q] = 0.0
        for k in range(stages):
            done = completes[k, ended] and (finish[k] <= end or (succeeds and k == ramp))
            finishes[k, i] = finish[k] if done else np.nan
            if spends[k] >= 0 and begins[k, ended] and start[k] <= end:
                until = min(finish[k], end)
                pay(spend, i, paid_by(x[spends[k]], start[k], finish[k], until), start[k], until)
        if ended != _BID:
            price = x[PURCHASE] * x[DISTRESSED if events[i, 6] < rates[row, 5] else CONTESTED]
            pay(spend, i, price, finish[close], finish[close])
            pay(spend, i, x[TEAM] * (end - finish[close]), finish[close], end)
        if tried:
            pay(
                spend, i, metal * x[METAL_COST] + full * x[FULL_COST], start[respin], finish[respin]
            )
        after, second = 0.0, np.nan
        if has_second and ended != _BID:
            second, after = second_generation(
                x, events, i, rates=rates, row=row, slips=slips, limit=later_limit, spend=spend,
                work=finish[work], volume=volume, end=end, succeeds=succeeds)
        at_risk = 0.0
        for q in range(quarters):
            at_risk += spend[i, q]
        support = (
            x[SUPPORT] * x[TEAM] * max(quarters * MONTHS_PER_QUARTER - volume, 0.0)
            if succeeds
            else 0.0
        )
        pay(spend, i, support, volume, quarters * MONTHS_PER_QUARTER)
        courses.end[i], courses.ended[i], courses.volume[i] = (
            end, ended, volume if succeeds else np.nan,
        )
        courses.spins[i] = int(completes[tape_out, ended]) + (metal + full if tried else 0)
        courses.performance[i] = x[PERFORMANCE] if succeeds else np.nan
        courses.scope_cut[i] = events[i, 5] < rates[row, 4]
        courses.total[i], courses.at_risk[i], courses.peak[i] = (
            at_risk + support, at_risk, at_risk - after,
        )
        courses.second[i], courses.gain[i] = second, np.nan if np.isnan(second) else x[SECOND_GAIN]
