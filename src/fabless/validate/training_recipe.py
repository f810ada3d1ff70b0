"""A row of published training results -> the recipe that made it: what it states, what its stack
does, stated rules.

Precedence: what the row says; what is known of that run (entity ``recipe-MODEL``, where its stack
agrees); what the stack does by default (``recipe-STACK``); then the rules of `_RULES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

import numpy as np

from fabless.catalogue.facts.store import Catalogue
from fabless.errors import FablessError
from fabless.perf.training import (
    Recipe,
    TrainingCalibration,
    TrainingMachine,
    calibrate,
    check_recipe,
    hardware_flop_per_token,
    least_replay,
    model_flop_per_token,
    recomputed,
    step,
    training_machine,
)
from fabless.quote import efficiency_class
from fabless.records import LLM, Chip
from fabless.validate.measurement import Measurement, TrainingRun

_STACKS = (
    ("llm-foundry", "llm-foundry"), ("torchtitan", "torchtitan"),
    ("megatron-deepspeed", "megatron-lm"), ("megatron-bridge", "megatron-bridge"),
    ("megatron-core", "megatron-bridge"), ("nemo", "megatron-bridge"),
    ("megatron-lm", "megatron-lm"), ("maxtext", "maxtext"), ("deepspeed", "deepspeed"),
)
"""Part of a framework's name, in lower case -> stack; the first that occurs."""
_ALL_PAIRS = frozenset({"llm-foundry", "megatron-lm"})
"""Stacks that count all pairs of attention as model FLOP, causal or not; MaxText did so until
2025."""
_CAUSAL_FROM = 2025
_RULES = (
    "weights shared over all chips: llm-foundry, torchtitan, MaxText, DeepSpeed ZeRO-3",
    "optimizer shared: Megatron-Bridge, unless FSDP is stated",
    "layers replayed only as far as memory asks for it, where nothing is said",
    "experts spread over as many chips as there are, in MaxText, where nothing is said",
    "8 bits in submissions to MLPerf, which do not state their precision, on chips that have them",
)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training row as the model takes it."""

    llm: LLM
    chip: Chip
    machine: TrainingMachine
    recipe: Recipe
    calibration: TrainingCalibration
    stack: str
    all_pairs: bool
    """True where the row's model FLOP count every pair of tokens."""
    notes: tuple[str, ...]


class Missing(Exception):
    """Something that a row must say and does not."""


def stack_of(framework: str) -> str:
    """Training stack of a framework's name; empty where it is none that is known."""
    name = framework.casefold()
    return next((stack for part, stack in _STACKS if part in name), "")


def _known(catalogue: Catalogue, stack: str, model: str) -> dict[str, float]:
    """Known settings of this run, over the defaults of its stack."""
    have = set(catalogue.entities("training"))
    merged: dict[str, float] = {}
    for entity in (f"recipe-{stack}", f"recipe-{model}"):
        if entity not in have:
            continue
        facts = {fact.field: fact.value for fact in catalogue.facts_of(entity)}
        if facts.pop("stack", stack) == stack:
            merged.update(
                {name: value for name, value in facts.items() if isinstance(value, float)}
            )
    return merged


def _stated(measurement: Measurement, run: TrainingRun, stack: str) -> dict[str, float]:
    """Recipe as stated by the row."""
    said: dict[str, float | None] = {
        "chips": measurement.chips, "tensor": measurement.tp, "pipeline": measurement.pp,
        "expert": measurement.ep, "context": run.context_parallel, "interleave": run.interleave,
        "global_batch": run.global_batch, "micro_batch": run.micro_batch, "sequence": run.sequence,
        "data": measurement.replicas,
    }
    for name, pattern in (
        ("tensor", r"\bTP(\d+)"), ("pipeline", r"\bPP(\d+)"), ("context", r"\bCP(\d+)"),
    ):
        match = re.search(pattern, run.sharding)
        if match and said[name] is None:
            said[name] = float(match[1])
    if said["interleave"] is None and "interleaved" in run.sharding:
        said["interleave"] = 2
    text = f"{run.sharding}; {measurement.comment}"
    if re.search(r"SHARD_GRAD_OP|ZeRO-2", text):
        said["sharding"] = 2
    elif run.sharded:
        said["sharding"] = 3
    elif stack == "megatron-lm" and run.sharded is False:
        said["sharding"] = 0
    if re.search(r"offload", run.sharding, re.I):
        said["offload"] = 1
    if re.search(r"\blora\b", measurement.comment, re.I):
        said["trained"] = 0
    level, _, parallel = run.recompute.partition("+")
    if level and not (level == "selective" and stack == "torchtitan"):
        said["replay"], said["selective"] = recomputed(level)
    if stack == "megatron-lm" and run.recompute:
        said["sequence_parallel"] = 1 if parallel == "sequence" else 0
    return {name: float(value) for name, value in said.items() if value is not None}


def _domain(measurement: Measurement, chips: float) -> tuple[float, float | None]:
    """Slices that a data-centre network joins, and the chips of one; 1 and None where the row names
    none."""
    match = re.search(r"(\d+) slice", measurement.comment)
    return (float(match[1]), chips / float(match[1])) if match else (1.0, None)


def trained(measurement: Measurement, catalogue: Catalogue) -> Trained:
    """Read the recipe of a row; raises `Missing`, or a `FablessError` for names, precisions and
    numbers that are wrong."""
    run = measurement.training or TrainingRun()
    stack = stack_of(run.framework)
    llm, chip = catalogue.model(measurement.model), catalogue.chip(measurement.chip)
    notes = [] if stack else [f"no efficiencies of the stack {run.framework!r}: default"]
    stated = {**_known(catalogue, stack, llm.name), **_stated(measurement, run, stack)}
    if stack == "maxtext" and "sequence" not in stated and run.step_tokens:
        stated["sequence"] = float(min(8192, llm.max_context or 8192))
        notes.append(f"sequence not stated: {stated['sequence']:g} tokens")
    lacking = [name for name in ("chips", "sequence") if name not in stated]
    if lacking:
        raise Missing(", ".join(lacking))
    chips, tensor = stated["chips"], stated.get("tensor", 1.0)
    slices, domain = _domain(measurement, chips)
    stages, context = stated.get("pipeline", 1.0), stated.get("context", 1.0)
    data = max(chips / (tensor * stages * context), 1.0)
    if (
        "tensor" not in stated
        and "pipeline" not in stated
        and 0.0 < stated.get("global_batch", data) < data
    ):
        tensor = stated["tensor"] = data / stated["global_batch"]
        data = stated["global_batch"]
        notes.append(f"fewer sequences than chips: tensor parallel {tensor:g}")
    data = stated["data"] = stated.get("data", data)
    if "chip_batch" in stated:
        stated.setdefault("micro_batch", stated["chip_batch"] * tensor)
    if "global_batch" not in stated and run.step_tokens:
        stated["global_batch"] = run.step_tokens / stated["sequence"]
    if "global_batch" not in stated and "micro_batch" in stated:
        stated["global_batch"] = (
            stated["micro_batch"]
            * data
            * (stated.get("micro_batches", 1.0) if stages > 1.0 else 1.0)
        )
    if "global_batch" not in stated:
        raise Missing("batch")
    if "micro_batch" not in stated:
        if stages > 1.0:
            raise Missing("micro batch")
        stated["micro_batch"] = stated["global_batch"] / data
    if "sharding" not in stated:
        stated["sharding"] = 1.0 if stack in ("megatron-bridge", "megatron-lm", "") else 3.0
    if llm.experts and stack == "maxtext" and "expert" not in stated:
        stated["expert"] = float(min(llm.experts, int(chips)))
    names = {field.name for field in fields(Recipe)}
    recipe = replace(Recipe(global_batch=1.0, sequence=1.0, replicas=slices),
                     **{name: value for name, value in stated.items() if name in names})
    check_recipe(recipe)
    precision = _precision(measurement, chip)
    if not measurement.precision:
        notes.append(f"precision not stated: {precision}")
    efficiency, machine = _machine(catalogue, chip, stack, precision, domain)
    if "replay" not in stated:
        recipe = replace(
            recipe, replay=float(least_replay(llm, machine, recipe, efficiency.efficiency))
        )
        notes.append(
            f"recomputation not stated: {float(recipe.replay):.0%} of the layers, the least that fits"
        )
    all_pairs = stack in _ALL_PAIRS or (stack == "maxtext" and (
        chip.available is None or chip.available.year < _CAUSAL_FROM))
    return Trained(
        llm=llm, chip=chip, machine=machine, recipe=recipe, calibration=efficiency, stack=stack,
        all_pairs=all_pairs, notes=tuple(notes))


def _precision(measurement: Measurement, chip: Chip) -> str:
    """Format of the products; where a row does not say, 16 bits, and 8 in submissions to MLPerf on
    chips that have them."""
    written = measurement.precision_written.casefold()
    format_name = next(
        (
            name
            for part, name in (("nvfp4", "nvfp4"), ("mx", "mxfp8"), ("fp8", "fp8"))
            if part in written
        ),
        None,
    )
    if format_name is not None:
        return format_name
    if measurement.precision not in ("", "bf16", "fp16"):
        return measurement.precision
    submitted = not measurement.precision and measurement.metric.endswith("incl_eval")
    return "fp8" if submitted and chip.peak_flops.get("fp8", 0.0) > 0.0 else "bf16"


def _machine(catalogue: Catalogue, chip: Chip, stack: str, precision: str, domain: float | None
             ) -> tuple[TrainingCalibration, TrainingMachine]:
    values = {entity: {fact.field: float(fact.value) for fact in catalogue.facts_of(entity)
                       if isinstance(fact.value, float)}
              for entity in catalogue.entities("training") if entity.startswith("training-")}
    calibration = calibrate(values, efficiency_class(catalogue, chip)[0], stack)
    machine = training_machine(chip, precision, calibration.efficiency)
    return calibration, machine if domain is None else replace(machine, scale_up_domain=domain)


def predicted(row: Trained, quantity: str) -> float | None:
    """The quantity of a row in SI, by its own definition; None for one that training rows do not
    have.

    Utilisation is over the peak of the precision, with 16-bit peak as TPU and Megatron tables take
    it for 16-bit runs.
    """
    recipe, machine = row.recipe, row.machine
    result = step(row.llm, machine, recipe, row.calibration.efficiency)
    rate = float(np.asarray(result.tokens_per_s / recipe.chips))
    model = float(
        np.asarray(
            model_flop_per_token(row.llm, recipe.sequence, recipe.trained, not row.all_pairs)
        )
    )
    causal = float(np.asarray(model_flop_per_token(row.llm, recipe.sequence, recipe.trained)))
    replayed = float(np.asarray(hardware_flop_per_token(row.llm, recipe))) - causal
    if row.all_pairs:
        core = max(float(np.asarray(recipe.replay)), float(np.asarray(recipe.selective)))
        replayed += core * (model - causal) / 3.0
    peak = float(np.asarray(machine.peak_flops))
    answers = {
        "step time": float(np.asarray(result.time_s)), "tokens/s per chip": rate,
        "model flops per chip": rate * model, "hardware flops per chip": rate * (model + replayed),
        "mfu": rate * model / peak,
        "hfu": rate * (model + replayed) / peak,
    }
    return answers.get(quantity)


def reason_of(error: FablessError | Missing) -> str:
    """Say in one line why a row is not predicted."""
    if isinstance(error, Missing):
        return f"incomplete: the row does not say {error}"
    first = error.faults[0]
    return f"refused: {first.place}: {first.found}"
