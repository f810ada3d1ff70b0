"""Contracts for chips, valued in one way: cost, firm part, and what a plan gets of each."""

from fabless.contract.break_even import BreakEven, break_even
from fabless.contract.build import KINDS, contract_of, terms_of
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
from fabless.contract.valuation import Contract, Outlook, Part, Unit, Valuation, cash_flows, value

__all__ = ["KINDS", "BreakEven", "CancellationFee", "Contract", "FirmAndOption", "Outlook", "Part", "PlanTerms",
           "Prepayment", "Purchase", "ReserveAndRent", "RightOfFirstRefusal", "TakeOrPay", "Unit", "Valuation",
           "VendorEquity", "VolumeDiscount", "Warrants", "break_even", "cash_flows", "contract_of", "mean_rebate_usd",
           "terms_for_plan", "terms_of", "value"]
