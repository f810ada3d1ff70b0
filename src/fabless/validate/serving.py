"""Rows of NVIDIA's end-to-end serving file -> two measurements each: time to first token, time per
output token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fabless.catalogue.files.measured import Reading
from fabless.validate.cells import Cells, Precision
from fabless.validate.inference import first
from fabless.validate.measurement import Measurement, WorkerPool

_POOL = (
    "batch_size", "num_workers", "tp_size", "pp_size", "attention_dp_size", "moe_tp_size",
    "moe_ep_size",
)
REQUIRED = (
    "id", "backend", "model_path", "system", "precision", "mode", "isl", "osl", "batch_size",
    "tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size", "ttft_ms", "tpot_ms",
)
OPTIONAL = (
    "source", "original_source", "backend_version", "gemm_quant_mode", "moe_quant_mode",
    *(f"prefill_{name}" for name in _POOL), *(f"decode_{name}" for name in _POOL), "measured_at",
    "concurrency", "image",
)

_MODES = ("agg", "disagg")
_NAMED = re.compile(r"_tp(\d+)(?:_0)?(?:_ep(\d+)(?:_0)?)?(?:_|$|none)")


@dataclass(frozen=True)
class Instance:
    """The chips of one engine instance and how they are used."""

    chips: int
    tp: int
    attention_dp: int
    moe_tp: int
    ep: int


def instance(
    tp: int, attention_dp: int, moe_tp: int, moe_ep: int,
    named: tuple[int, int | None] | None = None,
) -> Instance:
    """Derive an instance from columns that carry labels of three kinds.

    The chips (without pipeline stages) are, in this order: the tp in the row's id (`named`: tp,
    ep); moe_tp where the row repeats its degree in both, ``moe_tp = moe_ep`` with ``tp x
    attention_dp = moe_tp x moe_ep``; tp where it is repeated as attention_dp and ``moe_ep = tp x
    attention_dp``; else ``tp x attention_dp``. Attention is data-parallel over all chips where
    attention_dp > 1. ep is that of the id, else moe_ep where it fits the chips.

    >>> instance(64, 1, 8, 8)  # TP8 and EP8, labelled 64
    Instance(chips=8, tp=8, attention_dp=1, moe_tp=1, ep=8)
    >>> instance(1, 16, 4, 4)
    Instance(chips=4, tp=1, attention_dp=4, moe_tp=1, ep=4)
    >>> instance(8, 1, 2, 4)
    Instance(chips=8, tp=8, attention_dp=1, moe_tp=2, ep=4)
    """
    ranks = tp * attention_dp
    if named is not None:
        chips = named[0]
    elif moe_tp == moe_ep > 1 and ranks == moe_tp * moe_ep:
        chips = moe_tp
    elif moe_tp == 1 and tp == attention_dp > 1 and moe_ep == ranks:
        chips = tp
    else:
        chips = ranks
    parts = attention_dp if ranks == chips else chips if attention_dp > 1 else 1
    expert = (
        named[1]
        if named is not None and named[1]
        else moe_ep
        if moe_tp * moe_ep == chips
        else min(moe_ep, chips)
    )
    expert = expert if chips % expert == 0 else 1
    return Instance(chips, max(1, chips // parts), parts, max(1, chips // expert), expert)


def _named(row_id: str) -> tuple[int, int | None] | None:
    matches = _NAMED.findall(row_id)
    return (
        (int(matches[-1][0]), int(matches[-1][1]) if matches[-1][1] else None) if matches else None
    )


def _degree(cells: Cells, column: str) -> int:
    return cells.count(column) or 1


def _pool(cells: Cells, kind: str) -> WorkerPool | None:
    if not cells[f"{kind}_tp_size"]:
        cells.fault("bad cell", f"{kind}_tp_size", "is empty in a disaggregated row")
        return None
    tp, pp, attention, moe_tp, ep = (_degree(cells, f"{kind}_{name}") for name in _POOL[2:])
    stated = bool(cells[f"{kind}_num_workers"])
    chips = tp * attention
    if (
        not stated
        and kind == "decode"
        and moe_tp > 1
        and ep == _degree(cells, "prefill_moe_ep_size") > 1
    ):
        cells.notes.append(
            f"decode ep {ep} repeats the prefill pool's: experts over all {chips} chips"
        )
        moe_tp, ep = 1, chips
    return WorkerPool(
        chips=chips * pp, tp=tp, pp=pp, attention_dp=attention if stated else None, moe_tp=moe_tp,
        ep=ep, workers=cells.count(f"{kind}_num_workers"), batch=cells.number(f"{kind}_batch_size"),
    )


def _concurrency(cells: Cells) -> float | None:
    if cells["concurrency"]:
        return cells.number("concurrency")
    stated = re.search(r"silicon_concurrency=(\d+)", cells["original_source"])
    return float(stated[1]) if stated else None


def _precision(cells: Cells, readings: Sequence[Reading]) -> tuple[Precision, str]:
    """Precision of dense products and of experts; blank is bf16."""
    column = "gemm_quant_mode" if cells["gemm_quant_mode"] else "precision"
    dense, experts = cells.precision(column), cells.precision("moe_quant_mode")
    if not cells[column]:
        dense = Precision("bf16", "")
        cells.notes.append("precision blank: bf16")
    known = first(readings, "expert precision", cells["model_path"])
    rest = first(readings, "other precision", cells["model_path"])
    if known is None or rest is None:
        return dense, experts.name
    cells.notes.append(f"weights labelled {dense.written}: {known.note}")
    return Precision(rest.value, dense.written), "fp4"


def read_serving(cells: Cells, readings: Sequence[Reading]) -> list[Measurement]:
    """Read one row: id and metric together tell its two measurements apart."""
    cells.required("id", "model_path", "system", "isl", "osl", "ttft_ms", "tpot_ms")
    if cells["mode"] not in _MODES:
        cells.fault("bad cell", "mode", f"{cells['mode']!r} is none of {', '.join(_MODES)}")
    split = cells["mode"] == "disagg"
    weights, experts = _precision(cells, readings)
    prefill, decode = (_pool(cells, "prefill"), _pool(cells, "decode")) if split else (None, None)
    placed, pp, concurrency = None, None, _concurrency(cells)
    if not split:
        cells.required("tp_size")
        pp = _degree(cells, "pp_size")
        batch, attention = cells.number("batch_size"), _degree(cells, "attention_dp_size")
        if not cells["attention_dp_size"] and batch and concurrency and concurrency / batch >= 1.5:
            attention = round(concurrency / batch)
            cells.notes.append(f"attention_dp blank: concurrency / batch = {attention}")
        tp = _degree(cells, "tp_size")
        named = _named(cells["id"])
        if not cells["attention_dp_size"] and attention > 1 and tp % attention == 0:
            tp //= attention
        placed = instance(
            tp, attention, _degree(cells, "moe_tp_size"), _degree(cells, "moe_ep_size"), named
        )
        if placed.chips != _degree(cells, "tp_size") * _degree(cells, "attention_dp_size"):
            cells.notes.append(
                f"labelled tp {cells['tp_size']}, attention_dp {cells['attention_dp_size'] or 'blank'}: "
                f"read as {placed.chips} chips, tp {placed.tp}, attention_dp {placed.attention_dp}, ep {placed.ep}"
            )
        if concurrency is None and batch is not None:
            concurrency = batch * _degree(cells, "attention_dp_size")
            cells.notes.append("concurrency not stated: batch x attention_dp")
    times: dict[Literal["ttft", "tpot"], float | None] = {
        "ttft": cells.number("ttft_ms"), "tpot": cells.number("tpot_ms"),
    }
    input_tokens, output_tokens, both = cells.number("isl"), cells.number("osl"), []
    for quantity, value in times.items():
        both.append(
            Measurement(
                id=cells["id"], file=cells.file, line=cells.line, layout="serving",
                model=cells["model_path"], chip=cells["system"], metric=f"{quantity}_ms",
                value=None if value is None else value * 1e-3, scale=1e-3, quantity=quantity,
                phase=quantity, scenario="closed loop",
                chips=placed.chips * (pp or 1) if placed else _pool_chips(prefill, decode),
                tp=placed.tp if placed else None, pp=pp, ep=placed.ep if placed else None,
                moe_tp=placed.moe_tp if placed else None,
                attention_dp=placed.attention_dp if placed else None,
                replicas=1 if placed else None, precision=weights.name,
                precision_written=weights.written, expert_precision=experts,
                engine=cells["backend"], engine_version=cells["backend_version"],
                concurrency=concurrency, input_tokens=input_tokens, output_tokens=output_tokens,
                mode="disaggregated" if split else "aggregated", prefill=prefill, decode=decode,
                notes=tuple(dict.fromkeys(cells.notes)), source=cells["source"],
                comment=cells["original_source"], reason=cells.reason,
            )
        )
    return both


def _pool_chips(*pools: WorkerPool | None) -> int | None:
    known = [pool.chips * pool.workers for pool in pools if pool is not None and pool.workers]
    return sum(known) if len(known) == len(pools) else None
