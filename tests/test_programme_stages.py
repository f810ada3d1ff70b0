"""The graph of a programme's stages: longest paths by hand, bad graphs, and routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabless.errors import BadValue
from fabless.programme import End, Gate, Route, Stage, dates, route_stages, topological_order
from fabless.records import Range
from fabless.units import MONTH_S
from test_programme import BUILD, CERTAIN, exactly, months, run


def test_longest_path_of_a_graph_made_by_hand():
    # a 3 -> b 2 -> d 4; a -> c 6 -> d; e 20 beside, f after d and e: a-c-d is 13, e is 20
    stages = topological_order((Stage(name="f", after=("d", "e")), Stage(
        name="d", after=("b", "c")), Stage(name="b", after=("a",)), Stage(
        name="c", after=("a",)),
                                Stage(name="a"), Stage(name="e")))
    when = dates(stages, {"a": 3.0, "b": 2.0, "c": 6.0, "d": 4.0, "e": np.array([20.0, 1.0]), "f": 1.0})
    assert [float(when[name][1]) for name in "abcd"] == [3, 5, 9, 13]
    np.testing.assert_array_equal(when["f"], [[20, 13], [21, 14]])


def test_a_hammock_lasts_until_what_waits_for_it_can_start():
    stages = topological_order((Stage(name="work"), Stage(
        name="team", after=(), duration_s=None), Stage(name="end", after=("work", "team"))))
    assert [float(date) for date in dates(stages, {"work": 7.0, "end": 1.0})["team"]] == [0.0, 7.0]


@given(st.permutations(range(7)))
def test_any_order_of_the_same_stages_gives_the_same_dates(order: list[int]):
    stages = [Stage(name=str(k), after=tuple(str(j) for j in range(k) if (j * k) % 3 != 2)) for k in range(7)]
    length = {str(k): (k * 5) % 7 + 1.0 for k in range(7)}
    straight = dates(topological_order(stages), length)
    shuffled = dates(topological_order([stages[k] for k in order]), length)
    assert {name: float(pair[1]) for name, pair in straight.items()} == {
        name: float(pair[1]) for name, pair in shuffled.items()}


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (
            (
                Stage(name="a", after=("b",)), Stage(name="b", after=("c",)),
                Stage(name="c", after=("a",)),
            ),
            "a after b after c after a",
        ),
        (
            (Stage(name="x"), Stage(name="a", after=("x", "b")), Stage(name="b", after=("a",))),
            "a after b after a",
        ),
        (
            (Stage(name="silicon", after=("tape-uot",)), Stage(name="tape-out")),
            "did you mean tape-out",
        ),
        ((Stage(name="a"), Stage(name="a")), "stage a: given 2 times"),
    ],
)
def test_a_graph_that_cannot_be_is_named(stages: tuple[Stage, ...], said: str):
    with pytest.raises(BadValue, match=said):
        topological_order(stages)


def test_a_bad_stage_is_refused():
    with pytest.raises(BadValue) as error:
        Stage(name="a", after=("a",), duration_s=months(-1, 0, 1), spend_usd=Range(-1.0, 0.0, 0.0))
    assert [fault.place for fault in error.value.faults] == ["stage a, after", "stage a, duration_s", "stage a, spend_usd"]
    with pytest.raises(BadValue, match="no name"):
        Stage(name="")


def test_a_cycle_among_own_stages_is_found_before_anything_runs():
    with pytest.raises(BadValue, match=r"a cycle: .*licence after tape-out"):
        run(replace(BUILD, stages=(Stage(name="licence", after=("tape-out",)), Stage(
            name="physical design", after=("licence",)))), 4)


def test_routes_differ_in_how_they_start():
    for route, start in ((Route.BUILD, "team"), (Route.CO_DESIGN, "team"), (Route.PARTNER, "agreement")):
        assert route_stages(replace(BUILD, route=route))[0].name == start
    assert route_stages(CERTAIN)[0].name == "deal"
    assert {stage.gate for stage in route_stages(BUILD)} == {None, *Gate}


def test_an_own_stage_delays_what_waits_for_it():
    # deal 4, design 1.5 x 12 = 18, so tape-out at 22; a licence of 30 from the start of work holds
    # it until 34
    licence = Stage(name="licence", after=("integration",), duration_s=exactly(30), spend_usd=Range.point(6e6))
    tape_out = Stage(name="tape-out", after=("physical design", "licence"), spend_usd=Range.point(20e6))
    draws = run(replace(CERTAIN, stages=(licence, tape_out)), 4)
    np.testing.assert_allclose(draws.tapeout_month, 34)
    np.testing.assert_allclose(draws.volume_month, 35.5 + 12)
    more = run(CERTAIN, 4).capital_at_risk_usd + 6e6 + 12 * 2e6
    np.testing.assert_allclose(draws.capital_at_risk_usd, more, rtol=1e-12)


def test_volume_waits_for_the_software():
    late = run(replace(CERTAIN, software_s=exactly(40)), 2)
    np.testing.assert_allclose(late.volume_month, 44)
    early = run(replace(CERTAIN, software_s=exactly(5)), 2)
    np.testing.assert_allclose(early.volume_month, 35.5)
    np.testing.assert_allclose(early.finish_of("software"), 9)
    np.testing.assert_allclose(early.capital_at_risk_usd, run(CERTAIN, 2).capital_at_risk_usd, rtol=1e-12)


def test_volume_waits_for_an_own_stage_that_nothing_waits_for():
    draws = run(replace(CERTAIN, stages=(Stage(
        name="second source", after=("tape-out",), duration_s=exactly(30)),)), 2)
    np.testing.assert_allclose(draws.volume_month, 22 + 30)


def test_a_gate_must_stand_on_one_stage():
    with pytest.raises(BadValue, match="gate ARCHITECTURE"):
        run(replace(BUILD, stages=(Stage(name="architecture", after=("integration",), duration_s=exactly(5)),)), 4)
    with pytest.raises(BadValue, match="on silicon and bring-up"):
        run(
            replace(
                BUILD,
                stages=(
                    Stage(
                        name="silicon", after=("tape-out",), duration_s=exactly(5),
                        gate=Gate.FIRST_SILICON,
                    ),
                ),
            ),
            4,
        )


def test_what_is_in_the_fab_takes_no_time_and_no_money():
    draws = run(replace(CERTAIN, stands_at="silicon"), 2)
    np.testing.assert_allclose(draws.volume_month, 4 + 4.5 + 9)
    np.testing.assert_allclose(draws.capital_at_risk_usd, (900 + 63 + 2 * 13.5) * 1e6, rtol=1e-12)  # no design, no masks
    half = run(replace(CERTAIN, stands_at="physical design"), 2)
    np.testing.assert_allclose(half.volume_month, 35.5 - 12)
    np.testing.assert_allclose(half.capital_at_risk_usd, (900 + 63 + 30 + 20 + 2 * 19.5) * 1e6, rtol=1e-12)
    with pytest.raises(BadValue, match="stands_at"):
        run(replace(CERTAIN, stands_at="silicone"), 2)


def test_a_chip_beyond_its_respins_spins_no_more_and_passes_no_gate_again():
    certain_end = {Gate.ARCHITECTURE: replace(BUILD.ended, failed=1.0, passed=0.0)}
    draws = run(
        replace(
            CERTAIN, stands_at="qualification", gates=certain_end,
            first_silicon_good=Range.point(0.0), respin_good=Range.point(0.0),
        ),
        8,
    )
    np.testing.assert_allclose(draws.volume_month, 4 + 9)
    assert draws.spins.tolist() == [1] * 8
    assert draws.rates.ends[End.NONE].min() == 1.0


def test_staff_that_leave_and_integration_slow_the_design_alone():
    draws = run(replace(CERTAIN, retention=Range.point(0.5), integration_s=exactly(3)), 2)
    np.testing.assert_allclose(draws.work_month, 7)
    np.testing.assert_allclose(draws.tapeout_month, 7 + 18 / 0.5)
    np.testing.assert_allclose(draws.volume_month - draws.tapeout_month, 13.5)
    # the team of 2 a month is paid from the close, month 4, on
    expected = 900 + 90 + 20 + 63 + 2 * (7 + 36 + 13.5 - 4)
    np.testing.assert_allclose(draws.capital_at_risk_usd, expected * 1e6, rtol=1e-12)


def test_bring_up_moves_good_silicon_and_not_volume():
    draws = run(replace(CERTAIN, bring_up_share=0.25), 2)
    np.testing.assert_allclose(draws.good_silicon_month, 26.5 + 0.25 * 9)
    np.testing.assert_allclose(draws.first_silicon_month, 26.5)
    np.testing.assert_allclose(draws.volume_month, 35.5)


def test_parts_of_a_duration_are_long_together():
    even = run(replace(BUILD, slip=Range.point(1.0)), 512)
    uneven = run(replace(BUILD, slip=Range.point(1.0), design_shares=(0.1, 0.2, 0.7)), 512)
    np.testing.assert_allclose(even.tapeout_month, uneven.tapeout_month, rtol=1e-12)
    whole = uneven.finish_of("physical design") - uneven.work_month
    share = (uneven.finish_of("architecture") - uneven.work_month) / whole
    reached = ~np.isnan(share)
    np.testing.assert_allclose(share[reached], 0.1, rtol=1e-9)


def test_the_units_of_a_stage_are_seconds():
    (stage,) = (stage for stage in route_stages(BUILD) if stage.name == "silicon")
    assert isinstance(stage.duration_s, Range)
    assert stage.duration_s.mode == 4.5 * MONTH_S
