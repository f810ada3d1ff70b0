"""One screen of `fabless serve`: the best way, what it gives and needs, and the front of throughput and speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console

from fabless.cli.options import error_band, split_code
from fabless.errors import Fault
from fabless.perf import Formats, Point, Serving
from fabless.perf.serving.disaggregate import Disaggregated, Disaggregation, Pool
from fabless.perf.serving.serve import Traffic
from fabless.quote import Calibration
from fabless.records import LLM, Chip, Fact, Request
from fabless.report import Column, print_table, say
from fabless.wording import MISSING, plain, share, significant

Served = TypeVar("Served", Point, Disaggregated)

_MOST_ROWS = 12
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
_FULL_WIDTH = 110
"""Columns of a terminal from which splits are shown in the front."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be served, on what, within what."""

    llm: LLM
    chip: Chip
    request: Request
    formats: Formats
    engine: str
    calibration: Calibration
    tpot_s: float
    ttft_s: float
    max_chips: int
    batch: int | None
    degrees: dict[str, int]
    traffic: Traffic


@dataclass(frozen=True)
class Answer:
    """What was found: None for a way that was not asked for or that meets no limits."""

    aggregated: Serving | None
    disaggregated: Disaggregation | None
    front: list[Point]
    unmet: tuple[Fault, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Money:
    """What tokens cost at a price of the chip."""

    price: Fact
    load_factor: float
    usd_per_million_output_tokens: dict[str, float]
    """By way to serve; idle hours are in it."""


def print_answer(question: Question, answer: Answer, money: Money | None, said: str, picture: Path | None, console: Console
                 ) -> None:
    """Print the answer; fits 80 columns and more."""
    q, e = question, question.calibration
    experts = f", experts {q.formats.routed}" if q.formats.routed != q.formats.weights else ""
    traffic = [f"{share(q.traffic.cached)} of the prompt cached"] * (q.traffic.cached > 0)
    traffic += [f"{q.traffic.drafts:g} drafts of which {q.traffic.accepted:g} hold"] * (q.traffic.drafts > 0)
    traffic += [f"first tokens queue at {share(q.traffic.utilisation)} load"] * (q.traffic.utilisation > 0)
    say(console, "; ".join([
        f"{q.llm.name} on {q.chip.name}: {plain(q.request.input_tokens)} tokens in, {plain(q.request.output_tokens)} out, "
        f"first within {significant(q.ttft_s)} s, then {significant(1e3 * q.tpot_s)} ms a token; weights "
        f"{q.formats.weights}{experts}, cache {q.formats.kv}, engine {q.engine}", *traffic]))
    say(console, _best(answer), "bold")
    console.print()
    _print_ways(question, answer, money, console)
    for fault in answer.unmet:
        say(console, f"not served: {fault.place}: {fault.found}; {fault.allowed}; {fault.remedy}", "yellow", indent=2)
    console.print()
    _print_front(answer, console)
    say(console, "tok/s/chip: output tokens a second over all chips, at full load. tok/s/user = 1/TPOT; TPOT = (end to end "
                 "- TTFT) / (output tokens - 1). TTFT: arrival to first token, "
                 + ("queue included." if q.traffic.utilisation > 0 else "without a queue (--load adds it).")
                 + " TP, PP, EP, DP: chips that share a layer, stages, chips with experts of their own, groups with "
                   "sequences of their own. Aggregated: every instance reads and writes. Disaggregated: some read, others "
                   "write, the cache crosses the links.", "dim")
    say(console, f"In brackets: where half of the measurements lie; {e.said}, time per token within {share(e.error_median)} "
                 f"for half of them, {share(e.error_p90)} for nine in ten. Not measured apart for TTFT.", "dim")
    if money is not None:
        say(console, f"USD/Mtok: per output token with its input, at {money.price.field.replace('_', ' ')} "
                     f"({money.price.source.title}), idle hours paid: load factor {plain(money.load_factor)}.", "dim")
    for note in (*((said,) if said else ()), *answer.notes):
        say(console, note, "yellow", indent=2)
    if picture is not None:
        say(console, f"Picture: {picture}")


def _best(answer: Answer) -> str:
    """Say in a sentence what is best."""
    one, two = answer.aggregated, answer.disaggregated.best if answer.disaggregated else None
    if two is None or (one is not None and one.output_tokens_per_s_per_chip >= two.output_tokens_per_s_per_chip):
        assert one is not None
        return (f"Best: aggregated, instances of {_chips(one.chips)} ({_split(one)}), batch {one.batch:,}: "
                f"{significant(one.output_tokens_per_s_per_chip)} tok/s/chip at {significant(1.0 / one.tpot_s)} tok/s/user")
    gain = (f", {share(two.output_tokens_per_s_per_chip / one.output_tokens_per_s_per_chip - 1.0)} above the best aggregated"
            if one is not None else "")
    gives = f"{significant(two.output_tokens_per_s_per_chip)} tok/s/chip at {significant(1.0 / two.tpot_s)} tok/s/user"
    return (f"Best: disaggregated on {_chips(two.chips)}, {_pool(two.prefill)} reading, {_pool(two.decode)} writing: "
            f"{gives}{gain}")


def _chips(count: int) -> str:
    return f"{count} chip{'s' if count > 1 else ''}"


def _split(item: Serving | Pool) -> str:
    return split_code(item.tensor_parallel, item.pipeline_parallel, item.expert_parallel, item.data_parallel)


def _pool(pool: Pool) -> str:
    return f"{pool.instances} x {_split(pool)}"


def _print_ways(question: Question, answer: Answer, money: Money | None, console: Console) -> None:
    """Print both ways side by side, a line a quantity."""
    one, two = answer.aggregated, answer.disaggregated.best if answer.disaggregated else None
    error, out = question.calibration.error_median, question.request.output_tokens

    def band(value: float, inverse: bool = False) -> str:
        low, high = error_band(1.0 / value if inverse else value, error)
        ends = (1.0 / high, 1.0 / low) if inverse else (low, high)
        return f"{significant(value)} ({significant(ends[0])}–{significant(ends[1])})"

    def costs(way: str) -> str:
        return band(money.usd_per_million_output_tokens[way]) if money else MISSING

    cells: dict[str, list[str]] = {}
    if one is not None:
        cells["aggregated"] = [
            _chips(one.chips), _split(one), f"{one.batch:,}", band(one.output_tokens_per_s_per_chip, True),
            band(1.0 / one.tpot_s, True), band(1e3 * one.tpot_s), band(one.ttft_s), f"{1e3 * one.queue_s:.0f}",
            one.prefill_bound, one.decode_bound, one.bound, *_memory(one), f"{one.power_w_per_chip:.0f}",
            significant(one.energy_j_per_query / out), costs("aggregated")]
    if two is not None:
        reads, writes = two.prefill, two.decode
        cells["disaggregated"] = [
            f"{_chips(two.chips)}: {reads.instances} x {reads.chips} read, {writes.instances} x {writes.chips} write",
            f"{_split(reads)} | {_split(writes)}", f"{reads.batch:,} | {writes.batch:,}",
            band(two.output_tokens_per_s_per_chip, True), band(1.0 / two.tpot_s, True), band(1e3 * two.tpot_s),
            band(two.ttft_s), f"{1e3 * two.queue_s:.0f} queue, {1e3 * two.transfer_s:.0f} cache on links",
            reads.bound, writes.bound, _slower(two),
            *(f"{a} | {b}" for a, b in zip(_memory(reads), _memory(writes), strict=True)),
            f"{reads.power_w_per_chip:.0f} | {writes.power_w_per_chip:.0f}", significant(two.energy_j_per_query / out),
            costs("disaggregated")]
    names = ["instance", "split", "batch", "tok/s/chip", "tok/s/user", "TPOT ms", "TTFT s", "of it waiting ms",
             "reading binds", "writing binds", "held back by", "weights GB/chip", "cache GB/chip",
             "overhead GB/chip", "free GB/chip", "W/chip", "J/output token", "USD/Mtok"]
    rows = [[name, *(column[k] for column in cells.values())] for k, name in enumerate(names)
            if money is not None or name != "USD/Mtok"]
    print_table("", [Column("", name=True), *cells], rows, console)


def _slower(two: Disaggregated) -> str:
    """Name the pool that cannot take more, and the share of chips that would read if any were possible."""
    reads, writes = two.prefill, two.decode
    slower = "reading" if reads.instances * reads.queries_per_s < writes.instances * writes.queries_per_s else "writing"
    return f"{slower} pool; {share(two.prefill_share)} should read"


def _memory(item: Serving | Pool) -> list[str]:
    parts = (item.weights_bytes, item.kv_cache_bytes, item.overhead_bytes, item.free_bytes)
    return [f"{value / 1e9:.1f}" for value in parts]


def _print_front(answer: Answer, console: Console) -> None:
    """Print the most throughput at round speeds; splits where the terminal is wide, else numbers of chips."""
    two = answer.disaggregated.front if answer.disaggregated else ()
    full = console.width >= _FULL_WIDTH
    columns: list[Column | str] = [Column("tok/s/user\nat least", True)]
    if answer.front:
        columns += [Column("aggregated\ntok/s/chip", True), Column("split, batch" if full else "chips, batch", name=True),
                    Column("TTFT\ns", True)]
    if two:
        columns += [Column("disaggregated\ntok/s/chip", True),
                    Column("read + write" if full else "chips read + write", name=True), Column("TTFT\ns", True)]
    rows = []
    speeds = [1.0 / point.tpot_s for point in answer.front] + [1.0 / pair.tpot_s for pair in two]
    for speed in _speeds(speeds):
        row = [plain(speed)]
        if answer.front:
            point = _at(answer.front, speed)
            label = f"{_point_split(point) if full else f'{float(point.split.chips):g}'}, {point.batch:,}" if point else ""
            row += _cells(point, label)
        if two:
            pair = _at(two, speed)
            pools = (pair.prefill, pair.decode) if pair else ()
            label = " + ".join(_pool(pool) if full else f"{pool.instances} x {pool.chips}" for pool in pools)
            row += _cells(pair, label)
        rows.append(row)
    print_table("Throughput against speed, first tokens in time", columns, rows, console)


def _point_split(point: Point) -> str:
    return split_code(*(round(float(np.asarray(getattr(point.split, name))))
                        for name in ("tensor", "pipeline", "expert", "data")))


def _cells(item: Point | Disaggregated | None, label: str) -> list[str]:
    return [significant(item.output_tokens_per_s_per_chip), label, f"{item.ttft_s:.2f}"] if item else [MISSING, "", ""]


def _at(items: Sequence[Served], speed: float) -> Served | None:
    """The one with most throughput among those at least so fast."""
    fast = [item for item in items if 1.0 / item.tpot_s >= speed]
    return max(fast, key=lambda item: item.output_tokens_per_s_per_chip) if fast else None


def _speeds(found: Sequence[float]) -> list[float]:
    """Round speeds inside those found, as many as fit the screen."""
    low, high = min(found), max(found)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for kept in (_STEPS, (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        speeds = [step * 10.0**decade for decade in decades for step in kept if low <= step * 10.0**decade <= high]
        if len(speeds) <= _MOST_ROWS:
            return speeds or [low]
    return speeds[-_MOST_ROWS:]
