"""Contracts of a case in its decision: what is signed, drawn and paid, on the tree and on fresh
paths."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from case_fixture import MINIMAL, edited
from fabless.case_records import Case, with_ranges
from fabless.catalogue import load, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.decide.actions import actions_of
from fabless.decide.fresh.judge import TUNING
from fabless.decide.fresh.planned import blocks_of, carried_out, safety_margin, tried
from fabless.decide.fresh.run import fresh_test
from fabless.decide.questions.knowledge import knowledge_values
from fabless.decide.questions.options import option_values
from fabless.decide.questions.resilience import resilience
from fabless.decide.ways.gates import decided, undecided
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import World, draw_world, plan_of
from fabless.decide.ways.restricted import interrupted, with_orders_held
from fabless.decide.ways.solved import SolvedWay, solved_plan
from fabless.errors import BadValue, FablessError
from fabless.plan import solve
from fabless.records import Array, Range
from fabless.strategy import Commitment, commitments
from fabless.tco import discount_factor
from fabless.titles import offer_titles
from fabless.units import QUARTER_S, Quarter
from here import Here

LINES = ("nvidia-owned", "azure-rented")
DEAL = "kind: purchase, tenor: 2 year, lead: 13 week, volume: {value: 5000}, price: {value: 15000}"
FIRM = DEAL.replace("purchase", "take-or-pay") + ", firm_share: {value: 0.8}"


DEALS = [
    DEAL,
    FIRM,
    "kind: purchase, tenor: 3 year, volume: {value: 4000}, price: {value: 40000}",
    "kind: prepayment, tenor: 2 year, lead: 26 week, volume: {value: 4000}, price: {value: 25000}, "
    "prepaid_share: {value: 0.4}",
    "kind: take-or-pay, start: 2024Q3, end: 2026Q2, volume: {value: 4000}, price: {value: 20000}, firm_share: {value: 0.7}, "
    "penalty_share: {value: 0.5}",
    "kind: firm-and-option, tenor: 2 year, volume: {value: 2000}, price: {value: 30000}, option_volume: {value: 2000}, "
    "option_price: {value: 28000}, premium: {value: 500}",
    "kind: cancellation-fee, tenor: 1 year, volume: {value: 4000}, price: {value: 30000}, fee_share: {value: 0.2}",
    "kind: volume-discount, tenor: 2 year, volume: {value: 4000}, price: {value: 32000}, "
    "tiers: [{units: 9000, price: 25000}]",
    "kind: vendor-equity, tenor: 2 year, volume: {value: 4000}, price: {value: 32000}, investment: {value: 1.0e+9}, "
    "valuation: {value: 9.0e+10}, fair_valuation: {value: 5.0e+10}",
    "kind: right-of-first-refusal, tenor: 2 year, volume: {value: 4000}, price_multiple: {value: 1.0}",
    "line: azure-rented, kind: reserve-and-rent, tenor: 3 year, volume: {value: 6000}, reserve: {value: 1.0}, "
    "price: {value: 0.8}",
    "chip: a100-80gb, vendor: Nvidia, how: rent, kind: take-or-pay, tenor: 1 year, volume: {value: 9000}, "
    "price: {value: 1.0}, firm_share: {value: 0.5}",
]


def case_with(*deals: str, programmes: tuple[str, ...] = ()) -> Case:
    """The reference case with two lines, two scenarios and contracts of nvidia-owned, each named
    deal-0, deal-1, ..."""
    text = re.sub(
        r"(?m)^tree: .*",
        "tree: {boundaries: [2, 7, 12, 17], branching: [2, 1, 1, 1]}",
        reference_text(),
    )
    text = text[:text.index("# Contracts on offer")].replace("ranges: {beyond: 0.1}", "ranges: {beyond: 0}")
    stated = [
        f"  deal-{k}: {{line: nvidia-owned, {deal}}}"
        if "line:" not in deal and "chip:" not in deal
        else f"  deal-{k}: {{{deal}}}"
        for k, deal in enumerate(deals)
    ]
    case = parse_case(text + "\n".join(["contracts:", *stated, ""]) if deals else text, "case.yaml", Path("."))
    # a fleet that is too small, demand that grows, no limit of cash and no coming generation: every chip is wanted
    case = with_ranges(case, {"existing.count": Range.point(1e4),
                              "demand.growth": Range(1.5, 3.0, 6.0, "log")})
    return replace(case, lines=tuple(replace(line, successors=0) for line in case.lines if line.name in LINES),
                   cash_limits=(),
                   programmes=tuple(item for item in case.programmes if item.name in programmes))


def made(case: Case) -> World:
    return draw_world(prepare(case, load(case.as_of)))


def solved_with(here: World, *contracts: str) -> SolvedWay:
    """The plan of all lines with some contracts of the case."""
    chosen = tuple(item for item in here.case.contracts if item.name in contracts)
    return solved_plan(here, "buy", plan_of(here, Commitment(here.case.lines, (), contracts=chosen)))


@pytest.fixture(scope="module")
def here() -> World:
    """Every contract of `DEALS` on offer, deal-0, deal-1, ..."""
    return made(case_with(*DEALS))


@pytest.fixture(scope="module")
def bare(here: World) -> SolvedWay:
    return solved_with(here)


@pytest.fixture(scope="module")
def cheap(here: World) -> SolvedWay:
    return solved_with(here, "deal-0")


@pytest.fixture(scope="module")
def firm(here: World) -> SolvedWay:
    return solved_with(here, "deal-1")


def test_a_contract_cheaper_than_its_line_is_signed_to_its_cap(cheap: SolvedWay, bare: SolvedWay) -> None:
    solved = cheap
    offer = solved.plan.offers.index(solved.plan.contracts[0].offer)
    assert solved.result.levels[0, 0] == pytest.approx(5000.0)
    assert solved.result.levels[0, 1:].max() == 0.0, "it can be signed in the first quarter alone"
    drawn = solved.result.orders[offer]
    quarter = solved.plan.problem.tree.quarter
    assert drawn[quarter < 4] == pytest.approx(5000.0)
    assert drawn[quarter >= 8].max() == 0.0, "eight quarters of draws"
    assert solved.result.objective_usd < bare.result.objective_usd


def plentiful(case: Case) -> Case:
    """The case with a line that sells all that is wanted, at once."""
    quick = case.numbers.lines["nvidia-owned"].lead_normal.spread
    return replace(with_ranges(case, {"lines.nvidia-owned.lead_scarce": quick,
                                      "lines.nvidia-owned.allotment": Range.point(1e7)}), pools=())


def test_a_dear_contract_is_not_signed_where_the_line_has_no_end() -> None:
    there = made(plentiful(case_with(DEAL.replace("15000", "90000"), FIRM.replace("15000", "90000"))))
    solved = solved_with(there, "deal-0", "deal-1")
    assert [item.contract.name for item in solved.plan.contracts] == ["deal-0", "deal-1"]
    for item in solved.plan.contracts:
        assert solved.result.orders[solved.plan.offers.index(item.offer)].max() == 0.0
    assert solved.result.levels[1].max() == 0.0, "a level of firm volume costs"
    assert solved.result.objective_usd == pytest.approx(solved_with(there).result.objective_usd, rel=1e-9)


@pytest.fixture(scope="module")
def margin(here: World) -> Array:
    return safety_margin(here.prepared, here.case.seed + TUNING, paths=8)


@pytest.mark.parametrize("number", range(len(DEALS)))
def test_a_contract_of_any_kind_never_costs_the_way_anything(
    number: int, here: World, bare: SolvedWay, margin: Array
) -> None:
    """Also: reported parts add up to what was minimised, and every line of the fleet counts the
    chips drawn."""
    name = f"deal-{number}"
    solved = solved_with(here, name)
    assert solved.result.objective_usd <= bare.result.objective_usd * (1 + 1e-9)
    assert solved.result.levels.max() > 0.0
    adds_up(solved)
    contract, = solved.plan.commitment.contracts or ()
    block, = blocks_of(here.prepared, [tried(solved)], paths=1, seed=1, branches=1, margin=margin)
    (way,), _ = carried_out(block)
    fleet = {line for line, chips in zip(way.lines, way.chips, strict=True) if chips.max() >= 1.0}
    assert (contract.line or name) in fleet <= {"existing", *LINES, *([] if contract.line else [name])}
    signed = f"sign {offer_titles(here.case)[name]}"
    signing = next(action for action in actions_of(solved, here.prepared) if action.what.startswith(signed))
    assert signing.amount == round(float(solved.result.levels[:, 0].max()))


def adds_up(solved: SolvedWay) -> None:
    """The objective is the reported cost of the paths, and that the sum of its parts."""
    problem, paths, result = solved.plan.problem, solved.paths, solved.result
    table = problem.tree.ancestors()[problem.tree.leaves]
    unmet = result.costs.unmet_usd[table]
    discounted = (paths.cost_usd + unmet) @ problem.discount
    assert discounted == pytest.approx(result.path_cost_usd, rel=1e-9)
    assert paths.cost_usd == pytest.approx((result.costs.total_usd - result.costs.unmet_usd)[table], rel=1e-9)
    assert paths.cost_usd == pytest.approx(paths.spend.sum(axis=0) + problem.fixed_usd[table], rel=1e-9)
    mean = discounted @ paths.probability
    worst = discounted.max()  # two paths of one half each: the worst tenth is the worse path
    assert result.objective_usd == pytest.approx(0.7 * mean + 0.3 * worst, rel=1e-9)


def test_take_or_pay_is_paid_when_demand_collapses(firm: SolvedWay) -> None:
    """Signed for the demand that was planned; then the demand goes, and the penalty is due on every
    firm unit."""
    plan, solved = firm.plan, firm
    quarter = plan.problem.tree.quarter
    gone = plan.problem.demand * np.where(quarter < 2, 1.0, 1e-6)
    shut = plan.problem.available & (quarter < 2)
    kept = with_orders_held(plan, solved.result.orders, solved.result.levels, 2)
    after = solve(replace(kept.problem, demand=gone, available=shut))
    terms = plan.contracts[0]
    assert solved.result.levels[0, 0] == pytest.approx(5000.0)
    assert after.levels[0, 0] == pytest.approx(5000.0)
    due = np.isin(quarter, range(2, 8))
    assert after.untaken[0, due] == pytest.approx(0.8 * 5000.0)
    assert after.costs.agreements_usd[due] == pytest.approx(4000.0 * 15000.0)
    assert terms.untaken_usd[due] == pytest.approx(15000.0)
    assert after.costs.agreements_usd[quarter > 8].max() == 0.0


def test_fee_and_price_of_a_prepayment_by_hand(here: World) -> None:
    """All chips of the tenor run out their life within the horizon: the whole fee counts, 8
    quarters x 0.4 x 25,000 USD."""
    solved = solved_with(here, "deal-3")
    terms, = solved.plan.contracts
    assert terms.fee_usd[0] == pytest.approx(8 * 0.4 * 25000.0)
    assert terms.price_usd == pytest.approx(0.6 * 25000.0)
    assert (terms.start_quarters, terms.offer.lead_quarters[0]) == (0, 3), "26 weeks, and installation"
    fee = solved.result.costs.agreements_usd
    assert fee[0] == pytest.approx(4000.0 * 80000.0) == pytest.approx(fee.sum())
    signing = next(one for one in actions_of(solved, here.prepared) if one.what.startswith("sign"))
    assert signing.what == (
        "sign the prepayment contract with Nvidia for H100, 4,000 chips a quarter for 8 quarters "
        "from 2024Q2 (all that is on offer)")
    assert (signing.amount, signing.spend_usd) == (4000, pytest.approx(3.2e8))


def test_a_fee_counts_in_the_horizon_for_the_service_that_falls_there() -> None:
    """Four deliveries of chips that live 16 quarters, running 8, 7, 6 and 5 quarters before the end
    of the horizon."""
    case = case_with(
        "kind: prepayment, start: 2029Q3, tenor: 1 year, volume: {value: 100}, price: {value: 25000}, "
        "prepaid_share: {value: 0.5}"
    )
    terms, = plan_of(made(case), Commitment(case.lines, ())).contracts
    left = case.quarters - (Quarter(2029, 3) - case.first_quarter) - int(terms.offer.lead_quarters[0]) - np.arange(4)
    rate = case.numbers.finance.real_rate.spread.mode
    since = np.array([1.0 / (1.0 + rate) ** (q / 4) for q in range(terms.offer.term_quarters)])
    assert discount_factor(rate, QUARTER_S) == pytest.approx(since[1])
    share = np.mean([since[:served].sum() for served in left]) / since.sum()
    assert terms.fee_usd[0] == pytest.approx(4 * 12500.0 * share)
    assert 0.2 < share < 0.7
    assert terms.committed_usd[0] == pytest.approx(4 * 12500.0), "what is committed is the whole fee"


def test_a_draw_costs_what_owning_a_chip_at_that_price_costs(here: World, bare: SolvedWay) -> None:
    """At the line's own price the contract's chip has the annuity and running cost of the
    line's."""
    line = next(offer for offer in bare.plan.offers if offer.name == "nvidia-owned")
    matched, = solved_with(here, "deal-9").plan.contracts
    assert matched.contract.kind == "right-of-first-refusal"
    assert matched.offer.capital_usd == pytest.approx(line.capital_usd)
    assert matched.offer.running_usd == pytest.approx(line.running_usd)
    assert matched.offer.rate == pytest.approx(line.rate)
    assert matched.price_usd == pytest.approx(line.payment_usd - here.scenarios.values.owning.server_cost)


def test_equity_paid_above_its_worth_lowers_the_price(here: World) -> None:
    """1 billion USD for shares worth 5/9 of it, over 32,000 chips: 13,889 USD a chip off."""
    terms, = solved_with(here, "deal-8").plan.contracts
    assert terms.price_usd == pytest.approx(32000.0 - 1e9 / 32000.0 * 4 / 9)


def test_a_way_opens_the_contracts_that_name_it_and_the_portfolio_all() -> None:
    case = case_with(DEAL + ", ways: [buy]", DEAL, next(deal for deal in DEALS if "azure" in deal) + ", ways: [partner]")
    names = {
        way: [item.name for choice in commitments(case, way)[:1] for item in choice.contracts or ()]
        for way in ("buy", "partner", "build")
    }
    assert names == {"buy": ["deal-0", "deal-1"], "partner": ["deal-1", "deal-2"], "build": ["deal-1"]}
    here = made(case)
    owned = tuple(line for line in case.lines if line.how == "buy")
    for lines, opened in ((case.lines, ["deal-0", "deal-1", "deal-2"]), (owned, ["deal-0", "deal-1"])):
        assert [item.contract.name for item in plan_of(here, Commitment(lines, ())).contracts] == opened


def test_gates_of_programmes_keep_the_contracts() -> None:
    case = case_with(DEAL, programmes=("co-design",))
    here = made(case)
    plan = plan_of(here, Commitment(case.lines, (), may_start=case.programmes))
    assert len(plan.projects) > 1
    assert [item.name for item in undecided(here, plan).agreements] == ["deal-0"]
    never = np.zeros((len(plan.projects), plan.problem.tree.size), dtype=bool)
    assert [item.name for item in decided(plan, never).problem.agreements] == ["deal-0"]
    solved = solved_plan(here, "portfolio", plan)
    assert solved.result.levels[0, 0] == pytest.approx(5000.0)
    adds_up(solved)
    assert solved.lower_bound_usd <= solved.result.objective_usd * (1 + 1e-9)


def test_fresh_paths_sign_what_the_plan_signed(here: World, firm: SolvedWay, bare: SolvedWay) -> None:
    found, other = (fresh_test(here.prepared, solved, paths=30, checked=10) for solved in (firm, bare))
    assert found.expected_cost_usd.fresh < other.expected_cost_usd.fresh, "a cheap contract saves there too"
    assert found.gap is not None
    assert found.gap.planner_usd >= found.gap.perfect_usd


def test_what_was_signed_stays_signed_when_the_plan_is_made_again(here: World, firm: SolvedWay) -> None:
    again = solved_plan(here, "buy", with_orders_held(firm.plan, firm.result.orders, firm.result.levels, 2))
    assert again.result.objective_usd == pytest.approx(firm.result.objective_usd, rel=1e-7)
    orders = firm.result.orders.copy()
    orders[firm.plan.offers.index(firm.plan.contracts[0].offer)] *= 0.5
    half = solved_plan(here, "buy", with_orders_held(firm.plan, orders, 0.5 * firm.result.levels, 2))
    assert half.result.levels[0, 0] == pytest.approx(2500.0)
    assert half.result.objective_usd > firm.result.objective_usd


def test_a_vendor_who_is_gone_asks_nothing_for_what_he_cannot_deliver(firm: SolvedWay) -> None:
    quarter = firm.plan.problem.tree.quarter
    due = interrupted(firm.plan, "Nvidia", 4, 2).problem.agreements[0].untaken_usd
    assert due[(quarter == 4) | (quarter == 5)].max() == 0.0
    assert due[quarter == 6] == pytest.approx(15000.0)


def test_questions_take_a_case_with_contracts(here: World, firm: SolvedWay, bare: SolvedWay) -> None:
    commitment = firm.plan.commitment
    values = {row.name: row for row in option_values(here, commitment, Here())}
    worth = values["deal-1"]
    saved = bare.result.objective_usd - firm.result.objective_usd
    assert worth.removed_usd == pytest.approx(saved, rel=1e-6)
    assert worth.delayed_usd == pytest.approx(saved, rel=1e-6), "it is on offer in the first quarter alone"
    told, = knowledge_values(here, commitment, ["contracts.deal-1.price"], Here())
    assert told.value_usd == pytest.approx(0.0, abs=1e-6 * firm.result.objective_usd)
    struck, = resilience(here, [("buy", commitment)], Here())
    assert struck.cost_usd > 0.0


def test_a_level_floor_is_signed_whatever_it_costs(cheap: SolvedWay) -> None:
    item = cheap.plan.problem.agreements[0]
    never = np.zeros(cheap.plan.problem.available.shape[1], dtype=bool)
    shut = cheap.plan.problem.available.copy()
    shut[list(item.offers)] = never
    floor = np.where(item.sign, 100.0, 0.0)
    dear = replace(item, level_floor=floor, fee_usd=np.full(floor.size, 7.0e6))
    free = solve(replace(cheap.plan.problem, available=shut))
    forced = solve(replace(cheap.plan.problem, available=shut, agreements=(dear,)))
    assert forced.levels[0, 0] == pytest.approx(100.0)
    due = 7.0e8 * cheap.plan.problem.discount[0]
    assert forced.objective_usd == pytest.approx(free.objective_usd + due, rel=1e-9)
    with pytest.raises(BadValue, match="level_floor"):
        replace(cheap.plan.problem, agreements=(replace(dear, level_cap=np.full(floor.size, 50.0)),))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("deal:", "h100:"), ["contracts.h100", "a line or a programme has this name too"]),
        (
            ("kind: take-or-pay", "kind: warrants"),
            ["contracts.deal.kind", "warrants in a case", "fabless contract value"],
        ),
        (("deal:", "existing:"), ["contracts.existing", "the fleet in place has this name"]),
    ],
)
def test_contracts_that_no_decision_can_take_are_told(
    edit: tuple[str, str], words: list[str]
) -> None:
    deal = (
        "contracts:\n  deal: {line: h100, kind: take-or-pay, tenor: 1 year, volume: {value: 10}, price: {value: 20000}, "
        "firm_share: {value: 0.5}}\n"
    )
    assert parse_case(MINIMAL + deal, "my.yaml", Path(".")).contracts[0].name == "deal"
    with pytest.raises(FablessError) as told:
        parse_case(MINIMAL + edited(deal, edit), "my.yaml", Path("."))
    for word in words:
        assert word in str(told.value)
