"""What a case forecasts of its chip programmes: dates of those that get there, and the chance of
it."""

from __future__ import annotations

import numpy as np

from fabless.backtest.quantities import Quantity
from fabless.case_records import Case, Programme
from fabless.decide.ways.prepare import programme_model_of
from fabless.programme import OutcomeKind, simulate
from fabless.programme.draws import DrawnOutcomes
from fabless.records import Array
from fabless.sampling import stream
from fabless.units import MONTH_S

DRAWS = 4_000
"""Simulated courses of a programme."""


def programme_draws(case: Case, programme: Programme) -> DrawnOutcomes:
    """Simulate a programme of a case, its counts filled in, begun on the day of the case."""
    model = programme_model_of(programme, case.numbers.programmes[programme.name])
    return simulate(model, DRAWS, stream(case.seed, f"backtest programme {programme.name}"),
                    quarters=case.quarters)


def programme_series(draws: DrawnOutcomes, programme: Programme, quantity: Quantity) -> Array:
    """A date of a programme (draws,) in seconds from the day of the case, NaN where it is never
    reached; or whether something happens, 0 or 1, NaN where it cannot be said."""
    step = quantity.name.rpartition(".")[2]
    if step == "reaches_volume":
        return np.asarray(draws.outcome == OutcomeKind.VOLUME, dtype=float)
    if step == "trains":
        kept = ~draws.scope_cut & programme.trains
        return np.where(draws.outcome == OutcomeKind.VOLUME, kept.astype(float), np.nan)
    months = {"tape_out": draws.tapeout_month, "first_silicon": draws.first_silicon_month,
              "volume": draws.volume_month}[step]
    return np.asarray(months * MONTH_S)
