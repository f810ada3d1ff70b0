"""Time of one forward pass on one instance: decode, prefill, or both at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.arrays import shape_of
from fabless.perf.kernels import all_gather, all_reduce, link_time, pace_by, scatter
from fabless.perf.machine import Machine
from fabless.perf.serving.layers import ForwardWork, Spent, kernels, work_tokens
from fabless.perf.serving.split import Split, longest_stage
from fabless.records import LLM
from fabless.workload import Number, layers

_DISPATCH_BYTES = 1.0
"""Hidden states travel to experts in 8 bits and come back in those of the activations [B]."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Time of one forward pass by what it waits for [s], and what one chip does in it; arrays of
    one shape."""

    time_s: Number
    compute_s: Number
    """Time in kernels limited by compute."""
    bandwidth_s: Number
    """Time in kernels limited by memory bandwidth."""
    network_s: Number
    latency_s: Number
    """Time in kernel launches and on the host."""
    floor_s: Number
    """Lower bound from the data sheet, no network: ``max(FLOP / peak, bytes / bandwidth)``."""
    flop_at_peak_s: Number
    """Time of the FLOP of one chip at the peak of the units they run on."""
    moved_bytes: Number
    """Bytes to and from the memory of one chip."""


def _network(llm: LLM, machine: Machine, split: Split, work: ForwardWork) -> Number:
    """Time of all collectives and hops of a pass [s]."""
    act, count = machine.activation_bytes, layers(llm)
    tensor, groups, stage = (
        np.asarray(split.tensor, dtype=float), np.asarray(split.expert, dtype=float), split.stage,
    )
    tokens = work_tokens(work)
    rank_tokens = tokens / split.data
    state = np.asarray(llm.hidden, dtype=float) * act
    shared = np.asarray(split.data) > 1
    reduce = experts = all_reduce(rank_tokens * state, tensor, machine)
    if np.any(count.mixed) and np.any(shared):
        sent = tokens / stage * llm.hidden
        travel = sum(
            scatter(sent * width, llm.experts_per_token, stage, machine, stage / groups)
            for width in (_DISPATCH_BYTES, act)
        )
        gather = (all_gather(tokens * llm.hidden * _DISPATCH_BYTES, stage, machine)
                  + all_gather(tokens * state, stage, machine))
        experts = np.where(
            shared & (groups > 1), np.minimum(travel, gather), np.where(shared, gather, reduce)
        )
    collectives = (count.attention + count.linear + count.dense) * reduce + count.mixed * experts
    hops = np.asarray(split.pipeline, dtype=float) - 1.0
    if not np.any(hops):
        return collectives
    return (
        collectives * longest_stage(llm, split.pipeline) * split.pipeline
        + hops * machine.efficiency.scale_out_latency_s
        + link_time(
            hops * rank_tokens * state / tensor, machine.scale_out_bandwidth,
            machine.efficiency.link,
        )
    )


def _floor(machine: Machine, parts: list[Spent]) -> tuple[Number, Number, Number]:
    """Time of all stages at the full data sheet, time of their FLOP at the peak [s], and bytes
    moved."""
    peak, moved = (
        sum(part.flop_at_peak_s for part in parts), sum(part.moved_bytes for part in parts),
    )
    return np.maximum(peak, moved / machine.memory_bandwidth), peak, moved


def prefill_floor(
    llm: LLM, machine: Machine, split: Split, prompts: Number, new: Number, past: Number = 0.0
) -> Number:
    """`floor_s` of `prefill` alone."""
    return _floor(
        machine, kernels(llm, machine, split, ForwardWork(prompts=prompts, new=new, past=past))
    )[0]


def forward(llm: LLM, machine: Machine, split: Split, work: ForwardWork) -> Phase:
    """Time one pass of `work` through an instance; all arguments broadcast.

    The pass crosses all pipeline stages; the longest stage paces it. ``t = sum over kernels of
    overlap(FLOP / (peak e_c), bytes / (bandwidth e_m), depth) + launches + collectives``,
    overlapped with the host's time. FLOP and bytes are means over the stages. The floor counts
    neither network nor the stages' imbalance.
    """
    stages = np.asarray(split.pipeline, dtype=float)
    pace = longest_stage(llm, stages) * stages
    parts = kernels(llm, machine, split, work)
    compute = bandwidth = launch = np.zeros(())
    for k, spent in enumerate(parts):
        share = 1.0 if k == len(parts) - 1 else pace
        held = bound = share * spent.time_s
        if np.any(spent.compute_bound):
            held = np.where(spent.compute_bound, 0.0, bound)
            compute = compute + (bound - held)
        bandwidth = bandwidth + held
        launch = launch + share * spent.launch_s
    floor, peak, moved = _floor(machine, parts)
    network = _network(llm, machine, split, work)
    engine = machine.engine
    busy = (np.asarray(work.sequences, dtype=float) + work.prompts) / split.data
    on_chip = compute + bandwidth + network + launch * engine.launch_factor
    host = engine.host_step_s + engine.host_sequence_s * busy
    time = pace_by(on_chip, host)
    latency = time - compute - bandwidth - network
    shape = shape_of(llm, machine, split, work)
    by_cause = {
        "time_s": time, "compute_s": compute, "bandwidth_s": bandwidth, "network_s": network,
        "latency_s": latency, "floor_s": floor, "flop_at_peak_s": peak / stages,
        "moved_bytes": moved / stages,
    }
    return Phase(**{name: np.broadcast_to(part, shape) for name, part in by_cause.items()})


def prefill(
    llm: LLM, machine: Machine, split: Split, prompts: Number, new: Number, past: Number = 0.0
) -> Phase:
    """Time to read `new` tokens of each of `prompts` prompts in one pass, up to their first
    tokens."""
    return forward(llm, machine, split, ForwardWork(prompts=prompts, new=new, past=past))


def decode_step(
    llm: LLM, machine: Machine, split: Split, sequences: Number, context: Number,
    tokens: Number = 1.0,
) -> Phase:
    """Time of a step in which each of `sequences` sequences with `context` cached tokens computes
    `tokens`."""
    return forward(
        llm, machine, split, ForwardWork(sequences=sequences, context=context, tokens=tokens)
    )
