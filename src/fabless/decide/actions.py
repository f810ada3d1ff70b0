"""What to start in the first quarter, read off the root of a plan."""

from __future__ import annotations

import numpy as np

from fabless.decide.prepare import Prepared
from fabless.decide.results import Action
from fabless.decide.solved import Solved
from fabless.records import Case
from fabless.strategy import Offer
from fabless.units import DAY_S, QUARTER_S, YEAR_S

LEAST_ORDER = 1.0
"""Chips below which an order is not worth a line."""


def actions_of(solved: Solved, prepared: Prepared) -> tuple[Action, ...]:
    """Orders, openings and programmes of the first quarter, the largest spend first."""
    case = prepared.case
    orders = [_order(offer, float(chips), solved, case)
              for offer, chips in zip(solved.plan.offers, solved.result.orders[:, 0], strict=True) if chips >= LEAST_ORDER]
    return tuple(sorted((*orders, *_programmes(solved, prepared), *_ports(solved, case)), key=lambda a: -a.spend_usd))


def _order(offer: Offer, chips: float, solved: Solved, case: Case) -> Action:
    quarter = case.first_quarter + int(offer.lead_quarters[0])
    if offer.owned:
        spend = chips * float(offer.payment_usd[0])
        what = f"order {offer.name}, running from {quarter}"
        stop = f"queries under {_demand_mark(solved, case, 0.1)} a day by {case.first_quarter + 4}"
    else:
        spend = chips * float(offer.capital_usd[0]) * offer.term_quarters
        years = offer.term_quarters * QUARTER_S / YEAR_S
        what = f"rent {offer.name} for {years:g} year{'s' if years != 1 else ''}, from {quarter}"
        stop = "rents fall under the cost of owning the same chip"
    cap = float(offer.pool.cap[0])
    if chips >= 0.99 * cap:
        what += f" (all of the {cap:,.0f} assumed to be on offer)"
    double = f"queries over {_demand_mark(solved, case, 0.9)} a day by {case.first_quarter + 4}"
    return Action(what, "compute procurement", str(case.first_quarter), round(chips), "chip", spend, stop, double)


def _demand_mark(solved: Solved, case: Case, level: float) -> str:
    """Queries a day that separate the low or the high scenarios after a year."""
    problem = solved.plan.problem
    rows = [i for i, load in enumerate(case.loads) if load.kind == "inference"]
    quarter = min(4, case.quarters - 1)
    here = problem.tree.quarter == quarter
    queries = (problem.demand[rows][:, here] * solved.plan.unit[rows][:, None]).sum(axis=0) / (QUARTER_S / DAY_S)
    mark = float(np.quantile(queries, level))
    return f"{mark / 1e6:,.0f} million"


def _programmes(solved: Solved, prepared: Prepared) -> list[Action]:
    found = []
    for item in solved.plan.commitment.programmes:
        spend = sum(prepared.outlooks[item.name].chain.running_spend_usd[:4])
        found.append(Action(
            f"start programme {item.name}, spend of the first year", "silicon lead",
            str(prepared.case.first_quarter), None, "", spend,
            "the vendor's next part beats the planned chip at tape-out, or two slips in a row",
            "first silicon at the planned rate, or supply still scarce at tape-out"))
    return found


def _ports(solved: Solved, case: Case) -> list[Action]:
    """Second software stacks of lines that open within a year."""
    return [
        Action(f"start porting to {line.name}", "inference software", str(case.first_quarter), None, "",
               case.numbers[line.terms["port"]].spread.mode * QUARTER_S,
               "under half of the expected throughput after two quarters", "expected throughput on the main model")
        for line in solved.plan.commitment.lines
        if "port" in line.terms and line.first_quarter - case.first_quarter <= 4
    ]
