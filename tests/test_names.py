"""Chips and models by the names that people use for them."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from fabless.catalogue import DATA, Catalogue, load
from fabless.catalogue.facts.names import Names, key, read_names, resolve
from fabless.errors import BadFile, BadValue, Leak, UnknownName


@pytest.fixture(scope="module")
def everything() -> Catalogue:
    return load()


MODELS = {
    "llama-3.1-70b": (
        "meta-llama/Llama-3.1-70B-Instruct", "Llama-3.1-70B", "llama3.1-70b",
        "Meta-Llama-3.1-70B-Instruct", "LLAMA_3_1_70B", "llama 3.1 70b",
        "RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8-dynamic", "amd/Llama-3.1-70B-Instruct-FP8-KV",
        "Llama-3.3-70B-Instruct", "nvidia/Llama-3.3-70B-Instruct-FP8",
    ),
    "llama-2-70b": ("meta-llama/Llama-2-70b-chat-hf", "Llama2-70B", "Llama-2-70B LoRA"),
    "llama-4-maverick": (
        "Llama-4-Maverick-17B-128E-Instruct-FP8", "Llama4-Maverick-17B-128E", "llama4 maverick",
    ),
    "deepseek-r1": (
        "deepseek-ai/DeepSeek-R1", "DeepSeek-R1-0528", "nvidia/DeepSeek-R1-0528-NVFP4",
        "deepseek_r1",
    ),
    "deepseek-v3": (
        "DeepSeek-V3.1", "deepseek-ai/DeepSeek-V3-0324", "DeepSeekV3 (w/o MTP)", "DeepSeek-V3/R1",
    ),
    "deepseek-v3.2": ("deepseek-ai/DeepSeek-V3.2-Exp",),
    "qwen3-235b-a22b": (
        "Qwen3-235B-A22B-Instruct-2507-FP8", "Qwen/Qwen3-235B-A22B-Thinking-2507",
        "Qwen3-VL-235B-A22B",
    ),
    "qwen3-coder-480b-a35b": ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8",),
    "qwen2.5-32b": ("QwQ-32B", "Qwen2.5-32B-Instruct-AWQ", "Qwen/Qwen2.5-Coder-32B-Instruct"),
    "mistral-7b-v0.3": ("mistralai/Mistral-7B-Instruct-v0.3",),
    "mistral-7b": ("mistralai/Mistral-7B-Instruct-v0.1", "Mistral 7B"),
    "mixtral-8x7b": ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B"),
    "mistral-large-2": ("mistralai/Mistral-Large-Instruct-2407",),
    "gemma-3-27b": ("google/gemma-3-27b-it", "Gemma3 27B"),
    "kimi-k2": ("moonshotai/Kimi-K2-Instruct-0905", "Kimi K2"),
    "glm-5": ("zhipuai/GLM-5", "zai-org/GLM-5-FP8"),
    "phi-3-mini": ("microsoft/Phi-3-mini-128k-instruct",),
    "gpt-oss-120b": ("openai/gpt-oss-120b", "GPT-OSS 120B"),
    "nemotron-nano-9b-v2": ("nvidia/NVIDIA-Nemotron-Nano-9B-v2",),
    "nemotron-3-nano": ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Nemotron_3_Nano"),
    "command-r-plus": ("CohereForAI/c4ai-command-r-plus", "Command R+"),
}
CHIPS = {
    "h100-sxm": (
        "H100-SXM", "h100_sxm", "H100", "NVIDIA H100 80GB HBM3", "nvidia/h100-sxm", "H100 SXM5",
        "DGX H100",
    ),
    "h100-pcie": ("NVIDIA H100 PCIe",),
    "h200": ("H200-SXM", "h200_sxm", "NVIDIA H200", "H200 141GB", "H200-SXM-CTS"),
    "h200-nvl": ("H200-NVL", "NVIDIA H200 NVL"),
    "a100-80gb": ("A100-80GB", "A100-SXM", "NVIDIA A100-SXM4-80GB", "A100"),
    "a100-40gb": ("A100-SXM-40GB", "NVIDIA A100-SXM4-40GB", "A100-40GB"),
    "b200": ("B200-SXM", "b200_sxm", "NVIDIA B200"),
    "gb200": ("GB200", "GB200 NVL72", "gb200"),
    "rtx-pro-6000": ("RTXPRO6000-BW", "NVIDIA RTX PRO 6000 Blackwell Server Edition"),
    "rtx-4090": ("RTX4090", "NVIDIA GeForce RTX 4090", "4090"),
    "gb10": ("DGX-Spark-GB10", "DGX Spark"),
    "t4": ("Tesla T4",),
    "v100": ("Tesla V100-SXM2-32GB", "V100"),
    "mi300x": ("MI300X", "AMD Instinct MI300X OAM", "mi300x"),
    "tpu-v6e": ("TPU-v6e", "Trillium", "Cloud TPU v6e", "Google TPU v6e"),
    "tpu-v7": ("TPU-v7x", "Ironwood", "TPU7x"),
    "tpu-v5e": ("TPU v5e", "v5e"),
    "trainium2": ("Trainium2", "AWS Trainium 2", "Trn2"),
    "gaudi3": ("Intel Gaudi 3", "Gaudi3"),
    "arc-pro-b60": ("Intel Arc Pro B60", "B60"),
    "wormhole-n150": ("Tenstorrent-Wormhole",),
    "ascend-910c-die": ("Ascend-910C-die",),
}


@pytest.mark.parametrize(("name", "spellings"), MODELS.items(), ids=MODELS)
def test_models_by_customary_names(
    everything: Catalogue, name: str, spellings: tuple[str, ...]
) -> None:
    assert {text: everything.resolve("model", text) for text in spellings} == dict.fromkeys(spellings, name)
    assert everything.model(spellings[0]).name == name


@pytest.mark.parametrize(("name", "spellings"), CHIPS.items(), ids=CHIPS)
def test_chips_by_customary_names(
    everything: Catalogue, name: str, spellings: tuple[str, ...]
) -> None:
    assert {text: everything.resolve("chip", text) for text in spellings} == dict.fromkeys(spellings, name)
    assert everything.chip(spellings[0]).name == name


def test_every_name_of_the_catalogue_is_itself_and_every_display_name_resolves(everything: Catalogue) -> None:
    for kind, names in (("model", everything.models()), ("chip", everything.chips())):
        keys = [key(name) for name in names]
        assert len(set(keys)) == len(keys), "two names differ by punctuation only"
        for name in names:
            assert everything.resolve(kind, name) == name  # type: ignore[arg-type]
            assert everything.resolve(kind, name.upper().replace("-", "_")) == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        ("model", "Llama-9-70B-Instruct", "llama"),
        ("model", "gpt-4o", "choose one|did you mean"),
        ("chip", "h100-smx", "h100-sxm"),
        ("chip", "MI999X", "did you mean"),
        ("chip", "", "chip ''"),
        ("model", "Instruct", "unknown model 'Instruct'"),
    ],
)
def test_an_unknown_name_suggests(everything: Catalogue, kind, text: str, hint: str) -> None:
    with pytest.raises(UnknownName, match=hint):
        everything.resolve(kind, text)


def test_another_name_does_not_show_what_is_not_known_yet() -> None:
    with pytest.raises(Leak):
        load(dt.date(2023, 10, 31)).model("meta-llama/Llama-3.1-70B-Instruct")


def test_a_known_name_goes_before_a_shorter_one() -> None:
    names = Names({"big": "b"}, beginnings=("nvidia",), endings=("fp8", "chat"))
    assert resolve("model", "b-chat", ["b", "b-chat"], names) == "b-chat"
    assert resolve("model", "NVIDIA b.Chat_FP8", ["b"], names) == "b"
    assert resolve("model", "maker/BIG chat", ["b"], names) == "b"
    with pytest.raises(UnknownName):
        resolve("model", "big", ["c"], names)  # an alias of something that is not there


BAD = {
    "kind": ("fpga,x,b", "kind 'fpga'"),
    "nothing": ("model,--,b", "alias '--'"),
    "unknown": ("model,bee,bb", "unknown model 'bb'(.|\n)*did you mean b"),
    "twice": ("model,bee,b\nmodel,Bee,c", "'Bee' for 'c'(.|\n)*it is b"),
    "own name": ("model,c,b", "'c' for 'b'"),
    "ending with a name": ("model ending,chat,b", "name 'b' of a model ending"),
}


@pytest.mark.parametrize(("row", "message"), BAD.values(), ids=BAD)
def test_each_bad_row_gives_its_message(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "aliases.csv"
    path.write_text(f"kind,alias,name\n{row}\n")
    with pytest.raises(BadValue, match=message):
        read_names(path, {"model": ["b", "c"], "chip": []})


def test_a_table_without_its_columns_is_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "aliases.csv"
    path.write_text("kind,alias\n")
    with pytest.raises(BadFile, match="column name missing"):
        read_names(path, {"model": [], "chip": []})


def test_shipped_names_are_needed(everything: Catalogue) -> None:
    """No alias repeats what comparison and endings give anyway."""
    with (DATA / "aliases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for kind in ("chip", "model"):
        known = everything.topics[f"{kind}s"]
        bare = Names({}, everything.names[kind].beginnings, everything.names[kind].endings)
        idle = []
        for row in rows:
            if row["kind"] == kind:
                try:
                    if resolve(kind, row["alias"], known, bare) == row["name"]:
                        idle.append(row["alias"])
                except UnknownName:
                    continue
        assert idle == []
