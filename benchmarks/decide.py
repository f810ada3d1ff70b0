"""Time of a decision by its parts, the programmes it solves, and how a programme grows.

    python benchmarks/decide.py [quick standard ...] [--workers 2] [--no-growth]

For each level of detail of the reference case: seconds of the clock and of all processors for each
part (a part is what goes on between two lines of progress; the report comes last), the linear
programmes solved in it, from nothing and from a basis, and milliseconds each. Then one plan of
`diversify` on growing trees, horizons and lists of lines: columns, seconds of a processor, the
exponent of their growth, and the time that HiGHS and scipy's linprog take for the same matrix with
their own defaults. A machine that other programs share shows it in the seconds of the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import highspy
import numpy as np
from scipy.optimize import linprog

import fabless as fb
from fabless.case_records import Case
from fabless.decide import decide
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.executors import processes
from fabless.plan import PlanProblem, branching_for, solve
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.highs import row_units, silent_solver, solver_model, solver_of
from fabless.report import write_report
from fabless.strategy import Commitment, commitments


@dataclass
class Spent:
    """What a part took."""

    clock_s: float = 0.0
    processor_s: float = 0.0
    cold: int = 0
    warm: int = 0
    solver_s: float = 0.0
    worker_gib: float = 0.0
    """Peak memory of the process that did the work, the largest of them."""

    def add(self, other: Spent) -> None:
        self.clock_s += other.clock_s
        self.processor_s += other.processor_s
        self.cold += other.cold
        self.warm += other.warm
        self.solver_s += other.solver_s
        self.worker_gib = max(self.worker_gib, other.worker_gib)


def counted(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Spent]:
    """Call a function and say what it took; its programmes are counted where the solver runs."""
    spent, run = Spent(), highspy.Highs.run

    def counting(solver: highspy.Highs) -> Any:
        warm, start = solver.getBasis().valid, time.process_time()
        status = run(solver)
        spent.solver_s += time.process_time() - start
        if warm:
            spent.warm += 1
        else:
            spent.cold += 1
        return status

    highspy.Highs.run = counting
    start = time.process_time()
    try:
        result = function(*arguments)
    finally:
        highspy.Highs.run = run
    spent.processor_s = time.process_time() - start
    spent.worker_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return result, spent


@dataclass
class Measured(Executor):
    """An executor that books what its work takes under the part that is going on."""

    inner: Executor
    parts: dict[str, Spent] = field(default_factory=dict)
    part: str = "start"
    _began: float = field(default_factory=time.perf_counter)
    _main: float = field(default_factory=time.process_time)

    @property
    def _max_workers(self) -> int:
        return self.inner._max_workers

    def tick(self, name: str) -> None:
        """Close a part and begin the next."""
        clock, processor = time.perf_counter(), time.process_time()
        self.booked(self.part, Spent(clock - self._began, processor - self._main))
        self.part, self._began, self._main = name, clock, processor

    def booked(self, part: str, spent: Spent) -> None:
        self.parts.setdefault(part, Spent()).add(spent)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        part = self.part

        def done(inner: Future[Any]) -> None:
            if inner.cancelled():
                outer.cancel()
                return
            error = inner.exception()
            if error is not None:
                outer.set_exception(error)
                return
            result, spent = inner.result()
            self.booked(part, spent)
            outer.set_result(result)

        self.inner.submit(counted, partial(function, **named), *arguments).add_done_callback(done)
        return outer


def decision(case: Case, detail: str, workers: int) -> None:
    """Print what a decision takes by its parts."""
    with processes(workers) as pool:
        measured = Measured(pool)
        found = decide(case, detail=detail, executor=measured, progress=measured.tick)
        measured.tick("report")
        with tempfile.TemporaryDirectory() as folder:
            write_report(found, Path(folder) / "report.html")
        measured.tick("end")
    total = Spent()
    print(f"{detail}, load {os.getloadavg()[0]:.1f}")
    print(f"  {'part':<52}{'clock':>8}{'processor':>11}{'cold':>6}{'warm':>6}{'ms each':>9}")
    for name, spent in [*measured.parts.items(), ("in all", total)]:
        each = 1e3 * spent.solver_s / max(spent.cold + spent.warm, 1)
        print(f"  {name[:50]:<52}{spent.clock_s:>8.2f}{spent.processor_s:>11.2f}{spent.cold:>6}"
              f"{spent.warm:>6}{each:>9.1f}")
        total.add(spent)


def growth(case: Case) -> None:
    """Print how one plan grows with leaves, quarters and lines."""
    prepared = prepare(case, fb.load(case.as_of))
    chosen = commitments(prepared.case, "diversify")[0]
    splits = len(case.branching)
    sizes = (12, 24, 48, 96)
    small = branching_for(24, splits)
    exponent("leaves", sizes, [
        plan_of(draw_world(prepared, branching=branching_for(n, splits)), chosen).problem for n in sizes])
    quarters = (20, 26, 32)
    exponent("quarters", quarters, [
        plan_of(draw_world(prepare(replace(case, quarters=n), fb.load(case.as_of)), branching=small),
                chosen).problem for n in quarters])
    world, lines = draw_world(prepared, branching=small), chosen.lines
    counts = tuple(sorted({max(1, len(lines) // 4), len(lines) // 2, len(lines)}))
    exponent("lines", counts,
             [plan_of(world, Commitment(lines[:n], (), contracts=())).problem for n in counts])


def exponent(name: str, sizes: tuple[int, ...], problems: list[PlanProblem]) -> None:
    """Print size and time of the plans of growing problems."""
    print(f"{name:>9}  columns    rows  seconds  HiGHS, times as long  linprog, times as long")
    taken = []
    for size, problem in zip(sizes, problems, strict=True):
        start = time.process_time()
        result = solve(problem)
        taken.append(time.process_time() - start)
        bare, scipy_s = peers(problem, result.objective_usd)
        print(f"{size:>9} {result.columns:>8} {result.rows:>7} {taken[-1]:>8.3f} "
              f"{bare / taken[-1]:>21.1f} {scipy_s / taken[-1]:>23.1f}")
    slope = np.polyfit(np.log(sizes), np.log(taken), 1)[0]
    print(f"  time grows with {name} to the {slope:.2f}")


def peers(problem: PlanProblem, objective: float) -> tuple[float, float]:
    """Seconds of HiGHS and of linprog for the whole programme, with their own defaults; the optima
    must agree."""
    program = assemble(problem, service(problem), constant_costs(problem))
    unit = row_units(program)
    solver = solver_of(solver_model(program, unit))
    fresh = silent_solver()
    fresh.passModel(solver.getLp())
    start = time.process_time()
    fresh.run()
    bare = time.process_time() - start
    assert abs(fresh.getInfo().objective_function_value * program.money / objective - 1.0) < 1e-6
    equal = program.row_lower == program.row_upper
    above, below = ~equal & np.isfinite(program.row_upper), ~equal & np.isfinite(program.row_lower)
    scaled = (program.matrix.multiply(program.unit).tocsr().multiply(1.0 / unit[:, None])).tocsr()
    bounds = np.stack([program.lower, program.upper], axis=1) / program.unit[:, None]
    start = time.process_time()
    found = linprog(
        program.cost * program.unit / program.money,
        A_ub=_stacked(scaled[above], -scaled[below]),
        b_ub=np.concatenate([(program.row_upper / unit)[above], -(program.row_lower / unit)[below]]),
        A_eq=scaled[equal], b_eq=(program.row_lower / unit)[equal], bounds=bounds, method="highs-ds")
    taken = time.process_time() - start
    assert abs((found.fun * program.money + program.offset) / objective - 1.0) < 1e-6
    return bare, taken


def _stacked(upper: Any, lower: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([upper, lower]).tocsr()


def main() -> None:
    """Measure."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("details", nargs="*", default=["quick", "standard"])
    ask.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    ask.add_argument("--no-growth", action="store_true")
    given = ask.parse_args()
    case = fb.case()
    for detail in given.details:
        decision(case, detail, given.workers)
    if not given.no_growth:
        growth(case)


if __name__ == "__main__":
    main()
