"""Past cases scored against what happened: files, forecasts, comparison, screen."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from backtest_fixture import PUBLISHED, RICH, SAID, TRENDS, TRUTHS, small_case, truth_file
from case_fixture import MINIMAL, edited
from fabless.backtest import Backtest, PooledBacktest, backtest, cases_with_truths
from fabless.backtest.compared import trend_draws, trend_for
from fabless.backtest.fleet import MEASURE, OnPaths, way_series
from fabless.backtest.forecasts import Forecaster, taken
from fabless.backtest.grouped import event_scores, group_score, overall_score, weighted
from fabless.backtest.matched import matched
from fabless.backtest.periods import Period
from fabless.backtest.programmes import programme_draws, programme_series
from fabless.backtest.quantities import Quantity, quantities_of
from fabless.backtest.results import PROBABILITIES, ScoredTruth
from fabless.backtest.truths import read_published, read_trends, read_truths
from fabless.backtest.world import by_quarter, market_paths, world_series
from fabless.case_records import Case
from fabless.catalogue import load, read_case
from fabless.cli.app import app
from fabless.decide.detail import DETAILS
from fabless.decide.ways.prepare import counted
from fabless.errors import BadFile, BadValue, FablessError, UnknownName
from fabless.records import Source
from fabless.report import as_json
from fabless.report.backtest import print_backtest, print_pooled
from fabless.units import MONTH_S, Quarter
from here import Here

FEW = replace(DETAILS["quick"], paths=4, branching=(2,))
AS_OF = dt.date(2023, 10, 31)


@pytest.fixture(scope="module")
def small() -> Case:
    return small_case()


@pytest.fixture(scope="module")
def rich() -> Case:
    return small_case(RICH)


def faults_of(error: FablessError) -> list[str]:
    return [f"{fault.place}: {fault.found}; {fault.allowed}; {fault.remedy}" for fault in error.faults]


# --- periods


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2024", "2024-01-01", "2024-12-31"), ("2024H2", "2024-07-01", "2024-12-31"),
    ("2024Q1", "2024-01-01", "2024-03-31"), ("2024-02", "2024-02-01", "2024-02-29"),
    ("2023-12-31", "2023-12-31", "2023-12-31")])
def test_periods(text: str, first: str, last: str) -> None:
    period = Period.parse(text)
    assert (str(period.first), str(period.last)) == (first, last)


@pytest.mark.parametrize("text", ["2024Q5", "24", "2024-13", "2023-02-30", "", "2024H3"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is no period"):
        Period.parse(text, "here")


def test_shares_of_quarters_add_up_to_the_length_of_a_period() -> None:
    first = Quarter(2023, 4)
    assert Period.parse("2024").shares(first, 8).tolist() == [0, 1, 1, 1, 1, 0, 0, 0]
    month = Period.parse("2024-04").shares(first, 8)
    assert month[2] == pytest.approx(30 / 91)
    assert month.sum() == month[2]


def test_what_a_quantity_is_in_a_period() -> None:
    rows = np.array([[1.0, 2.0, 4.0]])
    part = np.array([0.0, 1.0, 0.5])

    def of(how: str, over: np.ndarray | None = None) -> float:
        quantity = Quantity(name="q", title="", group="money", unit="USD", how=how, origin="way")  # type: ignore[arg-type]
        return float(taken(rows, over, quantity, part)[0])

    assert of("sum") == 4.0
    assert of("mean") == pytest.approx(4.0 / 1.5)
    assert of("end") == 4.0
    assert of("sum", np.array([[5.0, 1.0, 2.0]])) == pytest.approx(4.0 / 2.0)
    assert math.isnan(of("sum", np.array([[5.0, 0.0, 0.0]]))), "where no query is served, none has a cost"


# --- files


def test_a_truth_is_read_in_si_with_its_source(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TRUTHS + f"compute_spend,2024,2,1,3,B USD,{SAID},2025-02\n"
                    "queries_per_day,2024-06,5e6,,,query/day,mkt-sa,2025-03-01\n")
    spend, queries = read_truths(path, AS_OF)
    assert (spend.low, spend.value, spend.high) == (1e9, 2e9, 3e9)
    assert spend.source.url == "https://example.org/page"
    assert spend.known == dt.date(2025, 2, 28)
    assert queries.low == queries.value == pytest.approx(5e6 / 86_400)
    assert queries.source.id == "mkt-sa"


def test_every_fault_of_a_file_of_truths_comes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TRUTHS + "".join((
        f"a,2024,x,,,USD,{SAID},2025-01-01\n", f"b,2024,5,6,7,USD,{SAID},2025-01-01\n",
        f"c,20x4,5,,,USD,{SAID},2025-01-01\n", f"d,2024,5,,,dollars,{SAID},2025-01-01\n",
        "e,2024,5,,,USD,hearsay,2025-01-01\n", f"f,2024,5,,,USD,{SAID},2023-10-31\n",
        f"g,2024,5,,,USD,{SAID},2025-01-01\n", f"g,2024,6,,,USD,{SAID},2025-01-01\n")))
    with pytest.raises(BadValue) as caught:
        read_truths(path, AS_OF)
    told = faults_of(caught.value)
    for line, words in ((2, "'x' is not a number"), (3, "low <= value <= high"), (4, "'20x4' is no period"),
                        (5, "unknown unit"), (6, "'hearsay' is no id of a source"),
                        (7, "not after the day of the case"), (9, "for the second time")):
        assert any(f":{line}" in fault and words in fault for fault in told), (line, words, told)
    assert len(told) == 7


def test_forecasts_and_trends_of_later_days_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(PUBLISHED + f"Me,queries_per_day,2024,,5,,query/day,{SAID},2023-11-01\n")
    with pytest.raises(BadValue, match="after the day of the case"):
        read_published(path, AS_OF)
    path.write_text(TRENDS + f"queries_per_day,1,2,3,1,2,3,query/day,{SAID},2023-11-01\n")
    with pytest.raises(BadValue, match="after the day of the case"):
        read_trends(path, AS_OF)
    path.write_text(TRENDS + f"queries_per_day,0,2,3,1,2,3,query/day,{SAID},2023-01-01\n")
    with pytest.raises(BadValue, match="above 0"):
        read_trends(path, AS_OF)


@pytest.mark.parametrize(("row", "words"), [
    ("fleet_h100,2024,5,,,chip", "such as fleet_h100e"),
    ("programme.co-design.volume,2026,5,,,month", "no forecast"),
    ("compute_spend,2024,5,,,chip", "unit of number"),
    ("compute_spend,2024-06-30,5,,,USD", "it adds up over time"),
    ("compute_spend,2026,5,,,USD", "not wholly within the case"),
    ("compute_spend,2023,5,,,USD", "not wholly within the case"),
    ("queries_per_day,2023,5,,,query/day", "not wholly within the case"),
    ("fleet_h100e,2024,0,,,chip", "scored on logarithms"),
    ("vendor_share.nvidia,2024,0.9,0.8,1.2,1", "a share from 0 to 1"),
    ("supply.scarce,2024,0.5,,,1", "it happened"),
    ("supply.scarce_ends,2024-04-30,12,11,13,month", "months after 2023-10-31")])
def test_a_truth_that_cannot_be_scored_is_refused(small: Case, tmp_path: Path, row: str, words: str) -> None:
    truths = read_truths(truth_file(tmp_path, row), AS_OF)
    with pytest.raises(FablessError, match=words):
        matched(truths, small, quantities_of(small))


def test_a_level_may_be_of_a_period_of_which_the_case_covers_half(small: Case, tmp_path: Path) -> None:
    truths = read_truths(truth_file(tmp_path, "queries_per_day,2023,5,,,query/day"), AS_OF)
    earlier = replace(small, first_quarter=Quarter(2023, 3))
    assert len(matched(truths, earlier, quantities_of(small))) == 1
    with pytest.raises(BadValue, match="2023 is not wholly"):
        matched(truths, small, quantities_of(small))


def test_an_unknown_quantity_is_an_unknown_name(small: Case, tmp_path: Path) -> None:
    truths = read_truths(truth_file(tmp_path, "pool.packaging,2024,5,,,wafer/month"), AS_OF)
    with pytest.raises(UnknownName, match=r"has no forecast of 'pool\.packaging'"):
        matched(truths, small, quantities_of(small))


# --- forecasts


def test_every_quantity_of_a_case_has_a_title_of_its_own(rich: Case) -> None:
    names = quantities_of(rich)
    titles = [item.title for name, item in names.items() if not name.endswith((".h100", ".rented"))]
    assert len(titles) == len(set(titles))
    assert {"training_flop.research", "revenue", "vendor_share.amd", "rent.mi250x", "pool.packaging",
            "generation.nvidia.2.gain"} <= set(names)


def test_the_market_is_forecast_at_what_is_true_and_not_at_what_is_believed(rich: Case) -> None:
    scenarios = market_paths(rich, 200)
    price = by_quarter(scenarios, scenarios.values.lines["h100"].price)
    assert np.ptp(price, axis=1).max() == 0.0
    assert 25_500 < np.quantile(price[:, 0], 0.1) < 28_600 < np.quantile(price[:, 0], 0.5) < 31_500


def test_price_and_lead_time_are_those_of_the_line(rich: Case) -> None:
    names, scenarios = quantities_of(rich), market_paths(rich, 50)
    price = world_series(rich, scenarios, names["chip_price.h100-sxm"])
    lead = world_series(rich, scenarios, names["lead_time.h100"])
    scarce = world_series(rich, scenarios, names["supply.scarce"])
    true = by_quarter(scenarios, scenarios.values.lines["h100"].price)
    assert price == pytest.approx(true * 0.9 ** (np.arange(8) / 4.0) * np.where(scarce > 0, 1.2, 1.0))
    assert lead / (7 * 86_400) == pytest.approx(np.where(scarce > 0, 40.0, 13.0))


def test_a_pool_grows_from_its_output(rich: Case) -> None:
    scenarios = market_paths(rich, 50)
    output = world_series(rich, scenarios, quantities_of(rich)["pool.packaging"]) * MONTH_S
    assert output[:, 0] == pytest.approx(10_000)
    assert (output[:, 4] / output[:, 0]).min() > 1.15


def test_the_end_of_scarcity_is_between_the_last_scarce_quarter_and_the_next(rich: Case) -> None:
    scenarios = market_paths(rich, 400)
    ends = world_series(rich, scenarios, quantities_of(rich)["supply.scarce_ends"]) / MONTH_S
    scarce = by_quarter(scenarios, scenarios.scarce)
    first = np.where(scarce.all(axis=1), 8, np.argmin(scarce, axis=1))
    into = 30 / 30.4375
    assert (np.abs(ends + into - 3.0 * np.minimum(first, 8)) <= 1.5 + 1e-9).all()
    # 12 months are four quarters on average: a quarter of the paths leaves each quarter
    assert np.median(ends) == pytest.approx(3.0 * math.log(0.5) / math.log(0.75), abs=1.6)


def test_a_case_that_begins_in_normal_supply_has_no_shortage_to_end(tmp_path: Path) -> None:
    normal = small_case(edited(MINIMAL, ("scarce_at_start: {value: 1}", "scarce_at_start: {value: 0}")))
    path = truth_file(tmp_path, "supply.scarce_ends,2024-04-30,6,,,month")
    with pytest.raises(BadValue, match="comes to be on no path"):
        backtest(normal, truths=path, executor=Here())


def test_coming_generations(rich: Case) -> None:
    names, scenarios = quantities_of(rich), market_paths(rich, 400)
    first, second, gain, price = (world_series(rich, scenarios, names[f"generation.nvidia.{name}"]) for name in (
        "1.first_volume", "2.first_volume", "2.gain", "2.price"))
    assert np.median(first) / MONTH_S == pytest.approx(12 - 30 / 30.4375, abs=0.3)
    assert np.median(second - first) / MONTH_S == pytest.approx(24, abs=0.6)
    assert 1.6**2 <= gain.min() <= np.median(gain) == pytest.approx(2.2**2, rel=0.1)
    assert np.median(price) == pytest.approx(1.3**2, rel=0.1)


def test_programmes_count_those_that_get_there() -> None:
    question = counted(read_case(), load(AS_OF))[0]
    names = quantities_of(question)
    programme = next(item for item in question.programmes if item.name == "co-design")
    draws = programme_draws(question, programme)
    tape_out, silicon, volume, reaches = (
        programme_series(draws, programme, names[f"programme.co-design.{step}"])
        for step in ("tape_out", "first_silicon", "volume", "reaches_volume"))
    assert (np.isnan(volume) == (reaches == 0.0)).all()
    arrived = reaches == 1.0
    assert (tape_out[arrived] < silicon[arrived]).all()
    assert (silicon[arrived] < volume[arrived]).all()
    trains = programme_series(draws, programme, names["programme.co-design.trains"])
    assert np.isnan(trains[~arrived]).all()
    assert 0.0 < np.nanmean(trains) < 1.0
    deaf = programme_series(draws, replace(programme, trains=False), names["programme.co-design.trains"])
    assert np.nanmax(deaf) == 0.0


def test_money_is_in_usd_of_the_truths_year(small: Case) -> None:
    level = {2023: 100.0, 2024: 103.0}
    forecaster = Forecaster(small, lambda: pytest.fail("no way is asked for"), level, 20)
    name = quantities_of(small)["chip_price.h100"]
    plain, later = (replace(name, in_money=in_money) for in_money in (False, True))
    for year, factor in (("2024", 1.03), ("2025", 1.03)):
        period = Period.parse(year if year == "2024" else "2025Q1")
        assert forecaster.samples(later, period).values == pytest.approx(
            factor * forecaster.samples(plain, period).values)


# --- trend, no change, published forecasts


def test_a_trend_grows_from_the_day_to_the_middle_of_the_period(small: Case, tmp_path: Path) -> None:
    names = quantities_of(small)
    trends = read_trends(_trends(tmp_path, "queries_per_day,2,2,2,3,3,3,query/day"), AS_OF)
    quantity = names["queries_per_day"]
    trend = trend_for(quantity, trends, names)
    assert trend is not None
    day = Period.parse("2025-10-30")
    grown = trend_draws(trend, quantity, day, AS_OF, grows=True) * 86_400
    assert grown == pytest.approx(2.0 * 3.0 ** (730 / 365.25))
    assert trend_draws(trend, quantity, day, AS_OF, grows=False) * 86_400 == pytest.approx(2.0)


def test_a_trend_of_spend_is_a_rate(small: Case, tmp_path: Path) -> None:
    names = quantities_of(small)
    spend = names["compute_spend"]
    for unit in ("USD/year", "USD"):
        trends = read_trends(_trends(tmp_path, f"compute_spend,8,8,8,1,1,1,{unit}"), AS_OF)
        quarter = trend_draws(trends[0], spend, Period.parse("2024Q3"), AS_OF, grows=True)
        assert quarter == pytest.approx(8.0 * 92 / 365.25)


def test_a_trend_has_the_spread_of_both_its_ranges(small: Case, tmp_path: Path) -> None:
    trends = read_trends(_trends(tmp_path, "queries_per_day,1,2,4,2,4,8,query/day"), AS_OF)
    quantity = quantities_of(small)["queries_per_day"]
    draws = np.log(trend_draws(trends[0], quantity, Period.parse("2025-10-30"), AS_OF, grows=True))
    sigma = math.log(2.0) / math.sqrt(6.0)  # of a triangular law that reaches log 2 on either side
    assert draws.std() == pytest.approx(sigma * math.hypot(1.0, 730 / 365.25), rel=0.02)


def test_the_beginning_of_names_stands_for_all_unless_it_is_one(rich: Case, tmp_path: Path) -> None:
    names = quantities_of(rich)
    trends = read_trends(_trends(
        tmp_path, "generation.nvidia,1,1,1,1,1,1,1", "fleet_h100e,1,1,1,1,1,1,chip",
        "generation.nvidia.2.gain,4,4,4,1,1,1,1"), AS_OF)

    def of(name: str) -> str | None:
        trend = trend_for(names[name], trends, names)
        return None if trend is None else trend.quantity

    assert of("generation.nvidia.1.gain") == "generation.nvidia"
    assert of("generation.nvidia.2.gain") == "generation.nvidia.2.gain"
    assert of("fleet_h100e") == "fleet_h100e"
    assert of("fleet_h100e.nvidia") is None


def _trends(folder: Path, *rows: str) -> Path:
    path = folder / "small.trends.csv"
    path.write_text(TRENDS + "".join(f"{row},{SAID},2023-06\n" for row in rows))
    return path


# --- a whole backtest


@pytest.fixture(scope="module")
def whole(rich: Case, tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    folder = tmp_path_factory.mktemp("whole")
    truths = truth_file(
        folder, "queries_per_day,2024Q3,3000000,,,query/day", "fleet_h100e,2024-12-31,80,60,120,chip",
        "vendor_share.nvidia,2024,0.9,0.8,1,1", "compute_spend,2024,1.5,1,2,M USD",
        "training_spend,2024,0.2,,,M USD", "query_spend,2024,1.3,,,M USD", "revenue,2024,20,,,M USD",
        "cost_per_query,2024,0.2,,,cent/query", "training_flop,2024Q4,3e21,,,FLOP",
        "supply.scarce,2024Q4,0,,,1", "pool.packaging,2024,15000,,,wafer/month",
        "generation.nvidia.1.first_volume,2024-10,11.5,,,month")
    _trends(folder, "queries_per_day,1e6,2e6,4e6,1.5,2,3,query/day",
            "pool.packaging,9000,10000,11000,1.2,1.5,1.8,wafer/month")
    (folder / "small.forecasts.csv").write_text(PUBLISHED + "".join((
        f"Me,queries_per_day,2024Q3,,6000000,,query/day,{SAID},2023-09\n",
        f"You,pool.packaging,2024,12000,14000,16000,wafer/month,{SAID},2023-09\n",
        f"You,pool.packaging,2025Q1,12000,14000,16000,wafer/month,{SAID},2023-09\n")))
    return backtest(rich, truths=truths, detail=FEW, executor=Here())


def row_of(result: Backtest, quantity: str) -> ScoredTruth:
    return next(row for row in result.truths if row.quantity == quantity)


def median(result: Backtest, quantity: str) -> float:
    return row_of(result, quantity).quantiles[PROBABILITIES.index(0.5)]


def test_a_whole_backtest(whole: Backtest) -> None:
    assert whole.paths == FEW.paths
    assert whole.recommended
    assert whole.overall is not None
    assert whole.overall.truths == 11
    assert [score.group for score in whole.groups] == ["demand", "scale", "money", "supply", "generations"]
    assert whole.last_known == "2025-10-01"
    event, = whole.events
    assert not event.happened
    assert event.brier == pytest.approx(event.chance**2)
    assert row_of(whole, "vendor_share.nvidia").unit == "%"
    assert median(whole, "fleet_h100e") > 0.0


def test_spend_on_training_and_queries_adds_up(whole: Backtest) -> None:
    assert whole.paths == 4
    for share in (0.025, 0.975):
        k = PROBABILITIES.index(share)
        parts = [row_of(whole, name).quantiles[k] for name in ("training_spend", "query_spend")]
        assert sum(parts) == pytest.approx(row_of(whole, "compute_spend").quantiles[k], rel=0.1)


def test_a_rival_is_scored_on_the_truths_that_it_has(whole: Backtest) -> None:
    assert whole.overall is not None
    beside = whole.overall.trend
    assert beside is not None
    assert beside.truths == 2
    rows = [row_of(whole, name) for name in ("queries_per_day", "pool.packaging")]
    assert beside.own_crps == pytest.approx(sum(row.crps for row in rows) / 2)
    assert beside.crps == pytest.approx(sum(row.trend.crps for row in rows if row.trend) / 2)
    assert beside.worse == (beside.own_crps > beside.crps)


def test_published_forecasts_are_scored_beside_ours(whole: Backtest) -> None:
    point, ranged = whole.published
    assert point.crps == pytest.approx(math.log(2.0))
    assert point.error == pytest.approx(math.log(2.0))
    assert ranged.error == pytest.approx(math.log(14_000 / 15_000), abs=0.02)
    assert ranged.own_crps == row_of(whole, "pool.packaging").crps
    assert whole.not_due == ("You: World output of packaging, 2025Q1",)


def test_the_same_question_gives_the_same_scores(rich: Case, whole: Backtest, tmp_path: Path) -> None:
    truths = truth_file(tmp_path, "queries_per_day,2024Q3,3000000,,,query/day", "pool.packaging,2024,15000,,,wafer/month")
    again = backtest(rich, truths=truths, detail=FEW, executor=Here())
    assert again.paths == 0, "no way is planned where no truth asks for one"
    assert row_of(again, "queries_per_day").crps == row_of(whole, "queries_per_day").crps


def test_fleet_is_counted_by_the_rate_of_the_chips(rich: Case) -> None:
    from fabless.decide.fresh.judge import judge
    from fabless.decide.ways.choice import choose
    from fabless.decide.ways.prepare import prepare
    from fabless.decide.ways.problem import draw_world

    prepared = prepare(rich, load(AS_OF))
    judged = judge(prepared, choose(draw_world(prepared), None, gates=False), FEW, pool=Here())
    paths = OnPaths(prepared.case, judged.ways["diversify"], load().chip(MEASURE))
    way, names = paths.way, quantities_of(rich)
    whole, _ = way_series(paths, names["fleet_h100e"])
    # before anything new arrives there are 100 A100, of 312 TFLOP/s each where an H100 has 989.4
    assert whole[:, 0] == pytest.approx(100 * 312 / 989.4, rel=1e-3)
    parts = [way_series(paths, names[f"fleet_h100e.{vendor}"])[0] for vendor in ("nvidia", "amd")]
    assert sum(parts) == pytest.approx(whole)
    revenue, _ = way_series(paths, names["revenue"])
    assert revenue == pytest.approx(0.02 * way.queries * 0.9 ** (np.arange(8) / 4.0))


def test_a_way_that_is_not_there_and_a_case_without_truths(rich: Case, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no truths ship with the case 'rich'"):
        backtest(rich, executor=Here())
    path = truth_file(tmp_path, "queries_per_day,2024Q3,3000000,,,query/day")
    with pytest.raises(UnknownName, match="unknown way 'bye'"):
        backtest(rich, truths=path, way="bye", executor=Here())
    with pytest.raises(BadValue, match="no truth known by 2024-01-01"):
        backtest(rich, truths=path, until=dt.date(2024, 1, 1), executor=Here())


# --- several cases


def scored(quantity: str, group: str, crps: float, inside: float = 1.0) -> ScoredTruth:
    return ScoredTruth(
        quantity=quantity, title=quantity, group=group, date="2024", unit="1", value=1.0, low=1.0, high=1.0,
        source=Source("", "s", "", ""), known=AS_OF, quantiles=(1.0,) * 7, samples=1, reached=1.0, inside_50=inside,
        inside_80=inside, inside_95=inside, pit=0.5, crps=crps, pinball=crps / 2, error=math.log(2.0),
        trend=None, no_change=None)


def test_a_market_truth_of_several_cases_counts_once(whole: Backtest) -> None:
    one = replace(whole, truths=(scored("rent.x", "prices", 1.0), scored("fleet_h100e", "scale", 3.0)))
    two = replace(whole, truths=(scored("rent.x", "prices", 2.0, 0.0), scored("fleet_h100e", "scale", 5.0)))
    truths, events = weighted([one, two])
    assert [row.weight for row in truths] == [0.5, 1.0, 0.5, 1.0]
    total = overall_score(truths)
    assert total is not None
    assert total.truths == 3.0
    assert total.crps == pytest.approx((0.5 * 1 + 0.5 * 2 + 3 + 5) / 3)
    assert total.bias == pytest.approx(2.0)
    assert group_score("prices", truths[::2]).inside_80 == 0.5
    score = event_scores(events)
    assert score is not None
    assert score.events == 1.0


def test_shipped_cases_have_truths_that_their_forecasts_meet() -> None:
    assert "openai-2023" in cases_with_truths()
    for name in cases_with_truths():
        case = read_case(name)
        folder = Path(read_truths.__code__.co_filename).parents[1] / "data" / "backtests"
        assert matched(read_truths(folder / f"{name}.truths.csv", case.as_of), case, quantities_of(case))


# --- screen


def printed(result: Backtest, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_backtest(result, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_screen_says_what_falls_outside_and_by_how_much(whole: Backtest) -> None:
    text = printed(whole)
    assert max(map(len, text.splitlines())) <= 80
    assert "The bands that claim 80% held" in " ".join(text.split())
    assert "Outside the 80 % band" in text
    assert "Forecasts that others published by the day" in text
    row = max(whole.truths, key=lambda row: abs(math.log(row.beyond)))
    assert row.title in text
    assert f"{row.beyond:.2g} times above the band (" in " ".join(text.split())


def test_the_pooled_screen(whole: Backtest) -> None:
    truths, events = weighted([whole, whole])
    pooled = PooledBacktest(cases={"a": whole, "b": whole}, groups=(), overall=overall_score(truths),
                            event_score=event_scores(events), seconds=0.0)
    console = Console(file=io.StringIO(), width=100)
    print_pooled(pooled, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "counts once" in text
    assert "Outside the 80 % band: b" in text


def test_the_document_says_what_made_it(whole: Backtest) -> None:
    document = json.loads(as_json(whole))
    assert document["versions"]["fabless"]
    assert document["truths"][0]["beyond"] > 0
    assert document["overall"]["trend"]["worse"] in (True, False)
    assert len(document["fans"][0]["quantiles"][0]) == len(document["probabilities"])
    assert "seconds" not in document


def test_the_command_prints_the_document_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = tmp_path / "case.yaml"
    case.write_text(RICH)
    truths = truth_file(tmp_path, "queries_per_day,2024Q3,3000000,,,query/day", "supply.scarce,2024Q4,0,,,1")
    run = CliRunner().invoke(app, ["backtest", str(case), "--truths", str(truths), "--json"])
    assert run.exit_code == 0, run.output
    document = json.loads(run.stdout)
    assert document["case"] == "rich"
    assert document["replay"] is None
    assert "no file says by quarter what happened" in document["not_replayed"]
    page = (tmp_path / "fabless-rich-backtest.html").read_text(encoding="utf-8")
    assert "Chance: supply is scarce" in page
    for options in (["--all"], ["--truths", str(truths), "--report", "page.txt"]):
        assert CliRunner().invoke(app, ["backtest", str(case), *options]).exit_code != 0
