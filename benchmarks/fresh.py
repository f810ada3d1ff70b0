"""Fresh paths of the reference case: the planner beside perfect information and the merit-order rule.

    python benchmarks/fresh.py [--paths N] [--way NAME]      for example: python benchmarks/fresh.py --paths 320 --way buy

Plans a way without programmes on the tree of the case and carries it out on the same fresh paths by
the planner with one branch and with two, by the rule, and with each path known from the start.
Prints means, paired differences with their standard errors, and processor time a path.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import fabless as fb
from fabless.decide.fresh.block import FreshBlock, work
from fabless.decide.fresh.judge import TUNING
from fabless.decide.fresh.on_paths import risk_adjusted_by_path, standard_error
from fabless.decide.fresh.planned import blocks_of, carried_out, safety_margin, tried
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay, solve_best
from fabless.records import Array
from fabless.strategy import Commitment, commitments


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--paths", type=int, default=320)
    parser.add_argument("--way", default="buy")
    given = parser.parse_args()
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    lines = commitments(prepared.case, given.way)[0].lines
    solved = solve_best(draw_world(prepared), given.way, (Commitment(lines, ()),))
    rule, perfect = by_rule(prepared, solved, given.paths)
    print(f"{given.paths} paths; perfect information {perfect.mean() / 1e9:.2f} billion USD")
    said(prepared, "merit-order rule", rule, rule=rule, perfect=perfect)
    for branches in (1, 2):
        said(prepared, f"planner, {branches} branches", planned(prepared, solved, given.paths, branches),
             rule=rule, perfect=perfect)


def by_rule(prepared: Prepared, solved: SolvedWay, paths: int) -> tuple[Array, Array]:
    """Cost (paths,) by the rule, and the least with each path known."""
    start, parts = time.process_time(), []
    blocks = blocks_of(prepared, (), paths=paths, seed=prepared.case.seed, branches=1, margin=np.ones((1, 1, 1)))
    for block in blocks:
        parts.append(work(FreshBlock(
            prepared=prepared, commitment=solved.plan.commitment, policy=solved.policy,
            planned=solved.plan.problem, result=solved.result, number=block.number, count=block.count,
            seed=block.seed, checked=block.count)))
    print(f"rule and perfect information: {1e3 * (time.process_time() - start) / paths:.1f} ms a path")
    return (np.concatenate([part.cost_usd for part in parts]), np.concatenate([part.perfect_usd for part in parts]))


def planned(prepared: Prepared, solved: SolvedWay, paths: int, branches: int) -> Array:
    """Cost (paths,) by the planner."""
    margin = safety_margin(prepared, prepared.case.seed + TUNING)
    start, costs, programmes = time.process_time(), [], 0
    for block in blocks_of(prepared, [tried(solved)], paths=paths, seed=prepared.case.seed, branches=branches,
                           margin=margin):
        (way,), count = carried_out(block)
        costs.append(way.cost_usd)
        programmes += count
    seconds = time.process_time() - start
    print(f"planner, {branches} branches: {1e3 * seconds / paths:.1f} ms a path, {1e3 * seconds / programmes:.2f} ms a "
          "look-ahead programme, outlooks and sums included")
    return np.concatenate(costs)


def said(prepared: Prepared, name: str, cost: Array, *, rule: Array, perfect: Array) -> None:
    apart = cost - rule
    total, usual = (risk_adjusted_by_path(prepared.case, values) for values in (cost, rule))
    above = cost.mean() / perfect.mean() - 1
    print(f"{name:22} {cost.mean() / 1e9:8.2f} billion USD, {above:.1%} above perfect information; "
          f"less the rule: mean {apart.mean() / 1e6:+8.0f} +- {standard_error(apart) / 1e6:.0f}, total "
          f"{(total - usual).mean() / 1e6:+8.0f} +- {standard_error(total - usual) / 1e6:.0f} million USD")


if __name__ == "__main__":
    main()
