"""What a negotiator needs: shadow prices, the cost of delay, what is forced and what is free,
leverage."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from fabless.decide.detail import Detail
from fabless.decide.questions.delay import with_delay_costs
from fabless.decide.questions.leverage import leverage
from fabless.decide.questions.near_best import near_best, near_best_starts
from fabless.decide.questions.shadow import shadow_prices
from fabless.decide.questions.small_plan import plan_on
from fabless.decide.results import Action, Leverage, NearBest, ProgrammeValue, ShadowPrice
from fabless.decide.ways.problem import World, draw_world
from fabless.decide.ways.solved import SolvedWay


@dataclass(frozen=True, kw_only=True)
class OnSmallTree:
    """What is asked of the plan on the small tree; None where it is not asked."""

    shadow_prices: tuple[ShadowPrice, ...] | None = None
    near_best: tuple[NearBest, ...] | None = None
    leverage: Leverage | None = None


@dataclass(frozen=True, eq=False)
class Negotiation:
    """The questions while they are worked on elsewhere."""

    actions: Future[tuple[Action, ...]]
    on_small: Future[OnSmallTree] | None

    def first_actions(self) -> tuple[Action, ...]:
        """First actions of the recommended way with their costs of delay."""
        return self.actions.result()

    def answered(self) -> OnSmallTree:
        """The rest, once it is there."""
        return OnSmallTree() if self.on_small is None else self.on_small.result()


def negotiation(
    world: World, best: SolvedWay, actions: Sequence[Action], values: Sequence[ProgrammeValue],
    detail: Detail, pool: Executor,
) -> Negotiation:
    """Begin to ask what a negotiator needs of the recommended way.

    The cost of delay is asked at every level of detail, on the scenarios of the comparison; the
    rest where there is a small tree, on that.
    """
    delays = pool.submit(with_delay_costs, actions, world, best)
    if not detail.small:
        return Negotiation(delays, None)
    branching = detail.small_of(len(world.case.branching))
    return Negotiation(delays, pool.submit(on_small_tree, world, best, values, branching))


def on_small_tree(
    world: World, best: SolvedWay, values: Sequence[ProgrammeValue], branching: tuple[int, ...]
) -> OnSmallTree:
    """Shadow prices, near-best plans and leverage of a way on a tree of this branching."""
    small = draw_world(world.prepared, branching=branching)
    plan = plan_on(small, best)
    starts = near_best_starts(world.case, values, best.started, best.result.objective_usd)
    return OnSmallTree(
        shadow_prices=shadow_prices(world.case, plan),
        near_best=(*near_best(world.case, plan), *starts),
        leverage=leverage(small, best, world, values))
