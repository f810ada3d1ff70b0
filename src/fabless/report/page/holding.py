"""What to do first, what one more of a limit is worth, and how well the answer holds."""

from __future__ import annotations

from collections.abc import Mapping

from fabless.decide import Action, Decision, ShadowPrice
from fabless.report.document import Plain, plain_data
from fabless.report.page.inputs import input_label, input_titles

MOST_LIMITS = 3
MOST_UNKNOWN = 3
VERBS = ("order", "rent", "sign", "call", "start")
"""First words of what an action says to do; the page has a sentence for each."""


def dearest_limits(decision: Decision) -> list[dict[str, Plain]]:
    """The limits of which one more is worth most, each in its dearest quarter."""
    dearest: dict[str, ShadowPrice] = {}
    for price in decision.shadow_prices or ():
        if price.value_usd > getattr(dearest.get(price.limit), "value_usd", 0.0):
            dearest[price.limit] = price
    chosen = sorted(dearest.values(), key=lambda price: -price.value_usd)[:MOST_LIMITS]
    return [{"limit": price.limit, "title": price.title, "quarter": price.quarter,
             "unit": price.unit, "value": price.value_usd, "low": price.low_usd,
             "high": price.high_usd, "binds": price.binds_probability, "text": price.text}
            for price in chosen]


def action_rows(decision: Decision) -> list[dict[str, Plain]]:
    """The first 90 days of the recommended way."""
    best = next(way for way in decision.strategies if way.name == decision.recommended)
    return [{"what": action.what, "verb": _verb(action), "owner": action.owner,
             "start": action.start, "due": action.due, "amount": action.amount,
             "unit": action.unit, "spend": action.spend_usd, "stop": action.stop_signal,
             "double": action.double_signal, "delay": action.delay_cost_usd,
             "stop_number": plain_data(action.stop), "double_number": plain_data(action.double),
             "delay_error": action.delay_error_usd, "about": action.about, "kind": action.kind}
            for action in best.actions]


def _verb(action: Action) -> str:
    word = action.what.split(" ", 1)[0]
    return word if word in VERBS else "start"


def holds_data(decision: Decision, texts: Mapping[str, str]) -> dict[str, Plain]:
    """How often the recommended way comes first elsewhere, the loss of the vendor, what knowing
    beforehand would save."""
    asked, titles = decision.questions, input_titles(decision)
    first_of: Plain = None
    if asked.stability is not None:
        rankings = asked.stability.rankings
        first = sum(decision.recommended in ranking[0].split(" = ") for ranking in rankings)
        first_of = [first, len(rankings)]
    strike = next((item for item in asked.resilience or () if item.way == decision.recommended),
                  None)
    return {
        "first_of": first_of,
        "rerun_leaves": asked.stability.leaves if asked.stability else None,
        "paths": decision.futures.paths,
        "strike": None if strike is None else {
            "vendor": decision.dominant_vendor, "quarter": strike.quarter,
            "quarters": strike.quarters, "before": strike.missing_before,
            "after": strike.missing_after},
        "foresight": decision.foresight.evpi_usd,
        "unknown": [{"name": item.name, "label": input_label(item.name, titles, texts),
                     "value": item.value_usd}
                    for item in (asked.knowledge or ())[:MOST_UNKNOWN]],
    }
