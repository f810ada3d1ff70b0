"""The page of a backtest: the document's numbers, nothing from outside, pictures with words."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest_page_fixture import bare, fan, made, pooled, truth
from fabless import wording
from fabless.backtest import Backtest
from fabless.records import Source
from fabless.report import as_json
from fabless.report.backtest_charts import (
    MOST_ROWS,
    calendar_chart,
    error_chart,
    factor_words,
    farthest,
    pit_chart,
)
from fabless.report.backtest_fans import MOST_FANS, fan_chart, main_fans
from fabless.report.backtest_html import as_backtest_html, as_pooled_html, regret_bridge
from fabless.report.backtest_words import amount, backtest_verdict, trend_words, where_words, worst_words
from fabless.report.fan_axis import Axis, axis_ticks
from page_reader import Reader

HOSTILE = '<script>alert("1")</script> [bold]& \' "'


@pytest.fixture(scope="module")
def result() -> Backtest:
    return made()


@pytest.fixture(scope="module")
def page(result: Backtest) -> str:
    return as_backtest_html(result)


def words_of(page: str) -> str:
    return " ".join("".join(Reader(page).words).split())


@pytest.mark.parametrize("make", [lambda: as_backtest_html(bare()),
                                  lambda: as_pooled_html(pooled())])
def test_small_pages_are_whole(make: object) -> None:
    text = make()  # type: ignore[operator]
    assert not Reader(text).open
    assert_self_contained(text)


def assert_self_contained(text: str) -> None:
    reader = Reader(text)
    assert not reader.of("script")
    assert not reader.of("link")
    for tag, attributes in reader.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            target = attributes.get(name)
            if target and not target.startswith("#"):
                assert (tag, name) == ("a", "href"), f"<{tag} {name}={target}>"
    assert not re.search(r"url\(|@import|@font-face", text)


def test_the_page_asks_nothing_from_outside_and_is_in_order(page: str) -> None:
    assert_self_contained(page)
    reader = Reader(page)
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    names = [attributes["id"] for _, attributes in reader.tags if attributes.get("id")]
    assert len(names) == len(set(names))
    inner = {link["href"] for link in reader.of("a") if str(link["href"]).startswith("#")}
    assert inner <= {f"#{name}" for name in names}
    assert all(cell.get("scope") for cell in reader.of("th"))


def test_every_picture_has_words(page: str) -> None:
    reader = Reader(page)
    assert len(reader.of("figure")) == len(reader.of("figcaption")) == 7
    labels = [picture.get("aria-label") for picture in reader.of("svg")]
    assert len(labels) == 7
    assert all(label and len(label) > 20 for label in labels)


def test_the_page_holds_the_numbers_of_the_document(result: Backtest, page: str) -> None:
    words, document = words_of(page), json.loads(as_json(result))
    assert backtest_verdict(result) in words
    for row, plain in zip(result.truths, document["truths"], strict=True):
        assert amount(plain["value"], plain["unit"]) in words
        assert where_words(row) in words
        assert row.title in words
    for score in document["groups"]:
        assert wording.in_percent(score["inside_80"]) in words
    for item in document["replay"]["ways"]:
        for usd in (item["planned"]["cost_usd"], item["planned"]["cash_to_date_usd"],
                    item["regret_usd"]):
            assert wording.usd(usd) in words
    company = document["replay"]["company"]
    assert wording.usd(company["regret_usd"]) in words
    assert company["orders"][0]["basis"] in words
    for text in ("12.3k", "Brier score 0.49", result.digest, "A bank: Queries a day, 2027",
                 "1.00M to 3.00M", "59%", "70%"):
        assert text in words


def test_the_page_says_where_the_case_did_worse(page: str) -> None:
    words = words_of(page)
    assert "On the 3 of which the day had a trend a log trend was nearer" in words
    assert "Farther off than a log trend of the day in scale and money." in words
    assert "Farther off than 1 of 1 published forecasts" in words


def test_a_trend_that_is_as_near_as_printed_is_not_called_farther(result: Backtest) -> None:
    score = result.overall
    assert score is not None
    assert score.trend is not None
    even = replace(score, trend=replace(score.trend, own_crps=0.530, crps=0.531, truths=score.truths))
    assert trend_words(even) == "On all of them the case was as near as a log trend: both off by a factor of 1.7."
    better = replace(score, trend=replace(score.trend, own_crps=0.1, crps=0.531))
    assert "the case was nearer than a log trend: off by a factor of 1.1, the trend by 1.7" in trend_words(better)
    assert trend_words(replace(score, trend=None)) == ""


def test_sources_are_links_where_they_are_addresses_of_the_web(result: Backtest, page: str) -> None:
    links = {str(link["href"]) for link in Reader(page).of("a")}
    assert {"https://example.org/page", "https://example.org/call",
            "https://example.org/paper"} <= links
    row = replace(result.truths[0], source=Source("", HOSTILE, "javascript:alert(1)", ""))
    text = as_backtest_html(replace(result, truths=(row, *result.truths[1:])))
    assert not any(str(link["href"]).startswith("javascript") for link in Reader(text).of("a"))


def test_hostile_names_stay_text(result: Backtest) -> None:
    assert result.replay is not None
    assert result.replay.company is not None
    order = replace(result.replay.company.orders[0], basis=HOSTILE,
                    source=f"{HOSTILE} (javascript:alert(1))")
    replay = replace(result.replay, realised=HOSTILE, notes=(HOSTILE,),
                     company=replace(result.replay.company, orders=(order,)))
    rows = tuple(replace(row, title=HOSTILE) for row in result.truths)
    reader = Reader(as_backtest_html(replace(
        result, title=HOSTILE, truths=rows,
        fans=tuple(replace(item, title=HOSTILE) for item in result.fans),
        not_due=(HOSTILE,), replay=replay)))
    assert not reader.of("script")
    assert not any(str(link["href"]).startswith("javascript") for link in reader.of("a"))
    assert HOSTILE in reader.words


def test_a_backtest_of_events_alone_says_why_nothing_is_replayed() -> None:
    words = words_of(as_backtest_html(bare()))
    assert "Only events can be checked." in words
    assert words.count("Nothing is replayed.") == 2
    assert len(Reader(as_backtest_html(bare())).of("figure")) == 0


def test_the_pooled_page_counts_a_truth_of_the_market_once() -> None:
    result = pooled()
    words = words_of(as_pooled_html(result))
    assert result.overall is not None
    assert result.overall.truths == 9.0
    assert f"of the {result.overall.truths:.3g} things now known" in words
    assert "Another case" in words
    assert words.count("What others had published by 2023-12-31.") == 2


def test_parts_of_a_regret_add_up_as_printed(result: Backtest) -> None:
    assert result.replay is not None
    for way in result.replay.ways:
        bridge = regret_bridge(way)
        read = [float(re.sub(r"[$BM]", "", text).replace(wording.MINUS, "-"))
                for text in (*(step.text for step in bridge.steps), bridge.text)]
        assert sum(read[:-1]) == pytest.approx(read[-1], abs=1e-9)
        assert len({step.text[-1] for step in bridge.steps}) == 1


# --- pictures


def rows_of(spec: object, found: list[dict[str, object]] | None = None) -> list[dict[str, object]]:
    """Every row of data of a specification."""
    found = [] if found is None else found
    if isinstance(spec, dict):
        data = spec.get("data")
        if isinstance(data, dict):
            found.extend(data.get("values", []))
        for value in spec.values():
            rows_of(value, found)
    elif isinstance(spec, list):
        for value in spec:
            rows_of(value, found)
    return found


def test_spend_of_a_year_is_spread_over_its_quarters(result: Backtest) -> None:
    spend = next(item for item in result.fans if item.quantity == "compute_spend")
    came = [row for row in rows_of(fan_chart([spend], result.truths, (), 720)) if "trend" in row]
    assert {row["first"] for row in came} == {"2024-01-01"}
    assert came[0]["value"] == pytest.approx(1e9, rel=0.01)
    assert came[0]["trend"] == pytest.approx(0.25e9, rel=0.01)


def test_a_quarter_of_which_nothing_is_forecast_is_left_out() -> None:
    cost = fan("cost_per_query", "Cost of a query", "money", "cent/query", "sum", 1.0)
    gaps = replace(cost, quantiles=((math.nan,) * 7, *cost.quantiles[1:]))
    drawn = {str(row["when"]) for row in rows_of(fan_chart([gaps], (), (), 720)) if "q3" in row}
    assert min(drawn) > "2024-04-01"
    nothing = replace(cost, quantiles=((math.nan,) * 7,) * 8)
    assert main_fans([nothing, cost], []) == [cost]


def test_a_truth_in_another_unit_is_drawn_in_that_of_its_fan() -> None:
    fleet = fan("compute_spend", "Spend on compute", "money", "B USD", "mean", 1.0)
    row = truth("compute_spend", "Spend on compute", "money", "2024Q1", "M USD", 500.0, 900.0)
    came = next(item for item in rows_of(fan_chart([fleet], [row], (), 720)) if "trend" in item)
    assert came["value"] == pytest.approx(0.5e9)


def test_pictures_of_fans_are_few_and_in_the_order_of_their_groups(result: Backtest) -> None:
    many = [fan(f"{group}{k}", f"{group} {k}", group, "chip", "mean", 1.0)
            for group in ("demand", "scale", "money", "prices", "supply") for k in range(6)]
    known = [truth("scale5", "scale 5", "scale", "2024Q1", "chip", 1.0, 1.0)]
    chosen = main_fans(many, known)
    assert len(chosen) == MOST_FANS
    assert any(item.quantity == "scale5" for item in chosen)
    groups = [item.group for item in chosen]
    assert groups == sorted(groups, key=["demand", "scale", "money", "prices", "supply"].index)
    spends = [fan(name, name, "money", "USD", "sum", 1.0) for name in (
        "query_spend", "training_spend", "revenue", "other_spend", "cost_per_query")]
    first = [item.quantity for item in main_fans(spends, [])]
    assert first == ["query_spend", "revenue", "cost_per_query"], "what is asked for first"
    assert main_fans(result.fans, result.truths, result.events) == list(result.fans)


@given(st.floats(1e-6, 1e20), st.floats(1.5, 1e9))
def test_ticks_of_an_axis_are_few_and_within(low: float, ratio: float) -> None:
    ticks = axis_ticks(low, low * ratio)
    assert len(ticks) <= 6
    assert ticks == sorted(set(ticks))
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert len(ticks) >= 2 or ratio < 3.0


def test_an_axis_of_shares_ends_at_all_of_it() -> None:
    axis = Axis.over([92.0, 97.0, 100.0], "%")
    assert list(axis.ticks) == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert axis.part(100.0) < 1.0
    flat = Axis.over([100.0, 101.0], "chip")
    assert flat.high / flat.low == pytest.approx(4.0), "what hardly moves is not blown up"
    assert Axis.over([0.0, 8.0], "chip").low > 0.0


def test_every_truth_falls_into_one_tenth(result: Backtest) -> None:
    bars = [row for row in rows_of(pit_chart(result.truths, 720)) if "count" in row]
    assert sum(float(str(row["count"])) for row in bars) / 2 == len(result.truths)


def test_the_picture_of_errors_keeps_the_farthest() -> None:
    rows = [truth(f"q{k}", f"Thing {k}", "demand", "2024Q1", "chip", 1.0 + k,
                  1.0) for k in range(MOST_ROWS + 5)]
    assert farthest(rows) == rows[5:]
    drawn = {str(row["row"]) for row in rows_of(error_chart(rows, 720)) if "median" in row}
    assert len(drawn) == MOST_ROWS


def test_the_calendar_shows_what_came_where_that_is_known(result: Backtest) -> None:
    row, = rows_of(calendar_chart(result.calendar, result.truths, result.as_of, 720))
    assert row["label"] == "expected December 2025", "known in October 2025"
    past = replace(result.truths[-1], known=dt.date(2026, 1, 31))
    row, = rows_of(calendar_chart(result.calendar, [past], result.as_of, 720))
    assert row["label"] == "came December 2025"
    assert str(row["q10"]) < str(row["came"]) < str(row["q90"])
    unknown, = rows_of(calendar_chart(result.calendar, (), result.as_of, 340))
    assert unknown["came"] is None


# --- words


def test_the_farthest_miss_is_said_with_its_factor(result: Backtest) -> None:
    assert worst_words(result.truths) == (
        "Farthest off is Fleet, in H100 equivalents, 31 December 2024: 45.6k came, 2.5 times above "
        "the band (4,500–18.0k).")
    assert worst_words(result.truths[:1]) == "Nothing came outside its band of 80%."
    low = truth("q", "Thing", "demand", "2024Q1", "chip", 1.0, 20.0)
    assert where_words(low) == "10 times below the band"
    assert where_words(replace(result.truths[0], inside_80=0.7)) == "inside with 70%"
    assert factor_words(0.0) == ">10,000x low"
