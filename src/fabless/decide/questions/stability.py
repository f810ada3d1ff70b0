"""Whether other draws of the scenarios give the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from fabless.case_records import Case
from fabless.decide.fresh.on_paths import standard_error
from fabless.decide.results import Action, FirstOrder, Stability, TreeDifference
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay, roughly_solved
from fabless.plan import trunk
from fabless.records import Array
from fabless.strategy import Commitment
from fabless.titles import order_titles

ORDERS = ("order", "draw", "signing")
"""Kinds of actions that have an amount to compare."""
LEAST_ORDER = 1.0
"""Chips under which nothing is ordered."""
TIE = 0.005
"""Share of the objective within which ways are tied."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _SeedJob:
    prepared: Prepared
    branching: tuple[int, ...]
    seed: int
    chosen: tuple[tuple[str, Commitment], ...]
    recommended: str
    orders: tuple[Action, ...]


@dataclass(frozen=True)
class _SeedRun:
    """What one seed gives."""

    objective: Mapping[str, float]
    median_usd: float
    """Cost of a query of the recommended way."""
    amounts: tuple[float, ...]
    """Chips that it orders, in the order of the actions asked for."""
    carried_on: frozenset[str]
    """Ways that carry on the programme that they commit to."""


def stability(
    prepared: Prepared, branching: tuple[int, ...], chosen: Sequence[tuple[str, Commitment]],
    recommended: str, seeds: int, executor: Executor, actions: Sequence[Action] = (),
) -> Stability:
    """Draw the case with the `seeds` seeds after its own and solve every way (name and commitment)
    again on each; `actions` are the first ones of the recommended way.

    The seeds give trees that are independent of each other and of the one planned on.
    """
    first = prepared.case.seed + 1
    numbers = tuple(range(first, first + seeds))
    orders = tuple(action for action in actions if action.kind in ORDERS)
    jobs = [_SeedJob(prepared=prepared, branching=branching, seed=seed, chosen=tuple(chosen),
                     recommended=recommended, orders=orders) for seed in numbers]
    runs = list(executor.map(_solved_again, jobs))
    medians = np.array([run.median_usd for run in runs])
    amounts = np.array([run.amounts for run in runs]).reshape(seeds, len(orders))
    return Stability(
        seeds=numbers, leaves=int(np.prod(branching)),
        rankings=tuple(_tied(run.objective) for run in runs),
        cost_per_query_usd=band(medians, np.full(seeds, 1.0 / seeds)),
        differences=tree_differences([run.objective for run in runs], recommended),
        carried_on=tuple((name, sum(name in run.carried_on for run in runs))
                         for name, commitment in chosen if commitment.programmes),
        first_orders=tuple(_first_order(action, column, prepared.case)
              for action, column in zip(orders, amounts.T, strict=True)))


def tree_differences(
    objectives: Sequence[Mapping[str, float]], recommended: str
) -> tuple[TreeDifference, ...]:
    """Each way against the recommended one over trees (one mapping a tree), in the order given.

    >>> difference, = tree_differences([{"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 6.0}], "a")
    >>> difference.way, difference.difference_usd, difference.error_usd, difference.is_tie
    ('b', 3.0, 1.0, False)
    """
    names = [name for name in objectives[0] if name != recommended]
    apart = {name: np.array([tree[name] - tree[recommended] for tree in objectives]) for name in names}
    return tuple(TreeDifference(way=name, difference_usd=float(values.mean()),
                                error_usd=standard_error(values))
                 for name, values in apart.items())


def _solved_again(job: _SeedJob) -> _SeedRun:
    prepared = replace(job.prepared, case=replace(job.prepared.case, seed=job.seed))
    world = draw_world(prepared, branching=job.branching)
    solved = [roughly_solved(world, name, (commitment,)) for name, commitment in job.chosen]
    best = next(item for item in solved if item.name == job.recommended)
    return _SeedRun(
        {item.name: item.result.objective_usd for item in solved},
        band(best.paths.levelised_usd, best.paths.probability).p50,
        tuple(_amount(best, action, prepared.case) for action in job.orders),
        frozenset(item.name for item in solved if item.policy.go.any()))


def _amount(solved: SolvedWay, action: Action, case: Case) -> float:
    """Chips that a plan orders (or signs, a quarter) of what an action is about, in its quarter;
    nothing where it lies after the first news."""
    tree = solved.plan.problem.tree
    nodes = [int(k) for k in trunk(tree)
             if str(case.first_quarter + int(tree.quarter[k])) == action.quarter]
    amounts = solved.result.levels if action.kind == "signing" else solved.result.orders
    names = ([item.name for item in solved.plan.problem.agreements] if action.kind == "signing"
             else [offer.name for offer in solved.plan.offers])
    rows = [row for name, row in zip(names, amounts, strict=True) if name == action.about]
    return float(sum(row[node] for row in rows for node in nodes))


def _first_order(action: Action, amounts: Array, case: Case) -> FirstOrder:
    taken = amounts[amounts >= LEAST_ORDER]
    low, high = (float(taken.min()), float(taken.max())) if taken.size else (0.0, 0.0)
    title = order_titles(case).get(action.about, action.about)
    amount = float(action.amount or 0.0)
    others = f"in {taken.size} of {amounts.size} other draws"
    if taken.size:
        others += f", {low:,.0f} to {high:,.0f}" if round(low) != round(high) else f", {low:,.0f}"
    return FirstOrder(
        about=action.about, quarter=action.quarter, kind=action.kind, title=title, amount=amount,
        seeds=int(taken.size), of=int(amounts.size), low=low, high=high,
        text=f"{amount:,.0f} {title} in {action.quarter}: {others}")


def _tied(objective: Mapping[str, float]) -> tuple[str, ...]:
    """Ways, best first; ways within `TIE` of the best of their place share it, in the order given.

    >>> _tied({"a": 100.0, "b": 100.4, "c": 90.0})
    ('c', 'a = b')
    """
    places: list[list[str]] = []
    for name in sorted(objective, key=lambda name: objective[name]):
        if places and objective[name] - objective[places[-1][0]] <= TIE * abs(objective[name]):
            places[-1].append(name)
        else:
            places.append([name])
    return tuple(" = ".join(sorted(place, key=list(objective).index)) for place in places)
