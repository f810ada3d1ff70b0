"""Solve a plan: ``min (1 - w) E[cost] + w CVaR[cost]`` over the orders, on a scenario tree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabless.plan.costs import (
    CostParts,
    chips_in_service,
    constant_costs,
    node_costs,
    path_costs,
    risk_adjusted,
)
from fabless.plan.highs import Solution, run
from fabless.plan.limits import binding, shortfalls
from fabless.plan.problem import PlanProblem
from fabless.plan.program import Program, assemble
from fabless.plan.result import PlanResult, Status
from fabless.plan.service import Service, service
from fabless.records import Array


def solve(
    problem: PlanProblem,
    *,
    time_limit_s: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> PlanResult:
    """Solve a plan; an infeasible one is a result that says what must give.

    `time_limit_s` bounds the solver [s]; `progress` is called with lines of text while it works.

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
    served = service(problem)
    program = assemble(problem, served, constant_costs(problem))
    if progress is not None:
        progress(f"plan of {problem.tree.size:,} node-quarters: {program.cost.size:,} columns, "
                 f"{program.row_lower.size:,} rows")
    solution = run(program, time_limit_s, progress)
    if not solution.status.is_ok:
        return _without_plan(problem, program, solution, time_limit_s)
    shape = {name: _spread(program, solution, name) for name in ("orders", "serve", "unmet")}
    return _result(problem, served, program, solution, **shape)


def _result(
    problem: PlanProblem,
    served: Service,
    program: Program,
    solution: Solution,
    orders: Array,
    serve: Array,
    unmet: Array,
) -> PlanResult:
    tree = problem.tree
    active = chips_in_service(problem, served, orders)
    parts = node_costs(problem, served, orders, active, serve, unmet)
    paths = path_costs(tree, parts.total_usd * problem.discount[tree.quarter])
    _, mean, worst = risk_adjusted(problem, paths, tree.probability[tree.leaves])
    return PlanResult(
        solution.status, solution.objective, solution.gap, orders, active, serve, unmet, parts, paths, mean, worst,
        binding(program, solution, problem.offers, tree.size), (), program.cost.size, program.row_lower.size,
    )


def _without_plan(
    problem: PlanProblem, program: Program, solution: Solution, time_limit_s: float | None
) -> PlanResult:
    def none(*shape: int) -> Array:
        return np.full(shape, np.nan)

    size = problem.tree.size
    parts = CostParts(none(size), none(size), none(size), none(size))
    infeasible = solution.status is Status.INFEASIBLE
    found = shortfalls(program, problem.offers, time_limit_s) if infeasible else ()
    return PlanResult(
        solution.status, np.nan, np.nan, none(*problem.cap.shape), none(*problem.cap.shape), none(*problem.rate.shape),
        none(*problem.demand.shape), parts, none(problem.tree.leaves.size), np.nan, np.nan, (), found,
        program.cost.size, program.row_lower.size,
    )


def _spread(program: Program, solution: Solution, family: str) -> Array:
    """Lay a variable family out over its full shape, zero where it has no column."""
    index = program.columns[family].index
    return np.where(index >= 0, solution.value[index], 0.0) if solution.value.size else np.zeros(index.shape)
