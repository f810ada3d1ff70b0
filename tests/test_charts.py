"""Charts: labels never collide, colours can be told apart, the picture holds the numbers of the
decision."""

from __future__ import annotations

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_fixture import band, decision
from fabless.decide import BuildUpRow, Decision, WayResult
from fabless.report import canvas, charts, money_charts, question_charts, time_charts
from fabless.report.canvas import WIDE, Spec, as_svg, ink_on, spread
from fabless.report.money import cause_bridge, headline_bridge, spend_panels


@pytest.fixture(scope="module")
def chosen() -> Decision:
    return decision()


def best(chosen: Decision) -> WayResult:
    return next(way for way in chosen.strategies if way.name == chosen.recommended)


def every_chart(chosen: Decision, width: int) -> dict[str, Spec]:
    way = best(chosen)
    return {
        "comparison": charts.comparison(chosen.strategies, chosen.recommended, width),
        "build_up": charts.build_up_chart(chosen.build_up, width),
        "sensitivity": charts.sensitivity(
            chosen.questions.sensitivities, way.cost_per_query_usd.p50, width),
        "fleet": time_charts.fleet(way, chosen.titles, width),
        "course": time_charts.cost_and_demand(way, chosen.demand_by_quarter, width),
        "timeline": time_charts.chip_timeline(chosen.timeline, chosen.titles, chosen.first_quarter, width),
        "pays": question_charts.pays(chosen.questions.surfaces[0], width),
        "sobol": question_charts.sobol(chosen.questions.sobol, width),
        "headline": money_charts.bridge_chart(
            headline_bridge(way, chosen), "Total", width, signed=False),
        "why": money_charts.bridge_chart(
            cause_bridge(way.against), "Difference", width, signed=True),
        "spend": money_charts.spend_by_year(spend_panels(way, chosen), width),
    }


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    "name",
    ["comparison", "build_up", "sensitivity", "fleet", "course", "timeline", "pays", "sobol",
     "headline", "why", "spend"],
)
def test_a_chart_draws_the_same_picture_twice_within_its_width(
    chosen: Decision, name: str
) -> None:
    svg = as_svg(every_chart(chosen, WIDE)[name], "what it shows")
    assert svg == as_svg(every_chart(decision(), WIDE)[name], "what it shows")
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "what it shows"
    assert 0.8 * WIDE < float(root.get("width", "0")) < 1.12 * WIDE
    assert "NaN" not in svg
    assert "undefined" not in svg
    assert " id=" not in svg, "identifiers would collide between the pictures of one page"


def test_the_comparison_labels_every_way_with_its_numbers(chosen: Decision) -> None:
    said = texts(as_svg(charts.comparison(chosen.strategies, chosen.recommended, WIDE), "x"))
    assert [text for text in said if text in {way.name for way in chosen.strategies}] == [
        "portfolio", "diversify", "partner", "buy", "build", "acquire"]
    for label in ("0.52 (0.32–0.78)", "0.71 (0.44–1.35)", "19%", "52%"):
        assert label in [" ".join(text.split()) for text in said]


def test_the_build_up_is_as_long_as_its_parts_together(chosen: Decision) -> None:
    spec = charts.build_up_chart(chosen.build_up, WIDE)
    bars = spec["layer"][0]["data"]["values"]  # type: ignore[index, call-overload]
    ends = {row["row"]: row["to"] for row in spec["layer"][2]["data"]["values"]}  # type: ignore[index, call-overload]
    for name, end in ends.items():
        own = [row for row in bars if row["row"] == name]
        assert own[0]["from"] == 0.0
        assert all(one["to"] == pytest.approx(two["from"]) for one, two in itertools.pairwise(own))
        assert own[-1]["to"] == pytest.approx(end)
    assert ends["gpt-3.5-class on H100, bought from Nvidia"] == pytest.approx(
        0.041 + 0.022 + 0.007 + 0.0035 + 0.005)


def test_a_waterfall_ends_at_the_sum_of_its_steps(chosen: Decision) -> None:
    """Each step begins where the one before ended, also where steps go both ways."""
    against = best(chosen).against
    spec = money_charts.bridge_chart(cause_bridge(against), "Difference", WIDE, signed=True)
    *steps, whole = spec["data"]["values"]  # type: ignore[index, call-overload]
    at = 0.0
    for step, row in zip(steps, against.bridge, strict=True):
        assert sorted((at, at + row.usd)) == pytest.approx([step["low"], step["high"]], abs=10.0)
        at += row.usd
    assert (whole["low"], whole["high"]) == pytest.approx((against.difference_usd, 0.0), abs=10.0)


def test_the_bars_of_a_year_are_as_high_whichever_way_they_are_cut(chosen: Decision) -> None:
    way = best(chosen)
    spec = money_charts.spend_by_year(spend_panels(way, chosen), WIDE)
    for year in (2023, 2031):
        paid = sum(row.usd for row in way.spend if row.year == year)
        for panel in spec["hconcat"]:  # type: ignore[union-attr]
            rows = panel["data"]["values"]  # type: ignore[index, call-overload]
            assert max(row["to"] for row in rows if row["year"] == str(year)) == pytest.approx(paid)


def test_the_stack_of_the_fleet_adds_up_to_the_mean_of_all_offers(chosen: Decision) -> None:
    way = best(chosen)
    rows = time_charts.fleet(way, chosen.titles, WIDE)["layer"][0]["data"]["values"]  # type: ignore[index, call-overload]
    for quarter, when in (("2023Q4", "2023-10-01"), ("2026Q3", "2026-07-01"), ("2031Q3", "2031-07-01")):
        total = sum(band.mean for at, _, band in way.fleet_by_quarter if at == quarter)
        assert max(row["to"] for row in rows if row["when"] == when) == pytest.approx(total, rel=1e-8)


def test_offers_beyond_the_colours_are_drawn_together(chosen: Decision) -> None:
    way = dataclasses.replace(
        best(chosen),
        fleet_by_quarter=tuple(
            (quarter, f"offer-{k}", band(10.0 + k))
            for quarter in ("2023Q4", "2024Q1")
            for k in range(12)
        ),
    )
    said = " ".join(texts(as_svg(time_charts.fleet(way, {"offer-11": "Eleventh"}, WIDE), "x")))
    assert "all others" in said
    assert "Eleventh" in said
    assert "offer-10" in said
    assert "offer-0 " not in said


def test_a_timeline_dates_the_end_of_each_stage(chosen: Decision) -> None:
    svg = as_svg(time_charts.chip_timeline(chosen.timeline, chosen.titles, "2023Q4", WIDE), "x")
    said = [" ".join(text.split()) for text in texts(svg)]
    # 50 months from 1 October 2023 lie in 2027Q4; 0.85 x 50 = 42.5 in 2027Q2; 1.4 x 50 = 70 in
    # 2029Q3
    assert "2027Q4 (2027Q2–2029Q3)" in said


def test_ends_of_an_input_on_one_side_of_the_base_keep_their_labels_apart(chosen: Decision) -> None:
    one = dataclasses.replace(chosen.questions.sensitivities[0], cost_low_usd=0.007, cost_high_usd=0.008)
    rows = charts.sensitivity([one], 0.006, WIDE)["data"]["values"]  # type: ignore[index, call-overload]
    left, right = sorted(rows, key=lambda row: not row["left"])
    assert (left["beside"], right["beside"]) == (pytest.approx(0.6), pytest.approx(0.8))


def test_names_from_a_user_stay_text() -> None:
    line = BuildUpRow(
        model="m", offer="c", chip="c", title='<script>alert("x")</script> on a&b', part="]]>", usd=0.001,
        how="1 x 0.001")
    svg = as_svg(charts.build_up_chart([line], WIDE), '"><script>')
    assert "<script" not in svg
    assert '<script>alert("x")</script> on a&b' in texts(svg)


@given(st.lists(st.floats(0.0, 200.0), max_size=12))
def test_spread_labels_keep_order_distance_and_bounds(positions: list[float]) -> None:
    moved = spread(positions, 0.0, 200.0, 13.0)
    order = sorted(range(len(positions)), key=lambda k: (positions[k], k))
    placed = [moved[k] for k in order]
    assert all(b - a >= 13.0 - 1e-9 for a, b in itertools.pairwise(placed))
    assert all(-1e-9 <= place <= 200.0 + 1e-9 for place in placed)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                  for c in (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_on_its_ground() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)  # WCAG 2: the ends of the scale
    assert all(contrast(ink, canvas.SURFACE) >= 4.5 for ink in (canvas.INK, canvas.MUTED, canvas.WARN))
    assert all(contrast(ink_on(fill), fill) >= 4.5 for fill in canvas.SERIES)


def test_every_colour_the_dark_theme_swaps_is_one_the_charts_use() -> None:
    css = (canvas.__file__.rsplit("/", 1)[0]) + "/templates/report.css"
    with open(css, encoding="utf-8") as stream:
        swapped = set(re.findall(r'\[(?:fill|stroke)="(#[0-9a-f]{6})"\]', stream.read()))
    assert swapped == {
        canvas.INK, canvas.MUTED, canvas.GRID, canvas.SURFACE, canvas.OTHER, canvas.WARN,
        canvas.ACCENT, "#ffffff",
    }
