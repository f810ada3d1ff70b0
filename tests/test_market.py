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
    SupplyTerms,
    demand_multiplier,
    generations,
    log_growth,
    over_quarters,
    price_path_usd,
    regime_paths,
    stationary,
    supply_terms,
    transition_matrix,
    vendor_shares,
)
from fabless.records import Range
from fabless.sampling import stream
from fabless.units import MONTH_S, QUARTER_S, YEAR_S

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


def test_paths_have_the_marginal_law_and_the_durations_of_their_chain():
    count, quarters, normal, scarce = 20_000, 24, 7.3, 4.0
    matrix = transition_matrix(normal, scarce)
    paths = regime_paths(count, quarters, Regime.SCARCE, matrix, stream(3, "regime"))
    assert (paths[:, 0] == Regime.SCARCE).all()
    for quarter in (1, 4, 12, 23):
        expected = over_quarters(matrix, quarter)[Regime.SCARCE, Regime.SCARCE]
        assert abs((paths[:, quarter] == Regime.SCARCE).mean() - expected) < 4.5 * math.sqrt(0.25 / count)
    left = np.argmax(paths == Regime.NORMAL, axis=1)
    for duration in (1, 2, 5):
        expected = (1 - 1 / scarce) ** (duration - 1) / scarce
        assert abs((left == duration).mean() - expected) < 4.5 * math.sqrt(expected * (1 - expected) / count)


def test_the_expected_price_follows_from_the_matrix():
    matrix = transition_matrix(7.3, 4.0)
    paths = regime_paths(20_000, 9, Regime.NORMAL, matrix, stream(4, "price"))
    terms = supply_terms(paths, SupplyTerms(10.0, 1.0, 1.0), SupplyTerms(40.0, 0.4, 1.3))
    expected = over_quarters(matrix, 8)[Regime.NORMAL] @ np.array([1.0, 1.3])
    prices = np.asarray(terms.price_multiplier)[:, 8]
    assert abs(prices.mean() - expected) < 4.5 * prices.std() / math.sqrt(prices.size)


def test_terms_are_those_of_the_regime():
    normal, scarce = SupplyTerms(10.0, 1.0, 1.0), SupplyTerms(40.0, 0.4, 1.3)
    terms = supply_terms([[0, 1], [1, 0]], normal, scarce)
    assert np.asarray(terms.lead_time_s).tolist() == [[10.0, 40.0], [40.0, 10.0]]
    assert np.asarray(terms.allocation).tolist() == [[1.0, 0.4], [0.4, 1.0]]
    assert float(supply_terms(Regime.SCARCE, normal, scarce).price_multiplier) == 1.3


def test_never_scarce_and_always_scarce():
    never = regime_paths(50, 40, Regime.NORMAL, transition_matrix(math.inf, 4.0), stream(0, "never"))
    assert (never == Regime.NORMAL).all()
    always = regime_paths(50, 40, Regime.SCARCE, transition_matrix(8.0, math.inf), stream(0, "always"))
    assert (always == Regime.SCARCE).all()
    alternating = regime_paths(5, 6, Regime.NORMAL, transition_matrix(1.0, 1.0), stream(0, "alternating"))
    assert alternating.tolist() == [[0, 1, 0, 1, 0, 1]] * 5
    with pytest.raises(BadValue, match="for ever"):
        stationary(transition_matrix(math.inf, math.inf))
    with pytest.raises(BadValue, match="1 quarter"):
        transition_matrix(0.5, 4.0)


def test_each_path_may_have_its_own_chain():
    matrices = transition_matrix(np.array([math.inf, 1.0]), np.array([4.0, 4.0]))
    assert matrices.shape == (2, 2, 2)
    np.testing.assert_array_equal(matrices[1], transition_matrix(1.0, 4.0))
    np.testing.assert_array_equal(over_quarters(matrices, 3)[1], over_quarters(matrices[1], 3))
    np.testing.assert_array_equal(stationary(matrices)[1], stationary(matrices[1]))
    paths = regime_paths(2, 2, Regime.NORMAL, matrices, stream(0, "own"))
    assert paths.tolist() == [[0, 0], [0, 1]]


def test_generations_arrive_and_gain_as_their_ranges_say():
    gap, gain, price = (Range(24 * MONTH_S, 27 * MONTH_S, 36 * MONTH_S), Range(1.5, 2.2, 3.2), Range(1.2, 1.6, 2.4))
    found = generations(4096, 3, 12 * MONTH_S, gap, gain, price, stream(5, "cadence"))
    means = np.arange(1, 4) * (24 + 27 + 36) / 3 - 12
    np.testing.assert_allclose(found.arrival_s.mean(axis=0) / MONTH_S, means, rtol=2e-3)
    np.testing.assert_allclose(found.performance.mean(axis=0), ((1.5 + 2.2 + 3.2) / 3) ** np.arange(1, 4), rtol=1e-2)
    np.testing.assert_allclose(found.price.mean(axis=0), ((1.2 + 1.6 + 2.4) / 3) ** np.arange(1, 4), rtol=1e-2)
    assert (np.diff(found.arrival_s, axis=1) >= 24 * MONTH_S - 1).all()
    late = found.arrival_quarter * QUARTER_S - found.arrival_s
    assert ((late >= 0) & (late < QUARTER_S)).all()


def test_a_certain_cadence_repeats_the_calendar():
    # H100 first shipped 2022-10, B200 27 months later, B300 6 and VR200 15 after that: fixed gaps add up.
    point = Range.point
    found = generations(2, 3, 12 * MONTH_S, point(27 * MONTH_S), point(2.0), point(1.5), stream(0, "certain"))
    np.testing.assert_allclose(found.arrival_s[0] / MONTH_S, [15, 42, 69])
    assert found.arrival_quarter[0].tolist() == [5, 14, 23]
    np.testing.assert_allclose(found.performance[1], [2, 4, 8])
    np.testing.assert_allclose(found.price[1], [1.5, 2.25, 3.375])
    overdue = generations(2, 2, 60 * MONTH_S, point(27 * MONTH_S), point(2.0), point(1.5), stream(0, "overdue"))
    np.testing.assert_allclose(overdue.arrival_s[0] / MONTH_S, [0, 27])
    with pytest.raises(BadValue):
        generations(0, 1, 0.0, point(1.0), point(1.0), point(1.0), stream(0, "none"))


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


def test_shares_of_2025_by_units_and_by_compute():
    # Epoch AI, ai-chip-counts d1b1bc3 (2026-04-22), medians of 2025, thousand units and thousand H100 equivalents:
    # Nvidia 4,458 / 8,919, AMD 441 / 686, Google TPU 2,767 / 2,850, Amazon 1,085 / 712; Nvidia 51 % of units, 68 % of
    # compute. Prices are illustrative, so that the first leads by revenue.
    units = np.array([4458.0, 441.0, 2767.0, 1085.0])
    found = vendor_shares(units, [30e3, 15e3, 8e3, 5e3], np.array([8919.0, 686.0, 2850.0, 712.0]) / units)
    assert found.leader == 0
    assert round(float(found.by_units.dominant), 2) == 0.51
    assert round(float(found.by_compute.dominant), 2) == 0.68
    assert found.by_revenue.dominant > found.by_compute.dominant > found.by_units.dominant


@given(vendors=st.integers(1, 9))
def test_concentration_of_equals_and_of_a_monopoly(vendors: int):
    equals = vendor_shares(np.ones(vendors), 2.0, 3.0)
    assert equals.by_units.herfindahl == pytest.approx(1 / vendors)
    assert equals.by_revenue.shares.sum() == pytest.approx(1.0)
    units = np.zeros(vendors)
    units[-1] = 5.0
    alone = vendor_shares(units, 2.0, 3.0)
    assert alone.leader == vendors - 1
    assert alone.by_compute.herfindahl == alone.by_compute.dominant == 1.0


def test_shares_broadcast_and_an_empty_market_has_none():
    found = vendor_shares([[1.0, 3.0], [0.0, 0.0]], [2.0, 1.0], [1.0, 1.0])
    np.testing.assert_allclose(found.by_revenue.shares[0], [0.4, 0.6])
    assert found.leader[0] == 1
    assert found.by_units.dominant[0] == 0.75
    assert np.isnan(found.by_units.dominant[1])
    assert np.isnan(found.by_units.herfindahl[1])
    with pytest.raises(BadValue):
        vendor_shares([1.0, -1.0], 1.0, 1.0)
