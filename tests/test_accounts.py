"""The whole money: every account sums, and the bridge between two ways is fair to both.

Sums hold to 1e-9 on ways with rented and bought chips, ports, a programme, a contract, limits and
chips that are sold; the shares of the logarithmic mean are checked by hand.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from fabless.case_records import Case
from fabless.decide.accounts.difference import CAUSES, against
from fabless.decide.accounts.money import money_of, risk_adjusted_by_path, sellers
from fabless.decide.fresh.judge import Judged
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.ways.paths import calendar
from fabless.plan.problem.costs import risk_adjusted
from metamorphic_fixture import (
    LIMITED,
    SMALL,
    TWO_PROGRAMMES,
    Edit,
    planned,
    prepared_of,
    put,
    sure,
    text_of,
    tried,
)

CASES: dict[str, tuple[Edit, ...]] = {
    "everything": (), "programmes": (*TWO_PROGRAMMES, sure), "limits": LIMITED,
    "resale": (put("owning.resale", {"value": 0.5}),
               put("demand.growth", {"low": 0.2, "mode": 0.6, "high": 2})),
    "no risk": (put("risk.weight", 0.0),),
}


def judged(name: str) -> tuple[Case, Judged]:
    return prepared_of(text_of(*CASES[name])).case, tried(*CASES[name])


def exactly(value: float, scale: float) -> object:
    return pytest.approx(value, rel=0.0, abs=1e-9 * abs(scale))


# one way


@pytest.mark.parametrize("name", CASES)
def test_cash_unserved_demand_and_risk_are_the_total(name: str) -> None:
    case, found = judged(name)
    for way in found.ways:
        money = money_of(case, found.ways[way])
        total = money.total_usd
        assert money.cash_usd + money.unserved_usd + money.risk_usd == exactly(total, total)
        assert found.total_usd[way].mean() == exactly(total, total)
        assert money.cash_usd > 0.0
        assert money.unserved_usd >= 0.0
        assert money.risk_usd >= -1e-9 * total
        assert (money.risk_usd == exactly(0.0, total)) == (name == "no risk")


@pytest.mark.parametrize("name", CASES)
def test_the_total_is_what_the_plan_means_by_it(name: str) -> None:
    """The mean and the tail of the costs by path, by the formula of the objective."""
    case, found = judged(name)
    problem = planned(*CASES[name]).choice.ways[0].plan.problem
    for way in found.ways.values():
        equal = np.full(way.cost_usd.size, 1.0 / way.cost_usd.size)
        total, mean, _ = risk_adjusted(problem, way.cost_usd, equal)
        assert money_of(case, way).total_usd == exactly(total, total)
        assert mean == exactly(way.cost_usd.mean(), mean)


@pytest.mark.parametrize("name", CASES)
def test_the_headline_leads_to_the_total(name: str) -> None:
    case, found = judged(name)
    for way in found.ways.values():
        money = money_of(case, way)
        parts = [row.part for row in money.headline]
        assert parts == ["headline", "spread", "training", "unserved", "risk"]
        assert sum(row.usd for row in money.headline) == exactly(money.total_usd, money.total_usd)
        queries = money.headline[0].usd + money.headline[1].usd
        assert queries + money.headline[2].usd == exactly(money.cash_usd, money.total_usd)


@pytest.mark.parametrize("name", CASES)
def test_rows_of_spend_are_the_cash(name: str) -> None:
    case, found = judged(name)
    for way in found.ways.values():
        money = money_of(case, way)
        assert sum(row.discounted_usd for row in money.spend) == exactly(money.cash_usd, money.total_usd)
        undiscounted = way.cash.sum(axis=1).mean()
        assert sum(row.usd for row in money.spend) == exactly(undiscounted, undiscounted)
        keys = [(row.load, row.vendor, row.tenure, row.year) for row in money.spend]
        assert len(set(keys)) == len(keys)
        assert {row.year for row in money.spend} <= {year for year, _ in calendar(case)}
        assert {row.load for row in money.spend} == {load.name for load in case.loads}


@pytest.mark.parametrize("name", CASES)
def test_rows_of_a_vendor_and_of_a_year_are_what_its_lines_and_that_year_cost(name: str) -> None:
    case, found = judged(name)
    vendor, tenure = sellers(case)
    for way in found.ways.values():
        spend = money_of(case, way).spend
        by_line = (way.spend @ way.discount).mean(axis=1)
        for seller in set(vendor.values()):
            for held in ("own", "rent"):
                rows = sum(row.discounted_usd for row in spend if (row.vendor, row.tenure) == (seller, held))
                lines = sum(usd for line, usd in zip(way.lines, by_line, strict=True)
                            if (vendor[line], tenure[line]) == (seller, held))
                assert rows == exactly(lines, way.cost_usd.mean())
        for kind, values in (("software", way.ports.sum(axis=0)), ("programme", way.programme)):
            rows = sum(row.discounted_usd for row in spend if row.tenure == kind)
            assert rows == exactly((values @ way.discount).mean(), way.cost_usd.mean())
        for year, quarters in calendar(case):
            rows = sum(row.usd for row in spend if row.year == year)
            assert rows == exactly(way.cash[:, quarters].sum(axis=1).mean(), way.cost_usd.mean())


@pytest.mark.parametrize("name", CASES)
def test_what_is_paid_by_load_is_the_cash_of_every_path(name: str) -> None:
    _, found = judged(name)
    for way in found.ways.values():
        assert way.load_share.sum(axis=0) == pytest.approx(np.ones(way.cash.shape), rel=1e-12)
        assert (way.by_load.sum(axis=0) @ way.discount) == pytest.approx(way.cash_usd, rel=1e-9)
        rest = np.tensordot(1.0 - way.is_query, way.by_load, axes=1)
        assert ((way.query_cash + rest) @ way.discount) == pytest.approx(way.cash_usd, rel=1e-9)
        assert way.cost_usd == pytest.approx((way.cash + way.unserved) @ way.discount, rel=1e-12)


def test_the_cases_hold_every_kind_of_money() -> None:
    """Without ports, programmes, sales and shortage the sums above would say little."""
    ways = [way for name in CASES for way in judged(name)[1].ways.values()]
    for name in ("ports", "programme", "unserved", "unserved_queries"):
        assert any(getattr(way, name).any() for way in ways), name
    kept = tried(CASES["resale"][1]).ways["buy"]
    assert not np.allclose(kept.spend, judged("resale")[1].ways["buy"].spend), "chips are sold"


# two ways


@pytest.mark.parametrize("name", CASES)
def test_a_bridge_is_the_difference_and_turns_round_row_by_row(name: str) -> None:
    case, found = judged(name)
    for one, other in permutations(found.ways, 2):
        there = against(case, one, found.ways[one], other, found.ways[other])
        back = against(case, other, found.ways[other], one, found.ways[one])
        scale = found.total_usd[one].mean()
        assert there.difference_usd == exactly(found.difference(one, other)[0], scale)
        assert there.cash_usd + there.unserved_usd + there.risk_usd == exactly(there.difference_usd, scale)
        assert sum(row.usd for row in there.bridge) == exactly(there.difference_usd, scale)
        assert [row.part for row in there.bridge] == list(CAUSES)
        for row, mirrored in zip(there.bridge, back.bridge, strict=True):
            assert row.usd == exactly(-mirrored.usd, scale)
        assert there.difference_usd == exactly(-back.difference_usd, scale)
        assert there.error_usd == pytest.approx(back.error_usd, rel=1e-9, abs=1e-9 * scale)


@pytest.mark.parametrize("name", CASES)
def test_a_way_is_no_different_from_itself(name: str) -> None:
    case, found = judged(name)
    way = found.ways["buy"]
    assert [row.usd for row in against(case, "buy", way, "buy", way).bridge] == [0.0] * len(CAUSES)


@pytest.mark.parametrize("name", CASES)
def test_ways_in_another_order_of_the_case_have_the_same_bridge(name: str) -> None:
    """The lines of a way put into the opposite order: which line is counted first does not matter."""
    case, found = judged(name)

    def turned(way: WayOnPaths) -> WayOnPaths:
        arrays = {part: getattr(way, part)[::-1] for part in (
            "spend", "ports", "chips", "compute", "able", "hardware")}
        return replace(way, lines=way.lines[::-1], **arrays)  # type: ignore[arg-type]

    one, other = found.ways["diversify"], found.ways["partner"]
    usual = against(case, "a", one, "b", other)
    other_order = against(case, "a", turned(one), "b", turned(other))
    for row, same in zip(usual.bridge, other_order.bridge, strict=True):
        assert row.usd == exactly(same.usd, found.total_usd["buy"].mean())
    assert [replace(row, usd=0.0) for row in usual.bridge] == [
        replace(row, usd=0.0) for row in other_order.bridge]


def test_ports_programmes_and_risk_stand_in_their_own_rows() -> None:
    """Where two ways differ by nothing else, the row is the difference."""
    case, found = judged("everything")
    way = found.ways["buy"]
    dearer = {
        "software": replace(way, ports=way.ports + 1e5), "programme": replace(way, programme=way.programme + 1e5),
        "unserved": replace(way, unserved=way.unserved + 1e5),
    }
    for part, other in dearer.items():
        told = against(case, "other", other, "buy", way)
        rows = {row.part: row.usd for row in told.bridge}
        assert rows.pop(part) == pytest.approx(told.difference_usd, rel=1e-9)
        assert all(abs(usd) < 1e-3 for usd in rows.values())


# by hand


def one_way(
    spend: float, chips: float, hardware: float, able: float, compute: float, **given: float
) -> WayOnPaths:
    """One line on one path of two quarters, nothing discounted in the first and by half in the
    second; each number is that of both quarters."""
    def line(value: float) -> np.ndarray:
        return np.full((1, 1, 2), value)

    def path(value: float) -> np.ndarray:
        return np.full((1, 2), value)

    return WayOnPaths(
        lines=("h100",), loads=("chat",), spend=line(spend), ports=line(given.get("port", 0.0)),
        programme=path(given.get("programme", 0.0)), unserved=path(given.get("unserved", 0.0)),
        load_share=line(1.0), chips=line(chips), peak=line(0.0), compute=line(compute),
        able=line(able), hardware=line(hardware), served=line(1.0), revenue=line(0.0),
        unserved_queries=path(0.0), scarce=path(0.0),
        missing=path(0.0), wanted=path(1.0), power=path(0.0), own=np.array([False]), given_up=np.array([False]),
        values={}, discount=np.array([1.0, 0.5]), is_query=np.array([1.0]))


def test_the_logarithmic_mean_shares_a_difference_by_hand() -> None:
    # A quarter of the way costs 120 for 12 chips at 10, of the other 80 for 10 chips at 8.
    #                                     way            other          ratio
    # served                              16             20             0.8
    # able / served, chips that wait      20/16 = 1.25   25/20 = 1.25   1
    # hardware / able, software           24/20 = 1.2    25/25 = 1      1.2
    # chips / hardware, performance       12/24 = 0.5    10/25 = 0.4    1.25
    # spend / chips, price                120/12 = 10    80/10 = 8      1.25
    # all together                        120            80             0.8 x 1.2 x 1.25^2 = 1.5
    # Logarithmic mean: (120 - 80) / ln(120/80) = 40 / ln 1.5 = 98.6521...; two quarters, the second
    # at half: 1.5 of each part. Beside the chips a port of 3, a programme of 5, 7 unserved against 2.
    way = one_way(120, 12, 24, 20, 16, port=3, programme=5, unserved=7)
    other = one_way(80, 10, 25, 25, 20, unserved=2)
    case = prepared_of(text_of(put("risk.weight", 0.0))).case
    rows = {row.part: row.usd for row in against(case, "way", way, "other", other).bridge}
    mean = 40.0 / np.log(1.5)
    assert mean == pytest.approx(98.6521384, rel=1e-8)
    assert rows == pytest.approx({
        "price": 1.5 * mean * np.log(1.25), "performance": 1.5 * mean * np.log(1.25),
        "software": 1.5 * (mean * np.log(1.2) + 3.0), "dates": 0.0,
        "unserved": 1.5 * (mean * np.log(0.8) + 5.0), "programme": 1.5 * 5.0, "risk": 0.0,
    }, rel=1e-9, abs=1e-9)
    assert sum(rows.values()) == pytest.approx(1.5 * (40 + 3 + 5 + 5), rel=1e-12)


def test_a_quarter_in_which_one_has_no_chips_is_a_matter_of_dates() -> None:
    case = prepared_of(text_of(put("risk.weight", 0.0))).case
    rows = {row.part: row.usd for row in against(
        case, "way", one_way(120, 12, 24, 20, 16), "none", one_way(0, 0, 0, 0, 0)).bridge}
    assert rows.pop("dates") == pytest.approx(1.5 * 120, rel=1e-12)
    assert not any(rows.values())


def test_cash_unserved_and_risk_of_four_paths_by_hand() -> None:
    # Four paths that cost 10, 20, 30 and 100; weight 0.3, the worst quarter of them counts: 100.
    # Mean 40, total 0.7 x 40 + 0.3 x 100 = 58, risk 18. By path: 0.7 x cost, and 0.3 x the tail's
    # contribution of each, whose mean is 100.
    case = prepared_of(text_of(put("risk.level", 0.75))).case
    assert SMALL["risk"]["weight"] == 0.3
    parts = risk_adjusted_by_path(case, np.array([10.0, 20.0, 30.0, 100.0]))
    assert parts.mean() == pytest.approx(58.0, rel=1e-12)
