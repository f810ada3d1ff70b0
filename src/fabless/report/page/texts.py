"""Sentences of the page by language: whole templates by key, never joined from pieces.

A template holds `{name}` for a value and `{name|one|many}` for a choice by that value: the first
text where it is written as 1, else the second. The page's script fills templates in the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from fabless.errors import unknown

_PLACE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")
_TEXTS = files("fabless.report.page") / "texts"


def languages() -> list[str]:
    """Languages that the page is written in, by their two letters."""
    return sorted(entry.name.removesuffix(".json") for entry in _TEXTS.iterdir()
                  if entry.name.endswith(".json"))


@cache
def _read(lang: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((_TEXTS / f"{lang}.json").read_text(encoding="utf-8"))
    return texts


def load_texts(lang: str = "en") -> dict[str, str]:
    """Every template of a language by its key; `UnknownName` for a language that there is not."""
    known = languages()
    if lang not in known:
        raise unknown("language", lang, known)
    return dict(_read(lang))


def places_of(template: str) -> frozenset[str]:
    """Names of the values that a template takes.

    >>> sorted(places_of("{n} {n|chip|chips} by {due}"))
    ['due', 'n']
    """
    return frozenset(match[1] for match in _PLACE.finditer(template))


def fill(template: str, values: Mapping[str, str | float]) -> str:
    """Put values into a template; `KeyError` for a name without a value.

    >>> fill("{n} {n|chip|chips} by {due}", {"n": 1, "due": "May"})
    '1 chip by May'
    """

    def value(match: re.Match[str]) -> str:
        name, single, several = match.groups()
        if name not in values:
            raise KeyError(f"no value for {{{name}}} in: {template}")
        text = str(values[name])
        if single is None:
            return text
        return single if text == "1" else str(several)

    return _PLACE.sub(value, template)


def said(texts: Mapping[str, str], key: str, **values: str | float) -> str:
    """The sentence of a key with its values; `KeyError` for a key or a value that there is not."""
    return fill(texts[key], values)
