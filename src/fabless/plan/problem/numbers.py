"""Faults of the numbers of a plan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.errors import Fault


def faults_of(
    place: str, given: NDArray[np.generic], *, may_be_infinite: bool = False, signed: bool = False
) -> list[Fault]:
    """Report numbers that are missing, infinite where they may not be, or negative where they may
    not be."""
    numbers = given.astype(np.float64)
    bad = np.isnan(numbers) | (np.isinf(numbers) & ~(may_be_infinite & (numbers > 0)))
    if not signed:
        bad |= numbers < 0
    if not bad.any():
        return []
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    allowed = "numbers or inf" if may_be_infinite else "finite numbers"
    allowed += "" if signed else ", 0 or more"
    said = f"{numbers[first]:g} at index {first}, {int(bad.sum())} such in all"
    return [Fault(place, said, allowed, "correct the input that this comes from")]
