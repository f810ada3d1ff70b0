"""Chips that the recommended way sells before their life ends, and what the right is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabless.case_records import Case
from fabless.decide.results import Resale
from fabless.decide.ways.paths import calendar
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import newly_retired, solve


def resale(case: Case, solved: SolvedWay) -> Resale | None:
    """Chips sold, their income and the value of the right; None where chips may not be sold.

    The value is that of the plan made anew without the right, its gates as decided.
    """
    problem, result = solved.plan.problem, solved.result
    if not problem.retire.any():
        return None
    kept = solve(replace(problem, retire=np.array(False), resale_usd=np.array(0.0)))
    weight = problem.tree.probability
    earned = (problem.resale_usd * result.retired).sum(axis=0)
    return Resale(
        sold_by_year=_sold_by_year(case, solved),
        income_usd=float(earned @ (weight * problem.discount[problem.tree.quarter])),
        worth_usd=kept.objective_usd - result.objective_usd,
    )


def _sold_by_year(case: Case, solved: SolvedWay) -> tuple[tuple[int, str, float], ...]:
    problem = solved.plan.problem
    sold = newly_retired(problem, solved.result.orders, solved.result.retired)
    by_quarter = np.stack([
        sold[:, problem.tree.quarter == q] @ problem.tree.probability[problem.tree.quarter == q]
        for q in range(case.quarters)], axis=1)
    lines = np.array([offer.pool.line for offer in solved.plan.offers])
    rows = [(year, str(line), float(by_quarter[lines == line, quarters].sum()))
            for year, quarters in calendar(case) for line in dict.fromkeys(lines)]
    return tuple(row for row in rows if row[2] >= 1.0)
