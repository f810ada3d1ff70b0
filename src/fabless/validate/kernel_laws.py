"""Time and power of a kernel that runs alone, over and over: what kernel tables measure, not what
an engine sees.

Engines replay graphs, fuse and overlap, so that their fixed times are shorter; `kernels` and
`forward` describe those. All laws here are one: a fixed time, and work that overlaps as far as its
kinds allow; with every share 1 and every other term 0 they give the physical floor, and no
parameters that the records allow give less (docs/explanation/kernels.md). Numbers and arrays
broadcast, the fields of the records too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Self

import numpy as np

from fabless.perf.efficiency import check_bounds, values_by_field
from fabless.perf.kernels import overlap, ramp_up
from fabless.records import Array
from fabless.workload import Number


class Law:
    """Parameters of a law: shares above 0 and at most 1, everything else 0 or more."""

    @classmethod
    def of(cls, values: Mapping[str, float], place: str = "kernel") -> Self:
        """Make a record from named values in SI; terms with a default may be missing. Raises
        `BadValue` with all faults."""
        return cls(**values_by_field(cls, place, values))

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        check_bounds(type(self).__name__.lower(), self, {name: _BOUNDS.get(name, _REST) for name in names})


@dataclass(frozen=True, kw_only=True)
class Product(Law):
    """A matrix product, with the pass that narrows its inputs where the format needs one."""

    compute: Number
    """Share of the peak [1]."""
    bandwidth: Number
    """Share of memory bandwidth [1]."""
    fixed_s: Number
    depth_s: Number = 0.0
    """Time of one step along the inner dimension [s]."""
    split_depth: Number = math.inf
    """Inner dimension above which it is split over the chip, so that steps add no more time [1]."""
    tile_rows: Number = 1.0
    """Rows of a tile, to which fewer rows are padded [1]."""
    input_bytes: Number = 0.0
    """Memory traffic of narrowing, per number of the left matrix [B]."""
    output_bytes: Number = 0.0
    """Memory traffic of scaling, per number of the result [B]."""


@dataclass(frozen=True)
class AttentionPrefill(Law):
    """Causal attention of whole prompts."""

    compute: Number
    bandwidth: Number
    fixed_s: Number
    token_s: Number = 0.0
    """Time per row of the longest prompt [s]."""


@dataclass(frozen=True)
class AttentionDecode(Law):
    """Attention of one new token a sequence, over its cache."""

    compute: Number
    bandwidth: Number
    fixed_s: Number
    ramp: Number = 0.0
    """Ramp to full speed: r in t = t0 + x + r sqrt(t0 x), t0 fixed time, x work [1]."""


@dataclass(frozen=True)
class Collective(Law):
    """A collective among the chips of a domain."""

    link: Number
    """Share of the bandwidth of a link in one direction [1]."""
    fixed_s: Number
    chip_s: Number = 0.0
    """Time added by each chip beyond the first, and by each round of them [s]."""
    ramp: Number = 0.0


@dataclass(frozen=True)
class Power(Law):
    """Power of a kernel as shares of the design power [1]."""

    idle: Number
    compute_power: Number
    """Power added at full use of the peak."""
    memory_power: Number
    """Power added at full use of memory bandwidth."""
    cap: Number = 1.0


_SHARE = (1e-6, 1.0, "above 0, at most 1")
_REST = (0.0, math.inf, "0 or more")
_BOUNDS: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    dict.fromkeys(("compute", "bandwidth", "link", "cap"), _SHARE))


def product_bytes(
    m: Number, n: Number, k: Number, element_bytes: Number = 2.0, weight_bytes: Number | None = None
) -> Number:
    """Traffic of a product of (m, k) by (k, n): both inputs and a result in 16 bits [B].

    >>> product_bytes(1.0, 10.0, 100.0)
    2220.0
    """
    weights = element_bytes if weight_bytes is None else weight_bytes
    return element_bytes * m * k + weights * n * k + 2.0 * m * n


def product_time(
    m: Number, n: Number, k: Number, fit: Product, peak_flops: Number, bandwidth: Number, *,
    element_bytes: Number = 2.0, weight_bytes: Number | None = None,
) -> Number:
    """Time of a product of (m, k) by (k, n) [s].

    ``t = t0 + (a m k + o m n) / B + sqrt(t_c^2 + t_m^2 + t_k^2)`` with ``t_c = 2 max(m, tile) n k / (F e_c)``,
    ``t_m = bytes / (B e_m)``, ``t_k = depth k / (1 + k / split)``; peak F [FLOP/s], memory bandwidth B [B/s], width of a
    number of the inputs [B], `weight_bytes` where the right one is narrower. Fitted on
    ai-dynamo/aiconfigurator's tables.

    >>> float(product_time(1000.0, 1000.0, 1000.0, Product(compute=1.0, bandwidth=1.0, fixed_s=0.0), 2e12, 1e18))
    0.001
    """
    compute = 2.0 * np.maximum(m, fit.tile_rows) * n * k / (peak_flops * fit.compute)
    moved = product_bytes(m, n, k, element_bytes, weight_bytes) / (bandwidth * fit.bandwidth)
    passes = (fit.input_bytes * m * k + fit.output_bytes * m * n) / bandwidth
    return fit.fixed_s + passes + overlap(compute, moved, fit.depth_s * k / (1.0 + k / fit.split_depth))


def prefill_flop(batch: Number, tokens: Number, heads: Number, head_dim: Number, context: Number = 0.0) -> Number:
    """FLOP of causal attention of `tokens` new ones a sequence after `context` [FLOP]: half of the
    square, all before it.

    >>> prefill_flop(1.0, 100.0, 1.0, 1.0), prefill_flop(1.0, 1.0, 1.0, 1.0, 100.0)
    (20000.0, 402.0)
    """
    return 4.0 * batch * tokens * (context + tokens / 2.0) * heads * head_dim


def attention_prefill_time(
    batch: Number, tokens: Number, heads: Number, kv_heads: Number, head_dim: Number,
    fit: AttentionPrefill, peak_flops: Number, bandwidth: Number, *, context: Number = 0.0,
    kv_bytes: Number = 2.0,
) -> Number:
    """Time of causal attention of `batch` prompts of `tokens`, after `context` tokens each in the
    cache [s].

    ``t = t0 + sqrt((FLOP / (F e_c) + bytes / (B e_m))^2 + (tau tokens)^2)``; bytes: queries and result in 16 bits, keys
    and values in `kv_bytes` [B] a number. Fitted on ai-dynamo/aiconfigurator's tables, without
    context.

    >>> round(float(attention_prefill_time(1.0, 1e3, 10.0, 1.0, 100.0, AttentionPrefill(1.0, 1.0, 0.0), 2e12, 1e18)), 9)
    0.001
    """
    flop = prefill_flop(batch, tokens, heads, head_dim, context)
    moved = batch * head_dim * (4.0 * tokens * heads + 2.0 * kv_bytes * (tokens + context) * kv_heads)
    work = flop / (peak_flops * fit.compute) + moved / (bandwidth * fit.bandwidth)
    return fit.fixed_s + overlap(work, fit.token_s * tokens)


def attention_decode_time(
    flop: Number, moved_bytes: Number, fit: AttentionDecode, peak_flops: Number, bandwidth: Number
) -> Number:
    """Time of attention of one new token a sequence, from its FLOP and bytes (`decode_work`,
    `latent_work`) [s].

    ``t = t0 + x + ramp sqrt(t0 x)``, ``x = sqrt((bytes / (B e_m))^2 + (FLOP / (F e_c))^2)``; F is the peak in 16 bits.

    >>> round(float(attention_decode_time(3e9, 4e6, AttentionDecode(1.0, 1.0, 1e-3, 0.5), 1e12, 1e9)), 6)
    0.007118
    """
    work = overlap(moved_bytes / (bandwidth * fit.bandwidth), flop / (peak_flops * fit.compute))
    return ramp_up(fit.fixed_s, work, fit.ramp)


def decode_work(batch: Number, context: Number, heads: Number, kv_heads: Number, head_dim: Number,
                kv_bytes: Number = 2.0) -> tuple[Number, Number]:
    """FLOP and bytes of decode attention: the cache of `kv_bytes` [B] a number, query and result in
    16 bits.

    >>> decode_work(1.0, 100.0, 8.0, 2.0, 10.0)
    (32000.0, 8320.0)
    """
    cache = 2.0 * kv_bytes * batch * context * kv_heads * head_dim
    return 4.0 * batch * context * heads * head_dim, cache + 4.0 * batch * heads * head_dim


def latent_work(batch: Number, context: Number, heads: Number, latent: Number, rope: Number,
                kv_bytes: Number = 2.0) -> tuple[Number, Number]:
    """FLOP and bytes of decode attention over a latent cache of `latent` + `rope` numbers a token.

    >>> latent_work(1.0, 10.0, 2.0, 4.0, 1.0)
    (360.0, 136.0)
    """
    wide = 2.0 * latent + rope
    return 2.0 * batch * context * heads * wide, batch * (context * (latent + rope) * kv_bytes + 2.0 * heads * wide)


def collective_time(
    message_bytes: Number, chips: Number, fit: Collective, link_bandwidth: Number, *,
    passes: Number = 1.0, rounds: Number = 1.0,
) -> Array:
    """Time of a collective of `chips` of one domain on a message [s].

    ``t = t0 + x + ramp sqrt(t0 x)``, ``t0 = alpha + step rounds (n - 1)``, ``x = passes (n - 1) / n M / (e W)`` with the
    link bandwidth W of a chip in one direction [B/s]. `passes`: 2 for an all-reduce, else 1;
    `rounds`: 2 for an all-reduce over a ring, else 1. M is the whole message: what an all-reduce
    sums, what all chips of a gather have after it. A single chip needs no time.

    >>> float(collective_time(1e9, 4.0, Collective(1.0, 1e-5, 1e-5), 75e9, passes=2.0))
    0.02004
    """
    others = np.asarray(chips, dtype=float) - 1.0
    work = passes * others / chips * message_bytes / (link_bandwidth * fit.link)
    time = ramp_up(fit.fixed_s + fit.chip_s * rounds * others, work, fit.ramp)
    return np.where(others > 0.0, time, 0.0)


def power_draw(compute_use: Number, memory_use: Number, fit: Power, design_w: Number) -> Number:
    """Power at shares in use of peak and of memory bandwidth: ``P = TDP min(cap, idle + c u_c + m
    u_m)`` [W].

    >>> float(power_draw(0.25, 0.5, Power(0.25, 1.0, 0.5), 100.0)), float(power_draw(1.0, 1.0, Power(0.25, 1.0, 0.5), 100.0))
    (75.0, 100.0)
    """
    return design_w * np.minimum(fit.cap, fit.idle + fit.compute_power * compute_use + fit.memory_power * memory_use)
