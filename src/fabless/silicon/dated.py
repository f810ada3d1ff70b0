"""Prices and densities of a process, a memory and a packaging service on a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.timeline import range_at
from fabless.errors import BadValue, Fault, UnknownName
from fabless.records import Fact, MemoryType, Packaging, ProcessNode, Range
from fabless.silicon.die_yield import defect_density_at
from fabless.units import DAY_S


class Dating:
    """Reads ranges on a day, or the newest ones where no day is given, and remembers which facts
    were used."""

    def __init__(self, catalogue: Catalogue, day: dt.date | None) -> None:
        self.catalogue, self.day = catalogue, day
        self.used: dict[tuple[str, str], tuple[Fact, ...]] = {}
        self.held: list[str] = []

    def range(self, entity: str, field: str) -> Range | None:
        """A field on the day; None where no fact gives it."""
        try:
            series = self.catalogue.series(entity, field)
        except UnknownName:
            return None
        if self.day is None:
            fact = self.catalogue.fact(entity, field)
            self.used[entity, field] = (fact,)
            return self.catalogue.range(entity, field)
        dated = range_at(series, self.day)
        self.used[entity, field] = dated.facts
        if dated.held:
            self.held.append(f"{entity} {field}: no figure near {self.day}; that of {dated.facts[0].period} is held")
        return dated.spread

    def known(self, entity: str, *fields: str) -> None:
        """Note facts that do not move with time."""
        for field in fields:
            try:
                self.used[entity, field] = (self.catalogue.fact(entity, field),)
            except UnknownName:
                continue


def node_on(dating: Dating, node: ProcessNode) -> ProcessNode:
    """A process on the day: its wafer price, and its defect density at that age of the process.

        D(t) = D_mature + (D_launch - D_mature) exp(-t / tau) for the low, middle and high mature density.

    Without a day the process is mature. Raises `BadValue` for a day before volume production.
    """
    price = dating.range(node.name, "wafer_price") or node.wafer_price_usd
    dating.known(node.name, "defect_density", "clustering")
    if dating.day is None or node.volume_start is None or node.launch_defect_density is None or node.learning_s is None:
        return replace(
            node, wafer_price_usd=price, mask_set_usd=dating.range(node.name, "mask_set"),
            design_cost_usd=dating.range(node.name, "design_cost"),
        )
    if dating.day < node.volume_start:
        raise BadValue(
            Fault(
                "--at", f"{dating.day} on {node.name}",
                f"a day from {node.volume_start}, its volume start",
                "choose a later quarter or an older node",
            )
        )
    dating.known(node.name, "launch_defect_density", "volume_start", "learning")
    age = (dating.day - node.volume_start).days * DAY_S
    mature = node.defect_density
    low, mode, high = defect_density_at(
        age, node.launch_defect_density, np.array([mature.low, mature.mode, mature.high]),
        node.learning_s,
    )
    return replace(
        node, wafer_price_usd=price, defect_density=Range(float(low), float(mode), float(high)),
        mask_set_usd=dating.range(node.name, "mask_set"),
        design_cost_usd=dating.range(node.name, "design_cost"),
    )


def memory_on(dating: Dating, memory: MemoryType) -> MemoryType:
    """A memory at its price of the day."""
    return replace(memory, price_usd_per_byte=dating.range(memory.name, "price") or memory.price_usd_per_byte)


def packaging_on(dating: Dating, packaging: Packaging) -> Packaging:
    """A packaging service at its prices of the day."""
    dating.known(packaging.name, "attach_yield", "probe_coverage", "interposer_area_per_die_area")
    return replace(
        packaging, interposer_wafer_usd=dating.range(packaging.name, "service_price"),
        substrate_usd=dating.range(packaging.name, "substrate_price") or packaging.substrate_usd,
        test_usd=dating.range(packaging.name, "test_price") or packaging.test_usd,
    )
