"""The server: what guards it, what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from fabless.web.calls.answers import answers_router
from fabless.web.calls.cases import cases_router
from fabless.web.calls.jobs import jobs_router
from fabless.web.calls.pages import case_pages_router
from fabless.web.desk import Desk
from fabless.web.faults import FAULTY, answer_faults
from fabless.web.guard import Guard
from fabless.web.pages import chip_router, compare_router, facts_router, query_router
from fabless.web.settings import Settings

ROUTERS: tuple[Callable[[], APIRouter], ...] = (
    compare_router, query_router, chip_router, facts_router)
"""Makers of the routers of pages beside the first, in the order of the menu."""
STATIC = Path(__file__).parent / "static"


def app(
    settings: Settings, routers: Sequence[Callable[[], APIRouter]] = ROUTERS
) -> FastAPI:
    """The server of some settings; it works on jobs from its start to its end."""
    desk = Desk(settings)

    @asynccontextmanager
    async def at_work(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        try:
            yield
        finally:
            desk.stop()

    server = FastAPI(
        title="fabless", version=version("fabless"), openapi_url="/api/openapi.json",
        docs_url=None, redoc_url=None, lifespan=at_work, responses=FAULTY,
        middleware=[Middleware(Guard, settings=settings)])
    answer_faults(server)
    for router in (cases_router(desk), jobs_router(desk), answers_router(desk),
                   case_pages_router(desk), *(make() for make in routers)):
        server.include_router(router)
    server.mount("/static/fonts", StaticFiles(packages=[("fabless.report.page", "fonts")]), name="fonts")
    server.mount("/static", StaticFiles(directory=STATIC), name="static")
    return server
