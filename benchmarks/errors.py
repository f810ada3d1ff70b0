"""Whether the stated error of a difference holds what other draws give.

    python benchmarks/errors.py [--seeds 24] [--paths 40] [--case CASE]

Answers a case once for each seed as `quick` does: a tree of 12 scenarios and fresh paths, both drawn
by the seed. For every pair of ways: the mean over the seeds of the difference in total, its
spread over the seeds beside the root mean square of the stated errors, and the share of the seeds
whose difference plus or minus two errors holds the mean difference of all the other seeds (95 % would
be right for normal errors; 90 to 99 % is asked for).
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

import fabless as fb
from fabless.decide.detail import DETAILS, fitted
from fabless.decide.fresh.judge import judge
from fabless.decide.questions.plan_errors import plan_errors
from fabless.decide.ways.choice import choose
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world

FIRST = 3_000
"""The first seed: not that of any case."""


@dataclass(frozen=True)
class Held:
    """How well the errors of one pair hold over the seeds."""

    mean: float
    spread: float
    """Standard deviation of the differences over the seeds."""
    error: float
    """Root mean square of the stated errors."""
    share: float
    """Share of the seeds whose two-error interval holds the mean of the others."""


def held(differences: NDArray[np.float64], errors: NDArray[np.float64]) -> Held:
    """How well errors (S,) of differences (S,) hold the mean of the others."""
    others = (differences.sum() - differences) / (differences.size - 1)
    inside = np.abs(differences - others) <= 2.0 * errors
    return Held(float(differences.mean()), float(differences.std(ddof=1)),
                float(np.sqrt((errors**2).mean())), float(inside.mean()))


def one_seed(prepared: Prepared, paths: int, seed: int) -> dict[tuple[str, str], tuple[float, float]]:
    """Difference and stated error of every pair under one seed."""
    detail = replace(DETAILS["quick"], paths=paths)
    case = replace(prepared.case, seed=seed,
                   branching=fitted(detail.branching or (), len(prepared.case.branching)))
    drawn = replace(prepared, case=case)
    choice = choose(draw_world(drawn), None, gates=False)
    with ThreadPoolExecutor(1) as pool:
        judged = judge(drawn, choice, detail, pool=pool)
    judged = replace(judged, plan_error_usd=plan_errors(drawn.case, judged, choice.ways, None))
    names = [way.name for way in choice.ways]
    return {(way, other): judged.difference(way, other) for way, other in combinations(names, 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--first", type=int, default=FIRST, help="the first of them")
    parser.add_argument("--paths", type=int, default=40)
    parser.add_argument("--case", default="openai-2023")
    given = parser.parse_args()
    case, start = fb.case(given.case), time.perf_counter()
    prepared = prepare(case, fb.load(case.as_of))
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        runs = list(pool.map(partial(one_seed, prepared, given.paths), seeds))
    print(f"{case.name}, {given.seeds} seeds, {given.paths} fresh paths, "
          f"{time.perf_counter() - start:.0f} s; million USD")
    print(f"{'pair':<28}{'mean':>9}{'spread':>9}{'error':>9}{'ratio':>7}{'held':>7}")
    shares = []
    for pair in runs[0]:
        found = held(*(np.array([run[pair][k] for run in runs]) for k in (0, 1)))
        shares.append(found.share)
        ratio = found.spread / found.error if found.error else float("nan")
        print(f"{' - '.join(pair):<28}{found.mean / 1e6:9.0f}{found.spread / 1e6:9.0f}"
              f"{found.error / 1e6:9.0f}{ratio:7.2f}{found.share:7.0%}")
    print(f"all pairs: held in {np.mean(shares):.1%}")


if __name__ == "__main__":
    main()
