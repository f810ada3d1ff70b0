"""Which reader reads which model type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fabless.catalogue.model_file import dense, hybrids, mixtures
from fabless.catalogue.model_file.config import Config, Fields
from fabless.catalogue.model_file.parts import gated, plain_layers, ungated

Reader = Callable[[Config], Fields]


def _tied(config: Config) -> Fields:
    return gated(config, tied=True)


_GROUPS: tuple[tuple[Reader, str], ...] = (
    (
        gated,
        "llama llava_llama baichuan exaone glm glm4 granite helium hunyuan_v1_dense internlm internlm2 internlm3 mimo "
        "olmo olmo2 seed_oss stablelm yi aquila",
    ),
    (_tied, "gemma cohere ernie4_5 smollm3 minicpm"),
    (ungated, "nemotron arcee apertus gpt_neox phi"),
    (dense.windowed, "mistral ministral ministral3 phi3 phi4mm"),
    (
        dense.qwen,
        "qwen2 qwen3 qwen2_vl qwen2_5_vl qwen2_vl_text qwen2_5_vl_text qwen3_vl qwen3_vl_text",
    ),
    (dense.qwen_1, "qwen"),
    (lambda config: dense.alternating(config, 2, tied=True, default=4096), "gemma2"),
    (lambda config: dense.alternating(config, 6, tied=True, default=4096), "gemma3 gemma3_text"),
    (lambda config: dense.alternating(config, 4, tied=True, default=4096), "cohere2"),
    (lambda config: dense.alternating(config, 4, default=4096), "olmo3"),
    (lambda config: dense.alternating(config, 4), "exaone4"),
    (dense.gemma_4, "gemma4 gemma4_text"),
    (dense.starcoder_2, "starcoder2"),
    (dense.mllama, "mllama mllama_text_model"),
    (dense.chatglm, "chatglm"),
    (dense.nas, "nemotron-nas deci"),
    (lambda config: plain_layers(config, "n_inner"), "bloom gpt2"),
    (lambda config: plain_layers(config, "n_inner", tied=False), "gptj codegen"),
    (lambda config: plain_layers(config, "ffn_dim"), "opt"),
    (dense.falcon, "falcon RefinedWeb RefinedWebModel"),
    (dense.gpt_bigcode, "gpt_bigcode"),
    (dense.gpt_neo, "gpt_neo"),
    (dense.mpt, "mpt"),
    (mixtures.mixtral, "mixtral phimoe"),
    (mixtures.granite, "granitemoe granitemoeshared olmoe minimax_m2"),
    (mixtures.qwen_moe, "qwen2_moe qwen3_moe qwen3_vl_moe qwen3_vl_moe_text qwen3_omni_moe_text"),
    (mixtures.gpt_oss, "gpt_oss"),
    (mixtures.llama_4, "llama4 llama4_text"),
    (
        mixtures.deepseek_1,
        "deepseek glm4_moe glm4v_moe glm4v_moe_text dots1 bailing_moe bailing_moe_v2",
    ),
    (mixtures.deepseek, "deepseek_v2 deepseek_v3 kimi_k2 kimi_k25 glm4_moe_lite"),
    (mixtures.deepseek_sparse, "deepseek_v32 glm_moe_dsa"),
    (mixtures.ernie, "ernie4_5_moe"),
    (mixtures.hunyuan, "hunyuan hunyuan_v1_moe"),
    (mixtures.dbrx, "dbrx"),
    (mixtures.grok, "grok-1 grok_1 grok"),
    (mixtures.arctic, "arctic"),
    (hybrids.delta_net, "qwen3_5 qwen3_5_text"),
    (hybrids.delta_net_moe, "qwen3_next qwen3_5_moe qwen3_5_moe_text"),
    (hybrids.minimax, "minimax minimax_text_01 minimax_m1"),
    (hybrids.kimi_linear, "kimi_linear"),
    (hybrids.nemotron_h, "nemotron_h"),
    (hybrids.mamba_2, "mamba2"),
    (hybrids.bamba, "bamba"),
    (hybrids.falcon_h1, "falcon_h1"),
    (hybrids.granite_hybrid, "granitemoehybrid"),
    (hybrids.jamba, "jamba"),
)

FAMILIES: Mapping[str, Reader] = MappingProxyType({kind: reader for reader, kinds in _GROUPS for kind in kinds.split()})
"""Model type of a configuration -> its reader."""

REFUSED: Mapping[str, str] = MappingProxyType({
    "deepseek_v4": "caches compressed by a different factor in each layer",
    "gemma3n": "embeddings in every layer and caches shared between layers",
    "gemma3n_text": "embeddings in every layer and caches shared between layers",
    "longcat_flash": "two attentions a layer, and experts that compute nothing",
    "mamba": "a state of Mamba 1 without attention",
    "mimo_v2_flash": "another number of KV heads in windowed layers",
    "mimo_v2": "another number of KV heads in windowed layers",
    "minimax_m3": "sparse attention in some layers",
    "nemotron_h_puzzle": "experts of another width in each layer",
    "recurrent_gemma": "a gated linear recurrence",
    "rwkv": "a recurrence of its own",
    "zamba2": "attention blocks shared between layers",
})
"""Model types that the record cannot hold -> why."""
