"""Bought chips sold before the end of their life: from the case to the answer."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from case_fixture import MINIMAL, edited
from fabless.case_records import Case
from fabless.catalogue import load, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.decide import Decision, Resale, decide
from fabless.decide.detail import DETAILS
from fabless.decide.fresh.judge import perfect_information
from fabless.decide.fresh.on_paths import WayOnPaths, joined
from fabless.decide.fresh.planned import blocks_of, carried_out, safety_margin, tried
from fabless.decide.fresh.run import fresh_test
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import Plan, World, draw_world, plan_of
from fabless.decide.ways.solved import SolvedWay, solved_plan
from fabless.errors import BadValue
from fabless.plan import PlanProblem, newly_retired, solve, solve_large
from fabless.plan.problem.costs import risk_adjusted
from fabless.report import as_json, print_decision
from fabless.report.page.file import as_html
from fabless.scenario import chain_tree
from fabless.strategy import Commitment
from here import Here

SOON = ("lead_scarce: {value: 40}", "lead_scarce: {value: 13}")
FALLING = (
    SOON,
    ("growth: {low: 1.1, mode: 1.5, high: 2}", "growth: {low: 0.1, mode: 0.5, high: 2}"),
    (
        "queries: {low: 1.0e+6, mode: 2.0e+6, high: 4.0e+6",
        "queries: {low: 5.0e+7, mode: 2.0e+8, high: 4.0e+8",
    ),
    ("ceiling: {value: 1.0e+9}", "ceiling: {value: 1.0e+11}"),
)
"""Demand of some thousand chips that may halve or double."""
CERTAIN = ("branching: [2]", "branching: [1]")
UNSURE = "{low: 0.4, mode: 0.6, high: 0.8}"
STEADY = (
    ("price_decline: {value: 0.1}", "price_decline: {value: 0}"),
    ("scarce_price: {value: 1.2}", "scarce_price: {value: 1}"),
    ("allotment: {value: 1000}", "allotment: {value: 1.0e+9}"),
)
DEAL = """\
contracts:
  deal: {line: h100, kind: purchase, tenor: 1 year, volume: {value: 500}, price: {value: 15000}}
"""


def case_of(resale: str = "", *edits: tuple[str, str]) -> Case:
    """The smallest case, with `resale` stated so."""
    upkeep = "upkeep: {value: 0.05}\n"
    line = f"  resale: {resale}\n" if resale else ""
    stated = edited(MINIMAL, *edits, (upkeep, upkeep + line))
    return parse_case(stated, "case.yaml", Path("."))


@cache
def world_of(resale: str = "", *edits: tuple[str, str]) -> World:
    case = case_of(resale, *edits)
    return draw_world(prepare(case, load(case.as_of)))


@cache
def solved_of(resale: str = "", *edits: tuple[str, str]) -> SolvedWay:
    world = world_of(resale, *edits)
    return solved_plan(world, "buy", bought(world))


def bought(world: World) -> Plan:
    return plan_of(world, Commitment(world.case.lines, ()))


@cache
def decision() -> Decision:
    detail = replace(DETAILS["quick"], paths=50, branching=None, small=())
    return decide(case_of(UNSURE, *FALLING), detail=detail, executor=Here())


def test_a_chip_that_falls_idle_is_sold_by_hand() -> None:
    world = world_of("{value: 0.6}", CERTAIN, SOON, *STEADY[1:])
    plan = bought(world)
    usual = plan.problem
    h100 = usual.offers.index("h100")
    demand = np.zeros_like(usual.demand)
    demand[0, 1] = usual.demand[0, 1]
    problem = replace(
        usual, demand=demand, existing=np.array(0.0), existing_capital_usd=np.array(0.0),
        cvar_weight=0.0)
    result = solve(problem)
    chips = demand[0, 1] / usual.rate[h100, 0, 1]
    annuity, running, discount = usual.capital_usd[h100], usual.running_usd[h100], usual.discount
    by_hand = discount[1] * (annuity[0] + running[1])
    by_hand += sum(discount[q] * (annuity[0] - 0.6 * annuity[q]) for q in range(2, 8))
    assert usual.lead_quarters[h100, 0] == 1
    assert np.all(np.diff(annuity) < 0)
    assert result.objective_usd == pytest.approx(chips * by_hand, rel=1e-9)
    assert newly_retired(problem, result.orders, result.retired)[h100] == pytest.approx(
        [0.0, 0.0, chips, *[0.0] * 5], rel=1e-9, abs=1e-6)


def test_chips_that_retire_are_counted_once_each() -> None:
    problem = PlanProblem(
        tree=chain_tree(5), offers=("chip",), loads=("queries",), lead_quarters=np.array(0),
        term_quarters=np.array(3), available=np.array(True), cap=np.array(np.inf),
        capital_usd=np.array(3.0), running_usd=np.array(1.0), rate=np.array(1.0),
        demand=np.array([[10.0, 5.0, 0.0, 0.0, 0.0]]), unmet_usd=np.array(70.0),
        discount=np.array(1.0), retire=np.array(True), resale_usd=np.array(0.1))
    orders = np.array([[10.0, 5.0, 0.0, 0.0, 0.0]])
    retired = np.array([[0.0, 10.0, 15.0, 5.0, 0.0]])
    assert newly_retired(problem, orders, retired).tolist() == [[0.0, 10.0, 5.0, 0.0, 0.0]]


def test_a_higher_resale_is_never_dearer_and_one_of_nothing_still_saves_running_cost() -> None:
    shares = ["", "{value: 0}", "{value: 0.25}", "{value: 0.5}", "{value: 0.75}", "{value: 1}"]
    costs = [solved_of(share, *FALLING).result.objective_usd for share in shares]
    assert all(more < less for less, more in pairwise(costs))
    scrapped = solved_of("{value: 0}", *FALLING)
    assert scrapped.result.retired.sum() > 1.0
    assert not scrapped.result.costs.resale_usd.any()


def test_at_a_full_resale_and_a_steady_price_a_chip_costs_the_quarters_it_is_kept() -> None:
    usual = solved_of("{value: 1}", CERTAIN, *FALLING, *STEADY)
    problem = replace(
        usual.plan.problem, retire=np.array(False), resale_usd=np.array(0.0),
        term_quarters=np.array(1))
    assert usual.result.retired.sum() > 1.0
    assert usual.result.objective_usd == pytest.approx(solve(problem).objective_usd, rel=1e-9)


def test_parts_add_up_to_the_objective() -> None:
    solved = solved_of("{value: 0.5}", *FALLING)
    problem, result, paths = solved.plan.problem, solved.result, solved.paths
    assert result.costs.resale_usd.min() < -1.0
    table = problem.tree.ancestors()[problem.tree.leaves]
    unmet, fixed = result.costs.unmet_usd[table], problem.fixed_usd[table]
    assert paths.spend.sum(axis=0) + fixed == pytest.approx(paths.cost_usd, rel=1e-12)
    costs = (paths.cost_usd + unmet) @ paths.discount
    assert costs == pytest.approx(result.path_cost_usd, rel=1e-9)
    objective, _, _ = risk_adjusted(problem, costs, paths.probability)
    assert objective == pytest.approx(result.objective_usd, rel=1e-9)
    queries, all_of_it = paths.query_cost_usd @ paths.discount, paths.cost_usd @ paths.discount
    assert queries == pytest.approx(all_of_it, rel=1e-9)


def test_a_chip_of_a_contract_brings_what_the_line_s_chip_brings() -> None:
    world = world_of("{value: 0.5}", ("lines:\n", DEAL + "lines:\n"))
    problem = bought(world).problem
    line, deal = problem.offers.index("h100"), next(
        k for k, name in enumerate(problem.offers) if name.startswith("deal"))
    assert problem.retire[[line, deal]].all()
    assert np.array_equal(problem.resale_usd[deal], 0.5 * problem.capital_usd[line])
    assert not np.allclose(problem.resale_usd[deal], 0.5 * problem.capital_usd[deal])


def test_neither_rented_chips_nor_those_of_a_programme_are_sold() -> None:
    text = edited(reference_text(), ("owning:\n", "owning:\n  resale: {value: 0.5}\n"))
    case = parse_case(text, "case.yaml", Path("."))
    world = draw_world(prepare(replace(case, branching=(1, 1, 1, 1, 1, 1)), load(case.as_of)))
    plan = plan_of(world, Commitment(case.lines, case.programmes))
    lines = {line.name: line.how for line in case.lines}
    sold = [lines.get(offer.pool.line) == "buy" for offer in plan.offers]
    assert plan.problem.retire.tolist() == sold
    assert (plan.problem.resale_usd > 0).all(axis=1).tolist() == sold
    assert 0 < sum(sold) < len(sold)


def test_stating_a_resale_leaves_all_other_draws_and_a_case_without_it_as_they_were() -> None:
    plain, stated = world_of(), world_of("{low: 0.2, mode: 0.5, high: 0.9}")
    drawn = dict(stated.scenarios.draws.flat)
    assert np.ptp(drawn.pop("owning.resale")) > 0.0
    assert drawn.keys() == plain.scenarios.draws.flat.keys()
    usual = plain.scenarios.draws.flat
    assert all(np.array_equal(drawn[name], value) for name, value in usual.items())
    assert not bought(plain).problem.retire.any()


@pytest.mark.parametrize(
    "share", ["{value: 1.5}", "{value: -0.1}", "{low: 0.5, mode: 0.8, high: 1.2}"])
def test_a_share_outside_its_range_is_told(share: str) -> None:
    with pytest.raises(BadValue, match=r"(?s)owning\.resale.*0 or more, at most 1"):
        case_of(share)


def test_a_large_tree_sells_too() -> None:
    edits = (*FALLING, ("branching: [2]", "branching: [6]"))
    plan = bought(world_of("{value: 0.5}", *edits)).problem
    whole, parts = solve(plan), solve_large(plan, executor=Here(), gap=1e-9)
    assert parts.objective_usd == pytest.approx(whole.objective_usd, rel=1e-8)
    assert parts.costs.resale_usd.sum() < -1.0


def along(share: str) -> WayOnPaths:
    """The smallest way on twelve fresh paths, planned again each quarter, chips sold at a share."""
    prepared, solved = world_of(share, *FALLING).prepared, solved_of(share, *FALLING)
    margin = safety_margin(prepared, 5, paths=16)
    blocks = blocks_of(prepared, [tried(solved)], paths=12, seed=5, branches=1, margin=margin)
    return joined([carried_out(block)[0][0] for block in blocks])


def test_the_planner_sells_on_fresh_paths_and_saves_by_it() -> None:
    """The paths are the same: what is stated of resale leaves all other draws as they were."""
    kept, free = along(""), along("{value: 0.9}")
    assert np.array_equal(kept.wanted, free.wanted)
    assert np.array_equal(kept.scarce, free.scarce)
    falls = np.diff(free.chips[free.lines.index("h100")], axis=1)
    assert falls.min() < -1.0, "no chip bought on a path of eight quarters comes to the end of its life"
    assert np.diff(kept.chips[kept.lines.index("h100")], axis=1).min() >= -1e-6
    assert free.cost_usd.mean() < kept.cost_usd.mean()
    assert free.spend.sum() < kept.spend.sum()


def test_perfect_information_may_sell_and_no_planner_beats_it() -> None:
    kept, free = solved_of("", *FALLING), solved_of("{value: 0.9}", *FALLING)
    prepared = world_of("{value: 0.9}", *FALLING).prepared
    least = [perfect_information(of.prepared, way, paths=40, checked=20) for of, way in (
        (world_of("", *FALLING), kept), (world_of("{value: 0.9}", *FALLING), free))]
    assert (least[1] <= least[0] * (1.0 + 1e-9)).all()
    assert least[1].mean() < least[0].mean()
    gap = fresh_test(prepared, free, paths=40, checked=20).gap
    assert gap is not None
    assert gap.perfect_usd == pytest.approx(least[1].mean(), rel=1e-9)
    assert gap.mean_usd > 0.0


def test_the_answer_shows_sales_income_and_worth() -> None:
    answer = decision()
    assert isinstance(answer.resale, Resale)
    solved = solved_of(UNSURE, *FALLING)
    objective = solved.result.objective_usd
    assert answer.strategies[0].objective_usd == pytest.approx(objective, rel=1e-9)
    problem = solved.plan.problem
    discount = problem.discount[problem.tree.quarter]
    income = -(solved.result.costs.resale_usd * discount) @ problem.tree.probability
    assert answer.resale.income_usd == pytest.approx(income, rel=1e-9)
    kept = solved_of("", *FALLING).result.objective_usd
    assert answer.resale.worth_usd == pytest.approx(kept - objective, rel=1e-6)
    assert answer.resale.worth_usd > 0.0
    ordered = float((solved.result.orders @ problem.tree.probability).sum())
    sold = sum(chips for _, _, chips in answer.resale.sold_by_year)
    assert 1.0 <= sold <= ordered
    assert {line for _, line, _ in answer.resale.sold_by_year} == {"h100"}


def test_json_screen_and_page_hold_the_sales() -> None:
    answer = decision()
    assert answer.resale is not None
    given = json.loads(as_json(answer))["resale"]
    assert [tuple(row) for row in given["sold_by_year"]] == list(answer.resale.sold_by_year)
    assert given["income_usd"] == answer.resale.income_usd
    assert given["worth_usd"] == answer.resale.worth_usd
    screen = Console(file=io.StringIO(), width=80)
    print_decision(answer, screen)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "Resale, expected" in shown
    assert "all on the scenarios on which it was planned" in " ".join(shown.split())
    page = as_html(answer)
    assert page.count("Chips sold early") == 1
    assert "on fresh scenarios chips are sold wherever planning again finds that it pays" in page


def test_where_the_case_states_no_resale_nothing_is_shown() -> None:
    answer = replace(decision(), resale=None)
    assert json.loads(as_json(answer))["resale"] is None
    screen = Console(file=io.StringIO(), width=80)
    print_decision(answer, screen)
    assert "Resale" not in screen.file.getvalue()  # type: ignore[attr-defined]
    assert "sold early" not in as_html(answer)
