"""What the contracts of a case offer a plan: an offer for each price, and what signing it allows,
asks and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless import contract as kinds
from fabless.case_numbers import mapped
from fabless.case_records import Case, Contract, Line
from fabless.records import Array, Chip
from fabless.strategy.offers import (
    Offer,
    Pool,
    Throughput,
    line_price,
    load_rates,
    owned_offer,
    peak_16_bit,
    site_power_w,
)
from fabless.strategy.outlook import ScenarioView
from fabless.tco import Owning, discount_factor
from fabless.units import QUARTER_S

LOSS_USD = 1e14
"""On a unit that is missing: more than any price, so that a contract that stands alone is used."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ContractOffer:
    """One price of a contract: an offer whose orders are draws, and the terms of signing; a level
    is in chips a quarter.

    Arrays by node-quarter are (K,).
    """

    contract: Contract
    offer: Offer
    sign: NDArray[np.bool_]
    """(K,) the quarter of signing."""
    level_cap: Array
    """(K,) most that can be signed."""
    most: Array
    """(tenor,) most draw over the level, by quarter since the first draw."""
    least: Array
    """(tenor,) firm draw over the level."""
    start_quarters: int
    """Quarters from the signing to the first draw."""
    fee_usd: Array
    """(K,) at signing, per unit of level: the part for service within the horizon."""
    price_usd: Array
    """(K,) per unit drawn, rebates off."""
    untaken_usd: Array
    """(K,) per firm unit not drawn; 0 outside the tenor."""
    committed_usd: Array
    """(K,) per unit of level signed there: the whole fee, and the least that the firm draws of the
    tenor cost."""


def contract_offers(
    case: Case, contract: Contract, lines: Mapping[str, Line], scenarios: ScenarioView,
    demand: Mapping[str, Array], throughput: Mapping[str, Throughput], owning: Owning,
) -> list[ContractOffer]:
    """Offers of a contract, one for each of its prices.

    Parameters: `lines` by name, which give chip and efficiency; `demand` (K,) of each load;
    `throughput` by chip. The contract's numbers are those known at each node-quarter; firm shares
    and rebates count with their mean. Neither scarcity nor shocks change volume and price. A draw
    is ordered its lead time before its delivery; if the first call-off cannot arrive by the
    start of the contract, the whole tenor shifts to when it can. Raises `BadValue` for invalid
    numbers.
    """
    quarter = scenarios.tree.quarter
    line = lines.get(contract.line or "")
    chip = line.chip if line is not None else _own_chip(contract)
    per_chip = throughput[chip.name]
    factor = None if line is None else scenarios.values.lines[line.name].efficiency
    rate = load_rates(case, scenarios, per_chip, np.ones(quarter.size) if factor is None else factor)
    terms = mapped(scenarios.values.contracts[contract.name], lambda values: values[:, None])
    made = kinds.contract_of(contract, terms, case.first_quarter)
    spot = np.zeros(quarter.size) if line is None else _spot_usd(case, line, scenarios)
    off = _rebate_usd(case, contract, scenarios, rate, demand) if made.rebated else 0.0
    start = max(made.start_quarter - made.signed_quarter - made.lead_quarters, 0)
    age = quarter - made.signed_quarter - start
    inside = (age >= 0) & (age < made.tenor_quarters)
    pool_line = contract.name if line is None else line.name
    sign = quarter == made.signed_quarter
    offers = []
    for price in kinds.terms_for_plan(made, spot, sign, off):
        pool = Pool(price.name, pool_line, np.full(quarter.size, np.inf))
        offer = _offer(
            case, contract, chip, pool=pool, price_usd=price.price_usd, inside=inside, rate=rate,
            per_chip=per_chip, owning=owning, scenarios=scenarios, lead_quarters=made.lead_quarters,
        )
        offers.append(
            ContractOffer(
                contract=contract, offer=offer, sign=sign, level_cap=price.level_cap,
                most=price.most, least=price.least, start_quarters=start,
                fee_usd=price.fee_usd * _within(case, made, start, offer),
                price_usd=price.price_usd, untaken_usd=np.where(inside, price.untaken_usd, 0.0),
                committed_usd=price.committed_usd,
            )
        )
    return offers


def _own_chip(contract: Contract) -> Chip:
    assert contract.made is not None, "the reader gives a chip to a contract without a line"
    return contract.made


def _spot_usd(case: Case, line: Line, scenarios: ScenarioView) -> Array:
    """Price of the line's chip without the contract: a chip, or a chip-quarter of one (K,)."""
    return line_price(case, line, scenarios) * (QUARTER_S if line.how == "rent" else 1.0)


def _offer(
    case: Case, contract: Contract, chip: Chip, pool: Pool, price_usd: Array,
    inside: NDArray[np.bool_], rate: Array, per_chip: Throughput, owning: Owning,
    scenarios: ScenarioView, lead_quarters: int,
) -> Offer:
    """Chips bought under a contract are owned for their life; rented ones serve for the quarter
    that they are drawn for."""
    size = price_usd.size
    peak = np.full(size, peak_16_bit(chip))
    if contract.how == "rent":
        return Offer(
            name=pool.name, vendor=contract.vendor, pool=pool, owned=False, own_silicon=False,
            term_quarters=1, lead_quarters=np.full(size, lead_quarters), available=inside,
            capital_usd=price_usd, running_usd=np.zeros(size), payment_usd=price_usd, rate=rate,
            peak_flops=peak,
        )
    return owned_offer(
        pool.name, contract.vendor, pool, chip=chip, price_usd=price_usd,
        delivery_s=np.full(size, lead_quarters * QUARTER_S),
        installation_s=scenarios.values.owning.installation, available=inside, rate=rate,
        power_w=np.full(size, per_chip.power_w), owning=owning, power_factor=np.ones(size),
        site_power_w=site_power_w(case, chip, None, 0), peak_flops=peak,
    )


def _within(case: Case, made: kinds.ValuedContract, start: int, offer: Offer) -> float:
    """Share of the service paid for by a fee that falls within the horizon, each quarter of it
    discounted.

    A chip delivered late serves mostly after the horizon, where its annuities do not count either.
    """
    rate = case.numbers.finance.real_rate.spread.mode
    since = np.asarray(discount_factor(rate, np.arange(offer.term_quarters) * QUARTER_S)).cumsum()
    lead = int(offer.lead_quarters[0])
    left = case.quarters - (made.signed_quarter + start + np.arange(made.tenor_quarters) + lead)
    served = np.clip(left, 0, offer.term_quarters)
    return float(np.where(served > 0, since[np.maximum(served, 1) - 1], 0.0).mean() / since[-1])


def _rebate_usd(
    case: Case, contract: Contract, scenarios: ScenarioView, rate: Array,
    demand: Mapping[str, Array],
) -> float:
    """Mean rebate of a unit taken, where as much is taken as the demand of the scenarios calls for
    [USD].

    A chip rented is wanted in each quarter, a chip bought when the need grows. Nothing else serves
    that need here: a rebate is earned by a buyer who uses the contract.
    """
    need = np.zeros(scenarios.tree.size)
    for row, load in enumerate(case.loads):
        need += np.divide(demand[load.name], rate[row], out=np.zeros(need.size), where=rate[row] > 0)
    leaves = scenarios.tree.leaves
    path = scenarios.tree.ancestors()[leaves]
    wanted = need[path]
    if contract.how == "buy":
        most = np.maximum.accumulate(wanted, axis=1)
        wanted = np.diff(most, axis=1, prepend=most[:, :1])
    means = mapped(scenarios.values.contracts[contract.name], lambda values: float(values[leaves].mean()))
    made = kinds.contract_of(contract, means, case.first_quarter)
    alone = kinds.ContractOutlook(wanted, 0.0, spot_cap=0.0, unmet_usd=LOSS_USD)
    return kinds.mean_rebate_usd(made, alone, case.numbers.finance.real_rate.spread.mode)
