"""What a query costs on the first day's chips, line by line."""

from __future__ import annotations

import numpy as np

from fabless.case_numbers import CaseNumbers, mapped
from fabless.case_records import Case, CaseNumber, Line, Load, modes
from fabless.decide.results import BuildUpRow, ChipCostRow
from fabless.decide.ways.prepare import Prepared, chips_of
from fabless.decide.ways.solved import SolvedWay
from fabless.perf import Serving, usable_precision
from fabless.strategy import owning_at
from fabless.tco import ChipHour, chip_hour_cost, rented_chip_hour, usd_per_query
from fabless.titles import chip_titles, titles
from fabless.wording import heading

BOUND_BY = {
    "compute": "peak_{precision}", "bandwidth": "memory_bandwidth", "capacity": "memory_capacity",
    "network": "scale_up_bandwidth",
}
"""What keeps a phase of serving from going faster -> the field of the chip that it waits for;
latency waits for none."""
NUDGE = 0.01
"""Share by which a number is moved to see which lines of an hour's cost move with it."""


def build_up(prepared: Prepared, best: SolvedWay) -> tuple[BuildUpRow, ...]:
    """Cost of a query of each load on the first chip of each line that the recommended way opens,
    at the modes."""
    case = prepared.case
    first: dict[tuple[str, str, str], tuple[Load, Line]] = {}
    for load in case.loads:
        for line in best.plan.commitment.lines:
            if (load.name, line.chip.name) in prepared.servings:
                first.setdefault((load.name, line.chip.name, line.how), (load, line))
    return tuple(part for load, line in first.values() for part in _lines(prepared, case, load, line))


def chip_costs(prepared: Prepared) -> tuple[ChipCostRow, ...]:
    """Unit cost of each programme's chip, line by line, before the margin of whoever makes it."""
    return tuple(
        ChipCostRow(programme, part, float(amount))
        for programme, cost in prepared.unit_costs.items()
        for part, amount in cost.lines()
    )


def hour_at(case: Case, line: Line, numbers: CaseNumbers[float], average_power_w: float) -> ChipHour:
    """Cost of an hour of a line's chip today, at one value of every number of the case."""
    terms = numbers.lines[line.name]
    price = terms.price * (1.0 - (0.0 if terms.discount is None else terms.discount))
    if line.how == "rent":
        return rented_chip_hour(price)
    owning = owning_at(numbers.owning, numbers.owning.life, numbers.finance.real_rate)
    return chip_hour_cost(
        price, owning, rated_power_w=line.chip.tdp_w, average_power_w=average_power_w)


def hour_inputs(case: Case, line: Line, average_power_w: float) -> dict[str, tuple[str, ...]]:
    """Numbers that each line of an hour's cost rests on, by part: those with which it moves."""
    terms = case.numbers.lines[line.name]
    stated = (
        terms.price, terms.discount, *vars(case.numbers.owning).values(),
        case.numbers.finance.real_rate,
    )
    numbers: list[CaseNumber] = [number for number in stated if number is not None]

    def moved(name: str) -> ChipHour:
        nudged = mapped(case.numbers, lambda number: number.spread.mode + (number.name == name) * (
            NUDGE * number.spread.mode or NUDGE))
        return hour_at(case, line, nudged, average_power_w)

    usual = hour_at(case, line, modes(case.numbers), average_power_w).lines()
    after = {number.name: dict(moved(number.name).lines()) for number in numbers}
    return {part: tuple(name for name, hour in after.items() if float(hour[part]) != float(amount))
            for part, amount in usual}


def _work_inputs(case: Case, load: Load, line: Line, serving: Serving) -> tuple[str, ...]:
    """Inputs of the chip time of a query, which every line is multiplied by: the work, and what its
    two phases wait for."""
    numbers = case.numbers
    efficiency = numbers.lines[line.name].efficiency
    stated = (numbers.demand.load_factor, numbers.demand.work_level, *(() if efficiency is None else (efficiency,)))
    precision, _ = usable_precision(line.chip, serving.precision)
    waits = [
        BOUND_BY[bound].format(precision=precision)
        for bound in dict.fromkeys((serving.prefill_bound, serving.decode_bound))
        if bound in BOUND_BY
    ]
    return (
        *(number.name for number in stated),
        *(f"chips.{line.chip.name}.{field}" for field in waits), f"loads.{load.name}.input_tokens",
        f"loads.{load.name}.output_tokens",
    )


def _lines(prepared: Prepared, case: Case, load: Load, line: Line) -> list[BuildUpRow]:
    mode, serving = modes(case.numbers), prepared.servings[load.name, line.chip.name]
    efficiency = mode.lines[line.name].efficiency
    seconds = serving.chip_seconds_per_query / (1.0 if efficiency is None else efficiency) * mode.demand.work_level
    hour = hour_at(case, line, mode, serving.power_w_per_chip)
    rests_on, work = hour_inputs(case, line, serving.power_w_per_chip), _work_inputs(case, load, line, serving)
    held, chip = "owned" if line.how == "buy" else "rented", chip_titles(chips_of(case))[line.chip.name]
    return [
        BuildUpRow(
            model=load.name, chip=f"{line.chip.name} {held}",
            title=f"{heading(titles(case)[f'loads.{load.name}'])} on {chip}, {held}", part=part,
            usd=float(usd_per_query(amount, seconds)),
            how=f"{float(amount):.3f} USD/h / 3600 x {seconds:.2f} chip-seconds a query",
            inputs=(*rests_on[part], *work),
        )
        for part, amount in hour.lines()
        if np.asarray(amount) > 0
    ]
