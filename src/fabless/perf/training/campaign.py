"""A whole training run: days, chip-hours, energy, from one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.efficiency import Efficiency
from fabless.perf.power import chip_power
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.machine import TrainingMachine
from fabless.perf.training.step import TrainingStep
from fabless.units import HOUR_S
from fabless.workload import Number


@dataclass(frozen=True)
class Campaign:
    """Training on a number of tokens, without stops: restarts and evaluations come on top."""

    steps: Number
    time_s: Number
    chip_hours: Number
    power_w_per_chip: Number
    energy_j: Number
    """Energy of the chips alone, without servers and cooling."""


PARTS = (
    "products", "attention", "elements", "head", "replay", "tensor", "context", "expert", "data",
    "pipeline", "imbalance", "bubble", "optimizer", "host",
)
"""Parts of a step, in the order in which they are shown."""


def binds(step: TrainingStep) -> str:
    """Name of the largest part of a step."""
    return max(PARTS, key=lambda part: float(np.max(getattr(step, f"{part}_s"))))


def campaign(
    step: TrainingStep, machine: TrainingMachine, efficiency: TrainingEfficiency, power: Efficiency,
    tokens: Number,
    batch: Number,
    chips: Number,
) -> Campaign:
    """Run `tokens` tokens in steps of `batch` tokens on `chips` chips.

    Power from the share of peak FLOP/s in use and from the share of time in element-wise work and
    the optimizer, which stream from memory.
    """
    steps = np.ceil(np.asarray(tokens, dtype=float) / batch)
    time = steps * step.time_s
    streaming = (np.asarray(step.elements_s) + step.optimizer_s) / step.time_s * efficiency.bandwidth
    watts = chip_power(machine.tdp_w, step.hardware_utilisation, streaming, power)
    return Campaign(steps, time, time * chips / HOUR_S, watts, watts * time * chips)
