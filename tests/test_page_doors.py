"""Every door says the same: the page, `--json` and the terminal, to the last digit that each shows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from rich.console import Console

from fabless.report import as_json
from fabless.report.page.data import page_data
from fabless.report.page.file import write_report
from fabless.report.terminal import print_decision
from fabless.units import from_si
from moved_decision_fixture import moved_decision
from opened_page import BROWSER_MARKS, chromium, open_view, settle, table_rows

NUMBER = re.compile(
    r"([+−-]?)\$?(\d[\d,]*(?:\.\d+)?) ?(k\b|M\b|B\b|T\b|bn\b|m\b|million\b|billion\b|trillion\b|%)?"
)
SCALES = {"": 1.0, "%": 0.01, "k": 1e3, "M": 1e6, "m": 1e6, "million": 1e6, "B": 1e9, "bn": 1e9,
          "billion": 1e9, "T": 1e12, "trillion": 1e12}
NOT_OF_THE_DECISION = re.compile(
    r"version$|ways/\d+/slot$|when/lines/\d+/slot$|controls/\d+/flips/|tries/\d+/changes/")
"""Numbers of the page that state nothing of the decision, or that other tests work out anew."""
LEVELS = {"cash": "cash_usd", "unserved": "unserved_usd", "risk": "risk_usd",
          "cents": "cost_per_query_usd", "missing": "missing_share"}
BRIDGE_STEPS = {"price": "Price of chips", "performance": "Performance", "software": "Software",
                "dates": "Delivery", "unserved": "Unserved queries", "programme": "Chip programmes",
                "risk": "Risk"}
TABS = ("compute", "spend", "cents")


@cache
def document() -> dict[str, Any]:
    """The decision as `--json` gives it."""
    return json.loads(as_json(moved_decision()))


@cache
def data() -> dict[str, Any]:
    """The decision as the page carries it."""
    return page_data(moved_decision())


@cache
def terminal() -> str:
    """The decision as the terminal prints it."""
    console = Console(file=io.StringIO(), width=140)
    print_decision(moved_decision(), console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def way_of(key: str) -> dict[str, Any]:
    return next(way for way in document()["strategies"] if way["name"] == key)


def ranked() -> list[dict[str, Any]]:
    first = document()["recommended"]
    return sorted(document()["strategies"], key=lambda way: (way["name"] != first, way["total_usd"]))


# The numbers of the page's data, from the JSON document alone.


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}/{key}" if path else str(key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, f"{path}/{place}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def way_numbers(way: dict[str, Any]) -> dict[str, Any]:
    cost, own, futures = way["cost_per_query_usd"], way["own_silicon_quarter"], future_of(way["name"])
    order = sorted(range(document()["futures"]["paths"]), key=futures["cost_per_query_usd"].__getitem__)
    middle = order[(len(order) - 1) // 2]
    stops = sum(chance for _, chance in way["programme"]["as_option"]["given_up"]) if way["programme"] else sum(
        step["give_up"] for plan in way["gates"] if [plan["name"]] == way["programmes"][:1] for step in plan["steps"])
    return {
        **cost, "total": way["total_usd"], "cash": way["cash_usd"], "unserved": way["unserved_usd"],
        "risk": way["risk_usd"], "short": way["shortage_probability"],
        "missing": way["shortage_share"]["mean"], "more": way["regret_usd"],
        "more_error": way["regret_error_usd"],
        "own": None if not own and not way["programmes"] else {
            "chance": way["own_silicon_probability"] if own else 0.0, "stopped_chance": stops},
        "open": len(way["lines"]) + len(way["gates"]),
        "tokens_per_query": futures["tokens_per_query"][middle],
        "queries_per_mw_year": futures["queries_per_mw_year"][middle],
        "dots": [{"f": path, "c": futures["cost_per_query_usd"][path],
                  "s": int(futures["is_short"][path]), "t": futures["tokens_per_query"][path],
                  "q": futures["queries_per_mw_year"][path]} for path in futures["dots"]],
    }


def future_of(way: str) -> dict[str, Any]:
    return next(item for item in document()["futures"]["ways"] if item["way"] == way)


def pair_numbers() -> dict[str, Any]:
    rows = {}
    for pair in document()["pairs"]:
        for key, sign in ((f"{pair['way']}|{pair['other']}", 1), (f"{pair['other']}|{pair['way']}", -1)):
            rows[key] = {
                "difference": sign * pair["difference_usd"], "error": pair["error_usd"],
                "cash": sign * pair["cash_usd"], "unserved": sign * pair["unserved_usd"],
                "risk": sign * pair["risk_usd"],
                "bridge": [{"usd": sign * row["usd"]} for row in pair["bridge"]]}
    return rows


def future_numbers() -> dict[str, Any]:
    ways = document()["futures"]["ways"]
    shown = document()["futures"]["shown"]
    paths = sorted({path for way in ways for path in way["dots"]} | {path for _, path in shown})
    columns = {"cost": "cost_per_query_usd", "short": "is_short", "tokens": "tokens_per_query",
               "mw": "queries_per_mw_year"}
    return {"paths": paths, "shown": [{"f": path} for _, path in shown]} | {
        key: {way["way"]: {str(path): float(way[column][path]) for path in paths} for way in ways}
        for key, column in columns.items()}


def when_numbers() -> dict[str, Any]:
    courses: dict[str, Any] = {}
    for course in document()["futures"]["courses"]:
        courses.setdefault(course["way"], {})[course["future"]] = {
            "wanted": course["wanted"], "missing": course["missing"],
            "compute": dict(course["compute"]), "spend": dict(course["spend_usd"]),
            "cents": course["cost_per_query_usd"]}
    demand = [row["queries_per_day"] for row in document()["demand_by_quarter"]]
    return {
        "years": document()["futures"]["years"], "courses": courses,
        "futures": [{"f": path} for _, path in document()["futures"]["shown"]],
        "demand": {key: [band[key] for band in demand] for key in ("p10", "p50", "p90")},
        "short_by_year": {
            way["name"]: [[row["year"], row["probability"], row["expected_share"]]
                          for row in way["shortage_by_year"]] for way in document()["strategies"]}}


def level_numbers(levels: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["way"]: {key: row[field] for key, field in LEVELS.items()} for row in levels}


def input_numbers(row: dict[str, Any]) -> dict[str, Any]:
    spread = row["spread"]
    least, most = row["bounds"]
    return {key: None if value is None else from_si(value, row["unit"]) for key, value in (
        ("value", spread["mode"]), ("low", spread["low"]), ("high", spread["high"]),
        ("least", least), ("most", most))}


def own_numbers() -> dict[str, Any]:
    stages: dict[str, list[Any]] = {}
    for stage in document()["timeline"]:
        bands = {end: {key: stage[end][key] for key in ("p10", "p50", "p90")} for end in ("start", "end")}
        stages.setdefault(stage["programme"], []).append(bands)
    worth = {item["name"]: item for item in document()["programme_values"]}
    plans = {gate["name"]: gate for way in reversed(document()["strategies"])
             for gate in way["gates"]}
    plans |= {gate["name"]: gate for way in document()["strategies"] for gate in way["gates"]
              if way["programme"] and way["programme"]["name"] == gate["name"]}
    rows = []
    for name in dict.fromkeys((*worth, *stages)):
        known = worth.get(name, {})
        plan = plans.get(name, {"steps": []})
        ends = [step["quarter"] for step in plan["steps"] if step["give_up"] > 0.0][:1]
        rows.append({
            "stages": stages.get(name, []), "chance": known.get("volume_probability"),
            "value": known.get("value_usd"), "value_error": known.get("error_usd"),
            "gates": [{key: step[key] for key in ("start", "go_on", "give_up")}
                      | {"sunk": plan["committed_usd"] if ends == [step["quarter"]] else None}
                      for step in plan["steps"]]})
    return {"programmes": rows,
            "breaks": [{"at": flip["value"]} for flip in document()["questions"]["flips"]]}


def action_numbers() -> list[dict[str, Any]]:
    return [{"amount": action["amount"], "spend": action["spend_usd"], "delay": action["delay_cost_usd"],
             "delay_error": action["delay_error_usd"], "stop_number": action["stop"],
             "double_number": action["double"]} for action in ranked()[0]["actions"]]


def holds_numbers() -> dict[str, Any]:
    asked, best = document()["questions"], document()["recommended"]
    rankings = asked["stability"]["rankings"]
    strike = next(item for item in asked["resilience"] if item["way"] == best)
    return {
        "first_of": [sum(best in ranking[0].split(" = ") for ranking in rankings), len(rankings)],
        "rerun_leaves": asked["stability"]["leaves"], "paths": document()["futures"]["paths"],
        "strike": {"quarters": strike["quarters"], "before": strike["missing_before"],
                   "after": strike["missing_after"]},
        "foresight": document()["foresight"]["evpi_usd"],
        "unknown": [{"value": item["value_usd"]} for item in asked["knowledge"][:3]]}


def limit_rows() -> list[dict[str, Any]]:
    dearest: dict[str, dict[str, Any]] = {}
    for price in document()["shadow_prices"]:
        if price["value_usd"] > dearest.get(price["limit"], {"value_usd": 0.0})["value_usd"]:
            dearest[price["limit"]] = price
    return sorted(dearest.values(), key=lambda price: -price["value_usd"])[:3]


def stated() -> list[dict[str, Any]]:
    return [row for row in document()["assumptions"] if not row["name"].startswith("performance.")]


def numbers_of_the_document() -> dict[str, Any]:
    """Every number of the page's data, in its place, from `--json` alone."""
    answers = document()["questions"]["answers"]
    known = {row["name"]: row for row in document()["assumptions"]}
    return {
        "case": {
            **{key: document()[key] for key in ("quarters", "price_year", "seed", "leaves")},
            "paths": document()["futures"]["paths"],
            "seeds": len(document()["questions"]["stability"]["seeds"])},
        "ways": [way_numbers(way) for way in ranked()], "pairs": pair_numbers(),
        "own": own_numbers(), "actions": action_numbers(), "holds": holds_numbers(),
        "futures": future_numbers(), "when": when_numbers(),
        "controls": [{"value": row["value"], "x": row["values"], "levels": level_numbers(row["levels"]),
                      **{key: input_numbers(known[row["name"]])[key] for key in ("low", "high")}}
                     for row in answers["inputs"]],
        "crossed": [{"x": pair["values"], "levels": level_numbers(pair["levels"])}
                    for pair in answers["pairs"]],
        "check": {**answers["check"], "leaves": answers["leaves"]},
        "inputs": [input_numbers(row) for row in document()["assumptions"]],
        "limits": [{"value": row["value_usd"], "low": row["low_usd"], "high": row["high_usd"],
                    "binds": row["binds_probability"]} for row in limit_rows()],
        "assumed": sum(row["grade"] == "assumption" for row in stated()), "of": len(stated()),
    }


def test_every_number_of_the_page_data_is_that_of_the_json_document() -> None:
    from_document = dict(leaves(numbers_of_the_document()))
    on_page = {path: value for path, value in leaves({key: part for key, part in data().items() if key != "texts"})
               if not NOT_OF_THE_DECISION.match(path)}
    assert on_page.keys() == from_document.keys()
    wrong = {path: (value, from_document[path]) for path, value in on_page.items()
             if value != from_document[path]}
    assert wrong == {}
    assert len(on_page) > 5000


# The numbers that a reader sees, on the page and on the terminal.


def assert_shown(text: str, exact: float, steps: float = 0.5) -> None:
    """The one number of `text` is `exact`, to within `steps` of the last digit shown: a half, or one
    where the parts of a sum are rounded so that they add up."""
    found = NUMBER.search(text)
    assert found, f"no number in {text!r}, not {exact}"
    sign, digits, suffix = found.groups()
    scale = SCALES[suffix or ""]
    value = float(digits.replace(",", "")) * scale * (-1 if sign in ("−", "-") else 1)
    step = scale * 10.0 ** -len(digits.partition(".")[2])
    if text[found.end():].lstrip().startswith("USD"):  # money in words has three digits that count
        step = max(step, scale * 10.0 ** (len(digits.replace(",", "").partition(".")[0]) - 3))
    assert abs(value - exact) <= steps * step * (1.0 + 1e-9), f"{text!r} shows {value}, not {exact}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    file = write_report(moved_decision(), Path(tmp_path_factory.mktemp("doors")) / "report.html")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(file.as_uri())
        page.wait_for_selector("#ways .dot")
        yield page


def terminal_table(first_words: str) -> dict[str, list[str]]:
    """Rows of the first table of the terminal below a line that begins so, by their first cell."""
    lines = terminal().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(first_words))
    rule = next(place for place in range(start, len(lines)) if lines[place].startswith("─"))
    rows = {}
    for line in lines[rule + 1:]:
        cells = re.split(r" {2,}", line.strip())
        if len(cells) < 2:
            break
        rows[cells[0].rstrip("*")] = cells
    return rows


class TestSeen:
    """What the page shows, read in a browser."""

    pytestmark = BROWSER_MARKS

    def test_verdict_and_claims_are_those_of_the_terminal(self, opened: Page) -> None:
        verdict, *claims = [line.strip() for line in terminal().splitlines()[:4]]
        assert " ".join(opened.locator("#verdict").inner_text().split()) == verdict
        for place, claim in enumerate(claims):
            shown = " ".join(opened.locator("#claims li").nth(place).inner_text().split())
            assert shown.startswith(claim)

    def test_ways(self, opened: Page) -> None:
        costs, money = terminal_table("Way         P10"), terminal_table("Way          Cash")
        table = table_rows(open_view(opened, "ways-picture", "table"))[1:]
        open_view(opened, "ways-picture", "picture")
        rows = opened.locator("#ways tbody tr")
        assert rows.count() == len(table) == len(ranked()) == len(costs) == len(money)
        for place, way in enumerate(ranked()):
            cost, row, behind = way["cost_per_query_usd"], rows.nth(place), table[place]
            printed, paid = costs[way["label"]], money[way["label"]]
            assert row.get_attribute("data-way") == way["name"]
            for text in (row.locator("td.middle").inner_text(), behind[2], printed[2]):
                assert_shown(text, 100 * cost["p50"])
            assert row.locator("td.middle").inner_text() == behind[2] == printed[2]
            assert [behind[1], behind[3]] == [printed[1], printed[3]]
            assert_shown(behind[1], 100 * cost["p10"])
            assert_shown(behind[3], 100 * cost["p90"])
            short = row.locator("td.short").inner_text()
            assert short.split()[0] == behind[4] == printed[4].rstrip("%")
            assert_shown(short, 100 * way["shortage_probability"])
            assert behind[5] == printed[5]
            assert_shown(behind[5], way["shortage_share"]["mean"])
            if way["name"] != document()["recommended"]:
                assert row.locator("td.more").inner_text() == behind[6]
                assert_shown(behind[6], way["regret_usd"])
                assert_shown(paid[6], way["regret_usd"])
            own = way["own_silicon_quarter"]
            assert ("none" in (row.locator("td.own").get_attribute("class") or "")) == (own is None)
            if own:
                words = row.locator("td.own").inner_text()
                assert own["p50"].replace("Q", " Q") in words
                assert own["p50"] in printed[6]
                assert_shown(words.partition(", in ")[2].split()[0], 100 * way["own_silicon_probability"])
            for text, key in zip(paid[1:5], ("cash_usd", "unserved_usd", "risk_usd", "total_usd"), strict=True):
                assert_shown(text, way[key], steps=1.0)

    def test_every_end_and_step_of_every_bridge(self, opened: Page) -> None:
        menus = opened.locator("#why-sentence select")
        for pair in document()["pairs"]:
            for key, other, sign in ((pair["way"], pair["other"], 1), (pair["other"], pair["way"], -1)):
                opened.evaluate("pair => { for (const [side, key] of pair.entries()) { const menu = "
                                "document.querySelectorAll('#why-sentence select')[side]; menu.value = key; "
                                "menu.dispatchEvent(new Event('change')); } }", [key, other])
                settle(opened)
                if menus.nth(0).input_value() != key:  # the two had changed places
                    menus.nth(0).select_option(key)
                    settle(opened)
                assert [menus.nth(side).input_value() for side in (0, 1)] == [key, other]
                texts = opened.locator("#why-picture text").all_text_contents()
                table = table_rows(open_view(opened, "why-picture", "table"))[1:]
                open_view(opened, "why-picture", "picture")
                assert [word for row in table for word in row[:2]] == texts
                steps = {row["part"]: sign * row["usd"] for row in pair["bridge"] if row["usd"]}
                assert [row[0] for row in table[1:-1]] == [BRIDGE_STEPS[part] for part in steps]
                unit = " bn" if opened.locator("#why-picture .note").inner_text().startswith("Billion") else " m"
                for row, exact in zip(table, [way_of(other)["total_usd"], *steps.values(), way_of(key)["total_usd"]],
                                      strict=True):
                    assert_shown(row[1] + unit, exact, steps=1.0)
                sentence = opened.locator("#why-sentence").evaluate(
                    "place => [...place.childNodes].filter(node => node.nodeType === 3)"
                    ".map(node => node.textContent).join(' ')")
                assert_shown(sentence, abs(pair["difference_usd"]))

    def test_the_bridge_of_the_terminal(self) -> None:
        best = ranked()[0]["name"]
        pair = next(item for item in document()["pairs"] if {item["way"], item["other"]} == {best, data()["against"]})
        printed = terminal()[terminal().index("Why portfolio and not buy"):].splitlines()[1:]
        for line, usd in zip(printed, [*(row["usd"] for row in pair["bridge"]), pair["difference_usd"]], strict=False):
            assert_shown(line.strip(), usd, steps=1.0)

    @pytest.mark.parametrize("tab", TABS)
    def test_every_cell_of_the_tables_through_time(self, opened: Page, tab: str) -> None:
        opened.locator(f'#when-tabs [data-tab="{tab}"]').click()
        best = when_numbers()["courses"][document()["recommended"]]
        for future, course in best.items():
            opened.locator("#when-future").select_option(future)
            settle(opened)
            head, *rows = table_rows(open_view(opened, "when-picture", "table"))
            open_view(opened, "when-picture", "picture")
            named = {line["name"]: line["key"] for line in data()["when"]["lines"]}
            for row in rows:
                place = rows.index(row)
                for title, text in zip(head[1:], row[1:], strict=True):
                    if tab == "cents":
                        assert_shown(text, 100 * course["cents"][place])
                    elif tab == "spend":
                        assert_shown(text + " bn", course["spend"][named[title]][place])
                    else:
                        column = {"missing": course["missing"], "Demand": course["wanted"]}
                        values = column[title] if title in column else course["compute"][named[title]]
                        assert_shown(text, values[place])
            times = when_numbers()["years"] if tab != "compute" else data()["when"]["quarters"]
            assert [row[0] for row in rows] == [str(time) for time in times]
            shown = {"cents": 1, "spend": sum(any(values) for values in course["spend"].values()),
                     "compute": sum(any(values) for values in course["compute"].values()) + 2}
            assert len(head) == 1 + shown[tab]

    def test_limits(self, opened: Page) -> None:
        shown = opened.locator("#one-more p").all_inner_texts()
        assert len(shown) == len(limit_rows()) > 0
        for text, limit in zip(shown, limit_rows(), strict=True):
            money, spread = text.splitlines()[0], text.splitlines()[-1]
            assert_shown(money, limit["value_usd"])
            line = next(line for line in terminal().splitlines() if line.startswith(f"- {limit['text']}"))
            assert_shown(line.rpartition("worth up to ")[2], limit["value_usd"])
            low, _, high = spread.partition(" to ")
            assert_shown(low, limit["low_usd"])
            assert_shown(high, limit["high_usd"])

    def test_what_the_first_steps_cost(self, opened: Page) -> None:
        actions = ranked()[0]["actions"]
        rows = opened.locator("#actions tbody tr")
        assert rows.count() == len(actions)
        assert_shown(opened.locator("#part-actions .lead").inner_text(),
                     sum(action["spend_usd"] for action in actions))
        printed = [line for line in terminal().splitlines() if re.match(r"- (by )?\d{4}-\d\d-\d\d", line)]
        for place, (action, line) in enumerate(zip(actions, printed, strict=True)):
            row = rows.nth(place)
            assert_shown(row.locator(".spend").inner_text() + " million", action["spend_usd"])
            assert_shown(line[line.index(action["what"]) + len(action["what"]):], action["spend_usd"])
            delay, error = action["delay_cost_usd"], action["delay_error_usd"]
            text = row.locator(".delay").inner_text()
            if delay is None:
                assert "–" in text
            elif error and abs(delay) < 2 * error:
                assert "cannot be told" in text
            else:
                assert_shown(text + " million", delay)

    def test_how_well_it_holds(self, opened: Page) -> None:
        held = holds_numbers()
        figures = opened.locator("#holds dt").all_inner_texts()
        assert figures[0].split(" of ") == [str(number) for number in held["first_of"]]
        assert f"{held['first_of'][1]} seeds: portfolio first in {held['first_of'][0]}," in terminal()
        assert_shown(figures[1], held["paths"])
        before, _, after = figures[2].partition(" → ")
        assert_shown(before, held["strike"]["before"])
        assert_shown(after, held["strike"]["after"])
        assert f"{after} of that year's compute missing, not {before}" in terminal().replace("\n  ", " ")
        assert_shown(figures[3], held["foresight"])

    def test_what_moves_it(self, opened: Page) -> None:
        _, *rows = table_rows(open_view(opened, "moves-picture", "table"))
        open_view(opened, "moves-picture", "picture")
        inputs = document()["questions"]["answers"]["inputs"]
        assert len(rows) == len(inputs)
        for row, moved, control in zip(rows, inputs, data()["controls"], strict=True):
            section, key = moved["name"].split(".")[0], moved["name"].split(".")[-1]
            word = (data()["texts"].get(f"bare_{section}_{key}", "") if moved["unit"] == "1" else
                    data()["texts"].get(f"in_{moved['unit']}", f"{{value}} {moved['unit']}").removeprefix("{value}").strip())
            assert row[1].split(" ", 1)[1:] == ([word] if word else [])
            assert_shown(row[1].split(" ", 1)[0], moved["value"])
            assert_shown(row[2], moved["values"][0])
            assert_shown(row[3], moved["values"][-1])
            flips = control["flips"]
            winners = (flips[0]["below"], flips[-1]["above"]) if flips else (document()["recommended"],) * 2
            for text, way, place in zip(row[4:6], winners, (0, -1), strict=True):
                levels = next(level for level in moved["levels"] if level["way"] == way)
                assert_shown(text, 100 * levels["cost_per_query_usd"][place])
            box = opened.locator(f'.control[data-name="{moved["name"]}"] input[type="text"]')
            assert_shown(box.input_value(), moved["value"])


@pytest.mark.parametrize(("text", "exact"), [("0.52", 0.526), ("+9.3 bn", 9.2e9), ("$41.0M", 41.2e6), ("19%", 0.2)])
def test_a_wrong_last_digit_is_noticed(text: str, exact: float) -> None:
    with pytest.raises(AssertionError):
        assert_shown(text, exact)
