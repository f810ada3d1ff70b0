"""Rebuild what the documentation takes from the program: the printed answer, the error tables, the
pictures.

    python docs/rebuild.py             rewrite README.md, docs/results and docs/pictures
    python docs/rebuild.py --results   only docs/results/performance.md and its picture
    python docs/rebuild.py --check     exit 1 if README.md says something else than the program
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import fabless as fb
from fabless.catalogue import load
from fabless.report import print_decision
from fabless.report.canvas import as_svg
from fabless.report.charts import comparison
from fabless.report.validation_charts import predicted_rows, scatter_chart
from fabless.report.validation_page import validation_results_page
from fabless.validate import validate

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results" / "performance.md"
BLOCK = re.compile(r"(<!-- fabless decide -->\n```\n).*?(```\n)", re.DOTALL)


def printed(decision: fb.Decision) -> str:
    """What `fabless decide` prints at 100 columns."""
    page = io.StringIO()
    print_decision(decision, Console(file=page, width=100), Path(f"fabless-{decision.case}.html"))
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def readme(decision: fb.Decision) -> str:
    """README.md with the printed answer put in."""
    return BLOCK.sub(lambda found: found[1] + printed(decision) + found[2], README.read_text(encoding="utf-8"))


def rebuild_results() -> None:
    """Write the error tables of the shipped rows, and their picture."""
    catalogue = load()
    validation = validate(catalogue)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(validation_results_page(validation, catalogue.digest), encoding="utf-8")
    if predicted_rows(validation.rows):
        picture = as_svg(scatter_chart(validation.rows, 760), "Predicted against measured values by quantity")
        (ROOT / "docs" / "pictures" / "validation.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    """Rewrite, or check."""
    if "--results" in sys.argv:
        rebuild_results()
        return
    decision = fb.decide(fb.case())
    text = readme(decision)
    if "--check" in sys.argv:
        sys.exit(text != README.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")
    picture = as_svg(comparison(decision.strategies, decision.recommended, 760), "Cost per query and shortage of each way")
    (ROOT / "docs" / "pictures" / "comparison.svg").write_text(picture, encoding="utf-8")
    rebuild_results()


if __name__ == "__main__":
    main()
