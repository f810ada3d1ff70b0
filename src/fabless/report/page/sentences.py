"""The sentences that change when something is moved, from the page's data alone.

The page's script says the same from the same data (`modules/verdict.js`), so each function takes
the page (or its texts) as plain data and nothing else. Rules:

- The verdict is two sentences: what to do (`action` of the first way, as it stands in the data) and
  what a query costs, beside the way `against`. With no other way, or none that
  comes to anything else, it states cost and total. Within
  two standard errors (`tie` of the pair) it is a tie. Where the first way's cost is not written
  smaller than the other's, the part that decides the difference (`decides`) says why it comes first.
- Costs are written in cents with the decimals that tell the medians of all ways apart.
- Words for chance have fixed limits, and the number always follows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fabless.report.page.texts import fill, said
from fabless.wording import cent_decimals, cents, listed, plain, significant, with_unit

Page = Mapping[str, Any]
"""The page's data, as `page_data` makes them; verdict and claims ask only for `headline_data`."""

CHANCES = ((1 / 20, "very_unlikely"), (1 / 3, "unlikely"), (2 / 3, "even"), (19 / 20, "likely"))
"""Chance up to which each word holds: the first under it, the others with it; above the last it is
very likely."""
AMOUNTS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def chance_word(chance: float) -> str:
    """Key of the word for a chance.

    >>> [chance_word(share) for share in (0.04, 0.05, 0.5, 0.8, 0.96)]
    ['very_unlikely', 'unlikely', 'even', 'likely', 'very_likely']
    """
    first, *others = CHANCES
    if chance < first[0]:
        return first[1]
    return next((word for limit, word in others if chance <= limit), "very_likely")


def of_hundred(chance: float) -> str:
    """A chance as a number of a hundred futures; what is not quite none or all says so.

    >>> of_hundred(0.346), of_hundred(0.001), of_hundred(0.999), of_hundred(0.0)
    ('35', '<1', '>99', '0')
    """
    if 1e-9 < chance < 0.005:
        return "<1"
    return ">99" if 0.995 < chance < 1.0 - 1e-9 else f"{100.0 * chance:.0f}"


def amount_words(texts: Mapping[str, str], value: float) -> str:
    """A number of things in words from a million on, with at most three digits that count."""
    size = abs(value)
    for scale, word in AMOUNTS:
        if size >= scale * 0.9995:
            return said(texts, f"amount_{word}", n=_short(value / scale))
    return _short(value)


def count_words(texts: Mapping[str, str], number: int) -> str:
    """A small number as a sentence begins with it; digits where the language has no word."""
    return texts.get(f"count_{number}", str(number))


def money_words(texts: Mapping[str, str], usd: float) -> str:
    """An amount of money in words: 277 million USD."""
    return said(texts, "money", amount=amount_words(texts, usd))


def more_words(texts: Mapping[str, str], way: Mapping[str, Any]) -> str:
    """What a way costs more than the first, short enough for a column."""
    if way["first"]:
        return texts["ways_lowest"]
    size = abs(way["more"])
    if size < 0.5e6:
        return texts["ways_same"]
    sign = "−" if way["more"] < 0.0 else "+"
    in_billions = size >= 5e7
    return said(texts, "bn" if in_billions else "mn",
                n=f"{sign}{size / 1e9:.1f}" if in_billions else f"{sign}{size / 1e6:.0f}")


def unit_words(texts: Mapping[str, str], value: float, unit: str) -> str:
    """A value of an input with its unit in words, where the language has words for the unit."""
    template = texts.get(f"in_{unit}")
    if template is None:
        return with_unit(value, unit)
    number = amount_words(texts, value) if abs(value) >= 1e6 else plain(value)
    return fill(template, {"value": number})


def _short(value: float) -> str:
    rounded = float(f"{value:.3g}")
    text = significant(rounded, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def quarter_words(quarter: str) -> str:
    """A quarter as it is read: 2025 Q4.

    >>> quarter_words("2025Q4")
    '2025 Q4'
    """
    return quarter.replace("Q", " Q")


def day_words(texts: Mapping[str, str], day: str, *, year: bool = False) -> str:
    """A date in words, with its year where asked."""
    of_year, month, number = (int(part) for part in day.split("-"))
    return said(texts, "date_year" if year else "date", day=number, month=texts[f"month_{month}"],
                year=of_year)


def dated(texts: Mapping[str, str], text: str) -> str:
    """A sentence with its dates in words."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda day: day_words(texts, day[0], year=True), text)


def verdict_of(page: Page) -> dict[str, Any]:
    """What to do, and what a query then costs beside the other way; `costs` are the two numbers as
    written, each with the way that it belongs to."""
    texts, ways = page["texts"], {way["key"]: way for way in page["ways"]}
    first, other = ways[page["recommended"]], ways.get(page["against"])
    decimals = cent_decimals(way["p50"] for way in page["ways"])
    cost = cents(first["p50"], decimals)
    if other is None:
        total = money_words(texts, first["total"])
        return {"action": first["action"], "costs": [[cost, first["key"]]],
                "numbers": said(texts, "verdict_same" if len(ways) > 1 else "verdict_alone",
                                cost=cost, total=total)}
    other_cost = cents(other["p50"], decimals)
    pair = page["pairs"][f"{first['key']}|{other['key']}"]
    cheaper = first["p50"] < other["p50"] and cost != other_cost
    key = "tie" if pair["tie"] else "less" if cheaper else pair["decides"]
    return {
        "action": first["action"],
        "costs": [[cost, first["key"]], [other_cost, other["key"]]],
        "numbers": said(texts, f"verdict_{key}", cost=cost, other_cost=other_cost,
                        other=other["said"], heading=other["said"][:1].upper() + other["said"][1:]),
    }


def flip_sentences(page: Page, control: Mapping[str, Any]) -> list[str]:
    """Where along an input another way comes first, seen from its present value."""
    texts, ways = page["texts"], {way["key"]: way for way in page["ways"]}
    if not control["flips"]:
        return [texts["flip_never"]]
    sentences = []
    for flip in control["flips"]:
        side = "above" if flip["at"] > control["value"] else "below"
        value = unit_words(texts, float(f"{flip['at']:.2g}"), control["unit"])
        sentences.append(said(texts, f"flip_{side}", way=ways[flip[side]]["name"], value=value))
    return sentences


def future_name(page: Page, future: int | str) -> str:
    """What kind of future one is: its demand, and how long supply stays scarce."""
    about = page["futures"]["about"][str(future)]
    until = about["scarce_until"]
    key = f"future_{about['demand']}_{'scarce' if until else 'free'}"
    return said(page["texts"], key, quarter=quarter_words(until))


def question_line(page: Page) -> str:
    """The question that the page answers, in one line."""
    texts = page["texts"]
    known = {row["name"]: row for row in page["inputs"]}
    queries = known.get(page["question"]["queries"])
    growth = known.get(page["question"]["growth"])
    day = day_words(texts, page["case"]["as_of"], year=True)
    if queries is None or growth is None:
        return said(texts, "question_bare", title=page["case"]["title"], day=day)
    return said(texts, "question", title=page["case"]["title"], day=day,
                queries=amount_words(texts, queries["value"]), growth=plain(growth["value"]))


def claims_of(page: Page) -> dict[str, str]:
    """The three lines below the verdict: how sure it is, what of an own chip, what to start."""
    return {"sure": _sure(page), "own": _own_chip(page), "start": _start(page)}


def _sure(page: Page) -> str:
    texts, first_of = page["texts"], page["holds"]["first_of"]
    if first_of is None:
        reruns = texts["sure_not_rerun"]
    else:
        first, of = first_of
        reruns = said(texts, f"sure_first_{chance_word(first / of)}", first=first, of=of)
    tied = told_apart(page)
    tie = [said(texts, "sure_tied", ways=tied)] if tied else []
    return " ".join([reruns, *tie, _service(page)])


def _service(page: Page) -> str:
    """Whether the service promised is kept; only of ways that keep it is one the cheapest."""
    texts, ways = page["texts"], page["ways"]
    first = next(way for way in ways if way["key"] == page["recommended"])
    keeping = [way for way in ways if way["meets"]]
    short = of_hundred(first["short"])
    if not keeping:
        least = min(ways, key=lambda way: way["short"])
        apart = first["short"] - least["short"]
        if apart <= _share_error(page, first["short"]):
            return said(texts, "service_none", short=short)
        return said(texts, "service_none_less", short=of_hundred(least["short"]),
                    other=least["said"])
    if not first["meets"]:
        return said(texts, "service_missed", short=short, other=keeping[0]["said"])
    alone = len([way for way in keeping if not way["same_as"]]) == 1
    cheapest = not first["tie"] and all(first["total"] <= way["total"] for way in keeping)
    key = "only" if alone else "cheapest" if cheapest else "kept"
    return said(texts, f"service_{key}", short=short)


def _share_error(page: Page, share: float) -> float:
    """Two standard errors of a share of the futures."""
    return float(2.0 * (share * (1.0 - share) / page["case"]["paths"]) ** 0.5)


def _own_chip(page: Page) -> str:
    texts, programmes = page["texts"], page["own"]["programmes"]
    valued = [item for item in programmes if item["value"] is not None]
    first = next(way for way in page["ways"] if way["key"] == page["recommended"])
    own = first["own"]
    if own is not None and own["programme"] and own["stopped_chance"] > 0.0:
        return said(texts, "own_option", programme=own["programme"],
                    n=of_hundred(own["stopped_chance"]), quarter=quarter_words(own["stopped"]))
    if own is not None and own["p50"]:
        return said(texts, "own_started", quarter=quarter_words(own["p50"]),
                    n=of_hundred(own["chance"]))
    if not valued:
        return said(texts, "own_none")
    best = max(valued, key=lambda item: item["value"])
    values = {"programme": best["title"], "value": money_words(texts, abs(best["value"])),
              "error": money_words(texts, 2.0 * best["value_error"])}
    if abs(best["value"]) <= 2.0 * best["value_error"]:
        return said(texts, "own_untold", **values)
    if best["value"] < 0.0:
        return _when_it_pays(page, best, values)
    more = [way["more"] for way in page["ways"] if way["key"] == best["way"] and way["more"] > 0.0]
    if not more:
        return said(texts, "own_saves", **values)
    return said(texts, "own_elsewhere", more=money_words(texts, more[0]), **values)


def _when_it_pays(page: Page, best: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """What would make a programme pay that does not, as far as that lies within the ranges."""
    texts = page["texts"]
    breaks = [item for item in page["own"]["breaks"]
              if item["programme"] == best["key"] and item["inside"]]
    fast = [item["at"] for item in breaks
            if item["name"].endswith(".performance") and item["above"]]
    slip = [item["at"] for item in breaks if item["name"].endswith(".slip") and not item["above"]]
    points = {key: plain(float(f"{at[0]:.2g}"))
              for key, at in (("fast", fast), ("slip", slip)) if at}
    return said(texts, "_".join(("own", *points)) if points else "own_loses", **values, **points)


def _start(page: Page) -> str:
    texts, actions = page["texts"], page["actions"]
    if not actions:
        return said(texts, "start_nothing")
    first = max(actions, key=lambda item: (item["due"] == actions[0]["due"], item["spend"]))
    values: dict[str, str | float] = {
        "day": day_words(texts, first["due"]), "money": money_words(texts, first["spend"])}
    if first["amount"] is None:
        return said(texts, "start_other", what=first["what"][:1].upper() + first["what"][1:],
                    **values)
    return said(texts, f"start_{first['verb']}", n=significant(first["amount"], 3), **values)


def pays_sentence(page: Page, item: Mapping[str, Any]) -> str:
    """From or up to which value of an input a programme pays."""
    texts, known = page["texts"], {row["name"]: row for row in page["inputs"]}
    titles = {programme["key"]: programme["name"] for programme in page["own"]["programmes"]}
    row, key = known[item["name"]], item["name"].rpartition(".")[2]
    family = f"own_pays_{key}_" if f"own_pays_{key}_above" in texts else "own_pays_other_"
    value = float(f"{item['at']:.2g}")
    return said(texts, family + ("above" if item["above"] else "below"), input=row["label"],
                programme=titles[item["programme"]],
                value=plain(value) if row["unit"] == "1" else unit_words(texts, value, row["unit"]))


def told_apart(page: Page) -> str:
    """Ways that cannot be told from the recommended one, named; empty where there are none."""
    return listed([way["name"] for way in page["ways"]
                   if way["tie"] and way["key"] != page["recommended"]])
