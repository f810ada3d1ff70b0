"""The checks of the plan can fail: each family is spoilt in turn, and the golden LP and the oracle
must notice.

The checks are those of `test_plan_golden.py` and `test_plan_oracle.py`, in `plan_checks.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fabless.plan import PlanProblem
from fabless.plan.lp import agreements, columns, retirement, rows
from fabless.plan.lp.columns import Columns
from fabless.plan.lp.rows import Rows
from plan_checks import FAMILIES, ORACLE_SEEDS, golden_faults, oracle_faults

CONSTRAINTS: dict[str, tuple[ModuleType, str, str]] = {
    "in service": (rows, "in_service", "in service"), "busy": (rows, "busy", "busy"),
    "demand": (rows, "demand", "demand"), "allocation": (rows, "allocation", "allocation"),
    "power": (rows, "power_limit", "power"), "cash": (rows, "cash", "cash"),
    "path cost": (rows, "path_cost_balance", "path cost and tail"),
    "tail": (rows, "tail_excess", "path cost and tail"),
    "draw limit": (agreements, "draw_limit", "draw limit"),
    "take or pay": (agreements, "take_or_pay", "take or pay"),
    "retirement": (retirement, "retirement", "retirement"),
}
"""Constraint family: module, function, the golden LP that shows it."""
VARIABLES: dict[str, tuple[ModuleType, str, str]] = {
    "orders": (columns, "orders", "orders"), "active": (columns, "active", "in service"),
    "serve": (columns, "chips_given", "demand"), "unmet": (columns, "unmet", "demand"),
    "level": (agreements, "level", "cash"), "untaken": (agreements, "untaken", "take or pay"),
    "retired": (retirement, "retired", "retirement"),
    "path cost": (columns, "path_cost", "path cost and tail"),
    "tail": (columns, "tail", "path cost and tail"),
    "threshold": (columns, "threshold", "path cost and tail"),
}


ROW_MUTANTS: dict[str, Callable[[Rows], Rows]] = {
    "first row dropped": lambda part: replace(
        part, lower=np.where(np.arange(part.lower.size) == 0, -np.inf, part.lower),
        upper=np.where(np.arange(part.upper.size) == 0, np.inf, part.upper),
    ),
    "sign of an entry": lambda part: replace(
        part,
        value=np.where(np.arange(part.value.size) == part.value.size - 1, -part.value, part.value),
    ),
    "coefficient": lambda part: replace(
        part, value=np.where(np.arange(part.value.size) == 0, 1.5 * part.value, part.value)
    ),
    "limit": lambda part: replace(part, lower=part.lower + 1.0, upper=part.upper + 1.0),
    "entries one column on": lambda part: replace(part, column=np.roll(part.column, 1)),
}
COLUMN_MUTANTS: dict[str, Callable[[Columns], Columns]] = {
    "cost": lambda part: replace(part, cost=part.cost + 1.0),
    "cost of the other sign": lambda part: replace(part, cost=-part.cost),
    "lower bound": lambda part: replace(
        part, lower=np.where(np.isfinite(part.lower), part.lower + 1.0, 0.0)
    ),
    "upper bound": lambda part: replace(
        part, upper=np.where(np.isfinite(part.upper), part.upper + 1.0, 5.0)
    ),
}
NOT_SEEN = {("serve", "cost of the other sign")}
"""Its cost is zero."""
RISK_COST = {"path cost", "tail", "threshold"}
"""Their cost is not that of the family: it is the weight of the risk, set where the programme is
put together."""


def spoil(monkeypatch: pytest.MonkeyPatch, where: tuple[ModuleType, str, str], mutant: Callable[[Any], Any]) -> None:
    module, function, _ = where
    written = getattr(module, function)
    monkeypatch.setattr(module, function, lambda *given: mutant(written(*given)))


@pytest.mark.parametrize("mutant", ROW_MUTANTS)
@pytest.mark.parametrize("family", CONSTRAINTS)
def test_the_golden_lp_notices_a_spoilt_constraint(
    family: str, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = CONSTRAINTS[family]
    assert golden_faults(where[2]) == []
    spoil(monkeypatch, where, ROW_MUTANTS[mutant])
    assert golden_faults(where[2])


@pytest.mark.parametrize("mutant", COLUMN_MUTANTS)
@pytest.mark.parametrize("family", VARIABLES)
def test_the_golden_lp_notices_a_spoilt_variable(
    family: str, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (family, mutant) in NOT_SEEN or (family in RISK_COST and "cost" in mutant):
        pytest.skip("no cost of its own")
    spoil(monkeypatch, VARIABLES[family], COLUMN_MUTANTS[mutant])
    assert golden_faults(VARIABLES[family][2])


ORACLE_MUTANTS: dict[str, Callable[[Rows], Rows]] = {
    "all rows dropped": lambda part: replace(
        part, lower=np.full(part.lower.size, -np.inf), upper=np.full(part.upper.size, np.inf)),
    "coefficients a fifth larger": lambda part: replace(
        part, value=np.where(part.value < 0, 1.2 * part.value, part.value)
        if np.any(part.value < 0) else 1.2 * part.value),
    "signs": lambda part: replace(part, value=np.where(part.value < 0, -part.value, part.value)
                                  if np.any(part.value < 0) else -part.value),
}


@pytest.mark.parametrize("mutant", ORACLE_MUTANTS)
@pytest.mark.parametrize("family", CONSTRAINTS)
def test_the_oracle_notices_a_spoilt_constraint(
    family: str, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one random problem at least: not every limit costs money in each."""
    spoil(monkeypatch, CONSTRAINTS[family], ORACLE_MUTANTS[mutant])
    assert any(oracle_faults(seed, 1e-7) for seed in reversed(ORACLE_SEEDS))


@pytest.mark.parametrize(("where", "name", "shown"), [
    ("plan_checks", "service", "in service"), (retirement, "ended", "retirement"),
    (agreements, "call_offs", "draw limit"), (agreements, "call_offs", "take or pay")])
def test_a_shift_by_one_quarter_is_noticed(
    where: ModuleType | str, name: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chips in service, gone, delivered or drawn a quarter early."""
    module = sys.modules[where] if isinstance(where, str) else where
    looked_up = getattr(module, name)

    def early(problem: PlanProblem) -> Any:
        found = looked_up(problem)
        return replace(found, node=_parent(problem, found.node))

    monkeypatch.setattr(module, name, early)
    assert golden_faults(shown)


def _parent(problem: PlanProblem, node: np.ndarray) -> np.ndarray:
    return np.maximum(problem.tree.parent[node], 0)


def test_every_family_is_spoilt() -> None:
    shown = {name for _, _, name in (*CONSTRAINTS.values(), *VARIABLES.values())}
    assert shown == set(FAMILIES)
