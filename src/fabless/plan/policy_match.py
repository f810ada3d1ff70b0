"""Decision rule "nearest node": on a fresh path, do as the tree does where it looks most alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import PlanResult
from fabless.plan.rule.simulate import decided_now, paths_table
from fabless.records import Array


def match(planned: PlanProblem, fresh: PlanProblem) -> NDArray[np.int64]:
    """Node-quarter of the planned tree that each node-quarter of fresh paths is treated as, (K of fresh,).

    Both start at the root. Where the planned tree splits, a path moves to the child of its node that looks most alike
    in that quarter: least mean square distance of demand, shortage price, cost and supply of the offers, each
    standardised over the nodes of the quarter, the four kinds counted alike. So a match never uses what a path shows
    later. On a path of the planned tree itself it is that path.
    """
    table, tree = paths_table(fresh.tree), planned.tree
    node = np.zeros(table.shape, dtype=np.int64)
    for q in range(1, tree.quarters):
        here = np.flatnonzero(tree.quarter == q)
        parent = node[:, q - 1]
        if here.size == np.count_nonzero(tree.quarter == q - 1):
            child = np.empty(tree.size, dtype=np.int64)
            child[tree.parent[here]] = here
            node[:, q] = child[parent]
            continue
        theirs, ours = _state(planned, here), _state(fresh, table[:, q])
        for above in np.unique(parent):
            children = here[tree.parent[here] == above]
            rows = parent == above
            node[rows, q] = children[_nearest(ours, rows, theirs, np.isin(here, children))]
    matched = np.zeros(fresh.tree.size, dtype=np.int64)
    matched[table] = node
    return matched


def nearest_node(planned: PlanProblem, result: PlanResult, fresh: PlanProblem) -> Array:
    """Orders (O, K of fresh) of the matched nodes, scaled by the compute that the path demands over that of the node.

    Before the first split of the planned tree they are exactly the plan's; on the plan's own paths throughout.
    """
    matched = match(planned, fresh)
    scale = _need(fresh, np.arange(fresh.tree.size)) / np.maximum(_need(planned, matched), 1e-300)
    scale[fresh.tree.quarter < decided_now(planned.tree)] = 1.0
    return np.asarray(result.orders[:, matched] * scale)


def _need(problem: PlanProblem, node: NDArray[np.int64]) -> Array:
    """Chips of the mean offer that the demand of node-quarters calls for."""
    able = (problem.rate > 0).sum(axis=0)
    mean = np.divide(problem.rate.sum(axis=0), able, out=np.ones(able.shape), where=able > 0)
    return np.asarray((problem.demand / mean).sum(axis=0)[node])


def _state(problem: PlanProblem, node: NDArray[np.int64]) -> list[Array]:
    """What a path shows in a quarter, four kinds, (features, paths) each."""
    best = problem.rate[..., node].max(axis=1)
    cost = (problem.capital_usd + problem.running_usd)[:, node] / np.where(best > 0, best, 1.0)
    limits = np.vstack([np.where(problem.available, problem.cap, 0.0), *(limit for _, _, limit in problem.groups)])[:, node]
    supply = np.where(np.isfinite(limits), limits, 0.0)
    shown = [problem.lead_quarters[:, node], problem.available[:, node].astype(float)]
    return [_log(problem.demand[:, node]), _log(problem.unmet_usd[:, node]), _log(cost),
            np.concatenate([_log(supply), *shown])]


def _log(values: Array) -> Array:
    return np.asarray(np.log(np.maximum(np.abs(values), 1e-12)))


def _nearest(
    ours: list[Array], rows: NDArray[np.bool_], theirs: list[Array], columns: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Number of the nearest among the chosen `columns` for each of the chosen `rows`."""
    distance = np.zeros((np.count_nonzero(rows), np.count_nonzero(columns)))
    for mine, kind in zip(ours, theirs, strict=True):
        spread = kind.std(axis=1)
        told = spread > 1e-9
        if told.any():
            gap = (mine[told][:, rows, None] - kind[told][:, None, columns]) / spread[told, None, None]
            distance += (gap * gap).mean(axis=0)
    return np.asarray(np.argmin(distance, axis=1))
