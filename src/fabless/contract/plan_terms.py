"""A contract as the plain arrays that a linear plan takes: draws limited by a level that is signed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.checks import number
from fabless.contract.valuation import Contract, Outlook, Unit, value
from fabless.errors import BadValue, Fault
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class PlanTerms:
    """One price of a contract for a plan; a level is in units a quarter, and every cost but a draw's is per level.

    With level y signed, 0 to `level_cap`: draws ``x(q) <= most(q) y``, shortfall ``s(q) >= least(q) y - x(q)``, cost
    ``fee y`` at signing and ``price(q) x(q) + untaken s(q)`` in each quarter of the tenor.
    """

    name: str
    unit: Unit
    level_cap: float
    fee_usd: float
    """Fee at signing per unit of level, for the whole tenor."""
    most: Array
    """Largest draw as a share of the level, shape (tenor,)."""
    least: Array
    """Firm draw as a share of the level, shape (tenor,)."""
    price_usd: Array
    """Price per unit drawn, less rebates, shape (tenor,)."""
    untaken_usd: Array
    """Penalty per firm unit not drawn, shape (tenor,)."""
    signed_quarter: int
    start_quarters: int
    """Quarters from signing to the first delivery."""
    tenor_quarters: int
    lead_quarters: int


def terms_for_plan(contract: Contract, outlook: Outlook | None = None, real_rate: float = 0.0) -> tuple[PlanTerms, ...]:
    """One `PlanTerms` for each price of a contract: two for firm and option volume, one for every other kind.

    Numbers that differ by path count with their mean. Rebates (warrants, vendor equity, tiers) are lumpy and depend on
    the whole take: they lower the price by their mean present value per unit taken on `outlook`. A right of first refusal
    takes the mean spot price of each quarter from there too. Without an outlook such contracts raise `BadValue`. The two
    prices of a firm and an optional volume are signed apart: a plan may sign the option alone.
    """
    tenor = contract.tenor_quarters
    parts = contract.parts()
    off, spot = 0.0, np.zeros(tenor)
    if outlook is not None:
        found = value(contract, outlook, real_rate)
        taken = np.divide(found.paid_usd, found.usd_per_unit, out=np.zeros_like(found.paid_usd),
                          where=np.isfinite(found.usd_per_unit) & (found.usd_per_unit != 0.0))
        off = float(found.rebate_usd.mean() / taken.mean()) if taken.mean() > 0.0 else 0.0
        quarters = outlook.shape[1]
        mean_spot = np.broadcast_to(number(outlook.spot_usd), outlook.shape).mean(axis=0)
        spot = mean_spot[np.minimum(contract.start_quarter + np.arange(tenor), quarters - 1)]
    elif any(np.any(number(part.spot_multiple) > 0.0) for part in parts) or contract.rebated:
        raise BadValue(Fault(f"{contract.name}: outlook", "none", "an outlook with spot price, need and share price",
                             "give the paths: the price of such a contract depends on them"))
    return tuple(PlanTerms(
        name=part.name, unit=contract.unit, level_cap=_mean(part.volume), fee_usd=_mean(part.fee_usd),
        most=np.ones(tenor), least=np.full(tenor, _mean(part.firm_share)),
        price_usd=_mean(part.price_usd) + _mean(part.spot_multiple) * spot - off,
        untaken_usd=np.full(tenor, _mean(part.penalty_usd)), signed_quarter=contract.signed_quarter,
        start_quarters=contract.start_quarter - contract.signed_quarter, tenor_quarters=tenor,
        lead_quarters=contract.lead_quarters) for part in parts)


def _mean(number_or_array: object) -> float:
    return float(np.mean(np.asarray(number_or_array, dtype=float)))
