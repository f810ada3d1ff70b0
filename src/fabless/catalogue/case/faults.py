"""What pydantic finds wrong with a case file, said in the house's words."""

from __future__ import annotations

import re
import textwrap

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fabless.catalogue.case.schema import CaseFile, keys_at
from fabless.catalogue.files.yaml import Document
from fabless.errors import BadValue, FablessError, Fault, UnknownName, nearest_names

_A_NUMBER = "{low, mode, high}, {value} or {fact: entity.field}"
_UNKNOWN = ("extra_forbidden", "literal_error", "enum", "union_tag_invalid")


def schema_error(
    error: ValidationError, document: Document, file: type[BaseModel] = CaseFile
) -> FablessError:
    """Every finding as a fault; `UnknownName` when all of them are names that are not there."""
    details = error.errors()
    only_unknown = all(detail["type"] in _UNKNOWN for detail in details)
    return (UnknownName if only_unknown else BadValue)(
        *(_fault(detail, document, file) for detail in details)
    )


def _fault(detail: ErrorDetails, document: Document, file: type[BaseModel]) -> Fault:
    location = detail["loc"]
    if location[0] == "loads" and len(location) > 2:
        location = (*location[:2], *location[3:])
    place = document.at(".".join(str(part) for part in location if part != "[key]"))
    context, kind = detail.get("ctx", {}), detail["type"]
    written = textwrap.shorten(repr(detail["input"]), 80, placeholder=" ...")
    if kind == "extra_forbidden":
        return _unknown(place, "key", str(location[-1]), keys_at(detail["loc"][:-1], file))
    if kind in _UNKNOWN:
        listed = re.findall(
            r"'([^']+)'", str(context.get("expected", context.get("expected_tags")))
        )
        name = context["tag"] if kind == "union_tag_invalid" else detail["input"]
        return _unknown(place, "name", str(name), listed)
    if kind in ("missing", "union_tag_not_found"):
        missing = f"{place}.kind" if kind == "union_tag_not_found" else place
        return Fault(
            missing, "missing", "this key with a value", "add it; `fabless init` shows an example"
        )
    if kind == "model_type" and context["class_name"] == "Number":
        return Fault(place, written, _A_NUMBER, _as_number(detail["input"]))
    if kind in ("model_type", "dict_type"):
        return Fault(
            place, written,
            f"a mapping with the keys {', '.join(keys_at(detail['loc'], file))}"
            if kind == "model_type"
            else "a mapping of names",
            "write lines such as 'name: value' below the key",
        )
    if kind == "too_short":
        return Fault(
            place, written, f"{context['min_length']} or more entries",
            "add one; `fabless init` shows an example",
        )
    if kind.startswith("date"):
        return Fault(place, written, "a day, YYYY-MM-DD", "write for example 2023-10-31")
    allowed = (
        str(context["error"])
        if kind == "value_error"
        else detail["msg"].removeprefix("Input should be ")
    )
    return Fault(place, written, allowed, "correct the value; `fabless init` shows an example")


def _unknown(place: str, what: str, name: str, known: list[str]) -> Fault:
    close = nearest_names(name, known)
    return Fault(place, f"unknown {what} {name!r}", ", ".join(known),
                 f"did you mean {close[0]}?" if close else "take it out, or use an allowed one")


def _as_number(written: object) -> str:
    """How to write as a number of the case what was written plainly, such as 5 or '5 USD'."""
    number, _, unit = str(written).partition(" ")
    try:
        float(number)
    except ValueError:
        return "write for example {value: 1} or {low: 1, mode: 2, high: 3}"
    return f"write {{value: {number}, unit: {unit}}}" if unit else f"write {{value: {number}}}"
