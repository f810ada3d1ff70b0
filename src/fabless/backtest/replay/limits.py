"""What the company got was on offer: limits that are no tighter than its own orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.catalogue.files.realised import CompanyOrder
from fabless.decide.ways.problem import Plan
from fabless.plan import PlanProblem
from fabless.plan.problem.costs import chips_in_service
from fabless.plan.problem.service import service
from fabless.records import Array


def company_orders(problem: PlanProblem, orders: Sequence[CompanyOrder]) -> Array:
    """Orders (O, K) of the company from lines among the offers, on every path."""
    placed = np.zeros((len(problem.offers), problem.tree.size))
    for order in orders:
        if order.line in problem.offers:
            placed[problem.offers.index(order.line), problem.tree.quarter == order.quarter] += (
                order.chips)
    return placed


def no_tighter(plan: Plan, orders: Sequence[CompanyOrder], where: NDArray[np.bool_]) -> Plan:
    """A plan whose shared limits, cash and power leave room for what the company ordered, `where`
    (K,) that is known."""
    problem = plan.problem
    placed = company_orders(problem, orders)
    if not placed.any():
        return plan
    power = problem.power_cap_w
    if np.isfinite(power).any():
        there = chips_in_service(problem, service(problem), placed)
        power = _at_least(power, problem.power_w @ there, where)
    return replace(plan, problem=replace(
        problem,
        groups=tuple(
            (name, members, _at_least(limit, placed[list(members)].sum(axis=0), where))
            for name, members, limit in problem.groups),
        cash_cap_usd=_at_least(
            problem.cash_cap_usd, (problem.payment_usd * placed).sum(axis=0), where),
        power_cap_w=power))


def _at_least(limit: Array, used: Array, where: NDArray[np.bool_]) -> Array:
    return np.asarray(np.where(where, np.maximum(limit, used), limit))
