"""One subtree as a linear programme whose row limits depend on the root block: what a worker
solves.

    Q(y) = min c x  subject to  row_lower - T y <= W x <= row_upper - T y,  lower <= x <= upper

Q is convex and piecewise linear in the links y. A solve at y gives its value, a lower bound Q(y) +
g (y' - y) at any other y' from the duals, and, where no x exists, a cut that every y' with one
satisfies. A solve depends on its arguments alone, the start basis among them: where it runs does
not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from fabless.plan.decompose.blocks import Block
from fabless.plan.problem.service import Index
from fabless.plan.result import Status
from fabless.plan.solve.highs import Scaled, row_units, simplex_of, solver_model
from fabless.records import Array

Basis = tuple[NDArray[np.int8], NDArray[np.int8]]
"""State of each column and each row."""

_STATES = (highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic,
           highspy.HighsBasisStatus.kUpper,
           highspy.HighsBasisStatus.kZero, highspy.HighsBasisStatus.kNonbasic)
_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A subtree in the solver's units, and its links."""

    scaled: Scaled
    unit: Array
    money: float
    linked: Index
    """Columns of the root block that its rows name, each once."""
    link_row: NDArray[np.int32]
    link_place: NDArray[np.int32]
    """Place in `linked` of each entry."""
    link_value: Array
    """In the solver's units of the row and natural units of the column."""
    link_cost: Array
    """Cost of a unit of each of `linked` in this subtree, in the solver's units of money."""
    tail: Index
    """Columns of cost above the threshold, one a leaf; empty without risk."""
    path_cost: Index
    """Columns of the cost of the path to each of those leaves."""
    probability: Array
    """Probability of each leaf of the subtree."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SubtreeSolution:
    """A subtree at given links, in natural units."""

    status: Status
    objective: float
    """Cost; the least sum of violations (solver's units) where infeasible."""
    bound: float
    """Lower bound on the cost (or least sum of violations) from the duals."""
    gradient: Array
    """Change of `bound` with each of `linked`."""
    value: Array
    basis: Basis | None


def piece(block: Block) -> Piece:
    """Put a block into the solver's units: powers of two, so that nothing is rounded."""
    small = block.small
    row_unit, links = row_units(small), small.links.tocoo()  # type: ignore[no-untyped-call]
    tail, path_cost, probability = _risk(block)
    return Piece(
        scaled=solver_model(small, row_unit), unit=small.unit, money=small.money,
        linked=block.linked, link_row=links.row.astype(np.int32),
        link_place=links.col.astype(np.int32), link_value=links.data / row_unit[links.row],
        link_cost=small.link_cost / small.money,
        tail=tail, path_cost=path_cost, probability=probability)


def _risk(block: Block) -> tuple[Index, Index, Array]:
    """Columns of tail and path cost, and the probability, of each leaf."""
    if "tail" not in block.program.rows:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    rows, columns = block.program.rows["tail"], block.program.columns["tail"].index
    of_path = rows.value < 0
    order = np.argsort(rows.row[of_path])
    tail, path_cost = columns[rows.node], rows.column[of_path][order]
    column = block.small.column
    return (np.searchsorted(column, tail), np.searchsorted(column, path_cost),
            block.probability[rows.node])


def solve_subtree(given: Piece, links: Array, basis: Basis | None) -> SubtreeSolution:
    """Solve a subtree at `links`, values of its `linked` columns; `basis` is where the simplex
    starts."""
    moved = np.bincount(given.link_row, given.link_value * links[given.link_place],
                        given.scaled.row_lower.size)
    paid = float(given.link_cost @ links)
    shifted = replace(given.scaled, row_lower=given.scaled.row_lower - moved,
                      row_upper=given.scaled.row_upper - moved, offset=given.scaled.offset + paid)
    if np.any(shifted.lower > shifted.upper) or np.any(shifted.row_lower > shifted.row_upper):
        return _none(Status.INFEASIBLE)
    solver = simplex_of(shifted)
    if basis is not None:
        solver.setBasis(_basis(basis))
    solver.run()
    status = _STATUS.get(solver.getModelStatus(), Status.FAILED)
    if status is Status.INFEASIBLE:
        return _violation(given, shifted)
    if status is not Status.OPTIMAL:
        return _none(status)
    solution, info = solver.getSolution(), solver.getInfo()
    if basis is None or info.simplex_iteration_count > 0:
        state = solver.getBasis()
        basis = _states(state.col_status), _states(state.row_status)
    bound, gradient = _bound(given, shifted, np.array(solution.row_dual))
    value = np.clip(np.array(solution.col_value), shifted.lower, shifted.upper) * given.unit
    return SubtreeSolution(
        status=status, objective=info.objective_function_value * given.money,
        bound=(bound + shifted.offset) * given.money,
        gradient=(gradient + given.link_cost) * given.money, value=value, basis=basis)


def _violation(subtree: Piece, shifted: Scaled) -> SubtreeSolution:
    """Least sum by which the linked rows must give; these alone may, as the others do not depend on
    the root block."""
    rows = np.unique(subtree.link_row)
    count, columns = rows.size, shifted.cost.size
    ends = shifted.start[-1] + np.arange(1, 2 * count + 1, dtype=np.int32)
    give = replace(
        shifted, start=np.concatenate([shifted.start, ends]),
        index=np.concatenate([shifted.index, rows, rows]).astype(np.int32),
        value=np.concatenate([shifted.value, np.ones(count), -np.ones(count)]),
        cost=np.concatenate([np.zeros(columns), np.ones(2 * count)]), offset=0.0,
        lower=np.concatenate([shifted.lower, np.zeros(2 * count)]),
        upper=np.concatenate([shifted.upper, np.full(2 * count, np.inf)]))
    solver = simplex_of(give)
    solver.run()
    status = _STATUS.get(solver.getModelStatus(), Status.FAILED)
    if status is not Status.OPTIMAL:
        # infeasible whatever the links: no gradient, no plan at all
        return _none(status)
    bound, gradient = _bound(subtree, give, np.array(solver.getSolution().row_dual))
    least = solver.getInfo().objective_function_value
    return replace(_none(Status.INFEASIBLE), objective=float(least), bound=bound, gradient=gradient)


def _bound(subtree: Piece, shifted: Scaled, row_dual: Array) -> tuple[float, Array]:
    """Value of the dual at `row_dual`, offset left out, and its change with the links through the
    rows.

    A term whose limit is infinite is left out: its dual is zero but for the solver's tolerance.
    """
    cost = shifted.cost
    column = np.repeat(np.arange(cost.size), np.diff(shifted.start))
    reduced = cost - np.bincount(column, shifted.value * row_dual[shifted.index], cost.size)
    total = 0.0
    for dual, low, high in ((row_dual, shifted.row_lower, shifted.row_upper),
                            (reduced, shifted.lower, shifted.upper)):
        limit = np.where(dual > 0, low, high)
        usable = np.isfinite(limit)
        total += float(dual[usable] @ limit[usable])
    gradient = -np.bincount(subtree.link_place, subtree.link_value * row_dual[subtree.link_row],
                            subtree.linked.size)
    return total, gradient.astype(np.float64)


def _none(status: Status) -> SubtreeSolution:
    empty = np.zeros(0)
    return SubtreeSolution(
        status=status, objective=np.nan, bound=np.nan, gradient=empty, value=empty, basis=None
    )


def _states(states: list[highspy.HighsBasisStatus]) -> NDArray[np.int8]:
    return np.array([int(state) for state in states], dtype=np.int8)


def _basis(basis: Basis) -> highspy.HighsBasis:
    made = highspy.HighsBasis()
    made.col_status, made.row_status = ([_STATES[i] for i in states] for states in basis)
    made.valid = True
    return made
