"""A decision on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fabless.decide import Action, Decision, ProgrammeValue, Sensitivity, StrategyResult
from fabless.report import numbers
from fabless.report.charts import ranked
from fabless.report.table import FULL_WIDTH, Column, print_table, say

_MOST_ACTIONS = 6
_WIDE_HEADINGS = ("Short-\nage", "Un-\nserved", "Own silicon\nP10    P50    P90   ", "Capital\nat risk",
                  "Dominant\nvendor", "Against\nthe best")
_SLIM_HEADINGS = ("Short", "Un-\nserved", "Own silicon\nP50  P10–P90 ", "Capital\nat risk", "Vendor\nshare",
                  "Against\nbest")


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
    full = console.width >= FULL_WIDTH
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
    asked = decision.questions
    if asked.sensitivities:
        console.print()
        say(console, "What moves the answer most", "bold")
        for one in asked.sensitivities[:3]:
            say(console, _input(one, decision.best_single, decimals), indent=2)
    if asked.flips:
        console.print()
        say(console, "What would change the answer on an own chip", "bold")
        for turn in asked.flips[:3]:
            say(console, f"- {turn.text}", indent=2)
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
