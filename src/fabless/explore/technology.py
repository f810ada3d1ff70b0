"""Technology of all designs of an exploration: process, memory, packaging and model parameters."""

from __future__ import annotations

import datetime as dt
import math

from fabless.catalogue import Catalogue
from fabless.errors import BadValue, Fault, unknown
from fabless.explore.limits import DesignLimits
from fabless.silicon.dated import Dating, memory_on, node_on, packaging_on
from fabless.silicon.evaluate import Technology
from fabless.silicon.inputs import AREA, POWER, area_model, numbers, power_model, process_node_of
from fabless.silicon.unit_cost import CostInputs


def technology_of(
    catalogue: Catalogue, node: str, memory: str, packaging: str, at: dt.date | None = None
) -> Technology:
    """Process, memory and packaging by name, at the prices of a day; unknown names list the known
    ones.

    Raises `BadValue` naming everything that the models need and no fact gives.
    """
    stacked = [name for name in catalogue.entities("memory") if {"price", "footprint"} <= numbers(catalogue, name).keys()]
    if memory not in stacked:
        raise unknown("stacked memory", memory, stacked, "memory")
    services = [name for name in catalogue.entities("packaging") if "service_price" in numbers(catalogue, name)]
    if packaging not in services:
        raise unknown("packaging service", packaging, services, "packaging")
    dating = Dating(catalogue, at)
    process = node_on(dating, process_node_of(catalogue, node, "node"))
    stack = memory_on(dating, catalogue.memory(memory))
    service = packaging_on(dating, catalogue.packaging(packaging))
    lacking = [
        f"{process.name} {name}"
        for name in ("logic_density", "sram_density", "energy_scale", "clock_hz")
        if getattr(process, name) is None
    ]
    lacking += [f"{stack.name} {name}" for name in ("interface_area_m2", "energy_per_byte") if getattr(stack, name) is None]
    if lacking:
        raise BadValue(
            Fault(
                "technology", f"no visible fact gives {', '.join(lacking)}", "a figure for each",
                "choose another node or memory, or a later --as-of",
            )
        )
    return Technology(
        node=process, memory=stack, packaging=service, area=area_model(catalogue),
        power=power_model(catalogue), cost=CostInputs.of(process, stack, service),
    )


def limits_of(catalogue: Catalogue, technology: Technology, power_w: float) -> DesignLimits:
    """Limits of a technology, with the rated power that is allowed [W]."""
    area, power = numbers(catalogue, AREA), numbers(catalogue, POWER)
    stack = numbers(catalogue, technology.memory.name)
    interposer = technology.packaging.interposer_limit_m2
    return DesignLimits(
        power_w=power_w, power_density_w_per_m2=power["density_limit"],
        stack_bytes=stack.get("stack_capacity_most", technology.memory.stack_bytes),
        link_edge_m=area["link_lane_edge"] / area["link_lane_rate"],
        interposer_m2=math.inf if interposer is None else interposer)
