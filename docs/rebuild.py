"""Rebuild what the documentation takes from the program: the printed answer and the pictures of the reference case.

    python docs/rebuild.py           rewrite README.md and docs/pictures
    python docs/rebuild.py --check   exit 1 if README.md says something else than the program
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import fabless as fb
from fabless.report import print_decision
from fabless.report.canvas import draw
from fabless.report.charts import comparison

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- fabless decide -->\n```\n).*?(```\n)", re.DOTALL)


def printed(decision: fb.Decision) -> str:
    """What `fabless decide` prints at 100 columns."""
    page = io.StringIO()
    print_decision(decision, Console(file=page, width=100), Path(f"fabless-{decision.case}.html"))
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def readme(decision: fb.Decision) -> str:
    """README.md with the printed answer put in."""
    return BLOCK.sub(lambda found: found[1] + printed(decision) + found[2], README.read_text(encoding="utf-8"))


def main() -> None:
    """Rewrite, or check."""
    decision = fb.decide(fb.case())
    text = readme(decision)
    if "--check" in sys.argv:
        sys.exit(text != README.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")
    picture = draw(comparison(decision.strategies, decision.recommended, 760), "Cost per query and shortage of each way")
    (ROOT / "docs" / "pictures" / "comparison.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
