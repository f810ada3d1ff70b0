"""Time of one micro-batch on one chip, by part: the layers of the whole model, and what stands
around them.

Times are for all layers, split over tensor, context and expert parallelism but not yet over
pipeline stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fabless.perf.kernels import overlap
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.kernels import product, stream_time
from fabless.perf.training.machine import TrainingMachine
from fabless.perf.training.network import expert_dispatch, gather, group
from fabless.perf.training.recipe import Recipe
from fabless.records import LLM
from fabless.workload import (
    Layers,
    Number,
    ParameterCounts,
    attention_flop,
    layers,
    parameters,
    query_width,
    state_flop,
    value_dim,
)

ACTIVATION_BYTES = 2.0
"""Activations stay in 16 bits whatever the products are in [B]."""
BACKWARD_ATTENTION = 2.5
"""Fused attention computes its scores again: five products backward, two forward."""


@dataclass(kw_only=True)
class Pass:
    """Times of a forward or backward pass over all layers [s]."""

    products: Number = 0.0
    attention: Number = 0.0
    elements: Number = 0.0
    tensor: Number = 0.0
    """Messages of tensor parallelism."""
    context: Number = 0.0
    expert: Number = 0.0
    last: Number = 0.0
    """Time of the last product of each layer, which `products` includes."""

    @property
    def compute(self) -> Number:
        """Time without messages."""
        return self.products + self.attention + self.elements


@dataclass
class MicroBatchWork:
    """One micro-batch: forward and backward over all layers, then the embedding and the output head
    with the loss."""

    forward: Pass = field(default_factory=Pass)
    backward: Pass = field(default_factory=Pass)
    head: Number = 0.0
    """Head, loss and embedding, forward and backward."""


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """Quantities that every part of a micro-batch needs."""

    llm: LLM
    count: Layers
    parameters: ParameterCounts
    machine: TrainingMachine
    recipe: Recipe
    efficiency: TrainingEfficiency
    tokens: Number
    """Tokens of a micro-batch on one chip."""
    tensor: Number

    @property
    def rate(self) -> Number:
        """FLOP/s of large products with weights."""
        return self.machine.peak_flops * self.machine.compute

    @property
    def rate_16bit(self) -> Number:
        return self.machine.peak_16bit * self.efficiency.compute_16bit


def _matrix(
    at: _Setting, work: MicroBatchWork, count: Number, k: Number, n: Number, *, split_in: bool,
    last: bool = False, rows: Number | None = None, groups: Number | None = None,
) -> None:
    """Add a product ``rows x k x n`` of `count` layers: forward, by its input, by its weight; with
    casts below 16 bits.

    Tensor parallelism splits the input width k (`split_in`) or the output width n. With `groups`,
    weights of so many experts stand beside one another and the tensor-parallel chips split the rows
    instead.
    """
    machine, efficiency, width = at.machine, at.efficiency, at.machine.operand_bytes
    tokens = at.tokens if rows is None else rows
    degree = at.tensor if groups is None else 1.0
    rate = at.rate if groups is None else at.rate * efficiency.grouped
    weights = k * n * (1.0 if groups is None else groups) / degree
    taken = tokens * k / (degree if split_in else 1.0)
    given = tokens * n / (1.0 if split_in else degree)
    flop = 2.0 * tokens * k * n / degree
    forward = product(
        flop, (taken + weights) * width + given * ACTIVATION_BYTES, rate, machine, efficiency
    )
    by_input = product(
        flop, (given + weights) * width + taken * ACTIVATION_BYTES, rate, machine, efficiency
    )
    by_weight = product(
        flop, (taken + given) * width + weights * 2.0 * efficiency.gradient_bytes, rate, machine,
        efficiency,
    )
    work.forward.products = work.forward.products + count * forward
    work.backward.products = work.backward.products + count * (
        by_input + at.recipe.trained * by_weight
    )
    if last:
        work.forward.last = work.forward.last + count * forward
    narrow = np.where(np.asarray(width) < ACTIVATION_BYTES, 1.0, 0.0)
    cast = narrow * (ACTIVATION_BYTES + 2.0 * width)
    work.forward.elements = work.forward.elements + count * stream_time(
        taken * cast, narrow, machine, efficiency
    )
    work.backward.elements = work.backward.elements + count * stream_time(
        given * cast, narrow, machine, efficiency
    )


def _elements(at: _Setting, work: MicroBatchWork, count: Number, forward: Number, backward: Number,
              launches: Number) -> None:
    """Add element-wise work of `count` layers: bytes forward and backward, fused as far as the
    stack does it."""
    passes = at.efficiency.element_passes
    for side, moved in ((work.forward, forward), (work.backward, backward)):
        side.elements = side.elements + count * stream_time(
            moved * passes, launches * passes, at.machine, at.efficiency
        )


def _residual(at: _Setting, work: MicroBatchWork, count: Number) -> None:
    """Add norm, dropout and residual of `count` blocks, and their messages of tensor parallelism.

    Norm: reads and writes one hidden state forward (4 B a number), reads two and writes one
    backward (6 B). Residual: 6 B forward; dropout adds its mask (1 B) and, backward, another pass
    (5 B). Without sequence parallelism every tensor-parallel chip does all of it, and all-reduces
    where it would gather and scatter: the same bytes.
    """
    hidden = at.tokens * at.llm.hidden
    rank_hidden = hidden / np.where(np.asarray(at.recipe.sequence_parallel) > 0.0, at.tensor, 1.0)
    dropout = np.asarray(at.recipe.dropout)
    _elements(
        at, work, count, forward=rank_hidden * (10.0 + dropout),
        backward=rank_hidden * (6.0 + 5.0 * dropout), launches=2.0,
    )
    message = hidden * ACTIVATION_BYTES
    pair = 2.0 * gather(message, group(at.tensor, 1.0, at.machine), at.machine, at.efficiency)
    work.forward.tensor = work.forward.tensor + count * pair
    work.backward.tensor = work.backward.tensor + count * pair


def _fused(at: _Setting) -> tuple[Number, Number]:
    """Time of fused attention over all layers, forward and backward."""
    llm, recipe, efficiency = at.llm, at.recipe, at.efficiency
    sequence = np.asarray(recipe.sequence, dtype=float)
    split = at.tensor * recipe.context
    flop = (
        recipe.micro_batch
        * attention_flop(llm, sequence, 0.0)
        * (1.0 + efficiency.attention_tile / sequence)
        / split
    )
    moved = at.count.attention * at.tokens / at.tensor * ACTIVATION_BYTES * 2.0 * (
        query_width(llm) + llm.kv_heads * value_dim(llm))
    rate = at.machine.peak_16bit * efficiency.attention
    memory_s = moved / (at.machine.memory_bandwidth * efficiency.bandwidth)
    launch = at.count.attention * efficiency.launch_s
    forward = overlap(flop / rate, memory_s)
    backward = overlap(BACKWARD_ATTENTION * flop / rate, 2.0 * memory_s)
    return launch + forward, 2.0 * launch + backward


def _written(at: _Setting) -> tuple[Number, Number]:
    """Time of attention that writes its scores: all pairs, two batched products forward and four
    backward.

    Bytes of a score: forward product 2, softmax 4, dropout 5, product 2; backward products 2 + 2,
    dropout 5, softmax 6, products 2 + 2 (16-bit scores, masks of one byte).
    """
    llm, recipe = at.llm, at.recipe
    sequence = np.asarray(recipe.sequence, dtype=float)
    scores = recipe.micro_batch * sequence**2 * llm.heads / (at.tensor * recipe.context)
    flop = 2.0 * scores * llm.head_dim
    product_s = product(flop, 2.0 * scores, at.rate_16bit, at.machine, at.efficiency)
    dropout = 5.0 * np.asarray(recipe.dropout)
    forward = 2.0 * product_s + stream_time(
        (4.0 + dropout) * scores, 2.0, at.machine, at.efficiency
    )
    backward = 4.0 * product_s + stream_time(
        (6.0 + dropout) * scores, 2.0, at.machine, at.efficiency
    )
    return at.count.attention * forward, at.count.attention * backward


def _attention(at: _Setting, work: MicroBatchWork) -> None:
    """Add attention blocks: projections, the product itself, rotation, messages of context
    parallelism."""
    llm, count = at.llm, at.count.attention
    out = llm.heads * value_dim(llm)
    _matrix(
        at, work, count, llm.hidden, at.parameters.attention_per_layer / llm.hidden - out,
        split_in=False,
    )
    _matrix(at, work, count, out, llm.hidden, split_in=True)
    _residual(at, work, count)
    width = (query_width(llm) + llm.kv_heads * llm.head_dim) / at.tensor
    rotated = np.where(np.asarray(llm.gated_ffn), at.tokens * width * 2.0 * ACTIVATION_BYTES, 0.0)
    _elements(at, work, count, forward=rotated, backward=rotated, launches=1.0)
    fused = np.asarray(at.recipe.fused_attention)
    forward, backward = _fused(at)
    if np.any(fused < 1.0):
        forward_written, backward_written = _written(at)
        forward = np.where(fused > 0.0, forward, forward_written)
        backward = np.where(fused > 0.0, backward, backward_written)
    work.forward.attention = work.forward.attention + forward
    work.backward.attention = work.backward.attention + backward
    context = np.asarray(at.recipe.context, dtype=float)
    if np.any(context > 1.0):
        cache = (
            at.tokens * context * 2.0 * llm.kv_heads * llm.head_dim / at.tensor * ACTIVATION_BYTES
        )
        once = count * gather(
            cache, group(context, at.tensor, at.machine), at.machine, at.efficiency
        )
        work.forward.context = work.forward.context + once
        work.backward.context = work.backward.context + 2.0 * once


def _linear(at: _Setting, work: MicroBatchWork) -> None:
    """Add linear mixers: projections and the scan of their state."""
    llm, count = at.llm, at.count.linear
    out = np.asarray(llm.linear_value_heads, dtype=float) * llm.linear_value_dim
    _matrix(
        at, work, count, llm.hidden, at.parameters.linear_per_layer / llm.hidden - out,
        split_in=False,
    )
    _matrix(at, work, count, out, llm.hidden, split_in=True)
    _residual(at, work, count)
    scan = (
        at.tokens * state_flop(llm) / at.tensor / (at.machine.peak_16bit * at.efficiency.attention)
    )
    work.forward.attention = work.forward.attention + scan
    work.backward.attention = work.backward.attention + BACKWARD_ATTENTION * scan


def _activation(at: _Setting, work: MicroBatchWork, count: Number, width: Number) -> None:
    """Add the activation of `count` layers on `width` numbers a token.

    Gated: reads two, writes one (6 B); backward reads three, writes two (10 B). Plain: 4 B and 6 B.
    """
    gated = np.asarray(at.llm.gated_ffn)
    _elements(
        at, work, count, forward=at.tokens * width * np.where(gated, 6.0, 4.0),
        backward=at.tokens * width * np.where(gated, 10.0, 6.0), launches=1.0)


def _feed_forward(at: _Setting, work: MicroBatchWork, count: Number, width: Number) -> None:
    ways = np.where(np.asarray(at.llm.gated_ffn), 2.0, 1.0)
    _matrix(at, work, count, at.llm.hidden, ways * width, split_in=False)
    _matrix(at, work, count, width, at.llm.hidden, split_in=True, last=True)
    _activation(at, work, count, width / at.tensor)


def _experts(at: _Setting, work: MicroBatchWork) -> None:
    """Add mixtures: shared experts, routed ones under even routing, permutations, all-to-all there
    and back."""
    llm, count = at.llm, at.count.mixed
    width = np.where(np.asarray(llm.shared_expert_ffn) > 0, llm.shared_expert_ffn, llm.expert_ffn)
    if np.any(np.asarray(llm.shared_experts) > 0):
        _feed_forward(at, work, count, llm.shared_experts * np.asarray(width, dtype=float))
    rows = at.tokens / at.tensor * llm.experts_per_token
    groups = llm.experts / np.asarray(at.recipe.expert, dtype=float)
    ways = np.where(np.asarray(llm.gated_ffn), 2.0, 1.0)
    _matrix(
        at, work, count, llm.hidden, ways * llm.expert_ffn, split_in=False, rows=rows, groups=groups
    )
    _matrix(
        at, work, count, llm.expert_ffn, llm.hidden, split_in=True, last=True, rows=rows,
        groups=groups,
    )
    _activation(at, work, count, llm.experts_per_token / at.tensor * llm.expert_ffn)
    permuted = 2.0 * rows * llm.hidden * 2.0 * ACTIVATION_BYTES
    _elements(at, work, count, forward=permuted, backward=permuted, launches=4.0)
    _residual(at, work, count)
    exchange_s = expert_dispatch(
        at.tokens / at.tensor, llm.hidden * ACTIVATION_BYTES, llm.experts_per_token,
        who=group(at.recipe.expert, 1.0, at.machine), machine=at.machine, efficiency=at.efficiency)
    work.forward.expert = work.forward.expert + 2.0 * count * exchange_s
    work.backward.expert = work.backward.expert + 2.0 * count * exchange_s


def _head(at: _Setting) -> Number:
    """Time of output head, loss and embedding: products in 16 bits, 16 B a logit, 12 B a number of
    the embedding."""
    llm, machine, efficiency = at.llm, at.machine, at.efficiency
    vocabulary = np.asarray(llm.vocab, dtype=float) / at.tensor
    hidden, logits = at.tokens * llm.hidden, at.tokens * vocabulary
    moved = (hidden + logits + vocabulary * llm.hidden) * ACTIVATION_BYTES
    product_s = product(2.0 * logits * llm.hidden, moved, at.rate_16bit, machine, efficiency)
    elements = (16.0 * logits + 12.0 * hidden) * efficiency.element_passes
    return (2.0 + np.asarray(at.recipe.trained)) * product_s + stream_time(
        elements, 8.0, machine, efficiency
    )


def micro_batch(
    llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency
) -> MicroBatchWork:
    """Time one micro-batch on one chip; everything broadcasts."""
    tokens = (
        np.asarray(recipe.micro_batch, dtype=float)
        * recipe.sequence
        / np.asarray(recipe.context, dtype=float)
    )
    at = _Setting(
        llm=llm, count=layers(llm), parameters=parameters(llm), machine=machine, recipe=recipe,
        efficiency=efficiency, tokens=tokens, tensor=np.asarray(recipe.tensor, dtype=float))
    work = MicroBatchWork()
    if np.any(at.count.attention > 0.0):
        _attention(at, work)
    if np.any(at.count.linear > 0.0):
        _linear(at, work)
    if np.any(at.count.dense > 0.0):
        _feed_forward(at, work, at.count.dense, np.asarray(llm.ffn, dtype=float))
        _residual(at, work, at.count.dense)
    if np.any(at.count.mixed > 0.0):
        _experts(at, work)
    work.head = _head(at)
    return work

