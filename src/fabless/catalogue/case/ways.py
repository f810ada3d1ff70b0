"""Ways of a case's own: which lines, contracts and programmes their filters leave, and what is wrong
with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fabless.case_records import PORTFOLIO, STANDARD_WAYS, OwnWay
from fabless.catalogue.case import schema
from fabless.errors import BadValue, FablessError, Fault, unknown

WholeLine = Callable[[str], schema.LineSection]
"""A line with what it takes from the line it is like."""


def known_ways(file: schema.CaseFile) -> tuple[str, ...]:
    """Ways that a line, a programme or a contract of the case may name."""
    clashing = (*STANDARD_WAYS, PORTFOLIO)
    return (*STANDARD_WAYS, *(name for name in file.ways if name not in clashing))


def own_way(name: str, file: schema.CaseFile, whole: WholeLine) -> OwnWay:
    """The record of a way whose section has no errors."""
    section = file.ways[name]
    lines = _lines(name, file, whole)
    contracts = [
        key for key, item in file.contracts.items()
        if name in item.ways
        or (item.line in lines if section.contracts is None else key in section.contracts)
    ]
    commits = [key for key, item in file.programmes.items()
               if key in section.commits or name in item.ways]
    return OwnWay(
        name=name, lines=lines, contracts=tuple(contracts), commits=tuple(commits),
        may_start=tuple(key for key in file.programmes
                        if key in section.may_start and key not in commits),
        title=section.title,
    )


def way_errors(
    file: schema.CaseFile, whole: WholeLine, at: Callable[[str], str]
) -> Iterator[FablessError]:
    """What is wrong with the ways of a case and with the ways that its lines and programmes name.

    `at` gives the place of a dotted path.
    """
    for name, section in file.ways.items():
        where = f"ways.{name}"
        if name in (*STANDARD_WAYS, PORTFOLIO):
            yield BadValue(Fault(at(where), "a standard way has this name", "a name of its own",
                                 "rename it; which lines a standard way opens, the lines say"))
        others = {item.title or key for key, item in file.ways.items() if key != name}
        if section.title and section.title in (*STANDARD_WAYS, PORTFOLIO, *others):
            yield BadValue(Fault(at(f"{where}.title"), f"{section.title!r}: another way is called so",
                                 "a title of its own", "choose another title"))
        sellers = [whole(key) for key in file.lines]
        vendors = sorted({text for line in sellers for text in (line.vendor, line.seller) if text})
        named = (
            ("lines", "line", section.lines, list(file.lines)),
            ("vendors", "vendor", section.vendors, vendors),
            ("contracts", "contract", section.contracts, list(file.contracts)),
            ("commits", "programme", section.commits, list(file.programmes)),
            ("may_start", "programme", section.may_start, list(file.programmes)),
        )
        wrong = [error for key, kind, names, allowed in named
                 for error in _unknown(kind, names or (), allowed, at, f"{where}.{key}")]
        yield from wrong
        if not wrong and not _lines(name, file, whole):
            yield BadValue(Fault(
                at(where), "no line passes its filters", "filters that at least one line passes",
                "lines, vendors and how hold together: loosen one, or take it out"))
    for section_name, items in (("lines", file.lines), ("programmes", file.programmes)):
        for key, item in items.items():
            yield from _unknown(
                "way", item.ways, known_ways(file), at, f"{section_name}.{key}.ways")


def _unknown(
    kind: str, names: Sequence[str], allowed: Sequence[str], at: Callable[[str], str], path: str
) -> Iterator[FablessError]:
    for place, name in enumerate(names):
        if name not in allowed:
            yield unknown(kind, name, allowed or [f"no {kind}: the case has none"],
                          at(f"{path}.{place}"))


def _lines(name: str, file: schema.CaseFile, whole: WholeLine) -> tuple[str, ...]:
    """Lines that pass the filters of a way, and those that name it; all where there is neither."""
    section = file.ways[name]
    filters = (section.lines, section.vendors, section.how)
    naming = {key for key, line in file.lines.items() if name in line.ways}
    if all(part is None for part in filters) and naming:
        return tuple(key for key in file.lines if key in naming)
    return tuple(key for key in file.lines
                 if key in naming or _passes(section, key, whole(key)))


def _passes(section: schema.WaySection, key: str, line: schema.LineSection) -> bool:
    vendors = section.vendors
    return (
        (section.lines is None or key in section.lines)
        and (vendors is None or line.vendor in vendors or line.seller in vendors)
        and (section.how is None or (line.how or "buy") == section.how)
    )
