"""The market against closed forms of Markov chains and renewals, simulation, and numerical
integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from fabless.errors import BadValue
from fabless.market import (
    arrival_quarter,
    expected_multiple,
    leave_chance,
    log_growth,
    next_chance,
    of_generation,
    price_path_usd,
    strike_chance,
)
from fabless.records import Range
from fabless.sampling import mean, quantile, stream
from fabless.units import QUARTER_S, YEAR_S

durations = st.floats(1.0, 40.0)


@given(normal=durations, scarce=durations, start=st.floats(0, 1), quarters=st.integers(0, 12))
def test_several_quarters_follow_the_second_eigenvalue(
    normal: float, scarce: float, start: float, quarters: int
):
    enter, leave = leave_chance(normal * QUARTER_S), leave_chance(scarce * QUARTER_S)
    matrix = np.array([[1.0 - enter, enter], [leave, 1.0 - leave]])
    chance = start
    for _ in range(quarters):
        chance = float(next_chance(chance, enter, leave))
    powered = np.array([1.0 - start, start]) @ np.linalg.matrix_power(matrix, quarters)
    assert chance == pytest.approx(powered[1], abs=1e-12)
    long_run = scarce / (normal + scarce)
    assert chance == pytest.approx(long_run + (start - long_run) * (1 - 1 / normal - 1 / scarce) ** quarters, abs=1e-12)


def test_shares_and_durations_of_a_simulated_chain_meet_their_closed_forms():
    """100,000 quarters: scarce a third of the time, four quarters long, eight between, durations
    geometric."""
    enter, leave = float(leave_chance(8 * QUARTER_S)), float(leave_chance(4 * QUARTER_S))
    points = stream(3, "chain").random(100_000)
    on = np.empty(points.size, dtype=bool)
    state = 0.0
    for k, point in enumerate(points):
        state = float(point < next_chance(state, enter, leave))
        on[k] = state == 1.0
    # variance of the share of an autocorrelated chain: p (1 - p) / n x (1 + r) / (1 - r)
    share, r = enter / (enter + leave), 1.0 - enter - leave
    assert abs(on.mean() - share) < 4 * math.sqrt(share * (1 - share) / on.size * (1 + r) / (1 - r))
    edges = np.flatnonzero(np.diff(on)) + 1
    lengths = np.diff(edges)
    scarce = lengths[on[edges[:-1]]]
    normal = lengths[~on[edges[:-1]]]
    for found, quarters in ((scarce, 4.0), (normal, 8.0)):
        q = 1.0 / quarters
        assert abs(found.mean() - quarters) < 4 * math.sqrt((1 - q) / q**2 / found.size)
        for least in (2, 4, 8):
            odds = (1 - q) ** (least - 1)
            assert abs(np.mean(found >= least) - odds) < 4 * math.sqrt(odds * (1 - odds) / found.size)


def test_states_that_never_or_always_come():
    assert float(leave_chance(math.inf)) == 0.0
    assert float(leave_chance(QUARTER_S)) == 1.0
    assert (float(strike_chance(0.0)), float(strike_chance(math.inf))) == (0.0, 1.0)
    assert float(strike_chance(1.0 / YEAR_S)) == pytest.approx(1 - math.exp(-0.25))
    with pytest.raises(BadValue, match="1 quarter or more"):
        leave_chance(np.array([4.0, 0.5]) * QUARTER_S)
    assert float(next_chance(0.0, 0.0, 0.3)) == 0.0
    np.testing.assert_allclose(expected_multiple([0.0, 1.0, 0.25], 1.4), [1.0, 1.4, 1.1])


def test_arrivals_are_a_renewal_process():
    """Mean and variance of the n-th arrival are those of n independent waits; waits of a generation
    move all later ones."""
    slip, count = Range(0.5, 1.0, 1.5), 40_000
    slips = quantile(slip, stream(4, "slips").random((3, count)))
    variance = (0.5**2 + 1.0**2 + 1.5**2 - 0.5 * 1.0 - 0.5 * 1.5 - 1.0 * 1.5) / 18.0
    assert mean(slip) == 1.0
    arrivals = [arrival_quarter(20 * QUARTER_S, 40 * QUARTER_S, list(slips[:n])) for n in (1, 2, 3)]
    for n, found in enumerate(arrivals, start=1):
        expected, spread = 20.0 + 40.0 * (n - 1), 400.0 * variance + 1600.0 * variance * (n - 1) + 1.0 / 12.0
        assert abs(found.mean() - expected) < 4 * math.sqrt(spread / count)
        assert found.var() == pytest.approx(spread, rel=0.04)
    assert np.all(np.diff(np.stack(arrivals), axis=0) >= 19)
    shared = np.cov(arrivals[0], arrivals[2])[0, 1]
    assert shared == pytest.approx(400.0 * variance, rel=0.06)
    assert float(arrival_quarter(QUARTER_S, QUARTER_S, [1.0], start_quarter=5)) == 5.0
    assert [of_generation("a.b", g) for g in (1, 2)] == ["a.b", "a.b.2"]


@given(
    price=st.floats(1, 1e5), decline=st.floats(-0.5, 0.9), quarters=st.integers(0, 40),
    scarce=st.floats(1, 3),
)
def test_a_price_falls_by_its_decline_each_year(
    price: float, decline: float, quarters: int, scarce: float
):
    now = price_path_usd(price, decline, quarters, scarce)
    assert price_path_usd(price, decline, quarters + 4, scarce) == pytest.approx(now * (1 - decline), rel=1e-12)
    assert price_path_usd(price, decline, 0) == price
    assert price_path_usd(price, 0.0, quarters) == price
    grid = price_path_usd(price, np.array([decline, 0.0])[:, None], np.arange(5), scarce)
    assert grid.shape == (2, 5)
    # numpy's vector and scalar powers may differ in the last bit
    assert grid[0, 3] == pytest.approx(price_path_usd(price, decline, 3, scarce), rel=1e-14)


@given(
    g0=st.floats(-1, 3), g1=st.floats(-0.5, 1), tau=st.floats(0.2, 20),
    times=st.lists(st.floats(0, 9), min_size=3, max_size=3),
)
def test_growth_between_two_times_is_its_integral_and_adds_up(
    g0: float, g1: float, tau: float, times: list[float]
):
    start, middle, end = sorted(times)
    first, second, whole = (
        float(log_growth(g0 / YEAR_S, g1 / YEAR_S, tau * YEAR_S, a * YEAR_S, b * YEAR_S))
        for a, b in ((start, middle), (middle, end), (start, end))
    )
    assert first + second == pytest.approx(whole, abs=1e-9)
    integral, _ = quad(lambda t: g1 + (g0 - g1) * math.exp(-t / tau), start, end, epsabs=1e-11)
    assert whole == pytest.approx(integral, abs=1e-8)


@settings(max_examples=50)
@given(g0=st.floats(-1, 3), more=st.floats(0.01, 1), g1=st.floats(-0.5, 1), tau=st.floats(0.2, 20))
def test_more_growth_is_more_demand(g0: float, more: float, g1: float, tau: float):
    end = np.arange(1, 20) / 4
    low, high_now, high_later = (log_growth(a, b, tau, 0.0, end) for a, b in ((g0, g1), (g0 + more, g1), (g0, g1 + more)))
    assert (high_now > low).all()
    assert (high_later > low).all()


def test_growth_at_its_extremes():
    years = np.arange(12) / 4
    np.testing.assert_array_equal(log_growth(0.0, 0.0, 1.0, 0.0, years), np.zeros(12))
    np.testing.assert_allclose(log_growth(0.7, 0.7, 1.0, 0.0, years), 0.7 * years)
    np.testing.assert_allclose(log_growth(0.7, 0.0, 1e9, 0.0, years), 0.7 * years, rtol=1e-7)
    np.testing.assert_allclose(log_growth(5.0, 0.2, 1e-9, 0.0, years), 0.2 * years, atol=1e-8)
    assert float(log_growth(2.0, 0.0, 1.0, 0.0, 50.0)) == pytest.approx(2.0, rel=1e-12)
