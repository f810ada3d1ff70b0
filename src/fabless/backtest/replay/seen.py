"""What a planner sees of what happened: the past and the present, and of the future only what it is
told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from fabless.backtest.replay.levels import drifting
from fabless.backtest.replay.past import Past
from fabless.case_records import Line, named
from fabless.decide.fresh.block import as_known
from fabless.decide.ways.problem import World
from fabless.records import Array
from fabless.scenario import Scenarios
from fabless.scenario.draws import demand_of, work_of
from fabless.scenario.expected import expected, known_at
from fabless.scenario.news import kept_share
from fabless.scenario.points import drawn_names
from fabless.strategy.outlook import terms_of

FACTORS = ("demand", "price", "supply", "timing")
"""What a planner does not know of the future: how much is asked for; what chips cost; how many are
on offer, and when supply is scarce; when chips come and how good they are: lead times, coming
generations, programmes."""
COALITIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(group) for group in chain.from_iterable(
        combinations(FACTORS, size) for size in range(len(FACTORS) + 1)))
"""Every set of factors of which the future may be told, nothing first, everything last."""
_PRICE = ("price", "price_decline", "discount", "successor_price")
_SUPPLY = ("allotment", "allotment_growth")
_TIMING = ("lead_normal", "lead_scarce")


@dataclass(frozen=True, eq=False)
class Told:
    """The factors whose future each path is told, (N,) each."""

    paths: Mapping[str, NDArray[np.bool_]]

    def on_nodes(self, factor: str, quarters: int) -> NDArray[np.bool_]:
        """(K,) at each node-quarter."""
        return np.tile(self.paths[factor], quarters)


def told(coalitions: tuple[frozenset[str], ...]) -> Told:
    """One path for each coalition."""
    return Told({factor: np.array([factor in group for group in coalitions])
                 for factor in FACTORS})


def factor_of(name: str) -> str:
    """Factor to which a number of a case belongs, by its dotted name.

    >>> factor_of("demand.growth"), factor_of("lines.x.price"), factor_of("pools.p.share")
    ('demand', 'price', 'supply')
    >>> factor_of("lines.x.successor_slip.2")
    'timing'
    """
    section, *rest = name.split(".")
    if section in ("demand", "loads"):
        return "demand"
    if section == "lines":
        field = rest[1]
        return "price" if field in _PRICE else "supply" if field in _SUPPLY else "timing"
    return "timing" if section == "programmes" else "supply"


def seen(past: Past, quarter: int, known: Told, scarce_next: float | None = None) -> World:
    """The world as every path sees it at a quarter.

    What a path is told is as it happened. Of the rest it knows the past and the present: levels
    stay where they are, rates that move return to their usual value, supply takes its odds.
    `scarce_next` is that of `fabless.scenario.expected`.
    """
    world = past.world
    case, true = world.case, world.scenarios
    tree, quarters = true.tree, case.quarters
    mask = {factor: known.on_nodes(factor, quarters) for factor in FACTORS}
    usual = expected(case, true, quarter, scarce_next=scarce_next)
    drawn = _mixed(past, usual, quarter, mask)
    scarce = np.where(mask["supply"], true.scarce, usual.scarce)
    shocks = {name: np.where(mask["supply"], true.shock_chance[name], chance)
              for name, chance in usual.shock_chance.items()}
    asked = {name: np.where(mask["demand"], true.shock_chance[name], chance)
             for name, chance in usual.shock_chance.items()}
    states = replace(true, draws=replace(usual.draws, drifting=drawn), scarce=scarce,
                     shock_chance=shocks)
    drawn |= _paid(true, states, mask["price"]) | _awaited(true, states, mask["timing"])
    draws = replace(usual.draws, drifting=drawn)
    scenarios = replace(states, draws=draws, work=work_of(draws.values.demand, tree),
                        demand=demand_of(case, draws.values, asked, tree))
    shown = np.where(mask["timing"], np.arange(tree.size), known_at(tree, quarter))
    return as_known(world, scenarios, shown)


def _mixed(
    past: Past, usual: Scenarios, quarter: int, mask: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Array]:
    """Numbers at each node-quarter: as they came where the path is told, else as it expects
    them."""
    world = past.world
    case, true = world.case, world.scenarios
    tree = true.tree
    ahead = np.maximum(tree.quarter - quarter, 0)
    kept = kept_share(ahead, case.persistence)
    out: dict[str, Array] = {}
    for name in drawn_names(case, named(case.numbers)):
        if true.draws.flat[name].size == 1:
            continue
        expects, came = usual.draws.at_nodes(name), true.draws.at_nodes(name)
        if name in past.rates:
            expects = drifting(expects, past.rates[name], kept)
        out[name] = np.where(mask[factor_of(name)], came, expects)
    return out


def _paid(
    true: Scenarios, states: Scenarios, mask: NDArray[np.bool_]
) -> dict[str, Array]:
    """Prices of lines that come to what is paid in truth, whatever the state of supply that the
    path expects."""
    case = true.draws.case
    return _of_lines(states, mask, ("price",), lambda line: (
        true.values.lines[line.name].price * terms_of(case, true, line.vendor).price
        / terms_of(case, states, line.vendor).price))


def _awaited(
    true: Scenarios, states: Scenarios, mask: NDArray[np.bool_]
) -> dict[str, Array]:
    """Lead times of lines as they come in truth, whatever the state of supply that the path
    expects."""
    case = true.draws.case

    def lead(line: Line) -> Array:
        terms = true.values.lines[line.name]
        late = (terms_of(case, true, line.vendor).delay_s
                - terms_of(case, states, line.vendor).delay_s)
        return np.asarray(np.maximum(
            terms.lead_normal + true.scarce * (terms.lead_scarce - terms.lead_normal) + late, 0.0))

    return _of_lines(states, mask, _TIMING, lead)


def _of_lines(
    states: Scenarios, mask: NDArray[np.bool_], names: tuple[str, ...],
    value: Callable[[Line], Array],
) -> dict[str, Array]:
    """A value in place of some numbers of every line where the path is told, else what it
    expects."""
    out, case = {}, states.draws.case
    for line in case.lines:
        as_it_came = value(line)
        for name in names:
            number = getattr(case.numbers.lines[line.name], name)
            out[number.name] = np.where(mask, as_it_came, states.draws.at_nodes(number.name))
    return out
