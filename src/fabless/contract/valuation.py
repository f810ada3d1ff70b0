"""Cost and worth of a contract on paths of need and spot price, in one way for every kind.

A contract is one or more parts: a volume a quarter, of which a share is firm, at a price, with a
penalty on firm units not taken. Each quarter the need is served from the cheapest source first:
firm units (at the price less the penalty that taking them saves), optional units at the price, spot
up to what it has, and what is left goes unserved at a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array
from fabless.tco import discount_factor
from fabless.units import QUARTER_S

_FEW = 1e-100
"""Number of units below which none counts as taken; dividing by less overflows."""


class ContractUnit(StrEnum):
    """Unit that a contract counts."""

    CHIP = "chip"
    """A chip delivered, then owned."""
    CHIP_QUARTER = "chip-quarter"
    """A chip in use for a quarter."""


@dataclass(frozen=True, eq=False)
class ContractOutlook:
    """Need and prices that a contract meets; arrays broadcast to (paths, quarters)."""

    need: Array
    """Units wanted in each quarter."""
    spot_usd: ArrayLike
    """Price of a unit without the contract."""
    spot_cap: ArrayLike = np.inf
    """Largest number of units per quarter available without the contract."""
    unmet_usd: ArrayLike = 0.0
    """Loss per missing unit; counts only if `spot_cap` binds."""
    share_usd: ArrayLike | None = None
    """Price of the vendor's share, for warrants."""

    def __post_init__(self) -> None:
        require(
            "outlook", Bound("need", self.need, 0, 1e15, "give units a quarter"),
            Bound("spot_usd", self.spot_usd, 0, 1e15, "give USD a unit"),
            Bound("spot_cap", self.spot_cap, 0, np.inf, "give units a quarter", unbounded=True),
            Bound("unmet_usd", self.unmet_usd, 0, 1e15, "give USD a unit"),
            Bound(
                "share_usd", 0.0 if self.share_usd is None else self.share_usd, 0, 1e12,
                "give USD a share",
            ),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Paths and quarters."""
        parts = (
            self.need, self.spot_usd, self.spot_cap, self.unmet_usd,
            0.0 if self.share_usd is None else self.share_usd,
        )
        shape = np.broadcast_shapes(*(np.shape(part) for part in parts))
        return (1, 1, *shape)[-2], (1, *shape)[-1]


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """One price of a contract; numbers, or arrays (paths, 1)."""

    name: str
    volume: ArrayLike
    """Largest number of units per quarter at the full level."""
    price_usd: ArrayLike
    """Price per unit taken."""
    firm_share: ArrayLike = 0.0
    """Smallest take as a share of the volume."""
    penalty_usd: ArrayLike = 0.0
    """Penalty per firm unit not taken."""
    fee_usd: ArrayLike = 0.0
    """Fee at signing, per unit of volume per quarter."""
    spot_multiple: ArrayLike = 0.0
    """Multiple of the spot price of the quarter, on top of `price_usd`."""


class ValuedContract(Protocol):
    """Interface of every kind of contract, for valuation and plan."""

    @property
    def name(self) -> str:
        """Name of the contract."""

    @property
    def unit(self) -> ContractUnit:
        """Unit that the contract counts."""

    @property
    def rebated(self) -> bool:
        """Whether money may come back to the buyer."""

    @property
    def signed_quarter(self) -> int:
        """Quarter of signing, 0 the first."""

    @property
    def start_quarter(self) -> int:
        """First quarter of delivery."""

    @property
    def tenor_quarters(self) -> int:
        """Quarters of delivery."""

    @property
    def lead_quarters(self) -> int:
        """Quarters from call-off to delivery."""

    def parts(self) -> tuple[Part, ...]:
        """Parts of the contract: prices and volumes."""

    def rebates(self, taken: Array, outlook: ContractOutlook) -> Array:
        """Money that comes back to the buyer in each quarter, from units taken (paths, quarters)
        [USD]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Valuation:
    """A contract valued on paths; arrays have one value per path, present values in real USD."""

    name: str
    unit: ContractUnit
    paid_usd: Array
    """Payment under the contract, less rebates."""
    rebate_usd: Array
    """Rebates deducted from `paid_usd`: warrants, equity, tiers."""
    taken: Array
    """Units taken under the contract."""
    usd_per_unit: Array
    """Payment per unit taken, both discounted; NaN if none is taken."""
    cost_usd: Array
    """Cost of the whole need with the contract: payment, spot purchases and missing units."""
    without_usd: Array
    """Cost of the whole need without the contract."""
    served_usd_per_unit: Array
    """Cost of the whole need per unit served, both discounted."""
    missing: Array
    """Units that neither contract nor spot market can supply."""
    firm_usd: Array
    """Smallest payment due, however little is taken."""
    firm_units: Array
    """Units that are firm over the tenor."""
    most_units: Array
    """Units that may be taken over the tenor."""

    @property
    def value_usd(self) -> Array:
        """Saving by the contract: cost without it less cost with it."""
        return self.without_usd - self.cost_usd


def quarter_discount(quarters: int, real_rate: float) -> Array:
    """Discount factors of the middles of the quarters, as plans count them (quarters,)."""
    return discount_factor(real_rate, (np.arange(quarters) + 0.5) * QUARTER_S)


def value(contract: ValuedContract, outlook: ContractOutlook, real_rate: float) -> Valuation:
    """Present value of a contract to its buyer at a real rate per year, path by path.

    What is due in a quarter is discounted from its middle, the fee from the middle of the quarter
    of signing. The take counts no rebate and looks at no other quarter, so that a buyer who plans
    ahead does at least as well. Deliveries past the last quarter of the outlook are left out, and
    the fee in proportion.
    """
    paths, quarters = outlook.shape
    discount = quarter_discount(quarters, real_rate)
    need, spot, cap, unmet = (np.broadcast_to(number(x), (paths, quarters)) for x in (
        outlook.need, outlook.spot_usd, outlook.spot_cap, outlook.unmet_usd))
    inside = _inside(contract, quarters)
    parts = contract.parts()
    sources: list[tuple[Array, Array]] = []
    for part in parts:
        price = number(part.price_usd) + number(part.spot_multiple) * spot
        volume = number(part.volume) * inside
        firm = volume * number(part.firm_share)
        sources += [(firm, price - number(part.penalty_usd)), (volume - firm, price)]
    loss = np.where(np.isinf(cap), np.inf, unmet)
    takes = _fill(need, [*sources, (cap, spot)], loss)
    fees = _fees(contract, parts, quarters) * discount[min(contract.signed_quarter, quarters - 1)]
    cash, firm_cash = np.zeros((paths, quarters)), np.zeros((paths, quarters))
    for k, part in enumerate(parts):
        firm, price = sources[2 * k][0], sources[2 * k + 1][1]
        units, short = takes[2 * k] + takes[2 * k + 1], firm - takes[2 * k]
        cash = cash + price * units + number(part.penalty_usd) * short
        firm_cash = firm_cash + np.minimum(price, number(part.penalty_usd)) * firm
    taken = sum(takes[: 2 * len(parts)], np.zeros((paths, quarters)))
    rebate = np.broadcast_to(contract.rebates(taken, outlook), (paths, quarters))
    missing = need - taken - takes[-1]
    elsewhere = spot * takes[-1] + np.where(missing > 0.0, unmet, 0.0) * missing
    bare = _fill(need, [(cap, spot)], loss)[0]
    without = spot * bare + np.where(need > bare, unmet, 0.0) * (need - bare)
    paid = fees + (cash - rebate) @ discount
    cost = paid + elsewhere @ discount
    whole = np.ones((paths, quarters))
    return Valuation(
        name=contract.name, unit=contract.unit, paid_usd=paid, rebate_usd=rebate @ discount,
        taken=taken.sum(axis=1), usd_per_unit=_over(paid, taken @ discount), cost_usd=cost,
        without_usd=without @ discount,
        served_usd_per_unit=_over(cost, (need - missing) @ discount), missing=missing.sum(axis=1),
        firm_usd=fees + firm_cash @ discount,
        firm_units=sum((whole * firm for firm, _ in sources[::2]), np.zeros_like(whole)).sum(
            axis=1
        ),
        most_units=sum((whole * units for units, _ in sources), np.zeros_like(whole)).sum(axis=1),
    )


def cash_flows(contract: ValuedContract, taken: ArrayLike, outlook: ContractOutlook) -> Array:
    """Money that the buyer pays in each quarter for units taken, rebates off, (paths, quarters)
    [USD, undiscounted].

    Parameters: `taken` [unit] broadcasts to (paths, quarters), at most the volume; parts are used in their order. The
    fee falls in the quarter of signing. Raises `BadValue` on a take above the volume or outside the
    tenor.
    """
    paths, quarters = outlook.shape
    units = np.broadcast_to(number(taken), (paths, quarters))
    spot = np.broadcast_to(number(outlook.spot_usd), (paths, quarters))
    left, cash = units.copy(), np.zeros((paths, quarters))
    for part in contract.parts():
        volume = number(part.volume) * _inside(contract, quarters)
        part_units = np.minimum(left, volume)
        left = left - part_units
        price = number(part.price_usd) + number(part.spot_multiple) * spot
        cash += price * part_units + number(part.penalty_usd) * np.maximum(
            number(part.firm_share) * volume - part_units, 0.0
        )
    require(
        f"contract {contract.name}",
        Bound(
            "taken above the volume", left, -1e300, 1e-9 * (1.0 + units.max()),
            "take at most the volume, within the tenor",
        ),
    )
    cash[:, min(contract.signed_quarter, quarters - 1)] += _fees(
        contract, contract.parts(), quarters
    )
    return np.asarray(cash - contract.rebates(units, outlook))


def _inside(contract: ValuedContract, quarters: int) -> Array:
    """1 in quarters of delivery, else 0."""
    q = np.arange(quarters)
    return (
        (q >= contract.start_quarter) & (q < contract.start_quarter + contract.tenor_quarters)
    ).astype(float)


def _fees(contract: ValuedContract, parts: Sequence[Part], quarters: int) -> Array:
    """Fee at signing [USD], in proportion to the quarters of delivery within the outlook."""
    share = _inside(contract, quarters).sum() / contract.tenor_quarters
    total = sum((number(part.fee_usd) * number(part.volume) for part in parts), np.zeros(()))
    return np.asarray(share * total).reshape(-1)


def _fill(need: Array, sources: Sequence[tuple[Array, Array]], loss: Array) -> list[Array]:
    """Take of each source (capacity, cost a unit) that serves the need cheapest; what costs more
    than the loss is left."""
    shape = need.shape
    caps = np.stack([np.broadcast_to(cap, shape) for cap, _ in sources])
    costs = np.stack([np.broadcast_to(cost, shape) for _, cost in sources])
    order = np.argsort(costs, axis=0, kind="stable")
    usable = np.where(costs <= loss, caps, 0.0)
    takes, left = np.zeros_like(caps), need.astype(float)
    for rank in range(len(sources)):
        at = order[rank][None]
        take = np.minimum(np.take_along_axis(usable, at, 0)[0], left)
        np.put_along_axis(takes, at, take[None], 0)
        left = left - take
    return list(takes)


def _over(money: Array, units: Array) -> Array:
    out = np.full(np.shape(money + units), np.nan)
    return np.asarray(np.divide(money, units, out=out, where=units > _FEW))
