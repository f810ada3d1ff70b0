"""The answer in a sentence, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.decide.prepare import Prepared
from fabless.decide.results import StrategyResult
from fabless.decide.solved import Solved
from fabless.strategy import PORTFOLIO

VERBS = {
    "buy": "work more closely with the dominant vendor",
    "diversify": "diversify beyond the dominant vendor",
    "partner": "take a partner's chip",
    "build": "start an own chip",
    "acquire": "buy a chip company",
    PORTFOLIO: "combine several ways",
}


def answer(prepared: Prepared, best: Solved, results: Sequence[StrategyResult]) -> str:
    """One sentence: what to do, what a query then costs, against what, and whether to start an own chip."""
    mine = next(item for item in results if item.name == best.name)
    rivals = [item for item in results if item.name not in (best.name, PORTFOLIO)]
    second = min(rivals, key=lambda item: item.objective_usd)
    parts = [f"{VERBS[best.name][0].upper()}{VERBS[best.name][1:]}"]
    if best.name == PORTFOLIO:
        parts[0] += f" ({_opened(best)})"
    cost = mine.cost_per_query_usd
    parts.append(f" at {100 * cost.p50:.2g} cents a query ({100 * cost.p10:.2g} to {100 * cost.p90:.2g})")
    parts.append(f", {_share(second.regret_usd / max(mine.objective_usd, 1e-9))} below {_gerund(second.name)}")
    if not any(item.route != "partner" for item in best.plan.commitment.programmes):
        own = [item for item in results if item.name in ("partner", "build", "acquire")]
        if own:
            nearest = min(own, key=lambda item: item.objective_usd)
            parts.append(f"; do not start an own chip now: it would cost {nearest.regret_usd / 1e9:.1f} B USD more than it"
                         f" saves and come in {nearest.own_silicon_quarter[1]} at the median"
                         if nearest.own_silicon_quarter else "; do not start an own chip now")
    if mine.shortage_probability > 0.5:
        worst = max(mine.shortage_by_year, key=lambda item: item[2])
        parts.append(f"; compute stays short at first, worst in {worst[0]}")
    return "".join(parts) + "."


def _opened(best: Solved) -> str:
    vendors = sorted({line.vendor for line in best.plan.commitment.lines})
    programmes = [item.name for item in best.plan.commitment.programmes]
    return " + ".join([*vendors, *programmes])


def _gerund(way: str) -> str:
    return {"buy": "buying closer from one vendor", "diversify": "diversifying", "partner": "partnering",
            "build": "building", "acquire": "acquiring"}[way]


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.01 else "under 1 %"


def warnings_of(prepared: Prepared, best: Solved, results: Sequence[StrategyResult]) -> tuple[str, ...]:
    """What a reader could otherwise miss."""
    found = []
    bad = [item.name for item in results if item.status != "optimal"]
    if bad:
        found.append(f"no optimal plan for {', '.join(bad)}")
    found += [f"{name} is short of compute in every scenario's worst year by {item.shortage_share.mean:.0%} on average"
              for item in results if item.name == best.name and item.shortage_probability > 0.9 for name in (item.name,)]
    assumed = sum(number.grade.value == "assumption" for number in prepared.case.numbers.values())
    found.append(f"{assumed} of {len(prepared.case.numbers)} inputs are assumptions; costs are in-sample, over the "
                 f"{best.plan.problem.tree.leaves.size} scenarios the plans were made on")
    return tuple(found)


