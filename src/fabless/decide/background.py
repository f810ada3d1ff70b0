"""What a decision rests on beside the numbers of its case: chips, models, request shapes, limits,
efficiencies.

They are not drawn; the report lists them with their sources, so that a reader can trace every
number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fabless.case_records import CASE_SOURCE, Case, CaseNumber, Load, chips_of
from fabless.catalogue import Catalogue
from fabless.catalogue.case.leaks import MODEL_FIELDS, leaks
from fabless.catalogue.facts.entities import ENGINE, efficiency_entity, range_of
from fabless.programme import PseudoCounts, credible_band
from fabless.records import Chip, Fact, Grade, Range, Source

CHIP_FIELDS = {"memory_capacity": "memory_bytes", "memory_bandwidth": "memory_bandwidth",
               "scale_up_bandwidth": "scale_up_bandwidth", "tdp": "tdp_w"}
CHIP_UNITS = {
    "memory_capacity": "GB", "memory_bandwidth": "TB/s", "scale_up_bandwidth": "GB/s", "tdp": "W",
}


def background(case: Case, catalogue: Catalogue) -> tuple[CaseNumber, ...]:
    """Every number behind the decision that the case does not state as a range."""
    numbers = [number for chip in chips_of(case) for number in _chip(chip, catalogue)]
    numbers += [number for load in case.loads for number in _load(load, case, catalogue)]
    numbers += [
        _of_fact(f"performance.{fact.field}", fact)
        for name in (efficiency_entity(), ENGINE)
        for fact in catalogue.facts_of(name)
    ]
    return tuple({number.name: number for number in numbers}.values())


def programme_ends(case: Case, filled: Case) -> tuple[CaseNumber, ...]:
    """Chance that each programme ends before volume, with its 90 % band, out of the counts it has
    in the `filled` case."""
    stated = {item.name: item.ended is not None for item in case.programmes}
    known = Source("programmes", f"chip programmes known on {case.as_of}", "", "")
    numbers = []
    for programme in filled.programmes:
        if programme.ended is None or programme.gates:
            continue
        band = credible_band(PseudoCounts(*programme.ended))
        numbers.append(
            CaseNumber(
                name=f"programmes.{programme.name}.ended",
                spread=Range(band.low, band.mean, band.high),
                unit="1",
                grade=Grade.ASSUMPTION if stated[programme.name] else Grade.DERIVED,
                source=CASE_SOURCE if stated[programme.name] else known,
                note="chance that it ends before volume; P5, mean and P95 of a rate that few cases tell",
                known=case.as_of,
            )
        )
    return tuple(numbers)


def in_hindsight(
    case: Case, catalogue: Catalogue, numbers: Sequence[CaseNumber]
) -> tuple[CaseNumber, ...]:
    """The numbers, with the reason of the case in the note of each that its day could not know."""
    reasons = {item.name: item.reason for item in leaks(case, catalogue) if item.reason}
    return tuple(
        replace(number, note="; ".join(filter(None, (
            number.note, f"in hindsight: {reasons[number.name]}"))))
        if number.name in reasons else number
        for number in numbers
    )


def _of_fact(name: str, fact: Fact) -> CaseNumber:
    spread = range_of(fact)
    assert spread is not None
    return CaseNumber(
        name=name, spread=spread, unit=fact.unit, grade=fact.grade, source=fact.source,
        note=fact.note, known=fact.known,
    )


def _chip(chip: Chip, catalogue: Catalogue) -> Iterator[CaseNumber]:
    """Specification of a chip: from the catalogue, or as the case states it."""
    if chip.name in catalogue.chips():
        facts = {fact.field: fact for fact in catalogue.facts_of(chip.name)}
        for field in (*CHIP_FIELDS, *(f"peak_{precision}" for precision in chip.peak_flops)):
            if field in facts:
                yield _of_fact(f"chips.{chip.name}.{field}", facts[field])
        return
    stated = {
        field: (getattr(chip, name), CHIP_UNITS[field]) for field, name in CHIP_FIELDS.items()
    }
    stated |= {
        f"peak_{precision}": (rate, "TFLOP/s") for precision, rate in chip.peak_flops.items()
    }
    for field, (value, unit) in stated.items():
        yield CaseNumber(
            name=f"chips.{chip.name}.{field}", spread=Range.point(value), unit=unit,
            grade=Grade.ASSUMPTION, source=CASE_SOURCE, note="specification stated in the case",
        )


def _load(load: Load, case: Case, catalogue: Catalogue) -> Iterator[CaseNumber]:
    """Model, request shape and latency limits of a load."""
    if load.model is None or load.request is None:
        return
    if load.model.name in catalogue.models():
        facts = {fact.field: fact for fact in catalogue.facts_of(load.model.name)}
        for field in MODEL_FIELDS:
            if field in facts:
                yield _of_fact(f"models.{load.model.name}.{field}", facts[field])
    source, note = _shape(load.request.source, case, catalogue)
    for key, tokens in (
        ("input_tokens", load.request.input_tokens), ("output_tokens", load.request.output_tokens),
    ):
        yield CaseNumber(
            name=f"loads.{load.name}.{key}", spread=Range.point(tokens), unit="token",
            grade=Grade.DERIVED, source=source, note=note,
        )
    for key, limit_s in (("tpot", load.tpot_limit_s), ("ttft", load.ttft_limit_s)):
        if limit_s is not None:
            yield CaseNumber(
                name=f"loads.{load.name}.{key}", spread=Range.point(limit_s), unit="s",
                grade=Grade.ASSUMPTION, source=CASE_SOURCE, note="latency limit stated in the case",
            )


def _shape(name: str, case: Case, catalogue: Catalogue) -> tuple[Source, str]:
    """Source of a request shape, and a note where it became public after the as-of date."""
    if name not in catalogue.rows:
        return Source("case", name or CASE_SOURCE.title, "", ""), "mean of the requests"
    fact = catalogue.rows[name][0]
    late = (
        f"; public since {fact.known}, taken for the shape of a request only"
        if fact.known > case.as_of
        else ""
    )
    return fact.source, f"mean of the trace {name}{late}"


