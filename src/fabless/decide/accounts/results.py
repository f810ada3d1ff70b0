"""What the accounts say: frozen records that report and web print as they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SpendRow:
    """What is paid for one load to one vendor in one year, expected over the fresh paths."""

    load: str
    vendor: str
    tenure: str
    """own | rent | software | programme"""
    year: int
    usd: float
    """Paid in that year, USD of the price year, not discounted."""
    discounted_usd: float
    """Its present value; the rows of a way add up to its `cash_usd`."""


@dataclass(frozen=True, kw_only=True)
class BridgeRow:
    """One step of a sum that leads from one number to another."""

    part: str
    """Key of the step: of `HEADLINE_PARTS` or `DIFFERENCE_PARTS`, or the name of a load."""
    usd: float
    how: str
    """What the step holds, for people."""


@dataclass(frozen=True, kw_only=True)
class Margin:
    """What the queries bring in and cost, of the loads whose revenue the case states.

    Means over the fresh paths, present values in USD of the price year. No way is judged by it.
    """

    loads: tuple[str, ...]
    """Loads of queries that are counted."""
    revenue_usd: float
    """Queries served at what each brings in, which falls by `demand.value_decline`."""
    query_cash_usd: float
    """Cash for those loads, second software stacks and chip programmes shared as the chips are."""
    margin_usd: float
    """Revenue less cash."""
    error_usd: float
    """Standard error of the margin, path by path."""


@dataclass(frozen=True, kw_only=True)
class Money:
    """What a way costs in all: cash, unserved demand and risk add up to the total by which ways are
    ranked.

    Means over the fresh paths, present values in USD of the price year; each error is a standard
    error of the mean.
    """

    cash_usd: float
    cash_error_usd: float
    unserved_usd: float
    """Unserved demand at the price that the case states for it: no money is paid."""
    unserved_error_usd: float
    risk_usd: float
    """Weight of the risk times the distance of the mean of the worst paths from the mean: no money
    is paid."""
    total_usd: float
    total_error_usd: float
    headline: tuple[BridgeRow, ...]
    """From the median cost of a query times the queries served to the total, step by step."""
    spend: tuple[SpendRow, ...]
    margin: Margin | None
    """None where the case states no revenue."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """One way against another on the same fresh paths."""

    way: str
    other: str
    difference_usd: float
    """Total of the way less that of the other: negative where the way is cheaper."""
    error_usd: float
    """Standard error of the difference: path by path, and `plan_error_usd`."""
    cash_usd: float
    unserved_usd: float
    risk_usd: float
    """Cash, unserved demand and risk of the way less those of the other; they add up to
    `difference_usd`."""
    decides: str
    """Part of the total that the difference is mostly made of: cash | unserved | risk."""
    cheaper_share: float
    """Share of the paths on which the way costs less, unserved demand included."""
    bridge: tuple[BridgeRow, ...]
    """The difference by cause; the rows add up to it, in whatever order they are taken."""
    plan_error_usd: float = 0.0
    """Part of the error that comes of the tree: that another one might carry on a programme that
    this one gives up, or the other way round; 0 where neither way commits to one."""

    @property
    def is_tie(self) -> bool:
        """Whether the two cannot be told apart: the difference is within two standard errors."""
        return abs(self.difference_usd) <= 2.0 * self.error_usd
