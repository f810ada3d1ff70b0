"""A small backtest with a replay, written by hand: nothing in it is computed."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

from fabless.backtest import Backtest, PooledBacktest
from fabless.backtest.grouped import event_scores, group_scores, overall_score, weighted
from fabless.backtest.replay.results import (
    Replay,
    ReplayCompany,
    ReplayCost,
    ReplayOrder,
    ReplayPart,
    ReplayPath,
    ReplayWay,
)
from fabless.backtest.results import (
    PROBABILITIES,
    Fan,
    ForecastDate,
    Rival,
    ScoredEvent,
    ScoredPublished,
    ScoredTruth,
)
from fabless.records import Source

PAGE = Source("", "A page", "https://example.org/page", "")
KNOWN = dt.date(2025, 10, 1)
SPREAD = (0.4, 0.5, 0.8, 1.0, 1.2, 2.0, 2.5)
"""Quantiles over the median."""
QUARTERS = tuple(f"{year}Q{number}" for year in (2024, 2025) for number in (1, 2, 3, 4))


def truth(quantity: str, title: str, group: str, date: str, unit: str, value: float, median: float,
          trend: float | None = None) -> ScoredTruth:
    """A truth beside a forecast of that median; what lies within twice of it is inside."""
    inside = float(0.5 <= value / median <= 2.0)
    rival = None if trend is None else Rival(
        name="log trend", p10=0.5 * trend, p50=trend, p90=2.0 * trend, inside_80=1.0,
        crps=abs(math.log(trend / value)), pinball=0.1)
    return ScoredTruth(
        quantity=quantity, title=title, group=group, date=date, unit=unit, value=value,
        low=0.9 * value,
        high=1.1 * value, source=PAGE, known=KNOWN,
        quantiles=tuple(median * size for size in SPREAD),
        samples=100, reached=1.0, inside_50=0.0, inside_80=inside, inside_95=inside,
        pit=float(value > median), crps=abs(math.log(median / value)), pinball=0.1,
        error=math.log(median / value), trend=rival, no_change=None)


def fan(quantity: str, title: str, group: str, unit: str, how: str, median: float) -> Fan:
    """A fan that widens nowhere and grows by a tenth a quarter."""
    columns = [tuple(median * 1.1**k * size for size in SPREAD) for k in range(len(QUARTERS))]
    if how == "chance":
        columns = [(max(1.0 - 0.1 * k, 0.0),) for k in range(len(QUARTERS))]
    return Fan(quantity=quantity, title=title, group=group, unit=unit, how=how,
               # type: ignore[arg-type]
               quarters=QUARTERS, quantiles=tuple(columns))


def cost(usd: float) -> ReplayCost:
    """What somebody's orders come to."""
    return ReplayCost(
        cost_usd=usd, cash_usd=0.6 * usd, unserved_usd=0.4 * usd, to_date_usd=0.3 * usd,
        cash_to_date_usd=0.2 * usd, missing_share=0.1, missing_to_date=0.17, unserved_queries=1e9,
        cash_by_quarter_usd=(0.1 * usd,) * 8, missing_by_quarter=(0.1,) * 8,
        chips_by_line=(("nvidia-owned", (1.0,) * 8),))


def way(name: str, least: float, parts: tuple[float, ...]) -> ReplayWay:
    """A way with these parts of its regret."""
    names = ("first orders", "demand", "price", "supply", "timing", "programmes")
    return ReplayWay(
        name=name, label=name, planned=cost(least + math.fsum(parts)), foreseen=cost(least),
        regret_usd=math.fsum(parts), started=("co-design",) if name == "partner" else (),
        foreseen_started=(),
        parts=tuple(ReplayPart(part=part, usd=usd, how=f"not knowing {part}")
                    for part, usd in zip(names, parts, strict=True)))


def replayed() -> Replay:
    """A replay of two ways and of the company's own orders."""
    order = ReplayOrder(quarter="2024Q1", line="nvidia-owned", title="H100, bought from Nvidia",
                        chips=12_300.0,
                        basis="said in a call",
                        source="The call (https://example.org/call), in May")
    return Replay(
        case="small", title="A small case", realised="what happened to it", as_of="2023-12-31",
        first_quarter="2024Q1", quarters=8, until="2025Q3", price_year=2023,
        ways=(way("buy", 3.1e9, (-0.1e9, 0.4e9, 0.0, 0.1e9, 0.1e9, 0.0)),
              way("partner", 3.0e9, (-0.1e9, 0.5e9, 0.1e9, 0.1e9, 0.1e9, 0.333e9))),
        ranking=(("buy",), ("partner",)),
        company=ReplayCompany(cost=cost(4.44e9), regret_usd=1.44e9, orders=(order,), cut=0.02),
        paths=(ReplayPath(name="queries_per_day", title="Queries a day", unit="query/day",
                          by_quarter=(1e6 / 86_400, 3e6 / 86_400),
                          source="A paper (https://example.org/paper)",
                          note="as printed"),),
        queries_per_day=(1e6,) * 8, training_flop=(0.0,) * 8,
        notes=("Numbers stand at their median.",))


def made() -> Backtest:
    """A backtest with something of every kind."""
    rows = (
        truth("queries_per_day", "Queries a day", "demand", "2024Q3", "query/day", 3.3e6, 3e6, 2e6),
        truth("fleet_h100e", "Fleet, in H100 equivalents", "scale", "2024-12-31", "chip", 45_600.0,
              9_000.0, 40_000.0),
        truth("compute_spend", "Spend on compute", "money", "2024", "B USD", 4.0, 0.8, 1.0),
        truth("rent.h100-sxm", "Rent of H100", "prices", "2025H1", "USD/h", 2.15, 2.2),
        truth("programme.co-design.volume", "Co-designed chip: volume", "programmes", "2025-12",
              "month", 24.0, 30.0))
    events = (ScoredEvent(
        quantity="supply.scarce", title="Supply is scarce", group="supply", date="2025Q1",
        happened=False,
        chance=0.7, brier=0.49, log_score=1.2, source=PAGE, known=KNOWN),)
    published = (ScoredPublished(
        who="A bank", quantity="queries_per_day", title="Queries a day", date="2024Q3",
        unit="query/day", low=3e6,
        value=3.2e6, high=3.5e6, published=dt.date(2023, 8, 1), source=PAGE, truth=3.3e6, p10=1.5e6,
        p50=3e6,
        p90=6e6, error=-0.03, own_error=-0.1, crps=0.03, own_crps=0.095, pinball=0.01,
        own_pinball=0.1),)
    return Backtest(
        case="small", title="A small case", as_of="2023-12-31", price_year=2023, seed=7,
        digest="0123456789ab",
        detail="quick", way="partner", way_title="partner", recommended=True, paths=40,
        world_paths=400,
        probabilities=PROBABILITIES, last_known="2025-10-01", truths=rows, events=events,
        groups=group_scores(rows), overall=overall_score(rows), event_score=event_scores(events),
        published=published, not_due=("A bank: Queries a day, 2027",),
        fans=(fan("queries_per_day", "Queries a day", "demand", "query/day", "mean", 2e6),
              fan("fleet_h100e", "Fleet, in H100 equivalents", "scale", "chip", "end", 5_000.0),
              fan("compute_spend", "Spend on compute", "money", "B USD", "sum", 0.15),
              fan("rent.h100-sxm", "Rent of H100", "prices", "USD/h", "mean", 2.0),
              fan("supply.scarce", "Supply is scarce", "supply", "1", "chance", 1.0)),
        calendar=(ForecastDate(
            quantity="programme.co-design.volume", title="Co-designed chip: volume",
            group="programmes",
            quantiles=tuple(30.0 * size for size in SPREAD), reached=0.59),),
        seconds=1.0, replay=replayed())


def bare() -> Backtest:
    """A backtest of one event, without a replay."""
    return replace(made(), truths=(), groups=(), overall=None, published=(), not_due=(), fans=(),
                   calendar=(),
                   replay=None, not_replayed="Nothing is replayed.", paths=0, way=None,
                   way_title="")


def pooled() -> PooledBacktest:
    """Two cases scored together."""
    cases = {"small": made(), "other": replace(made(), case="other", title="Another case")}
    truths, events = weighted(cases.values())
    return PooledBacktest(cases=cases, groups=group_scores(truths), overall=overall_score(truths),
                          event_score=event_scores(events), seconds=1.0)
