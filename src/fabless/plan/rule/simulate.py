"""A plan carried out on paths that its tree did not contain: orders cut to what is allowed, the
fleet, what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.agreements import call_offs
from fabless.plan.problem.costs import (
    CostParts,
    Decisions,
    chips_in_service,
    node_costs,
    path_costs,
)
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import service
from fabless.plan.result import PlanResult
from fabless.plan.rule.dispatch import dispatch
from fabless.records import Array, Tree


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """What orders come to; the arrays are those of `PlanResult`."""

    orders: Array
    """(O, K) chips ordered, within all limits."""
    active: Array
    """(O, K) chips in service."""
    serve: Array
    """(O, L, K) chips given to each load."""
    unmet: Array
    """(L, K) load left unserved."""
    levels: Array
    """(agreements, K) units signed."""
    untaken: Array
    """(agreements, K) units of the least draw not taken."""
    retired: Array
    """(O, K) chips retired and still within their term."""
    costs: CostParts
    """Undiscounted cost parts by node-quarter."""
    path_cost_usd: Array
    """(leaves,) discounted cost of each path, in the order of `tree.leaves`."""


def simulate_orders(
    problem: PlanProblem, orders: Array, levels: Array | None = None, retired: Array | None = None
) -> Simulated:
    """Place `orders` (O, K), cut to what is `allowed`, and use the chips that arrive as well as can
    be (`dispatch`).

    `levels` (agreements, K) are signed as they are, and `retired` (O, K) chips are out of service
    before their term ends, no more than there are; nothing where left out. The costs are those of
    any plan (`node_costs`).
    """
    signed = np.zeros((len(problem.agreements), problem.tree.size)) if levels is None else levels
    placed = allowed(problem, orders, signed, retired)
    served = service(problem)
    there = chips_in_service(problem, served, placed)
    gone = np.zeros(placed.shape) if retired is None else np.minimum(retired, there)
    active = there - gone
    use = dispatch(problem, active)
    choice = Decisions(orders=placed, serve=use.serve, unmet=use.unmet, levels=signed,
                       untaken=_untaken(problem, placed, signed), retired=gone)
    costs = node_costs(problem, served, choice)
    paths = path_costs(problem.tree, costs.total_usd * problem.discount[problem.tree.quarter])
    return Simulated(orders=placed, active=active, serve=use.serve, unmet=use.unmet, levels=signed,
                     untaken=choice.untaken, retired=choice.retired, costs=costs,
                     path_cost_usd=paths)


def allowed(
    problem: PlanProblem, orders: Array, levels: Array, retired: Array | None = None
) -> Array:
    """Cut orders (O, K) to caps, shared limits, agreements, cash and power; what goes beyond floors
    is cut in proportion.

    Power at hand is looked up over the whole service of an order: sites are known ahead; chips
    `retired` (O, K) leave theirs free. Orders
    that cannot arrive within the horizon are dropped, but for floors.
    """
    quarter = problem.tree.quarter
    arrives = quarter + problem.lead_quarters < problem.tree.quarters
    most = np.where(problem.available & arrives, problem.cap, 0.0)
    placed = np.maximum(np.minimum(orders, most), problem.floor)
    limits = [(list(members), limit) for _, members, limit in problem.groups]
    limits += [(list(agreement.offers), limit)
               for agreement, limit in zip(problem.agreements, granted(problem, levels, "most"),
                                           strict=True)]
    for rows, limit in limits:
        placed[rows] = _cut(placed[rows], problem.floor[rows], np.ones(1), limit)
    placed = _cut(placed, problem.floor, problem.payment_usd, problem.cash_cap_usd)
    if not np.isfinite(problem.power_cap_w).any():
        return placed
    return _within_power(problem, placed, np.zeros(placed.shape) if retired is None else retired)


def granted(problem: PlanProblem, levels: Array, name: str) -> Array:
    """Units that the signed levels (agreements, K) allow (``most``) or demand (``least``) at each
    node-quarter."""
    total = np.zeros(levels.shape)
    if problem.agreements:
        drawn = call_offs(problem)
        np.add.at(total, (drawn.agreement, drawn.node),
                  getattr(drawn, name) * levels[drawn.agreement, drawn.sign])
    return total


def _untaken(problem: PlanProblem, placed: Array, levels: Array) -> Array:
    """Units of the least draw not taken (agreements, K), where an order could still arrive."""
    missing = granted(problem, levels, "least")
    arrives = problem.tree.quarter + problem.lead_quarters < problem.tree.quarters
    for c, agreement in enumerate(problem.agreements):
        rows = list(agreement.offers)
        missing[c] -= placed[rows].sum(axis=0)
        missing[c] *= arrives[rows].any(axis=0)
    return np.maximum(missing, 0.0)


def _cut(placed: Array, floor: Array, weight: Array, limit: Array) -> Array:
    """Scale what is above the floors so that the weighted sum over offers stays within the limit,
    by node-quarter."""
    least = (weight * floor).sum(axis=0)
    above = (weight * (placed - floor)).sum(axis=0)
    room = np.maximum(limit - least, 0.0)
    share = np.divide(room, above, out=np.ones(above.size), where=above > room)
    return np.asarray(np.where((weight > 0) & (share < 1.0), floor + (placed - floor) * share,
                               placed))


def _within_power(problem: PlanProblem, placed: Array, retired: Array) -> Array:
    """Go through the quarters and cut each one's orders to the power that earlier orders and all
    commitments leave."""
    table = paths_table(problem.tree)
    at_hand = problem.power_cap_w[table]
    quarters = np.arange(problem.tree.quarters)

    def profile(q: int) -> Array:
        """Power of a chip of each offer ordered in a quarter, over the horizon (O, paths,
        quarters)."""
        start = (q + problem.lead_quarters[:, table[:, q]])[..., None]
        serves = (quarters >= start) & (quarters < start + problem.term_quarters[:, None, None])
        return np.asarray(serves * problem.power_w[:, None, None])

    def power(chips: Array, q: int) -> Array:
        return np.asarray((profile(q) * chips[:, table[:, q], None]).sum(axis=0))

    committed = np.sum([power(problem.floor, q) for q in range(quarters.size)], axis=0)
    drawn = (problem.power_w @ (problem.existing - retired))[table] + committed
    for q in range(quarters.size):
        nodes = table[:, q]
        above = placed - problem.floor
        wanted = power(above, q)
        room = np.maximum(at_hand - drawn, 0.0)
        share = np.divide(room, wanted, out=np.ones(wanted.shape), where=wanted > room).min(axis=1)
        least = np.ones(problem.tree.size)
        np.minimum.at(least, nodes, share)
        cut = (problem.power_w[:, None] > 0) & (least < 1.0)
        placed = np.where(cut, problem.floor + above * least, placed)
        drawn = drawn + power(placed - problem.floor, q)
    return placed


def paths_table(tree: Tree) -> NDArray[np.int64]:
    """Node-quarter in each quarter of the path to each leaf, (leaves, quarters)."""
    table = np.empty((tree.leaves.size, tree.quarters), dtype=np.int64)
    table[:, -1] = tree.leaves
    for q in range(tree.quarters - 1, 0, -1):
        table[:, q - 1] = tree.parent[table[:, q]]
    return table


def decided_now(tree: Tree) -> int:
    """Number of quarters before the first split of a tree: the quarters that are decided here and
    now."""
    alone = np.bincount(tree.quarter) == 1
    return tree.quarters if alone.all() else int(np.argmin(alone))


def signed_now(planned: PlanProblem, result: PlanResult, fresh: PlanProblem) -> Array:
    """Levels (agreements, K of fresh) that the plan signs before its first split; a rule signs no
    others."""
    trunk = np.flatnonzero(planned.tree.quarter < decided_now(planned.tree))
    now = np.flatnonzero(fresh.tree.quarter < trunk.size)
    levels = np.zeros((len(fresh.agreements), fresh.tree.size))
    levels[:, now] = result.levels[:, trunk[fresh.tree.quarter[now]]]
    return levels
