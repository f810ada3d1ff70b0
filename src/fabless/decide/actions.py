"""What to do in the first 90 days, read off the stretch of a plan before the first branching."""

from __future__ import annotations

import datetime as dt

import numpy as np

from fabless.case_records import Case, chips_of
from fabless.decide.results import Action
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import trunk
from fabless.plan.rule.simulate import granted
from fabless.strategy import ContractOffer, Offer
from fabless.titles import chip_titles, order_titles, titles
from fabless.units import DAY_S, QUARTER_S, YEAR_S

DAYS = 90
"""Length of the list, from the as-of date."""
LEAST_ORDER = 1.0
"""Chips below which an order is not worth a line."""


def actions_of(solved: SolvedWay, prepared: Prepared) -> tuple[Action, ...]:
    """Orders, openings and programmes of the first 90 days: by date, the largest spend first.

    An order of a quarter can be placed from its first day (for the first quarter: from the as-of
    date) and is due by its last day, or on day 90 if that is sooner.
    """
    case = prepared.case
    soon = [int(k) for k in trunk(solved.plan.problem.tree) if _first_day(case, int(k)) <= _last_day(case)]
    drawn = {id(item.offer): c for c, item in enumerate(solved.plan.contracts)}
    orders = [
        _drawn(drawn[id(offer)], solved, case, k)
        if id(offer) in drawn
        else _order(offer, solved, case, k)
        for k in soon
        for offer, chips in zip(solved.plan.offers, solved.result.orders[:, k], strict=True)
        if chips >= LEAST_ORDER
    ]
    signed = [_signed(c, solved, case, k) for k in soon for c in range(len(solved.plan.contracts))
              if solved.result.levels[c, k] >= LEAST_ORDER]
    return tuple(sorted((*signed, *orders, *_programmes(solved, prepared), *_ports(solved, case)),
                        key=lambda action: (action.start, -round(action.spend_usd))))


def _last_day(case: Case) -> dt.date:
    return case.as_of + dt.timedelta(days=DAYS)


def _first_day(case: Case, quarter: int) -> dt.date:
    return max(case.as_of, (case.first_quarter + quarter).first_day)


def _action(
    case: Case, quarter: int, what: str, owner: str, amount: float | None, spend_usd: float,
    stop: str, double: str, *, kind: str, about: str,
) -> Action:
    end = (case.first_quarter + quarter + 1).first_day - dt.timedelta(days=1)
    return Action(
        what=what, owner=owner, quarter=str(case.first_quarter + quarter),
        start=_first_day(case, quarter).isoformat(), due=min(end, _last_day(case)).isoformat(),
        amount=amount, unit="" if amount is None else "chip", spend_usd=spend_usd, stop_signal=stop,
        double_signal=double, kind=kind, about=about,
    )


def _order(offer: Offer, solved: SolvedWay, case: Case, node: int) -> Action:
    chips = float(solved.result.orders[solved.plan.offers.index(offer), node])
    now = int(solved.plan.problem.tree.quarter[node])
    runs = case.first_quarter + now + int(offer.lead_quarters[node])
    thing = f"{chips:,.0f} {order_titles(case)[offer.name]}"
    spend = chips * float(offer.payment_usd[node])
    if offer.owned:
        what = f"order {thing}, running from {runs}"
        stop = f"queries are still under {_demand_mark(solved, case, 0.1)} a day by {case.first_quarter + 4}"
    else:
        years = offer.term_quarters * QUARTER_S / YEAR_S
        what = f"rent {thing} for {years:g} year{'s' if years != 1 else ''}, from {runs}"
        stop = "rents fall under the cost of owning the same chip"
    cap = float(offer.pool.cap[node])
    if chips >= 0.99 * cap:
        what += " (all that is assumed to be on offer)"
    double = f"queries exceed {_demand_mark(solved, case, 0.9)} a day by {case.first_quarter + 4}"
    return _action(
        case, now, what, owner="compute procurement", amount=round(chips), spend_usd=spend,
        stop=stop, double=double, kind="order", about=offer.name,
    )


def _signed(contract: int, solved: SolvedWay, case: Case, node: int) -> Action:
    """A signing; its spend is the fee and the least that the firm draws of the whole tenor cost."""
    item, level = solved.plan.contracts[contract], float(solved.result.levels[contract, node])
    now = int(solved.plan.problem.tree.quarter[node])
    tenor = item.most.size
    first = item.contract.signed + item.start_quarters + item.contract.lead_quarters
    used = "" if item.offer.owned else " in use"
    what = (f"sign {_contract_title(item, case)}, {level:,.0f} chips a quarter{used} for {tenor} "
            f"quarter{'s' if tenor != 1 else ''} from {first}")
    if level >= 0.99 * item.level_cap[node]:
        what += " (all that is on offer)"
    return _action(
        case, now, what, owner="compute procurement", amount=round(level),
        spend_usd=level * float(item.committed_usd[node]),
        stop=f"queries are still under {_demand_mark(solved, case, 0.1)} a day by {case.first_quarter + 4}",
        double=f"queries exceed {_demand_mark(solved, case, 0.9)} a day by {case.first_quarter + 4}",
        kind="signing", about=item.offer.name)


def _drawn(contract: int, solved: SolvedWay, case: Case, node: int) -> Action:
    """A draw under a contract; its spend is what the signing did not commit already."""
    item, problem = solved.plan.contracts[contract], solved.plan.problem
    chips = float(solved.result.orders[solved.plan.offers.index(item.offer), node])
    now = int(problem.tree.quarter[node])
    firm = float(granted(problem, solved.result.levels, "least")[contract, node])
    price = float(item.price_usd[node])
    spend = (chips * float(item.offer.payment_usd[node])
             - min(chips, firm) * min(price, float(item.untaken_usd[node])))
    runs = case.first_quarter + now + int(item.offer.lead_quarters[node])
    return _action(
        case, now,
        f"call off {chips:,.0f} chips under {_contract_title(item, case)}, running from {runs}",
        owner="compute procurement", amount=round(chips), spend_usd=spend,
        stop=f"queries are still under {_demand_mark(solved, case, 0.1)} a day by {case.first_quarter + 4}",
        double=f"queries exceed {_demand_mark(solved, case, 0.9)} a day by {case.first_quarter + 4}",
        kind="draw", about=item.offer.name,
    )


def _contract_title(item: ContractOffer, case: Case) -> str:
    """The contract and, where it has several, its part."""
    part = item.offer.name.removeprefix(item.contract.name).strip()
    return titles(case)[f"contracts.{item.contract.name}"] + (f" ({part} part)" if part else "")


def _demand_mark(solved: SolvedWay, case: Case, level: float) -> str:
    """Queries a day that separate the low or the high scenarios after a year."""
    problem = solved.plan.problem
    rows = [i for i, load in enumerate(case.loads) if load.kind == "inference"]
    quarter = min(4, case.quarters - 1)
    nodes = problem.tree.quarter == quarter
    queries = problem.demand[rows][:, nodes].sum(axis=0) / (QUARTER_S / DAY_S)
    mark = float(np.quantile(queries, level))
    return f"{mark / 1e6:,.0f} million"


def _programmes(solved: SolvedWay, prepared: Prepared) -> list[Action]:
    known = titles(prepared.case)
    return [
        _action(
            prepared.case, 0, f"start {known[f'programmes.{item.name}']}, spend of the first year",
            owner="silicon lead", amount=None,
            spend_usd=sum(prepared.simulated[item.name].chain.running_spend_usd[:4]),
            stop="the vendor's next part beats the planned chip at tape-out, or two slips come in a row",
            double="first silicon reaches the planned rate, or supply is still scarce at tape-out",
            kind="start", about=item.name,
        )
        for item in prepared.case.programmes
        if item.name in solved.started
    ]


def _ports(solved: SolvedWay, case: Case) -> list[Action]:
    """Second software stacks of lines that open within a year."""
    known = chip_titles(chips_of(case))
    return [
        _action(
            case, 0, f"start porting to {known[line.chip.name]}", owner="inference software", amount=None,
            spend_usd=port.spread.mode * QUARTER_S,
            stop="throughput is below half of what was expected after two quarters",
            double="the main model reaches the expected throughput",
            kind="port", about=line.name,
        )
        for line in solved.plan.commitment.lines
        if (port := case.numbers.lines[line.name].port) is not None
        and line.first_quarter - case.first_quarter <= 4
    ]
