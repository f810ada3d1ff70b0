"""A plan under a restriction: pools closed for a while, orders held, a vendor gone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from fabless.decide.problem import Plan
from fabless.records import Array


def closed(plan: Plan, pools: Collection[str], until: int) -> Plan:
    """The plan with no orders from `pools` (lines and programmes by name) before quarter `until`."""
    mine = np.array([offer.pool.line in pools for offer in plan.offers])
    shut = mine[:, None] & (plan.problem.tree.quarter < until)
    return replace(plan, problem=replace(plan.problem, available=plan.problem.available & ~shut))


def held(plan: Plan, orders: Array, until: int) -> Plan:
    """The plan with every order (O, K) before quarter `until` as given."""
    early = plan.problem.tree.quarter < until
    cap, floor = plan.problem.cap.copy(), plan.problem.floor.copy()
    cap[:, early] = floor[:, early] = orders[:, early]
    groups = tuple((name, members, np.where(early, np.inf, limit)) for name, members, limit in plan.problem.groups)
    return replace(plan, problem=replace(plan.problem, cap=cap, floor=floor, groups=groups))


def interrupted(plan: Plan, vendor: str, first: int, quarters: int) -> Plan:
    """The plan with a vendor gone for some `quarters` from `first`: it takes no order, and what is due arrives after."""
    problem = plan.problem
    mine = np.array([offer.vendor == vendor for offer in plan.offers])[:, None]
    quarter, back = problem.tree.quarter, first + quarters
    due = quarter + problem.lead_quarters
    late = mine & (quarter < first) & (due >= first) & (due < back)
    gone = mine & (quarter >= first) & (quarter < back)
    return replace(plan, problem=replace(
        problem, available=problem.available & ~gone,
        lead_quarters=np.where(late, back - quarter, problem.lead_quarters)))
