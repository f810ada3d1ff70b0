"""The made-up decision with a table of answers that follows from formulas: on the price of H100 the
portfolio loses to buying, growth only costs."""

from __future__ import annotations

from dataclasses import replace

from decision_fixture import decision
from fabless.case_moves import shown_range
from fabless.case_records import CaseNumber
from fabless.decide import Decision, WayResult
from fabless.decide.results import Answers, AnswersCheck, MovedInput, MovedPair, WayLevels

INPUTS = ("price.h100-sxm", "demand.growth_per_year", "power.price", "supply.lead_time", "capital.cost")
"""Inputs of the table; two are crossed, the first and the second."""
POWERS = {
    "price.h100-sxm": {"portfolio": 1.6, "buy": 0.2},
    "demand.growth_per_year": {"portfolio": 0.5, "buy": 0.5},
}
"""Input -> way -> power with which its total grows; 0.4 of all others."""


def spaced(number: CaseNumber) -> tuple[float, ...]:
    """Nine values of an input, its ends and its own among them."""
    low, mode, high = shown_range(number)
    steps = [low * (high / low) ** (k / 7) for k in range(1, 7)]
    return tuple(sorted({low, *steps, high, mode}))


def levels_at(way: WayResult, moves: list[dict[str, float]]) -> WayLevels:
    """A way at moved inputs, each given over its present value."""
    factors = [1.0] * len(moves)
    for k, move in enumerate(moves):
        for name, ratio in move.items():
            factors[k] *= ratio ** POWERS.get(name, {}).get(way.name, 0.4)
    return WayLevels(
        way=way.name,
        cash_usd=tuple(way.cash_usd * factor for factor in factors),
        unserved_usd=tuple(way.unserved_usd * factor for factor in factors),
        risk_usd=tuple(way.risk_usd * factor for factor in factors),
        cost_per_query_usd=tuple(way.cost_per_query_usd.p50 * factor for factor in factors),
        missing_share=tuple(way.shortage_share.mean for _ in factors),
    )


def moved_decision(moving: tuple[str, ...] = INPUTS) -> Decision:
    """The made-up decision with a table of answers along the inputs `moving`."""
    made = decision()
    numbers = {number.name: number for number in made.assumptions}
    values = {name: spaced(numbers[name]) for name in moving}
    present = {name: shown_range(numbers[name])[1] for name in moving}
    inputs = tuple(
        MovedInput(
            name=name, label=name, unit=numbers[name].unit, value=present[name],
            values=values[name], is_log=True,
            levels=tuple(levels_at(way, [{name: x / present[name]} for x in values[name]])
                         for way in made.strategies))
        for name in moving)
    one, two = moving[:2]
    grid = (values[one][::2], values[two][::2])
    both = [{one: x / present[one], two: y / present[two]} for x in grid[0] for y in grid[1]]
    pair = MovedPair(names=(one, two), values=grid,
                     levels=tuple(levels_at(way, both) for way in made.strategies))
    check = AnswersCheck(points=40, median_error=0.01, worst_error=0.03, winners_right=39)
    answers = Answers(leaves=3, inputs=inputs, pairs=(pair,), check=check)
    return replace(made, questions=replace(made.questions, answers=answers))
