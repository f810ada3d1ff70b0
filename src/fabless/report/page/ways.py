"""The ways as rows of the page: what each is called, what it comes to, and its twenty dots."""

from __future__ import annotations

from collections.abc import Mapping

from fabless.decide import Decision, WayResult
from fabless.decide.fresh.futures import WayFutures
from fabless.report.document import Plain
from fabless.report.page.texts import said
from fabless.units import Quarter
from fabless.wording import listed

LEAST_VENDOR = 0.02
"""Share of what is paid for chips from which a vendor is named."""
MOST_NAMED = 3
"""Vendors that the verdict names; where there are more, all but the first are "others"."""
MOST_IN_NAME = 2
"""Vendors that the name of a way lists; where there are more, the first "and others"."""
OWN_VENDOR = "own"
"""Vendor of the chips that a programme makes."""
SLOTS = ("portfolio", "diversify", "buy", "build", "acquire", "partner")
"""Ways in the order of their colours; ways of a case's own take the two colours after them."""
FREE_SLOTS = 2
MOSTLY = 0.5
"""Share of the futures from which a programme that is given up is an option."""


def paid_vendors(way: WayResult) -> list[str]:
    """Vendors whose chips a way pays for, most is paid to the first; the fleet in place counts with
    its vendor."""
    paid: dict[str, float] = {}
    for row in way.spend:
        if row.tenure in ("own", "rent") and row.vendor != OWN_VENDOR:
            paid[row.vendor] = paid.get(row.vendor, 0.0) + row.discounted_usd
    whole = sum(paid.values())
    return sorted((vendor for vendor, usd in paid.items() if usd >= LEAST_VENDOR * whole > 0.0),
                  key=lambda vendor: -paid[vendor])


def twins(decision: Decision) -> dict[str, str]:
    """Way -> way ranked before it that comes to the same on every fresh path."""
    ranked = ranked_ways(decision)
    cost = {item.way: (item.cost_per_query_usd, item.is_short) for item in decision.futures.ways}
    same: dict[str, str] = {}
    for place, way in enumerate(ranked):
        for before in ranked[:place]:
            if before.name not in same and before.total_usd == way.total_usd and (
                    cost[before.name] == cost[way.name]):
                same[way.name] = before.name
                break
    return same


def ranked_ways(decision: Decision) -> list[WayResult]:
    """Ways in the order of the page: the recommended one, then by their total."""
    return sorted(decision.strategies,
                  key=lambda way: (way.name != decision.recommended, way.total_usd))


def openings(way: WayResult) -> int:
    """Lines and programmes that a way leaves open: of ways that come to the same, that with the
    fewest wins."""
    return len(way.lines) + len(way.gates)


def against_of(decision: Decision) -> str:
    """Way that the verdict is held against: what the recommended one is set against; where that is
    the same on every path, buying, or else the next one; empty where there is none."""
    same = twins(decision)
    first = {decision.recommended} | {key for key, twin in same.items()
                                      if twin == decision.recommended}
    others = [way.name for way in ranked_ways(decision) if way.name not in first]
    best = next(way for way in decision.strategies if way.name == decision.recommended)
    wished = (best.against.other, "buy", *others)
    return next((name for name in wished if name in others), "")


def ties_with_first(decision: Decision, key: str) -> bool:
    """Whether a way cannot be told from the recommended one."""
    return any(pair.is_tie for pair in decision.pairs
               if {pair.way, pair.other} == {key, decision.recommended})


def is_started(way: WayResult) -> bool:
    """Whether a way starts a chip programme now and carries it through in most futures; one that is
    given up in most is an option, and no answer."""
    return bool(way.programmes) and sum(chance for _, chance in stops_of(way)) < MOSTLY


def stops_of(way: WayResult) -> list[tuple[int | str, float]]:
    """When the first programme that a way starts now is given up, with the chances: of the view of
    a way that has to start it, else of its plan, in quarters from the first."""
    if way.programme is not None:
        return list(way.programme.as_option.given_up)
    plan = next((plan for plan in way.gates
                 if way.programmes and plan.name == way.programmes[0]), None)
    return [(step.quarter, step.give_up) for step in plan.steps if step.give_up > 0.0] if plan else []


def way_action(decision: Decision, way: WayResult, texts: Mapping[str, str]) -> str:
    """What to do under a way, verb first: the first sentence of the verdict."""
    vendors = paid_vendors(way)
    new = any(offer != "existing" and chips.mean > 0.0 for _, offer, chips in way.fleet_by_quarter)
    if is_started(way):
        title = decision.title_of(way.programmes[0])
        return (said(texts, "action_start", programme=title, first=vendors[0]) if vendors
                else said(texts, "action_start_only", programme=title))
    if not vendors or not new:
        return texts["action_keep"]
    rents = not any(row.tenure == "own" and row.discounted_usd > 0.0 for row in way.spend)
    kind = "rent" if rents else "buy"
    count = min(len(vendors), MOST_NAMED + 1)
    number = ("one", "two", "three", "more")[count - 1]
    names = dict(zip(("first", "second", "third"), vendors, strict=False))
    return said(texts, f"action_{kind}_{number}", **names)


def way_names(decision: Decision, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Name, small line and name within a sentence of each way, from the vendors of the case."""
    mixed = (way.name for way in ranked_ways(decision)
             if way.name in ("portfolio", "diversify") and len(paid_vendors(way)) > 1)
    by_vendors = next(mixed, "")
    return {way.name: _names(decision, way, texts, by_vendors) for way in decision.strategies}


def _names(
    decision: Decision, way: WayResult, texts: Mapping[str, str], named_by_vendors: str
) -> dict[str, str]:
    if way.name not in SLOTS:
        name = decision.way_of(way.name)
        return {"name": name, "line": texts["way_other_line"], "said": name}
    vendors = paid_vendors(way)
    first = vendors[0] if vendors else decision.dominant_vendor
    names = {part: said(texts, f"way_{way.name}_{part}", vendor=first)
             for part in ("name", "line", "said")}
    if way.name == named_by_vendors:
        listing = (listed(vendors) if len(vendors) <= MOST_IN_NAME
                   else said(texts, "way_listing_more", first=first))
        names["name"] = names["said"] = listing
    return names


def way_rows(decision: Decision, texts: Mapping[str, str]) -> list[dict[str, Plain]]:
    """Every way with its numbers on the fresh paths, the recommended one first, then by total."""
    names, same = way_names(decision, texts), twins(decision)
    futures = {item.way: item for item in decision.futures.ways}
    free = [way.name for way in decision.strategies if way.name not in SLOTS]
    slots = {name: place for place, name in enumerate(SLOTS)} | {
        name: len(SLOTS) + place % FREE_SLOTS for place, name in enumerate(free)}
    tied = [way.name for way in decision.strategies if way.name != decision.recommended
            and same.get(way.name) != decision.recommended
            and ties_with_first(decision, way.name)]
    rows: list[dict[str, Plain]] = []
    for way in ranked_ways(decision):
        called = dict(names[way.name])
        like = [names[key]["said"] for key, twin in same.items() if twin == way.name]
        if like:
            called["line"] = said(texts, "way_line_same", line=called["line"], other=listed(like))
        acting = next(item for item in decision.strategies
                      if item.name == same.get(way.name, way.name))
        is_first = way.name == decision.recommended
        rows.append({
            "key": way.name, **called, "slot": slots[way.name], "first": is_first,
            "action": way_action(decision, acting, texts), "vendors": list(paid_vendors(acting)),
            **_numbers(way), "tie": bool(tied) if is_first else way.name in tied,
            "same_as": same.get(way.name, ""), "own": _own(acting, decision),
            "open": openings(way), **_dots(futures[way.name]),
        })
    return rows


def _numbers(way: WayResult) -> dict[str, Plain]:
    cost = way.cost_per_query_usd
    return {
        "p10": cost.p10, "p50": cost.p50, "p90": cost.p90, "mean": cost.mean,
        "total": way.total_usd, "cash": way.cash_usd, "unserved": way.unserved_usd,
        "risk": way.risk_usd, "short": way.shortage_probability,
        "missing": way.shortage_share.mean, "meets": way.meets_service_level,
        "more": way.regret_usd, "more_error": way.regret_error_usd,
    }


def _own(way: WayResult, decision: Decision) -> Plain:
    """First own chip of a way, and when its programme is given up; None where it starts none."""
    if not way.own_silicon_quarter and not way.programmes:
        return None
    early, middle, late = way.own_silicon_quarter or ("", "", "")
    stops = stops_of(way)
    most = max(stops, key=lambda item: item[1], default=("", 0.0))[0]
    return {
        "p10": early, "p50": middle, "p90": late,
        "chance": way.own_silicon_probability if way.own_silicon_quarter else 0.0,
        "programme": decision.title_of(way.programmes[0]) if way.programmes else "",
        "stopped": most if isinstance(most, str) else str(Quarter.parse(decision.first_quarter) + most),
        "stopped_chance": sum(chance for _, chance in stops),
    }


def _dots(futures: WayFutures) -> dict[str, Plain]:
    """The twenty dots of a way, and what its middle future serves for a query and a MW-year."""
    order = sorted(range(len(futures.cost_per_query_usd)),
                   key=lambda path: futures.cost_per_query_usd[path])
    middle = order[(len(order) - 1) // 2]
    return {
        "tokens_per_query": futures.tokens_per_query[middle],
        "queries_per_mw_year": futures.queries_per_mw_year[middle],
        "dots": [
            {"f": path, "c": futures.cost_per_query_usd[path], "s": int(futures.is_short[path]),
             "t": futures.tokens_per_query[path], "q": futures.queries_per_mw_year[path]}
            for path in futures.dots],
    }
