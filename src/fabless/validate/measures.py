"""The figures that the model is held to: each the error of the rows that a condition picks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabless.validate.results import ComparedRow
from fabless.validate.run import errors_of, grouped
from fabless.validate.statistics import Errors

_DENSE = "dense"
_TRUSTED = ("A", "B")


@dataclass(frozen=True)
class Measure:
    """A named choice of rows; with `by`, one measure for each group of that key."""

    name: str
    picks: Callable[[ComparedRow], bool]
    by: str = ""


@dataclass(frozen=True)
class Measured:
    """A measure with what a validation gives for it."""

    name: str
    errors: Errors


def _serving(row: ComparedRow, quantity: str) -> bool:
    return row.layout == "serving" and row.quantity == quantity


def _fixed(row: ComparedRow) -> bool:
    """Rows of a fixed batch, or times per output token, that are well known."""
    return row.layout == "inference" and row.groups["tier"] in _TRUSTED and (
        row.groups["scenario"] == "static" or row.quantity == "tpot")


def _trained(row: ComparedRow) -> bool:
    return (
        row.layout in ("training", "megatron")
        and row.groups["kind"] == _DENSE
        and row.groups["tier"] != "C"
        and (row.quantity in ("step time", "tokens/s per chip"))
    )


MEASURES: tuple[Measure, ...] = (
    Measure(
        "serving, dense, TPOT", lambda row: _serving(row, "tpot") and row.groups["kind"] == _DENSE
    ),
    Measure("serving, all, TPOT", lambda row: _serving(row, "tpot")),
    Measure("serving, all, TTFT", lambda row: _serving(row, "ttft")),
    Measure(
        "serving, one pool, TPOT",
        lambda row: _serving(row, "tpot") and row.groups["mode"] == "aggregated",
    ),
    Measure(
        "serving, two pools, TPOT",
        lambda row: _serving(row, "tpot") and row.groups["mode"] == "disaggregated",
    ),
    Measure("fixed batch and TPOT", _fixed, "vendor"),
    Measure(
        "training, step time, Megatron points",
        lambda row: row.layout == "megatron" and row.quantity == "step time",
    ),
    Measure("training, speed, dense", _trained),
    Measure(
        "training, speed, mixtures",
        lambda row: (
            row.layout == "training"
            and row.groups["kind"] != _DENSE
            and row.groups["tier"] != "C"
            and row.quantity in ("step time", "tokens/s per chip")
        ),
    ),
    Measure("kernels, GEMM", lambda row: row.layout == "gemm"),
    Measure(
        "kernels, attention", lambda row: row.layout in ("attention-prefill", "attention-decode")
    ),
    Measure("kernels, collectives", lambda row: row.layout == "collectives"),
    Measure(
        "power while serving",
        lambda row: row.layout == "energy" and row.quantity == "power per chip",
    ),
    Measure(
        "energy per output token",
        lambda row: row.layout == "energy" and row.quantity == "energy per output token",
    ),
)
"""Measures in the order in which they are printed."""


def measured(rows: Sequence[ComparedRow]) -> tuple[Measured, ...]:
    """Every measure for which there are rows."""
    of_measures: list[Measured] = []
    for measure in MEASURES:
        picked = [row for row in rows if measure.picks(row)]
        if measure.by:
            of_measures += [
                Measured(f"{measure.name}, {group.name}", group.errors)
                for group in grouped(picked, [measure.by])
            ]
        elif picked:
            of_measures.append(Measured(measure.name, errors_of(picked)))
    return tuple(of_measures)
