"""What must hold of every way on fresh paths, by the planner who plans again each quarter, when
the case is turned, renamed, scaled or stretched.

The counterpart of `test_metamorphic`: the same edits, judged on paths that no plan saw.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fabless.decide.fresh.block import FreshBlock, work
from fabless.decide.fresh.judge import TUNING, Judged, judge, perfect_information
from fabless.decide.fresh.on_paths import joined
from fabless.decide.fresh.planned import Tried, blocks_of, carried_out, safety_margin
from fabless.decide.fresh.planned import tried as decided
from fabless.decide.ways.choice import choose
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import draw_world
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Array
from fabless.strategy import every_way
from here import Here
from metamorphic_fixture import (
    LIMITED,
    PLAIN,
    SECTIONS,
    SMALL,
    TWO_PROGRAMMES,
    USELESS,
    WAYS,
    Edit,
    backwards,
    choice_of,
    drop,
    failing,
    free,
    gift,
    is_money,
    is_size,
    planned,
    points,
    prepared_of,
    put,
    quick,
    read,
    reference_cut,
    renamed,
    scaled,
    sure,
    text_of,
    times,
    tried,
    useless,
    with_numbers,
    without,
)

ROUNDING = 1e-12
PATHS = 8
SEEDS = (1, 2, 3, 4, 5)


def costs(judged: Judged) -> dict[str, Array]:
    """Cost of each path, by way."""
    return {name: way.cost_usd for name, way in judged.ways.items()}


def same(one: Judged, other: Judged, share: float = ROUNDING) -> bool:
    return one.ways.keys() == other.ways.keys() and all(
        costs(one)[way] == pytest.approx(costs(other)[way], rel=share) for way in one.ways)


def is_dearer(one: Array, other: Array) -> bool:
    """Whether totals of the same paths are higher than others beyond two standard errors of the
    difference."""
    apart = one - other
    error = apart.std(ddof=1) / np.sqrt(apart.size)
    return bool(apart.mean() > 2.0 * error + 1e-9 * abs(other.mean()))


# order and names


def slowly(*values: object) -> Any:
    """Arguments of a test that only a whole run takes."""
    return pytest.param(*values, marks=pytest.mark.slow)


SOON = ("lines", "loads", "shocks", "pools", "contracts")


@pytest.mark.parametrize("section", [name if name in SOON else slowly(name) for name in SECTIONS])
def test_the_order_of_a_section_changes_nothing(section: str) -> None:
    assert same(tried(*TWO_PROGRAMMES), tried(*TWO_PROGRAMMES, backwards(section)))


@pytest.mark.parametrize(("section", "old", "new"), [
    ("lines", "amd", "zz"), ("lines", "h100", "zz"), ("pools", "packaging", "zz"),
    slowly("lines", "google", "aa"), slowly("loads", "chat", "zz"), ("shocks", "disruption", "zz"),
    slowly("programmes", "backer", "a"), slowly("contracts", "deal", "zz"),
])
def test_another_name_changes_nothing(section: str, old: str, new: str) -> None:
    assert same(tried(), tried(renamed(section, old, new)))


@pytest.mark.parametrize("line", ["amd", "google"])
def test_a_line_less_leaves_ways_without_it_as_they_were(line: str) -> None:
    usual, other = tried(), tried(without(line))
    for way in ("buy", "partner"):
        assert costs(other)[way] == pytest.approx(costs(usual)[way], rel=ROUNDING)


# more on offer


@pytest.mark.parametrize("kind", [USELESS[0], *map(slowly, USELESS[1:])])
def test_a_line_that_nobody_uses_costs_no_way_anything(kind: str) -> None:
    assert same(tried(), tried(useless(kind)))


def test_a_supplier_who_asks_nothing_never_costs() -> None:
    usual, other = tried(), tried(gift())
    assert np.all(costs(other)["diversify"] < costs(usual)["diversify"])
    assert np.array_equal(costs(other)["buy"], costs(usual)["buy"])


@pytest.mark.parametrize("edit", [
    times(0.6, "lines.amd.price"), slowly(times(0.6, "lines.azure.price")),
    times(0.6, "lines.google.price"), slowly(times(0.6, "lines.h100.price")),
    times(2, "lines.*.allotment"), slowly(times(2, "pools.*.share")),
    times(0, "lines.*.lead_normal", "lines.*.lead_scarce"), slowly(times(0.5, "owning.electricity")),
], ids=["amd", "azure", "google", "h100", "allotments", "pools", "no lead", "electricity"])
def test_easier_terms_are_not_dearer(edit: Edit) -> None:
    """In the mean, beyond two standard errors path by path: a planner who does not know the future
    may be led astray on one path."""
    usual, other = tried(paths=12), tried(edit, paths=12)
    for way in WAYS:
        assert not is_dearer(other.total_usd[way], usual.total_usd[way])


# scale


def scaled_by(factor: float, fits: object) -> tuple[Judged, Judged]:
    prepared = prepared_of(text_of(*LIMITED))
    other = with_numbers(prepared, scaled(prepared.case, factor, fits))  # type: ignore[arg-type]
    choice = choose(draw_world(other), None, gates=False)
    return tried(*LIMITED), judge(other, choice, quick(PATHS), pool=Here())


def test_ten_times_the_money_costs_ten_times_as_much() -> None:
    usual, other = scaled_by(10.0, is_money)
    for way in WAYS:
        assert costs(other)[way] == pytest.approx(10.0 * costs(usual)[way], rel=1e-8)


def test_twice_of_everything_costs_twice_as_much() -> None:
    usual, other = scaled_by(2.0, is_size)
    for way in WAYS:
        assert costs(other)[way] == pytest.approx(2.0 * costs(usual)[way], rel=1e-8)


def test_twice_the_queries_cost_more_on_every_path() -> None:
    usual, other = tried(), tried(times(2, "demand.queries", "demand.ceiling"))
    for way in WAYS:
        assert np.all(costs(other)[way] > costs(usual)[way])


# horizons, rates, shocks


@pytest.mark.parametrize(("quarters", "paths"), [
    (4, 8), slowly(60, 4), slowly(80, 4)])
def test_short_and_long_horizons_are_judged(quarters: int, paths: int) -> None:
    tree = {"boundaries": [2, 3] if quarters == 4 else [2, 5], "branching": [2, 2]}
    judged = tried(put("quarters", quarters), put("tree", tree), paths=paths)
    assert tuple(judged.ways) == WAYS
    for way in judged.ways.values():
        assert way.cash.shape == (paths, quarters)
        assert np.all(np.isfinite(way.cost_usd))


@pytest.mark.parametrize("rate", [0.0, slowly(0.5), 1.0])
def test_any_rate_of_interest_discounts_what_is_paid(rate: float) -> None:
    judged = tried(put("finance.real_rate", {"value": rate}))
    discount = (1.0 + rate) ** -((np.arange(10) + 0.5) / 4)
    for way in judged.ways.values():
        assert way.discount == pytest.approx(discount, rel=1e-9)
        assert way.cost_usd == pytest.approx((way.cash + way.unserved) @ discount, rel=1e-9)


@pytest.mark.parametrize("branching", [[1, 1], slowly([2, 1]), slowly([1, 2]), [12, 1]])
def test_a_tree_of_any_shape_gives_a_way_to_judge(branching: list[int]) -> None:
    """The paths are the same whatever the tree is: what differs is what was ordered first."""
    usual, other = tried(), tried(put("tree.branching", branching))
    for way in WAYS:
        assert np.array_equal(usual.ways[way].wanted, other.ways[way].wanted)
        assert costs(other)[way] == pytest.approx(costs(usual)[way], rel=0.2)


@pytest.mark.parametrize("shock", ["disruption", "slump"])
def test_a_shock_that_never_strikes_is_none(shock: str) -> None:
    never, none = tried(times(0, f"shocks.{shock}.rate")), tried(drop(f"shocks.{shock}"))
    for way in WAYS:
        assert np.array_equal(costs(never)[way], costs(none)[way])


def test_with_all_rates_nought_there_are_no_shocks() -> None:
    never, none = tried(times(0, "shocks.*.rate")), tried(drop("shocks"))
    for way in WAYS:
        assert np.array_equal(costs(never)[way], costs(none)[way])


# the price of a shortage, and risk


PRICES = ("loads.*.unserved_price",)


def test_where_a_shortage_costs_nothing_nothing_is_ordered() -> None:
    judged = tried(*PLAIN, times(0, *PRICES))
    for way in judged.ways.values():
        ordered = way.chips[1:]
        assert not ordered.any()
        assert not way.unserved.any()
        assert way.missing.any()


def test_the_dearer_a_shortage_is_the_less_is_short() -> None:
    short = [tried(*PLAIN, times(factor, *PRICES)).ways["buy"].missing.sum() for factor in (0.3, 1, 1e4)]
    assert short[0] > short[1] > short[2]


def test_the_weight_of_the_worst_goes_from_the_mean_to_the_tail() -> None:
    for weight in (0.0, 0.3, 1.0 - 1e-12):
        judged = tried(put("risk.weight", weight), put("risk.level", 0.75))
        for name, way in judged.ways.items():
            worst = np.sort(way.cost_usd)[-2:].mean()  # a quarter of 8 paths
            total = (1.0 - weight) * way.cost_usd.mean() + weight * worst
            assert judged.total_usd[name].mean() == pytest.approx(total, rel=1e-9)


# limits


def limit(kind: str, amount: float) -> Edit:
    years = [2023] if kind == "power" else range(2023, 2028)
    return put("limits", {kind: {str(year): {"value": amount} for year in years}})


def test_without_power_no_chip_is_owned_and_without_cash_none_is_paid_at_an_order() -> None:
    powerless, penniless = tried(limit("power", 0.0)), tried(limit("cash", 0.0))
    for way in WAYS:
        lines = powerless.ways[way].lines
        owned = [lines.index(name) for name in ("h100", "amd", "backer")]
        assert not powerless.ways[way].chips[owned].any()
        assert powerless.ways[way].chips[lines.index("azure")].any()
        assert not is_dearer(tried().total_usd[way], powerless.total_usd[way])
        assert not is_dearer(tried().total_usd[way], penniless.total_usd[way])


@pytest.mark.parametrize("kind", ["power", "cash"])
def test_a_limit_that_is_never_reached_is_none(kind: str) -> None:
    assert same(tried(limit(kind, 1e15)), tried(), 1e-9)


# programmes and contracts


def test_a_sure_and_free_programme_helps_whoever_may_start_it() -> None:
    gift, lines = (tried(*edits, paths=20, gates=True) for edits in ((sure, free), (without("backer"),)))
    assert not is_dearer(gift.total_usd["partner"], lines.total_usd["buy"])
    assert gift.total_usd["partner"].mean() < lines.total_usd["buy"].mean()
    assert gift.total_usd["portfolio"].mean() < lines.total_usd["diversify"].mean()
    assert np.array_equal(costs(gift)["buy"], costs(lines)["buy"])


def test_a_contract_at_an_absurd_price_is_not_signed() -> None:
    absurd, none = tried(times(1e3, "contracts.deal.price")), tried(drop("contracts"))
    assert same(absurd, none, 1e-9)


def test_a_contract_that_costs_next_to_nothing_helps() -> None:
    gift, none = tried(times(1e-3, "contracts.deal.price")), tried(drop("contracts"))
    assert np.all(costs(gift)["buy"] < costs(none)["buy"])


# more options never cost more


SOLD = put("owning.resale", {"value": 0.5})
CASES: dict[str, tuple[Edit, ...]] = {
    "everything": (), "sure programme": (sure,), "free programme": (sure, free),
    "two programmes": TWO_PROGRAMMES, "resale": (SOLD,), "limits": LIMITED,
    "dear lines": (times(3, "lines.h100.price", "lines.azure.price"),),
    "own ways": (put("ways", {"rent": {"how": "rent"}, "two": {"lines": ["h100", "google"]},
                              "chip": {"lines": ["h100", "azure", "amd"], "may_start": ["backer"]},
                              "bare": {"lines": ["h100", "azure"], "contracts": []}}), sure),
}


@pytest.mark.parametrize(("name", "branches"), [
    slowly(name, branches) if branches == 2 and name not in ("everything", "own ways") else (name, branches)
    for name in CASES for branches in (1, 2)])
def test_no_way_with_more_options_costs_more(name: str, branches: int) -> None:
    """Beyond two paired standard errors on the same paths."""
    edits = CASES[name]
    judged = tried(*edits, paths=20, branches=branches, gates=True)
    ways = {way.name: way for way in every_way(read(text_of(*edits)))}
    pairs = [(wide, narrow) for wide in judged.ways for narrow in judged.ways
             if wide != narrow and ways[wide].contains(ways[narrow])]
    assert ("diversify", "buy") in pairs
    for wide, narrow in pairs:
        apart, error = judged.difference(wide, narrow)
        assert apart <= 2.0 * error + 1e-9 * judged.total_usd[narrow].mean(), (wide, narrow, apart, error)


@pytest.mark.parametrize(("edit", "way"), [
    (drop("contracts"), "portfolio"), (drop("contracts"), "buy"), (without("backer"), "portfolio"),
    (without("amd"), "portfolio"), (without("amd", "google"), "portfolio"),
], ids=["contract", "contract of one vendor", "programme", "amd", "second vendors"])
def test_a_case_with_less_on_offer_is_not_cheaper(edit: Edit, way: str) -> None:
    wide, narrow = tried(paths=20), tried(edit, paths=20)
    other = next(name for name in (way, "diversify", "buy") if name in narrow.ways)
    assert not is_dearer(wide.total_usd[way], narrow.total_usd[other])


@pytest.mark.parametrize("lines", [
    ("google",), slowly(("amd",)), slowly(("amd", "google"))])
def test_with_the_same_first_orders_a_line_more_is_not_dearer(lines: tuple[str, ...]) -> None:
    """What the planner makes of a line by itself: the first quarter is that of the plan without
    it, which on a small tree may differ much."""
    prepared = prepared_of(text_of())
    wide, narrow = (decided(choice.way("diversify" if "diversify" in choice.cost else "buy"))
                    for choice in (planned(), planned(without(*lines))))
    same_first = replace(wide, orders=narrow.orders, levels=narrow.levels, retired=narrow.retired)
    cost = np.concatenate([along(prepared, [same_first, narrow], seed) for seed in SEEDS], axis=1)
    assert not is_dearer(cost[0], cost[1])


def along(prepared: Prepared, ways: list[Tried], seed: int) -> Array:
    """Cost (ways, paths) of ways on the same paths."""
    blocks = blocks_of(prepared, ways, paths=PATHS, seed=seed, branches=1,
                       margin=safety_margin(prepared, seed + TUNING))
    parts = [carried_out(block)[0] for block in blocks]
    return np.array([joined([part[k] for part in parts]).cost_usd for k in range(len(ways))])


def test_to_be_able_to_sell_chips_never_costs() -> None:
    kept, sold = tried(*FALLING, paths=20), tried(*FALLING, SOLD, paths=20)
    for way in ("buy", "diversify"):
        assert not is_dearer(sold.total_usd[way], kept.total_usd[way])
        assert sold.total_usd[way].mean() < kept.total_usd[way].mean()


FALLING = (put("demand.growth", {"low": 0.2, "mode": 0.6, "high": 2}),
           put("loads.training.growth", {"low": 0.2, "mode": 0.6, "high": 2}),
           put("demand.growth_long_run", {"value": 0.8}))
"""Demand that falls, so that chips stand idle."""


# without uncertainty the planner is the plan


CERTAIN: dict[str, tuple[Edit, ...]] = {
    "lines": (*PLAIN, points), "contract": (without("backer"), points),
    "limits": (without("backer"), *LIMITED, points), "resale": (without("backer"), SOLD, points),
    "falling": (without("backer"), *FALLING, SOLD, points),
    "programme": (failing, points),
    "cheap contract": (without("backer"), times(0.5, "contracts.deal.price"), points),
    "everything": (*LIMITED, SOLD, failing, points),
    "idle": (without("backer"), *LIMITED, *FALLING, points),
}


@pytest.mark.parametrize(("name", "branches"), [
    (name, 1) if name != "everything" else (name, 2) for name in CERTAIN] + [
    slowly(name, 1 if name == "everything" else 2) for name in CERTAIN])
def test_without_uncertainty_the_planner_is_the_plan(name: str, branches: int) -> None:
    edits = (*CERTAIN[name], put("tree.branching", [1, 1]))
    small, judged = planned(*edits, gates=True), tried(*edits, paths=2, branches=branches, gates=True)
    for way in small.choice.ways:
        assert costs(judged)[way.name] == pytest.approx(way.result.objective_usd, rel=1e-6)


# perfect information and the old rule


@pytest.mark.parametrize("name", ["everything", slowly("free programme"), "resale", slowly("limits")])
def test_no_planner_beats_perfect_information_on_any_path(name: str) -> None:
    text = text_of(*CASES[name])
    judged = tried(*CASES[name], gates=True)
    for solved in choice_of(text, True).ways:
        least = perfect_information(prepared_of(text), solved, paths=PATHS, checked=PATHS)
        assert np.all(judged.ways[solved.name].cost_usd >= least * (1.0 - 1e-9))


def by_rule(prepared: Prepared, solved: SolvedWay, seed: int) -> Array:
    """Cost of the merit-order rule on the paths of `along`."""
    blocks = blocks_of(prepared, (), paths=PATHS, seed=seed, branches=1, margin=np.ones((1, 1, 1)))
    return np.concatenate([work(FreshBlock(
        prepared=prepared, commitment=solved.plan.commitment, policy=solved.policy,
        planned=solved.plan.problem, result=solved.result, number=block.number, count=block.count,
        seed=seed)).cost_usd for block in blocks])


@pytest.mark.parametrize("name", ["everything", slowly("dear lines")])
def test_the_planner_is_never_dearer_than_the_rule_in_the_mean(name: str) -> None:
    """Over several seeds of paths, beyond two standard errors."""
    text = text_of(*CASES[name])
    for solved in choice_of(text).ways:
        if solved.name not in ("buy", "diversify"):
            continue
        plan = np.concatenate([along(prepared_of(text), [decided(solved)], seed)[0] for seed in SEEDS])
        rule = np.concatenate([by_rule(prepared_of(text), solved, seed) for seed in SEEDS])
        assert not is_dearer(plan, rule)


# the same question, the same answer


def test_the_same_seed_gives_the_same_paths_and_another_another() -> None:
    text = text_of()
    again = judge(prepared_of(text), choice_of(text), quick(PATHS), pool=Here())
    other = tried(seed=77)
    for way in WAYS:
        assert again.ways[way].cost_usd.tobytes() == costs(tried())[way].tobytes()
        assert not np.array_equal(costs(other)[way], costs(tried())[way])
    assert again.best == tried().best


@pytest.mark.slow
@pytest.mark.parametrize("edit", [
    renamed("lines", "amd-owned", "amd2"), backwards("lines"), backwards("pools"), backwards("shocks"),
], ids=["amd2", "lines", "pools", "shocks"])
def test_the_reference_case_knows_no_names_and_no_order(edit: Edit) -> None:
    base = reference_cut()
    assert same(tried(base=base), tried(edit, base=base))


@pytest.mark.slow
@pytest.mark.parametrize("branches", [1, 2])
def test_no_way_of_the_reference_case_with_more_options_costs_more(branches: int) -> None:
    judged = tried(base=reference_cut(), paths=20, branches=branches, gates=True)
    for wide, narrow in (("diversify", "buy"), ("portfolio", "diversify"), ("portfolio", "partner")):
        apart, error = judged.difference(wide, narrow)
        assert apart <= 2.0 * error + 1e-9 * judged.total_usd[narrow].mean()


# keys that say what holds without them

SECOND_CHAT = (
    put("loads.small", {**SMALL["loads"]["chat"], "share": {"value": 0.4}}),
    put("loads.small.unserved_price", {"value": 0.01}))


@pytest.mark.parametrize(("base", "neutral"), [
    ((), put("supply.scarce_again", {"value": 0})),
    ((), put("loads.training.growth_long_run", SMALL["demand"]["growth_long_run"])),
    ((), put("loads.training.growth_fade", SMALL["demand"]["growth_fade"])),
    (SECOND_CHAT, put("loads.small", {
        **SMALL["loads"]["chat"], "unserved_price": {"value": 0.01}, "share": {"value": 0.4},
        "share_later": {"value": 0.4}, "share_time": {"value": 1}})),
], ids=["no chance of new scarcity", "growth as demand", "fading as demand", "a share that stays"])
def test_a_key_that_says_what_holds_anyway_costs_the_same(base: tuple[Edit, ...], neutral: Edit) -> None:
    usual, stated = costs(tried(*PLAIN, *base)), costs(tried(*PLAIN, *base, neutral))
    assert all(np.array_equal(stated[way], usual[way]) for way in usual)


@pytest.mark.parametrize(("base", "telling"), [
    ((put("supply.normal_duration", {"value": 240}), put("supply.scarce_at_start", {"value": 0})),
     put("supply.scarce_again", {"value": 1})),
    ((), put("loads.training.growth_fade", {"value": 10})),
], ids=["new scarcity", "a slower fading"])
def test_more_scarcity_and_more_training_are_dearer(base: tuple[Edit, ...], telling: Edit) -> None:
    usual, stated = (tried(*PLAIN, *base, *edits, paths=20) for edits in ((), (telling,)))
    for way, total in usual.total_usd.items():
        assert stated.total_usd[way].mean() > total.mean(), way


def test_two_training_loads_of_half_the_work_are_one_of_the_whole() -> None:
    """Certain numbers, so that both halves go the same way, and cost together what the whole did;
    which of the two goes short first is no matter."""
    training = {key: {"value": item["mode"]} if "mode" in item else item
                for key, item in SMALL["loads"]["training"].items() if key != "kind"}
    half = {"kind": "training", **training, "flop": {"value": training["flop"]["value"] / 2}}
    one = tried(*PLAIN, drop("correlations"), put("loads.training", {"kind": "training", **training}))
    two = tried(*PLAIN, drop("correlations"), put("loads.training", half), put("loads.experiments", half))
    for name, way in two.ways.items():
        np.testing.assert_allclose(way.cost_usd, one.ways[name].cost_usd, rtol=1e-6)
        cost, whole = (dict(zip(item.loads, item.by_load @ item.discount, strict=True))
                       for item in (way, one.ways[name]))
        assert set(cost) == {"chat", "training", "experiments"}
        assert cost["experiments"].all()
        np.testing.assert_allclose(
            cost["experiments"] + cost["training"], whole["training"], rtol=1e-6)
