"""A report page in a real browser, for the tests of it: where Chromium is, and how a page is read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
BROWSER_MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="needs Chromium (apt-get install chromium)",
    ),
]
"""Marks of every test that opens a page."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window and without a call home."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        yield browser
        browser.close()


def settle(page: Page) -> None:
    """Wait until what was moved is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def table_rows(place: Locator) -> list[list[str]]:
    """Texts of the cells of a table, its head first."""
    return place.locator("table").evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )


def open_view(page: Page, picture: str, view: str) -> Locator:
    """Open a view of the frame under a picture and return where it stands: the picture itself, or
    what is behind it."""
    frame = page.locator(f"#{picture} ~ .frame").first
    frame.locator(f'[data-view="{view}"]').click()
    return page.locator(f"#{picture}") if view == "picture" else page.locator(f"#{picture} + .behind")
