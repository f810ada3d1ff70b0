"""A solved plan seen path by path: what each scenario costs, serves and leaves unserved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.ways.problem import Plan
from fabless.plan import PlanResult, offer_capital, service
from fabless.plan.rule.simulate import Simulated
from fabless.records import Array, Band


@dataclass(frozen=True, eq=False, kw_only=True)
class Paths:
    """Arrays over (leaves, quarters) of one plan; probability is that of the leaves."""

    probability: Array
    served: Array
    """Queries served."""
    unserved: Array
    missing: Array
    """Compute that was missing, queries and training, in chips of the fleet in place
    (`Plan.yardstick`)."""
    wanted: Array
    """Compute demanded, in chips of the fleet in place (`Plan.yardstick`)."""
    query_cost_usd: Array
    """Queries' share of the chip cost (`load_share`) and of the fixed spend, undiscounted."""
    cost_usd: Array
    """All cost but that of unserved demand."""
    chips: Array
    """(offers, leaves, quarters) in service."""
    compute: Array
    """(offers, leaves, quarters) of what was served, in chips of the fleet in place
    (`compute_by_offer`)."""
    spend: Array
    """(offers, leaves, quarters) capital and running cost, less what chips sold early bring; of
    contracts also fees and what is due for units not taken."""
    discount: Array

    @property
    def levelised_usd(self) -> Array:
        """Levelised cost of a served query (leaves,): its discounted account over its discounted
        number."""
        return np.asarray((self.query_cost_usd @ self.discount) / np.maximum(self.served @ self.discount, 1e-9))

    @property
    def missing_share(self) -> Array:
        """Missing share of the compute demanded over the horizon (leaves,)."""
        return np.asarray(self.missing.sum(axis=1) / np.maximum(self.wanted.sum(axis=1), 1e-30))


def paths_of(case: Case, plan: Plan, result: PlanResult | Simulated) -> Paths:
    """Lay a plan's arrays along its paths.

    The whole chip cost of a quarter, idle chips included, is shared between queries and training by
    the compute that was served of each, in chips of the fleet in place (`load_share`). Many ways
    of giving chips to loads cost the same; the share is that of all of them. Programmes and other
    fixed spend are shared like the chip cost of the whole path.
    """
    problem = plan.problem
    table = problem.tree.ancestors()[problem.tree.leaves]
    spend = offer_capital(problem, service(problem), result.orders) + problem.running_usd * result.active
    spend -= problem.resale_usd * result.retired
    for agreement, level, untaken in zip(
        problem.agreements, result.levels, result.untaken, strict=True
    ):
        fees = agreement.fee_usd * level + agreement.untaken_usd * untaken
        spend[list(agreement.offers)] += fees / len(agreement.offers)
    queries = np.array([load.kind == "inference" for load in case.loads])
    served = np.maximum(problem.demand - result.unmet, 0.0)
    chips_cost = spend.sum(axis=0)
    query_cost = (chips_cost * load_share(plan, served, queries)[queries].sum(axis=0))[table]
    discount, fixed = problem.discount, problem.fixed_usd[table]
    account = (query_cost @ discount) / np.maximum(chips_cost[table] @ discount, 1e-9)
    return Paths(
        probability=problem.tree.probability[problem.tree.leaves],
        served=served[queries].sum(axis=0)[table],
        unserved=result.unmet[queries].sum(axis=0)[table],
        missing=(result.unmet / plan.yardstick).sum(axis=0)[table],
        wanted=(problem.demand / plan.yardstick).sum(axis=0)[table],
        query_cost_usd=query_cost + fixed * account[:, None], cost_usd=chips_cost[table] + fixed,
        chips=result.active[:, table],
        compute=compute_by_offer(plan, served, result.active)[:, table], spend=spend[:, table],
        discount=discount,
    )


def load_share(plan: Plan, served: Array, queries: NDArray[np.bool_]) -> Array:
    """Share (loads, K) of each quarter's chip cost that each load bears: its own of the compute
    served, by the yardstick.

    `served` (loads, K) is load, `queries` (loads,) marks those that are queries. Where nothing was
    served, the shares of the compute wanted; where nothing was wanted either, queries bear all.
    """
    idle = queries if queries.any() else np.ones(queries.shape, dtype=bool)
    share = np.repeat((idle / idle.sum())[:, None], served.shape[1], axis=1)
    for load in (plan.problem.demand, served):
        compute = load / plan.yardstick
        whole = np.broadcast_to(compute.sum(axis=0), compute.shape)
        share = np.divide(compute, whole, out=share, where=whole > 0.0)
    return share


def compute_by_offer(plan: Plan, served: Array, active: Array) -> Array:
    """Compute served (offers, K), in chips of the fleet in place, shared among the chips in service
    `active` (offers, K).

    Each chip counts by what it could do of the quarter's work: the mean of its rates, by the
    yardstick, over the loads `served` (loads, K). Which chip in fact served which load does not
    matter, as with `load_share`.
    """
    compute = served / plan.yardstick
    able = active * (plan.problem.rate * compute / plan.yardstick).sum(axis=1)
    whole = able.sum(axis=0)
    return np.asarray(np.divide(able, whole, out=np.zeros(able.shape), where=whole > 0.0) * compute.sum(axis=0))


def error_over_branches(costs: Array, other: Array, branches: int) -> float:
    """Standard error of the mean difference of two costs by path, over the draws at the first
    branching.

    Paths below one branch share most of what they were drawn from, so that each branch counts as
    one draw.
    """
    difference = (costs - other).reshape(branches, -1).mean(axis=1)
    return float(difference.std(ddof=1) / np.sqrt(branches)) if branches > 1 else 0.0


def band(values: Array, probability: Array) -> Band:
    """Probability-weighted P10, P50, P90 and mean: the smallest value with at least that
    probability below or at it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(probability[order])
    p10, p50, p90 = (float(values[order][np.searchsorted(total, level * total[-1] - 1e-12)]) for level in (0.1, 0.5, 0.9))
    return Band(p10, p50, p90, float(values @ probability / probability.sum()))


def calendar(case: Case) -> list[tuple[int, slice]]:
    """Calendar years of the horizon with their quarters."""
    year = [(case.first_quarter + q).year for q in range(case.quarters)]
    return [(y, slice(year.index(y), len(year) - year[::-1].index(y))) for y in sorted(set(year))]
