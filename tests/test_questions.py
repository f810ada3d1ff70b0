"""What the answer is asked, against hand calculations, closed forms and laws that any answer must
keep."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from fabless.case_records import Programme, modes, named
from fabless.catalogue import load
from fabless.catalogue.case.case import read_case
from fabless.decide.detail import DETAILS
from fabless.decide.questions import break_even, options, sobol
from fabless.decide.questions.break_even import flips, relative_performance, surface
from fabless.decide.questions.knowledge import foresight, knowledge_values
from fabless.decide.questions.options import EVERYTHING, option_values
from fabless.decide.questions.regret import regret_table
from fabless.decide.questions.resilience import FIRST, GONE, resilience
from fabless.decide.questions.stability import TIE, stability
from fabless.decide.ways.gates import carried_through, followed
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import Plan, World, draw_world, plan_of, world_with_ranges
from fabless.decide.ways.restricted import closed, interrupted, with_orders_held
from fabless.decide.ways.solved import SolvedWay, roughly_solved, solved_plan
from fabless.records import Range
from fabless.sampling import plain_stream, quantile
from fabless.strategy import Commitment, commitments
from fabless.units import QUARTER_S
from here import Here

SMALL = (4, 2, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = replace(read_case(), branching=SMALL)
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def here(prepared: Prepared) -> World:
    return draw_world(prepared)


@pytest.fixture(scope="module")
def lines(prepared: Prepared) -> Commitment:
    return Commitment(tuple(line for line in prepared.case.lines if line.vendor in ("Nvidia", "AMD")), ())


@pytest.fixture(scope="module")
def best(here: World, lines: Commitment) -> SolvedWay:
    return solved_plan(here, "diversify", plan_of(here, lines))


@pytest.fixture(scope="module")
def pool() -> Executor:
    return Here()


@pytest.fixture(scope="module")
def few(prepared: Prepared) -> World:
    """The case on three scenarios."""
    return draw_world(prepared, branching=(3, 1, 1, 1, 1, 1))


@pytest.fixture(scope="module")
def vendor(prepared: Prepared) -> Commitment:
    return Commitment(tuple(line for line in prepared.case.lines if line.vendor == prepared.case.dominant_vendor), ())


def objective(here: World, chosen: Commitment) -> float:
    return abs(solved_plan(here, "", plan_of(here, chosen)).result.objective_usd)


def co_design(prepared: Prepared) -> Programme:
    return next(one for one in prepared.case.programmes if one.route == "co-design")


def test_a_closed_pool_takes_no_order_before_it_opens(here: World, lines: Commitment) -> None:
    name = lines.lines[0].name
    plan = closed(plan_of(here, lines), {name}, 6)
    result = solved_plan(here, "", plan).result
    mine = [offer.pool.line == name for offer in plan.offers]
    early = plan.problem.tree.quarter < 6
    assert result.orders[mine][:, early].sum() == 0.0
    assert result.orders[mine][:, ~early].sum() > 0.0


def test_holding_the_orders_of_a_plan_changes_nothing(here: World, best: SolvedWay) -> None:
    again = solved_plan(here, "", with_orders_held(best.plan, best.result.orders, best.result.levels, 5))
    assert again.result.objective_usd == pytest.approx(best.result.objective_usd, rel=1e-7)


def test_an_interruption_moves_deliveries_to_its_end_and_leaves_other_vendors_alone(here: World, lines: Commitment) -> None:
    plan = plan_of(here, lines)
    struck = interrupted(plan, "Nvidia", FIRST, GONE)
    theirs = np.array([offer.vendor == "Nvidia" for offer in plan.offers])
    due = plan.problem.tree.quarter + plan.problem.lead_quarters
    after = struck.problem.tree.quarter + struck.problem.lead_quarters
    placed = plan.problem.tree.quarter < FIRST
    waiting = placed & (due >= FIRST) & (due < FIRST + GONE)
    assert waiting[theirs].any()
    assert (after[theirs][waiting[theirs]] == FIRST + GONE).all()
    assert np.array_equal(after[~theirs], due[~theirs])
    assert np.array_equal(after[theirs][~waiting[theirs]], due[theirs][~waiting[theirs]])
    gone = (plan.problem.tree.quarter >= FIRST) & (plan.problem.tree.quarter < FIRST + GONE)
    assert not struck.problem.available[theirs][:, gone].any()


def test_regret_by_hand() -> None:
    """Four paths of two quarters; demand rises from path to path, supply is short on the last two."""
    shown = {"wanted": np.array([[0.5, 0.5], [1.0, 1.0], [1.0, 2.0], [2.0, 2.0]]),
             "scarce": np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])}
    ways = {name: SimpleNamespace(cost_usd=np.array(cost), **shown)
            for name, cost in (("one", [1.0, 2.0, 3.0, 10.0]), ("two", [2.0, 2.0, 2.0, 4.0]))}
    one, two = regret_table(SimpleNamespace(ways=ways, best="two"))  # type: ignore[arg-type]
    assert dict(one.mean_usd) == {
        "low demand": 0.0, "middling demand": 0.5, "high demand": 6.0, "supply soon normal": 0.0,
        "supply long scarce": 6.0}
    assert dict(two.mean_usd) == {
        "low demand": 1.0, "middling demand": 0.0, "high demand": 0.0, "supply soon normal": 1.0,
        "supply long scarce": 0.0}
    assert (one.worst_usd, two.worst_usd) == (6.0, 1.0)


def test_no_option_is_worth_less_than_nothing_and_waiting_on_all_costs_most(
    here: World, lines: Commitment, pool: Executor
) -> None:
    rows = option_values(here, lines, pool)
    everything = rows[-1]
    scale = 1e-6 * objective(here, lines)
    assert everything.name == EVERYTHING
    for row in rows[:-1]:
        assert row.delayed_usd >= -scale
        assert row.delayed_usd <= everything.delayed_usd + scale
    without_port = [row for row in rows[:-1] if "amd" not in row.name]
    assert all(row.removed_usd is not None and row.removed_usd >= row.delayed_usd - scale for row in without_port)


def test_waiting_closes_an_option_for_four_quarters(
    here: World, lines: Commitment, pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each quarter in which a line takes orders saves a dollar, waiting a year costs four,
    going without costs all."""
    tree, name = here.scenarios.tree, "nvidia-owned"

    def counted(_: World, __: str, plan: Plan) -> SimpleNamespace:
        mine = [offer.pool.line == name for offer in plan.offers]
        taking = plan.problem.available[mine].any(axis=0)
        return SimpleNamespace(result=SimpleNamespace(objective_usd=-float(tree.probability @ taking)))

    monkeypatch.setattr(options, "solved_plan", counted)
    found = {row.name: (row.removed_usd, row.delayed_usd) for row in option_values(here, lines, pool)}
    assert found.pop(name) == pytest.approx((32.0, 4.0))
    assert found.pop(EVERYTHING) == (None, pytest.approx(4.0))
    assert set(found.values()) == {(0.0, 0.0)}


def test_foresight_is_bracketed(best: SolvedWay) -> None:
    found = foresight(best)
    assert found.wait_and_see_usd <= found.objective_usd <= found.mean_value_usd
    assert found.evpi_usd >= 0.0
    assert found.vss_usd >= 0.0


def test_knowing_one_thing_is_worth_something_unless_it_is_certain(
    here: World, lines: Commitment, pool: Executor
) -> None:
    certain = next(name for name, number in named(here.case.numbers).items()
                   if number.spread.low == number.spread.high > 0.0)
    # only the orders of the first quarter are at stake: how much is asked moves them
    rows = knowledge_values(here, lines, ("demand.growth", "demand.queries", certain), pool)
    worth = {row.name: row.value_usd for row in rows}
    assert list(worth.values()) == sorted(worth.values(), reverse=True)
    assert worth["demand.queries"] > 1e6
    assert min(worth.values()) >= -1e-6 * objective(here, lines)
    assert worth[certain] == pytest.approx(0.0, abs=1e-6 * objective(here, lines))


def test_losing_the_vendor_never_helps(here: World, prepared: Prepared, lines: Commitment, pool: Executor) -> None:
    buy = commitments(prepared.case, "buy")[0]
    alone, both = resilience(here, [("buy", buy), ("diversify", lines)], pool)
    assert alone.cost_usd >= -1e-6 * abs(alone.cost_usd)
    assert alone.missing_after >= alone.missing_before - 1e-9
    assert both.missing_after <= alone.missing_after + 1e-9


def test_the_surface_rises_with_volume_and_performance_and_falls_with_slip(
    few: World, prepared: Prepared, vendor: Commitment, pool: Executor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(break_even, "VOLUMES", (1.0, 4.0))
    monkeypatch.setattr(break_even, "RELATIVE", (0.4, 1.2))
    monkeypatch.setattr(break_even, "SLIPS", (1.0, 2.5))
    item = co_design(prepared)
    found = surface(few, vendor, item, pool)
    assert found is not None
    assert found.planned == relative_performance(few, item)
    value = np.array(found.value_usd)
    assert value.shape == (2, 2, 2)
    assert (np.diff(value, axis=0) > 0.0).all()
    assert (np.diff(value, axis=1) > 0.0).all()
    assert (np.diff(value, axis=2) < 0.0).all()
    assert value.min() < 0.0 < value.max()


def test_relative_performance_by_hand(few: World, prepared: Prepared) -> None:
    """Planned queries a second over those of the newest part that the vendor ships by the median
    quarter of volume."""
    item = co_design(prepared)
    line = next(line for line in prepared.case.lines if line.vendor == prepared.case.dominant_vendor and line.how == "buy")
    mode = modes(prepared.case.numbers).lines[line.name]
    volume_s = prepared.simulated[item.name].summary.volume_month.p50 * QUARTER_S / 3.0  # type: ignore[union-attr]
    shipped = [mode.successor_first + k * mode.successor_gap for k in range(line.successors)]
    gain = mode.successor_gain ** sum(date <= volume_s for date in shipped)
    does = prepared.throughput
    expected = does[item.chip.name].per_second["chat"] / (does[line.chip.name].per_second["chat"] * gain)
    assert relative_performance(few, item) == pytest.approx(expected)


@pytest.mark.slow
def test_a_flip_lies_between_points_of_opposite_sign(
    prepared: Prepared, vendor: Commitment, pool: Executor
) -> None:
    """Against plans in which the programme is dealt out to the leaves and carried through: enough
    of them that its luck is that of its odds."""
    item = co_design(prepared)
    own = f"programmes.{item.name}"
    near = {f"{own}.performance": Range(0.8, 1.3, 1.7)}  # near to paying, so that time can turn it
    many = world_with_ranges(draw_world(prepared, branching=(16,)), near)
    found = {flip.name: flip for flip in flips(many, vendor, (item,), (), pool)}
    assert found[f"{own}.performance"].pays_above
    assert not found[f"{own}.slip"].pays_above
    without = objective(many, vendor)

    def value(name: str, point: float) -> float:
        there = world_with_ranges(many, {name: Range.point(point)})
        plan = carried_through(plan_of(there, replace(vendor, programmes=(item,))))
        return without - solved_plan(there, "", plan).result.objective_usd

    for name in (f"{own}.performance", f"{own}.slip"):
        below, above = (value(name, factor * found[name].value) for factor in (0.6, 1.6))
        assert (below < 0.0 < above) if found[name].pays_above else (above < 0.0 < below)


def test_a_policy_followed_on_its_own_tree_is_itself(here: World, prepared: Prepared, lines: Commitment) -> None:
    item = prepared.case.programmes[0]
    solved = solved_plan(here, "", plan_of(here, replace(lines, programmes=(item,))))
    assert np.array_equal(followed(solved.policy, here, solved.plan), solved.policy.go)


def ishigami(points: np.ndarray) -> np.ndarray:
    """``sin x + 7 sin^2 y + 0.1 z^4 sin x`` on the cube of side 2 pi about 0, at points of the unit
    cube."""
    x, y, z = ((2.0 * points - 1.0) * np.pi).T
    return np.sin(x) + 7.0 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def ishigami_shares(base: int) -> sobol.Shares:
    outputs = np.array([ishigami(points) for points in sobol.design(3, base, 2023)])
    return sobol.variance_shares(outputs, plain_stream(2023))


def test_sobol_indices_of_ishigami_meet_their_closed_form() -> None:
    """``V = 49/8 + 0.1 pi^4/5 + 0.01 pi^8/18 + 1/2``; z has a share through its product with x
    alone."""
    variance = 49.0 / 8.0 + 0.02 * np.pi**4 + 0.01 * np.pi**8 / 18.0 + 0.5
    x, y, together = 0.5 * (1.0 + 0.02 * np.pi**4) ** 2, 49.0 / 8.0, 8.0 * 0.01 * np.pi**8 / 225.0
    found = ishigami_shares(2**15)
    assert np.array([x, y, 0.0]) / variance == pytest.approx([0.3139, 0.4424, 0.0], abs=5e-5)
    assert found.first == pytest.approx([0.3139, 0.4424, 0.0], abs=2e-4)
    assert found.total == pytest.approx(np.array([x + together, y, together]) / variance, abs=2e-4)


def test_sobol_indices_are_those_of_salib_at_the_same_points() -> None:
    """Figures of SALib 1.6.0, which drew the points and took the indices before: at 64 points its
    errors are visible."""
    found = ishigami_shares(64)
    assert found.first == pytest.approx([0.36802058, 0.48385208, 0.03159166], abs=1e-8)
    assert found.total == pytest.approx([0.51272046, 0.45367492, 0.27825868], abs=1e-8)
    assert found.first_error == pytest.approx([0.21099985, 0.21416845, 0.24604933], abs=1e-8)
    assert found.total_error == pytest.approx([0.35507836, 0.15534174, 0.12863162], abs=1e-8)


def test_sobol_indices_are_those_of_scipy_at_the_same_points() -> None:
    first, *swapped, second = (ishigami(points)[None] for points in sobol.design(3, 4096, 2023))
    found = stats.sobol_indices(func={"f_A": first, "f_B": second, "f_AB": np.array(swapped)}, n=4096)
    assert ishigami_shares(4096).first == pytest.approx(found.first_order, abs=1e-4)
    assert ishigami_shares(4096).total == pytest.approx(found.total_order, abs=1e-4)


def test_the_interval_of_a_sobol_index_covers_the_truth_and_narrows_with_the_root_of_the_points() -> None:
    coarse, fine = ishigami_shares(256), ishigami_shares(4096)
    for truth, share, error in zip((0.3139, 0.4424, 0.0), fine.first, fine.first_error, strict=True):
        assert abs(share - truth) < error
    assert coarse.total_error / fine.total_error == pytest.approx([4.0] * 3, rel=0.3)


def test_an_output_that_never_varies_has_no_shares() -> None:
    found = sobol.variance_shares(np.full((4, 16), 0.1), plain_stream(1))
    for part in (found.first, found.first_error, found.total, found.total_error):
        assert part.tolist() == [0.0, 0.0]


def test_sobol_indices_of_a_product_of_powers(monkeypatch: pytest.MonkeyPatch, prepared: Prepared) -> None:
    """The logarithm of x^2 y is additive: indices are the shares of 4 Var(log x) and Var(log y)."""
    names = ("demand.queries", "demand.growth", "demand.work_level")

    def costs(_: Prepared, __: object, *, paths: int, values: dict[str, np.ndarray], **___: object) -> SimpleNamespace:
        assert all(value.shape == (paths,) for value in values.values())
        return SimpleNamespace(query_cost_usd=values[names[0]] ** 2 * values[names[1]])

    monkeypatch.setattr(sobol, "rule_costs", costs)
    rows = sobol.sobol_indices(prepared, None, names, 4096, Here())  # type: ignore[arg-type]
    grid = (np.arange(200_000) + 0.5) / 200_000
    x, y = (np.log(quantile(named(prepared.case.numbers)[name].spread, grid)).var() for name in names[:2])
    found = {row.name: row for row in rows}
    assert found[names[0]].first == pytest.approx(4 * x / (4 * x + y), abs=0.02)
    assert found[names[1]].total == pytest.approx(y / (4 * x + y), abs=0.02)
    assert abs(found[names[2]].total) < 0.01


def test_seeds_are_drawn_again_and_counted(prepared: Prepared, lines: Commitment, pool: Executor) -> None:
    chosen = (("diversify", lines), ("buy", commitments(prepared.case, "buy")[0]))
    found = stability(prepared, (3, 1, 1, 1), chosen, "diversify", 3, pool)
    assert found.seeds == (2024, 2025, 2026)
    assert len(found.rankings) == 3
    for seed, ranking in zip(found.seeds, found.rankings, strict=True):
        here = draw_world(replace(prepared, case=replace(prepared.case, seed=seed)), branching=(3, 1, 1, 1, 1, 1))
        dear = {name: roughly_solved(here, name, (way,)).result.objective_usd for name, way in chosen}
        best, other = sorted(dear, key=lambda name: dear[name])
        tied = dear[other] - dear[best] <= TIE * dear[other]
        assert ranking == (("diversify = buy",) if tied else (best, other))
    assert found.cost_per_query_usd.p10 < found.cost_per_query_usd.p90


def test_details_rise_in_work() -> None:
    quick, standard, deep = (DETAILS[name] for name in ("quick", "standard", "deep"))
    assert quick.paths < standard.paths < deep.paths
    assert not quick.small
    assert not quick.explore
    assert standard.explore
    assert deep.explore
    assert standard.seeds >= 10
