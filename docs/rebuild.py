"""Rebuild what the documentation takes from the program: the printed answer, the error tables, the
pictures.

    python docs/rebuild.py             rewrite README.md, docs/results and docs/pictures
    python docs/rebuild.py --results   only docs/results/performance.md and its picture
    python docs/rebuild.py --backtest  only the backtest of README.md and its picture
    python docs/rebuild.py --pages     only docs/pages: the page of every shipped case, or of those
                                       named after it (minutes each)
    python docs/rebuild.py --rewrite   docs/pages again, from the numbers that are there: after a change
                                       of words or looks alone
    python docs/rebuild.py --check     exit 1 if README.md says something else than the program
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console

import fabless as fb
from fabless.backtest import Backtest, backtest
from fabless.catalogue import load, shipped_cases
from fabless.digest import digest_of
from fabless.report import print_decision, write_report
from fabless.report.backtest import print_backtest
from fabless.report.backtest_fans import fan_chart
from fabless.report.canvas import as_svg
from fabless.report.page.bundle import read_data
from fabless.report.page.data import page_data
from fabless.report.page.dots import ways_picture
from fabless.report.page.file import page_html
from fabless.report.page.sentences import claims_of, question_line, verdict_of
from fabless.report.page.texts import load_texts
from fabless.report.validation_charts import predicted_rows, scatter_chart
from fabless.report.validation_page import validation_results_page
from fabless.validate import validate

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results" / "performance.md"
SITE = ROOT / "docs" / "pages"
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


def data_of(html: str) -> Mapping[str, Any]:
    """The data inside a page."""
    found = _DATA.search(html)
    if found is None:
        raise SystemExit("no data inside the page")
    data: Mapping[str, Any] = read_data(found[2])
    return data


def made_again(html: str) -> str:
    """A page written again by the program of today, from its own numbers: texts, sentences, styles,
    script and layout are those of now; its numbers and its evidence are those of then."""
    then, evidence = data_of(html), _EVIDENCE.search(html)
    if evidence is None:
        raise SystemExit("no evidence inside the page")
    page = {**then, "texts": load_texts(then["lang"])}
    sentences = {"verdict": verdict_of(page), "claims": claims_of(page)}
    return page_html({**page, **sentences}, evidence[1])


def unpacked(html: str) -> tuple[str, Mapping[str, Any]]:
    """A page without its data, and the data: how data are compressed differs between machines."""
    return _DATA.sub(r"\1\3", html), data_of(html)


def case_digest(name: str) -> str:
    """Digest of a shipped case as it is now, as its page states it."""
    return digest_of(fb.case(name))[:8]


def index_page(pages: Mapping[str, Mapping[str, Any]]) -> str:
    """The list of pages: file name -> its data."""
    rows = "".join(
        f'<li><a href="{escape(name)}.html">{escape(question_line(page))}</a><p><strong>'
        f'{escape(page["verdict"]["action"])}</strong> {escape(page["verdict"]["numbers"])}</p></li>\n'
        for name, page in pages.items())
    return _INDEX.format(rows=rows)


def write_index() -> None:
    """Write the list of the pages that are there, in the order of the shipped cases."""
    pages = {name: data_of((SITE / f"{name}.html").read_text(encoding="utf-8"))
             for name in shipped_cases() if (SITE / f"{name}.html").exists()}
    (SITE / "index.html").write_text(index_page(pages), encoding="utf-8")


def rebuild_pages(names: Iterable[str]) -> None:
    """Answer cases in standard detail and write their pages, then the list of all pages."""
    SITE.mkdir(exist_ok=True)
    for name in names:
        write_report(fb.decide(fb.case(name)), SITE / f"{name}.html")
    write_index()


def rewrite_pages() -> None:
    """Write every page again from its own numbers, after a change of its words or its look alone."""
    for path in sorted(SITE.glob("*.html")):
        if path.stem != "index":
            path.write_text(made_again(path.read_text(encoding="utf-8")), encoding="utf-8")
    write_index()


_DATA = re.compile(r'(id="page-data">)([^<]*)(</script>)')
_EVIDENCE = re.compile(r'<div class="body">\n(.*)\n</div>\n</section>\n', re.DOTALL)
_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fabless: answers</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 46rem; margin: 3rem auto; padding: 0 1.5rem;
    font: 1rem/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; }}
h1 {{ font-size: 1.5rem; }}
ul {{ padding: 0; list-style: none; }}
li {{ padding: 1rem 0; border-top: 1px solid; }}
p {{ margin: 0.25rem 0 0; }}
</style>
</head>
<body>
<h1>What each case comes to</h1>
<p>Each page is one file that needs no network: move an input and see what changes.</p>
<ul>
{rows}</ul>
</body>
</html>
"""


def main() -> None:
    """Rewrite, or check."""
    if "--pages" in sys.argv:
        rebuild_pages(sys.argv[sys.argv.index("--pages") + 1:] or shipped_cases())
        return
    if "--rewrite" in sys.argv:
        rewrite_pages()
        return
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
    (ROOT / "docs" / "pictures" / "comparison.svg").write_text(
        ways_picture(page_data(decision)), encoding="utf-8")
    rebuild_backtest()
    rebuild_results()


if __name__ == "__main__":
    main()
