"""Facts: every number the program knows, looked for, sorted, and led back to its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi import Query as Asked

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.search import ORDERS, FactSearch, matching_facts
from fabless.errors import BadValue, FablessError, Fault
from fabless.records import Fact, Grade
from fabless.web.pages.shell import (
    Answered,
    Field,
    Form,
    catalogue_on,
    failed,
    faults_response,
    filled,
    json_response,
    number_from,
    page_response,
    texts_of,
)

ROWS = 50
"""Facts on one page."""
MOST_ROWS = 1000
"""Facts in one answer of the call."""
ORDER_WORDS = {"name": "by name", "field": "by field", "known": "newest first",
               "grade": "best grade first", "source": "by source"}


@dataclass(frozen=True, kw_only=True)
class FoundFacts:
    """Some of the facts that were looked for."""

    total: int
    start: int
    facts: tuple[Fact, ...]


def found_facts(
    catalogue: Catalogue, search: FactSearch, start: int, count: int
) -> FoundFacts:
    """The facts from a place on, at most so many of them."""
    facts = matching_facts(catalogue, search)
    return FoundFacts(total=len(facts), start=start, facts=facts[start : start + count])


def facts_router() -> APIRouter:
    """The pages of facts, and their calls."""
    router = APIRouter()

    @router.get("/facts", include_in_schema=False)
    def facts_page(request: Request) -> Response:
        return page_response("facts.html", _answered(request.query_params))

    @router.get("/facts/{name}/{field}", include_in_schema=False)
    def fact_page(name: str, field: str, as_of: str = "") -> Response:
        return page_response("facts.html", _why(name, field, as_of.strip()[:10]))

    @router.get("/api/facts", tags=["facts"])
    def facts_call(
        search: str = Asked("", max_length=200), topic: str = Asked("", max_length=60),
        grade: str = Asked("", max_length=40), since: dt.date | None = None,
        as_of: dt.date | None = None, order: str = Asked("name", max_length=20),
        start: int = Asked(0, ge=0), count: int = Asked(ROWS, ge=1, le=MOST_ROWS),
    ) -> Response:
        """Facts that hold all of the words, sorted; those from ``start`` on."""
        try:
            wanted = FactSearch(words=search, topic=topic, grade=grade, since=since, order=order)
            catalogue = catalogue_on(str(as_of or ""))
            return json_response(found_facts(catalogue, wanted, start, count))
        except FablessError as error:
            return faults_response(error)

    @router.get("/api/facts/{name}", tags=["facts"])
    def show_call(name: str, as_of: dt.date | None = None) -> Response:
        """Every fact of one entity: the answer of ``fabless show --json``."""
        try:
            facts = catalogue_on(str(as_of or "")).facts_of(name)
        except FablessError as error:
            return faults_response(error)
        return json_response({"name": name, "facts": facts})

    @router.get("/api/facts/{name}/{field}", tags=["facts"])
    def why_call(name: str, field: str, as_of: dt.date | None = None) -> Response:
        """Where a number comes from: the answer of ``fabless why --json``."""
        try:
            facts = catalogue_on(str(as_of or "")).why(name, field)
        except FablessError as error:
            return faults_response(error)
        return json_response({"name": name, "field": field, "facts": facts})

    return router


_TEXTS = ("search", "topic", "grade", "since", "as_of", "order", "start")


def _day(text: str, place: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadValue(Fault(place, repr(text), "a date as YYYY-MM-DD",
                             "write for example 2023-10-31")) from error


def _answered(given: Mapping[str, str]) -> Answered:
    texts = texts_of(given, _TEXTS)
    texts["order"] = texts["order"] or "name"
    catalogue = catalogue_on("")
    shown: dict[str, object] = {"answer": None, "why": None, "asked": ""}
    try:
        catalogue = catalogue_on(texts["as_of"])
        wanted = FactSearch(
            words=texts["search"], topic=texts["topic"], grade=texts["grade"],
            since=_day(texts["since"], "--since"), order=texts["order"])
        start = max(0, int(min(number_from(texts["start"] or "0", "start"), 1e9)))
        answer = found_facts(catalogue, wanted, start, ROWS)
    except FablessError as error:
        return failed(_form(catalogue, texts), error, shown)
    return Answered(form=_form(catalogue, texts), shown=shown | {
        "answer": answer, "before": _link(texts, start - ROWS) if start else "",
        "after": _link(texts, start + ROWS) if start + ROWS < answer.total else "",
        "asked": urlencode({"as_of": texts["as_of"]}) if texts["as_of"] else ""})


def _link(texts: Mapping[str, str], start: int) -> str:
    kept = {name: text for name, text in texts.items() if text and name != "start"}
    return "/facts?" + urlencode(kept | ({"start": str(start)} if start > 0 else {}))


def _why(name: str, field: str, as_of: str) -> Answered:
    """The page of one fact: its values, oldest knowledge first."""
    texts = dict.fromkeys(_TEXTS, "") | {"as_of": as_of, "order": "name"}
    shown: dict[str, object] = {
        "answer": None, "why": None, "asked": urlencode({"as_of": as_of}) if as_of else ""}
    catalogue = catalogue_on("")
    try:
        catalogue = catalogue_on(as_of)
        facts = catalogue.why(name, field)
    except FablessError as error:
        return failed(_form(catalogue, texts), error, shown)
    return Answered(form=_form(catalogue, texts), shown=shown | {
        "why": {"name": name, "field": field, "facts": facts, "current": facts[-1]}})


def _form(catalogue: Catalogue, texts: Mapping[str, str]) -> Form:
    topics = (("", "all"), *((name, name.replace("_", " ")) for name in catalogue.topics))
    grades = (("", "all"), *((grade.value, grade.value) for grade in Grade))
    fields = (
        Field(name="search", label="Words", placeholder="h100 price",
              hint="in name, field, source or note"),
        Field(name="topic", label="Topic", choices=topics),
        Field(name="grade", label="Grade", choices=grades),
        Field(name="since", label="Known from", placeholder="2023-01-01", hint="YYYY-MM-DD"),
        Field(name="as_of", label="Known by", placeholder="today", hint="YYYY-MM-DD"),
        Field(name="order", label="Order",
              choices=tuple((key, ORDER_WORDS[key]) for key in ORDERS)),
    )
    return Form({item.name: filled(item, texts[item.name]) for item in fields})
