"""Serve a load on designs: the best split and batch on each design, and its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from fabless.explore.sweep import DesignScores
from fabless.perf import Calibration, Machine, ServiceTerms, Split, room, steady_state
from fabless.perf.serving.layout import expert_groups, tensor_degrees
from fabless.records import LLM, Array, Request
from fabless.silicon.evaluate import Designs, Evaluation, Technology
from fabless.tco import Owning, chip_hour_cost
from fabless.units import HOUR_S
from fabless.workload import element_bytes

POINTS = 49_152
"""Combinations evaluated at once, so that their arrays stay in the cache."""
REFINED = 24
"""Batches tried between the neighbours of the best."""
OTHERS = 6
"""Batches tried on each split of the loads that only show how flexible a design is."""
STEPS = 3
"""Halvings of the limit on the time of a token for which the cheapest way is kept too."""
DEGREES = ("tensor", "pipeline", "expert", "data")
"""Degrees of a split."""
WIDEST = 8
"""Largest number of domains over which experts are spread."""
OBJECTIVES = ("usd_per_token", "usd_per_token_tco", "tokens_per_watt")
"""Cost of the chip alone, cost of owning and running it, energy; all but the last per output
token."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A load: a model, its requests, and the terms of their service."""

    llm: LLM
    request: Request
    terms: ServiceTerms


@dataclass(frozen=True, kw_only=True)
class ServingScorer:
    """Scores designs on a load, and on further ones to see how flexible they are."""

    load: Served
    also: tuple[Served, ...]
    """Other loads that each design also serves, at the best split of each."""
    calibration: Calibration
    owning: Owning
    domain: int
    scale_out_bandwidth: float
    margin: float
    """Gross margin of a design partner on the chip; 0 for a maker's own."""
    objective: str = "usd_per_token_tco"
    most_chips: int = 512
    batches: int = 10
    """Batches tried on each split before the best is refined."""
    metrics: tuple[str, ...] = field(init=False, default=(
        "usd_per_token", "usd_per_token_tco", "tokens_per_watt", "tpot_s", "ttft_s", "other_models",
        *(f"usd_at_tpot_{k}" for k in range(1, STEPS + 1))))

    @property
    def fronts(self) -> Sequence[tuple[str, str]]:
        """Cost against the cost of being faster, halving by halving, and against that of other
        models."""
        costs = ("usd_per_token_tco", *(f"usd_at_tpot_{k}" for k in range(1, STEPS + 1)))
        return (*pairwise(costs), (costs[0], costs[-1]), (costs[0], "other_models"))

    def __call__(self, designs: Designs, silicon: Evaluation, technology: Technology) -> DesignScores:
        """Score every design; what none of the metrics can be given for is infinite."""
        main = best_splits(self, self.load, designs, silicon)
        shared = ("usd_per_token", "usd_per_token_tco", "tokens_per_watt", "tpot_s", "ttft_s")
        metrics: dict[str, Array] = {name: getattr(main, name) for name in shared}
        for k in range(1, STEPS + 1):
            metrics[f"usd_at_tpot_{k}"] = main.faster[k - 1]
        others, points = [], main.points
        coarse = replace(self, batches=OTHERS)
        for load in self.also:
            other = best_splits(coarse, load, designs, silicon)
            others.append(np.log(other.usd_per_token_tco))
            points += other.points
        metrics["other_models"] = np.exp(np.mean(others, axis=0)) if others else main.usd_per_token_tco
        limits = self.load.terms
        lost = ~np.isfinite(main.usd_per_token_tco)
        slow = lost & main.holds_request
        reasons = {"memory": lost & ~main.holds_request,
                   "time to first token": slow & (main.best_ttft_s > limits.ttft_limit_s),
                   "time per token": slow & (main.best_ttft_s <= limits.ttft_limit_s)
                   & (main.best_tpot_s > limits.tpot_limit_s)}
        reasons["both times together"] = lost & ~np.any(list(reasons.values()), axis=0)
        unserved = {name: int(np.count_nonzero(who)) for name, who in reasons.items()}
        nearest = {"time to first token": float(np.min(main.best_ttft_s, initial=np.inf)),
                   "time per token": float(np.min(main.best_tpot_s, initial=np.inf)),
                   "memory": float(np.min(main.needed, initial=np.inf))}
        return DesignScores(metrics, unserved, nearest, points)


@dataclass(frozen=True, kw_only=True)
class BestSplits:
    """The best way to serve a load on each design; infinity where there is none."""

    usd_per_token: Array
    """Cost of the chip alone per output token."""
    usd_per_token_tco: Array
    tokens_per_watt: Array
    """Energy a token [J], the inverse of tokens per second and watt."""
    tpot_s: Array
    ttft_s: Array
    faster: tuple[Array, ...]
    """Cost of owning per token at a half, a quarter ... of the limit on the time of a token."""
    holds_request: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Whether any split holds a request."""
    needed: Array
    """Memory that one request needs over the memory of the widest split [ratio]."""
    best_tpot_s: Array
    best_ttft_s: Array
    split: Array
    """Tensor, pipeline, expert and data degree and sequences of the best way, shape (5,
    designs)."""
    points: int


def splits_of(llm: LLM, domain: int, most_chips: int) -> Split:
    """Splits worth trying on any design: tensor, expert and data degrees of a stage, and pipelines
    of the widest."""
    rows = []
    widest = min(domain, most_chips)
    for degree in tensor_degrees(llm, widest):
        rows.append((degree, 1, 1, 1))
        if degree > 1 and llm.experts and llm.experts % degree == 0:
            rows.append((degree, 1, degree, 1))
    if llm.experts:
        chips = 2
        while chips <= min(most_chips, WIDEST * domain):
            if (groups := expert_groups(llm, chips, domain)) > 1:
                rows.append((1, 1, groups, chips))
            chips *= 2
    degree, stages = tensor_degrees(llm, widest)[-1], 2
    while degree * stages <= most_chips and stages <= llm.layers:
        rows.append((degree, stages, 1, 1))
        stages *= 2
    return Split(*np.array(sorted(set(rows)), dtype=float).T)


def machine_of_designs(scorer: ServingScorer, load: Served, designs: Designs, silicon: Evaluation) -> Machine:
    """The designs as machines of the performance model, fields of shape (designs, 1, 1)."""
    def column(values: Array) -> Array:
        return np.asarray(values, dtype=float)[:, None, None]

    efficiency = scorer.calibration.efficiency
    formats = load.terms.formats
    width = np.maximum(designs.width, 8.0 * element_bytes(formats.weights))
    times = np.where(width >= 16, 1.0, np.where(width >= 8, 2.0, 4.0))
    share = np.where(
        width >= 16, efficiency.compute_16bit,
        np.where(width >= 8, efficiency.compute_8bit, efficiency.compute_4bit),
    )
    peak = column(silicon.bf16_flops * times)
    size = element_bytes(formats.weights)
    return Machine(
        peak_flops=peak, expert_flops=peak, attention_flops=column(silicon.bf16_flops),
        memory_bytes=column(silicon.memory_bytes),
        memory_bandwidth=column(silicon.memory_bandwidth),
        scale_up_bandwidth=column(designs.link_bandwidth), scale_up_domain=float(scorer.domain),
        scale_out_bandwidth=scorer.scale_out_bandwidth, tdp_w=column(silicon.power_w),
        weight_bytes=size, expert_bytes=size, activation_bytes=2.0,
        kv_bytes=element_bytes(formats.kv),
        compute=column(share * matrix_fill(load.llm, designs)),
        expert_compute=column(share * matrix_fill(load.llm, designs)),
        head_compute=np.asarray(efficiency.compute_16bit), efficiency=efficiency,
        engine=scorer.calibration.engine,
    )


def matrix_fill(llm: LLM, designs: Designs) -> Array:
    """Share of a matrix unit that the model's widths fill [share]: the last tile of each dimension
    is padded.

    ``dim / (ceil(dim / side) side)`` over the hidden width down the unit and the feed-forward width across it.
    """
    down, across = float(llm.hidden), float(llm.expert_ffn if llm.experts else llm.ffn)

    def used(dim: float, side: Array) -> Array:
        return np.asarray(dim / (np.ceil(dim / side) * side))

    return used(down, designs.rows) * used(across, designs.columns)


def best_splits(scorer: ServingScorer, load: Served, designs: Designs, silicon: Evaluation) -> BestSplits:
    """Best split and batch of every design, block by block so that memory stays bounded."""
    splits = splits_of(load.llm, scorer.domain, scorer.most_chips)
    each = int(np.size(splits.tensor)) * scorer.batches
    block = max(1, POINTS // each)
    parts = []
    for start in range(0, designs.size, block):
        places = np.arange(start, min(start + block, designs.size))
        part = Evaluation(**{name: getattr(silicon, name)[places] for name in silicon.__dataclass_fields__})
        parts.append(_block(scorer, load, designs.take(places), part, splits))
    joined = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
              for name in BestSplits.__dataclass_fields__
              if name not in ("faster", "points")}
    faster = tuple(np.concatenate([part.faster[k] for part in parts]) for k in range(STEPS))
    return BestSplits(**joined, faster=faster, points=sum(part.points for part in parts))


def _block(scorer: ServingScorer, load: Served, designs: Designs, silicon: Evaluation, splits: Split) -> BestSplits:
    machine = machine_of_designs(scorer, load, designs, silicon)
    context = load.request.input_tokens + load.request.output_tokens
    wide = Split(*(np.asarray(getattr(splits, name))[None, :, None] for name in DEGREES))
    holds = np.broadcast_to(room(load.llm, machine, wide, context), (designs.size, np.size(splits.tensor), 1))
    held = holds[..., 0] >= 1.0
    grid = np.maximum(np.round(np.maximum(holds, 1.0) ** np.linspace(0.0, 1.0, scorer.batches)), 1.0)
    first = _costs(scorer, load, machine, split=wide, sequences=grid, silicon=silicon, held=held)
    rows = np.arange(designs.size)
    at = np.argmin(first.chosen.reshape(designs.size, -1), axis=1)
    split, batch = at // scorer.batches, at % scorer.batches
    # refine the batch of the best split between its neighbours
    low = grid[rows, split, np.maximum(batch - 1, 0)]
    high = grid[rows, split, np.minimum(batch + 1, scorer.batches - 1)]
    finer = np.round(low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, REFINED))[:, None, :]
    own = Split(*(np.asarray(getattr(splits, name))[split][:, None, None] for name in DEGREES))
    second = _costs(
        scorer, load, machine, split=own, sequences=finer, silicon=silicon,
        held=held[rows, split][:, None],
    )
    better = np.argmin(second.chosen[:, 0, :], axis=1)
    picked = [
        np.where(
            np.min(second.chosen[:, 0, :], axis=1) <= first.chosen[rows, split, batch],
            getattr(second, name)[rows, 0, better], getattr(first, name)[rows, split, batch],
        )
        for name in ("chip", "tco", "joule", "tpot", "ttft", "chosen")
    ]
    served = np.isfinite(picked[5])
    chip, tco, joule, tpot, ttft = (np.where(served, values, np.inf) for values in picked[:5])
    flat = [getattr(first, name).reshape(designs.size, -1) for name in ("tco", "tpot", "ttft")]
    again = [getattr(second, name)[:, 0, :] for name in ("tco", "tpot", "ttft")]
    every = [np.concatenate(pair, axis=1) for pair in zip(flat, again, strict=True)]
    limits = load.terms
    soon = every[2] <= limits.ttft_limit_s
    faster = tuple(
        np.min(np.where((every[1] <= limits.tpot_limit_s / 2**k) & soon, every[0], np.inf), axis=1)
        for k in range(1, STEPS + 1)
    )
    fine = np.where(np.isfinite(every[0]), every[1], np.inf), np.where(np.isfinite(every[0]), every[2], np.inf)
    sequences = np.where(np.min(second.chosen[:, 0, :], axis=1) <= first.chosen[rows, split, batch],
                         finer[rows, 0, better], grid[rows, split, batch])
    degrees = [np.asarray(getattr(splits, name))[split] for name in DEGREES]
    needed = 1.0 / np.maximum(np.max(holds[..., 0], axis=1), 1e-9)
    return BestSplits(
        usd_per_token=chip, usd_per_token_tco=tco, tokens_per_watt=joule, tpot_s=tpot, ttft_s=ttft,
        faster=faster, holds_request=np.any(held, axis=1), needed=needed,
        best_tpot_s=np.min(fine[0], axis=1), best_ttft_s=np.min(fine[1], axis=1),
        split=np.stack([*degrees, sequences]), points=first.chosen.size + second.chosen.size,
    )


@dataclass(frozen=True, kw_only=True)
class _Costs:
    chip: Array
    tco: Array
    joule: Array
    tpot: Array
    ttft: Array
    chosen: Array
    """Quantity to minimise; infinity if a limit is missed."""


def _costs(
    scorer: ServingScorer, load: Served, machine: Machine, split: Split, sequences: Array,
    silicon: Evaluation, held: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> _Costs:
    """Costs per output token of every combination, of shape (designs, splits, batches)."""
    shape = np.broadcast_shapes(np.shape(machine.peak_flops), np.shape(split.tensor), sequences.shape)
    state = steady_state(
        load.llm, machine, split, input_tokens=load.request.input_tokens,
        output_tokens=load.request.output_tokens, sequences=sequences)
    terms, busy = load.terms, load.terms.load_factor
    rate = np.asarray(state.output_tokens_per_s_per_chip) * busy
    idle = scorer.calibration.efficiency.idle_power * np.asarray(machine.tdp_w)
    power = busy * np.asarray(state.power_w) + (1.0 - busy) * idle
    price = (silicon.unit_cost_usd / (1.0 - scorer.margin))[:, None, None]
    hour = chip_hour_cost(
        price, scorer.owning, rated_power_w=machine.tdp_w, average_power_w=power)
    wall = np.asarray(scorer.owning.server_power) * np.asarray(scorer.owning.pue)
    fits = np.broadcast_to(held[..., None] & state.fits, shape)
    quick = np.asarray(
        (state.tpot_s <= terms.tpot_limit_s) & (state.ttft_s <= terms.ttft_limit_s))

    def per_token(amount: Array) -> Array:
        return np.where(fits, amount / rate, np.inf)

    chip, tco, joule = (per_token(hour.chip_usd / HOUR_S), per_token(hour.total_usd / HOUR_S), per_token(power * wall))
    wanted = {"usd_per_token": chip, "usd_per_token_tco": tco, "tokens_per_watt": joule}[scorer.objective]
    costs = {"chip": chip, "tco": tco, "joule": joule, "tpot": state.tpot_s, "ttft": state.ttft_s,
             "chosen": np.where(quick, wanted, np.inf)}
    return _Costs(**{name: np.broadcast_to(np.asarray(values, dtype=float), shape) for name, values in costs.items()})

