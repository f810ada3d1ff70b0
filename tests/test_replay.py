"""A replay: the past laid out, planners who know only what was known, regret split among what they
did not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from case_fixture import MINIMAL, edited
from fabless.backtest.replay.along import Watch, along, followed_way
from fabless.backtest.replay.company import company_way
from fabless.backtest.replay.foresight import foreseen_under
from fabless.backtest.replay.limits import Got, company_orders
from fabless.backtest.replay.past import past_of
from fabless.backtest.replay.results import Replay
from fabless.backtest.replay.run import PATHS, PLANNED, replay
from fabless.backtest.replay.seen import COALITIONS, FACTORS, seen, told
from fabless.backtest.replay.shares import shapley
from fabless.catalogue import load, read_case
from fabless.catalogue.case.case import shipped_cases
from fabless.catalogue.files.realised import (
    CompanyOrder,
    Realised,
    orders_file,
    read_orders,
    read_realised,
    realised_file,
    realised_of,
)
from fabless.decide.detail import DETAILS
from fabless.decide.fresh.planned import tried
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.errors import BadFile, BadValue
from fabless.plan.rule.simulate import allowed
from fabless.records import Array
from fabless.report.replay import print_replay
from fabless.scenario.draws import queries_per_day
from fabless.strategy.offers import line_price
from fabless.units import HOUR_S

POOL = """\
pools:
  packaging:
    output: {low: 8.0e+6, mode: 1.0e+7, high: 1.2e+7, unit: 1/year}
    chips: {value: 1}
    growth: {value: 1.5}
    share: {value: 0.1}
"""
CASE = edited(
    MINIMAL + POOL,
    ("tree: {boundaries: [2], branching: [2]}", "tree: {boundaries: [1, 3], branching: [2, 1]}"),
    ("scarce_at_start: {value: 1}", "scarce_at_start: {value: 0}"),
    ("normal_duration: {value: 24}", "normal_duration: {value: 1.0e+9}"),
    ("existing: {chip", """\
  training:
    kind: training
    precision: bf16
    flop: {low: 1.0e+23, mode: 2.0e+23, high: 4.0e+23, scale: log}
    growth: {low: 1.5, mode: 2, high: 3}
    utilisation: {value: 0.35}
    unserved_price: {value: 0.006}
existing: {chip"""),
    ("count: {value: 100}", "count: {value: 20}"),
    ("    price: {value: 30000}", "    price: {low: 20000, mode: 30000, high: 40000}"),
    ("    allotment: {value: 1000}", "    allotment: {low: 80, mode: 150, high: 300}"),
    ("    lead_scarce: {value: 40}", """\
    lead_scarce: {low: 26, mode: 40, high: 52}
    successors: 1
    successor_first: {low: 6, mode: 12, high: 18}
    successor_gap: {value: 24}
    successor_gain: {value: 2}
    successor_price: {value: 1.3}
    successor_power: {value: 1.3}
    successor_slip: {low: 0.5, mode: 1, high: 1.5}
    successor_gain_spread: {low: 0.7, mode: 1, high: 1.4, scale: log}
  rented:
    vendor: nvidia
    seller: a cloud
    chip: h100-sxm
    how: rent
    term: 1 year
    ways: [buy, diversify, partner, build, acquire]
    first_quarter: 2023Q4
    price: {low: 2, mode: 3, high: 5}
    price_decline: {value: 0.2}
    allotment: {value: 60}
    allotment_growth: {value: 1.5}
    lead_normal: {value: 2}
    lead_scarce: {value: 13}"""))
HEAD = "case: minimal\ntitle: what happened\nuntil: 2025Q1\n"
SURPRISES = {
    "demand": "quantities:\n  queries_per_day: {unit: query/day, source: s, values: "
              "{2023Q4: 3.0e+6, 2024Q4: 2.0e+7, 2025Q1: 1.5e+7}}\n",
    "price": "quantities:\n  rent.rented: {unit: USD/h, source: s, values: {2023Q4: 2.0, 2024Q3: 16.0}}\n"
             "  chip_price.h100: {unit: USD, source: s, values: {2023Q4: 30000, 2024Q2: 90000}}\n",
    "supply": "quantities:\n  allotment.rented: {unit: chip, source: s, values: {2023Q4: 90, 2024Q1: 0.5}}\n"
              "  allotment.h100: {unit: chip, source: s, values: {2023Q4: 150, 2024Q1: 0.5}}\n",
    "timing": "quantities:\n  lead_time.rented: {unit: week, source: s, values: {2023Q4: 2, 2024Q1: 45}}\n"
              "  lead_time.h100: {unit: week, source: s, values: {2023Q4: 13, 2024Q1: 45}}\n",
}
SCARCE = "  supply.scarce: {unit: '1', source: s, values: {2023Q4: 1, 2024Q2: 0}}\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    file = Path(tmp_path_factory.mktemp("case")) / "case.yaml"
    file.write_text(CASE)
    case = read_case(file)
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def choice(prepared: Prepared) -> Choice:
    return choose(draw_world(prepared), None, gates=False)


def happened(prepared: Prepared, text: str) -> Realised:
    return realised_of(HEAD + text, "realised.yaml", prepared.case)


def ones(prepared: Prepared) -> Array:
    case = prepared.case
    return np.ones((case.quarters, len(case.loads), case.quarters))


def replayed(
    prepared: Prepared, choice: Choice, text: str, orders: Sequence[CompanyOrder] = (),
    branches: int = 1,
) -> Replay:
    return replay(prepared, choice, replace(DETAILS["quick"], branches=branches),
                  happened(prepared, text), orders, margin=ones(prepared))


def watch_of(prepared: Prepared, text: str, orders: Sequence[CompanyOrder] = ()) -> Watch:
    past = past_of(prepared, happened(prepared, text), orders, len(PATHS))
    return Watch(past=past, known=told(PATHS), orders=tuple(orders), margin=ones(prepared),
                 branches=1)


# What happened, as scenarios


def test_realised_levels_hold_even_outside_the_ranges(prepared: Prepared) -> None:
    text = SURPRISES["demand"] + (
        "  training_flop: {unit: FLOP, source: s, values: {2023Q4: 9.0e+23, 2024Q4: 1.0e+25}}\n"
        "  work: {unit: '1', source: s, values: {2023Q4: 3.0, 2024Q4: 12.0}}\n")
    past = past_of(prepared, happened(prepared, text), (), 2)
    case, scenarios = prepared.case, past.world.scenarios
    queries = queries_per_day(scenarios, case)[::2]
    assert queries[[0, 4, 5]] == pytest.approx([3e6, 2e7, 1.5e7], rel=1e-9)
    assert queries[2] == pytest.approx(np.sqrt(3e6 * 2e7), rel=1e-9)
    assert scenarios.demand["training"][::2][[0, 2, 4]] == pytest.approx([9e23, 3e24, 1e25])
    assert scenarios.work[::2][[0, 2, 4]] == pytest.approx([3.0, 6.0, 12.0])
    assert np.array_equal(scenarios.demand["chat"][::2], scenarios.demand["chat"][1::2])


def test_after_the_last_quarter_known_what_is_expected_comes(prepared: Prepared) -> None:
    text = SURPRISES["demand"] + SCARCE
    past = past_of(prepared, happened(prepared, text), (), len(PATHS))
    true = past.world.scenarios
    there = seen(past, past.until, told(PATHS)).scenarios
    for name, asked in true.demand.items():
        assert there.demand[name] == pytest.approx(asked, rel=1e-9)
    assert there.scarce == pytest.approx(true.scarce)
    before = seen(past, 2, told(PATHS)).scenarios
    late = true.tree.quarter == 4
    gap = before.demand["chat"][late] / true.demand["chat"][late]
    is_told = np.array(["demand" in group for group in PATHS])
    assert gap[is_told] == pytest.approx(1.0, rel=1e-9)
    assert np.all(np.abs(gap[~is_told] - 1.0) > 0.05)


def test_prices_and_lead_times_come_to_what_is_stated(prepared: Prepared) -> None:
    text = SURPRISES["price"] + SCARCE + (
        "  lead_time.h100: {unit: week, source: s, values: {2023Q4: 60, 2024Q3: 5}}\n")
    past = past_of(prepared, happened(prepared, text), (), 1)
    case, scenarios = prepared.case, past.world.scenarios
    rented, bought = case.lines[1], case.lines[0]
    rent = line_price(case, rented, scenarios) * HOUR_S
    assert rent[[0, 1, 3]] == pytest.approx([2.0, 4.0, 16.0])
    assert line_price(case, bought, scenarios)[[0, 2]] == pytest.approx([30000.0, 90000.0])
    terms = scenarios.values.lines["h100"]
    assert terms.lead_scarce[0] == pytest.approx(60 * 7 * 86400)
    assert terms.lead_normal[[2, 3]] == pytest.approx(5 * 7 * 86400)


def test_the_output_of_a_pool_is_what_is_stated(prepared: Prepared, choice: Choice) -> None:
    watch = watch_of(prepared, "quantities:\n  pool.packaging: {unit: 1/year, source: s, "
                               "values: {2023Q4: 4.0e+6, 2024Q2: 1.6e+7}}\n")
    problem = followed_way(watch, tried(choice.ways[-1])).plan.problem
    limit = next(limit for name, _, limit in problem.groups if name == "packaging")
    assert limit[:: len(PATHS)][:3] == pytest.approx([1e5, 2e5, 4e5])


def test_a_generation_comes_when_and_as_it_came(prepared: Prepared, choice: Choice) -> None:
    watch = watch_of(prepared, "generations:\n  nvidia: [{first_volume: 2024Q2, gain: 4.0, source: s}]\n")
    item = followed_way(watch, tried(choice.ways[-1]))
    problem = item.plan.problem
    row = problem.offers.index("h100+1")
    first = problem.tree.quarter[problem.available[row]].min()
    assert first == 2
    node = np.flatnonzero(problem.tree.quarter == 3)[0]
    assert problem.rate[row, 0, node] == pytest.approx(
        4.0 * problem.rate[problem.offers.index("h100"), 0, node])


# Regret and its parts


@pytest.mark.parametrize("factor", FACTORS)
def test_only_what_holds_a_surprise_has_a_part(
    prepared: Prepared, choice: Choice, factor: str
) -> None:
    result = replayed(prepared, choice, SURPRISES[factor])
    for way in result.ways:
        parts = {part.part: part.usd for part in way.parts}
        assert sum(parts.values()) == pytest.approx(way.regret_usd, abs=1e-9 * way.planned.cost_usd)
        assert way.foreseen.cost_usd <= way.planned.cost_usd * (1 + 1e-9)
        for other in set(FACTORS) - {factor}:
            assert abs(parts[other]) <= 1e-7 * way.planned.cost_usd, other
        assert parts[factor] > 1e-5 * way.planned.cost_usd


def test_no_surprise_no_regret_beyond_the_first_orders(prepared: Prepared, choice: Choice) -> None:
    result = replayed(prepared, choice, "")
    for way in result.ways:
        parts = {part.part: part.usd for part in way.parts}
        for factor in FACTORS:
            assert abs(parts[factor]) <= 1e-6 * way.planned.cost_usd, factor


def test_told_everything_the_look_ahead_is_perfect_foresight(
    prepared: Prepared, choice: Choice
) -> None:
    watch = watch_of(prepared, "".join([SURPRISES["demand"], *(
        SURPRISES[name].removeprefix("quantities:\n") for name in FACTORS[1:])]))
    item = followed_way(watch, tried(choice.ways[-1]))
    cost = along(watch, item, np.arange(len(PATHS)) == PLANNED).cost_usd
    everything = COALITIONS.index(frozenset(FACTORS))
    least = foreseen_under(watch, item).cost_usd
    assert cost[everything] == pytest.approx(least, rel=1e-6)
    assert np.all(cost >= least * (1 - 1e-9))
    assert cost[PLANNED] > least * 1.001


def test_parts_do_not_depend_on_an_order() -> None:
    rng = np.random.default_rng(3)
    cost = {group: float(value) for group, value in zip(
        COALITIONS, rng.uniform(size=len(COALITIONS)), strict=True)}
    parts = shapley(cost, FACTORS)
    by_hand = dict.fromkeys(FACTORS, 0.0)
    orders = list(permutations(FACTORS))
    for order in orders:
        for k, factor in enumerate(order):
            gain = cost[frozenset(order[:k])] - cost[frozenset(order[:k + 1])]
            by_hand[factor] += gain / len(orders)
    assert parts == pytest.approx(by_hand, rel=1e-12)
    assert sum(parts.values()) == pytest.approx(
        cost[frozenset()] - cost[frozenset(FACTORS)], rel=1e-12)
    assert shapley(cost, FACTORS[::-1]) == pytest.approx(parts, rel=1e-12)


# The company's own orders

ORDERS = tuple(CompanyOrder(quarter, "rented", 40.0 * 2**quarter, "", "") for quarter in range(6))


def test_what_the_company_got_was_on_offer(prepared: Prepared, choice: Choice) -> None:
    watch = watch_of(prepared, SURPRISES["demand"], ORDERS)
    problem = company_way(watch, happened(prepared, SURPRISES["demand"])).plan.problem
    placed = company_orders(problem, ORDERS)
    assert np.array_equal(allowed(problem, placed, np.zeros((0, problem.tree.size))), placed)
    result = replayed(prepared, choice, SURPRISES["demand"], ORDERS)
    assert result.company is not None
    assert result.company.cut == pytest.approx(0.0, abs=1e-12)
    chips = dict(result.company.cost.chips_by_line)["rented"]
    assert max(chips[:6]) >= 40.0 * 16
    assert result.company.regret_usd >= 0.0
    assert result.way("buy").foreseen.cost_usd <= result.company.cost.cost_usd


def test_limits_leave_room_for_what_the_company_got_and_go_on_from_there() -> None:
    got = Got((), until=1, told=np.array([False, True]))
    limit = np.repeat([10.0, 10.0, 20.0, np.inf], 2)
    used = np.repeat([5.0, 30.0, 0.0, 0.0], 2)
    # the company used half, then three times the limit: from there on it is twice as wide
    assert got.reached(limit, used, 3).reshape(4, 2).T.tolist() == [[10.0, 30.0, 40.0, np.inf]] * 2
    now = got.reached(limit, used, 0).reshape(4, 2).T
    assert now[0].tolist() == [10.0, 10.0, 20.0, np.inf]
    assert now[1].tolist() == [10.0, 30.0, 40.0, np.inf]


def test_with_more_on_offer_foresight_is_cheaper(prepared: Prepared, choice: Choice) -> None:
    boom = SURPRISES["demand"].replace("2.0e+7", "2.0e+8").replace("1.5e+7", "2.5e+8")
    without, given = (replayed(prepared, choice, boom, orders)
                      for orders in ((), ORDERS))
    assert given.way("buy").foreseen.cost_usd < without.way("buy").foreseen.cost_usd


# What people read


def test_a_replay_is_printed(prepared: Prepared, choice: Choice) -> None:
    result = replayed(prepared, choice, SURPRISES["demand"], ORDERS, branches=2)
    out = StringIO()
    print_replay(result, Console(file=out, width=120))
    text = out.getvalue()
    for way in result.ways:
        assert way.label in text
    assert "the company" in text
    assert sum(map(len, result.ranking)) == len(result.ways)
    bridge = result.ways[0].bridge
    assert bridge[-1].usd == pytest.approx(sum(part.usd for part in bridge[:-1]), rel=1e-12)


# Files


def test_all_faults_of_a_file_are_reported_at_once(prepared: Prepared) -> None:
    text = HEAD.replace("minimal", "other").replace("2025Q1", "2035Q1") + """\
quantities:
  queries_per_dya: {unit: query/day, source: s, values: {2024Q1: 1.0}}
  chip_price.rented: {unit: USD, source: s, values: {2024Q1: 1.0}}
  chip_price.h100: {unit: week, source: s, values: {2024Q1: -1.0, 2023Q1: 5.0}}
  supply.scarce: {unit: '1', source: s, values: {2024Q1: 0.5}}
generations:
  intel: [{first_volume: 2024Q5, source: s}]
programmes:
  none: {started: 2024Q1, source: s}
"""
    with pytest.raises(BadValue) as caught:
        realised_of(text, "f.yaml", prepared.case)
    said = str(caught.value)
    for word in ("'other'", "2035Q1", "did you mean queries_per_day", "'chip_price.rented'", "'week'",
                 "-1", "2023Q1", "0.5", "'intel'", "2024Q5", "'none'", "volume"):
        assert word in said, word
    assert "f.yaml:5" in said


def test_faults_of_orders_are_reported_at_once(prepared: Prepared, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("quarter,line,chips,basis,source\n2024Q1,h1oo,5,b,s\n2022Q1,h100,-1,b,s\n")
    with pytest.raises(BadValue) as caught:
        read_orders(file, prepared.case)
    assert len(caught.value.faults) == 3
    file.write_text("quarter,line\n2024Q1,h100\n")
    with pytest.raises(BadFile):
        read_orders(file, prepared.case)


@pytest.mark.parametrize("name", shipped_cases())
def test_the_shipped_files_fit_their_case(name: str) -> None:
    case = read_case(name)
    realised, orders = realised_file(case), orders_file(case)
    assert (realised is None) == (orders is None)
    if realised is not None and orders is not None:
        known = read_realised(realised, case)
        assert all(path.source for path in known.paths.values())
        assert all(order.basis and order.source for order in read_orders(orders, case))


def test_the_reference_case_can_be_replayed() -> None:
    assert realised_file(read_case("openai-2023")) is not None
