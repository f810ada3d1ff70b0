"""What happens to each way when the dominant vendor is gone for a while, unforeseen."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from fabless.decide.results import Resilience
from fabless.decide.ways.problem import World, plan_of
from fabless.decide.ways.restricted import interrupted, with_orders_held
from fabless.decide.ways.solved import SolvedWay, solved_plan
from fabless.strategy import Commitment

FIRST = 4
"""Quarter from which the vendor is gone."""
GONE = 2
"""Quarters for which it is gone."""
AFTER = 4
"""Quarters from the first over which the shortage is counted."""


@dataclass(frozen=True, eq=False)
class _StrikeJob:
    world: World
    name: str
    commitment: Commitment


def resilience(
    world: World, chosen: Sequence[tuple[str, Commitment]], executor: Executor
) -> tuple[Resilience, ...]:
    """Extra cost and shortage of each way (name and commitment) when the dominant vendor is gone
    from quarter `FIRST` on.

    It takes no orders for `GONE` quarters and delivers after them what was due in them. Orders
    before `FIRST` are those of the plan that did not foresee it; from then on the plan is made
    anew.
    """
    return tuple(
        executor.map(_struck, [_StrikeJob(world, name, commitment) for name, commitment in chosen])
    )


def _struck(job: _StrikeJob) -> Resilience:
    case = job.world.case
    plan = plan_of(job.world, job.commitment)
    usual = solved_plan(job.world, job.name, plan)
    interrupted_plan = interrupted(
        with_orders_held(plan, usual.result.orders, usual.result.levels, FIRST),
        case.dominant_vendor, FIRST, GONE,
    )
    after = solved_plan(job.world, job.name, interrupted_plan)
    return Resilience(
        way=job.name, quarter=str(case.first_quarter + FIRST), quarters=GONE,
        cost_usd=after.result.objective_usd - usual.result.objective_usd,
        missing_before=_missing(usual), missing_after=_missing(after),
    )


def _missing(solved: SolvedWay) -> float:
    """Expected missing share of the compute demanded in the quarters counted."""
    paths, span = solved.paths, slice(FIRST, FIRST + AFTER)
    share = paths.missing[:, span].sum(axis=1) / paths.wanted[:, span].sum(axis=1)
    return float(paths.probability @ share)
