"""Normal scores of every number of a case at the branchings where its news comes.

What is known with the first news takes one point for each branch; what is learnt gradually, or
moves, takes a step at every later branching; a coming generation takes a point at its own
(`fabless.scenario.news`). The numbers of `TOGETHER` share quasi-random points; any other has a
random stream of its own. Streams go by role (see `fabless.scenario.roles`): names do not matter,
and a line more or less leaves the others' draws as they were. Correlated numbers form groups; in a
group a number depends on its own points and on those before it: what is known from the start comes
first, then what is learnt, then what moves, each in the order `drawing_order`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.market import of_generation
from fabless.records import Array
from fabless.sampling import conditional, correlation_matrix, coupled, groups, scores, sliced, stratified, stream
from fabless.scenario.news import Kind, Schedule, by_generation, kept_share, kinds_of, known_share
from fabless.scenario.roles import drawing_order, role_of, roles

Stages = list[Array | None]
"""Scores at the nodes of each stage after the first; None before the news."""
TOGETHER = ("demand.growth", "demand.work_level", "demand.queries", "demand.work_trend")
"""Numbers that share quasi-random points: on their product the need of compute rests. With 16
branches such points must be few to be even together: over 150 seeds the need at the end of the
reference case scattered by 13 % with these four and by 17 % with separate slices for each."""

DEMAND = ("demand.", "loads.")
"""Numbers on which the need of compute depends: their draws can be chosen to stand for many."""
_PLACE: Mapping[Kind, int] = {"today": 0, "generation": 0, "gradual": 1, "moves": 2}
"""Order of the kinds of news in a group."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which of many trial draws of demand the first branches take
    (`fabless.scenario.representatives`)."""

    trials: int
    rows: NDArray[np.int64]
    """One trial draw for each branch."""


@dataclass(frozen=True, eq=False)
class News:
    """Scores of one number as its news comes."""

    stages: Stages
    anchor: list[Array] | None = None
    """Score to which a number that moves returns, at the nodes of each stage; None for others."""

    def at_nodes(self, schedule: Schedule, *, once: bool) -> list[Array]:
        """Scores at the nodes of each stage, 0 before the news; with `once` of the first alone."""
        return [np.zeros(nodes) if part is None else part
                for nodes, part in zip(np.cumprod(schedule.branching), self.stages, strict=True)][: 1 if once else None]


def drawn_names(case: Case, names: Collection[str]) -> list[str]:
    """Names of all draws that `names` stand for: later generations under names of their own."""
    copies = by_generation(case)
    return [of_generation(name, g) for name in names for g in range(1, copies.get(name, 1) + 1)]


def scores_of(
    case: Case, names: Collection[str], schedule: Schedule, chosen: Chosen | None = None
) -> dict[str, News]:
    """Scores of the draws of `names`: they depend on the seed, the schedule, the correlations, the
    learning time and the choice, and not on the ranges."""
    law = _Law(case, schedule, chosen)
    tied = groups(case.correlations)
    alone = [name for name in names if not any(name in group for group in tied)]
    # numbers that stand alone share one pass, those of demand apart since they may be chosen
    lots = [[name for name in alone if name.startswith(DEMAND) is of_demand] for of_demand in (True, False)]
    news: dict[str, News] = {}
    for group in [*lots, *(group for group in tied if not set(names).isdisjoint(group))]:
        if group:
            news |= _group(law, group)
    return {name: news[name] for name in drawn_names(case, names)}


class _Law:
    """What the scores of all groups have in common."""

    def __init__(self, case: Case, schedule: Schedule, chosen: Chosen | None) -> None:
        self.case, self.schedule, self.chosen = case, schedule, chosen
        self.kinds, self.copies = kinds_of(case), by_generation(case)
        self.known = known_share(np.array(schedule.quarters), case.learning_s)
        self.nodes = np.cumprod(schedule.branching).tolist()
        self._roles = roles(case)
        self._block = cache(self._sliced)
        self._along = cache(self._steps)

    def _sliced(self, stage: int, count: int) -> Array:
        return sliced(count, len(TOGETHER), stream(self.case.seed, f"together stage {stage}"))

    def _stream(self, name: str, stage: str) -> np.random.Generator:
        return stream(self.case.seed, f"{role_of(name, self._roles)} stage {stage}")

    def _steps(self, name: str) -> Array:
        return stratified(self.nodes[-1], len(self.nodes), self._stream(name, "by stage"))

    def first(self, name: str, count: int, stage: int = 1) -> Array:
        """Points of `count` draws before any correlation."""
        if name in TOGETHER:
            return self._block(stage, count)[:, TOGETHER.index(name)]
        return stratified(count, 1, self._stream(name, str(stage)))[:, 0]

    def points(self, name: str, stage: int) -> Array:
        """Points of all nodes of a stage before any correlation; after the first stage those of
        siblings are spread among themselves."""
        branches, count = self.schedule.branching[stage - 1], self.nodes[stage - 1]
        if stage == 1:
            return self.first(name, count)
        if branches > 1:
            rng = self._stream(name, str(stage))
            return np.concatenate([stratified(branches, 1, rng)[:, 0] for _ in range(count // branches)])
        if count < self.nodes[-1]:
            return self.first(name, count, stage)
        return self._along(name)[:, stage - 1]  # one stream for all stages that no longer split


def _group(law: _Law, group: list[str]) -> dict[str, News]:
    """Scores of correlated numbers, or of those that stand alone.

    With x the scores known from the start, B the regression of the gradual ones on them under the
    stated correlations R, C the root of what x leaves of R, and w independent martingales of
    variance k(q), a belief is ``s = B x + C w``. With D the regression of the numbers that move on
    x (without what comes by generation) and s, these are ``m = D (x, s) + a``, where a forgets its
    past (`kept_share`) and has the covariance that D leaves. R holds between all final scores, and
    between what is known from the start and what moves at every stage; between a first generation
    and what moves at the first stage alone.
    """
    case, schedule = law.case, law.schedule
    group = sorted(drawing_order(case, group), key=lambda name: _PLACE[law.kinds[name]])
    matrix, share = _GroupLaw.of(_matrix(case, group), [law.kinds[name] for name in group]), law.known
    covariance = matrix.believed(float(share[0]))
    drawn = scores(_first_points(law, group, covariance)) * np.sqrt(np.diag(covariance))
    start, learnt = matrix.start, matrix.learnt
    stages: list[Array] = [drawn]
    anchors = [drawn[:, :learnt] @ matrix.moves.T]
    for stage in range(2, len(schedule.quarters) + 1):
        drawn = np.repeat(drawn, schedule.branching[stage - 1], axis=0)
        if start < len(group):
            steps = scores(np.stack([law.points(name, stage) for name in group[start:]], axis=1))
            step = np.sqrt(share[stage - 1] - share[stage - 2])
            rho = float(kept_share(schedule.quarters[stage - 1] - schedule.quarters[stage - 2], case.persistence))
            rest = drawn[:, learnt:] - drawn[:, :learnt] @ matrix.moves.T
            drawn = drawn.copy()
            drawn[:, start:learnt] += step * steps[:, : learnt - start] @ matrix.learnt_root.T
            drawn[:, learnt:] = drawn[:, :learnt] @ matrix.moves.T + rho * rest + np.sqrt(1.0 - rho * rho) * (
                steps[:, learnt - start :] @ matrix.moves_root.T)
        stages.append(drawn)
        anchors.append(drawn[:, :learnt] @ matrix.moves.T)
    news = {
        name: News([drawn[:, k] for drawn in stages],
                   [anchor[:, k - learnt] for anchor in anchors] if k >= learnt else None)
        for k, name in enumerate(group)
    }
    for k, name in enumerate(group[:start]):
        for generation in range(2, law.copies.get(name, 1) + 1):
            news[of_generation(name, generation)] = _later(law, news, group, k=k, matrix=matrix, generation=generation)
    return news


def _first_points(law: _Law, group: Sequence[str], covariance: Array) -> Array:
    """Points of the first stage, reordered so that their scores correlate as the beliefs do."""
    chosen = law.chosen if any(name.startswith(DEMAND) for name in group) else None
    count = law.nodes[0] if chosen is None else chosen.trials
    points = np.stack([law.first(name, count) for name in group], axis=1)
    if np.any(covariance != np.diag(np.diag(covariance))):
        size = np.sqrt(np.where(np.diag(covariance) > 0.0, np.diag(covariance), 1.0))
        correlation = covariance / np.outer(size, size)
        np.fill_diagonal(correlation, 1.0)
        points = coupled(points, correlation)
    return points if chosen is None else points[chosen.rows]


def _later(
    law: _Law, news: Mapping[str, News], group: Sequence[str], k: int, matrix: _GroupLaw,
    generation: int,
) -> News:
    """Scores of a later generation of the number at `k`: None until its stage, and kept after it.

    It follows its law under R given what is believed, at its stage, of the numbers known from the
    start, learnt gradually or moving, of those by generation the same generation of the ones
    before it.
    """
    stage = law.schedule.stage_of(generation)
    leaders = [
        j for j, name in enumerate(group) if j != k and (law.kinds[name] != "generation" or j < k)
    ]
    own = scores(law.points(of_generation(group[k], generation), stage))
    if np.any(matrix.whole[k, leaders]):
        both = [*leaders, k]
        weights, _ = conditional(matrix.whole[np.ix_(both, both)], np.arange(len(both)) == len(leaders))
        copies = [of_generation(group[j], min(generation, law.copies.get(group[j], 1))) for j in leaders]
        known = np.stack([_seen(news[name].stages, stage) for name in copies], axis=1)
        explained = matrix.believed(float(law.known[stage - 1]))[np.ix_(leaders, leaders)]
        left = 1.0 - float(weights[0] @ explained @ weights[0])
        own = known @ weights[0] + np.sqrt(max(left, 0.0)) * own
    stages: Stages = [None] * (stage - 1) + [own]
    for branches in law.schedule.branching[stage:]:
        stages.append(np.repeat(stages[-1], branches))  # type: ignore[arg-type]
    return News(stages)


def _seen(stages: Stages, stage: int) -> Array:
    """Scores at a stage at which the news is there."""
    column = stages[stage - 1]
    assert column is not None
    return column


@dataclass(frozen=True, eq=False, kw_only=True)
class _GroupLaw:
    """The correlation matrix R of a group, split by kind of news: known from the start, learnt,
    moving."""

    whole: Array
    start: int
    """How many are known from the start."""
    learnt: int
    """How many of these and of those learnt gradually."""
    gradual: Array
    """Regression of the gradual ones on those known from the start."""
    learnt_root: Array
    """Root of what these leave of their covariance."""
    moves: Array
    """Regression of those that move on all before them, 0 on what comes by generation."""
    moves_root: Array
    at_first: Array
    """Regression of those that move on all before them, first generations too."""

    @classmethod
    def of(cls, whole: Array, kinds: Sequence[Kind]) -> _GroupLaw:
        """The split of a matrix whose rows are in the order of `_PLACE`."""
        places = [_PLACE[kind] for kind in kinds]
        start, learnt = places.count(0), places.count(0) + places.count(1)
        gradual, learnt_root = conditional(whole[:learnt, :learnt], np.arange(learnt) >= start)
        at_first, _ = conditional(whole, np.arange(len(whole)) >= learnt)
        lasting = np.flatnonzero([kind != "generation" for kind in kinds])
        count = int(np.count_nonzero(lasting < learnt))
        weights, moves_root = conditional(whole[np.ix_(lasting, lasting)], np.arange(lasting.size) >= count)
        moves = np.zeros(at_first.shape)
        moves[:, lasting[:count]] = weights
        return cls(
            whole=whole, start=start, learnt=learnt, gradual=gradual, learnt_root=learnt_root,
            moves=moves, moves_root=moves_root, at_first=at_first,
        )

    def believed(self, share: float) -> Array:
        """Covariance of all scores when `share` of what is learnt gradually is known."""
        start, learnt = self.start, self.learnt
        covariance = self.whole.copy()
        inside = self.whole[:start, :start]
        explained = self.gradual @ inside @ self.gradual.T
        left = self.whole[start:learnt, start:learnt] - explained
        covariance[start:learnt, start:learnt] = explained + share * left
        covariance[learnt:, :learnt] = self.at_first @ covariance[:learnt, :learnt]
        covariance[:learnt, learnt:] = covariance[learnt:, :learnt].T
        moved = self.at_first @ self.whole[:learnt, :learnt] @ self.at_first.T
        covariance[learnt:, learnt:] += covariance[learnt:, :learnt] @ self.at_first.T - moved
        return covariance


def _matrix(case: Case, group: list[str]) -> Array:
    pairs = {
        pair: number.spread.mode
        for pair, number in zip(case.correlations, case.numbers.correlations, strict=True)
        if pair[0] in group
    }
    return correlation_matrix(group, pairs)
