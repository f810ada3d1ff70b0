"""Efficiencies of a chip and a training stack, from named values: the general ones, then what is
known better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fabless.errors import unknown
from fabless.perf.training.efficiency import TrainingEfficiency

PREFIX = "training-"
DEFAULT = PREFIX + "default"
_ERRORS = ("error_median", "error_p90", "error_mixture")


@dataclass(frozen=True)
class TrainingCalibration:
    """Efficiencies taken for a run, and where they come from."""

    efficiency: TrainingEfficiency
    error_median: float
    """Median absolute error of predicted speed against runs that were left out of the fit [1]."""
    error_p90: float
    """Error that nine of ten of them stay under [1]."""
    error_mixture: float
    """Median absolute error on mixtures of experts [1]."""
    said: str
    """Which sets of values were laid over one another, and what was inherited for want of
    measurements."""


def stacks(entities: Iterable[str], classes: Iterable[str]) -> list[str]:
    """Names of the training stacks among entities: neither the default nor of a class of chips."""
    known = tuple(classes)
    names = [entity.removeprefix(PREFIX) for entity in entities if entity.startswith(PREFIX) and entity != DEFAULT]
    return [name for name in names if not any(name == kind or name.endswith(f"-{kind}") for kind in known)]


def calibrate(
    values: Mapping[str, Mapping[str, float]], chip_class: str, stack: str = "",
    classes: Iterable[str] = (),
    inherited: bool = False,
) -> TrainingCalibration:
    """Lay values over one another: default, class of chip, stack, stack on that class.

    Parameters: `values`, entity -> field -> value in SI; `chip_class`, such as ``nvidia-hopper``; `stack`, such as
    ``maxtext`` (empty: the default); `classes`, all classes of chips, to tell them from stacks; `inherited`, true for a
    chip that only borrows its class: the errors are those of chips left out of the fit. Raises
    `UnknownName` for a stack that no entity describes.
    """
    if stack and f"{PREFIX}{stack}" not in values:
        raise unknown("training stack", stack, stacks(values, classes), "stack")
    layers = [DEFAULT, f"{PREFIX}{chip_class}"]
    if stack:
        layers += [f"{PREFIX}{stack}", f"{PREFIX}{stack}-{chip_class}"]
    taken = [name for name in layers if name in values]
    merged: dict[str, float] = {}
    for name in taken:
        merged.update(values[name])
    measured = f"{PREFIX}{chip_class}" in values
    said = " over ".join(reversed(taken)) + ("" if measured else f"; no training was measured on {chip_class}: default")
    if inherited:
        merged.update({field: values[DEFAULT][field] for field in _ERRORS if field in values[DEFAULT]})
    median, p90, mixture = (merged.pop(field, math.nan) for field in _ERRORS)
    return TrainingCalibration(TrainingEfficiency.of(merged), median, p90, mixture, said)
