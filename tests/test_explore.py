"""The space of designs: numbering, limits, fronts, sweeps that are cut, resumed and spread over
processes."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fabless.catalogue import Catalogue, load
from fabless.digest import digest_of
from fabless.errors import BadFile, BadValue, DoesNotFit, FablessError, UnknownName
from fabless.executors import executors_of
from fabless.explore import (
    Checkpoint,
    DesignScores,
    Kept,
    Space,
    SweepState,
    Task,
    best_designs,
    front_of,
    limits_of,
    read_space,
    run_chunk,
    screen,
    sweep,
    technology_of,
)
from fabless.explore.front import keep
from fabless.explore.limits import REASONS
from fabless.records import Chip, LogicDie
from fabless.silicon import CostInputs, chip_sheet
from fabless.silicon.evaluate import Designs, Evaluation, Technology, built_units, evaluate
from fabless.silicon.geometry import check_field


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


SMALL = {
    "dies": [1, 2], "units": [8, 32], "rows": [64, 128], "columns": [128], "clock": ["1.4 GHz", "1.9 GHz"],
    "precision": ["bf16", "fp8"], "on_chip_memory": ["64 MB", "192 MB"], "memory": ["hbm3e", "hbm4"], "stacks": [4, 6, 8],
    "stack_capacity": ["24 GB", "48 GB"], "link_bandwidth": ["600 GB/s"],
}  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Space:
    return read_space(changes=SMALL)


@dataclass(frozen=True)
class ByRate:
    """Scores silicon alone: USD per rate against W per rate; picklable, as workers need it."""

    kill: str = ""
    """File whose first finder kills its own process; empty: nobody does."""
    objective: str = "usd"
    metrics: tuple[str, ...] = ("usd", "watt")
    fronts: tuple[tuple[str, str], ...] = (("usd", "watt"),)

    def __call__(self, designs: Designs, silicon: Evaluation, technology: Technology) -> DesignScores:
        if self.kill and os.path.exists(self.kill):
            os.remove(self.kill)
            os.kill(os.getpid(), signal.SIGKILL)
        enough = silicon.memory_bytes >= 100e9
        usd = np.where(enough, silicon.unit_cost_usd / silicon.bf16_flops, np.inf)
        watt = np.where(enough, silicon.power_w / silicon.bf16_flops, np.inf)
        return DesignScores({"usd": usd, "watt": watt}, {"memory": int(np.sum(~enough))},
                     {"memory": float(100e9 / silicon.memory_bytes.max())}, designs.size)


def task_of(catalogue: Catalogue, space: Space, scorer: ByRate | None = None) -> Task:
    technologies = tuple(technology_of(catalogue, space.node, name, space.packaging) for name in space.memory)
    limits = tuple(limits_of(catalogue, one, space.power_limit_w) for one in technologies)
    return Task(space, technologies, limits, scorer or ByRate())


def same(one: SweepState, other: SweepState) -> bool:
    return (
        one.designs == other.designs
        and dict(one.removed) == dict(other.removed)
        and dict(one.unserved) == dict(other.unserved)
        and one.points == other.points
        and np.array_equal(one.kept.numbers, other.kept.numbers)
        and all(
            np.array_equal(one.kept.metrics[name], other.kept.metrics[name])
            for name in one.kept.metrics
        )
    )


# --- the space ------------------------------------------------------------------------------------


def test_every_combination_is_there_once(small: Space) -> None:
    designs = small.designs(np.arange(small.size))
    rows = np.stack([getattr(designs, name) for name in designs.__dataclass_fields__], axis=1)
    kinds = np.arange(small.size) // small.of_one_memory
    assert len({(int(kind), *row) for kind, row in zip(kinds, map(tuple, rows), strict=True)}) == small.size
    assert small.size == 2 * 2 * 2 * 2 * 2 * 2 * 2 * 3 * 2
    assert read_space().size > 100_000


@given(most=st.integers(1, 500))
@settings(max_examples=25, deadline=None)
def test_chunks_cover_the_space_and_keep_to_one_memory(most: int) -> None:
    space = read_space(changes=SMALL)
    chunks = space.chunks(most)
    assert chunks[0][0] == 0
    assert chunks[-1][1] == space.size
    assert all(before[1] == after[0] for before, after in itertools.pairwise(chunks))
    assert all(0 < stop - start <= most for start, stop in chunks)
    assert all(start // space.of_one_memory == (stop - 1) // space.of_one_memory for start, stop in chunks)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"units": []}, "a space with no point"),
        ({"rows": [0]}, "whole number of 1 or more"),
        ({"clock": ["-1 GHz"]}, "above 0"),
        ({"clock": ["2"]}, "is not a number with a unit"),
        ({"clock": ["2 GB"]}, "not of frequency"),
        ({"precision": ["fp7"]}, "bf16, fp8, fp4"),
        ({"stacks": [4, 4]}, "each value once"),
        ({"node": None}, "missing"),
        ({"colour": "red"}, "unknown field"),
        ({"columns": [1.5]}, "whole number"),
    ],
)
def test_bad_spaces_are_explained(change: dict[str, object], says: str) -> None:
    with pytest.raises(FablessError) as caught:
        read_space(changes=SMALL | change)
    fault = caught.value.faults[0]
    assert says in str(caught.value)
    assert fault.place
    assert fault.allowed
    assert fault.remedy


def test_all_faults_of_a_file_come_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "node": "n3", "packaging": "cowos-l", "power_limit": "1 kW", "domain": 8,
                "scale_out": "400 Gb/s",
            }
            | SMALL
            | {"units": [-1], "clock": ["fast"]}
        )
    )
    with pytest.raises(BadValue) as caught:
        read_space(path)
    assert len(caught.value.faults) == 2
    assert all("space.yaml:" in fault.place for fault in caught.value.faults)


def test_unknown_technology_lists_the_known(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownName, match="n16, n2, n3, n5, n7"):
        technology_of(catalogue, "n4", "hbm3e", "cowos-l")
    with pytest.raises(UnknownName, match="hbm4"):
        technology_of(catalogue, "n3", "hbm5", "cowos-l")
    with pytest.raises(UnknownName, match="cowos-l"):
        technology_of(catalogue, "n3", "hbm3e", "cowos")


# --- silicon of many designs ----------------------------------------------------------------------


def test_a_chunk_equals_its_designs_one_by_one(catalogue: Catalogue, small: Space) -> None:
    technology = technology_of(catalogue, "n3", "hbm3e", "cowos-l")
    limits = limits_of(catalogue, technology, 1200.0)
    designs = small.designs(np.arange(0, small.of_one_memory, 7))
    made, many, _ = screen(designs, technology, limits)
    assert many is not None
    for k, place in enumerate(made[:10]):
        one = evaluate(designs.take(np.array([place])), technology)
        for name in many.__dataclass_fields__:
            assert getattr(many, name)[k] == pytest.approx(getattr(one, name)[0], rel=1e-12), name


def test_a_design_costs_the_same_as_a_chip(catalogue: Catalogue, small: Space) -> None:
    technology = technology_of(catalogue, "n3", "hbm3e", "cowos-l")
    designs = small.designs(np.arange(small.of_one_memory))
    made, silicon, _ = screen(designs, technology, limits_of(catalogue, technology, 1200.0))
    assert silicon is not None
    for k in (0, made.size // 2, made.size - 1):
        one = designs.take(made[k : k + 1])
        built = Chip(
            name="design", vendor="", peak_flops={"bf16": float(one.bf16_flops[0])},
            memory_bytes=float(silicon.memory_bytes[k]),
            memory_bandwidth=float(silicon.memory_bandwidth[k]),
            scale_up_bandwidth=float(one.link_bandwidth[0]), scale_up_domain=64,
            scale_out_bandwidth=5e10, tdp_w=float(silicon.power_w[k]), node="n3",
            memory_type="hbm3e", packaging="cowos-l", hbm_stacks=int(one.stacks[0]),
        )
        die = LogicDie(
            float(silicon.die_area_m2[k]), int(one.dies[0]), None, int(built_units(one.units)[0]),
            int(one.units[0]),
        )
        chip = replace(built, architecture=replace(built.architecture, dies=(die,)))
        assert chip_sheet(catalogue, chip, draws=64).unit_cost_usd == pytest.approx(silicon.unit_cost_usd[k], rel=1e-9)


def test_removed_and_made_add_up(catalogue: Catalogue, small: Space) -> None:
    technology = technology_of(catalogue, "n3", "hbm3e", "cowos-l")
    designs = small.designs(np.arange(small.of_one_memory))
    for watts in (50.0, 700.0, 5000.0):
        made, silicon, removed = screen(designs, technology, limits_of(catalogue, technology, watts))
        assert set(removed) == set(REASONS)
        assert made.size + sum(removed.values()) == designs.size
        if silicon is None:
            assert made.size == 0
        else:
            assert silicon.power_w.max() <= watts * (1 + 1e-9)
    assert made.size > 0
    tall = screen(designs, technology, limits_of(catalogue, technology, 5000.0))[2]["stack height"]
    assert tall > 0  # 48 GB a stack is more than HBM3E offers


def test_free_memory_and_perfect_yields(catalogue: Catalogue, small: Space) -> None:
    base = technology_of(catalogue, "n3", "hbm3e", "cowos-l")
    free = replace(
        base,
        cost=replace(
            base.cost, memory_usd_per_byte=0.0, attach_yield=1.0, probe_coverage=1.0,
            wafers=tuple(replace(w, defect_density=0.0) for w in base.cost.wafers),
        ),
    )
    designs = small.designs(np.arange(0, small.of_one_memory, 11))
    made, _, _ = screen(designs, base, limits_of(catalogue, base, 1e4))
    some = designs.take(made)
    dear, cheap = evaluate(some, base), evaluate(some, free)
    memory = some.stacks * some.stack_bytes * float(np.asarray(base.cost.memory_usd_per_byte))
    assert np.all(cheap.unit_cost_usd + memory < dear.unit_cost_usd)
    assert isinstance(base.cost, CostInputs)


# --- fronts ---------------------------------------------------------------------------------------

POINTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40)


@given(points=POINTS)
@settings(deadline=None)
def test_front_equals_brute_force(points: list[tuple[int, int]]) -> None:
    x, y = (np.array(values, dtype=float) for values in zip(*points, strict=True))
    got = front_of(x, y).tolist()
    beaten = [any((a <= x[k] and b <= y[k]) and (a < x[k] or b < y[k] or j < k)
                  for j, (a, b) in enumerate(points) if j != k) for k in range(len(points))]
    assert sorted(got) == [k for k, lost in enumerate(beaten) if not lost]
    assert list(x[got]) == sorted(x[got])


@given(points=POINTS, seed=st.integers(0, 99))
@settings(deadline=None)
def test_order_of_joining_does_not_matter(points: list[tuple[int, int]], seed: int) -> None:
    x, y = (np.array(values, dtype=float) for values in zip(*points, strict=True))
    numbers = np.arange(x.size)
    whole = keep(Kept.nothing(("x", "y")), Kept(numbers, {"x": x, "y": y}), "x", (("x", "y"),), 3)
    order = np.random.default_rng(seed).permutation(x.size)
    seen = Kept.nothing(("x", "y"))
    for part in np.array_split(order, 4):
        part = np.sort(part)
        seen = keep(seen, Kept(numbers[part], {"x": x[part], "y": y[part]}), "x", (("x", "y"),), 3)
    assert np.array_equal(seen.numbers, whole.numbers)
    assert best_designs(whole, "x", 1)[0] in range(whole.numbers.size)


def test_points_that_are_not_finite_are_on_no_front() -> None:
    assert front_of(np.array([np.inf, 1.0, np.nan]), np.array([0.0, 1.0, 0.0])).tolist() == [1]
    assert front_of(np.array([np.inf]), np.array([0.0])).size == 0


# --- sweeps ---------------------------------------------------------------------------------------


def test_the_answer_does_not_depend_on_the_chunk(catalogue: Catalogue, small: Space) -> None:
    task = task_of(catalogue, small)
    whole = sweep(task).found
    assert whole.designs == small.size
    assert whole.made + sum(whole.removed.values()) == small.size
    assert same(whole, sweep(task, chunk=37).found)
    every = [run_chunk(task, start, stop) for start, stop in small.chunks(100)]
    assert min(
        float(part.kept.metrics["usd"].min()) for part in every if part.kept.numbers.size
    ) == pytest.approx(float(whole.kept.metrics["usd"].min()))


def test_one_price_doubled_moves_the_cost_and_not_the_silicon(catalogue: Catalogue, small: Space) -> None:
    task = task_of(catalogue, small)
    dear = replace(
        task,
        technologies=tuple(
            replace(
                one,
                cost=replace(
                    one.cost, memory_usd_per_byte=2.0 * np.asarray(one.cost.memory_usd_per_byte)
                ),
            )
            for one in task.technologies
        ),
    )
    before, after = sweep(task).found, sweep(dear).found
    assert dict(before.removed) == dict(after.removed)
    assert before.kept.metrics["watt"].min() == after.kept.metrics["watt"].min()
    assert before.kept.metrics["usd"].min() < after.kept.metrics["usd"].min() < 2.0 * before.kept.metrics["usd"].min()


class Interrupted(Exception):
    pass


def stop_after(designs: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done >= designs:
            raise Interrupted

    return progress


def test_an_interrupted_sweep_goes_on(catalogue: Catalogue, small: Space, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabless.explore.checkpoint.EVERY_S", 0.0)
    task = task_of(catalogue, small)
    digest = digest_of({"space": small.described()})
    with pytest.raises(Interrupted):
        sweep(task, chunk=50, checkpoint=Checkpoint(tmp_path / "state.json", digest), progress=stop_after(400))
    resumed = sweep(task, chunk=50, checkpoint=Checkpoint(tmp_path / "state.json", digest))
    assert 0 < resumed.resumed < small.size
    assert same(resumed.found, sweep(task, chunk=50).found)
    again = sweep(task, chunk=50, checkpoint=Checkpoint(tmp_path / "state.json", digest))
    assert again.resumed == small.size
    assert same(again.found, resumed.found)
    with pytest.raises(BadFile, match="another exploration"):
        sweep(task, checkpoint=Checkpoint(tmp_path / "state.json", "other"))
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(BadFile, match="is no checkpoint"):
        sweep(task, checkpoint=Checkpoint(tmp_path / "state.json", digest))


def test_memory_stays_bounded(catalogue: Catalogue) -> None:
    space = read_space()
    part = run_chunk(task_of(catalogue, space), 0, 16_384)
    assert part.kept.numbers.size < 500


def test_nothing_that_serves_is_a_result(catalogue: Catalogue) -> None:
    space = read_space(changes=SMALL | {"stacks": [2], "stack_capacity": ["24 GB"]})
    found = sweep(task_of(catalogue, space)).found
    assert found.kept.numbers.size == 0
    assert found.unserved["memory"] == found.made > 0
    assert found.nearest["memory"] == pytest.approx(100 / 48)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["process", "dask"])
@pytest.mark.filterwarnings("ignore")
def test_two_worker_processes_give_the_same_answer_and_one_may_be_killed(
    catalogue: Catalogue, small: Space, tmp_path: Path, name: str
) -> None:
    bait = tmp_path / "bait"
    bait.write_text("")
    task = task_of(catalogue, small)
    plain = sweep(task, chunk=100).found
    made = executors_of(name, workers=2)
    assert made is not None
    deadly = replace(task, scorer=ByRate(kill=str(bait)))
    assert same(sweep(deadly, chunk=100, executors=made).found, plain)
    assert not bait.exists()


def test_executors_by_name() -> None:
    assert executors_of("serial") is None
    with pytest.raises(UnknownName, match="process"):
        executors_of("cloud")


def test_a_space_that_geometry_empties_is_an_answer() -> None:
    """A limit that removes the last design leaves nothing for the next ones to measure."""
    check_field(np.array([]))
    with pytest.raises(DoesNotFit, match="split it into 2 dies"):
        check_field(np.array([900e-6]))
