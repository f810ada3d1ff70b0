"""Contracts for chips, valued in one way: cost, firm part, and what a plan gets of each."""

from fabless.contract.break_even import BreakEven, break_even
from fabless.contract.build import KINDS, contract_of, stated_terms
from fabless.contract.kinds import (
    CancellationFee,
    FirmAndOption,
    Prepayment,
    Purchase,
    ReserveAndRent,
    RightOfFirstRefusal,
    TakeOrPay,
)
from fabless.contract.plan_terms import PlanTerms, mean_rebate_usd, terms_for_plan
from fabless.contract.rewards import VendorEquity, VolumeDiscount, Warrants
from fabless.contract.valuation import ContractOutlook, ContractUnit, Part, Valuation, ValuedContract, cash_flows, value

__all__ = [
    "KINDS",
    "BreakEven",
    "CancellationFee",
    "ContractOutlook",
    "ContractUnit",
    "FirmAndOption",
    "Part",
    "PlanTerms",
    "Prepayment",
    "Purchase",
    "ReserveAndRent",
    "RightOfFirstRefusal",
    "TakeOrPay",
    "Valuation",
    "ValuedContract",
    "VendorEquity",
    "VolumeDiscount",
    "Warrants",
    "break_even",
    "cash_flows",
    "contract_of",
    "mean_rebate_usd",
    "stated_terms",
    "terms_for_plan",
    "value",
]
