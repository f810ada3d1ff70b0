"""What a case uses that was published after its day, or on a day that nobody wrote down.

A case of the past is a forecast only if each of its inputs could be read on its day. The guard
looks at the number, trace, chip, model, process or calibration behind each input, and at the day of
its source. What is later is refused, unless the section `hindsight` of the case says why it is used
all the same; a reason for something that is not late is refused too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabless.case_records import CASE_SOURCE, Case, chips_of, named
from fabless.catalogue.facts.entities import ENGINE, efficiency_entity
from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.yaml import Document
from fabless.errors import Fault
from fabless.records import Chip, Fact, Source

CHIP_FIELDS = (
    "memory_capacity", "memory_bandwidth", "scale_up_bandwidth", "scale_up_domain",
    "scale_out_bandwidth", "tdp",
)
"""Facts of a chip that set its speed and power, beside its peaks."""
MODEL_FIELDS = (
    "layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "expert_ffn", "experts",
    "experts_per_token", "vocab",
)
"""Facts of a language model that set the work of a token."""
_SHOWN_NAMES = 5
_DAY = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")


@dataclass(frozen=True, kw_only=True)
class DatedInput:
    """An input of a case and the day from which it could be read."""

    name: str
    source: Source
    known: dt.date | None
    """The later of the day on which it became known and that of its source; None: its source has no
    date."""
    reason: str = ""
    """Why the case uses it all the same, where it says so."""

    def is_late(self, as_of: dt.date) -> bool:
        """Whether it could not be read on the day of the case."""
        return self.known is not None and self.known > as_of


def leaks(case: Case, catalogue: Catalogue) -> tuple[DatedInput, ...]:
    """Inputs of a case that are later than its day, and those whose source has no date, by name.

    `catalogue` is that of the case's day. Not listed: what the case states as its own, and the
    programmes of its reference class, of which each fact counts from its own day on.
    """
    inputs = {item.name: item for item in _inputs(case, catalogue)}
    return tuple(
        DatedInput(name=name, source=item.source, known=item.known,
                   reason=_reason(item, case.hindsight)[1])
        for name, item in sorted(inputs.items())
        if item.known is None or item.is_late(case.as_of)
    )


def hindsight_faults(case: Case, catalogue: Catalogue, document: Document) -> list[Fault]:
    """Refusals: each later source whose inputs have no reason, each reason that the file itself
    states and that covers no input."""
    listed = leaks(case, catalogue)
    refused: dict[str, list[DatedInput]] = {}
    for item in listed:
        if item.is_late(case.as_of) and not item.reason:
            refused.setdefault(item.source.id, []).append(item)
    faults = [_refusal(case, items, document) for items in refused.values()]
    used = {_reason(item, case.hindsight)[0] for item in listed}
    return faults + [
        Fault(
            document.at(f"hindsight.{key}"), "a reason for nothing that is late",
            "an input, the beginning of one at a dot, or a source, that is later than "
            f"{case.as_of} or has no date",
            "take it out; `fabless check` lists what is late",
        )
        for key in case.hindsight if key not in used and document.states(f"hindsight.{key}")
    ]


def _refusal(case: Case, items: Sequence[DatedInput], document: Document) -> Fault:
    """Fault of the late inputs from one source."""
    first, *others = items
    names = ", ".join(item.name for item in others[:_SHOWN_NAMES])
    rest = len(others) - _SHOWN_NAMES
    also = f"; from it also {names}" + (f" and {rest} more" if rest > 0 else "") if others else ""
    return Fault(
        document.at(first.name),
        f"known on {max(item.known for item in items if item.known)} only, from "
        f"{first.source.title!r} [{first.source.id}]{also}",
        f"what could be read on {case.as_of}",
        "take a source of before that day, or say why it may be used all the same: "
        f"hindsight: {{{first.name if len(items) == 1 else first.source.id}: reason}}",
    )


def _reason(item: DatedInput, hindsight: Mapping[str, str]) -> tuple[str, str]:
    """Key and text of the reason that covers an input: that of its name, of its longest beginning at
    a dot, of its source; empty where there is none."""
    name = item.name
    while name:
        if name in hindsight:
            return name, hindsight[name]
        name = name.rpartition(".")[0]
    return (item.source.id, hindsight[item.source.id]) if item.source.id in hindsight else ("", "")


def _inputs(case: Case, catalogue: Catalogue) -> Iterator[DatedInput]:
    """Every input of a case that has a source of its own."""
    for number in named(case.numbers).values():
        if number.source != CASE_SOURCE:
            yield _dated(number.name, number.source, number.known)
    for load in case.loads:
        if load.model is not None:
            yield from _of_facts(f"models.{load.model.name}", load.model.name, catalogue,
                                 MODEL_FIELDS)
        if load.request is not None and load.traced is not None:
            facts = catalogue.rows.get(load.request.source, ())
            source = facts[0].source if facts else Source("trace", load.request.source, "", "")
            yield DatedInput(
                name=f"loads.{load.name}.trace", source=source,
                known=max([load.traced, *(fact.known for fact in facts)]))
    for chip in chips_of(case):
        yield from _of_facts(f"chips.{chip.name}", chip.name, catalogue, (
            *CHIP_FIELDS, *(f"peak_{precision}" for precision in chip.peak_flops)))
    for chip in {item.chip.name: item.chip for item in case.programmes}.values():
        yield from _of_making(chip, catalogue)
    for entity in (efficiency_entity(), ENGINE):
        yield from _of_facts("performance", entity, catalogue)


def _of_making(chip: Chip, catalogue: Catalogue) -> Iterator[DatedInput]:
    """Process, memory and packaging from which the cost of a programme's chip is worked out."""
    for topic, entity in (
        ("nodes", chip.node), ("memory", chip.memory_type), ("packaging", chip.packaging),
    ):
        if entity:
            yield from _of_facts(f"{topic}.{entity}", entity, catalogue)


def _of_facts(
    name: str, entity: str, catalogue: Catalogue, fields: Iterable[str] | None = None
) -> Iterator[DatedInput]:
    """Newest visible number of each field of an entity; none where the catalogue lacks the
    entity."""
    if entity not in catalogue.rows:
        return
    newest: dict[str, Fact] = {}
    for fact in sorted(catalogue.facts_of(entity), key=lambda fact: (fact.known, fact.period)):
        if isinstance(fact.value, float) and (fields is None or fact.field in fields):
            newest[fact.field] = fact
    for field, fact in newest.items():
        yield _dated(f"{name}.{field}", fact.source, fact.known)


def _dated(name: str, source: Source, known: dt.date | None) -> DatedInput:
    """An input with the day of its source; one in the case's own words may state it there."""
    published = source.published
    if published is None and source.id == CASE_SOURCE.id and (stated := _DAY.search(source.title)):
        published = dt.date.fromisoformat(stated[0])
    return DatedInput(
        name=name, source=source,
        known=None if published is None else max(published, known or published))
