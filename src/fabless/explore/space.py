"""The space of designs: lists of values whose combinations are the designs, numbered so that any
slice can be made.

No array of the whole space is ever made: a design's number says which value it takes on every axis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from fabless.catalogue import DATA
from fabless.catalogue.facts.text import read_text
from fabless.catalogue.files.yaml import Document, read_document
from fabless.errors import BadValue, FablessError, Fault, nearest_names
from fabless.silicon.evaluate import Designs
from fabless.units import quantity

WIDTHS = {"bf16": 16, "fp8": 8, "fp4": 4}
"""Narrowest format of a design -> its bits."""
_QUANTITIES = {
    "clock": "GHz", "on_chip_memory": "MB", "stack_capacity": "GB", "link_bandwidth": "GB/s",
}
_COUNTS = ("dies", "units", "rows", "columns", "stacks")
_TEXTS = ("node", "packaging")
_SCALARS = {"power_limit": "W", "scale_out": "Gb/s"}
AXES = (
    "memory", "dies", "units", "rows", "columns", "clock", "precision", "on_chip_memory", "stacks",
    "stack_capacity", "link_bandwidth",
)
"""Axes, the slowest first: all designs of one kind of memory lie side by side."""
_KEYS = (*_TEXTS, *_SCALARS, "domain", *AXES)


@dataclass(frozen=True, kw_only=True)
class Space:
    """A space of designs, in SI."""

    node: str
    packaging: str
    power_limit_w: float
    scale_out_bandwidth: float
    domain: int
    memory: tuple[str, ...]
    dies: tuple[float, ...]
    units: tuple[float, ...]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    clock: tuple[float, ...]
    precision: tuple[float, ...]
    """Bits of the narrowest format."""
    on_chip_memory: tuple[float, ...]
    stacks: tuple[float, ...]
    stack_capacity: tuple[float, ...]
    link_bandwidth: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values on each axis."""
        return tuple(len(getattr(self, name)) for name in AXES)

    @property
    def size(self) -> int:
        """Number of designs."""
        return math.prod(self.shape)

    @property
    def of_one_memory(self) -> int:
        """Number of designs of one kind of memory."""
        return self.size // len(self.memory)

    def designs(self, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Designs:
        """The designs with the given numbers, as columns; their kind of memory is ``number //
        of_one_memory``."""
        places = np.unravel_index(numbers, self.shape)
        value = {name: np.asarray(getattr(self, name), dtype=float)[place]
                 for name, place in zip(AXES[1:], places[1:], strict=True)}
        return Designs(
            units=value["units"], rows=value["rows"], columns=value["columns"],
            clock_hz=value["clock"], sram_bytes=value["on_chip_memory"], stacks=value["stacks"],
            stack_bytes=value["stack_capacity"], dies=value["dies"],
            link_bandwidth=value["link_bandwidth"], width=value["precision"],
        )

    def chunks(self, most: int) -> list[tuple[int, int]]:
        """Ranges of numbers that cover the space, none longer than `most` or across two kinds of
        memory."""
        each = self.of_one_memory
        return [(start, min(start + most, base + each)) for base in range(0, self.size, each)
                for start in range(base, base + each, most)]

    def described(self) -> dict[str, object]:
        """The space as plain data, for a digest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class _SpaceReader:
    """Takes axes out of a document and collects what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def fault(self, key: str, found: str, allowed: str, remedy: str) -> None:
        self.faults.append(Fault(self.document.at(key), found, allowed, remedy))

    def values(self, key: str) -> list[object]:
        """The list of an axis; a single value is a list of one."""
        given = self.document.fields.get(key)
        values = list(given) if isinstance(given, list) else [given]
        if given is None or not values:
            self.fault(
                key, "no value", "one value or more",
                "a space with no point: give the axis at least one value",
            )
            return []
        if len(set(map(str, values))) < len(values):
            self.fault(key, f"{given}", "each value once", "take the repeated value out")
        return values

    def amount(self, key: str, value: object, unit: str) -> float:
        try:
            number = quantity(str(value), unit, self.document.at(key))
        except FablessError as error:
            self.faults += error.faults
            return math.nan
        if not 0.0 < number < math.inf:
            self.fault(
                key, f"{value}", f"a quantity above 0, such as '1 {unit}'", "correct the number"
            )
        return number

    def whole(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.fault(key, f"{value!r}", "a whole number of 1 or more", "correct the number")
            return math.nan
        return float(value)

    def width(self, key: str, value: object) -> float:
        if str(value) not in WIDTHS:
            close = nearest_names(str(value), WIDTHS)
            self.fault(
                key, f"{value!r}", ", ".join(WIDTHS),
                f"did you mean {' or '.join(close)}?" if close else "use these",
            )
            return math.nan
        return float(WIDTHS[str(value)])


def space_of(document: Document, changes: Mapping[str, object] | None = None) -> Space:
    """Build a space from a document; `changes` replace its fields. Raises `BadValue` with every
    fault."""
    document = Document(document.place, {**document.fields, **(changes or {})}, document.lines)
    take = _SpaceReader(document)
    for key in document.fields:
        if key not in _KEYS:
            close = nearest_names(str(key), _KEYS)
            take.fault(str(key), "unknown field", ", ".join(_KEYS),
                       f"did you mean {' or '.join(close)}?" if close else "remove it")
    missing = [key for key in (*_TEXTS, *_SCALARS, "domain") if document.fields.get(key) is None]
    for key in missing:
        take.fault(key, "missing", "a value", "add the field, as in the default space")
    axes: dict[str, tuple[float, ...]] = {}
    for key, unit in _QUANTITIES.items():
        axes[key] = tuple(take.amount(key, value, unit) for value in take.values(key))
    for key in _COUNTS:
        axes[key] = tuple(take.whole(key, value) for value in take.values(key))
    axes["precision"] = tuple(take.width("precision", value) for value in take.values("precision"))
    memory = tuple(str(value) for value in take.values("memory"))
    scalars = {
        key: take.amount(key, document.fields[key], unit)
        for key, unit in _SCALARS.items()
        if key not in missing
    }
    domain = (
        take.whole("domain", document.fields["domain"]) if "domain" not in missing else math.nan
    )
    if take.faults:
        raise BadValue(*take.faults)
    return Space(
        node=str(document.fields["node"]), packaging=str(document.fields["packaging"]),
        power_limit_w=scalars["power_limit"], scale_out_bandwidth=scalars["scale_out"],
        domain=int(domain), memory=memory, **axes,
    )


def read_space(path: Path | None = None, changes: Mapping[str, object] | None = None) -> Space:
    """Read a space from a YAML file (None: the shipped one); `BadFile` and `BadValue` with every
    fault."""
    place = DATA / "spaces" / "default.yaml" if path is None else path
    return space_of(
        read_document(read_text(place), "default space" if path is None else str(path)), changes
    )
