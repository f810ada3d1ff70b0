"""Which lines and which programme every way takes: a line that costs something to keep open only if it
pays, the best programme of those that the way may commit to.

All plans go through a pool in rounds; what several ways ask is solved once. For lines S with the
programme held, f(S) being the objective and p(D) the risk-adjusted port cost of lines D that are
dropped, ``f(S - D) >= f(S) - p(D)``: a plan without a line is one that does not use it, and the
risk measure is subadditive. So sets of lines are excluded that need not be solved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain, combinations

from fabless.case_numbers import each
from fabless.case_records import Case, Programme
from fabless.decide.ways.problem import World, open_contracts, plan_of, port_usd
from fabless.decide.ways.solved import SolvedWay, best_of, given_up, solved_plan, solved_under
from fabless.plan.problem.costs import path_costs, risk_adjusted
from fabless.strategy import PORTFOLIO, Commitment, Offered, Way, every_way, offered

EQUAL = 1e-9
"""Share of an objective below which a difference counts as rounding."""
FEW = 8
"""Lines with a port cost up to which every set of them is solved or excluded; with more, lines are
dropped one at a time."""
BATCH = 4
"""Sets of lines asked for at once, once dropping one line at a time gains nothing."""
MOST = 32
"""Sets of lines solved for one way at most."""

Names = frozenset[str]
Key = tuple[Names, Names, Names, Names]
"""Names of lines, contracts, programmes started and programmes that may be."""
Plans = dict[Key, SolvedWay]


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """Every way that a case offers, with its best commitment."""

    offered: Offered
    ways: tuple[SolvedWay, ...]
    """In the order of `offered`."""
    without: SolvedWay
    """The best plan of all that the case has, without any programme."""
    through: tuple[Through, ...]
    """Each programme that a way commits to, once."""
    solves: int
    """Plans asked for; a search over gates counts as one."""
    plans: Plans
    """Every plan made without a search over gates, those that were given included."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Through:
    """A programme that some way commits to, carried through on the best lines of that way, beside
    the same way's best plan without it."""

    programme: str
    carried: SolvedWay
    without: SolvedWay


@dataclass(frozen=True, kw_only=True, eq=False)
class LineSearch:
    """The search for the best lines of one way."""

    way: Way
    through: Programme | None
    """Programme carried through; None: none is started."""
    starts: tuple[Names, ...]
    """Sets of lines to begin with beside all of them: those of the ways that the way contains."""

    def commitment(self, lines: Names) -> Commitment:
        """What is entered into with these lines open."""
        started = () if self.through is None else (self.through,)
        return with_lines(self.way, lines, started)


@dataclass(frozen=True, eq=False)
class _Job:
    world: World
    name: str
    commitment: Commitment
    gates: bool
    """Whether gates are searched; otherwise programmes are carried through."""


def choose(
    world: World, pool: Executor | None, *, gates: bool, plans: Plans | None = None
) -> Choice:
    """Solve every way that the case offers.

    `plans` are those that need not be made again (`plans_kept`).

    `gates` says whether the gates of programmes are searched, or a programme that is begun is
    either carried through or given up at the first branching; programmes that may be started later
    need the search. `pool` None: in this process. A way is never dearer than one that it contains,
    since its plan is among those that it may choose.
    """
    options = offered(world.case)
    widest = every_way(world.case)[-1]
    ways = options.ways if widest in options.ways else (*options.ways, widest)
    searches = [search for way in ways for search in _searches(way, ways)]
    given = plans or {}
    plans = dict(given)
    fees = _fees(world)
    while todo := _todo(world, searches, plans, fees):
        plans |= _all_solved(world, todo, pool, gates=False)
    lines = {_search_key(search): _lines_of(search, world, plans, fees) for search in searches}
    searched = _all_solved(world, _gate_jobs(world, ways, lines), pool, gates=True) if gates else {}
    done: dict[str, SolvedWay] = {}
    for way in sorted(ways, key=lambda way: (sum(map(len, way.allows)), not way.commits)):
        contained = [done[other.name] for other in ways
                     if other.name in done and way.contains(other)]
        done[way.name] = _best(world, way, lines=lines, plans=plans, searched=searched,
                               contained=contained)
    plain = lines[widest.name, ""]
    return Choice(
        offered=options, ways=tuple(done[way.name] for way in options.ways),
        without=replace(plain, name=PORTFOLIO), through=_through(ways, lines),
        solves=len(plans) - len(given) + len(searched), plans=plans)


def plans_kept(case: Case, plans: Plans, changed: Collection[str]) -> Plans:
    """Plans that stay as they are when only the numbers `changed` of a case are others: those that
    open no line and start no programme of which one of these is a number."""
    numbers = case.numbers
    lines = {name for name, terms in numbers.lines.items()
             if not set(changed).isdisjoint(number.name for number in each(terms))}
    programmes = {item.name for item in case.programmes
                  if any(name.startswith(f"programmes.{item.name}.") for name in changed)}
    own = [f"programmes.{name}." for name in programmes] + [
        f"lines.{name}." for name in numbers.lines]
    if not all(name.startswith(tuple(own)) for name in changed):
        return {}
    return {key: plan for key, plan in plans.items()
            if key[0].isdisjoint(lines) and programmes.isdisjoint(key[2] | key[3])}


def _through(
    ways: Sequence[Way], lines: Mapping[tuple[str, str], SolvedWay]
) -> tuple[Through, ...]:
    """Programmes in the order of the ways that commit to them, the first such way counting."""
    by_name: dict[str, Through] = {}
    for way in ways:
        for item in way.commits:
            by_name.setdefault(item.name, Through(
                programme=item.name, carried=lines[way.name, item.name],
                without=lines[way.name, ""]))
    return tuple(by_name.values())


def with_lines(
    way: Way, lines: Names, started: tuple[Programme, ...] = (),
    may_start: tuple[Programme, ...] = (),
) -> Commitment:
    """The commitment of a way to some of its lines and contracts of them."""
    return Commitment(
        tuple(line for line in way.lines if line.name in lines), started, may_start=may_start,
        contracts=tuple(item for item in way.contracts if item.line is None or item.line in lines))


def key_of(world: World, commitment: Commitment) -> Key:
    """What makes two commitments the same plan."""
    parts = (commitment.lines, open_contracts(world.case, commitment), commitment.programmes,
             commitment.may_start)
    lines, contracts, programmes, may_start = (
        frozenset(item.name for item in part) for part in parts)
    return lines, contracts, programmes, may_start


def _searches(way: Way, ways: Sequence[Way]) -> Iterator[LineSearch]:
    starts = tuple(other.allows[0] for other in ways if other is not way and way.contains(other))
    for through in (None, *way.commits):
        yield LineSearch(way=way, through=through, starts=starts)


def _search_key(search: LineSearch) -> tuple[str, str]:
    return search.way.name, "" if search.through is None else search.through.name


def _todo(
    world: World, searches: Sequence[LineSearch], plans: Plans, fees: Mapping[str, float]
) -> list[tuple[str, Commitment]]:
    """Commitments that any search wants next, each once, with the way that asks first."""
    wanted: dict[Key, tuple[str, Commitment]] = {}
    for search in searches:
        for lines in wanted_lines(search, _costs(search, world, plans), fees):
            commitment = search.commitment(lines)
            wanted.setdefault(key_of(world, commitment), (search.way.name, commitment))
    return list(wanted.values())


def _costs(search: LineSearch, world: World, plans: Plans) -> dict[Names, float]:
    """Objective of each set of lines of a search that has been solved."""
    allowed = search.way.allows[0]
    return {
        key[0]: plan.result.objective_usd for key, plan in plans.items()
        if key[0] <= allowed and key == key_of(world, search.commitment(key[0]))
    }


def wanted_lines(
    search: LineSearch, cost: Mapping[Names, float], fees: Mapping[str, float]
) -> list[Names]:
    """Sets of lines to solve next, none where the search is over.

    First all lines; then those to begin with and the best set with one line less; where that gains
    nothing, the sets that the bound does not exclude, the most promising first.
    """
    every = search.way.allows[0]
    if every not in cost:
        return [every]
    best = min(cost, key=lambda lines: cost[lines])
    optional = _optional(search, fees)
    near = [start | every.difference(optional) for start in search.starts]
    near += [best - {name} for name in optional if name in best]
    if len(cost) >= MOST:
        return []
    if promising := _not_excluded(near, cost, fees):
        return list(promising)
    if len(optional) > FEW:
        return []
    left = _not_excluded(
        [every.difference(dropped) for dropped in _subsets(optional)], cost, fees)
    return sorted(left, key=lambda lines: (left[lines], sorted(lines)))[:BATCH]


def _optional(search: LineSearch, fees: Mapping[str, float]) -> list[str]:
    """Lines that cost something to keep open."""
    return [line.name for line in search.way.lines if fees.get(line.name, 0.0) > 0.0]


def _not_excluded(
    sets: Sequence[Names], cost: Mapping[Names, float], fees: Mapping[str, float]
) -> dict[Names, float]:
    """Sets not solved yet that may be better than the best, each with its bound."""
    least = min(cost.values())
    bounds = {lines: _bound(lines, cost, fees) for lines in sets if lines not in cost}
    return {lines: bound for lines, bound in bounds.items() if bound < least - EQUAL * abs(least)}


def _bound(lines: Names, cost: Mapping[Names, float], fees: Mapping[str, float]) -> float:
    """No plan of these lines costs less: the best bound of the solved sets that hold them all."""
    return max(
        value - sum(fees.get(name, 0.0) for name in wider - lines)
        for wider, value in cost.items() if lines <= wider)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))


def _fees(world: World) -> dict[str, float]:
    """Risk-adjusted present value of keeping each line open that costs something, by its name."""
    tree, fees = world.scenarios.tree, {}
    problem = plan_of(world, Commitment((), (), contracts=())).problem
    for line in world.case.lines:
        spent = port_usd(world, line)
        if spent.any():
            paths = path_costs(tree, spent * problem.discount[tree.quarter])
            odds = tree.probability[tree.leaves]
            fees[line.name] = risk_adjusted(problem, paths, odds)[0]
    return fees


def _lines_of(
    search: LineSearch, world: World, plans: Plans, fees: Mapping[str, float]
) -> SolvedWay:
    """The best plan of a search that is over, with a bound for all sets of its lines."""
    cost, every = _costs(search, world, plans), search.way.allows[0]
    best = min(cost, key=lambda lines: cost[lines])
    solved, optional = plans[key_of(world, search.commitment(best))], _optional(search, fees)
    if len(optional) > FEW:
        least = _bound(every.difference(optional), {every: cost[every]}, fees)
    else:
        left = [every.difference(dropped) for dropped in _subsets(optional)]
        least = min(_not_excluded(left, cost, fees).values(), default=solved.lower_bound_usd)
    return replace(solved, lower_bound_usd=min(solved.lower_bound_usd, least))


def _gate_jobs(
    world: World, ways: Sequence[Way], lines: Mapping[tuple[str, str], SolvedWay]
) -> list[tuple[str, Commitment]]:
    """Commitments whose gates are searched: each programme of a way on the lines that are best
    without it, and on those that are best with it."""
    jobs: dict[Key, tuple[str, Commitment]] = {}
    for way in ways:
        for commitment in _gated(way, lines):
            jobs.setdefault(key_of(world, commitment), (way.name, commitment))
    return list(jobs.values())


def _gated(way: Way, lines: Mapping[tuple[str, str], SolvedWay]) -> Iterator[Commitment]:
    if not way.commits and way.may_start:
        yield with_lines(way, _open_lines(lines[way.name, ""]), may_start=way.may_start)
    for item in way.commits:
        for best in (lines[way.name, ""], lines[way.name, item.name]):
            yield with_lines(way, _open_lines(best), (item,), way.may_start)


def _open_lines(solved: SolvedWay) -> Names:
    return frozenset(line.name for line in solved.plan.commitment.lines)


def _best(
    world: World, way: Way, *, lines: Mapping[tuple[str, str], SolvedWay], plans: Plans,
    searched: Plans, contained: Sequence[SolvedWay],
) -> SolvedWay:
    """The best plan of a way: its own, or one of a way that it contains, if that is as cheap."""
    plain = lines[way.name, ""]
    if way.commits:
        own = [_option(world, way, item, lines=lines, searched=searched) for item in way.commits]
    else:
        own = [plain, *(searched[key] for item in _gated(way, lines)
                        if (key := key_of(world, item)) in searched)]
    best = best_of(own)
    if contained:
        least = min(contained, key=lambda item: item.result.objective_usd)
        best = best_of([least, best])
    bound = min(item.lower_bound_usd for item in (*own, *contained))
    carried = best.carried
    if best.plan.commitment.programmes:
        started, = best.plan.commitment.programmes
        throughs = [lines[way.name, started.name]] if started in way.commits else []
        throughs += [item.carried for item in contained
                     if item.carried and item.carried.plan.commitment.programmes == (started,)]
        carried = replace(
            min(throughs, key=lambda item: item.result.objective_usd), name=way.name)
    return replace(best, name=way.name, lower_bound_usd=bound, carried=carried)


def _option(
    world: World, way: Way, item: Programme, *, lines: Mapping[tuple[str, str], SolvedWay],
    searched: Plans,
) -> SolvedWay:
    """The best plan of a way that starts a programme, which may be given up."""
    plain, through = lines[way.name, ""], lines[way.name, item.name]
    gated = [searched[key] for commitment in _gated(way, lines)
             if commitment.programmes == (item,)
             and (key := key_of(world, commitment)) in searched]
    at_once = given_up(world, way.name, plain, with_lines(way, _open_lines(plain), (item,)))
    return best_of([*gated, at_once, through])


def _all_solved(
    world: World, todo: Sequence[tuple[str, Commitment]], pool: Executor | None, *, gates: bool
) -> Plans:
    jobs = [_Job(world, name, commitment, gates) for name, commitment in todo]
    solved = map(_solve, jobs) if pool is None else pool.map(_solve, jobs)
    return {key_of(world, job.commitment): item for job, item in zip(jobs, solved, strict=True)}


def _solve(job: _Job) -> SolvedWay:
    plan = plan_of(job.world, job.commitment)
    if job.gates:
        return solved_plan(job.world, job.name, plan)
    return solved_under(job.world, job.name, plan, True)
