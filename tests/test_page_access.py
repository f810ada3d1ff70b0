"""Who cannot see colours, point with a mouse or read small grey letters reads the page all the
same: no serious fault by axe, and on grey paper the ways are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from fabless.report.page.file import write_report
from moved_decision_fixture import moved_decision
from opened_page import BROWSER_MARKS, chromium, open_view, settle

pytestmark = BROWSER_MARKS
PRICE = "price.h100-sxm"
PICTURES = ("ways-picture", "moves-picture", "when-picture", "why-picture", "own-picture")
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = Path(tmp_path_factory.mktemp("access")) / "report.html"
    return write_report(moved_decision(), file).as_uri()


def opened(browser: Browser, report: str, width: int, scheme: str) -> Page:
    """The page in a context that lets axe in; the page's own policy would keep it out."""
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(report)
    page.wait_for_selector("#ways .dot")
    return page


def faults(page: Page) -> list[str]:
    """What axe calls serious or critical, a line each."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{fault['id']}: {node['target']} {node['failureSummary']}" for fault in found
            if fault["impact"] in SERIOUS for node in fault["nodes"]]


def move(page: Page, text: str) -> None:
    box = page.locator(f'.control[data-name="{PRICE}"] input[type="text"]')
    box.fill(text)
    box.press("Enter")
    settle(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_serious_fault(browser: Browser, report: str, width: int, scheme: str) -> None:
    page = opened(browser, report, width, scheme)
    assert faults(page) == [], "at rest"
    move(page, "36,000")
    assert page.locator("#claims.stale").count() == 1
    page.locator("#all-button").click()
    for picture in PICTURES:
        open_view(page, picture, "table")
    if width == 1280:  # what is folded is the same at every width
        page.locator("#evidence-button").click()
    settle(page)
    assert faults(page) == [], "with an input moved, tables open and the evidence unfolded"
    page.context.close()


def test_axe_would_notice(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1280, "light")
    page.add_style_tag(content="#claims { color: #BBBBBB !important; } #claims * { color: inherit !important; }")
    assert any(fault.startswith("color-contrast") for fault in faults(page))
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_strip_of_what_was_moved_covers_nothing(browser: Browser, report: str, width: int) -> None:
    page = opened(browser, report, width, "light")
    move(page, "36,000")
    page.locator("#evidence-button").click(timeout=3000)
    assert page.locator("#evidence-button").get_attribute("aria-expanded") == "true"
    page.context.close()


def test_grey_paper_tells_the_ways_apart(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1280, "light")
    page.emulate_media(media="print")
    names = page.locator("#ways tbody th").evaluate_all("heads => heads.map(head => head.firstChild.textContent)")
    assert len(set(names)) == len(names) == 6
    for place in range(len(names)):
        assert page.locator("#ways tbody th").nth(place).is_visible()
    stretches = page.locator(".control rect.hatched").evaluate_all("""bars => bars.map(bar => ({
        way: bar.previousElementSibling.dataset.way, fill: bar.getAttribute("fill"),
        shown: getComputedStyle(bar).display !== "none" && bar.getBoundingClientRect().height > 0,
        drawn: document.querySelector(bar.getAttribute("fill").slice(4, -1))?.querySelector("path").getAttribute("d"),
    }))""")
    patterns = {stretch["way"]: stretch["fill"] for stretch in stretches}
    drawn = {stretch["way"]: stretch["drawn"] for stretch in stretches}
    assert all(stretch["shown"] and stretch["drawn"] is not None for stretch in stretches)
    assert len(patterns) >= 2
    assert len(set(patterns.values())) == len(set(drawn.values())) == len(patterns)
    key = page.locator("#legend span")
    assert {text.strip() for text in key.all_inner_texts()} <= set(names)
    assert key.count() == len(patterns)
    page.context.close()
