"""The whole decision: prepare, solve every way, compare, say."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from fabless.case_records import Case, named
from fabless.catalogue import load
from fabless.decide.actions import actions_of
from fabless.decide.answer import answer, warnings_of
from fabless.decide.background import background, programme_ends
from fabless.decide.build_up import build_up, chip_costs
from fabless.decide.detail import Detail, detail_of, fitted
from fabless.decide.fresh.block import PathNumbers
from fabless.decide.fresh.run import as_fresh_test, rule_costs
from fabless.decide.large import large_plan
from fabless.decide.questions.knowledge import foresight
from fabless.decide.questions.negotiate import negotiation
from fabless.decide.questions.regret import regret_table
from fabless.decide.questions.resale import resale
from fabless.decide.questions.run import ask
from fabless.decide.results import Decision, ProgrammeValue
from fabless.decide.summarise import programme_value, strategy_result, timeline
from fabless.decide.ways.gates import carried_through
from fabless.decide.ways.paths import band
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import World, draw_world, plan_of
from fabless.decide.ways.solved import SolvedWay, best_of, compute_share, roughly_solved, solve_best, solved_plan
from fabless.digest import digest_of
from fabless.executors import processes
from fabless.records import Band
from fabless.scenario.draws import queries_per_day
from fabless.strategy import PORTFOLIO, TITLES, Commitment, commitments, with_programmes
from fabless.titles import offer_titles
from fabless.versions import versions

LEAST_SHARE = 0.02
"""Share of compute under which the portfolio tries to do without a line that costs something to
keep open."""


@dataclass(frozen=True, eq=False)
class _WayJob:
    world: World
    name: str
    commitments: tuple[Commitment, ...]
    gates: bool
    """Whether the gates of programmes are searched, or only carried through or given up at once."""


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
        single = _ways(world, detail.gates, pool)
        tick("plans for the portfolio")
        portfolio, values = _portfolio(world, single, detail.gates, pool)
        solved = [*single, portfolio]
        best = best_of(solved)
        tick(f"every way on {detail.paths:,} fresh paths")
        numbers = list(
            pool.map(
                _carried_out,
                [
                    (prepared, item, detail.paths, detail.checked * (item is best))
                    for item in solved
                ],
            )
        )
        fresh = tuple(
            as_fresh_test(prepared, item, path_numbers, case.seed)
            for item, path_numbers in zip(solved, numbers, strict=True)
        )
        negotiated = negotiation(
            world, best, actions_of(best, prepared), values, detail=detail, pool=pool)
        pending, sold = pool.submit(foresight, best), pool.submit(resale, prepared.case, best)
        large = None if detail.large is None else large_plan(
            prepared, best, detail.large, executor=pool, checkpoint=checkpoint, tick=tick)
        questions = ask(
            prepared, solved, best, numbers=numbers[solved.index(best)], programmes=values,
            detail=detail, pool=pool, tick=tick,
        )
        foreseen, sales = pending.result(), sold.result()
        first_actions, terms = negotiated.first_actions(), negotiated.answered()
    results = tuple(strategy_result(item, prepared, best) for item in solved)
    results = tuple(replace(way, actions=first_actions) if way.name == best.name else way
                    for way in results)
    return Decision(
        case=case.name, title=case.title, as_of=case.as_of.isoformat(),
        first_quarter=str(case.first_quarter), quarters=case.quarters, price_year=case.price_year,
        seed=case.seed, digest=digest_of((catalogue.digest, case, detail))[:12],
        versions=versions(), detail=detail.name, leaves=int(world.scenarios.tree.leaves.size),
        answer=answer(prepared, best, results, values, fresh), recommended=best.name,
        titles=offer_titles(prepared.case),
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
        seconds=time.perf_counter() - start, shadow_prices=terms.shadow_prices,
        near_best=terms.near_best, leverage=terms.leverage,
    )


def _ways(world: World, gates: bool, pool: Executor) -> list[SolvedWay]:
    """The five ways, each with its best commitment."""
    jobs = [_WayJob(world, way, (choice,), gates)
            for way in TITLES if way != PORTFOLIO for choice in commitments(world.case, way)]
    solved = list(pool.map(_solve, jobs))
    names = dict.fromkeys(job.name for job in jobs)
    return [best_of([item for item in solved if item.name == name]) for name in names]


def _portfolio(
    world: World, single: list[SolvedWay], gates: bool, pool: Executor
) -> tuple[SolvedWay, tuple[ProgrammeValue, ...]]:
    """Coordinate search: every line, every line that is used, or those of the best way; then the
    programmes on them.

    The programmes may be started now or at a later branching, and given up at any. The ways
    themselves are among what it may choose, so it never ranks behind one of them. Also returns what
    each programme, started now and carried through, is worth on the chosen lines.
    """
    case = world.prepared.case
    every = next(iter(pool.map(_solve, [_WayJob(world, PORTFOLIO, (Commitment(case.lines, ()),), gates)])))
    used = tuple(
        line
        for line in case.lines
        if case.numbers.lines[line.name].port is None
        or compute_share(every, line.name) >= LEAST_SHARE
    )
    lean = [every] if used == case.lines else pool.map(_solve, [_WayJob(world, PORTFOLIO, (Commitment(used, ()),), gates)])
    plain = [item for item in (every, *lean, *single) if not item.plan.commitment.programmes]
    without = best_of(plain)
    lines = without.plan.commitment.lines
    free = [_WayJob(world, PORTFOLIO, (Commitment(lines, (), may_start=case.programmes),), gates)] if gates else []
    open_ended = [pool.submit(_solve, job) for job in free]
    through = pool.map(_through, [_WayJob(world, PORTFOLIO, (choice,), gates) for choice in with_programmes(case, lines)])
    values = [programme_value(world.prepared, item, without) for item in through]
    best = replace(best_of([*single, *plain, *(item.result() for item in open_ended)]), name=PORTFOLIO)
    return best, tuple(sorted(values, key=lambda value: -value.value_usd))


def _carried_out(job: tuple[Prepared, SolvedWay, int, int]) -> PathNumbers:
    prepared, item, paths, checked = job
    return rule_costs(prepared, item, paths=paths, checked=checked)


def _solve(job: _WayJob) -> SolvedWay:
    return (solve_best if job.gates else roughly_solved)(job.world, job.name, job.commitments)


def _through(job: _WayJob) -> SolvedWay:
    return solved_plan(job.world, job.name, carried_through(plan_of(job.world, job.commitments[0])))


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
