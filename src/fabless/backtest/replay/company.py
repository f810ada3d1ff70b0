"""The orders that the company placed, as far as public, and what a planner makes of it afterwards."""

from __future__ import annotations

import numpy as np

from fabless.backtest.replay.along import Decided, Watch, along
from fabless.backtest.replay.fates import starts
from fabless.backtest.replay.foresight import followed_as
from fabless.backtest.replay.limits import company_orders
from fabless.catalogue.files.realised import Realised
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.fresh.planned import WayFollowed
from fabless.decide.ways.problem import plan_of
from fabless.plan.rule.simulate import allowed
from fabless.strategy import Commitment


def company_way(watch: Watch, realised: Realised) -> WayFollowed:
    """What the company entered into: the lines that it ordered from and all that cost nothing to
    keep open, and its own programmes from the start that is nearest to theirs, carried through."""
    world = watch.past.world
    case = world.case
    ordered = {order.line for order in watch.orders}
    run = {name: item for name, item in realised.programmes.items() if item.by_company}
    ports = case.numbers.lines
    lines = tuple(line for line in case.lines
                  if line.name in ordered or ports[line.name].port is None)
    plan = plan_of(world, Commitment(
        lines, (),
        may_start=tuple(item for item in case.programmes if item.name in run), contracts=()))
    go = np.zeros((len(plan.projects), plan.problem.tree.size), dtype=bool)
    moments = starts(case.boundaries)
    for row, project in zip(go, plan.projects, strict=True):
        begun = run[project.programme].started
        nearest = min(range(len(moments)), key=lambda k: abs(moments[k] - begun))
        row[:] = project.start == nearest
    return followed_as(watch, plan, go)


def company_on(watch: Watch, realised: Realised) -> tuple[WayOnPaths, float]:
    """What the company's orders come to, and the share of them that does not fit the limits: as
    they were placed until the last quarter of which anything is known, then planned every quarter
    with nothing told of the future."""
    item = company_way(watch, realised)
    problem = item.plan.problem
    placed = company_orders(problem, watch.orders)
    quarter = problem.tree.quarter
    count = int(np.count_nonzero(quarter == 0))
    agreements = np.zeros((len(problem.agreements), count))
    fixed: list[Decided] = [
        (placed[:, quarter == q], agreements, np.zeros((len(problem.offers), count)))
        for q in range(watch.past.until + 1)]
    untold = ~np.any(list(watch.known.paths.values()), axis=0)
    kept = allowed(problem, placed, np.zeros((len(problem.agreements), quarter.size)))
    cut = 1.0 - float(kept.sum()) / float(placed.sum())
    return along(watch, item, untold, fixed, asked=untold), cut
