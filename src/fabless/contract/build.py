"""Make a contract of its kind from a case, at one value or at many values of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fabless import case_records
from fabless.case_numbers import PER_UNIT, ContractNumbers
from fabless.contract.kinds import (
    CancellationFee,
    FirmAndOption,
    Prepayment,
    Purchase,
    ReserveAndRent,
    RightOfFirstRefusal,
    TakeOrPay,
)
from fabless.contract.rewards import VendorEquity, VolumeDiscount, Warrants
from fabless.contract.valuation import Unit
from fabless.errors import unknown
from fabless.records import Array
from fabless.units import QUARTER_S, Quarter

KINDS: Mapping[str, type[Purchase]] = MappingProxyType({
    "purchase": Purchase, "prepayment": Prepayment, "take-or-pay": TakeOrPay, "firm-and-option": FirmAndOption,
    "reserve-and-rent": ReserveAndRent, "warrants": Warrants, "vendor-equity": VendorEquity,
    "volume-discount": VolumeDiscount, "right-of-first-refusal": RightOfFirstRefusal, "cancellation-fee": CancellationFee,
})
"""Name of a kind in files -> its class."""
_FIELDS = MappingProxyType({
    "volume": "volume", "price": "price_usd", "firm_share": "firm_share", "penalty_share": "penalty_share",
    "prepaid_share": "prepaid_share", "option_volume": "option_volume", "option_price": "option_price_usd",
    "premium": "premium_usd", "reserve": "reserve_usd", "exercise_price": "exercise_usd", "investment": "investment_usd",
    "valuation": "valuation_usd", "fair_valuation": "fair_usd", "price_multiple": "price_multiple",
    "fee_share": "fee_share",
})
"""Term of a file -> field of a kind."""


def contract_of(
    spec: case_records.Contract, terms: ContractNumbers[Array] | ContractNumbers[float], first_quarter: Quarter
) -> Purchase:
    """Make the contract that a specification states, at given values of its numbers.

    Parameters: `terms` in SI: numbers, or arrays (paths, 1). Rents come in USD/s and become USD a chip and
    quarter. Raises `UnknownName` for a kind that is not there, `BadValue` with every fault of the values.
    """
    if spec.kind not in KINDS:
        raise unknown("kind of contract", spec.kind, list(KINDS))
    given: dict[str, Any] = {}
    per_unit = QUARTER_S if spec.how == "rent" else 1.0
    for term, field in _FIELDS.items():
        number = getattr(terms, term)
        if number is not None:
            given[field] = np.asarray(number, dtype=float) * (per_unit if term in PER_UNIT else 1.0)
    if spec.kind == "right-of-first-refusal":
        given.setdefault("price_usd", 0.0)
    if spec.kind == "warrants":
        given["tranches"] = spec.tranches
        if spec.expiry_quarters is not None:
            given["expiry_quarters"] = spec.expiry_quarters
    if spec.kind == "volume-discount":
        tiers = tuple(case_records.Tier(tier.units, tier.price_usd * per_unit) for tier in spec.tiers)
        given |= {"tiers": tiers, "on_all": spec.on_all}
    return KINDS[spec.kind](
        name=spec.name, **given, unit=Unit.CHIP_QUARTER if spec.how == "rent" else Unit.CHIP,
        tenor_quarters=spec.tenor_quarters, start_quarter=spec.start - first_quarter,
        signed_quarter=spec.signed - first_quarter, lead_quarters=spec.lead_quarters)
