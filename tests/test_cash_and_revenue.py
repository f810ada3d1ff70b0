"""What orders commit to, cash out of revenue, and peak rates of a fleet: against sums by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabless.catalogue import load
from fabless.catalogue.case.case import read_case
from fabless.decide.accounts.money import query_margin
from fabless.decide.ways.problem import plan_of
from fabless.errors import BadValue
from fabless.strategy import Commitment, cheapest_usd, paid_for
from fabless.strategy.offers import peak_16_bit
from metamorphic_fixture import (
    PLAIN,
    Edit,
    drop,
    planned,
    points,
    put,
    read,
    text_of,
    tried,
    without,
    world_of,
)

HOURS = 8766 / 4
REVENUE = put("loads.chat.revenue", {"low": 0.01, "mode": 0.02, "high": 0.03})
DECLINE = 0.1
"""`demand.value_decline` of the small case, a year."""


def yearly(amount: float) -> Edit:
    return put("limits", {"cash": {str(year): {"value": amount} for year in range(2023, 2028)}})


def test_a_years_rent_uses_up_the_cash_of_the_quarter_in_which_it_is_ordered() -> None:
    """Rented chips alone: 1,000 of them at 2.5 USD an hour for a year are all that cash allows, of
    4,000 on offer; a quarter of the year's cash is there in each quarter."""
    rent = 2.5 * HOURS * 4
    alone = (*PLAIN, without("h100", "amd", "google"), points, put("supply.scarce_price", {"value": 1}),
             put("existing.count", {"value": 1000}))
    free, short = planned(*alone), planned(*alone, yearly(4 * 1000 * rent))
    way = short.way("buy")
    azure = way.plan.problem.offers.index("azure")
    first = way.plan.problem.tree.quarter == 0
    assert way.plan.problem.payment_usd[azure][first] == pytest.approx(rent)
    assert way.result.orders[azure][first] == pytest.approx(1000.0, rel=1e-6)
    assert free.way("buy").result.orders[azure][first] > 1000.0
    assert short.cost["buy"] > free.cost["buy"]


def test_a_draw_on_rented_chips_commits_to_its_quarter() -> None:
    deal = {"line": "azure", "kind": "take-or-pay", "ways": ["buy"], "tenor": "1 year", "lead": "0 week",
            "volume": {"value": 100}, "price": {"value": 2.0}, "firm_share": {"value": 0.5}}
    world = world_of(text_of(*PLAIN, put("contracts", {"rent": deal})))
    plan = plan_of(world, Commitment(world.case.lines, ()))
    drawn = plan.problem.offers.index("rent")
    np.testing.assert_allclose(plan.problem.payment_usd[drawn], 2.0 * HOURS, rtol=1e-12)
    assert plan.problem.term_quarters[drawn] == 1


def test_cash_grows_with_the_revenue_of_all_queries_that_are_asked() -> None:
    share = {"low": 0.1, "mode": 0.2, "high": 0.3}
    world = world_of(text_of(*PLAIN, REVENUE, yearly(4e8), put("limits.revenue_share", share)))
    problem = plan_of(world, Commitment(world.case.lines, ())).problem
    drawn = world.scenarios.draws
    queries, quarter = world.scenarios.demand["chat"], problem.tree.quarter
    by_hand = 1e8 + drawn.at_nodes("limits.revenue_share") * queries * drawn.at_nodes(
        "loads.chat.revenue") * (1.0 - DECLINE) ** (quarter / 4)
    np.testing.assert_allclose(problem.cash_cap_usd, by_hand, rtol=1e-12)
    assert np.ptp(problem.cash_cap_usd) > 0.0


def test_where_cash_is_not_limited_revenue_limits_nothing() -> None:
    """A limit of one year alone: before and after it there is none."""
    world = world_of(text_of(
        *PLAIN, REVENUE, put("limits", {"cash": {"2024": {"value": 4e8}}, "revenue_share": {"value": 0.2}})))
    problem = plan_of(world, Commitment(world.case.lines, ())).problem
    inside = (problem.tree.quarter >= 1) & (problem.tree.quarter < 5)
    assert np.array_equal(np.isfinite(problem.cash_cap_usd), inside)
    assert np.all(problem.cash_cap_usd[inside] > 1e8)


def test_no_share_of_revenue_is_a_share_of_nothing_and_more_is_never_dearer() -> None:
    limited = (*PLAIN, REVENUE, yearly(2e7))
    bare, none, some = (planned(*limited, *more) for more in (
        (), (put("limits.revenue_share", {"value": 0}),), (put("limits.revenue_share", {"value": 0.3}),)))
    assert none.cost == bare.cost
    assert all(some.cost[way] < bare.cost[way] for way in bare.cost)


@pytest.mark.parametrize(("edits", "words"), [
    ((REVENUE, put("limits", {"revenue_share": {"value": 0.2}})), "no limit of cash to add it to"),
    ((yearly(1e8), put("limits.revenue_share", {"value": 0.2})), "no load states its revenue"),
])
def test_a_share_of_revenue_without_revenue_or_limit_is_refused(edits: tuple[Edit, ...], words: str) -> None:
    with pytest.raises(BadValue, match=rf"limits\.revenue_share: {words}"):
        read(text_of(*edits))


def test_revenue_falls_as_a_query_is_worth_less() -> None:
    """Of each quarter what is served, at the revenue stated and less by a tenth a year; training
    brings in nothing."""
    stated = put("loads.chat.revenue", {"value": 0.02})
    judged = tried(*PLAIN, stated)
    case = read(text_of(*PLAIN, stated))
    for name, way in judged.ways.items():
        chat, training = way.loads.index("chat"), way.loads.index("training")
        fall = 0.9 ** (np.arange(case.quarters) / 4)
        np.testing.assert_allclose(way.revenue[chat], 0.02 * way.served[chat] * fall, rtol=1e-12)
        assert not way.revenue[training].any()
        margin = query_margin(case, way)
        assert margin is not None
        by_hand = float(((0.02 * way.served[chat] * fall) @ way.discount).mean())
        assert margin.revenue_usd == pytest.approx(by_hand, rel=1e-12), name
        assert margin.loads == ("chat",)
    plain = read(text_of(*PLAIN))
    assert all(query_margin(plain, way) is None
               for way in tried(*PLAIN).ways.values())


def test_the_peak_of_a_fleet_is_that_of_its_chips() -> None:
    """Chips of one generation at the peak of their maker, whatever software makes of them; a later
    generation at its gain more."""
    judged, case = tried(drop("contracts")), read(text_of(drop("contracts")))
    way = judged.ways["portfolio"]
    row = {line: k for k, line in enumerate(way.lines)}
    peak = {"existing": 312e12, "azure": 989.4e12, "google": 197e12}
    for line, flops in peak.items():
        np.testing.assert_allclose(way.peak[row[line]], flops * way.chips[row[line]], rtol=2e-3)
    assert way.chips[[row[line] for line in peak]].any(axis=(1, 2)).all()
    world = world_of(text_of(drop("contracts")))
    line = case.lines[0]
    plan = plan_of(world, Commitment((line,), (), may_start=case.programmes))
    by_name = {offer.name: offer for offer in plan.offers}
    gain = world.scenarios.draws.at_nodes("lines.h100.successor_gain")
    np.testing.assert_allclose(by_name["h100+1"].peak_flops, gain * by_name["h100"].peak_flops, rtol=1e-12)
    backer = by_name["backer"]
    performance = plan.projects[0].outcome.performance
    np.testing.assert_allclose(backer.peak_flops, 700e12 * performance, rtol=1e-12)
    assert np.ptp(performance) > 0.0


def test_sixteen_bits_are_bf16_or_else_fp16() -> None:
    chip = load(read_case().as_of).chip("h100-sxm")
    rates = {"fp32": 1.0, "fp16": 5.0, "int8": 9.0}
    assert peak_16_bit(replace(chip, peak_flops=rates)) == 5.0
    assert peak_16_bit(replace(chip, peak_flops=rates | {"bf16": 4.0})) == 4.0
    assert peak_16_bit(replace(chip, peak_flops={"int8": 9.0})) == 0.0


def test_research_is_wished_no_further_than_the_money_reaches() -> None:
    """Two training loads and one of queries by hand: 100 USD of cash and a fleet worth 20 pay for 120
    of the 240 USD that research would cost, so each is cut to a half; queries stay."""
    case = replace(
        read_case(), loads=tuple(replace(read_case().loads[0], name=name, kind=kind) for name, kind in (
            ("chat", "inference"), ("runs", "training"), ("trials", "training"))))
    offer = replace(
        plan_of(world_of(text_of(*PLAIN)), Commitment((), ())).offers[0], available=np.array([True, True, False]),
        capital_usd=np.full(3, 3.0), running_usd=np.full(3, 1.0),
        rate=np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.5, 0.5, 0.5]]))
    demand = np.array([[7.0] * 3, [40.0] * 3, [20.0] * 3])
    in_place = np.array([[3.0] * 3, [10.0] * 3, [2.5] * 3])
    going = cheapest_usd([offer], (3, 3))
    got = paid_for(case, demand, np.array([100.0, np.inf, 100.0]), going, in_place)
    np.testing.assert_allclose(got, [[7, 7, 7], [20, 40, 40], [10, 20, 20]])
    np.testing.assert_allclose(paid_for(case, demand, np.full(3, 1e9), going, in_place), demand)
    np.testing.assert_allclose(paid_for(case, demand, np.full(3, np.inf), going, in_place), demand)


def test_every_way_wishes_for_the_same_research() -> None:
    """What a way has on offer does not change what the money could pay for."""
    world = world_of(text_of(*PLAIN, yearly(1e6)))
    lines = {line.name: line for line in world.case.lines}
    demands = [plan_of(world, Commitment(tuple(lines[name] for name in names), ())).problem.demand
               for names in (list(lines), list(lines)[:1], list(lines)[-1:])]
    for demand in demands[1:]:
        np.testing.assert_array_equal(demand, demands[0])
    wished = world.scenarios.demand["training"]
    row = demands[0][[load.name for load in world.case.loads].index("training")]
    assert (row <= wished).all()
    assert (row < wished).any()
