"""A chip as the performance model sees it: rates and widths at given number formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from fabless.errors import BadValue, Fault
from fabless.perf.efficiency import Calibration, Efficiency, Engine
from fabless.records import Chip
from fabless.workload import Number, element_bytes

_UNITS: Mapping[str, str] = MappingProxyType({"nvfp4": "fp4", "mxfp4": "fp4", "mxfp8": "fp8"})
"""Format of storage -> the units that multiply it."""
_FALLBACK: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "fp4": ("fp8", "int8", "bf16", "fp16", "fp32"),
    "int4": ("bf16", "fp16", "fp32"),
    "fp6": ("fp8", "bf16", "fp16", "fp32"),
    "fp8": ("int8", "bf16", "fp16", "fp32"),
    "int8": ("fp8", "bf16", "fp16", "fp32"),
    "bf16": ("fp16", "fp32", "fp8"),
    "fp16": ("bf16", "fp32", "fp8"),
    "tf32": ("fp32",),
    "fp32": (),
})


@dataclass(frozen=True)
class Formats:
    """Number formats of a served model."""

    weights: str
    """Format of the weights of dense layers and of products with them."""
    kv: str
    experts: str = ""
    """Format of the routed experts; empty: that of `weights`."""
    activations: str = "bf16"

    @property
    def routed(self) -> str:
        """Format of routed experts."""
        return self.experts or self.weights


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One chip at given number formats; a field may be an array over designs or chips."""

    peak_flops: Number
    """Peak rate of products with dense weights [FLOP/s]."""
    expert_flops: Number
    """Peak rate of products with the weights of routed experts [FLOP/s]."""
    attention_flops: Number
    """Peak rate of attention and the output head, in 16 bits if the chip can [FLOP/s]."""
    memory_bytes: Number
    memory_bandwidth: Number
    scale_up_bandwidth: Number
    scale_up_domain: Number
    scale_out_bandwidth: Number
    tdp_w: Number
    weight_bytes: Number
    expert_bytes: Number
    activation_bytes: Number
    kv_bytes: Number
    compute: Number
    """Share of `peak_flops` that large products reach [share]."""
    expert_compute: Number
    head_compute: Number
    efficiency: Efficiency
    engine: Engine

    def ideal(self) -> Machine:
        """This machine without any loss: the physical lower bound on time."""
        return replace(
            self, compute=1.0, expert_compute=1.0, head_compute=1.0, efficiency=Efficiency.ideal(),
            engine=Engine.ideal(),
        )


def usable_precision(chip: Chip, wanted: str) -> tuple[str, str]:
    """Return the precision whose units multiply `wanted` on `chip`, and a sentence if it differs.

    Numbers stay in memory in the format asked for; where the chip has no units for it they are
    widened on the way, as engines do with narrow weights. Raises `BadValue` when the chip has none
    of the formats that could serve.
    """
    element_bytes(wanted)
    units = _UNITS.get(wanted, wanted)
    for candidate in (units, *_FALLBACK[units]):
        if chip.peak_flops.get(candidate, 0.0) > 0.0:
            said = "" if candidate == units else f"{chip.name} has no {units} units: {wanted} is multiplied in {candidate}"
            return candidate, said
    raise BadValue(
        Fault(
            f"{chip.name}.peak_flops", f"none of {', '.join((units, *_FALLBACK[units]))}",
            ", ".join(sorted(chip.peak_flops)) or "at least one precision",
            "ask for a precision that the chip has",
        )
    )


def _share(efficiency: Efficiency, precision: str) -> float:
    width = element_bytes(precision)
    return (efficiency.compute_16bit if width >= 2.0 else efficiency.compute_8bit if width >= 0.75
            else efficiency.compute_4bit)


def machine_of(
    chip: Chip, formats: Formats, calibration: Calibration
) -> tuple[Machine, tuple[str, ...]]:
    """A chip at given number formats, with a sentence per format that it multiplies in another."""
    efficiency = calibration.efficiency
    dense, said = usable_precision(chip, formats.weights)
    routed, routed_said = usable_precision(chip, formats.routed)
    wide = next((name for name in ("bf16", "fp16") if chip.peak_flops.get(name, 0.0) > 0.0), dense)
    machine = Machine(
        peak_flops=chip.peak_flops[dense], expert_flops=chip.peak_flops[routed],
        attention_flops=chip.peak_flops[wide], memory_bytes=chip.memory_bytes,
        memory_bandwidth=chip.memory_bandwidth, scale_up_bandwidth=chip.scale_up_bandwidth,
        scale_up_domain=float(chip.scale_up_domain), scale_out_bandwidth=chip.scale_out_bandwidth,
        tdp_w=chip.tdp_w, weight_bytes=element_bytes(formats.weights),
        expert_bytes=element_bytes(formats.routed),
        activation_bytes=element_bytes(formats.activations), kv_bytes=element_bytes(formats.kv),
        compute=_share(efficiency, dense), expert_compute=_share(efficiency, routed),
        head_compute=_share(efficiency, wide), efficiency=efficiency, engine=calibration.engine,
    )
    return machine, tuple(dict.fromkeys(note for note in (said, routed_said) if note))

