"""The plan of a decomposition put together: the same record as from `solve`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabless.plan.decompose.blocks import Block, Cut, subtree_block
from fabless.plan.decompose.descent import Found
from fabless.plan.decompose.master import ROUNDING
from fabless.plan.lp.assemble import Program
from fabless.plan.problem.costs import Decisions
from fabless.plan.problem.service import service
from fabless.plan.result import Binding, PlanResult, Status
from fabless.plan.solve.highs import Solution
from fabless.plan.solve.limits import binding
from fabless.plan.solve.solve import DECIDED, reported
from fabless.records import Array


def result_of(whole: Cut, root: Block, found: Found) -> PlanResult:
    """Lay out and price the best plan; each subtree is assembled again to read its answer.

    The objective is the price of the plan itself.
    """
    value, guess = found.plan.value, found.guess
    tree, families = whole.problem.tree, root.program.columns
    laid = [np.zeros((*families[name].index.shape[:-1], tree.size)) for name in DECIDED]
    _lay_out(laid, root, value)
    limits = [] if guess is None else _limits(whole, root, value, value, guess.row_dual, guess.column_dual)
    columns, rows = root.program.cost.size, root.program.row_lower.size
    for starts, answer, prices in zip(whole.starts, found.plan.answers, found.prices, strict=True):
        block = subtree_block(whole, root, starts)
        _lay_out(laid, block, answer.value)
        limits += _limits(whole, block, answer.value, value, prices, _reduced(block.program, prices))
        columns, rows = columns + block.program.cost.size, rows + block.program.row_lower.size
    result = reported(whole.problem, service(whole.problem), Decisions(*laid), found.status, None, found.lower,
                      _summed(limits) if found.status.is_ok else (), (columns, rows))
    return replace(result, lower_bound_usd=min(found.lower, result.objective_usd))


def _lay_out(laid: list[Array], block: Block, value: Array) -> None:
    for array, name in zip(laid, DECIDED, strict=True):
        index = block.program.columns[name].index
        place = np.nonzero(index >= 0)
        array[(*place[:-1], block.node[place[-1]])] = value[index[place]]


def _limits(
    whole: Cut, block: Block, value: Array, above: Array, row_dual: Array, column_dual: Array
) -> list[Binding]:
    """Limits of a block that cost money; what the root block's columns `above` add to them counts as in the whole."""
    program, nothing = block.program, np.zeros(above.size)
    linked = replace(
        program, row=np.concatenate([program.row, block.link_row]),
        column=np.concatenate([program.column, value.size + block.link_column]),
        value=np.concatenate([program.value, block.link_value]), cost=np.concatenate([program.cost, nothing]),
        lower=np.concatenate([program.lower, nothing - np.inf]), upper=np.concatenate([program.upper, nothing + np.inf]),
        unit=np.concatenate([program.unit, nothing + 1.0]), integer=np.concatenate([program.integer, nothing > 0.0]))
    solution = Solution(Status.OPTIMAL, np.nan, np.nan, np.concatenate([value, above]),
                        np.concatenate([column_dual, nothing]), row_dual, False)
    return list(binding(linked, solution, whole.problem))


def _reduced(program: Program, prices: Array) -> Array:
    """Reduced costs of a block's columns, zero where they are rounding."""
    reduced = program.cost - np.bincount(program.column, program.value * prices[program.row], program.cost.size)
    return np.where(np.abs(reduced) * program.unit > ROUNDING * program.money, reduced, 0.0)


def _summed(limits: list[Binding]) -> tuple[Binding, ...]:
    """One entry for each limit, costliest first: prices and shares of the blocks add up."""
    found: dict[tuple[str, str], Binding] = {}
    for item in limits:
        name = (item.family, item.name)
        before = found.get(name, Binding(*name, 0.0, 0.0, 0.0))
        found[name] = Binding(*name, before.price_usd + item.price_usd, before.percent_usd + item.percent_usd,
                              before.share + item.share)
    return tuple(sorted(found.values(), key=lambda item: (-item.percent_usd, -item.price_usd)))
