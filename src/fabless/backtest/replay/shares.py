"""Which part of a cost comes from not knowing what: Shapley values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import factorial

FrozenNames = frozenset[str]


def shapley(cost: Mapping[FrozenNames, float], factors: tuple[str, ...]) -> dict[str, float]:
    """What knowing each factor saves, averaged over all orders in which they may be learnt.

    ``sum over S without f of |S|! (n - |S| - 1)! / n! (cost(S) - cost(S + f))``: the parts add up to
    cost(nothing) - cost(everything), and a factor that changes nothing has none (Shapley 1953).
    A part may be negative, where knowing one thing alone misleads.

    >>> cost = {frozenset(): 10.0, frozenset("a"): 7.0, frozenset("b"): 8.0, frozenset("ab"): 3.0}
    >>> shapley(cost, ("a", "b"))
    {'a': 4.0, 'b': 3.0}
    """
    count = len(factors)
    parts = {}
    for factor in factors:
        others = [name for name in factors if name != factor]
        parts[factor] = sum(
            factorial(size) * factorial(count - size - 1) / factorial(count)
            * (cost[frozenset(group)] - cost[frozenset(group) | {factor}])
            for size in range(count) for group in combinations(others, size))
    return parts
