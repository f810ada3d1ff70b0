"""A commitment under scenarios, as a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from fabless.decide.prepare import Prepared, outlook_of
from fabless.market import price_path_usd
from fabless.plan import PlanProblem
from fabless.records import Array, Case, Range
from fabless.sampling import stream
from fabless.scenario import ProgrammeOnTree, Scenarios, on_tree, sample
from fabless.strategy import (
    Commitment,
    Offer,
    Throughput,
    existing_offer,
    line_offers,
    owning_at,
    programme_offers,
    rates,
)
from fabless.tco import discount_factor
from fabless.units import QUARTER_S


@dataclass(frozen=True, eq=False)
class World:
    """Prepared case, its scenarios and the fate of every programme on them: the same for every way."""

    prepared: Prepared
    case: Case
    """That of `prepared`, with the ranges and the branching of this world."""
    scenarios: Scenarios
    fates: dict[str, ProgrammeOnTree]
    yardstick: Array
    """(loads, node-quarters): load that a chip of the fleet in place serves in a quarter (the best chip of the case, where
    that one cannot); the same for every way."""
    need: Array
    """Compute demanded at each node-quarter of the case as it stands, by that measure."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A commitment with its offers and the plan problem that they make."""

    commitment: Commitment
    offers: tuple[Offer, ...]
    problem: PlanProblem
    unit: Array
    """(loads,): load in one unit of the problem, so that its numbers are of moderate size."""
    yardstick: Array
    """As in `World`."""


def world(
    prepared: Prepared, changes: Mapping[str, Range] = MappingProxyType({}), branching: tuple[int, ...] | None = None
) -> World:
    """Draw the scenarios of a case and place every programme on them.

    `changes` replaces the ranges of some numbers (see `moved`), `branching` the branching of the case.
    """
    case = prepared.case if branching is None else replace(prepared.case, branching=branching)
    scenarios = sample(case)
    measure = _yardstick(prepared, scenarios)
    need = sum((scenarios.demand[load.name] / row for load, row in zip(case.loads, measure, strict=True)),
               np.zeros(scenarios.tree.size))
    usual = World(prepared, case, scenarios, _fates(prepared, case, scenarios, need, ()), measure, need)
    return moved(usual, changes) if changes else usual


def moved(usual: World, changes: Mapping[str, Range]) -> World:
    """The same world with the ranges of some numbers replaced.

    The random points stay, so that results compare; only programmes whose own numbers change are simulated again, and
    they meet their fate in the order of the usual need.
    """
    prepared = usual.prepared
    changed = {name: replace(usual.case.numbers[name], spread=spread) for name, spread in changes.items()}
    case = replace(usual.case, numbers={**usual.case.numbers, **changed})
    scenarios = sample(case, like=usual.scenarios, changed=changes)
    fates = _fates(prepared, case, scenarios, usual.need, changes)
    return World(prepared, case, scenarios, fates, _yardstick(prepared, scenarios), usual.need)


def _fates(
    prepared: Prepared, case: Case, scenarios: Scenarios, need: Array, changed: Collection[str]
) -> dict[str, ProgrammeOnTree]:
    fates = {}
    for item in case.programmes:
        touched = any(name.startswith((f"programmes.{item.name}.", "owning.installation")) for name in changed)
        chain = (outlook_of(item, case, case.numbers) if touched else prepared.outlooks[item.name]).chain
        fates[item.name] = on_tree(chain, scenarios, need, stream(case.seed, f"fate {item.name}"))
    return fates


def plan_of(world: World, commitment: Commitment) -> Plan:
    """Assemble the plan of a commitment: its offers, their limits, its fixed spend."""
    case, scenarios = world.case, world.scenarios
    numbers = case.numbers
    rate = numbers["finance.real_rate"].spread.mode
    owning = owning_at(scenarios.values, numbers["owning.life"].spread.mode, rate)
    does = world.prepared.throughput
    existing, chips, rent = existing_offer(case, scenarios, does[case.existing_chip.name])
    offers = [existing]
    for line in commitment.lines:
        offers += line_offers(case, line, scenarios, does[line.chip.name], owning)
    for item in commitment.programmes:
        offers += programme_offers(case, item, scenarios, world.fates[item.name], does[item.chip.name], owning)
    unit = world.yardstick[:, 0]
    demand = np.array([scenarios.demand[load.name] for load in case.loads]) / unit[:, None]
    tree = scenarios.tree
    worth = price_path_usd(1.0, scenarios.values["demand.value_decline"], tree.quarter)
    price = np.array([scenarios.values[f"loads.{load.name}.unserved_price"] * worth for load in case.loads]) * unit[:, None]
    in_place = np.zeros((len(offers), case.quarters))
    in_place[0] = chips
    rents = np.zeros(len(offers))
    rents[0] = rent
    middle = (np.arange(case.quarters) + 0.5) * QUARTER_S
    problem = PlanProblem(
        tree=tree,
        offers=tuple(offer.name for offer in offers),
        loads=tuple(load.name for load in case.loads),
        lead_quarters=np.array([offer.lead_quarters for offer in offers]),
        term_quarters=np.array([offer.term_quarters for offer in offers]),
        available=np.array([offer.available for offer in offers]),
        cap=np.array(np.inf),
        capital_usd=np.array([offer.capital_usd for offer in offers]),
        running_usd=np.array([offer.running_usd for offer in offers]),
        payment_usd=np.array([offer.payment_usd for offer in offers]),
        rate=np.array([offer.rate for offer in offers]) / unit[None, :, None],
        demand=demand,
        unmet_usd=price,
        discount=np.asarray(discount_factor(rate, middle)),
        groups=_groups(offers),
        existing=in_place,
        existing_capital_usd=rents,
        fixed_usd=_fixed(world, commitment),
        cvar_weight=case.risk_weight,
        cvar_level=case.risk_level,
    )
    return Plan(commitment, tuple(offers), problem, unit, world.yardstick)


def _yardstick(prepared: Prepared, scenarios: Scenarios) -> Array:
    mine = prepared.throughput[prepared.case.existing_chip.name]
    best = {name: max(does.per_second[name] for does in prepared.throughput.values()) for name in mine.per_second}
    measure = Throughput({name: mine.per_second[name] or best[name] for name in best}, mine.power_w)
    return rates(prepared.case, scenarios, measure, np.ones(scenarios.tree.size))


def _groups(offers: list[Offer]) -> tuple[tuple[str, tuple[int, ...], Array], ...]:
    pools = {offer.pool.name: offer.pool.cap for offer in offers[1:]}
    return tuple((name, tuple(i for i, offer in enumerate(offers) if i and offer.pool.name == name), cap)
                 for name, cap in pools.items())


def _fixed(world: World, commitment: Commitment) -> Array:
    """Programmes' spend, and second software stacks of the lines that are open."""
    scenarios, case = world.scenarios, world.case
    fixed = np.zeros(scenarios.tree.size)
    for item in commitment.programmes:
        fixed = fixed + world.fates[item.name].spend_usd
    for line in commitment.lines:
        if "port" in line.terms:
            open_now = scenarios.tree.quarter >= line.first_quarter - case.first_quarter
            fixed = fixed + scenarios.values[line.terms["port"]] * QUARTER_S * open_now
    return fixed
