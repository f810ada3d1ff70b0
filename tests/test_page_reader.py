"""A first-time reader: five tasks, by what is visible alone, on a wide and on a narrow screen; and
the whole page by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fabless.decide import Decision
from fabless.report.page.file import write_report
from moved_decision_fixture import moved_decision
from opened_page import BROWSER_MARKS, chromium, settle

pytestmark = BROWSER_MARKS
RENAMED = {"demand.queries_per_day": "demand.queries", "demand.growth_per_year": "demand.growth"}
"""Names by which the question line finds the two numbers that it states."""
MOVING = ("demand.queries_per_day", "demand.growth_per_year", "price.h100-sxm", "power.price")
WIDTHS = (1280, 400)


def question_decision() -> Decision:
    """The made-up decision, its demand and growth named so that the question states them; both
    are in its table of answers, alone and together."""
    made = moved_decision(MOVING)
    answers = made.questions.answers
    assert answers is not None

    def named(name: str) -> str:
        return RENAMED.get(name, name)

    inputs = tuple(replace(row, name=named(row.name)) for row in answers.inputs)
    pairs = tuple(replace(pair, names=(named(pair.names[0]), named(pair.names[1]))) for pair in answers.pairs)
    return replace(
        made, assumptions=tuple(replace(row, name=named(row.name)) for row in made.assumptions),
        questions=replace(made.questions, answers=replace(answers, inputs=inputs, pairs=pairs)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(question_decision(), Path(tmp_path_factory.mktemp("reader")) / "report.html").as_uri()


def opened(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    expect(page.locator("html.live")).to_have_count(1)
    return page


@pytest.fixture(params=WIDTHS)
def page(browser: Browser, report: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    tab = opened(browser, report, request.param)
    yield tab
    tab.close()


def test_read_the_verdict(page: Page) -> None:
    verdict = page.get_by_role("heading", level=1)
    place = verdict.bounding_box()
    assert place
    assert place["y"] + place["height"] < 800, "the verdict is below the fold"
    assert re.fullmatch(r"[A-Z][^.]+\. It costs [\d.]+ cents a query; .+ costs [\d.]+\.",
                        " ".join(verdict.inner_text().split()))


def test_find_what_would_flip_it(page: Page) -> None:
    expect(page.get_by_role("heading", name="What moves it")).to_be_visible()
    controls = page.locator(".control")
    assert controls.count() == len(MOVING)
    said = [" ".join(controls.nth(place).locator("svg text:not(.tick)").all_text_contents())
            for place in range(controls.count())]
    flips = {place: found for place, words in enumerate(said)
             if (found := re.fullmatch(r"(.+) wins (above|below) ([\d,.]+) ?\S+", words))}
    assert sum("ever changes" in words for words in said) == len(MOVING) - len(flips), said
    assert len(flips) == 2, said
    for place, found in flips.items():  # on the far side of each, the verdict is another
        name = controls.nth(place).get_attribute("data-name")
        value = float(found[3].replace(",", "")) * (1.1 if found[2] == "above" else 0.9)
        box = controls.nth(place).get_by_role("textbox")
        box.fill(f"{value:.0f}")
        box.press("Enter")
        settle(page)
        expect(page.locator("#strip .strip-verdict")).to_contain_text("Verdict changed")
        assert page.locator("#ways tbody tr th").first.inner_text().startswith(found[1]), name
        page.locator("#strip").get_by_role("button", name="Reset").click()
        settle(page)


def test_enter_own_demand_and_growth(page: Page) -> None:
    question = page.locator(".question")
    before = page.locator("#ways td.middle").first.inner_text()
    for link, value in ((0, "250000000"), (1, "150")):
        question.get_by_role("link").nth(link).click()
        settle(page)
        box = page.locator(":focus")
        expect(box).to_be_in_viewport()
        name = box.locator("xpath=ancestor::*[@data-name]").get_attribute("data-name")
        assert name == list(RENAMED.values())[link]
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
        page.keyboard.press("Enter")
        settle(page)
    strip = page.locator("#strip")
    expect(strip).to_be_in_viewport()
    expect(strip.locator(".strip-changed")).to_contain_text("250 million queries a day")
    expect(strip.locator(".strip-changed")).to_contain_text("to 150%")
    expect(strip.locator(".strip-verdict")).to_contain_text("Verdict")
    assert page.locator("#ways td.middle").first.inner_text() != before
    strip.get_by_role("button", name="Reset").click()
    expect(strip).to_be_hidden()
    assert page.locator("#ways td.middle").first.inner_text() == before


def test_say_why_buy_loses(page: Page) -> None:
    menu = page.get_by_role("combobox", name="Other way")
    menu.select_option(label="Nvidia alone")
    settle(page)
    assert "It saves 9.3 billion USD." in page.locator("#why-sentence").inner_text()
    texts = page.locator("#why-picture svg text").all_text_contents()
    numbers = [round(100 * float(text.replace("−", "-").replace(",", ""))) for text in texts[1::2]]
    assert texts[0] == "Nvidia alone"
    assert numbers[0] + sum(numbers[1:-1]) == numbers[-1]
    assert numbers[-1] - numbers[0] == sum(numbers[1:-1]) == -930


def test_send_it(browser: Browser, page: Page, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = page.locator('.control[data-name="demand.growth"] input[type="text"]')
    box.fill("150")
    box.press("Enter")
    expect(page).to_have_url(re.compile("demand.growth=150"))
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    other = opened(browser, link, 1280)
    for place in ("#verdict", "#strip .strip-changed"):
        assert other.locator(place).text_content() == page.locator(place).text_content()
    other.close()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    assert caught.value.suggested_filename == "openai-2023.html"
    file = tmp_path / "sent.html"
    caught.value.save_as(file)
    sent = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    sent.on("request", lambda request: asked.append(request.url))
    sent.on("console", lambda message: faults.append(message.text))
    sent.goto(file.as_uri())
    sent.wait_for_selector("#ways .dot")
    assert [address for address in asked if not address.startswith("data:")] == [file.as_uri()]
    assert faults == []
    fresh = opened(browser, page.url.partition("#")[0], 1280)
    assert sent.locator("#verdict").inner_text() == fresh.locator("#verdict").inner_text()
    assert sent.locator("#ways").inner_text() == fresh.locator("#ways").inner_text()
    for tab in (sent, fresh):
        tab.close()


def test_every_control_is_reached_by_tab(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1280)
    wanted = page.evaluate("""() => {
        const all = [...document.querySelectorAll('a[href], button, select, input, [tabindex="0"]')]
            .filter(item => item.checkVisibility({visibilityProperty: true}) && !item.disabled && item.tabIndex >= 0);
        all.forEach((item, place) => { item.dataset.stop = String(place); });
        return all.map(item => item.outerHTML.slice(0, 90));
    }""")
    seen = set()
    for _ in range(len(wanted) + 5):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.dataset.stop"))
    assert [words for place, words in enumerate(wanted) if str(place) not in seen] == []
    assert len(wanted) > 40
    page.close()


def test_keys_alone_work_the_page(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1280)

    def tab_to(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"no way to {selector} by Tab")

    tab_to("#unit")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#unit")).to_have_value("million-tokens")
    tab_to('.control[data-name="demand.growth"] input[type="range"]')
    page.keyboard.press("ArrowRight")
    expect(page.locator("#strip")).to_be_visible()
    page.keyboard.press("Control+z")
    tab_to('#when-tabs [data-tab="spend"]')
    page.keyboard.press("Enter")
    expect(page.locator('#when-tabs [data-tab="spend"]')).to_have_attribute("aria-selected", "true")
    tab_to('#part-when .frame [data-view="picture"]')
    page.keyboard.press("ArrowRight")
    expect(page.locator("#when-picture + .behind table")).to_be_visible()
    tab_to("#why-sentence select")
    tab_to("#evidence-button")
    page.keyboard.press("Enter")
    expect(page.locator("#evidence > .body")).to_be_visible()
    page.close()
