"""How fast the page of a decision answers in a browser.

    python benchmarks/page_speed.py report.html [--times 15]

Medians and the slowest, in milliseconds, of a page of 1280 x 800 in headless Chromium: the first
paint from disk; from a key press on the slider of the first input to the picture that shows the new
value, its rough numbers and what is stale; and from the first of twenty fast key presses to the
picture of the last one. The file must hold a table of answers (`fabless decide --detail standard`).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

MOVE = """
async keys => {
  const slider = document.querySelector('.control input[type="range"]');
  const box = document.querySelector('.control input[type="text"]');
  const before = box.value;
  const from = performance.now();
  for (let k = 0; k < keys; k += 1) {
    const key = Number(slider.value) > 500 ? "ArrowLeft" : "ArrowRight";
    slider.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  }
  // Two frames: the first draws, the second begins when the first has been painted.
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const took = performance.now() - from;
  if (box.value === before) throw new Error("nothing moved");
  if (!document.querySelector("#verdict .rough")) throw new Error("no rough numbers");
  return took;
}
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def moves(page: Page, keys: int, times: int) -> list[float]:
    """Milliseconds from key presses to the picture, from rest each time."""
    took = []
    for _ in range(times):
        took.append(float(page.evaluate(MOVE, keys)))
        page.locator('#strip [data-does="reset"]').click()
        page.wait_for_timeout(50)
    return took


def shown(what: str, took: list[float]) -> None:
    print(f"{what:<40} {median(took):8.0f} ms (slowest {max(took):.0f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--times", type=int, default=15)
    asked = parser.parse_args()
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        paints = []
        for _ in range(asked.times):
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.goto(asked.report.resolve().as_uri())
            page.locator("html.live").wait_for(state="attached")
            paints.append(float(page.evaluate(PAINT)))
            page.close()
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(asked.report.resolve().as_uri())
        page.locator("html.live").wait_for(state="attached")
        shown("first paint from disk", paints)
        shown("a key press", moves(page, 1, asked.times))
        shown("twenty key presses", moves(page, 20, asked.times))
        chromium.close()


if __name__ == "__main__":
    main()
