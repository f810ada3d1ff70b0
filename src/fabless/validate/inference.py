"""Rows of published inference results and of their energy -> measurements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabless.catalogue.files.measured import Reading
from fabless.errors import suggestion
from fabless.units import HOUR_S
from fabless.validate.cells import Cells, Precision
from fabless.validate.measurement import Layout, Measurement, Phase, Quantity, Scenario

INFERENCE_REQUIRED = ("id", "model", "chip", "n_chips", "scenario", "metric", "value")
INFERENCE_OPTIONAL = (
    "source_title", "source_url_or_repo_path", "date", "params_b", "active_params_b", "tp", "pp",
    "ep", "dp", "precision_weights", "precision_kv", "engine", "engine_version",
    "batch_or_concurrency", "input_len", "output_len", "notes", "vendor", "spec_decode",
    "source_class", "tier",
)
ENERGY_REQUIRED = (*INFERENCE_REQUIRED, "unit", "boundary")
ENERGY_OPTIONAL = tuple(
    column
    for column in INFERENCE_OPTIONAL
    if column not in ("pp", "dp", "precision_kv", "engine_version", "spec_decode")
)


@dataclass(frozen=True)
class Metric:
    """What a metric of a file means: quantity, phase and factor to SI."""

    quantity: Quantity
    phase: Phase
    scale: float = 1.0


METRICS: Mapping[str, Metric] = {
    "ttft_s": Metric("ttft", "ttft"), "tpot_s": Metric("tpot", "tpot"),
    "itl_s": Metric("tpot", "tpot"), "e2e_latency_s": Metric("end to end", "end to end"),
    "latency_s": Metric("end to end", "end to end"),
    "output_tok_s_total": Metric("output tok/s total", "throughput"),
    "output_tok_s_per_chip": Metric("output tok/s per chip", "throughput"),
    "total_tok_s": Metric("total tok/s", "throughput"),
    "samples_s_total": Metric("requests/s", "throughput"),
    "queries_s_total": Metric("requests/s", "throughput"),
    "prefill_tok_s_per_chip": Metric("prefill tok/s per chip", "throughput"),
    "prefill_tok_s_per_8gpu_node": Metric("prefill tok/s per chip", "throughput", 1.0 / 8.0),
    "decode_tok_s_per_chip": Metric("decode tok/s per chip", "throughput"),
    "decode_tok_s_per_8gpu_node": Metric("decode tok/s per chip", "throughput", 1.0 / 8.0),
    "user_output_tok_s": Metric("user tok/s", "throughput"),
    "tok_s_unspecified": Metric("other", "throughput"),
}
"""Metric of inference rows -> what it means."""

ENERGY_METRICS: Mapping[str, tuple[Metric, str]] = {
    "power_w_per_chip": (Metric("power per chip", "power"), "W"),
    "energy_j_per_output_token": (Metric("energy per output token", "energy"), "J"),
    "system_power_w": (Metric("other", "power"), "W"),
    "power_w_per_chip_nominal": (Metric("other", "power"), "W"),
    "energy_wh_per_query": (Metric("other", "energy", HOUR_S), "Wh"),
    "tok_s_per_provisioned_mw": (Metric("other", "energy", 1e-6), "tok/s/MW"),
    "energy_mwh_training_run": (Metric("other", "energy", 1e6 * HOUR_S), "MWh"),
}
"""Metric of energy rows -> what it means, and its unit."""

_SCENARIOS: Mapping[str, Scenario] = {
    "fixed_batch": "static", "single_stream": "static", "sweep": "closed loop",
    "offline": "offline", "server": "server", "": "other",
}
_NOT_OF_CHIPS = re.compile(
    r"server|wall|all-in|modelled|undisclosed|nameplate|training run|assumed|as reported", re.I
)
_OF_A_CHIP = re.compile(
    r"(?:batch|sequences)\s*(?:of\s*)?(\d+)\s*/\s*GPU|(\d+)\s*(?:sequences|requests) per GPU", re.I
)


_SERVER = 8
"""Chips up to which experts in parallel go with attention split over the same chips."""


def first(readings: Sequence[Reading], kind: str, text: str) -> Reading | None:
    """The first reading of a kind whose pattern is found in a text."""
    return next(
        (
            reading
            for reading in readings
            if reading.kind == kind and re.search(reading.pattern, text, re.I)
        ),
        None,
    )


@dataclass(kw_only=True)
class _Split:
    """How a system of chips is shared out."""

    chips: int | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    moe_tp: int | None = None
    attention_dp: int | None = None
    replicas: int | None = None


def _split(cells: Cells) -> _Split:
    """Read the parallelism of a row; TP counts cores where it exceeds the chips of an instance.

    `dp` beside experts in parallel is data-parallel attention of one instance; without them it is
    replicas. Chips that tp x pp x dp leave over are replicas.
    """
    chips, tp, pp = cells.count("n_chips"), cells.count("tp"), cells.count("pp")
    ep, dp = cells.count("ep"), cells.count("dp")
    if chips is None or tp is None:
        return _Split(chips=chips, tp=tp, pp=pp, ep=ep)
    pp = pp or 1
    if tp * pp > chips and tp % chips == 0:
        cells.notes.append(f"tp {tp} counts cores, {tp * pp // chips} a chip: tp {chips // pp}")
        tp = chips // pp
    ep, dp = ep or 1, dp or 1
    if ep > 1 and tp * pp * dp < chips and ep * pp == chips:
        if chips <= _SERVER:
            cells.notes.append(
                f"experts over all {chips} chips with tp {tp}: read as attention split over the same chips"
            )
            tp = chips // pp
        else:
            cells.notes.append(
                f"experts over all {chips} chips with tp {tp}: read as attention data-parallel beside them"
            )
            dp = chips // (tp * pp)
    if tp * pp * dp > chips:
        cells.fault(
            "bad cell", "n_chips", f"tp {tp} x pp {pp} x dp {dp} need more than {chips} chips"
        )
        return _Split(chips=chips, tp=tp, pp=pp, ep=ep)
    attention_dp = dp if ep > 1 else 1
    if re.search(r"enables attention DP", cells["notes"]) and tp > 1 and attention_dp == 1:
        cells.notes.append(
            f"attention data-parallel over the {tp} chips of an instance, experts spread over them "
            "(the source enables it for mixtures of experts; EP not printed)"
        )
        tp, attention_dp, ep = 1, tp, tp
    instance = tp * pp * attention_dp
    if chips % instance:
        cells.notes.append(f"{chips} chips are no multiple of an instance of {instance}")
    moe_tp = max(1, tp * attention_dp // ep)
    return _Split(
        chips=chips, tp=tp, pp=pp, ep=ep, moe_tp=moe_tp, attention_dp=attention_dp,
        replicas=max(1, chips // instance))


def _input_tokens(cells: Cells, readings: Sequence[Reading]) -> float | None:
    stated = cells.number("input_len")
    if cells["input_len"]:
        return stated
    assumed = first(readings, "input tokens", cells["notes"])
    if assumed is None:
        return None
    cells.notes.append(f"input length not stated: {assumed.value} tokens assumed ({assumed.note})")
    return float(assumed.value)


def _output_tokens(cells: Cells) -> float | None:
    span = re.fullmatch(r"(\d+)\s*-\s*(\d+)", cells["output_len"])
    if span:
        middle = (float(span[1]) + float(span[2])) / 2.0
        cells.notes.append(f"output length printed as {span[0]}: its middle, {middle:g}")
        return middle
    return cells.number("output_len")


@dataclass
class _Running:
    """How many requests are in the system."""

    batch: float | None = None
    concurrency: float | None = None
    limit: float | None = None


def _running(
    cells: Cells, scenario: Scenario, split: _Split, input_tokens: float | None
) -> _Running:
    """Read batch_or_concurrency, which means one of five things."""
    text, notes = cells["batch_or_concurrency"], cells["notes"]
    if not text:
        return _Running(batch=1.0) if cells["scenario"] == "single_stream" else _Running()
    tokens = re.fullmatch(r"(\d+) tokens/GPU", text)
    if tokens:
        if input_tokens is None or split.chips is None:
            return _Running()
        cells.notes.append(f"{text}: {float(tokens[1]) / input_tokens:g} prompts a chip at once")
        return _Running(batch=float(tokens[1]) / input_tokens * split.chips)
    value = cells.number("batch_or_concurrency")
    if value is None:
        return _Running()
    per_chip = _OF_A_CHIP.search(notes)
    if per_chip and split.chips and value == float(per_chip[1] or per_chip[2]):
        cells.notes.append(f"batch {value:g} is of a chip: {value * split.chips:g} in all")
        return _Running(batch=value * split.chips)
    if re.search(r"batch is per engine instance limit", notes) or scenario == "server":
        return _Running(limit=value)
    if re.search(r"measured average batch|max_num_seqs=", notes):
        return _Running(batch=value)
    if scenario == "closed loop":
        capped = re.search(r"client concurrency (\d+) but max-num-seqs (\d+)", notes)
        return (
            _Running(batch=float(capped[2]), concurrency=float(capped[1]))
            if capped
            else _Running(concurrency=value)
        )
    if scenario == "offline":
        return _Running(concurrency=value)
    return _Running(batch=value)


def _precisions(cells: Cells, readings: Sequence[Reading]) -> tuple[Precision, str]:
    """Precision of most weights, and of the experts where they differ."""
    read = cells.precision("precision_weights")
    expert = first(readings, "expert precision", cells["model"])
    rest = first(readings, "other precision", cells["model"])
    if expert is None or rest is None:
        return read, ""
    if read.written not in ("", "mxfp4"):
        cells.notes.append(f"weights labelled {read.written}: {expert.note}")
    return Precision(rest.value, read.written or expert.value, False), "fp4"


def _reason(cells: Cells, readings: Sequence[Reading], metric: Metric, split: _Split) -> str:
    if cells.reason:
        return cells.reason
    other = first(readings, "not a language model", cells["model"])
    if other is not None:
        return f"not a language model: {cells['model']}"
    if cells["chip"].casefold() in ("mixed", "unknown", ""):
        return f"no one chip: the row says {cells['chip'] or 'nothing'!r}"
    if metric.quantity == "other":
        return f"metric not predicted: {cells['metric']}"
    if metric.quantity == "user tok/s" and split.chips is None:
        return "not stated: chips, batch and lengths (a bound, not a test)"
    return ""


def _unknown(cells: Cells, column: str, allowed: Sequence[str]) -> None:
    cells.fault(
        f"unknown {column}", column,
        f"{cells[column]!r}, {suggestion(cells[column], allowed, 'known: ' + ', '.join(allowed))}",
    )


def _scenario(cells: Cells, metric: Metric) -> Scenario:
    if cells["scenario"] not in _SCENARIOS:
        _unknown(cells, "scenario", [name for name in _SCENARIOS if name])
        return "other"
    if metric.quantity.startswith("prefill"):
        return "prefill"
    if metric.quantity.startswith("decode"):
        return "decode"
    return _SCENARIOS[cells["scenario"]]


def _measurement(
    cells: Cells, layout: Layout, metric: Metric, readings: Sequence[Reading], reason: str
) -> Measurement:
    scenario = _scenario(cells, metric)
    split = _split(cells)
    value = cells.number("value")
    cells.required("id", "model", "chip", "value")
    input_tokens, output_tokens = _input_tokens(cells, readings), _output_tokens(cells)
    running = _running(cells, scenario, split, input_tokens)
    weights, experts = _precisions(cells, readings)
    cached = re.search(r"([\d.]+)\s*% cache hits", cells["notes"])
    return Measurement(
        id=cells["id"], file=cells.file, line=cells.line, layout=layout, model=cells["model"],
        chip=cells["chip"], metric=cells["metric"],
        value=None if value is None else value * metric.scale, scale=metric.scale,
        quantity=metric.quantity, phase=metric.phase, scenario=scenario, vendor=cells["vendor"],
        chips=split.chips, tp=split.tp, pp=split.pp, ep=split.ep, moe_tp=split.moe_tp,
        attention_dp=split.attention_dp, replicas=split.replicas, precision=weights.name,
        precision_written=weights.written, expert_precision=experts,
        kv_precision=cells.precision("precision_kv").name, weight_only=weights.weight_only,
        engine=cells["engine"], engine_version=cells["engine_version"], batch=running.batch,
        concurrency=running.concurrency, batch_limit=running.limit, input_tokens=input_tokens,
        output_tokens=output_tokens, speculative=cells["spec_decode"] == "allowed",
        cached_share=float(cached[1]) / 100.0 if cached else 0.0, tier=cells["tier"],
        notes=tuple(cells.notes), source=cells["source_title"], comment=cells["notes"],
        reason=_reason(cells, readings, metric, split) or reason,
    )


def read_inference(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of inference results."""
    if cells["metric"] not in METRICS:
        _unknown(cells, "metric", list(METRICS))
    metric = METRICS.get(cells["metric"], Metric("other", "throughput"))
    return [_measurement(cells, "inference", metric, readings, "")]


def read_energy(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of power or energy; only what is measured at the chips can be predicted from the
    chips."""
    if cells["metric"] not in ENERGY_METRICS:
        _unknown(cells, "metric", list(ENERGY_METRICS))
    metric, unit = ENERGY_METRICS.get(cells["metric"], (Metric("other", "power"), cells["unit"]))
    if cells["unit"] != unit:
        cells.fault("unknown unit", "unit", f"{cells['unit']!r}, {cells['metric']} is in {unit}")
    outside = _NOT_OF_CHIPS.search(cells["boundary"]) is not None
    return [_measurement(cells, "energy", metric, readings,
                         f"boundary is not the chips: {cells['boundary']}" if outside else "")]
