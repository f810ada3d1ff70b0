"""The serving model: by hand, against invariants, and against the physical floor of every measured
row."""

import dataclasses
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabless import perf
from fabless.catalogue import load
from fabless.errors import BadValue, DoesNotFit
from fabless.perf.kernels import all_gather, all_reduce, link_time, overlap, pace_by, ramp_up, scatter
from fabless.perf.power import chip_power
from fabless.perf.serving.layers import fullest, kernels
from fabless.perf.serving.split import cache_ways, memory
from fabless.perf.serving.steady import mean_context
from fabless.perf.serving.terms import EVERY_SPLIT
from fabless.quote import calibration_of
from fabless.records import LLM, Request
from fabless.workload import kv_cache_bytes, layers, parameters, state_flop

CATALOGUE = load()
CHAT = Request(1024.0, 512.0)
FP8 = perf.Formats("fp8", "fp8")
MODELS = (
    "llama-3.1-8b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3", "mixtral-8x7b", "gemma-3-27b",
    "qwen3.5-397b-a17b", "gpt-3-175b",
)
CHIPS = ("a100-80gb", "h100-sxm", "b200", "mi300x", "tpu-v5p", "trainium2", "l40s")


@cache
def llm(name: str) -> LLM:
    return CATALOGUE.model(name)


@cache
def machine(
    chip: str = "h100-sxm", formats: perf.Formats = FP8, engine: str = "engine-default"
) -> perf.Machine:
    made = CATALOGUE.chip(chip)
    found = calibration_of(CATALOGUE, made, engine)
    return perf.machine_of(made, formats, found)[0]


def serve(
    model: str = "llama-3.1-70b", chip: str = "h100-sxm", request: Request = CHAT,
    search: perf.SplitSearch = EVERY_SPLIT, formats: perf.Formats = FP8, **terms: float,
) -> perf.Serving:
    made = CATALOGUE.chip(chip)
    asked = perf.ServiceTerms(formats, **terms)  # type: ignore[arg-type]
    return perf.serve(llm(model), made, request, asked, calibration_of(CATALOGUE, made), search)


# ------------------------------------------------------------------------------------------ by hand

def test_times_that_overlap() -> None:
    assert overlap(3.0, 4.0) == 5.0
    assert overlap(3.0, 0.0, 0.0) == 3.0
    assert pace_by(1.0, 1.0) == pytest.approx(2**0.25)
    assert ramp_up(4.0, 9.0, 0.5) == 16.0


def test_decode_at_batch_one_reads_every_weight_once() -> None:
    # two chips at the data sheet: 70.6 B weights less input embedding and norms at one byte, the
    # head at two
    counts = parameters(llm("llama-3.1-70b"))
    head = float(counts.embedding) / 2
    weights = float(counts.total) - float(counts.embedding) - (2 * 80 + 1) * 8192 + 2 * head
    ideal = dataclasses.replace(machine().ideal(), activation_bytes=0.0, kv_bytes=0.0)
    step = perf.decode_step(llm("llama-3.1-70b"), ideal, perf.Split(2), 1.0, 0.0)
    moved = (weights + 128256 * 4) / 2
    assert step.moved_bytes == pytest.approx(moved, rel=1e-12)
    assert step.time_s >= moved / 3.35e12
    assert step.latency_s == pytest.approx(0.0, abs=1e-12)


def test_collectives_on_one_and_two_levels() -> None:
    made = machine()
    e = made.efficiency
    assert all_reduce(1e6, 1.0, made) == 0.0
    alpha = made.engine.launch_factor * (e.collective_s + 6 * e.collective_chip_s)
    inside = 2 * 7 / 8 * 1e6 / (450e9 * e.link)
    assert all_reduce(1e6, 8.0, made) == pytest.approx(alpha + inside + e.collective_ramp * math.sqrt(alpha * inside))
    bare = dataclasses.replace(made, efficiency=dataclasses.replace(
        e, collective_s=0.0, collective_chip_s=0.0, scale_out_latency_s=0.0))
    across = 2 * 1 / 2 * (1e6 / 8) / (50e9 * e.link)
    assert all_reduce(1e6, 16.0, bare) == pytest.approx(inside + across)
    # an all-gather and the reduce-scatter that undoes it move what an all-reduce moves
    assert 2 * all_gather(1e6, 16.0, bare) == pytest.approx(float(all_reduce(1e6, 16.0, bare)))
    alone = dataclasses.replace(made, scale_up_domain=1.0, scale_out_bandwidth=0.0)
    assert all_reduce(1e6, 2.0, alone) == math.inf
    assert link_time(0.0, 0.0, 1.0) == 0.0


def test_messages_to_experts_cross_once_to_each_domain() -> None:
    e = dataclasses.replace(machine().efficiency, collective_s=0.0, collective_chip_s=0.0, scale_out_latency_s=0.0)
    bare = dataclasses.replace(machine(), efficiency=e)
    # 8 copies over 8 chips of a domain: 8 (1 - (7/8)^8) of them hold any, one of eight is the
    # sender
    reached = 8 * (1 - (7 / 8) ** 8)
    assert scatter(1e6, 8.0, 8.0, bare) == pytest.approx(1e6 * reached * 7 / 8 / (450e9 * e.link))
    # over 16 domains a copy crosses to 16 (1 - (15/16)^8) of them, and the slow links pace
    domains = 16 * (1 - (15 / 16) ** 8)
    assert scatter(1e6, 8.0, 128.0, bare) == pytest.approx(1e6 * domains * 15 / 16 / (50e9 * e.link))


def test_chance_fills_one_group_more_than_the_mean() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(512, np.full(16, 1 / 16), size=4000).max(axis=1).mean()
    assert drawn <= fullest(32.0, np.inf, 16.0) <= 1.1 * drawn  # the law of large groups is a little high for sixteen
    assert fullest(32.0, np.inf, 1.0) == 32.0
    assert fullest(32.0, 32.0, 16.0) == 32.0


def test_power_is_capped_at_the_design_power() -> None:
    e = machine().efficiency
    assert chip_power(700.0, 0.0, 0.0, e) == pytest.approx(700.0 * e.idle_power)
    assert chip_power(700.0, 1.0, 1.0, e) == 700.0
    assert chip_power(700.0, 0.1, 0.2, e) == pytest.approx(
        700.0 * (e.idle_power + 0.1 * e.compute_power + 0.2 * e.memory_power))


def test_memory_adds_up_and_divides() -> None:
    served = serve()
    parts = served.weights_bytes + served.kv_cache_bytes + served.overhead_bytes + served.free_bytes
    assert parts == pytest.approx(80e9, rel=1e-3)
    assert served.kv_cache_bytes == pytest.approx(
        served.batch * 1536 * 2 * 80 * 8 * 128 / (served.tensor_parallel * served.data_parallel))
    deepseek = memory(llm("deepseek-v3"), machine("h200"), perf.Split(1, 1, 8, 8), 64.0, 1000.0)
    counts, count = parameters(llm("deepseek-v3")), layers(llm("deepseek-v3"))
    routed = float(count.mixed * 256 * counts.expert) / 8
    rest = float(counts.total - count.mixed * 256 * counts.expert - counts.embedding) + 2 * float(counts.embedding)
    assert deepseek.weights == pytest.approx(routed + rest)  # attention is copied by each group of one chip
    assert deepseek.kv_cache == pytest.approx(8 * float(kv_cache_bytes(llm("deepseek-v3"), 1000.0, 1.0)))


def test_a_cache_divides_over_at_most_its_heads() -> None:
    assert cache_ways(llm("llama-3.1-70b"), np.array([1.0, 8.0, 16.0])).tolist() == [1.0, 8.0, 8.0]
    assert cache_ways(llm("deepseek-v3"), 8.0) == 1.0


def test_steady_state_is_steps_that_write_and_steps_that_also_read() -> None:
    made, model, split = machine(), llm("llama-3.1-70b"), perf.Split(4)
    state = perf.steady_state(model, made, split, 1000.0, 200.0, 50.0)
    step = perf.decode_step(model, made, split, 50.0, mean_context(made, 1000.0, 200.0))
    mixed = perf.forward(model, made, split, perf.ForwardWork(sequences=50.0, context=1100.0, prompts=1.0, new=1000.0))
    assert state.tpot_s == pytest.approx(float(step.time_s + 49.0 / 200.0 * (mixed.time_s - step.time_s)), rel=1e-12)
    cycle = 200.0 * step.time_s + 50.0 * (mixed.time_s - step.time_s)
    assert state.output_tokens_per_s_per_chip == pytest.approx(float(50.0 * 200.0 / cycle / 4.0), rel=1e-12)
    alone = perf.prefill(model, made, split, 1.0, 1000.0)
    engine = made.engine
    assert state.ttft_s == pytest.approx(
        float(
            engine.request_s
            + 1000.0 * engine.input_token_s
            + engine.wait_steps * state.tpot_s
            + alone.time_s
        ),
        rel=1e-12,
    )


def test_one_request_alone_is_never_held_up() -> None:
    state = perf.steady_state(llm("llama-3.1-8b"), machine(), perf.Split(1), 4000.0, 100.0, 1.0)
    assert state.tpot_s == pytest.approx(float(state.decode.time_s))


def test_long_prompts_are_read_in_chunks() -> None:
    made = dataclasses.replace(machine(), engine=dataclasses.replace(machine().engine, chunk_tokens=2048.0))
    whole, parts = (
        perf.steady_state(llm("llama-3.1-70b"), which, perf.Split(8), 16384.0, 256.0, 16.0)
        for which in (machine(), made)
    )
    assert parts.mixed.time_s < whole.mixed.time_s  # a chunk holds the others up for less
    assert parts.mixed_steps == pytest.approx(8 * 15)


def test_graphs_guesses_and_a_prefix_cache() -> None:
    model, split = llm("llama-3.1-8b"), perf.Split(1)
    eager = dataclasses.replace(machine(), engine=dataclasses.replace(machine().engine, launch_factor=8.0))
    assert (
        perf.decode_step(model, eager, split, 1.0, 500.0).time_s
        > perf.decode_step(model, machine(), split, 1.0, 500.0).time_s
    )
    plain = perf.steady_state(model, machine(), split, 2000.0, 500.0, 8.0)
    cached = perf.steady_state(model, machine(), split, 2000.0, 500.0, 8.0, perf.Traffic(cached=0.75))
    assert cached.tpot_s < plain.tpot_s
    assert cached.ttft_s < plain.ttft_s
    guessed = perf.steady_state(model, machine(), split, 2000.0, 500.0, 8.0, perf.Traffic(drafts=3.0, accepted=2.0))
    assert plain.tpot_s / 3.0 < guessed.tpot_s < plain.tpot_s
    wrong = perf.steady_state(model, machine(), split, 2000.0, 500.0, 8.0, perf.Traffic(drafts=3.0, accepted=0.0))
    assert wrong.tpot_s >= plain.tpot_s


def test_sparse_and_windowed_attention_reads_less() -> None:
    dense = llm("glm-5") if llm("glm-5").index_topk == 0 else dataclasses.replace(llm("glm-5"), index_topk=0)
    sparse = dataclasses.replace(dense, index_topk=2048, index_heads=32, index_head_dim=128)
    split, made = perf.Split(8), machine("h200")
    long, short = 100_000.0, 1_000.0
    assert perf.decode_step(sparse, made, split, 8.0, long).time_s < perf.decode_step(dense, made, split, 8.0, long).time_s
    assert (
        perf.decode_step(sparse, made, split, 8.0, short).time_s
        > perf.decode_step(dense, made, split, 8.0, short).time_s
    )
    gemma = llm("gemma-3-27b")
    full = dataclasses.replace(gemma, sliding_window=0, global_layer_share=1.0)
    assert (
        perf.decode_step(gemma, made, perf.Split(1), 8.0, long).moved_bytes
        < 0.5 * perf.decode_step(full, made, perf.Split(1), 8.0, long).moved_bytes
    )


def test_flop_of_a_large_batch_are_two_for_each_active_parameter() -> None:
    # the input embedding is looked up, norms are not counted, and the padding of tiles is lost in
    # the crowd
    tokens = 1e6
    for name in ("llama-3.1-70b", "mixtral-8x7b", "deepseek-v3", "qwen3.5-397b-a17b"):
        counts, count = parameters(llm(name)), layers(llm(name))
        made = dataclasses.replace(machine().ideal(), peak_flops=1.0, expert_flops=1.0, attention_flops=1.0)
        spent = kernels(llm(name), made, perf.Split(1), perf.ForwardWork(sequences=tokens))
        flop = sum(float(kind.flop_at_peak_s) for kind in spent) / tokens - float(state_flop(llm(name)))
        lookup = 0.0 if llm(name).tied_embeddings else float(counts.embedding) / 2
        norms = float(count.blocks + 1) * llm(name).hidden
        assert flop == pytest.approx(2.0 * (float(counts.active) - lookup - norms), rel=0.01), name


def test_a_batch_reads_every_expert_that_any_token_touches() -> None:
    mixtral, made = llm("mixtral-8x7b"), machine().ideal()
    experts = float(parameters(mixtral).expert) * 32

    def moved(tokens: float) -> float:
        return float(kernels(mixtral, made, perf.Split(1), perf.ForwardWork(sequences=tokens, context=0.0))[2].moved_bytes)

    assert moved(1.0) == pytest.approx(2 * experts, rel=0.01)
    assert moved(64.0) == pytest.approx(8 * experts, rel=0.05)


def test_a_linear_mixer_does_not_care_how_long_the_context_is() -> None:
    hybrid = llm("qwen3.5-397b-a17b")
    linear = dataclasses.replace(hybrid, linear_layers=hybrid.layers, attention_layers=0)
    made = machine("h200")
    near, far = (perf.decode_step(linear, made, perf.Split(8), 8.0, context).time_s for context in (100.0, 100_000.0))
    assert near == pytest.approx(float(far))


# ------------------------------------------------------------------------------------------
# invariants

LOADS = st.tuples(
    st.sampled_from(MODELS), st.sampled_from(CHIPS), st.sampled_from([1, 2, 4, 8]), st.booleans(),
    st.integers(1, 600), st.integers(1, 20_000), st.integers(1, 4_000),
)
Load = tuple[str, str, int, bool, int, int, int]


def split_of(load: Load) -> perf.Split:
    _, _, degree, spread, *_ = load
    experts = int(llm(load[0]).experts)
    wide = degree if experts and experts % degree == 0 else 1
    return perf.Split(1, 1, wide, degree) if spread and experts else perf.Split(degree)


def state_of(load: Load, made: perf.Machine) -> perf.Steady:
    model, _, _, _, batch, entered, written = load
    return perf.steady_state(llm(model), made, split_of(load), float(entered), float(written), float(batch))


def linked(chip: str) -> perf.Machine:
    """A machine whose links exist, so that every degree has a finite time."""
    made = machine(chip, perf.Formats("bf16", "bf16"))
    return dataclasses.replace(made, scale_up_domain=16.0, scale_up_bandwidth=1e11)


@given(load=LOADS)
def test_never_faster_than_the_physical_floor(load: Load) -> None:
    state, made = state_of(load, linked(load[1])), linked(load[1])
    model, _, degree, _, batch, entered, written = load
    counts = parameters(llm(model))
    one_token = 2.0 * float(counts.active - counts.embedding) / degree
    assert state.decode.time_s >= state.decode.floor_s
    assert state.mixed.time_s >= state.mixed.floor_s
    assert state.decode.time_s >= batch * one_token / made.attention_flops * (1 - 1e-12)
    assert state.decode.time_s >= one_token / made.memory_bandwidth
    assert state.ttft_s >= entered * one_token / made.attention_flops
    whole = (entered + written) * one_token * degree / made.attention_flops
    assert written / state.output_tokens_per_s_per_chip >= whole * (1 - 1e-9)


@given(load=LOADS, factor=st.floats(1.0, 50.0))
def test_more_of_anything_is_never_slower(load: Load, factor: float) -> None:
    made = linked(load[1])
    before = state_of(load, made)
    for field in (
        "peak_flops", "expert_flops", "attention_flops", "memory_bandwidth", "scale_up_bandwidth",
        "scale_out_bandwidth",
    ):
        after = state_of(load, dataclasses.replace(made, **{field: getattr(made, field) * factor}))
        assert after.tpot_s <= before.tpot_s * (1 + 1e-12), field
        assert after.ttft_s <= before.ttft_s * (1 + 1e-12), field
        assert after.output_tokens_per_s_per_chip >= before.output_tokens_per_s_per_chip * (1 - 1e-12), field


@given(load=LOADS, more=st.integers(1, 500))
def test_more_work_is_never_faster(load: Load, more: int) -> None:
    made, split = linked(load[1]), split_of(load)
    model, _, _, _, batch, entered, _ = load
    before = perf.decode_step(llm(model), made, split, float(batch), float(entered)).time_s
    assert perf.decode_step(llm(model), made, split, float(batch + more), float(entered)).time_s >= before * (1 - 1e-12)
    assert perf.decode_step(llm(model), made, split, float(batch), float(entered + more)).time_s >= before * (1 - 1e-12)
    read = perf.prefill(llm(model), made, split, 1.0, float(entered)).time_s
    assert perf.prefill(llm(model), made, split, 1.0, float(entered + more)).time_s >= read * (1 - 1e-12)


@given(load=LOADS)
def test_twice_the_machine_halves_the_time_without_fixed_times(load: Load) -> None:
    made = linked(load[1])
    e = made.efficiency
    free = dataclasses.replace(made, engine=perf.Engine.ideal(), efficiency=dataclasses.replace(
        e, **{field.name: 0.0 for field in dataclasses.fields(e) if field.name.endswith("_s")}))
    rates = (
        "peak_flops", "expert_flops", "attention_flops", "memory_bandwidth", "scale_up_bandwidth",
        "scale_out_bandwidth",
    )
    doubled = dataclasses.replace(free, **{field: 2.0 * getattr(free, field) for field in rates})
    slow, fast = state_of(load, free), state_of(load, doubled)
    assert fast.tpot_s == pytest.approx(float(slow.tpot_s) / 2.0, rel=1e-12)
    assert fast.ttft_s == pytest.approx(float(slow.ttft_s) / 2.0, rel=1e-12)


@given(model=st.sampled_from(MODELS), chip=st.sampled_from(CHIPS), context=st.integers(1, 100_000))
def test_more_chips_never_hold_less(model: str, chip: str, context: int) -> None:
    degrees = np.array([1.0, 2.0, 4.0, 8.0])
    held = memory(llm(model), machine(chip), perf.Split(degrees), 8.0, float(context))
    assert np.all(np.diff(held.free) >= -1e-3)
    piped = memory(llm(model), machine(chip), perf.Split(8.0, degrees), 8.0, float(context))
    assert np.all(np.diff(piped.free) >= -1e-3)


@settings(max_examples=30)
@given(
    field=st.sampled_from(["memory_bandwidth", "memory_bytes", "scale_up_bandwidth", "peak_flops"]),
    factor=st.floats(1.0, 8.0), limit=st.floats(0.03, 0.5),
)
def test_a_better_chip_serves_at_least_as_much(field: str, factor: float, limit: float) -> None:
    made = CATALOGUE.chip("h100-sxm")
    old = getattr(made, field)
    better = dataclasses.replace(
        made,
        **{
            field: {key: value * factor for key, value in old.items()}
            if field == "peak_flops"
            else old * factor
        },
    )
    found = calibration_of(CATALOGUE, made)
    served = [
        perf.serve(
            llm("llama-3.1-70b"), which, CHAT, perf.ServiceTerms(FP8, tpot_limit_s=limit), found,
        ).output_tokens_per_s_per_chip
        for which in (made, better)
    ]
    assert served[1] >= served[0] * 0.999  # the batch is refined on a grid


# ------------------------------------------------------------------------------------------ serving

def test_gpt3_on_eight_chips_costs_a_few_chip_seconds() -> None:
    served = serve(
        "gpt-3-175b", "a100-80gb", Request(1155.0, 211.0), formats=perf.Formats("fp16", "fp16"),
        search=perf.SplitSearch(split=perf.Split(8), batch=32),
    )
    assert 2.5 < served.chip_seconds_per_query < 8.0
    assert served.weights_bytes == pytest.approx(2 * 174.6e9 / 8, rel=0.005)  # arXiv 2005.14165


def test_llama_70b_at_high_batch_gives_thousands_of_tokens() -> None:
    # 1-4 thousand: vendors' and benchmark projects' throughput tables of 2024-2025
    assert 1000.0 < serve().output_tokens_per_s_per_chip < 4000.0


def test_a_tight_limit_costs_throughput_and_is_named() -> None:
    free, tight = (serve(tpot_limit_s=limit) for limit in (math.inf, 0.02))
    assert tight.output_tokens_per_s_per_chip < free.output_tokens_per_s_per_chip
    assert tight.tpot_s <= 0.02
    assert tight.bound == "latency"


def test_phases_are_bound_by_what_the_textbook_says() -> None:
    wide = perf.Formats("bf16", "bf16")
    served = serve(
        formats=wide, search=perf.SplitSearch(split=perf.Split(4), batch=8),
        request=Request(4096.0, 512.0))
    assert served.prefill_bound == "compute"
    assert served.decode_bound == "bandwidth"
    assert serve(
        "llama-3.1-8b", search=perf.SplitSearch(split=perf.Split(8), batch=1)).decode_bound == "latency"


def test_a_format_without_units_is_said_aloud() -> None:
    fallen = serve(chip="a100-80gb")
    assert fallen.precision == "fp8"  # weights stay narrow in memory
    assert fallen.notes == ("a100-80gb has no fp8 units: fp8 is multiplied in int8",)
    old = dataclasses.replace(CATALOGUE.chip("a100-80gb"), peak_flops={"fp16": 125e12, "fp32": 15e12})
    assert perf.usable_precision(old, "mxfp4") == ("fp16", "a100-80gb has no fp4 units: mxfp4 is multiplied in fp16")
    assert serve().notes == ()
    with pytest.raises(BadValue, match="none of fp8"):
        perf.usable_precision(dataclasses.replace(old, peak_flops={}), "fp8")


def test_a_hypothetical_chip_with_a_donors_numbers_is_the_donor() -> None:
    donor = CATALOGUE.chip("h200")
    renamed = dataclasses.replace(donor, name="dream", vendor="nobody", efficiency="h200")
    found = calibration_of(CATALOGUE, renamed)
    assert found.said == "inherits nvidia-hopper from h200"
    made, _ = perf.machine_of(renamed, FP8, found)
    assert made == machine("h200")
    stranger = calibration_of(CATALOGUE, dataclasses.replace(renamed, efficiency=None))
    assert stranger.name == "default"
    assert "dream" in stranger.said


def test_a_model_that_fits_nowhere_says_what_would() -> None:
    with pytest.raises(DoesNotFit, match=r"\d+ chips in bf16") as caught:
        serve("llama-3.1-405b", "l40s", formats=perf.Formats("bf16", "bf16"),
              search=perf.SplitSearch(max_chips=8))
    chips = int(caught.value.faults[0].allowed.split(" chips in bf16")[0].split()[-1])
    assert chips * 48e9 > 2 * 405e9
    serve("llama-3.1-405b", "l40s", formats=perf.Formats("bf16", "bf16"),
          search=perf.SplitSearch(max_chips=chips))  # and that holds it


def test_load_factor_spreads_the_peak_over_the_day() -> None:
    whole, half = (serve(load_factor=factor) for factor in (1.0, 0.5))
    assert half.chip_seconds_per_query == pytest.approx(2 * whole.chip_seconds_per_query)
    assert half.tpot_s == whole.tpot_s
    idle = float(machine().efficiency.idle_power) * 700.0
    assert half.power_w_per_chip == pytest.approx((whole.power_w_per_chip + idle) / 2)


def test_every_bad_argument_is_reported_at_once() -> None:
    with pytest.raises(BadValue) as caught:
        serve(request=Request(math.nan, 0.0), load_factor=0.0, tpot_limit_s=-1.0,
              search=perf.SplitSearch(batch=0, max_chips=0))
    assert [fault.place for fault in caught.value.faults] == [
        "max_chips", "request.input_tokens", "request.output_tokens", "load_factor", "tpot_limit_s",
        "batch",
    ]
    with pytest.raises(BadValue, match="at most 2048"):
        serve("gpt-3-175b", "a100-80gb", Request(2000.0, 100.0))


def test_an_efficiency_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        dataclasses.replace(machine().efficiency, bandwidth=1.1, launch_s=-1.0, link=math.nan)
    assert {fault.place for fault in caught.value.faults} == {
        "efficiency.bandwidth", "efficiency.launch_s", "efficiency.link"}
    with pytest.raises(BadValue, match=r"efficiency\.launch_s: missing"):
        perf.Efficiency.of({"bandwidth": 0.8, "speed": 1.0})
    with pytest.raises(BadValue, match=r"engine\.padding"):
        dataclasses.replace(machine().engine, padding=2.0)
