"""Cells of one row as numbers and names; what is wrong with one is kept as a reason that names line
and column."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fabless.errors import suggestion

_PRECISIONS: Mapping[str, str] = {
    "bf16": "bf16", "bfloat16": "bf16", "amp_bf16": "bf16", "bf16/fp16": "bf16", "bfloat": "bf16",
    "fp16": "fp16", "half": "fp16", "float16": "fp16", "fp32": "fp32", "float32": "fp32",
    "float": "fp32", "tf32": "tf32", "fp8": "fp8", "float8": "fp8", "amp_fp8": "fp8",
    "mxfp8": "fp8", "fp8_block": "fp8", "fp8_static": "fp8", "fp8_full": "fp8", "fp8-mx": "fp8",
    "fp8-cs": "fp8", "fp8-ds": "fp8", "fp8-sc": "fp8", "fp8-hybrid": "fp8", "e4m3": "fp8",
    "fp8_e4m3": "fp8", "fp8_e5m2": "fp8", "int8": "int8", "int8_wo": "int8", "w8a8": "int8",
    "a8w8": "int8", "fp4": "fp4", "nvfp4": "fp4", "mxfp4": "fp4", "w4a16_mxfp4": "fp4",
    "fp4+fp8": "fp4", "fp6": "fp6", "int4": "int4", "int4_wo": "int4", "uint4": "int4",
    "w4a16": "int4", "awq": "int4", "gptq": "int4",
}
"""Spelling -> precision; a spelling that is not here is a fault, never a guess."""
_WEIGHT_ONLY = frozenset({"int8_wo", "int4_wo", "w4a16", "w4a16_mxfp4", "uint4", "awq", "gptq"})


@dataclass(frozen=True)
class Precision:
    """A precision as written and as meant."""

    name: str = ""
    written: str = ""
    weight_only: bool = False


def precision(text: str) -> Precision | None:
    """Read a precision; None where the spelling is not known.

    What follows in brackets or after a space says how, not what: ``fp8 (unet)``, ``fp8
    tensorwise``; ``(weights)`` says that products are done in 16 bit.

    >>> precision("int8 (weights)"), precision("MXFP8").name, precision("fp9")
    (Precision(name='int8', written='int8 (weights)', weight_only=True), 'fp8', None)
    """
    word = re.split(r"[\s(,]", text.strip().casefold(), maxsplit=1)[0]
    if not word:
        return Precision()
    name = _PRECISIONS.get(word)
    if name is None:
        return None
    return Precision(name, text.strip(), word in _WEIGHT_ONLY or "(weights)" in text)


@dataclass
class Cells:
    """One row while it is read."""

    file: str
    line: int
    cells: Mapping[str, str]
    faults: list[str] = field(default_factory=list)
    """Reasons, 'kind: detail'; the first is the one that is told."""
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def fault(self, kind: str, column: str, detail: str) -> None:
        """Keep a reason why the row cannot be used."""
        self.faults.append(f"{kind}: {detail} ({self.file}:{self.line}, {column})")

    def number(self, column: str, least: float = 0.0, strictly: bool = True) -> float | None:
        """The number of a cell; None where it is empty, or, with a fault, where it is no number or
        too small."""
        text = self[column]
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < least or (strictly and value == least):
            self.fault(
                "bad cell", column,
                f"{text!r} is not a number {'above' if strictly else 'of at least'} {least:g}",
            )
            return None
        return value

    def count(self, column: str) -> int | None:
        """The whole positive number of a cell; None as `number`."""
        value = self.number(column)
        if value is None:
            return None
        if value != round(value):
            self.fault("bad cell", column, f"{self[column]!r} is not a whole number")
            return None
        return int(value)

    def precision(self, column: str) -> Precision:
        """The precision of a cell, with a fault where the spelling is not known."""
        read = precision(self[column])
        if read is None:
            self.fault(
                "bad cell", column,
                f"unknown precision {self[column]!r}, "
                f"{suggestion(self[column], _PRECISIONS, 'see the documentation')}",
            )
            return Precision()
        return read

    def required(self, *columns: str) -> None:
        """Add a fault for each of these cells that is empty."""
        for column in columns:
            if not self[column]:
                self.fault("bad cell", column, "is empty")

    @property
    def reason(self) -> str:
        """The first fault, or nothing."""
        return self.faults[0] if self.faults else ""
