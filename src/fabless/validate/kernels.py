"""Rows of operators and collectives -> measurements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import get_args

from fabless.catalogue.files.measured import Reading
from fabless.errors import suggestion
from fabless.validate.cells import Cells, precision
from fabless.validate.measurement import Kernel, KernelOp, Layout, Measurement, Quantity

OPERATORS_REQUIRED = (
    "id", "op", "chip", "n_chips", "precision", "m", "n", "k", "other_shape", "metric", "value",
    "unit",
)
OPERATORS_OPTIONAL = (
    "source_title", "source_url_or_repo_path", "date", "notes", "vendor", "source_class", "tier",
)
GEMM_REQUIRED = ("system", "framework", "dtype", "m", "n", "k", "latency_ms")
DECODE_REQUIRED = (
    "system", "framework", "batch_size", "kv_len", "num_heads", "num_key_value_heads", "head_dim",
    "attn_dtype", "kv_cache_dtype", "latency_ms",
)
PREFILL_REQUIRED = ("system", "framework", "batch_size", "isl", "step", *DECODE_REQUIRED[4:])
COLLECTIVES_REQUIRED = (
    "system", "library", "version", "kernel", "op", "dtype", "num_gpus", "message_elements",
    "latency_ms", "variant",
)
GEMM_POWER_REQUIRED = ("system", "dtype", "m", "n", "k", "latency_ms", "power_w")
GEMM_POWER_OPTIONAL = ("power_limit_w", "source")
KERNEL_OPTIONAL = ("source",)

_QUANTITIES: Mapping[tuple[str, str], tuple[Quantity, float]] = {
    ("time_ms", "ms"): ("kernel time", 1e-3), ("latency_us", "us"): ("kernel time", 1e-6),
    ("achieved_tflops", "TFLOP/s"): ("kernel flops", 1e12),
    ("achieved_tflops", "TFLOP/s per device"): ("other", 1e12),
    ("achieved_bandwidth", "GB/s"): ("kernel bandwidth", 1e9),
    ("bus_bandwidth", "GB/s"): ("bus bandwidth", 1e9), ("bandwidth", "GB/s"): ("other", 1e9),
    ("rdma_bandwidth", "GB/s"): ("other", 1e9),
    ("bottleneck_bandwidth", "GB/s RDMA"): ("other", 1e9),
    ("bottleneck_bandwidth", "GB/s NVLink"): ("other", 1e9),
}
"""(metric, unit) of operator rows -> quantity and factor to SI."""
_OPS: Mapping[str, KernelOp] = {
    "decode attention GQA": "attention decode", "decode attention MLA": "attention decode mla",
    "prefill causal attention GQA": "attention prefill", "all_reduce": "all_reduce"}
_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "int8": 1.0, "fp8": 1.0}
"""Width of a collective's element [byte]."""


def _shape(text: str) -> dict[str, float]:
    """Named numbers of the other_shape column."""
    return {name: float(number) for name, number in re.findall(r"(\w+)=([\d.]+)", text)}


def _kv(text: str) -> str:
    match = re.search(r"(\w+) KV|KV (\w+)", text)
    read = precision(match[1] or match[2]) if match else None
    return read.name if read else ""


def _operator(cells: Cells) -> Kernel:
    shape, op = _shape(cells["other_shape"]), cells["op"]
    name: KernelOp = "gemm" if op == "gemm" or op.startswith("gemm:") else _OPS.get(op, "other")
    read = cells.precision("precision") if name != "other" else None
    return Kernel(
        op=name, precision=read.name if read else "", written=cells["precision"],
        kv_precision=_kv(cells["precision"]), m=cells.number("m"), n=cells.number("n"),
        k=cells.number("k"), batch=shape.get("batch", shape.get("batch_size")),
        tokens=shape.get("isl"), context=shape.get("context", shape.get("kv_len")),
        heads=shape.get("q_heads"), kv_heads=shape.get("kv_heads"), head_dim=shape.get("head_dim"),
        message_bytes=shape.get("payload_bytes"),
    )


def _lacking(kernel: Kernel) -> str:
    """Name what a prediction needs and the row does not say."""
    needs = {"gemm": ("m", "n", "k", "precision"), "all_reduce": ("message_bytes",),
             "attention decode": ("batch", "context", "heads", "kv_heads", "head_dim"),
             "attention prefill": ("batch", "tokens", "heads", "kv_heads", "head_dim"),
             "attention decode mla": ("batch", "context")}.get(kernel.op, ())
    lacking = [name for name in needs if not getattr(kernel, name)]
    return f"not stated: {', '.join(lacking)} of the kernel" if lacking else ""


def read_operator(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of operators."""
    key = (cells["metric"], cells["unit"])
    if key not in _QUANTITIES:
        metrics = list(dict.fromkeys(name for name, _ in _QUANTITIES))
        column = "unit" if cells["metric"] in metrics else "metric"
        allowed = (
            [unit for name, unit in _QUANTITIES if name == cells["metric"]]
            if column == "unit"
            else metrics
        )
        cells.fault(
            f"unknown {column}", column,
            f"{cells[column]!r}, {suggestion(cells[column], allowed, 'known: ' + ', '.join(allowed))}",
        )
    quantity, scale = _QUANTITIES.get(key, ("other", 1.0))
    kernel = _operator(cells)
    value = cells.number("value")
    cells.required("id", "op", "chip", "value")
    part = "part" if re.match(r"0?\.\d", cells["n_chips"]) else ""
    chips = None if part else cells.count("n_chips")
    reason = cells.reason
    if not reason and kernel.op == "other":
        reason = f"operator not predicted: {cells['op']}"
    if not reason and part:
        reason = f"part of a chip: {cells['n_chips']}"
    if not reason and cells["chip"] == "unknown":
        reason = "no one chip: the row says 'unknown'"
    if not reason and quantity == "other":
        reason = f"metric not predicted: {cells['metric']}"
    return [
        Measurement(
            id=cells["id"], file=cells.file, line=cells.line, layout="operators", model="",
            chip=cells["chip"], metric=cells["metric"],
            value=None if value is None else value * scale, scale=scale, quantity=quantity,
            phase="kernel", scenario="kernel", vendor=cells["vendor"], chips=chips,
            precision=kernel.precision, precision_written=kernel.written,
            kv_precision=kernel.kv_precision, tier=cells["tier"], kernel=kernel,
            notes=tuple(cells.notes), source=cells["source_title"], comment=cells["notes"],
            reason=reason or _lacking(kernel),
        )
    ]


def _timed(
    cells: Cells, layout: Layout, kernel: Kernel, chips: int, engine: str
) -> list[Measurement]:
    cells.required("system", "latency_ms")
    value = cells.number("latency_ms")
    return [
        Measurement(
            id=f"{PurePath(cells.file).name.partition('.')[0]}:{cells.line}", file=cells.file,
            line=cells.line, layout=layout, model="", chip=cells["system"], metric="latency_ms",
            value=None if value is None else value * 1e-3, scale=1e-3, quantity="kernel time",
            phase="kernel", scenario="kernel", chips=chips, precision=kernel.precision,
            precision_written=kernel.written, kv_precision=kernel.kv_precision,
            engine=engine.partition("/")[0], engine_version=engine.partition("/")[2], kernel=kernel,
            source=cells["source"], reason=cells.reason or _lacking(kernel),
        )
    ]


def read_gemm(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the matrix-product tables."""
    kind = cells.precision("dtype")
    kernel = Kernel(
        op="gemm", precision=kind.name, written=kind.written, kv_precision="", m=cells.number("m"),
        n=cells.number("n"), k=cells.number("k"))
    return _timed(cells, "gemm", kernel, 1, cells["framework"])


def read_gemm_power(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the matrix products with their power: time and mean watts, two
    measurements."""
    kind = cells.precision("dtype")
    kernel = Kernel(
        op="gemm", precision=kind.name, written=kind.written, kv_precision="", m=cells.number("m"),
        n=cells.number("n"), k=cells.number("k"))
    watts = cells.number("power_w")
    cells.required("power_w")
    time = _timed(cells, "gemm-power", kernel, 1, "")[0]
    return [
        time,
        replace(
            time, metric="power_w", value=watts, scale=1.0, quantity="power per chip", phase="power"
        ),
    ]


def _attention(cells: Cells, op: KernelOp, tokens: float | None, context: float | None) -> Kernel:
    kind = cells.precision("attn_dtype")
    return Kernel(
        op=op, precision=kind.name, written=kind.written,
        kv_precision=cells.precision("kv_cache_dtype").name, batch=cells.number("batch_size"),
        tokens=tokens, context=context, heads=cells.number("num_heads"),
        kv_heads=cells.number("num_key_value_heads"), head_dim=cells.number("head_dim"),
    )


def read_decode(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the decode-attention tables."""
    kernel = _attention(cells, "attention decode", 1.0, cells.number("kv_len"))
    return _timed(cells, "attention-decode", kernel, 1, cells["framework"])


def read_prefill(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the prefill-attention tables; `step` is what the cache held before."""
    kernel = _attention(
        cells, "attention prefill", cells.number("isl"), cells.number("step", strictly=False)
    )
    return _timed(cells, "attention-prefill", kernel, 1, cells["framework"])


def read_collective(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the collectives; messages are counted in elements, of 2 bytes in 16 bit."""
    kind, elements, chips = (
        cells.precision("dtype"), cells.number("message_elements"), cells.count("num_gpus"),
    )
    name = {"alltoall": "all_to_all"}.get(cells["op"], cells["op"])
    op: KernelOp | None = next((known for known in get_args(KernelOp) if known == name), None)
    if op is None:
        cells.fault("bad cell", "op", f"unknown collective {cells['op']!r}")
    width = _BYTES.get(kind.name)
    graph = (
        True
        if cells["variant"].endswith("graph")
        else False
        if cells["variant"].endswith("eager")
        else None
    )
    kernel = Kernel(
        op=op or "other", precision=kind.name, written=kind.written,
        message_bytes=None if width is None or elements is None else width * elements,
        library=cells["kernel"], graph=graph,
    )
    return _timed(
        cells, "collectives", kernel, chips or 1, f"{cells['library']}/{cells['version']}"
    )
