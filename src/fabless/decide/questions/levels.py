"""From what ways come to on a small tree, with inputs moved, to levels that start from the fresh
paths.

With ``F`` on the fresh paths, ``s(x)`` on the tree with an input at ``x``, ``s(0)`` as it stands, and
``r`` the recommended way:

    total_r(x)  = F_r s_r(x) / s_r(0),        cost of a query likewise
    total_w(x) - total_r(x) = (F_w - F_r) d(x) / d(0),      d = s_w - s_r on the tree,

the second only where that stretches the tree's difference by at most `STRETCH` beyond the factor ``k =
F_r / s_r(0)`` of the first; otherwise it is ``F_w - F_r + k (d(x) - d(0))``. Ways that come to the same
on the tree come to the same, and no way is dearer than one that it contains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabless.decide.results import WayLevels

STRETCH = 4.0
"""Most by which a difference on the tree is stretched or shrunk to that of the fresh paths, beyond
the factor by which all costs are."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """What one way comes to, on fresh paths or on a tree."""

    total_usd: float
    unserved_usd: float
    risk_usd: float
    cost_per_query_usd: float
    missing_share: float


Levels = Mapping[str, Level]
"""Level of each way by its name."""


def carried_over(
    fresh: Levels, usual: Levels, tree: Levels, *, reference: str,
    contained: Mapping[str, Sequence[str]],
) -> dict[str, Level]:
    """Levels that start from the fresh paths.

    Parameters: `fresh`, on the fresh paths; `usual`, on the tree with no input moved; `tree`, on it
    with some moved; `reference`, the recommended way; `contained`, ways that each way contains.
    """
    first = _reference(fresh[reference], usual[reference], tree[reference])
    levels = {reference: first}
    for way in (way for way in fresh if way != reference):
        twin = next((other for other in levels if tree[other] == tree[way]), None)
        levels[way] = levels[twin] if twin else _beside(
            first, [(item[way], item[reference]) for item in (fresh, usual, tree)])
    for way in sorted(fresh, key=lambda name: len(contained.get(name, ()))):
        least = min((*contained.get(way, ()), way), key=lambda name: levels[name].total_usd)
        if levels[least].total_usd < levels[way].total_usd:
            levels[way] = levels[least]
    return {way: levels[way] for way in fresh}


def _reference(fresh: Level, usual: Level, tree: Level) -> Level:
    factor = fresh.total_usd / usual.total_usd
    return Level(
        total_usd=tree.total_usd * factor,
        unserved_usd=max(
            fresh.unserved_usd + factor * (tree.unserved_usd - usual.unserved_usd), 0.0),
        risk_usd=fresh.risk_usd + factor * (tree.risk_usd - usual.risk_usd),
        cost_per_query_usd=fresh.cost_per_query_usd * tree.cost_per_query_usd
        / usual.cost_per_query_usd,
        missing_share=_share(fresh.missing_share + tree.missing_share - usual.missing_share),
    )


def _beside(first: Level, pairs: Sequence[tuple[Level, Level]]) -> Level:
    """A way beside the reference way, whose level is `first`; `pairs` are it and the reference on
    the fresh paths, on the usual tree and on the moved one."""
    factor = pairs[0][1].total_usd / pairs[1][1].total_usd

    def apart(name: str, scale: float) -> float:
        """Difference of a part, moved by as much as on the tree."""
        known, before, now = (getattr(way, name) - getattr(beside, name) for way, beside in pairs)
        return float(known + scale * (now - before))

    total = stretched_difference(
        [way.total_usd - beside.total_usd for way, beside in pairs], factor)
    cost = stretched_difference(
        [math.log(way.cost_per_query_usd / beside.cost_per_query_usd) for way, beside in pairs],
        1.0)
    return replace(
        first, total_usd=first.total_usd + total,
        unserved_usd=max(first.unserved_usd + apart("unserved_usd", factor), 0.0),
        risk_usd=first.risk_usd + apart("risk_usd", factor),
        cost_per_query_usd=first.cost_per_query_usd * math.exp(cost),
        missing_share=_share(first.missing_share + apart("missing_share", 1.0)))


def stretched_difference(apart: Sequence[float], scale: float) -> float:
    """A difference on the moved tree as one of the fresh paths; `apart` holds it on the fresh paths,
    on the usual tree and on the moved one.

    >>> stretched_difference([6.0, 2.0, 1.0], 2.0), stretched_difference([6.0, 0.1, 1.1], 2.0)
    (3.0, 8.0)
    """
    fresh, usual, tree = apart
    stretch = fresh / (scale * usual) if usual else math.inf
    if 1.0 / STRETCH <= stretch <= STRETCH:
        return fresh * tree / usual
    return fresh + scale * (tree - usual)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def as_way_levels(points: Sequence[Levels], ways: Sequence[str]) -> tuple[WayLevels, ...]:
    """Levels at several points, way by way."""
    return tuple(
        WayLevels(
            way=way,
            cash_usd=tuple(point[way].total_usd - point[way].unserved_usd - point[way].risk_usd
                           for point in points),
            unserved_usd=tuple(point[way].unserved_usd for point in points),
            risk_usd=tuple(point[way].risk_usd for point in points),
            cost_per_query_usd=tuple(point[way].cost_per_query_usd for point in points),
            missing_share=tuple(point[way].missing_share for point in points))
        for way in ways)
