"""One sheet for print: question, verdict, twenty dots a way, first 90 days, what would change it,
what is assumed. Made from the page's data alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log
from pathlib import Path
from typing import Any

from fabless import wording
from fabless.decide import Decision
from fabless.report.files import write_whole
from fabless.report.page.bundle import font_faces
from fabless.report.page.data import page_data
from fabless.report.page.dots import axis_of, dots_of
from fabless.report.page.file import coloured_numbers, page_templates
from fabless.report.page.sentences import (
    Page,
    day_words,
    money_words,
    more_words,
    of_hundred,
    pays_sentence,
    question_line,
    unit_words,
)
from fabless.report.page.texts import said

MOST_ACTIONS = 10
MOST_CHANGES = 3
MOST_MOVERS = 2
_POINTS_PER_MM = 72.0 / 25.4
_LETTER = 0.56
"""Mean width of a letter over its size, on the safe side."""
_LARGEST, _SMALLEST = 10.4, 6.0
"""Sizes of the type between which the sheet is set [pt]."""


@dataclass(frozen=True)
class Paper:
    """A sheet: its name in a style sheet and its size [mm]."""

    name: str
    width: float
    height: float


PAPERS: Mapping[str, Paper] = {
    "a4": Paper("A4", 210.0, 297.0), "letter": Paper("letter", 215.9, 279.4),
}
_MARGIN = 15.0
"""Margin at every side of the sheet [mm]."""


def brief_html(decision: Decision, paper: str = "a4", lang: str = "en") -> str:
    """Write a decision as one sheet of print HTML without script or outside request."""
    return brief_of(page_data(decision, lang), PAPERS[paper])


def write_brief(decision: Decision, path: Path, paper: str = "a4") -> Path:
    """Write the brief of `decision` to `path`, whole or not at all, and return the path.

    Raises `BadFile` when the path cannot be written.
    """
    return write_whole(path, brief_html(decision, paper))


def brief_of(page: Page, paper: Paper) -> str:
    """Lay the sheet out from the page's data."""
    texts = page["texts"]
    changes, assumed, actions = changes_of(page), assumptions_of(page), action_lines(page)
    claims = [f"{texts[f'claim_{key}']} {text}" for key, text in page["claims"].items()]
    decimals = wording.cent_decimals(way["p50"] for way in page["ways"])
    return page_templates(texts).get_template("brief.html").render(
        page=page, t=texts, paper=paper, margin=_MARGIN, fonts=font_faces(),
        size=type_size(page, paper, [claims, [row["what"] for row in actions], changes, assumed]),
        question=question_line(page),
        numbers=coloured_numbers(page), years=wording.plain(page["case"]["quarters"] / 4),
        rows=[_way_row(way, page, decimals) for way in page["ways"]], dots=dots_of(page),
        axis=axis_of(page), actions=actions, changes=changes, assumed=assumed,
        left=len(page["actions"]) - len(actions), year=page["case"]["price_year"],
        committed=money_words(texts, sum(action["spend"] for action in page["actions"])))


def _way_row(way: Mapping[str, Any], page: Page, decimals: int) -> dict[str, Any]:
    texts = page["texts"]
    return {"key": way["key"], "name": way["name"], "slot": way["slot"] % 8,
            "middle": wording.cents(way["p50"], decimals), "short": of_hundred(way["short"]),
            "more": more_words(texts, way), "tie": way["tie"] and not way["first"] and not way["same_as"]}


def action_lines(page: Page) -> list[dict[str, str]]:
    """The first actions, a line each: day (empty where it is that of the line before), what,
    million USD, and when to stop."""
    texts, day = page["texts"], ""
    lines = []
    for action in page["actions"][:MOST_ACTIONS]:
        due = day_words(texts, action["due"], year=True)
        lines.append({"day": due if due != day else "", "million": f"{action['spend'] / 1e6:,.0f}",
                      "what": action["what"][:1].upper() + action["what"][1:],
                      "stop": stop_words(texts, action)})
        day = due
    return lines


def stop_words(texts: Mapping[str, str], action: Mapping[str, Any]) -> str:
    """What ends an action, short enough for a column; the whole sentence where it has no number."""
    stop = action["stop_number"]
    if stop is None:
        return str(action["stop"])
    at = (wording.count(stop["at"]) if stop["measure"] == "need"
          else wording.plain(float(f"{stop['at']:.3g}")))
    return said(texts, f"brief_stop_{stop['measure']}", at=at, day=day_words(texts, stop["by"]))


def changes_of(page: Page) -> list[str]:
    """What would change the answer: inputs that make another way come first, and what makes a chip
    programme pay, the nearest first."""
    texts, names = page["texts"], {way["key"]: way["name"] for way in page["ways"]}
    flips = sorted(
        ((abs(log(flip["at"] / control["value"])) if flip["at"] > 0.0 < control["value"] else 1e9,
          control, flip) for control in page["controls"] for flip in control["flips"]),
        key=lambda item: item[0])
    sentences = []
    for _, control, flip in flips[:MOST_CHANGES]:
        side = "above" if flip["at"] > control["value"] else "below"
        sentences.append(said(
            texts, f"brief_flip_{side}", input=control["label"], way=names[flip[side]],
            value=unit_words(texts, float(f"{flip['at']:.2g}"), control["unit"]),
            present=unit_words(texts, control["value"], control["unit"])))
    sentences += [pays_sentence(page, item) for item in page["own"]["breaks"] if item["inside"]]
    if not sentences and page["controls"]:
        sentences = [texts["brief_never"]]
    return sentences[:MOST_CHANGES]


def assumptions_of(page: Page) -> list[str]:
    """How much is assumed, the inputs that move the answer most, and the money it is in."""
    texts = page["texts"]
    movers = [said(texts, "brief_mover", input=control["label"],
                   **{key: unit_words(texts, float(f"{control[key]:.3g}"), control["unit"])
                      for key in ("value", "low", "high")})
              for control in page["controls"][:MOST_MOVERS]]
    return [said(texts, "brief_assumed_of", assumed=page["assumed"], of=page["of"]), *movers,
            said(texts, "brief_money", year=page["case"]["price_year"])]


def type_size(page: Page, paper: Paper, columns: Sequence[Sequence[str]]) -> float:
    """Size of the type [pt] at which the sheet is full at most, between two bounds.

    Heights and widths of the parts are in that size, as in the sheet's styles; a smaller size sets
    more letters on a line, so that the largest that fits is looked for from above.
    """
    size = _LARGEST
    while size > _SMALLEST and _height(page, paper, columns, size) * size > (
            paper.height - 2.0 * _MARGIN) * _POINTS_PER_MM:
        size -= 0.1
    return round(size, 1)


def _height(page: Page, paper: Paper, columns: Sequence[Sequence[str]], size: float) -> float:
    """Height of the sheet over the size of its type."""
    width = (paper.width - 2.0 * _MARGIN) * _POINTS_PER_MM / size

    def lines(text: str, share: float, times: float = 1.0) -> int:
        return max(1, ceil(len(text) * _LETTER * times / (share * width)))

    claims, actions, changes, assumed = columns
    heads = lines(page["verdict"]["action"], 1.0, 2.9) * 3.2 + lines(
        page["verdict"]["numbers"], 1.0, 2.0) * 2.5
    top = 6.2 + 1.6 * lines(question_line(page), 1.0, 1.05) + heads
    claimed = 2.0 + 1.4 * max(lines(text, 0.3) for text in claims)
    ways = 7.4 + sum(max(2.25, 0.6 + 1.25 * lines(way["name"], 0.19)) for way in page["ways"])
    stops = [stop_words(page["texts"], action) for action in page["actions"][:MOST_ACTIONS]]
    steps = 6.6 + sum(0.85 + 1.25 * max(lines(what, 0.39), lines(stop, 0.3))
                      for what, stop in zip(actions, stops, strict=True))
    last = 3.6 + max(sum(0.9 + 1.3 * lines(text, 0.46) for text in side)
                     for side in (changes or [""], assumed))
    return top + claimed + ways + steps + last + 3.4
