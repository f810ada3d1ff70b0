"""Area, power and cost of arrays of designs on one node: the pure function that a search runs on
every chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import number
from fabless.records import Array, MemoryType, Packaging, ProcessNode
from fabless.silicon.area import AreaModel, DieContent, die_blocks, matrix_macs
from fabless.silicon.design import Design, Die
from fabless.silicon.geometry import FIELD_M, die_sides, stacks_along_edge
from fabless.silicon.power import PowerModel, rated_power
from fabless.silicon.unit_cost import CostInputs, unit_cost


@dataclass(frozen=True, kw_only=True)
class Technology:
    """Everything that all designs of one evaluation share."""

    node: ProcessNode
    memory: MemoryType
    packaging: Packaging
    area: AreaModel
    power: PowerModel
    cost: CostInputs
    """Cost inputs of the node, the memory and the packaging."""


@dataclass(frozen=True, kw_only=True)
class Designs:
    """Designs as columns of one length [SI]."""

    units: Array
    """Matrix units on a die that must work."""
    rows: Array
    """Multiply-accumulates down a matrix unit [1]."""
    columns: Array
    """Multiply-accumulates across a matrix unit [1]."""
    clock_hz: Array
    sram_bytes: Array
    """On-chip memory of one die."""
    stacks: Array
    """Memory stacks of the package."""
    stack_bytes: Array
    dies: Array
    """Logic dies of the package."""
    link_bandwidth: Array
    """Link bandwidth of the package, one way [B/s]."""
    width: Array
    """Bits of the narrowest format that runs at twice the rate of the next wider: 16, 8 or 4."""

    @property
    def size(self) -> int:
        """Number of designs."""
        return int(self.units.size)

    def take(self, chosen: ArrayLike) -> Designs:
        """The designs at the given places."""
        at = np.asarray(chosen)
        return Designs(**{name: getattr(self, name)[at] for name in self.__dataclass_fields__})

    @property
    def bf16_flops(self) -> Array:
        """Dense 16-bit rate of the package [FLOP/s]."""
        return 2.0 * self.units * self.rows * self.columns * self.clock_hz * self.dies


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Area, power and unit cost of designs."""

    die_area_m2: Array
    interposer_area_m2: Array
    """Interposer area; zero if the package has no interposer."""
    power_w: Array
    unit_cost_usd: Array
    memory_bytes: Array
    memory_bandwidth: Array
    bf16_flops: Array


SPARE_SHARE = 16
"""Units that must work for each spare one."""
NARROW = {16: ("bf16",), 8: ("bf16", "fp8"), 4: ("bf16", "fp8", "fp4")}
"""Formats of a design by its narrowest width; each halving of the width doubles the rate."""


def built_units(units: ArrayLike) -> Array:
    """Matrix units as built: one spare for every `SPARE_SHARE` that must work, at least one above
    one."""
    needed = number(units)
    return np.asarray(needed + np.where(needed > 1, np.ceil(needed / SPARE_SHARE), 0.0))


def die_area(designs: Designs, technology: Technology) -> Array:
    """Area of one die of each design [m2], spares included."""
    node, model = technology.node, technology.area
    macs = np.asarray(designs.rows * designs.columns * built_units(designs.units))
    rates = {16: number(1.0), 8: number(2.0), 4: number(4.0)}
    demand = number(1.0)
    for bits, rate in rates.items():
        name = NARROW[bits][-1]
        relative = matrix_macs({name: 2.0 * rate}, 1.0, model.narrow)
        demand = np.maximum(demand, np.where(designs.width <= bits, relative, 1.0))
    content = DieContent(
        macs=macs * demand, lanes=macs / model.macs_per_lane, sram_bytes=designs.sram_bytes,
        memory_sites=designs.stacks / designs.dies,
        memory_site_m2=technology.memory.interface_area_m2 or 0.0,
        link_bandwidth=designs.link_bandwidth / designs.dies,
        neighbours=np.where(designs.dies > 1, 1.0, 0.0),
    )
    return die_blocks(model, content, logic_density=node.logic_density or 0.0, sram_density=node.sram_density or 0.0).total


def package_power(designs: Designs, area_m2: ArrayLike, technology: Technology) -> Array:
    """Rated power of the package of each design [W]."""
    node, memory = technology.node, technology.memory
    flops = designs.bf16_flops
    return rated_power(
        technology.power, matrix_flops=flops, vector_flops=flops / technology.area.macs_per_lane,
        memory_bandwidth=designs.stacks * memory.stack_bandwidth,
        memory_j_per_byte=memory.energy_per_byte or 0.0, link_bandwidth=designs.link_bandwidth,
        logic_area_m2=number(area_m2) * designs.dies, energy_scale=node.energy_scale or 1.0,
        clock_ratio=designs.clock_hz / (node.clock_hz or 1.0),
    ).total


def most_stacks(designs: Designs, area_m2: ArrayLike, technology: Technology) -> Array:
    """Stacks that fit along the edges of each design's dies; infinity where the memory's width is
    not known."""
    width = technology.memory.stack_width_m
    if width is None:
        return np.full(designs.size, np.inf)
    _, long = die_sides(area_m2, technology.area.aspect_most)
    return stacks_along_edge(long, designs.dies, width, technology.area.stack_overhang)


def fits_field(area_m2: ArrayLike) -> Array:
    """Whether an exposure field prints the die (1) or not (0)."""
    return np.asarray(number(area_m2) <= FIELD_M[0] * FIELD_M[1] * (1 + 1e-9), dtype=float)


def evaluate(designs: Designs, technology: Technology, area_m2: ArrayLike | None = None) -> Evaluation:
    """Area, power and unit cost of every design.

    Each design is one kind of die, equal units on it with a spare for every sixteen, memory stacks
    of one generation.
    Parameters: `designs`, every one of which fits an exposure field; `technology`; `area_m2` of the dies where it has
    been computed before. The formulas are those of `die_blocks`, `rated_power` and `unit_cost`, so
    that a design saved as a chip file costs the same there. Raises `DoesNotFit` for a die over the
    field.
    """
    area = die_area(designs, technology) if area_m2 is None else number(area_m2)
    spread = built_units(designs.units)
    package = Design(
        (Die(area, designs.dies, spread, designs.units,
             np.where(spread > designs.units, technology.area.repairable_share, 0.0)),),
        designs.stacks * designs.stack_bytes, designs.stacks, technology.memory.stack_area_m2)
    cost = unit_cost(package, technology.cost)
    return Evaluation(
        die_area_m2=area, interposer_area_m2=cost.interposer_area_m2,
        power_w=package_power(designs, area, technology), unit_cost_usd=cost.total_usd,
        memory_bytes=designs.stacks * designs.stack_bytes,
        memory_bandwidth=designs.stacks * technology.memory.stack_bandwidth,
        bf16_flops=designs.bf16_flops,
    )
