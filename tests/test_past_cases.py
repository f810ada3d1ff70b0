"""The shipped past cases and the files of what happened after them."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest

from fabless.backtest.compared import checked_published, trend_faults
from fabless.backtest.matched import matched
from fabless.backtest.quantities import quantities_of
from fabless.backtest.truths import read_published, read_trends, read_truths
from fabless.case_numbers import stated
from fabless.case_records import Case, named
from fabless.catalogue import DATA, leaks, load, read_case, shipped_cases
from fabless.catalogue.facts.read import read_sources
from fabless.units import dimension

BACKTESTS = DATA / "backtests"
COLUMNS = {
    "truths": "quantity,date,value,low,high,unit,source,known",
    "forecasts": "who,quantity,date,low,value,high,unit,source,published",
    "trends": "quantity,today_low,today,today_high,growth_low,growth,growth_high,unit,source,published",
}
PERIOD = re.compile(r"\d{4}(Q[1-4]|H[12]|-\d{2}(-\d{2})?)?")
WITH_ADDRESS = re.compile(r".+ \(https?://[^\s)]+\)")
UNITS = {
    "queries_per_day": "query/day", "fleet_h100e": "chip", "vendor_share": "1",
    "training_flop": "FLOP", "compute_spend": "USD", "training_spend": "USD", "query_spend": "USD",
    "revenue": "USD", "cost_per_query": "USD/query", "rent": "USD/h", "chip_price": "USD",
    "lead_time": "week", "supply.scarce": "1", "supply.scarce_ends": "month",
    "pool": "wafer/month", "first_volume": "month", "gain": "1", "price": "1", "power": "1",
    "first_silicon": "month", "volume": "month", "trains": "1",
}
"""Beginning or end of the name of a quantity -> a unit of its dimension."""


def rows(case: str, kind: str) -> list[dict[str, str]]:
    path = BACKTESTS / f"{case}.{kind}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == COLUMNS[kind], path.name
    found = list(csv.DictReader(lines))
    assert all(None not in row and None not in row.values() for row in found), path.name
    return found


def unit_of(quantity: str) -> str:
    parts = quantity.split(".")
    names = (quantity, parts[-1] if parts[0] in ("generation", "programme") else parts[0])
    return next(UNITS[name] for name in names if name in UNITS)


def last_day(text: str) -> dt.date:
    """The last day of a day, month, quarter, half or year."""
    assert PERIOD.fullmatch(text), text
    year, rest = int(text[:4]), text[4:]
    if len(rest) == 6:
        return dt.date.fromisoformat(text)
    month = {"": 12, "Q": 3 * int(rest[1:] or 0), "H": 6 * int(rest[1:] or 0), "-": int(rest[1:] or 0)}[rest[:1]]
    return (dt.date(year, month, 28) + dt.timedelta(4)).replace(day=1) - dt.timedelta(1)


FILES = [(case, kind) for case in shipped_cases() for kind in COLUMNS]


@pytest.mark.parametrize(("case", "kind"), FILES)
def test_numbers_units_and_sources_of_a_file(case: str, kind: str) -> None:
    sources = read_sources(DATA / "sources.csv")
    for row in rows(case, kind):
        middle = "today" if kind == "trends" else "value"
        low, high = (("today_low", "today_high") if kind == "trends" else ("low", "high"))
        value = float(row[middle])
        assert float(row[low] or value) <= value <= float(row[high] or value), row
        if kind == "trends":
            growth = [float(row[name]) for name in ("growth_low", "growth", "growth_high")]
            assert 0 < growth[0] <= growth[1] <= growth[2], row
            assert float(row["today_low"]) > 0, row
        of = dimension(unit_of(row["quantity"]))
        assert dimension(row["unit"]) in (of, f"{of} rate" if kind == "trends" else of), row
        assert row["source"] in sources or WITH_ADDRESS.fullmatch(row["source"]), row


@pytest.mark.parametrize("name", shipped_cases())
def test_truths_are_known_after_the_day_and_what_was_said_by_it(name: str) -> None:
    day = read_case(name).as_of
    for row in rows(name, "truths"):
        assert last_day(row["known"]) > day, row
        assert last_day(row["date"]) > day, row
    for kind in ("forecasts", "trends"):
        assert [row for row in rows(name, kind) if last_day(row["published"]) > day] == []
    for row in rows(name, "forecasts"):
        assert last_day(row["date"]) > day, row


@pytest.mark.parametrize("name", shipped_cases())
def test_every_row_is_of_something_that_the_case_forecasts(name: str) -> None:
    case = read_case(name)
    forecast = quantities_of(case)
    truths = read_truths(BACKTESTS / f"{name}.truths.csv", case.as_of)
    assert len(matched(truths, case, forecast)) == len(truths)
    for item in read_published(BACKTESTS / f"{name}.forecasts.csv", case.as_of):
        assert checked_published(item, forecast).name == item.quantity
    assert trend_faults(read_trends(BACKTESTS / f"{name}.trends.csv", case.as_of), forecast) == []


@pytest.mark.parametrize("name", shipped_cases())
def test_no_row_comes_twice_and_each_forecast_has_its_truth(name: str) -> None:
    truths = [(row["quantity"], row["date"]) for row in rows(name, "truths")]
    assert len(set(truths)) == len(truths)
    said = [(row["who"], row["quantity"], row["date"]) for row in rows(name, "forecasts")]
    assert len(set(said)) == len(said)
    assert {key[1:] for key in said} <= set(truths)
    assert {row["quantity"] for row in rows(name, "trends")} <= {quantity for quantity, _ in truths}


def test_a_truth_of_the_market_is_the_same_in_every_case() -> None:
    seen: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in shipped_cases():
        day = read_case(name).as_of
        for row in rows(name, "truths"):
            if row["quantity"].split(".")[0] not in ("rent", "chip_price", "lead_time", "supply", "pool", "generation"):
                continue
            ends = tuple(row[key] for key in ("value", "low", "high", "unit", "source"))
            if row["unit"] == "month":
                months = (last_day(row["date"]) - day).days / 30.4375
                assert float(row["value"]) == pytest.approx(months, abs=0.6), row
                ends = (row["source"],)
            assert seen.setdefault((row["quantity"], row["date"]), ends) == ends, row


def test_there_are_enough_truths_to_judge_by() -> None:
    assert len({(row["quantity"], row["date"]) for name in shipped_cases() for row in rows(name, "truths")}) >= 60


@pytest.mark.parametrize("name", ["inflection-2023", "lab-2025"])
def test_later_sources_of_a_past_case_hold_specifications_and_calibrations_only(name: str) -> None:
    case = read_case(name)
    listed = leaks(case, load(case.as_of))
    undated = {item.name for item in listed if item.known is None} & set(named(case.numbers))
    assert undated == set()
    assert set(case.hindsight) <= {"performance", "epoch-hw", "stas-n", "pack-hbm-table", "fabless"}
    stated = {item.name for item in listed if item.source.id != "fabless"} & set(named(case.numbers))
    assert stated == set(), "numbers of the case come from sources of its day"


def test_the_young_company_may_lose_its_demand() -> None:
    case: Case = read_case("inflection-2023")
    assert case.numbers.demand.growth.spread.low < 1.0 < case.numbers.demand.growth.spread.high
    assert stated(case.numbers.shocks["demand-collapse"].demand).spread.high < 1.0
    assert not case.programmes


def test_the_price_index_of_a_day_covers_its_year() -> None:
    for day, year, index in ((dt.date(2025, 6, 30), "2025", 319.762), (dt.date(2023, 7, 31), "2023", 302.408)):
        assert load(day).fact("us-cpi", "index", year).value == index
    means = {"2025": (317.671, 319.082, 319.799, 320.795, 321.465),
             "2023": (299.170, 300.840, 301.836, 303.363, 304.127, 305.109)}
    assert sum(means["2025"]) / 5 == pytest.approx(319.762, abs=5e-4)
    assert sum(means["2023"]) / 6 == pytest.approx(302.408, abs=1e-3)


def test_the_page_names_every_kind_of_truth() -> None:
    page = (Path(__file__).parents[1] / "docs/reference/truths.md").read_text(encoding="utf-8")
    for name in shipped_cases():
        assert f"| `{name}` | {read_case(name).as_of} | " in page
        assert f"| {len(rows(name, 'truths'))} | " in page
