"""The linear programme of a plan: the variable and constraint families put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.plan import columns, rows
from fabless.plan.columns import Columns
from fabless.plan.problem import PlanProblem
from fabless.plan.rows import Rows
from fabless.plan.service import Index, Service
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class Program:
    """``min cost x + offset`` subject to ``row_lower <= matrix x <= row_upper`` and ``lower <= x <= upper``.

    In natural units; the matrix in coordinate form.
    """

    columns: dict[str, Columns]
    rows: dict[str, Rows]
    row: Index
    column: Index
    value: Array
    cost: Array
    offset: float
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    unit: Array
    money: float


def assemble(problem: PlanProblem, served: Service, constant: Array) -> Program:
    """Write the plan as one linear programme.

    `constant` is the discounted cost of each node-quarter that no order changes (K,) [USD].
    """
    unit = columns.units(problem)
    tree, weight = problem.tree, problem.cvar_weight
    orders = columns.orders(problem, unit, 0)
    active = columns.active(problem, unit, served, orders, orders.node.size)
    serve = columns.serve(problem, unit, active, orders.node.size + active.node.size)
    unmet = columns.unmet(problem, unit, orders.node.size + active.node.size + serve.node.size)
    priced = (orders, active, serve, unmet)
    money = columns.money_unit(problem, priced)
    risk: tuple[Columns, ...] = ()
    constraints = [
        rows.in_service(problem, served, orders, active),
        rows.busy(problem, active, serve),
        rows.demand(problem, serve, unmet),
        rows.allocation(problem, orders),
        rows.power(problem, active),
        rows.cash(problem, orders),
    ]
    if weight > 0.0 and tree.leaves.size > 1:
        first = sum(family.node.size for family in priced)
        path = columns.path_cost(problem, money, first)
        excess = columns.tail(problem, money, first + path.node.size)
        threshold = columns.threshold(problem, money, first + path.node.size + excess.node.size)
        risk = (path, excess, threshold)
        constraints += [rows.path_cost(problem, priced, path, constant), rows.tail(problem, path, excess, threshold)]
    else:
        weight = 0.0
    cost = [(1.0 - weight) * tree.probability[family.node] * family.cost for family in priced]
    if risk:
        worst = tree.probability[risk[1].node] / (1.0 - problem.cvar_level)
        cost += [np.zeros(risk[0].node.size), weight * worst, np.array([weight])]
    families = {family.name: family for family in (*priced, *risk)}
    offset = (1.0 - weight) * float(tree.probability @ constant)
    return _joined(families, {family.name: family for family in constraints}, np.concatenate(cost), offset, money)


def _joined(
    families: dict[str, Columns], constraints: dict[str, Rows], cost: Array, offset: float, money: float
) -> Program:
    parts, blocks = list(constraints.values()), list(families.values())
    start = np.cumsum([0] + [part.lower.size for part in parts])
    return Program(
        families, constraints, np.concatenate([part.row + start[i] for i, part in enumerate(parts)]),
        np.concatenate([part.column for part in parts]), np.concatenate([part.value for part in parts]), cost, offset,
        np.concatenate([block.lower for block in blocks]), np.concatenate([block.upper for block in blocks]),
        np.concatenate([part.lower for part in parts]), np.concatenate([part.upper for part in parts]),
        np.concatenate([block.unit for block in blocks]), money,
    )
