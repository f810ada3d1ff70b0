"""A model on a chip at a price: time, cost and energy of a query.

This is where the performance model meets the cost of ownership; `fabless cost` prints it and the
plan is fed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.entities import CLASS_PREFIX, EFFICIENCY, ENGINE, efficiency_entity
from fabless.errors import BadValue, Fault, UnknownName, unknown
from fabless.perf import Calibration, Efficiency, Engine, ServiceTerms, Serving, serve
from fabless.perf.training import TrainingCalibration, calibrate
from fabless.records import LLM, Chip, Fact, Request
from fabless.tco import (
    ChipHour,
    Owning,
    chip_hour_cost,
    rented_chip_hour,
    usd_per_million_tokens,
    usd_per_query,
)
from fabless.units import HOUR_S, YEAR_S

PRICE_FIELDS = (("price_street", "price_average"), ("price_list",), ("price_board_share",), ("price_model",))
"""Groups of kinds of purchase price, the preferred first; the newest of a group counts."""
RENT_FIELDS = (("rent_reserved_1y",), ("rent_on_demand",), ("rent_reserved_3y",), ("rent_capacity_block",), ("rent_spot",))
"""Groups of kinds of rent, the preferred first; a provider's name may follow a dot."""
HELD = {"own": PRICE_FIELDS, "rent": RENT_FIELDS}
"""How a chip is held -> the kinds of price that count."""
_PRICE_WORDS = {"": "price", "own": "purchase price", "rent": "rent"}
OWNING_FACTS = (
    "discount_rate", "colocation_price", "electricity_price", "pue", "server_power_share",
    "server_network_cost", "accelerator_life", "residual_share", "maintenance_share", "staff_share",
)
"""Facts on data centres that make up the cost of owning, in the order in which they are printed."""
_ENGINE_PREFIX = "engine-"
_ERRORS = ("error_median", "error_p90")
"""Fields of a class that state the error of the model on its chips."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """One model on one chip."""

    model: str
    chip: str
    price: Fact
    """Price of a chip: USD if owned, USD/s if rented."""
    serving: Serving
    hour: ChipHour
    usd_per_chip_hour: float
    usd_per_million_output_tokens: float
    usd_per_query: float
    calibration: Calibration
    """Efficiencies used, with their error against measurements."""
    wh_per_query: float
    """Energy per query at the wall of the site: chips, servers and cooling."""


def hour_at_price(
    price: Fact, owning: Owning, *, rated_power_w: ArrayLike, average_power_w: ArrayLike
) -> ChipHour:
    """Cost of an hour of a chip at its purchase price, or at its rent."""
    if price.unit.endswith("/h"):
        return rented_chip_hour(number_of(price))
    return chip_hour_cost(
        number_of(price), owning, rated_power_w=rated_power_w, average_power_w=average_power_w)


def owning_of(catalogue: Catalogue) -> tuple[Owning, tuple[Fact, ...]]:
    """Cost of owning from the catalogue's facts on data centres, and those facts."""
    facts = {name: catalogue.fact("datacentre", name) for name in OWNING_FACTS}
    known = {name: number_of(fact) for name, fact in facts.items()}
    return Owning(
        real_rate=known["discount_rate"], colocation_usd_per_w_s=known["colocation_price"],
        electricity_usd_per_j=known["electricity_price"], pue=known["pue"],
        server_power=known["server_power_share"], server_usd=known["server_network_cost"],
        life_s=known["accelerator_life"], residual_share=known["residual_share"],
        upkeep_per_s=(known["maintenance_share"] + known["staff_share"]) / YEAR_S,
    ), tuple(facts.values())


def number_of(fact: Fact) -> float:
    """Value of a fact that must be a number."""
    if not isinstance(fact.value, float):
        raise BadValue(Fault(fact.place, f"{fact.entity} {fact.field} is {fact.unit}", "a number", "name another fact"))
    return fact.value


def price_of(catalogue: Catalogue, chip: str, held: str = "") -> Fact:
    """Price of a chip: its purchase price, or its rent if only a cloud offers it; `held` (own or
    rent) asks for one of the two.

    Of several prices the newest visible one of the preferred kind counts. Raises `BadValue` when
    none is known on the as-of date, `UnknownName` for another word in `held`.
    """
    if held and held not in HELD:
        raise unknown("way of holding a chip", held, tuple(HELD), "--held")
    try:
        facts: Sequence[Fact] = catalogue.facts_of(chip)
    except UnknownName:  # a chip of a file of the user's own
        facts = ()
    is_clouds_own = any(fact.field == "kind" and fact.value == "custom" for fact in facts)
    usual = (RENT_FIELDS, PRICE_FIELDS) if is_clouds_own else (PRICE_FIELDS, RENT_FIELDS)
    for kinds in (HELD[held],) if held else usual:
        for wanted in kinds:
            stated = [fact for fact in facts if fact.field.partition(".")[0] in wanted]
            if stated:
                return max(stated, key=lambda fact: (fact.known, fact.period, fact.field))
    raise BadValue(
        Fault(
            chip, f"no {_PRICE_WORDS[held]} is known"
            + (f" by {catalogue.as_of}" if catalogue.as_of else ""),
            f"a chip with a {_PRICE_WORDS[held] if held else 'purchase or rental price'}",
            "give --price, such as '25000 USD' or '2.5 USD/h', or choose a later --as-of",
        )
    )


def efficiency_class(catalogue: Catalogue, chip: Chip | None = None) -> tuple[str, str]:
    """Class of efficiencies of a chip, and a sentence that says why.

    Its own class where that is known by then, or that of the chip it names as donor; else its
    vendor's; else `EFFICIENCY`.
    """
    entities = catalogue.entities("perf")
    classes = [name.removeprefix(CLASS_PREFIX) for name in entities if name.startswith(CLASS_PREFIX)]
    if chip is None:
        return EFFICIENCY, "the default efficiencies"
    if chip.efficiency in classes:
        return str(chip.efficiency), f"efficiencies of {chip.efficiency}"
    if chip.efficiency and chip.efficiency in catalogue.chips():
        inherited, _ = efficiency_class(catalogue, catalogue.chip(chip.efficiency))
        return inherited, f"inherits {inherited} from {chip.efficiency}"
    if chip.efficiency and chip.name not in catalogue.chips():
        raise unknown(
            "class of efficiencies or chip", chip.efficiency, [*classes, *catalogue.chips()],
            f"{chip.name}.efficiency",
        )
    vendor = f"vendor-{chip.vendor.lower()}"
    if vendor in entities:
        name = str(catalogue.fact(vendor, "efficiency").value)
        return name, f"inherits {name} from other chips of {chip.vendor}"
    return EFFICIENCY, f"nothing is measured on {chip.name} or like it: {EFFICIENCY} efficiencies"


def calibration_of(catalogue: Catalogue, chip: Chip | None = None, engine: str = ENGINE) -> Calibration:
    """Efficiencies for a chip and an engine; raises `UnknownName` for an engine or class that is
    not known."""
    name, said = efficiency_class(catalogue, chip)
    values = {fact.field: number_of(fact) for fact in catalogue.facts_of(efficiency_entity(name))}
    median, p90 = (values.pop(field) for field in _ERRORS)
    engines = [entity for entity in catalogue.entities("perf") if entity.startswith(_ENGINE_PREFIX)]
    if engine not in engines:
        raise unknown("engine", engine, engines, "engine")
    host = {fact.field: number_of(fact) for fact in catalogue.facts_of(engine)}
    return Calibration(
        efficiency=Efficiency.of(values), engine=Engine.of(host), name=name, said=said,
        error_median=median, error_p90=p90,
    )


def training_calibration(
    catalogue: Catalogue, chip: Chip | None, stack: str
) -> TrainingCalibration:
    """Training efficiencies of a chip and a stack from the catalogue's facts."""
    values = {entity: {fact.field: number_of(fact) for fact in catalogue.facts_of(entity)}
              for entity in catalogue.entities("training") if entity.startswith("training-")}
    return calibrate(
        values, efficiency_class(catalogue, chip)[0], stack, catalogue.entities("perf"),
        inherited=chip is not None and chip.name not in catalogue.chips(),
    )


def quote(
    llm: LLM, chip: Chip, request: Request, price: Fact, owning: Owning, calibration: Calibration,
    terms: ServiceTerms,
) -> Quote:
    """Time, cost and energy of a query of `llm` on `chip`.

    Chips are provisioned for the peak of the load: the idle hours are in the cost.

        USD/query = USD/chip-hour / 3600 * chip-seconds/query
        Wh/query  = chip energy * server power share * PUE / 3600

    Raises the same errors as `perf.serve`.
    """
    serving = serve(llm, chip, request, terms, calibration)
    hour = hour_at_price(
        price, owning, rated_power_w=chip.tdp_w, average_power_w=serving.power_w_per_chip)
    total = float(hour.total_usd)
    wall = float(np.asarray(owning.server_power) * np.asarray(owning.pue))
    return Quote(
        model=llm.name, chip=chip.name, price=price, serving=serving, hour=hour,
        usd_per_chip_hour=total,
        usd_per_million_output_tokens=float(
            usd_per_million_tokens(total, serving.output_tokens_per_s_per_chip)
        ),
        usd_per_query=float(usd_per_query(total, serving.chip_seconds_per_query)),
        calibration=calibration,
        wh_per_query=serving.energy_j_per_query * wall / HOUR_S,
    )
