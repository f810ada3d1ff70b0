"""Cost of contracts against the volume wanted, as curves of a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabless.case_records import ContractQuestion
from fabless.contract.compare import HOURS, SPOT, draw_question, nothing
from fabless.contract.kinds import Purchase
from fabless.contract.valuation import ContractUnit, value
from fabless.records import Array

_POINTS = 81


@dataclass(frozen=True, eq=False)
class Curve:
    """Cost of a steady need with one contract."""

    name: str
    wanted: Array
    """Units wanted in every quarter of delivery."""
    cost_usd: Array
    """Present value of serving the units wanted, spot purchases included."""
    usd_per_unit: Array
    """Cost per chip or chip-hour served, both discounted; NaN if none is wanted."""


def curves(question: ContractQuestion) -> tuple[Curve, ...]:
    """Cost of each contract, and of none, against a need that is the same in every quarter of any
    contract's delivery.

    Every number stands at its mode and nothing moves; spot has no limit, so that every unit wanted
    is served.
    """
    made = draw_question(replace(question, paths=1))
    contracts: dict[str, Purchase] = {
        name: made.beside(contract) for name, contract in made.contracts.items()
    }
    quarter = np.arange(question.quarters)
    served = np.zeros(question.quarters, dtype=bool)
    for purchase in contracts.values():
        served |= (quarter >= purchase.start_quarter) & (
            quarter < purchase.start_quarter + purchase.tenor_quarters
        )
    most = max(
        sum(float(np.max(np.asarray(part.volume))) for part in purchase.parts())
        for purchase in contracts.values()
    )
    wanted = np.linspace(0.0, 1.25 * most, _POINTS)
    outlook = replace(made.outlook, need=wanted[:, None] * served, spot_cap=np.inf)
    per = HOURS if made.unit is ContractUnit.CHIP_QUARTER else 1.0
    drawn = []
    for name, contract in ((SPOT, nothing(made.unit)), *contracts.items()):
        valuation = value(contract, outlook, made.real_rate)
        drawn.append(Curve(name, wanted, valuation.cost_usd, valuation.served_usd_per_unit / per))
    return tuple(drawn)
