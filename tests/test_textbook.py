"""Published optima of stochastic programming, through the same `solve` as every plan.

How each maps: a chip is a unit of capacity (or an acre), a load is a demand, unserved load at its
price is a purchase or a lost sale. Goods that are stored are chips that stay for good and serve the
demand summed up so far, idle ones being the stock (air conditioning). Where a plant burns more for
one load than for another, its capacity is the level of an agreement and its use an order of a rent
for that load (LandS, APL1P, problem 5.2). What a unit costs to serve whichever chip serves it is
taken off the price of shortage. Not of this form, and so not here: inputs of unequal measure
(Dakota), integer sizes with substitution (SIZES) and option pricing.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from fabless.plan import Agreement, PlanProblem, bounds, expected_value_problem, solve
from fabless.records import Tree
from fabless.scenario import balanced_tree


def invest(problem: dict[str, Any], scenarios: int, probabilities: list[float] | None = None) -> PlanProblem:
    """Invest in quarter 0, serve in quarter 1."""
    odds = [[1.0 / scenarios] * scenarios if probabilities is None else probabilities]
    return PlanProblem(tree=balanced_tree((scenarios,), (1, 1), odds), discount=np.array(1.0), **problem)


def farmer() -> PlanProblem:
    """Birge & Louveaux, Introduction to Stochastic Programming, 2nd ed., section 1.1: three crops
    on 500 acres.

    Purchases are unmet needs (wheat 200 t at 238, corn 240 t at 210); sales are loads of lost
    revenue: up to 2000 t of wheat at 170 and of corn at 150, 6000 t of beets at 36 and 12,000 t
    more at 10.
    """
    yields = np.array([[3.0, 3.6, 24.0], [2.5, 3.0, 20.0], [2.0, 2.4, 16.0]]).T
    crop_of_load = np.array([0, 1, 0, 1, 2, 2])
    rate = np.zeros((3, 6, 4))
    for load, crop in enumerate(crop_of_load):
        rate[crop, load, 1:] = yields[crop]
    demand = np.zeros((6, 4))
    demand[:, 1:] = np.array([200.0, 240.0, 2000.0, 2000.0, 6000.0, 12000.0])[:, None]
    now = np.array([[True, False, False, False]] * 3)
    return invest(
        {
            "offers": ("wheat", "corn", "beets"),
            "loads": (
                "wheat need", "corn need", "wheat sale", "corn sale", "beets in quota",
                "beets above",
            ),
            "lead_quarters": np.array(1),
            "term_quarters": np.array(1),
            "available": now,
            "cap": np.array(np.inf),
            "groups": (("land", (0, 1, 2), np.array(500.0)),),
            "capital_usd": np.array([150.0, 230.0, 260.0])[:, None] * np.ones(4),
            "running_usd": np.array(0.0),
            "rate": rate,
            "demand": demand,
            "unmet_usd": np.repeat([[238.0], [210.0], [170.0], [150.0], [36.0], [10.0]], 4, axis=1),
        },
        3,
    )


LOST_SALES = 2000 * 170 + 2000 * 150 + 6000 * 36 + 12000 * 10


def test_farmer_recourse_problem() -> None:
    result = solve(farmer())
    assert result.objective_usd - LOST_SALES == pytest.approx(-108_390.0, abs=1e-4)
    assert result.orders[:, 0] == pytest.approx([170.0, 80.0, 250.0], abs=1e-6)


def test_farmer_value_of_information_and_of_the_stochastic_solution() -> None:
    problem = farmer()
    found = bounds(problem)
    known, fixed = found.perfect.objective_usd, found.mean_policy.objective_usd
    assert known - LOST_SALES == pytest.approx(-115_405.56, abs=0.01)
    assert expected_value_problem(problem).objective_usd - LOST_SALES == pytest.approx(-118_600.0, abs=1e-4)
    assert fixed - LOST_SALES == pytest.approx(-107_240.0, abs=1e-4)
    assert found.perfect_information_usd == pytest.approx(7_015.56, abs=0.01)
    assert found.stochastic_solution_usd == pytest.approx(1_150.0, abs=1e-4)


def test_farmer_cvar_from_the_mean_to_the_worst_case() -> None:
    mean = solve(replace(farmer(), cvar_weight=1.0, cvar_level=0.0))
    worst = solve(replace(farmer(), cvar_weight=1.0, cvar_level=2.0 / 3.0))
    assert mean.objective_usd - LOST_SALES == pytest.approx(-108_390.0, abs=1e-4)
    assert worst.objective_usd - LOST_SALES == pytest.approx(-59_950.0, abs=1e-4)
    assert worst.cvar_usd == pytest.approx(worst.path_cost_usd.max(), rel=1e-9)


def plants(
    fee: np.ndarray, fuel: np.ndarray, rate: np.ndarray, tree: Tree, *, tenor: int,
    sign: np.ndarray | bool = True,
    floor: float | np.ndarray = 0.0,
) -> dict[str, Any]:
    """Capacity of plants as levels of agreements, drawn on from the quarter after the signing, and
    their use as rents.

    `fee` (plants,) a unit of capacity, `fuel` and `rate` (plants, loads, K) cost and output of a
    unit that serves a load.
    """
    count, loads, size = fuel.shape
    output = np.zeros((count, loads, loads, size))
    for load in range(loads):
        output[:, load, load] = rate[:, load]
    return {
        "tree": tree,
        "offers": tuple(f"{plant} for {load}" for plant in range(count) for load in range(loads)),
        "lead_quarters": np.array(0), "term_quarters": np.array(1), "available": np.array(True),
        "cap": np.array(np.inf), "capital_usd": fuel.reshape(-1, size),
        "running_usd": np.array(0.0), "rate": output.reshape(-1, loads, size),
        "discount": np.array(1.0),
        "agreements": tuple(
            Agreement(
                name=f"plant {plant}", offers=tuple(range(plant * loads, (plant + 1) * loads)),
                most=np.ones(tenor), sign=np.asarray(sign), start_quarters=np.array(1),
                fee_usd=np.asarray(fee[plant]), level_floor=np.asarray(floor),
            )
            for plant in range(count)
        ),
    }


def test_lands() -> None:
    """Louveaux & Smeers 1988: four technologies, three blocks of load, 28639/75 at x = (8/3, 4,
    10/3, 2).

    The rule of 12 units installed in all is a load of quarter 1 at a prohibitive price; blocks are
    served in quarter 2.
    """
    use = np.array([[40.0, 45.0, 32.0, 55.0], [24.0, 27.0, 19.2, 33.0], [4.0, 4.5, 3.2, 5.5]]).T
    tree = balanced_tree((3,), (2, 1), [[0.3, 0.4, 0.3]])
    rate, fuel, demand = np.zeros((4, 4, 5)), np.zeros((4, 4, 5)), np.zeros((4, 5))
    rate[:, 0, 1], demand[0, 1] = 1.0, 12.0
    rate[:, 1:, 2:], fuel[:, 1:, 2:] = 1.0, use[:, :, None]
    demand[1:, 2:] = np.array([[3.0, 5.0, 7.0], [3.0] * 3, [2.0] * 3])
    result = solve(
        PlanProblem(
            **plants(
                np.array([10.0, 7.0, 16.0, 6.0]), fuel, rate, tree, tenor=2, sign=np.arange(5) == 0
            ),
            loads=("installed", "base", "middle", "peak"),
            cash_cap_usd=np.array(120.0),
            demand=demand,
            unmet_usd=np.array(1000.0),
        )
    )
    assert result.objective_usd == pytest.approx(28639.0 / 75.0, abs=1e-9)
    assert result.levels[:, 0] == pytest.approx([8.0 / 3.0, 4.0, 10.0 / 3.0, 2.0], abs=1e-8)
    assert result.unmet[0, 1] == 0.0


def test_apl1p() -> None:
    """Infanger 1992 with the costs of Bailey, Jensen & Morton 1999: 1280 scenarios, 24,642.32 at
    (1800, 1571.43)."""
    first = [(1.0, 0.2), (0.9, 0.3), (0.5, 0.4), (0.1, 0.1)]
    second = [(1.0, 0.1), (0.9, 0.2), (0.7, 0.5), (0.1, 0.1), (0.0, 0.1)]
    load = [(900.0, 0.15), (1000.0, 0.45), (1100.0, 0.25), (1200.0, 0.15)]
    scenarios = list(itertools.product(first, second, load, load, load))
    value = np.array([[v for v, _ in scenario] for scenario in scenarios]).T
    odds = [float(np.prod([p for _, p in scenario])) for scenario in scenarios]
    count = len(scenarios)
    rate, fuel, demand = np.zeros((2, 3, count + 1)), np.zeros((2, 3, count + 1)), np.zeros((3, count + 1))
    rate[:, :, 1:] = value[:2, None, :]
    use = np.array([[4.3, 2.0, 0.5], [8.7, 4.0, 1.0]])
    fuel[:, :, 1:] = use[:, :, None] * value[:2, None, :]
    demand[:, 1:] = value[2:]
    now = np.arange(count + 1) == 0
    result = solve(
        PlanProblem(
            **plants(
                np.array([4.0, 2.5]), fuel, rate, balanced_tree((count,), (1, 1), [odds]), tenor=1,
                sign=now, floor=1000.0 * now,
            ),
            loads=("base", "middle", "peak"),
            demand=demand,
            unmet_usd=np.array(10.0),
        )
    )
    assert result.objective_usd == pytest.approx(24_642.32058071, abs=1e-6)
    assert result.levels[:, 0] == pytest.approx([1800.0, 11000.0 / 7.0], abs=1e-6)


@pytest.mark.parametrize(("stages", "optimum"), [(2, 340_315.52), (3, 406_712.49)])
def test_generation_investment_5_2(stages: int, optimum: float) -> None:
    """Problem 5.2 of the StructDualDynProg collection, optima as tested by SDDP.jl: four plants,
    three blocks."""
    tree = balanced_tree((2,) * (stages - 1), (1,) * stages, [[0.9, 0.1]] * (stages - 1))
    branch = np.zeros(tree.size, dtype=int)
    for k in range(1, tree.size):
        branch[k] = k - np.flatnonzero(tree.parent == tree.parent[k])[0]
    blocks = np.diff(np.array([[0, 3919, 7329, 10315], [0, 7086, 9004, 11169]]), axis=1).T.astype(float)
    later = tree.quarter > 0
    fuel = np.array([25.0, 80.0, 6.5, 160.0])[:, None] * np.array([8760.0, 7000.0, 1500.0]) / 8760.0
    result = solve(PlanProblem(
        **plants(np.array([16.0, 5.0, 32.0, 2.0]), np.repeat(fuel[:, :, None], tree.size, axis=2),
                 np.ones((4, 3, tree.size)), tree, tenor=stages),
        loads=("base", "middle", "peak"), demand=np.where(later, blocks[:, branch], 0.0),
        unmet_usd=np.array(1e6 if stages == 2 else 1e5)))
    assert result.objective_usd == pytest.approx(optimum, abs=0.01)


EXPANSION_DEMAND = 0.5 * np.array(
    [
        [5, 5, 5, 5, 5, 5, 5, 5], [4, 3, 1, 3, 0, 9, 8, 17], [0, 9, 4, 2, 19, 19, 13, 7],
        [25, 11, 4, 14, 4, 6, 15, 12], [6, 7, 5, 3, 8, 4, 17, 13],
    ]
)
"""SDDP.jl, docs/src/examples/generation_expansion.jl: demand by stage and outcome."""


def expansion_by_dynamic_programming(step: float) -> float:
    """Least expected cost when capacity is a multiple of `step`: exact backward recursion on the
    grid 0 to 5.

    The stage cost is piecewise linear with kinks at multiples of a half, so `step` 0.5 gives the
    linear optimum, step 1 the published integer one.
    """
    capacity = np.arange(0.0, 5.0 + step / 2, step)
    value = np.zeros(capacity.size)
    for stage in range(4, -1, -1):
        served = np.minimum(capacity[:, None], EXPANSION_DEMAND[stage])
        use = 0.99**stage * 4.0 * served + 5e5 * (EXPANSION_DEMAND[stage] - served)
        build = 0.99**stage * 1e4 * (capacity[None, :] - capacity[:, None])
        build[build < 0] = np.inf
        choice = build[:, :, None] + use[None] + value[None, :, None]
        value = choice.min(axis=1).mean(axis=1)
    return float(value[0])


def test_generation_expansion_in_five_stages() -> None:
    """The recursion meets the published integer bound 2.078860e6 (within its 1e3), the plan meets
    the recursion."""
    assert expansion_by_dynamic_programming(1.0) == pytest.approx(2.078860e6, abs=1e3)
    stages = 5
    tree = balanced_tree((8,) * 4, (1,) * stages)
    branch = np.where(tree.quarter > 0, (np.arange(tree.size) - 1) % 8, 0)
    discount = 0.99**tree.quarter
    demand = EXPANSION_DEMAND[tree.quarter, branch]
    result = solve(
        PlanProblem(
            tree=tree, offers=("unit",), loads=("power",), lead_quarters=np.array(0),
            term_quarters=np.array(stages), available=np.array(True), cap=np.array(np.inf),
            capital_usd=(1e4 * discount / (stages - tree.quarter))[None], running_usd=np.array(0.0),
            rate=np.array(1.0), demand=demand[None], unmet_usd=(5e5 - 4.0 * discount)[None],
            fixed_usd=4.0 * discount * demand, power_w=np.array(1.0), power_cap_w=np.array(5.0),
            discount=np.array(1.0),
        )
    )
    optimum = expansion_by_dynamic_programming(0.5)
    assert result.objective_usd == pytest.approx(optimum, rel=1e-9)
    assert result.lower_bound_usd <= optimum * (1 + 1e-9)
    assert result.gap <= 1e-6


def test_air_conditioning() -> None:
    """Birge & Louveaux, 2nd ed., p. 237, as in SDDP.jl air_conditioning.jl: 62,500, first 200 made
    in regular time.

    Demand 100, then 100 or 300 twice with even odds; up to 200 a month at 100, more at 300; 50 for
    each unit stored.
    """
    tree = balanced_tree((2, 2), (1, 1, 1))
    month = np.array([100.0, *[100.0, 300.0], *[100.0, 300.0] * 2])
    summed = month.copy()
    for k in range(1, tree.size):
        summed[k] += summed[tree.parent[k]]
    left = 3.0 - tree.quarter
    result = solve(
        PlanProblem(
            tree=tree, offers=("regular", "overtime"), loads=("sold so far",),
            lead_quarters=np.array(0), term_quarters=np.array(3), available=np.array(True),
            cap=np.repeat([[200.0], [np.inf]], tree.size, axis=1),
            capital_usd=np.array([[100.0], [300.0]]) / left, running_usd=np.array(50.0),
            rate=np.array(1.0), demand=summed[None], unmet_usd=np.array(1e5 + 50.0),
            fixed_usd=-50.0 * summed, discount=np.array(1.0),
        )
    )
    assert result.objective_usd == pytest.approx(62_500.0, abs=1e-6)
    assert result.orders[0, 0] == pytest.approx(200.0, abs=1e-9)
    assert result.unmet.max() == pytest.approx(0.0, abs=1e-9)
    assert result.lower_bound_usd == pytest.approx(62_500.0, rel=1e-6)


def news_vendor(demand: np.ndarray, odds: list[float], price: float, cost: float) -> PlanProblem:
    count = demand.size
    return invest(
        {
            "offers": ("papers",), "loads": ("readers",), "lead_quarters": np.array(1),
            "term_quarters": np.array(1), "available": np.array(True), "cap": np.array(np.inf),
            "capital_usd": np.array(cost), "running_usd": np.array(0.0), "rate": np.array(1.0),
            "demand": np.concatenate([[0.0], demand])[None], "unmet_usd": np.array(price),
        },
        count,
        odds,
    )


def test_news_vendor_normal() -> None:
    """q* = F^-1(0.7) = 110.488 and profit 630.4615 for N(100, 20), price 10, cost 3; 4000 equal
    slices of demand."""
    count = 4000
    demand = norm.ppf((np.arange(count) + 0.5) / count, 100.0, 20.0)
    result = solve(news_vendor(demand, [1.0 / count] * count, 10.0, 3.0))
    assert result.orders[0, 0] == pytest.approx(norm.ppf(0.7, 100.0, 20.0), abs=0.05)
    assert 10.0 * demand.mean() - result.objective_usd == pytest.approx(630.4615, abs=0.05)


@pytest.mark.parametrize(
    ("cost", "order", "optimum"), [(6.0, 10.0, 140.0), (3.0, 20.0, 100.0), (1.5, 40.0, 60.0)]
)
def test_news_vendor_discrete(cost: float, order: float, optimum: float) -> None:
    """Demand 10, 20, 40 with odds 0.5, 0.25, 0.25 at price 8: order where the chance of more demand
    falls below cost/8.

    By hand: 6 x 10 + 8 (0.25 x 10 + 0.25 x 30) = 140; 3 x 20 + 8 x 0.25 x 20 = 100; 1.5 x 40 = 60.
    """
    result = solve(news_vendor(np.array([10.0, 20.0, 40.0]), [0.5, 0.25, 0.25], 8.0, cost))
    assert result.orders[0, 0] == pytest.approx(order, abs=1e-9)
    assert result.objective_usd == pytest.approx(optimum, abs=1e-9)
