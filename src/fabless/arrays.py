"""Records side by side: one record whose numbers are arrays, so that one call evaluates many models or machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Record = TypeVar("Record")


def stack(records: Sequence[Record]) -> Record:
    """Put records of one kind side by side: every number becomes an array with an element a record.

    Records inside records are stacked too; what is no number is kept of the first record. A number that some records
    lack (None) raises `TypeError`.

    >>> from fabless.records import Request
    >>> stack([Request(1.0, 2.0), Request(3.0, 4.0)]).output_tokens.tolist()
    [2.0, 4.0]
    """
    first = records[0]
    joined: dict[str, Any] = {}
    for field in fields(first):  # type: ignore[arg-type]
        values = [getattr(record, field.name) for record in records]
        if is_dataclass(values[0]):
            joined[field.name] = stack(values)
        elif any(isinstance(value, (int, float, np.ndarray)) for value in values):
            joined[field.name] = np.array(values, dtype=float)
    return replace(first, **joined)  # type: ignore[type-var]


def pick(record: Record, index: NDArray[np.intp]) -> Record:
    """Take elements of a stacked record: `index` gives the shape to which everything else then broadcasts."""
    chosen: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if is_dataclass(value):
            chosen[field.name] = pick(value, index)
        elif isinstance(value, np.ndarray):
            chosen[field.name] = value[index]
    return replace(record, **chosen)  # type: ignore[type-var]
