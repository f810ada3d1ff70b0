"""The whole report as one file: the first page, and below it the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fabless import wording
from fabless.decide import Decision
from fabless.report.files import write_whole
from fabless.report.html import evidence_html
from fabless.report.page.bundle import (
    content_policy,
    data_inside,
    one_script,
    page_modules,
    page_styles,
)
from fabless.report.page.data import page_data
from fabless.report.page.sentences import (
    amount_words,
    chance_word,
    count_words,
    dated,
    day_words,
    money_words,
    more_words,
    of_hundred,
    quarter_words,
)
from fabless.report.page.texts import fill

MILLION = 1e6


def as_html(decision: Decision, lang: str = "en") -> str:
    """Write a decision as one HTML page that needs nothing outside itself."""
    return page_html(page_data(decision, lang), evidence_html(decision))


def write_report(decision: Decision, path: Path) -> Path:
    """Write the report of `decision` to `path`, whole or not at all, and return the path.

    Raises `BadFile` when the path cannot be written.
    """
    return write_whole(path, as_html(decision))


def page_html(
    page: Mapping[str, Any], evidence: str, *, api: str = "",
    pages: Sequence[tuple[str, str]] = (), cases: Mapping[str, str] | None = None,
) -> str:
    """Lay out page data above the evidence.

    Parameters: `api`, address of the server that the page asks; `pages`, address and name of each
    page of that server, this one first; `cases`, name and title of each case it offers.
    """
    script, texts = one_script(page_modules()), page["texts"]
    return page_templates(texts).get_template("first.html").render(
        page=page, t=texts, api=api, pages=pages, cases=cases or {},
        policy=content_policy(script, connects=bool(api)),
        styles=page_styles(), script=script, data=data_inside(dict(page)), evidence=evidence,
        question=linked_question(page), numbers=coloured_numbers(page),
        decimals=wording.cent_decimals(way["p50"] for way in page["ways"]),
        years=wording.plain(page["case"]["quarters"] / 4), limits=worth_rows(page),
        when_heading=when_heading(page), own_heading=own_heading(page),
        own_sentences=own_odds(page), holds=hold_figures(page), rough_error=rough_error(page),
        committed=money_words(texts, sum(action["spend"] for action in page["actions"])),
    )


def page_templates(texts: Mapping[str, str]) -> Environment:
    """Templates of the page and of the brief, with the words of a language."""
    environment = Environment(
        loader=PackageLoader("fabless.report.page", "."), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {"cents": wording.cents, "heading": wording.heading,
                            "dated": lambda text: dated(texts, text)}
    environment.globals |= {
        "say": lambda key, **values: fill(texts[key], values),
        "hundred": of_hundred, "quarter": quarter_words,
        "more": lambda way: more_words(texts, way),
        "counted": lambda n: count_words(texts, n),
        "day": lambda day: day_words(texts, day, year=True),
        "million": lambda usd: f"{usd / MILLION:,.0f}",
    }
    return environment


def linked_question(page: Mapping[str, Any]) -> Markup:
    """The question in one line; every number in it leads to where it can be moved."""
    texts, known = page["texts"], {row["name"]: row for row in page["inputs"]}
    values = {"title": str(escape(page["case"]["title"])),
              "day": str(escape(day_words(texts, page["case"]["as_of"], year=True)))}
    queries, growth = (known.get(page["question"][key]) for key in ("queries", "growth"))
    if queries is None or growth is None:
        return Markup(fill(str(escape(texts["question_bare"])), values))
    links = {"queries": _input_link(queries, amount_words(texts, queries["value"])),
             "growth": _input_link(growth, wording.plain(growth["value"]))}
    return Markup(fill(str(escape(texts["question"])), values | links))


def _input_link(row: Mapping[str, Any], text: str) -> str:
    link = Markup('<a href="#part-moves" data-input="{}">{}</a>')
    return str(link.format(row["name"], text))


def coloured_numbers(page: Mapping[str, Any]) -> Markup:
    """The sentence with the two numbers, each in the colour of its way."""
    slots = {way["key"]: way["slot"] % 8 for way in page["ways"]}
    done, rest = Markup(""), str(page["verdict"]["numbers"])
    for text, way in page["verdict"]["costs"]:
        before, match, after = rest.partition(text)
        if not match:
            continue
        done += escape(before) + Markup('<b style="color:var(--way-{})">{}</b>').format(slots[way], text)
        rest = after
    return done + escape(rest)


def worth_rows(page: Mapping[str, Any]) -> list[dict[str, str]]:
    """What one more of each limit is worth, in words of a negotiation."""
    texts = page["texts"]
    rows = []
    for limit in page["limits"] or ():
        key = {"chip": "worth_chip", "MW": "worth_mw", "USD": "worth_usd"}.get(limit["unit"], "worth_rate")
        low, high = money_words(texts, limit["low"]), money_words(texts, limit["high"])
        rows.append({
            "money": money_words(texts, limit["value"]),
            "what": fill(texts[key], {"quarter": quarter_words(limit["quarter"]), "title": limit["title"]}),
            "range": fill(texts["worth_range"], {"low": low, "high": high}) if low != high else "",
        })
    return rows


def when_heading(page: Mapping[str, Any]) -> str:
    """Heading of the picture through time: the year in which most is missing."""
    rows = page["when"]["short_by_year"][page["recommended"]]
    year, _, share = max(rows, key=lambda row: row[2], default=(0, 0.0, 0.0))
    texts: Mapping[str, str] = page["texts"]
    return fill(texts["when_heading"], {"year": year}) if share > 0 else texts["when_heading_none"]


def own_heading(page: Mapping[str, Any]) -> str:
    """Heading of the section on the own chip: whether to start one."""
    if not page["own"]["programmes"]:
        return str(page["texts"]["own_heading_none"])
    best = next(way for way in page["ways"] if way["key"] == page["recommended"])
    own = best["own"]
    key = "not" if own is None else "option" if own["stopped_chance"] > 0.0 else "start"
    return str(page["texts"][f"own_heading_{key}"])


def own_odds(page: Mapping[str, Any]) -> list[str]:
    """How likely each programme is to come, a sentence each."""
    texts = page["texts"]
    return [
        fill(texts["own_comes"], {
            "programme": row["name"], "n": of_hundred(row["chance"]),
            "word": texts[f"chance_{chance_word(row['chance'])}"],
            "quarter": quarter_words(row["volume"]["p50"]),
        })
        for row in page["own"]["programmes"] if row["volume"]
    ]


def rough_error(page: Mapping[str, Any]) -> str:
    """Largest error found of numbers read from the table of answers, rounded up; empty without."""
    if page["check"] is None:
        return ""
    return f"{ceil(1000.0 * page['check']['worst_error']) / 10.0:g}%"


def hold_figures(page: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Figures on how well the answer holds: figure, what it says, and what it rests on."""
    texts, holds = page["texts"], page["holds"]
    figures: list[tuple[str, str, str]] = []
    if holds["first_of"]:
        first, of = holds["first_of"]
        about = fill(texts["sure_about"], {
            "rerun_leaves": holds["rerun_leaves"], "leaves": page["case"]["leaves"]})
        figures.append((fill(texts["holds_of"], {"n": first, "of": of}), texts["holds_first"], about))
    figures.append((f"{holds['paths']:,}", texts["holds_paths"], ""))
    if strike := holds["strike"]:
        figures.append((
            f"{wording.in_percent(strike['before'])} → {wording.in_percent(strike['after'])}",
            fill(texts["holds_strike"], {"vendor": strike["vendor"], "quarters": strike["quarters"]}), ""))
    if holds["foresight"] is not None:
        figures.append((money_words(texts, holds["foresight"]), texts["holds_foresight"], ""))
    return figures
