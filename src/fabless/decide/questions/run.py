"""What the answer is asked: what moves it, what each option and each piece of knowledge is worth,
what it would stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from fabless.decide.detail import Detail
from fabless.decide.fresh.judge import Judged
from fabless.decide.questions.answers import answers
from fabless.decide.questions.break_even import flips, surface
from fabless.decide.questions.knowledge import knowledge_values
from fabless.decide.questions.options import option_values
from fabless.decide.questions.resilience import resilience
from fabless.decide.questions.sensitivity import read_off, sensitivities
from fabless.decide.questions.sobol import sobol_indices
from fabless.decide.questions.stability import stability
from fabless.decide.questions.turns import all_turns, telling_names
from fabless.decide.results import Action, ProgrammeValue, Questions
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay
from fabless.strategy import Commitment

SURFACES = 1
"""Programmes of own silicon, the most valuable first, for which a surface is drawn."""

MARKET = 1
"""Inputs besides a programme's own along which its value may turn: those that move the answer
most."""


def ask(
    prepared: Prepared, solved: Sequence[SolvedWay], best: SolvedWay, judged: Judged,
    programmes: Sequence[ProgrammeValue], actions: Sequence[Action], detail: Detail, pool: Executor,
    tick: Callable[[str], None],
) -> Questions:
    """Ask all questions of a level of detail; none where it has no small tree.

    `judged` holds the ways on fresh paths.
    """
    if not detail.small:
        return Questions()
    chosen = [(item.name, replace(item.plan.commitment, may_start=())) for item in solved]
    commitment, case = replace(best.plan.commitment, may_start=()), prepared.case
    branching = detail.small_of(len(case.branching))
    small = draw_world(prepared, branching=branching)
    entered = {item.name: item.plan.commitment for item in solved}
    lines = replace(commitment, programmes=(), may_start=())
    specs = {item.name: item for item in case.programmes}
    ranked = [specs[value.name] for value in programmes if value.route != "partner"][:SURFACES]
    with _asked_together() as side:
        tick("which inputs move the answer, what tells ways apart, what other draws say")
        moving = side.submit(
            sensitivities, prepared, best, judged.ways[best.name], detail.inputs, executor=pool,
            telling=telling_names(judged, entered, detail.inputs))
        telling = side.submit(all_turns, judged, small, entered, pool)
        opening = side.submit(option_values, small, commitment, pool)
        striking = side.submit(resilience, small, chosen, pool)
        exploring = (side.submit(answers, prepared, judged, solved, pool)
                     if detail.explore else None)
        drawing = [side.submit(surface, small, lines, item, pool) for item in ranked]
        again = side.submit(
            stability, prepared, branching, chosen, recommended=best.name, seeds=detail.seeds,
            executor=pool, actions=actions)
        moved = moving.result()
        names = [item.name for item in moved[:detail.inputs]]
        tick(f"what it is worth to know each of {len(names)} inputs, and where an own chip pays")
        knowing = side.submit(knowledge_values, small, commitment, names, pool)
        paying = side.submit(flips, small, lines, ranked, names[:MARKET], pool)
        varying = side.submit(sobol_indices, prepared, best, names, detail.sobol, pool)
        drawn = [item.result() for item in drawing]
        table = None if exploring is None else exploring.result()
        simplest = sorted(entered, key=lambda way: _openings(entered[way]))
        return Questions(
            sensitivities=moved if table is None else read_off(table, best.name, simplest),
            turns=telling.result(), options=opening.result(),
            knowledge=knowing.result(), resilience=striking.result(),
            surfaces=tuple(item for item in drawn if item is not None), flips=paying.result(),
            sobol=varying.result(), stability=again.result(),
            answers=table,
        )


def _openings(commitment: Commitment) -> int:
    return len(commitment.lines) + len(commitment.programmes) + len(commitment.may_start)


@contextmanager
def _asked_together() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask questions side by side, so that the pool behind them is never idle; none is
    waited for once something has gone wrong."""
    side = ThreadPoolExecutor(max_workers=8)
    try:
        yield side
    except BaseException:
        side.shutdown(wait=False, cancel_futures=True)
        raise
    side.shutdown()
