"""The rates of a programme, drawn once for a set of trajectories, and what they make of its end in
closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fabless.programme.draws import End, RateDraws
from fabless.programme.parameters import ProgrammeModel, Rate
from fabless.programme.posterior import PseudoCounts, beta_quantile
from fabless.programme.route import RESPINS
from fabless.programme.stages import Gate, Stage, before
from fabless.records import Array, Range
from fabless.sampling import quantile, uniforms

NEVER = PseudoCounts(0.0, 1.0)
_COLUMNS = 12
"""Rates that a programme can have: one more or less leaves the points of the others as they
were."""
_SMALLEST = 1e-300
"""Keeps the reciprocal of ln(1 - rate) finite at a rate of 0."""


def rates_of(parameters: ProgrammeModel, stages: tuple[Stage, ...]) -> dict[str, Rate]:
    """Every rate of a programme by name; the hazard of a gate that is passed already is 0."""
    carried = {stage.gate for stage in stages}
    rates: dict[str, Rate] = {"bid_failed": parameters.bid_failed}
    rates |= {gate_name(gate): counts if gate in carried else NEVER
              for gate, counts in zip(Gate, parameters.hazards, strict=True)}
    rates |= {name: getattr(parameters, name)
              for name in ("first_silicon_good", "respin_good", "metal_respin_share", "scope_cut")}
    if parameters.price_path is not None:
        rates["distressed"] = parameters.price_path.distressed
    if parameters.second is not None:
        rates["second_ended"] = parameters.second.ended
    return rates


def gate_name(gate: Gate) -> str:
    """Name of the hazard of a gate among the rates."""
    return f"gate {gate.name.lower()}"


def rate_quantile(rate: Rate, probability: ArrayLike) -> Array:
    """Quantile of a rate at `probability` (any shape): of its Beta law, or of its range."""
    if isinstance(rate, Range):
        return quantile(rate, np.asarray(probability, dtype=float))
    return beta_quantile(rate, probability)


def draw_rates(
    parameters: ProgrammeModel, stages: tuple[Stage, ...], sets: int, rng: np.random.Generator
) -> RateDraws:
    """Draw the rates `sets` times, jointly (Sobol points), independent of each other.

    The end follows from them: with b the failure of the bid, h the hazards, S the product of 1 - h
    up to a gate, and
    ``e = (1 - p1) (1 - p2)^(limit - 1)`` the probability that no spin works::

        P(end at gate g) = (1 - b) S(g - 1) h(g), times 1 - e after the respins;  P(spins) = (1 - b) S(first silicon) e
    """
    rates = rates_of(parameters, stages)
    points = uniforms(sets, _COLUMNS, rng)
    values = {name: rate_quantile(rate, points[:, k]) for k, (name, rate) in enumerate(rates.items())}
    cases = {name: rate.cases if isinstance(rate, PseudoCounts) else None for name, rate in rates.items()}
    if parameters.gates is None:
        cases |= {gate_name(gate): parameters.ended.cases for gate in Gate if rates[gate_name(gate)] is not NEVER}
    limit = 0 if has_good_silicon(parameters, stages) else parameters.spin_limit
    return RateDraws(values, cases, _ends(values, limit))


def has_good_silicon(parameters: ProgrammeModel, stages: tuple[Stage, ...]) -> bool:
    """Whether the chip stands beyond its respins, so that no spin is left to fail."""
    return bool(parameters.stands_at) and RESPINS in before(stages, parameters.stands_at)


def _ends(values: dict[str, Array], spin_limit: int) -> dict[End, Array]:
    hazards = [values[gate_name(gate)] for gate in Gate]
    first, later = values["first_silicon_good"], values["respin_good"]
    no_spin = np.zeros(first.shape) if spin_limit == 0 else (1.0 - first) * (1.0 - later) ** (spin_limit - 1)
    left = np.ones(first.shape)
    ends: dict[End, Array] = {}
    chances = (values["bid_failed"], *hazards[:3], no_spin, *hazards[3:])
    for end, chance in zip(End, chances, strict=False):
        ends[end] = left * chance
        left = left * (1.0 - chance)
    return ends | {End.NONE: left}


def per_set(rates: RateDraws) -> tuple[Array, Array]:
    """What the trajectories of each set need of its rates: (sets, 7) as the kernel reads them, and
    (sets, gates).

    The second holds the probability that a programme whose bid closed has ended by each gate, spins
    left out.
    """
    values = rates.values
    none = np.zeros(values["bid_failed"].shape)
    with np.errstate(divide="ignore"):
        inverse_log_miss = 1.0 / np.log1p(-np.maximum(values["respin_good"], _SMALLEST))
    columns = (
        values["bid_failed"], values["first_silicon_good"], inverse_log_miss,
        values["metal_respin_share"], values["scope_cut"], values.get("distressed", none),
        values.get("second_ended", none),
    )
    passed = np.cumprod([1.0 - values[gate_name(gate)] for gate in Gate], axis=0)
    return np.stack(columns, axis=1), np.ascontiguousarray((1.0 - passed).T)
