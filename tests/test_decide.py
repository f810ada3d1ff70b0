"""The decision against recomputed sums, laws of scaling, and inputs pushed to their extremes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fabless.case_records import Case, named, with_ranges
from fabless.catalogue import load
from fabless.catalogue.case.case import read_case
from fabless.decide import Decision, Detail, Questions, WayResult, decide
from fabless.decide.actions import actions_of
from fabless.decide.detail import DETAILS
from fabless.decide.fresh.judge import NEGLIGIBLE, TUNING, Judged, judge
from fabless.decide.fresh.on_paths import WayOnPaths, joined, risk_adjusted_by_path
from fabless.decide.fresh.planned import Tried, blocks_of, carried_out, safety_margin, tried
from fabless.decide.questions import answers, break_even, sensitivity
from fabless.decide.questions.sensitivity import expected_cost
from fabless.decide.questions.stability import stability
from fabless.decide.signals import NeedCourse, need_course, need_signals
from fabless.decide.summarise import programme_values, way_result
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.gates import carried_through
from fabless.decide.ways.paths import band, compute_by_offer, error_over_branches, load_share, paths_of
from fabless.decide.ways.prepare import Prepared, prepare, simulated_outcomes_of
from fabless.decide.ways.problem import World, draw_world, plan_of, world_with_ranges
from fabless.decide.ways.solved import SolvedWay, solve_best, solved_plan
from fabless.errors import DoesNotFit
from fabless.plan import ProjectPlan, Status
from fabless.records import Array, Range
from fabless.report import as_json
from fabless.scenario.programmes import NEVER
from fabless.strategy import PORTFOLIO, TITLES, Commitment, commitments
from fabless.tco import discount_factor
from fabless.titles import order_titles
from fabless.units import DAY_S, QUARTER_S
from fabless.wording import cent_decimals, cents
from here import Here

WAYS = [way for way in TITLES if way != PORTFOLIO]
SMALL = (4, 1, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """The reference case on a small tree."""
    case = replace(read_case(), branching=SMALL)
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def here(prepared: Prepared) -> World:
    return draw_world(prepared)


@pytest.fixture(scope="module")
def base(here: World) -> dict[str, SolvedWay]:
    return {way: solved(here, way) for way in WAYS}


def solved(here: World, way: str) -> SolvedWay:
    return solve_best(here, way, commitments(here.prepared.case, way))


def changed(prepared: Prepared, changes: Mapping[str, float], branching: tuple[int, ...] = SMALL) -> World:
    return draw_world(prepared, {name: Range.point(value) for name, value in changes.items()}, branching)


def stating(prepared: Prepared, changes: Mapping[str, float]) -> Prepared:
    """The case itself with some numbers certain, for fresh paths."""
    ranges = {name: Range.point(value) for name, value in changes.items()}
    return replace(prepared, case=with_ranges(prepared.case, ranges))


def names_of(prepared: Prepared, start: str, end: str = "") -> list[str]:
    found = [name for name in named(prepared.case.numbers) if name.startswith(start) and name.endswith(end)]
    assert found
    return found


def scaled(prepared: Prepared, factor: float, names: Iterable[str]) -> dict[str, Range]:
    def times(spread: Range) -> Range:
        return replace(spread, low=factor * spread.low, mode=factor * spread.mode, high=factor * spread.high)

    return {name: times(named(prepared.case.numbers)[name].spread) for name in names}


def with_fate(prepared: Prepared, ended: tuple[float, float], **limits: int) -> Prepared:
    """Programmes that always or never end before volume."""
    items = tuple(replace(item, ended=ended, bid_failed=(0.0, 1.0), **limits) for item in prepared.case.programmes)
    case = replace(prepared.case, programmes=items)
    return replace(prepared, case=case, simulated={item.name: simulated_outcomes_of(item, case) for item in items})


def on_paths(prepared: Prepared, tries: list[Tried], paths: int = 6) -> list[WayOnPaths]:
    """Ways along a few fresh paths, planned again with one outlook."""
    margin = safety_margin(prepared, prepared.case.seed + TUNING)
    blocks = blocks_of(prepared, tries, paths=paths, seed=prepared.case.seed, branches=1, margin=margin)
    parts = [carried_out(block)[0] for block in blocks]
    return [joined([part[k] for part in parts]) for k in range(len(tries))]


def judged_on(
    prepared: Prepared, ways: Mapping[str, SolvedWay], paths: int = 6, *, carried: bool = False
) -> Judged:
    """Ways on a few fresh paths, none of them free to act as another."""
    case = prepared.case
    found = dict(zip(ways, on_paths(prepared, [tried(way, carried=carried) for way in ways.values()], paths), strict=True))
    totals = {name: risk_adjusted_by_path(case, way.cost_usd) for name, way in found.items()}
    return Judged(ways=found, carried={}, without={}, total_usd=totals, programmes=0,
                  best=min(totals, key=lambda name: float(totals[name].mean())))


def result_of(prepared: Prepared, item: SolvedWay) -> WayResult:
    """What is said of a way that stands alone."""
    return way_result(prepared, judged_on(prepared, {item.name: item}), item)


def total_of(case: Case, costs: Array) -> float:
    """Mean and mean of the worst, weighed; the worst are a whole number of paths."""
    worst = round(costs.size * (1.0 - case.risk_level))
    assert worst == pytest.approx(costs.size * (1.0 - case.risk_level))
    tail = np.sort(costs)[-worst:].mean()
    return float((1.0 - case.risk_weight) * costs.mean() + case.risk_weight * tail)


def own_chips(item: SolvedWay) -> float:
    """Expected own chips in service in the last year."""
    own = [i for i, offer in enumerate(item.plan.offers) if offer.own_silicon]
    return float(item.paths.probability @ item.paths.chips[own].sum(axis=0)[:, -4:].mean(axis=1))


def missing(item: SolvedWay) -> float:
    """Expected missing share of the compute."""
    paths = item.paths
    return float((paths.probability @ paths.missing.sum(axis=1)) / (paths.probability @ paths.wanted.sum(axis=1)))


def objective(item: SolvedWay) -> float:
    return item.result.objective_usd


def path_totals(item: SolvedWay) -> Array:
    """Discounted cost of each path, unserved demand at its price, from the orders alone."""
    problem, result = item.plan.problem, item.result
    tree = problem.tree
    totals = []
    for leaf in tree.leaves:
        path = [leaf]
        while tree.parent[path[0]] >= 0:
            path.insert(0, tree.parent[path[0]])
        total = 0.0
        for quarter, k in enumerate(path):
            cost = problem.fixed_usd[k] + problem.unmet_usd[:, k] @ result.unmet[:, k]
            for o in range(len(problem.offers)):
                chips = problem.existing[o, k]
                cost += problem.existing_capital_usd[o, k] * chips
                for j in path[:quarter + 1]:
                    age = quarter - tree.quarter[j] - problem.lead_quarters[o, j]
                    if 0 <= age < problem.term_quarters[o]:
                        chips += result.orders[o, j]
                        cost += problem.capital_usd[o, j] * result.orders[o, j]
                cost += problem.running_usd[o, k] * chips
            total += cost * float(discount_factor(0.12, (quarter + 0.5) * QUARTER_S))
        totals.append(total)
    return np.array(totals)


def test_the_objective_is_the_cost_of_the_orders(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    assert prepared.case.numbers.finance.real_rate.spread.mode == 0.12
    for way in ("buy", "partner"):
        item = base[way]
        totals, odds = path_totals(item), item.paths.probability
        tail = min(t + odds @ np.maximum(totals - t, 0.0) / (1.0 - prepared.case.risk_level) for t in totals)
        weight = prepared.case.risk_weight
        assert objective(item) == pytest.approx((1 - weight) * (odds @ totals) + weight * tail, rel=1e-8)
        assert item.result.expected_cost_usd == pytest.approx(odds @ totals, rel=1e-9)
        problem = item.plan.problem
        unserved = (problem.unmet_usd * item.result.unmet).sum(axis=0)[problem.tree.ancestors()[problem.tree.leaves]]
        np.testing.assert_allclose((item.paths.cost_usd + unserved) @ problem.discount, totals, rtol=1e-9)


def turned(case: Case) -> Case:
    """The same case with queries for training and training for queries."""
    other = {"inference": "training", "training": "inference"}
    return replace(case, loads=tuple(replace(load_, kind=other[load_.kind]) for load_ in case.loads))


def test_costs_of_queries_and_of_training_are_all_costs(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    for item in base.values():
        training = paths_of(turned(prepared.case), item.plan, item.result)
        discount = item.paths.discount
        np.testing.assert_allclose((item.paths.query_cost_usd + training.query_cost_usd) @ discount,
                                   item.paths.cost_usd @ discount, rtol=1e-9)
        assert np.all(item.paths.query_cost_usd >= 0.0)
        assert np.all(training.query_cost_usd @ discount > 0.0)


def test_cost_per_query_is_cost_over_queries(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    judged = judged_on(prepared, base)
    for name, item in base.items():
        found, way = way_result(prepared, judged, item), judged.ways[name]
        whole = way.spend.sum(axis=0) + way.ports.sum(axis=0) + way.programme
        np.testing.assert_allclose(way.by_load.sum(axis=0) @ way.discount, whole @ way.discount, rtol=1e-9)
        queries = np.array([load_.kind == "inference" for load_ in prepared.case.loads])
        paid = way.by_load[queries].sum(axis=0)
        levelised = (paid @ way.discount) / (way.queries @ way.discount)
        assert found.cost_per_query_usd.mean == pytest.approx(levelised.mean())
        assert np.isclose(found.cost_per_query_usd.p10, levelised, rtol=1e-12).any()
        assert found.cost_per_query_usd.p10 <= found.cost_per_query_usd.p50 <= found.cost_per_query_usd.p90
        assert [year for year, _ in found.cost_per_query_by_year_usd] == list(range(2023, 2032))
        first = paid[:, 1:5].sum(axis=1) / way.queries[:, 1:5].sum(axis=1)
        assert found.cost_per_query_by_year_usd[1][1].mean == pytest.approx(first.mean())


def test_served_and_unserved_queries_are_all_queries(prepared: Prepared, here: World, base: dict[str, SolvedWay]) -> None:
    scenarios = here.scenarios
    queries = scenarios.demand["chat"] + scenarios.demand["frontier"]
    for item in base.values():
        table = item.plan.problem.tree.ancestors()[item.plan.problem.tree.leaves]
        np.testing.assert_allclose(item.paths.served + item.paths.unserved, queries[table], rtol=1e-9)
        assert np.all(item.paths.missing <= item.paths.wanted * (1 + 1e-9))


def test_compute_is_measured_alike_in_every_way(base: dict[str, SolvedWay]) -> None:
    for item in base.values():
        np.testing.assert_array_equal(item.paths.wanted, base["buy"].paths.wanted)
        done = item.paths.wanted - item.paths.missing
        np.testing.assert_allclose(item.paths.compute.sum(axis=0), done, rtol=1e-9)
        np.testing.assert_allclose(item.paths.compute[0, :, 0], done[:, 0], rtol=1e-9)  # nothing else is there yet


def test_cost_is_split_by_compute_served_whatever_serves_it(base: dict[str, SolvedWay]) -> None:
    plan, result = base["diversify"].plan, base["diversify"].result
    queries = np.array([False, True, True, True])
    served = plan.yardstick * np.array([[3.0], [1.0], [0.0], [0.0]])
    share = load_share(plan, served, queries)
    np.testing.assert_allclose(share, np.array([0.75, 0.25, 0.0, 0.0])[:, None] * np.ones(share.shape))
    wanted = plan.problem.demand / plan.yardstick
    np.testing.assert_allclose(load_share(plan, 0.0 * served, queries), wanted / wanted.sum(axis=0))
    double = compute_by_offer(plan, 2.0 * served, result.active)
    np.testing.assert_allclose(double, 2.0 * compute_by_offer(plan, served, 3.0 * result.active), rtol=1e-12)
    np.testing.assert_allclose(double.sum(axis=0), 8.0, rtol=1e-12)


def test_a_fleet_that_serves_no_query_still_gives_a_measure(prepared: Prepared) -> None:
    name = prepared.case.existing_chip.name
    does = prepared.throughput[name]
    crippled = replace(does, per_second={**does.per_second, "frontier": 0.0})
    found = solved(changed(replace(prepared, throughput={**prepared.throughput, name: crippled}), {}), "buy")
    assert np.all(np.isfinite(found.plan.yardstick))
    assert found.paths.compute.max() < 100 * found.paths.chips.max()


def test_band_weighs_by_probability() -> None:
    found = band(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3]))
    assert (found.p10, found.p50, found.p90) == (1.0, 1.0, 3.0)
    assert found.mean == pytest.approx(1.7)


def test_the_error_of_a_difference_counts_branches_and_not_leaves() -> None:
    """Two branches of three paths that differ by 1 and 3: the mean is 2 and its error 1, whatever
    the paths below say."""
    costs, other = np.array([5.0, 6.0, 7.0, 9.0, 8.0, 7.0]), np.array([4.0, 5.0, 6.0, 6.0, 5.0, 4.0])
    assert error_over_branches(costs, other, 2) == pytest.approx(1.0)
    assert error_over_branches(costs + np.array([2.0, -1.0, -1.0, 0.0, 4.0, -4.0]), other, 2) == pytest.approx(1.0)
    assert error_over_branches(costs, other, 1) == 0.0


def test_the_error_of_a_regret_is_that_of_paired_paths(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    """Of 20 paths the worst tenth are two: the third dearest is where the tail begins."""
    judged = judged_on(prepared, {way: base[way] for way in ("buy", "diversify")}, paths=20)
    risk, level = prepared.case.risk_weight, prepared.case.risk_level

    def parts(way: WayOnPaths) -> Array:
        cost = (way.cash + way.unserved) @ way.discount
        start = np.sort(cost)[-3]
        return np.asarray((1 - risk) * cost + risk * (start + np.clip(cost - start, 0.0, None) / (1 - level)))

    apart = parts(judged.ways["buy"]) - parts(judged.ways["diversify"])
    dearer = "buy" if apart.mean() > 0 else "diversify"
    found = way_result(prepared, judged, base[dearer])
    assert found.regret_usd == pytest.approx(abs(apart.mean()), rel=1e-9)
    assert found.regret_error_usd == pytest.approx(apart.std(ddof=1) / 20**0.5, rel=1e-9)


@pytest.fixture(scope="module")
def choice(here: World) -> Choice:
    return choose(here, None, gates=True)


def test_the_portfolio_never_ranks_behind_a_way(choice: Choice) -> None:
    *single, portfolio = choice.ways
    assert [item.name for item in choice.ways] == [*WAYS, PORTFOLIO]
    assert objective(portfolio) <= min(objective(item) for item in single)


def test_a_programmes_value_is_that_of_carrying_it_through(prepared: Prepared, choice: Choice) -> None:
    """Each programme by itself, on ten paths: what is saved against the same lines without it."""
    detail = replace(DETAILS["quick"], paths=10, checked=0)
    values = programme_values(prepared, judge(prepared, choice, detail, pool=Here()))
    assert [value.value_usd for value in values] == sorted((value.value_usd for value in values), reverse=True)
    assert {value.name for value in values} == {item.name for item in prepared.case.programmes}
    by_name = {value.name: value for value in values}
    for through in choice.through[:3]:
        assert through.carried.policy.go.all()
        carried, = on_paths(prepared, [tried(through.carried, carried=True)], paths=10)
        without, = on_paths(prepared, [tried(through.without)], paths=10)
        whole = total_of(prepared.case, without.cost_usd)
        saved = whole - total_of(prepared.case, carried.cost_usd)
        assert by_name[through.programme].value_usd == pytest.approx(saved, rel=1e-6, abs=1e3)
        assert carried.programme.sum() > 0.0
        assert not carried.given_up.any()


def test_a_way_takes_its_best_commitment(here: World, base: dict[str, SolvedWay]) -> None:
    choices = commitments(here.prepared.case, "partner")
    assert len(choices) > 1
    each = [objective(solve_best(here, "partner", (choice,))) for choice in choices]
    assert max(each) > min(each) == pytest.approx(objective(base["partner"]), rel=1e-9)
    assert objective(solve_best(here, "partner", choices[::-1])) == pytest.approx(min(each), rel=1e-9)


def test_more_lines_never_hurt(prepared: Prepared) -> None:
    free = changed(prepared, dict.fromkeys(names_of(prepared, "lines.", ".port"), 0.0))
    lines = prepared.case.lines
    costs = [objective(solve_best(free, PORTFOLIO, (Commitment(lines[:count], ()),))) for count in range(len(lines) + 1)]
    assert all(more <= less * (1 + 1e-9) for less, more in pairwise(costs))
    assert costs[-1] < 0.5 * costs[0]


def test_money_has_no_unit_of_its_own(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    """Every price doubled doubles the cost and moves nothing else: no sum is added in another
    currency, or left out."""
    money = [name for name, number in named(prepared.case.numbers).items() if "USD" in number.unit]
    twice = draw_world(prepared, scaled(prepared, 2.0, money), SMALL)
    for way in ("diversify", "acquire"):
        found = solved(twice, way)
        assert objective(found) == pytest.approx(2.0 * objective(base[way]), rel=1e-8)
        assert expected_cost(found) == pytest.approx(2.0 * expected_cost(base[way]), rel=1e-5)
        assert missing(found) == pytest.approx(missing(base[way]), abs=1e-6)


def test_a_company_of_twice_the_size_pays_twice(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    sizes = ["demand.queries", "demand.ceiling", "existing.count", *names_of(prepared, "loads.", ".flop"),
             *names_of(prepared, "limits.cash."),
             *names_of(prepared, "lines.", ".allotment"), *names_of(prepared, "pools.", ".output")]
    found = solved(draw_world(prepared, scaled(prepared, 2.0, sizes), SMALL), "buy")
    assert objective(found) == pytest.approx(2.0 * objective(base["buy"]), rel=1e-8)
    assert missing(found) == pytest.approx(missing(base["buy"]), abs=1e-6)


WORTHWHILE = {"programmes.own-build.performance": 3.0}
"""An own chip good enough to be built whatever the draws of a small tree."""


def test_free_chips_of_the_vendor_leave_no_room_for_own_ones(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    lines = [line for line in prepared.case.lines if line.vendor == prepared.case.dominant_vendor]
    prices = [prepared.case.numbers.lines[line.name].price.name for line in lines]
    nothing = dict.fromkeys((*prices, "owning.server_cost"), 0.0)
    free = changed(prepared, nothing)
    for way in WAYS:
        assert objective(solved(free, way)) < objective(base[way])
    sure = with_fate(prepared, (0.0, 1.0))
    usual = own_chips(solved(changed(sure, WORTHWHILE), "build"))
    assert usual > 1e4
    assert own_chips(solved(changed(sure, nothing | WORTHWHILE), "build")) < 0.8 * usual


def test_unlimited_supply_ends_the_shortage_after_the_lead_time(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    endless = dict.fromkeys(names_of(prepared, "lines.", ".allotment"), 1e9)
    numbers = named(prepared.case.numbers)
    dear = {name: 100.0 * numbers[name].spread.mode for name in names_of(prepared, "loads.", ".unserved_price")}
    for way in WAYS:
        found = solved(changed(prepared, endless), way)
        assert objective(found) < objective(base[way])
        assert missing(found) < missing(base[way])
    limits = (*names_of(prepared, "limits.cash."), *names_of(prepared, "pools.", ".output"))
    rich = {name: 1e4 * numbers[name].spread.mode for name in limits}
    few = {"existing.count": 0.1 * numbers["existing.count"].spread.mode}
    served = solved(changed(prepared, endless | dear | rich | few), "buy")
    assert served.paths.missing[:, 0].min() > 0.0
    assert served.paths.missing[:, 8:].max() == pytest.approx(0.0, abs=1e-3)


def gain_before_spend(here: World, name: str) -> tuple[float, float]:
    """What the chips of a programme that is carried through save, its spend left aside [USD], and
    how many there are."""
    case = here.prepared.case
    item = next(item for item in case.programmes if item.name == name)
    lines = tuple(line for line in case.lines if "build" in line.ways)
    without, added = (started(here, Commitment(lines, items)) for items in ((), (item,)))
    tree = here.scenarios.tree
    spend = here.outcomes[name][0].spend_usd * without.plan.problem.discount[tree.quarter] * tree.probability
    return objective(without) - objective(added) + float(spend.sum()), own_chips(added)


def started(here: World, commitment: Commitment) -> SolvedWay:
    """The plan of a commitment with its programmes carried through, whatever becomes of them."""
    return solved_plan(here, "build", carried_through(plan_of(here, commitment)))


def told(here: World, name: str, arrives: Callable[[Array], Any]) -> World:
    """The world in which a programme comes in volume after three years at the node-quarters
    told."""
    tree, case = here.scenarios.tree, here.prepared.case
    leaf = np.arange(tree.size) % tree.leaves.size
    known = (tree.quarter >= case.boundaries[0]) & arrives(leaf)
    fate, *later = here.outcomes[name]
    return replace(
        here,
        outcomes={
            **here.outcomes,
            name: (
                replace(
                    fate, volume_quarter=np.where(known, 12, NEVER),
                    dead=~known & (tree.quarter >= case.boundaries[0]),
                    performance=np.ones(tree.size), scope_cut=np.zeros(tree.size),
                ),
                *later,
            ),
        },
    )


@pytest.mark.parametrize("name", ["own-build", "co-design", "acquisition"])
def test_the_more_a_programme_succeeds_the_more_it_gains(prepared: Prepared, name: str) -> None:
    neutral = replace(prepared, case=replace(prepared.case, risk_weight=0.0))
    here = changed(neutral, {})
    never, sometimes, always = (
        gain_before_spend(told(here, name, arrives), name)
        for arrives in (lambda leaf: leaf < 0, lambda leaf: leaf % 2 == 0, lambda leaf: leaf >= 0))
    assert never == (pytest.approx(0.0, abs=1e4), 0.0)
    assert 1e6 < sometimes[0] < always[0]
    assert 0.0 < sometimes[1] < always[1]


def test_a_programme_that_always_fails_costs_what_it_spends_and_one_that_never_fails_supplies_more(
    prepared: Prepared
) -> None:
    good = {"programmes.co-design.performance": 3.0}  # ordered wherever it comes
    neutral = replace(prepared, case=replace(prepared.case, risk_weight=0.0))
    lost, usual, sure = (
        gain_before_spend(changed(ready, good, (8, 1, 1, 1)), "co-design")
        for ready in (
            with_fate(neutral, (1.0, 0.0)), neutral, with_fate(neutral, (0.0, 1.0), spin_limit=50),
        )
    )
    assert lost == (pytest.approx(0.0, abs=1e4), 0.0)
    assert 0.0 < usual[1] < sure[1]


def test_what_is_told_of_a_programme_follows_its_fate(prepared: Prepared) -> None:
    # quick enough that the last branching sees it in volume on every path
    good_chip = stating(prepared, WONDER | {"programmes.own-build.slip": 0.5})
    cases = [with_fate(good_chip, (0.0, 1.0), spin_limit=50), with_fate(good_chip, (1.0, 0.0))]
    good, bad = (result_of(ready, solved(draw_world(ready), "build")) for ready in cases)
    assert good.own_silicon_probability == pytest.approx(1.0)
    assert good.own_silicon_quarter is not None
    assert bad.own_silicon_probability == 0.0
    assert bad.own_silicon_quarter is None
    assert bad.capital_at_risk_usd is not None
    assert bad.capital_at_risk_usd.mean > 1e8


def test_a_programme_that_may_be_given_up_has_that_much_less_of_a_chance(prepared: Prepared, here: World) -> None:
    item = next(item for item in prepared.case.programmes if item.name == "co-design")
    begun = started(here, Commitment(prepared.case.lines, (item,)))
    gate = ProjectPlan(
        name=item.name, steps=(), start_probability=1.0, give_up_probability=0.25,
        expected_spend_usd=0.0, worst_spend_usd=0.0, committed_usd=0.0, avoidable_usd=0.0,
    )
    judged = judged_on(prepared, {begun.name: begun}, paths=2, carried=True)
    sure, doubtful, of_another = (
        way_result(prepared, judged, replace(begun, gates=gates)).own_silicon_probability
        for gates in ((), (gate,), (replace(gate, name="own-build"),)))
    assert 0.0 < sure < 1.0
    assert doubtful == pytest.approx(0.75 * sure)
    assert of_another == sure


def test_without_growth_demand_stands_still_and_costs_less(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    still = changed(
        prepared,
        {
            "demand.growth": 1.0, "demand.growth_long_run": 1.0, "demand.work_trend": 1.0,
            **dict.fromkeys(names_of(prepared, "loads.", ".growth"), 1.0),
            **dict.fromkeys(names_of(prepared, "loads.", ".growth_long_run"), 1.0),
            "loads.chat.share": 0.85, "loads.chat.share_later": 0.85, "shocks.demand-collapse.demand": 1.0,
        },
    )
    found = solved(still, "buy")
    late = found.paths.wanted[:, prepared.case.boundaries[0]:]
    np.testing.assert_allclose(late, late[:, :1] * np.ones((1, late.shape[1])), rtol=1e-9)
    assert objective(found) < objective(base["buy"])
    assert found.paths.missing[:, 8:].sum() < base["buy"].paths.missing[:, 8:].sum()


@pytest.mark.parametrize(
    ("name", "dearer"),
    [
        ("lines.nvidia-owned.price", 1), ("owning.electricity", 1), ("owning.pue", 1),
        ("owning.server_cost", 1), ("supply.scarce_price", 1), ("demand.work_level", 1),
        ("loads.experiments.unserved_price", 1), ("existing.price", 1), ("owning.residual", -1),
        ("lines.nvidia-owned.allotment", -1), ("lines.nvidia-owned.successor_gain", -1),
        ("lines.nvidia-owned.price_decline", -1), ("demand.load_factor", -1),
        ("loads.training.utilisation", -1),
    ],
)
def test_every_input_moves_the_cost_its_own_way(here: World, name: str, dearer: int) -> None:
    middle = named(here.case.numbers)[name].spread.mode
    low, high = (
        objective(solved(world_with_ranges(here, {name: Range.point(share * middle)}), "buy"))
        for share in (0.9, 1.1)
    )
    assert dearer * (high - low) > 0.0


WONDER = {f"programmes.own-build.{key}": value for key, value in {
    "performance": 3.0, "allotment": 1e5, "deal": 0.0, "design": 0.0, "qualification": 0.0}.items()}
"""An own chip that pays wherever it comes."""


def test_a_wonder_chip_makes_building_win(prepared: Prepared) -> None:
    here = changed(with_fate(prepared, (0.0, 1.0)), WONDER)
    ranked = sorted(WAYS, key=lambda way: objective(solved(here, way)))
    assert ranked[0] == "build"
    assert own_chips(solved(here, "build")) > 1e4


def test_tiny_demand_costs_the_rent_of_the_fleet_in_place(prepared: Prepared) -> None:
    mode = {name: number.spread.mode for name, number in named(prepared.case.numbers).items()}
    sure = {name: mode[name] for name in ("existing.count", "existing.price")}
    tiny = changed(prepared, {"demand.queries": 1e3 / DAY_S,
                              **dict.fromkeys(names_of(prepared, "loads.", ".flop"), 1e18),
                              "existing.years": 1e9 * DAY_S, **sure})
    found = solved(tiny, "buy")
    rent = mode["existing.count"] * mode["existing.price"] * QUARTER_S
    assert found.result.orders.sum() == pytest.approx(0.0, abs=1e-6)
    assert missing(found) == pytest.approx(0.0, abs=1e-9)
    assert objective(found) == pytest.approx(rent * found.plan.problem.discount.sum(), rel=1e-4)


def test_a_shortage_is_a_result(prepared: Prepared) -> None:
    nothing = dict.fromkeys(names_of(prepared, "lines.", ".allotment"), 1.0)
    starved = changed(prepared, nothing)
    found = solved(starved, "diversify")
    told = result_of(stating(prepared, nothing), found)
    assert found.result.status is Status.OPTIMAL
    assert told.shortage_probability == 1.0
    assert not told.meets_service_level
    assert told.shortage_share.p10 > 0.5


def test_a_solver_that_fails_says_so(prepared: Prepared) -> None:
    absurd = changed(prepared, dict.fromkeys(names_of(prepared, "loads.", ".unserved_price"), 1e6))
    with pytest.raises(DoesNotFit, match="status"):
        solved(absurd, "buy")


def test_buying_alone_depends_on_one_vendor(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    judged = judged_on(prepared, base)
    shares = {way: way_result(prepared, judged, item).dominant_share_compute for way, item in base.items()}
    assert shares["buy"] == pytest.approx(1.0)
    assert all(0.0 < share < 1.0 for way, share in shares.items() if way == "diversify")


def test_actions_are_the_orders_of_the_first_quarter(prepared: Prepared, base: dict[str, SolvedWay]) -> None:
    item = base["diversify"]
    actions = actions_of(item, prepared)
    ordered = {offer.name: item.result.orders[i, 0] for i, offer in enumerate(item.plan.offers)
               if item.result.orders[i, 0] >= 1.0}
    assert ordered
    known = order_titles(prepared.case)
    for offer in item.plan.offers:
        if offer.name not in ordered:
            continue
        said = f" {known[offer.name]}{', running' if offer.owned else ' for'} "
        action = next(action for action in actions if said in action.what)
        due = offer.payment_usd[0] if offer.owned else offer.capital_usd[0] * offer.term_quarters
        assert action.amount == round(ordered[offer.name])
        assert action.spend_usd == pytest.approx(ordered[offer.name] * due)
    assert list(actions) == sorted(actions, key=lambda action: (action.start, -action.spend_usd))


def test_what_ends_an_action_is_known_before_its_money_is_committed(
    prepared: Prepared, base: dict[str, SolvedWay]
) -> None:
    for item in base.values():
        tree, problem = item.plan.problem.tree, item.plan.problem
        for action in actions_of(item, prepared):
            assert action.stop is not None
            assert action.double is not None
            if action.kind != "start":  # a programme's next money is that of its first gate
                assert prepared.case.as_of.isoformat() <= action.stop.by <= action.due
            assert action.stop.by in action.stop_signal
            if action.stop.measure == "need":
                offer = next(offer for offer in item.plan.offers if offer.name == action.about)
                need = (problem.demand / offer.rate).sum(axis=0)[tree.quarter <= 1]
                assert need.min() <= action.stop.at <= need.max()
                assert action.stop.at < action.double.at
            if action.stop.measure == "throughput":
                assert 0.5 <= action.stop.at / action.double.at <= 0.95


def test_two_orders_whose_numbers_differ_end_at_numbers_of_their_own(
    prepared: Prepared, base: dict[str, SolvedWay]
) -> None:
    """Two kinds of chip of a plan, and one line at two sizes on a course by hand."""
    item, case = base["diversify"], prepared.case
    offers = {offer.name: offer for offer in item.plan.offers}
    day, later = case.as_of + dt.timedelta(days=61), case.as_of + dt.timedelta(days=152)
    kinds = [need_signals(1e3, need_course(offers[name], 0, item, case), day, later)[0][0].at
             for name in ("nvidia-owned", "amd-owned")]
    assert kinds[0] != kinds[1]
    by_hand = NeedCourse(
        today=200.0, need=np.array([100.0, 200.0, 400.0, 800.0]),
        taken=np.array([0.0, 10.0, 20.0, 40.0]), probability=np.full(4, 0.25), as_of=case.as_of,
        middle=case.as_of + dt.timedelta(days=107))
    sizes = [need_signals(amount, by_hand, day, later) for amount in (4.0, 12.0, 1e6)]
    stops, doubles = ([pair[side][0].at for pair in sizes] for side in (0, 1))
    assert stops[0] == pytest.approx(200.0 * (100.0 * 2.0**0.2 / 200.0) ** (61 / 107))
    assert stops[0] < stops[1] < stops[2]
    assert stops[2] == pytest.approx(200.0), "at most on course to the middle need"
    assert doubles[0] == pytest.approx(200.0)
    assert doubles[1] == pytest.approx(400.0 * 2.0**0.2)
    assert doubles[2] == pytest.approx(800.0)


SHORT = Detail(name="short", branching=None, paths=20, small=(2, 1, 1), inputs=2, sobol=2, seeds=2, checked=2,
               branches=2, explore=True)
MOVED = ("demand.growth", "lines.amd-owned.efficiency", "demand.load_factor")


@pytest.fixture(scope="module")
def short_case() -> Case:
    """Five years of the reference case with two lines and one programme, all but three numbers
    certain."""
    case = read_case()
    lines = tuple(line for line in case.lines if line.name in ("nvidia-owned", "amd-owned"))
    programmes = tuple(item for item in case.programmes if item.route == "co-design")
    certain = {name: Range.point(number.spread.mode) for name, number in named(case.numbers).items() if name not in MOVED}
    return replace(
        with_ranges(case, certain), quarters=20, boundaries=case.boundaries[:3],
        branching=(2, 1, 1), lines=lines, programmes=programmes,
    )


@pytest.fixture(scope="module")
def few_points() -> Iterator[None]:
    """One point of the surface, two along each input and a small table of answers, so that a
    decision takes little time."""
    with pytest.MonkeyPatch.context() as patch:
        for grid in ("VOLUMES", "RELATIVE", "SLIPS"):
            patch.setattr(break_even, grid, (1.0,))
        patch.setattr(break_even, "STEPS", 2)
        for name, size in (("LEAVES", 2), ("STEPS", 2), ("PAIRS", 1), ("CHECKED", 2)):
            patch.setattr(answers, name, size)
        yield


@pytest.fixture(scope="module")
def short(short_case: Case, few_points: None) -> Decision:
    return decide(short_case, detail=SHORT, executor=Here())


@pytest.mark.slow
def test_the_same_case_gives_the_same_bytes(
    short_case: Case, short: Decision, few_points: None
) -> None:
    assert as_json(decide(short_case, detail=SHORT, executor=Here())) == as_json(short)


def test_the_digest_knows_the_case(short_case: Case) -> None:
    name = "lines.nvidia-owned.price"
    plain = replace(short_case, programmes=(), lines=short_case.lines[:1])
    digests = set()
    for price in (20e3, 30e3):
        certain = {key: Range.point(price if key == name else number.spread.mode)
                   for key, number in named(plain.numbers).items()}
        found = decide(with_ranges(plain, certain), detail=replace(SHORT, paths=2, small=(), checked=0), executor=Here())
        assert found.questions == Questions()
        assert found.programme_values == ()
        digests.add(found.digest)
    assert len(digests) == 2


def test_the_answer_says_what_the_numbers_say(short: Decision) -> None:
    best = next(item for item in short.strategies if item.name == short.recommended)
    assert best.regret_usd == pytest.approx(0.0, abs=1.0)
    assert best.total_usd <= (1 + NEGLIGIBLE) * min(item.total_usd for item in short.strategies)
    decimals = cent_decimals(item.cost_per_query_usd.p50 for item in short.strategies)
    low, middle, high = (cents(usd, decimals) for usd in (
        best.cost_per_query_usd.p10, best.cost_per_query_usd.p50, best.cost_per_query_usd.p90))
    assert f"a query costs {middle} cents over {short.quarters} quarters ({low} to {high} in eight of ten" in short.answer
    other = next(item for item in short.strategies if item.name == best.against.other)
    assert best.against.difference_usd == pytest.approx(best.total_usd - other.total_usd, rel=1e-9)
    for words in ("cannot be told from", "± ") if best.against.is_tie else (" in all than ", "mostly in "):
        assert words in short.answer
    if not best.programmes:
        assert "start no chip programme now" in short.answer
        assert short.title_of(short.programme_values[0].name) in short.answer
    assert short.answer.endswith(".")


def test_the_table_of_answers_starts_from_the_ways(short: Decision) -> None:
    table = short.questions.answers
    assert table is not None
    assert {item.name for item in table.inputs} == set(MOVED)
    assert (len(table.pairs), table.check.points) == (1, 2)
    for item in table.inputs:
        assert item.levels[0].way == short.recommended
        present = item.values.index(item.value)
        for levels in item.levels:
            way = next(way for way in short.strategies if way.name == levels.way)
            assert levels.cash_usd[present] == pytest.approx(way.cash_usd)
            assert levels.risk_usd[present] == pytest.approx(way.risk_usd)
            assert levels.cost_per_query_usd[present] == pytest.approx(way.cost_per_query_usd.p50)


def test_regret_is_measured_from_the_recommended_way(short: Decision) -> None:
    best = next(item for item in short.strategies if item.name == short.recommended)
    for item in short.strategies:
        assert item.total_usd == pytest.approx(item.cash_usd + item.unserved_usd + item.risk_usd, rel=1e-12)
        assert item.regret_usd == pytest.approx(item.total_usd - best.total_usd, abs=1.0)
    assert [row["regret_usd"] for row in short.table()] == sorted(item.regret_usd for item in short.strategies)


def test_sensitivity_is_the_cost_at_the_ends(short_case: Case, short: Decision) -> None:
    told = short.questions.sensitivities
    assert {item.name for item in told} >= {"demand.growth", "demand.load_factor"}
    effects = [abs(item.cost_high_usd - item.cost_low_usd) for item in told][:SHORT.inputs]
    assert effects == sorted(effects, reverse=True), "those that tell the ways apart come after them"
    ready = prepare(short_case, load(short_case.as_of))
    best = solved(draw_world(ready), "diversify")
    drawn, = on_paths(ready, [tried(best)], paths=40)
    found = {item.name: item for item in sensitivity.sensitivities(ready, best, drawn, 4, Here(), MOVED)}
    few = (sensitivity.SMALL, 1, 1)
    middle = np.sort(drawn.query_cost_usd)[drawn.query_cost_usd.size // 2 - 1]
    scale = middle / expected_cost(solved(changed(ready, {}, few), "diversify"))
    assert set(found) == {*MOVED, "programmes.co-design.unit_cost"}, "all else is certain, but for what silicon is made of"
    for name in MOVED:
        spread = named(short_case.numbers)[name].spread
        low, high = (scale * expected_cost(solved(changed(ready, {name: end}, few), "diversify"))
                     for end in (spread.low, spread.high))
        assert (found[name].cost_low_usd, found[name].cost_high_usd) == pytest.approx((low, high), rel=1e-6)
    assert found["demand.load_factor"].cost_low_usd > found["demand.load_factor"].cost_high_usd
    high = named(short_case.numbers)[MOVED[0]].spread.high
    winners = {way: objective(solved(changed(ready, {MOVED[0]: high}, few), way))
               for way in WAYS}
    assert found[MOVED[0]].best_high == min(winners, key=winners.__getitem__)
    usual = {way: objective(solved(changed(ready, {}, few), way)) for way in WAYS}
    assert {found[name].best_usual for name in MOVED} == {min(usual, key=usual.__getitem__)}
    assert {item.best_usual for name, item in found.items() if name not in MOVED} <= {None}


@pytest.mark.slow
def test_the_ends_of_the_ranking_hold_for_other_seeds(prepared: Prepared, here: World) -> None:
    """First and last stay; ways in between may differ by less than the luck of the draw."""
    chosen = [(way, solved(here, way).plan.commitment) for way in WAYS]
    found = stability(prepared, (8, 1, 1, 1), chosen, "diversify", 3, Here())
    assert all("diversify" in ranking[0] for ranking in found.rankings), "alone, or in a tie with those after it"
    assert all("acquire" in ranking[-1] for ranking in found.rankings), "alone, or in a tie with those before it"
    assert all(len(ranking) > 1 for ranking in found.rankings)
