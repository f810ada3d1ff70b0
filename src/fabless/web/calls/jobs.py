"""Questions that take long: asked, followed, cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from fabless.errors import unknown
from fabless.web.desk import Desk
from fabless.web.faults import FaultModel
from fabless.web.store import OPEN, Job

LOOK_S = 0.25
"""Time between two looks at a job that is followed [s]."""
ALIVE_S = 15.0
"""Time after which a stream says that it is alive [s]."""

Changes = Annotated[dict[str, float], Field(max_length=400)]
JobIdent = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class JobAsked(BaseModel):
    """A question: a case, what is moved in it (each in its own unit), how deep."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    case: Annotated[str, Field(max_length=100)]
    changes: Changes = Field(default_factory=dict)
    detail: Literal["quick", "standard", "deep"] = "standard"


class JobState(BaseModel):
    """Where a job stands."""

    id: str
    case: str
    changes: dict[str, float]
    detail: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    line: str
    """What is under way."""
    faults: list[FaultModel]
    """Why it failed."""


def state_of(job: Job) -> JobState:
    """A job as the API shows it."""
    return JobState.model_validate({
        "id": job.id, "case": job.case, "changes": job.changes, "detail": job.detail,
        "state": job.state, "line": job.line, "faults": json.loads(job.error or "[]")})


def jobs_router(desk: Desk) -> APIRouter:
    """Calls on jobs."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"])

    def known(ident: str) -> Job:
        job = desk.store.job(ident)
        if job is None:
            raise unknown("job", ident, ["the id that POST /api/jobs gave"], "id")
        return job

    @router.post("")
    def ask(asked: JobAsked) -> JobState:
        """Ask a question; one that has been answered is done at once."""
        return state_of(desk.ask(asked.case, asked.changes, asked.detail))

    @router.get("/{ident}")
    def look(ident: JobIdent) -> JobState:
        """Where a job stands."""
        return state_of(known(ident))

    @router.delete("/{ident}")
    def cancel(ident: JobIdent) -> JobState:
        """Cancel a job; one that is done stays done."""
        known(ident)
        desk.runner.cancel(ident)
        return state_of(known(ident))

    @router.get("/{ident}/events", response_class=StreamingResponse, responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}})
    def follow(ident: JobIdent, request: Request) -> StreamingResponse:
        """Follow a job: an event with its state whenever that changes, to its end."""
        known(ident)

        async def events() -> AsyncIterator[str]:
            last, quiet = "", 0.0
            while not await request.is_disconnected():
                job = await asyncio.to_thread(desk.store.job, ident)
                if job is None:
                    return
                text = state_of(job).model_dump_json()
                if text != last or quiet >= ALIVE_S:
                    yield f"data: {text}\n\n"
                    last, quiet = text, 0.0
                if job.state not in OPEN:
                    return
                await asyncio.sleep(LOOK_S)
                quiet += LOOK_S

        return StreamingResponse(events(), media_type="text/event-stream")

    return router
