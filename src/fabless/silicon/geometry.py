"""How many whole dies, or interposers, a wafer holds, and which dies an exposure field can
print."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.errors import DoesNotFit, Fault
from fabless.records import Array

WAFER_DIAMETER_M = 0.300
"""Diameter of the standard wafer (SEMI M1) [m]."""
EDGE_EXCLUSION_M = 0.003
"""Unusable rim of the standard wafer [m]."""
SCRIBE_M = 0.0001
"""Width of the street between dies that the saw removes [m]."""
FIELD_M = (0.026, 0.033)
"""Exposure field of a full-field scanner [m]: no monolithic die is larger."""
INTERPOSER_STEP_M2 = 1e-5
"""Interposers are drawn on a grid this coarse [m2], far below the error of their area."""
OFFSETS = 64
"""Offsets tried along half a pitch, in each direction; ten times as many find at most 1 % more
dies."""


def dies_per_wafer(
    die_width_m: ArrayLike,
    die_height_m: ArrayLike,
    *,
    wafer_diameter_m: float = WAFER_DIAMETER_M,
    edge_exclusion_m: float = EDGE_EXCLUSION_M,
    scribe_m: float = SCRIBE_M,
) -> Array:
    """Count the whole rectangles of one regular grid that lie inside the usable circle, at the best
    offset.

    Stepper and saw force one grid with common streets: columns and rows of pitch ``width + scribe``
    and ``height + scribe``. A die counts when its four corners lie within ``diameter / 2 -
    edge_exclusion`` of the centre. The offset of the grid is searched over half a pitch both ways
    (the other half is its mirror image) in `OFFSETS` steps.

    Parameters: `die_width_m`, `die_height_m` [m], any shapes that broadcast; the wafer's three lengths [m], scalar.
    Returns the count [1] in the broadcast shape; 0 where not even one fits. Raises `BadValue` on a length that is not
    positive (streets and rim may be 0).

    >>> int(dies_per_wafer(26e-3, 33e-3)), int(dies_per_wafer(50e-3, 50e-3)), int(dies_per_wafer(0.4, 0.4))
    (64, 21, 0)
    """
    require(
        "dies_per_wafer",
        Bound("die_width_m", die_width_m, 0, 1, "give the die's width in metres", open_low=True),
        Bound("die_height_m", die_height_m, 0, 1, "give the die's height in metres", open_low=True),
        Bound(
            "wafer_diameter_m", wafer_diameter_m, 0, 1, "a standard wafer is 0.3 m", open_low=True
        ),
        Bound(
            "edge_exclusion_m", edge_exclusion_m, 0, wafer_diameter_m / 2,
            "the rim is a few millimetres",
        ),
        Bound("scribe_m", scribe_m, 0, wafer_diameter_m, "the street is about 0.1 mm"),
    )
    radius = wafer_diameter_m / 2 - edge_exclusion_m
    widths, heights = np.broadcast_arrays(number(die_width_m), number(die_height_m))
    # pairs of sides as one complex number: sorting those is ten times as fast as sorting rows
    pairs, where = np.unique(widths.ravel() + 1j * heights.ravel(), return_inverse=True)
    counts = np.array([_best_count(pair.real, pair.imag, radius, scribe_m) for pair in pairs.tolist()], dtype=float)
    return counts[where.ravel()].reshape(widths.shape)


@lru_cache(maxsize=65_536)
def _best_count(width: float, height: float, radius: float, scribe: float) -> int:
    """Largest count over the tried offsets of one grid."""
    if math.hypot(width, height) > 2 * radius:
        return 0
    pitch_x, pitch_y = width + scribe, height + scribe
    fraction = np.arange(OFFSETS + 1) / (2 * OFFSETS)
    shift_x, shift_y = fraction * pitch_x, fraction * pitch_y
    rows = np.arange(-math.ceil(radius / pitch_y) - 1, math.ceil(radius / pitch_y) + 1)
    # the middle of die (i, j) lies at (i pitch_x + shift_x, j pitch_y + shift_y)
    far = np.abs(rows[:, None] * pitch_y + shift_y) + height / 2
    inside = far <= radius * (1 + 1e-12)
    reach = np.sqrt(np.clip(radius**2 - far**2, 0.0, None)) * (1 + 1e-12) - width / 2
    # in pitches: die i is whole where -wide <= i + shift <= wide; rows without one get an empty
    # interval
    wide = np.where(inside & (reach >= 0), reach / pitch_x, -1.0)
    best = 0
    for shifts in np.array_split(shift_x / pitch_x, max(1, rows.size // 16)):
        last = np.floor(wide[:, :, None] - shifts)
        last += np.floor(wide[:, :, None] + shifts)
        np.maximum(last, -1.0, out=last)
        best = max(best, int(last.sum(axis=0).max()) + rows.size)
    return best


def die_sides(
    die_area_m2: ArrayLike, aspect_ratio: ArrayLike = 1.0, field_m: tuple[float, float] = FIELD_M
) -> tuple[Array, Array]:
    """Width and height [m] of a die of the given area, its width held within the short side of the
    field.

    ``width = sqrt(area / aspect)``, ``height = area / width``; where the wanted shape would leave the field, the
    side that sticks out is cut to the field's and the other follows from the area.

    Parameters: `die_area_m2` [m2], `aspect_ratio` height over width [1, at least 1], any shapes that broadcast. Raises
    `BadValue` on a bad number and `DoesNotFit` on an area over that of the field.

    >>> [round(1e3 * float(side), 2) for side in die_sides(814e-6)]
    [26.0, 31.31]
    """
    require(
        "die_sides",
        Bound(
            "die_area_m2", die_area_m2, 0, math.inf, "give the die's area in m2 (1 mm2 = 1e-6 m2)",
            open_low=True,
        ),
        Bound("aspect_ratio", aspect_ratio, 1, 100, "give the long side over the short one"),
    )
    check_field(die_area_m2, field_m)
    area, aspect = number(die_area_m2), number(aspect_ratio)
    short, long = min(field_m), max(field_m)
    height = np.minimum(np.sqrt(area * aspect), long)
    width = np.minimum(area / height, short)
    return width, area / width


def dies_per_wafer_of_area(
    die_area_m2: ArrayLike, aspect_ratio: ArrayLike = 1.0, *, scribe_m: float = SCRIBE_M
) -> Array:
    """Count the dies of an area [m2] on a standard wafer, shaped by `die_sides`.

    >>> int(dies_per_wafer_of_area(100e-6))
    616
    """
    area, aspect = number(die_area_m2), number(aspect_ratio)
    if area.ndim == 0 or aspect.ndim:
        return dies_per_wafer(*die_sides(area, aspect), scribe_m=scribe_m)
    areas, where = np.unique(area, return_inverse=True)
    return dies_per_wafer(*die_sides(areas, aspect), scribe_m=scribe_m)[where.ravel()].reshape(area.shape)


def interposer_side(interposer_area_m2: ArrayLike) -> Array:
    """Side [m] of a square interposer, its area rounded up to a whole `INTERPOSER_STEP_M2`."""
    steps = np.ceil(number(interposer_area_m2) / INTERPOSER_STEP_M2 - 1e-6)
    return np.sqrt(steps * INTERPOSER_STEP_M2)


def interposers_per_wafer(interposer_area_m2: ArrayLike) -> Array:
    """Count the square interposers of an area [m2] on a standard wafer; no exposure field bounds
    them.

    >>> int(interposers_per_wafer(2500e-6)), int(interposers_per_wafer(4700e-6))
    (21, 9)
    """
    sides, where = np.unique(interposer_side(interposer_area_m2), return_inverse=True)
    counts = dies_per_wafer(sides, sides)
    return counts[where.ravel()].reshape(np.shape(interposer_area_m2))


def stacks_along_edge(
    long_side_m: ArrayLike, dies: ArrayLike, stack_width_m: ArrayLike, overhang: ArrayLike
) -> Array:
    """Memory stacks that fit along the two long edges of a row of dies.

    A row of n dies, joined at their short sides, has two free edges of n long sides each; the outer
    stacks may stand out by `overhang` of a width in all:

        2 * floor(n * side / width + overhang).

    It is a necessary condition, not a floorplan. Parameters broadcast: `long_side_m`,
    `stack_width_m` [m]; `dies` and `overhang` [1].

    >>> int(stacks_along_edge(31.3e-3, 1, 11e-3, 0.5)), int(stacks_along_edge(31.3e-3, 2, 11e-3, 0.5))
    (6, 12)
    """
    require(
        "stacks_along_edge",
        Bound(
            "long_side_m", long_side_m, 0, 1, "give the die's long side in metres", open_low=True
        ),
        Bound("dies", dies, 1, 1000, "give the number of dies in the package"),
        Bound(
            "stack_width_m", stack_width_m, 0, 1, "give the stack's width in metres", open_low=True
        ),
        Bound("overhang", overhang, 0, 1, "give a share of a width"),
    )
    along = number(dies) * number(long_side_m) / number(stack_width_m) + number(overhang)
    return np.asarray(2.0 * np.floor(along + 1e-9))


def check_field(die_area_m2: ArrayLike, field_m: tuple[float, float] = FIELD_M, place: str = "die") -> None:
    """Raise `DoesNotFit` where a die [m2] is larger than the exposure field, naming how many
    smaller dies would do."""
    area, largest = float(np.max(number(die_area_m2), initial=0.0)), field_m[0] * field_m[1]
    if area <= largest * (1 + 1e-9):
        return
    parts = math.ceil(area / largest)
    raise DoesNotFit(
        Fault(
            place,
            f"{area * 1e6:.0f} mm2",
            f"at most {largest * 1e6:.0f} mm2, the exposure field of {field_m[0] * 1e3:g} x {field_m[1] * 1e3:g} mm",
            f"split it into {parts} dies of {area / parts * 1e6:.0f} mm2 in one package",
        )
    )
