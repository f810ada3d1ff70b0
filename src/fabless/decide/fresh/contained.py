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
from fabless.strategy import Commitment


def with_contained(
    case: Case, ways: Mapping[str, WayOnPaths], commitments: Mapping[str, Commitment]
) -> dict[str, WayOnPaths]:
    """The ways, each free to act as any way that it contains; ways and commitments by name."""
    return {
        name: _freed(case, way, [other for key, other in ways.items() if key != name
                                 and contains(commitments[name], commitments[key])])
        for name, way in ways.items()
    }


def contains(wide: Commitment, narrow: Commitment) -> bool:
    """Whether whoever enters into `wide` may act as under `narrow`: it has all of its lines and
    contracts, and has started or may start its programmes."""
    begun = {item.name for item in wide.programmes}
    started = {item.name for item in narrow.programmes}
    contracts = {item.name for item in narrow.contracts or ()}
    return (
        {line.name for line in narrow.lines} <= {line.name for line in wide.lines}
        and started <= begun
        and {item.name for item in narrow.may_start} <= {
            item.name for item in (*wide.programmes, *wide.may_start)}
        and (wide.contracts is None
             or (narrow.contracts is not None
             and contracts <= {item.name for item in wide.contracts}))
    )


def _freed(case: Case, way: WayOnPaths, contained: list[WayOnPaths]) -> WayOnPaths:
    count = way.cost_usd.size
    if count < 4 or not contained:
        return way
    choices = [way, *(mixed(way, other, np.ones(count, dtype=bool)) for other in contained)]
    half = np.arange(count) % 2 == 0
    result = way
    for judged, seen in ((half, ~half), (~half, half)):
        best = min(choices, key=lambda item: float(
            risk_adjusted_by_path(case, item.cost_usd[seen]).mean()))
        if best is not way:
            result = mixed(result, best, judged)
    return result
