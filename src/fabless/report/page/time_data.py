"""What the page shows through time: compute, spend and cost of a query in a few futures."""

from __future__ import annotations

from collections.abc import Mapping

from fabless.decide import Decision
from fabless.report.document import Plain
from fabless.titles import IN_PLACE
from fabless.units import Quarter
from fabless.wording import heading

NOT_LINES = ("software", "programme")
"""Keys of spend that pay for no chip."""


def quarter_names(decision: Decision) -> list[str]:
    """Every quarter of the horizon."""
    first = Quarter.parse(decision.first_quarter)
    return [str(first + k) for k in range(decision.quarters)]


def when_data(decision: Decision, texts: Mapping[str, str]) -> dict[str, Plain]:
    """Compute, spend and cost through time, in every shown future under every way."""
    futures = decision.futures
    courses: dict[str, dict[str, Plain]] = {}
    for course in futures.courses:
        courses.setdefault(course.way, {})[course.future] = {
            "wanted": list(course.wanted), "missing": list(course.missing),
            "compute": {line: list(values) for line, values in course.compute},
            "spend": {key: list(values) for key, values in course.spend_usd},
            "cents": list(course.cost_per_query_usd),
        }
    bands = [band for _, band in decision.demand_by_quarter]
    return {
        "quarters": list(quarter_names(decision)), "years": list(futures.years),
        "lines": list(_lines(decision, texts)),
        "futures": [{"key": key, "f": path} for key, path in futures.shown],
        "demand": {"p10": [band.p10 for band in bands], "p50": [band.p50 for band in bands],
                   "p90": [band.p90 for band in bands]},
        "courses": {way: dict(shown) for way, shown in courses.items()},
        "short_by_year": {way.name: [list(row) for row in way.shortage_by_year]
                          for way in decision.strategies},
    }


def _lines(decision: Decision, texts: Mapping[str, str]) -> list[dict[str, Plain]]:
    """Everything that serves or is paid for in a shown future: the fleet in place first."""
    keys = dict.fromkeys(
        key for course in decision.futures.courses
        for key, _ in (*course.compute, *course.spend_usd) if key not in NOT_LINES)
    ordered = sorted(keys, key=lambda key: key != IN_PLACE)
    full = {key: heading(decision.title_of(key)) for key in ordered}
    short = {key: heading(title.split(", ", 1)[-1]) for key, title in full.items()}
    names = {key: short[key] if list(short.values()).count(short[key]) == 1 else full[key]
             for key in ordered}
    rows: list[dict[str, Plain]] = [
        {"key": key, "name": names[key], "title": full[key], "slot": slot}
        for slot, key in enumerate(ordered)]
    rows += [{"key": key, "name": texts[f"spend_{key}"], "title": texts[f"spend_{key}"],
              "slot": len(ordered) + place} for place, key in enumerate(NOT_LINES)]
    return rows
