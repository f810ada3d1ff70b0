"""Questions on moved cases: one at work, the newest of each reader kept, older ones dropped."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from fabless.errors import BadValue, Fault
from fabless.web.faults import Busy, Stale
from fabless.web.running import ended, own_process
from fabless.web.settings import Settings

MOST = 64
"""Questions that may wait."""
KEPT = 512
"""Answers kept in memory."""

Json = Mapping[str, object]


@dataclass(eq=False)
class Asked:
    """A question with all that wait for its answer."""

    key: str
    question: Json
    readers: dict[str, Future[Json]] = field(default_factory=dict)


class Answerer:
    """Hands questions to a worker that keeps cases prepared, one after the other."""

    def __init__(self, settings: Settings, kind: str) -> None:
        self._settings, self._kind = settings, kind
        self._news = threading.Condition()
        self._waiting: OrderedDict[str, Asked] = OrderedDict()
        self._at_work: Asked | None = None
        self._answers: OrderedDict[str, Json] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._count = 0

    def ask(self, question: Json, reader: str) -> Future[Json]:
        """The answer to come; a reader's question that still waits is `Stale` when he asks anew.

        Raises `Busy` where too many wait. A reader without a name waits for himself.
        """
        key = json.dumps(question, sort_keys=True)
        future: Future[Json] = Future()
        with self._news:
            self._count += 1
            name = reader or f" {self._count}"
            self._drop(name)
            if key in self._answers:
                self._answers.move_to_end(key)
                future.set_result(self._answers[key])
                return future
            if self._at_work is not None and self._at_work.key == key:
                self._at_work.readers[f"{name} {self._count}"] = future
                return future
            if key not in self._waiting and len(self._waiting) >= MOST:
                raise Busy(Fault("questions", f"{MOST} wait", "fewer", "try again in a moment"))
            self._waiting.setdefault(key, Asked(key, question)).readers[name] = future
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, daemon=True)
                self._thread.start()
            self._news.notify_all()
        return future

    def stop(self) -> None:
        """End the worker; what waits is dropped."""
        with self._news:
            self._stopped = True
            for asked in list(self._waiting.values()):
                for name in list(asked.readers):
                    self._drop(name)
            self._news.notify_all()
            if self._process is not None:
                ended(self._process)
        if self._thread is not None:
            self._thread.join()

    def _drop(self, reader: str) -> None:
        for key, asked in list(self._waiting.items()):
            future = asked.readers.pop(reader, None)
            if future is not None:
                future.set_exception(Stale(Fault("request", "overtaken by a newer one",
                                                 "the newest request of a reader", "wait for that")))
            if not asked.readers:
                del self._waiting[key]

    def _loop(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._stopped:
                    self._news.wait()
                if self._stopped:
                    return
                _, asked = self._waiting.popitem(last=False)
                self._at_work = asked
            answer = self._answer(asked.question)
            with self._news:
                self._at_work = None
                if answer is not None and "answer" in answer:
                    self._answers[asked.key] = answer
                    while len(self._answers) > KEPT:
                        self._answers.popitem(last=False)
            for future in asked.readers.values():
                if answer is None:
                    future.set_exception(BadValue(Fault(
                        "worker", "ended before it answered", "an answer", "ask again")))
                else:
                    future.set_result(answer)

    def _answer(self, question: Json) -> Json | None:
        """What the worker says; None where it ended."""
        with self._news:
            if self._stopped:
                return None
            if self._process is None or self._process.poll() is not None:
                own = ",".join(map(str, self._settings.own_cases))
                self._process = own_process(self._kind, str(self._settings.store), own)
            process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        line = b""
        with suppress(OSError, ValueError):
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if line:
            answer: Json = json.loads(line)
            return answer
        ended(process)
        return None
