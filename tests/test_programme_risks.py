"""Slips, purchases, second generations, ramps and delayed starts against hand-made numbers;
extremes of every input."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fabless.errors import BadValue
from fabless.programme import (
    ChainState,
    DrawnOutcomes,
    End,
    LogTime,
    PricePath,
    PseudoCounts,
    Route,
    SecondGeneration,
    discretise,
    ramp_share,
    simulate,
    summary,
)
from fabless.programme import simulation as simulation_module
from fabless.programme.blueprint import blueprint
from fabless.programme.rates import draw_rates
from fabless.records import Range
from fabless.sampling import mean, stream
from test_programme import (
    ALWAYS,
    BID_FAILED,
    BUILD,
    CANCELLED,
    CERTAIN,
    LIMITED,
    NEVER,
    VOLUME,
    exactly,
    months,
    run,
    within,
)

SECOND = SecondGeneration(
    overlap_s=exactly(8), design_s=exactly(10), ended=NEVER, gain=Range.point(2.0),
    design_usd=Range.point(60e6), masks_usd=Range.point(25e6),
)


def scores(slip: np.ndarray, spread: Range) -> np.ndarray:
    """Normal scores of triangular values: the law's own distribution function, written again
    here."""
    low, mode, high = spread.low, spread.mode, spread.high
    below = (slip - low) ** 2 / ((high - low) * (mode - low))
    above = 1 - (high - slip) ** 2 / ((high - low) * (high - mode))
    return norm.ppf(np.clip(np.where(slip <= mode, below, above), 1e-12, 1 - 1e-12))


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.85, 1.0])
def test_the_correlation_of_the_slips_is_recovered(rho: float):
    spread = Range(1.0, 1.2, 1.7)
    draws = run(replace(CERTAIN, slip=spread, slip_correlation=rho), 1 << 14)
    design = draws.finish_of("architecture") - draws.work_month
    physical = draws.finish_of("physical design") - draws.finish_of("RTL and verification")
    qualification = draws.finish_of("qualification") - draws.good_silicon_month
    found = np.corrcoef([scores(design / 4, spread), scores(physical / 4, spread), scores(qualification / 6, spread)])
    assert found[np.triu_indices(3, 1)] == pytest.approx([rho] * 3, abs=0.03)
    assert design.mean() / 4 == pytest.approx(mean(spread), rel=5e-3)


def test_correlated_slips_spread_the_date_of_volume():
    spreads = [np.nanstd(run(replace(BUILD, ended=NEVER, slip_correlation=rho)).volume_month) for rho in (0.0, 0.5, 1.0)]
    assert spreads[0] < spreads[1] < spreads[2]


@settings(max_examples=20, deadline=None)
@given(more=st.floats(1.0, 2.0), rho=st.sampled_from([0.0, 0.3, 1.0]))
def test_more_slip_is_never_earlier(more: float, rho: float):
    plain = replace(BUILD, ended=NEVER, slip_correlation=rho)
    slower = replace(plain, slip=Range(1.0 * more, 1.2 * more, 1.7 * more))
    for date in ("tapeout_month", "good_silicon_month", "volume_month"):
        assert (getattr(run(slower, 256), date) >= getattr(run(plain, 256), date) - 1e-9).all()


@settings(max_examples=8, deadline=None)
@given(harder=st.floats(0.0, 0.5), gate=st.integers(0, 4))
def test_a_higher_hazard_never_helps(harder: float, gate: int):
    shares = [0.2] * 5
    riskier = [0.2 + harder * (k == gate) for k in range(5)]
    low = replace(BUILD, ended=PseudoCounts(1e5, 1e5), end_shares=tuple(shares))
    total = sum(riskier)
    high = replace(BUILD, ended=PseudoCounts(1e5 * total, 1e5), end_shares=tuple(share / total for share in riskier))
    assert not ((run(high, 512).outcome == VOLUME) & (run(low, 512).outcome != VOLUME)).sum() > 5


def test_the_price_path_multiplies_the_purchase():
    path = PricePath(PseudoCounts(2.5, 4.5), Range.point(0.25), Range.point(2.0))
    size = 1 << 14
    bought = run(replace(CERTAIN, price_path=path), size).spend_by_quarter_usd[:, 1] - 27e6 + 9e6
    found, counts = np.unique((bought / 900e6).round(9), return_counts=True)
    assert found.tolist() == [0.25, 2.0]
    assert within(counts[0] / size, 2.5 / 7, 2.5 * 4.5 / 49, size)


def test_a_second_generation_by_hand():
    # First: volume at 35.5. Second: starts 27.5, tape-out 27.5 + 15, silicon 47, qualification 9,
    # volume 56.
    draws = run(replace(CERTAIN, second=SECOND), 3)
    np.testing.assert_allclose(draws.second_volume_month, 56)
    np.testing.assert_allclose(draws.second_gain, 2)
    np.testing.assert_allclose(draws.volume_month, 35.5)
    plain = run(CERTAIN, 3)
    np.testing.assert_allclose(draws.spend_usd - plain.spend_usd, 85e6, rtol=1e-9)
    # 8 of the 15 months of design fall before the first volume: 32 of 60 million
    np.testing.assert_allclose(draws.peak_cash_usd - plain.peak_cash_usd, 32e6, rtol=1e-9)
    np.testing.assert_allclose(draws.capital_at_risk_usd - plain.capital_at_risk_usd, 85e6, rtol=1e-9)
    told = summary(draws)
    assert told.second_volume_month is not None
    assert told.second_volume_month.p50 == pytest.approx(56)


def test_a_second_generation_stops_with_the_first_and_never_overtakes_it():
    limited = run(replace(CERTAIN, second=SECOND, ended=ALWAYS, end_shares=(0.0, 0.0, 1.0)), 4)
    assert (limited.outcome == LIMITED).all()
    assert np.isnan(limited.second_volume_month).all()
    plain = run(replace(CERTAIN, ended=ALWAYS, end_shares=(0.0, 0.0, 1.0)), 4)
    np.testing.assert_allclose(limited.spend_usd - plain.spend_usd, 32e6, rtol=1e-9)
    eager = run(replace(CERTAIN, second=replace(SECOND, overlap_s=exactly(999), design_s=exactly(0))), 4)
    np.testing.assert_allclose(eager.second_volume_month, 35.5)
    from_work = run(replace(CERTAIN, second=replace(SECOND, overlap_s=exactly(999), design_s=exactly(20))), 4)
    np.testing.assert_allclose(from_work.second_volume_month, 4 + 30 + 4.5 + 9)
    never = run(replace(CERTAIN, second=replace(SECOND, ended=ALWAYS)), 4)
    assert np.isnan(never.second_volume_month).all()
    np.testing.assert_allclose(never.spend_usd - run(CERTAIN, 4).spend_usd, 60e6, rtol=1e-9)  # its masks are not paid
    early = run(replace(CERTAIN, second=SECOND, ended=ALWAYS, end_shares=(1.0, 0.0, 0.0)), 64)
    assert (early.outcome == CANCELLED).all()
    np.testing.assert_array_equal(
        early.spend_usd,
        run(replace(CERTAIN, ended=ALWAYS, end_shares=(1.0, 0.0, 0.0)), 64).spend_usd,
    )


def test_the_ramp_rises_over_quarters():
    draws = run(replace(CERTAIN, ramp_s=exactly(12)), 2)
    np.testing.assert_allclose(draws.full_volume_month, 47.5)
    share = ramp_share(draws, 32)
    # rate (t - 35.5) / 12: quarter 11 (33 to 36) holds 0.5^2 / 24, quarter 12 (36 to 39) (3.5^2 -
    # 0.5^2) / 24, over 3
    assert share[:13] == pytest.approx([*[0.0] * 11, 0.25 / 72, 12.0 / 72])
    assert share[16:] == pytest.approx([1.0] * 16)
    at_once = ramp_share(run(CERTAIN, 2), 32)
    assert at_once[11:13] == pytest.approx([0.5 / 3, 1.0])
    assert ramp_share(run(replace(CERTAIN, bid_failed=ALWAYS), 2), 8).tolist() == [0.0] * 8


def test_expected_spend_by_hand():
    # One gate at half odds at tape-out: 900 + 2 x 18 + 90 + 63 x 18 / 31.5, otherwise all of it.
    draws = run(replace(CERTAIN, ended=PseudoCounts(1e9, 1e9), end_shares=(0, 1.0, 0, 0, 0)), 1 << 14)
    ended, through = 900 + 36 + 90 + 36, 900 + 63 + 90 + 20 + 63
    assert draws.capital_at_risk_usd.mean() == pytest.approx((ended + through) / 2 * 1e6, rel=5e-3)
    assert set((draws.capital_at_risk_usd / 1e6).round(6).tolist()) == {float(ended), float(through)}


def test_without_any_width_every_draw_is_the_same_schedule():
    draws = run(CERTAIN, 64)
    for field in ("finish_month", "end_month", "spend_usd", "spins"):
        values = getattr(draws, field)
        assert (values == values[..., :1]).all()


def test_the_draws_do_not_depend_on_how_they_are_cut():
    parameters = replace(BUILD, slip_correlation=0.5, second=SECOND)
    plan = blueprint(parameters)
    rates = draw_rates(parameters, plan.stages, 1, stream(3, "rates"))
    points, events = simulation_module.draw_numbers(plan, 1000, stream(3, "numbers"))
    whole = simulation_module.run_trajectories(plan, rates, points, events, 32)
    parts = [simulation_module.run_trajectories(plan, rates, points[rows], events[rows], 32)
             for rows in (slice(0, 1), slice(1, 700), slice(700, 1000))]
    for field in fields(DrawnOutcomes):
        if isinstance(value := getattr(whole, field.name), np.ndarray):
            axis = 1 if field.name == "finish_month" else 0
            np.testing.assert_array_equal(value, np.concatenate([getattr(part, field.name) for part in parts], axis=axis))


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, 19), notice=st.sampled_from([0.0, 1.5]), seed=st.integers(0, 3))
def test_a_delayed_start_moves_everything(start: int, notice: float, seed: int):
    draws, boundaries = run(BUILD, 512, seed), (4, 8, 12, 16, 20)
    chain = discretise(draws, 32, boundaries, notice, start)
    probability = np.array([path.probability for path in chain.paths])
    spend = np.array([path.spend_by_quarter_usd for path in chain.paths])
    assert probability.sum() == pytest.approx(1.0)
    expected = np.zeros(32)
    expected[start:] = draws.spend_by_quarter_usd[:, :32 - start].mean(axis=0)
    np.testing.assert_allclose(probability @ spend, expected, rtol=1e-9, atol=1e-3)
    assert (spend[:, :start] == 0).all()
    for path in chain.paths:
        assert boundaries[path.reveal_boundary_index] > start or path.outcome is ChainState.RUNNING
        assert path.volume_quarter is None or path.volume_quarter >= boundaries[path.reveal_boundary_index]
    for step in chain.transitions:
        if step.boundary <= start:
            assert (step.arrived, step.dead, step.running) == (0.0, 0.0, 1.0)


def test_a_delayed_start_is_the_same_programme_on_a_later_calendar():
    draws = run(BUILD, 4096)
    now = discretise(draws, 24, (4, 8, 12, 16), 1.0)
    later = discretise(draws, 28, (4, 8, 12, 16, 20), 1.0, start_quarter=4)
    assert len(now.paths) == len(later.paths)
    for one, other in zip(now.paths, later.paths, strict=True):
        assert one.probability == pytest.approx(other.probability)
        assert (one.volume_quarter or -4) + 4 == (other.volume_quarter or 0)
        np.testing.assert_allclose(other.spend_by_quarter_usd[4:], one.spend_by_quarter_usd, rtol=1e-12)


@pytest.mark.parametrize("start", [-1, 20, 31, 32, 40])
def test_a_start_after_the_horizon_is_refused(start: int):
    with pytest.raises(BadValue, match="start_quarter"):
        discretise(run(BUILD, 8), 32, (4, 20), 0.0, start)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"slip_correlation": 1.01}, "slip_correlation"),
        ({"slip_correlation": -0.1}, "slip_correlation"),
        ({"slip_correlation": math.inf}, "slip_correlation"),
        ({"slip_correlation": math.nan}, "slip_correlation"),
        ({"bring_up_share": 1.5}, "bring_up_share"),
        ({"design_shares": (0.5, 0.5, 0.5)}, "design_shares"),
        ({"end_shares": (0.5, 0.5)}, "end_shares"),
        ({"first_silicon_good": PseudoCounts(-1.0, 2.0)}, "first_silicon_good"),
        ({"scope_cut": Range(0.5, 0.6, 1.2)}, "scope_cut"),
        ({"software_s": months(-1, 2, 3)}, "software_s"),
        ({"retention": Range(0.0, 0.5, 1.0)}, "retention"),
        ({"retention": Range(0.5, 1.0, 1.1)}, "retention"),
        ({"price_path": PricePath(NEVER, Range.point(1.0), Range.point(1.0))}, "price_path"),
        ({"gates": {0: PseudoCounts(math.nan, 1.0)}}, "gates"),
        ({"second": replace(SECOND, design_s=months(-2, 0, 1))}, "second, design_s"),
        ({"second": replace(SECOND, ended=Range(0.1, 0.2, 1.3))}, "second, ended"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(changed: dict[str, object], place: str):
    from fabless.programme import Gate

    if "gates" in changed:
        changed = {"gates": {Gate.ARCHITECTURE: PseudoCounts(math.nan, 1.0)}}
    with pytest.raises(BadValue) as error:
        replace(BUILD, **changed)
    (fault,) = error.value.faults
    assert fault.place.startswith(f"programme first chip, {place}")
    assert fault.allowed
    assert fault.remedy


def test_extremes_of_every_input_behave():
    nothing = replace(CERTAIN, deal_s=exactly(0), design_s=exactly(0), fab_s=exactly(0), qualification_s=exactly(0))
    at_once = run(nothing, 4)
    np.testing.assert_array_equal(at_once.volume_month, 0.0)
    np.testing.assert_allclose(at_once.spend_by_quarter_usd[:, 0], (900 + 90 + 20 + 63 + 3) * 1e6, rtol=1e-12)
    for later in (0.0, 1.0):
        draws = run(replace(CERTAIN, first_silicon_good=Range.point(0.0), respin_good=Range.point(later)), 64)
        assert (draws.outcome == (VOLUME if later else CANCELLED)).all()
        assert (draws.spins == (2 if later else 12)).all()
    assert (run(replace(CERTAIN, spin_limit=1, first_silicon_good=Range.point(0.0)), 4).ended_at == End.SPINS).all()
    century = run(replace(CERTAIN, design_s=LogTime(20.0, 50.0, 1.0)), 256)
    assert np.isfinite(century.spend_usd).all()
    assert np.nanmax(century.volume_month) < 1e4
    assert (run(replace(CERTAIN, bid_failed=ALWAYS, second=SECOND), 4).outcome == BID_FAILED).all()
    assert run(BUILD, 1, quarters=1).spend_by_quarter_usd.shape == (1, 1)
    tiny = run(replace(CERTAIN, design_s=Range(0.0, 1e-300, 1e-290)), 16)
    assert np.isfinite(tiny.spend_by_quarter_usd).all()
    np.testing.assert_allclose(tiny.capital_at_risk_usd, (900 + 90 + 20 + 63 + 27) * 1e6, rtol=1e-12)


def test_metal_and_full_respins_follow_the_binomial_law():
    # Always five respins: the share of metal ones moves the cost, at 1 and 100 USD a respin.
    size, share = 1 << 14, 0.3
    draws = run(
        replace(
            CERTAIN, first_silicon_good=Range.point(0.0), respin_good=Range.point(0.0),
            spin_limit=6, metal_respin_share=Range.point(share), metal_respin_usd=Range.point(1e6),
            full_respin_usd=Range.point(100e6), metal_respin_s=exactly(4), full_respin_s=exactly(4),
        ),
        size,
    )
    base = 900 + 90 + 20 + 2 * 42.5 + 63 * 42.5 / 51.5
    metal = (base + 500 - draws.capital_at_risk_usd / 1e6) / 99
    for count in range(6):
        expected = math.comb(5, count) * share**count * (1 - share) ** (5 - count)
        assert within(float(np.mean(metal.round(6) == count)), expected, expected * (1 - expected), size)


@pytest.mark.parametrize(("name", "value"), [("count", 0), ("quarters", 0), ("sets", 0)])
def test_simulate_refuses_too_few(name: str, value: int):
    asked = {"count": 4, "quarters": 8, "sets": 4} | {name: value}
    with pytest.raises(BadValue, match=name):
        simulate(BUILD, asked["count"], stream(1, "x"), asked["quarters"], sets=asked["sets"])


def test_a_partner_pays_no_purchase():
    assert run(replace(BUILD, route=Route.PARTNER), 8).stages[0] == "agreement"
