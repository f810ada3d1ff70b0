"""Programme gates as decisions: start, go on, or give up at each branching, together with the
orders of the plan.

``min (1 - w) E[cost] + w CVaR[cost]`` over the orders and over contingent policies: which project
goes on at each unbranched stretch of the tree. A project may start where `start` says, is given up
where `gate` says, and never comes back; its offers can be ordered only while it goes on. What a
decision knows is what its node-quarter has shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.gates.policy import gates_of
from fabless.plan.gates.search import Search, rounded
from fabless.plan.gates.solver import Warm
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import PlanResult, Status
from fabless.plan.solve.solve import solve


@dataclass(frozen=True, kw_only=True, eq=False)
class GateResult:
    """A contingent policy with its plan."""

    plan: PlanResult
    """The plan under the policy."""
    problem: PlanProblem
    """The problem with the policy held: a plan without projects."""
    go: NDArray[np.bool_]
    """(P, K) whether each project goes on at each node-quarter."""
    objective_usd: float
    lower_bound_usd: float
    """No policy costs less."""
    solves: int
    """Linear programmes solved."""
    ruled_out: int
    """Moves that the prices of the best plan exclude without a solve."""
    without_usd: float
    """Objective with no project started."""

    @property
    def gap(self) -> float:
        """Distance to the bound over the objective [1]."""
        above = max(self.objective_usd - self.lower_bound_usd, 0.0)
        return above / max(abs(self.objective_usd), 1e-300)


def hold(problem: PlanProblem, go: NDArray[np.bool_]) -> PlanProblem:
    """The plan under a policy, `go` (P, K): offers closed where no project of theirs goes on, spend
    and fees fixed.

    Raises `BadValue` where the policy starts or ends a project away from its gates, twice, or
    beside one that it excludes, or tells apart what is known alike.
    """
    gates = gates_of(problem)
    policy = go[:, gates.pieces.first]
    if not np.array_equal(policy[:, gates.pieces.own], go) or not gates.allows(policy):
        raise BadValue(Fault("gates.hold", "a policy that the gates do not allow",
                             "starts where start, ends where gate; one start a key and path; like "
                             "states alike",
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


def search(problem: PlanProblem, *, progress: Callable[[str], None] | None = None) -> GateResult:
    """Find a good policy by steps from policy to policy, each a warm-started linear programme.

    The lower bound is that of the relaxation, in which gates may be half open.
    """
    if not problem.projects:
        plan = solve(problem)
        go = np.zeros((0, problem.tree.size), dtype=bool)
        return GateResult(plan=plan, problem=problem, go=go, objective_usd=plan.objective_usd,
                          solves=1, ruled_out=0,
                          lower_bound_usd=plan.objective_usd, without_usd=plan.objective_usd)
    gates = gates_of(problem)
    warm = Warm(problem, gates)
    none = warm.solve(np.zeros_like(gates.start))
    if none.status is not Status.OPTIMAL:
        return _without(problem)
    under_way = Search(warm=warm, progress=progress, best=none,
                       seen={none.policy.astype(bool).tobytes()})
    relaxed = warm.relax()
    solved = relaxed.status is Status.OPTIMAL
    under_way.descend(rounded(gates, relaxed) if solved else [])
    go = (under_way.best.policy > 0.5)[:, gates.pieces.own]
    held = hold(problem, go)
    plan = solve(held)
    bound = min(relaxed.objective_usd, plan.objective_usd) if solved else -np.inf
    return GateResult(plan=plan, problem=held, go=go, objective_usd=plan.objective_usd,
                      lower_bound_usd=bound,
                      solves=warm.solves, ruled_out=under_way.ruled_out,
                      without_usd=none.objective_usd)


def _without(problem: PlanProblem) -> GateResult:
    """No plan even without a project: then none with one, since projects add no room."""
    go = np.zeros((len(problem.projects), problem.tree.size), dtype=bool)
    held = hold(problem, go)
    return GateResult(plan=solve(held), problem=held, go=go, objective_usd=np.nan,
                      lower_bound_usd=np.nan, solves=1,
                      ruled_out=0, without_usd=np.nan)
