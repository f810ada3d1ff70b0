"""Parts that families of configurations share: attention, windows, feed-forward, mixtures of
experts."""

from __future__ import annotations

from fabless.catalogue.model_file.config import Config, Fields

FULL, LOCAL = "full_attention", ("sliding_attention", "chunked_attention")


def gated(config: Config, tied: bool = False, ffn: str = "intermediate_size") -> Fields:
    """Llama and its relatives: grouped queries, three matrices in the feed-forward."""
    hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
    if heads and hidden % heads and not config.has("head_dim"):
        config.fault(
            "hidden_size", f"{hidden} for {heads} heads", f"a multiple of {heads}, or a head_dim"
        )
    return {
        "layers": config.count("num_hidden_layers", "num_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": config.count("num_key_value_heads", default=heads),
        "head_dim": config.count("head_dim", default=hidden // heads if heads else 0),
        "ffn": config.count(ffn),
        "vocab": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", tied),
        "max_context": config.count("max_position_embeddings", default=0),
    }


def ungated(config: Config, tied: bool = False) -> Fields:
    """Fields of `gated`, but with two matrices in the feed-forward: squared ReLU, GELU."""
    return gated(config, tied) | {"gated_ffn": False}


def plain_layers(config: Config, ffn: str, tied: bool = True) -> Fields:
    """GPT-2, OPT, BLOOM, GPT-J: every head has its own keys, two matrices in the feed-forward."""
    hidden = config.count("hidden_size", "n_embd", "n_embed", "d_model")
    heads = config.count("num_attention_heads", "n_head", "n_heads", "num_heads")
    if heads and hidden % heads:
        config.fault("hidden_size", f"{hidden} for {heads} heads", f"a multiple of {heads}")
    return {
        "layers": config.count("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": heads,
        "head_dim": hidden // heads if heads else 0,
        "ffn": config.count(ffn, default=4 * hidden),
        "vocab": config.count("vocab_size"),
        "gated_ffn": False,
        "tied_embeddings": config.flag("tie_word_embeddings", tied),
        "max_context": config.count(
            "max_position_embeddings", "n_positions", "seq_length", "max_seq_len", default=0
        ),
    }


def window(
    config: Config, fields: Fields, otherwise: float, name: str = "sliding_window", default: int = 0
) -> Fields:
    """Window of the local layers and share of layers with full attention, from `layer_types` where
    it is given."""
    layers = int(fields["layers"])
    size = config.count(name, default=default)
    kinds = config.kinds(layers, (FULL, *LOCAL))
    share = kinds.count(FULL) / len(kinds) if kinds else otherwise
    return {"sliding_window": size, "global_layer_share": share} if size and share < 1.0 else {}


def every(period: int, layers: int) -> float:
    """Share of layers when one in `period` is meant: the last of each run of `period`."""
    return (layers // period) / layers if layers and period else 1.0


def mixture(config: Config, experts: tuple[str, ...], used: tuple[str, ...], width: tuple[str, ...],
            shared: tuple[str, ...] = (), shared_width: int = 0, dense: int = 0) -> Fields:
    """A mixture of experts by the names of its numbers; shared experts are as wide as routed ones
    unless told else."""
    wide = config.same(*width)
    count = config.same(*shared, default=0) if shared else int(shared_width > 0)
    numbers: Fields = {
        "experts": config.same(*experts), "experts_per_token": config.same(*used),
        "expert_ffn": wide,
    }
    if count:
        numbers |= {"shared_experts": count, "shared_expert_ffn": shared_width or wide}
    return numbers | ({"dense_layers": dense} if dense else {})


ROUTED = ("n_routed_experts", "num_experts", "num_local_experts")
USED = ("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_topk")
SHARED = ("n_shared_experts", "num_shared_experts", "num_shared_expert")
WIDTH = ("moe_intermediate_size",)


def routed(config: Config) -> Fields:
    """Experts after leading dense layers, as DeepSeek names them."""
    config.only("moe_layer_freq", 1)
    return mixture(
        config, ROUTED, USED, WIDTH, SHARED, dense=config.count("first_k_dense_replace", default=0)
    )


def latent_attention(config: Config) -> Fields:
    """Multi-head latent attention."""
    return {
        "head_dim": config.count("qk_nope_head_dim"),
        "rope_head_dim": config.count("qk_rope_head_dim"),
        "v_head_dim": config.count("v_head_dim"),
        "kv_lora_rank": config.count("kv_lora_rank"),
        "q_lora_rank": config.count("q_lora_rank", default=0),
    }


def narrowed(config: Config, fields: Fields, width: int) -> Fields:
    """Experts on a latent vector of `width`: experts and projections of the same parameters at the
    full width."""
    if not width:
        return fields
    hidden, matrices = int(fields["hidden"]), 3 if fields.get("gated_ffn", True) else 2
    projections = round(2 * width / matrices)
    shared, count = int(fields.get("shared_expert_ffn", 0)), int(fields.get("shared_experts", 0))
    config.note(
        f"experts work on a latent vector of {width}: widths are those of the same parameters at {hidden}"
    )
    return fields | {
        "expert_ffn": round(int(fields["expert_ffn"]) * width / hidden) if hidden else 0,
        "shared_experts": 1, "shared_expert_ffn": shared * count + projections,
    }
