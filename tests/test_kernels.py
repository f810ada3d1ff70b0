"""Laws of isolated kernels: rows that no fit has seen, a chip left out, physical limits, and rows
as predictions."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabless.catalogue import Catalogue, load
from fabless.catalogue.facts.text import DATA
from fabless.errors import BadValue
from fabless.validate import kernel_laws, predict_kernels
from fabless.validate.measurement import Kernel, KernelOp, Layout, Measurement
from fabless.validate.predict_kernels import kernel, predict_kernel_rows

HERE = Path(__file__).parent
FORMATS = {"bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8", "nvfp4": "fp4"}


@cache
def everything() -> Catalogue:
    return load()


def row(chip: str, shape: Kernel, seconds: float, chips: int = 1, engine: str = "", layout: Layout = "gemm") -> Measurement:
    return Measurement(
        id="", file="", line=1, layout=layout, model="", chip=chip, metric="latency_ms",
        value=seconds, scale=1e-3, quantity="kernel time", phase="kernel", scenario="kernel",
        chips=chips, precision=shape.precision, precision_written=shape.written,
        kv_precision=shape.kv_precision, engine=engine, kernel=shape,
    )


def table(name: str) -> list[dict[str, str]]:
    with (HERE / "data" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def products() -> list[tuple[str, Measurement]]:
    return [(cells["dtype"], row(cells["system"], Kernel(
        op="gemm", precision=FORMATS[cells["dtype"]], written=cells["dtype"], m=float(cells["m"]),
        n=float(cells["n"]), k=float(cells["k"])),
        float(cells["latency_s"]))) for cells in table("kernels_gemm.csv")]


def attentions() -> list[tuple[str, Measurement]]:
    found = []
    for cells in table("kernels_attention.csv"):
        op: KernelOp = "attention prefill" if cells["phase"] == "prefill" else "attention decode"
        length = float(cells["length"])
        shape = Kernel(
            op=op, precision=FORMATS[cells["attn_dtype"]], written=cells["attn_dtype"],
            kv_precision=FORMATS[cells["kv_cache_dtype"]], batch=float(cells["batch_size"]),
            tokens=length if op == "attention prefill" else 1.0,
            context=0.0 if op == "attention prefill" else length, heads=float(cells["num_heads"]),
            kv_heads=float(cells["num_key_value_heads"]), head_dim=float(cells["head_dim"]))
        found.append((f"{cells['phase']} {shape.kv_precision}", row(cells["system"], shape, float(cells["latency_s"]))))
    return found


def collectives() -> list[tuple[str, Measurement]]:
    found = []
    for cells in table("kernels_collectives.csv"):
        op: KernelOp = "all_to_all" if cells["op"] == "alltoall" else cells["op"]  # type: ignore[assignment]
        shape = Kernel(
            op=op, precision="bf16", written="half", message_bytes=float(cells["message_bytes"]),
            library=cells["library"])
        found.append((cells["library"], row(cells["system"], shape, float(cells["latency_s"]), int(cells["num_gpus"]))))
    return found


def errors_by_chip(rows: list[tuple[str, Measurement]]) -> dict[tuple[str, str], float]:
    """Median absolute error [%] by chip and kind."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    answers = predict_kernel_rows([m for _, m in rows], everything())
    for (kind, m), answer in zip(rows, answers, strict=True):
        assert answer.value is not None, answer.reason
        assert m.value is not None
        assert answer.notes == ()
        found[everything().resolve("chip", m.chip), kind].append(100.0 * abs(answer.value / m.value - 1.0))
    return {key: statistics.median(values) for key, values in found.items()}


# --------------------------------------------------------------------------- rows that no fit has
# seen, and a chip left out

AIM = 6.0
"""Median error of matrix products by chip and precision that the product aims at [%]."""
PRODUCT_LIMITS: dict[str, dict[str, float]] = {
    "a100-80gb": {"bfloat16": 7},
    "b200": {"bfloat16": 7, "fp8": 5, "fp8_block": 6, "nvfp4": 7},
    "b300": {"bfloat16": 8, "fp8": 5, "fp8_block": 4, "nvfp4": 6},
    "gb200": {"bfloat16": 9, "fp8": 4, "fp8_block": 6, "nvfp4": 5},
    "gb300": {"bfloat16": 6, "fp8": 4, "fp8_block": 6, "nvfp4": 7},
    "h100-sxm": {"bfloat16": 5, "fp8": 4, "fp8_block": 5},
    "h200": {"bfloat16": 6, "fp8": 5, "fp8_block": 7},
    "l40s": {"bfloat16": 9, "fp8": 9, "fp8_block": 8},
    "rtx-pro-6000": {"bfloat16": 5, "fp8": 5, "fp8_block": 8, "nvfp4": 6},
}
"""Measured error, rounded up with a point to spare [%]; those above `AIM` + 1 are said in
docs/explanation/kernels.md."""
ATTENTION_LIMITS: dict[str, dict[str, float]] = {
    "a100-80gb": {"decode bf16": 7, "prefill bf16": 8},
    "b200": {"decode bf16": 7, "decode fp8": 6, "prefill bf16": 6, "prefill fp8": 5},
    "b300": {"decode bf16": 3, "decode fp8": 7, "prefill bf16": 8, "prefill fp8": 10},
    "gb200": {"decode bf16": 6, "decode fp8": 9, "prefill bf16": 5, "prefill fp8": 9},
    "gb300": {"decode bf16": 10, "decode fp8": 8, "prefill bf16": 8, "prefill fp8": 8},
    "h100-sxm": {"decode bf16": 9, "decode fp8": 10, "prefill bf16": 9, "prefill fp8": 8},
    "h200": {"decode bf16": 22, "decode fp8": 11, "prefill bf16": 4, "prefill fp8": 11},
    "l40s": {"decode bf16": 6, "decode fp8": 9, "prefill bf16": 16, "prefill fp8": 15},
    "rtx-pro-6000": {"decode bf16": 3, "decode fp8": 15, "prefill bf16": 4, "prefill fp8": 9},
}
COLLECTIVE_LIMITS: dict[str, dict[str, float]] = {
    "a100-80gb": {"nccl": 9, "sglang": 12, "trtllm": 10, "vllm": 6},
    "b200": {"nccl": 7, "sglang": 11, "trtllm": 14, "vllm": 18},
    "b300": {"nccl": 14, "sglang": 14, "trtllm": 14, "vllm": 8},
    "gb200": {"nccl": 8, "sglang": 6, "trtllm": 5, "vllm": 33},
    "gb300": {"nccl": 10, "sglang": 9, "trtllm": 3, "vllm": 10},
    "h100-sxm": {"nccl": 5, "sglang": 6, "trtllm": 7, "vllm": 7},
    "h200": {"nccl": 5, "sglang": 4, "trtllm": 6, "vllm": 6},
    "l40s": {"nccl": 8, "sglang": 7, "trtllm": 6, "vllm": 4},
    "rtx-pro-6000": {"nccl": 7, "sglang": 18, "trtllm": 8, "vllm": 19},
}


def check(rows: list[tuple[str, Measurement]], limits: dict[str, dict[str, float]]) -> dict[tuple[str, str], float]:
    errors = errors_by_chip(rows)
    assert set(errors) == {(chip, kind) for chip, kinds in limits.items() for kind in kinds}
    assert {key: error for key, error in errors.items() if error > limits[key[0]][key[1]]} == {}
    return errors


def test_products_on_rows_that_no_fit_has_seen() -> None:
    errors = check(products(), PRODUCT_LIMITS)
    assert sum(error < AIM for error in errors.values()) >= 24  # of 30
    assert statistics.median(errors.values()) < 5.0


def test_attention_on_rows_that_no_fit_has_seen() -> None:
    assert statistics.median(check(attentions(), ATTENTION_LIMITS).values()) < 8.0


def test_collectives_on_rows_that_no_fit_has_seen() -> None:
    assert statistics.median(check(collectives(), COLLECTIVE_LIMITS).values()) < 8.0


@cache
def script() -> ModuleType:
    """The program that fitted the parameters."""
    spec = importlib.util.spec_from_file_location("fit_kernels", HERE.parent / "benchmarks" / "fit_kernels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_kernels"] = module
    spec.loader.exec_module(module)
    return module


TERMS = {"e_c": "compute", "e_m": "bandwidth", "t0": "fixed_s", "tau": "depth_s", "a": "input_bytes", "o": "output_bytes"}


@pytest.mark.parametrize("left_out", ["h100-sxm", "gb300"])
def test_a_chip_left_out_of_the_fit(left_out: str) -> None:
    """Refit its class on the shipped rows of the other chips, then predict it from its data sheet:
    15 % is the aim."""
    fits, chip = script(), everything().chip(left_out)
    learn = fits.products(DATA / "measured", "gemm.csv.gz")
    learn = learn[(learn.kind == fits.CLASSES[left_out]) & (learn.chip != left_out)]
    for written, precision in (("bfloat16", "bf16"), ("fp8", "fp8"), ("fp8_block", "fp8_block")):
        values = fits.fit(fits.PRODUCTS[precision], learn[learn.precision == precision])
        named = {TERMS[name]: value for name, value in values.items()} | {"tile_rows": fits.TILE}
        fit = kernel_laws.Product.of(named | ({"split_depth": fits.SPLIT} if precision != "fp8_block" else {}))
        judged = [m for kind, m in products() if kind == written and everything().resolve("chip", m.chip) == left_out]
        m, n, k = (np.array([getattr(one.kernel, side) for one in judged]) for side in "mnk")
        predicted = kernel_laws.product_time(
            m, n, k, fit, chip.peak_flops[precision.partition("_")[0]], chip.memory_bandwidth,
            element_bytes=2.0 if precision == "bf16" else 1.0,
        )
        off = np.abs(predicted / np.array([one.value for one in judged]) - 1.0)
        assert np.median(off) < 0.15, precision


def test_chips_of_a_class_of_several_left_out_stay_under_the_aim() -> None:
    """As fitted on all rows: every product and every prefill of a chip whose class has others; the
    rest is told."""
    facts = everything()
    several = {"b200", "b300", "gb200", "gb300", "h100-sxm", "h200"}
    for family in ("gemm", "attention_prefill"):
        left = {
            name: facts.fact(name, "left_out_error_median").value
            for name in facts.entities("kernels")
            if name.partition(".")[0] in several and f".{family}." in name
        }
        assert len(left) >= 12
        assert max(value for value in left.values() if isinstance(value, float)) < 0.15


# ------------------------------------------------------------------------------------------------------
# physical limits

SHARE, COUNT, PEAK = st.floats(0.05, 1.0), st.integers(1, 10**5).map(float), st.floats(1e11, 1e17)
TIME, RATE = st.floats(0.0, 1e-4), st.floats(1e9, 1e14)
PRODUCTS = st.builds(
    kernel_laws.Product, compute=SHARE, bandwidth=SHARE, fixed_s=TIME, depth_s=st.floats(0.0, 1e-8),
    split_depth=st.floats(1e2, 1e6), tile_rows=st.floats(1.0, 256.0),
    input_bytes=st.floats(0.0, 10.0), output_bytes=st.floats(0.0, 10.0),
)
PREFILLS = st.builds(kernel_laws.AttentionPrefill, SHARE, SHARE, TIME, st.floats(0.0, 1e-7))
DECODES = st.builds(kernel_laws.AttentionDecode, SHARE, SHARE, TIME, st.floats(0.0, 4.0))
RINGS = st.builds(kernel_laws.Collective, SHARE, TIME, TIME, st.floats(0.0, 4.0))
SLACK = 1.0 - 1e-9


@given(COUNT, COUNT, COUNT, PRODUCTS, PEAK, RATE, st.floats(1.0, 8.0))
def test_products_obey_physics(
    m: float, n: float, k: float, fit: kernel_laws.Product, peak: float, rate: float, more: float
) -> None:
    taken = float(kernel_laws.product_time(m, n, k, fit, peak, rate))
    assert taken >= SLACK * max(2.0 * m * n * k / peak, kernel_laws.product_bytes(m, n, k) / rate)
    for larger in ((more * m, n, k), (m, more * n, k), (m, n, more * k)):
        assert kernel_laws.product_time(*larger, fit, peak, rate) >= SLACK * taken
    assert kernel_laws.product_time(m, n, k, fit, more * peak, rate) <= taken / SLACK
    assert kernel_laws.product_time(m, n, k, fit, peak, more * rate) <= taken / SLACK


@given(COUNT, COUNT, COUNT, COUNT, PREFILLS, PEAK, RATE, st.floats(1.0, 8.0))
def test_prefill_obeys_physics(
    batch: float, tokens: float, heads: float, context: float, fit: kernel_laws.AttentionPrefill,
    peak: float, rate: float, more: float,
) -> None:
    def taken(batch: float = batch, tokens: float = tokens, context: float = context, faster: float = 1.0) -> float:
        return float(
            kernel_laws.attention_prefill_time(
                batch, tokens, heads, heads, 128.0, fit, faster * peak, faster * rate,
                context=context,
            )
        )

    assert taken() >= SLACK * kernel_laws.prefill_flop(batch, tokens, heads, 128.0, context) / peak
    assert min(taken(batch=more * batch), taken(tokens=more * tokens), taken(context=more * context)) >= SLACK * taken()
    assert taken(faster=more) <= taken() / SLACK


@given(COUNT, COUNT, COUNT, DECODES, PEAK, RATE, st.floats(1.0, 8.0))
def test_decode_obeys_physics(
    batch: float, context: float, heads: float, fit: kernel_laws.AttentionDecode, peak: float,
    rate: float, more: float,
) -> None:
    for work in (kernel_laws.decode_work, kernel_laws.latent_work):
        def taken(longer: float = 1.0, faster: float = 1.0, work: Callable[..., tuple[float, float]] = work) -> float:
            flop, moved = work(batch, longer * context, heads, heads, 128.0)
            return float(kernel_laws.attention_decode_time(flop, moved, fit, faster * peak, faster * rate))

        flop, moved = work(batch, context, heads, heads, 128.0)
        assert taken() >= SLACK * max(flop / peak, moved / rate)
        assert taken(longer=more) >= SLACK * taken()
        assert taken(faster=more) <= taken() / SLACK


@given(st.floats(1.0, 1e12), st.integers(1, 72), RINGS, RATE, st.floats(1.0, 8.0))
def test_collectives_obey_physics(
    message: float, chips: int, fit: kernel_laws.Collective, rate: float, more: float
) -> None:
    def taken(message: float = message, chips: int = chips, faster: float = 1.0) -> float:
        return float(kernel_laws.collective_time(message, chips, fit, faster * rate, passes=2.0))

    assert taken() >= SLACK * 2.0 * (chips - 1.0) / chips * message / rate
    assert taken(chips=1) == 0.0
    assert min(taken(message=more * message), taken(chips=chips + 1)) >= SLACK * taken()
    assert taken(faster=more) <= taken() / SLACK


def test_power_stays_within_limits() -> None:
    use = np.linspace(0.0, 1.0, 20)
    drawn = kernel_laws.power_draw(use[:, None], use, kernel_laws.Power(0.2, 1.5, 0.6, 0.98), 700.0)
    assert drawn.min() == pytest.approx(140.0)
    assert drawn.max() == pytest.approx(686.0)
    assert np.all(np.diff(drawn, axis=0) >= 0.0)


@given(PRODUCTS, st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=5))
def test_scalar_equals_broadcast(
    fit: kernel_laws.Product, shapes: list[tuple[float, float, float]]
) -> None:
    m, n, k = np.array(shapes).T
    together = kernel_laws.product_time(m, n, k, fit, 1e15, 3e12)
    assert np.asarray(together) == pytest.approx([float(kernel_laws.product_time(*one, fit, 1e15, 3e12)) for one in shapes])
    fits = kernel_laws.Product(**{field.name: np.array([getattr(fit, field.name)] * 2) for field in dataclasses.fields(fit)})
    assert np.asarray(kernel_laws.product_time(m[:1], n[:1], k[:1], fits, 1e15, 3e12)) == pytest.approx([together[0]] * 2)


def test_parameters_that_are_wrong_are_all_told() -> None:
    with pytest.raises(BadValue) as told:
        kernel_laws.Product.of({"compute": 0.5, "speed": 1.0}, "h100-sxm.gemm.bf16")
    assert {fault.place for fault in told.value.faults} == {f"h100-sxm.gemm.bf16.{name}" for name in
                                                            ("bandwidth", "fixed_s", "speed")}
    with pytest.raises(BadValue):
        kernel_laws.Product(compute=1.2, bandwidth=0.5, fixed_s=1e-6)


# ----------------------------------------------------------------------------------------------------
# rows as predictions

GEMM = Kernel(op="gemm", precision="bf16", written="bf16", m=4096.0, n=4096.0, k=4096.0)


def test_every_set_of_parameters_makes_a_record() -> None:
    """Each class and the generic set, of each family; no share is above 1."""
    facts = everything()
    for name in facts.entities("kernels"):
        for fact in facts.facts_of(name):
            assert isinstance(fact.value, float)
            if fact.field in ("compute", "bandwidth", "link"):
                assert 0.0 < fact.value <= 1.0, fact.place


def test_a_chip_of_no_fitted_class_takes_the_mean_and_says_so() -> None:
    answer = kernel(row("mi300x", GEMM, 1.0), everything())
    assert answer.value is not None
    assert "mean of other classes" in answer.notes[0]
    assert kernel(row("h100-pcie", GEMM, 1.0), everything()).notes == ()


def test_the_quantities_of_a_row_agree() -> None:
    timed = row("h100-sxm", GEMM, 1.0)
    seconds = kernel(timed, everything()).value
    rate = kernel(dataclasses.replace(timed, quantity="kernel flops"), everything()).value
    moved = kernel(dataclasses.replace(timed, quantity="kernel bandwidth"), everything()).value
    assert seconds is not None
    assert rate == pytest.approx(2.0 * 4096.0**3 / seconds)
    assert moved == pytest.approx(6.0 * 4096.0**2 / seconds)
    drawn = kernel(dataclasses.replace(timed, quantity="power per chip"), everything()).value
    assert drawn == pytest.approx(0.98 * 700.0)
    summed = row("h100-sxm", Kernel(op="all_reduce", message_bytes=1e9), 1.0, chips=8)
    bus = kernel(dataclasses.replace(summed, quantity="bus bandwidth"), everything()).value
    assert bus == pytest.approx(1.75e9 / float(kernel(summed, everything()).value or 0.0))


def test_a_product_whose_inputs_are_narrow_already_is_faster() -> None:
    narrowed = kernel(row("h800", dataclasses.replace(GEMM, precision="fp8", written="fp8_block"), 1.0), everything())
    alone = kernel(row("h800", dataclasses.replace(GEMM, precision="fp8", written="fp8 (1x128 scaling)"), 1.0), everything())
    assert alone.value is not None
    assert narrowed.value is not None
    assert alone.value < narrowed.value


def test_a_format_that_the_chip_lacks_is_said() -> None:
    answer = kernel(row("a100-80gb", dataclasses.replace(GEMM, precision="fp4", written="nvfp4"), 1.0), everything())
    assert any("no fp4 units" in note for note in answer.notes)


def test_what_cannot_be_predicted_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel(row("h100-sxm", Kernel(op="other"), 1.0), everything()).reason.startswith("operator not predicted")
    assert kernel(row("h100-sxm", dataclasses.replace(GEMM, k=None), 1.0), everything()).reason.startswith("not stated")
    assert kernel(row("no-such-chip", GEMM, 1.0), everything()).reason.startswith("refused")
    with monkeypatch.context() as patch:
        patch.setattr(predict_kernels._Fits, "values", lambda _, name: {})
        assert kernel(row("h100-sxm", GEMM, 1.0), everything()).reason.startswith("nothing fitted")
    other = dataclasses.replace(row("h100-sxm", GEMM, 1.0), quantity="other", metric="watts")
    assert kernel(other, everything()).reason == "metric not predicted: watts"


def test_a_collective_from_python_takes_longer_than_one_in_a_graph() -> None:
    shape = Kernel(op="all_reduce", message_bytes=1e5, library="SGLang_CustomAllReduce_graph", graph=True)
    replayed = kernel(row("h100-sxm", shape, 1.0, 8, "sglang"), everything()).value
    eager = dataclasses.replace(shape, library="SGLang_CustomAllReduce_eager", graph=False)
    launched = kernel(row("h100-sxm", eager, 1.0, 8, "sglang"), everything()).value
    assert replayed is not None
    assert launched is not None
    assert launched > 2.0 * replayed


def test_many_rows_are_predicted_in_one_call() -> None:
    rows = [row(chip, dataclasses.replace(GEMM, m=float(m)), 1.0) for chip in ("h200", "b200") for m in range(1, 5001)]
    start = time.process_time()
    answers = predict_kernel_rows(rows, everything())
    assert time.process_time() - start < 2.0  # 0.2 s on two shared cores
    assert [answers[index] for index in (0, 4999, 5000)] == [kernel(rows[index], everything()) for index in (0, 4999, 5000)]
