"""One linear programme through HiGHS: scaled on the way in, in natural units on the way out."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy.sparse import csc_array

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.result import Status
from fabless.plan.solve.lower_bound import dual_bound
from fabless.records import Array

_DEVEX = 1
"""HiGHS's number for devex pricing in the dual simplex."""
_INTEGER_GAP = 1e-6
"""Relative gap at which a plan with whole orders is taken for the best."""

_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
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
    """Of the columns; of a plan that keeps every limit unless `rough`."""
    column_dual: Array
    """Change of the objective when a bound that holds the column moves up by one."""
    row_dual: Array
    rough: bool
    """Whether the values may break limits: those of a simplex that ran out of time."""


def run(
    program: Program, time_limit_s: float | None = None, progress: Tell = None, plain: Array | None = None
) -> Solution:
    """Solve by dual simplex with devex pricing, by branch and bound where orders are whole.

    The time limit holds for all of it [s]. `plain` are prices of the rows that need no solver, for the bound (see
    `lower_bound.plain_prices`).
    """
    plain = np.zeros(program.row_lower.size) if plain is None else plain
    if np.any(program.lower > program.upper) or np.any(program.row_lower > program.row_upper):
        return _nothing(Status.INFEASIBLE)
    if program.integer.any():
        return _whole(program, time_limit_s, progress, plain)
    return _continuous(program, time_limit_s, progress, plain)


def _continuous(program: Program, time_limit_s: float | None, progress: Tell, plain: Array) -> Solution:
    """Presolve, solve and undo the presolve one by one, so that prices survive a time limit too."""
    started = time.perf_counter()
    row_unit = row_units(program)
    outer = _solver(time_limit_s, progress)
    outer.passModel(model(program, row_unit))
    outer.presolve()
    if outer.getModelPresolveStatus() == highspy.HighsPresolveStatus.kReduced:
        left = None if time_limit_s is None else max(0.0, time_limit_s - (time.perf_counter() - started))
        inner = _solver(left, progress)
        inner.setOptionValue("presolve", "off")
        inner.passModel(outer.getPresolvedLp())
        inner.run()
        ended = inner.getModelStatus()
        if ended in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
            outer.postsolve(inner.getSolution())
    else:
        outer.run()
        ended = outer.getModelStatus()
    if ended == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        outer.setOptionValue("presolve", "off")
        outer.run()
        ended = outer.getModelStatus()
    return _read(program, outer, _STATUS.get(ended, Status.FAILED), plain)


def _read(program: Program, solver: highspy.Highs, status: Status, plain: Array) -> Solution:
    found, row_unit = solver.getSolution(), row_units(program)
    if status not in (Status.OPTIMAL, Status.TIME_LIMIT):
        return _nothing(status)
    prices = np.array(found.row_dual) * program.money / row_unit if found.dual_valid else np.zeros(0)
    bound = dual_bound(program, prices, plain) if found.dual_valid else -np.inf
    if not found.value_valid:
        return replace(_nothing(status), bound=bound)
    value = np.clip(np.array(found.col_value) * program.unit, program.lower, program.upper)
    objective = program.offset + float(program.cost @ value)
    rough = status is Status.TIME_LIMIT
    if np.isinf(bound) and not rough:
        # no finite corner for a reduced cost of rounding size: what is left is the solver's own word
        bound = objective - abs(objective) * solver.getInfoValue("primal_dual_objective_error")[1]
    return Solution(
        status, objective, bound, value,
        np.array(found.col_dual) * program.money / program.unit, prices, rough,
    )


def _whole(program: Program, time_limit_s: float | None, progress: Tell, plain: Array) -> Solution:
    """Find whole orders, then solve for the rest with those held: prices, and values without an integrality tolerance."""
    solver = _solver(time_limit_s, progress)
    solver.setOptionValue("solver", "choose")
    solver.setOptionValue("mip_rel_gap", _INTEGER_GAP)
    solver.passModel(model(program, row_units(program)))
    solver.run()
    status, found, info = _STATUS.get(solver.getModelStatus(), Status.FAILED), solver.getSolution(), solver.getInfo()
    if solver.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        return _continuous(program, time_limit_s, progress, plain)
    bound = info.mip_dual_bound * program.money if np.isfinite(info.mip_dual_bound) else -np.inf
    if not status.is_ok and status is not Status.TIME_LIMIT:
        return _nothing(status)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return replace(_nothing(status), bound=bound)
    whole = np.rint(np.array(found.col_value) * program.unit)
    rest = _continuous(held(program, np.where(program.integer, whole, np.nan)), None, progress, plain)
    return replace(rest, status=status, bound=min(bound, rest.objective))


def held(program: Program, value: Array) -> Program:
    """The programme with columns held at `value` (columns,); those at NaN stay free; nothing is whole any more."""
    fixed = ~np.isnan(value)
    lower, upper = np.where(fixed, value, program.lower), np.where(fixed, value, program.upper)
    return replace(program, lower=lower, upper=upper, integer=np.zeros_like(program.integer))


def silent_solver() -> highspy.Highs:
    """Make a solver that prints nothing on standard output.

    Some versions greet there when they are made (1.16 does), where the answer of a ``--json`` run stands.
    """
    with _standard_output_aside():
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
    return solver


@contextmanager
def _standard_output_aside() -> Iterator[None]:
    """Send what compiled code writes to descriptor 1 meanwhile to descriptor 2, what it keeps in its buffer included."""
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


def _solver(time_limit_s: float | None, progress: Tell) -> highspy.Highs:
    solver = silent_solver()
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("output_flag", progress is not None)
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("simplex_dual_edge_weight_strategy", _DEVEX)
    if time_limit_s is not None:
        solver.setOptionValue("time_limit", time_limit_s)
    if progress is not None:
        solver.cbLogging.subscribe(lambda event: progress(event.message.strip()))
    return solver


def _nothing(status: Status) -> Solution:
    none = np.zeros(0)
    return Solution(status, np.nan, -np.inf, none, none, none, False)


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
    if program.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        scaled.integrality_ = [kinds[int(whole)] for whole in program.integer]
    return scaled
