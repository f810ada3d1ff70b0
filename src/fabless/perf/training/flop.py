"""FLOP of training: what the model asks for, and what a recipe computes."""

from __future__ import annotations

import numpy as np

from fabless.perf.training.recipe import Recipe
from fabless.records import LLM
from fabless.workload import Number, attention_flop, parameters, state_flop


def multiplied_parameters(llm: LLM) -> Number:
    """Parameters that multiply one token [1]: those in use, less an input embedding that is only
    looked up."""
    counts = parameters(llm)
    return counts.active - np.where(np.asarray(llm.tied_embeddings), 0.0, counts.embedding / 2.0)


def model_flop_per_token(llm: LLM, sequence: Number, trained: Number = 1.0, causal: bool = True) -> Number:
    """FLOP that training one token of a sequence of `sequence` tokens asks for [FLOP]; replays do
    not count.

    ``6 N + 3 A``: N parameters in use, A the forward FLOP of attention a token, of which a causal model needs half of
    all pairs; ``causal=False`` counts all pairs, as llm-foundry and MaxText until 2025 do. Frozen
    weights: ``4 N``.
    """
    tokens = np.asarray(sequence, dtype=float)
    pairs = attention_flop(llm, tokens, 0.0) / tokens
    attention = pairs if causal else pairs * 2.0 * tokens / (tokens + 1.0)
    return (2.0 + 2.0 + 2.0 * np.asarray(trained)) * multiplied_parameters(llm) + 3.0 * (attention + state_flop(llm))


def hardware_flop_per_token(llm: LLM, recipe: Recipe) -> Number:
    """FLOP that a recipe really computes for a token: model FLOP and what it replays [FLOP]."""
    tokens = np.asarray(recipe.sequence, dtype=float)
    attention = attention_flop(llm, tokens, 0.0) / tokens
    # the output head and the look-up are outside of the layers and never replayed
    head = np.asarray(llm.vocab, dtype=float) * llm.hidden
    layers = 2.0 * (multiplied_parameters(llm) - head) + state_flop(llm)
    return (model_flop_per_token(llm, tokens, recipe.trained) + recipe.replay * layers
            + np.maximum(recipe.replay, recipe.selective) * attention)
