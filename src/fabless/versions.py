"""Versions of what an answer rests on: this program and the numerical libraries whose rounding it
inherits."""

from __future__ import annotations

from importlib.metadata import version

NAMED = ("fabless", "numpy", "scipy", "highspy")


def versions() -> dict[str, str]:
    """Installed version of each of `NAMED`.

    >>> list(versions())
    ['fabless', 'numpy', 'scipy', 'highspy']
    """
    return {name: version(name) for name in NAMED}
