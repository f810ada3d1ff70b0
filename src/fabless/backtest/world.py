"""What the scenarios of a case forecast of demand and of the market, path by path.

The paths are fresh ones, as ways are judged on. What is learnt by and by stands at what is true on
a path and not at what is believed there in a quarter: the forecast of a price is of the price, not
of the belief.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabless.backtest.quantities import Quantity, leading_line, line_for
from fabless.case_numbers import stated
from fabless.case_records import Case
from fabless.records import Array
from fabless.sampling import stream
from fabless.scenario import Scenarios, fresh_paths
from fabless.scenario.draws import queries_per_day
from fabless.scenario.news import kinds_of
from fabless.scenario.values import Draws
from fabless.strategy.offers import lead_time_s, line_price
from fabless.strategy.outlook import grown
from fabless.units import DAY_S, QUARTER_S

WORLD_PATHS = 400
"""Paths from which demand and market are forecast."""

_BY_QUARTER = ("queries_per_day", "chip_price", "rent", "lead_time", "pool", "supply.scarce")
"""Kinds of quantities that have a value in each quarter."""


def market_paths(case: Case, count: int = WORLD_PATHS) -> Scenarios:
    """Fresh paths of a case on which what is learnt by and by stands at its true value from the
    start."""
    seed = int(stream(case.seed, "backtest").integers(2**62))
    scenarios = fresh_paths(case, count, seed)
    return replace(scenarios, draws=_settled(case, scenarios, count))


def _settled(case: Case, scenarios: Scenarios, count: int) -> Draws:
    """Draws whose gradually learnt numbers, and coming generations, are in all quarters what they
    are in the last."""
    kinds = kinds_of(case)

    def settles(name: str) -> bool:
        # draws of later generations bear their number
        number = name if name in kinds else name.rpartition(".")[0]
        return kinds.get(number) in ("gradual", "generation")

    flat = {name: values[-count:] if values.size > count and settles(name) else values
            for name, values in scenarios.draws.flat.items()}
    return replace(scenarios.draws, flat=flat)


def by_quarter(scenarios: Scenarios, values: Array) -> Array:
    """Values at node-quarters of separate paths as (paths, quarters)."""
    return np.ascontiguousarray(np.reshape(values, (scenarios.tree.quarters, -1)).T)


def world_series(case: Case, scenarios: Scenarios, quantity: Quantity) -> Array:
    """A quantity of the market on every path [SI]: (paths, quarters), or (paths,) of what has no
    date."""
    if quantity.kind in _BY_QUARTER:
        return by_quarter(scenarios, _at_nodes(case, scenarios, quantity))
    if quantity.kind == "supply.scarce_ends":
        return _scarce_ends(case, scenarios)
    return _generation(case, scenarios, quantity)


def _at_nodes(case: Case, scenarios: Scenarios, quantity: Quantity) -> Array:
    if quantity.kind == "queries_per_day":
        return queries_per_day(scenarios, case) / DAY_S
    if quantity.kind == "supply.scarce":
        return scenarios.scarce
    if quantity.kind == "pool":
        pool = scenarios.values.pools[quantity.about]
        return np.asarray(pool.output * grown(scenarios, pool.growth, scenarios.tree.quarter))
    how = {"chip_price": "buy", "rent": "rent"}.get(quantity.kind)
    line = stated(line_for(case, quantity.about, how))
    if quantity.kind == "lead_time":
        return lead_time_s(case, line, scenarios)
    return line_price(case, line, scenarios)


def _scarce_ends(case: Case, scenarios: Scenarios) -> Array:
    """Time from the day of the case to the end of the shortage that it begins with (paths,) [s];
    NaN on paths that begin with none, the end of the horizon where it lasts longer.

    A quarter is scarce or it is not: the end is spread evenly between the middle of the last scarce
    quarter and that of the first one after.
    """
    scarce = by_quarter(scenarios, scenarios.scarce) > 0.5
    quarters = scarce.shape[1]
    first_normal = np.where(scarce.all(axis=1), quarters, np.argmin(scarce, axis=1))
    rng = stream(case.seed, "backtest, end of scarcity")
    within = (rng.permutation(len(scarce)) + 0.5) / len(scarce)
    ends = np.minimum(first_normal - 0.5 + within, quarters) * QUARTER_S - _into(case)
    return np.where(scarce[:, 0], ends, np.nan)


def _generation(case: Case, scenarios: Scenarios, quantity: Quantity) -> Array:
    """What a coming generation is, over today's chip of its line, or when it comes [s]."""
    line, last = leading_line(case, quantity.about), scenarios.tree.leaves
    terms = scenarios.values.lines[stated(line).name]
    ones = np.ones((quantity.generation, scenarios.tree.size))

    def each(values: Array | None) -> Array:
        return (ones if values is None else values[:quantity.generation])[:, last]

    part = quantity.name.rpartition(".")[2]
    if part == "first_volume":
        first, gap = stated(terms.successor_first)[last], stated(terms.successor_gap)[last]
        slips = each(terms.successor_slip)
        return np.asarray(first * slips[0] + gap * slips[1:].sum(axis=0) - _into(case))
    if part == "gain":
        return np.asarray(stated(terms.successor_gain)[last] ** quantity.generation
                          * each(terms.successor_gain_spread).prod(axis=0))
    factor = terms.successor_price if part == "price" else terms.successor_power
    return np.asarray(stated(factor)[last] ** quantity.generation)


def _into(case: Case) -> float:
    """Time from the first day of the case's first quarter to the day of the case [s]."""
    return float((case.as_of - case.first_quarter.first_day).days * DAY_S)
