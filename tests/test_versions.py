"""Versions of what the package stands on: bounds, lock and lowest versions agree."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"]]
LOWEST = (
    "uv pip compile --universal --python-version 3.11 --resolution lowest-direct --no-header --no-annotate "
    "--no-emit-index-url pyproject.toml -o constraints-lowest.txt"
)


def pinned(file: str) -> dict[str, list[str]]:
    """Versions of each package in a file of constraints, by canonical name."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition("==")
        pins.setdefault(canonicalize_name(name), []).append(rest.split(";")[0].strip())
    return pins


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-lowest.txt"])
def test_constraints_hold_versions_and_nothing_else(file: str) -> None:
    """No host names, options or paths of the machine that made them."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9._-]+==[\w.!+]+( ; .+)?", line)] == []


@pytest.mark.parametrize("needed", DIRECT, ids=lambda needed: needed.name)
def test_the_lock_lies_within_the_bounds(needed: Requirement) -> None:
    versions = pinned("constraints.txt")[canonicalize_name(needed.name)]
    assert [found for found in versions if found not in needed.specifier] == []


@pytest.mark.parametrize("needed", DIRECT, ids=lambda needed: needed.name)
def test_the_lowest_versions_are_those_of_the_bounds(needed: Requirement) -> None:
    low, = (one.version for one in needed.specifier if one.operator == ">=")
    found = pinned("constraints-lowest.txt")[canonicalize_name(needed.name)][0]
    exact = re.fullmatch(rf"{re.escape(low)}(\.0)*(\.post\d+)?", found)
    assert exact or found.startswith(f"{low}."), f"run: {LOWEST}"


@pytest.mark.parametrize("needed", DIRECT, ids=lambda needed: needed.name)
def test_what_is_installed_lies_within_the_bounds(needed: Requirement) -> None:
    assert version(needed.name) in needed.specifier
