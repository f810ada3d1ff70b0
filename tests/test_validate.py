"""Validation: readers of every layout, faults of files, statistics, JSON, the command, and the
limits of the model."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import spearmanr

from fabless import cli
from fabless.catalogue import Catalogue, load
from fabless.catalogue.files.measured import Table, read_table, readings, shipped_tables
from fabless.errors import BadFile, UnknownName
from fabless.report import as_json
from fabless.report.validation import print_validation
from fabless.report.validation_charts import decades, thinned
from fabless.report.validation_html import as_validation_html
from fabless.report.validation_page import validation_results_page
from fabless.validate import KEYS, STANDARD, Validation, measured, validate
from fabless.validate.cells import Cells, precision
from fabless.validate.layouts import FORMS, layout_of, measurements
from fabless.validate.measurement import Measurement
from fabless.validate.predict import Prediction
from fabless.validate.serving import instance
from fabless.validate.statistics import errors, rank_correlation, ranks

ROOT = Path(__file__).parent.parent
READINGS = readings()

LIMITS: Mapping[str, tuple[float, float, float]] = {
    "serving, dense, TPOT": (0.054, 0.085, 0.99),
    "serving, all, TPOT": (0.161, 0.294, 0.99),
    "serving, all, TTFT": (0.366, 10.0, 0.99),
    "serving, one pool, TPOT": (0.13, 0.231, 0.99),
    "serving, two pools, TPOT": (0.274, 0.42, 0.99),
    "fixed batch and TPOT, Nvidia": (0.191, 0.262, 0.96),
    "fixed batch and TPOT, AMD": (0.161, 0.304, 0.99),
    "fixed batch and TPOT, AWS": (0.222, 0.241, 0.99),
    "fixed batch and TPOT, Tenstorrent": (0.181, 0.304, 0.99),
    "fixed batch and TPOT, Intel": (0.356, 0.336, 0.99),
    "fixed batch and TPOT, Google": (0.059, 0.064, 0.99),
    "training, step time, Megatron points": (0.035, 0.038, 0.99),
    "training, speed, dense": (0.034, 0.072, 0.98),
    "training, speed, mixtures": (0.212, 0.262, 0.95),
    "kernels, GEMM": (0.072, 0.147, 0.99),
    "kernels, attention": (0.108, 0.252, 0.99),
    "kernels, collectives": (0.096, 0.178, 0.99),
    "power while serving": (0.104, 0.178, 0.86),
    "energy per output token": (0.294, 0.325, 0.85),
}
"""Measure -> most median error, most mean error, least coverage of the shipped rows: a change that
worsens it fails."""

INFERENCE = {
    "id": "A-1", "model": "Llama-3.1-70B", "chip": "H100-SXM", "n_chips": "8", "tp": "8", "pp": "1",
    "ep": "", "dp": "", "precision_weights": "fp8", "precision_kv": "fp8", "engine": "vLLM",
    "engine_version": "1", "scenario": "fixed_batch", "batch_or_concurrency": "16",
    "input_len": "128", "output_len": "2048", "metric": "tpot_s", "value": "0.02", "notes": "",
    "vendor": "NVIDIA", "spec_decode": "no", "tier": "A",
}
ENERGY = {
    "id": "E-1", "model": "Qwen3-14B", "chip": "H100-SXM", "n_chips": "1", "tp": "1", "ep": "1",
    "precision_weights": "bfloat16", "engine": "vLLM", "scenario": "sweep",
    "batch_or_concurrency": "7.99", "input_len": "", "output_len": "619.5",
    "metric": "power_w_per_chip", "value": "443.01", "unit": "W",
    "boundary": "GPUs only (NVML via Zeus), steady state",
    "notes": "task=lm-arena-chat; max_num_seqs=8",
}
TRAINING = {
    "id": "T-1", "model": "MPT-7b", "chip": "H100-SXM", "n_chips": "8", "tp": "1", "pp": "1",
    "cp": "", "vp": "", "ep": "", "dp_or_fsdp": "FSDP", "precision": "amp_bf16",
    "framework": "llm-foundry (PyTorch FSDP)", "global_batch_seqs": "4096", "micro_batch": "8",
    "seq_len": "2048", "metric": "mfu_pct", "value": "41.25",
    "notes": "HFU=55.0; sharding/ckpt flags: amp_bf16 DEFAULT FULL_SHARD True False 6", "tier": "A",
}
OPERATOR = {
    "id": "O-1", "op": "gemm", "chip": "H200-SXM", "n_chips": "1", "precision": "bfloat16",
    "m": "8", "n": "16", "k": "32", "other_shape": "", "metric": "time_ms", "value": "5.8",
    "unit": "ms", "notes": "",
}
SERVING = {
    "id": "dsr1_b200_sglang_fp4_agg_1024x8192_c4_cfg201",
    "original_source": "silicon_concurrency=4", "backend": "sglang", "backend_version": "0.5",
    "model_path": "deepseek-ai/DeepSeek-V3", "system": "b200_sxm", "precision": "fp4",
    "mode": "agg", "isl": "1024", "osl": "8192", "gemm_quant_mode": "nvfp4",
    "moe_quant_mode": "nvfp4", "batch_size": "4.0", "tp_size": "64.0", "pp_size": "1.0",
    "attention_dp_size": "1.0", "moe_tp_size": "8.0", "moe_ep_size": "8.0", "ttft_ms": "200",
    "tpot_ms": "8", "concurrency": "4.0",
    **{
        f"{pool}_{name}": ""
        for pool in ("prefill", "decode")
        for name in (
            "batch_size", "num_workers", "tp_size", "pp_size", "attention_dp_size", "moe_tp_size",
            "moe_ep_size",
        )
    },
}
GEMM = {
    "system": "h100_sxm", "framework": "trtllm/1.3", "dtype": "fp8_block", "m": "16", "n": "4096",
    "k": "8192", "latency_ms": "0.02",
}
COLLECTIVE = {
    "system": "h100_sxm", "library": "sglang", "version": "0.5", "kernel": "Custom_graph",
    "op": "alltoall", "dtype": "half", "num_gpus": "4", "message_elements": "128",
    "latency_ms": "0.005", "variant": "sglang_graph",
}
MEGATRON = {
    "model": "gpt3-175B", "hardware": "A100-80GB (Selene)", "n_gpus": "64", "tp": "8", "pp": "8",
    "dp": "1", "global_batch": "64", "micro_batch": "1", "interleave": "3", "seq": "2048",
    "recompute": "seqsel", "metric": "iteration_time", "value": "13.75", "unit": "s",
}


def stub(ms: Sequence[Measurement], catalogue: Catalogue) -> list[Prediction]:
    """A model that is 10 % too high everywhere but where it says that it does not know."""
    return [Prediction(None, "does not fit: too small") if m.batch == 999.0 else
            Prediction((m.value or 0.0) * 1.1, notes=("stub",)) for m in ms]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def run_of_the_command() -> tuple[Validation, str]:
    """What `fabless validate` finds for all shipped rows and what it prints: long work, done
    once."""
    found: list[Validation] = []

    def kept(*given: Any, **named: Any) -> Validation:
        found.append(validate(*given, **named))
        return found[0]

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as page:
        patch.setattr("fabless.cli.validate.run", kept)
        patch.setattr(sys, "argv", ["fabless", "validate"])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert not left.value.code
    return found[0], page.getvalue()


@pytest.fixture(scope="module")
def shipped(run_of_the_command: tuple[Validation, str]) -> Validation:
    return run_of_the_command[0]


def table(*rows: Mapping[str, str], name: str = "t.csv") -> Table:
    return Table(name, tuple(rows[0]), tuple((place, row) for place, row in enumerate(rows, start=2)))


def read(*rows: Mapping[str, str]) -> list[Measurement]:
    return measurements(table(*rows), READINGS)[1]


def written(path: Path, *rows: Mapping[str, str]) -> Path:
    page = io.StringIO()
    writer = csv.DictWriter(page, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(page.getvalue().encode()) if path.suffix == ".gz" else page.getvalue().encode())
    return path


class TestLayouts:
    @pytest.mark.parametrize(
        ("layout", "row"),
        [
            ("inference", INFERENCE), ("energy", ENERGY), ("training", TRAINING),
            ("operators", OPERATOR), ("serving", SERVING), ("gemm", GEMM),
            ("collectives", COLLECTIVE), ("megatron", MEGATRON),
        ],
    )
    def test_header_tells_the_layout(self, layout: str, row: Mapping[str, str]) -> None:
        assert layout_of(table(row)) == layout
        assert layout_of(table(dict(reversed(list(row.items()))))) == layout

    def test_no_two_layouts_share_their_columns(self) -> None:
        assert len({form.required for form in FORMS.values()}) == len(FORMS)
        for name, form in FORMS.items():
            assert layout_of(Table("t", form.required, ())) == name
            assert layout_of(Table("t", (*form.required, *form.optional), ())) == name

    def test_missing_and_unknown_columns_are_all_named_with_the_nearest_layout(self) -> None:
        row = {key: cell for key, cell in INFERENCE.items() if key != "metric"} | {"metrik": "tpot_s", "speed": "3"}
        with pytest.raises(BadFile) as error:
            layout_of(table(row))
        text = str(error.value)
        assert "nearest is 'inference', without column metric" in text
        assert "unknown column 'metrik'" in text
        assert "did you mean metric?" in text
        assert "unknown column 'speed'" in text
        assert "t.csv:1" in text

    def test_a_file_without_rows_is_an_error(self) -> None:
        with pytest.raises(BadFile, match="no row after the header"):
            measurements(Table("t.csv", tuple(INFERENCE), ()), READINGS)


class TestFiles:
    def test_plain_and_gzip_read_alike(self, tmp_path: Path) -> None:
        plain, packed = written(tmp_path / "a.csv", GEMM), written(tmp_path / "a.csv.gz", GEMM)
        assert read_table(plain).lines == read_table(packed).lines
        assert read_table(plain).lines[0][0] == 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"), (b"a,a\n1,2\n", "column a twice"),
            (b"a,b\n1\n1,2\n1,2,3\n", "3 cells"), (b"\xff\xfea", "is not text"),
            (b"a\0b\n", "zero bytes"), (b"\x1f\x8b123", "not a whole gzip file"),
        ],
    )
    def test_bad_files_say_what_is_wrong(self, tmp_path: Path, content: bytes, said: str) -> None:
        path = tmp_path / "x.csv"
        path.write_bytes(content)
        with pytest.raises(BadFile, match=said):
            read_table(path)

    def test_all_lines_of_another_length_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "x.csv"
        path.write_text("a,b\n1\n1,2\n1,2,3\n")
        with pytest.raises(BadFile) as error:
            read_table(path)
        assert [fault.place.rpartition(":")[2] for fault in error.value.faults] == ["2", "4"]

    def test_a_missing_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(BadFile, match="cannot be read"):
            read_table(tmp_path / "none.csv")


class TestCells:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("fp8", "fp8"), ("fp8 (unet)", "fp8"), ("MXFP8", "fp8"), ("NVFP4", "fp4"),
            ("mxfp4", "fp4"), ("bfloat16", "bf16"), ("amp_bf16", "bf16"), ("uint4", "int4"),
            ("int8 (W8A8)", "int8"), ("fp8 (full-attn layers)", "fp8"), ("half", "fp16"),
            ("bf16 math, fp8 KV", "bf16"), ("fp8 tensorwise", "fp8"), ("", ""),
        ],
    )
    def test_spellings_of_precision(self, text: str, name: str) -> None:
        found = precision(text)
        assert found is not None
        assert found.name == name

    def test_weight_only_is_told_apart(self) -> None:
        assert precision("int8 (weights)").weight_only  # type: ignore[union-attr]
        assert not precision("int8 (W8A8)").weight_only  # type: ignore[union-attr]

    def test_faults_name_line_and_column(self) -> None:
        cells = Cells("f.csv", 7, {"value": "abc", "n": "-3", "c": "2.5", "p": "fp9"})
        assert cells.number("value") is None
        assert cells.number("n") is None
        assert cells.count("c") is None
        cells.precision("p")
        assert cells.faults == [
            "bad cell: 'abc' is not a number above 0 (f.csv:7, value)",
            "bad cell: '-3' is not a number above 0 (f.csv:7, n)",
            "bad cell: '2.5' is not a whole number (f.csv:7, c)", cells.faults[3]]
        assert "unknown precision 'fp9'" in cells.faults[3]

    @pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "1e999", "3 tok/s", "1,5"])
    def test_no_bad_number_gets_through(self, text: str) -> None:
        one = read(INFERENCE | {"value": text})[0]
        assert one.value is None
        assert "t.csv:2, value" in one.reason


class TestInference:
    def test_a_plain_row(self) -> None:
        one = read(INFERENCE)[0]
        assert (one.quantity, one.phase, one.scenario, one.value) == ("tpot", "tpot", "static", 0.02)
        assert (one.chips, one.tp, one.pp, one.replicas, one.attention_dp) == (8, 8, 1, 1, 1)
        assert (one.batch, one.input_tokens, one.output_tokens, one.precision) == (16.0, 128.0, 2048.0, "fp8")
        assert one.reason == ""

    def test_cores_become_chips(self) -> None:
        one = read(INFERENCE | {"n_chips": "12", "tp": "24"})[0]
        assert one.tp == 12
        assert "counts cores, 2 a chip" in one.notes[0]

    def test_replicas_are_what_is_left_over(self) -> None:
        assert read(INFERENCE | {"tp": "2"})[0].replicas == 4
        assert read(INFERENCE | {"tp": "1", "pp": "2"})[0].replicas == 4
        assert read(INFERENCE | {"tp": "1", "dp": "4"})[0].replicas == 8

    def test_dp_beside_ep_is_attention_of_one_instance(self) -> None:
        one = read(INFERENCE | {"tp": "1", "ep": "8", "dp": "8"})[0]
        assert (one.tp, one.attention_dp, one.ep, one.moe_tp, one.replicas) == (1, 8, 8, 1, 1)

    def test_experts_over_all_chips_with_tp_one_is_one_engine(self) -> None:
        one = read(INFERENCE | {"tp": "1", "ep": "8", "dp": "1"})[0]
        assert (one.tp, one.attention_dp, one.ep, one.replicas) == (8, 1, 8, 1)

    def test_attention_data_parallel_by_the_notes(self) -> None:
        one = read(INFERENCE | {"notes": "doc enables attention DP for MoE models (so TPn may be DPn)"})[0]
        assert (one.tp, one.attention_dp, one.ep) == (1, 8, 8)

    def test_too_much_parallelism_is_a_fault(self) -> None:
        assert "need more than 8 chips" in read(INFERENCE | {"tp": "3", "pp": "3"})[0].reason

    @pytest.mark.parametrize(
        ("cells", "batch", "concurrency", "limit"),
        [
            ({}, 16.0, None, None), ({"scenario": "sweep"}, None, 16.0, None),
            ({"scenario": "offline"}, None, 16.0, None), ({"scenario": "server"}, None, None, 16.0),
            (
                {"scenario": "offline", "notes": "(batch is per engine instance limit)"}, None,
                None, 16.0,
            ),
            (
                {"scenario": "sweep", "notes": "batch = measured average batch size"}, 16.0, None,
                None,
            ),
            (
                {"batch_or_concurrency": "16384 tokens/GPU", "metric": "prefill_tok_s_per_chip"},
                1024.0, None, None,
            ),
            (
                {"notes": "decode-only, 16 sequences per GPU", "metric": "decode_tok_s_per_chip"},
                128.0, None, None,
            ),
            (
                {
                    "scenario": "sweep", "batch_or_concurrency": "135",
                    "notes": "client concurrency 320 but max-num-seqs 135",
                },
                135.0,
                320.0,
                None,
            ),
            ({"scenario": "single_stream", "batch_or_concurrency": ""}, 1.0, None, None),
        ],
    )
    def test_what_batch_or_concurrency_means(
        self, cells: dict[str, str], batch: float | None, concurrency: float | None,
        limit: float | None,
    ) -> None:
        one = read(INFERENCE | cells)[0]
        assert (one.batch, one.concurrency, one.batch_limit) == (batch, concurrency, limit)

    def test_a_node_of_eight_is_divided(self) -> None:
        one = read(INFERENCE | {"metric": "decode_tok_s_per_8gpu_node", "value": "800"})[0]
        assert (one.value, one.scenario, one.quantity) == (100.0, "decode", "decode tok/s per chip")

    def test_an_output_length_printed_as_a_range_is_its_middle(self) -> None:
        assert read(INFERENCE | {"output_len": "512-1536"})[0].output_tokens == 1024.0

    def test_assumed_input_lengths_are_noted_and_unknown_ones_stay_unknown(self) -> None:
        chat = read(INFERENCE | {"input_len": "", "notes": "task=lm-arena-chat; max_num_seqs=8"})[0]
        assert chat.input_tokens is not None
        assert "assumed" in chat.notes[0]
        assert read(INFERENCE | {"input_len": "", "notes": "task=sourcegraph-fim"})[0].input_tokens is None

    def test_gpt_oss_has_fp4_experts_whatever_the_label(self) -> None:
        for label in ("fp4", "nvfp4", "fp8", "mxfp4", ""):
            one = read(INFERENCE | {"model": "openai/gpt-oss-120b", "precision_weights": label})[0]
            assert (one.precision, one.expert_precision) == ("bf16", "fp4")

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ({"model": "Whisper-large-v3"}, "not a language model"),
            ({"model": "Stable-Diffusion-XL"}, "not a language model"),
            ({"model": "Wan2.2-T2V-A14B"}, "not a language model"),
            ({"chip": "mixed"}, "no one chip"),
            ({"metric": "tok_s_unspecified"}, "metric not predicted"),
            ({"metric": "tpot"}, "unknown metric"), ({"scenario": "burst"}, "unknown scenario"),
            ({"precision_weights": "fp9"}, "bad cell"),
            ({"metric": "user_output_tok_s", "n_chips": ""}, "not stated"),
            ({"model": ""}, "bad cell"),
        ],
    )
    def test_reasons(self, cells: dict[str, str], reason: str) -> None:
        assert read(INFERENCE | cells)[0].reason.partition(":")[0] == reason

    def test_unknown_metric_suggests(self) -> None:
        assert "did you mean tpot_s" in read(INFERENCE | {"metric": "tpots"})[0].reason


class TestEnergy:
    def test_power(self) -> None:
        one = read(ENERGY)[0]
        assert (one.quantity, one.phase, one.batch, one.value) == ("power per chip", "power", 7.99, 443.01)

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ({"boundary": "whole server at the wall (analyser log)"}, "boundary is not the chips"),
            ({"metric": "energy_wh_per_query", "unit": "Wh"}, "metric not predicted"),
            ({"unit": "kW"}, "unknown unit"), ({"chip": "unknown"}, "no one chip"),
        ],
    )
    def test_reasons(self, cells: dict[str, str], reason: str) -> None:
        assert read(ENERGY | cells)[0].reason.partition(":")[0] == reason


class TestServing:
    @pytest.mark.parametrize(
        ("labels", "named", "chips", "tp", "attention", "moe_tp", "ep"),
        [
            ((64, 1, 8, 8), None, 8, 8, 1, 1, 8), ((16, 1, 4, 4), None, 4, 4, 1, 1, 4),
            ((4, 1, 2, 2), None, 2, 2, 1, 1, 2), ((1, 64, 8, 8), None, 8, 1, 8, 1, 8),
            ((1, 16, 4, 4), None, 4, 1, 4, 1, 4), ((4, 4, 1, 16), None, 4, 1, 4, 1, 4),
            ((8, 1, 8, 1), None, 8, 8, 1, 8, 1), ((8, 1, 1, 8), None, 8, 8, 1, 1, 8),
            ((1, 8, 1, 8), None, 8, 1, 8, 1, 8), ((8, 1, 2, 4), None, 8, 8, 1, 2, 4),
            ((8, 1, 1, 1), None, 8, 8, 1, 8, 1), ((1, 4, 4, 1), None, 4, 1, 4, 4, 1),
            ((4, 1, 2, 2), (4, 2), 4, 4, 1, 2, 2), ((64, 1, 8, 8), (8, 8), 8, 8, 1, 1, 8),
            ((2, 2, 1, 4), (2, 2), 2, 1, 2, 1, 2),
        ],
    )
    def test_instance(
        self, labels: tuple[int, int, int, int], named: tuple[int, int] | None, chips: int, tp: int,
        attention: int, moe_tp: int, ep: int,
    ) -> None:
        one = instance(*labels, named)
        assert (one.chips, one.tp, one.attention_dp, one.moe_tp, one.ep) == (chips, tp, attention, moe_tp, ep)
        assert one.tp * one.attention_dp == one.chips == one.moe_tp * one.ep

    def test_two_measurements_a_row(self) -> None:
        first, second = read(SERVING)
        assert (first.id, first.metric, first.value) == (SERVING["id"], "ttft_ms", 0.2)
        assert (second.id, second.metric, second.value) == (SERVING["id"], "tpot_ms", 0.008)
        assert (second.chips, second.tp, second.ep, second.concurrency) == (8, 8, 8, 4.0)
        assert any("read as 8 chips" in note for note in second.notes)

    def test_id_goes_before_labels(self) -> None:
        one = read(SERVING | {"id": "2026_03_25_x_agg_1024x1024_c4_tp16_0_ep4_0_65"})[0]
        assert (one.chips, one.ep) == (16, 4)

    def test_blank_attention_dp_and_precision(self) -> None:
        row = SERVING | {
            "id": "x_c80_tp8_epnone_3", "tp_size": "8.0", "attention_dp_size": "",
            "moe_tp_size": "1.0", "batch_size": "10.0", "concurrency": "80.0", "precision": "",
            "gemm_quant_mode": "", "moe_quant_mode": "",
        }
        one = read(row)[0]
        assert (one.chips, one.tp, one.attention_dp, one.precision) == (8, 1, 8, "bf16")
        assert read(row | {"concurrency": "10.0"})[0].attention_dp == 1

    def test_concurrency_from_the_source(self) -> None:
        assert read(SERVING | {"concurrency": ""})[0].concurrency == 4.0
        assert read(SERVING | {"concurrency": "", "original_source": ""})[0].concurrency == 4.0

    def test_pools(self) -> None:
        row = SERVING | {
            "mode": "disagg", "tp_size": "", "moe_tp_size": "", "moe_ep_size": "",
            "attention_dp_size": "", "pp_size": "", "batch_size": "", "prefill_num_workers": "1.0",
            "prefill_batch_size": "1.0", "prefill_tp_size": "1.0",
            "prefill_attention_dp_size": "4.0", "prefill_moe_tp_size": "1.0",
            "prefill_moe_ep_size": "4.0", "decode_num_workers": "5.0", "decode_batch_size": "2.0",
            "decode_tp_size": "8.0", "decode_attention_dp_size": "1.0", "decode_moe_tp_size": "1.0",
            "decode_moe_ep_size": "8.0",
        }
        one = read(row)[0]
        assert one.prefill is not None
        assert one.decode is not None
        assert one.mode == "disaggregated"
        assert (one.chips, one.prefill.chips, one.decode.chips, one.decode.workers) == (44, 4, 8, 5)
        open_row = read(
            row
            | {
                "prefill_num_workers": "", "decode_num_workers": "", "decode_tp_size": "32.0",
                "decode_moe_tp_size": "8.0", "decode_moe_ep_size": "4.0",
            }
        )[0]
        assert open_row.decode is not None
        assert (open_row.chips, open_row.decode.ep, open_row.decode.attention_dp) == (None, 32, None)
        assert "decode_tp_size" in read(row | {"decode_tp_size": ""})[0].reason

    def test_a_bad_cell_spoils_both(self) -> None:
        assert all("isl" in one.reason for one in read(SERVING | {"isl": "long"}))
        assert all("mode" in one.reason for one in read(SERVING | {"mode": "both"}))


class TestTraining:
    def test_a_row(self) -> None:
        one = read(TRAINING)[0]
        assert one.training is not None
        assert (one.quantity, one.value, one.precision) == ("mfu", pytest.approx(0.4125), "bf16")
        assert (one.training.recompute, one.training.sharded, one.training.global_batch) == ("full", True, 4096.0)

    @pytest.mark.parametrize(
        ("notes", "sharding", "recompute"),
        [
            ("amp; sharding/ckpt flags: amp_bf16 DEFAULT FULL_SHARD False False 1", "FSDP", "none"),
            ("", "FSDP8 TP8 SAC bs12", "selective"), ("", "FSDP8 TP8 PP8 1F1B full AC", "full"),
            ("", "", ""),
            (
                "sequence parallel + selective (attention-only) recompute", "DP 1",
                "selective+sequence",
            ),
            ("full activation recompute, no sequence parallelism", "DP 1", "full"),
            ("", "ZeRO-2, no act. ckpt", "none"),
        ],
    )
    def test_recomputation(self, notes: str, sharding: str, recompute: str) -> None:
        one = read(TRAINING | {"notes": notes, "dp_or_fsdp": sharding})[0]
        assert one.training is not None
        assert one.training.recompute == recompute

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ({"metric": "time_to_train_min"}, "metric not predicted"),
            ({"model": "Llama-2-70B LoRA"}, "adapters"),
            ({"model": "wan2.1-14b"}, "not a language model"),
            ({"metric": "mfu"}, "unknown metric"), ({"n_chips": "eight"}, "bad cell"),
        ],
    )
    def test_reasons(self, cells: dict[str, str], reason: str) -> None:
        assert read(TRAINING | cells)[0].reason.partition(":")[0] == reason

    def test_megatron(self) -> None:
        one = read(MEGATRON)[0]
        assert one.training is not None
        assert (one.id, one.value, one.training.interleave) == ("t:2", 13.75, 3)
        assert one.training.recompute == "selective+sequence"
        assert read(MEGATRON | {"unit": "ms"})[0].reason.startswith("unknown unit")
        memory = read(MEGATRON | {"metric": "activation memory per GPU", "unit": "GiB"})[0]
        assert memory.reason.startswith("metric not predicted")


class TestKernels:
    def test_gemm(self) -> None:
        one = read(GEMM)[0]
        assert one.kernel is not None
        assert (one.id, one.value, one.kernel.precision, one.kernel.written) == ("t:2", 2e-5, "fp8", "fp8_block")

    def test_gemm_with_power_gives_two(self) -> None:
        row = {key: cell for key, cell in GEMM.items() if key != "framework"} | {"power_w": "300", "power_limit_w": "700"}
        time, power = read(row)
        assert (time.metric, power.metric, power.value, power.quantity) == ("latency_ms", "power_w", 300.0, "power per chip")

    def test_collectives_count_elements(self) -> None:
        one = read(COLLECTIVE)[0]
        assert one.kernel is not None
        assert (one.kernel.op, one.kernel.message_bytes, one.kernel.graph, one.chips) == ("all_to_all", 256.0, True, 4)
        assert read(COLLECTIVE | {"op": "gossip"})[0].reason.startswith("bad cell")

    def test_attention_shapes_of_operators(self) -> None:
        one = read(
            OPERATOR
            | {
                "op": "decode attention GQA", "m": "", "n": "", "k": "",
                "precision": "bfloat16 compute, fp8 KV",
                "other_shape": "batch=4; q_heads=64; kv_heads=8; head_dim=128; context=1024",
            }
        )[0]
        assert one.kernel is not None
        assert (one.kernel.op, one.kernel.context, one.kernel.heads, one.kernel.kv_precision) == (
            "attention decode", 1024.0, 64.0, "fp8")
        assert one.reason == ""

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ({"k": ""}, "not stated"), ({"precision": ""}, "not stated"),
            ({"op": "ep_dispatch v2"}, "operator not predicted"),
            ({"n_chips": "0.5 (one device)"}, "part of a chip"), ({"unit": "us"}, "unknown unit"),
            ({"metric": "time"}, "unknown metric"), ({"m": "x"}, "bad cell"),
            ({"chip": "unknown"}, "no one chip"),
        ],
    )
    def test_reasons(self, cells: dict[str, str], reason: str) -> None:
        assert read(OPERATOR | cells)[0].reason.partition(":")[0] == reason


class TestStatistics:
    def test_ranks_and_correlation_agree_with_scipy(self) -> None:
        rng = np.random.default_rng(7)
        for _ in range(20):
            first = rng.integers(0, 12, 30).astype(float)
            second = first + rng.normal(0.0, 4.0, 30).round()
            assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
        assert ranks(np.array([5.0, 5.0, 5.0])).tolist() == [2.0, 2.0, 2.0]
        assert rank_correlation(np.ones(5), np.arange(5.0)) is None

    def test_errors_by_hand(self) -> None:
        found = errors([1.0, 2.0, 4.0, 10.0], [1.1, None, 2.0, 15.0], ["a"] * 4)
        assert (found.rows, found.predicted, found.coverage) == (4, 3, 0.75)
        assert found.median == pytest.approx(0.5)
        assert found.mean == pytest.approx((0.1 + 0.5 + 0.5) / 3)
        assert found.p90 == pytest.approx(0.5)
        assert found.bias == pytest.approx(0.1)
        assert found.within_20 == pytest.approx(1 / 3)
        assert found.rank == pytest.approx(1.0)

    def test_times_are_not_ranked_against_rates(self) -> None:
        same, metrics = [1.0, 2.0, 3.0, 300.0, 200.0, 100.0], ["s"] * 3 + ["tok/s"] * 3
        assert errors(same, [3.0, 2.0, 1.0, 300.0, 200.0, 100.0], metrics).rank == pytest.approx(0.0)

    def test_nothing_predicted(self) -> None:
        found = errors([1.0], [None], ["a"])
        assert (found.coverage, found.median, found.rank) == (0.0, None, None)


class TestRun:
    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        return [
            written(
                tmp_path / "inference.csv", INFERENCE,
                INFERENCE | {"id": "A-2", "batch_or_concurrency": "999"},
                INFERENCE | {"id": "A-3", "value": "x"},
                INFERENCE | {"id": "A-4", "chip": "H1000-SXM"},
                INFERENCE | {"id": "A-5", "model": "Whisper-large-v3"},
                INFERENCE | {"id": "A-6", "model": "Llama-9-70T"},
            ),
            written(tmp_path / "serving.csv.gz", SERVING),
        ]

    def test_every_row_stays(self, files: list[Path], catalogue: Catalogue) -> None:
        found = validate(catalogue, files, predict=stub)
        assert [row.id for row in found.rows] == ["A-1", "A-2", "A-3", "A-4", "A-5", "A-6", SERVING["id"], SERVING["id"]]
        for row in found.rows:
            assert (row.predicted is None) == bool(row.reason)
        kinds = {reason.kind: reason.rows for reason in found.summary.reasons}
        assert kinds == {"does not fit": 1, "bad cell": 1, "unknown chip": 1, "not a language model": 1, "unknown model": 1}
        assert "inference.csv:5, chip" in next(row.reason for row in found.rows if row.id == "A-4")
        assert found.summary.errors.predicted == 3
        assert found.summary.errors.median == pytest.approx(0.1)
        assert len(found.summary.faults) == 3

    def test_values_are_in_the_unit_of_the_file(self, files: list[Path], catalogue: Catalogue) -> None:
        row = validate(catalogue, files[1:], predict=stub).rows[0]
        assert (row.metric, row.measured, row.scale) == ("ttft_ms", 200.0, 1e-3)
        assert row.predicted == pytest.approx(220.0)

    def test_groups_use_names_of_the_catalogue(self, files: list[Path], catalogue: Catalogue) -> None:
        found = validate(catalogue, files, by=KEYS, predict=stub)
        assert set(found.rows[0].groups) == set(KEYS)
        assert found.rows[0].groups["chip"] == catalogue.resolve("chip", "H100-SXM")
        for key in KEYS:
            assert sum(group.errors.rows for group in found.summary.by(key)) == 7
        both = validate(catalogue, files, by=["phase+vendor"], predict=stub)
        assert {group.name.partition(", ")[0] for group in both.summary.groups} == {"tpot", "ttft"}

    def test_a_prediction_that_is_no_number_is_none(self, files: list[Path], catalogue: Catalogue) -> None:
        for value in (float("nan"), float("inf"), 0.0, -1.0):
            found = validate(catalogue, files[1:], predict=lambda ms, _, value=value: [Prediction(value)] * len(ms))
            assert all(row.predicted is None and row.reason.startswith("no finite prediction") for row in found.rows)

    def test_unknown_group(self, catalogue: Catalogue) -> None:
        with pytest.raises(UnknownName, match="did you mean chip"):
            validate(catalogue, by=["chips"], predict=stub)

    def test_json(self, files: list[Path], catalogue: Catalogue) -> None:
        document = json.loads(as_json(validate(catalogue, files, predict=stub)))
        assert set(document) == {"rows", "summary", "versions"}
        assert list(document["rows"][0])[:7] == ["id", "model", "chip", "metric", "measured", "predicted", "reason"]
        assert document["rows"][1]["predicted"] is None
        assert document["summary"]["errors"]["rows"] == 7
        assert {group["by"] for group in document["summary"]["groups"]} == set(STANDARD)

    def test_ten_thousand_rows_in_seconds(self, tmp_path: Path, catalogue: Catalogue) -> None:
        path = written(tmp_path / "many.csv", *(INFERENCE | {"id": str(k)} for k in range(10_000)))
        found = validate(catalogue, [path], predict=stub)
        assert found.summary.errors.predicted == 10_000


class TestReports:
    def test_terminal_in_ascii_and_unicode(self, tmp_path: Path, catalogue: Catalogue) -> None:
        found = validate(catalogue, [written(tmp_path / "a.csv", INFERENCE, INFERENCE | {"value": "x"})], predict=stub)
        page = io.StringIO()
        print_validation(found, Console(file=page, width=80), ["phase+vendor"])
        text = page.getvalue()
        assert "1 of 1 measured rows predicted" in text
        assert "Not predicted: 1 rows" in text
        assert max(map(len, text.splitlines())) <= 80

    def test_html_is_whole_and_holds_no_script(self, tmp_path: Path, catalogue: Catalogue) -> None:
        rows = [INFERENCE | {"id": f"<b>{k}", "value": str(0.01 * k)} for k in range(1, 30)]
        page = as_validation_html(validate(catalogue, [written(tmp_path / "a.csv", *rows)], predict=stub))
        assert page.count("<svg") >= 3
        assert "<script" not in page
        assert "<b>1" not in page
        none = as_validation_html(
            validate(
                catalogue, [written(tmp_path / "b.csv", INFERENCE)],
                predict=lambda ms, _: [Prediction(None, "no: x")] * len(ms),
            )
        )
        assert "No row is predicted." in none

    def test_thinned_and_decades(self) -> None:
        assert thinned(list(range(10)), 4) == [0, 3, 6, 9]  # type: ignore[arg-type, comparison-overlap]
        assert decades(1e-5, 1e5)[0] == pytest.approx(1e-5)
        assert len(decades(1e-5, 1e5)) <= 5


class TestCommand:
    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["fabless", "validate", *arguments])
        try:
            cli.main()
        except SystemExit as left:
            return int(left.code or 0)
        return 0

    def test_json_report_and_more_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        one, two = written(tmp_path / "a.csv", INFERENCE), written(tmp_path / "b.csv", GEMM)
        report = tmp_path / "r.html"
        assert self.run(monkeypatch, "--against", str(one), str(two), "--json", "--report", str(report)) == 0
        document = json.loads(capsys.readouterr().out)
        assert [row["id"] for row in document["rows"]] == ["A-1", "b:2"]
        assert report.read_text().startswith("<!DOCTYPE html>")
        assert self.run(monkeypatch, "--against", str(one), "--by", "chip,engine") == 0
        assert "Chip" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--against", "none.csv"), "cannot be read"), (("--by", "chipz"), "unknown group"),
            (("--report", "x.txt"), "ends in .html"),
        ],
    )
    def test_errors(
        self, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert self.run(monkeypatch, *arguments) == 2
        assert said in capsys.readouterr().err


class TestShipped:
    def test_every_shipped_row_reads_without_a_fault(self, catalogue: Catalogue) -> None:
        for shipped_table in shipped_tables():
            _, own = measurements(shipped_table, READINGS)
            assert [one.reason for one in own if one.reason.startswith(("bad cell", "unknown"))] == []

    def test_shipped_rows_name_their_source_and_are_no_bounds(self) -> None:
        rows = [one for shipped_table in shipped_tables() for one in measurements(shipped_table, READINGS)[1]]
        assert len(rows) > 15_000
        assert all(one.source for one in rows)
        assert {one.tier for one in rows} <= {"A", "B", "C", ""}

    @pytest.mark.slow
    def test_the_command_prints_what_it_finds(
        self, run_of_the_command: tuple[Validation, str]
    ) -> None:
        found, printed = run_of_the_command
        assert "fabless validate" in (ROOT / "README.md").read_text(encoding="utf-8")
        assert len(printed.splitlines()) > 2
        errors = found.summary.errors
        assert f"{errors.predicted:,} of {errors.rows:,} measured rows predicted" in printed

    @pytest.mark.slow
    def test_errors_stay_within_the_limits(self, shipped: Validation) -> None:
        found = {one.name: one.errors for one in measured(shipped.rows)}
        over = []
        for name, (median, mean, coverage) in LIMITS.items():
            one = found[name]
            if one.median is None or one.mean is None or one.median > median or one.mean > mean or one.coverage < coverage:
                over.append((name, one))
        assert over == []

    @pytest.mark.slow
    def test_results_page_is_current(self, shipped: Validation, catalogue: Catalogue) -> None:
        """The same tables and groups; every percentage within a point or a twentieth of itself."""
        spec = importlib.util.spec_from_file_location("rebuild", ROOT / "docs" / "rebuild.py")
        assert spec is not None
        assert spec.loader is not None
        rebuild = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(rebuild)
        told, now = (
            rows_of_tables(text)
            for text in (
                rebuild.RESULTS.read_text(), validation_results_page(shipped, catalogue.digest),
            )
        )
        assert list(told) == list(now), "run: python docs/rebuild.py --results"
        for name, numbers in now.items():
            assert told[name] == pytest.approx(numbers, rel=0.05, abs=1.0), f"{name}: run: python docs/rebuild.py --results"


def rows_of_tables(page: str) -> dict[str, list[float]]:
    """Numbers of every table row of a page, by heading, place and name of the row."""
    rows: dict[str, list[float]] = {}
    heading = ""
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line
        elif line.startswith("| ") and not line.startswith("|-"):
            name, *cells = (cell.strip() for cell in line.strip("| ").split(" | "))
            found = [re.sub(r"[,%+<>]", "", cell).replace("−", "-") for cell in cells]
            rows[f"{heading} {name}"] = [float(cell) for cell in found if re.fullmatch(r"-?[\d.]+", cell)]
    return rows


def test_a_measurement_can_be_changed_for_a_what_if() -> None:
    one = read(INFERENCE)[0]
    assert replace(one, batch=1.0).batch == 1.0
