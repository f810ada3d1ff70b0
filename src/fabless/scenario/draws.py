"""What may happen to demand and to the market, on a tree or along fresh paths: the same for every
way.

Before the first branching every number of the case stands at its mode. At the first branching each
branch takes one joint draw of all numbers (`fabless.scenario.points`); growth rates and coming
generations bring news at the later ones. On the tree, scarcity and shocks are seen at a branching,
and afterwards only their odds are known, which is all that the plan knows; along fresh paths they
come and go quarter by quarter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fabless.case_numbers import CaseNumbers, DemandNumbers, QueryNumbers, TrainingNumbers
from fabless.case_records import Case, named
from fabless.market import expected_multiple, leave_chance, log_growth, strike_chance
from fabless.records import Array, Tree
from fabless.sampling import quantile, stratified, stream
from fabless.scenario.points import Chosen, drawn_names, points_of, revealed_slowly
from fabless.scenario.roles import roles
from fabless.scenario.states import chances_on, node_in_stage, places, quarters_of, summed_along
from fabless.scenario.trees import balanced_tree
from fabless.scenario.values import Draws
from fabless.units import DAY_S, QUARTER_S, YEAR_S

REGIME = "supply regime"
"""Name of the random stream of the supply regime."""
NONE: Mapping[str, Array] = MappingProxyType({})
TRIAL_DRAWS = 1024
"""Trial draws of demand among which the first branches choose."""


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
    given: Mapping[str, Array] = NONE,
    weights: Mapping[str, float] | None = None,
) -> Scenarios:
    """Draw the scenarios of a case: the same seed and tree give the same random points, whatever
    the ranges are.

    `like`: scenarios to reuse. Numbers that are not in `changed` keep their drawn values.
    `given`: values [SI] that replace the draws of some numbers, one per branch of the first
    branching. `weights`: compute per unit of each load; with them the first branches take
    representative draws of demand (`representatives`).
    """
    stages = np.diff([0, *case.boundaries, case.quarters])
    tree = balanced_tree(case.branching, [int(length) for length in stages])
    chosen = (
        like.chosen
        if like is not None
        else None
        if weights is None
        else representatives(case, weights)
    )
    return _on(case, tree, like, changed=changed, given=given, chosen=chosen, realised=False)


def representatives(case: Case, weights: Mapping[str, float]) -> Chosen | None:
    """Choose the draws of demand of the first branches out of many, so that few branches stand for
    the whole spread.

    The trial draws are ordered by the logarithm of the compute that they need over the horizon, cut
    into as many slices of equal number as there are branches, and of each slice the one is taken
    whose need is nearest to the slice's mean. Need has a heavy tail, on which a plan's cost hangs;
    a dozen free draws of it miss their mean by a third. None where there are so many branches that
    free draws do.
    """
    branches = case.branching[0]
    each = TRIAL_DRAWS // branches
    if each < 2:
        return None
    wide = replace(case, branching=(branches * each,), boundaries=case.boundaries[:1])
    draws = _on(
        wide, balanced_tree((branches * each,), (1, case.quarters - 1)), None, changed=(),
        given=NONE, chosen=None, realised=False,
    )
    need = sum(
        (
            draws.demand[name] * weight * (draws.work if kind == "inference" else 1.0)
            for (name, weight), kind in zip(
                weights.items(), (load.kind for load in case.loads), strict=True
            )
        ),
        np.zeros(draws.tree.size),
    )
    total = need[1:].reshape(case.quarters - 1, -1).sum(axis=0)
    slices = np.argsort(total, kind="stable").reshape(branches, each)
    mean = total[slices].mean(axis=1, keepdims=True)
    rows = np.take_along_axis(
        slices, np.abs(np.log(total[slices] / mean)).argmin(axis=1)[:, None], axis=1
    )
    return Chosen(branches * each, np.sort(rows[:, 0]))


def fresh_paths(
    case: Case, count: int, seed: int, *, given: Mapping[str, Array] = NONE
) -> Scenarios:
    """Draw `count` paths of equal probability that part in the second quarter and carry the states
    of the market.

    The numbers of the case follow the law of the tree and bring their news in the same quarters;
    scarcity and shocks are 0 or 1 in every quarter after the first, where a tree knows only their
    odds between branchings.
    """
    alone = replace(case, branching=(count, *(1 for _ in case.branching[1:])), seed=seed)
    return _on(
        alone, balanced_tree((count,), (1, case.quarters - 1)), None, changed=(), given=given,
        chosen=None, realised=True,
    )


def _on(
    case: Case, tree: Tree, like: Scenarios | None, changed: Collection[str],
    given: Mapping[str, Array], chosen: Chosen | None, *, realised: bool,
) -> Scenarios:
    stage = np.searchsorted(np.array(case.boundaries), tree.quarter, side="right")
    names = [name for name in named(case.numbers) if like is None or name in changed]
    flat = {**({} if like is None else like.draws.flat), **_flat_draws(case, names, given, chosen)}
    draws = Draws(case, flat, places(tree, stage, case.branching))
    values = draws.values
    states = _states(case, tree, stage, values, realised=realised)
    shock_chance = {shock.name: states[shock.name] for shock in case.shocks}
    return Scenarios(
        tree=tree, draws=draws, scarce=states[REGIME], shock_chance=shock_chance,
        demand=demand_of(case, values, shock_chance, tree), work=work_of(values.demand, tree),
        stage=stage, node=node_in_stage(tree, stage), chosen=chosen,
    )


def _flat_draws(
    case: Case, names: Collection[str], given: Mapping[str, Array], chosen: Chosen | None
) -> dict[str, Array]:
    """Values of numbers as `places` expects them: before all news, then a node of each stage in
    which there is any."""
    slowly, nodes, numbers = revealed_slowly(case), np.cumprod(case.branching), named(case.numbers)
    spreads = {draw: numbers[name].spread for name in names for draw in drawn_names(case, (name,))}
    uncertain = [name for name in names if numbers[name].spread.low < numbers[name].spread.high]
    points = points_of(case, uncertain, chosen)
    flat: dict[str, Array] = {}
    for name, spread in spreads.items():
        mode = np.array([spread.mode])
        if name in given:
            flat[name] = np.concatenate([mode, given[name]])
        elif name not in points:
            flat[name] = mode
        else:
            drawn = points[name] if name in slowly or name not in numbers else points[name][:1]
            flat[name] = np.concatenate([mode, *(
                np.full(size, spread.mode) if column is None else quantile(spread, column)
                for size, column in zip(nodes, drawn, strict=False))])
    return flat


def _states(
    case: Case, tree: Tree, stage: NDArray[np.int64], values: CaseNumbers[Array], *, realised: bool
) -> dict[str, Array]:
    """Chance of scarcity, and of every shock by name, at each node-quarter."""
    supply = values.supply
    scarcity = chances_on(
        tree, float(supply.scarce_at_start[0]), leave_chance(supply.normal_duration),
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


def _grown_like_demand(tree: Tree, first_year: Array, demand: DemandNumbers[Array]) -> Array:
    """Multiple of the first quarter's level of what grows by `first_year` and fades as demand
    does."""
    return _grown(tree, first_year, demand.growth_long_run, demand.growth_fade)


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
    first, growth = values.demand, _grown_like_demand(tree, values.demand.growth, values.demand)
    queries = QUARTER_S * first.queries * growth / (
        1.0 + (growth - 1.0) * np.minimum(first.queries / first.ceiling, 1.0))
    for shock in case.shocks:
        multiple = values.shocks[shock.name].demand
        if multiple is not None:
            queries = queries * expected_multiple(shock_chance[shock.name], multiple)
    loads = {load.name: values.loads[load.name] for load in case.loads}
    shares = [
        load.share
        for load in loads.values()
        if isinstance(load, QueryNumbers) and load.share is not None
    ]
    rest = 1.0 - sum(shares, np.zeros(tree.size))
    return {
        name: load.flop * _grown_like_demand(tree, load.growth, first)
        if isinstance(load, TrainingNumbers)
        else queries * (rest if load.share is None else load.share)
        for name, load in loads.items()
    }


def queries_per_day(scenarios: Scenarios, case: Case) -> Array:
    """Queries a day at each node-quarter, served or not."""
    total = sum((scenarios.demand[load.name] for load in case.loads if load.kind == "inference"),
                np.zeros(scenarios.tree.size))
    return total / (QUARTER_S / DAY_S)
