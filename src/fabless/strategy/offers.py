"""What lines, programmes and the fleet in place offer a plan, as arrays by node-quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.market import log_growth, price_path_usd
from fabless.quote import Owning, owned_hour
from fabless.records import Array, Case, Chip, Line, ProgrammeSpec, Tree
from fabless.tco import discount_factor, rented_chip_hour
from fabless.units import HOUR_S, QUARTER_S, YEAR_S

HOURS = QUARTER_S / HOUR_S
"""Hours in a quarter."""


class Outlook(Protocol):
    """What offers need to know of the scenarios."""

    @property
    def tree(self) -> Tree:
        """The scenario tree."""

    @property
    def values(self) -> Mapping[str, Array]:
        """Numbers of the case at each node-quarter."""

    @property
    def scarce(self) -> Array:
        """Probability that supply is scarce."""

    @property
    def work(self) -> Array:
        """Work of a query over that of the first day's models."""


class Fate(Protocol):
    """What offers need to know of a programme."""

    @property
    def volume_quarter(self) -> NDArray[np.int64]:
        """Quarter of volume as known at each node-quarter."""

    @property
    def performance(self) -> Array:
        """Delivered over planned performance."""

    @property
    def scope_cut(self) -> Array:
        """Probability that training was dropped."""


@dataclass(frozen=True)
class Throughput:
    """What one chip does at its full specification."""

    per_second: Mapping[str, float]
    """Load -> queries, or FLOP at the peak, a second of full work."""
    power_w: float
    """Mean power over the day, of the load that draws most."""


@dataclass(frozen=True, eq=False)
class Pool:
    """A limit that offers share."""

    name: str
    cap: Array
    """Most chips ordered in a quarter, by node-quarter."""


@dataclass(frozen=True, eq=False)
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
    """Due at the order; for bought chips their price with server and network."""
    rate: Array
    """(loads, node-quarters): load served by one chip in one quarter."""


def owning_at(values: Mapping[str, ArrayLike], life_s: float, real_rate: float) -> Owning:
    """Cost of owning out of the numbers of a case: at each node-quarter, or at one value each."""
    return Owning(
        real_rate=real_rate, life_s=life_s,
        colocation_usd_per_w_s=values["owning.colocation"], electricity_usd_per_j=values["owning.electricity"],
        pue=values["owning.pue"], server_power=values["owning.server_power"], server_usd=values["owning.server_cost"],
        residual_share=values["owning.residual"], upkeep_per_s=np.asarray(values["owning.upkeep"]) / YEAR_S,
    )


def line_offers(case: Case, line: Line, outlook: Outlook, does: Throughput, owning: Owning) -> list[Offer]:
    """Offers of a line: today's chip and, where it is bought, each coming generation."""
    term = {key: outlook.values[name] for key, name in line.terms.items()}
    quarter, scarce = outlook.tree.quarter, outlook.scarce
    start = line.first_quarter - case.first_quarter
    dear = 1.0 + scarce * (outlook.values["supply.scarce_price"] - 1.0)
    cut = 1.0 - term.get("discount", np.zeros(quarter.size))
    efficiency = term.get("efficiency", np.ones(quarter.size))
    lead_s = term["lead_normal"] + scarce * (term["lead_scarce"] - term["lead_normal"])
    pool = Pool(line.name, _allotment(outlook, term["allotment"], term["allotment_growth"], quarter)
                * (1.0 - scarce * (1.0 - outlook.values["supply.scarce_allotment"])))
    if line.how == "rent":
        price = price_path_usd(term["price"], term["price_decline"], quarter, dear) * cut
        return [_rented(case, line, pool, price, lead_s, quarter >= start, rates(case, outlook, does, efficiency))]
    offers = []
    for generation in range(line.successors + 1):
        arrival, gain, dearer, hotter = np.full(quarter.size, start), *np.ones((3, quarter.size))
        if generation:
            wait_s = term["successor_first"] + (generation - 1) * term["successor_gap"]
            arrival = np.rint(wait_s / QUARTER_S).astype(np.int64)
            gain, dearer, hotter = (term[f"successor_{key}"] ** generation for key in ("gain", "price", "power"))
        age = np.maximum(quarter - arrival, 0) if generation else quarter
        offers.append(_owned(
            f"{line.name}+{generation}" if generation else line.name, line.vendor, pool, line.chip,
            price_path_usd(term["price"] * dearer, term["price_decline"], age, dear) * cut,
            lead_s, outlook.values["owning.installation"], quarter >= arrival,
            rates(case, outlook, does, efficiency * gain), hotter * does.power_w, owning, hotter, prepaid=line.prepaid))
    return offers


def programme_offers(
    case: Case, programme: ProgrammeSpec, outlook: Outlook, fate: Fate, does: Throughput, owning: Owning
) -> list[Offer]:
    """Offers of a programme: its chip once it is in volume, and its second generation after that.

    The price is the unit cost over one less the maker's margin, and the chip's part of the team that goes on after
    volume, shared over all chips of the allotment: a company that orders none ends the team. Orders may be placed one
    lead time ahead of volume.
    """
    values, name = outlook.values, f"programmes.{programme.name}"
    quarter = outlook.tree.quarter
    fab_s, installation_s = values[f"{name}.fab"], values["owning.installation"]
    lead = _quarters(fab_s + installation_s)
    price = values[f"{name}.unit_cost"] / (1.0 - values[f"{name}.margin"])
    since = np.maximum(quarter + lead - np.minimum(fate.volume_quarter, quarter + lead), 0)
    pool = Pool(programme.name, _allotment(outlook, values[f"{name}.allotment"], values[f"{name}.allotment_growth"], since))
    support_usd = values[f"{name}.support_share"] * values[f"{name}.team"] * QUARTER_S / np.maximum(pool.cap, 1.0)
    offers = []
    for generation in range(2):
        gap = _quarters(values[f"{name}.successor_gap"]) * generation
        gain = fate.performance * values[f"{name}.successor_gain"] ** generation
        hotter = values[f"{name}.successor_power"] ** generation
        ready = quarter + lead - gap >= fate.volume_quarter
        served = rates(case, outlook, does, gain)
        keeps_training = np.where(programme.trains, 1.0 - fate.scope_cut, 0.0)
        for row, load in enumerate(case.loads):
            if load.kind == "training":
                served[row] *= keeps_training
        offers.append(_owned(
            f"{programme.name}+{generation}" if generation else programme.name, programme.chip.vendor, pool,
            programme.chip, price * values[f"{name}.successor_price"] ** generation + support_usd, fab_s, installation_s,
            ready, served,
            hotter * does.power_w, owning, hotter, own_silicon=programme.route != "partner"))
    return offers


def existing_offer(case: Case, outlook: Outlook, does: Throughput) -> tuple[Offer, Array, float]:
    """The fleet in place: an offer that nobody can order, its chips by quarter, and its rent per chip and quarter."""
    size = outlook.tree.size
    none = Pool("existing", np.zeros(size))
    offer = Offer("existing", case.existing_vendor, none, False, False, 1, np.zeros(size, np.int64), np.zeros(size, bool),
                  np.zeros(size), np.zeros(size), np.zeros(size), rates(case, outlook, does, np.ones(size)))
    count, price, years_s = (case.numbers[f"existing.{key}"].spread.mode for key in ("count", "price", "years"))
    chips = count * np.clip(1.0 - np.arange(case.quarters) * QUARTER_S / years_s, 0.0, None)
    return offer, chips, float(rented_chip_hour(price).total_usd) * HOURS


def _allotment(outlook: Outlook, chips: Array, growth: Array, since: NDArray[np.int64]) -> Array:
    """Allotment that grows by `growth` in its first year and fades to the long-run growth of demand."""
    values = outlook.values
    return chips * np.exp(log_growth(
        np.log(growth) / YEAR_S, np.log(values["demand.growth_long_run"]) / YEAR_S, values["demand.growth_fade"],
        0.0, since * QUARTER_S))


def rates(case: Case, outlook: Outlook, does: Throughput, factor: Array) -> Array:
    """Load served by one chip in one quarter: queries get dearer with their work, training runs at its utilisation."""
    values = outlook.values
    share = {load.name: values["demand.load_factor"] / outlook.work if load.kind == "inference"
             else values[f"loads.{load.name}.utilisation"] for load in case.loads}
    return np.array([does.per_second[load.name] * QUARTER_S * factor * share[load.name] for load in case.loads])


def _quarters(time_s: Array) -> NDArray[np.int64]:
    return np.asarray(np.rint(time_s / QUARTER_S), dtype=np.int64)


def _rented(
    case: Case, line: Line, pool: Pool, usd_per_s: Array, lead_s: Array, available: NDArray[np.bool_], rate: Array
) -> Offer:
    per_quarter = rented_chip_hour(usd_per_s).total_usd * HOURS
    term = max(1, round((line.term_s or QUARTER_S) / QUARTER_S))
    return Offer(line.name, line.vendor, pool, False, False, term, _quarters(lead_s), available, per_quarter,
                 np.zeros(per_quarter.shape), per_quarter * line.prepaid * term, rate)


def _owned(
    name: str, vendor: str, pool: Pool, chip: Chip, price_usd: Array, delivery_s: Array, installation_s: Array,
    available: NDArray[np.bool_], rate: Array, power_w: Array, owning: Owning, hotter: Array, *, prepaid: bool = False,
    own_silicon: bool = False,
) -> Offer:
    """An offer of chips of one generation; `hotter` is its rated power over that of `chip`.

    What is paid before the first hour of service costs interest: server and network from delivery through installation,
    the chip likewise or, prepaid, from the order.
    """
    lead = _quarters(delivery_s + installation_s)
    installed = 1.0 / discount_factor(owning.real_rate, installation_s)
    waited = 1.0 / discount_factor(owning.real_rate, lead * QUARTER_S) if prepaid else installed
    hour = owned_hour(price_usd, owning, rated_power_w=hotter * chip.tdp_w, average_power_w=power_w)
    equipment = hour.server_usd + hour.network_usd
    capital = (hour.chip_usd * waited + equipment * installed) * HOURS
    running = (hour.total_usd - hour.chip_usd - equipment) * HOURS
    term = max(1, round(float(np.asarray(owning.life_s)) / QUARTER_S))
    return Offer(name, vendor, pool, True, own_silicon, term, lead, available, capital, running,
                 price_usd + np.asarray(owning.server_usd), rate)
