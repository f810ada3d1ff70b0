"""Serve a model on a chip: choose how to split and batch it, and say what that gives and what binds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.arrays import pick
from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.perf.efficiency import Efficiency, Engine
from fabless.perf.forward import Phase
from fabless.perf.layout import candidate_splits, check_split, does_not_fit
from fabless.perf.machine import Formats, Machine, machine_of
from fabless.perf.split import Split, room
from fabless.perf.steady import Steady, steady_state
from fabless.records import LLM, Array, Chip, Request

_BATCHES = 64
"""Batches tried on each split, in equal steps of their logarithm, before the best is refined."""
_REFINED = 512
"""Batches tried between the neighbours of the best."""


@dataclass(frozen=True)
class Serving:
    """A model served on a chip at its best point, per chip where the name says so."""

    chips: int
    """Of one instance of the model."""
    tensor_parallel: int
    pipeline_parallel: int
    expert_parallel: int
    data_parallel: int
    """Groups of chips that attend to sequences of their own."""
    batch: int
    """Sequences in flight in one instance."""
    ttft_s: float
    """Time to the first token at the rate of arrivals that keeps the batch full."""
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
    """In which weights are kept."""
    kv_precision: str
    floor_ttft_s: float
    """A step that reads a prompt, at the full data sheet."""
    floor_tpot_s: float
    """Decode step at the full data sheet."""
    floor_chip_seconds_per_query: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """One way to run an instance: a point of the front of throughput against interactivity."""

    split: Split
    batch: int
    ttft_s: float
    tpot_s: float
    output_tokens_per_s_per_chip: float
    """At full load."""


def check_request(llm: LLM, request: Request, load_factor: float, tpot_limit_s: float, ttft_limit_s: float,
                  batch: int | None, ceilings: tuple[int, int]) -> None:
    """Raise `BadValue` with every argument of `serve` that cannot be."""
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
    if faults:
        raise BadValue(*faults)


def serve(
    llm: LLM, chip: Chip, request: Request, *, formats: Formats, efficiency: Efficiency, engine: Engine,
    tpot_limit_s: float = math.inf, ttft_limit_s: float = math.inf, load_factor: float = 1.0,
    split: Split | None = None, batch: int | None = None, max_batch: int = 1024, max_chips: int = 256,
) -> Serving:
    """Serve `request` on `chip` with the split and batch that give most tokens per second and chip under the limits.

    Splits are those of `candidate_splits`, batches up to `max_batch` sequences a stage and attention group.
    `load_factor` [1] is mean over peak load: chips are bought for the peak and paid through the day. `split` and `batch`
    fix the split and the sequences in flight. A format that the chip has no units for is multiplied in another one and
    `notes` says so. Raises `DoesNotFit` when no split on up to `max_chips` chips holds one request or when none meets
    the limits, `BadValue` for arguments that cannot be.
    """
    check_request(llm, request, load_factor, tpot_limit_s, ttft_limit_s, batch, (max_batch, max_chips))
    if split is not None:
        check_split(llm, split)
    machine, notes = machine_of(chip, formats, efficiency, engine)
    context = request.input_tokens + request.output_tokens
    splits = _flat(split) if split else candidate_splits(llm, machine, context, max_chips)
    holds = np.minimum(np.broadcast_to(room(llm, machine, splits, context), np.shape(splits.tensor)),
                       max_batch * splits.pipeline * splits.data)
    if not np.any(holds >= (batch or 1)):
        most = max_chips if split is None else int(np.max(splits.chips))
        found = f"no split on up to {most} chips holds {batch or 1} of these requests in {formats.weights}"
        raise does_not_fit(llm, chip, formats, efficiency, engine, context, found)
    grid, batches = _grid(splits, holds, batch)
    state = steady_state(llm, machine, grid, request.input_tokens, request.output_tokens, batches)
    quick = (np.asarray(state.tpot_s) <= tpot_limit_s) & (np.asarray(state.ttft_s) <= ttft_limit_s)
    if not np.any(quick):
        wanted = [f"{limit:g} s {of}" for limit, of in ((tpot_limit_s, "a token"), (ttft_limit_s, "to the first token"))
                  if math.isfinite(limit)]
        raise DoesNotFit(Fault(
            f"{llm.name} on {chip.name}", f"no split gives {' and '.join(wanted)}",
            f"from {np.min(state.tpot_s):.3g} s a token and {np.min(state.ttft_s):.3g} s to the first token",
            "relax a limit, or take a narrower precision or a faster chip"))
    rate = np.where(quick, state.output_tokens_per_s_per_chip, -1.0)
    best = int(np.argmax(rate))
    if batch is None:
        same = np.flatnonzero((grid.tensor == grid.tensor[best]) & (grid.pipeline == grid.pipeline[best])  # type: ignore[index]
                              & (grid.expert == grid.expert[best]) & (grid.data == grid.data[best]))  # type: ignore[index]
        low, high = batches[max(best - 1, same[0])], batches[min(best + 1, same[-1])]
        batches = np.unique(np.round(np.linspace(low, high, _REFINED)))
        grid = pick(grid, np.full(batches.size, best))
        state = steady_state(llm, machine, grid, request.input_tokens, request.output_tokens, batches)
        quick = (np.asarray(state.tpot_s) <= tpot_limit_s) & (np.asarray(state.ttft_s) <= ttft_limit_s)
        best = int(np.argmax(np.where(quick, state.output_tokens_per_s_per_chip, -1.0)))
    full = room(llm, machine, pick(grid, np.array([best])), context)
    return _serving(state, grid, batches, best, quick, float(np.max(full)), request, machine, load_factor, formats, notes)


def front(llm: LLM, machine: Machine, request: Request, *, max_batch: int = 1024, max_chips: int = 64) -> list[Point]:
    """Points that no other beats in both throughput per chip and time per output token, the quickest first."""
    context = request.input_tokens + request.output_tokens
    splits = candidate_splits(llm, machine, context, max_chips)
    holds = np.minimum(np.broadcast_to(room(llm, machine, splits, context), np.shape(splits.tensor)),
                       max_batch * splits.pipeline * splits.data)
    if not np.any(holds >= 1):
        return []
    grid, batches = _grid(splits, holds, None)
    state = steady_state(llm, machine, grid, request.input_tokens, request.output_tokens, batches)
    points: list[Point] = []
    for k in np.lexsort((-np.asarray(state.output_tokens_per_s_per_chip), np.asarray(state.tpot_s))):
        rate = float(np.asarray(state.output_tokens_per_s_per_chip)[k])
        if not points or rate > points[-1].output_tokens_per_s_per_chip:
            points.append(Point(pick(grid, np.asarray(k)), round(float(batches[k])), float(np.asarray(state.ttft_s)[k]),
                                float(np.asarray(state.tpot_s)[k]), rate))
    return points


def _flat(split: Split) -> Split:
    return Split(*(np.array([float(getattr(split, name))]) for name in ("tensor", "pipeline", "expert", "data")))


def _grid(splits: Split, holds: Array, batch: int | None) -> tuple[Split, Array]:
    """Batches on every split that holds them, flat, the batches of one split side by side and rising."""
    index, batches = [], []
    for k, most in enumerate(holds):
        if most < (batch or 1):
            continue
        tried = np.array([float(batch)]) if batch else np.unique(np.round(np.geomspace(1.0, most, _BATCHES)))
        index.append(np.full(tried.size, k))
        batches.append(tried)
    return pick(splits, np.concatenate(index)), np.concatenate(batches)


def phase_bound(compute: float, bandwidth: float, network: float, latency: float) -> str:
    """Name what takes most of the time."""
    parts = {"compute": compute, "bandwidth": bandwidth, "network": network, "latency": latency}
    return max(parts, key=lambda name: parts[name])


def _parts(phase: Phase, k: int) -> Array:
    return np.array([np.asarray(part)[k] for part in (phase.compute_s, phase.bandwidth_s, phase.network_s,
                                                      phase.latency_s)])


def _serving(state: Steady, grid: Split, batches: Array, best: int, quick: NDArray[np.bool_], full: float,
             request: Request, machine: Machine, load_factor: float, formats: Formats, notes: tuple[str, ...]) -> Serving:
    def at(values: object) -> float:
        return float(np.broadcast_to(np.asarray(values, dtype=float), batches.shape)[best])

    tokens = at(state.output_tokens_per_s_per_chip) * load_factor
    queries = tokens / request.output_tokens
    idle = float(machine.efficiency.idle_power) * float(machine.tdp_w)
    power = load_factor * at(state.power_w) + (1.0 - load_factor) * idle
    reading = at(state.mixed_steps) / request.output_tokens
    if best + 1 < batches.size and not quick[best + 1]:
        bound = "latency"
    elif batches[best] >= full:
        bound = "capacity"
    else:
        share = min(reading, 1.0)
        bound = phase_bound(*((1.0 - share) * _parts(state.decode, best) + share * _parts(state.mixed, best)))
    return Serving(
        chips=round(at(grid.chips)), tensor_parallel=round(at(grid.tensor)), pipeline_parallel=round(at(grid.pipeline)),
        expert_parallel=round(at(grid.expert)), data_parallel=round(at(grid.data)), batch=round(float(batches[best])),
        ttft_s=at(state.ttft_s), tpot_s=at(state.tpot_s), output_tokens_per_s_per_chip=tokens,
        queries_per_s_per_chip=queries, chip_seconds_per_query=1.0 / queries, bound=bound,
        prefill_bound=phase_bound(*_parts(state.mixed, best)), decode_bound=phase_bound(*_parts(state.decode, best)),
        weights_bytes=at(state.memory.weights), kv_cache_bytes=at(state.memory.kv_cache),
        overhead_bytes=at(state.memory.overhead), free_bytes=at(state.memory.free), power_w_per_chip=power,
        energy_j_per_query=power / queries, precision=formats.weights, kv_precision=formats.kv,
        floor_ttft_s=at(state.mixed.floor_s), floor_tpot_s=at(state.decode.floor_s),
        floor_chip_seconds_per_query=at(state.floor_chip_s_per_query), notes=notes,
    )
