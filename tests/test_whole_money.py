"""The whole money of a real decision: every sum of the JSON added again, and the margin against the
draws."""

from __future__ import annotations

import json
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from case_fixture import MINIMAL, edited
from fabless.case_records import Case
from fabless.catalogue.case.case import parse_case
from fabless.decide import Decision, decide
from fabless.decide.accounts.results import Margin
from fabless.report import as_json
from fabless.report.money import headline_bridge, margin_words
from here import Here
from test_case_programmes import PROGRAMMES_LATER, SMALL

SECOND = """\
  amd:
    like: h100
    vendor: AMD
    ways: [diversify]
    price: {low: 20000, mode: 25000, high: 32000}
    port: {value: 1.0e+5}
  cloud:
    like: h100
    how: rent
    seller: Azure
    ways: [buy, diversify]
    price: {value: 3}
"""
REVENUE = ("    unserved_price: {value: 0.01}\n",
           "    unserved_price: {value: 0.01}\n    revenue: {low: 0.01, mode: 0.02, high: 0.03}\n")
EXACT = 1e-9


def small(*edits: tuple[str, str]) -> Case:
    whole = edited(MINIMAL, PROGRAMMES_LATER)
    text = whole + SECOND + SMALL.removeprefix(whole)
    return parse_case(edited(text, *edits), "my.yaml", Path("."))


@pytest.fixture(scope="module")
def decision() -> Decision:
    return decide(small(REVENUE), detail="quick", executor=Here())


@pytest.fixture(scope="module")
def document(decision: Decision) -> dict[str, Any]:
    read = json.loads(as_json(decision))
    assert isinstance(read, dict)
    return read


def added(rows: list[dict[str, Any]], name: str = "usd") -> float:
    return fsum(row[name] for row in rows)


def near(value: float, size: float) -> Any:
    return pytest.approx(value, abs=EXACT * abs(size))


def test_cash_unserved_and_risk_of_every_way_add_up_in_all_their_parts(
    document: dict[str, Any]
) -> None:
    assert len(document["strategies"]) >= 4
    for way in document["strategies"]:
        total = way["total_usd"]
        assert way["cash_usd"] + way["unserved_usd"] + way["risk_usd"] == near(total, total)
        assert added(way["headline"]) == near(total, total)
        assert added(way["spend"], "discounted_usd") == near(way["cash_usd"], total)
        paid = fsum(row["cost_usd"]["mean"] for row in way["cost_by_quarter_usd"])
        assert added(way["spend"]) == near(paid, paid)
        assert {tuple(row) for row in way["spend"]} == {
            ("load", "vendor", "tenure", "year", "usd", "discounted_usd")}
        assert {row["tenure"] for row in way["spend"]} <= {"own", "rent", "software", "programme"}
        years: dict[int, float] = {}
        for row in way["cost_by_quarter_usd"]:
            year = int(row["quarter"][:4])
            years[year] = years.get(year, 0.0) + row["cost_usd"]["mean"]
        for year, cost in years.items():
            assert added([row for row in way["spend"] if row["year"] == year]) == near(cost, paid)


def test_every_difference_adds_up_by_cause_and_by_part(document: dict[str, Any]) -> None:
    total = {way["name"]: way["total_usd"] for way in document["strategies"]}
    told = [way["against"] for way in document["strategies"]] + document["pairs"]
    for against in told:
        size = total[against["way"]]
        difference = size - total[against["other"]]
        assert against["difference_usd"] == near(difference, size)
        assert added(against["bridge"]) == near(difference, size)
        parts = (against["cash_usd"], against["unserved_usd"], against["risk_usd"])
        assert fsum(parts) == near(difference, size)
        assert against["error_usd"] >= 0.0
    count = len(total)
    assert len(document["pairs"]) == count * (count - 1) // 2


def test_the_cost_of_a_query_is_that_of_its_parts(document: dict[str, Any]) -> None:
    for item in document["query_costs"]:
        parts = [row for row in document["build_up"]
                 if (row["model"], row["offer"]) == (item["load"], item["offer"])]
        assert item["usd"] is None if not parts else added(parts) == near(item["usd"], item["usd"])
    offers = {item["offer"] for item in document["query_costs"]}
    assert offers == {"existing", "h100", "amd", "cloud", "own-build", "acquisition"}
    assert fsum(item["compute_share"] for item in document["query_costs"]) == pytest.approx(1.0)


def test_names_that_others_build_on_are_there(document: dict[str, Any]) -> None:
    for way in document["strategies"]:
        assert {"cash_usd", "unserved_usd", "risk_usd", "spend", "against", "programme"} <= set(way)
        assert {"other", "difference_usd", "error_usd", "bridge"} <= set(way["against"])
        if way["name"] in ("build", "acquire"):
            carried = way["programme"]["carried_through"]
            assert {"cost_per_query_usd", "volume_quarter", "total_usd"} <= set(carried)
            assert 0.0 <= way["programme"]["as_option"]["give_up_probability"] <= 1.0 + EXACT
        for action in way["actions"]:
            assert "delay_cost_usd" in action
    assert {"versions", "shadow_prices", "near_best", "leverage"} <= set(document)


def test_the_margin_is_revenue_less_cash_and_decides_nothing(
    decision: Decision, document: dict[str, Any]
) -> None:
    """Revenue lies between its ends at the queries served; the cash is that of the load of
    queries."""
    without = decide(small(), detail="quick", executor=Here())
    for way, bare, told in zip(
        decision.strategies, without.strategies, document["strategies"], strict=True
    ):
        assert bare.margin is None
        assert (way.total_usd, way.cost_per_query_usd) == (bare.total_usd, bare.cost_per_query_usd)
        margin = way.margin
        assert isinstance(margin, Margin)
        assert margin.loads == ("chat",)
        assert margin.margin_usd == near(
            margin.revenue_usd - margin.query_cash_usd, margin.revenue_usd)
        assert margin.query_cash_usd == near(way.cash_usd, way.cash_usd), "there is no other load"
        headline = headline_bridge(way, decision).steps[0]
        served = headline.usd / way.cost_per_query_usd.p50
        assert 0.01 < margin.revenue_usd / served < 0.03
        assert told["margin"]["revenue_usd"] == margin.revenue_usd
        assert margin_words(way, decision).startswith(f"{way.label}: queries to llama-2-70b bring in")
    assert without.recommended == decision.recommended
    assert np.isfinite([way.margin.error_usd for way in decision.strategies if way.margin]).all()
