"""The parts of a packaged chip that set its cost: logic dies, repairable units, memory, interposer.

Every number may be an array, one entry a design.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.errors import BadValue, Fault
from fabless.records import Array
from fabless.silicon.geometry import check_field


@dataclass(frozen=True)
class Die:
    """One kind of logic die in a package."""

    area_m2: ArrayLike
    """Area of the die, or a column of areas to price many designs at once [m2]."""
    count: ArrayLike = 1
    """Dies of this kind in the package."""
    units: ArrayLike = 1
    """Equal repairable units on the die (cores, clusters); some may fail."""
    units_needed: ArrayLike = 1
    """Units that must work for the die to be sold."""
    repairable_share: ArrayLike = 0.0
    """Share of the die's area that lies in the units."""
    aspect_ratio: float = 1.0
    """Long side over short side; a side longer than the exposure field's is cut to it."""

    def __post_init__(self) -> None:
        require(
            "die",
            Bound(
                "area_m2", self.area_m2, 0, math.inf, "give the area in m2 (1 mm2 = 1e-6 m2)",
                open_low=True,
            ),
            Bound("count", self.count, 1, 1000, "give how many of these dies the package holds"),
            Bound("units", self.units, 1, 1e7, "give the number of units on the die"),
            Bound(
                "units_needed", self.units_needed, 1, max(1, float(np.max(number(self.units)))),
                "need at least one, at most all units",
            ),
            Bound("repairable_share", self.repairable_share, 0, 1, "give a share between 0 and 1"),
            Bound(
                "aspect_ratio", self.aspect_ratio, 1, 100, "give the long side over the short one"
            ),
        )
        check_field(self.area_m2, place="die: area_m2")


@dataclass(frozen=True)
class Design:
    """The parts of a packaged chip that set its cost."""

    dies: tuple[Die, ...]
    memory_bytes: ArrayLike = 0.0
    memory_stacks: ArrayLike = 0
    """Stack sites on the interposer, dummies included."""
    stack_area_m2: ArrayLike = 0.0
    """Footprint of one stack [m2]."""
    interposer_area_m2: ArrayLike | None = None
    """Interposer area if known [m2]; else a ratio times the area of dies and stacks."""

    def __post_init__(self) -> None:
        if not self.dies:
            raise BadValue(Fault("design: dies", "none", "at least one die", "list the logic dies of the package"))
        require(
            "design",
            Bound(
                "memory_bytes", self.memory_bytes, 0, 1e15,
                "give the memory of the package in bytes",
            ),
            Bound("memory_stacks", self.memory_stacks, 0, 1000, "give the number of stack sites"),
            Bound(
                "stack_area_m2", self.stack_area_m2, 0, 0.01,
                "give the footprint in m2 (1 mm2 = 1e-6 m2)",
            ),
            Bound(
                "interposer_area_m2",
                0.0 if self.interposer_area_m2 is None else self.interposer_area_m2, 0, 0.1,
                "give the area in m2",
            ),
        )

    @property
    def placed_area_m2(self) -> Array:
        """Area of everything that stands on the interposer [m2], in the shape of the dies'
        areas."""
        logic = [number(die.area_m2) * number(die.count) for die in self.dies]
        return np.asarray(sum(logic, number(self.memory_stacks) * number(self.stack_area_m2)))

    @property
    def attachments(self) -> Array:
        """Dies and stacks that are attached one by one."""
        return np.asarray(sum((number(die.count) for die in self.dies), number(self.memory_stacks)))
