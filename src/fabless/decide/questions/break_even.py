"""What must be true for a chip programme to pay: surfaces, and the point on each input where the
answer turns.

A programme is taken as started now and carried through. Its value is the mean, over what its
simulation says of its dates and its end, of what its chips save when they come in a given quarter,
less what it spends:
``sum over paths of probability x benefit(quarter of volume) - present value of the expected spend``. The benefit is that of
a plan in which the quarter is known; it is worked out for the quarters of the branchings and
interpolated between them. So a small tree is enough: no luck of dealing outcomes out to its few
leaves enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from fabless.case_numbers import stated
from fabless.case_records import CaseNumber, Programme, modes, named, with_ranges
from fabless.decide.questions.sensitivity import label_of
from fabless.decide.results import Flip, Surface
from fabless.decide.ways.gates import carried_through
from fabless.decide.ways.prepare import SimulatedOutcomes, simulated_outcomes_of
from fabless.decide.ways.problem import World, plan_of, world_with_ranges
from fabless.decide.ways.solved import solved_plan
from fabless.records import Array, Range
from fabless.strategy import Commitment
from fabless.tco import discount_factor
from fabless.titles import titles
from fabless.units import MONTH_S, QUARTER_S, UNITS, from_si

VOLUMES = (1.0, 4.0, 16.0)
RELATIVE = (0.5, 1.0, 1.5)
SLIPS = (1.0, 1.5, 2.0)
"""Grid of a surface: chips to be had over those of the case, performance over that of the vendor's
then current part, actual over planned time."""
ARRIVALS = 3
"""Branchings, the last ones, at which the benefit of a chip that comes then is worked out."""
STEPS = 4
"""Points along an input on which a programme's value is taken, its ends included."""
FURTHER = 2.0
"""How far past each end of an input's range a turn is looked for, as a factor."""


@dataclass(frozen=True, eq=False)
class _ValueJob:
    world: World
    lines: Commitment
    item: Programme | None
    changes: Mapping[str, Range]
    quarter: int


def surface(
    world: World, lines: Commitment, programme: Programme, executor: Executor
) -> Surface | None:
    """Value of a programme over volume x relative performance x slip.

    Volume multiplies the chips that can be had; the lines stay those of `lines`. The result's array
    has shape (volumes, performances, slips). None where performance cannot be compared with the
    vendor's.
    """
    planned = relative_performance(world, programme)
    if planned is None:
        return None
    terms = world.case.numbers.programmes[programme.name]
    grid = [{terms.allotment.name: _times(terms.allotment.spread, volume),
             terms.performance.name: Range.point(relative / planned)}
            for volume, relative in product(VOLUMES, RELATIVE)]
    benefits = _benefits(world, lines, programme, grid, executor)
    outlooks = [_outlook(world, programme, {terms.slip.name: Range.point(slip)}) for slip in SLIPS]
    value = np.array([[_value(world, outlook, benefit) for outlook in outlooks] for benefit in benefits])
    value = value.reshape(len(VOLUMES), len(RELATIVE), len(SLIPS))
    return Surface(
        programme=programme.name, volumes=VOLUMES, performances=RELATIVE, slips=SLIPS,
        value_usd=tuple(tuple(tuple(float(v) for v in row) for row in plane) for plane in value),
        planned=planned)


def relative_performance(world: World, programme: Programme) -> float | None:
    """Planned performance of a programme's chip over that of the dominant vendor's then current
    part, at the modes.

    Both are queries a second of the first inference load; "then" is the median quarter of volume.
    None where the programme never comes in volume or the vendor's part cannot serve that load.
    """
    months = world.prepared.simulated[programme.name].summary.volume_month
    line = next((line for line in world.case.lines if line.vendor == world.case.dominant_vendor and line.how == "buy"), None)
    load = next((load.name for load in world.case.loads if load.kind == "inference"), None)
    if months is None or line is None or load is None:
        return None
    throughput = world.prepared.throughput
    theirs = throughput[line.chip.name].per_second[load]
    gone_s = months.p50 * MONTH_S
    mode = modes(world.case.numbers).lines[line.name]
    for generation in range(1, line.successors + 1):
        if stated(mode.successor_first) + (generation - 1) * stated(mode.successor_gap) <= gone_s:
            theirs = throughput[line.chip.name].per_second[load] * stated(mode.successor_gain) ** generation
    return float(throughput[programme.chip.name].per_second[load] / theirs) if theirs > 0 else None


def flips(
    world: World, lines: Commitment, programmes: Sequence[Programme], names: Sequence[str],
    executor: Executor,
) -> tuple[Flip, ...]:
    """Where along single inputs the value of each programme changes its sign; all else as it was.

    Inputs are the programme's own performance, slip and allotment, and those called `names`. Values
    between the points tried are interpolated linearly; a programme that keeps its sign along an
    input has no flip there.
    """
    crossings, numbers = [], named(world.case.numbers)
    for programme in programmes:
        terms = world.case.numbers.programmes[programme.name]
        own_inputs = [number.name for number in (terms.performance, terms.slip, terms.allotment)]
        inputs = [
            name for name in dict.fromkeys((*own_inputs, *names)) if numbers[name].spread.high > 0
        ]
        tries = [(name, point) for name in inputs for point in _points(numbers[name])]
        changes = [{name: Range.point(point)} for name, point in tries]
        benefits = _benefits(world, lines, programme, changes, executor)
        value = {key: _value(world, _outlook(world, programme, change), benefit)
                 for key, benefit, change in zip(tries, benefits, changes, strict=True)}
        for name in inputs:
            number = numbers[name]
            crossings += _crossings(
                world, programme, number, [(point, value[name, point]) for point in _points(number)]
            )
    return tuple(crossings)


def _benefits(
    world: World, lines: Commitment, programme: Programme, changes: Sequence[Mapping[str, Range]],
    executor: Executor,
) -> list[Array]:
    """Fall of the objective when the chips come, without the programme's spend, by quarter of the
    horizon.

    One array for each of `changes`. Programmes that bring no number of their own into the plan are
    not solved twice.
    """
    quarters = list(world.case.boundaries[-ARRIVALS:])
    own_prefix, slip = (
        f"programmes.{programme.name}.", world.case.numbers.programmes[programme.name].slip.name,
    )
    bare = [
        {name: spread for name, spread in change.items() if not name.startswith(own_prefix)}
        for change in changes
    ]
    without_slip = [{name: spread for name, spread in change.items() if name != slip} for change in changes]
    jobs = [_ValueJob(world, lines, None, change, 0) for change in bare]
    jobs += [
        _ValueJob(world, lines, programme, change, quarter)
        for change in without_slip
        for quarter in quarters
    ]
    keys = [(job.item and job.item.name, frozenset(job.changes.items()), job.quarter) for job in jobs]
    once = dict(zip(keys, jobs, strict=True))
    cost = dict(zip(once, executor.map(_objective, once.values()), strict=True))
    without, with_it = np.array([cost[key] for key in keys[:len(bare)]]), np.array([cost[key] for key in keys[len(bare):]])
    saved = without[:, None] - with_it.reshape(len(bare), len(quarters))
    every = np.arange(world.case.quarters + 1)
    return [np.interp(every, [*quarters, world.case.quarters], [*row, 0.0]) for row in saved]


def _outlook(world: World, programme: Programme, change: Mapping[str, Range]) -> SimulatedOutcomes:
    """What the simulation says of a programme; of its numbers that change only the slip moves
    dates."""
    slip = world.case.numbers.programmes[programme.name].slip.name
    if slip not in change:
        return world.prepared.simulated[programme.name]
    return simulated_outcomes_of(programme, with_ranges(world.case, {slip: change[slip]}))


def _value(world: World, outlook: SimulatedOutcomes, benefit: Array) -> float:
    """Value of a programme whose chips are worth `benefit` by their quarter of volume."""
    quarters = world.case.quarters
    middle = (np.arange(quarters) + 0.5) * QUARTER_S
    discount = np.asarray(discount_factor(world.case.numbers.finance.real_rate.spread.mode, middle))
    return sum(path.probability * (
        (0.0 if path.volume_quarter is None else float(benefit[min(path.volume_quarter, quarters)]))
        - float(np.array(path.spend_by_quarter_usd) @ discount)) for path in outlook.chain.paths)


def _points(number: CaseNumber) -> list[float]:
    """Points along the range of an input and past its ends; a share stays between 0 and 1."""
    low, high = number.spread.low, number.spread.high
    if number.unit == "1" and high < 1.0:
        return [float(v) for v in np.linspace(low / FURTHER, 0.5 * (high + 1.0), STEPS)]
    if low > 0.0:
        return [float(v) for v in np.geomspace(low / FURTHER, high * FURTHER, STEPS)]
    return [float(v) for v in np.linspace(low, high * FURTHER, STEPS)]


def _crossings(
    world: World, programme: Programme, number: CaseNumber, line: list[tuple[float, float]]
) -> list[Flip]:
    crossings = []
    unit = number.unit if number.unit in UNITS else "1"
    for (left, before), (right, after) in pairwise(line):
        if (before < 0.0) != (after < 0.0):
            turn = from_si(left + (right - left) * before / (before - after), unit)
            above = after >= 0.0
            crossings.append(
                Flip(
                    programme=programme.name, name=number.name,
                    label=label_of(number.name, titles(world.case)), unit=unit, value=turn,
                    pays_above=above, text=_words(world, programme, number, turn, above),
                )
            )
    return crossings


def _words(world: World, programme: Programme, number: CaseNumber, turn: float, above: bool) -> str:
    """One sentence: when starting the programme now pays."""
    bound = "at least" if above else "at most"
    key = number.name.removeprefix(f"programmes.{programme.name}.")
    called = titles(world.case)
    start = f"Starting {called[f'programmes.{programme.name}']} now pays if"
    ratio = relative_performance(world, programme)
    if key == "performance" and ratio is not None:
        return (
            f"{start} it reaches {bound} {turn:.2g} of its planned performance, that is {turn * ratio:.2g} of the "
            f"{world.case.dominant_vendor} part that is current when it comes"
        )
    if key == "slip":
        return f"{start} its work takes {bound} {turn:.2g} times as long as planned"
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{start} the {label_of(number.name, called)} is {bound} {turn:.3g}{unit}"


def _times(spread: Range, factor: float) -> Range:
    return replace(spread, low=spread.low * factor, mode=spread.mode * factor, high=spread.high * factor)


def _objective(job: _ValueJob) -> float:
    """Objective with the chips of a programme in volume from a quarter that is known, its spend
    left out."""
    programme = job.item
    world = job.world
    if job.changes:
        world = world_with_ranges(world, job.changes, simulated=False)
    if programme is None:
        return solved_plan(world, "", plan_of(world, job.lines)).result.objective_usd
    fate = world.outcomes[programme.name][0]
    size = fate.volume_quarter.size
    terms = world.case.numbers.programmes[programme.name]
    performance, cut = terms.performance.spread.mode, terms.scope_cut.spread.mode
    sure = replace(
        fate, volume_quarter=np.full(size, job.quarter), dead=np.zeros(size, dtype=bool),
        performance=np.full(size, performance), scope_cut=np.full(size, cut),
        spend_usd=np.zeros(size),
    )
    world = replace(world, outcomes={**world.outcomes, programme.name: (sure,)})
    plan = carried_through(plan_of(world, replace(job.lines, programmes=(programme,))))
    return solved_plan(world, "", plan).result.objective_usd
