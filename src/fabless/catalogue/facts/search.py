"""Facts that somebody looks for: by words, topic, grade, and in an order."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabless.catalogue.facts.store import Catalogue
from fabless.errors import BadValue, Fault, UnknownName, unknown
from fabless.records import Fact, Grade

ORDERS: Mapping[str, Callable[[Fact], tuple[object, ...]]] = {
    "name": lambda fact: (fact.entity, fact.field, fact.known, fact.period),
    "field": lambda fact: (fact.field, fact.entity, fact.known, fact.period),
    "known": lambda fact: (-fact.known.toordinal(), fact.entity, fact.field, fact.period),
    "grade": lambda fact: (list(Grade).index(fact.grade), fact.entity, fact.field, fact.known),
    "source": lambda fact: (fact.source.title.casefold(), fact.entity, fact.field, fact.known),
}
"""Order of facts -> its key: by name of the entity, by field, newest first, best grade first, by
title of the source."""


@dataclass(frozen=True, kw_only=True)
class FactSearch:
    """What is looked for; an empty text leaves a condition out."""

    words: str = ""
    """Each must stand in entity, field, text, source or note."""
    topic: str = ""
    grade: str = ""
    since: dt.date | None = None
    """First day on which a fact may have become known; the last one is the catalogue's."""
    order: str = "name"


def matching_facts(catalogue: Catalogue, search: FactSearch) -> tuple[Fact, ...]:
    """Every visible fact that is looked for, in order.

    Raises `UnknownName` for a topic, grade or order that is not there.

    >>> from fabless.catalogue import load
    >>> [fact.entity for fact in matching_facts(load(), FactSearch(words="h100-sxm tdp"))]
    ['h100-sxm']
    """
    _check(catalogue, search)
    topics = [search.topic] if search.topic else list(catalogue.topics)
    entities = dict.fromkeys(name for topic in topics for name in catalogue.entities(topic))
    words = [_folded(word) for word in search.words.split()]
    kept = [
        fact for entity in entities for fact in catalogue.facts_of(entity)
        if (not search.grade or fact.grade.value == search.grade)
        and (search.since is None or fact.known >= search.since)
        and _holds(fact, words)]
    return tuple(sorted(kept, key=ORDERS[search.order]))


def _check(catalogue: Catalogue, search: FactSearch) -> None:
    faults: list[Fault] = []
    for kind, text, known in (
        ("topic", search.topic, list(catalogue.topics)),
        ("grade", search.grade, [grade.value for grade in Grade]),
        ("order", search.order, list(ORDERS)),
    ):
        if text and text not in known:
            faults += unknown(kind, text, known, kind).faults
    if faults:
        raise UnknownName(*faults)
    if search.since and catalogue.as_of and search.since > catalogue.as_of:
        raise BadValue(Fault("since", str(search.since), f"{catalogue.as_of} or before",
                             "choose an earlier day, or a later one to know by"))


def _holds(fact: Fact, words: list[str]) -> bool:
    if not words:
        return True
    text = _folded(" ".join((
        fact.entity, fact.field, fact.field.replace("_", " "),
        fact.value if isinstance(fact.value, str) else "", fact.period, fact.source.id,
        fact.source.title, fact.note)))
    return all(word in text for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
