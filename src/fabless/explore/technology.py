"""What all designs of an exploration share: process, memory, packaging and the parameters of the models."""

from __future__ import annotations

import datetime as dt

from fabless.catalogue import Catalogue
from fabless.errors import BadValue, Fault, unknown
from fabless.silicon.dated import Dating, memory_on, node_on, packaging_on
from fabless.silicon.evaluate import Technology
from fabless.silicon.inputs import area_model, node_of, power_model
from fabless.silicon.unit_cost import CostInputs


def technology_of(
    catalogue: Catalogue, node: str, memory: str, packaging: str, at: dt.date | None = None
) -> Technology:
    """Process, memory and packaging by name, at the prices of a day; unknown names list the known ones.

    Raises `BadValue` naming everything that the models need and no fact gives.
    """
    if memory not in catalogue.entities("memory"):
        raise unknown("memory type", memory, catalogue.entities("memory"), "memory")
    if packaging not in catalogue.entities("packaging"):
        raise unknown("packaging service", packaging, catalogue.entities("packaging"), "packaging")
    dating = Dating(catalogue, at)
    process = node_on(dating, node_of(catalogue, node, "node"))
    stack = memory_on(dating, catalogue.memory(memory))
    service = packaging_on(dating, catalogue.packaging(packaging))
    lacking = [f"{process.name} {name}" for name in ("logic_density", "sram_density", "energy_scale", "clock_hz")
               if getattr(process, name) is None]
    lacking += [f"{stack.name} {name}" for name in ("interface_area_m2", "energy_per_byte") if getattr(stack, name) is None]
    if lacking:
        raise BadValue(Fault("technology", f"no visible fact gives {', '.join(lacking)}", "a figure for each",
                             "choose another node or memory, or a later --as-of"))
    return Technology(process, stack, service, area_model(catalogue), power_model(catalogue),
                      CostInputs.of(process, stack, service))
