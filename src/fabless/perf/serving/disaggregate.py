"""Prefill on one pool of instances, decode on another, each at its best, in matching numbers.

A pool has its own split and batch, and may have its own chip. Prompts are read without any running
sequence beside them, tokens are written without any prompt in between; the cache of a prompt
crosses the links once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.arrays import pick
from fabless.errors import DoesNotFit, Fault
from fabless.perf.kernels import link_time
from fabless.perf.machine import Machine
from fabless.perf.power import chip_power
from fabless.perf.serving.forward import Phase, decode_step, prefill
from fabless.perf.serving.layout import candidate_splits
from fabless.perf.serving.queue import waiting
from fabless.perf.serving.serve import (
    batch_grid,
    flat_split,
    out_of_reach,
    phase_bound,
    sequences_held,
    split_label,
    splits_held,
    unbeaten,
)
from fabless.perf.serving.split import Memory, Split, memory
from fabless.perf.serving.terms import (
    EVERY_SPLIT,
    ServiceTerms,
    SplitSearch,
    Traffic,
    check_request,
)
from fabless.records import LLM, Array, Request
from fabless.workload import kv_cache_bytes

_PROMPTS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Numbers of prompts tried that one attention group prefills together."""
_MOST_INSTANCES = 16
"""Largest number of instances per pool, so that pools match in small whole numbers."""
_AS_GOOD = 0.99
"""Share of the best throughput that counts as equally good; of those the fewest chips win."""


@dataclass(frozen=True, kw_only=True)
class InstancePool:
    """Equal instances that do only prefill, or only decode."""

    instances: int
    chips: int
    """Chips of one instance."""
    tensor_parallel: int
    pipeline_parallel: int
    expert_parallel: int
    data_parallel: int
    batch: int
    """Prompts prefilled together, or sequences decoded together, in one instance."""
    step_s: float
    """Time to prefill the prompts of a batch, or time of one decode step."""
    queries_per_s: float
    """Largest rate of requests of one instance."""
    bound: str
    weights_bytes: float
    """Weights held by one chip."""
    kv_cache_bytes: float
    overhead_bytes: float
    free_bytes: float
    power_w_per_chip: float
    """Mean power of one chip at the throughput of both pools together."""


@dataclass(frozen=True, kw_only=True)
class Disaggregated:
    """A prefill pool and a decode pool that serve together."""

    prefill: InstancePool
    decode: InstancePool
    chips: int
    """Chips of both pools together."""
    ttft_s: float
    """Time from arrival to first token, including the cache transfer and the queue."""
    transfer_s: float
    queue_s: float
    tpot_s: float
    output_tokens_per_s_per_chip: float
    """Output tokens per second over all chips, at full load."""
    queries_per_s_per_chip: float
    energy_j_per_query: float
    """Energy of the chips alone, without servers and cooling."""
    continuous_output_tokens_per_s_per_chip: float
    """Throughput if pools could split the chips at will: ``out / (c_p / R_p + c_d / R_d)``."""
    prefill_share: float
    """Share of the chips that would prefill if pools could split the chips at will [share]."""


@dataclass(frozen=True)
class Disaggregation:
    """The best pair of pools, and the pairs that no other pair beats."""

    best: Disaggregated
    front: tuple[Disaggregated, ...]
    """Pairs unbeaten in throughput and time per token, fastest first; all meet the TTFT limit."""


@dataclass(frozen=True, kw_only=True)
class _Side:
    """Candidate points of one pool, as flat arrays."""

    machine: Machine
    split: Split
    batches: Array
    phase: Phase
    memory: Memory
    wait_s: Array
    """Time to first token without the transfer (prefill), or time per token (decode)."""
    queue_s: Array
    rate: Array
    """Requests per second of one instance."""
    step_s: Array
    """Time to prefill the prompts of a batch, or time of one decode step."""
    passes: Array
    """Passes that each chip makes for one request."""

    @property
    def chips(self) -> Array:
        return np.asarray(self.split.chips)

    @property
    def lanes(self) -> Array:
        """Chips that hold a part of one sequence."""
        return np.asarray(self.split.tensor * np.asarray(self.split.pipeline, dtype=float))


@dataclass(frozen=True)
class _Match:
    """Best instance counts for each pair of points; arrays of prefill x decode points."""

    rate: Array
    """Requests per second and chip; 0 if nothing meets the limit."""
    reading: NDArray[np.intp]
    writing: NDArray[np.intp]
    ttft_s: Array
    """Time to first token; infinite if no instance counts are allowed."""


def disaggregate(
    llm: LLM, prefill_machine: Machine, decode_machine: Machine, request: Request,
    terms: ServiceTerms, search: SplitSearch = EVERY_SPLIT, place: str = "",
) -> Disaggregation:
    """Serve `request` with a pool that reads and one that writes, within the chips and batches of
    `search`; number formats are those of the machines.

    Of x instances that read R_p requests a second each on c_p chips and y that write R_d on c_d,
    the throughput is
    ``min(x R_p, y R_d) / (x c_p + y c_d)``; the fewest chips within 1 % of the best are taken.

        TTFT = request + queue + half the gathering of a batch + reading + cache bytes / links
        TPOT = step / (1 + accepted)

    Prompts queue for the instance that they are sent to. The cache goes over the scale-up links
    where both pools lie in one domain, else over the scale-out links, from and to the chips that
    hold a part of one sequence; the links also bound the rates. Raises `DoesNotFit` when a pool
    holds no request or nothing meets the limits, `BadValue` for arguments that cannot be.
    """
    check_request(llm, request, terms, search)
    where = f"{place or llm.name}, disaggregated"
    traffic = terms.traffic
    reads = _reading(llm, prefill_machine, request, search, traffic=traffic, where=where)
    writes = _writing(llm, decode_machine, request, search, traffic=traffic, where=where)
    size = float(np.asarray(kv_cache_bytes(llm, request.input_tokens, prefill_machine.kv_bytes)))
    match = _match(reads, writes, size, terms.ttft_limit_s, search.max_chips)
    column, rows = np.arange(writes.chips.size), np.argmax(match.rate, axis=0)
    best_of = match.rate[rows, column]
    if not np.any(best_of[writes.wait_s <= terms.tpot_limit_s] > 0.0):
        raise _unmet(
            reads, writes, _match(reads, writes, size, math.inf, search.max_chips), terms,
            max_chips=search.max_chips, where=where,
        )

    def at(row: int, place: int) -> Disaggregated:
        return _answer(reads, row, writes, place=place, match=match, size=size, request=request)

    quick = np.where(writes.wait_s <= terms.tpot_limit_s, match.rate, 0.0)
    good = np.flatnonzero(quick >= _AS_GOOD * np.max(quick))
    total = (match.reading * reads.chips[:, None] + match.writing * writes.chips).ravel()[good]
    first = good[np.lexsort((-quick.ravel()[good], total))[0]]
    row, place_ = (int(k) for k in np.unravel_index(first, quick.shape))
    points = tuple(at(int(rows[k]), k) for k in unbeaten(writes.wait_s, best_of))
    return Disaggregation(at(row, place_), points)


def _link(sender: Machine, receiver: Machine, inside: bool) -> float:
    """Bandwidth from one chip to another, as collectives reach it [B/s]."""
    up, out = (min(getattr(sender, name), getattr(receiver, name)) for name in ("scale_up_bandwidth", "scale_out_bandwidth"))
    return float(up if inside else out) * min(sender.efficiency.link, receiver.efficiency.link)


def _nothing_held(where: str, pool: str, max_chips: int) -> DoesNotFit:
    return DoesNotFit(Fault(where, f"no split on up to {max_chips} chips holds one request for "
                                   f"{pool}",
                            "a split whose chips hold the weights and the cache of a request",
                            "allow more chips or take a narrower precision"))


def _reading(
    llm: LLM, machine: Machine, request: Request, search: SplitSearch, traffic: Traffic, where: str
) -> _Side:
    """Every useful split and number of prompts prefilled together."""
    splits = (
        candidate_splits(llm, machine, request.input_tokens, search.max_chips)
        if search.prefill_split is None
        else flat_split(search.prefill_split)
    )
    grid = pick(splits, np.repeat(np.arange(np.size(splits.tensor)), len(_PROMPTS)))
    groups = np.tile(_PROMPTS, np.size(splits.tensor))
    fits = groups * grid.data * grid.pipeline <= sequences_held(llm, machine, grid, request.input_tokens)
    if not np.any(fits):
        raise _nothing_held(where, "prefill", search.max_chips)
    grid, groups = pick(grid, np.flatnonzero(fits)), groups[fits]
    past = request.input_tokens * traffic.cached
    fresh = max(request.input_tokens - past, 1.0)
    together = groups * grid.data
    passes = np.ceil(groups * fresh / machine.engine.chunk_tokens)
    phase = prefill(
        llm, machine, grid, prompts=together, new=fresh / passes,
        past=past + fresh * (passes - 1.0) / passes / 2.0)
    whole = np.asarray(passes * phase.time_s)
    gather = whole / grid.pipeline * (together - 1.0) / together / 2.0
    queue = waiting(whole, grid.pipeline, traffic.utilisation)
    in_flight = together * grid.pipeline
    side = _Side(
        machine=machine, split=grid, batches=np.asarray(together), phase=phase,
        memory=memory(llm, machine, grid, in_flight, request.input_tokens),
        wait_s=np.asarray(machine.engine.request_s + gather + whole), queue_s=queue,
        rate=np.asarray(in_flight / whole), step_s=whole, passes=np.asarray(passes / together))
    return _useful(side, side.wait_s + side.queue_s)


def _writing(
    llm: LLM, machine: Machine, request: Request, search: SplitSearch, traffic: Traffic, where: str
) -> _Side:
    """Every useful split and number of running sequences."""
    context = request.input_tokens + request.output_tokens
    batch = search.batch
    splits, holds = splits_held(llm, machine, context, search)
    if not np.any(holds >= (batch or 1)):
        raise _nothing_held(
            where, f"decode, {batch} at once" if batch else "decode", search.max_chips)
    grid, batches = batch_grid(splits, holds, search)
    phase = decode_step(
        llm, machine, grid, sequences=batches / grid.pipeline,
        context=request.input_tokens + request.output_tokens / 2.0, tokens=1.0 + traffic.drafts)
    steps = request.output_tokens / (1.0 + traffic.accepted)
    token = np.asarray(phase.time_s) / (1.0 + traffic.accepted)
    side = _Side(
        machine=machine, split=grid, batches=batches, phase=phase,
        memory=memory(llm, machine, grid, batches, context), wait_s=token,
        queue_s=np.zeros(batches.shape), rate=np.asarray(batches / (steps * phase.time_s)),
        step_s=np.asarray(phase.time_s), passes=np.asarray(steps * grid.pipeline / batches),
    )
    return _useful(side, token)


def _useful(side: _Side, wait_s: Array) -> _Side:
    """Leave out points that another one, on no more chips and no fewer lanes, beats in rate per
    chip and wait."""
    kinds = np.stack([side.chips, side.lanes], axis=1)
    kept: list[int] = []
    for kind in np.unique(kinds, axis=0):
        index = np.flatnonzero(np.all(kinds == kind, axis=1))
        kept += [int(index[k]) for k in unbeaten(wait_s[index], side.rate[index])]
    index = np.array(sorted(kept), dtype=np.intp)
    costs = (side.chips[index], -side.lanes[index], wait_s[index], -(side.rate / side.chips)[index])
    no_worse = np.all([cost[:, None] <= cost for cost in costs], axis=0)
    index = index[~np.any(no_worse & ~no_worse.T, axis=0)]

    def of(values: object) -> Array:
        return np.asarray(np.broadcast_to(np.asarray(values, dtype=float), side.rate.shape)[index])

    return _Side(
        machine=side.machine, split=pick(side.split, index), batches=of(side.batches),
        phase=Phase(**{name: of(getattr(side.phase, name)) for name in Phase.__dataclass_fields__}),
        memory=Memory(*(of(getattr(side.memory, name)) for name in Memory.__dataclass_fields__)),
        wait_s=of(side.wait_s), queue_s=of(side.queue_s), rate=of(side.rate),
        step_s=of(side.step_s), passes=of(side.passes),
    )


def _match(reads: _Side, writes: _Side, size: float, ttft_limit_s: float, max_chips: int) -> _Match:
    """Best instance counts for every pair of points, one count of decode instances at a time."""
    shape = (reads.chips.size, writes.chips.size)
    top, ttft_s = np.zeros(shape), np.full(shape, np.inf)
    reading, writing = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.intp)
    quickest, prompts = reads.wait_s + reads.queue_s, reads.batches / reads.split.data
    for y in range(1, _MOST_INSTANCES + 1):
        even = y * writes.rate / reads.rate[:, None]
        for x in (np.floor(even), np.ceil(even)):
            x = np.clip(x, 1.0, _MOST_INSTANCES)
            chips = x * reads.chips[:, None] + y * writes.chips
            into, out, send = _rates(reads, writes, size, chips)
            first = quickest[:, None] + send * prompts[:, None]
            allowed = (chips <= max_chips) & (first <= ttft_limit_s)
            rate = np.where(allowed, np.minimum(x * into, y * out) / chips, 0.0)
            better = rate > top * (1.0 + 1e-12)
            top = np.where(better, rate, top)
            reading, writing = np.where(better, x.astype(np.intp), reading), np.where(better, y, writing)
            ttft_s = np.where(better, first, ttft_s)
    return _Match(top, reading, writing, ttft_s)


def _rates(reads: _Side, writes: _Side, size: float, chips: Array) -> tuple[Array, Array, Array]:
    """Requests a second of one instance of each pool, as the links allow, and the time to send a
    cache [s]."""
    domain = np.minimum(reads.machine.scale_up_domain, writes.machine.scale_up_domain)
    near, far = (float(link_time(size, _link(reads.machine, writes.machine, inside), 1.0)) for inside in (True, False))
    link_s = np.where(chips <= domain, near, far)
    send = link_s / np.minimum(reads.lanes[:, None], writes.lanes)
    capacity = np.where(chips <= domain, *(1.0 / time if time > 0.0 else np.inf for time in (near, far)))
    into = np.minimum(reads.rate[:, None], reads.chips[:, None] * capacity)
    return into, np.minimum(writes.rate, writes.chips * capacity), send


def _unmet(
    reads: _Side, writes: _Side, match: _Match, terms: ServiceTerms, max_chips: int, where: str
) -> DoesNotFit:
    """Make the error for limits that nothing meets."""
    possible = np.isfinite(match.ttft_s)
    if not np.any(possible):
        least = int(np.min(reads.chips) + np.min(writes.chips))
        return DoesNotFit(
            Fault(
                where, f"no two instances on up to {max_chips} chips", f"{least} chips or more",
                "allow more chips",
            )
        )
    row, place = np.nonzero(possible)

    def describe(k: int) -> str:
        pools = (("prefill", reads, row[k], match.reading), ("decode", writes, place[k], match.writing))
        return " and ".join(
            f"{numbers[row[k], place[k]]} {what} instances on "
            f"{split_label(pick(side.split, np.asarray(index)))}, batch {side.batches[index]:.0f}"
            for what, side, index, numbers in pools
        )

    return out_of_reach(
        where, "pair of pools", writes.wait_s[place], match.ttft_s[row, place], terms=terms,
        describe=describe)


def _answer(
    reads: _Side, row: int, writes: _Side, place: int, match: _Match, size: float, request: Request
) -> Disaggregated:
    x, y = int(match.reading[row, place]), int(match.writing[row, place])
    chips = x * reads.chips[row] + y * writes.chips[place]
    into, out, send = (values[row, place] for values in _rates(reads, writes, size, np.full(match.rate.shape, chips)))
    free_in, free_out, _ = (values[row, place] for values in _rates(
        reads, writes, size, np.full(match.rate.shape, reads.chips[row] + writes.chips[place])))
    per_chip = float(match.rate[row, place])
    rate = per_chip * chips
    pools = (_pool(reads, row, x, float(into), rate / x), _pool(writes, place, y, float(out), rate / y))
    reading, writing = reads.chips[row] / free_in, writes.chips[place] / free_out
    power = sum(pool.power_w_per_chip * pool.chips * pool.instances for pool in pools)
    return Disaggregated(
        prefill=pools[0], decode=pools[1], chips=round(float(chips)),
        ttft_s=float(match.ttft_s[row, place]),
        transfer_s=float(send * reads.batches[row] / np.asarray(reads.split.data)[row]),
        queue_s=float(reads.queue_s[row]), tpot_s=float(writes.wait_s[place]),
        output_tokens_per_s_per_chip=per_chip * request.output_tokens,
        queries_per_s_per_chip=per_chip, energy_j_per_query=float(power / rate),
        continuous_output_tokens_per_s_per_chip=float(request.output_tokens / (reading + writing)),
        prefill_share=float(reading / (reading + writing)),
    )


def _pool(side: _Side, k: int, instances: int, at_most: float, rate: float) -> InstancePool:
    """The pool at point `k`, where each instance serves `rate` requests per second."""
    def at(values: object) -> float:
        return float(np.broadcast_to(np.asarray(values, dtype=float), side.rate.shape)[k])

    split, phase, machine = side.split, side.phase, side.machine
    passes = rate * at(side.passes)
    power = chip_power(
        machine.tdp_w, passes * at(phase.flop_at_peak_s),
        passes * at(phase.moved_bytes) / machine.memory_bandwidth, machine.efficiency,
    )
    return InstancePool(
        instances=instances, chips=round(at(side.chips)), tensor_parallel=round(at(split.tensor)),
        pipeline_parallel=round(at(split.pipeline)), expert_parallel=round(at(split.expert)),
        data_parallel=round(at(split.data)), batch=round(at(side.batches)), step_s=at(side.step_s),
        queries_per_s=at_most,
        bound=phase_bound(
            at(phase.compute_s), at(phase.bandwidth_s), at(phase.network_s), at(phase.latency_s)
        ),
        weights_bytes=at(side.memory.weights),
        kv_cache_bytes=at(side.memory.kv_cache),
        overhead_bytes=at(side.memory.overhead),
        free_bytes=at(side.memory.free),
        power_w_per_chip=float(power),
    )
