"""Programme gates as decisions: against brute force, linopy, hand-made cases, and what must hold
for any of them."""

from __future__ import annotations

import functools
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fabless.errors import BadValue
from fabless.plan import PlanProblem, Project, Status, gate_nodes, hold, project_plans, search, solve
from fabless.plan.gates.policy import gates_of
from fabless.plan.gates.solver import Warm
from fabless.programme import ChainState, OutcomeChain, OutcomeGroup, Transition
from fabless.sampling import stream
from fabless.scenario import OutcomeOnTree, Scenarios, balanced_tree, chain_tree, knowledge
from fabless.scenario import outcome_on_tree as deal
from fabless.scenario.programmes import NEVER
from gates_oracle import enumerated, exact, held, linopy_objective, policies, random_gates

TINY = range(4)


@functools.cache
def tiny(seed: int) -> PlanProblem:
    return random_gates(seed, (2,))


@functools.cache
def by_force(seed: int) -> tuple[float, np.ndarray, int]:
    return enumerated(tiny(seed))


def by_hand(spend_usd: float = 10.0, end_usd: float = 0.0, **given: Any) -> PlanProblem:
    """Load 10 in three quarters, unmet at 5 USD a unit; the project makes chips for nothing on the
    first branch only.

    Quarter 0 decides the start, quarter 1 (two branches of even odds) brings the news, chips arrive
    at once.
    """
    tree = balanced_tree((2,), (1, 2))
    good = np.array([False, True, False, True, False])
    project = {"name": "own", "offers": (0,), "start": tree.quarter == 0, "gate": tree.quarter == 1,
               "spend_usd": np.array(spend_usd), "end_usd": np.array(end_usd)} | given
    return PlanProblem(
        tree=tree, offers=("own",), loads=("l",), lead_quarters=np.array(0),
        term_quarters=np.array(1), available=good[None], cap=np.array(20.0),
        capital_usd=np.array(0.0), running_usd=np.array(0.0), rate=np.array(1.0),
        demand=np.array(10.0), unmet_usd=np.array(5.0), discount=np.array(1.0),
        projects=(Project(**project),),
    )


def without_abandoning(problem: PlanProblem) -> PlanProblem:
    """The same problem where whatever started goes on to the end."""
    return replace(problem, projects=tuple(replace(project, gate=np.array(False)) for project in problem.projects))


def start_now_only(problem: PlanProblem) -> PlanProblem:
    """The same problem where a project starts in the first quarter or never."""
    now = problem.tree.quarter == 0
    return replace(problem, projects=tuple(replace(project, start=project.start & now) for project in problem.projects))


@pytest.mark.parametrize("seed", TINY)
def test_the_search_and_branch_and_bound_find_what_brute_force_finds(seed: int) -> None:
    best, _, count = by_force(seed)
    assert count > 20
    found = search(tiny(seed))
    assert found.plan.status is Status.OPTIMAL
    assert found.objective_usd == pytest.approx(best, rel=1e-9)
    assert found.lower_bound_usd <= best * (1 + 1e-9)
    assert exact(tiny(seed))[1] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_the_mixed_integer_programme_in_linopy(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = random_gates(seed, (2, 2))
        assert exact(problem)[1] == pytest.approx(linopy_objective(problem), rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_the_exact_optimum_on_larger_trees(seed: int) -> None:
    problem = random_gates(seed, (2, 2))
    assert search(problem).objective_usd == pytest.approx(exact(problem)[1], rel=1e-7)


def test_the_instances_start_wait_abandon_and_refrain() -> None:
    """The agreement above covers every kind of policy."""
    kinds = set()
    for seed in range(10):
        problem = random_gates(seed, (2, 2))
        best, _ = exact(problem)
        for project, go, plan in zip(problem.projects, best, project_plans(problem, best), strict=True):
            kinds |= {("starts", not project.start[0])} if go.any() else {"refrains"}
            kinds |= {"gives up"} if plan.give_up_probability > 0 else set()
            kinds |= {"waits to see"} if 0 < plan.start_probability < 1 else set()
    assert kinds == {("starts", True), ("starts", False), "refrains", "gives up", "waits to see"}


def test_by_hand() -> None:
    """Unmet alone costs 150. Started: 10 now, 20 on each branch if it goes on; saves 100 with odds
    of one half."""
    problem = by_hand()
    found = search(problem)
    assert found.objective_usd == pytest.approx(150.0 - 50.0 + 10.0 + 0.5 * 20.0)
    assert found.go.tolist() == [[True, True, False, True, False]]
    assert found.without_usd == pytest.approx(150.0)
    own, = project_plans(problem, found.go)
    assert (own.start_probability, own.give_up_probability) == (1.0, 0.5)
    assert [(s.quarter, s.start, s.go_on, s.give_up) for s in own.steps] == [(0, 1.0, 0.0, 0.0), (1, 0.0, 0.5, 0.5)]
    assert (own.expected_spend_usd, own.worst_spend_usd) == (20.0, 30.0)
    assert (own.committed_usd, own.avoidable_usd) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("fee", "objective", "ended"), [(0.0, 120.0, True), (15.0, 127.5, True), (25.0, 130.0, False)]
)
def test_a_fee_above_the_spend_to_come_keeps_a_dead_project_going(
    fee: float, objective: float, ended: bool
) -> None:
    found = search(by_hand(end_usd=fee))
    for go, cost in ((found.go, found.objective_usd), exact(by_hand(end_usd=fee))):
        assert cost == pytest.approx(objective)
        assert bool(go[0, 2]) is not ended


def test_the_rights_by_hand() -> None:
    """Without gates the project costs 30 for a saving of 50; the right to stop saves half of the
    later 20."""
    problem = by_hand()
    best = search(problem)
    assert search(without_abandoning(problem)).objective_usd - best.objective_usd == pytest.approx(10.0)
    assert search(start_now_only(problem)).objective_usd == pytest.approx(best.objective_usd)
    assert best.without_usd - best.objective_usd == pytest.approx(30.0)


def test_waiting_for_the_news_has_its_value() -> None:
    """Starting on the good branch alone saves 100 for a spend of 20, with odds of one half, and
    nothing is lost."""
    problem = by_hand()
    later = replace(problem.projects[0], start=problem.tree.quarter <= 1)
    waiting = replace(problem, projects=(later,))
    assert search(waiting).objective_usd == pytest.approx(150.0 - 50.0 + 10.0)
    assert search(start_now_only(waiting)).objective_usd == pytest.approx(150.0 - 50.0 + 20.0)


@pytest.mark.parametrize("seed", range(2))
def test_no_right_is_worth_less_than_nothing(seed: int) -> None:
    problem = random_gates(seed, (2, 2))
    best = search(problem)
    assert best.objective_usd <= best.without_usd * (1 + 1e-9)
    for fewer in (without_abandoning(problem), start_now_only(problem)):
        found = search(fewer).objective_usd
        assert best.objective_usd <= found * (1 + 1e-9)
        assert exact(fewer)[1] == pytest.approx(found, rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_the_held_plan_is_the_policy_written_out(seed: int) -> None:
    problem = random_gates(seed, (2, 2))
    found = search(problem)
    assert solve(held(problem, found.go)).objective_usd == pytest.approx(found.objective_usd, rel=1e-9)
    costs = found.plan.costs.total_usd * problem.discount[problem.tree.quarter]
    assert problem.tree.probability @ costs == pytest.approx(found.plan.expected_cost_usd, rel=1e-9)


def test_a_warm_solve_equals_a_cold_one() -> None:
    """Two dozen policies in one solver, in any order, with and without a bound, each against a
    solve from nothing."""
    problem = random_gates(1, (2, 2))
    gates = gates_of(problem)
    warm = Warm(problem, gates)
    every = policies(random_gates(1, (2, 2), keys=1))
    for number in np.random.default_rng(0).permutation(len(every))[:25]:
        go = np.zeros((len(problem.projects), problem.tree.size), dtype=bool)
        go[: len(every[number])] = every[number]
        cold = solve(hold(problem, go)).objective_usd
        policy = go[:, gates.pieces.first]
        assert warm.solve(policy, 0.99 * cold).objective_usd >= cold * (1 - 1e-9)
        assert warm.solve(policy).objective_usd == pytest.approx(cold, rel=1e-9)
        assert warm.solve(policy, 1.01 * cold).objective_usd == pytest.approx(cold, rel=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_prices_bound_every_policy(seed: int) -> None:
    """What the search rules out without a solve is never better than what the prices said it cannot
    beat."""
    problem = tiny(seed)
    gates = gates_of(problem)
    warm = Warm(problem, gates)
    every = [go[:, gates.pieces.first] for go in policies(problem)]
    steps = [warm.solve(policy) for policy in every]
    for step in steps[::5]:
        up, down = gates.changes(step.policy > 0.5)
        for policy, other in zip(every, steps, strict=True):
            rises, falls = gates.changes(policy)
            change = (
                step.prices.go * (policy - step.policy)
                + step.prices.start * (rises.astype(float) - up)
                + step.prices.end * (falls.astype(float) - down)
            )
            assert other.objective_usd >= step.objective_usd + change.sum() - 1e-7 * abs(step.objective_usd)


def test_policies_that_the_gates_do_not_allow_are_refused() -> None:
    problem = tiny(0)
    allowed = {go.tobytes() for go in policies(problem)}
    gates = gates_of(problem)
    stretches = gates.pieces.first.size
    for bits in range(2 ** (2 * stretches)):
        policy = np.zeros_like(gates.start)
        policy[:2] = np.array([bits >> i & 1 for i in range(2 * stretches)], dtype=bool).reshape(2, stretches)
        assert gates.allows(policy) is (policy[:, gates.pieces.own].tobytes() in allowed)
    go = np.zeros((len(problem.projects), problem.tree.size), dtype=bool)
    go[0, problem.tree.quarter == 2] = True
    with pytest.raises(BadValue, match="do not allow"):
        hold(problem, go)


def test_what_is_known_alike_is_decided_alike() -> None:
    """The two nodes of quarter 1 tell nothing apart: the project goes on everywhere or nowhere, as
    without a gate."""
    tree = balanced_tree((2,), (1, 2))
    blind = by_hand(known=np.minimum(tree.quarter, 1))
    found = search(blind)
    for go, cost in ((found.go, found.objective_usd), exact(blind)):
        assert cost == pytest.approx(150.0 - 50.0 + 30.0)
        assert go.all()
    seeing = by_hand(known=np.array([0, 1, 2, 1, 2]))
    assert search(seeing).objective_usd == pytest.approx(120.0)


@pytest.mark.parametrize("seed", range(3))
def test_tied_decisions_against_brute_force(seed: int) -> None:
    problem = tiny(seed)
    known = np.minimum(problem.tree.quarter, 1)
    tied = replace(problem, projects=tuple(replace(item, known=known) for item in problem.projects))
    best, _, count = enumerated(tied)
    assert count < by_force(seed)[2]
    assert best >= by_force(seed)[0] - 1e-9
    assert exact(tied)[1] == pytest.approx(best, rel=1e-9)
    assert search(tied).objective_usd == pytest.approx(best, rel=1e-9)


def test_decisions_above_a_branching_see_only_its_odds() -> None:
    """The two branches swapped, with all below them, leave the decisions above as they were; one go
    on each stretch."""
    problem = random_gates(4, (2,))
    mirror = np.array([0, 2, 1, 4, 3])
    laid = {
        name: np.asarray(getattr(problem, name))[..., mirror]
        for name in (
            "lead_quarters", "available", "cap", "capital_usd", "running_usd", "rate", "demand",
            "unmet_usd", "fixed_usd", "payment_usd", "floor", "power_cap_w", "cash_cap_usd",
        )
    }
    projects = tuple(
        replace(
            item, start=item.start[mirror], gate=item.gate[mirror],
            spend_usd=item.spend_usd[mirror], end_usd=item.end_usd[mirror],
        )
        for item in problem.projects
    )
    groups = tuple((name, members, limit[mirror]) for name, members, limit in problem.groups)
    mirrored = replace(problem, projects=projects, groups=groups, **laid)
    one, other = search(problem), search(mirrored)
    assert other.objective_usd == pytest.approx(one.objective_usd, rel=1e-9)
    # another best policy of the mirrored problem would do as well, so this one is priced there
    assert solve(hold(mirrored, one.go[:, mirror])).objective_usd == pytest.approx(one.objective_usd, rel=1e-9)
    own = gates_of(problem).pieces
    assert np.array_equal(one.go, one.go[:, own.first[own.own]])


@pytest.mark.parametrize("seed", range(2))
def test_more_projects_never_cost_more(seed: int) -> None:
    problem = random_gates(seed, (2, 2))
    costs = [
        search(
            replace(problem, projects=problem.projects[:n], available=_closed(problem, n))
        ).objective_usd
        for n in range(len(problem.projects) + 1)
    ]
    assert all(more <= fewer * (1 + 1e-9) for fewer, more in pairwise(costs))


def _closed(problem: PlanProblem, count: int) -> np.ndarray:
    """Availability with the offers of all projects but the first few closed."""
    available = problem.available.copy()
    for project in problem.projects[count:]:
        available[list(project.offers)] = False
    return available


def test_a_free_project_of_useless_offers_changes_nothing() -> None:
    problem = tiny(2)
    useless = Project(
        name="useless", offers=(), start=np.array(gate_nodes(problem.tree)), gate=np.array(False),
        spend_usd=np.array(0.0),
    )
    assert search(
        replace(problem, projects=(*problem.projects, useless))
    ).objective_usd == pytest.approx(by_force(2)[0], rel=1e-9)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_scaling_all_money_scales_the_objective(scale: float) -> None:
    problem = random_gates(3, (2, 2))
    scaled = replace(
        problem, capital_usd=scale * problem.capital_usd, running_usd=scale * problem.running_usd,
        unmet_usd=scale * problem.unmet_usd,
        projects=tuple(
            replace(item, spend_usd=scale * item.spend_usd, end_usd=scale * item.end_usd)
            for item in problem.projects
        ),
    )
    assert search(scaled).objective_usd == pytest.approx(scale * search(problem).objective_usd, rel=1e-7)


def test_a_dearer_fee_or_spend_never_costs_less() -> None:
    problem = random_gates(5, (2, 2))
    costs = [
        exact(
            replace(
                problem,
                projects=tuple(
                    replace(item, spend_usd=k * item.spend_usd, end_usd=k * item.end_usd)
                    for item in problem.projects
                ),
            )
        )[1]
        for k in (0.0, 0.5, 1.0, 2.0)
    ]
    assert all(one <= two * (1 + 1e-9) for one, two in pairwise(costs))


def test_offers_without_a_pool_are_opened_one_by_one() -> None:
    """The same optimum whether a pool or the cap of each offer limits what a project opens."""
    problem = random_gates(0, (2, 2))
    cap = problem.cap.copy()
    for _, (offer,), limit in problem.groups:
        cap[offer] = limit
    assert exact(replace(problem, cap=cap, groups=()))[1] == pytest.approx(exact(problem)[1], rel=1e-7)
    unlimited = replace(problem, cap=np.array(np.inf), groups=())
    go, best = exact(unlimited)
    assert search(unlimited).objective_usd == pytest.approx(best, rel=1e-7)
    assert best == pytest.approx(solve(held(unlimited, go)).objective_usd, rel=1e-9)


def test_without_projects_it_is_the_plan() -> None:
    problem = replace(tiny(0), projects=())
    found = search(problem)
    assert found.gap == 0.0
    assert found.objective_usd == solve(problem).objective_usd


def test_no_plan_at_all_is_a_result() -> None:
    one = by_hand()
    two = PlanProblem(
        tree=one.tree, offers=("own", "must"), loads=one.loads, lead_quarters=np.array(0),
        term_quarters=np.array(1), available=np.array(True), cap=np.array(20.0),
        capital_usd=np.array(0.0), running_usd=np.array(0.0), rate=np.array(1.0), demand=one.demand,
        unmet_usd=one.unmet_usd, discount=one.discount, projects=one.projects,
        floor=np.array([[0.0] * 5, [9.0] * 5]), power_w=np.array([0.0, 1.0]),
        power_cap_w=np.array(5.0),
    )
    found = search(two)
    assert found.plan.status is Status.INFEASIBLE
    assert found.plan.shortfalls


def test_undecided_projects_are_refused_where_a_plan_is_needed() -> None:
    with pytest.raises(BadValue, match="undecided projects: own"):
        solve(by_hand())


def test_all_faults_at_once() -> None:
    problem = by_hand()
    tree, project = problem.tree, problem.projects[0]
    wrong = (
        replace(project, name="a", start=np.ones(9, dtype=bool)),
        replace(project, name="b", gate=tree.quarter == 2),
        replace(project, name="c", spend_usd=np.array(-1.0), end_usd=np.array(np.nan)),
        replace(project, name="d", offers=(0, 7)),
        replace(project, name="e", known=np.zeros(tree.size, dtype=np.int64)),
        project, project,
    )
    with pytest.raises(BadValue) as caught:
        replace(problem, projects=wrong, floor=np.array(1.0))
    said = str(caught.value)
    for words in (
        "[a].start: shape (9,)", "[b].gate: node-quarter 3", "[c].spend_usd: -1",
        "[c].end_usd: nan", "[d].offers: (0, 7)", "[e].known: state 0",
        "[own]: 2 projects of this name", "offer 0 in projects of the keys", "offer 0 has a floor",
    ):
        assert words in said, words


def test_an_offer_that_pays_for_itself_needs_a_limit() -> None:
    problem = replace(by_hand(), cap=np.array(np.inf), running_usd=np.array(-1.0))
    with pytest.raises(BadValue, match="no limit on own"):
        search(problem)


def test_knowledge_holds_enough_nodes_and_never_forgets() -> None:
    tree = balanced_tree((8, 2), (1, 1, 1))
    stage = tree.quarter
    node = np.arange(tree.size) - np.searchsorted(stage, stage)
    need = np.random.default_rng(0).random(tree.size)
    dead = (stage == 2) & (node % 2 == 0)
    fate = OutcomeOnTree(np.full(tree.size, NEVER), dead, *np.zeros((3, tree.size)))
    scenarios = Scenarios(tree=tree, draws=None, scarce=need, shock_chance={}, demand={}, work=need,
                          # type: ignore[arg-type]
                          stage=stage, node=node)
    for start in (0, 1, 2):
        known = knowledge(scenarios, fate, need, start=start, least=4)
        assert known[0] == 0
        first = [known[stage == q] for q in (1, 2)]
        assert [np.unique(row).size for row in first] == {0: [2, 4], 1: [2, 4], 2: [1, 4]}[start]
        above = known[tree.parent[stage == 2]]
        for state in np.unique(first[1]):
            mine = first[1] == state
            assert mine.sum() >= 4
            assert np.unique(above[mine]).size == 1
            if start < 2:
                assert np.unique(dead[stage == 2][mine]).size == 1
        if start == 1:
            low, high = (need[1:9][first[0] == state] for state in np.unique(first[0]))
            assert low.max() < high.min()


def test_starts_of_one_programme_share_their_luck() -> None:
    """Same odds, same draws: same fates; smaller odds of arrival: arrivals among the same nodes;
    odds of none: none."""
    tree = balanced_tree((64,), (1, 2))
    stage = np.minimum(tree.quarter, 1)
    node = np.maximum(np.arange(tree.size) - 1, 0) % 64
    need = np.random.default_rng(1).random(tree.size)
    scenarios = Scenarios(tree=tree, draws=None, scarce=need, shock_chance={}, demand={}, work=need,
                          # type: ignore[arg-type]
                          stage=stage, node=node)

    def arrivals(share: float) -> np.ndarray:
        paths = tuple(
            OutcomeGroup(
                probability=p, reveal_boundary_index=0, outcome=outcome,
                volume_quarter=1 if outcome is ChainState.ARRIVED else None, performance=1.0,
                scope_cut_share=0.0, spend_by_quarter_usd=(1.0,) * 3,
            )
            for p, outcome in (
                (share, ChainState.ARRIVED), (0.1, ChainState.DEAD),
                (0.9 - share, ChainState.RUNNING),
            )
        )
        chain = OutcomeChain((1,), 3, (Transition(1, share, 0.1, 0.9 - share),), paths)
        return np.asarray(deal(chain, scenarios, need, stream(1, "fate")).volume_quarter != NEVER)

    assert np.array_equal(arrivals(0.5), arrivals(0.5))
    assert np.all(arrivals(0.5) | ~arrivals(0.25))
    assert not arrivals(0.0).any()
    assert arrivals(0.25)[1:65].sum() == 16


def test_gates_are_where_news_arrives() -> None:
    assert gate_nodes(chain_tree(4)).tolist() == [True, False, False, False]
    assert gate_nodes(balanced_tree((2, 1), (2, 1, 1))).tolist() == [True, False, True, True, False, False]
