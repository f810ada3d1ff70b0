"""Whether the stated error of a difference holds what other draws give: over 30 seeds, each with a
tree and fresh paths of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fabless.catalogue import load
from fabless.catalogue.case.case import parse_case
from fabless.decide.detail import DETAILS
from fabless.decide.fresh.judge import judge
from fabless.decide.ways.choice import choose
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world
from here import Here
from test_turns import WIDE

SEEDS = 30
PATHS = 100


@pytest.fixture(scope="module")
def runs() -> list[tuple[float, float]]:
    """Difference of the two ways and its stated error, by seed."""
    case = parse_case(WIDE, "wide.yaml", Path("."))
    prepared = prepare(case, load(case.as_of))
    detail, answers = replace(DETAILS["quick"], paths=PATHS), []
    for seed in range(3_000, 3_000 + SEEDS):
        drawn = replace(prepared, case=replace(prepared.case, seed=seed, branching=(4,)))
        choice = choose(draw_world(drawn), None, gates=False)
        answers.append(judge(drawn, choice, detail, pool=Here()).difference("buy", "diversify"))
    return answers


def test_two_errors_hold_the_mean_of_the_other_seeds(runs: list[tuple[float, float]]) -> None:
    """Of 30 intervals that each hold it with 95 %, fewer than 27 do in 6 % of all sets of seeds;
    those here are fixed."""
    differences, errors = np.array(runs).T
    others = (differences.sum() - differences) / (SEEDS - 1)
    inside = np.abs(differences - others) <= 2.0 * errors
    assert inside.mean() >= 0.9


def test_errors_are_of_the_size_of_the_spread(runs: list[tuple[float, float]]) -> None:
    """An error that is too large would hold everything: it stays under twice the spread."""
    differences, errors = np.array(runs).T
    ratio = differences.std(ddof=1) / np.sqrt((errors**2).mean())
    assert 0.5 < ratio < 1.5
