"""The programme that a way commits to: carried through, and as an option that is given up where it
does not pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case, Programme
from fabless.decide.fresh.judge import Judged
from fabless.decide.fresh.on_paths import risk_adjusted_by_path, standard_error
from fabless.decide.results import AsOption, CarriedThrough, ProgrammeView
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import committed_quarters
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Band


def programme_view(
    prepared: Prepared, judged: Judged, solved: SolvedWay, option: AsOption
) -> ProgrammeView | None:
    """Both forms of the programme of a way; None for a way that commits to none."""
    if solved.carried is None:
        return None
    programme, = solved.carried.plan.commitment.programmes
    case, paths = prepared.case, judged.carried[programme.name]
    outlook = prepared.simulated[programme.name].summary
    total = risk_adjusted_by_path(case, paths.cost_usd)
    above = total - judged.total_usd[solved.name]
    costs = paths.query_cost_usd
    return ProgrammeView(
        name=programme.name,
        carried_through=CarriedThrough(
            total_usd=float(total.mean()),
            cost_per_query_usd=band(costs, np.full(costs.size, 1.0 / costs.size)),
            volume_quarter=volume_quarters(case, outlook.volume_month)
            if outlook.volume_month
            else None,
            volume_probability=volume_share(prepared, programme),
            capital_at_risk_usd=outlook.capital_at_risk_usd,
            expected_spend_usd=float(paths.programme.sum(axis=1).mean()),
            above_option_usd=float(above.mean()),
            above_option_error_usd=standard_error(above),
        ),
        as_option=option,
    )


def seen_on_paths(option: AsOption, given_up: NDArray[np.bool_]) -> AsOption:
    """The option with the odds of fresh paths (N,), the quarters in which it is given up as on the
    tree."""
    share = float(given_up.mean())
    factor = share / option.give_up_probability if option.give_up_probability else 0.0
    return replace(
        option, give_up_probability=share,
        given_up=tuple((quarter, chance * factor) for quarter, chance in option.given_up if factor),
        sunk_usd=option.sunk_usd if share else 0.0)


def as_option(solved: SolvedWay, case: Case) -> AsOption:
    """When the programme that a plan starts now is given up by choice, how likely, and what it
    costs.

    One that does not go on at all is given up once what is committed has been spent.
    """
    programme, = solved.plan.commitment.programmes
    place = next(k for k, project in enumerate(solved.plan.projects)
                 if project.name == programme.name)
    project, go = solved.plan.projects[place], solved.policy.go[place]
    tree, first = solved.plan.problem.tree, committed_quarters(case)
    on = go | (tree.quarter < first)
    ends = np.flatnonzero(on[tree.parent] & (tree.parent >= 0) & ~on)
    path = tree.ancestors()[tree.leaves]
    dropped = np.isin(path, ends).any(axis=1)
    odds = tree.probability[tree.leaves]
    spend = (np.where(on, project.outcome.spend_usd, 0.0))[path].sum(axis=1)
    chance = {
        str(case.first_quarter + int(quarter)): float(tree.probability[ends[tree.quarter[ends] == quarter]].sum())
        for quarter in np.unique(tree.quarter[ends])
    }
    whole = float(odds[dropped].sum())
    return AsOption(
        give_up_probability=min(whole, 1.0), given_up=tuple(chance.items()),
        sunk_usd=float(spend[dropped] @ odds[dropped]) / whole if whole else 0.0,
        expected_spend_usd=float(spend @ odds),
    )


def volume_share(prepared: Prepared, programme: Programme | None) -> float:
    """Probability that a programme carried through comes in volume; 0 where there is none."""
    if programme is None:
        return 0.0
    shares = prepared.simulated[programme.name].summary.outcome_shares
    return float(next(share for kind, share in shares.items() if kind.name == "VOLUME"))


def volume_quarters(case: Case, months: Band) -> tuple[str, str, str]:
    """Quarters of P10, P50 and P90 of a time in months from the first day."""
    early, median, late = (
        str(case.first_quarter.at_month(month)) for month in (months.p10, months.p50, months.p90)
    )
    return early, median, late
