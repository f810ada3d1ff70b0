"""The plan against the same mathematics in linopy, on random small instances with every family in
play."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from fabless.plan import Status, limit_prices, solve
from plan_checks import ORACLE_SEEDS, oracle_faults, oracle_of
from plan_oracle import oracle_objective, plain_problem, random_problem


@pytest.mark.parametrize("seed", ORACLE_SEEDS)
def test_agrees_with_the_oracle(seed: int) -> None:
    assert oracle_faults(seed) == []


def test_agrees_with_the_oracle_without_risk() -> None:
    problem = plain_problem(0)
    assert problem.cvar_weight == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert solve(problem).objective_usd == pytest.approx(oracle_objective(problem), rel=1e-9)


def test_every_family_is_in_play() -> None:
    """Each decision is taken and each limit with a size of its own costs money on one of the
    instances at least."""
    results = [solve(random_problem(seed)) for seed in ORACLE_SEEDS]
    for decision in ("orders", "unmet", "levels", "untaken", "retired"):
        assert any(getattr(result, decision).max() > 0 for result in results), decision
    priced = {limit.family for seed in ORACLE_SEEDS for limit in limit_prices(random_problem(seed))}
    assert priced >= {"cap", "level cap", "allocation", "power", "cash"}


def test_agrees_that_there_is_no_plan() -> None:
    problem = replace(plain_problem(1), cash_cap_usd=np.array(1e5))
    assert solve(problem).status is Status.INFEASIBLE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert oracle_objective(problem) == np.inf


@pytest.mark.parametrize(
    "change",
    [
        "lead_quarters", "term_quarters", "groups", "power_cap_w", "cash_cap_usd", "cap", "floor",
        "existing", "running_usd", "discount", "cvar_weight", "retire", "resale_usd", "agreements",
        "most", "least", "level_cap", "fee_usd", "untaken_usd", "start_quarters",
    ],
)
def test_the_comparison_notices_a_change_of_any_part(change: str) -> None:
    """Solving a slightly other problem than the oracle's gives another number: the agreement above
    is not empty."""
    problem = random_problem(4)
    if hasattr(problem.agreements[0], change) and not hasattr(problem, change):
        field = {"start_quarters": lambda item: item.start_quarters + 1}.get(
            change, lambda item: 0.9 * getattr(item, change))
        other = replace(problem, agreements=tuple(replace(item, **{change: field(item)}) for item in problem.agreements))
    else:
        value = getattr(problem, change)
        changed = {
            "lead_quarters": lambda: value + 1, "term_quarters": lambda: np.maximum(value - 1, 1),
            "groups": tuple, "floor": lambda: 1.2 * value, "cvar_weight": lambda: value + 0.1,
            "retire": lambda: np.zeros_like(value),
            "agreements": lambda: value[:2],
        }.get(change, lambda: 0.9 * value)()
        more = {"retire": {"resale_usd": np.array(0.0)}, "term_quarters": {"existing": 0.0 * problem.existing}}
        other = replace(problem, **{change: changed}, **more.get(change, {}))
    reference = oracle_of(4)
    assert abs(solve(other).objective_usd - reference) > 1e-6 * reference
