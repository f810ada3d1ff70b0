"""The fresh paths as futures that a reader can point at: what a query costs in each under every
way, what kind of future it is, and how a few of them run."""

from __future__ import annotations

from dataclasses import dataclass

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
    """Mean over the queries served, read and written together."""
    queries_per_mw_year: tuple[float, ...]
    """Queries served for each MW-year that the fleet draws; what trains counts with the fleet."""
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
    """Last quarter in which supply is scarce; empty where it never is; (paths,)."""
    ways: tuple[WayFutures, ...]
    shown: tuple[tuple[str, int], ...]
    """Key of a future (cheap | middle | dear) and its path: the tenth, the middle and the ninetieth
    hundredth of the recommended way's cost of a query."""
    years: tuple[int, ...]
    courses: tuple[Course, ...]
    """Every way in every shown future."""
