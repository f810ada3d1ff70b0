"""Shocks, world supply, correlations and limits of a case file become records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fabless.case_records import CaseNumber, Shock, TimedLimit, WorldPool, correlation_name
from fabless.catalogue.case import schema
from fabless.catalogue.case.fields import Number, Unit
from fabless.errors import BadValue, FablessError, Fault, unknown
from fabless.sampling import correlation_faults
from fabless.units import Quarter

At = Callable[[str], str]
ANY = Unit("1", float("-inf"))
"""Unit of a correlation; its bounds are `correlation_faults`'s business."""


def correlation_numbers(
    file: schema.CaseFile, read: Callable[[str, Number, Unit], CaseNumber]
) -> Iterator[tuple[str, CaseNumber]]:
    """Each correlation as a number of the case."""
    for correlation in file.correlations:
        name = correlation_name(*correlation.pair)
        number = Number(
            value=correlation.value, grade=correlation.grade, source=correlation.source,
            note=correlation.note,
        )
        yield name, read(name, number, ANY)


def market_records(file: schema.CaseFile) -> dict[str, Any]:
    """The fields of `Case` that these sections fill."""
    return {
        "shocks": tuple(Shock(name, item.vendors) for name, item in file.shocks.items()),
        "pools": tuple(WorldPool(name, item.members) for name, item in file.pools.items()),
        "correlations": tuple((item.pair[0], item.pair[1]) for item in file.correlations),
        "power_limits": _limits(file.limits.power),
        "cash_limits": _limits(file.limits.cash),
    }


def market_errors(
    file: schema.CaseFile, numbers: Mapping[str, CaseNumber], at: At
) -> Iterator[FablessError]:
    """What these sections name that is not there, and correlations that cannot be."""
    chips = [section.get("vendor") for section in file.chips.values()]
    vendors = sorted(
        {
            file.existing.vendor, *(line.vendor for line in file.lines.values() if line.vendor),
            *(str(vendor) for vendor in chips if vendor),
        }
    )
    for name, item in file.shocks.items():
        for vendor in item.vendors:
            if vendor not in vendors:
                yield unknown("vendor", vendor, vendors, at(f"shocks.{name}.vendors"))
    drawing = [*file.lines, *file.programmes]
    for name, pool in file.pools.items():
        if name in drawing:
            yield BadValue(
                Fault(
                    at(f"pools.{name}"), "a line or programme has this name too",
                    "a name of its own", "rename one of the two",
                )
            )
        for member in pool.members:
            if member not in drawing:
                yield unknown("line or programme", member, drawing, at(f"pools.{name}.members"))
    yield from _revenue_errors(file, at)
    stated = [((item.pair[0], item.pair[1]), item.value) for item in file.correlations]
    drawn = [name for name in numbers if not name.startswith("correlations.")]
    for position, fault in correlation_faults(stated, drawn):
        place = at(f"correlations.{position}")
        yield BadValue(
            Fault(
                place, f"{' with '.join(stated[position][0])}: {fault.found}", fault.allowed,
                fault.remedy,
            )
        )


def _revenue_errors(file: schema.CaseFile, at: At) -> Iterator[FablessError]:
    """A share of revenue needs a revenue, and a limit to add it to."""
    if file.limits.revenue_share is None:
        return
    place = at("limits.revenue_share")
    if not file.limits.cash:
        yield BadValue(
            Fault(
                place, "no limit of cash to add it to", "with limits.cash",
                "state the cash at hand beside revenue, or take revenue_share out",
            )
        )
    if all(load.kind == "training" or load.revenue is None for load in file.loads.values()):
        yield BadValue(
            Fault(
                place, "no load states its revenue", "the revenue of a load or more",
                "add `revenue` to a load of queries, or take revenue_share out",
            )
        )


def _limits(periods: Iterable[str]) -> tuple[TimedLimit, ...]:
    """Limits in the order of time; a year starts with its first quarter."""
    limits = [TimedLimit(Quarter.parse(period), 1, period) if "Q" in period
              else TimedLimit(Quarter(int(period), 1), 4, period) for period in periods]
    return tuple(sorted(limits, key=lambda limit: (str(limit.first_quarter), -limit.quarters)))
