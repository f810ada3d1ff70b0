"""What it would be worth to know an unknown before the first orders."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from fabless.case_records import named
from fabless.decide.questions.sensitivity import label_of
from fabless.decide.results import Foresight, KnowledgeValue
from fabless.decide.ways.problem import World, plan_of, world_with_ranges
from fabless.decide.ways.restricted import with_orders_held
from fabless.decide.ways.solved import SolvedWay, solved_plan
from fabless.plan import bounds, trunk
from fabless.records import Array, Range
from fabless.sampling import quantile
from fabless.strategy import Commitment
from fabless.titles import titles

POINTS = (1 / 6, 1 / 2, 5 / 6)
"""Quantiles at which an unknown is told: the middles of its thirds."""

Job = tuple[World, Commitment, str, float, tuple[Array, Array] | None]


def knowledge_values(
    world: World, commitment: Commitment, names: Sequence[str], executor: Executor
) -> tuple[KnowledgeValue, ...]:
    """Expected value of perfect information on each of the inputs `names`, the most valuable first.

    The mean over `POINTS` of what is saved when the input is known from the start and stays, against
    the orders and signings before the first branching held at those of the plan that knows only
    its range and learns it as its kind of news says. Holding them makes it an upper estimate of what knowing is worth for
    these first orders; after the first branching both know the input, so that what is learnt
    gradually or moves is worth more than this where later orders turn on it.
    """
    if not names:
        return ()
    usual = solved_plan(world, "", plan_of(world, commitment))
    jobs: list[Job] = [
        (world, commitment, name, point, first_stage)
        for name in names
        for point in POINTS
        for first_stage in ((usual.result.orders, usual.result.levels), None)
    ]
    costs = list(executor.map(_objective, jobs))
    rows, known = [], titles(world.case)
    for k, name in enumerate(names):
        own_costs = costs[k * 2 * len(POINTS):(k + 1) * 2 * len(POINTS)]
        rows.append(KnowledgeValue(name, label_of(name, known), (sum(own_costs[::2]) - sum(own_costs[1::2])) / len(POINTS)))
    return tuple(sorted(rows, key=lambda row: -row.value_usd))


def foresight(best: SolvedWay) -> Foresight:
    """Bracket the recommended plan, gates as decided: perfect information below, the plan for the
    mean above."""
    bracket = bounds(best.plan.problem, best.result)
    return Foresight(bracket.perfect.objective_usd, best.result.objective_usd, bracket.mean_policy.objective_usd)


def _objective(job: Job) -> float:
    world, commitment, name, point, first_stage = job
    informed = world_with_ranges(world, {name: Range.point(float(quantile(named(world.case.numbers)[name].spread, point)))})
    plan = plan_of(informed, commitment)
    if first_stage is not None:
        plan = with_orders_held(plan, *first_stage, trunk(plan.problem.tree).size)
    return solved_plan(informed, "", plan).result.objective_usd
