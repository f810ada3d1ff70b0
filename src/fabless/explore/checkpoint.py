"""State of a sweep on disk, from which an interrupted sweep resumes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from fabless.catalogue.facts.text import read_text
from fabless.checkpoint import write_state
from fabless.errors import BadFile, Fault
from fabless.explore.found import SweepState
from fabless.explore.front import Kept

EVERY_S = 2.0
"""Smallest time between two writes [s]."""


class Checkpoint:
    """A file with the state of one sweep; it is written whole or not at all."""

    def __init__(self, path: Path, digest: str) -> None:
        self.path, self.digest = path, digest
        self._written = 0.0

    def read(self, empty: SweepState) -> tuple[SweepState, set[int]]:
        """What an earlier run found and which chunks it did; nothing where there is no file.

        Raises `BadFile` for a file that is none, or that belongs to another exploration.
        """
        if not self.path.exists():
            return empty, set()
        try:
            state: dict[str, Any] = json.loads(read_text(self.path))
            if state["digest"] != self.digest:
                raise BadFile(
                    Fault(
                        str(self.path), "belongs to another exploration",
                        "a checkpoint of the same space, load, prices and chunk",
                        "give another --checkpoint, or remove the file",
                    )
                )
            kept = Kept(
                np.array(state["numbers"], dtype=np.int64),
                {name: np.array(values, dtype=float) for name, values in state["metrics"].items()},
            )
            return SweepState(
                designs=state["designs"], removed=state["removed"], unserved=state["unserved"],
                nearest=state["nearest"], points=state["points"], kept=kept), set(state["done"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadFile(
                Fault(
                    str(self.path), f"is no checkpoint: {error}",
                    "a file that `fabless explore` wrote",
                    "give another --checkpoint, or remove the file",
                )
            ) from error

    def write(self, swept: SweepState, done: set[int], last: bool) -> None:
        """Write the state, at most every `EVERY_S` seconds except for the last one."""
        now = time.monotonic()
        if not last and now - self._written < EVERY_S:
            return
        self._written = now
        state = {
            "digest": self.digest, "designs": swept.designs, "removed": dict(swept.removed),
            "unserved": dict(swept.unserved), "nearest": dict(swept.nearest),
            "points": swept.points, "numbers": swept.kept.numbers.tolist(),
            "metrics": {name: values.tolist() for name, values in swept.kept.metrics.items()},
            "done": sorted(done),
        }
        write_state(self.path, json.dumps(state).encode())
