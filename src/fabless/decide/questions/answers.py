"""A table of answers: every way planned anew on a small tree with one input or two moved.

Moving an input moves its whole range (`case_moves.moved`). Levels start from the fresh paths
(`levels`); between the values the table is read by `between`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from fabless.case_moves import movable, moved, unit_of
from fabless.case_records import Case, CaseNumber, Programme
from fabless.decide.accounts.money import money_of
from fabless.decide.fresh.judge import Judged
from fabless.decide.questions.between import WayRead, read_one, read_two
from fabless.decide.questions.levels import Level, Levels, as_way_levels, carried_over
from fabless.decide.questions.sensitivity import UNPLANNED, expected_cost, label_of, weighed
from fabless.decide.questions.turns import telling_names
from fabless.decide.results import Answers, AnswersCheck, MovedInput, MovedPair, WayLevels
from fabless.decide.ways.choice import Choice, Plans, choose, plans_kept
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import World, draw_world, world_with_ranges
from fabless.decide.ways.solved import SolvedWay, roughly_solved
from fabless.records import Range
from fabless.sampling import stream
from fabless.strategy import Commitment
from fabless.titles import titles
from fabless.units import from_si

LEAVES = 12
"""Scenarios of the tree: on fewer the ways lie too close together, or in another order than on the
fresh paths."""
COARSE = 3
"""Scenarios on which inputs and pairs are looked for."""
INPUTS = 12
PAIRS = 6
STEPS = 4
"""Values on each side of the present one, even in number: every second of all, the present one
among them, is on the grid of a pair."""
TELLING = 2
"""Inputs that are taken because they tell ways apart."""
TRIED = 24
"""Inputs tried for their effect on the cost of a query."""
CHECKED = 12
"""Points planned for exactly, to state the error of reading between values."""
BATCH = 4
"""Points planned for in one piece of work."""
DEMAND = ("demand.queries", "demand.growth")
"""Inputs that the question itself states."""

SAME = 1e-6
"""Share of a total below which two ways come first together."""

Point = Mapping[str, float]
"""Value of each input that is moved [SI], by its name."""


@dataclass(frozen=True)
class _Batch:
    """Points to plan for, beside the plans made with nothing moved."""

    usual: World
    plans: Plans
    points: tuple[Point, ...]


@dataclass(frozen=True)
class _Effect:
    """One commitment to be planned at a point of the coarse tree."""

    usual: World
    way: str
    commitment: Commitment
    point: Point


@dataclass(frozen=True, kw_only=True)
class TablePlanner:
    """What levels of a moved world are worked out from."""

    usual: World
    """The small tree as the case stands."""
    choice: Choice
    """Every way planned on that tree."""
    fresh: Levels
    reference: str
    """The recommended way."""
    contained: Mapping[str, tuple[str, ...]]
    """Ways that each way contains."""

    @property
    def ways(self) -> tuple[str, ...]:
        """Ways of the table, the recommended one first."""
        return (self.reference, *(way for way in self.fresh if way != self.reference))

    def levels(self, points: Sequence[Point], pool: Executor | None) -> list[dict[str, Level]]:
        """Levels at each point, every way planned anew."""
        batches = [_Batch(self.usual, self.choice.plans, tuple(points[k:k + BATCH]))
                   for k in range(0, len(points), BATCH)]
        planned = map(_planned, batches) if pool is None else pool.map(_planned, batches)
        usual = _levels_of(self.choice)
        return [carried_over(self.fresh, usual, tree, self.contained)
                for batch in planned for tree in batch]


def answers(
    prepared: Prepared, judged: Judged, solved: Sequence[SolvedWay], pool: Executor
) -> Answers:
    """The table of answers of a case; `solved` are the ways that were judged."""
    planner = planner_of(prepared, fresh_levels(prepared.case, judged), judged.best)
    coarse = draw_world(prepared, branching=(COARSE,))
    best = next(way for way in solved if way.name == judged.best)
    effects = _Screen(coarse, best, pool)
    entered = {way.name: way.plan.commitment for way in solved}
    names = input_names(
        prepared, judged, entered=entered, started=_started(planner), screen=effects)
    known = movable(prepared.case)
    numbers = [known[name] for name in names]
    pairs = _pairs(numbers, effects)
    values = {number.name: values_of(number) for number in numbers}
    singles: list[Point] = [{name: value} for name in names for value in values[name]]
    crossed: list[Point] = [
        {first: a, second: b} for first, second in pairs
        for a in values[first][::2] for b in values[second][::2]]
    checked = check_points(prepared.case, values, pairs, count=CHECKED)
    wanted = {_key(prepared, point): point for point in (*singles, *crossed, *checked)}
    level_of = dict(zip(wanted, planner.levels(list(wanted.values()), pool), strict=True))

    def levels(points: Sequence[Point]) -> list[dict[str, Level]]:
        return [level_of[_key(prepared, point)] for point in points]

    table = sorted(
        (_moved_input(number, prepared.case, values[number.name], as_way_levels(
            levels([{number.name: value} for value in values[number.name]]), planner.ways))
         for number in numbers), key=lambda item: (-_reach(item), item.name))
    grids = tuple(
        MovedPair(
            names=pair, values=(_shown(known[pair[0]], values[pair[0]][::2]),
                                _shown(known[pair[1]], values[pair[1]][::2])),
            levels=as_way_levels(levels([
                {pair[0]: a, pair[1]: b} for a in values[pair[0]][::2]
                for b in values[pair[1]][::2]]), planner.ways))
        for pair in pairs)
    unchecked = Answers(
        leaves=int(planner.usual.scenarios.tree.leaves.size), inputs=tuple(table), pairs=grids,
        check=checked_against(prepared.case, None, (), ()))
    return replace(unchecked, check=checked_against(
        prepared.case, unchecked, checked, levels(checked)))


def planner_of(prepared: Prepared, fresh: Levels, reference: str) -> TablePlanner:
    """The small tree with every way planned on it as the case stands; `fresh` are levels on the
    fresh paths, `reference` is the recommended way."""
    usual = draw_world(prepared, branching=(LEAVES,))
    choice = choose(usual, None, gates=False)
    offered = choice.offered.ways
    return TablePlanner(
        usual=usual, choice=choice, reference=reference, fresh=fresh,
        contained={way.name: tuple(other.name for other in offered
                                   if other is not way and way.contains(other))
                   for way in offered})


def fresh_levels(case: Case, judged: Judged) -> dict[str, Level]:
    """What every way comes to on the fresh paths."""
    return {way: fresh_level(case, judged, way) for way in judged.ways}


def fresh_level(case: Case, judged: Judged, way: str) -> Level:
    """What a way comes to on the fresh paths."""
    on_paths = judged.ways[way]
    money = money_of(case, on_paths)
    equal = np.full(on_paths.cost_usd.size, 1.0 / on_paths.cost_usd.size)
    return Level(
        total_usd=money.total_usd, unserved_usd=money.unserved_usd, risk_usd=money.risk_usd,
        cost_per_query_usd=band(on_paths.query_cost_usd, equal).p50,
        missing_share=float(on_paths.missing_share.mean()))


def values_of(number: CaseNumber) -> tuple[float, ...]:
    """Values of a number in the table [SI], rising: its ends, its present value, and as many even
    steps on each side of that as there are; all on one side where it stands at an end."""
    spread = number.spread
    below, above = spread.low < spread.mode, spread.mode < spread.high
    lower, upper = ((STEPS, STEPS) if below and above else
                    (2 * STEPS, 0) if below else (0, 2 * STEPS))
    space = np.geomspace if spread.scale == "log" else np.linspace
    values = [float(value) for value in (
        *space(spread.low, spread.mode, lower + 1)[:-1], spread.mode,
        *space(spread.mode, spread.high, upper + 1)[1:])]
    values[0], values[-1] = spread.low, spread.high
    return tuple(values)


def input_names(
    prepared: Prepared, judged: Judged, *, entered: Mapping[str, Commitment],
    started: Sequence[Programme], screen: _Screen,
) -> list[str]:
    """Inputs of the table: those that the question states, the prices of the main lines, two of the
    nearest own chip, when the dominant vendor delivers, those that tell ways apart, then by effect
    on the cost of a query."""
    case = prepared.case
    known = {name: number for name, number in movable(case).items() if name not in UNPLANNED}
    always = [name for name in (*DEMAND, *_prices(case, entered[judged.best]),
                                *_own_chip(case, started), *_delivery(case, entered[judged.best]))
              if name in known]
    telling = [name for name in telling_names(judged, entered, TRIED) if name in known
               and name not in always][:TELLING]
    weighty = [name for name in weighed(judged.ways[judged.best], case) if name in known]
    tried = [known[name] for name in weighty[:TRIED] if name not in (*always, *telling)]
    effect = screen.ranges(tried)
    rest = sorted(effect, key=lambda name: (-effect[name], name))
    return list(dict.fromkeys((*always, *telling, *rest)))[:INPUTS]


def _prices(case: Case, entered: Commitment) -> Iterator[str]:
    """Prices of the first line of the dominant vendor, and of the first of another one that is
    opened, or else is there; those that have a range."""
    known = movable(case)
    lines = [line for line in (*entered.lines, *case.lines)
             if case.numbers.lines[line.name].price.name in known]
    for is_dominant in (True, False):
        first = next((line for line in lines
                      if (line.vendor == case.dominant_vendor) is is_dominant), None)
        if first is not None:
            yield case.numbers.lines[first.name].price.name


def _delivery(case: Case, entered: Commitment) -> Iterator[str]:
    """Lead time, while supply is scarce, of the first line of the dominant vendor that has a range
    of it."""
    known = movable(case)
    leads = [case.numbers.lines[line.name].lead_scarce.name for line in (*entered.lines, *case.lines)
             if line.vendor == case.dominant_vendor]
    yield from [name for name in leads if name in known][:1]


def _own_chip(case: Case, started: Sequence[Programme]) -> Iterator[str]:
    """Performance and time of the first programme that is not a partner's."""
    for item in [programme for programme in started if programme.route != "partner"][:1]:
        terms = case.numbers.programmes[item.name]
        yield from (terms.performance.name, terms.slip.name)


def _started(planner: TablePlanner) -> list[Programme]:
    """Programmes that ways start on the small tree, those of the cheapest way on the fresh paths
    first: what moves them moves the table."""
    ways = sorted(planner.choice.ways, key=lambda way: planner.fresh[way.name].total_usd)
    return [item for way in ways for item in way.plan.commitment.programmes]


class _Screen:
    """Cost of a query of the recommended commitment on a coarse tree, at points."""

    def __init__(self, usual: World, best: SolvedWay, pool: Executor) -> None:
        self._usual, self._best, self._pool = usual, best, pool

    def costs(self, points: Sequence[Point]) -> list[float]:
        """Logarithm of the total at each point."""
        jobs = [_Effect(self._usual, self._best.name, self._best.plan.commitment, point)
                for point in points]
        return list(self._pool.map(_log_cost, jobs, chunksize=BATCH))

    def ranges(self, numbers: Sequence[CaseNumber]) -> dict[str, float]:
        """Effect of each number on the cost of a query, from its low to its high end."""
        points: list[Point] = [{number.name: end} for number in numbers
                               for end in (number.spread.low, number.spread.high)]
        costs = self.costs(points)
        return {number.name: abs(high - low) for number, low, high in zip(
            numbers, costs[::2], costs[1::2], strict=True)}


def _pairs(numbers: Sequence[CaseNumber], screen: _Screen) -> list[tuple[str, str]]:
    """Pairs of inputs that move the cost of a query together otherwise than one by one, at their
    high ends (low ones where they stand there), most so first."""
    far = {number.name: number.spread.high if number.spread.high > number.spread.mode
           else number.spread.low for number in numbers}
    pairs = list(itertools.combinations(far, 2))
    points: list[Point] = [{}, *({name: value} for name, value in far.items())]
    points += [{first: far[first], second: far[second]} for first, second in pairs]
    usual, *costs = screen.costs(points)
    alone = dict(zip(far, costs[:len(far)], strict=True))
    together = dict(zip(pairs, costs[len(far):], strict=True))
    size = {pair: abs(cost - alone[pair[0]] - alone[pair[1]] + usual)
            for pair, cost in together.items()}
    return sorted(pairs, key=lambda pair: (-size[pair], pair))[:PAIRS]


def check_points(
    case: Case, values: Mapping[str, Sequence[float]], pairs: Sequence[tuple[str, str]], *,
    count: int, name: str = "answers",
) -> list[Point]:
    """Random points of the table, every second one of a pair, uniform on the scale of each
    input."""
    rng = stream(case.seed, f"check of {name}")
    known = movable(case)

    def drawn(name: str) -> float:
        low, high, share = values[name][0], values[name][-1], float(rng.random())
        if known[name].spread.scale == "log":
            return float(low * (high / low) ** share)
        return float(low + (high - low) * share)

    points: list[Point] = []
    for k in range(count if values else 0):
        chosen = (pairs[int(rng.integers(len(pairs)))] if pairs and k % 2
                  else (list(values)[int(rng.integers(len(values)))],))
        points.append({name: drawn(name) for name in chosen})
    return points


def read_at(case: Case, table: Answers, point: Point) -> tuple[WayRead, ...]:
    """Every way at a point, read off the table."""
    known, inputs = movable(case), {item.name: item for item in table.inputs}
    shown = {name: from_si(value, unit_of(known[name])) for name, value in point.items()}
    if len(shown) == 1:
        (name, value), = shown.items()
        return read_one(inputs[name], value)
    pair = next(item for item in table.pairs if set(item.names) == set(shown))
    return read_two(pair, inputs, (shown[pair.names[0]], shown[pair.names[1]]))


def checked_against(
    case: Case, table: Answers | None, points: Sequence[Point], planned: Sequence[Levels]
) -> AnswersCheck:
    """The table beside plans made for exactly these points."""
    if table is None or not points:
        return AnswersCheck(points=0, median_error=0.0, worst_error=0.0, winners_right=0)
    errors, right = [], 0
    for point, levels in zip(points, planned, strict=True):
        ways = {way.way: way for way in read_at(case, table, point)}
        first = next(iter(ways))
        errors.append(abs(ways[first].cost_per_query_usd / levels[first].cost_per_query_usd - 1.0))
        ahead = min(ways, key=lambda name: ways[name].total_usd)
        least = min(level.total_usd for level in levels.values())
        right += levels[ahead].total_usd <= least + SAME * abs(least)
    return AnswersCheck(points=len(points), median_error=float(np.median(errors)),
                        worst_error=max(errors), winners_right=right)


def _key(prepared: Prepared, point: Point) -> tuple[tuple[str, float], ...]:
    """A point without the inputs that stand where they stood."""
    known = movable(prepared.case)
    return tuple(sorted((name, value) for name, value in point.items()
                        if value != known[name].spread.mode))


def _ranges(case: Case, point: Point) -> dict[str, Range]:
    known = movable(case)
    return {name: moved(known[name], value) for name, value in point.items()
            if value != known[name].spread.mode}


def _planned(batch: _Batch) -> list[dict[str, Level]]:
    levels = []
    for point in batch.points:
        ranges = _ranges(batch.usual.case, point)
        world = world_with_ranges(batch.usual, ranges) if ranges else batch.usual
        levels.append(_levels_of(choose(
            world, None, gates=False,
            plans=plans_kept(world.case, batch.plans, ranges))))
    return levels


def _levels_of(choice: Choice) -> dict[str, Level]:
    return {way.name: _level(way) for way in choice.ways}


def _level(way: SolvedWay) -> Level:
    """What a way comes to on a tree."""
    result, problem = way.result, way.plan.problem
    weight = problem.discount[problem.tree.quarter] * problem.tree.probability
    return Level(
        total_usd=result.objective_usd, unserved_usd=float(result.costs.unmet_usd @ weight),
        risk_usd=result.objective_usd - result.expected_cost_usd,
        cost_per_query_usd=expected_cost(way),
        missing_share=float(way.paths.probability @ way.paths.missing_share))


def _log_cost(job: _Effect) -> float:
    ranges = _ranges(job.usual.case, job.point)
    world = world_with_ranges(job.usual, ranges, simulated=False) if ranges else job.usual
    return float(np.log(expected_cost(roughly_solved(world, job.way, (job.commitment,)))))


def _moved_input(
    number: CaseNumber, case: Case, values: Sequence[float], levels: tuple[WayLevels, ...]
) -> MovedInput:
    unit = unit_of(number)
    return MovedInput(
        name=number.name, label=label_of(number.name, titles(case)), unit=unit,
        value=from_si(number.spread.mode, unit), values=_shown(number, values),
        is_log=number.spread.scale == "log", levels=levels)


def _shown(number: CaseNumber, values: Sequence[float]) -> tuple[float, ...]:
    unit = unit_of(number)
    return tuple(from_si(value, unit) for value in values)


def _reach(item: MovedInput) -> float:
    """Effect on the recommended way's cost of a query over the range of an input."""
    costs = item.levels[0].cost_per_query_usd
    return float(np.log(max(costs) / min(costs)))
