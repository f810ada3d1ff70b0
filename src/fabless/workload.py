"""What a transformer asks of a machine: parameters, FLOP, bytes and messages, counted from its shape.

A forward pass runs `sequences` sequences of `new` tokens each on top of `past` tokens that are already cached: prefill
is ``new = input, past = 0``, a decode step is ``new = 1, past = context``. Every count is for the whole model, before
it is split over chips, and every numeric argument broadcasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from fabless.errors import BadValue, Fault, unknown
from fabless.records import LLM, Array

Number = float | Array

BYTES_PER_ELEMENT: Mapping[str, float] = MappingProxyType(
    {"fp32": 4.0, "tf32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5}
)
"""Width of each number format [B], scales of block formats not counted."""

_SIXTEEN_BITS = 2.0
"""Bytes below which embeddings and output head are not narrowed [B]."""
_LOGIT_BYTES = 4.0
"""Logits leave the head in 32 bits [B]."""
_NO_WINDOW = 1e18
"""A window longer than any context, finite so that no token outside it counts 0 x infinity [token]."""


@dataclass(frozen=True)
class ParameterCounts:
    """Parameters of a model [1]."""

    total: float
    active: float
    """Used for one token: a mixture of experts leaves most of its experts aside. The input embedding counts."""
    embedding: float
    """Input embedding and output head (once when they are tied)."""
    attention_per_layer: float
    ffn_per_layer: float
    """Of a dense feed-forward layer."""
    expert: float
    """Of one routed expert."""
    shared_per_layer: float
    """Router and shared experts of a mixture layer."""


@dataclass(frozen=True)
class Operator:
    """One kind of work of a forward pass, summed over the layers that do it."""

    name: str
    flop: Number
    moved_bytes: Number
    """Bytes to and from memory."""
    ways: float
    """Over how many chips the bytes divide at most; beyond it each chip moves its own copy."""
    launches: float
    """Kernels started, over all layers."""
    attention: bool = False
    """True for the attention product itself, which runs in 16 bits whatever the weights are."""
    head: bool = False
    """True for the output head, which only the last pipeline stage runs."""


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
    positive = ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab")
    faults = [Fault(f"{llm.name}.{name}", str(getattr(llm, name)), "a number above 0", "give the model's own value")
              for name in positive if getattr(llm, name) <= 0]
    if llm.experts and not (0 < llm.experts_per_token <= llm.experts and llm.expert_ffn > 0):
        faults.append(Fault(f"{llm.name}.experts", f"{llm.experts_per_token} of {llm.experts}, width {llm.expert_ffn}",
                            "0 < experts_per_token <= experts, expert_ffn > 0", "correct the mixture of experts"))
    if not llm.experts and llm.ffn <= 0:
        faults.append(Fault(f"{llm.name}.ffn", str(llm.ffn), "a number above 0", "give the width of the feed-forward"))
    if not 0.0 <= llm.global_layer_share <= 1.0:
        faults.append(Fault(f"{llm.name}.global_layer_share", str(llm.global_layer_share), "0 to 1", "give a share"))
    if faults:
        raise BadValue(*faults)


def _dense_layers(llm: LLM) -> int:
    return min(llm.dense_layers, llm.layers) if llm.experts else llm.layers


def _query_width(llm: LLM) -> int:
    """Width of the queries of all heads; a latent cache keeps a part of each head for the position."""
    return llm.heads * (llm.head_dim + (llm.rope_head_dim if llm.kv_lora_rank else 0))


def _attention_parameters(llm: LLM) -> float:
    if not llm.kv_lora_rank:
        return float(llm.hidden * llm.head_dim * (2 * llm.heads + 2 * llm.kv_heads))
    query_width = _query_width(llm)
    value_dim = llm.v_head_dim or llm.head_dim
    query = llm.q_lora_rank * (llm.hidden + query_width) if llm.q_lora_rank else llm.hidden * query_width
    key_value = llm.hidden * (llm.kv_lora_rank + llm.rope_head_dim)
    expand = llm.kv_lora_rank * llm.heads * (llm.head_dim + value_dim)
    return float(query + key_value + expand + llm.heads * value_dim * llm.hidden)


def parameters(llm: LLM) -> ParameterCounts:
    """Count the parameters of a model: matrices, embeddings and norms; no biases.

    >>> llama = LLM("Llama 2 7B", layers=32, hidden=4096, heads=32, kv_heads=32, head_dim=128, ffn=11008, vocab=32000)
    >>> parameters(llama).total
    6738415616.0
    """
    check(llm)
    matrices = 3 if llm.gated_ffn else 2
    dense = _dense_layers(llm)
    mixed = llm.layers - dense
    attention = _attention_parameters(llm)
    ffn = float(matrices * llm.hidden * llm.ffn)
    expert = float(matrices * llm.hidden * llm.expert_ffn)
    shared = float(llm.shared_experts * matrices * llm.hidden * (llm.shared_expert_ffn or llm.expert_ffn)
                   + llm.experts * llm.hidden)
    embedding = float(llm.vocab * llm.hidden * (1 if llm.tied_embeddings else 2))
    common = (llm.layers * attention + dense * ffn + mixed * shared + embedding
              + (2 * llm.layers + 1) * llm.hidden)
    return ParameterCounts(
        total=common + mixed * llm.experts * expert,
        active=common + mixed * llm.experts_per_token * expert,
        embedding=embedding, attention_per_layer=attention, ffn_per_layer=ffn, expert=expert, shared_per_layer=shared,
    )


def _head_bytes(weight: Number, head: Number | None) -> Number:
    """Bytes of one number of the embeddings and the output head: as given, else at 16 bits or wider."""
    return np.maximum(weight, _SIXTEEN_BITS) if head is None else head


def weight_bytes(llm: LLM, bytes_per_weight: Number, head_bytes: Number | None = None) -> Number:
    """Bytes that the weights take; embeddings and head stay at `head_bytes`, by default at 16 bits or wider."""
    counts = parameters(llm)
    head = _head_bytes(bytes_per_weight, head_bytes)
    return (counts.total - counts.embedding) * bytes_per_weight + counts.embedding * head


def distinct_experts(experts: float, per_token: float, tokens: Number) -> Number:
    """Expected number of experts that a batch of tokens touches under even routing: ``E (1 - (1 - k/E)^tokens)``.

    >>> float(distinct_experts(8, 2, 1)), float(distinct_experts(8, 2, 1000))
    (2.0, 8.0)
    """
    return np.asarray(experts * (1.0 - (1.0 - per_token / experts) ** np.asarray(tokens, dtype=float)))


def kv_bytes_per_token_layer(llm: LLM, kv_bytes: Number) -> Number:
    """Cache bytes of one token in one layer: two vectors a KV head, or one latent vector."""
    width = llm.kv_lora_rank + llm.rope_head_dim if llm.kv_lora_rank else 2 * llm.kv_heads * llm.head_dim
    return width * np.asarray(kv_bytes, dtype=float)


def _layers_by_reach(llm: LLM) -> tuple[float, float]:
    """Return how many layers see the whole context and how many a window of it."""
    whole = llm.layers * llm.global_layer_share if llm.sliding_window else float(llm.layers)
    return whole, llm.layers - whole


def kv_cache_bytes(llm: LLM, context: Number, kv_bytes: Number) -> Number:
    """Cache bytes of one sequence of `context` tokens; layers with a window keep no more than the window.

    >>> llama = LLM("Llama 3 70B", layers=80, hidden=8192, heads=64, kv_heads=8, head_dim=128, ffn=28672, vocab=128256)
    >>> float(kv_cache_bytes(llama, 1.0, 2.0))
    327680.0
    """
    return _kept_tokens(llm, context) * kv_bytes_per_token_layer(llm, kv_bytes)


def _kept_tokens(llm: LLM, context: Number) -> Array:
    """Tokens of a context that the cache holds, summed over the layers."""
    whole, local = _layers_by_reach(llm)
    return np.asarray(whole * np.asarray(context, dtype=float) + local * np.minimum(context, llm.sliding_window))


def _pairs(new: Number, past: Number, window: float) -> Number:
    """Pairs of (query, key) of `new` causal tokens after `past` ones, each seeing at most `window` keys."""
    def until(tokens: Number) -> Number:
        inside = np.minimum(tokens, window)
        return inside * (inside + 1.0) / 2.0 + (tokens - inside) * window
    return until(np.asarray(past, dtype=float) + new) - until(np.asarray(past, dtype=float))


def attention_flop(llm: LLM, new: Number, past: Number) -> Number:
    """FLOP of scores and weighted values of one sequence, over all layers.

    ``2 heads (d_qk + d_v)`` a pair; latent attention works on the latent vector while it decodes (``new`` small) and on
    expanded heads in prefill, whichever is less.
    """
    whole, local = _layers_by_reach(llm)
    value_dim = llm.v_head_dim or llm.head_dim
    per_pair = 2.0 * llm.heads * (llm.head_dim + (llm.rope_head_dim if llm.kv_lora_rank else 0) + value_dim)
    pairs = whole * _pairs(new, past, _NO_WINDOW) + (local * _pairs(new, past, llm.sliding_window) if local else 0.0)
    if not llm.kv_lora_rank:
        return per_pair * pairs
    latent = 2.0 * llm.heads * (2 * llm.kv_lora_rank + llm.rope_head_dim) * pairs
    expand = 2.0 * llm.layers * llm.kv_lora_rank * llm.heads * (llm.head_dim + value_dim) * np.asarray(past)
    return np.minimum(latent, per_pair * pairs + expand)


def message_bytes(llm: LLM, tokens: Number, activation_bytes: Number) -> Number:
    """Bytes of one all-reduce of tensor parallelism: the hidden state of all tokens (two such messages a layer)."""
    return np.asarray(tokens, dtype=float) * llm.hidden * activation_bytes


def operators(
    llm: LLM,
    sequences: Number,
    new: Number,
    past: Number,
    *,
    weight: Number,
    activation: Number,
    kv: Number,
    head: Number | None = None,
) -> tuple[Operator, ...]:
    """List the work of one forward pass of the whole model.

    `sequences`, `new` and `past` [token] broadcast, as do the bytes per element `weight`, `activation`, `kv`, `head`.
    The head runs for the last token of each sequence only.
    """
    counts = parameters(llm)
    sequences, new = np.asarray(sequences, dtype=float), np.asarray(new, dtype=float)
    tokens = sequences * new
    head_width = _head_bytes(weight, head)
    dense = _dense_layers(llm)
    mixed = llm.layers - dense
    query_width = _query_width(llm)
    out = [
        Operator("projections", 2.0 * tokens * llm.layers * counts.attention_per_layer,
                 llm.layers * (counts.attention_per_layer * weight + tokens * 2 * query_width * activation),
                 np.inf, 2.0 * llm.layers),
        Operator("attention", sequences * attention_flop(llm, new, past),
                 sequences * _kv_moved(llm, new, past, kv), 1.0 if llm.kv_lora_rank else float(llm.kv_heads),
                 2.0 * llm.layers, attention=True),
        Operator("norms", 0.0 * tokens, llm.layers * tokens * 8.0 * llm.hidden * activation, 1.0, 2.0 * llm.layers),
    ]
    if dense:
        moved = counts.ffn_per_layer * weight + tokens * 4 * llm.ffn * activation
        out.append(Operator("feed-forward", 2.0 * tokens * dense * counts.ffn_per_layer, dense * moved, np.inf,
                            3.0 * dense))
    if mixed:
        touched = distinct_experts(llm.experts, llm.experts_per_token, tokens)
        flop = counts.shared_per_layer + llm.experts_per_token * counts.expert
        moved = ((counts.shared_per_layer + touched * counts.expert) * weight
                 + tokens * llm.experts_per_token * (4 * llm.expert_ffn + 2 * llm.hidden) * activation)
        out.append(Operator("experts", 2.0 * tokens * mixed * flop, mixed * moved, np.inf, 6.0 * mixed))
    head_parameters = float(llm.vocab * llm.hidden)
    out.append(Operator("head", 2.0 * sequences * head_parameters,
                        head_parameters * head_width + sequences * llm.vocab * _LOGIT_BYTES, np.inf, 2.0, head=True))
    return tuple(out)


def _kv_moved(llm: LLM, new: Number, past: Number, kv: Number) -> Number:
    """Cache bytes that one sequence reads (its past) and writes (its new tokens)."""
    tokens = _kept_tokens(llm, past) + llm.layers * np.asarray(new, dtype=float)
    return np.asarray(tokens * kv_bytes_per_token_layer(llm, kv))
