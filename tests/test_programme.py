"""The programme against closed forms, a plain loop written again here, and the reference class of
real programmes."""

from __future__ import annotations

import math
import random
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fabless.errors import BadValue
from fabless.programme import (
    ChainState,
    DrawnOutcomes,
    End,
    OutcomeKind,
    ProgrammeModel,
    PseudoCounts,
    Route,
    discretise,
    simulate,
    summary,
)
from fabless.records import Range
from fabless.sampling import stream
from fabless.units import MONTH_S, YEAR_S

NEVER = PseudoCounts(0.0, 1.0)
ALWAYS = PseudoCounts(1.0, 0.0)
VOLUME, LIMITED, CANCELLED, BID_FAILED = OutcomeKind


def months(low: float, mode: float, high: float) -> Range:
    return Range(low * MONTH_S, mode * MONTH_S, high * MONTH_S)


def exactly(value: float) -> Range:
    return months(value, value, value)


BUILD = ProgrammeModel(
    name="first chip", route=Route.BUILD, deal_s=months(1, 3, 6), design_s=months(12, 18, 30),
    fab_s=months(3, 4.5, 6), qualification_s=months(3, 6, 9), slip=Range(1.0, 1.2, 1.7),
    first_silicon_good=Range(0.15, 0.24, 0.30), respin_good=Range(0.35, 0.5, 0.7),
    metal_respin_share=Range(0.4, 0.6, 0.8), metal_respin_s=months(2.5, 3.5, 6),
    full_respin_s=months(5, 7, 12), metal_respin_usd=Range(5e6, 10e6, 15e6),
    full_respin_usd=Range(15e6, 18e6, 25e6), spin_limit=12, ended=PseudoCounts(3.5, 1.5),
    end_shares=(0.45, 0.10, 0.45), bid_failed=NEVER, performance=Range(0.5, 0.8, 1.0),
    scope_cut=Range(0.2, 0.5, 0.8),
    team_usd_per_s=Range(80e6 / YEAR_S, 150e6 / YEAR_S, 300e6 / YEAR_S),
    support_share=Range(0.3, 0.6, 1.0), masks_usd=Range(15e6, 18e6, 25e6),
    design_usd=Range(50e6, 100e6, 200e6), software_usd=Range(50e6, 120e6, 300e6),
    purchase_usd=Range.point(0.0),
)
CERTAIN = replace(
    BUILD, route=Route.ACQUIRE, deal_s=exactly(4), design_s=exactly(12), fab_s=exactly(4.5),
    qualification_s=exactly(6), slip=Range.point(1.5), first_silicon_good=Range.point(1.0),
    ended=NEVER, purchase_usd=Range.point(900e6), team_usd_per_s=Range.point(2e6 / MONTH_S),
    support_share=Range.point(0.5), masks_usd=Range.point(20e6), design_usd=Range.point(90e6),
    software_usd=Range.point(63e6),
)


def run(parameters: ProgrammeModel, count: int = 1 << 13, seed: int = 7, quarters: int = 32) -> DrawnOutcomes:
    return simulate(parameters, count, stream(seed, "programme"), quarters)


def within(observed: float, expected: float, variance: float, count: int) -> bool:
    return abs(observed - expected) < 4.5 * math.sqrt(variance / count)


def test_a_programme_that_never_fails_has_one_spin_and_hand_computed_dates_and_spend():
    draws = run(CERTAIN, count=3)
    assert (draws.outcome == VOLUME).all()
    assert (draws.spins == 1).all()
    # deal 4; design 1.5 x 12 = 18; fab 4.5; qualification 1.5 x 6 = 9
    for name, month in (
        ("work", 4.0), ("tapeout", 22.0), ("first_silicon", 26.5), ("good_silicon", 26.5),
        ("volume", 35.5),
    ):
        np.testing.assert_allclose(getattr(draws, f"{name}_month"), month, rtol=1e-12)
    # per month: team 2, design tools 90 / 18 = 5, software 63 / 31.5 = 2; support 2 x 0.5 = 1 after
    # volume
    first_quarters = [0.0, 900 + 2 * (2 + 5 + 2), 27.0]
    np.testing.assert_allclose(draws.spend_by_quarter_usd[0, :3], np.array(first_quarters) * 1e6, rtol=1e-12)
    quarter_of_tapeout = 20 + 3 * (2 + 2) + 1 * 5
    quarter_of_volume = 2.5 * (2 + 2) + 0.5 * 1
    np.testing.assert_allclose(
        draws.spend_by_quarter_usd[0, [7, 11, 31]],
        np.array([quarter_of_tapeout, quarter_of_volume, 3.0]) * 1e6, rtol=1e-12,
    )
    at_risk = 900 + 31.5 * 2 + 90 + 20 + 63
    np.testing.assert_allclose(draws.capital_at_risk_usd, at_risk * 1e6, rtol=1e-12)
    np.testing.assert_allclose(draws.spend_usd, (at_risk + 96 - 35.5) * 1e6, rtol=1e-12)


def test_spins_follow_the_geometric_law():
    p1, p2, count = 0.24, 0.5, 1 << 16
    draws = run(
        replace(
            BUILD, first_silicon_good=Range.point(p1), respin_good=Range.point(p2), ended=NEVER,
            spin_limit=60,
        ),
        count,
    )
    assert within(draws.spins.mean(), 1 + (1 - p1) / p2, (1 - p1) * (1 + p1 - p2) / p2**2, count)
    for spins in range(1, 8):
        expected = p1 if spins == 1 else (1 - p1) * (1 - p2) ** (spins - 2) * p2
        assert within(np.mean(draws.spins == spins), expected, expected * (1 - expected), count)


def test_mean_duration_is_the_sum_of_triangular_means_without_slip_and_respins():
    draws = run(replace(BUILD, slip=Range.point(1.0), first_silicon_good=Range.point(1.0), ended=NEVER))
    mean = (1 + 3 + 6) / 3 + (12 + 18 + 30) / 3 + (3 + 4.5 + 6) / 3 + (3 + 6 + 9) / 3
    assert draws.volume_month.mean() == pytest.approx(mean, abs=2e-3)


def test_mean_duration_with_slip_and_respins():
    p1, p2, share, count = 0.24, 0.5, 0.6, 1 << 15
    draws = run(
        replace(
            BUILD, first_silicon_good=Range.point(p1), respin_good=Range.point(p2), ended=NEVER,
            metal_respin_share=Range.point(share), spin_limit=60,
        ),
        count,
    )
    respin = (1 - p1) / p2 * (share * (2.5 + 3.5 + 6) / 3 + (1 - share) * (5 + 7 + 12) / 3)
    mean = 10 / 3 + (1.0 + 1.2 + 1.7) / 3 * (20 + 6) + 4.5 + respin
    assert within(draws.volume_month.mean(), mean, draws.volume_month.var(), count)


@given(failed=st.floats(0.1, 20), passed=st.floats(0.1, 20))
def test_pseudo_counts_have_the_mean_of_the_beta_law(failed: float, passed: float):
    assert PseudoCounts(failed, passed).mean == pytest.approx(stats.beta(failed, passed).mean(), rel=1e-12)


def test_outcomes_come_at_the_rates_of_the_gates():
    count = 1 << 15
    acquire = replace(BUILD, route=Route.ACQUIRE, bid_failed=PseudoCounts(2.5, 4.5), spin_limit=60)
    draws = run(acquire, count)
    bid, ended = 2.5 / 7, 3.5 / 5
    expected = {
        BID_FAILED: bid, CANCELLED: (1 - bid) * ended * 0.55, LIMITED: (1 - bid) * ended * 0.45,
        VOLUME: (1 - bid) * (1 - ended),
    }
    for kind, share in expected.items():
        assert within(np.mean(draws.outcome == kind), share, share * (1 - share), count)
    in_design = (draws.outcome == CANCELLED) & np.isnan(draws.tapeout_month)
    share = (1 - bid) * ended * 0.45
    assert within(in_design.mean(), share, share * (1 - share), count)


def test_first_chips_take_as_long_as_the_reference_class():
    # Months from start to first deployment of first chips: TPU v1 15, Graphcore GC2 24, Groq v1 47,
    # Cerebras WSE-1 50, Tesla D1 51, Maia 100 60, Tenstorrent 63, d-Matrix 66: P10 21, P50 50, P90
    # 64; planning range 24 / 42 / 66 (reference class of chip programmes; P10 to P90 of that
    # triangle: 32.7, 43.3, 56.3).
    draws = run(BUILD, 1 << 14)
    volume = draws.outcome == VOLUME
    p10, p50, p90 = np.quantile((draws.volume_month - draws.work_month)[volume], (0.1, 0.5, 0.9))
    assert 21 <= p10 <= 36
    assert 43 <= p50 <= 50
    assert 56 <= p90 <= 66
    tapeout_to_volume = np.median((draws.volume_month - draws.tapeout_month)[volume])
    assert 8 <= tapeout_to_volume <= 24  # same class: 8 / 13 / 24
    start_to_tapeout = np.quantile((draws.tapeout_month - draws.work_month)[volume], (0.1, 0.9))
    assert 12 <= start_to_tapeout[0] <= start_to_tapeout[1] <= 45  # same class: 12 / 24 / 45


def test_a_plain_loop_gives_the_same_means():
    random.seed(11)
    count, horizon = 20_000, 96.0

    def tri(spread: Range) -> float:
        return random.triangular(spread.low, spread.high, spread.mode)

    spends, volumes = [], []
    for _ in range(count):
        p = BUILD
        slip, team = tri(p.slip), tri(p.team_usd_per_s) * MONTH_S
        work = tri(p.deal_s) / MONTH_S
        tapeout = work + slip * tri(p.design_s) / MONTH_S
        silicon = tapeout + tri(p.fab_s) / MONTH_S
        p1, p2, share = tri(p.first_silicon_good), tri(p.respin_good), tri(p.metal_respin_share)
        kinds = []
        while random.random() > (p2 if kinds else p1):
            kinds.append(random.random() < share)
        metal_s, full_s = tri(p.metal_respin_s), tri(p.full_respin_s)
        metal_usd, full_usd = tri(p.metal_respin_usd), tri(p.full_respin_usd)
        good = silicon + sum(metal_s if metal else full_s for metal in kinds) / MONTH_S
        volume = good + slip * tri(p.qualification_s) / MONTH_S
        end, gate = volume, random.random()
        if gate < 0.7 * 0.225:  # half of the share of design ends after its first third, half at its end
            end = work + (tapeout - work) / 3
        elif gate < 0.7 * 0.45:
            end = tapeout
        elif gate < 0.7 * 0.5:
            end = silicon
        stop = min(end, horizon)
        spend = team * (stop - work)
        spend += tri(p.design_usd) * min(1.0, (stop - work) / (tapeout - work))
        spend += tri(p.software_usd) * (stop - work) / (volume - work)
        spend += tri(p.masks_usd) * (stop > tapeout or (stop == tapeout and gate >= 0.7 * 0.45))
        if kinds:
            respins = sum(metal_usd if metal else full_usd for metal in kinds)
            spend += respins * min(1.0, max(0.0, (stop - silicon) / (good - silicon)))
        spends.append(spend)
        if gate >= 0.7:
            volumes.append(volume)
    draws = run(replace(BUILD, spin_limit=60), 1 << 15)
    assert within(draws.capital_at_risk_usd.mean(), float(np.mean(spends)), float(np.var(spends)), count // 2)
    reached = draws.volume_month[draws.outcome == VOLUME]
    assert within(reached.mean(), float(np.mean(volumes)), float(np.var(volumes)), len(volumes) // 2)


def test_a_programme_that_always_fails_brings_nothing():
    draws = run(replace(BUILD, ended=ALWAYS))
    assert not (draws.outcome == VOLUME).any()
    assert np.isnan(draws.volume_month).all()
    assert np.isnan(draws.performance).all()
    np.testing.assert_array_equal(draws.capital_at_risk_usd, draws.spend_usd)
    told = summary(draws)
    assert told.volume_month is None
    assert "ramp" not in {stage.name for stage in told.stages}
    chain = discretise(draws, 32, (8, 16, 31))
    assert {path.outcome for path in chain.paths} <= {ChainState.DEAD, ChainState.RUNNING}


def test_silicon_that_never_works_is_given_up_at_the_spin_limit():
    hopeless = replace(
        CERTAIN, first_silicon_good=Range.point(0.0), respin_good=Range.point(0.0), spin_limit=3,
        metal_respin_s=exactly(5), full_respin_s=exactly(5),
    )
    draws = run(hopeless, 64)
    assert (draws.outcome == CANCELLED).all()
    assert (draws.spins == 3).all()
    assert np.isnan(draws.good_silicon_month).all()
    np.testing.assert_allclose(draws.end_month, 26.5 + 2 * 5)
    after_tapeout = run(replace(hopeless, ended=ALWAYS, end_shares=(0.0, 1.0, 0.0)), 512)
    at_gate = after_tapeout.ended_at == End.FIRST_SILICON
    assert set(after_tapeout.ended_at.tolist()) == {End.FIRST_SILICON, End.SPINS}
    np.testing.assert_allclose(after_tapeout.end_month, np.where(at_gate, 26.5, 36.5))
    np.testing.assert_array_equal(after_tapeout.spins, np.where(at_gate, 1, 3))
    at_once = run(replace(hopeless, metal_respin_s=exactly(0), full_respin_s=exactly(0)), 64)
    assert (at_once.spins == 3).all()


def test_a_respin_delays_and_is_paid_while_it_lasts():
    draws = run(replace(CERTAIN, first_silicon_good=Range.point(0.0), respin_good=Range.point(1.0),
                        metal_respin_share=Range.point(1.0), metal_respin_s=exactly(6),
                        metal_respin_usd=Range.point(12e6)), 2)
    assert (draws.spins == 2).all()
    np.testing.assert_allclose(draws.volume_month, 35.5 + 6)
    # respin from month 26.5 to 32.5 at 2 a month; team 2; software 63 over 37.5 months
    quarters = np.array([0.5, 3, 2.5, 0]) * 2 + 3 * (2 + 63 / 37.5)
    np.testing.assert_allclose(draws.spend_by_quarter_usd[0, 8:12], quarters * 1e6, rtol=1e-12)


def test_a_bid_that_always_fails_costs_nothing_and_ends_with_the_deal():
    draws = run(replace(CERTAIN, bid_failed=ALWAYS))
    assert (draws.outcome == BID_FAILED).all()
    assert (draws.spend_usd == 0).all()
    assert (draws.spins == 0).all()
    assert np.isnan(draws.work_month).all()
    np.testing.assert_allclose(draws.end_month, 4.0)


def test_a_chip_that_is_already_taped_out_pays_what_is_left_at_once():
    waiting = replace(
        CERTAIN, route=Route.PARTNER, purchase_usd=Range.point(0.0), deal_s=exactly(0),
        design_s=exactly(0), fab_s=exactly(0),
    )
    draws = run(waiting, 2)
    np.testing.assert_allclose(draws.volume_month, 9.0)  # 1.5 x 6 of qualification
    # design tools 90 and masks 20 at once, then team 2 and software 63 / 9 = 7 a month; support 1 a
    # month
    np.testing.assert_allclose(draws.spend_by_quarter_usd[0, :4], np.array([110 + 27, 27, 27, 3]) * 1e6, rtol=1e-12)


def test_spend_of_every_draw_follows_from_its_dates():
    draws = run(replace(CERTAIN, ended=PseudoCounts(2.0, 1.0), end_shares=(0.4, 0.4, 0.2)), quarters=20)
    end = draws.end_month
    expected = 900e6 + 2e6 * (end - 4) + 90e6 * np.minimum((end - 4) / 18, 1) + 63e6 * (end - 4) / 31.5
    expected += 20e6 * (end > 22)
    np.testing.assert_allclose(draws.capital_at_risk_usd, expected, rtol=1e-12)
    support = np.where(draws.outcome == VOLUME, 1e6 * (60 - 35.5), 0.0)
    np.testing.assert_allclose(draws.spend_usd, expected + support, rtol=1e-12)
    assert len({*draws.outcome.tolist()}) == 3


spans = st.just(0.0) | st.floats(0.01, 40)
spreads = st.tuples(spans, spans, spans).map(lambda v: months(*sorted(v)))
chances = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(lambda v: Range(*sorted(v)))
counts = st.tuples(st.floats(0, 9), st.floats(0.1, 9)).map(lambda v: PseudoCounts(*v))


@st.composite
def programmes(draw: st.DrawFn) -> ProgrammeModel:
    return replace(
        BUILD, route=Route.ACQUIRE, deal_s=draw(spreads), design_s=draw(spreads),
        fab_s=draw(spreads), qualification_s=draw(spreads), first_silicon_good=draw(chances),
        respin_good=draw(chances), metal_respin_share=draw(chances), ended=draw(counts),
        bid_failed=draw(counts), spin_limit=draw(st.integers(1, 12)),
        purchase_usd=Range(0.0, 1e9, 3e9),
        end_shares=draw(
            st.sampled_from([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.4, 0.2, 0.4)])
        ),
    )


@settings(max_examples=60, deadline=None)
@given(parameters=programmes(), quarters=st.integers(2, 40), seed=st.integers(0, 5))
def test_money_is_conserved_and_dates_are_ordered(
    parameters: ProgrammeModel, quarters: int, seed: int
):
    draws = run(parameters, 256, seed, quarters)
    assert draws.spend_by_quarter_usd.shape == (256, quarters)
    np.testing.assert_allclose(draws.spend_by_quarter_usd.sum(axis=1), draws.spend_usd)
    assert (draws.spend_by_quarter_usd >= -1e-3).all()
    assert (draws.capital_at_risk_usd <= draws.spend_usd * (1 + 1e-12) + 1e-3).all()
    dates = np.stack(
        [
            draws.work_month, draws.tapeout_month, draws.first_silicon_month,
            draws.good_silicon_month, draws.volume_month,
        ]
    )
    for earlier, later in pairwise(dates):
        both = ~np.isnan(later)
        assert (earlier[both] <= later[both]).all()
    assert (np.nanmax(np.vstack([dates, np.zeros(256)]), axis=0) <= draws.end_month).all()
    assert ((draws.spins > 0) == ~np.isnan(draws.tapeout_month)).all()
    assert (draws.spins <= parameters.spin_limit).all()
    volume = draws.outcome == VOLUME
    np.testing.assert_array_equal(volume, ~np.isnan(draws.volume_month))
    np.testing.assert_array_equal(volume, ~np.isnan(draws.performance))
    gone = np.arange(quarters) * 3.0 > draws.end_month[:, None]
    assert (draws.spend_by_quarter_usd[gone & ~volume[:, None]] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    parameters=programmes(), seed=st.integers(0, 3), notice=st.sampled_from([0.0, 1.0, 2.5]),
    boundaries=st.sets(st.integers(1, 31), min_size=1, max_size=6).map(
        lambda found: tuple(sorted(found))
    ),
)
def test_the_chain_keeps_the_mean_and_sees_no_future(
    parameters: ProgrammeModel, seed: int, notice: float, boundaries: tuple[int, ...]
):
    draws = run(parameters, 512, seed)
    chain = discretise(draws, 32, boundaries, notice)
    probability = np.array([path.probability for path in chain.paths])
    spend = np.array([path.spend_by_quarter_usd for path in chain.paths])
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(probability @ spend, draws.spend_by_quarter_usd.mean(axis=0), rtol=1e-10, atol=1e-3)
    for one in chain.paths:
        for other in chain.paths:
            together = boundaries[min(one.reveal_boundary_index, other.reveal_boundary_index)]
            assert one.spend_by_quarter_usd[:together] == other.spend_by_quarter_usd[:together]
    running = 1.0
    for index, step in enumerate(chain.transitions):
        assert step.arrived + step.dead + step.running == pytest.approx(1.0, abs=1e-12)
        for kind, share in ((ChainState.ARRIVED, step.arrived), (ChainState.DEAD, step.dead)):
            found = [path.probability for path in chain.paths
                     if path.reveal_boundary_index == index and path.outcome is kind]
            assert sum(found) == pytest.approx(running * share, abs=1e-12)
            assert len(found) == (share > 0)
        running *= step.running
    left = [path.probability for path in chain.paths if path.outcome is ChainState.RUNNING]
    assert sum(left) == pytest.approx(running, abs=1e-12)
    for path in chain.paths:
        arrived = path.outcome is ChainState.ARRIVED
        assert (path.volume_quarter is not None) == (path.performance is not None) == arrived
        if path.volume_quarter is not None:
            assert path.volume_quarter >= boundaries[path.reveal_boundary_index]


def test_the_chain_counts_what_the_draws_hold():
    draws = run(BUILD)
    chain = discretise(draws, 32, (8, 12, 16, 20))
    arrived = {path.volume_quarter: path for path in chain.paths if path.outcome is ChainState.ARRIVED}
    members = (draws.outcome == VOLUME) & (draws.volume_month > 36) & (draws.volume_month <= 48)
    assert arrived[16].probability == pytest.approx(members.mean(), abs=1e-12)
    assert arrived[16].performance == pytest.approx(draws.performance[members].mean(), rel=1e-12)
    assert arrived[16].scope_cut_share == pytest.approx(draws.scope_cut[members].mean(), rel=1e-12)
    np.testing.assert_allclose(arrived[16].spend_by_quarter_usd[16:],
                               draws.spend_by_quarter_usd[members, 16:].mean(axis=0), rtol=1e-12)
    undistinguished = draws.end_month > 36
    np.testing.assert_allclose(
        arrived[16].spend_by_quarter_usd[12:16],
        draws.spend_by_quarter_usd[undistinguished, 12:16].mean(axis=0), rtol=1e-12,
    )


def test_notice_brings_the_news_forward_and_not_the_chips():
    draws = run(CERTAIN, 8)  # volume at month 35.5, quarter 11.8
    late, early = (discretise(draws, 32, (8, 10, 14), notice).paths for notice in (0.0, 2.0))
    assert [(p.reveal_boundary_index, p.volume_quarter) for p in late] == [(2, 14)]
    assert [(p.reveal_boundary_index, p.volume_quarter) for p in early] == [(1, 12)]
    on_the_day = run(replace(CERTAIN, deal_s=exactly(4.5)), 8)  # volume at month 36, the start of quarter 12
    (path,) = discretise(on_the_day, 32, (8, 12, 14)).paths
    assert (path.reveal_boundary_index, path.volume_quarter) == (1, 12)


@settings(max_examples=25, deadline=None)
@given(cut=st.sampled_from([8, 12, 16]), seed=st.integers(0, 20))
def test_what_happens_later_does_not_change_what_is_known_now(cut: int, seed: int):
    draws, boundaries = run(BUILD, 1024, seed), (8, 12, 16, 20)
    later = draws.end_month > 3 * cut
    changed = replace(
        draws, outcome=np.where(later, CANCELLED, draws.outcome).astype(np.int8),
        end_month=np.where(later, draws.end_month + 5, draws.end_month),
        spend_by_quarter_usd=np.where(np.arange(32) < cut, draws.spend_by_quarter_usd, 0.0),
    )
    one, other = (discretise(d, 32, boundaries) for d in (draws, changed))
    known = boundaries.index(cut) + 1
    assert one.transitions[:known] == other.transitions[:known]
    assert one.paths[0].spend_by_quarter_usd[:cut] == other.paths[0].spend_by_quarter_usd[:cut]
    assert one.paths[-1].spend_by_quarter_usd[:cut] == other.paths[-1].spend_by_quarter_usd[:cut]


@given(slower=st.floats(1.0, 1.5), harder=st.floats(0.0, 5.0))
@settings(max_examples=20, deadline=None)
def test_slip_delays_and_risk_kills(slower: float, harder: float):
    plain = replace(BUILD, ended=NEVER)
    slip = Range(1.0 * slower, 1.2 * slower, 1.7 * slower)
    assert (run(replace(plain, slip=slip), 256).volume_month >= run(plain, 256).volume_month - 1e-9).all()
    riskier = run(replace(BUILD, ended=PseudoCounts(3.5 + harder, 1.5)), 256)
    assert not ((riskier.outcome == VOLUME) & (run(BUILD, 256).outcome != VOLUME)).any()


def test_the_same_seed_gives_the_same_bytes():
    one, same, other = run(BUILD, 128, 1), run(BUILD, 128, 1), run(BUILD, 128, 2)
    for field in fields(DrawnOutcomes):
        if isinstance(value := getattr(one, field.name), np.ndarray):
            assert value.tobytes() == getattr(same, field.name).tobytes()
    assert one.spend_usd.tobytes() != other.spend_usd.tobytes()


def test_the_summary_repeats_the_quantiles():
    draws = run(BUILD)
    told = summary(draws)
    volume = draws.volume_month[draws.outcome == VOLUME]
    assert told.volume_month is not None
    found = (told.volume_month.p10, told.volume_month.p50, told.volume_month.p90)
    assert found == pytest.approx(np.percentile(volume, (10, 50, 90)))
    assert {stage.name for stage in told.stages} == {
        "team", "architecture", "RTL and verification", "physical design", "silicon", "respins",
        "qualification", "software",
    }
    stages = {stage.name: stage for stage in told.stages}
    assert told.outcome_shares[VOLUME] == pytest.approx(volume.size / draws.outcome.size)
    tested = float(np.mean(draws.ended_at >= End.QUALIFICATION))
    assert stages["software"].reached == stages["qualification"].reached == pytest.approx(tested)
    assert told.peak_cash_usd == told.capital_at_risk_usd  # one generation, no income before volume
    assert told.peak_quarter_usd.p90 == pytest.approx(np.quantile(draws.spend_by_quarter_usd.max(axis=1), 0.9))
    assert sum(told.outcome_shares.values()) == pytest.approx(1.0)
    assert told.spend_usd.mean == pytest.approx(draws.spend_by_quarter_usd.sum() / draws.outcome.size)
    assert told.capital_at_risk_usd.p90 < told.spend_usd.p90
    assert told.spins_mean == pytest.approx(draws.spins[draws.spins > 0].mean())
    assert 0.45 < told.scope_cut_share < 0.55


def test_bad_parameters_are_all_reported():
    with pytest.raises(BadValue) as error:
        replace(
            BUILD, fab_s=months(-1, 3, 4), respin_good=Range(0.5, 0.9, 1.1),
            slip=Range(0.0, 1.0, 1.2), masks_usd=Range(-1.0, 0.0, 1.0),
            ended=PseudoCounts(0.0, 0.0), end_shares=(0.5, 0.5, 0.5), spin_limit=0,
            purchase_usd=Range.point(1.0), bid_failed=ALWAYS,
        )
    places = {fault.place.rsplit(", ")[-1] for fault in error.value.faults}
    assert places == {
        "fab_s", "respin_good", "slip", "masks_usd", "ended", "end_shares", "spin_limit",
        "purchase_usd", "bid_failed",
    }


def test_bad_calls_are_refused():
    with pytest.raises(BadValue, match="count"):
        run(BUILD, 0)
    draws = run(BUILD, 8)
    for quarters, boundaries, notice in (
        (33, (8,), 0.0), (32, (), 0.0), (32, (8, 8), 0.0), (32, (0, 8), 0.0), (32, (8, 32), 0.0),
        (32, (8,), -1.0), (32, (8,), math.nan),
    ):
        with pytest.raises(BadValue):
            discretise(draws, quarters, boundaries, notice)
