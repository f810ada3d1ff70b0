"""The table of answers of the reference case: how far reading between its values is from planning
anew, and how far both are from the full answer.

    python benchmarks/rough_answers.py [--points 100] [--full 0]

Plans every way, makes the table, and plans for random points of it, of one input and of two in turn.
`--full N` also answers the first N points in full (a tree of their own, fresh paths), which takes
about two minutes each. Prints the error of the recommended way's cost of a query, how often the same
way comes first, and processor time.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import Executor

import numpy as np

import fabless as fb
from fabless.case_moves import movable, moved
from fabless.case_records import Case, with_ranges
from fabless.decide.detail import detail_of
from fabless.decide.fresh.judge import Judged, judge
from fabless.decide.questions.answers import (
    Point,
    answers,
    check_points,
    checked_against,
    fresh_levels,
    planner_of,
    read_at,
    values_of,
)
from fabless.decide.results import Answers
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.executors import processes


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--full", type=int, default=0)
    given = parser.parse_args()
    case = fb.case()
    with processes(os.cpu_count() or 1) as pool:
        prepared, choice, judged = in_full(case, pool)
        start = time.perf_counter()
        table = answers(prepared, judged, choice.ways, pool)
        print(f"table of {len(table.inputs)} inputs and {len(table.pairs)} pairs: "
              f"{time.perf_counter() - start:.0f} s on {os.cpu_count()} cores; its own check {table.check}")
        values = {item.name: values_of(movable(prepared.case)[item.name]) for item in table.inputs}
        points = check_points(prepared.case, values, [item.names for item in table.pairs],
                              count=given.points, name="benchmark")
        planner = planner_of(prepared, fresh_levels(prepared.case, judged), judged.best)
        planned = planner.levels(points, pool)
        print("read between the values, beside planning anew:",
              checked_against(prepared.case, table, points, planned))
        for point in points[:given.full]:
            beside_full(prepared, table, judged, point, pool)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{spent.ru_utime + spent.ru_stime:.0f} s of processor time of the workers in all")


def in_full(case: Case, pool: Executor) -> tuple[Prepared, Choice, Judged]:
    """Ways on the tree of a case and on fresh paths."""
    detail = detail_of("standard")
    prepared = prepare(case, fb.load(case.as_of), pool)
    choice = choose(draw_world(prepared), pool, gates=detail.gates)
    return prepared, choice, judge(prepared, choice, detail, pool=pool)


def beside_full(
    prepared: Prepared, table: Answers, usual: Judged, point: Point, pool: Executor
) -> None:
    """One point read off the table, beside its full answer."""
    known = movable(prepared.case)
    ranges = {name: moved(known[name], value) for name, value in point.items()}
    at_point, _, judged = in_full(with_ranges(fb.case(), ranges), pool)
    read = {way.way: way for way in read_at(prepared.case, table, point)}
    full = fresh_levels(at_point.case, judged)
    ahead = min(read, key=lambda way: read[way].total_usd)
    errors = [read[way].total_usd / full[way].total_usd - 1.0 for way in read]
    print({name: f"{value:.4g}" for name, value in point.items()},
          f"first: table {ahead}, full {judged.best}; cost of a query of {usual.best}: "
          f"{read[usual.best].cost_per_query_usd / full[usual.best].cost_per_query_usd - 1.0:+.1%}; "
          f"totals: {min(errors):+.1%} to {max(errors):+.1%}, mean {np.mean(errors):+.1%}")


if __name__ == "__main__":
    main()
