"""What must be true for a chip programme to pay: surfaces, and the point on each input where the answer turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import islice, pairwise, product

import numpy as np

from fabless.decide.problem import World, moved, plan_of
from fabless.decide.results import Flip, Surface
from fabless.decide.sensitivity import label_of
from fabless.decide.solved import solved_plan
from fabless.records import CaseNumber, ProgrammeSpec, Range
from fabless.strategy import Commitment
from fabless.units import QUARTER_S, UNITS, from_si

VOLUMES = (1.0, 3.0, 10.0)
PERFORMANCES = (0.5, 0.8, 1.1, 1.5)
SLIPS = (1.0, 1.4, 2.0)
"""Grid of a surface: demand over that of the case, delivered over planned performance, actual over planned time."""
STEPS = 5
"""Points along an input on which a programme's value is taken, its ends included."""
FURTHER = 2.0
"""How far past each end of an input's range a turn is looked for, as a factor."""


@dataclass(frozen=True, eq=False)
class _Job:
    world: World
    commitment: Commitment
    changes: Mapping[str, Range]


def surface(here: World, lines: Commitment, item: ProgrammeSpec, executor: Executor) -> Surface:
    """Value of starting a programme now, over volume x relative performance x slip; the lines stay those of `lines`.

    Volume multiplies the queries of the first day. The result's array has shape (volumes, performances, slips).
    """
    queries = here.case.numbers["demand.queries"].spread
    name = f"programmes.{item.name}"
    levels = {volume: {"demand.queries": _times(queries, volume)} for volume in VOLUMES}
    grid = list(product(VOLUMES, PERFORMANCES, SLIPS))
    jobs = [_Job(here, lines, levels[volume]) for volume in VOLUMES]
    jobs += [_Job(here, replace(lines, programmes=(item,)),
                  levels[volume] | {f"{name}.performance": Range.point(p), f"{name}.slip": Range.point(slip)})
             for volume, p, slip in grid]
    costs = np.array(list(executor.map(_objective, jobs)))
    with_it = costs[len(VOLUMES):].reshape(len(VOLUMES), len(PERFORMANCES), len(SLIPS))
    value = costs[:len(VOLUMES), None, None] - with_it
    return Surface(item.name, VOLUMES, PERFORMANCES, SLIPS,
                   tuple(tuple(tuple(float(v) for v in row) for row in plane) for plane in value),
                   relative_performance(here, item))


def relative_performance(here: World, item: ProgrammeSpec) -> float | None:
    """Planned performance of a programme's chip over that of the dominant vendor's then current part, at the modes.

    Both are queries a second of the first inference load; "then" is the median quarter of volume. None where the programme
    never comes in volume or the vendor's part cannot serve that load.
    """
    months = here.prepared.outlooks[item.name].summary.volume_month
    line = next((line for line in here.case.lines if line.vendor == here.case.dominant_vendor and line.how == "buy"), None)
    load = next((load.name for load in here.case.loads if load.kind == "inference"), None)
    if months is None or line is None or load is None:
        return None
    does = here.prepared.throughput
    theirs = does[line.chip.name].per_second[load]
    gone_s = months.p50 / 3.0 * QUARTER_S
    mode = {key: here.case.numbers[name].spread.mode for key, name in line.terms.items()}
    for generation in range(1, line.successors + 1):
        if mode["successor_first"] + (generation - 1) * mode["successor_gap"] <= gone_s:
            theirs = does[line.chip.name].per_second[load] * mode["successor_gain"] ** generation
    return float(does[item.chip.name].per_second[load] / theirs) if theirs > 0 else None


def flips(
    here: World, lines: Commitment, programmes: Sequence[ProgrammeSpec], names: Sequence[str], executor: Executor
) -> tuple[Flip, ...]:
    """Where along single inputs the value of starting each programme now changes its sign; all else as it was.

    Inputs are the programme's own performance, slip, margin and allotment, and those called `names`. Values between the
    points tried are interpolated linearly; a programme that keeps its sign along an input has no flip there.
    """
    tries = [(item, name, point) for item in programmes for name in _inputs(here, item, names)
             for point in _points(here.case.numbers[name])]
    at = sorted({(name, point) for _, name, point in tries})
    jobs = [_Job(here, lines, {name: Range.point(point)}) for name, point in at]
    jobs += [_Job(here, replace(lines, programmes=(item,)), {name: Range.point(point)}) for item, name, point in tries]
    costs = list(executor.map(_objective, jobs))
    without = dict(zip(at, costs[:len(at)], strict=True))
    found = []
    worth = iter(zip(tries, costs[len(at):], strict=True))
    for item in programmes:
        for name in _inputs(here, item, names):
            line = [(point, without[name, point] - cost)
                    for (_, _, point), cost in islice(worth, len(_points(here.case.numbers[name])))]
            found += _crossings(here, item, here.case.numbers[name], line)
    return tuple(found)


def _inputs(here: World, item: ProgrammeSpec, names: Sequence[str]) -> list[str]:
    own = [f"programmes.{item.name}.{key}" for key in ("performance", "slip", "margin", "allotment")]
    return [name for name in dict.fromkeys((*own, *names)) if here.case.numbers[name].spread.high > 0]


def _points(number: CaseNumber) -> list[float]:
    """Points along the range of an input and, on a log scale, past its ends; a share stays within 0 and 1."""
    low, high = number.spread.low, number.spread.high
    if number.spread.scale == "log":
        return np.geomspace(low / FURTHER, high * FURTHER, STEPS).tolist()
    if number.unit == "1" and high <= 1.0:
        return np.linspace(low / FURTHER, min(1.0, high * FURTHER), STEPS).tolist()
    return np.linspace(low, high, STEPS).tolist()


def _crossings(here: World, item: ProgrammeSpec, number: CaseNumber, line: list[tuple[float, float]]) -> list[Flip]:
    found = []
    unit = number.unit if number.unit in UNITS else "1"
    for (one, before), (two, after) in pairwise(line):
        if (before < 0.0) != (after < 0.0):
            turn = from_si(one + (two - one) * before / (before - after), unit)
            above = after >= 0.0
            found.append(Flip(item.name, number.name, label_of(number.name), unit, turn, above,
                              _words(here, item, number, turn, above)))
    return found


def _words(here: World, item: ProgrammeSpec, number: CaseNumber, turn: float, above: bool) -> str:
    """One sentence: when starting the programme now pays."""
    bound = "at least" if above else "at most"
    key = number.name.removeprefix(f"programmes.{item.name}.")
    start = f"Starting {item.name} now pays if"
    ratio = relative_performance(here, item)
    if key == "performance" and ratio is not None:
        return (f"{start} its chip reaches {bound} {turn:.2g} of its planned performance, that is {turn * ratio:.2g} of the "
                f"{here.case.dominant_vendor} part that is current when it comes")
    if key == "slip":
        return f"{start} its work takes {bound} {turn:.2g} times as long as planned"
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{start} the {label_of(number.name)} is {bound} {turn:.3g}{unit}"


def _times(spread: Range, factor: float) -> Range:
    return replace(spread, low=spread.low * factor, mode=spread.mode * factor, high=spread.high * factor)


def _objective(job: _Job) -> float:
    there = moved(job.world, job.changes)
    return solved_plan(there, "", plan_of(there, job.commitment)).result.objective_usd
