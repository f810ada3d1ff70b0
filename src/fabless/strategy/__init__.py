"""The ways and their portfolio: what each commits to on the first day, and what that offers a
plan."""

from fabless.case_records import PORTFOLIO
from fabless.strategy.contracts import ContractOffer, contract_offers
from fabless.strategy.limits import cash_cap_usd, cheapest_usd, paid_for, power_cap_w, shared_pools
from fabless.strategy.offers import (
    Offer,
    Pool,
    Throughput,
    existing_offer,
    line_offers,
    load_rates,
    owning_at,
    programme_offers,
)
from fabless.strategy.outlook import query_revenue_usd, worth_of
from fabless.strategy.resale import resale_annuities
from fabless.strategy.ways import (
    TITLES,
    Commitment,
    Offered,
    Way,
    commitments,
    every_way,
    offered,
    way_labels,
)

__all__ = [
    "PORTFOLIO",
    "TITLES",
    "Commitment",
    "ContractOffer",
    "Offer",
    "Offered",
    "Pool",
    "Throughput",
    "Way",
    "cash_cap_usd",
    "cheapest_usd",
    "commitments",
    "contract_offers",
    "every_way",
    "existing_offer",
    "line_offers",
    "load_rates",
    "offered",
    "owning_at",
    "paid_for",
    "power_cap_w",
    "programme_offers",
    "query_revenue_usd",
    "resale_annuities",
    "shared_pools",
    "way_labels",
    "worth_of",
]
