"""A long run's state on disk: written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from fabless.errors import BadFile, Fault


def check_folder(path: Path) -> None:
    """Raise `BadFile` where the folder of a state to be written is missing: before the work rather
    than after it."""
    if not path.parent.is_dir():
        raise BadFile(
            Fault(
                str(path), "cannot be written: its folder is missing",
                "a file in a writable folder", "make the folder, or give another --checkpoint",
            )
        )


def write_state(path: Path, state: bytes) -> None:
    """Write `state` through a temporary file in the same folder, then rename it over the target.

    Raises `BadFile` when the path cannot be written; an earlier file of that name then stays as it
    was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(state)
        part.replace(path)
    except OSError as error:
        raise BadFile(
            Fault(
                str(path), f"cannot be written: {error.strerror}", "a file in a writable folder",
                "give another --checkpoint",
            )
        ) from error
    finally:
        part.unlink(missing_ok=True)
