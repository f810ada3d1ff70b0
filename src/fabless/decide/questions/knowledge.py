"""What it would be worth to know an unknown before the first orders."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from fabless.case_records import named
from fabless.decide.questions.sensitivity import label_of
from fabless.decide.results import Foresight, KnowledgeValue
from fabless.decide.ways.problem import World, moved, plan_of
from fabless.decide.ways.restricted import held
from fabless.decide.ways.solved import Solved, solved_plan
from fabless.plan import bounds, trunk
from fabless.records import Array, Range
from fabless.sampling import quantile
from fabless.strategy import Commitment

POINTS = (1 / 6, 1 / 2, 5 / 6)
"""Quantiles at which an unknown is told: the middles of its thirds."""

Job = tuple[World, Commitment, str, float, tuple[Array, Array] | None]


def knowledge_values(
    here: World, commitment: Commitment, names: Sequence[str], executor: Executor
) -> tuple[KnowledgeValue, ...]:
    """Expected value of perfect information on each of the inputs `names`, the most valuable first.

    The mean over `POINTS` of what is saved when the input is known from the start, against the orders and signings before
    the first branching held at those of the plan that knows only its range. Holding them makes it an upper estimate.
    """
    if not names:
        return ()
    usual = solved_plan(here, "", plan_of(here, commitment))
    jobs: list[Job] = [(here, commitment, name, point, given) for name in names for point in POINTS
                       for given in ((usual.result.orders, usual.result.levels), None)]
    costs = list(executor.map(_objective, jobs))
    rows = []
    for k, name in enumerate(names):
        mine = costs[k * 2 * len(POINTS):(k + 1) * 2 * len(POINTS)]
        rows.append(KnowledgeValue(name, label_of(name), (sum(mine[::2]) - sum(mine[1::2])) / len(POINTS)))
    return tuple(sorted(rows, key=lambda row: -row.value_usd))


def foresight(best: Solved) -> Foresight:
    """Bracket the recommended plan, gates as decided: perfect information below, the plan for the mean above."""
    found = bounds(best.plan.problem, best.result)
    return Foresight(found.perfect.objective_usd, best.result.objective_usd, found.mean_policy.objective_usd)


def _objective(job: Job) -> float:
    here, commitment, name, point, given = job
    told = moved(here, {name: Range.point(float(quantile(named(here.case.numbers)[name].spread, point)))})
    plan = plan_of(told, commitment)
    if given is not None:
        plan = held(plan, *given, trunk(plan.problem.tree).size)
    return solved_plan(told, "", plan).result.objective_usd
