"""Decision rule "merit order": fill the compute that is expected to be short with the cheapest
chips that can still come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import discounted_term
from fabless.plan.result import PlanResult
from fabless.plan.rule.forecast import Forecast
from fabless.plan.rule.simulate import allowed, decided_now, granted, paths_table, signed_now
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class View:
    """What every path expects of its future from a quarter on, given what it has shown by then."""

    quarter: int
    problem: PlanProblem
    """On a tree with as many leaves, in the same order, as the paths that are looked at."""


def merit_order(
    planned: PlanProblem, result: PlanResult, fresh: PlanProblem, views: Sequence[View]
) -> Array:
    """Orders (O, K of fresh) by merit: the plan's before its first split, then what each path's own
    outlook calls for.

    Quarter by quarter, a path takes its newest view and, for this quarter's prices, leads and
    limits, what it has just seen. It fills the compute still short in each coming quarter from the
    offers that can arrive by then, cheapest first, and places the orders that are due now. The cost
    of filling a quarter with a chip is what the chip costs over its whole service less what its
    later quarters are worth; compute is worth the cost of the dearest chip that fills it, or the
    shortage price where some stays short (docs/explanation/fresh.md). Under an agreement a chip
    costs less by what is due for units not taken, times the share of the draw that is firm. `views`
    start at the first split of the planned tree or before.
    """
    from fabless.plan.rule.kernel import READINESS, place_orders  # numba loads and compiles slowly

    table = paths_table(fresh.tree)
    first = decided_now(planned.tree)
    quarters = fresh.tree.quarters
    trunk = np.flatnonzero(planned.tree.quarter < first)
    levels = signed_now(planned, result, fresh)
    orders = np.zeros((len(fresh.offers), *table.shape))
    orders[:, :, :first] = result.orders[:, None, trunk]
    worth = np.full((table.shape[0], READINESS.size, quarters), np.nan)
    lead = np.ascontiguousarray(fresh.lead_quarters[:, table])
    for view, start, end in newest_views(views, first, quarters):
        place_orders((start, end), _expected(view.problem, fresh, levels, start, end), lead, orders,
                     worth)
        orders = _kept(fresh, orders, levels, end)
    placed = np.zeros(fresh.cap.shape)
    placed[:, table] = orders
    return placed


def newest_views(views: Sequence[View], first: int, quarters: int) -> list[tuple[View, int, int]]:
    """Each view with the quarters, from `first` on, in which it is the newest: first and last but
    one."""
    ordered = sorted(views, key=lambda view: view.quarter)
    ends = [*(view.quarter for view in ordered[1:]), quarters][: len(ordered)]
    return [(view, max(view.quarter, first), end) for view, end in zip(ordered, ends, strict=True)
            if max(view.quarter, first) < end]


def _kept(fresh: PlanProblem, orders: Array, levels: Array, end: int) -> Array:
    """Orders by path up to a quarter as they are in fact placed: within cash and power too."""
    table, placed = paths_table(fresh.tree), np.zeros(fresh.cap.shape)
    placed[:, table[:, :end]] = orders[:, :, :end]
    limited = np.where(fresh.tree.quarter < end, allowed(fresh, placed, levels), 0.0)
    return np.ascontiguousarray(limited[:, table])


def _expected(
    view: PlanProblem, fresh: PlanProblem, levels: Array, start: int, end: int
) -> Forecast:
    """The newest view of every path, with what is seen of the quarters from `start` up to `end` in
    their own time."""
    view_path, fresh_path = paths_table(view.tree), paths_table(fresh.tree)

    def path(name: str) -> Array:
        """The view, with what is seen in each quarter of its own time in place of what was
        expected."""
        values = getattr(view, name)[..., view_path]
        values[..., start:end] = getattr(fresh, name)[..., fresh_path[:, start:end]]
        return np.ascontiguousarray(values)

    rate, demand = path("rate"), path("demand")
    best = rate.max(axis=0)
    usable = np.where(best > 0, best, 1.0)
    need = np.where(best > 0, demand / usable, 0.0)
    compute = _compute(rate / usable, need)
    open_cap = np.where(path("available").astype(bool), path("cap"), 0.0)
    pools = [limit[view_path] for _, _, limit in view.groups]
    for pool, (_, _, limit) in zip(pools, fresh.groups, strict=True):
        pool[:, start:end] = limit[fresh_path[:, start:end]]
    pools += [limit[fresh_path] for limit in granted(fresh, levels, "most")]
    sharers = [members for _, members, _ in view.groups]
    sharers += [agreement.offers for agreement in fresh.agreements]
    member = np.zeros((len(sharers), len(view.offers)), dtype=bool)
    for g, members in enumerate(sharers):
        member[g, list(members)] = True
    expected_price, seen_price = _whole_price(view), _whole_price(fresh)
    price = expected_price[:, view_path]
    price[..., start:end] = seen_price[:, fresh_path[:, start:end]]
    for agreement, expects, firm, most in zip(fresh.agreements, view.agreements,
                                              granted(fresh, levels, "least"),
                                         granted(fresh, levels, "most"), strict=True):
        due = expects.untaken_usd[view_path]
        due[:, start:end] = agreement.untaken_usd[fresh_path[:, start:end]]
        share = np.divide(firm, most, out=np.zeros(firm.size), where=most > 0)[fresh_path]
        rows = list(agreement.offers)
        price[rows] = np.maximum(price[rows] - due * share * fresh.discount, 0.0)
    running = np.where(compute > 0, path("running_usd"), 0.0)
    return Forecast(
        need=need, shortage=path("unmet_usd") * usable, does=compute, cap=open_cap, price=price,
        running=running,
        lead=path("lead_quarters"), pools=np.array(pools).reshape(-1, *view_path.shape),
        in_place=np.ascontiguousarray((path("existing") * compute).sum(axis=0)),
        member=member,
        term=fresh.term_quarters.astype(np.int64), discount=np.ascontiguousarray(fresh.discount))


def _whole_price(problem: PlanProblem) -> Array:
    """Discounted annuities of an order within the horizon, (O, K)."""
    return np.asarray(problem.capital_usd * discounted_term(problem))


def _compute(relative: Array, need: Array) -> Array:
    """Compute of a chip, relative to the best chip for each load, as the mean over the loads it
    serves by their need."""
    weight = np.where(relative > 0, need[None], 0.0)
    total = weight.sum(axis=1)
    return np.asarray(np.divide((relative * weight).sum(axis=1), total, out=np.zeros(total.shape),
                                where=total > 0))
