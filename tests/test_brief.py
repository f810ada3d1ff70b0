"""The one-page brief and the files of its first actions, from the made-up decision."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest

from decision_fixture import decision
from fabless.decide import Action, Decision
from fabless.report.actions_files import COLUMNS, actions_calendar, actions_table, first_actions
from fabless.report.page.brief import MOST_ACTIONS, PAPERS, brief_html, brief_of
from fabless.report.page.data import page_data
from fabless.report.page.dots import tick_values
from fabless.wording import cent_decimals, cents
from page_reader import Reader

LONG = "An institute with a name that does not end, and that a printer has to set all the same"


def with_actions(chosen: Decision, actions: tuple[Action, ...]) -> Decision:
    return replace(chosen, strategies=tuple(
        replace(way, actions=actions) if way.name == chosen.recommended else way
        for way in chosen.strategies))


@pytest.fixture(scope="module")
def chosen() -> Decision:
    return decision()


def crowd(chosen: Decision) -> Decision:
    """Fourteen actions with long names, a long title and long names of the ways."""
    actions = tuple(replace(action, what=f"{action.what}, for {LONG}") for action in first_actions(chosen))
    return replace(with_actions(chosen, (actions * 4)[:14]), title=LONG, way_titles=dict.fromkeys(
        chosen.way_titles, LONG))


@pytest.fixture(scope="module")
def crowded(chosen: Decision) -> Decision:
    return crowd(chosen)


def test_the_brief_holds_verdict_claims_dots_actions_and_digest(chosen: Decision) -> None:
    page: dict[str, Any] = page_data(chosen)
    text = brief_html(chosen)
    reader = Reader(text)
    words = re.sub(r"\s+", " ", "".join(reader.words))
    for said in (page["verdict"]["action"], *page["claims"].values(), chosen.case_digest):
        assert said in words
    assert text.count("<circle") == 20 * len(chosen.strategies)
    decimals = cent_decimals(way.cost_per_query_usd.p50 for way in chosen.strategies)
    for way in chosen.strategies:
        assert f">{cents(way.cost_per_query_usd.p50, decimals)}</td>" in text
    for action in first_actions(chosen):
        assert f"{action.spend_usd / 1e6:,.0f}" in words
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_rings_are_the_futures_that_fall_short(chosen: Decision) -> None:
    text = brief_html(chosen)
    page: dict[str, Any] = page_data(chosen)
    rows = {way["slot"]: way for way in page["ways"]}
    pictures = [part for part in text.split("<svg") if "<circle" in part]
    assert len(pictures) == len(rows)
    for picture in pictures:
        slot = re.search(r"var\(--way-(\d)\)", picture)
        assert slot is not None
        assert picture.count('fill="#fff"') == sum(dot["s"] for dot in rows[int(slot[1])]["dots"])


def test_actions_beyond_the_sheet_are_counted(crowded: Decision) -> None:
    text = brief_html(crowded)
    assert f"And {14 - MOST_ACTIONS} more steps, in the report." in text
    assert text.count(LONG) >= MOST_ACTIONS


def test_a_decision_without_actions_or_table_still_fills_a_sheet(chosen: Decision) -> None:
    bare = with_actions(chosen, ())
    page: dict[str, Any] = {**page_data(bare), "controls": [], "own": {"programmes": [], "breaks": []}}
    text = brief_of(page, PAPERS["a4"])
    assert "Nothing is to be done in the first 90 days." in text
    assert "What would change it" not in text


def test_ticks_lie_on_the_axis() -> None:
    for low, high in ((0.013, 0.5), (1.0, 1.3), (3e-5, 2e-4), (0.2, 0.21)):
        for is_log in (True, False):
            ticks = tick_values(low, high, is_log=is_log)
            assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
            assert is_log or 2 <= len(ticks) <= 6


def test_the_calendar_is_valid_and_the_same_twice(crowded: Decision) -> None:
    text = actions_calendar(crowded)
    assert text == actions_calendar(crowded)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    unfolded = text.replace("\r\n ", "")
    lines = unfolded.splitlines()
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") >= 14
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(uids) == lines.count("BEGIN:VEVENT")
    for action in first_actions(crowded):
        assert f"DTSTART;VALUE=DATE:{action.due.replace('-', '')}" in lines
        assert action.owner in unfolded
    assert sum(line.startswith("SUMMARY:Stop or go on") for line in lines) == sum(
        action.stop is not None and action.stop.by != action.due for action in first_actions(crowded))


def test_no_text_of_an_action_leaves_its_entry(chosen: Decision) -> None:
    hostile = replace(first_actions(chosen)[0], what="buy\r\nEND:VCALENDAR\nX:y; a, b\\n\x00")
    lines = actions_calendar(with_actions(chosen, (hostile,))).replace("\r\n ", "").splitlines()
    assert lines.count("END:VCALENDAR") == 1
    assert not any(line.startswith("X:") for line in lines)
    assert "SUMMARY:Buy\\nEND:VCALENDAR\\nX:y\\; a\\, b\\\\n" in lines


@pytest.mark.parametrize("what", ["=1+1", "+1", "-1", "@sum(a)", "\t=1", " =1"])
def test_no_cell_of_the_table_is_a_formula(chosen: Decision, what: str) -> None:
    hostile = replace(first_actions(chosen)[0], what=what, owner='a, "b"\nc')
    heads, row = csv.reader(io.StringIO(actions_table(with_actions(chosen, (hostile,)))))
    assert tuple(heads) == COLUMNS
    cells = dict(zip(heads, row, strict=True))
    assert cells["what"] == f"'{what}"
    assert cells["owner"] == 'a, "b"\nc'
    assert float(cells["spend_usd"]) == hostile.spend_usd
    assert cells["stop_by"] == "2023-12-31"
