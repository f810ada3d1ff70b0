"""What a recipe must divide: heads, layers, experts, batch, sequence, chips."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fabless.errors import Fault
from fabless.perf.training.recipe import Recipe
from fabless.records import LLM, Array
from fabless.workload import attention_layers

_ENDS = 2
"""Stages beyond the layers: the first may hold the embedding alone, the last the output head."""


def divisors(number: int, most: float = math.inf) -> list[int]:
    """Whole numbers that divide `number`, up to `most`.

    >>> divisors(12, 6)
    [1, 2, 3, 4, 6]
    """
    small = [k for k in range(1, math.isqrt(number) + 1) if number % k == 0]
    return sorted({k for k in (*small, *(number // k for k in small)) if k <= most})


def feasible(llm: LLM, recipe: Recipe, chips: float) -> Array:
    """True where a recipe divides all it has to and uses `chips` chips; broadcasts."""
    tensor, stages = np.asarray(recipe.tensor), np.asarray(recipe.pipeline)
    runs = np.asarray(recipe.micro_batches)
    turns = np.asarray(recipe.interleave)
    fine = (np.asarray(recipe.chips) == chips) & (runs == np.floor(runs)) & (runs >= 1)
    fine &= (stages * turns <= llm.layers + _ENDS) & ((turns == 1) | ((stages > 1) & (runs % stages == 0)))
    fine &= np.asarray(recipe.sequence) % np.asarray(recipe.context) == 0
    if attention_layers(llm):
        fine &= llm.heads % tensor == 0
    peers = tensor * np.asarray(recipe.context) * np.asarray(recipe.data)
    expert = np.asarray(recipe.expert)
    return np.asarray(fine & (max(llm.experts, 1) % expert == 0) & (peers % expert == 0))


def division_faults(llm: LLM, recipe: Recipe, chips: int) -> list[Fault]:
    """Every reason why one recipe does not divide what it has to, each with the values that
    would."""
    tensor, stages, turns = int(recipe.tensor), int(recipe.pipeline), int(recipe.interleave)
    context, expert, data, micro = int(recipe.context), int(recipe.expert), int(recipe.data), int(recipe.micro_batch)
    batch, sequence = int(recipe.global_batch), int(recipe.sequence)
    faults = []

    def fault(place: str, found: str, allowed: Sequence[int] | str, remedy: str) -> None:
        text = allowed if isinstance(allowed, str) else ", ".join(str(value) for value in allowed[:16])
        faults.append(Fault(place, found, text, remedy))

    if attention_layers(llm) and llm.heads % tensor:
        fault(
            "tensor", f"{tensor} does not divide the {llm.heads} heads of {llm.name}",
            divisors(llm.heads, chips), "choose one of these",
        )
    if stages * turns > llm.layers + _ENDS:
        fault("pipeline", f"{stages} stages of {turns} turns for {llm.layers} layers",
              f"at most {llm.layers + _ENDS} together", "take fewer stages or less interleaving")
    if llm.experts == 0 and expert > 1:
        fault("expert", f"{expert} for a model without experts", "1", "leave it out")
    elif llm.experts and (llm.experts % expert or (tensor * context * data) % expert):
        fault(
            "expert",
            f"{expert} does not divide {llm.experts} experts and the {tensor * context * data} chips of a stage",
            divisors(math.gcd(llm.experts, tensor * context * data)),
            "choose one of these",
        )
    if sequence % context:
        fault(
            "context", f"{context} does not divide the sequence of {sequence} tokens",
            divisors(sequence, 64), "choose one of these",
        )
    if tensor * stages * context * data != chips:
        fault(
            "chips",
            f"{chips}, but tensor {tensor} x pipeline {stages} x context {context} x data {data} is "
            f"{tensor * stages * context * data}",
            "their product",
            "change one of them, or leave data out",
        )
    if batch % (data * micro):
        fault(
            "batch",
            f"{batch} sequences are not whole micro-batches of {micro} on each of {data} data-parallel ranks",
            f"a multiple of {data * micro}",
            "change batch, micro-batch or data",
        )
    elif turns > 1 and (stages == 1 or (batch // (data * micro)) % stages):
        fault(
            "interleave",
            f"{turns} with {batch // (data * micro)} micro-batches on {stages} stages",
            "more than one stage, and micro-batches a multiple of the stages",
            "use interleave 1, or another batch",
        )
    return faults
