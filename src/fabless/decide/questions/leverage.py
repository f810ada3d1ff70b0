"""What a credible alternative wins from the dominant vendor: what its concessions are worth, and
from which concession on each alternative pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.case_records import Case
from fabless.decide.questions.small_plan import plan_on
from fabless.decide.results import Lever, Leverage, ProgrammeValue
from fabless.decide.ways.problem import Plan, World, plan_of, world_with_ranges
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import PlanProblem, PlanResult
from fabless.plan.problem.costs import Decisions, node_costs, path_costs, risk_adjusted
from fabless.plan.problem.service import service
from fabless.plan.solve.held import HeldPlan
from fabless.records import Array, Range
from fabless.sampling import exceeding
from fabless.titles import titles
from fabless.units import QUARTER_S
from fabless.wording import in_percent, significant

PRICES = (0.05, 0.10, 0.20)
ALLOTMENTS = (0.10, 0.25)
"""Concessions that are valued: prices lower, allotments larger by these shares."""
MOST = 0.5
"""Largest concession that is tried as a break-even."""
TRIAL = 0.01
"""Concession at which the plans of two trees are set beside each other."""
CLOSE = 1e-5
"""How near to its cost, as a share of it, a lever's concession is brought."""
TRIES = 12
"""Most plans that are solved for one break-even."""
_PRICED = ("capital_usd", "running_usd", "payment_usd", "resale_usd")
"""Arrays of a problem in which prices enter, all linearly."""


@dataclass(frozen=True, eq=False)
class Concession:
    """A problem whose dominant vendor asks less: prices enter its costs linearly."""

    problem: PlanProblem
    full: dict[str, Array]
    """Change of each array of costs if the vendor asked nothing for what its price covers."""

    def at(self, share: float) -> PlanProblem:
        """The problem with the vendor's prices lower by a share."""
        lower = {name: getattr(self.problem, name) + share * change
                 for name, change in self.full.items()}
        return replace(self.problem, **lower)


def leverage(
    small: World, solved: SolvedWay, world: World, values: Sequence[ProgrammeValue]
) -> Leverage:
    """Value concessions on the recommended way and the alternatives that might win them.

    The plan is made again on the `small` tree at each concession, its gates as decided. What it
    saves there is scaled to `world`, on which the way was solved: by the ratio of what the vendor's
    prices 1 % lower save on each tree with all orders kept; for allotments by that of the
    objectives. `values` are of programmes on `world`.
    """
    case, plan = small.case, plan_on(small, solved)
    lower = concession(small, plan, case.dominant_vendor)
    base = HeldPlan(plan.problem)
    level = solved.result.objective_usd / base.objective_usd
    ratio = _ratio(lower, base, concession(world, solved.plan, case.dominant_vendor), solved.result)
    curve = PriceSavings(lower, base, ratio)
    spread = case.numbers.supply.concession
    levers = [*_programmes(case, solved, values, curve), *_vendors(world, solved, curve)]
    return Leverage(
        vendor=case.dominant_vendor,
        prices=tuple((share, curve.saved(share)) for share in PRICES),
        allotments=tuple((share, level * larger(plan, base, case.dominant_vendor, share))
                         for share in ALLOTMENTS),
        levers=tuple(sorted(levers, key=_ease)),
        concession=None if spread is None else (spread.spread.low, spread.spread.mode,
                                                spread.spread.high),
        leaves=int(plan.problem.tree.leaves.size))


def _ease(lever: Lever) -> float:
    return MOST if lever.break_even is None else lever.break_even


def concession(world: World, plan: Plan, vendor: str) -> Concession:
    """How the costs of a plan move with the prices of a vendor's lines, coming generations
    included; contracts keep their terms, and the fleet in place its rent."""
    lines = world.case.numbers.lines
    numbers = {lines[line.name].price for line in world.case.lines if line.vendor == vendor}
    half = world_with_ranges(world, {
        number.name: _times(number.spread, 0.5) for number in numbers})
    cheaper = plan_of(half, plan.commitment)
    drawn = {id(item.offer) for item in plan.contracts}
    asked = np.array([offer.vendor == vendor and id(offer) not in drawn
                      for offer in plan.offers])[:, None]
    return Concession(plan.problem, {
        name: np.where(asked, 2.0 * (getattr(cheaper.problem, name) - getattr(plan.problem, name)),
                       0.0)
        for name in _PRICED})


class PriceSavings:
    """What concessions on prices save, each plan solved from the last one's basis."""

    def __init__(self, lower: Concession, base: HeldPlan, ratio: float) -> None:
        self._lower, self._base, self._ratio = lower, base, ratio
        self._known = {0.0: 0.0}
        self._last = base

    def saved(self, share: float) -> float:
        """Fall of the objective with the vendor's prices lower by `share`, on the scale of the
        comparison [USD]."""
        if share not in self._known:
            self._last = HeldPlan(self._lower.at(share), self._last)
            saved = self._base.objective_usd - self._last.objective_usd
            self._known[share] = self._ratio * saved
        return self._known[share]

    def break_even(self, cost_usd: float) -> float | None:
        """Share from which what is saved covers a cost; None where `MOST` does not.

        The saving is convex in the share and nearly straight, so that the chord of two known shares
        around the root meets the cost a little before it; the point found becomes the nearer end.
        """
        if cost_usd <= 0.0:
            return 0.0
        if all(self.saved(share) < cost_usd for share in (*PRICES, MOST)):
            return None
        at = MOST
        for _ in range(TRIES):
            above = min(share for share, usd in self._known.items() if usd >= cost_usd)
            below = max(share for share, usd in self._known.items() if usd < cost_usd)
            low, high = self._known[below], self._known[above]
            at = below + (cost_usd - low) / (high - low) * (above - below)
            if abs(self.saved(at) - cost_usd) <= CLOSE * cost_usd:
                break
        return at

    def slope(self, share: float) -> float:
        """What a concession saves up to a share, for each unit of it [USD]."""
        return self.saved(share) / share


def larger(plan: Plan, base: HeldPlan, vendor: str, share: float) -> float:
    """Fall of the objective with the allotments of a vendor's lines larger by a share [USD]; world
    pools stay."""
    lines = {offer.pool.name for offer in plan.offers if offer.vendor == vendor}
    problem = replace(plan.problem, groups=tuple(
        (name, members, limit * (1.0 + share) if name in lines else limit)
        for name, members, limit in plan.problem.groups))
    return base.objective_usd - HeldPlan(problem, base).objective_usd


def _ratio(lower: Concession, base: HeldPlan, theirs: Concession, result: PlanResult) -> float:
    """What prices a little lower save with all orders kept: on the tree of the comparison over that
    on the small one."""
    on_small = _kept_saving(lower, base.decisions())
    on_compared = _kept_saving(theirs, Decisions(
        orders=result.orders, serve=result.serve, unmet=result.unmet, levels=result.levels,
        untaken=result.untaken, retired=result.retired))
    return on_compared / on_small if on_small > 0.0 else 1.0


def _kept_saving(lower: Concession, choice: Decisions) -> float:
    tree, objective = lower.problem.tree, []
    for share in (0.0, TRIAL):
        problem = lower.at(share)
        costs = node_costs(problem, service(problem), choice).total_usd
        paths = path_costs(tree, costs * problem.discount[tree.quarter])
        objective.append(risk_adjusted(problem, paths, tree.probability[tree.leaves])[0])
    return objective[0] - objective[1]


def _programmes(
    case: Case, solved: SolvedWay, values: Sequence[ProgrammeValue], curve: PriceSavings
) -> Iterator[Lever]:
    named = titles(case)
    for value in values:
        title = named[f"programmes.{value.name}"]
        pays = value.name in solved.started or value.value_usd >= 0.0
        yield _lever(case, curve, value.name, title, f"Starting {title} now",
                     cost_usd=0.0 if pays else -value.value_usd, error_usd=value.error_usd)


def _vendors(world: World, solved: SolvedWay, curve: PriceSavings) -> Iterator[Lever]:
    """Second vendors that need a software stack of their own; one of whose chips the plan orders
    some pays already."""
    case, tree = world.case, world.scenarios.tree
    discount = solved.plan.problem.discount[tree.quarter]
    vendors = dict.fromkeys(line.vendor for line in case.lines if line.vendor != case.dominant_vendor)
    for vendor in vendors:
        cost, ports = 0.0, 0
        for line in (line for line in case.lines if line.vendor == vendor):
            port = world.scenarios.values.lines[line.name].port
            if port is not None:
                open_then = tree.quarter >= line.first_quarter - case.first_quarter
                cost += float(tree.probability @ (port * QUARTER_S * discount * open_then))
                ports += 1
        used = any(offer.vendor == vendor and orders.max() >= 1.0
                   for offer, orders in zip(solved.plan.offers, solved.result.orders, strict=True))
        if ports:
            yield _lever(case, curve, vendor, vendor, f"A second software stack for {vendor}",
                         cost_usd=0.0 if used else cost, error_usd=0.0)


def _lever(
    case: Case, curve: PriceSavings, name: str, title: str, what: str, *, cost_usd: float, error_usd: float
) -> Lever:
    share, spread = curve.break_even(cost_usd), case.numbers.supply.concession
    chance = None
    if spread is not None:
        chance = 0.0 if share is None else exceeding(spread.spread, share)
    return Lever(
        name=name, title=title, cost_usd=cost_usd, break_even=share,
        break_even_error=error_usd / curve.slope(share) if share else None,
        pays_probability=chance,
        text=_words(case.dominant_vendor, what, share, chance,
                    None if spread is None else spread.spread))


def _words(
    vendor: str, what: str, share: float | None, chance: float | None, spread: Range | None
) -> str:
    if share == 0.0:
        return f"{what} pays without any concession of {vendor}"
    if share is None:
        first = f"{what} would not pay if {vendor} asked half as much"
    else:
        first = f"{what} pays if it wins {_percent(share)} on {vendor}'s prices"
    if spread is None or chance is None:
        return f"{first}; what it would win was not stated"
    return (f"{first}; a concession of {_percent(spread.low)} to {_percent(spread.high)} was "
            f"assumed, so that it pays with a probability of {in_percent(chance)}")


def _percent(share: float) -> str:
    return f"{significant(100.0 * share, 2).removesuffix('.0')}%"


def _times(spread: Range, factor: float) -> Range:
    return replace(spread, low=spread.low * factor, mode=spread.mode * factor,
                   high=spread.high * factor)
