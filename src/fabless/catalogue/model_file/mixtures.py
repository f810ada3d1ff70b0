"""Families with mixtures of experts in ordinary attention or latent attention."""

from __future__ import annotations

from fabless.catalogue.model_file.config import Config, Fields
from fabless.catalogue.model_file.dense import qwen, windowed
from fabless.catalogue.model_file.parts import (
    FULL,
    LOCAL,
    ROUTED,
    USED,
    WIDTH,
    gated,
    latent_attention,
    mixture,
    routed,
    window,
)

_LOCAL_EXPERTS = ("num_local_experts", "num_experts")


def mixtral(config: Config) -> Fields:
    """Mixtral and Phi-3.5 MoE: experts of the width of the feed-forward, in every layer."""
    return windowed(config) | mixture(config, _LOCAL_EXPERTS, USED, ("intermediate_size",))


def granite(config: Config) -> Fields:
    """Granite 3 MoE, OLMoE, MiniMax M2: as Mixtral without a window; a shared feed-forward where
    one is named."""
    return gated(config) | mixture(config, _LOCAL_EXPERTS, USED, ("intermediate_size",),
                                   shared_width=config.count("shared_intermediate_size", default=0))


def sparse_layers(config: Config, layers: int) -> int:
    """Layers with experts of Qwen: those of a step that are not named as dense."""
    step = config.count("decoder_sparse_step", default=1)
    dense = config.listed("mlp_only_layers") or []
    return sum(index not in dense and (index + 1) % step == 0 for index in range(layers)) if step else 0


def qwen_moe(config: Config) -> Fields:
    """Qwen 2 and 3 MoE."""
    fields = qwen(config) if config.has("intermediate_size") else qwen(config, ffn="moe_intermediate_size")
    layers = int(fields["layers"])
    return fields | mixture(
        config, ROUTED, USED, WIDTH, dense=layers - sparse_layers(config, layers),
        shared_width=config.count("shared_expert_intermediate_size", default=0),
    )


def gpt_oss(config: Config) -> Fields:
    """GPT-OSS: full attention and windows in turn."""
    fields = gated(config)
    return (fields | window(config, fields, 0.5, default=128)
            | mixture(config, _LOCAL_EXPERTS, USED, ("intermediate_size",)))


def llama_4(config: Config) -> Fields:
    """Llama 4: attention in chunks except where there is no rotation; experts in every n-th layer,
    one shared."""
    fields = gated(config, ffn="intermediate_size_mlp")
    layers = int(fields["layers"])
    expert = config.count("intermediate_size")
    rotating = config.listed("no_rope_layers", layers)
    interval = config.count("no_rope_layer_interval", default=4)
    share = (rotating.count(0) / len(rotating) if rotating
             else (layers // interval) / layers if layers and interval else 1.0)
    kinds = config.kinds(layers, (FULL, *LOCAL))
    share = kinds.count(FULL) / len(kinds) if kinds else share
    chunk = config.count("attention_chunk_size", default=0)
    if chunk and share < 1.0:
        fields |= {"sliding_window": chunk, "global_layer_share": share}
        config.note("chunks of attention are taken for windows; a token of a chunk sees half of it on average")
    named = config.listed("moe_layers")
    step = config.count("interleave_moe_layer_step", default=1)
    mixed = len(named) if named is not None else layers // step if step else 0
    return fields | mixture(
        config, ("num_local_experts",), USED, ("intermediate_size",), shared_width=expert,
        dense=layers - mixed,
    )


def deepseek_1(config: Config) -> Fields:
    """DeepSeek 1, GLM 4.5, Dots, Ling: ordinary attention, routed and shared experts after leading
    dense layers."""
    fields = gated(config)
    return fields | window(config, fields, 1.0) | routed(config)


def deepseek(config: Config) -> Fields:
    """DeepSeek 2 and 3, Kimi K2: latent attention, routed and shared experts after leading dense
    layers."""
    return gated(config) | latent_attention(config) | routed(config)


def deepseek_sparse(config: Config) -> Fields:
    """DeepSeek 3.2, GLM 5: as DeepSeek 3 with an indexer that chooses the tokens to attend to."""
    fields = deepseek(config)
    kinds = config.kinds(int(fields["layers"]), ("full", "shared"), "indexer_types")
    if kinds and "shared" in kinds:
        config.note(f"{kinds.count('full')} of {len(kinds)} layers choose tokens; the record lets every layer choose")
    dense = config.kinds(int(fields["layers"]), ("dense", "sparse"), "mlp_layer_types")
    if dense is not None:
        fields |= {"dense_layers": dense.count("dense")}
    return fields | {
        "index_topk": config.count("index_topk"), "index_heads": config.count("index_n_heads"),
        "index_head_dim": config.count("index_head_dim"),
    }


def ernie(config: Config) -> Fields:
    """ERNIE 4.5 MoE: experts in every n-th layer of a range."""
    fields = gated(config, tied=True)
    layers = int(fields["layers"])
    step, first = config.same("moe_layer_interval", default=1), config.same("moe_layer_start_index", default=1)
    last = (
        config.same("moe_layer_end_index", default=layers - 1)
        if config.values.get("moe_layer_end_index") != -1
        else (layers - 1)
    )
    mixed = sum((index + 1) % step == 0 for index in range(first, min(last, layers - 1) + 1)) if step else 0
    return fields | mixture(
        config, ("moe_num_experts",), ("moe_k",), WIDTH, ("moe_num_shared_experts",),
        dense=layers - mixed,
    )


def hunyuan(config: Config) -> Fields:
    """Hunyuan MoE: experts in every layer but the first few."""
    config.only("use_cla", False)
    width = WIDTH if config.has("moe_intermediate_size") else ("intermediate_size",)
    return gated(config) | mixture(config, ROUTED, USED, width, ("num_shared_expert",),
                                   dense=config.count("moe_layer_num_skipped", default=0))


def dbrx(config: Config) -> Fields:
    """DBRX: names of its own, numbers in parts."""
    inner, feed = config.part("attn_config"), config.part("ffn_config")
    hidden, heads = config.count("d_model"), config.count("n_heads")
    width = feed.count("ffn_hidden_size")
    return {
        "layers": config.count("n_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": inner.count("kv_n_heads"),
        "head_dim": hidden // heads if heads else 0,
        "ffn": width,
        "vocab": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", False),
        "max_context": config.count("max_seq_len", default=0),
    } | mixture(feed, ("moe_num_experts",), ("moe_top_k",), ("ffn_hidden_size",))


def grok(config: Config) -> Fields:
    """Grok 1 and 2; Grok 2 has a dense feed-forward beside the experts."""
    fields = gated(config, tied=True)
    width = WIDTH if config.has("moe_intermediate_size") else ("intermediate_size",)
    beside = int(fields["ffn"]) if config.flag("residual_moe", False) else 0
    return fields | mixture(config, _LOCAL_EXPERTS, USED, width, shared_width=beside)


def arctic(config: Config) -> Fields:
    """Arctic: a dense feed-forward beside the experts of a layer."""
    fields = gated(config)
    layers, step = int(fields["layers"]), config.count("moe_layer_frequency", default=2)
    mixed = layers // step if step else 0
    beside = int(fields["ffn"]) if config.flag("use_residual", config.flag("parallel_attn_mlp_res", False)) else 0
    return fields | mixture(
        config, ("num_local_experts",), USED, ("intermediate_size",), shared_width=beside,
        dense=layers - mixed,
    )
