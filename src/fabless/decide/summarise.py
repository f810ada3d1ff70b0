"""From a way on fresh paths to what a reader compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from fabless.case_records import Case, Programme
from fabless.decide.accounts.difference import against
from fabless.decide.accounts.money import money_of, sellers
from fabless.decide.accounts.results import Against, Money
from fabless.decide.actions import actions_of
from fabless.decide.described import described_as, same_as
from fabless.decide.fresh.judge import Judged
from fabless.decide.fresh.on_paths import WayOnPaths, risk_adjusted_by_path, standard_error
from fabless.decide.programme_view import (
    as_option,
    programme_view,
    seen_on_paths,
    volume_quarters,
    volume_share,
)
from fabless.decide.results import SURE, ProgrammeValue, TimelineStage, WayResult
from fabless.decide.ways.paths import band, calendar
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Array, Band
from fabless.strategy import PORTFOLIO, every_way
from fabless.units import DAY_S, QUARTER_S

BASELINE = "buy"
"""The way that a recommended one is set against: working more closely with the dominant vendor."""


def way_result(prepared: Prepared, judged: Judged, solved: SolvedWay) -> WayResult:
    """Condense one way."""
    case, result, paths = prepared.case, solved.result, judged.ways[solved.name]
    missing = paths.missing_by_year(case)
    short = missing > case.tolerated_shortage
    programme = next(
        (
            item
            for item in case.programmes
            if item.name in solved.started and item.route != "partner"
        ),
        None,
    )
    option = (seen_on_paths(as_option(solved, case), paths.given_up)
              if solved.carried else None)
    dropped = option is not None and option.give_up_probability >= SURE
    outlook = prepared.simulated[programme.name].summary if programme and not dropped else None
    way = next(way for way in every_way(case) if way.name == solved.name)
    twin = same_as(solved, case) if solved.name == PORTFOLIO else None
    regret, error = judged.difference(solved.name, judged.best)
    money = money_of(case, paths)
    years = [year for year, _ in calendar(case)]
    return WayResult(
        **{field.name: getattr(money, field.name) for field in fields(Money)},
        name=solved.name, title=way.title, label=way.label,
        described_as=described_as(solved, way, case), same_as="" if twin is None else twin.name,
        lines=tuple(line.name for line in solved.plan.commitment.lines),
        status=result.status.value, gap=solved.gap, lower_bound_usd=solved.lower_bound_usd,
        objective_usd=result.objective_usd, expected_cost_usd=result.expected_cost_usd,
        cvar_usd=result.cvar_usd, cost_per_query_usd=equal_band(paths.query_cost_usd),
        cost_per_query_by_year_usd=tuple(
            (year, equal_band(column))
            for year, column in zip(years, paths.query_cost_by_year(case).T, strict=True)),
        shortage_probability=float((paths.missing_share > case.tolerated_shortage).mean()),
        shortage_share=equal_band(paths.missing_share),
        shortage_by_year=tuple(
            (year, float(short[:, k].mean()), float(missing[:, k].mean()))
            for k, year in enumerate(years)),
        meets_service_level=float(paths.missing_share.mean()) <= case.tolerated_shortage,
        own_silicon_quarter=volume_quarters(case, outlook.volume_month)
        if outlook and outlook.volume_month
        else None,
        own_silicon_probability=volume_share(prepared, programme) * _carried_on(solved, programme),
        capital_at_risk_usd=outlook.capital_at_risk_usd if outlook else None,
        dominant_share_compute=_dominant(case, paths, paths.compute),
        dominant_share_spend=_dominant(case, paths, paths.spend),
        dominant_share_units=_dominant(case, paths, paths.chips),
        regret_usd=regret, regret_error_usd=error,
        against=_against(case, judged, solved.name, _other(judged, solved.name)),
        fleet_by_quarter=_fleet(case, paths),
        cost_by_quarter_usd=tuple(
            (str(case.first_quarter + q), equal_band(paths.cash[:, q]))
            for q in range(case.quarters)),
        actions=actions_of(solved, prepared), programmes=tuple(solved.started), gates=solved.gates,
        programme=None if option is None else programme_view(prepared, judged, solved, option),
    )


def _against(case: Case, judged: Judged, way: str, other: str) -> Against:
    return against(case, way, judged.ways[way], other, judged.ways[other],
                   plan_error_usd=judged.plan_error(way, other))


def _other(judged: Judged, name: str) -> str:
    """The way that one is set against: the recommended; for that one buying, or the next best."""
    rest = [other for other in judged.ways if other != name]
    if name != judged.best:
        other = judged.best
    elif BASELINE in rest:
        other = BASELINE
    else:
        other = min(rest, key=lambda key: float(judged.total_usd[key].mean()), default=name)
    return other


def paired_differences(prepared: Prepared, judged: Judged) -> tuple[Against, ...]:
    """Every way against every other, each pair once, the cheaper one second."""
    names = sorted(judged.ways, key=lambda name: float(judged.total_usd[name].mean()))
    return tuple(
        _against(prepared.case, judged, way, other)
        for k, other in enumerate(names) for way in names[k + 1:])


def programme_values(prepared: Prepared, judged: Judged) -> tuple[ProgrammeValue, ...]:
    """What each programme carried through saves against the same way without it, best first."""
    specs = {item.name: item for item in prepared.case.programmes}
    values = [_programme_value(prepared, judged, specs[name]) for name in judged.carried]
    return tuple(sorted(values, key=lambda value: -value.value_usd))


def _programme_value(prepared: Prepared, judged: Judged, programme: Programme) -> ProgrammeValue:
    case, name = prepared.case, programme.name
    carried, without = judged.carried[name], judged.without[name]
    saved = (risk_adjusted_by_path(case, without.cost_usd)
             - risk_adjusted_by_path(case, carried.cost_usd))
    months = prepared.simulated[name].summary.volume_month
    return ProgrammeValue(
        name=name, route=programme.route, value_usd=float(saved.mean()),
        error_usd=standard_error(saved),
        pays_probability=float((carried.cost_usd < without.cost_usd).mean()),
        volume_quarter=volume_quarters(case, months)[1] if months else "",
        volume_probability=volume_share(prepared, programme),
    )


def timeline(prepared: Prepared, programmes: Sequence[Programme]) -> tuple[TimelineStage, ...]:
    """Stages of programmes with their bands."""
    return tuple(
        TimelineStage(item.name, stage.name, stage.start_month, stage.end_month)
        for item in programmes for stage in prepared.simulated[item.name].summary.stages)


def equal_band(values: Array) -> Band:
    """Band of values of equally likely paths."""
    return band(values, np.full(values.size, 1.0 / values.size))


def demand_by_quarter(case: Case, way: WayOnPaths) -> tuple[tuple[str, Band], ...]:
    """Queries a day, served or not."""
    asked = way.queries + way.unserved_queries
    return tuple((str(case.first_quarter + q), equal_band(asked[:, q] / (QUARTER_S / DAY_S)))
                 for q in range(case.quarters))


def _carried_on(solved: SolvedWay, programme: Programme | None) -> float:
    """Probability that a programme begun on the first day is not given up by choice."""
    return 1.0 - sum(
        gate.give_up_probability
        for gate in solved.gates
        if programme is not None and gate.name == programme.name
    )


def _dominant(case: Case, way: WayOnPaths, amount: Array) -> float:
    """Expected share of the dominant vendor in an amount by (line, path, quarter)."""
    vendor, _ = sellers(case)
    by_line = amount.sum(axis=2).mean(axis=1)
    dominant = [vendor[line] == case.dominant_vendor for line in way.lines]
    return float(by_line[dominant].sum() / max(by_line.sum(), 1e-9))


def _fleet(case: Case, way: WayOnPaths) -> tuple[tuple[str, str, Band], ...]:
    """Chips in operation by line or programme, all its generations together."""
    return tuple(
        (str(case.first_quarter + q), line, equal_band(held[:, q]))
        for q in range(case.quarters)
        for line, held in zip(way.lines, way.chips, strict=True) if held.max() >= 1.0)
