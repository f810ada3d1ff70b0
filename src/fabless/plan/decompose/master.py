"""The root block with a lower bound on each subtree made of cuts: what Benders calls the master."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np

from fabless.plan.decompose.checkpoint import CutRow
from fabless.plan.lp.assemble import Program
from fabless.plan.lp.columns import power_of_two
from fabless.plan.problem.service import Index
from fabless.plan.solve.highs import row_units, solver_model, solver_of
from fabless.records import Array

_OPEN = (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True, eq=False)
class Guess:
    """The least of the bounds."""

    lower: float
    """No plan costs less; -inf while the cuts leave the bounds open."""
    value: Array
    """Columns of the root block."""


class Master:
    """The master programme, kept in the solver so that each solve starts where the last one
    ended."""

    def __init__(self, root: Program, subtrees: int, size: float) -> None:
        """Take the root block, the number of subtrees, and about what one costs."""
        self.root, self.subtrees = root, subtrees
        self.columns = root.cost.size
        self._money = float(power_of_two(size))
        self._solver = solver_of(solver_model(replace(root, money=self._money), row_units(root)))
        self._solver.setOptionValue("simplex_dual_edge_weight_strategy", -1)
        for _ in range(subtrees):
            # free only once it has a cut: see `add`
            self._solver.addVar(0.0, 0.0)
        self._open = set(range(subtrees))
        self._reach = 1.0

    def add(self, row: CutRow, linked: Index) -> None:
        """Add ``cost of the subtree >= bound + gradient (y - links)``, or that the right side is at
        most 0."""
        scaled = row.gradient * self.root.unit[linked]
        constant = row.bound - float(row.gradient @ row.links)
        if row.feasibility:
            used, size = scaled != 0.0, float(power_of_two(np.max(np.abs(scaled), initial=0.0)))
            columns = linked[used].astype(np.int32)
            self._solver.addRow(-highspy.kHighsInf, -constant / size, columns.size, columns,
                                scaled[used] / size)
            return
        place = self.columns + row.subtree
        if row.subtree in self._open:
            self._open.discard(row.subtree)
            self._solver.changeColBounds(place, -highspy.kHighsInf, highspy.kHighsInf)
            self._solver.changeColCost(place, 1.0)
        used = scaled != 0.0
        columns = np.append(linked[used], place).astype(np.int32)
        self._solver.addRow(constant / self._money, highspy.kHighsInf, columns.size, columns,
                            np.append(-scaled[used] / self._money, 1.0))

    def solve(self, centre: Array) -> Guess | None:
        """Minimise; None where no plan satisfies the cuts.

        While the cuts leave a direction open the columns are kept in a box around `centre`, wider
        each time; the bound is then -inf.
        """
        self._solver.run()
        opened = self._solver.getModelStatus() in _OPEN
        if opened:
            reach = self._reach * np.maximum(np.abs(centre), self.root.unit)
            self._reach *= 4.0
            self._box(centre, reach)
            self._solver.run()
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        guess = self._read(-np.inf if self._open or opened else self._proven())
        if opened:
            self._unbox()
        return guess

    def within(self, centre: Array, reach: Array) -> Array:
        """Columns of the root block at the least of the cuts within `reach` of `centre`, itself a
        plan."""
        self._box(centre, reach)
        self._solver.run()
        value = self._read(-np.inf).value
        self._unbox()
        return value

    def _proven(self) -> float:
        return float(self._solver.getInfo().objective_function_value * self._money)

    def _read(self, lower: float) -> Guess:
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"the bounds on the subtrees could not be minimised: {status}")
        root = self.root
        value = np.clip(np.array(self._solver.getSolution().col_value)[: self.columns] * root.unit,
                        root.lower, root.upper)
        return Guess(lower, value)

    def _box(self, centre: Array, reach: Array) -> None:
        self._bound(np.maximum(self.root.lower, centre - reach),
                    np.minimum(self.root.upper, centre + reach))

    def _unbox(self) -> None:
        self._bound(self.root.lower, self.root.upper)

    def _bound(self, lower: Array, upper: Array) -> None:
        number = np.arange(self.columns, dtype=np.int32)
        self._solver.changeColsBounds(self.columns, number, lower / self.root.unit,
                                      upper / self.root.unit)
