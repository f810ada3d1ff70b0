"""Chip-programme trajectories a second on one core: with the random numbers given, with drawing,
and in plain numpy.

    python benchmarks/programme.py [COUNT]        for example: python benchmarks/programme.py 262144

All on the same random numbers in the same run, user CPU time, best of three. The plain version is
the same mathematics written again in one block of arrays, without ends, second generation or own
stages; its means must agree.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace

import numpy as np
from scipy.stats import binom

import fabless as fb
from fabless.decide.ways.prepare import counted, programme_model_of
from fabless.programme.blueprint import Blueprint, blueprint
from fabless.programme.parameters import ProgrammeModel
from fabless.programme.posterior import PseudoCounts
from fabless.programme.rates import draw_rates
from fabless.programme.simulation import SETS, draw_numbers, run_trajectories
from fabless.records import Array, Range
from fabless.sampling import quantile, stream
from fabless.units import MONTH_S

QUARTERS = 32
REPEATS = 3
COLUMNS = (
    "start", "design_s", "fab_s", "qualification_s", "slip", "metal_respin_s", "full_respin_s",
    "metal_respin_usd", "full_respin_usd", "performance", "team_usd_per_s", "support_share",
    "masks_usd", "design_usd", "software_usd",
)


def user_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def plain(p: ProgrammeModel, points: Array, events: Array) -> tuple[Array, Array]:
    """Volume month and spend by quarter of programmes that nothing ends, in one block; slips alike
    in all stages."""
    x = {name: quantile(p.deal_s if name == "start" else getattr(p, name), points[:, k]) for k, name in enumerate(COLUMNS)}
    first, later, share = (getattr(p, name).mode for name in ("first_silicon_good", "respin_good", "metal_respin_share"))
    needed = np.ceil(np.log1p(-events[:, 3]) / np.log1p(-later))
    respins = np.where(events[:, 2] < first, 0, np.minimum(np.maximum(needed, 1), p.spin_limit - 1))
    # The rarer of the two kinds is counted, as the kernel does, so that the same uniform gives the
    # same number.
    rarer = np.where(respins > 0, binom.ppf(events[:, 4], np.maximum(respins, 1), min(share, 1 - share)), 0)
    metal = respins - rarer if share > 0.5 else rarer
    full = respins - metal
    work = x["start"] / MONTH_S
    tape_out = work + x["slip"] * x["design_s"] / MONTH_S
    silicon = tape_out + x["fab_s"] / MONTH_S
    good = silicon + (metal * x["metal_respin_s"] + full * x["full_respin_s"]) / MONTH_S
    volume = good + x["slip"] * x["qualification_s"] / MONTH_S
    edges = np.arange(QUARTERS + 1) * 3.0
    team = x["team_usd_per_s"] * MONTH_S
    spend = np.zeros((len(points), QUARTERS + 1))
    mend = metal * x["metal_respin_usd"] + full * x["full_respin_usd"]
    end = np.full(len(points), edges[-1])
    for amount, start, finish in (
        (team * (volume - work), work, volume), (x["design_usd"], work, tape_out),
        (x["software_usd"], work, volume), (mend, silicon, good),
        (
            x["support_share"] * team * np.maximum(end - volume, 0), volume,
            np.maximum(end, volume + 1e-9),
        ),
    ):
        length = np.maximum(finish - start, 1e-9)[:, None]
        spend += amount[:, None] * np.clip((edges - start[:, None]) / length, 0, 1)
    spend += x["masks_usd"][:, None] * (edges > tape_out[:, None])
    return volume, np.diff(spend, axis=1)


def measure(plan: Blueprint, p: ProgrammeModel, count: int) -> tuple[float, float]:
    """Best user seconds of the kernel with the numbers given, and of drawing them."""
    kernels, drawings = [], []
    for repeat in range(REPEATS):
        begin = user_seconds()
        rates = draw_rates(p, plan.stages, SETS, stream(repeat, "rates"))
        points, events = draw_numbers(plan, count, stream(repeat, "numbers"))
        drawn = user_seconds()
        run_trajectories(plan, rates, points, events, QUARTERS)
        kernels.append(user_seconds() - drawn)
        drawings.append(drawn - begin)
    return min(kernels), min(drawings)


def main() -> None:
    """Measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 18
    case, _ = counted(fb.case(), fb.load(fb.case().as_of))
    case_parameters = programme_model_of(case.programmes[0], case.numbers.programmes[case.programmes[0].name])
    settled = replace(
        case_parameters, ended=PseudoCounts(0.0, 1.0), slip_correlation=1.0, spin_limit=12,
        **{
            name: Range.point(getattr(case_parameters, name).mode)
            for name in ("first_silicon_good", "respin_good", "metal_respin_share")
        },
    )
    begin, wall = user_seconds(), time.perf_counter()
    run_trajectories(
        plan := blueprint(settled), draw_rates(settled, plan.stages, 1, stream(0, "rates")),
        *draw_numbers(plan, 16, stream(0, "numbers")), QUARTERS,
    )
    print(f"first call, compiling or loading: {user_seconds() - begin:.1f} s user, {time.perf_counter() - wall:.1f} s wall")
    print(f"{'programme':>34} {'kernel':>8} {'drawn':>8}   million trajectories a second, {count} at a time")
    half = replace(case_parameters, slip_correlation=0.5)
    for name, p in (("first of the case", case_parameters), ("slips correlated 0.5", half), ("nothing ends it", settled)):
        kernel, drawing = measure(blueprint(p), p, count)
        print(f"{name:>34} {count / kernel / 1e6:>8.2f} {count / (kernel + drawing) / 1e6:>8.2f}")
    points, events = draw_numbers(plan, count, stream(0, "numbers"))
    begin = user_seconds()
    volume, spend = plain(settled, points, events)
    seconds = user_seconds() - begin
    print(f"{'nothing ends it, plain numpy':>34} {count / seconds / 1e6:>8.2f}")
    ours = run_trajectories(plan, draw_rates(settled, plan.stages, SETS, stream(0, "rates")), points, events, QUARTERS)
    reached = ~np.isnan(ours.volume_month)
    dates = float(np.abs(ours.volume_month - volume)[reached].max())
    money = float(np.abs(ours.spend_by_quarter_usd - spend)[reached].max() / spend.max())
    print(f"largest difference to plain numpy: {dates:.1e} months, {money:.1e} of the largest spend of a quarter")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
