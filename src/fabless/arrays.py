"""Records side by side: one record whose numbers are arrays, so that one call evaluates many models
or machines; ranks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.records import Array

Record = TypeVar("Record")

_BLOCK = 16384
"""Elements of a block: a few dozen temporaries of this size stay in the cache of a core."""
_PLAIN = frozenset({float, int, bool, str, type(None)})
"""Kinds of values that hold no array, asked first since they are most."""


def stack(records: Sequence[Record], following: int = 0) -> Record:
    """Put records of one kind side by side: every number becomes an array with an element a record.

    The records lie along an axis of their own, with `following` axes of length 1 after it for what
    else varies. Records inside records are stacked too; what is no number is kept of the first
    record. A number that only some records have (None in others) raises `BadValue`:
    `workload.shape` fills in those of a model.

    >>> from fabless.records import Request
    >>> stack([Request(1.0, 2.0), Request(3.0, 4.0)]).output_tokens.tolist()
    [2.0, 4.0]
    >>> stack([Request(1.0, 2.0), Request(3.0, 4.0)], following=1).output_tokens.tolist()
    [[2.0], [4.0]]
    """
    first = records[0]
    joined: dict[str, Any] = {}
    lacking = []
    for field in fields(first):  # type: ignore[arg-type]
        values = [getattr(record, field.name) for record in records]
        if is_dataclass(values[0]):
            joined[field.name] = stack(values, following)
        elif any(isinstance(value, (int, float, np.ndarray)) for value in values):
            lacking += [
                Fault(
                    f"record {k}.{field.name}", "missing",
                    "a number, as in other records of the stack",
                    "fill it in: workload.shape(model)",
                )
                for k, value in enumerate(values)
                if value is None
            ]
            joined[field.name] = values
    if lacking:
        raise BadValue(*lacking)
    return replace(
        first,
        **{  # type: ignore[type-var]
            name: np.array(value, dtype=float).reshape(len(records), *(1,) * following)
            if isinstance(value, list)
            else value
            for name, value in joined.items()
        },
    )


def pick(record: Record, index: NDArray[np.intp]) -> Record:
    """Take elements of a stacked record: `index` gives the shape to which everything else then
    broadcasts."""
    return _each(record, lambda array: array[index])


def shape_of(*values: object) -> tuple[int, ...]:
    """Shape to which all arrays in some numbers and records broadcast.

    >>> from fabless.records import Request
    >>> shape_of(np.zeros((2, 1)), 3.0, stack([Request(1.0, 2.0)] * 3))
    (2, 3)
    """
    shapes = {array.shape for value in values for array in _arrays(value)}
    return np.broadcast_shapes(*shapes) if len(shapes) > 1 else next(iter(shapes), ())


def chunked(evaluate: Callable[..., Record], *arguments: Any, block: int = _BLOCK, **named: Any) -> Record:
    """Call a model that broadcasts, block by block: the same result with temporaries of at most
    about `block` elements.

    The arguments are numbers, arrays and records of them; the result is one array or record, all of
    it in the full shape.

    >>> chunked(np.hypot, np.array([[3.0], [6.0]]), np.array([4.0, 8.0]), block=2).tolist()
    [[5.0, 8.54400374531753], [7.211102550927978, 10.0]]
    """
    shape = shape_of(*arguments, *named.values())
    if math.prod(shape) <= block:
        return evaluate(*arguments, **named)
    whole: Any = None
    for where in _blocks(shape, block):
        part = evaluate(*(_cut(value, where) for value in arguments),
                        **{name: _cut(value, where) for name, value in named.items()})
        if whole is None:
            whole = _each(part, lambda array: np.empty(shape, dtype=array.dtype))
        for into, values in zip(_arrays(whole), _arrays(part), strict=True):
            into[where] = values
    return whole  # type: ignore[no-any-return]


def _arrays(value: object) -> list[NDArray[Any]]:
    """All arrays of a value, which may be a record of records, in the order of the fields."""
    if isinstance(value, np.ndarray):
        return [value]
    if type(value) in _PLAIN or not is_dataclass(value):
        return []
    return [array for part in vars(value).values() if type(part) not in _PLAIN for array in _arrays(part)]


def _each(value: Record, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Record:
    """Replace every array of a value, which may be a record of records."""
    if isinstance(value, np.ndarray):
        return change(value)  # type: ignore[return-value]
    if not is_dataclass(value) or not _arrays(value):
        return value
    return replace(value, **{name: _each(part, change) for name, part in vars(value).items()})  # type: ignore[type-var]


def _cut(value: Record, where: tuple[slice, ...]) -> Record:
    """Take the part of a value that belongs to a block; axes of length 1 belong to every block."""
    def cut(array: NDArray[Any]) -> NDArray[Any]:
        along = where[len(where) - array.ndim:]
        return array[tuple(slice(None) if size == 1 else part for size, part in zip(array.shape, along, strict=True))]
    return _each(value, cut)


def _blocks(shape: tuple[int, ...], block: int) -> Iterator[tuple[slice, ...]]:
    """Slices that cover a shape: last axes whole as far as they fit, one axis in steps, those
    before it one by one."""
    axis, inner = len(shape) - 1, 1
    while axis > 0 and inner * shape[axis] <= block:
        inner *= shape[axis]
        axis -= 1
    step = max(block // inner, 1)
    for outer in np.ndindex(shape[:axis]):
        for start in range(0, shape[axis], step):
            yield (*(slice(k, k + 1) for k in outer), slice(start, start + step), *(slice(None),) * (len(shape) - axis - 1))


def ranks(values: Array) -> Array:
    """Ranks from 1, equal values sharing the mean of theirs.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[place], dtype=np.float64)
