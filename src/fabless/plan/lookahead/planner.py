"""Orders along paths by a planner who plans again every quarter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import highspy
import numpy as np
from numpy.typing import NDArray

from fabless.errors import DoesNotFit, Fault
from fabless.plan.lookahead.outlook import Outlook, certain, outlook_of
from fabless.plan.lookahead.program import Held, Room, Size, room_for, written
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index
from fabless.plan.rule.simulate import paths_table, simulate_orders
from fabless.plan.solve.highs import DEVEX, silent_solver
from fabless.records import Array, Tree

_BY_COLUMN, _MINIMIZE = 1, 1
Arrays = TypeVar("Arrays", Outlook, Held)
ROUNDING = 1e-9
"""Share of a programme's unit of chips below which an order is rounding."""


@dataclass(frozen=True, eq=False)
class Placed:
    """What a planner decides along N paths, by node-quarter as in `PlanProblem`."""

    orders: Array
    """(O, K) chips ordered."""
    levels: Array
    """(agreements, K) units signed."""
    retired: Array
    """(O, K) chips retired and still within their term."""
    programmes: int
    """Linear programmes solved."""


class Planner:
    """The fleets of N paths as they grow, quarter by quarter."""

    def __init__(self, problem: PlanProblem) -> None:
        """Start with the chips in place."""
        self._problem, self._table = problem, paths_table(problem.tree)
        count, quarters = self._table.shape
        offers, agreements = len(problem.offers), len(problem.agreements)
        in_place = _existing(problem, self._table)
        self._chips = np.concatenate([in_place, np.zeros((offers, count, 1))], axis=2)
        self._ending = np.zeros((offers, count, quarters + 1))
        self._ending[..., 1:quarters] = np.maximum(-np.diff(in_place, axis=2), 0.0)
        self._granted = np.zeros((2, agreements, count, quarters))
        self._orders = np.zeros((offers, count, quarters))
        self._levels = np.zeros((agreements, count, quarters))
        self._retired = np.zeros((offers, count, quarters))
        self._solver = _solver()
        self.programmes = 0

    def place(self, quarter: int, orders: Array, levels: Array, retired: Array) -> None:
        """Enter what is decided in a quarter: chips ordered (O, N), levels signed (A, N), chips
        retired and in their term (O, N)."""
        problem, now = self._problem, self._table[:, quarter]
        quarters = self._table.shape[1]
        self._orders[:, :, quarter] = orders
        self._levels[:, :, quarter] = levels
        self._retired[:, :, quarter] = retired
        later = np.arange(quarters + 1)
        arrives = quarter + problem.lead_quarters[:, now]
        leaves = np.minimum(arrives + problem.term_quarters[:, None], quarters)
        serves = (later >= arrives[..., None]) & (later < leaves[..., None])
        self._chips += serves * orders[..., None]
        self._ending += (later == leaves[..., None]) * orders[..., None]
        for c, agreement in enumerate(problem.agreements):
            since = np.arange(quarters) - quarter - agreement.start_quarters[now][:, None]
            runs = (since >= 0) & (since < agreement.most.size)
            age = np.clip(since, 0, agreement.most.size - 1)
            for k, units in enumerate((agreement.most, agreement.least)):
                self._granted[k, c] += np.where(runs, units[age], 0.0) * levels[c][:, None]

    def decided(self, quarter: int) -> tuple[Array, Array, Array]:
        """What was decided in a quarter: the arguments of `place`."""
        return tuple(values[:, :, quarter]  # type: ignore[return-value]
                     for values in (self._orders, self._levels, self._retired))

    def plan(
        self, quarter: int, outlook: Outlook, known: NDArray[np.bool_] | None = None,
        decided: tuple[Array, Array, Array] | None = None,
    ) -> None:
        """Solve the look-ahead programme of every path in a quarter, and place what is due in it.

        On paths that are `known` (N,) the answer is there already, among those `decided` on all
        paths.
        """
        outlook = _plain(outlook)
        before = self._retired[:, :, quarter - 1]
        held = _plain(Held(
            chips=self._chips[..., quarter:-1], ending=self._ending[..., quarter:-1],
            retired=before, granted=self._granted[0][..., quarter:],
            demanded=self._granted[1][..., quarter:]))
        room = room_for(outlook)
        offers, count = before.shape
        orders, retired = np.zeros((offers, count)), np.zeros((offers, count))
        levels = np.zeros((len(self._problem.agreements), count))
        branches = len(outlook.chance)
        alone = [certain(outlook, b) for b in range(branches)] if branches > 1 else []
        if known is not None and decided is not None:
            for result, answer in zip((orders, levels, retired), decided, strict=True):
                result[:, known] = answer[:, known]
        asked = np.arange(count) if known is None else np.flatnonzero(~known)
        for n in asked:
            sure = np.flatnonzero(outlook.chance[:, n] >= 1.0)
            size = written(alone[sure[0]] if alone and sure.size else outlook, held, n, room)
            value = self._solved(room, size) * size.chips
            for result, column in ((orders, room.order), (levels, room.level),
                                   (retired, room.retired)):
                there = column >= 0
                result[there, n] = value[column[there]]
            floor, cap = outlook.floor[0, :, n, 0], outlook.cap[0, :, n, 0]
            orders[:, n] = np.clip(orders[:, n], floor, np.maximum(floor, cap))
            orders[orders[:, n] < ROUNDING * size.chips, n] = 0.0
            orders[:, n] = np.maximum(orders[:, n], floor)
        self.programmes += asked.size
        self.place(quarter, orders, levels, np.maximum(retired, 0.0))

    def _solved(self, room: Room, size: Size) -> Array:
        solver = self._solver
        columns, rows, entries = size.columns, size.rows, size.entries
        solver.passModel(
            columns, rows, entries, _BY_COLUMN, _MINIMIZE, 0.0, room.cost[:columns],
            room.lower[:columns], room.upper[:columns], room.row_lower[:rows],
            room.row_upper[:rows], room.start[:columns], room.row[:entries], room.value[:entries],
            np.zeros(columns, dtype=np.int32))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            # now and then rounding leaves a reduced cost just beyond its tolerance
            solver.clearSolver()
            solver.setOptionValue("presolve", "on")
            solver.run()
            solver.setOptionValue("presolve", "off")
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise DoesNotFit(Fault(
                "plan along a path", f"the solver ended with status {solver.getModelStatus()}",
                "an optimal plan",
                "look for commitments, power or cash that contradict each other on it"))
        return np.asarray(solver.getSolution().col_value)

    @property
    def placed(self) -> Placed:
        """Everything decided so far."""
        def on_nodes(values: Array) -> Array:
            laid = np.zeros((values.shape[0], self._problem.tree.size))
            laid[:, self._table] = values
            return laid

        return Placed(on_nodes(self._orders), on_nodes(self._levels), on_nodes(self._retired),
                      self.programmes)


def _plain(record: Arrays) -> Arrays:
    """A record with every array in one block that may be written: compiled code is compiled once
    for each layout."""
    return type(record)._make(np.require(part, requirements=["C", "W"]) for part in record)


def _existing(problem: PlanProblem, table: Index) -> Array:
    """Chips in place along each path (O, N, T)."""
    return np.array(problem.existing[:, table])


def _solver() -> highspy.Highs:
    solver = silent_solver()
    for option, value in (("presolve", "off"), ("solver", "simplex"), ("threads", 1),
                          ("simplex_scale_strategy", 0),
                          ("simplex_dual_edge_weight_strategy", DEVEX)):
        solver.setOptionValue(option, value)
    return solver


def planned_along(
    problem: PlanProblem, first: tuple[Array, Array, Array],
    outlooks: Iterable[tuple[int, Outlook]],
) -> Placed:
    """Plan paths whose first-quarter orders, levels and retirement (each (., N)) are given, and
    every later quarter by its outlook."""
    planner = Planner(problem)
    planner.place(0, *first)
    for quarter, outlook in outlooks:
        planner.plan(quarter, outlook)
    return planner.placed


def compile_planner() -> None:
    """Plan one path of two quarters: what is compiled is compiled, or loaded, before it is
    needed."""
    tree = Tree(np.array([-1, 0]), np.array([0, 1]), np.ones(2))
    ones = np.ones((1, 2))
    problem = PlanProblem(
        tree=tree, offers=("chip",), loads=("load",), lead_quarters=np.array(0),
        term_quarters=np.array(1), available=np.array(True), cap=np.array(np.inf), capital_usd=ones,
        running_usd=ones, rate=ones[None], demand=ones, unmet_usd=10.0 * ones, discount=np.array(1.0))
    nothing = np.zeros((1, 1))
    outlook = outlook_of([problem], nothing + 1.0, np.array([[1]]), np.ones((1, 1)))
    placed = planned_along(problem, (nothing, np.zeros((0, 1)), nothing), [(1, outlook)])
    simulate_orders(problem, placed.orders)
