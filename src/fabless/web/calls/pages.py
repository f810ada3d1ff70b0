"""The menu of cases, and the page of a case: its report, live; until there is one, how far it is."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless.decide import Decision
from fabless.errors import FablessError
from fabless.report.html import as_html
from fabless.web.desk import Desk
from fabless.web.faults import code_of, faults_of
from fabless.web.guard import POLICY

API = '<meta name="fabless-api" content="/api">'
"""Tells the page's script that there is a server to ask."""
_POLICY = re.compile(
    r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(">)', re.IGNORECASE)


def case_pages_router(desk: Desk) -> APIRouter:
    """The menu, and the page of each case."""
    router = APIRouter(include_in_schema=False)
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
            return faults_of(error.faults, code_of(error))
        decision = desk.store.decision(ident) if ident else None
        if decision is None:
            return shown("waiting.html", title=known.title, jobs=list(dict.fromkeys(jobs.values())))
        return page_of(decision)

    return router


def page_of(decision: Decision) -> HTMLResponse:
    """The page of a decision as a server sends it: it may ask that server, and nobody else."""
    html, policy = live(as_html(decision))
    return HTMLResponse(html, headers={"content-security-policy": policy})


def live(html: str) -> tuple[str, str]:
    """A page file made live, and its content policy.

    The policy is that of the file, with leave to ask the server that sent it.
    """
    written = _POLICY.search(html)
    if written is None:
        return html.replace("<head>", f"<head>{API}", 1), POLICY
    policy = re.sub(r"connect-src [^;]*", "connect-src 'self'", written[2])
    page = html.replace(written[0], f"{written[1]}{policy}{written[3]}{API}", 1)
    return page, f"{policy}; frame-ancestors 'none'"
