"""Power of a chip at full load, part by part, from its architecture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array


@dataclass(frozen=True, kw_only=True)
class PowerModel:
    """Parameters shared by all chips; energies at the reference node and its usual clock."""

    matrix_j: float
    """A bf16 operation of a matrix unit with its operands, at rated power [J/FLOP]."""
    vector_j: float
    """An fp32 operation of a vector unit [J/FLOP]."""
    static_w_per_m2: float
    """Leakage, clocks and network per area of logic die [W/m2]."""
    fixed_w: float
    """Host interface and conversion losses of a package [W]."""
    frequency_exponent: float
    """Power goes with clock to this exponent at the voltage that the clock needs [1]."""
    link_j_per_byte: float
    """A byte over a link, one way, both ends [J/B]."""


@dataclass(frozen=True, kw_only=True)
class PowerParts:
    """Rated power by part [W]."""

    matrix: Array
    vector: Array
    memory: Array
    links: Array
    static: Array
    total: Array

    def lines(self) -> tuple[tuple[str, Array], ...]:
        """Name and power of every part that adds up to the total."""
        return (
            ("matrix units", self.matrix), ("vector units", self.vector),
            ("memory access", self.memory), ("links", self.links),
            ("leakage, clocks, host", self.static),
        )


def rated_power(
    model: PowerModel,
    *,
    matrix_flops: ArrayLike,
    vector_flops: ArrayLike,
    memory_bandwidth: ArrayLike,
    memory_j_per_byte: ArrayLike,
    link_bandwidth: ArrayLike,
    logic_area_m2: ArrayLike,
    energy_scale: ArrayLike,
    clock_ratio: ArrayLike = 1.0,
) -> PowerParts:
    """Power of a package at full load by part.

        dynamic = (matrix rate * energy + vector rate * energy) * node's energy scale * clock ratio^(exponent - 1)
        total   = dynamic + bandwidth * energy per byte + links * energy per byte + area * static + fixed

    A higher clock needs a higher voltage: the energy of an operation goes with the clock to the
    exponent less one.
    Parameters (broadcast): rates [FLOP/s], `matrix_flops` bf16-equivalent; bandwidths [B/s], links one way;
    `logic_area_m2` of all dies; `energy_scale` of the node [1]; `clock_ratio` over the node's usual
    clock [1]. Limit: at zero rates leakage, clocks and host are left. Raises `BadValue`.
    Calibration and errors: docs/results/silicon.md.
    """
    require(
        "rated_power",
        Bound("matrix_flops", matrix_flops, 0, 1e20, "give FLOP/s"),
        Bound("vector_flops", vector_flops, 0, 1e20, "give FLOP/s"),
        Bound("memory_bandwidth", memory_bandwidth, 0, 1e16, "give bytes per second"),
        Bound(
            "memory_j_per_byte", memory_j_per_byte, 0, 1e-8, "give J per byte (1 pJ/bit = 8e-12)"
        ),
        Bound("link_bandwidth", link_bandwidth, 0, 1e15, "give bytes per second, one way"),
        Bound("logic_area_m2", logic_area_m2, 0, 1.0, "give the area in m2 (1 mm2 = 1e-6 m2)"),
        Bound("energy_scale", energy_scale, 0, 100, "1 is the reference node", open_low=True),
        Bound("clock_ratio", clock_ratio, 0, 10, "1 is the usual clock of the node", open_low=True),
    )
    ratio = number(clock_ratio)
    faster = 1.0 if ratio.ndim == 0 and ratio == 1.0 else np.exp((model.frequency_exponent - 1.0) * np.log(ratio))
    scale = number(energy_scale) * faster
    matrix = number(matrix_flops) * model.matrix_j * scale
    vector = number(vector_flops) * model.vector_j * scale
    memory = number(memory_bandwidth) * number(memory_j_per_byte)
    links = number(link_bandwidth) * model.link_j_per_byte
    static = number(logic_area_m2) * model.static_w_per_m2 + model.fixed_w
    matrix, vector, memory, links, static = np.broadcast_arrays(matrix, vector, memory, links, static)
    return PowerParts(
        matrix=matrix, vector=vector, memory=memory, links=links, static=static,
        total=matrix + vector + memory + links + static)


def usual_clock_ratio(clock_hz: float | None, node_clock_hz: float | None) -> float:
    """Clock over the usual one of the node; 1 where either is not known."""
    if clock_hz is None or node_clock_hz is None or not math.isfinite(clock_hz):
        return 1.0
    return clock_hz / node_clock_hz
