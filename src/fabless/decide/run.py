"""The whole decision: prepare, solve every way, compare, say."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from fabless.case_records import Case, named
from fabless.catalogue import load
from fabless.decide.actions import actions_of
from fabless.decide.answer import answer, warnings_of
from fabless.decide.background import background, in_hindsight, programme_ends
from fabless.decide.build_up import build_up, chip_costs, query_costs
from fabless.decide.detail import Detail, detail_of
from fabless.decide.fresh.futures import futures_of
from fabless.decide.fresh.judge import Judged, gap_of, judge, margin_of, perfect_information
from fabless.decide.fresh.run import as_fresh_test
from fabless.decide.large import large_plan
from fabless.decide.questions.knowledge import foresight
from fabless.decide.questions.negotiate import negotiation
from fabless.decide.questions.plan_errors import plan_errors
from fabless.decide.questions.regret import regret_table
from fabless.decide.questions.resale import resale
from fabless.decide.questions.run import ask
from fabless.decide.results import Decision, FirstLook
from fabless.decide.summarise import demand_by_quarter, paired_differences, programme_values, timeline, way_result
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.digest import digest_of
from fabless.executors import processes
from fabless.plan.lookahead.planner import compile_planner
from fabless.scenario import fitted
from fabless.strategy import way_labels
from fabless.titles import load_titles, offer_titles
from fabless.versions import versions

FEW_PATHS = 40
"""Fresh paths, with one outlook each, on which a first look is taken."""


def decide(
    case: Case,
    *,
    detail: Detail | str = "standard",
    executor: Executor | None = None,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] | None = None,
    first_look: Callable[[FirstLook], None] | None = None,
) -> Decision:
    """Answer a case.

    Parameters: `case`, from `read_case`; `detail`, the name of one of `DETAILS`, or a `Detail`;
    `executor`, where plans are solved (default: as many processes as there are cores);
    `checkpoint`, a file from which a plan on a large tree resumes; `progress`, called with a line
    of text as the work goes on; `first_look`, called with what a few fresh paths say, where
    `detail` has more. The catalogue is read as the case's as-of date sees it. The same case,
    detail, seed and data give the same decision.

    Raises `DoesNotFit` when a load runs on nothing offered. Demand that no plan meets is a result
    with its shortage.
    """
    start = time.perf_counter()
    detail, asked = detail_of(detail), case
    tick = progress or (lambda _: None)
    if detail.branching is not None:
        case = replace(case, branching=fitted(detail.branching, len(case.branching)))
    with processes(os.cpu_count() or 1) if executor is None else nullcontext(executor) as pool:
        # workers start, and compile or load the planner, while this process prepares
        threading.Thread(target=_start, args=(pool,), daemon=True).start()
        tick("performance and unit cost of each chip")
        catalogue = load(case.as_of)
        prepared = prepare(case, catalogue, pool)
        world = draw_world(prepared)
        tick(f"plans for each way on {world.scenarios.tree.leaves.size} scenarios")
        choice = choose(world, pool, gates=detail.gates)
        tick(f"every way on {detail.paths:,} fresh paths")
        margin = margin_of(prepared, case.seed)
        if first_look is not None and detail.paths > FEW_PATHS:
            few = replace(detail, paths=FEW_PATHS, branches=1)
            first_look(_looked(
                prepared, choice, judge(prepared, choice, few, pool=pool, margin=margin)))
        judged = judge(prepared, choice, detail, pool=pool, tick=tick, margin=margin)
        best = next(way for way in choice.ways if way.name == judged.best)
        values = programme_values(prepared, judged)
        actions = actions_of(best, prepared)
        negotiated = negotiation(world, best, actions, values, detail=detail, pool=pool)
        perfect = pool.submit(
            perfect_information, prepared, best, paths=detail.paths, checked=detail.checked)
        pending, sold = pool.submit(foresight, best), pool.submit(resale, prepared.case, best)
        large = None if detail.large is None else large_plan(
            prepared, best, detail.large, executor=pool, checkpoint=checkpoint, tick=tick)
        questions = ask(
            prepared, choice.ways, best, judged=judged, programmes=values, actions=actions,
            detail=detail, pool=pool, tick=tick,
        )
        foreseen, sales = pending.result(), sold.result()
        first_actions, terms = negotiated.first_actions(), negotiated.answered()
        gap = gap_of(judged.ways[best.name], perfect.result())
    judged = replace(judged, plan_error_usd=plan_errors(
        prepared.case, judged, choice.ways, questions.stability))
    results = tuple(way_result(prepared, judged, item) for item in choice.ways)
    results = tuple(replace(way, actions=first_actions) if way.name == best.name else way
                    for way in results)
    fresh = tuple(
        as_fresh_test(prepared, item, judged.ways[item.name], seed=case.seed,
                      gap=gap if item is best else None)
        for item in choice.ways)
    parts = build_up(prepared)
    return Decision(
        case=case.name, title=case.title, as_of=case.as_of.isoformat(),
        first_quarter=str(case.first_quarter), quarters=case.quarters, price_year=case.price_year,
        seed=case.seed, digest=digest_of((catalogue.digest, case, detail))[:12],
        case_digest=digest_of(asked)[:8], dominant_vendor=case.dominant_vendor,
        versions=versions(), detail=detail.name, leaves=int(world.scenarios.tree.leaves.size),
        answer=answer(prepared, best, results, values, terms.leverage), recommended=best.name,
        titles=offer_titles(prepared.case), load_titles=load_titles(case),
        way_titles=way_labels(case),
        not_offered=tuple(way.name for way in choice.offered.missing),
        same_ways=tuple((way.name, other.name) for way, other in choice.offered.same),
        strategies=results, programme_values=values, regrets=regret_table(judged),
        pairs=paired_differences(prepared, judged),
        foresight=foreseen, resale=sales, fresh=fresh, large=large,
        futures=futures_of(prepared.case, judged.ways, best.name), questions=questions,
        build_up=parts,
        query_costs=query_costs(prepared, best, judged.ways[best.name], parts, values),
        chip_costs=chip_costs(prepared),
        timeline=timeline(prepared, prepared.case.programmes),
        demand_by_quarter=demand_by_quarter(case, judged.ways[best.name]),
        assumptions=in_hindsight(case, catalogue, (
            *named(prepared.case.numbers).values(), *programme_ends(case, prepared.case),
            *background(case, catalogue),
        )),
        warnings=(*prepared.warnings, *warnings_of(prepared, best, fresh, detail)),
        seconds=time.perf_counter() - start, shadow_prices=terms.shadow_prices,
        near_best=terms.near_best, leverage=terms.leverage,
    )


def _start(pool: Executor) -> None:
    """Start the workers with something to compile; nothing where the pool has been shut since."""
    with suppress(RuntimeError):
        pool.submit(compile_planner)


def _looked(prepared: Prepared, choice: Choice, judged: Judged) -> FirstLook:
    best = next(way for way in choice.ways if way.name == judged.best)
    results = tuple(way_result(prepared, judged, item) for item in choice.ways)
    return FirstLook(
        answer=answer(prepared, best, results, programme_values(prepared, judged)),
        recommended=best.name, strategies=results, paths=len(judged.total_usd[best.name]))
