"""How much work a decision takes: size of the tree, fresh paths, and which questions are asked of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """One level of detail."""

    name: str
    leaves: int | None
    """Leaves of the tree on which the ways are compared; None: the case's own tree."""
    starts: int
    """Branchings at which a programme may be started, the first day included."""
    paths: int
    """Fresh paths on which every way is tried."""
    small: tuple[int, ...]
    """Branching of the tree on which the answer is questioned; empty: it is not."""
    inputs: int
    """Inputs for which every way is solved again, whose knowledge is priced, and whose Sobol indices are taken."""
    sobol: int
    """Base points of the Sobol indices, a power of two."""
    seeds: int
    """Seeds with which the comparison is drawn again."""
    large: int | None = None
    """Leaves of a larger tree on which the recommended way is planned once more, by decomposition."""


DETAILS: Mapping[str, Detail] = {
    item.name: item for item in (
        Detail("quick", 24, 1, 200, (), 0, 0, 0),
        Detail("standard", None, 2, 1_000, (8, 1, 1, 1), 6, 64, 10),
        Detail("deep", 243, 3, 10_000, (16, 2, 1, 1), 8, 256, 10, large=1_024),
    )
}
