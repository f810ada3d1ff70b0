"""Everything that the first page shows, as plain data: raw numbers, never formatted.

Money in USD of the price year, totals at present value; the cost of a query in USD. Order of the
ways, dots, facts and differences all come from the fresh paths.
"""

from __future__ import annotations

from collections.abc import Mapping

from fabless.decide import Decision
from fabless.decide.accounts.results import Against
from fabless.report.document import Plain
from fabless.report.page.controls import check_row, control_rows, crossed_rows
from fabless.report.page.holding import action_rows, dearest_limits, holds_data
from fabless.report.page.inputs import assumed, input_rows
from fabless.report.page.programme_data import own_data
from fabless.report.page.sentences import claims_of, verdict_of
from fabless.report.page.texts import load_texts
from fabless.report.page.time_data import when_data
from fabless.report.page.tries import tries
from fabless.report.page.ways import against_of, openings, ranked_ways, way_rows

VERSION = 1
"""Version of the layout of these data."""
QUESTION = ("queries", "growth")
"""Numbers of `demand` that the question line states, where the case has them."""


def page_data(decision: Decision, lang: str = "en") -> dict[str, Plain]:
    """Everything that the page shows of a decision, in a language."""
    texts = load_texts(lang)
    head = headline_data(decision, texts)
    ways = [way.name for way in sorted(ranked_ways(decision), key=openings)]
    controls = control_rows(decision, ways, texts)
    names = {str(row["name"]) for row in controls}
    count, of = assumed(decision)
    return {
        "version": VERSION, "lang": texts["lang"], **head, "verdict": verdict_of(head),
        "claims": dict(claims_of(head)), "question": _question(decision),
        "futures": futures_data(decision), "controls": list(controls),
        "crossed": list(crossed_rows(decision.questions.answers)),
        "check": check_row(decision.questions.answers),
        "inputs": list(input_rows(decision, names, texts)),
        "when": when_data(decision, texts), "limits": list(dearest_limits(decision)),
        "tries": list(tries(decision, names, texts)), "assumed": count, "of": of,
        "warnings": list(decision.warnings), "texts": dict(texts),
    }


def headline_data(decision: Decision, texts: Mapping[str, str]) -> dict[str, Plain]:
    """The part of the page's data that verdict and claims are made of."""
    return {
        "case": case_data(decision), "recommended": decision.recommended,
        "against": against_of(decision), "ways": list(way_rows(decision, texts)),
        "pairs": dict(pair_rows(decision)), "own": own_data(decision),
        "actions": list(action_rows(decision)), "holds": holds_data(decision, texts),
        "texts": dict(texts),
    }


def headline_lines(decision: Decision, lang: str = "en") -> tuple[str, ...]:
    """The verdict in one line, and its three claims, each with the word that it answers to."""
    texts = load_texts(lang)
    head = headline_data(decision, texts)
    verdict = verdict_of(head)
    return (f"{verdict['action']} {verdict['numbers']}",
            *(f"{texts[f'claim_{key}']} {claim}" for key, claim in claims_of(head).items()))


def case_data(decision: Decision) -> dict[str, Plain]:
    """What the page says of the case and the run."""
    return {
        "name": decision.case, "title": decision.title, "as_of": decision.as_of,
        "digest": decision.case_digest, "decision_digest": decision.digest,
        "first_quarter": decision.first_quarter, "quarters": decision.quarters,
        "price_year": decision.price_year, "seed": decision.seed, "detail": decision.detail,
        "leaves": decision.leaves, "paths": decision.futures.paths,
        "dominant_vendor": decision.dominant_vendor,
        "seeds": len(decision.questions.stability.seeds) if decision.questions.stability else 0,
        "answer": decision.answer,
    }


def _question(decision: Decision) -> dict[str, Plain]:
    names = {number.name for number in decision.assumptions}
    inputs: dict[str, Plain] = {
        key: f"demand.{key}" if f"demand.{key}" in names else "" for key in QUESTION}
    return {**inputs, "as_of": decision.as_of}


def futures_data(decision: Decision) -> dict[str, Plain]:
    """The futures that a reader can point at: those of the dots of any way, and the shown ones."""
    futures = decision.futures
    paths = sorted({path for way in futures.ways for path in way.dots}
                   | {path for _, path in futures.shown})
    return {
        "paths": list(paths),
        "about": {str(path): {"demand": futures.demand[path],
                              "scarce_until": futures.scarce_until[path]} for path in paths},
        "cost": {way.way: {str(path): way.cost_per_query_usd[path] for path in paths}
                 for way in futures.ways},
        "short": {way.way: {str(path): int(way.is_short[path]) for path in paths}
                  for way in futures.ways},
        "tokens": {way.way: {str(path): way.tokens_per_query[path] for path in paths}
                   for way in futures.ways},
        "mw": {way.way: {str(path): way.queries_per_mw_year[path] for path in paths}
               for way in futures.ways},
        "shown": [{"key": key, "f": path} for key, path in futures.shown],
    }


def pair_rows(decision: Decision) -> dict[str, Plain]:
    """Every way less every other, both ways round: the difference and what it is made of."""
    rows: dict[str, Plain] = {}
    for pair in decision.pairs:
        rows[f"{pair.way}|{pair.other}"] = _pair(pair, 1.0)
        rows[f"{pair.other}|{pair.way}"] = _pair(pair, -1.0)
    return rows


def _pair(pair: Against, sign: float) -> Plain:
    return {
        "difference": sign * pair.difference_usd, "error": pair.error_usd, "tie": pair.is_tie,
        "decides": pair.decides, "cash": sign * pair.cash_usd,
        "unserved": sign * pair.unserved_usd, "risk": sign * pair.risk_usd,
        "bridge": [{"part": row.part, "usd": sign * row.usd, "how": row.how}
                   for row in pair.bridge],
    }
