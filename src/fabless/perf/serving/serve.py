"""Serve a model on a chip: the best split and batch, their throughput and their bottleneck."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.arrays import pick
from fabless.errors import DoesNotFit, Fault
from fabless.perf.efficiency import Calibration
from fabless.perf.machine import Machine, machine_of
from fabless.perf.serving.forward import Phase
from fabless.perf.serving.layout import candidate_splits, check_split, does_not_fit
from fabless.perf.serving.split import Split, room
from fabless.perf.serving.steady import Steady, steady_state
from fabless.perf.serving.terms import (
    EVERY_SPLIT,
    ServiceTerms,
    SplitSearch,
    Traffic,
    check_request,
)
from fabless.records import LLM, Array, Chip, Request

_BATCHES = 64
"""Largest number of batches tried per split, evenly spaced in logarithm, before refinement."""
_POINTS = 4096
"""Largest number of points tried on all splits together, if that leaves `_FEWEST` per split."""
_FEWEST = 16
_REFINED = 768
"""Batches tried in a round between the neighbours of the best, on all splits still in the race
together, if that leaves `_FEWEST` per split."""
_DEGREES = ("tensor", "pipeline", "expert", "data")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A model served on a chip by the best split and batch."""

    chips: int
    """Chips of one instance of the model."""
    tensor_parallel: int
    pipeline_parallel: int
    expert_parallel: int
    data_parallel: int
    """Groups of chips that process different sequences in attention."""
    batch: int
    """Sequences in flight in one instance."""
    ttft_s: float
    """Time to first token at the arrival rate that keeps the batch full, `queue_s` included."""
    tpot_s: float
    """Time per output token after the first, prefill of other requests included."""
    output_tokens_per_s_per_chip: float
    """Mean over the day: full speed times `load_factor`."""
    queries_per_s_per_chip: float
    chip_seconds_per_query: float
    """Chip time to pay for, idle hours included."""
    bound: str
    """Bottleneck of the whole: compute | bandwidth | capacity | network | latency."""
    prefill_bound: str
    decode_bound: str
    weights_bytes: float
    """Weights held by one chip."""
    kv_cache_bytes: float
    overhead_bytes: float
    free_bytes: float
    power_w_per_chip: float
    """Mean power of one chip over the day, idle hours included."""
    energy_j_per_query: float
    """Energy of the chips alone, without servers and cooling."""
    precision: str
    """Number format in which weights are stored."""
    kv_precision: str
    floor_ttft_s: float
    """Prefill time of a prompt at the rates of the data sheet."""
    floor_tpot_s: float
    """Time of a decode step at the rates of the data sheet."""
    floor_chip_seconds_per_query: float
    notes: tuple[str, ...]
    expert_precision: str = ""
    """Number format in which routed experts are stored."""
    queue_s: float = 0.0
    """Wait before prefill starts, at the utilisation of the traffic."""


@dataclass(frozen=True)
class Point:
    """One way to run an instance: a point of the front of throughput against interactivity."""

    split: Split
    batch: int
    ttft_s: float
    tpot_s: float
    output_tokens_per_s_per_chip: float
    """Output tokens per second and chip at full load."""


def _try(
    llm: LLM, machine: Machine, points: tuple[Split, Array], request: Request, traffic: Traffic
) -> Steady:
    """Evaluate points, flat arrays of splits and batches, those of one split side by side."""
    split, batches = points
    return steady_state(
        llm, machine, split, input_tokens=request.input_tokens,
        output_tokens=request.output_tokens, sequences=batches, traffic=traffic)


def _quick(state: Steady, terms: ServiceTerms) -> NDArray[np.bool_]:
    """Points that meet the latency limits."""
    quick = (state.tpot_s <= terms.tpot_limit_s) & (state.ttft_s <= terms.ttft_limit_s)
    return np.asarray(quick)


def serve(
    llm: LLM, chip: Chip, request: Request, terms: ServiceTerms, calibration: Calibration,
    search: SplitSearch = EVERY_SPLIT,
) -> Serving:
    """Serve `request` on `chip` with the split and batch that give most tokens per second and chip
    under the limits of `terms`.

    Splits are those of `candidate_splits` and batches go up to the ceiling of `search`, where it
    does not fix them. A format that the chip has no units for is multiplied in another one and
    `notes` says so. Raises `DoesNotFit` when no split on the chips allowed holds one request or
    when none meets the limits, `BadValue` for arguments that cannot be.
    """
    check_request(llm, request, terms, search)
    if search.split is not None and np.ndim(search.split.tensor) == 0:
        check_split(llm, search.split)
    machine, notes = machine_of(chip, terms.formats, calibration)
    context = request.input_tokens + request.output_tokens
    splits, holds = splits_held(llm, machine, context, search)
    if not np.any(holds >= (search.batch or 1)):
        raise does_not_fit(
            llm, chip, terms.formats, calibration, context,
            reason=_too_large(splits, holds, search, terms.formats.weights),
            sequences=search.batch or 1)
    state = _try(llm, machine, batch_grid(splits, holds, search), request, terms.traffic)
    quick = _quick(state, terms)
    if not np.any(quick):
        raise out_of_reach(
            f"{llm.name} on {chip.name}", "split", np.asarray(state.tpot_s),
            np.asarray(state.ttft_s), terms=terms,
            describe=lambda k: (
                f"batch {np.asarray(state.sequences)[k]:.0f} on "
                f"{split_label(pick(state.split, np.asarray(k)))}, "
                f"{np.asarray(state.output_tokens_per_s_per_chip)[k]:.3g} output tok/s/chip"
            ),
        )
    while search.batch is None and (closer := _refined(state, _quick(state, terms))) is not None:
        state = _try(llm, machine, closer, request, terms.traffic)
    return _serving(llm, machine, state, request, terms=terms, notes=notes)


def splits_held(
    llm: LLM, machine: Machine, context: float, search: SplitSearch
) -> tuple[Split, Array]:
    """Splits to choose among, and the sequences of `context` tokens that each of them holds."""
    splits = (
        candidate_splits(llm, machine, context, search.max_chips)
        if search.split is None
        else flat_split(search.split)
    )
    return splits, sequences_held(llm, machine, splits, context)


def _too_large(splits: Split, holds: Array, search: SplitSearch, precision: str) -> str:
    """Say that no split holds the requests asked for, and how many the roomiest one holds."""
    most = search.max_chips if search.split is None else int(np.max(splits.chips))
    limit = int(max(np.max(holds), 0.0))
    roomiest = split_label(pick(splits, np.asarray(np.argmax(holds))))
    return (
        f"no split on up to {most} chips holds {search.batch or 1} of these requests in {precision}"
        + (f", {limit} at most, on {roomiest}" if limit else ""))


def front(
    llm: LLM, machine: Machine, request: Request, terms: ServiceTerms,
    search: SplitSearch = EVERY_SPLIT,
) -> list[Point]:
    """Points that no other beats in both throughput per chip and time per output token, the
    quickest first.

    Only points that reach the first token in time count.
    """
    context = request.input_tokens + request.output_tokens
    splits, holds = splits_held(llm, machine, context, search)
    if not np.any(holds >= (search.batch or 1)):
        return []
    state = _try(llm, machine, batch_grid(splits, holds, search), request, terms.traffic)
    batches, tpot, ttft, rate = (np.asarray(values) for values in (
        state.sequences, state.tpot_s, state.ttft_s, state.output_tokens_per_s_per_chip))
    return [
        Point(
            pick(state.split, np.asarray(k)), round(float(batches[k])), float(ttft[k]),
            float(tpot[k]), float(rate[k]),
        )
        for k in unbeaten(tpot, np.where(ttft <= terms.ttft_limit_s, rate, 0.0))
    ]


def unbeaten(tpot_s: Array, rate: Array) -> list[int]:
    """Places of the points with a rate above 0 that no other beats in both, by rising time per
    token.

    >>> unbeaten(np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 6.0]))
    [0, 2]
    """
    order = np.lexsort((-rate, tpot_s))
    top = np.maximum.accumulate(rate[order])
    rising = np.append(True, top[1:] > top[:-1])
    return [int(k) for k in order[rising & (rate[order] > 0.0)]]


def out_of_reach(
    place: str, what: str, tpot_s: Array, ttft_s: Array, terms: ServiceTerms,
    describe: Callable[[int], str],
) -> DoesNotFit:
    """Make the error that says which limit binds and what comes closest, by the larger of the two
    shortfalls."""
    limits = (
        (tpot_s, terms.tpot_limit_s, "a token"), (ttft_s, terms.ttft_limit_s, "to the first token"))
    wanted = [f"{limit:g} s {of}" for _, limit, of in limits if math.isfinite(limit)]
    never = [f"{of}: {np.min(times):.3g} s at best" for times, limit, of in limits if not np.any(times <= limit)]
    binds = "; ".join(never) if never else "each alone can be met, not both at once"
    closest = int(np.argmin(np.maximum(*(times / limit for times, limit, _ in limits))))
    return DoesNotFit(
        Fault(
            place, f"no {what} gives {' and '.join(wanted)} ({binds})",
            f"the closest: {tpot_s[closest]:.3g} s a token and {ttft_s[closest]:.3g} s to the first token, with "
            f"{describe(closest)}",
            "relax the limit that binds, or take a narrower precision or a faster chip",
        )
    )


def flat_split(split: Split) -> Split:
    """A split, or several splits, as a record of flat arrays."""
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(getattr(split, name), dtype=float)) for name in _DEGREES))
    return Split(*arrays)


def split_label(split: Split) -> str:
    """Name one split in words: only the degrees above 1.

    >>> split_label(Split(2, 1, 8, 4))
    'tensor 2, expert 8, data 4'
    """
    degrees = [(name, float(np.asarray(getattr(split, name)))) for name in _DEGREES]
    return ", ".join(f"{name} {degree:g}" for name, degree in degrees if degree > 1) or "one chip"


def sequences_held(llm: LLM, machine: Machine, splits: Split, context: float) -> Array:
    """Sequences of `context` tokens that each of some splits holds [count]."""
    return np.broadcast_to(np.asarray(room(llm, machine, splits, context)), np.shape(splits.tensor))


def batch_grid(splits: Split, holds: Array, search: SplitSearch) -> tuple[Split, Array]:
    """Batches on every split that holds them, flat, the batches of one split side by side and
    rising."""
    batch, ceiling = search.batch, search.max_batch * splits.pipeline * splits.data
    most = np.minimum(holds, ceiling) if batch is None else holds
    count = int(np.clip(_POINTS // np.size(holds), _FEWEST, _BATCHES))
    index, batches = [], []
    for k in np.flatnonzero(holds >= (batch or 1)):
        tried = np.array([float(batch)]) if batch else np.unique(np.round(np.geomspace(1.0, most[k], count)))
        index.append(np.full(tried.size, k))
        batches.append(tried)
    return pick(splits, np.concatenate(index)), np.concatenate(batches)


def _refined(state: Steady, quick: NDArray[np.bool_]) -> tuple[Split, Array] | None:
    """Batches between the neighbours of the best one on each split still in the race; None where
    no whole number is left between them.

    A split leaves the race when even the next larger batch, one too slow for the limits, would
    give less than the best found so far: throughput rises with the batch.
    """
    batch = np.asarray(state.sequences)
    names = np.stack([getattr(state.split, name) for name in _DEGREES])
    starts = np.flatnonzero(np.append(True, np.any(names[:, 1:] != names[:, :-1], axis=0)))
    ends = np.append(starts[1:], batch.size) - 1
    every = np.asarray(state.output_tokens_per_s_per_chip)
    rate = np.where(quick, every, -1.0)
    most = float(np.max(rate))
    races: list[tuple[int, float, float]] = []
    for low, high in zip(starts, ends, strict=True):
        top = int(low + np.argmax(rate[low : high + 1]))
        before, after = max(top - 1, int(low)), min(top + 1, int(high))
        if rate[top] > 0.0 and max(every[top], every[after]) >= most:
            races.append((top, float(batch[before]), float(batch[after])))
    if all(max(batch[top] - low, high - batch[top]) <= 1.0 for top, low, high in races):
        return None
    count = max(_REFINED // len(races), _FEWEST)
    tried = [
        np.unique(np.append(np.round(np.linspace(low, high, count)), batch[top]))
        for top, low, high in races
    ]
    index = np.repeat([top for top, _, _ in races], [batches.size for batches in tried])
    return pick(state.split, index), np.concatenate(tried)


def phase_bound(compute: float, bandwidth: float, network: float, latency: float) -> str:
    """Name what takes most of the time."""
    parts = {"compute": compute, "bandwidth": bandwidth, "network": network, "latency": latency}
    return max(parts, key=lambda name: parts[name])


def _parts(phase: Phase, k: int) -> Array:
    return np.array(
        [
            np.asarray(part)[k]
            for part in (phase.compute_s, phase.bandwidth_s, phase.network_s, phase.latency_s)
        ]
    )


def _serving(
    llm: LLM, machine: Machine, state: Steady, request: Request, terms: ServiceTerms,
    notes: tuple[str, ...],
) -> Serving:
    """Best of the points that meet the limits."""
    grid, batches, load_factor = state.split, np.asarray(state.sequences), terms.load_factor
    quick = _quick(state, terms)
    best = int(np.argmax(np.where(quick, state.output_tokens_per_s_per_chip, -1.0)))
    context = request.input_tokens + request.output_tokens
    full = float(np.max(sequences_held(llm, machine, pick(grid, np.array([best])), context)))

    def at(values: object) -> float:
        return float(np.broadcast_to(np.asarray(values, dtype=float), batches.shape)[best])

    tokens = at(state.output_tokens_per_s_per_chip) * load_factor
    queries = tokens / request.output_tokens
    idle = float(machine.efficiency.idle_power) * float(machine.tdp_w)
    power = load_factor * at(state.power_w) + (1.0 - load_factor) * idle
    reading = at(state.mixed_steps) / (request.output_tokens / (1.0 + float(terms.traffic.accepted)))
    same = best + 1 < batches.size and all(at(getattr(grid, name)) == getattr(grid, name)[best + 1] for name in _DEGREES)
    if same and not quick[best + 1]:
        bound = "latency"
    elif batches[best] >= full:
        bound = "capacity"
    else:
        share = min(reading, 1.0)
        bound = phase_bound(*((1.0 - share) * _parts(state.decode, best) + share * _parts(state.mixed, best)))
    return Serving(
        chips=round(at(grid.chips)), tensor_parallel=round(at(grid.tensor)),
        pipeline_parallel=round(at(grid.pipeline)), expert_parallel=round(at(grid.expert)),
        data_parallel=round(at(grid.data)), batch=round(float(batches[best])),
        ttft_s=at(state.ttft_s), tpot_s=at(state.tpot_s), output_tokens_per_s_per_chip=tokens,
        queries_per_s_per_chip=queries, chip_seconds_per_query=1.0 / queries, bound=bound,
        prefill_bound=phase_bound(*_parts(state.mixed, best)),
        decode_bound=phase_bound(*_parts(state.decode, best)),
        weights_bytes=at(state.memory.weights), kv_cache_bytes=at(state.memory.kv_cache),
        overhead_bytes=at(state.memory.overhead), free_bytes=at(state.memory.free),
        power_w_per_chip=power, energy_j_per_query=power / queries, precision=terms.formats.weights,
        kv_precision=terms.formats.kv, floor_ttft_s=at(state.mixed.floor_s),
        floor_tpot_s=at(state.decode.floor_s),
        floor_chip_seconds_per_query=at(state.floor_chip_s_per_query), notes=notes,
        expert_precision=terms.formats.routed,
        queue_s=at(state.queue_s),
    )
