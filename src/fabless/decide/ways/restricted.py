"""A plan under a restriction: pools closed for a while, orders held, a vendor gone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.decide.ways.problem import Plan
from fabless.plan import Agreement
from fabless.records import Array

ROUNDING = 1e-9
"""Share by which draws held may lie under those given, so that the solver's rounding does not
exceed the level held."""


def closed(plan: Plan, pools: Collection[str], until: int) -> Plan:
    """The plan with no orders from `pools` (lines, programmes and contracts by name) before quarter
    `until`.

    A contract cannot be signed before then, and so never where it is on offer earlier alone; that
    of a line stays open.
    """
    early = plan.problem.tree.quarter < until
    under = {item.offer.name: item.contract.name for item in plan.contracts}
    affected = np.array([under.get(offer.name, offer.pool.line) in pools for offer in plan.offers])
    agreements = tuple(replace(item, sign=item.sign & ~(early & (under[item.name] in pools)))
                       for item in plan.problem.agreements)
    return replace(
        plan,
        problem=replace(
            plan.problem, available=plan.problem.available & ~(affected[:, None] & early),
            agreements=agreements,
        ),
    )


def with_orders_held(plan: Plan, orders: Array, levels: Array, until: int) -> Plan:
    """The plan with every order (O, K) and every level signed (agreements, K) before quarter
    `until` as given; chips of a programme, which may be given up, no more than given. The cash of
    those quarters is at least what the orders commit to."""
    early = plan.problem.tree.quarter < until
    cap, floor = plan.problem.cap.copy(), plan.problem.floor.copy()
    cap[:, early] = floor[:, early] = orders[:, early]
    floor[[k for project in plan.projects for k in project.offers]] = 0.0
    groups = tuple(
        (name, members, np.where(early, np.inf, limit))
        for name, members, limit in plan.problem.groups
    )
    agreements = tuple(
        _signed(item, level, early)
        for item, level in zip(plan.problem.agreements, levels, strict=True)
    )
    committed_usd = (plan.problem.payment_usd * orders).sum(axis=0) + sum(
        item.fee_usd * level for item, level in zip(plan.problem.agreements, levels, strict=True))
    cash_usd = np.where(early, np.maximum(plan.problem.cash_cap_usd, committed_usd),
                        plan.problem.cash_cap_usd)
    for item in agreements:
        floor[list(item.offers)] *= 1.0 - ROUNDING
    return replace(
        plan,
        problem=replace(plan.problem, cap=cap, floor=floor, groups=groups, agreements=agreements,
                        cash_cap_usd=cash_usd),
    )


def _signed(agreement: Agreement, level: Array, early: NDArray[np.bool_]) -> Agreement:
    """The agreement with its early levels given, whatever might be signed there now."""
    signed = np.where(early & agreement.sign, level, 0.0)
    return replace(
        agreement, level_cap=np.where(early, signed, agreement.level_cap), level_floor=signed
    )


def interrupted(plan: Plan, vendor: str, first: int, quarters: int) -> Plan:
    """The plan with a vendor gone for some `quarters` from `first`: it takes no order, and what is
    due arrives after.

    What cannot be drawn under its contracts then costs nothing.
    """
    problem = plan.problem
    affected = np.array([offer.vendor == vendor for offer in plan.offers])[:, None]
    quarter, back = problem.tree.quarter, first + quarters
    due = quarter + problem.lead_quarters
    late = affected & (quarter < first) & (due >= first) & (due < back)
    gone = affected & (quarter >= first) & (quarter < back)
    agreements = tuple(
        replace(
            item, untaken_usd=np.where(gone[list(item.offers)].any(axis=0), 0.0, item.untaken_usd)
        )
        for item in problem.agreements
    )
    return replace(plan, problem=replace(
        problem, available=problem.available & ~gone, agreements=agreements,
        lead_quarters=np.where(late, back - quarter, problem.lead_quarters)))
