"""What a decision says: frozen records that report and web print as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fabless.case_records import CaseNumber
from fabless.decide.accounts.results import Against, Money
from fabless.decide.fresh.futures import Futures
from fabless.decide.fresh.results import FreshTest
from fabless.plan import ProjectPlan
from fabless.records import Band

SURE = 0.995
"""Probability from which something counts as certain."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A number that is known by a day, and on which side of it an action ends or doubles."""

    measure: Literal["need", "rent", "throughput", "performance"]
    below: bool
    """Whether it says so below the number; else from the number on."""
    at: float
    unit: str
    by: str
    """Day by which it is known, as a date."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something to do in the first 90 days."""

    what: str
    owner: str
    """Role that answers for it."""
    quarter: str
    start: str
    """First day on which it can be done, as a date."""
    due: str
    """Last day on which it must be, as a date."""
    amount: float | None
    unit: str
    spend_usd: float
    """Money committed by this action, USD of the price year."""
    stop_signal: str
    """What ends it before its money is committed, in words."""
    double_signal: str
    """What asks for as much again, in words."""
    about: str = ""
    """Key of the line, contract or programme that it concerns."""
    kind: str = ""
    """order | draw | signing | start | port"""
    delay_cost_usd: float | None = None
    """Rise of the objective if it can be taken a quarter later at the earliest; 0 where that cannot
    be told from nothing, None where it was not asked."""
    delay_error_usd: float | None = None
    """Standard error of the rise, over the draws at the first branching."""
    stop: Signal | None = None
    """The number and day of `stop_signal`."""
    double: Signal | None = None
    """The number and day of `double_signal`."""


@dataclass(frozen=True, kw_only=True)
class CarriedThrough:
    """A programme started now and carried through every gate, on the fresh paths."""

    total_usd: float
    """Cash, unserved demand and risk, as for a way."""
    cost_per_query_usd: Band
    volume_quarter: tuple[str, str, str] | None
    """Quarter of its chips in volume: P10, P50, P90 given that they come; None where they never
    do."""
    volume_probability: float
    capital_at_risk_usd: Band
    """Spent on the programme before volume, or before it ends."""
    expected_spend_usd: float
    """Spend on the programme over the horizon, not discounted."""
    above_option_usd: float
    """Total above that with the right to give it up: what carrying it through costs more."""
    above_option_error_usd: float
    """Standard error of that, path by path."""


@dataclass(frozen=True, kw_only=True)
class AsOption:
    """A programme started now and given up where it does not pay."""

    give_up_probability: float
    """Chance that it is given up by choice."""
    given_up: tuple[tuple[str, float], ...]
    """Quarter in which it is given up, and the chance of that."""
    sunk_usd: float
    """Mean spend on it in the scenarios in which it is given up, not discounted; 0 where it never
    is."""
    expected_spend_usd: float
    """Spend on it over all scenarios, not discounted."""


@dataclass(frozen=True, kw_only=True)
class ProgrammeView:
    """The programme that a way commits to, in both of its forms."""

    name: str
    carried_through: CarriedThrough
    as_option: AsOption

    @property
    def is_given_up(self) -> bool:
        """Whether the best plan of the way carries it through in no scenario."""
        return self.as_option.give_up_probability >= SURE


@dataclass(frozen=True, kw_only=True)
class WayResult(Money):
    """One way: what it comes to on the fresh paths, planned again every quarter, and the plan on
    the tree that it starts from."""

    name: str
    """buy | diversify | partner | build | acquire | portfolio, or a way of the case's own"""
    title: str
    label: str
    """What people call it in a table."""
    described_as: str
    """What it comes to, where that is not plain: `diversify without Google`, or for the portfolio
    the way that it is; else empty."""
    same_as: str
    """Way that the portfolio is, by its key; empty for all others and where it is none."""
    lines: tuple[str, ...]
    """Lines that it opens."""
    status: str
    gap: float
    """Relative distance between the plan's objective and `lower_bound_usd`, on the tree."""
    lower_bound_usd: float
    """No plan of this way on the tree costs less, whatever its programmes' gates."""
    objective_usd: float
    """Objective of the plan on the tree: present value of expected cost plus the priced risk, unserved demand
    included at its price."""
    expected_cost_usd: float
    """Expected cost of the plan on the tree, as `cvar_usd` is its tail; all below is of the fresh
    paths."""
    cvar_usd: float
    cost_per_query_usd: Band
    """Levelised cost of a served query over the horizon."""
    cost_per_query_by_year_usd: tuple[tuple[int, Band], ...]
    shortage_probability: float
    """Probability that more than the tolerated share of the compute demanded over the horizon is
    missing."""
    shortage_share: Band
    """Missing share of the compute demanded over the horizon, queries and training."""
    shortage_by_year: tuple[tuple[int, float, float], ...]
    """Year, probability that more than the tolerated share is missing, expected missing share."""
    meets_service_level: bool
    """Whether the expected missing share over the horizon stays within the tolerated one."""
    own_silicon_quarter: tuple[str, str, str] | None
    """Quarter of own silicon in volume: P10, P50, P90 given that it comes; None where no programme
    is started, or it is given up for certain."""
    own_silicon_probability: float
    """That it comes in volume at all, giving it up by choice included."""
    capital_at_risk_usd: Band | None
    """Spent on the programme before own silicon in volume (or before cancellation); None as for
    `own_silicon_quarter`."""
    dominant_share_compute: float
    """Dominant vendor's expected share of the compute used; below, of what is spent and of the
    chips in operation."""
    dominant_share_spend: float
    dominant_share_units: float
    regret_usd: float
    """Total above that of the recommended way: negative where it is cheaper by less than can be
    told."""
    regret_error_usd: float
    """Standard error of that, path by path: a regret under two of them is a tie."""
    against: Against
    """This way against the recommended one; the recommended one against buying, or against the
    next best where buying is recommended or not in the case."""
    fleet_by_quarter: tuple[tuple[str, str, Band], ...]
    """Quarter, line or programme, chips in operation."""
    cost_by_quarter_usd: tuple[tuple[str, Band], ...]
    """Quarter, what is paid in that quarter."""
    actions: tuple[Action, ...]
    programmes: tuple[str, ...]
    """Programmes started now under this way."""
    gates: tuple[ProjectPlan, ...]
    """What is decided at each branching about each programme that may go on or start."""
    programme: ProgrammeView | None
    """The programme that the way commits to, carried through and as an option."""


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One input moved to its low and its high end, all else as it was."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    """Ends of the input, in `unit`."""
    cost_low_usd: float
    cost_high_usd: float
    """Cost per query of the recommended way in the middle future, at each end."""
    best_usual: str | None
    """Way that ranks first on the small tree on which the input is moved, before it is moved; None,
    as for the two ends, where that was not asked: it is of inputs that tell ways apart."""
    best_low: str | None
    best_high: str | None
    """Way that ranks first there at each end: the input changes it where this is not the usual."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """An input that tells two ways apart, and its value at which the cheaper one changes."""

    way: str
    other: str
    name: str
    label: str
    unit: str
    low: float
    high: float
    """Ends of the input's range, in `unit`."""
    value: float | None
    """Where the expected difference is zero, in `unit`; None where no value is found at which it
    is."""
    between: tuple[float, float] | None
    """Two standard errors of the regression to either side of that; None where the value is that of
    the small tree, or there is none."""
    inside: bool
    """Whether the value lies within the input's range."""
    cheaper_below: str
    cheaper_above: str
    """Way that is cheaper under the value, and over it."""
    effect_usd: float
    """Rise of the expected difference, first less second, from the low to the high end."""
    chance: float
    """Probability of so strong an effect on the fresh paths by luck, if there were none."""
    checked: str
    """confirmed: both ways solved again on a small tree turn the same way within the range | tree:
    only they do, and the value is theirs | not confirmed: they do not | not checked"""
    tree_value: float | None
    """Where the difference on the small tree is zero; None where it is not, or was not asked."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Turns:
    """What must be true for the other of two ways to be cheaper."""

    way: str
    other: str
    tried: int
    """Inputs whose effect on the difference was tried."""
    telling: tuple[Turn, ...]
    """Those with an effect beyond chance, strongest first: of them at most a tenth is expected to
    be there by luck."""
    text: str
    """What is found, in one sentence."""

    @property
    def turning(self) -> tuple[Turn, ...]:
        """Inputs that change within their range which way is cheaper, as far as was checked."""
        return tuple(item for item in self.telling
                     if item.inside and item.checked != "not confirmed")


@dataclass(frozen=True, kw_only=True)
class BuildUpRow:
    """One line of the build-up of a query's cost."""

    model: str
    """Key of the load."""
    offer: str
    """Key of the line or programme; ``existing`` for the fleet in place."""
    chip: str
    title: str
    """Load and chip, for people."""
    part: str
    usd: float
    how: str
    """The formula with its numbers, for the reader."""
    inputs: tuple[str, ...] = ()
    """Names of the assumptions the line rests on."""


@dataclass(frozen=True, kw_only=True)
class QueryCost:
    """A query of one load on one chip of the case, chosen or not, on the first day's terms."""

    load: str
    offer: str
    """Key of the line or programme; ``existing`` for the fleet in place."""
    title: str
    """The chip, and bought or rented from whom, for people."""
    usd: float | None
    """At the modes, an own chip as if it were in volume on the first day; the sum of the build-up.
    None where the chip does not serve the load within its limits."""
    compute_share: float
    """Share of all compute, queries and training, that the recommended way serves with it on the
    fresh paths."""
    why: str
    """How much it is used, or why not, for people."""


@dataclass(frozen=True)
class ChipCostRow:
    """One line of what a programme's chip costs to make, at the modes."""

    programme: str
    part: str
    usd: float


@dataclass(frozen=True)
class TimelineStage:
    """One stage of an own-chip programme: start and end [months from the case's start]."""

    programme: str
    stage: str
    start: Band
    end: Band


@dataclass(frozen=True, kw_only=True)
class ProgrammeValue:
    """What one programme, started now and carried through, adds on the lines of the way that
    commits to it, on the fresh paths."""

    name: str
    route: str
    value_usd: float
    """Fall of the total; negative where the programme costs more than it saves."""
    error_usd: float
    """Standard error of that, path by path."""
    pays_probability: float
    """Share of the paths on which the way costs less with it, unserved demand included."""
    volume_quarter: str
    """Median quarter of volume, given that it comes; empty where it never does."""
    volume_probability: float


@dataclass(frozen=True)
class RegretRow:
    """How far one way falls behind the best in each kind of future."""

    way: str
    mean_usd: tuple[tuple[str, float], ...]
    """Group of scenarios, mean discounted cost above that of the way that is cheapest in the
    group."""
    worst_usd: float
    """Largest regret in any single scenario."""


@dataclass(frozen=True)
class OptionValue:
    """What an option of the recommended way is worth."""

    name: str
    """A line or programme; `everything`: all of them at once."""
    removed_usd: float | None
    """Rise of the objective without it; None for `everything`."""
    delayed_usd: float
    """Rise of the objective when it opens a year later: the price of waiting."""


@dataclass(frozen=True)
class KnowledgeValue:
    """Expected value of perfect information on one unknown."""

    name: str
    label: str
    value_usd: float
    """Fall of the objective if the unknown were told before the first orders; an upper estimate."""


@dataclass(frozen=True)
class Foresight:
    """The best plan between perfect information and a plan for the mean: wait and see <= plan <=
    mean-value plan."""

    wait_and_see_usd: float
    objective_usd: float
    mean_value_usd: float
    """Objective when the first orders are those of the plan for the mean path."""

    @property
    def evpi_usd(self) -> float:
        """Expected value of perfect information on everything."""
        return self.objective_usd - self.wait_and_see_usd

    @property
    def vss_usd(self) -> float:
        """Value of the stochastic solution: what planning for the spread saves over planning for
        the mean."""
        return self.mean_value_usd - self.objective_usd


@dataclass(frozen=True, kw_only=True)
class Resale:
    """Bought chips that the recommended way sells before the end of their life, on the scenarios on
    which it was planned."""

    sold_by_year: tuple[tuple[int, str, float], ...]
    """Year, line, expected chips sold in that year; nothing where less than one chip of a line
    is."""
    income_usd: float
    """Expected present value of what the sales bring within the horizon."""
    worth_usd: float
    """Rise of the objective if every chip were kept to the end of its life, the gates of programmes
    as decided: the value of the right to sell."""


@dataclass(frozen=True, kw_only=True)
class Resilience:
    """One way when the dominant vendor is gone for a while, unforeseen."""

    way: str
    quarter: str
    """First quarter without the vendor."""
    quarters: int
    cost_usd: float
    """Rise of the objective."""
    missing_before: float
    missing_after: float
    """Expected missing share of compute in the year from that quarter, without and with the
    strike."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Value of one programme, started now and carried through, over volume x relative performance x
    slip."""

    programme: str
    volumes: tuple[float, ...]
    """Chips to be had over those of the case."""
    performances: tuple[float, ...]
    """Performance of its chip over that of the dominant vendor's part current at its median quarter
    of volume."""
    slips: tuple[float, ...]
    """Actual over planned time."""
    value_usd: tuple[tuple[tuple[float, ...], ...], ...]
    """Shape (volumes, performances, slips); negative where the programme does not pay."""
    planned: float
    """The planned performance on the same scale."""


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A value of one input at which starting a programme now begins or ceases to pay."""

    programme: str
    name: str
    label: str
    unit: str
    value: float
    pays_above: bool
    text: str
    """Condition in plain words."""


@dataclass(frozen=True, kw_only=True)
class SobolIndex:
    """Share of the variance of the logarithm of a query's cost that an input brings in."""

    name: str
    label: str
    first: float
    """By itself."""
    first_error: float
    """Half width of the 95 % interval."""
    total: float
    """Together with all others."""
    total_error: float


@dataclass(frozen=True, kw_only=True)
class TreeDifference:
    """One way against the recommended one over trees drawn independently."""

    way: str
    difference_usd: float
    """Mean of its objective less that of the recommended way."""
    error_usd: float
    """Standard error of that, tree by tree."""

    @property
    def is_tie(self) -> bool:
        """Whether the two cannot be told apart."""
        return abs(self.difference_usd) <= 2.0 * self.error_usd


@dataclass(frozen=True, kw_only=True)
class FirstOrder:
    """A first order or signing of the recommended way beside what other draws order there."""

    about: str
    quarter: str
    kind: str
    """order | draw | signing"""
    title: str
    amount: float
    """Chips in the plan."""
    seeds: int
    """Other draws that take at least one chip of it in that quarter."""
    of: int
    low: float
    high: float
    """Least and most of it over those draws; 0 where none takes any."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Stability:
    """The comparison drawn again with other seeds, on a smaller tree."""

    seeds: tuple[int, ...]
    leaves: int
    rankings: tuple[tuple[str, ...], ...]
    """Ways by seed, best first, those within half a percent of each other in one place."""
    cost_per_query_usd: Band
    """Median cost per query of the recommended way, over the seeds."""
    differences: tuple[TreeDifference, ...] = ()
    """Every way but the recommended one."""
    carried_on: tuple[tuple[str, int], ...] = ()
    """Way that commits to a programme, and the number of seeds in which its plan carries it on."""
    first_orders: tuple[FirstOrder, ...] = ()
    """In the order of the recommended way's actions."""

    @property
    def common(self) -> tuple[str, ...]:
        """The commonest ranking."""
        return max(self.rankings, key=self.rankings.count)

    @property
    def agreement(self) -> float:
        """Share of the seeds with the commonest ranking."""
        return self.rankings.count(self.common) / len(self.rankings)


@dataclass(frozen=True, kw_only=True)
class ShadowPrice:
    """What one more unit of a limit in one quarter (of power: from it on) is worth to the
    recommended way, in that quarter's money (not discounted), given that the quarter comes."""

    limit: str
    """Key of the line, programme, contract or pool; ``power`` or ``cash``."""
    title: str
    quarter: str
    unit: str
    """chip | MW | USD | chip a quarter"""
    value_usd: float
    """Fall of the objective for one unit more on every scenario; 0 where the plan leaves some."""
    low_usd: float
    """P10 of that over the scenarios of the quarter, and P90."""
    high_usd: float
    loss_usd: float
    """Rise of the objective for one unit less, never under `value_usd`; inf where that leaves no
    plan."""
    binds_probability: float
    """Probability of the scenarios on which the plan uses all of the limit in that quarter (of
    power: in any from it on)."""
    text: str


@dataclass(frozen=True, kw_only=True)
class NearBest:
    """How much of one line, contract or programme a plan may take that costs little more than the
    best."""

    line: str
    """Key of the line, contract or programme."""
    title: str
    window: str
    """Quarters over which it is counted."""
    unit: str
    """chip | chip a quarter | start"""
    least: float
    """Expected amount ordered (signed, started) over the window: least among the near-best plans,
    that of the plan, most."""
    chosen: float
    most: float
    kind: str
    """forced: every near-best plan takes some | free: some take none | shut: none takes any"""


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A credible alternative to the dominant vendor, and the concession from which it pays."""

    name: str
    """Key of the programme; or the second vendor."""
    title: str
    cost_usd: float
    """What it loses by itself: a programme started now and carried through, or the second software
    stack of a vendor of which the plan orders nothing; 0 where it pays by itself."""
    break_even: float | None
    """Share of the dominant vendor's prices, from the first quarter on, that pays for it; None where
    half of them would not."""
    break_even_error: float | None
    """Standard error of that, by the error of the cost alone."""
    pays_probability: float | None
    """Probability that the concession of the case is at least as large; None where the case states
    none."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Leverage:
    """What concessions of the dominant vendor are worth, and what it takes to win them."""

    vendor: str
    prices: tuple[tuple[float, float], ...]
    """Share by which its prices are lower, fall of the objective."""
    allotments: tuple[tuple[float, float], ...]
    """Share by which its allotments are larger, fall of the objective."""
    levers: tuple[Lever, ...]
    """Smallest break-even first."""
    concession: tuple[float, float, float] | None
    """Low, mode and high of the concession that the case assumes a credible alternative to win."""
    leaves: int
    """Scenarios of the small tree on which the plan was made again; what it saves there is scaled to
    the scenarios of the comparison."""


@dataclass(frozen=True, kw_only=True)
class LargePlan:
    """The recommended way on a large tree."""

    leaves: int
    status: str
    gap: float
    objective_usd: float
    lower_bound_usd: float
    expected_cost_usd: float
    cvar_usd: float
    cost_per_query_usd: Band
    actions: tuple[Action, ...]


@dataclass(frozen=True, kw_only=True)
class WayLevels:
    """What one way comes to at each of some values of inputs; all tuples are of one length.

    Differences are those of the small tree, levels those of the fresh paths.
    """

    way: str
    cash_usd: tuple[float, ...]
    unserved_usd: tuple[float, ...]
    risk_usd: tuple[float, ...]
    """Cash, unserved demand and risk add up to the total by which ways are ranked."""
    cost_per_query_usd: tuple[float, ...]
    """Median cost of a query."""
    missing_share: tuple[float, ...]
    """Expected missing share of the compute demanded over the horizon."""


@dataclass(frozen=True, kw_only=True)
class MovedInput:
    """One input moved over its range, every way planned anew at each value."""

    name: str
    label: str
    unit: str
    value: float
    """As it stands in the case, in `unit`, like all values."""
    values: tuple[float, ...]
    """Values planned for, rising: those of the ends, between them, and the one of the case."""
    is_log: bool
    """Whether the values are spaced, and read between, by their logarithm."""
    levels: tuple[WayLevels, ...]


@dataclass(frozen=True, kw_only=True)
class MovedPair:
    """Two inputs moved together."""

    names: tuple[str, str]
    values: tuple[tuple[float, ...], tuple[float, ...]]
    """Values of the first and of the second input, in their units."""
    levels: tuple[WayLevels, ...]
    """Row by row: all values of the second input at the first value of the first, and so on."""


@dataclass(frozen=True, kw_only=True)
class AnswersCheck:
    """Answers read between the values, beside plans made for exactly these values."""

    points: int
    median_error: float
    """Median relative error of the recommended way's cost of a query."""
    worst_error: float
    winners_right: int
    """Points at which the same way comes first."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A table of answers: what every way comes to when one input or two are moved."""

    leaves: int
    """Scenarios on which the plans were made."""
    inputs: tuple[MovedInput, ...]
    """Largest effect on the cost of a query first."""
    pairs: tuple[MovedPair, ...]
    check: AnswersCheck


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What the answer was asked; every part is None where the level of detail does not ask it, and
    empty where it was asked and nothing was found."""

    sensitivities: tuple[Sensitivity, ...] | None = None
    """Inputs that move the cost of a query most, largest effect first, then those that tell the
    recommended way from its nearest rivals."""
    turns: tuple[Turns, ...] | None = None
    """Every way against the recommended one."""
    options: tuple[OptionValue, ...] | None = None
    knowledge: tuple[KnowledgeValue, ...] | None = None
    """Most valuable first."""
    resilience: tuple[Resilience, ...] | None = None
    surfaces: tuple[Surface, ...] | None = None
    flips: tuple[Flip, ...] | None = None
    sobol: tuple[SobolIndex, ...] | None = None
    """Largest total index first."""
    stability: Stability | None = None
    answers: Answers | None = None


@dataclass(frozen=True, kw_only=True)
class TwoWays:
    """One way of a case against another."""

    case: str
    title: str
    as_of: str
    detail: str
    seed: int
    leaves: int
    """Scenarios on which both were planned."""
    paths: int
    """Fresh paths on which both were tried."""
    price_year: int
    way_titles: Mapping[str, str]
    """What people call each way, by its key."""
    cheaper: str
    """Way with the smaller total; it need not lead by more than the error."""
    against: Against
    """The first way named less the second."""
    turns: Turns | None
    """What must be true for the dearer one to be cheaper; None where the level of detail does not
    ask."""
    futures: Futures
    """Both ways in every fresh path; the shown futures are those of the cheaper one."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer to a case."""

    case: str
    title: str
    as_of: str
    first_quarter: str
    quarters: int
    price_year: int
    seed: int
    digest: str
    case_digest: str
    """Digest of the case alone, whatever the detail and the catalogue: links carry it."""
    dominant_vendor: str
    versions: Mapping[str, str]
    """Versions of the program and its numeric libraries: equal digests and versions give equal
    numbers."""
    detail: str
    """quick | standard | deep"""
    leaves: int
    """Scenarios on which the plans were made."""
    answer: str
    """One sentence."""
    recommended: str
    titles: Mapping[str, str]
    """What people call each offer of the plan and each programme, by its key."""
    load_titles: Mapping[str, str]
    """What people call each load, by its key."""
    way_titles: Mapping[str, str]
    """What people call each way, by its key."""
    not_offered: tuple[str, ...]
    """Standard ways that the case has nothing for."""
    same_ways: tuple[tuple[str, str], ...]
    """Ways that allow exactly what another one does, each with that other, which stands for
    both."""
    strategies: tuple[WayResult, ...]
    programme_values: tuple[ProgrammeValue, ...]
    """Best first."""
    regrets: tuple[RegretRow, ...]
    pairs: tuple[Against, ...]
    """Every way against every other, each pair once, the cheaper one second."""
    foresight: Foresight
    resale: Resale | None
    """None where the case does not state `owning.resale`."""
    fresh: tuple[FreshTest, ...]
    """Every way on fresh paths, in the order of `strategies`."""
    large: LargePlan | None
    """The recommended way on a large tree, where one was asked for."""
    futures: Futures
    """Every fresh path as a future that a reader can point at."""
    questions: Questions
    build_up: tuple[BuildUpRow, ...]
    """On every chip of the case that serves a load."""
    query_costs: tuple[QueryCost, ...]
    """By load, the cheapest chip first."""
    chip_costs: tuple[ChipCostRow, ...]
    """By programme; the lines of one add up to its unit cost."""
    timeline: tuple[TimelineStage, ...]
    demand_by_quarter: tuple[tuple[str, Band], ...]
    """Quarter, queries a day."""
    assumptions: tuple[CaseNumber, ...]
    warnings: tuple[str, ...]
    seconds: float
    shadow_prices: tuple[ShadowPrice, ...] | None = None
    """By limit and quarter; None where the level of detail does not ask, as for the next two."""
    near_best: tuple[NearBest, ...] | None = None
    leverage: Leverage | None = None

    def way_of(self, key: str) -> str:
        """What people call a way, by its key; ways that share a place stay joined by ``=``."""
        return " = ".join(self.way_titles.get(part, part) for part in key.split(" = "))

    def title_of(self, key: str) -> str:
        """What people call a line, programme or contract; its key where it has no other name."""
        return self.titles.get(key, key)

    def table(self) -> list[dict[str, str | float]]:
        """The comparison as rows that a data frame takes: one a way, best first; money at present
        value, each error a standard error."""
        return [
            {"way": item.label, "cents_p10": 100 * item.cost_per_query_usd.p10,
             "cents_p50": 100 * item.cost_per_query_usd.p50,
             "cents_p90": 100 * item.cost_per_query_usd.p90, "cash_usd": item.cash_usd,
             "unserved_usd": item.unserved_usd, "risk_usd": item.risk_usd,
             "total_usd": item.total_usd, "regret_usd": item.regret_usd,
             "regret_error_usd": item.regret_error_usd,
             "shortage_probability": item.shortage_probability,
             "own_silicon": item.own_silicon_quarter[1] if item.own_silicon_quarter else "",
             "dominant_share": item.dominant_share_compute}
            for item in sorted(self.strategies, key=lambda item: item.regret_usd)
        ]


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """What a few fresh paths say while the rest is worked out."""

    answer: str
    recommended: str
    strategies: tuple[WayResult, ...]
    paths: int
