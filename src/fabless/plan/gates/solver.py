"""The programme of a plan with gates, kept in the solver: each policy is a change of bounds and a
warm start."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from fabless.plan.gates.policy import Gates, Policy, Prices
from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import service
from fabless.plan.result import Status
from fabless.plan.solve.compact import compact
from fabless.plan.solve.highs import row_units, simplex_of, solver_model
from fabless.records import Array

_STATUS = {highspy.HighsModelStatus.kObjectiveBound: Status.OPTIMAL,
           highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE}
_FAMILIES = ("go", "start", "end")


@dataclass(frozen=True, eq=False)
class SolvedPolicy:
    """One policy, or the relaxation, solved."""

    status: Status
    policy: Array
    """(P, S) whether each project goes on; fractions in the relaxation."""
    objective_usd: float
    """Infinite where the solver stopped because it passes the bound."""
    prices: Prices
    cost: Array
    """(S,) expected discounted cost of each stretch [USD]."""


class Warm:
    """A plan with gates in the solver."""

    def __init__(self, problem: PlanProblem, gates: Gates) -> None:
        self.gates = gates
        self._constant = constant_costs(problem)
        self._probability = problem.tree.probability
        self.program: Program = assemble(problem, service(problem), self._constant)
        self._small = compact(self.program)
        place = np.full(self.program.cost.size + 1, -1)
        place[self._small.column] = np.arange(self._small.column.size)
        self._index = {name: place[self.program.columns[name].index[:, gates.pieces.first]]
                       for name in _FAMILIES}
        self.solver = simplex_of(solver_model(self._small, row_units(self._small)))
        self.solves = 0

    def solve(self, policy: Policy, most_usd: float = np.inf) -> SolvedPolicy:
        """Solve with the gates held at `policy`; give up as soon as the objective must pass
        `most_usd`."""
        rises, falls = self.gates.changes(policy)
        for name, held in zip(_FAMILIES, (policy, rises, falls), strict=True):
            there = self._index[name] >= 0
            self._bound(self._index[name][there], held[there].astype(float),
                        held[there].astype(float))
        return self._run(policy.astype(float), most_usd)

    def relax(self) -> SolvedPolicy:
        """Solve with every gate free between 0 and 1."""
        for index in self._index.values():
            columns = index[index >= 0]
            self._bound(columns, np.zeros(columns.size), np.ones(columns.size))
        step = self._run(np.zeros(self._index["go"].shape), np.inf)
        if step.status is not Status.OPTIMAL:
            return step
        value = np.array(self.solver.getSolution().col_value)
        return SolvedPolicy(step.status, self._spread("go", value), step.objective_usd, step.prices,
                    step.cost)

    def _bound(self, columns: np.ndarray, lower: Array, upper: Array) -> None:
        self.solver.changeColsBounds(columns.size, columns.astype(np.int32), lower, upper)

    def _run(self, policy: Array, most_usd: float) -> SolvedPolicy:
        program, none = self._small, np.zeros_like(policy)
        self.solver.setOptionValue("objective_bound", most_usd / program.money)
        self.solver.run()
        self.solves += 1
        ended = self.solver.getModelStatus()
        if ended != highspy.HighsModelStatus.kOptimal:
            status = _STATUS.get(ended, Status.FAILED)
            return SolvedPolicy(status, policy, np.inf, Prices(none, none, none), np.zeros(0))
        solution = self.solver.getSolution()
        value = np.array(solution.col_value) * program.unit
        dual = np.array(solution.col_dual) * program.money / program.unit
        prices = Prices(*(self._spread(name, dual) for name in _FAMILIES))
        return SolvedPolicy(Status.OPTIMAL, policy,
                    self.solver.getInfo().objective_function_value * program.money, prices,
                    self._cost(program.values(value, np.zeros(0))))

    def _spread(self, name: str, numbers: Array) -> Array:
        index = self._index[name]
        return np.where(index >= 0, numbers[index], 0.0)

    def _cost(self, value: Array) -> Array:
        cost = self._constant.copy()
        for family in self.program.columns.values():
            amounts = value[family.index[family.index >= 0]]
            cost += np.bincount(family.node, weights=family.cost * amounts, minlength=cost.size)
        return np.asarray(np.bincount(self.gates.pieces.own, weights=cost * self._probability),
                          dtype=float)
