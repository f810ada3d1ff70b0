"""A dear check of a decision rule on a few paths: what each would cost had it been known from the
start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import DoesNotFit, Fault
from fabless.plan.problem.information import on_tree
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.result import PlanResult
from fabless.plan.rule.simulate import paths_table
from fabless.plan.solve.solve import solve
from fabless.records import Array, Tree

TOGETHER = 20
"""Paths in one linear programme; they share nothing, and a small programme is solved faster than a
large one."""


def chains(problem: PlanProblem, leaves: NDArray[np.int64]) -> PlanProblem:
    """Some paths of a problem, by their number among its leaves, pulled apart; of equal
    probability, without risk weight."""
    table = paths_table(problem.tree)[leaves]
    count, quarters = table.shape
    number = np.arange(count * quarters).reshape(quarters, count)
    parent = np.vstack([np.full((1, count), -1), number[:-1]])
    tree = Tree(parent.ravel(), np.repeat(np.arange(quarters), count),
                np.full(number.size, 1.0 / count))
    return replace(on_tree(problem, tree, table.T.ravel()), cvar_weight=0.0)


def perfect_costs(problem: PlanProblem, leaves: NDArray[np.int64]) -> Array:
    """Least discounted cost (n,) of some paths, each planned as if it were known from the start
    [USD]."""
    lumps = [leaves[k:k + TOGETHER] for k in range(0, leaves.size, TOGETHER)]
    return np.concatenate([np.zeros(0),
                           *(_solved(chains(problem, lump)).path_cost_usd for lump in lumps)])


def _solved(problem: PlanProblem) -> PlanResult:
    result = solve(problem)
    if not result.status.is_ok:
        raise DoesNotFit(Fault("plan of a path", f"the solver ended with status {result.status}",
                               "an optimal plan",
                               "look for commitments, power or cash that contradict each other on "
                               "it"))
    return result
