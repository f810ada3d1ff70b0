"""Solve a way: its commitments one by one, the best one kept."""

from __future__ import annotations

from dataclasses import dataclass

from fabless.decide.paths import Paths, paths_of
from fabless.decide.problem import Plan, World, plan_of
from fabless.errors import DoesNotFit, Fault
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
    """Solve every commitment and keep the one with the lowest objective (the first among equals).

    Unserved demand has a price, so that a plan always exists; raises `DoesNotFit` when the solver still finds none, as
    happens with inputs many powers of ten away from each other.
    """
    best: tuple[Plan, PlanResult] | None = None
    for commitment in commitments:
        plan = plan_of(world, commitment)
        result = solve(plan.problem)
        if not result.status.is_ok:
            raise DoesNotFit(Fault(f"plan of {name}", f"the solver ended with status {result.status}", "an optimal plan",
                                   "look for an input many powers of ten from the others, unserved prices first"))
        if best is None or result.objective_usd < best[1].objective_usd - 1e-9 * abs(best[1].objective_usd):
            best = plan, result
    assert best is not None
    plan, result = best
    return Solved(name, plan, result, paths_of(world.prepared.case, plan, result))


def share_of(solved: Solved, pool: str) -> float:
    """Expected share of a line or programme in the compute that a way uses over the horizon."""
    used = solved.paths.compute.sum(axis=2) @ solved.paths.probability
    mine = [offer.pool.name == pool for offer in solved.plan.offers]
    return float(used[mine].sum() / max(used.sum(), 1e-30))
