"""The out-of-sample test: rules against the plan itself, against perfect information and closed
forms, and its honesty."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from case_fixture import MINIMAL, edited
from fabless.catalogue import load, read_case
from fabless.decide.fresh import block as fresh_block
from fabless.decide.fresh import planned as planned_module
from fabless.decide.fresh.block import FreshBlock, fresh_world, views_along
from fabless.decide.fresh.judge import TUNING
from fabless.decide.fresh.on_paths import WayOnPaths, joined
from fabless.decide.fresh.planned import blocks_of, carried_out, safety_margin, tried
from fabless.decide.fresh.run import as_fresh_test, fresh_test, rule_costs
from fabless.decide.ways.gates import followed
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.decide.ways.solved import SolvedWay, solve_best
from fabless.errors import BadValue
from fabless.plan import Agreement, PlanProblem, fan, on_tree, solve
from fabless.plan.rule.merit_order import View, merit_order
from fabless.plan.rule.perfect import chains, perfect_costs
from fabless.plan.rule.simulate import allowed, decided_now, granted, paths_table, simulate_orders
from fabless.records import Array
from fabless.scenario import balanced_tree, chain_tree
from fabless.scenario.expected import expected
from fabless.strategy import Commitment
from plan_oracle import plain_problem, random_problem
from test_plan import tiny

BRANCHED = edited(MINIMAL, ("tree: {boundaries: [2], branching: [2]}", "tree: {boundaries: [2, 4], branching: [3, 2]}"))


def without_risk(seed: int) -> PlanProblem:
    return replace(plain_problem(seed), cvar_weight=0.0)


def apart(problem: PlanProblem) -> PlanProblem:
    return on_tree(problem, *fan(problem.tree))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    file = tmp_path_factory.mktemp("case") / "case.yaml"
    Path(file).write_text(BRANCHED)
    case = read_case(file)
    return prepare(case, load(case.as_of))


def solved_on(prepared: Prepared, **given: Any) -> SolvedWay:
    return solve_best(draw_world(prepared, **given), "buy", (Commitment(prepared.case.lines, ()),))


@pytest.fixture(scope="module")
def solved(prepared: Prepared) -> SolvedWay:
    return solved_on(prepared)


def block_of(prepared: Prepared, solved: SolvedWay, count: int, **given: Any) -> FreshBlock:
    return FreshBlock(
        prepared=prepared, commitment=solved.plan.commitment, policy=solved.policy,
        planned=solved.plan.problem, result=solved.result, number=0, count=count,
        seed=prepared.case.seed, **given,
    )


# The rules on what the plan knew


@pytest.mark.parametrize("seed", range(4))
def test_without_uncertainty_the_rule_is_the_plan(seed: int) -> None:
    problem = chains(plain_problem(seed), np.array([seed % 4]))
    problem = replace(problem, tree=chain_tree(problem.tree.quarters))
    result = solve(problem)
    orders = merit_order(problem, result, problem, [])
    assert np.array_equal(orders, result.orders)
    assert simulate_orders(problem, orders).path_cost_usd == pytest.approx(result.path_cost_usd, rel=1e-9)


def test_the_first_orders_are_those_of_the_plan() -> None:
    problem, other = without_risk(0), without_risk(0)
    result = solve(problem)
    first = decided_now(problem.tree)
    assert first == 1
    other = replace(other, demand=other.demand * np.where(other.tree.quarter < first, 1.0, 3.0))
    orders = merit_order(problem, result, other, [View(1, other), View(3, other)])
    assert np.array_equal(orders[:, :first], result.orders[:, :first])


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_does_not_beat_perfect_information(seed: int) -> None:
    problem = without_risk(seed)
    result = solve(problem)
    fresh = apart(problem)
    least = perfect_costs(fresh, np.arange(fresh.tree.leaves.size))
    assert least @ fresh.tree.probability[fresh.tree.leaves] <= result.expected_cost_usd * (1 + 1e-9)
    orders = merit_order(problem, result, fresh, [View(1, fresh)])
    assert np.all(simulate_orders(fresh, orders).path_cost_usd >= least * (1 - 1e-9))


# Limits


@pytest.mark.parametrize("seed", range(8))
def test_orders_are_cut_to_what_is_allowed(seed: int) -> None:
    problem = random_problem(seed)
    tree, rng = problem.tree, np.random.default_rng(seed)
    levels = 1e3 * rng.uniform(size=(len(problem.agreements), tree.size)) * (tree.quarter == 0)
    placed = allowed(problem, 1e5 * rng.uniform(size=problem.cap.shape), levels)
    free = problem.floor == 0

    def within(total: Array, limit: Array, least: Array) -> bool:
        """At most the limit, or nothing beyond commitments that already exceed it."""
        return bool(np.all((total <= limit * (1 + 1e-9) + 1e-9) | (total <= least * (1 + 1e-9))))

    assert np.all(placed >= problem.floor)
    assert np.all((placed <= np.where(problem.available, problem.cap, 0.0))[free])
    for _, members, limit in problem.groups:
        assert within(placed[list(members)].sum(axis=0), limit, problem.floor[list(members)].sum(axis=0))
    for item, limit in zip(problem.agreements, granted(problem, levels, "most"), strict=True):
        rows = list(item.offers)
        drawn, least = (part[rows].sum(axis=0) for part in (placed, problem.floor))
        assert within(drawn, limit, least)
    paid, due = ((problem.payment_usd * part).sum(axis=0) for part in (placed, problem.floor))
    assert within(paid, problem.cash_cap_usd, due)
    table = paths_table(tree)
    for path in table:
        for k, node in enumerate(path):
            power = [float(problem.power_w @ problem.existing[:, node])] * 2
            for j, order in enumerate(path[: k + 1]):
                serves = (k - j - problem.lead_quarters[:, order] >= 0) & (
                    k - j - problem.lead_quarters[:, order] < problem.term_quarters)
                power = [used + float(problem.power_w @ (part[:, order] * serves))
                         for used, part in zip(power, (placed, problem.floor), strict=True)]
            assert within(np.array(power[0]), problem.power_cap_w[node], np.array(power[1]))


def test_orders_within_all_limits_are_left_alone() -> None:
    for seed in range(4):
        problem = without_risk(seed)
        result = solve(problem)
        none = np.zeros((0, problem.tree.size))
        assert allowed(problem, result.orders, none) == pytest.approx(result.orders, rel=1e-7, abs=1e-4)


def test_untaken_draws_are_paid_and_signed_levels_bound_the_orders() -> None:
    """Ten units signed at a fee of 5, at least half to be drawn or 3 each: nothing drawn costs 50 +
    15."""
    problem = tiny(
        agreements=(
            Agreement(
                name="deal", offers=(0,), most=np.array([1.0]), least=np.array([0.5]),
                fee_usd=np.array(5.0), untaken_usd=np.array(3.0),
            ),
        )
    )
    level = np.array([[10.0]])
    idle, busy = (simulate_orders(problem, np.array([[chips]]), level) for chips in (0.0, 99.0))
    assert idle.path_cost_usd[0] == pytest.approx(50.0 + 15.0 + 100.0)
    assert busy.orders[0, 0] == pytest.approx(10.0)
    assert busy.path_cost_usd[0] == pytest.approx(50.0 + 10 * 4.0)


# Merit order


def twice(problem: PlanProblem) -> PlanProblem:
    """A path that may split after its first quarter, but the branches are the same: all is
    foreseen."""
    tree = balanced_tree((2,), (1, problem.tree.quarters - 1))
    return on_tree(problem, tree, tree.quarter)


def by_merit(problem: PlanProblem) -> Array:
    return merit_order(problem, solve(problem), problem, [View(1, problem)])


def test_merit_order_finds_the_plan_of_a_growing_demand() -> None:
    """One long-lived chip and a dear rent, demand that only grows and is foreseen: chips for all of
    it, no rent."""
    problem = twice(
        tiny(
            chain_tree(6), offers=("rent", "chip"),
            demand=np.array([[10.0, 12.0, 15.0, 19.0, 24.0, 30.0]]), term_quarters=np.array([1, 9]),
            lead_quarters=np.repeat([[0], [1]], 6, axis=1),
            capital_usd=np.repeat([[8.0], [3.0]], 6, axis=1),
        )
    )
    found = simulate_orders(problem, by_merit(problem))
    assert found.path_cost_usd == pytest.approx(solve(problem).path_cost_usd, rel=1e-9)


def test_merit_order_discounts_what_a_chip_is_worth_later() -> None:
    """A rent at 3 fills the first quarter cheaper than a chip at 5 + 5 / 2 less the 5 / 2 it saves
    later, not less 5."""
    problem = twice(
        tiny(
            chain_tree(3), offers=("rent", "chip"), demand=np.array([[0.0, 10.0, 10.0]]),
            term_quarters=np.array([1, 2]),
            capital_usd=np.array([[3.0, 3.0, 8.0], [5.0, 5.0, 5.0]]), running_usd=np.array(0.0),
            discount=np.array([1.0, 0.5, 0.25]),
        )
    )
    orders = by_merit(problem)
    assert orders[:, problem.tree.quarter == 1].tolist() == [[10.0, 10.0], [0.0, 0.0]]
    assert simulate_orders(problem, orders).path_cost_usd == pytest.approx(solve(problem).path_cost_usd, rel=1e-9)


def test_merit_order_leaves_what_is_cheaper_unserved() -> None:
    assert by_merit(twice(tiny(chain_tree(4), unmet_usd=np.array(3.5)))).max() == 0.0


def test_merit_order_keeps_shared_room_for_what_lasts() -> None:
    """Ten chips a quarter in all, much more wanted: a chip that serves eight quarters takes the
    room of a rent."""
    problem = twice(
        tiny(
            chain_tree(9), offers=("rent", "chip"), demand=np.array(1e3),
            term_quarters=np.array([1, 8]), lead_quarters=np.repeat([[0], [1]], 9, axis=1),
            unmet_usd=np.array(20.0), groups=(("packages", (0, 1), np.array(10.0)),),
        )
    )
    found = simulate_orders(problem, by_merit(problem))
    assert found.path_cost_usd == pytest.approx(solve(problem).path_cost_usd, rel=0.01)


# Optimism of a small sample


def news_vendor(leaves: int, rng: np.random.Generator) -> PlanProblem:
    """Chips at 4 ordered before a demand uniform on 0 to 1000 shows, shortage at 10."""
    tree = balanced_tree((leaves,), (1, 1))
    demand = np.concatenate([[0.0], 1000.0 * rng.uniform(size=leaves)])
    return tiny(tree, lead_quarters=np.array(1), demand=demand[None])


def test_a_tiny_tree_flatters_its_plan() -> None:
    """The cost on fresh paths meets ``4 x + 10 (1000 - x)^2 / 2000``; in the tree of three paths it
    looks lower."""
    rng = np.random.default_rng(5)
    fresh = news_vendor(20_000, rng)
    differences = []
    for _ in range(20):
        planned = news_vendor(3, rng)
        result = solve(planned)
        order = result.orders[0, 0]
        costs = simulate_orders(fresh, order * (fresh.tree.quarter == 0)[None]).path_cost_usd
        exact = 4.0 * order + 10.0 * (1000.0 - order) ** 2 / 2000.0
        assert abs(costs.mean() - exact) < 4.0 * costs.std() / np.sqrt(costs.size)
        differences.append(costs.mean() - result.expected_cost_usd)
    mean, error = np.mean(differences), np.std(differences, ddof=1) / np.sqrt(20)
    assert mean > 2.0 * error


# The case


def test_outlooks_know_only_what_has_shown(prepared: Prepared, solved: SolvedWay) -> None:
    """Paths that differ after the first branching alone have the same outlook at it, and its
    history is true."""
    block = block_of(prepared, solved, 20)
    here = fresh_world(prepared, 20, seed=block.seed)
    case, scenarios = here.case, here.scenarios
    first = case.boundaries[0]
    flat = dict(scenarios.draws.flat)
    flat["demand.growth"] = np.concatenate([flat["demand.growth"][:21], 9.0 + flat["demand.growth"][21:]])
    draws = replace(scenarios.draws, flat=flat)
    later = scenarios.tree.quarter > first
    other = replace(scenarios, draws=draws, scarce=np.where(later, 1.0 - scenarios.scarce, scenarios.scarce))
    one, two = (expected(case, each, first) for each in (scenarios, other))
    assert np.array_equal(one.scarce, two.scarce)
    assert np.array_equal(one.values.demand.growth, two.values.demand.growth)
    assert all(np.array_equal(one.demand[name], two.demand[name]) for name in one.demand)
    assert np.array_equal(one.demand["chat"][~later], scenarios.demand["chat"][~later])
    go = followed(block.policy, here, plan_of(here, block.commitment))
    assert [view.quarter for view in views_along(here, block.commitment, go)] == list(case.boundaries)


def test_an_outlook_does_not_know_what_will_be_given_up() -> None:
    """A programme known to come is under way at the first branching and given up at the second on
    every other path."""
    case = replace(read_case(), branching=(6, 1, 1, 1, 1, 1))
    ready = prepare(case, load(case.as_of))
    item = next(item for item in case.programmes if item.name == "co-design")
    usual = draw_world(ready)
    tree, (first, second) = usual.scenarios.tree, case.boundaries[:2]
    coming = replace(usual.outcomes[item.name][0], volume_quarter=np.full(tree.size, second + 2),
                     dead=np.zeros(tree.size, dtype=bool))
    here = replace(usual, outcomes={**usual.outcomes, item.name: (coming,)})
    commitment = Commitment(case.lines[:1], (item,))
    goes_on = np.ones((1, tree.size), dtype=bool)
    gives_up = goes_on & ~((tree.quarter >= second) & (np.arange(tree.size) % 2 == 0))
    blind, truth = views_along(here, commitment, goes_on), views_along(here, commitment, gives_up)
    own = [offer.own_silicon for offer in plan_of(here, commitment).offers]
    assert blind[0].problem.available[own][:, tree.quarter >= second].any()
    assert np.array_equal(truth[0].problem.available, blind[0].problem.available)
    assert np.array_equal(truth[0].problem.fixed_usd, blind[0].problem.fixed_usd)
    assert not np.array_equal(truth[1].problem.available, blind[1].problem.available), "known from the second on"
    assert (first, second) == (truth[0].quarter, truth[1].quarter)


def test_the_orders_of_a_quarter_do_not_depend_on_later_news(prepared: Prepared, solved: SolvedWay) -> None:
    block = block_of(prepared, solved, 20)
    here = fresh_world(prepared, 20, seed=block.seed)
    plan = plan_of(here, block.commitment)
    problem, views = plan.problem, views_along(here, block.commitment, followed(block.policy, here, plan))
    second = here.case.boundaries[1]
    later = problem.tree.quarter >= second
    other = replace(
        problem, demand=np.where(later, 7.0 * problem.demand, problem.demand),
        groups=tuple(
            (name, members, np.where(later, 0.1 * cap, cap))
            for name, members, cap in problem.groups
        ),
    )
    changed = [view if view.quarter < second else View(view.quarter, other) for view in views]
    one, two = (merit_order(block.planned, block.result, *args) for args in ((problem, views), (other, changed)))
    assert np.array_equal(one[:, ~later], two[:, ~later])
    assert not np.array_equal(one[:, later], two[:, later])


def test_same_bytes_whatever_the_executor(prepared: Prepared, solved: SolvedWay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned_module, "LARGEST_BLOCK", 8)
    alone = fresh_test(prepared, solved, paths=24, checked=10, seed=3)
    with ThreadPoolExecutor(3) as executor:
        spread = fresh_test(prepared, solved, paths=24, checked=10, seed=3, executor=executor)
    assert repr(alone) == repr(spread)
    assert repr(alone) != repr(fresh_test(prepared, solved, paths=24, checked=10, seed=4))


def one_by_one(prepared: Prepared, solved: SolvedWay, paths: int) -> tuple[Array, Array]:
    """Cost (paths,) by the planner, and with perfect information; block by block."""
    margin = safety_margin(prepared, prepared.case.seed + TUNING)
    costs, least = [], []
    for block in blocks_of(prepared, [tried(solved)], paths=paths, seed=prepared.case.seed, branches=2, margin=margin):
        (way,), _ = carried_out(block)
        problem = plan_of(fresh_world(prepared, block.count, seed=block.seed, number=block.number),
                          solved.plan.commitment).problem
        costs.append(way.cost_usd)
        least += [solve(replace(chains(problem, np.array([k])), cvar_weight=0.0)).objective_usd for k in range(block.count)]
    return np.concatenate(costs), np.array(least)


def test_what_the_test_says(prepared: Prepared, solved: SolvedWay) -> None:
    found = fresh_test(prepared, solved, paths=40, checked=30)
    numbers, least = one_by_one(prepared, solved, 40)
    cost = found.expected_cost_usd
    assert cost.fresh == pytest.approx(numbers.mean())
    assert cost.in_sample == pytest.approx(solved.result.expected_cost_usd)
    assert cost.difference == cost.fresh - cost.in_sample
    assert cost.error == pytest.approx(numbers.std(ddof=1) / 40.0**0.5)
    risk = prepared.case.risk_weight
    worst = np.sort(numbers)[-4:].mean()
    assert found.cvar_usd.fresh == pytest.approx(worst)
    assert found.objective_usd.fresh == pytest.approx((1 - risk) * cost.fresh + risk * worst)
    assert found.objective_usd.in_sample == pytest.approx(solved.result.objective_usd, rel=1e-6)
    assert [year for year, _ in found.missing_share_by_year] == [2023, 2024, 2025]
    assert found.gap is not None
    assert np.all(numbers >= least * (1 - 1e-9))
    assert found.gap.planner_usd == pytest.approx(numbers[:30].mean())
    assert found.gap.perfect_usd == pytest.approx(least[:30].mean(), rel=1e-6)
    assert found.gap.error_usd == pytest.approx((numbers - least)[:30].std(ddof=1) / 30.0**0.5, rel=1e-4)
    assert 0.0 <= found.gap.mean_usd <= found.gap.upper_usd


def costing(way: WayOnPaths, costs: Array) -> WayOnPaths:
    """A way of one path or more made to cost what is given, all of it for demand left unserved."""
    many = joined([way] * (costs.size // way.cost_usd.size))
    unserved = np.zeros(many.unserved.shape)
    unserved[:, 0] = costs / many.discount[0]
    return replace(many, spend=0.0 * many.spend, ports=0.0 * many.ports, programme=0.0 * many.programme,
                   unserved=unserved)


def test_the_error_of_the_tail_is_that_of_the_tail(prepared: Prepared, solved: SolvedWay) -> None:
    """Against the mean of the worst tenth of paths drawn again with replacement."""
    rng = np.random.default_rng(7)
    margin = safety_margin(prepared, 1, paths=4)
    block, = blocks_of(prepared, [tried(solved)], paths=1, seed=1, branches=1, margin=margin)
    (drawn,), _ = carried_out(block)
    cost = np.exp(rng.normal(size=2_000))
    found = as_fresh_test(prepared, solved, costing(drawn, cost), seed=1, gap=None)
    again = np.sort(cost[rng.integers(2_000, size=(1_000, 2_000))], axis=1)[:, -200:].mean(axis=1)
    assert found.cvar_usd.fresh == pytest.approx(np.sort(cost)[-200:].mean())
    assert found.cvar_usd.error == pytest.approx(again.std(), rel=0.1)
    risk = prepared.case.risk_weight
    both = (1 - risk) * cost[:, None] + risk * tail(cost)[:, None]
    assert found.objective_usd.error == pytest.approx(both.std(ddof=1) / 2_000**0.5)


def tail(cost: Array) -> Array:
    """Threshold of the worst tenth, plus ten times what lies above it: its mean is that of the
    worst tenth."""
    threshold = np.sort(cost)[-201]
    return np.asarray(threshold + 10.0 * np.clip(cost - threshold, 0.0, None))


def test_values_take_the_place_of_draws(prepared: Prepared, solved: SolvedWay) -> None:
    usual = rule_costs(prepared, solved, paths=50)
    same = rule_costs(prepared, solved, paths=50, values={"demand.queries": usual.values["demand.queries"]})
    assert same.cost_usd == pytest.approx(usual.cost_usd, rel=1e-12)
    more = rule_costs(prepared, solved, paths=50, values={"demand.queries": 2.0 * usual.values["demand.queries"]})
    assert np.all(more.cost_usd >= usual.cost_usd * (1 - 1e-12))
    assert more.cost_usd.mean() > 1.05 * usual.cost_usd.mean()
    assert np.array_equal(more.values["demand.growth"], usual.values["demand.growth"])
    with pytest.raises(BadValue) as error:
        rule_costs(prepared, solved, paths=50, values={"demand.querys": np.ones(50), "demand.growth": np.ones(3)})
    assert [fault.place for fault in error.value.faults] == ["values[demand.querys]", "values[demand.growth]"]
    with pytest.raises(BadValue, match="paths"):
        fresh_test(prepared, solved, paths=1)


def test_blocks_share_no_random_numbers(prepared: Prepared, solved: SolvedWay) -> None:
    numbers = [rule_costs(prepared, solved, paths=4, seed=seed) for seed in (1, 2)]
    assert not np.intersect1d(numbers[0].values["demand.growth"], numbers[1].values["demand.growth"]).size
    assert fresh_block.BLOCK == 1_000
