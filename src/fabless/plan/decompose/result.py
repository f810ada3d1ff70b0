"""The plan of a decomposition put together: the same record as from `solve`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabless.plan.decompose.blocks import Block, Cut, subtree_block
from fabless.plan.decompose.descent import DescentResult
from fabless.plan.problem.costs import Decisions
from fabless.plan.problem.service import service
from fabless.plan.result import PlanResult
from fabless.plan.solve.solve import DECIDED, priced
from fabless.records import Array


def result_of(whole: Cut, root: Block, best: DescentResult) -> PlanResult:
    """Lay out and price the best plan; each subtree is assembled again to read its answer.

    The objective is the price of the plan itself.
    """
    tree, families = whole.problem.tree, root.program.columns
    laid = {field: np.zeros((*families[name].index.shape[:-1], tree.size))
            for field, name in DECIDED.items()}
    _lay_out(laid, root, best.plan.value)
    columns, rows = root.program.cost.size, root.program.row_lower.size
    for starts, answer in zip(whole.starts, best.plan.answers, strict=True):
        block = subtree_block(whole, root, starts)
        _lay_out(laid, block, block.small.values(answer.value, best.plan.value[block.linked]))
        columns, rows = columns + block.program.cost.size, rows + block.program.row_lower.size
    result = priced(whole.problem, service(whole.problem), Decisions(**laid), best.lower,
                    (columns, rows))
    return replace(result, status=best.status,
                   lower_bound_usd=min(best.lower, result.objective_usd))


def _lay_out(laid: dict[str, Array], block: Block, value: Array) -> None:
    for field, array in laid.items():
        index = block.program.columns[DECIDED[field]].index
        place = np.nonzero(index >= 0)
        array[(*place[:-1], block.node[place[-1]])] = value[index[place]]
