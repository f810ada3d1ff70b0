"""Contracts: closed forms, linear programmes and sums by hand."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.stats import norm

from case_fixture import MINIMAL, edited
from fabless.case_records import Case, Tier, Tranche, modes, named
from fabless.catalogue import load
from fabless.catalogue.case.case import parse_case, reference_text
from fabless.catalogue.case.contract_question import contract_examples, parse_contracts, read_contracts
from fabless.catalogue.case.schema_contract import ContractSection
from fabless.catalogue.facts.text import DATA
from fabless.contract import (
    KINDS,
    CancellationFee,
    ContractOutlook,
    ContractUnit,
    FirmAndOption,
    PlanTerms,
    Prepayment,
    Purchase,
    ReserveAndRent,
    RightOfFirstRefusal,
    TakeOrPay,
    VendorEquity,
    VolumeDiscount,
    Warrants,
    break_even,
    cash_flows,
    contract_of,
    mean_rebate_usd,
    stated_terms,
    terms_for_plan,
    value,
)
from fabless.contract.compare import break_even_of, compare, draw_question, price_paths
from fabless.contract.valuation import quarter_discount
from fabless.errors import BadValue, FablessError, UnknownName
from fabless.sampling import stream
from fabless.units import Quarter

# ---- break-even ----


def test_break_even_by_hand() -> None:
    found = break_even(lambda hours: 10.0, lambda hours: 2.5 * hours, 1.0, 8.0, ("own", "rent"))
    assert found.at == pytest.approx((4.0,))
    assert found.cheaper == ("rent", "own")
    two = break_even(lambda x: (x - 3.0) * (x - 7.0), lambda x: 0.0, 0.0, 10.0, ("a", "b"))
    assert two.at == pytest.approx((3.0, 7.0))
    assert two.cheaper == ("b", "a", "b")
    jump = break_even(lambda x: 1.0 if x < 2.345 else 3.0, lambda x: 2.0, 0.0, 10.0)
    assert jump.at == pytest.approx((2.345,))


def test_no_break_even_is_said_plainly() -> None:
    never = break_even(lambda x: x, lambda x: x + 2.0, 0.0, 5.0, ("own", "rent"))
    assert (never.status, never.at, never.cheaper) == ("never", (), ("own",))
    assert never.least_gap_usd == pytest.approx(2.0)
    assert never.said == "no break-even from 0 to 5: own is cheaper throughout, by 2 at the least"
    assert break_even(lambda x: x, lambda x: x, 0.0, 5.0).status == "everywhere"
    with pytest.raises(BadValue, match="high end above"):
        break_even(lambda x: x, lambda x: x, 5.0, 5.0)


# ---- kinds, by hand ----

FLAT = ContractOutlook(need=np.array([[100.0, 40.0, 10.0]]), spot_usd=12.0)
"""Three quarters of need at a spot price of 12; rate 0 makes present values sums."""


def sums(contract: Purchase, outlook: ContractOutlook = FLAT, rate: float = 0.0) -> tuple[float, float, float]:
    """Paid, cost of the whole need, least that must be paid."""
    found = value(contract, outlook, rate)
    return float(found.paid_usd[0]), float(found.cost_usd[0]), float(found.firm_usd[0])


@pytest.mark.parametrize(
    ("contract", "paid", "cost", "firm"),
    [
        (Purchase("p", 50.0, 10.0, tenor_quarters=3), 1000.0, 1000.0 + 50 * 12, 0.0),
        (Purchase("dear", 50.0, 13.0, tenor_quarters=3), 0.0, 150 * 12.0, 0.0),
        # 20 % of 50 x 3 x 10 at signing, 8 a chip for 50 + 40 + 10
        (
            Prepayment("p", 50.0, 10.0, prepaid_share=0.2, tenor_quarters=3), 300.0 + 800.0,
            1100.0 + 50 * 12, 300.0,
        ),
        # 30 firm: 50, 40, 10 taken, 20 missed in the last quarter at 6
        (
            TakeOrPay("t", 50.0, 10.0, firm_share=0.6, penalty_share=0.6, tenor_quarters=3),
            1000.0 + 120.0, 1120.0 + 600.0, 3 * 30 * 6.0,
        ),
        # firm 30 at 10 paid in full, option 40 at 11: 40, 10, 0, premium 1 x 40 x 3
        (
            FirmAndOption(
                "f", 30.0, 10.0, option_volume=40.0, option_price_usd=11.0, premium_usd=1.0,
                tenor_quarters=3,
            ),
            900.0 + 550.0 + 120.0,
            1570.0 + 30 * 12.0,
            900.0 + 120.0,
        ),
        # 50 held for 3 in three quarters, 50 + 40 + 10 used for 8
        (
            ReserveAndRent("r", 50.0, 8.0, reserve_usd=3.0, tenor_quarters=3), 450.0 + 800.0,
            1250.0 + 600.0, 450.0,
        ),
        # 30 ordered, 20 of the last quarter cancelled for 2
        (
            CancellationFee("c", 30.0, 10.0, fee_share=0.2, tenor_quarters=3), 700.0 + 40.0,
            740.0 + 80 * 12.0, 3 * 30 * 2.0,
        ),
        # first 60 units at 10, the next 30 at 9, those above 90 at 7: 50, 40, 10
        (
            VolumeDiscount(
                "v", 50.0, 10.0, tiers=(Tier(60.0, 9.0), Tier(90.0, 7.0)), tenor_quarters=3
            ),
            600 + 270 + 70.0,
            940.0 + 600.0,
            0.0,
        ),
        (
            VolumeDiscount(
                "all", 50.0, 10.0, tiers=(Tier(60.0, 9.0), Tier(90.0, 7.0)), on_all=True,
                tenor_quarters=3,
            ),
            700.0,
            700.0 + 600.0,
            0.0,
        ),
        # 60 for shares worth 45: 15 over 150 units is 0.1 a unit
        (
            VendorEquity(
                "e", 50.0, 10.0, investment_usd=60.0, valuation_usd=400.0, fair_valuation_usd=300.0,
                tenor_quarters=3,
            ),
            1000.0 - 10.0,
            990.0 + 600.0,
            0.0,
        ),
    ],
)
def test_every_kind_by_hand(contract: Purchase, paid: float, cost: float, firm: float) -> None:
    assert sums(contract) == pytest.approx((paid, cost, firm))
    taken = np.minimum(FLAT.need, sum(np.asarray(part.volume) for part in contract.parts()))
    if contract.name != "dear":
        assert cash_flows(contract, taken, FLAT).sum() == pytest.approx(paid)


def test_a_right_of_first_refusal_counts_where_spot_runs_out() -> None:
    scarce = replace(FLAT, spot_cap=30.0, unmet_usd=100.0)
    without = 12.0 * (30 + 30 + 10) + 100.0 * (70 + 10)
    right = RightOfFirstRefusal("r", 50.0, price_multiple=1.5, tenor_quarters=3)
    paid, cost, firm = sums(right, scarce)
    assert (paid, firm) == (pytest.approx(18.0 * 60), 0.0)
    assert cost == pytest.approx(18.0 * 60 + 12.0 * 70 + 100.0 * 20)
    assert float(value(right, scarce, 0.0).value_usd[0]) == pytest.approx(without - cost)
    assert sums(right)[0] == 0.0, "of no use while spot has enough"
    refused = value(Purchase("p", 0.0, 0.0), replace(scarce, spot_usd=200.0), 0.0)
    assert float(refused.cost_usd[0]) == pytest.approx(100.0 * 150), "what costs more than its worth is not bought"


def test_warrants_vest_with_volume_and_price() -> None:
    path = replace(FLAT, share_usd=np.array([[80.0, 120.0, 105.0]]))
    tranches = (Tranche(2.0, 50.0, 100.0), Tranche(3.0, 60.0, 100.0), Tranche(5.0, 100.0, 110.0))
    deal = Warrants("w", 50.0, 10.0, tranches=tranches, exercise_price_usd=20.0, tenor_quarters=3)
    # the first needs a price of 100, reached in the second quarter, the second its 60 units too;
    # the third never vests
    assert float(value(deal, path, 0.0).rebate_usd[0]) == pytest.approx((2.0 + 3.0) * 100.0)
    assert float(value(replace(deal, expiry_quarters=1), path, 0.0).rebate_usd[0]) == 0.0
    assert float(value(replace(deal, exercise_price_usd=500.0), path, 0.0).rebate_usd[0]) == 0.0
    with pytest.raises(BadValue, match="share price"):
        value(deal, FLAT, 0.0)


def test_warrants_on_paths_agree_with_closed_forms() -> None:
    """A tranche without hurdle is a call struck at expiry; with one it is a call that pays only
    above it."""
    rate, spread, quarters = 0.10, 0.5, 8
    years = (np.arange(quarters) + 0.5) / 4.0
    share = price_paths(100.0, spread, np.log1p(rate), years, 40_000, stream(4, "shares")).T
    need = np.zeros(quarters)
    need[-1] = 1.0
    for strike, hurdle in ((0.01, 0.0), (0.01, 150.0), (90.0, 0.0), (90.0, 150.0)):
        deal = Warrants(
            "w", 1.0, 0.0, tranches=(Tranche(1.0, 1.0, hurdle),), exercise_price_usd=strike,
            tenor_quarters=quarters,
        )
        found = value(deal, ContractOutlook(need=need[None], spot_usd=1.0, share_usd=share), rate).rebate_usd
        t, r = years[-1], np.log1p(rate)
        edge = max(strike, hurdle)
        up = (np.log(100.0 / edge) + (r + 0.5 * spread**2) * t) / (spread * np.sqrt(t))
        closed = 100.0 * norm.cdf(up) - strike * np.exp(-r * t) * norm.cdf(up - spread * np.sqrt(t))
        assert found.mean() == pytest.approx(closed, abs=4.0 * found.std() / np.sqrt(found.size))


def test_circular_money_at_its_fair_worth_is_worth_nothing() -> None:
    deal = VendorEquity("n", 281_250.0, 77_800.0, investment_usd=1e11, valuation_usd=5e11, tenor_quarters=16)
    assert float(deal.usd_per_unit) == 0.0
    generous = replace(deal, fair_valuation_usd=4e11)
    assert float(generous.usd_per_unit) == pytest.approx(1e11 * 0.2 / 4.5e6)


# ---- real deals, against hand calculations ----


def test_the_warrant_of_amd_and_openai() -> None:
    """160 M shares at 0.01 USD are worth 96 billion at 600 USD, more than the hardware of some 90
    billion."""
    facts = {
        field: float(load().fact("amd-openai-2025", field).value)
        for field in (  # type: ignore[arg-type]
            "warrant_shares",
            "exercise_price",
            "last_hurdle",
            "hardware_worth",
            "warrant_worth_at_last_hurdle",
            "power",
            "chips_per_gigawatt",
        )
    }
    chips = facts["power"] / 1e9 * facts["chips_per_gigawatt"]
    price = facts["hardware_worth"] / chips
    deal = Warrants(
        "amd", chips / 18, price, tenor_quarters=18, exercise_price_usd=facts["exercise_price"],
        tranches=(Tranche(facts["warrant_shares"], chips * (1 - 1e-9), facts["last_hurdle"]),),
    )
    up = ContractOutlook(need=np.full((1, 18), chips / 18), spot_usd=price, share_usd=facts["last_hurdle"])
    found = value(deal, up, 0.0)
    assert float(found.rebate_usd[0]) == pytest.approx(160e6 * (600.0 - 0.01), rel=1e-12)
    assert float(found.rebate_usd[0]) == pytest.approx(facts["warrant_worth_at_last_hurdle"], rel=1e-3)
    assert float(found.rebate_usd[0] / found.taken[0]) == pytest.approx(95.9984e9 / 2.7e6, rel=1e-6)
    assert float(found.paid_usd[0]) < 0.0, "the shares then outweigh the chips"
    assert float(value(deal, replace(up, share_usd=599.99), 0.0).rebate_usd[0]) == 0.0


def test_the_shipped_warrant_states_the_published_terms() -> None:
    (deal,) = draw_question(read_contracts("warrants")).contracts.values()
    assert isinstance(deal, Warrants)
    assert sum(tranche.shares for tranche in deal.tranches) == pytest.approx(160e6)
    assert deal.tranches[-1].units == pytest.approx(6 * 450_000)
    assert deal.tranches[-1].hurdle_usd == 600.0
    assert deal.tranches[0].units == pytest.approx(450_000)
    assert float(np.mean(deal.exercise_price_usd)) == 0.01  # type: ignore[arg-type]


def test_share_paths_drift_at_the_rate_they_are_discounted_with() -> None:
    question = read_contracts("warrants")
    outlook = replace(question.numbers.outlook, need_volatility=None, spot_volatility=None, share_volatility=None)
    made = draw_question(replace(question, numbers=replace(question.numbers, outlook=outlook)))
    assert np.asarray(made.outlook.share_usd)[0] * quarter_discount(24, made.real_rate) == pytest.approx(np.full(24, 206.0))


def test_the_firm_and_optional_megawatts_of_cerebras() -> None:
    """750 MW firm for 10 billion are 13.3 M USD a megawatt; the option on 1,250 MW at that price
    adds nothing to pay."""
    firm, option, price = (
        float(load().fact("cerebras-openai-2025", field).value)  # type: ignore[arg-type]
        for field in ("firm_power", "option_power", "firm_price")
    )
    per_megawatt = price / (firm / 1e6)
    assert per_megawatt == pytest.approx(13.33e6, rel=1e-3)
    deal = FirmAndOption("cerebras", firm / 1e6 / 12, per_megawatt, option_volume=option / 1e6 / 12,
                         option_price_usd=per_megawatt, tenor_quarters=12)
    nothing = value(deal, ContractOutlook(need=np.zeros((1, 12)), spot_usd=1e9), 0.0)
    everything = value(deal, ContractOutlook(need=np.full((1, 12), 2000.0 / 12), spot_usd=1e9), 0.0)
    assert float(nothing.paid_usd[0]) == pytest.approx(10e9)
    assert float(everything.paid_usd[0]) == pytest.approx(10e9 * 2000 / 750)


# ---- valuation as a whole ----


def cheapest_by_lp(contract: Purchase, need: float, spot: float, cap: float, unmet: float) -> float:
    """Cost of one quarter by linear programming: take and shortfall of each part, spot, unmet."""
    cost, upper, at_least, right = [], [], [], []
    fees = 0.0
    width = 2 * len(contract.parts()) + 2
    for k, part in enumerate(contract.parts()):
        volume, firm = float(np.asarray(part.volume)), float(np.asarray(part.firm_share))
        cost += [float(np.asarray(part.price_usd)) + float(np.asarray(part.spot_multiple)) * spot,
                 float(np.asarray(part.penalty_usd))]
        upper += [(0.0, volume), (0.0, None)]
        row = np.zeros(width)
        row[2 * k : 2 * k + 2] = 1.0
        at_least.append(-row)
        right.append(-volume * firm)
        fees += float(np.asarray(part.fee_usd)) * volume
    serve = np.ones((1, width))
    serve[0, 1 : 2 * len(contract.parts()) : 2] = 0.0
    found = linprog([*cost, spot, unmet], A_ub=at_least, b_ub=right, A_eq=serve, b_eq=[need],
                    bounds=[*upper, (0.0, cap), (0.0, None)])
    return fees + float(found.fun)


def amounts(most: float) -> st.SearchStrategy[float]:
    """Amounts and prices that the oracle's solver, which is right to 1e-7 of a unit, can tell from nothing."""
    return st.one_of(st.just(0.0), st.floats(0.01, most))


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(
        [
            "purchase", "prepayment", "take-or-pay", "firm-and-option", "reserve-and-rent",
            "right-of-first-refusal", "cancellation-fee",
        ]
    ),
    st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3),
    amounts(40.0),
    amounts(200.0),
    amounts(30.0),
    amounts(100.0),
    amounts(60.0),
)
def test_the_take_is_the_optimum_of_a_linear_programme(
    kind: str, shares: list[float], price: float, need: float, spot: float, cap: float, unmet: float
) -> None:
    one, two, three = shares
    extra = {
        "purchase": {}, "prepayment": {"prepaid_share": one},
        "take-or-pay": {"firm_share": one, "penalty_share": two},
        "firm-and-option": {
            "option_volume": 50.0 * one, "option_price_usd": 40.0 * two, "premium_usd": 5.0 * three,
        },
        "reserve-and-rent": {"reserve_usd": 20.0 * one},
        "right-of-first-refusal": {"price_multiple": 2.0 * one + 0.1},
        "cancellation-fee": {"fee_share": one},
    }[kind]
    contract = KINDS[kind](name="c", volume=80.0, price_usd=price, **extra)  # type: ignore[arg-type]
    found = value(contract, ContractOutlook(need=np.array([[need]]), spot_usd=spot, spot_cap=cap, unmet_usd=unmet), 0.0)
    assert float(found.cost_usd[0]) == pytest.approx(cheapest_by_lp(contract, need, spot, cap, unmet), rel=1e-7, abs=1e-6)


def test_paths_and_single_values_agree() -> None:
    rng = stream(2, "paths")
    need, spot, price = rng.uniform(0, 200, (5, 6)), rng.uniform(5, 15, (5, 6)), rng.uniform(5, 15, (5, 1))
    deal = TakeOrPay("t", 80.0, price, firm_share=0.5, penalty_share=0.7, tenor_quarters=4, start_quarter=1)
    together = value(deal, ContractOutlook(need=need, spot_usd=spot, spot_cap=50.0, unmet_usd=30.0), 0.1)
    for k in range(5):
        alone = value(
            replace(deal, price_usd=price[k, 0]),
            ContractOutlook(need=need[k : k + 1], spot_usd=spot[k : k + 1], spot_cap=50.0, unmet_usd=30.0),
            0.1,
        )
        for name in ("paid_usd", "cost_usd", "without_usd", "firm_usd", "usd_per_unit", "missing", "taken"):
            assert getattr(together, name)[k] == pytest.approx(getattr(alone, name)[0], rel=1e-12), name


def test_discounting_by_hand() -> None:
    """Quarters count from their middle: 0.125, 0.375 and 0.625 years."""
    found = value(Purchase("p", 100.0, 10.0, tenor_quarters=2, start_quarter=1), FLAT, 0.21)
    by_hand = 400.0 * 1.21**-0.375 + 100.0 * 1.21**-0.625
    assert float(found.paid_usd[0]) == pytest.approx(by_hand)
    assert float(found.usd_per_unit[0]) == pytest.approx(10.0)
    early = value(Prepayment("p", 40.0, 10.0, prepaid_share=1.0, start_quarter=1, tenor_quarters=1), FLAT, 0.21)
    assert float(early.paid_usd[0]) == pytest.approx(400.0 * 1.21**-0.125)
    assert float(early.usd_per_unit[0]) == pytest.approx(10.0 * 1.21**0.25)


def test_what_lies_past_the_outlook_is_left_out_with_its_part_of_the_fee() -> None:
    inside = sums(Prepayment("p", 50.0, 10.0, prepaid_share=0.2, tenor_quarters=3))
    beyond = sums(Prepayment("p", 50.0, 10.0, prepaid_share=0.2, tenor_quarters=6))
    assert beyond == pytest.approx(inside)


def test_scaling_all_money_scales_the_cost() -> None:
    scarce = replace(FLAT, spot_cap=30.0, unmet_usd=100.0)
    dear = replace(scarce, spot_usd=12.0 * 7, unmet_usd=700.0)
    for price, deal in ((10.0, TakeOrPay), (11.0, CancellationFee), (9.0, Prepayment)):
        one = value(deal("d", 50.0, price, tenor_quarters=3), scarce, 0.1)
        seven = value(deal("d", 50.0, 7 * price, tenor_quarters=3), dear, 0.1)
        assert seven.cost_usd == pytest.approx(7 * one.cost_usd)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(0.0, 30.0))
def test_more_that_may_be_left_never_costs_more(volume: float, more: float, price: float) -> None:
    few, many = (value(Purchase("p", size, price, tenor_quarters=3), FLAT, 0.1) for size in (volume, volume + more))
    assert many.cost_usd[0] <= few.cost_usd[0] + 1e-9
    assert few.value_usd[0] >= -1e-9


def test_a_contract_says_all_its_faults_at_once() -> None:
    with pytest.raises(BadValue) as told:
        Warrants(
            "w", -1.0, -5.0, firm_share=1.2, tenor_quarters=0, start_quarter=1, signed_quarter=2,
            exercise_price_usd=-1.0,
            tranches=(Tranche(1.0, 10.0, 50.0), Tranche(1.0, 5.0, 60.0), Tranche(1.0, 5.0, 60.0)),
        )
    places = [fault.place for fault in told.value.faults]
    for name in (
        "volume", "price_usd", "firm_share", "tenor_quarters", "start_quarter",
        "exercise_price_usd", "tranches.1", "tranches.2",
    ):
        assert any(place.endswith(name) for place in places), name
    with pytest.raises(BadValue, match="leave them idle"):
        TakeOrPay("t", 10.0, 5.0, penalty_share=1.1)
    with pytest.raises(BadValue, match="rise in units and fall in price"):
        VolumeDiscount("v", 10.0, 5.0, tiers=(Tier(10.0, 6.0),))
    with pytest.raises(BadValue, match="one or more"):
        VolumeDiscount("v", 10.0, 5.0)
    with pytest.raises(BadValue, match="at most the volume"):
        cash_flows(Purchase("p", 50.0, 10.0, tenor_quarters=3), 60.0, FLAT)
    with pytest.raises(BadValue, match="real_rate"):
        value(Purchase("p", 50.0, 10.0), FLAT, -1.0)


# ---- for the plan ----


def at_quarters(contract: Purchase, spot_usd: ArrayLike, rebate_usd: float = 0.0) -> tuple[PlanTerms, ...]:
    """Terms at each quarter of the tenor, signed in the first."""
    spot = np.broadcast_to(np.asarray(spot_usd, dtype=float), contract.tenor_quarters)
    return terms_for_plan(contract, spot, np.arange(contract.tenor_quarters) == 0, rebate_usd)


def test_a_plan_at_the_full_level_costs_what_the_valuation_says() -> None:
    """The linear programme that `PlanTerms` states, solved for given need, against `value`."""
    need, spot = np.array([100.0, 40.0, 10.0, 70.0]), 12.0
    outlook = ContractOutlook(need=need[None], spot_usd=spot)
    for deal in (
        TakeOrPay(
            "t", 60.0, 10.0, firm_share=0.6, penalty_share=0.5, tenor_quarters=2, start_quarter=1
        ),
        FirmAndOption(
            "f", 30.0, 10.0, option_volume=40.0, option_price_usd=11.0, premium_usd=1.0,
            tenor_quarters=4,
        ),
        ReserveAndRent("r", 50.0, 8.0, reserve_usd=3.0, tenor_quarters=3),
        Prepayment("p", 50.0, 10.0, prepaid_share=0.2, tenor_quarters=4),
    ):
        terms = at_quarters(deal, spot)
        total = spot * need.sum() + sum(float(one.fee_usd[0] * one.level_cap[0]) for one in terms)
        for q in range(4):
            prices, bounds, rows, right = [], [], [], []
            for k, one in enumerate(terms):
                at = q - one.signed_quarter - one.start_quarters
                inside = 0 <= at < one.tenor_quarters
                level = one.level_cap[at] if inside else 0.0
                most, least, price, untaken = (
                    (one.most[at], one.least[at], one.price_usd[at], one.untaken_usd[at])
                    if inside
                    else (0.0, 0.0, 0.0, 0.0)
                )
                prices += [price - spot, untaken]
                bounds += [(0.0, most * level), (0.0, None)]
                row = np.zeros(2 * len(terms))
                row[2 * k : 2 * k + 2] = -1.0
                rows.append(row)
                right.append(-least * level)
            served = np.zeros(2 * len(terms))
            served[::2] = 1.0
            total += linprog(prices, A_ub=[*rows, served], b_ub=[*right, need[q]], bounds=bounds).fun
        assert total == pytest.approx(float(value(deal, outlook, 0.0).cost_usd[0])), deal.name


def test_rebates_lower_the_price_of_a_plan() -> None:
    deal = VendorEquity(
        "e", 50.0, 10.0, investment_usd=60.0, valuation_usd=400.0, fair_valuation_usd=300.0,
        tenor_quarters=3,
    )
    (terms,) = at_quarters(deal, 12.0, mean_rebate_usd(deal, FLAT, 0.1))
    assert terms.price_usd == pytest.approx(9.9)
    assert terms.committed_usd == pytest.approx(0.0), "nothing of it is firm"
    assert mean_rebate_usd(TakeOrPay("t", 60.0, 10.0), FLAT, 0.1) == 0.0
    assert mean_rebate_usd(deal, replace(FLAT, spot_usd=1.0), 0.1) == 0.0, "nothing is taken"
    (matched,) = at_quarters(
        RightOfFirstRefusal("r", 50.0, price_multiple=1.5, tenor_quarters=2, start_quarter=1),
        [12.0, 16.0],
    )
    assert matched.price_usd == pytest.approx([18.0, 24.0])


# ---- read from files ----

CONTRACTS = """\
contracts:
  reserve:
    line: h100
    kind: take-or-pay
    start: 2024Q1
    end: 2024Q4
    lead: 26 week
    volume: {low: 500, mode: 1000, high: 2000}
    price: {low: 25000, mode: 28000, high: 30000, grade: press, source: mkt-techspot}
    firm_share: {value: 0.8}
  cloud:
    chip: a100-80gb
    vendor: cloud
    how: rent
    ways: [diversify]
    kind: reserve-and-rent
    tenor: 1 year
    volume: {value: 100}
    reserve: {value: 0.5}
    price: {value: 1.2, unit: USD/h}
"""


def case_with(contracts: str) -> Case:
    return parse_case(MINIMAL + contracts, "case.yaml", DATA)


def test_contracts_of_a_case() -> None:
    case = case_with(CONTRACTS)
    reserve, cloud = case.contracts
    assert (reserve.kind, reserve.chip, reserve.vendor, reserve.how) == ("take-or-pay", "h100-sxm", "nvidia", "buy")
    assert (reserve.start, reserve.tenor_quarters, reserve.lead_quarters) == (Quarter(2024, 1), 4, 2)
    assert (cloud.signed, cloud.start, cloud.tenor_quarters, cloud.ways) == (
        Quarter(2023, 4), Quarter(2023, 4), 4, ("diversify",))
    price = case.numbers.contracts["reserve"].price
    assert (price.spread.low, price.spread.high, price.grade.value, price.source.id) == (25e3, 30e3, "press", "mkt-techspot")
    values = modes(case.numbers).contracts
    (terms,) = at_quarters(contract_of(reserve, values["reserve"], case.first_quarter), 0.0)
    assert (terms.unit, terms.level_cap[0], terms.start_quarters, terms.lead_quarters) == (ContractUnit.CHIP, 1000.0, 1, 2)
    assert terms.least == pytest.approx(np.full(4, 0.8))
    assert terms.untaken_usd == pytest.approx(np.full(4, 28_000.0))
    (rent,) = at_quarters(contract_of(cloud, values["cloud"], case.first_quarter), 0.0)
    hours = 365.25 * 6
    assert rent.unit is ContractUnit.CHIP_QUARTER
    assert rent.price_usd == pytest.approx(np.full(4, 1.7 * hours))
    assert rent.untaken_usd == pytest.approx(np.full(4, 0.5 * hours))
    assert case_with("").contracts == ()


def test_faults_of_contracts_in_a_case_come_together() -> None:
    bad = edited(
        CONTRACTS, ("end: 2024Q4", "end: 2023Q4"), ("{value: 0.8}", "{value: 1.2}"),
        ("line: h100", "line: h10"), ("tenor: 1 year", "tenor: 0 year"),
        ("chip: a100-80gb", "chip: a100-80g"), ("reserve: {value: 0.5}", "reserve: {value: -0.5}"),
    )
    with pytest.raises(FablessError) as told:
        case_with(bad)
    said = str(told.value)
    for words in (
        "ends in 2023Q4, starts in 2024Q1", "contracts.reserve.firm_share: 1.2",
        "unknown line 'h10'", "did you mean h100", "contracts.cloud.tenor",
        "unknown chip 'a100-80g'", "contracts.cloud.reserve: -0.5",
    ):
        assert words in said
    with pytest.raises(UnknownName, match="did you mean take-or-pay"):
        case_with(CONTRACTS.replace("kind: take-or-pay", "kind: take-and-pay"))
    with pytest.raises(BadValue, match="no term of take-or-pay"):
        case_with(CONTRACTS.replace("firm_share: {value: 0.8}", "firm_share: {value: 0.8}\n    fee_share: {value: 0.1}"))
    with pytest.raises(BadValue, match="take-or-pay needs price, firm_share"):
        case_with(CONTRACTS.replace("    firm_share: {value: 0.8}\n", ""))
    with pytest.raises(UnknownName, match="unknown key 'firm_shar'"):
        case_with(CONTRACTS.replace("firm_share", "firm_shar"))


def kinds_below(kind: type[Purchase]) -> set[type[Purchase]]:
    return {kind}.union(*(kinds_below(other) for other in kind.__subclasses__()))


def test_every_kind_has_a_text_a_class_and_an_example() -> None:
    assert set(KINDS.values()) == kinds_below(Purchase)
    assert len({kind.said for kind in KINDS.values()}) == len(KINDS)
    stated = {term for kind in KINDS.values() for term in stated_terms(kind)}
    assert stated <= {*ContractSection.model_fields}, "a file can state every term of every kind"
    for kind in KINDS.values():
        names = {part.name.removesuffix("_usd").removesuffix("_quarters") for part in fields(kind)}
        assert set(stated_terms(kind)) <= names, f"{kind.kind} has a field for each of its terms"
    assert set(KINDS) <= set(contract_examples())
    for name in contract_examples():
        question = replace(read_contracts(name), paths=16)
        assert name not in KINDS or question.contracts[0].kind == name
        found = compare(question)
        assert all(np.isfinite(row.value.mean) for row in found.rows)
        assert compare(question) == found, "the same seed gives the same numbers"
        json.dumps(found.rows[0].value.mean)


def test_own_or_rent_breaks_even_where_the_hours_pay_the_chip() -> None:
    """At the modes: own costs charge and running for every hour, on demand only for those used."""
    question = replace(read_contracts("own-or-rent"), paths=1)
    values = {name: number.spread.mode for name, number in named(question.numbers).items()}
    life, rate = values["owning.life"] / (365.25 * 86400), values["outlook.real_rate"]
    quarterly = (1 + rate) ** 0.25 - 1
    factor = quarterly / (1 - (1 + quarterly) ** (-4 * life))
    price, residual = values["contracts.own.price"], values["owning.residual"]
    own = price * (1 - residual * (1 + rate) ** -life) * factor / (365.25 * 6) + values["owning.running"] * 3600
    made = draw_question(question)
    assert made.beside(made.contracts["own"]).tenor_quarters == 16, "a life of four years"
    outlook = replace(question.numbers.outlook, spot_decline=None)
    steady = replace(question, numbers=replace(question.numbers, outlook=outlook))
    found = break_even_of(steady, "own", "on-demand", "utilisation")
    rent = values["contracts.on-demand.price"] * 3600
    assert found.at == pytest.approx((own / rent,), rel=1e-6)
    assert found.cheaper == ("on-demand", "own")
    at_price = break_even_of(steady, "reserved", "on-demand", "utilisation")
    assert at_price.at == pytest.approx((2.5 / (rent),), rel=1e-6)


def test_prepayment_against_none_by_hand() -> None:
    """Without uncertainty a prepaid price p with share s breaks even with a price P where both
    present values are equal."""
    text = """
outlook: {first_quarter: 2024Q1, quarters: 4, price_year: 2024, how: buy, real_rate: {value: 0.21}, need: {value: 100},
  spot: {value: 50000}}
contracts:
  prepaid: {kind: prepayment, chip: x, vendor: y, start: 2024Q4, tenor: 1 quarter, volume: {value: 100},
    price: {value: 10000}, prepaid_share: {value: 0.5}}
  plain: {kind: purchase, chip: x, vendor: y, start: 2024Q4, tenor: 1 quarter, volume: {value: 100}, price: {value: 12000}}
"""
    question = parse_contracts(text, "x.yaml")
    found = break_even_of(question, "prepaid", "plain", "price")
    # half three quarters earlier: p (0.5 x 1.21^0.75 + 0.5) = 12000
    assert found.at == pytest.approx((12_000.0 / (0.5 * 1.21**0.75 + 0.5),), rel=1e-9)
    assert found.cheaper == ("prepaid", "plain")
    # over the chips wanted x: 5000 x 100 x 1.21^0.75 + 5000 x = 12000 x, so that few chips do not
    # pay the fee
    volume = break_even_of(question, "prepaid", "plain", "volume")
    assert volume.at[0] == pytest.approx(5e5 * 1.21**0.75 / 7000, rel=1e-9)
    assert volume.cheaper[:2] == ("plain", "prepaid")
    never = break_even_of(question, "prepaid", "plain", "volume", 90.0, 100.0)
    assert (never.status, never.cheaper) == ("never", ("prepaid",))
    with pytest.raises(UnknownName) as told:
        break_even_of(question, "prepayed", "plan", "prize")
    assert len(told.value.faults) == 3


def test_pairs_of_examples_agree_on_who_is_cheaper() -> None:
    question = replace(read_contracts("beside"), paths=64)
    costs = {row.name: -row.value.mean for row in compare(question).rows}
    for one, other in itertools.combinations(("list", "prepaid", "firm-option"), 2):
        made = draw_question(question)
        gap = made.cost_usd(made.contracts[one], made.outlook) - made.cost_usd(made.contracts[other], made.outlook)
        assert gap == pytest.approx(costs[one] - costs[other], rel=1e-9)


def test_the_commented_contract_of_the_reference_case_reads() -> None:
    text = reference_text()
    commented = text[text.index("# contracts:"):].partition("\n\n")[0]
    case = parse_case(text + "\n".join(line[2:] for line in commented.splitlines()), "case.yaml", DATA)
    (contract,) = case.contracts
    assert (contract.kind, contract.tenor_quarters, contract.how) == ("prepayment", 8, "buy")
