"""The answer in a sentence, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.decide.prepare import Prepared
from fabless.decide.results import Band, ProgrammeValue, StrategyResult
from fabless.decide.solved import Solved
from fabless.strategy import PORTFOLIO

DOING = {
    "buy": "Buy more closely from {vendors}",
    "diversify": "Diversify over {vendors}",
    "partner": "Partner for a chip beside {vendors}",
    "build": "Build an own chip beside {vendors}",
    "acquire": "Buy a chip company beside {vendors}",
    PORTFOLIO: "Combine {vendors}",
}


def answer(
    prepared: Prepared, best: Solved, results: Sequence[StrategyResult], programmes: Sequence[ProgrammeValue]
) -> str:
    """One sentence: what to do, what a query then costs, against what, and which chip programme to start or not."""
    case = prepared.case
    mine = next(item for item in results if item.name == best.name)
    vendors = _listed(sorted({line.vendor for line in best.plan.commitment.lines}))
    text = f"{DOING[best.name].format(vendors=vendors)}: {_cents(mine.cost_per_query_usd)}"
    rival = next((item for item in results if item.name == "buy" and best.name != "buy"), None)
    if rival is not None:
        text += f" against {100 * rival.cost_per_query_usd.p50:.2g} buying from {case.dominant_vendor} alone"
    text += _programme_clause(best, programmes)
    worst = max(mine.shortage_by_year, key=lambda item: item[2])
    if worst[2] > case.tolerated_shortage:
        text += f"; compute stays short at first, by {worst[2]:.0%} in {worst[0]} on average"
    return text + "."


def _programme_clause(best: Solved, programmes: Sequence[ProgrammeValue]) -> str:
    started = [item.name for item in best.plan.commitment.programmes]
    if started:
        worth = next((value for value in programmes if value.name in started), None)
        gain = f", worth ${worth.value_usd / 1e9:.1f}B" if worth else ""
        return f"; start {_listed(started)} now{gain}"
    if not programmes:
        return ""
    nearest = programmes[0]
    when = f" and come in volume in {nearest.volume_quarter}" if nearest.volume_quarter else ""
    return (f"; start no chip programme now: the nearest, {nearest.name}, would cost"
            f" ${-nearest.value_usd / 1e9:.1f}B more than it saves{when}")


def _cents(cost: Band) -> str:
    return f"{100 * cost.p50:.2g} cents a query ({100 * cost.p10:.2g} to {100 * cost.p90:.2g})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def warnings_of(prepared: Prepared, best: Solved, results: Sequence[StrategyResult]) -> tuple[str, ...]:
    """What a reader could otherwise miss."""
    found = []
    bad = [item.name for item in results if item.status != "optimal"]
    if bad:
        found.append(f"no optimal plan for {', '.join(bad)}")
    assumed = sum(number.grade.value == "assumption" for number in prepared.case.numbers.values())
    found.append(f"{assumed} of {len(prepared.case.numbers)} inputs are assumptions; costs are in-sample, over the "
                 f"{best.plan.problem.tree.leaves.size} scenarios the plans were made on")
    return tuple(found)


