"""Scenarios against closed forms, matrix powers and distribution functions written elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ndtr, ndtri
from scipy.stats import triang

from fabless.case_numbers import ShockNumbers
from fabless.case_records import Case, CaseNumber, Shock, correlation_name, named, with_ranges
from fabless.catalogue import load
from fabless.catalogue.case.case import read_case
from fabless.decide.ways.prepare import DRAWS, Prepared, prepare, programme_model_of
from fabless.errors import BadValue
from fabless.market import of_generation
from fabless.programme import simulate
from fabless.records import Array, Grade, Range
from fabless.sampling import quantile, stream
from fabless.scenario import OutcomeOnTree, Scenarios, balanced_tree, chain_tree, fresh_paths, outcome_on_tree, sample
from fabless.scenario.draws import queries_per_day
from fabless.scenario.news import by_generation, kept_share, kinds_of, known_share
from fabless.scenario.programmes import NEVER
from fabless.units import DAY_S, QUARTER_S, YEAR_S


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    case = read_case()
    return prepare(case, load(case.as_of))


@pytest.fixture(scope="module")
def wide(prepared: Prepared) -> tuple[Case, Scenarios]:
    """A wide tree: 64 branches first, then two and two."""
    case = replace(prepared.case, branching=(64, 2, 2, 1, 1, 1))
    return case, sample(case)


def without_news(case: Case) -> Case:
    """Every number certain."""
    return with_ranges(case, {name: Range.point(number.spread.mode) for name, number in named(case.numbers).items()})


def mode(case: Case, name: str) -> float:
    return named(case.numbers)[name].spread.mode


def law(spread: Range, values: Array) -> Array:
    """Distribution function of a range, from scipy."""
    low, middle, high = spread.low, spread.mode, spread.high
    if spread.scale == "log":
        low, middle, high, values = np.log(low), np.log(middle), np.log(high), np.log(values)
    return np.asarray(triang(c=(middle - low) / (high - low), loc=low, scale=high - low).cdf(values))


def chain_of(normal_s: float, scarce_s: float) -> Array:
    """Transition matrix of scarcity from its mean durations, in words of the textbook."""
    enter, leave = QUARTER_S / normal_s, QUARTER_S / scarce_s
    return np.array([[1.0 - enter, enter], [leave, 1.0 - leave]])


def fading(initial: float, final: float, fade_s: float, quarters: int) -> Array:
    """Multiple by quarter of what grows by `initial` a year at first and by `final` in the long
    run."""
    years, tau = np.arange(quarters) / 4.0, fade_s / YEAR_S
    return np.exp(np.log(final) * years + np.log(initial / final) * tau * (1.0 - np.exp(-years / tau)))


def test_trees_refuse_what_is_no_tree() -> None:
    assert chain_tree(3).parent.tolist() == [-1, 0, 1]
    with pytest.raises(BadValue, match="sum to 1"):
        balanced_tree((2,), (1, 1), [(0.5, 0.6)])
    with pytest.raises(BadValue, match="one stage more"):
        balanced_tree((2, 2), (1, 1))


def test_demand_without_news_is_the_fading_growth_of_the_market(prepared: Prepared) -> None:
    case = replace(with_ranges(without_news(prepared.case), {"demand.ceiling": Range.point(1e30)}), shocks=())
    found = sample(case)
    expected = (
        mode(case, "demand.queries")
        * QUARTER_S
        * fading(
            mode(case, "demand.growth"), mode(case, "demand.growth_long_run"),
            mode(case, "demand.growth_fade"), case.quarters,
        )
    )
    total = queries_per_day(found, case) * QUARTER_S / DAY_S
    np.testing.assert_allclose(total, expected[found.tree.quarter], rtol=1e-12)


def test_demand_under_a_ceiling_solves_the_logistic_equation(prepared: Prepared) -> None:
    case = replace(without_news(prepared.case), shocks=())
    initial, final = (np.log(mode(case, f"demand.{key}")) for key in ("growth", "growth_long_run"))
    fade, ceiling = mode(case, "demand.growth_fade") / YEAR_S, mode(case, "demand.ceiling")
    solved = solve_ivp(
        lambda t, q: (final + (initial - final) * np.exp(-t / fade)) * q * (1.0 - q / ceiling),
        (0.0, 8.0), [mode(case, "demand.queries")], t_eval=np.arange(case.quarters) / 4.0,
        rtol=1e-10, atol=1e-8,
    )
    found = sample(case)
    np.testing.assert_allclose(queries_per_day(found, case), DAY_S * solved.y[0][found.tree.quarter], rtol=1e-7)


def test_training_and_work_fade_likewise(prepared: Prepared) -> None:
    case = without_news(prepared.case)
    found = sample(case)
    fade = mode(case, "demand.growth_fade")
    training = mode(case, "loads.training.flop") * fading(
        mode(case, "loads.training.growth"), mode(case, "loads.training.growth_long_run"),
        mode(case, "loads.training.growth_fade"), case.quarters,
    )
    work = mode(case, "demand.work_level") * fading(
        mode(case, "demand.work_trend"), 1.0, fade, case.quarters
    )
    np.testing.assert_allclose(found.demand["training"], training[found.tree.quarter], rtol=1e-12)
    np.testing.assert_allclose(found.work, work[found.tree.quarter], rtol=1e-12)


def test_shares_of_queries_add_up(wide: tuple[Case, Scenarios]) -> None:
    _, found = wide
    total = found.demand["chat"] + found.demand["frontier"]
    now, later, time_s = (
        found.draws.at_nodes(f"loads.chat.{key}") for key in ("share", "share_later", "share_time")
    )
    share = later + (now - later) * np.exp(-found.tree.quarter * QUARTER_S / time_s)
    np.testing.assert_allclose(found.demand["chat"] / total, share, rtol=1e-12)


def test_demand_never_passes_its_ceiling(wide: tuple[Case, Scenarios]) -> None:
    case, found = wide
    assert np.all(queries_per_day(found, case) <= found.draws.at_nodes("demand.ceiling") * DAY_S * (1 + 1e-12))


def without_again(case: Case) -> Case:
    """The case with scarcity that no coming generation brings."""
    supply = replace(case.numbers.supply, scarce_again=None)
    return replace(case, numbers=replace(case.numbers, supply=supply))


def test_scarcity_is_the_power_of_the_matrix_since_the_last_branching(wide: tuple[Case, Scenarios]) -> None:
    case = without_again(wide[0])
    found = sample(case)
    table = found.tree.ancestors()
    begin = np.array([0, *case.boundaries])[found.stage]
    normal, scarce = (found.draws.at_nodes(f"supply.{key}_duration") for key in ("normal", "scarce"))
    for k in range(found.tree.size):
        seen = found.scarce[table[k, begin[k]]]
        assert found.stage[k] == 0 or seen in (0.0, 1.0)
        chain = chain_of(normal[k], scarce[k])
        odds = np.array([1.0 - seen, seen]) @ np.linalg.matrix_power(chain, int(found.tree.quarter[k] - begin[k]))
        assert found.scarce[k] == pytest.approx(odds[1], abs=1e-12)


def test_share_of_scarce_branches_meets_the_chain(wide: tuple[Case, Scenarios]) -> None:
    case, _ = wide
    case = without_news(case)
    found = sample(case)
    chain = chain_of(mode(case, "supply.normal_duration"), mode(case, "supply.scarce_duration"))
    first = found.tree.quarter == case.boundaries[0]
    odds = (np.array([0.0, 1.0]) @ np.linalg.matrix_power(chain, case.boundaries[0]))[1]
    assert found.scarce[first].mean() == pytest.approx(odds, abs=1 / 64)


def median(number: CaseNumber) -> float:
    return float(quantile(number.spread, 0.5))


def test_before_the_first_branching_everything_stands_at_its_median(wide: tuple[Case, Scenarios]) -> None:
    case, found = wide
    early = found.tree.quarter < case.boundaries[0]
    for name, number in named(case.numbers).items():
        np.testing.assert_allclose(found.draws.at_nodes(name)[early], median(number), rtol=1e-12, err_msg=name)


def test_each_belief_is_stratified_over_the_first_branching(wide: tuple[Case, Scenarios]) -> None:
    """What is learnt gradually spreads by the share that is known by then, all else in full."""
    case, found = wide
    kinds, share = kinds_of(case), float(known_share(case.boundaries[0], case.learning_s))
    first = found.tree.quarter == case.boundaries[0]
    moved = {name: number for name, number in named(case.numbers).items() if number.spread.low < number.spread.high}
    assert len(moved) > 100
    for name, number in moved.items():
        score = ndtri(law(number.spread, found.draws.at_nodes(name)[first]))
        scale = share**0.5 if kinds[name] == "gradual" else 1.0
        slices = np.floor(64 * ndtr(score / scale)).astype(int)
        assert sorted(slices.tolist()) == list(range(64)), name


def test_what_is_known_stays_and_all_else_moves_at_branchings_alone(wide: tuple[Case, Scenarios]) -> None:
    case, found = wide
    kinds = kinds_of(case)
    tree = found.tree
    above = np.maximum(tree.parent, 0)
    within = (found.stage == found.stage[above])
    later = ~within & (found.stage > 1)
    for name in named(case.numbers):
        values = found.draws.at_nodes(name)
        assert np.array_equal(values[within], values[above][within]), name
        if named(case.numbers)[name].spread.low < named(case.numbers)[name].spread.high and kinds[name] in (
            "moves", "gradual"
        ):
            assert not np.any(values[later] == values[above][later]), name
        else:
            assert np.array_equal(values[later], values[above][later]), name


def test_growth_keeps_its_persistence(wide: tuple[Case, Scenarios]) -> None:
    case, found = wide
    second = found.tree.quarter == case.boundaries[1]
    rho = float(kept_share(case.boundaries[1] - case.boundaries[0], case.persistence))
    for name in sorted(name for name, kind in kinds_of(case).items() if kind == "moves"):
        score = ndtri(law(named(case.numbers)[name].spread, found.draws.at_nodes(name)))
        before, after = score[found.tree.parent[second]], score[second]
        assert np.corrcoef(before, after)[0, 1] == pytest.approx(rho, abs=0.1), name


def test_same_seed_same_bytes_another_seed_other_bytes(prepared: Prepared) -> None:
    case = replace(prepared.case, branching=(8, 2, 1, 1, 1, 1))
    one, two, other = sample(case), sample(case), sample(replace(case, seed=case.seed + 1))
    for name, number in named(case.numbers).items():
        assert one.draws.at_nodes(name).tobytes() == two.draws.at_nodes(name).tobytes()
        if number.spread.low < number.spread.high:
            assert one.draws.at_nodes(name).tobytes() != other.draws.at_nodes(name).tobytes(), name
    assert one.scarce.tobytes() == two.scarce.tobytes()
    assert one.work.tobytes() == two.work.tobytes()


def test_another_range_leaves_every_other_draw_as_it_was(prepared: Prepared) -> None:
    case = replace(prepared.case, branching=(8, 2, 1, 1, 1, 1))
    changed = "lines.amd-owned.efficiency"
    old = named(case.numbers)[changed].spread
    wider = Range(0.5 * old.low, old.mode, 3.0 * old.high)
    one, two = sample(case), sample(with_ranges(case, {changed: wider}))
    for name in named(case.numbers):
        assert (one.draws.at_nodes(name).tobytes() == two.draws.at_nodes(name).tobytes()) == (name != changed), name
    late = one.stage > 0
    before, after = (found.draws.at_nodes(changed)[late] for found in (one, two))
    np.testing.assert_allclose(law(old, before), law(wider, after), atol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "demand.growth", "demand.queries", "supply.scarce_duration", "loads.training.growth",
        "lines.amd-owned.efficiency",
    ],
)
def test_drawing_only_what_changed_gives_the_same_bytes(prepared: Prepared, name: str) -> None:
    case = replace(prepared.case, branching=(8, 2, 1, 1, 1, 1))
    other = with_ranges(case, {name: Range.point(named(case.numbers)[name].spread.high)})
    fresh, reused = sample(other), sample(other, like=sample(case), changed=(name,))
    for key in named(case.numbers):
        assert fresh.draws.at_nodes(key).tobytes() == reused.draws.at_nodes(key).tobytes(), key
    for one, two in ((fresh.scarce, reused.scarce), (fresh.work, reused.work),
                     *((fresh.demand[load_], reused.demand[load_]) for load_ in fresh.demand)):
        assert one.tobytes() == two.tobytes()


@pytest.fixture(scope="module")
def fresh(prepared: Prepared) -> Scenarios:
    return fresh_paths(prepared.case, 4000, 77)


def moments(found: Scenarios, values: Array) -> tuple[Array, Array]:
    """Mean of `values` by quarter, and the standard error of it if every node of a quarter is a
    draw."""
    quarter, weight = found.tree.quarter, found.tree.probability
    middle = np.bincount(quarter, weights=weight * values)
    spread = np.bincount(quarter, weights=weight * (values - middle[quarter]) ** 2)
    return middle, np.sqrt(spread / np.bincount(quarter))


def test_fresh_paths_carry_states_that_flip_as_the_chain_says(prepared: Prepared, fresh: Scenarios) -> None:
    tree = fresh.tree
    assert (tree.size, tree.leaves.size) == (32 * 4000, 4000)
    for states in (fresh.scarce, *fresh.shock_chance.values()):
        assert set(np.unique(states)) <= {0.0, 1.0}
    sure = replace(without_again(without_news(prepared.case)), shocks=())
    found = fresh_paths(sure, 4000, 5)
    chain = chain_of(mode(sure, "supply.normal_duration"), mode(sure, "supply.scarce_duration"))
    later = found.tree.quarter > 1
    before, after = found.scarce[found.tree.parent[later]].astype(int), found.scarce[later]
    for state in (0, 1):
        here = after[before == state]
        odds = chain[state, 1]
        assert abs(here.mean() - odds) < 4 * np.sqrt(odds * (1 - odds) / here.size)


def test_the_tree_and_fresh_paths_have_the_same_means(prepared: Prepared, fresh: Scenarios) -> None:
    """Scarcity, shocks, demand and the price multiple of both: what one averages the other
    realises, after the first quarter, in which the tree stands at the median."""
    case = replace(prepared.case, branching=(2048, 1, 1, 1, 1, 1), seed=1)
    tree = sample(case)

    def price(found: Scenarios) -> Array:
        multiple = 1.0 + found.scarce * (found.draws.at_nodes("supply.scarce_price") - 1.0)
        return multiple * (1.0 + found.shock_chance["disruption"] * (found.draws.at_nodes("shocks.disruption.price") - 1.0))

    for pick in (
        lambda found: found.scarce, price, lambda found: queries_per_day(found, case),
        lambda found: found.demand["training"], lambda found: found.shock_chance["export-rule"],
    ):
        (one, error), (other, error_too) = moments(tree, pick(tree)), moments(fresh, pick(fresh))
        assert np.all((np.abs(one - other) <= 4.5 * np.hypot(error, error_too) + 1e-9 * np.abs(one))[1:])
    wrong = moments(fresh, 1.2 * price(fresh))[0]
    assert np.any(np.abs(moments(tree, price(tree))[0] - wrong) > 0.1)


def test_numbers_bring_their_news_along_fresh_paths_as_their_kind_says(prepared: Prepared, fresh: Scenarios) -> None:
    """What is unknown today is in force from the start; what is learnt has the spread of what is
    known by then; a rate has its whole spread from the first news on."""
    case, kinds = prepared.case, kinds_of(prepared.case)
    even = (np.arange(4000) + 0.5) / 4000
    for name, number in named(case.numbers).items():
        if number.spread.low == number.spread.high:
            continue
        rows = fresh.draws.at_nodes(name if kinds[name] != "generation" else of_generation(name, 1))
        rows = (rows[0] if rows.ndim > 1 else rows).reshape(case.quarters, -1)
        if kinds[name] == "today":
            assert np.all(rows == rows[0]), name
        else:
            np.testing.assert_allclose(rows[0], median(number), rtol=1e-12, err_msg=name)
        for quarter in (1, 12, 31):
            share = float(known_share(quarter, case.learning_s)) if kinds[name] == "gradual" else 1.0
            points = ndtr(ndtri(law(number.spread, rows[quarter])) / share**0.5)
            assert np.abs(np.sort(points) - even).max() < 0.03, (name, quarter)


def with_shock(case: Case, rate: float, **terms: float) -> Case:
    """A case with one shock of a certain rate [1/s]."""
    source = case.numbers.demand.growth.source
    values = {"rate": rate, "duration": 4 * QUARTER_S, **terms}
    numbers = ShockNumbers(
        **{
            key: CaseNumber(
                name=f"shocks.it.{key}", spread=Range.point(value), unit="1",
                grade=Grade.ASSUMPTION, source=source,
            )
            for key, value in values.items()
        }
    )
    return replace(case, shocks=(Shock("it", ()),), numbers=replace(case.numbers, shocks={"it": numbers}))


def test_a_certain_shock_is_there_and_an_impossible_one_never(prepared: Prepared) -> None:
    usual = replace(without_news(prepared.case), shocks=())
    plain = queries_per_day(fresh_paths(usual, 500, 3), usual)
    never = with_shock(usual, 0.0, demand=0.5)
    assert np.all(fresh_paths(never, 500, 3).shock_chance["it"] == 0.0)
    np.testing.assert_array_equal(queries_per_day(fresh_paths(never, 500, 3), never), plain)
    always = with_shock(usual, 1e9, demand=0.5)
    found = fresh_paths(always, 500, 3)
    struck = found.shock_chance["it"]
    assert np.all(struck[found.tree.quarter == 1] == 1.0)
    # gone only for the one quarter after it ends: on with 1 / (1 + 1/4) of the time
    assert struck[found.tree.quarter > 8].mean() == pytest.approx(0.8, abs=0.02)
    np.testing.assert_allclose(queries_per_day(found, always), plain * np.where(struck == 1.0, 0.5, 1.0), rtol=1e-12)
    on_tree_of = sample(replace(always, boundaries=(3, 7), branching=(4, 2)))
    later = on_tree_of.tree.quarter == 1
    assert on_tree_of.shock_chance["it"][later] == pytest.approx(1.0)


def correlated(case: Case, pairs: Mapping[tuple[str, str], float]) -> Case:
    source = case.numbers.demand.growth.source
    values = tuple(CaseNumber(
        name=correlation_name(*pair), spread=Range.point(value), unit="1", grade=Grade.ASSUMPTION,
        source=source)
                   for pair, value in pairs.items())
    return replace(case, correlations=tuple(pairs), numbers=replace(case.numbers, correlations=values))


def score_of(case: Case, found: Scenarios, name: str, quarter: int) -> Array:
    number = name if name in named(case.numbers) else name.rpartition(".")[0]
    return ndtri(law(named(case.numbers)[number].spread, found.draws.at_nodes(name)[found.tree.quarter == quarter]))


def test_stated_correlations_hold_at_every_branching_and_growth_persists(prepared: Prepared) -> None:
    """One number drawn once, two slow ones, and one by generation, on 4,000 nodes."""
    gain = "lines.nvidia-owned.successor_gain_spread"
    pairs = {
        ("demand.growth", "loads.training.growth"): 0.5,
        ("demand.growth", "demand.work_level"): -0.4, ("demand.work_level", gain): 0.6,
    }
    case = correlated(replace(prepared.case, branching=(4000, 1, 1, 1, 1, 1)), pairs)
    found = sample(case)
    boundaries = case.boundaries
    for stage, quarter in enumerate(boundaries, start=1):
        growth, training, level, spread = (
            score_of(case, found, name, quarter)
            for name in (
                "demand.growth", "loads.training.growth", "demand.work_level",
                of_generation(gain, min(stage, 3)),
            )
        )
        measured = np.corrcoef([growth, training, level, spread])
        np.testing.assert_allclose(measured[0, 1:3], [0.5, -0.4], atol=0.06)
        assert measured[1, 2] == pytest.approx(0.0, abs=0.06)
        if stage <= 3:
            assert measured[2, 3] == pytest.approx(0.6, abs=0.06)
            assert measured[0, 3] == pytest.approx(0.0, abs=0.06)
    # what the number drawn once explains of growth (0.4^2 of its variance) stays whole, the rest
    # persists
    before, after = (score_of(case, found, "demand.growth", quarter) for quarter in boundaries[:2])
    explained = 0.4**2
    rho = float(kept_share(boundaries[1] - boundaries[0], case.persistence))
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(explained + (1 - explained) * rho, abs=0.03)


def test_a_correlation_moves_only_what_comes_after_in_its_group(prepared: Prepared) -> None:
    case = replace(prepared.case, branching=(16, 2, 1, 1, 1, 1))
    names = ("demand.queries", "lines.amd-owned.price", "owning.pue")
    free = correlated(case, {})
    one = correlated(case, {(names[0], names[1]): 0.8})
    two = correlated(case, {(names[0], names[1]): 0.8, (names[1], names[2]): 0.5})
    drawn = [sample(each).draws for each in (free, one, two)]
    changed = [
        {
            name
            for name in named(case.numbers)
            if not name.startswith("correlations.")
            and before.at_nodes(name).tobytes() != after.at_nodes(name).tobytes()
        }
        for before, after in pairwise(drawn)
    ]
    # what is the case's own comes before what a line brings
    assert changed == [{names[1]}, {names[1]}]


def test_generations_come_one_by_one_and_are_seen_one_by_one(wide: tuple[Case, Scenarios]) -> None:
    case, found = wide
    slip = "lines.nvidia-owned.successor_slip"
    assert by_generation(case)[slip] == 3
    for generation in (1, 2, 3):
        values = found.draws.at_nodes(of_generation(slip, generation))
        seen = found.tree.quarter >= case.boundaries[generation - 1]
        np.testing.assert_allclose(values[~seen], median(named(case.numbers)[slip]), rtol=1e-12)
        assert np.all(values[seen] != values[0])
        above = found.tree.parent[found.tree.quarter == found.tree.quarters - 1]
        assert np.array_equal(values[found.tree.leaves], values[above])


def test_given_values_take_the_place_of_draws(prepared: Prepared) -> None:
    case = replace(prepared.case, branching=(4, 2, 1, 1, 1, 1))
    values = np.array([1.5, 2.0, 2.5, 3.0])
    found, usual = sample(case, given={"demand.growth": values}), sample(case)
    late = found.tree.leaves
    np.testing.assert_array_equal(found.draws.at_nodes("demand.growth")[late], np.repeat(values, 2))
    np.testing.assert_array_equal(found.draws.at_nodes("demand.queries"), usual.draws.at_nodes("demand.queries"))
    assert np.all(fresh_paths(case, 3, 1, given={"demand.growth": values[:3]}).values.demand.growth[-3:] == values[:3])


@pytest.fixture(scope="module")
def fates(prepared: Prepared, wide: tuple[Case, Scenarios]) -> dict[str, OutcomeOnTree]:
    case, found = wide
    need = queries_per_day(found, case) * found.work
    return {
        item.name: outcome_on_tree(
            prepared.simulated[item.name].chain, found, need, stream(case.seed, item.name)
        )
        for item in case.programmes
    }


def running(fate: OutcomeOnTree) -> np.ndarray:
    return ~fate.dead & (fate.volume_quarter == NEVER)


def test_news_of_a_programme_is_final(wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]) -> None:
    _, found = wide
    tree = found.tree
    below = tree.parent >= 0
    above = tree.parent[below]
    for fate in fates.values():
        assert np.all(fate.dead[below] >= fate.dead[above])
        assert not np.any(fate.dead & (fate.volume_quarter != NEVER))
        arrived = fate.volume_quarter[above] != NEVER
        assert np.array_equal(fate.volume_quarter[below][arrived], fate.volume_quarter[above][arrived])
        same_stage = found.stage[below] == found.stage[above]
        assert np.array_equal(fate.dead[below][same_stage], fate.dead[above][same_stage])
        assert np.array_equal(fate.volume_quarter[below][same_stage], fate.volume_quarter[above][same_stage])


def test_nothing_tells_running_programmes_apart(
    wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]
) -> None:
    """Spend before the news is one number a quarter: it holds no hint of what will come."""
    _, found = wide
    for name, fate in fates.items():
        for quarter in range(found.tree.quarters):
            spend = fate.spend_usd[(found.tree.quarter == quarter) & running(fate)]
            assert np.unique(spend).size <= 1, (name, quarter)
        assert np.all(fate.performance[running(fate)] == 1.0)


def test_chips_come_no_earlier_than_the_news(wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]) -> None:
    case, found = wide
    begin = np.array([0, *case.boundaries])
    below = found.tree.parent >= 0
    for fate in fates.values():
        fresh = below & (fate.volume_quarter != NEVER) & (fate.volume_quarter[found.tree.parent] == NEVER)
        assert np.any(fresh)
        assert np.all(fate.volume_quarter[fresh] >= begin[found.stage[fresh]])
        assert np.array_equal(found.tree.quarter[fresh], begin[found.stage[fresh]])


def test_shares_on_the_tree_meet_the_chain_to_one_node(
    prepared: Prepared, wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]
) -> None:
    _, found = wide
    for name, fate in fates.items():
        for step in prepared.simulated[name].chain.transitions:
            here = np.flatnonzero(found.tree.quarter == step.boundary)
            alive = here[running(fate)[found.tree.parent[here]]]
            assert abs(np.sum(fate.volume_quarter[alive] != NEVER) - step.arrived * alive.size) <= 1.0
            assert abs(np.sum(fate.dead[alive]) - step.dead * alive.size) <= 1.0


def test_a_programme_fares_alike_where_demand_is_high_and_where_it_is_low(
    prepared: Prepared, wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]
) -> None:
    """Arrivals among the neediest of the running nodes keep to their share within two nodes,
    however many one takes."""
    case, found = wide
    need = queries_per_day(found, case) * found.work
    for name, fate in fates.items():
        for step in prepared.simulated[name].chain.transitions:
            here = np.flatnonzero(found.tree.quarter == step.boundary)
            alive = here[running(fate)[found.tree.parent[here]]]
            arrived = np.cumsum(fate.volume_quarter[alive[np.argsort(-need[alive])]] != NEVER)
            expected = step.arrived * np.arange(1, alive.size + 1)
            assert np.max(np.abs(arrived - expected), initial=0.0) < 2.5, (name, step.boundary)


def test_expected_spend_on_the_tree_is_the_mean_of_the_draws(
    prepared: Prepared, wide: tuple[Case, Scenarios], fates: dict[str, OutcomeOnTree]
) -> None:
    case, found = wide
    tree = found.tree
    for item in case.programmes:
        parameters = programme_model_of(item, case.numbers.programmes[item.name])
        draws = simulate(parameters, DRAWS, stream(case.seed, f"programmes.{item.route}"), quarters=case.quarters)
        mean = draws.spend_by_quarter_usd.mean(axis=0)
        spend = fates[item.name].spend_usd * tree.probability
        on_the_tree = np.bincount(tree.quarter, weights=spend)
        early = slice(0, case.boundaries[0])
        np.testing.assert_allclose(on_the_tree[early], mean[early], rtol=1e-12)
        np.testing.assert_allclose(on_the_tree, mean, atol=0.03 * mean.max())
        assert on_the_tree.sum() == pytest.approx(mean.sum(), rel=0.02)
