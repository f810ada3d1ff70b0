"""Predict every known chip programme from the others and write docs/results/programmes.md.

    python docs/programme_results.py           rewrite the page
    python docs/programme_results.py --check   exit 1 if the page says something else
"""

from __future__ import annotations

import sys
from pathlib import Path

import fabless as fb
from fabless.report.programme_page import programme_results_page

PAGE = Path(__file__).parent / "results" / "programmes.md"


def main() -> None:
    """Rewrite, or check."""
    page = programme_results_page(fb.load())
    if "--check" in sys.argv:
        sys.exit(page != PAGE.read_text(encoding="utf-8"))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
