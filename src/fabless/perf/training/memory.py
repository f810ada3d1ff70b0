"""Memory of the fullest chip in training, by part (Korthikanti et al. 2022, arXiv 2205.05198)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.machine import TrainingMachine
from fabless.perf.training.recipe import Recipe
from fabless.perf.training.step import expert_shards, stage_layers
from fabless.perf.training.work import ACTIVATION_BYTES
from fabless.records import LLM
from fabless.workload import Number, layers, parameters, query_width, value_dim

WEIGHT_BYTES = 2.0
"""Weights that are multiplied are kept in 16 bits [B]."""
STATE_BYTES = 12.0
"""Adam: master weight and two moments in 32 bits [B]."""
LOGIT_BYTES = 6.0
"""Logits in 16 bits and their copy in 32 [B]."""
GATHERED_LAYERS = 2.0
"""Layers whose weights are whole at once where they are shared: the one at work and the next."""


@dataclass(frozen=True, kw_only=True)
class TrainingMemory:
    """How the memory of one chip is shared [B]; `free` is negative where the recipe does not
    fit."""

    weights: Number
    gradients: Number
    optimizer: Number
    activations: Number
    workspace: Number
    """Logits, a replayed layer, gathered weights."""
    overhead: Number
    free: Number


def activation_bytes_per_layer(llm: LLM, recipe: Recipe, operand: Number = ACTIVATION_BYTES) -> tuple[Number, Number]:
    """Bytes that a mean layer keeps of one micro-batch for its backward pass, and those of its
    scores alone.

    For a transformer of GPT's form ``s b h (10 + 24 / t + 5 a s / (h t))``: norms, block inputs and
    dropout masks are whole without sequence parallelism, all else is split over t tensor-parallel
    chips. Fused attention keeps one number a query instead of the scores. Inputs of products are
    kept `operand` bytes wide. Returns (all but scores, scores).
    """
    degree = np.asarray(recipe.tensor, dtype=float)
    tokens = np.asarray(recipe.micro_batch, dtype=float) * recipe.sequence / recipe.context
    count, total = layers(llm), np.asarray(llm.layers, dtype=float)
    outer = np.where(np.asarray(recipe.sequence_parallel) > 0.0, degree, 1.0)
    whole = count.blocks * (ACTIVATION_BYTES + operand + np.asarray(recipe.dropout)) * llm.hidden / outer
    out = llm.heads * value_dim(llm)
    attention = ACTIVATION_BYTES * (query_width(llm) + llm.kv_heads * (llm.head_dim + value_dim(llm)) + out)
    ways = np.where(np.asarray(llm.gated_ffn), 2.0, 1.0) * ACTIVATION_BYTES + operand
    shared = np.where(np.asarray(llm.shared_expert_ffn) > 0, llm.shared_expert_ffn, llm.expert_ffn) * llm.shared_experts
    routed = llm.experts_per_token * (ways * llm.expert_ffn + 2.0 * ACTIVATION_BYTES * llm.hidden)
    linear = parameters(llm).linear_per_layer / llm.hidden * ACTIVATION_BYTES
    inner = (count.attention * attention + count.linear * linear + count.dense * ways * llm.ffn
             + count.mixed * (ways * shared + routed)) / degree
    written = (4.0 + np.asarray(recipe.dropout)) * np.asarray(recipe.sequence, dtype=float)
    score = np.where(np.asarray(recipe.fused_attention) > 0.0, 4.0, written) * llm.heads / degree
    return tokens * (whole + inner) / total, tokens * count.attention * score / total


def in_flight(recipe: Recipe) -> Number:
    """Micro-batches whose activations the first stage holds at once: p, with interleaving ``p +
    (p-1)/v``."""
    stages = np.asarray(recipe.pipeline, dtype=float)
    turns = np.asarray(recipe.interleave, dtype=float)
    held = np.where((stages > 1.0) & (turns > 1.0), stages + (stages - 1.0) / turns, stages)
    return np.asarray(np.minimum(held, np.maximum(recipe.micro_batches, 1.0)))


def training_memory(llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency) -> TrainingMemory:
    """Share the memory of the fullest chip; every number broadcasts."""
    counts = parameters(llm)
    stages, degree = np.asarray(recipe.pipeline, dtype=float), np.asarray(recipe.tensor, dtype=float)
    total, (most, _) = np.asarray(llm.layers, dtype=float), stage_layers(llm, recipe)
    all_experts = layers(llm).mixed * llm.experts * counts.expert
    table = np.where(stages > 1.0, np.asarray(llm.vocab, dtype=float) * llm.hidden, counts.embedding)
    layer = (counts.total - counts.embedding - all_experts) / total
    dense = (most * layer + table) / degree
    experts = most * all_experts / total / recipe.expert
    sharding = np.asarray(recipe.sharding, dtype=float)

    def held(level: float) -> Number:
        shared = sharding >= level
        return np.asarray(dense / np.where(shared, recipe.shards, 1.0)
                          + experts / np.where(shared, expert_shards(recipe), 1.0))

    trained = np.asarray(recipe.trained, dtype=float)
    kept, scores = activation_bytes_per_layer(llm, recipe, np.minimum(machine.operand_bytes, ACTIVATION_BYTES))
    replay = np.asarray(recipe.replay, dtype=float)
    core = np.maximum(replay, np.asarray(recipe.selective, dtype=float))
    tokens = np.asarray(recipe.micro_batch, dtype=float) * recipe.sequence / recipe.context
    outer = np.where(np.asarray(recipe.sequence_parallel) > 0.0, degree, 1.0)
    entry = tokens * llm.hidden * ACTIVATION_BYTES / outer
    a_layer = (1.0 - replay) * kept + (1.0 - core) * scores + replay * entry
    ends = np.where(stages > 1.0, np.asarray(recipe.dropout), np.asarray(recipe.dropout) + 2.0 * ACTIVATION_BYTES)
    activations = in_flight(recipe) * total / stages * a_layer + ends * tokens * llm.hidden / degree
    gathered = np.where((sharding >= 3.0) & (recipe.shards > 1.0),
                        GATHERED_LAYERS * (layer / degree + experts / most) * WEIGHT_BYTES, 0.0)
    workspace = (tokens * np.asarray(llm.vocab, dtype=float) / degree * LOGIT_BYTES
                 + np.minimum(replay, 1.0) * (kept + scores) + gathered)
    weights, gradients = held(3.0) * WEIGHT_BYTES, held(2.0) * efficiency.gradient_bytes * trained
    optimizer = held(1.0) * STATE_BYTES * trained * np.where(np.asarray(recipe.offload) > 0.0, 0.0, 1.0)
    overhead = machine.memory_bytes * np.asarray(efficiency.memory_overhead)
    free = machine.memory_bytes - weights - gradients - optimizer - activations - workspace - overhead
    return TrainingMemory(
        weights=weights, gradients=gradients, optimizer=optimizer, activations=activations,
        workspace=workspace, overhead=overhead, free=free,
    )


def least_replay(llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency) -> Number:
    """Smallest share of layers to replay with which a recipe fits; 1 where not even all of them are
    enough."""
    none = training_memory(llm, machine, replace(recipe, replay=0.0), efficiency).free
    full = training_memory(llm, machine, replace(recipe, replay=1.0), efficiency).free
    gained = np.maximum(full - none, 1.0)
    return np.where(none >= 0.0, 0.0, np.clip(-none / gained, 0.0, 1.0))
