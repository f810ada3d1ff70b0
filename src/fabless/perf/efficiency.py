"""The few physical numbers by which kernels and engines fall short of a chip's data sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType

import numpy as np

from fabless.errors import BadValue, Fault


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """Shares of the data sheet that kernels of a class of chips reach, and their fixed times."""

    compute_16bit: float
    """Share of the dense peak that large matrix products reach in 16 or more bits [1]."""
    compute_8bit: float
    """Share of the dense peak that large matrix products reach in 8 bits [1]."""
    compute_4bit: float
    """Share of the dense peak that large matrix products reach in 4 bits [1]."""
    bandwidth: float
    """Share of memory bandwidth that matrix products reach [1]."""
    depth_s: float
    """Time of one step of a product along its inner dimension, if nothing else limits it [s]."""
    quantise_bytes: float
    """Memory traffic per input of a product in 8 or fewer bits, which is narrowed first [B]."""
    launch_s: float
    """Fixed time of a matrix product when engines replay a captured graph [s]."""
    compute_attention: float
    """Share of the 16-bit peak that the attention product reaches in prefill [1]."""
    attention_depth_s: float
    """Attention time that each new prompt token adds, if nothing else limits it [s]."""
    bandwidth_attention: float
    """Share of memory bandwidth at which attention reads a long cache [1]."""
    launch_attention_s: float
    """Fixed time of an attention kernel [s]."""
    attention_ramp: float
    """Ramp of attention: r in t = t0 + x + r sqrt(t0 x), t0 fixed time, x work [1]."""
    bandwidth_elementwise: float
    """Share of memory bandwidth in norms, activations and other element-wise kernels [1]."""
    launch_elementwise_s: float
    """Fixed time of an element-wise kernel [s]."""
    collective_ramp: float
    """Ramp of collectives: r in t = t0 + x + r sqrt(t0 x), t0 fixed time, x work [1]."""
    link: float
    """Share of link bandwidth that large collectives reach [1]."""
    collective_s: float
    """Fixed time of a collective of two chips inside the scale-up domain [s]."""
    collective_chip_s: float
    """Time that each chip beyond the second adds to a collective [s]."""
    scale_out_latency_s: float
    """Fixed time of a collective or message between domains [s]."""
    idle_power: float
    """Power of a chip that waits, as a share of its design power [1]."""
    compute_power: float
    """Power added at full use of the peak, as a share of design power, which caps the sum [1]."""
    memory_power: float
    """Power added at full use of memory bandwidth, as a share of design power [1]."""

    def __post_init__(self) -> None:
        check_bounds("efficiency", self, _BOUNDS)

    @classmethod
    def ideal(cls) -> Efficiency:
        """Make the record of a machine that loses nothing: the physical floor."""
        ones = {field.name: 1.0 for field in fields(cls)}
        lost = ("quantise_bytes", "attention_ramp", "collective_ramp", "idle_power")
        zero = [name for name in ones if name.endswith("_s") or name in lost]
        return cls(**{**ones, **dict.fromkeys(zero, 0.0)})

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Efficiency:
        """Make a record from named values in SI, reporting every missing and unknown name at
        once."""
        return cls(**values_by_field(cls, "efficiency", values))


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Time and memory that serving software spends besides the kernels."""

    host_step_s: float
    """Host time per step; it overlaps the chip's time, and the longer of the two counts [s]."""
    host_sequence_s: float
    """Host time per running sequence of an attention group: sampling, streaming [s]."""
    request_s: float
    """Time of a request outside the chip until its first token is sent [s]."""
    input_token_s: float
    """Time outside the chip per input token: reading, tokenising, sending [s]."""
    wait_steps: float
    """Mean number of steps that a request waits until a step takes its prompt [1]."""
    waiting: float
    """Requests that wait although memory has room, if clients keep the engine full [1]."""
    launch_factor: float
    """Fixed times of kernels under this engine over those of the class of chips [1]."""
    chunk_tokens: float
    """Largest number of prompt tokens in one step [token]."""
    mixed: float
    """1 if prompts and running sequences share a step, 0 if prompts have their own steps [1]."""
    padding: float
    """1 if fixed shapes make attention read the cache of whole requests, else 0 [1]."""
    memory_share: float
    """Share of memory available to weights and cache [1]."""
    imbalance: float
    """Load of the fullest expert group over the mean, minus 1, with many tokens per group [1]."""

    def __post_init__(self) -> None:
        check_bounds("engine", self, _ENGINE_BOUNDS)

    @classmethod
    def ideal(cls) -> Engine:
        """Make the record of an engine that costs nothing."""
        factors = dict.fromkeys(("launch_factor", "mixed", "memory_share"), 1.0)
        return cls(**{field.name: 0.0 for field in fields(cls)} | factors | {"chunk_tokens": 1e18})

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Engine:
        """Make a record from named values in SI, reporting every missing and unknown name at
        once."""
        return cls(**values_by_field(cls, "engine", values))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Efficiencies that the performance model uses for a chip, and their origin."""

    efficiency: Efficiency
    engine: Engine
    name: str
    """Class of the efficiencies."""
    said: str
    """Sentence that says why the chip has this class."""
    error_median: float
    """Median absolute error of the time of an output token against measurements on chips of the
    class [share]."""
    error_p90: float
    """Error that 90 % of the measurements stay under [share]."""


def error_band(value: float, error: float) -> tuple[float, float]:
    """Where a measurement lies when the prediction `value` is off by up to `error` of it, either
    way.

    >>> low, high = error_band(1.0, 0.25)
    >>> low, round(high, 3)
    (0.8, 1.333)
    """
    return value / (1.0 + error), value / (1.0 - error) if error < 1.0 else math.inf


def values_by_field(kind: type, place: str, values: Mapping[str, float]) -> dict[str, float]:
    """Values by field name; raises `BadValue` with every missing and unknown name at once.

    A field with a default may be missing.
    """
    known = {field.name: field.default is MISSING for field in fields(kind)}
    faults = [Fault(f"{place}.{name}", "missing", "a number", "add this field")
              for name, needed in known.items() if needed and name not in values]
    faults += [
        Fault(f"{place}.{name}", "unknown field", ", ".join(known), "remove or rename this field")
        for name in values
        if name not in known
    ]
    if faults:
        raise BadValue(*faults)
    return dict(values)


def check_bounds(place: str, record: object, bounds: Mapping[str, tuple[float, float, str]]) -> None:
    """Raise `BadValue` with every field of a record that lies outside its bounds."""
    faults = [
        Fault(
            f"{place}.{name}", f"{getattr(record, name)}", allowed,
            "give a value inside these bounds",
        )
        for name, (low, high, allowed) in bounds.items()
        if not np.all(
            (low <= np.asarray(getattr(record, name))) & (np.asarray(getattr(record, name)) <= high)
        )
    ]
    if faults:
        raise BadValue(*faults)


_SHARE = (1e-6, 1.0, "above 0, at most 1")
_TIME = (0.0, 1.0, "0 to 1 s")
_POWER = (0.0, 10.0, "0 to 10")
_BOUNDS: Mapping[str, tuple[float, float, str]] = MappingProxyType({
    **{field.name: _TIME if field.name.endswith("_s") else _SHARE for field in fields(Efficiency)},
    "quantise_bytes": (0.0, 100.0, "0 to 100 bytes"),
    "attention_ramp": (0.0, 10.0, "0 to 10"), "collective_ramp": (0.0, 10.0, "0 to 10"),
    "idle_power": (0.0, 1.0, "0 to 1"), "compute_power": _POWER, "memory_power": _POWER,
})
_ENGINE_BOUNDS: Mapping[str, tuple[float, float, str]] = MappingProxyType({
    **{field.name: _TIME for field in fields(Engine) if field.name.endswith("_s")},
    "wait_steps": (0.0, 1000.0, "0 to 1,000"), "waiting": (0.0, 1000.0, "0 to 1,000"),
    "launch_factor": (0.0, math.inf, "0 or more"), "chunk_tokens": (1.0, math.inf, "1 or more"),
    "mixed": (0.0, 1.0, "0 to 1"), "padding": (0.0, 1.0, "0 to 1"), "memory_share": _SHARE,
    "imbalance": (0.0, 100.0, "0 to 100"),
})
