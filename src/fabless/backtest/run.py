"""A past case scored against what happened: read, forecast, score, compare."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from fabless.backtest.compared import checked_published, trend_faults
from fabless.backtest.fleet import MEASURE, OnPaths
from fabless.backtest.forecasts import Forecaster
from fabless.backtest.grouped import event_scores, group_scores, overall_score, weighted
from fabless.backtest.matched import matched
from fabless.backtest.quantities import Quantity, quantities_of
from fabless.backtest.replay.results import Replay
from fabless.backtest.replay.run import replay
from fabless.backtest.results import PROBABILITIES, Backtest, PooledBacktest
from fabless.backtest.scored import (
    calendar_of,
    fans_of,
    scored_event,
    scored_published,
    scored_truth,
)
from fabless.backtest.truths import (
    PublishedForecast,
    Trend,
    companion,
    read_published,
    read_trends,
    read_truths,
)
from fabless.case_records import Case
from fabless.catalogue import load, read_case
from fabless.catalogue.facts.text import DATA
from fabless.catalogue.files.realised import (
    orders_file,
    read_orders,
    read_realised,
    realised_file,
)
from fabless.decide.detail import Detail, detail_of
from fabless.decide.fresh.judge import judge
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import Prepared, counted, prepare
from fabless.decide.ways.problem import draw_world
from fabless.digest import digest_of
from fabless.errors import BadFile, BadValue, FablessError, Fault, unknown
from fabless.executors import processes
from fabless.scenario import fitted
from fabless.strategy import offered, way_labels

FOLDER = DATA / "backtests"
"""Where the truths of the shipped cases lie."""
PRICE_INDEX = "us-cpi"
SKIPPED = "The replay was left out."
NOTHING_HAPPENED = (
    "Nothing is replayed: no file says by quarter what happened to this case (one can be given with "
    "--realised).")

Tick = Callable[[str], None]


def cases_with_truths() -> list[str]:
    """Names of the shipped cases that have truths."""
    return sorted(path.name.removesuffix(".truths.csv") for path in FOLDER.glob("*.truths.csv"))


def backtest(
    case: Case,
    *,
    truths: Path | None = None,
    until: dt.date | None = None,
    detail: Detail | str = "standard",
    way: str | None = None,
    realised: Path | None = None,
    orders: Path | None = None,
    with_replay: bool = True,
    executor: Executor | None = None,
    progress: Tick | None = None,
) -> Backtest:
    """Score the forecasts of a past case, and replay it on what happened.

    Parameters: `case`, from `read_case`; `truths`, a file of truths (default: those that ship with
    the case), with forecasts and trends beside it where they are; `until`, a day after which
    nothing is known; `detail`, by which the ways are planned and tried, as `decide` does; `way`,
    whose fleet and spend are scored (default: the one that is recommended); `realised` and
    `orders`, files of what happened by quarter and of the company's orders (default: those that
    ship with the case), without which, or without `with_replay`, nothing is replayed; `executor`
    and `progress` as for `decide`. Demand, market and programmes are drawn; the ways are planned only
    if a truth asks for fleet, spend or cost.

    Raises `BadFile`, `BadValue` and `UnknownName` for truths that cannot be scored, all at once.
    """
    start, detail, tick = time.perf_counter(), detail_of(detail), progress or (lambda _: None)
    path = _file_of(case) if truths is None else truths
    names = quantities_of(case)
    known = [item for item in read_truths(path, case.as_of) if until is None or item.known <= until]
    if not known:
        raise BadValue(Fault(str(path), f"no truth known by {until}" if until else "no truth",
                             "one truth or more", "choose a later day" if until else "add truths"))
    matches = matched(known, case, names)
    published, trends = _companions(case, path)
    if faults := trend_faults(trends, names):
        raise BadValue(*faults)
    of_published = _checked(published, names)
    with processes(os.cpu_count() or 1) if executor is None else nullcontext(executor) as pool:
        followed = _Followed(case, detail, way, pool, tick)
        forecaster = Forecaster(
            case=counted(case, load(case.as_of))[0], following=followed.following,
            price_level=_price_level())
        tick("scores")
        rows = [scored_truth(match, forecaster, trends, names) for match in matches
                if match.quantity.how != "chance"]
        events = [scored_event(match, forecaster) for match in matches if match.quantity.how == "chance"]
        others, not_due = scored_published(of_published, rows, matches, forecaster)
        fans = tuple(fans_of(matches, forecaster))
        calendar = tuple(calendar_of(names, forecaster))
        replayed, why = followed.replayed(realised, orders) if with_replay else (None, SKIPPED)
    score = overall_score(rows)
    return Backtest(
        case=case.name, title=case.title, as_of=case.as_of.isoformat(), price_year=case.price_year,
        seed=case.seed, digest=digest_of((case, detail, way, known, published, trends))[:12],
        detail=detail.name, way=followed.name, way_title=way_labels(case).get(followed.name or "", ""),
        recommended=followed.recommended, paths=followed.paths,
        world_paths=forecaster.world_paths, probabilities=PROBABILITIES,
        last_known=max(item.known for item in known).isoformat(), truths=tuple(rows),
        events=tuple(events), groups=group_scores(rows), overall=score,
        event_score=event_scores(events), published=others, not_due=not_due, fans=fans,
        calendar=calendar, replay=replayed, not_replayed=why, seconds=time.perf_counter() - start)


def backtest_all(
    *, until: dt.date | None = None, detail: Detail | str = "standard", way: str | None = None,
    executor: Executor | None = None, progress: Tick | None = None,
) -> PooledBacktest:
    """Score every shipped past case, one by one and all together, without replays."""
    start, tick = time.perf_counter(), progress or (lambda _: None)
    cases = {}
    with processes(os.cpu_count() or 1) if executor is None else nullcontext(executor) as pool:
        for name in cases_with_truths():
            tick(name)
            cases[name] = backtest(read_case(name), until=until, detail=detail, way=way,
                                   with_replay=False, executor=pool, progress=progress)
    truths, events = weighted(cases.values())
    return PooledBacktest(
        cases=cases, groups=group_scores(truths), overall=overall_score(truths),
        event_score=event_scores(events), seconds=time.perf_counter() - start)


class _Followed:
    """The way that is scored, prepared and followed along fresh paths when it is asked for."""

    def __init__(self, case: Case, detail: Detail, way: str | None, pool: Executor, tick: Tick) -> None:
        ways = [item.name for item in offered(case).ways]
        if way is not None and way not in ways:
            raise unknown("way", way, ways, "--way")
        if detail.branching is not None:
            case = replace(case, branching=fitted(detail.branching, len(case.branching)))
        self._case, self._detail, self._pool, self._tick = case, detail, pool, tick
        self.name, self.recommended, self.paths = way, False, 0

    @cached_property
    def _solved(self) -> tuple[Prepared, Choice]:
        """The case prepared, and its ways planned on the tree."""
        self._tick("performance and unit cost of each chip")
        prepared = prepare(self._case, load(self._case.as_of), self._pool)
        world = draw_world(prepared)
        self._tick(f"plans for each way on {world.scenarios.tree.leaves.size} scenarios")
        return prepared, choose(world, self._pool, gates=self._detail.gates)

    def replayed(self, realised: Path | None, orders: Path | None) -> tuple[Replay | None, str]:
        """The case on what happened, by files given or shipped; else why not."""
        happened = realised or realised_file(self._case)
        if happened is None:
            return None, NOTHING_HAPPENED
        placed = orders or (orders_file(self._case) if realised is None else None)
        known = read_realised(happened, self._case)
        of_company = () if placed is None else read_orders(placed, self._case)
        prepared, choice = self._solved
        return replay(prepared, choice, self._detail, known, of_company, executor=self._pool,
                      tick=self._tick), ""

    def following(self) -> OnPaths:
        """The way on fresh paths, planned again every quarter."""
        tick = self._tick
        prepared, choice = self._solved
        tick(f"every way on {self._detail.paths:,} fresh paths")
        judged = judge(prepared, choice, self._detail, pool=self._pool, tick=tick)
        name = self.name or judged.best
        self.name, self.recommended, self.paths = name, name == judged.best, self._detail.paths
        return OnPaths(prepared.case, judged.ways[name], load().chip(MEASURE))


def _file_of(case: Case) -> Path:
    if case.name not in cases_with_truths():
        raise BadFile(Fault("backtest", f"no truths ship with the case {case.name!r}",
                            ", ".join(cases_with_truths()) or "none",
                            "give a file of truths with --truths"))
    return FOLDER / f"{case.name}.truths.csv"


def _companions(case: Case, path: Path) -> tuple[tuple[PublishedForecast, ...], tuple[Trend, ...]]:
    """Forecasts and trends of the day: beside the truths, else those that ship with the case."""
    shipped = FOLDER / f"{case.name}.truths.csv"

    def beside(kind: str) -> Path | None:
        return companion(path, kind) or companion(shipped, kind)

    forecasts, trends = beside("forecasts"), beside("trends")
    return (() if forecasts is None else read_published(forecasts, case.as_of),
            () if trends is None else read_trends(trends, case.as_of))


def _checked(
    published: Sequence[PublishedForecast], names: dict[str, Quantity]
) -> list[tuple[PublishedForecast, Quantity]]:
    """PublishedForecast forecasts with their quantities; every fault at once."""
    checked: list[tuple[PublishedForecast, Quantity]] = []
    faults: list[Fault] = []
    for item in published:
        try:
            checked.append((item, checked_published(item, names)))
        except FablessError as error:
            faults.extend(error.faults)
    if faults:
        raise BadValue(*faults)
    return checked


def _price_level() -> dict[int, float]:
    """Consumer prices by year, as known today."""
    return {int(row.period): row.value for row in load().series(PRICE_INDEX, "index")
            if row.period.isdigit() and isinstance(row.value, float)}
