"""A plan's programme kept in the solver: other bounds and other objectives, each from the last
basis."""

from __future__ import annotations

import highspy
import numpy as np

from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.problem.costs import Decisions, constant_costs, path_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.project import refuse_projects
from fabless.plan.problem.service import Index, service
from fabless.plan.problem.trees import segments
from fabless.plan.solve.highs import row_units, simplex_solver, solver_model, solver_of
from fabless.plan.solve.solve import DECIDED
from fabless.records import Array

_DUAL, _PRIMAL = 1, 4
"""HiGHS's numbers for the dual simplex, which starts well from other bounds, and for the primal
one, which starts well from another objective."""
_CERTAIN = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnbounded)


class HeldPlan:
    """A problem without projects in the solver.

    It stays as it was given: whatever a question changes is put back before the answer is returned.
    """

    def __init__(self, problem: PlanProblem, start: HeldPlan | None = None) -> None:
        """Solve `problem`, from the basis of `start` where one is given whose programme has the
        same columns and rows."""
        refuse_projects(problem.projects, "HeldPlan")
        self.problem = problem
        self._constant = constant_costs(problem)
        self.program: Program = assemble(problem, service(problem), self._constant)
        self._row_unit = row_units(self.program)
        self.solver = solver_of(solver_model(self.program, self._row_unit))
        if start is not None and start._shape == self._shape:
            self.solver.setOptionValue("presolve", "off")
            self.solver.setBasis(start.solver.getBasis())
        self.objective_usd = self._run()
        """Least objective [USD]; inf where no plan exists."""
        self.value = self._value()
        """Values of the columns in natural units."""
        self.solver.setOptionValue("presolve", "off")

    @property
    def _shape(self) -> tuple[int, int]:
        return self.program.cost.size, self.program.row_lower.size

    def decisions(self) -> Decisions:
        """What the plan decides, each family over its full shape."""
        return Decisions(**{field: self._spread(family) for field, family in DECIDED.items()})

    def _spread(self, family: str) -> Array:
        index = self.program.columns[family].index
        return np.where(index >= 0, self.value[index], 0.0)

    def path_cost_usd(self, value: Array) -> Array:
        """Discounted cost of each path (leaves,) under values of the columns."""
        cost = self._constant.copy()
        for family in self.program.columns.values():
            amount = value[family.index[family.index >= 0]]
            cost += np.bincount(family.node, weights=family.cost * amount, minlength=cost.size)
        return path_costs(self.problem.tree, cost)

    def without(self, columns: Index) -> tuple[float, Array]:
        """Objective and path costs (leaves,) with some columns held at zero; inf and none where no
        plan exists then."""
        where, kept = columns.astype(np.int32), self.program.upper / self.program.unit
        none = np.zeros(where.size)
        self.solver.setOptionValue("simplex_strategy", _DUAL)
        basis = self.solver.getBasis()
        self.solver.changeColsBounds(where.size, where, none, none)
        objective = self._run()
        costs = self.path_cost_usd(self._value()) if np.isfinite(objective) else np.zeros(0)
        self.solver.changeColsBounds(where.size, where, self.program.lower[columns] /
                                     self.program.unit[columns], kept[columns])
        self.solver.setBasis(basis)
        return objective, costs

    def _run(self) -> float:
        ended = _ended(self.solver)
        if ended == highspy.HighsModelStatus.kInfeasible:
            return float("inf")
        if ended != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"a change of a plan that has an optimum was not solved: {ended}")
        return float(self.solver.getInfo().objective_function_value) * self.program.money

    def _value(self) -> Array:
        return np.array(self.solver.getSolution().col_value) * self.program.unit


class NearOptimal:
    """The plans of a held one whose objective is at most a given number, in a solver of their
    own."""

    def __init__(self, held: HeldPlan, most_usd: float) -> None:
        program = held.program
        self.program = program
        self.solver = simplex_solver()
        self.solver.passModel(held.solver.getLp())
        self.solver.setOptionValue("presolve", "off")
        where, price, besides = _objective_row(held)
        worth = price * program.unit[where]
        scale = float(np.abs(worth).max())
        self.solver.addRow(-highspy.kHighsInf, (most_usd - besides) / scale, where.size,
                           where.astype(np.int32), worth / scale)
        self._best = held.solver.getBasis()
        self._best.row_status = [*self._best.row_status, highspy.HighsBasisStatus.kBasic]
        self.solver.setOptionValue("simplex_strategy", _PRIMAL)
        self.solver.setOptionValue("primal_simplex_bound_perturbation_multiplier", 0.0)

    def extremes(self, columns: Index, weight: Array) -> tuple[float, float]:
        """Least and most of ``sum weight x column`` over the plans; inf where it has no end."""
        every = np.arange(self.program.cost.size, dtype=np.int32)
        goal = np.zeros(every.size)
        goal[columns] = weight * self.program.unit[columns]
        scale = float(np.abs(goal).max()) or 1.0
        self.solver.changeObjectiveOffset(0.0)
        ends = []
        for sign in (1.0, -1.0):
            self.solver.changeColsCost(every.size, every, sign * goal / scale)
            self.solver.setBasis(self._best)  # nearer, as a rule, than the end found before
            ended = _ended(self.solver)
            if ended == highspy.HighsModelStatus.kUnbounded:
                ends.append(-np.inf)
            elif ended != highspy.HighsModelStatus.kOptimal:
                raise RuntimeError(f"the near-optimal plans were not searched: {ended}")
            else:
                ends.append(self.solver.getInfo().objective_function_value * scale)
        return ends[0], -ends[1]


def _ended(solver: highspy.Highs) -> highspy.HighsModelStatus:
    """Run, from the basis at hand and, where that ends nowhere, from nothing."""
    solver.run()
    if solver.getModelStatus() in _CERTAIN:
        return solver.getModelStatus()
    solver.clearSolver()
    solver.run()
    return solver.getModelStatus()


def _objective_row(held: HeldPlan) -> tuple[Index, Array, float]:
    """Columns and prices of the objective as one row with as few entries as there can be, and what
    the objective holds besides.

    Where the plan is averse to risk each path has a column for its whole cost, so that the
    objective is ``(1 - w) sum p path + w threshold + w / (1 - level) sum p tail`` over the leaves.
    Else it is that of the programme.
    """
    program, problem = held.program, held.problem
    if "tail" not in program.columns:
        where = np.flatnonzero(program.cost)
        return where, program.cost[where], program.offset
    tree, weight = problem.tree, problem.cvar_weight
    path, tail = program.columns["path cost"].index, program.columns["tail"].index
    start = np.flatnonzero(path >= 0)
    last = path[start[segments(tree)[tree.leaves]]]
    odds = tree.probability[tree.leaves]
    where = np.concatenate([last, tail[tree.leaves], program.columns["threshold"].index[:1]])
    price = np.concatenate([(1.0 - weight) * odds, weight / (1.0 - problem.cvar_level) * odds,
                            [weight]])
    return where, price, 0.0
