"""Language models from a Hugging Face ``config.json``.

One function per family of configurations turns the family's own names into the fields of `LLM`.
What a configuration leaves out takes the default of that family's configuration class, never a
guess: a model type that is not in the table is an error, and so is a layout of layers that the
record cannot hold. Of a model that also sees or hears, the language model is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fabless.catalogue.facts.text import read_text
from fabless.catalogue.model_file.config import MAKERS, Config, Fields
from fabless.catalogue.model_file.families import FAMILIES, REFUSED
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.records import LLM

__all__ = ["FAMILIES", "parse_model", "read_model"]

_TEXT_PARTS = ("text_config", "llm_config", "language_config")
"""Where a model of several senses keeps its language model."""


def _json(text: str, place: str) -> dict[str, object]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFile(Fault(f"{place}:{error.lineno}", f"is not JSON: {error.msg}", "a config.json", MAKERS)) from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, endless brackets
        raise BadFile(Fault(place, f"is not JSON that can be read: {error}", "a config.json", MAKERS)) from error
    if not isinstance(values, dict):
        raise BadFile(Fault(place, f"holds {type(values).__name__}", "a JSON object", MAKERS))
    return values


def _family(values: Mapping[str, object], place: str) -> tuple[str, Mapping[str, object]]:
    """Model type and values of the language model: of the whole, or of its text part."""
    kind = str(values.get("model_type", ""))
    part = next((part for name in _TEXT_PARTS if isinstance(part := values.get(name), dict)), None)
    inner = str(part.get("model_type", "")) if part is not None else ""
    own = {**values, **part} if part is not None else values
    for name in (kind, inner):
        if name in FAMILIES:
            return name, own
    for name in (kind, inner):
        if name in REFUSED:
            raise BadValue(
                Fault(
                    f"{place}: model_type", f"{name!r}: {REFUSED[name]}",
                    f"one of {', '.join(sorted(FAMILIES))}",
                    "state the model by its dimensions in a facts file of your own (models.csv)",
                )
            )
    raise unknown("model_type", kind, sorted(FAMILIES), f"{place}: model_type")


def _check(config: Config, fields: Fields) -> None:
    """Faults of numbers that do not fit each other, once every one of them is there."""
    needed = ["layers", "hidden", "vocab"]
    if fields.get("attention_layers") != 0:
        needed += ["heads", "kv_heads", "head_dim"]
    if not fields.get("experts") and fields.get("ffn_layers") != 0:
        needed.append("ffn")
    for name in needed:
        if not fields[name]:
            config.fault(name, "0", "a positive number")
    heads, kv_heads = int(fields["heads"]), int(fields["kv_heads"])
    if heads and kv_heads and heads % kv_heads:
        config.fault("num_key_value_heads", f"{kv_heads} for {heads} attention heads", f"a divisor of {heads}")
    experts, used = int(fields.get("experts", 0)), int(fields.get("experts_per_token", 0))
    if experts and not 0 < used <= experts:
        config.fault("num_experts_per_tok", f"{used} of {experts} experts", f"1 to {experts}")
    if experts and not fields.get("expert_ffn"):
        config.fault("moe_intermediate_size", "0", "the width of an expert")
    kinds = int(fields.get("ffn_layers", fields["layers"]))
    if not 0 <= int(fields.get("dense_layers", 0)) <= kinds:
        config.fault("dense_layers", f"{fields['dense_layers']} of {kinds}", f"0 to {kinds}")


def read_model(path: Path) -> LLM:
    """Read the ``config.json`` of a language model; it is called by its file, or by its folder.

    Raises `BadFile` when the file is missing; errors of its text as `parse_model`.
    """
    name = path.parent.resolve().name if path.stem == "config" else path.stem
    return parse_model(read_text(path), str(path), name)


def parse_model(text: str, place: str, name: str) -> LLM:
    """Read a language model from the text of its ``config.json``.

    Raises `BadFile` when the text is no JSON object, `UnknownName` with the known types for another
    ``model_type``, `BadValue` for a type that the record cannot hold, and with every missing,
    impossible or inconsistent field.
    """
    kind, values = _family(_json(text, place), place)
    config = Config(values, place)
    fields = FAMILIES[kind](config)
    if not config.faults:
        _check(config, fields)
    if config.faults:
        raise BadValue(*dict.fromkeys(config.faults))
    return LLM(name=name, note="; ".join(config.notes), **fields)  # type: ignore[arg-type]
