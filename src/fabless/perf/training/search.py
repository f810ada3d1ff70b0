"""The best way to train: every parallelism that divides and fits, timed in one call."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from fabless.errors import DoesNotFit, Fault
from fabless.perf.training.divide import divisors, feasible
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.machine import TrainingMachine
from fabless.perf.training.memory import TrainingMemory, least_replay, training_memory
from fabless.perf.training.recipe import Recipe
from fabless.perf.training.step import TrainingStep, step
from fabless.records import LLM, Array

_MICRO_BATCHES = (1, 2, 4, 8, 16)
_TURNS = (1, 2, 3, 4, 5, 6, 8, 10)
_CONTEXTS = (1, 2, 4, 8, 16, 32, 64)
_CONTEXT_TOKENS = 8192
"""Tokens of a sequence that each chip keeps at least where nobody asked for context parallelism."""
_CHUNK = 8192
"""Recipes timed at once: what fits in cache [1]."""


@dataclass(frozen=True)
class TimedRecipe:
    """A recipe with its step and memory; every number is one number."""

    recipe: Recipe
    step: TrainingStep
    memory: TrainingMemory


def chosen(record: object, index: int) -> dict[str, float]:
    """Take element `index` of every number of a record that holds arrays."""
    return {field.name: float(np.ravel(value)[index if np.size(value) > 1 else 0])
            for field in fields(record)  # type: ignore[arg-type]
            if (value := getattr(record, field.name)) is not None}


def possible_recipes(
    llm: LLM, chips: int, base: Recipe, fixed: Mapping[str, float], domain: float
) -> Recipe:
    """Every recipe for `chips` chips that divides all it has to, as arrays; fields in `fixed` keep
    their value.

    Tensor parallelism stays inside the scale-up domain, context parallelism keeps 8,192 tokens a
    chip, weights are shared or only optimizer states are.
    """
    def options(name: str, values: Sequence[float]) -> Sequence[float]:
        return (fixed[name],) if name in fixed else values

    widths = [k for k in divisors(chips, min(domain, 64)) if llm.heads % k == 0 or k == 1]
    lengths = [k for k in _CONTEXTS if k == 1 or base.sequence / k >= _CONTEXT_TOKENS]
    shares = divisors(llm.experts, 256) if llm.experts else [1]
    rows: list[tuple[float, ...]] = []
    for tensor, stages, context in itertools.product(
        options("tensor", widths), options("pipeline", divisors(chips, llm.layers)),
        options("context", lengths),
    ):
        data = chips / (tensor * stages * context)
        if (
            data < 1
            or data != int(data)
            or base.global_batch % data
            or data != fixed.get("data", data)
        ):
            continue
        turns = [k for k in _TURNS if k == 1 or stages > 1]
        rows += itertools.product(
            (tensor,), (stages,), (context,), (data,), options("micro_batch", _MICRO_BATCHES),
            options("interleave", turns), options("expert", shares), options("sharding", (1, 3)))
    names = (
        "tensor", "pipeline", "context", "data", "micro_batch", "interleave", "expert", "sharding",
    )
    table = np.array(rows, dtype=float).reshape(-1, len(names))
    recipe = replace(base, **dict(zip(names, table.T, strict=True)))
    fine = np.broadcast_to(feasible(llm, recipe, chips), len(table))
    return replace(base, **dict(zip(names, table[fine].T, strict=True)))


def _part(recipe: Recipe, where: slice | Array) -> Recipe:
    return replace(
        recipe,
        **{
            field.name: value[where]
            for field in fields(recipe)
            if isinstance(value := getattr(recipe, field.name), np.ndarray) and value.ndim
        },
    )


def best(
    llm: LLM, machine: TrainingMachine, efficiency: TrainingEfficiency, chips: int, base: Recipe,
    fixed: Mapping[str, float], count: int = 5,
) -> list[TimedRecipe]:
    """Return the fastest recipes that fit, best first, at most one for each split of the chips.

    Layers are replayed only as far as memory asks for it, unless `fixed` names `replay`. Raises
    `DoesNotFit` with the recipe that lacks least.
    """
    base = replace(base, **fixed)
    every = possible_recipes(llm, chips, base, fixed, float(np.max(machine.scale_up_domain)))
    total = np.size(every.tensor)
    if total == 0:
        raise DoesNotFit(
            Fault(
                f"{llm.name} on {chips} chips",
                "no parallelism divides heads, layers, experts and batch",
                f"factors of {llm.heads} heads, {llm.layers} layers and {base.global_batch:g} sequences",
                "change the batch or the number of chips",
            )
        )
    times, short, replays = np.empty(total), np.empty(total), np.empty(total)
    for start in range(0, total, _CHUNK):
        part = slice(start, start + _CHUNK)
        recipes = _part(every, part)
        if "replay" not in fixed:
            recipes = replace(recipes, replay=least_replay(llm, machine, recipes, efficiency))
        replays[part] = recipes.replay
        short[part] = training_memory(llm, machine, recipes, efficiency).free
        times[part] = step(llm, machine, recipes, efficiency).time_s
    fits = short >= -1.0
    if not fits.any():
        near = int(np.argmax(short))
        raise DoesNotFit(
            _does_not_fit(
                llm, machine, efficiency, chips=chips, recipe=_at(every, near, replays),
                free=float(short[near]),
            )
        )
    fits &= np.isfinite(times)
    if not fits.any():
        raise DoesNotFit(
            Fault(
                f"{llm.name} on {chips} chips", "the chips that must talk have no link",
                "a link inside or between domains",
                "take fewer chips, or a chip with a scale-out link",
            )
        )
    order = np.argsort(np.where(fits, times, np.inf), kind="stable")[:int(fits.sum())]
    plans: list[TimedRecipe] = []
    seen: set[tuple[float, ...]] = set()
    for index in order:
        recipe = _at(every, int(index), replays)
        split = tuple(
            float(getattr(recipe, name))
            for name in ("tensor", "pipeline", "context", "data", "expert")
        )
        if split not in seen:
            seen.add(split)
            plans.append(planned(llm, machine, recipe, efficiency))
        if len(plans) == count:
            break
    return plans


def _at(every: Recipe, index: int, replays: Array) -> Recipe:
    return replace(Recipe(**chosen(every, index)), replay=float(replays[index]))


def planned(
    llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency
) -> TimedRecipe:
    """Time and size one recipe."""
    return TimedRecipe(recipe, TrainingStep(**chosen(step(llm, machine, recipe, efficiency), 0)),
                TrainingMemory(**chosen(training_memory(llm, machine, recipe, efficiency), 0)))


def _does_not_fit(
    llm: LLM, machine: TrainingMachine, efficiency: TrainingEfficiency, chips: int, recipe: Recipe,
    free: float,
) -> Fault:
    memory = TrainingMemory(**chosen(training_memory(llm, machine, recipe, efficiency), 0))
    parts = {
        "weights": memory.weights, "gradients": memory.gradients, "optimizer": memory.optimizer,
        "activations": memory.activations, "workspace": memory.workspace,
    }
    largest = max(parts, key=lambda name: parts[name])
    needed = float(np.max(machine.memory_bytes)) - free
    return Fault(
        f"{llm.name} on {chips} chips",
        f"the recipe that needs least takes {needed / 1e9:,.0f} GB a chip, most of it "
        f"{largest} ({parts[largest] / 1e9:,.0f} GB)",
        f"{float(np.max(machine.memory_bytes)) / 1e9:,.0f} GB a chip",
        "take more chips, share weights (optimizer sharding 3), recompute fully, shorten the micro-batch, or take a chip "
        "with more memory",
    )
