"""Supply plans under uncertainty: a multi-stage stochastic linear programme on a scenario tree, solved with HiGHS."""

from fabless.plan.costs import offer_capital
from fabless.plan.information import (
    expected_value_policy,
    expected_value_problem,
    merge,
    on_tree,
    wait_and_see,
)
from fabless.plan.problem import Group, PlanProblem
from fabless.plan.result import Binding, PlanResult, Shortfall, Status
from fabless.plan.service import service
from fabless.plan.solve import solve
from fabless.plan.trees import fan

__all__ = [
    "Binding",
    "Group",
    "PlanProblem",
    "PlanResult",
    "Shortfall",
    "Status",
    "expected_value_policy",
    "expected_value_problem",
    "fan",
    "merge",
    "offer_capital",
    "on_tree",
    "service",
    "solve",
    "wait_and_see",
]
