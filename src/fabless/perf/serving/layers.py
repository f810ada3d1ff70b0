"""What the layers of a model ask of one chip in a forward pass: the kernels of each kind, counted
and timed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.perf.kernels import overlap
from fabless.perf.machine import Machine
from fabless.perf.serving.split import Split, cache_ways, group_sequences
from fabless.records import LLM
from fabless.workload import (
    Layers,
    Number,
    ParameterCounts,
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
    """Kernels of one layer of a kind, as engines run them: matrix products and element-wise
    ones."""

    products: float
    light: float


_ATTENTION = _Launches(2.0, 2.0)
"""Into and out of it; norm, rotation with the write to the cache."""
_LATENT = _Launches(3.0, 3.0)
"""More for latent attention: up from the latent query, into and out of the latent space; norms,
joining."""
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
_EXPERT_PAD = 32.0
"""Rows of the last tile of an expert that stay empty, on average [token]."""
_SPLIT_DEPTH = 8192.0
"""Inner dimension at which products begin to be split, so that depth adds no more [count]."""
_SIXTEEN_BITS = 2.0
_LOGIT_BYTES = 4.0
"""Logits leave the head in 32 bits [B]."""


@dataclass(frozen=True, kw_only=True)
class ForwardWork:
    """Tokens that one forward pass of an instance computes; numbers or arrays."""

    sequences: Number = 0.0
    """Running sequences, each of which computes `tokens`."""
    context: Number = 0.0
    """Cached tokens per running sequence."""
    tokens: Number = 1.0
    """Tokens computed per running sequence: 1 plus the drafts of speculative decoding."""
    prompts: Number = 0.0
    """Prompts in the pass; `new` tokens of each are prefilled after `past` cached ones."""
    new: Number = 0.0
    past: Number = 0.0


@dataclass(frozen=True)
class Spent:
    """Time of the kernels of one kind over all layers, on one chip, and what they do."""

    time_s: Number
    launch_s: Number
    """Fixed time of the kernels, for an engine that replays graphs."""
    compute_bound: NDArray[np.bool_] | bool
    flop_at_peak_s: Number
    moved_bytes: Number


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """A pass with the quantities that several kinds of kernels need."""

    llm: LLM
    machine: Machine
    split: Split
    work: ForwardWork
    counts: ParameterCounts
    count: Layers
    tensor: Number
    running: Number
    prompts: Number
    rows: Number
    """Tokens of the attention group."""
    tokens: Number
    """Tokens of the whole stage."""
    queries: Number
    """Width of the queries of all heads of the model; `values` is that of their values."""
    values: Number
    linear_values: Number


def work_tokens(work: ForwardWork) -> Number:
    """Tokens that a pass computes."""
    return (np.asarray(work.sequences, dtype=float) * work.tokens
            + np.asarray(work.prompts, dtype=float) * work.new)


def kernels(llm: LLM, machine: Machine, split: Split, work: ForwardWork) -> list[Spent]:
    """List what one chip does, summed over the pipeline stages, the head last; everything
    broadcasts.

    Kernels that occur nowhere in the call are left out.
    """
    tensor = np.asarray(split.tensor, dtype=float)
    running = group_sequences(work.sequences, split.data)
    prompts = np.asarray(work.prompts, dtype=float) / split.data
    p = _Pass(
        llm=llm, machine=machine, split=split, work=work, counts=parameters(llm), count=layers(llm),
        tensor=tensor, running=running, prompts=prompts,
        rows=running * work.tokens + prompts * work.new, tokens=work_tokens(work),
        queries=query_width(llm), values=llm.heads * value_dim(llm),
        linear_values=np.asarray(llm.linear_value_heads, dtype=float) * llm.linear_value_dim,
    )
    occurring = (
        (_routed, p.count.mixed), (_decode, work.sequences), (_prefill, work.prompts),
        (_linear, p.count.linear),
    )
    return [
        *_dense_and_light(p), *(kernel(p) for kernel, number in occurring if np.any(number)),
        _head(p),
    ]


def _product(
    machine: Machine, flop: Number, moved: Number, units: tuple[Number, Number], depth: Number,
    launches: Number, narrowed: Number = 0.0,
) -> Spent:
    """Matrix products of one kind: `units` are the peak rate of those that multiply and the share
    of it that large products reach, `depth` is the sum of the products' inner dimensions,
    `narrowed` that of their inputs."""
    e, (peak, share) = machine.efficiency, units
    at_peak = flop / peak
    compute, stream = at_peak / share, moved / (machine.memory_bandwidth * e.bandwidth)
    time = (
        overlap(compute, stream, depth * e.depth_s)
        + narrowed * e.quantise_bytes / machine.memory_bandwidth
    )
    return Spent(time, launches * e.launch_s, np.greater(compute, stream), at_peak, moved)


def _cached(machine: Machine, flop: Number, moved: Number, launches: Number) -> Spent:
    """Attention of running sequences: the cache streams through `launches` kernels that each come
    to speed."""
    e = machine.efficiency
    at_peak = flop / machine.attention_flops
    compute, stream = (
        at_peak / machine.head_compute, moved / (machine.memory_bandwidth * e.bandwidth_attention),
    )
    work = overlap(compute, stream)
    fixed = launches * e.launch_attention_s
    return Spent(
        work + e.attention_ramp * np.sqrt(fixed * work), fixed, np.greater(compute, stream),
        at_peak, moved,
    )


def _inner(width: Number, chips: Number = 1.0) -> Number:
    """Steps along an inner dimension, itself split over `chips`, that follow one another: long ones
    are split."""
    return width / (chips + np.asarray(width, dtype=float) / _SPLIT_DEPTH)


def fullest(mean: Number, most: Number, groups: Number) -> Number:
    """What the fullest of some groups gets when each draws `mean` by chance, and never more than
    `most`.

    The expected maximum of many binomial draws, ``mean + sqrt(2 ln(groups) variance)``; up to a
    tenth high for few.

    >>> float(fullest(4.0, 32.0, 1.0)), float(fullest(32.0, 32.0, 8.0))
    (4.0, 32.0)
    """
    variance = mean * np.maximum(1.0 - mean / np.maximum(most, 1e-9), 0.0)
    return np.minimum(mean + np.sqrt(2.0 * np.log(groups) * variance), most)


def _dense_and_light(p: _Pass) -> tuple[Spent, Spent]:
    """Products with weights that every token uses, and the element-wise kernels around all
    products."""
    llm, count, counts, act = p.llm, p.count, p.counts, p.machine.activation_bytes
    latent = count.attention * np.where(is_latent(llm), 1.0, 0.0)
    sparse = count.attention * np.where(np.asarray(llm.index_topk) > 0, 1.0, 0.0)
    shared = count.mixed * np.minimum(llm.shared_experts, 1)
    width = llm.shared_experts * np.where(
        np.asarray(llm.shared_expert_ffn) > 0, llm.shared_expert_ffn, llm.expert_ffn
    )
    mixers = count.attention + count.linear
    weights = (
        count.attention * counts.attention_per_layer
        + count.linear * counts.linear_per_layer
        + count.dense * counts.ffn_per_layer
        + count.mixed * counts.shared_per_layer
    ) / p.tensor
    hidden = (mixers + count.dense + shared) * llm.hidden
    parallel = (
        (count.attention, p.values), (count.linear, p.linear_values), (count.dense, llm.ffn),
        (shared, width),
    )
    inputs = hidden + sum(number * across for number, across in parallel) / p.tensor
    outputs = hidden + (1.5 * count.attention * p.queries + 3.0 * count.linear * p.linear_values
                        + 2.0 * count.dense * llm.ffn + 2.0 * shared * width) / p.tensor
    depth = (
        (mixers + count.dense + count.mixed + shared) * _inner(llm.hidden)
        + 2.0 * latent * _inner(np.asarray(llm.q_lora_rank) + llm.kv_lora_rank)
        + sum(number * _inner(across, p.tensor) for number, across in parallel if np.any(number))
    )
    kinds = (
        (count.attention, _ATTENTION), (latent, _LATENT), (sparse, _INDEX), (count.linear, _LINEAR),
        (count.dense, _DENSE), (count.mixed, _MIXTURE), (shared, _SHARED),
    )
    products = sum(number * kind.products for number, kind in kinds) - 2.0 * count.mixed
    narrow = np.where(np.asarray(p.machine.weight_bytes) < _SIXTEEN_BITS, 1.0, 0.0)
    dense = _product(
        p.machine, 2.0 * np.maximum(p.rows, _TILE) * weights,
        weights * p.machine.weight_bytes + p.rows * ((inputs + outputs) * act),
        units=(p.machine.peak_flops, p.machine.compute), depth=depth, launches=products,
        narrowed=narrow * p.rows * inputs if np.any(narrow) else 0.0,
    )
    e = p.machine.efficiency
    lights = sum(number * kind.light for number, kind in kinds) + narrow * products
    moved = p.rows * (
        act
        * (
            4.0 * count.blocks * llm.hidden
            + (3.0 * count.dense * llm.ffn + 2.0 * count.attention * p.queries) / p.tensor
        )
    )
    light = Spent(
        moved / (p.machine.memory_bandwidth * e.bandwidth_elementwise),
        lights * e.launch_elementwise_s, False, 0.0, moved,
    )
    return dense, light


def _routed(p: _Pass) -> Spent:
    """Grouped products of the fullest group of experts: every expert that any token touches is read
    once."""
    llm, machine, stage = p.llm, p.machine, p.split.stage
    groups = np.asarray(p.split.expert, dtype=float)
    uneven = 1.0 + machine.engine.imbalance * (1.0 - 1.0 / groups)
    pairs = fullest(p.tokens * llm.experts_per_token / groups * uneven, np.inf, groups)
    touched = fullest(
        distinct_experts(llm.experts, llm.experts_per_token, p.tokens) / groups * uneven,
        llm.experts / groups, groups,
    )
    width = llm.expert_ffn * groups / stage
    matrices = p.count.mixed * p.counts.expert * groups / stage
    states = p.count.mixed * pairs * (2.0 * llm.hidden + 3.0 * width)
    narrowed = np.where(
        np.asarray(machine.expert_bytes) < _SIXTEEN_BITS,
        p.count.mixed * pairs * (llm.hidden + width), 0.0,
    )
    return _product(
        machine, 2.0 * np.maximum(pairs + _EXPERT_PAD * touched, _TILE * touched) * matrices,
        touched * matrices * machine.expert_bytes + states * machine.activation_bytes,
        units=(machine.expert_flops, machine.expert_compute),
        depth=p.count.mixed * (_inner(llm.hidden) + _inner(width)), launches=2.0 * p.count.mixed,
        narrowed=narrowed)


def _queries_moved(p: _Pass) -> Number:
    return p.count.attention * (p.queries + p.values) * p.machine.activation_bytes / p.tensor


def _decode(p: _Pass) -> Spent:
    """Attention of the running sequences over their caches."""
    llm, work = p.llm, p.work
    entry = kv_bytes_per_token_layer(llm, p.machine.kv_bytes) / cache_ways(llm, p.tensor)
    each = read_tokens(llm, work.context) * entry + work.tokens * _queries_moved(p)
    if np.any(llm.index_topk):
        each = each + np.where(
            np.asarray(llm.index_topk) > 0, p.count.whole * llm.index_head_dim * work.context, 0.0
        )
    moved = p.running * each
    return _cached(
        p.machine, p.running * attention_flop(llm, work.tokens, work.context) / p.tensor, moved,
        np.where(p.running > 0, p.count.attention, 0.0),
    )


def _prefill(p: _Pass) -> Spent:
    """Attention of the prompts, which no longer overlaps its own reads; long ones walk along their
    keys."""
    llm, work, e = p.llm, p.work, p.machine.efficiency
    new = np.asarray(work.new, dtype=float)
    entry = kv_bytes_per_token_layer(llm, p.machine.kv_bytes) / cache_ways(llm, p.tensor)
    moved = p.prompts * (
        (kept_tokens(llm, work.past) + p.count.attention * new) * entry + new * _queries_moved(p)
    )
    at_peak = p.prompts * attention_flop(llm, new, work.past) / p.tensor / p.machine.attention_flops
    stream = moved / p.machine.memory_bandwidth
    attends = np.where(p.prompts > 0, p.count.attention, 0.0)
    time = overlap(
        at_peak / e.compute_attention + stream / e.bandwidth_elementwise,
        attends * new * e.attention_depth_s,
    )
    return Spent(time, attends * e.launch_attention_s, np.greater(at_peak, stream), at_peak, moved)


def _linear(p: _Pass) -> Spent:
    """Mixers with a state: read and written once a sequence."""
    state = 2.0 * (p.running + p.prompts) * state_bytes(p.llm) / p.tensor
    values = p.rows * p.count.linear * 4.0 * p.linear_values * p.machine.activation_bytes / p.tensor
    return _cached(
        p.machine, p.rows * state_flop(p.llm) / p.tensor, state + values, 2.0 * p.count.linear
    )


def _head(p: _Pass) -> Spent:
    """Logits of every token that is written, and the sampling."""
    logits = p.running * p.work.tokens + p.prompts
    matrix = np.asarray(p.llm.vocab, dtype=float) * p.llm.hidden / p.tensor
    moved = (matrix * np.maximum(p.machine.weight_bytes, _SIXTEEN_BITS)
             + logits * p.llm.vocab / p.tensor * _LOGIT_BYTES)
    return _product(
        p.machine, 2.0 * np.maximum(logits, _TILE) * matrix, moved,
        units=(p.machine.attention_flops, p.machine.head_compute), depth=_inner(p.llm.hidden),
        launches=_HEAD.products + _HEAD.light,
    )
