"""Fresh paths of the reference case: time, memory, the rule beside perfect information.

    python benchmarks/fresh.py [PATHS ...] [--checked N]      for example: python benchmarks/fresh.py 1000 10000

Plans the portfolio without programmes on the tree of the case. First the whole test with a process
a core, for each number of PATHS: seconds, processor seconds, peak memory of the largest process,
the fresh cost beside the one in the tree. Then, on the first paths of one block, the mean cost of
the rule beside perfect information.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

import fabless as fb
from fabless.decide.fresh.block import FreshBlock, fresh_world, views_along
from fabless.decide.fresh.run import fresh_test
from fabless.decide.ways.gates import decided, followed
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.decide.ways.solved import SolvedWay, solve_best
from fabless.plan.rule.merit_order import merit_order
from fabless.plan.rule.perfect import perfect_costs
from fabless.plan.rule.simulate import simulate_orders
from fabless.strategy import PORTFOLIO, Commitment


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--checked", type=int, default=100)
    given = parser.parse_args()
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    solved = solve_best(draw_world(prepared), PORTFOLIO, (Commitment(prepared.case.lines, ()),))
    print(
        f"in the tree of {solved.plan.problem.tree.leaves.size} paths: expected cost "
        f"{solved.result.expected_cost_usd / 1e9:.2f}, objective {solved.result.objective_usd / 1e9:.2f} billion USD"
    )
    for paths in given.paths:
        whole(prepared, solved, paths, min(given.checked, paths))
    if given.checked:
        rules(prepared, solved, given.checked)


def whole(prepared: Prepared, solved: SolvedWay, paths: int, checked: int) -> None:
    for count in (0, checked) if checked else (0,):
        used = processor_s()
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as executor:
            fresh_test(prepared, solved, paths=2_000, checked=0, executor=executor)  # starts the processes
            start = time.perf_counter()
            found = fresh_test(prepared, solved, paths=paths, checked=count, executor=executor)
            seconds = time.perf_counter() - start
        print(
            f"{paths:>7,} paths, {count} of them planned with perfect information: {seconds:.1f} s, with the start of the "
            f"processes and 2,000 paths before {processor_s() - used:.1f} processor s, {peak_gib():.2f} GiB a process"
        )
    for name in ("expected_cost_usd", "cvar_usd", "objective_usd"):
        one = getattr(found, name)
        print(
            f"        {name[:-4]:14} fresh {one.fresh / 1e9:8.2f} in tree {one.in_sample / 1e9:8.2f} "
            f"difference {one.difference / 1e9:+7.2f} +- {one.error / 1e9:.2f} billion USD"
        )
    short = found.missing_share
    print(f"        missing share  fresh {short.fresh:.2%} in tree {short.in_sample:.2%}")
    if found.gap:
        print(
            f"        above perfect information by {found.gap.mean_usd / 1e9:.2f} +- {found.gap.error_usd / 1e9:.2f}, "
            f"at most {found.gap.upper_usd / 1e9:.2f} ({found.gap.upper_usd / found.gap.perfect_usd:.1%})"
        )


def processor_s() -> float:
    """Processor seconds of this process and of those that have ended."""
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def peak_gib() -> float:
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20


def rules(prepared: Prepared, solved: SolvedWay, count: int) -> None:
    block = FreshBlock(
        prepared, solved.plan.commitment, solved.policy, solved.plan.problem, solved.result, 0,
        max(count, 100), 1,
    )
    drawn = fresh_world(block)
    plan = plan_of(drawn, block.commitment)
    go = followed(block.policy, drawn, plan)
    plan, views = decided(plan, go), views_along(drawn, block.commitment, go)
    start = time.process_time()
    perfect = perfect_costs(plan.problem, np.arange(count))
    print(f"perfect information {perfect.mean() / 1e9:8.2f} billion USD, "
          f"{1e3 * (time.process_time() - start) / count:7.1f} ms a path")
    for name in ("merit order, with its compilation", "merit order"):
        start = time.process_time()
        orders = merit_order(block.planned, block.result, plan.problem, views)
        cost = simulate_orders(plan.problem, orders).path_cost_usd[:count]
        seconds = time.process_time() - start
        ratio = np.quantile(cost / perfect, [0.1, 0.5, 0.9])
        print(
            f"{name:34} {cost.mean() / 1e9:8.2f} billion USD, {1e3 * seconds / block.count:7.1f} ms a path, over perfect "
            f"information P10 {ratio[0]:.3f} P50 {ratio[1]:.3f} P90 {ratio[2]:.3f}"
        )


if __name__ == "__main__":
    main()
