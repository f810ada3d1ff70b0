"""What can go wrong, and how it is said.

    FablessError           anything the user can mend; printed without a traceback, exit code 2
    ├── UnknownName        a chip, model, field, strategy, key ... that is not there; names the nearest
    ├── BadValue           a number, date or range that cannot be: negative, reversed, not finite, wrong unit
    ├── BadFile            a file that is missing, unreadable or of another form
    ├── Leak               a fact that the case's as-of date cannot know
    └── DoesNotFit         a model, die or load that no offered thing can hold

Every error carries one or more `Fault`s: all faults of one input are reported at once. A plan that
leaves demand unmet is a result, not an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault: where it is, what was found, what is allowed, what to do."""

    place: str
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.found}\n  allowed: {self.allowed}\n  remedy:  {self.remedy}"


class FablessError(Exception):
    """Something the user can mend."""

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("an error needs at least one fault")
        self.faults: tuple[Fault, ...] = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class UnknownName(FablessError):
    """A name that is not in the catalogue or the schema."""


class BadValue(FablessError):
    """A value outside what its field allows."""


class BadFile(FablessError):
    """A file that is missing, unreadable or of another form."""


class Leak(FablessError):
    """A fact that became known after the as-of date."""


class DoesNotFit(FablessError):
    """Something that no offered chip, package or plan can hold."""


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` names of `known`: those that begin with `name`, then the likest, then
    those that hold it.

    >>> nearest_names("h100", ["v100", "h100-sxm", "a100"], 2)
    ['h100-sxm', 'v100']
    """
    names, wanted = sorted(known), name.casefold()
    spellings: dict[str, list[str]] = {}
    for candidate in names:
        spellings.setdefault(candidate.casefold(), []).append(candidate)
    longer = [candidate for candidate in names if name and candidate.startswith(name)]
    like = difflib.get_close_matches(wanted, list(spellings), n=count, cutoff=0.5)
    holding = [folded for folded in spellings if wanted in folded]
    nearest = [
        *longer, *(candidate for folded in (*like, *holding) for candidate in spellings[folded]),
    ]
    return list(dict.fromkeys(nearest))[:count]


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """Ask whether one of the nearest names was meant, or say `otherwise` where none is near."""
    close = nearest_names(name, known)
    return f"did you mean {' or '.join(close)}?" if close else otherwise


def unknown(
    kind: str, name: str, known: Sequence[str], place: str = "", remedy: str = ""
) -> UnknownName:
    """Make the error for a name that is not there, with the nearest names that are."""
    allowed = (
        ", ".join(known)
        if len(known) <= 12
        else f"{len(known)} names, for example {', '.join(known[:5])}"
    )
    say = remedy or suggestion(name, known, "choose one of the allowed names")
    return UnknownName(Fault(place or kind, f"unknown {kind} {name!r}", allowed, say))
