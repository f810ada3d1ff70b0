"""Solve a plan: ``min (1 - w) E[cost] + w CVaR[cost]`` over the orders, on a scenario tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

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
from fabless.plan.result import PlanResult, Status, relative_gap
from fabless.plan.solve.highs import Solution, run_solver
from fabless.plan.solve.lower_bound import plain_prices
from fabless.plan.solve.rays import rays
from fabless.plan.solve.shortfalls import shortfalls
from fabless.records import Array

DECIDED = {"orders": "orders", "serve": "serve", "unmet": "unmet", "levels": "level",
           "untaken": "untaken",
           "retired": "retired"}
"""Variable family of each field of `Decisions`."""


def solve(
    problem: PlanProblem,
    *,
    progress: Callable[[str], None] | None = None,
) -> PlanResult:
    """Solve a plan; an infeasible one is a result that says what must give.

    `progress` is called with lines of text while it works. A problem with projects is refused:
    `search` decides them.

    >>> from fabless.scenario import chain_tree
    >>> problem = PlanProblem(
    ...     tree=chain_tree(2), offers=("chip",), loads=("queries",), lead_quarters=np.array(1),
    ...     term_quarters=np.array(4), available=np.array(True), cap=np.array(np.inf),
    ...     capital_usd=np.array(3.0),
    ...     running_usd=np.array(1.0), rate=np.array(2.0), demand=np.array(10.0),
    ...     unmet_usd=np.array(7.0),
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
    plain = plain_prices(program, problem.tree.probability, problem.cvar_weight
                         if "tail" in program.rows else 0.0)
    solution = run_solver(program, progress, plain)
    if not solution.status.is_ok:
        return _without_plan(problem, program, solution)
    return _result(problem, served, program, solution)


def _result(
    problem: PlanProblem, served: Service, program: Program, solution: Solution
) -> PlanResult:
    choice = Decisions(**{field: _spread(program, solution.value, family)
                          for field, family in DECIDED.items()})
    result = priced(problem, served, choice, solution.bound, _size(program))
    # the solver's own sum of the same costs: what its bound is proven against
    return replace(result, objective_usd=solution.objective,
                   gap=relative_gap(solution.objective, solution.bound))


def priced(
    problem: PlanProblem, served: Service, choice: Decisions, bound: float, size: tuple[int, int]
) -> PlanResult:
    """A best plan from what it decides: costs, objective, gap to a lower bound; `size` are columns
    and rows."""
    tree = problem.tree
    parts = node_costs(problem, served, choice)
    paths = path_costs(tree, parts.total_usd * problem.discount[tree.quarter])
    objective, mean, worst = risk_adjusted(problem, paths, tree.probability[tree.leaves])
    return PlanResult(
        status=Status.OPTIMAL, objective_usd=objective, lower_bound_usd=bound,
        gap=relative_gap(objective, bound),
        orders=choice.orders,
        active=chips_in_service(problem, served, choice.orders) - choice.retired,
        serve=choice.serve, unmet=choice.unmet, levels=choice.levels, untaken=choice.untaken,
        retired=choice.retired,
        costs=parts, path_cost_usd=paths, expected_cost_usd=mean, cvar_usd=worst, shortfalls=(),
        rays=(),
        columns=size[0], rows=size[1])


def _without_plan(problem: PlanProblem, program: Program, solution: Solution) -> PlanResult:
    result = unplanned(problem, solution.status, solution.bound, _size(program))
    if solution.status is Status.INFEASIBLE:
        return replace(result, shortfalls=shortfalls(program, problem.offers))
    return replace(result,
                   rays=rays(problem, program)) if solution.status is Status.UNBOUNDED else result


def unplanned(
    problem: PlanProblem, status: Status, bound: float, size: tuple[int, int]
) -> PlanResult:
    """A result without a plan; `size` are columns and rows of the programme."""
    def none(*shape: int) -> Array:
        return np.full(shape, np.nan)

    nodes, chips = problem.tree.size, problem.cap.shape
    agreed = (len(problem.agreements), nodes)
    return PlanResult(
        status=status, objective_usd=np.nan, lower_bound_usd=bound, gap=np.nan, orders=none(*chips),
        active=none(*chips),
        serve=none(*problem.rate.shape), unmet=none(*problem.demand.shape), levels=none(*agreed),
        untaken=none(*agreed),
        retired=none(*chips),
        costs=CostParts(**{field.name: none(nodes) for field in fields(CostParts)}),
        path_cost_usd=none(problem.tree.leaves.size), expected_cost_usd=np.nan, cvar_usd=np.nan,
        shortfalls=(), rays=(),
        columns=size[0], rows=size[1])


def _size(program: Program) -> tuple[int, int]:
    return program.cost.size, program.row_lower.size


def _spread(program: Program, value: Array, family: str) -> Array:
    """Lay a variable family out over its full shape, zero where it has no column."""
    index = program.columns[family].index
    return np.where(index >= 0, value[index], 0.0) if value.size else np.zeros(index.shape)
