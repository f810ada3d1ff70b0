"""Counts of a transformer's work, against published parameter counts and closed forms."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabless import workload
from fabless.errors import BadValue, UnknownName
from fabless.records import LLM

# Shapes from the models' config.json on Hugging Face.
LLAMA2_7B = LLM(
    name="Llama 2 7B", layers=32, hidden=4096, heads=32, kv_heads=32, head_dim=128, ffn=11008,
    vocab=32000,
)
LLAMA31_70B = LLM(
    name="Llama 3.1 70B", layers=80, hidden=8192, heads=64, kv_heads=8, head_dim=128, ffn=28672,
    vocab=128256,
)
MIXTRAL = LLM(
    name="Mixtral 8x7B", layers=32, hidden=4096, heads=32, kv_heads=8, head_dim=128, ffn=14336,
    vocab=32000, experts=8, experts_per_token=2, expert_ffn=14336,
)
DEEPSEEK_V3 = LLM(
    name="DeepSeek-V3", layers=61, hidden=7168, heads=128, kv_heads=128, head_dim=128, ffn=18432,
    vocab=129280, experts=256, experts_per_token=8, expert_ffn=2048, shared_experts=1,
    shared_expert_ffn=2048, dense_layers=3, kv_lora_rank=512, q_lora_rank=1536, rope_head_dim=64,
    v_head_dim=128,
)
GPT3 = LLM(
    name="GPT-3 175B", layers=96, hidden=12288, heads=96, kv_heads=96, head_dim=128, ffn=49152,
    vocab=50257, gated_ffn=False, tied_embeddings=True,
)
GEMMA2_9B = LLM(
    name="Gemma 2 9B", layers=42, hidden=3584, heads=16, kv_heads=8, head_dim=256, ffn=14336,
    vocab=256000, tied_embeddings=True, sliding_window=4096, global_layer_share=0.5,
)


@pytest.mark.parametrize(("llm", "total", "tolerance"), [
    (LLAMA2_7B, 6_738_415_616, 0.0),  # num_parameters() of the checkpoint
    (LLAMA31_70B, 70_553_706_496, 0.0),  # num_parameters() of the checkpoint
    (MIXTRAL, 46_702_792_704, 0.0),  # num_parameters() of the checkpoint
    (DEEPSEEK_V3, 671e9, 0.001),  # arXiv 2412.19437
    (GPT3, 175e9, 0.004),  # arXiv 2005.14165, table 2.1
    (GEMMA2_9B, 9.24e9, 0.002),  # arXiv 2408.00118, table 2
])
def test_total_parameters_are_the_published_ones(llm: LLM, total: float, tolerance: float) -> None:
    assert workload.parameters(llm).total == pytest.approx(total, rel=tolerance, abs=0.0)


def test_active_parameters_of_mixtures() -> None:
    # Mixtral: 12.9 B (arXiv 2401.04088). DeepSeek-V3: 37 B in its paper, two digits, input
    # embedding left aside.
    assert workload.parameters(MIXTRAL).active == pytest.approx(12.9e9, rel=0.005)
    counts = workload.parameters(DEEPSEEK_V3)
    assert round((counts.active - counts.embedding / 2) / 1e9) == 37


def test_kv_cache_bytes_of_every_kind_of_attention() -> None:
    assert workload.kv_cache_bytes(LLAMA2_7B, 1.0, 2.0) == 2 * 32 * 32 * 128 * 2  # multi-head
    assert workload.kv_cache_bytes(LLAMA31_70B, 1.0, 2.0) == 2 * 80 * 8 * 128 * 2  # grouped
    one_head = dataclasses.replace(LLAMA31_70B, kv_heads=1)
    assert workload.kv_cache_bytes(one_head, 1.0, 2.0) == 2 * 80 * 128 * 2  # multi-query
    assert workload.kv_cache_bytes(DEEPSEEK_V3, 1.0, 2.0) == 61 * (512 + 64) * 2  # latent: 70 kB, arXiv 2412.19437
    # window: half of 42 layers keep 4,096 tokens, the other half all 8,000
    assert workload.kv_cache_bytes(GEMMA2_9B, 8000.0, 2.0) == 2 * 8 * 256 * 2 * 21 * (4096 + 8000)


def brute_force_pairs(new: int, past: int, window: int) -> int:
    return sum(min(position + 1, window) for position in range(past, past + new))


@given(new=st.integers(1, 60), past=st.integers(0, 60), window=st.integers(1, 50))
def test_causal_pairs_are_those_of_a_loop(new: int, past: int, window: int) -> None:
    llm = dataclasses.replace(LLAMA2_7B, sliding_window=window, global_layer_share=0.0)
    # 2 FLOP for each of d_qk + d_v multiplications of a pair
    expected = 32 * 32 * 2 * (128 + 128) * brute_force_pairs(new, past, window)
    assert workload.attention_flop(llm, new, past) == pytest.approx(expected, rel=1e-12)


@given(experts=st.integers(2, 12), data=st.data())
def test_distinct_experts_lie_between_one_token_and_all(experts: int, data: st.DataObject) -> None:
    used = data.draw(st.integers(1, experts))
    tokens = data.draw(st.integers(1, 500))
    touched = workload.distinct_experts(experts, used, tokens)
    assert used - 1e-9 <= touched <= min(experts, used * tokens) + 1e-9


def test_distinct_experts_equal_a_simulation() -> None:
    rng = np.random.default_rng(7)
    picks = np.array([len({e for _ in range(12) for e in rng.permutation(16)[:2]}) for _ in range(4000)])
    assert workload.distinct_experts(16, 2, 12) == pytest.approx(picks.mean(), abs=4 * picks.std() / np.sqrt(4000))


def test_latent_attention_decodes_on_the_latent_vector() -> None:
    # 128 heads, each 512 + 64 for scores and 512 for values, 61 layers, 1,001 keys
    assert workload.attention_flop(DEEPSEEK_V3, 1.0, 1000.0) == 2 * 128 * (2 * 512 + 64) * 61 * 1001
    # prefill on expanded heads: 128 + 64 for scores and 128 for values
    assert workload.attention_flop(DEEPSEEK_V3, 2.0, 0.0) == 2 * 128 * (128 + 64 + 128) * 61 * 3


def test_weights_keep_their_embeddings_in_sixteen_bits() -> None:
    counts = workload.parameters(LLAMA31_70B)
    assert workload.weight_bytes(LLAMA31_70B, 1.0) == counts.total + counts.embedding
    assert workload.weight_bytes(LLAMA31_70B, 2.0) == 2 * counts.total


def test_all_faults_of_a_shape_are_reported_at_once() -> None:
    broken = dataclasses.replace(MIXTRAL, layers=0, hidden=-1, experts_per_token=9, global_layer_share=2.0)
    with pytest.raises(BadValue) as caught:
        workload.check(broken)
    assert [fault.place.split(".")[-1] for fault in caught.value.faults] == [
        "layers", "hidden", "experts", "global_layer_share"]


def test_an_unknown_precision_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="bf16"):
        workload.element_bytes("bf61")
