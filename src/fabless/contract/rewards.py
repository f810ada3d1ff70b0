"""Contracts in which money comes back with volume: warrants, the vendor's equity, tiers of
price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fabless.case_records import Tier, Tranche, tier_faults, tranche_faults
from fabless.checks import Bound, number
from fabless.contract.kinds import TakeOrPay
from fabless.contract.valuation import ContractOutlook
from fabless.errors import BadValue, Fault
from fabless.records import Array

_MOST_USD = 1e13


@dataclass(frozen=True, eq=False, kw_only=True)
class Warrants(TakeOrPay):
    """A purchase for which the vendor grants warrants on its shares, vesting with volume and share
    price.

    A tranche is worth ``shares * max(share price - exercise price, 0)`` in the first quarter in
    which its units have been taken and the share price is at its hurdle or above, before expiry.
    That is its worth to a holder who sells then; an exercise price near 0 leaves no time value.
    Share paths that drift at the discount rate give a market value.
    """

    kind: ClassVar[str] = "warrants"
    said: ClassVar[str] = "a purchase that earns the vendor's shares as volume and share price rise"
    needs: ClassVar[tuple[str, ...]] = ("price", "tranches", "exercise_price")
    may: ClassVar[tuple[str, ...]] = ("firm_share", "penalty_share", "expiry")

    firm_share: ArrayLike = 0.0
    rebated: ClassVar[bool] = True
    tranches: tuple[Tranche, ...] = ()
    exercise_price_usd: ArrayLike = 0.01
    expiry_quarters: int = 400
    """Quarters from signing in which tranches may vest."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound(
                "exercise_price_usd", self.exercise_price_usd, 0, 1e9, "give USD a share, 0 or more"
            ),
            Bound(
                "expiry_quarters", self.expiry_quarters, 1, 4000,
                "give quarters from signing, 1 or more",
            ),
            Bound(
                "tranches.shares", [t.shares for t in self.tranches], 0, 1e15,
                "give shares above 0", open_low=True,
            ),
            Bound(
                "tranches.units", [t.units for t in self.tranches], 0, 1e15, "give units, 0 or more"
            ),
            Bound(
                "tranches.hurdle_usd", [t.hurdle_usd for t in self.tranches], 0, 1e9,
                "give USD a share, 0 or more",
            ),
        )

    def _faults(self) -> list[Fault]:
        if not self.tranches:
            return [Fault(f"contract {self.name}: tranches", "none", "one or more", "give shares, units and hurdle of each")]
        return tranche_faults(f"contract {self.name}: tranches", self.tranches)

    def rebates(self, taken: Array, outlook: ContractOutlook) -> Array:
        """Worth of the tranches in the quarters in which they vest."""
        if outlook.share_usd is None:
            raise BadValue(
                Fault(
                    f"{self.name}: share price", "missing", "a path of the vendor's share price",
                    "give the outlook the share price: warrants are worth nothing without one",
                )
            )
        share = np.broadcast_to(number(outlook.share_usd), taken.shape)
        bought = np.cumsum(taken, axis=1) * (1.0 + 1e-12)
        quarter = np.arange(taken.shape[1])
        alive = (quarter >= self.signed_quarter) & (quarter < self.signed_quarter + self.expiry_quarters)
        worth = np.zeros(taken.shape)
        for tranche in self.tranches:
            open_ = (bought >= tranche.units) & (share >= tranche.hurdle_usd) & alive
            first = open_ & (np.cumsum(open_, axis=1) == 1)
            worth += first * tranche.shares * np.maximum(share - number(self.exercise_price_usd), 0.0)
        return worth


@dataclass(frozen=True, eq=False, kw_only=True)
class VendorEquity(TakeOrPay):
    """A purchase towards which the vendor buys shares of the buyer, in step with the units taken.

    Money that comes back for shares at their fair worth is financing and worth nothing by itself;
    what the vendor pays above it is a rebate: ``investment / units * (1 - fair / valuation)`` a
    unit.
    """

    kind: ClassVar[str] = "vendor-equity"
    said: ClassVar[str] = "a purchase towards which the vendor buys shares of the buyer: circular money"
    needs: ClassVar[tuple[str, ...]] = ("price", "investment", "valuation")
    may: ClassVar[tuple[str, ...]] = ("firm_share", "penalty_share", "fair_valuation")

    firm_share: ArrayLike = 0.0
    rebated: ClassVar[bool] = True
    investment_usd: ArrayLike = 0.0
    """Investment for the whole volume of the tenor."""
    valuation_usd: ArrayLike = 1.0
    """Worth of the buyer at which the vendor gets its shares, money included."""
    fair_valuation_usd: ArrayLike | None = None
    """Fair worth of the buyer; that of `valuation_usd` if not stated."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound("investment_usd", self.investment_usd, 0, _MOST_USD, "give USD, 0 or more"),
            Bound("valuation_usd", self.valuation_usd, 0, 1e15, "give USD above 0", open_low=True),
            Bound("fair_valuation_usd", self._fair, 0, 1e15, "give USD, 0 or more"),
        )

    @property
    def _fair(self) -> Array:
        return number(self.valuation_usd if self.fair_valuation_usd is None else self.fair_valuation_usd)

    @property
    def usd_per_unit(self) -> Array:
        """Worth of the deal to the buyer per unit taken [USD]."""
        return np.asarray(number(self.investment_usd) / self._units * (1.0 - self._fair / number(self.valuation_usd)))

    @property
    def _units(self) -> Array:
        return number(self.volume) * self.tenor_quarters

    def rebates(self, taken: Array, outlook: ContractOutlook) -> Array:
        """Money for shares less what the shares are worth, in step with the take."""
        return np.asarray(self.usd_per_unit * taken)


@dataclass(frozen=True, eq=False, kw_only=True)
class VolumeDiscount(TakeOrPay):
    """A price that falls with the units taken in all: on the units above each threshold, or on all
    units."""

    kind: ClassVar[str] = "volume-discount"
    said: ClassVar[str] = "a price that falls in tiers with the units taken in all"
    needs: ClassVar[tuple[str, ...]] = ("price", "tiers")
    may: ClassVar[tuple[str, ...]] = ("firm_share", "penalty_share", "on_all")

    firm_share: ArrayLike = 0.0
    rebated: ClassVar[bool] = True
    tiers: tuple[Tier, ...] = ()
    on_all: bool = False
    """Whether reaching a tier also lowers the price of the units before it."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound(
                "tiers.units", [t.units for t in self.tiers], 0, 1e15, "give units above 0",
                open_low=True,
            ),
            Bound(
                "tiers.price_usd", [t.price_usd for t in self.tiers], 0, _MOST_USD,
                "give USD a unit, 0 or more",
            ),
        )

    def _faults(self) -> list[Fault]:
        if not self.tiers:
            return [Fault(f"contract {self.name}: tiers", "none", "one or more", "give units and price of each tier")]
        return tier_faults(f"contract {self.name}: tiers", float(np.min(number(self.price_usd))), self.tiers)

    def rebates(self, taken: Array, outlook: ContractOutlook) -> Array:
        """Reduction by the tiers of the price of each quarter's units."""
        bought = np.cumsum(taken, axis=1)
        base = number(self.price_usd)
        if self.on_all:
            reached = np.zeros(taken.shape)
            for tier in self.tiers:
                reached = np.where(bought >= tier.units * (1.0 - 1e-12), base - tier.price_usd, reached)
            return np.asarray(np.diff(reached * bought, axis=1, prepend=0.0))
        off, price = np.zeros(taken.shape), base
        for tier in self.tiers:
            off = off + (price - tier.price_usd) * np.maximum(bought - tier.units, 0.0)
            price = number(tier.price_usd)
        return np.asarray(np.diff(off, axis=1, prepend=0.0))
