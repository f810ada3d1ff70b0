"""How much to take firm when the rest can be had, dearer, when the need is known: the news-vendor's question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from fabless.checks import Bound, number, require
from fabless.errors import BadValue, Fault
from fabless.records import Array


@dataclass(frozen=True)
class FirmVolume:
    """Best firm volume."""

    units: float
    fractile: float
    """Chance with which the need is at most the firm volume [1]."""
    cost_usd: float
    """Expected cost of firm units and of what comes on top, less what unused units bring back."""


def firm_volume_normal(
    mean: float, deviation: float, *, firm_usd: float, spot_usd: float, back_usd: float = 0.0
) -> FirmVolume:
    """Best firm volume for a normal need: ``F(q) = (spot - firm) / (spot - back)``.

    The expected cost is ``firm mean + (spot - back) deviation density(z)``, z the standard score of q.

    Parameters: `mean` and `deviation` of the need [unit]; `firm_usd`, `spot_usd`, `back_usd` per unit: its price firm,
    its price (or the loss) when it is missing, what an unused one brings back; ``back <= firm <= spot``.

    >>> best = firm_volume_normal(100.0, 20.0, firm_usd=3.0, spot_usd=10.0)
    >>> round(best.units, 4), round(10.0 * 100.0 - best.cost_usd, 4)
    (110.488, 630.4615)
    """
    require("firm volume", Bound("mean", mean, 0, 1e15, "give units"),
            Bound("deviation", deviation, 0, 1e15, "give the standard deviation, 0 or more"))
    fractile = _fractile(firm_usd, spot_usd, back_usd)
    if deviation == 0.0:
        return FirmVolume(mean, fractile, firm_usd * mean)
    score = float(ndtri(fractile))
    density = float(np.exp(-0.5 * score**2) / np.sqrt(2.0 * np.pi)) if np.isfinite(score) else 0.0
    return FirmVolume(mean + deviation * score, fractile, firm_usd * mean + (spot_usd - back_usd) * deviation * density)


def firm_volume(
    need: Array, *, firm_usd: float, spot_usd: float, back_usd: float = 0.0, probability: Array | None = None
) -> FirmVolume:
    """Best firm volume for needs as drawn: the least volume that covers the need with the critical chance.

    Parameters: `need` (draws,) [unit] with `probability` (draws,), equal where left out; prices as
    `firm_volume_normal`. Raises `BadValue` on prices out of order.

    >>> firm_volume(np.array([10.0, 20.0, 40.0]), firm_usd=3.0, spot_usd=8.0, probability=np.array([0.5, 0.25, 0.25]))
    FirmVolume(units=20.0, fractile=0.625, cost_usd=100.0)
    """
    fractile = _fractile(firm_usd, spot_usd, back_usd)
    draws = np.asarray(need, dtype=float)
    weight = np.full(draws.shape, 1.0 / draws.size) if probability is None else np.asarray(probability, dtype=float)
    require("firm volume", Bound("need", draws, 0, 1e15, "give units"), Bound("probability", weight, 0, 1, "give shares"),
            Bound("sum of probability", weight.sum(), 1 - 1e-9, 1 + 1e-9, "let the probabilities sum to 1"))
    order = np.argsort(draws, kind="stable")
    reached = np.cumsum(weight[order])
    units = float(draws[order][min(int(np.searchsorted(reached, fractile - 1e-12)), draws.size - 1)])
    return FirmVolume(units, fractile, float(weight @ _cost(units, draws, firm_usd, spot_usd, back_usd)))


def _cost(units: float, need: Array, firm_usd: float, spot_usd: float, back_usd: float) -> Array:
    short, idle = np.maximum(need - units, 0.0), np.maximum(units - need, 0.0)
    return np.asarray(firm_usd * units + spot_usd * short - back_usd * idle)


def _fractile(firm_usd: ArrayLike, spot_usd: ArrayLike, back_usd: ArrayLike) -> float:
    firm, spot, back = (float(number(x)) for x in (firm_usd, spot_usd, back_usd))
    if not (back <= firm <= spot and back < spot and np.isfinite([firm, spot, back]).all()):
        raise BadValue(Fault("firm volume", f"back {back:g}, firm {firm:g}, spot {spot:g} USD",
                             "back <= firm <= spot, back below spot",
                             "a firm unit dearer than spot is not worth taking; one that brings back more is free"))
    return (spot - firm) / (spot - back)
