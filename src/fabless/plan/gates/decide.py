"""Programme gates as decisions: start, go on, or give up at each branching, together with the orders of the plan.

``min (1 - w) E[cost] + w CVaR[cost]`` over the orders and over contingent policies: which project goes on at each
unbranched stretch of the tree. A project may start where `start` says, is given up where `gate` says, and never comes
back; its offers can be ordered only while it goes on. What a decision knows is what its node-quarter has shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.gates.policy import Policy, gates_of
from fabless.plan.gates.search import Search, rounded
from fabless.plan.gates.solver import Step, Warm
from fabless.plan.lp.assemble import Program
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import PlanResult, Status
from fabless.plan.solve.highs import model, row_units, solver_of
from fabless.plan.solve.solve import solve

_PROVEN = 1e-6
"""Relative gap below which a policy counts as best: the solver's own tolerance on integers."""


@dataclass(frozen=True, eq=False)
class GateResult:
    """A contingent policy with its plan."""

    method: str
    """search | exact"""
    plan: PlanResult
    """The plan under the policy."""
    problem: PlanProblem
    """The problem with the policy held: a plan without projects."""
    go: NDArray[np.bool_]
    """(P, K) whether each project goes on at each node-quarter."""
    objective_usd: float
    lower_bound_usd: float
    """No policy costs less."""
    stopped: bool
    """Whether the time limit ended the work."""
    solves: int
    """Linear programmes solved, or nodes of the branch and bound."""
    ruled_out: int
    """Moves that the prices of the best plan exclude without a solve."""
    without_usd: float
    """Objective with no project started."""

    @property
    def gap(self) -> float:
        """Distance to the bound over the objective [1]."""
        return max(self.objective_usd - self.lower_bound_usd, 0.0) / max(abs(self.objective_usd), 1e-300)

    @property
    def proven(self) -> bool:
        """Whether the policy is the best one."""
        return self.gap <= _PROVEN


def hold(problem: PlanProblem, go: NDArray[np.bool_]) -> PlanProblem:
    """The plan under a policy, `go` (P, K): offers closed where no project of theirs goes on, spend and fees fixed.

    Raises `BadValue` where the policy starts or ends a project away from its gates, twice, or beside one that it
    excludes, or tells apart what is known alike.
    """
    gates = gates_of(problem)
    policy = go[:, gates.pieces.first]
    if not np.array_equal(policy[:, gates.pieces.own], go) or not gates.allows(policy):
        raise BadValue(Fault("gates.hold", "a policy that the gates do not allow",
                             "starts where start, ends where gate; one start a key and path; like states alike",
                             "change the policy, or the gates"))
    _, falls = gates.changes(policy)
    available, fixed = problem.available.copy(), problem.fixed_usd.copy()
    opened = np.zeros(available.shape, dtype=bool)
    owned = np.zeros(len(problem.offers), dtype=bool)
    for p, project in enumerate(problem.projects):
        opened[list(project.offers)] |= go[p]
        owned[list(project.offers)] = True
        fixed += project.spend_usd * go[p]
        ended = gates.pieces.first[falls[p]]
        fixed[ended] += project.end_usd[ended]
    available[owned] &= opened[owned]
    return replace(problem, projects=(), available=available, fixed_usd=fixed)


def search(
    problem: PlanProblem,
    *,
    first: Sequence[NDArray[np.bool_]] = (),
    bound_s: float = 0.0,
    time_limit_s: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> GateResult:
    """Find a good policy by steps from policy to policy, each a warm-started linear programme.

    `first` are policies (P, K) to try besides those it makes itself. The lower bound is that of the relaxation or, if
    `bound_s` is above 0, of that many seconds of branch and bound, from whose policy the search then goes on.
    `time_limit_s` bounds the search [s].
    """
    if not problem.projects:
        return _alone(problem, "search")
    deadline = np.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    gates = gates_of(problem)
    warm = Warm(problem, gates)
    none = warm.solve(np.zeros_like(gates.start))
    if none.status is not Status.OPTIMAL:
        return _without(problem, "search")
    under_way = Search(warm, deadline, progress, none, {none.policy.astype(bool).tobytes()})
    relaxed = warm.relax(deadline)
    given = [np.asarray(go)[:, gates.pieces.first] for go in first]
    near = rounded(gates, relaxed) if relaxed.status is Status.OPTIMAL else []
    under_way.descend([*given, *near])
    bound = relaxed.objective_usd if relaxed.status is Status.OPTIMAL else -np.inf
    if bound_s > 0.0:
        value, proven, _, _ = _branched(warm.program, bound_s)
        bound = max(bound, proven)
        if value.size:
            under_way.descend([_policy(warm, value)])
    best = under_way.best
    return _result(problem, "search", best.policy > 0.5, bound, none, under_way.stopped, warm.solves,
                   under_way.ruled_out)


def exact(
    problem: PlanProblem,
    *,
    time_limit_s: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> GateResult:
    """Find the best policy by branch and bound, for small trees; after `time_limit_s` the best one found, with its gap."""
    if not problem.projects:
        return _alone(problem, "exact")
    gates = gates_of(problem)
    warm = Warm(problem, gates)
    none = warm.solve(np.zeros_like(gates.start))
    if none.status is not Status.OPTIMAL:
        return _without(problem, "exact")
    value, bound, stopped, nodes = _branched(warm.program, np.inf if time_limit_s is None else time_limit_s, progress)
    policy = _policy(warm, value) if value.size else np.zeros_like(gates.start)
    return _result(problem, "exact", policy, bound, none, stopped, nodes, 0)


def _policy(warm: Warm, value: np.ndarray) -> Policy:
    index = warm.program.columns["go"].index[:, warm.gates.pieces.first]
    return np.asarray(np.where(index >= 0, value[index], 0.0) > 0.5)


def _branched(
    program: Program, seconds: float, progress: Callable[[str], None] | None = None
) -> tuple[np.ndarray, float, bool, int]:
    """Branch and bound: values of the columns (empty if none found), lower bound [USD], whether stopped, nodes."""
    solver = solver_of(model(program, row_units(program)))
    solver.setOptionValue("solver", "choose")
    going = program.columns["go"].index
    own = going[going >= 0].astype(np.int32)
    solver.changeColsIntegrality(own.size, own, np.full(own.size, highspy.HighsVarType.kInteger))
    solver.setOptionValue("mip_rel_gap", 0.1 * _PROVEN)
    solver.setOptionValue("mip_abs_gap", 0.0)
    if np.isfinite(seconds):
        solver.setOptionValue("time_limit", seconds)
    if progress is not None:
        solver.setOptionValue("output_flag", True)
        solver.setOptionValue("log_to_console", False)
        solver.cbLogging.subscribe(lambda event: progress(event.message.strip()))
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == 2
    value = np.array(solver.getSolution().col_value) * program.unit if found else np.zeros(0)
    stopped = solver.getModelStatus() != highspy.HighsModelStatus.kOptimal
    return value, info.mip_dual_bound * program.money, stopped, int(info.mip_node_count)


def _result(
    problem: PlanProblem, method: str, policy: Policy, bound: float, none: Step, stopped: bool, solves: int, out: int
) -> GateResult:
    go = policy[:, gates_of(problem).pieces.own]
    held = hold(problem, go)
    plan = solve(held)
    return GateResult(method, plan, held, go, plan.objective_usd, min(bound, plan.objective_usd), stopped, solves, out,
                      none.objective_usd)


def _without(problem: PlanProblem, method: str) -> GateResult:
    """No plan even without a project: then none with one, since projects add no room."""
    go = np.zeros((len(problem.projects), problem.tree.size), dtype=bool)
    held = hold(problem, go)
    return GateResult(method, solve(held), held, go, np.nan, np.nan, False, 1, 0, np.nan)


def _alone(problem: PlanProblem, method: str) -> GateResult:
    plan = solve(problem)
    go = np.zeros((0, problem.tree.size), dtype=bool)
    return GateResult(method, plan, problem, go, plan.objective_usd, plan.objective_usd, False, 1, 0,
                      plan.objective_usd)
