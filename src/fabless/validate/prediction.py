"""Prediction of one measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A predicted value [SI of the metric], or None with the reason."""

    value: float | None
    reason: str = ""
    """'kind: detail' where there is no value."""
    notes: tuple[str, ...] = ()
