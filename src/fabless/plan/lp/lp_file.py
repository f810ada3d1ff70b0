"""The programme of a plan as a file that people and other solvers read: the LP format with
names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.lp.names import column_names, row_names
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, service
from fabless.records import Array


def write_lp(problem: PlanProblem, path: Path) -> None:
    """Write the plan in the LP format (CPLEX), in natural units; node-quarters and members are in
    the names."""
    path.write_text(lp_text(problem, assemble(problem, service(problem), constant_costs(problem))))


def lp_text(problem: PlanProblem, program: Program) -> str:
    """The text of a programme in the LP format; a column without a term is left out."""
    columns, rows = column_names(problem, program), row_names(program)
    cost = _sum(columns, np.arange(program.cost.size), program.cost)
    lines = ["Minimize", f" cost: {cost} + {program.offset!r} constant", "Subject To"]
    order = np.argsort(program.row, kind="stable")
    start = np.searchsorted(program.row[order], np.arange(len(rows) + 1))
    for number, name in enumerate(rows):
        entries = order[start[number] : start[number + 1]]
        terms = _sum(columns, program.column[entries], program.value[entries])
        senses = _senses(program.row_lower[number], program.row_upper[number])
        lines += [f" {name}{mark}: {terms} {sense} {float(bound)!r}"
                  for mark, sense, bound in senses]
    lines += ["Bounds", " constant = 1.0"]
    lines += [f" {_low(low)} <= {name} <= {_high(high)}"
              for name, low, high in zip(columns, program.lower, program.upper, strict=True)]
    return "\n".join([*lines, "End", ""])


def _sum(names: list[str], column: Index, value: Array) -> str:
    terms = [f"{'-' if v < 0 else '+'} {abs(float(v))!r} {names[c]}"
             for c, v in zip(column, value, strict=True) if v]
    return " ".join(terms) or "+ 0.0 constant"


def _senses(low: float, high: float) -> list[tuple[str, str, float]]:
    if low == high:
        return [("", "=", low)]
    bounds = [(mark, sense, bound)
              for mark, sense, bound in (("_low", ">=", low), ("_high", "<=", high))
             if np.isfinite(bound)]
    return [("", sense, bound) for _, sense, bound in bounds] if len(bounds) == 1 else bounds


def _low(bound: float) -> str:
    return repr(float(bound)) if np.isfinite(bound) else "-inf"


def _high(bound: float) -> str:
    return repr(float(bound)) if np.isfinite(bound) else "+inf"
