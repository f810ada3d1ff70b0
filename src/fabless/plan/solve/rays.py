"""Why a plan has no least cost: what can grow without end while the objective falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.names import member_names
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import Ray, Status
from fabless.plan.solve.highs import run_solver
from fabless.records import Array

_CHOSEN = ("orders", "level")
"""The families that a planner decides; the others follow from them."""
_REMEDY = {
    "orders": "raise plan.capital_usd or plan.running_usd, lower plan.resale_usd, or give plan.cap",
    "level": "give level_cap, or raise fee_usd of the agreement",
}


def rays(problem: PlanProblem, program: Program) -> tuple[Ray, ...]:
    """Find a direction in which the objective falls most when no decision changes by more than its
    unit.

    Minimise cost d where ``matrix d`` may only leave rows where they have no bound, d only columns
    where they have none, and -1 <= d <= 1: a programme that always has a solution, below 0 only
    where the plan has no end.
    """

    def recession(bound: Array) -> Array:
        return np.where(np.isfinite(bound), 0.0, bound)

    direction = replace(
        program, offset=0.0,
        row_lower=recession(program.row_lower), row_upper=recession(program.row_upper),
        lower=np.maximum(recession(program.lower), -program.unit),
        upper=np.minimum(recession(program.upper), program.unit),
    )
    solution = run_solver(direction)
    if solution.status is not Status.OPTIMAL or solution.objective >= 0.0:
        return ()
    return tuple(ray for family in _CHOSEN
                 for ray in _of_family(problem, program, family, solution.value,
                                       solution.objective))


def _of_family(
    problem: PlanProblem, program: Program, family: str, step: Array, fall: float
) -> list[Ray]:
    index = program.columns[family].index
    moves = np.where(index >= 0, step[index] / program.unit[index], 0.0)
    names = member_names(problem, family)
    total = float(np.abs(step[index[index >= 0]]).sum())
    growing = []
    for m in np.flatnonzero((np.abs(moves) > 1e-6).any(axis=1)):
        node = int(np.argmax(np.abs(moves[m])))
        growing.append(Ray(family=family, name=names[m], direction=int(np.sign(moves[m, node])),
                           node=node,
                         gain_usd=-fall / total, remedy=_REMEDY[family]))
    return growing
