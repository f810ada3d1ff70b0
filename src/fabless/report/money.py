"""The whole money of the ways as rows of text, for screen and page alike: from the cents to the
total, why two ways differ, and what is paid for what and when.

Rows are rounded so that they add up to their total as printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from fabless import wording
from fabless.decide import Decision, WayResult
from fabless.decide.accounts.results import Against, BridgeRow, SpendRow
from fabless.decide.results import FirstLook

HEADLINE = {"headline": "Queries at the median cost", "spread": "Spread of the scenarios",
            "unserved": "Unserved demand", "risk": "Risk"}
"""Steps from the cost of a query to the total, as a reader calls them; loads have titles of their
own."""
TENURES = {"own": "Own chips", "rent": "Rented chips", "software": "Second software stacks",
           "programme": "Chip programmes"}
"""How a chip or a cost is held, as a reader calls it."""
_NOTHING_USD = 0.5
"""Money under which a row is not shown."""
LATER = "Later"
WHOLE = "All years"
DISCOUNTED = "Discounted"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a bridge."""

    part: str
    """Its key."""
    title: str
    usd: float
    text: str
    """The amount, rounded so that the steps add up to the end of the bridge."""
    how: str


@dataclass(frozen=True)
class Bridge:
    """Steps that add up to an amount."""

    steps: tuple[Step, ...]
    usd: float
    text: str


@dataclass(frozen=True, kw_only=True)
class SpendTable:
    """What is paid by one feature of the spend, in the columns of some years, rounded so that each
    column adds up."""

    feature: str
    """load | vendor | tenure"""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    totals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MoneyRow:
    """The whole money of one way, its parts rounded so that they add up to the total."""

    way: WayResult
    cash: str
    unserved: str
    risk: str
    total: str
    error: str
    """Two standard errors of the total."""
    standing: str


def leads(compared: Decision | FirstLook) -> bool:
    """Whether every other way, but one that does the same on every path, costs more than the
    recommended one by over two standard errors."""
    return all(way.regret_usd > 2.0 * way.regret_error_usd or _is_twin(way)
               for way in compared.strategies if way.name != compared.recommended)


def standing(way: WayResult, compared: Decision | FirstLook) -> str:
    """How a way stands against the recommended one."""
    first = way.name == compared.recommended
    if not first and _is_twin(way):
        return "the same"
    return wording.verdict(way.regret_usd, way.regret_error_usd, first=first,
                           tied=first and not leads(compared))


def standing_lines(way: WayResult, decision: Decision) -> tuple[str, str]:
    """How a way stands, for a narrow column: in a word, and the amounts or the error below it."""
    words = standing(way, decision)
    if words.startswith("tie ("):
        return "tie", words.removeprefix("tie (").removesuffix(")")
    head, sign, error = words.partition(" ± ")
    return head, f"± {error}" if sign else ""


def _is_twin(way: WayResult) -> bool:
    """Whether a way does on every path what the recommended one does."""
    return way.regret_usd == 0.0 and way.regret_error_usd == 0.0


def money_row(way: WayResult, decision: Decision) -> MoneyRow:
    """The whole money of a way as text."""
    (cash, unserved, risk), total = wording.usd_parts([way.cash_usd, way.unserved_usd, way.risk_usd])
    return MoneyRow(
        way=way, cash=cash, unserved=unserved, risk=risk, total=total,
        error=wording.error_usd(2.0 * way.total_error_usd), standing=standing(way, decision))


def _bridge(rows: Sequence[BridgeRow], title: Callable[[BridgeRow], str],
            how: Callable[[BridgeRow], str]) -> Bridge:
    texts, total = wording.usd_parts([row.usd for row in rows])
    steps = tuple(Step(part=row.part, title=title(row), usd=row.usd, text=text, how=how(row))
                  for row, text in zip(rows, texts, strict=True))
    return Bridge(steps, fsum(row.usd for row in rows), total)


def headline_bridge(way: WayResult, decision: Decision) -> Bridge:
    """From the median cost of a query to the total by which the way is ranked."""
    median = way.cost_per_query_usd.p50
    decimals = way_decimals(decision)

    def how(row: BridgeRow) -> str:
        if row.part == "headline" and median > 0.0:
            return (f"{wording.cents(median, decimals)} cents, the median, times "
                    f"{wording.count(row.usd / median)} queries served, both discounted")
        return f"cash for {row.how}" if row.part not in HEADLINE else row.how

    return _bridge(
        way.headline, lambda row: HEADLINE.get(row.part) or wording.heading(
            decision.load_titles.get(row.part, row.part)), how)


def margin_words(way: WayResult, decision: Decision) -> str:
    """Revenue, cash and margin of the queries in words; empty where the case states no revenue."""
    margin = way.margin
    if margin is None:
        return ""
    (revenue, paid), rest = wording.usd_parts([margin.revenue_usd, -margin.query_cash_usd])
    loads = wording.listed([decision.load_titles.get(load, load) for load in margin.loads])
    return (f"{way.label}: {loads} bring in {revenue} and cost {paid.removeprefix(wording.MINUS)} "
            f"of cash, a margin of {rest} ± {wording.error_usd(2.0 * margin.error_usd)}")


def bridge_of(rows: Sequence[BridgeRow]) -> Bridge:
    """Steps titled by their parts, rounded so that they add up as printed."""
    return _bridge(rows, lambda row: wording.heading(row.part), lambda row: row.how)


def cause_bridge(against: Against) -> Bridge:
    """The difference of two ways by cause."""
    return bridge_of(against.bridge)


def against_words(against: Against, decision: Decision) -> str:
    """The difference of two ways in words: size, error, parts, and on how many paths."""
    way, other = decision.way_of(against.way), decision.way_of(against.other)
    (cash, unserved, risk), whole = wording.usd_parts(
        [against.cash_usd, against.unserved_usd, against.risk_usd])
    size = wording.usd(abs(against.difference_usd))
    error = wording.error_usd(2.0 * against.error_usd)
    side = "less" if against.difference_usd < 0 else "more"
    start = (f"{way} and {other} cannot be told apart: {size} {side} ± {error}" if against.is_tie
             else f"{way} costs {size} ± {error} {side} than {other}")
    return (f"{start} (cash {cash}, unserved demand {unserved}, risk {risk}: together {whole}); "
            f"it is the cheaper one in {wording.in_percent(against.cheaper_share)} of the scenarios")


def way_decimals(decision: Decision) -> int:
    """Decimals in which the ways' costs of a query are told apart."""
    return wording.cent_decimals(way.cost_per_query_usd.p50 for way in decision.strategies)


def spend_title(feature: str, key: str, decision: Decision) -> str:
    """What people call one value of a feature of the spend."""
    if feature == "load":
        return wording.heading(decision.load_titles.get(key, key))
    return TENURES.get(key, key) if feature == "tenure" else wording.heading(key)


def spend_by(way: WayResult, feature: str) -> dict[str, list[SpendRow]]:
    """Rows of a way's spend by load, vendor or tenure, the largest first; how a thing is held in
    the order of `TENURES`. What comes to nothing but rounding is left out."""
    grouped: dict[str, list[SpendRow]] = {}
    for row in way.spend:
        grouped.setdefault(getattr(row, feature), []).append(row)
    grouped = {key: rows for key, rows in grouped.items()
               if fsum(abs(row.usd) for row in rows) >= _NOTHING_USD}
    order = {key: k for k, key in enumerate(TENURES)}
    if feature == "tenure":
        return dict(sorted(grouped.items(), key=lambda item: order.get(item[0], len(order))))
    return dict(sorted(
        grouped.items(), key=lambda item: -fsum(row.discounted_usd for row in item[1])))


def spend_years(way: WayResult) -> list[int]:
    """Years in which something is paid."""
    return sorted({row.year for row in way.spend})


def spend_table(
    way: WayResult, feature: str, title: str, decision: Decision, most_years: int | None = None
) -> SpendTable:
    """Lay a way's spend out by a feature and year, with the years after the first `most_years`
    together, the sum of all and its present value."""
    years = spend_years(way)
    shown = years if most_years is None or len(years) <= most_years + 1 else years[:most_years]
    later = set(years) - set(shown)
    columns: list[tuple[str, Callable[[SpendRow], float]]] = [
        (str(year), lambda row, year=year: row.usd if row.year == year else 0.0)  # type: ignore[misc]
        for year in shown]
    if later:
        columns.append((LATER, lambda row: row.usd if row.year in later else 0.0))
    columns += [(WHOLE, lambda row: row.usd), (DISCOUNTED, lambda row: row.discounted_usd)]
    grouped = spend_by(way, feature)
    sums = [wording.usd_parts([_sum(map(amount, rows)) for rows in grouped.values()])
            for _, amount in columns]
    return SpendTable(
        feature=feature, title=title, columns=tuple(name for name, _ in columns),
        rows=tuple((spend_title(feature, key, decision), tuple(texts[k] for texts, _ in sums))
              for k, key in enumerate(grouped)),
        totals=tuple(total for _, total in sums))


def _sum(amounts: Iterable[float]) -> float:
    return fsum(amounts)


SPEND_FEATURES = (("load", "By load"), ("vendor", "By chip vendor"), ("tenure", "Own and rented"))
"""Features by which spend is shown, with their titles."""


def spend_tables(
    way: WayResult, decision: Decision, most_years: int | None = None
) -> list[SpendTable]:
    """The spend of a way by load, by vendor and by how it is held; none where nothing is paid."""
    return [spend_table(way, feature, title, decision, most_years)
            for feature, title in SPEND_FEATURES] if way.spend else []


def spend_panels(way: WayResult, decision: Decision) -> dict[str, dict[str, dict[int, float]]]:
    """The spend of a way for a picture: title of the cut -> title of the part -> year -> USD."""
    panels: dict[str, dict[str, dict[int, float]]] = {}
    for feature, title in SPEND_FEATURES:
        parts = panels.setdefault(title, {})
        for key, rows in spend_by(way, feature).items():
            course = parts.setdefault(spend_title(feature, key, decision), {})
            for row in rows:
                course[row.year] = course.get(row.year, 0.0) + row.usd
    return panels
