"""The plain kinds of contract: one frozen record each, made of prices, volumes and dates.

Every kind knows its volume a quarter, its first quarter, its tenor and its price; units are chips
delivered or chips in use for a quarter. Numbers may be arrays (paths, 1). A fault of any field is
found when the record is made.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number
from fabless.contract.valuation import ContractOutlook, ContractUnit, Part
from fabless.errors import BadValue, Fault
from fabless.records import Array

_MOST_USD = 1e13


@dataclass(frozen=True, eq=False)
class Purchase:
    """Take what is wanted up to a volume, at a price: nothing is firm."""

    kind: ClassVar[str] = "purchase"
    """Its name in files."""
    said: ClassVar[str] = "take what is wanted up to a volume, at a price; nothing is firm"
    needs: ClassVar[tuple[str, ...]] = ("price",)
    """Terms that a file must state beside volume and dates: fields without their unit."""
    may: ClassVar[tuple[str, ...]] = ()
    """Terms that it may state."""

    name: str
    volume: ArrayLike
    """Largest number of units per quarter."""
    price_usd: ArrayLike
    """Price per unit taken."""
    _: KW_ONLY
    unit: ContractUnit = ContractUnit.CHIP
    tenor_quarters: int = 1
    start_quarter: int = 0
    signed_quarter: int = 0
    lead_quarters: int = 0
    rebated: ClassVar[bool] = False
    """Whether money may come back to the buyer."""

    def __post_init__(self) -> None:
        faults = [fault for bound in self._bounds() if (fault := bound.fault(f"contract {self.name}")) is not None]
        faults += self._faults()
        if faults:
            raise BadValue(*faults)

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            Bound("volume", self.volume, 0, 1e12, "give units a quarter"),
            Bound("price_usd", self.price_usd, 0, _MOST_USD, "give USD a unit, 0 or more"),
            Bound(
                "tenor_quarters", self.tenor_quarters, 1, 400,
                "a contract delivers in one quarter or more",
            ),
            Bound(
                "signed_quarter", self.signed_quarter, 0, 400,
                "count quarters from the first one, 0",
            ),
            Bound(
                "start_quarter", self.start_quarter, self.signed_quarter, 400,
                "deliveries start at the signing or later",
            ),
            Bound(
                "lead_quarters", self.lead_quarters, 0, 400,
                "give quarters from call-off to delivery",
            ),
        )

    def _faults(self) -> list[Fault]:
        return []

    def parts(self) -> tuple[Part, ...]:
        """One price for any volume."""
        return (Part(name=self.name, volume=self.volume, price_usd=self.price_usd),)

    def rebates(self, taken: Array, outlook: ContractOutlook) -> Array:
        """No money comes back."""
        return np.zeros(taken.shape)


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepayment(Purchase):
    """Pay a share of the whole volume at signing for a place in the queue: off the price when
    taken, else lost."""

    kind: ClassVar[str] = "prepayment"
    said: ClassVar[str] = "pay part of the whole volume at signing for a place in the queue; unused it is lost"
    needs: ClassVar[tuple[str, ...]] = ("price", "prepaid_share")
    may: ClassVar[tuple[str, ...]] = ()

    prepaid_share: ArrayLike = 1.0

    def _bounds(self) -> tuple[Bound, ...]:
        return (*super()._bounds(), Bound("prepaid_share", self.prepaid_share, 0, 1, "give the share of the price"))

    def parts(self) -> tuple[Part, ...]:
        """The price less what was prepaid, and the prepayment for every unit of the tenor as a
        fee."""
        price, share = number(self.price_usd), number(self.prepaid_share)
        return (Part(
            name=self.name, volume=self.volume, price_usd=price * (1.0 - share),
            fee_usd=price * share * self.tenor_quarters),)


@dataclass(frozen=True, eq=False, kw_only=True)
class TakeOrPay(Purchase):
    """Take a firm share of the volume every quarter, or pay a share of the price for each unit not
    taken.

    A penalty above the price is refused: it would pay to take units and leave them idle.
    """

    kind: ClassVar[str] = "take-or-pay"
    said: ClassVar[str] = "take a firm share every quarter, or pay a share of the price for what is not taken"
    needs: ClassVar[tuple[str, ...]] = ("price", "firm_share")
    may: ClassVar[tuple[str, ...]] = ("penalty_share",)

    firm_share: ArrayLike = 1.0
    penalty_share: ArrayLike = 1.0
    """Penalty per firm unit not taken, as a share of the price."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound("firm_share", self.firm_share, 0, 1, "give the share of the volume"),
            Bound(
                "penalty_share", self.penalty_share, 0, 1,
                "above the price it would pay to take units and leave "
                "them idle: give the share of the price that refusing a unit costs",
            ),
        )

    def parts(self) -> tuple[Part, ...]:
        """One price with a firm share."""
        return (
            Part(
                name=self.name, volume=self.volume, price_usd=self.price_usd,
                firm_share=self.firm_share,
                penalty_usd=number(self.penalty_share) * number(self.price_usd),
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class FirmAndOption(Purchase):
    """A firm volume, paid whether taken or not, and an option on more at its own price, for a
    premium at signing."""

    kind: ClassVar[str] = "firm-and-option"
    said: ClassVar[str] = "a firm volume, and for a premium the right to more at its own price"
    needs: ClassVar[tuple[str, ...]] = ("price", "option_volume", "option_price")
    may: ClassVar[tuple[str, ...]] = ("premium",)

    option_volume: ArrayLike = 0.0
    option_price_usd: ArrayLike = 0.0
    premium_usd: ArrayLike = 0.0
    """Premium at signing, per optional unit of the tenor."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound("option_volume", self.option_volume, 0, 1e12, "give units a quarter"),
            Bound(
                "option_price_usd", self.option_price_usd, 0, _MOST_USD,
                "give USD a unit, 0 or more",
            ),
            Bound(
                "premium_usd", self.premium_usd, 0, _MOST_USD,
                "give USD an optional unit, 0 or more",
            ),
        )

    def parts(self) -> tuple[Part, ...]:
        """The firm part and the optional part."""
        return (
            Part(
                name=f"{self.name} firm", volume=self.volume, price_usd=self.price_usd,
                firm_share=1.0, penalty_usd=self.price_usd,
            ),
            Part(
                name=f"{self.name} option", volume=self.option_volume,
                price_usd=self.option_price_usd,
                fee_usd=number(self.premium_usd) * self.tenor_quarters,
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class ReserveAndRent(Purchase):
    """Hold a volume for a fee a quarter, used or not, and pay the price for what is used."""

    kind: ClassVar[str] = "reserve-and-rent"
    said: ClassVar[str] = "hold chips for a fee, used or not, and pay for the hours used"
    needs: ClassVar[tuple[str, ...]] = ("reserve", "price")
    may: ClassVar[tuple[str, ...]] = ()

    unit: ContractUnit = ContractUnit.CHIP_QUARTER
    reserve_usd: ArrayLike = 0.0
    """Fee per unit held and quarter."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (*super()._bounds(), Bound("reserve_usd", self.reserve_usd, 0, _MOST_USD, "give USD a unit, 0 or more"))

    def parts(self) -> tuple[Part, ...]:
        """Take-or-pay of the whole volume whose penalty is the fee: used or not, the fee is
        paid."""
        fee = number(self.reserve_usd)
        return (
            Part(
                name=self.name, volume=self.volume, price_usd=number(self.price_usd) + fee,
                firm_share=1.0, penalty_usd=fee,
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class RightOfFirstRefusal(Purchase):
    """The right to take units offered to others at their terms: the spot price, or a multiple of
    it, and no duty."""

    kind: ClassVar[str] = "right-of-first-refusal"
    said: ClassVar[str] = "the right to match what others are offered, and no duty"
    needs: ClassVar[tuple[str, ...]] = ("price_multiple",)
    may: ClassVar[tuple[str, ...]] = ()

    price_usd: ArrayLike = 0.0
    """Price per unit on top of the matched price."""
    price_multiple: ArrayLike = 1.0
    """Matched price as a multiple of the spot price."""

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            *super()._bounds(),
            Bound(
                "price_multiple", self.price_multiple, 0, 100, "give a multiple of the spot price"
            ),
        )

    def parts(self) -> tuple[Part, ...]:
        """A volume at the price of the day."""
        return (
            Part(
                name=self.name, volume=self.volume, price_usd=self.price_usd,
                spot_multiple=self.price_multiple,
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class CancellationFee(Purchase):
    """A firm order that may be cancelled, unit by unit, for a share of the price."""

    kind: ClassVar[str] = "cancellation-fee"
    said: ClassVar[str] = "a firm order that may be cancelled, unit by unit, for a share of the price"
    needs: ClassVar[tuple[str, ...]] = ("price", "fee_share")
    may: ClassVar[tuple[str, ...]] = ()

    fee_share: ArrayLike = 0.0

    def _bounds(self) -> tuple[Bound, ...]:
        return (*super()._bounds(), Bound("fee_share", self.fee_share, 0, 1, "give the share of the price"))

    def parts(self) -> tuple[Part, ...]:
        """Take-or-pay of the whole volume whose penalty is the fee."""
        return (Part(
            name=self.name, volume=self.volume, price_usd=self.price_usd, firm_share=1.0,
            penalty_usd=number(self.fee_share) * number(self.price_usd)),)
