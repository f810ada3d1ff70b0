"""Read the published claims: what was said, by whom, and from which facts each is rebuilt."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fabless.catalogue.facts.read import read_sources
from fabless.catalogue.facts.text import DATA
from fabless.errors import BadFile, BadValue, Fault, nearest_names
from fabless.records import Source
from fabless.units import UNITS, to_si

Kind = Literal["fact", "reported", "analyst estimate", "vendor claim", "derived"]
Quantity = Literal[
    "output rate", "output rate of pools", "energy of chips", "training time", "package yield",
    "capital charge",
]
"""What the models of this package are asked for."""


@dataclass(frozen=True)
class Statement:
    """What the claim says in numbers, in SI: a value where the wording gives one, and what the
    wording allows."""

    value: float | None
    low: float
    high: float
    unit: str
    """The unit to print it in."""


@dataclass(frozen=True)
class FactReference:
    """Where a recipe finds an input."""

    entity: str
    field: str
    period: str | None

    def __str__(self) -> str:
        return " ".join(part for part in (self.entity, self.field, self.period) if part)


@dataclass(frozen=True, kw_only=True)
class ModelledInput:
    """What a model of this package is asked for an input that no fact states."""

    quantity: Quantity
    model: str
    """Language model."""
    chip: str
    input_tokens: float
    output_tokens: float
    tpot: str
    """Longest time per output token, with its unit."""
    ttft: str
    """Longest time to first token, with its unit."""
    weights: str
    """Number format of the weights and matrix products."""
    cache: str
    """Number format of the KV cache."""
    cached: float
    """Share of the prompt found in a prefix cache."""
    chips: int
    """Chips of a training run, or the most of both pools together."""
    tokens: float
    """Tokens to train on."""
    batch: int
    """Sequences of a training step."""
    sequence: int
    """Tokens of a training sequence."""
    facts: Mapping[str, FactReference]
    """Facts that the model takes with their bands."""

    def __str__(self) -> str:
        on = " on ".join(part for part in (self.model, self.chip) if part)
        taken = ", ".join(str(where) for where in self.facts.values())
        return f"{self.quantity}{f': {on}' if on else ''}{f' with {taken}' if taken else ''}"


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """One way to rebuild a claim."""

    name: str
    recipe: str
    statement: Statement
    inputs: Mapping[str, FactReference]
    modelled: Mapping[str, ModelledInput]
    note: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A published claim: rebuilt, or an event that a fact shows, or neither, for the `reason`."""

    id: str
    claim: str
    short: str
    """The claim in a few words."""
    kind: Kind
    date: dt.date
    sources: tuple[Source, ...]
    statement: Statement | None
    rebuilds: tuple[Rebuild, ...]
    reason: str
    """Why nothing can be rebuilt; of an event, what its fact shows."""
    place: str
    event: FactReference | None = None
    """Fact that shows the event which the claim states."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Statement(_Strict):
    value: float | None = None
    low: float
    high: float
    unit: str

    @model_validator(mode="after")
    def _ordered(self) -> _Statement:
        inside = self.low if self.value is None else self.value
        if not (
            math.isfinite(self.low) and math.isfinite(self.high) and self.low <= inside <= self.high
        ):
            raise ValueError("low <= value <= high, all finite")
        if self.unit not in UNITS:
            raise ValueError(
                f"unknown unit {self.unit!r}; nearest: {', '.join(nearest_names(self.unit, UNITS))}"
            )
        return self

    def si(self) -> Statement:
        value = None if self.value is None else to_si(self.value, self.unit)
        return Statement(value, to_si(self.low, self.unit), to_si(self.high, self.unit), self.unit)


def _check_references(references: Mapping[str, str]) -> None:
    for name, reference in references.items():
        if len(reference.split()) not in (2, 3):
            raise ValueError(
                f"input {name}: {reference!r} is not 'entity field' or 'entity field period'"
            )


class _Modelled(_Strict):
    quantity: Quantity
    model: str = ""
    chip: str = ""
    input: float = 1.0
    output: float = 1.0
    tpot: str = "50 ms"
    ttft: str = "4 s"
    weights: str = "fp8"
    cache: str = "bf16"
    cached: float = 0.0
    chips: int = 256
    tokens: float = 0.0
    batch: int = 1
    sequence: int = 1
    facts: dict[str, str] = {}

    @model_validator(mode="after")
    def _references(self) -> _Modelled:
        _check_references(self.facts)
        return self

    def asked(self) -> ModelledInput:
        return ModelledInput(
            quantity=self.quantity, model=self.model, chip=self.chip, input_tokens=self.input,
            output_tokens=self.output, tpot=self.tpot, ttft=self.ttft, weights=self.weights,
            cache=self.cache, cached=self.cached, chips=self.chips, tokens=self.tokens,
            batch=self.batch, sequence=self.sequence,
            facts={name: _reference(text) for name, text in self.facts.items()},
        )


class _Rebuild(_Strict):
    name: str
    recipe: str
    inputs: dict[str, str] = {}
    modelled: dict[str, _Modelled] = {}
    note: str = ""
    published: _Statement | None = None

    @model_validator(mode="after")
    def _references(self) -> _Rebuild:
        _check_references(self.inputs)
        return self


class _Claim(_Strict):
    id: str
    claim: str
    short: str
    kind: Kind
    date: dt.date
    sources: list[str]
    published: _Statement | None = None
    rebuilds: list[_Rebuild] = []
    event: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _either(self) -> _Claim:
        if bool(self.rebuilds) == bool(self.reason):
            raise ValueError("give rebuilds, or the reason why there are none")
        if self.event:
            if not self.reason:
                raise ValueError("say in reason what the fact of the event shows")
            _check_references({"event": self.event})
        if any(rebuild.published is None for rebuild in self.rebuilds) and self.published is None:
            raise ValueError("a rebuilt claim needs what was published")
        return self


def _reference(text: str) -> FactReference:
    entity, field, *period = text.split()
    return FactReference(entity, field, period[0] if period else None)


def _claim(read: _Claim, sources: Mapping[str, Source], place: str) -> Claim:
    published = read.published.si() if read.published else None
    rebuilds = []
    for rebuild in read.rebuilds:
        statement = rebuild.published.si() if rebuild.published else published
        assert statement is not None  # _Claim._either has seen to it
        inputs = {name: _reference(text) for name, text in rebuild.inputs.items()}
        asked = {name: entry.asked() for name, entry in rebuild.modelled.items()}
        rebuilds.append(
            Rebuild(
                name=rebuild.name, recipe=rebuild.recipe, statement=statement, inputs=inputs,
                modelled=asked, note=rebuild.note,
            )
        )
    return Claim(
        id=read.id, claim=read.claim, short=read.short, kind=read.kind, date=read.date,
        sources=tuple(sources[name] for name in read.sources), statement=published,
        rebuilds=tuple(rebuilds), reason=read.reason, place=place,
        event=_reference(read.event) if read.event else None,
    )


def _faults(entry: Any, place: str, sources: Mapping[str, Source]) -> Iterator[Fault]:
    """Everything wrong with one entry of the file."""
    try:
        read = _Claim.model_validate(entry)
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join(str(part) for part in fault["loc"])
            yield Fault(f"{place} {where}".strip(), fault["msg"], "the form of the claims file",
                        "see the head of the shipped claims file")
        return
    for name in read.sources:
        if name not in sources:
            yield Fault(place, f"unknown source {name!r}", "an id of the table of sources",
                        f"nearest: {', '.join(nearest_names(name, sources)) or 'none'}")


def read_claims(
    path: Path = DATA / "claims.yaml", sources_path: Path = DATA / "sources.csv"
) -> tuple[Claim, ...]:
    """Read and check the claims file.

    Parameters: `path`, a YAML list of claims; `sources_path`, the table of sources its ids point into.
    Raises `BadFile` for a file that is missing or no list, `BadValue` with every fault of every
    entry.

    >>> read_claims()[2].id
    'C04_48B'
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadFile(Fault(str(path), f"cannot be read: {error}", "a YAML list of claims",
                            "check path and form")) from error
    if not isinstance(data, list):
        raise BadFile(Fault(str(path), f"holds {type(data).__name__}", "a YAML list of claims",
                            "start each claim with '- id:'"))
    sources = read_sources(sources_path)
    places = [
        f"{path}: {entry['id'] if isinstance(entry, dict) and 'id' in entry else f'entry {number}'}"
        for number, entry in enumerate(data, 1)
    ]
    faults = [
        fault
        for entry, place in zip(data, places, strict=True)
        for fault in _faults(entry, place, sources)
    ]
    faults += [
        Fault(place, "the same id for the second time", "each id once", "rename one of the two")
        for number, place in enumerate(places)
        if place in places[:number]
    ]
    if faults:
        raise BadValue(*faults)
    return tuple(_claim(_Claim.model_validate(entry), sources, place)
                 for entry, place in zip(data, places, strict=True))
