"""Solve a way: its commitments one by one, the best one kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabless.decide.ways.gates import Policy, decided, policy_of, undecided
from fabless.decide.ways.paths import Paths, paths_of
from fabless.decide.ways.problem import Plan, World, plan_of
from fabless.errors import DoesNotFit, Fault
from fabless.plan import PlanResult, ProjectPlan, project_plans, search, solve
from fabless.records import Array
from fabless.strategy import Commitment


@dataclass(frozen=True, eq=False, kw_only=True)
class SolvedWay:
    """One way with the commitment that ranks best among its own."""

    name: str
    plan: Plan
    """With the gates of its programmes decided."""
    result: PlanResult
    paths: Paths
    policy: Policy
    gates: tuple[ProjectPlan, ...]
    lower_bound_usd: float
    """No plan of the commitment costs less, whatever its gates."""
    carried: SolvedWay | None = None
    """Where the way commits to a programme: the best plan with that programme carried through,
    every gate passed."""

    @property
    def started(self) -> list[str]:
        """Programmes that start on the first day: those committed to, and those that the gates
        start."""
        chosen = [
            project.programme
            for project, on in zip(self.plan.projects, self.policy.go, strict=True)
            if project.start == 0 and on[0]
        ]
        return list(
            dict.fromkeys([*(item.name for item in self.plan.commitment.programmes), *chosen])
        )

    @property
    def gap(self) -> float:
        """Relative distance of the objective from the lower bound."""
        objective = self.result.objective_usd
        return max(objective - self.lower_bound_usd, 0.0) / max(abs(objective), 1e-300)


def solve_best(world: World, name: str, commitments: tuple[Commitment, ...]) -> SolvedWay:
    """Solve every commitment and keep the one with the lowest objective (the first among
    equals)."""
    return best_of(
        [solved_plan(world, name, plan_of(world, commitment)) for commitment in commitments]
    )


def roughly_solved(world: World, name: str, commitments: tuple[Commitment, ...]) -> SolvedWay:
    """The best commitment where a programme that is begun is either carried through or given up at
    the first branching.

    Programmes that may be started are not. Two linear programmes at most for each commitment, where
    the gates take many.
    """
    solutions = []
    for commitment in commitments:
        plan = plan_of(world, replace(commitment, may_start=()))
        solutions += [solved_under(world, name, plan, on) for on in (False, True)[: 1 + bool(plan.projects)]]
    return best_of(solutions)


def solved_under(world: World, name: str, plan: Plan, on: bool) -> SolvedWay:
    """A plan with every project of it carried through to the end, or given up at the first
    branching: one linear programme."""
    go = np.full((len(plan.projects), plan.problem.tree.size), on)
    solved = _under(world, name, plan, go)
    return replace(solved, gates=gates_under(world, plan, go))


def gates_under(world: World, plan: Plan, go: NDArray[np.bool_]) -> tuple[ProjectPlan, ...]:
    """What a policy does with each project of a plan, what is sunk included."""
    return _with_sunk(plan, project_plans(undecided(world, plan), go)) if plan.projects else ()


def given_up(world: World, name: str, plain: SolvedWay, commitment: Commitment) -> SolvedWay:
    """The plan of a commitment whose programme is given up at the first branching, out of the plan
    `plain` of its lines and contracts without any programme.

    The programme's offers stay closed and what it has spent is certain, so that the two plans are
    one but for a constant.
    """
    plan = plan_of(world, replace(commitment, may_start=()))
    go = np.zeros((len(plan.projects), plan.problem.tree.size), dtype=bool)
    problem, result = decided(plan, go).problem, plain.result
    spent = problem.fixed_usd - plain.plan.problem.fixed_usd
    tree, added = problem.tree, len(plan.offers) - len(plain.plan.offers)
    sunk = float(spent * problem.discount[tree.quarter] @ tree.probability)
    whole = replace(
        result, objective_usd=result.objective_usd + sunk,
        lower_bound_usd=result.lower_bound_usd + sunk,
        expected_cost_usd=result.expected_cost_usd + sunk, cvar_usd=result.cvar_usd + sunk,
        path_cost_usd=result.path_cost_usd + sunk,
        costs=replace(result.costs, fixed_usd=result.costs.fixed_usd + spent),
        orders=_with_rows(result.orders, added), active=_with_rows(result.active, added),
        serve=_with_rows(result.serve, added), retired=_with_rows(result.retired, added))
    return _solved(world, name, plan, go=go, result=whole, gates=gates_under(world, plan, go),
                   bound=whole.lower_bound_usd)


def _with_rows(array: Array, added: int) -> Array:
    """An array with rows of zeros after its last."""
    return np.concatenate([array, np.zeros((added, *array.shape[1:]))])


def _under(world: World, name: str, plan: Plan, go: NDArray[np.bool_]) -> SolvedWay:
    """A plan under a given policy of its gates."""
    result = solve(decided(plan, go).problem)
    return _solved(world, name, plan, go=go, result=result, gates=(), bound=result.lower_bound_usd)


def _solved(
    world: World, name: str, plan: Plan, go: NDArray[np.bool_], result: PlanResult,
    gates: tuple[ProjectPlan, ...], bound: float,
) -> SolvedWay:
    if not np.isfinite(result.objective_usd):
        raise DoesNotFit(*_faults(name, result))
    done = decided(plan, go)
    return SolvedWay(
        name=name, plan=done, result=result, paths=paths_of(world.case, done, result),
        policy=policy_of(world, plan, go), gates=gates, lower_bound_usd=bound)


def solved_plan(world: World, name: str, plan: Plan) -> SolvedWay:
    """Solve one plan of the way `name`, the gates of its programmes included.

    Unserved demand has a price, so that a plan always exists unless a budget forbids it; raises
    `DoesNotFit` when there is none, with what must give.
    """
    if not plan.projects:
        return _under(world, name, plan, np.zeros((0, plan.problem.tree.size), dtype=bool))
    problem = undecided(world, plan)
    best_policy = search(problem)
    gates = (
        _with_sunk(plan, project_plans(problem, best_policy.go))
        if best_policy.plan.status.is_ok
        else ()
    )
    return _solved(
        world, name, plan, go=best_policy.go, result=best_policy.plan, gates=gates,
        bound=best_policy.lower_bound_usd,
    )


def _with_sunk(plan: Plan, gates: tuple[ProjectPlan, ...]) -> tuple[ProjectPlan, ...]:
    """The gates with what a programme begun in any case spends up to the first branching.

    One that no gate then carries on is given up for certain.
    """
    return tuple(gate if project.sunk_usd is None else _begun(gate, project.sunk_usd)
                 for gate, project in zip(gates, plan.projects, strict=True))


def _begun(gate: ProjectPlan, sunk_usd: float) -> ProjectPlan:
    carried_on = gate.start_probability > 0.0
    return replace(
        gate, start_probability=1.0,
        give_up_probability=gate.give_up_probability if carried_on else 1.0,
        committed_usd=gate.committed_usd + sunk_usd,
        expected_spend_usd=gate.expected_spend_usd + sunk_usd,
        worst_spend_usd=gate.worst_spend_usd + sunk_usd,
    )


def _faults(name: str, result: PlanResult) -> list[Fault]:
    place = f"plan of {name}"
    if result.shortfalls:
        return [
            Fault(
                place, f"no plan keeps within {item.family} {item.name}",
                f"{item.amount:,.4g} more over the horizon",
                "loosen this limit of the case"
                + ("" if item.alone else ", together with the others named"),
            )
            for item in result.shortfalls
        ]
    return [Fault(place, f"the solver ended with status {result.status}", "an optimal plan",
                  "look for an input many powers of ten from the others, unserved prices first")]


def best_of(solved: list[SolvedWay]) -> SolvedWay:
    """The one with the lowest objective, the first among those that differ by less than 1e-9 of
    it."""
    best = solved[0]
    for way in solved[1:]:
        if way.result.objective_usd < best.result.objective_usd - 1e-9 * abs(
            best.result.objective_usd
        ):
            best = way
    return best
