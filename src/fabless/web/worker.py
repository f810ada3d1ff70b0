"""A process of the server that computes: one job, or one question after another.

    python -m fabless.web.worker job STORE ID CASES
    python -m fabless.web.worker rough|twelve STORE CASES

A question is a line of JSON on standard input, its answer a line on standard output. The process
ends, with all that it has started, when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from fabless.decide import decide
from fabless.errors import BadValue, FablessError, Fault
from fabless.executors import processes
from fabless.links import changed_case
from fabless.report.document import Plain
from fabless.web.known_cases import KnownCases
from fabless.web.moving import Moving
from fabless.web.store import Store


def main(arguments: list[str]) -> None:
    """Do what the arguments name."""
    kind, folder, *rest = arguments
    store = Store(Path(folder))
    own = tuple(Path(path) for path in rest[-1].split(",") if path)
    cases = KnownCases(store, own)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    if kind == "job":
        threading.Thread(target=_end_with_parent, args=(sys.stdin,), daemon=True).start()
        work_on(store, cases, rest[0])
        return
    with processes(os.cpu_count() or 1) if kind == "twelve" else nullcontext() as pool:
        moving = Moving(pool)
        answer = moving.twelve if kind == "twelve" else moving.rough
        for line in _lines(sys.stdin):
            print(json.dumps(answered(json.loads(line), store, cases, answer), allow_nan=False),
                  file=out, flush=True)


def work_on(store: Store, cases: KnownCases, ident: str) -> None:
    """Work on a job to its end, whatever that is."""
    job = store.job(ident)
    if job is None or job.state != "running":
        return
    try:
        case = changed_case(cases.case(job.case), job.changes)
        decision = decide(case, detail=job.detail, progress=lambda line: store.say(ident, line))
    except FablessError as error:
        store.end(ident, "failed", json.dumps(_plain(error)))
    else:
        store.finish(ident, decision)


Answer = Callable[..., dict[str, Plain]]


def answered(
    question: Mapping[str, object], store: Store, cases: KnownCases, answer: Answer
) -> dict[str, Plain]:
    """The answer to a question, or the faults of it."""
    try:
        changes = question["changes"]
        assert isinstance(changes, dict)
        base = store.decision(str(question["base"]))
        if base is None:
            raise BadValue(no_answer_yet())
        return {"answer": answer(cases.case(str(question["case"])), changes, base)}
    except FablessError as error:
        return {"faults": _plain(error)}


def no_answer_yet() -> Fault:
    """What is said of a case that has no answer as it stands, from which moves could start."""
    return Fault("case", "no answer to the case as it stands", "a case that has been decided",
                 "POST /api/jobs for it with detail quick or standard, and wait for that")




def _plain(error: FablessError) -> list[Plain]:
    return [{"place": fault.place, "found": fault.found, "allowed": fault.allowed,
             "remedy": fault.remedy} for fault in error.faults]


def _lines(stream: IO[str]) -> Iterator[str]:
    """Lines as they come; at the end of the stream the process group ends at once."""
    waiting: list[str] = []
    news = threading.Condition()

    def read() -> None:
        for line in stream:
            with news:
                waiting.append(line)
                news.notify()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=read, daemon=True).start()
    while True:
        with news:
            while not waiting:
                news.wait()
            line = waiting.pop(0)
        yield line


def _end_with_parent(stream: IO[str]) -> None:
    stream.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
