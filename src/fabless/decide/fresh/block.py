"""A block of fresh paths: drawn, ordered for by the rule, served, and condensed to a few numbers a
path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.ways.gates import Policy, decided, followed
from fabless.decide.ways.paths import calendar, paths_of
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import (
    Plan,
    World,
    going_prices,
    need_of,
    outcomes_on,
    plan_of,
    yardstick,
)
from fabless.plan import PlanProblem, PlanResult
from fabless.plan.rule.merit_order import View, merit_order
from fabless.plan.rule.perfect import perfect_costs
from fabless.plan.rule.simulate import Simulated, signed_now, simulate_orders
from fabless.records import Array
from fabless.sampling import stream
from fabless.scenario import OutcomeOnTree, Scenarios, fresh_paths
from fabless.scenario.expected import expected, known_at
from fabless.strategy import Commitment

BLOCK = 1_000
"""Paths drawn together; each block has random streams of its own, so that blocks may be worked on
anywhere."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FreshBlock:
    """What to do: part of a test, small enough for one process."""

    prepared: Prepared
    commitment: Commitment
    policy: Policy
    planned: PlanProblem
    result: PlanResult
    number: int
    count: int
    seed: int
    checked: int = 0
    """Its first paths, for which perfect information is worked out too."""
    given: Mapping[str, Array] | None = None
    """Values that take the place of draws from the first quarter in which these are known, (count,)
    each [SI]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PathNumbers:
    """What is kept of each path, (N,) each unless said otherwise."""

    cost_usd: Array
    """Discounted, unserved demand at its price included."""
    query_cost_usd: Array
    """Levelised cost of a served query."""
    missing: Array
    """Missing share of the compute demanded over the horizon."""
    missing_by_year: Array
    """(N, years)"""
    values: Mapping[str, Array]
    """Mean of every number that is drawn along the path, from the first news on [SI]."""
    perfect_usd: Array
    """(checked,) least cost had the path been known."""
    beyond_perfect_usd: Array
    """(checked,) cost of the rule on the same path less that."""


def work(block: FreshBlock) -> PathNumbers:
    """Draw the paths of a block, order by the rule, and condense."""
    world = fresh_world(block.prepared, block.count, seed=block.seed, number=block.number,
                        given=block.given)
    plan = plan_of(world, block.commitment)
    go = followed(block.policy, world, plan)
    plan = decided(plan, go)
    views = views_along(world, block.commitment, go)
    fresh = simulate_orders(
        plan.problem, merit_order(block.planned, block.result, plan.problem, views),
        signed_now(block.planned, block.result, plan.problem),
    )
    first, cost = np.arange(block.count), fresh.path_cost_usd
    perfect = perfect_costs(plan.problem, first[:block.checked])
    return PathNumbers(
        cost_usd=cost, **condensed(world.case, plan, fresh),
        values=world.scenarios.draws.means(block.count),
        perfect_usd=perfect,
        beyond_perfect_usd=cost[: block.checked] - perfect,
    )


def joined_numbers(parts: Sequence[PathNumbers]) -> PathNumbers:
    """Blocks put one after the other."""
    names = [field.name for field in fields(PathNumbers) if field.name != "values"]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}
    return PathNumbers(**arrays, values=values)


def fresh_world(
    prepared: Prepared, count: int, *, seed: int, number: int = 0,
    given: Mapping[str, Array] | None = None,
) -> World:
    """Draw the scenarios of block `number` of `count` paths and the outcome of every programme on
    them.

    `given` (count,) [SI] take the place of draws from the first quarter in which these are known.
    """
    drawn_from = int(stream(seed, f"fresh block {number}").integers(2**62))
    case = replace(prepared.case, seed=drawn_from,
                   branching=(count, *(1 for _ in prepared.case.branching[1:])))
    scenarios = fresh_paths(case, count, drawn_from, given=given or {})
    measure = yardstick(prepared, scenarios)
    need = need_of(case, scenarios, measure)
    return World(
        prepared=prepared, case=case, scenarios=scenarios,
        outcomes=outcomes_on(prepared, case, scenarios, need, (), every_quarter=True),
        yardstick=measure, need=need, going_usd=going_prices(prepared, scenarios),
    )


def views_along(world: World, commitment: Commitment, go: NDArray[np.bool_]) -> list[View]:
    """What every path expects at each branching: growth goes on, supply takes its odds, programmes
    stand still.

    `go` (projects, node-quarters) says which programmes are under way.
    """
    return [View(quarter, decided(plan_of(foreseen(world, quarter), commitment),
                                  go[:, known_at(world.scenarios.tree, quarter)]).problem)
            for quarter in world.case.boundaries]


def foreseen(world: World, quarter: int, scarce_next: float | None = None) -> World:
    """The world as every path expects it at a quarter."""
    scenarios = expected(world.case, world.scenarios, quarter, scarce_next=scarce_next)
    known = known_at(scenarios.tree, quarter)
    return as_known(world, scenarios, known)


def as_known(world: World, scenarios: Scenarios, known: NDArray[np.int64]) -> World:
    """The world with other scenarios, every programme in the state of the node-quarters `known`
    (K,): what it spends does not matter for any order."""
    def seen(outcome: OutcomeOnTree) -> OutcomeOnTree:
        return replace(outcome, **{field.name: getattr(outcome, field.name)[known]
                                   for field in fields(outcome)})

    return replace(
        world, scenarios=scenarios, yardstick=yardstick(world.prepared, scenarios),
        going_usd=going_prices(world.prepared, scenarios),
        outcomes={name: tuple(map(seen, starts)) for name, starts in world.outcomes.items()})


def condensed(case: Case, plan: Plan, fresh: Simulated | PlanResult) -> dict[str, Array]:
    """Cost of a query and missing shares of each path, by the formulas of any plan."""
    paths = paths_of(case, plan, fresh)
    years = calendar(case)
    by_year = [np.stack([part[:, year].sum(axis=1) for _, year in years], axis=1) for part in (paths.missing, paths.wanted)]
    return {
        "query_cost_usd": paths.levelised_usd,
        "missing": paths.missing_share,
        "missing_by_year": by_year[0] / np.maximum(by_year[1], 1e-30),
    }
