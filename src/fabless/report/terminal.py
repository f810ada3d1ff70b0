"""A decision on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fabless.decide import Action, Decision, ProgrammeValue, Sensitivity, StrategyResult
from fabless.report import numbers
from fabless.report.charts import ranked

_FULL_WIDTH = 100
_MOST_ACTIONS = 6
_LEAST_WORDS = 12
_WIDE_HEADINGS = ("Short-\nage", "Un-\nserved", "Own silicon\nP10    P50    P90   ", "Capital\nat risk",
                  "Dominant\nvendor", "Against\nthe best")
_SLIM_HEADINGS = ("Short", "Un-\nserved", "Own silicon\nP50  P10–P90 ", "Capital\nat risk", "Vendor\nshare",
                  "Against\nbest")
_ASCII_RULE = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True)
class Column:
    """A column of a printed table: its heading, and whether it holds numbers (set to the right) or names.

    Neither numbers nor names are ever broken; words are.
    """

    heading: str
    number: bool = False
    name: bool = False

    @property
    def whole(self) -> bool:
        """Whether its cells stay on one line."""
        return self.number or self.name


def _writes_symbols(console: Console) -> bool:
    return console.encoding.lower().replace("-", "").startswith("utf")


def say(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    """Print text as it is, no markup read, broken at words, in ASCII where the terminal has no more."""
    shown = text if _writes_symbols(console) else numbers.ascii_only(text)
    width = max(20, console.width - indent)
    for number, line in enumerate(Text(shown, style=style).wrap(console, width)):
        line.rstrip()
        console.print(Text(" " * (indent if number else max(0, indent - 2))) + line, soft_wrap=True)


def print_table(title: str, columns: Sequence[Column | str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a table; cells are plain text. A column given as a bare string holds words.

    Cells are printed as they are: names that look like markup stay names. Columns of words give way on a narrow
    terminal; numbers and names are never cut, so that a table of too many of them runs past the edge.
    """
    ascii_terminal = not _writes_symbols(console)

    def cell(text: str) -> Text:
        return Text(numbers.ascii_only(text) if ascii_terminal else text)

    gap = 1 if console.width < _FULL_WIDTH else 2
    table = Table(box=_ASCII_RULE if ascii_terminal else box.SIMPLE_HEAD, title=cell(title) if title else None,
                  title_justify="left", title_style="bold", header_style="dim", padding=(0, gap - 1, 0, 0),
                  pad_edge=False, show_edge=False)
    natural = least = gap * (len(columns) - 1)
    for place, column in enumerate(columns):
        known = column if isinstance(column, Column) else Column(column)
        table.add_column(cell(known.heading), justify="right" if known.number else "left", no_wrap=known.whole,
                         overflow="fold", vertical="top")
        lines = [line for text in (known.heading, *(row[place] for row in rows)) for line in text.split("\n")]
        longest = max(map(cell_len, lines))
        natural += longest
        least += longest if known.whole else min(longest, _LEAST_WORDS)
    for row in rows:
        table.add_row(*map(cell, row))
    if natural > console.width:
        table.width = max(console.width, least)
    console.print(table, crop=False, overflow="ignore")


def _row(way: StrategyResult, decision: Decision, decimals: int, full: bool) -> list[str]:
    cost = way.cost_per_query_usd
    own = numbers.MISSING
    if way.own_silicon_quarter:
        early, median, late = way.own_silicon_quarter
        own = f"{early} {median} {late}" if full else f"{median[2:]} {early[2:]}–{late[2:]}"
    return [
        way.name + ("" if way.meets_service_level else "*"),
        numbers.cents(cost.p10, decimals), numbers.cents(cost.p50, decimals), numbers.cents(cost.p90, decimals),
        numbers.share(way.shortage_probability), numbers.share(way.shortage_share.mean), own,
        numbers.usd(way.capital_at_risk_usd.p50 if way.capital_at_risk_usd else None),
        numbers.share(way.dominant_share_compute),
        numbers.verdict(way.regret_usd, way.regret_error_usd, way.name == decision.recommended),
    ]


def _action(action: Action) -> str:
    size = numbers.amount(action.amount, action.unit)
    return f"- {action.what}{f': {size}' if size else ''}, {numbers.usd(action.spend_usd)} ({action.owner})"


def _input(one: Sensitivity, usual: str, decimals: int) -> str:
    ends = []
    for value, cost, best in ((one.low, one.cost_low_usd, one.best_low), (one.high, one.cost_high_usd, one.best_high)):
        first = "" if best == usual else f" ({best} first)"
        ends.append(f"{numbers.cents(cost, decimals)} cents at {numbers.with_unit(value, one.unit)}{first}")
    return f"- {one.label}: {ends[0]}, {ends[1]}"


def _print_years(ways: Sequence[StrategyResult], decimals: int, console: Console) -> None:
    """Print the median cost per query of each way, year by year."""
    years = [str(year) for year, _ in ways[0].cost_per_query_by_year_usd]
    columns = [Column("Cents by year, P50", name=True), *(Column(year, number=True) for year in years)]
    rows = [[way.name, *(numbers.cents(band.p50, decimals) for _, band in way.cost_per_query_by_year_usd)] for way in ways]
    print_table("", columns, rows, console)


def _programme(value: ProgrammeValue) -> str:
    verb = "saves" if value.value_usd >= 0 else "costs"
    when = f", volume in {value.volume_quarter} with {numbers.share(value.volume_probability)} probability"
    return (f"- {value.name} ({value.route}): {verb} {numbers.usd(abs(value.value_usd))} net,"
            f" standard error {numbers.usd(value.error_usd)}; pays in {numbers.share(value.pays_probability)} of scenarios"
            f"{when if value.volume_quarter else ', never in volume'}")


def print_decision(decision: Decision, console: Console, report_path: Path | None = None) -> None:
    """Print the answer, the ways side by side, what to start, what moves the answer, warnings and the report's path.

    Fits 80 columns and more; on a terminal without Unicode it is plain ASCII.
    """
    full = console.width >= _FULL_WIDTH
    ways = ranked(decision.strategies, decision.recommended)
    decimals = numbers.cent_decimals(way.cost_per_query_usd.p50 for way in ways)
    say(console, decision.answer, "bold")
    console.print()
    headings = ("P10", "P50", "P90", *(_WIDE_HEADINGS if full else _SLIM_HEADINGS))
    columns = [Column("Way"), *(Column(heading, number=True) for heading in headings)]
    print_table("", columns, [_row(way, decision, decimals, full) for way in ways], console)
    say(console, f"P10, P50, P90: cents per query over {decision.quarters} quarters from {decision.first_quarter}, USD "
                 f"of {decision.price_year}. Short: chance that more than the tolerated share of compute is missing; "
                 "unserved: expected missing share.", "dim")
    if any(not way.meets_service_level for way in ways):
        say(console, "* misses the service level of the case.", "dim")
    console.print()
    _print_years(ways, decimals, console)
    actions = ways[0].actions
    console.print()
    say(console, f"Start in {decision.first_quarter}", "bold")
    for action in actions[:_MOST_ACTIONS]:
        say(console, _action(action), indent=2)
    if len(actions) > _MOST_ACTIONS:
        say(console, f"- and {len(actions) - _MOST_ACTIONS} more in the report", indent=2)
    if not actions:
        say(console, "- nothing", indent=2)
    if decision.sensitivities:
        console.print()
        say(console, "What moves the answer most", "bold")
        for one in decision.sensitivities[:3]:
            say(console, _input(one, decision.best_single, decimals), indent=2)
    if decision.programme_values:
        console.print()
        say(console, "A chip programme started now, on top of the best lines", "bold")
        for value in decision.programme_values:
            say(console, _programme(value), indent=2)
    if decision.warnings:
        console.print()
        for warning in decision.warnings:
            say(console, f"Warning: {warning}", "yellow", indent=2)
    if report_path is not None:
        console.print()
        console.print(Text(f"Report: {report_path}"), soft_wrap=True)
