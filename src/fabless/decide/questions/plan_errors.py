"""What the luck of the tree adds to the error of a way that commits to a programme.

The paired error over fresh paths is that of the plans that were made. Measured over seeds it holds
the mean of the other seeds where no programme is committed to; but whether a programme is carried on
or given up hangs on the few scenarios of the tree, and where two ways then differ by a sunk sum the
paths say nothing of it. So the forms that the way might take under another tree (each programme that it
may commit to carried through, or that of this tree given up), all tried on the same fresh paths,
are set beside what it is under this one: with D the largest distance and p the share of trees that
carry a programme on, the standard deviation is sqrt(p (1 - p)) D. p is (k + 1/2) / (n + 1) for k of
n trees, after Jeffreys: the tree planned on, and those of other seeds where they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.case_records import Case
from fabless.decide.fresh.judge import Judged
from fabless.decide.fresh.on_paths import WayOnPaths, risk_adjusted_by_path
from fabless.decide.results import Stability
from fabless.decide.ways.solved import SolvedWay
from fabless.strategy import every_way


def plan_errors(
    case: Case, judged: Judged, solved: Sequence[SolvedWay], stability: Stability | None
) -> dict[str, float]:
    """Standard deviation of each way's total over what other trees would decide on its programme
    [USD]; ways without one are left out."""
    seeds = 0 if stability is None else len(stability.seeds)
    others = {} if stability is None else dict(stability.carried_on)
    may_commit = {way.name: [item.name for item in way.commits] for way in every_way(case)}
    errors = {}
    for way in solved:
        if not way.plan.commitment.programmes:
            continue
        started, = way.plan.commitment.programmes
        sunk = sum(project.sunk_usd or 0.0 for project in way.plan.projects
                   if project.programme == started.name)
        forms = [_total(case, judged.carried[name]) for name in may_commit[way.name]
                 if name in judged.carried]
        if started.name in judged.without:
            forms.append(_total(case, judged.without[started.name]) + sunk)
        own = float(judged.total_usd[way.name].mean())
        share = share_of(others.get(way.name, 0) + int(way.policy.go.any()), seeds + 1)
        errors[way.name] = float(np.sqrt(share * (1.0 - share))
                                 * max((abs(form - own) for form in forms), default=0.0))
    return errors


def _total(case: Case, paths: WayOnPaths) -> float:
    return float(risk_adjusted_by_path(case, paths.cost_usd).mean())


def share_of(successes: int, trials: int) -> float:
    """Share behind a count, by the middle of Jeffreys' prior: never 0 or 1.

    >>> share_of(0, 1), share_of(3, 9)
    (0.25, 0.35)
    """
    return (successes + 0.5) / (trials + 1.0)
