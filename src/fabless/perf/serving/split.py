"""How a model is split over chips, and what of it one chip holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.machine import Machine
from fabless.records import LLM
from fabless.workload import (
    Number,
    is_latent,
    kv_cache_bytes,
    layers,
    parameters,
    weight_bytes,
)


@dataclass(frozen=True)
class Split:
    """How one instance of a model is split: `pipeline` stages of ``tensor x data`` chips; numbers
    or arrays.

    Attention runs on `data` groups of `tensor` chips, each group with its own sequences; routed
    experts lie over the stage's chips in `expert` groups, each expert split over the chips of a
    group.
    """

    tensor: Number
    pipeline: Number = 1
    expert: Number = 1
    data: Number = 1

    @property
    def stage(self) -> Number:
        """Chips of a stage."""
        return np.asarray(self.tensor, dtype=float) * self.data

    @property
    def chips(self) -> Number:
        """Chips of the instance."""
        return self.stage * self.pipeline


@dataclass(frozen=True)
class Memory:
    """How the memory of one chip is shared [B]; `free` is negative when the load does not fit."""

    weights: Number
    kv_cache: Number
    overhead: Number
    free: Number


def longest_stage(llm: LLM, pipeline: Number) -> Number:
    """Share of the layers in the fullest pipeline stage [share]: ``ceil(L/pp) / L``."""
    return np.asarray(np.ceil(llm.layers / np.asarray(pipeline, dtype=float)) / llm.layers)


def cache_ways(llm: LLM, tensor: Number) -> Number:
    """Over how many chips of a tensor group the cache divides: at most one for each KV head, one
    for latent vectors."""
    return np.asarray(
        np.minimum(tensor, np.where(is_latent(llm), 1.0, np.maximum(llm.kv_heads, 1)))
    )


def group_sequences(sequences: Number, data: Number) -> Number:
    """Sequences of the attention group that paces: an even share, but no part of a sequence."""
    count = np.asarray(sequences, dtype=float)
    return np.asarray(np.maximum(count / data, np.minimum(count, 1.0)))


def memory(llm: LLM, machine: Machine, split: Split, sequences: Number, context: Number) -> Memory:
    """Share the memory of one chip when `sequences` of `context` tokens are in flight over the
    whole instance.

    Of the fullest stage. Attention weights divide over a tensor group, dense feed-forwards too,
    routed experts over all chips of a stage, the cache over the group's KV heads and over the
    attention groups.
    """
    tensor = np.asarray(split.tensor, dtype=float)
    share = longest_stage(llm, split.pipeline)
    counts = parameters(llm)
    routed = layers(llm).mixed * llm.experts * counts.expert
    dense = weight_bytes(llm, machine.weight_bytes, 0.0)
    weights = (dense / tensor + routed * machine.expert_bytes / split.stage) * share
    held = group_sequences(sequences, split.data) * kv_cache_bytes(llm, context, machine.kv_bytes)
    cache = held / cache_ways(llm, tensor) * share
    size = np.asarray(machine.memory_bytes, dtype=float)
    overhead = size * (1.0 - machine.engine.memory_share)
    return Memory(*np.broadcast_arrays(weights, cache, overhead, size - overhead - weights - cache))


def room(llm: LLM, machine: Machine, split: Split, context: Number) -> Number:
    """Sequences of `context` tokens that an instance holds; below 1 where it does not hold one
    [count]."""
    held = memory(llm, machine, split, split.data, context)
    return np.asarray(np.floor((held.free + held.kv_cache) / held.kv_cache) * split.data)


