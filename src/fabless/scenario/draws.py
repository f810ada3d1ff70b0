"""What may happen to demand and to the market, on a tree or along fresh paths: the same for every
way.

Before the first news every number of the case stands at its median. Each then has its own way of
being learnt (`fabless.scenario.news`), and the number in force in a quarter is the one believed
then. The tree branches on the steps of the beliefs; on fresh paths these come quarter by quarter. On
the tree, scarcity and shocks are seen at a branching, and afterwards only their odds are known,
which is all that the plan knows; along fresh paths they come and go quarter by quarter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fabless.case_numbers import CaseNumbers, DemandNumbers, QueryNumbers, TrainingNumbers, stated
from fabless.case_records import Case, CaseNumber, named
from fabless.market import expected_multiple, leave_chance, log_growth, strike_chance
from fabless.records import Array, Tree
from fabless.sampling import chances, quantile, stratified, stream
from fabless.scenario.news import Schedule, kinds_of, path_schedule, tree_schedule
from fabless.scenario.points import Chosen, News, drawn_names, scores_of
from fabless.scenario.roles import roles
from fabless.scenario.states import (
    chances_on,
    node_in_stage,
    places,
    places_on_paths,
    quarters_of,
    scarcity_begins,
    summed_along,
)
from fabless.scenario.trees import balanced_tree
from fabless.scenario.values import Draws, Moving
from fabless.units import DAY_S, QUARTER_S, YEAR_S

REGIME = "supply regime"
"""Name of the random stream of the supply regime."""
NONE: Mapping[str, Array] = MappingProxyType({})
MEDIAN = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenarios:
    """The future as a tree; every array has one value a node-quarter."""

    tree: Tree
    draws: Draws
    scarce: Array
    """Probability, given what is known, that supply is scarce; 0 or 1 along fresh paths."""
    shock_chance: Mapping[str, Array]
    """Probability, given what is known, that each shock is on; 0 or 1 along fresh paths."""
    demand: Mapping[str, Array]
    """Each load in its quarter: queries, or FLOP."""
    work: Array
    """Work of a query over that of the case's models on the first day."""
    stage: NDArray[np.int64]
    """Number of branchings passed."""
    node: NDArray[np.int64]
    """Index within its stage of the tree node that a node-quarter lies in."""
    chosen: Chosen | None = None
    """Which trial draws of demand the first branches took, where they were chosen."""

    @property
    def values(self) -> CaseNumbers[Array]:
        """Each number of the case [SI]."""
        return self.draws.values


def sample(
    case: Case, *, like: Scenarios | None = None, changed: Collection[str] = (),
    given: Mapping[str, Array] = NONE, chosen: Chosen | None = None,
) -> Scenarios:
    """Draw the scenarios of a case: the same seed and tree give the same random points, whatever
    the ranges are.

    `like`: scenarios to reuse. Numbers that are not in `changed` keep their drawn values.
    `given`: values [SI] that replace the draws of some numbers from the first branching to the end,
    one per branch of it. `chosen`: trial draws of demand that the first branches take
    (`fabless.scenario.representatives`).
    """
    stages = np.diff([0, *case.boundaries, case.quarters])
    tree = balanced_tree(case.branching, [int(length) for length in stages])
    chosen = chosen if like is None else like.chosen
    stage = _stage(case, tree)
    draws = _draws(
        case, tree_schedule(case), places(tree, stage, case.branching), like, changed=changed,
        given=given, chosen=chosen,
    )
    return _scenarios(case, tree, draws, chosen, realised=False)


def fresh_paths(
    case: Case, count: int, seed: int, *, given: Mapping[str, Array] = NONE
) -> Scenarios:
    """Draw `count` paths of equal probability that share nothing, not even the first quarter, and
    carry the states of the market.

    The numbers of the case follow the law of the tree, but their news comes in every quarter: what
    is unknown today is in force from the first quarter on, though nobody has measured it yet.
    Scarcity and shocks are 0 or 1 in every quarter after the first, where a tree knows only their
    odds between branchings. A coming generation is after of at its boundary. `given`: values [SI]
    that replace the draws of some numbers, one a path, from the first quarter in which they are
    known to the end.
    """
    alone = replace(case, branching=(count, *(1 for _ in case.branching[1:])), seed=seed)
    number = np.arange(count * case.quarters)
    tree = Tree(np.maximum(number - count, -1), number // count, np.full(number.size, 1.0 / count))
    draws = _draws(
        alone, path_schedule(case, count), places_on_paths(count, case.quarters), None, changed=(),
        given=given, chosen=None,
    )
    return _scenarios(alone, tree, draws, None, realised=True)


def _stage(case: Case, tree: Tree) -> NDArray[np.int64]:
    return np.searchsorted(np.array(case.boundaries), tree.quarter, side="right")


def _scenarios(
    case: Case, tree: Tree, draws: Draws, chosen: Chosen | None, *, realised: bool
) -> Scenarios:
    values, stage = draws.values, _stage(case, tree)
    states = _states(case, tree, stage, values, realised=realised)
    shock_chance = {shock.name: states[shock.name] for shock in case.shocks}
    return Scenarios(
        tree=tree, draws=draws, scarce=states[REGIME], shock_chance=shock_chance,
        demand=demand_of(case, values, shock_chance, tree), work=work_of(values.demand, tree),
        stage=stage, node=node_in_stage(tree, stage), chosen=chosen,
    )


def _draws(
    case: Case, schedule: Schedule, place: Mapping[int, NDArray[np.int64]],
    like: Scenarios | None, changed: Collection[str], given: Mapping[str, Array],
    chosen: Chosen | None,
) -> Draws:
    """Values of every number as `place` expects them."""
    numbers, kinds = named(case.numbers), kinds_of(case)
    names = [name for name in numbers if like is None or name in changed]
    news = scores_of(case, [name for name in names if is_uncertain(numbers[name])], schedule, chosen)
    flat = {} if like is None else dict(like.draws.flat)
    moving = {} if like is None else dict(like.draws.moving)
    for name in names:
        moving.pop(name, None)
        spread, from_start = numbers[name].spread, schedule.apart and kinds[name] == "today"
        before = [] if from_start else [np.full(schedule.branching[0] if schedule.apart else 1, MEDIAN)]
        for draw in drawn_names(case, (name,)):
            if draw in given:
                flat[draw] = np.concatenate([*(quantile(spread, part) for part in before), given[draw]])
            elif draw not in news:
                flat[draw] = np.array([spread.mode])
            else:
                once = kinds[name] == "today" or (draw == name and kinds[name] == "generation")
                after = news[draw].at_nodes(schedule, once=once)
                flat[draw] = quantile(spread, np.concatenate([*before, *map(chances, after)]))
                if kinds[name] == "moves":
                    moving[draw] = _moving(news[draw], before)
    return Draws(case, flat, place, moving)


def _moving(news: News, before: Sequence[Array]) -> Moving:
    """Scores and anchors of a number that moves, before the news both 0."""
    start = [np.zeros(part.size) for part in before]
    return Moving(np.concatenate([*start, *(part for part in news.stages if part is not None)]),
                  np.concatenate([*start, *(news.anchor or ())]))


def is_uncertain(number: CaseNumber) -> bool:
    """Whether a number has a range of any width."""
    return number.spread.low < number.spread.high


def _states(
    case: Case, tree: Tree, stage: NDArray[np.int64], values: CaseNumbers[Array], *, realised: bool
) -> dict[str, Array]:
    """Chance of scarcity, and of every shock by name, at each node-quarter."""
    supply = values.supply
    scarcity = chances_on(
        tree, supply.scarce_at_start[tree.quarter == 0], scarcity_begins(case, tree, values),
        leave_chance(supply.scarce_duration), _seen(case, tree, stage, REGIME, realised=realised),
    )
    role = roles(case)
    shocks = {shock.name: values.shocks[shock.name] for shock in case.shocks}
    return {REGIME: scarcity} | {
        name: chances_on(tree, 0.0, strike_chance(shock.rate), leave_chance(shock.duration),
                         _seen(case, tree, stage, role[f"shocks.{name}"], realised=realised))
        for name, shock in shocks.items()}


def _seen(
    case: Case, tree: Tree, stage: NDArray[np.int64], name: str, *, realised: bool
) -> dict[int, Array]:
    """Uniform points of a state in the quarters in which it is seen."""
    quarters = range(1, tree.quarters) if realised else case.boundaries
    nodes = quarters_of(tree)
    return {
        quarter: stratified(
            nodes[quarter].stop - nodes[quarter].start, 1,
            stream(
                case.seed,
                f"{name} quarter {quarter}"
                if realised
                else f"{name} stage {stage[nodes[quarter].start]}",
            ),
        )[:, 0]
        for quarter in quarters
    }


def _grown(tree: Tree, first_year: Array, long_run: Array, fade_s: Array) -> Array:
    """Multiple of the first quarter's level: yearly growth `first_year` that fades to `long_run`.

    d(log level)/dt = log(long_run) + (log(first_year) - log(long_run)) exp(-t / fade), with the
    rates known in each quarter.
    """
    end = tree.quarter * QUARTER_S
    gain = log_growth(
        np.log(first_year) / YEAR_S, np.log(long_run) / YEAR_S, fade_s, end - QUARTER_S, end
    )
    return np.exp(summed_along(tree, gain))


def _training_grown(
    tree: Tree, load: TrainingNumbers[Array], demand: DemandNumbers[Array]
) -> Array:
    """Multiple of the first quarter's work of a training load: its own fading, or that of
    demand."""
    long_run = demand.growth_long_run if load.growth_long_run is None else load.growth_long_run
    fade = demand.growth_fade if load.growth_fade is None else load.growth_fade
    return _grown(tree, load.growth, long_run, fade)


def _share(tree: Tree, load: QueryNumbers[Array]) -> Array | None:
    """Share of all queries that a load answers; None for the one that takes the rest.

    ``later + (now - later) exp(-t / time)``, with what is known of the three in each quarter.
    """
    if load.share is None or load.share_later is None:
        return load.share
    left = np.exp(-tree.quarter * QUARTER_S / stated(load.share_time))
    return np.asarray(load.share_later + (load.share - load.share_later) * left)


def work_of(demand: DemandNumbers[Array], tree: Tree) -> Array:
    """Work of a query over that of the first day's models, at each node-quarter."""
    return demand.work_level * _grown(
        tree, demand.work_trend, np.ones(tree.size), demand.growth_fade
    )


def demand_of(
    case: Case, values: CaseNumbers[Array], shock_chance: Mapping[str, Array], tree: Tree
) -> dict[str, Array]:
    """Each load in its quarter.

    Queries follow the logistic curve ``q0 g / (1 + (g - 1) q0 / ceiling)`` of their unbounded
    growth g, times the mean effect of the shocks on them.
    """
    first = values.demand
    growth = _grown(tree, first.growth, first.growth_long_run, first.growth_fade)
    queries = QUARTER_S * first.queries * growth / (
        1.0 + (growth - 1.0) * np.minimum(first.queries / first.ceiling, 1.0))
    for shock in case.shocks:
        multiple = values.shocks[shock.name].demand
        if multiple is not None:
            queries = queries * expected_multiple(shock_chance[shock.name], multiple)
    loads = {load.name: values.loads[load.name] for load in case.loads}
    shares = {
        name: _share(tree, load) for name, load in loads.items() if isinstance(load, QueryNumbers)
    }
    taken = [share for share in shares.values() if share is not None]
    rest = np.maximum(1.0 - sum(taken, np.zeros(tree.size)), 0.0)
    return {
        name: load.flop * _training_grown(tree, load, first)
        if isinstance(load, TrainingNumbers)
        else queries * (rest if (share := shares[name]) is None else share)
        for name, load in loads.items()
    }


def queries_per_day(scenarios: Scenarios, case: Case) -> Array:
    """Queries a day at each node-quarter, served or not."""
    total = sum((scenarios.demand[load.name] for load in case.loads if load.kind == "inference"),
                np.zeros(scenarios.tree.size))
    return total / (QUARTER_S / DAY_S)
