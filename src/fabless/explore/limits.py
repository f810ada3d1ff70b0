"""Which designs can be made: die against field, stacks and links against edges, package, power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.checks import number
from fabless.records import Array
from fabless.silicon.evaluate import Designs, Evaluation, Technology, die_area, evaluate, fits_field, most_stacks
from fabless.silicon.geometry import die_sides


@dataclass(frozen=True)
class DesignLimits:
    """Limits on a design beyond those of the technology."""

    power_w: float
    power_density_w_per_m2: float
    """Rated power over the area of the logic dies."""
    stack_bytes: float
    """Capacity of the tallest memory stack on offer."""
    link_edge_m: float
    """Edge of the die that a link needs per bandwidth [m s/B]."""
    interposer_m2: float


REASONS = (
    "reticle", "stack height", "memory edge", "link edge", "interposer", "power", "power density",
)
"""Limits in the order in which they are applied; a design counts for the first that removes it."""
EXPLAINED = {
    "reticle": "die larger than the exposure field",
    "stack height": "more memory a stack than its generation offers",
    "memory edge": "more memory stacks than stand along the dies' edges",
    "link edge": "more link bandwidth than the free edges carry",
    "interposer": "interposer larger than the packaging offers",
    "power": "rated power over the limit",
    "power density": "rated power over the logic area beyond what cooling takes",
}


def screen(
    designs: Designs, technology: Technology, limits: DesignLimits
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Evaluation | None, dict[str, int]]:
    """Evaluate the designs that can be made.

    Returns their places, what they are on silicon (None where there is none), and how many each limit removed. Cheap
    limits come first, so that only what passes them is priced.
    """
    removed: dict[str, int] = {}
    kept = np.arange(designs.size)

    def keep(name: str, fine: Array, *columns: Array) -> list[Array]:
        nonlocal kept
        inside = np.flatnonzero(fine)
        removed[name] = kept.size - inside.size
        kept = kept[inside]
        return [column[inside] for column in columns]

    (area,) = keep("reticle", fits_field(area := die_area(designs, technology)), area)
    (area,) = keep(
        "stack height", number(designs.stack_bytes[kept] <= limits.stack_bytes * (1 + 1e-9)), area
    )
    left = designs.take(kept)
    (area,) = keep("memory edge", number(left.stacks <= most_stacks(left, area, technology)), area)
    left = designs.take(kept)
    (area,) = keep(
        "link edge", number(left.link_bandwidth * limits.link_edge_m <= _free_edge(area)), area
    )
    left = designs.take(kept)
    interposer = technology.packaging.interposer_area_per_die_area.mode * (
        area * left.dies + left.stacks * technology.memory.stack_area_m2)
    (area,) = keep("interposer", number(interposer <= limits.interposer_m2 * (1 + 1e-9)), area)
    if not kept.size:
        return kept, None, removed | {"power": 0, "power density": 0}
    priced = evaluate(designs.take(kept), technology, area)
    names = list(priced.__dataclass_fields__)
    columns = [getattr(priced, name) for name in names]
    columns = keep("power", number(priced.power_w <= limits.power_w * (1 + 1e-9)), *columns)
    left_over = Evaluation(**dict(zip(names, columns, strict=True)))
    density = left_over.power_w / (left_over.die_area_m2 * designs.dies[kept])
    columns = keep("power density", number(density <= limits.power_density_w_per_m2), *columns)
    return (
        kept, Evaluation(**dict(zip(names, columns, strict=True))) if kept.size else None, removed,
    )


def _free_edge(area_m2: Array) -> Array:
    """Edges of a row of dies that carry no memory: its two ends [m]."""
    return 2.0 * die_sides(area_m2)[0]
