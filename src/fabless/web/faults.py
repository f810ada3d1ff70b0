"""Errors as data: `{faults: [{place, found, allowed, remedy}]}`."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from fabless.errors import BadFile, FablessError, Fault, UnknownName


class FaultModel(BaseModel):
    """One fault: where it is, what was found, what is allowed, what to do."""

    place: str
    found: str
    allowed: str
    remedy: str


class FaultsModel(BaseModel):
    """All faults of one request."""

    faults: list[FaultModel]


FAULTY = {code: {"model": FaultsModel} for code in (400, 401, 403, 404, 409, 413, 415, 421, 422, 429)}
"""Answers of every call that describe faults."""


class Busy(FablessError):
    """More is waiting than the server takes."""


class Stale(FablessError):
    """A newer request has taken the place of this one."""


def faults_of(faults: Iterable[Fault], status: int) -> JSONResponse:
    """Faults as an answer."""
    return JSONResponse({"faults": [
        {"place": fault.place, "found": fault.found, "allowed": fault.allowed,
         "remedy": fault.remedy} for fault in faults]}, status_code=status)


def code_of(error: FablessError) -> int:
    """Status of an answer that says an error."""
    if isinstance(error, Stale):
        return 409
    if isinstance(error, Busy):
        return 429
    if isinstance(error, UnknownName) and any("unknown case" in fault.found
                                              or "unknown job" in fault.found
                                              for fault in error.faults):
        return 404
    return 400 if isinstance(error, BadFile) else 422


def answer_faults(app: FastAPI) -> None:
    """Have an app answer every error as data."""

    @app.exception_handler(FablessError)
    async def of_fabless(_: Request, error: FablessError) -> JSONResponse:
        return faults_of(error.faults, code_of(error))

    @app.exception_handler(RequestValidationError)
    async def of_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return faults_of((
            Fault(".".join(map(str, item["loc"])), item["msg"], "a request as /api/openapi.json says",
                  "correct this part of the request") for item in error.errors()), 422)

    @app.exception_handler(HTTPException)
    async def of_http(_: Request, error: HTTPException) -> JSONResponse:
        answer = faults_of((Fault("request", str(error.detail), "an address and method of the API",
                                  "see /api/openapi.json"),), error.status_code)
        answer.headers.update(error.headers or {})
        return answer
