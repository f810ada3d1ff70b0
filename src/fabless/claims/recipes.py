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


def wall_energy(chip_energy: float, server_power_share: float, pue: float) -> float:
    """Energy of a query [J]: energy of the chips [J] x server over chips x building."""
    return chip_energy * server_power_share * pue


def fleet_energy_per_query(
    accelerators: float, server_power: float, users: float, queries_per_user: float
) -> float:
    """Energy of a query [J]: server power [W] of the fleet over users times queries each [1/s]."""
    return accelerators * server_power / (users * queries_per_user)


def words_written(messages: float, output_tokens: float, words_per_token: float) -> float:
    """Words written [1/s]: messages [1/s] x tokens of an answer x words a token."""
    return messages * output_tokens * words_per_token


def chips_for_words(
    words: float, words_per_token: float, rate: float, load_factor: float
) -> float:
    """Chips that words [1/s] need [1]: tokens over the rate of a busy chip [token/s] and over the
    mean load."""
    return words / words_per_token / rate / load_factor


def training_cost(pretraining_time: float, later_time: float, hour_price: float) -> float:
    """Cost of a run [USD]: chip time before and after pre-training ends [s] x price [USD/s]."""
    return (pretraining_time + later_time) * hour_price


def research_cost(
    pretraining_time: float, later_time: float, hour_price: float, final_run_share: float
) -> float:
    """Cost of a run with the experiments before it [USD]: cost of the run over its share."""
    return (pretraining_time + later_time) * hour_price / final_run_share


def profit_of_fleet(
    cached_input: float, cached_price: float, new_input: float, new_price: float, output: float,
    output_price: float, accelerators: float, hour_price: float,
) -> float:
    """Profit over cost [1]: tokens [token/s] at their prices [USD/token] over a fleet's cost, less
    one."""
    revenue = cached_input * cached_price + new_input * new_price + output * output_price
    return revenue / (accelerators * hour_price) - 1.0


def profit_at_rate(
    cached_input: float, cached_price: float, new_input: float, new_price: float, output: float,
    output_price: float, rate: float, hour_price: float,
) -> float:
    """Profit over cost [1] of as many chips as the output needs at a rate each [token/s]."""
    revenue = cached_input * cached_price + new_input * new_price + output * output_price
    return revenue / (output / rate * hour_price) - 1.0


def token_cost_ratio(
    new_cost: float, new_rate: float, old_cost: float, old_rate: float
) -> float:
    """Cost of a token on a new chip over an old one's [1]: cost of an hour over rate, each."""
    return new_cost / new_rate / (old_cost / old_rate)


def chip_ratio(new_time: float, old_time: float) -> float:
    """Chips of a new kind over those of an old one for a run in the same time [1]."""
    return new_time / old_time


def saving_by_power(
    own_cost: float, other_cost: float, work_per_watt: float, own_power: float, other_power: float
) -> float:
    """Saving of an own chip [1]: one less its cost of an hour over the other's, over its speed;
    speed is work a watt over the other's, times power over power."""
    return 1.0 - own_cost / other_cost / (work_per_watt * own_power / other_power)


def saving_by_peak(
    own_cost: float, other_cost: float, own_peak: float, other_peak: float
) -> float:
    """Saving of an own chip [1] if both reach the same share of their peak rates [FLOP/s]."""
    return 1.0 - own_cost / other_cost / (own_peak / other_peak)


def gigawatt_capital(
    power: float, chip_power: float, chip_price: float, site_cost: float
) -> float:
    """Capital [USD] of a power [W]: chips with server at a power each, and the site [USD/W]."""
    return power / chip_power * chip_price + power * site_cost


def chips_on_power(power: float, chip_power: float) -> float:
    """Chips that a power [W] feeds, at an all-in power each [W]."""
    return power / chip_power


def chips_on_rated_power(
    power: float, rated_power: float, server_power_share: float, pue: float
) -> float:
    """Chips that a power [W] feeds: rated power [W] x server over chips x building, each."""
    return power / (rated_power * server_power_share * pue)


def gain_for_a_dollar(
    new_rate: float, new_cost: float, old_rate: float, old_cost: float
) -> float:
    """Gain in tokens for a dollar [1]: rate over cost of an hour over the old chip's, less 1."""
    return new_rate / new_cost / (old_rate / old_cost) - 1.0


def gain_at_rate_ratio(rate_ratio: float, new_cost: float, old_cost: float) -> float:
    """Gain in tokens for a dollar [1] of a chip whose rate over the old one's is known."""
    return rate_ratio * old_cost / new_cost - 1.0


def passed_on(margin: float) -> float:
    """Rise of a price for a dollar of cost [1] at a constant gross margin."""
    return 1.0 / (1.0 - margin)


def passed_on_with_scrap(margin: float, package_yield: float) -> float:
    """Rise of a price for a dollar of memory [1], where failed packages take their memory along."""
    return 1.0 / package_yield / (1.0 - margin)


def rack_parts(
    chips: float, chip_price: float, processors: float, processor_price: float, memory_price: float
) -> float:
    """Price of the named parts of a rack [USD]."""
    return chips * chip_price + processors * processor_price + memory_price


def rack_of_charge(chips: float, capital_cost_per_hour: float, charge: float) -> float:
    """Price of a rack [USD] whose chips cost a capital charge [USD/s] each, at a charge for a
    dollar [1/s]."""
    return chips * capital_cost_per_hour / charge


RECIPES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        recipe.__name__: recipe
        for recipe in (
            share, token_price, time_cost, multiple, yearly_cost, yearly_cost_of_all,
            depreciated_capital, fleet_capital, straight_line, fleet_cost, fleet_cost_per_query,
            fleet_cost_per_user_query, cost_per_query, ratio, same, programme_spend, fleet_before,
            user_queries, query_energy, wall_energy, fleet_energy_per_query, words_written,
            chips_for_words, training_cost, research_cost, profit_of_fleet, profit_at_rate,
            token_cost_ratio, chip_ratio, saving_by_power, saving_by_peak, gigawatt_capital,
            chips_on_power, chips_on_rated_power, gain_for_a_dollar, gain_at_rate_ratio, passed_on,
            passed_on_with_scrap, rack_parts, rack_of_charge,
        )
    }
)
"""Every recipe a claims file can name."""
