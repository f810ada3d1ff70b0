"""Time of a forward pass: a prefill or a decode step, on a group of chips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.efficiency import Efficiency
from fabless.perf.operators import all_reduce, link_time, operator_time
from fabless.perf.system import System
from fabless.records import LLM
from fabless.workload import Number, kv_cache_bytes, message_bytes, operators, weight_bytes


@dataclass(frozen=True)
class Widths:
    """Bytes of one number [B]."""

    weight: Number
    activation: Number
    kv: Number


@dataclass(frozen=True)
class Phase:
    """Time of one forward pass by what it waits for [s], and what one chip does in it; arrays of one shape."""

    time_s: Number
    compute_s: Number
    """In operators that compute bounds."""
    bandwidth_s: Number
    """In operators that memory bandwidth bounds."""
    network_s: Number
    latency_s: Number
    """Kernel launches and the host."""
    floor_s: Number
    """At the full data sheet: ``max(FLOP / peak, bytes / bandwidth)`` of the whole pass, no network."""
    flop: Number
    """On one chip."""
    flop_at_peak_s: Number
    """Time of these FLOP at the peak of the units they run on."""
    moved_bytes: Number
    """To and from the memory of one chip."""


@dataclass(frozen=True)
class Memory:
    """How the memory of one chip is shared [B]; `free` is negative when the load does not fit."""

    weights: Number
    kv_cache: Number
    overhead: Number
    free: Number


def forward(
    llm: LLM, system: System, sequences: Number, new: Number, past: Number, *, widths: Widths, efficiency: Efficiency,
    tensor_parallel: Number = 1.0, pipeline_parallel: Number = 1.0,
) -> Phase:
    """Time one pass of `sequences` sequences with `new` tokens each after `past` cached ones; all broadcast.

    The pass crosses all pipeline stages; the longest stage paces it: ``ceil(L/pp) pp / L`` of the layers' time. `flop`
    and `moved_bytes` are means over the stages. The floor counts neither network nor the stages' imbalance.
    """
    stages = np.asarray(pipeline_parallel, dtype=float)
    degree = np.asarray(tensor_parallel, dtype=float)
    imbalance = np.ceil(llm.layers / stages) * stages / llm.layers
    totals = {name: np.zeros(()) for name in ("compute", "bandwidth", "latency", "flop", "peak", "moved")}
    for operator in operators(llm, sequences, new, past, weight=widths.weight, activation=widths.activation,
                              kv=widths.kv):
        spent = operator_time(operator, system, degree, efficiency)
        pace = 1.0 if operator.head else imbalance
        peak = system.attention_flops if operator.attention else system.peak_flops
        totals["compute"] = totals["compute"] + pace * spent.roofline_s * spent.compute_bound
        totals["bandwidth"] = totals["bandwidth"] + pace * spent.roofline_s * (1.0 - spent.compute_bound)
        totals["latency"] = totals["latency"] + pace * spent.launch_s
        totals["flop"] = totals["flop"] + spent.flop
        totals["peak"] = totals["peak"] + spent.flop / peak
        totals["moved"] = totals["moved"] + spent.moved_bytes
    tokens = np.asarray(sequences, dtype=float) * new
    message = message_bytes(llm, tokens, widths.activation)
    network = 2.0 * llm.layers * imbalance * all_reduce(message, degree, system, efficiency)
    hops = stages - 1.0
    network = (network + hops * efficiency.scale_out_latency_s
               + link_time(hops * message / degree, system.scale_out_bandwidth, efficiency))
    latency = totals["latency"] + efficiency.step_s + efficiency.sequence_s * np.asarray(sequences, dtype=float)
    time = totals["compute"] + totals["bandwidth"] + network + latency
    floor = np.maximum(totals["peak"], totals["moved"] / system.memory_bandwidth)
    parts = np.broadcast_arrays(time, totals["compute"], totals["bandwidth"], network, latency, floor,
                                totals["flop"] / stages, totals["peak"] / stages, totals["moved"] / stages)
    return Phase(*parts)


def prefill(
    llm: LLM, system: System, sequences: Number, input_tokens: Number, *, widths: Widths, efficiency: Efficiency,
    tensor_parallel: Number = 1.0, pipeline_parallel: Number = 1.0,
) -> Phase:
    """Time to read `sequences` prompts of `input_tokens` in one pass, up to their first tokens."""
    return forward(llm, system, sequences, input_tokens, 0.0, widths=widths, efficiency=efficiency,
                   tensor_parallel=tensor_parallel, pipeline_parallel=pipeline_parallel)


def decode_step(
    llm: LLM, system: System, batch: Number, context: Number, *, widths: Widths, efficiency: Efficiency,
    tensor_parallel: Number = 1.0, pipeline_parallel: Number = 1.0,
) -> Phase:
    """Time to write one token of each of `batch` sequences with `context` cached tokens."""
    return forward(llm, system, batch, 1.0, context, widths=widths, efficiency=efficiency,
                   tensor_parallel=tensor_parallel, pipeline_parallel=pipeline_parallel)


def memory(
    llm: LLM, system: System, sequences: Number, context: Number, *, widths: Widths, efficiency: Efficiency,
    tensor_parallel: Number = 1.0, pipeline_parallel: Number = 1.0,
) -> Memory:
    """Share the memory of one chip when `sequences` of `context` tokens are in flight over the whole group.

    Of the fullest stage, with ``ceil(L/pp) / L`` of the layers. Inside a stage weights divide over all chips, the cache
    over at most as many as there are KV heads (a latent cache is kept whole by every chip).
    """
    degree = np.asarray(tensor_parallel, dtype=float)
    ways = np.minimum(degree, 1.0 if llm.kv_lora_rank else float(llm.kv_heads))
    share = np.ceil(llm.layers / np.asarray(pipeline_parallel, dtype=float)) / llm.layers
    weights = weight_bytes(llm, widths.weight) / degree * share
    cache = np.asarray(sequences, dtype=float) * kv_cache_bytes(llm, context, widths.kv) / ways * share
    overhead = np.asarray(system.memory_bytes, dtype=float) * efficiency.memory_overhead
    free = system.memory_bytes - overhead - weights - cache
    return Memory(*np.broadcast_arrays(weights, cache, overhead, free))
