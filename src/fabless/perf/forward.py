"""Time of one forward pass on one instance: running sequences that write, prompts that are read, or both at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.kernels import all_gather, all_reduce, all_to_all, link_time, overlap, pace_by
from fabless.perf.machine import Machine
from fabless.perf.split import Split, cache_ways, group_sequences, longest_stage
from fabless.records import LLM
from fabless.workload import (
    Number,
    attention_flop,
    distinct_experts,
    is_latent,
    kept_tokens,
    kv_bytes_per_token_layer,
    layers,
    parameters,
    query_width,
    read_tokens,
    state_bytes,
    state_flop,
    value_dim,
)

@dataclass(frozen=True)
class _Launches:
    """Kernels of one layer of a kind, as engines run them: matrix products and element-wise ones."""

    products: float
    light: float


_ATTENTION = _Launches(2.0, 2.0)
"""Into and out of it; norm, rotation with the write to the cache."""
_LATENT = _Launches(3.0, 3.0)
"""More for latent attention: up from the latent query, into and out of the latent space; norms, joining."""
_INDEX = _Launches(2.0, 4.0)
"""More for sparse attention: keys and queries of the index; scores, choice."""
_LINEAR = _Launches(3.0, 5.0)
"""A linear mixer; norm, convolution, decay, gate, norm of the values."""
_DENSE = _Launches(2.0, 2.0)
"""Feed-forward: in, out; norm, activation."""
_MIXTURE = _Launches(3.0, 5.0)
"""Router and grouped products; norm, choice, sorting, activation, sum."""
_SHARED = _Launches(2.0, 2.0)
"""Shared experts beside them; activation, sum."""
_HEAD = _Launches(1.0, 4.0)
"""Logits; norm and sampling."""
_TILE = 64.0
"""Rows that a product computes at least."""
_SPLIT_DEPTH = 8192.0
"""Inner dimension at which products begin to be split, so that depth adds no more [1]."""
_LOGIT_BYTES = 4.0
"""Logits leave the head in 32 bits [B]."""
_DISPATCH_BYTES = 1.0
"""Hidden states travel to experts in 8 bits and come back in those of the activations [B]."""


@dataclass(frozen=True)
class Work:
    """What one forward pass of an instance has to do; numbers or arrays."""

    sequences: Number = 0.0
    """Running sequences that each write `tokens`."""
    context: Number = 0.0
    """Tokens that each of them has in the cache."""
    tokens: Number = 1.0
    """Tokens a running sequence computes: 1, or the draft and one more in speculative decoding."""
    prompts: Number = 0.0
    """Prompts of which `new` tokens each are read, after `past` that are cached."""
    new: Number = 0.0
    past: Number = 0.0


@dataclass(frozen=True)
class Phase:
    """Time of one forward pass by what it waits for [s], and what one chip does in it; arrays of one shape."""

    time_s: Number
    compute_s: Number
    """In kernels that compute bounds."""
    bandwidth_s: Number
    """In kernels that memory bandwidth bounds."""
    network_s: Number
    latency_s: Number
    """Launches of kernels and the host."""
    floor_s: Number
    """At the full data sheet: ``max(FLOP / peak, bytes / bandwidth)`` of the whole pass, no network."""
    flop_at_peak_s: Number
    """Time of the FLOP of one chip at the peak of the units they run on."""
    moved_bytes: Number
    """To and from the memory of one chip."""


@dataclass(frozen=True)
class _Spent:
    """Time of the kernels of one kind over all layers, on one chip, and what they do."""

    time_s: Number
    launch_s: Number
    compute_bound: Number
    flop_at_peak_s: Number
    moved: Number


def _product(machine: Machine, flop: Number, moved: Number, peak: Number, share: Number, depth: Number, launches: Number,
             narrowed: Number = 0.0) -> _Spent:
    """Matrix products of one kind: `depth` is the sum of their inner dimensions, `narrowed` that of their inputs."""
    e = machine.efficiency
    at_peak = flop / peak
    compute, stream = at_peak / share, moved / (machine.memory_bandwidth * e.bandwidth)
    time = overlap(compute, stream, depth * e.depth_s) + narrowed * e.quantise_bytes / machine.memory_bandwidth
    return _Spent(time, launches * e.launch_s, compute > stream, at_peak, moved)


def _attention(machine: Machine, flop: Number, moved: Number, launches: Number) -> _Spent:
    """Attention of running sequences: the cache streams through `launches` kernels that each come to speed."""
    e = machine.efficiency
    at_peak = flop / machine.attention_flops
    compute, stream = at_peak / machine.head_compute, moved / (machine.memory_bandwidth * e.bandwidth_attention)
    work = overlap(compute, stream)
    fixed = launches * e.launch_attention_s
    return _Spent(work + e.attention_ramp * np.sqrt(fixed * work), fixed, compute > stream, at_peak, moved)


def _inner(width: Number) -> Number:
    """Steps along an inner dimension that follow one another: long ones are split."""
    return width / (1.0 + width / _SPLIT_DEPTH)


def _fullest(mean: Number, most: Number, groups: Number) -> Number:
    """What the fullest of some groups gets when each draws `mean` by chance, and never more than `most`.

    The expected maximum of `groups` binomial draws, ``mean + sqrt(2 ln(groups) variance)``.
    """
    variance = mean * np.maximum(1.0 - mean / np.maximum(most, 1e-9), 0.0)
    return np.minimum(mean + np.sqrt(2.0 * np.log(groups) * variance), most)


def _kernels(llm: LLM, machine: Machine, split: Split, work: Work) -> list[_Spent]:
    """List what one chip of each stage does, summed over the stages, the head last."""
    e, act = machine.efficiency, machine.activation_bytes
    counts, count = parameters(llm), layers(llm)
    tensor, stage = np.asarray(split.tensor, dtype=float), split.stage
    running = group_sequences(work.sequences, split.data)
    prompts = np.asarray(work.prompts, dtype=float) / split.data
    rows = running * work.tokens + prompts * work.new
    everyone = np.asarray(work.sequences, dtype=float) * work.tokens + np.asarray(work.prompts, dtype=float) * work.new
    padded = np.maximum(rows, _TILE)
    latent = np.where(is_latent(llm), 1.0, 0.0)
    sparse = np.where(np.asarray(llm.index_topk) > 0, 1.0, 0.0)
    queries, values = query_width(llm) / tensor, llm.heads * value_dim(llm) / tensor
    linear_values = np.asarray(llm.linear_value_heads, dtype=float) * llm.linear_value_dim / tensor
    narrow = np.asarray(machine.weight_bytes) < 2.0
    mixers = count.attention + count.linear
    has_shared = np.minimum(llm.shared_experts, 1)
    shared_width = llm.shared_experts * np.where(np.asarray(llm.shared_expert_ffn) > 0, llm.shared_expert_ffn,
                                                 llm.expert_ffn) / tensor
    ffn = np.asarray(llm.ffn, dtype=float) / tensor

    weights = (count.attention * counts.attention_per_layer + count.linear * counts.linear_per_layer
               + count.dense * counts.ffn_per_layer + count.mixed * counts.shared_per_layer) / tensor
    inputs = ((mixers + count.dense + count.mixed * has_shared) * llm.hidden + count.attention * values
              + count.linear * linear_values + count.dense * ffn + count.mixed * shared_width)
    outputs = ((mixers + count.dense + count.mixed * has_shared) * llm.hidden + count.attention * 1.5 * queries
               + count.linear * 3.0 * linear_values + count.dense * 2.0 * ffn + count.mixed * 2.0 * shared_width)
    depth = ((mixers + count.dense + count.mixed * (1.0 + has_shared)) * _inner(llm.hidden)
             + count.attention * (_inner(values) + 2.0 * latent * _inner(np.asarray(llm.q_lora_rank) + llm.kv_lora_rank))
             + count.linear * _inner(linear_values) + count.dense * _inner(ffn) + count.mixed * has_shared
             * _inner(shared_width))
    kinds = ((count.attention, _ATTENTION), (count.attention * latent, _LATENT), (count.attention * sparse, _INDEX),
             (count.linear, _LINEAR), (count.dense, _DENSE), (count.mixed, _MIXTURE), (count.mixed * has_shared, _SHARED))
    products = sum(number * kind.products for number, kind in kinds) - count.mixed * 2.0
    lights = sum(number * kind.light for number, kind in kinds) + np.where(narrow, products, 0.0)
    dense = _product(machine, 2.0 * padded * weights, weights * machine.weight_bytes + rows * (inputs + outputs) * act,
                     machine.peak_flops, machine.compute, depth, products, np.where(narrow, rows * inputs, 0.0))

    groups = np.asarray(split.expert, dtype=float)
    uneven = 1.0 + machine.engine.imbalance * (1.0 - 1.0 / groups)
    pairs = _fullest(everyone * llm.experts_per_token / groups * uneven, np.inf, groups)
    touched = _fullest(distinct_experts(llm.experts, llm.experts_per_token, everyone) / groups * uneven,
                       llm.experts / groups, groups)
    width = llm.expert_ffn * groups / stage
    slice_ = count.mixed * counts.expert * groups / stage
    routed = _product(machine, 2.0 * np.maximum(pairs, touched * machine.engine.expert_tile) * slice_,
                      touched * slice_ * machine.expert_bytes + count.mixed * pairs * (2.0 * llm.hidden + 3.0 * width) * act,
                      machine.expert_flops, machine.expert_compute,
                      count.mixed * (_inner(llm.hidden) + _inner(width)), count.mixed * 2.0,
                      np.where(np.asarray(machine.expert_bytes) < 2.0, count.mixed * pairs * (llm.hidden + width), 0.0))

    entry = kv_bytes_per_token_layer(llm, machine.kv_bytes)
    ways = cache_ways(llm, tensor)
    moved_queries = count.attention * (queries + values) * act
    index = np.where(np.asarray(llm.index_topk) > 0, count.whole * llm.index_head_dim * work.context, 0.0)
    read = running * (read_tokens(llm, work.context) * entry / ways + work.tokens * moved_queries + index)
    decode = _attention(machine, running * attention_flop(llm, work.tokens, work.context) / tensor, read,
                        np.where(running > 0, count.attention, 0.0))
    new = np.asarray(work.new, dtype=float)
    written = (kept_tokens(llm, work.past) + count.attention * new) * entry / ways + new * moved_queries
    flop = prompts * attention_flop(llm, new, work.past) / tensor / machine.attention_flops
    stream = prompts * written / machine.memory_bandwidth
    prefill_time = overlap(flop / e.compute_attention + stream / e.bandwidth_elementwise,
                           np.where(prompts > 0, count.attention * new * e.attention_depth_s, 0.0))
    prefill = _Spent(prefill_time, np.where(prompts > 0, count.attention * e.launch_attention_s, 0.0), flop > stream, flop,
                     prompts * written)
    state = (2.0 * running + 2.0 * prompts) * state_bytes(llm) / tensor
    linear = _attention(machine, rows * state_flop(llm) / tensor,
                        state + rows * count.linear * 4.0 * linear_values * act, 2.0 * count.linear)

    light = rows * (count.blocks * 4.0 * llm.hidden + count.dense * 3.0 * ffn + count.attention * 2.0 * queries) * act
    elementwise = _Spent(light / (machine.memory_bandwidth * e.bandwidth_elementwise),
                         lights * e.launch_elementwise_s, False,
                         np.zeros(()), light)

    logits = running * work.tokens + prompts
    matrix = np.asarray(llm.vocab, dtype=float) * llm.hidden / tensor
    head = _product(machine, 2.0 * np.maximum(logits, _TILE) * matrix,
                    matrix * np.maximum(machine.weight_bytes, 2.0) + logits * llm.vocab / tensor * _LOGIT_BYTES,
                    machine.attention_flops, machine.head_compute, _inner(llm.hidden), _HEAD.products + _HEAD.light)
    return [dense, routed, decode, prefill, linear, elementwise, head]


def _network(llm: LLM, machine: Machine, split: Split, work: Work) -> Number:
    """Time of all collectives and hops of a pass [s]."""
    act, count = machine.activation_bytes, layers(llm)
    tensor, groups, stage = np.asarray(split.tensor, dtype=float), np.asarray(split.expert, dtype=float), split.stage
    tokens = np.asarray(work.sequences, dtype=float) * work.tokens + np.asarray(work.prompts, dtype=float) * work.new
    mine = tokens / split.data
    state = float(1.0) * llm.hidden * act
    shared = np.asarray(split.data) > 1
    reduce = all_reduce(mine * state, tensor, machine)
    sent = tokens / stage * llm.experts_per_token * llm.hidden
    travel = (all_to_all(sent * _DISPATCH_BYTES, stage, machine) + all_to_all(sent * act, stage, machine))
    gather = all_gather(tokens * llm.hidden * _DISPATCH_BYTES, stage, machine) + all_gather(tokens * state, stage, machine)
    experts = np.where(shared & (groups > 1), np.minimum(travel, gather), np.where(shared, gather, reduce))
    collectives = (count.attention + count.linear + count.dense) * reduce + count.mixed * experts
    hops = np.asarray(split.pipeline, dtype=float) - 1.0
    return (collectives * longest_stage(llm, split.pipeline) * split.pipeline
            + hops * machine.efficiency.scale_out_latency_s
            + link_time(hops * mine * state / tensor, machine.scale_out_bandwidth, machine.efficiency.link))


def forward(llm: LLM, machine: Machine, split: Split, work: Work) -> Phase:
    """Time one pass of `work` through an instance; all arguments broadcast.

    The pass crosses all pipeline stages; the longest stage paces it. ``t = sum over kernels of overlap(FLOP / (peak
    e_c), bytes / (bandwidth e_m), depth) + launches + collectives``, overlapped with the host's time. FLOP and
    bytes are means over the stages. The floor counts neither network nor the stages' imbalance.
    """
    stages = np.asarray(split.pipeline, dtype=float)
    pace = longest_stage(llm, stages) * stages
    kernels = _kernels(llm, machine, split, work)
    compute = bandwidth = launch = peak = moved = np.zeros(())
    for k, spent in enumerate(kernels):
        share = 1.0 if k == len(kernels) - 1 else pace
        compute = compute + np.where(spent.compute_bound, share * spent.time_s, 0.0)
        bandwidth = bandwidth + np.where(spent.compute_bound, 0.0, share * spent.time_s)
        launch = launch + share * spent.launch_s
        peak = peak + spent.flop_at_peak_s
        moved = moved + spent.moved
    network = _network(llm, machine, split, work)
    engine = machine.engine
    busy = np.asarray(work.sequences, dtype=float) + work.prompts
    on_chip = compute + bandwidth + network + launch * engine.launch_factor
    host = engine.host_step_s + engine.host_sequence_s * busy
    time = pace_by(on_chip, host)
    latency = time - compute - bandwidth - network
    floor = np.maximum(peak, moved / machine.memory_bandwidth)
    return Phase(*np.broadcast_arrays(time, compute, bandwidth, network, latency, floor, peak / stages, moved / stages))


def prefill(llm: LLM, machine: Machine, split: Split, prompts: Number, new: Number, past: Number = 0.0) -> Phase:
    """Time to read `new` tokens of each of `prompts` prompts in one pass, up to their first tokens."""
    return forward(llm, machine, split, Work(prompts=prompts, new=new, past=past))


def decode_step(llm: LLM, machine: Machine, split: Split, sequences: Number, context: Number, tokens: Number = 1.0
                ) -> Phase:
    """Time of a step in which each of `sequences` sequences with `context` cached tokens computes `tokens`."""
    return forward(llm, machine, split, Work(sequences=sequences, context=context, tokens=tokens))
