"""A plan with more or less foresight: wait and see <= here and now <= plan for the mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabless.plan.problem.costs import risk_adjusted
from fabless.plan.problem.information import merge, on_tree
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.trees import fan, trunk
from fabless.plan.result import PlanResult, relative_gap
from fabless.plan.solve.solve import solve


@dataclass(frozen=True, eq=False)
class ForesightPlans:
    """A plan between the plan of one who knows all and that of one who plans for the mean."""

    perfect: PlanResult
    """Every path planned as if known (WS): no plan costs less."""
    plan: PlanResult
    mean_policy: PlanResult
    """First orders of a plan for the mean, the rest planned on the tree (EEV): no best plan costs
    more. Where several plans for the mean cost the same, it is that of the one found."""

    @property
    def perfect_information_usd(self) -> float:
        """Expected value of perfect information: what knowing the path from the start would save,
        never negative."""
        return self.plan.objective_usd - self.perfect.objective_usd

    @property
    def stochastic_solution_usd(self) -> float:
        """Value of the stochastic solution: what planning for the mean would lose; NaN where that
        leaves no plan."""
        return self.mean_policy.objective_usd - self.plan.objective_usd


def bounds(problem: PlanProblem, plan: PlanResult | None = None) -> ForesightPlans:
    """Bracket a plan: perfect information below, a simple policy above; `plan` is its result where
    it is known.

    >>> import numpy as np
    >>> from fabless.scenario import balanced_tree
    >>> problem = PlanProblem(
    ...     tree=balanced_tree((2,), (1, 1)), offers=("chip",), loads=("queries",),
    ...     lead_quarters=np.array(1),
    ...     term_quarters=np.array(1), available=np.array(True), cap=np.array(np.inf),
    ...     capital_usd=np.array(4.0),
    ...     running_usd=np.array(0.0), rate=np.array(1.0), demand=np.array([[0.0, 0.0, 10.0]]),
    ...     unmet_usd=np.array(7.0),
    ...     discount=np.array(1.0))
    >>> found = bounds(problem)
    >>> [round(plan.objective_usd, 6) for plan in (found.perfect, found.plan, found.mean_policy)]
    [20.0, 35.0, 37.5]
    """
    here_and_now = solve(problem) if plan is None else plan
    return ForesightPlans(wait_and_see(problem), here_and_now, expected_value_policy(problem))


def wait_and_see(problem: PlanProblem) -> PlanResult:
    """Plan every path as if it were known from the start (WS): a lower bound on any plan.

    The result lies on ``fan(problem.tree)``; its objective weighs the least cost of each path as
    the problem does.
    """
    chains, source = fan(problem.tree)
    result = solve(replace(on_tree(problem, chains, source), cvar_weight=0.0))
    if not result.has_plan:
        return result
    objective, _, _ = risk_adjusted(problem, result.path_cost_usd,
                                    chains.probability[chains.leaves])
    bound = objective - (result.objective_usd - result.lower_bound_usd)
    return replace(result, objective_usd=objective, lower_bound_usd=bound,
                   gap=relative_gap(objective, bound))


def expected_value_problem(problem: PlanProblem) -> PlanResult:
    """Plan the mean path as if it were certain (EV); the result lies on a chain."""
    return solve(merge(problem))


def expected_value_policy(problem: PlanProblem) -> PlanResult:
    """Hold the here-and-now orders of the mean-path plan and plan the rest on the tree (EEV): an
    upper bound.

    Here and now are the node-quarters before the first split. Where several plans are best for the
    mean path, the orders of the one found are held; another may do better or worse on the tree.
    Without a mean-path plan its result is returned as it is.
    """
    mean_plan = expected_value_problem(problem)
    if not mean_plan.has_plan:
        return mean_plan
    now = trunk(problem.tree)
    held = mean_plan.orders[:, problem.tree.quarter[now]]
    cap, floor = problem.cap.copy(), problem.floor.copy()
    cap[:, now], floor[:, now] = held, held
    return solve(replace(problem, cap=cap, floor=floor))
