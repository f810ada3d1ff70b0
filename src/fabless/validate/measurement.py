"""One published measurement, whatever file it came from: SI values, chips instead of cores, one
meaning a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal[
    "inference", "energy", "training", "operators", "serving", "gemm", "gemm-power",
    "attention-prefill", "attention-decode", "collectives", "megatron",
]
Scenario = Literal["static", "closed loop", "offline", "server", "prefill", "decode", "training", "kernel", "other"]
"""Way in which a value was measured.

static: one batch that starts together, prefilled whole, then decoded to its end; closed loop: a
fixed number of requests always in the system (`concurrency`), or a measured mean running batch
(`batch`) at steady state; offline: all requests queued, highest throughput; server: arrivals at
random below saturation; prefill, decode: one phase alone.
"""
Phase = Literal["ttft", "tpot", "end to end", "throughput", "training", "kernel", "power", "energy"]
Mode = Literal["aggregated", "disaggregated"]
Quantity = Literal[
    "ttft", "tpot", "end to end", "output tok/s total", "output tok/s per chip", "total tok/s",
    "requests/s", "prefill tok/s per chip", "decode tok/s per chip", "user tok/s", "step time",
    "tokens/s per chip", "model flops per chip", "hardware flops per chip", "mfu", "hfu",
    "kernel time", "kernel flops", "kernel bandwidth", "bus bandwidth", "power per chip",
    "energy per output token", "other",
]
"""What a value is, in SI: s, token/s, FLOP/s, B/s, W, J, 1.

ttft: request in to first token out; tpot: (end to end - ttft) / (output tokens - 1); end to end: of
a request, or of the whole batch where static; output tok/s: generated tokens of the whole system or
divided by its chips; total: in + out; bus bandwidth: that of an all-reduce times 2 (n - 1) / n over
its message. "other": not predicted.
"""

KernelOp = Literal[
    "gemm", "attention prefill", "attention decode", "attention decode mla", "all_reduce",
    "all_gather", "reduce_scatter", "all_to_all", "other",
]


@dataclass(frozen=True, kw_only=True)
class WorkerPool:
    """One kind of worker of a disaggregated deployment; the numbers are of one worker."""

    chips: int
    tp: int
    pp: int = 1
    attention_dp: int | None = 1
    """Ranks among which attention splits the requests; None: not stated."""
    moe_tp: int = 1
    ep: int = 1
    workers: int | None = None
    batch: float | None = None
    """Sequences per attention rank."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """Fields of a training row beyond model, chip and parallelism."""

    framework: str = ""
    framework_version: str = ""
    global_batch: float | None = None
    """Sequences per step."""
    micro_batch: float | None = None
    sequence: float | None = None
    """Tokens per sequence."""
    step_tokens: float | None = None
    """Tokens a step over all chips, where the row gives them instead of sequences."""
    context_parallel: int | None = None
    interleave: int | None = None
    """Virtual pipeline stages per chip."""
    sharding: str = ""
    """Data parallelism as written: 'FSDP', 'FSDP 64', 'ZeRO-3 + act. ckpt', 'DP 1'."""
    sharded: bool | None = None
    """Whether weights and optimizer are sharded over the data-parallel ranks; None: not stated."""
    recompute: str = ""
    """'full', 'selective', 'selective+sequence', 'none', or '' where the row does not say."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Shape of one operator on one chip, or of one collective."""

    op: KernelOp
    precision: str = ""
    written: str = ""
    """Precision as the file writes it: fp8_block, nvfp4 ..."""
    kv_precision: str = ""
    m: float | None = None
    n: float | None = None
    k: float | None = None
    batch: float | None = None
    tokens: float | None = None
    """New tokens a sequence (prefill)."""
    context: float | None = None
    """Tokens in the KV cache before the new ones."""
    heads: float | None = None
    kv_heads: float | None = None
    head_dim: float | None = None
    message_bytes: float | None = None
    library: str = ""
    graph: bool | None = None
    """True: replayed by a graph; False: launched from the host; None: not stated."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A measured value with all that is known of how it came about; `reason` is set where it cannot
    be predicted."""

    id: str
    file: str
    line: int
    layout: Layout
    model: str
    chip: str
    metric: str
    """Metric as the file names it; for serving rows the name of the column: ttft_ms, tpot_ms."""
    value: float | None
    """Measured value in SI; None if the cell is no number."""
    scale: float
    """Multiplies the file's number to give `value`; divides a prediction to give it in the file's
    unit."""
    quantity: Quantity
    phase: Phase
    scenario: Scenario
    vendor: str = ""
    chips: int | None = None
    """Chips of the whole system that was measured."""
    tp: int | None = None
    """Chips (never cores) among which attention and dense products are split."""
    pp: int | None = None
    ep: int | None = None
    """Chips among which the experts are spread."""
    moe_tp: int | None = None
    """Chips among which one expert is split."""
    attention_dp: int | None = None
    """Ranks of one instance among which attention splits the requests; the experts are shared by
    all of them."""
    replicas: int | None = None
    """Independent instances side by side."""
    precision: str = ""
    """Format of weights and products: bf16, fp16, fp8, int8, fp4, int4, fp32; '' if not stated."""
    precision_written: str = ""
    """Precision as the file writes it: nvfp4, mxfp4, fp8_block ..."""
    expert_precision: str = ""
    """Format of expert weights if it differs or is stated; else ''."""
    kv_precision: str = ""
    weight_only: bool = False
    """True: weights are stored in `precision`, products are done in 16 bit."""
    engine: str = ""
    engine_version: str = ""
    batch: float | None = None
    """Sequences that run at once in the whole system: fixed, or a measured mean."""
    concurrency: float | None = None
    """Requests in the whole system at once, running or waiting."""
    batch_limit: float | None = None
    """Largest number of sequences per engine instance: a setting, not a measurement."""
    input_tokens: float | None = None
    output_tokens: float | None = None
    speculative: bool = False
    cached_share: float = 0.0
    """Share of the input that a prefix cache already held."""
    tier: str = ""
    mode: Mode = "aggregated"
    prefill: WorkerPool | None = None
    decode: WorkerPool | None = None
    training: TrainingRun | None = None
    kernel: Kernel | None = None
    notes: tuple[str, ...] = ()
    """What was assumed or derived in reading the row."""
    source: str = ""
    comment: str = ""
    """The notes column of the row."""
    reason: str = ""
    """'kind: detail' where reading already shows that the row cannot be predicted; '' otherwise."""
