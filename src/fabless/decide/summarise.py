"""From a solved way to what a reader compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.case_records import Case, Programme
from fabless.decide.actions import actions_of
from fabless.decide.described import described_as, same_as
from fabless.decide.programme_view import as_option, programme_view, volume_quarters, volume_share
from fabless.decide.results import SURE, ProgrammeValue, TimelineStage, WayResult
from fabless.decide.ways.paths import Paths, band, calendar, standard_error
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Array, Band
from fabless.strategy import PORTFOLIO, every_way


def strategy_result(solved: SolvedWay, prepared: Prepared, best: SolvedWay) -> WayResult:
    """Condense one way; `best` is the best way, for the regret."""
    case, paths, result = prepared.case, solved.paths, solved.result
    labels, years = zip(*calendar(case), strict=True)
    missing = _by_year(paths.missing, years) / np.maximum(_by_year(paths.wanted, years), 1e-30)
    short = missing > case.tolerated_shortage
    whole = paths.missing_share
    programme = next(
        (
            item
            for item in case.programmes
            if item.name in solved.started and item.route != "partner"
        ),
        None,
    )
    option = as_option(solved, case) if solved.carried else None
    dropped = option is not None and option.give_up_probability >= SURE
    outlook = prepared.simulated[programme.name].summary if programme and not dropped else None
    way = next(way for way in every_way(case) if way.name == solved.name)
    twin = same_as(solved, case) if solved.name == PORTFOLIO else None
    return WayResult(
        name=solved.name, title=way.title, label=way.label,
        described_as=described_as(solved, way, case), same_as="" if twin is None else twin.name,
        lines=tuple(line.name for line in solved.plan.commitment.lines), status=result.status.value, gap=solved.gap,
        lower_bound_usd=solved.lower_bound_usd, objective_usd=result.objective_usd,
        expected_cost_usd=result.expected_cost_usd, cvar_usd=result.cvar_usd,
        cost_per_query_usd=band(paths.levelised_usd, paths.probability),
        cost_per_query_by_year_usd=tuple(
            (year, band(column, paths.probability))
            for year, column in zip(labels, _per_query(paths, years), strict=True)
        ),
        shortage_probability=float(paths.probability @ (whole > case.tolerated_shortage)),
        shortage_share=band(whole, paths.probability),
        shortage_by_year=tuple(
            (year, float(paths.probability @ short[:, k]), float(paths.probability @ missing[:, k]))
            for k, year in enumerate(labels)
        ),
        meets_service_level=float(paths.probability @ whole) <= case.tolerated_shortage,
        own_silicon_quarter=volume_quarters(case, outlook.volume_month)
        if outlook and outlook.volume_month
        else None,
        own_silicon_probability=volume_share(prepared, programme) * _carried_on(solved, programme),
        capital_at_risk_usd=outlook.capital_at_risk_usd if outlook else None,
        dominant_share_compute=_dominant(solved, case, paths.compute),
        dominant_share_spend=_dominant(solved, case, paths.spend),
        dominant_share_units=_dominant(solved, case, paths.chips),
        regret_usd=result.objective_usd - best.result.objective_usd,
        regret_error_usd=_error(case, solved, best),
        fleet_by_quarter=_fleet(solved, case),
        cost_by_quarter_usd=tuple(
            (str(case.first_quarter + q), band(paths.cost_usd[:, q], paths.probability))
            for q in range(case.quarters)
        ),
        actions=actions_of(solved, prepared),
        programmes=tuple(solved.started),
        gates=solved.gates,
        programme=None if option is None else programme_view(prepared, solved, option),
    )


def programme_values(
    prepared: Prepared, without: SolvedWay, through: Sequence[SolvedWay]
) -> tuple[ProgrammeValue, ...]:
    """What each programme carried through saves against the plan without any, best first."""
    values = [programme_value(prepared, item, without) for item in through]
    return tuple(sorted(values, key=lambda value: -value.value_usd))


def programme_value(prepared: Prepared, solved: SolvedWay, without: SolvedWay) -> ProgrammeValue:
    """What the one programme of a solved commitment saves against the plan without it."""
    programme, = solved.plan.commitment.programmes
    months = prepared.simulated[programme.name].summary.volume_month
    return ProgrammeValue(
        name=programme.name, route=programme.route,
        value_usd=without.result.objective_usd - solved.result.objective_usd,
        error_usd=_error(prepared.case, solved, without),
        pays_probability=float(
            solved.paths.probability @ (solved.result.path_cost_usd < without.result.path_cost_usd)
        ),
        volume_quarter=volume_quarters(prepared.case, months)[1] if months else "",
        volume_probability=volume_share(prepared, programme),
    )


def _error(case: Case, way: SolvedWay, other: SolvedWay) -> float:
    """Standard error of the difference of two ways' costs over the nodes after the first
    branching."""
    branches = int((way.plan.problem.tree.quarter == case.boundaries[0]).sum())
    return standard_error(way.result.path_cost_usd, other.result.path_cost_usd, branches)


def timeline(prepared: Prepared, programmes: Sequence[Programme]) -> tuple[TimelineStage, ...]:
    """Stages of programmes with their bands."""
    return tuple(
        TimelineStage(item.name, stage.name, stage.start_month, stage.end_month)
        for item in programmes for stage in prepared.simulated[item.name].summary.stages)


def _carried_on(solved: SolvedWay, programme: Programme | None) -> float:
    """Probability that a programme begun on the first day is not given up by choice."""
    return 1.0 - sum(
        gate.give_up_probability
        for gate in solved.gates
        if programme is not None and gate.name == programme.name
    )


def _by_year(values: Array, years: Sequence[slice]) -> Array:
    return np.stack([values[:, year].sum(axis=1) for year in years], axis=1)


def _per_query(paths: Paths, years: Sequence[slice]) -> Array:
    """Cost of a served query by year, one row a year."""
    return (
        _by_year(paths.query_cost_usd, years) / np.maximum(_by_year(paths.served, years), 1e-9)
    ).T


def _dominant(solved: SolvedWay, case: Case, amount: Array) -> float:
    """Expected share of the dominant vendor in an amount by (offer, leaf, quarter) over the
    horizon."""
    by_offer = (amount.sum(axis=2) * solved.paths.probability).sum(axis=1)
    dominant = [offer.vendor == case.dominant_vendor for offer in solved.plan.offers]
    return float(by_offer[dominant].sum() / max(by_offer.sum(), 1e-9))


def _fleet(solved: SolvedWay, case: Case) -> tuple[tuple[str, str, Band], ...]:
    """Chips in operation by line or programme, all its generations together."""
    paths, offers = solved.paths, solved.plan.offers
    pools = dict.fromkeys(offer.pool.line for offer in offers)
    chips = {
        name: paths.chips[[offer.pool.line == name for offer in offers]].sum(axis=0)
        for name in pools
    }
    return tuple((str(case.first_quarter + q), name, band(held[:, q], paths.probability))
                 for q in range(case.quarters) for name, held in chips.items() if held.max() >= 1.0)
