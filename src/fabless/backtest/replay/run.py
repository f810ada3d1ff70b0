"""The whole replay: what happened laid out, every way planned along it, perfect foresight, the
company's own orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from fabless.backtest.quantities import quantities_of
from fabless.backtest.replay.along import Watch, along, followed_way
from fabless.backtest.replay.company import company_on
from fabless.backtest.replay.foresight import Foreseen, foreseen_best, foreseen_under, on_every_copy
from fabless.backtest.replay.levels import held_steps, interpolated
from fabless.backtest.replay.past import Past, past_of
from fabless.backtest.replay.results import (
    Replay,
    ReplayCompany,
    ReplayCost,
    ReplayOrder,
    ReplayPart,
    ReplayPath,
    ReplayWay,
)
from fabless.backtest.replay.seen import COALITIONS, FACTORS, told
from fabless.backtest.replay.shares import shapley
from fabless.case_records import Case
from fabless.catalogue.files.realised import CompanyOrder, Realised, RealisedPath
from fabless.decide.detail import Detail
from fabless.decide.fresh.judge import margin_of
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.fresh.planned import Tried, tried
from fabless.decide.ways.choice import Choice
from fabless.decide.ways.prepare import Prepared
from fabless.records import Array
from fabless.scenario.draws import queries_per_day
from fabless.strategy import Way
from fabless.titles import titles
from fabless.wording import heading

PATHS = (*COALITIONS, frozenset())
"""What each path is told: every set of factors with a look-ahead from the first quarter, and
nothing, with the first quarter as the plan on the tree has it."""
PLANNED = len(COALITIONS)
"""The path of a way as its planner goes it."""
STEPPED = ("supply.scarce", "lead_time.")
"""Quantities that stay as they were last said to be."""
ALIKE = 1e-3
"""Share of a cost within which two ways share a place."""
HOW: Mapping[str, str] = {
    "first orders": "the first quarter as the plan on the tree orders it, beside the look-ahead",
    "demand": "not knowing queries, their work, and training",
    "price": "not knowing prices and rents",
    "supply": "not knowing allotments and when supply is scarce",
    "timing": "not knowing lead times, coming generations and programmes",
    "programmes": "lines opened and programmes begun beside the best in hindsight",
}
_TITLES: Mapping[str, str] = {
    "work": "Work of a query, over that of the day",
    "chip_seconds_per_query": "Time of a chip in place for a query",
}
NOTES = (
    "Numbers of which nothing is known stand at their median; after the last quarter known the path "
    "goes on as the case then expects.",
    "What the company got was on offer to every way: no limit is tighter than its orders.",
    "Perfect foresight carries one programme through at most, or those of the planner.",
    "A way can come to more than one that it contains: its planner chose before the path was known.",
)


@dataclass(frozen=True, eq=False)
class _WayAhead:
    watch: Watch
    way: Way
    tried: Tried


@dataclass(frozen=True, eq=False)
class _WayDone:
    paths: WayOnPaths
    foreseen: Foreseen
    """With the lines and programmes of the planner."""
    best: Foreseen


def replay(
    prepared: Prepared, choice: Choice, detail: Detail, realised: Realised,
    orders: Sequence[CompanyOrder] = (), *, executor: Executor | None = None,
    margin: Array | None = None, tick: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Replay a case on what happened after its day.

    Parameters: `choice`, the ways of the case as `fabless.decide.ways.choice.choose` has solved
    them, whose first orders and programmes are tried; `realised` and the company's `orders`, from
    `fabless.catalogue.files.realised`; `margin`, that of `margin_of`, measured here where it is not
    given; `tick`, called with a line of text as the work goes on. The same arguments give the same
    replay, whatever the `executor`.
    """
    tick("what happened, laid out by quarter")
    orders = tuple(order for order in orders if order.quarter <= realised.until)
    past = past_of(prepared, realised, orders, len(PATHS))
    watch = Watch(
        past=past, known=told(PATHS), orders=orders, branches=detail.branches,
        margin=margin_of(prepared, prepared.case.seed) if margin is None else margin)
    allowed = {way.name: way for way in choice.offered.ways}
    jobs = [_WayAhead(watch, allowed[way.name], tried(way)) for way in choice.ways]
    tick(f"{len(jobs)} ways planned along it, with and without knowledge of the future")
    done = list(map(_done, jobs) if executor is None else executor.map(_done, jobs))
    best = _with_narrower(jobs, [item.best for item in done])
    ways = tuple(
        _way(job, item, least, solved.started)
        for job, item, least, solved in zip(jobs, done, best, choice.ways, strict=True))
    company = None
    if orders:
        tick("the company's own orders")
        company = _company(watch, realised, min(item.cost_usd for item in best))
    return _replay(prepared, realised, past, ways, company)


def _done(job: _WayAhead) -> _WayDone:
    """A way along what happened, and with it foreseen."""
    item = followed_way(job.watch, job.tried)
    paths = along(job.watch, item, np.arange(len(PATHS)) == PLANNED)
    same = foreseen_under(job.watch, item)
    return _WayDone(paths, same, foreseen_best(job.watch, job.way, [same]))


def _with_narrower(jobs: Sequence[_WayAhead], best: Sequence[Foreseen]) -> list[Foreseen]:
    """The best plan of each way, or of a way that it contains."""
    return [min((other for job, other in zip(jobs, best, strict=True)
                 if way.way.contains(job.way)), key=lambda item: item.cost_usd)
            for way in jobs]


def _way(job: _WayAhead, done: _WayDone, best: Foreseen, started: Sequence[str]) -> ReplayWay:
    until = job.watch.past.until
    cost = done.paths.cost_usd
    least = on_every_copy(job.watch, best)
    same = done.foreseen.cost_usd
    planned, foreseen = cost_of(done.paths, PLANNED, until), cost_of(least, 0, until)
    coalition = {group: float(cost[n]) for n, group in enumerate(COALITIONS)}
    coalition[frozenset(FACTORS)] = same
    parts = {"first orders": planned.cost_usd - coalition[frozenset()],
             **shapley(coalition, FACTORS), "programmes": same - foreseen.cost_usd}
    return ReplayWay(
        name=job.way.name, label=job.way.label, planned=planned, foreseen=foreseen,
        regret_usd=planned.cost_usd - foreseen.cost_usd,
        parts=tuple(ReplayPart(part=name, usd=usd, how=HOW[name]) for name, usd in parts.items()),
        started=tuple(started), foreseen_started=_carried(best))


def _carried(foreseen: Foreseen) -> tuple[str, ...]:
    item = foreseen.item
    return tuple(dict.fromkeys(
        project.programme for project, on in zip(item.plan.projects, item.go, strict=True)
        if on[-1]))


def _company(watch: Watch, realised: Realised, least: float) -> ReplayCompany:
    paths, cut = company_on(watch, realised)
    cost = cost_of(paths, PLANNED, watch.past.until)
    case = watch.past.world.prepared.case
    known = titles(case)
    orders = tuple(
        ReplayOrder(quarter=str(case.first_quarter + order.quarter), line=order.line,
                    title=heading(known[f"lines.{order.line}"]), chips=order.chips,
                    basis=order.basis, source=order.source) for order in watch.orders)
    return ReplayCompany(cost=cost, regret_usd=cost.cost_usd - least, orders=orders, cut=cut)


def cost_of(paths: WayOnPaths, path: int, until: int) -> ReplayCost:
    """What one path comes to."""
    cash, unserved = paths.cash[path], paths.unserved[path]
    missing, wanted = paths.missing[path], paths.wanted[path]
    past = slice(0, until + 1)
    discount = paths.discount
    return ReplayCost(
        cost_usd=float(paths.cost_usd[path]), cash_usd=float(paths.cash_usd[path]),
        unserved_usd=float(paths.unserved_usd[path]),
        to_date_usd=float((cash + unserved)[past] @ discount[past]),
        cash_to_date_usd=float(cash[past].sum()),
        missing_share=float(paths.missing_share[path]),
        missing_to_date=float(missing[past].sum() / max(wanted[past].sum(), 1e-30)),
        unserved_queries=float(paths.unserved_queries[path][past].sum()),
        cash_by_quarter_usd=tuple(cash.tolist()),
        missing_by_quarter=tuple((missing / np.maximum(wanted, 1e-30)).tolist()),
        chips_by_line=tuple(
            (line, tuple(chips[path].tolist()))
            for line, chips in zip(paths.lines, paths.chips, strict=True) if chips[path].any()))


def ranking(costs: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Names by cost, cheapest first; those within `ALIKE` of the first of a place share it.

    >>> ranking({"a": 3.0, "b": 1.0, "c": 1.0005})
    (('b', 'c'), ('a',))
    """
    places: list[list[str]] = []
    for name in sorted(costs, key=lambda name: costs[name]):
        if places and costs[name] - costs[places[-1][0]] <= ALIKE * abs(costs[places[-1][0]]):
            places[-1].append(name)
        else:
            places.append([name])
    return tuple(map(tuple, places))


def _replay(
    prepared: Prepared, realised: Realised, past: Past, ways: tuple[ReplayWay, ...],
    company: ReplayCompany | None,
) -> Replay:
    case, scenarios = prepared.case, past.world.scenarios
    copies = len(PATHS)
    training = np.sum([scenarios.demand[load.name] for load in case.loads
                       if load.kind == "training"] or [np.zeros(scenarios.tree.size)], axis=0)
    return Replay(
        case=case.name, title=case.title, realised=realised.title, as_of=case.as_of.isoformat(),
        first_quarter=str(case.first_quarter), quarters=case.quarters,
        until=str(case.first_quarter + realised.until), price_year=case.price_year, ways=ways,
        ranking=ranking({way.name: way.planned.cost_usd for way in ways}), company=company,
        paths=tuple(
            ReplayPath(name=item.name, title=path_title(item.name, case), unit=item.unit,
                       by_quarter=_known(item, realised.until + 1),
                       source=item.source, note=item.note)
            for item in realised.paths.values()),
        queries_per_day=tuple(queries_per_day(scenarios, case)[::copies].tolist()),
        training_flop=tuple(training[::copies].tolist()), notes=NOTES)


def path_title(name: str, case: Case) -> str:
    """What people call a realised quantity."""
    if name in _TITLES:
        return _TITLES[name]
    kind, _, about = name.partition(".")
    if kind == "allotment":
        return f"Allotment of {titles(case)[f'lines.{about}']}"
    return quantities_of(case)[name].title


def _known(path: RealisedPath, quarters: int) -> tuple[float, ...]:
    """A realised path by quarter, through its last value."""
    if path.name.startswith(STEPPED):
        return tuple(held_steps(path.values, quarters).tolist())
    values = interpolated(path.values, quarters)
    return tuple(values[np.isfinite(values)].tolist())
