"""What a query costs on the first day's chips, line by line."""

from __future__ import annotations

import numpy as np

from fabless.case_records import Case, Line, Load, modes
from fabless.decide.results import BuildUpLine, ChipCostLine
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import Solved
from fabless.quote import owned_hour
from fabless.strategy import owning_at
from fabless.tco import rented_chip_hour, usd_per_query

INPUTS = {
    "chip": ("price", "owning.life", "owning.residual", "finance.real_rate"),
    "server": ("owning.server_cost", "owning.life", "owning.residual", "finance.real_rate"),
    "site": ("owning.colocation", "owning.server_power"),
    "power": ("owning.electricity", "owning.pue", "owning.server_power"),
    "staff": ("owning.upkeep",),
    "rent": ("price",),
}
"""Inputs behind each line; `price` is that of the line."""


def build_up(prepared: Prepared, best: Solved) -> tuple[BuildUpLine, ...]:
    """Cost of a query of each load on the first chip of each line that the recommended way opens, at the modes."""
    case = prepared.case
    first: dict[tuple[str, str, str], tuple[Load, Line]] = {}
    for load in case.loads:
        for line in best.plan.commitment.lines:
            if (load.name, line.chip.name) in prepared.servings:
                first.setdefault((load.name, line.chip.name, line.how), (load, line))
    return tuple(part for load, line in first.values() for part in _lines(prepared, case, load, line))


def chip_costs(prepared: Prepared) -> tuple[ChipCostLine, ...]:
    """Unit cost of each programme's chip, line by line, before the margin of whoever makes it."""
    return tuple(ChipCostLine(programme, part, float(amount))
                 for programme, cost in prepared.unit_costs.items() for part, amount in cost.lines())


def _lines(prepared: Prepared, case: Case, load: Load, line: Line) -> list[BuildUpLine]:
    mode, stated = modes(case.numbers), case.numbers.lines[line.name]
    terms = mode.lines[line.name]
    serving = prepared.servings[load.name, line.chip.name]
    efficiency = 1.0 if terms.efficiency is None else terms.efficiency
    seconds = serving.chip_seconds_per_query / efficiency * mode.demand.work_level
    price = terms.price * (1.0 - (0.0 if terms.discount is None else terms.discount))
    if line.how == "rent":
        hour = rented_chip_hour(price)
    else:
        owning = owning_at(mode.owning, mode.owning.life, mode.finance.real_rate)
        hour = owned_hour(price, owning, rated_power_w=line.chip.tdp_w, average_power_w=serving.power_w_per_chip)
    return [
        BuildUpLine(
            model=load.name, chip=f"{line.chip.name} {'owned' if line.how == 'buy' else 'rented'}", part=part,
            usd=float(usd_per_query(amount, seconds)),
            how=f"{float(amount):.3f} USD/h / 3600 x {seconds:.2f} chip-seconds a query",
            inputs=(*(stated.price.name if name == "price" else name for name in INPUTS[part]),
                    "demand.load_factor", "demand.work_level", f"chips.{line.chip.name}.memory_bandwidth",
                    f"loads.{load.name}.input_tokens", f"loads.{load.name}.output_tokens"),
        )
        for part, amount in hour.lines() if np.asarray(amount) > 0
    ]
