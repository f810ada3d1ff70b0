"""Loader, as-of view and files: each kind of bad input gives its message, good input its record."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabless.catalogue import Catalogue, embedded_trace, load, read_chip, read_model, read_trace, write_chip
from fabless.catalogue.facts.read import FACT_COLUMNS
from fabless.catalogue.facts.store import INSTRUMENTS
from fabless.catalogue.files.own import chip_from_mapping
from fabless.errors import BadFile, BadValue, FablessError, Leak, UnknownName
from fabless.records import Chip, Grade

OCTOBER_2023 = dt.date(2023, 10, 31)
HEADER = ",".join(FACT_COLUMNS)
GOOD = "my-chip,memory_capacity,80,,,GB,,,2023-01-01,vendor claim,mine,"
SOURCES = "id,title,url,date\nmine,My own notes,,2023-01-01\n"


@pytest.fixture(scope="module")
def everything() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def october() -> Catalogue:
    return load(OCTOBER_2023)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "sources.csv").write_text(SOURCES)
    return tmp_path / "chips.csv"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join((HEADER, *lines)) + "\n")
    return path


# ------------------------------------------------------------------------------------------------------
# good rows


def test_a_users_fact_is_read_in_si_with_its_place(own: Path) -> None:
    catalogue = load(
        extra=write(
            own, GOOD, "my-chip,price_list,2,1,3,thousand USD,2023,2023,2023-01-01,press,mine,dear"
        )
    )
    fact = catalogue.fact("my-chip", "memory_capacity")
    assert (fact.value, fact.unit, fact.grade, fact.source.title) == (80e9, "GB", Grade.VENDOR_CLAIM, "My own notes")
    assert fact.place == f"{own}:2"
    price = catalogue.fact("my-chip", "price_list")
    assert (price.low, price.value, price.high, price.price_year, price.note) == (1e3, 2e3, 3e3, 2023, "dear")
    assert "my-chip" in catalogue.chips()


def test_a_users_fact_replaces_the_shipped_one_of_the_same_period(own: Path, everything: Catalogue) -> None:
    catalogue = load(extra=write(own, "h100-sxm,tdp,650,,,W,,,2020-01-01,assumption,mine,"))
    assert catalogue.chip("h100-sxm").tdp_w == 650.0
    assert everything.chip("h100-sxm").tdp_w == 700.0
    assert catalogue.digest != everything.digest


def test_a_folder_of_own_facts_is_read(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "sources.csv").write_text(SOURCES)
    write(tmp_path / "facts" / "chips.csv", GOOD)
    assert "my-chip" in load(extra=tmp_path).chips()


def test_the_digest_is_that_of_the_files(everything: Catalogue) -> None:
    assert load().digest == everything.digest
    assert len(everything.digest) == 12


def test_the_digest_sees_every_users_fact(own: Path) -> None:
    digests = {load(extra=write(own, GOOD.replace("80", size))).digest for size in ("80", "81", "82")}
    assert len(digests) == 3


# -------------------------------------------------------------------------------------------------------
# bad rows

BAD_ROWS = {
    "unit": (GOOD.replace("GB", "Gb"), "unknown unit 'Gb'", "GB"),
    "number": (
        GOOD.replace("80", "eighty"), "'eighty' is not a finite number", "leave the row out",
    ),
    "nan": (GOOD.replace("80", "nan"), "'nan' is not a finite number", "leave the row out"),
    "infinite": (GOOD.replace("80", "inf"), "'inf' is not a finite number", "leave the row out"),
    "empty": (GOOD.replace("80", ""), "'' is not a finite number", "leave the row out"),
    "zero": (GOOD.replace("80", "0"), "value 0 GB", "leave the row out"),
    "negative": (GOOD.replace("80", "-80"), "value -80 GB", "a byte is positive"),
    "reversed": (
        GOOD.replace("80,,", "80,90,70"), "low 90, value 80, high 70", "low <= value <= high",
    ),
    "low above": (GOOD.replace("80,,", "80,81,"), "low 81, value 80, high ", "rising order"),
    "high below": (GOOD.replace("80,,", "80,,79"), "low , value 80, high 79", "rising order"),
    "source": (GOOD.replace("mine", "mein"), "unknown source 'mein'", "did you mean mine"),
    "date": (
        GOOD.replace("2023-01-01", "2023-02-30"), "known '2023-02-30' is not a date", "YYYY-MM-DD",
    ),
    "grade": (GOOD.replace("vendor claim", "vendor"), "unknown grade 'vendor'", "vendor claim"),
    "period": (GOOD.replace("GB,,", "GB,Q3 2024,"), "period 'Q3 2024'", "2024Q3"),
    "entity": (GOOD.replace("my-chip", "My Chip"), "entity 'My Chip'", "small letters"),
    "price year": (
        "my-chip,price_list,2,,,USD,2023,,2023-01-01,press,mine,", "money without a price year",
        "a year",
    ),
    "price year form": (
        "my-chip,price_list,2,,,USD,,23,2023-01-01,press,mine,", "price year '23'", "four digits",
    ),
    "text": ("my-chip,vendor,,,,text,,,2023-01-01,press,mine,", "empty text", "leave the row out"),
    "band on text": (
        "my-chip,vendor,me,1,,text,,,2023-01-01,press,mine,", "low on a text", "a band on a number",
    ),
    "day": (
        "my-chip,announced,2023,,,date,,,2023-01-01,press,mine,", "value '2023' is not a date",
        "YYYY-MM-DD",
    ),
}


@pytest.mark.parametrize(("row", "found", "hint"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_each_bad_row_names_line_finding_and_remedy(
    own: Path, row: str, found: str, hint: str
) -> None:
    with pytest.raises(BadValue) as caught:
        load(extra=write(own, row))
    (fault,) = caught.value.faults
    assert fault.place == f"{own}:2"
    assert found in fault.found
    assert hint in f"{fault.allowed} {fault.remedy}"


def test_all_faults_of_all_rows_are_reported_at_once(own: Path) -> None:
    rows = [row for row, _, _ in BAD_ROWS.values()]
    with pytest.raises(BadValue) as caught:
        load(extra=write(own, *rows))
    assert {fault.place for fault in caught.value.faults} == {f"{own}:{line}" for line in range(2, len(rows) + 2)}


def test_a_fact_twice_names_both_lines(own: Path) -> None:
    with pytest.raises(
        BadValue, match=r"chips.csv:3: my-chip memory_capacity  2023-01-01 for the second time"
    ) as caught:
        load(extra=write(own, GOOD, GOOD))
    assert f"{own}:2" in caught.value.faults[0].remedy


def test_source_tables_are_checked(own: Path) -> None:
    write(own, GOOD)
    (own.parent / "sources.csv").write_text(SOURCES + "mine,Again,,\nother,,,\n")
    with pytest.raises(BadValue) as caught:
        load(extra=own)
    assert [
        "second time" in str(fault) or "without id or title" in str(fault)
        for fault in caught.value.faults
    ] == [True] * 2


BAD_FILES = {
    "missing": (None, "cannot be read|does not exist"),
    "binary": (b"\xff\xfe\x00\x81", "is not text"),
    "zeros": (b"a\0b", "zero bytes"),
    "empty": (b"", "is empty"),
    "columns": (b"entity,field,value\n", "column low, high, unit"),
    "cells": (f"{HEADER}\nmy-chip,tdp\n".encode(), "2 cells"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_each_bad_facts_file_gives_its_message(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "chips.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadFile, match=message) as caught:
        load(extra=path)
    assert str(path) in caught.value.faults[0].place


def test_a_folder_in_place_of_a_file_is_a_bad_file(tmp_path: Path) -> None:
    for read in (read_chip, read_model, read_trace):
        with pytest.raises(BadFile, match="cannot be read"):
            read(tmp_path)


# ------------------------------------------------------------------------------------------------------
# as-of view


@pytest.mark.parametrize(
    ("entity", "field"),
    [
        ("h200", "peak_bf16"),
        ("b200", "memory_capacity"),
        ("mi300x", "peak_bf16"),
        ("llama-3.1-70b", "layers"),
        ("openai", "compute_h100e"),
        ("tpu-v5e", "price_average"),
        ("nvidia", "share_units"),
    ],
)
def test_october_2023_cannot_see_what_came_later(
    october: Catalogue, everything: Catalogue, entity: str, field: str
) -> None:
    assert everything.fact(entity, field).known > OCTOBER_2023
    with pytest.raises(Leak, match=rf"{entity} {field} became known on 20"):
        october.fact(entity, field)


@pytest.mark.parametrize(
    "chip", ["h200", "b200", "gb200", "mi325x", "tpu-v6e", "trainium2", "maia-100", "jalapeno"]
)
def test_later_chips_are_neither_listed_nor_built_in_october_2023(
    october: Catalogue, chip: str
) -> None:
    assert chip not in october.chips()
    with pytest.raises(Leak, match=rf"{chip} became known"):
        october.chip(chip)


def test_nothing_visible_was_known_later(october: Catalogue) -> None:
    topics = set(october.topics) - set(INSTRUMENTS)
    for entity in {name for topic in topics for name in october.entities(topic)}:
        assert all(fact.known <= OCTOBER_2023 for fact in october.facts_of(entity))


def test_known_chips_are_there_in_october_2023(october: Catalogue) -> None:
    assert {"h100-sxm", "a100-80gb", "tpu-v5e", "trainium1", "inferentia2", "mi300x", "gaudi2"} <= set(october.chips())
    assert october.chip("h100-sxm").memory_bandwidth == 3.35e12


def test_a_record_of_silicon_names_every_fact_that_is_missing(own: Path) -> None:
    price = "my-node,wafer_price,9,8,12,thousand USD,,2023,2023-01-01,press,mine,"
    nodes = load(extra=write(own.with_name("nodes.csv"), price))
    with pytest.raises(BadValue, match="process node my-node: no visible fact gives defect_density, clustering"):
        nodes.node("my-node")


def test_a_chip_whose_rate_was_not_public_says_which_fact_is_missing(october: Catalogue) -> None:
    assert october.fact("mi300x", "memory_capacity").value == 192e9
    with pytest.raises(BadValue, match="no visible fact gives peak_bf16"):
        october.chip("mi300x")


def test_the_newest_visible_fact_wins(october: Catalogue, everything: Catalogue) -> None:
    assert october.fact("us-cpi", "index", "2023").value == 304.0
    assert everything.fact("us-cpi", "index", "2023").value == 304.702
    assert everything.fact("us-cpi", "index", "2022").value == 292.655
    assert [fact.known.year for fact in everything.why("mi300x", "memory_bandwidth")] == [2023, 2023]


def test_series_runs_by_period_with_one_fact_each(everything: Catalogue) -> None:
    series = everything.series("us-cpi", "index")
    assert [fact.period for fact in series] == [str(year) for year in range(2015, 2026)]
    assert series[8].value == 304.702


def test_range_is_the_band_or_a_point(everything: Catalogue) -> None:
    band = everything.range("h100-sxm", "price_street", "2023-08")
    assert (band.low, band.mode, band.high) == (25_000.0, 27_500.0, 30_000.0)
    point = everything.range("h100-sxm", "tdp")
    assert point.low == point.mode == point.high == 700.0
    with pytest.raises(BadValue, match="vendor is text"):
        everything.range("h100-sxm", "vendor")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.chip("h100-sx"), "unknown chip 'h100-sx'(.|\n)*did you mean h100-"),
        (lambda c: c.model("llama-70b"), "unknown model 'llama-70b'(.|\n)*llama-.*70b"),
        (lambda c: c.fact("h100-smx", "tdp"), "unknown entity 'h100-smx'(.|\n)*h100-sxm"),
        (
            lambda c: c.fact("h100-sxm", "memory_bandwith"),
            "unknown field of h100-sxm(.|\n)*memory_bandwidth",
        ),
        (lambda c: c.fact("us-cpi", "index", "2032"), "unknown period(.|\n)*2023"),
        (lambda c: c.node("n4"), "unknown process node 'n4'"),
        (lambda c: c.memory("hbm5"), "unknown memory type 'hbm5'(.|\n)*hbm"),
        (lambda c: c.packaging("cowos-x"), "unknown packaging service(.|\n)*cowos-[ls]"),
        (lambda c: c.entities("chip"), "unknown topic 'chip'(.|\n)*chips"),
    ],
)
def test_unknown_names_suggest_the_nearest(everything: Catalogue, ask, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        ask(everything)


def test_what_a_chip_inherits_is_said(everything: Catalogue) -> None:
    assert everything.chip("h100-sxm").assumed == ()
    card = everything.chip("kunlun-ii")
    assert [text.split(":")[0] for text in card.assumed] == [
        "scale_up_bandwidth", "scale_up_domain", "scale_out_bandwidth"]
    assert card.scale_up_domain == 1
    # power of a chip that publishes none: the stand-in's energy per operation times the 16-bit rate
    chip = everything.chip("trainium1")
    assert chip.tdp_w == pytest.approx(0.71e-12 * 191e12)
    assert any(text.startswith("tdp: no source") for text in chip.assumed)


# -----------------------------------------------------------------------------------------------------
# chip files

CHIP_YAML = """\
name: my-chip
peak: {bf16: 800 TFLOP/s, fp8: 1.6 PFLOP/s}
memory_capacity: 96 GB
memory_bandwidth: 3.35 TB/s
scale_up_bandwidth: 450 GB/s
scale_up_domain: 8
scale_out_bandwidth: 400 Gb/s
tdp: 700 W
die_area: [814 mm2, 100 mm2]
announced: 2023-10-31
"""


def test_a_chip_file_is_read_in_si(tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    path.write_text(CHIP_YAML)
    chip = read_chip(path)
    assert chip.peak_flops == {"bf16": 8e14, "fp8": 1.6e15}
    assert (chip.memory_bytes, chip.memory_bandwidth, chip.scale_out_bandwidth) == (96e9, 3.35e12, 50e9)
    assert chip.die_area_m2 == pytest.approx((814e-6, 100e-6))
    assert (chip.kind, chip.announced) == ("hypothetical", dt.date(2023, 10, 31))
    assert chip.efficiency is None


def test_a_chip_file_may_name_a_class_of_efficiencies(tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    path.write_text(CHIP_YAML + "efficiency: nvidia-hopper\n")
    chip = read_chip(path)
    assert chip.efficiency == "nvidia-hopper"
    write_chip(chip, path)
    assert read_chip(path).efficiency == "nvidia-hopper"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("memory_capacity: 96 GB\n", "", "memory_capacity: missing"),
        ("96 GB", "96", "memory_capacity: '96' is not a number with a unit"),
        ("96 GB", "96 GB/s", "memory_capacity: 'GB/s' is a unit of byte rate"),
        ("96 GB", "96 Gb", "unknown unit 'Gb'"),
        ("96 GB", "0 GB", "memory_capacity: 0 GB"),
        ("96 GB", "9.6.1 GB", "memory_capacity: '9.6.1 GB' is not a number"),
        ("tdp", "tpd", "tpd: unknown field(.|\n)*did you mean tdp"),
        ("bf16", "bf61", "peak.bf61: unknown precision(.|\n)*bf16"),
        ("{bf16: 800 TFLOP/s, fp8: 1.6 PFLOP/s}", "{}", "peak: {}"),
        ("scale_up_domain: 8", "scale_up_domain: eight", "scale_up_domain: 'eight'"),
        ("2023-10-31", "October", "announced: 'October'"),
    ],
)
def test_each_bad_field_of_a_chip_file_gives_its_message(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "chip.yaml"
    path.write_text(CHIP_YAML.replace(old, new))
    with pytest.raises(BadValue, match=message) as caught:
        read_chip(path)
    assert all(fault.place.startswith(str(path)) for fault in caught.value.faults)


def test_all_faults_of_a_chip_are_reported_at_once() -> None:
    with pytest.raises(BadValue) as caught:
        chip_from_mapping({"name": "x", "tdp": "-1 W", "color": "red"}, "case.yaml: chips.x")
    assert len(caught.value.faults) == 8  # six fields missing, one unknown, one negative


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a\n- b\n", "holds one list"), ("a: [", "is not YAML"), ("", "is empty")],
)
def test_a_chip_file_of_another_form_is_a_bad_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "chip.yaml"
    path.write_text(text)
    with pytest.raises(BadFile, match=message):
        read_chip(path)


def test_shipped_chips_survive_writing_and_reading(everything: Catalogue, tmp_path: Path) -> None:
    for name in ("h100-sxm", "tpu-v5e", "mi300x", "trainium2"):
        chip = dataclasses.replace(everything.chip(name), assumed=())
        write_chip(chip, tmp_path / "chip.yaml")
        again = read_chip(tmp_path / "chip.yaml")
        assert again.peak_flops == pytest.approx(chip.peak_flops)
        assert again.die_area_m2 == pytest.approx(chip.die_area_m2)
        assert dataclasses.replace(again, peak_flops=chip.peak_flops, die_area_m2=chip.die_area_m2) == chip


sizes = st.floats(1e-3, 1e6)


@settings(max_examples=30)
@given(sizes, sizes, sizes, sizes, sizes, st.integers(1, 100_000))
def test_any_chip_survives_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory,
    rate: float,
    memory: float,
    bandwidth: float,
    link: float,
    power: float,
    domain: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    chip = Chip(
        name="any", vendor="me", peak_flops={"fp16": rate * 1e9}, memory_bytes=memory,
        memory_bandwidth=bandwidth, scale_up_bandwidth=link, scale_up_domain=domain,
        scale_out_bandwidth=link / 3, tdp_w=power)
    write_chip(chip, path)
    again = read_chip(path)
    for field in ("memory_bytes", "memory_bandwidth", "scale_up_bandwidth", "scale_out_bandwidth", "tdp_w"):
        assert math.isclose(getattr(again, field), getattr(chip, field), rel_tol=1e-11)
    assert again.scale_up_domain == domain


# ----------------------------------------------------------------------------------------------------
# model files


def config(**fields: object) -> str:
    return json.dumps(fields)


LLAMA = {
    "model_type": "llama",
    "hidden_size": 8192,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "intermediate_size": 28672,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
}
GPT2 = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024}


def model_of(tmp_path: Path, fields: dict[str, object]):
    folder = tmp_path / "my-model"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(fields))
    return read_model(folder / "config.json")


def test_a_llama_configuration_is_the_shipped_llama(tmp_path: Path, everything: Catalogue) -> None:
    read, shipped = model_of(tmp_path, LLAMA), everything.model("llama-3.1-70b")
    assert read.name == "my-model"
    for field in (
        "layers",
        "hidden",
        "heads",
        "kv_heads",
        "head_dim",
        "ffn",
        "vocab",
        "gated_ffn",
        "tied_embeddings",
        "max_context",
    ):
        assert getattr(read, field) == getattr(shipped, field)


def test_what_a_configuration_leaves_out_takes_the_default_of_its_class(tmp_path: Path) -> None:
    model = model_of(tmp_path, {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"})
    assert (model.kv_heads, model.head_dim, model.tied_embeddings) == (64, 128, False)


# The published shapes: hand-copied from each maker's config.json on huggingface.co.
FAMILIES = {
    "gpt2": (
        GPT2,
        {
            "kv_heads": 12, "head_dim": 64, "ffn": 3072, "gated_ffn": False,
            "tied_embeddings": True, "max_context": 1024,
        },
    ),
    "opt": (
        {
            "model_type": "opt", "hidden_size": 12288, "num_hidden_layers": 96,
            "num_attention_heads": 96, "ffn_dim": 49152, "vocab_size": 50272,
        },
        {"ffn": 49152, "kv_heads": 96, "gated_ffn": False},
    ),
    "bloom": (
        {
            "model_type": "bloom", "n_embed": 14336, "n_layer": 70, "num_attention_heads": 112,
            "vocab_size": 250880,
        },
        {"hidden": 14336, "ffn": 57344, "head_dim": 128},
    ),
    "falcon-7b": (
        {
            "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32,
            "num_attention_heads": 71, "vocab_size": 65024, "multi_query": True,
        },
        {"kv_heads": 1, "ffn": 18176, "head_dim": 64},
    ),
    "falcon-40b": (
        {
            "model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60,
            "num_attention_heads": 128, "num_kv_heads": 8, "new_decoder_architecture": True,
            "vocab_size": 65024,
        },
        {"kv_heads": 8},
    ),
    "mistral": (
        LLAMA | {"model_type": "mistral", "sliding_window": 4096},
        {"sliding_window": 4096, "global_layer_share": 0.0},
    ),
    "mistral without window": (
        LLAMA | {"model_type": "mistral", "sliding_window": None}, {"sliding_window": 0},
    ),
    "mixtral": (
        LLAMA
        | {
            "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2,
            "sliding_window": None,
        },
        {"experts": 8, "experts_per_token": 2, "expert_ffn": 28672},
    ),
    "phi3": (LLAMA | {"model_type": "phi3", "sliding_window": 2047}, {"sliding_window": 2047}),
    "qwen2": (
        LLAMA | {"model_type": "qwen2", "sliding_window": 131072, "use_sliding_window": False},
        {"sliding_window": 0},
    ),
    "qwen2 windowed": (
        LLAMA
        | {
            "model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": True,
            "max_window_layers": 60,
        },
        {"sliding_window": 4096, "global_layer_share": 0.75},
    ),
    "qwen2_moe": (
        LLAMA
        | {
            "model_type": "qwen2_moe", "num_experts": 60, "num_experts_per_tok": 4,
            "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
            "decoder_sparse_step": 1,
        },
        {"experts": 60, "shared_experts": 1, "shared_expert_ffn": 5632, "expert_ffn": 1408},
    ),
    "qwen3_moe": (
        LLAMA
        | {
            "model_type": "qwen3_moe", "num_experts": 128, "num_experts_per_tok": 8,
            "head_dim": 128, "moe_intermediate_size": 768, "mlp_only_layers": [],
        },
        {"experts": 128, "shared_experts": 0, "head_dim": 128},
    ),
    "gemma2": (
        LLAMA
        | {
            "model_type": "gemma2", "num_hidden_layers": 46, "sliding_window": 4096,
            "head_dim": 128,
        },
        {"sliding_window": 4096, "global_layer_share": 0.5, "tied_embeddings": True},
    ),
    "gemma3": (
        {
            "model_type": "gemma3",
            "text_config": LLAMA
            | {"num_hidden_layers": 62, "sliding_window": 1024, "head_dim": 128},
        },
        {"layers": 62, "global_layer_share": 10 / 62},
    ),
    "gpt_oss": (
        LLAMA
        | {
            "model_type": "gpt_oss", "num_local_experts": 32, "num_experts_per_tok": 4,
            "sliding_window": 128, "layer_types": ["sliding_attention", "full_attention"] * 40,
        },
        {"experts": 32, "sliding_window": 128, "global_layer_share": 0.5},
    ),
    "deepseek_v3": (
        LLAMA
        | {
            "model_type": "deepseek_v3", "n_routed_experts": 256, "num_experts_per_tok": 8,
            "n_shared_experts": 1, "moe_intermediate_size": 2048, "first_k_dense_replace": 3,
            "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_layer_freq": 1,
        },
        {
            "kv_lora_rank": 512, "head_dim": 128, "rope_head_dim": 64, "dense_layers": 3,
            "shared_expert_ffn": 2048,
        },
    ),
    "deepseek_v2 lite": (
        LLAMA
        | {
            "model_type": "deepseek_v2",
            "n_routed_experts": 64,
            "num_experts_per_tok": 6,
            "n_shared_experts": 2,
            "moe_intermediate_size": 1408,
            "first_k_dense_replace": 1,
            "q_lora_rank": None,
            "kv_lora_rank": 512,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
        },
        {"q_lora_rank": 0, "experts": 64},
    ),
}


@pytest.mark.parametrize(("fields", "expected"), FAMILIES.values(), ids=FAMILIES)
def test_each_family_of_configurations_is_read(
    tmp_path: Path, fields: dict[str, object], expected: dict[str, object]
) -> None:
    model = model_of(tmp_path, fields)
    assert {name: getattr(model, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            config(**{**LLAMA, "model_type": "lama"}), UnknownName,
            "unknown model_type 'lama'(.|\n)*llama",
        ),
        (config(hidden_size=1), UnknownName, "unknown model_type ''"),
        (
            config(model_type="llama", hidden_size=8192),
            BadValue,
            "num_attention_heads: missing(.|\n)*vocab_size: missing",
        ),
        (config(**{**LLAMA, "hidden_size": "8192"}), BadValue, "hidden_size: '8192'"),
        (config(**{**LLAMA, "num_hidden_layers": -1}), BadValue, "num_hidden_layers: -1"),
        (config(**{**LLAMA, "num_hidden_layers": 0}), BadValue, "layers: 0"),
        (
            config(
                **{
                    **LLAMA,
                    "model_type": "qwen3_moe",
                    "num_experts": 8,
                    "num_experts_per_tok": 2,
                    "moe_intermediate_size": 64,
                    "decoder_sparse_step": "2",
                }
            ),
            BadValue,
            "decoder_sparse_step: '2'",
        ),
        ("{", BadFile, "config.json:1: is not JSON"),
        ("[1]", BadFile, "holds list"),
    ],
)
def test_each_bad_configuration_gives_its_message(
    tmp_path: Path, text: str, kind: type[FablessError], message: str
) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(kind, match=message):
        read_model(path)


# ---------------------------------------------------------------------------------------------------------
# traces

TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def test_a_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(TRACE + "2023-11-16 18:00:01.5000000,100,10\n2023-11-16 18:00:00,300,30\n")
    trace = read_trace(path)
    assert trace.arrival_s.tolist() == [1.5, 0.0]
    assert (trace.request.input_tokens, trace.request.output_tokens, trace.request.source) == (200.0, 20.0, "mine")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", BadFile, "mine.csv:1: is empty"),
        (TRACE, BadFile, "no request after the first line"),
        ("TIMESTAMP,ContextTokens\n2023-11-16,1\n", BadFile, "column GeneratedTokens missing"),
        (TRACE + "2023-11-16,1\n", BadFile, "mine.csv:2: 2 cells"),
        (TRACE + "2023-11-16,1,1\n2023-11-16,NaN,1\n", BadValue, "mine.csv:3: ContextTokens 'NaN'"),
        (TRACE + "2023-11-16,1,-1\n", BadValue, "mine.csv:2: GeneratedTokens '-1'"),
        (TRACE + "2023-11-16,1,\n", BadValue, "mine.csv:2: GeneratedTokens ''"),
        (TRACE + "yesterday,1,1\n", BadValue, "mine.csv:2: TIMESTAMP 'yesterday'"),
        (
            TRACE + "2023-11-16,1,1\n2023-11-16T00:00Z,1,1\n", BadValue,
            "with and without a time zone",
        ),
        (TRACE + "2023-11-16,x,1\n" * 30, BadValue, "10 more faults"),
    ],
)
def test_each_bad_trace_gives_its_message(
    tmp_path: Path, text: str, kind: type[FablessError], message: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(kind, match=message):
        read_trace(path)


# Counts and means of Azure/AzurePublicDataset as its own notebook gives them: 19,366 and 8,819
# requests.
@pytest.mark.parametrize(
    ("name", "requests", "inputs", "outputs"),
    [("azure-2023-conversation", 19_366, 1155, 211), ("azure-2023-code", 8_819, 2048, 28)],
)
def test_shipped_traces_have_the_published_shape(
    name: str, requests: int, inputs: int, outputs: int
) -> None:
    trace = embedded_trace(name)
    assert trace.input_tokens.size == trace.output_tokens.size == trace.arrival_s.size == requests
    assert (round(trace.request.input_tokens), round(trace.request.output_tokens)) == (inputs, outputs)
    assert 3300 < trace.arrival_s.max() < 3700  # one hour
    assert np.all(np.diff(trace.arrival_s) >= 0)


def test_an_unknown_trace_names_the_shipped_ones() -> None:
    with pytest.raises(UnknownName, match="azure-2023-code"):
        embedded_trace("azure-code")


@pytest.mark.parametrize(("chip", "field", "day", "value"), [
    ("mi455x", "memory_bandwidth", "2026-02-01", 19.6e12), ("mi455x", "memory_bandwidth", "2026-07-01", 23.3e12),
    ("ascend-950pr", "memory_capacity", "2025-10-01", 128e9), ("ascend-950pr", "memory_capacity", "2026-04-01", 112e9),
])
def test_what_a_chip_became_stands_beside_what_was_announced(chip: str, field: str, day: str, value: float) -> None:
    assert load(dt.date.fromisoformat(day)).fact(chip, field).value == value


def test_an_estimate_is_not_seen_before_it_was_made() -> None:
    with pytest.raises(Leak, match="vr200 tdp became known on 2026-08-22"):
        load(dt.date(2026, 2, 1)).fact("vr200", "tdp")
