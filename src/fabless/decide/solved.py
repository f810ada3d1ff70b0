"""Solve a way: its commitments one by one, the best one kept."""

from __future__ import annotations

from dataclasses import dataclass

from fabless.decide.paths import Paths, paths_of
from fabless.decide.problem import Plan, World, plan_of
from fabless.plan import PlanResult, solve
from fabless.strategy import Commitment


@dataclass(frozen=True, eq=False)
class Solved:
    """One way with the commitment that ranks best among its own."""

    name: str
    plan: Plan
    result: PlanResult
    paths: Paths


def solve_best(world: World, name: str, commitments: tuple[Commitment, ...]) -> Solved:
    """Solve every commitment and keep the one with the lowest objective (the first among equals)."""
    best: tuple[Plan, PlanResult] | None = None
    for commitment in commitments:
        plan = plan_of(world, commitment)
        result = solve(plan.problem)
        if best is None or result.objective_usd < best[1].objective_usd - 1e-9 * abs(best[1].objective_usd):
            best = plan, result
    assert best is not None
    plan, result = best
    return Solved(name, plan, result, paths_of(world.prepared.case, plan, result))
