"""What a way forecasts of its own fleet and spend, path by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabless.backtest.quantities import Quantity
from fabless.case_numbers import QueryNumbers
from fabless.case_records import Case
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.market import price_path_usd
from fabless.records import Array, Chip
from fabless.titles import IN_PLACE

MEASURE = "h100-sxm"
"""Chip by whose dense 16-bit rate fleets are counted."""
_SIXTEEN_BITS = ("bf16", "fp16")


@dataclass(frozen=True, eq=False)
class OnPaths:
    """A way on fresh paths, with what it takes to read it."""

    case: Case
    way: WayOnPaths
    measure: Chip
    """Chip by which fleets are counted."""


def way_series(paths: OnPaths, quantity: Quantity) -> tuple[Array, Array | None]:
    """A quantity on every path and quarter (N, Q) [SI], and what it is divided by, if anything."""
    way, kind = paths.way, quantity.kind
    training = way.is_query == 0
    if kind == "training_flop":
        rows = [k for k, name in enumerate(way.loads) if training[k] and quantity.about in ("", name)]
        return np.asarray(way.served[rows].sum(axis=0)), None
    if kind in ("fleet_h100e", "vendor_share"):
        equivalents = h100_equivalents(paths)
        whole = equivalents.sum(axis=0)
        if not quantity.about:
            return whole, None
        vendor = _vendors(paths.case)
        of_vendor = equivalents[[vendor[line] == quantity.about for line in way.lines]].sum(axis=0)
        return of_vendor, whole if kind == "vendor_share" else None
    if kind == "compute_spend":
        return way.cash, None
    if kind == "training_spend":
        return way.cash - way.query_cash, None
    if kind == "revenue":
        return _revenue(paths), None
    return way.query_cash, way.queries if kind == "cost_per_query" else None


def h100_equivalents(paths: OnPaths) -> Array:
    """Dense 16-bit rate of the chips in service over that of one H100 (lines, N, Q)."""
    rates = _rates(paths.case)
    of_line = [rates[line] / sixteen_bit_rate(paths.measure) for line in paths.way.lines]
    return np.asarray(paths.way.chips * np.reshape(of_line, (-1, 1, 1)))


def _revenue(paths: OnPaths) -> Array:
    """What the served queries bring in (N, Q) [USD]: of each load the revenue that the case states,
    which falls as the worth of queries does."""
    way, demand = paths.way, paths.case.numbers.demand
    total = np.zeros(way.cash.shape)
    decline = way.values.get(demand.value_decline.name, np.asarray(demand.value_decline.spread.mode))
    quarters = np.arange(way.discount.size)
    worth = price_path_usd(1.0, np.reshape(decline, (-1, 1)), quarters)
    for name, served in zip(way.loads, way.served, strict=True):
        terms = paths.case.numbers.loads[name]
        if isinstance(terms, QueryNumbers) and terms.revenue is not None:
            each = way.values.get(terms.revenue.name, np.asarray(terms.revenue.spread.mode))
            total += np.reshape(each, (-1, 1)) * served * worth
    return total


def sixteen_bit_rate(chip: Chip) -> float:
    """Dense rate of a chip at 16 bits [FLOP/s], the faster format of the two."""
    return max(chip.peak_flops.get(name, 0.0) for name in _SIXTEEN_BITS)


def _chips(case: Case) -> Mapping[str, tuple[Chip, str]]:
    """Chip and vendor behind every line of a way, by its key."""
    of_line: dict[str, tuple[Chip, str]] = {
        IN_PLACE: (case.existing_chip, case.existing_vendor)}
    of_line |= {line.name: (line.chip, line.vendor) for line in case.lines}
    of_line |= {item.name: (item.chip, item.chip.vendor) for item in case.programmes}
    of_line |= {item.name: (item.made, item.vendor) for item in case.contracts if item.made is not None}
    return of_line


def _rates(case: Case) -> dict[str, float]:
    return {name: sixteen_bit_rate(chip) for name, (chip, _) in _chips(case).items()}


def _vendors(case: Case) -> dict[str, str]:
    return {name: vendor.lower() for name, (_, vendor) in _chips(case).items()}
