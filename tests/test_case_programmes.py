"""Options of a case's chip programmes: how each is read, what it does, and what a wrong one is
told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from case_fixture import MINIMAL, PROGRAMMES_LATER, edited
from fabless.case_records import Case, Programme, named, with_ranges
from fabless.catalogue import load, read_case, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.catalogue.case.schema_programme import GateName, StageName
from fabless.catalogue.facts.reference_class import cases
from fabless.catalogue.facts.takeovers import deals
from fabless.decide.ways.prepare import GATE_OF, counted, programme_model_of, simulated_outcomes_of
from fabless.errors import BadValue, FablessError, UnknownName
from fabless.programme import Gate, ProgrammeModel, PseudoCounts, Route, route_stages
from fabless.programme.route import INTEGRATION, START
from fabless.programme.study import KIND_OF, reference_class
from fabless.records import Range
from fabless.units import MONTH_S

OPTIONS = """\
    software_time: {low: 12, mode: 18, high: 30}
    ramp: {value: 6}
    integration: {low: 2, mode: 4, high: 9}
    retention: {low: 0.6, mode: 0.8, high: 0.95}
    price_path:
      distressed: {low: 0.2, mode: 0.4, high: 0.6, grade: derived, source: programmes-2023}
      distressed_multiple: {low: 0.1, mode: 0.3, high: 0.6}
      contested_multiple: {low: 1.0, mode: 1.4, high: 2.2}
    stands_at: silicon
    second: {overlap: {value: 6}, design: {low: 9, mode: 14, high: 22}, ended: {failed: 0.5, passed: 7.5},
      design_cost: {low: 5.0e+7, mode: 1.0e+8, high: 2.0e+8}, masks: {value: 35, unit: M USD}}
"""


def section(name: str) -> str:
    """Text of one programme or chip of the reference case."""
    text = reference_text()
    start = text.index(f"\n  {name}:\n") + 1
    return text[start:start + 4 + re.search(r"\n(  \w|\w|#|\n)", text[start + 4:]).start() + 1]  # type: ignore[union-attr]


COUNTS = "    ended: {failed: 4.0, passed: 3.0}\n    end_shares: [0.31, 0.06, 0.63]\n"
SMALL = (edited(MINIMAL, PROGRAMMES_LATER) + "chips:\n" + section("own-1") + "programmes:\n" + section("own-build") + COUNTS
         + "    bid_failed: {failed: 0, passed: 1}\n" + section("acquisition"))
"""A small case with two programmes of the reference case, one of them with counts of its own."""


def read(*edits: tuple[str, str]) -> Case:
    return parse_case(edited(SMALL, *edits), "my.yaml", Path("."))


def parameters(case: Case, name: str) -> ProgrammeModel:
    programmes = counted(case, load(case.as_of))[0].programmes
    return programme_model_of(next(item for item in programmes if item.name == name), case.numbers.programmes[name])


def with_options(name: str, options: str) -> tuple[str, str]:
    """Edit that adds options to a programme."""
    old = section(name)
    return old, old + options


def test_every_option_is_read_into_the_parameters() -> None:
    case = read(with_options("acquisition", OPTIONS))
    found = parameters(case, "acquisition")
    assert found.route is Route.ACQUIRE
    assert found.software_s == Range(*(months * MONTH_S for months in (12, 18, 30)))
    assert found.ramp_s == Range.point(6 * MONTH_S)
    assert found.integration_s == Range(*(months * MONTH_S for months in (2, 4, 9)))
    assert found.retention == Range(0.6, 0.8, 0.95)
    assert found.price_path is not None
    assert (found.price_path.distressed, found.price_path.contested_multiple) == (Range(0.2, 0.4, 0.6), Range(1.0, 1.4, 2.2))
    assert found.stands_at == "silicon"
    assert found.second is not None
    assert (found.second.ended, found.second.masks_usd) == (PseudoCounts(0.5, 7.5), Range.point(35e6))
    assert found.second.gain == case.numbers.programmes["acquisition"].successor_gain.spread
    number = case.numbers.programmes["acquisition"].price_path.distressed
    assert (number.grade.value, number.source.id, number.unit) == ("derived", "programmes-2023", "1")


def test_what_is_left_out_keeps_its_default() -> None:
    """Without the keys of the catalogue's facts the parameters are those of a programme that states
    none."""
    plain = re.sub(r"(?m)^    (bring_up_share|slip_correlation): .*\n", "", SMALL)
    plain = re.sub(r"(?m)^    design_shares:\n(      .*\n){3}", "", plain)
    case = parse_case(plain, "my.yaml", Path("."))
    found = parameters(case, "own-build")
    fields = (
        "design_shares", "bring_up_share", "slip_correlation", "gates", "software_s", "ramp_s",
        "price_path", "integration_s", "retention", "stands_at", "second", "stages",
    )
    bare = {name: ProgrammeModel.__dataclass_fields__[name].default for name in fields}
    assert {name: getattr(found, name) for name in fields} == bare


@pytest.fixture(scope="module")
def reference() -> Case:
    return read_case()


def test_the_reference_case_takes_what_the_catalogue_assumes(reference: Case) -> None:
    for name in ("own-build", "co-design", "acquisition", "backer"):
        found = parameters(reference, name)
        assert (found.design_shares, found.bring_up_share, found.slip_correlation) == ((0.2, 0.5, 0.3), 0.3, 0.7)
        assert found.spin_limit == 6


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("own-build", Route.BUILD), ("co-design", Route.CO_DESIGN), ("acquisition", Route.ACQUIRE),
        ("backer", Route.PARTNER),
    ],
)
def test_a_case_counts_as_the_programme_command_does(
    reference: Case, name: str, route: Route
) -> None:
    """One rate, wherever it is shown: 51 % of first chips of a house end before volume."""
    found = parameters(reference, name)
    spread = Range(0.2, 0.4, 0.6)
    catalogue = load(reference.as_of)
    seen = reference_class(cases(catalogue), deals(catalogue), KIND_OF[route], spread, spread)
    assert (found.ended, found.end_shares) == (seen.ended.counts, seen.end_shares)
    assert found.bid_failed == (seen.bid_failed.counts if route is Route.ACQUIRE else PseudoCounts(0.0, 1.0))
    if name in ("own-build", "backer"):
        assert found.ended.mean == pytest.approx(0.507, abs=5e-4)


def test_counts_of_the_case_itself_are_used_and_said() -> None:
    case = read()
    filled, notes = counted(case, load(case.as_of))
    assert filled.programmes[0].ended == (4.0, 3.0)
    note, = notes
    assert note == (
        "Own chip: the case states its own counts of programmes that ended: 57%, where those known on 2023-10-31 "
        "give 51%"
    )
    assert counted(read((COUNTS, "")), load(case.as_of))[1] == ()
    second = "    second: {overlap: {value: 6}, design: {value: 14}, design_cost: {value: 1}, masks: {value: 1}}\n"
    found = parameters(read((COUNTS, second)), "own-build")
    assert found.second is not None
    assert found.second.ended.mean == pytest.approx(0.152, abs=5e-4), "as later generations of the day ended"


def test_gates_are_counted_one_by_one() -> None:
    gates = "    gates: {tape-out: {failed: 1.5, passed: 4.5}, first-silicon: {failed: 0.5, passed: 3.5}}\n"
    found = parameters(read((COUNTS, gates)), "own-build")
    assert found.gates == {Gate.TAPE_OUT: PseudoCounts(1.5, 4.5), Gate.FIRST_SILICON: PseudoCounts(0.5, 3.5)}
    assert found.hazards[0] == PseudoCounts(0.0, 1.0), "none ends at a gate that is left out"
    five = parameters(read(("[0.31, 0.06, 0.63]", "[0.1, 0.2, 0.3, 0.2, 0.2]")), "own-build")
    assert five.hazards[0].failed == pytest.approx(0.1 * five.ended.failed)


def test_names_of_a_case_are_those_of_the_programme(reference: Case) -> None:
    assert set(GATE_OF.values()) == set(Gate)
    assert list(GATE_OF) == list(get_args(GateName))
    for name in ("own-build", "acquisition", "backer"):
        stages = {stage.name for stage in route_stages(parameters(reference, name))}
        assert set(get_args(StageName)) == stages - {*START.values(), INTEGRATION}


def test_options_move_what_the_planner_sees(reference: Case) -> None:
    """A chip in the fab comes sooner and cheaper, an integration of nine months brings it nine
    months later."""
    case, _ = counted(reference, load(reference.as_of))
    item = next(one for one in case.programmes if one.name == "acquisition")
    sure = with_ranges(
        case,
        {name: Range.point(number.spread.mode) for name, number in named(case.numbers).items()}
        | {"programmes.acquisition.first_silicon_good": Range.point(1.0)},
    )

    def volume(item_: Programme = item, **more: float) -> float:
        programmes = dict(sure.numbers.programmes)
        deal = programmes["acquisition"].deal
        programmes["acquisition"] = replace(
            programmes["acquisition"],
            **{key: replace(deal, spread=Range.point(s)) for key, s in more.items()},
        )
        outlook = simulated_outcomes_of(item_, replace(sure, numbers=replace(sure.numbers, programmes=programmes)))
        assert outlook.summary.volume_month is not None
        return outlook.summary.volume_month.p50

    usual = volume()
    assert volume(integration=9 * MONTH_S) == pytest.approx(usual + 9.0, abs=0.05)
    acquisition = sure.numbers.programmes["acquisition"]
    design = acquisition.design.spread.mode * acquisition.slip.spread.mode
    assert volume(replace(item, stands_at="silicon")) == pytest.approx(usual - design / MONTH_S, abs=0.05)
    assert volume(retention=0.5) == pytest.approx(usual + design / MONTH_S, abs=0.05)
    assert volume(software_time=60 * MONTH_S) > usual + 12.0


FAULTS = [
    # edits of own-build, options added to it, kind, place below it, words
    (
        "    stands_at: silicone\n", UnknownName, "stands_at",
        ["unknown name 'silicone'", "did you mean silicon?"],
    ),
    (
        "    gates: {tapeout: {failed: 1, passed: 1}}\n", UnknownName, "gates.tapeout",
        ["did you mean tape-out?"],
    ),
    (
        "    gates: {tape-out: {failed: 1, passed: 1}}\n", BadValue, "ended",
        ["ended beside gates", "take one of the two out"],
    ),
    ("    retention: {value: 1.2}\n", BadValue, "retention", ["1.2", "at most 1"]),
    ("    retention: {value: 0}\n", BadValue, "retention", ["above 0"]),
    ("    ramp: {value: -1}\n", BadValue, "ramp", ["-1", "0 or more month"]),
    ("    ramp: {value: 1, unit: USD}\n", BadValue, "ramp", ["unit 'USD'", "give it in month"]),
    (
        "    price_path: {distressed: {value: 0.4}, distressed_multiple: {value: 0.3}, contested_multiple: {value: 1.4}}\n",
        BadValue, "price_path", ["route build", "choose the route acquire"],
    ),
    (
        "    price_path: {distressed: {value: 1.4}, distressed_multiple: {value: 0.3}, contested_multiple: {value: 1.4}}\n",
        BadValue, "price_path.distressed", ["1.4", "at most 1"],
    ),
    (
        "    second: {overlap: {value: 6}, design: {value: 14}, ended: {failed: 0, passed: 0}, design_cost: {value: 1},"
        " masks: {value: 1}}\n",
        BadValue,
        "second.ended",
        ["not both 0"],
    ),
    (
        "    second: {overlap: {value: 6}, design: {value: 14}, ended: {failed: 1, passed: 1}, design_cst: {value: 1},"
        " masks: {value: 1}}\n",
        BadValue,
        "second.design_cst",
        ["did you mean design_cost?"],
    ),
]


@pytest.mark.parametrize(
    ("options", "kind", "place", "words"), FAULTS, ids=[f"{row[2]} {row[3][0]}" for row in FAULTS]
)
def test_each_fault_of_an_option_is_told(
    options: str, kind: type[FablessError], place: str, words: list[str]
) -> None:
    told(kind, place, words, with_options("own-build", options))


@pytest.mark.parametrize(
    ("edit", "place", "words"),
    [
        (
            (
                "    slip_correlation: {fact: reference-class.slip_correlation}",
                "    slip_correlation: {value: 1.3}",
            ),
            "slip_correlation",
            ["1.3", "at most 1"],
        ),
        (
            (
                "      physical: {fact: reference-class.design_share_physical}",
                "      physical: {value: 0.4}",
            ),
            "design_shares",
            ["0.2, 0.5, 0.4", "sum to 1"],
        ),
        (
            ("      physical: {fact: reference-class.design_share_physical}\n", ""),
            "design_shares.physical", ["missing"],
        ),
        (
            ("    end_shares: [0.31, 0.06, 0.63]", "    end_shares: [0.31, 0.69]"), "end_shares",
            ["[0.31, 0.69]", "first-silicon"],
        ),
        (
            ("    bid_failed: {failed: 0, passed: 1}", "    bid_failed: {failed: 1, passed: 1}"),
            "bid_failed", ["route build"],
        ),
        (
            (
                "    purchase: {low: 0, mode: 0, high: 0,",
                "    purchase: {low: 0, mode: 0, high: 5,",
            ),
            "purchase",
            ["route build"],
        ),
    ],
)
def test_each_fault_of_a_stated_key_is_told(
    edit: tuple[str, str], place: str, words: list[str]
) -> None:
    told(BadValue, place, words, edit)


def told(kind: type[FablessError], place: str, words: list[str], *edits: tuple[str, str]) -> None:
    with pytest.raises(FablessError) as caught:
        read(*edits)
    assert type(caught.value) is kind
    assert any(
        re.fullmatch(rf"my\.yaml:\d+: programmes\.own-build\.{re.escape(place)}", fault.place)
        for fault in caught.value.faults
    ), str(caught.value)
    for word in words:
        assert word in str(caught.value)
