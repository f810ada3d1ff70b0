"""A commitment under scenarios, as a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from fabless.case_records import Case, Contract, Line, Programme, with_ranges
from fabless.decide.ways.prepare import Prepared, simulated_outcomes_of
from fabless.plan import Agreement, PlanProblem
from fabless.records import Array, Range
from fabless.sampling import stream
from fabless.scenario import (
    OutcomeOnTree,
    Scenarios,
    fitted,
    outcome_on_tree,
    representatives,
    roles,
    sample,
)
from fabless.strategy import (
    Commitment,
    ContractOffer,
    Offer,
    Throughput,
    cash_cap_usd,
    cheapest_usd,
    contract_offers,
    existing_offer,
    line_offers,
    load_rates,
    owning_at,
    paid_for,
    power_cap_w,
    programme_offers,
    resale_annuities,
    shared_pools,
    worth_of,
)
from fabless.tco import Owning, discount_factor
from fabless.units import QUARTER_S

COMMITTED = 2
"""Quarters that a chip programme runs at least once it is begun: teams and licences are contracted,
and nothing is learnt of it sooner."""


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """Prepared case, its scenarios and the outcomes of programmes on them, shared by all ways."""

    prepared: Prepared
    case: Case
    """That of `prepared`, with the ranges and the branching of this world."""
    scenarios: Scenarios
    outcomes: dict[str, tuple[OutcomeOnTree, ...]]
    """Outcomes on the tree of each programme, by the number of branchings passed at its start."""
    yardstick: Array
    """(loads, node-quarters): load that a chip of the fleet in place serves in a quarter (the best
    chip of the case, where that one cannot); the same for every way."""
    need: Array
    """Compute demanded at each node-quarter of the case as it stands, by that measure."""
    going_usd: Array
    """(loads, node-quarters): what a unit of a load costs on the dominant vendor's lines
    (`going_prices`)."""

    @cached_property
    def line_offers(self) -> Mapping[str, tuple[Offer, ...]]:
        """Offers of each line of the case by its name: plans of many commitments are made of the same ones."""
        owning = _owning(self.case, self.scenarios)
        return {
            line.name: tuple(line_offers(self.case, line, self.scenarios,
                                    self.prepared.throughput[line.chip.name], owning))
            for line in self.case.lines}


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A commitment with its offers and the plan problem that they make."""

    commitment: Commitment
    offers: tuple[Offer, ...]
    problem: PlanProblem
    yardstick: Array
    """Load that a chip of the fleet in place serves in a quarter, shape (loads, node-quarters)."""
    projects: tuple[DatedProject, ...]
    contracts: tuple[ContractOffer, ...] = ()
    """Contracts that may be signed, in the order of `problem.agreements`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DatedProject:
    """A programme with one moment at which it may start, among the offers of a plan."""

    name: str
    programme: str
    start: int
    """Branchings passed at its start; 0: the first day."""
    offers: tuple[int, ...]
    spend_usd: Array
    """Spend of each node-quarter while it goes on, but for what is sunk."""
    outcome: OutcomeOnTree
    sunk_usd: float | None
    """Expected spend that the first day commits to (`committed_quarters`); None where it need not
    be started."""


def draw_world(
    prepared: Prepared, changes: Mapping[str, Range] = MappingProxyType({}),
    branching: tuple[int, ...] | None = None,
) -> World:
    """Draw the scenarios of a case and place every programme on them.

    `changes` replaces the ranges of some numbers (see `world_with_ranges`), `branching` the
    branching of the case, cut or filled up with ones.
    """
    case = prepared.case
    if branching is not None:
        case = replace(case, branching=fitted(branching, len(case.boundaries)))
    scenarios = sample(case, chosen=representatives(case, _weights(prepared, case)))
    measure = yardstick(prepared, scenarios)
    need = need_of(case, scenarios, measure)
    usual = World(
        prepared=prepared, case=case, scenarios=scenarios,
        outcomes=outcomes_on(prepared, case, scenarios, need, ()), yardstick=measure, need=need,
        going_usd=going_prices(prepared, scenarios),
    )
    return world_with_ranges(usual, changes) if changes else usual


def world_with_ranges(
    usual: World, changes: Mapping[str, Range], *, simulated: bool = True
) -> World:
    """This world with the ranges of some numbers replaced.

    The random points stay, so that results compare. Only programmes whose own numbers change are
    simulated again; their random outcomes stay assigned to nodes in the order of the unchanged
    demand. Where the outcomes of programmes are set or not looked at, `simulated` is false, and
    those of `usual` stay. Another price leaves the research that is asked for as it was; what money
    can pay for is worked out anew where the money itself changes.
    """
    prepared = usual.prepared
    case = with_ranges(usual.case, changes)
    scenarios = sample(case, like=usual.scenarios, changed=changes)
    outcomes = outcomes_on(prepared, case, scenarios, usual.need, changes if simulated else ())
    money = any(name.startswith("limits.") for name in changes)
    return World(
        prepared=prepared, case=case, scenarios=scenarios, outcomes=outcomes,
        yardstick=yardstick(prepared, scenarios), need=usual.need,
        going_usd=going_prices(prepared, scenarios) if money else usual.going_usd)


def outcomes_on(
    prepared: Prepared, case: Case, scenarios: Scenarios, need: Array, changed: Collection[str], *,
    every_quarter: bool = False,
) -> dict[str, tuple[OutcomeOnTree, ...]]:
    """Outcomes on the tree by start; all starts of a programme share random numbers.

    News of a programme comes at the branchings of a tree; in `every_quarter` of separate paths.
    """
    outcomes, role = {}, roles(case)
    for programme in case.programmes:
        touched = any(
            name.startswith((f"programmes.{programme.name}.", "owning.installation"))
            for name in changed
        )
        simulated = (
            simulated_outcomes_of(programme, case)
            if touched
            else prepared.simulated[programme.name]
        )
        luck = f"fate {role[f'programmes.{programme.name}']}"
        outcomes[programme.name] = tuple(
            outcome_on_tree(chain, scenarios, need, stream(case.seed, luck))
            for chain in (simulated.on_paths if every_quarter else simulated.chains)
        )
    return outcomes


def plan_of(world: World, commitment: Commitment) -> Plan:
    """Assemble the plan of a commitment: its offers, their limits, its fixed spend."""
    case, scenarios = world.case, world.scenarios
    rate = case.numbers.finance.real_rate.spread.mode
    owning = _owning(case, scenarios)
    throughput = world.prepared.throughput
    existing, chips, rent = existing_offer(case, scenarios, throughput[case.existing_chip.name])
    offers = [existing]
    for line in commitment.lines:
        offers += world.line_offers[line.name]
    contracts = [
        item
        for contract in open_contracts(case, commitment)
        for item in contract_offers(
            case, contract, {line.name: line for line in case.lines}, scenarios=scenarios,
            demand=scenarios.demand, throughput=throughput, owning=owning,
        )
    ]
    offers += [item.offer for item in contracts]
    resale = resale_annuities(scenarios.values.owning.resale, offers, contracts)
    no_resale = np.zeros(scenarios.tree.size)
    projects = []
    for programme, start in _starts(commitment, world):
        outcome = world.outcomes[programme.name][start]
        name = (
            programme.name
            if start == 0
            else f"{programme.name} from {case.first_quarter + case.boundaries[start - 1]}"
        )
        opened = programme_offers(
            case, programme, scenarios, outcome=outcome, throughput=throughput[programme.chip.name],
            owning=owning, label=name,
        )
        own_offers = tuple(range(len(offers), len(offers) + len(opened)))
        offers += opened
        projects.append(
            _project(
                world, programme, start, name=name, offers=own_offers,
                begun=programme in commitment.programmes,
            )
        )
    tree = scenarios.tree
    cash_usd = cash_cap_usd(case, scenarios)
    demand = paid_for(
        case, np.array([scenarios.demand[load.name] for load in case.loads]), cash_usd,
        world.going_usd, existing.rate * chips)
    worth = worth_of(scenarios)
    price = np.array([scenarios.values.loads[load.name].unserved_price * worth for load in case.loads])
    in_place, rents = np.zeros((2, len(offers), tree.size))
    in_place[0], rents[0] = chips, rent
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
        rate=np.array([offer.rate for offer in offers]),
        demand=demand,
        unmet_usd=price,
        discount=np.asarray(discount_factor(rate, middle)),
        groups=(*_groups(offers), *shared_pools(case, scenarios, offers)),
        power_w=np.array([offer.site_power_w for offer in offers]),
        power_cap_w=power_cap_w(case, scenarios),
        cash_cap_usd=cash_usd,
        existing=in_place,
        existing_capital_usd=rents,
        fixed_usd=_fixed(world, commitment),
        agreements=tuple(_agreement(item, offers.index(item.offer)) for item in contracts),
        retire=np.array([offer.name in resale for offer in offers]),
        resale_usd=np.array([resale.get(offer.name, no_resale) for offer in offers]),
        cvar_weight=case.risk_weight,
        cvar_level=case.risk_level,
    )
    return Plan(
        commitment=commitment, offers=tuple(offers), problem=problem, yardstick=world.yardstick,
        projects=tuple(projects), contracts=tuple(contracts))


def open_contracts(case: Case, commitment: Commitment) -> Iterator[Contract]:
    """Contracts that may be signed under a commitment: those of an open line, and those that need
    none."""
    lines = {line.name for line in commitment.lines}
    chosen = case.contracts if commitment.contracts is None else commitment.contracts
    yield from (item for item in chosen if item.line is None or item.line in lines)


def _agreement(contract: ContractOffer, offer: int) -> Agreement:
    """A contract as the plan signs it."""
    return Agreement(
        name=contract.offer.name, offers=(offer,), most=contract.most, least=contract.least,
        sign=contract.sign, level_cap=contract.level_cap,
        start_quarters=np.array(contract.start_quarters), fee_usd=contract.fee_usd,
        untaken_usd=contract.untaken_usd,
    )


def _starts(commitment: Commitment, world: World) -> Iterator[tuple[Programme, int]]:
    """Programmes started on the first day, then those that may be, with each moment at which they
    may."""
    yield from ((item, 0) for item in commitment.programmes)
    yield from ((item, start) for item in commitment.may_start for start in range(len(world.outcomes[item.name])))


def committed_quarters(case: Case) -> int:
    """Quarters for which a programme that a way commits to is paid for whatever it shows: up to the
    first branching after `COMMITTED`, or the last."""
    return next((quarter for quarter in case.boundaries if quarter >= COMMITTED), case.boundaries[-1])


def _project(
    world: World, programme: Programme, start: int, name: str, offers: tuple[int, ...], begun: bool
) -> DatedProject:
    outcome, tree = world.outcomes[programme.name][start], world.scenarios.tree
    if not begun:
        return DatedProject(
            name=name, programme=programme.name, start=start, offers=offers,
            spend_usd=outcome.spend_usd, outcome=outcome, sunk_usd=None,
        )
    sunk = tree.quarter < committed_quarters(world.case)
    return DatedProject(
        name=name, programme=programme.name, start=start, offers=offers,
        spend_usd=np.where(sunk, 0.0, outcome.spend_usd), outcome=outcome,
        sunk_usd=float(outcome.spend_usd[sunk] @ tree.probability[sunk]))


def _weights(prepared: Prepared, case: Case) -> dict[str, float]:
    """Compute by unit of each load on the first day, by the yardstick."""
    first = yardstick(prepared, sample(replace(case, branching=(1,) * len(case.branching))))[:, 0]
    return {load.name: 1.0 / row for load, row in zip(case.loads, first, strict=True)}


def going_prices(prepared: Prepared, scenarios: Scenarios) -> Array:
    """What a unit of each load costs at the least on the dominant vendor's lines (loads,
    node-quarters) [USD], whatever a way opens; infinite where nothing is on offer, or where no limit
    of cash asks for it."""
    case = prepared.case
    shape = (len(case.loads), scenarios.tree.size)
    if not case.cash_limits:
        return np.full(shape, np.inf)
    owning = _owning(case, scenarios)
    return cheapest_usd([
        offer for line in case.lines if line.vendor == case.dominant_vendor
        for offer in line_offers(
            case, line, scenarios, prepared.throughput[line.chip.name], owning)], shape)


def _owning(case: Case, scenarios: Scenarios) -> Owning:
    numbers = case.numbers
    return owning_at(scenarios.values.owning, numbers.owning.life.spread.mode,
                     numbers.finance.real_rate.spread.mode)


def need_of(case: Case, scenarios: Scenarios, measure: Array) -> Array:
    """Compute demanded at each node-quarter, by a `yardstick`."""
    return np.asarray(np.sum([
        scenarios.demand[load.name] / row for load, row in zip(case.loads, measure, strict=True)
    ], axis=0))


def yardstick(prepared: Prepared, scenarios: Scenarios) -> Array:
    """Load that a chip of the fleet in place serves in a quarter, as in `World`."""
    existing = prepared.throughput[prepared.case.existing_chip.name]
    best = {name: max(throughput.per_second[name] for throughput in prepared.throughput.values())
            for name in existing.per_second}
    measure = Throughput({name: existing.per_second[name] or best[name] for name in best}, existing.power_w)
    return load_rates(prepared.case, scenarios, measure, np.ones(scenarios.tree.size))


def _groups(offers: list[Offer]) -> tuple[tuple[str, tuple[int, ...], Array], ...]:
    pools = {offer.pool.name: offer.pool.cap for offer in offers[1:] if np.isfinite(offer.pool.cap).any()}
    return tuple(
        (name, tuple(i for i, offer in enumerate(offers) if i and offer.pool.name == name), cap)
        for name, cap in pools.items()
    )


def _fixed(world: World, commitment: Commitment) -> Array:
    """What programmes started on the first day spend while they are committed to, and software
    stacks of open lines."""
    scenarios, case = world.scenarios, world.case
    fixed = np.zeros(scenarios.tree.size)
    sunk = scenarios.tree.quarter < committed_quarters(case)
    for item in commitment.programmes:
        fixed = fixed + np.where(sunk, world.outcomes[item.name][0].spend_usd, 0.0)
    for line in commitment.lines:
        fixed = fixed + port_usd(world, line)
    return fixed


def port_usd(world: World, line: Line) -> Array:
    """What a line costs at each node-quarter while it is open, used or not: its second software
    stack."""
    tree, port = world.scenarios.tree, world.scenarios.values.lines[line.name].port
    if port is None:
        return np.zeros(tree.size)
    since = line.first_quarter - world.case.first_quarter
    return np.asarray(port * QUARTER_S * (tree.quarter >= since))
