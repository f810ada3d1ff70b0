"""Serving with one and with two kinds of instances: identities that can be checked by hand, and
what `serve` prints."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from case_fixture import LLAMA, OWN_CHIP
from fabless import cli, perf
from fabless.catalogue import Catalogue, load
from fabless.errors import BadValue, DoesNotFit
from fabless.perf.serving.disaggregate import Disaggregation, disaggregate
from fabless.perf.serving.layout import candidate_splits, check_split, fixed_splits
from fabless.perf.serving.queue import waiting
from fabless.perf.serving.serve import unbeaten
from fabless.perf.serving.terms import NO_TRAFFIC, ServiceTerms, SplitSearch, Traffic
from fabless.quote import calibration_of
from fabless.records import LLM, Chip, Request
from fabless.report.front_chart import front_chart
from fabless.wording import split_code
from fabless.workload import kv_cache_bytes

CHAT = Request(4096.0, 512.0)
FP8 = perf.Formats("fp8", "fp8")
UNLIMITED = ServiceTerms(FP8)


@cache
def catalogue() -> Catalogue:
    return load()


def known(model: str, chip: str) -> tuple[LLM, Chip, perf.Machine]:
    llm, record = catalogue().model(model), catalogue().chip(chip)
    return llm, record, perf.machine_of(record, FP8, calibration_of(catalogue(), record))[0]


def served(model: str, chip: str, request: Request = CHAT, **asked: object) -> perf.Serving:
    """Serve under the named terms, among the named splits and batches."""
    llm, record, _ = known(model, chip)
    search = {name: asked.pop(name) for name in ("split", "batch", "max_chips") if name in asked}
    return perf.serve(
        llm, record, request, ServiceTerms(**{"formats": FP8, **asked}),  # type: ignore[arg-type]
        calibration_of(catalogue(), record), SplitSearch(**search),  # type: ignore[arg-type]
    )


@cache
def two_pools(
    model: str = "llama-3.1-70b", chip: str = "h100-sxm", tpot: float = 0.04,
    traffic: Traffic = NO_TRAFFIC,
) -> Disaggregation:
    llm, _, machine = known(model, chip)
    terms = ServiceTerms(FP8, tpot, 3.0, traffic=traffic)
    return disaggregate(llm, machine, machine, CHAT, terms, SplitSearch(max_chips=64))


def on(split: perf.Split) -> SplitSearch:
    """Two pools of the same split, four chips in all."""
    return SplitSearch(split=split, prefill_split=split, max_chips=4)


# ------------------------------------------------------------------------------------------ two
# pools, by hand

def test_throughput_is_that_of_the_slower_pool() -> None:
    for one in (two_pools().best, *two_pools().front):
        reads, writes = one.prefill, one.decode
        assert one.chips == reads.instances * reads.chips + writes.instances * writes.chips <= 64
        slower = min(reads.instances * reads.queries_per_s, writes.instances * writes.queries_per_s)
        assert one.queries_per_s_per_chip * one.chips == pytest.approx(slower, rel=1e-9)
        assert one.output_tokens_per_s_per_chip == pytest.approx(512.0 * one.queries_per_s_per_chip)


def test_whole_numbers_are_no_better_than_any_share() -> None:
    for one in two_pools().front:
        reads, writes = one.prefill, one.decode
        bound = 512.0 / (reads.chips / reads.queries_per_s + writes.chips / writes.queries_per_s)
        assert one.output_tokens_per_s_per_chip <= bound * (1 + 1e-9)
        if one.chips > 8:  # else both lie in one domain, with links that any share would not have
            assert one.continuous_output_tokens_per_s_per_chip == pytest.approx(bound, rel=1e-6)
        assert one.output_tokens_per_s_per_chip < 512.0 * min(reads.queries_per_s / reads.chips,
                                                              writes.queries_per_s / writes.chips)


def test_pools_give_what_the_forward_pass_gives() -> None:
    llm, _, machine = known("llama-3.1-70b", "h100-sxm")
    best = two_pools().best
    writes, reads = best.decode, best.prefill
    split = perf.Split(writes.tensor_parallel, writes.pipeline_parallel, writes.expert_parallel, writes.data_parallel)
    state = perf.steady_state(llm, machine, split, 4096.0, 512.0, float(writes.batch))
    assert best.tpot_s == writes.step_s == pytest.approx(float(np.asarray(state.decode.time_s)), rel=1e-12)
    assert best.tpot_s < float(np.asarray(state.tpot_s)), "the prompts of others are out of the way"
    assert writes.queries_per_s == pytest.approx(writes.batch / (512.0 * best.tpot_s), rel=1e-9)
    split = perf.Split(reads.tensor_parallel, reads.pipeline_parallel, reads.expert_parallel, reads.data_parallel)
    passes = math.ceil(reads.batch / reads.data_parallel * 4096.0 / machine.engine.chunk_tokens)
    alone = perf.prefill(llm, machine, split, float(reads.batch), 4096.0 / passes, 4096.0 * (passes - 1) / passes / 2)
    assert reads.step_s == pytest.approx(passes * float(np.asarray(alone.time_s)), rel=1e-12)
    assert reads.queries_per_s == pytest.approx(reads.batch * reads.pipeline_parallel / reads.step_s, rel=1e-9)
    gather = reads.step_s / reads.pipeline_parallel * (reads.batch - 1) / reads.batch / 2
    assert best.ttft_s == pytest.approx(machine.engine.request_s + gather + reads.step_s + best.transfer_s, rel=1e-9)


def test_the_cache_crosses_the_links_once() -> None:
    llm, _, machine = known("llama-3.1-70b", "h100-sxm")
    one = perf.Split(*(np.array([float(k)]) for k in (2, 1, 1, 1)))
    size = float(np.asarray(kv_cache_bytes(llm, 4096.0, 1.0)))
    link = machine.efficiency.link
    near = disaggregate(llm, machine, machine, CHAT, UNLIMITED, on(one)).best
    assert near.transfer_s == pytest.approx(near.prefill.batch * size / 2 / (450e9 * link), rel=1e-9)
    lonely = replace(machine, scale_up_domain=2.0)
    far = disaggregate(llm, lonely, lonely, CHAT, UNLIMITED, on(one)).best
    assert far.transfer_s == pytest.approx(far.prefill.batch * size / 2 / (50e9 * link), rel=1e-9)
    endless = replace(lonely, scale_out_bandwidth=math.inf)
    none = disaggregate(llm, endless, endless, CHAT, UNLIMITED, on(one)).best
    assert none.transfer_s == 0.0
    assert none.ttft_s < far.ttft_s


def test_links_bound_the_rate() -> None:
    llm, _, machine = known("llama-3.1-70b", "h100-sxm")
    thin = replace(machine, scale_up_domain=2.0, scale_out_bandwidth=1e8)
    one = perf.Split(*(np.array([float(k)]) for k in (2, 1, 1, 1)))
    best = disaggregate(llm, thin, thin, CHAT, UNLIMITED, on(one)).best
    size = float(np.asarray(kv_cache_bytes(llm, 4096.0, 1.0)))
    assert best.prefill.queries_per_s == pytest.approx(2 * 1e8 * machine.efficiency.link / size, rel=1e-9)


def test_pools_may_have_chips_of_their_own() -> None:
    llm, _, h100 = known("llama-3.1-70b", "h100-sxm")
    h200 = known("llama-3.1-70b", "h200")[2]
    same = disaggregate(llm, h100, h100, CHAT, ServiceTerms(FP8, 0.03), SplitSearch(max_chips=64)).best
    mixed = disaggregate(llm, h100, h200, CHAT, ServiceTerms(FP8, 0.03), SplitSearch(max_chips=64)).best
    assert mixed.output_tokens_per_s_per_chip > same.output_tokens_per_s_per_chip


def test_a_front_falls_and_the_best_lies_near_it() -> None:
    found = two_pools()
    speed = [one.tpot_s for one in found.front]
    rates = [one.output_tokens_per_s_per_chip for one in found.front]
    assert speed == sorted(speed)
    assert rates == sorted(rates)
    most = max(rate for rate, tpot in zip(rates, speed, strict=True) if tpot <= 0.04)
    assert 0.99 * most <= found.best.output_tokens_per_s_per_chip <= most
    assert found.best.tpot_s <= 0.04
    assert all(one.ttft_s <= 3.0 for one in found.front)


def test_pools_that_meet_no_limit_say_what_comes_near() -> None:
    with pytest.raises(DoesNotFit, match=r"(?s)a token: .* s at best.*the closest: .* prefill "
                                          "instances"):
        two_pools(tpot=1e-4)
    llm, _, machine = known("llama-3.1-70b", "h100-sxm")
    with pytest.raises(DoesNotFit, match="no two instances on up to 1 chips"):
        disaggregate(
            llm, *[replace(machine, memory_bytes=1e12)] * 2, CHAT, UNLIMITED,
            SplitSearch(max_chips=1))


# ------------------------------------------------------------------------------------------ traffic

def test_a_prefix_cache_and_guesses_help_and_a_queue_delays() -> None:
    plain = served("llama-3.1-70b", "h100-sxm", batch=64, split=perf.Split(4))
    half = served("llama-3.1-70b", "h100-sxm", batch=64, split=perf.Split(4), traffic=Traffic(cached=0.5))
    assert half.output_tokens_per_s_per_chip > plain.output_tokens_per_s_per_chip
    assert half.ttft_s < plain.ttft_s
    guessed = served("llama-3.1-70b", "h100-sxm", batch=64, split=perf.Split(4), traffic=Traffic(drafts=3, accepted=2))
    assert guessed.tpot_s < plain.tpot_s
    waits = [
        served(
            "llama-3.1-70b", "h100-sxm", batch=64, split=perf.Split(4),
            traffic=Traffic(utilisation=load),
        )
        for load in (0.0, 0.3, 0.6, 0.9)
    ]
    assert [one.queue_s for one in waits] == sorted(one.queue_s for one in waits)
    assert waits[0].queue_s == 0.0
    for one in waits:
        assert one.ttft_s == pytest.approx(plain.ttft_s + one.queue_s)
        assert one.tpot_s == plain.tpot_s
    assert two_pools(traffic=Traffic(utilisation=0.8)).best.queue_s > 0.0


def test_waiting_is_exact_for_one_server() -> None:
    # Pollaczek and Khinchine: rho s / (2 (1 - rho))
    assert waiting(2.0, 1.0, np.array([0.0, 0.25, 0.8])) == pytest.approx([0.0, 2 * 0.25 / 1.5, 2 * 0.8 / 0.4])
    assert waiting(2.0, 1.0, 1.0) == math.inf
    assert waiting(2.0, 50.0, 0.5) < waiting(2.0, 5.0, 0.5) < waiting(2.0, 1.0, 0.5)
    # M/M/10 at 0.8 waits 0.2046 service times (Erlang C 0.4092); fixed times about half of it
    assert waiting(1.0, 10.0, 0.8) == pytest.approx(0.2046 / 2, rel=0.1)


def test_what_traffic_cannot_be_is_said_at_once() -> None:
    with pytest.raises(BadValue) as told:
        served("llama-3.1-70b", "h100-sxm", traffic=Traffic(cached=1.5, drafts=0, accepted=2.0, utilisation=1.0))
    assert [fault.place for fault in told.value.faults] == ["cached", "accepted", "utilisation"]


def test_unbeaten_points() -> None:
    tpot, rate = np.array([3.0, 1.0, 2.0, 2.0, 4.0]), np.array([5.0, 0.0, 3.0, 4.0, 5.0])
    assert unbeaten(tpot, rate) == [3, 0]


# ------------------------------------------------------------------------------------------ splits

def test_models_larger_than_a_domain_are_pipelined() -> None:
    best = served(
        "llama-3.1-405b", "h100-sxm", Request(1024.0, 512.0), formats=perf.Formats("bf16", "bf16"),
        tpot_limit_s=0.1, max_chips=16,
    )
    assert (best.tensor_parallel, best.pipeline_parallel) == (8, 2)


@pytest.mark.parametrize(("model", "chip", "most"), [
    ("deepseek-v3", "h100-sxm", 16), ("deepseek-v3", "gb200", 256), ("deepseek-v3", "mi300x", 256),
    ("llama-3.1-70b", "l40s", 64), ("kimi-k2", "h200", 256)])
def test_answers_are_quick(model: str, chip: str, most: int) -> None:
    known(model, chip)
    start = time.perf_counter()
    best = served(model, chip, tpot_limit_s=0.1, max_chips=most)
    assert time.perf_counter() - start < 1.0
    assert best.chips <= most
    assert best.free_bytes >= 0.0


def test_candidates_hold_a_request_and_divide_the_model() -> None:
    for model, chip in (("deepseek-v3", "h100-sxm"), ("llama-3.1-70b", "l40s"), ("qwen3-235b-a22b", "h200")):
        llm, _, machine = known(model, chip)
        tried = candidate_splits(llm, machine, 4608.0, 64)
        assert np.all(tried.chips <= 64)
        assert np.all(perf.room(llm, machine, tried, 4608.0) >= 1.0)
        rows = list(zip(tried.tensor, tried.pipeline, tried.expert, tried.data, strict=True))  # type: ignore[arg-type]
        assert len(set(rows)) == len(rows)
        for row in rows:
            check_split(llm, perf.Split(*row))


def test_cards_without_links_between_domains_stay_inside_one() -> None:
    llm, _, machine = known("llama-3.1-70b", "l40s")
    tried = candidate_splits(llm, replace(machine, scale_out_bandwidth=0.0), 4608.0, 64)
    assert np.all(tried.chips <= 8)
    assert np.all(np.asarray(tried.pipeline) == 1)
    slow = candidate_splits(llm, machine, 4608.0, 64)
    assert np.any(np.asarray(slow.pipeline) > 1), "the links of the domain are slower than those out of it"


def test_some_degrees_can_be_given() -> None:
    llm, _, machine = known("deepseek-v3", "h200")
    tried = fixed_splits(llm, machine, 4608.0, 64, {"data": 4})
    assert set(np.asarray(tried.data).tolist()) == {4.0}
    assert np.size(tried.data) > 1
    exact = fixed_splits(llm, machine, 4608.0, 64, {"tensor": 8, "pipeline": 5})
    assert set(np.asarray(exact.pipeline).tolist()) == {5.0}


@pytest.mark.parametrize(("split", "words"), [
    (perf.Split(3), "split.tensor.*take one of 1, 2, 4, 8, 16, 32, 64, 128"),
    (perf.Split(8, 62), "split.pipeline.*at most 61 layers"),
    (perf.Split(1, 1, 3, 8), "split.expert.*take one of 1, 2, 4, 8"),
    (perf.Split(0.5), "whole number"),
])
def test_a_split_that_does_not_divide_says_which_would(split: perf.Split, words: str) -> None:
    with pytest.raises(BadValue, match=f"(?s){words}"):
        served("deepseek-v3", "h200", split=split)


def test_a_batch_that_does_not_fit_says_what_would() -> None:
    with pytest.raises(DoesNotFit, match=r"(?s)holds 5000 of these requests in fp8, \d+ at most, on tensor 4.*chips in fp8"):
        served("llama-3.1-70b", "h100-sxm", split=perf.Split(4), batch=5000)


def test_limits_that_nothing_meets_say_which_binds() -> None:
    with pytest.raises(DoesNotFit, match=r"(?s)\(a token: .* s at best\).*the closest.*batch 1 on tensor"):
        served("llama-3.1-70b", "h100-sxm", tpot_limit_s=1e-4, ttft_limit_s=10.0)
    with pytest.raises(DoesNotFit, match=r"to the first token: .* s at best\)"):
        served("llama-3.1-70b", "h100-sxm", tpot_limit_s=1.0, ttft_limit_s=1e-3)


# ------------------------------------------------------------------------------------------ the
# command

ASKED = ("serve", "--model", "llama-3.1-70b", "--chip", "h100-sxm", "--input", "1024", "--output", "512")


class Told:
    """Runs the program and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str, columns: int = 120) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["fabless", *arguments])
        self.monkeypatch.setenv("COLUMNS", str(columns))
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *self.capsys.readouterr()


@pytest.fixture
def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Told:
    monkeypatch.chdir(tmp_path)
    return Told(capsys, monkeypatch)


@pytest.mark.parametrize("columns", [80, 120])
def test_one_screen(told: Told, columns: int) -> None:
    code, out, err = told(*ASKED, "--tpot", "30 ms", "--price", "2 USD/h", columns=columns)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= columns
    for words in (
        "Best: ", "tok/s/chip", "TTFT s", "prefill limit", "weights GB/chip", "J/output token",
        "USD/Mtok", "Throughput against speed", "TPOT = (end to end", "efficiencies of",
    ):
        assert words in " ".join(out.split()), words
    assert len(out.splitlines()) < 60


@pytest.mark.parametrize("mode", ["aggregated", "disaggregated", "both"])
def test_json_says_all(told: Told, mode: str) -> None:
    code, out, err = told(*ASKED, "--mode", mode, "--json", "--tpot", "30 ms", "--ttft", "1 s", "--load", "0.5")
    assert code == 0, err
    found = json.loads(out)
    assert (found["aggregated"] is None) == (mode == "disaggregated")
    assert (found["disaggregated"] is None) == (mode == "aggregated")
    for way in {"aggregated", "disaggregated"} & {mode, *(("aggregated", "disaggregated") if mode == "both" else ())}:
        assert found[way]["tpot_s"] <= 0.03
        assert found[way]["ttft_s"] <= 1.0
        assert found[way]["queue_s"] > 0.0
        assert len(found["front"][way]) > 3
        assert all(point["output_tokens_per_s_per_chip"] > 0 for point in found["front"][way])
        assert found["money"]["usd_per_million_output_tokens"][way] > 0


def test_a_split_is_kept(told: Told) -> None:
    code, out, err = told(*ASKED, "--mode", "aggregated", "--json", "--tensor", "4", "--pipeline", "2", "--batch", "32")
    assert code == 0, err
    found = json.loads(out)["aggregated"]
    assert [found[name] for name in ("tensor_parallel", "pipeline_parallel", "chips", "batch")] == [4, 2, 8, 32]


def test_a_picture_is_drawn(told: Told, tmp_path: Path) -> None:
    code, _, err = told(*ASKED, "--tpot", "30 ms", "--picture", "front.svg")
    assert code == 0, err
    svg = (tmp_path / "front.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg ")
    for words in ("aggregated", "disaggregated", "asked for", "llama-3.1-70b on h100-sxm"):
        assert words in svg


def test_files_of_the_users_own(told: Told, tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(LLAMA))
    (tmp_path / "mine.yaml").write_text(OWN_CHIP.replace("chips:\n  mine:\n", "    name: mine\n").replace("    ", ""))
    code, out, err = told("serve", "--model", "tiny.json", "--chip", "mine.yaml", "--input", "512", "--output", "64")
    assert code == 0, err
    assert "no cost: " in out


def test_formats_that_are_multiplied_in_others_are_said(told: Told) -> None:
    code, out, _ = told("serve", "--model", "llama-3.1-8b", "--chip", "a100-80gb", "--input", "512", "--output", "64")
    assert code == 0
    assert "has no fp8 units" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            (
                "--model", "lama-3.1-70b", "--chip", "h100-smx", "--precision", "fp9", "--engine",
                "vlm",
            ),
            ["4 errors", "did you mean h100-sxm", "unknown precision 'fp9'", "did you mean vllm"],
        ),
        (
            ("--input", "0", "--output", "-1"),
            ["2 errors", "--input: request.input_tokens: 0", "--output"],
        ),
        (
            ("--load", "1", "--cached-share", "2", "--accepted", "1"),
            ["3 errors", "--load", "--cached-share", "--accepted"],
        ),
        (
            ("--expert-precision", "x", "--kv-precision", "y"),
            ["--expert-precision", "--kv-precision", "2 errors"],
        ),
        (
            ("--mode", "all", "--picture", "x.png", "--chips", "0"),
            ["--mode", "--picture: x.png", "--chips", "3 errors"],
        ),
        (("--tensor", "3"), ["--tensor: 3", "take one of 1, 2, 4"]),
        (("--tensor", "0", "--batch", "0"), ["--tensor: 0", "--batch: 0"]),
        (("--expert", "2"), ["--expert: 2", "has no experts"]),
        (("--pipeline", "81"), ["--pipeline: 81", "at most 80 layers"]),
        (("--tpot", "0.1 ms"), ["a token: ", "at best", "the closest: "]),
        (("--batch", "1000000"), ["holds 1000000 of these requests", "at most"]),
        (("--tpot", "5", "--ttft", "0 s"), ["--tpot: '5'", "--ttft: '0 s'"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_faults_are_told_at_once(
    told: Told, tmp_path: Path, options: tuple[str, ...], words: list[str]
) -> None:
    given = dict(zip(ASKED[1::2], ASKED[2::2], strict=True)) | dict(zip(options[::2], options[1::2], strict=True))
    code, out, err = told("serve", *(text for pair in given.items() for text in pair))
    assert (code, out) == (2, "")
    for word in words:
        assert word in err, err
    assert list(tmp_path.iterdir()) == []


def test_bands_and_codes() -> None:
    assert perf.error_band(0.03, 0.15) == pytest.approx((0.0261, 0.0353), abs=1e-4)
    assert perf.error_band(1.0, 1.5)[1] == math.inf
    assert split_code(1, 1, 8, 8) == "EP8 DP8"


def test_a_chart_of_one_line() -> None:
    spec = front_chart("t", {"aggregated": [(10.0, 5.0), (20.0, 1.0)]}, {"aggregated": (10.0, 5.0)}, 0.0, 340)
    assert len(spec["layer"]) == 3  # type: ignore[arg-type]
