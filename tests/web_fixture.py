"""A server on loopback for tests: real sockets, real headers."""

from __future__ import annotations

import pickle
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from fabless.decide import Decision
from fabless.links import case_digest
from fabless.web.app import app
from fabless.web.known_cases import KnownCases
from fabless.web.settings import Settings, settings_of
from fabless.web.store import FILE, Store, job_id

CASE = "inflection-2023"
TOKEN = "a-token-of-sixteen-or-more"


@contextmanager
def serving(store: Path, *, token: str = "") -> Iterator[httpx.Client]:
    """A client of a server with its own store."""
    with serving_by(settings_of(host="127.0.0.1", port=0, token=token, store=store, detail="quick")) as client:
        yield client


@contextmanager
def serving_by(settings: Settings) -> Iterator[httpx.Client]:
    server = uvicorn.Server(uvicorn.Config(
        app(settings), host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120.0, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def until(holds, seconds: float = 120.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def put_decision(folder: Path, decision: Decision, case: str = CASE, detail: str = "quick") -> str:
    """Keep a decision as the answer of a case; the job that it is now the answer of."""
    store = Store(folder)
    ident = job_id(case_digest(KnownCases(store).case(case)), {}, detail)
    store.ask(ident, case, {}, detail)
    with sqlite3.connect(folder / FILE) as base:
        base.execute("UPDATE jobs SET state = 'done', decision = ? WHERE id = ?",
                     (pickle.dumps(decision), ident))
    base.close()
    return ident
