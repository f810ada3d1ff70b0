"""A case with inputs moved, answered at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from fabless.case_moves import moved_ranges
from fabless.errors import BadValue, Fault
from fabless.web.answering import Answerer
from fabless.web.calls.jobs import Changes
from fabless.web.desk import Desk
from fabless.web.faults import faults_of
from fabless.web.worker import no_answer_yet


class MovedAsked(BaseModel):
    """A case, and what is moved in it (each in its own unit)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    case: Annotated[str, Field(max_length=100)]
    changes: Changes = Field(default_factory=dict)
    reader: Annotated[str, Field(max_length=64)] = ""
    """Name of the page that asks: its newest question takes the place of those that still wait."""


class WayAnswer(BaseModel):
    """What a way comes to; the total is cash, unserved demand and risk together [USD]."""

    cash: float
    unserved: float
    risk: float
    total: float
    cents: float
    """Cost of a query [USD]."""
    missing: float


class RoughAnswer(BaseModel):
    """Every way planned again on a small tree."""

    level: Literal["rough"]
    leaves: int
    recommended: str
    answers: dict[str, WayAnswer]


class TwelveAnswer(BaseModel):
    """The parts of the page that come from fresh paths, laid out like those of the page's data."""

    level: Literal["twelve"]
    leaves: int
    paths: int
    ways: list[dict[str, Any]]
    futures: dict[str, Any]
    pairs: dict[str, Any]
    recommended: str
    against: str
    verdict: dict[str, Any]
    when: dict[str, Any]


def answers_router(desk: Desk) -> APIRouter:
    """Calls on moved cases."""
    router = APIRouter(prefix="/api", tags=["answers"])

    @router.post("/rough", response_model=RoughAnswer)
    async def rough(asked: MovedAsked) -> Any:
        """Every way planned again on a small tree: who comes first, at what cost."""
        return await _asked(desk, desk.rough, asked)

    @router.post("/twelve", response_model=TwelveAnswer)
    async def twelve(asked: MovedAsked) -> Any:
        """Every way on twelve scenarios and a few fresh paths: dots, chances, courses."""
        return await _asked(desk, desk.twelve, asked)

    return router


async def _asked(desk: Desk, answerer: Answerer, asked: MovedAsked) -> Any:
    base, changes = await asyncio.to_thread(_checked, desk, asked)
    answer: Any = await asyncio.wrap_future(answerer.ask(
        {"case": asked.case, "changes": changes, "base": base}, asked.reader))
    if "faults" in answer:
        return faults_of((Fault(**fault) for fault in answer["faults"]), 422)
    return JSONResponse(answer["answer"])


def _checked(desk: Desk, asked: MovedAsked) -> tuple[str, dict[str, float]]:
    """Job of the answer from which moves start, and what is moved; raises what is wrong."""
    ranges = moved_ranges(desk.cases.case(asked.case), asked.changes)
    base = desk.base_ident(asked.case)
    if not base:
        raise BadValue(no_answer_yet())
    return base, {name: asked.changes[name] for name in ranges}
