"""One linear programme through HiGHS: scaled on the way in, in natural units on the way out."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csc_array

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.result import Status
from fabless.plan.solve.lower_bound import dual_bound
from fabless.records import Array

DEVEX = 1
"""HiGHS's number for devex pricing in the dual simplex."""

_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
}
Tell = Callable[[str], None] | None
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, eq=False)
class Solution:
    """The solver's answer in natural units; empty arrays where it has none."""

    status: Status
    objective: float
    bound: float
    """No solution is less; -inf where nothing is proven."""
    value: Array
    """Values of the columns."""


def run_solver(program: Program, progress: Tell = None, plain: Array | None = None) -> Solution:
    """Solve by dual simplex with devex pricing.

    `plain` are prices of the rows that need no solver, for the bound (see
    `lower_bound.plain_prices`).
    """
    plain = np.zeros(program.row_lower.size) if plain is None else plain
    if np.any(program.lower > program.upper) or np.any(program.row_lower > program.row_upper):
        return _nothing(Status.INFEASIBLE)
    solver = solver_of(solver_model(program, row_units(program)), progress)
    # one by one: the solver's own run polishes after postsolve, and may so end at another of
    # several best plans
    solver.presolve()
    if solver.getModelPresolveStatus() == highspy.HighsPresolveStatus.kReduced:
        inner = solver_of(solver.getPresolvedLp(), progress)
        inner.setOptionValue("presolve", "off")
        inner.run()
        ended = inner.getModelStatus()
        if ended == highspy.HighsModelStatus.kOptimal:
            solver.postsolve(inner.getSolution())
    else:
        solver.run()
        ended = solver.getModelStatus()
    if ended == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        solver.setOptionValue("presolve", "off")
        solver.run()
        ended = solver.getModelStatus()
    status = _STATUS.get(ended, Status.FAILED)
    return _read(program, solver, plain) if status is Status.OPTIMAL else _nothing(status)


def _read(program: Program, solver: highspy.Highs, plain: Array) -> Solution:
    solution, row_unit = solver.getSolution(), row_units(program)
    value = np.clip(np.array(solution.col_value) * program.unit, program.lower, program.upper)
    objective = program.offset + float(program.cost @ value)
    bound = dual_bound(program, np.array(solution.row_dual) * program.money / row_unit, plain)
    if np.isinf(bound):
        # no finite corner for a reduced cost of rounding size: what is left is the solver's own
        # word
        bound = objective - abs(objective) * solver.getInfoValue("primal_dual_objective_error")[1]
    return Solution(Status.OPTIMAL, objective, bound, value)


def silent_solver() -> highspy.Highs:
    """Make a solver that prints nothing on standard output.

    Some versions greet there when they are made (1.16 does), where the answer of a ``--json`` run
    stands.
    """
    with _standard_output_aside():
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
    return solver


@contextmanager
def _standard_output_aside() -> Iterator[None]:
    """Send what compiled code writes to descriptor 1 meanwhile to descriptor 2, what it keeps in
    its buffer included."""
    flush = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).fflush
    with _ONE_AT_A_TIME:
        flush(None)
        try:
            kept = os.dup(1)
        except OSError:  # a program without standard output has none to keep clean
            yield
            return
        try:
            with suppress(OSError):  # nor has every program a standard error
                os.dup2(2, 1)
            yield
        finally:
            flush(None)
            os.dup2(kept, 1)
            os.close(kept)


def solver_of(scaled: highspy.HighsLp, progress: Tell = None) -> highspy.Highs:
    """Hand a programme in the solver's units to a simplex solver, silent but for lines to
    `progress`."""
    solver = silent_solver()
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("output_flag", progress is not None)
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("simplex_dual_edge_weight_strategy", DEVEX)
    if progress is not None:
        solver.cbLogging.subscribe(lambda event: progress(event.message.strip()))
    solver.passModel(scaled)
    return solver


def _nothing(status: Status) -> Solution:
    return Solution(status, np.nan, -np.inf, np.zeros(0))


def row_units(program: Program) -> Array:
    """Power of two by which the solver divides each row, so that its largest entry is near 1."""
    largest = np.zeros(program.row_lower.size)
    np.maximum.at(largest, program.row, np.abs(program.value) * program.unit[program.column])
    return power_of_two(largest)


def solver_model(program: Program, row_unit: Array) -> highspy.HighsLp:
    """Hand the programme over in the solver's units; powers of two, so that nothing is rounded."""
    rows, columns = program.row_lower.size, program.cost.size
    value = program.value * program.unit[program.column] / row_unit[program.row]
    entries, shape = (value, (program.row, program.column)), (rows, columns)
    matrix = csc_array(entries, shape=shape)  # type: ignore[no-untyped-call]
    scaled = highspy.HighsLp()
    scaled.num_col_, scaled.num_row_ = columns, rows
    scaled.col_cost_ = program.cost * program.unit / program.money
    scaled.offset_ = program.offset / program.money
    scaled.col_lower_ = program.lower / program.unit
    scaled.col_upper_ = program.upper / program.unit
    scaled.row_lower_ = program.row_lower / row_unit
    scaled.row_upper_ = program.row_upper / row_unit
    scaled.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    scaled.a_matrix_.start_ = matrix.indptr
    scaled.a_matrix_.index_ = matrix.indices
    scaled.a_matrix_.value_ = matrix.data
    return scaled
