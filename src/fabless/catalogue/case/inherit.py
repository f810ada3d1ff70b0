"""A case that says only what differs from another one, named under `from:`.

Sections are merged key by key. A number, a list and a plain value replace what stood there whole;
`null` takes an entry out. A case has its own `name` and `title`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fabless.catalogue.files.yaml import Document
from fabless.errors import BadValue, Fault, UnknownName

FROM = "from"
OWN = ("name", "title")
"""What a case never takes from another one."""
DEEPEST = 5
"""Cases that may stand behind one another."""
NUMBER_KEYS = frozenset({"value", "low", "mode", "high", "fact"})
"""Keys by which a mapping is a number and no section."""

FindBase = Callable[[str, Path], Document | None]
"""The document of a name that stands under `from:`, with paths from a folder; None: there is
none."""


def completed_document(document: Document, find: FindBase, folder: Path) -> Document:
    """The document with what it takes from the case under `from:`, and that from its own.

    Places of faults name the file and line in which a value was written. Raises `UnknownName` for
    a base that is not there, `BadValue` for a circle, a chain of more than `DEEPEST` and for
    entries taken out that the base does not have.
    """
    return _completed(document, find, folder, (document.place,))


def _completed(
    document: Document, find: FindBase, folder: Path, chain: tuple[str, ...]
) -> Document:
    if FROM not in document.fields:
        return document
    base = _base(document, find, folder, chain)
    whole = _completed(base, find, folder, (*chain, base.place))
    merging = _Merging()
    own = {key: value for key, value in document.fields.items() if key != FROM}
    inherited = {key: value for key, value in whole.fields.items() if key not in OWN}
    merging.replaced.update(OWN)
    fields = merging.merged(inherited, own, "")
    if merging.missing:
        raise BadValue(*(
            Fault(document.at(path), "null, where nothing is to be taken out",
                  f"an entry that {base.place} has", "take the line out, or correct the name")
            for path in merging.missing))
    return Document(document.place, fields, document.lines, _without(whole, merging.replaced))


def _base(document: Document, find: FindBase, folder: Path, chain: tuple[str, ...]) -> Document:
    """The document that stands under `from:` of another one."""
    name, place = document.fields[FROM], document.at(FROM)
    allowed = "the name of a shipped case, or of a case file (.yaml) in the same folder"
    if not isinstance(name, str):
        raise BadValue(
            Fault(place, repr(name)[:80], allowed, "write for example from: openai-2023"))
    base = find(name, folder) if name.isprintable() and len(name) <= 255 else None
    if base is None:
        raise UnknownName(Fault(place, f"unknown case {name[:80]!r}", allowed,
                                "write for example from: openai-2023, without a folder"))
    if base.place in chain or Path(base.place).name in {Path(known).name for known in chain}:
        raise BadValue(Fault(place, f"a circle: {' from '.join((*chain, name))}",
                             "cases that end in one without from:", "take one from: out"))
    if len(chain) > DEEPEST:
        raise BadValue(Fault(place, f"more than {DEEPEST} cases behind one another",
                             f"at most {DEEPEST}", "write the changes into fewer files"))
    return base


@dataclass
class _Merging:
    """What happens as one mapping is laid over another."""

    replaced: set[str] = field(default_factory=set)
    """Dotted paths of the base of which nothing is left."""
    missing: list[str] = field(default_factory=list)
    """Dotted paths that are to be taken out and are not there."""

    def merged(
        self, base: Mapping[str, object], own: Mapping[str, object], path: str
    ) -> dict[str, object]:
        """The base with what the file itself states; keys are one where they are written alike."""
        result, keys = dict(base), {str(key): key for key in base}
        for key, value in own.items():
            dotted = f"{path}.{key}" if path else str(key)
            known = keys.get(str(key), key)
            below = result.get(known)
            if value is None:
                if known not in result:
                    self.missing.append(dotted)
                result.pop(known, None)
                self.replaced.add(dotted)
            elif _is_section(value) and _is_section(below):
                result[known] = self.merged(below, value, dotted)  # type: ignore[arg-type]
            else:
                result[known] = value
                self.replaced.add(dotted)
        return result


def _is_section(value: object) -> bool:
    return isinstance(value, dict) and not NUMBER_KEYS & value.keys()


def _without(document: Document, replaced: set[str]) -> Document:
    """The document without the lines of some paths and of all below them."""
    kept = {path: line for path, line in document.lines.items()
            if not any(start in replaced for start in _starts(path))}
    base = None if document.base is None else _without(document.base, replaced)
    return Document(document.place, document.fields, kept, base)


def _starts(path: str) -> Iterator[str]:
    """The path and every section above it."""
    while path:
        yield path
        path = path.rpartition(".")[0]
