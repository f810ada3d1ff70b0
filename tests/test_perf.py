"""The performance model: physical invariants, hand-made cases, and published measurements."""

from __future__ import annotations

import csv
import dataclasses
import math
import statistics
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fabless.perf.operators import all_reduce, join
from hypothesis import given, settings
from hypothesis import strategies as st

import fabless.data
from fabless import perf, units
from fabless.errors import BadValue, DoesNotFit
from fabless.perf.layout import candidate_splits, room, tensor_degrees
from fabless.perf.power import chip_power
from fabless.records import LLM, Chip, Request
from fabless.workload import parameters

DATA = Path(__file__).parent / "data"
FACTS = Path(next(iter(fabless.data.__path__))) / "facts" / "perf.csv"
T, G = 1e12, 1e9


@cache
def efficiency(entity: str = "perf-default") -> perf.Efficiency:
    """The shipped calibration, its latest rows."""
    values: dict[str, tuple[str, float]] = {}
    with FACTS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["entity"] == entity:
                latest = values.get(row["field"], ("", 0.0))
                values[row["field"]] = max(latest, (row["known"], units.to_si(float(row["value"]), row["unit"])))
    return perf.Efficiency.of({field: value for field, (_, value) in values.items()})


def chip(name: str, flops: dict[str, float], memory: float, bandwidth: float, link: float, domain: int, out: float,
         tdp: float) -> Chip:
    return Chip(name, "vendor", {key: value * T for key, value in flops.items()}, memory * G, bandwidth * G, link * G,
                domain, out * G, tdp)


# Vendors' data sheets: dense peaks, one-way bandwidths; Inferentia2 by its documentation (a ring of 12 chips).
CHIPS = {
    "A100-SXM": chip("A100", {"bf16": 312, "fp16": 312, "int8": 624, "fp32": 19.5}, 80, 2039, 300, 8, 25, 400),
    "H100-SXM": chip("H100", {"bf16": 989.4, "fp16": 989.4, "fp8": 1979, "int8": 1979}, 80, 3350, 450, 8, 50, 700),
    "H200-SXM": chip("H200", {"bf16": 989.4, "fp16": 989.4, "fp8": 1979, "int8": 1979}, 141, 4800, 450, 8, 50, 700),
    "L40S": chip("L40S", {"bf16": 362, "fp16": 362, "fp8": 733}, 48, 864, 0, 1, 25, 350),
    "MI300X": chip("MI300X", {"bf16": 1307.4, "fp16": 1307.4, "fp8": 2614.9}, 192, 5300, 448, 8, 50, 750),
    "Inferentia2": chip("Inferentia2", {"bf16": 190, "fp16": 190, "int8": 380}, 34.36, 880.5, 103, 12, 12.5, 175),
}

# Shapes from the models' config.json.
MODELS = {llm.name: llm for llm in (
    LLM("GPT-3", 96, 12288, 96, 96, 128, 49152, 50257, gated_ffn=False, tied_embeddings=True, max_context=2048),
    LLM("Llama-2-7B", 32, 4096, 32, 32, 128, 11008, 32000),
    LLM("Mistral-7B", 32, 4096, 32, 8, 128, 14336, 32000),
    LLM("Llama-2-70B", 80, 8192, 64, 8, 128, 28672, 32000),
    LLM("Falcon-180B", 80, 14848, 232, 8, 64, 59392, 65024, gated_ffn=False, tied_embeddings=True),
    LLM("GPT-J-6B", 28, 4096, 16, 16, 256, 16384, 50400, gated_ffn=False),
    LLM("Llama-3.1-405B", 126, 16384, 128, 8, 128, 53248, 128256),
    LLM("Llama-3.1-70B", 80, 8192, 64, 8, 128, 28672, 128256, max_context=131072),
    LLM("Llama-3.1-8B", 32, 4096, 32, 8, 128, 14336, 128256),
    LLM("Llama-3-8B", 32, 4096, 32, 8, 128, 14336, 128256),
    LLM("CodeLlama-13B", 40, 5120, 40, 40, 128, 13824, 32016),
    LLM("Qwen3-14B", 40, 5120, 40, 8, 128, 17408, 151936),
    LLM("Qwen3-32B", 64, 5120, 64, 8, 128, 25600, 151936),
    LLM("gpt-oss-120b", 36, 2880, 64, 8, 64, 2880, 201088, experts=128, experts_per_token=4, expert_ffn=2880,
        sliding_window=128, global_layer_share=0.5),
)}
MODELS["Llama-3.1-8B-Instruct"] = MODELS["Llama-3.1-8B"]
MODELS["Llama-3.1-70B-Instruct"] = MODELS["Llama-3.1-70B"]
LLAMA_70B = MODELS["Llama-3.1-70B"]
H100, A100 = CHIPS["H100-SXM"], CHIPS["A100-SXM"]
CHAT = Request(1024.0, 512.0)
FP8 = perf.Widths(1.0, 2.0, 1.0)


# ------------------------------------------------------------------------------------------ against measurements

# Weights of the row's format: bytes each, and the format that they are multiplied in. Block scales count for fp4.
FORMATS = {"fp16": (2.0, "fp16"), "bf16": (2.0, "bf16"), "fp8": (1.0, "fp8"), "int8": (1.0, "bf16"),
           "fp4": (0.53, "bf16")}


def predicted(row: dict[str, str], numbers: perf.Efficiency) -> float:
    """Seconds that the model gives for a measured row.

    static: whole time of a fixed batch over its output tokens, prefill included; decode: one step; ttft: one prefill;
    tpot: a token under continuous batching.
    """
    width, computed = FORMATS[row["precision"]]
    system = perf.system_of(CHIPS[row["chip"]], computed)
    llm, chips = MODELS[row["model"]], float(row["chips"])
    widths = perf.Widths(width, 2.0, float(row["kv_bytes"]))
    batch, entered, written = (float(row[name]) for name in ("batch", "input_tokens", "output_tokens"))
    if row["metric"] == "tpot":
        return float(perf.steady_state(llm, system, entered, written, batch, widths=widths, efficiency=numbers,
                                       tensor_parallel=chips).tpot_s)
    first = float(perf.prefill(llm, system, batch, entered, widths=widths, efficiency=numbers,
                               tensor_parallel=chips).time_s)
    if row["metric"] == "ttft":
        return first
    step = float(perf.decode_step(llm, system, batch, entered + written / 2, widths=widths, efficiency=numbers,
                                  tensor_parallel=chips).time_s)
    return step if row["metric"] == "decode" else step + first / written


def errors(entity: str, chips: set[str], ttft: bool) -> list[float]:
    """Relative errors of the prediction on the measured rows of some chips."""
    with (DATA / "perf_measured.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["chip"] in chips and (row["metric"] == "ttft") == ttft]
    return [predicted(row, efficiency(entity)) / float(row["value_s"]) - 1.0 for row in rows]


def median_error(values: list[float]) -> float:
    return statistics.median(abs(value) for value in values)


NVIDIA = {"A100-SXM", "H100-SXM", "H200-SXM", "L40S"}


@pytest.mark.parametrize(("entity", "chips", "ttft", "count", "limit"), [
    ("perf-default", NVIDIA, False, 80, 0.112),
    ("perf-default", {"A100-SXM"}, False, 16, 0.119),
    ("perf-default", {"H100-SXM"}, False, 28, 0.156),
    ("perf-default", NVIDIA, True, 26, 0.142),
    ("perf-young-software", {"MI300X"}, False, 16, 0.095),
])
def test_median_error_on_published_measurements(entity: str, chips: set[str], ttft: bool, count: int, limit: float
                                                ) -> None:
    """Limits are what was measured plus two points; the page on performance reports the same numbers."""
    found = errors(entity, chips, ttft)
    assert len(found) == count
    assert median_error(found) < limit


def test_no_measurement_beats_the_physical_floor() -> None:
    """Real machines prove the floor: a measured time below it would mean too many bytes or FLOP are counted."""
    with (DATA / "perf_measured.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(predicted(row, perf.Efficiency.ideal()) <= float(row["value_s"]) for row in rows)


def test_power_of_served_models() -> None:
    # prompts of chats are short against their answers; their mean length is not published: 300 tokens assumed
    found = []
    with (DATA / "perf_power.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            state = perf.steady_state(
                MODELS[row["model"]], perf.system_of(CHIPS[row["chip"]], "bf16"), 300.0, float(row["output_tokens"]),
                float(row["batch"]), widths=perf.Widths(2.0, 2.0, 2.0), efficiency=efficiency(),
                tensor_parallel=float(row["chips"]))
            found.append(float(state.power_w) / float(row["power_w"]) - 1.0)
    assert len(found) == 13
    assert median_error(found) < 0.067


# ------------------------------------------------------------------------------------------ anchors

def test_gpt3_on_eight_chips_costs_a_few_chip_seconds() -> None:
    served = perf.serve(MODELS["GPT-3"], A100, Request(1155.0, 211.0), precision="fp16", kv_precision="fp16",
                        efficiency=efficiency(), parallel=perf.Parallel(8), batch=32)
    assert 3.0 < served.chip_seconds_per_query < 8.0
    assert served.weights_bytes == pytest.approx(2 * 174.6e9 / 8, rel=0.002)  # arXiv 2005.14165


def test_llama_70b_at_high_batch_gives_thousands_of_tokens() -> None:
    served = perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency())
    # 1-4 thousand: vendors' and benchmark projects' throughput tables of 2024-2025
    assert 1000.0 < served.output_tokens_per_s_per_chip < 4000.0
    assert 2 <= served.tensor_parallel <= 8


# ------------------------------------------------------------------------------------------ by hand

def test_join_and_ideal_join() -> None:
    assert join(3.0, 4.0, 2.0) == pytest.approx(5.0)
    assert join(3.0, 4.0, math.inf) == 4.0
    assert join(0.0, 0.0, 3.0) == 0.0


def test_decode_at_batch_one_reads_every_weight_once() -> None:
    # two chips at the data sheet: 70.6 B weights less the input embedding, at one byte, the head at two
    counts = parameters(LLAMA_70B)
    head = counts.embedding / 2
    weights = counts.total - counts.embedding - (2 * 80 + 1) * 8192 + 2 * head
    step = perf.decode_step(LLAMA_70B, perf.system_of(H100, "fp8"), 1.0, 0.0, widths=perf.Widths(1.0, 0.0, 0.0),
                            efficiency=perf.Efficiency.ideal(), tensor_parallel=2.0)
    assert step.bandwidth_s == pytest.approx((weights + 128256 * 4) / 2 / 3350e9, rel=1e-12)
    # a cache of no bytes leaves the attention product to compute: 64 heads, one key, 128 + 128 products, 80 layers
    assert step.compute_s == pytest.approx(2 * 64 * 256 * 80 / 2 / 989.4e12)
    assert step.latency_s == 0.0


def test_all_reduce_on_one_and_two_levels() -> None:
    numbers = efficiency()
    system = perf.system_of(H100, "fp8")
    assert all_reduce(1e6, 1.0, system, numbers) == 0.0
    inside = numbers.scale_up_latency_s + 2 * 7 / 8 * 1e6 / (450e9 * numbers.link)
    assert all_reduce(1e6, 8.0, system, numbers) == pytest.approx(inside)
    across = numbers.scale_out_latency_s + 2 * 1 / 2 * (1e6 / 8) / (50e9 * numbers.link)
    assert all_reduce(1e6, 16.0, system, numbers) == pytest.approx(inside + across)
    alone = perf.system_of(dataclasses.replace(H100, scale_up_domain=1, scale_out_bandwidth=0.0), "fp8")
    assert all_reduce(1e6, 2.0, alone, numbers) == math.inf


def test_power_is_capped_at_the_design_power() -> None:
    numbers = efficiency()
    assert chip_power(700.0, 0.0, 0.0, numbers) == pytest.approx(700.0 * numbers.idle_power)
    assert chip_power(700.0, 1.0, 1.0, numbers) == 700.0
    assert chip_power(700.0, 0.1, 0.2, numbers) == pytest.approx(
        700.0 * (numbers.idle_power + 0.1 * numbers.compute_power + 0.2 * numbers.memory_power))


def test_memory_adds_up() -> None:
    served = perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency())
    parts = served.weights_bytes + served.kv_cache_bytes + served.overhead_bytes + served.free_bytes
    assert parts == pytest.approx(H100.memory_bytes, rel=1e-12)
    assert served.kv_cache_bytes == pytest.approx(served.batch * 1536 * 2 * 80 * 8 * 128 / served.tensor_parallel)
    assert served.bound == "capacity"
    one_more = served.free_bytes - served.kv_cache_bytes / served.batch
    assert one_more < 0.0 <= served.free_bytes


def test_steady_state_is_a_decode_step_and_its_share_of_prefill() -> None:
    system = perf.system_of(H100, "fp8")
    common = {"widths": FP8, "efficiency": efficiency(), "tensor_parallel": 4.0}
    step = perf.decode_step(LLAMA_70B, system, 50.0, 1000.0 + 100.0, **common).time_s
    # prompts are packed up to the scheduler's token budget, 4 of 1,000 tokens into 4,096
    reading = perf.prefill(LLAMA_70B, system, 4.0, 1000.0, **common).time_s
    state = perf.steady_state(LLAMA_70B, system, 1000.0, 200.0, 50.0, **common)
    whole = step + 50.0 / 200.0 * reading / 4.0
    assert state.tpot_s == pytest.approx(whole, rel=1e-12)
    assert state.ttft_s == pytest.approx(whole / 2 + reading + step, rel=1e-12)
    assert state.output_tokens_per_s_per_chip == pytest.approx(50.0 / whole / 4.0, rel=1e-12)


def test_pipelines_wait_for_their_longest_stage_and_their_links() -> None:
    system = perf.system_of(H100, "fp8")
    numbers = dataclasses.replace(efficiency(), step_s=0.0, sequence_s=0.0)
    head = perf.decode_step(dataclasses.replace(LLAMA_70B, layers=1), system, 8.0, 500.0, widths=FP8,
                            efficiency=numbers).time_s
    layer = (perf.decode_step(LLAMA_70B, system, 8.0, 500.0, widths=FP8, efficiency=numbers).time_s - head) / 79
    split = perf.decode_step(LLAMA_70B, system, 8.0, 500.0, widths=FP8, efficiency=numbers,
                             pipeline_parallel=3.0).time_s
    # 80 layers in 3 stages: the longest has 27, so a round costs 81; two hops of 8 hidden states of 16 bits
    hop = numbers.scale_out_latency_s + 8 * 8192 * 2 / (50e9 * numbers.link)
    assert split == pytest.approx(head + 80 * layer + 2 * hop, rel=1e-9)


def test_tensor_parallelism_sends_two_messages_a_layer() -> None:
    system = perf.system_of(H100, "fp8")
    step = perf.decode_step(LLAMA_70B, system, 8.0, 500.0, widths=FP8, efficiency=efficiency(), tensor_parallel=4.0)
    assert step.network_s == pytest.approx(160 * all_reduce(8 * 8192 * 2.0, 4.0, system, efficiency()), rel=1e-12)


def test_a_cache_beyond_its_heads_is_copied() -> None:
    system = perf.system_of(H100, "fp8")
    held = [perf.memory(LLAMA_70B, system, 1.0, 1000.0, widths=FP8, efficiency=efficiency(), tensor_parallel=n).kv_cache
            for n in (4.0, 8.0, 16.0)]
    assert held[0] == 2 * held[1]
    assert held[2] == held[1]


def test_training_rate() -> None:
    # GPT-3 took 3.14e23 FLOP for 300 B tokens (arXiv 2005.14165, table D.1)
    assert perf.training_flop_per_token(MODELS["GPT-3"]) * 300e9 == pytest.approx(3.14e23, rel=0.01)
    tokens = perf.train_throughput(MODELS["GPT-3"], A100, np.array([0.25, 0.5]))
    assert tokens[1] == 2 * tokens[0] == pytest.approx(0.5 * 312e12 / perf.training_flop_per_token(MODELS["GPT-3"]))
    with pytest.raises(BadValue, match="utilisation"):
        perf.training_flop_rate(A100, 1.2)


# ------------------------------------------------------------------------------------------ invariants

LOADS = st.tuples(st.sampled_from(sorted(MODELS)), st.sampled_from(sorted(CHIPS)),
                  st.sampled_from([1.0, 2.0, 4.0, 8.0]), st.integers(1, 600), st.integers(1, 8000),
                  st.integers(1, 4000))


def state_of(load: tuple[str, str, float, int, int, int], system: perf.System, numbers: perf.Efficiency) -> perf.Steady:
    model, _, degree, batch, entered, written = load
    return perf.steady_state(MODELS[model], system, float(entered), float(written), float(batch),
                             widths=perf.Widths(2.0, 2.0, 2.0), efficiency=numbers, tensor_parallel=degree)


def connected(name: str) -> perf.System:
    """A chip whose links exist, so that every degree has a finite time."""
    system = perf.system_of(CHIPS[name], "bf16")
    return dataclasses.replace(system, scale_up_domain=16.0, scale_up_bandwidth=1e11)


@given(load=LOADS)
def test_never_faster_than_the_physical_floor(load: tuple[str, str, float, int, int, int]) -> None:
    model, name, degree, batch, entered, written = load
    state = state_of(load, connected(name), efficiency())
    counts, made = parameters(MODELS[model]), CHIPS[name]
    used_flop = 2.0 * batch * (counts.active - counts.embedding) / degree
    assert state.decode.time_s >= used_flop / made.peak_flops["bf16"]
    one_token = 2.0 * (counts.active - counts.embedding) / degree
    assert state.decode.time_s >= one_token / made.memory_bandwidth
    assert state.prefill.time_s >= state.prefill.floor_s
    assert state.decode.time_s >= state.decode.floor_s
    assert written / state.output_tokens_per_s_per_chip >= state.floor_chip_s_per_query * (1.0 - 1e-12)
    assert state.prefill.time_s >= entered * one_token / made.peak_flops["bf16"]


@given(load=LOADS, factor=st.floats(1.0, 50.0))
def test_more_of_anything_is_never_slower(load: tuple[str, str, float, int, int, int], factor: float) -> None:
    system = connected(load[1])
    before = state_of(load, system, efficiency())
    for field in ("peak_flops", "attention_flops", "memory_bandwidth", "scale_up_bandwidth", "scale_out_bandwidth"):
        after = state_of(load, dataclasses.replace(system, **{field: getattr(system, field) * factor}), efficiency())
        assert after.tpot_s <= before.tpot_s * (1.0 + 1e-12)
        assert after.ttft_s <= before.ttft_s * (1.0 + 1e-12)
        assert after.output_tokens_per_s_per_chip >= before.output_tokens_per_s_per_chip * (1.0 - 1e-12)


@given(load=LOADS)
def test_twice_the_machine_halves_the_time_without_overheads(load: tuple[str, str, float, int, int, int]) -> None:
    numbers = efficiency().without_overheads()
    system = connected(load[1])
    rates = ("peak_flops", "attention_flops", "memory_bandwidth", "scale_up_bandwidth", "scale_out_bandwidth")
    doubled = dataclasses.replace(system, **{field: 2.0 * getattr(system, field) for field in rates})
    slow, fast = state_of(load, system, numbers), state_of(load, doubled, numbers)
    assert fast.tpot_s == pytest.approx(slow.tpot_s / 2.0, rel=1e-12)
    assert fast.ttft_s == pytest.approx(slow.ttft_s / 2.0, rel=1e-12)


def test_overheads_keep_twice_the_machine_from_halving_the_time() -> None:
    load = ("Llama-3.1-8B", "H100-SXM", 8.0, 1, 100, 100)
    system = connected("H100-SXM")
    doubled = dataclasses.replace(system, peak_flops=2 * system.peak_flops,
                                  memory_bandwidth=2 * system.memory_bandwidth)
    assert state_of(load, doubled, efficiency()).tpot_s > 0.6 * state_of(load, system, efficiency()).tpot_s


@settings(max_examples=25)
@given(data=st.data())
def test_broadcast_equals_scalar(data: st.DataObject) -> None:
    llm = MODELS[data.draw(st.sampled_from(["Llama-3.1-70B", "gpt-oss-120b"]))]
    batch = np.array(data.draw(st.lists(st.integers(1, 500), min_size=2, max_size=4)), dtype=float)
    degree = np.array([[1.0], [2.0], [8.0], [16.0]])
    bandwidth = np.array([1e12, 5e12])[:, None, None]
    system = dataclasses.replace(perf.system_of(H100, "fp8"), memory_bandwidth=bandwidth)
    grid = perf.steady_state(llm, system, 700.0, 300.0, batch, widths=FP8, efficiency=efficiency(),
                             tensor_parallel=degree)
    shape = (2, 4, batch.size)
    assert grid.tpot_s.shape == shape
    for i, j, k in np.ndindex(*shape):
        one = perf.steady_state(llm, dataclasses.replace(system, memory_bandwidth=float(bandwidth[i, 0, 0])), 700.0,
                                300.0, float(batch[k]), widths=FP8, efficiency=efficiency(),
                                tensor_parallel=float(degree[j, 0]))
        for name in ("tpot_s", "ttft_s", "output_tokens_per_s_per_chip", "floor_chip_s_per_query", "power_w"):
            whole = np.broadcast_to(getattr(grid, name), shape)[i, j, k]
            assert whole == pytest.approx(float(getattr(one, name)), rel=1e-13), name


@settings(max_examples=30)
@given(field=st.sampled_from(["memory_bandwidth", "memory_bytes", "scale_up_bandwidth", "peak_flops"]),
       factor=st.floats(1.0, 8.0), limit=st.floats(0.02, 0.5))
def test_a_better_chip_serves_at_least_as_much(field: str, factor: float, limit: float) -> None:
    old = getattr(H100, field)
    new = {key: value * factor for key, value in old.items()} if field == "peak_flops" else old * factor
    made = dataclasses.replace(H100, **{field: new})
    served = [perf.serve(LLAMA_70B, which, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                         tpot_limit_s=limit).output_tokens_per_s_per_chip for which in (H100, made)]
    assert served[1] >= served[0] * (1.0 - 1e-12)


# ------------------------------------------------------------------------------------------ serving

def test_the_chosen_point_is_the_best_of_all_tried_one_by_one() -> None:
    limits = {"tpot_limit_s": 0.03, "ttft_limit_s": 0.5}
    common = {"precision": "fp8", "kv_precision": "fp8", "efficiency": efficiency()}
    best = perf.serve(LLAMA_70B, H100, CHAT, max_batch=64, **common, **limits)
    rates = []
    for degree in (1, 2, 4, 8):
        for batch in range(1, 65):
            try:
                point = perf.serve(LLAMA_70B, H100, CHAT, parallel=perf.Parallel(degree), batch=batch, **common,
                                   **limits)
            except DoesNotFit:
                continue
            rates.append(point.output_tokens_per_s_per_chip)
    assert best.output_tokens_per_s_per_chip == pytest.approx(max(rates), rel=1e-13)
    assert best.tpot_s <= 0.03
    assert best.ttft_s <= 0.5


def test_a_tight_limit_costs_throughput_and_is_named() -> None:
    free, tight = (perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                              tpot_limit_s=limit) for limit in (math.inf, 0.025))
    assert tight.output_tokens_per_s_per_chip < free.output_tokens_per_s_per_chip
    assert tight.bound == "latency"


def test_phases_are_bound_by_what_the_textbook_says() -> None:
    served = perf.serve(LLAMA_70B, H100, CHAT, precision="bf16", kv_precision="bf16", efficiency=efficiency(),
                        parallel=perf.Parallel(4), batch=8)
    assert served.prefill_bound == "compute"
    assert served.decode_bound == "bandwidth"
    tiny = perf.serve(MODELS["Llama-3.1-8B"], H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                      parallel=perf.Parallel(8), batch=1)
    assert tiny.decode_bound == "latency"
    slow_links = dataclasses.replace(H100, scale_up_bandwidth=1e9)
    assert perf.serve(LLAMA_70B, slow_links, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                      parallel=perf.Parallel(8), batch=64).bound == "network"


def test_a_missing_precision_is_said_aloud() -> None:
    fallen = perf.serve(LLAMA_70B, A100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency())
    assert fallen.precision == "int8"
    assert fallen.notes == ("A100 has no fp8: int8 is used instead", "KV cache: A100 has no fp8: int8 is used instead")
    old = dataclasses.replace(A100, peak_flops={"fp16": 125e12, "fp32": 15e12})
    assert perf.usable_precision(old, "fp4") == ("fp16", "A100 has no fp4: fp16 is used instead")
    assert perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency()).notes == ()
    with pytest.raises(BadValue, match="none of fp8"):
        perf.usable_precision(dataclasses.replace(A100, peak_flops={}), "fp8")


def test_a_model_larger_than_a_domain_is_pipelined() -> None:
    served = perf.serve(MODELS["Llama-3.1-405B"], A100, CHAT, precision="bf16", kv_precision="bf16",
                        efficiency=efficiency())
    assert served.tensor_parallel == 8
    assert served.pipeline_parallel >= 2  # 812 GB of weights against 640 GB of a domain
    assert served.free_bytes >= 0.0
    assert served.chips == 8 * served.pipeline_parallel
    assert served.chip_seconds_per_query >= served.floor_chip_seconds_per_query


def test_a_model_that_fits_nowhere_says_what_would() -> None:
    with pytest.raises(DoesNotFit, match=r"8 chips in bf16|1\d chips in bf16|2\d chips in bf16") as caught:
        perf.serve(MODELS["Llama-3.1-405B"], CHIPS["L40S"], CHAT, precision="bf16", kv_precision="bf16",
                   efficiency=efficiency(), max_chips=8)
    offered = caught.value.faults[0].allowed
    chips = int(offered.split(" chips in bf16")[0])
    assert chips * 48e9 * (1 - efficiency().memory_overhead) > 2 * 405e9 > (chips - 3) * 48e9 * 0.9
    # and that number does hold it
    perf.serve(MODELS["Llama-3.1-405B"], CHIPS["L40S"], CHAT, precision="bf16", kv_precision="bf16",
               efficiency=efficiency(), max_chips=chips)


def test_limits_beyond_the_machine_say_what_it_can() -> None:
    with pytest.raises(DoesNotFit, match=r"no split gives 0\.0001 s a token") as caught:
        perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                   tpot_limit_s=1e-4)
    assert "s a token" in caught.value.faults[0].allowed


def test_load_factor_spreads_the_peak_over_the_day() -> None:
    whole, half = (perf.serve(LLAMA_70B, H100, CHAT, precision="fp8", kv_precision="fp8", efficiency=efficiency(),
                              load_factor=factor) for factor in (1.0, 0.5))
    assert half.chip_seconds_per_query == pytest.approx(2 * whole.chip_seconds_per_query)
    assert half.tpot_s == whole.tpot_s
    idle = efficiency().idle_power * H100.tdp_w
    assert half.power_w_per_chip == pytest.approx((whole.power_w_per_chip + idle) / 2)
    assert half.energy_j_per_query == pytest.approx(whole.energy_j_per_query + idle * whole.chip_seconds_per_query)


def test_every_bad_argument_is_reported_at_once() -> None:
    with pytest.raises(BadValue) as caught:
        perf.serve(LLAMA_70B, H100, Request(math.nan, 0.0), precision="fp8", kv_precision="fp8",
                   efficiency=efficiency(), load_factor=0.0, tpot_limit_s=-1.0, batch=0, parallel=perf.Parallel(3),
                   max_chips=0)
    assert [fault.place for fault in caught.value.faults] == [
        "max_chips", "request.input_tokens", "request.output_tokens", "load_factor", "tpot_limit_s", "batch",
        "parallel"]
    with pytest.raises(BadValue, match="at most 2048"):
        perf.serve(MODELS["GPT-3"], A100, Request(2000.0, 100.0), precision="fp16", kv_precision="fp16",
                   efficiency=efficiency())


def test_an_efficiency_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        dataclasses.replace(efficiency(), bandwidth=1.1, launch_s=-1.0, link=math.nan)
    assert {fault.place for fault in caught.value.faults} == {
        "efficiency.bandwidth", "efficiency.launch_s", "efficiency.link"}
    with pytest.raises(BadValue, match=r"efficiency\.sharpness: missing"):
        perf.Efficiency.of({"bandwidth": 0.8, "speed": 1.0})


def test_errors_by_chip_are_those_of_the_page() -> None:
    """The page on performance prints these medians; it is kept in step with the model here."""
    page = (Path(__file__).parent.parent / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")
    table: dict[tuple[str, str], str] = defaultdict(str)
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`perf-"):
            table[cells[0].strip("`"), f"{cells[1]} {cells[2]}"] = cells[4]
    for entity, chips, ttft in (
        ("perf-default", "A100-SXM", False), ("perf-default", "H100-SXM", False), ("perf-default", "H200-SXM", False),
        ("perf-default", "L40S", False), ("perf-default", "MI300X", False), ("perf-young-software", "MI300X", False),
        ("perf-default", "Inferentia2", False), ("perf-young-software", "Inferentia2", False),
        ("perf-default", "A100-SXM", True), ("perf-default", "H100-SXM", True), ("perf-default", "H200-SXM", True),
        ("perf-default", "L40S", True),
    ):
        found = median_error(errors(entity, {chips}, ttft))
        kind = "first token" if ttft else "output token"
        assert table[entity, f"{chips} {kind}"] == f"{100 * found:.0f} %", (entity, chips, kind)


# ------------------------------------------------------------------------------------------ splits

def test_tensor_degrees_divide_the_heads_and_stay_in_the_domain() -> None:
    assert tensor_degrees(MODELS["Falcon-180B"], 64.0) == [1, 2, 4, 8]  # 232 heads = 8 x 29
    assert tensor_degrees(MODELS["Falcon-180B"], 4.0) == [1, 2, 4]
    assert tensor_degrees(LLAMA_70B, 1.0) == [1]


def test_pipelines_are_tried_from_the_fewest_stages_to_four_times_as_many() -> None:
    widths = perf.Widths(2.0, 2.0, 2.0)
    tried = candidate_splits(MODELS["Llama-3.1-405B"], perf.system_of(A100, "bf16"), CHAT, widths, efficiency(), 256)
    # 812 GB over 8 chips with 72 GB each: two stages of 63 of 126 layers hold them
    assert tried.tolist() == [[8.0] * 7, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]


@pytest.mark.parametrize("requests", [1, 3, 7, 100, 999])
def test_a_load_that_just_fills_the_memory_fits(requests: int) -> None:
    system = perf.system_of(H100, "fp8")
    one = perf.memory(LLAMA_70B, system, 1.0, 1536.0, widths=FP8, efficiency=efficiency())
    needed = (one.weights + requests * one.kv_cache) / (1.0 - efficiency().memory_overhead)
    just, almost = (dataclasses.replace(system, memory_bytes=float(needed) * (1.0 + slack)) for slack in (1e-9, -1e-9))
    alone = np.array([[1.0], [1.0]])
    assert room(LLAMA_70B, just, CHAT, FP8, efficiency(), alone) == requests
    assert room(LLAMA_70B, almost, CHAT, FP8, efficiency(), alone) == requests - 1


def test_stages_of_a_full_pipeline_work_as_hard_as_one_chip() -> None:
    system = perf.system_of(A100, "bf16")
    widths = perf.Widths(2.0, 2.0, 2.0)
    powers = [perf.steady_state(MODELS["Llama-3.1-8B"], system, 500.0, 500.0, 16.0, widths=widths,
                                efficiency=dataclasses.replace(efficiency(), scale_out_latency_s=0.0),
                                pipeline_parallel=stages).power_w for stages in (1.0, 2.0, 4.0)]
    assert powers[0] < A100.tdp_w
    # hops cost a little time, so a little less power
    assert powers[0] * 0.98 < powers[2] <= powers[1] <= powers[0]


def test_training_leaves_the_looked_up_embedding_aside() -> None:
    # 6,738,415,616 parameters, of which 32,000 x 4,096 are the input embedding
    assert perf.training_flop_per_token(MODELS["Llama-2-7B"]) == 6 * (6_738_415_616 - 32_000 * 4_096)


def test_a_pipeline_needs_a_sequence_for_each_stage() -> None:
    common = {"precision": "bf16", "kv_precision": "bf16", "efficiency": efficiency(), "parallel": perf.Parallel(8, 4)}
    assert perf.serve(MODELS["Llama-3.1-405B"], A100, CHAT, batch=4, **common).batch == 4
    with pytest.raises(DoesNotFit, match="holds 3 of these requests"):
        perf.serve(MODELS["Llama-3.1-405B"], A100, CHAT, batch=3, **common)
