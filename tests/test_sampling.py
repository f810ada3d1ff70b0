"""Distributions against scipy's triangular law, correlations against the closed form of the
Gaussian copula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fabless.errors import BadValue
from fabless.records import Range
from fabless.sampling import (
    conditional,
    correlation_matrix,
    coupled,
    draw,
    groups,
    interval,
    lower_root,
    mean,
    nearest_correlation,
    quantile,
    scores,
    sliced,
    stratified,
    stream,
    uniforms,
)

LINEAR = Range(2.0, 3.0, 7.0)
LOG = Range(0.5, 1.0, 8.0, "log")


def triangle(spread: Range) -> object:
    width = spread.high - spread.low
    return stats.triang((spread.mode - spread.low) / width, spread.low, width)


@given(low=st.floats(-10, 10), left=st.floats(0, 5), right=st.floats(0.01, 5), p=st.floats(0, 1))
def test_quantiles_are_those_of_scipys_triangular_law(
    low: float, left: float, right: float, p: float
) -> None:
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


def test_margins_of_a_correlated_draw_pass_a_kolmogorov_smirnov_test() -> None:
    found = draw({"a": LINEAR, "b": LOG}, 2000, stream(9, "margins"), {("a", "b"): 0.7})
    assert stats.kstest(found["a"], triangle(LINEAR).cdf).pvalue > 0.05
    logs = triangle(Range(*np.log((LOG.low, LOG.mode, LOG.high))))
    assert stats.kstest(np.log(found["b"]), logs.cdf).pvalue > 0.05


def test_coupled_columns_keep_their_points_and_the_first_its_order() -> None:
    points = stratified(64, 3, stream(5, "columns"))
    matrix = correlation_matrix("abc", {("a", "b"): 0.8, ("b", "c"): -0.6})
    tied = coupled(points, matrix)
    np.testing.assert_array_equal(np.sort(tied, axis=0), np.sort(points, axis=0))
    np.testing.assert_array_equal(tied[:, 0], points[:, 0])
    np.testing.assert_array_equal(coupled(points[:, :2], matrix[:2, :2]), tied[:, :2])
    # 64 points meet the correlations far more closely than chance does (standard error 0.13)
    np.testing.assert_allclose(np.corrcoef(scores(tied), rowvar=False), matrix, atol=0.04)
    many = coupled(stream(6, "many").random((20_000, 3)), matrix)
    np.testing.assert_allclose(np.corrcoef(scores(many), rowvar=False), matrix, atol=2e-3)
    opposite = coupled(points[:, :2], np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert stats.spearmanr(*opposite.T).statistic == pytest.approx(-1.0)


@pytest.mark.parametrize("law", [uniforms, sliced])
def test_quasi_random_points_beat_chance_on_a_known_integral(law: object) -> None:
    """Product of six factors of mean 1: the error over 40 randomisations against that of as many
    plain draws."""
    def error(points: np.ndarray) -> float:
        return float(np.prod(1.0 + (points - 0.5), axis=1).mean() - 1.0)

    quasi = [error(law(256, 6, stream(k, "quasi"))) for k in range(40)]  # type: ignore[operator]
    plain = [error(stream(k, "plain").random((256, 6))) for k in range(40)]
    assert abs(np.mean(quasi)) < 4 * np.std(quasi) / math.sqrt(40)
    assert np.std(quasi) < 0.2 * np.std(plain)


def test_sliced_points_fill_every_slice_whatever_their_number() -> None:
    for count in (3, 12, 64):
        slices = np.sort(np.floor(sliced(count, 5, stream(2, "slices")) * count), axis=0)
        np.testing.assert_array_equal(slices, np.tile(np.arange(count)[:, None], 5))


def test_the_interval_of_an_entry_ends_where_the_determinant_does() -> None:
    rng = stream(8, "matrices")
    for _ in range(20):
        factor = rng.standard_normal((4, 5))
        covariance = factor @ factor.T
        scale = np.sqrt(np.diag(covariance))
        matrix = covariance / np.outer(scale, scale)
        allowed = interval(matrix, 1, 3)
        assert allowed is not None
        assert allowed[0] < matrix[1, 3] < allowed[1]
        for end, sign in zip(allowed, (-1.0, 1.0), strict=True):
            for step, possible in ((-1e-6, True), (1e-6, False)):
                matrix[1, 3] = matrix[3, 1] = end + sign * step
                assert (np.linalg.eigvalsh(matrix)[0] > 0) == possible


def test_the_nearest_correlation_matrix_is_highams() -> None:
    """The worked example of Higham (2002), and its optimality: no convex step towards another
    correlation matrix helps."""
    asked = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    found = nearest_correlation(asked)
    np.testing.assert_allclose(found, [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]], atol=5e-5)
    free = np.array([[False, True, False], [True, False, True], [False, True, False]])
    held = nearest_correlation(asked, free)
    # with the corner held at 0 the two others are equal, and at most 1 / sqrt 2
    np.testing.assert_allclose(held, [[1, 0.5**0.5, 0], [0.5**0.5, 1, 0.5**0.5], [0, 0.5**0.5, 1]], atol=1e-5)


def test_laws_of_some_scores_given_others_put_the_matrix_together_again() -> None:
    matrix = correlation_matrix("abcd", {("a", "b"): 0.6, ("b", "c"): 0.4, ("c", "d"): -0.5, ("a", "d"): 0.2})
    which = np.array([True, False, True, False])
    weights, root = conditional(matrix, which)
    given_ones = matrix[np.ix_(~which, ~which)]
    np.testing.assert_allclose(weights @ given_ones, matrix[np.ix_(which, ~which)], atol=1e-12)
    np.testing.assert_allclose(weights @ given_ones @ weights.T + root @ root.T, matrix[np.ix_(which, which)], atol=1e-12)
    singular = np.ones((3, 3))
    np.testing.assert_allclose(lower_root(singular) @ lower_root(singular).T, singular)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            {("a", "b"): 0.9, ("a", "c"): 0.9, ("b", "c"): -0.9},
            ["b with c", "0.62 to 1", "write 0.62, the nearest"],
        ),
        (
            {("a", "b"): 0.9, ("a", "c"): 0.9},
            ["a with c", "-0.4358 to 0.4358", "or state b with c: 0.62"],
        ),
        ({("a", "b"): 1.5}, ["a with b: 1.5", "-1 to 1"]),
        ({("a", "b"): float("nan")}, ["a with b: nan", "-1 to 1"]),
        ({("a", "a"): 1.0}, ["a with itself"]),
        ({("a", "b"): 0.1, ("b", "a"): 0.1}, ["b with a a second time"]),
        ({("a", "dd"): 0.1}, ["unknown number 'dd'", "did you mean"]),
    ],
)
def test_correlations_that_cannot_be_are_refused(
    pairs: dict[tuple[str, str], float], said: list[str]
) -> None:
    with pytest.raises(BadValue) as error:
        correlation_matrix(("a", "b", "c", "ddd"), pairs)
    for part in said:
        assert part in str(error.value)


def test_where_no_single_correlation_mends_a_group_the_nearest_matrix_is_proposed_and_taken() -> None:
    pairs = {
        ("a", "b"): 0.99, ("a", "c"): 0.99, ("b", "c"): -0.9, ("c", "d"): 0.9, ("d", "e"): 0.9,
        ("c", "e"): -0.9, ("a", "e"): 0.9,
    }
    with pytest.raises(BadValue) as error:
        correlation_matrix("abcde", pairs)
    mended = dict(pairs)
    for fault in error.value.faults:
        one, other = fault.place.removeprefix("correlation of ").split(" with ")
        mended[one, other] = float(fault.remedy.removeprefix("write ").split(":")[0])
    assert len(error.value.faults) > 1
    assert np.linalg.eigvalsh(correlation_matrix("abcde", mended))[0] > 0
    assert correlation_matrix(("a", "b"), {("b", "a"): 0.5}).tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert groups(pairs) == [["a", "b", "c", "d", "e"]]
