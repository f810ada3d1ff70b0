"""How the suite runs, and what is worked out once for all of it.

A run of everything takes one process a core and deals out whole files, the longest first; a run of
named files or tests stays in one process. `-n 0` and `-n 4` say otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LONGEST = (
    "test_docs.py", "test_same_answer.py", "test_validate.py", "test_decide.py", "test_titles.py",
    "test_resale.py", "test_cli.py", "test_case.py", "test_decompose.py", "test_explore_serving.py",
)
"""Files that take longest, so that no process ends with one of them while the others have nothing
left to do."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

if "PYTEST_XDIST_WORKER" in os.environ:  # before numpy is imported: as many threads as processes would fight for the cores
    for name in THREADS:
        os.environ.setdefault(name, "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process a core for the whole suite, none besides this one for a few named files."""
    named = any(".py" in argument for argument in config.args)
    return 0 if named else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first where files are dealt out to processes, in their order."""
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(Path(item.location[0]).name, len(LONGEST)))
