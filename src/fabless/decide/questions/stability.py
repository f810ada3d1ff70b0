"""Whether other draws of the scenarios give the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from fabless.decide.results import Stability
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import roughly_solved
from fabless.strategy import Commitment

TIE = 0.005
"""Share of the objective within which ways are tied."""


@dataclass(frozen=True, eq=False)
class _SeedJob:
    prepared: Prepared
    branching: tuple[int, ...]
    seed: int
    chosen: tuple[tuple[str, Commitment], ...]
    recommended: str


def stability(
    prepared: Prepared, branching: tuple[int, ...], chosen: Sequence[tuple[str, Commitment]],
    recommended: str, seeds: int,
    executor: Executor,
) -> Stability:
    """Draw the case with the `seeds` seeds after its own and rank every way (name and commitment)
    again on each."""
    first = prepared.case.seed
    numbers = tuple(range(first, first + seeds))
    jobs = [_SeedJob(prepared, branching, seed, tuple(chosen), recommended) for seed in numbers]
    runs = list(executor.map(_ranked, jobs))
    medians = np.array([median for _, median in runs])
    return Stability(numbers, int(np.prod(branching)), tuple(ranking for ranking, _ in runs),
                     band(medians, np.full(seeds, 1.0 / seeds)))


def _ranked(job: _SeedJob) -> tuple[tuple[str, ...], float]:
    prepared = replace(job.prepared, case=replace(job.prepared.case, seed=job.seed))
    world = draw_world(prepared, branching=job.branching)
    solved = [roughly_solved(world, name, (commitment,)) for name, commitment in job.chosen]
    paths = next(item.paths for item in solved if item.name == job.recommended)
    return _tied({item.name: item.result.objective_usd for item in solved}), band(
        paths.levelised_usd, paths.probability
    ).p50


def _tied(objective: dict[str, float]) -> tuple[str, ...]:
    """Ways, best first; ways within `TIE` of the best of their place share it, in the order given.

    >>> _tied({"a": 100.0, "b": 100.4, "c": 90.0})
    ('c', 'a = b')
    """
    places: list[list[str]] = []
    for name in sorted(objective, key=lambda name: objective[name]):
        if places and objective[name] - objective[places[-1][0]] <= TIE * abs(objective[name]):
            places[-1].append(name)
        else:
            places.append([name])
    return tuple(" = ".join(sorted(place, key=list(objective).index)) for place in places)
