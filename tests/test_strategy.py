"""Offers against costs worked out by hand, and the ways against their definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fabless.case_numbers import CaseNumbers, LimitNumbers, ShockNumbers, mapped
from fabless.case_records import CaseNumber, Line, Programme, TimedLimit, named
from fabless.catalogue import load
from fabless.catalogue.case.case import read_case
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.market import of_generation
from fabless.plan import limit_prices, solve
from fabless.records import Array, Grade, Range, Tree
from fabless.scenario import chain_tree
from fabless.scenario.programmes import NEVER
from fabless.strategy import (
    PORTFOLIO,
    TITLES,
    Commitment,
    Offer,
    commitments,
    existing_offer,
    line_offers,
    owning_at,
    programme_offers,
    shared_pools,
)
from fabless.strategy.outlook import terms_of
from fabless.tco import Owning, discount_factor
from fabless.units import HOUR_S, QUARTER_S, YEAR_S, Quarter

WAYS = [way for way in TITLES if way != PORTFOLIO]
HOURS = 8766 / 4
ONES = np.ones(32)


@dataclass(frozen=True)
class Certain:
    """A certain future: every number at its mode, one node a quarter."""

    tree: Tree
    values: CaseNumbers[Array]
    scarce: Array
    shock_chance: Mapping[str, Array]
    demand: Mapping[str, Array]
    work: Array


@dataclass(frozen=True)
class Told:
    """A programme whose fate is known."""

    volume_quarter: np.ndarray
    performance: Array
    scope_cut: Array


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = read_case()
    return prepare(case, load(case.as_of))


def future(prepared: Prepared, scarce: float = 0.0, **changes: float) -> Certain:
    def certain(number: CaseNumber) -> Array:
        own = changes.get(number.name, number.spread.mode)
        if not number.name.endswith(("successor_slip", "successor_gain_spread")):
            return own * ONES
        return np.array(
            [
                changes.get(of_generation(number.name, g), number.spread.mode if g > 1 else own)
                * ONES
                for g in (1, 2, 3)
            ]
        )

    struck = {shock.name: 0.0 * ONES for shock in prepared.case.shocks}
    return Certain(chain_tree(32), mapped(prepared.case.numbers, certain), scarce * ONES, struck, {}, ONES)


def fading(initial: float, final: float, fade_s: float, quarters: int) -> Array:
    """Multiple by quarter of what grows by `initial` a year at first and by `final` in the long
    run."""
    years, tau = np.arange(quarters) / 4.0, fade_s / YEAR_S
    return np.exp(np.log(final) * years + np.log(initial / final) * tau * (1.0 - np.exp(-years / tau)))


def mode(prepared: Prepared, name: str) -> float:
    return named(prepared.case.numbers)[name].spread.mode


def line_of(prepared: Prepared, name: str) -> Line:
    return next(line for line in prepared.case.lines if line.name == name)


def programme_of(prepared: Prepared, name: str) -> Programme:
    return next(item for item in prepared.case.programmes if item.name == name)


def owning_in(prepared: Prepared, outlook: Certain) -> Owning:
    return owning_at(outlook.values.owning, mode(prepared, "owning.life"), mode(prepared, "finance.real_rate"))


def offers_of(prepared: Prepared, name: str, scarce: float = 0.0, **changes: float) -> list[Offer]:
    line, outlook = line_of(prepared, name), future(prepared, scarce, **changes)
    return line_offers(prepared.case, line, outlook, prepared.throughput[line.chip.name], owning_in(prepared, outlook))


def chips_of(prepared: Prepared, name: str, volume: int, scope_cut: float = 0.0, **changes: float) -> list[Offer]:
    item, outlook = programme_of(prepared, name), future(prepared, **changes)
    fate = Told(np.full(32, volume), 0.8 * ONES, scope_cut * ONES)
    return programme_offers(prepared.case, item, outlook, fate, prepared.throughput[item.chip.name],
                            owning_in(prepared, outlook))


def test_capital_and_running_of_an_owned_chip_by_hand(prepared: Prepared) -> None:
    offer, *_ = offers_of(prepared, "nvidia-owned")
    price, server = mode(prepared, "lines.nvidia-owned.price"), mode(prepared, "owning.server_cost")
    rate, years = mode(prepared, "finance.real_rate"), mode(prepared, "owning.life") / YEAR_S
    hourly = (1.0 + rate) ** (1.0 / 8766.0) - 1.0
    recovery = hourly / (1.0 - (1.0 + hourly) ** (-years * 8766.0))
    recovered = mode(prepared, "owning.residual") / (1.0 + rate) ** years
    installing = (1.0 + rate) ** (mode(prepared, "owning.installation") / YEAR_S)
    assert offer.capital_usd[0] == pytest.approx(
        (price + server) * installing * (1.0 - recovered) * recovery * HOURS, rel=1e-9)
    chip, does = line_of(prepared, "nvidia-owned").chip, prepared.throughput["h100-sxm"]
    server_power = mode(prepared, "owning.server_power")
    rent = chip.tdp_w * server_power * mode(prepared, "owning.colocation") * QUARTER_S
    power = does.power_w * server_power * mode(prepared, "owning.pue") * mode(prepared, "owning.electricity") * QUARTER_S
    upkeep = (price + server) * mode(prepared, "owning.upkeep") / 4.0
    assert offer.running_usd[0] == pytest.approx(rent + power + upkeep, rel=1e-9)
    assert offer.payment_usd[0] == pytest.approx(price + server)
    fall = 1.0 - mode(prepared, "lines.nvidia-owned.price_decline")
    np.testing.assert_allclose(offer.payment_usd - server, price * fall ** (np.arange(32) / 4.0), rtol=1e-12)
    assert 0 < does.power_w < chip.tdp_w


def test_charges_of_a_life_repay_the_price(prepared: Prepared) -> None:
    """Discounted as the plan does, at mid-quarter, they are worth what was paid, with interest,
    less the resale."""
    offer, *_ = offers_of(prepared, "nvidia-owned", **{"owning.residual": 0.0})
    rate = mode(prepared, "finance.real_rate")
    middle = (np.arange(offer.term_quarters) + 0.5) * QUARTER_S
    paid = mode(prepared, "lines.nvidia-owned.price") + mode(prepared, "owning.server_cost")
    worth = offer.capital_usd[0] * np.sum(discount_factor(rate, middle))
    assert worth == pytest.approx(paid * (1.0 + rate) ** (mode(prepared, "owning.installation") / YEAR_S), rel=1e-3)


def test_a_rent_is_price_times_hours(prepared: Prepared) -> None:
    offer, = offers_of(prepared, "google-rented")
    price = mode(prepared, "lines.google-rented.price") * HOUR_S * (1.0 - mode(prepared, "lines.google-rented.discount"))
    fall = 1.0 - mode(prepared, "lines.google-rented.price_decline")
    np.testing.assert_allclose(offer.capital_usd, price * HOURS * fall ** (np.arange(32) / 4.0), rtol=1e-9)
    assert np.all(offer.running_usd == 0.0)
    assert (offer.term_quarters, offer.owned, offer.own_silicon) == (4, False, False)
    start = line_of(prepared, "google-rented").first_quarter - prepared.case.first_quarter
    assert start > 0
    assert offer.available.tolist() == [quarter >= start for quarter in range(32)]


@pytest.mark.parametrize("name", ["nvidia-owned", "amd-owned", "google-rented"])
@pytest.mark.parametrize("scarce", [0.0, 0.4, 1.0])
def test_lead_time_and_price_by_regime(prepared: Prepared, name: str, scarce: float) -> None:
    normal, short = offers_of(prepared, name), offers_of(prepared, name, scarce)
    lead = (1 - scarce) * mode(prepared, f"lines.{name}.lead_normal") + scarce * mode(prepared, f"lines.{name}.lead_scarce")
    if normal[0].owned:
        lead += mode(prepared, "owning.installation")
    assert set(short[0].lead_quarters.tolist()) == {round(lead / QUARTER_S)}
    dearer = 1.0 + scarce * (mode(prepared, "supply.scarce_price") - 1.0)
    if not normal[0].owned:
        np.testing.assert_allclose(short[0].capital_usd, dearer * normal[0].capital_usd)
    fewer = 1.0 - scarce * (1.0 - mode(prepared, "supply.scarce_allotment"))
    np.testing.assert_allclose(short[0].pool.cap, fewer * normal[0].pool.cap)


def test_allotment_fades_as_supply_does(prepared: Prepared) -> None:
    offer, *_ = offers_of(prepared, "nvidia-owned")
    expected = mode(prepared, "lines.nvidia-owned.allotment") * fading(
        mode(prepared, "lines.nvidia-owned.allotment_growth"),
        mode(prepared, "supply.growth_long_run"), mode(prepared, "supply.growth_fade"), 32,
    )
    np.testing.assert_allclose(offer.pool.cap, expected, rtol=1e-12)


def test_successors_arrive_gain_cost_and_draw(prepared: Prepared) -> None:
    name = "nvidia-owned"
    offers = offers_of(prepared, name)
    assert [offer.name for offer in offers] == [name, f"{name}+1", f"{name}+2", f"{name}+3"]
    assert all(offer.pool is offers[0].pool for offer in offers)
    first, gap = mode(prepared, f"lines.{name}.successor_first"), mode(prepared, f"lines.{name}.successor_gap")
    gain, price, power = (mode(prepared, f"lines.{name}.successor_{key}") for key in ("gain", "price", "power"))
    server = mode(prepared, "owning.server_cost")
    for generation, offer in enumerate(offers[1:], start=1):
        arrival = round((first + (generation - 1) * gap) / QUARTER_S)
        assert int(np.argmax(offer.available)) == arrival
        assert offer.available[arrival:].all()
        np.testing.assert_allclose(offer.rate / offers[0].rate, gain**generation, rtol=1e-12)
        paid = offer.payment_usd - server
        assert paid[arrival] == pytest.approx(mode(prepared, f"lines.{name}.price") * price**generation)
        assert paid[arrival + 4] == pytest.approx(paid[arrival] * (1.0 - mode(prepared, f"lines.{name}.price_decline")))
        upkeep = offer.payment_usd * mode(prepared, "owning.upkeep") / 4.0
        first_upkeep = offers[0].payment_usd * mode(prepared, "owning.upkeep") / 4.0
        np.testing.assert_allclose(
            (offer.running_usd - upkeep) / (offers[0].running_usd - first_upkeep),
            power**generation, rtol=1e-9,
        )


def test_paying_at_the_order_costs_interest_and_saves_the_discount(prepared: Prepared) -> None:
    scarce = 1.0
    later, early = (offers_of(prepared, name, scarce, **{"owning.server_cost": 0.0})[0]
                    for name in ("nvidia-owned", "nvidia-prepaid"))
    rate, cut = mode(prepared, "finance.real_rate"), mode(prepared, "lines.nvidia-prepaid.discount")
    waiting = later.lead_quarters[0] / 4.0 - mode(prepared, "owning.installation") / YEAR_S
    assert waiting > 0.5
    assert early.capital_usd[0] / later.capital_usd[0] == pytest.approx((1.0 - cut) * (1.0 + rate) ** waiting, rel=1e-9)
    assert early.payment_usd[0] / later.payment_usd[0] == pytest.approx(1.0 - cut)
    assert early.running_usd[0] < later.running_usd[0]


def test_a_line_serves_its_chips_throughput_at_its_efficiency(prepared: Prepared) -> None:
    offer, *_ = offers_of(prepared, "amd-owned")
    does, efficiency = prepared.throughput["mi300x-projected"], mode(prepared, "lines.amd-owned.efficiency")
    factor = {
        "chat": mode(prepared, "demand.load_factor"),
        "frontier": mode(prepared, "demand.load_factor") / mode(prepared, "loads.frontier.work"),
        "training": mode(prepared, "loads.training.utilisation"),
        "experiments": mode(prepared, "loads.experiments.utilisation"),
    }
    for row, load_ in enumerate(prepared.case.loads):
        assert offer.rate[row, 0] == pytest.approx(
            does.per_second[load_.name] * QUARTER_S * efficiency * factor[load_.name])


def test_dearer_queries_take_more_chips_and_training_does_not(prepared: Prepared) -> None:
    line, outlook = line_of(prepared, "nvidia-owned"), future(prepared)
    heavy = replace(outlook, work=2.5 * ONES)
    does, owning = prepared.throughput["h100-sxm"], owning_in(prepared, outlook)
    light, dear = (line_offers(prepared.case, line, at, does, owning)[0].rate for at in (outlook, heavy))
    np.testing.assert_allclose(light[:2] / dear[:2], 2.5)
    np.testing.assert_allclose(light[2], dear[2])


def test_own_chips_are_ordered_one_lead_time_ahead_of_volume(prepared: Prepared) -> None:
    first, second = chips_of(prepared, "own-build", volume=16)
    lead = round((mode(prepared, "programmes.own-build.fab") + mode(prepared, "owning.installation")) / QUARTER_S)
    gap = round(mode(prepared, "programmes.own-build.successor_gap") / QUARTER_S)
    assert lead > 1
    assert set(first.lead_quarters.tolist()) == {lead}
    assert first.available.tolist() == [quarter >= 16 - lead for quarter in range(32)]
    assert second.available.tolist() == [quarter >= 16 - lead + gap for quarter in range(32)]
    assert first.own_silicon
    assert first.pool is second.pool
    start = 16 - lead
    assert np.all(first.pool.cap[:start + 1] == first.pool.cap[0])
    assert first.pool.cap[0] == pytest.approx(mode(prepared, "programmes.own-build.allotment"))
    grown = fading(
        mode(prepared, "programmes.own-build.allotment_growth"),
        mode(prepared, "supply.growth_long_run"), mode(prepared, "supply.growth_fade"), 32 - start,
    )
    np.testing.assert_allclose(first.pool.cap[start:] / first.pool.cap[0], grown, rtol=1e-12)


def test_a_chip_that_never_comes_is_never_for_sale(prepared: Prepared) -> None:
    assert not any(offer.available.any() for offer in chips_of(prepared, "own-build", volume=NEVER))


def test_price_of_an_own_chip_is_its_cost_over_one_less_the_margin(prepared: Prepared) -> None:
    item, server = "programmes.co-design", mode(prepared, "owning.server_cost")
    first, second = chips_of(prepared, "co-design", volume=10, **{f"{item}.support_share": 0.0})
    price = float(prepared.unit_costs["co-design"].total_usd) / (1.0 - mode(prepared, f"{item}.margin"))
    assert first.payment_usd[0] - server == pytest.approx(price)
    assert second.payment_usd[0] - server == pytest.approx(price * mode(prepared, f"{item}.successor_price"))
    np.testing.assert_allclose(second.rate / first.rate, mode(prepared, f"{item}.successor_gain"))
    np.testing.assert_allclose(
        first.rate[0, 0] / QUARTER_S,
        0.8
        * prepared.throughput["own-1"].per_second["chat"]
        * mode(prepared, "demand.load_factor"),
    )


def test_the_team_after_volume_is_paid_for_by_the_chips(prepared: Prepared) -> None:
    """A company that orders the whole allotment pays the team, one that orders none ends it."""
    first, second = chips_of(prepared, "own-build", volume=10)
    bare, _ = chips_of(prepared, "own-build", volume=10, **{"programmes.own-build.support_share": 0.0})
    team = mode(prepared, "programmes.own-build.team") * mode(prepared, "programmes.own-build.support_share") * QUARTER_S
    np.testing.assert_allclose((first.payment_usd - bare.payment_usd) * first.pool.cap, team, rtol=1e-9)
    assert second.payment_usd[0] > first.payment_usd[0]


def test_a_cut_scope_takes_training_away_and_nothing_else(prepared: Prepared) -> None:
    whole, part, none = (chips_of(prepared, "own-build", 10, cut)[0].rate for cut in (0.0, 0.4, 1.0))
    np.testing.assert_allclose(part[:2], whole[:2])
    np.testing.assert_allclose(part[2], 0.6 * whole[2])
    assert np.all(none[2] == 0.0)
    backer, *_ = chips_of(prepared, "backer", 10)
    assert np.all(backer.rate[2] == 0.0)
    assert np.all(backer.rate[0] > 0.0)
    assert not backer.own_silicon


def test_the_fleet_in_place_runs_down_evenly(prepared: Prepared) -> None:
    does = prepared.throughput[prepared.case.existing_chip.name]
    offer, chips, rent = existing_offer(prepared.case, future(prepared), does)
    quarters = mode(prepared, "existing.years") / QUARTER_S
    expected = mode(prepared, "existing.count") * np.maximum(1.0 - np.arange(32) / quarters, 0.0)
    np.testing.assert_allclose(chips, expected)
    assert rent == pytest.approx(mode(prepared, "existing.price") * QUARTER_S)
    assert not offer.available.any()


def test_every_way_opens_the_lines_that_name_it(prepared: Prepared) -> None:
    case = prepared.case
    for way in WAYS:
        for commitment in commitments(case, way):
            assert commitment.lines
            assert all(way in line.ways for line in commitment.lines)
            assert {line.name for line in case.lines if set(WAYS) <= set(line.ways)} <= {
                line.name for line in commitment.lines}
            assert all(way in item.ways for item in commitment.programmes)
            assert len(commitment.programmes) <= 1
    assert {
        item.name for way in WAYS for choice in commitments(case, way) for item in choice.programmes
    } == {item.name for item in case.programmes}
    assert commitments(replace(case, programmes=()), "build")[0].programmes == ()


def test_orders_of_all_generations_stay_within_their_line(prepared: Prepared) -> None:
    here = draw_world(prepared, {}, (4, 1, 1, 1))
    case = here.prepared.case
    plan = plan_of(here, Commitment(case.lines, (programme_of(prepared, "co-design"),)))
    orders = solve(plan.problem).orders
    pools = {offer.pool.name for offer in plan.offers[1:]}
    assert [name for name, _, _ in plan.problem.groups[-2:]] == [pool.name for pool in case.pools]
    assert pools == {line.name for line in case.lines} | {"co-design"}
    full = 0
    for name in pools:
        mine = [i for i, offer in enumerate(plan.offers) if offer.pool.name == name]
        cap = plan.offers[mine[0]].pool.cap
        together = orders[mine].sum(axis=0)
        assert np.all(together <= cap * (1.0 + 1e-7) + 1e-6)
        full += int(np.sum(together >= cap * (1.0 - 1e-7)))
    assert full > 10


def test_a_generation_that_slips_moves_the_later_ones_and_gains_multiply(prepared: Prepared) -> None:
    name = "lines.nvidia-owned"
    late = offers_of(prepared, "nvidia-owned", **{
        f"{name}.successor_slip": 1.4, f"{name}.successor_slip.2": 0.5,
        f"{name}.successor_gain_spread": 0.8, f"{name}.successor_gain_spread.3": 1.2})
    first, gap = mode(prepared, f"{name}.successor_first"), mode(prepared, f"{name}.successor_gap")
    gain = mode(prepared, f"{name}.successor_gain")
    for offer, wait, factor in zip(
        late[1:], (1.4 * first, 1.4 * first + 0.5 * gap, 1.4 * first + 1.5 * gap),
        (0.8 * gain, 0.8 * gain**2, 0.8 * 1.2 * gain**3), strict=True,
    ):
        assert int(np.argmax(offer.available)) == round(wait / QUARTER_S)
        np.testing.assert_allclose(offer.rate / late[0].rate, factor, rtol=1e-12)


def test_what_has_arrived_is_not_taken_back_by_later_news(prepared: Prepared) -> None:
    outlook = future(prepared)
    news = np.where(np.arange(32) < 8, 1.0, 3.0)
    line = line_of(prepared, "nvidia-owned")
    terms = outlook.values.lines["nvidia-owned"]
    told_terms = replace(terms, successor_slip=np.array([news, *terms.successor_slip[1:]]))
    told = replace(outlook, values=replace(
        outlook.values, lines={**outlook.values.lines, "nvidia-owned": told_terms}))
    offers = line_offers(prepared.case, line, told, prepared.throughput["h100-sxm"], owning_in(prepared, outlook))
    assert int(np.argmax(offers[1].available)) == 5
    assert offers[1].available[5:].all()
    # the second was still to come, and now comes as the news says
    later = round((3.0 * mode(prepared, "lines.nvidia-owned.successor_first")
                   + mode(prepared, "lines.nvidia-owned.successor_gap")) / QUARTER_S)
    assert int(np.argmax(offers[2].available)) == later


def test_shocks_move_the_terms_of_the_vendors_they_strike(prepared: Prepared) -> None:
    usual = future(prepared)
    struck = replace(usual, shock_chance={**usual.shock_chance, "disruption": 0.5 * ONES, "vendor-stop": ONES})
    for name in ("nvidia-owned", "amd-owned"):
        line = line_of(prepared, name)
        (before, *_), (after, *_) = (
            line_offers(
                prepared.case, line, at, prepared.throughput[line.chip.name],
                owning_in(prepared, at),
            )
            for at in (usual, struck)
        )
        price, fewer, lead = (mode(prepared, f"shocks.disruption.{key}") for key in ("price", "allotment", "lead"))
        stopped = mode(prepared, "shocks.vendor-stop.allotment") if line.vendor == "Nvidia" else 1.0
        cut = (1.0 + 0.5 * (fewer - 1.0)) * stopped
        np.testing.assert_allclose(after.pool.cap, cut * before.pool.cap, rtol=1e-12)
        server = mode(prepared, "owning.server_cost")
        np.testing.assert_allclose((after.payment_usd - server) / (before.payment_usd - server), 1.0 + 0.5 * (price - 1.0))
        normal = mode(prepared, f"lines.{name}.lead_normal") + mode(prepared, "owning.installation")
        assert set(after.lead_quarters.tolist()) == {round((normal + 0.5 * lead) / QUARTER_S)}


def test_delays_of_shocks_add_up_by_their_chance_and_strike_whom_they_name(prepared: Prepared) -> None:
    """In seconds: in whole quarters of lead time a delay that is dropped hides in the rounding."""
    usual = future(prepared)
    first, second = prepared.case.shocks[:2]
    rising = np.linspace(0.0, 1.0, 32)
    case = replace(prepared.case, shocks=(replace(first, vendors=()), replace(second, vendors=("Nvidia",))))
    delays = {name: ShockNumbers(rate=ONES, duration=ONES, lead=lead)
              for name, lead in ((first.name, 3.0e6 * ONES), (second.name, 5.0e6 * ONES))}
    struck = replace(usual, values=replace(usual.values, shocks=delays),
                     shock_chance={first.name: rising, second.name: 0.5 * ONES})
    np.testing.assert_allclose(terms_of(case, struck, "Nvidia").delay_s, 3.0e6 * rising + 2.5e6, rtol=1e-12)
    np.testing.assert_allclose(terms_of(case, struck, "AMD").delay_s, 3.0e6 * rising, rtol=1e-12)


@pytest.mark.parametrize("name", ["nvidia-owned", "azure-rented"])
def test_a_long_delay_of_a_shock_moves_the_lead_time_by_its_quarters(
    prepared: Prepared, name: str
) -> None:
    line = line_of(prepared, name)
    usual = future(prepared)
    shocks = dict(usual.values.shocks)
    shocks["disruption"] = replace(shocks["disruption"], lead=8.0 * QUARTER_S * ONES)
    struck = replace(usual, values=replace(usual.values, shocks=shocks),
                     shock_chance={**usual.shock_chance, "disruption": 0.5 * ONES})
    (before, *_), (after, *_) = (
        line_offers(
            prepared.case, line, at, prepared.throughput[line.chip.name], owning_in(prepared, at)
        )
        for at in (usual, struck)
    )
    assert (after.lead_quarters - before.lead_quarters).tolist() == [4] * 32


def test_own_chips_share_scarcity_with_all(prepared: Prepared) -> None:
    normal, _ = chips_of(prepared, "own-build", 10)
    item, outlook = programme_of(prepared, "own-build"), future(prepared, 1.0)
    scarce, _ = programme_offers(
        prepared.case, item, outlook, Told(np.full(32, 10), 0.8 * ONES, 0.0 * ONES),
        prepared.throughput[item.chip.name], owning_in(prepared, outlook),
    )
    np.testing.assert_allclose(scarce.pool.cap, mode(prepared, "supply.scarce_allotment") * normal.pool.cap)


def test_the_packaging_pool_is_output_times_share_and_binds_when_small(prepared: Prepared) -> None:
    outlook = future(prepared)
    line = line_of(prepared, "nvidia-owned")
    offers = line_offers(prepared.case, line, outlook, prepared.throughput["h100-sxm"], owning_in(prepared, outlook))
    (name, members, cap), *_ = shared_pools(prepared.case, outlook, offers)
    keys = ("output", "chips", "share", "growth")
    output, chips, share, growth = (mode(prepared, f"pools.packaging.{key}") for key in keys)
    assert (name, members) == ("packaging", (0, 1, 2, 3))
    np.testing.assert_allclose(
        cap,
        output
        * QUARTER_S
        * chips
        * share
        * fading(
            growth, mode(prepared, "supply.growth_long_run"), mode(prepared, "supply.growth_fade"),
            32,
        ),
        rtol=1e-12,
    )
    world_of = draw_world(prepared, {"pools.packaging.share": Range.point(0.002)}, (2, 1, 1, 1))
    plan = plan_of(world_of, Commitment(prepared.case.lines, ()))
    result = solve(plan.problem)
    here = next(group for group in plan.problem.groups if group[0] == "packaging")
    together = result.orders[list(here[1])].sum(axis=0)
    assert np.all(together <= here[2] * (1 + 1e-7) + 1e-6)
    priced = {item.name: item for item in limit_prices(plan.problem) if item.family == "allocation"}
    assert priced["packaging"].unit.tighter_usd > 0
    drawn = [plan.offers[k].pool.name for k in here[1]]
    assert "google-rented" not in drawn
    assert "existing" not in drawn


def test_power_and_cash_limits_hold_in_the_plan(prepared: Prepared) -> None:
    source = prepared.case.numbers.demand.growth.source
    stated = {"power": {"2024": 4e7, "2026": 9e7}, "cash": {"2024": 4e7, "2024Q2": 1e6}}
    power, cash = ({period: CaseNumber(
        name=f"limits.{kind}.{period}", spread=Range.point(value), unit="1", grade=Grade.ASSUMPTION,
        source=source)
                    for period, value in periods.items()} for kind, periods in stated.items())
    case = replace(
        prepared.case,
        correlations=(),
        numbers=replace(
            prepared.case.numbers, correlations=(), limits=LimitNumbers(power=power, cash=cash)
        ),
        power_limits=(
            TimedLimit(Quarter(2024, 1), 4, "2024"), TimedLimit(Quarter(2026, 1), 4, "2026"),
        ),
        cash_limits=(
            TimedLimit(Quarter(2024, 1), 4, "2024"), TimedLimit(Quarter(2024, 2), 1, "2024Q2"),
        ),
    )
    bought = tuple(line for line in case.lines if line.how == "buy")
    plan = plan_of(draw_world(replace(prepared, case=case), branching=(2, 1, 1, 1, 1, 1)), Commitment(bought, ()))
    problem, quarter = plan.problem, plan.problem.tree.quarter
    power = np.where(quarter < 1, np.inf, np.where(quarter < 9, 4e7, 9e7))
    np.testing.assert_allclose(problem.power_cap_w, power)
    cash = np.where(quarter == 2, 1e6, np.where((quarter > 0) & (quarter < 5), 1e7, np.inf))
    np.testing.assert_allclose(problem.cash_cap_usd, cash)
    owned = [offer.owned for offer in plan.offers]
    assert [watt > 0 for watt in problem.power_w] == owned
    first = next(k for k, offer in enumerate(plan.offers) if offer.name == "nvidia-owned")
    server, pue = mode(prepared, "owning.server_power"), mode(prepared, "owning.pue")
    assert problem.power_w[first] == pytest.approx(700.0 * server * pue)
    result = solve(problem)
    assert np.all(problem.power_w @ result.active <= power * (1 + 1e-7))
    assert np.all((problem.payment_usd * result.orders).sum(axis=0) <= cash * (1 + 1e-7) + 1e-3)
    assert {item.family for item in limit_prices(problem)} >= {"power", "cash"}
