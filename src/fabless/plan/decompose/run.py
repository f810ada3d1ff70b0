"""Large trees: the plan cut at a quarter into a root block and subtrees that are solved one by one,
in parallel.

Benders' decomposition with one cut a subtree (L-shaped, Van Slyke & Wets 1969, SIAM J. Appl. Math.
17; multi-cut, Birge & Louveaux 1988, Eur. J. Oper. Res. 34). A subtree is the whole multi-stage
problem below its node-quarter, so the answer is that of `solve`. The next point is the least of the
cuts within a box around the best plan, which shrinks when the cuts turn out far off (Linderoth &
Wright 2003, Comput. Optim. Appl. 24). More in docs/explanation/scale.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from math import inf, isfinite, isqrt, prod
from pathlib import Path

import numpy as np

from fabless.checkpoint import check_folder
from fabless.digest import digest_of
from fabless.errors import BadValue, Fault
from fabless.executors import Executors, Workers
from fabless.plan.decompose.blocks import Block, Cut, cut, root_block, subtree_block
from fabless.plan.decompose.checkpoint import read_saved, write_saved
from fabless.plan.decompose.descent import Descent, DescentResult, descend
from fabless.plan.decompose.result import result_of
from fabless.plan.decompose.subtree import piece
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.project import refuse_projects
from fabless.plan.problem.service import service
from fabless.plan.result import PlanResult, Status
from fabless.plan.result import relative_gap as gap_of
from fabless.plan.solve.highs import run_solver
from fabless.plan.solve.solve import solve, unplanned
from fabless.records import Array

SAVE_EVERY_S = 2.0
"""Seconds between two writings of the checkpoint."""


@dataclass(frozen=True)
class Bounds:
    """What is proven after an iteration."""

    iteration: int
    lower_usd: float
    """No plan costs less; -inf while nothing is proven."""
    upper_usd: float
    """Objective of the best plan found; inf without one."""
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the objective that a better plan could save at most."""
        return gap_of(self.upper_usd, self.lower_usd) if isfinite(self.upper_usd) else inf


def branching_for(leaves: int, stages: int) -> tuple[int, ...]:
    """Branches of each of `stages` splits that make about `leaves` paths, most of them first.

    The first split takes at least the square root of all paths, since it is the one that draws most
    of what is unknown. Raises `BadValue` for fewer than one path or split.

    >>> branching_for(4096, 4), branching_for(1024, 4), branching_for(243, 4)
    ((64, 4, 4, 4), (38, 3, 3, 3), (20, 3, 2, 2))
    """
    if leaves < 1 or stages < 1:
        raise BadValue(Fault("branching", f"{leaves} paths over {stages} splits",
                             "1 or more of each",
                             "ask for at least one path and one split"))
    later, most = [1] * (stages - 1), isqrt(leaves)
    while True:
        # the earliest of the smallest gets one more, while the first split keeps its share
        grown = sorted(later, reverse=True)
        if not grown:
            break
        grown[grown.index(grown[-1])] += 1
        if prod(grown) > most:
            break
        later = grown
    return (max(1, round(leaves / prod(later))), *later)


def solve_large(
    problem: PlanProblem,
    *,
    executor: Executor | Executors | None = None,
    gap: float = 1e-3,
    checkpoint: Path | None = None,
    progress: Callable[[Bounds], None] | None = None,
    boundary_quarter: int | None = None,
) -> PlanResult:
    """Solve a plan by decomposition: the same answer as `solve`, for trees too large for one
    programme.

    Parameters: `executor` solves the subtrees: None (this process), any executor, or a maker of
    them (see `executors_of`), asked again when one breaks; `gap`, the relative distance of
    objective and lower bound at which it stops; `checkpoint`, a file that is written as it goes on
    and from which it resumes; `progress`, called after each iteration; `boundary_quarter`, where
    the tree is cut (None: at its first split). An interrupt returns the best plan so far, if there
    is one, with status `interrupted`.

    A plan that does not exist or has no end is explained by `solve` on the whole tree, or on one
    path for each subtree where that is enough. Raises `BadValue` for undecided projects or a
    boundary outside the horizon; `BadFile` for a checkpoint of another plan.
    """
    began = time.monotonic()
    refuse_projects(problem.projects, "solve_large")
    whole = cut(problem, boundary_quarter)
    if len(whole.starts) < 2:
        return solve(problem)
    root, thinned = root_block(whole)
    if checkpoint is not None:
        check_folder(checkpoint)
    first = _start(thinned, root)
    if first is None:
        return _explained(problem, thinned, root)
    note = _Note(began, checkpoint, "" if checkpoint is None
                 else digest_of((problem, whole.quarter)), progress)
    best = _searched(whole, root, first, executor=executor, gap=gap, note=note)
    if best is None or best.status in (Status.INFEASIBLE, Status.UNBOUNDED):
        return solve(problem)
    return result_of(whole, root, best)


def _searched(
    whole: Cut, root: Block, first: Array, *, executor: Executor | Executors | None, gap: float,
    note: _Note
) -> DescentResult | None:
    """Search from `first`, or from where the checkpoint stopped; None without a plan. All but the
    plan is let go."""
    pieces = tuple(piece(subtree_block(whole, root, starts)) for starts in whole.starts)
    state = Descent(root, pieces, whole.problem.cvar_level)
    resumed = None if note.path is None else read_saved(note.path, note.digest)
    if resumed is not None:
        state.restore(resumed)
        first = resumed.best if resumed.best.size else first
    with Workers(executor) as workers:
        status = descend(state, first, workers, gap=gap, after=note)
    note.save(state, last=True)
    return state.found(status)


class _Note:
    """Tells and saves the state after an iteration."""

    def __init__(
        self, began: float, path: Path | None, digest: str,
        progress: Callable[[Bounds], None] | None
    ) -> None:
        self.began, self.path, self.digest, self.progress = began, path, digest, progress
        self._written = -np.inf

    def __call__(self, state: Descent) -> None:
        self.save(state, last=False)
        if self.progress is not None:
            self.progress(Bounds(state.iteration, state.lower, state.upper,
                                 time.monotonic() - self.began))

    def save(self, state: Descent, *, last: bool) -> None:
        """Write the checkpoint unless that was a moment ago."""
        if self.path is not None and (last or time.monotonic() - self._written > SAVE_EVERY_S):
            write_saved(self.path, self.digest, state.saved())
            self._written = time.monotonic()


def _start(thinned: PlanProblem, root: Block) -> Array | None:
    """Columns of the root block in the best plan of the thinned problem; None where that has
    none."""
    program = assemble(thinned, service(thinned), constant_costs(thinned))
    solution = run_solver(program)
    if not solution.status.is_ok:
        return None
    value = np.zeros(root.program.cost.size)
    for name, family in root.program.columns.items():
        present = family.index >= 0
        value[family.index[present]] = solution.value[program.columns[name].index[present]]
    return value


def _explained(problem: PlanProblem, thinned: PlanProblem, root: Block) -> PlanResult:
    """Say of the whole why some of its paths alone have no plan."""
    explained = solve(thinned)
    if explained.status is not Status.INFEASIBLE:
        return solve(problem)
    shortfalls = tuple(replace(shortfall, node=int(root.node[shortfall.node]))
                       for shortfall in explained.shortfalls)
    result = unplanned(problem, Status.INFEASIBLE, np.inf, (explained.columns, explained.rows))
    return replace(result, shortfalls=shortfalls)
