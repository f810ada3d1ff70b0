"""What the pages share: their frame, their fields, and how an error is shown beside the field that
it speaks of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from fabless import wording
from fabless.catalogue import Catalogue, load
from fabless.errors import BadValue, DoesNotFit, FablessError, Fault, UnknownName
from fabless.records import Fact
from fabless.report import as_json
from fabless.report.canvas import WIDE, Spec, as_svg
from fabless.units import from_si

PAGES = (("/cases", "Cases"), ("/compare", "Compare"), ("/query", "Query"), ("/chip", "Chip"),
         ("/facts", "Facts"))
"""Address and name of each page, in the order of the menu."""
LONGEST = 400
"""Letters of one field that are read; nothing that is asked needs more."""


_WRITTEN = {"pue": "PUE", "tdp": "Rated power"}
"""Field -> its name where its words do not give it."""
_PLACES = {"request.input_tokens": "input", "request.output_tokens": "output",
           "first way": "way", "second way": "other", "memory type": "memory_type",
           "packaging service": "packaging"}
"""Place that a model names -> the field that it comes from."""


@dataclass(frozen=True)
class Picture:
    """One chart as SVG, drawn for pages and again for telephones."""

    wide: str
    narrow: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a form, with what stands in it and what is wrong with that."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Value and name of each choice; empty for a field of text."""
    faults: tuple[Fault, ...] = ()
    placeholder: str = ""
    numeric: bool = False
    """Whether a telephone may show its digits alone."""


@dataclass(frozen=True)
class PageForm:
    """The fields of a page, and the faults that belong to none of them."""

    fields: Mapping[str, Field]
    faults: tuple[Fault, ...] = ()

    def with_faults(self, error: FablessError) -> PageForm:
        """The form with each fault beside its field, all others at its head."""
        fields, others = dict(self.fields), list(self.faults)
        for fault in map(plain_fault, error.faults):
            name = fault.place
            if name in fields:
                fields[name] = replace(fields[name], faults=(*fields[name].faults, fault))
            else:
                others.append(fault)
        return PageForm(fields, tuple(others))


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a page shows: its form, and the answer where there is one."""

    form: PageForm
    status: int = 200
    shown: Mapping[str, object] = field(default_factory=dict)


def plain_fault(fault: Fault) -> Fault:
    """A fault of an option as one of a field: ``--kv-precision`` is the field ``kv_precision``.

    >>> plain_fault(Fault("--kv-precision", "unknown", "fp8", "give --kv-precision fp8")).place
    'kv_precision'
    """
    words = [re.sub(r"--([a-z])", r"\1", text) for text in (fault.found, fault.allowed, fault.remedy)]
    place = _PLACES.get(fault.place, fault.place)
    if place.startswith("--"):
        place = place.removeprefix("--").replace("-", "_")
    return Fault(place, *words)


def status_of(error: FablessError) -> int:
    """HTTP status of an error: 404 for a name that is not there, 422 for all else."""
    return 404 if isinstance(error, UnknownName) else 422


def faults_response(error: FablessError) -> Response:
    """An error as data, with its status."""
    faults = [vars(plain_fault(fault)) for fault in error.faults]
    return Response(as_json({"faults": faults}), status_code=status_of(error),
                    media_type="application/json")


def json_response(answer: object) -> Response:
    """An answer as the command line prints it with ``--json``."""
    return Response(as_json(answer), media_type="application/json")


def texts_of(given: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The texts of the named fields, cut to a length that any honest answer has."""
    return {name: given.get(name, "").strip()[:LONGEST] for name in names}


def number_from(text: str, place: str) -> float:
    """A number that somebody typed; thousands may be set apart by commas or spaces.

    >>> number_from("1,024", "--input")
    1024.0
    """
    bare = re.sub(r"(?<=[0-9])[, \u202f\u00a0](?=[0-9]{3}\b)", "", text)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", bare):
        raise BadValue(Fault(place, repr(text), "a number, such as 1024", "write digits alone"))
    return float(bare)


@lru_cache(maxsize=16)
def catalogue_on(day: str) -> Catalogue:
    """The catalogue as known on a day; all of it where no day is given. Its files are read once: an
    answer follows a form letter by letter."""
    try:
        return load(dt.date.fromisoformat(day) if day else None)
    except ValueError as error:
        raise BadValue(Fault("--as-of", repr(day), "a date as YYYY-MM-DD",
                             "write for example 2023-10-31")) from error


def picture_of(specs: tuple[Spec, Spec], label: str) -> Picture:
    """Draw a chart made for both widths."""
    wide, narrow = (as_svg(spec, label) for spec in specs)
    return Picture(wide, narrow)


WIDTHS = (WIDE, 340)
"""Widths of a picture for pages and for telephones [px]."""


def filled(item: Field, text: str) -> Field:
    """A field with its text; a choice that is not offered stays visible as what was asked."""
    choices = item.choices
    if choices and text not in dict(choices):
        choices = ((text, text or "not stated"), *choices)
    return replace(item, value=text, choices=choices)


def fact_value(fact: Fact) -> str:
    """Value of a fact in the unit of its row, with the unit."""
    if not isinstance(fact.value, float):
        return str(fact.value)
    return wording.with_unit(from_si(fact.value, fact.unit), fact.unit)


def fact_range(fact: Fact) -> str:
    """Low and high of a fact in the unit of its row; empty where it states none."""
    if fact.low is None or fact.high is None:
        return ""
    return (f"{wording.plain(from_si(fact.low, fact.unit))} to "
            f"{wording.with_unit(from_si(fact.high, fact.unit), fact.unit)}")


def field_words(name: str) -> str:
    """Name of a field as words.

    >>> field_words("price_street")
    'Price street'
    """
    words = name.replace("_", " ").replace(".", ": ")
    return _WRITTEN.get(words) or wording.heading(words)


def is_web(url: str) -> bool:
    """Whether an address may become a link."""
    return url.startswith(("https://", "http://"))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fabless.web.pages"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {
        "cents": wording.cents, "count": wording.count, "plain": wording.plain,
        "percent": wording.in_percent, "usd": wording.usd, "significant": wording.significant,
        "heading": wording.heading, "words": field_words, "value": fact_value,
        "range": fact_range, "grade": lambda fact: wording.heading(fact.grade.value),
    }
    environment.tests["web"] = is_web
    return environment


def page_response(template: str, answered: Answered) -> HTMLResponse:
    """A page of the menu: its form, and below it the answer."""
    page = plain_page(template, form=answered.form, **answered.shown)
    page.status_code = answered.status
    return page


def plain_page(template: str, **values: object) -> HTMLResponse:
    """A page in the frame that all share."""
    return HTMLResponse(_environment().get_template(template).render(
        pages=PAGES, here="/" + template.removesuffix(".html"), **values))


def failed(form: PageForm, error: FablessError, shown: Mapping[str, object]) -> Answered:
    """The page of a question that cannot be answered: the faults stand beside the fields."""
    fits = isinstance(error, DoesNotFit)
    return Answered(form=form.with_faults(error), status=200 if fits else status_of(error),
                    shown=shown)
