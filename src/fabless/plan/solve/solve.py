"""Solve a plan: ``min (1 - w) E[cost] + w CVaR[cost]`` over the orders, on a scenario tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.problem.costs import (
    CostParts,
    Decisions,
    chips_in_service,
    constant_costs,
    node_costs,
    path_costs,
    risk_adjusted,
)
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.project import refuse_projects
from fabless.plan.problem.service import Service, service
from fabless.plan.result import PlanResult, Ray, Shortfall, Status, gap
from fabless.plan.solve.highs import Solution, run
from fabless.plan.solve.lower_bound import plain_prices
from fabless.plan.solve.rays import rays
from fabless.plan.solve.shortfalls import shortfalls
from fabless.records import Array

DECIDED = ("orders", "serve", "unmet", "level", "untaken", "retired")
"""Variable families of `Decisions`, in its order."""


def solve(
    problem: PlanProblem,
    *,
    progress: Callable[[str], None] | None = None,
) -> PlanResult:
    """Solve a plan; an infeasible one is a result that says what must give.

    `progress` is called with lines of text while it works. A problem with projects is refused: `search` decides them.

    >>> from fabless.scenario import chain_tree
    >>> problem = PlanProblem(
    ...     tree=chain_tree(2), offers=("chip",), loads=("queries",), lead_quarters=np.array(1),
    ...     term_quarters=np.array(4), available=np.array(True), cap=np.array(np.inf), capital_usd=np.array(3.0),
    ...     running_usd=np.array(1.0), rate=np.array(2.0), demand=np.array(10.0), unmet_usd=np.array(7.0),
    ...     discount=np.array(1.0))
    >>> result = solve(problem)
    >>> result.orders.tolist(), result.unmet.tolist(), round(result.objective_usd, 6)
    ([[5.0, 0.0]], [[10.0, 0.0]], 90.0)
    """
    refuse_projects(problem.projects, "solve")
    served = service(problem)
    program = assemble(problem, served, constant_costs(problem))
    if progress is not None:
        progress(f"plan of {problem.tree.size:,} node-quarters: {program.cost.size:,} columns, "
                 f"{program.row_lower.size:,} rows")
    plain = plain_prices(program, problem.tree.probability, problem.cvar_weight if "tail" in program.rows else 0.0)
    solution = run(program, progress, plain)
    if not solution.status.is_ok:
        return _without_plan(problem, program, solution)
    return _result(problem, served, program, solution)


def _result(problem: PlanProblem, served: Service, program: Program, solution: Solution) -> PlanResult:
    choice = Decisions(*(_spread(program, solution.value, name) for name in DECIDED))
    return reported(problem, served, choice, solution.status, solution.objective, solution.bound,
                    (program.cost.size, program.row_lower.size))


def reported(
    problem: PlanProblem, served: Service, choice: Decisions, status: Status, objective: float | None, bound: float,
    size: tuple[int, int],
) -> PlanResult:
    """Price a choice; `objective` None takes the price itself, `size` are columns and rows of the programme."""
    tree = problem.tree
    active = chips_in_service(problem, served, choice.orders) - choice.retired
    parts = node_costs(problem, served, choice)
    paths = path_costs(tree, parts.total_usd * problem.discount[tree.quarter])
    priced, mean, worst = risk_adjusted(problem, paths, tree.probability[tree.leaves])
    total = priced if objective is None else objective
    return PlanResult(
        status, total, bound, gap(total, bound), choice.orders, active, choice.serve, choice.unmet, choice.levels,
        choice.untaken, choice.retired, parts, paths, mean, worst, (), (), *size,
    )


def _without_plan(problem: PlanProblem, program: Program, solution: Solution) -> PlanResult:
    found = shortfalls(program, problem.offers) if solution.status is Status.INFEASIBLE else ()
    endless = rays(problem, program) if solution.status is Status.UNBOUNDED else ()
    return unplanned(problem, solution.status, solution.bound, found, endless, (program.cost.size, program.row_lower.size))


def unplanned(
    problem: PlanProblem, status: Status, bound: float, found: tuple[Shortfall, ...], endless: tuple[Ray, ...],
    size: tuple[int, int],
) -> PlanResult:
    """Say why there is no plan: what must give, or what has no end; `size` are columns and rows of the programme."""
    def none(*shape: int) -> Array:
        return np.full(shape, np.nan)

    nodes, chips = problem.tree.size, problem.cap.shape
    agreed = (len(problem.agreements), nodes)
    return PlanResult(
        status, np.nan, bound, np.nan, none(*chips), none(*chips), none(*problem.rate.shape),
        none(*problem.demand.shape), none(*agreed), none(*agreed), none(*chips),
        CostParts(*[none(nodes)] * len(fields(CostParts))), none(problem.tree.leaves.size), np.nan, np.nan, found,
        endless, *size,
    )


def _spread(program: Program, value: Array, family: str) -> Array:
    """Lay a variable family out over its full shape, zero where it has no column."""
    index = program.columns[family].index
    return np.where(index >= 0, value[index], 0.0) if value.size else np.zeros(index.shape)
