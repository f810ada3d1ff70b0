"""Use of a given fleet: against HiGHS, by hand, and at extremes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from fabless.plan import PlanProblem, solve
from fabless.plan.rule.dispatch import dispatch
from fabless.records import Array
from fabless.scenario import chain_tree
from plan_oracle import plain_problem


def fleet(rate: Array, demand: Array, price: Array) -> PlanProblem:
    """One quarter in which nothing can be ordered; rate (O, L), demand and price (L,)."""
    offers, loads = rate.shape
    return PlanProblem(
        tree=chain_tree(1), offers=tuple(f"chip {o}" for o in range(offers)),
        loads=tuple(f"load {n}" for n in range(loads)), lead_quarters=np.array(0),
        term_quarters=np.array(1), available=np.array(False), cap=np.array(0.0),
        capital_usd=np.array(0.0), running_usd=np.array(0.0), rate=rate[..., None],
        demand=demand[:, None], unmet_usd=price[:, None], discount=np.array(1.0),
    )


def cost(problem: PlanProblem, active: Array) -> float:
    """Cost of shortage after dispatch, which must keep all limits."""
    used = dispatch(problem, active)
    assert np.all(used.serve >= 0.0)
    assert np.all(used.serve.sum(axis=1) <= active * (1 + 1e-12))
    assert np.all((problem.rate * used.serve).sum(axis=0) <= problem.demand * (1 + 1e-9))
    assert used.unmet == pytest.approx(problem.demand - (problem.rate * used.serve).sum(axis=0), rel=1e-9, abs=1e-9)
    return float((problem.unmet_usd * used.unmet).sum())


def highs_cost(problem: PlanProblem, active: Array) -> float:
    """The same node-quarter as scipy hands it to HiGHS."""
    offers, loads = problem.rate.shape[:2]
    rate, price, demand = problem.rate[..., 0], problem.unmet_usd[:, 0], problem.demand[:, 0]
    rows = [np.kron(np.eye(offers)[o], np.ones(loads)) for o in range(offers)]
    rows += [(rate * np.eye(loads)[n]).ravel() for n in range(loads)]
    found = linprog((-rate * price).ravel(), A_ub=np.array(rows),
                    b_ub=np.concatenate([active[:, 0], demand]))
    return float(found.fun + price @ demand)


@pytest.mark.parametrize("seed", range(40))
def test_equals_highs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    offers, loads = rng.integers(1, 9), rng.integers(1, 6)
    rate = rng.lognormal(0, 1, (offers, loads)) * (rng.uniform(size=(offers, loads)) > 0.25)
    demand = rng.lognormal(2, 1, loads) * (rng.uniform(size=loads) > 0.1)
    problem = fleet(rate, demand, rng.uniform(1, 30, loads))
    active = rng.lognormal(1, 1.5, (offers, 1)) * (rng.uniform(size=(offers, 1)) > 0.1)
    assert cost(problem, active) == pytest.approx(highs_cost(problem, active), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_equals_the_plan_that_chose_the_fleet(seed: int) -> None:
    problem = replace(plain_problem(seed), cvar_weight=0.0)
    result = solve(problem)
    used = dispatch(problem, result.active)
    ours = (problem.unmet_usd * used.unmet).sum(axis=0)
    theirs = (problem.unmet_usd * result.unmet).sum(axis=0)
    assert np.all(ours <= theirs + 1e-9 * theirs.max())
    assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-9)


def test_comparative_advantage_beats_the_faster_chip() -> None:
    """Chip 0 does 4 or 2, chip 1 does 3 or 3 of loads worth 1 each: each goes where the other is
    weaker."""
    problem = fleet(np.array([[4.0, 2.0], [3.0, 3.0]]), np.array([4.0, 3.0]), np.ones(2))
    used = dispatch(problem, np.ones((2, 1)))
    assert used.serve[..., 0].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert used.unmet.tolist() == [[0.0], [0.0]]


def test_a_shortage_that_costs_nothing_is_left() -> None:
    assert dispatch(fleet(np.array([[2.0]]), np.array([10.0]), np.zeros(1)), np.array([[5.0]])).unmet.tolist() == [[10.0]]


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e15])
def test_units_do_not_matter(scale: float) -> None:
    rng = np.random.default_rng(1)
    rate, demand, price = rng.lognormal(0, 1, (5, 3)), rng.lognormal(2, 1, 3), rng.uniform(1, 9, 3)
    active = rng.lognormal(0, 1, (5, 1))
    usual = cost(fleet(rate, demand, price), active)
    assert cost(fleet(rate * scale, demand * scale, price), active) == pytest.approx(usual * scale, rel=1e-9)
    assert cost(fleet(rate / scale, demand, price), active * scale) == pytest.approx(usual, rel=1e-9)
    assert cost(fleet(rate, demand, price * scale), active) == pytest.approx(usual * scale, rel=1e-9)


def test_no_chips_no_demand_no_rate() -> None:
    problem = fleet(np.array([[0.0, 1.0]]), np.array([5.0, 0.0]), np.ones(2))
    assert dispatch(problem, np.array([[7.0]])).unmet.ravel().tolist() == [5.0, 0.0]
    assert dispatch(problem, np.array([[0.0]])).serve.max() == 0.0
