"""Canonical text of a value, and its digest: the same in every process, folder and machine.

Whatever decides an answer is known by the digest of its canonical text. That text holds contents
only: no path, no order of a set, nothing that another version of a library prints otherwise.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np


def canonical(value: object) -> str:
    """Write a value as JSON text that depends on nothing but its content.

    Keys are sorted, sets too; numbers are written so that they read back exactly; dates are ISO; a
    record is an object with its class under ``record``; an array is its kind, its shape and the
    SHA-256 of its bytes, least significant first. Raises `TypeError` for anything else, a path
    above all: what a file holds counts, not where it lies.

    >>> canonical({"b": {2.0, 1.0}, "a": (dt.date(2023, 10, 31), None)})
    '{"a":["2023-10-31",null],"b":[1.0,2.0]}'
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(value: object) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the canonical text of a value.

    >>> digest_of({"a": np.zeros(3)}) == digest_of({"a": np.broadcast_to(0.0, (3,))})
    True
    >>> digest_of({"a": np.zeros(3)}) == digest_of({"a": np.ones(3)})
    False
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        held = hashlib.sha256(little.tobytes()).hexdigest()
        return {"array": little.dtype.str, "shape": list(value.shape), "sha256": held}
    if is_dataclass(value) and not isinstance(value, type):
        return {"record": type(value).__name__} | {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_plain(item) for item in value), key=canonical)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _key(key: object) -> str:
    return key if isinstance(key, str) else canonical(key)
