"""The table of answers beside planning anew: at its values, between them, where a vendor is priced
out, and where nothing is moved."""

import itertools
import math

import numpy as np
import pytest

from fabless.case_moves import movable, moved, unit_of
from fabless.decide.fresh.judge import Judged
from fabless.decide.questions import answers as asked
from fabless.decide.questions.answers import (
    answers,
    check_points,
    fresh_levels,
    planner_of,
    read_at,
    values_of,
)
from fabless.decide.questions.between import read_one
from fabless.decide.questions.levels import as_way_levels
from fabless.decide.questions.sensitivity import read_off
from fabless.decide.results import Answers, MovedInput
from fabless.decide.ways.choice import choose, plans_kept
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world, world_with_ranges
from fabless.report.page.controls import flips_of
from fabless.strategy import PORTFOLIO
from fabless.units import to_si
from here import Here
from metamorphic_fixture import planned, prepared_of, text_of, times, tried, without

CHEAP = times(0.4, "lines.amd.price")
"""A second vendor that is worth its software."""
ALONE = without("google")
"""No third one."""


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepared_of(text_of(CHEAP, ALONE))


@pytest.fixture(scope="module")
def judged() -> Judged:
    return tried(CHEAP, ALONE, paths=20)


@pytest.fixture(scope="module")
def table(prepared: Prepared, judged: Judged) -> Answers:
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("LEAVES", 4), ("INPUTS", 6), ("PAIRS", 2), ("STEPS", 2), ("CHECKED", 4)):
            patch.setattr(asked, name, size)
        return answers(prepared, judged, planned(CHEAP, ALONE).choice.ways, Here())


@pytest.fixture(scope="module")
def planner(prepared: Prepared, judged: Judged) -> asked.TablePlanner:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "LEAVES", 4)
        return planner_of(prepared, fresh_levels(prepared.case, judged), judged.best)


def test_where_nothing_is_moved_it_says_what_the_fresh_paths_say(
    prepared: Prepared, judged: Judged, table: Answers
) -> None:
    for item in table.inputs:
        assert item.levels[0].way == judged.best
        where = {item.name: to_si(item.value, item.unit)}
        for way in read_at(prepared.case, table, where):
            fresh = asked.fresh_level(prepared.case, judged, way.way)
            assert way.total_usd == pytest.approx(judged.total_usd[way.way].mean())
            assert way.total_usd == pytest.approx(fresh.total_usd)
            assert way.cost_per_query_usd == pytest.approx(fresh.cost_per_query_usd)
            assert way.unserved_usd == pytest.approx(fresh.unserved_usd)
            assert way.missing_share == pytest.approx(fresh.missing_share)


def test_it_holds_what_the_question_states_and_the_prices(table: Answers) -> None:
    names = [item.name for item in table.inputs]
    assert len(names) == len(set(names)) == 6
    assert {"demand.queries", "lines.h100.price", "lines.amd.price"} <= set(names)
    for item in table.inputs:
        assert item.value in item.values
        assert list(item.values) == sorted(set(item.values))


def test_at_its_values_it_is_planning_anew(
    prepared: Prepared, planner: asked.TablePlanner, table: Answers
) -> None:
    known = movable(prepared.case)
    for item in table.inputs:
        value = values_of(known[item.name])[-1]
        level, = planner.levels([{item.name: value}], None)
        for way in read_at(prepared.case, table, {item.name: value}):
            assert way.total_usd == pytest.approx(level[way.way].total_usd, rel=1e-9)
            assert way.risk_usd == pytest.approx(level[way.way].risk_usd, rel=1e-9, abs=1.0)


def test_the_grid_of_a_pair_is_planning_anew(
    prepared: Prepared, planner: asked.TablePlanner, table: Answers
) -> None:
    pair = table.pairs[0]
    known = movable(prepared.case)
    corners = itertools.product(*((values[0], values[-1]) for values in pair.values))
    points = [{name: to_si(value, unit_of(known[name]))
               for name, value in zip(pair.names, corner, strict=True)} for corner in corners]
    for point, level in zip(points, planner.levels(points, None), strict=True):
        for way in read_at(prepared.case, table, point):
            assert way.total_usd == pytest.approx(level[way.way].total_usd, rel=1e-9)


def test_between_its_values_it_is_near_planning_anew(
    prepared: Prepared, planner: asked.TablePlanner, table: Answers
) -> None:
    known = movable(prepared.case)
    values = {item.name: values_of(known[item.name]) for item in table.inputs}
    points = check_points(prepared.case, values, [pair.names for pair in table.pairs], count=12,
                          name="test")
    assert {len(point) for point in points} == {1, 2}
    check = asked.checked_against(prepared.case, table, points, planner.levels(points, None))
    assert check.points == 12
    assert check.winners_right >= 11
    assert check.median_error < 0.02
    assert check.worst_error < 0.15


def test_the_stated_check_is_of_plans_for_exactly_its_points(table: Answers) -> None:
    assert table.check.points == 4
    assert 0.0 < table.check.median_error <= table.check.worst_error < 0.15


def test_a_second_vendor_priced_out_leaves_the_way_without_it(
    prepared: Prepared, planner: asked.TablePlanner
) -> None:
    usual, = planner.levels([{}], None)
    assert usual["diversify"].total_usd < usual["buy"].total_usd
    dear = {"lines.amd.price": 100.0 * movable(prepared.case)["lines.amd.price"].spread.high}
    level, = planner.levels([dear], None)
    assert level["diversify"] == level["buy"]
    assert level["buy"].total_usd == pytest.approx(usual["buy"].total_usd)


def test_plans_that_a_number_does_not_touch_need_not_be_made_again(prepared: Prepared) -> None:
    usual = draw_world(prepared)
    plans = choose(usual, None, gates=False).plans
    kept_of = {}
    for name in movable(prepared.case):
        if not name.startswith(("lines.amd.", "programmes.")):
            assert name.startswith("lines.") or plans_kept(usual.case, plans, [name]) == {}
            continue
        kept_of[name] = plans_kept(usual.case, plans, [name])
    assert any(kept_of.values())
    for name in ("lines.amd.price", "programmes.backer.performance"):
        number = movable(prepared.case)[name]
        world = world_with_ranges(usual, {name: moved(number, number.spread.high)})
        anew = choose(world, None, gates=False)
        kept = choose(world, None, gates=False, plans=kept_of[name])
        assert kept.solves < anew.solves
        for way, other in zip(kept.ways, anew.ways, strict=True):
            assert way.result.objective_usd == pytest.approx(other.result.objective_usd, rel=1e-9)


def test_sensitivities_read_off_it_are_the_ways_at_its_ends(table: Answers, judged: Judged) -> None:
    rows = read_off(table, judged.best, list(judged.ways))
    assert [row.name for row in rows] == [item.name for item in table.inputs]
    for row, item in zip(rows, table.inputs, strict=True):
        for end, cost, first in ((row.low, row.cost_low_usd, row.best_low),
                                 (row.high, row.cost_high_usd, row.best_high)):
            ways = {way.way: way for way in read_one(item, end)}
            assert cost == pytest.approx(ways[judged.best].cost_per_query_usd, rel=1e-12)
            assert ways[first].total_usd == pytest.approx(
                min(way.total_usd for name, way in ways.items() if name != PORTFOLIO), rel=1e-12)


def test_track_colours_agree_with_planning_anew(
    prepared: Prepared, planner: asked.TablePlanner
) -> None:
    """At random prices of the second vendor the way that the track shows wins, or comes within a
    thousandth of the one that does; from some price on that is the dominant vendor alone."""
    usual = movable(prepared.case)["lines.amd.price"].spread.mode
    values = tuple(usual * np.geomspace(0.25, 16.0, 9))
    levels = as_way_levels(planner.levels([{"lines.amd.price": value} for value in values], None),
                           planner.ways)
    track = MovedInput(name="lines.amd.price", label="price", unit="USD", value=usual, values=values,
                       is_log=True, levels=levels)
    flips = [(float(str(row["at"])), str(row["below"]), str(row["above"]))
             for row in flips_of(track, ["buy", "diversify", "partner", "portfolio"])]
    assert [(below, above) for _, below, above in flips] == [("diversify", "buy")]
    tried_at = usual * np.exp(np.random.default_rng(7).uniform(math.log(0.25), math.log(16.0), 100))
    right = 0
    for price, level in zip(tried_at, planner.levels(
            [{"lines.amd.price": float(price)} for price in tried_at], None), strict=True):
        shown = next((below for at, below, _ in flips if price < at), flips[-1][2])
        right += level[shown].total_usd <= 1.001 * min(way.total_usd for way in level.values())
    assert right >= 95
