"""Benders' decomposition: cuts of the subtrees, the next point to try, the best plan and the bound
so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabless.executors import Workers
from fabless.plan.decompose.blocks import Block
from fabless.plan.decompose.checkpoint import CutRow, Saved
from fabless.plan.decompose.master import Master
from fabless.plan.decompose.subtree import Basis, Piece, SubtreeSolution, solve_subtree
from fabless.plan.problem.costs import cvar
from fabless.plan.result import Status
from fabless.records import Array

OVERSHOOT = 3.0
"""The box shrinks when a point costs more than the best plan by this many times the gap."""
IDLE = 10
"""Iterations without any change of the bounds after which rounding has the last word."""


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """A plan in parts."""

    value: Array
    """Columns of the root block."""
    answers: tuple[SubtreeSolution, ...]
    objective: float


@dataclass(frozen=True, eq=False)
class DescentResult:
    """What is left of a descent once its parts are let go."""

    status: Status
    plan: SplitPlan
    lower: float


class Descent:
    """The state between iterations."""

    def __init__(self, root: Block, pieces: tuple[Piece, ...], level: float) -> None:
        """Start with no cut and no plan; `level` is that of CVaR."""
        self.root, self.pieces, self.level = root, pieces, level
        self.best: SplitPlan | None = None
        self.lower = -np.inf
        self.cuts: list[CutRow] = []
        self.bases: list[Basis | None] = [None] * len(pieces)
        self.iteration = 0
        self._master: Master | None = None
        self._width = 1.0

    @property
    def upper(self) -> float:
        """Objective of the best plan."""
        return np.inf if self.best is None else self.best.objective

    def restore(self, saved: Saved) -> None:
        """Take up where an earlier run stopped; its best plan is solved again at the next point."""
        self.lower, self.cuts, self.iteration = saved.lower, list(saved.cuts), saved.iteration
        self.bases = list(saved.bases)

    def saved(self) -> Saved:
        """The state as a checkpoint has it."""
        best = np.zeros(0) if self.best is None else self.best.value
        return Saved(best, self.lower, tuple(self.cuts), tuple(self.bases), self.iteration)

    def learn(self, value: Array, answers: tuple[SubtreeSolution, ...]) -> None:
        """Add the cuts of all subtrees at `value`, and keep the plan if it is the best."""
        self.iteration += 1
        if self._master is None:
            size = max((abs(solved.objective) for solved in answers if solved.status.is_ok),
                       default=0.0)
            self._master = Master(self.root.program, len(self.pieces), size)
            for row in self.cuts:
                self._master.add(row, self.pieces[row.subtree].linked)
        for number, (solved, part) in enumerate(zip(answers, self.pieces, strict=True)):
            row = CutRow(number, not solved.status.is_ok, solved.bound, solved.gradient,
                         value[part.linked])
            self.cuts.append(row)
            self._master.add(row, part.linked)
            self.bases[number] = solved.basis or self.bases[number]
        if all(solved.status.is_ok for solved in answers):
            program = self.root.program
            total = program.offset + float(program.cost @ value)
            total += sum(solved.objective for solved in answers)
            total -= self._overpaid(value, answers)
            overshoot = total - self.upper
            far = overshoot > OVERSHOOT * (self.upper - self.lower)
            self._width = self._width / 2.0 if far else min(1.0, 2.0 * self._width)
            if total < self.upper:
                self.best = SplitPlan(value, answers, total)

    def next_point(self, fallback: Array) -> Array | None:
        """Raise the lower bound and give the columns of the root block to try next; None where no
        plan exists."""
        assert self._master is not None
        centre = fallback if self.best is None else self.best.value
        guess = self._master.solve(centre)
        if guess is None:
            return None
        self.lower = max(self.lower, guess.lower)
        if self._width == 1.0 or self.best is None:
            return guess.value
        return self._master.within(centre, self._width * np.abs(guess.value - centre))

    def found(self, status: Status) -> DescentResult | None:
        """The best plan, if there is one."""
        return None if self.best is None else DescentResult(status, self.best, self.lower)

    def _overpaid(self, value: Array, answers: tuple[SubtreeSolution, ...]) -> float:
        """What the CVaR of the plan's own path costs is less than at the threshold of this point:
        the best is read off."""
        threshold = self.root.program.columns.get("threshold")
        if threshold is None:
            return 0.0
        parts = list(zip(self.pieces, answers, strict=True))
        costs = np.concatenate([solved.value[part.path_cost] for part, solved in parts])
        tails = np.concatenate([solved.value[part.tail] for part, solved in parts])
        probability = np.concatenate([part.probability for part in self.pieces])
        number = threshold.index[threshold.index >= 0]
        paid = float(value[number].sum()) + float(probability @ tails) / (1.0 - self.level)
        weight = float(self.root.program.cost[number].sum())
        return weight * max(0.0, paid - cvar(costs, probability, self.level))


def descend(
    state: Descent, first: Array, workers: Workers, *, gap: float, after: Callable[[Descent], None]
) -> Status:
    """Iterate until the gap is proven; the state then holds the best plan and bound.

    `first` is where to begin; `after` is called after each iteration. An interrupt ends it once
    there is a plan.
    """
    try:
        return _descend(state, first, workers, gap, after)
    except KeyboardInterrupt:
        if state.best is None:
            raise
        return Status.INTERRUPTED


def _descend(
    state: Descent, first: Array, workers: Workers, gap: float, after: Callable[[Descent], None]
) -> Status:
    point: Array | None = first
    idle = 0
    while point is not None:
        known = (state.upper, state.lower)
        answers = _answers(state, point, workers)
        odd = next((solved.status
                    for solved in answers
                    if solved.status not in (Status.OPTIMAL, Status.INFEASIBLE)), None)
        if odd is not None:
            return odd
        if any(solved.status is Status.INFEASIBLE and not solved.gradient.size
               for solved in answers):
            return Status.INFEASIBLE
        state.learn(point, answers)
        point = state.next_point(point)
        after(state)
        if state.best is not None and state.upper - state.lower <= gap * abs(state.upper):
            return Status.OPTIMAL
        idle = 0 if (state.upper, state.lower) != known else idle + 1
        if idle == IDLE:
            return Status.FAILED
    return Status.INFEASIBLE


def _answers(state: Descent, point: Array, workers: Workers) -> tuple[SubtreeSolution, ...]:
    """Solve every subtree at a point."""

    def arguments(k: int) -> tuple[Piece, Array, Basis | None]:
        return state.pieces[k], point[state.pieces[k].linked], state.bases[k]

    by_number = dict(workers.results(solve_subtree, range(len(state.pieces)), arguments))
    return tuple(by_number[k] for k in range(len(state.pieces)))
