"""What each path expects of its future at some quarter: the outlook of one who plans again
there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case, named
from fabless.market import leave_chance, next_chance, strike_chance
from fabless.records import Array, Tree
from fabless.sampling import chances, quantile
from fabless.scenario.draws import MEDIAN, Scenarios, demand_of, is_uncertain, work_of
from fabless.scenario.news import kept_share
from fabless.scenario.states import quarters_of, scarcity_begins
from fabless.scenario.values import Draws


def expected(
    case: Case, scenarios: Scenarios, quarter: int, *, scarce_next: float | None = None
) -> Scenarios:
    """Scenarios on the same tree that show up to `quarter` what happened and afterwards what is
    then expected.

    Numbers that stay or are learnt gradually are held at what is believed at `quarter`, before any
    news at their median. Growth and other rates that move return to their median, or to what the
    numbers they are tied to say of them. Generations of which nothing is known yet stand at their
    median. Scarcity and shocks are what was seen last, and then the chance of it. `scarce_next`: 1
    or 0 where the outlook is the one in which the next quarter is scarce or is not, with the odds
    from there on; the two, weighted by `scarce_chance`, average to the outlook. In the first
    quarter nothing has been measured: there every path expects the same.
    """
    tree = scenarios.tree
    draws = _believed(case, scenarios, quarter)
    values = draws.values
    shocks = {shock.name: values.shocks[shock.name] for shock in case.shocks}
    enter = [scarcity_begins(case, tree, values),
             *(strike_chance(shock.rate) for shock in shocks.values())]
    leave = [leave_chance(values.supply.scarce_duration),
             *(leave_chance(shock.duration) for shock in shocks.values())]
    states = [scenarios.scarce, *(scenarios.shock_chance[name] for name in shocks)]
    scarce, *struck = _odds(
        tree, np.array(states), np.array(enter), np.array(leave), quarter=quarter,
        scarce_next=scarce_next,
    )
    shock_chance = dict(zip(shocks, struck, strict=True))
    return replace(
        scenarios, draws=draws, scarce=scarce, shock_chance=shock_chance,
        work=work_of(values.demand, tree), demand=demand_of(case, values, shock_chance, tree),
    )


def scarce_chance(case: Case, scenarios: Scenarios, quarter: int) -> Array:
    """Chance (paths,) that the quarter after `quarter` is scarce, as each path sees it there, in the
    order of the leaves."""
    tree, values = scenarios.tree, _believed(case, scenarios, quarter).values
    path = tree.ancestors()[tree.leaves]
    now, soon = path[:, quarter], path[:, min(quarter + 1, tree.quarters - 1)]
    return next_chance(
        scenarios.scarce[now], scarcity_begins(case, tree, values)[soon],
        leave_chance(values.supply.scarce_duration[soon]),
    )


def known_at(tree: Tree, quarter: int) -> NDArray[np.int64]:
    """Node-quarter whose knowledge holds at each node-quarter: its own up to `quarter`, then that
    on its path there."""
    known = np.arange(tree.size)
    for nodes in quarters_of(tree)[quarter + 1:]:
        known[nodes] = known[tree.parent[nodes]]
    return known


def _believed(case: Case, scenarios: Scenarios, quarter: int) -> Draws:
    """Draws that are known up to `quarter`, and held or drifting from there on."""
    draws, tree = scenarios.draws, scenarios.tree
    known = known_at(tree, quarter)
    place = {size: where[known] for size, where in draws.place.items()}
    drifting: dict[str, Array] = {}
    numbers = named(case.numbers)
    kept = kept_share(np.maximum(tree.quarter - quarter, 0), case.persistence)
    for name, moving in draws.moving.items():
        where = place[moving.score.size]
        score, anchor = moving.score[where], moving.anchor[where]
        drifting[name] = quantile(numbers[name].spread, chances(anchor + kept * (score - anchor)))
    return replace(draws, flat=_known_flat(scenarios, quarter), place=place, drifting=drifting)


def _known_flat(scenarios: Scenarios, quarter: int) -> Mapping[str, Array]:
    """Flat draws without those that are in force in the first quarter but measured later only."""
    draws, paths = scenarios.draws, np.count_nonzero(scenarios.tree.quarter == 0)
    if quarter > 0:
        return draws.flat
    numbers = named(draws.case.numbers)
    return {
        name: quantile(numbers[name].spread, np.array([MEDIAN]))
        if flat.size == paths and name in numbers and is_uncertain(numbers[name])
        else flat
        for name, flat in draws.flat.items()
    }


def _odds(
    tree: Tree, states: Array, enter: Array, leave: Array, quarter: int, scarce_next: float | None
) -> Array:
    """Chances of states (states, K): what was known up to `quarter`, then as they let it drift; the
    first is scarcity."""
    chance = np.array(states, dtype=float)
    for later, nodes in enumerate(quarters_of(tree)[quarter + 1:]):
        chance[:, nodes] = next_chance(chance[:, tree.parent[nodes]], enter[:, nodes], leave[:, nodes])
        if later == 0 and scarce_next is not None:
            chance[0, nodes] = scarce_next
    return chance
