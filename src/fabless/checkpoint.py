"""A long run's state on disk: written whole or not at all, and known by what it belongs to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from fabless.errors import BadFile, Fault


def check_folder(path: Path) -> None:
    """Raise `BadFile` where the folder of a state to be written is missing: before the work rather than after it."""
    if not path.parent.is_dir():
        raise BadFile(Fault(str(path), "cannot be written: its folder is missing", "a file in a writable folder",
                            "make the folder, or give another --checkpoint"))


def write_state(path: Path, state: bytes) -> None:
    """Write `state` through a temporary file in the same folder, then rename it over the target.

    Raises `BadFile` when the path cannot be written; an earlier file of that name then stays as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(state)
        part.replace(path)
    except OSError as error:
        raise BadFile(Fault(str(path), f"cannot be written: {error.strerror}", "a file in a writable folder",
                            "give another --checkpoint")) from error
    finally:
        part.unlink(missing_ok=True)


def digest_of(item: object) -> str:
    """Digest of a value down to the bytes of its arrays, whatever their layout in memory.

    >>> digest_of({"a": np.zeros(3)}) == digest_of({"a": np.broadcast_to(0.0, (3,))})
    True
    >>> digest_of({"a": np.zeros(3)}) == digest_of({"a": np.ones(3)})
    False
    """
    digest = hashlib.sha256()
    _feed(digest, item)
    return digest.hexdigest()[:16]


def _feed(digest: hashlib._Hash, item: object) -> None:
    if isinstance(item, np.ndarray):
        digest.update(f"{item.dtype} {item.shape}".encode())
        digest.update(np.ascontiguousarray(item).tobytes())
    elif is_dataclass(item) and not isinstance(item, type):
        digest.update(type(item).__name__.encode())
        for field in fields(item):
            digest.update(field.name.encode())
            _feed(digest, getattr(item, field.name))
    elif isinstance(item, Mapping):
        for key in sorted(item):
            digest.update(repr(key).encode())
            _feed(digest, item[key])
    elif isinstance(item, tuple | list):
        digest.update(f"{len(item)} (".encode())
        for part in item:
            _feed(digest, part)
    else:
        digest.update(repr(item).encode())
