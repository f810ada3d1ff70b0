"""Contracts for chips, valued in one way, and the options in them."""

from fabless.contract.break_even import BreakEven, break_even
from fabless.contract.build import KINDS, contract_of
from fabless.contract.exercise import LeastSquares, least_squares, price_paths
from fabless.contract.kinds import (
    CancellationFee,
    FirmAndOption,
    Prepayment,
    Purchase,
    ReserveAndRent,
    RightOfFirstRefusal,
    TakeOrPay,
)
from fabless.contract.options import binomial, black_scholes, warrant
from fabless.contract.plan_terms import PlanTerms, terms_for_plan
from fabless.contract.rewards import VendorEquity, VolumeDiscount, Warrants
from fabless.contract.staged import Gate, StagedValue, staged
from fabless.contract.valuation import Contract, Outlook, Part, Unit, Valuation, cash_flows, value
from fabless.contract.volume import FirmVolume, firm_volume, firm_volume_normal
from fabless.contract.waiting import Waiting, perpetual

__all__ = ["KINDS", "BreakEven", "CancellationFee", "Contract", "FirmAndOption", "FirmVolume", "Gate", "LeastSquares",
           "Outlook", "Part", "PlanTerms", "Prepayment", "Purchase", "ReserveAndRent", "RightOfFirstRefusal",
           "StagedValue", "TakeOrPay", "Unit", "Valuation", "VendorEquity", "VolumeDiscount", "Waiting", "Warrants",
           "binomial", "black_scholes", "break_even", "cash_flows", "contract_of", "firm_volume", "firm_volume_normal",
           "least_squares", "perpetual", "price_paths", "staged", "terms_for_plan", "value", "warrant"]
