"""What a policy of gates means: the odds of each step, what is spent, what can still be stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.plan.problem.costs import path_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.project import Project
from fabless.records import Tree


@dataclass(frozen=True)
class GateStep:
    """What happens to a project in a quarter with a gate; probabilities over the tree."""

    quarter: int
    start: float
    go_on: float
    """Went on before and goes on."""
    give_up: float


@dataclass(frozen=True, kw_only=True)
class ProjectPlan:
    """One project under a policy; money is not discounted."""

    name: str
    steps: tuple[GateStep, ...]
    start_probability: float
    give_up_probability: float
    expected_spend_usd: float
    """Fees for giving up included."""
    worst_spend_usd: float
    """Most spent on any path."""
    committed_usd: float
    """Expected spend from each start to the first gate after it: no choice stops it."""
    avoidable_usd: float
    """Expected spend after that, if it were never given up: capital at risk that can be stopped by
    choice."""


def project_plans(problem: PlanProblem, go: NDArray[np.bool_]) -> tuple[ProjectPlan, ...]:
    """Read what the policy `go` (P, K) does with each project of `problem`."""
    return tuple(_read(problem.tree, project, row)
                 for project, row in zip(problem.projects, go, strict=True))


def _read(tree: Tree, project: Project, go: NDArray[np.bool_]) -> ProjectPlan:
    before = go[tree.parent] & (tree.parent >= 0)
    rises, falls = go & ~before, before & ~go
    committed, started = np.zeros(tree.size, dtype=bool), rises.copy()
    for k in range(tree.size):
        above = tree.parent[k]
        committed[k] = rises[k] or (above >= 0 and committed[above] and not project.gate[k])
        started[k] |= above >= 0 and started[above]
    odds, quarters = tree.probability, np.unique(tree.quarter[project.start | project.gate])
    spent = project.spend_usd * go + project.end_usd * falls
    steps = tuple(
        GateStep(int(q),
                 *(float(odds[mask & (tree.quarter == q)].sum())
                   for mask in (rises, before & go, falls)))
        for q in quarters)
    return ProjectPlan(
        name=project.name, steps=steps, start_probability=float(odds[rises].sum()),
        give_up_probability=float(odds[falls].sum()), expected_spend_usd=float(odds @ spent),
        worst_spend_usd=float(path_costs(tree, spent).max()),
        committed_usd=float(odds @ (project.spend_usd * committed)),
        avoidable_usd=float(odds @ (project.spend_usd * (started & ~committed))))
