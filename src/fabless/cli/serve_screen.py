"""What `fabless serve` prints: the best configuration, its needs, and throughput against speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console

from fabless.errors import Fault
from fabless.perf import Calibration, Point, ServiceTerms, Serving, SplitSearch, error_band
from fabless.perf.serving.disaggregate import Disaggregated, Disaggregation, InstancePool
from fabless.records import LLM, Chip, Fact, Request
from fabless.report import Column, print_table, say
from fabless.wording import MISSING, in_percent, plain, significant, split_code

Served = TypeVar("Served", Point, Disaggregated)

_MOST_ROWS = 12
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
_FULL_WIDTH = 110
"""Narrowest terminal [columns] on which the front shows splits."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """The model, chip, request and limits that `fabless serve` was asked about."""

    llm: LLM
    chip: Chip
    request: Request
    terms: ServiceTerms
    engine: str
    calibration: Calibration
    degrees: dict[str, int]
    """Degrees of the split that are given, by name."""
    search: SplitSearch


@dataclass(frozen=True)
class ServeAnswer:
    """Best configuration per mode; None if a mode was not asked for or misses the limits."""

    aggregated: Serving | None
    disaggregated: Disaggregation | None
    front: list[Point]
    unmet: tuple[Fault, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TokenCost:
    """Cost of output tokens at a price of the chip."""

    price: Fact
    load_factor: float
    usd_per_million_output_tokens: dict[str, float]
    """Mode (aggregated, disaggregated) -> USD per million output tokens; idle hours are paid."""


def print_answer(
    question: Question, answer: ServeAnswer, money: TokenCost | None, said: str, picture: Path | None,
    console: Console,
) -> None:
    """Print the answer on a terminal of 80 columns or more."""
    calibration, terms = question.calibration, question.terms
    formats, load = terms.formats, terms.traffic
    experts = f", experts {formats.routed}" if formats.routed != formats.weights else ""
    traffic = [f"{in_percent(float(load.cached))} of the prompt cached"] * (load.cached > 0)
    if load.drafts > 0:
        traffic.append(f"{load.drafts:g} tokens guessed per step, {load.accepted:g} accepted")
    if load.utilisation > 0:
        traffic.append(f"requests queue at {in_percent(float(load.utilisation))} load")
    say(console, "; ".join([
        f"{question.llm.name} on {question.chip.name}: "
        f"{plain(question.request.input_tokens)} tokens in, "
        f"{plain(question.request.output_tokens)} out, first token within "
        f"{significant(terms.ttft_limit_s)} s, then "
        f"{significant(1e3 * terms.tpot_limit_s)} ms per token; weights {formats.weights}{experts}, cache "
        f"{formats.kv}, engine {question.engine}", *traffic]))
    say(console, _best(answer), "bold")
    console.print()
    _print_ways(question, answer, money, console)
    for fault in answer.unmet:
        say(console, f"not served: {fault.place}: {fault.found}; {fault.allowed}; {fault.remedy}", "yellow", indent=2)
    console.print()
    _print_front(answer, console)
    queue = "queue included" if load.utilisation > 0 else "without a queue (--load adds it)"
    say(console, "tok/s/chip: output tokens per second over all chips, at full load. tok/s/user = "
                 "1/TPOT; TPOT = (end to end - TTFT) / (output tokens - 1). TTFT: from arrival to "
                 f"first token, {queue}. TP, PP, EP, DP: degrees of tensor, pipeline, expert and "
                 "data parallelism. Aggregated: every instance does prefill and decode. "
                 "Disaggregated: separate pools, and the KV cache crosses the links.", "dim")
    say(
        console,
        f"In brackets: the range that holds half of the measurements; {calibration.said}, time per "
        f"token within {in_percent(calibration.error_median)} for half of them, {in_percent(calibration.error_p90)} for "
        "nine in ten. The error of TTFT was not measured separately.",
        "dim",
    )
    if money is not None:
        say(console, "USD/Mtok: per million output tokens, their input included, at "
                     f"{money.price.field.replace('_', ' ')} ({money.price.source.title}), idle "
                     f"hours paid, load factor {plain(money.load_factor)}.", "dim")
    for note in (*((said,) if said else ()), *answer.notes):
        say(console, note, "yellow", indent=2)
    if picture is not None:
        say(console, f"Picture: {picture}")


def _best(answer: ServeAnswer) -> str:
    """Best configuration in one sentence."""
    aggregated = answer.aggregated
    disaggregated = answer.disaggregated.best if answer.disaggregated else None
    if disaggregated is None or (
        aggregated is not None and _rate(aggregated) >= _rate(disaggregated)
    ):
        assert aggregated is not None
        return (
            f"Best: aggregated, instances of {_chips(aggregated.chips)} ({_split(aggregated)}), "
            f"batch {aggregated.batch:,}: {_speed(aggregated)}"
        )
    more = "" if aggregated is None else in_percent(_rate(disaggregated) / _rate(aggregated) - 1.0)
    gain = f", {more} above the best aggregated instance" if more else ""
    prefill, decode = _pool(disaggregated.prefill), _pool(disaggregated.decode)
    return (f"Best: disaggregated on {_chips(disaggregated.chips)}, prefill {prefill}, decode "
            f"{decode}: {_speed(disaggregated)}{gain}")


def _rate(served: Serving | Disaggregated) -> float:
    return served.output_tokens_per_s_per_chip


def _speed(served: Serving | Disaggregated) -> str:
    user = significant(1.0 / served.tpot_s)
    return f"{significant(_rate(served))} tok/s/chip at {user} tok/s/user"


def _chips(count: int) -> str:
    return f"{count} chip{'s' if count > 1 else ''}"


def _split(instance: Serving | InstancePool) -> str:
    return split_code(
        instance.tensor_parallel, instance.pipeline_parallel, instance.expert_parallel,
        instance.data_parallel,
    )


def _pool(pool: InstancePool) -> str:
    return f"{pool.instances} x {_split(pool)}"


def _print_ways(question: Question, answer: ServeAnswer, money: TokenCost | None, console: Console) -> None:
    """Print both modes side by side, one line per quantity."""
    aggregated = answer.aggregated
    disaggregated = answer.disaggregated.best if answer.disaggregated else None
    error, out = question.calibration.error_median, question.request.output_tokens

    def band(value: float, inverse: bool = False) -> str:
        low, high = error_band(1.0 / value if inverse else value, error)
        ends = (1.0 / high, 1.0 / low) if inverse else (low, high)
        return f"{significant(value)} ({significant(ends[0])}–{significant(ends[1])})"

    def costs(way: str) -> str:
        return band(money.usd_per_million_output_tokens[way]) if money else MISSING

    cells: dict[str, list[str]] = {}
    if aggregated is not None:
        cells["aggregated"] = [
            _chips(aggregated.chips), _split(aggregated), f"{aggregated.batch:,}",
            band(aggregated.output_tokens_per_s_per_chip, True),
            band(1.0 / aggregated.tpot_s, True), band(1e3 * aggregated.tpot_s),
            band(aggregated.ttft_s), f"{1e3 * aggregated.queue_s:.0f}", aggregated.prefill_bound,
            aggregated.decode_bound, aggregated.bound, *_memory(aggregated),
            f"{aggregated.power_w_per_chip:.0f}", significant(aggregated.energy_j_per_query / out),
            costs("aggregated"),
        ]
    if disaggregated is not None:
        reads, writes = disaggregated.prefill, disaggregated.decode
        cells["disaggregated"] = [
            f"{_chips(disaggregated.chips)}: {reads.instances} x {reads.chips} prefill, {writes.instances} x "
            f"{writes.chips} decode",
            f"{_split(reads)} | {_split(writes)}",
            f"{reads.batch:,} | {writes.batch:,}",
            band(disaggregated.output_tokens_per_s_per_chip, True),
            band(1.0 / disaggregated.tpot_s, True),
            band(1e3 * disaggregated.tpot_s),
            band(disaggregated.ttft_s),
            f"{1e3 * disaggregated.queue_s:.0f} queue, {1e3 * disaggregated.transfer_s:.0f} cache transfer",
            reads.bound,
            writes.bound,
            _slower(disaggregated),
            *(f"{a} | {b}" for a, b in zip(_memory(reads), _memory(writes), strict=True)),
            f"{reads.power_w_per_chip:.0f} | {writes.power_w_per_chip:.0f}",
            significant(disaggregated.energy_j_per_query / out),
            costs("disaggregated"),
        ]
    names = ["instance", "split", "batch", "tok/s/chip", "tok/s/user", "TPOT ms", "TTFT s",
             "wait in TTFT ms",
             "prefill limit", "decode limit", "bottleneck", "weights GB/chip", "cache GB/chip",
             "overhead GB/chip", "free GB/chip", "W/chip", "J/output token", "USD/Mtok"]
    rows = [[name, *(column[k] for column in cells.values())] for k, name in enumerate(names)
            if money is not None or name != "USD/Mtok"]
    print_table("", [Column("", name=True), *cells], rows, console)


def _slower(pair: Disaggregated) -> str:
    """The pool that limits throughput, and the ideal share of chips for prefill."""
    reads, writes = pair.prefill, pair.decode
    slower = "prefill" if reads.instances * reads.queries_per_s < writes.instances * writes.queries_per_s else "decode"
    return f"{slower} pool; ideal prefill share {in_percent(pair.prefill_share)}"


def _memory(instance: Serving | InstancePool) -> list[str]:
    parts = (
        instance.weights_bytes, instance.kv_cache_bytes, instance.overhead_bytes,
        instance.free_bytes,
    )
    return [f"{value / 1e9:.1f}" for value in parts]


def _print_front(answer: ServeAnswer, console: Console) -> None:
    """Print the highest throughput at round speeds; a wide terminal shows the splits too."""
    front = answer.disaggregated.front if answer.disaggregated else ()
    full = console.width >= _FULL_WIDTH
    columns: list[Column | str] = [Column("tok/s/user\nat least", True)]
    if answer.front:
        columns += [
            Column("aggregated\ntok/s/chip", True),
            Column("split, batch" if full else "chips, batch", name=True), Column("TTFT\ns", True),
        ]
    if front:
        columns += [Column("disaggregated\ntok/s/chip", True),
                    Column("prefill + decode" if full else "chips prefill\n+ decode", name=True),
                    Column("TTFT\ns", True)]
    rows = []
    speeds = [1.0 / point.tpot_s for point in answer.front] + [1.0 / pair.tpot_s for pair in front]
    for speed in _speeds(speeds):
        row = [plain(speed)]
        if answer.front:
            point = _at(answer.front, speed)
            label = f"{_point_split(point) if full else f'{float(point.split.chips):g}'}, {point.batch:,}" if point else ""
            row += _cells(point, label)
        if front:
            pair = _at(front, speed)
            pools = (pair.prefill, pair.decode) if pair else ()
            label = " + ".join(_pool(pool) if full else f"{pool.instances} x {pool.chips}" for pool in pools)
            row += _cells(pair, label)
        rows.append(row)
    print_table("Throughput against speed, within the limit on time to first token", columns, rows,
                console)


def _point_split(point: Point) -> str:
    return split_code(*(round(float(np.asarray(getattr(point.split, name))))
                        for name in ("tensor", "pipeline", "expert", "data")))


def _cells(point: Point | Disaggregated | None, label: str) -> list[str]:
    return (
        [significant(point.output_tokens_per_s_per_chip), label, f"{point.ttft_s:.2f}"]
        if point
        else [MISSING, "", ""]
    )


def _at(items: Sequence[Served], speed: float) -> Served | None:
    """The item with the highest throughput among those that reach a speed."""
    fast = [item for item in items if 1.0 / item.tpot_s >= speed]
    return max(fast, key=lambda item: item.output_tokens_per_s_per_chip) if fast else None


def _speeds(given: Sequence[float]) -> list[float]:
    """Round speeds within the range found, as many as fit the screen."""
    low, high = min(given), max(given)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for kept in (_STEPS, (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        speeds = [step * 10.0**decade for decade in decades for step in kept if low <= step * 10.0**decade <= high]
        if len(speeds) <= _MOST_ROWS:
            return speeds or [low]
    return speeds[-_MOST_ROWS:]
