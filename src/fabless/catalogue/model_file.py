"""Language models from a Hugging Face ``config.json``.

One function per family of configurations turns the family's own names into the fields of `LLM`. What a configuration
leaves out takes the default of that family's configuration class, never a guess: a model type that is not in the table
is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from fabless.catalogue.text import read_text
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.records import LLM


class _Config:
    """A configuration with the faults found while reading it."""

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self.values, self.place = values, place
        self.faults: list[Fault] = []

    def count(self, *names: str, default: int | None = None) -> int:
        """The first of `names` that is given, as a whole number; a fault when none is and there is no default."""
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                self.faults.append(Fault(f"{self.place}: {name}", f"{value!r}", "a whole number",
                                         "take config.json as the model's makers publish it"))
                return 0
            return value
        if default is None:
            self.faults.append(Fault(f"{self.place}: {names[0]}", "missing", f"one of {', '.join(names)}",
                                     "take config.json as the model's makers publish it"))
            return 0
        return default

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        return default if value is None else bool(value)

    def full_attention_share(self, layers: int, otherwise: float) -> float:
        """Share of layers with full attention, from `layer_types` where it is given."""
        kinds = self.values.get("layer_types")
        if isinstance(kinds, list) and kinds:
            return len([kind for kind in kinds if kind == "full_attention"]) / len(kinds)
        return otherwise if layers else 1.0

    def only(self, name: str, allowed: object) -> None:
        """A fault when a setting that the record cannot hold differs from `allowed`."""
        value = self.values.get(name)
        if value is not None and value != allowed:
            self.faults.append(Fault(f"{self.place}: {name}", f"{value!r}", f"{allowed!r}",
                                     "this layout of layers is not supported; state the model by its dimensions"))


Fields = dict[str, int | float | bool]


def _dense(config: _Config, tied: bool = False) -> Fields:
    """Llama and its relatives: grouped queries, gated feed-forward."""
    hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
    return {
        "layers": config.count("num_hidden_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": config.count("num_key_value_heads", default=heads),
        "head_dim": config.count("head_dim", default=hidden // heads if heads else 0),
        "ffn": config.count("intermediate_size"),
        "vocab": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", tied),
        "max_context": config.count("max_position_embeddings", default=0),
    }


def _windowed(config: _Config) -> Fields:
    """Mistral and Phi-3: every layer is windowed when there is a window."""
    window = config.count("sliding_window", default=0)
    return _dense(config) | ({"sliding_window": window, "global_layer_share": 0.0} if window else {})


def _qwen(config: _Config) -> Fields:
    """Qwen 2 and 3: layers from `max_window_layers` on are windowed, where windows are switched on."""
    fields = _dense(config)
    window = config.count("sliding_window", default=0)
    if not window or not config.flag("use_sliding_window", False):
        return fields
    full = min(config.count("max_window_layers"), int(fields["layers"]))
    return fields | {"sliding_window": window,
                     "global_layer_share": config.full_attention_share(int(fields["layers"]), full / fields["layers"])}


def _gemma(config: _Config, period: int) -> Fields:
    """Gemma: tied embeddings; one layer in `period` has full attention."""
    fields = _dense(config, tied=True)
    layers = int(fields["layers"])
    period = config.count("sliding_window_pattern", default=period)
    share = (layers // period) / layers if layers else 1.0
    return fields | {"sliding_window": config.count("sliding_window"),
                     "global_layer_share": config.full_attention_share(layers, share)}


def _mixtral(config: _Config) -> Fields:
    return _windowed(config) | {"experts": config.count("num_local_experts"),
                                "experts_per_token": config.count("num_experts_per_tok"),
                                "expert_ffn": config.count("intermediate_size")}


def _qwen_moe(config: _Config) -> Fields:
    config.only("decoder_sparse_step", 1)
    config.only("mlp_only_layers", [])
    shared = config.count("shared_expert_intermediate_size", default=0)
    return _qwen(config) | {"experts": config.count("num_experts", "num_local_experts"),
                            "experts_per_token": config.count("num_experts_per_tok"),
                            "expert_ffn": config.count("moe_intermediate_size"),
                            "shared_experts": 1 if shared else 0, "shared_expert_ffn": shared}


def _gpt_oss(config: _Config) -> Fields:
    fields = _dense(config)
    return fields | {"experts": config.count("num_local_experts", "num_experts"),
                     "experts_per_token": config.count("num_experts_per_tok", "experts_per_token"),
                     "expert_ffn": config.count("intermediate_size"),
                     "sliding_window": config.count("sliding_window"),
                     "global_layer_share": config.full_attention_share(int(fields["layers"]), 0.5)}


def _deepseek(config: _Config) -> Fields:
    """DeepSeek 2 and 3: latent attention, routed and shared experts after leading dense layers."""
    config.only("moe_layer_freq", 1)
    expert = config.count("moe_intermediate_size")
    return _dense(config) | {
        "head_dim": config.count("qk_nope_head_dim"),
        "rope_head_dim": config.count("qk_rope_head_dim"),
        "v_head_dim": config.count("v_head_dim"),
        "kv_lora_rank": config.count("kv_lora_rank"),
        "q_lora_rank": config.count("q_lora_rank", default=0),
        "experts": config.count("n_routed_experts"),
        "experts_per_token": config.count("num_experts_per_tok"),
        "expert_ffn": expert,
        "shared_experts": config.count("n_shared_experts", default=0),
        "shared_expert_ffn": expert,
        "dense_layers": config.count("first_k_dense_replace", default=0),
    }


def _plain(config: _Config, ffn: str) -> Fields:
    """GPT-2, OPT, BLOOM: every head has its own keys, two matrices in the feed-forward, tied embeddings."""
    hidden = config.count("hidden_size", "n_embd", "n_embed")
    heads = config.count("num_attention_heads", "n_head")
    return {
        "layers": config.count("num_hidden_layers", "n_layer"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": heads,
        "head_dim": hidden // heads if heads else 0,
        "ffn": config.count(ffn, default=4 * hidden),
        "vocab": config.count("vocab_size"),
        "gated_ffn": False,
        "tied_embeddings": config.flag("tie_word_embeddings", True),
        "max_context": config.count("max_position_embeddings", "n_positions", "seq_length", default=0),
    }


def _falcon(config: _Config) -> Fields:
    fields = _plain(config, "ffn_hidden_size")
    if config.flag("new_decoder_architecture", False):
        return fields | {"kv_heads": config.count("num_kv_heads", "n_head_kv", default=int(fields["heads"]))}
    return fields | {"kv_heads": 1 if config.flag("multi_query", True) else fields["heads"]}


FAMILIES: Mapping[str, Callable[[_Config], Fields]] = {
    "bloom": lambda config: _plain(config, "n_inner"),
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
    "falcon": _falcon,
    "gemma2": lambda config: _gemma(config, 2),
    "gemma3": lambda config: _gemma(config, 6),
    "gemma3_text": lambda config: _gemma(config, 6),
    "gpt2": lambda config: _plain(config, "n_inner"),
    "gpt_oss": _gpt_oss,
    "kimi_k2": _deepseek,
    "llama": _dense,
    "mistral": _windowed,
    "mixtral": _mixtral,
    "opt": lambda config: _plain(config, "ffn_dim"),
    "phi3": _windowed,
    "qwen2": _qwen,
    "qwen2_moe": _qwen_moe,
    "qwen3": _qwen,
    "qwen3_moe": _qwen_moe,
}
"""Model type of a configuration -> its reader."""


def read_model(path: Path) -> LLM:
    """Read the ``config.json`` of a language model.

    Raises `BadFile` when the file is missing or no JSON object, `UnknownName` with the known types for another
    ``model_type``, `BadValue` with every missing or impossible field.
    """
    text = read_text(path)
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFile(Fault(f"{path}:{error.lineno}", f"is not JSON: {error.msg}", "a config.json",
                            "take config.json as the model's makers publish it")) from error
    if not isinstance(values, dict):
        raise BadFile(Fault(str(path), f"holds {type(values).__name__}", "a JSON object",
                            "take config.json as the model's makers publish it"))
    kind = str(values.get("model_type", ""))
    if kind not in FAMILIES:
        raise unknown("model_type", kind, list(FAMILIES), f"{path}: model_type")
    inner = values.get("text_config")
    config = _Config({**values, **inner} if isinstance(inner, dict) else values, str(path))
    fields = FAMILIES[kind](config)
    config.faults += [Fault(f"{path}: {name}", "0", "a positive number", "take config.json as its makers publish it")
                      for name in ("layers", "hidden", "heads", "vocab") if not fields[name] and not config.faults]
    if config.faults:
        raise BadValue(*dict.fromkeys(config.faults))
    name = path.parent.resolve().name if path.stem == "config" else path.stem
    return LLM(name=name, **fields)  # type: ignore[arg-type]
