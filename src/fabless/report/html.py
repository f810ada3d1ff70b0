"""The evidence of a report: the part of its page that prints well and leads from every number to
its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum

from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless import wording
from fabless.decide import (
    Band,
    BuildUpRow,
    ChipCostRow,
    Decision,
    QueryCost,
    Resale,
    WayResult,
)
from fabless.decide.build_up import LEAST_USED
from fabless.plan import GateStep, ProjectPlan
from fabless.report import canvas, charts, money, money_charts, question_charts, time_charts
from fabless.report.negotiator import shadow_table, windows
from fabless.report.turns import change_words, independent_lines
from fabless.report.ways import information_words, programme_words, ways_note
from fabless.units import Quarter

CONTENTS = (
    ("comparison", "Comparison"), ("money", "The whole money"), ("start", "First 90 days"), ("time", "Fleet and cost"),
    ("years", "Year by year"), ("query", "Cost of a query"), ("chip", "Own chip"),
    ("moves", "What moves the answer"), ("pays", "When an own chip pays"),
    ("worth", "Options and knowledge"),
    ("negotiator", "What a negotiator needs"), ("stands", "How well it holds"),
    ("assumptions", "Assumptions"), ("warnings", "Warnings"), ("method", "Method"),
)


@dataclass(frozen=True)
class FleetTable:
    """Chips in operation in the last quarter of each year: rows of offer and bands."""

    years: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Band | None, ...]], ...]


@dataclass(frozen=True)
class ResaleTable:
    """Chips sold before the end of their life: rows of line and expected chips by year."""

    years: tuple[int, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class ChipCostTable:
    """Unit cost of each programme's chip: rows of part and amounts by programme."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    totals: tuple[float, ...]


@dataclass(frozen=True)
class GateRow:
    """One programme under one way, with its steps by the quarters of the table (None: no gate
    then)."""

    way: str
    """What people call the way."""
    plan: ProjectPlan
    begun: bool
    steps: tuple[GateStep | None, ...]


@dataclass(frozen=True)
class GateTable:
    """What every way decides about each programme, and when."""

    quarters: tuple[str, ...]
    rows: tuple[GateRow, ...]


@dataclass(frozen=True, kw_only=True)
class PairBuildUp:
    """The lines of one load on one chip."""

    title: str
    lines: tuple[BuildUpRow, ...]
    total: float
    decimals: int
    used: bool
    """Whether the recommended way serves something with the chip."""


@dataclass(frozen=True, kw_only=True)
class QueryTable:
    """One load on every chip of the case."""

    load: str
    title: str
    costs: tuple[QueryCost, ...]
    decimals: int
    pairs: tuple[PairBuildUp, ...]


@dataclass(frozen=True)
class DifferenceView:
    """Another way against the recommended one."""

    key: str
    title: str
    words: str
    bridge: money.Bridge


def differences(decision: Decision) -> list[DifferenceView]:
    """Every other way against the recommended one, the nearest first; a way that is the same on
    every path has nothing to tell."""
    ways = charts.ranked(decision.strategies, decision.recommended)[1:]
    return [
        DifferenceView(way.name, way.label, wording.heading(money.against_words(way.against, decision)),
                       money.cause_bridge(way.against))
        for way in ways if any(row.usd for row in way.against.bridge)]


def quarters_by_year(
    course: Sequence[tuple[str, Band]]
) -> list[tuple[str, tuple[Band | None, ...]]]:
    """Lay bands by quarter out by year, four a row."""
    known = {Quarter.parse(quarter): band for quarter, band in course}
    return [(str(year), tuple(known.get(Quarter(year, number)) for number in range(1, 5)))
            for year in sorted({quarter.year for quarter in known})]


def recommended_way(decision: Decision) -> WayResult:
    """Return the recommended way."""
    return next(way for way in decision.strategies if way.name == decision.recommended)


def summary_rows(decision: Decision) -> list[tuple[str, str]]:
    """Say cost, risk and what would change the answer, a line each."""
    ways = charts.ranked(decision.strategies, decision.recommended)
    best = ways[0]
    parts, total = wording.usd_parts([best.cash_usd, best.unserved_usd, best.risk_usd])
    decimals = money.way_decimals(decision)
    cost = (
        f"{wording.cents(best.cost_per_query_usd.p50, decimals)} cents a query at the median, "
        f"{wording.cents_band(best.cost_per_query_usd, decimals)} in eight of ten fresh scenarios; "
        f"over {decision.quarters} quarters {' + '.join(parts)} (cash, unserved demand, risk) come "
        f"to {total}."
    )
    risk = f"{wording.in_percent(best.shortage_probability)} chance that compute stays short over the whole horizon"
    if best.own_silicon_quarter and best.capital_at_risk_usd:
        risk += (f"; own silicon in volume by {best.own_silicon_quarter[1]} at the median and in "
                 f"{wording.in_percent(best.own_silicon_probability)} of scenarios at all, with "
                 f"{wording.usd(best.capital_at_risk_usd.p50)} at risk before it")
    risk += f"; {wording.in_percent(best.dominant_share_compute)} of compute from the dominant vendor."
    return [("Cost", cost), ("Risk", risk), ("What would change it", change_words(decision))]


def chip_cost_table(lines: Sequence[ChipCostRow]) -> ChipCostTable:
    """Lay unit costs out by part and programme."""
    names = tuple(dict.fromkeys(line.programme for line in lines))
    amounts = {(line.part, line.programme): line.usd for line in lines}
    rows = tuple((part, tuple(amounts.get((part, name), 0.0) for name in names))
                 for part in dict.fromkeys(line.part for line in lines))
    return ChipCostTable(names, rows, tuple(sum(line.usd for line in lines if line.programme == name) for name in names))


def fleet_table(way: WayResult) -> FleetTable | None:
    """Take the last quarter of each year out of the fleet by quarter."""
    last: dict[str, str] = {}
    for quarter, _, _ in way.fleet_by_quarter:
        last[quarter[:4]] = max(quarter, last.get(quarter[:4], quarter))
    bands = {(quarter, offer): band for quarter, offer, band in way.fleet_by_quarter}
    offers = dict.fromkeys(offer for _, offer, band in way.fleet_by_quarter if band.p90 >= 0.5)
    if not offers:
        return None
    rows = tuple((offer, tuple(bands.get((quarter, offer)) for quarter in last.values())) for offer in offers)
    return FleetTable(tuple(last), rows)


def resale_table(sales: Resale | None) -> ResaleTable | None:
    """Lay the chips sold early out by line and year; None where none is."""
    if sales is None or not sales.sold_by_year:
        return None
    sold = {(line, year): chips for year, line, chips in sales.sold_by_year}
    years = tuple(sorted({year for _, year in sold}))
    rows = tuple((line, tuple(sold.get((line, year), 0.0) for year in years))
                 for line in dict.fromkeys(line for line, _ in sold))
    return ResaleTable(years, rows)


def gate_table(decision: Decision, ways: Sequence[WayResult]) -> GateTable | None:
    """Lay the gates out by way and programme: those that are started, and those that a way starts
    and gives up at once."""
    first = Quarter.parse(decision.first_quarter)
    shown = [(way, gate) for way in ways for gate in way.gates if charts.is_begun(gate) or gate.name in way.programmes]
    quarters = sorted({step.quarter for _, gate in shown for step in gate.steps})
    rows = tuple(
        GateRow(
            way.label, gate, charts.goes_on(gate),
            tuple(
                next((step for step in gate.steps if step.quarter == quarter), None)
                for quarter in quarters
            ),
        )
        for way, gate in shown
    )
    return GateTable(tuple(str(first + quarter) for quarter in quarters), rows) if rows else None


def query_tables(decision: Decision) -> list[QueryTable]:
    """Lay out what a query costs on every chip, load by load."""
    loads = dict.fromkeys(item.load for item in decision.query_costs)
    return [_query_table(load, decision) for load in loads]


def _query_table(load: str, decision: Decision) -> QueryTable:
    costs = tuple(item for item in decision.query_costs if item.load == load)
    pairs = []
    for item in costs:
        lines = tuple(row for row in decision.build_up
                      if (row.model, row.offer) == (load, item.offer))
        if lines:
            pairs.append(PairBuildUp(
                title=lines[0].title, lines=lines, total=fsum(line.usd for line in lines),
                decimals=wording.cent_decimals(line.usd for line in lines),
                used=item.compute_share >= LEAST_USED))
    return QueryTable(
        load=load, title=wording.heading(decision.load_titles.get(load, load)), costs=costs,
        decimals=wording.cent_decimals(item.usd for item in costs if item.usd), pairs=tuple(pairs))


def report_pictures(decision: Decision) -> dict[str, str | None]:
    """Draw every chart of the report as SVG; None where there is nothing to draw."""
    best = recommended_way(decision)
    middle, moved = best.cost_per_query_usd.p50, decision.questions.sensitivities or ()
    headings = _headings(decision)
    specs = {
        "comparison": (
            "Cost per query and chance of shortage of every way; the table below holds the same numbers.",
            lambda width: charts.comparison(
                decision.strategies, decision.recommended, width
            ),
        ),
        "headline": (
            "From the cost of a query to the total; the table below holds the same numbers.",
            (lambda width: money_charts.bridge_chart(
                money.headline_bridge(best, decision), "Total", width, signed=False))
            if best.headline else None,
        ),
        "spend": (
            "Cash by year, by load, vendor and tenure; the tables below hold the same numbers.",
            (lambda width: money_charts.spend_by_year(money.spend_panels(best, decision), width))
            if best.spend else None,
        ),
        "fleet": (
            f"Chips in operation by line through time under {best.label}; the table below gives year ends.",
            (lambda width: time_charts.fleet(best, headings, width)) if best.fleet_by_quarter else None,
        ),
        "course": (
            "Demand and cost of each quarter through time with bands.",
            (lambda width: time_charts.cost_and_demand(best, decision.demand_by_quarter, width))
            if decision.demand_by_quarter and best.cost_by_quarter_usd
            else None,
        ),
        "timeline": (
            "Stages of the own chip: "
            + "; ".join(stage.stage for stage in decision.timeline)
            + ".",
            (
                lambda width: time_charts.chip_timeline(
                    decision.timeline, headings, decision.first_quarter, width
                )
            )
            if decision.timeline
            else None,
        ),
        "sensitivity": (
            "Cost per query with each input at its ends; the table below holds the same numbers.",
            (lambda width: charts.sensitivity(moved, middle, width, decision.way_of))
            if moved
            else None,
        ),
        "sobol": (
            "Sobol indices of the main inputs.",
            (lambda width: question_charts.sobol(decision.questions.sobol or (), width))
            if decision.questions.sobol
            else None,
        ),
        "near_best": (
            "Least and most of each line among near-best plans; the table below holds the same "
            "numbers.",
            partial(question_charts.near_best_ranges, windows(decision.near_best))
            if any(item.unit != "start" for item in decision.near_best or ())
            else None,
        ),
    } | {
        f"pays {surface.programme}": (
            f"Value of {decision.title_of(surface.programme)}, started now, over volume, performance and slip.",
            partial(question_charts.pays, surface),
        )
        for surface in decision.questions.surfaces or ()
    } | {
        f"query {load}": (
            "Cost of a query by part on each chip; the tables below hold the same numbers.",
            partial(charts.build_up_chart,
                    [row for row in decision.build_up if row.model == load],
                    parts=charts.parts_of(decision.build_up)),
        )
        for load in dict.fromkeys(row.model for row in decision.build_up)
    } | {
        f"why {other.key}": (
            f"Difference from {other.title} by cause; the table below holds the same numbers.",
            partial(_difference_chart, other.bridge),
        )
        for other in differences(decision)
    }
    return {
        name: canvas.as_svg(make(canvas.WIDE), label)
        if make
        else None
        for name, (label, make) in specs.items()
    }


def _difference_chart(bridge: money.Bridge, width: int) -> canvas.Spec:
    return money_charts.bridge_chart(bridge, "Difference", width, signed=True)


def _headings(decision: Decision) -> dict[str, str]:
    """Titles as they stand at the head of a row, by key."""
    return {key: wording.heading(title) for key, title in decision.titles.items()}


def _environment(decision: Decision) -> Environment:
    environment = Environment(
        loader=PackageLoader("fabless.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    parts, headings = charts.parts_of(decision.build_up), _headings(decision)
    environment.filters |= {
        "cents": wording.cents, "cents_band": wording.cents_band,
        "count": wording.count, "in_unit": wording.in_unit, "plain": wording.plain,
        "share": wording.in_percent, "usd": wording.usd, "standing": lambda way: money.standing_lines(way, decision),
        "heading": wording.heading,
        "gap": wording.gap, "error": wording.error_usd,
        "titled": lambda key: headings.get(key, key), "way": decision.way_of,
        "programme_words": lambda way: wording.heading(programme_words(way, decision)),
        "part_colour": lambda part: charts.part_colour(parts, part),
        "is_web": lambda url: url.startswith(("https://", "http://")),
    }
    environment.tests["dropped"] = charts.is_dropped
    return environment


def evidence_html(decision: Decision) -> str:
    """Write what a decision rests on, as the second part of the report's page: no script, no outside
    request."""
    best = recommended_way(decision)
    ways = charts.ranked(decision.strategies, decision.recommended)
    costs: Mapping[str, Mapping[int, Band]] = {way.name: dict(way.cost_per_query_by_year_usd) for way in ways}
    tests = {way.name: test for way, test in zip(decision.strategies, decision.fresh, strict=False)}
    place = {way.name: k for k, way in enumerate(ways)}
    template = _environment(decision).get_template("report.html")
    return template.render(
        decision=decision, best=best, ways=ways, summary=summary_rows(decision), contents=CONTENTS,
        pictures=report_pictures(decision),
        money_rows=[money.money_row(way, decision) for way in ways],
        margins=[text for way in ways if (text := money.margin_words(way, decision))],
        headline=money.headline_bridge(best, decision), differences=differences(decision),
        spends=money.spend_tables(best, decision), quarters=quarters_by_year(best.cost_by_quarter_usd),
        any_short=any(not way.meets_service_level for way in ways),
        any_dropped=any(map(charts.is_dropped, ways)), ways_note=ways_note(decision),
        programmes=[way for way in ways if way.programme], fresh_paths=f"{decision.fresh[0].paths:,}",
        actions=best.actions, committed=sum(action.spend_usd for action in best.actions),
        fleet=fleet_table(best), costs=costs,
        shortages={
            way.name: {year: (chance, size) for year, chance, size in way.shortage_by_year}
            for way in ways
        },
        years=sorted({year for by_year in costs.values() for year in by_year}),
        queries=query_tables(decision),
        chip_costs=chip_cost_table(decision.chip_costs),
        gates=gate_table(decision, ways), resales=resale_table(decision.resale),
        anchors={
            number.name: f"input-{place}"
            for place, number in enumerate(decision.assumptions, start=1)
        },
        decimals=money.way_decimals(decision), fine=money.way_decimals(decision) + 1,
        tests=tests,
        shadows=shadow_table(decision.shadow_prices),
        independent=list(independent_lines(decision)),
        any_gap=any(test.gap for test in tests.values()),
        information=wording.heading(information_words(decision)),
        regrets=sorted(decision.regrets, key=lambda row: place.get(row.way, len(place))),
        resilience=sorted(
            decision.questions.resilience or (), key=lambda row: place.get(row.way, len(place))
        ),
    )
