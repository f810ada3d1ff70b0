"""Results of a validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabless.validate.statistics import Errors


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """A measured value beside its prediction, both in the unit of the file; `predicted` is None
    with a reason."""

    id: str
    model: str
    chip: str
    metric: str
    measured: float | None
    predicted: float | None
    reason: str
    error: float | None
    """Predicted over measured, less one."""
    file: str
    line: int
    layout: str
    quantity: str
    scale: float
    """Multiplies `measured` and `predicted` to SI."""
    groups: Mapping[str, str]
    """Key of a group -> the group that the row belongs to: chip and model by their names in the
    catalogue."""
    setting: str
    """Chips, parallelism, batch and lengths, to read."""
    notes: tuple[str, ...]
    """What was assumed in reading the row and in predicting it."""


@dataclass(frozen=True)
class ErrorGroup:
    """Error statistics of the rows of a group: `by` is its key, such as 'chip' or
    'vendor+phase'."""

    by: str
    name: str
    errors: Errors


@dataclass(frozen=True)
class ReasonCount:
    """How many rows have no prediction for one kind of reason, with an example."""

    kind: str
    rows: int
    example: str


@dataclass(frozen=True)
class FileRead:
    """A file that was read."""

    name: str
    layout: str
    lines: int
    rows: int
    """Measurements: a line of the serving layout gives two."""


@dataclass(frozen=True)
class Summary:
    """Summary of a validation."""

    files: tuple[FileRead, ...]
    errors: Errors
    reasons: tuple[ReasonCount, ...]
    faults: tuple[str, ...]
    """Cells that could not be read: one line each."""
    groups: tuple[ErrorGroup, ...]
    """Groups of each requested key, the largest first."""

    def by(self, key: str) -> tuple[ErrorGroup, ...]:
        """The groups of one key."""
        return tuple(group for group in self.groups if group.by == key)


@dataclass(frozen=True)
class Validation:
    """Rows in the order of the files, and their summary."""

    rows: tuple[ComparedRow, ...]
    summary: Summary

    def worst(self, count: int) -> tuple[ComparedRow, ...]:
        """The rows whose prediction is farthest from the measurement, as a ratio."""
        known = [row for row in self.rows if row.predicted is not None and row.measured is not None]
        return tuple(sorted(known, key=lambda row: -_ratio(row))[:count])


def _ratio(row: ComparedRow) -> float:
    assert row.predicted is not None
    assert row.measured is not None
    return max(row.predicted / row.measured, row.measured / row.predicted)
