"""Time and memory of large plans of the reference case by decomposition, beside the same plan as
one programme.

    python benchmarks/decompose.py [LEAVES ...] [--way diversify] [--gap 1e-3] [--workers 2] [--peers highs-simplex,...]

For each number of leaves: iterations, proven gap, seconds of the clock and of all processors, peak
memory of the main process and of the largest worker. Peers solve the same instance, each in a
process of its own with a limit of time: `highs-simplex` and `highs-ipm` (this assembly handed to
HiGHS whole), `linopy` (the second writing of the mathematics in tests/plan_oracle.py), `mpi-sppy`
(its extensive form over pyomo; wants an interpreter that has both, `--mpi-sppy PYTHON`). A machine
that other programs share shows it in the seconds of the clock, hardly in those of the processors.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from decide import Measured

import fabless as fb
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.executors import processes
from fabless.plan import Bounds, PlanProblem, branching_for, solve_large
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.highs import row_units, solver_model, solver_of
from fabless.strategy import PORTFOLIO, Commitment, commitments

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

PEERS = ("highs-simplex", "highs-ipm", "linopy", "mpi-sppy")
HERE = Path(__file__)


def instance(leaves: int, way: str) -> PlanProblem:
    """The plan of a way of the reference case on about that many leaves."""
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    chosen = Commitment(case.lines, ()) if way == PORTFOLIO else commitments(prepared.case, way)[0]
    branching = branching_for(leaves, len(case.branching))
    return plan_of(draw_world(prepared, branching=branching), chosen).problem


def measured(problem: PlanProblem, gap: float, workers: int) -> dict[str, float | str]:
    """Solve by decomposition and say what it took."""
    told: list[Bounds] = []

    def tell(bounds: Bounds) -> None:
        told.append(bounds)
        print(
            f"    {bounds.iteration:>3} {bounds.lower_usd:>16.8g} {bounds.upper_usd:>16.8g} {bounds.gap:>9.2e} "
            f"{bounds.seconds:>7.1f} s",
            flush=True,
        )

    start = time.perf_counter()
    with processes(workers) as pool:
        booked = Measured(pool)
        result = solve_large(problem, gap=gap, executor=booked, progress=tell)
        booked.tick("end")
    seconds, (took,) = time.perf_counter() - start, booked.parts.values()
    return {
        "status": str(result.status), "objective": result.objective_usd, "gap": result.gap,
        "iterations": len(told), "seconds": seconds, "cpu": took.processor_s,
        "columns": result.columns, "rows": result.rows,
        "main_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "worker_gib": took.worker_gib,
    }


def peer(name: str, file: Path) -> None:
    """Solve a pickled instance with one of the peers; print objective, seconds and peak memory as
    JSON."""
    problem: PlanProblem = pickle.loads(file.read_bytes())
    start, spent = time.perf_counter(), time.process_time()
    objective = _linopy(problem) if name == "linopy" else _highs(problem, name.removeprefix("highs-"))
    print(
        json.dumps(
            {
                "objective": objective, "seconds": time.perf_counter() - start,
                "cpu": time.process_time() - spent,
                "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    )


def _highs(problem: PlanProblem, method: str) -> float:
    program = assemble(problem, service(problem), constant_costs(problem))
    solver = solver_of(solver_model(program, row_units(program)))
    solver.setOptionValue("solver", method)
    if method == "ipm":
        solver.setOptionValue("run_crossover", "off")
    solver.run()
    return float(solver.getInfo().objective_function_value * program.money)


def _linopy(problem: PlanProblem) -> float:
    import warnings

    from plan_oracle import oracle_objective

    warnings.simplefilter("ignore")
    return oracle_objective(problem)


def run_peer(name: str, problem: PlanProblem, limit_s: float, python: str) -> str:
    """One line on a peer: its figures, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "instance"
        if name == "mpi-sppy":
            command = [python, str(HERE.with_name("decompose_mpi_sppy.py")), str(file)]
            np.savez(file.with_suffix(".npz"), **paths_of(problem))
        else:
            command = [sys.executable, str(HERE), "--peer", name, str(file)]
            file.write_bytes(pickle.dumps(problem))
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
        except subprocess.TimeoutExpired:
            return f"  {name:<14} not done after {limit_s:.0f} s"
    if done.returncode:
        return f"  {name:<14} failed: {(done.stderr.strip().splitlines() or ['no word'])[-1][:100]}"
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return (
        f"  {name:<14} {found['objective']:>16.10g}  {found['seconds']:>8.1f} s  {found['cpu']:>8.1f} s processor  "
        f"{found['gib']:.2f} GiB"
    )


def paths_of(problem: PlanProblem) -> dict[str, np.ndarray]:
    """Plain arrays of a problem for a program that does not know this package."""
    tree = problem.tree
    names = (
        "lead_quarters", "term_quarters", "available", "cap", "capital_usd", "running_usd", "rate",
        "demand", "unmet_usd", "discount", "existing", "existing_capital_usd", "fixed_usd",
    )
    return {name: np.array(getattr(problem, name)) for name in names} | {
        "parent": tree.parent, "quarter": tree.quarter, "probability": tree.probability,
        "group_of": np.array(
            [[o in members for o in range(len(problem.offers))] for _, members, _ in problem.groups]
        ),
        "group_limit": np.array([limit for _, _, limit in problem.groups]),
        "cvar_weight": np.array(problem.cvar_weight),
        "cvar_level": np.array(problem.cvar_level),
    }


def main() -> None:
    """Measure."""
    if sys.argv[1:2] == ["--peer"]:
        peer(sys.argv[2], Path(sys.argv[3]))
        return
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("leaves", nargs="*", type=int, default=[243, 1024])
    ask.add_argument("--way", default="diversify")
    ask.add_argument("--gap", type=float, default=1e-3)
    ask.add_argument("--workers", type=int, default=2)
    ask.add_argument("--peers", default="highs-simplex,highs-ipm")
    ask.add_argument("--limit", type=float, default=900.0, help="seconds given to a peer")
    ask.add_argument("--mpi-sppy", default=sys.executable, help="interpreter that has mpi-sppy and pyomo")
    given = ask.parse_args()
    for leaves in given.leaves:
        problem = instance(leaves, given.way)
        print(
            f"{given.way}, {problem.tree.leaves.size:,} leaves, {problem.tree.size:,} node-quarters, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        found = measured(problem, given.gap, given.workers)
        print(
            f"  {'decomposition':<14} {found['objective']:>16.10g}  {found['seconds']:>8.1f} s  {found['cpu']:>8.1f} s "
            f"processor  {found['main_gib']:.2f} GiB, workers {found['worker_gib']:.2f} GiB each; {found['status']}, "
            f"gap {found['gap']:.1e}, {found['iterations']} iterations, {found['columns']:,} columns, "
            f"{found['rows']:,} rows",
            flush=True,
        )
        for name in filter(None, given.peers.split(",")):
            print(run_peer(name, problem, given.limit, given.mpi_sppy), flush=True)


if __name__ == "__main__":
    main()
