"""What to do in the first 90 days, read off the stretch of a plan before the first branching."""

from __future__ import annotations

import datetime as dt

import numpy as np

from fabless.case_records import Case, Line, chips_of
from fabless.decide.results import Action
from fabless.decide.signals import (
    Pair,
    need_course,
    need_signals,
    performance_signals,
    rent_signal,
    same_cost_share,
    speed_signals,
)
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import COMMITTED
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import trunk
from fabless.plan.rule.simulate import granted
from fabless.strategy import ContractOffer, Offer
from fabless.titles import chip_titles, load_titles, order_titles, titles
from fabless.units import QUARTER_S, YEAR_S

DAYS = 90
"""Length of the list, from the as-of date."""
LEAST_ORDER = 1.0
"""Chips below which an order is not worth a line."""


def actions_of(solved: SolvedWay, prepared: Prepared) -> tuple[Action, ...]:
    """Orders, openings and programmes of the first 90 days: by date, the largest spend first.

    An order of a quarter can be placed from its first day (for the first quarter: from the as-of
    date) and is due by its last day, or on day 90 if that is sooner. What ends an action is known by
    then (of a second software stack, before its second payment; of a programme, before its first
    gate): `fabless.decide.signals`.
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


def _due(case: Case, quarter: int) -> dt.date:
    """Last day of a quarter, or of the list."""
    return min((case.first_quarter + quarter + 1).first_day - dt.timedelta(days=1), _last_day(case))


def _action(
    case: Case, quarter: int, what: str, owner: str, amount: float | None, spend_usd: float, *,
    stop: Pair, double: Pair, kind: str, about: str,
) -> Action:
    return Action(
        what=what, owner=owner, quarter=str(case.first_quarter + quarter),
        start=_first_day(case, quarter).isoformat(), due=_due(case, quarter).isoformat(),
        amount=amount, unit="" if amount is None else "chip", spend_usd=spend_usd,
        stop_signal=stop[1], double_signal=double[1], kind=kind, about=about, stop=stop[0],
        double=double[0],
    )


def _by_need(
    offer: Offer, amount: float, solved: SolvedWay, case: Case, node: int
) -> tuple[Pair, Pair]:
    """Stop and double of an order of `amount` chips."""
    again = (case.first_quarter + int(solved.plan.problem.tree.quarter[node]) + 2).first_day
    return need_signals(amount, need_course(offer, node, solved, case),
                        _due(case, int(solved.plan.problem.tree.quarter[node])),
                        again - dt.timedelta(days=1))


def _order(offer: Offer, solved: SolvedWay, case: Case, node: int) -> Action:
    chips = float(solved.result.orders[solved.plan.offers.index(offer), node])
    now = int(solved.plan.problem.tree.quarter[node])
    runs = case.first_quarter + now + int(offer.lead_quarters[node])
    thing = f"{chips:,.0f} {order_titles(case)[offer.name]}"
    spend = chips * float(offer.payment_usd[node])
    stop, double = _by_need(offer, chips, solved, case, node)
    if offer.owned:
        what = f"order {thing}, running from {runs}"
    else:
        years = offer.term_quarters * QUARTER_S / YEAR_S
        what = f"rent {thing} for {years:g} year{'s' if years != 1 else ''}, from {runs}"
        owned = _owned_twin(offer, solved)
        stop = stop if owned is None else rent_signal(offer, owned, node, _due(case, now))
    cap = float(offer.pool.cap[node])
    if chips >= 0.99 * cap:
        what += " (all that is assumed to be on offer)"
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
    stop, double = _by_need(item.offer, level, solved, case, node)
    return _action(
        case, now, what, owner="compute procurement", amount=round(level),
        spend_usd=level * float(item.committed_usd[node]), stop=stop, double=double,
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
    stop, double = _by_need(item.offer, chips, solved, case, node)
    return _action(
        case, now,
        f"call off {chips:,.0f} chips under {_contract_title(item, case)}, running from {runs}",
        owner="compute procurement", amount=round(chips), spend_usd=spend,
        stop=stop, double=double, kind="draw", about=item.offer.name,
    )


def _contract_title(item: ContractOffer, case: Case) -> str:
    """The contract and, where it has several, its part."""
    part = item.offer.name.removeprefix(item.contract.name).strip()
    return titles(case)[f"contracts.{item.contract.name}"] + (f" ({part} part)" if part else "")


def _owned_twin(offer: Offer, solved: SolvedWay) -> Offer | None:
    """The offer to buy the chip that an offer rents out; None where nobody sells it."""
    lines = {line.name: line for line in solved.plan.commitment.lines}
    rented = lines.get(offer.pool.line)
    return None if rented is None else next(
        (other for other in solved.plan.offers
         if other.owned and (line := lines.get(other.name)) is not None
         and line.chip.name == rented.chip.name), None)


def _usual_chips(solved: SolvedWay, case: Case) -> list[Offer]:
    """Chips of the dominant vendor that can be bought, all generations."""
    return [offer for offer in solved.plan.offers
            if offer.owned and not offer.own_silicon and offer.vendor == case.dominant_vendor]


def _best_load(
    offer: Offer, others: list[Offer], solved: SolvedWay, case: Case
) -> tuple[int, float] | None:
    """The load of queries that a chip serves at the smallest share of its planned speed for the
    cost of others, with that share; None where it serves no queries. A chip is measured on what it
    does best."""
    quarters = solved.plan.problem.tree.quarter
    if not offer.available.any():
        return None
    first = np.flatnonzero(offer.available & (quarters == quarters[offer.available].min()))
    shares = {row: same_cost_share(offer, others, row, first)
              for row, load in enumerate(case.loads)
              if load.kind == "inference" and offer.rate[row, first].min() > 0.0}
    return min(shares.items(), key=lambda item: item[1], default=None)


def _programmes(solved: SolvedWay, prepared: Prepared) -> list[Action]:
    case, known, starts = prepared.case, titles(prepared.case), []
    for item in case.programmes:
        if item.name not in solved.started:
            continue
        gates = [step.quarter for plan in solved.gates if plan.name == item.name
                 for step in plan.steps if step.quarter > 0]
        offer = next((offer for offer in solved.plan.offers if offer.pool.line == item.name), None)
        best = None if offer is None else _best_load(offer, _usual_chips(solved, case), solved, case)
        share = 1.0 if best is None else best[1]
        stop, double = performance_signals(share, case.first_quarter + min(gates, default=COMMITTED))
        starts.append(_action(
            case, 0, f"start {known[f'programmes.{item.name}']}, spend of the first year",
            owner="silicon lead", amount=None,
            spend_usd=sum(prepared.simulated[item.name].chain.running_spend_usd[:4]),
            stop=stop, double=double, kind="start", about=item.name,
        ))
    return starts


def _ports(solved: SolvedWay, case: Case) -> list[Action]:
    """Second software stacks of lines that open within a year."""
    known, ports = chip_titles(chips_of(case)), []
    for line in solved.plan.commitment.lines:
        port = case.numbers.lines[line.name].port
        if port is None or line.first_quarter - case.first_quarter > 4:
            continue
        stop, double = _by_speed(line, solved, case)
        ports.append(_action(
            case, 0, f"start porting to {known[line.chip.name]}", owner="inference software",
            amount=None, spend_usd=port.spread.mode * QUARTER_S, stop=stop, double=double,
            kind="port", about=line.name,
        ))
    return ports


def _by_speed(line: Line, solved: SolvedWay, case: Case) -> tuple[Pair, Pair]:
    """Stop and double of moving the software to a chip, before the second quarter is paid for."""
    offer = next(offer for offer in solved.plan.offers if offer.name == line.name)
    usual = [other for other in _usual_chips(solved, case) if "+" not in other.name]
    best = _best_load(offer, usual, solved, case)
    if best is None:  # it only trains: nothing to measure a query by
        return _by_need(offer, 1.0, solved, case, 0)
    load, share = best
    first = int(np.argmax(offer.available))
    request = case.loads[load].request
    busy = case.numbers.demand.load_factor.spread.mode
    assert request is not None, "a load of queries has a request"
    rate = float(offer.rate[load, first]) / QUARTER_S / busy * request.output_tokens
    name = load_titles(case)[case.loads[load].name]
    return speed_signals(rate, share, name, _due(case, 0))
