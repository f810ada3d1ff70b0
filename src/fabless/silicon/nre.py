"""Cost of a chip before the first is sold (NRE), and the volume at which it matters little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.errors import BadValue, Fault
from fabless.records import Array, ProcessNode


@dataclass(frozen=True, kw_only=True)
class Nre:
    """Cost of a design up to its first good silicon [USD], by line; each line has the broadcast
    shape of the inputs."""

    design_usd: Array
    masks_usd: Array
    full_spins_usd: Array
    metal_spins_usd: Array
    software_usd: Array
    total_usd: Array

    def lines(self) -> tuple[tuple[str, Array], ...]:
        """Name and amount of every line that adds up to the total."""
        return (
            ("design", self.design_usd),
            ("masks", self.masks_usd),
            ("full spins", self.full_spins_usd),
            ("metal spins", self.metal_spins_usd),
            ("software", self.software_usd),
        )


def nre_cost(
    design_cost_usd: ArrayLike,
    mask_set_usd: ArrayLike,
    *,
    class_factor: ArrayLike = 1.0,
    reuse_share: ArrayLike = 0.0,
    mask_sets: ArrayLike = 1,
    full_spins: ArrayLike = 0,
    metal_spins: ArrayLike = 0,
    metal_mask_share: ArrayLike = 1.0,
    spin_design_share: ArrayLike = 0.0,
    software_usd: ArrayLike = 0.0,
) -> Nre:
    """Add up design, masks, spins and software.

        design = design cost * class * (1 - reuse)
        spin   = mask sets * mask set * share of masks + design * share of the design redone

    Parameters (all broadcast): `design_cost_usd` of a first chip on the node and `mask_set_usd` [USD];
    `class_factor` this chip's design effort over that one's [1]; `reuse_share` of the design taken
    over [1]; `mask_sets` kinds of die; `full_spins`, `metal_spins` expected numbers, so that
    fractions are allowed; `metal_mask_share` of a mask set that a metal spin makes anew [1];
    `spin_design_share` of the design effort that one spin costs again [1]; `software_usd`. Limit:
    everything reused and no spin leaves masks and software. Raises `BadValue`.

    >>> float(nre_cost(300e6, 20e6, reuse_share=0.5, full_spins=1).total_usd)
    190000000.0
    """
    share = "give a share between 0 and 1"
    require(
        "nre_cost",
        Bound("design_cost_usd", design_cost_usd, 0, 1e12, "give USD"),
        Bound("mask_set_usd", mask_set_usd, 0, 1e10, "give USD"),
        Bound(
            "class_factor", class_factor, 0, 100, "1 is the class that the design cost speaks of"
        ),
        Bound("reuse_share", reuse_share, 0, 1, share),
        Bound("mask_sets", mask_sets, 0, 1000, "give the number of different dies"),
        Bound("full_spins", full_spins, 0, 100, "give the expected number of spins"),
        Bound("metal_spins", metal_spins, 0, 100, "give the expected number of spins"),
        Bound("metal_mask_share", metal_mask_share, 0, 1, share),
        Bound("spin_design_share", spin_design_share, 0, 1, share),
        Bound("software_usd", software_usd, 0, 1e12, "give USD"),
    )
    design = number(design_cost_usd) * number(class_factor) * (1.0 - number(reuse_share))
    masks = number(mask_sets) * number(mask_set_usd)
    again = design * number(spin_design_share)
    design, masks, full, metal, software = np.broadcast_arrays(
        design,
        masks,
        number(full_spins) * (masks + again),
        number(metal_spins) * (masks * number(metal_mask_share) + again),
        number(software_usd),
    )
    return Nre(
        design_usd=design,
        masks_usd=masks,
        full_spins_usd=full,
        metal_spins_usd=metal,
        software_usd=software,
        total_usd=design + masks + full + metal + software,
    )


def node_nre_usd(node: ProcessNode) -> tuple[float, float]:
    """Modes of a node's design cost and mask set [USD], as `nre_cost` takes them; `BadValue` if
    unknown."""
    faults = [
        Fault(
            f"node {node.name}: {name}", "no source gives it", "a range in USD",
            "state it, or choose another node",
        )
        for name, spread in (
            ("design_cost_usd", node.design_cost_usd), ("mask_set_usd", node.mask_set_usd),
        )
        if spread is None
    ]
    if faults or node.design_cost_usd is None or node.mask_set_usd is None:
        raise BadValue(*faults)
    return node.design_cost_usd.mode, node.mask_set_usd.mode


def volume_for_nre_share(nre_usd: ArrayLike, unit_cost_usd: ArrayLike, share: ArrayLike) -> Array:
    """Chips to make before the NRE on each falls to `share` of its unit cost: ``NRE / (share * unit
    cost)``.

    Parameters (all broadcast): `nre_usd`, `unit_cost_usd` [USD], `share` [1, over 0]. Raises `BadValue`.

    >>> float(volume_for_nre_share(500e6, 2500.0, 0.1))
    2000000.0
    """
    require(
        "volume_for_nre_share",
        Bound("nre_usd", nre_usd, 0, 1e13, "give USD"),
        Bound("unit_cost_usd", unit_cost_usd, 0, 1e9, "give USD per chip", open_low=True),
        Bound("share", share, 0, 100, "give a share over 0, such as 0.1", open_low=True),
    )
    per_chip = number(share) * number(unit_cost_usd)
    return np.asarray(number(nre_usd) / per_chip)


def break_even_volume(nre_usd: ArrayLike, own_unit_usd: ArrayLike, bought_unit_usd: ArrayLike) -> Array:
    """Chips above which making beats buying the same work: ``NRE / (bought - own)``, infinity where
    own is not cheaper.

    Parameters (all broadcast): `nre_usd` [USD]; the two costs of chips that do the same work [USD]. Raises `BadValue`.

    >>> [float(break_even_volume(500e6, 5000.0, price)) for price in (30000.0, 5000.0)]
    [20000.0, inf]
    """
    require(
        "break_even_volume",
        Bound("nre_usd", nre_usd, 0, 1e13, "give USD"),
        Bound("own_unit_usd", own_unit_usd, 0, 1e9, "give USD per chip"),
        Bound("bought_unit_usd", bought_unit_usd, 0, 1e9, "give USD per chip"),
    )
    saved = number(bought_unit_usd) - number(own_unit_usd)
    return np.where(saved > 0, number(nre_usd) / np.where(saved > 0, saved, 1.0), math.inf)
