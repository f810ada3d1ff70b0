"""From a design to dies per wafer, yield, unit cost and NRE: pure functions in SI and USD that broadcast."""

from fabless.silicon.design import Design, Die
from fabless.silicon.die_yield import (
    defect_density_at,
    harvested_yield,
    murphy_yield,
    negative_binomial_yield,
    poisson_yield,
    seeds_yield,
)
from fabless.silicon.geometry import die_sides, dies_per_wafer, dies_per_wafer_of_area
from fabless.silicon.nre import Nre, break_even_volume, node_nre_usd, nre_cost, volume_for_nre_share
from fabless.silicon.unit_cost import CostInputs, UnitCost, Wafer, unit_cost

__all__ = [
    "CostInputs",
    "Design",
    "Die",
    "Nre",
    "UnitCost",
    "Wafer",
    "break_even_volume",
    "defect_density_at",
    "die_sides",
    "dies_per_wafer",
    "dies_per_wafer_of_area",
    "harvested_yield",
    "murphy_yield",
    "negative_binomial_yield",
    "node_nre_usd",
    "nre_cost",
    "poisson_yield",
    "seeds_yield",
    "unit_cost",
    "volume_for_nre_share",
]
