"""What may happen to demand and to the market, on a tree: the same for every way.

Before the first branching every number of the case stands at its mode. At the first branching each branch takes one
joint draw of all numbers. The growth rates (`revealed_slowly`) are drawn anew at every later branching, correlated with
their own earlier value; so the plan learns about growth as time goes on and about everything else once. After a
branching, supply is scarce or normal with a probability that drifts to its long-run value, which is all the plan knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from fabless.market import Regime, log_growth, transition_matrix
from fabless.records import Array, Case, CaseNumber, Range, Tree
from fabless.sampling import quantile, stratified, stream
from fabless.scenario.trees import balanced_tree
from fabless.units import DAY_S, QUARTER_S, YEAR_S

REGIME = "supply regime"
"""Name of the random stream of the supply regime."""


@dataclass(frozen=True, eq=False)
class Scenarios:
    """The future as a tree; every array has one value a node-quarter."""

    tree: Tree
    values: Mapping[str, Array]
    """Each number of the case [SI]."""
    scarce: Array
    """Probability, given what is known at the last branching, that supply is scarce."""
    demand: Mapping[str, Array]
    """Each load in its quarter: queries, or FLOP."""
    work: Array
    """Work of a query over that of the case's models on the first day."""
    stage: NDArray[np.int64]
    """Number of branchings passed."""
    node: NDArray[np.int64]
    """Index within its stage of the tree node that a node-quarter lies in."""


def sample(case: Case, *, like: Scenarios | None = None, changed: Collection[str] = ()) -> Scenarios:
    """Draw the scenarios of a case: the same seed and tree give the same random points, whatever the ranges are.

    `like` are scenarios of the same case but for the ranges of the `changed` numbers: the others' values are taken over.
    """
    numbers = case.numbers
    stages = np.diff([0, *case.boundaries, case.quarters])
    tree = balanced_tree(case.branching, [int(length) for length in stages])
    stage = np.searchsorted(np.array(case.boundaries), tree.quarter, side="right")
    node = _position_in_quarter(tree)
    points = _points(case, sorted(numbers if like is None else changed))
    kept = {} if like is None else like.values
    values = {name: _spread_over(number.spread, points[name], stage, node) if name in points else kept[name]
              for name, number in numbers.items()}
    scarce = _scarcity(tree, stage, node, values, numbers, points[REGIME])
    growth = _grown(tree, values["demand.growth"], values["demand.growth_long_run"], values["demand.growth_fade"])
    work = values["demand.work_level"] * _grown(
        tree, values["demand.work_trend"], np.ones(tree.size), values["demand.growth_fade"]
    )
    return Scenarios(tree, values, scarce, _loads(case, values, growth, tree), work, stage, node)


def revealed_slowly(case: Case) -> frozenset[str]:
    """Numbers that every branching draws anew: the growth rates of demand, of its work, and of training."""
    training = (f"loads.{load.name}.growth" for load in case.loads if load.kind == "training")
    return frozenset(("demand.growth", "demand.work_trend", *training))


def _position_in_quarter(tree: Tree) -> NDArray[np.int64]:
    first = np.searchsorted(tree.quarter, np.arange(tree.quarters))
    return np.arange(tree.size) - first[tree.quarter]


def _points(case: Case, names: list[str]) -> dict[str, list[Array]]:
    """Uniform points of each number for the nodes of each stage after the first.

    Every number has a random stream of its own, so that a line more or less leaves the others' draws as they were.
    """
    slowly = revealed_slowly(case)
    return {name: _own_points(case, name, name in slowly, name == REGIME) for name in (*names, REGIME)}


def _own_points(case: Case, name: str, slowly: bool, afresh: bool) -> list[Array]:
    """Points of one number, a stage each: kept, drawn anew with persistence (`slowly`), or drawn `afresh`."""
    points: list[Array] = []
    nodes = 1
    for stage, branches in enumerate(case.branching):
        nodes *= branches
        kept = np.repeat(points[-1], branches) if stage else np.zeros(nodes)
        if stage and not (slowly or afresh):
            points.append(kept)
            continue
        new = stratified(nodes, 1, stream(case.seed, f"{name} stage {stage + 1}"))[:, 0]
        if stage and slowly:
            rho = case.persistence
            new = ndtr(rho * ndtri(kept) + np.sqrt(1.0 - rho * rho) * ndtri(new))
        points.append(new)
    return points


def _spread_over(spread: Range, points: list[Array], stage: NDArray[np.int64], node: NDArray[np.int64]) -> Array:
    values = np.full(stage.size, spread.mode)
    for number, uniform in enumerate(points, start=1):
        here = stage == number
        values[here] = quantile(spread, uniform)[node[here]]
    return values


def _scarcity(
    tree: Tree,
    stage: NDArray[np.int64],
    node: NDArray[np.int64],
    values: Mapping[str, Array],
    numbers: Mapping[str, CaseNumber],
    points: list[Array],
) -> Array:
    """Two-regime Markov chain: at a branching the regime is seen, afterwards only its odds are known."""
    scarce = np.empty(tree.size)
    scarce[0] = numbers["supply.scarce_at_start"].spread.mode
    for k in range(1, tree.size):
        above = tree.parent[k]
        chain = transition_matrix(
            scarce_quarters=values["supply.scarce_duration"][k] / QUARTER_S,
            normal_quarters=values["supply.normal_duration"][k] / QUARTER_S,
        )
        scarce[k] = (np.array([1.0 - scarce[above], scarce[above]]) @ chain)[Regime.SCARCE]
        if stage[k] != stage[above]:
            scarce[k] = float(points[stage[k] - 1][node[k]] < scarce[k])
    return scarce


def _grown(tree: Tree, first_year: Array, long_run: Array, fade_s: Array) -> Array:
    """Multiple of the first quarter's level: yearly growth `first_year` that fades to `long_run`.

    d(log level)/dt = log(long_run) + (log(first_year) - log(long_run)) exp(-t / fade), with the rates known in each
    quarter; where they never change this is `market.demand_multiplier`.
    """
    end = tree.quarter * QUARTER_S
    gain = log_growth(np.log(first_year) / YEAR_S, np.log(long_run) / YEAR_S, fade_s, end - QUARTER_S, end)
    level = np.zeros(tree.size)
    for k in range(1, tree.size):
        level[k] = level[tree.parent[k]] + gain[k]
    return np.exp(level)


def _loads(case: Case, values: Mapping[str, Array], growth: Array, tree: Tree) -> dict[str, Array]:
    """Queries follow the logistic curve ``q0 g / (1 + (g - 1) q0 / ceiling)`` of their unbounded growth g."""
    start, ceiling = values["demand.queries"], values["demand.ceiling"]
    queries = QUARTER_S * start * growth / (1.0 + (growth - 1.0) * np.minimum(start / ceiling, 1.0))
    shares = {load.name: values[f"loads.{load.name}.share"] for load in case.loads
              if load.kind == "inference" and f"loads.{load.name}.share" in values}
    rest = 1.0 - sum(shares.values(), np.zeros(tree.size))
    demand: dict[str, Array] = {}
    for load in case.loads:
        if load.kind == "inference":
            demand[load.name] = queries * shares.get(load.name, rest)
        else:
            name = f"loads.{load.name}"
            demand[load.name] = values[f"{name}.flop"] * _grown(
                tree, values[f"{name}.growth"], values["demand.growth_long_run"], values["demand.growth_fade"]
            )
    return demand


def queries_per_day(scenarios: Scenarios, case: Case) -> Array:
    """Queries a day at each node-quarter, served or not."""
    total = sum((scenarios.demand[load.name] for load in case.loads if load.kind == "inference"),
                np.zeros(scenarios.tree.size))
    return total / (QUARTER_S / DAY_S)
