"""A way along what happened, planned again every quarter: once with nothing told of the future, once
for every set of factors that may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.backtest.replay.limits import Got, no_tighter
from fabless.backtest.replay.past import Past
from fabless.backtest.replay.seen import Told, seen
from fabless.catalogue.files.realised import CompanyOrder
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.fresh.planned import (
    Tried,
    WayFollowed,
    first_orders,
    no_shorter_leads,
    way_placed,
)
from fabless.decide.ways.gates import decided, followed
from fabless.decide.ways.problem import Plan, plan_of
from fabless.plan.lookahead.outlook import Outlook, outlook_of
from fabless.plan.lookahead.planner import Planner
from fabless.plan.rule.simulate import paths_table
from fabless.records import Array
from fabless.scenario.expected import known_at, scarce_chance

Decided = tuple[Array, Array, Array]
"""Orders (offers, N), levels (agreements, N) and retired chips (offers, N) of a quarter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Watch:
    """How the planners of all ways look ahead."""

    past: Past
    known: Told
    orders: tuple[CompanyOrder, ...]
    """The company's orders: what it got was on offer."""
    margin: Array
    """(Q, loads, Q) factor on demand expected in one quarter for another
    (`fabless.decide.fresh.planned.safety_margin`)."""
    branches: int
    """Branches of every outlook: one, or two by the supply regime of the next quarter."""

    @property
    def got(self) -> Got:
        """What the company got, for plans as each path sees them."""
        return Got(self.orders, self.past.until, self.known.paths["supply"])


def followed_way(watch: Watch, way: Tried) -> WayFollowed:
    """A way on what happened, its programmes decided by its own policy."""
    world = watch.past.world
    plan = plan_of(world, way.commitment)
    go = (np.ones((len(plan.projects), plan.problem.tree.size), dtype=bool) if way.carried
          else followed(way.policy, world, plan))
    return WayFollowed(way, on_offer(watch, decided(plan, go)), go)


def on_offer(watch: Watch, plan: Plan) -> Plan:
    """A plan under limits that leave room for what the company got."""
    return no_tighter(plan, watch.got, watch.past.until)


def along(
    watch: Watch, item: WayFollowed, first: NDArray[np.bool_],
    fixed: Sequence[Decided] = (), asked: NDArray[np.bool_] | None = None,
) -> WayOnPaths:
    """A way along every path.

    `first` (N,) says on which paths its tree's plan decides the first quarter; on the others the
    look-ahead does that too. `fixed`, where given, are the decisions of the first quarters, with no
    planner; `asked` (N,) are the paths that matter (default: all).
    """
    problem = item.plan.problem
    planner = Planner(problem)
    count = first.size
    skipped = np.zeros(count, dtype=bool) if asked is None else ~asked
    nothing = (np.zeros((len(problem.offers), count)), np.zeros((len(problem.agreements), count)),
               np.zeros((len(problem.offers), count)))
    for quarter, placed in enumerate(fixed):
        planner.place(quarter, *placed)
    for quarter in range(len(fixed), problem.tree.quarters):
        stays = (skipped | first) if quarter == 0 else skipped
        given = first_orders(item) if quarter == 0 else nothing
        if stays.all():
            planner.place(quarter, *given)
        else:
            planner.plan(quarter, outlook(watch, item, quarter), stays, given)
    return way_placed(watch.past.world, item, planner.placed)


def outlook(watch: Watch, item: WayFollowed, quarter: int) -> Outlook:
    """What every path expects in a quarter of what a way may use."""
    past, known = watch.past, watch.known
    world = past.world
    tree = world.scenarios.tree
    table = paths_table(tree)[:, quarter:]
    chance = scarce_chance(world.case, world.scenarios, quarter)
    if watch.branches == 1 or quarter >= past.until:
        problems = [_expected(watch, item, quarter, None)]
        odds = np.ones((1, chance.size))
    else:
        problems = [_expected(watch, item, quarter, state) for state in (0.0, 1.0)]
        odds = np.where(known.paths["supply"], np.array([[1.0], [0.0]]),
                        np.stack([1.0 - chance, chance]))
    loads = len(world.case.loads)
    view = outlook_of([plan.problem for plan in problems], odds, table,
                      np.ones((loads, table.shape[1])))
    margin = np.where(known.paths["demand"][:, None], 1.0,
                      watch.margin[quarter][:, None, quarter:])
    view = view._replace(demand=view.demand * margin)
    if watch.branches > 1 or quarter >= past.until:
        return view
    sure = known.paths["supply"] | known.paths["timing"]
    return no_shorter_leads(view, np.where(sure, 0.0, chance))


def _expected(
    watch: Watch, item: WayFollowed, quarter: int, scarce_next: float | None
) -> Plan:
    """The plan of a way as every path expects it in a quarter: programmes stay under way or not."""
    world = seen(watch.past, quarter, watch.known, scarce_next)
    tree = world.scenarios.tree
    plan = decided(plan_of(world, item.tried.commitment), item.go[:, known_at(tree, quarter)])
    return no_tighter(plan, watch.got, quarter)


