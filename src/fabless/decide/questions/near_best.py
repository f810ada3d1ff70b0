"""Which orders the answer forces, and which it leaves free: least and most of each line among plans
that cost little more than the best."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.results import NearBest, ProgrammeValue
from fabless.decide.ways.problem import Plan
from fabless.plan.problem.service import Index
from fabless.plan.solve.held import HeldPlan, NearOptimal
from fabless.records import Array
from fabless.titles import offer_titles
from fabless.wording import heading

WITHIN = 0.02
"""How much more a near-best plan may cost, as a share of the objective."""
FIRST = 4
"""Quarters of the first window; the second is the horizon."""
LEAST = 1.0
"""Chips under which nothing is ordered, as in the list of actions."""


def near_best(case: Case, plan: Plan) -> tuple[NearBest, ...]:
    """Least and most of each line and contract among plans within `WITHIN` of the best one; its
    gates stay as they are.

    Each end is the plan's own programme with one row more, objective <= (1 + `WITHIN`) optimum, and
    another goal: the expected amount ordered (of a contract: signed) over the first year or over
    the horizon.
    """
    held = HeldPlan(plan.problem)
    if not np.isfinite(held.objective_usd):
        return ()
    near = NearOptimal(held, held.objective_usd + WITHIN * abs(held.objective_usd))
    return tuple(_range(case, plan, held, near, name=name, unit=unit, index=index, quarters=last)
                 for name, unit, index in _chosen(plan, held)
                 for last in (min(FIRST, case.quarters), case.quarters))


def near_best_starts(
    case: Case, values: Sequence[ProgrammeValue], started: Collection[str], objective_usd: float
) -> tuple[NearBest, ...]:
    """Whether each programme may be started, or left, at no more than `WITHIN` of the objective, by
    what it is worth when started now and carried through."""
    named, slack = offer_titles(case), WITHIN * abs(objective_usd)
    return tuple(
        NearBest(
            line=value.name, title=heading(named.get(value.name, value.name)),
            window=str(case.first_quarter), unit="start", least=least, chosen=float(on), most=most,
            kind=_kind(least, most, 0.0))
        for value in values
        for on in (value.name in started,)
        for least in (float(on and value.value_usd > slack),)
        for most in (float(on or -value.value_usd <= slack),))


def _chosen(plan: Plan, held: HeldPlan) -> Iterator[tuple[str, str, Index]]:
    """Name, unit and columns (.., node-quarters) of everything that is ordered or signed."""
    orders, levels = held.program.columns["orders"].index, held.program.columns["level"].index
    drawn = {id(item.offer) for item in plan.contracts}
    lines: dict[str, list[int]] = {}
    for place, offer in enumerate(plan.offers):
        if place and id(offer) not in drawn:
            lines.setdefault(offer.pool.line, []).append(place)
    yield from ((name, "chip", orders[rows]) for name, rows in lines.items())
    yield from ((item.offer.name, "chip a quarter", levels[c][None])
                for c, item in enumerate(plan.contracts))


def _range(
    case: Case, plan: Plan, held: HeldPlan, near: NearOptimal, *, name: str, unit: str,
    index: Index, quarters: int,
) -> NearBest:
    columns, weight = _expected(plan, index, quarters)
    chosen = float(held.value[columns] @ weight)
    least, most = near.extremes(columns, weight) if columns.size else (0.0, 0.0)
    return NearBest(
        line=name, title=heading(offer_titles(case).get(name, name)),
        window=f"{case.first_quarter} to {case.first_quarter + (quarters - 1)}", unit=unit,
        least=max(0.0, min(least, chosen)), chosen=chosen, most=max(most, chosen),
        kind=_kind(least, most, LEAST))


def _expected(plan: Plan, index: Index, quarters: int) -> tuple[Index, Array]:
    """Columns decided in the first quarters, with the probability of each."""
    tree = plan.problem.tree
    there: NDArray[np.bool_] = (index >= 0) & (tree.quarter < quarters)
    return index[there], np.broadcast_to(tree.probability, index.shape)[there]


def _kind(least: float, most: float, nothing: float) -> str:
    return "shut" if most <= nothing else "forced" if least > nothing else "free"
