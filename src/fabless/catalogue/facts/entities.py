"""Facts become records: chips, language models, process nodes, memory and packaging.

Only a chip may inherit: where a source is silent about power, links or domain, the value of the
entity `STAND_IN` (topic ``rules``) is used and the chip says so in `Chip.assumed`. Rates, memory
size and bandwidth are never inherited.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields

from fabless.errors import BadValue, Fault
from fabless.records import LLM, Architecture, Chip, Fact, LogicDie, MemoryType, Packaging, ProcessNode, Range
from fabless.units import from_si

STAND_IN = "stand-in-chip"
"""Entity whose fields a chip inherits where its own sources are silent."""

EFFICIENCY = "default"
"""Class of efficiencies for a chip of unknown class and vendor."""
CLASS_PREFIX = "perf-"
"""Prefix of the entity of a class of efficiencies."""
ENGINE = "engine-default"
"""Entity of the facts on the default serving software."""

Facts = Mapping[str, Fact]
"""Field -> fact, of one entity."""

_PEAK = "peak_"
_SIXTEEN_BIT_SHARE = (("bf16", 1.0), ("fp16", 1.0), ("fp8", 0.5), ("int8", 0.5), ("fp4", 0.25))
"""Precision and the 16-bit rate over its own, by width; the first that a chip has estimates its
power, nothing else."""


def efficiency_entity(name: str = EFFICIENCY) -> str:
    """Entity of the facts of a class of efficiencies."""
    return CLASS_PREFIX + name


def _number(facts: Facts, field: str) -> float | None:
    fact = facts.get(field)
    return fact.value if fact is not None and isinstance(fact.value, float) else None


def _text(facts: Facts, field: str) -> str | None:
    fact = facts.get(field)
    return fact.value if fact is not None and isinstance(fact.value, str) else None


def _day(facts: Facts, field: str) -> dt.date | None:
    fact = facts.get(field)
    return fact.value if fact is not None and isinstance(fact.value, dt.date) else None


def range_of(fact: Fact) -> Range | None:
    """A fact as low / mode / high, a point where it has no band; None for text and dates."""
    if not isinstance(fact.value, float):
        return None
    return Range(fact.value if fact.low is None else fact.low, fact.value,
                 fact.value if fact.high is None else fact.high)


def _range(facts: Facts, field: str) -> Range | None:
    return range_of(facts[field]) if field in facts else None


def _ranges(kind: str, name: str, facts: Facts, *wanted: str) -> tuple[Range, ...]:
    """Ranges of fields that a record cannot do without; `BadValue` names every one that no fact
    gives."""
    ranges = {field: _range(facts, field) for field in wanted}
    lacking = [field for field, spread in ranges.items() if spread is None]
    if lacking:
        raise _missing(kind, name, lacking)
    return tuple(spread for spread in ranges.values() if spread is not None)


def _missing(kind: str, name: str, lacking: list[str]) -> BadValue:
    return BadValue(Fault(f"{kind} {name}", f"no visible fact gives {', '.join(lacking)}",
                          "a fact for each of these fields",
                          f"choose another {kind}, or give the {kind} in a file of your own"))


class _Inheritance:
    """Takes a field from the chip, else from the stand-in with a sentence about it."""

    def __init__(self, own: Facts, stand_in: Facts, name: str) -> None:
        self.own, self.stand_in, self.name = own, stand_in, name
        self.assumed: list[str] = []

    def number(self, field: str, stand_in_field: str, unit: str, times: float = 1.0, how: str = "") -> float:
        value = _number(self.own, field)
        if value is not None:
            return value
        fact = self.stand_in.get(stand_in_field)
        if fact is None or not isinstance(fact.value, float):
            raise _missing("chip", self.name, [field])
        value = fact.value * times
        self.assumed.append(
            f"{field}: no source; {from_si(value, unit):g} {unit}{how} taken from {STAND_IN} "
            f"({fact.grade}: {fact.note})"
        )
        return value


def _sixteen_bit_rate(peak: Mapping[str, float]) -> float:
    for precision, share in _SIXTEEN_BIT_SHARE:
        if precision in peak:
            return peak[precision] * share
    return max(peak.values())


def chip_from_facts(name: str, facts: Facts, stand_in: Facts) -> Chip:
    """Build an accelerator.

    Raises `BadValue` naming each of rate, memory size and memory bandwidth that no fact gives.
    """
    peak = {field.removeprefix(_PEAK): fact.value for field, fact in facts.items()
            if field.startswith(_PEAK) and isinstance(fact.value, float)}
    memory_bytes, bandwidth = _number(facts, "memory_capacity"), _number(facts, "memory_bandwidth")
    if not peak or memory_bytes is None or bandwidth is None:
        raise _missing(
            "chip", name,
            [
                field
                for field, given in (
                    ("peak_bf16 (or another dense peak)", peak), ("memory_capacity", memory_bytes),
                    ("memory_bandwidth", bandwidth),
                )
                if not given
            ],
        )
    take = _Inheritance(facts, stand_in, name)
    card = _number(facts, "scale_up_bandwidth") is None
    built = architecture_from_facts(facts)
    stacks = _number(facts, "hbm_stacks")
    return Chip(
        name=name,
        vendor=_text(facts, "vendor") or "",
        peak_flops=peak,
        memory_bytes=memory_bytes,
        memory_bandwidth=bandwidth,
        scale_up_bandwidth=take.number("scale_up_bandwidth", "host_link_bandwidth", "GB/s"),
        scale_up_domain=int(
            take.number("scale_up_domain", "card_domain" if card else "module_domain", "chip")
        ),
        scale_out_bandwidth=take.number("scale_out_bandwidth", "scale_out_bandwidth", "GB/s"),
        tdp_w=take.number(
            "tdp", "energy_per_flop", "W", _sixteen_bit_rate(peak), " at its 16-bit rate"
        ),
        node=_text(facts, "node"),
        die_area_m2=tuple(
            die.area_m2 for die in built.dies for _ in range(die.count) if die.area_m2 is not None
        ),
        hbm_stacks=None if stacks is None else int(stacks),
        memory_type=_text(facts, "memory_type"),
        packaging=_text(facts, "packaging"),
        kind=_text(facts, "kind") or "merchant",
        announced=_day(facts, "announced"),
        available=_day(facts, "available"),
        efficiency=_text(facts, "efficiency"),
        assumed=tuple(take.assumed),
        architecture=built,
        title=_text(facts, "name") or "",
    )


_FLAGS = frozenset({"attention_gate", "gated_ffn", "tied_embeddings"})
_MODEL_NUMBERS = tuple(field for field in fields(LLM) if field.name not in ("name", "release", "note"))
_MODEL_NEEDS = tuple(field.name for field in _MODEL_NUMBERS if field.default is MISSING)
_REAL = frozenset({"global_layer_share", "params_published"})


def model_from_facts(name: str, facts: Facts) -> LLM:
    """Build a language model; `BadValue` names every dimension that no fact gives."""
    lacking = [field for field in _MODEL_NEEDS if field not in facts]
    if lacking:
        raise _missing("model", name, lacking)
    dimensions: dict[str, float | int | bool] = {}
    for field in _MODEL_NUMBERS:
        value = _number(facts, field.name)
        if value is not None:
            dimensions[field.name] = bool(value) if field.name in _FLAGS else value if field.name in _REAL else int(value)
    return LLM(name=name, release=_day(facts, "release"), note=_text(facts, "note") or "", **dimensions)  # type: ignore[arg-type]


def node_from_facts(name: str, facts: Facts) -> ProcessNode:
    """Build a logic process; `BadValue` names every field that it cannot do without and no fact
    gives."""
    price, defects, clustering = _ranges("process node", name, facts, "wafer_price", "defect_density", "clustering")
    return ProcessNode(
        name=name,
        wafer_price_usd=price,
        defect_density=defects,
        launch_defect_density=_number(facts, "launch_defect_density"),
        clustering=clustering,
        mask_set_usd=_range(facts, "mask_set"),
        design_cost_usd=_range(facts, "design_cost"),
        fab_s=_number(facts, "fab_time"),
        volume_start=_day(facts, "volume_start"),
        learning_s=_number(facts, "learning"),
        logic_density=_number(facts, "logic_density"),
        sram_density=_number(facts, "sram_density"),
        energy_scale=_number(facts, "energy_scale"),
        clock_hz=_number(facts, "clock"),
        fab_energy_per_m2=_number(facts, "fab_energy"),
        fab_gas_per_m2=_number(facts, "fab_gas"),
    )


def memory_from_facts(name: str, facts: Facts) -> MemoryType:
    """Build a generation of stacked memory; `BadValue` as for a process."""
    price, size, speed, area = _ranges(
        "memory type", name, facts, "price", "stack_capacity", "stack_bandwidth", "footprint")
    return MemoryType(
        name=name, price_usd_per_byte=price, stack_bytes=size.mode, stack_bandwidth=speed.mode,
        stack_area_m2=area.mode, stack_width_m=_number(facts, "stack_width"),
        interface_area_m2=_number(facts, "interface_area"),
        energy_per_byte=_number(facts, "energy"),
    )


def packaging_from_facts(name: str, facts: Facts) -> Packaging:
    """Build a packaging service; `BadValue` as for a process."""
    ratio, attach, coverage, substrate, test = _ranges(
        "packaging service", name, facts, "interposer_area_per_die_area", "attach_yield",
        "probe_coverage", "substrate_price", "test_price",
    )
    return Packaging(
        name=name, interposer_wafer_usd=_range(facts, "service_price"),
        interposer_area_per_die_area=ratio, attach_yield=attach, probe_coverage=coverage,
        substrate_usd=substrate, test_usd=test,
        interposer_limit_m2=_number(facts, "interposer_limit"),
    )


_DIE = re.compile(r"die\.(\d+)\.[a-z_]+")


def architecture_from_facts(facts: Facts) -> Architecture:
    """What is known of a chip's silicon; its dies are those of ``die.N``, else of
    ``die_area_N``."""
    numbers = sorted({int(match[1]) for field in facts if (match := _DIE.fullmatch(field))})
    units = int(_number(facts, "units") or 1)
    needed = int(_number(facts, "units_sold") or units)
    if numbers:
        dies = tuple(_logic_die(facts, f"die.{k}") for k in numbers)
    else:
        areas = [_number(facts, field) for field in sorted(facts) if field.startswith("die_area")]
        dies = tuple(LogicDie(area, 1, None, units, needed) for area in areas)
    sites = _number(facts, "memory_sites")
    return Architecture(
        dies=dies, clock_hz=_number(facts, "clock"), on_chip_bytes=_number(facts, "on_chip_memory"),
        vector_flops=_number(facts, "vector_fp32"), wide_flops=_number(facts, "vector_fp64"),
        memory_sites=None if sites is None else int(sites),
        interposer_area_m2=_number(facts, "interposer_area"),
    )


def _logic_die(facts: Facts, prefix: str) -> LogicDie:
    units = int(_number(facts, f"{prefix}.units") or 1)
    return LogicDie(
        area_m2=_number(facts, f"{prefix}.area"), count=int(_number(facts, f"{prefix}.count") or 1),
        node=_text(facts, f"{prefix}.node"), units=units,
        units_needed=int(_number(facts, f"{prefix}.units_needed") or units))
