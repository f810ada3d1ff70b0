"""What limits cost: hand-made kinks, and small changes of random plans solved again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabless.errors import BadValue
from fabless.plan import Agreement, LimitPrice, PlanProblem, limit_prices, solve
from fabless.scenario import balanced_tree, chain_tree
from gates_oracle import random_gates
from plan_oracle import plain_problem, random_problem
from test_plan import tiny, two_offers

DEAL = Agreement(name="deal", offers=(0,), most=np.ones(1), level_cap=np.array(6.0))
UNIQUE = {
    "cap": (tiny(cap=np.array(7.0)), "a", 6.0, 7.0),
    "floor": (tiny(floor=np.array(15.0)), "a", 4.0, 15.0),
    "allocation": (tiny(groups=(("g", (0,), np.array(6.0)),)), "g", 6.0, 6.0),
    "power": (tiny(power_w=np.array(2.0), power_cap_w=np.array(12.0)), "power", 3.0, 12.0),
    "cash": (tiny(payment_usd=np.array(5.0), cash_cap_usd=np.array(30.0)), "cash", 1.2, 30.0),
    "level cap": (tiny(agreements=(DEAL,)), "deal", 6.0, 6.0),
}


def found(problem: PlanProblem, family: str) -> LimitPrice:
    return next(price for price in limit_prices(problem) if price.family == family)


@pytest.mark.parametrize("family", UNIQUE)
def test_a_limit_without_a_kink_has_one_price(family: str) -> None:
    """One chip more, or one unit signed, saves 10 - 4; one less committed 4; per W half of 6, per
    USD of cash a fifth."""
    problem, name, price, limit = UNIQUE[family]
    (limited,) = limit_prices(problem)
    assert (limited.family, limited.name) == (family, name)
    for range_, of in ((limited.unit, 1.0), (limited.percent, limit / 100.0)):
        assert range_.looser_usd == pytest.approx(price * of, abs=1e-9)
        assert range_.tighter_usd == pytest.approx(price * of, abs=1e-9)
    assert str(limited.unit) == f"{price:g} USD"


def test_a_kink_has_two_prices() -> None:
    """Ten chips serve ten units at 10 USD; the eleventh would serve a load at 5 USD, and a chip
    costs 4."""
    problem = tiny(loads=("l", "m"), unmet_usd=np.array([[10.0], [5.0]]), groups=(("g", (0,), np.array(10.0)),))
    limited = found(problem, "allocation")
    assert (limited.unit.looser_usd, limited.unit.tighter_usd) == pytest.approx((1.0, 6.0), abs=1e-9)
    assert (limited.percent.looser_usd, limited.percent.tighter_usd) == pytest.approx((0.1, 0.6), abs=1e-9)
    assert str(limited.unit) == "1 to 6 USD"


def test_two_limits_that_bind_at_once_share_nothing() -> None:
    """Six chips by the cap, six by the power: either alone saves nothing when looser, and costs 6
    USD when tighter."""
    problem = tiny(cap=np.array(6.0), power_w=np.array(2.0), power_cap_w=np.array(12.0))
    for family, price in (("cap", 6.0), ("power", 3.0)):
        limited = found(problem, family)
        assert limited.unit.looser_usd == 0.0
        assert limited.unit.tighter_usd == pytest.approx(price, abs=1e-9)


def test_what_leaves_no_plan_costs_without_end() -> None:
    """Five chips committed, five allowed: one more committed cannot be, one less saves what it
    costs above shortage."""
    problem = two_offers(floor=np.array([[0.0], [5.0]]), cap=np.array([[np.inf], [5.0]]))
    floor = found(problem, "floor")
    assert floor.unit.tighter_usd == np.inf
    assert floor.unit.looser_usd == pytest.approx(6.0 - 4.0, abs=1e-9)
    assert str(floor.unit) == "2 to inf USD"


def test_limits_of_zero_and_limits_not_used_up_have_no_price() -> None:
    assert limit_prices(tiny(cap=np.array(0.0))) == ()
    assert limit_prices(tiny(cap=np.array(10.5), power_w=np.array(1.0), power_cap_w=np.array(10.5))) == ()
    tree = chain_tree(2)
    problem = tiny(tree, groups=(("g", (0,), np.array([0.0, 6.0])),))
    assert found(problem, "allocation").unit.tighter_usd == pytest.approx(6.0, abs=1e-9)


def test_no_price_without_a_best_plan() -> None:
    assert limit_prices(tiny(floor=np.array(10.0), payment_usd=np.array(5.0), cash_cap_usd=np.array(20.0))) == ()
    with pytest.raises(BadValue, match="undecided projects"):
        limit_prices(random_gates(0))


def moved(problem: PlanProblem, limit: LimitPrice, share: float, chips: float) -> PlanProblem:
    """The problem with one limit looser, by a share of it and by a number of units where it is not
    zero."""

    def more(size: np.ndarray) -> np.ndarray:
        return np.where(size > 0, size * (1.0 + share) + chips, size)

    if limit.family in ("power", "cash"):
        name = {"power": "power_cap_w", "cash": "cash_cap_usd"}[limit.family]
        return replace(problem, **{name: more(getattr(problem, name))})
    if limit.family == "allocation":
        return replace(
            problem,
            groups=tuple(
                (name, members, more(size) if name == limit.name else size)
                for name, members, size in problem.groups
            ),
        )
    if limit.family == "level cap":
        return replace(problem, agreements=tuple(
            replace(item, level_cap=more(item.level_cap)) if item.name == limit.name else item
            for item in problem.agreements))
    rows = np.array(problem.offers)[:, None] == limit.name
    if limit.family == "floor":
        return replace(
            problem,
            floor=np.where(
                rows & (problem.floor > 0), problem.floor * (1 - share) - chips, problem.floor
            ),
        )
    return replace(problem, cap=np.where(rows, more(problem.cap), problem.cap))


def kinked(seed: int) -> PlanProblem:
    """Round numbers, so that many limits are used up at once and a chip less is worth another sum
    than a chip more."""
    rng = np.random.default_rng(seed)
    tree = balanced_tree((2, 2), (1, 1, 1))
    size = tree.size
    return tiny(
        tree, offers=("a", "b", "c"), loads=("l", "m"), term_quarters=np.array([1, 2, 2]),
        lead_quarters=np.repeat(np.array([[0], [0], [1]]), size, 1),
        capital_usd=rng.integers(2, 6, (3, size)) * 1.0,
        rate=rng.integers(1, 3, (3, 2, size)) * 1.0, demand=rng.integers(1, 5, (2, size)) * 10.0,
        unmet_usd=rng.integers(5, 12, (2, size)) * 1.0, cap=rng.integers(1, 4, (3, size)) * 5.0,
        groups=(("g", (0, 1), rng.integers(1, 4, size) * 5.0),), power_w=np.array([1.0, 1.0, 2.0]),
        power_cap_w=rng.integers(1, 5, size) * 10.0, cvar_weight=[0.0, 0.3][seed % 2],
    )


@pytest.mark.parametrize(
    "problem",
    [*(kinked(seed) for seed in range(4)), plain_problem(1), plain_problem(2), random_problem(4)],
)
def test_both_prices_are_those_of_a_small_change_solved_again(problem: PlanProblem) -> None:
    base, limits = solve(problem).objective_usd, limit_prices(problem)
    assert limits
    for limit in limits:
        assert limit.unit.tighter_usd >= limit.unit.looser_usd * (1 - 1e-9)
        for step, sign in ((1e-5, 1.0), (-1e-5, -1.0)):
            end = limit.percent.looser_usd if sign > 0 else limit.percent.tighter_usd
            changed = solve(moved(problem, limit, step, 0.0))
            assert changed.status.is_ok == np.isfinite(end), limit
            if changed.status.is_ok:
                change = sign * (base - changed.objective_usd)
                assert change == pytest.approx(end * abs(step) / 0.01, rel=1e-3, abs=1e-9 * base), limit


def test_both_prices_of_a_unit_are_those_of_a_small_change_solved_again() -> None:
    kinks = 0
    for problem in [kinked(seed) for seed in range(4)]:
        base = solve(problem).objective_usd
        for limit in limit_prices(problem):
            kinks += limit.unit.tighter_usd > limit.unit.looser_usd * (1 + 1e-6)
            for step, end in ((1e-4, limit.unit.looser_usd), (-1e-4, limit.unit.tighter_usd)):
                changed = solve(moved(problem, limit, 0.0, step))
                if np.isfinite(end):
                    assert abs(changed.objective_usd - base) == pytest.approx(end * abs(step), rel=1e-5, abs=1e-10 * base)
    assert kinks > 5, "these instances are to have kinks, or they prove nothing"


@pytest.mark.parametrize("problem", [*(kinked(seed) for seed in range(3)), plain_problem(2)])
def test_the_prices_do_not_depend_on_the_best_plan_that_is_found(problem: PlanProblem) -> None:
    """Offers in another order lead the solver to another of the best plans, and to other shadow
    prices."""
    order = np.arange(len(problem.offers))[::-1]
    place = {int(o): k for k, o in enumerate(order)}
    by_offer = (
        "lead_quarters", "term_quarters", "available", "cap", "capital_usd", "running_usd", "rate",
        "floor", "payment_usd", "existing", "existing_capital_usd", "power_w", "retire",
        "resale_usd",
    )
    turned = replace(
        problem, offers=tuple(problem.offers[o] for o in order),
        groups=tuple(
            (name, tuple(place[o] for o in members), limit)
            for name, members, limit in problem.groups
        ),
        **{name: getattr(problem, name)[order] for name in by_offer},
    )
    for limit in limit_prices(problem):
        same = next(other for other in limit_prices(turned) if (other.family, other.name) == (limit.family, limit.name))
        for name in ("unit", "percent"):
            one, other = getattr(limit, name), getattr(same, name)
            assert other.looser_usd == pytest.approx(one.looser_usd, rel=1e-6, abs=1e-9)
            assert other.tighter_usd == pytest.approx(one.tighter_usd, rel=1e-6, abs=1e-9)
