"""What the calls share: the store, the cases, the workers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from fabless.case_moves import moved_ranges
from fabless.decide import detail_of
from fabless.errors import Fault
from fabless.links import case_digest
from fabless.web.answering import Answerer
from fabless.web.faults import Busy
from fabless.web.known_cases import KnownCases
from fabless.web.running import Runner
from fabless.web.settings import Settings
from fabless.web.store import Job, Store, job_id

MOST_WAITING = 32
"""Jobs that may wait."""


class Desk:
    """Takes questions, looks answers up, hands the rest on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store)
        self.cases = KnownCases(self.store, settings.own_cases)
        self.runner = Runner(self.store, settings)
        self.rough = Answerer(settings, "rough")
        self.twelve = Answerer(settings, "twelve")

    def start(self) -> None:
        """Begin to work on jobs, those of an earlier server included."""
        self.runner.start()

    def stop(self) -> None:
        """End all workers; jobs not finished are resumed by the next server."""
        self.runner.stop()
        self.rough.stop()
        self.twelve.stop()

    def ident(self, name: str, changes: Mapping[str, float], detail: str) -> str:
        """Digest of a question; raises what is wrong with it."""
        case, level = self.cases.case(name), detail_of(detail)
        kept = {key: float(changes[key]) for key in moved_ranges(case, changes)}
        return job_id(case_digest(case), kept, level.name)

    def ask(self, name: str, changes: Mapping[str, float], detail: str) -> Job:
        """The job of a question, the same for the same question."""
        ident = self.ident(name, changes, detail)
        known = self.store.job(ident)
        if (known is None or known.state in ("failed", "cancelled")) and (
                self.store.waiting() >= MOST_WAITING):
            raise Busy(Fault("jobs", f"{MOST_WAITING} jobs wait", "fewer", "try again later"))
        job = self.store.ask(ident, name, changes, detail)
        self.runner.wake()
        return job

    def warm(self, name: str, ident: str) -> None:
        """Prepare a case for moves, so that the first one need not wait for it."""
        for answerer in (self.rough, self.twelve):
            with suppress(Busy):
                answerer.ask({"case": name, "changes": {}, "base": ident}, f"first look at {name}")

    def base_ident(self, name: str) -> str:
        """Job of the best answer that there is to a case as it stands: of the server's level of
        detail, or a quick one; empty where there is none."""
        for detail in dict.fromkeys((self.settings.detail, "quick")):
            job = self.store.job(ident := self.ident(name, {}, detail))
            if job is not None and job.state == "done":
                return ident
        return ""
