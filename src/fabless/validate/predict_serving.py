"""Predict rows of inference: latency, throughput, power, of fixed batches, closed loops, offline
runs and pools."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabless import perf
from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.measured import Reading, readings
from fabless.errors import FablessError
from fabless.perf.serving.layout import check_split
from fabless.perf.serving.steady import mean_context
from fabless.quote import calibration_of
from fabless.records import LLM, Chip
from fabless.validate.inference import first
from fabless.validate.measurement import Measurement, WorkerPool
from fabless.validate.prediction import Prediction

_MOST_SEQUENCES = 1024.0
"""Sequences that an engine runs at once where no limit is stated."""


_ROUNDS = 20
"""Times that the share of requests which decode is refined."""


@dataclass(frozen=True)
class _Pools:
    """Assumptions on pools whose row states no workers, taken from the rows that do."""

    workers: int
    """Number of decode workers."""
    chips: int
    """Chips per worker if the row gives no number."""
    most_chips: int
    """Largest number of chips per worker; a row with more states those of the whole system."""
    share: float
    """Share of the system's chips that decode."""
    crowd: float
    """Requests per worker above which attention is split among its chips by request."""


@dataclass
class Bench:
    """The catalogue with what was already looked up in it, so that thousands of rows are quick."""

    catalogue: Catalogue
    chips: dict[str, Chip] = field(default_factory=dict)
    models: dict[str, LLM] = field(default_factory=dict)
    calibrations: dict[tuple[str, str], perf.Calibration] = field(default_factory=dict)
    answers: dict[Measurement, tuple[dict[str, float], tuple[str, ...]] | str] = field(default_factory=dict)
    """Answers already computed, by run: several rows often state one run."""

    @cached_property
    def readings(self) -> Sequence[Reading]:
        """What the catalogue knows of how rows are to be read."""
        return readings()

    @cached_property
    def rounds(self) -> float:
        """Times that a benchmark's closed loop goes round, where a row does not say."""
        known = first(self.readings, "rounds", "closed loop")
        return float(known.value) if known else math.inf

    @cached_property
    def pools(self) -> _Pools:
        """Assumed form of disaggregated deployments if a row does not state it."""
        values = [float(reading.value) for reading in self.readings if reading.kind == "pool"]
        return _Pools(int(values[0]), int(values[1]), int(values[2]), values[3], values[4])

    def chip(self, text: str) -> Chip:
        """An accelerator by any of its names."""
        if text not in self.chips:
            self.chips[text] = self.catalogue.chip(text)
        return self.chips[text]

    def model(self, text: str) -> LLM:
        """A language model by any of its names."""
        if text not in self.models:
            self.models[text] = self.catalogue.model(text)
        return self.models[text]

    def calibration(self, chip: str, engine: str) -> perf.Calibration:
        """Efficiencies of a chip under an engine, by the text that a row writes."""
        known = first(self.readings, "efficiencies", engine)
        key = chip, known.value if known else "engine-default"
        if key not in self.calibrations:
            self.calibrations[key] = calibration_of(self.catalogue, self.chip(chip), key[1])
        return self.calibrations[key]


@dataclass(frozen=True, kw_only=True)
class _Setup:
    """A row as the performance model sees it."""

    llm: LLM
    machine: perf.Machine
    split: perf.Split
    instances: float
    chips: float
    entered: float
    written: float
    sequences: float | None
    """Sequences on one instance."""
    notes: tuple[str, ...]


def _formats(measurement: Measurement, bench: Bench) -> perf.Formats:
    label = f"{measurement.engine} {measurement.precision} {measurement.expert_precision}".lower()
    kv = measurement.kv_precision or (
        reading.value if (reading := first(bench.readings, "kv precision", label)) else "bf16"
    )
    model = f"{measurement.engine} {measurement.model} {measurement.precision} {measurement.expert_precision}".lower()
    dense = first(bench.readings, "dense precision", model)
    experts = measurement.expert_precision or measurement.precision or "bf16"
    written = (
        measurement.precision_written if measurement.precision_written in ("nvfp4", "mxfp4") else ""
    )
    return perf.Formats(
        dense.value if dense else measurement.precision or "bf16", kv, written or experts
    )


def _expert_degree(stated: int, stage: int, llm: LLM) -> int:
    """Chips over which experts are spread, where that divides a stage and leaves every chip one;
    else 1."""
    return stated if llm.experts and stage % stated == 0 and stated <= llm.experts else 1


def _split(measurement: Measurement, llm: LLM) -> perf.Split | None:
    """The split that a row states, as far as it divides the model; None where it states none."""
    if measurement.tp is None:
        return None
    stage = measurement.tp * (measurement.attention_dp or 1)
    expert = _expert_degree(measurement.ep or 1, stage, llm)
    return perf.Split(measurement.tp, measurement.pp or 1, expert, measurement.attention_dp or 1)


def _unstated(llm: LLM, machine: perf.Machine, chips: int, context: float, sequences: float | None) -> perf.Split:
    """The instance that gives most tokens on `chips` chips, where a row does not say how they were
    used."""
    splits = perf.candidate_splits(llm, machine, context, chips)
    size = np.asarray(splits.chips)
    room = np.broadcast_to(perf.room(llm, machine, splits, context), size.shape)
    share = np.inf if sequences is None else np.maximum(sequences * size / chips, 1.0)
    batch = np.clip(np.minimum(room, share), 1.0, _MOST_SEQUENCES * np.asarray(splits.data))
    state = perf.steady_state(
        llm, machine, splits, input_tokens=context / 2, output_tokens=context / 2, sequences=batch)
    usable = np.where((size <= chips) & (room >= 1), np.asarray(state.output_tokens_per_s_per_chip), -1.0)
    best = int(np.argmax(usable))
    return perf.Split(
        *(
            float(np.asarray(part)[best])
            for part in (splits.tensor, splits.pipeline, splits.expert, splits.data)
        )
    )


def setup(measurement: Measurement, bench: Bench) -> _Setup | str:
    """Read a row for the performance model, or say why it cannot be."""
    llm, chip = bench.model(measurement.model), bench.chip(measurement.chip)
    calibration = bench.calibration(
        measurement.chip, f"{measurement.engine} {measurement.engine_version}"
    )
    try:
        machine, notes = perf.machine_of(chip, _formats(measurement, bench), calibration)
    except FablessError as error:
        return f"precision: {error.faults[0].found}"
    if measurement.weight_only:
        machine = replace(machine, peak_flops=machine.attention_flops, compute=machine.head_compute)
    entered, written = measurement.input_tokens, measurement.output_tokens
    if entered is None and written is None:
        return "not stated: lengths"
    if entered is None:
        return "not stated: input length"
    written = 1.0 if written is None or measurement.scenario == "prefill" else max(written, 1.0)
    running = measurement.batch if measurement.batch is not None else measurement.concurrency
    if running is None and measurement.scenario == "decode":
        return "not stated: batch"
    if llm.max_context and entered + written > llm.max_context:
        notes = (*notes, f"{entered + written:g} tokens are more than the {llm.max_context} of {llm.name}")
    chips = float(
        measurement.chips
        or (measurement.tp or 1) * (measurement.pp or 1) * (measurement.attention_dp or 1)
    )
    split = perf.Split(1) if measurement.mode == "disaggregated" else _split(measurement, llm)
    if split is None or float(split.chips) > max(chips, 1.0) or (llm.heads % int(split.tensor) and llm.experts):
        if (
            measurement.chips is None
            and measurement.tp is None
            and measurement.mode == "aggregated"
        ):
            return "not stated: chips"
        split = _unstated(llm, machine, int(chips), entered + written, running)
        notes = (*notes, f"split not stated: {_words(split)} taken")
    try:
        check_split(llm, replace(split, tensor=min(float(split.tensor), llm.heads)))
    except FablessError as error:
        notes = (*notes, f"split does not divide the model evenly: {error.faults[0].place} {error.faults[0].found}")
    instances = max(chips / float(split.chips), 1.0)
    fits = np.all(perf.room(llm, machine, split, entered + written) >= (running or 1.0) / instances)
    if measurement.mode == "aggregated" and not fits:
        notes = (*notes, "by the memory model these requests do not all fit")
    return _Setup(
        llm=llm, machine=machine, split=split, instances=instances, chips=chips, entered=entered,
        written=written, sequences=None if running is None else max(running / instances, 1.0),
        notes=notes,
    )


def _words(split: perf.Split) -> str:
    return ", ".join(f"{name} {float(getattr(split, name)):g}" for name in ("tensor", "pipeline", "expert", "data"))


def _most(s: _Setup, measurement: Measurement) -> float:
    """Sequences that an instance can run: memory for requests halfway through their answers, or the
    engine's limit."""
    room = float(perf.room(s.llm, s.machine, s.split, s.entered + s.written / 2.0))
    return min(room, measurement.batch_limit or _MOST_SEQUENCES * float(s.split.data))


def _static(s: _Setup, measurement: Measurement) -> dict[str, float]:
    """One batch from start to end: prompts read in chunks, then decoded together."""
    batch = s.sequences or 1.0
    budget = s.machine.engine.chunk_tokens
    fresh = max(s.entered * (1.0 - measurement.cached_share), 1.0)
    passes = max(math.ceil(batch * fresh / float(s.split.data) / budget), 1)
    first_chunks = perf.prefill(
        s.llm, s.machine, s.split, prompts=batch / passes, new=fresh, past=s.entered - fresh
    )
    ttft = passes * float(first_chunks.time_s)
    step = float(perf.decode_step(s.llm, s.machine, s.split, batch / float(s.split.pipeline),
                                  mean_context(s.machine, s.entered, s.written)).time_s)
    whole = ttft + (s.written - 1.0) * step
    if measurement.output_tokens is None and measurement.scenario == "static":
        first_batch = perf.prefill(
            s.llm, s.machine, s.split, prompts=float(s.split.data), new=fresh,
            past=s.entered - fresh,
        )
        return {
            "ttft": float(first_batch.time_s), "tpot": step,
            "output tok/s total": batch * s.instances / step,
        }
    return {
        "ttft": ttft, "tpot": step, "end to end": whole,
        "output tok/s total": batch * s.instances * s.written / whole,
        "total tok/s": batch * s.instances * (s.entered + s.written) / whole,
        "prefill tok/s per chip": batch
        * s.entered
        / (passes * float(first_chunks.time_s))
        / float(s.split.chips),
        "decode tok/s per chip": batch / step / float(s.split.chips),
        "user tok/s": 1.0 / step,
    }


def _loop(
    s: _Setup, measurement: Measurement, running: float, waiting: float, rounds: float
) -> dict[str, float]:
    """A steady state with `running` sequences on an instance while `waiting` more queue for a
    place.

    Closed loops start with all requests at once and are averaged over `rounds`, so that the first
    round's prompts, read one after the other, count in the mean time to the first token.
    """
    state = perf.steady_state(
        s.llm, s.machine, s.split, input_tokens=s.entered, output_tokens=s.written,
        sequences=running, traffic=perf.Traffic(cached=measurement.cached_share),
    )
    tpot, first_s = float(state.tpot_s), float(state.ttft_s)
    burst = float(state.alone_s) * running / float(s.split.data) / (2.0 * rounds)
    served = first_s + tpot * (s.written - 1.0)
    waiting += (
        float(s.machine.engine.waiting)
        * (measurement.concurrency is not None)
        * running
        / max(running - 1.0, 1.0)
    )
    ttft = first_s + burst + served * waiting / running
    rate = float(state.output_tokens_per_s_per_chip) * float(s.split.chips) * s.instances
    return {
        "ttft": ttft, "tpot": tpot, "end to end": ttft + tpot * (s.written - 1.0),
        "output tok/s total": rate, "total tok/s": rate * (s.entered + s.written) / s.written,
        "requests/s": rate / s.written, "user tok/s": 1.0 / tpot,
        "power per chip": float(state.power_w),
        "energy per output token": float(state.power_w) * s.chips / rate,
    }


def _pool(pool: WorkerPool, llm: LLM) -> perf.Split:
    stage = pool.tp * (pool.attention_dp or 1)
    expert = _expert_degree(pool.ep, stage, llm)
    if llm.heads % pool.tp:
        return perf.Split(1, pool.pp, stage if stage <= max(llm.experts, 1) else 1, stage)
    return perf.Split(pool.tp, pool.pp, expert, pool.attention_dp or 1)


def _guessed(pool: WorkerPool, requests: float, assumed: _Pools) -> WorkerPool:
    """A pool whose workers are not stated: as many as such deployments have, attention split where
    they are crowded.

    Rows that give one number for all chips of the system, or 1 for no number at all, tell nothing
    of a worker.
    """
    if pool.workers is not None:
        return pool
    chips = pool.tp if 2 <= pool.tp <= assumed.most_chips else assumed.chips
    workers = max(round(pool.tp * assumed.share / chips), 1) if pool.tp > assumed.most_chips else assumed.workers
    crowded = requests / workers >= assumed.crowd
    return replace(
        pool, workers=workers, chips=chips, tp=1 if crowded else chips,
        attention_dp=chips if crowded else 1, ep=chips, moe_tp=1,
    )


def _pools(s: _Setup, measurement: Measurement, bench: Bench) -> dict[str, float]:
    """Prompts read by one pool and answers written by another."""
    assert measurement.prefill is not None
    assert measurement.decode is not None
    requests = measurement.concurrency or 1.0
    writers_pool = _guessed(measurement.decode, requests, bench.pools)
    reading, writing = _pool(measurement.prefill, s.llm), _pool(writers_pool, s.llm)
    readers, writers = float(measurement.prefill.workers or 1), float(writers_pool.workers or 1)
    chunk = float(s.machine.engine.chunk_tokens)
    together = min(max(chunk // s.entered, 1.0) * float(reading.data), max(requests / readers, 1.0))
    passes = max(math.ceil(s.entered * together / float(reading.data) / chunk), 1)
    read = passes * float(perf.prefill(
        s.llm, s.machine, reading, prompts=together, new=s.entered / passes,
        past=s.entered * (passes - 1) / passes / 2.0).time_s)
    batch = requests / writers
    for _ in range(_ROUNDS):
        tpot = float(perf.decode_step(s.llm, s.machine, writing, batch / float(writing.pipeline),
                                      mean_context(s.machine, s.entered, s.written)).time_s)
        written_s = tpot * s.written
        waits = max(requests * read / (readers * together) - read - written_s, 0.0)
        fewer = max(requests * written_s / (written_s + read + waits) / writers, 1.0)
        if abs(fewer - batch) < 1e-3 * batch:
            break
        batch = (batch + fewer) / 2.0
    engine = s.machine.engine
    burst = read / together * requests / readers / (2.0 * bench.rounds)
    ttft = float(engine.request_s + engine.input_token_s * s.entered + engine.wait_steps * tpot) + read + waits + burst
    return {"ttft": ttft, "tpot": tpot, "end to end": ttft + written_s}


def serving(measurement: Measurement, bench: Bench) -> Prediction:
    """Predict a row of inference or energy."""
    if measurement.scenario == "server" and measurement.phase in ("ttft", "tpot"):
        return Prediction(None, "not stated: arrival rate")
    if (
        measurement.quantity == "tpot"
        and measurement.output_tokens is not None
        and measurement.output_tokens < 2.0
    ):
        return Prediction(None, "not defined: time per output token of an answer of one token")
    if (
        measurement.quantity in ("power per chip", "energy per output token")
        and measurement.scenario == "static"
    ):
        measurement = replace(measurement, scenario="closed loop")
    run = replace(
        measurement, id="", line=0, metric="", value=None, scale=1.0, quantity="other",
        phase="tpot", notes=(), tier="",
    )
    if run not in bench.answers:
        bench.answers[run] = _answers(run, bench)
    answer = bench.answers[run]
    if isinstance(answer, str):
        return Prediction(None, answer)
    values, notes = answer
    if measurement.quantity not in values:
        return Prediction(
            None, f"metric not predicted: {measurement.quantity} of {measurement.scenario}", notes
        )
    return Prediction(values[measurement.quantity], "", notes)


def _answers(
    measurement: Measurement, bench: Bench
) -> tuple[dict[str, float], tuple[str, ...]] | str:
    """Every quantity that the model gives for a run, with notes; or why it gives none."""
    s = setup(measurement, bench)
    if isinstance(s, str):
        return s
    if measurement.mode == "disaggregated":
        values = _pools(s, measurement, bench)
    elif measurement.scenario in ("static", "prefill", "decode"):
        values = _static(s, measurement)
    else:
        most = _most(s, measurement)
        if most < 1.0:
            most = s.sequences or 1.0
        wanted = s.sequences if s.sequences is not None else most
        running = min(wanted, most)
        values = _loop(
            s, measurement, running,
            wanted - running if measurement.concurrency is not None else 0.0, bench.rounds,
        )
    if "output tok/s total" in values:
        values["output tok/s per chip"] = values["output tok/s total"] / s.chips
    return values, s.notes
