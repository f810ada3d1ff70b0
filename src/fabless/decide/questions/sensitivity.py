"""Which inputs move the answer: each in turn at its low and its high end, all else as it was.

Two searches, because what moves the level of cost moves it for every way. For the level, every
drawn number is weighed by its correlation with the cost of a query on fresh paths of the
recommended way; those that weigh most are set to their ends on a small tree. For which way comes
first, the inputs are those that tell the recommended way from its nearest rivals (`turns`); only at
their ends are all ways solved again. Where there is a table of answers, what is shown is read off it:
one number for one input, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from fabless.arrays import ranks
from fabless.case_records import Case, CaseNumber, named
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.results import Answers, MovedInput, Sensitivity
from fabless.decide.ways.choice import choose
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import World, draw_world, world_with_ranges
from fabless.decide.ways.solved import SolvedWay, roughly_solved
from fabless.records import Range
from fabless.strategy import PORTFOLIO, Commitment
from fabless.titles import titles
from fabless.units import UNITS, from_si

SMALL = 3
"""Branches at the first branching of the small tree; later ones have one."""
UNPLANNED = frozenset({"supply.concession"})
"""Numbers of a case on which no plan rests: they are asked of the answer afterwards."""
SHARES = ".design_shares."
"""Part of the names of numbers that mean something only together: one alone cannot be moved."""
CORRELATIONS = "correlations."
"""Beginning of the name of a correlation between two numbers."""


@dataclass(frozen=True)
class _Try:
    """One end of one input."""

    name: str
    end: str
    value: float


def sensitivities(
    prepared: Prepared, best: SolvedWay, numbers: WayOnPaths, count: int, executor: Executor,
    telling: Sequence[str] = (),
) -> tuple[Sensitivity, ...]:
    """Sensitivity of the recommended way's cost per query to `count` inputs, largest effect first,
    then to those of `telling` that are not among them.

    `numbers` are those of the recommended way on fresh paths. Its cost in the middle one of them
    moves as the expected cost of its commitment does on the small tree. Twice as many inputs
    are tried as are returned. Which way ranks first is asked at the ends of `telling` alone.
    """
    case, known = prepared.case, named(prepared.case.numbers)
    usual = draw_world(prepared, branching=(SMALL,))
    costs_fresh = numbers.query_cost_usd
    level = (band(costs_fresh, np.ones(costs_fresh.size)).p50
             / expected_cost(roughly_solved(usual, best.name, (best.plan.commitment,))))
    tries = [
        _Try(name, end, getattr(known[name].spread, end))
        for name in dict.fromkeys((*weighed(numbers, case)[: 2 * count], *telling))
        for end in ("low", "high")
    ]
    costs = executor.map(_recommended_cost, ((usual, best.plan.commitment, best.name, item) for item in tries))
    cost_of = {(item.name, item.end): cost for item, cost in zip(tries, costs, strict=True)}
    names = sorted(
        {item.name for item in tries},
        key=lambda name: (-abs(cost_of[name, "high"] - cost_of[name, "low"]), name),
    )[:count]
    names += [name for name in telling if name not in names]
    ends = [item for item in tries if item.name in telling]
    first, *firsts = executor.map(
        _winner, ((usual, item) for item in (None, *ends))) if ends else (None,)
    winners = dict(zip(((item.name, item.end) for item in ends), firsts, strict=True))
    called = titles(case)
    return tuple(
        _sensitivity(
            known[name], label_of(name, called),
            costs=[cost_of[name, end] * level for end in ("low", "high")],
            winners=[winners.get((name, end)) for end in ("low", "high")],
            usual=first if name in telling else None,
        )
        for name in names
    )


def read_off(table: Answers, best: str, order: Sequence[str]) -> tuple[Sensitivity, ...]:
    """Sensitivities to the inputs of a table of answers, in its order, for the way `best`; of ways
    with equal totals that which stands first in `order` ranks first."""
    rows = []
    for item in table.inputs:
        usual = item.values.index(item.value)
        firsts = [_first_at(item, place, order) for place in (usual, 0, -1)]
        cost = next(row.cost_per_query_usd for row in item.levels if row.way == best)
        rows.append(Sensitivity(
            name=item.name, label=item.label, unit=item.unit, low=item.values[0],
            high=item.values[-1], cost_low_usd=cost[0], cost_high_usd=cost[-1],
            best_usual=firsts[0], best_low=firsts[1], best_high=firsts[2]))
    return tuple(rows)


def _first_at(item: MovedInput, place: int, order: Sequence[str]) -> str:
    """The single way that ranks first at a value of a table."""
    single = [row for row in item.levels if row.way != PORTFOLIO] or item.levels
    return min(single, key=lambda row: (
        row.cash_usd[place] + row.unserved_usd[place] + row.risk_usd[place], order.index(row.way))).way


def weighed(numbers: WayOnPaths, case: Case) -> list[str]:
    """Numbers of the case by the size of their rank correlation with the cost of a query on fresh
    paths, largest first."""
    cost = ranks(numbers.query_cost_usd)
    known = named(case.numbers)
    size = {name: abs(float(np.corrcoef(ranks(drawn), cost)[0, 1]))
            for name, drawn in numbers.values.items()
            if name in known and name not in UNPLANNED and SHARES not in name and np.ptp(drawn) > 0}
    return sorted(size, key=lambda name: (-size[name], name))


def expected_cost(solved: SolvedWay) -> float:
    """Expected levelised cost of a served query [USD]."""
    paths = solved.paths
    return float(paths.probability @ paths.levelised_usd)


def _at(usual: World, trial: _Try) -> World:
    return world_with_ranges(usual, {trial.name: Range.point(trial.value)})


def _recommended_cost(job: tuple[World, Commitment, str, _Try]) -> float:
    usual, commitment, name, trial = job
    return expected_cost(roughly_solved(_at(usual, trial), name, (commitment,)))


def _winner(job: tuple[World, _Try | None]) -> str:
    """The single way that ranks first when one input stands at an end, or none is moved."""
    usual, trial = job
    world = usual if trial is None else _at(usual, trial)
    ways = choose(world, None, gates=False).ways
    single = [way for way in ways if way.name != PORTFOLIO] or ways
    return min(single, key=lambda way: way.result.objective_usd).name


def label_of(name: str, known: Mapping[str, str]) -> str:
    """Readable name of an input; `known` are the `titles` of its case.

    >>> label_of("demand.work_trend", {}), label_of("lines.amd.price", {"lines.amd": "MI300X, bought from AMD"})
    ('work trend (demand)', 'price (MI300X, bought from AMD)')
    """
    if name.startswith(CORRELATIONS):
        pair = name.removeprefix(CORRELATIONS).split(" with ")
        return f"correlation of {' with '.join(label_of(number, known) for number in pair)}"
    section, *owner, key = name.split(".")
    title = known.get(f"{section}.{owner[0]}", owner[0]) if owner else section
    return f"{key.replace('_', ' ')} ({title})"


def _sensitivity(
    number: CaseNumber, label: str, *, costs: list[float], winners: list[str | None],
    usual: str | None
) -> Sensitivity:
    unit = number.unit if number.unit in UNITS else "1"
    low, high = from_si(number.spread.low, unit), from_si(number.spread.high, unit)
    return Sensitivity(
        name=number.name, label=label, unit=unit, low=low, high=high,
        cost_low_usd=costs[0], cost_high_usd=costs[1], best_usual=usual, best_low=winners[0],
        best_high=winners[1],
    )
