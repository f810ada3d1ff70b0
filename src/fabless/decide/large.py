"""The recommended way planned once more on a large tree, by decomposition."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from fabless.decide.actions import actions_of
from fabless.decide.results import LargePlan
from fabless.decide.ways.gates import decided, followed, policy_of
from fabless.decide.ways.paths import band, paths_of
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import Bounds, branching_for, solve_large

GAP = 1e-3
"""Proven relative gap at which the large plan is good enough."""


def large_plan(
    prepared: Prepared, best: SolvedWay, leaves: int, executor: Executor, checkpoint: Path | None,
    tick: Callable[[str], None]
) -> LargePlan:
    """Plan the commitment of the recommended way on about `leaves` scenarios.

    Its programmes follow the gates of the smaller plan (`fabless.decide.ways.gates.followed`).
    `checkpoint` is a file that is written as the work goes on, and from which it resumes.
    """
    world = draw_world(prepared, branching=branching_for(leaves, len(prepared.case.branching)))
    plan = plan_of(world, best.plan.commitment)
    go = followed(best.policy, world, plan)
    done = decided(plan, go)
    count = done.problem.tree.leaves.size

    def said(now: Bounds) -> None:
        gap = f"gap {now.gap:.2%}" if np.isfinite(now.gap) else "no bound yet"
        tick(f"plan on {count:,} scenarios: step {now.iteration}, {gap}")

    result = solve_large(done.problem, executor=executor, gap=GAP, checkpoint=checkpoint, progress=said)
    paths = paths_of(world.case, done, result)
    solved = SolvedWay(
        name=best.name, plan=done, result=result, paths=paths, policy=policy_of(world, plan, go),
        gates=(), lower_bound_usd=result.lower_bound_usd,
    )
    return LargePlan(
        leaves=count, status=result.status.value, gap=solved.gap,
        objective_usd=result.objective_usd, lower_bound_usd=result.lower_bound_usd,
        expected_cost_usd=result.expected_cost_usd, cvar_usd=result.cvar_usd,
        cost_per_query_usd=band(paths.levelised_usd, paths.probability),
        actions=actions_of(solved, prepared),
    )
