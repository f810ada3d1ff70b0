"""Which quantities a case forecasts, and what is meant by each: one record a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fabless.case_records import Case, Line
from fabless.titles import chip_titles, titles
from fabless.units import DAY_S, MONTH_S
from fabless.wording import heading

Group = Literal["demand", "scale", "money", "prices", "supply", "generations", "programmes"]
GROUPS: tuple[Group, ...] = (
    "demand", "scale", "money", "prices", "supply", "generations", "programmes")
MARKET: frozenset[Group] = frozenset({"prices", "supply", "generations"})
"""Groups whose truths are the same for every case."""
How = Literal["mean", "sum", "end", "wait", "once", "chance"]
"""What a quantity of a period is: mean of its quarters, sum of them, state in the last; or a time
since the day, a number without a date, an event."""
Origin = Literal["world", "way", "programme"]

SHORTEST_WAIT_S = 0.25 * MONTH_S
"""Wait below which all waits count the same."""
LEAST_SHARE = 0.01
"""Share of a vendor below which all shares count the same: it may be none."""
_STEPS = {"tape_out": "tape-out", "first_silicon": "first silicon", "volume": "volume"}
_OVER_TODAY = {"gain": "throughput", "price": "price", "power": "power"}
_COMING = ("next generation", "generation after next", "third coming generation")


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something that a case forecasts."""

    name: str
    title: str
    """What people call it."""
    group: Group
    unit: str
    how: How
    origin: Origin
    about: str = ""
    """Key of the load, vendor, line, pool or programme that it is about."""
    least: float = 1.0
    """Least value that counts [SI]: what is below is scored as this."""
    generation: int = 0
    """Coming generation, from 1."""
    in_money: bool = False
    """Whether it is money, whose worth changes with the years."""

    @property
    def is_share(self) -> bool:
        """Whether it lies between none and all, both of which may be."""
        return self.name.startswith("vendor_share.")

    @property
    def kind(self) -> str:
        """Its name without what it is about."""
        parts = self.name.split(".")
        longer = parts[0] in ("generation", "programme", "supply")
        return f"{parts[0]}.{parts[-1]}" if longer else parts[0]


def quantities_of(case: Case) -> dict[str, Quantity]:
    """Everything that a case forecasts, by name."""
    every = (*_demand_and_scale(case), *_money(case), *_market(case), *_generations(case),
             *_programmes(case))
    return {item.name: item for item in every}


def line_for(case: Case, name: str, how: str | None = None) -> Line | None:
    """The line of that key, or the first one of that chip; not prepaid, if another is there."""
    lines = [line for line in case.lines if how in (None, line.how)]
    of_chip = [line for line in lines if line.chip.name == name]
    named = [line for line in lines if line.name == name]
    return next(iter(named or sorted(of_chip, key=lambda line: line.prepaid)), None)


def vendors_of(case: Case) -> tuple[str, ...]:
    """Vendors of all chips of a case, in lower case."""
    names = (case.existing_vendor, *(line.vendor for line in case.lines),
             *(item.chip.vendor for item in case.programmes))
    return tuple(dict.fromkeys(name.lower() for name in names))


def leading_line(case: Case, vendor: str) -> Line | None:
    """The first line of a vendor that is bought and has coming generations."""
    return next((line for line in case.lines if line.vendor.lower() == vendor and line.how == "buy"
                 and line.successors), None)


def _demand_and_scale(case: Case) -> Iterator[Quantity]:
    yield Quantity(name="queries_per_day", title="Queries a day", group="demand", unit="query/day",
                   how="mean", origin="world", least=1e-9)
    training = [load for load in case.loads if load.kind == "training"]
    known = titles(case)
    if training:
        yield Quantity(name="training_flop", title="Training compute a quarter", group="scale",
                       unit="FLOP", how="mean", origin="way", least=1e15)
    for load in training:
        yield Quantity(
            name=f"training_flop.{load.name}", group="scale", unit="FLOP", how="mean",
            title=f"{heading(known[f'loads.{load.name}'])}, compute a quarter", origin="way",
            about=load.name, least=1e15)
    yield Quantity(name="fleet_h100e", title="Fleet, in H100 equivalents", group="scale",
                   unit="chip", how="end", origin="way")
    names = {vendor.lower(): vendor for vendor in (
        *(item.chip.vendor for item in case.programmes), *(line.vendor for line in case.lines),
        case.existing_vendor)}
    for vendor in vendors_of(case):
        yield Quantity(
            name=f"fleet_h100e.{vendor}", title=f"Chips of {names[vendor]}, in H100 equivalents",
            group="scale", unit="chip", how="end", origin="way", about=vendor)
        yield Quantity(
            name=f"vendor_share.{vendor}", title=f"Share of {names[vendor]} in the fleet",
            group="scale", unit="1", how="end", origin="way", about=vendor, least=LEAST_SHARE)


def _money(case: Case) -> Iterator[Quantity]:
    kinds = {load.kind for load in case.loads}
    for name, title, kind in (("compute_spend", "Spend on compute", None),
                              ("training_spend", "Spend on training", "training"),
                              ("query_spend", "Spend on queries", "inference")):
        if kind is None or kind in kinds:
            yield Quantity(name=name, title=title, group="money", unit="USD", how="sum",
                           origin="way", in_money=True)
    if any(getattr(load, "revenue", None) is not None for load in case.numbers.loads.values()):
        yield Quantity(name="revenue", title="Revenue of the queries", group="money", unit="USD",
                       how="sum", origin="way", in_money=True)
    if "inference" in kinds:
        yield Quantity(name="cost_per_query", title="Cost of a query", group="money",
                       unit="USD/query", how="sum", origin="way", least=1e-9, in_money=True)


def _market(case: Case) -> Iterator[Quantity]:
    known, chips = titles(case), chip_titles(line.chip for line in case.lines)
    for line in case.lines:
        title = known[f"lines.{line.name}"]
        for name, of in ((line.chip.name, chips[line.chip.name]), (line.name, title)):
            rented = line.how == "rent"
            yield Quantity(
                name=f"{'rent' if rented else 'chip_price'}.{name}", about=name, group="prices",
                title=f"{'Rent' if rented else 'Price'} of {of}", how="mean", origin="world",
                unit="USD/h" if rented else "USD", least=1e-9, in_money=True)
            yield Quantity(name=f"lead_time.{name}", title=f"Lead time of {of}", about=name,
                           group="supply", unit="week", how="mean", origin="world", least=DAY_S)
    yield Quantity(name="supply.scarce", title="Supply is scarce", group="supply", unit="1",
                   how="chance", origin="world")
    yield Quantity(name="supply.scarce_ends", title="End of the first shortage", group="supply",
                   unit="month", how="wait", origin="world", least=SHORTEST_WAIT_S)
    for pool in case.pools:
        unit = case.numbers.pools[pool.name].output.unit
        yield Quantity(
            name=f"pool.{pool.name}", title=f"World output of {pool.name}", about=pool.name,
            group="supply", unit=unit, how="mean", origin="world", least=1e-12)


def _generations(case: Case) -> Iterator[Quantity]:
    for vendor in vendors_of(case):
        line = leading_line(case, vendor)
        for generation in range(1, (line.successors if line else 0) + 1):
            assert line is not None
            which = f"{line.vendor}'s {_coming(generation)}"
            name = f"generation.{vendor}.{generation}"
            yield Quantity(
                name=f"{name}.first_volume", title=f"{which}: first volume", group="generations",
                unit="month", how="wait", origin="world", about=vendor, generation=generation,
                least=SHORTEST_WAIT_S)
            for part, word in _OVER_TODAY.items():
                yield Quantity(
                    name=f"{name}.{part}", title=f"{which}: {word} over today's",
                    group="generations", unit="1", how="once", origin="world", about=vendor,
                    generation=generation, least=1e-6)


def _coming(generation: int) -> str:
    """What people call a coming generation, counted from 1."""
    if generation <= len(_COMING):
        return _COMING[generation - 1]
    return f"coming generation {generation}"


def _programmes(case: Case) -> Iterator[Quantity]:
    known = titles(case)
    for item in case.programmes:
        title = heading(known[f"programmes.{item.name}"])
        for step, word in _STEPS.items():
            yield Quantity(name=f"programme.{item.name}.{step}", title=f"{title}: {word}",
                           group="programmes", unit="month", how="wait", origin="programme",
                           about=item.name, least=SHORTEST_WAIT_S)
        for event, word in (("reaches_volume", "reaches volume"), ("trains", "trains models")):
            yield Quantity(name=f"programme.{item.name}.{event}", title=f"{title} {word}",
                           group="programmes", unit="1", how="chance", origin="programme",
                           about=item.name)
