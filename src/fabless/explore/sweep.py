"""Run through a space in chunks: on this process or any executor, with a checkpoint, and memory
that stays bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fabless.executors import Executors, Workers
from fabless.explore.checkpoint import Checkpoint
from fabless.explore.found import SweepState, merged, nothing_found
from fabless.explore.front import Kept, keep
from fabless.explore.limits import DesignLimits, screen
from fabless.explore.space import Space
from fabless.records import Array
from fabless.silicon.evaluate import Designs, Evaluation, Technology

CHUNK = 16_384
"""Designs evaluated at once."""
BEST = 32
"""Designs kept for the objective."""


@dataclass(frozen=True)
class DesignScores:
    """How designs serve a load."""

    metrics: Mapping[str, Array]
    """Metric -> value of every design, small is good; infinity where the design does not serve the
    load."""
    unserved: Mapping[str, int]
    """What keeps designs from serving the load -> how many."""
    nearest: Mapping[str, float]
    """Limit that keeps designs from serving -> best value that any design reaches."""
    points: int
    """Combinations of design, parallelism and batch that were evaluated."""


class Scorer(Protocol):
    """Anything that says how designs serve a load; it is sent to the workers, so that it must be
    picklable."""

    @property
    def objective(self) -> str:
        """The metric to minimise."""
    @property
    def fronts(self) -> Sequence[tuple[str, str]]:
        """Pairs of metrics whose fronts are kept."""
    @property
    def metrics(self) -> Sequence[str]:
        """All metrics."""

    def __call__(
        self, designs: Designs, silicon: Evaluation, technology: Technology
    ) -> DesignScores:
        """Score every design."""


@dataclass(frozen=True)
class Task:
    """One exploration: everything a worker needs for a chunk."""

    space: Space
    technologies: tuple[Technology, ...]
    """Technologies, one for each kind of memory."""
    limits: tuple[DesignLimits, ...]
    scorer: Scorer
    best: int = BEST


def run_chunk(task: Task, start: int, stop: int) -> SweepState:
    """Evaluate the designs numbered `start` to `stop`, all of one kind of memory: a pure function
    of its arguments."""
    numbers = np.arange(start, stop, dtype=np.int64)
    kind = start // task.space.of_one_memory
    technology, designs = task.technologies[kind], task.space.designs(numbers)
    made, silicon, removed = screen(designs, technology, task.limits[kind])
    empty = nothing_found(task.scorer.metrics)
    if silicon is None:
        return replace(empty, designs=numbers.size, removed=removed)
    score = task.scorer(designs.take(made), silicon, technology)
    served = np.isfinite(score.metrics[task.scorer.objective])
    more = Kept(
        numbers[made][served], {name: values[served] for name, values in score.metrics.items()}
    )
    return SweepState(
        designs=numbers.size, removed=removed, unserved=score.unserved, nearest=score.nearest,
        points=score.points,
        kept=keep(empty.kept, more, task.scorer.objective, task.scorer.fronts, task.best),
    )


@dataclass(frozen=True)
class Swept:
    """A finished sweep."""

    found: SweepState
    seconds: float
    """Duration of this run, without the chunks of an earlier run that was interrupted."""
    resumed: int
    """Designs that came from the checkpoint."""


def sweep(
    task: Task, *, executors: Executors | None = None, chunk: int = CHUNK,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Swept:
    """Evaluate the whole space of a task.

    Parameters: `executors` makes the executor that runs the chunks (None: this process); `chunk` designs at once, which
    bounds the memory; `checkpoint` from which an interrupted sweep is resumed and to which this one
    writes; `progress` called with designs done and in all. The answer does not depend on the
    executor, the chunk or an interruption.
    """
    begin = time.perf_counter()
    state, done = nothing_found(task.scorer.metrics), set[int]()
    if checkpoint is not None:
        state, done = checkpoint.read(state)
    resumed = state.designs
    chunks = task.space.chunks(chunk)
    left = [k for k in range(len(chunks)) if k not in done]
    progress(state.designs, task.space.size)
    with Workers(executors) as workers:
        for k, part in workers.results(run_chunk, left, lambda k: (task, *chunks[k])):
            state = merged(state, part, task.scorer.objective, task.scorer.fronts, task.best)
            done.add(k)
            progress(state.designs, task.space.size)
            if checkpoint is not None:
                checkpoint.write(state, done, len(done) == len(chunks))
    return Swept(state, time.perf_counter() - begin, resumed)
