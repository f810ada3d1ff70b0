"""Perfect foresight of what happened: the least that each way, or the portfolio, could have cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from fabless.backtest.replay.along import Watch, on_offer
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.fresh.planned import Tried, WayFollowed, way_placed
from fabless.decide.ways.choice import with_lines
from fabless.decide.ways.gates import Policy, decided
from fabless.decide.ways.problem import Plan, plan_of
from fabless.errors import DoesNotFit, Fault
from fabless.plan import PlanResult, solve
from fabless.plan.lookahead.planner import Placed
from fabless.plan.rule.perfect import chains
from fabless.records import Array
from fabless.strategy import Commitment, Way


@dataclass(frozen=True, eq=False)
class Foreseen:
    """The cheapest plan of a path that is known from the start."""

    item: WayFollowed
    result: PlanResult
    """On one path."""

    @property
    def cost_usd(self) -> float:
        """Discounted cost over the horizon, unserved demand at its price included."""
        return float(self.result.path_cost_usd[0])


def foreseen_under(watch: Watch, item: WayFollowed) -> Foreseen:
    """The cheapest plan of a way whose lines and programmes are those it has chosen."""
    problem = chains(item.plan.problem, np.zeros(1, dtype=np.int64))
    result = solve(problem)
    if not result.status.is_ok:
        raise DoesNotFit(Fault(
            "plan of what happened", f"the solver ended with status {result.status}",
            "an optimal plan", "look for commitments, power or cash that contradict each other"))
    return Foreseen(item, result)


def foreseen_best(watch: Watch, way: Way, among: Sequence[Foreseen]) -> Foreseen:
    """The cheapest plan of a way that also chooses its lines and at most one programme with the
    path known, and those `among` which it is sought too.

    A programme that the way commits to is begun, and then carried through or given up when it may
    be; one that it may start is started at one of its moments, or never.
    """
    plans = [foreseen_under(watch, item) for item in _options(watch, way)]
    return min([*plans, *among], key=lambda item: item.cost_usd)


def _options(watch: Watch, way: Way) -> Iterator[WayFollowed]:
    world = watch.past.world
    ports = world.case.numbers.lines
    optional = [line.name for line in way.lines if ports[line.name].port is not None]
    every = frozenset(line.name for line in way.lines)
    for dropped in _subsets(optional):
        lines = every.difference(dropped)
        for commitment in _commitments(way, lines):
            plan = plan_of(world, commitment)
            for go in _carried(plan):
                yield followed_as(watch, plan, go)


def _commitments(way: Way, lines: frozenset[str]) -> Iterator[Commitment]:
    """Each programme that the way commits to, or where it commits to none, each that it may start;
    and none where it need not start one."""
    if way.commits:
        yield from (with_lines(way, lines, (item,)) for item in way.commits)
        return
    yield with_lines(way, lines)
    yield from (with_lines(way, lines, may_start=(item,)) for item in way.may_start)


def _carried(plan: Plan) -> Iterator[NDArray[np.bool_]]:
    """No programme goes on, or one of them from its start to the end."""
    shape = (len(plan.projects), plan.problem.tree.size)
    begun = any(project.sunk_usd is not None for project in plan.projects)
    if begun or not plan.projects:
        yield np.zeros(shape, dtype=bool)
    for k in range(len(plan.projects)):
        go = np.zeros(shape, dtype=bool)
        go[k] = True
        yield go


def followed_as(watch: Watch, plan: Plan, go: NDArray[np.bool_]) -> WayFollowed:
    """A way whose programmes go on where `go` (projects, K) says so."""
    boundaries = (0, *watch.past.world.case.boundaries)
    tree = plan.problem.tree
    starts = np.array([boundaries[project.start] for project in plan.projects], dtype=np.int64)
    go = go & (tree.quarter >= starts[:, None])
    mode = np.array([project.outcome.mode for project in plan.projects]).reshape(go.shape)
    tried = Tried(commitment=plan.commitment, policy=Policy(go, mode, watch.past.world.need, tree),
                  carried=True, orders={}, levels={}, retired={})
    return WayFollowed(tried, on_offer(watch, decided(plan, go)), go)


def on_every_copy(watch: Watch, foreseen: Foreseen) -> WayOnPaths:
    """What a plan of one path comes to, on every copy of it."""
    copies = len(watch.past.world.scenarios.tree.leaves)

    def on_copies(values: Array) -> Array:
        return np.repeat(values, copies, axis=1)

    result = foreseen.result
    return way_placed(watch.past.world, foreseen.item, Placed(
        on_copies(result.orders), on_copies(result.levels), on_copies(result.retired), 1))


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
