"""One linear programme through HiGHS: scaled on the way in, in natural units on the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csc_array

from fabless.plan.columns import power_of_two
from fabless.plan.program import Program
from fabless.plan.result import Status
from fabless.records import Array

_DEVEX = 1
"""HiGHS's number for devex pricing in the dual simplex."""

_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
}


@dataclass(frozen=True, eq=False)
class Solution:
    """The solver's answer in natural units; empty arrays unless optimal."""

    status: Status
    objective: float
    gap: float
    value: Array
    column_dual: Array
    """Change of the objective when a bound that holds the column moves up by one."""
    row_dual: Array


def run(program: Program, time_limit_s: float | None, progress: Callable[[str], None] | None) -> Solution:
    """Solve by dual simplex with devex pricing, the fastest of those measured in docs/explanation/plan.md."""
    if np.any(program.lower > program.upper) or np.any(program.row_lower > program.row_upper):
        return Solution(Status.INFEASIBLE, np.nan, np.nan, np.zeros(0), np.zeros(0), np.zeros(0))
    row_unit = row_units(program)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("output_flag", progress is not None)
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("simplex_dual_edge_weight_strategy", _DEVEX)
    if time_limit_s is not None:
        solver.setOptionValue("time_limit", time_limit_s)
    if progress is not None:
        solver.cbLogging.subscribe(lambda event: progress(event.message.strip()))
    solver.passModel(model(program, row_unit))
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        solver.setOptionValue("presolve", "off")
        solver.run()
    status = _STATUS.get(solver.getModelStatus(), Status.FAILED)
    if not status.is_ok:
        return Solution(status, np.nan, np.nan, np.zeros(0), np.zeros(0), np.zeros(0))
    found, info = solver.getSolution(), solver.getInfo()
    _, gap = solver.getInfoValue("primal_dual_objective_error")
    value = np.clip(np.array(found.col_value) * program.unit, program.lower, program.upper)
    return Solution(
        status, info.objective_function_value * program.money, float(gap), value,
        np.array(found.col_dual) * program.money / program.unit, np.array(found.row_dual) * program.money / row_unit,
    )


def row_units(program: Program) -> Array:
    """Power of two by which the solver divides each row, so that its largest entry is near 1."""
    largest = np.zeros(program.row_lower.size)
    np.maximum.at(largest, program.row, np.abs(program.value) * program.unit[program.column])
    return power_of_two(largest)


def model(program: Program, row_unit: Array) -> highspy.HighsLp:
    """Hand the programme over in the solver's units; powers of two, so that nothing is rounded."""
    rows, columns = program.row_lower.size, program.cost.size
    value = program.value * program.unit[program.column] / row_unit[program.row]
    matrix = csc_array((value, (program.row, program.column)), shape=(rows, columns))  # type: ignore[no-untyped-call]
    scaled = highspy.HighsLp()
    scaled.num_col_, scaled.num_row_ = columns, rows
    scaled.col_cost_ = program.cost * program.unit / program.money
    scaled.offset_ = program.offset / program.money
    scaled.col_lower_, scaled.col_upper_ = program.lower / program.unit, program.upper / program.unit
    scaled.row_lower_, scaled.row_upper_ = program.row_lower / row_unit, program.row_upper / row_unit
    scaled.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    scaled.a_matrix_.start_ = matrix.indptr
    scaled.a_matrix_.index_ = matrix.indices
    scaled.a_matrix_.value_ = matrix.data
    return scaled
