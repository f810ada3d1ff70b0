"""Cost of ownership against annuity identities, a textbook mortgage and a published survey."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from fabless.errors import BadValue
from fabless.records import Array
from fabless.tco import (
    ChipHour,
    Owning,
    capital_charge_usd,
    capital_recovery_factor,
    chip_hour_cost,
    discount_factor,
    rented_chip_hour,
    usd_per_million_tokens,
    usd_per_query,
)
from fabless.units import HOUR_S, MONTH_S, QUARTER_S, YEAR_S, to_si

RATES = st.floats(-0.2, 0.6)


def by_quarter(price: ArrayLike, residual: ArrayLike, life_s: ArrayLike, rate: ArrayLike) -> Array:
    """Level charge at the end of each quarter."""
    return capital_charge_usd(price, residual, life_s, rate, QUARTER_S)


def test_textbook_factors() -> None:
    # Tables of capital recovery factors (A/P): 10 %, 5 years 0.2638; 8 %, 20 years 0.1019; 6 %, 30
    # years 0.0726.
    for rate, years, factor in ((0.10, 5, 0.2638), (0.08, 20, 0.1019), (0.06, 30, 0.0726)):
        assert float(capital_recovery_factor(rate, years * YEAR_S)) == pytest.approx(factor, abs=5e-5)
    # A mortgage of 200,000 at a nominal 6.5 % compounded monthly over 30 years: 1,264.14 a month.
    effective = (1 + 0.065 / 12) ** 12 - 1
    assert float(capital_charge_usd(200_000, 0, 30 * YEAR_S, effective, MONTH_S)) == pytest.approx(1264.14, abs=0.005)


@settings(deadline=None)
@given(rate=RATES, residual=st.floats(0, 1), periods=st.integers(1, 60), price=st.floats(1, 1e6))
def test_discounted_charges_equal_price_less_discounted_residual(
    rate: float, residual: float, periods: int, price: float
) -> None:
    life = periods * QUARTER_S
    charge = float(by_quarter(price, residual, life, rate))
    paid = sum(charge / (1 + rate) ** (k / 4) for k in range(1, periods + 1))
    assert paid == pytest.approx(price - residual * price / (1 + rate) ** (periods / 4), rel=1e-8, abs=1e-6)
    factors = discount_factor(rate, QUARTER_S * np.arange(1, periods + 1))
    assert float(charge * factors.sum()) == pytest.approx(paid, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(rate=RATES, first=st.floats(0, 20), second=st.floats(0, 20))
def test_discounting_is_multiplicative(rate: float, first: float, second: float) -> None:
    both = discount_factor(rate, (first + second) * YEAR_S)
    assert float(both) == pytest.approx(
        float(discount_factor(rate, first * YEAR_S) * discount_factor(rate, second * YEAR_S)),
        rel=1e-9,
    )
    assert float(discount_factor(rate, YEAR_S)) == pytest.approx(1 / (1 + rate))


def test_limits_of_the_capital_charge() -> None:
    four_years = 4 * YEAR_S
    assert float(by_quarter(16_000, 0.25, four_years, 0.0)) == pytest.approx(750.0)
    near = float(by_quarter(16_000, 0.25, four_years, 1e-12))
    assert near == pytest.approx(750.0, rel=1e-9)
    # Resold at full price: the interest of a quarter is all that is paid.
    interest = 16_000 * (1.1**0.25 - 1)
    assert float(by_quarter(16_000, 1.0, four_years, 0.1)) == pytest.approx(interest)
    # Two centuries of life come within a thousandth of that.
    assert interest < float(by_quarter(16_000, 0.0, 200 * YEAR_S, 0.1)) < 1.001 * interest


# Owner's inputs, the same for every chip: colocation 150 (hyperscaler) and 200 (small cloud)
# USD/kW/month, 0.08 and 0.10 USD/kWh, inside the 150-250 and 0.06-0.12 of a GPU cost guide; network
# and storage 12.5 % (10-15 % in that guide); server share 32,010 USD per 8 chips (SemiAnalysis bill
# of material, May 2023, via Epoch AI). PUE 1.25, mean power 80 % of the survey's all-in kW, life 5
# and 4 years, real rate 10 and 13 %: assumptions for the kind of owner.
SERVER_USD = 32_010 / 8


def owned(price_usd: float, all_in_kw: float, *, small_cloud: bool) -> ChipHour:
    years, rate, rent, energy = (4, 0.13, 200, 0.10) if small_cloud else (5, 0.10, 150, 0.08)
    owning = Owning(
        real_rate=rate, life_s=years * YEAR_S, residual_share=0.0, upkeep_per_s=0.0,
        server_usd=SERVER_USD + 0.125 * (price_usd + SERVER_USD), server_power=1.0, pue=1.25,
        electricity_usd_per_j=to_si(energy, "USD/kWh"),
        colocation_usd_per_w_s=to_si(rent, "USD/kW/month"))
    return chip_hour_cost(
        price_usd, owning, rated_power_w=all_in_kw * 1e3, average_power_w=0.8 * all_in_kw * 1e3)


# Chip, price USD (Epoch AI, siliconanalysts), all-in kW and owner's USD/h for hyperscaler and small
# cloud (SemiAnalysis survey, August 2025 and July 2026).
SURVEY = [
    ("H100 2025", 23_238, 1.37, 1.30, 1.69),
    ("H100 2026", 23_238, 1.37, 1.17, 1.55),
    ("H200 2025", 27_000, 1.37, 1.41, 1.74),
    ("B200 2025", 37_000, 1.71, 1.95, 2.34),
    ("B300 2026", 43_500, 1.90, 2.26, 2.52),
    ("GB200 2026", 36_742, 1.87, 1.86, 2.26),
    ("MI300X 2026", 15_000, 1.39, 0.95, None),
    ("MI355X 2026", 27_500, 2.09, 1.50, None),
]


@pytest.mark.parametrize(
    ("name", "price", "kw", "hyperscaler", "small_cloud"), SURVEY, ids=[row[0] for row in SURVEY]
)
def test_survey_of_owners_costs(
    name: str, price: float, kw: float, hyperscaler: float, small_cloud: float | None
) -> None:
    assert float(owned(price, kw, small_cloud=False).total_usd) == pytest.approx(hyperscaler, rel=0.09)
    if small_cloud is not None:
        assert float(owned(price, kw, small_cloud=True).total_usd) == pytest.approx(small_cloud, rel=0.05)


def test_capital_share_of_the_survey() -> None:
    # H200, SemiAnalysis, November 2025: 1.06 of the 1.41 USD/h is capital.
    h200 = owned(27_000, 1.37, small_cloud=False)
    assert float(h200.chip_usd + h200.server_usd) == pytest.approx(1.06, rel=0.10)


def test_a_published_day_of_a_fleet() -> None:
    # SemiAnalysis, February 2023: 694,444 USD a day, 0.36 cents a query; 28,936 GPUs at 1.00 USD/h
    # give that.
    queries_per_day = 193e6
    assert float(usd_per_query(1.00, 28_936 * 86_400 / queries_per_day)) == pytest.approx(0.0036, rel=0.001)


OWNER = Owning(
    real_rate=0.1, life_s=4 * YEAR_S, server_usd=7_000.0, residual_share=0.1,
    upkeep_per_s=0.02 / YEAR_S, colocation_usd_per_w_s=0.0,
    electricity_usd_per_j=to_si(0.08, "USD/kWh"), pue=1.3, server_power=1.0, plant_usd_per_w=12.0,
    plant_life_s=15 * YEAR_S)
FREE = replace(OWNER, server_usd=0.0, residual_share=0.0, upkeep_per_s=0.0, plant_usd_per_w=0.0,
               electricity_usd_per_j=0.0, pue=1.0)


def hour(
    price_usd: ArrayLike = 20_000.0, owning: Owning = OWNER, average_power_w: float = 900.0,
    **changes: float,
) -> ChipHour:
    return chip_hour_cost(
        price_usd, replace(owning, **changes), rated_power_w=1300.0, average_power_w=average_power_w)


def test_lines_by_hand() -> None:
    got = hour(real_rate=0.0, staff_usd_per_s=0.05 / HOUR_S, availability=0.95)
    expected = {
        "chip": 20_000 * 0.9 / (4 * 8766),
        "server": 7_000 * 0.9 / (4 * 8766),
        "site": 1300 * 12 / (15 * 8766),
        "power": 1.3 * 0.9 * 0.08,
        "staff": 0.05 + 0.02 * 27_000 / 8766,
        "rent": 0.0,
    }
    assert {name: float(amount) for name, amount in got.lines()} == pytest.approx(
        {name: amount / 0.95 for name, amount in expected.items()}, rel=1e-9
    )
    assert float(got.total_usd) == pytest.approx(sum(expected.values()) / 0.95)


@settings(max_examples=60, deadline=None)
@given(rate=st.floats(0, 0.5), life=st.floats(0.5, 10), more=st.floats(0.01, 5))
def test_cost_moves_the_right_way(rate: float, life: float, more: float) -> None:
    def total(years: float = life, price: float = 20_000.0, pue: float = 1.3, **changes: float) -> float:
        owning = replace(
            OWNER, real_rate=rate, life_s=years * YEAR_S, pue=pue, server_usd=0.0, upkeep_per_s=0.0,
            plant_usd_per_w=0.0, colocation_usd_per_w_s=to_si(150, "USD/kW/month"))
        return float(hour(price, owning, **changes).total_usd)

    base = total()
    assert total(years=life + more) < base
    assert total(price=20_000 * (1 + more)) > base
    assert total(pue=1.3 + more / 2) > base
    assert total(average_power_w=900 + more) > base
    assert total(availability=1 / (1 + more)) == pytest.approx(base * (1 + more))
    assert float(hour(real_rate=rate + 0.01).total_usd) > float(hour(real_rate=rate).total_usd)


def test_free_things_cost_nothing() -> None:
    assert float(hour(0.0, FREE).total_usd) == 0.0


def test_a_server_adds_its_power_in_proportion() -> None:
    alone, housed = (hour(server_power=factor) for factor in (1.0, 2.0))
    assert float(housed.power_usd) == pytest.approx(2.0 * float(alone.power_usd))
    assert float(housed.site_usd) == pytest.approx(2.0 * float(alone.site_usd))
    assert float(housed.chip_usd + housed.staff_usd) == float(alone.chip_usd + alone.staff_usd)


def test_what_runs_and_what_is_bought_add_up() -> None:
    got = hour(staff_usd_per_s=0.05 / HOUR_S)
    assert float(got.running_usd) == pytest.approx(float(got.site_usd + got.power_usd + got.staff_usd))
    assert float(got.chip_usd + got.equipment_usd + got.running_usd) == pytest.approx(float(got.total_usd))
    assert float(OWNER.bought_usd(20_000.0)) == 27_000.0


def test_a_charge_by_the_quarter_is_spread_over_its_hours() -> None:
    got = chip_hour_cost(9_000.0, FREE, rated_power_w=0.0, average_power_w=0.0,
                         charged_every_s=QUARTER_S)
    assert float(got.total_usd) * QUARTER_S / HOUR_S == pytest.approx(
        float(by_quarter(9_000.0, 0.0, 4 * YEAR_S, 0.1)), rel=1e-12)


def test_rent_reserve_and_own_stand_on_one_footing() -> None:
    # A reservation paid wholly in advance costs what a chip of that price without residual or
    # running cost does.
    own = hour(9_000.0, FREE, life_s=YEAR_S)
    reserved = rented_chip_hour(0.0, prepaid_usd=9_000.0, term_s=YEAR_S, real_rate=0.1)
    assert float(reserved.total_usd) == float(own.total_usd)
    assert float(rented_chip_hour(2.5 / HOUR_S, staff_usd_per_s=0.1 / HOUR_S).total_usd) == pytest.approx(2.6)
    assert [name for name, _ in own.lines()] == [name for name, _ in reserved.lines()]


def test_tokens_and_queries() -> None:
    assert float(usd_per_million_tokens(2.0, 500.0)) == pytest.approx(2.0 / (500 * 3600) * 1e6)
    assert float(usd_per_query(2.0, 3.6, 0.5)) == pytest.approx(0.004)
    prices = usd_per_million_tokens(np.array([[1.0], [2.0]]), np.array([100.0, 200.0, 400.0]), 0.5)
    assert prices.shape == (2, 3)
    assert float(prices[1, 2]) == pytest.approx(float(usd_per_million_tokens(2.0, 400.0, 0.5)))


def test_arrays_agree_with_scalars() -> None:
    rates = np.array([0.0, 0.05, 0.2])
    lives = np.array([[3.0], [5.0]]) * YEAR_S
    table = by_quarter(1000.0, 0.2, lives, rates)
    assert table.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert float(table[i, j]) == pytest.approx(
            float(by_quarter(1000.0, 0.2, lives[i, 0], rates[j])), rel=1e-12
        )
    total = hour(np.array([1e4, 2e4])).total_usd
    assert total[1] == pytest.approx(float(hour(2e4).total_usd), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: discount_factor(10.0, YEAR_S), "real_rate"),
        (lambda: discount_factor(0.1, -1.0), "time_s"),
        (lambda: capital_recovery_factor(0.1, 0.0), "life_s"),
        (lambda: by_quarter(-1.0, 0.0, YEAR_S, 0.1), "price_usd"),
        (lambda: by_quarter(1.0, 1.2, YEAR_S, 0.1), "residual_share"),
        (lambda: by_quarter(math.nan, 0.0, YEAR_S, 0.1), "price_usd"),
        (lambda: usd_per_query(1.0, 1.0, 0.0), "busy_share"),
        (lambda: usd_per_million_tokens(1.0, 0.0), "tokens_per_s"),
        (lambda: rented_chip_hour(-1.0), "rent_usd_per_s"),
        (lambda: rented_chip_hour(1.0, prepaid_usd=-1.0), "prepaid_usd"),
    ],
)
def test_bad_numbers_are_refused(call: Callable[[], object], place: str) -> None:
    with pytest.raises(BadValue) as caught:
        call()
    assert [fault.place for fault in caught.value.faults] == [f"tco: {place}"]


def test_all_faults_of_one_call_are_said_at_once() -> None:
    with pytest.raises(BadValue) as caught:
        hour(-1.0, life_s=0.0, residual_share=2.0, electricity_usd_per_j=1.0, pue=0.9,
             real_rate=10.0, availability=0.0)
    assert {fault.place for fault in caught.value.faults} == {
        "tco: real_rate",
        "tco: life_s",
        "tco: residual_share",
        "tco: price_usd",
        "tco: electricity_usd_per_j",
        "tco: pue",
        "tco: availability",
    }


def test_the_table_in_the_explanation_holds_what_the_model_gives() -> None:
    page = (Path(__file__).parents[1] / "docs" / "explanation" / "tco.md").read_text(encoding="utf-8")
    for name, price, kw, hyperscaler, small_cloud in SURVEY:
        big = float(owned(price, kw, small_cloud=False).total_usd)
        row = f"| {name} | {big:.2f} | {hyperscaler:.2f} | {big / hyperscaler - 1:+.0%} |".replace("%", " %")
        if small_cloud is not None:
            small = float(owned(price, kw, small_cloud=True).total_usd)
            row += f" {small:.2f} | {small_cloud:.2f} | {small / small_cloud - 1:+.0%} |".replace("%", " %")
        assert row in page
