"""Units: every picture in every unit of the menu, its title, axis, tooltips and table in that unit,
and every value as Python works it out from the page's data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from fabless.decide import Decision
from fabless.report.page.data import page_data
from fabless.report.page.file import write_report
from moved_decision_fixture import moved_decision
from opened_page import BROWSER_MARKS, chromium, open_view, settle, table_rows

pytestmark = BROWSER_MARKS
TITLES = {
    "cents": "Cents per query",
    "million-tokens": "USD a million tokens",
    "tokens-a-usd": "Tokens a USD",
    "mw-year": "USD a MW-year",
}
"""Units of the menu, each with the words that stand over a picture in it."""
NAMES = {"cents": "cents a query", "million-tokens": "USD a million tokens",
         "tokens-a-usd": "tokens a USD", "mw-year": "USD a MW-year"}
"""Units as they stand within a sentence."""
IN_WORDS = {
    "cents": r"(\S+) cents a query",
    "million-tokens": r"(\S+) USD a million tokens",
    "tokens-a-usd": r"(\S+) tokens a USD",
    "mw-year": r"(\S+) a MW-year",
}
SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


@cache
def made() -> Decision:
    """The made-up decision, with tokens and queries of a MW-year that differ by way and future."""
    base = moved_decision()
    ways = tuple(
        replace(
            way,
            tokens_per_query=tuple(400.0 + 31.0 * place + 3.0 * k for k in range(base.futures.paths)),
            queries_per_mw_year=tuple(9e9 + 7e8 * place + 1e8 * k for k in range(base.futures.paths)),
        )
        for place, way in enumerate(base.futures.ways)
    )
    return replace(base, futures=replace(base.futures, ways=ways))


@cache
def data() -> dict[str, Any]:
    return page_data(made())


def turned(unit: str, cost_usd: float, tokens: float, queries: float) -> float:
    """A cost of a query in a unit, from the tokens of a query and the queries of a MW-year."""
    return {
        "cents": 100.0 * cost_usd,
        "million-tokens": 1e6 * cost_usd / tokens,
        "tokens-a-usd": tokens / cost_usd,
        "mw-year": cost_usd * queries,
    }[unit]


def of_way(unit: str, cost_usd: float, way: dict[str, Any]) -> float:
    return turned(unit, cost_usd, way["tokens_per_query"], way["queries_per_mw_year"])


def assert_shown(unit: str, text: str, exact: float) -> None:
    """A text is a value of a unit, right to half of its last digit."""
    found = re.fullmatch(r"(\$?)(\d[\d,]*(?:\.\d+)?)([kMBT]?)", text)
    assert found, text
    assert (found[1] == "$") == (unit == "mw-year"), f"{text!r} is not written as {unit}"
    scale = SCALES[found[3]]
    step = scale * 10.0 ** -len(found[2].partition(".")[2])
    if unit in ("million-tokens", "mw-year") and "." not in found[2]:  # three digits that count
        step = max(step, scale * 10.0 ** (len(found[2].replace(",", "")) - 3))
    value = float(found[2].replace(",", "")) * scale
    assert abs(value - exact) <= 0.5 * step * (1.0 + 1e-9), f"{text!r} is not {exact} in {unit}"


def number_of(text: str) -> float:
    found = re.search(r"\$?(\d[\d,]*(?:\.\d+)?)([kMBT]?)", text)
    assert found, text
    return float(found[1].replace(",", "")) * SCALES[found[2]]


def assert_on_axis(ticks: list[tuple[float, float]], points: list[tuple[float, float]]) -> None:
    """Ticks (place, value) stand on the axis on which the points do, even in the value or in its
    logarithm."""
    assert len(ticks) >= 2
    misses = []
    reads = (float, math.log) if all(value > 0.0 for _, value in (*points, *ticks)) else (float,)
    for read in reads:
        (first, low), (last, high) = min(points), max(points)
        slope = (last - first) / (read(high) - read(low))
        misses.append(max(abs(first + slope * (read(value) - read(low)) - place)
                          for place, value in (*points, *ticks)))
    assert min(misses) < 0.6, f"ticks are {min(misses)} px from where their values stand"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    file = write_report(made(), Path(tmp_path_factory.mktemp("units")) / "report.html")
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.goto(file.as_uri())
        opened.wait_for_selector("#ways .dot")
        yield opened


@pytest.fixture(params=TITLES)
def unit(page: Page, request: pytest.FixtureRequest) -> str:
    """Each unit, chosen in the menu."""
    page.locator("#unit").select_option(request.param)
    settle(page)
    return str(request.param)


def test_the_menu_holds_these_units(page: Page) -> None:
    assert page.locator("#unit option").all_inner_texts() == list(TITLES.values())


def test_dots(page: Page, unit: str) -> None:
    assert page.locator("#unit option:checked").inner_text() == TITLES[unit]
    places = page.evaluate(
        "[...document.querySelectorAll('#ways tbody tr')].map(row => "
        "[...row.querySelectorAll('.dot')].map(dot => Number(dot.getAttribute('cx'))))")
    ticks = page.evaluate(
        "[...document.querySelectorAll('#ways thead .tick')].map(tick => "
        "[Number(tick.getAttribute('x')), tick.textContent])")
    points = [(place, turned(unit, dot["c"], dot["t"], dot["q"]))
              for way, row in zip(data()["ways"], places, strict=True)
              for dot, place in zip(way["dots"], row, strict=True)]
    assert_on_axis([(place, number_of(text)) for place, text in ticks if place > 12.0], points)
    assert all(("$" in text) == (unit == "mw-year") for _, text in ticks)
    assert ("cents" in " ".join(text for _, text in ticks)) == (unit == "cents")
    table = table_rows(open_view(page, "ways-picture", "table"))[1:]
    caption = page.locator("#ways-picture + .behind caption").inner_text()
    open_view(page, "ways-picture", "picture")
    assert caption.startswith(TITLES[unit])
    rows = page.locator("#ways tbody tr")
    for place, way in enumerate(data()["ways"]):
        row = rows.nth(place)
        middle = of_way(unit, way["p50"], way)
        assert_shown(unit, row.locator("td.middle").inner_text(), middle)
        label = re.search(IN_WORDS[unit], row.locator("td.dots svg").get_attribute("aria-label") or "")
        assert label
        assert_shown(unit, label[1], middle)
        for text, key in zip(table[place][1:4], ("p10", "p50", "p90"), strict=True):
            assert_shown(unit, text, of_way(unit, way[key], way))


def test_every_dot_is_named_in_the_unit(page: Page, unit: str) -> None:
    named = page.evaluate("""() => [...document.querySelectorAll('#ways tbody svg')].map(row => {
        const said = [];
        for (const key of ["Home", ...Array(19).fill("ArrowRight")]) {
            row.dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
            said.push(document.getElementById("ways-named").textContent);
        }
        row.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
        return said;
    })""")
    for way, row in zip(data()["ways"], named, strict=True):
        for dot, text in zip(way["dots"], row, strict=True):
            found = re.search(IN_WORDS[unit], text)
            assert found, text
            assert_shown(unit, found[1], turned(unit, dot["c"], dot["t"], dot["q"]))


def test_controls(page: Page, unit: str) -> None:
    head, *rows = table_rows(open_view(page, "moves-picture", "table"))
    open_view(page, "moves-picture", "picture")
    assert page.locator("#moves-lead").inner_text().endswith(f"its ends in {NAMES[unit]}.")
    assert [title.startswith(TITLES[unit]) for title in head] == [False] * 4 + [True] * 2 + [False]
    ways = {way["key"]: way for way in data()["ways"]}
    for control, row in zip(data()["controls"], rows, strict=True):
        flips = control["flips"]
        first, last = (flips[0]["below"], flips[-1]["above"]) if flips else (data()["recommended"],) * 2
        ends = [of_way(unit, control["levels"][key]["cents"][place], ways[key])
                for key, place in ((first, 0), (last, -1))]
        drawn = page.locator(f'.control[data-name="{control["name"]}"] svg .tick').all_text_contents()
        for text, exact in zip((*row[4:6], *drawn), (*ends, *ends), strict=True):
            assert_shown(unit, text, exact)


def test_cost_through_time(page: Page, unit: str) -> None:
    page.locator('#when-tabs [data-tab="cents"]').click()
    settle(page)
    best = data()["ways"][0]
    future = page.locator("#when-future").input_value()
    costs = [of_way(unit, cost, best)
             for cost in data()["when"]["courses"][best["key"]][future]["cents"]]
    picture = page.locator("#when-picture svg")
    assert (picture.get_attribute("aria-label") or "").startswith(TITLES[unit])
    assert picture.locator("text").first.text_content() == TITLES[unit]
    for text, cost in zip(picture.locator("text.ink").all_text_contents(), costs, strict=True):
        assert_shown(unit, text, cost)
    heights = [float(circle.get_attribute("cy") or "nan") for circle in picture.locator("circle").all()]
    ticks = picture.evaluate(
        "svg => [...svg.querySelectorAll('text.tick[text-anchor=end]')]"
        ".map(tick => [Number(tick.getAttribute('y')) - 4, tick.textContent])")
    assert all(("$" in text) == (unit == "mw-year") for _, text in ticks if text != "0")
    assert_on_axis([(place, number_of(text)) for place, text in ticks],
                   list(zip(heights, costs, strict=True)))
    head, *rows = table_rows(open_view(page, "when-picture", "table"))
    caption = page.locator("#when-picture + .behind caption").inner_text()
    open_view(page, "when-picture", "picture")
    assert caption.startswith(TITLES[unit])
    assert head[1:] == [TITLES[unit]]
    for (_, text), cost in zip(rows, costs, strict=True):
        assert_shown(unit, text, cost)


@pytest.mark.parametrize(("tab", "words"), [
    ("compute", "thousand"), ("spend", "illion USD a year")])
def test_what_is_no_cost_of_a_query_keeps_its_unit(page: Page, unit: str, tab: str, words: str) -> None:
    page.locator(f'#when-tabs [data-tab="{tab}"]').click()
    settle(page)
    assert words in (page.locator("#when-picture svg text").first.text_content() or "").lower().replace("usd", "USD")
    assert "illion USD of 2023" in page.locator("#why-picture .note").inner_text()
    money = [sum(course) / 1e9 for course in
             zip(*data()["when"]["courses"][data()["recommended"]][page.locator("#when-future").input_value()]
                 ["spend"].values(), strict=True)]
    if tab == "spend":
        shown = page.locator("#when-picture svg text.ink[text-anchor=middle]").all_text_contents()
        for text, exact in zip(shown, money, strict=True):
            assert abs(float(text) - exact) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) * (1.0 + 1e-9)
