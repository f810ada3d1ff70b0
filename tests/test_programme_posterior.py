"""What few cases say, against the laws of scipy and textbook formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabless.errors import BadValue
from fabless.programme import (
    End,
    Gate,
    LogTime,
    LogTimePrior,
    OutcomeKind,
    PseudoCounts,
    Route,
    beta_quantile,
    credible_band,
    jeffreys,
    log_time,
    pooled_prior,
    summary,
)
from fabless.records import Range
from fabless.units import MONTH_S
from test_programme import BUILD, CERTAIN, run

FIRST_CHIPS = (15.0, 24.0, 47.0, 50.0, 51.0, 60.0, 63.0, 66.0)


@given(failed=st.integers(0, 30), passed=st.integers(0, 30))
def test_the_posterior_of_a_rate_is_the_beta_law(failed: int, passed: int):
    law, counts = stats.beta(failed + 0.5, passed + 0.5), jeffreys(failed, passed)
    band = credible_band(counts)
    assert (band.mean, band.low, band.high) == pytest.approx((law.mean(), law.ppf(0.05), law.ppf(0.95)), rel=1e-9)
    assert band.cases == failed + passed


def test_few_cases_give_wide_bands():
    few, many = credible_band(jeffreys(1, 2)), credible_band(jeffreys(100, 200))
    assert few.high - few.low > 6 * (many.high - many.low)


def test_a_count_of_zero_is_certain():
    assert beta_quantile(PseudoCounts(0.0, 3.0), [0.01, 0.99]).tolist() == [0.0, 0.0]
    assert beta_quantile(PseudoCounts(3.0, 0.0), [0.01, 0.99]).tolist() == [1.0, 1.0]


def test_the_predictive_law_without_a_prior_is_the_prediction_interval_of_the_textbook():
    logs = np.log(FIRST_CHIPS)
    law = log_time(FIRST_CHIPS)
    half = stats.t(7).ppf(0.95) * logs.std(ddof=1) * math.sqrt(1 + 1 / 8)
    assert law.quantile([0.05, 0.95]) == pytest.approx(np.exp([logs.mean() - half, logs.mean() + half]), rel=1e-9)
    exact = stats.t(df=law.freedom, loc=law.location, scale=law.scale)
    assert law.cdf([10.0, 50.0, 200.0]) == pytest.approx(exact.cdf(np.log([10.0, 50.0, 200.0])), rel=1e-9)
    assert law.median == pytest.approx(math.exp(logs.mean()))


@given(st.floats(0.001, 0.999))
def test_quantile_and_cdf_are_inverse(p: float):
    for law in (log_time(FIRST_CHIPS), LogTime(3.0, 0.4, math.inf)):
        assert float(law.cdf(law.quantile(p))) == pytest.approx(p, rel=1e-9)


def test_the_conjugate_update_agrees_with_numerical_integration():
    prior, cases = LogTimePrior(3.5, 2.0, 0.2, 3.0), [20.0, 33.0]
    law = log_time(cases, prior)
    rng = np.random.default_rng(3)
    variance = prior.variance_cases * prior.variance / rng.chisquare(prior.variance_cases, 400_000)
    location = rng.normal(prior.location, np.sqrt(variance / prior.location_cases))
    weight = np.prod([stats.norm.pdf(math.log(case), location, np.sqrt(variance)) for case in cases], axis=0)
    for duration in (15.0, 28.0, 60.0):
        below = stats.norm.cdf(math.log(duration), location, np.sqrt(variance))
        assert float(law.cdf(duration)) == pytest.approx(np.average(below, weights=weight), abs=4e-3)


def test_the_prior_alone_predicts_and_many_cases_forget_it():
    prior = LogTimePrior(3.5, 2.0, 0.2, 3.0)
    alone = log_time([], prior)
    assert (alone.location, alone.freedom) == (3.5, 3.0)
    assert alone.scale == pytest.approx(math.sqrt(0.2 * 1.5))
    many = list(np.exp(np.random.default_rng(1).normal(2.0, 0.3, 4000)))
    assert log_time(many, prior).location == pytest.approx(log_time(many).location, abs=2e-3)
    assert log_time(many, prior).scale == pytest.approx(log_time(many).scale, rel=1e-2)


def test_few_cases_lean_on_the_pool():
    prior = pooled_prior([(20.0, 30.0, 45.0), (25.0, 35.0), (50.0, 60.0, 40.0)])
    far = log_time([100.0], prior)
    assert prior.location < far.location < math.log(100.0)
    assert log_time([100.0, 110.0], prior).location > far.location


def test_the_pool_is_the_one_way_analysis_of_variance():
    # classes of logs (1, 3), (4, 6), (7, 9): means 2, 5, 8; within 2; between 2 x 18 / 2 = 18; tau2
    # = (18 - 2) / 2 = 8
    prior = pooled_prior([tuple(np.exp(pair)) for pair in ((1.0, 3.0), (4.0, 6.0), (7.0, 9.0))])
    assert prior.location == pytest.approx(5.0)
    assert prior.variance == pytest.approx(2.0)
    assert prior.variance_cases == 3
    assert prior.location_cases == pytest.approx(2.0 / (8.0 + (8.0 + 1.0) / 3))
    same = pooled_prior([(2.0, 8.0), (2.0, 8.0)])
    assert same.location_cases == pytest.approx(4.0)  # no spread between classes: worth all their cases


@pytest.mark.parametrize(
    "call",
    [
        lambda: jeffreys(-1, 2), lambda: jeffreys(1, math.inf), lambda: log_time([5.0]),
        lambda: log_time([5.0, 5.0]), lambda: log_time([5.0, 0.0]),
        lambda: log_time([5.0, math.nan]), lambda: pooled_prior([(1.0, 2.0)]),
        lambda: pooled_prior([(1.0,), (2.0,)]), lambda: LogTime(math.inf, 1.0, 1.0),
        lambda: LogTime(0.0, -1.0, 1.0), lambda: LogTime(0.0, 1.0, 0.0),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(BadValue):
        call()


def test_the_band_of_the_outcome_is_that_of_its_rate():
    # With certain spins and bids, P(no volume) is the rate itself: Beta(failed, passed).
    parameters = replace(BUILD, first_silicon_good=Range.point(1.0), ended=PseudoCounts(2.5, 5.5))
    told = summary(run(parameters, 1 << 14))
    band, law = told.outcome_bands[OutcomeKind.VOLUME], stats.beta(5.5, 2.5)
    assert band.mean == pytest.approx(law.mean(), abs=2e-3)
    assert (band.low, band.high) == pytest.approx((law.ppf(0.05), law.ppf(0.95)), abs=0.02)
    assert band.cases == 7.0
    assert told.outcome_shares[OutcomeKind.VOLUME] == pytest.approx(band.mean, abs=0.015)


def test_the_band_needs_no_draws_and_names_the_smallest_sample():
    few, many = (summary(run(BUILD, count)) for count in (8, 1 << 13))
    assert few.outcome_bands == many.outcome_bands
    bid = replace(BUILD, route=Route.ACQUIRE, bid_failed=PseudoCounts(1.5, 1.5), scope_cut=PseudoCounts(1.0, 1.0))
    told = summary(run(bid, 64))
    assert told.outcome_bands[OutcomeKind.VOLUME].cases == 2.0  # of bids; 4 of ends, 1 of a cut scope
    assert told.rate_bands["scope_cut"].cases == 1.0
    assert told.rate_bands["first_silicon_good"].cases is None  # given as a range
    certain = summary(run(CERTAIN, 8)).outcome_bands[OutcomeKind.VOLUME]
    assert (certain.mean, certain.low, certain.high, certain.cases) == (1.0, 1.0, 1.0, None)


def test_more_cases_of_the_same_rate_narrow_the_band_and_keep_the_mean():
    bands = [
        summary(
            run(replace(BUILD, ended=PseudoCounts(2.0 * size, 3.0 * size)), 1 << 13)
        ).outcome_bands[OutcomeKind.VOLUME]
        for size in (1.0, 10.0, 1000.0)
    ]
    widths = [band.high - band.low for band in bands]
    assert widths[0] > 2 * widths[1] > 4 * widths[2]
    assert bands[0].mean == pytest.approx(bands[2].mean, abs=5e-3)


def test_hazards_of_gates_keep_the_law_of_any_end():
    for shares in ((0.3, 0.2, 0.5), (0.1, 0.2, 0.3, 0.1, 0.3)):
        hazards = replace(BUILD, ended=PseudoCounts(4.0, 3.0), end_shares=shares).hazards
        passing = np.prod([counts.passed / (counts.failed + counts.passed) for counts in hazards])
        assert passing == pytest.approx(3.0 / 7.0)
        second_moment = np.prod(
            [
                c.passed * (c.passed + 1) / ((c.failed + c.passed) * (c.failed + c.passed + 1))
                for c in hazards
            ]
        )
        assert second_moment == pytest.approx(3.0 * 4.0 / (7.0 * 8.0))  # that of Beta(3, 4)


def test_ends_are_the_product_of_the_gates():
    chances = {
        Gate.ARCHITECTURE: 0.1, Gate.TAPE_OUT: 0.2, Gate.FIRST_SILICON: 0.25,
        Gate.QUALIFICATION: 0.3, Gate.DEPLOYMENT: 0.4,
    }
    counts = {gate: PseudoCounts(1e9 * chance, 1e9 * (1 - chance)) for gate, chance in chances.items()}
    first, later, limit, size = 0.3, 0.5, 3, 1 << 16
    draws = run(
        replace(
            BUILD, gates=counts, first_silicon_good=Range.point(first),
            respin_good=Range.point(later), spin_limit=limit,
        ),
        size,
    )
    spins = 0.7 * 0.5**2
    expected = {
        End.BID: 0.0, End.ARCHITECTURE: 0.1, End.TAPE_OUT: 0.9 * 0.2,
        End.FIRST_SILICON: 0.72 * 0.25, End.SPINS: 0.54 * spins,
        End.QUALIFICATION: 0.54 * (1 - spins) * 0.3, End.DEPLOYMENT: 0.54 * (1 - spins) * 0.7 * 0.4,
        End.NONE: 0.54 * (1 - spins) * 0.7 * 0.6,
    }
    assert sum(expected.values()) == pytest.approx(1.0)
    for end, share in expected.items():
        assert draws.rates.ends[end].mean() == pytest.approx(share, rel=1e-4)
        assert np.mean(draws.ended_at == end) == pytest.approx(share, abs=4.5 * math.sqrt(share / size) + 1e-12)
    assert sum(draws.rates.outcomes.values()).tolist() == pytest.approx([1.0] * 1024)


def test_a_duration_from_few_cases_keeps_its_law():
    law = log_time([case * MONTH_S for case in (12.0, 24.0, 45.0)])
    draws = run(replace(CERTAIN, slip=Range.point(1.0), design_s=law), 1 << 14)
    design = (draws.tapeout_month - draws.work_month) * MONTH_S
    assert np.quantile(design, [0.1, 0.5, 0.9]) == pytest.approx(law.quantile([0.1, 0.5, 0.9]), rel=2e-2)
    assert np.isfinite(draws.spend_usd).all()
