"""Every way along the same fresh paths, each by a planner who plans again every quarter.

The orders of the first quarter are those of the way's plan on the tree. From then on the planner
sees what the path has shown, forms an outlook, solves the look-ahead programme over all quarters
still to come and places what is due now (docs/explanation/fresh.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case, Line
from fabless.decide.fresh.block import foreseen, fresh_world
from fabless.decide.fresh.on_paths import WayOnPaths, port_spend, way_on_paths
from fabless.decide.ways.gates import Policy, decided, followed
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.problem import Plan, World, plan_of
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import PlanProblem
from fabless.plan.lookahead.outlook import Outlook, Selection, outlook_of, selected
from fabless.plan.lookahead.planner import Placed, Planner
from fabless.plan.rule.simulate import allowed, paths_table, simulate_orders
from fabless.records import Array
from fabless.scenario import roles
from fabless.scenario.expected import scarce_chance
from fabless.strategy import Commitment, query_revenue_usd

KAPPA = 0.5
"""Standard deviations of the forecast error of demand by which expected demand is raised: between 0
and 1 the mean cost on the reference case changes by less than half a percent, and the missing share
falls by an eighth to a quarter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tried:
    """A way as it is tried on fresh paths."""

    commitment: Commitment
    policy: Policy
    carried: bool
    """Whether its programmes pass every gate, whatever they have come to."""
    orders: Mapping[str, float]
    """Chips ordered in the first quarter, by offer."""
    levels: Mapping[str, float]
    """Units signed in the first quarter, by agreement."""
    retired: Mapping[str, float]
    """Chips retired in the first quarter, by offer."""


def tried(solved: SolvedWay, *, carried: bool = False) -> Tried:
    """What of a solved way is carried to fresh paths: what it enters into, what it orders first,
    how it decides on programmes."""
    problem, result = solved.plan.problem, solved.result
    commitment, policy = _trimmed(solved)

    def first(names: Sequence[str], values: Array) -> dict[str, float]:
        return {name: float(row[0]) for name, row in zip(names, values, strict=True)}

    return Tried(
        commitment=commitment, policy=policy, carried=carried,
        orders=first(problem.offers, result.orders), retired=first(problem.offers, result.retired),
        levels=first([item.name for item in problem.agreements], result.levels),
    )


def _trimmed(solved: SolvedWay) -> tuple[Commitment, Policy]:
    """What a way enters into and its policy, without programmes that it may start and never
    does."""
    commitment, policy = solved.plan.commitment, solved.policy
    projects = solved.plan.projects
    begun = {project.programme for project, on in zip(projects, policy.go, strict=True) if on.any()}
    begun |= {item.name for item in commitment.programmes}
    rows = [project.programme in begun for project in projects]
    kept = tuple(item for item in commitment.may_start if item.name in begun)
    return (replace(commitment, may_start=kept),
            replace(policy, go=policy.go[rows], mode=policy.mode[rows]))


@dataclass(frozen=True, eq=False, kw_only=True)
class PlannedBlock:
    """Part of the fresh paths, small enough for one process, with all ways that are tried."""

    prepared: Prepared
    ways: tuple[Tried, ...]
    number: int
    count: int
    seed: int
    branches: int
    """Branches of every outlook: one, or two by the supply regime of the next quarter."""
    margin: Array
    """(Q, loads, Q) factor on demand expected in one quarter for another (`safety_margin`)."""
    given: Mapping[str, Array] | None = None
    """Values that take the place of draws, (count,) each [SI]."""


@dataclass(frozen=True, eq=False)
class WayFollowed:
    """A way on the paths of a block, with its gates followed."""

    tried: Tried
    plan: Plan
    go: NDArray[np.bool_]
    """(projects, K) which programmes are under way."""


def carried_out(block: PlannedBlock) -> tuple[list[WayOnPaths], int]:
    """Every way of a block on its paths, and how many look-ahead programmes were solved.

    Ways that order from the same offers and do the same in the first quarter are planned once: they
    differ by a constant.
    """
    world = fresh_world(block.prepared, block.count, seed=block.seed, number=block.number,
                        given=block.given)
    wide = plan_of(world, _widest(block))
    ways = [_followed(world, way) for way in block.ways]
    twins: dict[object, list[int]] = {}
    for k, item in enumerate(ways):
        twins.setdefault(_key(item), []).append(k)
    leaders = sorted((ways[rows[0]] for rows in twins.values()),
                     key=lambda item: len(_usable(item)))
    planned = [_Planned(item, _selection(wide.problem, item)) for item in leaders]
    for k, on_way in enumerate(planned):
        on_way.follow(planned[:k])
    for quarter in range(1, world.case.quarters):
        outlook = _outlook(world, block, _widest(block), quarter)
        for on_way in planned:
            on_way.plan(quarter, outlook)
    planner_of = {id(on_way.way): on_way.planner for on_way in planned}
    results: list[WayOnPaths] = [None] * len(ways)  # type: ignore[list-item]
    for rows in twins.values():
        leader = ways[rows[0]]
        placed = planner_of[id(leader)].placed
        for row in rows:
            results[row] = way_placed(world, ways[row], _moved(placed, leader, ways[row]))
    return results, sum(on_way.planner.programmes for on_way in planned)


class _Planned:
    """A way while it is planned along its paths.

    As long as nothing of its programmes can be ordered on a path, a way with a programme is there
    the way without one: what that one decided is taken, and no programme is solved twice.
    """

    def __init__(self, way: WayFollowed, selection: Selection) -> None:
        self.way, self._selection = way, selection
        self.planner = Planner(way.plan.problem)
        self.planner.place(0, *first_orders(way))
        self._model: _Planned | None = None
        self._alike = np.zeros(0, dtype=bool)
        self._own = [k for project in way.plan.projects for k in project.offers]

    def follow(self, others: Sequence[_Planned]) -> None:
        """Find, among ways planned before, the one that this is without its programmes."""
        names = set(_usable(self.way)) - {self.way.plan.problem.offers[k]
                                              for k in self._own}
        for other in others:
            if set(_usable(other.way)) == names and self._first() == other._first():
                self._model = other
                self._alike = np.ones(len(paths_table(self.way.plan.problem.tree)), dtype=bool)

    def _first(self) -> object:
        return _decided_first(self.way.tried, self.way.plan.problem)

    def plan(self, quarter: int, outlook: Outlook) -> None:
        """Plan one quarter on every path."""
        seen = _open(selected(outlook, self._selection), self.way, quarter)
        if self._model is None:
            self.planner.plan(quarter, seen)
            return
        self._alike &= ~(seen.cap[:, self._own] > 0.0).any(axis=(0, 1, 3))
        model, problem = self._model, self.way.plan.problem
        other = model.way.plan.problem
        orders, levels, retired = model.planner.decided(quarter)
        self.planner.plan(quarter, seen, self._alike, (
            _in_order(problem.offers, other.offers, orders),
            _in_order(_deals(problem), _deals(other), levels),
            _in_order(problem.offers, other.offers, retired)))


def _by_role(case: Case, lines: Sequence[Line]) -> list[Line]:
    """Lines in an order of their own: where two plans cost the same, that of the file must not
    choose."""
    role = roles(case)
    return sorted(lines, key=lambda line: role[f"lines.{line.name}"])


def _widest(block: PlannedBlock) -> Commitment:
    """Everything that any of the ways may use; programmes in the order of the case."""
    case = block.prepared.case
    commitments = [way.commitment for way in block.ways]
    lines = {line.name for item in commitments for line in item.lines}
    later = {item.name for commitment in commitments for item in commitment.may_start}
    now = {item.name for commitment in commitments for item in commitment.programmes} - later
    return Commitment(
        tuple(line for line in _by_role(case, case.lines) if line.name in lines),
        tuple(item for item in case.programmes if item.name in now),
        may_start=tuple(item for item in case.programmes if item.name in later))


def _followed(world: World, way: Tried) -> WayFollowed:
    plan = plan_of(world, replace(
        way.commitment, lines=tuple(_by_role(world.case, way.commitment.lines))))
    shape = (len(plan.projects), plan.problem.tree.size)
    go = np.ones(shape, dtype=bool) if way.carried else followed(way.policy, world, plan)
    return WayFollowed(way, decided(plan, go), go)


def followed_on(world: World, way: Tried) -> Plan:
    """The plan of a way on fresh paths, the gates of its programmes decided."""
    return _followed(world, way).plan


def _usable(item: WayFollowed) -> tuple[str, ...]:
    """Offers that a way may order somewhere."""
    problem = item.plan.problem
    return tuple(problem.offers[k] for k in np.flatnonzero(problem.available.any(axis=1)))


def _key(item: WayFollowed) -> object:
    """What tells the orders of two ways apart: what each may order, where, and what it does
    first."""
    problem, names = item.plan.problem, _usable(item)
    rows = [problem.offers.index(name) for name in names]
    return names, problem.available[rows].tobytes(), _decided_first(item.tried, problem)


def _decided_first(way: Tried, problem: PlanProblem) -> object:
    """What a way orders, signs and retires in the first quarter, but for rounding."""
    chips = [tuple(sorted((name, round(count, 3)) for name, count in values.items()
                          if round(count, 3)))
             for values in (way.orders, way.retired)]
    signed = tuple(sorted((name, round(level, 6)) for name, level in way.levels.items()
                          if round(level, 6)))
    return tuple(chips), signed, tuple(sorted(_deals(problem)))


def _deals(problem: PlanProblem) -> list[str]:
    return [agreement.name for agreement in problem.agreements]


def first_orders(item: WayFollowed) -> tuple[Array, Array, Array]:
    """Orders, levels and retired chips of the first quarter on each path, cut to what is allowed
    there."""
    problem, way = item.plan.problem, item.tried
    nodes = paths_table(problem.tree)[:, 0]

    def laid(names: Sequence[str], values: Mapping[str, float]) -> Array:
        out = np.zeros((len(names), problem.tree.size))
        out[:, nodes] = np.array([values.get(name, 0.0) for name in names]).reshape(-1, 1)
        return out

    orders, retired = (laid(problem.offers, values) for values in (way.orders, way.retired))
    levels = laid(_deals(problem), way.levels)
    placed = allowed(problem, orders, levels, retired)
    return placed[:, nodes], levels[:, nodes], retired[:, nodes]


def _selection(wide: PlanProblem, item: WayFollowed) -> Selection:
    """Where the offers, limits and agreements of a way stand among those of all ways, in the way's
    own order."""
    problem = item.plan.problem

    def places(names: Sequence[str], among: Sequence[str]) -> NDArray[np.int64]:
        return np.array([among.index(name) for name in names], dtype=np.int64)

    return Selection(
        places(problem.offers, wide.offers),
        places([name for name, _, _ in problem.groups], [name for name, _, _ in wide.groups]),
        places(_deals(problem), _deals(wide)))


def _open(outlook: Outlook, item: WayFollowed, quarter: int) -> Outlook:
    """The outlook with the offers of programmes that are not under way closed."""
    cap = outlook.cap
    nodes = paths_table(item.plan.problem.tree)[:, quarter]
    for on, project in zip(item.go[:, nodes], item.plan.projects, strict=True):
        rows = list(project.offers)
        cap[:, rows] = np.where(on[:, None], cap[:, rows], 0.0)
    return outlook


def _outlook(world: World, block: PlannedBlock, wide: Commitment, quarter: int) -> Outlook:
    """What every path expects in a quarter of all that any way may use."""
    scarce = scarce_chance(world.case, world.scenarios, quarter)
    table = paths_table(world.scenarios.tree)[:, quarter:]
    margin = block.margin[quarter][:, quarter:]
    if block.branches == 1:
        problems = [plan_of(foreseen(world, quarter), wide).problem]
        outlook = outlook_of(problems, np.ones((1, scarce.size)), table, margin)
        return no_shorter_leads(outlook, scarce)
    problems = [plan_of(foreseen(world, quarter, scarce_next=state), wide).problem
                for state in (0.0, 1.0)]
    return outlook_of(problems, np.stack([1.0 - scarce, scarce]), table, margin)


def no_shorter_leads(outlook: Outlook, scarce: Array) -> Outlook:
    """One outlook in which no lead time is expected to be shorter than it is now, where scarcity
    may begin or end.

    The mean lead time of a scarce market falls with every quarter ahead, so that an order next
    quarter seems to arrive as soon as one now, and a planner who believes it waits for ever.
    """
    uncertain = ((scarce > 0.0) & (scarce < 1.0))[:, None]
    lead = np.where(uncertain, np.maximum(outlook.lead, outlook.lead[..., :1]), outlook.lead)
    late = lead + np.arange(lead.shape[-1]) >= lead.shape[-1]
    return outlook._replace(lead=lead, cap=np.where(late, 0.0, outlook.cap))


def _moved(placed: Placed, leader: WayFollowed, item: WayFollowed) -> Placed:
    """What was decided for one way, in the order of offers and agreements of its twin."""
    if leader is item:
        return placed

    problem, other = item.plan.problem, leader.plan.problem
    return Placed(_in_order(problem.offers, other.offers, placed.orders),
                  _in_order(_deals(problem), _deals(other), placed.levels),
                  _in_order(problem.offers, other.offers, placed.retired), placed.programmes)


def _in_order(names: Sequence[str], among: Sequence[str], values: Array) -> Array:
    """Rows of `among` in the order of `names`; zero where there is none."""
    rows = np.zeros((len(names), values.shape[1]))
    for k, name in enumerate(names):
        if name in among:
            rows[k] = values[among.index(name)]
    return rows


def way_placed(world: World, item: WayFollowed, placed: Placed) -> WayOnPaths:
    """What a way comes to on the paths of a world with what was decided there."""
    case, scenarios, plan = world.case, world.scenarios, item.plan
    fresh = simulate_orders(plan.problem, placed.orders, placed.levels, placed.retired)
    numbers = scenarios.values.lines
    efficiency = {line.name: terms.efficiency for line in case.lines
                  if (terms := numbers[line.name]).efficiency is not None}
    ports = {line.name: port_spend(plan.problem, port, line.first_quarter - case.first_quarter)
             for line in item.tried.commitment.lines
             if (port := numbers[line.name].port) is not None}
    return way_on_paths(
        case, plan, fresh, lines=lines_of(case), ports=ports, efficiency=efficiency,
        query_revenue_usd=query_revenue_usd(case, scenarios), scarce=scenarios.scarce,
        given_up=_given_up(item), values=scenarios.draws.means(len(scenarios.tree.leaves)))


def lines_of(case: Case) -> tuple[str, ...]:
    """Everything that chips can come from in a case: the fleet in place, lines, programmes, and
    contracts that name no line."""
    return ("existing", *(line.name for line in case.lines),
            *(item.name for item in case.programmes),
            *(item.name for item in case.contracts if item.line is None))


def _given_up(item: WayFollowed) -> NDArray[np.bool_]:
    """Whether a programme that was under way was ended before the horizon, by path."""
    table = paths_table(item.plan.problem.tree)
    ended = np.zeros(len(table), dtype=bool)
    for on, project in zip(item.go, item.plan.projects, strict=True):
        path = on[table]
        begun = path[:, 0] | (project.sunk_usd is not None)
        before = np.concatenate([begun[:, None], path[:, :-1]], axis=1)
        ended |= (before & ~path).any(axis=1)
    return ended


def safety_margin(prepared: Prepared, seed: int, paths: int = 64, kappa: float = KAPPA) -> Array:
    """Factor on demand expected in one quarter for another, (Q, loads, Q): exp(kappa x sigma).

    Sigma is the standard deviation, over paths of their own that no way is judged on, of the
    logarithm of the need of compute over the need that was expected, by the yardstick of the fleet
    in place: the same for every way, and 1 where nothing is uncertain.
    """
    case = prepared.case
    quarters = case.quarters
    margin = np.ones((quarters, len(case.loads), quarters))
    world = fresh_world(prepared, paths, seed=seed)
    table = paths_table(world.scenarios.tree)

    def need(at: World) -> Array:
        demand = np.array([at.scenarios.demand[load.name] for load in case.loads])
        return np.log(np.maximum(demand / at.yardstick, 1e-300))[:, table]

    came = need(world)
    for quarter in range(1, quarters):
        error = (came - need(foreseen(world, quarter)))[..., quarter:]
        margin[quarter][:, quarter:] = np.exp(kappa * error.std(axis=1))
    return margin


def blocks_of(
    prepared: Prepared, ways: Sequence[Tried], *, paths: int, seed: int, branches: int,
    margin: Array,
) -> list[PlannedBlock]:
    """The fresh paths cut into blocks, each with random streams of its own; as many blocks as two
    processes share evenly, or more."""
    each = min(LARGEST_BLOCK, -(-paths // 2))
    counts = [min(each, paths - start) for start in range(0, paths, each)]
    return [PlannedBlock(prepared=prepared, ways=tuple(ways), number=number, count=count, seed=seed,
                         branches=branches, margin=margin)
            for number, count in enumerate(counts)]


LARGEST_BLOCK = 50
"""Paths in one block: few enough that the blocks of a large test are spread evenly."""
