"""Serve a model on a chip: the best split and batch, their throughput and their bottleneck."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.arrays import pick
from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.perf.efficiency import Efficiency, Engine
from fabless.perf.machine import Formats, Machine, machine_of
from fabless.perf.serving.forward import Phase
from fabless.perf.serving.layout import candidate_splits, check_split, does_not_fit
from fabless.perf.serving.split import Split, room
from fabless.perf.serving.steady import Steady, steady_state
from fabless.records import LLM, Array, Chip, Request
from fabless.workload import Number, check

_BATCHES = 64
"""Largest number of batches tried per split, evenly spaced in logarithm, before refinement."""
_POINTS = 4096
"""Largest number of points tried on all splits together, if that leaves `_FEWEST` per split."""
_FEWEST = 16
_FINALISTS = 6
"""Number of splits whose batch is refined."""
_REFINED = 128
"""Batches tried between the neighbours of the best on each of them."""
_DEGREES = ("tensor", "pipeline", "expert", "data")


@dataclass(frozen=True)
class Traffic:
    """Prefix caching, speculative decoding and load: what changes cost or wait of requests."""

    cached: float = 0.0
    """Share of the prompt's tokens that a prefix cache holds [1]."""
    drafts: float = 0.0
    """Tokens that speculative decoding guesses per step [token]."""
    accepted: float = 0.0
    """Mean number of guessed tokens accepted per step [token]."""
    utilisation: float = 0.0
    """Random arrivals as a share of capacity, which sets the queue; 0: no queue [1]."""


NO_TRAFFIC = Traffic()


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


def check_request(
    llm: LLM, request: Request, load_factor: float, tpot_limit_s: float, ttft_limit_s: float,
    batch: int | None, ceilings: tuple[int, int], traffic: Traffic = NO_TRAFFIC,
) -> None:
    """Raise `BadValue` with every invalid argument of `serve`, the model's own shape first."""
    check(llm)
    faults = [
        Fault(name, str(value), "1 or more", "give a whole number")
        for name, value in zip(("max_batch", "max_chips"), ceilings, strict=True)
        if value < 1
    ]
    for name, value in (("input_tokens", request.input_tokens), ("output_tokens", request.output_tokens)):
        if not (math.isfinite(value) and value >= 1.0):
            faults.append(Fault(f"request.{name}", f"{value:g}", "a finite number of 1 or more",
                                "give the mean length of requests"))
    length = request.input_tokens + request.output_tokens
    if llm.max_context and length > llm.max_context:
        faults.append(
            Fault(
                "request", f"{length:g} tokens", f"at most {llm.max_context} for {llm.name}",
                "shorten the request or choose a model with a longer context",
            )
        )
    if not 0.0 < load_factor <= 1.0:
        faults.append(Fault("load_factor", f"{load_factor:g}", "above 0, at most 1", "give mean load over peak load"))
    for name, value in (("tpot_limit_s", tpot_limit_s), ("ttft_limit_s", ttft_limit_s)):
        if not value > 0.0:
            faults.append(Fault(name, f"{value:g}", "above 0 s", "give a time, or infinity for no limit"))
    if batch is not None and batch < 1:
        faults.append(Fault("batch", str(batch), "1 or more", "give the sequences in flight"))
    if not 0.0 <= traffic.cached <= 1.0:
        faults.append(Fault("cached", f"{traffic.cached:g}", "0 to 1", "give the share of prompt tokens found in the cache"))
    if not (0.0 <= traffic.drafts <= 64.0 and traffic.drafts == int(traffic.drafts)):
        faults.append(Fault("drafts", f"{traffic.drafts:g}", "a whole number, 0 to 64", "give the guesses of one step"))
    if not 0.0 <= traffic.accepted <= max(traffic.drafts, 0.0):
        faults.append(
            Fault(
                "accepted", f"{traffic.accepted:g}", f"0 to the {traffic.drafts:g} drafts",
                "give the mean number of guessed tokens accepted per step",
            )
        )
    if not 0.0 <= traffic.utilisation < 1.0:
        faults.append(Fault("utilisation", f"{traffic.utilisation:g}", "0 or more, below 1",
                            "give the load as a share of capacity; at 1 the queue grows without "
                            "end"))
    if faults:
        raise BadValue(*faults)


def waiting(service_s: Number, servers: Number, utilisation: Number) -> Array:
    """Mean wait of random arrivals for one of some servers that each take a fixed time [s].

    ``W = s rho^(sqrt(2 (c + 1)) - 1) / (2 c (1 - rho))``: exact for one server (M/D/1), else the approximation of
    Sakasegawa (1977), halved for fixed times. 0 where nothing arrives, infinite at a utilisation of
    1.

    >>> float(waiting(4.0, 1.0, 0.5))
    2.0
    """
    rho = np.asarray(utilisation, dtype=float)
    power = rho ** (np.sqrt(2.0 * (np.asarray(servers, dtype=float) + 1.0)) - 1.0)
    busy = np.asarray(service_s) * np.where(rho > 0.0, power, 0.0) / (2.0 * np.asarray(servers, dtype=float))
    left = np.broadcast_to(1.0 - rho, np.shape(busy))
    return np.asarray(np.divide(busy, left, out=np.full(np.shape(busy), np.inf), where=left > 0.0))


def first_token_queue(state: Steady, batches: Array, split: Split, output_tokens: float, traffic: Traffic) -> Array:
    """Wait before a prompt is read [s]: for a place in the batch, then for the prompts ahead of it.

    Places are servers that each take a whole request; prompts are read one after the other, by one
    server that is busy for the share of time that the instance reads.
    """
    if traffic.utilisation == 0.0:
        return np.zeros(np.shape(state.tpot_s))
    whole = np.asarray(state.tpot_s) * output_tokens
    reading = np.asarray(state.mixed_steps) * state.mixed.time_s
    others = np.maximum(batches / split.pipeline - 1.0, 1.0)
    share = np.minimum(reading / whole, 1.0)
    return (waiting(whole, batches, traffic.utilisation)
            + waiting(reading / others, 1.0, traffic.utilisation * share))


@dataclass(frozen=True)
class _Tried:
    """Points that were evaluated; flat arrays, those of one split side by side."""

    split: Split
    batches: Array
    state: Steady
    queue_s: Array

    @property
    def tpot_s(self) -> Array:
        return np.asarray(self.state.tpot_s)

    @property
    def ttft_s(self) -> Array:
        return np.asarray(self.state.ttft_s + self.queue_s)

    @property
    def rate(self) -> Array:
        """Output tokens a second and chip."""
        return np.asarray(self.state.output_tokens_per_s_per_chip)

    def quick(self, tpot_limit_s: float, ttft_limit_s: float) -> NDArray[np.bool_]:
        return (self.tpot_s <= tpot_limit_s) & (self.ttft_s <= ttft_limit_s)


def _try(llm: LLM, machine: Machine, split: Split, batches: Array, request: Request, traffic: Traffic) -> _Tried:
    state = steady_state(
        llm, machine, split, input_tokens=request.input_tokens, output_tokens=request.output_tokens,
        sequences=batches, cached=traffic.cached, drafts=traffic.drafts, accepted=traffic.accepted)
    return _Tried(split, batches, state, first_token_queue(state, batches, split, request.output_tokens, traffic))


def serve(
    llm: LLM, chip: Chip, request: Request, *, formats: Formats, efficiency: Efficiency,
    engine: Engine, tpot_limit_s: float = math.inf, ttft_limit_s: float = math.inf,
    load_factor: float = 1.0, split: Split | None = None, batch: int | None = None,
    max_batch: int = 1024, max_chips: int = 256,
    traffic: Traffic = NO_TRAFFIC,
) -> Serving:
    """Serve `request` on `chip` with the split and batch that give most tokens per second and chip
    under the limits.

    Splits are those of `candidate_splits`, batches up to `max_batch` sequences a stage and
    attention group. `load_factor` [1] is mean over peak load: chips are bought for the peak and
    paid through the day. `split` (one, or arrays of some to choose among) and `batch` fix the split
    and the sequences in flight; `traffic` says what of a prompt is cached, what is guessed, and how
    first tokens queue. A format that the chip has no units for is multiplied in another one and
    `notes` says so. Raises `DoesNotFit` when no split on up to `max_chips` chips holds one request
    or when none meets the limits, `BadValue` for arguments that cannot be.
    """
    check_request(
        llm, request, load_factor, tpot_limit_s=tpot_limit_s, ttft_limit_s=ttft_limit_s,
        batch=batch, ceilings=(max_batch, max_chips), traffic=traffic,
    )
    if split is not None and np.ndim(split.tensor) == 0:
        check_split(llm, split)
    machine, notes = machine_of(chip, formats, efficiency, engine)
    context = request.input_tokens + request.output_tokens
    splits = flat_split(split) if split else candidate_splits(llm, machine, context, max_chips)
    holds = sequences_held(llm, machine, splits, context)
    if not np.any(holds >= (batch or 1)):
        most = max_chips if split is None else int(np.max(splits.chips))
        limit = int(max(np.max(holds), 0.0))
        reason = (
            f"no split on up to {most} chips holds {batch or 1} of these requests in {formats.weights}"
            + (
                f", {limit} at most, on {split_label(pick(splits, np.asarray(np.argmax(holds))))}"
                if limit
                else ""
            )
        )
        raise does_not_fit(
            llm, chip, formats, efficiency=efficiency, engine=engine, context=context,
            reason=reason, sequences=batch or 1,
        )
    tried = _try(llm, machine, *batch_grid(splits, holds, batch, max_batch), request, traffic)
    quick = tried.quick(tpot_limit_s, ttft_limit_s)
    if not np.any(quick):
        raise out_of_reach(
            f"{llm.name} on {chip.name}", "split", tried.tpot_s, ttft_s=tried.ttft_s,
            tpot_limit_s=tpot_limit_s, ttft_limit_s=ttft_limit_s,
            describe=lambda k: (
                f"batch {tried.batches[k]:.0f} on {split_label(pick(tried.split, np.asarray(k)))}, "
                f"{tried.rate[k]:.3g} output tok/s/chip"
            ),
        )
    if batch is None:
        tried = _try(llm, machine, *_refined(tried, quick), request, traffic)
        quick = tried.quick(tpot_limit_s, ttft_limit_s)
    best = int(np.argmax(np.where(quick, tried.rate, -1.0)))
    full = sequences_held(llm, machine, pick(tried.split, np.array([best])), context)
    return _serving(
        tried, best, quick, full=float(np.max(full)), request=request, machine=machine,
        load_factor=load_factor, formats=formats, notes=notes, traffic=traffic,
    )


def front(
    llm: LLM, machine: Machine, request: Request, *, max_batch: int = 1024, max_chips: int = 64,
    ttft_limit_s: float = math.inf, split: Split | None = None, batch: int | None = None,
    traffic: Traffic = NO_TRAFFIC,
) -> list[Point]:
    """Points that no other beats in both throughput per chip and time per output token, the
    quickest first.

    Only points that reach the first token in time count. `split` (arrays) names splits to choose
    among.
    """
    context = request.input_tokens + request.output_tokens
    splits = candidate_splits(llm, machine, context, max_chips) if split is None else flat_split(split)
    holds = sequences_held(llm, machine, splits, context)
    if not np.any(holds >= (batch or 1)):
        return []
    tried = _try(llm, machine, *batch_grid(splits, holds, batch, max_batch), request, traffic)
    return [
        Point(
            pick(tried.split, np.asarray(k)), round(float(tried.batches[k])),
            float(tried.ttft_s[k]), float(tried.tpot_s[k]), float(tried.rate[k]),
        )
        for k in unbeaten(tried.tpot_s, np.where(tried.ttft_s <= ttft_limit_s, tried.rate, 0.0))
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
    place: str, what: str, tpot_s: Array, ttft_s: Array, tpot_limit_s: float, ttft_limit_s: float,
    describe: Callable[[int], str],
) -> DoesNotFit:
    """Make the error that says which limit binds and what comes closest, by the larger of the two
    shortfalls."""
    limits = ((tpot_s, tpot_limit_s, "a token"), (ttft_s, ttft_limit_s, "to the first token"))
    wanted = [f"{limit:g} s {of}" for _, limit, of in limits if math.isfinite(limit)]
    never = [f"{of}: {np.min(times):.3g} s at best" for times, limit, of in limits if not np.any(times <= limit)]
    binds = "; ".join(never) if never else "each alone can be met, not both at once"
    closest = int(np.argmin(np.maximum(tpot_s / tpot_limit_s, ttft_s / ttft_limit_s)))
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
    """Sequences of `context` tokens that each of some splits holds [1]."""
    return np.broadcast_to(np.asarray(room(llm, machine, splits, context)), np.shape(splits.tensor))


def batch_grid(splits: Split, holds: Array, batch: int | None, max_batch: int) -> tuple[Split, Array]:
    """Batches on every split that holds them, flat, the batches of one split side by side and
    rising."""
    most = np.minimum(holds, max_batch * splits.pipeline * splits.data) if batch is None else holds
    count = int(np.clip(_POINTS // np.size(holds), _FEWEST, _BATCHES))
    index, batches = [], []
    for k in np.flatnonzero(holds >= (batch or 1)):
        tried = np.array([float(batch)]) if batch else np.unique(np.round(np.geomspace(1.0, most[k], count)))
        index.append(np.full(tried.size, k))
        batches.append(tried)
    return pick(splits, np.concatenate(index)), np.concatenate(batches)


def _refined(tried: _Tried, quick: NDArray[np.bool_]) -> tuple[Split, Array]:
    """Batches between the neighbours of the best one, on each of the best splits; quick points are
    there."""
    names = np.stack([getattr(tried.split, name) for name in _DEGREES])
    starts = np.flatnonzero(np.append(True, np.any(names[:, 1:] != names[:, :-1], axis=0)))
    ends = np.append(starts[1:], tried.batches.size) - 1
    rate = np.where(quick, tried.rate, -1.0)
    tops = [int(low + np.argmax(rate[low : high + 1])) for low, high in zip(starts, ends, strict=True)]
    index, batches = [], []
    for place in sorted(range(len(tops)), key=lambda k: -rate[tops[k]])[:_FINALISTS]:
        top = tops[place]
        if rate[top] > 0.0:
            low, high = tried.batches[max(top - 1, starts[place])], tried.batches[min(top + 1, ends[place])]
            between = np.unique(np.append(np.round(np.linspace(low, high, _REFINED)), tried.batches[top]))
            index.append(np.full(between.size, top))
            batches.append(between)
    return pick(tried.split, np.concatenate(index)), np.concatenate(batches)


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
    tried: _Tried, best: int, quick: NDArray[np.bool_], full: float, request: Request,
    machine: Machine, load_factor: float, formats: Formats, notes: tuple[str, ...],
    traffic: Traffic,
) -> Serving:
    state, grid, batches = tried.state, tried.split, tried.batches

    def at(values: object) -> float:
        return float(np.broadcast_to(np.asarray(values, dtype=float), batches.shape)[best])

    tokens = at(tried.rate) * load_factor
    queries = tokens / request.output_tokens
    idle = float(machine.efficiency.idle_power) * float(machine.tdp_w)
    power = load_factor * at(state.power_w) + (1.0 - load_factor) * idle
    reading = at(state.mixed_steps) / (request.output_tokens / (1.0 + traffic.accepted))
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
        ttft_s=at(tried.ttft_s), tpot_s=at(state.tpot_s), output_tokens_per_s_per_chip=tokens,
        queries_per_s_per_chip=queries, chip_seconds_per_query=1.0 / queries, bound=bound,
        prefill_bound=phase_bound(*_parts(state.mixed, best)),
        decode_bound=phase_bound(*_parts(state.decode, best)),
        weights_bytes=at(state.memory.weights), kv_cache_bytes=at(state.memory.kv_cache),
        overhead_bytes=at(state.memory.overhead), free_bytes=at(state.memory.free),
        power_w_per_chip=power, energy_j_per_query=power / queries, precision=formats.weights,
        kv_precision=formats.kv, floor_ttft_s=at(state.mixed.floor_s),
        floor_tpot_s=at(state.decode.floor_s),
        floor_chip_seconds_per_query=at(state.floor_chip_s_per_query), notes=notes,
        expert_precision=formats.routed,
        queue_s=at(tried.queue_s),
    )
