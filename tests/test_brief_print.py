"""The brief printed by a browser: one sheet of the paper asked for, whatever it has to hold."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from decision_fixture import decision
from fabless.decide import Decision
from fabless.report.page.brief import PAPERS, brief_html
from test_brief import crowd

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="needs Chromium (apt-get install chromium)",
    ),
]


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


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("chosen", [decision(), crowd(decision())], ids=["usual", "crowded"])
def test_the_brief_prints_on_one_sheet(
    browser: Browser, paper: str, chosen: Decision, tmp_path: Path
) -> None:
    file = tmp_path / "brief.html"
    file.write_text(brief_html(chosen, paper), encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.goto(file.as_uri())
    page.evaluate("document.fonts.ready.then(() => null)")
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert set(asked) <= {"file", "data"}
    assert len(re.findall(rb"/Type ?/Page[^s]", printed)) == 1
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert box is not None
    size = [side / 25.4 * 72.0 for side in (PAPERS[paper].width, PAPERS[paper].height)]
    assert [float(side) for side in box.groups()] == pytest.approx(size, abs=1.0)
