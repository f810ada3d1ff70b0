"""Reading a table of answers between its values: the written rule, held against SciPy and by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from fabless.decide.questions.between import monotone, read_one, read_two
from fabless.decide.questions.levels import Level, as_way_levels, carried_over, root_of
from fabless.decide.results import MovedInput, MovedPair

STEPS = st.lists(st.floats(0.05, 3.0), min_size=1, max_size=9)


@given(STEPS, st.data())
def test_the_written_rule_is_the_interpolant_of_scipy(steps: list[float], data: st.DataObject) -> None:
    places = np.cumsum([0.0, *steps])
    size = len(places)
    values = data.draw(st.lists(st.floats(-5.0, 5.0), min_size=size, max_size=size))
    t = data.draw(st.floats(0.0, float(places[-1])))
    oracle = float(PchipInterpolator(places, values)(t))
    assert monotone(t, list(places), values) == pytest.approx(oracle, rel=1e-9, abs=1e-9)


def level(total: float, cost: float = 0.1) -> Level:
    return Level(total_usd=total, unserved_usd=0.1 * total, risk_usd=0.05 * total,
                 cost_per_query_usd=cost, missing_share=0.02)


def moved_input(name: str, values: tuple[float, ...], present: float,
                totals: dict[str, list[float]], *, is_log: bool = False) -> MovedInput:
    points = [{way: level(row[k], row[k] / 1e3) for way, row in totals.items()}
              for k in range(len(values))]
    return MovedInput(name=name, label=name, unit="1", value=present, values=values, is_log=is_log,
                      levels=as_way_levels(points, list(totals)))


FIRST = moved_input("a", (1.0, 2.0, 4.0), 2.0,
                    {"r": [90.0, 100.0, 120.0], "w": [95.0, 100.0, 110.0]}, is_log=True)
SECOND = moved_input("b", (0.0, 1.0, 2.0), 1.0,
                     {"r": [80.0, 100.0, 130.0], "w": [80.0, 100.0, 150.0]})


def test_values_of_the_table_are_read_as_they_stand_and_parts_add_up() -> None:
    for table, k in itertools.product((FIRST, SECOND), range(3)):
        for way, stated in zip(read_one(table, table.values[k]), table.levels, strict=True):
            assert way.cash_usd == pytest.approx(stated.cash_usd[k])
            assert way.total_usd == pytest.approx(
                stated.cash_usd[k] + stated.unserved_usd[k] + stated.risk_usd[k])
            assert way.cost_per_query_usd == pytest.approx(stated.cost_per_query_usd[k])


def test_ways_that_are_the_same_at_two_values_are_the_same_between_them() -> None:
    ref, way = read_one(SECOND, 0.37)
    assert way.total_usd == ref.total_usd
    assert way.cost_per_query_usd == ref.cost_per_query_usd


def test_the_lead_changes_where_the_difference_changes_its_sign() -> None:
    for value, ahead in ((1.5, "r"), (3.0, "w")):
        ways = read_one(FIRST, value)
        assert min(ways, key=lambda way: way.total_usd).way == ahead


def test_nothing_is_read_beyond_the_table() -> None:
    with pytest.raises(ValueError, match="beyond"):
        read_one(FIRST, 4.1)


PAIR = MovedPair(
    names=("a", "b"), values=(FIRST.values, SECOND.values),
    levels=as_way_levels([
        {"r": level(r, r / 1e3), "w": level(w, w / 1e3)} for r, w in (
            (70.0, 75.0), (90.0, 95.0), (125.0, 150.0), (80.0, 80.0), (100.0, 100.0),
            (130.0, 150.0), (95.0, 85.0), (120.0, 110.0), (160.0, 170.0))], ["r", "w"]))
INPUTS = {"a": FIRST, "b": SECOND}


@given(st.floats(1.0, 4.0), st.floats(0.0, 2.0))
def test_a_pair_agrees_with_its_single_inputs(a: float, b: float) -> None:
    for read, single in ((read_two(PAIR, INPUTS, (a, 1.0)), read_one(FIRST, a)),
                         (read_two(PAIR, INPUTS, (2.0, b)), read_one(SECOND, b))):
        for way, alone in zip(read, single, strict=True):
            assert way.total_usd == pytest.approx(alone.total_usd)
            assert way.cost_per_query_usd == pytest.approx(alone.cost_per_query_usd)
            assert way.missing_share == pytest.approx(alone.missing_share)


def test_the_grid_of_a_pair_is_read_as_it_stands() -> None:
    for k, (a, b) in enumerate(itertools.product(FIRST.values, SECOND.values)):
        for way, stated in zip(read_two(PAIR, INPUTS, (a, b)), PAIR.levels, strict=True):
            assert way.unserved_usd == pytest.approx(stated.unserved_usd[k])
            assert way.cash_usd == pytest.approx(stated.cash_usd[k])


FRESH = {"buy": level(92.0, 0.10), "two": level(87.0, 0.09), "build": level(92.5, 0.11),
         "all": level(87.0, 0.09)}
TREE = {"buy": level(63.0, 0.07), "two": level(61.0, 0.065), "build": level(63.2, 0.075),
        "all": level(61.0, 0.065)}
CONTAINED = {"two": ("buy",), "all": ("buy", "two", "build")}


def test_levels_with_nothing_moved_are_those_of_the_fresh_paths() -> None:
    levels = carried_over(FRESH, TREE, TREE, CONTAINED)
    for way, stated in FRESH.items():
        for part in ("total_usd", "unserved_usd", "risk_usd", "cost_per_query_usd"):
            assert getattr(levels[way], part) == pytest.approx(getattr(stated, part)), (way, part)


def test_a_way_moves_only_with_what_it_rests_on() -> None:
    levels = carried_over(FRESH, TREE, TREE | {"two": level(60.0, 0.06), "all": level(60.0, 0.06)},
                          CONTAINED)
    assert levels["buy"].total_usd == pytest.approx(92.0)
    assert levels["two"].total_usd == pytest.approx(92.0 - 5.0 * 3.0 / 2.0)


def test_a_second_vendor_that_is_given_up_costs_nothing_and_gains_nothing() -> None:
    priced_out = TREE | {"two": TREE["buy"], "all": TREE["buy"]}
    levels = carried_over(FRESH, TREE, priced_out, CONTAINED)
    assert levels["two"] == levels["buy"] == levels["all"]


@given(st.lists(st.floats(20.0, 200.0), min_size=4, max_size=4))
def test_no_way_is_dearer_than_one_that_it_contains(totals: list[float]) -> None:
    buy, two, build, every = totals
    two = min(buy, two)
    tree = {"buy": level(buy), "two": level(two), "build": level(build),
            "all": level(min(two, build, every))}
    levels = carried_over(FRESH, TREE, tree, CONTAINED)
    for way, inner in CONTAINED.items():
        assert all(levels[way].total_usd <= levels[name].total_usd for name in inner)
    assert all(math.isfinite(levels[way].total_usd) for way in FRESH)


def test_the_root_is_the_way_that_most_others_contain() -> None:
    assert root_of(list(FRESH), CONTAINED) == "buy"
