"""What a reader must know of the ways beside their numbers: what a case does not offer, what a way
leaves out, and what carrying a programme through comes to."""

from __future__ import annotations

from collections.abc import Iterator

from fabless import wording
from fabless.case_records import PORTFOLIO
from fabless.decide import Decision, WayResult
from fabless.decide.results import SURE, AsOption


def ways_note(decision: Decision) -> str:
    """One line: ways that the case does not offer, ways that are the same as another, and what a
    way here comes to; empty where there is nothing to say."""
    parts = []
    if decision.not_offered:
        parts.append(f"not in this case: {', '.join(map(decision.way_of, decision.not_offered))}")
    parts += [f"{decision.way_of(way)} is the same as {decision.way_of(other)}"
              for way, other in decision.same_ways]
    parts += [
        f"{way.label} here is {way.described_as}" if way.name == PORTFOLIO
        else f"{way.label} does best {way.described_as.removeprefix(way.label).strip()}"
        for way in decision.strategies if way.described_as]
    return wording.heading("; ".join(parts)) + "." if parts else ""


def programme_words(way: WayResult, decision: Decision) -> str:
    """What the programme of a way does as an option, and what it costs to carry it through; empty
    where the way commits to none.

    Odds of giving it up and what carrying it through costs are those of the fresh scenarios; when
    it is given up, and what is sunk then, are those of the plan.
    """
    view = way.programme
    if view is None:
        return ""
    carried = view.carried_through
    decimals = wording.cent_decimals(
        cost.p50 for cost in (
            *(item.cost_per_query_usd for item in decision.strategies),
            carried.cost_per_query_usd))
    when = carried.volume_quarter
    volume = (f"in volume {when[1]} ({when[0]} to {when[2]}) with probability "
              f"{wording.in_percent(carried.volume_probability)}" if when else "never in volume")
    above = (f"{wording.usd(carried.above_option_usd)} more than as an option"
             if carried.above_option_usd > 0.0 else "no more than as an option")
    return (
        f"{decision.title_of(view.name)}: {_given_up(view.as_option)}; carried through "
        f"{wording.cents(carried.cost_per_query_usd.p50, decimals)} cents a query "
        f"({wording.cents_band(carried.cost_per_query_usd, decimals)}), {above}, {volume}, "
        f"{wording.usd(carried.capital_at_risk_usd.p50)} at risk before it, "
        f"{wording.usd(carried.expected_spend_usd)} expected spend")


def _given_up(option: AsOption) -> str:
    """When and how likely a programme is given up, and what is sunk then."""
    if not option.given_up:
        return "never given up"
    said = " and ".join(_steps(option))
    return f"given up {said}, {wording.usd(option.sunk_usd)} sunk"


def _steps(option: AsOption) -> Iterator[str]:
    for quarter, chance in option.given_up:
        odds = wording.in_percent(1.0 if chance >= SURE else chance)
        yield f"in {quarter} with probability {odds}"


def information_words(decision: Decision) -> str:
    """How far the planner of the recommended way is from perfect information, and what of that no
    planner could save; empty where it was not worked out."""
    gap = next((test.gap for test in decision.fresh if test.way == decision.recommended), None)
    if gap is None:
        return ""
    known = decision.foresight.evpi_usd
    return (
        f"planned again every quarter it costs {wording.usd(gap.mean_usd)} ± "
        f"{wording.usd(2.0 * gap.error_usd)} more than with perfect information on the same "
        f"{gap.paths:,} scenarios; {wording.usd(known)} of that is what information is worth on the "
        f"plan's own tree, where most is learnt at the first branching; a better planner could save "
        f"{wording.usd(max(gap.mean_usd - known, 0.0))} at most")
