"""What a backtest says: frozen records that terminal, JSON and page print as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from fabless.backtest.quantities import How
from fabless.backtest.replay.results import Replay
from fabless.records import Source

PROBABILITIES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Probabilities of the quantiles that are kept of a forecast."""
P10, P50, P90 = (PROBABILITIES.index(share) for share in (0.1, 0.5, 0.9))


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Another forecast of a quantity, scored as the case's own is."""

    name: str
    p10: float
    p50: float
    p90: float
    inside_80: float
    crps: float
    pinball: float


@dataclass(frozen=True, kw_only=True)
class ScoredTruth:
    """A truth beside the forecast that it tests; values in its unit."""

    quantity: str
    title: str
    group: str
    date: str
    unit: str
    value: float
    low: float
    high: float
    source: Source
    known: dt.date
    quantiles: tuple[float, ...]
    """Quantiles of the forecast at `PROBABILITIES`."""
    samples: int
    reached: float
    """Share of the paths on which it comes to be, on which alone it is scored."""
    inside_50: float
    """Probability that the truth lies in the band that holds half of the forecast."""
    inside_80: float
    inside_95: float
    pit: float
    """Share of the forecast below the truth."""
    crps: float
    pinball: float
    error: float
    """Median of the forecast less the truth, on logarithms."""
    trend: Rival | None
    """What a log trend of the day gives; None where none is given."""
    no_change: Rival | None
    """What no change since the day gives."""
    weight: float = 1.0
    """How much it counts: less than 1 where another case has the same truth."""

    @property
    def beyond(self) -> float:
        """How many times the truth is above the top of the 80 % band, or below its bottom (then
        below 1); 1 inside."""
        low, high = self.quantiles[P10], self.quantiles[P90]
        if self.value > high:
            return self.value / high if high else float("inf")
        return self.value / low if self.value < low else 1.0


@dataclass(frozen=True, kw_only=True)
class ScoredEvent:
    """Something that happened or did not, beside the chance that the case gave it."""

    quantity: str
    title: str
    group: str
    date: str
    happened: bool
    chance: float
    brier: float
    log_score: float
    source: Source
    known: dt.date
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The case's forecasts beside others of the same truths."""

    truths: float
    own_crps: float
    crps: float
    """Score of the other forecasts."""
    own_pinball: float
    pinball: float
    own_inside_80: float
    inside_80: float

    @property
    def worse(self) -> bool:
        """Whether the case's own forecasts score worse."""
        return self.own_crps > self.crps


@dataclass(frozen=True, kw_only=True)
class GroupScore:
    """Scores over a group of truths, each counted with its weight."""

    group: str
    truths: float
    """Truths, the same market truth of several cases once."""
    inside_50: float
    inside_80: float
    inside_95: float
    crps: float
    pinball: float
    bias: float
    """Median forecast over truth, geometric mean."""
    trend: Beside | None
    no_change: Beside | None


@dataclass(frozen=True, kw_only=True)
class EventScore:
    """Mean scores of events."""

    events: float
    brier: float
    log_score: float


@dataclass(frozen=True, kw_only=True)
class ScoredPublished:
    """What somebody forecast then, beside the truth and the case's own forecast."""

    who: str
    quantity: str
    title: str
    date: str
    unit: str
    low: float
    value: float
    high: float
    published: dt.date
    source: Source
    truth: float
    p10: float
    """First of P10, P50 and P90 of the case's own forecast."""
    p50: float
    p90: float
    error: float
    """Said less came, on logarithms."""
    own_error: float
    crps: float
    """Score of what was said: the absolute error of a figure without a range."""
    own_crps: float
    pinball: float
    own_pinball: float

    @property
    def worse(self) -> bool:
        """Whether the case's own forecast scores worse."""
        return self.own_crps > self.crps


@dataclass(frozen=True, kw_only=True)
class Fan:
    """A forecast by quarter; money in USD of the year of each quarter."""

    quantity: str
    title: str
    group: str
    unit: str
    how: How
    """What it is of a quarter: mean, sum, state at the end, or chance."""
    quarters: tuple[str, ...]
    quantiles: tuple[tuple[float, ...], ...]
    """By quarter, at `PROBABILITIES`; of an event its chance alone."""


@dataclass(frozen=True, kw_only=True)
class ForecastDate:
    """When something was to come, of the paths on which it does."""

    quantity: str
    title: str
    group: str
    quantiles: tuple[float, ...]
    """Months from the day of the case, at `PROBABILITIES`."""
    reached: float
    """Share of the paths on which it comes within the horizon."""


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """A past case scored against what happened."""

    case: str
    title: str
    as_of: str
    price_year: int
    seed: int
    digest: str
    detail: str
    way: str | None
    """Way whose fleet and spend are scored; None where no truth is about them."""
    way_title: str
    recommended: bool
    """Whether that way is the one that the case's answer recommends."""
    paths: int
    """Fresh paths of the way; 0 where none was followed."""
    world_paths: int
    probabilities: tuple[float, ...]
    last_known: str
    """Day by which every truth was known."""
    truths: tuple[ScoredTruth, ...]
    events: tuple[ScoredEvent, ...]
    groups: tuple[GroupScore, ...]
    overall: GroupScore | None
    """All truths together; None where there are events alone."""
    event_score: EventScore | None
    published: tuple[ScoredPublished, ...]
    not_due: tuple[str, ...]
    """Published forecasts of which no truth is known yet: who, of what, for when."""
    fans: tuple[Fan, ...]
    calendar: tuple[ForecastDate, ...]
    """Every date that the case forecasts, whether or not it is known when it came."""
    seconds: float
    replay: Replay | None = None
    """The case on what happened; None where nothing was replayed."""
    not_replayed: str = ""
    """Why nothing was replayed, in a sentence; empty where something was."""


@dataclass(frozen=True, kw_only=True)
class PooledBacktest:
    """Several past cases scored together: a truth of the market that several of them have counts
    once."""

    cases: Mapping[str, Backtest]
    groups: tuple[GroupScore, ...]
    overall: GroupScore | None
    event_score: EventScore | None
    seconds: float
