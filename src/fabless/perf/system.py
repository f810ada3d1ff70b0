"""A chip as the performance model sees it: rates at one precision, in arrays if need be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fabless.errors import BadValue, Fault
from fabless.records import Chip
from fabless.workload import Number, element_bytes

_FALLBACK: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "fp4": ("fp8", "int8", "bf16", "fp16", "fp32"),
    "fp8": ("int8", "bf16", "fp16", "fp32"),
    "int8": ("fp8", "bf16", "fp16", "fp32"),
    "bf16": ("fp16", "fp32"),
    "fp16": ("bf16", "fp32"),
    "tf32": ("fp32",),
    "fp32": (),
})


@dataclass(frozen=True)
class System:
    """Rates of one chip at the precision in use; every field may be an array, one element a design."""

    peak_flops: Number
    """Of matrix products with weights [FLOP/s]."""
    attention_flops: Number
    """Of the attention product, in 16 bits where the chip has them [FLOP/s]."""
    memory_bytes: Number
    memory_bandwidth: Number
    scale_up_bandwidth: Number
    scale_up_domain: Number
    scale_out_bandwidth: Number
    tdp_w: Number
    low_precision: bool
    """True where weights multiply in 8 or fewer bits."""


def usable_precision(chip: Chip, wanted: str) -> tuple[str, str]:
    """Return the precision that `chip` computes `wanted` in, and a sentence when it is another one.

    The order is the nearest narrower-or-equal cost first: fp4, fp8, int8, bf16, fp16, fp32. Raises `BadValue` when the
    chip has none of them.
    """
    element_bytes(wanted)
    for candidate in (wanted, *_FALLBACK[wanted]):
        if chip.peak_flops.get(candidate, 0.0) > 0.0:
            said = "" if candidate == wanted else f"{chip.name} has no {wanted}: {candidate} is used instead"
            return candidate, said
    raise BadValue(Fault(f"{chip.name}.peak_flops", f"none of {', '.join((wanted, *_FALLBACK[wanted]))}",
                         ", ".join(sorted(chip.peak_flops)) or "at least one precision",
                         "ask for a precision that the chip has"))


def system_of(chip: Chip, precision: str) -> System:
    """Read a chip at a precision it has (see `usable_precision`)."""
    width = element_bytes(precision)
    attention = next((chip.peak_flops[name] for name in ("bf16", "fp16") if chip.peak_flops.get(name, 0.0) > 0.0),
                     chip.peak_flops[precision])
    return System(
        peak_flops=chip.peak_flops[precision], attention_flops=attention, memory_bytes=chip.memory_bytes,
        memory_bandwidth=chip.memory_bandwidth, scale_up_bandwidth=chip.scale_up_bandwidth,
        scale_up_domain=float(chip.scale_up_domain), scale_out_bandwidth=chip.scale_out_bandwidth, tdp_w=chip.tdp_w,
        low_precision=width < 2.0,
    )
