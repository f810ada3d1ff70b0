"""The catalogue: every fact the program knows, seen from a day.

`load` reads the shipped data (and the user's), `Catalogue` answers questions about it. A fact that
became public after the as-of date is there but cannot be seen: asking for it is a `Leak`, not a
missing name.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fabless.catalogue.facts import entities
from fabless.catalogue.facts.names import Kind, Names, read_names, resolve
from fabless.catalogue.facts.read import read_facts, read_sources
from fabless.catalogue.facts.text import DATA
from fabless.errors import BadFile, BadValue, Fault, Leak, unknown
from fabless.records import LLM, Chip, Fact, MemoryType, Packaging, ProcessNode, Range, Source

INSTRUMENTS = ("kernels", "perf", "silicon")
"""Topics that hold the parameters of this program's own models: instruments, seen on every day.
What a case of the past owes to a later calibration is listed by `case.leaks`."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Facts by entity, seen from `as_of` (None: everything)."""

    as_of: dt.date | None
    digest: str
    """First 12 hexadecimal digits of the SHA-256 of the data files."""
    rows: Mapping[str, tuple[Fact, ...]]
    """Entity -> its facts, those not yet known on the as-of date included."""
    topics: Mapping[str, tuple[str, ...]]
    """Topic -> its entities."""
    sources: Mapping[str, Source]
    names: Mapping[str, Names] = field(default_factory=dict)
    """Kind (chip, model) -> other names of its entities."""

    def _sees(self, fact: Fact) -> bool:
        return (self.as_of is None or fact.known <= self.as_of
                or any(fact.entity in self.topics.get(topic, ()) for topic in INSTRUMENTS))

    def _rows(self, entity: str) -> tuple[Fact, ...]:
        if entity not in self.rows:
            raise unknown("entity", entity, tuple(self.rows))
        return self.rows[entity]

    def _visible(self, facts: tuple[Fact, ...], what: str) -> tuple[Fact, ...]:
        """Those facts that the as-of date can see; `Leak` when there are none."""
        seen = tuple(fact for fact in facts if self._sees(fact))
        if not seen:
            first = min(facts, key=lambda fact: fact.known)
            raise Leak(
                Fault(
                    first.place, f"{what} became known on {first.known}",
                    f"facts known on or before {self.as_of}",
                    "use a later as-of date, or state the value as an assumption of the case",
                )
            )
        return seen

    def why(self, entity: str, field: str) -> tuple[Fact, ...]:
        """Every visible fact of a field, oldest knowledge first.

        Raises `UnknownName` for an entity or field that is not there, `Leak` when all of it became
        known later.
        """
        rows = self._rows(entity)
        named = tuple(fact for fact in rows if fact.field == field)
        if not named:
            raise unknown(f"field of {entity}", field, sorted({fact.field for fact in rows}))
        return tuple(sorted(self._visible(named, f"{entity} {field}"), key=_age))

    def fact(self, entity: str, field: str, period: str | None = None) -> Fact:
        """The newest fact of a field that the as-of date can see: last known, then latest period.

        With `period` only facts of that period count. Raises the same errors as `why`.
        """
        if period is None:
            return self.why(entity, field)[-1]
        named = tuple(
            fact for fact in self._rows(entity) if fact.field == field and fact.period == period
        )
        if not named:
            periods = sorted({fact.period for fact in self.why(entity, field) if fact.period})
            raise unknown(f"period of {entity} {field}", period, periods)
        return max(self._visible(named, f"{entity} {field} of {period}"), key=_age)

    def facts_of(self, entity: str) -> tuple[Fact, ...]:
        """Every visible fact of an entity, by field; `Leak` when the entity became known later."""
        return tuple(
            sorted(
                self._visible(self._rows(entity), entity),
                key=lambda fact: (fact.field, *_age(fact)),
            )
        )

    def series(self, entity: str, field: str) -> tuple[Fact, ...]:
        """A field through time: the newest visible fact of each period, by period."""
        newest = {fact.period: fact for fact in self.why(entity, field)}
        return tuple(newest[period] for period in sorted(newest))

    def range(self, entity: str, field: str, period: str | None = None) -> Range:
        """A fact as low / mode / high, a point where it has no band."""
        fact = self.fact(entity, field, period)
        spread = entities.range_of(fact)
        if spread is None:
            raise BadValue(
                Fault(
                    fact.place, f"{entity} {field} is {fact.unit}", "a number", "ask for its fact"
                )
            )
        return spread

    def entities(self, topic: str) -> tuple[str, ...]:
        """Entities of a topic with visible facts."""
        if topic not in self.topics:
            raise unknown("topic", topic, list(self.topics))
        return tuple(
            name for name in self.topics[topic] if any(self._sees(fact) for fact in self.rows[name])
        )

    def _newest(self, topic: str, kind: str, name: str) -> dict[str, Fact]:
        """Field -> newest visible fact of an entity of a topic."""
        if name not in self.topics[topic]:
            raise unknown(kind, name, self.topics[topic])
        return {fact.field: fact for fact in sorted(self.facts_of(name), key=_age)}

    def resolve(self, kind: Kind, text: str) -> str:
        """The name in the catalogue of a chip or a model that people call by another name.

        Raises `UnknownName` with the nearest names.

        >>> load().resolve("model", "meta-llama/Llama-3.1-70B-Instruct")
        'llama-3.1-70b'
        """
        return resolve(kind, text, self.topics[f"{kind}s"], self.names.get(kind, Names()))

    def chips(self) -> tuple[str, ...]:
        """Names of the accelerators."""
        return self.entities("chips")

    def chip(self, text: str) -> Chip:
        """An accelerator by any of its names; `BadValue` when a rate, memory size or bandwidth is
        not known."""
        name = self.resolve("chip", text)
        stand_in = (
            self._newest("rules", "rule", entities.STAND_IN)
            if entities.STAND_IN in self.rows
            else {}
        )
        return entities.chip_from_facts(name, self._newest("chips", "chip", name), stand_in)

    def models(self) -> tuple[str, ...]:
        """Names of the language models."""
        return self.entities("models")

    def model(self, text: str) -> LLM:
        """A language model by any of its names."""
        name = self.resolve("model", text)
        return entities.model_from_facts(name, self._newest("models", "model", name))

    def node(self, name: str) -> ProcessNode:
        """A logic process as a record."""
        return entities.node_from_facts(name, self._newest("nodes", "process node", name))

    def memory(self, name: str) -> MemoryType:
        """A generation of stacked memory as a record."""
        return entities.memory_from_facts(name, self._newest("memory", "memory type", name))

    def packaging(self, name: str) -> Packaging:
        """An advanced-packaging service as a record."""
        return entities.packaging_from_facts(
            name, self._newest("packaging", "packaging service", name)
        )


def _age(fact: Fact) -> tuple[dt.date, str]:
    return fact.known, fact.period


def _extra_files(extra: Path) -> tuple[list[Path], Path]:
    """Facts files and sources file of the user: a folder like the shipped one, or one facts
    file."""
    if not extra.exists():
        raise BadFile(
            Fault(
                str(extra), "does not exist", "a facts file, or a folder with facts/*.csv",
                "check the path",
            )
        )
    if extra.is_dir():
        return sorted((extra / "facts").glob("*.csv")), extra / "sources.csv"
    return [extra], extra.parent / "sources.csv"


def _by_entity(topics: Mapping[str, tuple[Fact, ...]]) -> dict[str, tuple[Fact, ...]]:
    grouped: dict[str, list[Fact]] = {}
    for facts in topics.values():
        for fact in facts:
            grouped.setdefault(fact.entity, []).append(fact)
    return {entity: tuple(facts) for entity, facts in sorted(grouped.items())}


def _overlay(
    shipped: Mapping[str, tuple[Fact, ...]], own_rows: Mapping[str, tuple[Fact, ...]]
) -> dict[str, tuple[Fact, ...]]:
    """The user's facts replace the shipped ones of the same entity, field and period."""
    merged = dict(shipped)
    for entity, facts in own_rows.items():
        taken = {(fact.field, fact.period) for fact in facts}
        merged[entity] = tuple(fact for fact in merged.get(entity, ())
                               if (fact.field, fact.period) not in taken) + facts
    return merged


def _entities_by_topic(*collections: Mapping[str, tuple[Fact, ...]]) -> dict[str, tuple[str, ...]]:
    names: dict[str, set[str]] = {}
    for topics in collections:
        for topic, facts in topics.items():
            names.setdefault(topic, set()).update(fact.entity for fact in facts)
    return {topic: tuple(sorted(entities)) for topic, entities in sorted(names.items())}


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:12]


def load(as_of: dt.date | None = None, extra: Path | None = None) -> Catalogue:
    """Read and check the shipped facts, and those of the user's `extra` facts file or folder.

    Parameters: `as_of`, the last day whose knowledge may be seen; `extra`, a facts file (its name is its topic) or a
    folder with ``facts/*.csv``, with its own ``sources.csv`` beside it where it names new sources.
    The user's facts replace the shipped ones of the same entity, field and period.

    Raises `BadValue` with every fault of every row, `BadFile` for a file that cannot be read.

    >>> load(dt.date(2023, 10, 31)).chip("h100-sxm").memory_bytes
    80000000000.0
    """
    files = sorted((DATA / "facts").glob("*.csv"))
    sources = read_sources(DATA / "sources.csv")
    shipped = read_facts(files, sources)
    rows, own_facts = _by_entity(shipped), {}
    read = [DATA / "sources.csv", DATA / "aliases.csv", *files]
    if extra is not None:
        own_files, own_sources = _extra_files(extra)
        if own_sources.exists():
            sources = {**sources, **read_sources(own_sources)}
            read.append(own_sources)
        own_facts = read_facts(own_files, sources)
        rows = _overlay(rows, _by_entity(own_facts))
        read += own_files
    topics = _entities_by_topic(shipped, own_facts)
    names = read_names(DATA / "aliases.csv", {"chip": topics["chips"], "model": topics["models"]})
    return Catalogue(
        as_of=as_of, digest=_digest(read), rows=MappingProxyType(rows),
        topics=MappingProxyType(topics), sources=MappingProxyType(sources), names=names,
    )
