"""Designs on the performance model: the same figures as `serve`, limits, objectives, and the
command."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import fabless as fb
from command_fixture import Run
from fabless.catalogue import Catalogue, load, read_chip
from fabless.explore import (
    Exploration,
    Served,
    ServingScorer,
    Space,
    Task,
    explore,
    limits_of,
    read_space,
    sweep,
    technology_of,
)
from fabless.explore.serving import OBJECTIVES, best_splits, matrix_fill, splits_of
from fabless.perf import Formats, ServiceTerms, serve
from fabless.quote import calibration_of, number_of, owning_of
from fabless.silicon import chip_sheet
from fabless.silicon.evaluate import evaluate
from fabless.tco import chip_hour_cost
from fabless.units import HOUR_S

CHAT = fb.Request(1024, 256)
SMALL = {
    "dies": [1, 2], "units": [16, 32], "rows": [64, 128], "columns": [128], "clock": ["1.6 GHz"],
    "precision": ["bf16", "fp8"], "on_chip_memory": ["64 MB"], "memory": ["hbm3e"], "stacks": [4, 6, 8],
    "stack_capacity": ["24 GB", "36 GB"], "link_bandwidth": ["600 GB/s"], "domain": 16,
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def small() -> Space:
    return read_space(changes=SMALL)


def served(
    catalogue: Catalogue, model: str = "llama-3.1-70b", request: fb.Request = CHAT, **terms: object
) -> Served:
    asked = ServiceTerms(
        Formats("fp8", "bf16"), 0.05, 2.0, number_of(catalogue.fact("datacentre", "load_factor")))
    return Served(
        llm=catalogue.model(model), request=request,
        terms=replace(asked, **terms))  # type: ignore[arg-type]


def scorer_of(catalogue: Catalogue, space: Space, one: Served, **changes: object) -> ServingScorer:
    base = ServingScorer(
        load=one, also=(), calibration=calibration_of(catalogue),
        owning=owning_of(catalogue)[0],
        domain=space.domain,
        scale_out_bandwidth=space.scale_out_bandwidth, margin=0.0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def task_of(catalogue: Catalogue, space: Space, scorer: ServingScorer) -> Task:
    technologies = tuple(technology_of(catalogue, space.node, name, space.packaging) for name in space.memory)
    return Task(space, technologies, tuple(limits_of(catalogue, one, space.power_limit_w) for one in technologies), scorer)


def answer_of(catalogue: Catalogue, space: Space, scorer: ServingScorer, market: tuple[str, ...] = ()) -> Exploration:
    task = task_of(catalogue, space, scorer)
    return explore(catalogue, space, task.technologies, task, market=market)


def test_the_winner_costs_what_serve_says_of_its_chip(catalogue: Catalogue, small: Space) -> None:
    scorer = scorer_of(catalogue, small, served(catalogue))
    answer = answer_of(catalogue, small, scorer)
    best, chip, one = answer.best, answer.best_chip, scorer.load
    assert best is not None
    assert chip is not None
    serving = serve(one.llm, chip, one.request, one.terms, scorer.calibration)
    hour = chip_hour_cost(
        best.unit_cost_usd, scorer.owning, rated_power_w=chip.tdp_w,
        average_power_w=serving.power_w_per_chip)
    expected = 1e6 * float(hour.total_usd) / HOUR_S / serving.output_tokens_per_s_per_chip
    assert best.usd_per_million_tokens_tco == pytest.approx(expected, rel=0.03)  # serve searches batches more finely
    assert chip_sheet(catalogue, chip, draws=16).unit_cost_usd == pytest.approx(best.unit_cost_usd, rel=1e-9)
    assert best.tpot_s <= one.terms.tpot_limit_s
    assert best.ttft_s <= one.terms.ttft_limit_s


def test_one_design_alone_equals_the_design_among_others(catalogue: Catalogue, small: Space) -> None:
    scorer, technology = scorer_of(catalogue, small, served(catalogue)), technology_of(catalogue, "n3", "hbm3e", "cowos-l")
    designs = small.designs(np.arange(0, small.size, 5))
    silicon = evaluate(designs, technology)
    many = best_splits(scorer, scorer.load, designs, silicon)
    for k in (0, designs.size - 1):
        one = designs.take(np.array([k]))
        alone = best_splits(scorer, scorer.load, one, evaluate(one, technology))
        assert alone.usd_per_token_tco[0] == pytest.approx(many.usd_per_token_tco[k], rel=1e-12)


def test_objectives_pick_by_what_they_name(catalogue: Catalogue, small: Space) -> None:
    answers = {
        name: answer_of(
            catalogue, small, scorer_of(catalogue, small, served(catalogue), objective=name)
        ).best
        for name in OBJECTIVES
    }
    assert all(best is not None for best in answers.values())
    chip, tco, watt = (answers[name] for name in OBJECTIVES)
    assert chip is not None
    assert tco is not None
    assert watt is not None
    assert chip.usd_per_million_tokens <= min(tco.usd_per_million_tokens, watt.usd_per_million_tokens) * (1 + 1e-9)
    others = min(chip.usd_per_million_tokens_tco, watt.usd_per_million_tokens_tco)
    assert tco.usd_per_million_tokens_tco <= others * (1 + 1e-9)
    assert watt.joule_per_token <= min(chip.joule_per_token, tco.joule_per_token) * (1 + 1e-9)


def test_doubling_inputs_moves_the_answer_the_right_way(catalogue: Catalogue, small: Space) -> None:
    scorer = scorer_of(catalogue, small, served(catalogue))
    base = answer_of(catalogue, small, scorer).best
    assert base is not None
    task = task_of(catalogue, small, scorer)
    dear = tuple(
        replace(
            one,
            cost=replace(
                one.cost, memory_usd_per_byte=2 * np.asarray(one.cost.memory_usd_per_byte)
            ),
        )
        for one in task.technologies
    )
    doubled = explore(catalogue, small, dear, replace(task, technologies=dear)).best
    assert doubled is not None
    assert base.usd_per_million_tokens_tco < doubled.usd_per_million_tokens_tco < 2 * base.usd_per_million_tokens_tco
    loose = answer_of(catalogue, small, scorer_of(catalogue, small, served(catalogue, tpot_limit_s=0.1))).best
    assert loose is not None
    assert loose.usd_per_million_tokens_tco <= base.usd_per_million_tokens_tco * (1 + 1e-9)
    long = served(catalogue, request=fb.Request(2048, 256))
    longer = answer_of(catalogue, small, scorer_of(catalogue, small, long)).best
    assert longer is not None
    assert longer.usd_per_million_tokens_tco > base.usd_per_million_tokens_tco
    margin = answer_of(catalogue, small, scorer_of(catalogue, small, served(catalogue), margin=0.5)).best
    assert margin is not None
    assert margin.usd_per_million_tokens > 1.9 * base.usd_per_million_tokens


def test_fronts_fall_and_hold_the_best(catalogue: Catalogue, small: Space) -> None:
    other = served(catalogue, "deepseek-v3")
    answer = answer_of(catalogue, small, scorer_of(catalogue, small, served(catalogue), also=(other,)), ("h100-sxm",))
    assert answer.best is not None
    for front in (answer.latency_front, answer.flexibility_front):
        assert [point.x for point in front] == sorted(point.x for point in front)
        assert [point.y for point in front] == sorted((point.y for point in front), reverse=True)
    assert answer.latency_front[-1].y == pytest.approx(answer.best.usd_per_million_tokens_tco, rel=0.1)
    assert answer.flexibility_front[0].x == pytest.approx(answer.best.usd_per_million_tokens_tco, rel=1e-9)
    assert answer.market[0].over_best is not None
    assert answer.market[0].over_best > 1.0


def test_a_load_that_nothing_serves_names_the_limit(catalogue: Catalogue, small: Space) -> None:
    quick = served(catalogue, tpot_limit_s=1e-4)
    answer = answer_of(catalogue, small, scorer_of(catalogue, small, quick))
    assert answer.best is None
    assert answer.binding.startswith("time per token binds")
    assert "against 0.0001 s" in answer.binding
    huge = served(catalogue, "llama-3.1-405b", formats=Formats("bf16", "bf16"), request=fb.Request(100_000, 100))
    lonely = scorer_of(catalogue, small, huge, domain=1, most_chips=1)
    assert answer_of(catalogue, small, lonely).binding.startswith("memory binds")
    first = served(catalogue, ttft_limit_s=1e-4)
    assert answer_of(catalogue, small, scorer_of(catalogue, small, first)).binding.startswith("time to first token binds")
    weak = read_space(changes=SMALL | {"power_limit": "10 W"})
    assert "rated power over the limit" in answer_of(catalogue, weak, scorer_of(catalogue, weak, served(catalogue))).binding


def test_widths_that_do_not_fill_a_unit_waste_it(catalogue: Catalogue, small: Space) -> None:
    llm = catalogue.model("llama-3.1-70b")
    designs = small.designs(np.arange(2))
    odd = replace(designs, rows=np.array([8192.0, 5000.0]), columns=np.array([28672.0, 28672.0]))
    assert matrix_fill(llm, odd) == pytest.approx([1.0, 8192 / 10_000])


def test_splits_divide_the_model(catalogue: Catalogue) -> None:
    for name in ("llama-3.1-70b", "deepseek-v3"):
        llm = catalogue.model(name)
        splits = splits_of(llm, 64, 512)
        assert all(llm.heads % int(degree) == 0 for degree in np.asarray(splits.tensor))
        assert float(np.max(np.asarray(splits.chips))) <= 512


def test_designs_a_second_through_the_serving_model(catalogue: Catalogue) -> None:
    space = read_space()
    scorer = scorer_of(catalogue, space, served(catalogue, "llama-3.1-405b", tpot_limit_s=0.04))
    task = replace(task_of(catalogue, space, scorer), best=4)
    few = read_space(changes=SMALL)
    sweep(task_of(catalogue, few, scorer_of(catalogue, few, served(catalogue))))
    start = time.process_time()
    part = sweep(
        replace(
            task, space=read_space(changes=SMALL | {"memory": ["hbm3e"]}),
            technologies=task.technologies[:1], limits=task.limits[:1],
        )
    )
    # 500,000 points a second a core where nothing else runs; a tenth is left to busy machines
    assert part.found.points / max(time.process_time() - start, 1e-3) > 20_000


# --- the command ----------------------------------------------------------------------------------


LOAD = ("--model", "llama-3.1-70b", "--input", "1024", "--output", "256", "--also", "none", "--market", "h100-sxm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explore")
    base = {"node": "n3", "packaging": "cowos-l", "power_limit": "1200 W", "scale_out": "400 Gb/s"}
    (path / "space.yaml").write_text(yaml.safe_dump(base | SMALL))
    return path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)
    return Run("explore", capsys, monkeypatch)


@pytest.mark.slow
def test_the_command_saves_draws_and_resumes(
    run: Run, folder: Path, catalogue: Catalogue, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = (*LOAD, "--space", "space.yaml", "--checkpoint", "state.json")
    assert run(*options, "--save", "best.yaml", "--picture", "front.svg") == 0, run.err
    for word in ("per million output tokens", "designs", "Cost against speed", "h100-sxm", "wrote best.yaml"):
        assert word in run.out
    chip = read_chip(folder / "best.yaml")
    assert chip_sheet(catalogue, chip, draws=16).unit_cost_usd > 0
    assert "<svg" in (folder / "front.svg").read_text(encoding="utf-8")
    assert run(*options, "--json") == 0
    data = json.loads(run.out)
    assert data["points"] > 0
    assert "seconds" not in data  # the same question gives the same text
    assert data["resumed"] == data["designs"]
    assert data["best"]["unit_cost_usd"] > 0
    cost = Run("cost", capsys, monkeypatch)
    assert (
        cost(
            "--model", "llama-3.1-70b", "--chip", "best.yaml", "--input", "1024", "--output", "256",
            "--price", "5000 USD",
        )
        == 0
    ), cost.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--node", "n4"], "n16, n2, n3, n5, n7"),
        (["--objective", "fun"], "tokens_per_watt"),
        (["--tpot", "fast"], "number with a unit"),
        (["--tpot", "0 s"], "above 0"),
        (["--executor", "cloud"], "process"),
        (["--also", "llama"], "MODEL:IN:OUT"),
        (["--save", "x.txt"], ".yaml"),
        (["--margin", "1"], "below 1"),
        (["--space", "none.yaml"], "cannot be read"),
        (["--market", "h1000"], "h100"),
        (["--power-limit", "lots"], "number with a unit"),
    ],
)
def test_bad_input_is_explained(run: Run, arguments: list[str], says: str) -> None:
    assert run(*LOAD, *arguments) == 2
    assert says in run.err
    assert "remedy" in run.err


def test_a_load_that_cannot_be_served_is_an_answer(run: Run) -> None:
    assert run(*LOAD, "--space", "space.yaml", "--tpot", "0.1 ms") == 0
    assert "time per token binds" in " ".join(run.out.split())
