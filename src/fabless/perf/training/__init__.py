"""Training: a language model on many chips, from the data sheet and a few efficiencies.

The layers, each using only the ones before: `recipe` says how, `machine` reads a chip, `work` times
a micro-batch, `step` a step, `training_memory` sizes it, `search` finds the best recipe, `campaign`
runs it to the end.
"""

from fabless.perf.training.calibration import TrainingCalibration, calibrate, stacks
from fabless.perf.training.campaign import Campaign, binds, campaign
from fabless.perf.training.divide import division_faults
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.flop import hardware_flop_per_token, model_flop_per_token
from fabless.perf.training.machine import TrainingMachine, training_machine
from fabless.perf.training.memory import TrainingMemory, least_replay, training_memory
from fabless.perf.training.recipe import Recipe, check_recipe, recomputed
from fabless.perf.training.search import TimedRecipe, best, planned
from fabless.perf.training.step import TrainingStep, step

__all__ = [
    "Campaign",
    "Recipe",
    "TimedRecipe",
    "TrainingCalibration",
    "TrainingEfficiency",
    "TrainingMachine",
    "TrainingMemory",
    "TrainingStep",
    "best",
    "binds",
    "calibrate",
    "campaign",
    "check_recipe",
    "division_faults",
    "hardware_flop_per_token",
    "least_replay",
    "model_flop_per_token",
    "planned",
    "recomputed",
    "stacks",
    "step",
    "training_machine",
    "training_memory",
]
