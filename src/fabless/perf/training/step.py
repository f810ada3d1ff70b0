"""Time of a training step by part, from the micro-batches, the pipeline, what the data-parallel
ranks say, the optimizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.kernels import link_time
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.flop import hardware_flop_per_token, model_flop_per_token
from fabless.perf.training.kernels import stream_time
from fabless.perf.training.machine import TrainingMachine
from fabless.perf.training.network import gather, group, send
from fabless.perf.training.recipe import Recipe
from fabless.perf.training.work import ACTIVATION_BYTES, micro_batch
from fabless.records import LLM
from fabless.workload import Number, layers, parameters

OPTIMIZER_BYTES = 30.0
"""Adam in mixed precision, a parameter: reads gradient, master weight and two moments (16 B),
writes the last three and the 16-bit weight (14 B)."""

_FORWARD = 1.0 / 3.0
"""Share of a micro-batch that runs forward."""


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """Time of one step by part [s]; the parts add up to `time_s`."""

    time_s: Number
    products_s: Number
    attention_s: Number
    elements_s: Number
    head_s: Number
    replay_s: Number
    """Recomputation in the backward pass, with its messages."""
    tensor_s: Number
    """Exposed messages of tensor parallelism, which no compute hides."""
    context_s: Number
    expert_s: Number
    data_s: Number
    pipeline_s: Number
    imbalance_s: Number
    """Wait for the slowest pipeline stage."""
    bubble_s: Number
    optimizer_s: Number
    host_s: Number
    floor_s: Number
    """Time of all FLOP at the peak of the chips."""
    model_flop: Number
    """Model FLOP of the whole step, on all chips."""
    hardware_flop: Number
    utilisation: Number
    """Model FLOP over the peak at the precision of the run."""
    hardware_utilisation: Number
    tokens_per_s: Number
    """Training tokens per second of all chips."""


def exposed(comm: Number, beside: Number, overlap: float) -> Number:
    """Message time that is left when a share of it hides behind the compute beside it."""
    return comm - overlap * np.minimum(comm, beside)


def stage_layers(llm: LLM, recipe: Recipe) -> tuple[Number, Number]:
    """Layers of the fullest stage and of the last one, which also holds the output head."""
    stages = np.asarray(recipe.pipeline, dtype=float)
    turns = np.where(stages > 1.0, recipe.interleave, 1.0)
    total = np.asarray(llm.layers, dtype=float)
    most = np.minimum(turns * np.ceil(total / (stages * turns)), total)
    return most, np.maximum(total - (stages - 1.0) * most, 0.0)


def held_parameters(llm: LLM, recipe: Recipe) -> tuple[Number, Number]:
    """Parameters of one chip before data-parallel ranks share them: of all but the experts, and of
    the experts.

    A mean over the stages.
    """
    counts = parameters(llm)
    experts = layers(llm).mixed * llm.experts * counts.expert
    stages = np.asarray(recipe.pipeline, dtype=float)
    return (counts.total - experts) / (stages * recipe.tensor), experts / (stages * recipe.expert)


def expert_shards(recipe: Recipe) -> Number:
    """Chips that hold the same experts, among which what is shared is shared."""
    peers = np.asarray(recipe.tensor, dtype=float) * recipe.context * recipe.data / recipe.expert
    return np.maximum(peers / recipe.replicas, 1.0)


def _data(
    llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency,
    forward: Number, backward: Number,
) -> Number:
    """Exposed messages of data parallelism of a whole step.

    Nothing, optimizer or gradients shared: gradients are reduced once (shared gradients: with every
    micro-batch) and weights gathered once, beside one micro-batch. Weights shared: gathered for
    each forward and each backward.
    """
    dense, experts = held_parameters(llm, recipe)
    runs = recipe.micro_batches
    sharding = np.asarray(recipe.sharding)
    number = np.maximum(np.asarray(llm.layers, dtype=float) / recipe.pipeline, 1.0)
    once_gather: Number = 0.0
    once_scatter: Number = 0.0
    apart = np.asarray(recipe.tensor, dtype=float)
    kinds = [(dense, recipe.shards, apart)]
    if np.any(experts > 0.0):
        kinds.append((experts, expert_shards(recipe), np.asarray(recipe.expert, dtype=float)))
    for held, shards, distance in kinds:
        who = group(shards, distance, machine)
        once_gather = once_gather + number * gather(held * ACTIVATION_BYTES / number, who, machine, efficiency)
        once_scatter = once_scatter + number * gather(held * efficiency.gradient_bytes / number, who, machine, efficiency)
        once_scatter = once_scatter + _between(held, shards, recipe, machine, efficiency)
    each = np.where(sharding >= 3.0, runs, 1.0)
    trained, whole = np.asarray(recipe.trained, dtype=float), sharding >= 3.0
    ahead = each * exposed(once_gather, forward, efficiency.overlap) * np.where(whole, 1.0, trained)
    scattered = trained * once_scatter
    back = np.where(
        whole, runs * exposed(once_gather + scattered, backward, efficiency.overlap),
        np.where(sharding >= 2.0, runs, 1.0) * exposed(scattered, backward, efficiency.overlap),
    )
    return ahead + back


def _between(
    held: Number, shards: Number, recipe: Recipe, machine: TrainingMachine,
    efficiency: TrainingEfficiency,
) -> Number:
    """All-reduce of the shared gradients between the replicas of hybrid sharding, over the outer
    link."""
    replicas = np.asarray(recipe.replicas, dtype=float)
    sent = 2.0 * (replicas - 1.0) / replicas * held * efficiency.gradient_bytes / shards
    return link_time(sent, machine.scale_out_bandwidth, efficiency.link)


def step(llm: LLM, machine: TrainingMachine, recipe: Recipe, efficiency: TrainingEfficiency) -> TrainingStep:
    """Time one step; every number broadcasts.

    ``m max(stage) + (p-1)/v mean(stage) + exposed data messages + optimizer + host``, where a stage is one micro-batch
    forward, backward and replayed on ``layers/p`` layers, the last one with head and loss
    (Narayanan et al. 2021, arXiv 2104.04473). Messages between stages, of context and expert
    parallelism hide by `overlap`, of tensor parallelism by `tensor_overlap`, never behind more
    compute than there is.
    """
    work = micro_batch(llm, machine, recipe, efficiency)
    ahead, back = work.forward, work.backward
    replay = np.asarray(recipe.replay, dtype=float)
    core = np.maximum(replay, np.asarray(recipe.selective, dtype=float))

    def hidden(part: str, overlap: float) -> tuple[Number, Number]:
        return tuple(exposed(getattr(side, part), side.compute, overlap) for side in (ahead, back))  # type: ignore[return-value]

    tensor, context = hidden("tensor", efficiency.tensor_overlap), hidden("context", efficiency.overlap)
    expert = hidden("expert", efficiency.overlap)
    again = (
        replay
        * (
            ahead.products
            - efficiency.early_stop * ahead.last
            + ahead.elements
            + tensor[0]
            + context[0]
            + expert[0]
        )
        + core * ahead.attention
    )
    total = np.asarray(llm.layers, dtype=float)
    stages = np.asarray(recipe.pipeline, dtype=float)
    turns = np.where(stages > 1.0, recipe.interleave, 1.0)
    runs = recipe.micro_batches
    message = (
        np.asarray(recipe.micro_batch, dtype=float)
        * recipe.sequence
        * llm.hidden
        * ACTIVATION_BYTES
        / (np.asarray(recipe.tensor, dtype=float) * recipe.context)
    )
    apart = np.asarray(recipe.tensor, dtype=float) * recipe.context * recipe.data
    compute = ahead.compute + back.compute
    sent = sum(tensor) + sum(context) + sum(expert)
    busy = compute + sent + again
    waiting = np.maximum(layers(llm).mixed * efficiency.expert_host_s - busy, 0.0)
    through = (busy + waiting) / total
    most, last = stage_layers(llm, recipe)
    slowest = np.maximum(most * through, last * through + work.head)
    mean = (total * through + work.head) / stages
    hop = exposed(
        np.where(stages > 1.0, 2.0 * turns * send(message, apart, machine, efficiency), 0.0), mean,
        efficiency.overlap,
    )
    beside = (compute + again + waiting) / stages
    data = _data(
        llm, machine, recipe, efficiency=efficiency, forward=_FORWARD * beside,
        backward=(1.0 - _FORWARD) * beside)
    dense, experts = held_parameters(llm, recipe)
    shared = np.asarray(recipe.sharding) >= 1.0
    updated = dense / np.where(shared, recipe.shards, 1.0) + experts / np.where(shared, expert_shards(recipe), 1.0)
    near = stream_time(updated * OPTIMIZER_BYTES, 1.0, machine, efficiency)
    far = link_time(updated * OPTIMIZER_BYTES, efficiency.host_bandwidth, 1.0)
    optimizer = np.where(np.asarray(recipe.offload) > 0.0, far, near) * np.asarray(recipe.trained)
    scale = runs / stages
    parts = {
        "products_s": (ahead.products + back.products) * scale,
        "attention_s": (ahead.attention + back.attention) * scale,
        "elements_s": (ahead.elements + back.elements) * scale, "head_s": work.head * scale,
        "replay_s": again * scale, "tensor_s": sum(tensor) * scale,
        "context_s": sum(context) * scale, "expert_s": sum(expert) * scale, "data_s": data,
        "pipeline_s": runs * hop, "imbalance_s": runs * (slowest - mean),
        "bubble_s": (stages - 1.0) / turns * (mean + hop), "optimizer_s": optimizer,
        "host_s": waiting * scale + efficiency.step_s,
    }
    time = sum(parts.values())
    model = model_flop_per_token(llm, recipe.sequence, recipe.trained) * recipe.tokens
    hardware = hardware_flop_per_token(llm, recipe) * recipe.tokens
    peak = recipe.chips * machine.peak_flops
    return TrainingStep(
        time_s=time, **parts, floor_s=model / peak, model_flop=model, hardware_flop=hardware,
        utilisation=model / (peak * time), hardware_utilisation=hardware / (peak * time),
        tokens_per_s=recipe.tokens / time,
    )
