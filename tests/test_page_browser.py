"""The first page in a real browser: it draws, it fits, and one future lights in every row."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from decision_fixture import decision
from fabless.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="needs Chromium (apt-get install chromium)",
    ),
]
FIRST_PAINT_MS = 1000
DOTS = 20


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-component-update"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(decision(), tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.goto(file.as_uri())
    opened.wait_for_selector("#ways .dot")
    yield opened
    opened.close()


@pytest.mark.parametrize(("width", "height", "scheme"), [
    (1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light"), (820, 900, "light")])
def test_the_page_draws_without_a_fault_and_fits(
    browser: Browser, file: Path, width: int, height: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    wrong: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(file.as_uri())
    page.wait_for_selector("#ways .dot")
    assert wrong == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < FIRST_PAINT_MS
    for place in ("when-picture", "why-picture", "own-picture"):
        box = page.locator(f"#{place} svg").bounding_box()
        assert box, place
        assert box["height"] > 100, place
    page.close()


def test_all_ways_stand_above_the_fold(page: Page) -> None:
    last = page.locator("#ways tbody tr").last.bounding_box()
    assert last
    assert last["y"] + last["height"] < 800


def test_every_row_has_twenty_dots_and_one_median(page: Page) -> None:
    rows = page.locator("#ways tbody tr")
    for place in range(rows.count()):
        assert rows.nth(place).locator(".dot").count() == DOTS
        assert rows.nth(place).locator(".median").count() == 1


def lit(page: Page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('#ways .dot.lit')].map(dot => dot.dataset.future)")


def test_pointing_at_a_dot_lights_its_future_in_every_row_and_names_it(page: Page) -> None:
    rest = page.locator("#ways-named").inner_text()
    dot = page.locator("#ways tbody tr").first.locator(".dot").nth(4)
    future = dot.get_attribute("data-future")
    dot.hover()
    assert lit(page) == [future] * page.locator("#ways tbody tr").count()
    assert "demand" in page.locator("#ways-named").inner_text()
    page.mouse.move(5, 5)
    assert lit(page) == []
    assert page.locator("#ways-named").inner_text() == rest


def test_arrow_keys_go_through_the_futures(page: Page) -> None:
    page.locator("#ways tbody tr").nth(1).locator("svg").focus()
    seen = set()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        now = lit(page)
        assert len(now) == page.locator("#ways tbody tr").count()
        assert len(set(now)) == 1
        seen.add(now[0])
    assert len(seen) == 3


def test_every_frame_shows_a_table_data_and_a_source(page: Page) -> None:
    frames = page.locator(".face .frame")
    assert frames.count() >= 4
    for place in range(frames.count()):
        frame = frames.nth(place)
        frame.locator('[data-view="table"]').click()
        assert frame.locator("xpath=preceding-sibling::div[1]").locator("tbody tr").count() > 1
        frame.locator('[data-view="data"]').click()
        with page.expect_download() as caught:
            frame.locator("xpath=preceding-sibling::div[1]").locator("button").click()
        text = Path(caught.value.path()).read_text(encoding="utf-8")
        assert "# decision digest:" in text
        assert len([line for line in text.splitlines() if not line.startswith("#")]) > 2
        frame.locator('[data-view="source"]').click()
        assert frame.locator("xpath=preceding-sibling::div[1]").inner_text().strip()
        frame.locator('[data-view="picture"]').click()


def test_steps_of_every_bridge_add_up_as_written(page: Page) -> None:
    for other in page.locator("#why-sentence select").nth(1).locator("option").all()[1:]:
        page.locator("#why-sentence select").nth(1).select_option(other.get_attribute("value"))
        page.wait_for_timeout(50)
        words = page.locator("#why-picture text:nth-of-type(even)").all_text_contents()
        numbers = [round(100 * float(re.sub("[,+]", "", word).replace("−", "-"))) for word in words]
        assert numbers[0] + sum(numbers[1:-1]) == numbers[-1], words


def test_first_90_days_go_into_a_calendar_and_a_table(page: Page) -> None:
    steps = page.locator("#actions tbody tr").count()
    with page.expect_download() as caught:
        page.locator("#to-calendar").click()
    calendar = Path(caught.value.path()).read_bytes().decode()
    assert calendar.count("BEGIN:VEVENT\r\n") == calendar.count("END:VEVENT\r\n") == steps
    assert all(len(line.encode()) <= 75 for line in calendar.split("\r\n"))
    with page.expect_download() as caught:
        page.locator("#to-table").click()
    lines = Path(caught.value.path()).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == steps + 1


def test_the_evidence_is_folded_until_asked_for_and_open_without_scripts(
    browser: Browser, file: Path, page: Page
) -> None:
    body = page.locator("#evidence > .body")
    assert not body.is_visible()
    page.locator("#evidence-button").click()
    assert body.is_visible()
    page.emulate_media(media="print")
    assert body.is_visible()
    page.emulate_media(media="screen")
    page.locator("#evidence-button").click()
    page.emulate_media(media="print")
    assert not body.is_visible()
    assert len(re.findall(rb"/Type /Page\b", page.pdf(prefer_css_page_size=True))) <= 4
    bare = browser.new_context(java_script_enabled=False).new_page()
    bare.goto(file.as_uri())
    assert bare.locator("#evidence > .body").is_visible()
    assert bare.locator("#verdict .action").is_visible()
    assert not bare.locator("#part-moves").is_visible()
    bare.context.close()
