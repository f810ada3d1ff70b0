"""What a decision says: frozen records that report and web print as they are."""

from __future__ import annotations

from dataclasses import dataclass

from fabless.records import Band, CaseNumber


@dataclass(frozen=True)
class Action:
    """Something to start in the first quarter (or first 90 days)."""

    what: str
    owner: str
    quarter: str
    amount: float | None
    unit: str
    spend_usd: float
    """Money committed by this action, USD of the price year."""
    stop_signal: str
    double_signal: str


@dataclass(frozen=True)
class StrategyResult:
    """One way, solved on the scenarios."""

    name: str
    """buy | diversify | partner | build | acquire | portfolio"""
    title: str
    status: str
    gap: float
    objective_usd: float
    """Present value of expected cost plus the priced risk, unserved demand included at its price: the ranking key."""
    expected_cost_usd: float
    cvar_usd: float
    cost_per_query_usd: Band
    """Levelised cost of a served query over the horizon."""
    cost_per_query_by_year_usd: tuple[tuple[int, Band], ...]
    shortage_probability: float
    """Probability that more than the tolerated share of the compute demanded over the horizon is missing."""
    shortage_share: Band
    """Missing share of the compute demanded over the horizon, queries and training."""
    shortage_by_year: tuple[tuple[int, float, float], ...]
    """Year, probability that more than the tolerated share is missing, expected missing share."""
    meets_service_level: bool
    """Whether the expected missing share over the horizon stays within the tolerated one."""
    own_silicon_quarter: tuple[str, str, str] | None
    """Quarter of own silicon in volume: P10, P50, P90 given that it comes; None where no programme is started."""
    own_silicon_probability: float
    capital_at_risk_usd: Band | None
    """Spent on the programme before own silicon in volume (or before cancellation)."""
    dominant_share_compute: float
    dominant_share_spend: float
    regret_usd: float
    """Objective above that of the best."""
    regret_error_usd: float
    """Standard error of the difference of expected costs between this way and the best, over the draws at the first
    branching: a regret under two of them is a tie."""
    fleet_by_quarter: tuple[tuple[str, str, Band], ...]
    """Quarter, line or programme, chips in operation."""
    cost_by_quarter_usd: tuple[tuple[str, Band], ...]
    """Quarter, cost of that quarter."""
    actions: tuple[Action, ...]
    programmes: tuple[str, ...]
    """Programmes started now under this way."""


@dataclass(frozen=True)
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
    """Expected cost per query of the recommended way at each end."""
    best_low: str
    best_high: str
    """The way that ranks first at each end."""


@dataclass(frozen=True)
class BuildUpLine:
    """One line of the build-up of a query's cost."""

    model: str
    chip: str
    part: str
    usd: float
    how: str
    """The formula with its numbers, for the reader."""
    inputs: tuple[str, ...] = ()
    """Names of the assumptions the line rests on."""


@dataclass(frozen=True)
class ChipCostLine:
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


@dataclass(frozen=True)
class ProgrammeValue:
    """What starting one programme now adds to the best plan without any."""

    name: str
    route: str
    value_usd: float
    """Fall of the objective; negative where the programme costs more than it saves."""
    error_usd: float
    """Standard error of that, as for a regret."""
    pays_probability: float
    """Probability of the scenarios in which the plan with it costs less than the one without."""
    volume_quarter: str
    """Median quarter of volume, given that it comes; empty where it never does."""
    volume_probability: float


@dataclass(frozen=True)
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
    answer: str
    """One sentence."""
    recommended: str
    strategies: tuple[StrategyResult, ...]
    programme_values: tuple[ProgrammeValue, ...]
    """Best first."""
    sensitivities: tuple[Sensitivity, ...]
    """Largest effect first."""
    build_up: tuple[BuildUpLine, ...]
    chip_costs: tuple[ChipCostLine, ...]
    """By programme; the lines of one add up to its unit cost."""
    timeline: tuple[TimelineStage, ...]
    demand_by_quarter: tuple[tuple[str, Band], ...]
    """Quarter, queries a day."""
    assumptions: tuple[CaseNumber, ...]
    warnings: tuple[str, ...]
    seconds: float

    @property
    def best_single(self) -> str:
        """The one of the five ways that ranks first."""
        ways = [item for item in self.strategies if item.name != "portfolio"]
        return min(ways, key=lambda item: item.regret_usd).name

    def table(self) -> list[dict[str, str | float]]:
        """The comparison as rows that a data frame takes: one a way, best first."""
        return [
            {"way": item.name, "cents_p10": 100 * item.cost_per_query_usd.p10,
             "cents_p50": 100 * item.cost_per_query_usd.p50, "cents_p90": 100 * item.cost_per_query_usd.p90,
             "shortage_probability": item.shortage_probability,
             "own_silicon": item.own_silicon_quarter[1] if item.own_silicon_quarter else "",
             "dominant_share": item.dominant_share_compute, "regret_usd": item.regret_usd}
            for item in sorted(self.strategies, key=lambda item: item.regret_usd)
        ]
