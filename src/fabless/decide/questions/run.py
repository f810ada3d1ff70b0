"""What the answer is asked: what moves it, what each option and each piece of knowledge is worth,
what it would stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from fabless.decide.detail import Detail
from fabless.decide.fresh.judge import Judged
from fabless.decide.questions.break_even import flips, surface
from fabless.decide.questions.knowledge import knowledge_values
from fabless.decide.questions.options import option_values
from fabless.decide.questions.resilience import resilience
from fabless.decide.questions.sensitivity import sensitivities
from fabless.decide.questions.sobol import sobol_indices
from fabless.decide.questions.stability import stability
from fabless.decide.questions.turns import all_turns, telling_names
from fabless.decide.results import Action, ProgrammeValue, Questions
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay

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
    tick("which inputs move the answer")
    entered = {item.name: item.plan.commitment for item in solved}
    moved = sensitivities(
        prepared, best, judged.ways[best.name], detail.inputs, executor=pool,
        telling=telling_names(judged, entered, detail.inputs))
    names = [item.name for item in moved[:detail.inputs]]
    tick("what must be true for another way to be cheaper")
    apart = all_turns(judged, small, entered, pool)
    tick("what each option is worth, and waiting a year")
    options = option_values(small, commitment, pool)
    tick(f"what it is worth to know each of {len(names)} inputs")
    knowledge = knowledge_values(small, commitment, names, pool)
    tick(f"{case.dominant_vendor} gone for two quarters")
    without_vendor = resilience(small, chosen, pool)
    tick("where a chip programme begins to pay")
    specs = {item.name: item for item in case.programmes}
    ranked = [specs[value.name] for value in programmes if value.route != "partner"]
    lines = replace(commitment, programmes=(), may_start=())
    drawn = [surface(small, lines, item, pool) for item in ranked[:SURFACES]]
    surfaces = tuple(item for item in drawn if item is not None)
    pays = flips(small, lines, ranked[:SURFACES], names[:MARKET], pool)
    tick("Sobol indices")
    indices = sobol_indices(prepared, best, names, detail.sobol, pool)
    tick(f"the comparison with {detail.seeds} other seeds")
    again = stability(
        prepared, branching, chosen, recommended=best.name, seeds=detail.seeds, executor=pool,
        actions=actions,
    )
    return Questions(
        sensitivities=moved, turns=apart, options=options, knowledge=knowledge, resilience=without_vendor,
        surfaces=surfaces, flips=pays, sobol=indices, stability=again,
    )
