"""What it costs to take a first action a quarter later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fabless.decide.results import Action
from fabless.decide.ways.gates import decided
from fabless.decide.ways.paths import error_over_branches
from fabless.decide.ways.problem import World, plan_of
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import solve
from fabless.plan.problem.costs import path_costs, risk_adjusted
from fabless.plan.solve.held import HeldPlan
from fabless.records import Array
from fabless.units import QUARTER_S, Quarter

SURE = 2.0
"""Standard errors from which a cost can be told from nothing."""


def with_delay_costs(
    actions: Sequence[Action], world: World, solved: SolvedWay
) -> tuple[Action, ...]:
    """The actions of a solved way on its own scenarios, each with the rise of the objective if it
    can only be taken a quarter later.

    An order or a draw: the offer is closed in the quarter of the action. A contract: it cannot be
    signed in that quarter. A second software stack: the line opens a quarter later, and its spend
    begins so. A programme: it starts at the first branching, or never, whichever costs less. All
    else is planned anew each time; a rise within two of its standard errors counts as 0.
    """
    if not actions:
        return ()
    held = HeldPlan(solved.plan.problem)
    usual = held.path_cost_usd(held.value)
    branches = int((held.problem.tree.quarter == world.case.boundaries[0]).sum())
    return tuple(_delayed(action, world, solved, held, usual=usual, branches=branches)
                 for action in actions)


def _delayed(
    action: Action, world: World, solved: SolvedWay, held: HeldPlan, *, usual: Array,
    branches: int
) -> Action:
    objective, costs = _later(action, world, solved, held)
    if not np.isfinite(objective):
        return replace(action, delay_cost_usd=np.inf, delay_error_usd=0.0)
    rise, error = objective - held.objective_usd, error_over_branches(costs, usual, branches)
    least = max(SURE * error, 1e-9 * abs(held.objective_usd))
    return replace(action, delay_cost_usd=rise if abs(rise) > least else 0.0,
                   delay_error_usd=error)


def _later(
    action: Action, world: World, solved: SolvedWay, held: HeldPlan
) -> tuple[float, Array]:
    """Objective and path costs (leaves,) of the best plan that takes an action a quarter later."""
    quarter = Quarter.parse(action.quarter) - world.case.first_quarter
    if action.kind == "start":
        return _started_later(action.about, world, solved)
    if action.kind == "port":
        return _ported_later(action.about, world, solved, held)
    names, family = [offer.name for offer in solved.plan.offers], "orders"
    if action.kind == "signing":
        names, family = [item.offer.name for item in solved.plan.contracts], "level"
    rows = [k for k, name in enumerate(names) if name == action.about]
    return _closed(held, family, rows, quarter)


def _closed(held: HeldPlan, family: str, rows: list[int], quarter: int) -> tuple[float, Array]:
    """Objective and path costs with some orders, or signings, of one quarter held at nothing."""
    index = held.program.columns[family].index[rows][:, held.problem.tree.quarter == quarter]
    return held.without(index[index >= 0])


def _ported_later(
    name: str, world: World, solved: SolvedWay, held: HeldPlan
) -> tuple[float, Array]:
    """The line closed in the first quarter in which it is open, the spend of that quarter saved."""
    line = next(line for line in world.case.lines if line.name == name)
    quarter = max(line.first_quarter - world.case.first_quarter, 0)
    rows = [k for k, offer in enumerate(solved.plan.offers) if offer.pool.line == name]
    objective, costs = _closed(held, "orders", rows, quarter)
    port = world.scenarios.values.lines[name].port
    if port is None or not np.isfinite(objective):
        return objective, costs
    tree = held.problem.tree
    saved = np.where(tree.quarter == quarter, port * QUARTER_S * held.problem.discount[quarter], 0.0)
    later = costs - path_costs(tree, saved)
    return risk_adjusted(held.problem, later, tree.probability[tree.leaves])[0], later


def _started_later(name: str, world: World, solved: SolvedWay) -> tuple[float, Array]:
    """A programme started at the first branching and carried through, or never."""
    commitment, tree = solved.plan.commitment, world.scenarios.tree
    programme = next(item for item in world.case.programmes if item.name == name)
    others = tuple(item for item in commitment.programmes if item.name != name)
    may = (*(item for item in commitment.may_start if item.name != name), programme)
    plan = plan_of(world, replace(commitment, programmes=others, may_start=may))
    usual = {(project.programme, project.start): on
             for project, on in zip(solved.plan.projects, solved.policy.go, strict=True)}
    never = np.array([np.zeros(tree.size, dtype=bool) if project.programme == name
                      else usual[project.programme, project.start] for project in plan.projects])
    next_start = never.copy()
    for row, project in enumerate(plan.projects):
        if (project.programme, project.start) == (name, 1):
            next_start[row] = tree.quarter >= world.case.boundaries[0]
    plans = [solve(decided(plan, go).problem) for go in (never, next_start)]
    best = min(plans, key=lambda result: result.objective_usd)
    return best.objective_usd, best.path_cost_usd
