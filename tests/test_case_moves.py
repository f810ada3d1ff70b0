"""Moving an input moves its whole range: continuous at the present value, inside what can be,
refused outside the range that the case states."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabless.case_moves import movable, moved, moved_ranges, shown_range, unit_of, why_fixed
from fabless.case_records import Case, CaseNumber, named
from fabless.catalogue import read_case
from fabless.errors import BadValue, UnknownName
from fabless.records import Grade, Range, Source

KNOWN = movable(read_case("openai-2023"))


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case("openai-2023")


def number(spread: Range, bounds: tuple[float, float] = (0.0, math.inf)) -> CaseNumber:
    return CaseNumber(name="demand.growth", spread=spread, unit="1", grade=Grade.ASSUMPTION,
                      source=Source("case", "", "", ""), bounds=bounds)


def test_a_range_above_zero_is_multiplied() -> None:
    assert moved(number(Range(1.0, 2.0, 6.0, "log")), 3.0) == Range(1.5, 3.0, 9.0, "log")


def test_a_range_from_zero_is_shifted_and_never_below_what_can_be() -> None:
    assert moved(number(Range(0.0, 2.0, 6.0)), 3.0) == Range(1.0, 3.0, 7.0)
    assert moved(number(Range(0.0, 2.0, 6.0)), 0.5) == Range(0.0, 0.5, 4.5)


def test_a_share_stays_a_share() -> None:
    assert moved(number(Range(0.5, 0.6, 0.9), (0.0, 1.0)), 0.9) == Range(0.75, 0.9, 1.0)


def test_a_factor_that_starts_at_one_stays_there() -> None:
    assert moved(number(Range(1.1, 1.3, 1.6), (1.0, math.inf)), 1.1).low == 1.0


@given(st.data())
def test_every_input_of_the_reference_case_moves_continuously(data: st.DataObject) -> None:
    picked = KNOWN[data.draw(st.sampled_from(sorted(KNOWN)))]
    spread, (least, most) = picked.spread, picked.bounds
    value = data.draw(st.floats(spread.low, spread.high))
    there = moved(picked, value)
    assert there.mode == value
    assert least <= there.low <= value <= there.high <= most
    near = moved(picked, spread.mode * (1.0 + 1e-9))
    assert [near.low, near.mode, near.high] == pytest.approx(
        [spread.low, spread.mode, spread.high], rel=1e-8, abs=1e-8 * spread.high)
    assert moved(picked, spread.mode) == spread


def test_values_are_read_in_the_unit_of_the_input(case: Case) -> None:
    queries = named(case.numbers)["demand.queries"]
    assert unit_of(queries) == "query/day"
    assert moved_ranges(case, {"demand.queries": 3e8})["demand.queries"].mode == pytest.approx(
        3e8 / 86_400.0)


def test_moving_to_where_it_stands_is_no_move(case: Case) -> None:
    shown = {name: shown_range(item)[1] for name, item in movable(case).items()}
    assert moved_ranges(case, shown) == {}


def test_both_ends_of_every_range_are_allowed(case: Case) -> None:
    for name, item in movable(case).items():
        low, _, high = shown_range(item)
        for end, stated in ((low, item.spread.low), (high, item.spread.high)):
            written = float(f"{end:.12g}")
            assert moved_ranges(case, {name: written}).get(name, item.spread).mode == stated


def test_all_faults_come_at_once(case: Case) -> None:
    with pytest.raises(UnknownName) as error:
        moved_ranges(case, {"demand.grwth": 3.0, "demand.growth": 99.0, "owning.pue": math.nan,
                            "programmes.own-build.unit_cost": 1.0})
    faults = {fault.place: fault for fault in error.value.faults}
    assert list(faults) == [
        "demand.grwth", "demand.growth", "owning.pue", "programmes.own-build.unit_cost"]
    assert "demand.growth" in faults["demand.grwth"].remedy
    assert faults["demand.growth"].found == "99"
    assert faults["demand.growth"].allowed == "0.6 to 10"


@pytest.mark.parametrize("name", [
    "correlations.demand.queries with existing.count",
    "programmes.own-build.design_shares.rtl", "programmes.own-build.unit_cost"])
def test_what_means_something_only_together_is_refused_in_words(case: Case, name: str) -> None:
    assert why_fixed(name)
    assert name not in movable(case)
    with pytest.raises(BadValue, match="cannot be moved"):
        moved_ranges(case, {name: 0.5})


def test_a_number_without_a_range_allows_its_own_value_alone(case: Case) -> None:
    assert moved_ranges(case, {"supply.scarce_at_start": 1.0}) == {}
    with pytest.raises(BadValue, match="alone"):
        moved_ranges(case, {"supply.scarce_at_start": 0.5})
