"""Questions and answers on disk: uploaded cases and jobs, in one SQLite file.

A job is known by its question: digest of the case, what is moved, level of detail, versions of the
program and its libraries. The same question is the same job, whoever asks it and whenever.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fabless.decide import Decision
from fabless.digest import digest_of
from fabless.versions import versions

FILE = "answers.sqlite3"
WAITING_S = 30.0
"""Time to wait for another process that writes [s]."""
OPEN = ("queued", "running")

_TABLES = """
CREATE TABLE IF NOT EXISTS cases (name TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, case_name TEXT NOT NULL, changes TEXT NOT NULL, detail TEXT NOT NULL,
    state TEXT NOT NULL, line TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
    asked REAL NOT NULL, decision BLOB);
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One question that takes long."""

    id: str
    case: str
    changes: Mapping[str, float]
    detail: str
    state: str
    """queued | running | done | failed | cancelled"""
    line: str
    """What is under way."""
    error: str
    """Faults as JSON, where it failed."""


def job_id(digest: str, changes: Mapping[str, float], detail: str) -> str:
    """Digest of a question."""
    return digest_of((digest, dict(changes), detail, versions()))


class Store:
    """What is kept; every method opens the file anew, so that threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / FILE
        with self._open() as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=WAITING_S, isolation_level=None)) as base:
            yield base

    def put_case(self, name: str, title: str, text: str) -> None:
        """Keep an uploaded case."""
        with self._open() as base:
            base.execute("INSERT OR REPLACE INTO cases VALUES (?, ?, ?)", (name, title, text))

    def cases(self) -> list[tuple[str, str]]:
        """Names and titles of uploaded cases."""
        with self._open() as base:
            return base.execute("SELECT name, title FROM cases ORDER BY name").fetchall()

    def case_text(self, name: str) -> str | None:
        """Text of an uploaded case."""
        with self._open() as base:
            row = base.execute("SELECT text FROM cases WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def ask(self, ident: str, case: str, changes: Mapping[str, float], detail: str) -> Job:
        """The job of a question: as it stands, or queued where it is new or had ended without an
        answer."""
        with self._open() as base:
            base.execute(
                "INSERT INTO jobs (id, case_name, changes, detail, state, asked) "
                "VALUES (?, ?, ?, ?, 'queued', ?) ON CONFLICT (id) DO UPDATE SET "
                "state = 'queued', line = '', error = '', asked = excluded.asked "
                "WHERE state IN ('failed', 'cancelled')",
                (ident, case, json.dumps(dict(changes), sort_keys=True), detail, time.time()))
        job = self.job(ident)
        assert job is not None
        return job

    def job(self, ident: str) -> Job | None:
        """A job by its digest."""
        with self._open() as base:
            row = base.execute(
                "SELECT id, case_name, changes, detail, state, line, error FROM jobs WHERE id = ?",
                (ident,)).fetchone()
        if row is None:
            return None
        ident, case, changes, detail, state, line, error = row
        return Job(id=ident, case=case, changes=json.loads(changes), detail=detail, state=state,
                   line=line, error=error)

    def waiting(self) -> int:
        """Jobs that are queued."""
        with self._open() as base:
            return int(base.execute("SELECT count(*) FROM jobs WHERE state = 'queued'").fetchone()[0])

    def take(self) -> Job | None:
        """The oldest queued job, now running; a quick one goes before longer ones."""
        with self._open() as base:
            row = base.execute(
                "UPDATE jobs SET state = 'running' WHERE id = (SELECT id FROM jobs WHERE "
                "state = 'queued' ORDER BY detail != 'quick', asked LIMIT 1) RETURNING id").fetchone()
        return None if row is None else self.job(row[0])

    def say(self, ident: str, line: str) -> None:
        """Write what is under way."""
        with self._open() as base:
            base.execute("UPDATE jobs SET line = ? WHERE id = ? AND state = 'running'", (line, ident))

    def finish(self, ident: str, decision: Decision) -> None:
        """Keep the answer of a job that nobody has cancelled."""
        with self._open() as base:
            base.execute(
                "UPDATE jobs SET state = 'done', line = '', decision = ? "
                "WHERE id = ? AND state = 'running'", (pickle.dumps(decision), ident))

    def end(self, ident: str, state: str, error: str = "") -> bool:
        """End a job without an answer; whether it was still open."""
        with self._open() as base:
            return base.execute(
                "UPDATE jobs SET state = ?, error = ? WHERE id = ? AND state IN ('queued', 'running')",
                (state, error, ident)).rowcount > 0

    def resume(self) -> None:
        """Queue what was running when the server that worked on it was ended."""
        with self._open() as base:
            base.execute("UPDATE jobs SET state = 'queued', line = '' WHERE state = 'running'")

    def decision(self, ident: str) -> Decision | None:
        """The answer of a job that is done."""
        with self._open() as base:
            row = base.execute("SELECT decision FROM jobs WHERE id = ? AND state = 'done'",
                               (ident,)).fetchone()
        # written by this program alone, in a folder that is the user's own
        return None if row is None else cast(Decision, pickle.loads(row[0]))
