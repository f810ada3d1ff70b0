"""Whether other draws of the scenarios give the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from fabless.decide.paths import band
from fabless.decide.prepare import Prepared
from fabless.decide.problem import plan_of, world
from fabless.decide.results import Stability
from fabless.decide.solved import solved_plan
from fabless.strategy import Commitment


@dataclass(frozen=True, eq=False)
class _Job:
    prepared: Prepared
    branching: tuple[int, ...]
    seed: int
    chosen: tuple[tuple[str, Commitment], ...]
    recommended: str


def stability(
    prepared: Prepared, branching: tuple[int, ...], chosen: Sequence[tuple[str, Commitment]], recommended: str, seeds: int,
    executor: Executor,
) -> Stability:
    """Draw the case with the `seeds` seeds after its own and rank every way (name and commitment) again on each."""
    first = prepared.case.seed
    numbers = tuple(range(first, first + seeds))
    jobs = [_Job(prepared, branching, seed, tuple(chosen), recommended) for seed in numbers]
    found = list(executor.map(_ranked, jobs))
    medians = np.array([median for _, median in found])
    return Stability(numbers, int(np.prod(branching)), tuple(ranking for ranking, _ in found),
                     band(medians, np.full(seeds, 1.0 / seeds)))


def _ranked(job: _Job) -> tuple[tuple[str, ...], float]:
    prepared = replace(job.prepared, case=replace(job.prepared.case, seed=job.seed))
    here = world(prepared, branching=job.branching)
    solved = [solved_plan(here, name, plan_of(here, commitment)) for name, commitment in job.chosen]
    mine = next(item.paths for item in solved if item.name == job.recommended)
    levelised = (mine.query_cost_usd @ mine.discount) / np.maximum(mine.served @ mine.discount, 1e-9)
    ranking = tuple(item.name for item in sorted(solved, key=lambda item: item.result.objective_usd))
    return ranking, band(levelised, mine.probability).p50
