"""Scores of forecasts, against scoringrules and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import norm, triang

from fabless.backtest.score import (
    brier,
    chance_inside,
    crps,
    error_of_median,
    in_logs,
    log_score,
    pinball,
    pit,
    truth_law,
    truth_points,
)
from fabless.records import Range
from fabless.sampling import plain_stream

EVEN = (np.arange(20_000) + 0.5) / 20_000
"""Evenly spread probabilities: their quantiles stand for a law."""


@pytest.mark.parametrize("count", [1, 2, 7, 400])
@pytest.mark.parametrize("truth", [-2.0, 0.1, 5.0])
def test_crps_is_that_of_scoringrules(count: int, truth: float) -> None:
    samples = plain_stream(3).normal(size=count)
    expected = scoringrules.crps_ensemble(truth, samples, estimator="nrg")
    assert crps(samples, Range.point(truth)) == pytest.approx(float(expected))


def test_crps_of_logarithms_of_a_lognormal_law_is_that_of_the_normal_law() -> None:
    mu, sigma, value = math.log(50.0), 0.7, 120.0
    samples = in_logs(np.exp(mu + sigma * ndtri(EVEN)), 1e-9)
    z = (math.log(value) - mu) / sigma
    closed = sigma * (z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - 1.0 / math.sqrt(math.pi))
    assert crps(samples, truth_law(value, value, value, 1e-9)) == pytest.approx(closed, rel=1e-3)
    assert closed == pytest.approx(float(scoringrules.crps_normal(math.log(value), mu, sigma)))


def test_crps_of_a_lognormal_law_itself() -> None:
    mu, sigma, value = 0.3, 0.5, 2.0
    samples = np.exp(mu + sigma * ndtri(EVEN))
    assert crps(samples, Range.point(value)) == pytest.approx(
        float(scoringrules.crps_lognormal(value, mu, sigma)), rel=1e-3)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_pinball_is_that_of_scoringrules(tau: float) -> None:
    samples = plain_stream(4).normal(size=101)
    for truth in (-1.0, 0.2, 3.0):
        expected = scoringrules.quantile_score(truth, np.quantile(samples, tau), tau)
        assert pinball(samples, Range.point(truth), (tau,)) == pytest.approx(float(expected))


def test_pinball_takes_the_mean_of_its_quantiles() -> None:
    samples, truth = np.linspace(0.0, 1.0, 11), Range.point(0.7)
    each = [pinball(samples, truth, (tau,)) for tau in (0.1, 0.5, 0.9)]
    assert pinball(samples, truth) == pytest.approx(sum(each) / 3.0)


@pytest.mark.parametrize(("chance", "happened"), [(0.8, True), (0.8, False), (0.5, True)])
def test_scores_of_events(chance: float, happened: bool) -> None:
    assert brier(chance, happened) == pytest.approx(float(scoringrules.brier_score(float(happened), chance)))
    assert log_score(chance, happened) == pytest.approx(-math.log(chance if happened else 1.0 - chance))


def test_a_truth_with_an_interval_counts_by_its_own_law() -> None:
    law = truth_law(1.0, 3.0, 10.0, 1e-9)
    width = law.high - law.low
    exact = triang((law.mode - law.low) / width, loc=law.low, scale=width)
    points = truth_points(law)
    assert points.mean() == pytest.approx(exact.mean(), abs=1e-4)
    samples = plain_stream(5).normal(1.0, 0.4, size=500)
    low, high = np.quantile(samples, (0.1, 0.9))
    assert chance_inside(samples, law, 0.8) == pytest.approx(exact.cdf(high) - exact.cdf(low))
    expected = np.mean([float(scoringrules.crps_ensemble(y, samples, estimator="nrg")) for y in points])
    assert crps(samples, law) == pytest.approx(expected)
    assert error_of_median(samples, law) == pytest.approx(np.median(samples) - points.mean())


def test_a_truth_on_the_edge_of_a_band_lies_inside() -> None:
    samples = np.arange(11.0)
    assert [chance_inside(samples, Range.point(value), 0.8) for value in (1.0, 9.0, 9.1)] == [1.0, 1.0, 0.0]


def test_pit_is_even_where_forecasts_are_honest() -> None:
    rng = plain_stream(6)
    values = [pit(rng.normal(size=200), Range.point(rng.normal())) for _ in range(600)]
    assert np.histogram(values, 4, (0.0, 1.0))[0] == pytest.approx([150] * 4, abs=35)
    assert pit(np.array([1.0, 2.0, 3.0]), Range.point(2.0)) == 0.5


def test_scores_are_least_for_the_law_that_truths_come_from() -> None:
    rng = plain_stream(7)
    truths = [Range.point(value) for value in rng.normal(size=400)]

    def mean(score: object, mu: float, sigma: float) -> float:
        samples = mu + sigma * ndtri(EVEN[::50])
        return float(np.mean([score(samples, truth) for truth in truths]))  # type: ignore[operator]

    for score in (crps, pinball):
        honest = mean(score, 0.0, 1.0)
        for mu, sigma in ((0.0, 0.3), (0.0, 3.0), (0.8, 1.0), (-0.8, 1.0)):
            assert honest < mean(score, mu, sigma)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=30), st.floats(-50, 50), st.floats(-5, 5))
def test_scores_move_with_their_origin_and_are_never_negative(
    values: list[float], truth: float, shift: float
) -> None:
    samples = np.array(values)
    for score in (crps, pinball):
        first = score(samples, Range.point(truth))
        assert first >= -1e-9
        assert score(samples + shift, Range.point(truth + shift)) == pytest.approx(first, abs=1e-6)


def test_what_is_below_the_least_that_counts_is_scored_as_it() -> None:
    assert in_logs(np.array([0.0, 0.5, math.e]), 1.0).tolist() == pytest.approx([0.0, 0.0, 1.0])
