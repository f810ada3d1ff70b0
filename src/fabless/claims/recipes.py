"""The recipes: one small formula each, monotone in each argument, SI in and out.

Arguments are named as in the claims file. Called with symbols instead of numbers, a recipe gives
its own formula as text, so that what is printed is what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fabless.units import YEAR_S


def share(**amounts: float) -> float:
    """Share of the leader in the whole [1]: sum of the amounts named ``leader...`` over the sum of
    all, in one unit.

    >>> share(leader_old=1.0, leader_new=2.0, rival=1.0)
    0.75
    """
    leader = sum(amount for name, amount in amounts.items() if name.startswith("leader"))
    return leader / sum(amounts.values())


def token_price(input_tokens: float, output_tokens: float, input_price: float, output_price: float) -> float:
    """Price of a query [USD]: ``tokens in x price in + tokens out x price out``, prices in USD a
    token."""
    return input_tokens * input_price + output_tokens * output_price


def time_cost(accelerator_time: float, hour_price: float) -> float:
    """Cost of a query [USD]: accelerator time [s] times price [USD/s]."""
    return accelerator_time * hour_price


def multiple(multiplier: float, unit_cost: float) -> float:
    """Cost [USD]: a multiple of a known cost."""
    return multiplier * unit_cost


def yearly_cost(searches: float, share: float, cost: float) -> float:
    """Spend [USD/s]: a share of the searches [1/s] at a cost each [USD]."""
    return searches * share * cost


def yearly_cost_of_all(searches: float, cost: float) -> float:
    """Spend [USD/s]: all searches [1/s] at a cost each [USD]."""
    return searches * cost


def depreciated_capital(searches: float, share: float, cost: float, life: float) -> float:
    """Capital [USD] whose straight-line depreciation over its life [s] is the whole cost of the
    queries."""
    return searches * share * cost * life


def fleet_capital(searches: float, share: float, accelerator_time: float, capital_per_accelerator: float) -> float:
    """Capital [USD] of the accelerators that serve a share of the searches: rate x time each x
    capital each."""
    return searches * share * accelerator_time * capital_per_accelerator


def straight_line(capital: float, life: float) -> float:
    """Yearly replacement [USD/s] of capital [USD] over its life [s]."""
    return capital / life


def fleet_cost(accelerators: float, hour_price: float) -> float:
    """Spend [USD/s] of a fleet at a price of time [USD/s]."""
    return accelerators * hour_price


def fleet_cost_per_query(accelerators: float, hour_price: float, queries: float) -> float:
    """Cost of a query [USD]: spend of the fleet over queries [1/s]."""
    return accelerators * hour_price / queries


def fleet_cost_per_user_query(
    accelerators: float, hour_price: float, users: float, queries_per_user: float
) -> float:
    """Cost of a query [USD]: spend of the fleet over users times queries each [1/s]."""
    return accelerators * hour_price / (users * queries_per_user)


def cost_per_query(spend: float, queries: float) -> float:
    """Cost of a query [USD]: spend [USD/s] over queries [1/s]."""
    return spend / queries


def ratio(query_cost: float, search_cost: float) -> float:
    """How many searches a query costs [1]: the one cost over the other."""
    return query_cost / search_cost


def same(quantity: float) -> float:
    """The fact itself."""
    return quantity


def programme_spend(spend: float, duration: float) -> float:
    """Mean yearly spend [USD/s] of a programme: total [USD] over duration [s]."""
    return spend / duration


def fleet_before(fleet: float, growth: float, elapsed: float, peak_then: float, peak_now: float) -> float:
    """Chips [1] of an earlier day: ``fleet / growth^years x peak now / peak then``, growth a factor
    a year."""
    factor: float = growth ** (elapsed / YEAR_S)
    return fleet / factor * peak_now / peak_then


def user_queries(users: float, queries_per_user: float) -> float:
    """Queries [1/s] of users with a rate each [1/s]."""
    return users * queries_per_user


def query_energy(
    accelerator_time: float, rated_power: float, mean_power_share: float, server_power_share: float,
    pue: float,
) -> float:
    """Energy of a query [J]: time [s] x rated power [W] x mean over rated x server over
    accelerators x building."""
    return accelerator_time * rated_power * mean_power_share * server_power_share * pue


RECIPES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        recipe.__name__: recipe
        for recipe in (
            share, token_price, time_cost, multiple, yearly_cost, yearly_cost_of_all,
            depreciated_capital, fleet_capital, straight_line, fleet_cost, fleet_cost_per_query,
            fleet_cost_per_user_query, cost_per_query, ratio, same, programme_spend, fleet_before,
            user_queries, query_energy,
        )
    }
)
"""Every recipe a claims file can name."""
