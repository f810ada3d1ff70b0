"""Supply plans under uncertainty: a multi-stage stochastic linear programme on a scenario tree,
solved with HiGHS."""

from fabless.plan.decompose.run import Bounds, branching_for, solve_large
from fabless.plan.gates.decide import GateResult, hold, search
from fabless.plan.gates.report import GateStep, ProjectPlan, project_plans
from fabless.plan.lp.lp_file import write_lp
from fabless.plan.problem.agreement import Agreement
from fabless.plan.problem.costs import newly_retired, offer_capital
from fabless.plan.problem.information import merge, on_tree
from fabless.plan.problem.problem import Group, PlanProblem
from fabless.plan.problem.project import Project, gate_nodes
from fabless.plan.problem.service import service
from fabless.plan.problem.trees import fan, trunk
from fabless.plan.result import LimitPrice, PlanResult, PriceRange, Ray, Shortfall, Status
from fabless.plan.solve.foresight import (
    ForesightPlans,
    bounds,
    expected_value_policy,
    expected_value_problem,
    wait_and_see,
)
from fabless.plan.solve.prices import limit_prices
from fabless.plan.solve.solve import solve

__all__ = [
    "Agreement",
    "Bounds",
    "ForesightPlans",
    "GateResult",
    "GateStep",
    "Group",
    "LimitPrice",
    "PlanProblem",
    "PlanResult",
    "PriceRange",
    "Project",
    "ProjectPlan",
    "Ray",
    "Shortfall",
    "Status",
    "bounds",
    "branching_for",
    "expected_value_policy",
    "expected_value_problem",
    "fan",
    "gate_nodes",
    "hold",
    "limit_prices",
    "merge",
    "newly_retired",
    "offer_capital",
    "on_tree",
    "project_plans",
    "search",
    "service",
    "solve",
    "solve_large",
    "trunk",
    "wait_and_see",
    "write_lp",
]
