"""Carbon emitted before a chip is switched on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array


@dataclass(frozen=True)
class CarbonModel:
    """Parameters shared by all chips."""

    material_kg_per_m2: float
    """Procured materials per area of wafer [kg/m2]."""
    grid_kg_per_j: float
    """Electricity of the fab [kg/J]."""
    package_kg: float
    memory_kg_per_byte: float


def embodied_carbon(
    model: CarbonModel,
    *,
    silicon_m2: ArrayLike,
    fab_energy_per_m2: ArrayLike,
    fab_gas_per_m2: ArrayLike,
    memory_bytes: ArrayLike,
    package_yield: ArrayLike = 1.0,
) -> Array:
    """Emissions of making one packaged chip [kg CO2e].

        (silicon * (grid * energy + gas + materials) + memory * per byte) / package yield + package

    Parameters (broadcast): `silicon_m2` wafer area used per chip, die area over die yield [m2]; `fab_energy_per_m2`
    [J/m2] and `fab_gas_per_m2` [kg/m2] of the node; `memory_bytes`; `package_yield` [1]. Raises
    `BadValue`. Source of the structure: Gupta et al., ACT, ISCA 2022, which has no figure for
    stacked memory.
    """
    require(
        "embodied_carbon",
        Bound("silicon_m2", silicon_m2, 0, math.inf, "give the wafer area in m2"),
        Bound("fab_energy_per_m2", fab_energy_per_m2, 0, 1e13, "give J/m2 (1 kWh/cm2 = 3.6e10)"),
        Bound("fab_gas_per_m2", fab_gas_per_m2, 0, 1e4, "give kg/m2 (1 g/cm2 = 10)"),
        Bound("memory_bytes", memory_bytes, 0, 1e15, "give bytes"),
        Bound("package_yield", package_yield, 0, 1, "give a share in (0, 1]", open_low=True),
    )
    per_m2 = model.grid_kg_per_j * number(fab_energy_per_m2) + number(fab_gas_per_m2) + model.material_kg_per_m2
    made = number(silicon_m2) * per_m2 + number(memory_bytes) * model.memory_kg_per_byte
    return made / number(package_yield) + model.package_kg
