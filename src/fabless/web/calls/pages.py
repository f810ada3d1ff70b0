"""The menu of cases, and the page of a case: its report, live; until there is one, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from fabless.decide import Decision
from fabless.errors import FablessError, unknown
from fabless.report.html import evidence_html
from fabless.report.page.bundle import content_policy, one_script, page_modules
from fabless.report.page.data import page_data
from fabless.report.page.file import page_html
from fabless.web.calls.jobs import JobIdent
from fabless.web.desk import Desk
from fabless.web.faults import code_of, faults_answer
from fabless.web.pages.shell import PAGES, plain_page
from fabless.web.store import OPEN, Job

API = "/api"
"""Address of the calls that the page's script asks."""
KEPT = 8
"""Pages kept written: one takes seconds."""


def case_pages_router(desk: Desk) -> APIRouter:
    """The menu, and the page of each case."""
    router = APIRouter(include_in_schema=False)
    kept: dict[tuple[object, ...], HTMLResponse] = {}

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
        better = jobs.get(desk.settings.detail, "")
        page = whole(ident, name, {"server_better": better}) if ident else None
        return page or plain_page("waiting.html", title=known.title,
                                  jobs=list(dict.fromkeys(jobs.values())))

    @router.get("/case/{name}/answer/{ident}")
    def answer(name: str, ident: JobIdent) -> Response:
        """The whole page of a case with inputs moved, as a job has answered it."""
        try:
            known = desk.cases.case(name)
            job = answering(name, ident)
        except FablessError as error:
            return faults_answer(error.faults, code_of(error))
        if job.state in OPEN:
            return plain_page("waiting.html", title=known.title, jobs=[ident])
        page = whole(ident, name, {"server_changes": dict(job.changes)})
        return page or RedirectResponse(f"/case/{quote(name)}", status_code=303)

    def answering(name: str, ident: str) -> Job:
        job = desk.store.job(ident)
        if job is None or job.case != name:
            raise unknown("job", ident, ["the id that POST /api/jobs gave"], "id")
        return job

    def whole(ident: str, name: str, served: Mapping[str, object]) -> HTMLResponse | None:
        """The page of a job that is done, kept for the next reader; none of any other."""
        offered = desk.cases.names()
        key = (ident, name, str(served), tuple(offered.items()))
        page = kept.get(key)
        if page is None and (decision := desk.store.decision(ident)) is not None:
            while len(kept) >= KEPT:
                kept.pop(next(iter(kept)), None)
            page = kept[key] = page_of(decision, offered, {
                "server_name": name, "server_detail": desk.settings.detail, **served})
        return page

    return router


def page_of(
    decision: Decision, offered: Mapping[str, str], served: Mapping[str, object]
) -> HTMLResponse:
    """The page of a decision as a server sends it: it may ask that server, and nobody else.

    Parameters: `offered`, name and title of each case in the menu; `served`, what the page's script
    knows of its server: the case's name there, what is moved already, the job of a better answer.
    """
    policy = content_policy(one_script(page_modules()), connects=True)
    html = page_html(page_data(decision) | dict(served), evidence_html(decision), api=API,
                     pages=PAGES, cases=offered)
    return HTMLResponse(html, headers={
        "content-security-policy": f"{policy}; frame-ancestors 'none'"})
