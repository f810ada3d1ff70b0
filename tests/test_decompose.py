"""The plan by decomposition against the same plan as one programme, against published optima, and
under mishaps."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import test_textbook
from fabless.decide.ways.prepare import prepare
from fabless.decide.ways.problem import draw_world, plan_of
from fabless.errors import BadFile, BadValue
from fabless.executors import executors_of
from fabless.plan import Bounds, PlanProblem, PlanResult, Status, branching_for, solve, solve_large
from fabless.plan.decompose.blocks import cut, root_block, subtree_block
from fabless.plan.decompose.subtree import piece, solve_subtree
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.scenario import balanced_tree
from fabless.strategy import commitments
from plan_oracle import oracle_objective, plain_problem, random_problem


@functools.cache
def whole(seed: int) -> PlanResult:
    return solve(random_problem(seed))


def wide(seed: int) -> PlanProblem:
    """A chip to be ordered before four branches of three paths each, power short on some: many
    cuts, also of feasibility."""
    rng = np.random.default_rng(seed)
    tree = balanced_tree((4, 3), (2, 2, 3))
    price = rng.uniform(1e4, 3e4, (2, tree.size))
    return PlanProblem(
        tree=tree, offers=("long", "short"), loads=("queries", "training"),
        lead_quarters=np.array([[1], [0]]) + np.zeros((1, tree.size), dtype=np.int64),
        term_quarters=np.array([6, 2]), available=np.array(True), cap=np.array(np.inf),
        capital_usd=0.05 * price * np.array([[1.0], [1.6]]), running_usd=0.02 * price,
        rate=rng.uniform(50.0, 150.0, (2, 2, tree.size)),
        demand=rng.uniform(1e5, 4e6, (2, tree.size)),
        unmet_usd=rng.uniform(20.0, 60.0, (2, tree.size)), discount=np.array(1.0),
        power_w=np.array([700.0, 500.0]),
        power_cap_w=np.where(tree.quarter > 3, rng.uniform(2e6, 6e7, tree.size), np.inf),
        cvar_weight=0.3,
    )


# --- the same answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 6])
@pytest.mark.parametrize("boundary", [None, 3])
def test_agrees_with_the_whole_programme(seed: int, boundary: int | None) -> None:
    """Every family in play, weights of CVaR 0, 0.3 and 1; the bounds hold at every iteration."""
    problem, told = random_problem(seed), list[Bounds]()
    result = solve_large(problem, gap=1e-8, progress=told.append, boundary_quarter=boundary)
    optimum = whole(seed).objective_usd
    assert result.status is Status.OPTIMAL
    assert result.objective_usd == pytest.approx(optimum, rel=1e-8)
    assert 0.0 <= result.gap <= 1e-8
    assert (result.columns, result.rows) == (whole(seed).columns, whole(seed).rows)
    for bounds in told:
        assert bounds.lower_usd <= optimum * (1 + 1e-9)
        assert bounds.upper_usd >= optimum * (1 - 1e-9)
    for before, after in pairwise(told):
        assert after.lower_usd >= before.lower_usd
        assert after.upper_usd <= before.upper_usd


def test_a_gap_that_rounding_leaves_open_is_told() -> None:
    """The best plan is found; the bound stays below it by less than the solver's tolerance of 1e-7,
    and no more comes."""
    result = solve_large(random_problem(4), gap=1e-8)
    assert result.status is Status.FAILED
    assert result.objective_usd == pytest.approx(whole(4).objective_usd, rel=1e-12)
    assert 1e-8 < result.gap < 1e-7


@pytest.mark.parametrize("seed", [1, 2])
def test_agrees_with_the_oracle(seed: int) -> None:
    problem = plain_problem(seed)
    assert solve_large(problem, gap=1e-8).objective_usd == pytest.approx(oracle_objective(problem), rel=1e-7)


def test_orders_are_a_plan_of_the_whole() -> None:
    """The orders of the decomposition, held in the whole programme, cost what was reported."""
    problem = plain_problem(4)
    result = solve_large(problem, gap=1e-8)
    slack = 1e-9 * (1.0 + result.orders)
    held = replace(problem, floor=np.maximum(result.orders - slack, 0.0), cap=result.orders + slack)
    assert solve(held).objective_usd == pytest.approx(result.objective_usd, rel=1e-7)


@pytest.mark.parametrize(
    ("test", "given"),
    [
        (test_textbook.test_farmer_recourse_problem, ()),
        (test_textbook.test_farmer_cvar_from_the_mean_to_the_worst_case, ()),
        (test_textbook.test_lands, ()), (test_textbook.test_apl1p, ()),
        (test_textbook.test_generation_investment_5_2, (3, 406_712.49)),
        (test_textbook.test_generation_expansion_in_five_stages, ()),
        (test_textbook.test_air_conditioning, ()), (test_textbook.test_news_vendor_normal, ()),
    ],
)
def test_published_optima(
    test: object, given: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_textbook, "solve", lambda problem: solve_large(problem, gap=1e-10))
    test(*given)  # type: ignore[operator]


@pytest.fixture(scope="module")
def reference() -> PlanProblem:
    """The reference case at 64 leaves."""
    import fabless as fb

    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    return plan_of(draw_world(prepared, branching=(16, 2, 2, 1, 1, 1)), commitments(prepared.case, "diversify")[0]).problem


@pytest.mark.slow
def test_reference_case_at_64_leaves(reference: PlanProblem) -> None:
    one, other = solve(reference), solve_large(reference, gap=1e-6)
    assert other.status is Status.OPTIMAL
    assert other.objective_usd == pytest.approx(one.objective_usd, rel=1e-6)
    assert other.lower_bound_usd <= one.objective_usd * (1 + 1e-9)


# --- limits between blocks ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_subtrees_without_a_plan_cut_the_root_off(seed: int) -> None:
    problem, told = wide(seed), list[Bounds]()
    result = solve_large(problem, gap=1e-8, progress=told.append)
    assert np.isinf(told[0].upper_usd), "the first point has no plan below it, or this proves nothing"
    assert result.objective_usd == pytest.approx(solve(problem).objective_usd, rel=1e-8)


def test_no_plan_says_what_must_give() -> None:
    problem = replace(plain_problem(1), cash_cap_usd=np.array(1e5))
    result = solve_large(problem)
    assert result.status is Status.INFEASIBLE
    assert not result.has_plan
    assert {item.family for item in result.shortfalls} == {"floor", "cash"}
    floored = problem.floor.sum(axis=0) > 0
    assert all(floored[item.node] for item in result.shortfalls)


def test_no_plan_on_a_path_that_is_not_in_the_first_problem() -> None:
    problem = wide(0)
    power = problem.power_cap_w.copy()
    power[problem.tree.leaves[-1]] = 0.0
    with_floor = replace(problem, power_cap_w=power, floor=np.where(problem.tree.quarter == 3, 100.0, np.zeros((2, 1))))
    result = solve_large(with_floor)
    assert result.status is Status.INFEASIBLE
    assert {item.family for item in result.shortfalls} == {"floor", "power"}


def test_boundary_must_be_a_split() -> None:
    with pytest.raises(BadValue, match=r"every branch splits: \[1, 3\]"):
        solve_large(plain_problem(0), boundary_quarter=2)


# --- blocks ---------------------------------------------------------------------------------------


def test_blocks_are_the_whole_programme() -> None:
    """Columns, rows, entries, costs and offsets of the blocks and their links add up to those of
    the whole."""
    problem = random_problem(1)
    program = assemble(problem, service(problem), constant_costs(problem))
    parted = cut(problem)
    root, _ = root_block(parted)
    blocks = [root, *(subtree_block(parted, root, starts) for starts in parted.starts)]
    assert sum(block.program.cost.size for block in blocks) == program.cost.size
    assert sum(block.program.row_lower.size for block in blocks) == program.row_lower.size
    assert sum(block.program.value.size + block.link_value.size for block in blocks) == program.value.size
    assert sum(block.program.cost.sum() for block in blocks) == pytest.approx(program.cost.sum(), rel=1e-12)
    assert sum(block.program.offset for block in blocks) == pytest.approx(program.offset, rel=1e-12)
    total = sum(block.program.value.sum() + block.link_value.sum() for block in blocks)
    assert total == pytest.approx(program.value.sum(), rel=1e-9)


def test_a_warm_solve_equals_a_cold_one(reference: PlanProblem) -> None:
    parted = cut(reference)
    root, _ = root_block(parted)
    part = piece(subtree_block(parted, root, parted.starts[3]))
    rng = np.random.default_rng(0)
    basis, point = None, np.zeros(part.linked.size)
    costs = []
    for _ in range(6):
        warm, cold = solve_subtree(part, point, basis), solve_subtree(part, point, None)
        assert warm.objective == pytest.approx(cold.objective, rel=1e-9)
        assert warm.bound == pytest.approx(warm.objective, rel=1e-9)
        basis, costs = warm.basis, [*costs, (point, warm)]
        point = 2e4 * rng.random(part.linked.size)
    for at, found in costs:
        for other, there in costs:
            below = found.bound + found.gradient @ (other - at)
            assert below <= there.objective + 1e-7 * abs(there.objective), "a cut lies above the cost"


# --- workers --------------------------------------------------------------------------------------


def pools(made: list[ProcessPoolExecutor]) -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made.append(pool)
        yield pool


def kill_once(made: list[ProcessPoolExecutor]) -> object:
    """Something to call after each iteration: it kills the workers of the first pool, once."""
    killed = list[int]()

    def kill(_: Bounds) -> None:
        if not killed:
            killed.extend(made[0]._processes)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
    return kill


@pytest.mark.slow
def test_killed_processes_are_replaced_and_change_nothing() -> None:
    problem, made = random_problem(2), list[ProcessPoolExecutor]()
    alone = solve_large(problem, gap=1e-8)
    shared = solve_large(problem, gap=1e-8, executor=lambda: contextmanager(pools)(made), progress=kill_once(made))
    assert len(made) == 2
    assert shared.objective_usd == alone.objective_usd
    assert np.array_equal(shared.orders, alone.orders)


@pytest.mark.slow
def test_a_given_executor_that_breaks_is_done_without() -> None:
    problem = random_problem(2)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        result = solve_large(problem, gap=1e-8, executor=pool, progress=kill_once([pool]))
    assert result.objective_usd == solve_large(problem, gap=1e-8).objective_usd


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_and_survives_a_killed_worker() -> None:
    from distributed import Client, LocalCluster

    problem = random_problem(2)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        killed = list[int]()

        def kill(_: Bounds) -> None:
            if not killed:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)

        made = executors_of("dask", address=cluster.scheduler_address)
        result = solve_large(problem, gap=1e-8, executor=made, progress=kill)
    assert killed
    assert result.objective_usd == solve_large(problem, gap=1e-8).objective_usd


# --- interrupts, checkpoints ----------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[None]:
    """An interrupt is heard, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(bounds: Bounds) -> None:
    if bounds.iteration == 3:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("listening")
def test_an_interrupt_gives_the_best_plan_and_the_run_goes_on_from_its_file(tmp_path: Path) -> None:
    problem, file = random_problem(1), tmp_path / "plan.npz"
    stopped = solve_large(problem, gap=1e-8, checkpoint=file, progress=interrupt)
    assert stopped.status is Status.INTERRUPTED
    assert stopped.lower_bound_usd <= whole(1).objective_usd <= stopped.objective_usd
    told = list[Bounds]()
    result = solve_large(problem, gap=1e-8, checkpoint=file, progress=told.append)
    assert result.objective_usd == pytest.approx(whole(1).objective_usd, rel=1e-8)
    assert told[0].iteration == 4
    assert told[0].lower_usd >= stopped.lower_bound_usd
    assert told[0].upper_usd <= stopped.objective_usd * (1 + 1e-9)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.npz"]


@pytest.mark.usefixtures("listening")
def test_an_interrupt_before_any_plan_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabless.plan.decompose.descent.solve_subtree", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        solve_large(random_problem(1))


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.npz"
    solve_large(plain_problem(1), checkpoint=file)
    problem = plain_problem(1)
    with pytest.raises(BadFile, match="another plan"):
        solve_large(replace(problem, demand=problem.demand * (1 + 1e-12)), checkpoint=file)
    with pytest.raises(BadFile, match="another plan"):
        solve_large(problem, checkpoint=file, boundary_quarter=3)
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(BadFile, match="is no checkpoint"):
        solve_large(problem, checkpoint=file)
    with pytest.raises(BadFile, match="cannot be written"):
        solve_large(problem, checkpoint=tmp_path / "missing" / "plan.npz")


# --- branching ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [1, 2, 4, 6])
@pytest.mark.parametrize("leaves", [1, 2, 7, 81, 243, 1000, 4096, 20_000])
def test_branching_has_about_the_leaves_and_most_of_them_first(leaves: int, stages: int) -> None:
    branching = branching_for(leaves, stages)
    assert len(branching) == stages
    assert np.prod(branching) == pytest.approx(leaves, rel=0.1, abs=1)
    assert list(branching) == sorted(branching, reverse=True)


def test_branching_needs_a_path_and_a_split() -> None:
    with pytest.raises(BadValue, match="1 or more of each"):
        branching_for(0, 4)
