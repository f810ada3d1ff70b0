"""What a negotiator needs, against plans solved again, linopy, enumeration and closed forms."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pytest
from markupsafe import escape
from rich.console import Console

from case_fixture import MINIMAL
from decision_fixture import decision
from fabless.case_numbers import LimitNumbers
from fabless.case_records import Case, CaseNumber, TimedLimit
from fabless.catalogue import load, read_case, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.catalogue.facts.text import DATA
from fabless.decide import Action, Decision, ProgrammeValue
from fabless.decide.actions import actions_of
from fabless.decide.detail import DETAILS
from fabless.decide.questions.delay import SURE, with_delay_costs
from fabless.decide.questions.leverage import MOST, PRICES, concession, leverage
from fabless.decide.questions.near_best import WITHIN, near_best, near_best_starts
from fabless.decide.questions.negotiate import negotiation
from fabless.decide.questions.shadow import shadow_prices
from fabless.decide.questions.small_plan import plan_on
from fabless.decide.ways.gates import decided
from fabless.decide.ways.paths import error_over_branches
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import Plan, World, draw_world, plan_of, world_with_ranges
from fabless.decide.ways.solved import SolvedWay, solved_plan
from fabless.plan import PlanProblem, solve
from fabless.plan.solve.held import HeldPlan, NearOptimal
from fabless.records import Grade, Range
from fabless.report.canvas import WIDE, as_svg
from fabless.report.document import as_json
from fabless.report.negotiator import shadow_table, windows
from fabless.report.page.file import as_html
from fabless.report.question_charts import near_best_ranges
from fabless.report.terminal import print_decision
from fabless.sampling import exceeding, quantile
from fabless.strategy import Commitment
from fabless.units import Quarter
from fabless.wording import count
from here import Here
from plan_oracle import oracle_range, random_problem
from test_plan import tiny, two_offers

FEW = (3, 1, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = replace(read_case(), branching=FEW)
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def few(prepared: Prepared) -> World:
    return draw_world(prepared)


@pytest.fixture(scope="module")
def lines(prepared: Prepared) -> Commitment:
    return Commitment(tuple(line for line in prepared.case.lines if line.vendor != "Google"), ())


@pytest.fixture(scope="module")
def best(few: World, lines: Commitment) -> SolvedWay:
    return solved_plan(few, "portfolio", plan_of(few, lines))


# shadow prices


def looser(problem: PlanProblem, name: str, quarter: int, more: float) -> PlanProblem:
    """The problem with a limit of one quarter larger by `more` on every scenario."""
    then = problem.tree.quarter == quarter
    if name == "power":
        since = problem.tree.quarter >= quarter
        return replace(problem, power_cap_w=problem.power_cap_w + np.where(since, 1e6 * more, 0.0))
    if name == "cash":
        return replace(problem, cash_cap_usd=problem.cash_cap_usd + np.where(then, more, 0.0))
    return replace(problem, groups=tuple(
        (group, members, limit + np.where(then, more, 0.0) if group == name else limit)
        for group, members, limit in problem.groups))


def test_a_shadow_price_is_the_slope_of_plans_solved_again(best: SolvedWay, prepared: Prepared) -> None:
    problem, base = best.plan.problem, best.result.objective_usd
    prices = shadow_prices(prepared.case, best.plan)
    some = sorted(prices, key=lambda price: -price.value_usd)[:4] + [price for price in prices if price.value_usd == 0.0][:3]
    assert some[3].value_usd > 0.0
    for price in some:
        quarter = Quarter.parse(price.quarter) - prepared.case.first_quarter
        factor = problem.discount[quarter]
        more, less = (solve(looser(problem, price.limit, quarter, step)).objective_usd for step in (1.0, -1.0))
        tolerance = 1e-9 * base
        assert (base - more) / factor == pytest.approx(price.value_usd, rel=1e-4, abs=tolerance)
        assert (less - base) / factor == pytest.approx(price.loss_usd, rel=1e-4, abs=tolerance)


def test_a_band_is_that_of_the_scenarios_moved_one_by_one(best: SolvedWay, prepared: Prepared) -> None:
    """Without a kink the parts of a price are the prices of its parts."""
    problem, base = best.plan.problem, best.result.objective_usd
    price = next(price for price in shadow_prices(prepared.case, best.plan)
                 if price.value_usd > 100.0 and 0.0 < price.binds_probability < 1.0
                 and price.loss_usd < 1.001 * price.value_usd)
    quarter = Quarter.parse(price.quarter) - prepared.case.first_quarter
    each = []
    for node in np.flatnonzero(problem.tree.quarter == quarter):
        groups = tuple((name, members, limit + 10.0 * ((name == price.limit) & (np.arange(limit.size) == node)))
                       for name, members, limit in problem.groups)
        saved = base - solve(replace(problem, groups=groups)).objective_usd
        each.append(saved / 10.0 / problem.discount[quarter] / problem.tree.probability[node])
    assert price.low_usd == pytest.approx(min(each), rel=1e-3, abs=1.0)
    assert price.high_usd == pytest.approx(max(each), rel=1e-3, abs=1.0)
    assert np.mean(each) == pytest.approx(price.value_usd, rel=1e-3)
    assert price.binds_probability == pytest.approx(np.mean(np.array(each) > 1.0), abs=1e-9)


def limited(prepared: Prepared, kind: str, size: float) -> Case:
    """The case with power from 2025 on, or cash of 2025."""
    number = CaseNumber(name=f"limits.{kind}.2025", spread=Range.point(size), unit="1", grade=Grade.ASSUMPTION,
                        source=prepared.case.numbers.demand.growth.source)
    case = unlimited(prepared)
    limits = LimitNumbers(**{kind: {"2025": number}})
    return replace(case, numbers=replace(case.numbers, limits=limits),
                   **{f"{kind}_limits": (TimedLimit(Quarter(2025, 1), 4, "2025"),)})


def unlimited(prepared: Prepared) -> Case:
    """The case without power, cash or correlations of them."""
    numbers = replace(prepared.case.numbers, limits=LimitNumbers(), correlations=())
    return replace(
        prepared.case, numbers=numbers, correlations=(), power_limits=(), cash_limits=()
    )


@pytest.mark.parametrize(("family", "size", "unit", "step", "words"), [
    ("power", 1e7, "MW", 0.01, "One more megawatt of power from {} on is worth up to "),
    ("cash", 1e8, "USD", 1e3, "One more dollar of cash for orders in {} is worth up to "),
])
def test_a_megawatt_and_a_dollar_have_prices_in_words(
    prepared: Prepared, family: str, size: float, unit: str, step: float, words: str
) -> None:
    case = limited(prepared, family, size)
    plan = plan_of(draw_world(replace(prepared, case=case)), Commitment(case.lines, ()))
    prices = [price for price in shadow_prices(case, plan) if price.limit == family]
    assert {price.unit for price in prices} == {unit}
    price = max(prices, key=lambda price: price.value_usd)
    assert price.value_usd > 0.0
    assert price.text.startswith(words.format(price.quarter))
    quarter = Quarter.parse(price.quarter) - case.first_quarter
    saved = solve(plan.problem).objective_usd - solve(looser(plan.problem, family, quarter, step)).objective_usd
    assert saved / step / plan.problem.discount[quarter] == pytest.approx(price.value_usd, rel=1e-3)


def test_where_no_power_or_cash_is_stated_none_has_a_price(best: SolvedWay, prepared: Prepared) -> None:
    priced = {price.limit for price in shadow_prices(prepared.case, best.plan)}
    assert "cash" in priced
    assert "power" not in priced
    case = unlimited(prepared)
    plan = plan_of(draw_world(replace(prepared, case=case)), Commitment(case.lines, ()))
    assert not {"power", "cash"} & {price.limit for price in shadow_prices(case, plan)}


def test_a_limit_that_does_not_bind_is_worth_nothing(best: SolvedWay, prepared: Prepared) -> None:
    prices = shadow_prices(prepared.case, best.plan)
    free = [price for price in prices if price.binds_probability == 0.0]
    assert free
    for price in free:
        assert (price.value_usd, price.low_usd, price.high_usd, price.loss_usd) == (0.0, 0.0, 0.0, 0.0)
        assert price.text.endswith("would not be worth anything")
    assert all(price.loss_usd >= price.value_usd * (1.0 - 1e-6) for price in prices)


# cost of delay


def closed(plan: Plan, offer: int, quarter: int) -> PlanProblem:
    available = plan.problem.available.copy()
    available[offer, plan.problem.tree.quarter == quarter] = False
    return replace(plan.problem, available=available)


def test_delay_is_the_plan_without_that_order(prepared: Prepared, lines: Commitment) -> None:
    """On eight first branches and with a fleet too small for the first quarters, so that the costs
    can be told."""
    few = {"existing.count": Range.point(2e4)}
    eight = draw_world(prepared, few, branching=(8, 1, 1, 1, 1, 1))
    best = solved_plan(eight, "portfolio", plan_of(eight, lines))
    orders = [action for action in actions_of(best, prepared) if action.kind == "order"]
    assert orders
    told = 0
    for action in with_delay_costs(orders, eight, best):
        offer = [offer.name for offer in best.plan.offers].index(action.about)
        later = solve(closed(best.plan, offer, Quarter.parse(action.quarter) - prepared.case.first_quarter))
        rise = later.objective_usd - best.result.objective_usd
        error = error_over_branches(later.path_cost_usd, best.result.path_cost_usd, 8)
        assert action.delay_error_usd is not None
        if rise > SURE * max(error, action.delay_error_usd):
            assert action.delay_cost_usd == pytest.approx(rise, rel=1e-6)
            told += 1
        elif rise < SURE * min(error, action.delay_error_usd):
            assert action.delay_cost_usd == 0.0
    assert told


def test_a_port_a_quarter_later_opens_the_line_a_quarter_later(
    best: SolvedWay, few: World, prepared: Prepared
) -> None:
    (port,) = (action for action in actions_of(best, prepared) if action.kind == "port")
    (asked,) = with_delay_costs([port], few, best)
    later_lines = tuple(replace(line, first_quarter=line.first_quarter + 1) if line.name == port.about else line
                        for line in best.plan.commitment.lines)
    case = replace(few.case, lines=later_lines)
    later = solve(plan_of(replace(few, case=case), Commitment(later_lines, ())).problem)
    rise = later.objective_usd - best.result.objective_usd
    assert asked.delay_error_usd is not None
    expected = rise if abs(rise) > SURE * asked.delay_error_usd else 0.0
    assert asked.delay_cost_usd == pytest.approx(expected, rel=1e-3)


def test_a_programme_a_quarter_later_starts_at_the_first_branching_or_never(
    few: World, lines: Commitment, prepared: Prepared
) -> None:
    backer = next(item for item in prepared.case.programmes if item.route == "partner")
    plan = plan_of(few, replace(lines, programmes=(backer,)))
    going = np.ones((1, few.scenarios.tree.size), dtype=bool)
    started = solved_plan(few, "partner", plan)
    started = replace(started, policy=replace(started.policy, go=going), plan=decided(plan, going))
    action = Action(what="", owner="", quarter="2023Q4", start="", due="", amount=None, unit="", spend_usd=0.0,
                    stop_signal="", double_signal="", kind="start", about=backer.name)
    (asked,) = with_delay_costs([action], few, started)
    never = solve(plan_of(few, lines).problem)
    may = plan_of(few, replace(lines, may_start=(backer,)))
    go = np.array([(item.start == 1) & (few.scenarios.tree.quarter >= few.case.boundaries[0]) for item in may.projects])
    later = solve(decided(may, go).problem)
    now = solve(decided(plan, going).problem)
    best = min(never, later, key=lambda result: result.objective_usd)
    rise = best.objective_usd - now.objective_usd
    error = error_over_branches(best.path_cost_usd, now.path_cost_usd, FEW[0])
    assert asked.delay_error_usd == pytest.approx(error, rel=0.2, abs=1e3)
    assert asked.delay_cost_usd == pytest.approx(rise if abs(rise) > SURE * error else 0.0, rel=1e-4)


def test_a_question_leaves_the_held_plan_as_it_was() -> None:
    problem = two_offers()
    held = HeldPlan(problem)
    first = held.program.columns["orders"].index[0]
    assert held.objective_usd == pytest.approx(40.0)
    for _ in range(2):
        objective, costs = held.without(first)
        assert (objective, costs.tolist()) == (pytest.approx(60.0), [pytest.approx(60.0)])
    assert held.without(first[:0])[0] == pytest.approx(40.0)


@pytest.mark.parametrize("seed", range(4))
def test_path_costs_of_a_held_plan_are_those_of_the_plan(seed: int) -> None:
    problem = random_problem(seed)
    held, result = HeldPlan(problem), solve(problem)
    assert held.objective_usd == pytest.approx(result.objective_usd, rel=1e-9)
    odds = problem.tree.probability[problem.tree.leaves]
    if problem.cvar_weight == 0.0:
        assert held.path_cost_usd(held.value) @ odds == pytest.approx(result.expected_cost_usd, rel=1e-9)
    again = HeldPlan(replace(problem, running_usd=1.01 * problem.running_usd), held)
    assert again.objective_usd == pytest.approx(
        solve(replace(problem, running_usd=1.01 * problem.running_usd)).objective_usd, rel=1e-9)


# near-best plans


def test_near_best_by_hand() -> None:
    """Ten chips at 4 USD are best; within 2 % 0.4 chips may come from the second offer at 6 USD, or
    0.2 chips too many from the first."""
    held = HeldPlan(two_offers())
    near = NearOptimal(held, 1.02 * held.objective_usd)
    first, second = held.program.columns["orders"].index
    assert near.extremes(first, np.ones(1)) == pytest.approx((9.6, 10.2))
    assert near.extremes(second, np.ones(1)) == pytest.approx((0.0, 0.4))
    assert near.extremes(first, np.ones(1)) == pytest.approx((9.6, 10.2))


def test_near_best_by_enumeration() -> None:
    """Every whole number of chips of both offers: none of the good plans lies outside, and one lies
    within a chip of each end."""
    problem = tiny(offers=("a", "b"), demand=np.array([[40.0]]), capital_usd=np.array([[3.0], [3.1]]),
                   cap=np.array([[30.0], [35.0]]))
    held = HeldPlan(problem)
    limit = 1.02 * held.objective_usd
    good = []
    for a, b in product(range(31), range(36)):
        cost = 4.0 * a + 4.1 * b + 10.0 * max(40 - a - b, 0)
        if cost <= limit:
            good.append((a, b))
    near = NearOptimal(held, limit)
    for offer in (0, 1):
        least, most = near.extremes(held.program.columns["orders"].index[offer], np.ones(1))
        counts = [plan[offer] for plan in good]
        assert least - 1e-9 <= min(counts) <= least + 1.0
        assert most - 1.0 <= max(counts) <= most + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_near_best_against_linopy(seed: int) -> None:
    """With no weight on the tail, some, and all of it."""
    problem = random_problem(seed)
    held = HeldPlan(problem)
    limit = held.objective_usd + 0.02 * abs(held.objective_usd)
    near = NearOptimal(held, limit)
    index = held.program.columns["orders"].index
    for offers, quarters in (([0], 7), ([1, 2], 3)):
        there = (index[offers] >= 0) & (problem.tree.quarter < quarters)
        weight = np.broadcast_to(problem.tree.probability, index[offers].shape)[there]
        ends = near.extremes(index[offers][there], weight)
        assert ends == pytest.approx(oracle_range(problem, limit, offers, quarters), rel=1e-5, abs=1e-3)


def test_near_best_of_a_case_holds_the_plan_and_its_kinds(best: SolvedWay, prepared: Prepared) -> None:
    ranges = near_best(prepared.case, best.plan)
    assert {item.line for item in ranges} == {line.name for line in best.plan.commitment.lines}
    assert [item.window for item in ranges[:2]] == ["2023Q4 to 2024Q3", "2023Q4 to 2031Q3"]
    for item in ranges:
        assert 0.0 <= item.least <= item.chosen <= item.most
        assert item.kind == ("shut" if item.most <= 1.0 else "forced" if item.least > 1.0 else "free")
    # a line that is forced over the first year costs more than 2 % when it is closed for it
    forced = next(item for item in ranges if item.kind == "forced")
    quarters = 4 if item.window.endswith("2024Q3") else 32
    affected = np.array([offer.pool.line == forced.line for offer in best.plan.offers])
    early = best.plan.problem.tree.quarter < quarters
    without = replace(best.plan.problem, available=best.plan.problem.available & ~(affected[:, None] & early))
    assert solve(without).objective_usd > (1.0 + WITHIN) * best.result.objective_usd


def value_of(name: str, usd: float, error: float = 0.0) -> ProgrammeValue:
    return ProgrammeValue(name=name, route="build", value_usd=usd, error_usd=error, pays_probability=0.5,
                          volume_quarter="2027Q1", volume_probability=0.6)


def test_a_start_is_free_shut_or_forced_by_what_it_is_worth(prepared: Prepared) -> None:
    worth = {"own-build": -1.0, "acquisition": -3.0, "co-design": 1.0, "backer": 3.0}
    values = [value_of(name, usd) for name, usd in worth.items()]
    kinds = [item.kind for item in near_best_starts(prepared.case, values, {"co-design", "backer"}, 100.0)]
    assert kinds == ["free", "shut", "free", "forced"]


# leverage


@pytest.fixture(scope="module")
def terms(few: World, best: SolvedWay) -> tuple[list[ProgrammeValue], object]:
    values = [value_of("backer", -0.03e9, 0.01e9), value_of("co-design", -0.9e9), value_of("own-build", 0.1e9),
              value_of("acquisition", -1e12)]
    return values, leverage(few, best, few, values)


def at_prices(few: World, lines: Commitment, factor: float, field: str = "price") -> float:
    """Objective with the dominant vendor's prices, or allotments, times a factor in the case itself."""
    numbers = few.case.numbers.lines
    spreads = {getattr(numbers[line.name], field).name: getattr(numbers[line.name], field).spread
               for line in few.case.lines if line.vendor == few.case.dominant_vendor}
    changes = {name: Range(*(factor * end for end in (spread.low, spread.mode, spread.high)), spread.scale)
               for name, spread in spreads.items()}
    return solve(plan_of(world_with_ranges(few, changes), lines).problem).objective_usd


def test_concessions_are_worth_what_cheaper_lines_save(
    terms: tuple, few: World, lines: Commitment, best: SolvedWay
) -> None:
    _, asked = terms
    assert [share for share, _ in asked.prices] == list(PRICES)
    for share, usd in asked.prices:
        assert usd == pytest.approx(best.result.objective_usd - at_prices(few, lines, 1.0 - share), rel=1e-5)
    for share, usd in asked.allotments:
        saved = best.result.objective_usd - at_prices(few, lines, 1.0 + share, "allotment")
        assert usd == pytest.approx(saved, rel=1e-4)


def test_at_its_break_even_a_lever_pays_for_itself(
    terms: tuple, few: World, lines: Commitment, best: SolvedWay
) -> None:
    values, asked = terms
    levers = {lever.name: lever for lever in asked.levers}
    for value in values[:2]:
        share = levers[value.name].break_even
        saved = best.result.objective_usd - at_prices(few, lines, 1.0 - share)
        assert saved == pytest.approx(-value.value_usd, rel=1e-4)
    assert levers["backer"].break_even_error == pytest.approx(levers["backer"].break_even / 3.0, rel=0.01)
    assert levers["own-build"].break_even == 0.0
    assert levers["acquisition"].break_even is None
    assert levers["acquisition"].pays_probability == 0.0
    assert levers["AMD"].break_even == 0.0
    port = few.scenarios.values.lines["google-rented"].port
    assert port is not None
    assert levers["Google"].cost_usd > 0.0
    order = [lever.break_even if lever.break_even is not None else MOST for lever in asked.levers]
    assert order == sorted(order)


def test_what_a_concession_is_assumed_to_be_stands_in_the_words(terms: tuple, prepared: Prepared) -> None:
    _, asked = terms
    spread = prepared.case.numbers.supply.concession.spread
    assert asked.concession == (spread.low, spread.mode, spread.high)
    assert spread.low == 0.0
    backer = next(lever for lever in asked.levers if lever.name == "backer")
    assert "pays if it wins" in backer.text
    assert f"a concession of 0% to {spread.high:.0%} was assumed" in backer.text
    assert backer.pays_probability == exceeding(spread, backer.break_even)


def test_without_a_stated_concession_the_break_even_stands_alone(few: World, best: SolvedWay) -> None:
    numbers = replace(few.case.numbers, supply=replace(few.case.numbers.supply, concession=None))
    world = replace(few, case=replace(few.case, numbers=numbers))
    asked = leverage(world, best, world, [value_of("backer", -0.03e9)])
    lever = next(lever for lever in asked.levers if lever.name == "backer")
    assert (asked.concession, lever.pays_probability) == (None, None)
    assert lever.break_even is not None
    assert lever.text.endswith("what it would win was not stated")


def test_no_plan_counts_on_the_concession(few: World, lines: Commitment, best: SolvedWay) -> None:
    other = world_with_ranges(few, {"supply.concession": Range(0.2, 0.3, 0.4)})
    assert solve(plan_of(other, lines).problem).objective_usd == best.result.objective_usd


@pytest.mark.parametrize("spread", [
    Range(0.0, 0.02, 0.1), Range(0.01, 0.02, 0.3, "log"), Range(0.0, 0.0, 1.0), Range(0.0, 1.0, 1.0)])
def test_exceeding_turns_the_quantile_back(spread: Range) -> None:
    for chance in (0.001, 0.2, 0.5, 0.93):
        assert exceeding(spread, float(quantile(spread, 1.0 - chance))) == pytest.approx(chance, abs=1e-9)
    assert exceeding(spread, spread.low) == 1.0
    assert exceeding(spread, spread.high + 1e-9) == 0.0


# contracts


DEAL = """contracts:
  deal-0: {line: nvidia-owned, kind: take-or-pay, tenor: 2 year, lead: 13 week, volume: {value: 5000},
    price: {value: 15000}, firm_share: {value: 0.8}}
"""


@pytest.fixture(scope="module")
def dealt() -> tuple[World, SolvedWay]:
    """Two lines and a cheap contract of one, on two scenarios."""
    text = reference_text()
    case = parse_case(text[:text.index("# Contracts on offer")] + DEAL, "case.yaml", DATA)
    lines = tuple(line for line in case.lines if line.name in ("nvidia-owned", "azure-rented"))
    case = replace(case, lines=lines, programmes=(), branching=(2, 1, 1, 1, 1, 1))
    world = draw_world(prepare(case, load(case.as_of)))
    return world, solved_plan(world, "buy", plan_of(world, Commitment(lines, ())))


def test_a_contract_has_a_price_a_range_and_a_cost_of_delay(dealt: tuple[World, SolvedWay]) -> None:
    world, way = dealt
    problem, base = way.plan.problem, way.result.objective_usd
    prices = [price for price in shadow_prices(world.case, way.plan) if price.unit == "chip a quarter"]
    signed = max(prices, key=lambda price: price.value_usd)
    (deal,) = problem.agreements
    more = replace(deal, level_cap=deal.level_cap + 1.0)
    saved = base - solve(replace(problem, agreements=(more,))).objective_usd
    assert saved / problem.discount[0] == pytest.approx(signed.value_usd, rel=1e-3)
    assert signed.value_usd > 0.0
    assert signed.text.startswith("One more chip a quarter under the take-or-pay contract")
    ranges = [item for item in near_best(world.case, way.plan) if item.line == "deal-0"]
    assert [item.unit for item in ranges] == ["chip a quarter"] * 2
    assert ranges[0].chosen == pytest.approx(way.result.levels[0] @ problem.tree.probability)
    signing = [action for action in actions_of(way, world.prepared) if action.kind == "signing"]
    assert signing
    (asked,) = with_delay_costs(signing, world, way)
    unsigned = solve(replace(problem, agreements=(replace(deal, sign=deal.sign & (problem.tree.quarter > 0)),)))
    error = error_over_branches(unsigned.path_cost_usd, way.result.path_cost_usd, 2)
    rise = unsigned.objective_usd - base
    assert asked.delay_cost_usd == pytest.approx(rise if rise > SURE * error else 0.0, rel=1e-6)
    assert asked.delay_error_usd == pytest.approx(error, rel=1e-3)


def test_a_concession_leaves_contracts_as_they_are(dealt: tuple[World, SolvedWay]) -> None:
    world, way = dealt
    lower = concession(world, way.plan, "Nvidia").at(0.1)
    for name, usual, less in zip(way.plan.problem.offers, way.plan.problem.payment_usd, lower.payment_usd, strict=True):
        if name in ("existing", "deal-0"):
            np.testing.assert_array_equal(usual, less)
        else:
            assert np.all(less <= usual)
            assert less.sum() < usual.sum() or name == "azure-rented"


# on the screen, on the page, in JSON


def screen(chosen: Decision, width: int = 120) -> str:
    buffer = io.StringIO()
    print_decision(chosen, Console(file=buffer, width=width))
    return " ".join(buffer.getvalue().split())


def test_the_screen_says_what_a_negotiator_needs() -> None:
    text = screen(decision())
    for words in (
        "What a negotiator needs", "One more H100 from Nvidia in 2024Q2 is worth up to",
        "One more dollar of cash for orders in 2024Q2 is worth up to", "a quarter later costs $41.0M",
        "forced in the first year, within 2% of the best: H100, bought from Nvidia",
        "Nvidia's prices 10% lower save $1.90B, allotments 25% larger $330M",
        "Starting the co-designed chip now pays if it wins 1.9%",
    ):
        assert words in text, words


def test_what_was_not_asked_is_not_said_to_be_nothing() -> None:
    asked = decision()
    bare = replace(asked, shadow_prices=None, near_best=None, leverage=None, strategies=tuple(
        replace(way, actions=tuple(replace(action, delay_cost_usd=None) for action in way.actions))
        for way in asked.strategies))
    text = screen(bare)
    assert "negotiator" not in text
    assert "a quarter later" not in text
    page = as_html(bare)
    assert page.count("Not asked at this level of detail, but for the cost of delay") == 1
    assert "No limit holds" not in page
    no_limits = screen(replace(asked, shadow_prices=()))
    assert "No limit of the next three years binds" in no_limits


def test_the_page_has_tables_and_a_chart_of_what_is_forced() -> None:
    chosen = decision()
    page = as_html(chosen)
    assert 'id="negotiator"' in page
    assert page.count("no cost that can be told") == 1
    assert "Least and most of each line among near-best plans" in page
    assert "What concessions of Nvidia would save" in page
    assert "prices 20% lower" in page
    assert chosen.leverage is not None
    assert all(str(escape(lever.text)) in page for lever in chosen.leverage.levers)
    table = shadow_table(chosen.shadow_prices)
    assert table is not None
    assert table.quarters == ("2024Q1", "2024Q2")
    assert [(title, unit, [price is None for price in prices]) for title, unit, prices in table.rows] == [
        ("H100, bought from Nvidia", "chip", [False, False]), ("Cash", "USD", [True, False])]


def test_the_chart_holds_every_line_and_both_windows() -> None:
    ranges = windows(decision().near_best)
    picture = as_svg(near_best_ranges(ranges, WIDE), "")
    for item in (item for items in ranges.values() for item in items if item.unit == "chip"):
        assert item.title in picture
        assert f"{count(item.least)}–{count(item.most)}" in picture
    assert "Own chip" not in picture
    assert all(window in picture for window in list(ranges)[:2])


def test_json_has_the_names_that_others_build_on() -> None:
    fields = json.loads(as_json(decision()))
    assert {"shadow_prices", "near_best", "leverage"} <= set(fields)
    assert fields["strategies"][-1]["actions"][0]["delay_cost_usd"] == 41e6
    assert fields["shadow_prices"][1]["value_usd"] == 41e3
    assert fields["near_best"][0]["kind"] == "forced"
    assert fields["leverage"]["prices"][0] == {"share": 0.05, "saved_usd": 0.9e9}
    assert fields["leverage"]["levers"][0]["break_even"] == 0.019


# together


def test_the_level_of_detail_says_what_is_asked(few: World, best: SolvedWay, prepared: Prepared) -> None:
    actions = actions_of(best, prepared)
    quick = negotiation(few, best, actions, [], DETAILS["quick"], Here())
    nothing = quick.answered()
    assert (nothing.shadow_prices, nothing.near_best, nothing.leverage) == (None, None, None)
    assert all(action.delay_cost_usd is not None for action in quick.first_actions())
    assert all(action.delay_cost_usd is None for action in actions)
    asked = negotiation(few, best, actions, [], replace(DETAILS["standard"], small=(2, 1, 1, 1)), Here()).answered()
    assert asked.shadow_prices
    assert asked.near_best
    assert asked.leverage is not None
    assert asked.leverage.leaves == 2
    json.dumps(asdict(asked))


def test_the_small_plan_follows_the_gates_of_the_way(few: World, lines: Commitment, prepared: Prepared) -> None:
    """A programme carried through on one tree is carried through on another."""
    backer = next(item for item in prepared.case.programmes if item.route == "partner")
    plan = plan_of(few, replace(lines, programmes=(backer,)))
    way = solved_plan(few, "partner", plan)
    going = np.ones(way.policy.go.shape, dtype=bool)
    way = replace(way, policy=replace(way.policy, go=going))
    small = draw_world(prepared, branching=(2, 1, 1, 1, 1, 1))
    through = decided(plan_of(small, way.plan.commitment), np.ones((1, small.scenarios.tree.size), dtype=bool))
    expected = solve(through.problem).objective_usd
    assert solve(plan_on(small, way).problem).objective_usd == pytest.approx(expected)


def test_a_case_may_leave_the_concession_out() -> None:
    case = parse_case(MINIMAL, "case.yaml", DATA)
    assert case.numbers.supply.concession is None
