"""Fresh paths of the reference case: time, memory, the rules side by side and what planning again would bring.

    python benchmarks/fresh.py [PATHS ...] [--checked N] [--again N]      for example: python benchmarks/fresh.py 1000 10000

Plans the portfolio without programmes on the tree of the case. First the whole test with a process a core, for each number
of PATHS: seconds, processor seconds, peak memory of the largest process, the fresh cost beside the one in the tree. Then,
on the first paths of one block, the mean cost of each rule beside perfect information.
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
from fabless.decide.fresh.block import Block, fresh_world, outlooks
from fabless.decide.fresh.run import fresh_test
from fabless.decide.ways.gates import followed
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import plan_of, world
from fabless.decide.ways.solved import Solved, solve_best
from fabless.plan.policy_match import nearest_node
from fabless.plan.rule.merit_order import merit_order
from fabless.plan.rule.replan import perfect_costs, replanned
from fabless.plan.rule.simulate import simulate
from fabless.records import Array
from fabless.strategy import PORTFOLIO, Commitment


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--checked", type=int, default=100)
    parser.add_argument("--again", type=int, default=0)
    given = parser.parse_args()
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    solved = solve_best(world(prepared), PORTFOLIO, (Commitment(prepared.case.lines, ()),))
    print(f"in the tree of {solved.plan.problem.tree.leaves.size} paths: expected cost "
          f"{solved.result.expected_cost_usd / 1e9:.2f}, objective {solved.result.objective_usd / 1e9:.2f} billion USD")
    for paths in given.paths:
        whole(prepared, solved, paths, min(given.checked, paths), given.again)
    if given.checked:
        rules(prepared, solved, given.checked)


def whole(prepared: Prepared, solved: Solved, paths: int, checked: int, again: int) -> None:
    for count in (0, checked) if checked else (0,):
        used = processor_s()
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as executor:
            fresh_test(prepared, solved, paths=2_000, checked=0, executor=executor)  # starts the processes
            start = time.perf_counter()
            found = fresh_test(prepared, solved, paths=paths, checked=count, again=again if count else 0, executor=executor)
            seconds = time.perf_counter() - start
        print(f"{paths:>7,} paths, {count} of them planned with perfect information: {seconds:.1f} s, with the start of the "
              f"processes and 2,000 paths before {processor_s() - used:.1f} processor s, {peak_gib():.2f} GiB a process")
    for name in ("expected_cost_usd", "cvar_usd", "objective_usd"):
        one = getattr(found, name)
        print(f"        {name[:-4]:14} fresh {one.fresh / 1e9:8.2f} in tree {one.in_sample / 1e9:8.2f} "
              f"difference {one.difference / 1e9:+7.2f} +- {one.error / 1e9:.2f} billion USD")
    short = found.missing_share
    print(f"        missing share  fresh {short.fresh:.2%} in tree {short.in_sample:.2%}")
    if found.gap:
        print(f"        above perfect information by {found.gap.mean_usd / 1e9:.2f} +- {found.gap.error_usd / 1e9:.2f}, "
              f"at most {found.gap.upper_usd / 1e9:.2f} ({found.gap.upper_usd / found.gap.perfect_usd:.1%})")
    if found.replanned:
        print(f"        planned again at every branching {found.replanned.expected_cost_usd / 1e9:.2f} "
              f"+- {found.replanned.error_usd / 1e9:.2f}")


def processor_s() -> float:
    """Processor seconds of this process and of those that have ended."""
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def peak_gib() -> float:
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20


def rules(prepared: Prepared, solved: Solved, count: int) -> None:
    block = Block(
        prepared=prepared, commitment=solved.plan.commitment, policy=solved.policy, planned=solved.plan.problem,
        result=solved.result, number=0, count=max(count, 100), seed=1)
    here = fresh_world(block)
    plan = plan_of(here, block.commitment)
    leaves = np.arange(count)
    views = outlooks(here, block.commitment, followed(block.policy, here, plan))

    def cost(orders: Array) -> Array:
        return simulate(plan.problem, orders).path_cost_usd[:count]

    start = time.process_time()
    perfect = perfect_costs(plan.problem, leaves)
    print(f"{'perfect information':34} {perfect.mean() / 1e9:8.2f} billion USD, "
          f"{1e3 * (time.process_time() - start) / count:7.1f} ms a path")
    for name, rule in (
        ("nearest node", lambda: cost(nearest_node(block.planned, block.result, plan.problem))),
        ("merit order", lambda: cost(merit_order(block.planned, block.result, plan.problem, views))),
        ("merit order, again", lambda: cost(merit_order(block.planned, block.result, plan.problem, views))),
        ("planned again at every branching",
         lambda: replanned(block.planned, block.result, plan.problem, views, leaves).path_cost_usd),
    ):
        start = time.process_time()
        found = rule()
        seconds = time.process_time() - start
        ratio = np.quantile(found / perfect, [0.1, 0.5, 0.9])
        print(f"{name:34} {found.mean() / 1e9:8.2f} billion USD, {1e3 * seconds / count:7.1f} ms a path, over perfect "
              f"information P10 {ratio[0]:.3f} P50 {ratio[1]:.3f} P90 {ratio[2]:.3f}")


if __name__ == "__main__":
    main()
