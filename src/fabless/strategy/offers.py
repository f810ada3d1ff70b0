"""What lines, programmes and the fleet in place offer a plan, as arrays by node-quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fabless.case_records import Case, Line, ProgrammeSpec
from fabless.market import arrival_quarter, of_generation, price_path_usd
from fabless.quote import Owning, owned_hour
from fabless.records import Array, Chip
from fabless.strategy.outlook import Fate, Outlook, grown, terms_of
from fabless.tco import discount_factor, rented_chip_hour
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
    """Line or programme whose offers share it; a programme has one pool for each moment at which it may start."""
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
    site_power_w: float = 0.0
    """Power at hand that a chip takes up: rated, with its server and cooling; none where it stands on another's site."""


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
    market = terms_of(case, outlook, line.vendor)
    efficiency = term.get("efficiency", np.ones(quarter.size))
    lead_s = term["lead_normal"] + scarce * (term["lead_scarce"] - term["lead_normal"]) + market.delay_s
    allotment = term["allotment"] * grown(outlook, term["allotment_growth"], quarter)
    pool = Pool(line.name, line.name, allotment * market.allotment)
    if line.how == "rent":
        price = line_price(case, line, outlook)
        return [_rented(case, line, pool, price, lead_s, quarter >= start, rates(case, outlook, does, efficiency))]
    offers = []
    for generation in range(line.successors + 1):
        arrival, gain, dearer, hotter = np.full(quarter.size, start), *np.ones((3, quarter.size))
        if generation:
            arrival, gain = _coming(line, generation, outlook, start)
            dearer, hotter = (term[f"successor_{key}"] ** generation for key in ("price", "power"))
        age = np.maximum(quarter - arrival, 0) if generation else quarter
        offers.append(owned_offer(
            f"{line.name}+{generation}" if generation else line.name, line.vendor, pool, line.chip,
            line_price(case, line, outlook, age, dearer),
            lead_s, outlook.values["owning.installation"], quarter >= arrival,
            rates(case, outlook, does, efficiency * gain), hotter * does.power_w, owning, hotter,
            site_power_w=site_power_w(case, line.chip, line.terms.get("successor_power"), generation),
            prepaid=line.prepaid))
    return offers


def line_price(
    case: Case, line: Line, outlook: Outlook, age: NDArray[np.int64] | None = None, dearer: ArrayLike = 1.0
) -> Array:
    """Price of a chip of a line, or its rent by the second, at each node-quarter, discount off [USD, or USD/s].

    `age` is in quarters since the chip came (default: since the first quarter), `dearer` its price over that of today's.
    """
    term = {key: outlook.values[name] for key, name in line.terms.items() if key in ("price", "price_decline", "discount")}
    market = terms_of(case, outlook, line.vendor)
    price = price_path_usd(term["price"] * np.asarray(dearer), term["price_decline"],
                           outlook.tree.quarter if age is None else age, market.price)
    return np.asarray(price * (1.0 - term.get("discount", np.zeros(outlook.tree.size))))


def _coming(line: Line, generation: int, outlook: Outlook, start: int) -> tuple[NDArray[np.int64], Array]:
    """Quarter of arrival of a coming generation as known at each node-quarter, and its throughput over today's.

    Gains multiply: the usual one of a generation times the factor of its own, of each generation until this one. What
    has arrived has arrived: later news does not take it back.
    """
    values, quarter, parent = outlook.values, outlook.tree.quarter, outlook.tree.parent

    def own(term: str) -> list[Array]:
        name = line.terms.get(term)
        return [np.ones(quarter.size) if name is None else values[of_generation(name, g)] for g in range(1, generation + 1)]

    first, gap, usual = (values[line.terms[f"successor_{key}"]] for key in ("first", "gap", "gain"))
    arrival = arrival_quarter(first, gap, own("successor_slip"), start).astype(np.int64)
    for now in range(1, outlook.tree.quarters):
        here = np.flatnonzero(quarter == now)
        before = arrival[parent[here]]
        arrival[here] = np.where(before < now, before, arrival[here])
    return arrival, usual**generation * np.prod(own("successor_gain_spread"), axis=0)


def programme_offers(
    case: Case, programme: ProgrammeSpec, outlook: Outlook, fate: Fate, does: Throughput, owning: Owning,
    label: str | None = None,
) -> list[Offer]:
    """Offers of a programme: its chip once it is in volume, and its second generation after that; named by `label`.

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
    market = terms_of(case, outlook, programme.chip.vendor)
    label = label or programme.name
    allotment = values[f"{name}.allotment"] * grown(outlook, values[f"{name}.allotment_growth"], since)
    pool = Pool(label, programme.name, allotment * market.allotment)
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
        offers.append(owned_offer(
            f"{label}+{generation}" if generation else label, programme.chip.vendor, pool,
            programme.chip, price * values[f"{name}.successor_price"] ** generation + support_usd,
            fab_s + market.delay_s, installation_s, ready, served, hotter * does.power_w, owning, hotter,
            site_power_w=site_power_w(case, programme.chip, f"{name}.successor_power", generation),
            own_silicon=programme.route != "partner"))
    return offers


def existing_offer(case: Case, outlook: Outlook, does: Throughput) -> tuple[Offer, Array, float]:
    """The fleet in place: an offer that nobody can order, its chips by quarter, and its rent per chip and quarter."""
    size = outlook.tree.size
    none = Pool("existing", "existing", np.zeros(size))
    offer = Offer("existing", case.existing_vendor, none, False, False, 1, np.zeros(size, np.int64), np.zeros(size, bool),
                  np.zeros(size), np.zeros(size), np.zeros(size), rates(case, outlook, does, np.ones(size)))
    count, price, years_s = (case.numbers[f"existing.{key}"].spread.mode for key in ("count", "price", "years"))
    chips = count * np.clip(1.0 - np.arange(case.quarters) * QUARTER_S / years_s, 0.0, None)
    return offer, chips, float(rented_chip_hour(price).total_usd) * HOURS


def rates(case: Case, outlook: Outlook, does: Throughput, factor: Array) -> Array:
    """Load served by one chip in one quarter, at the work of a query and training utilisation."""
    values = outlook.values
    share = {load.name: values["demand.load_factor"] / outlook.work if load.kind == "inference"
             else values[f"loads.{load.name}.utilisation"] for load in case.loads}
    return np.array([does.per_second[load.name] * QUARTER_S * factor * share[load.name] for load in case.loads])


def site_power_w(case: Case, chip: Chip, hotter: str | None, generation: int) -> float:
    """Rated power of a chip of a generation with its server and cooling, at the modes [W]."""
    server, pue = (case.numbers[f"owning.{key}"].spread.mode for key in ("server_power", "pue"))
    grows = case.numbers[hotter].spread.mode if hotter and generation else 1.0
    return float(chip.tdp_w * server * pue * grows**generation)


def _quarters(time_s: Array) -> NDArray[np.int64]:
    return np.asarray(np.rint(time_s / QUARTER_S), dtype=np.int64)


def _rented(
    case: Case, line: Line, pool: Pool, usd_per_s: Array, lead_s: Array, available: NDArray[np.bool_], rate: Array
) -> Offer:
    per_quarter = rented_chip_hour(usd_per_s).total_usd * HOURS
    term = max(1, round((line.term_s or QUARTER_S) / QUARTER_S))
    return Offer(line.name, line.vendor, pool, False, False, term, _quarters(lead_s), available, per_quarter,
                 np.zeros(per_quarter.shape), per_quarter * line.prepaid * term, rate)


def owned_offer(
    name: str, vendor: str, pool: Pool, chip: Chip, price_usd: Array, delivery_s: Array, installation_s: Array,
    available: NDArray[np.bool_], rate: Array, power_w: Array, owning: Owning, hotter: Array, *, site_power_w: float,
    prepaid: bool = False, own_silicon: bool = False,
) -> Offer:
    """An offer of chips of one generation; `hotter` is its rated power over that of `chip`.

    What is paid before the first hour of service costs interest: server and network from delivery through installation,
    the chip from delivery or, if prepaid, from the order.
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
                 price_usd + np.asarray(owning.server_usd), rate, site_power_w)
