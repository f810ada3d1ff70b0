"""What one more unit of each limit is worth: a chip of a line's allotment, a megawatt, a dollar of
cash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.results import ShadowPrice
from fabless.decide.ways.paths import band
from fabless.decide.ways.problem import Plan
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.limits import LimitFamily, limit_families
from fabless.plan.solve.prices import Face
from fabless.records import Tree
from fabless.titles import offer_titles, order_titles
from fabless.wording import plain

QUARTERS = 12
"""First quarters whose limits are priced."""
_UNITS: Mapping[str, tuple[str, float]] = {
    "allocation": ("chip", 1.0), "power": ("MW", 1e6), "cash": ("USD", 1.0),
    "level cap": ("chip a quarter", 1.0)}
"""Family of limits -> unit in which it is told, and its size in the units of the plan."""
_LASTING = ("power",)
"""Limits of which one more unit, once there, stays: it is priced from its quarter on."""


def shadow_prices(case: Case, plan: Plan) -> tuple[ShadowPrice, ...]:
    """Price every limit of the next `QUARTERS` quarters, those that do not bind included.

    A price is a one-sided slope of the plan's least objective over the limit of one quarter (power:
    of that quarter and all later ones), equal on all its scenarios, over the discount factor of the
    quarter; its parts by scenario, over their probability, give the band. `plan` has its gates decided. Empty without a best
    plan.
    """
    program = assemble(plan.problem, service(plan.problem), constant_costs(plan.problem))
    face = Face.of(program)
    if face is None:
        return ()
    return tuple(
        _priced(case, plan, face, limits, member=int(member), quarter=quarter)
        for limits in limit_families(plan.problem, program) if limits.family in _UNITS
        for member in np.unique(limits.member)
        for quarter in range(min(QUARTERS, plan.problem.tree.quarters))
        if (_of(limits, int(member)) & (plan.problem.tree.quarter[limits.node] == quarter)).any())


def _of(limits: LimitFamily, member: int) -> NDArray[np.bool_]:
    """Which limits of a family are those of one member; a limit of zero is none."""
    return np.asarray((limits.member == member) & (limits.size > 0.0))


def _priced(
    case: Case, plan: Plan, face: Face, limits: LimitFamily, *, member: int, quarter: int
) -> ShadowPrice:
    tree, (unit, size) = plan.problem.tree, _UNITS[limits.family]
    then = tree.quarter[limits.node]
    bound = _of(limits, member) & face.used_up(limits) & (
        then >= quarter if limits.family in _LASTING else then == quarter)
    value = loss = 0.0
    each = np.zeros(tree.size)
    above = tree.ancestors()[:, quarter]
    if bound.any():
        slopes, parts = face.slopes_by_place(limits, np.where(bound, size, 0.0))
        value, loss = slopes.looser_usd, slopes.tighter_usd
        np.add.at(each, above[limits.node], parts)
    now, factor = tree.quarter == quarter, float(plan.problem.discount[quarter])
    spread = band(each[now] / tree.probability[now] / factor, tree.probability[now])
    key = limits.members[member]
    price = ShadowPrice(
        limit=key, title=_title(case, limits.family, key),
        quarter=str(case.first_quarter + quarter), unit=unit,
        value_usd=value / factor, low_usd=spread.p10, high_usd=spread.p90, loss_usd=loss / factor,
        binds_probability=_odds(tree, limits.node[bound]), text="")
    return replace(price, text=_words(price, _thing(case, limits.family, key)))


def _odds(tree: Tree, nodes: NDArray[np.int64]) -> float:
    """Probability of the paths through any of some node-quarters."""
    table = tree.ancestors()[tree.leaves]
    return float(tree.probability[tree.leaves] @ np.isin(table, nodes).any(axis=1))


def _words(price: ShadowPrice, thing: str) -> str:
    since = f"from {price.quarter} on" if price.limit in _LASTING else f"in {price.quarter}"
    begin = f"One more {thing} {since}"
    if price.value_usd > 0.0:
        worth = f"{begin} is worth up to {_money(price.value_usd)}"
        low, high = _money(price.low_usd), _money(price.high_usd)
        return worth if low == high else f"{worth} ({low.removesuffix(' USD')} to {high})"
    if price.loss_usd > 0.0:
        return f"{begin} would not be worth anything, but one less would cost {_money(price.loss_usd)}"
    return f"{begin} would not be worth anything"


def _money(usd: float) -> str:
    """Two digits that count: a price at the margin is no more exact."""
    return f"{plain(float(f'{usd:.2g}'))} USD" if np.isfinite(usd) else "all of the plan"


def _title(case: Case, family: str, key: str) -> str:
    named = {"power": "power for owned chips, from then on", "cash": "cash for orders"}
    return named.get(family) or offer_titles(case).get(key, key)


def _thing(case: Case, family: str, key: str) -> str:
    """What there would be one more of, in words."""
    if family == "power":
        return "megawatt of power"
    if family == "cash":
        return "dollar of cash for orders"
    if family == "level cap":
        return f"chip a quarter under {offer_titles(case).get(key, key)}"
    ordered = order_titles(case).get(key)
    if ordered is None:
        return f"chip out of the pool of {key}"
    return f"chip {ordered}" if ordered.startswith("of ") else ordered
