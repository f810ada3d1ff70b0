"""The report of a validation: one HTML file with pictures, tables by every group, reasons and the
worst rows."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless import wording
from fabless.report import canvas, validation_charts
from fabless.report.files import write_whole
from fabless.report.validation import HEADINGS, cells, faults_by_kind, validation_headline, value_text
from fabless.validate import Validation

MOST_GROUPS = 40
MOST_FAULTS = 200
WORST = 25

_ALL_ROWS = "Points are rows; full line: predicted as measured; broken lines: 20 % to either side."


def validation_pictures(validation: Validation) -> dict[str, str | None]:
    """Draw the charts as SVG; None where no row is predicted."""
    rows = validation.rows
    if not validation_charts.predicted_rows(rows):
        return {"scatter": None, "spread": None, "chips": None}
    specs: dict[str, tuple[str, Callable[[int], canvas.Spec]]] = {
        "scatter": (
            "Predicted over measured values by phase; the tables below hold the error statistics.",
            lambda width: validation_charts.scatter_chart(rows, width),
        ),
        "spread": (
            "Predicted over measured by phase and vendor: median, quartiles, P10 to P90.",
            lambda width: validation_charts.spread_of_groups(rows, "phase+vendor", width),
        ),
        "chips": (
            "Predicted over measured by chip: median, quartiles, P10 to P90.",
            lambda width: validation_charts.spread_of_groups(rows, "chip", width),
        ),
    }
    return {
        name: canvas.as_svg(make(canvas.WIDE), label)
        for name, (label, make) in specs.items()
    }


def as_validation_html(validation: Validation) -> str:
    """Write a validation as one HTML page without script or outside request."""
    environment = Environment(
        loader=PackageLoader("fabless.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {"count": wording.count, "cells": cells}
    summary = validation.summary
    keys = list(dict.fromkeys(group.by for group in summary.groups))
    faults = faults_by_kind(summary.faults)
    known = len(validation_charts.predicted_rows(validation.rows))
    part = "" if known <= validation_charts.MOST_POINTS else f" Of {known:,} predictions a part is drawn, one in so many."
    return environment.get_template("validation.html").render(
        headline=validation_headline(validation), summary=summary, headings=HEADINGS,
        pictures=validation_pictures(validation), drawn=_ALL_ROWS + part,
        tables=[
            (
                key, key.replace("+", " and "), summary.by(key)[:MOST_GROUPS],
                max(0, len(summary.by(key)) - MOST_GROUPS),
            )
            for key in keys
        ],
        worst=[
            (row, value_text(row, row.measured), value_text(row, row.predicted))
            for row in validation.worst(WORST)
        ],
        faults=faults[:MOST_FAULTS],
        more_faults=max(0, len(faults) - MOST_FAULTS),
        version=importlib.metadata.version("fabless"),
    )


def write_validation_report(validation: Validation, path: Path) -> Path:
    """Write the report to `path`, whole or not at all; `BadFile` when it cannot be written."""
    return write_whole(path, as_validation_html(validation))
