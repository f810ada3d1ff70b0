"""Which way would have been the best in which kind of future."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.decide.fresh.judge import Judged
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.results import RegretRow
from fabless.records import Array

SCARCITY_QUARTERS = 12
"""Quarters over which the scarcity of supply is averaged to tell futures apart."""


def regret_table(judged: Judged) -> tuple[RegretRow, ...]:
    """Mean regret of each way in each group of fresh paths, and its largest on any one path.

    The regret in a group is the way's mean discounted cost there, unserved demand at its price
    included, above that of the way that is cheapest in that group.
    """
    names = list(judged.ways)
    cost = np.array([judged.ways[name].cost_usd for name in names])
    worst = (cost - cost.min(axis=0)).max(axis=1)
    groups = _groups(judged.ways[judged.best])
    mean = {name: cost[:, group].mean(axis=1) for name, group in groups.items() if group.any()}
    return tuple(
        RegretRow(
            name,
            tuple((group, float(costs[row] - costs.min())) for group, costs in mean.items()),
            float(worst[row]),
        )
        for row, name in enumerate(names)
    )


def _groups(way: WayOnPaths) -> dict[str, NDArray[np.bool_]]:
    """Groups of paths by compute demanded over the horizon and by how scarce supply is in its first
    years."""
    by_need = _rank(way.wanted.sum(axis=1))
    by_scarcity = _rank(way.scarce[:, :SCARCITY_QUARTERS].mean(axis=1))
    return {
        "low demand": by_need < 1 / 3, "middling demand": (by_need >= 1 / 3) & (by_need < 2 / 3),
        "high demand": by_need >= 2 / 3, "supply soon normal": by_scarcity < 1 / 3,
        "supply long scarce": by_scarcity >= 2 / 3,
    }


def _rank(values: Array) -> Array:
    """Share of smaller values plus half of the own one, by path."""
    return (np.argsort(np.argsort(values, kind="stable"), kind="stable") + 0.5) / values.size
