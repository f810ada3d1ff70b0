"""Area of a logic die, block by block, from its architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array


@dataclass(frozen=True, kw_only=True)
class AreaModel:
    """Parameters shared by all chips; logic areas at `reference_density`."""

    mac_m2: float
    """One bf16 multiply-accumulate of a matrix unit with its operand delivery [m2]."""
    lane_m2: float
    """One fp32 lane of a vector unit with its registers and control [m2]."""
    sram_overhead: float
    """Area of caches and scratchpads over that of their macros [1]."""
    rest_share: float
    """Network on chip, host interface, control, spares and gaps over all other blocks [1]."""
    fixed_m2: float
    """Host interface, crossbar and management of a die with memory or links, whatever its size
    [m2]."""
    reference_density: float
    """Logic density at which the areas above hold [1/m2]."""
    narrow: Mapping[str, float]
    """Area of a multiply-accumulate of a narrow format over that of bf16 [1]."""
    wide_lane: float
    """Area of an fp64 lane over that of an fp32 lane [1]."""
    link_m2_per_rate: float
    """Link interface and controller per one-way bandwidth [m2 s/B]."""
    die_to_die_m2: float
    """Interface to the other dies of the package, on each die that has one [m2]."""
    step_m2: float
    """Dies are rounded up to a whole number of these [m2]."""
    macs_per_lane: float
    """Matrix multiply-accumulates per vector lane where the vector rate is not known [1]."""
    repairable_share: float
    """Share of a die that lies in repairable units, some of which may fail [1]."""
    aspect_most: float
    """Long over short side of the most stretched die that is drawn for the sake of its edges
    [1]."""
    stack_overhang: float
    """Widths by which the stacks of an edge may stand out over it [1]."""


@dataclass(frozen=True, kw_only=True)
class DieContent:
    """What one die carries, as built; every number may be an array."""

    macs: ArrayLike
    """bf16-equivalent multiply-accumulates a cycle of the matrix units, `matrix_macs` [1]."""
    lanes: ArrayLike
    """fp32-equivalent lanes of the vector units [1]."""
    sram_bytes: ArrayLike
    memory_sites: ArrayLike
    memory_site_m2: ArrayLike
    """Interface of one stack or channel [m2]."""
    link_bandwidth: ArrayLike
    """Bandwidth of all links, one way [B/s]."""
    neighbours: ArrayLike = 0
    """1 where the die talks to another of the package, else 0."""
    hosts: ArrayLike = 1
    """1 where the die carries the interfaces of the package, 0 for one that only computes."""


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Area of a die by block [m2]."""

    matrix: Array
    vector: Array
    sram: Array
    memory_interface: Array
    links: Array
    rest: Array
    total: Array

    def lines(self) -> tuple[tuple[str, Array], ...]:
        """Name and area of every block that adds up to the total."""
        return (
            ("matrix units", self.matrix), ("vector units", self.vector),
            ("on-chip memory", self.sram), ("memory interface", self.memory_interface),
            ("links", self.links), ("rest", self.rest),
        )


def matrix_macs(peak_flops: Mapping[str, ArrayLike], clock_hz: ArrayLike, narrow: Mapping[str, float]) -> Array:
    """bf16-equivalent multiply-accumulates a cycle of matrix units that serve several formats [1].

    The formats share one array, which is as large as the most demanding of them: ``max over formats
    of rate / (2 clock)
    * relative area``. Formats without a relative area are not wider than bf16 and count as it, except fp32 and wider,
    which belong to the vector units.

    >>> float(matrix_macs({"bf16": 4e12, "fp8": 8e12}, 1e9, {"fp8": 0.4}))
    2000.0
    """
    demands = [number(0.0)]
    for name, rate in peak_flops.items():
        if name in narrow or name in ("bf16", "fp16"):
            demands.append(number(rate) / (2.0 * number(clock_hz)) * narrow.get(name, 1.0))
    largest = demands[0]
    for demand in demands[1:]:
        largest = np.maximum(largest, demand)
    return np.asarray(largest)


def die_blocks(
    model: AreaModel, content: DieContent, *, logic_density: ArrayLike, sram_density: ArrayLike,
    rounded: bool = True,
) -> Blocks:
    """Area of one die by block.

        scale  = reference density / logic density
        blocks = (macs * mac + lanes * lane) * scale + bits / SRAM density * overhead + sites * site + bandwidth * link
                 + die-to-die
        die    = blocks * (1 + rest) + fixed, rounded up to a whole step

    Interfaces hardly shrink and are not scaled. Parameters: `model`; `content`; `logic_density`
    [1/m2] and `sram_density` [1/m2] of the node; `rounded` whether to round up. Limit: an empty die
    is the fixed part. Raises `BadValue`. Calibration and errors: docs/results/silicon.md.
    """
    require(
        "die_blocks",
        Bound("macs", content.macs, 0, 1e9, "give multiply-accumulates a cycle"),
        Bound("lanes", content.lanes, 0, 1e8, "give fp32 lanes"),
        Bound("sram_bytes", content.sram_bytes, 0, 1e12, "give the on-chip memory in bytes"),
        Bound(
            "memory_sites", content.memory_sites, 0, 1000, "give the number of memory interfaces"
        ),
        Bound(
            "memory_site_m2", content.memory_site_m2, 0, 1e-3,
            "give the area in m2 (1 mm2 = 1e-6 m2)",
        ),
        Bound("link_bandwidth", content.link_bandwidth, 0, 1e15, "give bytes per second, one way"),
        Bound(
            "logic_density", logic_density, 0, math.inf, "give transistors per m2", open_low=True
        ),
        Bound("sram_density", sram_density, 0, math.inf, "give bits per m2", open_low=True),
    )
    scale = model.reference_density / number(logic_density)
    matrix = number(content.macs) * (model.mac_m2 * scale)
    vector = number(content.lanes) * (model.lane_m2 * scale)
    sram = number(content.sram_bytes) * (8.0 * model.sram_overhead) / number(sram_density)
    interface = number(content.memory_sites) * number(content.memory_site_m2)
    links = number(content.link_bandwidth) * model.link_m2_per_rate + number(content.neighbours) * model.die_to_die_m2
    known = matrix + vector + sram + interface + links
    total = known * (1.0 + model.rest_share) + number(content.hosts) * model.fixed_m2
    if rounded:
        total = np.ceil(total / model.step_m2 - 1e-6) * model.step_m2
    matrix, vector, sram, interface, links, total, known = np.broadcast_arrays(
        matrix, vector, sram, interface, links, total, known)
    return Blocks(
        matrix=matrix, vector=vector, sram=sram, memory_interface=interface, links=links,
        rest=total - known, total=total,
    )
