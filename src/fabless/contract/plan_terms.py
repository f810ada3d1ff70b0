"""What a plan needs of a contract: one price at a time, linear in the volume signed and in the
units drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.contract.valuation import ContractOutlook, ContractUnit, ValuedContract, value
from fabless.records import Array


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanTerms:
    """One price of a contract for a plan, as known at each of some moments (N,); a level is in
    units a quarter.

    With level y signed, 0 to `level_cap`: draws ``x(q) <= most(q) y``, shortfall ``s(q) >= least(q)
    y - x(q)``, cost
    ``fee y`` at signing and ``price x(q) + untaken s(q)`` in each quarter q of the tenor.
    """

    name: str
    unit: ContractUnit
    level_cap: Array
    """Most units that may be signed, shape (N,)."""
    fee_usd: Array
    """Fee at signing per unit of level, for the whole tenor, shape (N,)."""
    most: Array
    """Largest draw as a share of the level, shape (tenor,)."""
    least: Array
    """Firm draw as a share of the level, shape (tenor,)."""
    price_usd: Array
    """Price per unit drawn, less rebates, shape (N,)."""
    untaken_usd: Array
    """Penalty per firm unit not drawn, shape (N,)."""
    signed_quarter: int
    start_quarters: int
    """Quarters from signing to the first delivery."""
    tenor_quarters: int
    lead_quarters: int

    @property
    def committed_usd(self) -> Array:
        """(N,) per unit of level signed there: the whole fee, and the least that the firm draws of
        the tenor cost."""
        return np.asarray(
            self.fee_usd + self.least.sum() * np.minimum(self.price_usd, self.untaken_usd)
        )


def terms_for_plan(
    contract: ValuedContract, spot_usd: Array, signing: NDArray[np.bool_], rebate_usd: float = 0.0
) -> tuple[PlanTerms, ...]:
    """One `PlanTerms` for each price of a contract: two for firm and option volume, one for every
    other kind.

    Parameters: `spot_usd` (N,) price of a unit without the contract at each moment, which a right of first refusal takes;
    the contract's numbers are plain or one a moment. `signing` (N,) marks the moments at which it
    can be signed: of firm shares their mean there counts. `rebate_usd` lowers the price
    (`mean_rebate_usd`). The two prices of a firm and an optional volume are signed apart: a plan
    may sign the option alone.
    """
    tenor = contract.tenor_quarters

    def at_moments(number: ArrayLike) -> Array:
        return np.array(
            np.broadcast_to(np.asarray(number, dtype=float).reshape(-1), spot_usd.shape)
        )

    return tuple(
        PlanTerms(
            name=part.name, unit=contract.unit, level_cap=at_moments(part.volume),
            fee_usd=at_moments(part.fee_usd), most=np.ones(tenor),
            least=np.full(tenor, float(at_moments(part.firm_share)[signing].mean())),
            price_usd=np.maximum(
                at_moments(part.price_usd) + at_moments(part.spot_multiple) * spot_usd - rebate_usd,
                0.0,
            ),
            untaken_usd=at_moments(part.penalty_usd),
            signed_quarter=contract.signed_quarter,
            start_quarters=contract.start_quarter - contract.signed_quarter,
            tenor_quarters=tenor,
            lead_quarters=contract.lead_quarters,
        )
        for part in contract.parts()
    )


def mean_rebate_usd(contract: ValuedContract, outlook: ContractOutlook, real_rate: float) -> float:
    """Mean present value of what comes back (warrants, vendor equity, tiers) per unit taken on the
    paths of an outlook.

    Rebates are lumpy and depend on the whole take, which a plan cannot see. 0 where nothing is
    taken.
    """
    valuation = value(contract, outlook, real_rate)
    taken = np.divide(
        valuation.paid_usd, valuation.usd_per_unit, out=np.zeros_like(valuation.paid_usd),
        where=np.isfinite(valuation.usd_per_unit) & (valuation.usd_per_unit != 0.0),
    )
    return float(valuation.rebate_usd.mean() / taken.mean()) if taken.mean() > 0.0 else 0.0
