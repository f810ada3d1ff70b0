"""Parameters, FLOP and bytes of a language model, counted from its shape.

Counts are for the whole model, before it is split over chips. Every numeric argument broadcasts,
and so do the fields of the model: `records.LLM` may hold arrays, an element a model (see
`arrays.stack`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from fabless.errors import BadValue, Fault, unknown
from fabless.records import LLM, Array

Number = float | Array

BYTES_PER_ELEMENT: Mapping[str, float] = MappingProxyType(
    {
        "fp32": 4.0, "tf32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "mxfp8": 1.0 + 1 / 32,
        "int8": 1.0, "fp6": 0.75, "fp4": 0.5, "nvfp4": 0.5 + 1 / 16, "mxfp4": 0.5 + 1 / 32,
        "int4": 0.5 + 1 / 64,
    }
)
"""Width of each number format [B]; block formats with their scales (int4: one 16-bit scale for 128
weights)."""

_SIXTEEN_BITS = 2.0
"""Bytes below which embeddings and output head are not narrowed [B]."""
_NO_WINDOW = 1e18
"""A window longer than any context, finite so that no token outside it counts 0 x infinity
[token]."""
_STATE_BYTES = 4.0
"""Linear mixers keep their state in 32 bits [B]."""
_STATE_FLOP = 6.0
"""FLOP of a linear mixer for each number of its state and token: decay, update, read, each a
multiply-add."""
_CONVOLUTION = 4.0
"""Width of the short convolution in front of a linear mixer [token]."""


@dataclass(frozen=True, kw_only=True)
class ParameterCounts:
    """Parameters of a model [1]."""

    total: Number
    active: Number
    """Parameters used for one token, input embedding included; a mixture uses few experts."""
    embedding: Number
    """Input embedding and output head (once when they are tied)."""
    attention_per_layer: Number
    linear_per_layer: Number
    """Parameters of one linear mixer."""
    ffn_per_layer: Number
    """Parameters of one dense feed-forward layer."""
    expert: Number
    """Parameters of one routed expert."""
    shared_per_layer: Number
    """Router and shared experts of a mixture layer."""


@dataclass(frozen=True)
class Layers:
    """Numbers of layers by kind [1]."""

    attention: Number
    linear: Number
    dense: Number
    """Feed-forward layers that are dense."""
    mixed: Number
    """Feed-forward layers that are mixtures of experts."""
    whole: Number
    """Attention layers that see the whole context."""

    @property
    def local(self) -> Number:
        """Attention layers that see a window."""
        return self.attention - self.whole

    @property
    def blocks(self) -> Number:
        """Parts that each end in the residual stream: mixers and feed-forwards."""
        return self.attention + self.linear + self.dense + self.mixed


def element_bytes(precision: str, place: str = "precision") -> float:
    """Return the bytes of one number of a format, or raise `UnknownName` with the nearest one.

    >>> element_bytes("bf16")
    2.0
    """
    if precision not in BYTES_PER_ELEMENT:
        raise unknown("precision", precision, list(BYTES_PER_ELEMENT), place)
    return BYTES_PER_ELEMENT[precision]


def check(llm: LLM) -> None:
    """Raise `BadValue` with every fault of a model's shape at once."""
    positive = ["layers", "hidden", "vocab"]
    if attention_layers(llm):
        positive += ["heads", "kv_heads", "head_dim"]
    if llm.linear_layers:
        positive += ["linear_key_heads", "linear_value_heads", "linear_key_dim", "linear_value_dim"]
    faults = [
        Fault(
            f"{llm.name}.{name}", str(getattr(llm, name)), "a number above 0",
            "give the model's own value",
        )
        for name in positive
        if getattr(llm, name) <= 0
    ]
    if llm.experts and not (0 < llm.experts_per_token <= llm.experts and llm.expert_ffn > 0):
        faults.append(
            Fault(
                f"{llm.name}.experts",
                f"{llm.experts_per_token} of {llm.experts}, width {llm.expert_ffn}",
                "0 < experts_per_token <= experts, expert_ffn > 0",
                "correct the mixture of experts",
            )
        )
    if not llm.experts and llm.ffn <= 0 and llm.ffn_layers != 0:
        faults.append(
            Fault(
                f"{llm.name}.ffn", str(llm.ffn), "a number above 0",
                "give the width of the feed-forward",
            )
        )
    if not 0.0 <= llm.global_layer_share <= 1.0:
        faults.append(
            Fault(
                f"{llm.name}.global_layer_share", str(llm.global_layer_share), "0 to 1",
                "give a share",
            )
        )
    if (
        llm.linear_layers > llm.layers
        or (llm.attention_layers or 0) > llm.layers
        or (llm.ffn_layers or 0) > llm.layers
    ):
        faults.append(
            Fault(
                f"{llm.name}.layers",
                f"{llm.layers}, with attention in {attention_layers(llm)}, linear "
                f"mixers in {llm.linear_layers}",
                "no kind in more layers than there are",
                "correct the counts",
            )
        )
    if faults:
        raise BadValue(*faults)


def attention_layers(llm: LLM) -> Number:
    """Layers with attention [1]."""
    return llm.layers - llm.linear_layers if llm.attention_layers is None else llm.attention_layers


def shape(llm: LLM) -> LLM:
    """Reduce a model to its shape with every count given, so that `arrays.stack` can put it beside
    others."""
    ffn = llm.layers if llm.ffn_layers is None else llm.ffn_layers
    return replace(
        llm, attention_layers=int(attention_layers(llm)), ffn_layers=ffn, params_published=None,
        release=None, note="",
    )


def layers(llm: LLM) -> Layers:
    """Count the layers of a model by what they do."""
    attention = np.asarray(attention_layers(llm), dtype=float)
    ffn = np.asarray(llm.layers if llm.ffn_layers is None else llm.ffn_layers, dtype=float)
    dense = np.where(np.asarray(llm.experts) > 0, np.minimum(llm.dense_layers, ffn), ffn)
    whole = np.where(
        np.asarray(llm.sliding_window) > 0, attention * llm.global_layer_share, attention
    )
    return Layers(attention, np.asarray(llm.linear_layers, dtype=float), dense, ffn - dense, whole)


def is_latent(llm: LLM) -> Array:
    """True where the cache holds latent vectors (multi-head latent attention)."""
    return np.asarray(np.asarray(llm.kv_lora_rank) > 0)


def query_width(llm: LLM) -> Number:
    """Width of the queries of all heads; a latent cache keeps a part of each head for the
    position."""
    return llm.heads * (llm.head_dim + np.where(is_latent(llm), llm.rope_head_dim, 0.0))


def value_dim(llm: LLM) -> Number:
    """Width of the value of one head."""
    return np.where(np.asarray(llm.v_head_dim) > 0, llm.v_head_dim, llm.head_dim)


def _attention_parameters(llm: LLM) -> Number:
    gate = np.where(np.asarray(llm.attention_gate), 1.0, 0.0)
    plain = (
        np.asarray(llm.hidden, dtype=float)
        * llm.head_dim
        * ((2.0 + gate) * llm.heads + 2.0 * llm.kv_heads)
    )
    width, value = query_width(llm), value_dim(llm)
    rank = np.asarray(llm.q_lora_rank, dtype=float)
    query = np.where(rank > 0, rank * (llm.hidden + width), llm.hidden * width)
    key_value = llm.hidden * (np.asarray(llm.kv_lora_rank, dtype=float) + llm.rope_head_dim)
    expand = llm.kv_lora_rank * llm.heads * (llm.head_dim + value)
    latent = query + key_value + expand + llm.heads * value * llm.hidden
    index = llm.index_head_dim * (
        np.where(rank > 0, rank, llm.hidden) * llm.index_heads + llm.hidden
    )
    return np.asarray(np.where(is_latent(llm), latent, plain) + index)


def _linear_parameters(llm: LLM) -> Number:
    """Gated delta net or Mamba 2: queries, keys, values, gate and decays in, values out, a short
    convolution."""
    keys = np.asarray(llm.linear_key_heads, dtype=float) * llm.linear_key_dim
    values = np.asarray(llm.linear_value_heads, dtype=float) * llm.linear_value_dim
    return np.asarray(llm.hidden * (2.0 * keys + 3.0 * values + 2.0 * llm.linear_value_heads)
                      + _CONVOLUTION * (2.0 * keys + values))


def parameters(llm: LLM) -> ParameterCounts:
    """Count the parameters of a model: matrices, embeddings and norms; no biases.

    >>> llama = LLM(name="Llama 2 7B", layers=32, hidden=4096, heads=32, kv_heads=32, head_dim=128, ffn=11008, vocab=32000)
    >>> float(parameters(llama).total)
    6738415616.0
    """
    matrices = np.where(np.asarray(llm.gated_ffn), 3.0, 2.0) * llm.hidden
    count = layers(llm)
    attention, linear = _attention_parameters(llm), _linear_parameters(llm)
    ffn, expert = matrices * llm.ffn, matrices * llm.expert_ffn
    width = np.where(np.asarray(llm.shared_expert_ffn) > 0, llm.shared_expert_ffn, llm.expert_ffn)
    shared = llm.shared_experts * matrices * width + llm.experts * np.asarray(
        llm.hidden, dtype=float
    )
    embedding = (
        np.asarray(llm.vocab, dtype=float)
        * llm.hidden
        * np.where(np.asarray(llm.tied_embeddings), 1.0, 2.0)
    )
    common = (
        count.attention * attention
        + count.linear * linear
        + count.dense * ffn
        + count.mixed * shared
        + embedding
        + (count.blocks + 1.0) * llm.hidden
    )
    return ParameterCounts(
        total=common + count.mixed * llm.experts * expert,
        active=common + count.mixed * llm.experts_per_token * expert,
        embedding=embedding,
        attention_per_layer=attention,
        linear_per_layer=linear,
        ffn_per_layer=ffn,
        expert=expert,
        shared_per_layer=shared,
    )


def head_bytes(weight: Number, head: Number | None = None) -> Number:
    """Bytes of one number of the embeddings and the output head: as given, else at 16 bits or
    wider."""
    return np.maximum(weight, _SIXTEEN_BITS) if head is None else head


def weight_bytes(
    llm: LLM, bytes_per_weight: Number, expert_bytes: Number | None = None,
    head: Number | None = None,
) -> Number:
    """Bytes that the weights take.

    Routed experts may be narrower (`expert_bytes`); embeddings and head stay at 16 bits or wider
    unless `head` says else.
    """
    counts = parameters(llm)
    experts = layers(llm).mixed * llm.experts * counts.expert
    return ((counts.total - counts.embedding - experts) * bytes_per_weight
            + experts * (bytes_per_weight if expert_bytes is None else expert_bytes)
            + counts.embedding * head_bytes(bytes_per_weight, head))


def distinct_experts(experts: Number, per_token: Number, tokens: Number) -> Number:
    """Expected number of experts that a batch of tokens touches under even routing: ``E (1 - (1 -
    k/E)^tokens)``.

    >>> float(distinct_experts(8, 2, 1)), float(distinct_experts(8, 2, 1000))
    (2.0, 8.0)
    """
    share = np.asarray(per_token, dtype=float) / np.maximum(experts, 1.0)
    return np.asarray(experts * (1.0 - (1.0 - share) ** np.asarray(tokens, dtype=float)))


def kv_bytes_per_token_layer(llm: LLM, kv_bytes: Number) -> Number:
    """Cache bytes of one token in one attention layer: two vectors a KV head, or one latent
    vector."""
    latent = np.asarray(llm.kv_lora_rank, dtype=float) + llm.rope_head_dim
    width = np.where(is_latent(llm), latent, 2.0 * llm.kv_heads * llm.head_dim)
    return np.asarray(width * np.asarray(kv_bytes, dtype=float) + llm.index_head_dim)


def kv_cache_bytes(llm: LLM, context: Number, kv_bytes: Number) -> Number:
    """Cache bytes of one sequence of `context` tokens; layers with a window keep no more than the
    window.

    The states of linear mixers count, whatever the context.

    >>> llama = LLM(name="Llama 3 70B", layers=80, hidden=8192, heads=64, kv_heads=8, head_dim=128, ffn=28672, vocab=128256)
    >>> float(kv_cache_bytes(llama, 1.0, 2.0))
    327680.0
    """
    return kept_tokens(llm, context) * kv_bytes_per_token_layer(llm, kv_bytes) + state_bytes(llm)


def state_bytes(llm: LLM) -> Number:
    """Bytes of the states of all linear mixers, of one sequence."""
    numbers = (
        np.asarray(llm.linear_value_heads, dtype=float) * llm.linear_key_dim * llm.linear_value_dim
    )
    return llm.linear_layers * numbers * _STATE_BYTES


def state_flop(llm: LLM) -> Number:
    """FLOP of all linear mixers for one token, their projections left out."""
    return state_bytes(llm) / _STATE_BYTES * _STATE_FLOP


def kept_tokens(llm: LLM, context: Number) -> Number:
    """Tokens of a context that the cache holds, summed over the attention layers."""
    count = layers(llm)
    tokens = np.asarray(context, dtype=float)
    return np.asarray(
        count.whole * tokens + _local(count, lambda: np.minimum(tokens, llm.sliding_window))
    )


def read_tokens(llm: LLM, context: Number) -> Number:
    """Tokens of a context that one new token reads, summed over the attention layers."""
    count = layers(llm)
    tokens = np.asarray(context, dtype=float)
    chosen = np.minimum(tokens, _topk(llm)) if np.any(llm.index_topk) else tokens
    return np.asarray(
        count.whole * chosen + _local(count, lambda: np.minimum(tokens, llm.sliding_window))
    )


def _local(count: Layers, each: Callable[[], Number]) -> Number:
    """Sum over the layers that see a window; 0 without asking when no model of the call has any."""
    local = np.asarray(count.local)
    return local * each() if np.any(local) else 0.0


def _topk(llm: LLM) -> Number:
    return np.where(np.asarray(llm.index_topk) > 0, llm.index_topk, _NO_WINDOW)


def _pairs(new: Number, past: Number, window: Number) -> Number:
    """Pairs of (query, key) of `new` causal tokens after `past` ones, each seeing at most `window`
    keys."""
    before = np.asarray(past, dtype=float)
    if np.all(np.asarray(window) >= _NO_WINDOW):
        return new * (before + (np.asarray(new, dtype=float) + 1.0) / 2.0)

    def until(tokens: Number) -> Number:
        inside = np.minimum(tokens, window)
        return inside * (inside + 1.0) / 2.0 + (tokens - inside) * window
    return until(before + new) - until(before)


def attention_flop(llm: LLM, new: Number, past: Number) -> Number:
    """FLOP of scores and weighted values of one sequence, over all attention layers.

    ``2 heads (d_qk + d_v)`` a pair; latent attention works on the latent vector while it decodes (``new`` small) and on
    expanded heads in prefill, whichever is less. Sparse attention adds the scores by which it
    chooses its keys.
    """
    count = layers(llm)
    value = value_dim(llm)
    pairs = count.whole * _pairs(new, past, _topk(llm)) + _local(
        count, lambda: _pairs(new, past, llm.sliding_window)
    )
    flop = 2.0 * (query_width(llm) + llm.heads * value) * pairs
    if np.any(is_latent(llm)):
        latent = 2.0 * llm.heads * (2.0 * llm.kv_lora_rank + llm.rope_head_dim) * pairs
        expand = (
            2.0
            * count.attention
            * llm.kv_lora_rank
            * llm.heads
            * (llm.head_dim + value)
            * np.asarray(past)
        )
        flop = np.where(is_latent(llm), np.minimum(latent, flop + expand), flop)
    if np.any(llm.index_heads):
        flop = flop + 2.0 * llm.index_heads * llm.index_head_dim * count.whole * _pairs(
            new, past, _NO_WINDOW
        )
    return flop
