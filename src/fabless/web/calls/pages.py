"""The menu of cases, and the page of a case: its report, live; until there is one, how far it is."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from fabless.decide import Decision
from fabless.errors import FablessError
from fabless.report.html import evidence_html
from fabless.report.page.bundle import content_policy, one_script, page_modules
from fabless.report.page.data import page_data
from fabless.report.page.file import page_html
from fabless.web.calls.jobs import JobIdent
from fabless.web.desk import Desk
from fabless.web.faults import code_of, faults_answer
from fabless.web.pages.shell import plain_page
from fabless.wording import plain

API = "/api"
"""Address of the calls that the page's script asks."""
KEPT = 8
"""Pages kept written: one takes seconds."""


def case_pages_router(desk: Desk) -> APIRouter:
    """The menu, and the page of each case."""
    router = APIRouter(include_in_schema=False)
    kept: dict[tuple[str, str], HTMLResponse] = {}

    def page(ident: str, name: str, better: str) -> HTMLResponse | None:
        """Page of a job's answer; None where it has none yet. `better` is the job of a deeper one."""
        if (ident, better) not in kept:
            decision = desk.store.decision(ident) if ident else None
            if decision is None:
                return None
            while len(kept) >= KEPT:
                kept.pop(next(iter(kept)), None)
            kept[ident, better] = page_of(
                decision, {"server_name": name, "better": better, "cases": desk.cases.names()})
        return kept[ident, better]

    @router.get("/")
    def menu() -> Response:
        """Every case; the one that the server was started with at once."""
        if desk.settings.first:
            return RedirectResponse(f"/case/{desk.settings.first}", status_code=303)
        return cases()

    @router.get("/cases")
    def cases() -> Response:
        """Every case."""
        return plain_page("cases.html", cases=desk.cases.names())

    @router.get("/case/{name}")
    def case(name: str) -> Response:
        """The page of a case; asks for its answer where there is none."""
        try:
            known = desk.cases.case(name)
            ident = desk.base_ident(name)
            wanted = desk.ident(name, {}, desk.settings.detail)
            jobs = {} if ident == wanted else {
                detail: desk.ask(name, {}, detail).id for detail in ("quick", desk.settings.detail)}
        except FablessError as error:
            return faults_answer(error.faults, code_of(error))
        if ident:
            desk.warm(name, ident)
        return page(ident, name, "" if ident == wanted else wanted) or plain_page(
            "waiting.html", title=known.title, moved=[], jobs=list(dict.fromkeys(jobs.values())))

    @router.get("/answer/{ident}")
    def answer(ident: JobIdent) -> Response:
        """The page of a job: how far it is, at last its answer."""
        job = desk.store.job(ident)
        if job is None:
            return RedirectResponse("/cases", status_code=303)
        moved = [f"{name} at {plain(value)}" for name, value in job.changes.items()]
        return page(ident, job.case, "") or plain_page(
            "waiting.html", title=desk.cases.case(job.case).title, moved=moved, jobs=[ident])

    return router


def page_of(decision: Decision, served: Mapping[str, object]) -> HTMLResponse:
    """The page of a decision as a server sends it: it may ask that server, and nobody else.

    `served` holds what only a served page knows: the name under which the server offers the case,
    the job of a better answer (empty where this is the best), and the menu of cases.
    """
    policy = content_policy(one_script(page_modules()), connects=True)
    html = page_html({**page_data(decision), **served}, evidence_html(decision), api=API)
    return HTMLResponse(html, headers={
        "content-security-policy": f"{policy}; frame-ancestors 'none'"})
