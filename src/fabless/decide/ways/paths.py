"""A solved plan seen path by path: what each scenario costs, serves and leaves unserved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.case_records import Case
from fabless.decide.ways.problem import Plan
from fabless.plan import PlanResult, offer_capital, service
from fabless.records import Array, Band


@dataclass(frozen=True, eq=False, kw_only=True)
class Paths:
    """Arrays over (leaves, quarters) of one plan; probability is that of the leaves."""

    probability: Array
    served: Array
    """Queries served."""
    unserved: Array
    missing: Array
    """Compute that was missing, queries and training, in chips of the fleet in place (`Plan.yardstick`)."""
    wanted: Array
    """Compute that was demanded, in the same."""
    query_cost_usd: Array
    """Cost of the chips that answered, and of the fixed spend on queries' account, undiscounted."""
    cost_usd: Array
    """All cost but that of unserved demand."""
    chips: Array
    """(offers, leaves, quarters) in service."""
    compute: Array
    """(offers, leaves, quarters) in chips of the fleet in place, by their work on the loads they serve."""
    spend: Array
    """(offers, leaves, quarters) capital and running cost; of contracts also fees and what is due for units not taken."""
    discount: Array

    @property
    def levelised_usd(self) -> Array:
        """Levelised cost of a served query (leaves,): its discounted account over its discounted number."""
        return np.asarray((self.query_cost_usd @ self.discount) / np.maximum(self.served @ self.discount, 1e-9))

    @property
    def missing_share(self) -> Array:
        """Missing share of the compute demanded over the horizon (leaves,)."""
        return np.asarray(self.missing.sum(axis=1) / np.maximum(self.wanted.sum(axis=1), 1e-30))


def paths_of(case: Case, plan: Plan, result: PlanResult) -> Paths:
    """Lay a plan's arrays along its paths.

    An offer's cost of a quarter is shared among the loads by the chips each took; idle chips, and programmes and other
    fixed spend, are shared like the rest of the quarter's (for fixed spend: the whole path's) cost.
    """
    problem = plan.problem
    table = problem.tree.ancestors()[problem.tree.leaves]
    spend = offer_capital(problem, service(problem), result.orders) + problem.running_usd * result.active
    for item, level, untaken in zip(problem.agreements, result.levels, result.untaken, strict=True):
        spend[list(item.offers)] += (item.fee_usd * level + item.untaken_usd * untaken) / len(item.offers)
    query_rows = [i for i, load in enumerate(case.loads) if load.kind == "inference"]
    unit = plan.unit[query_rows][:, None]
    taken = result.serve.sum(axis=1)
    on_queries = result.serve[:, query_rows].sum(axis=1)
    whole = taken.sum(axis=0)
    typical = np.divide(on_queries.sum(axis=0), whole, out=np.ones(whole.size), where=whole > 0)
    share = np.divide(on_queries, taken, out=np.broadcast_to(typical, taken.shape).copy(), where=taken > 1e-9)
    query_cost = (spend * share).sum(axis=0)[table]
    chips_cost = spend.sum(axis=0)[table]
    discount = problem.discount
    fixed = problem.fixed_usd[table]
    account = (query_cost @ discount) / np.maximum(chips_cost @ discount, 1e-9)
    demand = (problem.demand[query_rows] * unit).sum(axis=0)[table]
    unserved = (result.unmet[query_rows] * unit).sum(axis=0)[table]
    chips = plan.unit[:, None] / plan.yardstick
    worth = problem.rate * result.serve * chips
    return Paths(
        probability=problem.tree.probability[problem.tree.leaves], served=demand - unserved, unserved=unserved,
        missing=(result.unmet * chips).sum(axis=0)[table], wanted=(problem.demand * chips).sum(axis=0)[table],
        query_cost_usd=query_cost + fixed * account[:, None], cost_usd=chips_cost + fixed,
        chips=result.active[:, table], compute=worth.sum(axis=1)[:, table], spend=spend[:, table], discount=discount,
    )


def standard_error(costs: Array, other: Array, branches: int) -> float:
    """Standard error of the mean difference of two costs by path, over the draws at the first branching.

    Paths below one branch share most of what they were drawn from, so that each branch counts as one draw.
    """
    difference = (costs - other).reshape(branches, -1).mean(axis=1)
    return float(difference.std(ddof=1) / np.sqrt(branches)) if branches > 1 else 0.0


def band(values: Array, probability: Array) -> Band:
    """Probability-weighted P10, P50, P90 and mean: the smallest value with at least that probability below or at it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(probability[order])
    p10, p50, p90 = (float(values[order][np.searchsorted(total, level * total[-1] - 1e-12)]) for level in (0.1, 0.5, 0.9))
    return Band(p10, p50, p90, float(values @ probability / probability.sum()))


def calendar(case: Case) -> list[tuple[int, slice]]:
    """Calendar years of the horizon with their quarters."""
    year = [(case.first_quarter + q).year for q in range(case.quarters)]
    return [(y, slice(year.index(y), len(year) - year[::-1].index(y))) for y in sorted(set(year))]
