"""Why two ways differ: by the parts of their total, and by cause.

Chips of a quarter cost

    spend = compute served x (able / served) x (hardware / able) x (chips / hardware) x (spend / chips)

that is, what is served, chips that stand ready without work, software that makes less of a chip
than on the first day's fleet, chips per unit of compute, and the price of a chip and quarter. The
difference of two products is shared among their factors by the logarithmic mean (Ang 2004, LMDI-I):
each factor's part is L(a, b) ln(factor a / factor b) with L(a, b) = (a - b) / ln(a / b). The parts
add up to the difference without a rest, and none depends on the order in which they are taken.
"""

from __future__ import annotations

import numpy as np

from fabless.case_records import Case
from fabless.decide.accounts.results import Against, BridgeRow
from fabless.decide.fresh.on_paths import WayOnPaths, risk_adjusted_by_path, standard_error
from fabless.records import Array

CAUSES = {
    "price": "what a chip costs for a quarter, bought or rented",
    "performance": "how much compute a chip does",
    "software": "how much of it the software gets out, and the cost of a second software stack",
    "dates": "chips that stand ready before or after they are needed",
    "unserved": "demand left unserved at its price, less what it would have cost to serve it",
    "programme": "spend on chip programmes",
    "risk": "what the worst paths cost above the mean, by its weight",
}
"""Causes of a difference, in the order in which they are told."""


def against(
    case: Case, name: str, way: WayOnPaths, other_name: str, other: WayOnPaths, *,
    plan_error_usd: float = 0.0,
) -> Against:
    """One way against another on the same paths; `plan_error_usd` is what the error holds beside
    that of the paths."""
    parts, other_parts = (risk_adjusted_by_path(case, item.cost_usd) for item in (way, other))
    difference = float((parts - other_parts).mean())
    cash = float((way.cash_usd - other.cash_usd).mean())
    unserved = float((way.unserved_usd - other.unserved_usd).mean())
    by_part = {"cash": cash, "unserved": unserved, "risk": difference - cash - unserved}
    # the part that pulls hardest in the direction of the whole
    pull = max(by_part, key=lambda part: by_part[part] * np.sign(difference))
    return Against(
        way=name, other=other_name, difference_usd=difference,
        error_usd=float(np.hypot(standard_error(parts - other_parts), plan_error_usd)),
        plan_error_usd=plan_error_usd, cash_usd=cash, unserved_usd=unserved,
        risk_usd=by_part["risk"], decides=pull,
        cheaper_share=float((way.cost_usd < other.cost_usd).mean()),
        bridge=tuple(_bridge(way, other, by_part["risk"])),
    )


def _bridge(way: WayOnPaths, other: WayOnPaths, risk_usd: float) -> list[BridgeRow]:
    causes = dict.fromkeys(CAUSES, 0.0)
    factors, other_factors = _factors(way), _factors(other)
    spend, other_spend = (item.spend.sum(axis=0).mean(axis=0) for item in (way, other))
    shared = _log_mean(spend, other_spend)
    both = np.ones(spend.size, dtype=bool)
    for name in factors:
        both &= (factors[name] > 0) & (other_factors[name] > 0)
    both &= (spend > 0) & (other_spend > 0)
    rest = spend - other_spend
    for name, factor in factors.items():
        ratio = np.divide(factor, other_factors[name], out=np.ones(spend.size), where=both)
        part = np.where(both, shared * np.log(ratio), 0.0)
        causes[name] += float(part @ way.discount)
        rest = rest - part
    causes["dates"] += float(rest @ way.discount)  # quarters in which one of them has no chips
    causes["software"] += _mean_pv(way, way.ports.sum(axis=0)) - _mean_pv(
        other, other.ports.sum(axis=0))
    causes["unserved"] += _mean_pv(way, way.unserved) - _mean_pv(other, other.unserved)
    causes["programme"] += _mean_pv(way, way.programme) - _mean_pv(other, other.programme)
    causes["risk"] += risk_usd
    return [BridgeRow(part=name, usd=usd, how=CAUSES[name]) for name, usd in causes.items()]


def _factors(way: WayOnPaths) -> dict[str, Array]:
    """Factors of the mean spend of each quarter (Q,), by the cause they are counted under."""
    spend, chips, hardware, able, served = (
        values.sum(axis=0).mean(axis=0)
        for values in (way.spend, way.chips, way.hardware, way.able, way.compute))

    def ratio(upper: Array, lower: Array) -> Array:
        return np.divide(upper, lower, out=np.zeros(upper.size), where=lower > 0)

    return {"unserved": served, "dates": ratio(able, served), "software": ratio(hardware, able),
            "performance": ratio(chips, hardware), "price": ratio(spend, chips)}


def _log_mean(value: Array, other: Array) -> Array:
    """Logarithmic mean of positive numbers; 0 where either is not."""
    both = (value > 0) & (other > 0)
    ratio = np.divide(value, other, out=np.ones(value.size), where=both)
    gap = np.where(both, value - other, 0.0)
    steep = np.abs(np.log(ratio)) > 1e-12
    mean = np.divide(gap, np.log(ratio), out=np.where(both, value, 0.0), where=steep)
    return np.asarray(mean)


def _mean_pv(way: WayOnPaths, values: Array) -> float:
    return float((values @ way.discount).mean())
