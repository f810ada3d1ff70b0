"""Rows of operators and collectives -> predictions, by the laws of isolated kernels.

Parameters of a kernel on a chip: those of the chip's class (`Chip.efficiency`), with what was fitted on the chip itself in
their place; where no chip of its class was fitted, the mean over the classes that were, said in a
note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from fabless.catalogue.facts.store import Catalogue
from fabless.errors import FablessError
from fabless.perf.machine import usable_precision
from fabless.records import Array, Chip
from fabless.validate import kernel_laws
from fabless.validate.measurement import Kernel, KernelOp, Measurement
from fabless.validate.prediction import Prediction
from fabless.workload import Number, element_bytes

_GENERIC = "gpu"
_JUDGED = frozenset({"error_median", "error_p90", "left_out_error_median", "measured_to_model"})
"""Fields that state the error of a fit and are not its parameters."""
_LIBRARIES = ("nccl", "trtllm", "vllm", "sglang")
_LATENT_SHAPE = ("heads", "latent", "rope")
_Form = Literal["bf16", "fp8", "fp8_block", "fp8_bare", "nvfp4"]
_LawT = TypeVar("_LawT", bound=kernel_laws.Law)


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What rows must share to be predicted in one call."""

    chip: str
    op: KernelOp
    precision: str
    written: str
    kv_precision: str
    weight_only: bool
    library: str
    power: bool


@dataclass(frozen=True)
class _Timed:
    """Predictions of many rows of one shape: time [s], FLOP and bytes, power [W]."""

    time_s: Array
    flop: Array
    moved_bytes: Array
    power_w: Array | None
    notes: tuple[str, ...]


class _Refused(Exception):
    """Why rows of a shape cannot be predicted: 'kind: detail'."""


class _Fits:
    """Fitted parameters as the day of the catalogue sees them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.entities = frozenset(catalogue.entities("kernels"))

    def values(self, entity: str) -> dict[str, float]:
        if entity not in self.entities:
            return {}
        return {fact.field: float(fact.value) for fact in self.catalogue.facts_of(entity)
                if isinstance(fact.value, float) and fact.field not in _JUDGED}

    def named(self, chip: Chip, kernel: str) -> tuple[dict[str, float], tuple[str, ...]]:
        """Parameters of a kernel on a chip, and a sentence where they are those of other
        classes."""
        of_chip, of_class = (
            self.values(f"{chip.name}.{kernel}"), self.values(f"{chip.efficiency}.{kernel}"),
        )
        if of_class:
            return of_class | of_chip, ()
        if generic := self.values(f"{_GENERIC}.{kernel}"):
            return generic | of_chip, (
                f"{kernel} was fitted on no chip of the class of {chip.name}: mean of other classes",
            )
        raise _Refused(
            f"nothing fitted: {kernel}"
            + (f" by {self.catalogue.as_of}" if self.catalogue.as_of else "")
        )

    def law(self, chip: Chip, kernel: str, law: type[_LawT]) -> tuple[_LawT, tuple[str, ...]]:
        values, notes = self.named(chip, kernel)
        return law.of(values, f"{chip.name}.{kernel}"), notes


def _product_form(shape: _Shape) -> _Form:
    """Fitted form of a product. A precision written with how it is scaled, ``fp8 (1x128)``, is the
    product alone; without, the inputs are narrowed in the measured time."""
    width = element_bytes(shape.precision)
    if width >= 2.0 or shape.weight_only:
        return "bf16"
    if width < 0.75:
        return "nvfp4"
    if "(" in shape.written:
        return "fp8_bare"
    return "fp8_block" if "block" in shape.written else "fp8"


def _column(kernels: Sequence[Kernel], name: str, missing: float = np.nan) -> Array:
    cells = [getattr(kernel, name) for kernel in kernels]
    return np.array([missing if cell is None else cell for cell in cells], dtype=float)


def _product(shape: _Shape, kernels: Sequence[Kernel], chip: Chip, fits: _Fits) -> _Timed:
    form = _product_form(shape)
    stored = {"nvfp4": "nvfp4", "mxfp4": "mxfp4"}.get(shape.written, shape.precision)
    multiplied = "bf16" if form == "bf16" and element_bytes(shape.precision) < 2.0 else stored
    units, said = usable_precision(chip, multiplied)
    if form != "bf16" and element_bytes(units) >= 2.0:
        form = "bf16"
    fit, notes = fits.law(chip, f"gemm.{form}", kernel_laws.Product)
    m, n, k = (_column(kernels, name) for name in ("m", "n", "k"))
    weights = element_bytes(stored)
    inputs = weights if form != "bf16" else max(2.0, weights)
    peak, flop = chip.peak_flops[units], 2.0 * m * n * k
    moved = kernel_laws.product_bytes(m, n, k, inputs, weights)
    time = kernel_laws.product_time(
        m, n, k, fit=fit, peak_flops=peak, bandwidth=chip.memory_bandwidth, element_bytes=inputs,
        weight_bytes=weights)
    power = None
    if shape.power:
        draw, drawn = fits.law(chip, f"power.{form}", kernel_laws.Power)
        notes += tuple(f"power: {note}" for note in drawn if chip.efficiency is None)
        power = kernel_laws.power_draw(
            flop / peak / time, moved / chip.memory_bandwidth / time, draw, chip.tdp_w
        )
    said_of = (said,) if said else ()
    return _timed(time, flop, moved, (*notes, *said_of), power)


def _timed(
    time: object, flop: object, moved: object, notes: tuple[str, ...], power: object = None
) -> _Timed:
    def array(value: object) -> Array:
        return np.asarray(value, dtype=float)

    return _Timed(
        array(time), array(flop), array(moved), None if power is None else array(power), notes
    )


def _prefill(shape: _Shape, kernels: Sequence[Kernel], chip: Chip, fits: _Fits) -> _Timed:
    narrow = element_bytes(shape.precision or "bf16") < 2.0
    units, said = usable_precision(chip, shape.precision if narrow else "bf16")
    form = "fp8" if element_bytes(units) < 2.0 else "bf16"
    fit, notes = fits.law(chip, f"attention_prefill.{form}", kernel_laws.AttentionPrefill)
    batch, tokens, heads, kv_heads, size = _heads(kernels)
    context, kv = _column(kernels, "context", 0.0), element_bytes(shape.kv_precision or "bf16")
    time = kernel_laws.attention_prefill_time(
        batch, tokens, heads, kv_heads=kv_heads, head_dim=size, fit=fit,
        peak_flops=chip.peak_flops[units], bandwidth=chip.memory_bandwidth, context=context,
        kv_bytes=kv,
    )
    moved = batch * size * (4.0 * tokens * heads + 2.0 * kv * (tokens + context) * kv_heads)
    flop = kernel_laws.prefill_flop(batch, tokens, heads, size, context)
    return _timed(time, flop, moved, (*notes, *((said,) if said else ())))


def _heads(kernels: Sequence[Kernel]) -> tuple[Array, Array, Array, Array, Array]:
    batch, tokens, heads, kv_heads, size = (
        _column(kernels, name) for name in ("batch", "tokens", "heads", "kv_heads", "head_dim"))
    return batch, tokens, heads, kv_heads, size


def _decode(shape: _Shape, kernels: Sequence[Kernel], chip: Chip, fits: _Fits) -> _Timed:
    kv = element_bytes(shape.kv_precision or "bf16")
    fit, notes = fits.law(
        chip, f"attention_decode.{'fp8' if kv < 2.0 else 'bf16'}", kernel_laws.AttentionDecode
    )
    batch, _, heads, kv_heads, size = _heads(kernels)
    flop, moved = kernel_laws.decode_work(
        batch, _column(kernels, "context"), heads, kv_heads=kv_heads, head_dim=size, kv_bytes=kv)
    return _read(flop, moved, fit, chip, notes)


def _latent(shape: _Shape, kernels: Sequence[Kernel], chip: Chip, fits: _Fits) -> _Timed:
    values, notes = fits.named(chip, "attention_decode.latent")
    heads, latent, rope = (values.pop(name) for name in _LATENT_SHAPE)
    fit = kernel_laws.AttentionDecode.of(values)
    flop, moved = kernel_laws.latent_work(
        _column(kernels, "batch"), _column(kernels, "context"), _column(kernels, "heads", heads),
        latent=latent, rope=rope, kv_bytes=element_bytes(shape.kv_precision or "bf16"),
    )
    if any(kernel.heads is None for kernel in kernels):
        notes += (f"heads not stated: {heads:g}, over a latent cache of {latent:g} + {rope:g}",)
    return _read(flop, moved, fit, chip, notes)


def _read(
    flop: Number, moved: Number, fit: kernel_laws.AttentionDecode, chip: Chip,
    notes: tuple[str, ...],
) -> _Timed:
    units, said = usable_precision(chip, "bf16")
    time = kernel_laws.attention_decode_time(
        flop, moved, fit, chip.peak_flops[units], chip.memory_bandwidth)
    return _timed(time, flop, moved, (*notes, *((said,) if said else ())))


def _collective(
    shape: _Shape, kernels: Sequence[Kernel], chips: Array, chip: Chip, fits: _Fits
) -> _Timed:
    name = "all_to_all" if shape.op == "all_to_all" else shape.library
    fit, notes = fits.law(chip, f"collective.{name}", kernel_laws.Collective)
    reduces = shape.op == "all_reduce"
    message, passes = _column(kernels, "message_bytes"), 2.0 if reduces else 1.0
    time = kernel_laws.collective_time(message, chips, fit, chip.scale_up_bandwidth, passes=passes,
                                    rounds=2.0 if reduces and name == "nccl" else 1.0)
    if np.any(chips > chip.scale_up_domain):
        notes += (
            f"between domains: taken as one, the domain of {chip.name} has {chip.scale_up_domain} chips",
        )
    return _timed(time, np.zeros(len(chips)), passes * (chips - 1.0) / chips * message, notes)


_LAWS: Mapping[KernelOp, Callable[[_Shape, Sequence[Kernel], Chip, _Fits], _Timed]] = {
    "gemm": _product, "attention prefill": _prefill, "attention decode": _decode,
    "attention decode mla": _latent,
}
_COLLECTIVES = frozenset({"all_reduce", "all_gather", "reduce_scatter", "all_to_all"})


def _library(measurement: Measurement, kernel: Kernel) -> str:
    """Fitted family of a collective: launched from Python, else by its library, else as NCCL's."""
    if kernel.graph is False or kernel.library.casefold().endswith("eager"):
        return "eager"
    names = (kernel.library.casefold(), measurement.engine.casefold())
    return next(
        (library for name in names for library in _LIBRARIES if name.startswith(library)), "nccl"
    )


def _shape(measurement: Measurement, kernel: Kernel) -> _Shape:
    collective = kernel.op in _COLLECTIVES
    return _Shape(
        chip=measurement.chip, op=kernel.op, precision=kernel.precision, written=kernel.written,
        kv_precision=kernel.kv_precision,
        weight_only=measurement.weight_only or kernel.written.endswith("_wo"),
        library=_library(measurement, kernel) if collective else "",
        power=measurement.quantity == "power per chip",
    )


def _value(measurement: Measurement, timed: _Timed, index: int) -> float | None:
    """The quantity of a row."""
    time = float(timed.time_s[index])
    if measurement.quantity == "kernel time":
        return time
    if measurement.quantity == "kernel flops":
        return float(timed.flop[index]) / time
    if measurement.quantity in ("kernel bandwidth", "bus bandwidth"):
        return float(timed.moved_bytes[index]) / time
    if measurement.quantity == "power per chip" and timed.power_w is not None:
        return float(timed.power_w[index])
    return None


def _group(shape: _Shape, rows: Sequence[Measurement], fits: _Fits) -> list[Prediction]:
    kernels = [m.kernel for m in rows if m.kernel is not None]
    try:
        chip = fits.catalogue.chip(shape.chip)
        if shape.op in _LAWS:
            timed = _LAWS[shape.op](shape, kernels, chip, fits)
        elif shape.op in _COLLECTIVES:
            timed = _collective(
                shape, kernels, np.array([m.chips or 1 for m in rows], dtype=float), chip, fits
            )
        else:
            raise _Refused(f"operator not predicted: {shape.op}")
    except _Refused as refused:
        return [Prediction(None, str(refused))] * len(rows)
    except FablessError as error:
        return [
            Prediction(None, f"refused: {error.faults[0].place}: {error.faults[0].found}")
        ] * len(rows)
    values = [_value(m, timed, index) for index, m in enumerate(rows)]
    return [
        Prediction(None, f"metric not predicted: {m.metric}")
        if value is None
        else Prediction(None, "not stated: a number that this kernel needs")
        if not np.isfinite(value)
        else Prediction(value, "", timed.notes)
        for m, value in zip(rows, values, strict=True)
    ]


def predict_kernel_rows(
    measurements: Sequence[Measurement], catalogue: Catalogue
) -> list[Prediction]:
    """Predict many rows of operators and collectives, in their order, all rows of one kind on one
    chip in one call."""
    fits = _Fits(catalogue)
    groups: dict[_Shape, list[int]] = {}
    answers = [Prediction(None, "not stated: shape of the kernel")] * len(measurements)
    for index, measurement in enumerate(measurements):
        if measurement.kernel is not None:
            groups.setdefault(_shape(measurement, measurement.kernel), []).append(index)
    for shape, members in groups.items():
        for index, answer in zip(
            members, _group(shape, [measurements[index] for index in members], fits), strict=True
        ):
            answers[index] = answer
    return answers


def kernel(measurement: Measurement, catalogue: Catalogue) -> Prediction:
    """Predict the time, rate, bandwidth or power of one operator or collective; never raises for
    what a row says.

    Many rows at once are predicted faster by `predict_kernel_rows`.
    """
    return predict_kernel_rows((measurement,), catalogue)[0]
