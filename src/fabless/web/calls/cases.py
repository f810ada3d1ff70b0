"""The cases that a server offers, and uploads."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from fabless.links import case_digest
from fabless.web.desk import Desk
from fabless.web.uploads import LARGEST_TRACE, uploaded_case, uploaded_model, uploaded_trace


class CaseEntry(BaseModel):
    """A case of the menu."""

    name: str
    title: str


class Upload(BaseModel):
    """A file by its text."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["case", "model", "trace"] = "case"
    text: Annotated[str, Field(max_length=LARGEST_TRACE)]


class Uploaded(BaseModel):
    """What was read."""

    kind: str
    name: str
    """Name under which a case is offered now; what the file itself says for others."""
    title: str
    digest: str
    """Digest of a case."""
    numbers: dict[str, float]
    """What was read of a model or a trace."""


def cases_router(desk: Desk) -> APIRouter:
    """Calls on cases."""
    router = APIRouter(prefix="/api/cases", tags=["cases"])

    @router.get("")
    def list_cases() -> list[CaseEntry]:
        """Every case that the server offers."""
        return [CaseEntry(name=name, title=title) for name, title in desk.cases.names().items()]

    @router.post("")
    def upload(file: Upload) -> Uploaded:
        """Read a file; a case is offered from now on."""
        if file.kind == "model":
            model = uploaded_model(file.text)
            numbers = {"layers": float(model.layers), "hidden": float(model.hidden),
                       "max_context": float(model.max_context)}
            return Uploaded(kind="model", name=model.name, title="", digest="", numbers=numbers)
        if file.kind == "trace":
            trace = uploaded_trace(file.text)
            return Uploaded(kind="trace", name=trace.name, title="", digest="", numbers={
                "requests": float(trace.arrival_s.size),
                "input_tokens": trace.request.input_tokens,
                "output_tokens": trace.request.output_tokens})
        case = uploaded_case(file.text)
        digest = case_digest(case)
        plain = re.sub(r"[^a-z0-9-]+", "-", case.name.lower())[:60].strip("-")
        name = f"{plain}-{digest}"
        desk.store.put_case(name, case.title, file.text)
        return Uploaded(kind="case", name=name, title=case.title, digest=digest, numbers={})

    return router
