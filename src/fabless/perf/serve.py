"""Serve a model on a chip: choose how to split and batch it, and say what that gives and what binds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.perf.efficiency import Efficiency
from fabless.perf.layout import ACTIVATION_BYTES, Parallel, candidate_splits, does_not_fit, room
from fabless.perf.phase import Phase, Widths
from fabless.perf.steady import Steady, steady_state
from fabless.perf.system import System, system_of, usable_precision
from fabless.records import LLM, Array, Chip, Request
from fabless.workload import element_bytes


@dataclass(frozen=True)
class Serving:
    """A model served on a chip at its best point, per chip where the name says so."""

    chips: int
    """Of one instance of the model."""
    tensor_parallel: int
    pipeline_parallel: int
    batch: int
    """Sequences in flight in one instance."""
    ttft_s: float
    """Time to the first token without a queue of requests."""
    tpot_s: float
    """Time per output token after the first, prefill of other requests included."""
    output_tokens_per_s_per_chip: float
    """Mean over the day: full speed times `load_factor`."""
    queries_per_s_per_chip: float
    chip_seconds_per_query: float
    """Chip time to pay for, idle hours included."""
    bound: str
    """compute | bandwidth | capacity | network | latency: what keeps the whole from going faster."""
    prefill_bound: str
    decode_bound: str
    weights_bytes: float
    """Memory by part, of one chip."""
    kv_cache_bytes: float
    overhead_bytes: float
    free_bytes: float
    power_w_per_chip: float
    """Mean over the day."""
    energy_j_per_query: float
    """Of the chips alone."""
    precision: str
    """In which weights are kept and multiplied."""
    kv_precision: str
    floor_ttft_s: float
    """Prefill pass at the full data sheet."""
    floor_tpot_s: float
    """Decode step at the full data sheet."""
    floor_chip_seconds_per_query: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Grid:
    tensor: Array
    pipeline: Array
    batch: Array
    """On one stage."""


def _check(llm: LLM, request: Request, load_factor: float, tpot_limit_s: float, ttft_limit_s: float,
           batch: int | None, parallel: Parallel | None, ceilings: tuple[int, int]) -> None:
    faults = [Fault(name, str(value), "1 or more", "give a whole number")
              for name, value in zip(("max_batch", "max_chips"), ceilings, strict=True) if value < 1]
    for name, value in (("input_tokens", request.input_tokens), ("output_tokens", request.output_tokens)):
        if not (math.isfinite(value) and value >= 1.0):
            faults.append(Fault(f"request.{name}", f"{value:g}", "a finite number of 1 or more",
                                "give the mean length of requests"))
    length = request.input_tokens + request.output_tokens
    if llm.max_context and length > llm.max_context:
        faults.append(Fault("request", f"{length:g} tokens", f"at most {llm.max_context} for {llm.name}",
                            "shorten the request or choose a model with a longer context"))
    if not 0.0 < load_factor <= 1.0:
        faults.append(Fault("load_factor", f"{load_factor:g}", "above 0, at most 1", "give mean load over peak load"))
    for name, value in (("tpot_limit_s", tpot_limit_s), ("ttft_limit_s", ttft_limit_s)):
        if not value > 0.0:
            faults.append(Fault(name, f"{value:g}", "above 0 s", "give a time, or infinity for no limit"))
    if batch is not None and batch < 1:
        faults.append(Fault("batch", str(batch), "1 or more", "give the sequences in flight"))
    if parallel is not None and (parallel.tensor < 1 or llm.heads % parallel.tensor
                                 or not 1 <= parallel.pipeline <= llm.layers):
        faults.append(Fault("parallel", f"tensor {parallel.tensor}, pipeline {parallel.pipeline}",
                            f"tensor divides {llm.heads} heads, pipeline 1 to {llm.layers}", "change the split"))
    if faults:
        raise BadValue(*faults)


def serve(
    llm: LLM, chip: Chip, request: Request, *, precision: str, kv_precision: str, efficiency: Efficiency,
    tpot_limit_s: float = math.inf, ttft_limit_s: float = math.inf, load_factor: float = 1.0,
    parallel: Parallel | None = None, batch: int | None = None, max_batch: int = 1024, max_chips: int = 256,
) -> Serving:
    """Serve `request` on `chip` with the split and batch that give most tokens per second and chip under the limits.

    Tensor parallelism takes every power of two that divides the heads inside the scale-up domain; a model that fits no
    domain is pipelined over several. Every batch up to `max_batch` sequences a stage is tried. `load_factor` [1] is
    mean over peak load: chips are bought for the peak and paid through the day. `parallel` and `batch` fix the split
    and the sequences in flight (at least one a stage). A precision that the chip lacks falls back to the next one and
    `notes` says so. Raises `DoesNotFit` when no split on up to `max_chips` chips holds one request or when none meets
    the limits, `BadValue` for arguments that cannot be.
    """
    _check(llm, request, load_factor, tpot_limit_s, ttft_limit_s, batch, parallel, (max_batch, max_chips))
    used, said = usable_precision(chip, precision)
    kv_used, kv_said = usable_precision(chip, kv_precision)
    system = system_of(chip, used)
    widths = Widths(element_bytes(used), ACTIVATION_BYTES, element_bytes(kv_used))
    if parallel is None:
        splits = candidate_splits(llm, system, request, widths, efficiency, max_chips)
    else:
        splits = np.array([[parallel.tensor], [parallel.pipeline]], dtype=float)
    holds = room(llm, system, request, widths, efficiency, splits)
    grid = _grid(splits, batch, max_batch)
    fits = (grid.batch >= 1.0) & (grid.batch <= np.repeat(holds, grid.batch.size // holds.size))
    if not np.any(fits):
        most = max_chips if parallel is None else int(splits.prod())
        found = f"no split on up to {most} chips holds {batch or 1} of these requests in {used}"
        raise does_not_fit(llm, chip, request, kv_used, efficiency, found)
    state = steady_state(llm, system, request.input_tokens, request.output_tokens, grid.batch, widths=widths,
                         efficiency=efficiency, tensor_parallel=grid.tensor, pipeline_parallel=grid.pipeline)
    tpot, ttft = np.asarray(state.tpot_s), np.asarray(state.ttft_s)
    quick = np.asarray((tpot <= tpot_limit_s) & (ttft <= ttft_limit_s))
    if not np.any(fits & quick):
        wanted = [f"{limit:g} s {of}" for limit, of in ((tpot_limit_s, "a token"), (ttft_limit_s, "to the first token"))
                  if math.isfinite(limit)]
        raise DoesNotFit(Fault(
            f"{llm.name} on {chip.name}", f"no split gives {' and '.join(wanted)}",
            f"from {np.min(tpot[fits]):.3g} s a token and {np.min(ttft[fits]):.3g} s to the first token",
            "relax a limit, or take a narrower precision or a faster chip"))
    best = int(np.argmax(np.where(fits & quick, state.output_tokens_per_s_per_chip, -1.0)))
    return _serving(state, grid, best, fits, quick, request, system, load_factor, efficiency, used, kv_used,
                    tuple(note for note in (said, kv_said and f"KV cache: {kv_said}") if note))


def _grid(splits: Array, batch: int | None, max_batch: int) -> _Grid:
    """Every batch on every split, flat, the batches of one split side by side."""
    if batch is not None:
        return _Grid(splits[0], splits[1], batch / splits[1])
    batches = np.arange(1.0, max_batch + 1.0)
    return _Grid(np.repeat(splits[0], max_batch), np.repeat(splits[1], max_batch), np.tile(batches, splits.shape[1]))


def phase_bound(compute: float, bandwidth: float, network: float, latency: float) -> str:
    """Name what takes most of the time."""
    parts = {"compute": compute, "bandwidth": bandwidth, "network": network, "latency": latency}
    return max(parts, key=lambda name: parts[name])


def _parts(phase: Phase, k: int) -> Array:
    return np.array([np.asarray(part)[k] for part in (phase.compute_s, phase.bandwidth_s, phase.network_s,
                                                      phase.latency_s)])


def _overall_bound(state: Steady, grid: _Grid, best: int, fits: NDArray[np.bool_], quick: NDArray[np.bool_],
                   output_tokens: float) -> str:
    """Memory or the limits when they forbid the next batch, else what takes most of a step."""
    following = best + 1
    if following < grid.batch.size and grid.batch[following] > grid.batch[best]:
        if not fits[following]:
            return "capacity"
        if not quick[following]:
            return "latency"
    passes = grid.batch[best] / output_tokens / np.asarray(state.prefill_sequences)[best]
    return phase_bound(*(_parts(state.decode, best) + passes * _parts(state.prefill, best)))


def _serving(state: Steady, grid: _Grid, best: int, fits: NDArray[np.bool_], quick: NDArray[np.bool_],
             request: Request, system: System, load_factor: float, efficiency: Efficiency, precision: str,
             kv_precision: str, notes: tuple[str, ...]) -> Serving:
    def at(values: object) -> float:
        return float(np.broadcast_to(np.asarray(values, dtype=float), grid.batch.shape)[best])

    tokens = at(state.output_tokens_per_s_per_chip) * load_factor
    queries = tokens / request.output_tokens
    power = load_factor * at(state.power_w) + (1.0 - load_factor) * efficiency.idle_power * float(system.tdp_w)
    tensor, pipeline = int(at(grid.tensor)), int(at(grid.pipeline))
    return Serving(
        chips=tensor * pipeline, tensor_parallel=tensor, pipeline_parallel=pipeline,
        batch=round(at(grid.batch) * pipeline), ttft_s=at(state.ttft_s), tpot_s=at(state.tpot_s),
        output_tokens_per_s_per_chip=tokens, queries_per_s_per_chip=queries, chip_seconds_per_query=1.0 / queries,
        bound=_overall_bound(state, grid, best, fits, quick, request.output_tokens),
        prefill_bound=phase_bound(*_parts(state.prefill, best)), decode_bound=phase_bound(*_parts(state.decode, best)),
        weights_bytes=at(state.memory.weights), kv_cache_bytes=at(state.memory.kv_cache),
        overhead_bytes=at(state.memory.overhead), free_bytes=at(state.memory.free), power_w_per_chip=power,
        energy_j_per_query=power / queries, precision=precision, kv_precision=kv_precision,
        floor_ttft_s=at(state.prefill.floor_s), floor_tpot_s=at(state.decode.floor_s),
        floor_chip_seconds_per_query=at(state.floor_chip_s_per_query), notes=notes,
    )
