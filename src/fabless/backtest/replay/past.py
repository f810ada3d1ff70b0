"""What happened, as scenarios: copies of one path on which realised quantities hold and every other
number stands at its median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.backtest.replay.fates import fates
from fabless.backtest.replay.levels import (
    drifting,
    held_steps,
    implied_growth,
    interpolated,
    unbounded,
)
from fabless.case_numbers import TrainingNumbers, stated
from fabless.case_records import Case, CaseNumber, Line, named
from fabless.catalogue.files.realised import CompanyOrder, Realised, RealisedGeneration
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import World, going_prices, need_of, yardstick
from fabless.errors import BadValue, Fault
from fabless.market import of_generation, price_path_usd
from fabless.records import Array, Tree
from fabless.sampling import quantile
from fabless.scenario.draws import MEDIAN, Scenarios, demand_of, is_uncertain, work_of
from fabless.scenario.expected import expected
from fabless.scenario.news import kept_share, path_schedule
from fabless.scenario.points import drawn_names
from fabless.scenario.states import places_on_paths
from fabless.scenario.values import Draws
from fabless.strategy.outlook import grown, terms_of
from fabless.units import QUARTER_S


@dataclass(frozen=True, eq=False, kw_only=True)
class Past:
    """What happened, on copies of one path."""

    world: World
    until: int
    """Last quarter of which anything is known; from then on the case's expectation holds."""
    rates: Mapping[str, float]
    """Rates that move and are known from what happened, by name, with the value to which a planner
    expects each to return."""


def past_of(
    prepared: Prepared, realised: Realised, orders: Sequence[CompanyOrder], copies: int
) -> Past:
    """Lay out what happened on `copies` of one path.

    Growth, work of a query and training grow as their realised levels imply. Prices, lead times and
    allotments are those realised where they are stated, allotments at least what the company
    ordered; after the last quarter of which anything is known everything goes on as the case then
    expects it. Realised values may lie outside the ranges of the case.
    """
    building = _Building(prepared.case, realised)
    _demand(building, prepared)
    building.scarce = _scarcity(building)
    for line in prepared.case.lines:
        _price(building, line)
        _lead(building, line)
        _allotment(building, line, orders)
        _generations(building, line)
    _pools(building)
    scenarios = building.scenarios(copies)
    measure = yardstick(prepared, scenarios)
    need = need_of(prepared.case, scenarios, measure)
    case = replace(prepared.case,
                   branching=(copies, *(1 for _ in prepared.case.branching[1:])))
    world = World(prepared=prepared, case=case, scenarios=scenarios,
                  outcomes=fates(prepared, realised, copies), yardstick=measure, need=need,
                  going_usd=going_prices(prepared, scenarios))
    return Past(world=world, until=realised.until, rates=dict(building.rates))


class _Building:
    """One path while it is put together: the realised values of each number by quarter."""

    def __init__(self, case: Case, realised: Realised) -> None:
        self.case, self.realised = case, realised
        self.quarters = case.quarters
        self.numbers = named(case.numbers)
        self.by_quarter: dict[str, Array] = {}
        self.measured: dict[str, float] = {}
        """Numbers that are in force from the start and measured after the first quarter."""
        self.rates: dict[str, float] = {}
        self.scarce = np.zeros(case.quarters)

    def median(self, number: CaseNumber) -> float:
        """What a number is expected to be before anything is known."""
        if not is_uncertain(number):
            return number.spread.mode
        return float(quantile(number.spread, np.array([MEDIAN]))[0])

    def path(self, name: str) -> Array | None:
        """A realised path (Q,), not a number after its last quarter; None where none is stated."""
        stated_path = self.realised.paths.get(name)
        return None if stated_path is None else interpolated(stated_path.values, self.quarters)

    def put(self, number: CaseNumber, values: Array, draw: str = "") -> None:
        """Set a number by quarter; refused where another line that shares it says otherwise."""
        name = draw or number.name
        known = self.by_quarter.get(name)
        if known is not None and not np.allclose(known, values, rtol=1e-9):
            raise BadValue(Fault(
                f"{self.realised.place}: {name}", "two lines share this number and differ in it",
                "one realised path for both", "give the path of one of the two lines"))
        self.by_quarter[name] = values

    def move(self, number: CaseNumber, values: Array) -> None:
        """Set a rate that moves: after its last quarter it returns to its median as time goes by;
        before the first that shows it stands there."""
        usual = self.median(number)
        known = np.flatnonzero(np.isfinite(values))
        out = np.full(self.quarters, usual)
        if known.size:
            last = int(known[-1])
            kept = kept_share(np.maximum(np.arange(self.quarters) - last, 0),
                              self.case.persistence)
            out = np.where(np.isfinite(values), values, usual)
            out[last:] = drifting(np.full(self.quarters - last, values[last]), usual, kept[last:])
        self.by_quarter[number.name] = out
        self.rates[number.name] = usual

    def draws(self, copies: int) -> Draws:
        """Draws of all numbers on copies of the path."""
        flat: dict[str, Array] = {}
        for draw in drawn_names(self.case, self.numbers):
            number = self.numbers.get(draw) or self.numbers[draw.rpartition(".")[0]]
            if draw in self.by_quarter:
                flat[draw] = np.repeat(self.by_quarter[draw], copies)
            elif draw in self.measured:
                flat[draw] = np.full(copies, self.measured[draw])
            else:
                flat[draw] = np.array([self.median(number)])
        return Draws(self.case, flat, places_on_paths(copies, self.quarters), {})

    def scenarios(self, copies: int = 1) -> Scenarios:
        """Scenarios on copies of the path: shocks do not strike while what happened is known, then
        they and scarcity take their odds."""
        number = np.arange(copies * self.quarters)
        tree = Tree(np.maximum(number - copies, -1), number // copies,
                    np.full(number.size, 1.0 / copies))
        draws = self.draws(copies)
        calm = {shock.name: np.zeros(tree.size) for shock in self.case.shocks}
        known = Scenarios(
            tree=tree, draws=draws, scarce=np.repeat(self.scarce, copies), shock_chance=calm,
            demand={}, work=np.ones(tree.size),
            stage=np.searchsorted(np.array(self.case.boundaries), tree.quarter, side="right"),
            node=number % copies)
        if self.realised.until < self.quarters - 1:
            odds = expected(self.case, known, self.realised.until)
            known = replace(known, scarce=odds.scarce, shock_chance=odds.shock_chance)
        values = draws.values
        return replace(known, demand=demand_of(self.case, values, known.shock_chance, tree),
                       work=work_of(values.demand, tree))


def _demand(building: _Building, prepared: Prepared) -> None:
    """Queries, training and the work of a query."""
    case, numbers = building.case, building.case.numbers
    queries = building.path("queries_per_day")
    if queries is not None:
        _queries(building, queries)
    _training(building)
    work = building.path("work")
    seconds = building.path("chip_seconds_per_query")
    if work is None and seconds is not None:
        work = seconds / _chip_seconds(prepared, building.scenarios())
    if work is not None:
        building.measured[numbers.demand.work_level.name] = float(work[0])
        values = building.scenarios().values.demand
        building.move(numbers.demand.work_trend, implied_growth(
            np.log(work), np.ones(case.quarters), values.growth_fade))


def _queries(building: _Building, queries: Array) -> None:
    demand, values = building.case.numbers.demand, building.scenarios().values.demand
    first = float(queries[0])
    ceiling = max(float(values.ceiling[0]), 2.0 * float(np.nanmax(queries)))
    building.measured[demand.queries.name] = first
    if ceiling > float(values.ceiling[0]):
        building.by_quarter[demand.ceiling.name] = np.full(building.quarters, ceiling)
    growth = np.log(unbounded(queries, first, ceiling))
    building.move(demand.growth, implied_growth(growth, values.growth_long_run, values.growth_fade))


def _training(building: _Building) -> None:
    """Training of each load as stated; a stated total is split as the case expects the loads to
    share it."""
    case = building.case
    usual = building.scenarios()
    loads = {name: load for name, load in usual.values.loads.items()
             if isinstance(load, TrainingNumbers)}
    whole = building.path("training_flop")
    total = np.sum([usual.demand[name] for name in loads], axis=0) if loads else np.ones(1)
    for name, load in loads.items():
        level = building.path(f"training_flop.{name}")
        if level is None and whole is not None:
            level = whole * usual.demand[name] / total
        if level is None:
            continue
        demand, terms = usual.values.demand, case.numbers.loads[name]
        assert isinstance(terms, TrainingNumbers)
        long_run = demand.growth_long_run if load.growth_long_run is None else load.growth_long_run
        fade = demand.growth_fade if load.growth_fade is None else load.growth_fade
        building.measured[terms.flop.name] = float(level[0])
        building.move(terms.growth, implied_growth(np.log(level), long_run, fade))


def _chip_seconds(prepared: Prepared, scenarios: Scenarios) -> Array:
    """Time (Q,) that a query takes of a chip of the fleet in place at the work of the first day's
    models, over the loads of queries in their shares [s]."""
    case = prepared.case
    rate = yardstick(prepared, replace(scenarios, work=np.ones(scenarios.tree.size)))
    queries = [load.kind == "inference" for load in case.loads]
    demand = np.array([scenarios.demand[load.name] for load in case.loads])[queries]
    needed = (demand / rate[queries]).sum(axis=0) * QUARTER_S
    return np.asarray(needed / demand.sum(axis=0))


def _scarcity(building: _Building) -> Array:
    """Whether supply is scarce (Q,): as stated, else by the odds of the case from the first day."""
    stated_path = building.realised.paths.get("supply.scarce")
    if stated_path is not None:
        return held_steps(stated_path.values, building.quarters)
    start = building.scenarios()
    first = start.values.supply.scarce_at_start
    return expected(building.case, replace(start, scarce=np.array(first)), 0).scarce


def _price(building: _Building, line: Line) -> None:
    """The price of a line so that what is paid, by decline, market and discount, is the realised
    one."""
    realised = building.path(f"{'rent' if line.how == 'rent' else 'chip_price'}.{line.name}")
    if realised is None:
        return
    scenarios = building.scenarios()
    terms = scenarios.values.lines[line.name]
    market = terms_of(building.case, scenarios, line.vendor).price
    of_one = price_path_usd(1.0, terms.price_decline, scenarios.tree.quarter, market)
    if terms.discount is not None:
        of_one = of_one * (1.0 - terms.discount)
    building.put(building.case.numbers.lines[line.name].price, _held(realised / of_one))


def _lead(building: _Building, line: Line) -> None:
    """Lead times: what is realised while supply is scarce tells of scarce times, else of normal
    ones."""
    realised = building.realised.paths.get(f"lead_time.{line.name}")
    if realised is None:
        return
    terms = building.case.numbers.lines[line.name]
    for number, scarce in ((terms.lead_scarce, True), (terms.lead_normal, False)):
        stated_then = {quarter: value for quarter, value in realised.values.items()
                       if bool(building.scarce[quarter] > 0.5) == scarce}
        if stated_then:
            building.put(number, held_steps(stated_then, building.quarters))


def _allotment(building: _Building, line: Line, orders: Sequence[CompanyOrder]) -> None:
    """Chips on offer: as stated, else as the case expects; and at least what the company ordered."""
    case = building.case
    got = np.zeros(building.quarters)
    for order in orders:
        if order.line == line.name:
            got[order.quarter] += order.chips
    realised = building.path(f"allotment.{line.name}")
    if realised is None and not got.any():
        return
    scenarios = building.scenarios()
    terms = scenarios.values.lines[line.name]
    market = terms_of(case, scenarios, line.vendor).allotment
    of_one = grown(scenarios, terms.allotment_growth, scenarios.tree.quarter) * market
    level = terms.allotment if realised is None else _held(realised / of_one)
    level = np.where(np.arange(building.quarters) <= building.realised.until,
                     np.maximum(level, got / of_one), np.nan)
    building.put(case.numbers.lines[line.name].allotment, _held(level))


def _pools(building: _Building) -> None:
    """World output of each pool as stated."""
    for name, terms in building.case.numbers.pools.items():
        realised = building.path(f"pool.{name}")
        if realised is not None:
            scenarios = building.scenarios()
            growth = grown(scenarios, scenarios.values.pools[name].growth, scenarios.tree.quarter)
            building.put(terms.output, _held(realised / growth))


def _generations(building: _Building, line: Line) -> None:
    """Coming generations of a line: when each comes, how fast, dear and hungry it is; known from
    the quarter in which the case lets its planner know."""
    came = building.realised.generations.get(line.vendor.lower(), ())[:line.successors]
    if not came:
        return
    case, numbers = building.case, building.case.numbers.lines[line.name]
    schedule = path_schedule(case, 1)
    known = [min(schedule.stage_of(g), max(item.first_volume, 1))
             for g, item in enumerate(came, start=1)]
    first, gap = (building.median(stated(number))
                  for number in (numbers.successor_first, numbers.successor_gap))
    waits = np.diff([0, *(item.first_volume for item in came)]) * QUARTER_S
    if numbers.successor_slip is None:
        _step(building, stated(numbers.successor_first), known[0], float(waits[0]))
        if len(came) > 1:
            _step(building, stated(numbers.successor_gap), known[1], float(waits[1:].mean()))
    else:
        for g, wait in enumerate(waits, start=1):
            usual = first if g == 1 else gap
            _step(building, numbers.successor_slip, known[g - 1], float(wait) / usual,
                  of_generation(numbers.successor_slip.name, g))
    _gains(building, line, came, known)
    for number, name in ((numbers.successor_price, "price"), (numbers.successor_power, "power")):
        _ratios(building, stated(number), [getattr(item, name) for item in came], known, came)


def _gains(
    building: _Building, line: Line, came: Sequence[RealisedGeneration], known: Sequence[int]
) -> None:
    """Gains of the generations: each through its own factor where it has one, else through the
    usual gain of a generation."""
    numbers = building.case.numbers.lines[line.name]
    usual, spread = stated(numbers.successor_gain), numbers.successor_gain_spread
    if spread is None:
        _ratios(building, usual, [item.gain for item in came], known, came)
        return
    before = 1.0
    for g, (item, quarter) in enumerate(zip(came, known, strict=True), start=1):
        if item.gain is None:
            return
        _step(building, spread, quarter, item.gain / before / building.median(usual),
              of_generation(spread.name, g))
        before = item.gain


def _ratios(
    building: _Building, number: CaseNumber, ratios: Sequence[float | None],
    known: Sequence[int], came: Sequence[RealisedGeneration],
) -> None:
    """A ratio of each generation to the one before that all share: that of the newest generation
    that has come, its root over today's chip."""
    values = np.full(building.quarters, building.median(number))
    for g, (ratio, quarter, item) in enumerate(zip(ratios, known, came, strict=True), start=1):
        if ratio is not None:
            values[(quarter if g == 1 else item.first_volume):] = ratio ** (1.0 / g)
    building.put(number, values)


def _step(
    building: _Building, number: CaseNumber, quarter: int, value: float, draw: str = ""
) -> None:
    """Set a number that stands at its median until it is known."""
    values = np.where(np.arange(building.quarters) >= quarter, value, building.median(number))
    building.put(number, values, draw)


def _held(values: Array) -> Array:
    """Values with each gap filled by the last one known; before the first by that."""
    known = np.flatnonzero(np.isfinite(values))
    return held_steps({int(k): float(values[k]) for k in known}, values.size)

