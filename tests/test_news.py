"""How news comes through time: beliefs as martingales, outlooks that know nothing ahead, calibrated
bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm, triang

from case_fixture import MINIMAL, edited
from fabless.case_records import Case, CaseNumber, correlation_name, named, with_ranges
from fabless.catalogue.case.case import parse_case, read_case
from fabless.records import Array, Grade, Range
from fabless.sampling import quantile
from fabless.scenario import Scenarios, compute_needed, expected, fresh_paths, representatives, sample, scarce_chance
from fabless.scenario.draws import queries_per_day
from fabless.scenario.news import kept_share, kinds_of, known_share
from fabless.units import QUARTER_S, YEAR_S

LEARNT = "lines.nvidia-owned.price_decline"
MOVING = "demand.growth"
PATHS = 4000


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case()


@pytest.fixture(scope="module")
def fresh(case: Case) -> Scenarios:
    return fresh_paths(case, PATHS, 11)


def score(spread: Range, values: Array) -> Array:
    """Normal score of values of a range, its distribution function from scipy."""
    low, middle, high = spread.low, spread.mode, spread.high
    if spread.scale == "log":
        low, middle, high, values = np.log(low), np.log(middle), np.log(high), np.log(values)
    law = triang(c=(middle - low) / (high - low), loc=low, scale=high - low)
    return np.asarray(norm.ppf(law.cdf(values)))


def scores_by_quarter(case: Case, drawn: Scenarios, name: str) -> Array:
    """Scores of a number, a row a quarter."""
    return score(named(case.numbers)[name].spread, drawn.draws.at_nodes(name)).reshape(case.quarters, -1)


def of_kind(case: Case, kind: str) -> list[str]:
    """Numbers with a range whose news is of a kind."""
    return [name for name, item in named(case.numbers).items()
            if kinds_of(case)[name] == kind and item.spread.low < item.spread.high]


def test_each_number_has_the_news_that_its_kind_usually_has(case: Case) -> None:
    kinds = kinds_of(case)
    assert kinds["demand.queries"] == kinds["existing.count"] == kinds["loads.training.flop"] == "today"
    assert kinds["demand.growth"] == kinds["loads.training.growth"] == kinds["demand.work_trend"] == "moves"
    assert kinds["lines.nvidia-owned.price"] == kinds["owning.pue"] == kinds["supply.scarce_price"] == "gradual"
    assert kinds["lines.nvidia-owned.successor_slip"] == "generation"


def test_a_case_may_say_how_the_news_of_a_number_comes() -> None:
    """Stated at a number it replaces the usual kind; the learning time is that of the case."""
    text = edited(
        MINIMAL, ("tree: {", "news: {learning: 1 year, persistence: 0.5}\ntree: {"),
        ("  queries: {low", "  queries: {news: gradual, low"),
    )
    case, usual = (parse_case(each, "my.yaml", Path()) for each in (text, MINIMAL))
    assert (case.learning_s, case.persistence) == (YEAR_S, 0.5)
    assert (usual.learning_s, usual.persistence) == (1.5 * YEAR_S, 0.75)
    assert (kinds_of(usual)["demand.queries"], kinds_of(case)["demand.queries"]) == ("today", "gradual")
    first, later = (scores_by_quarter(case, fresh_paths(case, 2000, 1), "demand.queries")[quarter] for quarter in (0, 4))
    np.testing.assert_allclose(first, 0.0, atol=1e-9)
    assert later.var() == pytest.approx(0.5, rel=0.1)


def test_a_belief_is_a_martingale_of_the_known_variance(case: Case, fresh: Scenarios) -> None:
    """Its steps have mean 0 whatever it is, its variance is k, and z lies on s with slope 1."""
    rows = scores_by_quarter(case, fresh, LEARNT)
    share = known_share(np.arange(case.quarters), case.learning_s)
    np.testing.assert_allclose(rows.var(axis=1)[1:], share[1:], rtol=0.08)
    for quarter in (1, 2, 6, 12, 30):
        step, believed = rows[quarter + 1] - rows[quarter], rows[quarter]
        assert abs(step.mean()) < 4.5 * step.std() / PATHS**0.5
        assert step.var() == pytest.approx(share[quarter + 1] - share[quarter], rel=0.1)
        slope = np.polyfit(believed, rows[-1], 1)[0]
        left = (share[-1] - share[quarter]) ** 0.5
        assert slope == pytest.approx(1.0, abs=4.5 * left / believed.std() / PATHS**0.5 + 1e-9)


def test_the_learning_time_goes_from_at_once_to_never(case: Case) -> None:
    number = named(case.numbers)[LEARNT]
    at_once = fresh_paths(replace(case, learning_s=0.0), 200, 1).draws.at_nodes(LEARNT).reshape(case.quarters, -1)
    assert np.all(at_once[1:] == at_once[1])
    assert np.unique(at_once[1]).size == 200
    never = fresh_paths(replace(case, learning_s=np.inf), 200, 1).draws.at_nodes(LEARNT)
    np.testing.assert_allclose(never, quantile(number.spread, 0.5), rtol=1e-12)


def test_a_rate_that_moves_keeps_its_law_and_forgets(case: Case, fresh: Scenarios) -> None:
    rows = scores_by_quarter(case, fresh, MOVING)
    np.testing.assert_allclose(rows[1:].std(axis=1), 1.0, atol=0.06)
    for gap in (1, 4, 8):
        kept = float(kept_share(gap, case.persistence))
        assert np.corrcoef(rows[10], rows[10 + gap])[0, 1] == pytest.approx(kept, abs=0.05)
    assert float(kept_share(4, case.persistence)) == pytest.approx(case.persistence)


def with_correlations(case: Case, pairs: Mapping[tuple[str, str], float]) -> Case:
    source = case.numbers.demand.growth.source
    values = tuple(CaseNumber(name=correlation_name(*pair), spread=Range.point(value), unit="1",
                              grade=Grade.ASSUMPTION, source=source) for pair, value in pairs.items())
    return replace(case, correlations=tuple(pairs), numbers=replace(case.numbers, correlations=values))


def test_correlations_hold_once_all_is_known(case: Case) -> None:
    """Between kinds: what is measured today, what is learnt, and what moves."""
    names = ("demand.queries", LEARNT, "owning.pue", MOVING)
    stated = np.array([[1.0, 0.5, -0.4, 0.3], [0.5, 1.0, 0.3, 0.4], [-0.4, 0.3, 1.0, 0.0], [0.3, 0.4, 0.0, 1.0]])
    pairs = {(names[i], names[j]): stated[i, j] for i in range(4) for j in range(i) if stated[i, j]}
    tied = with_correlations(replace(case, learning_s=0.001 * QUARTER_S), pairs)
    drawn = fresh_paths(tied, PATHS, 3)
    for quarter in (1, 31):
        rows = [scores_by_quarter(tied, drawn, name)[quarter] for name in names]
        np.testing.assert_allclose(np.corrcoef(rows), stated, atol=0.06)
    slow = with_correlations(case, pairs)
    rows = np.array([scores_by_quarter(slow, fresh_paths(slow, PATHS, 3), name) for name in names])
    share = float(known_share(2, case.learning_s))
    # a belief holds all that the measured number says of it, and of the rest the known share
    explained = np.array([stated[1, 0] ** 2, stated[2, 0] ** 2])
    np.testing.assert_allclose(rows[1:3, 2].var(axis=1), explained + share * (1.0 - explained), rtol=0.1)
    steps = rows[1:3, 31] - rows[1:3, 2]
    assert np.all(np.abs([np.corrcoef(step, rows[0, 2])[0, 1] for step in steps]) < 0.06)


def test_an_outlook_sees_nothing_of_the_quarters_ahead(case: Case) -> None:
    """Paths that swap their futures expect the same as before."""
    drawn = fresh_paths(case, 60, 5)
    order = np.random.default_rng(1).permutation(60)
    for quarter in (1, 4, 13):
        node = np.arange(drawn.tree.size)
        later = drawn.tree.quarter > quarter
        swapped = np.where(later, drawn.tree.quarter * 60 + order[node % 60], node)

        def changed(flat: Array, swapped: Array = swapped) -> Array:
            return flat[swapped] if flat.size == swapped.size else flat

        draws = replace(
            drawn.draws, flat={name: changed(flat) for name, flat in drawn.draws.flat.items()},
            moving={name: replace(item, score=changed(item.score), anchor=changed(item.anchor))
                    for name, item in drawn.draws.moving.items()},
        )
        other = replace(
            drawn, draws=draws, scarce=drawn.scarce[swapped],
            shock_chance={name: chance[swapped] for name, chance in drawn.shock_chance.items()},
        )
        one, two = (expected(drawn.draws.case, each, quarter) for each in (drawn, other))
        assert one.scarce.tobytes() == two.scarce.tobytes()
        assert one.work.tobytes() == two.work.tobytes()
        assert all(one.demand[name].tobytes() == two.demand[name].tobytes() for name in one.demand)
        for name in drawn.draws.flat:
            assert one.draws.at_nodes(name).tobytes() == two.draws.at_nodes(name).tobytes(), name


def test_before_any_news_every_path_expects_the_medians(case: Case, fresh: Scenarios) -> None:
    outlook = expected(fresh.draws.case, fresh, 0)
    for name, number in named(case.numbers).items():
        np.testing.assert_allclose(outlook.draws.at_nodes(name), quantile(number.spread, 0.5), rtol=1e-12, err_msg=name)


def test_growth_returns_to_its_median_and_what_is_learnt_is_held(case: Case, fresh: Scenarios) -> None:
    quarter = 5
    outlook = expected(fresh.draws.case, fresh, quarter)
    seen, foreseen = (scores_by_quarter(case, each, MOVING) for each in (fresh, outlook))
    np.testing.assert_allclose(foreseen[: quarter + 1], seen[: quarter + 1], atol=1e-9)
    for ahead in (1, 8, 20):
        np.testing.assert_allclose(
            foreseen[quarter + ahead], float(kept_share(ahead, case.persistence)) * seen[quarter], atol=1e-8)
    held = outlook.draws.at_nodes(LEARNT).reshape(case.quarters, -1)
    assert np.all(held[quarter:] == fresh.draws.at_nodes(LEARNT).reshape(case.quarters, -1)[quarter])
    gap = "lines.nvidia-owned.successor_slip.3"
    third = outlook.draws.at_nodes(gap)
    np.testing.assert_allclose(third, quantile(named(case.numbers)[gap[:-2]].spread, 0.5), rtol=1e-12)


@pytest.mark.parametrize("name", [LEARNT, MOVING])
def test_bands_of_the_outlook_are_calibrated(case: Case, fresh: Scenarios, name: str) -> None:
    """Four of five later values lie within the band that was told at the time."""
    rows = scores_by_quarter(case, fresh, name)
    for quarter, later in ((2, 6), (4, 20), (10, 30)):
        if name == LEARNT:
            middle = rows[quarter]
            left = float(known_share(later, case.learning_s) - known_share(quarter, case.learning_s))
        else:
            kept = float(kept_share(later - quarter, case.persistence))
            middle, left = kept * rows[quarter], 1.0 - kept**2
        within = np.abs(rows[later] - middle) < ndtri(0.9) * left**0.5
        assert within.mean() == pytest.approx(0.8, abs=4.5 * (0.16 / PATHS) ** 0.5)


def test_the_two_branches_average_to_the_outlook(case: Case) -> None:
    drawn = fresh_paths(case, 80, 2)
    own = drawn.draws.case
    for quarter in (0, 1, 9, 30):
        chance = scarce_chance(own, drawn, quarter)
        whole, on, off = (expected(own, drawn, quarter, scarce_next=state) for state in (None, 1.0, 0.0))
        weight = np.tile(chance, case.quarters)
        np.testing.assert_allclose(weight * on.scarce + (1.0 - weight) * off.scarce, whole.scarce, atol=1e-12)
        following = drawn.tree.quarter == quarter + 1
        assert np.all(on.scarce[following] == 1.0)
        assert np.all(off.scarce[following] == 0.0)
        np.testing.assert_allclose(whole.scarce[following], chance, atol=1e-12)
        upto = drawn.tree.quarter <= quarter
        assert np.array_equal(on.scarce[upto], drawn.scarce[upto])


def test_no_band_of_demand_has_width_zero(case: Case) -> None:
    drawn = fresh_paths(case, 500, 9)
    for series in (queries_per_day(drawn, case), *drawn.demand.values(), drawn.work):
        low, high = np.quantile(series.reshape(case.quarters, -1), (0.1, 0.9), axis=1)
        assert np.all(high > 1.05 * low)


def test_points_alone_make_one_certain_path(case: Case) -> None:
    certain = with_ranges(case, {name: Range.point(item.spread.mode) for name, item in named(case.numbers).items()})
    drawn = fresh_paths(replace(certain, shocks=()), 5, 1)
    for series in (*drawn.demand.values(), drawn.work):
        rows = series.reshape(case.quarters, -1)
        assert np.all(rows == rows[:, :1])
    tree = sample(replace(certain, shocks=()))
    np.testing.assert_allclose(tree.demand["chat"][tree.tree.leaves], drawn.demand["chat"][-1], rtol=1e-12)


def test_given_values_hold_from_their_first_news_to_the_end(case: Case) -> None:
    told = {name: np.full(6, named(case.numbers)[name].spread.high) for name in ("demand.queries", LEARNT, MOVING)}
    drawn = fresh_paths(case, 6, 1, given=told)
    for name, values in told.items():
        rows = drawn.draws.at_nodes(name).reshape(case.quarters, -1)
        assert np.all(rows[1:] == values), name
    assert np.all(drawn.draws.at_nodes("demand.queries") == told["demand.queries"][0])
    assert np.all(expected(drawn.draws.case, drawn, 3).draws.at_nodes(MOVING)[-6:] == told[MOVING])


def test_the_tree_steps_by_the_variance_that_becomes_known(case: Case) -> None:
    wide = replace(case, branching=(1000, 2, 1, 1, 1, 1))
    drawn = sample(wide)
    quarter = drawn.tree.quarter
    values = score(named(case.numbers)[LEARNT].spread, drawn.draws.at_nodes(LEARNT))
    share = known_share(np.array(case.boundaries), case.learning_s)
    for boundary, known in zip(case.boundaries, share, strict=True):
        assert values[quarter == boundary].var() == pytest.approx(known, rel=0.1)
    assert np.all(values[quarter == 2] == values[quarter == 1])


def test_the_first_branches_stand_for_the_need_of_many(case: Case) -> None:
    """Over seeds, the mean need that the first branching tells of scatters by less than half of what
    free draws do."""
    weights = {"chat": 1.0, "frontier": 4.0, "training": 1e-14, "experiments": 1e-14}
    needs = []
    for seed in range(12):
        own = replace(case, seed=seed)
        drawn = sample(own, chosen=representatives(own, weights))
        outlook = expected(own, drawn, 1)
        needs.append(compute_needed(own, outlook, weights)[outlook.tree.leaves].mean())
    free = []
    for seed in range(12):
        drawn = sample(own := replace(case, seed=seed))
        outlook = expected(own, drawn, 1)
        free.append(compute_needed(own, outlook, weights)[outlook.tree.leaves].mean())
    assert np.std(np.log(needs)) < 0.5 * np.std(np.log(free))
