"""Rebuild what the documentation takes from the program: the printed answer, the error tables, the
pictures.

    python docs/rebuild.py             rewrite README.md, docs/results and docs/pictures
    python docs/rebuild.py --results   only docs/results/performance.md and its picture
    python docs/rebuild.py --backtest  only the backtest of README.md and its picture
    python docs/rebuild.py --check     exit 1 if README.md says something else than the program
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import fabless as fb
from fabless.backtest import Backtest, backtest
from fabless.catalogue import load
from fabless.report import print_decision
from fabless.report.backtest import print_backtest
from fabless.report.backtest_fans import fan_chart
from fabless.report.canvas import as_svg
from fabless.report.charts import comparison
from fabless.report.validation_charts import predicted_rows, scatter_chart
from fabless.report.validation_page import validation_results_page
from fabless.validate import validate

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results" / "performance.md"
SHOWN = ("queries_per_day", "fleet_h100e")
"""Fans of the picture of the backtest."""


def printed(decision: fb.Decision) -> str:
    """What `fabless decide` prints at 100 columns."""
    page = io.StringIO()
    print_decision(decision, Console(file=page, width=100), Path(f"fabless-{decision.case}.html"))
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def printed_backtest(result: Backtest) -> str:
    """Of what `fabless backtest` prints at 100 columns: the verdict, the scores, and the ways on
    what happened; what is left out between them is marked."""
    page = io.StringIO()
    print_backtest(result, Console(file=page, width=100))
    lines = [line.rstrip() for line in page.getvalue().splitlines()]

    def part(first: str, last: str) -> list[str]:
        """From the line that begins so to the one before the next that begins with `last`."""
        start = next(k for k, line in enumerate(lines) if line.startswith(first))
        end = next((k for k in range(start + 1, len(lines)) if lines[k].startswith(last)),
                   len(lines))
        return lines[start:end]

    verdict = lines[:lines.index("")]
    replay = [] if result.replay is None else ["[...]",
                                               *part("On what happened",
                                                     "What the regret comes from")]
    shown = [*verdict, "", "[...]", *part("Scores", "Outside the 80 % band"), *replay]
    return "".join(f"{line}\n" for line in shown)


def in_block(text: str, command: str, output: str) -> str:
    """A page with the output of a command put into its block, if it has one."""
    block = re.compile(rf"(<!-- {re.escape(command)} -->\n```\n).*?(```\n)", re.DOTALL)
    return block.sub(lambda found: found[1] + output + found[2], text)


def readme(decision: fb.Decision) -> str:
    """README.md with the printed answer put in."""
    return in_block(README.read_text(encoding="utf-8"), "fabless decide", printed(decision))


def rebuild_backtest() -> None:
    """Write the backtest of the reference case into README.md, and its picture."""
    result = backtest(fb.case())
    README.write_text(in_block(README.read_text(encoding="utf-8"), "fabless backtest",
                               printed_backtest(result)),
                      encoding="utf-8")
    fans = [fan for name in SHOWN for fan in result.fans if fan.quantity == name]
    picture = as_svg(fan_chart(fans, result.truths, (), 760),
                     "Queries a day and fleet as forecast in October 2023, and what came")
    (ROOT / "docs" / "pictures" / "backtest.svg").write_text(picture, encoding="utf-8")


def rebuild_results() -> None:
    """Write the error tables of the shipped rows, and their picture."""
    catalogue = load()
    validation = validate(catalogue)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(validation_results_page(validation, catalogue.digest), encoding="utf-8")
    if predicted_rows(validation.rows):
        picture = as_svg(scatter_chart(validation.rows, 760),
                         "Predicted against measured values by quantity")
        (ROOT / "docs" / "pictures" / "validation.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    """Rewrite, or check."""
    if "--results" in sys.argv:
        rebuild_results()
        return
    if "--backtest" in sys.argv:
        rebuild_backtest()
        return
    decision = fb.decide(fb.case())
    text = readme(decision)
    if "--check" in sys.argv:
        sys.exit(text != README.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")
    picture = as_svg(comparison(decision.strategies, decision.recommended, 760),
                     "Cost per query and shortage of each way")
    (ROOT / "docs" / "pictures" / "comparison.svg").write_text(picture, encoding="utf-8")
    rebuild_backtest()
    rebuild_results()


if __name__ == "__main__":
    main()
