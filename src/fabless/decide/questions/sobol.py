"""Sobol indices: how much of the spread of a query's cost each input brings in, alone and with all others.

The plan's policy is run on fresh paths at the points of SALib's design (Saltelli); all else that a path draws is the
same at every point of the design, so that it adds nothing to the differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from fabless.case_records import named
from fabless.decide.fresh.run import rule_costs
from fabless.decide.questions.sensitivity import label_of
from fabless.decide.results import SobolIndex
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import Solved
from fabless.records import Array
from fabless.sampling import quantile

LEAST_COST = 1e-9
"""Floor of a cost before its logarithm is taken [USD]."""


def sobol_indices(
    prepared: Prepared, solved: Solved, names: Sequence[str], base: int, executor: Executor
) -> tuple[SobolIndex, ...]:
    """First-order and total Sobol indices of the logarithm of a query's cost, the largest total first.

    `base` is the number of base points, a power of two; the policy is run on ``base (d + 2)`` paths for d inputs. On the
    logarithm, because the cost has a heavy tail on which variances break.
    """
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as design

    if len(names) < 2:
        return ()
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    points = design.sample(problem, base, calc_second_order=False, seed=prepared.case.seed)
    block = len(names) + 2
    cost = np.empty(points.shape[0])
    for place in range(block):
        values = _values(prepared, names, points[place::block])
        run = rule_costs(prepared, solved, paths=base, seed=prepared.case.seed, values=values, executor=executor)
        cost[place::block] = run.query_cost_usd
    found = analysis.analyze(  # type: ignore[no-untyped-call]
        problem, np.log(np.maximum(cost, LEAST_COST)), calc_second_order=False, seed=prepared.case.seed)
    rows = [SobolIndex(name=name, label=label_of(name), first=float(found["S1"][k]), first_error=float(found["S1_conf"][k]),
                       total=float(found["ST"][k]), total_error=float(found["ST_conf"][k]))
            for k, name in enumerate(names)]
    return tuple(sorted(rows, key=lambda row: -row.total))


def _values(prepared: Prepared, names: Sequence[str], points: Array) -> dict[str, Array]:
    numbers = named(prepared.case.numbers)
    return {name: quantile(numbers[name].spread, points[:, k]) for k, name in enumerate(names)}
