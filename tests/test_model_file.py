"""Configurations of language models: every family by a maker's own, its fields exactly and its
parameters as published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabless.catalogue import Catalogue, load, read_model
from fabless.catalogue.model_file import FAMILIES
from fabless.errors import BadValue, UnknownName
from fabless.records import LLM
from fabless.workload import parameters


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def read(tmp_path: Path, fields: dict[str, object]) -> LLM:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(fields))
    return read_model(path)


def shape(
    kind: str, layers: int, hidden: int, heads: int, kv_heads: int, ffn: int | None, vocab: int,
    **more: object,
) -> dict[str, object]:
    """The fields that most configurations name alike; None leaves one out."""
    given = {
        "model_type": kind, "num_hidden_layers": layers, "hidden_size": hidden,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "intermediate_size": ffn,
        "vocab_size": vocab,
    } | more
    return {name: value for name, value in given.items() if value is not None}


MLA = {"kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}
DELTA = {"linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_key_head_dim": 128,
         "linear_value_head_dim": 128, "attn_output_gate": True, "head_dim": 256}
MAMBA = {"mamba_num_heads": 128, "mamba_head_dim": 80, "ssm_state_size": 128, "n_groups": 8}
NANO_9B = "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"
NANO_12B = "M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M-"
NANO_30B = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
SUPER = "MEMEMEM*EMEMEMEM*EMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEM*EMEMEMEME"

# Makers' config.json on huggingface.co, the fields that count; published parameters [B] from the
# model cards.
CONFIGURATIONS: dict[str, tuple[dict[str, object], dict[str, object], float]] = {
    "llama 4 maverick": (
        {
            "model_type": "llama4",
            "text_config": shape(
                "llama4_text", 48, 5120, 40, 8, 8192, 202048, head_dim=128,
                intermediate_size_mlp=16384, interleave_moe_layer_step=2, attention_chunk_size=8192,
                no_rope_layers=[1, 1, 1, 0] * 12, num_local_experts=128, num_experts_per_tok=1,
            ),
        },
        {
            "ffn": 16384, "expert_ffn": 8192, "experts": 128, "experts_per_token": 1,
            "shared_experts": 1, "shared_expert_ffn": 8192, "dense_layers": 24,
            "sliding_window": 8192, "global_layer_share": 0.25,
        },
        400,
    ),
    "llama 4 scout": (
        shape(
            "llama4_text", 48, 5120, 40, 8, 8192, 202048, head_dim=128, intermediate_size_mlp=16384,
            interleave_moe_layer_step=1, attention_chunk_size=8192, num_local_experts=16,
            num_experts_per_tok=1,
        ),
        {"dense_layers": 0, "experts": 16, "sliding_window": 8192, "global_layer_share": 0.25},
        108,
    ),
    "llama 3.2 vision": (
        {
            "model_type": "mllama",
            "text_config": shape(
                "mllama_text_model", 40, 4096, 32, 8, 14336, 128256,
                cross_attention_layers=[3, 8, 13, 18, 23, 28, 33, 38],
            ),
        },
        {"layers": 32, "kv_heads": 8},
        8.03,
    ),
    "qwen3-next": (
        shape(
            "qwen3_next", 48, 2048, 16, 2, 5120, 151936, num_experts=512, num_experts_per_tok=10,
            mlp_only_layers=[], moe_intermediate_size=512, shared_expert_intermediate_size=512,
            full_attention_interval=4, **DELTA,
        ),
        {
            "linear_layers": 36, "linear_key_heads": 16, "linear_value_heads": 32,
            "linear_key_dim": 128, "linear_value_dim": 128, "attention_gate": True, "experts": 512,
            "shared_experts": 1, "dense_layers": 0,
        },
        79.7,
    ),
    "qwen3.5 27b": (
        {
            "model_type": "qwen3_5",
            "text_config": shape(
                "qwen3_5_text", 64, 5120, 24, 4, 17408, 248320,
                layer_types=["linear_attention"] * 48 + ["full_attention"] * 16,
                **(DELTA | {"linear_num_value_heads": 48}),
            ),
        },
        {
            "linear_layers": 48, "linear_value_heads": 48, "head_dim": 256, "ffn": 17408,
            "experts": 0,
        },
        27,
    ),
    "qwen3.5 397b": (
        {
            "model_type": "qwen3_5_moe",
            "text_config": shape(
                "qwen3_5_moe_text", 60, 4096, 32, 2, None, 248320, num_experts=512,
                num_experts_per_tok=10, moe_intermediate_size=1024,
                shared_expert_intermediate_size=1024,
                layer_types=(["linear_attention"] * 3 + ["full_attention"]) * 15,
                **(DELTA | {"linear_num_value_heads": 64}),
            ),
        },
        {
            "linear_layers": 45, "linear_value_heads": 64, "expert_ffn": 1024,
            "shared_expert_ffn": 1024,
        },
        397,
    ),
    "qwen2-vl, flat": (
        shape(
            "qwen2_vl", 80, 8192, 64, 8, 29568, 152064, use_sliding_window=False,
            sliding_window=32768, max_window_layers=80, vision_config={"depth": 32},
        ),
        {"kv_heads": 8, "ffn": 29568, "sliding_window": 0},
        72.7,
    ),
    "qwen3-vl moe": (
        {
            "model_type": "qwen3_vl_moe",
            "text_config": shape(
                "qwen3_vl_moe_text", 94, 4096, 64, 4, 12288, 151936, head_dim=128, num_experts=128,
                num_experts_per_tok=8, moe_intermediate_size=1536, decoder_sparse_step=1,
                mlp_only_layers=[],
            ),
        },
        {"experts": 128, "head_dim": 128, "dense_layers": 0},
        235,
    ),
    "qwen1.5 moe": (
        shape(
            "qwen2_moe", 24, 2048, 16, 16, 5632, 151936, num_experts=60, num_experts_per_tok=4,
            moe_intermediate_size=1408, shared_expert_intermediate_size=5632, decoder_sparse_step=1,
        ),
        {"dense_layers": 0, "shared_experts": 1, "shared_expert_ffn": 5632},
        14.3,
    ),
    "minimax-text-01": (
        shape(
            "minimax_text_01", 80, 6144, 64, 8, 9216, 200064, head_dim=128, num_local_experts=32,
            num_experts_per_tok=2, attn_type_list=[0, 0, 0, 0, 0, 0, 0, 1] * 10,
            shared_intermediate_size=0,
        ),
        {
            "linear_layers": 70, "linear_key_heads": 64, "linear_value_heads": 64,
            "linear_value_dim": 128, "expert_ffn": 9216, "shared_experts": 0,
        },
        456,
    ),
    "minimax-m2": (
        shape(
            "minimax_m2", 62, 3072, 48, 8, 1536, 200064, head_dim=128, num_local_experts=256,
            num_experts_per_tok=8,
        ),
        {"experts": 256, "expert_ffn": 1536, "linear_layers": 0},
        230,
    ),
    "glm-4": (
        shape("glm4", 61, 6144, 48, 2, 23040, 151552, head_dim=128),
        {"kv_heads": 2, "head_dim": 128}, 32.6,
    ),
    "glm-4.5 air": (
        shape(
            "glm4_moe", 46, 4096, 96, 8, 10944, 151552, head_dim=128, n_routed_experts=128,
            num_experts_per_tok=8, n_shared_experts=1, moe_intermediate_size=1408,
            first_k_dense_replace=1,
        ),
        {"experts": 128, "shared_experts": 1, "shared_expert_ffn": 1408, "dense_layers": 1},
        106.9,
    ),
    "glm-5": (
        shape(
            "glm_moe_dsa", 78, 6144, 64, 64, 12288, 154880, n_routed_experts=256,
            num_experts_per_tok=8, n_shared_experts=1, moe_intermediate_size=2048,
            first_k_dense_replace=3, index_topk=2048, index_n_heads=32, index_head_dim=128,
            **(MLA | {"q_lora_rank": 2048, "qk_nope_head_dim": 192, "v_head_dim": 256}),
        ),
        {
            "head_dim": 192, "v_head_dim": 256, "index_topk": 2048, "index_heads": 32,
            "index_head_dim": 128, "dense_layers": 3,
        },
        744,
    ),
    "deepseek-v3.2": (
        shape(
            "deepseek_v32", 61, 7168, 128, 128, 18432, 129280, n_routed_experts=256,
            num_experts_per_tok=8, n_shared_experts=1, moe_intermediate_size=2048,
            first_k_dense_replace=3, moe_layer_freq=1, index_topk=2048, index_n_heads=64,
            index_head_dim=128, **MLA,
        ),
        {"kv_lora_rank": 512, "index_topk": 2048, "index_heads": 64, "experts": 256},
        671,
    ),
    "kimi k2.5": (
        {
            "model_type": "kimi_k25",
            "text_config": shape(
                "kimi_k2", 61, 7168, 64, 64, 18432, 163840, n_routed_experts=384,
                num_experts_per_tok=8, n_shared_experts=1, moe_intermediate_size=2048,
                first_k_dense_replace=1, moe_layer_freq=1, **MLA,
            ),
        },
        {"experts": 384, "dense_layers": 1},
        1026,
    ),
    "kimi linear": (
        shape(
            "kimi_linear", 27, 2304, 32, 32, 9216, 163840, num_experts=256, num_experts_per_token=8,
            num_shared_experts=1, moe_intermediate_size=1024, first_k_dense_replace=1,
            moe_layer_freq=1, head_dim=72,
            linear_attn_config={
                "kda_layers": [i for i in range(1, 28) if i % 4 and i != 27],
                "full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "num_heads": 32, "head_dim": 128,
            },
            **(MLA | {"q_lora_rank": None}),
        ),
        {
            "linear_layers": 20, "linear_key_heads": 32, "linear_value_dim": 128, "head_dim": 128,
            "q_lora_rank": 0,
        },
        49,
    ),
    "nemotron nano 9b": (
        shape(
            "nemotron_h", 56, 4480, 40, 8, 15680, 131072, head_dim=128,
            hybrid_override_pattern=NANO_9B, **MAMBA,
        ),
        {
            "attention_layers": 4, "linear_layers": 27, "ffn_layers": 25, "gated_ffn": False,
            "linear_key_heads": 8, "linear_value_heads": 128, "linear_key_dim": 128,
            "linear_value_dim": 80,
        },
        8.888,
    ),
    "nemotron nano 12b, names of 2025": (
        shape(
            "nemotron_h", 62, 5120, 40, 8, 20480, 131072, head_dim=128,
            hybrid_override_pattern=NANO_12B, mamba_num_heads=128, mamba_head_dim=80,
            mamba_state_dim=128, mamba_num_groups=8,
        ),
        {"attention_layers": 6, "linear_layers": 28, "ffn_layers": 28},
        12.3,
    ),
    "nemotron 3 nano": (
        shape(
            "nemotron_h", 52, 2688, 32, 2, 1856, 131072, head_dim=128,
            hybrid_override_pattern=NANO_30B, n_routed_experts=128, num_experts_per_tok=6,
            n_shared_experts=1, moe_intermediate_size=1856,
            moe_shared_expert_intermediate_size=3712,
            **(MAMBA | {"mamba_num_heads": 64, "mamba_head_dim": 64}),
        ),
        {
            "attention_layers": 6, "linear_layers": 23, "ffn_layers": 23, "dense_layers": 0,
            "experts": 128, "shared_expert_ffn": 3712,
        },
        31.6,
    ),
    "nemotron 3 super": (
        shape(
            "nemotron_h", 88, 4096, 32, 2, 2688, 131072, head_dim=128,
            hybrid_override_pattern=SUPER, n_routed_experts=512, num_experts_per_tok=22,
            n_shared_experts=1, moe_intermediate_size=2688,
            moe_shared_expert_intermediate_size=5376, moe_latent_size=1024,
            **(MAMBA | {"mamba_head_dim": 64}),
        ),
        {"attention_layers": 8, "linear_layers": 40, "expert_ffn": 672, "shared_expert_ffn": 6400},
        120.6,
    ),
    "nemotron 3 ultra, layers by name": (
        {
            "model_type": "nemotron_h", "num_hidden_layers": None, "hidden_size": 8192,
            "num_attention_heads": 64, "num_key_value_heads": 2, "head_dim": 128,
            "intermediate_size": 5120, "vocab_size": 131072,
            "layers_block_type": ["mamba", "moe"] * 48 + ["attention"] * 12,
            "n_routed_experts": 512, "num_experts_per_tok": 22, "n_shared_experts": 1,
            "moe_intermediate_size": 5120, "moe_latent_size": 2048,
            "moe_shared_expert_intermediate_size": 10240, "mamba_num_heads": 256,
            "mamba_head_dim": 64, "ssm_state_size": 128, "n_groups": 8,
        },
        {"layers": 108, "attention_layers": 12, "expert_ffn": 1280},
        550,
    ),
    "nemotron-4": (
        shape("nemotron", 96, 18432, 96, 8, 73728, 256000), {"gated_ffn": False, "head_dim": 192},
        341,
    ),
    "mamba 2": (
        {
            "model_type": "mamba2", "num_hidden_layers": 64, "hidden_size": 2560, "num_heads": 80,
            "head_dim": 64, "state_size": 128, "n_groups": 1, "vocab_size": 50288,
            "tie_word_embeddings": True,
        },
        {"attention_layers": 0, "ffn_layers": 0, "linear_layers": 64, "linear_value_heads": 80},
        2.7,
    ),
    "bamba": (
        shape(
            "bamba", 32, 4096, 32, 8, 14336, 128256, attn_layer_indices=[9, 18, 27],
            mamba_n_heads=128, mamba_d_head=64, mamba_d_state=128, mamba_n_groups=1,
        ),
        {"linear_layers": 29, "linear_key_dim": 128},
        9.78,
    ),
    "granite 4 small": (
        shape(
            "granitemoehybrid", 40, 4096, 32, 8, 768, 100352, num_local_experts=72,
            num_experts_per_tok=10, shared_intermediate_size=1536,
            layer_types=(["mamba"] * 9 + ["attention"]) * 4, mamba_n_heads=128, mamba_d_head=64,
            mamba_d_state=128, mamba_n_groups=1, tie_word_embeddings=True,
        ),
        {"linear_layers": 36, "experts": 72, "shared_expert_ffn": 1536},
        32.2,
    ),
    "jamba 1.5 large": (
        shape(
            "jamba", 72, 8192, 64, 8, 24576, 65536, num_experts=16, num_experts_per_tok=2,
            attn_layer_period=8, attn_layer_offset=4, expert_layer_period=2, expert_layer_offset=1,
            mamba_expand=2, mamba_d_state=16,
        ),
        {"linear_layers": 63, "dense_layers": 36, "linear_value_heads": 256, "linear_key_dim": 16},
        398,
    ),
    "gpt-j": (
        {
            "model_type": "gptj", "n_embd": 4096, "n_layer": 28, "n_head": 16, "n_inner": None,
            "vocab_size": 50400, "n_positions": 2048, "tie_word_embeddings": False,
        },
        {"head_dim": 256, "ffn": 16384, "gated_ffn": False, "max_context": 2048},
        6.05,
    ),
    "gpt-neox": (
        {
            "model_type": "gpt_neox", "num_hidden_layers": 44, "hidden_size": 6144,
            "num_attention_heads": 64, "intermediate_size": 24576, "vocab_size": 50432,
            "max_position_embeddings": 2048,
        },
        {"kv_heads": 64, "gated_ffn": False, "tied_embeddings": False},
        20.6,
    ),
    "mpt": (
        {
            "model_type": "mpt", "d_model": 7168, "n_layers": 48, "n_heads": 64,
            "expansion_ratio": 4, "vocab_size": 50432, "max_seq_len": 8192,
            "attn_config": {"attn_type": "multihead_attention"},
        },
        {
            "ffn": 28672, "kv_heads": 64, "gated_ffn": False, "tied_embeddings": True,
            "max_context": 8192,
        },
        29.96,
    ),
    "phi-2": (
        shape("phi", 32, 2560, 32, 32, 10240, 51200), {"gated_ffn": False, "head_dim": 80}, 2.78,
    ),
    "phi-3.5 moe": (
        shape(
            "phimoe", 32, 4096, 32, 8, 6400, 32064, num_local_experts=16, num_experts_per_tok=2,
            sliding_window=None,
        ),
        {"experts": 16, "expert_ffn": 6400},
        41.9,
    ),
    "olmo 2": (shape("olmo2", 64, 5120, 40, 8, 27648, 100352), {"tied_embeddings": False}, 32.2),
    "olmoe": (
        shape("olmoe", 16, 2048, 16, 16, 1024, 50304, num_experts=64, num_experts_per_tok=8),
        {"experts": 64, "expert_ffn": 1024}, 6.92,
    ),
    "command r+": (
        shape("cohere", 64, 12288, 96, 8, 33792, 256000), {"tied_embeddings": True}, 103.8,
    ),
    "command a": (
        shape(
            "cohere2", 64, 12288, 96, 8, 36864, 256000, sliding_window=4096,
            sliding_window_pattern=4,
        ),
        {"sliding_window": 4096, "global_layer_share": 0.25},
        111,
    ),
    "granite 3": (
        shape("granite", 40, 4096, 32, 8, 12800, 49155, tie_word_embeddings=True),
        {"tied_embeddings": True}, 8.17,
    ),
    "granite 3 moe": (
        shape(
            "granitemoe", 32, 1536, 24, 8, 512, 49155, num_local_experts=40, num_experts_per_tok=8,
            tie_word_embeddings=True,
        ),
        {"experts": 40, "shared_experts": 0},
        3.3,
    ),
    "starcoder 2": (
        shape(
            "starcoder2", 40, 6144, 48, 4, 24576, 49152, sliding_window=4096,
            tie_word_embeddings=False,
        ),
        {"gated_ffn": False, "sliding_window": 4096, "global_layer_share": 0.0},
        16.0,
    ),
    "starcoder": (
        {
            "model_type": "gpt_bigcode", "n_embd": 6144, "n_layer": 40, "n_head": 48,
            "n_inner": 24576, "vocab_size": 49152, "n_positions": 8192, "multi_query": True,
        },
        {"kv_heads": 1, "tied_embeddings": True},
        15.5,
    ),
    "gemma": (
        shape("gemma", 28, 3072, 16, 16, 24576, 256000, head_dim=256), {"tied_embeddings": True},
        8.54,
    ),
    "gemma 4 31b": (
        {
            "model_type": "gemma4",
            "text_config": shape(
                "gemma4_text", 60, 5376, 32, 16, 21504, 262144, head_dim=256, global_head_dim=512,
                sliding_window=1024, num_global_key_value_heads=4, hidden_size_per_layer_input=0,
                num_kv_shared_layers=0, enable_moe_block=False,
                layer_types=(["sliding_attention"] * 5 + ["full_attention"]) * 10,
            ),
        },
        {"sliding_window": 1024, "global_layer_share": 10 / 60, "experts": 0},
        30.7,
    ),
    "gemma 4 26b": (
        shape(
            "gemma4_text", 30, 2816, 16, 8, 2112, 262144, head_dim=256, global_head_dim=512,
            sliding_window=1024, enable_moe_block=True, num_experts=128, top_k_experts=8,
            moe_intermediate_size=704,
        ),
        {"experts": 128, "shared_expert_ffn": 2112, "global_layer_share": 5 / 30},
        25.2,
    ),
    "exaone 4": (
        shape(
            "exaone4", 64, 5120, 40, 8, 27392, 102400, sliding_window=4096,
            sliding_window_pattern="LLLG",
        ),
        {"sliding_window": 4096, "global_layer_share": 0.25},
        32.0,
    ),
    "ernie 4.5": (
        shape(
            "ernie4_5_moe", 54, 8192, 64, 8, 28672, 103424, moe_num_experts=64, moe_k=8,
            moe_intermediate_size=3584, moe_num_shared_experts=0, moe_layer_start_index=3,
            moe_layer_end_index=53, moe_layer_interval=1, tie_word_embeddings=False,
        ),
        {"dense_layers": 3, "experts": 64, "shared_experts": 0},
        300,
    ),
    "hunyuan a13b": (
        shape(
            "hunyuan_v1_moe", 32, 4096, 32, 8, 3072, 128167, head_dim=128, num_experts=64,
            moe_topk=[8] * 32, moe_intermediate_size=[3072] * 32, num_shared_expert=[1] * 32,
            tie_word_embeddings=True, use_cla=False,
        ),
        {"experts": 64, "experts_per_token": 8, "shared_expert_ffn": 3072},
        80.4,
    ),
    "dbrx": (
        {
            "model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40,
            "vocab_size": 100352, "max_seq_len": 32768, "attn_config": {"kv_n_heads": 8},
            "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
        },
        {"kv_heads": 8, "experts": 16, "experts_per_token": 4, "expert_ffn": 10752},
        132,
    ),
    "grok-1": (
        shape("grok-1", 64, 6144, 48, 8, 32768, 131072, num_experts=8, num_experts_per_tok=2),
        {"experts": 8, "expert_ffn": 32768, "tied_embeddings": True}, 314,
    ),
    "arctic": (
        shape(
            "arctic", 35, 7168, 56, 8, 4864, 32000, num_local_experts=128, num_experts_per_tok=2,
            moe_layer_frequency=1, use_residual=True,
        ),
        {"experts": 128, "shared_experts": 1, "shared_expert_ffn": 4864, "dense_layers": 0},
        479,
    ),
    "internlm 2": (shape("internlm2", 48, 6144, 48, 8, 16384, 92544), {"kv_heads": 8}, 19.9),
    "baichuan 2": (
        {
            "model_type": "baichuan", "num_hidden_layers": 40, "hidden_size": 5120,
            "num_attention_heads": 40, "intermediate_size": 13696, "vocab_size": 125696,
            "model_max_length": 4096,
        },
        {"kv_heads": 40},
        13.9,
    ),
    "stablelm": (shape("stablelm", 40, 5120, 32, 8, 13824, 100352), {"kv_heads": 8}, 12.1),
    "seed": (
        shape("seed_oss", 64, 5120, 80, 8, 27648, 155136, head_dim=128),
        {"head_dim": 128, "kv_heads": 8}, 36.2,
    ),
    "smollm 3": (
        shape("smollm3", 36, 2048, 16, 4, 11008, 128256, tie_word_embeddings=True),
        {"tied_embeddings": True}, 3.08,
    ),
    "chatglm": (
        {
            "model_type": "chatglm", "num_layers": 40, "hidden_size": 4096,
            "num_attention_heads": 32, "multi_query_attention": True, "multi_query_group_num": 2,
            "kv_channels": 128, "ffn_hidden_size": 13696, "padded_vocab_size": 151552,
            "seq_length": 131072,
        },
        {"kv_heads": 2, "max_context": 131072},
        9.4,
    ),
    "deepseek 1": (
        shape(
            "deepseek", 28, 2048, 16, 16, 10944, 102400, n_routed_experts=64, num_experts_per_tok=6,
            n_shared_experts=2, moe_intermediate_size=1408, first_k_dense_replace=1,
            moe_layer_freq=1,
        ),
        {"shared_experts": 2, "dense_layers": 1, "kv_lora_rank": 0},
        16.4,
    ),
    "a wrapper nobody knows": (
        {
            "model_type": "mistral3",
            "text_config": shape(
                "mistral", 40, 5120, 32, 8, 32768, 131072, head_dim=128, sliding_window=None
            ),
        },
        {"head_dim": 128, "sliding_window": 0},
        23.6,
    ),
}

ROUNDED = {"kimi linear": 0.02, "gemma 4 31b": 0.025}
"""Where the published count is rounded or the record holds less than the model."""


@pytest.mark.parametrize(
    ("given", "fields", "billions"), CONFIGURATIONS.values(), ids=CONFIGURATIONS
)
def test_each_family_gives_the_fields_of_its_maker(
    tmp_path: Path, given: dict[str, object], fields: dict[str, object], billions: float
) -> None:
    model = read(tmp_path, given)
    assert {name: getattr(model, name) for name in fields} == fields


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_parameters_are_the_published_ones(tmp_path: Path, name: str) -> None:
    given, _, billions = CONFIGURATIONS[name]
    counted = float(parameters(read(tmp_path, given)).total) / 1e9
    assert counted == pytest.approx(billions, rel=ROUNDED.get(name, 0.015))


SHIPPED = {
    "llama 4 maverick": "llama-4-maverick", "llama 4 scout": "llama-4-scout",
    "qwen3-next": "qwen3-next-80b-a3b", "qwen3.5 27b": "qwen3.5-27b",
    "qwen3.5 397b": "qwen3.5-397b-a17b", "minimax-text-01": "minimax-text-01",
    "minimax-m2": "minimax-m2.5", "glm-4": "glm-4-32b", "glm-4.5 air": "glm-4.5-air",
    "glm-5": "glm-5", "deepseek-v3.2": "deepseek-v3.2", "kimi k2.5": "kimi-k2.5",
    "kimi linear": "kimi-linear-48b-a3b", "nemotron nano 9b": "nemotron-nano-9b-v2",
    "nemotron nano 12b, names of 2025": "nemotron-nano-12b-v2",
    "nemotron 3 nano": "nemotron-3-nano", "nemotron 3 super": "nemotron-3-super",
    "nemotron 3 ultra, layers by name": "nemotron-3-ultra", "nemotron-4": "nemotron-4-340b",
    "gpt-j": "gpt-j-6b", "gpt-neox": "gpt-neox-20b", "phi-2": "phi-2", "phi-3.5 moe": "phi-3.5-moe",
    "olmo 2": "olmo-2-32b", "olmoe": "olmoe-1b-7b", "command r+": "command-r-plus",
    "command a": "command-a", "granite 3": "granite-3-8b", "starcoder 2": "starcoder2-15b",
    "starcoder": "starcoder-15b", "gemma": "gemma-7b", "gemma 4 31b": "gemma-4-31b",
    "gemma 4 26b": "gemma-4-26b-a4b", "exaone 4": "exaone-4-32b",
    "ernie 4.5": "ernie-4.5-300b-a47b", "hunyuan a13b": "hunyuan-a13b", "arctic": "arctic",
    "seed": "seed-oss-36b", "chatglm": "glm-4-9b", "dbrx": "dbrx",
    "jamba 1.5 large": "jamba-1.5-large", "granite 4 small": "granite-4-h-small",
    "smollm 3": "smollm3-3b",
    "internlm 2": "internlm2-20b",
}


@pytest.mark.parametrize(("name", "shipped"), SHIPPED.items(), ids=SHIPPED)
def test_a_configuration_is_the_shipped_model(
    tmp_path: Path, catalogue: Catalogue, name: str, shipped: str
) -> None:
    """What a configuration says and what the catalogue says of the same model agree, but for
    bookkeeping."""
    mine, theirs = read(tmp_path, CONFIGURATIONS[name][0]), catalogue.model(shipped)
    skipped = {"name", "note", "release", "params_published", "max_context"}
    if theirs.experts and not theirs.dense_layers:
        skipped.add("ffn")  # no layer has it
    for field in set(LLM.__dataclass_fields__) - skipped:
        found, wanted = getattr(mine, field), getattr(theirs, field)
        assert found == pytest.approx(wanted) if wanted is not None else found is None, field


def test_every_family_has_a_configuration_here_or_shares_a_reader_with_one() -> None:
    seen = {
        FAMILIES[str(kind)]
        for given, _, _ in CONFIGURATIONS.values()
        for kind in (given["model_type"], given.get("text_config", {}).get("model_type"))
        if kind in FAMILIES
    }  # type: ignore[attr-defined]
    elsewhere = {
        FAMILIES[kind]
        for kind in (
            "bloom", "opt", "falcon", "mixtral", "gpt_oss", "deepseek_v3", "gemma2", "gemma3",
            "qwen2", "nemotron-nas",
        )
    }
    missing = {kind for kind, reader in FAMILIES.items() if reader not in seen | elsewhere}
    assert missing <= {"qwen", "gpt_neo", "olmo3", "falcon_h1"}


def test_dense_layers_of_qwen_stand_where_the_step_and_the_list_say(tmp_path: Path) -> None:
    given = CONFIGURATIONS["qwen1.5 moe"][0] | {"decoder_sparse_step": 2, "mlp_only_layers": [1]}
    assert read(tmp_path, given).dense_layers == 13  # 12 of 24 by the step, one more by the list


def test_blocks_of_different_width_are_held_by_their_mean(tmp_path: Path) -> None:
    """Counts of a dense feed-forward are linear in its width; 2 x 5.25 / 3 x 8192 = 28,672."""
    model = read(tmp_path, shape("nemotron-nas", 4, 8192, 64, 8, None, 128256, block_configs=[
        {"attention": {"n_heads_in_group": 8}, "ffn": {"ffn_mult": 5.25}},
        {"attention": {"no_op": True}, "ffn": {"ffn_mult": 2.625}},
        {"attention": {"n_heads_in_group": 8}, "ffn": {"no_op": True}},
        {"attention": {"n_heads_in_group": 8}, "ffn": {"ffn_mult": 5.25}}]))
    assert (model.kv_heads, model.attention_layers, model.ffn_layers) == (8, 3, 3)
    assert model.ffn == round((2 * 28672 + 14336) / 3)
    assert "the mean over the layers" in model.note


def test_what_the_record_rounds_is_said(tmp_path: Path) -> None:
    assert "latent vector of 1024" in read(tmp_path, CONFIGURATIONS["nemotron 3 super"][0]).note
    assert "cross attention" in read(tmp_path, CONFIGURATIONS["llama 3.2 vision"][0]).note
    assert read(tmp_path, CONFIGURATIONS["olmo 2"][0]).note == ""


LLAMA = shape("llama", 80, 8192, 64, 8, 28672, 128256)
EXPERTS = shape(
    "qwen3_moe", 48, 2048, 32, 4, 6144, 151936, num_experts=128, num_experts_per_tok=8,
    head_dim=128, moe_intermediate_size=768,
)

BAD = {
    "experts per token": (
        EXPERTS | {"num_experts_per_tok": 129}, "num_experts_per_tok: 129 of 128 experts",
        "1 to 128",
    ),
    "no experts per token": (
        EXPERTS | {"num_experts_per_tok": 0}, "num_experts_per_tok: 0 of 128 experts", "1 to 128",
    ),
    "kv heads": (
        LLAMA | {"num_key_value_heads": 7}, "num_key_value_heads: 7 for 64 attention heads",
        "a divisor of 64",
    ),
    "head width": (
        LLAMA | {"hidden_size": 8190}, "hidden_size: 8190 for 64 heads", "a multiple of 64",
    ),
    "layer types": (
        shape(
            "gemma3_text", 62, 5376, 32, 16, 21504, 262208, head_dim=128, sliding_window=1024,
            layer_types=["full_attention"] * 61,
        ),
        "layer_types: 61 entries",
        "62 entries, as num_hidden_layers",
    ),
    "strange layers": (
        shape(
            "gemma3_text", 2, 5376, 32, 16, 21504, 262208, head_dim=128, sliding_window=1024,
            layer_types=["full_attention", "conv"],
        ),
        "layer_types: conv",
        "full_attention, sliding_attention",
    ),
    "pattern": (
        shape(
            "nemotron_h", 3, 4480, 40, 8, 15680, 131072, head_dim=128,
            hybrid_override_pattern="MX*", **MAMBA,
        ),
        "hybrid_override_pattern: X",
        "M, \\*, - or E",
    ),
    "pattern length": (
        shape(
            "nemotron_h", 4, 4480, 40, 8, 15680, 131072, head_dim=128,
            hybrid_override_pattern="M-*", **MAMBA,
        ),
        "hybrid_override_pattern: 3 entries",
        "4 entries",
    ),
    "layers that differ": (
        shape(
            "hunyuan_v1_moe", 2, 4096, 32, 8, 3072, 128167, num_experts=64, moe_topk=[8, 4],
            num_shared_expert=1, moe_intermediate_size=3072,
        ),
        "moe_topk: another number in some layers",
        "the same in every layer",
    ),
    "indexer": (
        shape(
            "deepseek_v32", 61, 7168, 128, 128, 18432, 129280, n_routed_experts=256,
            num_experts_per_tok=8, moe_intermediate_size=2048, **MLA,
        ),
        "index_topk: missing",
        "a whole number",
    ),
    "blocks": (
        shape(
            "nemotron-nas", 2, 8192, 64, 8, None, 128256,
            block_configs=[
                {"attention": {"n_heads_in_group": 8}, "ffn": {"ffn_mult": 1}},
                {"attention": {"n_heads_in_group": 16}, "ffn": {"ffn_mult": 1}},
            ],
        ),
        "block_configs: groups of 8, 16 heads",
        "the same in every layer",
    ),
    "embeddings a layer": (
        shape(
            "gemma4_text", 35, 1536, 8, 1, 6144, 262144, head_dim=256,
            hidden_size_per_layer_input=256, num_kv_shared_layers=20, sliding_window=512,
        ),
        "hidden_size_per_layer_input: 256(.|\n)*num_kv_shared_layers: 20",
        "0",
    ),
    "refused": ({"model_type": "gemma3n"}, "'gemma3n': embeddings in every layer", "one of "),
    "refused inside": (
        {"model_type": "x", "text_config": {"model_type": "longcat_flash"}},
        "two attentions a layer", "facts file",
    ),
}


@pytest.mark.parametrize(("given", "found", "hint"), BAD.values(), ids=BAD)
def test_each_bad_configuration_names_field_fault_and_remedy(
    tmp_path: Path, given: dict[str, object], found: str, hint: str
) -> None:
    with pytest.raises(BadValue, match=found) as caught:
        read(tmp_path, given)
    assert all(fault.place.startswith(str(tmp_path / "config.json")) and fault.remedy for fault in caught.value.faults)
    with pytest.raises(BadValue, match=hint):
        read(tmp_path, given)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadValue) as caught:
        read(tmp_path, LLAMA | {"num_hidden_layers": 0, "vocab_size": 0, "num_key_value_heads": 7})
    assert len(caught.value.faults) == 3
    with pytest.raises(BadValue) as caught:
        read(tmp_path, {"model_type": "qwen3_5_moe"})
    assert len(caught.value.faults) >= 10


def test_an_unknown_type_lists_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean qwen3_5_moe"):
        read(tmp_path, {"model_type": "qwen3_5_moes"})
