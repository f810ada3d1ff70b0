"""A way may do whatever a way that it contains does: more options never cost more.

A planner is no perfect optimiser: with one more line or an own chip to wait for it may do worse
than without. Whoever has the wider way may always act as if he had the narrower one, and has seen
on other paths which does better. So the paths are cut in two halves, and on each half a way follows
the planner, its own or that of a contained way, that was cheapest on the other half. No path is
judged by a choice made on it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabless.case_records import Case
from fabless.decide.fresh.on_paths import WayOnPaths, mixed, risk_adjusted_by_path
from fabless.strategy import Commitment, Way


def with_contained(
    case: Case, ways: Mapping[str, WayOnPaths], allowed: Mapping[str, Way],
    commitments: Mapping[str, Commitment],
) -> dict[str, WayOnPaths]:
    """The ways, each free to act as any way that it contains; what a way allows and what it enters
    into are by its name."""
    return {
        name: _freed(
            case, way,
            [mixed(way, other, np.ones(way.cost_usd.size, dtype=bool),
                   committed=bool(commitments[name].programmes))
             for key, other in ways.items()
             if key != name and contains(allowed[name], commitments[name], commitments[key])])
        for name, way in ways.items()
    }


def contains(way: Way, entered: Commitment, narrow: Commitment) -> bool:
    """Whether whoever has a way, and has entered into a commitment of it, may act as under
    `narrow`: the way allows all lines and contracts of that, and its programmes are started or may
    be."""
    lines, contracts, _, may_start = way.allows
    begun = {item.name for item in entered.programmes}
    return (
        {line.name for line in narrow.lines} <= lines
        and {item.name for item in narrow.contracts or ()} <= contracts
        and {item.name for item in narrow.programmes} <= begun
        and {item.name for item in narrow.may_start} <= begun | may_start
    )


def _freed(case: Case, way: WayOnPaths, others: list[WayOnPaths]) -> WayOnPaths:
    """What the way comes to where each half of its paths follows the choice of the other half."""
    count = way.cost_usd.size
    if count < 4 or not others:
        return way
    half = np.arange(count) % 2 == 0
    result = way
    for judged, seen in ((half, ~half), (~half, half)):
        best = min([way, *others], key=lambda item: float(
            risk_adjusted_by_path(case, item.cost_usd[seen]).mean()))
        if best is not way:
            result = mixed(result, best, judged, committed=False)
    return result
