"""Draw a chip programme many times at once: dates, outcome, spins, spend."""

from __future__ import annotations

import numpy as np

from fabless.errors import BadValue, Fault
from fabless.programme.blueprint import CENTURY, EVENTS, Blueprint, TrajectoryArrays, blueprint
from fabless.programme.draws import OUTCOME_OF, DrawnOutcomes, End, RateDraws
from fabless.programme.parameters import ProgrammeModel
from fabless.programme.rates import draw_rates, per_set
from fabless.records import Array
from fabless.sampling import chances, scores, uniforms

SETS = 1024
"""Sets of trajectories, each with its own draw of the rates."""
_OUTCOMES = np.array([OUTCOME_OF[end] for end in End], dtype=np.int8)


def simulate(
    parameters: ProgrammeModel, count: int, rng: np.random.Generator, quarters: int = 32, *,
    sets: int = SETS,
) -> DrawnOutcomes:
    """Draw a programme `count` times over a horizon of `quarters`.

    Rates are drawn once for each of `sets` equal groups of trajectories: from the Beta law of the
    cases behind them, or from their range. Within a group, ranges are drawn jointly (Sobol points)
    and events by independent uniforms. Then::

        start of a stage = last finish of its predecessors;  finish = start + duration (x slip) (/ retention)
        respins = metal respins * delay + full respins * delay;  volume waits for qualification and for software

    Spins: the first is good with probability p1, each later one with p2 (geometric), up to the
    limit. A programme that ends does so at one of its gates, each with its own hazard, or at the
    limit of spins. A stage of no length is paid at its start.

    Raises `BadValue` when `count`, `quarters` or `sets` is below 1, or where the stages make no
    graph.
    """
    small = [
        (name, value)
        for name, value in (("count", count), ("quarters", quarters), ("sets", sets))
        if value < 1
    ]
    if small:
        raise BadValue(
            *(
                Fault(
                    f"simulate, {name}", str(value), "1 or more", f"ask for at least one of {name}"
                )
                for name, value in small
            )
        )
    plan = blueprint(parameters)
    for_rates, for_numbers = rng.spawn(2)
    rates = draw_rates(parameters, plan.stages, sets, for_rates)
    return run_trajectories(plan, rates, *draw_numbers(plan, count, for_numbers), quarters)


def draw_numbers(plan: Blueprint, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw what `count` trajectories take: points (count, columns) and the uniforms of events
    (count, events).

    Slips that differ between stages share a common factor: ``u_k = Phi(sqrt(rho) z + sqrt(1 - rho)
    z_k)``.
    """
    for_points, for_slips, for_events = rng.spawn(3)
    points = uniforms(count, plan.columns, for_points)
    slip_scores = for_slips.standard_normal((count, sum(made.law is None for made in plan.derived)))
    rho, slip = plan.slip_correlation, 0
    made_columns = []
    for made in plan.derived:
        base = points[:, made.column]
        if made.law is None:
            made_columns.append(
                chances(np.sqrt(rho) * scores(base) + np.sqrt(1.0 - rho) * slip_scores[:, slip])
            )
            slip += 1
        else:
            made_columns.append(np.minimum(made.law.quantile(base), CENTURY))
    if made_columns:
        points = np.concatenate([points, np.stack(made_columns, axis=1)], axis=1)
    return points, for_events.random((count, EVENTS))


def run_trajectories(
    plan: Blueprint, rates: RateDraws, points: Array, events: Array, quarters: int
) -> DrawnOutcomes:
    """Run the trajectories of given random numbers, each on its own."""
    from fabless.programme.kernel import (
        trajectories,
    )  # numba loads and compiles slowly: only where a programme is run

    count, names = len(points), [stage.name for stage in plan.stages]
    courses = TrajectoryArrays(
        finish=np.empty((len(names), count)), end=np.empty(count),
        ended=np.empty(count, dtype=np.int8), volume=np.empty(count),
        spins=np.empty(count, dtype=np.int64), performance=np.empty(count),
        scope_cut=np.empty(count, dtype=bool), spend=np.empty((count, quarters)),
        total=np.empty(count), at_risk=np.empty(count), peak=np.empty(count),
        second=np.empty(count), gain=np.empty(count),
    )
    trajectories(plan.layout, points, events, *per_set(rates), courses)
    return DrawnOutcomes(
        stages=tuple(names),
        after=tuple(tuple(names.index(name) for name in stage.after) for stage in plan.stages),
        finish_month=courses.finish,
        end_month=courses.end,
        outcome=_OUTCOMES[courses.ended],
        ended_at=courses.ended,
        volume_month=courses.volume,
        spins=courses.spins,
        spend_usd=courses.total,
        spend_by_quarter_usd=courses.spend,
        capital_at_risk_usd=courses.at_risk,
        peak_cash_usd=courses.peak,
        performance=courses.performance,
        scope_cut=courses.scope_cut,
        second_volume_month=courses.second,
        second_gain=courses.gain,
        rates=rates,
    )
