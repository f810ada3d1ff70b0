"""A plan that is quick to find and keeps every limit: the orders of the mean path, cut down where they do not fit."""

from __future__ import annotations

import numpy as np

from fabless.plan.lp.agreements import Draws, draws
from fabless.plan.lp.assemble import Program
from fabless.plan.problem.agreement import by_node
from fabless.plan.problem.costs import chips_in_service
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Service
from fabless.records import Array


def repaired(
    problem: PlanProblem, program: Program, served: Service, orders: Array, levels: Array
) -> tuple[Array, Array]:
    """Cut wished orders (O, K) and levels (agreements, K) down to ones that keep every limit.

    Each step only lowers what exceeds the commitments, so that what an earlier one has mended stays mended. Commitments
    that contradict a limit are kept: then no plan exists.
    """
    drawn = draws(problem)
    held = _fitting_levels(problem, program, levels)
    cap = np.where(problem.available, problem.cap, 0.0)
    possible = program.columns["orders"].index >= 0
    extra = np.where(possible, np.clip(orders - problem.floor, 0.0, np.maximum(cap - problem.floor, 0.0)), 0.0)
    for weight, limit in _limits(problem, drawn, held):
        extra = extra * _room(weight, limit - (weight * problem.floor).sum(axis=0), extra)
    extra = _within_power(problem, served, extra)
    return problem.floor + extra, held


def values(program: Program, orders: Array, levels: Array) -> Array:
    """Orders and levels laid out as columns (columns,), NaN elsewhere."""
    laid = np.full(program.cost.size, np.nan)
    for name, numbers in (("orders", orders), ("level", levels)):
        index = program.columns[name].index
        laid[index[index >= 0]] = numbers[index >= 0]
    return laid


def _fitting_levels(problem: PlanProblem, program: Program, levels: Array) -> Array:
    """Levels cut down to their caps and to the cash that commitments leave, never below floors."""
    tree = problem.tree
    cap = by_node(problem.agreements, "level_cap", tree.size)
    fitting = np.where(program.columns["level"].index >= 0, np.clip(levels, 0.0, cap), 0.0)
    fee = by_node(problem.agreements, "fee_usd", tree.size)
    free = np.maximum(problem.cash_cap_usd - (problem.payment_usd * problem.floor).sum(axis=0), 0.0)
    fitting = fitting * _room(fee, free, fitting)
    return np.maximum(fitting, by_node(problem.agreements, "level_floor", tree.size))


def _limits(problem: PlanProblem, drawn: Draws, levels: Array) -> list[tuple[Array, Array]]:
    """Weights (O, K) and limits (K,) that orders must keep at each node-quarter by themselves."""
    size = problem.tree.size
    fees = (by_node(problem.agreements, "fee_usd", size) * levels).sum(axis=0)
    limits = [(np.asarray(problem.payment_usd), problem.cash_cap_usd - fees)]
    for _, members, limit in problem.groups:
        weight = np.zeros(problem.cap.shape)
        weight[list(members)] = 1.0
        limits.append((weight, limit))
    granted = np.zeros((len(problem.agreements), size))
    np.add.at(granted, (drawn.agreement, drawn.node), drawn.most * levels[drawn.agreement, drawn.sign])
    for c, agreement in enumerate(problem.agreements):
        weight = np.zeros(problem.cap.shape)
        weight[list(agreement.offers)] = 1.0
        limits.append((weight, granted[c]))
    return limits


def _room(weight: Array, limit: Array, wished: Array) -> Array:
    """Share (n, K) of what is wished that keeps ``sum of weight x wished <= limit``, the same for all that weigh."""
    total = (weight * wished).sum(axis=0)
    over = total > limit
    share = np.where(over, np.clip(np.divide(limit, total, out=np.ones_like(total), where=over), 0.0, 1.0), 1.0)
    return np.where(weight > 0, share, 1.0)


def _within_power(problem: PlanProblem, served: Service, extra: Array) -> Array:
    """Lower orders until the chips in service draw no more than the power at hand, the earliest quarter first."""
    base = problem.power_w @ chips_in_service(problem, served, problem.floor)
    quarter = problem.tree.quarter[served.node]
    for q in range(problem.tree.quarters):
        here = (quarter == q) & (problem.power_w[served.offer] > 0)
        offer, order, node = served.offer[here], served.order[here], served.node[here]
        added = np.bincount(node, weights=problem.power_w[offer] * extra[offer, order], minlength=problem.tree.size)
        free = np.maximum(problem.power_cap_w - base, 0.0)
        share = np.where(added > free, np.divide(free, added, out=np.ones_like(free), where=added > free), 1.0)
        least = np.ones(extra.shape)
        np.minimum.at(least, (offer, order), share[node])
        extra = extra * least
    return extra
