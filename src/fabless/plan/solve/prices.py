"""What each limit costs: how fast the objective falls as it gives way, and rises as it tightens.

An optimum with several shadow prices has a kink there, as most plans do: the next chip is worth
less than the last one was. So a limit has two prices, and each is a slope of the least cost phi
over the size of the limit, found exactly as the optimum of a linear programme: with x a best plan
and D the change of the bounds,

    phi'(0; D) = min cost d   over the steps d from x that stay, to first order,
                              within the bounds that x uses up

(the dual of the largest D y over all optimal shadow prices y). Any best plan x gives the same
slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.project import refuse_projects
from fabless.plan.problem.service import service
from fabless.plan.result import LimitPrice, PriceRange
from fabless.plan.solve.highs import row_units, solver_model, solver_of
from fabless.plan.solve.limits import LimitFamily, limit_families
from fabless.records import Array

_AT_BOUND = 1e-7
"""Distance from a bound, in the solver's units and relative, that counts as none: the solver's own
tolerance."""
_ROUNDING = 1e-9
"""Slope in the solver's units that counts as none, for a change of size 1."""


def limit_prices(problem: PlanProblem) -> tuple[LimitPrice, ...]:
    """Price every limit that the best plan uses up and that costs money, dearest first; none
    without a best plan.

    Solves the plan, then up to four small changes of it for each limit, from the basis of the last
    one. A limit of zero is not counted: there is nothing to have more or less of.

    >>> from fabless.scenario import chain_tree
    >>> problem = PlanProblem(
    ...     tree=chain_tree(1), offers=("chip",), loads=("queries",), lead_quarters=np.array(0),
    ...     term_quarters=np.array(1), available=np.array(True), cap=np.array(10.0),
    ...     capital_usd=np.array(4.0),
    ...     running_usd=np.array(0.0), rate=np.array(1.0), demand=np.array(10.0),
    ...     unmet_usd=np.array(7.0),
    ...     discount=np.array(1.0))
    >>> (cap,) = limit_prices(problem)
    >>> cap.name, str(cap.unit)
    ('chip', '0 to 3 USD')
    """
    refuse_projects(problem.projects, "limit_prices")
    program = assemble(problem, service(problem), constant_costs(problem))
    face = Face.of(program)
    prices = [] if face is None else [
        price for limits in limit_families(problem, program) for member in np.unique(limits.member)
        if (price := _priced(face, limits, int(member))) is not None]

    def dearness(price: LimitPrice) -> tuple[float, float]:
        return price.percent.looser_usd, price.percent.tighter_usd

    return tuple(sorted(prices, key=dearness, reverse=True))


def _priced(face: Face, limits: LimitFamily, member: int) -> LimitPrice | None:
    """The price of one limit; None where it costs nothing."""
    counted = (limits.member == member) & (limits.size > 0.0) & face.used_up(limits)
    if not counted.any():
        return None
    unit = face.slopes(limits, counted * 1.0)
    if unit.tighter_usd == 0.0:
        return None
    percent = face.slopes(limits, counted * 0.01 * limits.size)
    return LimitPrice(limits.family, limits.members[member], unit, percent)


@dataclass(frozen=True, eq=False)
class Face:
    """A best plan in the solver, and the bounds that it uses up."""

    program: Program
    solver: highspy.Highs
    row_unit: Array
    at: dict[str, NDArray[np.bool_]]
    """Whether the plan lies at the lower and upper ends of rows and columns."""

    @classmethod
    def of(cls, program: Program) -> Face | None:
        """Solve a programme; None where that gives no best plan."""
        row_unit = row_units(program)
        solver = solver_of(solver_model(program, row_unit))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solver.setOptionValue("presolve", "off")  # each change starts from the basis of the last
        solution, scaled = solver.getSolution(), solver.getLp()
        row, column = np.array(solution.row_value), np.array(solution.col_value)
        ends = {"row lower": (row, scaled.row_lower_), "row upper": (row, scaled.row_upper_),
                "lower": (column, scaled.col_lower_), "upper": (column, scaled.col_upper_)}
        return cls(program, solver, row_unit,
                   {name: _at_end(value, np.array(end)) for name, (value, end) in ends.items()})

    def used_up(self, limits: LimitFamily) -> NDArray[np.bool_]:
        """Which of the limits the plan uses up."""
        return self.at[_end_of(limits)][limits.place]

    def slopes(self, limits: LimitFamily, change: Array) -> PriceRange:
        """What limits that give way by `change` save, and what they cost when they tighten by as
        much [USD]."""
        return self.slopes_by_place(limits, change)[0]

    def slopes_by_place(self, limits: LimitFamily, change: Array) -> tuple[PriceRange, Array]:
        """The slopes, and what each limit contributes to what is saved [USD]: shadow prices of an
        optimum at which the sum of them is the slope."""
        added, _ = self._slope(limits, -change)
        slope, parts = self._slope(limits, change)
        return PriceRange(max(0.0, -slope), max(0.0, added)), np.maximum(-parts, 0.0)

    def _slope(self, limits: LimitFamily, change: Array) -> tuple[float, Array]:
        """Rise of the objective as limits give way by `change`, and its parts by limit; inf and
        nothing where no step keeps the others."""
        program, end = self.program, _end_of(limits)
        ends = {name: np.where(at, 0.0, -np.inf if "lower" in name else np.inf)
                for name, at in self.at.items()}
        unit = self.row_unit if limits.side == "row" else program.unit
        shift = change / unit[limits.place] * (-1.0 if limits.side == "lower" else 1.0)
        # slopes are proportional to the change: one of size 1 is far above the solver's tolerance
        size, moved = float(np.abs(shift).max()), shift != 0.0
        ends[end][limits.place[moved]] = shift[moved] / size
        rows = np.arange(self.row_unit.size, dtype=np.int32)
        columns = np.arange(program.unit.size, dtype=np.int32)
        change_rows = self.solver.changeRowsBounds  # type: ignore[attr-defined]
        change_rows(rows.size, rows, ends["row lower"], ends["row upper"])
        self.solver.changeColsBounds(columns.size, columns, ends["lower"], ends["upper"])
        self.solver.changeObjectiveOffset(0.0)
        self.solver.run()
        status = self.solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return np.inf, np.zeros(change.size)
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"the price of the limit {limits.family} was not found: {status}")
        slope = self.solver.getInfo().objective_function_value
        if abs(slope) < _ROUNDING:
            return 0.0, np.zeros(change.size)
        solution = self.solver.getSolution()
        price = np.array(solution.row_dual if limits.side == "row" else solution.col_dual)
        return float(slope * program.money * size), price[limits.place] * shift * program.money


def _end_of(limits: LimitFamily) -> str:
    """Which ends of rows or columns the limits are."""
    return "row upper" if limits.side == "row" else limits.side


def _at_end(value: Array, end: Array) -> NDArray[np.bool_]:
    """Whether each value is at its end, where it has one."""
    finite = np.isfinite(end)
    near = np.where(finite, end, 0.0)
    return finite & (np.abs(value - near) <= _AT_BOUND * (1.0 + np.abs(near)))
