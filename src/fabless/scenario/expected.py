"""What each path expects of its future at some quarter: the outlook of one who plans again
there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.market import leave_chance, next_chance, strike_chance
from fabless.records import Array, Tree
from fabless.scenario.draws import Scenarios, demand_of, work_of
from fabless.scenario.states import quarters_of


def expected(
    case: Case, scenarios: Scenarios, quarter: int, *, scarce_next: float | None = None
) -> Scenarios:
    """Scenarios on the same tree that show up to `quarter` what happened and afterwards what is
    then expected.

    Numbers whose news is still to come stay as they are known at `quarter`; scarcity and shocks are
    what was seen last, and then the chance of it. Growth therefore goes on as it is seen, and fades
    as the case says. `case` is that of the scenarios, with their branching.
    """
    tree = scenarios.tree
    seen = int(np.searchsorted(np.array(case.boundaries), quarter, side="right"))
    flat = {
        name: _kept(drawn, case.branching, seen) for name, drawn in scenarios.draws.flat.items()
    }
    draws = replace(scenarios.draws, flat=flat)
    values = draws.values
    shocks = {shock.name: values.shocks[shock.name] for shock in case.shocks}
    shock_chance = {
        name: _odds(
            tree, scenarios.shock_chance[name], strike_chance(shock.rate),
            leave_chance(shock.duration), quarter,
        )
        for name, shock in shocks.items()
    }
    scarce = _odds(tree, scenarios.scarce, leave_chance(values.supply.normal_duration),
                   leave_chance(values.supply.scarce_duration), quarter, scarce_next)
    return replace(
        scenarios, draws=draws, scarce=scarce, shock_chance=shock_chance,
        work=work_of(values.demand, tree), demand=demand_of(case, values, shock_chance, tree),
    )


def known_at(tree: Tree, quarter: int) -> NDArray[np.int64]:
    """Node-quarter whose knowledge holds at each node-quarter: its own up to `quarter`, then that
    on its path there."""
    known = np.arange(tree.size)
    for nodes in quarters_of(tree)[quarter + 1:]:
        known[nodes] = known[tree.parent[nodes]]
    return known


def _kept(draws: Array, branching: tuple[int, ...], seen: int) -> Array:
    """Flat draws (see `places`) whose stages after `seen` repeat that stage."""
    nodes = np.cumprod((1, *branching))
    if draws.size != nodes.sum():
        return draws
    parts = np.split(draws, np.cumsum(nodes)[:-1])
    for later in range(seen + 1, len(parts)):
        parts[later] = np.repeat(parts[later - 1], branching[later - 1])
    return np.concatenate(parts)


def _odds(tree: Tree, state: Array, enter: Array, leave: Array, quarter: int, following: float | None = None) -> Array:
    """Chance of a state: what was known up to `quarter`, then as its chances let it drift."""
    chance = np.array(state, dtype=float)
    for nodes in quarters_of(tree)[quarter + 1:]:
        chance[nodes] = next_chance(chance[tree.parent[nodes]], enter[nodes], leave[nodes])
        if following is not None and tree.quarter[nodes.start] == quarter + 1:
            chance[nodes] = following
    return chance


def scarce_chance(case, scenarios, quarter):
    tree, values = scenarios.tree, scenarios.values.supply
    nodes = np.flatnonzero(tree.quarter == min(quarter + 1, tree.quarters - 1))
    return next_chance(scenarios.scarce[tree.parent[nodes]], leave_chance(values.normal_duration)[nodes], leave_chance(values.scarce_duration)[nodes])
