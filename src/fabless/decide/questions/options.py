"""What each option is worth to the best plan: taken away for good, or for the first year only."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace

from fabless.decide.results import OptionValue
from fabless.decide.ways.problem import World, open_contracts, plan_of
from fabless.decide.ways.restricted import closed
from fabless.decide.ways.solved import solved_plan
from fabless.strategy import Commitment

YEAR = 4
EVERYTHING = "everything"
"""Name of the row in which all options wait."""

Job = tuple[World, Commitment, tuple[str, ...], int]
"""World, commitment, pools that are closed, quarter up to which."""


def option_values(world: World, commitment: Commitment, executor: Executor) -> tuple[OptionValue, ...]:
    """Rise of the objective when an option is not there at all, and when it opens a year later;
    dearest first.

    `commitment` is that of the recommended way; its lines, contracts and programmes are the
    options; without a line its contracts go too. The rest of the plan is made anew each time. The
    row `EVERYTHING` is the price of ordering and starting nothing for a year.
    """
    contracts = tuple(open_contracts(world.case, commitment))
    commitment = replace(commitment, contracts=contracts)
    names = [line.name for line in commitment.lines]
    names += [item.name for item in contracts] + [item.name for item in commitment.programmes]
    base, *costs = executor.map(_objective, _jobs(world, commitment, names))
    removed, delayed, waiting = costs[:len(names)], costs[len(names):-1], costs[-1]
    dearest = sorted(zip(names, removed, delayed, strict=True), key=lambda row: -row[1])
    return (*(OptionValue(name, gone - base, late - base) for name, gone, late in dearest),
            OptionValue(EVERYTHING, None, waiting - base))


def _jobs(world: World, commitment: Commitment, names: list[str]) -> Iterator[Job]:
    yield world, commitment, (), 0
    yield from ((world, _without(commitment, name), (), 0) for name in names)
    yield from ((world, commitment, (name,), YEAR) for name in names)
    yield world, commitment, tuple(names), YEAR


def _without(commitment: Commitment, name: str) -> Commitment:
    return replace(
        commitment, lines=tuple(line for line in commitment.lines if line.name != name),
        programmes=tuple(item for item in commitment.programmes if item.name != name),
        contracts=tuple(item for item in commitment.contracts or () if item.name != name),
    )


def _objective(job: Job) -> float:
    world, commitment, pools, until = job
    return solved_plan(world, "", closed(plan_of(world, commitment), pools, until)).result.objective_usd
