"""From the name of a quantity and a period to samples of it: what the case forecasts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabless.backtest.fleet import OnPaths, way_series
from fabless.backtest.periods import Period
from fabless.backtest.programmes import programme_draws, programme_series
from fabless.backtest.quantities import Quantity
from fabless.backtest.world import WORLD_PATHS, market_paths, world_series
from fabless.case_records import Case
from fabless.programme.draws import DrawnOutcomes
from fabless.records import Array
from fabless.scenario import Scenarios


@dataclass(frozen=True, eq=False)
class Samples:
    """A forecast of one quantity in one period."""

    values: Array
    """Equally likely values [SI], of the paths on which it comes to be."""
    reached: float
    """Share of the paths on which it does."""


@dataclass(frozen=True, eq=False)
class Forecaster:
    """Everything that a case forecasts; each part is worked out when it is first asked for."""

    case: Case
    """With the counts of the reference class for its programmes (`counted`)."""
    following: Callable[[], OnPaths]
    """Follows the way that is scored along fresh paths."""
    price_level: Mapping[int, float]
    """Price index by year; money is stated in USD of the year of a truth."""
    world_paths: int = WORLD_PATHS

    @cached_property
    def market(self) -> Scenarios:
        """Paths of demand and market."""
        return market_paths(self.case, self.world_paths)

    @cached_property
    def on_paths(self) -> OnPaths:
        """The scored way on fresh paths."""
        return self.following()

    @cached_property
    def _drawn(self) -> dict[str, DrawnOutcomes]:
        return {}

    def series(self, quantity: Quantity) -> tuple[Array, Array | None]:
        """Values by path and quarter, or by path alone, and what they are divided by, if
        anything."""
        if quantity.origin == "world":
            return world_series(self.case, self.market, quantity), None
        if quantity.origin == "way":
            return way_series(self.on_paths, quantity)
        programme = next(item for item in self.case.programmes if item.name == quantity.about)
        if quantity.about not in self._drawn:
            self._drawn[quantity.about] = programme_draws(self.case, programme)
        return programme_series(self._drawn[quantity.about], programme, quantity), None

    def samples(self, quantity: Quantity, period: Period) -> Samples:
        """Samples of a quantity in a period that lies in the horizon of the case."""
        values, over = self.series(quantity)
        if values.ndim == 2:
            shares = period.shares(self.case.first_quarter, self.case.quarters)
            values = taken(values, over, quantity, shares)
        reached = values[~np.isnan(values)]
        level = self.money(period) if quantity.in_money else 1.0
        return Samples(reached * level, reached.size / values.size)

    def by_quarter(self, quantity: Quantity) -> Array | None:
        """Values by path and quarter (N, Q), NaN where a ratio is of nothing; None of what has no
        date."""
        values, over = self.series(quantity)
        if values.ndim == 1:
            return None
        return values if over is None else _ratio(values, over)

    def money(self, period: Period) -> float:
        """What a USD of the case's price year is in USD of a period's year; after the last year of
        the index, of that year."""
        newest = max(self.price_level)
        years = (period.last.year, self.case.price_year)
        then, stated = (self.price_level[min(year, newest)] for year in years)
        return then / stated


def taken(values: Array, over: Array | None, quantity: Quantity, shares: Array) -> Array:
    """What a quantity by path and quarter (N, Q) is in a period that covers these `shares` (Q,) of
    the quarters: their sum, their mean, or the state in the last of them; where it is a ratio, of
    numerator and denominator alike.

    >>> cost = np.array([[1.0, 3.0]])
    >>> spend = Quantity(name="s", title="", group="money", unit="USD", how="sum", origin="way")
    >>> taken(cost, None, spend, np.array([0.5, 1.0])), taken(cost, cost, spend, np.ones(2))
    (array([3.5]), array([1.]))
    """
    last = np.arange(shares.size) == np.flatnonzero(shares)[-1]
    weights = last.astype(float) if quantity.how == "end" else shares
    if over is not None:
        return _ratio(values @ weights, over @ weights)
    total = values @ weights
    return np.asarray(total / weights.sum() if quantity.how in ("mean", "chance") else total)


def _ratio(values: Array, over: Array) -> Array:
    """A ratio, NaN where it is of nothing: where no query is served, none has a cost."""
    ratio = np.full(np.shape(values), np.nan)
    np.divide(values, over, out=ratio, where=over > 0.0)
    return ratio
