"""A validation on one screen: what was read, how far off, what is not predicted and why, the worst
rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from fabless import wording
from fabless.report.table import Column, print_table, say
from fabless.validate import ComparedRow, ErrorGroup, Errors, Validation

MOST_GROUPS = 40
MOST_FILES = 3
MOST_REASONS = 5
MOST_FAULTS = 5
WORST = 5

HEADINGS = ("Rows", "Predicted", "Median", "Mean", "P90", "Bias", "Within 20%", "Rank")


def signed(value: float | None) -> str:
    """Write a signed share in whole percent.

    >>> signed(0.034), signed(-0.3), signed(None)
    ('+3%', '−30%', '–')
    """
    if value is None:
        return wording.MISSING
    text = f"{abs(value) * 100.0:.0f}%"
    return text if text == "0%" else f"{'+' if value > 0 else wording.MINUS}{text}"


def percent(value: float | None) -> str:
    """Write an error in percent, with a decimal below ten.

    >>> percent(0.0345), percent(0.346), percent(None)
    ('3.5%', '35%', '–')
    """
    if value is None:
        return wording.MISSING
    return f"{value * 100.0:.1f}%" if value < 0.0995 else f"{value * 100.0:,.0f}%"


def cells(errors: Errors) -> list[str]:
    """Write the statistics of a group under `HEADINGS`."""
    rank = wording.MISSING if errors.rank is None else f"{errors.rank:.2f}".replace("-", wording.MINUS)
    return [
        wording.count(errors.rows), wording.in_percent(errors.coverage), percent(errors.median),
        percent(errors.mean), percent(errors.p90), signed(errors.bias),
        wording.in_percent(errors.within_20), rank,
    ]


def validation_headline(validation: Validation) -> str:
    """Say in a sentence how many rows are predicted and how well."""
    errors = validation.summary.errors
    if errors.median is None:
        return f"None of {errors.rows:,} measured rows can be predicted."
    bias = (
        ""
        if errors.bias is None or abs(errors.bias) < 0.005
        else (
            f", at the middle {abs(errors.bias) * 100.0:.0f}% too {'high' if errors.bias > 0 else 'low'}"
        )
    )
    return (
        f"{errors.predicted:,} of {errors.rows:,} measured rows predicted: median error {percent(errors.median)}, mean "
        f"{percent(errors.mean)}, nine of ten within {percent(errors.p90)}{bias}."
    )


def shown_groups(groups: Sequence[ErrorGroup], most: int) -> list[ErrorGroup]:
    """The largest groups, in the order of their names where the key has parts, else largest
    first."""
    largest = sorted(groups, key=lambda group: -group.errors.rows)[:most]
    return sorted(largest, key=lambda group: group.name) if groups and "+" in groups[0].by else largest


def value_text(row: ComparedRow, value: float | None) -> str:
    """Write a measured or predicted value of a row."""
    return wording.MISSING if value is None else wording.significant(value, 3)


def faults_by_kind(faults: Sequence[str]) -> list[str]:
    """Put alike faults together: the first, with its file, line and column, and how many there are.

    >>> faults_by_kind(["bad cell: 'x' (a.csv:2, m)", "bad cell: 'x' (a.csv:5, m)", "bad cell: 'y' (a.csv:3, m)"])
    ["bad cell: 'x' (a.csv:2, m), and 1 more row", "bad cell: 'y' (a.csv:3, m)"]
    """
    alike: dict[str, list[str]] = {}
    for fault in faults:
        alike.setdefault(fault.rpartition(" (")[0], []).append(fault)
    return [
        texts[0]
        + (
            f", and {len(texts) - 1} more row{'s' if len(texts) > 2 else ''}"
            if len(texts) > 1
            else ""
        )
        for texts in alike.values()
    ]


def _print_groups(validation: Validation, key: str, console: Console) -> None:
    groups = validation.summary.by(key)
    shown = shown_groups(groups, MOST_GROUPS)
    columns = [Column(key.replace("+", ", ").capitalize()), *(Column(heading, number=True) for heading in HEADINGS)]
    print_table("", columns, [[group.name, *cells(group.errors)] for group in shown], console)
    if len(groups) > len(shown):
        say(console, f"and {len(groups) - len(shown)} smaller groups, see --json or --report", "dim")
    console.print()


def _print_worst(validation: Validation, console: Console) -> None:
    worst = validation.worst(WORST)
    if not worst:
        return
    say(console, "Farthest off", "bold")
    for row in worst:
        say(
            console,
            f"- {row.id} {row.metric}: {value_text(row, row.predicted)} predicted, "
            f"{value_text(row, row.measured)} measured ({row.model or row.layout} on {row.chip}; {row.setting})",
            indent=2,
        )
    console.print()


def print_validation(
    validation: Validation, console: Console, keys: Sequence[str], report_path: Path | None = None
) -> None:
    """Print a validation grouped by some keys; on a terminal without Unicode it is plain ASCII."""
    summary = validation.summary
    say(console, validation_headline(validation), "bold")
    if len(summary.files) > MOST_FILES:
        say(console, "Read: " + ", ".join(f"{read.name} {read.lines:,}" for read in summary.files) + " rows.", indent=2)
    else:
        for read in summary.files:
            say(
                console,
                f"{read.name}: {read.lines:,} rows of layout {read.layout}"
                f"{f', {read.rows:,} measurements' if read.rows != read.lines else ''}",
                indent=2,
            )
    console.print()
    for key in keys:
        _print_groups(validation, key, console)
    say(
        console,
        "Errors are |predicted / measured - 1|; bias is the median of predicted / measured - 1; rank is Spearman's "
        "coefficient.",
        "dim",
    )
    console.print()
    if summary.reasons:
        missing = sum(reason.rows for reason in summary.reasons)
        say(console, f"Not predicted: {missing:,} rows", "bold")
        for reason in summary.reasons[:MOST_REASONS]:
            say(console, f"- {reason.rows:,} {reason.kind}, such as {reason.example.partition(': ')[2]}", indent=2)
        if len(summary.reasons) > MOST_REASONS:
            rest = summary.reasons[MOST_REASONS:]
            say(console, f"- {sum(reason.rows for reason in rest):,} for {len(rest)} other reasons, see --json", indent=2)
        console.print()
    kinds = faults_by_kind(summary.faults)
    for text in kinds[:MOST_FAULTS]:
        say(console, f"Warning: {text}", "yellow", indent=2)
    if len(kinds) > MOST_FAULTS:
        say(console, f"Warning: and {len(kinds) - MOST_FAULTS} more kinds of cells, see --json", "yellow", indent=2)
    if summary.faults:
        console.print()
    _print_worst(validation, console)
    say(
        console,
        "Other tables: --by model,chip,engine; every row: --json; pictures: --report FILE.html; definitions: "
        "docs/explanation/validation.md",
        "dim",
    )
    if report_path is not None:
        say(console, f"Report: {report_path}")
