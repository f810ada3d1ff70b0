"""The whole decision: prepare, solve every way, compare, say."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from fabless.case_records import Case, named
from fabless.catalogue import load
from fabless.decide.answer import answer, warnings_of
from fabless.decide.background import background, programme_ends
from fabless.decide.build_up import build_up, chip_costs
from fabless.decide.detail import Detail, detail_of, fitted
from fabless.decide.fresh.block import PathNumbers
from fabless.decide.fresh.run import as_fresh_test, rule_costs
from fabless.decide.large import large_plan
from fabless.decide.questions.knowledge import foresight
from fabless.decide.questions.regret import regret_table
from fabless.decide.questions.resale import resale
from fabless.decide.questions.run import ask
from fabless.decide.results import Decision
from fabless.decide.summarise import programme_values, strategy_result, timeline
from fabless.decide.ways.choice import choose, each_carried_through
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import World, draw_world
from fabless.decide.ways.solved import SolvedWay, best_of
from fabless.digest import digest_of
from fabless.executors import processes
from fabless.records import Band
from fabless.scenario.draws import queries_per_day
from fabless.strategy import way_labels
from fabless.titles import offer_titles
from fabless.versions import versions


def decide(
    case: Case,
    *,
    detail: Detail | str = "standard",
    executor: Executor | None = None,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Decision:
    """Answer a case.

    Parameters: `case`, from `read_case`; `detail`, the name of one of `DETAILS`, or a `Detail`; `executor`, where
    plans are solved (default: as many processes as there are cores); `checkpoint`, a file from
    which a plan on a large tree resumes; `progress`, called with a line of text as the work goes
    on. The catalogue is read as the case's as-of date sees it. The same case, detail, seed and data
    give the same decision.

    Raises `DoesNotFit` when a load runs on nothing offered. Demand that no plan meets is a result
    with its shortage.
    """
    start = time.perf_counter()
    detail = detail_of(detail)
    tick = progress or (lambda _: None)
    if detail.branching is not None:
        case = replace(case, branching=fitted(detail.branching, len(case.branching)))
    with processes(os.cpu_count() or 1) if executor is None else nullcontext(executor) as pool:
        pool.submit(time.perf_counter)  # a first task starts the workers while this process prepares
        tick("performance and unit cost of each chip")
        catalogue = load(case.as_of)
        prepared = prepare(case, catalogue)
        world = draw_world(prepared)
        tick(f"plans for each way on {world.scenarios.tree.leaves.size} scenarios")
        choice = choose(world, pool, gates=detail.gates)
        tick("what each programme is worth carried through")
        values = programme_values(prepared, choice.without, each_carried_through(world, choice, pool))
        solved, best = list(choice.ways), best_of(list(choice.ways))
        tick(f"every way on {detail.paths:,} fresh paths")
        numbers = list(
            pool.map(
                _carried_out,
                [
                    (prepared, replace(item, carried=None), detail.paths,
                     detail.checked * (item is best))
                    for item in solved
                ],
            )
        )
        fresh = tuple(
            as_fresh_test(prepared, item, path_numbers, case.seed)
            for item, path_numbers in zip(solved, numbers, strict=True)
        )
        pending, sold = pool.submit(foresight, best), pool.submit(resale, prepared.case, best)
        large = None if detail.large is None else large_plan(
            prepared, best, detail.large, executor=pool, checkpoint=checkpoint, tick=tick)
        questions = ask(
            prepared, solved, best, numbers=numbers[solved.index(best)], programmes=values,
            detail=detail, pool=pool, tick=tick,
        )
        foreseen, sales = pending.result(), sold.result()
    results = tuple(strategy_result(item, prepared, best) for item in solved)
    not_offered = tuple(way.name for way in choice.offered.missing)
    return Decision(
        case=case.name, title=case.title, as_of=case.as_of.isoformat(),
        first_quarter=str(case.first_quarter), quarters=case.quarters, price_year=case.price_year,
        seed=case.seed, digest=digest_of((catalogue.digest, case, detail))[:12],
        versions=versions(), detail=detail.name, leaves=int(world.scenarios.tree.leaves.size),
        answer=answer(prepared, best, results, values, fresh), recommended=best.name,
        titles=offer_titles(prepared.case), way_titles=way_labels(case),
        not_offered=not_offered,
        same_ways=tuple((way.name, other.name) for way, other in choice.offered.same),
        strategies=results, programme_values=values, regrets=regret_table(world, solved),
        foresight=foreseen, resale=sales, fresh=fresh, large=large, questions=questions,
        build_up=build_up(prepared, best), chip_costs=chip_costs(prepared),
        timeline=timeline(prepared, prepared.case.programmes),
        demand_by_quarter=_demand(prepared, world),
        assumptions=(
            *named(prepared.case.numbers).values(), *programme_ends(case, prepared.case),
            *background(case, catalogue),
        ),
        warnings=(*prepared.warnings, *warnings_of(prepared, best, fresh)),
        seconds=time.perf_counter() - start,
    )


def _carried_out(job: tuple[Prepared, SolvedWay, int, int]) -> PathNumbers:
    prepared, item, paths, checked = job
    return rule_costs(prepared, item, paths=paths, checked=checked)


def _demand(prepared: Prepared, world: World) -> tuple[tuple[str, Band], ...]:
    tree, case = world.scenarios.tree, prepared.case
    queries = queries_per_day(world.scenarios, case)
    return tuple(
        (
            str(case.first_quarter + q),
            band(queries[tree.quarter == q], tree.probability[tree.quarter == q]),
        )
        for q in range(tree.quarters)
    )
