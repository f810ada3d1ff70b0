"""Distributions against scipy's triangular law, correlations against the closed form of the Gaussian copula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fabless.errors import BadValue
from fabless.records import Range
from fabless.sampling import correlation_matrix, draw, mean, quantile, stratified, stream, uniforms

LINEAR = Range(2.0, 3.0, 7.0)
LOG = Range(0.5, 1.0, 8.0, "log")


def triangle(spread: Range) -> object:
    width = spread.high - spread.low
    return stats.triang((spread.mode - spread.low) / width, spread.low, width)


@given(low=st.floats(-10, 10), left=st.floats(0, 5), right=st.floats(0.01, 5), p=st.floats(0, 1))
def test_quantiles_are_those_of_scipys_triangular_law(low: float, left: float, right: float, p: float) -> None:
    spread = Range(low, low + left, low + left + right)
    assert float(quantile(spread, p)) == pytest.approx(triangle(spread).ppf(p), abs=1e-9)


@given(p=st.floats(0, 1))
def test_a_log_range_is_triangular_in_its_logarithm(p: float) -> None:
    logs = Range(*np.log((LOG.low, LOG.mode, LOG.high)))
    assert math.log(float(quantile(LOG, p))) == pytest.approx(float(quantile(logs, p)), abs=1e-12)


def test_a_point_is_certain_on_both_scales() -> None:
    for spread in (Range.point(3.0), Range(3.0, 3.0, 3.0, "log")):
        assert quantile(spread, np.array([0.0, 0.3, 1.0])).tolist() == [3.0, 3.0, 3.0]
        assert mean(spread) == pytest.approx(3.0)


def test_means_equal_integrals() -> None:
    assert mean(LINEAR) == pytest.approx(float(triangle(LINEAR).mean()), rel=1e-12)
    logs = triangle(Range(*np.log((LOG.low, LOG.mode, LOG.high))))
    assert mean(LOG) == pytest.approx(logs.expect(np.exp), rel=1e-5)


def test_a_stream_has_its_own_numbers_and_always_the_same() -> None:
    assert stream(7, "demand").random(4).tolist() == stream(7, "demand").random(4).tolist()
    others = {tuple(stream(seed, name).random(4)) for seed in (7, 8) for name in ("demand", "supply")}
    assert len(others) == 4


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 300), dimensions=st.integers(1, 40))
def test_points_lie_strictly_inside_and_fill_every_slice(count: int, dimensions: int) -> None:
    for points in (uniforms(count, dimensions, stream(1, "sobol")), stratified(count, dimensions, stream(1, "latin"))):
        assert points.shape == (count, dimensions)
        assert ((points > 0.0) & (points < 1.0)).all()
    slices = np.sort(np.floor(stratified(count, dimensions, stream(2, "latin")) * count), axis=0)
    np.testing.assert_array_equal(slices, np.tile(np.arange(count)[:, None], dimensions))


def test_sobol_points_are_more_even_than_chance() -> None:
    even = stats.qmc.discrepancy(uniforms(256, 4, stream(3, "even")))
    assert even < 0.2 * stats.qmc.discrepancy(stream(3, "chance").random((256, 4)))


def test_draws_keep_their_own_law_and_take_the_correlation_asked_for() -> None:
    ranges = {"a": LINEAR, "b": LOG, "c": LINEAR}
    free = draw(ranges, 4096, stream(4, "free"))
    tied = draw(ranges, 4096, stream(4, "tied"), {("a", "b"): 0.8, ("a", "c"): -0.5})
    levels = np.array((0.1, 0.5, 0.9))
    for found in (free, tied):
        for name, spread in ranges.items():
            np.testing.assert_allclose(np.quantile(found[name], levels), quantile(spread, levels), rtol=0.03)
    # a Gaussian copula with correlation r has Spearman's rank correlation 6 / pi asin(r / 2)
    for one, other, asked in (("a", "b", 0.8), ("a", "c", -0.5), ("b", "c", 0.0)):
        ranks = stats.spearmanr(tied[one], tied[other]).statistic
        assert ranks == pytest.approx(6.0 / math.pi * math.asin(asked / 2.0), abs=0.03)
        assert abs(stats.spearmanr(free[one], free[other]).statistic) < 0.03


def test_correlations_that_cannot_be_are_refused() -> None:
    pairs = {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}
    with pytest.raises(BadValue, match="not a correlation matrix"):
        correlation_matrix(("a", "b", "c"), pairs)
    assert correlation_matrix(("a", "b"), {("b", "a"): 0.5}).tolist() == [[1.0, 0.5], [0.5, 1.0]]
