"""Few draws of demand that stand for many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fabless.case_records import Case
from fabless.records import Array
from fabless.scenario.draws import Scenarios, sample
from fabless.scenario.expected import expected
from fabless.scenario.points import Chosen

TRIAL_DRAWS = 1024
"""Trial draws of demand among which the first branches choose."""


def representatives(case: Case, weights: Mapping[str, float]) -> Chosen | None:
    """Choose the draws of demand of the first branches out of many, so that few branches stand for
    the whole spread.

    The trial draws are ordered by the logarithm of the compute that they are expected to need over
    the horizon, given what the first branching tells; they are cut into as many slices of equal
    number as there are branches, and of each slice the one is taken whose need is nearest to the
    slice's mean. Need has a heavy tail, on which a plan's cost hangs; a dozen free draws of it miss
    their mean by a third. `weights`: compute per unit of each load. None where there are so many
    branches that free draws do.
    """
    branches = case.branching[0]
    each = TRIAL_DRAWS // branches
    if each < 2:
        return None
    first = case.boundaries[0]
    wide = replace(case, branching=(branches * each,), boundaries=(first,))
    outlook = expected(wide, sample(wide), first)
    needed = compute_needed(case, outlook, weights)
    total = needed[outlook.tree.quarter >= first].reshape(-1, branches * each).sum(axis=0)
    slices = np.argsort(total, kind="stable").reshape(branches, each)
    mean = total[slices].mean(axis=1, keepdims=True)
    rows = np.take_along_axis(
        slices, np.abs(np.log(total[slices] / mean)).argmin(axis=1)[:, None], axis=1
    )
    return Chosen(branches * each, np.sort(rows[:, 0]))


def compute_needed(case: Case, scenarios: Scenarios, weights: Mapping[str, float]) -> Array:
    """Compute needed at each node-quarter, each load at its weight times the work of a query."""
    return sum(
        (
            scenarios.demand[load.name] * weights[load.name]
            * (scenarios.work if load.kind == "inference" else 1.0)
            for load in case.loads
        ),
        np.zeros(scenarios.tree.size),
    )
