"""What a way forecasts of its own fleet and spend, path by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabless.backtest.quantities import Quantity
from fabless.case_records import Case
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.records import Array, Chip
from fabless.strategy.offers import peak_16_bit
from fabless.titles import IN_PLACE

MEASURE = "h100-sxm"
"""Chip by whose dense 16-bit rate fleets are counted."""


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
    if kind == "training_flop":
        rows = [k for k, name in enumerate(way.loads)
                if not way.is_query[k] and quantity.about in ("", name)]
        return np.asarray(way.served[rows].sum(axis=0)), None
    if kind in ("fleet_h100e", "vendor_share"):
        equivalents = way.peak / peak_16_bit(paths.measure)
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
        return np.asarray(way.revenue.sum(axis=0)), None
    return way.query_cash, way.queries if kind == "cost_per_query" else None


def _vendors(case: Case) -> Mapping[str, str]:
    """Vendor of the chips behind every line of a way, in lower case, by its key."""
    vendors = {IN_PLACE: case.existing_vendor}
    vendors |= {line.name: line.vendor for line in case.lines}
    vendors |= {item.name: item.chip.vendor for item in case.programmes}
    vendors |= {item.name: item.vendor for item in case.contracts if item.line is None}
    return {name: vendor.lower() for name, vendor in vendors.items()}
