"""Limits on everything that a plan orders together: world supply, power at hand, cash for orders,
and the research that it can pay for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.case_records import Case
from fabless.records import Array
from fabless.strategy.offers import Offer
from fabless.strategy.outlook import ScenarioView, grown, query_revenue_usd, world_allotment
from fabless.units import QUARTER_S


def shared_pools(
    case: Case, scenarios: ScenarioView, offers: Sequence[Offer]
) -> list[tuple[str, tuple[int, ...], Array]]:
    """World pools as groups of a plan: name, offers that draw on it, most chips ordered together at
    each node-quarter.

    ``output x quarter x chips per output x share x growth x effect of shocks``: every chip counts as one, whatever its
    size. A pool on which no offer draws is left out.
    """
    effect = world_allotment(case, scenarios)
    shared = []
    for pool in case.pools:
        world = scenarios.values.pools[pool.name]
        members = tuple(
            k
            for k, offer in enumerate(offers)
            if offer.name != "existing" and (not pool.members or offer.pool.line in pool.members)
        )
        cap = (world.output * QUARTER_S * world.chips * world.share
               * grown(scenarios, world.growth, scenarios.tree.quarter) * effect)
        if members:
            shared.append((pool.name, members, cap))
    return shared


def power_cap_w(case: Case, scenarios: ScenarioView) -> Array:
    """Power at hand at each node-quarter [W]: the last limit that holds by then; infinite before
    the first."""
    cap = np.full(scenarios.tree.size, np.inf)
    for limit in case.power_limits:
        within = scenarios.tree.quarter >= limit.first_quarter - case.first_quarter
        cap = np.where(within, scenarios.values.limits.power[limit.period], cap)
    return cap


def cash_cap_usd(case: Case, scenarios: ScenarioView) -> Array:
    """Cash for what the orders of each node-quarter commit to [USD]: of its quarter, or a quarter of
    its year, and the stated share of the revenue of all queries asked then; else inf."""
    cap = np.full(scenarios.tree.size, np.inf)
    for limit in sorted(case.cash_limits, key=lambda item: -item.quarters):
        since = scenarios.tree.quarter - (limit.first_quarter - case.first_quarter)
        within = (since >= 0) & (since < limit.quarters)
        cap = np.where(within, scenarios.values.limits.cash[limit.period] / limit.quarters, cap)
    share = scenarios.values.limits.revenue_share
    if share is None:
        return cap
    asked = np.array([scenarios.demand[load.name] for load in case.loads])
    return np.asarray(cap + share * (query_revenue_usd(case, scenarios) * asked).sum(axis=0))


def cheapest_usd(offers: Sequence[Offer], shape: tuple[int, int]) -> Array:
    """Least cost of a unit of each load on offer at each node-quarter, (loads, K) of `shape`;
    infinite where nothing is on offer."""
    least = np.full(shape, np.inf)
    for offer in offers:
        cost = (offer.capital_usd + offer.running_usd) / np.maximum(offer.rate, 1e-300)
        least = np.minimum(least, np.where(offer.available, cost, np.inf))
    return least


def paid_for(
    case: Case, demand: Array, cash_usd: Array, going_usd: Array, in_place: Array
) -> Array:
    """Demand (loads, K) with research cut to what the money of a node-quarter could pay for.

    People wish for more research than anybody will fund, and work that nobody could pay for is no
    loss. Wishes of all training loads are cut alike, to what the fleet in place does and the whole
    cash of the quarter would buy at the going price; queries stay. Nothing is cut where cash is not
    limited or nothing is on offer yet.

    Parameters: `cash_usd` (K,), infinite without a limit; `going_usd` (loads, K), price of a unit of
    a load, infinite where nothing is on offer, the same for every way; `in_place` (loads, K), load
    that the fleet in place serves.
    """
    training = np.array([load.kind == "training" for load in case.loads])
    if not training.any() or not np.isfinite(cash_usd).any():
        return demand
    cost = going_usd[training]
    limited = np.isfinite(cash_usd) & np.isfinite(cost).all(axis=0)
    cost = np.where(limited, cost, 0.0)
    wished = (cost * demand[training]).sum(axis=0)
    money = np.where(limited, cash_usd, np.inf) + (cost * in_place[training]).max(axis=0)
    share = np.minimum(np.divide(money, wished, out=np.ones_like(wished), where=wished > 0.0), 1.0)
    return np.where(training[:, None], demand * share, demand)
