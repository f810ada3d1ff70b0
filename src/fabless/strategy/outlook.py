"""What offers need to know of the scenarios, and how the state of the market moves what a vendor
offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fabless.case_numbers import CaseNumbers, QueryNumbers
from fabless.case_records import Case
from fabless.market import expected_multiple, log_growth, price_path_usd
from fabless.records import Array, Tree
from fabless.units import QUARTER_S, YEAR_S


class ScenarioView(Protocol):
    """What offers need to know of the scenarios."""

    @property
    def tree(self) -> Tree:
        """The scenario tree."""

    @property
    def values(self) -> CaseNumbers[Array]:
        """Numbers of the case at each node-quarter."""

    @property
    def scarce(self) -> Array:
        """Probability that supply is scarce."""

    @property
    def shock_chance(self) -> Mapping[str, Array]:
        """Probability that each shock is on."""

    @property
    def demand(self) -> Mapping[str, Array]:
        """Each load in its quarter: queries, or FLOP."""

    @property
    def work(self) -> Array:
        """Work of a query over that of the first day's models."""


class OutcomeView(Protocol):
    """What offers need to know of a programme."""

    @property
    def volume_quarter(self) -> NDArray[np.int64]:
        """Quarter of volume as known at each node-quarter."""

    @property
    def performance(self) -> Array:
        """Delivered over planned performance."""

    @property
    def scope_cut(self) -> Array:
        """Probability that training was dropped."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Mean effect of the market on one vendor's terms at each node-quarter, over its states."""

    price: Array
    """Price and rent over those of normal supply without shocks [1]."""
    allotment: Array
    """Chips on offer over those of normal supply without shocks [1]."""
    delay_s: Array
    """Time that shocks add to lead times [s]."""


def terms_of(case: Case, scenarios: ScenarioView, vendor: str) -> Terms:
    """Terms of a vendor under scarcity and the shocks that strike it, each an independent factor.

    ``product over states of (1 + chance (multiple - 1))`` for price and allotment; delays add up, times their chance.
    """
    price = expected_multiple(scenarios.scarce, scenarios.values.supply.scarce_price)
    allotment = expected_multiple(scenarios.scarce, scenarios.values.supply.scarce_allotment)
    delay_s = np.zeros(scenarios.tree.size)
    for shock in case.shocks:
        if shock.vendors and vendor not in shock.vendors:
            continue
        chance, effect = scenarios.shock_chance[shock.name], scenarios.values.shocks[shock.name]
        price = price * _multiple(chance, effect.price)
        allotment = allotment * _multiple(chance, effect.allotment)
        if effect.lead is not None:
            delay_s = delay_s + chance * effect.lead
    return Terms(price, allotment, delay_s)


def world_allotment(case: Case, scenarios: ScenarioView) -> Array:
    """Factor by which shocks that strike every vendor cut the world's supply."""
    factor = np.ones(scenarios.tree.size)
    for shock in case.shocks:
        if not shock.vendors:
            factor = factor * _multiple(scenarios.shock_chance[shock.name], scenarios.values.shocks[shock.name].allotment)
    return factor


def grown(scenarios: ScenarioView, growth: Array, since: NDArray[np.int64]) -> Array:
    """Multiple after `since` quarters of what can be had, which grows by `growth` in its first year
    and fades to the long-run growth of supply; to that of the case's demand where none is stated."""
    demand, supply = scenarios.values.demand, scenarios.values.supply
    long_run = demand.growth_long_run if supply.growth_long_run is None else supply.growth_long_run
    fade = demand.growth_fade if supply.growth_fade is None else supply.growth_fade
    return np.exp(log_growth(
        np.log(growth) / YEAR_S, np.log(long_run) / YEAR_S, fade, 0.0, since * QUARTER_S))


def worth_of(scenarios: ScenarioView) -> Array:
    """What a query is worth at each node-quarter over what it is in the first quarter, served or
    not."""
    return price_path_usd(1.0, scenarios.values.demand.value_decline, scenarios.tree.quarter)


def query_revenue_usd(case: Case, scenarios: ScenarioView) -> Array:
    """What a served query of each load brings in (loads, K); 0 for loads that state no revenue."""
    worth = worth_of(scenarios)
    terms = [scenarios.values.loads[load.name] for load in case.loads]
    return np.array([
        load.revenue * worth
        if isinstance(load, QueryNumbers) and load.revenue is not None
        else np.zeros(worth.size)
        for load in terms
    ])


def _multiple(chance: Array, multiple: Array | None) -> Array:
    """Mean effect of a shock that is on with some chance; 1 where it has none."""
    return np.ones(chance.shape) if multiple is None else expected_multiple(chance, multiple)
