"""How a server is set up."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from fabless.errors import BadValue, Fault

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""
SHORTEST_TOKEN = 16


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One server."""

    store: Path
    """Folder in which questions and answers are kept."""
    host: str = "127.0.0.1"
    port: int = 8765
    token: str = ""
    """What every request must carry; empty on loopback where none is asked for."""
    first: str = ""
    """Name of the case that the address without a path leads to; empty: the menu."""
    own_cases: tuple[Path, ...] = ()
    """Case files of this machine that are offered beside the shipped ones."""
    detail: str = "standard"
    """Level of detail of the answer behind the page of a case."""
    hosts: frozenset[str] = field(default_factory=lambda: frozenset(LOOPBACK))
    """Names under which the server may be asked, without port."""


def settings_of(*, host: str, port: int, token: str, store: Path, detail: str = "standard") -> Settings:
    """Settings that are safe: beyond loopback there is a token, made where none is given.

    Raises `BadValue` for a token that is too short.
    """
    if token and len(token) < SHORTEST_TOKEN:
        raise BadValue(Fault("--token", f"{len(token)} characters", f"{SHORTEST_TOKEN} or more",
                             "leave --token out, and one is made"))
    made = token or ("" if host in LOOPBACK else secrets.token_urlsafe(24))
    hosts = frozenset({*LOOPBACK, host})
    return Settings(store=store, host=host, port=port, token=made, detail=detail, hosts=hosts)


def usual_store() -> Path:
    """Folder for what can be worked out again, as the system names it."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "fabless"
