"""The menu of cases, and the page of a case: its report, live; until there is one, how far it is."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless.decide import Decision
from fabless.errors import FablessError
from fabless.report.html import evidence_html
from fabless.report.page.bundle import content_policy, one_script, page_modules
from fabless.report.page.data import page_data
from fabless.report.page.file import page_html
from fabless.web.desk import Desk
from fabless.web.faults import code_of, faults_answer

API = "/api"
"""Address of the calls that the page's script asks."""
KEPT = 8
"""Pages kept written: one takes seconds."""


def case_pages_router(desk: Desk) -> APIRouter:
    """The menu, and the page of each case."""
    router = APIRouter(include_in_schema=False)
    kept: dict[str, HTMLResponse] = {}
    templates = Environment(loader=PackageLoader("fabless.web"), autoescape=True,
                            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

    def shown(template: str, **values: object) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(**values))

    @router.get("/")
    def menu() -> Response:
        """Every case; the one that the server was started with at once."""
        if desk.settings.first:
            return RedirectResponse(f"/case/{desk.settings.first}", status_code=303)
        return cases()

    @router.get("/cases")
    def cases() -> Response:
        """Every case."""
        return shown("menu.html", cases=desk.cases.names())

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
        if ident not in kept:
            decision = desk.store.decision(ident) if ident else None
            if decision is None:
                return shown("waiting.html", title=known.title,
                             jobs=list(dict.fromkeys(jobs.values())))
            while len(kept) >= KEPT:
                kept.pop(next(iter(kept)), None)
            kept[ident] = page_of(decision, name)
        return kept[ident]

    return router


def page_of(decision: Decision, name: str) -> HTMLResponse:
    """The page of a decision as a server sends it: it may ask that server, and nobody else.

    `name` is that under which the server offers the case.
    """
    policy = content_policy(one_script(page_modules()), connects=True)
    html = page_html(page_data(decision) | {"server_name": name}, evidence_html(decision), api=API)
    return HTMLResponse(html, headers={
        "content-security-policy": f"{policy}; frame-ancestors 'none'"})
