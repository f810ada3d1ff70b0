"""The fresh paths as futures that a reader can point at: what a query costs in each under every
way, what kind of future it is, and how a few of them run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabless.case_records import Case
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.ways.paths import calendar
from fabless.records import Array
from fabless.units import QUARTER_S, YEAR_S

DOTS = 20
"""Futures that stand for all in a picture, each for one in twenty."""


@dataclass(frozen=True, kw_only=True)
class WayFutures:
    """One way in every future; all tuples are (paths,)."""

    way: str
    cost_per_query_usd: tuple[float, ...]
    """Levelised cost of a served query."""
    is_short: tuple[bool, ...]
    """Whether more than the tolerated share of the compute demanded is missing."""
    tokens_per_query: tuple[float, ...]
    """Mean over the queries served, discounted as the cost is; read and written together."""
    queries_per_mw_year: tuple[float, ...]
    """Queries served for each MW-year of rated power of the chips that serve them, servers and
    cooling included; power is shared between loads as the chips' cost is. Discounted like the cost,
    so that their product is USD a MW-year."""
    dots: tuple[int, ...]
    """Futures at the quantiles 2.5 %, 7.5 % ... 97.5 % of the cost of a query, cheapest first."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How one future runs under one way."""

    way: str
    future: str
    """cheap | middle | dear: key of a future of `Futures.shown`."""
    wanted: tuple[float, ...]
    """Compute demanded by quarter, in chips of the first day's fleet."""
    missing: tuple[float, ...]
    """Compute missing by quarter, same unit: the lines of `compute` and it add up to `wanted`."""
    compute: tuple[tuple[str, tuple[float, ...]], ...]
    """Line, compute served by it by quarter; lines that serve nothing are left out."""
    spend_usd: tuple[tuple[str, tuple[float, ...]], ...]
    """Line, ``software`` or ``programme``, and what is paid for it by year, not discounted."""
    cost_per_query_usd: tuple[float, ...]
    """Cost of a query served in each year."""


@dataclass(frozen=True, kw_only=True)
class Futures:
    """Every fresh path as a future."""

    paths: int
    demand: tuple[str, ...]
    """high | middle | low, by thirds of the queries asked over the horizon; (paths,)."""
    scarce_until: tuple[str, ...]
    """Last quarter of the scarcity of the first day; empty where supply is not scarce then;
    (paths,)."""
    ways: tuple[WayFutures, ...]
    shown: tuple[tuple[str, int], ...]
    """Key of a future (cheap | middle | dear) and its path: the tenth, the middle and the ninetieth
    hundredth of the recommended way's cost of a query."""
    years: tuple[int, ...]
    courses: tuple[Course, ...]
    """Every way in every shown future."""


SHOWN = (("cheap", 0.1), ("middle", 0.5), ("dear", 0.9))
"""Futures whose course is kept: key, and quantile of the recommended way's cost of a query."""
MW = 1e6


def futures_of(case: Case, ways: Mapping[str, WayOnPaths], recommended: str) -> Futures:
    """Read the fresh paths of all ways as futures."""
    best = ways[recommended]
    order = np.argsort(best.query_cost_usd, kind="stable")
    shown = tuple((key, int(order[_place(share, order.size)])) for key, share in SHOWN)
    return Futures(
        paths=order.size, demand=_demand(best),
        scarce_until=tuple(_scarce_until(case, row) for row in best.scarce),
        ways=tuple(_way_futures(case, name, way) for name, way in ways.items()), shown=shown,
        years=tuple(year for year, _ in calendar(case)),
        courses=tuple(_course(case, name, way, key, path)
                      for name, way in ways.items() for key, path in shown),
    )


def _place(share: float, count: int) -> int:
    """Place of a quantile among so many sorted values: the first below which, itself included, at
    least that share lies."""
    return max(math.ceil(share * count - 1e-9) - 1, 0)


def _demand(way: WayOnPaths) -> tuple[str, ...]:
    asked = (way.queries + way.unserved_queries).sum(axis=1)
    low, high = np.quantile(asked, (1 / 3, 2 / 3))
    return tuple("high" if item > high else "low" if item < low else "middle" for item in asked)


def _scarce_until(case: Case, scarce: Array) -> str:
    eased = np.flatnonzero(scarce <= 0.5)
    quarters = int(eased[0]) if eased.size else scarce.size
    return str(case.first_quarter + (quarters - 1)) if quarters else ""


def _way_futures(case: Case, name: str, way: WayOnPaths) -> WayFutures:
    cost = way.query_cost_usd
    order = np.argsort(cost, kind="stable")
    served = way.served @ way.discount
    tokens = np.array([load.request.input_tokens + load.request.output_tokens if load.request else 0.0
                       for load in case.loads])
    queries = np.maximum(way.queries @ way.discount, 1e-9)
    serving = np.tensordot(way.is_query, way.load_share, axes=1)
    energy = (way.power * serving) @ way.discount * (QUARTER_S / YEAR_S) / MW
    return WayFutures(
        way=name, cost_per_query_usd=tuple(map(float, cost)),
        is_short=tuple(map(bool, way.missing_share > case.tolerated_shortage)),
        tokens_per_query=tuple(map(float, (way.is_query * tokens) @ served / queries)),
        queries_per_mw_year=tuple(map(float, queries / np.maximum(energy, 1e-30))),
        dots=tuple(int(order[_place((k + 0.5) / DOTS, order.size)]) for k in range(DOTS)),
    )


def _course(case: Case, name: str, way: WayOnPaths, future: str, path: int) -> Course:
    years = calendar(case)

    def by_year(values: Array) -> tuple[float, ...]:
        return tuple(float(values[year].sum()) for _, year in years)

    spend = [(line, by_year(way.spend[k, path])) for k, line in enumerate(way.lines)]
    spend += [("software", by_year(way.ports[:, path].sum(axis=0))),
              ("programme", by_year(way.programme[path]))]
    return Course(
        way=name, future=future, wanted=tuple(map(float, way.wanted[path])),
        missing=tuple(map(float, way.missing[path])),
        compute=tuple((line, tuple(map(float, way.compute[k, path])))
                      for k, line in enumerate(way.lines) if way.compute[k, path].any()),
        spend_usd=tuple((key, values) for key, values in spend if any(values)),
        cost_per_query_usd=tuple(map(float, way.query_cost_by_year(case)[path])),
    )
