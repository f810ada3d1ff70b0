"""What a decomposition has found so far, in one file from which it goes on."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fabless.checkpoint import write_state
from fabless.errors import BadFile, Fault
from fabless.plan.decompose.subtree import Basis
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class CutRow:
    """A lower bound on the cost of a subtree, or a limit without which it has no plan:
    ``bound + gradient (y - links)``."""

    subtree: int
    feasibility: bool
    bound: float
    gradient: Array
    links: Array


@dataclass(frozen=True, eq=False)
class Saved:
    """State of a decomposition."""

    best: Array
    """Columns of the root block in the best plan; empty without one."""
    lower: float
    cuts: tuple[CutRow, ...]
    bases: tuple[Basis | None, ...]
    iteration: int


def write_saved(path: Path, digest: str, saved: Saved) -> None:
    """Write the state whole; raises `BadFile` when the path cannot be written."""
    cuts = saved.cuts
    known = [k for k, basis in enumerate(saved.bases) if basis is not None]
    arrays: dict[str, Any] = {
        "digest": np.array(digest), "best": saved.best, "lower": saved.lower,
        "iteration": saved.iteration,
        "subtree": np.array([cut.subtree for cut in cuts], dtype=np.int64),
        "feasibility": np.array([cut.feasibility for cut in cuts], dtype=bool),
        "bound": np.array([cut.bound for cut in cuts]),
        "length": np.array([cut.gradient.size for cut in cuts], dtype=np.int64),
        "gradient": np.concatenate([np.zeros(0), *(cut.gradient for cut in cuts)]),
        "links": np.concatenate([np.zeros(0), *(cut.links for cut in cuts)]),
        "subtrees": len(saved.bases), "known": np.array(known, dtype=np.int64),
    }
    for k in known:
        basis = saved.bases[k]
        assert basis is not None
        arrays[f"columns {k}"], arrays[f"rows {k}"] = basis
    file = io.BytesIO()
    np.savez(file, **arrays)
    write_state(path, file.getvalue())


def read_saved(path: Path, digest: str) -> Saved | None:
    """What an earlier run left; None where there is no file.

    Raises `BadFile` for a file that is no checkpoint, or one of another plan.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as state:
            if str(state["digest"]) != digest:
                raise BadFile(Fault(str(path), "belongs to another plan",
                                    "a checkpoint of the same problem and boundary",
                                    "give another --checkpoint, or remove the file"))
            ends = np.cumsum(state["length"])[:-1]
            gradients, links = np.split(state["gradient"], ends), np.split(state["links"], ends)
            cuts = tuple(
                CutRow(int(subtree), bool(feasibility), float(bound), gradient, at)
                for subtree, feasibility, bound, gradient, at in zip(
                    state["subtree"], state["feasibility"], state["bound"], gradients, links,
                    strict=False))
            known = set(state["known"].tolist())
            bases = tuple((state[f"columns {k}"], state[f"rows {k}"]) if k in known else None
                          for k in range(int(state["subtrees"])))
            return Saved(state["best"], float(state["lower"]), cuts, bases, int(state["iteration"]))
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadFile(Fault(str(path), f"is no checkpoint: {error}",
                            "a file that a decomposition wrote",
                            "give another --checkpoint, or remove the file")) from error
