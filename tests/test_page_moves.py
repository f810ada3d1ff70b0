"""Moving things on the page in a real browser: by keyboard, by typing, by link, and back again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from fabless.report.page.file import write_report
from moved_decision_fixture import moved_decision

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="needs Chromium (apt-get install chromium)",
    ),
]
PRICE, GROWTH, POWER = "price.h100-sxm", "demand.growth_per_year", "power.price"
AT_REST = "It costs 0.52 cents a query; Nvidia alone costs 0.61."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(moved_decision(), tmp_path_factory.mktemp("report") / "report.html")


def opened(browser: Browser, report: Path, link: str = "") -> Page:
    """The page in a tab of its own; an error of its script fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})

    def fail(error: object) -> None:
        raise AssertionError(str(error))

    page.on("pageerror", fail)
    page.goto(report.as_uri() + link)
    expect(page.locator("html.live")).to_have_count(1)
    return page


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    tab = opened(browser, report)
    yield tab
    tab.close()


def control(page: Page, name: str) -> Locator:
    return page.locator(f'.control[data-name="{name}"]')


def box(page: Page, name: str) -> Locator:
    return control(page, name).locator('input[type="text"]')


def slider(page: Page, name: str) -> Locator:
    return control(page, name).locator('input[type="range"]')


def typed(page: Page, name: str, text: str) -> None:
    box(page, name).fill(text)
    box(page, name).press("Enter")


def settled(page: Page) -> None:
    """Wait until what was moved is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def written(page: Page) -> str:
    """The link in the address, once the address has followed."""
    page.wait_for_timeout(400)
    return page.url.partition("#")[2]


def costs(page: Page) -> list[str]:
    return page.locator("#ways td.middle").all_inner_texts()


def test_at_rest_nothing_is_stale_and_no_strip_is_there(page: Page) -> None:
    expect(page.locator("#verdict .numbers")).to_have_text(AT_REST)
    expect(page.locator("#strip")).to_be_hidden()
    assert page.locator(".stale").count() == 0
    assert page.locator(".rough").count() == 0


def test_a_typed_price_turns_the_verdict_and_ctrl_z_turns_it_back(page: Page) -> None:
    before = costs(page)
    typed(page, PRICE, "36,000")
    expect(page.locator("#verdict .action")).to_have_text("Buy from Nvidia, add AMD and Azure.")
    expect(page.locator("#verdict .rough")).to_have_text("rough, 3 futures")
    expect(page.locator("#claims")).to_have_class("stale")
    expect(page.locator("#ways tbody tr").first).to_have_attribute("data-way", "diversify")
    expect(page.locator("#strip")).to_contain_text("30,000 to 36,000 USD")
    expect(page.locator("#strip")).to_contain_text("Verdict changed: Buy from Nvidia")
    assert all("rough" in text for text in costs(page))
    page.keyboard.press("Control+z")
    expect(page.locator("#verdict .numbers")).to_have_text(AT_REST)
    expect(page.locator("#strip")).to_be_hidden()
    assert costs(page) == before
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#verdict .action")).to_have_text("Buy from Nvidia, add AMD and Azure.")


def test_a_small_move_leaves_the_verdict_and_says_so(page: Page) -> None:
    typed(page, POWER, "0.08")
    expect(page.locator("#strip")).to_contain_text("Verdict unchanged.")
    expect(page.locator("#strip .strip-lead")).to_contain_text(
        "Lead over Nvidia alone 9.3 billion to"
    )
    expect(page.locator("#verdict .action")).to_contain_text("Start the own chip")


def test_twenty_fast_keys_end_at_the_right_value_and_are_one_step_back(page: Page) -> None:
    handle = slider(page, PRICE)
    handle.focus()
    start = int(handle.input_value())
    page.evaluate("""() => {
        const slider = document.activeElement;
        for (let k = 0; k < 20; k += 1)
            slider.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true}));
    }""")
    settled(page)
    once = box(page, PRICE).input_value()
    page.keyboard.press("Control+z")
    settled(page)
    assert int(handle.input_value()) == start
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    settled(page)
    assert box(page, PRICE).input_value() == once != "30,000"
    expect(page.locator("#strip .strip-changed")).to_contain_text(f"30,000 to {once} USD")


@pytest.mark.parametrize("text", ["55000", "-1", "soon", "", "1e99", "<img src=x>"])
def test_a_refused_value_is_answered_beside_the_box_and_changes_nothing(
    page: Page, text: str
) -> None:
    typed(page, POWER, "0.08")
    settled(page)
    before = (
        page.locator("#verdict").inner_text(),
        page.locator("#strip").inner_text(),
        costs(page),
        written(page),
    )
    typed(page, PRICE, text)
    settled(page)
    refusal = control(page, PRICE).locator(".fault")
    expect(refusal).to_be_visible()
    assert (
        "25,000 to 40,000 USD" in refusal.inner_text() or "needs a number" in refusal.inner_text()
    )
    assert before == (
        page.locator("#verdict").inner_text(),
        page.locator("#strip").inner_text(),
        costs(page),
        written(page),
    )
    typed(page, PRICE, "31000")
    settled(page)
    expect(refusal).to_be_hidden()


def test_the_link_restores_the_state_in_a_fresh_tab(
    browser: Browser, report: Path, page: Page
) -> None:
    typed(page, PRICE, "36000")
    typed(page, GROWTH, "200")
    page.locator("#unit").select_option("million-tokens")
    settled(page)
    link = written(page)
    assert link == (
        "v1&c=6242b62d&demand.growth_per_year=200&price.h100-sxm=36000&unit=million-tokens"
    )
    other = opened(browser, report, f"#{link}")
    settled(other)
    for place in ("#verdict", "#strip .strip-changed", "#strip .strip-lead", "#ways"):
        assert other.locator(place).inner_text() == page.locator(place).inner_text()
    assert box(other, PRICE).input_value() == "36,000"
    assert other.locator("#link-faults").is_hidden()
    other.close()


def test_a_long_drag_writes_the_address_once(page: Page) -> None:
    page.evaluate("""() => {
        window.written = 0;
        const replace = history.replaceState.bind(history);
        history.replaceState = (...parts) => { window.written += 1; replace(...parts); };
    }""")
    slider(page, PRICE).evaluate("""slider => { for (let k = 0; k < 300; k += 1) {
        slider.value = String(400 + k);
        slider.dispatchEvent(new Event("input", {bubbles: true}));
    } }""")
    assert written(page).startswith("v1&c=6242b62d&price.h100-sxm=")
    assert page.evaluate("window.written") == 1


def test_what_of_a_link_cannot_be_followed_is_said_and_the_rest_is_followed(
    browser: Browser, report: Path
) -> None:
    tab = opened(
        browser,
        report,
        "#v1&c=00000000&price.h100-sxm=36000&no.such=1&power.price=7&%3Cimg%20src=x%3E=1",
    )
    settled(tab)
    said = tab.locator("#link-faults").inner_text()
    assert "another case" in said
    assert "no.such" in said
    assert "0.04 to 0.12" in said
    assert tab.locator("#link-faults img").count() == 0
    expect(tab.locator("#strip .strip-changed")).to_have_text(
        "You changed: H100-sxm (price) 30,000 to 36,000 USD."
    )
    tab.close()


def test_three_inputs_are_beyond_the_table_and_the_page_says_how_to_ask(page: Page) -> None:
    typed(page, PRICE, "36000")
    typed(page, GROWTH, "200")
    typed(page, POWER, "0.1")
    expect(page.locator("#strip .beyond code")).to_have_text(
        "fabless decide openai-2023 --link "
        "'#v1&c=6242b62d&demand.growth_per_year=200&power.price=0.1&price.h100-sxm=36000'"
    )
    expect(page.locator("#verdict .numbers")).to_have_text(AT_REST)
    expect(page.locator("#verdict")).to_have_class("stale")
    assert page.locator(".rough").count() == 0
    page.locator('#strip [data-does="copy"]').click()
    expect(page.locator('#strip [data-does="copy"]')).to_have_text(
        "Copied" if page.evaluate("navigator.clipboard !== undefined") else "Press Ctrl-C"
    )
    page.keyboard.press("Control+z")
    expect(page.locator("#strip .beyond")).to_have_count(0)
    expect(page.locator("#verdict .rough")).to_have_count(1)


def test_buttons_of_the_strip(page: Page) -> None:
    typed(page, PRICE, "36000")
    typed(page, GROWTH, "200")
    page.locator('#strip [data-does="undo"]').focus()
    page.keyboard.press("Enter")
    expect(box(page, GROWTH)).to_have_value("90")
    assert page.evaluate("document.activeElement.dataset.does") == "undo"
    page.locator('#strip [data-does="redo"]').click()
    expect(box(page, GROWTH)).to_have_value("200")
    control(page, PRICE).get_by_role("button", name="Reset").click()
    expect(box(page, PRICE)).to_have_value("30,000")
    expect(box(page, GROWTH)).to_have_value("200")
    page.locator('#strip [data-does="reset"]').click()
    expect(page.locator("#strip")).to_be_hidden()
    assert written(page) == ""


def test_a_saved_case_takes_all_but_what_was_moved_from_the_case(page: Page) -> None:
    typed(page, PRICE, "36000")
    with page.expect_download() as download:
        page.locator('#strip [data-does="save"]').click()
    assert download.value.suggested_filename == "openai-2023-moved.yaml"
    saved = yaml.safe_load(Path(download.value.path()).read_text(encoding="utf-8"))
    assert saved == {
        "from": "openai-2023",
        "name": "openai-2023-moved",
        "title": "A lab short of AI chips, October 2023, moved",
        "price": {
            "h100-sxm": {
                "low": 30000,
                "mode": 36000,
                "high": 48000,
                "unit": "USD",
                "beyond": 0,
                "note": "moved from 30000",
            }
        },
    }


def test_keys_of_a_field_that_is_typed_in_are_its_own(page: Page) -> None:
    typed(page, POWER, "0.08")
    box(page, PRICE).focus()
    page.keyboard.type("9")
    page.keyboard.press("Control+z")
    settled(page)
    expect(page.locator("#strip .strip-changed")).to_contain_text("0.07 to 0.08")


@pytest.mark.parametrize("unit", ["million-tokens", "tokens-a-usd", "mw-year"])
def test_a_moved_page_in_another_unit_and_back(page: Page, unit: str) -> None:
    typed(page, PRICE, "36000")
    settled(page)
    in_cents, order = (
        costs(page),
        page.locator("#ways tbody tr").evaluate_all("rows => rows.map(row => row.dataset.way)"),
    )
    page.locator("#unit").select_option(unit)
    settled(page)
    assert not set(costs(page)) & set(in_cents)
    assert (
        page.locator("#ways tbody tr").evaluate_all("rows => rows.map(row => row.dataset.way)")
        == order
    )
    page.locator("#unit").select_option("cents")
    settled(page)
    assert costs(page) == in_cents
