"""Every kind of contract by its name in files, and a contract of a case as one of them.

A new kind is a class in `kinds` or `rewards`, a line here, and an example of it in
`data/contracts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np

from fabless.case_numbers import PER_UNIT, ContractNumbers
from fabless.case_records import Contract
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
from fabless.contract.valuation import ContractUnit
from fabless.errors import unknown
from fabless.records import Array
from fabless.units import QUARTER_S, Quarter

KINDS: Mapping[str, type[Purchase]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            Purchase, Prepayment, TakeOrPay, FirmAndOption, ReserveAndRent, Warrants, VendorEquity,
            VolumeDiscount, RightOfFirstRefusal, CancellationFee,
        )
    }
)
"""Every kind by the name it has in files."""


def stated_terms(kind: type[Purchase]) -> tuple[str, ...]:
    """Every term that a file may state of a kind, beside volume and dates."""
    return (*kind.needs, *kind.may)


def contract_of(
    spec: Contract, numbers: ContractNumbers[Array] | ContractNumbers[float], first_quarter: Quarter
) -> Purchase:
    """Make the contract that a specification states, at given values of its numbers.

    Parameters: `numbers` in SI: plain, or arrays (paths, 1). Rents come in USD/s and become USD a chip and quarter. A term
    that is not stated keeps its default. Raises `UnknownName` for a kind that is not there,
    `BadValue` with every fault of the values.
    """
    if spec.kind not in KINDS:
        raise unknown("kind of contract", spec.kind, list(KINDS))
    kind = KINDS[spec.kind]
    rented = spec.how == "rent"
    stated: dict[str, Any] = {}
    for part in fields(kind):
        term = part.name.removesuffix("_usd").removesuffix("_quarters")
        if term not in ("volume", *stated_terms(kind)):
            continue
        if not hasattr(numbers, term):  # tranches and tiers are no numbers
            stated[part.name] = getattr(spec, part.name)
        elif getattr(numbers, term) is not None:
            value = np.asarray(getattr(numbers, term), dtype=float)
            stated[part.name] = value * QUARTER_S if rented and term in PER_UNIT else value
    return kind(
        name=spec.name, unit=ContractUnit.CHIP_QUARTER if rented else ContractUnit.CHIP,
        tenor_quarters=spec.tenor_quarters, start_quarter=spec.start - first_quarter,
        signed_quarter=spec.signed - first_quarter, lead_quarters=spec.lead_quarters,
        **{name: value for name, value in stated.items() if value is not None},
    )
