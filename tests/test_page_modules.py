"""The modules of the page, run by node and held against Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from fabless import wording
from node_fixture import called, needs_node

pytestmark = needs_node


def numbers(seed: int, size: int) -> list[float]:
    """Numbers of every size and sign, short ones, halves, neighbours of powers of ten."""
    rng = random.Random(seed)
    found = [0.0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 1e15, 1.0005e15, 1.0015e15, 9.9995e15, 9999.5, 9998.5,
             -0.4, math.inf, -math.inf, math.nan, 1e21, 2.5e25, 999.5, 0.004999, 0.005, 0.995, 0.9951]
    for power in range(-12, 19):
        edge = 10.0**power
        found += [edge, math.nextafter(edge, 0.0), math.nextafter(edge, math.inf), -edge,
                  edge * 0.9995, edge * 0.99949, edge * 0.5, edge * 1.005]
    for _ in range(size):
        value = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-9, 18)
        found += [value, round(value, 2), float(f"{value:.3g}"), float(f"{value:.2g}5e-1".replace("e+", "e"))
                  if "e" not in f"{value:.2g}" else value, rng.randrange(-4000, 4000) / 16, rng.random()]
    return found


def alike(name: str, python: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> None:
    """Both languages answer the same to all arguments."""
    answers = called([("format", name, each) for each in arguments])
    different = [(each, python(*each), answer) for each, answer in zip(arguments, answers, strict=True)
                 if python(*each) != answer]
    assert different == []


@pytest.mark.parametrize(("name", "python"), [
    ("significant", wording.significant), ("plain", wording.plain), ("usd", wording.usd),
    ("errorUsd", wording.error_usd), ("cents", wording.cents), ("inPercent", wording.in_percent),
    ("count", wording.count),
])
def test_a_number_is_written_as_python_writes_it(name: str, python: Callable[..., str]) -> None:
    alike(name, python, [(value,) for value in numbers(1, 700)])


@pytest.mark.parametrize("decimals", range(6))
def test_cents_with_decimals(decimals: int) -> None:
    alike("cents", wording.cents, [(value, decimals) for value in numbers(2, 200)])


def test_significant_with_digits() -> None:
    alike("significant", wording.significant, [(value, digits) for value in numbers(3, 150) for digits in (1, 2, 4)])


def test_steps_and_parts_of_a_sum() -> None:
    rng = random.Random(4)
    sums = [[rng.choice([-1, 1]) * 10.0 ** rng.uniform(-3, 11) for _ in range(rng.randrange(1, 9))] for _ in range(600)]
    sums += [[0.4, 0.4, 0.4], [-1.6, 0.7], [0.0], [0.5, 1.0, 1.0], [-0.5, -0.5], [0.1] * 10]
    finite = [value for value in numbers(5, 100) if abs(value) < 1e21]
    alike("usdStep", wording.usd_step, [(value,) for value in finite])
    alike("exactSum", math.fsum, [(each,) for each in sums])
    for step in (1.0, 0.01, 1e7):
        alike("inSteps", wording.in_steps, [(each, step) for each in sums])
    alike("stepsUsd", wording.steps_usd, [(rng.randrange(-99999, 99999), 10.0**rng.randrange(-2, 12)) for _ in range(900)])
    alike("usdParts", lambda each: dict(zip(("parts", "total"), wording.usd_parts(each), strict=True)),
          [(each,) for each in sums])


def test_decimals_of_a_column_of_cents() -> None:
    rng = random.Random(6)
    columns = [[10.0 ** rng.uniform(-6, 1)] for _ in range(300)]
    columns += [[(low := 10.0 ** rng.uniform(-5, 0)), low * rng.uniform(1.0, 1.08), 3 * low] for _ in range(600)]
    columns += [[], [0.0], [math.nan, 0.001], [0.001, 0.001], [0.00116, 0.00121], [0.01], [0.001]]
    alike("centDecimals", wording.cent_decimals, [(each,) for each in columns])


def test_names_titles_and_units() -> None:
    alike("listed", wording.listed, [(["a"],), (["a", "b"],), (["a", "b", "c"],)])
    alike("heading", wording.heading, [("the own chip",), ("H100",), ("theory",), ("",)])
    alike("withUnit", wording.with_unit,
          [(20.0, "% a year"), (4e4, "USD"), (3.0, "1"), (0.25, ""), (1.93e8, "query/day")])
