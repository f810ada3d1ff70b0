"""Times of single kernels: fit the physical forms on published kernel tables and say how far they
can be trusted.

    python benchmarks/fit_kernels.py DIRECTORY [--json FILE] [--samples FOLDER] [--facts FILE]

DIRECTORY holds the kernel tables (`kernel-gemm.csv.gz` and its siblings). Each form is fitted on a
random half of the rows of a class of chips and judged on the other half, chip by chip; then each
chip is left out and predicted from the other chips of its class, or, where it is alone, from the
geometric mean of the other classes. `--json` writes the parameters, `--samples` writes small tables
of rows that no fit has seen, for the tests, `--facts` writes the table of parameters that ships
(`src/fabless/data/facts/kernels.csv`; docs/explanation/kernels.md).

All forms are one law: a fixed time, and work that overlaps as far as its kinds allow.

    matrix product   t = t0 + (a m k + o m n) / B + sqrt(t_c^2 + t_m^2 + t_k^2)
                     t_c = 2 max(m, 64) n k / (F e_c),  t_m = bytes / (B e_m),  t_k = tau k / (1 + k / k_split)
    prefill          t = t0 + sqrt((FLOP / (F e_c) + bytes / (B e_m))^2 + (tau s)^2)
    decode           t = t0 + x + kappa sqrt(t0 x),  x = sqrt((bytes / (B e_m))^2 + (FLOP / (F e_c))^2)
    collective       t = t0 + x + kappa sqrt(t0 x),  t0 = alpha + step (n - 1),  x = f M / (e W)
    experts          t = t0 + sqrt(t_c^2 + t_m^2), t_c of max(m + pad, 64) rows on each expert that gets any of the tokens
    element-wise     t = t0 + bytes / (B e_m)
    power            P = TDP min(cap, idle + compute u_c + memory u_m)

F peak [FLOP/s], B memory bandwidth [byte/s], W link bandwidth in one direction [byte/s], s tokens,
n chips, M bytes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

FACTS = Path(__file__).parent.parent / "src/fabless/data/facts/chips.csv"
CHIPS = {
    "a100_sxm": "a100-80gb", "h100_sxm": "h100-sxm", "h200_sxm": "h200", "b200_sxm": "b200",
    "b300_sxm": "b300", "gb200": "gb200", "gb300": "gb300", "l40s": "l40s",
    "rtx_pro_6000_server": "rtx-pro-6000",
}
CLASSES = {
    "a100-80gb": "ampere", "h100-sxm": "hopper", "h200": "hopper", "h20": "hopper",
    "h800": "hopper", "b200": "blackwell", "b300": "blackwell", "gb200": "blackwell",
    "gb300": "blackwell", "l40s": "ada", "rtx-pro-6000": "workstation", "mi210": "other",
}
WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp8_block": 1.0, "nvfp4": 0.5625}
CACHE_BYTES = {"l40s": 128e6, "rtx-pro-6000": 32e6}
"""Weights up to this size stay in the cache of these chips from one repetition to the next, as no
engine's do."""
SI = {"TFLOP/s": 1e12, "TOP/s": 1e12, "TB/s": 1e12, "GB/s": 1e9, "Gb/s": 1e9 / 8, "W": 1.0}
TILE, SPLIT = 64.0, 12288.0
"""Rows of a tile, to which few rows are padded; depth k from which 16-bit and plain 8-bit products
are split over k."""
LEARN = 1500
"""Rows of each chip that a fit may use: enough for six parameters, and no chip outweighs
another."""

Array = np.ndarray
Values = dict[str, float]


@dataclass(frozen=True)
class Form:
    """A law with named positive parameters and where their search starts."""

    time: Callable[[Mapping[str, float], pd.DataFrame], Array]
    start: Mapping[str, float]
    """The first is the one that a chip may have of its own."""


def overlap(*times: Array) -> Array:
    return np.sqrt(sum(np.square(time) for time in times))


def ramp(fixed: Array | float, work: Array, kappa: float) -> Array:
    return fixed + work + kappa * np.sqrt(fixed * work)


def product_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    compute = x.flop * np.maximum(1.0, TILE / x.m) / (x.peak * q["e_c"])
    depth = q["tau"] * x.k / (1.0 + x.k / x.split)
    passes = (q.get("a", 0.0) * x.m * x.k + q.get("o", 0.0) * x.m * x.n) / x.bandwidth
    return q["t0"] + passes + overlap(compute, x.moved / (x.bandwidth * q["e_m"]), depth)


def prefill_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    return q["t0"] + overlap(x.flop / (x.peak * q["e_c"]) + x.moved / (x.bandwidth * q["e_m"]), q["tau"] * x.tokens)


def decode_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    compute = x.flop / (x.peak * q.get("e_c", DECODE_COMPUTE))
    return ramp(q["t0"], overlap(x.moved / (x.bandwidth * q["e_m"]), compute), q.get("kappa", 0.0))


def collective_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    return ramp(q["alpha"] + q.get("step", 0.0) * x.steps, x.moved / (x.link * q["e"]), q["kappa"])


def stream_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    return q["t0"] + x.moved / (x.bandwidth * q["e_m"])


def grouped_time(q: Mapping[str, float], x: pd.DataFrame) -> Array:
    compute = x.touched * 2.0 * np.maximum(TILE, x.m + q["pad"]) * x.n * x.k / (x.peak * q["e_c"])
    return q["t0"] + overlap(compute, x.moved / (x.bandwidth * q["e_m"]))


PRODUCT = {"e_c": 0.7, "e_m": 0.8, "t0": 5e-6, "tau": 1e-9}
PRODUCTS = {"bf16": Form(product_time, PRODUCT), "fp8": Form(product_time, PRODUCT | {"a": 4.0}),
            "fp8_block": Form(product_time, PRODUCT | {"a": 4.0, "o": 1.0}),
            "nvfp4": Form(product_time, PRODUCT | {"a": 4.0, "o": 1.0})}
PREFILL = Form(prefill_time, {"e_c": 0.5, "e_m": 0.3, "t0": 1e-5, "tau": 1e-8})
DECODE = Form(decode_time, {"e_m": 0.85, "t0": 1e-5, "kappa": 0.5})
LATENT = Form(decode_time, {"e_c": 0.7, "e_m": 0.85, "t0": 1.5e-5})
RING = Form(collective_time, {"e": 0.75, "alpha": 5e-6, "step": 1e-6, "kappa": 1.0})
EXCHANGE = Form(collective_time, {"e": 0.75, "alpha": 5e-6, "kappa": 1.0})
COLLECTIVES = {
    "nccl": RING, "nccl all-to-all": EXCHANGE, "trtllm": RING, "vllm": RING, "sglang": RING,
    "engine": RING, "eager": RING,
}
STREAM = Form(stream_time, {"e_m": 0.6, "t0": 4e-6})
GROUPED = Form(grouped_time, {"e_c": 0.7, "e_m": 0.7, "t0": 5e-6, "pad": 32.0})
VANISHING = ("tau", "a", "o", "kappa", "step", "pad")
"""Terms that a chip may lack; the others stay within a factor of ten of where their search
starts."""


def fit(form: Form, rows: pd.DataFrame, fixed: Mapping[str, float] | None = None) -> Values:
    """Fit the logarithms of the parameters to the logarithms of measured times, robustly;
    negligible ones become 0."""
    fixed = fixed or {}
    rows = pd.concat([part.sample(min(len(part), LEARN), random_state=0) for _, part in rows.groupby("chip")])
    names = [name for name in form.start if name not in fixed]
    start = np.log([form.start[name] for name in names])
    low = start - [12.0 if name in VANISHING else 2.3 for name in names]
    high = np.array([0.0 if name.startswith("e") else begin + 2.3 for name, begin in zip(names, start, strict=True)])
    columns = rows.select_dtypes("number")

    def misfit(logs: Array) -> Array:
        values = dict(fixed) | dict(zip(names, np.exp(logs), strict=True))
        return np.asarray(np.log(form.time(values, columns) / columns.t), dtype=float)

    found = least_squares(misfit, start, loss="soft_l1", f_scale=0.05, bounds=(low, high), max_nfev=100).x
    return dict(fixed) | {name: 0.0 if log < begin - 6.0 else float(np.exp(log))
                          for name, log, begin in zip(names, found, start, strict=True)}


def ratio(form: Form, values: Mapping[str, float], rows: pd.DataFrame) -> Array:
    return np.asarray(form.time(values, rows) / rows.t, dtype=float)


def error(form: Form, values: Mapping[str, float], rows: pd.DataFrame) -> tuple[float, float]:
    """Median and 90th percentile of the absolute relative error [1]."""
    off = np.abs(ratio(form, values, rows) - 1.0)
    return float(np.median(off)), float(np.quantile(off, 0.9))


def mean_of(sets: list[Values]) -> Values:
    """Geometric mean of parameter sets; arithmetic where one of them is zero."""
    return {name: float(np.exp(np.mean(np.log(column))) if min(column) > 0.0 else np.mean(column))
            for name in sets[0] for column in [[values[name] for values in sets]]}


def chip_facts() -> pd.DataFrame:
    """Peaks, bandwidths and design power of the chips in SI, one row a chip."""
    facts = pd.read_csv(FACTS, dtype=str)
    facts = facts[facts.entity.isin(CLASSES) & facts.unit.isin(SI) & facts.value.notna()]
    value = facts.value.astype(float) * facts.unit.map(SI)
    return value.groupby([facts.entity, facts.field]).last().unstack()


def located(table: pd.DataFrame, chip: pd.Series, peak_format: pd.Series | str) -> pd.DataFrame:
    """Give each row its chip, class, peak, bandwidth, and a half: True to learn from, False to
    judge on."""
    facts, table = chip_facts(), table.assign(chip=chip)
    table = table[table.chip.isin(CLASSES)].copy()
    columns = pd.Series(peak_format, index=table.index) if isinstance(peak_format, str) else peak_format[table.index]
    table["kind"] = table.chip.map(CLASSES)
    table["peak"] = [facts.loc[name, f"peak_{form}"] for name, form in zip(table.chip, columns, strict=True)]
    table["bandwidth"] = table.chip.map(facts["memory_bandwidth"])
    table["half"] = np.random.default_rng(0).random(len(table)) < 0.5
    return table


def products(folder: Path, name: str = "kernel-gemm.csv.gz") -> pd.DataFrame:
    x = pd.read_csv(folder / name)
    x = x[(x.n >= 512) & (x.k >= 512) & (x.m <= 16384)]
    x["precision"] = x.dtype.replace({"bfloat16": "bf16"})
    x = located(x, x.system.map(CHIPS), x.precision.map({"bf16": "bf16", "nvfp4": "fp4"}).fillna("fp8"))
    size = x.precision.map(WEIGHT_BYTES)
    x["t"], x["split"] = x.latency_ms / 1e3, np.where(x.precision.isin(["bf16", "fp8"]), SPLIT, np.inf)
    x["flop"], x["moved"] = 2.0 * x.m * x.n * x.k, size * (x.m + x.n) * x.k + 2.0 * x.m * x.n
    cached = size * x.n * x.k <= x.chip.map(CACHE_BYTES).fillna(0.0)
    return x[~(cached & (x.moved / x.bandwidth > np.maximum(x.flop / x.peak, 1.5e-6)))]


def prefills(folder: Path) -> pd.DataFrame:
    x = pd.read_csv(folder / "kernel-attention-prefill.csv.gz")
    x = x[x.isl >= 64]
    x["precision"] = np.where(x.kv_cache_dtype == "fp8", "fp8", "bf16")
    x = x[(x.attn_dtype == "fp8") | (x.precision == "bf16")]
    x = located(x, x.system.map(CHIPS), x.precision)
    heads = 4.0 * x.num_heads + 2.0 * x.precision.map(WEIGHT_BYTES) * x.num_key_value_heads
    x["t"], x["tokens"] = x.latency_ms / 1e3, x.isl.astype(float)
    x["flop"] = 2.0 * x.batch_size * x.tokens**2 * x.num_heads * x.head_dim
    x["moved"] = x.batch_size * x.tokens * x.head_dim * heads
    return x


def decodes(folder: Path) -> pd.DataFrame:
    x = pd.read_csv(folder / "kernel-attention-decode.csv.gz")
    x["precision"] = x.kv_cache_dtype.replace({"bfloat16": "bf16"})
    x = x[(x.kv_len >= 128) & ((x.precision == "bf16") | (x.num_heads > x.num_key_value_heads))]
    x = located(x, x.system.map(CHIPS), "bf16")
    x["t"], x["flop"] = x.latency_ms / 1e3, 4.0 * x.batch_size * x.kv_len * x.num_heads * x.head_dim
    cache = 2.0 * x.precision.map(WEIGHT_BYTES) * x.batch_size * x.kv_len * x.num_key_value_heads * x.head_dim
    x["moved"] = cache + 4.0 * x.batch_size * x.num_heads * x.head_dim
    return x[(cache > 256e6) | (cache < 2e6) | ~x.chip.isin(CACHE_BYTES)]


def collectives(folder: Path, eager: bool = False) -> pd.DataFrame:
    x = pd.read_csv(folder / "kernel-collectives.csv.gz")
    x = x[(x.kernel.str.contains("eager") == eager) & (x.dtype != "int8") & (x.message_elements <= 2**28)].copy()
    x["library"] = x.library.where(x.kernel != "TRTLLM", "trtllm")
    order = x.version.map(lambda text: tuple(int(part) for part in re.findall(r"\d+", text)))
    x = x[order == order.groupby([x.system, x.library]).transform("max")]
    x = located(x, x.system.map(CHIPS), "bf16")
    reduce, exchange = x.op == "all_reduce", x.op == "alltoall"
    x["precision"] = x.library + np.where(exchange, " all-to-all", "")
    n, message = x.num_gpus, 2.0 * x.message_elements
    x["t"], x["message_bytes"], x["link"] = x.latency_ms / 1e3, message, x.chip.map(chip_facts()["scale_up_bandwidth"])
    x["steps"] = np.where(exchange, 0.0, np.where(reduce & (x.library == "nccl"), 2.0, 1.0) * (n - 1.0))
    x["moved"] = np.where(reduce, 2.0, 1.0) * (n - 1.0) / n * message
    x = x[(x.chip != "l40s") | (n == 2)]
    if eager:
        return x.assign(precision="eager")
    return pd.concat([x, x[x.library != "nccl"].assign(precision="engine")], ignore_index=True)


def judged(name: str, forms: Mapping[str, Form] | Form, rows: pd.DataFrame) -> dict[str, dict]:
    """Fit by class and precision; print errors on the held-out half, chip by chip."""
    print(f"\n{name}: error on the held-out half, median / p90 [%]. own: parameters of the class but the chip's own")
    print("efficiency (the first of the table below); left out: parameters from the other chips alone")
    print(f"{'precision':18} {'chip':13} {'rows':>5}  {'class':>10} {'own':>10} {'left out':>10}")
    result: dict[str, dict] = {}
    for precision, part in rows.groupby("precision"):
        form = forms if isinstance(forms, Form) else forms[str(precision)]
        learn, judge = part[part.half], part[~part.half]
        sets = {str(kind): fit(form, group) for kind, group in learn.groupby("kind")}
        for chip, unseen in judge.groupby("chip"):
            kind = CLASSES[str(chip)]
            family = learn[(learn.kind == kind) & (learn.chip != chip)]
            others = [values for other, values in sets.items() if other != kind]
            left = fit(form, family) if len(family) else mean_of(others)
            first, *rest = form.start
            own = fit(form, learn[learn.chip == chip], {parameter: sets[kind][parameter] for parameter in rest})
            cells = [error(form, values, unseen) for values in (sets[kind], own, left)]
            text = " ".join(f"{100 * middle:5.1f} /{100 * tail:3.0f}" for middle, tail in cells)
            print(f"{precision:18} {chip:13} {len(unseen):5}  {text}")
            entry = result.setdefault(str(precision), {"classes": {}, "chips": {}, "errors": {}})
            entry["chips"][str(chip)] = {first: own[first]}
            entry["errors"][str(chip)] = dict(zip(("class", "own", "left_out"), cells, strict=True))
        for kind, values in sets.items():
            measured_to_model = 1.0 / ratio(form, values, judge[judge.kind == kind])
            band = dict(zip(("p10", "p50", "p90"), np.quantile(measured_to_model, (0.1, 0.5, 0.9)), strict=True))
            entry["classes"][kind] = values | {"measured_to_model": band}
        entry["generic"] = mean_of(list(sets.values()))
    print(f"\n{'precision':18} {'class':13} parameters")
    for precision, entry in result.items():
        for kind, values in (entry["classes"] | {"generic": entry["generic"]}).items():
            print(f"{precision:18} {kind:13} " + show(values))
    return result


def show(values: Mapping[str, object]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in values.items() if isinstance(value, float))


def checked(name: str, form: Form, sets: Mapping[str, Values], rows: pd.DataFrame) -> dict[str, dict]:
    """Judge parameters of elsewhere on a table that no fit has seen, and the same form fitted on
    half of it."""
    result: dict[str, dict] = {"given": dict(sets)}
    for chip, part in rows.groupby("chip"):
        judge, first = part[~part.half] if len(part) >= 20 else part, next(iter(form.start))
        tried = {label: {key: values[key] for key in form.start} for label, values in sets.items()}
        if len(part) >= 20:
            for label, values in list(tried.items()):
                rest = {key: value for key, value in values.items() if key != first}
                tried[f"{label} but own {first}"] = fit(form, part[part.half], rest)
                result.setdefault("chips", {})[str(chip)] = {first: tried[f"{label} but own {first}"][first]}
            tried["own"] = fit(form, part[part.half])
            result[str(chip)] = tried["own"]
        cells = {label: error(form, values, judge) for label, values in tried.items()}
        result.setdefault("errors", {})[str(chip)] = cells
        text = ", ".join(f"{label} {100 * middle:.1f} / {100 * tail:.0f} %" for label, (middle, tail) in cells.items())
        print(f"{name:18} {chip:9} {len(part):4} rows: {text}" + f"; own: {show(tried.get('own', {}))}")
    return result


def infersim(folder: Path, hopper: Values, attention: Values) -> dict[str, dict]:
    """Hopper chips with little compute (h20) and cut links (h800): bare fp8 products, experts,
    attention."""
    print("\nTables of another project, judged by the parameters of hopper (FP8 without the pass that quantises)")
    result = {}
    x = pd.read_csv(folder / "infersim-gemm.csv")
    x = located(x[(x.n >= 512) & (x.k >= 512) & (x.m <= 16384)], x.device, "bf16")
    x["peak"], x["t"], x["split"] = 2.0 * x.peak, x.latency_us / 1e6, np.inf
    x["flop"], x["moved"] = 2.0 * x.m * x.n * x.k, (x.m + x.n) * x.k + 2.0 * x.m * x.n
    x = x[(x.n * x.k > 64e6) | (x.flop / x.peak > x.moved / x.bandwidth)]
    result["fp8_block product"] = checked("fp8 product", PRODUCTS["bf16"], {"hopper": hopper}, x)
    for phase in ("decode", "prefill"):
        x = pd.read_csv(folder / f"infersim-grouped-gemm-{phase}.csv")
        tokens = (x.batch_size_per_gpu if phase == "decode" else x.seq_len_per_gpu) * x.num_gpus * x.topk
        up = x.assign(n=2.0 * x.intermediate_size, k=x.hidden_size, t=x.up_proj_us / 1e6, tokens=tokens)
        down = x.assign(n=x.hidden_size, k=x.intermediate_size, t=x.down_proj_us / 1e6, tokens=tokens)
        x = pd.concat([up, down], ignore_index=True)
        x = located(x, x.device, "bf16")
        x["peak"] *= 2.0
        x["touched"] = x.num_local_experts * -np.expm1(x.tokens * np.log1p(-1.0 / x.num_experts))
        x["m"] = x.tokens / x.num_experts * x.num_local_experts / x.touched
        x["moved"] = x.touched * (x.n * x.k + x.m * (x.k + 2.0 * x.n))
        plain = {"hopper": hopper | {"pad": TILE / 2.0}}
        result[f"experts {phase}"] = checked(f"experts, {phase}", GROUPED, plain, x)
    x = pd.read_csv(folder / "infersim-mla-decode.csv")
    x = located(x, x.device, "bf16")
    x["t"], x["flop"] = x.latency_us / 1e6, 2.0 * x.batch_size * x.kv_len * 128.0 * (576.0 + 512.0)
    x["moved"] = x.batch_size * (x.kv_len * 576.0 * 2.0 + 128.0 * (576.0 + 512.0) * 2.0)
    result["latent decode"] = checked("latent decode", LATENT, {"both": fit(LATENT, x[x.half])}, x)
    for name in ("mha", "mla"):
        x = pd.read_csv(folder / f"infersim-{name}-prefill.csv")
        x = located(x, x.device, "bf16")
        shape = x.case.str.split("-", expand=True).astype(float)
        heads, groups, size = (shape[0], shape[0], 160.0) if name == "mla" else (shape[0], shape[1], shape[2])
        x["t"], x["tokens"] = x.latency_us / 1e6, x.seq_len
        x["flop"], x["moved"] = 2.0 * x.tokens**2 * heads * size, 4.0 * x.tokens * size * (heads + groups)
        result[f"{name} prefill"] = checked(f"{name} prefill", PREFILL, {"hopper": attention}, x)
    return result


def other_vendor(folder: Path, generic: Values) -> dict[str, dict]:
    """Products on a chip of another vendor and on the oldest one here, timed from Python, by the
    generic parameters."""
    x = pd.read_csv(folder / "llmcompass-operators-and-areas.csv")
    x = x[(x.operator == "matmul") & (x.metric == "latency") & (x.N >= 512) & (x.K >= 512)]
    x = x.rename(columns={"M": "m", "N": "n", "K": "k"})
    x = located(x, x.hardware.map({"A100": "a100-80gb", "MI210": "mi210"}), "bf16")
    x["t"], x["split"], x["flop"] = x.value / 1e3, SPLIT, 2.0 * x.m * x.n * x.k
    x["moved"] = 2.0 * ((x.m + x.n) * x.k + x.m * x.n)
    return checked("bf16 product", PRODUCTS["bf16"], {"generic": generic}, x)


def links(folder: Path) -> dict[str, dict]:
    """Messages inside a server and between servers; the link of each chip as on its data sheet."""
    print("\nMessages inside a server and between two servers: send-receive, and all-reduce of 2 x 8 chips")
    x = pd.read_csv(folder / "vidur-collectives.csv.gz")
    x = x[(x.bytes > 0) & x.node.isin(["a100_dgx", "h100_dgx"])]
    x = located(x, x.node.map({"a100_dgx": "a100-80gb", "h100_dgx": "h100-sxm"}), "bf16")
    facts, across = chip_facts(), x.num_workers > x.devices_per_node
    inside, outside = (x.chip.map(facts[f"scale_{way}_bandwidth"]) for way in ("up", "out"))
    x["link"], x["t"] = np.where(across, outside, inside), x.latency_ms_median / 1e3
    n, reduces = x.num_workers, x.collective == "all_reduce"
    x["moved"], x["steps"] = np.where(reduces, 2.0 * (n - 1.0) / n, 1.0) * x.bytes, 0.0
    x["where"] = np.where(across, "between", "inside")
    x, result = x[~reduces | (n == 16)], {}
    for (collective, place), part in x.groupby(["collective", "where"]):
        result[f"{collective} {place}"] = checked(f"{collective} {place}", EXCHANGE, {}, part)
    return result


STREAMS = {
    "norm": ("input_layernorm_ms", lambda x: 4.0 * x.n_embd),
    "add": ("add_ms", lambda x: 6.0 * x.n_embd),
    "activation": ("mlp_act_ms", lambda x: 6.0 * x.n_expanded_embd / x.num_tensor_parallel_workers),
    "rope": (
        "attn_rope_ms",
        lambda x: 4.0 * x.n_embd * (1.0 + x.n_kv_head / x.n_head) / x.num_tensor_parallel_workers,
    ),
}


def streams(folder: Path) -> dict[str, dict]:
    """Operations that only move bytes: bytes per token are reads and writes of 16-bit values."""
    print("\nElement-wise operations, 16 bit")
    table = pd.read_csv(folder / "vidur-layer-operations.csv.gz")
    table = located(table, table.device.map({"a100": "a100-80gb", "h100": "h100-sxm"}), "bf16")
    table = table[table.use_gated_mlp.astype(bool)]
    parts = []
    for name, (column, bytes_per_token) in STREAMS.items():
        x = table[table[column] > 0.0]
        parts.append(x.assign(t=x[column] / 1e3, moved=bytes_per_token(x) * x.num_tokens, precision=name))
    return judged("Element-wise", STREAM, pd.concat(parts, ignore_index=True))


def power(folder: Path) -> dict[str, object]:
    """Power of products that last long enough (0.2 ms) for the meter, by shares of peak and of
    bandwidth in use."""
    x = products(folder, "kernel-gemm-power.csv.gz")
    x["draw"], x["u_c"], x["u_m"] = x.power_w / x.power_limit_w, x.flop / x.peak / x.t, x.moved / x.bandwidth / x.t
    x = x[(x.t > 2e-4) & (x.u_c < 1.0) & (x.u_m < 1.0)]
    x = pd.concat([part.sample(min(len(part), LEARN), random_state=0) for _, part in x.groupby(["chip", "precision"])])
    formats = sorted(set(x.precision))
    code = x.precision.map(formats.index).to_numpy()

    def draw(q: Array) -> Array:
        return np.asarray(np.minimum(0.98, q[0] + q[1] * x.u_m + q[2:][code] * x.u_c), dtype=float)

    half = x.half.to_numpy()
    found = least_squares(
        lambda q: np.log(draw(q) / x.draw)[half], [0.3, 0.4] + [1.0] * len(formats), loss="soft_l1",
        f_scale=0.05, bounds=(0.0, 10.0),
    ).x
    off = (np.abs(draw(found) / x.draw - 1.0))[~half]
    print(
        "\nPower, share of TDP: "
        + show(
            {"idle": float(found[0]), "memory": float(found[1]), "cap": 0.98}
            | {
                f"compute {name}": float(value)
                for name, value in zip(formats, found[2:], strict=True)
            }
        )
    )
    for key, part in off.groupby([x.chip, x.precision]):
        print(f"{key[0]:13} {key[1]:10} {len(part):5} rows  {100 * part.median():5.1f} /{100 * part.quantile(0.9):3.0f}")
    errors = {" ".join(key): float(part.median()) for key, part in off.groupby([x.chip, x.precision])}
    return {
        "idle": found[0], "memory": found[1], "cap": 0.98,
        "compute": dict(zip(formats, found[2:], strict=True)), "errors": errors,
    }


def sampled(rows: pd.DataFrame, groups: list[str], count: int, columns: list[str], file: Path) -> None:
    """Write a sample of the rows that no fit has seen, even over the groups."""
    unseen = rows[~rows.half]
    share = count // unseen.groupby(groups).ngroups
    parts = [part.sample(min(len(part), share), random_state=0) for _, part in unseen.groupby(groups)]
    table = pd.concat(parts).rename(columns={"t": "latency_s"})[columns]
    table["source"] = table.source.str.replace("aic-core/src/aiconfigurator_core/systems/data/", "", regex=False)
    table["latency_s"] = table.latency_s.map("{:.4g}".format)
    table.sort_values(columns[:-2]).to_csv(file, index=False)


KNOWN, SOURCE = "2026-11-25", "perf-calibration"
NAMES = {
    "e_c": "compute", "e_m": "bandwidth", "e": "link", "t0": "fixed_s", "alpha": "fixed_s",
    "step": "chip_s", "kappa": "ramp", "a": "input_bytes", "o": "output_bytes", "pad": "pad_rows",
}
"""Parameter of a law here -> field of the facts; `tau` is a step along the depth of a product or
along a prompt."""
SHARES = ("compute", "bandwidth", "link")
LATENT_SHAPE = {"heads": 128.0, "latent": 512.0, "rope": 64.0}
"""Query heads of the latent rows, and numbers a token in their cache."""
DECODE_COMPUTE = 0.8
"""Share of the peak in decode attention with grouped heads, which memory paces; set, not fitted."""


def facts_table(found: Mapping[str, dict]) -> str:
    """Parameters of all laws as facts, one a row; a term that a fit sets to zero has no row."""
    rows: list[tuple[str, str, float, object, object, str, str]] = []

    def add(entity: str, values: Mapping[str, float], note: str = "", depth: str = "depth_s",
            bands: Mapping[str, tuple[float, float]] | None = None) -> None:
        for name, value in values.items():
            field = depth if name == "tau" else NAMES.get(name, name)
            low, high = (bands or {}).get(name, ("", ""))
            if isinstance(value, float) and value > 0.0:
                unit = "us" if field.endswith("_s") else "B" if field.endswith("_bytes") else "1"
                rows.append((entity, field, value, low, high, unit, note))

    def spread(sets: list[Mapping[str, float]], centre: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """Lowest and highest of each parameter, where they enclose the one in the middle and there
        are several."""
        ends = {name: (min(values[name] for values in sets), max(values[name] for values in sets))
                for name in centre if all(isinstance(values.get(name), float) for values in sets)}
        return {name: (low, high) for name, (low, high) in ends.items() if 0.0 < low <= centre[name] <= high and low < high}

    def family(
        name: str, results: Mapping[str, dict], extra: Callable[[str], Values], own: bool,
        depth: str = "depth_s",
    ) -> None:
        for form, entry in results.items():
            target = f"{name}.{form.replace('nccl all-to-all', 'all_to_all')}"
            unseen, mean = "on rows that the fit has not seen", "mean of the other classes"
            for kind, values in entry["classes"].items():
                chips = {chip: value for chip, value in entry["chips"].items() if CLASSES[chip] == kind}
                band = spread(list(chips.values()), values) if own else {}
                note = "; low and high: fits of single chips" if band else ""
                add(f"nvidia-{kind}.{target}", values | extra(form), f"docs/explanation/kernels.md{note}", depth, band)
                residual = values["measured_to_model"]
                rows.append(
                    (
                        f"nvidia-{kind}.{target}", "measured_to_model", residual["p50"],
                        residual["p10"], residual["p90"], "1",
                        "P10, P50, P90 on rows that the fit has not seen",
                    )
                )
                for chip, errors in ((chip, entry["errors"][chip]) for chip in chips):
                    alone = len(chips) > 1 and own
                    if alone:
                        add(f"{chip}.{target}", chips[chip], "own share; the rest is of its class")
                    for field, value in zip(("error_median", "error_p90"), errors["own" if alone else "class"], strict=True):
                        rows.append((f"{chip}.{target}", field, value, "", "", "1", unseen))
                    left = "fitted on the other chips of its class" if len(chips) > 1 else mean
                    rows.append((f"{chip}.{target}", "left_out_error_median", errors["left_out"][0], "", "", "1", left))
            sets = [{key: value for key, value in values.items() if isinstance(value, float)}
                    for values in entry["classes"].values()]
            add(
                f"gpu.{target}", entry["generic"] | extra(form),
                "mean of the classes, geometric where none is 0", depth,
                spread(sets, entry["generic"]),
            )

    def product(form: str) -> Values:
        return {"tile_rows": TILE} | ({"split_depth": SPLIT} if form in ("bf16", "fp8") else {})

    nothing: Callable[[str], Values] = lambda form: {}  # noqa: E731
    family("gemm", found["gemm"], product, own=True)
    block = found["gemm"]["fp8_block"]
    bare = {
        name: block["classes"][kind] if kind else block["generic"]
        for name, kind in (
            ("nvidia-hopper", "hopper"), ("nvidia-blackwell", "blackwell"), ("nvidia-ada", "ada"),
            ("nvidia-workstation", "workstation"), ("gpu", ""),
        )
    }
    for name, values in bare.items():
        kept = {key: value for key, value in values.items() if key not in ("a", "o")}
        add(f"{name}.gemm.fp8_bare", kept | {"tile_rows": TILE}, "of fp8_block, without the passes that narrow and scale")
    family("attention_prefill", found["prefill"], nothing, own=True, depth="token_s")
    family("attention_decode", found["decode"], lambda form: {"e_c": DECODE_COMPUTE}, own=False)
    family("collective", found["collective"], nothing, own=False)
    family("collective", found["eager"], nothing, own=False)
    family("elementwise", found["element_wise"], nothing, own=False)
    other = found["other_tables"]
    for name, target, depth in (("fp8_block product", "gemm.fp8_bare", "depth_s"),
                                ("mha prefill", "attention_prefill.bf16", "token_s"),
                                ("latent decode", "attention_decode.latent", "")):
        for chip, values in other[name].get("chips", {}).items():
            add(f"{chip}.{target}", values, "own share on InferSim's table; the rest is of its class", depth)
            best = next(cells for label, cells in other[name]["errors"][chip].items() if "but own" in label)
            for field, value in zip(("error_median", "error_p90"), best, strict=True):
                rows.append((f"{chip}.{target}", field, value, "", "", "1", "on rows that the fit has not seen"))
    for name in ("nvidia-hopper", "gpu"):
        add(
            f"{name}.attention_decode.latent",
            other["latent decode"]["given"]["both"] | LATENT_SHAPE,
            "H20 and H800, InferSim's table; heads and widths are of its rows",
        )
    for phase in ("decode", "prefill"):
        for chip in ("h20", "h800"):
            add(f"{chip}.experts.{phase}", other[f"experts {phase}"][chip] | {"tile_rows": TILE}, "InferSim's table")
    plain = {key: block["classes"]["hopper"][key] for key in ("e_c", "e_m", "t0")} | {"pad": TILE / 2.0, "tile_rows": TILE}
    for phase in ("decode", "prefill"):
        add(f"nvidia-hopper.experts.{phase}", plain, "of products with fp8_block, half a tile of padding")
    draw = found["power"]
    for form, value in draw["compute"].items():
        add(
            f"gpu.power.{form}",
            {
                "idle": float(draw["idle"]), "memory_power": float(draw["memory"]),
                "cap": draw["cap"], "compute_power": float(value),
            },
            "B200, GB200 and H200 together",
        )
    for key, value in draw["errors"].items():
        chip, form = key.split(" ")
        rows.append((f"{chip}.power.{form}", "error_median", value, "", "", "1", "on rows that the fit has not seen"))
    return written(rows)


def written(rows: list[tuple[str, str, float, object, object, str, str]]) -> str:
    """Facts as CSV, sorted, four digits a number; the memory of the workstation class has a second
    reading."""
    def text(value: object, unit: str) -> str:
        return f"{value * (1e6 if unit == 'us' else 1.0):.4g}" if isinstance(value, float) else ""

    bandwidth = chip_bandwidth()
    lines = []
    for entity, field, value, low, high, unit, note in sorted(rows, key=lambda row: row[:2]):
        if entity.startswith("nvidia-workstation.") and field == "bandwidth":
            low, high = value * bandwidth["rtx-pro-6000"] / bandwidth["rtx-pro-6000-workstation"], value
            note = "of the 1.597 TB/s of the server card; low: of the 1.792 TB/s of the workstation card"
        cells = (entity, field, text(value, unit), text(low, unit), text(high, unit), unit, "", "", KNOWN, "derived", SOURCE)
        lines.append(",".join(cells) + "," + (f'"{note}"' if "," in note else note))
    header = "entity,field,value,low,high,unit,period,price_year,known,grade,source,note"
    return "\n".join((header, *lines)) + "\n"


def chip_bandwidth() -> dict[str, float]:
    """Memory bandwidth of the chips [B/s]."""
    facts = pd.read_csv(FACTS, dtype=str)
    facts = facts[facts.field == "memory_bandwidth"]
    return dict(zip(facts.entity, facts.value.astype(float) * facts.unit.map(SI), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--facts", type=Path)
    given = parser.parse_args()
    product, prefill, decode = products(given.folder), prefills(given.folder), decodes(given.folder)
    collective = collectives(given.folder)
    found: dict[str, object] = {"about": __doc__}
    gemm = found["gemm"] = judged("Matrix product", PRODUCTS, product)
    attention = found["prefill"] = judged("Prefill attention", PREFILL, prefill)
    found["decode"] = judged("Decode attention", DECODE, decode)
    found["collective"] = judged("Collective", COLLECTIVES, collective)
    found["eager"] = judged("Collective launched from Python", COLLECTIVES, collectives(given.folder, eager=True))
    found["element_wise"] = streams(given.folder)
    found["other_tables"] = infersim(given.folder, gemm["fp8_block"]["classes"]["hopper"],
                                     attention["bf16"]["classes"]["hopper"])
    found["other_vendor"] = other_vendor(given.folder, gemm["bf16"]["generic"])
    found["links"] = links(given.folder)
    found["power"] = power(given.folder)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1, default=float) + "\n")
    if given.facts:
        given.facts.write_text(facts_table(found), encoding="utf-8")
    if given.samples:
        sampled(
            product, ["system", "precision"], 1500,
            ["system", "dtype", "m", "n", "k", "latency_s", "source"],
            given.samples / "kernels_gemm.csv",
        )
        both = pd.concat([prefill.assign(phase="prefill", length=prefill.isl),
                          decode.assign(phase="decode", length=decode.kv_len)])
        sampled(
            both, ["phase", "system", "precision"], 400,
            [
                "phase", "system", "attn_dtype", "kv_cache_dtype", "batch_size", "length",
                "num_heads", "num_key_value_heads", "head_dim", "latency_s", "source",
            ],
            given.samples / "kernels_attention.csv",
        )
        sampled(collective[collective.precision != "engine"], ["system", "library", "op"], 300,
                ["system", "library", "op", "num_gpus", "message_bytes", "latency_s", "source"],
                given.samples / "kernels_collectives.csv")


if __name__ == "__main__":
    main()
