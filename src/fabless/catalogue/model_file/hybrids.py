"""Families with linear mixers: gated delta nets, lightning attention, Mamba."""

from __future__ import annotations

from fabless.catalogue.model_file.config import Config, Fields
from fabless.catalogue.model_file.mixtures import sparse_layers
from fabless.catalogue.model_file.parts import (
    FULL,
    ROUTED,
    SHARED,
    USED,
    WIDTH,
    every,
    gated,
    latent_attention,
    mixture,
    narrowed,
    routed,
)

_LINEAR = "linear_attention"
_MIXERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}


def _full_layers(config: Config, layers: int, period: int) -> int:
    """Layers with full attention among linear ones: as listed, else the last of each
    `full_attention_interval`."""
    kinds = config.kinds(layers, (FULL, _LINEAR))
    if kinds is not None:
        return kinds.count(FULL)
    return round(every(config.count("full_attention_interval", default=period), layers) * layers)


def delta_net(config: Config) -> Fields:
    """Qwen 3.5: three gated delta nets, then gated full attention."""
    fields = (
        gated(config)
        if config.has("intermediate_size")
        else gated(config, ffn="moe_intermediate_size")
    )
    layers = int(fields["layers"])
    return fields | {
        "attention_gate": config.flag("attn_output_gate", True),
        "linear_layers": layers - _full_layers(config, layers, 4),
        "linear_key_heads": config.count("linear_num_key_heads"),
        "linear_value_heads": config.count("linear_num_value_heads"),
        "linear_key_dim": config.count("linear_key_head_dim"),
        "linear_value_dim": config.count("linear_value_head_dim"),
    }


def delta_net_moe(config: Config) -> Fields:
    """Qwen3-Next and Qwen 3.5 MoE: as `delta_net` with experts, one of them shared."""
    fields = delta_net(config)
    layers = int(fields["layers"])
    return fields | mixture(
        config, ROUTED, USED, WIDTH, dense=layers - sparse_layers(config, layers),
        shared_width=config.count("shared_expert_intermediate_size", default=0),
    )


def minimax(config: Config) -> Fields:
    """MiniMax-Text-01: lightning attention, full attention in every eighth layer."""
    fields = gated(config)
    layers = int(fields["layers"])
    listed = config.listed("attn_type_list", layers)
    full = listed.count(1) if listed is not None else _full_layers(config, layers, 8)
    return fields | {
        "linear_layers": layers - full,
        "linear_key_heads": fields["heads"], "linear_value_heads": fields["heads"],
        "linear_key_dim": fields["head_dim"], "linear_value_dim": fields["head_dim"],
    } | mixture(config, ("num_local_experts",), USED, ("intermediate_size",),
                shared_width=config.count("shared_intermediate_size", default=0))


def kimi_linear(config: Config) -> Fields:
    """Kimi Linear: Kimi delta attention, latent attention in every fourth layer."""
    fields = gated(config)
    layers, linear = int(fields["layers"]), config.part("linear_attn_config")
    delta = linear.listed("kda_layers")
    if delta is None:
        linear.fault("kda_layers", "missing", "the list of layers with Kimi delta attention")
    heads, width = linear.count("num_heads"), linear.count("head_dim")
    fields |= (
        latent_attention(config)
        | routed(config)
        | {
            "linear_layers": min(len(delta or []), layers), "linear_key_heads": heads,
            "linear_value_heads": heads, "linear_key_dim": width, "linear_value_dim": width,
        }
    )
    return narrowed(config, fields, config.count("routed_expert_hidden_size", default=0))


def _mamba(config: Config, heads: str, width: str, state: str, groups: str) -> Fields:
    """The mixer of Mamba 2 by the names of its numbers."""
    return {
        "linear_key_heads": config.count(groups, "mamba_num_groups", "n_groups", default=1),
        "linear_value_heads": config.count(heads),
        "linear_key_dim": config.count(state, "mamba_state_dim", "ssm_state_size"),
        "linear_value_dim": config.count(width),
    }


def nemotron_h(config: Config) -> Fields:
    """Nemotron-H: every layer is one of Mamba 2, attention, feed-forward, experts."""
    name = (
        "hybrid_override_pattern" if config.has("hybrid_override_pattern") else "layers_block_type"
    )
    listed = config.listed(
        name, config.count("num_hidden_layers") if config.has("num_hidden_layers") else None
    )
    if listed is None:
        config.fault(name, "missing", "a letter a layer: M, *, - or E")
        listed = []
    kinds = [_MIXERS.get(str(kind), str(kind)) for kind in listed]
    strange = sorted(set(kinds) - set(_MIXERS.values()))
    if strange:
        config.fault(name, ", ".join(strange), "M, *, - or E; mamba, attention, mlp or moe")
    layers = len(kinds)
    fields = gated(
        Config(
            {
                "num_hidden_layers": layers,
                **{k: v for k, v in config.values.items() if v is not None},
            },
            config.place,
            config,
        )
    ) | {
        "layers": layers, "gated_ffn": False, "attention_layers": kinds.count("attention"),
        "linear_layers": kinds.count("mamba"),
        "ffn_layers": kinds.count("mlp") + kinds.count("moe"),
    }
    if "mamba" in kinds:
        fields |= _mamba(config, "mamba_num_heads", "mamba_head_dim", "ssm_state_size", "n_groups")
    if "moe" not in kinds:
        return fields
    fields |= mixture(config, ROUTED, USED, WIDTH, SHARED, dense=kinds.count("mlp"),
                      shared_width=config.count("moe_shared_expert_intermediate_size", default=0))
    return narrowed(config, fields, config.count("moe_latent_size", default=0))


def mamba_2(config: Config) -> Fields:
    """Mamba 2 alone: no attention, no feed-forward."""
    heads = config.count("num_heads")
    return {
        "layers": config.count("num_hidden_layers", "n_layer"),
        "hidden": config.count("hidden_size", "d_model"),
        "heads": heads,
        "kv_heads": heads,
        "head_dim": config.count("head_dim"),
        "ffn": 0,
        "vocab": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", False),
        "attention_layers": 0,
        "ffn_layers": 0,
        "linear_layers": config.count("num_hidden_layers", "n_layer"),
        "linear_key_heads": config.count("n_groups"),
        "linear_value_heads": heads,
        "linear_key_dim": config.count("state_size"),
        "linear_value_dim": config.count("head_dim"),
    }


def bamba(config: Config) -> Fields:
    """Bamba: Mamba 2, attention in the layers that are named, a feed-forward in each."""
    fields = gated(config)
    attention = len(config.listed("attn_layer_indices") or [])
    return fields | {"linear_layers": int(fields["layers"]) - attention} | _mamba(
        config, "mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups")


def falcon_h1(config: Config) -> Fields:
    """Falcon-H1: Mamba 2 beside attention in every layer."""
    fields = gated(config)
    return (
        fields
        | {"attention_layers": fields["layers"], "linear_layers": fields["layers"]}
        | _mamba(config, "mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups")
    )


def granite_hybrid(config: Config) -> Fields:
    """Granite 4: Mamba 2 and attention in turn; experts beside a shared feed-forward, or that one
    alone."""
    experts = config.count("num_local_experts", default=0)
    fields = gated(config, ffn="intermediate_size" if experts else "shared_intermediate_size")
    kinds = config.kinds(int(fields["layers"]), ("mamba", "attention"),
                         "layer_types" if config.has("layer_types") else "layers_block_type")
    if kinds is None:
        config.fault("layer_types", "missing", "mamba or attention a layer")
    fields |= {"linear_layers": (kinds or []).count("mamba")} | _mamba(
        config, "mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups")
    if not experts:
        return fields
    return fields | mixture(config, ("num_local_experts",), USED, ("intermediate_size",),
                            shared_width=config.count("shared_intermediate_size", default=0))


def jamba(config: Config) -> Fields:
    """Jamba: Mamba 1, taken for Mamba 2 of the same state; attention and experts at intervals of
    their own."""
    fields = gated(config)
    layers, inner = (
        int(fields["layers"]), config.count("mamba_expand", default=2) * int(fields["hidden"]),
    )
    attention = _at(
        layers, config.count("attn_layer_period", default=8),
        config.count("attn_layer_offset", default=4),
    )
    mixed = _at(
        layers, config.count("expert_layer_period", default=2),
        config.count("expert_layer_offset", default=1),
    )
    config.note("Mamba 1 is taken for Mamba 2 of the same state: its parameters come out 4 % low")
    fields |= {
        "linear_layers": layers - attention, "linear_key_heads": 1,
        "linear_value_heads": max(inner // 64, 1),
        "linear_key_dim": config.count("mamba_d_state", default=16), "linear_value_dim": 64,
    }
    if config.count("num_experts", default=16) <= 1:
        return fields
    return fields | mixture(
        config, ("num_experts",), USED, ("intermediate_size",), dense=layers - mixed
    )


def _at(layers: int, period: int, offset: int) -> int:
    """Layers whose number has the remainder `offset` by `period`."""
    return len(range(offset, layers, period)) if period else 0
