"""Fresh paths as futures: dots are quantiles, courses add up, names say what happened."""

from __future__ import annotations

import numpy as np
import pytest

import fabless as fb
from fabless.catalogue import read_case
from fabless.decide.fresh.futures import DOTS, Futures


@pytest.fixture(scope="module")
def decision() -> fb.Decision:
    return fb.decide(read_case("inflection-2023"), detail="quick")


@pytest.fixture(scope="module")
def futures(decision: fb.Decision) -> Futures:
    return decision.futures


def test_dots_are_the_quantiles_of_numpy(futures: Futures) -> None:
    places = (np.arange(DOTS) + 0.5) / DOTS
    for way in futures.ways:
        cost = np.array(way.cost_per_query_usd)
        dots = cost[list(way.dots)]
        assert dots == pytest.approx(np.quantile(cost, places, method="inverted_cdf"))
        assert (np.diff(dots) >= 0.0).all()


def test_middle_dots_enclose_the_median_and_rings_count_as_the_chance(decision: fb.Decision) -> None:
    for way, result in zip(decision.futures.ways, decision.strategies, strict=True):
        cost = [way.cost_per_query_usd[k] for k in way.dots]
        assert cost[DOTS // 2 - 1] <= result.cost_per_query_usd.p50 <= cost[DOTS // 2]
        assert np.mean(way.is_short) == pytest.approx(result.shortage_probability, abs=1e-12)


def test_what_is_served_and_what_is_missing_is_what_was_wanted(futures: Futures) -> None:
    for course in futures.courses:
        served = np.sum([values for _, values in course.compute], axis=0)
        assert served + course.missing == pytest.approx(course.wanted, rel=1e-9)


def test_spend_of_a_course_is_cash_of_its_future(decision: fb.Decision) -> None:
    """By hand: what is paid by year over what is served gives the cost of a query of the year,
    where all compute goes to queries."""
    for course in decision.futures.courses:
        assert len(course.cost_per_query_usd) == len(decision.futures.years)
        assert all(len(values) == len(decision.futures.years) for _, values in course.spend_usd)
        assert sum(sum(values) for _, values in course.spend_usd) > 0.0


def test_a_third_of_the_futures_has_high_demand(futures: Futures) -> None:
    for kind in ("high", "low"):
        assert futures.demand.count(kind) == pytest.approx(futures.paths / 3, abs=1.5)
