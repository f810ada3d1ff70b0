"""One linear programme through HiGHS: scaled on the way in, in natural units on the way out."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.result import Status
from fabless.plan.solve.compact import Compact, compact
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


Linear = Program | Compact
"""A linear programme in natural units, whole or without what follows from the rest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaled:
    """A linear programme in the solver's units, its matrix by column."""

    start: NDArray[np.int32]
    index: NDArray[np.int32]
    value: Array
    cost: Array
    offset: float
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array


def run_solver(program: Program, progress: Tell = None, plain: Array | None = None) -> Solution:
    """Solve by dual simplex with devex pricing.

    `plain` are prices of the rows that need no solver, for the bound (see
    `lower_bound.plain_prices`).
    """
    plain = np.zeros(program.row_lower.size) if plain is None else plain
    if np.any(program.lower > program.upper) or np.any(program.row_lower > program.row_upper):
        return _nothing(Status.INFEASIBLE)
    small = compact(program)
    row_unit = row_units(small)
    scaled = solver_model(small, row_unit)
    solver = simplex_of(scaled, progress)
    solver.run()
    if solver.getModelStatus() not in _STATUS:
        # seldom: numbers so far apart that the simplex wants its own scaling and presolve
        solver = solver_of(scaled, progress)
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            solver.setOptionValue("presolve", "off")
            solver.run()
    status = _STATUS.get(solver.getModelStatus(), Status.FAILED)
    if status is not Status.OPTIMAL:
        return _nothing(status)
    solution = solver.getSolution()
    inner = np.clip(np.array(solution.col_value) * small.unit, small.lower, small.upper)
    value = small.values(inner, np.zeros(0))
    value = np.clip(value, program.lower, program.upper)
    objective = program.offset + float(program.cost @ value)
    price = small.prices(np.array(solution.row_dual) * small.money / row_unit)
    bound = dual_bound(program, price, plain)
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


def simplex_solver(progress: Tell = None) -> highspy.Highs:
    """Make a simplex solver without a programme, silent but for lines to `progress`."""
    solver = silent_solver()
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("output_flag", progress is not None)
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("simplex_dual_edge_weight_strategy", DEVEX)
    if progress is not None:
        solver.cbLogging.subscribe(lambda event: progress(event.message.strip()))
    return solver


def solver_of(scaled: Scaled, progress: Tell = None) -> highspy.Highs:
    """Hand a programme in the solver's units to a simplex solver, silent but for lines to
    `progress`."""
    solver = simplex_solver(progress)
    # arrays go over at once this way, in the solver's order; field by field they would be copied
    # number by number
    given: tuple[Any, ...] = (
        scaled.cost.size, scaled.row_lower.size, scaled.value.size,
        int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize),
        scaled.offset, scaled.cost, scaled.lower, scaled.upper, scaled.row_lower, scaled.row_upper,
        scaled.start, scaled.index, scaled.value, np.zeros(scaled.cost.size, dtype=np.int32))
    solver.passModel(*given)
    return solver


def simplex_of(scaled: Scaled, progress: Tell = None) -> highspy.Highs:
    """A solver that goes straight to the simplex: what `compact` leaves has nothing for presolve,
    and is scaled."""
    solver = solver_of(scaled, progress)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("simplex_scale_strategy", 0)
    return solver


def _nothing(status: Status) -> Solution:
    return Solution(status, np.nan, -np.inf, np.zeros(0))


def row_units(program: Linear) -> Array:
    """Power of two by which the solver divides each row, so that its largest entry is near 1."""
    by_row = program.matrix.tocsr()  # type: ignore[no-untyped-call]
    largest = np.zeros(by_row.shape[0])
    used = np.diff(by_row.indptr) > 0
    size = np.abs(by_row.data) * program.unit[by_row.indices]
    largest[used] = np.maximum.reduceat(size, by_row.indptr[:-1][used]) if used.any() else 0.0
    return power_of_two(largest)


def solver_model(program: Linear, row_unit: Array) -> Scaled:
    """Put the programme into the solver's units; powers of two, so that nothing is rounded."""
    matrix, unit, money = program.matrix, program.unit, program.money
    return Scaled(
        start=matrix.indptr.astype(np.int32), index=matrix.indices.astype(np.int32),
        value=matrix.data * np.repeat(unit, np.diff(matrix.indptr)) / row_unit[matrix.indices],
        cost=program.cost * unit / money, offset=program.offset / money,
        lower=program.lower / unit, upper=program.upper / unit,
        row_lower=program.row_lower / row_unit, row_upper=program.row_upper / row_unit)
