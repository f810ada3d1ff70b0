"""The results page of the documentation: error tables of the rows that ship, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.report.validation import HEADINGS, cells, validation_headline
from fabless.validate import Errors, Validation, measured
from fabless.validate.run import errors_of, grouped

MOST_GROUPS = 25
_TABLES = (
    ("phase+vendor", "By phase and vendor"), ("chip", "By chip"), ("model", "By model"),
    ("engine", "By engine"), ("precision", "By precision"),
    ("kind+mode", "By kind of model and deployment"), ("tier", "By tier of trust"),
)
_KERNELS = ("gemm", "attention-prefill", "attention-decode", "collectives", "operators")


def _table(title: str, rows: Sequence[tuple[str, Errors]]) -> list[str]:
    return [f"| {title} | {' | '.join(HEADINGS)} |", f"|---|{'---:|' * len(HEADINGS)}",
            *(f"| {name} | {' | '.join(cells(errors))} |" for name, errors in rows), ""]


def validation_results_page(validation: Validation, digest: str) -> str:
    """Write the page from a validation of the shipped rows; `digest` is that of the catalogue's
    data."""
    served = [row for row in validation.rows if row.layout not in _KERNELS]
    kernels = [row for row in validation.rows if row.layout in _KERNELS]
    drawn = validation.summary.errors.predicted > 0
    picture = ["![Predicted against measured](../pictures/validation.svg)", ""] if drawn else []
    page = [
        "# How far the performance model is from measurements", "",
        "Written by `python docs/rebuild.py --results` from the measured rows that ship with the program; "
        "`fabless validate` prints the same for these rows and for a file of yours. Definitions: "
        "[validation](../explanation/validation.md). Errors are |predicted / measured - 1|, bias is the median of "
        f"predicted / measured - 1. Data digest {digest}.",
        "",
        validation_headline(validation),
        "",
        *picture,
        "## What the model is held to",
        "",
        *_table("Measure", [(measure.name, measure.errors) for measure in measured(validation.rows)]),
    ]
    page += ["## Serving, training, power", ""]
    for key, title in _TABLES:
        groups = grouped(served, [key])
        shown = [(group.name, group.errors) for group in groups[:MOST_GROUPS]]
        page += [f"### {title}", "", *_table(key.replace("+", ", ").capitalize(), shown)]
        if len(groups) > MOST_GROUPS:
            page += [f"And {len(groups) - MOST_GROUPS} smaller groups.", ""]
    page += ["## Kernels", "", *_table("All", [("all", errors_of(kernels))] if kernels else [])]
    for key, title in (("layout+chip", "Layout, chip"), ("layout+precision", "Layout, precision")):
        by_name = sorted(grouped(kernels, [key]), key=lambda group: group.name)
        page += _table(title, [(group.name, group.errors) for group in by_name])
    page += ["## Not predicted", "", "| Reason | Rows | For example |", "|---|---:|---|"]
    page += [
        f"| {reason.kind} | {reason.rows:,} | {reason.example.partition(': ')[2].replace('|', '/')} |"
        for reason in validation.summary.reasons
    ]
    return "\n".join(page) + "\n"
