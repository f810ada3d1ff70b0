"""The answer in a sentence, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case, named
from fabless.decide.detail import Detail
from fabless.decide.fresh.results import FreshTest
from fabless.decide.results import Leverage, ProgrammeValue, WayResult
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Grade
from fabless.strategy import way_labels
from fabless.titles import offer_titles
from fabless.units import Quarter
from fabless.wording import cent_decimals, cents, in_percent, listed, usd

CLOSE = 0.005
"""Share of the objective below which a difference is called small, whatever its standard error."""
LEAST_VENDOR = 0.02
"""Share of compute from which a vendor is named."""
LEAST_START = 0.005
"""Probability from which a later start of a programme is named."""
TOLD_APART = 0.75
"""Smallest probability that a random scenario with a start has more demand than one without,
for the text to say "high demand"."""
FLATTERED = 0.01
"""Share of a cost by which fresh paths must exceed the plan's own scenarios before a warning says
so."""
UNCHECKED = ("the first orders are those of one draw of the scenarios: at this level of detail "
             "they are not checked against other draws")
"""Warning where no other seeds are tried."""
UNPROVEN = 0.005
"""Gap above which a warning says that a better plan may exist."""


@dataclass(frozen=True)
class LateStart:
    """A programme that the plan starts at a later branching, and in which scenarios."""

    programme: str
    quarter: Quarter
    probability: float
    demand: str
    """high | low, where the scenarios in which it starts differ from the others by demand; empty
    where not."""


def answer(
    prepared: Prepared, best: SolvedWay, results: Sequence[WayResult],
    programmes: Sequence[ProgrammeValue], leverage: Leverage | None = None,
) -> str:
    """One sentence: what to do, what decides that, what a query then costs, and which chip
    programme to start or not, with the concession of the dominant vendor from which one would pay
    (`leverage`, where it was asked).

    All of it is of the fresh paths.
    """
    case = prepared.case
    result = next(item for item in results if item.name == best.name)
    decimals = cent_decimals(item.cost_per_query_usd.p50 for item in results)
    cost = result.cost_per_query_usd
    low, median, high = (cents(value, decimals) for value in (cost.p10, cost.p50, cost.p90))
    doing = _doing(best) + (f" ({result.described_as})" if result.described_as else "")
    text = (
        f"{doing}: {_decided(case, result, results)}; a query costs {median} cents over "
        f"{case.quarters} quarters ({low} to {high} in eight of ten scenarios)"
    )
    text += _programme_clause(result, best, programmes, case=case, leverage=leverage)
    year, missing = max(
        ((year, share) for year, _, share in result.shortage_by_year), key=lambda item: item[1])
    if missing > case.tolerated_shortage:
        text += f"; compute falls short most in {year}, by {in_percent(missing)} on average"
    return text + "."


_DECIDES = {"cash": "cash", "unserved": "demand that would go unserved", "risk": "risk"}


def _decided(case: Case, result: WayResult, results: Sequence[WayResult]) -> str:
    """What sets the recommended way apart from the one it is set against, and in which quantity."""
    against = result.against
    if against.other == result.name:
        return f"it costs {usd(result.total_usd)} in all, and the case offers no other way"
    label = next(item.label for item in results if item.name == against.other)
    other = (f"buying from {case.dominant_vendor} alone" if against.other == "buy"
             else f"the way {label}")
    if against.is_tie:
        return (f"it costs {usd(result.total_usd)} in all and cannot be told from {other} "
                f"({usd(abs(against.difference_usd))} {_side(against.difference_usd)}, "
                f"± {usd(2.0 * against.error_usd)})")
    return (f"it costs {usd(abs(against.difference_usd))} {_side(against.difference_usd)} in all than "
            f"{other} (± {usd(2.0 * against.error_usd)}), mostly in {_DECIDES[against.decides]}")


def _side(difference_usd: float) -> str:
    return "less" if difference_usd < 0 else "more"


def _doing(best: SolvedWay) -> str:
    """Name the vendors that matter, the largest share of compute first; a line's contracts count
    with its vendor."""
    own_chips = {k for project in best.plan.projects for k in project.offers}
    used = best.paths.compute.sum(axis=2) @ best.paths.probability
    compute_of: dict[str, float] = {}
    for k, (offer, compute) in enumerate(zip(best.plan.offers, used, strict=True)):
        if k and k not in own_chips:  # the first is the fleet in place
            compute_of[offer.vendor] = compute_of.get(offer.vendor, 0.0) + float(compute / max(used.sum(), 1e-30))
    if not compute_of:
        return "Keep to the fleet in place"
    first, *others = sorted(compute_of, key=lambda vendor: -compute_of[vendor])
    others = [vendor for vendor in others if compute_of[vendor] >= LEAST_VENDOR]
    return f"Buy from {first}" + (f" and add {listed(others)}" if others else "")


def _programme_clause(
    result: WayResult, best: SolvedWay, programmes: Sequence[ProgrammeValue], *, case: Case,
    leverage: Leverage | None,
) -> str:
    """What to do about chip programmes: started now, left open for a later start, both, or none."""
    now, later, known = best.started, tuple(late_starts(best, case)), offer_titles(case)
    worth = {value.name: value for value in programmes}
    nearest = programmes[0] if programmes else None
    clauses = []
    if now:
        clauses.append(f"start {listed([known[name] + _worth(worth.get(name), result) for name in now])} now")
    elif nearest and not later:
        when = f" and would ship in volume from {nearest.volume_quarter}" if nearest.volume_quarter else ""
        sure = nearest.value_usd < 0.0 or nearest.value_usd > 2.0 * nearest.error_usd
        clauses.append(
            "start no chip programme now: "
            + ("" if sure else "none can be told to pay, and ")
            + f"the best of them, {known[nearest.name]}, would "
            f"{_outcome(nearest, result)}{when}{_unless(nearest, leverage)}"
        )
    if later:
        clauses.append(("" if now else "start no chip programme now, but ") + _open(later, known))
        first = worth.get(later[0].programme)
        if first and not now and len({item.programme for item in later}) == 1:
            clauses.append(f"started today and carried through it would {_outcome(first, result)}")
    return "".join(f"; {clause}" for clause in clauses)


def _unless(value: ProgrammeValue, leverage: Leverage | None) -> str:
    """The concession that turns a programme which does not pay by itself; empty where it pays, or
    none would."""
    if leverage is None or value.value_usd >= 0.0:
        return ""
    levers = {lever.name: lever.break_even for lever in leverage.levers}
    turn = levers.get(value.name)
    return "" if turn is None else f", unless it wins {100.0 * turn:.2g}% off {leverage.vendor}'s prices"


def late_starts(best: SolvedWay, case: Case) -> Iterator[LateStart]:
    """Later starts of the plan in the order of time, each with its odds and the demand in which it
    comes."""
    tree = best.plan.problem.tree
    for project, go in sorted(
        zip(best.plan.projects, best.policy.go, strict=True), key=lambda pair: pair[0].start
    ):
        if project.start == 0:
            continue
        quarter = case.boundaries[project.start - 1]
        nodes = np.flatnonzero(tree.quarter == quarter)
        starts = go[nodes] & ~go[tree.parent[nodes]]
        odds = float(tree.probability[nodes][starts].sum())
        if odds >= LEAST_START:
            yield LateStart(
                project.programme, case.first_quarter + quarter, odds,
                _demand(best.policy.need[nodes], starts),
            )


def _demand(need: NDArray[np.float64], starts: NDArray[np.bool_]) -> str:
    """Say whether demand is high or low where a programme starts: by the odds of a pair, one from
    either side."""
    if starts.all():
        return ""
    above = float((need[starts][:, None] > need[~starts]).mean())
    return "high" if above >= TOLD_APART else "low" if above <= 1.0 - TOLD_APART else ""


def _open(later: Sequence[LateStart], known: Mapping[str, str]) -> str:
    """Name the programmes to keep open, and when each is started."""
    starts: dict[str, list[str]] = {}
    for item in later:
        starts.setdefault(known[item.programme], []).append(_when(item))
    if len(starts) == 1:
        (name, when), = starts.items()
        return f"keep {name} open: start it {listed(when)}"
    return f"keep open {listed([f'{name} (to start {listed(when)})' for name, when in starts.items()])}"


def _when(item: LateStart) -> str:
    odds = "" if item.probability > 1.0 - LEAST_START else f" in {in_percent(item.probability)} of scenarios"
    kind = f", those of {item.demand} demand" if item.demand else ""
    return f"in {item.quarter}{odds}{kind}"


def _worth(value: ProgrammeValue | None, result: WayResult) -> str:
    """What a programme that is started now is worth carried through, in brackets; empty where that
    was not asked."""
    if value is None:
        return ""
    close = "".join(f", {words}" for words in _closeness(value, result))
    if value.value_usd >= 0:
        return f" (worth {usd(value.value_usd)} if carried through{close})"
    return (f" (for the right to give it up: carried through it would cost {usd(-value.value_usd)} "
            f"more than it saves{close})")


def _outcome(value: ProgrammeValue, result: WayResult) -> str:
    amount = usd(abs(value.value_usd))
    said = f"save {amount}" if value.value_usd >= 0 else f"cost {amount} more than it saves"
    return said + "".join(f" ({words})" for words in _closeness(value, result))


def _closeness(value: ProgrammeValue, result: WayResult) -> Iterator[str]:
    """Say that a programme's value is within two standard errors, or little against everything at
    stake."""
    if abs(value.value_usd) < 2.0 * value.error_usd:
        yield "within the error"
    elif abs(value.value_usd) < CLOSE * result.total_usd:
        yield f"under {CLOSE:.1%} of all costs"


def warnings_of(
    prepared: Prepared, best: SolvedWay, fresh: Sequence[FreshTest], detail: Detail
) -> tuple[str, ...]:
    """What every reader must bear in mind.

    How much is assumed; where fresh paths cost clearly more than the plan's own scenarios; where
    the plan is not proven to be the best; where its first orders were not checked.
    """
    numbers = named(prepared.case.numbers)
    assumed = sum(number.grade is Grade.ASSUMPTION for number in numbers.values())
    said = [f"{assumed} of {len(numbers)} inputs are assumptions"]
    cost = next(item for item in fresh if item.way == best.name).expected_cost_usd
    if cost.difference > max(2.0 * cost.error, FLATTERED * cost.in_sample):
        more = in_percent(cost.difference / cost.in_sample)
        said.append(f"fresh scenarios cost {more} more than those that the plan was made on")
    if best.gap > UNPROVEN:
        said.append(f"the plan of the way {way_labels(prepared.case)[best.name]} is not proven to be the best: "
                    f"a better one could save up to {best.gap:.1%}")
    if not detail.seeds:
        said.append(UNCHECKED)
    return tuple(said)
