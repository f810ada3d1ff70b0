"""What people read: the same numbers in JSON, in the terminal and on paper, and nothing from
outside."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from decision_fixture import decision
from fabless import wording
from fabless.decide import Band, Decision, Questions
from fabless.decide.accounts.results import BridgeRow, Margin
from fabless.decide.results import FirstLook
from fabless.errors import BadFile
from fabless.records import Grade, Source
from fabless.report.document import as_document, as_json, plain_data
from fabless.report.files import write_whole
from fabless.report.html import chip_cost_table, summary_rows
from fabless.report.money import (
    cause_bridge,
    headline_bridge,
    money_row,
    spend_tables,
    standing,
)
from fabless.report.page.file import as_html, write_report
from fabless.report.terminal import Column, print_decision, print_first_look, print_table
from fabless.units import Quarter
from page_reader import Reader

HOSTILE = '<script>alert("1")</script> [bold]& \' "'


@pytest.fixture(scope="module")
def chosen() -> Decision:
    return decision()


@pytest.fixture(scope="module")
def page(chosen: Decision) -> str:
    return as_html(chosen)


def terminal(chosen: Decision, width: int, encoding: str = "utf-8", report: Path | None = None) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, write_through=True)
    print_decision(chosen, Console(file=stream, width=width), report)
    return buffer.getvalue().decode(encoding)


# JSON
# ---------------------------------------------------------------------------------------------------------------

def test_json_gives_every_way_with_its_band(chosen: Decision) -> None:
    read = json.loads(as_json(chosen))
    names = [way["name"] for way in read["strategies"]]
    assert names == ["buy", "diversify", "partner", "build", "acquire", "portfolio"]
    for way, told in zip(chosen.strategies, read["strategies"], strict=True):
        assert told["cost_per_query_usd"] == dataclasses.asdict(way.cost_per_query_usd)
        year, spread = way.cost_per_query_by_year_usd[0]
        assert told["cost_per_query_by_year_usd"][0] == {"year": year, "cost_per_query_usd": dataclasses.asdict(spread)}
    assert read["strategies"][0]["own_silicon_quarter"] is None
    assert read["strategies"][-1]["own_silicon_quarter"] == {"p10": "2026Q4", "p50": "2027Q4", "p90": "2029Q3"}
    assert set(read["strategies"][0]["fleet_by_quarter"][0]) == {"quarter", "offer", "chips"}
    assert read["assumptions"][0]["grade"] == "derived"
    assert read["assumptions"][0]["known"] == "2023-10-31"


def test_json_keeps_field_order_and_leaves_only_the_time_out(chosen: Decision) -> None:
    fields = [field.name for field in dataclasses.fields(Decision) if field.name != "seconds"]
    assert list(as_document(chosen)) == fields
    assert as_json(chosen) == as_json(dataclasses.replace(decision(), seconds=99.0))


def test_json_never_holds_what_is_not_finite(chosen: Decision) -> None:
    broken = dataclasses.replace(
        chosen.strategies[0], gap=math.nan,
        cost_per_query_usd=Band(-math.inf, math.nan, math.inf, np.float64("nan")),
    )
    text = as_json(dataclasses.replace(chosen, strategies=(broken,)))
    assert "NaN" not in text
    assert "Infinity" not in text
    way = json.loads(text)["strategies"][0]
    assert way["gap"] is None
    assert way["cost_per_query_usd"] == {"p10": None, "p50": None, "p90": None, "mean": None}


def test_plain_data_of_other_kinds() -> None:
    assert plain_data({"b": np.array([1.0, math.nan]), "a": Quarter(2023, 4)}) == {"a": "2023Q4", "b": [1.0, None]}
    assert list(plain_data({"b": 1, "a": 2})) == ["a", "b"]  # type: ignore[arg-type]
    assert plain_data((Grade.FILING, np.bool_(True), np.int64(3), True)) == ["filing", True, 3, True]
    with pytest.raises(TypeError, match="object has no plain form"):
        plain_data(object())


# numbers
# ------------------------------------------------------------------------------------------------------------

@given(st.floats(1e-6, 1e14))
def test_money_reads_back_within_half_a_unit_of_its_last_digit(value: float) -> None:
    text = wording.usd(value)
    scale = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1.0)
    assert float(text.lstrip("$").rstrip("kMBT").replace(",", "")) * scale == pytest.approx(value, rel=0.0051)
    assert len(text) <= 11


@pytest.mark.parametrize("write", [wording.usd, wording.cents, wording.in_percent, wording.count])
def test_what_is_missing_is_a_dash_and_never_nought(write: object) -> None:
    assert callable(write)
    assert {write(None), write(math.nan), write(math.inf)} == {wording.MISSING}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0049, "<1%"), (0.0051, "1%"), (0.9949, "99%"), (0.996, ">99%"), (1.0, "100%")],
)
def test_shares_near_none_and_all(value: float, text: str) -> None:
    assert wording.in_percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(9999.4, "9,999"), (9999.6, "10.0k"), (999_600.0, "1.00M"), (-12_000.0, "−12.0k")],
)
def test_counts_change_suffix_where_they_round(value: float, text: str) -> None:
    assert wording.count(value) == text


# terminal
# -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_screen_holds_every_way_in_its_width(chosen: Decision, width: int) -> None:
    lines = terminal(chosen, width, report=Path("/tmp/x/report.html")).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 135, "the verdict and its claims take ten of them at most"
    assert lines[0].startswith("Start the own chip and buy from Nvidia.")
    assert [line.split()[0] for line in lines if line.startswith(("Sure?", "Own chip?", "Start now:"))
            ] == ["Sure?", "Own", "Start"]
    assert "Take the portfolio" in "".join(lines[:12])
    table = [line.split() for line in lines if re.match(r"[a-z]+\*? +\d\.\d\d +\d\.\d\d", line)]
    rows = {cells[0].rstrip("*"): cells for cells in reversed(table)}
    by_year = {cells[0]: cells[1:] for cells in table}
    for way in chosen.strategies:
        cost = way.cost_per_query_usd
        assert rows[way.name][1:4] == [wording.cents(value) for value in (cost.p10, cost.p50, cost.p90)]
        assert by_year[way.name] == [wording.cents(band.p50) for _, band in way.cost_per_query_by_year_usd]
        assert wording.in_percent(way.shortage_probability) in rows[way.name]
    text = " ".join(" ".join(lines).split())
    assert "by 2023-12-31: order 24,000 H100 from Nvidia, running from 2024Q3, $790M" in text
    assert "0.76 cents at 20% a year (buy first)" in text
    assert "Lead time" not in text, "only the three largest"
    for words in (
        "the own chip −$600M ± $400M", chosen.questions.flips[0].text,
        "$48.8B ± $976M cash and unserved demand, $46.9B on the 81", "portfolio first in 8",
        "7% of that year's compute missing, not 4%", "gap 0.09%",
    ):
        assert words in text
    assert lines[-1] == "Report: /tmp/x/report.html"


SCALES = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def amount(text: str) -> float:
    """Read an amount as printed, in hundredths of a dollar or more."""
    bare = text.replace("$", "").replace("−", "-").replace(",", "")
    return float(bare.rstrip("kMBT")) * SCALES.get(bare[-1], 1.0)


def told_sum(texts: Iterable[str]) -> float:
    return sum(map(amount, texts))


def test_parts_of_the_money_add_up_as_printed(chosen: Decision) -> None:
    lines = terminal(chosen, 80).splitlines()
    for way in chosen.strategies:
        row = next(line for line in lines if re.match(rf"{way.name} +\$", line)).split()
        assert told_sum(row[1:4]) == pytest.approx(amount(row[4]), rel=1e-12)
        assert amount(row[4]) == pytest.approx(way.total_usd, rel=5.1e-3)
    assert money_row(chosen.strategies[0], chosen).total in " ".join(lines)


def test_bridges_and_spend_add_up_as_printed(chosen: Decision) -> None:
    """Also where parts cancel, and where the whole is small beside them."""
    best = chosen.strategies[-1]
    rows = (*best.against.bridge, BridgeRow(part="odd", usd=9.4049e9, how=""))
    odd = dataclasses.replace(best.against, bridge=rows)
    for bridge in (headline_bridge(best, chosen), cause_bridge(best.against), cause_bridge(odd)):
        assert told_sum(step.text for step in bridge.steps) == pytest.approx(
            amount(bridge.text), rel=1e-9, abs=1.0)
        assert bridge.usd == pytest.approx(math.fsum(step.usd for step in bridge.steps), rel=1e-12)
    for most in (None, 3):
        for table in spend_tables(best, chosen, most):
            for k, total in enumerate(table.totals):
                assert told_sum(texts[k] for _, texts in table.rows) == pytest.approx(amount(total))
    assert headline_bridge(best, chosen).usd == pytest.approx(best.total_usd, rel=1e-12)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=9))
def test_printed_parts_of_any_sum_add_up(parts: list[float]) -> None:
    texts, total = wording.usd_parts(parts)
    size = max(map(abs, (*parts, math.fsum(parts))))
    assert told_sum(texts) == pytest.approx(amount(total), rel=1e-9, abs=1e-6 + 1e-9 * size)
    step = wording.usd_step(size)
    assert all(abs(amount(text) - part) <= 1.01 * step
               for text, part in zip(texts, parts, strict=True))


def test_a_lead_within_two_errors_is_never_best(chosen: Decision) -> None:
    ways = [dataclasses.replace(way, regret_error_usd=0.6 * way.regret_usd) if way.name == "diversify"
            else way for way in chosen.strategies]
    tied = dataclasses.replace(chosen, strategies=tuple(ways))
    for text in (terminal(tied, 80), as_html(tied)):
        assert "first, tied" in text
        assert "tie (+$4.10B ± $4.92B)" in " ".join(text.split())
    assert not re.search(r"\bbest$", terminal(tied, 80), re.MULTILINE)
    assert re.search(r"\bbest$", terminal(chosen, 80), re.MULTILINE)
    look = FirstLook(answer="Buy.", recommended="portfolio", strategies=tuple(ways), paths=10)
    page = io.StringIO()
    print_first_look(look, Console(file=page, width=80))
    assert "first, tied" in page.getvalue(), "nor while the rest is worked out"
    twin = dataclasses.replace(ways[0], regret_usd=0.0, regret_error_usd=0.0)
    same = dataclasses.replace(chosen, strategies=(twin, *chosen.strategies[1:]))
    assert [standing(way, same) for way in same.strategies if way.name in ("buy", "portfolio")] == [
        "the same", "best"]


def test_costs_that_differ_are_not_printed_alike() -> None:
    values = [0.00116, 0.00121, 0.0124]
    decimals = wording.cent_decimals(values)
    assert len({wording.cents(value, decimals) for value in values}) == 3
    assert wording.cent_decimals([0.00119, 0.00120]) == 2, "no more digits than the reader needs"


def test_a_terminal_without_symbols_gets_ascii_with_the_same_numbers(chosen: Decision) -> None:
    poor, rich = terminal(chosen, 80, "ascii"), terminal(chosen, 80)
    assert poor.isascii()
    assert poor.count("?") == rich.count("?")
    assert re.findall(r"\d+\.\d+", poor) == re.findall(r"\d+\.\d+", rich)


def test_numbers_are_never_cut_and_markup_is_text() -> None:
    stream = io.StringIO()
    columns = ["Name", *(Column(f"value {k}", True) for k in range(9))]
    print_table(
        "[red]T[/red]", columns, [["[bold]a[/bold] long name of words", *["123,456.789"] * 9]],
        Console(file=stream, width=60),
    )
    assert stream.getvalue().count("123,456.789") == 9
    assert "[red]T[/red]" in stream.getvalue()
    assert "[bold]a" in stream.getvalue()


# HTML
# ---------------------------------------------------------------------------------------------------------------

def test_the_page_asks_nothing_from_outside(page: str) -> None:
    reader = Reader(page)
    assert [script.get("type") for script in reader.of("script")] == ["application/gzip", "module"]
    assert not reader.of("link")
    for tag, attributes in reader.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            target = attributes.get(name)
            if target and not target.startswith("#"):
                assert (tag, name) == ("a", "href"), f"<{tag} {name}={target}>"
    assert set(re.findall(r"url\((.{9})", page)) == {"data:font", "#pattern-"}
    assert "@import" not in page


def test_the_page_is_well_formed_and_in_order(page: str) -> None:
    reader = Reader(page)
    assert not reader.open
    assert reader.of("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    names = [attributes["id"] for _, attributes in reader.tags if attributes.get("id")]
    assert len(names) == len(set(names))
    inner = {link["href"] for link in reader.of("a") if str(link["href"]).startswith("#")}
    assert inner <= {f"#{name}" for name in names}
    assert all(cell.get("scope") for cell in reader.of("th"))
    assert all(picture.get("aria-label") or picture.get("aria-hidden") for picture in reader.of("svg"))
    assert len(reader.of("figure")) == len(reader.of("figcaption")) == 17


def test_the_page_tells_what_the_decision_holds(page: str, chosen: Decision) -> None:
    words = " ".join("".join(Reader(page).words).split())
    order = [
        chosen.answer, "How the ways compare", "The whole money", "From the cents to the total",
        "What is paid, for what and when", "What to do in the first 90 days",
        "Fleet and cost through time", "Year by year", "What a query costs",
        "Timeline of the own chip", "What moves the answer", "When an own chip would pay",
        "What options, waiting and knowledge are worth", "How well the answer holds",
        "Every input of the case", "Warnings", "How this was computed",
    ]
    places = [words.rindex(text) if text != chosen.answer else words.index(text) for text in order]
    assert places == sorted(places)
    for way in chosen.strategies:
        assert f"{wording.cents(way.cost_per_query_usd.p50)}" in words
        assert standing(way, chosen) in words
    for text in (chosen.digest, str(chosen.seed), "$932M", *chosen.warnings, *(line.how for line in chosen.build_up)):
        assert text in words


def test_the_page_prices_a_query_on_every_chip_and_says_why_not(chosen: Decision, page: str) -> None:
    words = " ".join("".join(Reader(page).words).split())
    assert len(chosen.query_costs) == 4
    for item in chosen.query_costs:
        assert f"{item.title}" in words
        assert item.why in words
        told = wording.cents(item.usd, 3 if item.load == "gpt-3.5-class" else 2)
        assert told in words
    opened = [attributes for attributes in Reader(page).of("details") if "open" in attributes]
    assert (len(opened), len(Reader(page).of("details"))) == (2, 3), "what is used is shown"


def test_the_margin_is_told_where_revenue_is_stated(chosen: Decision) -> None:
    margin = Margin(loads=("chat",), revenue_usd=30.04e9, query_cash_usd=9.1e9, margin_usd=20.94e9,
                    error_usd=0.5e9)
    ways = tuple(dataclasses.replace(way, margin=margin) for way in chosen.strategies)
    stated = dataclasses.replace(chosen, strategies=ways)
    for text in (terminal(stated, 80), "".join(Reader(as_html(stated)).words)):
        assert ("queries to gpt-3.5-class bring in $30.0B and cost $9.1B of cash, a margin of $20.9B "
                "± $1.00B") in " ".join(text.split())
    assert "a margin of" not in terminal(chosen, 80)


def test_inputs_lead_to_their_assumption_and_on_to_its_source(chosen: Decision) -> None:
    line = dataclasses.replace(chosen.build_up[0], inputs=("price.h100-sxm", "not an assumption"))
    text = as_html(dataclasses.replace(chosen, build_up=(line,)))
    at = [number.name for number in chosen.assumptions].index("price.h100-sxm") + 1
    assert f'<a href="#input-{at}">price.h100-sxm</a>, not an assumption' in text
    assert f'<a href="#input-{at}">Price of H100</a>' in text
    row = text[text.index(f'<tr id="input-{at}">') :]
    row = row[: row.index("</tr>")]
    assert chosen.assumptions[at - 1].source.url in row
    assert ">25,000<" in row
    assert ">40,000<" in row


def test_hostile_names_stay_text(chosen: Decision) -> None:
    way_before = chosen.strategies[-1].name
    way = dataclasses.replace(
        chosen.strategies[-1], name=HOSTILE, title=HOSTILE,
        fleet_by_quarter=tuple(
            (quarter, HOSTILE if offer == "own-chip" else offer, chips)
            for quarter, offer, chips in chosen.strategies[-1].fleet_by_quarter
        ),
    )
    number = dataclasses.replace(chosen.assumptions[0], name=f"finance.{HOSTILE}", note=HOSTILE,
                                 source=Source("x", HOSTILE, "javascript:alert(1)", HOSTILE))
    pairs = tuple(dataclasses.replace(
        pair, way=HOSTILE if pair.way == way_before else pair.way,
        other=HOSTILE if pair.other == way_before else pair.other) for pair in chosen.pairs)
    futures = dataclasses.replace(
        chosen.futures,
        ways=(*chosen.futures.ways[:-1], dataclasses.replace(chosen.futures.ways[-1], way=HOSTILE)),
        courses=tuple(dataclasses.replace(course, way=HOSTILE) if course.way == way_before else course
                      for course in chosen.futures.courses),
    )
    hostile = dataclasses.replace(
        chosen, futures=futures, pairs=pairs, title=HOSTILE, answer=HOSTILE, recommended=HOSTILE, warnings=(HOSTILE,),
        strategies=(*chosen.strategies[:-1], way), assumptions=(*chosen.assumptions, number),
    )
    text = as_html(hostile)
    reader = Reader(text)
    assert len(reader.of("script")) == 2
    assert not any(str(link["href"]).startswith("javascript") for link in reader.of("a"))
    assert HOSTILE in reader.words
    assert HOSTILE in terminal(hostile, 120)


def test_a_decision_with_little_in_it_still_makes_a_page(chosen: Decision) -> None:
    bare = dataclasses.replace(
        chosen.strategies[0], cost_per_query_by_year_usd=(), shortage_by_year=(),
        fleet_by_quarter=(), cost_by_quarter_usd=(), actions=(), spend=(), headline=(),
    )
    text = as_html(
        dataclasses.replace(
            chosen, strategies=(bare,), recommended="buy", questions=Questions(), build_up=(),
            query_costs=(), timeline=(), demand_by_quarter=(), assumptions=(), warnings=(),
            shadow_prices=None, near_best=None, leverage=None,
        )
    )
    assert len(Reader(text).of("figure")) == 1
    assert "No way considered here starts an own chip." in text


def test_the_summary_names_what_would_change_the_answer(chosen: Decision) -> None:
    lines = dict(summary_rows(chosen))
    assert "Growth of demand at 20% a year (buy first)" in lines["What would change it"]
    turn = chosen.questions.flips[0].text
    assert lines["What would change it"].endswith(f" {turn}.")
    steady = Questions(sensitivities=chosen.questions.sensitivities[2:4])
    assert (
        dict(summary_rows(dataclasses.replace(chosen, questions=steady)))["What would change it"]
        == "None of the 2 inputs tried, each at the low and the high end of its range, changes which single "
        "way ranks first."
    )


# files
# --------------------------------------------------------------------------------------------------------------

def test_the_same_decision_gives_the_same_bytes(tmp_path: Path, page: str) -> None:
    target = write_report(dataclasses.replace(decision(), seconds=99.0), tmp_path / "new" / "report.html")
    assert target.read_bytes() == page.encode()
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    write_whole(target, "old")

    def full(self: Path, other: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BadFile, match="No space left on device"):
        write_whole(target, "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.html", "old")]


def test_an_unwritable_path_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "file" / "report.html", tmp_path / "folder"):
        with pytest.raises(BadFile, match=re.escape(str(target))):
            write_whole(target, "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_unit_costs_add_up_and_lead_to_their_input(chosen: Decision) -> None:
    table = chip_cost_table(chosen.chip_costs)
    assert table.names == ("co-design", "own-build")
    assert table.totals == (3130.0, 3140.0)
    page = as_html(chosen)
    assert "$3.13k" in page
    assert "$3.14k" in page
