"""By which names people call a chip or a model.

A name is compared without case, punctuation, spaces and the maker before a ``/``. What still
differs is looked up among the aliases; failing that, the beginnings and endings that do not change
the thing (a maker's name, ``-Instruct``,
``-FP8``) are taken off, one after the other, until a known name is left. Aliases, beginnings and endings stand in
``data/aliases.csv``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from fabless.catalogue.facts.text import read_rows
from fabless.errors import BadValue, Fault, suggestion, unknown

Kind = Literal["chip", "model"]

_COLUMNS = ("kind", "alias", "name")
_KINDS = tuple(
    f"{kind}{part}" for kind in ("chip", "model") for part in ("", " beginning", " ending")
)


@dataclass(frozen=True)
class Names:
    """Other names of the entities of one kind, and what may be taken off a name."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other name as written -> entity."""
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


def key(text: str) -> str:
    """What is left of a name for comparison: small letters, digits and +.

    >>> key("Llama-3.1 70B (text only)")
    'llama3170b'
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"\(.*?\)", " ", text)).casefold()
    return re.sub(r"[^a-z0-9+]", "", plain)


def resolve(kind: str, text: str, known: Iterable[str], names: Names) -> str:
    """The entity that a text names.

    Parameters: `kind` for the message; `text` as somebody wrote it; `known` entities; `names`, other ways to call
    them. An entity's own name goes before aliases, the whole text before its part after the last
    ``/``, and a name as written before one with a beginning or ending taken off. Raises
    `UnknownName` with the nearest names.

    >>> resolve("model", "meta-llama/Llama-3.1-70B-Instruct", ["llama-3.1-70b"], Names(endings=("Instruct",)))
    'llama-3.1-70b'
    """
    entities = tuple(known)
    if text in entities:
        return text
    table = {key(alias): name for alias, name in names.aliases.items() if name in entities}
    table |= {key(name): name for name in entities}
    beginnings, endings = tuple(map(key, names.beginnings)), tuple(map(key, names.endings))
    waiting = list(dict.fromkeys((key(text), key(text.rpartition("/")[2]))))
    for candidate in waiting:
        if candidate in table:
            return table[candidate]
        shorter = [candidate.removesuffix(end) for end in endings]
        shorter += [candidate.removeprefix(start) for start in beginnings]
        waiting += [short for short in dict.fromkeys(shorter) if short and short not in waiting]
    raise unknown(kind, text, entities, remedy=suggestion(text, (*entities, *names.aliases),
                                                          "choose one of the allowed names"))


def read_names(path: Path, entities: Mapping[str, Iterable[str]]) -> Mapping[str, Names]:
    """Read the table of other names: kind -> its names.

    Columns: kind (chip or model, or one of them followed by ``beginning`` or ``ending``), alias,
    name (empty for beginnings and endings). `entities` are the names of each kind. Raises
    `BadValue` with every row that has an unknown kind, names nothing that is there, or gives a
    second meaning to a name.
    """
    by_kind: dict[str, dict[str, str]] = {kind: {} for kind in _KINDS}
    meaning = {kind: {key(name): name for name in names} for kind, names in entities.items()}
    faults: list[Fault] = []
    for row in read_rows(path, _COLUMNS):
        kind, alias, name = (row.cells[column].strip() for column in _COLUMNS)
        if kind not in by_kind or not key(alias):
            faults.append(
                Fault(
                    row.place, f"kind {kind!r}, alias {alias!r}",
                    f"{', '.join(_KINDS)}; some letters", "correct the row",
                )
            )
            continue
        if kind not in ("chip", "model"):
            if name:
                faults.append(
                    Fault(
                        row.place, f"name {name!r} of a {kind}", "an empty cell", "empty the cell"
                    )
                )
        elif name not in entities[kind]:
            faults.append(
                Fault(
                    row.place, f"unknown {kind} {name!r}", f"a {kind} of the catalogue",
                    suggestion(name, entities[kind], "add its facts or remove the row"),
                )
            )
        elif meaning[kind].setdefault(key(alias), name) != name:
            faults.append(
                Fault(
                    row.place, f"{alias!r} for {name!r}",
                    f"one meaning, it is {meaning[kind][key(alias)]}", "remove one of the two",
                )
            )
        by_kind[kind][alias] = name
    if faults:
        raise BadValue(*faults)
    return MappingProxyType(
        {
            kind: Names(
                MappingProxyType(by_kind[kind]), tuple(by_kind[f"{kind} beginning"]),
                tuple(by_kind[f"{kind} ending"]),
            )
            for kind in ("chip", "model")
        }
    )
