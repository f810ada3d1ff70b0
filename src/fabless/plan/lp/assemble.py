"""The linear programme of a plan: the variable and constraint families put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from fabless.plan.lp import agreements, columns, retirement, rows
from fabless.plan.lp import gates as project_gates
from fabless.plan.lp.columns import Columns
from fabless.plan.lp.rows import Rows
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, Service
from fabless.records import Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """``min cost x + offset`` subject to ``row_lower <= matrix x <= row_upper`` and
    ``lower <= x <= upper``.

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

    @cached_property
    def matrix(self) -> csc_array:
        """The matrix by column, without entries that are zero."""
        shape = (self.row_lower.size, self.cost.size)
        entries = (self.value, (self.row, self.column))
        matrix = csc_array(entries, shape=shape)  # type: ignore[no-untyped-call]
        matrix.eliminate_zeros()  # type: ignore[no-untyped-call]
        return matrix


def assemble(problem: PlanProblem, served: Service, constant: Array) -> Program:
    """Write the plan as one linear programme.

    `constant` is the discounted cost of each node-quarter that no order changes (K,) [USD].
    """
    families = _variables(problem, served)
    constraints = _constraints(problem, served, families)
    priced, tree, weight = tuple(families.values()), problem.tree, problem.cvar_weight
    money = columns.money_unit(problem, priced)
    if weight > 0.0 and tree.leaves.size > 1:
        first = sum(family.node.size for family in priced)
        path = columns.path_cost(problem, money, first)
        excess = columns.tail(problem, money, first + path.node.size)
        threshold = columns.threshold(problem, money, first + path.node.size + excess.node.size)
        families |= {family.name: family for family in (path, excess, threshold)}
        constraints += [rows.path_cost_balance(problem, priced, path, constant),
                        rows.tail_excess(problem, path, excess, threshold)]
    else:
        weight = 0.0
    cost = [(1.0 - weight) * tree.probability[family.node] * family.cost for family in priced]
    if weight:
        worst = tree.probability[excess.node] / (1.0 - problem.cvar_level)
        cost += [np.zeros(path.node.size), weight * worst, np.array([weight])]
    offset = (1.0 - weight) * float(tree.probability @ constant)
    return _joined(families, constraints, cost=np.concatenate(cost), offset=offset, money=money)


def _variables(problem: PlanProblem, served: Service) -> dict[str, Columns]:
    """Every variable family that has a cost of its own."""
    unit, drawn = columns.units(problem), agreements.call_offs(problem)
    families: dict[str, Columns] = {}

    def add(write: Callable[..., Columns], *given: object) -> Columns:
        part = write(problem, *given, sum(family.node.size for family in families.values()))
        families[part.name] = part
        return part

    orders = add(columns.orders, unit, agreements.opened_by_agreement(problem, drawn))
    active = add(columns.active, unit, served, orders)
    add(columns.chips_given, unit, active)
    add(columns.unmet, unit)
    add(agreements.level, unit, drawn)
    add(agreements.untaken, unit, drawn)
    add(retirement.retired, unit, active)
    gates = project_gates.columns_of(problem, sum(family.node.size for family in families.values()))
    return families | {part.name: part for part in gates}


def _constraints(problem: PlanProblem, served: Service, families: dict[str, Columns]) -> list[Rows]:
    """Every constraint family but those of risk."""
    of, drawn = families, agreements.call_offs(problem)
    constraints = [
        rows.in_service(problem, served, of["orders"], of["active"], of["retired"]),
        rows.busy(problem, of["active"], of["serve"]),
        rows.demand(problem, of["serve"], of["unmet"]),
        rows.allocation(problem, of["orders"]),
        rows.power_limit(problem, of["active"]),
        rows.cash(problem, of["orders"], of["level"]),
        agreements.draw_limit(problem, drawn, of["orders"], of["level"]),
        agreements.take_or_pay(problem, drawn, of["orders"], of["level"], of["untaken"]),
        retirement.retirement(problem, of["orders"], of["retired"]),
    ]
    return project_gates.opened_by_project(problem, served, constraints, families)


def _joined(
    families: dict[str, Columns], parts: list[Rows], *, cost: Array, offset: float, money: float
) -> Program:
    blocks = list(families.values())
    start = np.cumsum([0] + [part.lower.size for part in parts])
    return Program(
        columns=families, rows={part.name: part for part in parts},
        row=np.concatenate([part.row + first for first, part in zip(start, parts, strict=False)]),
        column=np.concatenate([part.column for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        cost=cost, offset=offset,
        lower=np.concatenate([block.lower for block in blocks]),
        upper=np.concatenate([block.upper for block in blocks]),
        row_lower=np.concatenate([part.lower for part in parts]),
        row_upper=np.concatenate([part.upper for part in parts]),
        unit=np.concatenate([block.unit for block in blocks]), money=money)
