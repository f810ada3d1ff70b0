"""Which way would have been the best in which kind of future."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fabless.decide.results import RegretRow
from fabless.decide.ways.problem import World
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Array

SCARCITY_QUARTERS = 12
"""Quarters over which the scarcity of supply is averaged to tell futures apart."""


def regret_table(world: World, solved: Sequence[SolvedWay]) -> tuple[RegretRow, ...]:
    """Mean regret of each way in each group of scenarios, and its largest in any one scenario.

    The regret in a group is the way's mean discounted cost there, unserved demand at its price
    included, above that of the way that is cheapest in that group.
    """
    tree = world.scenarios.tree
    probability = tree.probability[tree.leaves]
    cost = np.array([item.result.path_cost_usd for item in solved])
    worst = (cost - cost.min(axis=0)).max(axis=1)
    groups = _groups(world)
    mean = {name: cost[:, group] @ probability[group] / probability[group].sum()
            for name, group in groups.items() if group.any()}
    return tuple(
        RegretRow(
            item.name,
            tuple((name, float(costs[row] - costs.min())) for name, costs in mean.items()),
            float(worst[row]),
        )
        for row, item in enumerate(solved)
    )


def _groups(world: World) -> dict[str, NDArray[np.bool_]]:
    """Groups of leaves by compute demanded over the horizon and by how scarce supply is in its
    first years."""
    tree = world.scenarios.tree
    path = tree.ancestors()[tree.leaves]
    probability = tree.probability[tree.leaves]
    need = world.need[path].sum(axis=1)
    scarce = world.scenarios.scarce[path[:, :SCARCITY_QUARTERS]].mean(axis=1)
    by_need, by_scarcity = _rank(need, probability), _rank(scarce, probability)
    return {
        "low demand": by_need < 1 / 3, "middling demand": (by_need >= 1 / 3) & (by_need < 2 / 3),
        "high demand": by_need >= 2 / 3, "supply soon normal": by_scarcity < 1 / 3,
        "supply long scarce": by_scarcity >= 2 / 3,
    }


def _rank(values: Array, probability: Array) -> Array:
    """Probability of a smaller value plus half of the own one, by leaf."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(probability[order])
    rank = np.empty(values.size)
    rank[order] = total - 0.5 * probability[order]
    return rank
