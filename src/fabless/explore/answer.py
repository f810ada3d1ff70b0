"""The best design for a load: sweep, winner, fronts, and the chips on the market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.catalogue import Catalogue
from fabless.digest import digest_of
from fabless.errors import FablessError
from fabless.executors import Executors
from fabless.explore.checkpoint import Checkpoint
from fabless.explore.found import SweepState
from fabless.explore.front import Numbers, best_designs, front_of
from fabless.explore.limits import EXPLAINED
from fabless.explore.serving import BestSplits, Served, ServingScorer, best_splits
from fabless.explore.space import WIDTHS, Space
from fabless.explore.sweep import CHUNK, Task, sweep
from fabless.perf import serve
from fabless.quote import calibration_of, number_of, price_of
from fabless.records import Architecture, Chip, LogicDie
from fabless.silicon import chip_sheet
from fabless.silicon.evaluate import Designs, Evaluation, Technology, built_units, evaluate
from fabless.tco import chip_hour_cost
from fabless.units import HOUR_S

CURVE = 12
"""Limits on the time of a token for which the front of cost against latency is drawn."""
QUICKEST = 16.0
"""Divisor of the load's time limit that gives the tightest limit of the front."""
FINE = 40
"""Number of batches tried per split for the front of cost against latency."""
PER_MILLION = 1e6


@dataclass(frozen=True, kw_only=True)
class Winner:
    """A design with how it serves the load."""

    number: int
    memory: str
    dies: int
    units: int
    units_built: int
    rows: int
    columns: int
    clock_hz: float
    precision: str
    on_chip_bytes: float
    """On-chip memory of one die."""
    stacks: int
    memory_bytes: float
    memory_bandwidth: float
    link_bandwidth: float
    die_area_mm2: float
    power_w: float
    bf16_flops: float
    unit_cost_usd: float
    tensor_parallel: int
    pipeline_parallel: int
    expert_parallel: int
    data_parallel: int
    sequences: int
    tpot_s: float
    ttft_s: float
    usd_per_million_tokens: float
    """Cost of the chip alone per million output tokens, their input included."""
    usd_per_million_tokens_tco: float
    joule_per_token: float


@dataclass(frozen=True)
class FrontPoint:
    """A design on a front."""

    number: int
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Market:
    """A chip on the market on the same load."""

    chip: str
    usd_per_million_tokens_tco: float | None
    """Cost at the modelled unit cost; None if the load is missed or the silicon is unknown."""
    at_price: float | None
    """Cost at the price for which the chip is sold."""
    tpot_s: float | None
    over_best: float | None
    """Cost at unit cost over that of the best design [1]."""
    why_not: str


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """The answer of an exploration."""

    load: str
    node: str
    objective: str
    designs: int
    removed: tuple[tuple[str, int], ...]
    """Limit and designs that it removed, in order."""
    made: int
    unserved: tuple[tuple[str, int], ...]
    served: int
    best: Winner | None
    best_chip: Chip | None
    latency_front: tuple[FrontPoint, ...]
    """Time of a token [s] and cost of owning per million output tokens [USD]."""
    flexibility_front: tuple[FrontPoint, ...]
    """Cost on the load, and geometric mean of the cost on the other loads [USD per million output
    tokens]."""
    market: tuple[Market, ...]
    binding: str
    """Limit that keeps all designs from serving the load; empty if one does."""
    points: int
    seconds: float
    resumed: int


def explore(
    catalogue: Catalogue, space: Space, technologies: Sequence[Technology], task: Task, *,
    market: Sequence[str] = (), executors: Executors | None = None, chunk: int = CHUNK,
    checkpoint_path: object = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exploration:
    """Sweep a space for a load and say what is best in it. The scorer of `task` is a
    `ServingScorer`."""
    scorer = task.scorer
    assert isinstance(scorer, ServingScorer)
    checkpoint = None
    if checkpoint_path is not None:
        digest = digest_of(
            {
                "space": space.described(), "scorer": scorer, "catalogue": catalogue.digest,
                "technologies": technologies, "limits": task.limits, "chunk": chunk,
            }
        )
        checkpoint = Checkpoint(checkpoint_path, digest)  # type: ignore[arg-type]
    swept = sweep(task, executors=executors, chunk=chunk, checkpoint=checkpoint, progress=progress)
    state = swept.found
    order = best_designs(state.kept, scorer.objective, 1)
    best, chip = None, None
    if order.size:
        number = int(state.kept.numbers[order[0]])
        best, chip = _winner(space, technologies, scorer, number)
    cost = best.usd_per_million_tokens_tco if best else None
    return Exploration(
        load=f"{scorer.load.llm.name}, {scorer.load.request.input_tokens:g} tokens in, "
        f"{scorer.load.request.output_tokens:g} out, {scorer.load.terms.formats.weights}",
        node=space.node,
        objective=scorer.objective,
        designs=state.designs,
        removed=tuple(state.removed.items()),
        made=state.made,
        unserved=tuple(state.unserved.items()),
        served=state.made - sum(state.unserved.values()),
        best=best,
        best_chip=chip,
        latency_front=_latency_front(space, technologies, scorer, state),
        flexibility_front=_flexibility_front(state) if scorer.also else (),
        market=tuple(_market(catalogue, name, scorer, cost) for name in market),
        binding="" if best else _binding(state, scorer.load),
        points=state.points,
        seconds=swept.seconds,
        resumed=swept.resumed,
    )


def _silicon(
    space: Space, technologies: Sequence[Technology], numbers: Numbers
) -> list[tuple[Designs, Evaluation, Numbers]]:
    """Designs by number with their area, power and cost, one entry per kind of memory."""
    kinds = numbers // space.of_one_memory
    parts = []
    for kind in np.unique(kinds):
        of_kind = numbers[kinds == kind]
        designs = space.designs(of_kind)
        parts.append((designs, evaluate(designs, technologies[int(kind)]), of_kind))
    return parts


def _winner(space: Space, technologies: Sequence[Technology], scorer: ServingScorer, number: int) -> tuple[Winner, Chip]:
    designs, silicon, _ = _silicon(space, technologies, np.array([number], dtype=np.int64))[0]
    ways: BestSplits = best_splits(scorer, scorer.load, designs, silicon)
    technology = technologies[number // space.of_one_memory]
    name_of = {float(bits): name for name, bits in WIDTHS.items()}
    units, dies = int(designs.units[0]), int(designs.dies[0])
    built = int(built_units(designs.units)[0])
    tensor, pipeline, expert, data, sequences = (round(float(value)) for value in ways.split[:, 0])
    winner = Winner(
        number=number, memory=technology.memory.name, dies=dies, units=units, units_built=built,
        rows=int(designs.rows[0]), columns=int(designs.columns[0]),
        clock_hz=float(designs.clock_hz[0]), precision=name_of[float(designs.width[0])],
        on_chip_bytes=float(designs.sram_bytes[0]), stacks=int(designs.stacks[0]),
        memory_bytes=float(silicon.memory_bytes[0]),
        memory_bandwidth=float(silicon.memory_bandwidth[0]),
        link_bandwidth=float(designs.link_bandwidth[0]),
        die_area_mm2=1e6 * float(silicon.die_area_m2[0]), power_w=float(silicon.power_w[0]),
        bf16_flops=float(silicon.bf16_flops[0]), unit_cost_usd=float(silicon.unit_cost_usd[0]),
        tensor_parallel=tensor, pipeline_parallel=pipeline, expert_parallel=expert,
        data_parallel=data, sequences=sequences, tpot_s=float(ways.tpot_s[0]),
        ttft_s=float(ways.ttft_s[0]),
        usd_per_million_tokens=PER_MILLION * float(ways.usd_per_token[0]),
        usd_per_million_tokens_tco=PER_MILLION * float(ways.usd_per_token_tco[0]),
        joule_per_token=float(ways.tokens_per_watt[0]),
    )
    chip = Chip(
        name=f"design-{number}", vendor="", kind="hypothetical", peak_flops=_rates(winner),
        memory_bytes=winner.memory_bytes, memory_bandwidth=winner.memory_bandwidth,
        scale_up_bandwidth=winner.link_bandwidth, scale_up_domain=space.domain,
        scale_out_bandwidth=space.scale_out_bandwidth, tdp_w=winner.power_w, node=space.node,
        die_area_m2=(float(silicon.die_area_m2[0]),) * dies, hbm_stacks=winner.stacks,
        memory_type=winner.memory, packaging=space.packaging,
        architecture=Architecture(
            dies=(LogicDie(float(silicon.die_area_m2[0]), dies, None, built, units),),
            clock_hz=winner.clock_hz, on_chip_bytes=winner.on_chip_bytes * dies,
            vector_flops=winner.bf16_flops / technology.area.macs_per_lane,
            memory_sites=winner.stacks,
        ),
    )
    return winner, chip


def _rates(winner: Winner) -> dict[str, float]:
    """Dense rates of a design by format."""
    rates = {"bf16": winner.bf16_flops}
    for name in ("fp8", "fp4"):
        if WIDTHS[name] >= WIDTHS[winner.precision]:
            rates[name] = winner.bf16_flops * 16 / WIDTHS[name]
    return rates


def _latency_front(
    space: Space, technologies: Sequence[Technology], scorer: ServingScorer, state: SweepState
) -> tuple[FrontPoint, ...]:
    """Cost against the time of a token, over the designs that were kept, each at its best under a
    row of limits."""
    if not state.kept.numbers.size:
        return ()
    by_cost = replace(scorer, objective="usd_per_token_tco", also=(), batches=FINE)
    rows: list[tuple[int, float, float]] = []
    terms = scorer.load.terms
    for step in np.linspace(0.0, 1.0, CURVE):
        tighter = replace(terms, tpot_limit_s=terms.tpot_limit_s / QUICKEST**float(step))
        load: Served = replace(scorer.load, terms=tighter)
        for designs, silicon, numbers in _silicon(space, technologies, state.kept.numbers):
            ways = best_splits(by_cost, load, designs, silicon)
            rows += [(int(number), float(token_s), float(usd)) for number, token_s, usd in
                     zip(numbers, ways.tpot_s, PER_MILLION * ways.usd_per_token_tco, strict=True)]
    x, y = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    return tuple(FrontPoint(*rows[k]) for k in front_of(x, y))


def _flexibility_front(state: SweepState) -> tuple[FrontPoint, ...]:
    x, y = (PER_MILLION * state.kept.metrics[name] for name in ("usd_per_token_tco", "other_models"))
    return tuple(FrontPoint(int(state.kept.numbers[k]), float(x[k]), float(y[k])) for k in front_of(x, y))


def _market(catalogue: Catalogue, name: str, scorer: ServingScorer, best: float | None) -> Market:
    """A chip of the catalogue on the same load, with its own efficiencies, at its modelled unit
    cost and at its price."""
    load = scorer.load
    try:
        chip = catalogue.chip(name)
        calibration = calibration_of(catalogue, chip)
        serving = serve(load.llm, chip, load.request, load.terms, calibration)
    except FablessError as error:
        return Market(
            chip=name, usd_per_million_tokens_tco=None, at_price=None, tpot_s=None, over_best=None,
            why_not=f"{error.faults[0].place}: {error.faults[0].found}")

    def per_million(price: float) -> float:
        hour = chip_hour_cost(
            price, scorer.owning, rated_power_w=chip.tdp_w,
            average_power_w=serving.power_w_per_chip)
        return PER_MILLION * float(hour.total_usd) / HOUR_S / serving.output_tokens_per_s_per_chip

    made = sold = None
    why = ""
    try:
        made = per_million(chip_sheet(catalogue, chip, draws=2).unit_cost_usd)
    except FablessError as error:
        why = f"{error.faults[0].place}: {error.faults[0].found}"
    try:
        price = price_of(catalogue, name)
        sold = per_million(number_of(price)) if price.unit == "USD" else None
    except FablessError:
        sold = None
    return Market(
        chip=name, usd_per_million_tokens_tco=made, at_price=sold, tpot_s=serving.tpot_s,
        over_best=made / best if made and best else None, why_not=why)


def _binding(state: SweepState, load: Served) -> str:
    """Name the limit that keeps designs from serving a load, and how near the best comes."""
    if not state.made:
        worst = max(state.removed, key=lambda name: state.removed[name])
        return (
            f"no design can be made: {EXPLAINED[worst]} removes {state.removed[worst]:,} of {state.designs:,}; "
            "widen the space or its limits"
        )
    worst = max(state.unserved, key=lambda name: state.unserved[name])
    said = {
        "memory": f"the nearest holds 1 / {state.nearest['memory']:.3g} of one request on the chips allowed",
        "time per token": f"the quickest gives {state.nearest['time per token']:.3g} s against "
        f"{load.terms.tpot_limit_s:g} s",
        "time to first token": f"the quickest gives {state.nearest['time to first token']:.3g} s against "
        f"{load.terms.ttft_limit_s:g} s",
        "both times together": "each limit alone is met by some split, both by none",
    }[worst]
    return (
        f"{worst} binds: {state.unserved[worst]:,} of {state.made:,} designs that can be made miss it, and {said}; "
        "relax it, or widen the space"
    )
