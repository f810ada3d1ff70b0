"""Jobs at work: one at a time, each in a process group of its own that ends with the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from fabless.web.settings import Settings
from fabless.web.store import Store

GIVEN_UP = '[{"place": "job", "found": "the process that worked on it ended", ' \
    '"allowed": "a whole answer", "remedy": "ask again"}]'


def own_process(*arguments: str) -> subprocess.Popen[bytes]:
    """A worker of this program that ends when its standard input is closed, hence with the process
    that started it."""
    return subprocess.Popen(
        [sys.executable, "-m", "fabless.web.worker", *arguments], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, start_new_session=True)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a worker and all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


class Runner:
    """A thread that takes the oldest job, has it worked on, and goes on to the next."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._news, self._stopping = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._running = ""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Resume what was begun, and take jobs from now on."""
        self._store.resume()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs; the one at work is resumed by the next server."""
        self._stopping.set()
        self._news.set()
        with self._lock:
            if self._process is not None:
                ended(self._process)
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look for new jobs."""
        self._news.set()

    def cancel(self, ident: str) -> bool:
        """End a job without an answer; whether it was still open."""
        was_open = self._store.end(ident, "cancelled")
        with self._lock:
            if self._process is not None and self._running == ident:
                ended(self._process)
        return was_open

    def _loop(self) -> None:
        while not self._stopping.is_set():
            job = self._store.take()
            if job is None:
                self._news.wait(5.0)
                self._news.clear()
                continue
            with self._lock:
                if self._stopping.is_set():
                    return
                own = ",".join(map(str, self._settings.own_cases))
                self._running = job.id
                self._process = own_process("job", str(self._settings.store), job.id, own)
            assert self._process.stdout is not None
            with suppress(ValueError, OSError):
                self._process.stdout.read()
            self._process.wait()
            with self._lock:
                ended(self._process)
                self._process, self._running = None, ""
            if not self._stopping.is_set():
                self._store.end(job.id, "failed", GIVEN_UP)
