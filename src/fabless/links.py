"""Links that say what differs from a case, and case files of what a link says.

A link is the part of an address behind the hash, so that no server sees it:

    #v1&c=6242b62d&demand.growth=5&owning.pue=1.25&unit=tokens

First the version of the form, then parts ``key=value``, each percent-encoded. The key `c` is the
digest of the case (`case_digest`); `unit`, `a`, `b` and `future` say how the page is looked at;
every other key is the dotted name of an input, its value a plain decimal in the unit in which the
input is written (`case_moves.unit_of`). The table `tests/data/links.yaml` holds links of every
version with what they mean: they must stay readable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote_to_bytes

from fabless.case_moves import moved_ranges, shown_range, unit_of
from fabless.case_numbers import mapped
from fabless.case_records import CASE_SOURCE, Case, CaseNumber, named
from fabless.digest import digest_of
from fabless.errors import BadValue, Fault
from fabless.records import Grade, Range
from fabless.units import from_si
from fabless.wording import with_unit

LINK_VERSION = "v1"
DIGEST_LENGTH = 8
LONGEST_LINK = 4096
"""Characters up to which a link is read."""
LOOKS = ("unit", "a", "b", "future")
"""Keys that say how the page is looked at and change nothing of the case."""
END_DIGITS = 12
"""Digits with which the ends of a moved range are written: more than anybody states, fewer than
rounding shows in."""

_VERSION = re.compile(r"v[0-9]{1,6}")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NO_PLAIN_KEYS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML reads as something else than themselves."""
_REMEDY = "copy the whole link again, or take this part out"


@dataclass(frozen=True)
class Link:
    """What a link says."""

    digest: str = ""
    """Digest of the case that the link was made for; empty where it does not say."""
    changes: Mapping[str, float] = field(default_factory=dict)
    """New value of each moved input, in its own unit."""
    looks: Mapping[str, str] = field(default_factory=dict)
    """How the page is looked at, by key of `LOOKS`."""


def case_digest(case: Case) -> str:
    """First 8 hexadecimal digits of the digest of a case as it was read: its edition.

    It depends on the contents of the case alone: no process, folder or day changes it.
    """
    return digest_of(case)[:DIGEST_LENGTH]


def link_of(case: Case, changes: Mapping[str, float]) -> str:
    """Write the link of a case with some inputs moved; names come in the order of their letters.

    Parameters: `changes`, new value of each input by dotted name, in its own unit. Raises
    `UnknownName` and `BadValue` for changes that the case does not allow, all faults at once.
    """
    kept = moved_ranges(case, changes)
    parts = [("c", case_digest(case)), *((name, decimal(changes[name])) for name in sorted(kept))]
    return f"#{LINK_VERSION}" + "".join(
        f"&{quote(key, safe='')}={quote(value, safe='')}" for key, value in parts)


def decimal(value: float) -> str:
    """A number as a plain decimal: the shortest that reads back as the same number, no exponent.

    >>> decimal(5.0), decimal(0.1), decimal(1.5e-7), decimal(2.5e21), decimal(-3.0)
    ('5', '0.1', '0.00000015', '2500000000000000000000', '-3')
    """
    sign, digits = ("-", repr(-value)) if value < 0 else ("", repr(value + 0.0))
    mantissa, _, power = digits.partition("e")
    whole, _, part = mantissa.partition(".")
    part = "" if part == "0" else part
    shift = int(power or 0)
    text, point = whole + part, len(whole) + shift
    if point <= 0:
        text, point = "0" * (1 - point) + text, 1
    text = text.ljust(point, "0")
    return f"{sign}{text[:point]}" + (f".{text[point:]}" if text[point:] else "")


def read_link(text: str) -> Link:
    """Read a link: the part behind the hash, with or without the hash, or a whole address or file
    name before it.

    Raises `BadValue` for a version that this program does not know and for parts that cannot be
    read, all faults at once. Whether a case has the inputs, `linked` says.

    >>> read_link("file:///tmp/report.html#v1&c=6242b62d&demand.growth=5").changes
    {'demand.growth': 5.0}
    """
    behind = text.strip().rpartition("#")[2]
    if len(behind) > LONGEST_LINK:
        raise BadValue(Fault("link", f"{len(behind):,} characters", f"at most {LONGEST_LINK:,}",
                             "write a case file with these changes instead"))
    version, *parts = behind.split("&")
    if version != LINK_VERSION:
        raise BadValue(_strange_version(version))
    faults: list[Fault] = []
    known: dict[str, str] = {}
    for part in parts:
        fault = _take(part, known)
        faults += [fault] if fault else []
    numbers = {key: value for key, value in known.items() if key not in ("c", *LOOKS)}
    if faults:
        raise BadValue(*faults)
    return Link(known.get("c", ""), {key: float(value) for key, value in numbers.items()},
                {key: value for key, value in known.items() if key in LOOKS})


def _strange_version(version: str) -> Fault:
    if _VERSION.fullmatch(version):
        return Fault("link", f"version {version}", f"version {LINK_VERSION}",
                     "the link is of a newer fabless: install that, or copy the link from this one")
    return Fault("link", f"begins with {version[:40]!r}",
                 f"#{LINK_VERSION}&c=...&name=value, alone or at the end of an address",
                 "copy the whole link again; on a command line put it between single quotes")


def _take(part: str, known: dict[str, str]) -> Fault | None:
    """Put one part of a link among the known ones, or say what is wrong with it."""
    shown = f"{part[:60]!r}"
    try:
        key, equals, value = (unquote_to_bytes(text).decode() for text in part.partition("="))
    except UnicodeDecodeError:
        return Fault("link", shown, "text in UTF-8, percent-encoded", _REMEDY)
    if not key or not equals:
        return Fault("link", shown, "parts of the form name=value", _REMEDY)
    if key in known:
        return Fault("link", f"{key[:60]!r} twice", "each name once", "take one of the two out")
    known[key] = value
    if key == "c" and not re.fullmatch(rf"[0-9a-f]{{{DIGEST_LENGTH}}}", value):
        return Fault("link", shown, f"c={DIGEST_LENGTH} hexadecimal digits", _REMEDY)
    if key not in ("c", *LOOKS) and not _DECIMAL.fullmatch(value):
        return Fault("link", shown, f"a plain decimal after {key[:60]}=, such as 0.5", _REMEDY)
    return None


def other_edition(case: Case, link: Link) -> str:
    """Warning where a link was made for another case or another edition of this one; else empty."""
    if link.digest in ("", case_digest(case)):
        return ""
    return (f"The link was made for another edition of this case (c={link.digest}, here "
            f"{case_digest(case)}): what it does not name may differ.")


def linked(case: Case, link: str | Link) -> Case:
    """The case with the inputs moved that a link names.

    Parameters: `link`, as text, or as `read_link` gives it. Raises `BadValue` and `UnknownName` for
    what the link or the case does not allow, all faults at once. A link for another edition of the
    case is followed; `other_edition` says so.
    """
    read = read_link(link) if isinstance(link, str) else link
    return changed_case(case, read.changes)


def changed_case(case: Case, changes: Mapping[str, float]) -> Case:
    """The case with some inputs moved, each with its whole range (`case_moves.moved`).

    A moved input counts as an assumption of the reader's own; its note says from where it was
    moved. Name and title are those of the saved case (`case_yaml`). Moved by nothing the case is
    the case.
    """
    ranges = moved_ranges(case, changes)
    if not ranges:
        return case
    return replace(
        case, name=saved_name(case), title=_saved_title(case), numbers=mapped(
            case.numbers, lambda number: _moved_number(number, ranges.get(number.name), case)))


def moves_of(case: Case, changes: Mapping[str, float]) -> list[str]:
    """What is moved, in words: name of the input, its former and its new value."""
    known = named(case.numbers)
    return [_move(known[name], changes[name]) for name in sorted(moved_ranges(case, changes))]


def _move(number: CaseNumber, value: float) -> str:
    unit, former = unit_of(number), shown_range(number)[1]
    return f"{number.name} from {with_unit(former, unit)} to {with_unit(value, unit)}"


def _moved_number(number: CaseNumber, spread: Range | None, case: Case) -> CaseNumber:
    if spread is None:
        return number
    return replace(number, spread=spread, grade=Grade.ASSUMPTION, known=case.as_of,
                   source=CASE_SOURCE, note=_note(number))


def _note(number: CaseNumber) -> str:
    return f"moved from {_end(shown_range(number)[1])}"


def _end(value: float) -> str:
    """A number written with `END_DIGITS` digits."""
    return decimal(float(f"{value:.{END_DIGITS}g}"))


def saved_name(case: Case) -> str:
    """Name of a case with inputs moved."""
    return f"{case.name}-moved"


def _saved_title(case: Case) -> str:
    return f"{case.title}, moved"


def case_yaml(case: Case, changes: Mapping[str, float], base: str = "") -> str:
    """Write a case file that takes everything from a case but the inputs that were moved.

    Parameters: `changes`, new value of each input by dotted name, in its own unit; `base`, what
    stands under `from:` (default: the name of the case, as for shipped ones; for a file its name).
    `read_case` reads it, in the folder of the base, and it has the answer of the link.

    The text, to the byte (lines end in a line feed, the last one too)::

        # What differs from openai-2023; everything else is taken from there.
        from: openai-2023
        name: openai-2023-moved
        title: "OpenAI in October 2023, moved"
        demand:
          growth: {low: 1.5, mode: 5, high: 25, unit: "1", scale: log, beyond: 0, note: "moved from 2"}
        lines:
          amd-owned:
            price: {low: 9000, mode: 12000, high: 15000, unit: "USD", beyond: 0, note: "moved from 10000"}

    Inputs stand in the order of the letters of their dotted names (by code point); each section is
    opened once, two spaces deeper than the one that holds it. A key that is no
    ``[A-Za-z_][A-Za-z0-9_-]*``, or is y, n, yes, no, on, off, true, false or null in any case of
    letters, is in double quotes. Title, unit, note and such keys are JSON strings, without escapes
    for letters beyond ASCII. `mode` is the new value, written by `decimal`; `low` and `high` are
    rounded to 12 significant digits first, and kept on their side of `mode`. ``scale: log`` stands
    only where the range is logarithmic; ``news: today`` (or gradual, moves) follows `beyond` where
    the number states how its news comes. The note gives the former mode, of 12 digits.
    """
    ranges, known = moved_ranges(case, changes), named(case.numbers)
    source = base or case.name
    lines = [
        f"# What differs from {source}; everything else is taken from there.",
        f"from: {_key(source) if not base else _text(base)}",
        f"name: {saved_name(case)}",
        f"title: {_text(_saved_title(case))}",
    ]
    above: list[str] = []
    for name in sorted(ranges):
        *sections, last = name.split(".")
        shared = next((k for k, (former, section) in enumerate(zip(above, sections, strict=False))
                       if former != section), min(len(above), len(sections)))
        lines += [f"{'  ' * k}{_key(sections[k])}:" for k in range(shared, len(sections))]
        number = _number(known[name], ranges[name], changes[name])
        lines.append(f"{'  ' * len(sections)}{_key(last)}: {{{', '.join(number)}}}")
        above = sections
    return "\n".join(lines) + "\n"


def _number(number: CaseNumber, spread: Range, value: float) -> Iterator[str]:
    """Parts of a moved number as a case file states it."""
    unit = unit_of(number)
    low, high = (float(f"{from_si(end, unit):.{END_DIGITS}g}") for end in (spread.low, spread.high))
    yield f"low: {decimal(min(low, value))}"
    yield f"mode: {decimal(value)}"
    yield f"high: {decimal(max(high, value))}"
    yield f"unit: {_text(unit)}"
    if spread.scale == "log":
        yield "scale: log"
    yield "beyond: 0"
    if number.news is not None:
        yield f"news: {number.news}"
    yield f"note: {_text(_note(number))}"


def _key(text: str) -> str:
    plain = _PLAIN_KEY.fullmatch(text) and text.lower() not in _NO_PLAIN_KEYS
    return text if plain else _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
