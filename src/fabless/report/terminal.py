"""A decision on a terminal: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fabless import wording
from fabless.decide import Action, Decision, FreshTest, Resilience, Sensitivity, Stability, WayResult
from fabless.decide.results import FirstLook, LargePlan, Resale
from fabless.report.charts import is_begun, is_dropped, ranked
from fabless.report.money import (
    Bridge,
    against_words,
    cause_bridge,
    headline_bridge,
    margin_words,
    money_row,
    spend_tables,
    standing,
    way_decimals,
)
from fabless.report.negotiator import delay_words, negotiator_lines
from fabless.report.page.data import headline_lines
from fabless.report.table import FULL_WIDTH, Column, print_table, say
from fabless.report.turns import independent_lines, turn_lines
from fabless.report.ways import information_words, programme_words, ways_note

_MOST_ACTIONS = 4
_MOST_INPUTS = _MOST_FLIPS = 3
_LEAST_ERROR = 0.005
"""Share of a value from which its standard error is worth a word."""
_SPEND_YEARS = 3
"""Years of spend with a column of their own."""
_WIDE_HEADINGS = (
    "Short-\nage", "Un-\nserved", "Own silicon\nP10    P50    P90   ", "Capital\nat risk",
    "Dominant\nvendor",
)
_SLIM_HEADINGS = (
    "Short", "Un-\nserved", "Own silicon\nP50  P10–P90 ", "Capital\nat risk", "Vendor\nshare",
)


def _row(way: WayResult, decision: Decision, decimals: int, full: bool) -> list[str]:
    cost = way.cost_per_query_usd
    own = wording.MISSING
    if is_dropped(way):
        own = "given up"
    elif way.own_silicon_quarter:
        early, median, late = way.own_silicon_quarter
        own = f"{early} {median} {late}" if full else f"{median[2:]} {early[2:]}–{late[2:]}"
    twin = f"\n= {decision.way_of(way.same_as)}" if way.same_as else ""
    return [
        way.label + ("" if way.meets_service_level else "*") + twin,
        wording.cents(cost.p10, decimals),
        wording.cents(cost.p50, decimals),
        wording.cents(cost.p90, decimals),
        wording.in_percent(way.shortage_probability),
        wording.in_percent(way.shortage_share.mean),
        own,
        wording.usd(
            way.capital_at_risk_usd.p50 if way.capital_at_risk_usd else None
        ),
        wording.in_percent(way.dominant_share_compute),
    ]


def _action(action: Action, as_of: str) -> str:
    when = f"by {action.due}" if action.start <= as_of else f"{action.start} to {action.due}"
    return f"- {when}: {action.what}, {wording.usd(action.spend_usd)}" + (
        f"; {later}" if (later := delay_words(action)) else "")


def _input(effect: Sensitivity, decimals: int, decision: Decision) -> str:
    ends = []
    for value, cost, best in (
        (effect.low, effect.cost_low_usd, effect.best_low),
        (effect.high, effect.cost_high_usd, effect.best_high),
    ):
        first = "" if best is None or best == effect.best_usual else f" ({decision.way_of(best)} first)"
        ends.append(
            f"{wording.cents(cost, decimals)} cents at {wording.with_unit(value, effect.unit)}{first}"
        )
    return f"- {effect.label}: {ends[0]}, {ends[1]}"


def _own_chip(decision: Decision, best: WayResult) -> Iterator[str]:
    """What each programme is worth if started now, the steps of those that the plan takes up, and
    where the answer turns."""
    if decision.programme_values:
        yield "- value if started now and carried through: " + ", ".join(
            f"{decision.title_of(value.name)} {wording.usd(value.value_usd)}"
            + (
                f" ± {wording.usd(2.0 * value.error_usd)}"
                if value.error_usd > _LEAST_ERROR * abs(value.value_usd)
                else ""
            )
            for value in decision.programme_values
        )
    for gate in best.gates:
        if is_begun(gate):
            now = gate.steps[0].quarter == 0
            start = "started now" if now else f"started in {wording.in_percent(gate.start_probability)}"
            end = f", given up in {wording.in_percent(gate.give_up_probability)}" if gate.give_up_probability else ""
            yield f"- {decision.title_of(gate.name)}: {start}{end}, {wording.usd(gate.expected_spend_usd)} expected spend"
    yield from (f"- {turn.text}" for turn in (decision.questions.flips or ())[:_MOST_FLIPS])


def _fresh(test: FreshTest, leaves: int) -> str:
    cost, short = test.expected_cost_usd, test.shortage_probability
    return (
        f"- {test.paths:,} fresh scenarios: {wording.usd(cost.fresh)} ± "
        f"{wording.usd(2.0 * cost.error)} cash and unserved demand, {wording.usd(cost.in_sample)} "
        f"on the {leaves} it was planned on; short in {wording.in_percent(short.fresh)}, not "
        f"{wording.in_percent(short.in_sample)}"
    )


def _stability(stability: Stability, decision: Decision, decimals: int) -> str:
    first = sum(decision.recommended in ranking[0].split(" = ") for ranking in stability.rankings)
    cost = stability.cost_per_query_usd
    return (f"- {len(stability.seeds)} seeds: {decision.way_of(decision.recommended)} first in {first}, same ranking in "
            f"{wording.in_percent(stability.agreement)}, "
            f"P50 {wording.cents(cost.p10, decimals)}–{wording.cents(cost.p90, decimals)} cents")


def _struck(loss: Resilience) -> str:
    return (
        f"- dominant vendor gone for {loss.quarters} quarters from {loss.quarter}: {wording.usd(loss.cost_usd)} more, "
        f"{wording.in_percent(loss.missing_after)} of that year's compute missing, not "
        f"{wording.in_percent(loss.missing_before)}"
    )


def _sales(sales: Resale) -> str:
    sold = sum(chips for _, _, chips in sales.sold_by_year)
    return (
        f"- {wording.count(sold)} chips sold before the end of life: "
        f"{wording.usd(sales.income_usd)}, and the right to sell is worth "
        f"{wording.usd(sales.worth_usd)}; all on the scenarios on which it was planned"
    )


def _large(plan: LargePlan, decimals: int) -> str:
    return (
        f"- planned again on {plan.leaves:,} scenarios: {wording.cents(plan.cost_per_query_usd.p50, decimals)} cents a "
        f"query at the median, {wording.usd(plan.expected_cost_usd)} expected, {wording.gap(plan.gap)}"
    )


def _holds(decision: Decision, decimals: int) -> Iterator[str]:
    """A line each on fresh scenarios, other seeds and the loss of the dominant vendor, of the
    recommended way."""
    asked, recommended = decision.questions, decision.recommended
    yield from (_fresh(test, decision.leaves) for test in decision.fresh if test.way == recommended)
    if words := information_words(decision):
        yield f"- {words}"
    if asked.stability:
        yield _stability(asked.stability, decision, decimals)
        yield from (f"- {line}" for line in independent_lines(decision))
    yield from (_struck(loss) for loss in asked.resilience or () if loss.way == recommended)
    if decision.large:
        yield _large(decision.large, decimals)


def _print_ways(ways: Sequence[WayResult], decision: Decision, decimals: int, console: Console) -> None:
    full = console.width >= FULL_WIDTH
    headings = ("P10", "P50", "P90", *(_WIDE_HEADINGS if full else _SLIM_HEADINGS))
    columns = [Column("Way"), *(Column(heading, number=True) for heading in headings)]
    print_table("", columns, [_row(way, decision, decimals, full) for way in ways], console)
    say(
        console,
        f"Cents per query over {decision.quarters} quarters from {decision.first_quarter}, USD of "
        f"{decision.price_year}, on fresh scenarios. Short: chance of missing more than tolerated; unserved: "
        "expected missing share."
        + ("" if all(way.meets_service_level for way in ways) else " * misses the service level."),
        "dim",
    )


def _print_money(ways: Sequence[WayResult], decision: Decision, console: Console) -> None:
    """Print what each way comes to in all, and how it stands against the recommended one."""
    columns = [Column("Way"), *(Column(heading, number=True) for heading in (
        "Cash", "Unserved\ndemand", "Risk", "Total", "± two\nerrors", "Against the first"))]
    rows = [[way.label, row.cash, row.unserved, row.risk, row.total, row.error, row.standing]
            for way in ways for row in (money_row(way, decision),)]
    print_table("", columns, rows, console)
    say(console,
        f"Present value of {decision.quarters} quarters, mean of the same fresh scenarios for every "
        "way; they add up to the total by which ways are ranked. Only cash is paid: unserved demand "
        "counts at the price of the case, risk for the worst scenarios. ± two standard errors: of a "
        "difference scenario by scenario, and of what other draws would decide on a programme; tie: "
        "within them.", "dim")


def _print_margins(ways: Sequence[WayResult], decision: Decision, console: Console) -> None:
    """Print what the queries bring in less what they cost, where the case states it."""
    words = [text for way in ways if (text := margin_words(way, decision))]
    _print_list("Margin of the queries, present value", [f"- {text}" for text in words], console)


def _print_bridge(heading: str, bridge: Bridge, end: str, console: Console) -> None:
    """Print the steps of a bridge and its end, the amounts under each other."""
    console.print()
    say(console, heading, "bold")
    columns = [Column("", number=True), Column("", name=True), Column("")]
    rows = [[step.text, step.title, step.how] for step in bridge.steps]
    print_table("", columns, [*rows, [bridge.text, end, ""]], console)


def _print_spend(way: WayResult, decision: Decision, console: Console) -> None:
    """Print what is paid by load, vendor and tenure, the first years one by one."""
    tables = spend_tables(way, decision, _SPEND_YEARS)
    if not tables:
        return
    console.print()
    columns = [Column(f"Cash of {way.label}"),
               *(Column(name, number=True) for name in tables[0].columns)]
    rows = [row for table in tables for row in (
        [f"{table.title}:", *[""] * len(table.columns)],
        *([f"  {title}", *texts] for title, texts in table.rows))]
    print_table("", columns, [*rows, ["All", *tables[0].totals]], console)
    say(console, "Expected, of each year; the last column at its present value.", "dim")


def _print_years(ways: Sequence[WayResult], decimals: int, console: Console) -> None:
    """Print the median cost per query of each way, year by year."""
    years = [str(year) for year, _ in ways[0].cost_per_query_by_year_usd]
    columns = [Column("Cents by year, P50"), *(Column(year, number=True) for year in years)]
    rows = [[way.label, *(wording.cents(band.p50, decimals) for _, band in way.cost_per_query_by_year_usd)] for way in ways]
    print_table("", columns, rows, console)


def _print_list(heading: str, lines: Sequence[str], console: Console) -> None:
    """Print lines under their heading; nothing where there are none."""
    if lines:
        console.print()
        say(console, heading, "bold")
        for line in lines:
            say(console, line, indent=2)


def _print_headline(decision: Decision, console: Console) -> None:
    """Print the verdict, its claims, and the answer in one long sentence."""
    verdict, *claims = headline_lines(decision)
    say(console, verdict, "bold")
    for claim in claims:
        say(console, claim, indent=2)
    console.print()
    say(console, decision.answer)
    console.print()


def print_decision(decision: Decision, console: Console, report_path: Path | None = None) -> None:
    """Print the verdict, the answer, the ways, what to do first, what moves it, how well it holds, warnings and
    the path of the report.

    Fits 80 columns and more; on a terminal without Unicode it is plain ASCII. What was not asked
    has no heading.
    """
    ways = ranked(decision.strategies, decision.recommended)
    decimals, best = way_decimals(decision), ways[0]
    asked, actions = decision.questions, best.actions
    _print_headline(decision, console)
    _print_ways(ways, decision, decimals, console)
    if note := ways_note(decision):
        say(console, note, "dim")
    console.print()
    _print_money(ways, decision, console)
    _print_margins(ways, decision, console)
    console.print()
    _print_years(ways, decimals, console)
    some = f" ({_MOST_ACTIONS} of {len(actions)}; all in the report)" if len(actions) > _MOST_ACTIONS else ""
    _print_list(
        f"First 90 days{some}",
        [_action(action, decision.as_of) for action in actions[:_MOST_ACTIONS]] or ["- nothing"],
        console,
    )
    _print_bridge(f"From the cents to the total, {best.label}", headline_bridge(best, decision),
                  "Total", console)
    for other in ways[1:]:
        if other.name == best.against.other:
            _print_bridge(f"Why {best.label} and not {other.label}: what {other.label} costs more",
                          cause_bridge(other.against), "Difference", console)
            say(console, wording.heading(against_words(other.against, decision)) + ".", "dim")
    _print_spend(best, decision, console)
    _print_list("Resale, expected", [_sales(decision.resale)] if decision.resale else [], console)
    _print_list(
        f"What moves the cost of a query most, {wording.cents(best.cost_per_query_usd.p50, decimals)} cents in the "
        "middle future",
        [
            _input(effect, decimals, decision)
            for effect in (asked.sensitivities or ())[:_MOST_INPUTS]
        ],
        console,
    )
    _print_list("What must be true for another way to be cheaper", list(turn_lines(decision)), console)
    _print_list(
        "Ways that start a chip programme",
        [f"- {way.label}, {programme_words(way, decision)}" for way in ways if way.programme],
        console,
    )
    _print_list("An own chip", list(_own_chip(decision, best)), console)
    _print_list("What a negotiator needs", list(negotiator_lines(decision)), console)
    _print_list("How well the answer holds", list(_holds(decision, decimals)), console)
    if decision.warnings:
        console.print()
        for warning in decision.warnings:
            say(console, f"Warning: {warning}", "yellow", indent=2)
    if report_path is not None:
        if not decision.warnings:
            console.print()
        console.print(Text(f"Report: {report_path}"), soft_wrap=True)


def print_first_look(look: FirstLook, console: Console) -> None:
    """Print what a few fresh scenarios say while the rest is worked out."""
    decimals = wording.cent_decimals(way.cost_per_query_usd.p50 for way in look.strategies)
    say(console, f"First look, {look.paths} scenarios: {look.answer}", "dim")
    columns = [Column("Way"), *(Column(heading, number=True)
                                for heading in ("Cents, P50", "Total", "Against the first"))]
    rows = [
        [way.label, wording.cents(way.cost_per_query_usd.p50, decimals), wording.usd(way.total_usd),
         standing(way, look)]
        for way in ranked(look.strategies, look.recommended)
    ]
    print_table("", columns, rows, console)
