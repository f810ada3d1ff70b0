"""Continuous batching at steady state: every step writes a token of each running sequence and reads some prompts.

The vectorised core of serving: one call evaluates arrays of parallel degrees, batches, lengths and designs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.perf.efficiency import Efficiency
from fabless.perf.phase import Memory, Phase, Widths, decode_step, memory, prefill
from fabless.perf.power import chip_power
from fabless.perf.system import System
from fabless.records import LLM
from fabless.workload import Number


@dataclass(frozen=True)
class Steady:
    """An engine in steady state; arrays of one shape."""

    decode: Phase
    """One decode step of one stage's batch."""
    prefill: Phase
    """One prefill pass of `prefill_sequences` prompts."""
    prefill_sequences: Number
    memory: Memory
    ttft_s: Number
    tpot_s: Number
    output_tokens_per_s_per_chip: Number
    floor_chip_s_per_query: Number
    power_w: Number
    """Of one busy chip."""

    @property
    def fits(self) -> NDArray[np.bool_]:
        """True where weights and cache fit the memory."""
        return np.asarray(self.memory.free) >= 0.0


def steady_state(
    llm: LLM, system: System, input_tokens: Number, output_tokens: Number, batch: Number, *, widths: Widths,
    efficiency: Efficiency, tensor_parallel: Number = 1.0, pipeline_parallel: Number = 1.0,
) -> Steady:
    """Evaluate an engine that keeps `batch` sequences running on each of its pipeline stages; all broadcast.

    A step lasts ``t_decode(batch) + batch / output * t_prefill per prompt``: a running sequence ends every
    ``output / batch`` steps and a new prompt takes its place. The mean context is ``input + output / 2``, while memory
    is held for whole requests. The time to the first token is half a step of waiting, the prefill pass and one decode
    step: no queue of requests, which a loaded server adds. Pipeline stages are kept full by as many batches as stages.
    """
    split = {"tensor_parallel": tensor_parallel, "pipeline_parallel": pipeline_parallel}
    batch, output = np.asarray(batch, dtype=float), np.asarray(output_tokens, dtype=float)
    decode = decode_step(llm, system, batch, input_tokens + output / 2.0, widths=widths, efficiency=efficiency, **split)
    together = np.clip(np.floor(efficiency.prefill_tokens / np.asarray(input_tokens, dtype=float)), 1.0,
                       np.maximum(batch, 1.0))
    reading = prefill(llm, system, together, input_tokens, widths=widths, efficiency=efficiency, **split)
    passes = batch / output / together
    step = decode.time_s + passes * reading.time_s
    held = memory(llm, system, batch * pipeline_parallel, input_tokens + output, widths=widths, efficiency=efficiency,
                  **split)
    busy = pipeline_parallel / step
    power = chip_power(system.tdp_w, (decode.flop_at_peak_s + passes * reading.flop_at_peak_s) * busy,
                       (decode.moved_bytes + passes * reading.moved_bytes) * busy / system.memory_bandwidth, efficiency)
    return Steady(
        decode=decode, prefill=reading, prefill_sequences=together, memory=held,
        ttft_s=step / 2.0 + reading.time_s + decode.time_s, tpot_s=step,
        output_tokens_per_s_per_chip=batch / (step * tensor_parallel),
        floor_chip_s_per_query=tensor_parallel * (output * decode.floor_s / batch + reading.floor_s / together),
        power_w=power,
    )
