"""`fabless programme`: what it prints, that it says the same in JSON, its picture, and how its
errors leave it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from command_fixture import Run
from fabless.catalogue import Catalogue, load, read_case
from fabless.catalogue.facts.takeovers import candidate
from fabless.decide.ways.prepare import counted, programme_model_of
from fabless.programme import Route, simulate, summary
from fabless.programme.study import ProgrammeStudy, span_months, study
from fabless.report.canvas import WIDE, as_svg
from fabless.report.programme_charts import picture
from fabless.sampling import stream

OCTOBER = ("--as-of", "2023-10-31")
FEW = ("--draws", "2000")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The program in an empty folder, on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Run("programme", capsys, monkeypatch)


@pytest.fixture(scope="module")
def october() -> Catalogue:
    return load(dt.date(2023, 10, 31))


@pytest.fixture(scope="module")
def graphcore(october: Catalogue) -> ProgrammeStudy:
    return study(october, Route.ACQUIRE, candidate=candidate(october, "graphcore"), draws=20_000)


# -------------------------------------------------------------------------------------------------------------
# answers


@pytest.mark.parametrize("route", ["build", "co-design", "acquire"])
def test_each_route_fits_a_terminal(run: Run, route: str) -> None:
    assert run(route, *OCTOBER, *FEW) == 0, run.err
    assert max(map(len, run.out.splitlines())) <= 80
    for words in ("reach volume", "first silicon 20", "P10", "capital at risk", "ends before volume", "Assumed"):
        assert words in run.out
    assert ("Candidates on 2023-10-31" in run.out) == (route == "acquire")


def test_json_says_what_the_screen_says(run: Run) -> None:
    assert run("build", *OCTOBER, *FEW) == 0
    screen = run.out
    assert run("build", *OCTOBER, *FEW, "--json") == 0
    told = json.loads(run.out)
    assert told["route"] == "build"
    assert told["as_of"] == "2023-10-31"
    assert round(100 * told["outcomes"]["volume"]["mean"]) == int(re.search(r"(\d+)% reach volume", screen)[1])  # type: ignore[index]
    assert told["volume"][1] in screen
    assert sum(told["outcomes"][name]["mean"] for name in told["outcomes"]) == pytest.approx(1.0)
    ended = told["rates"][0]
    assert (ended["name"], ended["events"], ended["cases"]) == ("ends before volume", 3.5, 6.0)
    assert ended["pooled"]["low"] < ended["pooled"]["mean"] < ended["pooled"]["high"]
    assert told["assumed"]["team"]["grade"] == "assumption"
    assert len(told["spend_by_quarter_usd"]) == told["quarters"] == 40


@pytest.mark.parametrize("route", [Route.BUILD, Route.CO_DESIGN, Route.ACQUIRE])
def test_the_stages_come_out_as_the_class_has_the_whole(october: Catalogue, route: Route) -> None:
    """P50 and P90 of the drawn volume are those of the class's law, which knows nothing of
    stages."""
    found = study(october, route, draws=20_000)
    _, middle, late = span_months(found.reference.span_s)
    volume = found.summary.volume_month
    assert volume is not None
    closed = 26 / 3 if route is Route.ACQUIRE else 0.0  # months from the bid to the close: 4, 8, 14
    assert volume.p50 - closed == pytest.approx(middle, rel=0.1)
    assert volume.p90 - closed == pytest.approx(late, rel=0.1)


def test_a_second_generation_comes_after_the_first_and_costs_more(october: Catalogue) -> None:
    alone, both = (study(october, Route.BUILD, draws=8000, second=second) for second in (False, True))
    assert alone.second_volume is None
    first, later = both.summary.volume_month, both.summary.second_volume_month
    assert first is not None
    assert later is not None
    assert later.p50 > first.p50 + 6
    assert both.summary.spend_usd.mean > alone.summary.spend_usd.mean + 5e7
    assert "second_gain" in both.assumed
    assert "second_gain" not in alone.assumed


def test_the_same_seed_gives_the_same_bytes(run: Run) -> None:
    outputs = []
    for seed in ("7", "7", "8"):
        assert run("co-design", *OCTOBER, *FEW, "--seed", seed, "--json") == 0
        outputs.append(run.out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_newest_day_is_the_default(run: Run) -> None:
    assert run("build", *FEW, "--json") == 0
    assert json.loads(run.out)["rates"][0]["cases"] == 7  # one more than in October 2023: Maia 100


def test_a_start_moves_every_quarter(run: Run) -> None:
    years = []
    for start in ("2024Q1", "2026Q1"):
        assert run("build", *OCTOBER, *FEW, "--start", start, "--json") == 0
        years.append([int(quarter[:4]) for quarter in json.loads(run.out)["volume"]])
    assert [late - early for early, late in zip(*years, strict=True)] == [2, 2, 2]


def test_a_case_brings_its_own_numbers(run: Run) -> None:
    """The same draws as the planner's programme, from the parameters that it uses."""
    assert run("build", "--case", "openai-2023", *FEW, "--json") == 0
    told = json.loads(run.out)
    question, _ = counted(read_case(), load(read_case().as_of))
    item = next(item for item in question.programmes if item.route == "build")
    parameters = programme_model_of(item, question.numbers.programmes[item.name])
    mine = summary(simulate(parameters, 2000, stream(2023, f"programme {parameters.name}"), quarters=40))
    assert told["case"] == "openai-2023, own-build"
    assert told["start"] == "2023Q4"
    assert told["spend_usd"]["p50"] == pytest.approx(mine.spend_usd.p50)
    assert told["assumed"] == {}


# --------------------------------------------------------------------------------------------------------
# acquisition


def test_a_distressed_seller_is_paid_a_part_of_its_valuation(graphcore: ProgrammeStudy) -> None:
    """2.77 billion USD times a triangular 0.2, 0.4, 0.8, whose median is 0.4536 and P10 and P90
    0.310 and 0.645."""
    assert graphcore.price_usd is not None
    triangle = [0.2 + np.sqrt(0.1 * 0.6 * 0.2), 0.8 - np.sqrt(0.5 * 0.6 * 0.4), 0.8 - np.sqrt(0.1 * 0.6 * 0.4)]
    assert [
        graphcore.price_usd.p10, graphcore.price_usd.p50, graphcore.price_usd.p90,
    ] == pytest.approx([2.77e9 * float(part) for part in triangle], rel=0.02)


def test_a_chip_in_the_fab_comes_sooner_than_one_in_design() -> None:
    """Groq in July 2024, its next chip taped out, and the same company with nothing known of a next
    chip."""
    day = load(dt.date(2024, 7, 1))
    groq = candidate(day, "groq")
    assert groq.next_stage == "taped out"
    waits = [study(day, Route.ACQUIRE, candidate=replace(groq, next_stage=stage), draws=4000)
             for stage in ("taped out", "design", None)]
    assert [one.stands_at for one in waits] == ["silicon", "RTL and verification", ""]
    months = [one.summary.volume_month.p50 for one in waits if one.summary.volume_month is not None]
    assert months[0] + 3 < months[1] < months[2]
    names = [{stage.name for stage in one.summary.stages} for one in waits]
    assert "physical design" not in names[0]
    assert "architecture" not in names[1]


def test_a_candidate_without_a_valuation_says_so(run: Run) -> None:
    assert run("acquire", "--candidate", "rain-ai", *OCTOBER, *FEW) == 0
    assert "no valuation known" in run.out
    assert re.search(r"last valuation\s+no source", run.out)


def test_candidates_of_a_day(run: Run) -> None:
    assert run("candidates", *OCTOBER) == 0
    assert "15 candidates on 2023-10-31" in run.out
    assert "graphcore*" in run.out
    assert run("candidates", *OCTOBER, "--json") == 0
    assert {one["name"] for one in json.loads(run.out)["candidates"]} >= {"graphcore", "groq", "cerebras"}
    assert run("candidates", "--as-of", "2010-01-01") == 0
    assert "No candidate was known" in run.out


# -------------------------------------------------------------------------------------------------------------
# picture


def test_the_picture_shows_each_stage_outcome_and_the_spend(graphcore: ProgrammeStudy, run: Run) -> None:
    assert run("acquire", "--candidate", "graphcore", *OCTOBER, *FEW, "--svg", "new/line.svg") == 0
    assert "Picture: new/line.svg" in run.out
    root = ElementTree.fromstring(Path("new/line.svg").read_text(encoding="utf-8"))
    words = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    for wanted in ("deal", "integration", "physical design", "respins", "qualification", "reaches volume", "bid fails"):
        assert wanted in words
    assert any(text.startswith("P50") for text in words)
    assert "Graphcore" in root.attrib["aria-label"]
    boxes = text_boxes(as_svg(picture(graphcore, WIDE), "picture"))
    assert overlapping(boxes) == []


def text_boxes(svg: str) -> list[tuple[str, float, float]]:
    """Text, left end and baseline of each text of a drawing, by adding up the translations above
    it."""
    found: list[tuple[str, float, float]] = []

    def walk(node: ElementTree.Element, x: float, y: float) -> None:
        moved = re.search(r"translate\(([-\d.]+),\s*([-\d.]+)\)", node.attrib.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if node.tag.endswith("text") and node.text:
            width = 6.0 * len(node.text) * {"end": 1.0, "middle": 0.5}.get(node.attrib.get("text-anchor", ""), 0.0)
            found.append((node.text, x - width, y))
        for below in node:
            walk(below, x, y)

    walk(ElementTree.fromstring(svg), 0.0, 0.0)
    return found


def overlapping(boxes: Sequence[tuple[str, float, float]]) -> list[tuple[str, str]]:
    """Pairs of texts that stand on one another: 6 px a letter, 9 px a line."""
    return [(one[0], other[0]) for k, one in enumerate(boxes) for other in boxes[:k]
            if abs(one[2] - other[2]) < 9
            and one[1] < other[1] + 5.0 * len(other[0]) and other[1] < one[1] + 5.0 * len(one[0])]


# --------------------------------------------------------------------------------------------------------------
# errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bild",), "did you mean build?"),
        (("acquire", "--candidate", "graphcor", *OCTOBER), "did you mean graphcore"),
        (
            ("acquire", "--candidate", "densityai", *OCTOBER),
            "became known on 2025-08-31, after 2023-10-31",
        ),
        (
            ("acquire", "--candidate", "graphcore", "--as-of", "2025-01-01"),
            "was sold: known on 2024-07-11, to SoftBank",
        ),
        (("build", "--candidate", "groq", *OCTOBER), "only with acquire"),
        (("acquire", "--candidate", "groq", "--case", "openai-2023"), "one of the two"),
        (("build", "--second", "--case", "openai-2023"), "leave one of the two out"),
        (("build", "--as-of", "2005-01-01"), "no chip programme was known yet"),
        (("build", "--as-of", "2020-01-01"), "became known on"),
        (("build", "--as-of", "yesterday"), "YYYY-MM-DD"),
        (("build", "--start", "2024"), "YYYYQ1 to YYYYQ4"),
        (("build", "--draws", "3"), "100 to 2,000,000"),
        (("build", "--svg", "line.png"), "ends in .svg"),
        (("build", "--case", "nobody"), "unknown case"),
    ],
)
def test_errors_say_what_is_allowed(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert run(*arguments) == 2
    assert run.out == ""
    assert said in " ".join(run.err.split())
    assert "Traceback" not in run.err


def test_all_faults_come_at_once(run: Run) -> None:
    assert run("bild", "--draws", "1", "--start", "soon", "--svg", "a.png") == 2
    assert "4 errors" in run.err


def test_a_wrong_candidate_lists_those_of_the_day(run: Run) -> None:
    assert run("acquire", "--candidate", "habana", *OCTOBER) == 2
    for name in ("alphawave", "graphcore", "untether-ai"):
        assert name in run.err
