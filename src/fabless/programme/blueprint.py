"""A programme ready to be simulated: its graph, laws and random numbers, as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fabless.programme.draws import End
from fabless.programme.parameters import ProgrammeModel
from fabless.programme.posterior import LogTime
from fabless.programme.rates import has_good_silicon
from fabless.programme.route import (
    INTEGRATION,
    RAMP,
    RESPINS,
    SILICON,
    START,
    TAPE_OUT,
    VOLUME,
    route_stages,
)
from fabless.programme.stages import NOTHING, Duration, Gate, Stage, before, part_of
from fabless.records import Array, Range
from fabless.units import MONTH_S

(
    METAL_DELAY, FULL_DELAY, METAL_COST, FULL_COST, PERFORMANCE, TEAM, SUPPORT, PURCHASE, RETENTION,
    DISTRESSED, CONTESTED, SECOND_OVERLAP, SECOND_DESIGN, SECOND_FAB, SECOND_QUALIFICATION,
    SECOND_GAIN, SECOND_DESIGN_COST, SECOND_MASKS,
) = range(18)
"""Rows of `Layout.laws` that every programme has; those of its stages follow."""
(POINTS, LOW, UPPER, SPLIT, LEFT, RIGHT, LOGARITHMIC) = range(7)
"""Columns of `Layout.laws`: column of points (-1: LOW is certain), ends, share left of the mode,
slopes (LEFT below 0: the point is the value), scale."""
EVENTS = 11
"""Uniforms that decide events: gate, bid, first spin, later spins, metal, scope, distressed, and
four of the second."""
CENTURY = 1200.0
"""A stage that a heavy tail makes longer [month] never ends within a horizon."""


class Layout(NamedTuple):
    """Everything common to all trajectories; stages in topological order, -1 for none."""

    laws: Array
    """One row per law; `POINTS` to `LOGARITHMIC` name the columns."""
    varying: NDArray[np.int64]
    """Rows of the laws that take a point."""
    stage_law: NDArray[np.int64]
    spend_law: NDArray[np.int64]
    slip_law: NDArray[np.int64]
    slowed: NDArray[np.bool_]
    hammock: NDArray[np.bool_]
    before: NDArray[np.int64]
    """Predecessors of each stage, shape (stages, largest number of them), padded with -1."""
    behind: NDArray[np.int64]
    """Successors of each stage, shape (stages, largest number of them), padded with -1."""
    begins: NDArray[np.bool_]
    """Shape (stages, ends): whether a stage can begin in a programme that ends there."""
    completes: NDArray[np.bool_]
    """Shape (stages, ends): whether a stage can be completed in a programme that ends there."""
    end_stage: NDArray[np.int64]
    """Stage at whose finish each end falls."""
    places: tuple[int, int, int, int, int, int, int, int]
    """Stages of the close, start of work, tape-out, respins and ramp; limits of the spins of the
    first (0: good silicon is there) and the second generation; whether there is a second."""
    second_slips: NDArray[np.int64]
    """Slip laws of the second generation's design and qualification."""


class TrajectoryArrays(NamedTuple):
    """Arrays that take the results, of shape (count,) unless stated."""

    finish: Array
    """Shape (stages, count)."""
    end: Array
    ended: NDArray[np.int8]
    volume: Array
    spins: NDArray[np.int64]
    performance: Array
    scope_cut: NDArray[np.bool_]
    spend: Array
    """Shape (count, quarters)."""
    total: Array
    at_risk: Array
    peak: Array
    second: Array
    gain: Array


@dataclass(frozen=True)
class Derived:
    """A column of points that is made from another one: a slip that differs between stages, or a
    heavy-tailed duration."""

    column: int
    law: LogTime | None
    """None: a slip with the common factor of that column; else the values of this law at its
    points."""


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A programme ready to be run."""

    stages: tuple[Stage, ...]
    layout: Layout
    columns: int
    """Independent uniform points that a trajectory takes."""
    derived: tuple[Derived, ...]
    """Derived columns, which follow the independent ones."""
    slip_correlation: float


class _Laws:
    """Collects the laws of a programme, a row each, and the columns of points that they take."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.rows: list[list[float]] = []
        self.columns = {name: k for k, name in enumerate(columns)}
        self.derived: list[Derived] = []
        self._from: dict[int, int] = {}

    def add(self, key: str, law: Duration) -> int:
        """Add a law that takes the column `key`, and return its row."""
        row = [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        if isinstance(law, LogTime):
            self._from[len(self.rows)] = len(self.derived)
            self.derived.append(Derived(self.columns.setdefault(key, len(self.columns)), law))
            row[LEFT] = -1.0
        elif law.low == law.high:
            row[LOW] = law.mode
        else:
            logs = law.scale == "log"
            low, mode, high = (
                math.log(end) if logs else end for end in (law.low, law.mode, law.high)
            )
            row = [
                self.columns.setdefault(key, len(self.columns)), low, high,
                (mode - low) / (high - low), (high - low) * (mode - low),
                (high - low) * (high - mode), float(logs),
            ]
        self.rows.append(row)
        return len(self.rows) - 1

    def add_apart(self, key: str, law: Range) -> int:
        """Add a law whose own points are made from the column `key`, and return its row."""
        row = self.add(key, law)
        if law.low < law.high:
            self._from[row] = len(self.derived)
            self.derived.append(Derived(self.columns[key], None))
        return row

    def table(self) -> Array:
        """All rows; derived columns follow the independent ones."""
        for row, position in self._from.items():
            self.rows[row][POINTS] = len(self.columns) + position
        return np.array(self.rows)


def blueprint(parameters: ProgrammeModel) -> Blueprint:
    """Lay out a programme; raises `BadValue` where its stages make no graph.

    The ranges that every programme has keep their columns, so that one of zero width leaves the
    others' points as they were.
    """
    stages = route_stages(parameters)
    start = START[parameters.route]
    laws = _Laws(
        (
            start, "design_s", SILICON, "qualification_s", "slip", "metal_respin_s",
            "full_respin_s", "metal_respin_usd", "full_respin_usd", "performance", "team_usd_per_s",
            "support_share", "masks_usd", "design_usd", "software_usd", "purchase_usd",
        )
    )
    for key, law in _named(parameters):
        laws.add(key, law)
    stage_law = [
        laws.add(stage.drawn_with or stage.name, _months(stage.duration_s or NOTHING))
        for stage in stages
    ]
    spend_law = [
        laws.add(_spend_key(stage), stage.spend_usd) if stage.spend_usd.high > 0 else -1
        for stage in stages
    ]
    slipping = [stage.name for stage in stages if stage.slips] + [
        "second design", "second qualification",
    ]
    add_slip = laws.add if parameters.slip_correlation == 1 else laws.add_apart
    slips = {
        name: add_slip("slip", parameters.slip)
        for name in slipping[: None if parameters.second else -2]
    }
    names = [stage.name for stage in stages]
    end_stage = _end_stage(stages, start)
    begins, completes = _open(stages, end_stage)
    table = laws.table()
    layout = Layout(
        laws=table, varying=np.flatnonzero(table[:, POINTS] >= 0), stage_law=np.array(stage_law),
        spend_law=np.array(spend_law),
        slip_law=np.array([slips[stage.name] if stage.slips else -1 for stage in stages]),
        slowed=np.array([stage.slowed for stage in stages]),
        hammock=np.array([stage.duration_s is None for stage in stages]),
        before=_table([[names.index(name) for name in stage.after] for stage in stages]),
        behind=_table(
            [[k for k, later in enumerate(stages) if stage.name in later.after] for stage in stages]
        ),
        begins=begins,
        completes=completes,
        end_stage=np.array([names.index(end_stage.get(end, VOLUME)) for end in End]),
        places=(
            names.index(start), names.index(INTEGRATION), names.index(TAPE_OUT),
            names.index(RESPINS), names.index(RAMP),
            0 if has_good_silicon(parameters, stages) else parameters.spin_limit,
            parameters.spin_limit, int(parameters.second is not None),
        ),
        second_slips=np.array([slips.get(name, -1) for name in slipping[-2:]]),
    )
    return Blueprint(
        stages, layout, len(laws.columns), tuple(laws.derived), parameters.slip_correlation
    )


def _named(programme: ProgrammeModel) -> list[tuple[str, Duration]]:
    """Laws in the order of the rows that every programme has."""
    path, second = programme.price_path, programme.second
    unchanged = Range.point(1.0)
    return [
        ("metal_respin_s", _months(programme.metal_respin_s)),
        ("full_respin_s", _months(programme.full_respin_s)),
        ("metal_respin_usd", programme.metal_respin_usd),
        ("full_respin_usd", programme.full_respin_usd), ("performance", programme.performance),
        ("team_usd_per_s", part_of(programme.team_usd_per_s, MONTH_S)),
        ("support_share", programme.support_share), ("purchase_usd", programme.purchase_usd),
        ("retention", programme.retention),
        ("distressed", path.distressed_multiple if path else unchanged),
        ("contested", path.contested_multiple if path else unchanged),
        ("second overlap", _months(second.overlap_s) if second else NOTHING),
        ("second design", _months(second.design_s) if second else NOTHING),
        ("second silicon", _months(programme.fab_s) if second else NOTHING),
        ("second qualification", _months(programme.qualification_s) if second else NOTHING),
        ("second gain", second.gain if second else unchanged),
        ("second design_usd", second.design_usd if second else NOTHING),
        ("second masks_usd", second.masks_usd if second else NOTHING),
    ]


def _spend_key(stage: Stage) -> str:
    """Column of the points of a stage's spend."""
    if stage.drawn_with == "design_s":
        return "design_usd"
    return {"tape-out": "masks_usd", "software": "software_usd"}.get(
        stage.name, f"spend of {stage.name}"
    )


def _months(law: Duration) -> Duration:
    return part_of(law, 1.0 / MONTH_S)


def _table(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    width = max(1, *(len(row) for row in rows))
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows], dtype=np.int64)


def _end_stage(stages: tuple[Stage, ...], start: str) -> dict[End, str]:
    """Stage at whose finish each end falls."""
    gates = {stage.gate: stage.name for stage in stages}
    return {End.BID: start, End.SPINS: RESPINS, End.NONE: VOLUME} | {
        End[gate.name]: gates[gate] for gate in Gate if gate in gates}


def _open(
    stages: tuple[Stage, ...], end_stage: dict[End, str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    begins = np.ones((len(stages), len(End)), dtype=bool)
    completes = begins.copy()
    for row, stage in enumerate(stages):
        earlier = before(stages, stage.name)
        for end, last in end_stage.items():
            begins[row, end] = end is End.NONE or last not in earlier
            failed = stage.name == last and end in (End.BID, End.SPINS, End.DEPLOYMENT)
            completes[row, end] = begins[row, end] and not failed
    return begins, completes


