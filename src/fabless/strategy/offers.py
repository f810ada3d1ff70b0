"""What lines, programmes and the fleet in place offer a plan, as arrays by node-quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.case_numbers import LineNumbers, OwningNumbers, QueryNumbers, TrainingNumbers, stated
from fabless.case_records import Case, CaseNumber, Line, Programme
from fabless.market import known_arrival, price_path_usd
from fabless.records import Array, Chip
from fabless.strategy.outlook import OutcomeView, ScenarioView, grown, terms_of
from fabless.tco import Owning, chip_hour_cost, discount_factor, rented_chip_hour
from fabless.units import HOUR_S, QUARTER_S, YEAR_S

HOURS = QUARTER_S / HOUR_S
"""Hours in a quarter."""


@dataclass(frozen=True)
class Throughput:
    """Throughput and power of one chip at its full specification."""

    per_second: Mapping[str, float]
    """Load -> queries, or FLOP at the peak, a second of full work."""
    power_w: float
    """Mean power over the day, of the load that draws most."""


@dataclass(frozen=True, eq=False)
class Pool:
    """A limit that offers share."""

    name: str
    line: str
    """Line or programme whose offers share it; a programme has one pool for each moment at which it
    may start."""
    cap: Array
    """Most chips ordered in a quarter, by node-quarter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Offer:
    """One thing that a plan may order; arrays have one value a node-quarter."""

    name: str
    vendor: str
    pool: Pool
    owned: bool
    own_silicon: bool
    term_quarters: int
    lead_quarters: NDArray[np.int64]
    available: NDArray[np.bool_]
    capital_usd: Array
    """Per chip and quarter of service, fixed by the order."""
    running_usd: Array
    """Per chip and quarter of service."""
    payment_usd: Array
    """What an order commits to: the price of a bought chip with server and network, the rent of a
    rented one over its whole term."""
    rate: Array
    """(loads, node-quarters): load served by one chip in one quarter."""
    peak_flops: Array
    """Dense 16-bit peak rate of one chip [FLOP/s], whatever software makes of it."""
    site_power_w: float = 0.0
    """Power at hand that a chip takes up: rated, with its server and cooling; none where it stands
    on another's site."""


def owning_at(numbers: OwningNumbers[Array] | OwningNumbers[float], life_s: float, real_rate: float) -> Owning:
    """Cost of owning out of the numbers of a case: at each node-quarter, or at one value each."""
    return Owning(
        real_rate=real_rate, life_s=life_s, colocation_usd_per_w_s=numbers.colocation,
        electricity_usd_per_j=numbers.electricity, pue=numbers.pue,
        server_power=numbers.server_power, server_usd=numbers.server_cost,
        residual_share=numbers.residual,
        upkeep_per_s=np.asarray(numbers.upkeep) / YEAR_S,
    )


def line_offers(case: Case, line: Line, scenarios: ScenarioView, throughput: Throughput, owning: Owning) -> list[Offer]:
    """Offers of a line: today's chip and each coming generation."""
    terms, quarter = scenarios.values.lines[line.name], scenarios.tree.quarter
    start = line.first_quarter - case.first_quarter
    market = terms_of(case, scenarios, line.vendor)
    efficiency = np.ones(quarter.size) if terms.efficiency is None else terms.efficiency
    lead_s = lead_time_s(case, line, scenarios)
    allotment = terms.allotment * grown(scenarios, terms.allotment_growth, quarter)
    pool = Pool(line.name, line.name, allotment * market.allotment)
    offers = []
    for generation in range(line.successors + 1):
        arrival, gain, price_factor, power_factor = np.full(quarter.size, start), *np.ones((3, quarter.size))
        if generation:
            arrival, gain = _coming(terms, generation, scenarios, start)
            price_factor = stated(terms.successor_price) ** generation
            power_factor = stated(terms.successor_power) ** generation
        age = np.maximum(quarter - arrival, 0) if generation else quarter
        name = f"{line.name}+{generation}" if generation else line.name
        price = line_price(case, line, scenarios, age, price_factor)
        rate = load_rates(case, scenarios, throughput, efficiency * gain)
        if line.how == "rent":
            offers.append(_rented(
                name, line, pool, usd_per_s=price, lead_s=lead_s, available=quarter >= arrival,
                rate=rate, peak_flops=gain * peak_16_bit(line.chip)))
            continue
        offers.append(
            owned_offer(
                name, line.vendor, pool, chip=line.chip, price_usd=price,
                delivery_s=lead_s, installation_s=scenarios.values.owning.installation,
                available=quarter >= arrival, rate=rate,
                power_w=power_factor * throughput.power_w, owning=owning, power_factor=power_factor,
                site_power_w=site_power_w(
                    case, line.chip, case.numbers.lines[line.name].successor_power, generation
                ),
                peak_flops=gain * peak_16_bit(line.chip), prepaid=line.prepaid,
            )
        )
    return offers


def lead_time_s(case: Case, line: Line, scenarios: ScenarioView) -> Array:
    """Time from order to delivery of a line's chips at each node-quarter [s], without installation."""
    terms, delay_s = scenarios.values.lines[line.name], terms_of(case, scenarios, line.vendor).delay_s
    return terms.lead_normal + scenarios.scarce * (terms.lead_scarce - terms.lead_normal) + delay_s


def line_price(
    case: Case, line: Line, scenarios: ScenarioView, age: NDArray[np.int64] | None = None,
    price_factor: ArrayLike = 1.0,
) -> Array:
    """Price of a chip of a line, or its rent by the second, at each node-quarter, discount off
    [USD, or USD/s].

    `age` is in quarters since the chip came (default: since the first quarter), `price_factor` its
    price over that of today's.
    """
    terms, market = scenarios.values.lines[line.name], terms_of(case, scenarios, line.vendor)
    price = price_path_usd(terms.price * np.asarray(price_factor), terms.price_decline,
                           scenarios.tree.quarter if age is None else age, market.price)
    return price if terms.discount is None else np.asarray(price * (1.0 - terms.discount))


def _coming(
    terms: LineNumbers[Array], generation: int, scenarios: ScenarioView, start: int
) -> tuple[NDArray[np.int64], Array]:
    """Quarter of arrival of a coming generation as known at each node-quarter, and its throughput
    over today's.

    Gains multiply: the usual one of a generation times the factor of its own, of each generation
    until this one.
    """
    usual = np.ones((generation, scenarios.tree.size))
    spreads = usual if terms.successor_gain_spread is None else terms.successor_gain_spread[:generation]
    arrival = known_arrival(terms, generation, scenarios.tree, start)
    return arrival, stated(terms.successor_gain)**generation * np.prod(spreads, axis=0)


def programme_offers(
    case: Case, programme: Programme, scenarios: ScenarioView, outcome: OutcomeView,
    throughput: Throughput, owning: Owning,
    label: str | None = None,
) -> list[Offer]:
    """Offers of a programme: its chip once it is in volume, and its second generation after that;
    named by `label`.

    The price is the unit cost over one less the maker's margin, and the chip's part of the team
    that goes on after volume, shared over all chips of the allotment: a company that orders none
    ends the team. Orders may be placed one lead time ahead of volume.
    """
    values, terms = scenarios.values, scenarios.values.programmes[programme.name]
    power_growth = case.numbers.programmes[programme.name].successor_power
    quarter, installation_s = scenarios.tree.quarter, scenarios.values.owning.installation
    lead = _quarters(terms.fab + installation_s)
    price = values.unit_costs[programme.name] / (1.0 - terms.margin)
    since = np.maximum(quarter + lead - np.minimum(outcome.volume_quarter, quarter + lead), 0)
    market = terms_of(case, scenarios, programme.chip.vendor)
    label = label or programme.name
    allotment = terms.allotment * grown(scenarios, terms.allotment_growth, since)
    pool = Pool(label, programme.name, allotment * market.allotment)
    support_usd = terms.support_share * terms.team * QUARTER_S / np.maximum(pool.cap, 1.0)
    offers = []
    for generation in range(2):
        gap = _quarters(terms.successor_gap) * generation
        gain = outcome.performance * terms.successor_gain ** generation
        power_factor = terms.successor_power ** generation
        ready = quarter + lead - gap >= outcome.volume_quarter
        served = load_rates(case, scenarios, throughput, gain)
        keeps_training = np.where(programme.trains, 1.0 - outcome.scope_cut, 0.0)
        for row, load in enumerate(case.loads):
            if load.kind == "training":
                served[row] *= keeps_training
        offers.append(
            owned_offer(
                f"{label}+{generation}" if generation else label, programme.chip.vendor, pool,
                chip=programme.chip,
                price_usd=price * terms.successor_price**generation + support_usd,
                delivery_s=terms.fab + market.delay_s, installation_s=installation_s,
                available=ready, rate=served, power_w=power_factor * throughput.power_w,
                owning=owning, power_factor=power_factor,
                site_power_w=site_power_w(case, programme.chip, power_growth, generation),
                peak_flops=gain * peak_16_bit(programme.chip),
                own_silicon=programme.route != "partner",
            )
        )
    return offers


def existing_offer(case: Case, scenarios: ScenarioView, throughput: Throughput) -> tuple[Offer, Array, Array]:
    """The fleet in place: an offer that nobody can order, its chips at each node-quarter, and its
    rent per chip and quarter there."""
    size = scenarios.tree.size
    none = Pool("existing", "existing", np.zeros(size))
    offer = Offer(
        name="existing", vendor=case.existing_vendor, pool=none, owned=False, own_silicon=False,
        term_quarters=1, lead_quarters=np.zeros(size, np.int64), available=np.zeros(size, bool),
        capital_usd=np.zeros(size), running_usd=np.zeros(size), payment_usd=np.zeros(size),
        rate=load_rates(case, scenarios, throughput, np.ones(size)),
        peak_flops=np.full(size, peak_16_bit(case.existing_chip)))
    fleet = scenarios.values.existing
    chips = fleet.count * np.clip(1.0 - scenarios.tree.quarter * QUARTER_S / fleet.years, 0.0, None)
    return offer, chips, np.asarray(rented_chip_hour(fleet.price).total_usd * HOURS)


def load_rates(case: Case, scenarios: ScenarioView, throughput: Throughput, factor: Array) -> Array:
    """Load served by one chip in one quarter, at the work of a query and training utilisation."""
    queries = scenarios.values.demand.load_factor / scenarios.work

    def used(load: QueryNumbers[Array] | TrainingNumbers[Array]) -> Array:
        if isinstance(load, TrainingNumbers):
            return load.utilisation
        return queries if load.work is None else queries / load.work

    return np.array([throughput.per_second[load.name] * QUARTER_S * factor
                     * used(scenarios.values.loads[load.name]) for load in case.loads])


def site_power_w(case: Case, chip: Chip, power_factor: CaseNumber | None, generation: int) -> float:
    """Rated power of a chip of a generation with its server and cooling, at the modes [W];
    `power_factor` is its growth."""
    owning = case.numbers.owning
    grows = power_factor.spread.mode if power_factor is not None and generation else 1.0
    return float(chip.tdp_w * owning.server_power.spread.mode * owning.pue.spread.mode * grows**generation)


def peak_16_bit(chip: Chip) -> float:
    """Dense peak of a chip in bf16, or in fp16 where it has no bf16 [FLOP/s]; 0 without either."""
    return chip.peak_flops.get("bf16", chip.peak_flops.get("fp16", 0.0))


def _quarters(time_s: Array) -> NDArray[np.int64]:
    return np.asarray(np.rint(time_s / QUARTER_S), dtype=np.int64)


def _rented(
    name: str, line: Line, pool: Pool, usd_per_s: Array, lead_s: Array,
    available: NDArray[np.bool_], rate: Array, peak_flops: Array,
) -> Offer:
    per_quarter = rented_chip_hour(usd_per_s).total_usd * HOURS
    term = max(1, round((line.term_s or QUARTER_S) / QUARTER_S))
    return Offer(
        name=name, vendor=line.vendor, pool=pool, owned=False, own_silicon=False,
        term_quarters=term, lead_quarters=_quarters(lead_s), available=available,
        capital_usd=per_quarter, running_usd=np.zeros(per_quarter.shape),
        payment_usd=per_quarter * term, rate=rate, peak_flops=peak_flops,
    )


def owned_offer(
    name: str, vendor: str, pool: Pool, chip: Chip, price_usd: Array, delivery_s: Array,
    installation_s: Array, available: NDArray[np.bool_], rate: Array, power_w: Array,
    owning: Owning, power_factor: Array, *, site_power_w: float, peak_flops: Array,
    prepaid: bool = False, own_silicon: bool = False,
) -> Offer:
    """An offer of chips of one generation; `power_factor` is its rated power over that of `chip`.

    What is paid before the first hour of service costs interest: server and network from delivery
    through installation, the chip from delivery or, if prepaid, from the order.
    """
    lead = _quarters(delivery_s + installation_s)
    installed = 1.0 / discount_factor(owning.real_rate, installation_s)
    waited = 1.0 / discount_factor(owning.real_rate, lead * QUARTER_S) if prepaid else installed
    hour = chip_hour_cost(
        price_usd, owning, rated_power_w=power_factor * chip.tdp_w, average_power_w=power_w)
    capital = (hour.chip_usd * waited + hour.equipment_usd * installed) * HOURS
    term = max(1, round(float(np.asarray(owning.life_s)) / QUARTER_S))
    return Offer(
        name=name, vendor=vendor, pool=pool, owned=True, own_silicon=own_silicon,
        term_quarters=term, lead_quarters=lead, available=available, capital_usd=capital,
        running_usd=hour.running_usd * HOURS, payment_usd=owning.bought_usd(price_usd), rate=rate,
        peak_flops=peak_flops, site_power_w=site_power_w,
    )
