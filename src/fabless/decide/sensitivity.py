"""Which inputs move the answer: each in turn at its low and its high end, all else as it was.

First every input that the recommended way uses is tried on a small tree; then, for those that move its cost most, all
ways are solved again, to see whether another one comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from fabless.decide.prepare import Prepared
from fabless.decide.problem import World, moved, world
from fabless.decide.results import Sensitivity
from fabless.decide.solved import Solved, solve_best
from fabless.records import Case, CaseNumber, Range
from fabless.strategy import PORTFOLIO, TITLES, Commitment, commitments
from fabless.units import UNITS, from_si

SMALL = 3
"""Branches at the first branching of the small tree; later ones have one."""


@dataclass(frozen=True)
class _Try:
    """One end of one input."""

    name: str
    end: str
    value: float


def sensitivities(
    prepared: Prepared, best: Solved, deep: int, executor: Executor, tick: Callable[[str], None]
) -> tuple[Sensitivity, ...]:
    """Sensitivity of the recommended way's expected cost per query, largest effect first.

    `deep` is how many inputs are tried with every way. Costs are of the recommended commitment on the small tree,
    scaled so that its base case meets the cost on the full tree.
    """
    case = prepared.case
    usual = world(prepared, branching=(SMALL, *(1 for _ in case.branching[1:])))
    level = expected_cost(best) / expected_cost(solve_best(usual, best.name, (best.plan.commitment,)))
    tries = [_Try(name, end, getattr(number.spread, end)) for name, number in case.numbers.items()
             if number.spread.low < number.spread.high and _is_used(name, best.plan.commitment, case)
             for end in ("low", "high")]
    tick(f"sensitivity: {len(tries) // 2} inputs")
    costs = list(executor.map(_recommended_cost, _chunks(usual, best.plan.commitment, best.name, tries)))
    found = {(item.name, item.end): cost for chunk in costs for item, cost in chunk}
    names = sorted({item.name for item in tries},
                   key=lambda name: (-abs(found[name, "high"] - found[name, "low"]), name))
    tick(f"sensitivity: every way at both ends of {min(deep, len(names))} inputs")
    ends = [item for name in names[:deep] for item in tries if item.name == name]
    winners = dict(zip(((item.name, item.end) for item in ends),
                       executor.map(_winner, ((usual, item) for item in ends)), strict=True))
    return tuple(_sensitivity(case.numbers[name], [found[name, end] * level for end in ("low", "high")],
                              [winners[name, end] for end in ("low", "high")]) for name in names[:deep])


def expected_cost(solved: Solved) -> float:
    """Expected levelised cost of a served query [USD]."""
    paths = solved.paths
    levelised = (paths.query_cost_usd @ paths.discount) / (paths.served @ paths.discount)
    return float(paths.probability @ levelised)


def _is_used(name: str, commitment: Commitment, case: Case) -> bool:
    """Whether a number can matter to a commitment: it is of the case at large, or of something that is open."""
    family, _, rest = name.partition(".")
    if family == "programmes":
        return any(rest.startswith(f"{item.name}.") for item in commitment.programmes)
    if family == "lines":
        return any(name in line.terms.values() for line in commitment.lines)
    return True


Chunk = tuple[World, Commitment, str, tuple[_Try, ...]]


def _chunks(usual: World, commitment: Commitment, name: str, tries: list[_Try]) -> Iterable[Chunk]:
    size = 16
    for start in range(0, len(tries), size):
        yield usual, commitment, name, tuple(tries[start:start + size])


def _at(usual: World, item: _Try) -> World:
    return moved(usual, {item.name: Range.point(item.value)})


def _recommended_cost(chunk: Chunk) -> list[tuple[_Try, float]]:
    usual, commitment, name, tries = chunk
    return [(item, expected_cost(solve_best(_at(usual, item), name, (commitment,)))) for item in tries]


def _winner(job: tuple[World, _Try]) -> str:
    """The single way that ranks first when one input stands at an end."""
    here = _at(*job)
    ways = [way for way in TITLES if way != PORTFOLIO]
    objective = {way: solve_best(here, way, commitments(here.case, way)).result.objective_usd for way in ways}
    return min(ways, key=lambda way: objective[way])


def label_of(name: str) -> str:
    """Readable name of an input.

    >>> label_of("demand.work_trend"), label_of("lines.amd-owned.price")
    ('work trend (demand)', 'price of amd-owned')
    """
    section, *owner, key = name.split(".")
    return f"{key.replace('_', ' ')} {f'of {owner[0]}' if owner else f'({section})'}"


def _sensitivity(number: CaseNumber, costs: list[float], winners: list[str]) -> Sensitivity:
    unit = number.unit if number.unit in UNITS else "1"
    low, high = from_si(number.spread.low, unit), from_si(number.spread.high, unit)
    return Sensitivity(number.name, label_of(number.name), unit, low, high,
                       costs[0], costs[1], winners[0], winners[1])
