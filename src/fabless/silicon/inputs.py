"""Facts become the parameters of the models, and a chip becomes what they take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.catalogue import Catalogue
from fabless.errors import BadValue, Fault, unknown
from fabless.records import Array, Chip, ProcessNode
from fabless.silicon.area import AreaModel, DieContent, matrix_macs
from fabless.silicon.carbon import CarbonModel
from fabless.silicon.power import PowerModel

AREA, POWER, CARBON = "silicon-area", "silicon-power", "silicon-carbon"
"""Entities that hold the parameters."""


def numbers(catalogue: Catalogue, entity: str) -> dict[str, float]:
    """Field -> value of every number of an entity."""
    return {fact.field: fact.value for fact in catalogue.facts_of(entity) if isinstance(fact.value, float)}


def area_model(catalogue: Catalogue) -> AreaModel:
    """Parameters of the area model."""
    value = numbers(catalogue, AREA)
    narrow = {name.removeprefix("narrow_"): number for name, number in value.items() if name.startswith("narrow_")}
    return AreaModel(
        mac_m2=value["mac_area"], lane_m2=value["lane_area"], sram_overhead=value["sram_overhead"],
        rest_share=value["rest_share"], fixed_m2=value["fixed_area"],
        reference_density=value["reference_density"], narrow=narrow, wide_lane=value["wide_lane"],
        link_m2_per_rate=value["link_area"] / value["link_rate"],
        die_to_die_m2=value["die_to_die_area"], step_m2=value["area_step"],
        macs_per_lane=value["macs_per_lane"], repairable_share=value["repairable_share"],
        aspect_most=value["aspect_most"],
        stack_overhang=value["stack_overhang"],
    )


def power_model(catalogue: Catalogue) -> PowerModel:
    """Parameters of the power model."""
    value = numbers(catalogue, POWER)
    return PowerModel(
        matrix_j=value["matrix_energy"], vector_j=value["vector_energy"],
        static_w_per_m2=value["static"], fixed_w=value["fixed_power"],
        frequency_exponent=value["frequency_exponent"],
        link_j_per_byte=value["link_energy"],
    )


def carbon_model(catalogue: Catalogue) -> CarbonModel:
    """Parameters of the carbon model."""
    value = numbers(catalogue, CARBON)
    return CarbonModel(value["raw_material"], value["grid"], value["package"], value["memory"])


def process_node_of(catalogue: Catalogue, name: str | None, place: str) -> ProcessNode:
    """A process node by name; `UnknownName` lists every known one, `BadValue` when there is no
    name."""
    known = catalogue.entities("nodes")
    if name is None:
        raise BadValue(Fault(f"{place}: node", "missing", ", ".join(known), "state the process on "
                                                                            "which the dies are "
                                                                            "made"))
    if name not in known:
        raise unknown("process node", name, known, f"{place}: node")
    return catalogue.node(name)


def _known(name: str, value: float | None, node: str) -> float:
    if value is None:
        raise BadValue(
            Fault(
                f"process node {node}", f"no visible fact gives {name}", "a node with this figure",
                "choose another node",
            )
        )
    return value


def densities(node: ProcessNode) -> tuple[float, float]:
    """Logic [1/m2] and SRAM [bit/m2] density of a node; `BadValue` where unknown."""
    return (_known("logic_density", node.logic_density, node.name), _known("sram_density", node.sram_density, node.name))


@dataclass(frozen=True, kw_only=True)
class Silicon:
    """What a chip has on its dies, as sold and as built; of the whole package."""

    clock_hz: float
    matrix_flops: float
    """bf16-equivalent rate, as sold [FLOP/s]."""
    vector_flops: float
    """fp32 rate of the vector units, as sold [FLOP/s]."""
    content: DieContent
    compute_dies: int
    base_dies: int
    """Dies of another node that carry memory, links and on-chip memory; 0 where the compute dies
    do."""
    base_node: str | None
    assumed: tuple[str, ...]
    """What no source gives, with what was taken instead."""


def interface(catalogue: Catalogue, memory_type: str | None) -> tuple[float | None, float | None]:
    """Interface area [m2] and energy [J/B] of a kind of memory; None where no fact gives it."""
    if memory_type is None or memory_type not in catalogue.entities("memory"):
        return None, None
    value = numbers(catalogue, memory_type)
    return value.get("interface_area"), value.get("energy")


def silicon_of(catalogue: Catalogue, chip: Chip, model: AreaModel) -> Silicon | None:
    """What stands on a chip's dies; None where its on-chip memory is not known, as then nothing can
    be said of its area.

    Where the clock, the vector rate or the number of memory interfaces is not known, the class's is
    taken and said.
    """
    built, assumed = chip.architecture, []
    if built.on_chip_bytes is None or not _matrix_rates(chip):
        return None
    node = process_node_of(catalogue, chip.node, chip.name)
    clock = built.clock_hz
    if clock is None:
        clock = _known("clock", node.clock_hz, node.name)
        assumed.append(f"clock: no source; {clock / 1e9:g} GHz, usual on {node.name}")
    main = next((die for die in built.dies if die.node in (None, chip.node)), None)
    ratio = main.units / main.units_needed if main else 1.0
    macs = float(matrix_macs(_matrix_rates(chip), clock, model.narrow))
    if built.vector_flops is None:
        vector = 2.0 * clock * macs / model.macs_per_lane
        assumed.append(f"vector units: no source; one lane to {model.macs_per_lane:g} multiply-accumulates")
    else:
        vector = built.vector_flops
    site, _ = interface(catalogue, chip.memory_type)
    sites = built.memory_sites if built.memory_sites is not None else chip.hbm_stacks or 0
    others = [die for die in built.dies if die.node not in (None, chip.node)]
    dies = sum(die.count for die in built.dies if die not in others) or 1
    content = DieContent(
        macs=macs * ratio,
        lanes=(vector + model.wide_lane * (built.wide_flops or 0.0)) / (2.0 * clock) * ratio,
        sram_bytes=built.on_chip_bytes, memory_sites=sites, memory_site_m2=site or 0.0,
        link_bandwidth=chip.scale_up_bandwidth, neighbours=1.0 if dies > 1 or others else 0.0,
    )
    return Silicon(
        clock_hz=clock, matrix_flops=2.0 * clock * macs, vector_flops=vector, content=content,
        compute_dies=dies, base_dies=sum(die.count for die in others),
        base_node=others[0].node if others else None, assumed=tuple(assumed))


def _matrix_rates(chip: Chip) -> dict[str, float]:
    return {name: rate for name, rate in chip.peak_flops.items() if name in ("bf16", "fp16", "fp8", "int8", "fp4")}


def die_share(content: DieContent, dies: int, *, compute: bool = True, rest: bool = True) -> DieContent:
    """What one of `dies` equal dies carries: the compute units, the rest, or both."""
    def part(value: ArrayLike, wanted: bool) -> Array:
        return np.asarray(value, dtype=float) / dies * wanted

    return DieContent(
        macs=part(content.macs, compute), lanes=part(content.lanes, compute),
        sram_bytes=part(content.sram_bytes, rest), memory_sites=part(content.memory_sites, rest),
        memory_site_m2=content.memory_site_m2, link_bandwidth=part(content.link_bandwidth, rest),
        neighbours=content.neighbours, hosts=float(rest),
    )
