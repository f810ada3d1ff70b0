"""What `compact` leaves out of a programme follows from the rest: values, prices and the optimum
are those of the whole."""

from __future__ import annotations

from dataclasses import replace

import highspy
import numpy as np
import pytest

from fabless.plan import PlanProblem, solve
from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.compact import compact
from fabless.plan.solve.highs import Linear, row_units, run_solver, simplex_of, solver_model, solver_of
from plan_oracle import random_problem

SEEDS = range(24)


def programme(problem: PlanProblem) -> Program:
    return assemble(problem, service(problem), constant_costs(problem))


def with_twins(problem: PlanProblem, factor: float = 1.7) -> PlanProblem:
    """Each offer twice, the second `factor` times as fast, dearer by nearly as much, and later."""
    twice = {name: np.concatenate([value, value]) for name in
             ("term_quarters", "available", "cap", "running_usd", "payment_usd",
              "existing_capital_usd", "power_w", "retire", "resale_usd")
             for value in [getattr(problem, name)]}
    return replace(
        problem, offers=(*problem.offers, *(f"{name} again" for name in problem.offers)),
        **twice,
        floor=np.concatenate([problem.floor, 0.0 * problem.floor]),
        existing=np.concatenate([problem.existing, 0.0 * problem.existing]),
        rate=np.concatenate([problem.rate, factor * problem.rate]),
        capital_usd=np.concatenate([problem.capital_usd, 0.97 * factor * problem.capital_usd]),
        lead_quarters=np.concatenate([problem.lead_quarters, problem.lead_quarters + 1]))


def optimum(program: Linear, *, direct: bool) -> float:
    scaled = solver_model(program, row_units(program))
    solver = (simplex_of if direct else solver_of)(scaled)
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return np.inf
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getInfo().objective_function_value * program.money)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("twins", [False, True])
def test_same_optimum(seed: int, twins: bool) -> None:
    problem = with_twins(random_problem(seed)) if twins else random_problem(seed)
    whole = programme(problem)
    small = compact(whole)
    assert small.cost.size < whole.cost.size
    expected = optimum(whole, direct=False)
    assert optimum(small, direct=True) == pytest.approx(expected, rel=1e-9)
    found = run_solver(whole)
    assert found.objective == pytest.approx(expected, rel=1e-9) if np.isfinite(expected) else not found.status.is_ok


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed != 15])  # 15 has no plan
@pytest.mark.parametrize("twins", [False, True])
def test_values_and_prices_are_those_of_the_whole(seed: int, twins: bool) -> None:
    """A best plan of the rest is one of the whole: feasible, and proven by its prices."""
    problem = with_twins(random_problem(seed)) if twins else random_problem(seed)
    whole = programme(problem)
    small = compact(whole)
    row_unit = row_units(small)
    solver = simplex_of(solver_model(small, row_unit))
    solver.run()
    solution = solver.getSolution()
    value = small.values(np.array(solution.col_value) * small.unit, np.zeros(0))
    rows, size = whole.matrix @ value, row_units(whole)
    assert np.all((rows - whole.row_lower) / size >= -1e-6)
    assert np.all((whole.row_upper - rows) / size >= -1e-6)
    assert np.all((value - whole.lower) / whole.unit >= -1e-6)
    assert np.all((whole.upper - value) / whole.unit >= -1e-6)
    price = small.prices(np.array(solution.row_dual) * small.money / row_unit)
    reduced = (whole.cost - whole.matrix.T @ price) * whole.unit / whole.money
    inside = np.isposinf(whole.upper) & np.isfinite(whole.lower)
    assert reduced[inside].min() >= -1e-6
    used = inside & ((value - whole.lower) / whole.unit > 1e-4)
    assert np.abs(reduced[used]).max() <= 1e-6


def test_alike_offers_share_by_their_chips() -> None:
    """Four chips of speed 1 and two of speed 2 serve half of a load each; columns of the second
    are left out."""
    from fabless.scenario import chain_tree

    problem = PlanProblem(
        tree=chain_tree(1), offers=("slow", "fast"), loads=("chat", "training"),
        lead_quarters=np.array(0), term_quarters=np.array(1), available=np.array(False),
        cap=np.array(0.0), capital_usd=np.array(0.0), running_usd=np.array(1.0),
        rate=np.array([[[1.0], [3.0]], [[2.0], [6.0]]]), demand=np.array([[2.0], [18.0]]),
        unmet_usd=np.array(7.0), discount=np.array(1.0), existing=np.array([[4.0], [2.0]]))
    result = solve(problem)
    assert result.unmet == pytest.approx(np.zeros((2, 1)), abs=1e-12)
    assert result.serve[:, :, 0] == pytest.approx(np.array([[1.0, 3.0], [0.5, 1.5]]))
    small = compact(programme(problem))
    serve = programme(problem).columns["serve"].index
    assert np.isin(serve[0], small.column).all()
    assert not np.isin(serve[1], small.column).any()


def test_offers_that_differ_on_one_load_are_kept_apart() -> None:
    problem = random_problem(3)
    rate = np.ones((2, 2, problem.tree.size))
    rate[1, 1, -1] = 1.0 + 1e-6
    fields = {"lead_quarters": np.array(0), "term_quarters": np.array(2), "available": np.array(True),
              "cap": np.array(9.0), "capital_usd": np.array(1.0), "running_usd": np.array(1.0),
              "demand": np.array(5.0), "unmet_usd": np.array(7.0), "discount": np.array(1.0)}
    apart = PlanProblem(tree=problem.tree, offers=("a", "b"), loads=("l", "m"), rate=rate, **fields)
    together = replace(apart, rate=np.ones((2, 2, problem.tree.size)))
    assert compact(programme(apart)).cost.size > compact(programme(together)).cost.size
