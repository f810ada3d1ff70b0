"""From what ways come to on a small tree, with inputs moved, to levels that start from the fresh
paths.

With ``F`` on the fresh paths, ``s(x)`` on the tree with an input at ``x``, ``s(0)`` as it stands, ``r``
the root (the way that most others contain) and ``k = F_r / s_r(0)``:

    a way that contains none:   T_w(x) = F_w + k (s_w(x) - s_w(0)),  which for the root is k s_r(x)
    a way that contains others: T_w(x) = T_c(x) - A g(x) / g(0)

where ``c`` is the cheapest of those that ``w`` contains, at ``x``; ``g = s_c - s_w >= 0`` is what ``w``
gains on the tree by all that it may do beyond, and ``A = F_c - F_w`` the same on the fresh paths. So a
way moves only with what it rests on, and one that gives up its second vendor comes to what the way
without costs. A gain is stretched by `STRETCH` at most beyond ``k``; where that does not reach, it is
``A + k (g(x) - g(0))``, below 0 only where ``A`` is, and 0 where ``g(x)`` is and ``g(0)`` is not. The
cost of a query follows the same rule in logarithms, with 1 in place of ``k``; unserved demand, risk
and what is missing move as on the tree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabless.decide.results import WayLevels

STRETCH = 4.0
"""Most by which a gain on the tree is stretched or shrunk to that of the fresh paths, beyond the
factor by which all costs are."""


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
    fresh: Levels, usual: Levels, tree: Levels, contained: Mapping[str, Sequence[str]]
) -> dict[str, Level]:
    """Levels that start from the fresh paths.

    Parameters: `fresh`, on the fresh paths; `usual`, on the tree with no input moved; `tree`, on it
    with some moved; `contained`, ways that each way contains.
    """
    root, worlds = root_of(list(fresh), contained), (fresh, usual, tree)
    factor = fresh[root].total_usd / usual[root].total_usd
    levels: dict[str, Level] = {}
    for way in sorted(fresh, key=lambda name: len(contained.get(name, ()))):
        inner = [name for name in contained.get(way, ()) if name in levels]
        least = min(inner, key=lambda name: levels[name].total_usd, default="")
        levels[way] = (_beyond(way, least, levels, worlds, factor) if least
                       else _beside(way, worlds, factor))
    return {way: levels[way] for way in fresh}


def root_of(ways: Sequence[str], contained: Mapping[str, Sequence[str]]) -> str:
    """The way that most others contain, of those that contain none; the first among equals."""
    plain = [way for way in ways if not contained.get(way)] or list(ways)
    return max(plain, key=lambda way: sum(way in contained.get(other, ()) for other in ways))


def _beside(way: str, worlds: Sequence[Levels], factor: float) -> Level:
    """A way that contains no other: it moves by as much as on the tree."""
    fresh, usual, tree = (world[way] for world in worlds)
    return _level(
        fresh.total_usd + factor * (tree.total_usd - usual.total_usd),
        fresh.cost_per_query_usd * tree.cost_per_query_usd / usual.cost_per_query_usd,
        (fresh, usual, tree), factor)


def _beyond(way: str, least: str, levels: Levels, worlds: Sequence[Levels], factor: float) -> Level:
    """A way that may do all that `least` may, and more."""
    gains = [world[least].total_usd - world[way].total_usd for world in worlds]
    gain = gain_of(gains, factor)
    if gain == 0.0:
        return levels[least]
    apart = [math.log(world[way].cost_per_query_usd / world[least].cost_per_query_usd)
             for world in worlds]
    fresh, usual, tree = (world[way] for world in worlds)
    return _level(
        levels[least].total_usd - gain,
        levels[least].cost_per_query_usd * math.exp(stretched_difference(apart, 1.0)),
        (fresh, usual, tree), factor)


def gain_of(gains: Sequence[float], factor: float) -> float:
    """What a way gains beyond one that it contains; `gains` are those on the fresh paths, on the
    usual tree and on the moved one.

    >>> gain_of([6.0, 2.0, 0.0], 2.0), gain_of([-1.0, 0.0, 3.0], 2.0)
    (0.0, 5.0)
    """
    fresh, usual, tree = gains
    if usual <= 0.0:
        return fresh + factor * tree
    if tree <= 0.0:
        return 0.0
    return max(stretched_difference(gains, factor), min(fresh, 0.0))


def _level(total: float, cost: float, worlds: tuple[Level, Level, Level], factor: float) -> Level:
    """A level whose other parts move as on the tree."""
    fresh, usual, tree = worlds
    return Level(
        total_usd=total, cost_per_query_usd=cost,
        unserved_usd=max(
            fresh.unserved_usd + factor * (tree.unserved_usd - usual.unserved_usd), 0.0),
        risk_usd=fresh.risk_usd + factor * (tree.risk_usd - usual.risk_usd),
        missing_share=min(max(
            fresh.missing_share + tree.missing_share - usual.missing_share, 0.0), 1.0))


def stretched_difference(apart: Sequence[float], factor: float) -> float:
    """A difference on the moved tree as one of the fresh paths; `apart` holds it on the fresh paths,
    on the usual tree and on the moved one.

    >>> stretched_difference([6.0, 2.0, 1.0], 2.0), stretched_difference([6.0, 0.1, 1.1], 2.0)
    (3.0, 8.0)
    """
    fresh, usual, tree = apart
    stretch = fresh / (factor * usual) if usual else math.inf
    if 1.0 / STRETCH <= stretch <= STRETCH:
        return fresh * tree / usual
    return fresh + factor * (tree - usual)


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
