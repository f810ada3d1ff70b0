"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from fabless.errors import BadFile, Fault


def write_whole(path: Path, text: str) -> Path:
    """Write `text` to `path` through a temporary file in the same folder, then rename it over the target.

    Missing folders are made. Raises `BadFile` when the path cannot be written; then no part of the file is left behind
    and an earlier file of that name stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as fault:
        raise BadFile(Fault(str(path), f"cannot be written: {fault.strerror or fault}", "a file in a writable folder",
                            "choose another path, or make its folder writable")) from fault
    return path
