"""From a design to area, power, dies per wafer, yield, unit cost and NRE: functions in SI and USD
that broadcast."""

from fabless.silicon.area import AreaModel, Blocks, DieContent, die_blocks, matrix_macs
from fabless.silicon.carbon import CarbonModel, embodied_carbon
from fabless.silicon.design import Design, Die
from fabless.silicon.die_yield import (
    defect_density_at,
    harvested_yield,
    murphy_yield,
    negative_binomial_yield,
    poisson_yield,
    seeds_yield,
)
from fabless.silicon.geometry import (
    die_sides,
    dies_per_wafer,
    dies_per_wafer_of_area,
    interposers_per_wafer,
    stacks_along_edge,
)
from fabless.silicon.inputs import area_model, carbon_model, power_model
from fabless.silicon.nre import Nre, break_even_volume, node_nre_usd, nre_cost, volume_for_nre_share
from fabless.silicon.power import PowerModel, PowerParts, rated_power
from fabless.silicon.sheet import ChipSheet, DieSheet, SheetRow, chip_sheet
from fabless.silicon.unit_cost import CostInputs, UnitCost, Wafer, unit_cost

__all__ = [
    "AreaModel",
    "Blocks",
    "CarbonModel",
    "ChipSheet",
    "CostInputs",
    "Design",
    "Die",
    "DieContent",
    "DieSheet",
    "Nre",
    "PowerModel",
    "PowerParts",
    "SheetRow",
    "UnitCost",
    "Wafer",
    "area_model",
    "break_even_volume",
    "carbon_model",
    "chip_sheet",
    "defect_density_at",
    "die_blocks",
    "die_sides",
    "dies_per_wafer",
    "dies_per_wafer_of_area",
    "embodied_carbon",
    "harvested_yield",
    "interposers_per_wafer",
    "matrix_macs",
    "murphy_yield",
    "negative_binomial_yield",
    "node_nre_usd",
    "nre_cost",
    "poisson_yield",
    "power_model",
    "rated_power",
    "seeds_yield",
    "stacks_along_edge",
    "unit_cost",
    "volume_for_nre_share",
]
