"""What a negotiator needs, as the screen and the page show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabless import wording
from fabless.decide import Action, Decision, NearBest, ShadowPrice


@dataclass(frozen=True)
class ShadowTable:
    """Shadow prices laid out: rows of title, unit and price by quarter (None: no such limit
    then)."""

    quarters: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[ShadowPrice | None, ...]], ...]


def shadow_table(prices: Sequence[ShadowPrice] | None) -> ShadowTable | None:
    """Lay shadow prices out by limit and quarter; None where there is no limit, or none was asked
    for."""
    if not prices:
        return None
    quarters = tuple(sorted({price.quarter for price in prices}))
    at = {(price.limit, price.unit, price.quarter): price for price in prices}
    limits = {(price.limit, price.unit): price.title for price in prices}
    return ShadowTable(quarters, tuple(
        (wording.heading(title), unit, tuple(at.get((limit, unit, quarter)) for quarter in quarters))
        for (limit, unit), title in limits.items()))


def windows(ranges: Sequence[NearBest] | None) -> dict[str, list[NearBest]]:
    """Ranges by the quarters over which they are counted."""
    grouped: dict[str, list[NearBest]] = {}
    for item in ranges or ():
        grouped.setdefault(item.window, []).append(item)
    return grouped


def delay_words(action: Action) -> str:
    """What an action costs a quarter later; empty where that was not asked or cannot be told from
    nothing (the report tells the two apart)."""
    cost = action.delay_cost_usd
    if not cost:
        return ""
    if cost < 0.0:
        return f"a quarter later saves {wording.usd(-cost)}"
    return f"a quarter later costs {wording.usd(cost)}"


def negotiator_lines(decision: Decision) -> Iterator[str]:
    """A few lines for the screen: the dearest limit of each unit, what is forced in the first year,
    what a concession is worth and which alternative needs least of one; nothing where it was not
    asked."""
    prices = sorted((price for price in decision.shadow_prices or () if price.value_usd > 0.0),
                    key=lambda price: price.value_usd)
    dearest = {price.unit: price for price in prices}
    yield from (f"- {price.text}" for price in reversed(dearest.values()))
    if decision.shadow_prices is not None and not prices:
        yield "- No limit of the next three years binds: more of none would be worth anything"
    for ranges in list(windows(decision.near_best).values())[:1]:
        forced = [item.title for item in ranges if item.kind == "forced"]
        if forced:
            yield f"- forced in the first year, within 2% of the best: {'; '.join(forced)}"
        else:
            yield "- no line is forced in the first year, within 2% of the best"
    if decision.leverage is None:
        return
    terms = decision.leverage
    (price, saved), (allotment, more) = terms.prices[1], terms.allotments[-1]
    yield (f"- {terms.vendor}'s prices {wording.in_percent(price)} lower save {wording.usd(saved)}, "
           f"allotments {wording.in_percent(allotment)} larger {wording.usd(more)}")
    needing = [lever for lever in terms.levers if lever.break_even != 0.0]
    yield from (f"- {lever.text}" for lever in needing[:1])
