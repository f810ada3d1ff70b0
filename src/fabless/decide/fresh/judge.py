"""All ways judged on the same fresh paths, with what perfect information would be worth there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from fabless.decide.detail import Detail
from fabless.decide.fresh.block import fresh_world
from fabless.decide.fresh.contained import with_contained
from fabless.decide.fresh.on_paths import WayOnPaths, joined, risk_adjusted_by_path, standard_error
from fabless.decide.fresh.planned import (
    Tried,
    blocks_of,
    carried_out,
    followed_on,
    safety_margin,
    tried,
)
from fabless.decide.fresh.results import Gap
from fabless.decide.ways.choice import Choice
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.plan.rule.perfect import perfect_costs
from fabless.records import Array

TUNING = 1
"""Added to the seed for the paths on which the safety margin is measured: no way is judged on
them."""
NEGLIGIBLE = 1e-3
"""Share of a total below which the simpler of two ways that cannot be told apart is
recommended."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """Every way on the fresh paths."""

    ways: Mapping[str, WayOnPaths]
    """By name; each free to act as a way that it contains."""
    carried: Mapping[str, WayOnPaths]
    """Each programme of a way that commits to one, started now and carried through, on the lines
    of that way; by programme."""
    without: Mapping[str, WayOnPaths]
    """Lines of that way without its programme, on the same paths; by programme."""
    total_usd: Mapping[str, Array]
    """(N,) contribution of each path to a way's total, risk included."""
    best: str
    """The way that is recommended."""
    programmes: int
    """Look-ahead programmes solved."""
    plan_error_usd: Mapping[str, float] = field(default_factory=dict)
    """What other trees would decide on the programme of a way, as a standard deviation of its total
    (`questions.plan_errors`); ways without one, or before that is known, are left out."""

    def difference(self, way: str, other: str) -> tuple[float, float]:
        """Total of a way less that of another, and its standard error: path by path, and of what
        other trees would decide."""
        apart = self.total_usd[way] - self.total_usd[other]
        return float(apart.mean()), float(np.hypot(standard_error(apart),
                                                   self.plan_error(way, other)))

    def plan_error(self, way: str, other: str) -> float:
        """What other trees would decide, as a standard deviation of the difference of two ways; 0
        where they are the same on every path."""
        if np.array_equal(self.total_usd[way], self.total_usd[other]):
            return 0.0
        return float(np.hypot(self.plan_error_usd.get(way, 0.0), self.plan_error_usd.get(other, 0.0)))


def margin_of(prepared: Prepared, seed: int) -> Array:
    """Safety margin for ways that are judged on the paths of `seed`."""
    return safety_margin(prepared, seed + TUNING)


def judge(
    prepared: Prepared, choice: Choice, detail: Detail, *, pool: Executor, seed: int | None = None,
    tick: Callable[[str], None] = lambda _: None, margin: Array | None = None,
) -> Judged:
    """Try every way, and every programme carried through, on `detail.paths` fresh paths.

    `margin` is that of `margin_of`, measured here where it is not given.
    """
    case = prepared.case
    seed = case.seed if seed is None else seed
    tries: dict[tuple[str, str], Tried] = {("way", way.name): tried(way) for way in choice.ways}
    for through in choice.through:
        tries["carried", through.programme] = tried(through.carried, carried=True)
        tries["without", through.programme] = tried(through.without)
    margin = margin_of(prepared, seed) if margin is None else margin
    blocks = blocks_of(
        prepared, list(tries.values()), paths=detail.paths, seed=seed, branches=detail.branches,
        margin=margin)
    parts, solved, done = [], 0, 0
    for block, (part, count) in zip(blocks, pool.map(carried_out, blocks), strict=True):
        parts.append(part)
        solved += count
        done += block.count
        tick(f"planned again every quarter on {done:,} of {detail.paths:,} fresh paths")
    by_try = {key: joined([part[k] for part in parts]) for k, key in enumerate(tries)}

    def of(kind: str) -> dict[str, WayOnPaths]:
        return {name: item for (group, name), item in by_try.items() if group == kind}

    ways = with_contained(
        case, of("way"), {way.name: way for way in choice.offered.ways},
        {way.name: way.plan.commitment for way in choice.ways})
    totals = {name: risk_adjusted_by_path(case, item.cost_usd) for name, item in ways.items()}
    return Judged(
        ways=ways, carried=of("carried"), without=of("without"), total_usd=totals,
        best=_recommended(choice.ways, totals), programmes=solved)


def _recommended(solved: Sequence[SolvedWay], totals: Mapping[str, Array]) -> str:
    """The cheapest way; of those that cannot be told from it and differ by next to nothing the one
    that enters into least, and of these the first."""
    least = min(totals, key=lambda name: float(totals[name].mean()))

    def is_alike(name: str) -> bool:
        apart = totals[name] - totals[least]
        close = abs(apart.mean()) <= NEGLIGIBLE * abs(totals[least].mean())
        return bool(close and abs(apart.mean()) <= 2.0 * standard_error(apart) + 1e-9 * abs(
            totals[least].mean()))

    alike = [way for way in solved if is_alike(way.name)]
    return min(alike, key=lambda way: (
        len(way.started), len(way.plan.commitment.may_start),
        len(way.plan.commitment.lines))).name


def perfect_information(
    prepared: Prepared, way: SolvedWay, *, paths: int, checked: int, seed: int | None = None
) -> Array:
    """Least cost (checked,) of a way on the first of `paths` fresh paths, each known from the start
    [USD]: no planner does better."""
    seed = prepared.case.seed if seed is None else seed
    costs: list[Array] = []
    left = checked
    for block in blocks_of(prepared, (), paths=paths, seed=seed, branches=1,
                           margin=np.ones((1, 1, 1))):
        if left <= 0:
            break
        world = fresh_world(prepared, block.count, seed=seed, number=block.number)
        plan = followed_on(world, tried(way))
        count = min(left, block.count)
        costs.append(perfect_costs(plan.problem, np.arange(count)))
        left -= count
    return np.concatenate(costs) if costs else np.zeros(0)


def gap_of(way: WayOnPaths, perfect: Array) -> Gap | None:
    """How far the planner stays from perfect information on the same paths."""
    if perfect.size < 2:
        return None
    beyond = way.cost_usd[:perfect.size] - perfect
    least = float(perfect.mean())
    return Gap(perfect.size, least + float(beyond.mean()), least, standard_error(beyond))
