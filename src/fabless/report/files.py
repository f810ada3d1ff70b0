"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fabless.errors import BadFile, Fault


def check_writable(path: Path) -> None:
    """Raise the `BadFile` of `write_whole` before there is anything to write; nothing is left
    behind."""
    if path.is_dir() or not path.name:
        raise _unwritable(path, "is a folder")
    folder = next(above for above in path.absolute().parents if above.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise _unwritable(path, f"cannot be written: {fault.strerror or fault}") from fault


def write_whole(path: Path, text: str) -> Path:
    """Write `text` to `path` through a temporary file in the same folder, then rename it over the
    target.

    Missing folders are made. Raises `BadFile` when the path cannot be written; then no part of the
    file is left behind and an earlier file of that name stays as it was.
    """
    check_writable(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as fault:
        raise _unwritable(path, f"cannot be written: {fault.strerror or fault}") from fault
    return path


def _unwritable(path: Path, reason: str) -> BadFile:
    return BadFile(Fault(str(path), reason, "a file in a writable folder",
                         "choose another path, or make its folder writable"))
