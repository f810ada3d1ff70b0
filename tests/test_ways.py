"""Ways of a case: which it offers, which lines each takes, and what its programme comes to."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from case_fixture import MINIMAL, edited
from fabless.case_numbers import stated
from fabless.case_records import PORTFOLIO, Case
from fabless.catalogue import load
from fabless.catalogue.case.case import parse_case, reference_text
from fabless.decide import Decision, decide
from fabless.decide.described import described_as
from fabless.decide.detail import DETAILS
from fabless.decide.programme_view import as_option
from fabless.decide.ways import choice as choice_module
from fabless.decide.ways.choice import Choice, LineSearch, choose, wanted_lines
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import Plan, World, draw_world, plan_of, world_with_ranges
from fabless.decide.ways.solved import SolvedWay, given_up, solved_under
from fabless.errors import BadValue, FablessError
from fabless.records import Range
from fabless.report import print_decision
from fabless.report.page.file import as_html
from fabless.strategy import Commitment, every_way, offered
from here import Here
from page_reader import Reader

SECOND = """\
  amd:
    like: h100
    vendor: AMD
    ways: [diversify]
    port: {value: 1.0e+5}
"""
RENTED = """\
  cloud:
    like: h100
    seller: Azure
    how: rent
    ways: [diversify, everything]
    price: {value: 4}
"""
OWN = """\
ways:
  rent-only: {how: rent, title: Rent everything}
  amd-only: {vendors: [AMD]}
  both: {lines: [h100, amd]}
"""


def read(text: str) -> Case:
    return parse_case(text, "my.yaml", Path("."))


def world_of(text: str) -> World:
    case = read(text)
    return draw_world(prepare(case, load(case.as_of)))


def objective(choice: Choice, name: str) -> float:
    return next(way for way in choice.ways if way.name == name).result.objective_usd


def opened(way: SolvedWay) -> set[str]:
    return {line.name for line in way.plan.commitment.lines}


def chosen(choice: Choice, name: str) -> SolvedWay:
    return next(way for way in choice.ways if way.name == name)


CHEAP_AMD = SECOND + "    price: {value: 15000}\n"
OWN_WAYS = edited(MINIMAL + CHEAP_AMD + RENTED + OWN, ("[diversify, everything]", "[diversify]"))


# what a case states


@pytest.fixture(scope="module")
def stated_case() -> Case:
    return read(OWN_WAYS)


def test_filters_of_an_own_way_hold_together(stated_case: Case) -> None:
    lines = {way.name: way.lines for way in stated_case.ways}
    assert lines == {"rent-only": ("cloud",), "amd-only": ("amd",), "both": ("h100", "amd")}
    none = read(edited(OWN_WAYS, ("rent-only: {how: rent, title: Rent everything}", "rest: {vendors: [nvidia], how: rent}"),
                       ("amd-only: {vendors: [AMD]}", "all: {}")))
    assert {way.name: way.lines for way in none.ways} == {
        "rest": ("cloud",), "all": ("h100", "amd", "cloud"), "both": ("h100", "amd")}
    assert read(edited(OWN_WAYS, ("[AMD]", "[Azure]"))).ways[1].lines == ("cloud",), "a seller is a vendor too"


def test_a_line_may_name_an_own_way() -> None:
    case = read(MINIMAL + CHEAP_AMD + RENTED + "ways: {everything: {}, two: {lines: [h100]}}\n")
    assert [way.lines for way in case.ways] == [("cloud",), ("h100",)]


def test_an_own_way_signs_the_contracts_of_its_lines_or_those_it_states() -> None:
    deal = "{kind: purchase, tenor: 1 year, volume: {value: 10}, price: {value: 1}, "
    contracts = f"contracts:\n  of-amd: {deal}line: amd}}\n  of-h100: {deal}line: h100}}\n"
    case = read(OWN_WAYS + contracts)
    assert [way.contracts for way in case.ways] == [(), ("of-amd",), ("of-amd", "of-h100")]
    case = read(edited(OWN_WAYS + contracts, ("lines: [h100, amd]}", "lines: [h100, amd], contracts: [of-h100]}")))
    assert case.ways[2].contracts == ("of-h100",)


@pytest.mark.parametrize(("edit", "place", "words"), [
    (("lines: [h100, amd]", "lines: [h100, amdd]"), "ways.both.lines.1", ["unknown line 'amdd'", "did you mean amd?"]),
    (("lines: [h100, amd]", "lines: []"), "ways.both", ["no line passes its filters", "at least one line"]),
    (("vendors: [AMD]", "vendors: [AMD], how: rent"), "ways.amd-only", ["no line passes its filters"]),
    (("vendors: [AMD]", "vendors: [Intel]"), "ways.amd-only.vendors.0", ["unknown vendor 'Intel'", "AMD, Azure, nvidia"]),
    (("lines: [h100, amd]", "contracts: [deal]"), "ways.both.contracts.0", ["unknown contract 'deal'", "has none"]),
    (("lines: [h100, amd]", "commits: [chip]"), "ways.both.commits.0", ["unknown programme 'chip'"]),
    (("lines: [h100, amd]", "may_start: [chip]"), "ways.both.may_start.0", ["unknown programme 'chip'"]),
    (("both:", "portfolio:"), "ways.portfolio", ["a standard way has this name", "a name of its own"]),
    (("title: Rent everything", "title: buy"), "ways.rent-only.title", ["another way is called so", "a title of its own"]),
    (("both:", "build:"), "ways.build", ["a standard way has this name"]),
    (("ways: [diversify]", "ways: [diversify, bothh]"), "lines.amd.ways.1", ["unknown way 'bothh'", "did you mean both?"]),
])
def test_each_fault_of_a_way_says_place_found_allowed_remedy(
    edit: tuple[str, str], place: str, words: list[str]
) -> None:
    with pytest.raises(FablessError) as raised:
        read(edited(OWN_WAYS, edit))
    said = str(raised.value)
    assert place in said
    assert all(word in said for word in [*words, "allowed:", "remedy:"]), said


def test_all_faults_of_ways_come_in_one_pass() -> None:
    text = edited(OWN_WAYS, ("lines: [h100, amd]", "lines: [h10], commits: [chip]"), ("amd-only:", "buy:"),
                  ("how: rent, title", "lines: [], title"), ("ways: [diversify]", "ways: [diversfy]"))
    with pytest.raises(BadValue) as raised:
        read(text)
    assert len(raised.value.faults) == 5


# what a case offers


def test_ways_that_a_case_has_nothing_for_are_not_offered(stated_case: Case) -> None:
    options = offered(stated_case)
    assert [way.name for way in options.ways] == ["buy", "diversify", "rent-only", "amd-only", "both"]
    assert [way.name for way in options.missing] == ["partner", "build", "acquire"]
    assert [(way.name, other.name) for way, other in options.same] == [(PORTFOLIO, "diversify")]
    assert "diversify" in {way.name for way in offered(read(MINIMAL)).missing}
    bare = edited(MINIMAL, ("ways: [buy, diversify, partner, build, acquire]", "ways: [diversify]"))
    assert [way.name for way in offered(read(bare)).ways] == ["diversify"]


def test_no_two_ways_offered_allow_the_same() -> None:
    case = read(edited(OWN_WAYS, ("both: {lines: [h100, amd]}", "both: {lines: [h100]}\n  all: {}")))
    options = offered(case)
    allowed = [way.allows for way in options.ways]
    assert len(set(allowed)) == len(allowed)
    assert {(way.name, other.name) for way, other in options.same} == {
        ("both", "buy"), ("all", "diversify"), (PORTFOLIO, "diversify")}


def test_a_way_contains_what_it_may_do_too() -> None:
    programmes = "build", "partner"
    case = read(reference_text() + "ways:\n  open: {may_start: [own-build]}\n  wide: {commits: [own-build]}\n")
    ways = {way.name: way for way in every_way(case)}
    assert ways["diversify"].contains(ways["buy"])
    assert not ways["buy"].contains(ways["diversify"])
    assert all(ways[PORTFOLIO].contains(way) for way in ways.values())
    assert ways["open"].contains(ways["build"])
    assert ways["wide"].contains(ways["build"])
    assert not any(ways["wide"].contains(ways[name]) for name in ("buy", "diversify", "partner", "open"))
    assert not any(ways["buy"].contains(ways[name]) for name in programmes)


def test_the_ways_shown_in_the_shipped_case_can_be_read() -> None:
    text = reference_text()
    shown = text[text.index("# ways:"):]
    case = parse_case(text[:text.index("# ways:")] + re.sub(r"(?m)^# ?", "", shown), "case.yaml", Path("."))
    assert [way.name for way in case.ways] == ["rent-only", "amd-only", "tpu-and-nvidia", "amd-and-own-chip"]
    assert [way.name for way in offered(case).ways][-5:-1] == [way.name for way in case.ways]


# lines only where they pay


USELESS = """\
  extra:
    like: h100
    vendor: Other
    ways: [with-extra]
    port: {value: 1.0e+8}
"""
WITHOUT = "ways:\n  without: {lines: [h100, amd, cloud]}\n"


@pytest.mark.parametrize("terms", [
    "    price: {value: 3.0e+7}\n", "    lead_normal: {value: 500}\n    lead_scarce: {value: 500}\n",
], ids=["price x 1000", "lead beyond the horizon"])
def test_a_line_that_no_plan_uses_costs_nothing(terms: str) -> None:
    lines = MINIMAL + CHEAP_AMD + edited(RENTED, (", everything", "")) + USELESS + terms
    case = lines + WITHOUT + "  with-extra: {lines: [h100, amd, cloud]}\n"
    choice = choose(world_of(case), None, gates=False)
    assert opened(chosen(choice, "with-extra")) == opened(chosen(choice, "diversify"))
    assert objective(choice, "with-extra") - objective(choice, "diversify") == 0.0
    assert "without" in {way.name for way, _ in choice.offered.same}


def brute(world: World, names: list[str]) -> dict[frozenset[str], float]:
    """Objective of every set of lines."""
    lines = [line for line in world.case.lines if line.name in names]
    sets = [frozenset(line.name for k, line in enumerate(lines) if mask >> k & 1) for mask in range(1 << len(lines))]
    return {
        chosen_lines: solved_under(world, "", plan_of(world, Commitment(
            tuple(line for line in lines if line.name in chosen_lines), ())), on=True).result.objective_usd
        for chosen_lines in sets}


def with_ports(world: World, first: float, second: float) -> World:
    numbers = world.case.numbers.lines
    ports = {stated(numbers[name].port).name: Range.point(usd / 31557600.0)
             for name, usd in (("amd", first), ("cloud", second))}
    return world_with_ranges(world, ports)


@pytest.fixture(scope="module")
def two_ports() -> World:
    text = MINIMAL + CHEAP_AMD + edited(RENTED, (", everything", "")) + "    port: {value: 1.0e+5}\n" + OWN
    return world_of(edited(text, ("allotment: {value: 1000}", "allotment: {value: 20}")))


@pytest.mark.parametrize("ports", [(0.0, 0.0), (1e5, 1e5), (3e6, 1e5), (1e5, 1e7), (1e9, 1e9), (2e6, 4e6)])
def test_the_search_finds_the_best_set_of_lines(two_ports: World, ports: tuple[float, float]) -> None:
    world = with_ports(two_ports, *ports)
    choice = choose(world, None, gates=False)
    cost = brute(world, ["h100", "amd", "cloud"])
    best = min(value for lines, value in cost.items() if "h100" in lines)
    assert objective(choice, "diversify") == pytest.approx(best, rel=1e-9)
    for way in choice.ways:
        for other in choice.ways:
            allowed = {item.name: item for item in choice.offered.ways}
            if allowed[way.name].contains(allowed[other.name]):
                assert objective(choice, way.name) <= objective(choice, other.name)
    assert all(way.lower_bound_usd <= way.result.objective_usd * (1 + 1e-9) for way in choice.ways)


def test_a_useless_option_more_leaves_every_way_as_it_was(two_ports: World) -> None:
    """Sets of lines are compared in one world: all but the lines that a way may open is the same."""
    dear = with_ports(two_ports, 1e12, 1e12)
    choice = choose(dear, None, gates=False)
    assert objective(choice, "diversify") == objective(choice, "buy")
    assert opened(chosen(choice, "diversify")) == {"h100"}
    diversify = next(way for way in every_way(dear.case) if way.name == "diversify")
    assert described_as(chosen(choice, "diversify"), diversify, dear.case) == "diversify without AMD and Azure"


def test_sets_that_the_bound_excludes_are_not_solved(two_ports: World) -> None:
    way = next(way for way in every_way(two_ports.case) if way.name == "diversify")
    search = LineSearch(way=way, through=None, starts=())
    every, fees = frozenset({"h100", "amd", "cloud"}), {"amd": 1.0, "cloud": 2.0}
    assert wanted_lines(search, {}, fees) == [every]
    near = wanted_lines(search, {every: 10.0}, fees)
    assert near == [every - {"amd"}, every - {"cloud"}]
    alone = frozenset({"h100"})
    solved = {every: 10.0, every - {"amd"}: 10.5, every - {"cloud"}: 9.0}
    assert wanted_lines(search, solved, fees) == [alone], "10.5 - 2 is under 9"
    assert wanted_lines(search, solved | {every - {"amd"}: 11.5}, fees) == [], "11.5 - 2 is not"


def test_plans_are_solved_once(two_ports: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight sets of three lines, of which each way asks some: none is solved for two ways."""
    asked: list[frozenset[str]] = []
    solve_one = choice_module.solved_under

    def counted(world: World, name: str, plan: Plan, on: bool) -> SolvedWay:
        asked.append(frozenset(line.name for line in plan.commitment.lines))
        return solve_one(world, name, plan, on)

    monkeypatch.setattr(choice_module, "solved_under", counted)
    choice = choose(two_ports, None, gates=False)
    assert choice.solves == len(asked) == len(set(asked)) <= 8


# a way that commits to a programme


@pytest.fixture(scope="module")
def reference() -> World:
    """The reference case on four scenarios, with ways of its own."""
    text = reference_text() + OWN_REFERENCE
    case = replace(parse_case(text, "case.yaml", Path(".")), branching=(4, 1, 1, 1, 1, 1))
    return draw_world(prepare(case, load(case.as_of)))


OWN_REFERENCE = """\
ways:
  rent-only: {how: rent}
  amd-only: {vendors: [AMD], title: Nothing but AMD}
  tpu-and-nvidia: {lines: [nvidia-owned, google-rented]}
  amd-and-own-chip: {vendors: [Nvidia, AMD], commits: [own-build]}
"""


@pytest.fixture(scope="module")
def rough(reference: World) -> Choice:
    return choose(reference, None, gates=False)


@pytest.fixture(scope="module")
def searched(reference: World) -> Choice:
    return choose(reference, None, gates=True)


def test_own_ways_stand_beside_the_standard_ones(rough: Choice) -> None:
    assert [way.name for way in rough.ways] == [
        "buy", "diversify", "partner", "build", "acquire", "rent-only", "amd-only", "tpu-and-nvidia",
        "amd-and-own-chip", PORTFOLIO]
    assert objective(rough, "rent-only") > objective(rough, PORTFOLIO)
    assert {offer.vendor for offer in chosen(rough, "amd-only").plan.offers[1:]} == {"AMD"}


@pytest.mark.parametrize("detail", ["rough", "searched"])
def test_no_way_is_dearer_than_one_that_it_contains(detail: str, request: pytest.FixtureRequest) -> None:
    choice: Choice = request.getfixturevalue(detail)
    ways = {way.name: way for way in choice.offered.ways}
    pairs = [(name, other) for name in ways for other in ways if name != other and ways[name].contains(ways[other])]
    assert ("diversify", "buy") in pairs
    assert ("amd-and-own-chip", "build") in pairs
    assert all(objective(choice, name) <= objective(choice, other) for name, other in pairs)


@pytest.mark.parametrize("detail", ["rough", "searched"])
def test_only_ways_that_commit_carry_a_programme(detail: str, request: pytest.FixtureRequest) -> None:
    choice: Choice = request.getfixturevalue(detail)
    for way in choice.ways:
        if way.name in ("partner", "build", "acquire", "amd-and-own-chip"):
            assert way.carried is not None
            assert way.carried.plan.commitment.programmes == way.plan.commitment.programmes
            assert way.carried.policy.go.all()
            assert way.result.objective_usd <= way.carried.result.objective_usd * (1 + 1e-9)
        elif way.name != PORTFOLIO:
            assert way.carried is None


def test_a_programme_given_up_at_once_is_the_plan_without_it_and_what_is_sunk(reference: World) -> None:
    case = reference.case
    lines = tuple(line for line in case.lines if "build" in line.ways)
    programme = next(item for item in case.programmes if item.name == "own-build")
    plain = solved_under(reference, "", plan_of(reference, Commitment(lines, ())), on=True)
    short = given_up(reference, "build", plain, Commitment(lines, (programme,)))
    solved = solved_under(reference, "build", plan_of(reference, Commitment(lines, (programme,))), on=False)
    assert short.result.objective_usd > plain.result.objective_usd
    for name in ("objective_usd", "expected_cost_usd", "cvar_usd"):
        assert getattr(short.result, name) == pytest.approx(getattr(solved.result, name), rel=1e-8)
    assert np.allclose(short.result.path_cost_usd, solved.result.path_cost_usd, rtol=1e-5)
    assert short.result.orders.shape == solved.result.orders.shape
    assert short.paths.cost_usd.sum() == pytest.approx(
        (short.paths.spend.sum(axis=0) + short.plan.problem.fixed_usd[
            short.plan.problem.tree.ancestors()[short.plan.problem.tree.leaves]]).sum(), rel=1e-9)
    option = as_option(short, case)
    assert option.give_up_probability == pytest.approx(1.0)
    half_a_year = next(quarter for quarter in case.boundaries if quarter >= 2)
    assert option.given_up == ((str(case.first_quarter + half_a_year), pytest.approx(1.0)),)
    gate, = short.gates
    assert option.sunk_usd == pytest.approx(gate.expected_spend_usd)
    assert option.expected_spend_usd == pytest.approx(gate.expected_spend_usd)


def test_an_option_says_when_it_is_given_up(searched: Choice, reference: World) -> None:
    for way in searched.ways:
        if way.carried is None or len(way.plan.projects) != 1:
            continue
        option, (gate,) = as_option(way, reference.case), way.gates
        assert option.give_up_probability == pytest.approx(gate.give_up_probability, abs=1e-9)
        assert sum(chance for _, chance in option.given_up) == pytest.approx(option.give_up_probability)
        assert option.expected_spend_usd == pytest.approx(gate.expected_spend_usd, rel=1e-9)


@pytest.fixture(scope="module")
def small_decision() -> Decision:
    text = re.sub(r"(?m)^tree: .*", "tree: {boundaries: [1, 3, 7, 14], branching: [4, 1, 1, 1]}",
                  reference_text() + OWN_REFERENCE)
    # an own chip that nobody would go on with
    text = text.replace("peak: {bf16: 1500 TFLOP/s, int8: 3000 TOP/s, fp8: 3000 TFLOP/s}",
                        "peak: {bf16: 300 TFLOP/s, int8: 600 TOP/s, fp8: 600 TFLOP/s}")
    few = replace(DETAILS["quick"], paths=8, checked=0)
    return decide(parse_case(text, "case.yaml", Path(".")), detail=few, executor=Here())


def printed(decision: Decision) -> str:
    page = io.StringIO()
    print_decision(decision, Console(width=400, file=page))
    return page.getvalue()


def test_a_given_up_programme_has_neither_dates_nor_capital_at_risk(small_decision: Decision) -> None:
    ways = {way.name: way for way in small_decision.strategies}
    build = ways["build"]
    assert build.programme is not None
    assert build.programme.is_given_up
    assert (build.own_silicon_quarter, build.capital_at_risk_usd, build.own_silicon_probability) == (
        None, None, pytest.approx(0.0, abs=1e-9))
    carried = build.programme.carried_through
    assert carried.above_option_usd == pytest.approx(carried.total_usd - build.total_usd)
    assert carried.above_option_usd > 0.0
    assert carried.volume_quarter is not None
    # three quarters of a programme of three years or more, and spend rises
    assert carried.expected_spend_usd > 4.0 * build.programme.as_option.sunk_usd > 0.0
    assert carried.capital_at_risk_usd.p50 > 0.0
    assert build.gates != (), "quick detail says what the gates do, too"


def test_terminal_and_report_say_that_a_programme_is_given_up(small_decision: Decision) -> None:
    text, page = printed(small_decision), as_html(small_decision)
    row = next(line for line in text.splitlines() if line.startswith(("build ", "build*")) and "given up" in line)
    assert "2027" not in row
    for said in (text, page):
        assert "own chip: given up in 2024q3 with probability 100%" in said.lower()
        assert "carried through" in said


def test_ways_go_by_their_titles_wherever_they_are_printed(small_decision: Decision) -> None:
    words = " ".join(Reader(as_html(small_decision)).words)
    for said in (printed(small_decision), words):
        assert "Nothing but AMD" in said
        assert "rent only" in said
        assert "rent-only" not in said
        assert "amd-only" not in said
    assert small_decision.way_of("amd-only") == "Nothing but AMD"
    assert small_decision.way_of("buy = rent-only") == "buy = rent only"


def test_what_a_case_does_not_offer_is_one_line() -> None:
    decision = decide(read(MINIMAL), detail="quick", executor=Here())
    assert [way.name for way in decision.strategies] == ["buy"]
    assert decision.recommended == "buy"
    for said in (printed(decision), as_html(decision)):
        assert "Not in this case: diversify, partner, build, acquire; portfolio is the same as buy." in said


def test_the_portfolio_says_which_way_it_is(small_decision: Decision) -> None:
    ways = {way.name: way for way in small_decision.strategies}
    portfolio = ways[PORTFOLIO]
    assert portfolio.same_as == "diversify"
    assert portfolio.objective_usd == ways["diversify"].objective_usd
    assert portfolio.described_as.startswith("diversify")
    assert set(portfolio.lines) == set(ways["diversify"].lines)
    assert f"portfolio here is {portfolio.described_as}" in printed(small_decision)
    assert "\n= diversify " in printed(small_decision)
    assert all(way.same_as == "" for way in small_decision.strategies if way is not portfolio)


def test_the_answer_says_what_a_way_leaves_out() -> None:
    """A second vendor that never pays: diversifying is buying, and the answer says so."""
    text = MINIMAL + edited(SECOND, ("1.0e+5", "1.0e+9")) + edited(RENTED, (", everything", "")) + OWN
    decision = decide(read(edited(text, ("allotment: {value: 1000}", "allotment: {value: 20}"))), detail="quick",
                      executor=Here())
    best = next(way for way in decision.strategies if way.name == decision.recommended)
    diversify = next(way for way in decision.strategies if way.name == "diversify")
    assert diversify.described_as == "diversify without AMD"
    assert "amd" not in diversify.lines
    assert best.described_as == "" or f"({best.described_as})" in decision.answer
    assert "diversify does best without AMD" in printed(decision).replace("Diversify", "diversify")
