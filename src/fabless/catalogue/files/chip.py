"""Chips of the user's own, as YAML with quantities such as ``3.35 TB/s``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import yaml

from fabless.catalogue.facts.text import read_text
from fabless.catalogue.files.yaml import read_document
from fabless.errors import BadValue, FablessError, Fault, nearest_names
from fabless.records import Architecture, Chip, LogicDie
from fabless.units import from_si, quantity

PRECISIONS = ("fp64", "fp64_tensor", "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4")
_QUANTITIES = {"memory_capacity": "GB", "memory_bandwidth": "TB/s", "scale_up_bandwidth": "GB/s",
               "scale_out_bandwidth": "Gb/s", "tdp": "W"}
_TEXTS = ("title", "vendor", "node", "memory_type", "packaging", "kind", "efficiency")
_COUNTS = ("scale_up_domain", "hbm_stacks")
_DATES = ("announced", "available")
_REQUIRED = ("name", "peak", *_QUANTITIES, "scale_up_domain")
_SILICON = {
    "clock": "GHz", "on_chip_memory": "MB", "vector_fp32": "TFLOP/s", "vector_fp64": "TFLOP/s",
    "interposer_area": "mm2",
}
_DIE_KEYS = ("area", "count", "node", "units", "units_needed")
_ALLOWED = (*_REQUIRED, *_TEXTS, "hbm_stacks", "die_area", *_DATES, *_SILICON, "memory_sites", "dies")


class _ChipReader:
    """Takes fields out of a mapping and collects what is wrong with them."""

    def __init__(self, fields: Mapping[str, object], place: str) -> None:
        self.fields, self.place = fields, place
        self.faults: list[Fault] = []

    def fault(self, key: str, found: str, allowed: str, remedy: str) -> None:
        self.faults.append(Fault(f"{self.place}: {key}", found, allowed, remedy))

    def keys(self) -> None:
        for key in self.fields:
            if key not in _ALLOWED:
                close = nearest_names(str(key), _ALLOWED)
                self.fault(str(key), "unknown field", ", ".join(_ALLOWED),
                           f"did you mean {' or '.join(close)}?" if close else "remove it")
        for key in _REQUIRED:
            if key not in self.fields:
                self.fault(key, "missing", "a value", "add the field; `fabless show h100-sxm` shows one of each")

    def amount(self, key: str, value: object, unit: str) -> float:
        """A positive quantity in SI; nan with a fault when it is none."""
        try:
            number = quantity(str(value), unit, f"{self.place}: {key}")
        except FablessError as error:
            self.faults += error.faults
            return float("nan")
        except ValueError:
            self.fault(
                key, f"{value!r} is not a number with a unit",
                f"a number and a unit, such as '1 {unit}'", "write one number, then its unit",
            )
            return float("nan")
        if number <= 0:
            self.fault(key, f"{value}", "a positive quantity", "give the value of the specification")
        return number

    def peak(self) -> dict[str, float]:
        rates = self.fields.get("peak", {})
        if not isinstance(rates, Mapping) or (not rates and "peak" in self.fields):
            self.fault("peak", f"{rates!r}", "a mapping such as {bf16: 989 TFLOP/s}",
                       "give at least one dense rate by precision")
            return {}
        for precision in rates:
            if precision not in PRECISIONS:
                close = nearest_names(str(precision), PRECISIONS)
                self.fault(f"peak.{precision}", "unknown precision", ", ".join(PRECISIONS),
                           f"did you mean {' or '.join(close)}?" if close else "use one of these")
        return {str(precision): self.amount(f"peak.{precision}", rate, "TFLOP/s")
                for precision, rate in rates.items() if precision in PRECISIONS}

    def count(self, key: str) -> int | None:
        value = self.fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.fault(key, f"{value!r}", "a whole number of 1 or more", "write for example 8")
            return None
        return value

    def areas(self) -> tuple[float, ...]:
        value = self.fields.get("die_area", [])
        return tuple(self.amount("die_area", area, "mm2") for area in (value if isinstance(value, list) else [value]))

    def dies(self) -> tuple[LogicDie, ...]:
        """The kinds of die of `dies`, a list of mappings."""
        value = self.fields.get("dies", [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self.fault("dies", f"{value!r}", "a list of mappings such as {area: 814 mm2, count: 1}",
                       "write one line with a dash for each kind of die")
            return ()
        return tuple(self._die(item, f"dies.{k}") for k, item in enumerate(value))

    def _die(self, section: Mapping[str, object], key: str) -> LogicDie:
        for name in section:
            if name not in _DIE_KEYS:
                close = nearest_names(str(name), _DIE_KEYS)
                self.fault(f"{key}.{name}", "unknown field", ", ".join(_DIE_KEYS),
                           f"did you mean {' or '.join(close)}?" if close else "remove it")
        inner = _ChipReader(section, f"{self.place}: {key}")
        area = inner.amount("area", section["area"], "mm2") if "area" in section else None
        count, units = inner.count("count") or 1, inner.count("units") or 1
        needed = inner.count("units_needed") or units
        if needed > units:
            inner.fault("units_needed", f"{needed} of {units} units", f"at most {units}", "correct one of the two")
        self.faults += inner.faults
        return LogicDie(area, count, inner.text("node"), units, needed)

    def text(self, key: str) -> str | None:
        value = self.fields.get(key)
        return None if value is None else str(value)

    def day(self, key: str) -> dt.date | None:
        value = self.fields.get(key)
        if value is not None and not isinstance(value, dt.date):
            self.fault(key, f"{value!r}", "YYYY-MM-DD", "write for example 2023-10-31")
            return None
        return value


def chip_from_mapping(fields: Mapping[str, object], place: str) -> Chip:
    """Build a chip from the fields of a chip file.

    Fields: name, peak (precision -> dense FLOP/s), memory_capacity, memory_bandwidth,
    scale_up_bandwidth and scale_out_bandwidth (one way), scale_up_domain, tdp; optionally title (its
    name for people), vendor, node, die_area, hbm_stacks, memory_type, packaging, kind, efficiency (a class of efficiencies,
    or a chip whose class it takes), announced, available; for its silicon clock, on_chip_memory
    (caches, scratchpads and registers as built), vector_fp32, vector_fp64, memory_sites,
    interposer_area, and dies (area, count, node, units, units_needed) where there are several kinds
    or some units may fail. Raises `BadValue` with every fault.
    """
    take = _ChipReader(fields, place)
    take.keys()
    peak = take.peak()
    sizes = {key: take.amount(key, fields[key], unit) for key, unit in _QUANTITIES.items() if key in fields}
    silicon = {key: take.amount(key, fields[key], unit) for key, unit in _SILICON.items() if key in fields}
    counts = {key: take.count(key) for key in (*_COUNTS, "memory_sites")}
    areas, dies = take.areas(), take.dies()
    if areas and dies:
        take.fault("die_area", "given beside dies", "die_area or dies", "leave one of the two out")
    days = {key: take.day(key) for key in _DATES}
    if take.faults:
        raise BadValue(*take.faults)
    return Chip(
        name=str(fields["name"]), vendor=take.text("vendor") or "", peak_flops=peak,
        memory_bytes=sizes["memory_capacity"], memory_bandwidth=sizes["memory_bandwidth"],
        scale_up_bandwidth=sizes["scale_up_bandwidth"],
        scale_up_domain=counts["scale_up_domain"] or 1,
        scale_out_bandwidth=sizes["scale_out_bandwidth"], tdp_w=sizes["tdp"],
        node=take.text("node"),
        die_area_m2=areas
        or tuple(die.area_m2 for die in dies for _ in range(die.count) if die.area_m2 is not None),
        hbm_stacks=counts["hbm_stacks"],
        memory_type=take.text("memory_type"),
        packaging=take.text("packaging"),
        kind=take.text("kind") or "hypothetical",
        announced=days["announced"],
        available=days["available"],
        efficiency=take.text("efficiency"),
        title=take.text("title") or "",
        architecture=Architecture(
            dies=dies, clock_hz=silicon.get("clock"), on_chip_bytes=silicon.get("on_chip_memory"),
            vector_flops=silicon.get("vector_fp32"), wide_flops=silicon.get("vector_fp64"),
            memory_sites=counts["memory_sites"], interposer_area_m2=silicon.get("interposer_area"),
        ),
    )


def read_chip(path: Path) -> Chip:
    """Read a chip file (YAML); `BadFile` when it is missing or no mapping, `BadValue` with all
    faults of its fields."""
    return chip_from_mapping(read_document(read_text(path), str(path)).fields, str(path))


def _written(value: float, unit: str) -> str:
    return f"{from_si(value, unit):.12g} {unit}"


def _written_die(die: LogicDie) -> dict[str, object]:
    fields = {
        "area": None if die.area_m2 is None else _written(die.area_m2, "mm2"), "count": die.count,
        "node": die.node, "units": die.units, "units_needed": die.units_needed,
    }
    return {key: value for key, value in fields.items() if value is not None}


def chip_fields(chip: Chip) -> dict[str, object]:
    """Fields of a chip file that say all of a chip; `chip_from_mapping` reads them back."""
    built = chip.architecture
    silicon = {
        "clock": built.clock_hz, "on_chip_memory": built.on_chip_bytes,
        "vector_fp32": built.vector_flops, "vector_fp64": built.wide_flops,
        "interposer_area": built.interposer_area_m2,
    }
    fields: dict[str, object] = {
        "name": chip.name,
        "title": chip.title or None,
        "vendor": chip.vendor,
        "kind": chip.kind,
        "peak": {
            precision: _written(rate, "TFLOP/s") for precision, rate in chip.peak_flops.items()
        },
        "memory_capacity": _written(chip.memory_bytes, "GB"),
        "memory_bandwidth": _written(chip.memory_bandwidth, "TB/s"),
        "scale_up_bandwidth": _written(chip.scale_up_bandwidth, "GB/s"),
        "scale_up_domain": chip.scale_up_domain,
        "scale_out_bandwidth": _written(chip.scale_out_bandwidth, "Gb/s"),
        "tdp": _written(chip.tdp_w, "W"),
        "node": chip.node,
        "die_area": None
        if built.dies
        else [_written(area, "mm2") for area in chip.die_area_m2] or None,
        "dies": [_written_die(die) for die in built.dies] or None,
        **{
            key: None if value is None else _written(value, _SILICON[key])
            for key, value in silicon.items()
        },
        "memory_sites": built.memory_sites,
        "hbm_stacks": chip.hbm_stacks,
        "memory_type": chip.memory_type,
        "packaging": chip.packaging,
        "announced": chip.announced,
        "available": chip.available,
        "efficiency": chip.efficiency,
    }
    return {key: value for key, value in fields.items() if value is not None}


def write_chip(chip: Chip, path: Path) -> None:
    """Write a chip as a chip file that `read_chip` reads back."""
    path.write_text(yaml.safe_dump(chip_fields(chip), sort_keys=False), encoding="utf-8")
