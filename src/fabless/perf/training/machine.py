"""A chip as the training model sees it: rates and widths at one precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fabless.errors import BadValue, Fault, unknown
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.records import Chip
from fabless.workload import Number, element_bytes

PRECISIONS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "bf16": ("bf16", 16.0), "fp16": ("fp16", 16.0), "fp8": ("fp8", 8.0), "mxfp8": ("fp8", 8.0),
        "nvfp4": ("fp4", 4.0),
    }
)
"""Precision of training -> (peak that its matrix products run at, bits)."""


@dataclass(frozen=True, kw_only=True)
class TrainingMachine:
    """Rates of one chip at the precision of a run; a field may be an array over chips."""

    peak_flops: Number
    """Peak rate of matrix products with weights [FLOP/s]."""
    peak_16bit: Number
    """Peak rate of attention and of the output head [FLOP/s]."""
    compute: Number
    """Share of `peak_flops` that large products sustain [1]."""
    operand_bytes: Number
    """Width of the operands of matrix products [B]."""
    memory_bytes: Number
    memory_bandwidth: Number
    scale_up_bandwidth: Number
    scale_up_domain: Number
    scale_out_bandwidth: Number
    tdp_w: Number


def training_machine(chip: Chip, precision: str, efficiency: TrainingEfficiency) -> TrainingMachine:
    """A chip at a training precision; raises `BadValue` if the chip has no units for it."""
    if precision not in PRECISIONS:
        raise unknown("precision", precision, list(PRECISIONS))
    peak, bits = PRECISIONS[precision]
    has = {name for name in chip.peak_flops if chip.peak_flops[name] > 0.0}
    sixteen = next((name for name in ("bf16", "fp16") if name in has), None)
    used = sixteen if bits == 16.0 else peak
    faults = []
    if used not in has:
        usable = [name for name, (needs, _) in PRECISIONS.items() if needs in has]
        faults.append(
            Fault(
                f"{chip.name}: precision", f"{precision}: the chip has no {peak} rate",
                ", ".join(usable) or "none: the chip cannot train",
                "ask for a precision that the chip has",
            )
        )
    if sixteen is None:
        faults.append(
            Fault(
                f"{chip.name}: peak_flops",
                "no 16-bit rate, which attention and the output head need", "bf16 or fp16",
                "take another chip",
            )
        )
    if faults or used is None or sixteen is None:
        raise BadValue(*faults)
    compute = {16.0: efficiency.compute_16bit, 8.0: efficiency.compute_8bit, 4.0: efficiency.compute_4bit}[bits]
    return TrainingMachine(
        peak_flops=chip.peak_flops[used], peak_16bit=chip.peak_flops[sixteen], compute=compute,
        operand_bytes=element_bytes(precision if bits < 16.0 else "bf16"),
        memory_bytes=chip.memory_bytes, memory_bandwidth=chip.memory_bandwidth,
        scale_up_bandwidth=chip.scale_up_bandwidth, scale_up_domain=float(chip.scale_up_domain),
        scale_out_bandwidth=chip.scale_out_bandwidth, tdp_w=chip.tdp_w,
    )
