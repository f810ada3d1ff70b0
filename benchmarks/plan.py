"""Time and memory of one plan of the reference case, beside the same mathematics written in linopy.

    python benchmarks/plan.py [BRANCHING ...]        for example: python benchmarks/plan.py 4,1,1,1 20,2,2,1

Prints, for each tree: node-quarters, columns, processor seconds to assemble and in all, the share
of assembly, seconds of linopy (which builds a model and hands it to the same solver), the ratio,
and whether the optima agree. linopy is tried on small trees only.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import fabless as fb
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.solve import solve
from fabless.strategy import commitments

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from plan_oracle import oracle_objective

LINOPY_NODES = 400


def main() -> None:
    """Measure."""
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    print("   branching  nodes  columns assemble s  all s  share linopy s  ratio agree")
    for text in sys.argv[1:] or ["4,1,1,1", "20,2,2,1"]:
        branching = tuple(int(part) for part in text.split(","))
        problem = plan_of(draw_world(prepared, branching=branching), commitments(prepared.case, "diversify")[0]).problem
        assemble(problem, service(problem), constant_costs(problem))  # once unmeasured: libraries load on first use
        start = time.process_time()
        assemble(problem, service(problem), constant_costs(problem))
        assembled = time.process_time() - start
        start = time.process_time()
        result = solve(problem)
        whole = time.process_time() - start
        other, ratio, agree = "", "", ""
        if problem.tree.size <= LINOPY_NODES:
            start = time.process_time()
            optimum = oracle_objective(problem)
            seconds = time.process_time() - start
            other, ratio = f"{seconds:8.2f}", f"{seconds / whole:6.1f}"
            agree = str(abs(optimum - result.objective_usd) <= 1e-6 * abs(optimum))
        cells = f"{text:>12} {problem.tree.size:>6} {result.columns:>8} {assembled:>10.3f} {whole:>6.2f}"
        print(f"{cells} {assembled / whole:>6.1%} {other:>8} {ratio:>6} {agree}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
