"""The plan against the same mathematics in linopy, on random small instances with every limit in play."""

from __future__ import annotations

import functools
import warnings
from dataclasses import replace

import numpy as np
import pytest

from fabless.plan import PlanProblem, Status, rows, solve
from plan_oracle import oracle_objective, random_problem


def oracle(problem: PlanProblem) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle_objective(problem)


@functools.cache
def oracle_of(seed: int) -> float:
    return oracle(random_problem(seed))


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_oracle(seed: int) -> None:
    problem = random_problem(seed)
    result = solve(problem)
    assert result.status is Status.OPTIMAL
    assert len(result.binding) >= 3
    assert result.objective_usd == pytest.approx(oracle_of(seed), rel=1e-9)


def test_agrees_that_there_is_no_plan() -> None:
    problem = replace(random_problem(1), cash_cap_usd=np.array(1e5))
    assert solve(problem).status is Status.INFEASIBLE
    assert oracle(problem) == np.inf


@pytest.mark.parametrize("change", ["lead_quarters", "term_quarters", "groups", "power_cap_w", "cash_cap_usd", "cap",
                                    "floor", "existing", "running_usd", "serving_usd", "discount", "cvar_weight"])
def test_the_comparison_notices_a_change_of_any_part(change: str) -> None:
    """Solving a slightly other problem than the oracle's gives another number: the agreement above is not empty."""
    problem = random_problem(1)
    value = getattr(problem, change)
    other = {
        "lead_quarters": lambda: value + 1, "term_quarters": lambda: np.maximum(value - 1, 1),
        "groups": lambda: (), "floor": lambda: 1.2 * value, "cvar_weight": lambda: value + 0.1,
    }.get(change, lambda: 0.9 * value)()
    changed = solve(replace(problem, **{change: other}))
    reference = oracle_of(1)
    assert abs(changed.objective_usd - reference) > 1e-6 * reference


@pytest.mark.parametrize("family", ["in_service", "busy", "demand", "allocation", "power", "cash", "path_cost", "tail"])
def test_the_comparison_notices_a_lost_constraint(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = getattr(rows, family)

    def lost(*args: object) -> rows.Rows:
        part = written(*args)
        return replace(part, lower=np.full(part.lower.size, -np.inf), upper=np.full(part.upper.size, np.inf))

    monkeypatch.setattr(rows, family, lost)
    result = solve(random_problem(1))
    assert not result.status.is_ok or abs(result.objective_usd - oracle_of(1)) > 1e-6 * oracle_of(1)
