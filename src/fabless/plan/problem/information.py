"""A plan on another tree, and on the mean path of its own tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.plan.problem.agreement import Agreement
from fabless.plan.problem.problem import PlanProblem
from fabless.records import Array, Tree
from fabless.scenario import chain_tree

_PRICES = ("capital_usd", "running_usd", "payment_usd", "fixed_usd", "rate", "demand", "unmet_usd",
           "resale_usd", "existing", "existing_capital_usd")
_LIMITS = ("cap", "floor", "power_cap_w", "cash_cap_usd")
_AGREED = ("sign", "level_cap", "level_floor", "start_quarters", "fee_usd", "untaken_usd")


def on_tree(problem: PlanProblem, tree: Tree, source: NDArray[np.int64]) -> PlanProblem:
    """Lay `problem` out on another tree whose node-quarter k copies the data of node-quarter
    `source[k]`."""
    copied = {name: getattr(problem, name)[..., source]
              for name in ("lead_quarters", "available", *_PRICES, *_LIMITS)}
    groups = tuple((name, members, limit[source]) for name, members, limit in problem.groups)
    agreements = tuple(replace(agreement,
                               **{name: getattr(agreement, name)[source] for name in _AGREED})
                       for agreement in problem.agreements)
    return replace(problem, tree=tree, groups=groups, agreements=agreements, **copied)


def merge(problem: PlanProblem) -> PlanProblem:
    """Merge the tree into its mean path: every number its probability-weighted mean by quarter.

    A lead time is rounded to whole quarters; where an offer is not available, or an agreement may
    not be signed, its cap counts as 0.
    """
    tree = problem.tree
    weight = np.zeros((tree.size, tree.quarters))
    weight[np.arange(tree.size), tree.quarter] = tree.probability

    def mean(numbers: Array) -> Array:
        finite = np.where(np.isfinite(numbers), numbers, 0.0) @ weight
        return np.where(np.isinf(numbers).astype(float) @ weight > 0, np.inf, finite)

    def agreed(agreement: Agreement) -> Agreement:
        means = {name: mean(getattr(agreement, name))
                 for name in ("level_floor", "fee_usd", "untaken_usd")}
        start = np.rint(mean(agreement.start_quarters.astype(float))).astype(np.int64)
        cap = mean(np.where(agreement.sign, agreement.level_cap, 0.0))
        signing = {"sign": cap > 0, "level_cap": cap, "start_quarters": start}
        return replace(agreement, **signing, **means)  # type: ignore[arg-type]

    merged = {name: mean(getattr(problem, name)) for name in (*_PRICES, *_LIMITS)}
    merged["cap"] = mean(np.where(problem.available, problem.cap, 0.0))
    return replace(
        problem,
        tree=chain_tree(tree.quarters),
        groups=tuple((name, members, mean(limit)) for name, members, limit in problem.groups),
        agreements=tuple(agreed(agreement) for agreement in problem.agreements),
        available=mean(problem.available.astype(float)) > 0,
        lead_quarters=np.rint(mean(problem.lead_quarters.astype(float))).astype(np.int64),
        **merged,  # type: ignore[arg-type]
    )
