"""What `fabless train` prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Console

from fabless.perf.training import Campaign, Recipe, TimedRecipe, TrainingCalibration, binds
from fabless.perf.training.campaign import PARTS
from fabless.records import LLM, Chip, Fact
from fabless.report import Column, print_table, say
from fabless.units import DAY_S, HOUR_S
from fabless.wording import in_percent, plain, usd
from fabless.workload import Number

_SPLITS = {
    "tensor": "tensor", "pipeline": "pipeline", "context": "context", "expert": "expert",
    "data": "data", "interleave": "interleave", "micro_batch": "micro-batch",
}
_NAMES = {
    "products": "matrix products", "attention": "attention", "elements": "element-wise",
    "head": "head and loss", "replay": "recomputation", "tensor": "tensor messages",
    "context": "context messages", "expert": "expert messages", "data": "data messages",
    "pipeline": "stage messages", "imbalance": "slowest stage", "bubble": "pipeline bubble",
    "optimizer": "optimizer", "host": "host",
}
_MEMORY = ("weights", "gradients", "optimizer", "activations", "workspace", "overhead", "free")


@dataclass(frozen=True, kw_only=True)
class TrainAnswer:
    """Everything that `fabless train` prints."""

    llm: LLM
    chip: Chip
    chips: int
    precision: str
    tokens: float
    plans: list[TimedRecipe]
    run: Campaign
    price: Fact | None
    cost_usd: float | None
    wall_j: float
    calibration: TrainingCalibration
    notes: list[str]


def _one(value: Number) -> float:
    return float(np.asarray(value))


def _long(seconds: float) -> str:
    """A duration in days, or in hours if it is shorter than two days."""
    return (
        f"{plain(seconds / DAY_S)} days"
        if seconds >= 2.0 * DAY_S
        else f"{plain(seconds / HOUR_S)} hours"
    )


def _energy(joules: float) -> str:
    """Energy in GWh, MWh, kWh or Wh, whichever leaves a readable number."""
    hours = joules / HOUR_S
    return next(
        f"{plain(hours / size)} {unit}"
        for unit, size in (("GWh", 1e9), ("MWh", 1e6), ("kWh", 1e3), ("Wh", 1.0))
        if hours >= size or unit == "Wh"
    )


def _gigabytes(value: float) -> str:
    return f"{round(value / 1e9, 1) + 0.0:.1f}"


def _parts(plan: TimedRecipe) -> dict[str, float]:
    return {part: float(getattr(plan.step, f"{part}_s")) for part in PARTS}


def training_document(answer: TrainAnswer) -> dict[str, object]:
    """The answer as a dictionary for JSON."""
    first = answer.plans[0]
    return {
        "model": answer.llm.name, "chip": answer.chip.name, "chips": answer.chips,
        "precision": answer.precision, "tokens": answer.tokens, "recipe": first.recipe,
        "step": first.step, "memory_bytes": first.memory, "binds": binds(first.step),
        "run": answer.run, "days": _one(answer.run.time_s) / DAY_S, "cost_usd": answer.cost_usd,
        "wall_energy_j": answer.wall_j, "price": answer.price,
        "next": [
            {
                "recipe": plan.recipe, "time_s": plan.step.time_s,
                "utilisation": plan.step.utilisation, "free_bytes": plan.memory.free,
                "binds": binds(plan.step),
            }
            for plan in answer.plans[1:]
        ],
        "error_median": answer.calibration.error_median,
        "error_p90": answer.calibration.error_p90,
        "efficiencies": answer.calibration.efficiency,
        "efficiencies_of": answer.calibration.said,
        "notes": answer.notes,
    }


def _split(recipe: Recipe) -> str:
    shown = [f"{label} {_one(getattr(recipe, name)):g}" for name, label in _SPLITS.items()
             if _one(getattr(recipe, name)) > 1]
    return ", ".join(shown) or "one chip"


def print_training(answer: TrainAnswer, console: Console) -> None:
    """Print a summary, the step, the memory, the parallelism and the sources."""
    first, run = answer.plans[0], answer.run
    hours = _one(run.chip_hours)
    cost = f", {usd(answer.cost_usd)}" if answer.cost_usd is not None else ""
    say(
        console,
        f"{answer.llm.name}: {plain(answer.tokens)} tokens on {answer.chips:,} "
        f"{answer.chip.name} in {_long(_one(run.time_s))}{cost}: {plain(hours)} "
        f"chip-hours, {_energy(answer.wall_j)} at the wall. Step {first.step.time_s:.3g} "
        f"s, {in_percent(_one(first.step.utilisation))} of peak {answer.precision} FLOP/s in "
        f"use ({in_percent(_one(first.step.hardware_utilisation))} with recomputation). "
        "Restarts and evaluations are not included.",
    )
    parts = _parts(first)
    whole = _one(first.step.time_s)
    shown = sorted(
        (item for item in parts.items() if item[1] > 0.0005 * whole), key=lambda item: -item[1]
    )
    print_table(
        "Step", [Column("part", name=True), Column("s", True), Column("share", True)],
        [[_NAMES[name], f"{value:.3g}", in_percent(value / whole)] for name, value in shown],
        console,
    )
    sizes = [(name, float(getattr(first.memory, name))) for name in _MEMORY]
    total = sum(value for _, value in sizes)
    print_table(
        "Memory of the fullest chip",
        [Column("part", name=True), Column("GB", True), Column("share", True)],
        [[name, _gigabytes(value), in_percent(value / total)] for name, value in sizes], console,
    )
    print_table(
        "Parallelism",
        [
            Column("split", name=True), Column("sharding", True), Column("recomputed", True),
            Column("step s", True), Column("in use", True), Column("free GB", True), "bottleneck",
        ],
        [
            [
                _split(plan.recipe), f"{plan.recipe.sharding:g}",
                in_percent(_one(plan.recipe.replay)), f"{plan.step.time_s:.3g}",
                in_percent(_one(plan.step.utilisation)), _gigabytes(_one(plan.memory.free)),
                _NAMES[binds(plan.step)],
            ]
            for plan in answer.plans
        ],
        console,
    )
    calibration = answer.calibration
    say(
        console,
        f"Efficiencies: {calibration.said}. Runs left out of the fit were predicted "
        f"within {in_percent(calibration.error_median)} in the median, nine out of ten within "
        f"{in_percent(calibration.error_p90)}; mixtures of experts within "
        f"{in_percent(calibration.error_mixture)}: docs/explanation/training.md.",
    )
    if answer.price is not None:
        say(
            console, f"Price: {answer.price.field.replace('_', ' ')} ({answer.price.source.title})."
        )
    for note in answer.notes:
        say(console, note, indent=2)
