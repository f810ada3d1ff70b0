"""The page's data and the sentences made from them: true to the decision, and never too bold."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from decision_fixture import FIRST, decision
from fabless.decide import Decision, WayResult
from fabless.decide.accounts.results import Against
from fabless.decide.results import Answers, AnswersCheck, MovedInput, WayLevels
from fabless.report.document import as_document
from fabless.report.page.data import page_data
from fabless.report.page.programme_data import own_data
from fabless.report.page.sentences import (
    chance_word,
    claims_of,
    flip_sentences,
    future_name,
    of_hundred,
    question_line,
    verdict_of,
)
from fabless.report.page.tries import tries
from fabless.units import from_si
from fabless.wording import in_steps

SEEDS = range(200)
MOST_WORDS = 25
NUMBER = re.compile(r"\d[\d.,]*\d|\d")


@cache
def made() -> Decision:
    return decision()


@cache
def page() -> dict[str, Any]:
    return page_data(made())


def moved(way: WayResult, rng: random.Random) -> WayResult:
    """The way with another cost, total, chance of a shortage and vendors."""
    factor = math.exp(rng.gauss(0.0, 0.3))
    cost = way.cost_per_query_usd
    total = 61e9 * math.exp(rng.gauss(0.0, 0.1))
    vendors = rng.sample(["Nvidia", "AMD", "Google", "Amazon", "Intel", "Cerebras"],
                         rng.randint(1, 5))
    spend = tuple(replace(row, vendor=vendors[k % len(vendors)],
                          tenure=rng.choice(["own", "rent"]) if rng.random() < 0.8 else "rent")
                  for k, row in enumerate(way.spend))
    return replace(
        way, cost_per_query_usd=replace(
            cost, p10=cost.p10 * factor, p50=cost.p50 * factor, p90=cost.p90 * factor),
        total_usd=total, shortage_probability=rng.random(),
        meets_service_level=rng.random() < 0.4, spend=spend,
        programmes=way.programmes if rng.random() < 0.5 else ())


def paired(ways: tuple[WayResult, ...], rng: random.Random) -> tuple[Against, ...]:
    """Every way against every other, the cheaper second, some within the error."""
    like = made().pairs[0]
    ranked = sorted(ways, key=lambda way: way.total_usd)
    return tuple(
        replace(like, way=dear.name, other=cheap.name,
                difference_usd=dear.total_usd - cheap.total_usd,
                error_usd=abs(rng.gauss(0.0, 3e9)),
                decides=rng.choice(["cash", "unserved", "risk"]))
        for k, cheap in enumerate(ranked) for dear in ranked[k + 1:])


def varied(seed: int) -> Decision:
    """A decision like the made-up one with other numbers, another winner, fewer ways."""
    rng, base = random.Random(seed), made()
    kept = rng.sample(base.strategies, rng.randint(1, len(base.strategies)))
    ways = tuple(moved(way, rng) for way in kept)
    best = min(ways, key=lambda way: way.total_usd)
    other = rng.choice([way.name for way in ways if way is not best] or [best.name])
    ways = tuple(replace(way, regret_usd=way.total_usd - best.total_usd,
                         against=replace(way.against, way=way.name,
                                         other=other if way.name == best.name else best.name))
                 for way in ways)
    names = {way.name for way in ways}
    asked = base.questions
    return replace(
        base, strategies=ways, recommended=best.name, pairs=paired(ways, rng),
        questions=replace(asked, stability=asked.stability if rng.random() < 0.7 else None,
                          flips=asked.flips if rng.random() < 0.7 else None),
        programme_values=tuple(replace(item, value_usd=rng.gauss(0.0, 1e9))
                               for item in base.programme_values) if rng.random() < 0.8 else (),
        futures=replace(
            base.futures,
            ways=tuple(item for item in base.futures.ways if item.way in names),
            courses=tuple(item for item in base.futures.courses if item.way in names)))


@cache
def varied_page(seed: int) -> dict[str, Any]:
    return page_data(varied(seed))


def all_sentences(data: dict[str, Any]) -> list[str]:
    said = data["verdict"]
    return [said["action"], said["numbers"], *data["claims"].values()]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_verdict_is_short_and_holds_two_numbers(seed: int) -> None:
    said = varied_page(seed)["verdict"]
    text = f"{said['action']} {said['numbers']}"
    assert len(text.split()) <= MOST_WORDS, text
    assert len(NUMBER.findall(text)) == 2, text
    assert all(cost in said["numbers"] for cost, _ in said["costs"])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sentences_are_never_too_bold(seed: int) -> None:
    data = varied_page(seed)
    text = " ".join(all_sentences(data)).lower()
    assert "best" not in text
    pair = data["pairs"].get(f"{data['recommended']}|{data['against']}")
    assert ("tie with" in text) == bool(pair and pair["tie"])
    tied = [way["name"] for way in data["ways"] if way["tie"] and not way["first"]]
    assert all(name in data["claims"]["sure"] for name in tied)
    keeping = [way for way in data["ways"] if way["meets"]]
    first = next(way for way in data["ways"] if way["first"])
    if "cheapest" in text:
        assert first["meets"]
        assert not first["tie"]
        assert all(first["total"] <= way["total"] for way in keeping)


def test_random_decisions_reach_every_kind_of_verdict_and_service() -> None:
    texts = page()["texts"]
    said = [sentence for seed in SEEDS for sentence in all_sentences(varied_page(seed))]
    for start in ("action_buy_", "verdict_", "service_", "start_nothing", "own_untold",
                  "sure_not_rerun"):
        for key in (key for key in texts if key.startswith(start) and key != "verdict_same"):
            pattern = re.sub(r"\\{[^}]*\\}", ".+", re.escape(texts[key]))
            assert any(re.search(pattern, sentence) for sentence in said), key


def numbers_of(value: object) -> Iterator[float]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        yield float(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_of(item)


PLACES = {"version", "texts", "assumed", "of", "inputs", "tries"}
"""Parts of the page whose numbers are places, counts, or values of inputs in their units."""
COUNTED = {"f", "s", "slot", "paths", "first_of", "seeds", "shown"}
"""Members that hold places, counts, or whether."""


def without(value: object, left_out: set[str]) -> object:
    if isinstance(value, dict):
        return {key: without(item, left_out) for key, item in value.items() if key not in left_out}
    return [without(item, left_out) for item in value] if isinstance(value, list) else value


def test_every_number_of_the_page_is_one_of_the_decision() -> None:
    document = set(numbers_of(as_document(made())))
    document |= {-value for value in document}
    ranges = {from_si(value, number.unit) for number in made().assumptions
              for value in (number.spread.low, number.spread.mode, number.spread.high)}
    data = without({key: value for key, value in page().items() if key not in PLACES}, COUNTED)
    assert set(numbers_of(data)) - document - ranges - {0.0, 1.0} == set()
    rows = {row["name"]: row for row in page()["inputs"]}
    for number in made().assumptions:
        row = rows[number.name]
        ends = (number.spread.low, number.spread.mode, number.spread.high)
        assert (row["low"], row["value"], row["high"]) == tuple(
            from_si(end, number.unit) for end in ends)


def test_the_page_is_plain_json_and_the_same_each_time() -> None:
    text = json.dumps(page(), allow_nan=False)
    assert json.loads(text) == page()
    assert json.dumps(page_data(made()), allow_nan=False) == text


def test_ways_stand_in_the_order_of_their_totals_on_fresh_paths() -> None:
    rows = page()["ways"]
    assert rows[0]["key"] == page()["recommended"]
    assert [row["total"] for row in rows[1:]] == sorted(row["total"] for row in rows[1:])
    by_way = {item.way: item for item in made().futures.ways}
    for row in rows:
        assert len(row["dots"]) == 20
        assert [dot["c"] for dot in row["dots"]] == sorted(dot["c"] for dot in row["dots"])
        for dot in row["dots"]:
            assert dot["c"] == by_way[row["key"]].cost_per_query_usd[dot["f"]]
            assert bool(dot["s"]) == by_way[row["key"]].is_short[dot["f"]]


def test_a_way_that_is_the_same_on_every_path_says_so_and_leads_no_verdict() -> None:
    base = made()
    portfolio = next(way for way in base.strategies if way.name == "portfolio")
    costs = {item.way: item for item in base.futures.ways}
    twin = replace(portfolio, name="diversify", against=replace(
        portfolio.against, way="diversify", other="portfolio"))
    ways = (twin, *(way for way in base.strategies if way.name != "diversify"))
    same = replace(
        base, recommended="diversify", strategies=ways,
        futures=replace(base.futures, ways=tuple(
            replace(costs["portfolio"], way="diversify") if item.way == "diversify" else item
            for item in base.futures.ways)),
        pairs=paired(ways, random.Random(0)))
    data = page_data(same)
    rows = {row["key"]: row for row in data["ways"]}
    assert rows["portfolio"]["same_as"] == "diversify"
    assert rows["diversify"]["same_as"] == ""
    assert rows["portfolio"]["said"] in rows["diversify"]["line"]
    assert data["against"] == "buy"


def test_where_every_way_is_the_same_the_verdict_says_so() -> None:
    base = made()
    best = next(way for way in base.strategies if way.name == base.recommended)
    like = next(item for item in base.futures.ways if item.way == best.name)
    twin = replace(best, name="buy", against=replace(best.against, way="buy", other=best.name))
    data = page_data(replace(
        base, strategies=(best, twin), pairs=paired((best, twin), random.Random(0)),
        futures=replace(base.futures, ways=(like, replace(like, way="buy")), courses=())))
    assert data["against"] == ""
    assert data["verdict"]["numbers"] == (
        "It costs 0.52 cents a query, 61 billion USD in all; every other way comes to the same.")


def test_differences_hold_both_ways_round_and_their_parts_add_up() -> None:
    for key, pair in page()["pairs"].items():
        way, other = key.split("|")
        back = page()["pairs"][f"{other}|{way}"]
        assert back["difference"] == -pair["difference"]
        assert math.fsum(part["usd"] for part in pair["bridge"]) == pytest.approx(
            pair["difference"], rel=1e-9)
        for step in (1e6, 1e7, 1e8, 1e9):
            steps = in_steps([part["usd"] for part in pair["bridge"]], step)
            assert sum(steps) == round(math.fsum(part["usd"] for part in pair["bridge"]) / step)


def test_words_of_chance_change_at_their_limits() -> None:
    limits = {0.0: "very_unlikely", 0.0499: "very_unlikely", 0.05: "unlikely", 1 / 3: "unlikely",
              0.34: "even", 2 / 3: "even", 0.67: "likely", 0.95: "likely", 0.951: "very_likely",
              1.0: "very_likely"}
    assert {share: chance_word(share) for share in limits} == limits
    assert [of_hundred(share) for share in (0.0, 0.004, 0.35, 0.996, 1.0)] == [
        "0", "<1", "35", ">99", "100"]


def answers(base: Decision, cross: float) -> Answers:
    """One input moved over its range: buying becomes cheapest above `cross`."""
    values = tuple(25_000.0 + 1_875.0 * k for k in range(9))

    def levels(way: WayResult) -> WayLevels:
        slope = -1.0 if way.name == "buy" else 0.0
        lead = 0.0 if way.name == "portfolio" else 9e9
        start = 0.0 if way.name == "buy" else lead
        total = tuple(60e9 + start + slope * 1e6 * (value - cross) for value in values)
        return WayLevels(
            way=way.name, cash_usd=tuple(0.7 * item for item in total),
            unserved_usd=tuple(0.2 * item for item in total),
            risk_usd=tuple(0.1 * item for item in total),
            cost_per_query_usd=tuple(0.005 for _ in values),
            missing_share=tuple(0.02 for _ in values))

    return Answers(
        leaves=3, pairs=(), check=AnswersCheck(points=20, median_error=0.02, worst_error=0.1,
                                               winners_right=19),
        inputs=(MovedInput(name="price.h100-sxm", label="price", unit="USD", value=30_000.0,
                           values=values, is_log=False,
                           levels=tuple(levels(way) for way in base.strategies)),))


@pytest.mark.parametrize("cross", [26_000.0, 31_234.0, 39_000.0])
def test_a_flip_stands_where_the_totals_cross_and_is_told_from_the_present_value(
    cross: float,
) -> None:
    base = made()
    data: dict[str, Any] = page_data(
        replace(base, questions=replace(base.questions, answers=answers(base, cross))))
    control, = data["controls"]
    flip, = control["flips"]
    assert flip["at"] == pytest.approx(cross, rel=1e-3)
    assert (flip["below"], flip["above"]) == ("portfolio", "buy")
    sentence, = flip_sentences(data, control)
    side = "above" if cross > 30_000.0 else "below"
    winner = data["ways"][[row["key"] for row in data["ways"]].index(flip[side])]["name"]
    assert sentence == f"{winner} wins {side} {float(f'{cross:.2g}'):,.0f} USD"
    assert next(row for row in data["inputs"] if row["name"] == "price.h100-sxm")["control"]


def test_without_a_table_nothing_can_be_moved() -> None:
    bare: dict[str, Any] = page_data(
        replace(made(), questions=replace(made().questions, answers=None)))
    assert (bare["controls"], bare["crossed"], bare["check"]) == ([], [], None)
    assert not any(row["control"] for row in bare["inputs"])


def test_a_future_is_called_by_its_demand_and_its_scarcity() -> None:
    base = made().futures
    for path in page()["futures"]["paths"]:
        name = future_name(page(), path)
        assert name.lower().startswith(base.demand[path])
        until = base.scarce_until[path]
        assert (until.replace("Q", " Q") in name) if until else name.endswith("not scarce")


def test_things_to_try_stay_in_their_ranges_and_say_the_value_reached() -> None:
    rows = tries(made(), set(), page()["texts"])
    assert [row["key"] for row in rows] == ["late"]
    (name, value), = rows[0]["changes"].items()
    number = next(item for item in made().assumptions if item.name == name)
    assert value == from_si(number.spread.high, number.unit)
    assert "13 months" in rows[0]["text"]


def test_what_the_question_line_says_is_what_the_case_states() -> None:
    assert question_line(page()).endswith("Knowing what was public on 31 October 2023.")
    base = made()
    named = tuple(replace(number, name="demand.queries") if number.name == "demand.queries_per_day"
                  else replace(number, name="demand.growth")
                  if number.name == "demand.growth_per_year" else number
                  for number in base.assumptions)
    asked = replace(base.questions, answers=None)
    line = question_line(page_data(replace(base, assumptions=named, questions=asked)))
    assert "193 million queries a day" in line


def test_claims_say_what_is_first_short_and_due() -> None:
    said = claims_of(page())
    assert said["sure"].startswith("Likely: first in 8 of 10 reruns.")
    assert "19 of 100" in said["sure"]
    assert said["start"] == "Order 24,000 chips by 31 December, 790 million USD."
    assert verdict_of(page()) == page()["verdict"]


def test_gates_of_a_programme_are_dated_and_the_first_that_can_end_it_says_what_is_spent() -> None:
    programmes = own_data(made())["programmes"]
    assert isinstance(programmes, list)
    own = next(item for item in programmes if item["key"] == "own-chip")
    assert [gate["quarter"] for gate in own["gates"]] == [str(FIRST + k) for k in (0, 4, 12)]
    spent = [gate["sunk"] for gate in own["gates"]]
    assert spent[0] is None
    assert spent[1] > 0.0
    assert spent[2] is None
