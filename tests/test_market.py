"""The market against closed forms of Markov chains, numerical integration, and published shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from fabless.errors import BadValue
from fabless.market import (
    Regime,
    demand_multiplier,
    log_growth,
    over_quarters,
    price_path_usd,
    stationary,
    transition_matrix,
)
from fabless.sampling import stream
from fabless.units import YEAR_S

durations = st.floats(1.0, 40.0)


@given(normal=durations, scarce=durations)
def test_the_long_run_share_is_the_share_of_time(normal: float, scarce: float):
    matrix = transition_matrix(normal, scarce)
    shares = stationary(matrix)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(shares, np.array([normal, scarce]) / (normal + scarce), rtol=1e-12)
    np.testing.assert_allclose(shares @ matrix, shares, rtol=1e-12)


@given(normal=durations, scarce=durations, quarters=st.integers(0, 12))
def test_several_quarters_follow_the_second_eigenvalue(normal: float, scarce: float, quarters: int):
    matrix = transition_matrix(normal, scarce)
    long_run = scarce / (normal + scarce)
    fade = (1 - 1 / normal - 1 / scarce) ** quarters
    after = over_quarters(matrix, quarters)
    assert after[Regime.SCARCE, Regime.SCARCE] == pytest.approx(long_run + (1 - long_run) * fade, abs=1e-12)
    assert after[Regime.NORMAL, Regime.SCARCE] == pytest.approx(long_run * (1 - fade), abs=1e-12)


@given(price=st.floats(1, 1e5), decline=st.floats(-0.5, 0.9), quarters=st.integers(0, 40), scarce=st.floats(1, 3))
def test_a_price_falls_by_its_decline_each_year(price: float, decline: float, quarters: int, scarce: float):
    now = price_path_usd(price, decline, quarters, scarce)
    assert price_path_usd(price, decline, quarters + 4, scarce) == pytest.approx(now * (1 - decline), rel=1e-12)
    assert price_path_usd(price, decline, 0) == price
    assert price_path_usd(price, 0.0, quarters) == price
    grid = price_path_usd(price, np.array([decline, 0.0])[:, None], np.arange(5), scarce)
    assert grid.shape == (2, 5)
    # numpy's vector and scalar powers may differ in the last bit
    assert grid[0, 3] == pytest.approx(price_path_usd(price, decline, 3, scarce), rel=1e-14)


@settings(max_examples=50)
@given(g0=st.floats(-1, 3), g1=st.floats(-0.5, 1), tau=st.floats(0.2, 20))
def test_demand_is_the_integral_of_its_growth(g0: float, g1: float, tau: float):
    path = demand_multiplier(g0 / YEAR_S, g1 / YEAR_S, tau * YEAR_S, 33)
    for quarter in (1, 7, 32):
        integral, _ = quad(lambda t: g1 + (g0 - g1) * math.exp(-t / tau), 0, quarter / 4, epsabs=1e-11)
        assert path[quarter] == pytest.approx(math.exp(integral), rel=1e-8)
    assert path[0] == 1.0


@given(g0=st.floats(-1, 3), g1=st.floats(-0.5, 1), tau=st.floats(0.2, 20),
       times=st.lists(st.floats(0, 9), min_size=3, max_size=3))
def test_growth_between_two_times_is_its_integral_and_adds_up(g0: float, g1: float, tau: float, times: list[float]):
    start, middle, end = sorted(times)
    first, second, whole = (float(log_growth(g0 / YEAR_S, g1 / YEAR_S, tau * YEAR_S, a * YEAR_S, b * YEAR_S))
                            for a, b in ((start, middle), (middle, end), (start, end)))
    assert first + second == pytest.approx(whole, abs=1e-9)
    integral, _ = quad(lambda t: g1 + (g0 - g1) * math.exp(-t / tau), start, end, epsabs=1e-11)
    assert whole == pytest.approx(integral, abs=1e-8)


@given(g0=st.floats(-1, 3), more=st.floats(0.01, 1), g1=st.floats(-0.5, 1), tau=st.floats(0.2, 20))
def test_more_growth_is_more_demand(g0: float, more: float, g1: float, tau: float):
    low, high_now, high_later = (demand_multiplier(a / YEAR_S, b / YEAR_S, tau * YEAR_S, 20)
                                 for a, b in ((g0, g1), (g0 + more, g1), (g0, g1 + more)))
    assert (high_now[1:] > low[1:]).all()
    assert (high_later[1:] > low[1:]).all()


def test_demand_at_its_extremes():
    np.testing.assert_array_equal(demand_multiplier(0.0, 0.0, YEAR_S, 12), np.ones(12))
    quarters = np.arange(12) / 4
    np.testing.assert_allclose(demand_multiplier(0.7 / YEAR_S, 0.7 / YEAR_S, YEAR_S, 12), np.exp(0.7 * quarters))
    never_fades = demand_multiplier(0.7 / YEAR_S, 0.0, 1e9 * YEAR_S, 12)
    np.testing.assert_allclose(never_fades, np.exp(0.7 * quarters), rtol=1e-7)
    at_once = demand_multiplier(5.0 / YEAR_S, 0.2 / YEAR_S, 1e-9 * YEAR_S, 12)
    np.testing.assert_allclose(at_once, np.exp(0.2 * quarters), rtol=1e-7)
    faded = demand_multiplier(2.0 / YEAR_S, 0.0, YEAR_S, 200)
    assert faded[-1] == pytest.approx(math.exp(2.0), rel=1e-12)


def test_shocks_keep_the_mean_and_add_lognormal_variance():
    count, sigma = 40_000, 0.12
    shocks = stream(6, "demand").standard_normal((count, 8))
    g0, g1, tau = 1.0 / YEAR_S, 0.3 / YEAR_S, 1.5 * YEAR_S
    paths, plain = demand_multiplier(g0, g1, tau, 9, sigma, shocks), demand_multiplier(g0, g1, tau, 9)
    for quarter in (1, 4, 8):
        ratio = paths[:, quarter] / plain[quarter]
        variance = math.expm1(sigma**2 * quarter)
        assert abs(ratio.mean() - 1.0) < 4.5 * math.sqrt(variance / count)
        assert ratio.var() == pytest.approx(variance, rel=0.06)
    np.testing.assert_allclose(demand_multiplier(g0, g1, tau, 9, 0.0, shocks)[3], plain, rtol=1e-14)


def test_demand_broadcasts_like_its_scalars():
    g0, tau = np.array([0.5, 1.0, 2.0]) / YEAR_S, np.array([1.0, 2.0, 3.0]) * YEAR_S
    shocks = stream(7, "broadcast").standard_normal((3, 4))
    together = demand_multiplier(g0, 0.1 / YEAR_S, tau, 5, 0.2, shocks)
    assert together.shape == (3, 5)
    for k in range(3):
        alone = demand_multiplier(g0[k], 0.1 / YEAR_S, tau[k], 5, 0.2, shocks[k])
        np.testing.assert_allclose(alone, together[k], rtol=1e-14)
    with pytest.raises(BadValue) as error:
        demand_multiplier(0.1, 0.1, 0.0, 5, -0.1, np.zeros(3))
    assert {fault.place for fault in error.value.faults} == {"fade_s", "volatility", "shocks"}
