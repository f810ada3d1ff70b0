"""How much work a decision takes: size of the tree, fresh paths, and which questions are asked of
the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabless.errors import unknown
from fabless.plan import branching_for
from fabless.scenario import fitted

LARGEST = 250
"""Scenarios up to which every way is planned on them."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One level of detail."""

    name: str
    branching: tuple[int, ...] | None
    """Branching of the tree on which the ways are compared; None: that of the case."""
    paths: int
    """Fresh paths on which every way is tried."""
    branches: int
    """Branches of a planner's outlook on them: one, or two by the supply regime of the next
    quarter."""
    small: tuple[int, ...]
    """Branching of the small tree used for the follow-up questions; empty skips them."""
    inputs: int
    """Inputs for which every way is solved again, whose knowledge is priced, and whose Sobol
    indices are taken."""
    sobol: int
    """Base points of the Sobol indices, a power of two."""
    seeds: int
    """Seeds with which the comparison is drawn again."""
    checked: int
    """Fresh paths of the recommended way for which perfect information is worked out too."""
    gates: bool = True
    """Whether the gates of programmes are searched; otherwise one that is begun is carried through
    or given up at once."""
    explore: bool = False
    """Whether a table of answers is made, with one input or two moved; it needs a small tree's
    questions to be asked."""
    large: int | None = None
    """Scenarios on which the recommended way is planned once more, by decomposition."""

    def small_of(self, splits: int) -> tuple[int, ...]:
        """`small` for a case that branches `splits` times."""
        return fitted(self.small, splits)

    def on(self, leaves: int, splits: int) -> Detail:
        """This detail with about `leaves` scenarios; above `LARGEST` for the recommended way."""
        if leaves > LARGEST:
            return replace(self, large=leaves)
        return replace(self, branching=branching_for(leaves, splits))


DETAILS: Mapping[str, Detail] = {
    item.name: item
    for item in (
        Detail(
            name="quick", branching=(12, 1, 1, 1), paths=40, branches=1, small=(), inputs=0, sobol=0, seeds=0,
            checked=20, gates=False,
        ),
        Detail(
            name="standard", branching=None, paths=100, branches=2, small=(8, 1, 1, 1), inputs=4, sobol=64,
            seeds=10, checked=100, explore=True,
        ),
        Detail(
            name="deep", branching=(27, 3, 3, 1), paths=1_000, branches=2, small=(16, 2, 1, 1), inputs=8,
            sobol=256, seeds=10, checked=1000, explore=True, large=1_024,
        ),
    )
}


def detail_of(detail: Detail | str) -> Detail:
    """A level by its name; raises `UnknownName` for a name that is none."""
    if isinstance(detail, Detail):
        return detail
    if detail not in DETAILS:
        raise unknown("detail", detail, tuple(DETAILS), "detail")
    return DETAILS[detail]
