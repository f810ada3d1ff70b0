"""Compare: two ways of a case, or two cases: what differs, the bridge between them, both pictures.

The work takes some ten seconds of a processor, so that it runs aside: the page says so and comes
back to it, with or without scripts. An answer is kept, and the same question is not asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from fabless import wording
from fabless.case_records import PORTFOLIO, STANDARD_WAYS, Case, CaseNumber
from fabless.catalogue import REFERENCE, read_case, shipped_cases
from fabless.decide import TwoWays, WayResult, compare_ways
from fabless.decide.accounts.results import BridgeRow
from fabless.decide.fresh.futures import Futures
from fabless.decide.two_cases import InputDifference, TwoCases, compare_cases, way_of_decision
from fabless.digest import digest_of
from fabless.errors import BadValue, FablessError, Fault, unknown
from fabless.report import money
from fabless.report.dots_charts import DotsRow, dots_chart
from fabless.report.html import Picture
from fabless.report.money_charts import bridge_chart
from fabless.report.two_ways import two_ways_sentence
from fabless.units import from_si
from fabless.web.pages.shell import (
    WIDTHS,
    Answered,
    Field,
    Form,
    failed,
    faults_response,
    filled,
    json_response,
    page_response,
    picture_of,
    texts_of,
)

KEPT = 32
"""Answers that are kept."""
WAITING = 6
"""Questions that may wait; one more is refused."""
USUAL_S = 20
"""Time that two ways take on two cores [s]; two cases take twice that."""
NOTHING_USD = 0.5
"""Money under which a cause is left out."""
PARTS = {"cash": "Cash", "unserved": "Unserved demand, at its price", "risk": "Priced risk"}
WAY_WORDS = {PORTFOLIO: "portfolio: whatever is best", "buy": "buy", "diversify": "second vendors",
             "partner": "partner's chip", "build": "own chip", "acquire": "buy a chip company"}


class CompareAsked(BaseModel):
    """Two ways of a case, or a way of one case and a way of another."""

    model_config = ConfigDict(extra="forbid")
    case: str = Described(REFERENCE, max_length=200)
    way: str = Described("", max_length=100)
    other: str = Described("", max_length=100)
    other_case: str = Described("", max_length=200)
    """Empty: the ways are of one case."""


@dataclass
class WorkAside:
    """Work that runs one piece at a time beside the server; what it gave is kept by digest."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    kept: dict[str, Future[TwoWays | TwoCases]] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)

    def ask(self, key: str, work: Callable[[], TwoWays | TwoCases]) -> Future[TwoWays | TwoCases]:
        """The answer to come, or that is there; raises `BadValue` where too much waits."""
        if key not in self.kept:
            waiting = sum(not future.done() for future in self.kept.values())
            if waiting >= WAITING:
                raise BadValue(Fault("server", f"{waiting} comparisons wait", f"up to {WAITING}",
                                     "ask again in a minute"))
            for old in [name for name, future in self.kept.items() if future.done()][: -KEPT]:
                del self.kept[old]
            self.begun[key] = time.monotonic()
            self.kept[key] = self.pool.submit(work)
        return self.kept[key]


def shipped_case(name: str) -> Case:
    """A case that ships with the program, never a path; raises `UnknownName`."""
    if name not in shipped_cases():
        raise unknown("case", name, shipped_cases(), "case")
    return read_case(name)


def compare_router(case_of: Callable[[str], Case] = shipped_case) -> APIRouter:
    """The page of a comparison, and its call; `case_of` reads a case by its name."""
    router, aside = APIRouter(), WorkAside()

    @router.get("/compare", include_in_schema=False)
    def compare_page(request: Request) -> Response:
        return page_response("compare.html", _answered(request.query_params, case_of, aside))

    @router.post("/api/compare", tags=["compare"])
    def compare_call(asked: CompareAsked) -> Response:
        """One way against another: the answer of ``fabless compare --detail quick --json``; or a
        way of one case against a way of another."""
        try:
            return json_response(_asked_of(asked, case_of, aside).result())
        except FablessError as error:
            return faults_response(error)

    return router


def _asked_of(
    asked: CompareAsked, case_of: Callable[[str], Case], aside: WorkAside
) -> Future[TwoWays | TwoCases]:
    """Begin the work of a question, or find it done."""
    case = case_of(asked.case)
    if asked.other_case in ("", asked.case):
        way, other = asked.way or PORTFOLIO, asked.other or "buy"
        key = digest_of({"case": case, "ways": (way, other)})
        return aside.ask(key, lambda: compare_ways(case, way, other, detail="quick"))
    try:
        second = case_of(asked.other_case)
    except FablessError as error:
        raise type(error)(*(Fault("other_case", fault.found, fault.allowed, fault.remedy)
                            for fault in error.faults)) from error
    ways = (asked.way, asked.other)
    key = digest_of({"cases": (case, second), "ways": ways})
    return aside.ask(key, lambda: compare_cases(case, second, ways=ways))


_TEXTS = ("case", "way", "other", "other_case")


def _answered(
    given: Mapping[str, str], case_of: Callable[[str], Case], aside: WorkAside
) -> Answered:
    texts = texts_of(given, _TEXTS)
    texts["case"] = texts["case"] or REFERENCE
    form = _form(texts)
    shown: dict[str, object] = {
        "pair": None, "cases": None, "waits": False, "usual_s": USUAL_S}
    if not given:
        return Answered(form=form, shown=shown)
    try:
        coming = _asked_of(CompareAsked.model_construct(None, **texts), case_of, aside)
        if not coming.done():
            return Answered(form=form, status=202, shown=shown | {"waits": True})
        answer = coming.result()
    except FablessError as error:
        return failed(form, error, shown)
    if isinstance(answer, TwoWays):
        return Answered(form=form, shown=shown | _two_ways(answer))
    return Answered(form=form, shown=shown | _two_cases(answer))


def _form(texts: Mapping[str, str]) -> Form:
    cases = tuple((name, name) for name in shipped_cases())
    keys = (PORTFOLIO, *STANDARD_WAYS)
    ways = (("", "as recommended"), *((key, wording.heading(WAY_WORDS[key])) for key in keys))
    fields = (
        Field(name="case", label="Case", choices=cases),
        Field(name="way", label="Way", choices=ways),
        Field(name="other", label="Beside", choices=ways),
        Field(name="other_case", label="Of case", choices=(("", "the same case"), *cases)),
    )
    usual = {"way": PORTFOLIO, "other": "buy"} if not any(texts[name] for name in _TEXTS[1:]) else {}
    return Form({item.name: filled(item, texts[item.name] or usual.get(item.name, ""))
                 for item in fields})


def _two_ways(pair: TwoWays) -> dict[str, object]:
    apart = pair.against
    titles = tuple(wording.heading(pair.way_titles[key]) for key in (apart.way, apart.other))
    parts, total = wording.usd_parts([getattr(apart, f"{part}_usd") for part in PARTS])
    bridge = money.cause_bridge(replace(apart, bridge=tuple(
        row for row in apart.bridge if abs(row.usd) >= NOTHING_USD)))
    rows = [_row(title, pair.futures, key)
            for title, key in zip(titles, (apart.way, apart.other), strict=True)]
    return {
        "pair": pair, "rows": rows, "sentence": wording.heading(two_ways_sentence(pair)),
        "parts_of_cost": list(zip(PARTS.values(), parts, strict=True)), "total": total, "bridge": bridge,
        "error": wording.error_usd(2.0 * apart.error_usd),
        "decimals": wording.cent_decimals(row.median_usd for row in rows),
        "bridge_picture": _bridge_picture(bridge), "dots_picture": _dots_picture(rows),
    }


def _two_cases(pair: TwoCases) -> dict[str, object]:
    rows, ways = [], []
    for decision, key in zip(pair.decisions, pair.ways, strict=True):
        way = way_of_decision(decision, key)
        ways.append(way)
        rows.append(_row(f"{wording.heading(way.label)}, {decision.case}", decision.futures, key))
    bridge = _cases_bridge(ways[0], ways[1])
    parts, total = wording.usd_parts([usd for _, usd in pair.parts])
    return {
        "sentence": _cases_sentence(pair, rows), "cases": pair, "rows": rows, "ways": ways, "bridge": bridge,
        "parts_of_cost": list(zip(PARTS.values(), parts, strict=True)), "total": total,
        "error": wording.error_usd(2.0 * pair.error_usd),
        "decimals": wording.cent_decimals(row.median_usd for row in rows),
        "bridge_picture": _bridge_picture(bridge), "dots_picture": _dots_picture(rows),
        "inputs": [(item.name, _input_words(item.first), _input_words(item.second))
                   for item in sorted(pair.inputs, key=_place)],
    }


def _cases_sentence(pair: TwoCases, rows: list[DotsRow]) -> str:
    """How two cases differ; a difference within two standard errors is none."""
    size, error = wording.usd(abs(pair.difference_usd)), wording.usd(2.0 * pair.error_usd)
    first, second = (row.title for row in rows)
    if abs(pair.difference_usd) <= 2.0 * pair.error_usd:
        return f"{first} cannot be told from {second}: {size} apart, ± {error}."
    side = "less" if pair.difference_usd < 0.0 else "more"
    return f"{first} costs {size} {side} in all than {second}, ± {error}."


def _cases_bridge(way: WayResult, other: WayResult) -> money.Bridge:
    """From the one total to the other by its parts."""
    return money.bridge_of([
        BridgeRow(part=title, usd=getattr(way, f"{part}_usd") - getattr(other, f"{part}_usd"),
                  how="") for part, title in PARTS.items()])


def _row(title: str, futures: Futures, way: str) -> DotsRow:
    """The dots of a way, with the median of all its futures."""
    of_way = next(item for item in futures.ways if item.way == way)
    return DotsRow(title, of_way, float(np.median(of_way.cost_per_query_usd)))


def _dots_picture(rows: list[DotsRow]) -> Picture:
    wide, narrow = (dots_chart(rows, width) for width in WIDTHS)
    return picture_of((wide, narrow), "Twenty futures of each on one axis of cents a query; the "
                                      "table holds median and shortfall.")


def _bridge_picture(bridge: money.Bridge) -> Picture:
    wide, narrow = (bridge_chart(bridge, "Difference", width, signed=True) for width in WIDTHS)
    return picture_of((wide, narrow), "The difference step by step; the table holds the same "
                                      "numbers.")


def _place(item: InputDifference) -> tuple[bool, str]:
    """Inputs by name, correlations last."""
    return item.name.startswith("correlations."), item.name


def _input_words(number: CaseNumber | None) -> tuple[str, str]:
    """An input with its unit, and its range and grade; a dash where it is not stated."""
    if number is None:
        return wording.MISSING, "not stated"
    spread, unit = number.spread, number.unit
    value = wording.with_unit(from_si(spread.mode, unit), unit)
    between = ("" if spread.low == spread.high else
               f"{wording.in_unit(spread.low, unit)} to {wording.in_unit(spread.high, unit)}, ")
    return value, f"{between}{number.grade.value}"
