"""What a way costs in all on fresh paths, by load, vendor, tenure and year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabless.case_numbers import QueryNumbers
from fabless.case_records import Case
from fabless.decide.accounts.results import BridgeRow, Margin, Money, SpendRow
from fabless.decide.fresh.on_paths import WayOnPaths, risk_adjusted_by_path, standard_error
from fabless.decide.ways.paths import band, calendar
from fabless.records import Array
from fabless.titles import titles


def money_of(case: Case, way: WayOnPaths) -> Money:
    """The whole money of a way."""
    cost, parts = way.cost_usd, risk_adjusted_by_path(case, way.cost_usd)
    total = float(parts.mean())
    return Money(
        cash_usd=float(way.cash_usd.mean()), cash_error_usd=standard_error(way.cash_usd),
        unserved_usd=float(way.unserved_usd.mean()),
        unserved_error_usd=standard_error(way.unserved_usd),
        risk_usd=total - float(cost.mean()), total_usd=total,
        total_error_usd=standard_error(parts), headline=tuple(_headline(case, way, total)),
        spend=tuple(spend_rows(case, way)), margin=query_margin(case, way),
    )


def query_margin(case: Case, way: WayOnPaths) -> Margin | None:
    """Revenue of the queries served less the cash for them, of the loads whose revenue is stated;
    None where none is."""
    terms = case.numbers.loads
    stated = [isinstance(item := terms[load], QueryNumbers) and item.revenue is not None
              for load in way.loads]
    if not any(stated):
        return None
    loads = tuple(load for load, is_stated in zip(way.loads, stated, strict=True) if is_stated)
    revenue = way.revenue.sum(axis=0) @ way.discount
    paid = way.by_load[stated].sum(axis=0) @ way.discount
    return Margin(
        loads=loads, revenue_usd=float(revenue.mean()), query_cash_usd=float(paid.mean()),
        margin_usd=float((revenue - paid).mean()), error_usd=standard_error(revenue - paid))


def _headline(case: Case, way: WayOnPaths, total: float) -> Iterator[BridgeRow]:
    """From the median cost of a query to the total."""
    called = titles(case)
    equal = np.full(way.cost_usd.size, 1.0 / way.cost_usd.size)
    median = band(way.query_cost_usd, equal).p50
    queries = way.queries @ way.discount
    by_load = way.by_load @ way.discount
    for_queries = float((way.is_query @ by_load).mean())
    yield BridgeRow(
        part="headline", usd=median * float(queries.mean()),
        how="median cost of a query times the queries served, both discounted")
    yield BridgeRow(
        part="spread", usd=for_queries - median * float(queries.mean()),
        how="queries cost more where there are many of them, and the mean is above the median")
    for load, cost, is_query in zip(way.loads, by_load, way.is_query, strict=True):
        if not is_query:
            yield BridgeRow(part=load, usd=float(cost.mean()), how=called[f"loads.{load}"])
    yield BridgeRow(
        part="unserved", usd=float(way.unserved_usd.mean()),
        how="unserved demand at the price the case states; nobody is paid")
    yield BridgeRow(
        part="risk", usd=total - float(way.cost_usd.mean()),
        how=f"{case.risk_weight:.0%} of what the worst {1 - case.risk_level:.0%} of the paths cost "
            "above the mean; nobody is paid")


def spend_rows(case: Case, way: WayOnPaths) -> Iterator[SpendRow]:
    """What is paid by load, vendor, tenure and year, expected; rows of nothing are left out."""
    over_path, count = way.path_share, way.cost_usd.size
    direct = np.einsum("inq,lnq->liq", way.spend, way.load_share) / count
    software = np.einsum("inq,ln->liq", way.ports, over_path) / count
    programme = np.einsum("nq,ln->lq", way.programme, over_path) / count
    vendor, tenure = sellers(case)
    amounts: dict[tuple[str, str, str], Array] = {}
    for k, load in enumerate(way.loads):
        for i, line in enumerate(way.lines):
            for key, usd in (((load, vendor[line], tenure[line]), direct[k, i]),
                             ((load, vendor[line], "software"), software[k, i])):
                amounts[key] = amounts.get(key, np.zeros(usd.size)) + usd
        amounts[load, "chip programmes", "programme"] = programme[k]
    for (load, seller, held), by_quarter in amounts.items():
        for year, quarters in calendar(case):
            if np.any(by_quarter[quarters]):
                yield SpendRow(
                    load=load, vendor=seller, tenure=held, year=year,
                    usd=float(by_quarter[quarters].sum()),
                    discounted_usd=float(by_quarter[quarters] @ way.discount[quarters]))


def sellers(case: Case) -> tuple[dict[str, str], dict[str, str]]:
    """Vendor, and tenure (own or rent), of everything that chips can come from."""
    vendor = {"existing": case.existing_vendor}
    tenure = {"existing": "rent"}
    for line in case.lines:
        vendor[line.name], tenure[line.name] = line.vendor, "own" if line.how == "buy" else "rent"
    for item in case.programmes:
        vendor[item.name], tenure[item.name] = item.chip.vendor, "own"
    for contract in case.contracts:
        if contract.line is None:
            vendor[contract.name] = contract.vendor
            tenure[contract.name] = "own" if contract.how == "buy" else "rent"
    return vendor, tenure
