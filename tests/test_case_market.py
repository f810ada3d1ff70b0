"""Market sections of a case: what they become, and what each bad one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from case_fixture import MINIMAL
from fabless.case_records import Case, correlation_name, named
from fabless.catalogue.case.case import parse_case
from fabless.errors import BadValue, FablessError
from fabless.units import MONTH_S, YEAR_S, Quarter

SECTIONS = """
shocks:
  quake: {vendors: [nvidia], rate: {value: 0.3}, duration: {value: 3}, allotment: {value: 0.5}}
pools:
  packaging: {output: {value: 1000}, chips: {value: 20}, growth: {value: 1.5}, share: {value: 0.1}}
correlations:
  - {pair: [demand.growth, demand.queries], value: 0.5, note: both}
limits:
  power: {2024: {value: 40}, 2025: {low: 50, mode: 60, high: 80, unit: MW}}
  cash: {2024: {value: 4.0e+8}, 2024Q3: {value: 1.0e+7}}
"""


def read(text: str) -> Case:
    return parse_case(MINIMAL + text, "my.yaml", Path("nowhere"))


def test_every_number_of_the_market_is_a_number_of_the_case() -> None:
    case = read(SECTIONS)
    shock, pool = case.shocks[0], case.pools[0]
    assert (shock.name, shock.vendors) == ("quake", ("nvidia",))
    quake = case.numbers.shocks["quake"]
    assert {name for name in named(case.numbers) if name.startswith("shocks.")} == {
        f"shocks.quake.{key}" for key in ("rate", "duration", "allotment")}
    assert quake.price is quake.lead is quake.demand is None
    assert case.numbers.shocks["quake"].rate.spread.mode == pytest.approx(0.3 / YEAR_S)
    assert case.numbers.pools[pool.name].output.spread.mode == pytest.approx(1000 / MONTH_S)
    assert case.correlations == (("demand.growth", "demand.queries"),)
    tied, = case.numbers.correlations
    assert tied.name == correlation_name("demand.growth", "demand.queries")
    assert (tied.spread.mode, tied.note) == (0.5, "both")
    assert [
        (item.first_quarter, case.numbers.limits.power[item.period].spread.high)
        for item in case.power_limits
    ] == [(Quarter(2024, 1), 4e7), (Quarter(2025, 1), 8e7)]
    assert [(item.first_quarter, item.quarters) for item in case.cash_limits] == [
        (Quarter(2024, 1), 4), (Quarter(2024, 3), 1)]


def test_a_case_without_these_sections_has_none_of_them() -> None:
    case = read("")
    assert (case.shocks, case.pools, case.correlations, case.power_limits, case.cash_limits) == ((), (), (), (), ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("vendors: [nvidia]", "vendors: [nvidea]", ["shocks.quake.vendors", "did you mean nvidia"]),
        ("rate: {value: 0.3}", "rate: {value: -1}", ["shocks.quake.rate", "0 or more"]),
        (
            "duration: {value: 3}", "duration: {value: 1}",
            ["shocks.quake.duration", "3 or more month"],
        ),
        ("share: {value: 0.1}", "share: {value: 1.1}", ["pools.packaging.share", "at most 1"]),
        (
            "share: {value: 0.1}", "members: [nobody], share: {value: 0.1}",
            ["pools.packaging.members", "nobody"],
        ),
        (
            "value: 0.5, note: both", "value: 1.5, note: both",
            ["demand.growth with demand.queries: 1.5", "-1 to 1"],
        ),
        (
            "demand.queries]", "demand.querys]",
            ["unknown number 'demand.querys'", "did you mean demand.queries"],
        ),
        ("demand.queries]", "demand.growth]", ["demand.growth with itself"]),
        ("{2024: {value: 40}", "{20x4: {value: 40}", ["a year, YYYY"]),
        ("2024Q3:", "2024Q5:", ["YYYYQ1 to YYYYQ4"]),
        (
            "value: 0.5, note: both", "value: 0.5, nota: both",
            ["unknown key 'nota'", "did you mean note"],
        ),
        ("value: 0.5, note: both", "note: both", ["correlations.0.value", "missing"]),
        ("{value: 40}", "{valu: 40}", ["unknown key 'valu'", "did you mean value"]),
        ("{value: 1.0e+7}", "{value: -1}", ["limits.cash.2024Q3", "0 or more"]),
    ],
)
def test_what_a_bad_market_section_is_told(old: str, new: str, said: list[str]) -> None:
    assert SECTIONS.count(old) == 1
    with pytest.raises(FablessError) as error:
        read(SECTIONS.replace(old, new))
    for part in said:
        assert part in str(error.value)


def test_impossible_correlations_of_a_case_name_the_pair_and_the_nearest_value() -> None:
    pairs = (("demand.growth", "demand.queries", 0.9), ("demand.growth", "existing.count", 0.9),
             ("demand.queries", "existing.count", -0.9))
    lines = "".join(f"  - {{pair: [{one}, {other}], value: {value}}}\n" for one, other, value in pairs)
    with pytest.raises(BadValue) as error:
        read("\ncorrelations:\n" + lines)
    assert "demand.queries with existing.count: -0.9" in str(error.value)
    assert "write 0.62, the nearest valid value" in str(error.value)
