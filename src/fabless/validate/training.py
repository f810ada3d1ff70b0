"""Rows of published training results -> measurements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from fabless.catalogue.files.measured import Reading
from fabless.errors import suggestion
from fabless.validate.cells import Cells
from fabless.validate.inference import Metric, first
from fabless.validate.measurement import Measurement, TrainingRun

REQUIRED = ("id", "model", "chip", "n_chips", "metric", "value")
OPTIONAL = (
    "source_title", "source_url_or_repo_path", "date", "params_b", "active_params_b", "tp", "pp",
    "cp", "vp", "ep", "dp_or_fsdp", "precision", "framework", "framework_version",
    "global_batch_seqs", "micro_batch", "seq_len", "notes", "vendor", "source_class", "tier",
)
MEGATRON_REQUIRED = (
    "model", "hardware", "n_gpus", "tp", "pp", "dp", "global_batch", "micro_batch", "interleave",
    "seq", "recompute", "metric", "value", "unit",
)
MEGATRON_OPTIONAL = ("source", "hidden", "layers", "table")

METRICS: Mapping[str, Metric] = {
    "step_time_s": Metric("step time", "training"),
    "tokens_s_per_chip": Metric("tokens/s per chip", "training"),
    "tokens_s_per_chip_incl_eval": Metric("tokens/s per chip", "training"),
    "model_tflops_per_chip": Metric("model flops per chip", "training", 1e12),
    "hardware_tflops_per_chip": Metric("hardware flops per chip", "training", 1e12),
    "mfu_pct": Metric("mfu", "training", 0.01),
    "hfu_pct": Metric("hfu", "training", 0.01),
    "time_to_train_min": Metric("other", "training", 60.0),
    "chip_hours": Metric("other", "training", 3600.0),
}
"""Metric of training rows -> what it means."""

_MEGATRON_METRICS: Mapping[tuple[str, str], Metric] = {
    ("iteration_time", "s"): Metric("step time", "training"),
    ("params+optimizer memory per GPU", "GiB"): Metric("other", "training", 2.0**30),
    ("activation memory per GPU", "GiB"): Metric("other", "training", 2.0**30),
    ("activation memory relative to TP baseline", "%"): Metric("other", "training", 0.01),
}
_RECOMPUTE = {
    "full": "full", "seqsel": "selective+sequence", "sel": "selective", "seq": "none+sequence",
    "none": "none",
}


def _recompute(text: str) -> str:
    """What a row says about activations that are computed again: '' where it says nothing."""
    flags = re.search(r"sharding/ckpt flags: \S+ \S+ \S+ (True|False)", text)
    if flags:
        return "full" if flags[1] == "True" else "none"
    if re.search(r"no act\. ckpt|no recompute", text, re.I):
        return "none"
    if re.search(r"sequence parallel \+ selective", text, re.I):
        return "selective+sequence"
    if re.search(r"\bSAC\b|selective", text):
        return "selective"
    return "full" if re.search(r"full AC|full activation recompute|act\. ckpt", text) else ""


def _sharded(text: str) -> bool | None:
    if re.search(r"FSDP|ZeRO-3|FULL_SHARD", text):
        return True
    return False if re.fullmatch(r"DP \d+", text) else None


def _number_in(pattern: str, text: str) -> float | None:
    match = re.search(pattern, text)
    return float(next(group for group in match.groups() if group)) if match else None


def _reason(cells: Cells, readings: Sequence[Reading], metric: Metric) -> str:
    if cells.reason:
        return cells.reason
    if first(readings, "not a language model", cells["model"]) is not None:
        return f"not a language model: {cells['model']}"
    if re.search(r"\blora\b", f"{cells['model']} {cells['notes']}", re.I):
        return "adapters: training of low-rank adapters is not modelled"
    return f"metric not predicted: {cells['metric']}" if metric.quantity == "other" else ""


def read_training(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of training results."""
    if cells["metric"] not in METRICS:
        cells.fault(
            "unknown metric", "metric",
            f"{cells['metric']!r}, "
            f"{suggestion(cells['metric'], METRICS, 'known: ' + ', '.join(METRICS))}",
        )
    metric = METRICS.get(cells["metric"], Metric("other", "training"))
    cells.required("id", "model", "chip", "value")
    value, weights = cells.number("value"), cells.precision("precision")
    said = f"{cells['dp_or_fsdp']}; {cells['notes']}"
    if cells["metric"] == "tokens_s_per_chip_incl_eval":
        cells.notes.append("includes evaluation and start-up: a lower bound of training speed")
    run = TrainingRun(
        framework=cells["framework"], framework_version=cells["framework_version"],
        global_batch=cells.number("global_batch_seqs"),
        micro_batch=cells.number("micro_batch") or _number_in(r"local batch (\d+)|\bbs(\d+)", said),
        sequence=cells.number("seq_len"),
        step_tokens=_number_in(r"tokens per step (\d+)", cells["notes"]),
        context_parallel=cells.count("cp"), interleave=cells.count("vp"),
        sharding=cells["dp_or_fsdp"], sharded=_sharded(said), recompute=_recompute(said),
    )
    return [
        Measurement(
            id=cells["id"], file=cells.file, line=cells.line, layout="training",
            model=cells["model"], chip=cells["chip"], metric=cells["metric"],
            value=None if value is None else value * metric.scale, scale=metric.scale,
            quantity=metric.quantity, phase="training", scenario="training", vendor=cells["vendor"],
            chips=cells.count("n_chips"), tp=cells.count("tp"), pp=cells.count("pp"),
            ep=cells.count("ep"), precision=weights.name, precision_written=weights.written,
            engine=cells["framework"], engine_version=cells["framework_version"],
            tier=cells["tier"], training=run, notes=tuple(cells.notes),
            source=cells["source_title"], comment=cells["notes"],
            reason=_reason(cells, readings, metric),
        )
    ]


def read_megatron(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row of the Megatron validation points; a row has no id: its file and line are
    taken."""
    key = (cells["metric"], cells["unit"])
    if key not in _MEGATRON_METRICS:
        column = (
            "unit" if any(cells["metric"] == name for name, _ in _MEGATRON_METRICS) else "metric"
        )
        cells.fault(f"unknown {column}", column, f"{cells['metric']!r} in {cells['unit']!r}")
    metric = _MEGATRON_METRICS.get(key, Metric("other", "training"))
    if cells["recompute"] not in _RECOMPUTE:
        cells.fault(
            "bad cell", "recompute", f"{cells['recompute']!r} is none of {', '.join(_RECOMPUTE)}"
        )
    cells.required("model", "hardware", "value")
    value = cells.number("value")
    run = TrainingRun(
        framework="Megatron-LM", global_batch=cells.number("global_batch"),
        micro_batch=cells.number("micro_batch"), sequence=cells.number("seq"), context_parallel=1,
        interleave=cells.count("interleave"), sharding=f"DP {cells['dp']}", sharded=False,
        recompute=_RECOMPUTE.get(cells["recompute"], ""),
    )
    return [
        Measurement(
            id=f"{PurePath(cells.file).name.partition('.')[0]}:{cells.line}", file=cells.file,
            line=cells.line, layout="megatron", model=cells["model"], chip=cells["hardware"],
            metric=cells["metric"], value=None if value is None else value * metric.scale,
            scale=metric.scale, quantity=metric.quantity, phase="training", scenario="training",
            chips=cells.count("n_gpus"), tp=cells.count("tp"), pp=cells.count("pp"), ep=1,
            replicas=cells.count("dp"), precision="bf16", engine="Megatron-LM", training=run,
            notes=(*cells.notes, "precision not stated: 16 bit"), source=cells["source"],
            reason=_reason(cells, readings, metric),
        )
    ]
