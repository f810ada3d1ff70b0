"""Supply plans under uncertainty: a multi-stage stochastic linear programme on a scenario tree, solved with HiGHS."""

from fabless.plan.agreement import Agreement
from fabless.plan.costs import offer_capital
from fabless.plan.decompose import Bounds, branching_for, solve_large
from fabless.plan.foresight import Foresight, bounds, expected_value_policy, expected_value_problem, wait_and_see
from fabless.plan.gates import GateResult, exact, hold, search
from fabless.plan.gates_project import Project, gate_nodes
from fabless.plan.gates_report import Flexibility, GatePlan, GateStep, flexibility, gate_plan
from fabless.plan.information import merge, on_tree
from fabless.plan.lp_file import write_lp
from fabless.plan.problem import Group, PlanProblem
from fabless.plan.result import Binding, PlanResult, Ray, Shortfall, Status
from fabless.plan.service import service
from fabless.plan.solve import solve
from fabless.plan.trees import fan, trunk

__all__ = [
    "Agreement",
    "Binding",
    "Bounds",
    "Flexibility",
    "Foresight",
    "GatePlan",
    "GateResult",
    "GateStep",
    "Group",
    "PlanProblem",
    "PlanResult",
    "Project",
    "Ray",
    "Shortfall",
    "Status",
    "bounds",
    "branching_for",
    "exact",
    "expected_value_policy",
    "expected_value_problem",
    "fan",
    "flexibility",
    "gate_nodes",
    "gate_plan",
    "hold",
    "merge",
    "offer_capital",
    "on_tree",
    "search",
    "service",
    "solve",
    "solve_large",
    "trunk",
    "wait_and_see",
    "write_lp",
]
