"""A programme in stages: at each gate a cost is paid to go on, or everything ends. A compound option."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.optimize import brentq

from fabless.checks import Bound, require
from fabless.errors import BadValue, Fault
from fabless.records import Array

_REACH = 9.0
"""Standard deviations that the integrals cover; the lognormal tail beyond weighs 1e-15 or less."""
_NODES = 128
_TABLE = 2001
"""Log products at which the worth before a gate is tabulated; a quintic spline lies between."""

Worth = Callable[[Array], Array]
"""Log of the finished product's worth (any shape) -> worth of a stage."""


@dataclass(frozen=True)
class Gate:
    """A gate of a programme."""

    years: float
    """From today."""
    cost_usd: float
    """Paid at the gate to go on."""
    success: float = 1.0
    """Chance that the stage after the gate works, told when it ends and independent of the market."""


@dataclass(frozen=True)
class StagedValue:
    """Worth of a staged programme."""

    value_usd: float
    """Today, with every gate a choice."""
    committed_usd: float
    """Today, if all gates had to be passed."""
    thresholds_usd: tuple[float, ...]
    """Worth of the finished thing at which each gate is just passed; infinite where never."""

    @property
    def flexibility_usd(self) -> float:
        """What the right to stop adds."""
        return self.value_usd - max(self.committed_usd, 0.0)


def staged(value_usd: float, gates: Sequence[Gate], *, rate: float, volatility: float, carry: float = 0.0) -> StagedValue:
    """Value of a programme whose finished product is worth `value_usd` today and moves lognormally.

    At gate k the choice is ``max(success_k * worth of what follows - cost_k, 0)``, and what follows the last gate is the
    product. The worth before a gate is an integral over the lognormal law from the threshold at which the gate is just
    passed, where the integrand is smooth: Gauss-Legendre, exact to about 1e-9 of the value. With two gates and success 1
    this is a call on a call (Geske 1979), with one a call.

    Parameters: `value_usd` of the finished product today [USD]; `rate` and `carry` continuous per year (carry: what
    waiting forgoes); `volatility` per square root of a year. Raises `BadValue` with every number out of range, gates that
    do not come one after the other included.

    >>> both = staged(100.0, [Gate(1.0, 10.0), Gate(3.0, 100.0)], rate=0.05, volatility=0.4)
    >>> round(both.value_usd, 5)
    24.20472
    """
    _check(value_usd, gates, rate, volatility, carry)
    times = np.array([0.0, *(gate.years for gate in gates)])
    spans = np.diff(times)
    drifts, spreads = (rate - carry - 0.5 * volatility**2) * spans, volatility * np.sqrt(spans)
    start = float(np.log(value_usd))
    worth: Worth = np.exp
    thresholds = [0.0] * len(gates)
    for k in reversed(range(len(gates))):
        centre, reach = start + drifts[: k + 1].sum(), _REACH * spreads[: k + 1].sum()
        thresholds[k] = _threshold(gates[k], worth, centre, reach)
        worth = _before(gates[k], worth, thresholds[k], spans[k], drifts[k], spreads[k], rate)
        if k and volatility > 0.0:
            centre, reach = start + drifts[:k].sum(), _REACH * spreads[:k].sum() + 1e-9
            grid = np.linspace(centre - reach, centre + reach, _TABLE)
            worth = make_interp_spline(grid, worth(grid), k=5)
    return StagedValue(max(float(worth(np.array(start))), 0.0), _committed(value_usd, gates, rate, carry), tuple(thresholds))


def _before(
    gate: Gate, ahead: Worth, threshold: float, years: float, drift: float, spread: float, rate: float
) -> Worth:
    """Worth, `years` before a gate, of what the gate leads to."""
    discount = np.exp(-rate * years)
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    edge = np.log(threshold) if threshold > 0.0 else -np.inf

    def worth(x: Array) -> Array:
        if spread == 0.0:
            return np.asarray(discount * np.maximum(gate.success * ahead(x + drift) - gate.cost_usd, 0.0))
        low = np.clip((edge - x - drift) / spread, -_REACH, _REACH)[..., None]
        half = 0.5 * (_REACH - low)
        z = low + half * (points + 1.0)
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        gain = gate.success * ahead(x[..., None] + drift + spread * z) - gate.cost_usd
        return np.asarray(discount * (half * weights * density * gain).sum(axis=-1))

    return worth


def _threshold(gate: Gate, ahead: Worth, centre: float, reach: float) -> float:
    """Worth of the product at which a gate is just passed: 0 where it always is, infinite where it never is."""
    def gain(x: float) -> float:
        return float(gate.success * ahead(np.array(x)) - gate.cost_usd)

    low, high = centre - reach, centre + reach
    if gate.cost_usd == 0.0 or gain(low) >= 0.0:
        return 0.0
    return np.inf if gain(high) <= 0.0 else float(np.exp(brentq(gain, low, high, xtol=1e-13)))  # type: ignore[no-untyped-call]


def _committed(value_usd: float, gates: Sequence[Gate], rate: float, carry: float) -> float:
    """Worth today when every gate must be passed."""
    alive, cost = 1.0, 0.0
    for gate in gates:
        cost += alive * gate.cost_usd * float(np.exp(-rate * gate.years))
        alive *= gate.success
    return float(alive * value_usd * np.exp(-carry * gates[-1].years) - cost)


def _check(value_usd: float, gates: Sequence[Gate], rate: float, volatility: float, carry: float) -> None:
    if not gates:
        raise BadValue(Fault("staged programme: gates", "none", "one or more", "give the years and the cost of each gate"))
    steps = np.diff([gate.years for gate in gates]) if len(gates) > 1 else np.array([1.0])
    require(
        "staged programme",
        Bound("value_usd", value_usd, 0, 1e15, "give the worth of the finished product in USD", open_low=True),
        Bound("years to the first gate", gates[0].years, 0, 100, "count years from today"),
        Bound("years between gates", steps, 0, 100, "put the gates in the order of their dates", open_low=True),
        Bound("cost_usd", [gate.cost_usd for gate in gates], 0, 1e15, "give USD, 0 or more"),
        Bound("success", [gate.success for gate in gates], 0, 1, "give a probability"),
        Bound("rate", rate, -1, 10, "give the continuous rate per year", open_low=True),
        Bound("volatility", volatility, 0, 20, "give the standard deviation of a year's log worth, 0 or more"),
        Bound("carry", carry, -10, 10, "give the continuous yield per year"),
    )
