"""The few physical numbers by which training falls short of a chip's data sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fabless.perf.efficiency import check_bounds, values_by_field


@dataclass(frozen=True, kw_only=True)
class TrainingEfficiency:
    """Shares of the data sheet that a chip and a training stack reach, and fixed times."""

    compute_16bit: float
    """Share of the dense peak that large matrix products sustain in 16 or more bits [1]."""
    compute_8bit: float
    """Share of the dense peak that large matrix products sustain in 8 bits [1]."""
    compute_4bit: float
    """Share of the dense peak that large matrix products sustain in 4 bits [1]."""
    attention: float
    """Share of the 16-bit peak that fused attention sustains on the pairs it must compute [1]."""
    grouped: float
    """Products of many experts at once: their share of what one large product reaches [1]."""
    bandwidth: float
    """Share of memory bandwidth that streams reach [1]."""
    launch_s: float
    """Time that each kernel costs beyond its work [s]."""
    attention_tile: float
    """Keys that fused attention computes at once: a causal row of s keys costs (s + tile) / 2
    [token]."""
    element_passes: float
    """Bytes of element-wise work over the least that fused kernels move [1]."""
    link: float
    """Share of link bandwidth that collectives reach [1]."""
    latency_s: float
    """Fixed time of a collective [s]."""
    hop_s: float
    """Time that a collective needs for each further domain in its ring [s]."""
    tensor_overlap: float
    """Share of tensor-parallel messages hidden behind compute [1]."""
    overlap: float
    """Share of other messages (data, context, expert, pipeline) hidden behind the compute they run
    beside [1]."""
    early_stop: float
    """Share of the last product of a replayed layer that the replay leaves out: 1 where it stops as
    soon as all that the backward pass needs is there [1]."""
    step_s: float
    """Time of the host for each step [s]."""
    expert_host_s: float
    """Time of the host to launch a mixture layer forward and backward; it shows where the chip is
    done sooner [s]."""
    host_bandwidth: float
    """Bytes of optimizer states that the host's memory moves for each chip [B/s]."""
    gradient_bytes: float
    """Width of the gradients that are kept and sent [B]."""
    memory_overhead: float
    """Share of memory that the model cannot have: runtime, communication buffers, fragments [1]."""

    def __post_init__(self) -> None:
        check_bounds("training efficiency", self, _BOUNDS)

    @classmethod
    def ideal(cls) -> TrainingEfficiency:
        """Make the record of a machine and a stack that lose nothing: the physical floor."""
        return cls(
            compute_16bit=1.0, compute_8bit=1.0, compute_4bit=1.0, attention=1.0, grouped=1.0,
            bandwidth=1.0, launch_s=0.0, attention_tile=0.0, element_passes=1.0, link=1.0,
            latency_s=0.0, hop_s=0.0, tensor_overlap=0.0, overlap=1.0, early_stop=0.0, step_s=0.0,
            expert_host_s=0.0, host_bandwidth=math.inf, gradient_bytes=2.0, memory_overhead=0.0,
        )

    @classmethod
    def of(cls, values: Mapping[str, float]) -> TrainingEfficiency:
        """Make a record from named values in SI, reporting every missing and unknown name at
        once."""
        return cls(**values_by_field(cls, "training efficiency", values))


_SHARE = (1e-6, 1.0, "above 0, at most 1")
_PART = (0.0, 1.0, "0 to 1")
_TIME = (0.0, 10.0, "0 to 10 s")
_BOUNDS: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "compute_16bit": _SHARE, "compute_8bit": _SHARE, "compute_4bit": _SHARE,
        "attention": _SHARE, "grouped": _SHARE, "bandwidth": _SHARE, "link": _SHARE,
        "launch_s": _TIME, "latency_s": _TIME, "hop_s": _TIME, "step_s": _TIME,
        "expert_host_s": _TIME, "host_bandwidth": (1.0, math.inf, "1 B/s or more"),
        "attention_tile": (0.0, 1e6, "0 or more"), "element_passes": (1.0, 100.0, "1 or more"),
        "tensor_overlap": _PART, "overlap": _PART, "early_stop": _PART,
        "gradient_bytes": (1.0, 4.0, "1 to 4 B"), "memory_overhead": (0.0, 0.9, "0 to 0.9"),
    }
)
