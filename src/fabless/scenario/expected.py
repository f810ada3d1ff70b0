"""What each path expects of its future at some quarter: the outlook of one who plans again there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.market import leave_chance, next_chance, strike_chance
from fabless.records import Array, Tree
from fabless.scenario.draws import Scenarios, Values, _grown, _loads
from fabless.scenario.states import places, quarters_of


def expected(case: Case, scenarios: Scenarios, quarter: int) -> Scenarios:
    """Scenarios on the same tree that show up to `quarter` what happened and afterwards what is then expected.

    Numbers whose news is still to come stay as they are known at `quarter`; scarcity and shocks are what was seen last, and
    then the chance of it. Growth therefore goes on as it is seen, and fades as the case says. `case` is that of the
    scenarios, with their branching.
    """
    tree, stage = scenarios.tree, scenarios.stage
    seen = int(np.searchsorted(np.array(case.boundaries), quarter, side="right"))
    flat = {name: _kept(draws, case.branching, seen) for name, draws in scenarios.values.flat.items()}
    values = Values(flat, places(tree, stage, case.branching))
    struck = {shock.name: _odds(tree, scenarios.struck[shock.name], strike_chance(values[shock.terms["rate"]]),
                                leave_chance(values[shock.terms["duration"]]), quarter)
              for shock in case.shocks}
    scarce = _odds(tree, scenarios.scarce, leave_chance(values["supply.normal_duration"]),
                   leave_chance(values["supply.scarce_duration"]), quarter)
    growth = _grown(tree, values["demand.growth"], values["demand.growth_long_run"], values["demand.growth_fade"])
    work = values["demand.work_level"] * _grown(
        tree, values["demand.work_trend"], np.ones(tree.size), values["demand.growth_fade"])
    return replace(scenarios, values=values, scarce=scarce, struck=struck, work=work,
                   demand=_loads(case, values, growth, struck, tree))


def known_at(tree: Tree, quarter: int) -> NDArray[np.int64]:
    """Node-quarter whose knowledge holds at each node-quarter: its own up to `quarter`, then that on its path there."""
    known = np.arange(tree.size)
    for here in quarters_of(tree)[quarter + 1:]:
        known[here] = known[tree.parent[here]]
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


def _odds(tree: Tree, state: Array, enter: Array, leave: Array, quarter: int) -> Array:
    """Chance of a state: what was known up to `quarter`, then as its chances let it drift."""
    chance = np.array(state, dtype=float)
    for here in quarters_of(tree)[quarter + 1:]:
        chance[here] = next_chance(chance[tree.parent[here]], enter[here], leave[here])
    return chance
