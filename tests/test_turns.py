"""What tells two ways apart and where it turns, against lines whose zero is known in closed form;
what other draws say; and that nothing found never stands for not asked."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from case_fixture import MINIMAL, edited
from decision_fixture import decision
from fabless import wording
from fabless.catalogue import load
from fabless.catalogue.case.case import parse_case
from fabless.decide import Questions, Turns, compare_ways, decide
from fabless.decide.actions import actions_of
from fabless.decide.answer import UNCHECKED
from fabless.decide.detail import DETAILS
from fabless.decide.questions import turns
from fabless.decide.questions.plan_errors import share_of
from fabless.decide.questions.stability import stability, tree_differences
from fabless.decide.questions.turns import slope, telling, tree_crossing, turns_of
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import World, draw_world, plan_of
from fabless.decide.ways.solved import solved_plan
from fabless.errors import BadValue, UnknownName
from fabless.plan import trunk
from fabless.records import Array, Range
from fabless.report.money import leads
from fabless.report.terminal import print_decision
from fabless.report.turns import NOT_ASKED, change_words
from fabless.report.two_ways import print_two_ways, two_ways_sentence
from fabless.strategy import Commitment
from here import Here

WIDE = edited(
    MINIMAL,
    ("{low: 1.0e+6, mode: 2.0e+6, high: 4.0e+6", "{low: 5.0e+7, mode: 1.0e+8, high: 2.0e+8"),
    ("ceiling: {value: 1.0e+9}", "ceiling: {value: 1.0e+10}"),
    ("work_trend: {value: 1}", "work_trend: {low: 0.5, mode: 1, high: 2, scale: log}"),
    ("load_factor: {value: 0.5}", "load_factor: {low: 0.3, mode: 0.5, high: 0.7}"),
    ("price: {value: 30000}", "price: {low: 20000, mode: 30000, high: 40000}")) + """\
  amd:
    like: h100
    vendor: AMD
    ways: [diversify]
    port: {value: 1.0e+5}
    efficiency: {low: 0.2, mode: 0.5, high: 0.8}
"""
PATHS = 60
ZERO = 0.55
"""Efficiency at which the two ways of the toy cost the same."""


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = parse_case(WIDE, "wide.yaml", Path("."))
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def small(prepared: Prepared) -> World:
    return draw_world(prepared, branching=(2,))


def drawn(seed: int, low: float, high: float) -> Array:
    return np.random.default_rng(seed).uniform(low, high, PATHS)


def toy(noise: float, *, zero: float = ZERO) -> SimpleNamespace:
    """Two ways whose difference is a straight line in the second vendor's efficiency, on any path
    but for noise; another input moves both alike."""
    values = {"lines.amd.efficiency": drawn(1, 0.2, 0.8), "demand.load_factor": drawn(2, 0.3, 0.7)}
    base = 1e9 * (1.0 + 5.0 * values["demand.load_factor"])
    apart = 1e8 * (values["lines.amd.efficiency"] - zero)
    apart = apart + noise * 1e8 * np.random.default_rng(3).normal(size=PATHS)
    cost = {"buy": base + apart, "diversify": base}
    return SimpleNamespace(
        ways={name: SimpleNamespace(cost_usd=cost[name], values=values) for name in cost},
        total_usd=cost, best="diversify")


def entered(world: World) -> dict[str, Commitment]:
    lines = world.case.lines
    return {"buy": Commitment(lines[:1], ()), "diversify": Commitment(lines, ())}


def asked(judged: SimpleNamespace, world: World) -> Turns:
    answer, = turns_of(judged, world, entered(world), pairs=[("buy", "diversify")], executor=Here())
    return answer


def tree_says(zero: float):  # type: ignore[no-untyped-def]
    """Objective on a tree on which buying is dearer by a line in the efficiency."""
    def objective(job: turns._Solve) -> float:
        alone = len(job.commitment.lines) == 1
        return 1e9 + (1e8 * (job.value - zero) if alone and job.name == "lines.amd.efficiency" else 0.0)
    return objective


def test_the_turn_of_a_line_is_its_zero(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_objective", tree_says(0.6))
    answer = asked(toy(0.0), small)
    assert answer.tried == 2
    turn, = answer.telling
    assert turn.value == pytest.approx(ZERO)
    assert turn.between == pytest.approx((ZERO, ZERO))
    assert turn.tree_value == pytest.approx(0.6)
    assert (turn.inside, turn.checked) == (True, "confirmed")
    assert (turn.cheaper_below, turn.cheaper_above) == ("buy", "diversify")
    assert turn.effect_usd == pytest.approx(0.6e8)
    assert answer.turning == (turn,)
    assert "under 0.55: buy is cheaper (confirmed on a small tree, there 0.6)" in answer.text


def test_two_errors_of_a_noisy_turn_hold_the_true_one(small: World) -> None:
    values = np.random.default_rng(5).uniform(0.2, 0.8, (200, PATHS))
    noise = np.random.default_rng(6).normal(size=(200, PATHS))
    fits = [slope(x - ZERO + 0.15 * e, x, Range(0.2, 0.5, 0.8))
            for x, e in zip(values, noise, strict=True)]
    held = np.mean([fit.between[0] <= ZERO <= fit.between[1] for fit in fits if fit.between])
    assert stats.binomtest(round(held * 200), 200, 0.955).pvalue > 1e-3


def test_a_turn_the_tree_does_not_confirm_is_none(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_objective", tree_says(0.05))
    answer = asked(toy(0.0), small)
    assert answer.telling[0].checked == "not confirmed"
    assert answer.turning == ()
    assert "none of the 2 inputs tried" in answer.text


def test_a_zero_outside_the_range_falls_back_to_the_tree(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_objective", tree_says(0.5))
    turn, = asked(toy(0.0, zero=0.9), small).telling
    assert (turn.checked, turn.inside, turn.between) == ("tree", True, None)
    assert turn.value == pytest.approx(0.5)
    monkeypatch.setattr(turns, "_objective", tree_says(0.95))
    beyond = asked(toy(0.0, zero=0.9), small)
    assert not beyond.telling[0].inside
    assert beyond.telling[0].value == pytest.approx(0.9)
    assert "outside its range of 0.2 to 0.8" in beyond.telling[0].text
    assert beyond.turning == ()


def test_a_zero_on_a_logarithmic_range() -> None:
    x = np.geomspace(0.1, 10.0, 31)
    fit = slope(3.0 * np.log(x / 2.0), x, Range(0.1, 1.0, 10.0, "log"))
    assert fit.at_zero == pytest.approx(2.0)
    assert fit.rise == pytest.approx(3.0 * np.log(100.0))


def test_a_crossing_in_the_wrong_direction_is_none() -> None:
    line = [(0.0, 2.0), (1.0, 1.0), (2.0, -1.0)]
    assert tree_crossing(line, rising=False) == pytest.approx(1.5)
    assert tree_crossing(line, rising=True) is None


def test_of_many_inputs_without_effect_few_are_named() -> None:
    """Where nothing has an effect, the odds that anything is named are at most a tenth."""
    rng = np.random.default_rng(11)
    named = sum(
        bool(telling(rng.standard_t(3, 50), {str(k): rng.uniform(size=50) for k in range(60)}))
        for _ in range(100))
    assert stats.binomtest(named, 100, turns.FALSE_SHARE, "greater").pvalue > 1e-3


def test_an_effect_is_found_among_a_hundred() -> None:
    rng = np.random.default_rng(12)
    values = {str(k): rng.uniform(size=100) for k in range(100)}
    apart = values["7"] - 0.4 + 0.3 * rng.standard_t(3, 100)
    assert telling(apart, values)[0].name == "7"


def test_ways_that_differ_by_a_sum_have_no_input_to_try(small: World) -> None:
    judged = toy(0.0)
    judged.total_usd = {**judged.total_usd, "buy": judged.total_usd["diversify"] + 5e7}
    judged.ways["buy"].cost_usd = judged.total_usd["buy"]
    answer = asked(judged, small)
    assert (answer.tried, answer.telling) == (0, ())
    assert "no input bears on it" in answer.text


def test_inputs_of_lines_that_neither_way_opens_are_not_tried(small: World) -> None:
    alone = {"buy": entered(small)["buy"], "diversify": entered(small)["buy"]}
    answer, = turns_of(toy(0.0), small, alone, pairs=[("buy", "diversify")], executor=Here())
    assert answer.tried == 1


def test_both_ways_are_solved_again_at_each_point(prepared: Prepared, small: World) -> None:
    """On the real tree a second vendor whose software does nothing leaves buying no dearer."""
    answer = asked(toy(0.0), small)
    turn, = answer.telling
    ends = [turns._objective(turns._Solve(small, entered(small)[way], turn.name, value))
            for way in ("buy", "diversify") for value in (0.2, 0.8)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-9), "buying alone does not feel it"
    assert ends[2] > ends[3], "better software of a second vendor helps who uses it"


def test_not_asked_and_nothing_found_are_told_apart() -> None:
    chosen = decision()
    silent = replace(chosen, questions=Questions())
    assert change_words(silent) == NOT_ASKED
    pair = Turns(way="buy", other="portfolio", tried=7, telling=(), text="none of the 7 inputs tried")
    none = replace(chosen, questions=Questions(turns=(pair,)))
    assert change_words(none) == "None of the 7 inputs tried turns it within its range."
    page = io.StringIO()
    print_decision(none, Console(width=120, file=page))
    assert "What must be true for another way to be cheaper" in page.getvalue()


def test_quick_says_that_nothing_was_asked_and_first_orders_were_not_checked() -> None:
    quick = decide(parse_case(WIDE, "wide.yaml", Path(".")), detail="quick", executor=Here())
    assert quick.questions == Questions()
    assert UNCHECKED in quick.warnings
    assert change_words(quick) == NOT_ASKED


def test_quick_never_recommends_against_what_it_says_saves(prepared: Prepared) -> None:
    for seed in range(3):
        case = replace(parse_case(WIDE, "wide.yaml", Path(".")), seed=seed)
        quick = decide(case, detail="quick", executor=Here())
        for way in quick.strategies:
            assert way.regret_usd >= -2.0 * way.regret_error_usd - 1e-6 * way.total_usd
            if leads(quick):
                assert way.regret_usd >= 0.0


def test_a_lead_within_two_errors_is_not_called_best() -> None:
    chosen = decision()
    best = chosen.recommended
    apart = tuple(replace(way, regret_usd=0.0 if way.name == best else 3e8, regret_error_usd=1e8)
                  for way in chosen.strategies)
    assert leads(replace(chosen, strategies=apart))
    close = tuple(way if way.name != "buy" else replace(way, regret_usd=1.9e8) for way in apart)
    tied = replace(chosen, strategies=close)
    assert not leads(tied)
    words = [wording.verdict(way.regret_usd, way.regret_error_usd, first=way.name == best,
                             tied=way.name == best and not leads(tied)) for way in close]
    assert "best" not in words
    page = io.StringIO()
    print_decision(tied, Console(width=200, file=page))
    assert "first, tied" in page.getvalue()


def test_first_orders_and_differences_of_other_draws(prepared: Prepared) -> None:
    world = draw_world(prepared)
    commitment = entered(world)["buy"]
    best = solved_plan(world, "buy", plan_of(world, commitment))
    actions = actions_of(best, prepared)
    again = stability(prepared, (2,), [("buy", commitment), ("diversify", entered(world)["diversify"])],
                      "buy", 3, Here(), actions)
    orders = [action for action in actions if action.kind == "order"]
    assert [item.about for item in again.first_orders] == [action.about for action in orders]
    assert orders, "the case orders at once"
    for order in again.first_orders:
        amounts = []
        for seed in again.seeds:
            other = draw_world(replace(prepared, case=replace(prepared.case, seed=seed)), branching=(2,))
            plan = solved_plan(other, "buy", plan_of(other, commitment))
            tree = plan.plan.problem.tree
            node, = (k for k in trunk(tree)
                     if str(prepared.case.first_quarter + int(tree.quarter[k])) == order.quarter)
            row = [offer.name for offer in plan.plan.offers].index(order.about)
            amounts.append(float(plan.result.orders[row, node]))
        taken = [amount for amount in amounts if amount >= 1.0]
        assert (order.seeds, order.of) == (len(taken), 3)
        assert (order.low, order.high) == pytest.approx((min(taken), max(taken)) if taken else (0, 0))
    assert [item.way for item in again.differences] == ["diversify"]
    assert prepared.case.seed not in again.seeds


def test_differences_over_trees_by_hand() -> None:
    trees = [{"a": 10.0, "b": 11.0}, {"a": 10.0, "b": 9.0}, {"a": 5.0, "b": 8.0}]
    difference, = tree_differences(trees, "a")
    assert difference.difference_usd == pytest.approx(1.0)
    assert difference.error_usd == pytest.approx(2.0 / np.sqrt(3.0))
    assert difference.is_tie


def test_a_share_is_never_certain() -> None:
    assert 0.0 < share_of(0, 11) < 0.05
    assert share_of(5, 10) == pytest.approx(0.5)
    assert share_of(11, 11) == pytest.approx(1.0 - share_of(0, 11))


def test_two_ways_are_set_against_each_other() -> None:
    case = parse_case(WIDE, "wide.yaml", Path("."))
    detail = replace(DETAILS["quick"], small=(2,), paths=12)
    pair = compare_ways(case, "buy", "diversify", detail=detail, executor=Here())
    whole = decide(case, detail=replace(DETAILS["quick"], paths=12), executor=Here())
    same = next(item for item in whole.pairs if {item.way, item.other} == {"buy", "diversify"})
    sign = 1.0 if same.way == "buy" else -1.0
    assert pair.against.difference_usd == pytest.approx(sign * same.difference_usd)
    assert pair.against.error_usd == pytest.approx(same.error_usd)
    parts = pair.against.cash_usd + pair.against.unserved_usd + pair.against.risk_usd
    assert parts == pytest.approx(pair.against.difference_usd)
    assert pair.turns is not None
    assert pair.turns.other == pair.cheaper
    page = io.StringIO()
    print_two_ways(pair, Console(width=80, file=page))
    assert two_ways_sentence(pair) in " ".join(page.getvalue().split())
    assert len(page.getvalue().splitlines()) <= 40
    quick = compare_ways(case, "diversify", "buy", detail="quick", executor=Here())
    assert quick.turns is None
    page = io.StringIO()
    print_two_ways(quick, Console(width=80, file=page))
    assert "not asked at this level of detail" in page.getvalue()


def test_unknown_ways_are_refused_with_the_allowed_names() -> None:
    case = parse_case(WIDE, "wide.yaml", Path("."))
    with pytest.raises(UnknownName, match="buy, diversify"):
        compare_ways(case, "buy", "diversfy", detail="quick", executor=Here())
    with pytest.raises(BadValue, match="the same way"):
        compare_ways(case, "buy", "buy", detail="quick", executor=Here())
