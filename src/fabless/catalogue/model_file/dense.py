"""Families without experts."""

from __future__ import annotations

import math

from fabless.catalogue.model_file.config import Config, Fields
from fabless.catalogue.model_file.parts import FULL, every, gated, plain_layers, window


def windowed(config: Config) -> Fields:
    """Mistral and Phi-3: every layer is windowed when there is a window."""
    fields = gated(config)
    return fields | window(config, fields, 0.0)


def qwen(config: Config, ffn: str = "intermediate_size") -> Fields:
    """Qwen 2 and 3: layers from `max_window_layers` on are windowed, where windows are switched
    on."""
    fields = gated(config, ffn=ffn)
    layers = int(fields["layers"])
    if not config.count("sliding_window", default=0) or not config.flag(
        "use_sliding_window", False
    ):
        config.kinds(layers, (FULL, "sliding_attention"))
        return fields
    full = min(config.count("max_window_layers", default=layers), layers)
    return fields | window(config, fields, full / layers if layers else 1.0)


def qwen_1(config: Config) -> Fields:
    """Qwen 1: the configuration counts gate and value matrix of the feed-forward together."""
    fields = gated(config)
    return fields | {"ffn": int(fields["ffn"]) // 2}


def alternating(config: Config, period: int, tied: bool = False, default: int = 0) -> Fields:
    """Gemma, Cohere 2, OLMo 3, EXAONE 4: one layer in `period` has full attention."""
    fields = gated(config, tied)
    pattern = config.values.get("sliding_window_pattern")
    if isinstance(pattern, str) and pattern:
        share = pattern.count("G") / len(pattern)
    else:
        share = every(
            config.count("sliding_window_pattern", "_sliding_window_pattern", default=period),
            int(fields["layers"]),
        )
    return fields | window(config, fields, share, default=default)


def gemma_4(config: Config) -> Fields:
    """Gemma 4: layers with full attention have wider and fewer heads, which the record does not
    hold."""
    config.only("hidden_size_per_layer_input", 0)
    config.only("num_kv_shared_layers", 0)
    fields = gated(config, tied=True)
    fields |= window(config, fields, every(6, int(fields["layers"])), default=512)
    if config.has("global_head_dim") and config.count("global_head_dim") != fields["head_dim"]:
        config.note(
            "heads are those of the local layers; layers with full attention have wider and fewer ones"
        )
    if not config.flag("enable_moe_block", False):
        return fields
    return fields | {
        "experts": config.count("num_experts"), "experts_per_token": config.count("top_k_experts"),
        "expert_ffn": config.count("moe_intermediate_size", "expert_intermediate_size"),
        "shared_experts": 1, "shared_expert_ffn": fields["ffn"],
    }


def starcoder_2(config: Config) -> Fields:
    """StarCoder 2: two matrices in the feed-forward, every layer windowed."""
    fields = gated(config, tied=True) | {"gated_ffn": False}
    return fields | window(config, fields, 0.0)


def mllama(config: Config) -> Fields:
    """Llama 3.2 Vision: its layers of cross attention, which text alone skips, are left out."""
    fields = gated(config)
    crossing = config.listed("cross_attention_layers") or []
    config.note(f"{len(crossing)} layers of cross attention, which text alone skips, are left out")
    return fields | {"layers": int(fields["layers"]) - len(crossing)}


def falcon(config: Config) -> Fields:
    """Falcon: one KV head, or groups in the new architecture."""
    fields = plain_layers(config, "ffn_hidden_size")
    if config.flag("new_decoder_architecture", False):
        return fields | {
            "kv_heads": config.count("num_kv_heads", "n_head_kv", default=int(fields["heads"]))
        }
    return fields | {"kv_heads": 1 if config.flag("multi_query", True) else fields["heads"]}


def gpt_bigcode(config: Config) -> Fields:
    """StarCoder 1: one KV head."""
    fields = plain_layers(config, "n_inner")
    return fields | {"kv_heads": 1 if config.flag("multi_query", True) else fields["heads"]}


def gpt_neo(config: Config) -> Fields:
    """GPT-Neo: global and local layers in turn."""
    fields = plain_layers(config, "intermediate_size")
    kinds = config.listed("attention_layers", int(fields["layers"]), of="num_layers")
    share = kinds.count("global") / len(kinds) if kinds else 0.5
    return fields | (
        {"sliding_window": config.count("window_size", default=256), "global_layer_share": share}
        if share < 1.0
        else {}
    )


def mpt(config: Config) -> Fields:
    """MPT: width of the feed-forward as a ratio, heads of keys in a part of their own."""
    fields = plain_layers(config, "ffn_hidden_size")
    inner, feed = config.part("attn_config"), config.part("ffn_config")
    kind = inner.values.get("attn_type")
    ratio = config if config.has("expansion_ratio") else feed
    kv_heads = (
        1
        if kind == "multiquery_attention"
        else inner.count("kv_n_heads", default=int(fields["heads"]))
    )
    return fields | {
        "kv_heads": kv_heads,
        "ffn": ratio.count("expansion_ratio", default=4) * int(fields["hidden"]),
        "gated_ffn": feed.values.get("ffn_type") == "mptglu",
    }


def chatglm(config: Config) -> Fields:
    """ChatGLM 2 to GLM-4 in their first form."""
    hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
    grouped = config.flag("multi_query_attention", False)
    return {
        "layers": config.count("num_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": config.count("multi_query_group_num") if grouped else heads,
        "head_dim": config.count("kv_channels", default=hidden // heads if heads else 0),
        "ffn": config.count("ffn_hidden_size"),
        "vocab": config.count("padded_vocab_size", "vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", False),
        "max_context": config.count("seq_length", default=0),
    }


def nas(config: Config) -> Fields:
    """Nemotron NAS (Deci): blocks of different shape, held where only the feed-forward's width
    differs."""
    layers, hidden = config.count("num_hidden_layers"), config.count("hidden_size")
    heads, vocab = config.count("num_attention_heads"), config.count("vocab_size")
    blocks = config.listed("block_configs", layers)
    if blocks is None:
        config.fault("block_configs", "missing", "a list with an entry a layer")
        blocks = []
    groups: set[int] = set()
    widths: list[int] = []
    attention = 0
    for index, block in enumerate(blocks):
        layer = Config(
            block if isinstance(block, dict) else {}, f"{config.place}: block_configs[{index}]",
            config,
        )
        mixer, feed = layer.part("attention"), layer.part("ffn")
        for part in (mixer, feed):
            part.only("replace_with_linear", False)
        if not mixer.flag("no_op", False):
            groups.add(mixer.count("n_heads_in_group"))
            attention += 1
        if not feed.flag("no_op", False):
            widths.append(_nas_width(feed.values.get("ffn_mult"), hidden))
    if len(groups) > 1:
        config.fault(
            "block_configs", f"groups of {', '.join(map(str, sorted(groups)))} heads",
            "the same in every layer", "state the model by its dimensions",
        )
    if len(set(widths)) > 1:
        config.note("width of the feed-forward: the mean over the layers")
    group = max(groups, default=1)
    return {
        "layers": layers, "hidden": hidden, "heads": heads,
        "kv_heads": heads // group if group else 0,
        "head_dim": config.count("head_dim", default=hidden // heads if heads else 0),
        "ffn": round(math.fsum(widths) / len(widths)) if widths else 0, "vocab": vocab,
        "tied_embeddings": config.flag("tie_word_embeddings", False),
        "max_context": config.count("max_position_embeddings", default=0),
        "attention_layers": attention, "ffn_layers": len(widths),
    }


def _nas_width(multiple: object, hidden: int) -> int:
    """Width from its multiple of the hidden size: two thirds of it, in steps of 256."""
    if not isinstance(multiple, (int, float)) or isinstance(multiple, bool):
        return 0
    return 256 * math.ceil(int(2 * multiple * hidden / 3) / 256)
