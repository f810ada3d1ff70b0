"""What a query costs on the first day's terms, line by line: on the fleet in place, on every line
and on every own chip of a case, chosen or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum

import numpy as np

from fabless.case_numbers import CaseNumbers, mapped
from fabless.case_records import Case, CaseNumber, Line, Load, Programme, modes
from fabless.decide.fresh.on_paths import WayOnPaths
from fabless.decide.results import BuildUpRow, ChipCostRow, ProgrammeValue, QueryCost
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.perf import Serving, usable_precision
from fabless.records import Chip
from fabless.strategy import every_way, owning_at
from fabless.tco import ChipHour, chip_hour_cost, rented_chip_hour, usd_per_query
from fabless.titles import IN_PLACE, load_titles, offer_titles
from fabless.units import QUARTER_S, YEAR_S
from fabless.wording import heading, in_percent, usd

BOUND_BY = {
    "compute": "peak_{precision}", "bandwidth": "memory_bandwidth", "capacity": "memory_capacity",
    "network": "scale_up_bandwidth",
}
"""What keeps a phase of serving from going faster -> the field of the chip that it waits for;
latency waits for none."""
NUDGE = 0.01
"""Share by which a number is moved to see which lines of an hour's cost move with it."""
LEAST_USED = 0.005
"""Share of all compute from which a chip counts as used."""


@dataclass(frozen=True, kw_only=True)
class PricedChip:
    """A chip that a case offers, with what it is paid for on the first day."""

    key: str
    """``existing``, or the key of the line or programme."""
    title: str
    chip: Chip
    is_owned: bool
    price: Callable[[CaseNumbers[float]], float]
    """Price of a chip [USD] where it is owned, of a second of it [USD/s] where it is rented."""
    numbers: tuple[CaseNumber, ...]
    """Numbers of the case that the price rests on."""
    speed: CaseNumber | None = None
    """What the chip does of what its specification promises; None: all of it."""


def priced_chips(case: Case) -> dict[str, PricedChip]:
    """Every chip of a case by its key: the fleet in place, each line, each programme."""
    chips = (
        _in_place(case), *(_of_line(case, line) for line in case.lines),
        *(_of_programme(case, item) for item in case.programmes))
    return {priced.key: priced for priced in chips}


def _in_place(case: Case) -> PricedChip:
    return PricedChip(
        key=IN_PLACE, title=offer_titles(case)[IN_PLACE], chip=case.existing_chip, is_owned=False,
        price=lambda numbers: numbers.existing.price, numbers=(case.numbers.existing.price,))


def _of_line(case: Case, line: Line) -> PricedChip:
    def price(numbers: CaseNumbers[float]) -> float:
        terms = numbers.lines[line.name]
        return terms.price * (1.0 - (0.0 if terms.discount is None else terms.discount))

    terms = case.numbers.lines[line.name]
    stated = (terms.price, *(() if terms.discount is None else (terms.discount,)))
    return PricedChip(
        key=line.name, title=offer_titles(case)[line.name], chip=line.chip,
        is_owned=line.how == "buy", price=price, numbers=stated, speed=terms.efficiency)


def _of_programme(case: Case, item: Programme) -> PricedChip:
    """The chip at its unit cost over one less the maker's margin, with its part of the team that
    goes on after volume, as if it were in volume on the first day."""
    def price(numbers: CaseNumbers[float]) -> float:
        terms = numbers.programmes[item.name]
        support = terms.support_share * terms.team * QUARTER_S / max(terms.allotment, 1.0)
        return numbers.unit_costs[item.name] / (1.0 - terms.margin) + support

    terms = case.numbers.programmes[item.name]
    return PricedChip(
        key=item.name, title=offer_titles(case)[item.name], chip=item.chip, is_owned=True,
        price=price, speed=terms.performance,
        numbers=(case.numbers.unit_costs[item.name], terms.margin, terms.support_share, terms.team,
                 terms.allotment))


def build_up(prepared: Prepared) -> tuple[BuildUpRow, ...]:
    """Cost of a query of each load on every chip that serves it, part by part, at the modes; the
    cheapest chip of each load first."""
    case = prepared.case
    return tuple(
        part
        for load in case.loads
        for rows in sorted(
            (_lines(prepared, case, load, priced) for priced in priced_chips(case).values()
             if (load.name, priced.chip.name) in prepared.servings),
            key=lambda rows: fsum(row.usd for row in rows))
        for part in rows)


def query_costs(
    prepared: Prepared, best: SolvedWay, paths: WayOnPaths, rows: Sequence[BuildUpRow],
    values: Sequence[ProgrammeValue],
) -> tuple[QueryCost, ...]:
    """Cost of a query on every chip of the case, and how much the recommended way uses it or why
    not; the cheapest chip of each load first, those that do not serve it last.

    Parameters: `best` the recommended way, `paths` the same on fresh paths, `rows` of `build_up`,
    `values` of the programmes carried through.
    """
    case = prepared.case
    cost: dict[tuple[str, str], float] = {}
    for row in rows:
        cost[row.model, row.offer] = cost.get((row.model, row.offer), 0.0) + row.usd
    by_line = paths.compute.sum(axis=2).mean(axis=1)
    share = dict(zip(paths.lines, (by_line / max(by_line.sum(), 1e-300)).tolist(), strict=True))
    costs = []
    for load in (load for load in case.loads if load.kind == "inference"):
        used = [(usd_each, key) for (name, key), usd_each in cost.items()
                if name == load.name and share.get(key, 0.0) >= LEAST_USED]
        for priced in priced_chips(case).values():
            each = cost.get((load.name, priced.key))
            reasons = tuple(_reasons(prepared, best, priced, share.get(priced.key, 0.0), values))
            dearer = _dearer(case, priced.key, each, min(used, default=None))
            costs.append(QueryCost(
                load=load.name, offer=priced.key, title=heading(priced.title), usd=each,
                compute_share=share.get(priced.key, 0.0),
                why="; ".join((*reasons, *dearer)) if each is not None
                else "does not serve these queries within their limits"))
    places = {load.name: k for k, load in enumerate(case.loads)}
    return tuple(sorted(costs, key=lambda item: (
        places[item.load], item.usd is None, item.usd or 0.0)))


def _reasons(
    prepared: Prepared, best: SolvedWay, priced: PricedChip, share: float,
    values: Sequence[ProgrammeValue],
) -> Iterator[str]:
    """How much a chip is used, or what keeps the recommended way from it."""
    case = prepared.case
    if share >= LEAST_USED:
        yield f"used: {in_percent(share)} of all compute"
    elif priced.key in {item.name for item in case.programmes}:
        yield from _programme_reasons(best, priced.key, values)
    elif priced.key == IN_PLACE:
        yield f"hardly used: {in_percent(share)} of all compute"
    else:
        yield from _line_reasons(case, best, next(
            line for line in case.lines if line.name == priced.key))


def _programme_reasons(
    best: SolvedWay, name: str, values: Sequence[ProgrammeValue]
) -> Iterator[str]:
    value = next((item for item in values if item.name == name), None)
    yield ("started, but hardly any of its chips come into use" if name in best.started
           else "not started now")
    if value is None:
        return
    worth = usd(abs(value.value_usd))
    error = f" ± {usd(2.0 * value.error_usd)}"
    yield (f"carried through it would save {worth}{error}" if value.value_usd >= 0
           else f"carried through it would cost {worth}{error} more than it saves")
    if value.volume_quarter:
        yield f"in volume from {value.volume_quarter} at the median"


def _line_reasons(case: Case, best: SolvedWay, line: Line) -> Iterator[str]:
    way = next(way for way in every_way(case) if way.name == best.name)
    port = case.numbers.lines[line.name].port
    if line.name not in {item.name for item in way.lines}:
        yield "the recommended way does not allow it"
    elif line.name not in {item.name for item in best.plan.commitment.lines}:
        yearly = "" if port is None else f" ({usd(port.spread.mode * YEAR_S)} a year)"
        yield f"left out: its software stack{yearly} costs more than its chips would save"
    else:
        yield "open, but hardly ordered"
    if line.first_quarter > case.first_quarter:
        yield f"on offer from {line.first_quarter}"


def _dearer(
    case: Case, key: str, each: float | None, cheapest: tuple[float, str] | None
) -> Iterator[str]:
    """How a query on a chip compares with the cheapest chip in use, in words."""
    if each is None or cheapest is None or key == cheapest[1]:
        return
    ratio = each / cheapest[0] - 1.0
    name = offer_titles(case)[cheapest[1]]
    size = in_percent(abs(ratio))
    yield (f"{size} dearer a query than {name}" if ratio > 0.0
           else f"{size} cheaper a query than {name} on these terms")


def chip_costs(prepared: Prepared) -> tuple[ChipCostRow, ...]:
    """Unit cost of each programme's chip, line by line, before the margin of whoever makes it."""
    return tuple(
        ChipCostRow(programme, part, float(amount))
        for programme, cost in prepared.unit_costs.items()
        for part, amount in cost.lines()
    )


def hour_at(
    case: Case, priced: PricedChip, numbers: CaseNumbers[float], average_power_w: float
) -> ChipHour:
    """Cost of an hour of a chip today, at one value of every number of the case."""
    price = priced.price(numbers)
    if not priced.is_owned:
        return rented_chip_hour(price)
    owning = owning_at(numbers.owning, numbers.owning.life, numbers.finance.real_rate)
    return chip_hour_cost(
        price, owning, rated_power_w=priced.chip.tdp_w, average_power_w=average_power_w)


def hour_inputs(
    case: Case, priced: PricedChip, average_power_w: float
) -> dict[str, tuple[str, ...]]:
    """Numbers that each line of an hour's cost rests on, by part: those with which it moves."""
    stated = (
        *priced.numbers, *vars(case.numbers.owning).values(), case.numbers.finance.real_rate)
    numbers: list[CaseNumber] = [number for number in stated if number is not None]

    known, key = case.numbers, priced.key
    alone = replace(  # what no hour of this chip rests on is left out: nudging is then faster
        known, loads={}, contracts={}, shocks={}, pools={}, correlations=(),
        lines={key: known.lines[key]} if key in known.lines else {},
        programmes={key: known.programmes[key]} if key in known.programmes else {},
        unit_costs={key: known.unit_costs[key]} if key in known.unit_costs else {})

    def moved(name: str) -> ChipHour:
        nudged = mapped(alone, lambda number: number.spread.mode + (number.name == name) * (
            NUDGE * number.spread.mode or NUDGE))
        return hour_at(case, priced, nudged, average_power_w)

    usual = hour_at(case, priced, modes(alone), average_power_w).lines()
    after = {number.name: dict(moved(number.name).lines()) for number in numbers}
    return {part: tuple(name for name, hour in after.items() if float(hour[part]) != float(amount))
            for part, amount in usual}


def _work_inputs(
    case: Case, load: Load, priced: PricedChip, serving: Serving
) -> tuple[str, ...]:
    """Inputs of the chip time of a query, which every line is multiplied by: the work, and what its
    two phases wait for."""
    numbers = case.numbers
    stated = (numbers.demand.load_factor, numbers.demand.work_level,
              *(() if priced.speed is None else (priced.speed,)))
    precision, _ = usable_precision(priced.chip, serving.precision)
    waits = [
        BOUND_BY[bound].format(precision=precision)
        for bound in dict.fromkeys((serving.prefill_bound, serving.decode_bound))
        if bound in BOUND_BY
    ]
    return (
        *(number.name for number in stated),
        *(f"chips.{priced.chip.name}.{field}" for field in waits),
        f"loads.{load.name}.input_tokens", f"loads.{load.name}.output_tokens",
    )


def _lines(prepared: Prepared, case: Case, load: Load, priced: PricedChip) -> list[BuildUpRow]:
    mode, serving = modes(case.numbers), prepared.servings[load.name, priced.chip.name]
    speed = 1.0 if priced.speed is None else priced.speed.spread.mode
    seconds = serving.chip_seconds_per_query / speed * mode.demand.work_level
    hour = hour_at(case, priced, mode, serving.power_w_per_chip)
    rests_on = hour_inputs(case, priced, serving.power_w_per_chip)
    work = _work_inputs(case, load, priced, serving)
    return [
        BuildUpRow(
            model=load.name, offer=priced.key,
            chip=f"{priced.chip.name} {'owned' if priced.is_owned else 'rented'}",
            title=f"{heading(load_titles(case)[load.name])} on {priced.title}", part=part,
            usd=float(usd_per_query(amount, seconds)),
            how=f"{float(amount):.3f} USD/h / 3600 x {seconds:.2f} chip-seconds a query",
            inputs=(*rests_on[part], *work),
        )
        for part, amount in hour.lines()
        if np.asarray(amount) > 0
    ]
