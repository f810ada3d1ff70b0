"""The modules of the page, run by node and held against Python."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from scipy.interpolate import PchipInterpolator

from decision_fixture import decision
from fabless import wording
from fabless.case_moves import movable, shown_range
from fabless.case_records import Case, named
from fabless.catalogue import read_case
from fabless.decide.questions.between import read_one, read_two
from fabless.decide.results import MovedInput, MovedPair, WayLevels
from fabless.links import case_digest, case_yaml, decimal, link_of, read_link
from fabless.report.page import sentences
from fabless.report.page.data import page_data
from fabless.report.page.inputs import range_fields
from fabless.report.page.texts import fill, load_texts, places_of
from moved_page_fixture import AT_REST, WAYS, levels, moved_page
from node_fixture import MODULES, called, in_node, needs_node

pytestmark = needs_node


def numbers(seed: int, size: int) -> list[float]:
    """Numbers of every size and sign, short ones, halves, neighbours of powers of ten."""
    rng = random.Random(seed)
    found = [
        0.0,
        -0.0,
        0.5,
        1.5,
        2.5,
        0.125,
        0.375,
        1e15,
        1.0005e15,
        1.0015e15,
        9.9995e15,
        9999.5,
        9998.5,
        -0.4,
        math.inf,
        -math.inf,
        math.nan,
        1e21,
        2.5e25,
        999.5,
        0.004999,
        0.005,
        0.995,
        0.9951,
    ]
    for power in range(-12, 19):
        edge = 10.0**power
        found += [
            edge,
            math.nextafter(edge, 0.0),
            math.nextafter(edge, math.inf),
            -edge,
            edge * 0.9995,
            edge * 0.99949,
            edge * 0.5,
            edge * 1.005,
        ]
    for _ in range(size):
        value = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-9, 18)
        found += [
            value,
            round(value, 2),
            float(f"{value:.3g}"),
            float(f"{value:.2g}5e-1".replace("e+", "e")) if "e" not in f"{value:.2g}" else value,
            rng.randrange(-4000, 4000) / 16,
            rng.random(),
        ]
    return found


def alike(name: str, python: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> None:
    """Both languages answer the same to all arguments."""
    answers = called([("format", name, each) for each in arguments])
    different = [
        (each, python(*each), answer)
        for each, answer in zip(arguments, answers, strict=True)
        if python(*each) != answer
    ]
    assert different == []


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("significant", wording.significant),
        ("plain", wording.plain),
        ("usd", wording.usd),
        ("errorUsd", wording.error_usd),
        ("cents", wording.cents),
        ("inPercent", wording.in_percent),
        ("count", wording.count),
    ],
)
def test_a_number_is_written_as_python_writes_it(name: str, python: Callable[..., str]) -> None:
    alike(name, python, [(value,) for value in numbers(1, 700)])


@pytest.mark.parametrize("decimals", range(6))
def test_cents_with_decimals(decimals: int) -> None:
    alike("cents", wording.cents, [(value, decimals) for value in numbers(2, 200)])


def test_significant_with_digits() -> None:
    alike(
        "significant",
        wording.significant,
        [(value, digits) for value in numbers(3, 150) for digits in (1, 2, 4)],
    )


def test_steps_and_parts_of_a_sum() -> None:
    rng = random.Random(4)
    sums = [
        [rng.choice([-1, 1]) * 10.0 ** rng.uniform(-3, 11) for _ in range(rng.randrange(1, 9))]
        for _ in range(600)
    ]
    sums += [[0.4, 0.4, 0.4], [-1.6, 0.7], [0.0], [0.5, 1.0, 1.0], [-0.5, -0.5], [0.1] * 10]
    finite = [value for value in numbers(5, 100) if abs(value) < 1e21]
    alike("usdStep", wording.usd_step, [(value,) for value in finite])
    alike("exactSum", math.fsum, [(each,) for each in sums])
    for step in (1.0, 0.01, 1e7):
        alike("inSteps", wording.in_steps, [(each, step) for each in sums])
    alike(
        "stepsUsd",
        wording.steps_usd,
        [(rng.randrange(-99999, 99999), 10.0 ** rng.randrange(-2, 12)) for _ in range(900)],
    )
    alike(
        "usdParts",
        lambda each: dict(zip(("parts", "total"), wording.usd_parts(each), strict=True)),
        [(each,) for each in sums],
    )


def test_decimals_of_a_column_of_cents() -> None:
    rng = random.Random(6)
    columns = [[10.0 ** rng.uniform(-6, 1)] for _ in range(300)]
    columns += [
        [(low := 10.0 ** rng.uniform(-5, 0)), low * rng.uniform(1.0, 1.08), 3 * low]
        for _ in range(600)
    ]
    columns += [[], [0.0], [math.nan, 0.001], [0.001, 0.001], [0.00116, 0.00121], [0.01], [0.001]]
    alike("centDecimals", wording.cent_decimals, [(each,) for each in columns])


def test_names_titles_and_units() -> None:
    alike("listed", wording.listed, [(["a"],), (["a", "b"],), (["a", "b", "c"],)])
    alike("heading", wording.heading, [("the own chip",), ("H100",), ("theory",), ("",)])
    alike(
        "withUnit",
        wording.with_unit,
        [(20.0, "% a year"), (4e4, "USD"), (3.0, "1"), (0.25, ""), (1.93e8, "query/day")],
    )


def page() -> dict[str, Any]:
    """The small page with the real texts."""
    return moved_page(load_texts())


def way_levels(levels_by_way: dict[str, dict[str, list[float]]]) -> tuple[WayLevels, ...]:
    """Levels of the page as the records of the program."""
    return tuple(
        WayLevels(
            way=key,
            cash_usd=tuple(row["cash"]),
            unserved_usd=tuple(row["unserved"]),
            risk_usd=tuple(row["risk"]),
            cost_per_query_usd=tuple(row["cents"]),
            missing_share=tuple(row["missing"]),
        )
        for key, row in levels_by_way.items()
    )


def table_of(data: dict[str, Any]) -> dict[str, MovedInput]:
    """Controls of the page as the records of the program."""
    return {
        each["name"]: MovedInput(
            name=each["name"],
            label=each["label"],
            unit=each["unit"],
            value=each["value"],
            values=tuple(each["x"]),
            is_log=each["log"],
            levels=way_levels(each["levels"]),
        )
        for each in data["controls"]
    }


def shaken(data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The page with levels of no formula: bends, zeros, ways that are alike, risk below zero."""
    for each in [*data["controls"], *data["crossed"]]:
        for row in each["levels"].values():
            for part, values in row.items():
                row[part] = [
                    value * rng.choice([1.0, 1.0, rng.uniform(0.3, 1.8)]) for value in values
                ]
            row["risk"] = [value - 3e9 if rng.random() < 0.2 else value for value in row["risk"]]
            row["unserved"] = [0.0 if rng.random() < 0.3 else value for value in row["unserved"]]
        if rng.random() < 0.5:
            each["levels"]["build"] = each["levels"]["buy"]
    return data


def test_the_table_is_read_as_python_reads_it() -> None:
    rng = random.Random(7)
    for data in [page(), *(shaken(page(), rng) for _ in range(6))]:
        table = table_of(data)
        grid = data["crossed"][0]
        pair = MovedPair(
            names=(grid["names"][0], grid["names"][1]),
            values=(tuple(grid["x"][0]), tuple(grid["x"][1])),
                levels=way_levels(grid["levels"]),
        )
        moves: list[dict[str, float]] = []
        wanted = []
        for each in data["controls"]:
            for value in [*each["x"], *(rng.uniform(each["low"], each["high"]) for _ in range(40))]:
                moves.append({each["name"]: value})
                wanted.append(read_one(table[each["name"]], value))
        for _ in range(150):
            at = tuple(
                rng.choice([rng.uniform(side[0], side[-1]), rng.choice(side)]) for side in grid["x"]
            )
            moves.append(dict(list(zip(grid["names"], at, strict=True))[:: rng.choice([1, -1])]))
            wanted.append(read_two(pair, table, at))
        for ways, answers in zip(
            wanted, called([("answers", "answersAt", [data, each]) for each in moves]), strict=True
        ):
            for way in ways:
                answer = answers[way.way]
                assert answer == pytest.approx(
                    {
                        "cash": way.cash_usd,
                        "unserved": way.unserved_usd,
                        "risk": way.risk_usd,
                        "total": way.total_usd,
                        "cents": way.cost_per_query_usd,
                        "missing": way.missing_share,
                    },
                    rel=1e-11,
                    abs=1e-3,
                )


def test_the_curve_is_that_of_another_program() -> None:
    rng = random.Random(8)
    for _ in range(40):
        x = sorted(rng.uniform(0.5, 9.0) for _ in range(rng.randrange(3, 10)))
        y = [rng.uniform(-2.0, 2.0) for _ in x]
        at = [rng.uniform(x[0], x[-1]) for _ in range(20)]
        curve: Any = PchipInterpolator(x, y)  # type: ignore[no-untyped-call]
        assert called([("interpolate", "monotone", [each, x, y]) for each in at]) == pytest.approx(
            [float(curve(each)) for each in at], rel=1e-10, abs=1e-12
        )


def test_nothing_is_read_beyond_the_table() -> None:
    data = page()
    reach = called(
        [
            ("answers", "answersAt", [data, changes])
            for changes in (
                {"demand.growth": 0.59},
                {"demand.growth": 10.1},
                {"demand.growth": math.nan},
                {"finance.real rate%": 6.0},
                {"demand.growth": 3.0, "programmes.own.delay": 1.0},
                {"demand.growth": 3.0, "lines.mi300x.price": 9_000.0},
                {"demand.growth": 3.0, "lines.mi300x.price": 16_000.0, "programmes.own.delay": 1.0},
            )
        ]
    )
    assert reach == [None] * 7


def test_answers_follow_the_formulas_of_the_table() -> None:
    data = page()
    rng = random.Random(9)
    moves = [{"demand.growth": rng.uniform(0.6, 10.0)} for _ in range(30)]
    moves += [{"lines.mi300x.price": rng.uniform(1e4, 2.2e4)} for _ in range(30)]
    moves += [
        {"lines.mi300x.price": rng.uniform(1e4, 2.2e4), "demand.growth": rng.uniform(0.6, 10.0)}
        for _ in range(60)
    ]
    moves += [{"programmes.own.delay": rng.uniform(0.0, 2.0)} for _ in range(30)]
    for changes, answers in zip(
        moves, called([("answers", "answersAt", [data, each]) for each in moves]), strict=True
    ):
        for key, answer in answers.items():
            wanted = levels(key, *{**AT_REST, **changes}.values())
            assert answer["cents"] == pytest.approx(
                wanted["cents"], rel=1e-3 if len(changes) == 1 else 5e-3
            )
            assert answer["total"] == pytest.approx(
                sum(answer[part] for part in ("cash", "unserved", "risk")), rel=1e-15
            )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        (" 5.25 ", 5.25),
        ("26,000", 26_000.0),
        ("1 000 000", 1e6),
        ("0.3M", 3e5),
        ("193M", 1.93e8),
        ("2.5k", 2500.0),
        ("1e3", 1000.0),
        ("−3", -3.0),
        (".5", 0.5),
        ("5,5", None),
        ("", None),
        ("five", None),
        ("1e", None),
        ("0x10", None),
        ("1,2345", None),
        ("Infinity", None),
        ("12 %", 12.0),
        ("<b>", None),
    ],
)
def test_typed_numbers(text: str, value: float | None) -> None:
    answer = called([("answers", "typedNumber", [text])])[0]
    assert math.isnan(answer) if value is None else answer == value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("demand.growth", 0.6, ""),
        ("demand.growth", 10.0, ""),
        ("demand.growth", 10.000000001, ""),
        ("demand.growth", 10.5, "growth goes from 0.6 to 10."),
        ("demand.growth", math.nan, "growth needs a number."),
        ("lines.mi300x.price", 31_000.0, "price goes from 10,000 to 22,000 USD."),
        ("no.such", 1.0, "This case has no input no.such."),
        ("correlations.a", 1.0, "a cannot be moved here: correlations hold together."),
    ],
)
def test_what_is_outside_is_refused_in_words(name: str, value: float, words: str) -> None:
    assert called([("answers", "refusalOf", [page(), name, value])]) == [words]


STATE_PLAY = """
let text = "";
for await (const chunk of process.stdin) text += chunk;
const {folder, page, play} = JSON.parse(text);
const {createStore, stateAtRest} = await import(`${folder}/state.js`);
const {moveInput, moveTyped} = await import(`${folder}/moving.js`);
let time = 0;
const store = createStore(stateAtRest(page), () => time);
const told = [];
store.subscribe((state) => told.push(state.changes));
const out = play.map(([what, ...args]) => {
  if (what === "wait") time += args[0];
  else if (what === "move") return [moveInput(page, store, ...args), store.get().changes];
  else if (what === "type") return [moveTyped(page, store, ...args), store.get().changes];
  else store[what](...args);
  return ["", store.get().changes];
});
process.stdout.write(JSON.stringify(
  {out, told: told.length, rest: store.get(), undo: store.canUndo(), redo: store.canRedo()}));
"""


def played(*play: tuple[Any, ...]) -> dict[str, Any]:
    """Changes after each act on a store."""
    answer: dict[str, Any] = in_node(
        STATE_PLAY, {"folder": MODULES.as_uri(), "page": page(), "play": play}
    )
    return answer


def test_undo_and_redo_step_by_step() -> None:
    acts = played(
        ("move", "demand.growth", 3),
        ("wait", 5000),
        ("move", "lines.mi300x.price", 20_000),
        ("undo",),
        ("undo",),
        ("undo",),
        ("redo",),
        ("redo",),
        ("redo",),
        ("undo",),
        ("move", "demand.growth", 4),
        ("redo",),
    )
    one, both = {"demand.growth": 3}, {"demand.growth": 3, "lines.mi300x.price": 20_000}
    assert [changes for _, changes in acts["out"]] == [
        one,
        one,
        both,
        one,
        {},
        {},
        one,
        both,
        both,
        one,
        {"demand.growth": 4},
        {"demand.growth": 4},
    ]
    assert acts["redo"] is False
    assert acts["undo"] is True


def test_fast_moves_of_one_input_end_right_and_are_one_step() -> None:
    acts = played(
        *[
            act
            for k in range(20)
            for act in (("move", "demand.growth", 2.1 + k / 10), ("wait", 30))
        ],
        ("undo",),
    )
    assert acts["out"][-2][1] == {"demand.growth": 2.1 + 19 / 10}
    assert acts["out"][-1][1] == {}
    assert acts["undo"] is False


def test_a_refused_value_changes_nothing() -> None:
    acts = played(
        ("type", "demand.growth", "3"),
        ("type", "demand.growth", "300"),
        ("type", "demand.growth", "soon"),
    )
    assert [changes for _, changes in acts["out"]] == [{"demand.growth": 3}] * 3
    assert acts["told"] == 1


def test_reset_of_one_and_of_all_and_back_to_rest_is_no_change() -> None:
    acts = played(
        ("move", "demand.growth", 3),
        ("move", "lines.mi300x.price", 20_000),
        ("reset", "demand.growth"),
        ("undo",),
        ("reset",),
        ("undo",),
        ("move", "demand.growth", 2),
        ("move", "lines.mi300x.price", 15_000),
    )
    assert acts["out"][2][1] == {"lines.mi300x.price": 20_000}
    assert acts["out"][4][1] == {}
    assert len(acts["out"][5][1]) == 2
    assert acts["out"][-1][1] == {}


def test_links_hold_the_whole_state() -> None:
    data = page()
    rng = random.Random(10)
    states: list[dict[str, Any]] = [
        {
            "changes": {
                name: value
                for name, value in {
                    "demand.growth": rng.uniform(0.6, 10.0),
                    "finance.real rate%": rng.uniform(5.0, 9.5),
                    "lines.mi300x.price": float(rng.randrange(10_000, 15_000)),
                }.items()
                if rng.random() < 0.7
            },
            "unit": rng.choice(["cents", "million-tokens", "mw-year"]),
            "pair": rng.sample(WAYS, 2),
            "future": rng.choice(["cheap", "middle", "dear"]),
            "tab": "compute",
        }
        for _ in range(200)
    ]
    links = called([("link", "linkOf", [data, state]) for state in states])
    back = called([("link", "stateOfLink", [data, link or "#v1"]) for link in links])
    assert [each["state"] for each in back] == states
    assert not any(each["faults"] for each in back)
    for state, link in zip(states, links, strict=True):
        if not link:
            continue
        read = read_link(link)
        assert (read.digest, read.changes) == (data["case"]["digest"], state["changes"])
        at_rest = {"unit": "cents", "a": "portfolio", "b": "buy", "future": "middle"}
        looks = {
            "unit": state["unit"],
            "a": state["pair"][0],
            "b": state["pair"][1],
            "future": state["future"],
        }
        assert {**at_rest, **read.looks} == looks
    assert called(
        [
            (
                "link",
                "linkOf",
                [
                    data,
                    {
                        **states[0],
                        "changes": {"demand.growth": 5, "finance.real rate%": 5.5},
                        "unit": "cents",
                        "pair": ["portfolio", "buy"],
                        "future": "middle",
                    },
                ],
            )
        ]
    ) == ["#v1&c=6242b62d&demand.growth=5&finance.real%20rate%25=5.5"]


@pytest.mark.parametrize(
    ("link", "changes", "faults"),
    [
        ("#v1&c=6242b62d&demand.growth=5", {"demand.growth": 5}, 0),
        ("#v1&c=00000000&demand.growth=5", {"demand.growth": 5}, 1),
        ("#v1&demand.growth=5&demand.growth=6", {"demand.growth": 5}, 1),
        ("#v1&demand.growth=50&lines.mi300x.price=20000", {"lines.mi300x.price": 20_000}, 1),
        ("#v1&demand.growth=1e1", {}, 1),
        ("#v1&demand.growth=0x5", {}, 1),
        ("#v1&demand.growth=", {}, 1),
        ("#v1&demand.growth", {}, 1),
        ("#v1&=5", {}, 1),
        ("#v1&%E0%A4%A=5", {}, 1),
        ("#v1&&&", {}, 3),
        ("#v1&__proto__=5&constructor=3", {}, 2),
        ("#v1&unit=euro&a=nobody&future=never", {}, 3),
        ("#v1&<img src=x onerror=alert(1)>=1", {}, 1),
        ("#v2&demand.growth=5", {}, 1),
        ("#v1&demand.growth=" + "5" * 5000, {}, 1),
        ("#v1&demand.growth=" + "9" * 400, {}, 1),
        ("#v1&demand.growth=2", {}, 0),
    ],
)
def test_hostile_and_aged_links(link: str, changes: dict[str, float], faults: int) -> None:
    answer = called([("link", "stateOfLink", [page(), link])])[0]
    assert answer["state"]["changes"] == changes
    assert len(answer["faults"]) == faults


@pytest.mark.parametrize("unit", ["cents", "million-tokens", "tokens-a-usd", "mw-year"])
def test_units_flip_exactly_there_and_back(unit: str) -> None:
    ways = page()["ways"]
    costs = [cost for way in ways for cost in (way["p10"], way["p50"], way["p90"])]
    there = called([("unit", "inUnit", [unit, cost, ways[k // 3]]) for k, cost in enumerate(costs)])
    back = called(
        [("unit", "outOfUnit", [unit, value, ways[k // 3]]) for k, value in enumerate(there)]
    )
    assert back == pytest.approx(costs, rel=1e-14)
    by_hand: dict[str, Callable[[float, Any], float]] = {
        "cents": lambda cost, way: cost * 100,
        "million-tokens": lambda cost, way: cost / way["tokens_per_query"] * 1e6,
        "tokens-a-usd": lambda cost, way: way["tokens_per_query"] / cost,
        "mw-year": lambda cost, way: cost * way["queries_per_mw_year"],
    }
    assert there == [by_hand[unit](cost, ways[k // 3]) for k, cost in enumerate(costs)]


def test_every_text_is_filled_as_python_fills_it() -> None:
    cases = [
        (template, dict.fromkeys(places_of(template), value))
        for template in load_texts().values()
        for value in ("1", "7", 1, "<b>$&</b>", "{n}")
    ]
    assert called([("texts", "filled", each) for each in cases]) == [fill(*each) for each in cases]


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no value for"):
        called([("texts", "filled", ["{n} chips", {}])])


def decided_page() -> Any:
    """The page of the made-up decision."""
    return page_data(decision())


def random_page(rng: random.Random) -> dict[str, Any]:
    """The small page with other costs, ties and parts that decide, now and then without another way."""
    data = copy.deepcopy(page())
    for each in data["ways"]:
        each["p50"] = rng.choice([each["p50"], 10 ** rng.uniform(-5, -1)])
        each["total"] *= rng.choice([1.0, 10 ** rng.uniform(-6, 3)])
        each["tie"] = rng.random() < 0.4
    data["against"] = rng.choice(["buy", "build", ""])
    for pair in data["pairs"].values():
        pair["tie"] = rng.random() < 0.3
        pair["decides"] = rng.choice(["cash", "unserved", "risk"])
    for each in data["controls"]:
        points = sorted(rng.uniform(each["low"], each["high"]) for _ in range(rng.randrange(3)))
        each["flips"] = [
            {"at": at, "below": rng.choice(WAYS), "above": rng.choice(WAYS)} for at in points
        ]
    return data


def test_the_verdict_is_that_of_python() -> None:
    pages = [random_page(random.Random(seed)) for seed in range(80)] + [decided_page()]
    assert called([("verdict", "verdictOf", [each]) for each in pages]) == [
        sentences.verdict_of(each) for each in pages
    ]
    assert called([("verdict", "toldApart", [each]) for each in pages]) == [
        sentences.told_apart(each) for each in pages
    ]
    measures = [
        (load_texts(), value, unit)
        for value in (0.0, 1.0, 0.5, 2.0, 12.0, 2.5e8, 1e10, -3.0)
        for unit in ("1", "%", "USD", "year", "week", "query/day", "chip", "no unit")
    ]
    assert called([("verdict", "measured", each) for each in measures]) == [
        sentences.unit_words(*each) for each in measures
    ]
    tracks = [(each, control) for each in pages for control in each["controls"]]
    assert called([("verdict", "flipSentences", each) for each in tracks]) == [
        sentences.flip_sentences(*each) for each in tracks
    ]


def test_sentences_of_question_futures_amounts_and_dates_are_those_of_python() -> None:
    data, texts = decided_page(), load_texts()
    values = [value for value in numbers(11, 200) if math.isfinite(value)]
    assert called([("verdict", "amount", [texts, value]) for value in values]) == [
        sentences.amount_words(texts, value) for value in values
    ]
    assert called([("verdict", "money", [texts, 2.77e8])]) == ["277 million USD"]
    shares = [k / 1000 for k in range(1001)]
    for name, python in (
        ("ofHundred", sentences.of_hundred),
        ("chanceWord", sentences.chance_word),
    ):
        assert called([("verdict", name, [share]) for share in shares]) == [
            python(share) for share in shares
        ]
    assert called([("verdict", "questionLine", [data])]) == [sentences.question_line(data)]
    assert called(
        [("verdict", "futureName", [data, future]) for future in data["futures"]["about"]]
    ) == [sentences.future_name(data, future) for future in data["futures"]["about"]]
    assert called(
        [("verdict", "dayWords", [texts, "2023-12-31", year]) for year in (True, False)]
    ) == [sentences.day_words(texts, "2023-12-31", year=year) for year in (True, False)]


def at(changes: dict[str, float], **parts: Any) -> dict[str, Any]:
    """A state."""
    return {
        "changes": changes,
        "unit": "cents",
        "pair": ["portfolio", "buy"],
        "future": "middle",
        "tab": "compute",
        **parts,
    }


def test_a_moved_verdict_is_what_python_says_of_the_moved_ways() -> None:
    data, rng = page(), random.Random(12)
    states = [at({"demand.growth": rng.uniform(0.6, 10.0)}) for _ in range(30)]
    states += [
        at({"lines.mi300x.price": rng.uniform(1e4, 2.2e4), "demand.growth": rng.uniform(0.6, 10.0)})
        for _ in range(30)
    ]
    views = called([("view", "viewOf", [data, state]) for state in states])
    first = {view["recommended"] for view in views}
    assert {"portfolio", "buy"} <= first
    for view in views:
        assert view["level"] == "rough"
        assert view["mark"] == "rough, 3 futures"
        assert view["verdict"] == sentences.verdict_of({**data, **view})
        assert [way["more"] for way in view["ways"]] == sorted(way["more"] for way in view["ways"])
        assert view["ways"][0]["key"] == view["recommended"]
        assert view["ways"][0]["more"] == 0.0
        for name, pair in view["pairs"].items():
            assert math.fsum(row["usd"] for row in pair["bridge"]) == pytest.approx(
                pair["difference"], abs=1e-3
            )
            assert pair["tie"] == (abs(pair["difference"]) <= 2 * data["pairs"][name]["error"])


def test_at_rest_the_view_is_the_page_and_a_move_by_nothing_is_no_move() -> None:
    data = page()
    rest, beyond = called(
        [
            ("view", "viewOf", [data, at({})]),
            ("view", "viewOf", [data, at({"finance.real rate%": 6.0})]),
        ]
    )
    for view, level in ((rest, "base"), (beyond, "beyond")):
        assert view["level"] == level
        assert view["verdict"] == data["verdict"]
        assert [{**way, "base": None, "stale": None} for way in view["ways"]] == [
            {**way, "base": None, "stale": None} for way in data["ways"]
        ]
        assert [way["base"] for way in view["ways"]] == data["ways"]
    assert not any(way["stale"] for way in rest["ways"])
    assert not rest["stale"]
    assert all({"p50", "total", "dots", "short"} <= set(way["stale"]) for way in beyond["ways"])
    assert beyond["stale"]
    assert beyond["beyond"]["command"] == (
        "fabless decide openai-2023 --link '#v1&c=6242b62d&finance.real%20rate%25=6'"
    )
    same = called([("state", "withChange", [data, {}, "demand.growth", 2.0])])
    assert same == [{}]


def test_numbers_that_the_table_does_not_carry_are_stale_and_as_they_were() -> None:
    data = page()
    view = called([("view", "viewOf", [data, at({"demand.growth": 4.0})])])[0]
    for way in view["ways"]:
        base = next(each for each in data["ways"] if each["key"] == way["key"])
        assert {"p10", "p90", "mean", "short", "dots", "own"} <= set(way["stale"])
        assert "p50" not in way["stale"]
        assert way["p50"] != base["p50"]
        assert all(way[name] == base[name] for name in way["stale"])


def totals_in(answer: dict[str, Any]) -> Callable[[str], float]:
    """Total of a way in an answer of the table."""
    return lambda way: float(answer[way]["total"])


def test_flips_of_a_second_input_are_where_the_winner_changes() -> None:
    data = page()
    changes = {"demand.growth": 0.8}
    view = called([("view", "viewOf", [data, at(changes)])])[0]
    assert view["flips"]["programmes.own.delay"] is None
    flips = view["flips"]["lines.mi300x.price"]
    assert flips
    for flip in flips:
        beside = [
            {**changes, "lines.mi300x.price": flip["at"] * factor} for factor in (0.999, 1.001)
        ]
        below, above = [
            min(answer, key=totals_in(answer))
            for answer in called([("answers", "answersAt", [data, each]) for each in beside])
        ]
        assert (below, above) == (flip["below"], flip["above"])


def test_steps_of_a_slider_are_told_apart() -> None:
    rng = random.Random(16)
    ranges = [sorted((rng.uniform(0.001, 1.0), rng.uniform(0.001, 1.0))) for _ in range(50)]
    ranges += [[low, low * rng.uniform(1.001, 1.1)] for low in (10.0**k for k in range(-4, 10))]
    for (low, high), digits in zip(
        ranges, called([("tracks", "stepDigits", [each]) for each in ranges]), strict=True
    ):
        values = [float(f"{low + (high - low) * k / 100:.{digits}g}") for k in range(101)]
        assert values == sorted(set(values))


def test_the_strip_says_what_changed() -> None:
    data = page()
    moves = [
        {},
        {"demand.growth": 2.2},
        {"demand.growth": 10.0, "lines.mi300x.price": 21_000.0},
        {"finance.real rate%": 6.0},
    ]
    views = called([("view", "viewOf", [data, at(changes)]) for changes in moves])
    strips = called(
        [
            ("strip", "stripOf", [data, at(changes), view])
            for changes, view in zip(moves, views, strict=True)
        ]
    )
    assert strips[0] is None
    assert strips[1]["changed"] == "You changed: growth 2 to 2.2."
    assert strips[1]["verdict"] == "Verdict unchanged."
    assert strips[1]["lead"].startswith("Lead over buy 2 billion to 1.")
    assert strips[1]["mark"] == "rough, 3 futures"
    assert strips[2]["changed"] == "You changed: growth 2 to 10, price 15,000 to 21,000 USD."
    assert strips[2]["verdict"] == "Verdict changed: Take buy."
    assert strips[2]["lead"].startswith("Lead over portfolio ")
    assert strips[3] == {
        "changed": "You changed: real rate 7 to 6%.",
        "verdict": "Not answered here.",
        "lead": "",
        "mark": "",
    }


@pytest.fixture(scope="module")
def reference() -> Case:
    return read_case("openai-2023")


def page_of(case: Case) -> dict[str, Any]:
    """The part of a case's page that links and saved cases are made from."""
    rows = [
        {"name": number.name, "label": number.name, "fixed": "", **range_fields(number)}
        for number in named(case.numbers).values()
    ]
    return {
        **page(),
        "case": {"name": case.name, "title": case.title, "digest": case_digest(case)},
        "inputs": rows,
    }


def test_a_saved_case_is_that_of_python_to_the_byte(reference: Case) -> None:
    rng, data, known = random.Random(13), page_of(reference), movable(reference)
    moves: list[dict[str, float]] = []
    for name, number in known.items():
        low, mode, high = shown_range(number)
        moves += [
            {name: value}
            for value in (low, high, rng.uniform(low, high), float(f"{rng.uniform(low, high):.2g}"))
            if low <= value <= high and value != mode
        ]
    for _ in range(60):
        moves.append(
            {
                name: rng.uniform(shown_range(known[name])[0], shown_range(known[name])[2])
                for name in rng.sample(sorted(known), rng.randrange(2, 12))
            }
        )
    texts = called([("save", "caseFileText", [data, each]) for each in moves])
    assert [
        (each, text)
        for each, text in zip(moves, texts, strict=True)
        if text != case_yaml(reference, each)
    ] == []
    strange = replace(reference, name="yes", title='Ünïcode "quoted" \u2028 \\ <b>')
    data = {**data, "case": {**data["case"], "name": "yes", "title": strange.title}}
    assert called([("save", "caseFileText", [data, moves[0]])]) == [case_yaml(strange, moves[0])]


def test_links_of_the_page_are_those_of_python(reference: Case) -> None:
    rng, data, known = random.Random(14), page_of(reference), movable(reference)
    moves = [
        {
            name: rng.uniform(shown_range(known[name])[0], shown_range(known[name])[2])
            for name in rng.sample(sorted(known), rng.randrange(1, 6))
        }
        for _ in range(80)
    ]
    links = called([("link", "linkOf", [data, at(each)]) for each in moves])
    assert links == [link_of(reference, each) for each in moves]
    back = called([("link", "stateOfLink", [data, link]) for link in links])
    assert [each["state"]["changes"] for each in back] == moves


def test_decimals_are_those_of_python() -> None:
    values = [value for value in numbers(15, 400) if math.isfinite(value)] + [
        5e-324,
        1.7e308,
        1e21,
        123456789012345680000.0,
    ]
    assert called([("link", "decimal", [value]) for value in values]) == [
        decimal(value) for value in values
    ]
