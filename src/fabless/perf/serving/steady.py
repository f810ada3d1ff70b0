"""Continuous batching at steady state: running sequences decode while new prompts are prefilled.

The vectorised core of serving: one call evaluates arrays of models, machines, splits, batches and
lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.perf.machine import Machine
from fabless.perf.power import chip_power
from fabless.perf.serving.forward import Phase, decode_step, forward, prefill, prefill_floor
from fabless.perf.serving.layers import ForwardWork
from fabless.perf.serving.queue import first_token_queue
from fabless.perf.serving.split import Memory, Split, memory
from fabless.perf.serving.terms import NO_TRAFFIC, Traffic
from fabless.records import LLM
from fabless.workload import Number


@dataclass(frozen=True, kw_only=True)
class Steady:
    """An engine in steady state; arrays that broadcast."""

    split: Split
    sequences: Number
    """Sequences in flight in one instance."""
    decode: Phase
    """A step that only decodes."""
    mixed: Phase
    """A step that decodes and also prefills prompts."""
    mixed_steps: Number
    """Number of mixed steps while a sequence runs."""
    alone_s: Number
    """Prefill time of one prompt on an otherwise idle instance."""
    memory: Memory
    ttft_s: Number
    """Time from arrival to first token, `queue_s` included."""
    queue_s: Number
    """Wait before the prompt is read, at the utilisation of the traffic."""
    tpot_s: Number
    """(end to end - TTFT) / (output tokens - 1)."""
    output_tokens_per_s_per_chip: Number
    floor_chip_s_per_query: Number
    power_w: Number
    """Power of one busy chip."""

    @property
    def fits(self) -> NDArray[np.bool_]:
        """True where weights and cache fit the memory."""
        return np.asarray(self.memory.free) >= 0.0


def mean_context(machine: Machine, input_tokens: Number, output_tokens: Number) -> Number:
    """Tokens that attention reads for a running sequence, on average over its answer [token]."""
    return input_tokens + np.asarray(output_tokens, dtype=float) * (1.0 + machine.engine.padding) / 2.0


def steady_state(
    llm: LLM, machine: Machine, split: Split, input_tokens: Number, output_tokens: Number,
    sequences: Number, traffic: Traffic = NO_TRAFFIC,
) -> Steady:
    """Evaluate an instance that keeps `sequences` running in all; every argument broadcasts.

    While one sequence decodes its `output_tokens`, the other ``sequences - 1`` end and are
    replaced: their prompts of `input_tokens`, less the share that `traffic` finds in the prefix
    cache, are prefilled in chunks of at most the engine's tokens per step.

        TPOT = t_decode + (mixed steps / steps) (t_mixed - t_decode), while not every step is mixed
        TTFT = queue + time outside the chip + steps waited for + t_prefill of the prompt alone

    Memory is held for whole requests. Speculative decoding checks the guesses of a step and accepts
    some of them, so that a step gives ``1 + accepted`` tokens. As many batches as stages keep
    pipelines full.
    """
    batch = np.asarray(sequences, dtype=float) / split.pipeline
    entered, output = np.asarray(input_tokens, dtype=float), np.asarray(output_tokens, dtype=float)
    gained = 1.0 + np.asarray(traffic.accepted, dtype=float)
    steps = output / gained
    past = entered * traffic.cached
    fresh = np.maximum(entered - past, 1.0)
    context = mean_context(machine, entered, output)
    guess = 1.0 + np.asarray(traffic.drafts, dtype=float)
    decode = decode_step(llm, machine, split, sequences=batch, context=context, tokens=guess)
    budget = machine.engine.chunk_tokens * np.asarray(split.data, dtype=float)
    together = np.clip(np.maximum(batch / steps, split.data), 1.0, np.maximum(np.floor(budget / fresh), 1.0))
    together = np.minimum(together, np.maximum(batch, 1.0))
    passes = np.ceil(together * fresh / budget)
    work = ForwardWork(
        sequences=batch * machine.engine.mixed, context=context, tokens=guess, prompts=together,
        new=fresh / passes, past=past + fresh * (passes - 1.0) / passes / 2.0,
    )
    mixed = forward(llm, machine, split, work)

    def spent(mixes: Number, writing: Number, both: Number) -> Number:
        """Sum over the steps of an answer, `mixes` of them mixed, of a quantity known per step."""
        return (steps - machine.engine.mixed * np.minimum(mixes, steps)) * writing + mixes * both

    crowd, everyone = (np.maximum(batch - alone, 0.0) / together * passes for alone in (1.0, 0.0))
    tpot = spent(crowd, decode.time_s, mixed.time_s) / output
    cycle = spent(everyone, decode.time_s, mixed.time_s)
    alone = prefill(llm, machine, split, prompts=split.data, new=fresh / passes, past=past)
    engine = machine.engine
    ttft = (engine.request_s + engine.input_token_s * fresh + engine.wait_steps * (tpot * gained)
            + passes * alone.time_s)
    queue = first_token_queue(
        tpot * output, crowd * mixed.time_s, sequences, split, traffic.utilisation)
    held = memory(llm, machine, split, sequences, entered + output)
    busy = spent(everyone, decode.flop_at_peak_s, mixed.flop_at_peak_s)
    streams = spent(everyone, decode.moved_bytes, mixed.moved_bytes)
    use = split.pipeline / cycle
    power = chip_power(machine.tdp_w, busy * use, streams * use / machine.memory_bandwidth, machine.efficiency)
    rate = batch * output / cycle / split.stage
    floor = prefill_floor(llm, machine, split, prompts=1.0, new=fresh, past=past)
    floor = floor + steps * decode.floor_s / np.maximum(batch, 1.0)
    return Steady(
        split=split, sequences=sequences, decode=decode, mixed=mixed, mixed_steps=crowd,
        alone_s=passes * alone.time_s, memory=held, ttft_s=ttft + queue, queue_s=queue, tpot_s=tpot,
        output_tokens_per_s_per_chip=rate,
        floor_chip_s_per_query=split.stage * floor, power_w=power,
    )
