"""The same plan with more or less foresight: wait and see <= here and now <= plan for the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.plan.costs import risk_adjusted
from fabless.plan.problem import PlanProblem
from fabless.plan.result import PlanResult
from fabless.plan.solve import solve
from fabless.plan.trees import fan, trunk
from fabless.records import Array, Tree
from fabless.scenario import chain_tree

_PRICES = ("capital_usd", "running_usd", "serving_usd", "payment_usd", "fixed_usd", "rate", "demand",
           "unmet_usd")
_LIMITS = ("cap", "floor", "power_cap_w", "cash_cap_usd")


def on_tree(problem: PlanProblem, tree: Tree, source: NDArray[np.int64]) -> PlanProblem:
    """Lay `problem` out on another tree whose node-quarter k copies the data of node-quarter `source[k]`."""
    copied = {name: getattr(problem, name)[..., source] for name in ("lead_quarters", "available", *_PRICES, *_LIMITS)}
    groups = tuple((name, members, limit[source]) for name, members, limit in problem.groups)
    return replace(problem, tree=tree, groups=groups, **copied)


def merge(problem: PlanProblem) -> PlanProblem:
    """Merge the tree into its mean path: every number its probability-weighted mean by quarter.

    A lead time is rounded to whole quarters; where an offer is not available its cap counts as 0.
    """
    tree = problem.tree
    weight = np.zeros((tree.size, tree.quarters))
    weight[np.arange(tree.size), tree.quarter] = tree.probability

    def mean(numbers: Array) -> Array:
        finite = np.where(np.isfinite(numbers), numbers, 0.0) @ weight
        return np.where(np.isinf(numbers).astype(float) @ weight > 0, np.inf, finite)

    merged = {name: mean(getattr(problem, name)) for name in (*_PRICES, *_LIMITS)}
    merged["cap"] = mean(np.where(problem.available, problem.cap, 0.0))
    return replace(
        problem,
        tree=chain_tree(tree.quarters),
        groups=tuple((name, members, mean(limit)) for name, members, limit in problem.groups),
        available=mean(problem.available.astype(float)) > 0,
        lead_quarters=np.rint(mean(problem.lead_quarters.astype(float))).astype(np.int64),
        **merged,  # type: ignore[arg-type]
    )


def wait_and_see(problem: PlanProblem, *, time_limit_s: float | None = None) -> PlanResult:
    """Plan every path as if it were known from the start (WS): a lower bound on any plan.

    The result lies on ``fan(problem.tree)``; its objective weighs the least cost of each path as the problem does.
    """
    chains, source = fan(problem.tree)
    result = solve(replace(on_tree(problem, chains, source), cvar_weight=0.0), time_limit_s=time_limit_s)
    if not result.status.is_ok:
        return result
    objective, _, _ = risk_adjusted(problem, result.path_cost_usd, chains.probability[chains.leaves])
    return replace(result, objective_usd=objective)


def expected_value_problem(problem: PlanProblem, *, time_limit_s: float | None = None) -> PlanResult:
    """Plan the mean path as if it were certain (EV); the result lies on a chain."""
    return solve(merge(problem), time_limit_s=time_limit_s)


def expected_value_policy(problem: PlanProblem, *, time_limit_s: float | None = None) -> PlanResult:
    """Hold the here-and-now orders of the mean-path plan and plan the rest on the tree (EEV): an upper bound.

    Here and now are the node-quarters before the first split. Without a mean-path plan its result is returned as it is.
    """
    mean_plan = expected_value_problem(problem, time_limit_s=time_limit_s)
    if not mean_plan.status.is_ok:
        return mean_plan
    now = trunk(problem.tree)
    held = mean_plan.orders[:, problem.tree.quarter[now]]
    cap, floor = problem.cap.copy(), problem.floor.copy()
    cap[:, now], floor[:, now] = held, held
    return solve(replace(problem, cap=cap, floor=floor), time_limit_s=time_limit_s)
