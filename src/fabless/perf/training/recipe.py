"""How a model is trained: batch, parallelism, precision, recomputation, sharding; numbers or arrays
that broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from fabless.errors import BadValue, Fault, unknown
from fabless.records import Array
from fabless.workload import Number

RECOMPUTE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"none": (0.0, 0.0), "selective": (0.0, 1.0), "full": (1.0, 1.0)})
"""Name -> (replay of whole layers, replay of the core of attention)."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A way to train; every number may be an array."""

    global_batch: Number
    """Sequences a step."""
    sequence: Number
    """Tokens of a sequence."""
    micro_batch: Number = 1.0
    """Sequences that one data-parallel rank takes at once."""
    tensor: Number = 1.0
    pipeline: Number = 1.0
    context: Number = 1.0
    expert: Number = 1.0
    """Chips among which the experts are spread, out of the chips of one pipeline stage."""
    data: Number = 1.0
    """Copies of the model that take different sequences."""
    interleave: Number = 1.0
    """Virtual pipeline stages a chip."""
    sharding: Number = 0.0
    """State sharded by data-parallel ranks: 0 none, 1 optimizer, 2 + gradients, 3 + weights."""
    replicas: Number = 1.0
    """Groups of data-parallel ranks, each with all of the sharded state (hybrid sharding)."""
    replay: Number = 0.0
    """1 if the backward pass computes whole layers again, else 0."""
    selective: Number = 0.0
    """1 if the backward pass computes the core of attention again, else 0."""
    sequence_parallel: Number = 1.0
    """1 where norms and residuals are split over the tensor-parallel chips, else 0."""
    fused_attention: Number = 1.0
    """1 where attention never writes its scores to memory, else 0 (before FlashAttention)."""
    dropout: Number = 0.0
    """1 where layers drop activations out, else 0."""
    offload: Number = 0.0
    """1 where optimizer states and its step are on the host, else 0."""
    trained: Number = 1.0
    """1 where weights are trained; 0 where they are frozen and only adapters are (LoRA)."""

    @property
    def chips(self) -> Number:
        """Chips in use."""
        return (np.asarray(self.tensor, dtype=float) * self.pipeline * self.context * self.data)

    @property
    def micro_batches(self) -> Number:
        """Micro-batches that each data-parallel rank runs a step."""
        return np.asarray(self.global_batch, dtype=float) / (self.data * np.asarray(self.micro_batch, dtype=float))

    @property
    def tokens(self) -> Number:
        """Tokens a step."""
        return np.asarray(self.global_batch, dtype=float) * self.sequence

    @property
    def shards(self) -> Number:
        """Chips among which weights, gradients or optimizer of one stage are shared; context ranks
        take part."""
        return np.asarray(self.data, dtype=float) * self.context / self.replicas


def recomputed(name: str, place: str = "recompute") -> tuple[float, float]:
    """Return `replay` and `selective` of a recipe by the name of its recomputation, or raise
    `UnknownName`."""
    if name not in RECOMPUTE:
        raise unknown("recomputation", name, list(RECOMPUTE), place)
    return RECOMPUTE[name]


def recipe_faults(recipe: Recipe, place: str = "recipe") -> list[Fault]:
    """Every number of a recipe that is not finite or below its least value."""
    zero = {
        "sharding", "replay", "selective", "sequence_parallel", "fused_attention", "dropout",
        "offload", "trained",
    }
    faults = []
    for field in fields(recipe):
        value: Array = np.atleast_1d(np.asarray(getattr(recipe, field.name), dtype=float))
        low, high = (0.0, 3.0 if field.name == "sharding" else 1.0) if field.name in zero else (1.0, 1e12)
        bad = ~((value >= low) & (value <= high))
        if bad.any():
            faults.append(
                Fault(
                    f"{place}.{field.name}", f"{value[bad][0]:g}", f"{low:g} to {high:g}",
                    "correct this number",
                )
            )
    return faults


def check_recipe(recipe: Recipe) -> None:
    """Raise `BadValue` with every fault of a recipe's numbers at once."""
    faults = recipe_faults(recipe)
    if faults:
        raise BadValue(*faults)
