"""What must hold of every way on its tree when the case is turned, renamed, scaled or stretched,
and a case that can be solved by hand.

Each test edits a small case with one of everything (`metamorphic_fixture.SMALL`) and compares
objectives. Nothing here knows how a plan is found.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import yaml

from fabless.case_records import Case, named
from fabless.decide.questions.knowledge import foresight
from fabless.decide.ways.choice import choose
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import World, draw_world
from fabless.errors import FablessError
from fabless.plan import PlanProblem, solve
from fabless.plan.problem.costs import risk_adjusted
from fabless.plan.rule.simulate import simulate_orders
from fabless.records import Array
from fabless.scenario import balanced_tree
from fabless.strategy import every_way
from metamorphic_fixture import (
    LIMITED,
    PLAIN,
    SECTIONS,
    SMALL,
    TWO_PROGRAMMES,
    USELESS,
    WAYS,
    Edit,
    Small,
    backwards,
    catalogue,
    drop,
    failing,
    free,
    gift,
    is_money,
    is_size,
    planned,
    points,
    prepared_of,
    put,
    read,
    reference_cut,
    renamed,
    scaled,
    sure,
    text_of,
    times,
    useless,
    with_numbers,
    without,
)

ROUNDING = 1e-12
"""Share of an objective by which another order of the same sums may move it."""
SOLVER = 1e-9
"""Share of an objective within which two programmes with the same optimum are solved."""


def same(one: Small, other: Small, share: float = ROUNDING, ways: tuple[str, ...] = WAYS) -> bool:
    return all(one.cost[way] == pytest.approx(other.cost[way], rel=share) for way in ways)


def never_dearer(one: Small, other: Small) -> bool:
    return all(one.cost[way] <= cost * (1 + SOLVER) for way, cost in other.cost.items())


def solved_as(case: Case) -> Small:
    """The ways of a record of a case, lines alone."""
    return Small(choose(draw_world(prepare(case, catalogue(case.as_of))), None, gates=False))


def small_record() -> Case:
    return read(text_of(*PLAIN))


# the small case is no straw man


def test_the_ways_of_the_small_case_differ_and_use_what_they_have() -> None:
    usual = planned()
    assert tuple(usual.cost) == WAYS
    assert usual.cost["diversify"] < 0.99 * usual.cost["buy"] < 0.99 * usual.cost["partner"]
    used = {offer.name for way in usual.choice.ways
            for offer, orders in zip(way.plan.offers, way.result.orders, strict=True) if orders.any()}
    assert {"h100", "azure", "amd", "deal"} <= used
    assert any(way.paths.missing_share.max() > 0.01 for way in usual.choice.ways)


# order and names


@pytest.mark.parametrize("section", SECTIONS)
def test_the_order_of_a_section_changes_nothing(section: str) -> None:
    assert same(planned(*TWO_PROGRAMMES), planned(*TWO_PROGRAMMES, backwards(section)))


def test_the_order_within_a_pair_changes_nothing() -> None:
    pairs = [f"correlations.{k}.pair" for k in range(len(SMALL["correlations"]))]

    def turned(file: dict[str, list[dict[str, list[str]]]]) -> None:
        for item in file["correlations"]:
            item["pair"] = item["pair"][::-1]

    assert pairs
    assert same(planned(), planned(turned))


@pytest.mark.parametrize(("old", "new"), [("amd", "zz"), ("google", "aa"), ("amd", "google-2")])
def test_another_name_of_a_line_changes_nothing(old: str, new: str) -> None:
    usual, other = planned(), planned(renamed("lines", old, new))
    assert other.cost["buy"] == usual.cost["buy"]
    assert other.cost["partner"] == usual.cost["partner"]
    assert same(usual, other)


@pytest.mark.parametrize(("section", "old", "new"), [
    ("loads", "chat", "zz"), ("loads", "training", "a"), ("shocks", "disruption", "zz"),
    ("pools", "packaging", "zz"), ("pools", "memory", "zz"), ("programmes", "backer", "a"),
    ("contracts", "deal", "zz"), ("lines", "h100", "zz"), ("lines", "azure", "aa"),
])
def test_another_name_of_anything_changes_nothing(section: str, old: str, new: str) -> None:
    assert same(planned(), planned(renamed(section, old, new)))


@pytest.mark.parametrize("line", ["amd", "google"])
def test_a_line_less_leaves_ways_without_it_as_they_were(line: str) -> None:
    usual, other = planned(), planned(without(line))
    assert other.cost["buy"] == usual.cost["buy"]
    assert other.cost["partner"] == usual.cost["partner"]


# more on offer


def test_a_supplier_who_asks_nothing_never_costs() -> None:
    usual, other = planned(), planned(gift())
    assert other.cost["buy"] == usual.cost["buy"]
    assert other.cost["diversify"] < 0.9 * usual.cost["diversify"]
    assert other.cost["portfolio"] == other.cost["diversify"]


@pytest.mark.parametrize("kind", USELESS)
@pytest.mark.parametrize("like", ["amd", "google"])
def test_a_line_that_nobody_uses_costs_no_way_anything(like: str, kind: str) -> None:
    assert same(planned(), planned(useless(kind, like)))


@pytest.mark.parametrize("line", ["amd", "azure", "google", "h100"])
def test_a_cheaper_vendor_is_never_dearer(line: str) -> None:
    usual, other = planned(), planned(times(0.6, f"lines.{line}.price"))
    assert never_dearer(other, usual)
    changed = {way for way in WAYS if other.cost[way] < usual.cost[way] * (1 - 1e-4)}
    assert changed == set(WAYS if line in ("azure", "h100") else ("diversify", "portfolio"))


@pytest.mark.parametrize("edit", [
    times(2, "lines.*.allotment"), times(2, "pools.*.share"), times(2, "supply.scarce_allotment"),
    times(0, "lines.*.lead_normal", "lines.*.lead_scarce"),
    times(0.5, "lines.*.port"), times(0.5, "owning.electricity"),
], ids=["allotments", "pools", "scarce allotment", "no lead", "ports", "electricity"])
def test_easier_terms_are_never_dearer(edit: Edit) -> None:
    usual, other = planned(), planned(edit)
    assert never_dearer(other, usual)
    assert other.cost["diversify"] < usual.cost["diversify"] * (1 - 1e-5)


# scale


def scaled_by(factor: float, fits: object) -> tuple[Small, Small]:
    prepared = prepared_of(text_of(*LIMITED))
    changes = scaled(prepared.case, factor, fits)  # type: ignore[arg-type]
    assert len(changes) > 8
    other = with_numbers(prepared, changes)
    return planned(*LIMITED), Small(choose(draw_world(other), None, gates=False))


def test_ten_times_the_money_costs_ten_times_as_much() -> None:
    usual, other = scaled_by(10.0, is_money)
    for way in WAYS:
        assert other.cost[way] == pytest.approx(10.0 * usual.cost[way], rel=1e-8)


def test_twice_of_everything_costs_twice_as_much() -> None:
    usual, other = scaled_by(2.0, is_size)
    for way in WAYS:
        assert other.cost[way] == pytest.approx(2.0 * usual.cost[way], rel=1e-8)


def test_the_limits_of_the_scaled_case_bind() -> None:
    assert planned(*LIMITED).cost["buy"] > planned().cost["buy"] * 1.001


def test_twice_the_queries_cost_more_and_each_more_than_the_one_before() -> None:
    """With its lines given a plan's cost is convex in what is asked of it."""
    numbers = ("demand.queries", "demand.ceiling")
    none, once, twice, thrice = (planned(*PLAIN, times(k, *numbers)).cost["buy"]
                                 for k in (1e-6, 1, 2, 3))
    assert none < once < twice < thrice
    assert once - none <= (twice - once) * (1 + 1e-3)  # draws of the first branches may move
    assert twice - once <= (thrice - twice) * (1 + 1e-3)


# certainty, horizons, trees


CERTAIN = (points, *PLAIN)


def test_without_uncertainty_information_is_worth_nothing() -> None:
    small = planned(*CERTAIN)
    for way in small.choice.ways:
        told = foresight(way)
        assert told.wait_and_see_usd == pytest.approx(way.result.objective_usd, rel=SOLVER)
        assert told.mean_value_usd == pytest.approx(way.result.objective_usd, rel=SOLVER)


@pytest.mark.parametrize("branching", [[1, 1], [2, 1], [1, 2], [12, 1], [3, 3]])
def test_without_uncertainty_a_tree_is_a_chain(branching: list[int]) -> None:
    other = planned(*CERTAIN, put("tree.branching", branching))
    assert same(planned(*CERTAIN), other, SOLVER, ("buy", "diversify"))


@pytest.mark.parametrize("branching", [[1, 1], [2, 1], [1, 2], [12, 1]])
def test_a_tree_of_any_shape_is_planned_and_bracketed(branching: list[int]) -> None:
    small = planned(put("tree.branching", branching))
    for way in small.choice.ways:
        tree = way.plan.problem.tree
        assert tree.leaves.size == branching[0] * branching[1]
        assert tree.probability[tree.leaves].sum() == pytest.approx(1.0, abs=1e-12)
        told = foresight(way)
        slack = SOLVER * told.objective_usd
        assert told.wait_and_see_usd - slack <= told.objective_usd <= told.mean_value_usd + slack
        assert way.lower_bound_usd <= way.result.objective_usd * (1 + SOLVER)


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_any_rate_of_interest_discounts_what_is_paid(rate: float) -> None:
    small = planned(put("finance.real_rate", {"value": rate}))
    for way in small.choice.ways:
        problem, result = way.plan.problem, way.result
        discount = (1.0 + rate) ** -((np.arange(10) + 0.5) / 4)
        assert problem.discount == pytest.approx(discount, rel=1e-9)
        paid = result.costs.total_usd * discount[problem.tree.quarter]
        assert result.expected_cost_usd == pytest.approx(paid @ problem.tree.probability, rel=SOLVER)
        weight = problem.tree.probability[problem.tree.leaves]
        assert result.objective_usd == pytest.approx(
            risk_adjusted(problem, result.path_cost_usd, weight)[0], rel=SOLVER)


def test_later_money_is_worth_less_at_a_higher_rate() -> None:
    """A fixed spend a year, such as a port, counts less the dearer money is."""
    ports = [planned(*CERTAIN, put("finance.real_rate", {"value": rate})).way("diversify")
             for rate in (0.0, 0.5, 1.0)]
    kept = [way.plan.problem.fixed_usd @ (
        way.plan.problem.discount[way.plan.problem.tree.quarter] * way.plan.problem.tree.probability)
        for way in ports]
    assert kept[0] > kept[1] > kept[2] > 0.0


def test_a_longer_horizon_costs_more() -> None:
    costs = [planned(*CERTAIN, put("quarters", quarters), put("tree", {"boundaries": [2], "branching": [1]})).cost
             for quarters in (4, 6, 10, 60, 80)]
    for way in ("buy", "diversify"):
        rising = [cost[way] for cost in costs]
        assert rising == sorted(rising)
        assert rising[0] < rising[-1]


@pytest.mark.parametrize("quarters", [4, 60, 80])
def test_short_and_long_horizons_are_planned_with_everything(quarters: int) -> None:
    tree = {"boundaries": [2, 3] if quarters == 4 else [2, 5], "branching": [2, 2]}
    small = planned(put("quarters", quarters), put("tree", tree))
    assert tuple(small.cost) == WAYS
    assert small.cost["portfolio"] <= min(small.cost["buy"], small.cost["diversify"]) * (1 + SOLVER)
    assert all(way.result.status.is_ok for way in small.choice.ways)


@pytest.mark.parametrize("shock", ["disruption", "slump"])
def test_a_shock_that_never_strikes_is_none(shock: str) -> None:
    assert planned(times(0, f"shocks.{shock}.rate")).cost == planned(drop(f"shocks.{shock}")).cost


def test_with_all_rates_nought_there_are_no_shocks() -> None:
    assert planned(times(0, "shocks.*.rate")).cost == planned(drop("shocks")).cost


# the price of a shortage, and risk


PRICES = ("loads.*.unserved_price",)


def test_where_a_shortage_costs_nothing_nothing_is_ordered() -> None:
    small = planned(*PLAIN, times(0, *PRICES))
    for way in small.choice.ways:
        assert not way.result.orders.any()
        problem = way.plan.problem
        rents = (problem.existing_capital_usd * problem.existing + problem.running_usd * problem.existing)
        paid = rents.sum(axis=0) * problem.discount[problem.tree.quarter]
        assert way.result.expected_cost_usd == pytest.approx(paid @ problem.tree.probability, rel=SOLVER)


def test_where_a_shortage_costs_the_earth_no_more_is_short_than_must_be() -> None:
    usual, dear, dearer = (planned(*PLAIN, times(factor, *PRICES)) for factor in (1, 1e3, 1e4))
    for way in ("buy", "diversify"):
        short, less, least = (
            item.way(way).paths.missing.sum(axis=1) @ item.way(way).paths.probability
            for item in (usual, dear, dearer))
        assert least <= less * (1 + 1e-6) + 1e-6
        assert less < short
        assert dearer.cost[way] <= 10.0 * dear.cost[way]


def test_the_weight_of_the_worst_goes_from_the_mean_to_the_tail() -> None:
    weights = (0.0, 0.25, 0.5, 0.75, 1.0)
    case = small_record()
    ways = [solved_as(replace(case, risk_weight=weight)).way("buy").result for weight in weights]
    assert ways[0].objective_usd == pytest.approx(ways[0].expected_cost_usd, rel=SOLVER)
    assert ways[-1].objective_usd == pytest.approx(ways[-1].cvar_usd, rel=SOLVER)
    for one, other in pairwise(ways):
        assert other.expected_cost_usd >= one.expected_cost_usd * (1 - SOLVER)
        assert other.cvar_usd <= one.cvar_usd * (1 + SOLVER)
        assert other.objective_usd >= one.objective_usd * (1 - SOLVER)


def test_the_worst_of_all_is_the_mean() -> None:
    case = small_record()
    all_of_them = solved_as(replace(case, risk_level=0.0)).way("buy").result
    mean = solved_as(replace(case, risk_weight=0.0)).way("buy").result
    assert all_of_them.objective_usd == pytest.approx(mean.expected_cost_usd, rel=SOLVER)
    assert all_of_them.cvar_usd == pytest.approx(all_of_them.expected_cost_usd, rel=SOLVER)


# limits


def limit(**stated: float) -> Edit:
    return put("limits", {kind: {"2023": {"value": amount}, **(
        {str(year): {"value": amount} for year in range(2024, 2028)} if kind == "cash" else {})}
        for kind, amount in stated.items()})


def test_without_power_no_chip_is_owned() -> None:
    small = planned(limit(power=0.0))
    for way in small.choice.ways:
        owned = [k for k, offer in enumerate(way.plan.offers) if offer.site_power_w > 0.0]
        assert len(owned) >= 1
        assert not way.result.orders[owned].any()
        assert way.result.orders.any()
    assert never_dearer(planned(), small)


def test_without_cash_nothing_is_bought_and_nothing_rented() -> None:
    small = planned(limit(cash=0.0))
    for way in small.choice.ways:
        problem = way.plan.problem
        assert (problem.payment_usd[1:] > 0.0).all(), "but for the fleet in place"
        assert not way.result.orders.any()
    assert never_dearer(planned(), small)
    assert small.cost["buy"] > planned().cost["buy"]


@pytest.mark.parametrize("kind", ["power", "cash"])
def test_a_limit_that_is_never_reached_is_none(kind: str) -> None:
    assert same(planned(limit(**{kind: 1e15})), planned(), SOLVER)


@pytest.mark.parametrize("kind", ["power", "cash"])
def test_a_looser_limit_is_never_dearer(kind: str) -> None:
    tight, loose = (planned(limit(**{kind: amount})) for amount in (
        (1.0, 5.0) if kind == "power" else (5e6, 5e7)))
    assert never_dearer(loose, tight)
    assert loose.cost["buy"] < tight.cost["buy"]


# programmes and contracts


def test_a_sure_and_free_programme_helps_whoever_may_start_it() -> None:
    gift, lines = planned(sure, free, gates=True), planned(without("backer"))
    assert gift.cost["partner"] < lines.cost["buy"] * (1 - 1e-3)
    assert gift.cost["portfolio"] < lines.cost["diversify"] * (1 - 1e-4)
    assert gift.cost["buy"] == lines.cost["buy"]


def test_a_programme_that_surely_fails_costs_what_is_sunk() -> None:
    """No chip comes of it: whoever commits to it pays what the first half year does, and a
    portfolio never starts it."""
    lines, fails = planned(without("backer")), planned(failing, gates=True)
    project, = fails.way("partner").plan.projects
    assert project.sunk_usd is not None
    # sunk in the first half year, on every path alike, and discounted
    assert 0.8 * project.sunk_usd < fails.cost["partner"] - lines.cost["buy"] <= project.sunk_usd
    assert project.sunk_usd > 0.0
    assert fails.cost["portfolio"] == pytest.approx(lines.cost["diversify"], rel=SOLVER)


def test_a_programme_that_surely_fails_and_is_free_changes_nothing() -> None:
    lines, fails = planned(without("backer")), planned(failing, free, gates=True)
    assert fails.cost["partner"] == pytest.approx(lines.cost["buy"], rel=SOLVER)
    assert fails.cost["portfolio"] == pytest.approx(lines.cost["diversify"], rel=SOLVER)


def test_a_higher_margin_of_the_maker_is_never_cheaper() -> None:
    costs = [planned(sure, free, put("programmes.backer.margin", {"value": margin}), gates=True)
             for margin in (0.0, 0.3, 0.9)]
    for cheap, dear in pairwise(costs):
        assert never_dearer(cheap, dear)
    assert costs[0].cost["partner"] < costs[2].cost["partner"]


@pytest.mark.parametrize("edits", [(), (sure,), (sure, free), TWO_PROGRAMMES])
def test_gates_searched_are_never_worse(edits: tuple[Edit, ...]) -> None:
    assert never_dearer(planned(*edits, gates=True), planned(*edits))


def test_a_contract_never_hurts() -> None:
    without, with_deal = planned(drop("contracts")), planned()
    assert never_dearer(with_deal, without)
    assert with_deal.cost["buy"] < without.cost["buy"]


def test_a_contract_at_an_absurd_price_is_not_signed() -> None:
    absurd = planned(times(1e3, "contracts.deal.price"))
    assert same(absurd, planned(drop("contracts")), SOLVER)
    assert not any(way.result.levels.any() for way in absurd.choice.ways)


def test_a_contract_that_costs_next_to_nothing_is_signed_to_its_end() -> None:
    gift = planned(times(1e-3, "contracts.deal.price"))
    assert gift.cost["buy"] < planned().cost["buy"] * (1 - 1e-3)
    way = gift.way("buy")
    agreement, = way.plan.problem.agreements
    assert way.result.levels.max() == pytest.approx(np.max(agreement.level_cap), rel=1e-6)


# the same question, the same answer


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    text = text_of()
    ways = [Small(choose(fresh_world_of(text), None, gates=True)) for _ in range(2)]
    assert ways[0].cost == ways[1].cost
    for one, other in zip(*(item.choice.ways for item in ways), strict=True):
        assert one.result.orders.tobytes() == other.result.orders.tobytes()
    assert planned(put("seed", 2)).cost["buy"] != ways[0].cost["buy"]


def fresh_world_of(text: str) -> World:
    case = read(text)
    return draw_world(prepare(case, catalogue(case.as_of)))


def test_no_way_is_dearer_than_one_that_it_contains() -> None:
    for edits in ((), (sure,), (sure, free), TWO_PROGRAMMES):
        small = planned(*edits, gates=True)
        ways = {way.name: way for way in every_way(read(text_of(*edits)))}
        for name in small.cost:
            for other in small.cost:
                if name != other and ways[name].contains(ways[other]):
                    assert small.cost[name] <= small.cost[other] * (1 + SOLVER)


@pytest.mark.parametrize(("edit", "place"), [
    (put("tree", {"boundaries": [], "branching": []}), "tree.boundaries"),
    (put("risk.tolerated_shortage", 1.0), "risk.tolerated_shortage"),
    (put("risk.weight", 1.0), "risk.weight"),
])
def test_what_no_case_may_state_is_told_with_its_place(edit: Edit, place: str) -> None:
    with pytest.raises(FablessError, match=place):
        read(text_of(edit))


def test_all_short_of_everything_may_be_tolerated() -> None:
    assert named(read(text_of(put("risk.tolerated_shortage", 0.999))).numbers)


# the reference case, cut


@pytest.mark.slow
@pytest.mark.parametrize("edit", [
    renamed("lines", "amd-owned", "amd2"), renamed("lines", "google-rented", "zz"),
    backwards("lines"), backwards("correlations"), backwards("pools"), backwards("shocks"),
], ids=["amd2", "zz", "lines", "correlations", "pools", "shocks"])
def test_the_reference_case_knows_no_names_and_no_order(edit: Edit) -> None:
    base = reference_cut()
    usual, other = planned(base=base), planned(edit, base=base)
    for way, cost in usual.cost.items():
        assert other.cost[way] == pytest.approx(cost, rel=ROUNDING)


@pytest.mark.slow
@pytest.mark.parametrize("terms", [
    {"price": {"value": 2e7}}, {"lead_normal": {"value": 500}, "lead_scarce": {"value": 500}},
], ids=["price x 1000", "lead beyond the horizon"])
def test_a_useless_line_more_costs_the_reference_case_nothing(terms: dict[str, object]) -> None:
    base = reference_cut()
    usual = planned(base=base)
    other = planned(put("lines.more", {"like": "amd-owned", "ways": ["diversify"], **terms}), base=base)
    for way, cost in usual.cost.items():
        assert other.cost[way] == pytest.approx(cost, rel=ROUNDING)


# by hand


def two_ways(*, diversify: bool) -> PlanProblem:
    """Three quarters, news after the first: with a chance of 1/4 demand grows tenfold.

    A chip of A costs 3 to own and 1 to run a quarter, serves for two quarters, comes one quarter
    after its order, at most 4 an order. A chip of B, which only the wider way may rent, costs 6 + 1,
    serves for one quarter and comes at once. A chip serves one unit; a unit unserved costs 10.
    Nothing is discounted; the worst 1/4 of the futures counts with weight 1/2.
    """
    tree = balanced_tree((2,), (1, 2), [(0.75, 0.25)])
    low, high = [2.0, 2.0, 2.0], [2.0, 20.0, 20.0]
    demand = np.array([[low[0], low[1], high[1], low[2], high[2]]])

    def laid(a: float, b: float) -> Array:
        return np.outer([a, b], np.ones(5))

    return PlanProblem(
        tree=tree, offers=("A", "B"), loads=("load",), lead_quarters=laid(1, 0).astype(int),
        term_quarters=np.array([2, 1]), available=laid(1, diversify) > 0, cap=laid(4, np.inf),
        capital_usd=laid(3, 6), running_usd=np.array(1.0), rate=np.array(1.0), demand=demand,
        unmet_usd=np.array(10.0), discount=np.ones(3), cvar_weight=0.5, cvar_level=0.75)


def test_two_ways_over_three_quarters_by_hand() -> None:
    # Buy. Quarter 1: nothing can have arrived, 2 units unserved at 10: 20.
    # A chip ordered now serves quarters 2 and 3 and costs 2 x (3 + 1) = 8.
    # Chips 1 and 2 save 10 in each of the two quarters on both paths: 20 > 8, they are ordered.
    # Chips 3 and 4 are idle on the low path (cost 8) and save 20 on the high one (gain 12). Weights
    # of the objective: the worst quarter of the futures is the high path, so it counts
    # 1/2 x 1/4 + 1/2 x 1 = 0.625 and the low path 1/2 x 3/4 = 0.375.
    # 0.625 x 12 - 0.375 x 8 = 7.5 - 3 = 4.5 > 0: they are ordered too, 4 in all.
    # On the low path nothing more is needed. On the high path 4 chips ordered in quarter 2 serve
    # quarter 3 alone within the horizon, 4 each, and save 10: ordered. In quarter 3 nothing arrives.
    # Low: 20 + 4 x 8 = 52. High: quarter 2 lacks 16 units (160), quarter 3 12 (120):
    # 20 + 32 + 16 + 160 + 120 = 348.
    # Objective: 0.375 x 52 + 0.625 x 348 = 19.5 + 217.5 = 237.
    buy = solve(two_ways(diversify=False))
    assert buy.orders.tolist() == [[4.0, 0.0, 4.0, 0.0, 0.0], [0.0] * 5]
    assert buy.path_cost_usd.tolist() == pytest.approx([52.0, 348.0], rel=SOLVER)
    assert buy.expected_cost_usd == pytest.approx(0.75 * 52 + 0.25 * 348, rel=SOLVER)
    assert buy.cvar_usd == pytest.approx(348.0, rel=SOLVER)
    assert buy.objective_usd == pytest.approx(237.0, rel=SOLVER)
    # Diversify. B serves a unit of a quarter at 7 instead of 10 unserved: it takes all that A does
    # not. Quarter 1: 2 x 7 = 14. Chips 1 and 2 of A: 8 against 2 x 7 = 14, ordered. Chips 3 and 4
    # now save 14 on the high path (gain 6) and cost 8 on the low one: 0.625 x 6 - 0.375 x 8 = 0.75,
    # ordered. High path: 16 units of quarter 2 and 12 of quarter 3 at 7: 112 + 84; 4 chips of A for
    # quarter 3: 16. Low: 14 + 32 = 46. High: 14 + 32 + 16 + 112 + 84 = 258.
    # Objective: 0.375 x 46 + 0.625 x 258 = 17.25 + 161.25 = 178.5.
    wide = solve(two_ways(diversify=True))
    assert wide.orders.tolist() == [[4.0, 0.0, 4.0, 0.0, 0.0], [2.0, 0.0, 16.0, 0.0, 12.0]]
    assert wide.path_cost_usd.tolist() == pytest.approx([46.0, 258.0], rel=SOLVER)
    assert wide.objective_usd == pytest.approx(178.5, rel=SOLVER)


@pytest.mark.parametrize("diversify", [False, True])
def test_no_plan_of_whole_chips_beats_the_plan(diversify: bool) -> None:
    """Every number of chips of A at each of the three places where they can still arrive, and of B
    what is then missing or nothing."""
    problem = two_ways(diversify=diversify)
    weight = problem.tree.probability[problem.tree.leaves]
    costs = {}
    for now in range(5):
        for low in range(5):
            for high in range(5):
                for rented in (0.0, 1.0):
                    fleet = np.array([0, now, now, now + low, now + high])
                    orders = np.zeros((2, 5))
                    orders[0, :3] = now, low, high
                    orders[1] = rented * np.maximum(problem.demand[0] - fleet, 0.0)
                    done = simulate_orders(problem, orders)
                    costs[now, low, high, rented] = risk_adjusted(problem, done.path_cost_usd, weight)[0]
    best = min(costs, key=lambda key: costs[key])
    assert best == (4, 0, 4, float(diversify))
    assert costs[best] == pytest.approx(solve(problem).objective_usd, rel=SOLVER)


def test_the_small_case_is_yaml_that_reads_itself() -> None:
    assert yaml.safe_load(text_of()) == SMALL
