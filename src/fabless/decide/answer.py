"""The answer in a sentence, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.decide.fresh_results import FreshTest
from fabless.decide.prepare import Prepared
from fabless.decide.results import ProgrammeValue, StrategyResult
from fabless.decide.solved import Solved, share_of
from fabless.records import Band, Grade

CLOSE = 0.005
"""Share of the objective below which a difference is called close, whatever its standard error."""
LEAST_VENDOR = 0.02
"""Share of compute from which a vendor is named."""


def answer(
    prepared: Prepared, best: Solved, results: Sequence[StrategyResult], programmes: Sequence[ProgrammeValue]
) -> str:
    """One sentence: what to do, what a query then costs, against what, and which chip programme to start or not."""
    case = prepared.case
    mine = next(item for item in results if item.name == best.name)
    years = [item for item in mine.cost_per_query_by_year_usd if item[0] > case.first_quarter.year]
    soon = f"{_two(years[0][1].p50)} cents a query in {years[0][0]}, " if years else ""
    text = f"{_doing(best)}: {soon}{_cents(mine.cost_per_query_usd)} over {case.quarters} quarters"
    rival = next((item for item in results if item.name == "buy" and best.name != "buy"), None)
    if rival is not None:
        text += f", against {_two(rival.cost_per_query_usd.p50)} buying from {case.dominant_vendor} alone"
    text += _programme_clause(best, programmes)
    worst = max(mine.shortage_by_year, key=lambda item: item[2])
    if worst[2] > case.tolerated_shortage:
        text += f"; compute stays short at first, by {worst[2]:.0%} in {worst[0]} on average"
    return text + "."


def _doing(best: Solved) -> str:
    """Name the vendors that matter, the largest first."""
    share: dict[str, float] = {}
    for line in best.plan.commitment.lines:
        share[line.vendor] = share.get(line.vendor, 0.0) + share_of(best, line.name)
    first, *others = sorted(share, key=lambda vendor: -share[vendor])
    others = [vendor for vendor in others if share[vendor] >= LEAST_VENDOR]
    return f"Buy from {first}" + (f" and add {_listed(others)}" if others else "")


def _programme_clause(best: Solved, programmes: Sequence[ProgrammeValue]) -> str:
    started = [item.name for item in best.plan.commitment.programmes]
    if started:
        worth = next((value for value in programmes if value.name in started), None)
        gain = f", worth {_money(worth.value_usd)}{_call(worth, best)}" if worth else ""
        return f"; start {_listed(started)} now{gain}"
    if not programmes:
        return ""
    nearest = programmes[0]
    when = f" and come in volume in {nearest.volume_quarter}" if nearest.volume_quarter else ""
    return (f"; start no chip programme now: the nearest, {nearest.name}, would cost"
            f" {_money(-nearest.value_usd)} more than it saves{_call(nearest, best)}{when}")


def _call(value: ProgrammeValue, best: Solved) -> str:
    """Say so where a programme's value is small against everything at stake."""
    small = max(2.0 * value.error_usd, CLOSE * best.result.objective_usd)
    return " (a close call)" if abs(value.value_usd) < small else ""


def _money(usd: float) -> str:
    return f"{usd / 1e9:.1f} billion USD" if usd >= 5e8 else f"{usd / 1e6:.0f} million USD"


def _two(usd: float) -> str:
    """Cents with two digits that count."""
    return f"{100.0 * usd:#.2g}".rstrip(".")


def _cents(cost: Band) -> str:
    return f"{_two(cost.p50)} cents ({_two(cost.p10)} to {_two(cost.p90)})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def warnings_of(prepared: Prepared, best: Solved, fresh: Sequence[FreshTest]) -> tuple[str, ...]:
    """What every reader must bear in mind: how much is assumed, and how far the plan's own sample flattered it."""
    numbers = prepared.case.numbers
    assumed = sum(number.grade is Grade.ASSUMPTION for number in numbers.values())
    mine = next(item for item in fresh if item.way == best.name)
    cost = mine.expected_cost_usd
    return (f"{assumed} of {len(numbers)} inputs are assumptions",
            f"on {mine.paths:,} fresh paths the recommended policy costs {_money(cost.fresh)} in the mean (standard error "
            f"{_money(cost.error)}), on the {best.plan.problem.tree.leaves.size} scenarios of its plan {_money(cost.in_sample)}")
