"""Uniform points of every number of a case at the branchings where its news comes.

A number is drawn once, at the first branching; or slowly, anew at every later one but tied to its
own earlier value; or by generation, a point for each coming generation of a line, the g-th at the
g-th branching (or the last). The numbers of `TOGETHER` share quasi-random points; any other has a
random stream of its own. Streams go by role (see `fabless.scenario.roles`): names do not matter,
and a line more or less leaves the others' draws as they were. Correlated numbers form groups; in a
group a number depends on its own points and on those before it in the order `drawing_order`, and
its later news besides on every number of the group that is drawn once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.market import of_generation
from fabless.records import Array
from fabless.sampling import chances, conditional, correlation_matrix, coupled, groups, scores, sliced, stratified, stream
from fabless.scenario.roles import drawing_order, role_of, roles

Mask = NDArray[np.bool_]
Stages = list[Array | None]
"""Points of the nodes of each stage after the first; None before the news."""
TOGETHER = ("demand.growth", "demand.work_level", "demand.queries", "demand.work_trend")
"""Numbers that share quasi-random points: on their product the need of compute rests. With 16
branches such points must be few to be even together: over 150 seeds the need at the end of the
reference case scattered by 13 % with these four and by 17 % with separate slices for each."""

DEMAND = ("demand.", "loads.")
"""Numbers on which the need of compute depends: their draws can be chosen to stand for many."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which of many trial draws of demand the first branches take
    (`fabless.scenario.draws.representatives`)."""

    trials: int
    rows: NDArray[np.int64]
    """One trial draw for each branch."""


def revealed_slowly(case: Case) -> frozenset[str]:
    """Numbers that every branching draws anew: the growth rates of demand, of its work, and of
    training."""
    training = (f"loads.{load.name}.growth" for load in case.loads if load.kind == "training")
    return frozenset(("demand.growth", "demand.work_trend", *training))


def by_generation(case: Case) -> dict[str, int]:
    """Numbers drawn anew for each coming generation of a line, with the number of generations."""
    generations: dict[str, int] = {}
    for line in case.lines:
        terms = case.numbers.lines[line.name]
        for number in (terms.successor_slip, terms.successor_gain_spread):
            if line.successors and number is not None:
                generations[number.name] = max(line.successors, generations.get(number.name, 0))
    return generations


def drawn_names(case: Case, names: Collection[str]) -> list[str]:
    """Names of all draws that `names` stand for: later generations under names of their own."""
    copies = by_generation(case)
    return [of_generation(name, g) for name in names for g in range(1, copies.get(name, 1) + 1)]


def points_of(
    case: Case, names: Collection[str], chosen: Chosen | None = None
) -> dict[str, Stages]:
    """Points of the draws of `names`: they depend on the seed, the correlations and the choice, and
    not on the ranges."""
    own_points = _OwnPoints(case)
    tied = [drawing_order(case, group) for group in groups(case.correlations)]
    alone = [[name] for name in names if not any(name in group for group in tied)]
    points: dict[str, Stages] = {}
    for group in [*alone, *(group for group in tied if not set(names).isdisjoint(group))]:
        points |= _group(case, group, own_points, chosen)
    return {name: points[name] for name in drawn_names(case, names)}


class _OwnPoints:
    """Points of single numbers before any correlation, those that are shared made once."""

    def __init__(self, case: Case) -> None:
        self._seed, self._branching, self._roles = case.seed, case.branching, roles(case)
        self._nodes = np.cumprod(case.branching).tolist()
        self._block = cache(self._sliced)

    def _sliced(self, stage: int, count: int) -> Array:
        return sliced(count, len(TOGETHER), stream(self._seed, f"together stage {stage}"))

    def _stream(self, name: str, stage: int) -> np.random.Generator:
        return stream(self._seed, f"{role_of(name, self._roles)} stage {stage}")

    def first(self, name: str, count: int, stage: int = 1) -> Array:
        """Points of `count` draws."""
        if name in TOGETHER:
            return self._block(stage, count)[:, TOGETHER.index(name)]
        return stratified(count, 1, self._stream(name, stage))[:, 0]

    def __call__(self, name: str, stage: int) -> Array:
        """Points of all nodes of a stage; after the first stage those of siblings are spread among
        themselves."""
        branches = self._branching[stage - 1]
        if stage == 1 or branches == 1:
            return self.first(name, self._nodes[stage - 1], stage)
        rng = self._stream(name, stage)
        return np.concatenate(
            [stratified(branches, 1, rng)[:, 0] for _ in range(self._nodes[stage - 2])]
        )


def _group(
    case: Case, group: list[str], own_points: _OwnPoints, chosen: Chosen | None
) -> dict[str, Stages]:
    """Points of correlated numbers, or of one that stands alone.

    The correlation matrix R holds between all of them at every stage. Of the slow scores, what the
    others explain stays, and the rest persists: ``z' = B x + rho (z - B x) + sqrt(1 - rho^2) e``
    with x the scores drawn once, B their regression under R and e of the covariance that they
    leave. Scores of a later generation are drawn from their law under R given, at its stage, the
    numbers drawn once and those before it, of these the same generation where they come by
    generation too.
    """
    stages, slowly, copies = len(case.branching), revealed_slowly(case), by_generation(case)
    matrix = _matrix(case, group)
    if chosen is not None and any(name.startswith(DEMAND) for name in group):
        drawn = coupled(
            np.stack([own_points.first(name, chosen.trials) for name in group], axis=1), matrix
        )[chosen.rows]
    else:
        drawn = coupled(np.stack([own_points(name, 1) for name in group], axis=1), matrix)
    slow, anew = (np.array([name in kind for name in group]) for kind in (slowly, copies))
    once = ~slow & ~anew
    points: dict[str, Stages] = {
        name: [column] for name, column in zip(group, drawn.T, strict=True)
    }
    for stage in range(2, stages + 1):
        drawn = np.repeat(drawn, case.branching[stage - 1], axis=0)
        if slow.any():
            drawn = drawn.copy()
            drawn[:, slow] = _news(
                case, group, own_points, stage=stage, kept=drawn, matrix=matrix, slow=slow,
                once=once,
            )
        for name, column in zip(group, drawn.T, strict=True):
            points[name].append(column)
    for k in np.flatnonzero(anew):
        leaders = np.flatnonzero(once | (np.arange(len(group)) < k))
        for generation in range(2, copies[group[k]] + 1):
            name, first = of_generation(group[k], generation), min(generation, stages)
            others = [
                of_generation(group[j], min(generation, copies.get(group[j], 1))) for j in leaders
            ]
            both = [*leaders, int(k)]
            points[name] = _later(
                case, name, own_points, first=first, leaders=[points[other] for other in others],
                matrix=matrix[np.ix_(both, both)])
    return points


def _news(
    case: Case, group: list[str], own_points: _OwnPoints, stage: int, kept: Array, matrix: Array,
    slow: Mask, once: Mask,
) -> Array:
    """Points of the slow numbers of a group after the news of a later stage, from the points kept
    until then."""
    among = slow[slow | once]
    weights, root = conditional(matrix[np.ix_(slow | once, slow | once)], among)
    fresh = np.stack(
        [own_points(name, stage) for name, is_slow in zip(group, slow, strict=True) if is_slow],
        axis=1,
    )
    explained = scores(kept[:, once]) @ weights.T
    rho = case.persistence
    return chances(explained + rho * (scores(kept[:, slow]) - explained)
                   + np.sqrt(1.0 - rho * rho) * (scores(fresh) @ root.T))


def _later(
    case: Case, name: str, own_points: _OwnPoints, *, first: int, leaders: Sequence[Stages],
    matrix: Array,
) -> Stages:
    """Points of a later generation, last in `matrix` after its `leaders`: None until its stage, and
    kept after it."""
    column = own_points(name, first)
    if leaders:
        weights, root = conditional(matrix, np.arange(len(matrix)) == len(leaders))
        leader_scores = np.stack([scores(_seen(leader, first)) for leader in leaders], axis=1)
        column = chances(leader_scores @ weights[0] + root[0, 0] * scores(column))
    stages: Stages = [None] * (first - 1) + [column]
    for branches in case.branching[first:]:
        stages.append(np.repeat(stages[-1], branches))  # type: ignore[arg-type]
    return stages


def _seen(stages: Stages, stage: int) -> Array:
    """Points at a stage at which the news is there."""
    column = stages[stage - 1]
    assert column is not None
    return column


def _matrix(case: Case, group: list[str]) -> Array:
    pairs = {
        pair: number.spread.mode
        for pair, number in zip(case.correlations, case.numbers.correlations, strict=True)
        if pair[0] in group
    }
    return correlation_matrix(group, pairs)
