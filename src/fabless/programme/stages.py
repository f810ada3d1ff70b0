"""The stages of a programme as a small graph: what follows what, and when each is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce

import numpy as np

from fabless.errors import BadValue, Fault, suggestion
from fabless.programme.posterior import LogTime
from fabless.records import Array, Range

Duration = Range | LogTime
"""A planned range, or what a few cases predict [s]."""
NOTHING = Range.point(0.0)
"""No time, or no money."""


class Gate(IntEnum):
    """Points at which a programme is reviewed and may end, in order of time."""

    ARCHITECTURE = 0
    """The architecture is done."""
    TAPE_OUT = 1
    """The design is done; no masks are paid yet."""
    FIRST_SILICON = 2
    """The first silicon was tried."""
    QUALIFICATION = 3
    """Good silicon was tested for production."""
    DEPLOYMENT = 4
    """A small number runs; it is not scaled."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of a programme.

    Raises `BadValue` for an empty name, a stage after itself, a negative duration or spend.
    """

    name: str
    after: tuple[str, ...] = ()
    """Stages that must be done before this one starts."""
    duration_s: Duration | None = NOTHING
    """Planned duration [s]; None: a hammock, which lasts until its successors could start."""
    spend_usd: Range = NOTHING
    """Spend, spread evenly over the stage, or paid at its start if it takes no time."""
    slips: bool = False
    """Whether the slip of the programme multiplies the duration."""
    slowed: bool = False
    """Whether staff who leave after a purchase slow the stage."""
    drawn_with: str = ""
    """Quantity whose random point sets the duration, shared by some stages. Empty: its own."""
    gate: Gate | None = None
    """Gate at the finish of the stage."""

    def __post_init__(self) -> None:
        place = f"stage {self.name}"
        faults = []
        if not self.name:
            faults.append(Fault("stage", "no name", "a name", "name the stage"))
        if self.name in self.after:
            faults.append(
                Fault(f"{place}, after", self.name, "other stages", "leave the stage itself out")
            )
        if isinstance(self.duration_s, Range) and self.duration_s.low < 0:
            faults.append(Fault(f"{place}, duration_s", f"{self.duration_s.low:g}", "numbers >= 0",
                                "give low, mode and high of 0 or more"))
        if self.spend_usd.low < 0:
            faults.append(
                Fault(
                    f"{place}, spend_usd", f"{self.spend_usd.low:g}", "numbers >= 0",
                    "give what it costs",
                )
            )
        if faults:
            raise BadValue(*faults)


def part_of(whole: Duration, share: float) -> Duration:
    """Law of `share` of a duration or an amount: drawn at the same point, the parts sum to the
    whole."""
    if share == 0:
        return Range.point(0.0)
    if isinstance(whole, LogTime):
        return whole.scaled(share)
    return Range(whole.low * share, whole.mode * share, whole.high * share, whole.scale)


def topological_order(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Order stages so that each comes after its predecessors, otherwise as given.

    Raises `BadValue` for a name given twice, a predecessor that is not there, or a cycle, naming
    the stages.

    >>> [stage.name for stage in topological_order([Stage(name="b", after=("a",)), Stage(name="a")])]
    ['a', 'b']
    """
    names = [stage.name for stage in stages]
    faults = [
        Fault(
            f"stage {name}", f"given {names.count(name)} times", "one stage of a name",
            "rename or drop one",
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    faults += [Fault(f"stage {stage.name}, after", f"unknown stage {name!r}", ", ".join(names),
                     suggestion(name, names, "name a stage of this programme"))
               for stage in stages for name in stage.after if name not in names]
    if faults:
        raise BadValue(*faults)
    left, ordered, done = list(stages), [], set[str]()
    while left:
        ready = next((stage for stage in left if done.issuperset(stage.after)), None)
        if ready is None:
            raise BadValue(
                Fault(
                    "stages", f"a cycle: {' after '.join(_cycle(left))}",
                    "stages that can be put in order", "drop one of these predecessors",
                )
            )
        left.remove(ready)
        ordered.append(ready)
        done.add(ready.name)
    return tuple(ordered)


def _cycle(stages: Sequence[Stage]) -> list[str]:
    """One cycle of stages that wait for each other, its first name repeated at the end."""
    waits = {stage.name: stage.after for stage in stages}
    walk = [stages[0].name]
    while walk.count(walk[-1]) == 1:
        walk.append(next(name for name in waits[walk[-1]] if name in waits))
    return walk[walk.index(walk[-1]):]


def before(stages: Sequence[Stage], name: str) -> frozenset[str]:
    """Names of every stage that must be done before stage `name` starts."""
    after = {stage.name: stage.after for stage in stages}
    earlier: set[str] = set()
    left = list(after[name])
    while left:
        stage_name = left.pop()
        if stage_name not in earlier:
            earlier.add(stage_name)
            left += after[stage_name]
    return frozenset(earlier)


def dates(
    ordered: Sequence[Stage], durations: Mapping[str, Array | float]
) -> dict[str, tuple[Array, Array]]:
    """Start and finish of each stage by the longest path: a stage starts when the last of its
    predecessors is done.

    `ordered` is in topological order; `durations` has a value for each stage but the hammocks, of
    shapes that broadcast, in any unit of time; so have the dates, which count from the start of the
    first stages.

    >>> chain = topological_order([Stage(name="a"), Stage(name="b"), Stage(name="c", after=("a", "b"))])
    >>> [float(done) for done in dates(chain, {"a": 2.0, "b": 5.0, "c": 1.0})["c"]]
    [5.0, 6.0]
    """
    periods: dict[str, tuple[Array, Array]] = {}
    for stage in ordered:
        start: Array = np.zeros(())
        for position, name in enumerate(stage.after):
            start = periods[name][1] if position == 0 else np.maximum(start, periods[name][1])
        periods[stage.name] = (start, start + np.asarray(durations.get(stage.name, 0.0)))
    for stage in ordered:
        if stage.duration_s is None:
            waiting = [periods[other.name][0] for other in ordered if stage.name in other.after]
            latest = [finish for _, finish in periods.values()]
            until = reduce(np.minimum, waiting) if waiting else reduce(np.maximum, latest)
            periods[stage.name] = (periods[stage.name][0], until)
    return periods
