"""One way against another: the difference, why, and what must be true for the other to be
cheaper."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace

from fabless.case_records import Case
from fabless.catalogue import load
from fabless.decide.accounts.difference import against
from fabless.decide.detail import Detail, detail_of
from fabless.decide.fresh.contained import contains
from fabless.decide.fresh.futures import futures_of
from fabless.decide.fresh.judge import judge
from fabless.decide.questions.plan_errors import plan_errors
from fabless.decide.questions.turns import turns_of
from fabless.decide.results import TwoWays
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world
from fabless.errors import BadValue, Fault, unknown
from fabless.executors import processes
from fabless.scenario import fitted
from fabless.strategy import Offered, offered, way_labels


def compare_ways(
    case: Case,
    way: str,
    other: str,
    *,
    detail: Detail | str = "standard",
    executor: Executor | None = None,
    progress: Callable[[str], None] | None = None,
) -> TwoWays:
    """Set one way of a case against another, on the scenarios and fresh paths of `decide`.

    Parameters: `way` and `other`, names of ways that the case offers; the rest as for `decide`. The
    difference is that which `decide` finds under the same detail and seed; its error leaves out
    what other seeds say.

    Raises `UnknownName` for a way that the case does not offer, `BadValue` for two names of one
    way.
    """
    start = time.perf_counter()
    detail, tick = detail_of(detail), progress or (lambda _: None)
    if detail.branching is not None:
        case = replace(case, branching=fitted(detail.branching, len(case.branching)))
    first, second = _two_of(offered(case), way, other)
    with processes(os.cpu_count() or 1) if executor is None else nullcontext(executor) as pool:
        tick("performance and unit cost of each chip")
        prepared = prepare(case, load(case.as_of))
        world = draw_world(prepared)
        tick(f"plans for each way on {world.scenarios.tree.leaves.size} scenarios")
        choice = _only(choose(world, pool, gates=detail.gates), {first, second})
        tick(f"both ways on {detail.paths:,} fresh paths")
        judged = judge(prepared, choice, detail, pool=pool, tick=tick)
        cheap, dear = sorted((first, second), key=lambda name: float(judged.total_usd[name].mean()))
        judged = replace(judged, plan_error_usd=plan_errors(
            prepared.case, judged, choice.ways, None))
        turns = None
        if detail.small:
            tick("what must be true for the other to be cheaper")
            small = draw_world(prepared, branching=detail.small_of(len(case.branching)))
            chosen = {item.name: item.plan.commitment for item in choice.ways}
            turns, = turns_of(judged, small, chosen, pairs=[(dear, cheap)], executor=pool)
    return TwoWays(
        case=case.name, title=case.title, as_of=case.as_of.isoformat(), detail=detail.name,
        seed=case.seed, leaves=int(world.scenarios.tree.leaves.size), paths=detail.paths,
        price_year=case.price_year, way_titles=way_labels(case), cheaper=cheap,
        against=against(
            prepared.case, first, judged.ways[first], second, judged.ways[second],
            plan_error_usd=judged.plan_error(first, second)),
        turns=turns,
        futures=futures_of(
            prepared.case, {name: judged.ways[name] for name in (first, second)}, cheap),
        seconds=time.perf_counter() - start)


def _two_of(options: Offered, way: str, other: str) -> tuple[str, str]:
    """The two ways by the names that stand for them."""
    stands = {item.name: item.name for item in options.ways}
    stands |= {item.name: twin.name for item, twin in options.same}
    for name, place in ((way, "first way"), (other, "second way")):
        if name not in stands:
            raise unknown("way", name, list(stands), place)
    if stands[way] == stands[other]:
        raise BadValue(Fault("second way", f"{other!r} is the same way as {way!r} in this case",
                             "two ways that differ", "name another way"))
    return stands[way], stands[other]


def _only(choice: Choice, names: set[str]) -> Choice:
    """The two ways, and those that either may act as."""
    allowed = {way.name: way for way in choice.offered.ways}
    wanted = [item for item in choice.ways if item.name in names]
    begun = {programme.name for name in names for programme in allowed[name].commits}
    return replace(
        choice, through=tuple(item for item in choice.through if item.programme in begun),
        ways=tuple(
            item for item in choice.ways if item.name in names or any(
                contains(allowed[wide.name], wide.plan.commitment, item.plan.commitment)
                for wide in wanted)))
