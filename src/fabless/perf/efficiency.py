"""The few physical numbers that separate a machine's data sheet from what engines get out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from fabless.errors import BadValue, Fault


@dataclass(frozen=True)
class Efficiency:
    """How near real engines come to the data sheet; one record serves every chip."""

    compute_16bit: float
    """Share of the dense peak that large matrix products reach in 16 or more bits [1]."""
    compute_8bit: float
    """The same in 8 or fewer bits [1]."""
    compute_attention: float
    """The same for the attention product [1]."""
    bandwidth: float
    """Share of memory bandwidth that streaming reads reach [1]."""
    sharpness: float
    """Exponent p with which compute and memory time join: ``(c^p + m^p)^(1/p)``; infinite: the larger alone."""
    launch_s: float
    """Time that each kernel costs beyond its work [s]."""
    step_s: float
    """Time of the host for each forward pass [s]."""
    sequence_s: float
    """Time of the host for each sequence in a forward pass [s]."""
    scale_up_latency_s: float
    """Fixed time of a collective inside the scale-up domain [s]."""
    scale_out_latency_s: float
    """Fixed time of a collective or message between domains [s]."""
    link: float
    """Share of link bandwidth that collectives reach [1]."""
    memory_overhead: float
    """Share of memory that weights and cache cannot have: workspace, runtime, fragments [1]."""
    prefill_tokens: float
    """Tokens that a scheduler packs into one prefill pass."""
    idle_power: float
    """Power of a chip that waits, as a share of its design power [1]."""
    compute_power: float
    """Power added at full use of the peak, as a share of design power; the sum is capped at 1 [1]."""
    memory_power: float
    """Power added at full use of memory bandwidth, as a share of design power [1]."""

    def __post_init__(self) -> None:
        faults = [Fault(f"efficiency.{name}", f"{getattr(self, name):g}", allowed, "give a value inside these bounds")
                  for name, (low, high, allowed) in _BOUNDS.items() if not low <= getattr(self, name) <= high]
        if faults:
            raise BadValue(*faults)

    @classmethod
    def ideal(cls) -> Efficiency:
        """Make the record of a machine that loses nothing: the physical floor."""
        return cls(compute_16bit=1.0, compute_8bit=1.0, compute_attention=1.0, bandwidth=1.0, sharpness=math.inf,
                   launch_s=0.0, step_s=0.0, sequence_s=0.0, scale_up_latency_s=0.0, scale_out_latency_s=0.0,
                   link=1.0, memory_overhead=0.0, prefill_tokens=1e18, idle_power=0.0, compute_power=1.0,
                   memory_power=1.0)

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Efficiency:
        """Make a record from named values in SI, reporting every missing and unknown name at once."""
        known = [field.name for field in fields(cls)]
        faults = [Fault(f"efficiency.{name}", "missing", "a number", "add this field") for name in known
                  if name not in values]
        faults += [Fault(f"efficiency.{name}", "unknown field", ", ".join(known), "remove or rename this field")
                   for name in values if name not in known]
        if faults:
            raise BadValue(*faults)
        return cls(**values)

    def without_overheads(self) -> Efficiency:
        """Copy this record with every fixed time at zero."""
        return replace(self, launch_s=0.0, step_s=0.0, sequence_s=0.0, scale_up_latency_s=0.0,
                       scale_out_latency_s=0.0)


_SHARE = (1e-6, 1.0, "above 0, at most 1")
_TIME = (0.0, 1.0, "0 to 1 s")
_POWER = (0.0, 10.0, "0 to 10")
_BOUNDS: Mapping[str, tuple[float, float, str]] = MappingProxyType({
    "compute_16bit": _SHARE, "compute_8bit": _SHARE, "compute_attention": _SHARE, "bandwidth": _SHARE, "link": _SHARE,
    "sharpness": (1.0, math.inf, "1 or more"),
    "launch_s": _TIME, "step_s": _TIME, "sequence_s": _TIME, "scale_up_latency_s": _TIME, "scale_out_latency_s": _TIME,
    "memory_overhead": (0.0, 0.9, "0 to 0.9"), "prefill_tokens": (1.0, math.inf, "1 or more"),
    "idle_power": (0.0, 1.0, "0 to 1"), "compute_power": _POWER, "memory_power": _POWER,
})
