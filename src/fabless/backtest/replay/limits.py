"""What the company got was on offer: limits that are no tighter than its own orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, eq=False)
class Got:
    """What the company got, and who knows of it."""

    orders: Sequence[CompanyOrder]
    until: int
    """Last quarter of which anything is known."""
    told: NDArray[np.bool_]
    """(N,) paths that are told all of it; the others know it up to now."""

    def reached(self, limit: Array, used: Array, now: int) -> Array:
        """A limit (K,) no tighter than what the company used (K,).

        As far as that is known it is the larger of the two; afterwards the limit goes on as the
        case expects it, from the level reached: times the mean of ``max(used / limit, 1)`` over the
        last four quarters known.
        """
        lines = (-1, self.told.size)
        own, needed = limit.reshape(lines), used.reshape(lines)
        return np.where(self.told, _raised(own, needed, self.until),
                        _raised(own, needed, min(now, self.until))).ravel()


def _raised(limit: Array, used: Array, last: int) -> Array:
    ratio = np.divide(used, limit, out=np.ones(limit.shape), where=limit > 0.0)
    level = np.maximum(ratio, 1.0)[max(last - 3, 0):last + 1].mean(axis=0)
    known = np.arange(len(limit))[:, None] <= last
    return np.asarray(np.where(known, np.maximum(limit, used), limit * level))


def no_tighter(plan: Plan, got: Got, now: int) -> Plan:
    """A plan, as it is seen in a quarter, whose shared limits, cash and power leave room for what
    the company got."""
    problem = plan.problem
    placed = company_orders(problem, got.orders)
    if not placed.any():
        return plan
    power = problem.power_cap_w
    if np.isfinite(power).any():
        there = chips_in_service(problem, service(problem), placed)
        power = got.reached(power, problem.power_w @ there, now)
    return replace(plan, problem=replace(
        problem,
        groups=tuple(
            (name, members, got.reached(limit, placed[list(members)].sum(axis=0), now))
            for name, members, limit in problem.groups),
        cash_cap_usd=got.reached(
            problem.cash_cap_usd, (problem.payment_usd * placed).sum(axis=0), now),
        power_cap_w=power))
