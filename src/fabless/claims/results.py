"""What rebuilding a claim gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fabless.catalogue.files.claims import Kind
from fabless.records import Grade, Range, Source
from fabless.units import to_si

Verdict = Literal["holds", "breaks", "happened", "cannot be rebuilt"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published, in `unit`; without `value` the wording names only a band."""

    value: float | None
    low: float
    high: float
    unit: str
    date: dt.date
    source: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class InputUsed:
    """A fact that went into a rebuilt claim, in the unit of its row, or what a model gave."""

    name: str
    fact: str
    """Entity, field and period, as `fabless why` takes them; of a model, what it was asked."""
    value: float
    low: float
    high: float
    unit: str
    grade: Grade
    source: Source
    note: str
    place: str
    modelled: bool = False
    """Whether a model of this package gave the number."""

    @property
    def si(self) -> Range:
        """The input in SI."""
        return Range(to_si(self.low, self.unit), to_si(self.value, self.unit), to_si(self.high, self.unit))


@dataclass(frozen=True, kw_only=True)
class NeededInput:
    """What one input would have to be, all others as they are, for the claim to be met."""

    name: str
    fact: str
    value: float
    unit: str
    factor: float
    """Needed value over the input's value."""
    in_band: bool
    """Whether the needed value lies between low and high of the input."""


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """A claim and one way to rebuild it; numbers in the unit of what was published."""

    id: str
    claim: str
    short: str
    """The claim in a few words."""
    kind: Kind
    variant: str
    """Name of the way it is rebuilt; empty where it cannot be, and of an event."""
    published: Published | None
    rebuilt: Range | None
    deviation: float | None
    """Rebuilt mode over published value, less one; from a band its nearest end, 0 inside it."""
    verdict: Verdict
    breaking_input: NeededInput | None
    """The input that meets the claim with a value in its band, or nearest to it; None where the
    mode meets it."""
    needed: tuple[NeededInput, ...]
    """Every input that alone can meet the claim, with its value, nearest to its band first."""
    formula: str
    inputs: tuple[InputUsed, ...]
    note: str


@dataclass(frozen=True, kw_only=True)
class ClaimCounts:
    """Results by verdict; what cannot be rebuilt counts neither for a claim nor against it."""

    holds: int
    breaks: int
    happened: int
    cannot_be_rebuilt: int


@dataclass(frozen=True)
class ClaimsDocument:
    """All results, as `fabless claims --json` gives them."""

    claims: tuple[ClaimResult, ...]
    counts: ClaimCounts


def claims_document(results: Sequence[ClaimResult]) -> ClaimsDocument:
    """The results as one document, with their number by verdict."""
    verdicts = [result.verdict for result in results]
    counts = ClaimCounts(
        holds=verdicts.count("holds"), breaks=verdicts.count("breaks"),
        happened=verdicts.count("happened"), cannot_be_rebuilt=verdicts.count("cannot be rebuilt"))
    return ClaimsDocument(tuple(results), counts)
